// Tensors: views of typed arrays with a shape, strides and an offset, never copies. What a view reaches is checked when
// it is made; that the array still is as long, by the addon in each call.
"use strict";

const c = require("./lowlevel.js");
const { checkMembers, integer, refuse } = require("./error.js");

const TYPES = {
    f32: { code: c.SUGAR_TYPE_FLOAT, bits: 32, lanes: 1, array: Float32Array },
    f64: { code: c.SUGAR_TYPE_FLOAT, bits: 64, lanes: 1, array: Float64Array },
    f16: { code: c.SUGAR_TYPE_FLOAT, bits: 16, lanes: 1, array: Uint16Array },
    bf16: { code: c.SUGAR_TYPE_BFLOAT, bits: 16, lanes: 1, array: Uint16Array },
    u8: { code: c.SUGAR_TYPE_UNSIGNED, bits: 8, lanes: 1, array: Uint8Array },
    bit: { code: c.SUGAR_TYPE_UNSIGNED, bits: 1, lanes: 1, array: Uint8Array },
};
const DEFAULTS = { Float32Array: "f32", Float64Array: "f64", Uint8Array: "u8" };
const MEMBERS = ["data", "dtype", "shape", "strides", "offset"];

// What a typed array really is, whatever its properties say: memory is at stake.
const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
const realName = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag).get;
const realLength = Object.getOwnPropertyDescriptor(typedArray, "length").get;

/** The name of the type of what an array holds. */
function typeOf(data, dtype) {
    const found = realName.call(data), name = dtype ?? DEFAULTS[found];
    if (found === undefined) refuse("data", data, "a typed array");
    if (!Object.hasOwn(TYPES, name)) refuse("dtype", name, `f32, f64, f16, bf16, u8 or bit, for a ${found}`);
    if (found !== TYPES[name].array.name) refuse("data", found, `a ${TYPES[name].array.name} for dtype ${name}`);
    return name;
}

/** A frozen list of whole numbers. */
function numbers(name, list, minimum) {
    if (!Array.isArray(list) || list.length > c.SUGAR_MAX_DIMENSIONS) {
        refuse(name, list, `an array of at most ${c.SUGAR_MAX_DIMENSIONS} whole numbers`);
    }
    return Object.freeze(Array.from(list, (value) => integer(name, value, minimum)));
}

function compactStrides(shape) {
    return shape.map((_, i) => shape.slice(i + 1).reduce((product, extent) => product * extent, 1));
}

/** How many elements a view reaches. Refuses one that leaves its array of `length` elements. */
function checkBounds({ dtype, shape, strides, offset }, length) {
    if (shape.includes(0)) return 0;
    const compact = compactStrides(shape), steps = strides ?? compact;
    let first = offset, last = offset;
    shape.forEach((extent, i) => {
        const span = (extent - 1) * steps[i];
        if (span < 0) first += span;
        else last += span;
    });
    if (dtype === "bit") {
        if (shape.some((extent, i) => extent !== 1 && steps[i] !== compact[i])) {
            refuse("strides", strides, "compact ones for bits");
        }
        last = offset + Math.floor((last - offset) / 8);
    }
    if (!(first >= 0 && last < length)) {
        refuse("data", `the view reaches elements ${first} to ${last}`, `0 to ${length - 1}, within the array`);
    }
    return last + 1;
}

let viewOf;

class Tensor {
    #view;

    constructor(options) {
        checkMembers("tensor", options, MEMBERS);
        const { data, dtype, shape, strides, offset } = options;
        this.data = data;
        this.dtype = typeOf(data, dtype);
        this.offset = integer("offset", offset ?? 0, 0);
        this.strides = strides == null ? null : numbers("strides", strides);
        const extents = shape == null ? null : numbers("shape", shape, 0);
        const length = realLength.call(data);       // after the caller's lists, whose getters may resize the array
        const rest = Math.max(length - this.offset, 0) * (this.dtype === "bit" ? 8 : 1);
        this.shape = extents ?? numbers("shape", [rest], 0);
        if (this.strides && this.strides.length !== this.shape.length) {
            refuse("strides", strides, `${this.shape.length} of them, as many as the shape has extents`);
        }
        const reach = checkBounds(this, length);
        const { array, ...type } = TYPES[this.dtype];
        this.#view = c.prepare_sugar_tensor({
            data, data_bytes: reach * array.BYTES_PER_ELEMENT, device: { device_type: c.SUGAR_DEVICE_CPU },
            ndim: this.shape.length, dtype: type, shape: this.shape, strides: this.strides,
            byte_offset: this.offset * array.BYTES_PER_ELEMENT,
        });
        Object.freeze(this);
    }

    /** A tensor of zeros with an array of its own; `shape` may be a number. */
    static zeros(dtype, shape) {
        if (!Object.hasOwn(TYPES, dtype)) refuse("dtype", dtype, "f32, f64, f16, bf16, u8 or bit");
        const extents = numbers("shape", typeof shape === "number" ? [shape] : shape, 0);
        const count = extents.reduce((product, extent) => product * extent, 1);
        const length = dtype === "bit" ? Math.ceil(count / 8) : count;
        let data;
        try {
            data = new TYPES[dtype].array(length);
        } catch {
            refuse("shape", `${length} elements`, "as many as a typed array can have");
        }
        return new Tensor({ data, dtype, shape: extents });
    }

    /** A tensor; of what else may be an operand, one is made. */
    static from(name, operand) {
        if (operand instanceof Tensor) return operand;
        if (ArrayBuffer.isView(operand)) return new Tensor({ data: operand });
        if (typeof operand !== "object" || operand === null) refuse(name, operand, "a tensor or a typed array");
        return new Tensor(operand);
    }

    static {
        /** For the library. */
        viewOf = (name, tensor) => #view in tensor ? tensor.#view : refuse(name, tensor, "a tensor");
    }
}

module.exports = { Tensor, viewOf };
