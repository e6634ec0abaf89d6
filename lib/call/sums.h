/* Sums: from a slice's workspace to the monitor or the gradient, through a table if several slices have the same
 * sums. */
#ifndef SUGAR_SUMS_H
#define SUGAR_SUMS_H

#include "call/workspace.h"

/* One sum of one slice, in the table. */
typedef union sugar_sum_entry {
    sugar_tally tally;
    sugar_exact gradient;
} sugar_sum_entry;

/* A call divided into slices. */
typedef struct sugar_sum_job {
    const sugar_extended_call *call;
    sugar_slices slices;
    sugar_sum_entry *table;         /* used if slices share sums: sum i of slice s is entry s * sums + i */
} sugar_sum_job;

/* Adds the products of a tile, reals, to the sums of its slice. */
void sugar_sums_add(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, const void *products);

/* Moves the sums of slice `number` from the workspace to its entries in the table, or, if no other slice has these
 * sums, to the monitor or the gradient. The sums in the workspace become 0. */
void sugar_sums_take(const sugar_sum_job *job, sugar_workspace *w, const sugar_walk *slice, int64_t number,
                     int64_t sums);

/* Adds up the table, slice after slice, to the monitor or the gradient. */
void sugar_sums_gather(const sugar_sum_job *job);

#endif
