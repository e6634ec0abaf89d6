/* The element type of a kernel, SUGAR_TYPE, and the type `real` that computes. */
#ifndef SUGAR_KERNELS_REAL_H
#define SUGAR_KERNELS_REAL_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define QUOTE_(a) #a
#define QUOTE(a) QUOTE_(a)
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)

/* The bits of an element in memory, and of a real. */
#define STORED_f32 32
#define STORED_f64 64
#define STORED_f16 16
#define STORED_bf16 16
#define COMPUTED_f32 32
#define COMPUTED_f64 64
#define COMPUTED_f16 32
#define COMPUTED_bf16 32
#define REAL_BITS JOIN(COMPUTED, SUGAR_TYPE)
/* Whether the element type is narrow: f16 or bf16. Elements have fewer bits than the reals, here floats, that they are
 * computed with, and the store rounds a second time. */
#define NARROW (JOIN(STORED, SUGAR_TYPE) < REAL_BITS)

#if REAL_BITS == 32
typedef float real;
typedef uint32_t real_bits;
#define REAL_MANTISSA_BITS 23
#define REAL_EXPONENT_BIAS 127
#elif REAL_BITS == 64
typedef double real;
typedef uint64_t real_bits;
#define REAL_MANTISSA_BITS 52
#define REAL_EXPONENT_BIAS 1023
#else
#error "SUGAR_TYPE must be f32, f64, f16 or bf16"
#endif

#endif
