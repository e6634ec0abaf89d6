/* Small functions of integers. */
#ifndef SUGAR_INTEGERS_H
#define SUGAR_INTEGERS_H

#include <stdint.h>

static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t clamp(int64_t a, int64_t low, int64_t high) { return a < low ? low : a < high ? a : high; }

/* The least multiple of `divisor` that is not less than a. */
static inline int64_t round_up(int64_t a, int64_t divisor) { return (a + divisor - 1) / divisor * divisor; }

#endif
