/* tanh, tanhshrink, lisht and logcosh. */
#ifndef SUGAR_KERNELS_KINDS_TANH_H
#define SUGAR_KERNELS_KINDS_TANH_H

#include "kernels/kinds/common.h"
#include "kernels/kinds/softplus.h"
#include "kernels/math/logistic.h"
#include "kernels/math/lookup.h"

/* tanh(|x|) = -E / (2 + E), E = expm1(-2|x|): accurate relative to x. */
static inline pair tanh_of_abs(vec x)
{
    pair e = expm1_of_negative(pair_of(SPLAT(-2) * vec_abs(x)));
    pair sum = fast_two_sum(SPLAT(2), e.hi);
    sum.lo = sum.lo + e.lo;
    return pair_negate(pair_multiply(e, pair_reciprocal(sum)));
}

/* -E / (2 + E) with E = expm1(-2|x|) = power - 1 - 2 power q, for all x; both sides of the division are halved.
 * (AVX-512, f32: 0.284 ns an element, though ports allow 0.21. Tried: the quotient by an estimate of the reciprocal
 * and Markstein's correction, with the same bits, for all vectors 0.33, for every second one 0.30, for every third
 * 0.32; two vectors at a time 0.29; two divisions of half the width 0.31; the first half of the next vector's formula
 * before the second half of this one's 0.27 to 0.28.) */
static inline vec tanh_value(vec x, const vec *p)
{
    (void)p;
    minus_exp_factors e = exp_of_minus_twice(vec_min(SPLAT(PICK(10, 20)), vec_abs(x)));
    vec half = SPLAT(0.5);
    vec numerator = vec_fma(e.power, e.q, vec_fnma(half, e.power, half));
    vec denominator = vec_fnma(e.power, e.q, vec_fma(half, e.power, half));
    return vec_copysign(numerator / denominator, x);
}

/* The same for a >= 0, with e from exp_of_minus_twice(a), and with the errors of numerator, denominator and
 * quotient. */
static inline pair tanh_pair(minus_exp_factors e)
{
    vec half = SPLAT(0.5), base = vec_fnma(half, e.power, half);
    vec base_lo = vec_fnma(half, e.power, half - base);
    vec n = vec_fma(e.power, e.q, base), n_lo = vec_fma(e.power, e.q, base - n) + base_lo;
    vec d = SPLAT(1) - n, d_lo = ((SPLAT(1) - d) - n) - n_lo;
    vec r = SPLAT(1) / d, t = n * r, lost = vec_fnma(t, d, n) + vec_fnma(t, d_lo, n_lo);
    return (pair){t, r * lost};
}

/* 4 s(2x) s(-2x) */
#if REAL_BITS == 32 && !NARROW
RARE vec tanh_derivative_tail(vec x, const vec *p)
{
    (void)p;
    return times_logistic_derivative_tail(SPLAT(4), SPLAT(2) * x);
}
/* Pieces of this width: with AVX2 the first eight serve |x| < 4.2, all of them 8.7. (x with a standard deviation of 2,
 * ns an element by the eight pieces of sigmoid', for |x| < 3.7, and in this way: AVX2 0.67 and 0.57, AVX-512 0.54 and
 * 0.28; where |x| <= 1 0.46 and 0.48, 0.32 and 0.28. With a width of 0.5 0.61 and 0.27. For x evenly in [-20, 20]
 * 1.01 and 1.39, 0.63 and 0.60: there vectors need both halves and the tail.) */
#define TANH_PIECE 0.5625
static inline vec tanh_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x), near = positive_piece_value(tanh_derivative_table, TANH_PIECE, 7, a);
    return or_far(near, vec_less(SPLAT(positive_limit(TANH_PIECE)), a), tanh_derivative_tail, x, p);
}
#else
RARE vec tanh_derivative_far(vec x, const vec *p)
{
    (void)p;
    scaled s = logistic_derivative(pair_of(SPLAT(2) * x));
    return SPLAT(4) * pair_round(s.value) * s.scale;
}
static inline vec tanh_derivative(vec x, const vec *p)
{
    vec a = SPLAT(2) * vec_abs(x), near = SPLAT(4) * pair_round(logistic_derivative_near(exp_near(a)));
    return or_far(near, vec_less(SPLAT(EXP_NEAR), a), tanh_derivative_far, x, p);
}
#endif

/* 8 s''(2x) */
static inline vec tanh_second(vec x, const vec *p)
{
    (void)p;
    return vec_copysign(times_logistic_fall(pair_of(SPLAT(8)), pair_of(SPLAT(2) * vec_abs(x))), -x);
}
static inline vec tanhshrink_second(vec x, const vec *p) { return -tanh_second(x, p); }

/* (1 - y) (1 + y) */
static inline vec tanh_derivative_from_output(vec y, const vec *p)
{
    (void)p;
    vec inner = bounded(y, 1);
    return vec_fnma(inner, inner, SPLAT(1));
}

#if REAL_BITS == 32
/* x^3 times a function from a table; beyond the table x - 1. */
static inline vec tanhshrink_value(vec x, const vec *p)
{
    (void)p;
    vec a = vec_abs(x), square = x * x, cube = square * x;
    vec cube_lo = vec_fma(vec_fma(x, x, -square), x, vec_fma(square, x, -cube));
    piece t = piece_of(tanhshrink_table, 8, a, wide_index(a));
    vec inner = vec_fma(cube, t.constant, vec_fma(cube_lo, t.constant, cube * t.rest));
    return vec_select(vec_less(SPLAT(WIDE_TABLE_LIMIT), a), x - vec_copysign(SPLAT(1), x), inner);
}
static inline vec tanhshrink_derivative(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(WIDE_TABLE_LIMIT), vec_abs(x));
    piece t = piece_of(tanh_squared_table, 8, a, wide_index(a));
    return t.constant + t.rest;
}
#else
/* x - tanh(x) = x^3 (1/3 + x^2 Q(x^2)) on |x| <= 1; relative error 2^-57. */
static const real tanhshrink_tail[] = {
    -0x1.1111111111111p-3,  0x1.ba1ba1ba1b99bp-5,  -0x1.664f4882bbb19p-6,  0x1.226e355cfd7d2p-7,
    -0x1.d6d3d07a10e08p-9,  0x1.7da35b7e01866p-10, -0x1.3557a50f96d39p-11, 0x1.f5737bcf3e37ap-13,
    -0x1.96362110656a3p-14, 0x1.47ffeb2e40171p-15, -0x1.052d80c3e4fb3p-16, 0x1.8de46440953c7p-18,
    -0x1.1044f31c1d656p-19, 0x1.2dfdf074b0f1ep-21, -0x1.ced8bfaf4cad3p-24, 0x1.631c04148fd0dp-27};

/* For |x| < 1 the series, and 0 at -0, as x - tanh(x) is; else |x| - 1 + 2 E / (1 + E), E = exp(-2|x|). (In 800000
 * samples up to 3.2 ULP. With pairs it was within 1.1 and took twice as long.) */
static inline vec tanhshrink_value(vec x, const vec *p)
{
    (void)p;
    vec a = vec_abs(x), square = x * x, half = SPLAT(0.5);
    vec inner = square * x * vec_fma(square, POLYNOMIAL(tanhshrink_tail, square), SPLAT(1.0 / 3)) + SPLAT(0);
    minus_exp_factors e = exp_of_minus_twice(vec_min(SPLAT(20), a));
    vec half_e = vec_fnma(e.power, e.q, half * e.power);
    vec outer = (a - SPLAT(1)) + (half_e + half_e) / (half_e + half);
    return vec_select(vec_less(a, SPLAT(1)), inner, vec_copysign(outer, x));
}

/* The square. (In 800000 samples up to 2.9 ULP. Without the errors in the pair 6 ULP, without that of the quotient
 * 3.5, without that of the denominator 4.) */
static inline vec tanhshrink_derivative(vec x, const vec *p)
{
    (void)p;
    pair t = tanh_pair(exp_of_minus_twice(vec_min(SPLAT(20), vec_abs(x))));
    return vec_fma(t.hi, t.hi, (t.hi + t.hi) * t.lo);
}
#endif

/* From this |x| on, tanh is 1, also in a sum with x (1 - tanh^2). */
#define TANH_ONE PICK(12, 22)
static inline vec lisht_value(vec x, const vec *p)
{
    (void)p;
    vec a = vec_abs(x);
    pair t = tanh_pair(exp_of_minus_twice(vec_min(SPLAT(TANH_ONE), a)));
    vec y = times_pair_to_infinity(a, t);
    if (NARROW) {       /* x^2 - x^4/3 + 2 x^6/15; the square is exact */
        vec q = a * a, rest = q * q * vec_fma(q, SPLAT(2.0 / 15), SPLAT(-1.0 / 3)), little = q + rest;
        y = vec_select(vec_less(q, SPLAT(0x1p-10)), just_below(little, rest - (little - q)), y);
    }
    return y;
}

static inline vec lisht_derivative(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(TANH_ONE), vec_abs(x));
    pair t = tanh_pair(exp_of_minus_twice(a));
    vec rest = vec_fnma(t.hi + t.hi, t.lo, vec_fnma(t.hi, t.hi, SPLAT(1)));     /* 1 - t^2 */
    return vec_copysign(t.hi + vec_fma(a, rest, t.lo), x);
}

/* log(cosh(x)) = h + h x^2 Q(x^2), h = x^2/2, on |x| <= 0.8; relative error 2^-30.7 (f32), 2^-60.5 (f64). */
#define LOGCOSH_NEAR 0.8
static const real logcosh_tail[] = {
#if REAL_BITS == 32
    -0x1.55554ep-3f,  0x1.6c1352p-5f, -0x1.b98fdep-7f, 0x1.196f16p-8f,
    -0x1.4f136ap-10f, 0x1.037e82p-12f
#else
    -0x1.555555555554dp-3,  0x1.6c16c16c15bdcp-5,  -0x1.ba1ba1b96b638p-7,  0x1.1ea5d37daf272p-8,
    -0x1.833d96692bd9dp-10, 0x1.0d0aed834852fp-11, -0x1.7d9a72e136b8cp-13, 0x1.12b245d645622p-14,
    -0x1.8e153009f80aep-16, 0x1.1b2269a6f6adep-17, -0x1.6ffcc74f54c75p-19, 0x1.7488ffa614f2ap-21,
    -0x1.9e20dc90b139ap-24
#endif
};

/* Beyond, with a = |x| and E = exp(-2a): a - log(2) + 2 atanh(E / (2 + E)). */
static inline vec logcosh_value(vec x, const vec *p)
{
    (void)p;
    pair ln2 = PAIR(0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56), t = two_product(x, x);
    vec half = SPLAT(0.5), two = SPLAT(2), a = vec_abs(x), h = half * t.hi;
    vec near_rest = vec_fma(h * t.hi, POLYNOMIAL(logcosh_tail, t.hi), half * t.lo);
    minus_exp_factors e = exp_of_minus_twice(vec_min(SPLAT(PICK(20, 40)), a));
    vec power = vec_fnma(e.power + e.power, e.q, e.power), z = power / (two + power), z2 = z * z;
    vec far_rest = vec_fma(two, z, vec_fma(two * z * z2, POLYNOMIAL(atanh_tail, z2), -ln2.lo));
    mask near = vec_less(a, SPLAT(LOGCOSH_NEAR));
    vec base = vec_select(near, h, a - ln2.hi), rest = vec_select(near, near_rest, far_rest);
    return just_below(base + rest, rest - ((base + rest) - base));
}
static inline vec logcosh_derivative(vec x, const vec *p) { return tanh_value(x, p); }

/* 2 (1 - tanh^2) (1 - x tanh) = 8 s(2x) s(-2x) (1 - x tanh) */
static inline vec lisht_second(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(FAR), vec_abs(x));
    logistic_parts l = logistic_parts_of(pair_of(a + a));
    pair rest = pair_add(pair_of(SPLAT(1)), pair_multiply(pair_of(a), pair_multiply(l.expm1, l.s)));
    return times_logistic_derivative(pair_scale(rest, SPLAT(8)), l);
}
static inline vec logcosh_second(vec x, const vec *p) { return tanh_derivative(x, p); }

#endif
