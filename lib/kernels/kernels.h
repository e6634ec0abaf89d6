/* The kernels as the rest of the library sees them: per instruction set and element type one table
 * of functions over contiguous runs. Kernels know nothing of shapes, strides or threads. */
#ifndef SUGAR_KERNELS_H
#define SUGAR_KERNELS_H

#include <stddef.h>

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

/* What `combine` does, for every i:
 *   d[i]  = surrogate[i]                                              if derivative is NULL
 *           t * surrogate[i] + u * derivative[i]                      where x[i] <= 0 or !negative_only
 *           derivative[i]                                             elsewhere
 *   dx[i] = dy[i] * d[i], or fma(dy[i], d[i], dx[i]) if accumulate
 * dx may be x or dy: each element is read before it is written. */
#define SUGAR_KERNEL_TYPES(T, element)                                                             \
    /* y[i] = f(x[i]); y may be x. parameters: SUGAR_KERNEL_PARAMETERS values. */                  \
    typedef void (*sugar_forward_kernel_##element)(const T *parameters, const T *x, T *y, size_t n); \
    /* dx[i] = dy[i] * f'(x[i]), or f'(x[i]) if dy is NULL; dx may be x or dy. */                  \
    typedef void (*sugar_backward_kernel_##element)(const T *parameters, const T *x, const T *dy,  \
                                                    T *dx, size_t n);                              \
    typedef struct sugar_combination_##element {                                                   \
        const T *x, *surrogate, *derivative;                                                       \
        T t, u;                                                                                    \
        int negative_only, accumulate;                                                             \
    } sugar_combination_##element;                                                                 \
    typedef struct sugar_kernels_##element {                                                       \
        sugar_forward_kernel_##element forward[SUGAR_KIND_COUNT]; /* NULL: surrogate only */       \
        sugar_backward_kernel_##element backward[SUGAR_KIND_COUNT];                                \
        void (*combine)(const sugar_combination_##element *combination, const T *dy, T *dx, size_t n); \
    } sugar_kernels_##element;

SUGAR_KERNEL_TYPES(float, f32)
SUGAR_KERNEL_TYPES(double, f64)

/* One pair of tables per instruction set, defined by kernels.c if the build compiles it. */
#define LEVEL(name, is_here)                                                                       \
    extern const sugar_kernels_f32 sugar_kernels_f32_##name;                                       \
    extern const sugar_kernels_f64 sugar_kernels_f64_##name;
#include "../levels.def"

#endif
