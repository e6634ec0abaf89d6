/* The logistic function s(y) = 1 / (1 + exp(-y)), and its derivative. */
#ifndef SUGAR_KERNELS_MATH_LOGISTIC_H
#define SUGAR_KERNELS_MATH_LOGISTIC_H

#include "kernels/math/exp.h"

/* s(y) = value * scale, and s(-y) = complement. scale is 1 unless s(y) is close to 0. */
typedef struct {
    pair value;
    vec scale;
    pair complement;
} logistic;

/* s(|y|) = 1 / (1 + e), s(-|y|) = e / (1 + e), e = exp(-|y|). */
static inline logistic logistic_of(pair y)
{
    mask negative = vec_less(y.hi, SPLAT(0));
    scaled e = exp_of_negative(pair_select(negative, y, pair_negate(y)));
    pair sum = fast_two_sum(SPLAT(1), e.value.hi);
    sum.lo = sum.lo + e.value.lo;
    pair large = pair_reciprocal(sum);
    pair small = pair_multiply(e.value, large);
    return (logistic){pair_select(negative, small, large), vec_select(negative, e.scale, SPLAT(1)),
                      pair_select(negative, large, pair_scale(small, e.scale))};
}

#define LOGISTIC_ONE PICK(20, 40)   /* from this y on, s(y) is 1 */

/* s(y) s(-y), even in y. */
static inline scaled logistic_derivative(pair y)
{
    mask negative = vec_less(y.hi, SPLAT(0));
    scaled e = exp_of_negative(pair_select(negative, y, pair_negate(y)));
    pair sum = fast_two_sum(SPLAT(1), e.value.hi);
    sum.lo = sum.lo + e.value.lo;
    return (scaled){pair_multiply(e.value, pair_square(pair_reciprocal(sum))), e.scale};
}

/* s (1 - s) with s = 1 / (1 + e), from e = exp(|x|), whose power must be at least 1. */
static inline pair logistic_derivative_near(exp_factors e)
{
    if (NARROW) {
        vec reciprocal = SPLAT(1) / one_plus_exp(e);
        return pair_of(vec_fnma(reciprocal, reciprocal, reciprocal));
    }
    pair s = pair_reciprocal(one_plus_large_exp_pair(e));
    return (pair){vec_fnma(s.hi, s.hi, s.hi), s.lo * vec_fnma(SPLAT(2), s.hi, SPLAT(1))};
}

/* exp(-a) and s(a). exp(-a) is not 0 as long as exp(-a) a^2 / beta^2 is not, in f32 even where exp_of_negative would
 * give 0. */
typedef struct {
    scaled e;
    pair s;
} logistic_far;

static inline logistic_far logistic_far_of(pair a)
{
    pair y = pair_negate(a);
#if REAL_BITS == 32
    mask far = vec_less(y.hi, SPLAT(-100));
    y = pair_select(far, pair_add(y, PAIR(0x1.bb9d3beb8c86bp+4, 0x1.6bc5ca07e04fp-55)), y);    /* 40 ln(2) */
    scaled e = exp_of_negative(y);
    e.scale = e.scale * vec_select(far, SPLAT(0x1p-40), SPLAT(1));
#else
    scaled e = exp_of_negative(y);
#endif
    pair sum = fast_two_sum(SPLAT(1), e.value.hi);
    sum.lo = sum.lo + e.value.lo;
    return (logistic_far){e, pair_reciprocal(sum)};
}

/* What the second derivatives of the logistic family are made of, for a >= 0 or NaN: with E = exp(-a), E itself,
 * E - 1 and s(a) = 1 / (1 + E). */
typedef struct {
    scaled e;
    pair expm1, s;
} logistic_parts;

static inline logistic_parts logistic_parts_of(pair a)
{
    exp_and_expm1 near = exp_and_expm1_of_negative(pair_negate(a));
    logistic_parts l = {.e = {near.exp, SPLAT(1)}, .expm1 = near.expm1};
    mask far = vec_less(SPLAT(EXP_PAIR_NEAR), a.hi);
    if (is_rare(far)) {
        scaled e = logistic_far_of(a).e;
        l.e = (scaled){pair_select(far, e.value, l.e.value), vec_select(far, e.scale, SPLAT(1))};
    }
    pair sum = fast_two_sum(SPLAT(1), l.e.value.hi);
    sum.lo = sum.lo + l.e.value.lo;
    l.s = pair_reciprocal(sum);
    return l;
}

/* factor s(a) s(-a). The factor of a second derivative may have a root. */
static inline vec times_logistic_derivative(pair factor, logistic_parts l)
{
    return pair_sum(pair_multiply(factor, pair_multiply(l.e.value, pair_square(l.s)))) * l.e.scale;
}

/* -factor s''(a) = factor E (1 - E) / (1 + E)^3, for a factor of 0 or more. */
static inline vec times_logistic_fall(pair factor, pair a)
{
    logistic_parts l = logistic_parts_of(a);
    return times_logistic_derivative(pair_multiply(factor, pair_multiply(pair_negate(l.expm1), l.s)), l);
}

#endif
