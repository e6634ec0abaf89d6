/* The exponential function, and exponential linear units: exponential, elu, celu, selu. */
#ifndef SUGAR_KERNELS_KINDS_EXPONENTIAL_H
#define SUGAR_KERNELS_KINDS_EXPONENTIAL_H

#include "kernels/kinds/common.h"

/* Where 2^n may be too large, 2^(n - RAISED) is computed; the product with 2^RAISED overflows where the result
 * does. */
#define RAISED 64
RARE vec exponential_far(vec x, const vec *p)
{
    (void)p;
    vec rounded, r = exp_argument(vec_min(SPLAT(PICK(90, 712)), vec_max(SPLAT(0), x)), &rounded);
    exp_factors e = exp_factors_of(rounded - SPLAT(RAISED), r);
    vec above = vec_fma(e.power, e.p, e.power) * SPLAT(0x1p64);
    return where_positive(x, above, scaled_round(exp_of_negative(pair_of(non_positive(x)))));
}
static inline vec exponential_value(vec x, const vec *p)
{
    exp_factors e = exp_near(x);
    vec near = vec_fma(e.power, e.p, e.power);
    return or_far(near, vec_less(SPLAT(EXP_NEAR), vec_abs(x)), exponential_far, x, p);
}
static inline vec exponential_derivative(vec x, const vec *p) { return exponential_value(x, p); }
static inline vec exponential_second(vec x, const vec *p) { return exponential_value(x, p); }
static inline vec exponential_derivative_from_output(vec y, const vec *p)
{
    (void)p;
    return at_least_0(y);
}

/* From this a on, expm1(-a) is -1. For positive x, exp may overflow; its result is not selected. */
#define EXPM1_NEAR PICK(30, 60)

/* alpha expm1(y), from expm1(y). */
static inline vec times_expm1(vec alpha, vec expm1)
{
    vec product = alpha * expm1;
    mask not_one = vec_less(SPLAT(0), vec_abs(alpha - SPLAT(1)));
    if (!NARROW || !vec_any(not_one))
        return product;
    vec rest = vec_fma(alpha, expm1, -product);
    /* Near 0, where expm1(y) is rounded to y, and far out, where it is rounded to -1, the exact value is above. */
    vec rounded = last_rounding(product, vec_select(vec_less(SPLAT(0), vec_abs(rest)), rest, alpha));
    return vec_select(not_one, rounded, product);
}

static inline vec elu_value(vec x, const vec *p)
{
    exp_factors e = exp_beside_one(vec_max(SPLAT(-EXPM1_NEAR), x));
    vec expm1 = vec_fma(e.power, e.p, e.power - SPLAT(1));
    return where_positive(x, x, times_expm1(p[0], expm1));
}
RARE vec elu_derivative_far(vec x, const vec *p)
{
    scaled e = exp_of_negative(pair_of(non_positive(x)));
    return times_pair(p[0], e.value) * e.scale;
}
static inline vec elu_derivative(vec x, const vec *p)
{
    mask far = vec_less(x, SPLAT(-EXP_NEAR));
    exp_factors e = exp_near(x);
    vec power = p[0] * e.power;
    vec near = where_positive(x, SPLAT(1), vec_fma(power, e.p, power));
    return or_far(near, far, elu_derivative_far, x, p);
}

static inline vec elu_second(vec x, const vec *p)
{
    return vec_select(vec_less(x, SPLAT(0)), elu_derivative(x, p), zero_second(x, p));
}

/* max(0, y + alpha) */
static inline vec elu_derivative_from_output(vec y, const vec *p)
{
    return where_positive(y, SPLAT(1), at_least_0(y + p[0]));
}

static inline vec elu_parameter_derivative(vec x, const vec *p)
{
    (void)p;
    return expm1_near(pair_of(vec_max(SPLAT(-EXPM1_NEAR), non_positive(x))));
}

/* x / alpha as a pair, because exp turns its absolute error into a relative one. Compilers compute the reciprocal once
 * per call. */
static inline pair celu_argument(vec x, vec alpha)
{
    pair r = pair_reciprocal(pair_of(alpha));
    vec y = x * r.hi;
    return (pair){y, vec_fma(x, r.lo, vec_fma(x, r.hi, -y))};
}
/* Up to this |x| the result is x; x / alpha may be subnormal. */
#define CELU_TINY PICK(0x1p-48, 0x1p-80)
static inline vec celu_value(vec x, const vec *p)
{
    pair y = celu_argument(vec_max(SPLAT(-EXPM1_NEAR) * p[0], x), p[0]);
    vec below = times_expm1(p[0], expm1_near(y));
    return vec_select(vec_less(SPLAT(-CELU_TINY), x), x, below);
}
RARE vec celu_derivative_far(vec x, const vec *p)
{
    return scaled_round(exp_of_negative(celu_argument(vec_max(SPLAT(-FAR), non_positive(x)), p[0])));
}
static inline vec celu_derivative(vec x, const vec *p)
{
    pair y = celu_argument(x, p[0]);
    exp_factors e = exp_near_pair(y);
    vec near = where_positive(x, SPLAT(1), vec_fma(e.power, e.p, e.power));
    return or_far(near, vec_less(y.hi, SPLAT(-EXP_NEAR)), celu_derivative_far, x, p);
}

static inline vec celu_default_value(vec x, const vec *p) { return elu_value(x, p); }
static inline vec celu_default_derivative(vec x, const vec *p) { return elu_derivative(x, p); }

/* exp(x / alpha) / alpha */
static inline vec celu_second(vec x, const vec *p)
{
    scaled e = exp_of_negative(celu_argument(vec_max(SPLAT(-FAR), non_positive(x)), p[0]));
    vec below = pair_sum(pair_multiply(e.value, pair_reciprocal(pair_of(p[0])))) * e.scale;
    return vec_select(vec_less(x, SPLAT(0)), below, zero_second(x, p));
}

/* max(0, y + alpha) / alpha: no digits are lost where y is close to -alpha. */
static inline vec celu_derivative_from_output(vec y, const vec *p)
{
    return where_positive(y, SPLAT(1), times_pair(at_least_0(y + p[0]), pair_reciprocal(pair_of(p[0]))));
}

/* expm1(u) - u exp(u) = u^2 (-1/2 + u Q(u)) on -1 <= u <= 0; relative error 2^-27.9 (f32), 2^-59.7 (f64). */
static const real celu_parameter_derivative_tail[] = {
#if REAL_BITS == 32
    -0x1.555556p-2f,  -0x1.000024p-3f,  -0x1.11154p-5f,  -0x1.c780e6p-8f,
    -0x1.3a08f8p-10f, -0x1.6fb28ap-13f, -0x1.32f218p-16f
#else
    -0x1.5555555555555p-2,
    -0x1.fffffffffff7fp-4,
    -0x1.111111110f3edp-5,
    -0x1.c71c71c657b2dp-8,
    -0x1.38138120b128cp-10,
    -0x1.6c16bdf77f033p-13,
    -0x1.71dde4756a5ep-16,
    -0x1.4cdbf7959f3e1p-19,
    -0x1.0cbe0b18ce8f2p-22,
    -0x1.869c9c979dbbcp-26,
    -0x1.ea290d7158b1bp-30,
    -0x1.9e6b5882c1741p-34
#endif
};
static inline vec celu_parameter_derivative(vec x, const vec *p)
{
    pair u = celu_argument(vec_max(SPLAT(-EXPM1_NEAR) * p[0], non_positive(x)), p[0]);
    exp_and_expm1 e = exp_and_expm1_of_negative(u);
    vec outer = pair_sum(pair_add(e.expm1, pair_negate(pair_multiply(u, e.exp))));
    vec q = POLYNOMIAL(celu_parameter_derivative_tail, u.hi), half = SPLAT(-0.5);
    pair series = {vec_fma(u.hi, q, half), SPLAT(0)};
    series.lo = vec_fma(u.lo, q, vec_fma(u.hi, q, half - series.hi));
    return vec_select(vec_less(u.hi, SPLAT(-1)), outer, product_of_pairs(pair_square(u), series));
}

/* lambda and lambda a of arXiv 1706.02515, with more digits, computed from the fixed point that defines them. */
#define SELU_LAMBDA 0x1.0cfabd6a91132p+0
#define SELU_LAMBDA_A PAIR(0x1.c212cc640f031p+0, 0x1.05161b045a1fep-56)
static inline vec selu_value(vec x, const vec *p)
{
    (void)p;
    exp_factors e = exp_beside_one(vec_max(SPLAT(-EXPM1_NEAR), x));
    vec below = times_pair(vec_fma(e.power, e.p, e.power - SPLAT(1)), SELU_LAMBDA_A);
    return where_positive(x, SPLAT(SELU_LAMBDA) * x, below);
}
RARE vec selu_derivative_far(vec x, const vec *p)
{
    (void)p;
    scaled e = exp_of_negative(pair_of(non_positive(x)));
    return pair_round(pair_multiply(SELU_LAMBDA_A, e.value)) * e.scale;
}
static inline vec selu_derivative(vec x, const vec *p)
{
    exp_factors e = exp_near(x);
    vec near = where_positive(x, SPLAT(SELU_LAMBDA), times_exp(SELU_LAMBDA_A, e));
    return or_far(near, vec_less(x, SPLAT(-EXP_NEAR)), selu_derivative_far, x, p);
}

static inline vec selu_second(vec x, const vec *p)
{
    return vec_select(vec_less(x, SPLAT(0)), selu_derivative(x, p), zero_second(x, p));
}

/* max(0, y + lambda a), with lambda a to the digits of the catalogue: where the sum cancels, more digits would give
 * another number. */
static inline vec selu_derivative_from_output(vec y, const vec *p)
{
    (void)p;
    pair limit = PAIR(0x1.c212cc640f031p+0, -0x1.26edf569e8971p-54);
    return where_positive(y, SPLAT(SELU_LAMBDA), at_least_0((y + limit.hi) + limit.lo));
}

#endif
