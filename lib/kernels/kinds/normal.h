/* x times the normal distribution: gelu. */
#ifndef SUGAR_KERNELS_KINDS_NORMAL_H
#define SUGAR_KERNELS_KINDS_NORMAL_H

#include "kernels/kinds/common.h"
#include "kernels/math/lookup.h"
#include "kernels/math/normal.h"

#if REAL_BITS == 32
#define GELU_LOWEST -14.625     /* below, value and derivative are -0 */
#define GELU_END 5.25           /* of the tables */
#define GELU_DERIVATIVE_END 5

/* exp(-a^2/2) 2^DECAY_SHIFT times the function of a table, for a = |x| up to -GELU_LOWEST. */
ALWAYS_INLINE vec normal_tail(piece_table table, vec x)
{
    vec a = tail_distance(GELU_LOWEST, x);
    return table_times_exp(table, 5, a, tail_index(a), exp_half_square(a, VEC_ROUNDER + SPLAT(DECAY_SHIFT)));
}

/* max(x, 0) - a Phi(-a) with a = |x| */
RARE vec gelu_tail(vec x, const vec *p)
{
    (void)p;
    return vec_max(SPLAT(-0.0), x) - lowered(normal_tail(gelu_tail_table, x));
}
static inline vec gelu_value(vec x, const vec *p)
{
    vec near = above_minus_below(gelu_below_table, GELU_END, x);
    return above_half(x, or_far(near, vec_less(x, SPLAT(-near_end(GELU_END))), gelu_tail, x, p));
}

/* With t = a phi(a) - Phi(-a), Phi(x) + x phi(x) is -t for x < 0 and 1 + t for x >= 0. */
RARE vec gelu_derivative_tail(vec x, const vec *p)
{
    (void)p;
    vec t = lowered(normal_tail(gelu_derivative_tail_table, x));
    return vec_select(vec_less(x, SPLAT(0)), -t, SPLAT(1) + t);
}
static inline vec gelu_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x), t = piece_value(gelu_derivative_below_table, 8, a, falling_index(a, GELU_DERIVATIVE_END));
    vec near = vec_select(vec_less(x, SPLAT(0)), t, SPLAT(1) - t);
    return or_far(near, vec_less(SPLAT(near_end(GELU_DERIVATIVE_END)), a), gelu_derivative_tail, x, p);
}
#else
/* x Phi(x) for x < 0, from Phi(-|x|) = density * mills. */
RARE vec gelu_far(vec x, const vec *p)
{
    (void)p;
    normal n = normal_of(x);
    return times_pair(-n.a, pair_multiply(n.density.value, n.mills)) * n.density.scale;
}
static inline vec gelu_value(vec x, const vec *p)
{
    mask negative = vec_less(x, SPLAT(0));
    vec a = vec_min(SPLAT(NORMAL_NEAR), vec_abs(x));
    vec tail = times_density(mills_near(a), a);
    vec near = x * vec_select(negative, tail, SPLAT(1) - tail);
    return or_far(near, vec_less(x, SPLAT(-NORMAL_NEAR)), gelu_far, x, p);
}

/* For x < 0: density (mills - |x| / sqrt(2 pi)). */
RARE vec gelu_derivative_far(vec x, const vec *p)
{
    (void)p;
    normal n = normal_of(x);
    pair linear = pair_multiply(INVERSE_SQRT_2_PI, pair_of(-n.a));
    return pair_round(pair_multiply(n.density.value, pair_add(n.mills, linear))) * n.density.scale;
}
static inline vec gelu_derivative(vec x, const vec *p)
{
    vec a = vec_min(SPLAT(NORMAL_NEAR), vec_abs(x));
    pair m = mills_near(a), linear = two_product(INVERSE_SQRT_2_PI.hi, a);
    vec low = vec_fnma(INVERSE_SQRT_2_PI.lo, a, m.lo - linear.lo);
    vec t = times_density((pair){m.hi - linear.hi, low}, a);
    vec near = vec_select(vec_less(x, SPLAT(0)), t, SPLAT(1) - t);
    return or_far(near, vec_less(x, SPLAT(-NORMAL_NEAR)), gelu_derivative_far, x, p);
}
#endif

/* phi(x) (2 - x^2) */
static inline vec gelu_second(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(40), vec_abs(x));         /* beyond, all is 0 */
    pair square = two_product(a, a), bracket = pair_add(pair_of(SPLAT(2)), pair_negate(square));
    scaled e = exp_of_negative(pair_scale(square, SPLAT(-0.5)));
    return pair_sum(pair_multiply(pair_multiply(INVERSE_SQRT_2_PI, bracket), e.value)) * e.scale;
}

#endif
