/* Calls whose options ask for more than x, dy and dx: monitors, parameters as tensors and their gradients, saved
 * gradients, drawn slopes. */
#ifndef SUGAR_EXTENDED_H
#define SUGAR_EXTENDED_H

#include <stdbool.h>

#include "cpu/level.h"
#include "monitor/monitor.h"
#include "call/slices.h"

enum { SUGAR_ABSENT = -1 };         /* the place of an operand that a call does not have */

/* A sum in f64 and what its rounding left. */
typedef struct sugar_exact {
    double high, low;
} sugar_exact;

/* A call whose operands have been put together, as all of its parts see it. */
typedef struct sugar_extended_call {
    const sugar_activation *activation;     /* NULL: nothing is computed, a monitor is fed alone */
    sugar_element element;
    const sugar_kernels *kernels;           /* of the level and the element type */
    sugar_monitor *monitor;
    const sugar_random *random;
    bool is_backward, accumulate, stream, prefetch;
    int x, dy, output;              /* places in the walk */
    int parameter, gradient;        /* of the forward function */
    int saved;
    bool saves_bits;                /* one for each element; its operand numbers them */
    int units;                      /* numbers the units of the monitor */
    int local;                      /* numbers the sums of a slice */
    int position;                   /* numbers the elements in row-major order */
    bool is_written[SUGAR_MAX_OPERANDS];
    sugar_walk walk;
} sugar_extended_call;

/* Whether options ask for any of that. */
static inline bool sugar_is_extended(const sugar_call_options *options)
{
    return options->monitor || options->parameter || options->parameter_gradient || options->saved_gradient
           || options->random;
}

/* Calls whose flags are known to be good. y is NULL if a monitor is fed alone; is_flat: the caller gave pointers and
 * steps. */
sugar_status sugar_extended_forward(const sugar_activation *activation, const sugar_tensor *x,
                                    const sugar_tensor *y, const sugar_call_options *options, bool is_flat);
sugar_status sugar_extended_backward(const sugar_activation *activation, const sugar_tensor *x,
                                     const sugar_tensor *dy, const sugar_tensor *dx,
                                     const sugar_call_options *options, bool is_flat);
sugar_status sugar_extended_observe(sugar_monitor *monitor, const sugar_level_row *level, const sugar_tensor *x,
                                    const sugar_call_options *options);

/* Whether each value of a parameter that is a tensor is within its range. */
sugar_status sugar_parameter_check(const sugar_extended_call *call, const sugar_call_options *options);

/* Runs a call with a walk of at least one element, in which nothing can be wrong any more. */
void sugar_extended_run(sugar_extended_call *call, const sugar_call_options *options);

#endif
