// Contexts: how calls use threads.
"use strict";

const c = require("./lowlevel.js");
const { checkMembers, integer } = require("./error.js");
const { Handle, handleOf } = require("./handle.js");

class Context extends Handle {
    constructor(options = {}) {
        const given = typeof options === "number" ? { threads: options } : options;
        checkMembers("context", given, ["threads"]);
        const threads = integer("threads", given.threads ?? 0);
        super("Context", (out) => c.sugar_context_create(out, { threads }), c.sugar_context_destroy);
        this.threads = c.sugar_context_threads(handleOf("context", this, "Context"));
    }
}

module.exports = { Context };
