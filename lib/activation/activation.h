/* The handle behind sugar_activation: everything that a call needs, chosen and converted at creation. */
#ifndef SUGAR_ACTIVATION_H
#define SUGAR_ACTIVATION_H

#include <stdbool.h>

#include "kernels/kernels.h"
#include "cpu/level.h"

/* What g' is, where it has two values, or one: as numbers of the type that computes. */
typedef struct sugar_two_values {
    bool are_all;                   /* false: it has more */
    double lower, upper;
} sugar_two_values;

/* The two passes in one element type. */
#define SUGAR_PASSES(element, storage, real, unused)                                               \
    typedef struct sugar_passes_##element {                                                        \
        sugar_forward_kernel_##element forward;                                                    \
        sugar_backward_kernel_##element backward;   /* with what the backward pass uses */         \
        sugar_derivative_kernel_##element surrogate;  /* the same, not yet times dy */             \
        sugar_derivative_kernel_##element derivative; /* of the forward function; NULL: not mixed in */ \
        sugar_combine_kernel_##element combine;                                                    \
        real forward_parameters[SUGAR_KERNEL_PARAMETERS];                                          \
        real surrogate_parameters[SUGAR_KERNEL_PARAMETERS];                                        \
        real blend, rest;                           /* t and 1 - t */                              \
        bool is_own;                                /* the surrogate is the forward function */    \
        sugar_two_values values;                    /* of what the backward pass uses */           \
    } sugar_passes_##element;
SUGAR_ELEMENTS(SUGAR_PASSES, )

struct sugar_activation {
#define SUGAR_PASSES_MEMBER(element, storage, real, unused) sugar_passes_##element element;
    SUGAR_ELEMENTS(SUGAR_PASSES_MEMBER, )
    const sugar_level_row *level;
    int32_t forward_kind, surrogate_kind;
    double minimum, maximum;        /* of what the backward pass uses */
    sugar_activation *from_output;   /* the same with y in place of x in the backward pass; NULL: impossible, */
    const char *from_output_needs;          /* for want of this */
    bool negative_only;             /* the surrogate where x <= 0, the derivative elsewhere */
    char spec[];                    /* canonical */
};

/* The activation whose backward pass takes y in place of x. NULL if there is none, and the message says why. */
const sugar_activation *sugar_activation_from_output(const sugar_activation *activation);

#endif
