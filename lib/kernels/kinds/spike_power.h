/* Spikes whose tails fall like a power of the distance. */
#ifndef SUGAR_KERNELS_KINDS_SPIKE_POWER_H
#define SUGAR_KERNELS_KINDS_SPIKE_POWER_H

#include "kernels/kinds/algebraic.h"
#include "kernels/kinds/spike.h"
#include "kernels/math/log1p.h"

/* 1 / a^2 */
static inline vec inverse_square(pair a)
{
    pair r = pair_reciprocal(a);
    return product_of_pairs(r, r);
}

/* a b^3; in this order nothing underflows that the result does not. */
static inline vec times_cube(pair a, pair b) { return product_of_pairs(pair_multiply(pair_multiply(a, b), b), b); }

#define HALF_PI PAIR(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54)
/* (alpha/2) / (1 + z^2), z = pi alpha d / 2. Where z^2 could overflow z is scaled down, and the 1 is
 * negligible. */
RARE vec atan_far(vec x, const vec *p)
{
    pair d = distance(x, p);
    mask far_out = vec_less(SPLAT(0x1p40), vec_abs(d.hi));
    vec scale = vec_select(far_out, SPLAT(PICK(0x1p-64, 0x1p-320)), SPLAT(1));
    pair z = pair_multiply(pair_multiply(HALF_PI, pair_of(p[0])), pair_scale(d, scale));
    pair one = pair_of(vec_select(far_out, SPLAT(0), SPLAT(1)));
    pair r = pair_reciprocal(pair_add(one, pair_square(z)));
    return times_pair(SPLAT(0.5) * p[0], r) * scale * scale;
}
static inline vec atan_spike_derivative(vec x, const vec *p)
{
    pair z = pair_multiply(distance_of_finite(x, p), pair_multiply(HALF_PI, pair_of(p[0])));
    pair sum = one_plus_product(z.hi, z.hi);
    sum.lo = vec_fma(z.hi + z.hi, z.lo, sum.lo);
    vec near = divide_by_pair(SPLAT(0.5) * p[0], sum);
    return or_far(near, vec_less(SPLAT(ONE_PLUS_SQUARE_LIMIT), vec_abs(z.hi)), atan_far, x, p);
}

/* -alpha k^2 d / (1 + z^2)^2 with k = pi alpha / 2 and z = k d; far out, where the 1 is negligible, -alpha k / z^3. */
static inline vec atan_spike_second(vec x, const vec *p)
{
    pair d = distance(x, p), k = pair_multiply(HALF_PI, pair_of(p[0])), z = pair_multiply(k, d);
    pair height = pair_multiply(pair_of(-p[0]), k), one = pair_of(SPLAT(1));
    mask far_out = vec_less(SPLAT(PICK(0x1p16, 0x1p32)), vec_abs(z.hi));
    pair r = pair_reciprocal(pair_add(one, pair_square(pair_select(far_out, one, z))));
    pair inner = pair_multiply(pair_multiply(height, r), pair_multiply(k, r));
    pair q = pair_reciprocal(pair_select(far_out, z, one)), outer = pair_multiply(pair_multiply(height, q), q);
    return product_of_pairs(pair_select(far_out, outer, inner), pair_select(far_out, q, d));
}

/* 1 + slope |d|: up to ONE_PLUS_LIMIT; and everywhere, its reciprocal. */
static inline pair one_plus_distance(vec slope, vec x, const vec *p)
{
    pair d = abs_distance_of_finite(x, p), sum = one_plus_product(slope, d.hi);
    return (pair){sum.hi, vec_fma(slope, d.lo, sum.lo)};
}
static inline pair one_plus_distance_reciprocal(vec slope, vec x, const vec *p)
{
    pair d = pair_multiply(pair_of(slope), abs_distance(x, p));
    return pair_reciprocal(pair_add(pair_of(SPLAT(1)), d));
}

RARE vec fast_sigmoid_far(vec x, const vec *p)
{
    return pair_round(pair_square(one_plus_distance_reciprocal(p[0], x, p)));
}
static inline vec fast_sigmoid_spike_derivative(vec x, const vec *p)
{
    pair sum = one_plus_distance(p[0], x, p);
    vec near = divide_by_pair(SPLAT(1), pair_square(sum));
    return or_far(near, vec_less(SPLAT(ONE_PLUS_LIMIT), sum.hi), fast_sigmoid_far, x, p);
}

/* -2 height slope / (1 + slope |d|)^3, with the sign of d. */
static inline vec inverse_square_second(vec height, vec slope, vec x, const vec *p)
{
    pair r = one_plus_distance_reciprocal(slope, x, p), factor = two_product(height + height, slope);
    return falling(distance(x, p).hi, times_cube(factor, r));
}

static inline vec fast_sigmoid_spike_second(vec x, const vec *p) { return inverse_square_second(SPLAT(1), p[0], x, p); }

RARE vec super_far(vec x, const vec *p)
{
    pair r = one_plus_distance_reciprocal(p[1], x, p);
    return pair_round(pair_multiply(pair_multiply(pair_of(p[0]), r), r));
}
static inline vec super_spike_derivative(vec x, const vec *p)
{
    pair sum = one_plus_distance(p[1], x, p);
    vec near = divide_by_pair(p[0], pair_square(sum));
    return or_far(near, vec_less(SPLAT(ONE_PLUS_LIMIT), sum.hi), super_far, x, p);
}

static inline vec super_spike_second(vec x, const vec *p) { return inverse_square_second(p[0], p[1], x, p); }

/* Up to there it is 0. */
static inline vec sparse_edge(const vec *p) { return round_down(two_sum(p[SUGAR_SHIFT], p[1])); }
static inline vec sparse_fast_sigmoid_spike_derivative(vec x, const vec *p)
{
    return vec_select(vec_less_equal(x, sparse_edge(p)), SPLAT(0), fast_sigmoid_spike_derivative(x, p));
}

static inline vec sparse_fast_sigmoid_spike_second(vec x, const vec *p)
{
    return vec_select(vec_less_equal(x, sparse_edge(p)), SPLAT(0), fast_sigmoid_spike_second(x, p));
}

/* Spikes whose tails fall like 1 / d have a near formula for finite distances; beyond this |x| they are c / d, to the
 * last digit, with the distance rounded. */
#define HYPERBOLA_FAR 0x1p100
ALWAYS_INLINE vec or_hyperbola(vec near, vec (*far_formula)(vec, const vec *), vec x, const vec *p)
{
    return or_far(near, vec_less(SPLAT(HYPERBOLA_FAR), vec_abs(x)), far_formula, x, p);
}
RARE vec inverse_distance_far(vec x, const vec *p) { return SPLAT(1) / vec_abs(x - p[SUGAR_SHIFT]); }

/* 1 / (1 / alpha + |d|) */
static inline vec nonzero_sign_log_abs_spike_derivative(vec x, const vec *p)
{
    pair sum = pair_add(pair_reciprocal(pair_of(p[0])), abs_distance_of_finite(x, p));
    return or_hyperbola(divide_by_pair(SPLAT(1), sum), inverse_distance_far, x, p);
}

static inline vec nonzero_sign_log_abs_spike_second(vec x, const vec *p)
{
    pair d = distance(x, p), sum = pair_add(pair_reciprocal(pair_of(p[0])), pair_abs(d));
    return falling(d.hi, inverse_square(sum));
}

/* Distances below 1e-7 become 1e-7, as 1 / d must be finite: alpha is less than that. */
static inline vec fake_numerical_gradient_spike_derivative(vec x, const vec *p)
{
    pair d = abs_distance_of_finite(x, p);
    d.hi = vec_max(SPLAT(1e-7), d.hi);
    vec near = vec_min(p[0], divide_by_pair(SPLAT(1), d));
    return or_hyperbola(near, inverse_distance_far, x, p);
}

/* As PyTorch's clamp_max, the slope of 1 / |d| where that is alpha. */
static inline vec fake_numerical_gradient_spike_second(vec x, const vec *p)
{
    pair d = distance(x, p), a = pair_abs(d);
    mask flat = vec_less(SPLAT(0), one_minus_product(p[0], a).hi);
    vec steep = falling(d.hi, inverse_square(pair_select(flat, pair_of(SPLAT(1)), a)));
    return vec_select(flat, SPLAT(0), steep);
}

static inline vec log_tailed_relu_spike_derivative(vec x, const vec *p)
{
    pair d = distance_of_finite(x, p);
    d = pair_select(vec_less(d.hi, SPLAT(1)), pair_of(SPLAT(1)), d);
    vec near = or_hyperbola(vec_min(SPLAT(1), divide_by_pair(SPLAT(1), d)), inverse_distance_far, x, p);
    return vec_select(vec_less_equal(x, p[SUGAR_SHIFT]), p[0], near);
}

static inline vec log_tailed_relu_spike_second(vec x, const vec *p)
{
    pair d = distance(x, p);
    mask flat = vec_less_equal((d.hi - SPLAT(1)) + d.lo, SPLAT(0));
    vec steep = -inverse_square(pair_select(flat, pair_of(SPLAT(1)), d));
    return vec_select(flat, SPLAT(0), steep);
}

/* w^-0.5, w = 1 + z^2. With r = 1 / q, q the rounded root of w, it is r (1 + (1 - r q) - r^2 (w - q^2) / 2). Beyond
 * CIRC_LIMIT, where z is cut, its cube is 0. */
#define CIRC_LIMIT PICK(0x1p51, 0x1p400)
static inline pair circ_root(pair z)
{
    pair w = pair_add(pair_of(SPLAT(1)), pair_square(cut_pair(z, CIRC_LIMIT)));
    vec q = vec_sqrt(w.hi), r = SPLAT(1) / q, rest = vec_fnma(q, q, w.hi) + w.lo;
    return (pair){r, r * vec_fnma(SPLAT(0.5) * r * r, rest, vec_fnma(r, q, SPLAT(1)))};
}
static inline vec circ_spike_derivative(vec x, const vec *p)
{
    pair t = circ_root(pair_multiply(distance(x, p), pair_reciprocal(pair_of(p[0]))));
    return pair_round(pair_multiply(pair_square(t), t));
}

/* -3 d / alpha^2 w^-2.5; z may be subnormal where d is not, so it is not a factor. */
static inline vec circ_spike_second(vec x, const vec *p)
{
    pair inverse = pair_reciprocal(pair_of(p[0])), d = distance(x, p), z = pair_multiply(d, inverse), t = circ_root(z);
    d = pair_select(vec_less(SPLAT(CIRC_LIMIT), vec_abs(z.hi)), pair_of(SPLAT(0)), d);
    pair factor = pair_multiply(pair_multiply(pair_of(SPLAT(-3)), pair_square(inverse)), d);
    return times_cube(pair_multiply(factor, pair_square(t)), t);
}

/* height w^-exponent = height 2^-y, in f64 height exp(-y), w = 1 + 2 |d| / (alpha - 1). Large distances are divided by
 * Q_SCALE, so that w is finite; there the 1 is negligible. */
#define Q_LARGE PICK(0x1p100, 0x1p400)
#define Q_SCALE PICK(0x1p64, 0x1p256)
#define LOG_Q_SCALE                                                                                                    \
    PICK(PAIR(0x1.62e42fefa39efp+5, 0x1.abc9e3b39803fp-50), PAIR(0x1.62e42fefa39efp+7, 0x1.abc9e3b39803fp-48))
static inline vec q_pseudo_power(pair height, pair exponent, vec x, const vec *p)
{
    const real largest = PICK(FLT_MAX, DBL_MAX);
    pair d = abs_distance_of_finite(bounded(x, largest), p);
    mask large = vec_less(SPLAT(Q_LARGE), d.hi);
    d = pair_scale(d, vec_select(large, SPLAT(1 / Q_SCALE), SPLAT(1)));
    pair ratio = pair_multiply(d, pair_divide(pair_of(SPLAT(2)), two_sum(p[0], SPLAT(-1))));
    pair w = pair_add(pair_of(vec_select(large, SPLAT(0), SPLAT(1))), ratio);
    pair log_w = pair_add(log_of(w), pair_select(large, LOG_Q_SCALE, pair_of(SPLAT(0))));
    pair y = pair_multiply(exponent, log_w);
    if (REAL_BITS == 32)
        y = pair_multiply(y, PAIR(0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56));
    mask zero =
        vec_less(vec_select(vec_less(SPLAT(largest), vec_abs(x)), SPLAT(-1), SPLAT(DECAY_LIMIT) - y.hi), SPLAT(0));
    exp_factors e = decay(height, y);
    return vec_select(zero, SPLAT(0), vec_fma(e.power, e.p, e.power)) * SPLAT(DECAY_SCALE);
}
static inline vec q_pseudo_spike_derivative(vec x, const vec *p)
{
    return q_pseudo_power(pair_of(SPLAT(1)), pair_of(p[0]), x, p);
}

/* -2 alpha / (alpha - 1) w^-(alpha + 1), with the sign of d. */
static inline vec q_pseudo_spike_second(vec x, const vec *p)
{
    pair height = pair_divide(pair_of(p[0] + p[0]), two_sum(p[0], SPLAT(-1)));
    return falling(distance(x, p).hi, q_pseudo_power(height, two_sum(p[0], SPLAT(1)), x, p));
}

#endif
