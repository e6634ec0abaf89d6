// What the library knows: kinds of functions with their parameters, and instruction sets.
"use strict";

const c = require("./lowlevel.js");
const { check } = require("./error.js");

const ROLES = { forward: c.SUGAR_ROLE_FORWARD, surrogate: c.SUGAR_ROLE_SURROGATE };
const CAPABILITIES = {
    learn: c.SUGAR_CAN_LEARN, startFromOutput: c.SUGAR_CAN_START_FROM_OUTPUT, saveByte: c.SUGAR_CAN_SAVE_BYTE,
    saveBit: c.SUGAR_CAN_SAVE_BIT, draw: c.SUGAR_CAN_DRAW, differentiateTwice: c.SUGAR_CAN_DIFFERENTIATE_TWICE,
};

/** The names of the bits that are set. */
function names(bits, known) {
    return Object.keys(known).filter((name) => (BigInt(bits) & BigInt(known[name])) !== 0n);
}

function filled(get, ...indices) {
    const struct = {};
    check(get(...indices, struct));
    return struct;
}

function capabilities(bits) {
    return names(bits, CAPABILITIES);
}

function kind(index) {
    const { name, alias, roles, parameter_count, value, derivative, source, capabilities: bits } =
        filled(c.sugar_kind_get, index);
    const found = Array.from({ length: parameter_count }, (_, i) => filled(c.sugar_kind_get_parameter, index, i));
    const parameters = found.map(({ name, default_value, minimum, maximum, learnable, not_above }) => ({
        name, default: default_value, minimum, maximum, learnable: learnable !== 0,
        notAbove: not_above < 0 ? null : found[not_above].name,
    }));
    return { name, alias, roles: names(roles, ROLES), value, derivative, source, parameters,
        capabilities: capabilities(bits) };
}

function kinds() {
    return Array.from({ length: c.sugar_kind_count() }, (_, index) => kind(index));
}

function levels() {
    return Array.from({ length: c.sugar_level_count() }, (_, index) => {
        const { name, compiled, supported, in_use } = filled(c.sugar_level_get, index);
        return { name, compiled: compiled !== 0, supported: supported !== 0, inUse: in_use !== 0 };
    });
}

/** The version of the library in use: "0.1.0". */
function version() {
    const number = c.sugar_version();
    return [Math.floor(number / 10000), Math.floor(number / 100) % 100, number % 100].join(".");
}

module.exports = { capabilities, kind, kinds, levels, version };
