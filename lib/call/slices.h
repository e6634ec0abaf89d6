/* How a call whose elements are summed is divided: into slices that depend on shapes alone, so that sums have the
 * same bits for any number of threads. */
#ifndef SUGAR_SLICES_H
#define SUGAR_SLICES_H

#include "view/walk.h"

/* The most sums that one slice takes, and the most entries of the table in which sums of several slices meet. */
enum { SUGAR_MOST_SUMS = 2048, SUGAR_MOST_ENTRIES = 4096 };

/* The dimensions of a walk are kept, where its operand `sum_index` moves, or summed. Slices are boxes. Where few sums
 * are kept a slice has all of them, of a part of what is summed; where there are many it has some of them, whole. */
typedef struct sugar_slices {
    int64_t count;
    int64_t sums;                   /* in all */
    bool share;                     /* slices have the same sums, which are added up in the slices' order */
    int64_t length[SUGAR_MAX_DIMENSIONS];   /* extents of a slice that is not cut off at an edge */
} sugar_slices;

/* Divides an arranged walk. sum_index: the operand that numbers the sums; negative: there are none. */
void sugar_slices_make(sugar_slices *slices, const sugar_walk *walk, int sum_index);

/* The walk over one slice, in which `sum_index` numbers its sums from 0 on in the order of the walk. Returns how many
 * sums it has. */
int64_t sugar_slice_walk(sugar_walk *slice, const sugar_walk *walk, const sugar_slices *slices, int sum_index,
                      int64_t number);

/* The elements of operand k that stand for the sums of a slice, in the order of `sum_index`: their offsets in elements
 * from its element 0. */
typedef struct sugar_kept {
    const sugar_walk *walk;
    int sum_index, k;
    int64_t index[SUGAR_MAX_DIMENSIONS];
    int64_t offset;
} sugar_kept;
void sugar_kept_start(sugar_kept *kept, const sugar_walk *slice, int sum_index, int k);
void sugar_kept_next(sugar_kept *kept);

/* A run of a tile's elements, in its order. */
typedef struct sugar_run {
    int64_t begin, length;
    int64_t first;                  /* the sum of its first element */
    int64_t rows;                   /* 1: all of it belongs to that sum. More, or a length of `across`: see below */
    bool across;                    /* rows * length elements: rows of which element i belongs to sum first + i */
} sugar_run;

/* Visits the runs of a tile one after another. Starts with run.begin < 0; false when there are no more. */
typedef struct sugar_runs {
    const sugar_walk *walk;
    const sugar_tile *tile;
    int sum_index, inner;               /* the dimensions below inner are those of a run */
    int64_t index[SUGAR_MAX_DIMENSIONS];
    sugar_run run;
} sugar_runs;
void sugar_runs_start(sugar_runs *runs, const sugar_walk *walk, const sugar_tile *tile, int sum_index);
bool sugar_runs_next(sugar_runs *runs);

#endif
