/* Integers: the smaller of two, bounds, multiples. */
#ifndef SUGAR_INTEGERS_H
#define SUGAR_INTEGERS_H

#include <stdint.h>

static inline int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t clamp(int64_t a, int64_t low, int64_t high)
{
    return a < low ? low : a < high ? a : high;
}

/* a, or the next multiple of `multiple`. */
static inline int64_t round_up(int64_t a, int64_t multiple)
{
    return (a + multiple - 1) / multiple * multiple;
}

#endif
