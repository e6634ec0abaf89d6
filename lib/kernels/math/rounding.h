/* The last rounding to elements that are shorter than `real`; for others there is none. */
#ifndef SUGAR_KERNELS_MATH_ROUNDING_H
#define SUGAR_KERNELS_MATH_ROUNDING_H

#include "kernels/prologue.h"

/* In the middle between two elements a float has the bits of MIDDLE where LAST has 1s. (A middle between subnormal
 * f16 has more than 12 0s at the end. Among subnormal bf16 no float is between a middle and its neighbours.) */
#define LAST_f16 0xfff
#define MIDDLE_f16 0
#define LAST_bf16 0xffff
#define MIDDLE_bf16 0x8000

/* Whether y is one of the `width` numbers (a power of two) around a middle between two elements, so that an error
 * there could decide what y is rounded to; now and then y is none. Elements that are not shorter have no such
 * numbers. */
static inline mask near_middle(vec y, int width)
{
#if NARROW
    const int last = JOIN(LAST, SUGAR_TYPE) + 1 - width;
    return vec_bits_are(y, width / 2, last, JOIN(MIDDLE, SUGAR_TYPE));
#else
    (void)width;
    return vec_less(y, y);
#endif
}

static inline vec round_to_odd(vec y, vec rest)
{
#if NARROW
    return vec_to_odd(y, rest);
#else
    (void)rest;
    return y;
#endif
}

/* The last rounding of a formula that is a straight line next to 0 or elsewhere: y is the exact result rounded,
 * and `rest` has the sign of what that left over. For elements that are shorter than `real` this is the last but
 * one, and what is left over is kept in the last bit (rounding to odd: Boldo and Melquiond, "Emulation of a FMA and
 * correctly-rounded sums", IEEE Transactions on Computers 57(4), 2008), as it decides what the last rounding makes
 * of y in the middle between two elements. A line has many results there: rrelu rounds 2 % of all f16 wrongly
 * without it, elu(alpha=3) 3 % of all bf16. A curve has next to none and is spared it. Most vectors have none, too,
 * and a branch spares them what goes into `rest` (f16, AVX2, ns per element with a branch and without: elu(alpha=3)
 * .26 and .46). */
static inline vec last_rounding(vec y, vec rest)
{
    mask middle = near_middle(y, 1);
    if (NARROW && __builtin_expect(vec_any(middle), 0)) y = vec_select(middle, round_to_odd(y, rest), y);
    return y;
}

/* Whether a's product with every element is exact, or need not be, as its only rounding is the last one. */
static inline int has_exact_products(vec a)
{
    vec magnified = SPLAT(0x1001) * a, leading = magnified - (magnified - a);   /* 12 digits */
    return !NARROW || !vec_any(vec_less(SPLAT(0), vec_abs(a - leading)));
}

#if NARROW
/* slope x where x < 0, else x; for a slope between 0 and 1 with more than 12 digits. A middle has no more than 12, so
 * no product is one. Then all may be rounded towards 0, which is a rounding to nearest with half of the last place
 * taken off, and made odd. */
static inline vec odd_line(vec slope, vec x)
{
    vec half_unit = SPLAT(0x1p-24) * vec_leading(vec_fma(slope, x, SPLAT(0)));
    return vec_select(vec_negative(x), vec_last_one(vec_fma(slope, x, -half_unit)), x);
}
#endif

/* slope x where x <= 0, else x, rounded as by last_rounding. Slopes like .35 have so many products next to a middle
 * that its branch is no good (rrelu in bf16, 16 Mi elements, AVX2: .77 ns per element). */
static inline vec line_below(vec slope, vec x)
{
    if (has_exact_products(slope)) {
        /* A slope of 0 times -inf must be 0. */
        vec lowest = vec_select(vec_less(SPLAT(0), vec_abs(slope)), SPLAT(-INFINITY), SPLAT(-1));
        return vec_select(vec_less(SPLAT(0), x), x, slope * vec_max(lowest, x));
    }
#if NARROW
    if (!vec_any(vec_less_equal(slope, SPLAT(0))) && !vec_any(vec_less(SPLAT(1), slope))) return odd_line(slope, x);
#endif
    vec product = slope * x;
    return vec_select(vec_less(SPLAT(0), x), x, round_to_odd(product, vec_fma(slope, x, -product)));
}

#endif
