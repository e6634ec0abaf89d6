/* Surrogates for heaviside and sign have a derivative only, a spike at the threshold. This file has distances from it;
 * the spikes are in spike_power.h, spike_exponential.h, spike_bell.h and spike_piecewise.h, by their shape. */
#ifndef SUGAR_KERNELS_KINDS_SPIKE_H
#define SUGAR_KERNELS_KINDS_SPIKE_H

#include "kernels/kinds/common.h"

/* Beyond this |x| the derivatives are 0; up to it products are finite. */
#define SPIKE_LIMIT PICK(0x1p102, 0x1p600)

/* Whether the threshold is 0, as it mostly is, so that x is the distance: the same in a whole call, so that processors
 * predict it. (AVX2, AVX-512, ns an element with the sum for every threshold, and in this way: fast_sigmoid_spike 0.42
 * and 0.30, 0.37 and 0.26; atan_spike 0.42 and 0.36, 0.37 and 0.28. Other thresholds take as long as before, but
 * for atan_spike in f64, 0.82 and 0.86.) */
static inline int no_shift(const vec *p) { return !vec_any(vec_less(SPLAT(0), vec_abs(p[SUGAR_SHIFT]))); }

/* The distance from the threshold, exactly: for finite x; and for all x. */
static inline pair distance_of_finite(vec x, const vec *p)
{
    if (no_shift(p))
        return pair_of(x);
    return two_sum(x, -p[SUGAR_SHIFT]);
}

static inline pair distance(vec x, const vec *p) { return distance_of_finite(bounded(x, SPIKE_LIMIT), p); }

/* |distance|, exactly: for finite x; and for all x. */
static inline pair abs_distance_of_finite(vec x, const vec *p)
{
    if (no_shift(p))
        return pair_of(vec_abs(x));
    return two_sum(vec_max(p[SUGAR_SHIFT], x), -vec_min(p[SUGAR_SHIFT], x));
}

static inline pair abs_distance(vec x, const vec *p) { return abs_distance_of_finite(bounded(x, SPIKE_LIMIT), p); }

/* a, or limit where |a| is larger. */
static inline pair cut_pair(pair a, real limit)
{
    return pair_select(vec_less(SPLAT(limit), vec_abs(a.hi)), pair_of(SPLAT(limit)), a);
}

/* 1 - factor |d|, with the right sign and without losing digits where it is almost 0. */
static inline pair one_minus_product(vec factor, pair d)
{
    pair product = two_product(factor, d.hi), low = two_product(factor, d.lo);
    return pair_add(pair_add(two_sum(SPLAT(1), -product.hi), pair_of(-product.lo)), pair_negate(low));
}

/* The largest real that is not above a. */
static inline vec round_down(pair a)
{
    vec before = vec_fnma(vec_abs(a.hi), SPLAT(PICK(0x1.000004p-24, 0x1.0000000000002p-53)), a.hi);
    return vec_select(vec_less(a.lo, SPLAT(0)), before, a.hi);
}

#endif
