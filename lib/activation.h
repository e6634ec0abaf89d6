/* The handle behind sugar_activation: everything that a call needs, chosen and converted at creation. */
#ifndef SUGAR_ACTIVATION_H
#define SUGAR_ACTIVATION_H

#include <stdbool.h>

#include "kernels/kernels.h"
#include "level.h"

/* The two passes in one element type. */
#define SUGAR_PASSES(T, element)                                                                   \
    typedef struct sugar_passes_##element {                                                        \
        sugar_forward_kernel_##element forward;                                                    \
        sugar_backward_kernel_##element surrogate;  /* what the backward pass uses */              \
        sugar_backward_kernel_##element derivative; /* of the forward function; NULL: not mixed in */ \
        void (*combine)(const sugar_combination_##element *combination, const T *dy, T *dx, size_t n); \
        T forward_parameters[SUGAR_KERNEL_PARAMETERS];                                             \
        T surrogate_parameters[SUGAR_KERNEL_PARAMETERS];                                           \
        T blend, rest;                              /* t and 1 - t */                              \
    } sugar_passes_##element;

SUGAR_PASSES(float, f32)
SUGAR_PASSES(double, f64)

struct sugar_activation {
    sugar_passes_f32 f32;
    sugar_passes_f64 f64;
    const sugar_level_row *level;
    bool negative_only;             /* the surrogate where x <= 0, the derivative elsewhere */
    char spec[];                    /* canonical */
};

#endif
