/* The workspace of a thread in an extended call; and the passes over one tile. */
#ifndef SUGAR_WORKSPACE_H
#define SUGAR_WORKSPACE_H

#include "call/extended.h"
#include "call/tiles.h"

/* The most elements of a tile of which anything is kept in a buffer: sugar_tile_reals has room for them. A buffer of
 * SUGAR_TILE_BYTES would hold twice as many of 16 bits. (Tiles that need no buffer are larger: run.c.) */
enum { SUGAR_TILE_ELEMENTS = 2048 };
_Static_assert((int)SUGAR_TILE_ELEMENTS <= (int)SUGAR_OBSERVED, "a monitor counts a tile at once");

/* The reals of a tile; and how long arrays of a slice's sums are: kernels may write up to a vector beyond the sums. */
typedef union sugar_tile_reals {
    float f32[SUGAR_TILE_ELEMENTS];
    double f64[SUGAR_TILE_BYTES / sizeof(double)];
} sugar_tile_reals;
enum { SUGAR_SUMS = SUGAR_MOST_SUMS + SUGAR_WIDEST };

typedef struct sugar_workspace {
    sugar_tile_buffer tile[SUGAR_MAX_OPERANDS];     /* operands that are not used where they lie */
    sugar_tile_buffer stage;        /* of an operand that is converted and does not lie in the order of the tile */
    sugar_tile_reals slopes;        /* drawn ones */
    sugar_tile_reals values;        /* a monitor's inputs, f(x) before it is multiplied, or products to be summed */
    sugar_tile_reals surrogate_derivative, own_derivative;
    /* In a fused pass, the biases of rows that have one each take the place of own_derivative. */
    union {                         /* the sums of a slice */
        struct {
            SUGAR_REALS(SUGAR_SUMS) active;
            double sum[SUGAR_SUMS], sum_of_squares[SUGAR_SUMS];
            int64_t not_finite[SUGAR_MOST_SUMS];
        } tallies;
        struct {
            double high[SUGAR_SUMS], low[SUGAR_SUMS];
        } gradient;
    } sums;
    sugar_histogram histogram;
} sugar_workspace;

/* A tile while it is computed. In each operand its elements lie one after another: in memory, or in a buffer. */
typedef struct sugar_block {
    const sugar_walk *walk;
    const sugar_tile *tile;
    void *at[SUGAR_MAX_OPERANDS];
    bool in_buffer[SUGAR_MAX_OPERANDS];
    bool is_shared[SUGAR_MAX_OPERANDS];     /* of one that is broadcast: at[k] is not set, as runs of elements share
                                               a value; else there is one for each element */
    const void *ahead;              /* NULL, or the inputs of the next tile, to be prefetched */
} sugar_block;

/* The address of element i of a tile. */
static inline void *element_at(const sugar_extended_call *c, const void *elements, size_t i)
{
    return (char *)(uintptr_t)elements + i * sugar_element_size(c->element);
}

/* The address of real i. */
static inline void *real_at(const sugar_extended_call *c, const void *reals, size_t i)
{
    return (char *)(uintptr_t)reals + i * sugar_real_size(c->element);
}

/* Whether operand k has another type in memory than in tiles. */
static inline bool is_converted(const sugar_extended_call *c, int k) { return c->in_memory[k] != c->in_tiles[k]; }

/* The forward and the backward pass of a tile, with all that options add. */
void sugar_tile_forward(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b);
void sugar_tile_backward(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b);

#endif
