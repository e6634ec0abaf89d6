/* Prefetches operands whose elements do not lie in the order of the tiles. */
#include "view/ahead.h"

#include <stdlib.h>

/* Bytes of a group in one operand, and of its rows; the second-level cache must hold two groups of each input. A tile
 * takes few cache lines from each of many rows. To fetch those of the next tile alone, as was done before, is no order
 * in which memory is fast. relu, f32, 32 Mi elements, AVX-512, ns an element (Sapphire Rapids; contiguous: 0.41):
 *
 *     from NCHW to             NCWH    NHWC    CHWN    NWCH
 *     the next tile            1.00    0.87    0.86    0.79
 *     groups of 16 KiB         0.63    0.73    0.47    0.66
 *               64 KiB         0.64    0.56    0.60    0.67
 *               256 KiB        0.68    0.65    0.63    0.68
 *     64 KiB, rows of 1 KiB    0.63    0.56    0.53    0.66
 *
 * Without the limit on rows, a tile whose rows are long fetches a whole row of a group at once, and others nothing. An
 * input whose tiles follow each other in memory is left to the processor: to fetch it gained 8 % from NHWC to NCHW with
 * 3 channels, and nothing elsewhere. Tried: to prefetch the next tile into the first-level cache as well takes 1 to
 * 13 % longer; tiles of 4 KiB take 5 to 10 % less to NHWC and NWCH, but leave shorter rows; and at 1 Mi elements, which
 * the last-level cache holds, groups take up to 1.3 times as long as no prefetching. */
enum { GROUP_BYTES = 65536, GROUP_ROW = 1024 };

/* How many tiles follow each other along walk->along. */
static int64_t count_along(const sugar_walk *walk)
{
    return (walk->extent[walk->along] - 1) / walk->tile[walk->along] + 1;
}

void sugar_ahead_start(sugar_ahead *ahead, const sugar_walk *walk, int64_t end)
{
    const int64_t size = (int64_t)walk->element_size;
    const int64_t most = smaller(GROUP_BYTES / (walk->tile_count * size), GROUP_ROW / (walk->tile[walk->along] * size));
    ahead->walk = walk;
    ahead->end = end;
    ahead->group = clamp(most, 1, count_along(walk));
    ahead->until = 0;
    ahead->tiles = 0;
}

/* How many tiles the group has from tile `number` on. */
static int64_t rest_of_group(const sugar_ahead *ahead, int64_t number)
{
    const int64_t along = count_along(ahead->walk), place = number % along;
    return smaller(ahead->group - place % ahead->group, along - place);
}

void sugar_ahead_move(sugar_ahead *ahead, int64_t number)
{
    if (number < ahead->until)
        return;
    ahead->begin = number;
    ahead->until = number + rest_of_group(ahead, number);
    ahead->tiles = 0;
    if (ahead->until >= ahead->end)
        return;
    ahead->tiles = smaller(rest_of_group(ahead, ahead->until), ahead->end - ahead->until);
    sugar_tile_seek(&ahead->first, ahead->walk, ahead->until);
}

/* Prefetches so many bytes into the second-level cache; or into the first, for the tile that follows. Inlined, as gcc
 * drops the call of a function that does nothing but prefetch. */
static inline __attribute__((always_inline)) void fetch_far(const char *row, int64_t bytes)
{
    for (int64_t byte = 0; byte < bytes; byte += SUGAR_CACHE_LINE)
        __builtin_prefetch(row + byte, 0, 2);
}

static inline __attribute__((always_inline)) void fetch_near(const char *row, int64_t bytes)
{
    for (int64_t byte = 0; byte < bytes; byte += SUGAR_CACHE_LINE)
        __builtin_prefetch(row + byte);
}

/* Whether operand k lies in rows along walk->along, so far apart that the processor takes them for separate arrays;
 * then rows: how many a tile has. */
static bool has_rows(const sugar_ahead *ahead, int k, int64_t *rows)
{
    const sugar_walk *walk = ahead->walk;
    const int64_t *stride = walk->stride[k], size = (int64_t)walk->size[k];
    const int along = walk->along;
    if (stride[along] == 0 || llabs(stride[along]) * size >= SUGAR_CACHE_LINE)
        return false;
    *rows = 1;
    for (int d = 0; d < walk->ndim; d++)
        if (d != along && walk->tile[d] > 1 && stride[d] != 0) {
            if (llabs(stride[d]) * size < 2 * SUGAR_CACHE_LINE)
                return false;
            *rows *= ahead->first.extent[d];
        }
    return *rows > 1;
}

/* The bytes from the first element of a tile to the first of its row r, counted from 0, in operand k. */
static int64_t find_row(const sugar_tile *tile, const sugar_walk *walk, int k, int64_t r)
{
    int64_t elements = 0;
    for (int d = 0; d < walk->ndim; d++)
        if (d != walk->along && walk->tile[d] > 1 && walk->stride[k][d] != 0) {
            elements += r % tile->extent[d] * walk->stride[k][d];
            r /= tile->extent[d];
        }
    return elements * (int64_t)walk->size[k];
}

/* The share of tile `number` in the rows of the next group. */
static void fetch_group(const sugar_ahead *ahead, int64_t number, int k, int64_t rows)
{
    const sugar_walk *walk = ahead->walk;
    const int along = walk->along;
    const int64_t tiles = ahead->until - ahead->begin, share = number - ahead->begin;
    const int64_t stride = walk->stride[k][along] * (int64_t)walk->size[k];
    const int64_t length = smaller(walk->extent[along] - ahead->first.index[along], ahead->tiles * walk->tile[along]);
    const char *start = sugar_tile_start(&ahead->first, walk, k);
    if (stride < 0)
        start += (length - 1) * stride;
    for (int64_t r = rows * share / tiles; r < rows * (share + 1) / tiles; r++)
        fetch_far(start + find_row(&ahead->first, walk, k, r), length * llabs(stride));
}

void sugar_tile_prefetch(const sugar_tile *tile, const sugar_walk *walk, int k)
{
    const int64_t *stride = walk->stride[k], size = (int64_t)walk->size[k];
    int along = -1, across = -1, beyond = -1;
    for (int d = 0; d < walk->ndim; d++)
        if (tile->extent[d] > 1 && stride[d] == 1)
            along = d;
        else if (tile->extent[d] > 1 && across < 0)
            across = d;
        else if (tile->extent[d] > 1)
            beyond = d;
    if (along < 0 || across < 0 || llabs(stride[across]) * size < 2 * SUGAR_CACHE_LINE)
        return;
    const char *plane = sugar_tile_start(tile, walk, k);
    for (int64_t i = 0; i < (beyond < 0 ? 1 : tile->extent[beyond]); i++)
        for (int64_t j = 0; j < tile->extent[across]; j++)
            fetch_near(plane + (beyond < 0 ? 0 : i * stride[beyond] * size) + j * stride[across] * size,
                       tile->extent[along] * size);
}

void sugar_ahead_fetch(const sugar_ahead *ahead, int64_t number, const sugar_tile *next, int k)
{
    int64_t rows;
    if (ahead->group > 1 && ahead->tiles > 0 && has_rows(ahead, k, &rows))
        fetch_group(ahead, number, k, rows);
    else
        sugar_tile_prefetch(next, ahead->walk, k);
}
