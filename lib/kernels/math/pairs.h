/* Pairs: double-word arithmetic in the vector vocabulary.
 *
 * How the 2 ULP that sugar.h promises are reached: the terms that decide the error are computed as a `pair`, an
 * unevaluated sum hi + lo with about twice the precision (Dekker 1971; Joldes, Muller and Popescu,
 * "Tight and rigorous error bounds for basic building blocks of double-word arithmetic", ACM TOMS
 * 44(2), 2017). Below, u is the unit roundoff: 2^-24 or 2^-53. A result that is wrong by at most
 * 1.5 u before its last rounding is within 2 ULP whatever its leading digits, so that is the budget
 * of every formula in kinds/. The suite `exhaustive` measures it, over all f32.
 *
 * Coefficients come from coefficients.sollya; those of tables.h from tables.py. */
#ifndef SUGAR_KERNELS_MATH_PAIRS_H
#define SUGAR_KERNELS_MATH_PAIRS_H

#include "kernels/math/rounding.h"
#include "kernels/prologue.h"

typedef struct {
    vec hi, lo;
} pair;

/* The constant hi64 + lo64 as a pair of reals. For float, hi64 alone has enough digits. */
#define PAIR(hi64, lo64) ((pair){SPLAT(hi64), SPLAT(PICK((hi64) - (double)(float)(hi64), (lo64)))})

static inline pair pair_of(vec a) { return (pair){a, SPLAT(0)}; }

/* a.hi + a.lo where |a.hi| >= |a.lo|. For narrow types a.hi alone, so that the compiler drops all that computes a.lo.
 * pair_sum adds a.lo for them, too: where terms cancel they need its digits. */
static inline vec pair_round(pair a)
{
    if (NARROW)
        return a.hi;
    return a.hi + a.lo;
}
static inline vec pair_sum(pair a) { return a.hi + a.lo; }

/* a + b exactly, for |a| >= |b| or a = 0. */
static inline pair fast_two_sum(vec a, vec b)
{
    vec sum = a + b;
    return (pair){sum, b - (sum - a)};
}

/* a.hi + a.lo by last_rounding. */
static inline vec pair_last_rounding(pair a)
{
    vec sum = a.hi + a.lo;
    return last_rounding(sum, a.lo - (sum - a.hi));
}

/* a + b exactly (Knuth). */
static inline pair two_sum(vec a, vec b)
{
    vec sum = a + b, b_rounded = sum - a;
    return (pair){sum, (a - (sum - b_rounded)) + (b - b_rounded)};
}

/* a * b exactly, unless something underflows. */
static inline pair two_product(vec a, vec b)
{
    vec product = a * b;
    return (pair){product, vec_fma(a, b, -product)};
}

/* The errors of the following are a few u^2, relative to the result; that of pair_add relative to |a| + |b|. */
static inline pair pair_add(pair a, pair b)
{
    pair sum = two_sum(a.hi, b.hi);
    return (pair){sum.hi, sum.lo + (a.lo + b.lo)};
}

static inline pair pair_multiply(pair a, pair b)
{
    pair product = two_product(a.hi, b.hi);
    return (pair){product.hi, product.lo + vec_fma(a.hi, b.lo, a.lo * b.hi)};
}

static inline pair pair_square(pair a)
{
    pair product = two_product(a.hi, a.hi);
    return (pair){product.hi, vec_fma(a.hi + a.hi, a.lo, product.lo)};
}

/* 1 / a by one division and one Newton step for the low part. */
static inline pair pair_reciprocal(pair a)
{
    vec r = SPLAT(1) / a.hi;
    vec remainder = vec_fnma(r, a.lo, vec_fnma(r, a.hi, SPLAT(1)));
    return (pair){r, r * remainder};
}

/* a / b */
static inline pair pair_divide(pair a, pair b)
{
    vec r = SPLAT(1) / b.hi, q = a.hi * r;
    vec remainder = vec_fnma(q, b.lo, vec_fnma(q, b.hi, a.hi) + a.lo);
    vec quotient = vec_fma(remainder, r, q);
    return (pair){quotient, vec_fma(remainder, r, q - quotient)};
}

/* a / b, rounded once. */
static inline vec pair_quotient(pair a, pair b) { return pair_divide(a, b).hi; }

/* a * b, rounded once. */
static inline vec product_of_pairs(pair a, pair b) { return vec_fma(a.hi, b.hi, vec_fma(a.hi, b.lo, a.lo * b.hi)); }

/* a * b, where b is a power of two, or the roundings of hi and lo do no harm. */
static inline pair pair_scale(pair a, vec b) { return (pair){a.hi * b, a.lo * b}; }

static inline pair pair_negate(pair a) { return (pair){-a.hi, -a.lo}; }

static inline pair pair_select(mask m, pair a, pair b)
{
    return (pair){vec_select(m, a.hi, b.hi), vec_select(m, a.lo, b.lo)};
}

static inline pair pair_abs(pair a) { return pair_select(vec_less(a.hi, SPLAT(0)), pair_negate(a), a); }

/* x * a, rounded once. */
static inline vec times_pair(vec x, pair a)
{
    if (NARROW)
        return x * a.hi;
    return vec_fma(x, a.hi, x * a.lo);
}

/* 1 + a b and its rounding error, where 1 + a b is below ONE_PLUS_LIMIT, so that 1 - sum is exact; for a = b, where a
 * is below ONE_PLUS_SQUARE_LIMIT. */
#define ONE_PLUS_LIMIT PICK(0x1p23, 0x1p52)
#define ONE_PLUS_SQUARE_LIMIT PICK(0x1p11, 0x1p25)
static inline pair one_plus_product(vec a, vec b)
{
    vec sum = vec_fma(a, b, SPLAT(1));
    return (pair){sum, vec_fma(a, b, SPLAT(1) - sum)};
}

/* c / d */
static inline vec divide_by_pair(vec c, pair d)
{
    if (NARROW)
        return c / d.hi;
    vec r = SPLAT(1) / d.hi, q = c * r;
    return vec_fma(vec_fnma(q, d.lo, vec_fnma(q, d.hi, c)), r, q);
}

#endif
