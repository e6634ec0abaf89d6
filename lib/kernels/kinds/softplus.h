/* The logistic function and its integral: sigmoid, softplus, log_sigmoid. */
#ifndef SUGAR_KERNELS_KINDS_SOFTPLUS_H
#define SUGAR_KERNELS_KINDS_SOFTPLUS_H

#include "kernels/kinds/common.h"
#include "kernels/kinds/exponential.h"
#include "kernels/math/log1p.h"
#include "kernels/math/logistic.h"
#include "kernels/math/lookup.h"

/* s(y) for y < -EXP_SHORT. */
#if REAL_BITS == 32
static inline vec logistic_tail(pair y)
{
    vec e = exp_of_tail_pair(pair_negate(y)).value;
    return vec_fma(vec_fma(e, e, -e), e, e);
}
#else
static inline vec logistic_tail(pair y)
{
    logistic s = logistic_of(y);
    return pair_round(s.value) * s.scale;
}
#endif
RARE vec sigmoid_tail(vec x, const vec *p)
{
    (void)p;
    return logistic_tail(pair_of(non_positive(x)));
}
static inline vec sigmoid_value(vec x, const vec *p)
{
    vec near = SPLAT(1) / one_plus_exp_of_minus(vec_min(SPLAT(LOGISTIC_ONE), x));
    return or_far(near, vec_less(x, SPLAT(-EXP_SHORT)), sigmoid_tail, x, p);
}

#if REAL_BITS == 32
/* E / (1 + E)^2 with E = exp(-|x|), as a series. */
static inline vec times_logistic_derivative_tail(vec factor, vec x)
{
    small_exp e = exp_of_tail(vec_abs(x));
    vec power = e.power * (factor * e.scale), product = vec_fma(power, e.p, power);
    return vec_fma(product * e.value, vec_fma(SPLAT(3), e.value, SPLAT(-2)), product);
}
RARE vec sigmoid_derivative_tail(vec x, const vec *p)
{
    (void)p;
    return times_logistic_derivative_tail(SPLAT(1), x);
}
static inline vec sigmoid_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x), near = piece_value(logistic_derivative_table, 7, a, unit_index(a));
    return or_far(near, vec_less(SPLAT(UNIT_TABLE_LIMIT), a), sigmoid_derivative_tail, x, p);
}
#else
RARE vec sigmoid_derivative_far(vec x, const vec *p)
{
    (void)p;
    return scaled_round(logistic_derivative(pair_of(x)));
}
static inline vec sigmoid_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x), near = pair_round(logistic_derivative_near(exp_near(a)));
    return or_far(near, vec_less(SPLAT(EXP_NEAR), a), sigmoid_derivative_far, x, p);
}
#endif

static inline vec sigmoid_second(vec x, const vec *p)
{
    (void)p;
    return vec_copysign(times_logistic_fall(pair_of(SPLAT(1)), pair_of(vec_abs(x))), -x);
}

/* y (1 - y) */
static inline vec sigmoid_derivative_from_output(vec y, const vec *p)
{
    (void)p;
    vec inner = vec_min(SPLAT(1), at_least_0(y));
    return vec_fnma(inner, inner, inner);
}

/* max(x, 0) + log1p(exp(-|beta x|)) / beta. The addition comes last, so that x may be infinite. */
#if REAL_BITS == 32
/* (constant + rest + lost) factor. */
static inline vec softplus_quotient(piece l, pair factor)
{
    if (NARROW)
        return (l.constant + l.rest) * factor.hi;
    vec low = vec_fma(l.constant, factor.lo, l.lost * factor.hi);
    return vec_fma(l.constant, factor.hi, vec_fma(l.rest, factor.hi, low));
}
static inline vec softplus_wide(vec x, const vec *p)
{
    pair factor = pair_reciprocal(pair_of(p[0])), a = two_product(p[0], vec_min(SPLAT(FAR), vec_abs(x)));
    piece_or_exp l = piece_or_exp_of(softplus_table, 7, a.hi, -a.lo);
    vec power = l.power * factor.hi, rest = vec_fma(power, l.at.rest, l.power * factor.lo);
    vec raised = power + vec_fma((power + rest) * l.value, log1p_growth(l.value), rest);
    vec positive = vec_max(SPLAT(0), x), far = vec_fma(raised, l.scale, positive);
    return vec_select(l.far, far, positive + softplus_quotient(l.at, factor));
}
static inline vec softplus_value(vec x, const vec *p)
{
    pair a = two_product(p[0], vec_abs(x)), factor = pair_reciprocal(pair_of(p[0]));
    if (is_rare(vec_less(SPLAT(EXP_PIECE_LIMIT), a.hi)))
        return softplus_wide(x, p);
    piece l = piece_of_pair(softplus_table, 7, a, unit_index(a.hi));
    return vec_max(SPLAT(0), x) + softplus_quotient(l, factor);
}
#else
RARE vec softplus_far(vec x, const vec *p)
{
    pair y = two_product(p[0], vec_abs(bounded(x, FAR)));
    scaled log1p_exp = log1p_exp_of_negative(pair_negate(y));
    pair quotient = pair_multiply(log1p_exp.value, pair_reciprocal(pair_of(p[0])));
    return vec_max(SPLAT(0), x) + pair_round(quotient) * log1p_exp.scale;
}
static inline vec softplus_value(vec x, const vec *p)
{
    pair y = two_product(p[0], -vec_abs(x));
    pair half = half_log1p(exp_pair(exp_near_pair(y)));
    pair factor = pair_scale(pair_reciprocal(pair_of(p[0])), SPLAT(2));
    vec quotient = vec_fma(half.hi, factor.hi, vec_fma(half.lo, factor.hi, half.hi * factor.lo));
    return or_far(vec_max(SPLAT(0), x) + quotient, vec_less(y.hi, SPLAT(-EXP_PAIR_NEAR)), softplus_far, x, p);
}
#endif
RARE vec softplus_derivative_far(vec x, const vec *p)
{
    vec tail = logistic_tail(two_product(p[0], vec_max(SPLAT(-FAR), -vec_abs(x))));
    return where_positive(x, SPLAT(1) - tail, tail);
}
static inline vec softplus_derivative(vec x, const vec *p)
{
    pair y = two_product(p[0], x);
    vec near = SPLAT(1) / one_plus_short_exp(exp_near_pair(pair_negate(y)));
    return or_far(near, vec_less(SPLAT(EXP_SHORT), vec_abs(y.hi)), softplus_derivative_far, x, p);
}

static inline vec softplus_default_derivative(vec x, const vec *p) { return sigmoid_value(x, p); }

/* beta s(beta x) s(-beta x) */
static inline vec softplus_second(vec x, const vec *p)
{
    pair a = two_product(p[0], vec_abs(bounded(x, FAR)));
    return times_logistic_derivative(pair_of(p[0]), logistic_parts_of(a));
}

/* -expm1(-beta y) */
static inline vec softplus_derivative_from_output(vec y, const vec *p)
{
    vec inner = vec_min(SPLAT(EXPM1_NEAR) / p[0], at_least_0(y));
    return SPLAT(0) - expm1_near(two_product(-p[0], inner));
}

/* -(a s(-a) + log1p(exp(-a))) / beta^2 with a = |beta x|. 1 / beta is multiplied by SOFTPLUS_RAISE, so that only the
 * result can be subnormal. */
#define SOFTPLUS_RAISE 0x1p30
static inline vec softplus_parameter_derivative(vec x, const vec *p)
{
    pair a = two_product(p[0], vec_abs(bounded(x, FAR)));
    logistic_far l = logistic_far_of(a);
    pair gate = pair_multiply(a, pair_multiply(l.e.value, l.s));
    pair factor = pair_square(pair_scale(pair_reciprocal(pair_of(p[0])), SPLAT(SOFTPLUS_RAISE)));
    vec raised = pair_sum(pair_multiply(pair_add(gate, log1p_pair(l.e.value)), factor));
    return raised * l.e.scale * SPLAT(-1 / (SOFTPLUS_RAISE * SOFTPLUS_RAISE));
}

/* log1p(exp(-|x|)) */
#if REAL_BITS == 32
RARE vec log1p_exp_tail(vec x, const vec *p)
{
    (void)p;
    vec e = exp_of_tail(vec_abs(x)).value;
    return vec_fma(e * e, log1p_growth(e), e);
}
static inline vec log1p_exp(vec x, const vec *p)
{
    vec a = vec_abs(x);
    piece l = piece_of(softplus_table, 7, a, unit_index(a));
    return or_far(l.constant + l.rest, vec_less(SPLAT(EXP_PIECE_LIMIT), a), log1p_exp_tail, x, p);
}
#else
RARE vec log1p_exp_tail(vec x, const vec *p)
{
    (void)p;
    return scaled_round(log1p_exp_of_negative(pair_of(-vec_abs(x))));
}
/* half_log1p without pairs. (In 250000 samples up to 2.6 ULP; with them 1.1, in 1.3 to 1.5 times the time.) */
static inline vec log1p_exp(vec x, const vec *p)
{
    vec minus_a = -vec_abs(x);
    exp_factors factors = exp_near(minus_a);
    vec e = vec_fma(factors.power, factors.p, factors.power), z = e / (e + SPLAT(2)), square = z * z;
    vec half = vec_fma(z * square, POLYNOMIAL(atanh_tail, square), z);
    return or_far(half + half, vec_less(minus_a, SPLAT(-EXP_PAIR_NEAR)), log1p_exp_tail, x, p);
}
#endif
static inline vec softplus_default_value(vec x, const vec *p) { return vec_max(SPLAT(0), x) + log1p_exp(x, p); }
static inline vec log_sigmoid_value(vec x, const vec *p) { return non_positive(x) - log1p_exp(x, p); }
static inline vec log_sigmoid_derivative(vec x, const vec *p) { return sigmoid_value(-x, p); }
static inline vec log_sigmoid_second(vec x, const vec *p) { return -sigmoid_derivative(x, p); }

/* -expm1(y) */
static inline vec log_sigmoid_derivative_from_output(vec y, const vec *p)
{
    (void)p;
    return SPLAT(0) - expm1_near(pair_of(vec_max(SPLAT(-EXPM1_NEAR), non_positive(y))));
}

#endif
