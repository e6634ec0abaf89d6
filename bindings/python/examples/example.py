"""The call and what it gives: a ReLU whose dead unit still has a gradient."""

import numpy as np

import libsugar

activation = libsugar.Activation("relu~bsilu")          # ReLU; backward by the derivative of B-SiLU
x = np.array([[-2.0, 0.5], [-1.0, 1.5], [-3.0, -0.5]], np.float32)
y = activation.forward(x)                               # max(x, 0)
dx = activation.backward(x, np.ones_like(x))            # not 0 where x < 0
monitor = libsugar.Monitor(units=2)
activation.forward(x.T[::-1].T, y[:, ::-1], monitor=monitor)     # any strides, nothing copied
print(y, dx, monitor.dead(), sep="\n")
