// Every exported function, every constant, and the shared vectors, all of them, bit for bit, through the low-level
// layer.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");

const c = require("../lib/lowlevel.js");
const { Memory, bits, double, uint64 } = require("./vectors.js");

const BINDINGS = path.join(__dirname, "..", "..");
const api = JSON.parse(fs.readFileSync(path.join(BINDINGS, "api.json"), "utf8"));
const vectors = JSON.parse(fs.readFileSync(path.join(BINDINGS, "vectors", "vectors.json"), "utf8"));

const ARRAYS = { f32: Float32Array, f64: Float64Array, f16: Uint16Array, bf16: Uint16Array };

/** One case, made and called. */
class Replay {
    constructor(test) {
        this.test = test;
        this.memories = test.memories.map((block) => new Memory(block));
        this.activation = [null];
        this.monitor = [null];
        this.status = this.make();
        if (this.status === c.SUGAR_OK && test.call !== "create") this.status = this.call();
        this.message = this.status === c.SUGAR_OK ? "" : c.sugar_last_error();
    }

    make() {
        const { monitor, spec, level, table } = this.test;
        if (monitor) {
            const options = { axis_from_end: monitor.axis_from_end, bins: monitor.bins,
                threshold: double(monitor.threshold), minimum: double(monitor.minimum),
                maximum: double(monitor.maximum), every: monitor.every };
            assert.equal(c.sugar_monitor_create(this.monitor, monitor.units, options), c.SUGAR_OK);
        }
        if (spec === null) return c.SUGAR_OK;
        const text = Buffer.from(spec + "\0");
        return c.sugar_activation_create_with_options(this.activation, text, text.length - 1,
            { level, ...(table && { table: table.map(double), table_knots: table.length / 3 }) });
    }

    tensor(role) {
        const operand = this.test[role];
        if (!operand) return null;
        const [code, width, lanes] = operand.dtype;
        return {
            data: operand.memory === null ? null : new Uint8Array(this.memories[operand.memory].buffer, operand.data),
            device: { device_type: operand.device }, ndim: operand.shape.length, dtype: { code, bits: width, lanes },
            shape: operand.shape, strides: operand.strides, byte_offset: operand.byte_offset,
        };
    }

    vector(role) {
        const operand = this.test[role];
        if (!operand) return [null, 0];
        const kind = ARRAYS[this.test.type];
        const start = operand.data - operand.data % kind.BYTES_PER_ELEMENT;     // a typed array is aligned
        const data = operand.memory === null ? null : new kind(this.memories[operand.memory].buffer, start);
        return [data, operand.step];
    }

    options() {
        const { flags, random, call } = this.test;
        return {
            flags, parameter: this.tensor("parameter"), parameter_gradient: this.tensor("parameter_gradient"),
            saved_gradient: this.tensor("saved_gradient"), bias: this.tensor("bias"),
            bias_gradient: this.tensor("bias_gradient"), gate: this.tensor("gate"),
            gate_gradient: this.tensor("gate_gradient"), monitor: call === "observe" ? null : this.monitor[0],
            random: random && { seed: uint64(random[0]), offset: uint64(random[1]) },
        };
    }

    call() {
        const { call, n, type } = this.test;
        if (call === "observe") return c.sugar_monitor_observe(this.monitor[0], this.tensor("x"), this.options());
        const roles = call.startsWith("forward") ? ["x", "y"]
            : call === "backward_twice" ? ["x", "dy", "v", "ddy", "dx"] : ["x", "dy", "dx"];
        const operands = call.endsWith("_" + type) ? [n, ...roles.flatMap((role) => this.vector(role))]
            : roles.map((role) => this.tensor(role));
        return c["sugar_" + call](this.activation[0], ...operands, this.options());
    }

    created() {
        const info = {};
        assert.equal(c.sugar_activation_get_info(this.activation[0], info), c.SUGAR_OK);
        return { spec: info.spec, minimum: bits(info.gradient_minimum), maximum: bits(info.gradient_maximum) };
    }

    seen() {
        const [monitor] = this.monitor;
        const summary = {}, counts = new BigInt64Array(c.SUGAR_MONITOR_BINS);
        const edges = new Float64Array(c.SUGAR_MONITOR_BINS - 1);
        const dead = new BigInt64Array(64), count = new BigInt64Array(1);
        assert.equal(c.sugar_monitor_get(monitor, summary), c.SUGAR_OK);
        assert.equal(c.sugar_monitor_get_histogram(monitor, counts, edges, counts.length), c.SUGAR_OK);
        assert.equal(c.sugar_monitor_find_dead(monitor, 0.25, dead, 64, count), c.SUGAR_OK);
        const units = Array.from({ length: Number(summary.units) }, (_, index) => {
            const unit = {};
            assert.equal(c.sugar_monitor_get_unit(monitor, index, unit), c.SUGAR_OK);
            return members(unit);
        });
        const { axis_from_end, bins, every, calls, observed, ...sums } = summary;
        return { summary: [...members(sums), axis_from_end, bins, ...members({ every, calls, observed })], units,
            counts: Array.from(counts, Number), edges: Array.from(edges, bits),
            dead: Array.from(dead.subarray(0, Number(count[0])), Number) };
    }

    compare() {
        assert.deepEqual([this.status, this.message], [this.test.status, this.test.message]);
        this.memories.forEach((memory) => memory.compare());
        if (this.test.created) assert.deepEqual(this.created(), this.test.created);
        if (this.test.monitor) assert.deepEqual(this.seen(), this.test.monitor.seen);
    }
}

function members(struct) {
    return Object.values(struct).map((value) => typeof value === "bigint" ? Number(value) : bits(value));
}

test("every function and constant is there", () => {
    for (const { name } of api.functions) assert.equal(typeof c[name], "function", name);
    for (const { name, value } of api.constants) assert.equal(c[name], value, name);
    assert.equal(c.VERSION, api.version);
});

test("the shared vectors", () => {
    assert.equal(vectors.cases.length, vectors.count);
    for (const item of vectors.cases) {
        try {
            new Replay(item).compare();
        } catch (error) {
            throw new Error(`${item.name}: ${error.message}`, { cause: error });
        }
    }
});

test("structs made once are looked up anew", () => {
    const activation = [], buffer = new ArrayBuffer(8), data = new Float32Array(buffer);
    assert.equal(c.sugar_activation_create(activation, "relu"), c.SUGAR_OK);
    data.set([-1, 2]);
    const tensor = c.prepare_sugar_tensor({ data, device: { device_type: 1 }, ndim: 1,
        dtype: { code: c.SUGAR_TYPE_FLOAT, bits: 32, lanes: 1 }, shape: [2] });
    assert.equal(c.sugar_forward(activation[0], tensor, tensor, null), c.SUGAR_OK);
    assert.deepEqual([...data], [0, 2]);
    structuredClone(buffer, { transfer: [buffer] });
    assert.throws(() => c.sugar_forward(activation[0], tensor, tensor, null), /data: .*detached/);
});

test("handles of another kind, and destroyed ones, are refused", () => {
    const activation = [], monitor = [];
    c.sugar_activation_create(activation, "relu");
    c.sugar_monitor_create(monitor, 1n, null);
    assert.throws(() => c.sugar_activation_destroy(monitor[0]), /activation: expected a handle of its kind/);
    assert.throws(() => c.sugar_forward_f32(monitor[0], 0, null, 1, null, 1, null), /activation: expected a handle/);
    assert.throws(() => c.sugar_activation_spec({}), /activation: expected a handle/);
    c.sugar_activation_destroy(activation[0]);
    c.sugar_activation_destroy(activation[0]);
    assert.throws(() => c.sugar_activation_spec(activation[0]), /activation: destroyed/);
    c.sugar_activation_destroy(null);
});

test("typed arrays shorter than a call reaches are refused", () => {
    const activation = [], three = new Float32Array(3), y = new Float32Array(3);
    c.sugar_activation_create(activation, "relu");
    const call = (n, step, x = three) => c.sugar_forward_f32(activation[0], n, x, step, y, 1, null);
    assert.equal(call(3, -1), c.SUGAR_OK);
    for (const [n, step] of [[4, 1], [3, 2], [3, -2], [2 ** 53, 2 ** 53], [2n ** 63n - 1n, -(2n ** 63n)]]) {
        assert.throws(() => call(n, step), /x: the typed array is shorter/);
    }
    assert.throws(() => call(3, 1, new Float64Array(3)), /x: expected a typed array of the call's type/);
    assert.throws(() => call(1.5, 1), /n: expected a whole number/);
    assert.throws(() => call(2n ** 64n, 1), /n: expected a whole number/);
});

test("what the getters of a struct destroy or transfer is refused, before and after them", () => {
    const n = 1 << 18, dtype = { code: c.SUGAR_TYPE_FLOAT, bits: 32, lanes: 1 };
    const part = { device: { device_type: 1 }, ndim: 1, dtype };
    const made = () => {
        const activation = [], monitor = [];
        c.sugar_activation_create(activation, "relu");
        c.sugar_monitor_create(monitor, 1, null);
        return { activation: activation[0], monitor: monitor[0], x: new Float32Array(n), y: new Float32Array(n) };
    };
    const transfer = (array) => structuredClone(array.buffer, { transfer: [array.buffer] }) && undefined;
    const vectors = (it, options) => c.sugar_forward_f32(it.activation, n, it.x, 1, it.y, 1, options);
    const tensors = (it, x, y, options) => c.sugar_forward(it.activation, x, y, options);
    const whole = (data) => ({ ...part, data, shape: [n] });
    const destroys = (it) => ({ get flags() { c.sugar_activation_destroy(it.activation); } });
    const transfers = (array) => ({ get flags() { return transfer(array); } });

    let it = made();
    assert.throws(() => vectors(it, destroys(it)), /activation: destroyed/);
    it = made();
    assert.throws(() => vectors(it, transfers(it.x)), /x: the typed array is shorter/);
    it = made();
    assert.throws(() => vectors(it, transfers(it.y)), /y: the typed array is shorter/);
    it = made();
    assert.throws(() => tensors(it, whole(it.x), whole(it.y), destroys(it)), /activation: destroyed/);
    it = made();
    assert.throws(() => tensors(it, whole(it.x), whole(it.y), transfers(it.y)), /data: .*detached/);
    it = made();
    const prepared = c.prepare_sugar_tensor(whole(it.x));
    assert.throws(() => tensors(it, prepared, whole(it.y), transfers(it.x)), /data: .*detached/);
    it = made();
    const own = { ...part, data: it.y, get shape() { transfer(it.y); return [n]; } };
    assert.throws(() => tensors(it, whole(it.x), own, null), /data: .*detached/);
    it = made();
    const watched = { monitor: it.monitor, get random() { c.sugar_monitor_destroy(it.monitor); } };
    assert.throws(() => vectors(it, watched), /monitor: destroyed/);
    it = made();
    const parameter = c.prepare_sugar_tensor(whole(it.x));
    assert.throws(() => vectors(it, { parameter, get random() { return transfer(it.x); } }), /data: .*detached/);
    it = made();
    const ready = c.prepare_sugar_tensor(whole(it.y));
    assert.equal(tensors(it, whole(it.x), ready, { get flags() { return 0; } }), c.SUGAR_OK);
});

test("memory shorter than its struct says is refused", () => {
    const data = new Float32Array(2);
    c.prepare_sugar_tensor({ data, data_bytes: 8 });
    assert.throws(() => c.prepare_sugar_tensor({ data, data_bytes: 9 }), /data: the typed array is too short/);
});
