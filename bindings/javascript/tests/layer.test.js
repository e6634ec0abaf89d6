// The layer by hand: tensors, options, errors, freeing, no copies, the package.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");
const { setImmediate } = require("node:timers/promises");

const sugar = require("libsugar-activations");
const c = require("libsugar-activations/lowlevel");

const { Activation, CallOptions, Context, Monitor, SugarError, Tensor, kinds, levels, version } = sugar;

const floats = (...values) => Float32Array.of(...values);
const relu = new Activation("relu");

/** The call throws a SugarError of that status, whose message matches. */
function fails(call, pattern, status = c.SUGAR_ERROR_ARGUMENT) {
    assert.throws(call, (error) => {
        assert.ok(error instanceof SugarError, `${error}`);
        assert.match(error.message, pattern);
        assert.equal(error.status, status);
        assert.equal(error.statusName, c.sugar_status_name(status));
        return true;
    });
}

test("typed arrays, and results that are made", () => {
    assert.deepEqual(relu.forward(floats(-1, 2, -3, 4)), floats(0, 2, 0, 4));
    assert.deepEqual(relu.forward(Float64Array.of(-1, 2)), Float64Array.of(0, 2));
    assert.deepEqual(relu.backward(floats(-1, 2), floats(5, 7)), floats(0, 7));
    const x = Float64Array.of(-1, 2), dy = Float64Array.of(5, 7);
    assert.equal(relu.backward(x, dy, dy), dy);
    assert.equal(relu.forward(x, x), x);
    assert.deepEqual([...x, ...dy], [0, 2, 0, 7]);
    assert.deepEqual(relu.forward({ data: floats(-1, 2) }).data, floats(0, 2));
});

test("nothing is copied: views write where they lead, and nowhere else", () => {
    const array = floats(-1, 1, -2, 2, -3, 3, -4, 4);
    const view = new Tensor({ data: array, shape: [2, 2], strides: [4, -1], offset: 1 });
    assert.equal(relu.forward(view, view), view);           // elements 1, 0, 5, 4
    assert.deepEqual(array, floats(0, 1, -2, 2, 0, 3, -4, 4));
    relu.forward(array.subarray(2, 4), array.subarray(2, 4));
    assert.deepEqual(array, floats(0, 1, 0, 2, 0, 3, -4, 4));
});

test("half precision", () => {
    for (const [dtype, minus, two] of [["f16", 0xbc00, 0x4000], ["bf16", 0xbf80, 0x4000]]) {
        const x = new Tensor({ data: Uint16Array.of(minus, two), dtype });
        assert.deepEqual(relu.forward(x).data, Uint16Array.of(0, two));
    }
});

test("no dimension, and no element", () => {
    assert.deepEqual(relu.forward(new Tensor({ data: floats(-3), shape: [] })).data, floats(0));
    assert.deepEqual(relu.forward(floats()), floats());
    assert.deepEqual(relu.forward(floats(), floats()), floats());
    relu.forward(Tensor.zeros("f32", [0, 3]));
});

test("many calls, through the compiler", () => {
    const x = floats(-1, 2), y = floats(0, 0), options = new CallOptions({ nontemporal: false });
    const tensor = new Tensor({ data: x }), output = new Tensor({ data: y });
    for (let i = 0; i < 100000; i++) {
        x[1] = i;
        if (i % 2) relu.forward(x, y, options);
        else relu.forward(tensor, output);
        assert.ok(y[1] === i);
    }
});

test("accumulate, from the output, nontemporal", () => {
    const dx = floats(10, 10);
    relu.backward(floats(-1, 2), floats(5, 7), dx, { accumulate: true });
    assert.deepEqual(dx, floats(10, 17));
    assert.deepEqual(relu.backward(floats(0, 2), floats(5, 7), null, { fromOutput: true }), floats(0, 7));
    for (const nontemporal of [true, false])
        assert.deepEqual(relu.forward(floats(-1, 2), null, { nontemporal }), floats(0, 2));
});

test("context: threads give the same", () => {
    const context = new Context(3), gelu = new Activation("gelu");
    const x = Float32Array.from({ length: 300000 }, (_, i) => Math.sin(i));
    assert.deepEqual(gelu.forward(x, null, { context }), gelu.forward(x));
    const all = new Context();
    assert.deepEqual(gelu.forward(x, null, { context: all }), gelu.forward(x));
    assert.equal(context.threads, 3);
    assert(all.threads >= 1);
    for (const zero of [0, {}, { threads: 0 }]) assert.equal(new Context(zero).threads, all.threads);
    const options = new CallOptions({ context });
    gelu.forward(x, x, options);
    context.destroy();
    fails(() => gelu.forward(x, x, { context }), /context: destroyed/);
    fails(() => gelu.forward(x, x, options), /context: destroyed/);
});

test("parameter and its gradient", () => {
    const prelu = new Activation("prelu"), shape = [2, 2];
    const x = new Tensor({ data: floats(-1, 2, -3, 4), shape }), dy = new Tensor({ data: floats(1, 1, 1, 1), shape });
    const parameter = { data: floats(0.5, 0.25), shape: [1, 2] };
    const parameterGradient = { data: floats(0, 0), shape: [1, 2] };
    assert.deepEqual(prelu.forward(x, null, { parameter }).data, floats(-0.5, 2, -1.5, 4));
    prelu.backward(x, dy, null, { parameter, parameterGradient });
    assert.deepEqual(parameterGradient.data, floats(-4, 0));
    const options = new CallOptions({ parameter, parameterGradient, accumulate: true });
    prelu.backward(x, dy, null, options);
    assert.deepEqual(parameterGradient.data, floats(-8, 0));
    const repeated = { data: floats(0, 0), shape, strides: [0, 1] };
    fails(() => prelu.backward(x, dy, null, { parameterGradient: repeated }), /parameter_gradient: stride 0/,
        c.SUGAR_ERROR_OVERLAP);
});

test("bias and gate", () => {
    const x = floats(-1, 1, 2), gate = floats(2, 3, 4), dy = floats(1, 10, 100), bias = floats(0.5);
    assert.deepEqual(relu.forward(x, null, { bias, gate }), floats(0, 4.5, 10));
    const biasGradient = floats(7), gateGradient = floats(7, 7, 7), dx = floats(7, 7, 7);
    relu.backward(x, dy, dx, new CallOptions({ bias, biasGradient, gate, gateGradient }));
    assert.deepEqual([dx, biasGradient, gateGradient], [floats(0, 30, 400), floats(430), floats(0, 15, 250)]);
    const half = new Tensor({ data: Uint16Array.of(0xbc00, 0x3c00, 0), dtype: "f16" });
    relu.forward(half, half, { bias });
    assert.deepEqual(half.data, Uint16Array.of(0, 0x3e00, 0x3800));
    fails(() => relu.forward(x, null, { gate: bias }), /gate: shape \(1,\), expected \(3,\) like x/);
    fails(() => relu.forward(x, null, { gate: 3 }), /gate: 3, expected a tensor/);
});

test("second derivatives", () => {
    const square = new Activation("square"), x = floats(-1, 1, 2), dy = floats(1, 10, 100), v = floats(1, 2, 3);
    const { ddy, dx } = square.backwardTwice(x, dy, v);
    assert.deepEqual([ddy, dx], [floats(-2, 4, 12), floats(2, 40, 600)]);
    const found = square.backwardTwice(x, dy, v, { dx }, { accumulate: true });
    assert.equal(found.dx, dx);
    assert.equal(found.ddy, undefined);
    assert.deepEqual(dx, floats(4, 80, 1200));
    square.backwardTwice(x, dy, ddy, { ddy });
    assert.deepEqual(ddy, floats(4, 8, 48));
    fails(() => square.backwardTwice(x, dy, v, {}), /ddy: NULL, and dx NULL/);
    fails(() => square.backwardTwice(x, dy, v, { dy }), /outputs: unknown/);
    fails(() => square.backwardTwice(x, dy.subarray(1), v), /dy: shape \(2,\), expected \(3,\) like x/);
});

test("tables", () => {
    const table = [[0, 0, 0], [1, 1, 0]], step = new Activation("table", { table });
    assert.deepEqual(step.forward(floats(-1, 0.5, 3)), floats(0, 0.5, 1));
    assert.equal(new Activation(step.spec, { table, level: "scalar" }).spec, step.spec);
    fails(() => new Activation("table"), /table: NULL/);
    fails(() => new Activation("table", { table: [[0, 0, 0], [1, 1]] }), /table\[1\]: .*expected an array of three/);
    fails(() => new Activation("table", { table: [[0, 0, 0], [1, 1, "a"]] }), /table/);
    fails(() => new Activation("table", { table: 3 }), /table: 3, expected an array of rows/);
    // The count has to fit the list, whatever a product of it is in 64 bits.
    for (const table_knots of [3, 2n ** 64n / 3n + 1n]) {
        assert.throws(() => c.sugar_activation_create_with_options([], Buffer.from("table\0"), 5,
            { table: [0, 0, 0, 1, 1, 0], table_knots }), /table: expected an array of as many numbers/);
    }
});

test("the gradient of a parameter over nothing is 0", () => {
    const data = floats(7, 7, 7), empty = Tensor.zeros("f32", [0, 2]), prelu = new Activation("prelu");
    prelu.backward(empty, empty, empty, {
        parameter: { data: floats(1, 1), shape: [1, 2] }, parameterGradient: { data, shape: [1, 2] } });
    assert.deepEqual(data, floats(0, 0, 7));
    prelu.backward(empty, empty, empty, { parameterGradient: { data, shape: [0, 2], strides: [0, 0], offset: 2 } });
    assert.deepEqual(data, floats(0, 0, 7));
});

test("operands without elements, with any strides and offsets", () => {
    const prelu = new Activation("prelu"), rrelu = new Activation("rrelu"), monitor = new Monitor(3);
    for (const strides of [null, [0, 0], [-7, 2 ** 53 - 1]]) {
        for (const offset of [0, 1, 2 ** 40]) {
            const view = { shape: [0, 3], strides, offset }, x = { data: new Float64Array(1), ...view };
            const dy = { data: new Float64Array(0), ...view }, out = new Tensor(dy);
            relu.forward(x, out, { monitor });
            prelu.forward(x, out, { parameter: dy });
            prelu.backward(x, dy, out, { parameter: dy, parameterGradient: x });
            rrelu.forward(x, out, { random: { seed: 1 } });
            for (const dtype of ["u8", "bit"]) {
                const savedGradient = { data: new Uint8Array(0), dtype, ...view };
                relu.forward(x, out, { savedGradient });
                relu.backward(null, dy, out, { savedGradient });
            }
        }
    }
    assert.equal(monitor.summary().samples, 0);
});

test("saved gradients in a byte and in a bit", () => {
    for (const dtype of ["u8", "bit"]) {
        const savedGradient = Tensor.zeros(dtype, 9), x = floats(-1, 2, -3, 4, -5, 6, -7, 8, 9);
        relu.forward(x, null, { savedGradient });
        const dx = relu.backward(null, x.map(() => 1), null, { savedGradient });
        assert.deepEqual(dx, floats(0, 1, 0, 1, 0, 1, 0, 1, 1));
    }
});

test("random slopes: numbers and 64 bits", () => {
    const rrelu = new Activation("rrelu");
    const draw = (seed) => rrelu.forward(floats(-1, -1, -1, -1), null, { random: { seed, offset: 3 } });
    assert.deepEqual(draw(7), draw(7n));
    assert.notDeepEqual(draw(7), draw(8));
    assert.notDeepEqual(draw(2n ** 64n - 1n), draw(7));
    for (const seed of [-1, 0.5, 2 ** 60, 2n ** 64n, -1n, "7", NaN]) fails(() => draw(seed), /seed: /);
});

test("a monitor, and what it holds", () => {
    const monitor = new Monitor(2, { threshold: 0.5 });
    relu.forward({ data: floats(1, -1, 2, 0.25), shape: [2, 2] }, null, { monitor });
    const { samples, dead, notFinite } = monitor.summary();
    assert.deepEqual([samples, dead, notFinite], [4, 1, 0]);
    assert.equal(monitor.unit(0).sumOfSquares, 5);
    assert.deepEqual(monitor.dead(), [1]);
    assert.deepEqual(monitor.dead(1), [0, 1]);
    const copy = Monitor.restore(monitor.save());
    copy.merge(monitor);
    assert.equal(copy.summary().samples, 8);
    copy.reset();
    copy.observe(floats(3, 3));
    assert.equal(copy.summary().active, 2);
    const { counts, edges } = monitor.histogram();
    assert.deepEqual([counts.length, edges.length], [c.SUGAR_MONITOR_BINS, c.SUGAR_MONITOR_BINS - 1]);
    const bounds = new Monitor(1, { minimum: -1, maximum: 3 }).histogram().edges;
    assert.deepEqual([bounds[0], bounds.at(-1)], [-1, 3]);
    const rows = new Monitor(2, { axisFromEnd: 1, bins: c.SUGAR_MONITOR_BINS });
    rows.observe({ data: floats(1, -1, 2, -1, -1, -1), shape: [2, 3] });
    const { axisFromEnd, bins } = rows.summary();
    assert.deepEqual([axisFromEnd, bins, ...rows.dead()], [1, c.SUGAR_MONITOR_BINS, 1]);
    fails(() => new Monitor(1, { axisFromEnd: -1 }), /axis_from_end -1, expected 0, the last one, to 63/);
    fails(() => new Monitor(1, { axisFromEnd: 0.5 }), /axisFromEnd: 0.5/);
    fails(() => new Monitor(1, { bins: 33 }), /bins 33, expected 0 or 32/, c.SUGAR_ERROR_UNSUPPORTED);
    fails(() => monitor.unit(2), /index/);
    fails(() => copy.merge(copy), /monitor/);
    fails(() => copy.merge(relu), /other: Activation, expected one of class Monitor/);
    fails(() => new Monitor(0), /units/);
    fails(() => Monitor.restore(new Uint8Array(9)), /buffer/, c.SUGAR_ERROR_DATA);
});

test("what the library refuses", () => {
    fails(() => new Activation("rel"), /did you mean 'relu'\?/, c.SUGAR_ERROR_SPEC);
    fails(() => new Activation(""), /found the end/, c.SUGAR_ERROR_SPEC);
    fails(() => new Activation("relu\0"), /position 4/, c.SUGAR_ERROR_SPEC);
    fails(() => new Activation("relu", { level: "mmx" }), /level/, c.SUGAR_ERROR_UNSUPPORTED);
    fails(() => relu.forward(floats(1, 2, 3), floats(1, 2)), /y: shape \(2,\), expected \(3,\) like x/);
    fails(() => relu.forward(floats(1), new Float64Array(1)), /y: dtype float64, expected float32 like x/);
    fails(() => relu.backward(null, floats(1)), /x: NULL, expected a tensor/);
    fails(() => relu.forward(floats(1), null, { accumulate: true }), /SUGAR_CALL_NONTEMPORAL/,
        c.SUGAR_ERROR_UNSUPPORTED);
    fails(() => new Context(-1), /threads/);
    const array = floats(1, 2, 3);
    fails(() => relu.forward(array.subarray(0, 2), array.subarray(1, 3)), /overlaps/, c.SUGAR_ERROR_OVERLAP);
});

test("what this layer refuses", () => {
    fails(() => new Activation(7), /spec: 7, expected a string/);
    fails(() => new Activation("relu", { levl: "avx2" }), /unknown 'levl', expected level/);
    fails(() => relu.forward([1, 2]), /tensor/);
    fails(() => relu.forward(7), /x: 7, expected a tensor or a typed array/);
    fails(() => relu.forward(undefined), /x: undefined/);
    fails(() => relu.forward(Uint16Array.of(1)), /dtype: undefined/);
    fails(() => relu.forward(new DataView(new ArrayBuffer(8))), /data: DataView, expected a typed array/);
    fails(() => new Tensor({ data: floats(1), dtype: "f16" }), /data: Float32Array, expected a Uint16Array/);
    fails(() => new Tensor({ data: floats(1), dtype: "toString" }), /dtype: toString/);
    fails(() => relu.forward(floats(1), null, { inplace: true }), /options: unknown 'inplace'/);
    fails(() => relu.forward(floats(1), null, { context: relu }), /context: Activation, expected one of class Context/);
    fails(() => relu.forward(floats(1), null, { monitor: relu }), /monitor: Activation, expected one of class Monitor/);
    fails(() => relu.forward(floats(1), null, { monitor: 7 }), /monitor: 7, expected one of class Monitor/);
    fails(() => relu.forward(floats(1), null, { monitor: Object.create(Monitor.prototype) }),
        /monitor: Monitor, expected one of class Monitor/);
    relu.forward(floats(1), null, { monitor: new (class Mine extends Monitor {})(1) });
    assert.throws(() => relu.forward.call(new Monitor(1), floats(1)), TypeError);
    fails(() => Tensor.zeros("f32", 2 ** 52), /shape/);
    fails(() => Tensor.zeros("f32", [-1]), /shape: -1/);
});

test("views that leave their array", () => {
    const data = new Float32Array(6);
    for (const view of [
        { shape: [7] }, { shape: [2, 4] }, { shape: [2], offset: 5 }, { shape: [2], strides: [-1] },
        { shape: [3], strides: [3] }, { shape: [2, 2], strides: [4, -2], offset: 1 }, { shape: [1], offset: 6 },
        { shape: [2], strides: [2 ** 53 - 1] }, { shape: [2 ** 53 - 1, 2 ** 53 - 1] },
        { shape: Array(40).fill(2 ** 53 - 1), strides: Array(40).fill(2 ** 53 - 1) },
    ]) fails(() => new Tensor({ data, ...view }), /the view reaches/);
    const data8 = new Uint8Array(1);
    fails(() => new Tensor({ data: data8, dtype: "bit", shape: [9] }), /the view reaches/);
    fails(() => new Tensor({ data: new Uint8Array(9), dtype: "bit", shape: [3], strides: [2] }), /compact/);
    fails(() => new Tensor({ data, shape: [1.5] }), /shape: 1.5/);
    fails(() => new Tensor({ data, shape: [NaN] }), /shape: NaN/);
    fails(() => new Tensor({ data, shape: "6" }), /shape/);
    fails(() => new Tensor({ data, shape: Array(65).fill(1) }), /at most 64/);
    fails(() => new Tensor({ data, shape: [2, 2], strides: [1] }), /strides/);
    fails(() => new Tensor({ data, offset: -1 }), /offset: -1/);
    new Tensor({ data, shape: [3, 2], strides: [-2, 1], offset: 4 });
    new Tensor({ data, shape: [0, 9], offset: 6 });
    new Tensor({ data: new Uint8Array(2), dtype: "bit", shape: [9] });
});

test("arrays that lie about themselves, or go away", () => {
    class Long extends Float32Array { get length() { return 1e9; } }
    fails(() => new Tensor({ data: new Long(4), shape: [1000] }), /the view reaches/);
    fails(() => relu.forward(new Long(4), new Long(4)), /shorter/);
    const bytes = Object.setPrototypeOf(new Uint8Array(4), Float32Array.prototype);
    fails(() => new Tensor({ data: bytes, dtype: "f32" }), /data: Uint8Array, expected a Float32Array/);
    fails(() => new Tensor({ data: Object.create(Float32Array.prototype), dtype: "f32" }), /data: /);
    const buffer = new ArrayBuffer(4096), data = new Float32Array(buffer), tensor = new Tensor({ data });
    structuredClone(buffer, { transfer: [buffer] });
    fails(() => relu.forward(tensor, tensor), /data: .*detached/);
    const y = floats(1);
    fails(() => relu.forward(data, y), /y: shape/);
});

test("an array that goes away while its view is made", () => {
    for (const member of ["shape", "strides"]) {
        const buffer = new ArrayBuffer(4096), list = [1024];
        Object.defineProperty(list, 0, { get() {
            if (buffer.byteLength) structuredClone(buffer, { transfer: [buffer] });
            return member === "shape" ? 1024 : 1;
        } });
        const view = { data: new Float32Array(buffer), shape: [1024], [member]: list };
        fails(() => new Tensor(view), /the view reaches/);
    }
});

test("destroyed objects are refused, and destroyed once", () => {
    const activation = new Activation("relu"), monitor = new Monitor(1);
    activation.destroy();
    activation.destroy();
    fails(() => activation.forward(floats(1)), /activation: destroyed/);
    monitor.destroy();
    fails(() => monitor.summary(), /monitor: destroyed/);
    fails(() => relu.forward(floats(1), null, { monitor }), /monitor: destroyed/);
    if (Symbol.dispose) {
        const disposed = new Context(1);
        disposed[Symbol.dispose]();
        fails(() => relu.forward(floats(1), null, { context: disposed }), /context: destroyed/);
    }
});

const status = (name) => {
    const all = fs.readFileSync("/proc/self/status", "utf8");
    return Number(all.match(new RegExp(`${name}:\\s*(\\d+)`))[1]);
};

async function collect() {
    for (let i = 0; i < 3; i++) {
        global.gc();
        await setImmediate();
    }
}

test("the collector ends a context's threads", { skip: !global.gc && "needs --expose-gc" }, async () => {
    await collect();
    const before = status("Threads");
    (() => {
        const context = new Context(4);
        assert.equal(status("Threads"), before + 3);
        return typeof context;
    })();
    await collect();
    assert.equal(status("Threads"), before);
});

test("the collector frees handles and tensors", { skip: !global.gc && "needs --expose-gc" }, async () => {
    const makers = {
        activation: () => new Activation("relu~bsilu(alpha=1.5)"),
        monitor: () => new Monitor(1000),
        tensor: () => new CallOptions({ savedGradient: Tensor.zeros("u8", 16384) }),
    };
    for (const [name, make] of Object.entries(makers)) {
        const many = async (count) => {
            for (let i = 0; i < count; i++) {
                make();
                if (i % 100 === 99) await collect();
            }
        };
        await many(500);
        const before = status("VmRSS");
        await many(2000);
        const more = status("VmRSS") - before;
        assert.ok(more < 6000, `${name}: ${more} KiB more after 2000 of them`);
    }
});

test("calls leave no memory behind", () => {
    const x = floats(-1, 2), options = { nontemporal: false, random: { seed: 1 } }, rrelu = new Activation("rrelu");
    const many = (count) => {
        for (let i = 0; i < count; i++) rrelu.forward(x, x, options);
    };
    many(20000);
    const before = status("VmRSS");
    many(150000);
    assert.ok(status("VmRSS") - before < 6000, `${status("VmRSS") - before} KiB more after 150000 calls`);
});

test("catalogue", () => {
    const named = Object.fromEntries(kinds().map((kind) => [kind.name, kind]));
    assert.equal(named.silu.alias, "swish");
    assert.ok(named.prelu.capabilities.includes("learn"));
    assert.deepEqual(named.triangle_spike.roles, ["surrogate"]);
    assert.equal(named.bsilu.parameters[0].name, "alpha");
    assert.equal(levels()[0].name, "scalar");
    assert.equal(version(), c.VERSION);
    assert.equal(new Activation("swish", { level: "scalar" }).level, "scalar");
    assert.equal(new Activation("swish").spec, "silu(beta=1)");
    assert.deepEqual(named.hardtanh.parameters.map((one) => one.notAbove), ["max_val", null]);
    assert.deepEqual([named.prelu, named.elu].map((one) => one.parameters[0].learnable), [true, true]);
    assert.equal(named.threshold.parameters[0].learnable, false);
});

test("info", () => {
    const spec = "prelu(alpha=0.5)~bsilu(alpha=1.5,domain=negative,blend=0.25)";
    const { gradientMinimum, gradientMaximum, ...rest } = new Activation(spec, { level: "scalar" }).info();
    assert.deepEqual(rest, {
        spec, level: "scalar", forward: { kind: "prelu", parameters: { alpha: 0.5 } },
        surrogate: { kind: "bsilu", parameters: { alpha: 1.5 } }, domain: "negative", blend: 0.25,
        usesOwnDerivative: true, capabilities: ["learn", "saveByte", "differentiateTwice"],
    });
    assert.ok(gradientMinimum < gradientMaximum);
    const plain = relu.info();
    assert.deepEqual([plain.forward, plain.surrogate, plain.domain, plain.blend],
        [{ kind: "relu", parameters: {} }, null, "all", 0]);
    assert.deepEqual([plain.gradientMinimum, plain.gradientMaximum], [0, 1]);
    assert.deepEqual(plain.capabilities, ["startFromOutput", "saveByte", "saveBit", "differentiateTwice"]);
});

test("the package: version, files, declarations of all that is exported", () => {
    const folder = path.join(__dirname, "..");
    const manifest = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
    assert.equal(manifest.version, c.VERSION);
    for (const file of [manifest.main, manifest.types, ...manifest.files]) {
        assert.ok(fs.existsSync(path.join(folder, file)), file);
    }
    for (const [module, file] of [[sugar, "index.d.ts"], [c, "lowlevel.d.ts"]]) {
        const text = fs.readFileSync(path.join(folder, "lib", file), "utf8");
        for (const name of Object.keys(module)) {
            assert.match(text, new RegExp(`export (declare )?(class|function|const) ${name}\\b`), `${file}: ${name}`);
        }
    }
});
