const { Activation } = require("libsugar-activations");

const x = Float32Array.of(-2, -0.5, 0.5, 2), dy = Float32Array.of(1, 1, 1, 1);
const activation = new Activation("relu~bsilu");
const y = activation.forward(x, new Float32Array(4));           // y  = max(x, 0)
const dx = activation.backward(x, dy, new Float32Array(4));     // dx = dy * bsilu'(x)
x.forEach((value, i) => {
    console.log(`x ${value.toFixed(1).padStart(4)}   y ${y[i].toFixed(1)}   dx ${dx[i].toFixed(4)}`);
});
