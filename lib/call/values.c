#include "call/values.h"

#include <assert.h>

enum {
    FEWEST_SHARING = 32,            /* elements that must share a value to be computed together */
    SHORTEST_ROW = 128              /* elements that must have a row of values to be computed together */
};

/* Whether the elements of a run have different values. */
static bool is_row(const sugar_run *run) { return run->across && run->length > 1; }

bool sugar_tile_shares(const sugar_extended_call *c, const sugar_block *b, int k)
{
    sugar_runs runs;
    sugar_runs_start(&runs, b->walk, b->tile, k);
    const sugar_run *run = &runs.run;
    if (is_row(run))
        return run->length >= (c->is_fused ? SUGAR_SHORTEST_FUSED : SHORTEST_ROW) && b->walk->stride[k][0] == 1;
    const int64_t sharing = run->rows * run->length;
    return sharing >= (c->is_fused ? SUGAR_SHORTEST_FUSED : FEWEST_SHARING) || sharing == b->tile->count;
}

/* Members are set one by one; to clear `runs` takes as long as to add a bias to a tile. */
void sugar_value_runs_start(sugar_value_run *v, const sugar_block *b, int k)
{
    v->k = k;
    v->value = b->at[k];
    v->step = 1;
    v->begin = v->n = 0;
    v->rows_left = 0;
    if (b->is_shared[k])
        sugar_runs_start(&v->runs, b->walk, b->tile, k);
}

/* Values that are converted go to the buffer of their operand. */
static void set_value(sugar_value_run *v, const sugar_extended_call *c, sugar_workspace *w, const sugar_walk *walk)
{
    const sugar_run *run = &v->runs.run;
    v->step = is_row(run);
    v->n = (size_t)(is_row(run) ? run->length : run->rows * run->length);
    v->rows_left = is_row(run) ? run->rows - 1 : 0;
    v->begin = (size_t)run->begin;
    v->value = (const char *)walk->data[v->k] + run->first * (int64_t)walk->size[v->k];
    if (is_converted(c, v->k)) {
        assert(v->step == 0 || v->n <= SUGAR_TILE_ELEMENTS);
        c->in_memory[v->k]->load_reals(v->value, &w->tile[v->k], is_row(run) ? v->n : 1);
        v->value = &w->tile[v->k];
    }
}

bool sugar_value_runs_next(sugar_value_run *v, const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b)
{
    if (!b->is_shared[v->k]) {
        const bool is_first = v->n == 0;
        v->n = (size_t)b->tile->count;
        return is_first;
    }
    if (v->rows_left > 0) {
        v->begin += v->n;
        v->rows_left--;
        return true;
    }
    if (!sugar_runs_next(&v->runs))
        return false;
    set_value(v, c, w, b->walk);
    return true;
}
