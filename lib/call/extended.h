/* An extended call: one whose options add operands to x, y, dy and dx. */
#ifndef SUGAR_EXTENDED_H
#define SUGAR_EXTENDED_H

#include <stdbool.h>

#include "call/options.h"
#include "call/slices.h"
#include "cpu/level.h"
#include "monitor/monitor.h"

enum { SUGAR_ABSENT = -1 };         /* in place of the number of an operand: the call does not have it */

/* A sum in f64, and what its rounding lost. */
typedef struct sugar_exact {
    double high, low;
} sugar_exact;

/* A call whose options and operands have been checked. */
typedef struct sugar_extended_call {
    const sugar_activation *activation;     /* NULL: nothing is computed, only a monitor is fed */
    /* What tiles are computed in: the element type of x, or f32 where that is narrow and the call converts: in
     * buffers that all operands of a tile pass through, or in registers where kernels fuse options with a pass. */
    sugar_element element;
    const sugar_kernels *kernels;           /* of the level and that type */
    /* Of the type that each operand has in memory; and in tiles, which is the one above, but where kernels fuse
     * all but the bias are as they lie in memory. */
    const sugar_kernels *in_memory[SUGAR_MAX_OPERANDS], *in_tiles[SUGAR_MAX_OPERANDS];
    sugar_element type;             /* of x and dy in memory */
    bool is_fused;                  /* kernels fuse options with the pass: fused.h */
    sugar_monitor *monitor;                 /* or NULL */
    sugar_random random;            /* set if rrelu draws its slopes */
    unsigned given;                 /* options: bit i stands for option i */
    bool is_backward, accumulate, from_output, prefetch;
    /* The numbers of operands in the walk, or SUGAR_ABSENT. */
    int x, dy, output;
    int place[SUGAR_OPTION_COUNT];  /* of options that are tensors */
    bool saves_bits;                /* the saved gradient has one bit for each element; it is an index operand */
    int summed;                     /* the gradient that sums are stored to */
    /* Index operands; their index is: */
    int unit_index;                 /* the monitor's unit that an element belongs to */
    int sum_index;                  /* the sum that an element belongs to */
    int position_index;             /* the element's position in row-major order */
    bool is_written[SUGAR_MAX_OPERANDS], is_streamed[SUGAR_MAX_OPERANDS];
    bool is_staged[SUGAR_MAX_OPERANDS];     /* computed in a buffer, wherever it lies */
    sugar_walk walk;
} sugar_extended_call;

#endif
