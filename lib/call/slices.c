/* Slices, and which sums their elements belong to. */
#include "call/slices.h"

enum {
    FEW_SUMS = SUGAR_MOST_ENTRIES / 2,      /* so many sums or fewer: slices divide a summed dimension */
    MOST_DIVISIONS = 16,               /* the most slices that divide a summed dimension */
    FEWEST_SUMS = 256,              /* of a slice that divides kept dimensions: the length of the rows it reads */
    LINE = 16,                      /* elements; the length of a slice in a kept dimension 0 is a multiple of it */
    SLICE_BLOCK = 1024,             /* elements; the length of a slice in a summed dimension 0 is a multiple of it */
    SMALLEST_SLICE = 65536          /* elements; of slices that divide a summed dimension */
};

static bool is_kept(const sugar_walk *walk, int sum_index, int d)
{
    return sum_index >= 0 && walk->stride[sum_index][d] != 0;
}

/* Divides the kept dimensions, from the outermost one on. */
static void divide_kept(sugar_slices *slices, const sugar_walk *walk, int sum_index)
{
    const int64_t most = clamp(slices->sums / 4, FEWEST_SUMS, SUGAR_MOST_SUMS);
    int64_t sums = slices->sums;
    for (int d = walk->ndim - 1; d >= 0 && sums > most; d--) {
        if (!is_kept(walk, sum_index, d))
            continue;
        sums /= walk->extent[d];
        const int64_t length = most / sums;
        slices->length[d] = clamp(d == 0 ? length / LINE * LINE : length, 1, walk->extent[d]);
        sums *= slices->length[d];
    }
}

/* Divides a summed dimension: the outermost one that is long enough, so that slices lie one after another in
 * memory, or else the longest one. */
static void divide_summed(sugar_slices *slices, const sugar_walk *walk, int sum_index)
{
    const int64_t most = smaller(MOST_DIVISIONS, SUGAR_MOST_ENTRIES / slices->sums);
    const int64_t wanted = clamp(walk->count / SMALLEST_SLICE, 1, most);
    int chosen = -1;
    for (int d = 0; d < walk->ndim; d++)
        if (!is_kept(walk, sum_index, d)
            && (chosen < 0 || walk->extent[d] >= wanted || walk->extent[d] >= walk->extent[chosen]))
            chosen = d;
    if (chosen < 0)
        return;
    int64_t length = (walk->extent[chosen] - 1) / wanted + 1;
    if (chosen == 0)
        length = round_up(length, SLICE_BLOCK);
    slices->length[chosen] = smaller(length, walk->extent[chosen]);
}

void sugar_slices_make(sugar_slices *slices, const sugar_walk *walk, int sum_index)
{
    slices->sums = 1;
    for (int d = 0; d < walk->ndim; d++) {
        slices->length[d] = walk->extent[d];
        if (is_kept(walk, sum_index, d))
            slices->sums *= walk->extent[d];
    }
    slices->same_sums = slices->sums <= FEW_SUMS;
    if (slices->same_sums)
        divide_summed(slices, walk, sum_index);
    else
        divide_kept(slices, walk, sum_index);
    slices->count = 1;
    for (int d = 0; d < walk->ndim; d++)
        slices->count *= (walk->extent[d] - 1) / slices->length[d] + 1;
}

int64_t sugar_slice_walk(sugar_walk *slice, const sugar_walk *walk, const sugar_slices *slices, int sum_index,
                         int64_t number)
{
    *slice = *walk;
    int64_t sums = 1;
    for (int d = 0; d < walk->ndim; d++) {
        const int64_t length = slices->length[d], slices_in_d = (walk->extent[d] - 1) / length + 1;
        const int64_t begin = number % slices_in_d * length;
        number /= slices_in_d;
        if (slices_in_d > 1)
            sugar_walk_cut(slice, d, begin, smaller(length, walk->extent[d] - begin));
        if (is_kept(walk, sum_index, d)) {
            slice->stride[sum_index][d] = sums;
            sums *= slice->extent[d];
        }
    }
    if (sum_index >= 0)
        slice->first[sum_index] = 0;
    return sums;
}

void sugar_kept_start(sugar_kept *kept, const sugar_walk *slice, int sum_index, int k)
{
    kept->walk = slice;
    kept->sum_index = sum_index;
    kept->k = k;
    kept->offset = slice->first[k];
    for (int d = 0; d < slice->ndim; d++)
        kept->index[d] = 0;
}

void sugar_kept_next(sugar_kept *kept)
{
    const sugar_walk *walk = kept->walk;
    for (int d = 0; d < walk->ndim; d++) {
        if (!is_kept(walk, kept->sum_index, d))
            continue;
        const int64_t stride = walk->stride[kept->k][d];
        kept->offset += stride;
        if (++kept->index[d] < walk->extent[d])
            return;
        kept->offset -= stride * walk->extent[d];
        kept->index[d] = 0;
    }
}

/* If dimension 0 is summed, a run has the summed dimensions up to the first kept one. If it is kept, a run has it and
 * the summed dimensions that follow, which are the rows. Members are set one by one: to clear all of `index` takes
 * string instructions, which cost what sugar_tile_after says. */
void sugar_runs_start(sugar_runs *runs, const sugar_walk *walk, const sugar_tile *tile, int k)
{
    runs->walk = walk;
    runs->tile = tile;
    runs->k = k;
    runs->inner = 0;
    for (int d = 0; d < walk->ndim; d++)
        runs->index[d] = 0;
    sugar_run *run = &runs->run;
    run->begin = -1;
    run->first = tile->offset[k];
    run->rows = run->length = 1;
    run->across = walk->stride[k][0] != 0;
    int64_t *summed = run->across ? &run->rows : &run->length;
    if (run->across) {
        run->length = tile->extent[0];
        runs->inner = 1;
    }
    for (; runs->inner < walk->ndim && walk->stride[k][runs->inner] == 0; runs->inner++)
        *summed *= tile->extent[runs->inner];
}

bool sugar_runs_next(sugar_runs *runs)
{
    sugar_run *run = &runs->run;
    if (run->begin < 0) {
        run->begin = 0;
        return true;
    }
    run->begin += run->rows * run->length;
    for (int d = runs->inner; d < runs->walk->ndim; d++) {
        const int64_t stride = runs->walk->stride[runs->k][d], extent = runs->tile->extent[d];
        run->first += stride;
        if (++runs->index[d] < extent)
            return true;
        run->first -= stride * extent;
        runs->index[d] = 0;
    }
    return false;
}
