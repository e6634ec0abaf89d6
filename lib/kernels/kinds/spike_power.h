/* Spikes whose tails fall like a power of the distance: atan_spike, fast_sigmoid_spike. */
#ifndef SUGAR_KERNELS_KINDS_SPIKE_POWER_H
#define SUGAR_KERNELS_KINDS_SPIKE_POWER_H

#include "kernels/kinds/algebraic.h"
#include "kernels/kinds/spike.h"

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

RARE vec fast_sigmoid_far(vec x, const vec *p)
{
    pair d = pair_multiply(pair_of(p[0]), abs_distance(x, p));
    return pair_round(pair_square(pair_reciprocal(pair_add(pair_of(SPLAT(1)), d))));
}
static inline vec fast_sigmoid_spike_derivative(vec x, const vec *p)
{
    pair d = abs_distance_of_finite(x, p), sum = one_plus_product(p[0], d.hi);
    sum.lo = vec_fma(p[0], d.lo, sum.lo);
    vec near = divide_by_pair(SPLAT(1), pair_square(sum));
    return or_far(near, vec_less(SPLAT(ONE_PLUS_LIMIT), sum.hi), fast_sigmoid_far, x, p);
}

/* -2 slope / (1 + slope |d|)^3, with the sign of d. */
static inline vec fast_sigmoid_spike_second(vec x, const vec *p)
{
    pair z = pair_multiply(pair_of(p[0]), abs_distance(bounded(x, PICK(0x1p72, 0x1p420)), p));
    return falling(distance(x, p).hi, times_inverse_cube(p[0] + p[0], z));
}

#endif
