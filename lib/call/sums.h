/* What a slice has summed, given to where it belongs. */
#ifndef SUGAR_SUMS_H
#define SUGAR_SUMS_H

#include "call/workspace.h"

/* What several slices found of one sum meets in a table. */
typedef union sugar_sum_entry {
    sugar_tally tally;
    sugar_exact gradient;
} sugar_sum_entry;

/* A call divided into slices. */
typedef struct sugar_sum_job {
    const sugar_extended_call *call;
    sugar_slices slices;
    sugar_sum_entry *table;
} sugar_sum_job;

/* Gives what slice `number` has summed so far to its entries in the table, or, if no other slice has them, to where they
 * belong. The sums in the workspace begin anew. */
void sugar_sums_take(const sugar_sum_job *job, sugar_workspace *w, const sugar_walk *slice, int64_t number, int64_t sums);

/* Adds up what slices that share their sums found, in their order. */
void sugar_sums_gather(const sugar_sum_job *job);

#endif
