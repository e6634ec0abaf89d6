/* Periodic functions: sin, snake. For an infinite x the sine has no limit; it counts as its mean, 0. */
#ifndef SUGAR_KERNELS_KINDS_PERIODIC_H
#define SUGAR_KERNELS_KINDS_PERIODIC_H

#include "kernels/kinds/common.h"
#include "kernels/math/sine.h"

#define LARGEST PICK(FLT_MAX, DBL_MAX)

static inline vec sin_value(vec x, const vec *p)
{
    pair s = sine_of(sine_angle(x, p[0], 0));
    vec y = s.hi + s.lo;
    return just_below(y, s.lo - (y - s.hi));
}

/* omega cos(omega x) */
static inline vec sin_derivative(vec x, const vec *p)
{
    pair cosine = sine_of(sine_angle(x, p[0], (real)0.5));
    return times_pair(p[0], fast_two_sum(cosine.hi, cosine.lo));
}

/* -omega^2 sin(omega x); close to 0, where the angle may be subnormal and the result not, -omega^3 x. */
static inline vec sin_second(vec x, const vec *p)
{
    pair s = sine_of(sine_angle(x, p[0], 0)), square = two_product(p[0], p[0]);
    vec y = pair_sum(pair_multiply(square, fast_two_sum(s.hi, s.lo)));
    mask little = vec_less(vec_abs(x * p[0]), SPLAT(PICK(0x1p-30, 0x1p-60)));
    return -vec_select(little, times_pair(x, pair_multiply(square, pair_of(p[0]))), y);
}

/* sin(r)^2, beyond pi/4 as 1 - sin(pi/2 - |r|)^2. */
static inline pair sine_squared(pair r)
{
    pair half_pi = PAIR(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54), a = pair_abs(r);
    mask steep = vec_less(SPLAT(0.78), a.hi);
    pair left = {half_pi.hi - a.hi, half_pi.lo - a.lo};
    pair s = sine_of(pair_select(steep, left, a)), square = pair_square(fast_two_sum(s.hi, s.lo));
    pair rest = fast_two_sum(SPLAT(1), -square.hi);
    return pair_select(steep, (pair){rest.hi, rest.lo - square.lo}, square);
}

/* x + sin(alpha x)^2 / alpha. The two terms may cancel, to a quarter of x at most. */
static inline vec snake_value(vec x, const vec *p)
{
    pair hump = pair_multiply(sine_squared(sine_angle(x, p[0], 0)), pair_reciprocal(pair_of(p[0])));
    pair sum = two_sum(x, hump.hi);
    return vec_select(vec_less(SPLAT(LARGEST), vec_abs(x)), x, sum.hi + (sum.lo + hump.lo));
}

/* 1 + sin(2 alpha x) = 2 sin(alpha x + pi/4)^2 */
static inline vec snake_derivative(vec x, const vec *p)
{
    pair square = sine_squared(sine_angle(x, p[0], (real)0.25));
    vec d = SPLAT(2) * pair_round(square);
    return vec_select(vec_less(SPLAT(LARGEST), vec_abs(x)), SPLAT(1), d);
}

/* 2 alpha cos(2 alpha x) */
static inline vec snake_second(vec x, const vec *p)
{
    vec factor = p[0] + p[0];
    pair cosine = sine_of(sine_angle(x, factor, (real)0.5));
    return times_pair(factor, fast_two_sum(cosine.hi, cosine.lo));
}

#endif
