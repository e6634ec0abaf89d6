// Activations: a forward function and the surrogate of the backward pass, made from a spec.
"use strict";

const c = require("./lowlevel.js");
const { capabilities, kind } = require("./catalogue.js");
const { check, checkMembers, refuse } = require("./error.js");
const { Handle, handleOf } = require("./handle.js");
const { optionsOf } = require("./options.js");
const { Tensor, viewOf } = require("./tensor.js");

/** Which calls on vectors take these operands: whole arrays of one such type and length need no tensor. */
function flat(a, b, c) {
    if (a instanceof Float32Array && b instanceof Float32Array && c instanceof Float32Array ||
        a instanceof Float64Array && b instanceof Float64Array && c instanceof Float64Array) {
        return a.length === b.length && a.length === c.length ? (a instanceof Float32Array ? "f32" : "f64") : null;
    }
    return null;
}

/** An output like an operand, with an array of its own: a typed array for one, else a tensor. */
function like(operand, tensor) {
    const made = Tensor.zeros(tensor.dtype, tensor.shape);
    return ArrayBuffer.isView(operand) ? made.data : made;
}

/** One side of the ~: the name of a kind, and the values of its parameters by their names. */
function functionOf(index, values) {
    const { name, parameters } = kind(index);
    return { kind: name, parameters: Object.fromEntries(parameters.map((one, i) => [one.name, values[i]])) };
}

/** The members of sugar_activation_options for a table, by its rows. */
function tableOf(rows) {
    if (rows == null) return {};
    if (!Array.isArray(rows)) refuse("table", rows, "an array of rows");
    const numbers = rows.flatMap((row, i) => Array.isArray(row) && row.length === 3 ? row
        : refuse(`table[${i}]`, row, "an array of three numbers: knot, value, slope"));
    return { table: numbers, table_knots: numbers.length / 3 };
}

class Activation extends Handle {
    constructor(spec, options = {}) {
        checkMembers("activation", options, ["level", "table"]);
        if (typeof spec !== "string") refuse("spec", spec, "a string");
        const text = Buffer.from(spec + "\0"), struct = { level: options.level, ...tableOf(options.table) };
        super("Activation", (out) => c.sugar_activation_create_with_options(out, text, text.length - 1, struct),
            c.sugar_activation_destroy);
        this.spec = c.sugar_activation_spec(this.#handle);
        this.level = c.sugar_activation_level(this.#handle);
    }

    get #handle() {
        return handleOf("activation", this, "Activation");
    }

    forward(x, y, options) {
        const struct = optionsOf(options), handle = this.#handle;
        switch (flat(x, y, y)) {
        case "f32":
            check(c.sugar_forward_f32(handle, x.length, x, 1, y, 1, struct));
            return y;
        case "f64":
            check(c.sugar_forward_f64(handle, x.length, x, 1, y, 1, struct));
            return y;
        }
        const from = Tensor.from("x", x), output = y ?? like(x, from), to = Tensor.from("y", output);
        check(c.sugar_forward(handle, viewOf("x", from), viewOf("y", to), struct));
        return output;
    }

    backward(x, dy, dx, options) {
        const struct = optionsOf(options), handle = this.#handle;
        switch (flat(x, dy, dx)) {
        case "f32":
            check(c.sugar_backward_f32(handle, x.length, x, 1, dy, 1, dx, 1, struct));
            return dx;
        case "f64":
            check(c.sugar_backward_f64(handle, x.length, x, 1, dy, 1, dx, 1, struct));
            return dx;
        }
        const from = x == null ? null : viewOf("x", Tensor.from("x", x)), gradient = Tensor.from("dy", dy);
        const output = dx ?? like(dy, gradient), to = Tensor.from("dx", output);
        check(c.sugar_backward(handle, from, viewOf("dy", gradient), viewOf("dx", to), struct));
        return output;
    }

    backwardTwice(x, dy, v, outputs, options) {
        if (outputs != null) checkMembers("outputs", outputs, ["ddy", "dx"]);
        const struct = optionsOf(options), handle = this.#handle, from = Tensor.from("x", x);
        const { ddy, dx } = outputs ?? { ddy: like(x, from), dx: like(x, from) };
        const view = (name, operand) => operand == null ? null : viewOf(name, Tensor.from(name, operand));
        check(c.sugar_backward_twice(handle, viewOf("x", from), view("dy", dy), view("v", v), view("ddy", ddy),
            view("dx", dx), struct));
        return { ddy, dx };
    }

    info() {
        const found = {};
        check(c.sugar_activation_get_info(this.#handle, found));
        return {
            spec: found.spec, level: found.level,
            forward: functionOf(found.forward_kind, found.forward_parameters),
            surrogate: found.surrogate_kind < 0 ? null
                : functionOf(found.surrogate_kind, found.surrogate_parameters),
            domain: found.domain === c.SUGAR_DOMAIN_NEGATIVE ? "negative" : "all", blend: found.blend,
            usesOwnDerivative: found.uses_own_derivative !== 0, capabilities: capabilities(found.capabilities),
            gradientMinimum: found.gradient_minimum, gradientMaximum: found.gradient_maximum,
        };
    }
}

module.exports = { Activation };
