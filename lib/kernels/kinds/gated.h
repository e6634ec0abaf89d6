/* x times a logistic gate: silu, gelu_tanh, and bsilu, which adds a tanh. */
#ifndef SUGAR_KERNELS_KINDS_GATED_H
#define SUGAR_KERNELS_KINDS_GATED_H

#include "kernels/kinds/common.h"
#include "kernels/kinds/tanh.h"
#include "kernels/math/logistic.h"
#include "kernels/math/lookup.h"

/* s(y) (1 + z s(-y)): silu' with z = y, bsilu' with z = x + alpha. */
static inline vec gated_derivative(logistic s, pair z)
{
    pair bracket = pair_add(pair_of(SPLAT(1)), pair_multiply(z, s.complement));
    return pair_round(pair_multiply(s.value, bracket)) * s.scale;
}

/* With a = |beta x| and E = exp(-a): x E (1 - E + E^2) for x < 0, x (1 - E + E^2) for x >= 0. */
#if REAL_BITS == 32
RARE vec silu_far(vec x, const vec *p)
{
    vec near = bounded(x, FAR);
    small_exp e = exp_of_tail_pair(two_product(p[0], vec_abs(near)));
    vec power = near * e.power, raised = vec_fma(power, e.p, power), rest = vec_fma(e.value, e.value, -e.value);
    return where_positive(x, vec_fma(near, rest, x), vec_fma(raised, rest, raised) * e.scale);
}
#else
RARE vec silu_far(vec x, const vec *p)
{
    vec bounded_below = vec_max(SPLAT(-FAR), x);
    logistic s = logistic_of(two_product(p[0], bounded_below));
    return times_pair_to_infinity(bounded_below, s.value) * s.scale;
}
#endif
static inline vec silu_value(vec x, const vec *p)
{
    pair y = two_product(p[0], x);
    vec near = x / one_plus_short_exp(exp_near_pair(pair_negate(y)));
    return above_half(x, or_far(near, vec_less(SPLAT(EXP_SHORT), vec_abs(y.hi)), silu_far, x, p));
}
static inline vec silu_default_value(vec x, const vec *p)
{
    vec near = x / one_plus_exp_of_minus(vec_min(SPLAT(LOGISTIC_ONE), x));
    return above_half(x, or_far(near, vec_less(x, SPLAT(-EXP_SHORT)), silu_far, x, p));
}
RARE vec silu_derivative_far(vec x, const vec *p)
{
    pair y = two_product(p[0], bounded(x, FAR));
    return gated_derivative(logistic_of(y), y);
}

/* gated_derivative as (1 + E gate) / (1 + E)^2 with E = exp(-y) and gate = 1 + z, for |y| <= GATED_NEAR, where (1 +
 * E)^2 is finite. */
#define GATED_NEAR PICK(43, 350)
#if REAL_BITS == 64
/* In 4 ULP with one pair, 1 + E; without it up to 4.3 ULP. */
static inline vec gated_derivative_near(pair y, pair gate)
{
    exp_factors factors = exp_near_full(pair_negate(y));
    pair sum = one_plus_exp_pair(factors);
    vec e = vec_fma(factors.power, factors.p, factors.power);
    vec numerator = vec_fma(e, gate.hi, vec_fma(e, gate.lo, SPLAT(1)));
    return numerator / vec_fma(sum.hi, sum.hi, (sum.hi + sum.hi) * sum.lo);
}
#else
static inline vec gated_derivative_near(pair y, pair gate)
{
    exp_factors factors = exp_near_full(pair_negate(y));
    pair e = exp_pair(factors);
    vec numerator = vec_fma(e.hi, gate.hi, SPLAT(1));
    /* What the rounding of the numerator lost. (fma(e, gate, 1 - numerator) is not good enough: 1 - numerator can
     * be inexact, and then one f32 of all 2^32 was beyond the bound.) */
    vec lost = SPLAT(1) + vec_fma(e.hi, gate.hi, -numerator);
    vec numerator_lo = vec_fma(e.lo, gate.hi, vec_fma(e.hi, gate.lo, lost));
    return pair_quotient((pair){numerator, numerator_lo}, pair_square(one_plus_exp_pair(factors)));
}
#endif

/* gated_derivative_near without pairs, for narrow types; `full`, a formula with pairs, serves lanes next to the root,
 * where the terms cancel, and lanes beyond GATED_NEAR. */
ALWAYS_INLINE vec gated_derivative_narrow(vec y, vec gate, vec (*full)(vec, const vec *), vec x, const vec *p)
{
    exp_factors factors = exp_near(-y);
    vec e = vec_fma(factors.power, factors.p, factors.power);
    vec numerator = vec_fma(e, gate, SPLAT(1)), sum = SPLAT(1) + e;
    vec from_root = vec_abs(numerator) - SPLAT(0x1p-6), from_limit = SPLAT(GATED_NEAR) - vec_abs(y);
    return or_far(numerator / (sum * sum), vec_less(vec_min(from_root, from_limit), SPLAT(0)), full, x, p);
}

RARE_IN_F32 vec silu_derivative_near(vec x, const vec *p)
{
    pair y = two_product(p[0], x);
    mask far = vec_less(SPLAT(GATED_NEAR), vec_abs(y.hi));
    return or_far(gated_derivative_near(y, pair_add(pair_of(SPLAT(1)), y)), far, silu_derivative_far, x, p);
}
#if REAL_BITS == 32
/* t for y < 0 and 1 - t for y >= 0, where t is a function of a = |y| from a table. Far out, with E = exp(-a),
 * t = E (1 - a) + E^2 (2 a - 1) + ... */
static inline vec silu_derivative_wide(vec x, const vec *p)
{
    pair a = two_product(p[0], vec_min(SPLAT(FAR), vec_abs(x)));
    piece_or_exp d = piece_or_exp_of(silu_derivative_table, 7, a.hi, -a.lo);
    vec t = d.at.constant + d.at.rest, power = (SPLAT(1) - a.hi) * d.power;
    vec next = vec_fma(SPLAT(2), a.hi, SPLAT(-1)), third = vec_fma(SPLAT(-2.9946), a.hi, SPLAT(0.9982));
    vec gate_lo = vec_fma(d.value, vec_fma(d.value, third, next), -a.lo);
    vec far = power + vec_fma(power, d.at.rest, d.power * t * gate_lo);
    t = vec_select(d.far, far * d.scale, t);
    return vec_select(vec_less(x, SPLAT(0)), t, SPLAT(1) - t);
}
static inline vec silu_derivative(vec x, const vec *p)
{
    if (NARROW)
        return gated_derivative_narrow(p[0] * x, vec_fma(p[0], x, SPLAT(1)), silu_derivative_near, x, p);
    pair y = two_product(p[0], x), a = pair_abs(y);
    if (is_rare(vec_less(SPLAT(EXP_PIECE_LIMIT), a.hi)))
        return silu_derivative_wide(x, p);
    piece d = piece_of_pair(silu_derivative_table, 7, a, unit_index(a.hi));
    vec t = d.constant + d.rest;
    return vec_select(vec_less(y.hi, SPLAT(0)), t, SPLAT(1) - t);
}
#else
static inline vec silu_derivative(vec x, const vec *p) { return silu_derivative_near(x, p); }
#endif

/* (1 + E b) / (1 + E)^2 for x >= 0 and E (b + E) / (1 + E)^2 for x < 0, with E = exp(-|x|) and b = 1 + x + alpha: the
 * derivative of bsilu, and with alpha = 0 that of silu. 1 / (1 + E)^2 is 1 + q. For |x| > 8. */
#if REAL_BITS == 32
static inline vec gated_derivative_tail(vec x, vec alpha)
{
    vec near = bounded(x, FAR);
    small_exp e = exp_of_tail(vec_abs(near));
    pair b = two_sum(near + SPLAT(1), alpha);
    vec q = e.value * vec_fma(SPLAT(3), e.value, SPLAT(-2)), t = vec_fma(e.value, q, e.value);
    vec above = SPLAT(1) + vec_fma(t, b.hi, q), rest = vec_fma(b.hi, q, t) + b.lo;
    vec below = vec_fma(e.power, b.hi, e.power * vec_fma(b.hi + rest, e.p, rest)) * e.scale;
    return vec_select(vec_less(x, SPLAT(0)), below, above);
}
RARE vec silu_default_derivative_tail(vec x, const vec *p)
{
    (void)p;
    return gated_derivative_tail(x, SPLAT(0));
}
static inline vec silu_default_derivative(vec x, const vec *p)
{
    return by_signed_pieces(silu_default_derivative_table, 1.125, 7, silu_default_derivative_tail, x, p);
}
#else
static inline vec silu_default_derivative(vec x, const vec *p)
{
    vec near = gated_derivative_near(pair_of(x), two_sum(SPLAT(1), x));
    return or_far(near, vec_less(SPLAT(GATED_NEAR), vec_abs(x)), silu_derivative_far, x, p);
}
#endif

/* beta s(a) s(-a) (2 - a tanh(a/2)), a = |beta x|; tanh(a/2) = (1 - E) s(a). */
static inline vec silu_second(vec x, const vec *p)
{
    pair a = two_product(p[0], vec_abs(bounded(x, FAR)));
    logistic_parts l = logistic_parts_of(a);
    pair bracket = pair_add(pair_of(SPLAT(2)), pair_multiply(a, pair_multiply(l.expm1, l.s)));
    return times_logistic_derivative(pair_multiply(pair_of(p[0]), bracket), l);
}

/* x^2 s(y) s(-y) */
static inline vec silu_parameter_derivative(vec x, const vec *p)
{
    vec cut = vec_abs(bounded(x, FAR));
    logistic_far l = logistic_far_of(two_product(p[0], cut));
    pair gate_derivative = pair_multiply(l.e.value, pair_square(l.s));
    return pair_sum(pair_multiply(two_product(cut, cut), gate_derivative)) * l.e.scale;
}

/* u as in the catalogue: gelu_tanh(x) = x s(2u), 2u = x (A + B x^2), (2u)' = A + 3 B x^2 with
 * A = 2 sqrt(2/pi), B = 0.044715 A. */
#define GELU_TANH_A PAIR(0x1.9884533d43651p+0, -0x1.cbc0d30ebfd15p-54)
#define GELU_TANH_B PAIR(0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c7p-61)
#define GELU_TANH_3B PAIR(0x1.b6676bf7450fp-3, 0x1.bba7351828aabp-57)
#define GELU_TANH_LOWEST PICK(-10.9375, -22.25) /* below, value and derivative are -0 */
/* x (a + b x^2), where a.hi has so few digits that a.hi - w below is exact. */
static inline pair gelu_tanh_cubic(pair a, pair b, vec x)
{
    pair square = two_product(x, x);
    vec w = vec_fma(b.hi, square.hi, a.hi), y = x * w;
    vec w_lo = vec_fma(b.hi, square.hi, a.hi - w) + vec_fma(b.hi, square.lo, vec_fma(b.lo, square.hi, a.lo));
    return (pair){y, vec_fma(x, w_lo, vec_fma(x, w, -y))};
}

#if REAL_BITS == 32
#define GELU_TANH_END 5         /* of the tables */
#define GELU_TANH_DERIVATIVE_END 4.75
/* exp(-2u), from 2u log2(e) = x (A' + B' x^2). If rounder is VEC_ROUNDER + n, power is 2^n times as large. */
static inline exp_factors gelu_tanh_exp2(vec x, vec rounder)
{
    pair a = {SPLAT(0x1.26ap+1), SPLAT(0x1.d84379ceb2977p-12)};
    pair b = {SPLAT(0x1.a5a7dp-4), SPLAT(-0x1.151aad0dc8e4ap-29)};
    return exp2_of_minus(gelu_tanh_cubic(a, b, x), rounder);
}

/* E, or 2^-30, which is as good as 0 where it is used, but never subnormal. */
static inline vec lowered_exp(exp_factors e)
{
    return vec_max(SPLAT(0x1p34), vec_fma(e.power, e.p, e.power)) * SPLAT(DECAY_SCALE);
}

/* With a = |x| and E = exp(-2u(a)): max(x, 0) - a (E - E^2 + E^3) */
RARE vec gelu_tanh_tail(vec x, const vec *p)
{
    (void)p;
    vec a = tail_distance(GELU_TANH_LOWEST, x);
    exp_factors e = gelu_tanh_exp2(a, VEC_ROUNDER + SPLAT(DECAY_SHIFT));
    vec exp = lowered_exp(e);
    vec power = a * e.power, raised = vec_fma(power, e.p, power);
    return vec_max(SPLAT(-0.0), x) - lowered(vec_fma(raised, vec_fma(exp, exp, -exp), raised));
}
/* Narrow types are faster with a division: f16 takes 0.57 ns an element instead of 0.70 (AVX2), 0.38 instead of 0.48
 * (AVX-512). At -GELU_TANH_NEAR -2u passes EXP_NEAR; at GELU_TANH_NEAR s(2u) is 1. */
#define GELU_TANH_NEAR 9.5
static inline vec gelu_tanh_value(vec x, const vec *p)
{
    if (NARROW) {
        vec y = bounded(x, GELU_TANH_NEAR), minus_2u = -y * vec_fma(GELU_TANH_B.hi, y * y, GELU_TANH_A.hi);
        vec near = x / one_plus_short_exp(exp_rough(minus_2u));
        return above_half(x, or_far(near, vec_less(x, SPLAT(-GELU_TANH_NEAR)), gelu_tanh_tail, x, p));
    }
    vec near = above_minus_below(gelu_tanh_below_table, GELU_TANH_END, x);
    return above_half(x, or_far(near, vec_less(x, SPLAT(-near_end(GELU_TANH_END))), gelu_tanh_tail, x, p));
}
#else
#define GELU_TANH_LIMIT 25 /* where 2u passes EXP_LIMIT */
#define GELU_TANH_SHORT_A ((pair){SPLAT(0x1.9884533d436p+0), SPLAT(0x1.42343f2cf1403p-46)})
static inline pair gelu_tanh_argument(vec x) { return gelu_tanh_cubic(GELU_TANH_SHORT_A, GELU_TANH_B, x); }
/* At -GELU_TANH_NEAR -2u passes EXP_NEAR; at GELU_TANH_NEAR s(2u) is 1. */
#define GELU_TANH_NEAR 20.5
static inline exp_factors gelu_tanh_exp(vec x) { return exp_near_pair(pair_negate(gelu_tanh_argument(x))); }

/* For x < -GELU_TANH_NEAR, where s(2u) is exp(2u). */
RARE vec gelu_tanh_far(vec x, const vec *p)
{
    (void)p;
    x = vec_max(SPLAT(-GELU_TANH_LIMIT), non_positive(x));
    scaled e = exp_of_negative(gelu_tanh_argument(x));
    return times_pair(x, e.value) * e.scale;
}
RARE vec gelu_tanh_tail(vec x, const vec *p)
{
    vec inner = vec_select(vec_less(x, SPLAT(GELU_TANH_LOWEST)), SPLAT(0), x);
    return or_far(SPLAT(-0.0), vec_less(inner, SPLAT(-GELU_TANH_NEAR)), gelu_tanh_far, inner, p);
}
static inline vec gelu_tanh_value(vec x, const vec *p)
{
    vec near = x / one_plus_exp(gelu_tanh_exp(bounded(x, GELU_TANH_NEAR)));
    return or_far(near, vec_less(x, SPLAT(-GELU_TANH_NEAR)), gelu_tanh_tail, x, p);
}
#endif
#if REAL_BITS == 32
/* With d = E - E^2 the derivative at -a is E (1 - d) (1 - w (1 - d)), where w = a (2u)'. */
RARE vec gelu_tanh_derivative_tail(vec x, const vec *p)
{
    (void)p;
    vec a = tail_distance(GELU_TANH_LOWEST, x);
    exp_factors e = gelu_tanh_exp2(a, VEC_ROUNDER + SPLAT(DECAY_SHIFT));
    vec exp = lowered_exp(e), d = vec_fnma(exp, exp, exp);
    pair short_a = {SPLAT(0x1.98p+0), SPLAT(0x1.08a67a86ca2p-9)}, w = gelu_tanh_cubic(short_a, GELU_TANH_3B, a);
    pair gate = fast_two_sum(-w.hi, SPLAT(1));
    gate.lo = vec_fma(d, vec_fnma(w.hi, d, vec_fma(SPLAT(2), w.hi, SPLAT(-1))), gate.lo - w.lo);
    vec rest = vec_fma(gate.hi + gate.lo, e.p, gate.lo);
    vec t = lowered(-vec_fma(e.power, gate.hi, e.power * rest));
    return vec_select(vec_less(x, SPLAT(0)), -t, SPLAT(1) + t);
}
/* t at x < 0 and 1 - t at x >= 0. */
static inline vec gelu_tanh_derivative_by_table(vec x, const vec *p)
{
    vec a = vec_abs(x),
        t = piece_value(gelu_tanh_derivative_below_table, 8, a, falling_index(a, GELU_TANH_DERIVATIVE_END));
    vec near = vec_select(vec_less(x, SPLAT(0)), t, SPLAT(1) - t);
    return or_far(near, vec_less(SPLAT(near_end(GELU_TANH_DERIVATIVE_END)), a), gelu_tanh_derivative_tail, x, p);
}
RARE vec gelu_tanh_derivative_full(vec x, const vec *p) { return gelu_tanh_derivative_by_table(x, p); }
/* (f16: 0.72 ns an element by gated_derivative_narrow and 0.80 by the table with AVX2, 0.50 and 0.56 with AVX-512.) */
static inline vec gelu_tanh_derivative(vec x, const vec *p)
{
    if (!NARROW)
        return gelu_tanh_derivative_by_table(x, p);
    vec square = x * x, y = x * vec_fma(GELU_TANH_B.hi, square, GELU_TANH_A.hi);
    vec gate = vec_fma(x, vec_fma(GELU_TANH_3B.hi, square, GELU_TANH_A.hi), SPLAT(1));
    return gated_derivative_narrow(y, gate, gelu_tanh_derivative_full, x, p);
}
#else
#define GELU_TANH_GATED_NEAR 15.5
RARE vec gelu_tanh_derivative_far(vec x, const vec *p)
{
    (void)p;
    x = bounded(x, GELU_TANH_LIMIT);
    pair square = two_product(x, x);
    pair two_u_derivative = pair_add(GELU_TANH_A, pair_multiply(GELU_TANH_3B, square));
    return gated_derivative(logistic_of(gelu_tanh_argument(x)), pair_multiply(two_u_derivative, pair_of(x)));
}
/* (In 1.6 million samples up to 3 ULP. With gate = fma(x, fma(3 B, x^2, A), 1) alone it would take another seventh
 * less time, but up to 4.4 ULP, and with the errors of the two fma 3.9.) */
static inline vec gelu_tanh_derivative(vec x, const vec *p)
{
    mask far = vec_less(SPLAT(GELU_TANH_GATED_NEAR), vec_abs(x));
    pair slope = gelu_tanh_cubic(GELU_TANH_SHORT_A, GELU_TANH_3B, x), gate = fast_two_sum(slope.hi, SPLAT(1));
    gate.lo = gate.lo + slope.lo;
    return or_far(gated_derivative_near(gelu_tanh_argument(x), gate), far, gelu_tanh_derivative_far, x, p);
}
#endif

/* s(w) s(-w) (2 w' + x w'' - |x| w'^2 tanh(|w|/2)) with w = 2u. */
static inline vec gelu_tanh_second(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(25), vec_abs(x));         /* beyond, all is 0 */
    pair square = two_product(a, a), cubic = pair_multiply(GELU_TANH_3B, square);
    pair w = pair_multiply(pair_of(a), pair_add(GELU_TANH_A, pair_multiply(GELU_TANH_B, square)));
    pair slope = pair_add(GELU_TANH_A, cubic),
         rising = pair_add(pair_scale(GELU_TANH_A, SPLAT(2)), pair_scale(cubic, SPLAT(4)));
    logistic_parts l = logistic_parts_of(w);
    pair falling = pair_multiply(pair_multiply(pair_of(a), pair_square(slope)), pair_multiply(l.expm1, l.s));
    return times_logistic_derivative(pair_add(rising, falling), l);
}

/* (x + alpha) s(x) - alpha/2 = x s(x) + alpha/2 tanh(x/2): the two terms have the same sign. With
 * e = exp(-|x|) and E = e - 1, s(x) is 1 / (2 + E) or e / (2 + E), tanh(|x|/2) is -E / (2 + E). */
RARE vec bsilu_far(vec x, const vec *p)
{
    mask negative = vec_less(x, SPLAT(0));
    vec near = vec_min(SPLAT(FAR), vec_max(SPLAT(-EXP_LIMIT), x));
    exp_and_expm1 e = exp_and_expm1_of_negative(pair_of(-vec_abs(near)));
    pair half_alpha = pair_of(SPLAT(0.5) * p[0]);
    pair first = pair_select(negative, pair_multiply(e.exp, pair_of(near)), pair_of(near));
    pair second = pair_multiply(half_alpha, pair_select(negative, e.expm1, pair_negate(e.expm1)));
    pair denominator = fast_two_sum(SPLAT(2), e.expm1.hi);
    denominator.lo = denominator.lo + e.expm1.lo;
    vec result = pair_round(pair_multiply(pair_add(first, second), pair_reciprocal(denominator)));
    return vec_select(vec_less(SPLAT(FAR), x), x + half_alpha.hi, result);
}
/* bsilu as (x + alpha/2 (1 - E)) / (1 + E) with E = exp(-x), for |x| <= GATED_NEAR. */
static inline vec bsilu_near(vec x, const vec *p)
{
    mask far = vec_less(SPLAT(GATED_NEAR), vec_abs(x));
    exp_factors e = exp_near(-x);
    vec half_alpha = SPLAT(0.5) * p[0], base = SPLAT(1) - e.power;
    vec m = vec_fnma(e.power, e.p, base), m_lo = vec_fnma(e.power, e.p, base - m);
    pair second = two_product(half_alpha, m);
    pair numerator = pair_add(pair_of(x), (pair){second.hi, vec_fma(half_alpha, m_lo, second.lo)});
    pair y = pair_divide(numerator, one_plus_exp_pair(e));
    return or_far(last_rounding(y.hi, y.lo), far, bsilu_far, x, p);
}
/* silu(x) + alpha tanh(x/2) / 2, by tables, which need the same alpha in all lanes. */
#if REAL_BITS == 32 && !NARROW
RARE vec bsilu_beyond_table(vec x, const vec *p) { return bsilu_near(x, p); }
static inline vec bsilu_value(vec x, const vec *p)
{
    vec near = sum_of_tables(silu_signed_table, half_tanh_half_signed_table, 8, p[0], x);
    return or_far(near, vec_less(SPLAT(SIGNED_TABLE_LIMIT), vec_abs(x)), bsilu_beyond_table, x, p);
}
#else
RARE vec bsilu_full(vec x, const vec *p) { return bsilu_near(x, p); }
/* Narrow types do without pairs, except for results next to a middle and for tails (f16, AVX2: 0.86 ns an element with
 * pairs, about 0.4 without). */
static inline vec bsilu_value(vec x, const vec *p)
{
    if (!NARROW)
        return bsilu_near(x, p);
    exp_factors e = exp_near(-x);
    vec m = vec_fnma(e.power, e.p, SPLAT(1) - e.power);
    vec y = vec_fma(SPLAT(0.5) * p[0], m, x) / (SPLAT(2) - m);
    y = or_far(y, near_middle(y, 8), bsilu_full, x, p);
    return or_far(y, vec_less(SPLAT(GATED_NEAR), vec_abs(x)), bsilu_full, x, p);
}
#endif
RARE vec bsilu_derivative_far(vec x, const vec *p)
{
    x = bounded(x, FAR);
    return gated_derivative(logistic_of(pair_of(x)), two_sum(x, p[0]));
}
RARE_IN_F32 vec bsilu_derivative_near(vec x, const vec *p)
{
    mask far = vec_less(SPLAT(GATED_NEAR), vec_abs(x));
    pair gate = pair_add(pair_of(x), two_sum(SPLAT(1), p[0]));
    return or_far(gated_derivative_near(pair_of(x), gate), far, bsilu_derivative_far, x, p);
}
/* silu'(x) + alpha s(x) s(-x) */
#if REAL_BITS == 32 && !NARROW
static inline vec bsilu_derivative(vec x, const vec *p)
{
    vec near = sum_of_tables(silu_derivative_signed_table, logistic_derivative_signed_table, 7, p[0], x);
    return or_far(near, vec_less(SPLAT(SIGNED_TABLE_LIMIT), vec_abs(x)), bsilu_derivative_near, x, p);
}
#else
static inline vec bsilu_derivative(vec x, const vec *p)
{
    if (!NARROW)
        return bsilu_derivative_near(x, p);
    pair one_plus_alpha = two_sum(SPLAT(1), p[0]);
    vec gate = (x + one_plus_alpha.hi) + one_plus_alpha.lo;
    return gated_derivative_narrow(x, gate, bsilu_derivative_near, x, p);
}
#endif

/* s(x) s(-x) (2 - (x + alpha) tanh(x/2)) */
static inline vec bsilu_second(vec x, const vec *p)
{
    x = bounded(x, FAR);
    pair z = two_sum(x, p[0]);
    logistic_parts l = logistic_parts_of(pair_of(vec_abs(x)));
    pair minus_tanh = pair_multiply(l.expm1, l.s);
    minus_tanh = pair_select(vec_less(x, SPLAT(0)), pair_negate(minus_tanh), minus_tanh);
    return times_logistic_derivative(pair_add(pair_of(SPLAT(2)), pair_multiply(z, minus_tanh)), l);
}

/* The default alpha has tables of its own, without sums: two operations less with AVX-512, and half of the
 * permutations with AVX2. (f32, derivative, ns an element with the sums and in this way: AVX2 1.09 and 0.49,
 * AVX-512 0.32 and 0.28. Narrow types lose with tables: f16 takes 0.54 ns with AVX2, and 0.64.) */
#if REAL_BITS == 32 && !NARROW
RARE vec bsilu_default_far(vec x, const vec *p) { return bsilu_near(x, p); }
static inline vec bsilu_default_value(vec x, const vec *p)
{
    return by_signed_pieces(bsilu_default_table, 1.25, 9, bsilu_default_far, x, p);
}
RARE vec bsilu_default_derivative_tail(vec x, const vec *p) { return gated_derivative_tail(x, p[0]); }
static inline vec bsilu_default_derivative(vec x, const vec *p)
{
    return by_signed_pieces(bsilu_default_derivative_table, 1.125, 7, bsilu_default_derivative_tail, x, p);
}
#else
static inline vec bsilu_default_value(vec x, const vec *p) { return bsilu_value(x, p); }
static inline vec bsilu_default_derivative(vec x, const vec *p) { return bsilu_derivative(x, p); }
#endif

/* For an alpha that differs from lane to lane. */
#if REAL_BITS == 32 && !NARROW
static inline vec bsilu_each_value(vec x, const vec *p) { return bsilu_near(x, p); }
static inline vec bsilu_each_derivative(vec x, const vec *p) { return bsilu_derivative_near(x, p); }
#else
static inline vec bsilu_each_value(vec x, const vec *p) { return bsilu_value(x, p); }
static inline vec bsilu_each_derivative(vec x, const vec *p) { return bsilu_derivative(x, p); }
#endif

/* tanh(x/2) / 2 */
static inline vec bsilu_parameter_derivative(vec x, const vec *p)
{
    (void)p;
    return vec_copysign(SPLAT(0.5) * pair_sum(tanh_of_abs(SPLAT(0.5) * x)), x);
}

#endif
