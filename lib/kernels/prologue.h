/* What every part of a kernel begins with: the element type, the type that computes, and the vocabulary of the instruction
 * set. The build defines, for each object of kernels.c,
 *   SUGAR_LEVEL_NAME   the level, whose vocabulary is isa/vec_<level>.h
 *   SUGAR_TYPE         the element type: f32, f64, f16 or bf16 */
#ifndef SUGAR_KERNELS_PROLOGUE_H
#define SUGAR_KERNELS_PROLOGUE_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define QUOTE_(a) #a
#define QUOTE(a) QUOTE_(a)
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)

/* The bits of an element in memory, and of the arithmetic. */
#define STORED_f32 32
#define STORED_f64 64
#define STORED_f16 16
#define STORED_bf16 16
#define COMPUTED_f32 32
#define COMPUTED_f64 64
#define COMPUTED_f16 32
#define COMPUTED_bf16 32
#define REAL_BITS JOIN(COMPUTED, SUGAR_TYPE)
#define NARROW (JOIN(STORED, SUGAR_TYPE) < REAL_BITS)    /* elements are shorter than `real` */

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

#define VEC_FILE(level) QUOTE_(kernels/isa/vec_##level.h)
#define VEC_HEADER(level) VEC_FILE(level)
#include VEC_HEADER(SUGAR_LEVEL_NAME)

#if REAL_BITS == 32
#define PICK(f32, f64) f32
#else
#define PICK(f32, f64) f64
#endif

/* A constant in both element types. */
#define SPLAT(a) vec_splat((real)(a))

#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 32")
#else
#define UNROLL
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#endif
