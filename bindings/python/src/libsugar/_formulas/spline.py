"""A function that is given by knots: the kind `table`."""

from __future__ import annotations

from typing import Any, Sequence

from .common import Formulas


def spline(rows: Sequence[Sequence[float]]) -> Formulas:
    """The formulas of the kind `table`, for rows of a knot, the value there and the slope there: from each knot on
    a + b t + c t^2 + d t^3, where t is the distance from it. `m` finds the piece. Outside of the knots t is 0."""
    pieces = [(knot, value, slope, 0.0, 0.0) for knot, value, slope in (rows[0], *rows)]
    for i, ((x, a, b), (next_x, next_a, next_b)) in enumerate(zip(rows, rows[1:]), 1):
        h = next_x - x
        rise = (next_a - a) / h
        pieces[i] = (x, a, b, (3 * rise - 2 * b - next_b) / h, (b + next_b - 2 * rise) / h / h)
    knots = tuple(row[0] for row in rows)
    coefficients = tuple(zip(*pieces))

    def value(m: Any, x: Any) -> Any:
        inside = m.clip(x, knots[0], knots[-1])
        start, a, b, c, d = m.piece(x, knots, coefficients)
        t = inside - start
        beyond = m.where((b == 0) | (x == inside), 0.0, b * (x - inside))       # of an infinite x, too
        return a + t * (b + t * (c + t * d)) + beyond

    def derivative(m: Any, x: Any) -> Any:
        start, _, b, c, d = m.piece(x, knots, coefficients)
        t = m.clip(x, knots[0], knots[-1]) - start
        return b + t * (2 * c + t * (3 * d))

    def second(m: Any, x: Any) -> Any:
        start, _, _, c, d = m.piece(x, knots, coefficients)
        return 2 * c + (m.clip(x, knots[0], knots[-1]) - start) * (6 * d)

    return Formulas(value, derivative, second=second)
