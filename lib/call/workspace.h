/* What a thread works with in extended calls, and what they do with one tile. */
#ifndef SUGAR_WORKSPACE_H
#define SUGAR_WORKSPACE_H

#include "call/extended.h"
#include "call/tiles.h"

/* The elements of a tile, at most; more of 16 bits would not fit where they are computed. */
enum { SUGAR_TILE_ELEMENTS = 2048 };
_Static_assert((int)SUGAR_TILE_ELEMENTS <= (int)SUGAR_OBSERVED, "a monitor counts a tile at once");

/* Reals of a tile, and of the sums of a slice, after which kernels may write as much as a vector. */
typedef SUGAR_REALS(SUGAR_TILE_ELEMENTS) sugar_tile_reals;
enum { SUGAR_SUMS = SUGAR_MOST_SUMS + SUGAR_WIDEST };

/* Of one thread. */
typedef struct sugar_workspace {
    sugar_tile_buffer tile[SUGAR_MAX_OPERANDS];
    sugar_tile_reals values, surrogate_derivative, own_derivative;
    uint8_t bins[SUGAR_BIN_BYTES];
    union {
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

/* A tile, with what takes part in it: where its elements lie one after another in each operand. */
typedef struct sugar_block {
    const sugar_walk *walk;
    const sugar_tile *tile;
    void *at[SUGAR_MAX_OPERANDS];
    bool in_buffer[SUGAR_MAX_OPERANDS];
    size_t parameter_step;          /* 0: the elements of a run share one; or 1 */
    int stream;                     /* 0, or SUGAR_STREAM_OPEN */
    const void *ahead;              /* where the inputs of the next tile lie one after another, if they will be fetched */
} sugar_block;

/* Where elements i, ... of a tile are, in operand k. */
static inline void *element_at(const sugar_extended_call *c, const sugar_block *b, int k, size_t i)
{
    return (char *)b->at[k] + i * sugar_element_size(c->element);
}

/* Real i of reals. */
static inline void *real_at(const sugar_extended_call *c, void *reals, size_t i)
{
    return (char *)reals + i * sugar_real_size(c->element);
}

/* Whether the elements of a tile that share a parameter are worth a call of a kernel each; otherwise every element gets its
 * own, in a buffer. */
bool sugar_tile_shares(const sugar_walk *walk, const sugar_tile *tile, int parameter);

/* The forward and the backward pass of a tile. */
void sugar_tile_forward(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b);
void sugar_tile_backward(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b);

#endif
