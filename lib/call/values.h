/* Runs of elements of a tile that share a value, or a row of values, of a parameter or a bias. */
#ifndef SUGAR_VALUES_H
#define SUGAR_VALUES_H

#include "call/workspace.h"

/* Elements of a tile, one after another, by operand k: they share a value (step 0), or each has its own (step 1). */
typedef struct sugar_value_run {
    int k;
    const void *value;              /* elements of operand k; reals if it is converted */
    size_t step;
    size_t begin, n;                /* elements [begin, begin + n) of the tile */
    int64_t rows_left;              /* that have the same values */
    sugar_runs runs;
} sugar_value_run;

/* Visits the runs of a tile: sugar_value_runs_start, then sugar_value_runs_next before each run, until it returns
 * false. */
void sugar_value_runs_start(sugar_value_run *v, const sugar_block *b, int k);
bool sugar_value_runs_next(sugar_value_run *v, const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b);

/* How many elements must share a value, or have a row of values, in a fused pass. Shorter rows of biases are laid out
 * in a buffer, a bias for each element: in the kernel each row begins with a few operations for itself. */
enum { SUGAR_SHORTEST_FUSED = 128 };

/* Whether so many elements of a tile share a value of operand k, a parameter or a bias, or have rows of them, that a
 * kernel is called for each run. If not, every element gets a value of its own, in a buffer. */
bool sugar_tile_shares(const sugar_extended_call *c, const sugar_block *b, int k);

#endif
