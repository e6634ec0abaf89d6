/* Sums: tallies of monitors, and gradients of parameters and biases. */
#include "call/sums.h"

#include <assert.h>
#include <string.h>

void sugar_sums_add(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, const void *products)
{
    double *high = w->sums.gradient.high, *low = w->sums.gradient.low;
    sugar_runs runs;
    sugar_runs_start(&runs, b->walk, b->tile, c->sum_index);
    while (sugar_runs_next(&runs)) {
        const sugar_run *run = &runs.run;
        const void *product = real_at(c, products, (size_t)run->begin);
        if (run->across)
            c->kernels->sum_rows(product, (size_t)run->rows, (size_t)run->length, high + run->first, low + run->first);
        else
            c->kernels->sum_run(product, (size_t)run->length, high + run->first, low + run->first);
    }
}

/* Takes the tally of one unit from the workspace, where it becomes 0. */
static sugar_tally take_tally(sugar_element element, sugar_workspace *w, int64_t sum)
{
    const sugar_tally taken = {
        .active = (int64_t)sugar_real_get(element, &w->sums.tallies.active, sum),
        .not_finite = w->sums.tallies.not_finite[sum],
        .sum = w->sums.tallies.sum[sum],
        .sum_of_squares = w->sums.tallies.sum_of_squares[sum],
    };
    sugar_real_set(element, &w->sums.tallies.active, sum, 0);
    w->sums.tallies.not_finite[sum] = 0;
    w->sums.tallies.sum[sum] = w->sums.tallies.sum_of_squares[sum] = 0;
    return taken;
}

static void *gradient_at(const sugar_extended_call *c, const sugar_walk *slice, int64_t offset)
{
    const int k = c->summed;
    return (char *)slice->data[k] + offset * (int64_t)slice->size[k];
}

static void take_tallies(const sugar_sum_job *j, sugar_workspace *w, const sugar_walk *slice, sugar_sum_entry *entries,
                         int64_t sums)
{
    const sugar_extended_call *c = j->call;
    sugar_kept kept;
    sugar_kept_start(&kept, slice, c->sum_index, c->unit_index);
    for (int64_t i = 0; i < sums; i++, sugar_kept_next(&kept)) {
        const sugar_tally tally = take_tally(c->element, w, i);
        sugar_tally_add(entries ? &entries[i].tally : &c->monitor->unit[kept.offset], &tally);
    }
}

static void take_gradients(sugar_workspace *w, sugar_sum_entry *entries, int64_t sums)
{
    double *high = w->sums.gradient.high, *low = w->sums.gradient.low;
    for (int64_t i = 0; i < sums; i++) {
        entries[i].gradient = (sugar_exact){high[i], low[i]};
        high[i] = low[i] = 0;
    }
}

/* Stores gradients: row by row where they lie next to each other, else one by one. */
static void put_gradients(const sugar_extended_call *c, sugar_workspace *w, const sugar_walk *slice, int64_t sums)
{
    const int k = c->summed;
    const bool in_rows = slice->stride[c->sum_index][0] != 0 && slice->stride[k][0] == 1;
    const int64_t row = in_rows ? slice->extent[0] : 1;
    sugar_kept kept;
    sugar_kept_start(&kept, slice, c->sum_index, k);
    for (int64_t i = 0; i < sums; i += row, sugar_kept_next(&kept)) {
        double *high = w->sums.gradient.high + i, *low = w->sums.gradient.low + i;
        c->in_memory[k]->put_sums(high, low, (size_t)row, gradient_at(c, slice, kept.offset), c->accumulate);
        memset(high, 0, (size_t)row * sizeof *high);
        memset(low, 0, (size_t)row * sizeof *low);
        kept.index[0] += row - 1;
        kept.offset += row - 1;
    }
}

void sugar_sums_take(const sugar_sum_job *j, sugar_workspace *w, const sugar_walk *slice, int64_t number, int64_t sums)
{
    assert(sums <= SUGAR_MOST_SUMS);
    const sugar_extended_call *c = j->call;
    sugar_sum_entry *entries = j->slices.same_sums ? j->table + number * sums : NULL;
    if (c->sum_index == SUGAR_ABSENT)
        return;
    if (c->monitor)
        take_tallies(j, w, slice, entries, sums);
    else if (entries)
        take_gradients(w, entries, sums);
    else
        put_gradients(c, w, slice, sums);
}

static sugar_exact add_exactly(sugar_exact a, sugar_exact b)
{
    const double sum = a.high + b.high, back = sum - a.high;
    return (sugar_exact){sum, a.low + ((a.high - (sum - back)) + (b.high - back)) + b.low};
}

void sugar_sums_gather(const sugar_sum_job *j)
{
    const sugar_extended_call *c = j->call;
    const int64_t sums = j->slices.sums;
    sugar_kept kept;
    const int k = c->monitor ? c->unit_index : c->summed;
    sugar_kept_start(&kept, &c->walk, c->sum_index, k);
    for (int64_t i = 0; i < sums; i++, sugar_kept_next(&kept)) {
        sugar_exact total = {0, 0};
        for (int64_t number = 0; number < j->slices.count; number++) {
            const sugar_sum_entry *found = &j->table[number * sums + i];
            if (c->monitor)
                sugar_tally_add(&c->monitor->unit[kept.offset], &found->tally);
            else
                total = add_exactly(total, found->gradient);
        }
        if (!c->monitor)
            c->in_memory[k]->put_sum(total.high, total.low, gradient_at(c, &c->walk, kept.offset), c->accumulate);
    }
}
