"""Each kind's value and derivative as array operations, for frameworks that compute, trace and differentiate them:
libsugar.torch and libsugar.jax. The C library does not use them, and they do not use it.

A formula takes `m`, the operations of a framework; x, an array of float32 or float64; and the kind's parameters,
numbers or arrays that broadcast to x. The operations have the names of NumPy's: where, exp, expm1, log1p, sqrt, tanh,
sin, cos, atan, abs, clip; and there are sigmoid, 1 / (1 + exp(-x)), erfc, distance: |x| whose derivative at 0 is 1,
where a formula continues that of the positive side; and piece, for tables.

Frameworks differentiate derivatives by x, for second and higher orders, and both formulas by a parameter that is
learned. So a formula must be right when it is differentiated step by step:

- no step may be infinite, nor its derivative, where the other factor is 0, as 0 * inf is NaN: `far` and `clip` bound
  x first;
- what `where` leaves out is differentiated too, so both of its branches are finite wherever x is;
- at x = 0 the branch of the negative side counts, and abs has the derivative 0; but the second derivatives of elu,
  celu and selu are 0 there, as PyTorch's are.

The error is at most 4 units of eps * max(1, |result|): C's formulas are exact in tails as well, these are not.
tests/test_formulas.py compares. s(x) is 1 / (1 + exp(-x)); Phi and phi are the normal distribution and its density.
"""

from .common import Formula, Formulas
from .composed import Composed
from .kinds import FORMULAS, formulas
from .spline import spline

__all__ = ["FORMULAS", "Composed", "Formula", "Formulas", "formulas", "spline"]
