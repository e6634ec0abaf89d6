/* sugar_activation: what a call needs of a spec and a level, looked up and rounded when the handle is made. */
#ifndef SUGAR_ACTIVATION_H
#define SUGAR_ACTIVATION_H

#include <stdbool.h>

#include "activation/spec.h"
#include "cpu/level.h"
#include "kernels/kernels.h"

/* The least and the greatest value of g', as reals. */
typedef struct sugar_two_values {
    bool are_all;                   /* g' has no other values; if false, lower and upper mean nothing */
    double lower, upper;
} sugar_two_values;

/* The forward and the backward pass in one element type. Kernels are those of sugar_kernels (kernels.h); the macros of
 * kernels/kernels.c name them after their kind, here relu~bsilu. f' is the derivative of the forward function, g' what
 * the backward pass uses: f', that of the surrogate, or a mixture of both. */
typedef struct sugar_passes {
    sugar_forward_kernel *forward;                  /* relu_forward, so forward_loop in loops/plain.h */
    sugar_backward_kernel *backward;                /* bsilu_backward, so backward_loop */
    sugar_derivative_kernel *surrogate_derivative;  /* bsilu_derivatives, so derivative_loop; that of f without a
                                                       surrogate, and if t is 0 */
    sugar_derivative_kernel *own_derivative;        /* relu_derivatives; NULL: g' is the one above */
    sugar_combine_kernel *combine;                  /* combine in loops/plain.h */
    const sugar_fused_kernels *fused_forward;       /* relu_fused, so loops/fused.h; NULL: there are none */
    const sugar_fused_kernels *fused_backward;      /* bsilu_default_fused; NULL also if g' is a mixture */
    sugar_derivative_kernel *surrogate_second;      /* bsilu_seconds, the derivative of surrogate_derivative;
                                                       NULL: its kind has none */
    sugar_derivative_kernel *own_second;            /* relu_seconds: that of own_derivative */
    sugar_parameters forward_parameters, surrogate_parameters;
    double blend, rest;                             /* t and 1 - t, rounded to reals */
    bool has_surrogate;                             /* there is one behind the ~, and t is not 0 */
    sugar_two_values values;                        /* of g' */
} sugar_passes;

struct sugar_activation {
    sugar_passes passes[SUGAR_ELEMENT_COUNT];
    sugar_table tables[2];          /* of the kind `table`: for the types that compute in f32, and for f64 */
    const sugar_level_entry *level;
    sugar_spec parsed;              /* what `spec` says */
    double minimum, maximum;        /* the bounds of g' */
    uint64_t capabilities;          /* SUGAR_CAN_*: what calls accept */
    bool uses_own_derivative;       /* g' is f', or depends on it, in some element type */
    sugar_activation *from_output;  /* the activation whose backward pass has y in place of x, or NULL */
    const char *from_output_needs;  /* if NULL: what the spec would have to be, for messages */
    size_t spec_length;
    char spec[];                    /* canonical; behind it, what the tables lead to */
};

/* The activation whose backward pass takes y in place of x. NULL: there is none, and
 * sugar_last_error says why. */
const sugar_activation *sugar_activation_from_output(const sugar_activation *activation);

#endif
