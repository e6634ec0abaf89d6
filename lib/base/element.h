/* The element types, numbered. Code above the kernels has a void pointer, and one of these numbers that says what is
 * there.
 *
 * A new type is added here; in kernels/: kernels.h (the names of its tables), real.h, loops/plain.h (VECTORS_OF_*),
 * math/rounding.h (LAST_*, MIDDLE_*), kinds/common.h (SMALLEST_*), and the loads and stores of each isa/vec_*.h; in
 * cpu/level.c and in lib/meson.build. */
#ifndef SUGAR_ELEMENT_H
#define SUGAR_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sugar/sugar.h"

typedef enum sugar_element {
    SUGAR_F32,
    SUGAR_F64,
    SUGAR_F16,
    SUGAR_BF16,
    SUGAR_ELEMENT_COUNT             /* returned by sugar_element_find: not a known type */
} sugar_element;

/* From the code and the bits of a DLPack data type. */
static inline sugar_element sugar_element_find(uint8_t code, uint8_t bits)
{
    if (code == SUGAR_TYPE_FLOAT)
        return bits == 32 ? SUGAR_F32 : bits == 64 ? SUGAR_F64 : bits == 16 ? SUGAR_F16 : SUGAR_ELEMENT_COUNT;
    return code == SUGAR_TYPE_BFLOAT && bits == 16 ? SUGAR_BF16 : SUGAR_ELEMENT_COUNT;
}

static inline sugar_data_type sugar_element_data_type(sugar_element element)
{
    const uint8_t bits = element == SUGAR_F32 ? 32 : element == SUGAR_F64 ? 64 : 16;
    return (sugar_data_type){element == SUGAR_BF16 ? SUGAR_TYPE_BFLOAT : SUGAR_TYPE_FLOAT, bits, 1};
}

/* Bytes in memory. */
static inline size_t sugar_element_size(sugar_element element)
{
    return element == SUGAR_F32 ? 4 : element == SUGAR_F64 ? 8 : 2;
}

/* Reals are what kernels compute with: double for f64, float for all other types. An array of n reals of either
 * type: */
#define SUGAR_REALS(n)                                                                                                 \
    union {                                                                                                            \
        float f32[n];                                                                                                  \
        double f64[n];                                                                                                 \
    }

static inline size_t sugar_real_size(sugar_element element)
{
    return element == SUGAR_F64 ? sizeof(double) : sizeof(float);
}

/* `value` rounded to a real. */
static inline double sugar_real_round(sugar_element element, double value)
{
    return element == SUGAR_F64 ? value : (double)(float)value;
}

static inline double sugar_real_get(sugar_element element, const void *reals, int64_t i)
{
    return element == SUGAR_F64 ? ((const double *)reals)[i] : (double)((const float *)reals)[i];
}

static inline void sugar_real_set(sugar_element element, void *reals, int64_t i, double value)
{
    if (element == SUGAR_F64)
        ((double *)reals)[i] = value;
    else
        ((float *)reals)[i] = (float)value;
}

#endif
