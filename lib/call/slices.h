/* Slices: how a call with sums is divided. The division depends on shapes and strides alone, so that sums have the
 * same bits for any number of threads. */
#ifndef SUGAR_SLICES_H
#define SUGAR_SLICES_H

#include "view/walk.h"

/* The most sums that one slice has; and the most entries of the table in which slices that have the same sums put
 * them. */
enum { SUGAR_MOST_SUMS = 2048, SUGAR_MOST_ENTRIES = 4096 };

/* A dimension of a walk is kept if the stride of operand `sum_index` is not 0 there, else it is summed. Slices are
 * boxes. If there are few sums, slices divide a summed dimension: each has all sums, over some of the elements. If
 * there are many, slices divide kept dimensions: each has some of the sums, over all their elements. */
typedef struct sugar_slices {
    int64_t count;
    int64_t sums;                   /* of the whole call */
    bool same_sums;                 /* all slices have the same sums, which are added up in the order of the slices */
    int64_t length[SUGAR_MAX_DIMENSIONS];   /* extents of a slice that is not cut off at an edge */
} sugar_slices;

/* Divides an arranged walk. sum_index: the index operand that says which sum an element belongs to; negative: none. */
void sugar_slices_make(sugar_slices *slices, const sugar_walk *walk, int sum_index);

/* The walk over slice `number`, in which operand `sum_index` counts the slice's sums from 0 on, in the order of the
 * walk. Returns how many sums the slice has. */
int64_t sugar_slice_walk(sugar_walk *slice, const sugar_walk *walk, const sugar_slices *slices, int sum_index,
                         int64_t number);

/* Visits the sums of a slice in the order of `sum_index`. offset: where a sum is in operand k, in elements from the
 * one that the walk visits first; if k is an index operand, its index there. */
typedef struct sugar_kept {
    const sugar_walk *walk;
    int sum_index, k;
    int64_t index[SUGAR_MAX_DIMENSIONS];
    int64_t offset;
} sugar_kept;
void sugar_kept_start(sugar_kept *kept, const sugar_walk *slice, int sum_index, int k);
void sugar_kept_next(sugar_kept *kept);

/* A run: elements of a tile that follow each other in its order, by an operand k. Either `length` elements with one
 * element of that operand, `first`; or, if `across`, `rows` rows of `length` elements, of which element i of each row
 * has element first + i. By an index operand of sums, these are the sums that they belong to. */
typedef struct sugar_run {
    int64_t begin;                  /* which element of the tile is its first one */
    int64_t length;
    int64_t first;                  /* of operand k, for the first element: its index, or its offset */
    int64_t rows;                   /* 1 unless `across` */
    bool across;
} sugar_run;

/* Visits the runs of a tile: sugar_runs_start, then sugar_runs_next before each run, until it returns false. */
typedef struct sugar_runs {
    const sugar_walk *walk;
    const sugar_tile *tile;
    int k;
    int inner;                      /* a run has dimensions 0 to inner - 1 */
    int64_t index[SUGAR_MAX_DIMENSIONS];
    sugar_run run;
} sugar_runs;
void sugar_runs_start(sugar_runs *runs, const sugar_walk *walk, const sugar_tile *tile, int k);
bool sugar_runs_next(sugar_runs *runs);

#endif
