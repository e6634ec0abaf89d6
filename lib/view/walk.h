/* The one stride walker: the elements of several views of one shape, visited in step, in tiles that suit
 * the memory of all of them. */
#ifndef SUGAR_WALK_H
#define SUGAR_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/integers.h"
#include "view/copy.h"

enum { SUGAR_PLAIN_OPERANDS = 3 };  /* x, dy, dx */
enum { SUGAR_MAX_OPERANDS = 8 };    /* with what the options of a call add; see call/options.h */
enum { SUGAR_LONG_ROW = 256 };      /* bytes; shorter rows are copied together before they are computed */

typedef struct sugar_walk {
    int operands;
    int output;                     /* the last one with storage; of a call that writes none, its input */
    int order;                      /* the one whose order the walk follows: the output */
    int ndim;                       /* 1 or more; dimension 0 is the innermost */
    size_t element_size;            /* of the output */
    int64_t count;                  /* elements in all */
    int64_t tiles, tile_count;      /* how many, and the elements of one that is not cut off at an edge */
    int64_t extent[SUGAR_MAX_DIMENSIONS];
    int64_t tile[SUGAR_MAX_DIMENSIONS];     /* extents of a tile */
    bool in_rows;                   /* dimension 0 is long, and contiguous in every view: nothing is copied */
    int along;                      /* the dimension in which tiles follow each other first */
    int64_t stride[SUGAR_MAX_OPERANDS][SUGAR_MAX_DIMENSIONS];   /* in elements */
    size_t size[SUGAR_MAX_OPERANDS];/* of an element; 0: an index operand */
    void *data[SUGAR_MAX_OPERANDS]; /* element 0 */
    int64_t first[SUGAR_MAX_OPERANDS];      /* the index of element 0, of index operands */
} sugar_walk;

/* Reorders, turns and merges the dimensions, which may stand in any order before: afterwards operand `order`
 * is walked forward through memory, its smallest stride innermost, in as few dimensions as can be. */
void sugar_walk_arrange(sugar_walk *walk);

/* The walk over the indices [begin, begin + extent) in dimension d alone. */
void sugar_walk_cut(sugar_walk *walk, int d, int64_t begin, int64_t extent);

/* The walk over the elements of operand k alone, each once: without the dimensions in which it does not move. */
void sugar_walk_alone(sugar_walk *alone, const sugar_walk *walk, int k);

/* Whether all views of an arranged walk lie one after another, element by element. */
bool sugar_walk_is_vector(const sugar_walk *walk);

/* Divides an arranged walk into tiles: of at most `most` elements, but where `rows` says that long rows are computed
 * where they are, and nothing will be copied. */
void sugar_walk_tile(sugar_walk *walk, int64_t most, bool rows);

/* A tile of a walk. */
typedef struct sugar_tile {
    int64_t index[SUGAR_MAX_DIMENSIONS];    /* of its first element */
    int64_t extent[SUGAR_MAX_DIMENSIONS];
    int64_t count;                          /* elements */
    int64_t offset[SUGAR_MAX_OPERANDS];     /* of the first element from data, in elements */
} sugar_tile;

/* Goes to a tile, counted from 0. */
void sugar_tile_seek(sugar_tile *tile, const sugar_walk *walk, int64_t number);

/* The tile after another one, which must exist; next may be that one. Only what the walk has dimensions and operands
 * for is written: to copy a whole tile takes string instructions, and with stores past the caches under way these held
 * up the next 8 KiB of a monitored relu by 120 ns (Zen 5). */
void sugar_tile_after(sugar_tile *next, const sugar_tile *tile, const sugar_walk *walk);

/* Where the tile begins in operand k. */
void *sugar_tile_start(const sugar_tile *tile, const sugar_walk *walk, int k);

/* How many elements lie one after another in operand k, in the order of the tile, from its start on: the
 * product of its first extents, as far as they are contiguous. */
int64_t sugar_tile_row(const sugar_tile *tile, const sugar_walk *walk, int k);

/* Copies the elements of operand k into a buffer, or back. */
void sugar_tile_read(const sugar_tile *tile, const sugar_walk *walk, int k, void *buffer);
void sugar_tile_write(const sugar_tile *tile, const sugar_walk *walk, int k, const void *buffer);

/* Asks for the lines of operand k ahead of their use, where the processor would not foresee them. */
void sugar_tile_prefetch(const sugar_tile *tile, const sugar_walk *walk, int k);

#endif
