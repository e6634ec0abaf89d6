/* Spikes whose tails fall exponentially: slayer_spike, sigmoid_spike. */
#ifndef SUGAR_KERNELS_KINDS_SPIKE_EXPONENTIAL_H
#define SUGAR_KERNELS_KINDS_SPIKE_EXPONENTIAL_H

#include "kernels/kinds/spike.h"
#include "kernels/math/logistic.h"

#if REAL_BITS == 32 && !NARROW
/* height exp(-alpha |distance|) with alpha = p[0]; a normal number while alpha |distance| <= 72, as height is at least
 * 2^-21. */
static inline vec exponential_spike(pair height, vec x, const vec *p)
{
    pair log2_e = PAIR(0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56), rate = pair_multiply(log2_e, pair_of(p[0]));
    pair d = abs_distance_of_finite(x, p);
    exp_factors e = decay_of_product(height, d, rate);
    vec raised = vec_fma(e.power, e.p, e.power), y = rate.hi * d.hi;
    if (is_rare(vec_less(SPLAT(104), y)))
        return vec_select(vec_less(SPLAT(DECAY_LIMIT), y), SPLAT(0), lowered(raised));
    return raised * SPLAT(DECAY_SCALE);
}

static inline vec slayer_spike_derivative(vec x, const vec *p)
{
    return exponential_spike(two_product(SPLAT(0.5) * p[0], p[1]), x, p);
}
#else
RARE vec slayer_far(vec x, const vec *p)
{
    pair y = pair_multiply(pair_of(p[0]), abs_distance(x, p));
    scaled e = exp_of_negative(pair_negate(y));
    pair height = two_product(SPLAT(0.5) * p[0], p[1]);
    return pair_round(pair_multiply(height, e.value)) * e.scale;
}

static inline vec slayer_spike_derivative(vec x, const vec *p)
{
    pair y = pair_multiply(pair_of(-p[0]), abs_distance(x, p));
    vec near = times_exp(two_product(SPLAT(0.5) * p[0], p[1]), exp_near_pair(y));
    return or_far(near, vec_less(y.hi, SPLAT(-EXP_NEAR)), slayer_far, x, p);
}
#endif

/* c alpha^2 / 2 exp(-alpha |d|), with the sign of -d. */
static inline vec slayer_spike_second(vec x, const vec *p)
{
    scaled e = exp_of_negative(pair_multiply(pair_of(-p[0]), abs_distance(x, p)));
    pair height = pair_multiply(two_product(SPLAT(0.5) * p[0], p[1]), pair_of(p[0]));
    return falling(distance(x, p).hi, pair_sum(pair_multiply(height, e.value)) * e.scale);
}

#if REAL_BITS == 32 && !NARROW
/* alpha s(y) s(-y), y = alpha |distance|: for y > 64 that is alpha exp(-y). */
RARE vec sigmoid_spike_far(vec x, const vec *p) { return exponential_spike(pair_of(p[0]), x, p); }
static inline vec sigmoid_spike_derivative(vec x, const vec *p)
{
    pair log2_e = PAIR(0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56), rate = pair_multiply(log2_e, pair_of(-p[0]));
    pair d = abs_distance_of_finite(x, p);
    mask far = vec_less(SPLAT(64) / p[0], d.hi);
    d.hi = vec_select(far, SPLAT(0), d.hi);     /* else numbers that nobody needs would be subnormal */
    exp_factors e = exp2_of_minus_product(d, rate, SPLAT(0), VEC_ROUNDER);
    vec near = times_pair(p[0], logistic_derivative_near(e));
    return or_far(near, far, sigmoid_spike_far, x, p);
}
#else
RARE vec sigmoid_spike_far(vec x, const vec *p)
{
    scaled s = logistic_derivative(pair_multiply(pair_of(p[0]), distance(x, p)));
    return times_pair(p[0], s.value) * s.scale;
}
static inline vec sigmoid_spike_derivative(vec x, const vec *p)
{
    pair y = pair_multiply(pair_of(p[0]), abs_distance(x, p));
    vec near = times_pair(p[0], logistic_derivative_near(exp_near_pair(y)));
    return or_far(near, vec_less(SPLAT(EXP_NEAR), y.hi), sigmoid_spike_far, x, p);
}
#endif

/* alpha^2 s''(y) with y = alpha d; for small y, which may be subnormal, the line -alpha^3 d / 8. */
#define SIGMOID_SPIKE_LINE PICK(0x1p-20, 0x1p-32)
static inline vec sigmoid_spike_second(vec x, const vec *p)
{
    pair a = abs_distance(x, p), alpha = pair_of(p[0]), y = pair_multiply(alpha, a), square = pair_square(alpha);
    vec line = product_of_pairs(pair_scale(pair_multiply(square, alpha), SPLAT(0.125)), a);
    vec curve = times_logistic_fall(square, y);
    return vec_copysign(vec_select(vec_less(y.hi, SPLAT(SIGMOID_SPIKE_LINE)), line, curve), -distance(x, p).hi);
}

#endif
