/* log1p(e) for e from 0 to 1, log(w) for w >= 1, and log1p(exp(y)) for y <= 0. */
#ifndef SUGAR_KERNELS_MATH_LOG1P_H
#define SUGAR_KERNELS_MATH_LOG1P_H

#include "kernels/math/exp.h"

/* atanh(z) = z + z^3 Q(z^2) on 0 <= z <= 1/3; relative error 2^-31.6 (f32), 2^-61.8 (f64). */
static const real atanh_tail[] = {
#if REAL_BITS == 32
    0x1.555556p-2f, 0x1.999866p-3f, 0x1.24d764p-3f, 0x1.bb3304p-4f, 0x1.e116a4p-4f
#else
    0x1.5555555555555p-2, 0x1.9999999999b17p-3, 0x1.249249248395bp-3, 0x1.c71c71ce663dap-4,
    0x1.745d1698e8599p-4, 0x1.3b13a946cc7c1p-4, 0x1.11146441c4a29p-4, 0x1.e137174b540e9p-5,
    0x1.b812f1423bc7ap-5, 0x1.4379d20a75152p-5, 0x1.31df5b2fbd8e2p-4
#endif
};

/* log1p(e) for e in [0, 1]: 2 atanh(e / (2 + e)), which needs no reduction. */
static inline pair log1p_pair(pair e)
{
    pair sum = fast_two_sum(SPLAT(2), e.hi);
    sum.lo = sum.lo + e.lo;
    pair z = pair_multiply(e, pair_reciprocal(sum));
    vec square = z.hi * z.hi;
    vec tail = vec_fma(z.hi * square, POLYNOMIAL(atanh_tail, square), z.lo);
    return pair_scale(fast_two_sum(z.hi, tail), SPLAT(2));
}

/* log(w) for w >= 1. Powers of two are divided out until 1 / sqrt(2) <= w <= sqrt(2), where it is 2 atanh(z), z = (w -
 * 1) / (w + 1). The error is that of the series, relative to the result 2^-31 (f64: 2^-61). */
static inline pair log_of(pair w)
{
    static const real powers[] = {
#if REAL_BITS == 64
        0x1p512, 0x1p256, 0x1p128,
#endif
        0x1p64,  0x1p32,  0x1p16,  0x1p8, 0x1p4, 0x1p2, 0x1p1};
    enum { POWERS = sizeof powers / sizeof powers[0] };
    vec n = SPLAT(0);
    UNROLL
    for (int i = 0; i < POWERS; i++) {
        mask above = vec_less(SPLAT(0.70710678) * vec_splat(powers[i]), w.hi);
        w = pair_scale(w, vec_select(above, vec_splat(1 / powers[i]), SPLAT(1)));
        n = n + vec_select(above, vec_splat((real)(1 << (POWERS - 1 - i))), SPLAT(0));
    }
    pair z = pair_divide(two_sum(w.hi - SPLAT(1), w.lo), pair_add(w, pair_of(SPLAT(1)))), square = pair_square(z);
    vec inner = square.hi * polynomial(atanh_tail + 1, DEGREE(atanh_tail) - 1, square.hi);
    pair cube = pair_multiply(pair_multiply(z, square), fast_two_sum(vec_splat(atanh_tail[0]), inner));
    pair half_ln2 = PAIR(0x1.62e42fefa39efp-2, 0x1.abc9e3b39803fp-57);
    return pair_scale(pair_add(pair_multiply(pair_of(n), half_ln2), pair_add(z, cube)), SPLAT(2));
}

#if REAL_BITS == 32
/* (log1p(e) - e) / e^2 for a small e. */
static inline vec log1p_growth(vec e) { return vec_fma(SPLAT(1.0 / 3), e, SPLAT(-0.5)); }
#else
/* log1p(e) / 2 for e in [0, 1], as hi + lo, where lo is small, but larger than in a pair; relative error about 0.3
 * u. */
static inline pair half_log1p(pair e)
{
    pair sum = fast_two_sum(SPLAT(2), e.hi);
    sum.lo = sum.lo + e.lo;
    vec r = SPLAT(1) / sum.hi, z = e.hi * r;
    vec z_lo = r * vec_fnma(z, sum.lo, vec_fnma(z, sum.hi, e.hi) + e.lo);
    vec square = z * z;
    return (pair){z, vec_fma(z * square, POLYNOMIAL(atanh_tail, square), z_lo)};
}

/* log1p(exp(y)) for y <= 0. */
static inline scaled log1p_exp_of_negative(pair y)
{
    scaled e = exp_of_negative(y);
    return (scaled){log1p_pair(e.value), e.scale};
}
#endif

#endif
