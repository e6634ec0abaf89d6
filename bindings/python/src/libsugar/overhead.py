"""python -m libsugar.overhead: what a call costs through this layer, on arrays of a few elements, with `out` given.

    python -m libsugar.overhead [ELEMENTS]

Medians and minima of many repetitions, in microseconds, of relu~bsilu on float32.
"""

from __future__ import annotations

import statistics
import sys
import timeit
from typing import Any, Callable

import numpy as np

from . import Activation, _lowlevel


def measure(name: str, call: Callable[[], Any], number: int = 20000) -> None:
    times = [1e6 * seconds / number for seconds in timeit.repeat(call, number=number, repeat=15)]
    print(f"  {name:46} {statistics.median(times):7.2f} {min(times):7.2f}")


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    activation = Activation("relu~bsilu")
    x, dy, out = np.linspace(-3, 3, size, dtype=np.float32), np.ones(size, np.float32), np.empty(size, np.float32)
    twice = np.linspace(-3, 3, 2 * size, dtype=np.float32)[::-2]
    repeated = np.broadcast_to(np.float32(1), x.shape)
    address, handle, flat = x.ctypes.data, activation._handle, _lowlevel.sugar_forward_f32
    print(f"{size} elements, {sys.implementation.name} {sys.version.split()[0]}, NumPy {np.__version__}; "
          "us a call: median, minimum")
    measure("forward(x, out)", lambda: activation.forward(x, out))
    measure("backward(x, dy, out)", lambda: activation.backward(x, dy, out))
    measure("forward(x), a new array", lambda: activation.forward(x))
    measure("forward(x, out), x with a negative step", lambda: activation.forward(twice, out))
    measure("backward(x, dy, out), dy broadcast", lambda: activation.backward(x, repeated, out))
    measure("forward(x, out, threads=2)", lambda: activation.forward(x, out, threads=2))
    measure("ctypes alone, sugar_forward_f32 by addresses", lambda: flat(handle, size, address, 1, address, 1, None))
    measure("numpy.maximum(x, 0, out=out), for comparison", lambda: np.maximum(x, 0, out=out))


if __name__ == "__main__":
    main()
