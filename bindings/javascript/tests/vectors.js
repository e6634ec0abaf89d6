// The memories of the shared vectors, and their bits.
"use strict";

const assert = require("node:assert");

const WIDTHS = { f32: 4, f64: 8, f16: 2, bf16: 2, u8: 1 };
const INFINITIES = { f32: 0x7f800000n, f64: 0x7ffn << 52n, f16: 0x7c00n, bf16: 0x7f80n };

const uint64 = (digits) => BigInt("0x" + digits);

function double(digits) {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, uint64(digits));
    return view.getFloat64(0);
}

/** The bits of a double, as in the vectors. */
function bits(value) {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    return Number.isNaN(value) ? "7ff8000000000000" : view.getBigUint64(0).toString(16).padStart(16, "0");
}

/** The same bits, or two NaNs. */
function same(type, found, expected) {
    const magnitude = (digits) => BigInt("0x" + digits) & ((1n << BigInt(8 * WIDTHS[type] - 1)) - 1n);
    return found === expected ||
        type in INFINITIES && magnitude(found) > INFINITIES[type] && magnitude(expected) > INFINITIES[type];
}

/** A block of a case, in a buffer of its own. */
class Memory {
    constructor(block) {
        this.block = block;
        this.width = WIDTHS[block.type];
        this.buffer = new ArrayBuffer(block.before.length / 2);
        Buffer.from(this.buffer).set(this.swapped(Buffer.from(block.before, "hex")));
    }

    /** Digits have the highest byte first. */
    swapped(bytes) {
        const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
        const swap = { 2: "swap16", 4: "swap32", 8: "swap64" }[this.width];
        return little && swap ? bytes[swap]() : bytes;
    }

    compare() {
        const expected = this.block.after ?? this.block.before, digits = 2 * this.width;
        const found = this.swapped(Buffer.from(new Uint8Array(this.buffer))).toString("hex");
        assert.equal(found.length, expected.length);
        for (let i = 0; found !== expected && i < found.length; i += digits) {
            const a = found.slice(i, i + digits), b = expected.slice(i, i + digits);
            assert.ok(same(this.block.type, a, b), `element ${i / digits}: ${a}, expected ${b}`);
        }
    }
}

module.exports = { Memory, bits, double, uint64 };
