/* The one stride walker: the elements of several views of one shape, visited in step, in the order that
 * suits the memory of the output. */
#ifndef SUGAR_WALK_H
#define SUGAR_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "sugar/sugar.h"

enum { SUGAR_MAX_OPERANDS = 3 };    /* x, dy, dx */

typedef struct sugar_walk {
    int operands;                   /* the last one is the output */
    int ndim;                       /* 1 or more; dimension 0 is the innermost */
    int64_t count;                  /* elements in all */
    int64_t extent[SUGAR_MAX_DIMENSIONS];
    int64_t stride[SUGAR_MAX_OPERANDS][SUGAR_MAX_DIMENSIONS];   /* in elements */
    void *data[SUGAR_MAX_OPERANDS]; /* element 0 */
} sugar_walk;

/* Reorders, turns and merges the dimensions, which may stand in any order before: afterwards the output
 * is walked forward through memory, its smallest stride innermost, in as few dimensions as can be. */
void sugar_walk_arrange(sugar_walk *walk, size_t element_size);

/* A place in a walk. */
typedef struct sugar_cursor {
    int64_t index[SUGAR_MAX_DIMENSIONS];
    int64_t offset[SUGAR_MAX_OPERANDS]; /* from data, in elements */
} sugar_cursor;

/* Goes to an element, counted from 0 in the order of the walk. */
void sugar_cursor_seek(sugar_cursor *cursor, const sugar_walk *walk, int64_t position);

/* How many elements follow, this one included, before the innermost dimension ends. */
static inline int64_t sugar_cursor_run(const sugar_cursor *cursor, const sugar_walk *walk)
{
    return walk->extent[0] - cursor->index[0];
}

/* Goes on by n elements, at most to the end of the run. Inline, as runs may be short. */
static inline void sugar_cursor_advance(sugar_cursor *cursor, const sugar_walk *walk, int64_t n)
{
    cursor->index[0] += n;
    for (int k = 0; k < walk->operands; k++)
        cursor->offset[k] += n * walk->stride[k][0];
    for (int d = 0; cursor->index[d] == walk->extent[d] && d + 1 < walk->ndim; d++) {
        cursor->index[d] = 0;
        cursor->index[d + 1]++;
        for (int k = 0; k < walk->operands; k++)
            cursor->offset[k] += walk->stride[k][d + 1] - walk->extent[d] * walk->stride[k][d];
    }
}

#endif
