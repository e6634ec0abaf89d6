/* The kernels as the rest of the library sees them: per instruction set and element type one table
 * of functions over contiguous runs. Kernels know nothing of shapes, strides or threads. */
#ifndef SUGAR_KERNELS_H
#define SUGAR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Every kind has a number, its row in kinds.def. */
enum {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(name, ...) SUGAR_KIND_##name,
#define SURROGATE(name, ...) SUGAR_KIND_##name,
#include "../kinds.def"
    SUGAR_KIND_COUNT
};

/* A row of kinds.def has at most SUGAR_MAX_PARAMETERS parameters; kernels get one value more, the
 * threshold from which spike surrogates measure x. */
enum { SUGAR_MAX_PARAMETERS = 3, SUGAR_SHIFT = SUGAR_MAX_PARAMETERS, SUGAR_KERNEL_PARAMETERS };

/* The element types: one ELEMENT(name, storage, real, argument) each. Elements lie in memory as `storage`;
 * kernels compute in `real` and round a result once when they store it. */
#define SUGAR_ELEMENTS(ELEMENT, argument)                                                          \
    ELEMENT(f32, float, float, argument)                                                           \
    ELEMENT(f64, double, double, argument)                                                         \
    ELEMENT(f16, uint16_t, float, argument)                                                        \
    ELEMENT(bf16, uint16_t, float, argument)

/* What `combine` does, for every i:
 *   d[i]  = surrogate[i]                                              if derivative is NULL
 *           t * surrogate[i] + u * derivative[i]                      where x[i] <= 0 or !negative_only
 *           derivative[i]                                             elsewhere
 *   dx[i] = dy[i] * d[i], or fma(dy[i], d[i], dx[i]) if accumulate
 * dx may be x or dy: each element is read before it is written.
 *
 * With `stream`, here and below, whole vectors are stored past the caches, where the instruction set can, and
 * are in memory, for other threads too, when the function returns. Outputs then begin at a cache line, and
 * are no inputs. */
#define SUGAR_KERNEL_TYPES(element, storage, real, unused)                                         \
    /* y[i] = f(x[i]); y may be x. parameters: SUGAR_KERNEL_PARAMETERS values. */                  \
    typedef void (*sugar_forward_kernel_##element)(const real *parameters, const storage *x,       \
                                                   storage *y, size_t n, int stream);              \
    /* dx[i] = dy[i] * f'(x[i]); dx may be x or dy. */                                             \
    typedef void (*sugar_backward_kernel_##element)(const real *parameters, const storage *x,      \
                                                    const storage *dy, storage *dx, size_t n,      \
                                                    int stream);                                   \
    /* d[i] = f'(x[i]). */                                                                         \
    typedef void (*sugar_derivative_kernel_##element)(const real *parameters, const storage *x,    \
                                                      real *d, size_t n);                          \
    typedef struct sugar_combination_##element {                                                   \
        const storage *x;                                                                          \
        const real *surrogate, *derivative;                                                        \
        real t, u;                                                                                 \
        int negative_only, accumulate, stream;                                                     \
    } sugar_combination_##element;                                                                 \
    typedef void (*sugar_combine_kernel_##element)(const sugar_combination_##element *combination, \
                                                   const storage *dy, storage *dx, size_t n);      \
    typedef struct sugar_kernels_##element {                                                       \
        sugar_forward_kernel_##element forward[SUGAR_KIND_COUNT]; /* NULL: surrogate only */       \
        sugar_backward_kernel_##element backward[SUGAR_KIND_COUNT];                                \
        sugar_derivative_kernel_##element derivative[SUGAR_KIND_COUNT];                            \
        sugar_combine_kernel_##element combine;                                                    \
    } sugar_kernels_##element;
SUGAR_ELEMENTS(SUGAR_KERNEL_TYPES, )

/* The tables of one instruction set. */
#define SUGAR_KERNELS_MEMBER(element, storage, real, unused) const sugar_kernels_##element *element;
typedef struct sugar_kernels {
    SUGAR_ELEMENTS(SUGAR_KERNELS_MEMBER, )
} sugar_kernels;

/* They are defined by kernels.c if the build compiles it for that instruction set. */
#define SUGAR_KERNELS_TABLE(element, storage, real, level)                                         \
    extern const sugar_kernels_##element sugar_kernels_##element##_##level;
#define LEVEL(name, is_here) SUGAR_ELEMENTS(SUGAR_KERNELS_TABLE, name)
#include "../levels.def"

#endif
