/* Extended calls: those whose options ask for more than x, dy and dx. */
#ifndef SUGAR_EXTENDED_H
#define SUGAR_EXTENDED_H

#include <stdbool.h>

#include "call/options.h"
#include "call/slices.h"
#include "cpu/level.h"
#include "monitor/monitor.h"

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
    sugar_monitor *monitor;                 /* or NULL */
    sugar_random random;
    bool draws;                     /* rrelu draws its slopes: random is set */
    bool is_backward, accumulate, stream, prefetch;
    /* Places in the walk, or SUGAR_ABSENT. */
    int x, dy, output;
    int parameter, parameter_gradient;
    int saved_gradient;
    bool saves_bits;                /* one for each element; then its operand is an index operand */
    /* Of index operands. */
    int unit_index;                 /* the monitor's unit of an element */
    int sum_index;                  /* which sum of a slice an element belongs to */
    int position_index;                   /* the number of an element in row-major order */
    bool is_written[SUGAR_MAX_OPERANDS];
    sugar_walk walk;
} sugar_extended_call;

/* The flags have been checked; operands and other options have not. is_flat: the caller gave pointers and steps, which
 * messages speak of. */
sugar_status sugar_extended_forward(const sugar_activation *activation, const sugar_tensor *x,
                                    const sugar_tensor *y, const sugar_call_options *options, bool is_flat);
sugar_status sugar_extended_backward(const sugar_activation *activation, const sugar_tensor *x,
                                     const sugar_tensor *dy, const sugar_tensor *dx,
                                     const sugar_call_options *options, bool is_flat);

/* Feeds a monitor alone. */
sugar_status sugar_extended_observe(sugar_monitor *monitor, const sugar_level_entry *level, const sugar_tensor *x,
                                    const sugar_call_options *options);

/* Whether each value of a parameter that is a tensor is within its range. */
sugar_status sugar_parameter_check(const sugar_extended_call *call, const sugar_call_options *options);

/* Runs a call with a walk of at least one element, in which nothing can be wrong any more. */
void sugar_extended_run(sugar_extended_call *call, const sugar_call_options *options);

#endif
