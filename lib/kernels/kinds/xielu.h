/* xielu: alpha_p x^2 + beta x for x > 0, else alpha_n (expm1(x) - x) + beta x. */
#ifndef SUGAR_KERNELS_KINDS_XIELU_H
#define SUGAR_KERNELS_KINDS_XIELU_H

#include "kernels/kinds/common.h"
#include "kernels/kinds/exponential.h"
#include "kernels/kinds/linear.h"
#include "kernels/math/triples.h"

/* With g(x) = expm1(x) / x - 1, for x <= 0:
 *     f(x) = x (beta + alpha_n g(x)),  f'(x) = beta + alpha_n x (1 + g(x)).
 * If beta < alpha_n, the terms of each cancel at one x below 0. Pairs leave enough digits but next to it: where a sum
 * is less than XIELU_CLOSE beta, it is computed anew, in triples.
 *
 * g comes from its power series at y = x / 2^XIELU_DOUBLINGS, and from
 *     g(2y) = g(y) + y/2 (1 + g(y))^2,
 * where the terms have one sign, and an error of g(y) gets smaller. Below -XIELU_LIMIT expm1(x) is -1, to all digits
 * that a triple has use for. */
#define XIELU_CLOSE PICK(0x1p-14, 0x1p-40)
#define XIELU_LIMIT PICK(45, 90)
#define XIELU_FIRST 0x1p-7
enum { XIELU_DOUBLINGS = 7 };

static inline vec xielu_argument(vec x) { return vec_max(SPLAT(-XIELU_LIMIT), non_positive(x)); }

/* y (1/2 + y/6 + ...). Times N!, the coefficients are whole numbers and reals, down to that of y^(N-1), which is 1;
 * for what follows it a real is enough. */
enum { XIELU_N = PICK(9, 18), XIELU_LAST = PICK(14, 28) };
#define XIELU_INVERSE PAIR(PICK(0x1.71de3a556c734p-19, 0x1.6827863b97d97p-53), 0x1.eec01221a8b0bp-107) /* 1 / N! */
static inline pair xielu_series(vec y)
{
    vec rest = SPLAT(1);
    UNROLL
    for (int k = XIELU_LAST; k > XIELU_N; k--)
        rest = vec_fma(rest * y, SPLAT(1.0 / k), SPLAT(1));
    pair s = pair_of(rest);
    real coefficient = 1;
    UNROLL
    for (int k = XIELU_N; k > 2; k--) {
        coefficient *= (real)k;
        pair product = two_product(s.hi, y), sum = fast_two_sum(SPLAT(coefficient), product.hi);
        s = (pair){sum.hi, sum.lo + vec_fma(s.lo, y, product.lo)};
    }
    return pair_multiply(pair_multiply(s, XIELU_INVERSE), pair_of(y));
}

static inline pair xielu_one_plus(pair g)
{
    pair sum = fast_two_sum(SPLAT(1), g.hi);
    return (pair){sum.hi, sum.lo + g.lo};
}

static inline pair xielu_g(vec x)
{
    vec y = SPLAT(XIELU_FIRST) * x;
    pair g = xielu_series(y);
    UNROLL
    for (int i = 0; i < XIELU_DOUBLINGS; i++) {
        pair step = pair_multiply(pair_square(xielu_one_plus(g)), pair_of(SPLAT(0.5) * y));
        g = pair_add(g, step);
        y = y + y;
    }
    return g;
}

/* The same; the series is y/2 (1 + y/3 (1 + y/4 (...))). */
enum { XIELU_TERMS = PICK(16, 33) };
static inline triple xielu_g_triple(vec x)
{
    triple one = triple_of(SPLAT(1)), g = one;
    vec y = SPLAT(XIELU_FIRST) * x;
    for (int k = XIELU_TERMS; k > 2; k--)
        g = triple_add(one, triple_over(triple_times(g, y), SPLAT(k)));
    g = triple_times(g, SPLAT(0.5) * y);
    for (int i = 0; i < XIELU_DOUBLINGS; i++) {
        g = triple_add(g, triple_times(triple_square(triple_add(one, g)), SPLAT(0.5) * y));
        y = y + y;
    }
    return g;
}

/* beta + alpha_n a */
static inline pair xielu_line(pair a, const vec *p) { return pair_add(pair_of(p[2]), pair_multiply(a, pair_of(p[1]))); }
static inline triple xielu_line_triple(triple a, const vec *p)
{
    return triple_add(triple_of(p[2]), triple_times(a, p[1]));
}

static inline mask xielu_is_close(pair sum, const vec *p)
{
    return vec_less(vec_abs(sum.hi), SPLAT(XIELU_CLOSE) * vec_abs(p[2]));
}

/* alpha_p x^2 and alpha_n (expm1(x) - x) are positive, so a result next to beta x, which can be a middle, is above
 * that. */
static inline vec xielu_last_rounding(vec y, vec rest, vec x)
{
    return last_rounding(y, vec_select(vec_less_equal(vec_abs(rest), SPLAT(0)), vec_abs(x), rest));
}

RARE vec xielu_value_close(vec x, const vec *p)
{
    x = xielu_argument(x);
    triple factor = xielu_line_triple(xielu_g_triple(x), p);
    return vec_fma(x, factor.hi, x * factor.mid);
}
static inline vec xielu_value(vec x, const vec *p)
{
    vec inner = xielu_argument(x), far_line[] = {p[2] - p[1], -p[1]};
    pair factor = xielu_line(xielu_g(inner), p);
    vec below = vec_fma(inner, factor.hi, inner * factor.lo);
    below = xielu_last_rounding(below, vec_fma(inner, factor.hi, -below) + inner * factor.lo, inner);
    below = or_far(below, xielu_is_close(factor, p), xielu_value_close, x, p);
    below = vec_select(vec_less(x, SPLAT(-XIELU_LIMIT)), linear_value(x, far_line), below);
    vec slope = vec_fma(p[0], x, p[2]), above = x * slope;
    vec slope_rest = vec_fma(p[0], x, p[2] - slope);
    above = xielu_last_rounding(above, vec_fma(x, slope, -above) + x * slope_rest, x);
    return where_positive(x, above, below);
}

RARE vec xielu_derivative_close(vec x, const vec *p)
{
    x = xielu_argument(x);
    triple one_plus = triple_add(triple_of(SPLAT(1)), xielu_g_triple(x));
    triple sum = xielu_line_triple(triple_times(one_plus, x), p);
    return sum.hi + sum.mid;
}
/* (beta - alpha_n) + alpha_n exp(x) for x <= 0, where neither term is negative. */
static inline vec xielu_sum_derivative(vec x, const vec *p)
{
    scaled e = exp_of_negative(pair_of(x));
    pair falling_part = pair_multiply(e.value, pair_of(p[1])), rest = two_sum(p[2], -p[1]);
    vec sum = pair_sum(pair_add(rest, pair_scale(falling_part, e.scale)));
    return vec_select(vec_less(SPLAT(0), rest.hi), sum, pair_sum(falling_part) * e.scale);
}
static inline vec xielu_derivative(vec x, const vec *p)
{
    vec above = line(p[0] + p[0], x, p[2]), below;
    if (vec_any(vec_less(p[2], p[1]))) {
        vec inner = xielu_argument(x);
        pair sum = xielu_line(pair_multiply(xielu_one_plus(xielu_g(inner)), pair_of(inner)), p);
        below = or_far(pair_last_rounding(sum), xielu_is_close(sum, p), xielu_derivative_close, x, p);
        below = vec_select(vec_less(x, SPLAT(-XIELU_LIMIT)), p[2] - p[1], below);
    } else {
        below = xielu_sum_derivative(non_positive(x), p);
    }
    return where_positive(x, above, below);
}

static inline vec xielu_second(vec x, const vec *p) { return where_positive(x, p[0] + p[0], elu_derivative(x, p + 1)); }

#endif
