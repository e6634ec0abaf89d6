/* Spikes whose tails fall exponentially; one has such a tail on one side only. */
#ifndef SUGAR_KERNELS_KINDS_SPIKE_EXPONENTIAL_H
#define SUGAR_KERNELS_KINDS_SPIKE_EXPONENTIAL_H

#include "kernels/kinds/spike.h"
#include "kernels/kinds/spike_power.h"
#include "kernels/math/logistic.h"

/* height exp(-rate d) for d >= 0. Spikes of f32 have one formula for all finite d, others far_formula, which is
 * exponential_spike_far, for tails; their d is bounded. */
#if REAL_BITS == 32 && !NARROW
ALWAYS_INLINE vec exponential_spike(pair height, vec rate, pair d, vec (*far_formula)(vec, const vec *), vec x,
                                    const vec *p)
{
    (void)far_formula, (void)x, (void)p;
    pair log2_e = PAIR(0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56), rate_of_2 = pair_multiply(log2_e, pair_of(rate));
    exp_factors e = decay_of_product(height, d, rate_of_2);
    vec raised = vec_fma(e.power, e.p, e.power), y = rate_of_2.hi * d.hi;
    if (is_rare(vec_less(SPLAT(104), y)))       /* up to there it is normal, as height is at least 2^-21 */
        return vec_select(vec_less(SPLAT(DECAY_LIMIT), y), SPLAT(0), lowered(raised));
    return raised * SPLAT(DECAY_SCALE);
}
#else
ALWAYS_INLINE vec exponential_spike(pair height, vec rate, pair d, vec (*far_formula)(vec, const vec *), vec x,
                                    const vec *p)
{
    pair y = pair_multiply(pair_of(-rate), d);
    return or_far(times_exp(height, exp_near_pair(y)), vec_less(y.hi, SPLAT(-EXP_NEAR)), far_formula, x, p);
}
#endif

static inline vec exponential_spike_far(pair height, vec rate, pair d)
{
    scaled e = exp_of_negative(pair_negate(pair_multiply(pair_of(rate), d)));
    return pair_round(pair_multiply(height, e.value)) * e.scale;
}

/* height rate exp(-rate |d|), with the sign of -d. */
static inline vec exponential_spike_second(pair height, vec rate, pair d)
{
    return falling(d.hi, exponential_spike_far(pair_multiply(height, pair_of(rate)), rate, pair_abs(d)));
}

/* |d|, as exponential_spike needs it. */
static inline pair exponential_distance(vec x, const vec *p)
{
    return REAL_BITS == 32 && !NARROW ? abs_distance_of_finite(x, p) : abs_distance(x, p);
}

static inline pair slayer_height(const vec *p) { return two_product(SPLAT(0.5) * p[0], p[1]); }
RARE vec slayer_far(vec x, const vec *p) { return exponential_spike_far(slayer_height(p), p[0], abs_distance(x, p)); }
static inline vec slayer_spike_derivative(vec x, const vec *p)
{
    return exponential_spike(slayer_height(p), p[0], exponential_distance(x, p), slayer_far, x, p);
}

static inline vec slayer_spike_second(vec x, const vec *p)
{
    return exponential_spike_second(slayer_height(p), p[0], distance(x, p));
}

/* The distance from the center, which is measured from the threshold. */
static inline pair distance_from_center(vec x, const vec *p) { return pair_add(distance(x, p), pair_of(-p[2])); }
RARE vec rate_escape_far(vec x, const vec *p)
{
    return exponential_spike_far(pair_of(p[1]), p[0], pair_abs(distance_from_center(x, p)));
}
static inline vec rate_escape_spike_derivative(vec x, const vec *p)
{
    return exponential_spike(pair_of(p[1]), p[0], pair_abs(distance_from_center(x, p)), rate_escape_far, x, p);
}

static inline vec rate_escape_spike_second(vec x, const vec *p)
{
    return exponential_spike_second(pair_of(p[1]), p[0], distance_from_center(x, p));
}

/* height s(y) s(-y), y = rate |d|; far_formula is logistic_spike_far. */
#if REAL_BITS == 32 && !NARROW
ALWAYS_INLINE vec logistic_spike(vec height, vec rate, vec (*far_formula)(vec, const vec *), vec x, const vec *p)
{
    pair log2_e = PAIR(0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56), rate_of_2 = pair_multiply(log2_e, pair_of(-rate));
    pair d = abs_distance_of_finite(x, p);
    mask far = vec_less(SPLAT(64) / rate, d.hi);
    d.hi = vec_select(far, SPLAT(0), d.hi);     /* else numbers that nobody needs would be subnormal */
    exp_factors e = exp2_of_minus_product(d, rate_of_2, SPLAT(0), VEC_ROUNDER);
    vec near = times_pair(height, logistic_derivative_near(e));
    return or_far(near, far, far_formula, x, p);
}
/* For y > 64 that is height exp(-y). */
static inline vec logistic_spike_far(vec height, vec rate, vec x, const vec *p)
{
    return exponential_spike(pair_of(height), rate, abs_distance_of_finite(x, p), NULL, x, p);
}
#else
ALWAYS_INLINE vec logistic_spike(vec height, vec rate, vec (*far_formula)(vec, const vec *), vec x, const vec *p)
{
    pair y = pair_multiply(pair_of(rate), abs_distance(x, p));
    vec near = times_pair(height, logistic_derivative_near(exp_near_pair(y)));
    return or_far(near, vec_less(SPLAT(EXP_NEAR), y.hi), far_formula, x, p);
}
static inline vec logistic_spike_far(vec height, vec rate, vec x, const vec *p)
{
    scaled s = logistic_derivative(pair_multiply(pair_of(rate), distance(x, p)));
    return times_pair(height, s.value) * s.scale;
}
#endif

/* factor s''(y), where factor is height rate; for small y, which may be subnormal, the line -factor rate d / 8. */
#define LOGISTIC_SPIKE_LINE PICK(0x1p-20, 0x1p-32)
static inline vec logistic_spike_second(pair factor, vec rate, vec x, const vec *p)
{
    pair a = abs_distance(x, p), y = pair_multiply(pair_of(rate), a);
    vec line = product_of_pairs(pair_scale(pair_multiply(factor, pair_of(rate)), SPLAT(0.125)), a);
    vec curve = times_logistic_fall(factor, y);
    return vec_copysign(vec_select(vec_less(y.hi, SPLAT(LOGISTIC_SPIKE_LINE)), line, curve), -distance(x, p).hi);
}

RARE vec sigmoid_spike_far(vec x, const vec *p) { return logistic_spike_far(p[0], p[0], x, p); }
static inline vec sigmoid_spike_derivative(vec x, const vec *p)
{
    return logistic_spike(p[0], p[0], sigmoid_spike_far, x, p);
}
static inline vec sigmoid_spike_second(vec x, const vec *p)
{
    return logistic_spike_second(pair_square(pair_of(p[0])), p[0], x, p);
}

/* 4 s(2 alpha d) s(-2 alpha d) */
RARE vec tanh_spike_far(vec x, const vec *p) { return logistic_spike_far(SPLAT(4), p[0] + p[0], x, p); }
static inline vec tanh_spike_derivative(vec x, const vec *p)
{
    return logistic_spike(SPLAT(4), p[0] + p[0], tanh_spike_far, x, p);
}

static inline vec tanh_spike_second(vec x, const vec *p)
{
    return logistic_spike_second(pair_of(SPLAT(8) * p[0]), p[0] + p[0], x, p);
}

/* Each side is computed for all x, with the threshold in place of those of the other side. */
RARE vec s2nn_far(vec x, const vec *p) { return p[1] / vec_abs(x - p[SUGAR_SHIFT]); }
static inline vec s2nn_spike_derivative(vec x, const vec *p)
{
    vec threshold = p[SUGAR_SHIFT], above = vec_max(threshold, x);
    pair sum = pair_add(pair_of(SPLAT(1)), distance_of_finite(above, p));
    vec right = or_hyperbola(divide_by_pair(p[1], sum), s2nn_far, above, p);
    return vec_select(vec_less(x, threshold), sigmoid_spike_derivative(vec_min(threshold, x), p), right);
}

static inline vec s2nn_spike_second(vec x, const vec *p)
{
    vec threshold = p[SUGAR_SHIFT];
    pair r = pair_reciprocal(pair_add(pair_of(SPLAT(1)), distance(vec_max(threshold, x), p)));
    vec right = product_of_pairs(pair_multiply(pair_of(-p[1]), r), r);
    return vec_select(vec_less(x, threshold), sigmoid_spike_second(vec_min(threshold, x), p), right);
}

#endif
