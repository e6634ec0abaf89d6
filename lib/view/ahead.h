/* What is prefetched while the tiles of a walk are visited. */
#ifndef SUGAR_AHEAD_H
#define SUGAR_AHEAD_H

#include "view/walk.h"

/* Prefetches a tile's cache lines in operand k, where the processor would not do so by itself; row by row. */
void sugar_tile_prefetch(const sugar_tile *tile, const sugar_walk *walk, int k);

/* Tiles that follow each other along the dimension walk->along are a group. While those of one group are computed, the
 * next group is prefetched: each time a part of its rows, in their whole length. */
typedef struct sugar_ahead {
    const sugar_walk *walk;
    int64_t end;                    /* the number of the tile behind the last one */
    int64_t group;                  /* tiles of a group that is not cut off */
    int64_t begin, until;           /* the numbers of the tiles before which the next group is prefetched */
    int64_t tiles;                  /* of the next group; 0: there is none */
    sugar_tile first;               /* of the next group */
} sugar_ahead;

/* For tiles up to `end`, visited in their order from any one on. */
void sugar_ahead_start(sugar_ahead *ahead, const sugar_walk *walk, int64_t end);

/* Called before tile `number` is computed, if it is not the last one; sugar_ahead_fetch then, for any operand. */
void sugar_ahead_move(sugar_ahead *ahead, int64_t number);

/* Prefetches what lies ahead of tile `number` in operand k, where the processor would not do so by itself; next: the
 * tile that follows it. */
void sugar_ahead_fetch(const sugar_ahead *ahead, int64_t number, const sugar_tile *next, int k);

#endif
