"""libsugar: activation functions with surrogate gradients, in one pass over memory.

    import numpy as np
    import libsugar

    activation = libsugar.Activation("relu~bsilu")          # ReLU; backward by the derivative of B-SiLU
    x = np.linspace(-3, 3, 7, dtype=np.float32)
    y = activation.forward(x)
    dx = activation.backward(x, np.ones_like(x))

Arrays are NumPy's or anything with __dlpack__; none is copied. `python -m libsugar` shows what there is.
"""

from ._activation import Activation
from ._catalogue import Function, Info, Kind, Level, Parameter, catalogue, levels, version
from ._context import Context, get_threads, set_threads
from ._errors import (
    ArgumentError, DataError, Error, OutOfMemoryError, OutOfRangeError, OverlapError, SpecError, UnsupportedError)
from ._lowlevel import VERSION as __version__
from ._monitor import Monitor, MonitorSummary, MonitorUnit
from ._plot import plot

__all__ = ["Activation", "ArgumentError", "Context", "DataError", "Error", "Function", "Info", "Kind", "Level",
           "Monitor", "MonitorSummary", "MonitorUnit", "OutOfMemoryError", "OutOfRangeError", "OverlapError",
           "Parameter", "SpecError", "UnsupportedError", "__version__", "catalogue", "get_threads", "levels", "plot",
           "set_threads", "version"]
