/* Kinds that consist of straight lines, or whose derivative does: identity, relu, relu6, relu_squared, threshold,
 * leaky_relu, prelu, rrelu, softshrink, hardshrink, hardtanh, hardsigmoid, hardswish, hard_mish, sparse_plus,
 * sparse_sigmoid, abs, square, linear, bounded_relu, clipped_linear, clipped_gate, heaviside, sign. */
#ifndef SUGAR_KERNELS_KINDS_LINEAR_H
#define SUGAR_KERNELS_KINDS_LINEAR_H

#include "kernels/kinds/common.h"
#include "kernels/math/pairs.h"

static inline vec identity_value(vec x, const vec *p)
{
    (void)p;
    return x;
}
static inline vec identity_derivative(vec x, const vec *p)
{
    (void)p;
    return vec_keep_nan(x, SPLAT(1));
}

/* relu(-0) is -0. */
static inline vec relu_value(vec x, const vec *p)
{
    (void)p;
    return vec_max(SPLAT(0), x);
}
static inline vec relu_derivative(vec x, const vec *p)
{
    (void)p;
    return vec_step(x, SPLAT(0));
}
static inline vec relu_derivative_from_output(vec y, const vec *p) { return relu_derivative(y, p); }

static inline vec relu6_value(vec x, const vec *p)
{
    (void)p;
    return vec_min(SPLAT(6), vec_max(SPLAT(0), x));
}
static inline vec relu6_derivative(vec x, const vec *p)
{
    (void)p;
    return inside(x, SPLAT(0), SPLAT(6));
}
static inline vec relu6_derivative_from_output(vec y, const vec *p) { return relu6_derivative(y, p); }

static inline vec relu_squared_value(vec x, const vec *p)
{
    vec y = relu_value(x, p);
    return y * y;
}
static inline vec relu_squared_derivative(vec x, const vec *p) { return SPLAT(2) * relu_value(x, p); }
static inline vec relu_squared_second(vec x, const vec *p) { return SPLAT(2) * relu_derivative(x, p); }

static inline vec threshold_value(vec x, const vec *p) { return vec_select(vec_less_equal(x, p[0]), p[1], x); }
static inline vec threshold_derivative(vec x, const vec *p) { return step_at(x, p[0]); }

/* slope x where x <= 0, else x; slopes may differ from lane to lane. */
static inline vec lines_below(vec slope, vec x)
{
    /* With a slope of 0, x = -inf must give 0. */
    vec lowest = vec_select(vec_less(SPLAT(0), vec_abs(slope)), SPLAT(-INFINITY), SPLAT(-1));
    return vec_select(vec_less(SPLAT(0), x), x, slope * vec_max(lowest, x));
}

/* The same for one slope. In a narrow type the product rounds twice; what makes that right is in the slope
 * (activation/slope.c). */
static inline vec line_below(vec slope, vec x)
{
    if (!vec_any(vec_less_equal(slope, SPLAT(0))) && !vec_any(vec_less(SPLAT(1), slope)))
        return vec_max(slope * x, x);
    return lines_below(slope, x);
}

static inline vec leaky_relu_value(vec x, const vec *p) { return line_below(p[SUGAR_SLOPE], x); }
static inline vec leaky_relu_each_value(vec x, const vec *p) { return lines_below(p[0], x); }
static inline vec leaky_relu_derivative(vec x, const vec *p) { return vec_step(x, p[0]); }
static inline vec leaky_relu_derivative_from_output(vec y, const vec *p) { return leaky_relu_derivative(y, p); }

static inline vec leaky_relu_parameter_derivative(vec x, const vec *p)
{
    (void)p;
    return non_positive(x);
}

static inline vec prelu_parameter_derivative(vec x, const vec *p) { return leaky_relu_parameter_derivative(x, p); }
static inline vec prelu_value(vec x, const vec *p) { return leaky_relu_value(x, p); }
static inline vec prelu_each_value(vec x, const vec *p) { return leaky_relu_each_value(x, p); }
static inline vec prelu_derivative(vec x, const vec *p) { return leaky_relu_derivative(x, p); }
static inline vec prelu_derivative_from_output(vec y, const vec *p) { return leaky_relu_derivative(y, p); }

static inline vec rrelu_value(vec x, const vec *p) { return leaky_relu_value(x, p); }
static inline vec rrelu_derivative(vec x, const vec *p)
{
    vec slope = SPLAT(0.5) * (p[0] + p[1]);
    return leaky_relu_derivative(x, &slope);
}

static inline vec softshrink_value(vec x, const vec *p) { return x - vec_min(p[0], vec_max(-p[0], x)); }
static inline vec softshrink_derivative(vec x, const vec *p) { return step_at(vec_abs(x), p[0]); }

static inline vec hardshrink_value(vec x, const vec *p)
{
    return vec_select(vec_less_equal(vec_abs(x), p[0]), SPLAT(0), x);
}
static inline vec hardshrink_derivative(vec x, const vec *p) { return softshrink_derivative(x, p); }

static inline vec hardtanh_value(vec x, const vec *p) { return vec_min(p[1], vec_max(p[0], x)); }
static inline vec hardtanh_derivative(vec x, const vec *p) { return inside(x, p[0], p[1]); }
/* y was cut off at the bounds as elements, so they are rounded to elements here. */
static inline vec hardtanh_derivative_from_output(vec y, const vec *p)
{
    return inside(y, as_element(p[0]), as_element(p[1]));
}

/* A product with this pair takes half of the time of a division by 6 (f32, in cache: 0.21 ns an element, and 0.11). */
#define ONE_SIXTH PAIR(0x1.5555555555555p-3, 0x1.5555555555555p-57)

/* In a narrow type one fma is enough. 1/6 in f32 is above 1/6, so that x = -3 gives nothing positive; all results are
 * correctly rounded. */
static inline vec hardsigmoid_value(vec x, const vec *p)
{
    (void)p;
    if (NARROW)
        return vec_min(SPLAT(1), vec_max(SPLAT(0), vec_fma(x, SPLAT(1.0 / 6), SPLAT(0.5))));
    return times_pair(vec_min(SPLAT(6), vec_max(SPLAT(0), x + SPLAT(3))), ONE_SIXTH);
}
static inline vec hardsigmoid_derivative(vec x, const vec *p)
{
    (void)p;
    return vec_keep_nan(x, vec_select(vec_less_equal(SPLAT(3), vec_abs(x)), SPLAT(0), SPLAT(1.0 / 6)));
}

/* x t with t = (x + 3) / 6, between 0 and 1. One fma computes t = x c + 3 c, without cancellation near -3 if both c
 * and 3 c are exact. So c is not 1/6, but (1 - HARDSWISH_BIAS) / 6, which is a number of the type, as is its
 * triple; the product makes up for it, but in a narrow type, which that does not reach. */
#define HARDSWISH_BIAS PICK(0x1p-24, 0x1p-52)
static inline vec hardswish_value(vec x, const vec *p)
{
    (void)p;
    vec near = vec_max(SPLAT(-3), x);
    vec t = vec_fma(near, SPLAT((1 - HARDSWISH_BIAS) / 6), SPLAT((1 - HARDSWISH_BIAS) / 2));
    t = vec_min(SPLAT(1 - HARDSWISH_BIAS), t);
    vec y = near * t;
    if (!NARROW)
        y = vec_fma(near, t, SPLAT(HARDSWISH_BIAS) * near * t);
    return above_half(x, y);
}
static inline vec hardswish_derivative(vec x, const vec *p)
{
    (void)p;
    vec inner = (x + SPLAT(1.5)) * SPLAT(1.0 / 3);
    if (!NARROW)
        inner = times_pair(vec_fma(SPLAT(2), x, SPLAT(3)), ONE_SIXTH);
    vec outer = step_at(x, SPLAT(-3));
    return vec_select(vec_less(vec_abs(x), SPLAT(3)), inner, outer);
}

static inline vec hardswish_second(vec x, const vec *p)
{
    (void)p;
    return vec_keep_nan(x, vec_select(vec_less(vec_abs(x), SPLAT(3)), SPLAT(1.0 / 3), SPLAT(0)));
}

/* x + 2 loses nothing next to -2. */
static inline vec hard_mish_value(vec x, const vec *p)
{
    (void)p;
    vec gate = vec_min(SPLAT(2), vec_max(SPLAT(0), x + SPLAT(2)));
    return vec_max(SPLAT(-2), x) * (SPLAT(0.5) * gate);
}
static inline vec hard_mish_derivative(vec x, const vec *p)
{
    (void)p;
    return vec_select(vec_less(x, SPLAT(-2)), SPLAT(0), vec_min(SPLAT(1), x + SPLAT(1)));
}

static inline vec hard_mish_second(vec x, const vec *p)
{
    (void)p;
    vec above = vec_select(vec_less(x, SPLAT(0)), SPLAT(1), vec_keep_nan(x, SPLAT(0)));
    return vec_select(vec_less(x, SPLAT(-2)), SPLAT(0), above);
}

static inline vec sparse_sigmoid_value(vec x, const vec *p)
{
    (void)p;
    return SPLAT(0.5) * vec_min(SPLAT(2), vec_max(SPLAT(0), x + SPLAT(1)));
}
static inline vec sparse_sigmoid_derivative(vec x, const vec *p)
{
    (void)p;
    return SPLAT(0.5) * inside(x, SPLAT(-1), SPLAT(1));
}

static inline vec sparse_plus_value(vec x, const vec *p)
{
    (void)p;
    pair sum = two_sum(SPLAT(1), bounded(x, 1));
    vec inner = SPLAT(0.25) * vec_fma(sum.hi, sum.hi, (sum.hi + sum.hi) * sum.lo);
    return vec_select(vec_less(SPLAT(1), x), x, inner);
}
static inline vec sparse_plus_derivative(vec x, const vec *p) { return sparse_sigmoid_value(x, p); }
static inline vec sparse_plus_second(vec x, const vec *p) { return sparse_sigmoid_derivative(x, p); }
/* (x + 1) / 2 = sqrt(y) */
static inline vec sparse_plus_derivative_from_output(vec y, const vec *p)
{
    (void)p;
    return vec_sqrt(vec_min(SPLAT(1), vec_max(SPLAT(0), y)));
}

static inline vec abs_value(vec x, const vec *p)
{
    (void)p;
    return vec_abs(x);
}
static inline vec abs_derivative(vec x, const vec *p)
{
    (void)p;
    return vec_select(vec_less(x, SPLAT(0)), SPLAT(-1), where_positive(x, SPLAT(1), x));
}

static inline vec square_value(vec x, const vec *p)
{
    (void)p;
    return x * x;
}
static inline vec square_derivative(vec x, const vec *p)
{
    (void)p;
    return x + x;
}
static inline vec square_second(vec x, const vec *p)
{
    (void)p;
    return SPLAT(2) * vec_keep_nan(x, SPLAT(1));
}

/* slope x + offset, rounded once; x must be finite where slope is 0. */
static inline vec line(vec slope, vec x, vec offset)
{
    vec y = vec_fma(slope, x, offset);
    if (!NARROW)
        return y;
    pair product = two_product(slope, x), sum = two_sum(product.hi, offset);
    return last_rounding(y, (sum.hi - y) + (sum.lo + product.lo));
}

static inline vec linear_value(vec x, const vec *p)
{
    mask flat = vec_less_equal(vec_abs(p[0]), SPLAT(0));
    return line(p[0], vec_select(flat, bounded(x, 1), x), p[1]);
}
static inline vec linear_derivative(vec x, const vec *p)
{
    return vec_select(vec_less_equal(x, SPLAT(INFINITY)), p[0], x);
}

static inline vec bounded_relu_value(vec x, const vec *p)
{
    pair d = two_sum(x, -p[0]);
    vec below = lines_below(p[2], d.hi);
    if (NARROW)
        below = last_rounding(below, vec_fma(p[2], d.hi, -below) + p[2] * d.lo);
    return vec_select(vec_less_equal(x, p[0]), below, vec_min(p[1], x));
}
static inline vec bounded_relu_derivative(vec x, const vec *p)
{
    vec above = vec_select(vec_less(x, p[1]), SPLAT(1), vec_keep_nan(x, SPLAT(0)));
    return vec_select(vec_less_equal(x, p[0]), p[2], above);
}

static inline vec clipped_linear_value(vec x, const vec *p)
{
    return vec_min(SPLAT(1), vec_max(SPLAT(0), line(p[0], x, p[1])));
}

/* below where alpha x + beta <= 0, inner where it is below 1, above elsewhere: compared without rounding, and so far
 * from 0 that nothing underflows. Where x is NaN, inner. */
#define CLIPPED_SCALE 0x1p60
static inline vec clipped_choice(vec x, const vec *p, vec below, vec inner, vec above)
{
    vec scale = SPLAT(CLIPPED_SCALE), y = vec_fma(p[0], x * scale, p[1] * scale);
    pair product = two_product(p[0], x * scale), sum = two_sum(product.hi, p[1] * scale);
    vec excess = vec_select(vec_less(scale + scale, y), scale, (sum.hi - scale) + (sum.lo + product.lo));
    return vec_select(vec_less_equal(y, SPLAT(0)), below, vec_select(vec_less_equal(SPLAT(0), excess), above, inner));
}
static inline vec clipped_linear_derivative(vec x, const vec *p)
{
    return clipped_choice(x, p, SPLAT(0), linear_derivative(x, p), SPLAT(0));
}

/* alpha x^2 is positive, so a result next to beta x, which can be a middle, is above that. */
static inline vec clipped_gate_value(vec x, const vec *p)
{
    vec gate = vec_fma(p[0], x, p[1]), open = vec_min(SPLAT(1), vec_max(SPLAT(0), gate));
    vec y = vec_max(SPLAT(-FAR), x) * open;
    if (!NARROW)
        return y;
    pair product = two_product(p[0], x), sum = two_sum(product.hi, p[1]);
    vec gate_rest = (sum.hi - gate) + (sum.lo + product.lo), rest = vec_fma(x, gate, -y) + x * gate_rest;
    rest = vec_select(vec_less(SPLAT(0), vec_abs(rest)), rest, gate_rest * vec_copysign(SPLAT(1), x));
    mask between = vec_less(vec_select(vec_less(SPLAT(0), vec_abs(y)), gate, SPLAT(1)), SPLAT(1));
    return vec_select(between, last_rounding(y, rest), y);
}
static inline vec clipped_gate_derivative(vec x, const vec *p)
{
    return clipped_choice(x, p, SPLAT(0), line(p[0] + p[0], x, p[1]), SPLAT(1));
}
static inline vec clipped_gate_second(vec x, const vec *p)
{
    return clipped_choice(x, p, SPLAT(0), SPLAT(2) * linear_derivative(x, p), SPLAT(0));
}

static inline vec heaviside_value(vec x, const vec *p)
{
    vec up_to = vec_select(vec_less(x, p[0]), SPLAT(0), p[1]);
    return vec_select(vec_less_equal(x, p[0]), up_to, vec_keep_nan(x, SPLAT(1)));
}
static inline vec heaviside_derivative(vec x, const vec *p)
{
    (void)p;
    return vec_keep_nan(x, SPLAT(0));
}

static inline vec sign_value(vec x, const vec *p)
{
    vec other = vec_select(vec_less_equal(x, SPLAT(0)), p[0], x);       /* 0 or NaN */
    return vec_select(vec_less(x, SPLAT(0)), SPLAT(-1), where_positive(x, SPLAT(1), other));
}
static inline vec sign_derivative(vec x, const vec *p)
{
    (void)p;
    return vec_keep_nan(x, SPLAT(0));
}

/* Whether all results of a formula are elements, and so are their products with elements: x itself, small whole
 * numbers, NaN. Then a store need not round. Known when a kernel is compiled. */
ALWAYS_INLINE int is_exact(vec (*f)(vec, const vec *))
{
    return f == identity_value || f == relu_value || f == relu6_value || f == hardshrink_value || f == abs_value
           || f == abs_derivative || f == identity_derivative || f == relu_derivative
           || f == relu_derivative_from_output || f == relu6_derivative || f == relu6_derivative_from_output
           || f == threshold_derivative || f == softshrink_derivative || f == hardshrink_derivative
           || f == hardtanh_derivative || f == hardtanh_derivative_from_output || f == heaviside_derivative
           || f == sign_derivative;
}

#endif
