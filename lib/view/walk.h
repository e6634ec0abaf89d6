/* The walk: the elements of several views of one shape, visited together, in tiles whose shape suits the memory of all
 * views. All calls use it. */
#ifndef SUGAR_WALK_H
#define SUGAR_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/integers.h"
#include "view/copy.h"

enum { SUGAR_PLAIN_OPERANDS = 3 };  /* x, dy, dx */
enum { SUGAR_MAX_OPERANDS = 13 };    /* of an extended call; call/options.h checks it */
enum { SUGAR_CACHE_LINE = 64 };     /* bytes */
enum { SUGAR_LONG_ROW = 256 };      /* bytes; elements in shorter rows are computed in buffers */

typedef struct sugar_walk {
    int operands;
    int output;                     /* the last operand with memory: the output, if the call has one */
    int order;                      /* the operand that is visited forward: the output, or an index operand */
    int ndim;                       /* 1 or more; dimension 0 is the innermost */
    size_t element_size;            /* of the output */
    int64_t count;                  /* elements of each operand */
    int64_t tiles, tile_count;      /* the number of tiles, and the elements of one that is not cut off at an edge */
    int64_t extent[SUGAR_MAX_DIMENSIONS];
    int64_t tile[SUGAR_MAX_DIMENSIONS];     /* extents of a tile that is not cut off at an edge */
    bool in_rows;                   /* dimension 0 is long, and contiguous in every view: nothing is copied */
    int along;                      /* the dimension along which one tile follows another */
    int64_t stride[SUGAR_MAX_OPERANDS][SUGAR_MAX_DIMENSIONS];   /* in elements */
    size_t size[SUGAR_MAX_OPERANDS];/* of an element; 0: an index operand */
    void *data[SUGAR_MAX_OPERANDS]; /* the address of the element that is visited first */
    int64_t first[SUGAR_MAX_OPERANDS];      /* of index operands: the index of that element */
} sugar_walk;

/* Reorders, turns and merges the dimensions: afterwards the walk goes forward through the memory of operand `order`,
 * with its smallest stride innermost, and has as few dimensions as possible. */
void sugar_walk_arrange(sugar_walk *walk);

/* Narrows dimension d to its indices [begin, begin + extent). */
void sugar_walk_cut(sugar_walk *walk, int d, int64_t begin, int64_t extent);

/* The walk over operand k alone, without the dimensions in which its stride is 0: it visits each element once. */
void sugar_walk_alone(sugar_walk *alone, const sugar_walk *walk, int k);

/* Whether the elements of an arranged walk lie one after another in every operand. */
bool sugar_walk_is_vector(const sugar_walk *walk);

/* Divides an arranged walk into tiles of at most `most` elements. For a plain call tiles may be 8 times as large where
 * rows are so long that they are computed where they lie. */
void sugar_walk_tile(sugar_walk *walk, int64_t most, bool plain);

/* A tile of a walk. */
typedef struct sugar_tile {
    int64_t index[SUGAR_MAX_DIMENSIONS];    /* of its first element */
    int64_t extent[SUGAR_MAX_DIMENSIONS];
    int64_t count;                          /* elements */
    int64_t offset[SUGAR_MAX_OPERANDS];     /* of the first element from data, in elements */
} sugar_tile;

/* Goes to a tile, counted from 0. */
void sugar_tile_seek(sugar_tile *tile, const sugar_walk *walk, int64_t number);

/* The tile that follows `tile`, which is not the last one; next may be tile. Writes only the dimensions and operands
 * that the walk has: to copy a whole sugar_tile takes string instructions, and while stores past the caches are under
 * way these delayed the next 8 KiB of a monitored relu by 120 ns (Zen 5). */
void sugar_tile_after(sugar_tile *next, const sugar_tile *tile, const sugar_walk *walk);

/* Tiles of a walk, visited in their order; the next one is known, so that it can be prefetched. */
typedef struct sugar_tiles {
    const sugar_walk *walk;
    int64_t number, end;            /* of the tile that is visited; of the one behind the last */
    const sugar_tile *now, *next;   /* next NULL: now is the last one */
    sugar_tile pair[2];             /* in turns now and next */
} sugar_tiles;

/* Visits tile `begin`, which is below end. */
void sugar_tiles_start(sugar_tiles *tiles, const sugar_walk *walk, int64_t begin, int64_t end);

/* Visits the next tile; behind the last one number is end. */
void sugar_tiles_step(sugar_tiles *tiles);

/* The address of the tile's first element in operand k. */
void *sugar_tile_start(const sugar_tile *tile, const sugar_walk *walk, int k);

/* How many elements of the tile, from its first on, lie one after another in operand k: the product of its inner
 * extents, as far as they are contiguous. */
int64_t sugar_tile_row(const sugar_tile *tile, const sugar_walk *walk, int k);

/* Copies the elements of operand k into a buffer, or back. */
void sugar_tile_read(const sugar_tile *tile, const sugar_walk *walk, int k, void *buffer);
void sugar_tile_write(const sugar_tile *tile, const sugar_walk *walk, int k, const void *buffer);

#endif
