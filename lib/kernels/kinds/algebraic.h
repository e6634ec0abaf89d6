/* Quotients and square roots: softsign, squareplus, nelu. */
#ifndef SUGAR_KERNELS_KINDS_ALGEBRAIC_H
#define SUGAR_KERNELS_KINDS_ALGEBRAIC_H

#include "kernels/kinds/common.h"

static inline vec softsign_value(vec x, const vec *p)
{
    (void)p;
    x = bounded(x, FAR);
    return x / (SPLAT(1) + vec_abs(x));
}
RARE vec softsign_derivative_far(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(PICK(0x1p100, 0x1p600)), vec_abs(x));
    return pair_round(pair_square(pair_reciprocal(two_sum(SPLAT(1), a))));
}
static inline vec softsign_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x), sum = a + SPLAT(1);
    pair square = pair_square((pair){sum, a - (sum - SPLAT(1))});
    mask far = vec_less(SPLAT(ONE_PLUS_LIMIT), a);
    return or_far(divide_by_pair(SPLAT(1), square), far, softsign_derivative_far, x, p);
}

/* factor / (1 + a)^3, rounded once; a is cut off where that is 0 and the cube is still finite. */
static inline vec times_inverse_cube(vec factor, pair a)
{
    pair r = pair_reciprocal(pair_add(pair_of(SPLAT(1)), a));
    return product_of_pairs(pair_multiply(pair_of(factor), r), pair_square(r));
}
static inline vec softsign_second(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(PICK(0x1p60, 0x1p400)), vec_abs(x));
    return falling(x, times_inverse_cube(SPLAT(2), pair_of(a)));
}

/* r = sqrt(x^2 + b) and h = (|x| + r) / 2. Then (x + r) / 2 is h for x >= 0, and below = b / (4 h) for
 * x < 0, without a subtraction. Far out r and h are |x|, which may be infinite, and low parts do not matter. */
typedef struct {
    pair r, h, below;
} squareplus_terms;

static inline squareplus_terms squareplus_of(vec x, vec b)
{
    vec a = vec_abs(x), limit = SPLAT(0x1p50), zero = SPLAT(0);
    mask far_out = vec_less(limit, a);
    vec cut = vec_min(limit, a);
    pair radicand = pair_add(two_product(cut, cut), pair_of(b));
    vec root = vec_sqrt(radicand.hi);
    vec root_lo = (vec_fnma(root, root, radicand.hi) + radicand.lo) / (root + root);
    pair sum = two_sum(SPLAT(0.5) * cut, SPLAT(0.5) * root);
    pair r = pair_select(far_out, pair_of(a), (pair){root, root_lo});
    pair h = pair_select(far_out, pair_of(a), (pair){sum.hi, vec_fma(SPLAT(0.5), root_lo, sum.lo)});
    vec quarter = SPLAT(0.25) * b, quotient = quarter / h.hi;
    vec remainder = vec_fnma(quotient, h.lo, vec_fnma(quotient, h.hi, quarter));
    vec correction = vec_select(far_out, zero, remainder * (quotient / quarter));
    return (squareplus_terms){r, h, {quotient, correction}};
}

RARE vec squareplus_far(vec x, const vec *p)
{
    squareplus_terms s = squareplus_of(x, p[0]);
    return pair_round(pair_select(vec_less(x, SPLAT(0)), s.below, s.h));
}
RARE vec squareplus_derivative_far(vec x, const vec *p)
{
    squareplus_terms s = squareplus_of(bounded(x, PICK(0x1p100, 0x1p600)), p[0]);
    pair numerator = pair_select(vec_less(x, SPLAT(0)), s.below, s.h);
    return pair_round(pair_multiply(numerator, pair_reciprocal(s.r)));
}

/* Up to this |x|, x^2 and its square are finite. */
#define SQUAREPLUS_NEAR PICK(0x1p30, 0x1p200)

/* With q = sqrt(x^2 + b): (x + q) / 2 for x >= 0; for x < 0 the root v of v (v + |x|) = b / 4, where one Newton step,
 * with the derivative 2 v + |x| = q, makes up for all earlier errors. */
static inline vec squareplus_value(vec x, const vec *p)
{
    vec a = vec_abs(x), quarter = SPLAT(0.25) * p[0];
    vec q = vec_sqrt(vec_fma(a, a, p[0])), sum = a + q;
    vec r = SPLAT(1) / (sum * q), v = (quarter + quarter) * (q * r);
    vec below = NARROW ? v : vec_fma(vec_fnma(v, v, vec_fnma(a, v, quarter)), sum * r, v);
    vec near = vec_select(vec_less(x, SPLAT(0)), below, SPLAT(0.5) * sum);
    return or_far(near, vec_less(SPLAT(SQUAREPLUS_NEAR), a), squareplus_far, x, p);
}

/* t = b / 2 / (r + |x| q) for x < 0, 1 - t for x >= 0, with r = x^2 + b and q = sqrt(r). The error of q, (r - q^2)
 * / (2 q), changes the divisor by |x| times that, where |x| / q = 1 - 2 t. */
static inline vec squareplus_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x), half = SPLAT(0.5) * p[0];
    pair square = two_product(a, a), r = two_sum(square.hi, p[0]);
    vec r_lo = r.lo + square.lo, q = vec_sqrt(r.hi);
    vec d = vec_fma(a, q, r.hi), inverse = SPLAT(1) / d, t = half * inverse;
    vec q_rest = vec_fnma(q, q, r.hi) + r_lo;
    vec d_lo = vec_fma(a, q, r.hi - d) + vec_fma(SPLAT(0.5) - t, q_rest, r_lo);
    if (!NARROW)
        t = vec_fma(vec_fnma(t, d_lo, vec_fnma(t, d, half)), inverse, t);
    vec near = vec_select(vec_less(x, SPLAT(0)), t, SPLAT(1) - t);
    return or_far(near, vec_less(SPLAT(SQUAREPLUS_NEAR), a), squareplus_derivative_far, x, p);
}

/* 1 / (4 q) with q = sqrt(x^2 + b), corrected for the error of q, which follows from r - q^2. Beyond the limit q is
 * |x|. */
static inline vec squareplus_parameter_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x), limit = SPLAT(0x1p50), cut = vec_min(limit, a);
    pair square = two_product(cut, cut), r = two_sum(square.hi, p[0]);
    vec q = vec_sqrt(r.hi), q_rest = vec_fnma(q, q, r.hi) + (r.lo + square.lo), t = SPLAT(0.25) / q;
    vec rest = vec_fnma(SPLAT(2) * t * t, q_rest, vec_fnma(t, q, SPLAT(0.25)));
    return vec_select(vec_less(limit, a), SPLAT(0.25) / a, vec_fma(SPLAT(4) * t, rest, t));
}

/* b / 2 / r^3 */
static inline vec squareplus_second(vec x, const vec *p)
{
    squareplus_terms s = squareplus_of(bounded(x, PICK(0x1p60, 0x1p400)), p[0]);
    pair q = pair_reciprocal(s.r);
    return product_of_pairs(pair_multiply(pair_of(SPLAT(0.5) * p[0]), q), pair_square(q));
}

/* From these |x| on, the value is alpha, and the derivative 0; alpha x^2 is finite there. */
#define NELU_VALUE_LIMIT 0x1p50
#define NELU_DERIVATIVE_LIMIT PICK(0x1p60, 0x1p400)
static inline pair nelu_reciprocal(vec x) { return pair_reciprocal(pair_add(pair_of(SPLAT(1)), two_product(x, x))); }

RARE vec nelu_far(vec x, const vec *p)
{
    vec below = vec_max(SPLAT(-NELU_VALUE_LIMIT), non_positive(x));
    pair numerator = pair_multiply(two_product(p[0], below), pair_of(below));
    return where_positive(x, x, pair_last_rounding(pair_multiply(numerator, nelu_reciprocal(below))));
}
RARE vec nelu_derivative_far(vec x, const vec *p)
{
    vec below = vec_max(SPLAT(-NELU_DERIVATIVE_LIMIT), non_positive(x));
    pair r = nelu_reciprocal(below);
    pair numerator = two_product(SPLAT(2) * p[0], below);
    return where_positive(x, SPLAT(1), pair_last_rounding(pair_multiply(pair_multiply(numerator, r), r)));
}

static inline vec nelu_by_pairs(vec x, const vec *p)
{
    vec alpha_x = p[0] * x;
    pair n = two_product(alpha_x, x), d = one_plus_product(x, x);
    vec r = SPLAT(1) / d.hi, y = n.hi * r;
    vec rest = (vec_fnma(y, d.hi, n.hi) + vec_fnma(y, d.lo, n.lo)) * r, below = y + rest;
    below = last_rounding(below, rest - (below - y));
    return or_far(where_positive(x, x, below), vec_less(x, SPLAT(-ONE_PLUS_SQUARE_LIMIT)), nelu_far, x, p);
}
RARE vec nelu_full(vec x, const vec *p) { return nelu_by_pairs(x, p); }
/* Narrow types do without pairs, except for results next to a middle; the derivative likewise (f16, 16 Mi elements,
 * AVX2: 0.30 and 0.42 ns an element with pairs, 0.20 and 0.23 without). */
static inline vec nelu_value(vec x, const vec *p)
{
    if (!NARROW)
        return nelu_by_pairs(x, p);
    vec y = p[0] * x * x / vec_fma(x, x, SPLAT(1)), near = or_far(y, near_middle(y, 8), nelu_full, x, p);
    return or_far(where_positive(x, x, near), vec_less(x, SPLAT(-ONE_PLUS_SQUARE_LIMIT)), nelu_full, x, p);
}
static inline vec nelu_derivative_by_pairs(vec x, const vec *p)
{
    pair below = pair_divide(two_product(p[0] + p[0], x), pair_square(one_plus_product(x, x)));
    vec near = where_positive(x, SPLAT(1), last_rounding(below.hi, below.lo));
    return or_far(near, vec_less(x, SPLAT(-ONE_PLUS_SQUARE_LIMIT)), nelu_derivative_far, x, p);
}
RARE vec nelu_derivative_full(vec x, const vec *p) { return nelu_derivative_by_pairs(x, p); }
static inline vec nelu_derivative(vec x, const vec *p)
{
    if (!NARROW)
        return nelu_derivative_by_pairs(x, p);
    vec d = vec_fma(x, x, SPLAT(1)), y = vec_fma(p[0] + p[0], x, SPLAT(0)) / (d * d);     /* 0 at -0, as in f32 */
    vec near = where_positive(x, SPLAT(1), or_far(y, near_middle(y, 8), nelu_derivative_full, x, p));
    return or_far(near, vec_less(x, SPLAT(-ONE_PLUS_SQUARE_LIMIT)), nelu_derivative_full, x, p);
}

/* 1 - 3 x^2, accurate relative to the result, at its root too. */
static inline pair one_minus_three_squares(vec x)
{
    vec three = SPLAT(3);
    pair square = two_product(x, x), product = two_product(three, square.hi);
    pair first = two_sum(SPLAT(1), -product.hi), second = two_sum(first.hi, -product.lo);
    vec sum = vec_fnma(three, square.lo, second.hi);
    return (pair){sum, vec_fnma(three, square.lo, second.hi - sum) + (second.lo + first.lo)};
}

/* 2 alpha (1 - 3 x^2) / (1 + x^2)^3 for x <= 0 */
static inline vec nelu_second(vec x, const vec *p)
{
    vec below = vec_max(SPLAT(-NELU_DERIVATIVE_LIMIT), non_positive(x));
    pair r = nelu_reciprocal(below), first = pair_multiply(one_minus_three_squares(below), r);
    pair second = pair_multiply(pair_of(p[0] + p[0]), r);
    return where_positive(x, SPLAT(0), product_of_pairs(pair_multiply(first, second), r));
}

/* nelu for alpha = 1 and x <= 0. */
static inline vec nelu_parameter_derivative(vec x, const vec *p)
{
    (void)p;
    vec one = SPLAT(1);
    return nelu_value(non_positive(x), &one);
}

#endif
