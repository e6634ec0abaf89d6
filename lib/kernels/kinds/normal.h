/* x times the normal distribution: gelu. */
#ifndef SUGAR_KERNELS_KINDS_NORMAL_H
#define SUGAR_KERNELS_KINDS_NORMAL_H

#include "kernels/kinds/common.h"
#include "kernels/math/lookup.h"
#include "kernels/math/normal.h"

#if REAL_BITS == 32
#define GELU_LOWEST -14.625     /* below, value and derivative are -0 */

/* factor exp(-a^2/2) (NORMAL_TAIL_MIDDLE + polynomial c in 1/a^2) 2^DECAY_SHIFT; factor has no error. */
static inline vec normal_tail(const real *c, vec a, vec factor)
{
    exp_factors e = exp_half_square(a, VEC_ROUNDER + SPLAT(DECAY_SHIFT));
    vec middle = SPLAT(NORMAL_TAIL_MIDDLE), varying = polynomial(c, 4, SPLAT(1) / (a * a));
    vec power = factor * e.power, rest = vec_fma(middle + varying, e.p, varying);
    return vec_fma(power, middle, power * rest);
}

/* max(x, 0) - a Phi(-a). */
RARE vec gelu_tail(vec x, const vec *p)
{
    (void)p;
    vec a = tail_distance(GELU_LOWEST, -NORMAL_TABLE_LIMIT, x);
    return tail_lowered(GELU_LOWEST, x, normal_tail(gelu_normal_tail, a, SPLAT(-1)));
}
static inline vec gelu_value(vec x, const vec *p)
{
    vec a = vec_min(SPLAT(NORMAL_TABLE_LIMIT), vec_abs(x));
    scaled_piece d = table_times_density(mills_table, a);
    vec scaled_a = a * d.power;
    vec below = vec_fma(scaled_a, d.constant, scaled_a * d.rest);
    vec near = vec_max(SPLAT(0), x) - below;
    return above_half(x, or_far(near, vec_less(x, SPLAT(-NORMAL_TABLE_LIMIT)), gelu_tail, x, p));
}

/* With t = exp(-a^2/2) (mills - a / sqrt(2 pi)), Phi(x) + x phi(x) is t for x < 0 and 1 - t for x >= 0. */
RARE vec gelu_derivative_tail(vec x, const vec *p)
{
    (void)p;
    vec a = tail_distance(GELU_LOWEST, -NORMAL_TABLE_LIMIT, x);
    return tail_lowered(GELU_LOWEST, x, normal_tail(gelu_derivative_normal_tail, a, -a));
}
static inline vec gelu_derivative(vec x, const vec *p)
{
    scaled_piece d = table_times_density(gelu_derivative_table, vec_min(SPLAT(NORMAL_TABLE_LIMIT), vec_abs(x)));
    vec t = vec_fma(d.power, d.constant, d.power * d.rest);
    vec result = vec_select(vec_less(x, SPLAT(0)), t, SPLAT(1) - t);
    return or_far(result, vec_less(x, SPLAT(-NORMAL_TABLE_LIMIT)), gelu_derivative_tail, x, p);
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
    pair tail = times_density(mills_near(a), a);
    pair above = fast_two_sum(SPLAT(1), -tail.hi);
    above.lo = above.lo - tail.lo;
    vec near = times_pair_to_infinity(x, pair_select(negative, tail, above));
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
    pair sum = pair_add(mills_near(a), pair_multiply(INVERSE_SQRT_2_PI, pair_of(-a)));
    pair t = times_density(sum, a);
    pair above = fast_two_sum(SPLAT(1), -t.hi);
    above.lo = above.lo - t.lo;
    vec near = pair_round(pair_select(vec_less(x, SPLAT(0)), t, above));
    return or_far(near, vec_less(x, SPLAT(-NORMAL_NEAR)), gelu_derivative_far, x, p);
}
#endif

#endif
