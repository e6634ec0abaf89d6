/* Spikes of straight pieces. */
#ifndef SUGAR_KERNELS_KINDS_SPIKE_PIECEWISE_H
#define SUGAR_KERNELS_KINDS_SPIKE_PIECEWISE_H

#include "kernels/kinds/spike.h"

/* gamma (edge - x), and what its rounding lost. */
static inline pair triangle_side(pair edge, vec x, vec gamma)
{
    vec d = edge.hi - x, lo = gamma * edge.lo, y = vec_fma(gamma, d, lo);
    return (pair){y, vec_fma(gamma, d, lo - y)};
}

/* The lesser of two lines, which begin at the edges of the triangle. The edges are exact. */
static inline vec triangle_spike_derivative(vec x, const vec *p)
{
    pair below = triangle_side(two_sum(SPLAT(1), -p[SUGAR_SHIFT]), -x, p[0]);
    pair above = triangle_side(two_sum(SPLAT(1), p[SUGAR_SHIFT]), x, p[0]);
    vec rest = vec_select(vec_less(below.hi, above.hi), below.lo, above.lo);
    return vec_max(SPLAT(0), round_to_odd(vec_min(below.hi, above.hi), rest));
}

/* gamma inside the triangle, with the sign of -d. */
static inline vec triangle_spike_second(vec x, const vec *p)
{
    pair a = abs_distance(x, p);
    mask inner = vec_less((a.hi - SPLAT(1)) + a.lo, SPLAT(0));
    return vec_select(inner, falling(distance(x, p).hi, p[0]), zero_second(x, p));
}

static inline vec piecewise_quadratic_spike_derivative(vec x, const vec *p)
{
    pair h = one_minus_product(p[0], abs_distance(x, p));
    vec lo = p[0] * h.lo, y = vec_fma(p[0], h.hi, lo);
    return vec_max(SPLAT(0), round_to_odd(y, vec_fma(p[0], h.hi, lo - y)));
}

/* alpha^2 inside, with the sign of -d; 0 at the edges, as that of relu at 0. */
static inline vec piecewise_quadratic_spike_second(vec x, const vec *p)
{
    mask inner = vec_less(SPLAT(0), one_minus_product(p[0], abs_distance(x, p)).hi);
    return vec_select(inner, falling(distance(x, p).hi, p[0] * p[0]), zero_second(x, p));
}

static inline vec box_spike_derivative(vec x, const vec *p)
{
    vec upper = round_down(two_sum(p[SUGAR_SHIFT], p[0])), lower = -round_down(two_sum(p[0], -p[SUGAR_SHIFT]));
    vec one = vec_fma(SPLAT(0), x, SPLAT(1));   /* NaN if x is NaN */
    return vec_select(vec_less(upper, x), SPLAT(0), vec_select(vec_less(x, lower), SPLAT(0), one));
}

static inline vec leaky_k_relu_spike_derivative(vec x, const vec *p)
{
    vec above = vec_select(vec_less_equal(p[SUGAR_SHIFT], x), p[1], x); /* x if it is NaN */
    return vec_select(vec_less(x, p[SUGAR_SHIFT]), p[0], above);
}

static inline vec piecewise_leaky_relu_spike_derivative(vec x, const vec *p)
{
    vec upper = -round_down(two_sum(-p[SUGAR_SHIFT], -p[0])), lower = round_down(two_sum(p[SUGAR_SHIFT], -p[0]));
    vec between = vec_fma(SPLAT(0), x, SPLAT(0.5) / p[0]); /* NaN if x is NaN */
    return vec_select(vec_less_equal(upper, x), p[1], vec_select(vec_less_equal(x, lower), p[1], between));
}

#endif
