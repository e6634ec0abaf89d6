/* The stride walker: dimensions put in order and cut into tiles, and the way to any tile. */
#include "walk.h"

#include <stdlib.h>

enum { LINE_BYTES = 64 };           /* of a cache */

/* Walks a dimension the other way round. */
static void turn(sugar_walk *walk, int d, size_t element_size)
{
    for (int k = 0; k < walk->operands; k++) {
        int64_t *stride = &walk->stride[k][d];
        const int64_t bytes = *stride * (walk->extent[d] - 1) * (int64_t)element_size;
        walk->data[k] = (char *)walk->data[k] + bytes;
        *stride = -*stride;
    }
}

static void swap(int64_t *a, int64_t *b)
{
    const int64_t old = *a;
    *a = *b;
    *b = old;
}

static void swap_dimensions(sugar_walk *walk, int d, int e)
{
    swap(&walk->extent[d], &walk->extent[e]);
    for (int k = 0; k < walk->operands; k++)
        swap(&walk->stride[k][d], &walk->stride[k][e]);
}

/* Whether a step in dimension `outer` is a whole pass through dimension `inner`, in every view. */
static bool continues(const sugar_walk *walk, int inner, int outer)
{
    for (int k = 0; k < walk->operands; k++)
        if (walk->stride[k][outer] != walk->stride[k][inner] * walk->extent[inner])
            return false;
    return true;
}

void sugar_walk_arrange(sugar_walk *walk, size_t element_size)
{
    /* Dimensions of the output with equal strides may come in any order: its elements overlap, and the
     * checks that follow refuse it. */
    const int64_t *output = walk->stride[walk->operands - 1];
    for (int d = 0; d < walk->ndim; d++) {
        if (output[d] < 0)
            turn(walk, d, element_size);
        for (int e = d; e > 0 && output[e] < output[e - 1]; e--)
            swap_dimensions(walk, e, e - 1);
    }
    int last = 0;
    for (int d = 1; d < walk->ndim; d++) {
        if (continues(walk, last, d))
            walk->extent[last] *= walk->extent[d];
        else if (++last != d)
            swap_dimensions(walk, last, d);
    }
    walk->ndim = last + 1;
    walk->element_size = element_size;
}

bool sugar_walk_is_vector(const sugar_walk *walk)
{
    bool is_vector = walk->ndim == 1;
    for (int k = 0; k < walk->operands; k++)
        is_vector &= walk->stride[k][0] == 1 || walk->count == 1;
    return is_vector;
}

/* Moves a dimension inwards, past those between. */
static void move_dimension(sugar_walk *walk, int from, int to)
{
    for (int d = from; d > to; d--)
        swap_dimensions(walk, d, d - 1);
}

/* The dimension in which operand k lies closest together; the innermost if k does not move there. */
static int closest_dimension(const sugar_walk *walk, int k)
{
    int closest = 0;
    const int64_t *stride = walk->stride[k];
    for (int d = 1; d < walk->ndim && stride[closest] != 0; d++)
        if (stride[d] != 0 && llabs(stride[d]) < llabs(stride[closest]))
            closest = d;
    return closest;
}

/* The extent of tiles of at most `most` that divide n evenly, for all that vectors allow. */
static int64_t divide(int64_t n, int64_t most)
{
    if (n <= most)
        return n;
    const int64_t tiles = (n - 1) / most + 1, even = (n - 1) / tiles + 1;
    return smaller((even + 7) / 8 * 8, most);
}

void sugar_walk_tile(sugar_walk *walk, int64_t most)
{
    int close = 1;                  /* dimensions in which some operand lies closest together */
    for (int k = walk->operands - 2; k >= 0; k--) {
        const int d = closest_dimension(walk, k);
        if (d > 0) {
            close += d >= close;
            move_dimension(walk, d, 1);
        }
    }
    int64_t side = 1;               /* of a square tile, where two dimensions share it */
    while (side * side < most)
        side *= 2;
    const int64_t rows = close > 1 ? smaller(walk->extent[1], side) : 1;
    walk->tiles = 1;
    walk->tile_count = 1;
    for (int d = 0; d < walk->ndim; d++) {
        walk->tile[d] = divide(walk->extent[d], most / walk->tile_count / (d == 0 ? rows : 1));
        walk->tile_count *= walk->tile[d];
        walk->tiles *= (walk->extent[d] - 1) / walk->tile[d] + 1;
    }
}

/* Tiles follow each other along dimension 1 first, in which another operand than the output is contiguous
 * if there is one: for 32 Mi elements from NCHW to NHWC with 512 channels that took 0.67 ns an element, and
 * 0.95 along dimension 0. */
static int dimension_at(const sugar_walk *walk, int place)
{
    return walk->ndim > 1 && place < 2 ? 1 - place : place;
}

/* Takes the extents at the tile's place, which may be at an edge. */
static void cut(sugar_tile *tile, const sugar_walk *walk)
{
    tile->count = 1;
    for (int d = 0; d < walk->ndim; d++) {
        tile->extent[d] = smaller(walk->tile[d], walk->extent[d] - tile->index[d]);
        tile->count *= tile->extent[d];
    }
}

void sugar_tile_seek(sugar_tile *tile, const sugar_walk *walk, int64_t number)
{
    for (int k = 0; k < walk->operands; k++)
        tile->offset[k] = 0;
    for (int place = 0; place < walk->ndim; place++) {
        const int d = dimension_at(walk, place);
        const int64_t tiles = (walk->extent[d] - 1) / walk->tile[d] + 1;
        tile->index[d] = number % tiles * walk->tile[d];
        number /= tiles;
        for (int k = 0; k < walk->operands; k++)
            tile->offset[k] += tile->index[d] * walk->stride[k][d];
    }
    cut(tile, walk);
}

void sugar_tile_advance(sugar_tile *tile, const sugar_walk *walk)
{
    for (int place = 0; place < walk->ndim; place++) {
        const int d = dimension_at(walk, place);
        int64_t step = walk->tile[d];
        const bool carry = tile->index[d] + step >= walk->extent[d];
        if (carry)
            step = -tile->index[d];
        tile->index[d] += step;
        for (int k = 0; k < walk->operands; k++)
            tile->offset[k] += step * walk->stride[k][d];
        if (!carry)
            break;
    }
    cut(tile, walk);
}

static char *address(const sugar_tile *tile, const sugar_walk *walk, int k)
{
    return (char *)walk->data[k] + tile->offset[k] * (int64_t)walk->element_size;
}

void *sugar_tile_vector(const sugar_tile *tile, const sugar_walk *walk, int k)
{
    int64_t step = 1;
    for (int d = 0; d < walk->ndim; d++) {
        if (tile->extent[d] > 1 && walk->stride[k][d] != step)
            return NULL;
        step *= tile->extent[d];
    }
    return address(tile, walk, k);
}

/* The tile in operand k, and in a buffer. */
static sugar_box find_box(const sugar_tile *tile, const sugar_walk *walk, int k, bool from_buffer)
{
    sugar_box box;
    box.ndim = 0;
    int64_t step = 1;
    for (int d = 0; d < walk->ndim; d++) {
        const int64_t stride = walk->stride[k][d];
        if (tile->extent[d] > 1)
            sugar_box_add(&box, tile->extent[d], from_buffer ? stride : step, from_buffer ? step : stride);
        step *= tile->extent[d];
    }
    if (box.ndim == 0)
        sugar_box_add(&box, 1, 1, 1);
    return box;
}

void sugar_tile_read(const sugar_tile *tile, const sugar_walk *walk, int k, void *buffer)
{
    sugar_box box = find_box(tile, walk, k, false);
    sugar_copy(&box, buffer, address(tile, walk, k), walk->element_size);
}

void sugar_tile_write(const sugar_tile *tile, const sugar_walk *walk, int k, const void *buffer)
{
    sugar_box box = find_box(tile, walk, k, true);
    sugar_copy(&box, address(tile, walk, k), buffer, walk->element_size);
}

void sugar_tile_prefetch(const sugar_tile *tile, const sugar_walk *walk, int k)
{
    const int64_t *stride = walk->stride[k], size = (int64_t)walk->element_size;
    int along = -1, across = -1;
    for (int d = 0; d < walk->ndim; d++)
        if (tile->extent[d] > 1 && stride[d] == 1)
            along = d;
        else if (tile->extent[d] > 1 && across < 0)
            across = d;
    if (along < 0 || across < 0 || llabs(stride[across]) * size < 2 * LINE_BYTES)
        return;
    const char *row = address(tile, walk, k);
    for (int64_t i = 0; i < tile->extent[across]; i++, row += stride[across] * size)
        for (int64_t byte = 0; byte < tile->extent[along] * size; byte += LINE_BYTES)
            __builtin_prefetch(row + byte);
}
