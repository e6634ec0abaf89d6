/* The last rounding of a narrow type, from float to f16 or bf16. Other types have no such rounding. */
#ifndef SUGAR_KERNELS_MATH_ROUNDING_H
#define SUGAR_KERNELS_MATH_ROUNDING_H

#include "kernels/prologue.h"

/* A float in the middle between two neighbouring elements (a middle) has the bits of MIDDLE where LAST has 1s, if
 * it is normal. (A middle between two subnormal f16 ends in more than 12 0s. Between two subnormal bf16 no float is
 * closer to the middle than its neighbours.) */
#define LAST_f16 0xfff
#define MIDDLE_f16 0
#define LAST_bf16 0xffff
#define MIDDLE_bf16 0x8000

/* Whether y is one of the `width` floats (a power of two) around a middle, so that an error in y could decide to which
 * element it is rounded. May be true of a few other y. Never true unless the type is narrow. */
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

/* y, the exact result rounded, with what that rounding lost in its last bit: see last_rounding. rest: the sign of what
 * was lost; 0 or NaN: nothing. */
static inline vec round_to_odd(vec y, vec rest)
{
#if NARROW
    return vec_to_odd(y, rest);
#else
    (void)rest;
    return y;
#endif
}

/* For formulas that are a straight line, next to 0 or elsewhere: y is the exact result rounded to a real, and `rest`
 * has the sign of what that rounding lost. A narrow type rounds once more. Where y is a middle, what was lost decides
 * to which side, so it is kept in the last bit of y (rounding to odd: Boldo and Melquiond, "Emulation of a FMA and
 * correctly-rounded sums", IEEE Transactions on Computers 57(4), 2008). A line has many results that are middles:
 * without this elu(alpha=3) rounds 3 % of all bf16 wrongly. A curve has next to none, and does
 * not use this. Most vectors have none either, so a branch saves the computation of `rest` (elu(alpha=3), f16, AVX2:
 * 0.26 ns an element, and 0.46 without the branch). */
static inline vec last_rounding(vec y, vec rest)
{
    mask middle = near_middle(y, 1);
    if (NARROW && __builtin_expect(vec_any(middle), 0))
        y = vec_select(middle, round_to_odd(y, rest), y);
    return y;
}

#endif
