/* mish: x tanh(softplus(x)). */
#ifndef SUGAR_KERNELS_KINDS_MISH_H
#define SUGAR_KERNELS_KINDS_MISH_H

#include "kernels/kinds/common.h"
#include "kernels/math/lookup.h"

/* tanh(softplus(x)) = N / D: with e = exp(-|x|), N = 1 + 2e and D = 1 + 2e + 2e^2 for x >= 0; for
 * x < 0, times e^2, N = e^2 + 2e and D = e^2 + 2e + 2. */
typedef struct {
    mask negative;
    scaled e;
    pair e_squared, n, reciprocal_d;
} mish_terms;

static inline mish_terms mish_of(vec x)
{
    mask negative = vec_less(x, SPLAT(0));
    scaled e = exp_of_negative(pair_of(-vec_abs(x)));
    pair e2 = pair_square(e.value);
    pair n = pair_add(pair_scale(e.value, SPLAT(2)), pair_select(negative, e2, pair_of(SPLAT(1))));
    pair d = pair_add(n, pair_scale(pair_select(negative, pair_of(SPLAT(1)), e2), SPLAT(2)));
    return (mish_terms){negative, e, e2, n, pair_reciprocal(d)};
}

/* From this x on, N / D is 1. */
#define MISH_ONE PICK(20, 40)
/* Narrow types are faster without the table: f16 takes 0.46 ns an element instead of 0.62 (AVX2), 0.33 instead of 0.38
 * (AVX-512). */
#if REAL_BITS == 32 && !NARROW
/* With a = |x| and E = exp(-a): -a (E - E^2/2) for x < 0, a (1 - 2 E^2) for x >= 0. */
RARE vec mish_tail(vec x, const vec *p)
{
    (void)p;
    vec near = bounded(x, FAR);
    small_exp e = exp_of_tail(vec_abs(x));
    vec power = near * e.power, raised = vec_fma(power, e.p, power);
    vec below = vec_fma(raised, SPLAT(-0.5) * e.value, raised) * e.scale;
    vec above = vec_fma(near * e.value, SPLAT(-2) * e.value, x);
    return vec_select(vec_less(x, SPLAT(0)), below, above);
}
static inline vec mish_value(vec x, const vec *p)
{
    vec near = x * signed_piece_value(mish_gate_table, 1.1875, 8, x);
    return or_far(near, vec_less(SPLAT(signed_limit(1.1875)), vec_abs(x)), mish_tail, x, p);
}
#else
RARE vec mish_far(vec x, const vec *p)
{
    (void)p;
    vec bounded_below = vec_max(SPLAT(-FAR), x);
    mish_terms m = mish_of(x);
    vec scale = vec_select(m.negative, m.e.scale, SPLAT(1));
    return times_pair_to_infinity(bounded_below, pair_multiply(m.n, m.reciprocal_d)) * scale;
}
/* With w = exp(x): N = w^2 + 2w, D = N + 2. */
static inline vec mish_value(vec x, const vec *p)
{
    pair w = exp_pair(exp_near(vec_min(SPLAT(MISH_ONE), x)));
    vec two_w = w.hi + w.hi;
    vec n = vec_fma(w.hi, w.hi, two_w);
    vec n_lo = vec_fma(w.lo, two_w + SPLAT(2), vec_fma(w.hi, w.hi, two_w - n));
    vec d = n + SPLAT(2), d_lo = (n - (d - SPLAT(2))) + n_lo;
    vec r = SPLAT(1) / d, q = n * r;
    vec q_lo = r * vec_fnma(q, d_lo, vec_fnma(q, d, n) + n_lo);
    vec near = vec_copysign(times_pair_to_infinity(x, (pair){q, q_lo}), x);     /* -0 at -0 */
    return or_far(near, vec_less(x, SPLAT(-EXP_NEAR)), mish_far, x, p);
}
#endif
#if REAL_BITS == 32
/* E (1 - a) + E^2 (a - 1/2) for x < 0, 1 + (4 a - 2) E^2 for x >= 0. */
RARE vec mish_derivative_tail(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(FAR), vec_abs(x));
    small_exp e = exp_of_tail(a);
    vec power = (SPLAT(1) - a) * e.power, rest = vec_fma(e.power, e.p, e.power) * (e.value * (a - SPLAT(0.5)));
    vec above = vec_fma(e.value * e.value, vec_fma(SPLAT(4), a, SPLAT(-2)), SPLAT(1));
    return vec_select(vec_less(x, SPLAT(0)), (power + vec_fma(power, e.p, rest)) * e.scale, above);
}
static inline vec mish_derivative(vec x, const vec *p)
{
    return by_signed_pieces(mish_derivative_table, 1.25, 9, mish_derivative_tail, x, p);
}
#else
/* N / D + x s(x) (D - N) (D + N) / D^2, where x s(x) (D - N) (D + N) = 4 x (1 + e) times e for x < 0
 * and e^2 for x >= 0. */
RARE vec mish_derivative_far(vec x, const vec *p)
{
    (void)p;
    mish_terms m = mish_of(x);
    pair factor = pair_select(m.negative, m.e.value, m.e_squared);
    pair one_plus_e = pair_add(pair_of(SPLAT(1)), m.e.value);
    pair four_x = pair_of(SPLAT(4) * bounded(x, FAR));
    pair product = pair_multiply(pair_multiply(factor, four_x), pair_multiply(one_plus_e, m.reciprocal_d));
    pair sum = pair_multiply(pair_add(m.n, product), m.reciprocal_d);
    return pair_round(sum) * vec_select(m.negative, m.e.scale, SPLAT(1));
}

/* With w = exp(x), a = 1 + w and d = 1 + a^2: w ((1 + a) d + 4 x a) / d^2. (In 1.8 million samples
 * up to 3.6 ULP; without the low part of w 3.97, and without that of the sum beyond the bound next to the change of
 * sign.) */
static inline vec mish_derivative(vec x, const vec *p)
{
    mask far = vec_less(SPLAT(MISH_ONE), vec_abs(x));
    exp_factors factors = exp_near(x);
    pair a = one_plus_exp_pair(factors), square = pair_square(a);
    vec d = square.hi + SPLAT(1), d_lo = (square.hi - (d - SPLAT(1))) + square.lo;
    vec four_x = SPLAT(4) * x, sum_lo = vec_fma(a.lo, four_x + d, vec_fma(a.hi, d_lo, d_lo));
    vec sum = vec_fma(four_x, a.hi, vec_fma(a.hi, d, d)) + sum_lo;
    vec numerator = times_pair(sum, exp_pair(factors));
    return or_far(numerator / vec_fma(d, d, (d + d) * d_lo), far, mish_derivative_far, x, p);
}
#endif

/* With E = exp(-|x|) and D of mish_terms: 4 E (2 (1 + E) - |x| (2 + 2 E - 3 E^2 - 2 E^3) / D) / D^2 for x < 0, and
 * 4 E^2 (2 (1 + E) - |x| (2 + 3 E - 2 E^2 - 2 E^3) / D) / D^2 for x >= 0. */
static inline vec mish_second(vec x, const vec *p)
{
    (void)p;
    x = bounded(x, FAR);
    mish_terms m = mish_of(x);
    pair one = pair_of(SPLAT(1)), e = m.e.value, twice_e = pair_scale(e, SPLAT(2));
    pair inner = pair_add(pair_of(vec_select(m.negative, SPLAT(3), SPLAT(2))), twice_e);
    pair outer = pair_add(pair_of(vec_select(m.negative, SPLAT(2), SPLAT(3))), pair_negate(pair_multiply(e, inner)));
    pair sum = pair_add(pair_of(SPLAT(2)), pair_multiply(e, outer));
    pair falling = pair_multiply(pair_of(-vec_abs(x)), pair_multiply(sum, m.reciprocal_d));
    pair bracket = pair_add(pair_add(pair_of(SPLAT(2)), twice_e), falling);
    pair factor = pair_multiply(pair_scale(e, SPLAT(4)), pair_square(m.reciprocal_d));
    vec scale = vec_select(m.negative, m.e.scale, m.e.scale * m.e.scale);
    return product_of_pairs(pair_multiply(factor, bracket), pair_select(m.negative, one, e)) * scale;
}

#endif
