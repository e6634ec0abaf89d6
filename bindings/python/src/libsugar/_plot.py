"""A picture of an activation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._activation import Activation


def plot(activation: Activation | str, low: float = -6.0, high: float = 6.0, axes: Any = None) -> Any:
    """Draws the value, and what the backward pass multiplies dy with, from `low` to `high`; needs matplotlib.

    axes    matplotlib's, to draw in; None: the current ones. Returned.
    """
    if axes is None:
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError("libsugar.plot needs matplotlib, which is not installed: "
                              "pip install matplotlib") from error
        axes = pyplot.gca()
    if isinstance(activation, str):
        activation = Activation(activation)
    x = np.linspace(low, high, 1201)
    axes.plot(x, activation.forward(x), label="value")
    axes.plot(x, activation.backward(x, np.broadcast_to(1.0, x.shape)), label="derivative, as the backward pass has it")
    axes.set_title(activation.spec)
    axes.set_xlabel("x")
    axes.grid(True, alpha=0.3)
    axes.legend()
    return axes
