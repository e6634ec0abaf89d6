/* The normal distribution Phi and its density. */
#ifndef SUGAR_KERNELS_MATH_NORMAL_H
#define SUGAR_KERNELS_MATH_NORMAL_H

#include "kernels/math/exp.h"

#define INVERSE_SQRT_2_PI PAIR(0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56)

#if REAL_BITS == 64
/* Phi(-a) exp(a^2/2) (a + 4) = Q(w), w = (a - 4) / (a + 4): the idea of Shepherd and Laframboise,
 * "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x", Math. Comp. 36 (1981). The constant
 * term is a pair, MILLS_CONSTANT; the others are here. Relative error 2^-58.6 for a <= 40. */
static const real mills_tail[] = {
    -0x1.373e3a893c28ap-1,  0x1.8c6dbf2cfc2b3p-2,   -0x1.7dff2bff683a7p-3,  0x1.eec4cc3e4d478p-5,
    -0x1.ee27610480a6cp-8,  -0x1.c81719d56e50cp-9,  0x1.ab825fc225d92p-10,  0x1.17a4ae4823239p-13,
    -0x1.e4a425ea29b0ep-13, -0x1.001e76f151d76p-19, 0x1.26d0a6bc78db3p-15,  0x1.80b475001a619p-21,
    -0x1.8d4cd4f222887p-18, -0x1.51ed649d31e65p-21, 0x1.1248a5b033335p-20,  0x1.2365c5968b60dp-22,
    -0x1.4ddd6a504ef8cp-23, -0x1.6d307b9db152ap-24, 0x1.de16ce8d0b6d7p-27,  0x1.4ee62d828aad6p-26,
    0x1.979c8e32f3d96p-30,  -0x1.63243f67694c5p-29, -0x1.49ad25549b82ap-31, 0x1.99cfcc6fcb00cp-35};
#define MILLS_CONSTANT PAIR(0x1.82b4bb8c94dcep-1, -0x1.a725a28a6016cp-56)
#define MILLS_LIMIT 40

/* Phi(-a) exp(a^2/2) for 0 <= a <= MILLS_LIMIT. The last two steps of Horner's rule are computed with
 * pairs, because the terms nearly cancel around a = 40 and have alternating signs near a = 0. */
static inline pair mills(vec a)
{
    pair r = pair_reciprocal(two_sum(a, SPLAT(4)));
    pair w = two_sum(SPLAT(1), SPLAT(-8) * r.hi);
    w.lo = vec_fnma(SPLAT(8), r.lo, w.lo);
    vec inner = polynomial(mills_tail + 1, DEGREE(mills_tail) - 1, w.hi);
    pair h = pair_add(pair_of(vec_splat(mills_tail[0])), pair_multiply(w, pair_of(inner)));
    return pair_multiply(pair_add(MILLS_CONSTANT, pair_multiply(w, h)), r);
}

/* The same for a <= NORMAL_NEAR, without pairs but with the errors of the reciprocal r, of Q and of Q r, which are the
 * low part. w is 1 - 8 r, so an error in r shifts w too: that is what `slope`, about Q', is for; it need not be exact.
 * (Without these errors gelu is within 7 ULP only.) */
static inline pair mills_near(vec a)
{
    vec r = SPLAT(1) / (a + SPLAT(4)), lost = vec_fnma(r, a, vec_fnma(r, SPLAT(4), SPLAT(1)));
    vec w = vec_fnma(SPLAT(8), r, SPLAT(1)), constant = MILLS_CONSTANT.hi;
    vec inner = polynomial(mills_tail + 1, DEGREE(mills_tail) - 1, w);
    vec h = vec_fma(w, inner, vec_splat(mills_tail[0])), slope = vec_fma(w, inner, h);
    vec q = vec_fma(w, h, constant), q_lo = vec_fma(w, h, constant - q), m = q * r;
    q_lo = vec_fma(lost, vec_fnma(SPLAT(1) - w, slope, q), q_lo);
    return (pair){m, vec_fma(r, q_lo, vec_fma(q, r, -m))};
}

/* Up to this |x|, x exp(-x^2/2) and its rounding errors are normal numbers. */
#define NORMAL_NEAR 36

/* factor exp(-a^2/2), rounded twice. */
static inline vec times_density(pair factor, vec a)
{
    exp_factors e = exp_half_square(a, VEC_ROUNDER);
    return e.power * (factor.hi + vec_fma(factor.hi, e.p, factor.lo));
}

/* a = min(|x|, MILLS_LIMIT); at the limit every tail is 0. density = exp(-a^2/2); mills = Phi(-a) exp(a^2/2). */
typedef struct {
    vec a;
    scaled density;
    pair mills;
} normal;

static inline normal normal_of(vec x)
{
    vec a = vec_min(SPLAT(MILLS_LIMIT), vec_abs(x));
    return (normal){a, exp_of_negative(pair_scale(two_product(a, a), SPLAT(-0.5))), mills(a)};
}
#endif

#endif
