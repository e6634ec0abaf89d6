#!/usr/bin/env python3
"""Prints tables.h: functions in eight or sixteen pieces, each a polynomial with f32 coefficients.

Run with `python3 tables.py >tables.h`, or with `python3 tables.py NAME...` for some tables alone; needs
mpmath. The suite `doc` compares the file with what this prints.

A piece is a least-squares fit with relative weights at Chebyshev points. Coefficients are rounded to f32
one after another, lowest first. After each of them those that are left are fitted again, to make up for its
rounding. Nothing makes up for the rounding of the constant term: so the point from which the piece is
measured is moved to where the function is almost exactly a float (the idea of Gal's accurate tables, ACM
TOMS 17(1), 1991).

In some tables the last piece is exp(-r), for inputs beyond the other pieces.

The tables with sixteen pieces, around -8, ..., 7, can be added: their points are the integers, and the constant
terms have low parts.
"""
import struct
import sys

from mpmath import cos, erfc, exp, findroot, log, log1p, lu_solve, matrix, mp, mpf, pi, sqrt, tanh

mp.prec = 120


def to_f32(v):
    """v rounded to f32; a v that is 0 but for rounding errors becomes 0, as subnormals slow processors down."""
    if abs(v) < mpf(2) ** -100:
        return mpf(0)
    return mpf(struct.unpack('f', struct.pack('f', v))[0])


def mills(a):
    return exp(a * a / 2) * erfc(a / sqrt(2)) / 2


def gelu_below(a):
    return a * erfc(a / sqrt(2)) / 2


def gelu_derivative_below(a):
    return erfc(a / sqrt(2)) / 2 - a * exp(-a * a / 2) / sqrt(2 * pi)


def logistic(y):
    return 1 / (1 + exp(-y))


def gelu_tanh_gate(a):
    return logistic(-2 * sqrt(2 / pi) * (a + mpf('0.044715') * a ** 3))


def gelu_tanh_derivative_below(a):
    s = gelu_tanh_gate(a)
    return s * (1 - a * 2 * sqrt(2 / pi) * (1 + 3 * mpf('0.044715') * a * a) * (1 - s))


def silu_derivative(x):
    return logistic(x) * (1 + x * logistic(-x))


ALPHA = mpf(struct.unpack('f', struct.pack('f', 1.67))[0])      # the default, as f32


def bsilu_derivative(x):
    return silu_derivative(x) + ALPHA * logistic(x) * logistic(-x)


def mish_gate(x):
    return tanh(log1p(exp(x)))


def mish_derivative(x):
    t = mish_gate(x)
    return t + x * (1 - t * t) * logistic(x)


def unit_pieces():
    """Around 0, 1, ..., 7."""
    return [(max(mpf(0), k - mpf('0.5')), k + mpf('0.5'), mpf(k)) for k in range(8)]


def unit_pieces_and_exp():
    """Around 0, 1, ..., 6, then exp(-r)."""
    return unit_pieces()[:7] + [EXP_PIECE]


def signed_pieces(width=mpf('1.25')):
    """Around `width` times -4, ..., 7, -8, ..., -5."""
    return [((k - mpf('0.5')) * width, (k + mpf('0.5')) * width, k * width) for k in (*range(-4, 8), *range(-8, -4))]


def sixteen_pieces(width):
    """Around `width` times 0, 1, ..., 15."""
    return [(max(mpf(0), (k - mpf('0.5')) * width), (k + mpf('0.5')) * width, k * width) for k in range(16)]


def pieces_between(edges, share, order):
    # Points are rounded to a few bits; point_near moves them from there.
    pieces = [(low, high, to_f32(mpf(round(float(low + (high - low) * share) * 64)) / 64))
              for low, high in zip(edges, edges[1:])]
    return [pieces[k] for k in order]


def falling_pieces(end, share):
    """Between 0 and `end`, in the order of falling_index."""
    edges = [mpf(k) * mpf(end) / 11 for k in (0, 1, 3, 5, 7, 8, 9, 10, 11)]
    pieces = pieces_between(edges, mpf(share), range(8))
    pieces[0] = (pieces[0][0], pieces[0][1], mpf(0))
    return [pieces[k] for k in (3, 2, 1, 0, 7, 6, 5, 4)]


def tail_pieces():
    """Between 4.7 and 18.8, in the order of tail_index."""
    edges = [mpf('4.7') * mpf(k) / 4 for k in (4, 5, 6, 7, 8, 10, 12, 14, 16)]
    return pieces_between(edges, mpf('0.5'), (4, 5, 6, 7, 0, 1, 2, 3))


def wide_pieces():
    """Between 0 and 9.6, in the order of wide_index."""
    edges = [mpf(v - 1) * mpf('0.64') for v in (1, mpf('1.5'), 2, 3, 4, 6, 8, 12, 16)]
    pieces = pieces_between(edges, mpf('0.44'), range(8))
    pieces[0] = (pieces[0][0], pieces[0][1], mpf(0))
    return pieces[2:] + pieces[:2]


def tanh_squared(a):
    return tanh(a) ** 2


def tanhshrink_ratio(a):
    if a > mpf('0.01'):
        return (a - tanh(a)) / a ** 3
    square = a * a
    return mpf(1) / 3 - square * (mpf(2) / 15 - square * (mpf(17) / 315 - square * (mpf(62) / 2835 - square * (
        mpf(1382) / 155925 - square * mpf(21844) / 6081075))))


HEAD = """\
/* The tables of lookup.h, for arithmetic in f32, as tables.py prints them; it says how they are made. table[0] has the
 * points from which the pieces are measured, table[1 + k] the coefficients of the kth power. Those named `signed` have
 * the points -8, ..., 7: their table[0] has the constant terms, table[1] the low parts of these, table[1 + k] the
 * coefficients of the kth power. The errors are the largest ones of the fits, relative to the function unless
 * something else is said. */
#include "kernels/real.h"
"""

EXP_PIECE = (mpf('-0.3475'), mpf('0.3475'), mpf(0))

# name: what it is; function; pieces; degree; the least number that errors are taken relative to next to a root; about
# where that root is; the first coefficients of the piece with 0 in it, if that has the point 0
TABLES = {
    'gelu_below': ('a Phi(-a)', gelu_below, lambda: falling_pieces('5.25', '0.7'), 8, 0, None, [0, 0.5]),
    'gelu_tail': ('a Phi(-a) exp(a^2/2)', lambda a: a * mills(a), tail_pieces, 5, 0, None, None),
    'gelu_derivative_below': ('Phi(-a) - a phi(a)', gelu_derivative_below, lambda: falling_pieces(5, '0.65'), 8,
                              mpf('0.15'), 0.75, [0.5]),
    'gelu_derivative_tail': ('(a phi(a) - Phi(-a)) exp(a^2/2)', lambda a: a / sqrt(2 * pi) - mills(a), tail_pieces, 5,
                             0, None, None),
    'gelu_tanh_below': ('a s(-2u(a))', lambda a: a * gelu_tanh_gate(a), lambda: falling_pieces(5, '0.6'), 8, 0,
                        None, [0, 0.5]),
    'gelu_tanh_derivative_below': ('The derivative of gelu_tanh at -a', gelu_tanh_derivative_below,
                                   lambda: falling_pieces('4.75', '0.65'), 8, mpf('0.15'), 0.75, [0.5]),
    'silu_derivative': ('s(-a) (1 - a s(a)), then exp(-r)', lambda a: silu_derivative(-a), unit_pieces_and_exp, 7,
                        mpf('0.05'), 1.27, []),
    'silu_default_derivative': ("silu'", silu_derivative, lambda: signed_pieces(mpf('1.125')), 7,
                                mpf('0.15'), -1.27, [0.5]),
    'bsilu_default_derivative': ("bsilu'", bsilu_derivative, lambda: signed_pieces(mpf('1.125')), 7,
                                 mpf('0.15'), -2.6, []),
    'bsilu_default': ('bsilu', lambda x: (x + ALPHA) * logistic(x) - ALPHA / 2, signed_pieces, 9, 0, None, [0]),
    'logistic_derivative': ('s(a) s(-a)', lambda a: logistic(a) * logistic(-a), unit_pieces, 7, 0, None, []),
    'tanh_derivative': ('1 - tanh(a)^2', lambda a: 4 * logistic(2 * a) * logistic(-2 * a),
                        lambda: sixteen_pieces(mpf('0.5625')), 7, 0, None, []),
    'softplus': ('log1p(exp(-a)), then exp(-r)', lambda a: log1p(exp(-a)), unit_pieces_and_exp, 7, 0, None, []),
    'tanh_squared': ('tanh(a)^2', tanh_squared, wide_pieces, 8, 0, None, []),
    'tanhshrink': ('(a - tanh(a)) / a^3', tanhshrink_ratio, wide_pieces, 8, 0, None, []),
    'mish_gate': ('tanh(log1p(exp(x)))', mish_gate, lambda: signed_pieces(mpf('1.1875')), 8, 0, None, None),
    'mish_derivative': ("mish'", mish_derivative, signed_pieces, 9, mpf('0.15'), -1.19, []),
}

# name: what it is; function; what its errors are relative to; degree; the first coefficients of the piece around 0,
# which make small inputs exact
SIGNED_TABLES = {
    'silu_derivative_signed': ("silu', relative to s(x)", silu_derivative, logistic, 7, [0.5]),
    'logistic_derivative_signed': ('s(x) s(-x)', lambda x: logistic(x) * logistic(-x),
                                   lambda x: logistic(x) * logistic(-x), 7, [0.25]),
    'silu_signed': ('silu', lambda x: x * logistic(x), lambda x: abs(x * logistic(x)), 8, [0, 0.5]),
    'half_tanh_half_signed': ('tanh(x/2) / 2', lambda x: tanh(x / 2) / 2, lambda x: abs(tanh(x / 2) / 2), 8,
                              [0, 0.25]),
}


def point_near(f, middle):
    """Of 1001 points with few digits, the one at which f is closest to a float."""
    points = [middle + k * mpf(2) ** -13 for k in range(-500, 501)]
    return min(points, key=lambda c: abs(to_f32(f(c)) / f(c) - 1))


def fit(f, low, high, c, degree, scale, known):
    """The coefficients, of which some are known, and log2 of the largest error, relative to `scale`."""
    low, high, n = low - mpf(2) ** -10, high + mpf(2) ** -10, 2 * degree + 3
    xs = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    values = [f(x) for x in xs]
    known, free = dict(known), [k for k in range(degree + 1) if k not in known]
    while free:
        a, b = matrix(n, len(free)), matrix(n, 1)
        for i, x in enumerate(xs):
            weight = 1 / scale(x)
            b[i] = (values[i] - sum(v * (x - c) ** k for k, v in known.items())) * weight
            for j, k in enumerate(free):
                a[i, j] = (x - c) ** k * weight
        k = free.pop(0)
        coefficient = lu_solve(a.T * a, a.T * b)[0]
        known[k] = to_f32(coefficient) if k else coefficient
    coefficients = [known[k] for k in range(degree + 1)]
    grid = [low + (high - low) * i / 199 for i in range(200)]
    error = max(abs(sum(v * (x - c) ** j for j, v in enumerate(coefficients)) - f(x)) / scale(x) for x in grid)
    return coefficients, float(log(error, 2))


def hexadecimal(v):
    mantissa, exponent = float(v).hex().split('p')
    if '.' in mantissa:
        mantissa = mantissa.rstrip('0').rstrip('.')
    return f'{mantissa}p{exponent}f'


def table(name):
    meaning, function, pieces, degree, floor, near_root, at_0 = TABLES[name]
    root = findroot(function, mpf(near_root)) if near_root else None
    rows, errors = [], []
    for piece in pieces():
        f, (low, high, middle) = (lambda r: exp(-r)) if piece is EXP_PIECE else function, piece
        if root and low < root < high:
            c = to_f32(root)
        elif middle == 0 and at_0 is not None:
            c = middle
        else:
            c = point_near(f, middle)
        known = {0: to_f32(f(c))}
        if middle == 0 and at_0:
            known.update({k: mpf(v) for k, v in enumerate(at_0)})
        if f(c) == 0 and f(c + 1) == f(c - 1):      # an even function: near 0 only the square counts
            known.update({1: mpf(0), 3: mpf(0)})

        def scale(x):
            return max(abs(f(x)), floor if root and abs(x - root) < 0.9 else mpf(2) ** -40)
        coefficients, error = fit(f, low, high, c, degree, scale, known)
        rows.append([c] + coefficients)
        errors.append(error)
    print_table(name, meaning, rows, f'{max(errors):.1f}' + ('; one point is its root' if root else ''))


def signed_table(name):
    meaning, f, scale, degree, at_0 = SIGNED_TABLES[name]
    rows, errors = [], []
    for n in [mpf(k) for k in (*range(8), *range(-8, 0))]:      # in the order of signed_index
        known = {} if n else {k: mpf(v) for k, v in enumerate(at_0)}
        coefficients, error = fit(f, n - mpf('0.5'), n + mpf('0.5'), n, degree, scale, known)
        constant = to_f32(coefficients[0])
        rows.append([constant, to_f32(coefficients[0] - constant)] + coefficients[1:])
        errors.append(error)
    print_table(name, meaning, rows, f'{max(errors):.1f}')


def print_table(name, meaning, rows, error):
    print(f'\n/* {meaning}: error 2^{error}. */')
    print(f'static const real {name}_table[][{len(rows)}] = {{')
    columns = [[hexadecimal(v) for v in column] for column in zip(*rows)]
    print(',\n'.join('    {' + ',\n     '.join(', '.join(column[k:k + 4]) for k in range(0, len(column), 4)) + '}'
                     for column in columns))
    print('};')


if not sys.argv[1:]:
    print(HEAD, end='')
for wanted in sys.argv[1:] or [*TABLES, *SIGNED_TABLES]:
    (signed_table if wanted in SIGNED_TABLES else table)(wanted)
