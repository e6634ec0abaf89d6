/* The handle behind sugar_activation: everything that a call needs, chosen and converted at creation. */
#ifndef SUGAR_ACTIVATION_H
#define SUGAR_ACTIVATION_H

#include <stdbool.h>

#include "kernels/kernels.h"
#include "cpu/level.h"

/* The values of g' where it has two, or one: rounded to reals. */
typedef struct sugar_two_values {
    bool are_all;                   /* false: it has more */
    double lower, upper;
} sugar_two_values;

/* The forward and the backward pass in one element type. */
typedef struct sugar_passes {
    sugar_forward_kernel *forward;
    sugar_backward_kernel *backward;        /* with what the backward pass uses */
    sugar_derivative_kernel *surrogate_derivative; /* the same, not yet times dy */
    sugar_derivative_kernel *own_derivative; /* of the forward function; NULL: not mixed in */
    sugar_combine_kernel *combine;
    sugar_parameters forward_parameters, surrogate_parameters;
    double blend, rest;                     /* t and 1 - t, rounded to reals */
    bool has_surrogate;                     /* false: the backward pass is the forward function's own */
    sugar_two_values values;                /* of what the backward pass uses */
} sugar_passes;

struct sugar_activation {
    sugar_passes passes[SUGAR_ELEMENT_COUNT];
    const sugar_level_entry *level;
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
