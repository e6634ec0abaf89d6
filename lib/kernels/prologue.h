/* What all of a kernel is built on: the element type, the type of its arithmetic, and the vector vocabulary. The build
 * defines, each time it compiles kernels.c,
 *   SUGAR_LEVEL_NAME   the level, whose vocabulary is isa/vec_<level>.h
 *   SUGAR_TYPE         the element type: f32, f64, f16 or bf16 */
#ifndef SUGAR_KERNELS_PROLOGUE_H
#define SUGAR_KERNELS_PROLOGUE_H

#include "kernels/real.h"

#define VEC_FILE(level) QUOTE_(kernels/isa/vec_##level.h)
#define VEC_HEADER(level) VEC_FILE(level)
#include VEC_HEADER(SUGAR_LEVEL_NAME)

/* One of two constants, by the type of the arithmetic. */
#if REAL_BITS == 32
#define PICK(f32, f64) f32
#else
#define PICK(f32, f64) f64
#endif

/* A constant, as a real in every lane. */
#define SPLAT(a) vec_splat((real)(a))

#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 32")
#else
#define UNROLL
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Whether any lane has an input that is not typical. */
static inline int is_rare(mask m) { return (int)__builtin_expect(vec_any(m) != 0, 0); }

#endif
