// SugarError, and the checks that throw it.
"use strict";

const c = require("./lowlevel.js");

/** What the library, or this layer, refuses: `status` is one of SUGAR_ERROR_*, `statusName` its name. */
class SugarError extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
        this.statusName = c.sugar_status_name(status);
    }
}
SugarError.prototype.name = "SugarError";
c.set_error_class(SugarError);

/** Throws what the library says of its last call, if that failed. */
function check(status) {
    if (status !== c.SUGAR_OK) throw new SugarError(status, c.sugar_last_error());
}

function refuse(name, found, expected) {
    let text;
    try {
        text = typeof found === "object" && found !== null ? found.constructor?.name ?? "object" : String(found);
    } catch {
        text = typeof found;
    }
    throw new SugarError(c.SUGAR_ERROR_ARGUMENT, `${name}: ${text}, expected ${expected}`);
}

/** Refuses what is no object, or has members that are not in `known`. */
function checkMembers(name, given, known) {
    if (typeof given !== "object" || given === null) refuse(name, given, "an object");
    for (const key of Object.keys(given)) {
        if (!known.includes(key)) refuse(name, `unknown '${key}'`, known.join(", "));
    }
}

/** A whole number, as it is. */
function integer(name, value, minimum = Number.MIN_SAFE_INTEGER) {
    if (!Number.isSafeInteger(value) || value < minimum) {
        refuse(name, value, minimum > Number.MIN_SAFE_INTEGER ? `a whole number from ${minimum}` : "a whole number");
    }
    return value;
}

module.exports = { SugarError, check, refuse, checkMembers, integer };
