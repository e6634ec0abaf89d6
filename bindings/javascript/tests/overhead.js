// What a call costs beyond the work: the time of calls on one element, in nanoseconds; the least of 9 rounds.
//
//     node tests/overhead.js
"use strict";

const { Activation, CallOptions, Tensor } = require("../lib/index.js");
const c = require("../lib/lowlevel.js");

function show(name, call) {
    const count = 200000;
    let best = Infinity;
    for (let round = 0; round < 9; round++) {
        const started = process.hrtime.bigint();
        for (let i = 0; i < count; i++) call();
        best = Math.min(best, Number(process.hrtime.bigint() - started) / count);
    }
    console.log(`${name.padEnd(48)} ${best.toFixed(0).padStart(6)} ns`);
}

const relu = new Activation("relu"), x = new Float32Array(1), y = new Float32Array(1);
const tx = new Tensor({ data: x }), ty = new Tensor({ data: y });
const options = new CallOptions({ nontemporal: false });
const handle = [];
c.sugar_activation_create(handle, "relu");

show("sugar_version", () => c.sugar_version());
show("sugar_forward_f32", () => c.sugar_forward_f32(handle[0], 1, x, 1, y, 1, null));
show("forward, typed arrays", () => relu.forward(x, y));
show("backward, typed arrays", () => relu.backward(x, y, y));
show("forward, tensors", () => relu.forward(tx, ty));
show("forward, typed arrays, options made before", () => relu.forward(x, y, options));
show("forward, typed arrays, options as an object", () => relu.forward(x, y, { nontemporal: false }));
show("forward, typed arrays, y made in the call", () => relu.forward(x));
