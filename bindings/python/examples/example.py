"""A ReLU whose dead unit still has a gradient, and a monitor that finds it."""

import numpy as np

import libsugar

activation = libsugar.Activation("relu~bsilu")      # ReLU forward, the derivative of B-SiLU backward
monitor = libsugar.Monitor(units=2)
x = np.array([[-2.0, 0.5], [-1.0, 1.5], [-3.0, -0.5]], np.float32)
y = activation.forward(x, monitor=monitor)          # max(x, 0)
dx = activation.backward(x, np.ones_like(x))        # not 0 where x < 0
print(y, dx, "dead units:", monitor.dead(), sep="\n")
