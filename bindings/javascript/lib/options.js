// Options of a call: an object, or CallOptions, which are made once for many calls.
"use strict";

const c = require("./lowlevel.js");
const { checkMembers, refuse } = require("./error.js");
const { handleOf } = require("./handle.js");
const { Tensor, viewOf } = require("./tensor.js");

const NAMES = {
    parameter: "parameter", parameter_gradient: "parameterGradient", saved_gradient: "savedGradient",
    bias: "bias", bias_gradient: "biasGradient", gate: "gate", gate_gradient: "gateGradient",
};
const MEMBERS = ["accumulate", "nontemporal", "fromOutput", "context", "monitor", "random", ...Object.values(NAMES)];

function flagsOf({ accumulate, nontemporal, fromOutput }) {
    return (accumulate ? c.SUGAR_CALL_ACCUMULATE : 0) | (fromOutput ? c.SUGAR_CALL_FROM_OUTPUT : 0) |
        (nontemporal ? c.SUGAR_CALL_NONTEMPORAL : nontemporal === false ? c.SUGAR_CALL_TEMPORAL : 0);
}

function randomOf(random) {
    checkMembers("random", random, ["seed", "offset"]);
    return { seed: random.seed ?? 0, offset: random.offset ?? 0 };
}

/** The members of sugar_call_options. */
function structOf(options) {
    checkMembers("options", options, MEMBERS);
    const struct = { flags: flagsOf(options) };
    if (options.context != null) struct.context = handleOf("context", options.context, "Context");
    if (options.monitor != null) struct.monitor = handleOf("monitor", options.monitor, "Monitor");
    for (const [member, name] of Object.entries(NAMES)) {
        const operand = options[name];
        if (operand != null) struct[member] = viewOf(name, Tensor.from(name, operand));
    }
    if (options.random != null) struct.random = randomOf(options.random);
    return struct;
}

let preparedOf;

class CallOptions {
    #prepared;
    #kept;

    constructor(options) {
        const tensors = {};
        for (const name of Object.values(NAMES)) {
            if (options?.[name] != null) tensors[name] = Tensor.from(name, options[name]);
        }
        this.#kept = [structOf({ ...options, ...tensors }), tensors];
        this.#prepared = c.prepare_sugar_call_options(this.#kept[0]);
    }

    static {
        preparedOf = (options) => options.#prepared;
    }
}

/** For the library, of what a call was given. */
function optionsOf(options) {
    if (options == null) return null;
    return options instanceof CallOptions ? preparedOf(options) : structOf(options);
}

module.exports = { CallOptions, optionsOf };
