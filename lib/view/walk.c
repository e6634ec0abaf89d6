/* The walk: puts dimensions in order, cuts them into tiles, and finds any tile. */
#include "view/walk.h"

#include <stdlib.h>

/* Lets the walk begin so many indices further in dimension d. */
static void move(sugar_walk *walk, int d, int64_t indices)
{
    for (int k = 0; k < walk->operands; k++) {
        const int64_t elements = walk->stride[k][d] * indices;
        if (walk->size[k] > 0)
            walk->data[k] = (char *)walk->data[k] + elements * (int64_t)walk->size[k];
        else
            walk->first[k] += elements;
    }
}

/* Reverses a dimension. */
static void turn(sugar_walk *walk, int d)
{
    move(walk, d, walk->extent[d] - 1);
    for (int k = 0; k < walk->operands; k++)
        walk->stride[k][d] = -walk->stride[k][d];
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

/* Whether the next index in dimension `outer` lies, in every operand, where dimension `inner` would go on. */
static bool continues(const sugar_walk *walk, int inner, int outer)
{
    for (int k = 0; k < walk->operands; k++)
        if (walk->stride[k][outer] != walk->stride[k][inner] * walk->extent[inner])
            return false;
    return true;
}

void sugar_walk_arrange(sugar_walk *walk)
{
    /* Equal strides may be in any order: an output that has them overlaps itself, and is refused later. */
    const int64_t *stride = walk->stride[walk->order];
    for (int d = 0; d < walk->ndim; d++) {
        if (stride[d] < 0)
            turn(walk, d);
        for (int e = d; e > 0 && stride[e] < stride[e - 1]; e--)
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
}

void sugar_walk_cut(sugar_walk *walk, int d, int64_t begin, int64_t extent)
{
    move(walk, d, begin);
    walk->count = walk->count / walk->extent[d] * extent;
    walk->extent[d] = extent;
}

void sugar_walk_alone(sugar_walk *alone, const sugar_walk *walk, int k)
{
    alone->operands = 1;
    alone->output = alone->order = 0;
    alone->element_size = alone->size[0] = walk->size[k];
    alone->data[0] = walk->data[k];
    alone->first[0] = walk->first[k];
    alone->count = alone->extent[0] = alone->stride[0][0] = 1;
    alone->ndim = 0;
    for (int d = 0; d < walk->ndim; d++) {
        if (walk->stride[k][d] == 0)
            continue;
        alone->extent[alone->ndim] = walk->extent[d];
        alone->stride[0][alone->ndim] = walk->stride[k][d];
        alone->count *= walk->extent[d];
        alone->ndim++;
    }
    alone->ndim += alone->ndim == 0;
    sugar_walk_arrange(alone);
}

bool sugar_walk_is_vector(const sugar_walk *walk)
{
    bool is_vector = walk->ndim == 1;
    for (int k = 0; k < walk->operands; k++)
        is_vector &= walk->stride[k][0] == 1 || walk->count == 1;
    return is_vector;
}

/* The dimension in which operand k has its smallest stride but 0; the innermost one if its stride there is 0. */
static int closest_dimension(const sugar_walk *walk, int k)
{
    int closest = 0;
    const int64_t *stride = walk->stride[k];
    for (int d = 1; d < walk->ndim && stride[closest] != 0; d++)
        if (stride[d] != 0 && llabs(stride[d]) < llabs(stride[closest]))
            closest = d;
    return closest;
}

static bool is_among(int d, const int *dimensions, int count)
{
    for (int i = 0; i < count; i++)
        if (dimensions[i] == d)
            return true;
    return false;
}

/* The extent, at most `most`, that divides n into tiles of about the same size; a multiple of `unit`. */
static int64_t divide(int64_t n, int64_t most, int64_t unit)
{
    if (n <= most)
        return n;
    const int64_t tiles = (n - 1) / most + 1, even = (n - 1) / tiles + 1;
    return smaller(round_up(even, unit), most);
}

/* Whether all views are contiguous along the innermost dimension, and it is so long that nothing need be copied. */
static bool is_in_rows(const sugar_walk *walk)
{
    bool in_rows = walk->extent[0] * (int64_t)walk->element_size >= SUGAR_LONG_ROW;
    for (int k = 0; k < walk->operands; k++)
        in_rows &= walk->stride[k][0] == 1 || walk->size[k] == 0;
    return in_rows;
}

/* How many cache lines a tile extends over in dimension `close`, in which an input has its smallest stride. Only one
 * where rows of the output are long. Else the most, up to four, that leave room for rows which are long enough to be
 * stored where they lie; where rows follow each other in dimension `close` they need only be whole. relu, f32, AVX-512,
 * 32 Mi elements, N = 32, ns an element, from NCHW (Sapphire Rapids; f16: to CWHN 0.80 with four, 0.38 with one):
 *
 *     to             HWCN    WHCN    CWHN
 *     one line       0.76    0.89    0.64
 *     two            0.69    0.83    0.56
 *     four           1.32    1.11    1.00     rows pass through a buffer
 *
 * Calls that are not plain keep to four, as sums depend on the order of tiles. */
static int64_t lines_of(const sugar_walk *walk, int close, int64_t most, bool plain)
{
    const int64_t size = (int64_t)walk->element_size;
    if (walk->extent[0] * size >= SUGAR_LONG_ROW)
        return 1;
    const bool follow = walk->stride[walk->output][close] == walk->extent[0];
    const int64_t row = follow ? walk->extent[0] : round_up(SUGAR_LONG_ROW / size, walk->extent[0]);
    for (int64_t lines = 4; plain && lines > 0; lines /= 2)
        if (most * size / (lines * SUGAR_CACHE_LINE) >= row)
            return lines;
    return 4;
}

/* A tile that is contiguous in the output alone would read a cache line of an input for each element. So where an
 * input has its smallest stride in another dimension, the tile extends over a cache line or a few in that dimension,
 * and as far as `most` allows in the innermost dimensions, which are rows of the output. From NCHW to NCWH, 32 Mi
 * elements: 0.39 ns an element with one line, 0.59 with two, 0.65 with four (Zen 5). */
void sugar_walk_tile(sugar_walk *walk, int64_t most, bool plain)
{
    walk->in_rows = plain && is_in_rows(walk);
    int close[SUGAR_MAX_OPERANDS], count = 0;
    for (int k = 0; k < walk->operands; k++) {
        const int d = walk->size[k] > 0 ? closest_dimension(walk, k) : 0;
        if (d > 0 && !is_among(d, close, count))
            close[count++] = d;
    }
    const int64_t size = (int64_t)walk->element_size;
    const int64_t side = (count == 1 ? lines_of(walk, close[0], most, plain) : 1) * SUGAR_CACHE_LINE / size;
    const int64_t unit = plain ? SUGAR_CACHE_LINE / size : 8;
    int64_t left = walk->in_rows ? 8 * most : most;
    for (int d = 0; d < walk->ndim; d++)
        walk->tile[d] = 1;
    for (int i = 0; i < count; i++) {
        walk->tile[close[i]] = divide(walk->extent[close[i]], smaller(side, left), unit);
        left /= walk->tile[close[i]];
    }
    for (int d = 0; d < walk->ndim; d++)
        if (walk->tile[d] == 1) {
            walk->tile[d] = divide(walk->extent[d], left, unit);
            left /= walk->tile[d];
        }
    for (int i = 0; i < count; i++) {
        const int64_t grown = divide(walk->extent[close[i]], walk->tile[close[i]] * left, unit);
        left = left * walk->tile[close[i]] / grown;
        walk->tile[close[i]] = grown;
    }
    walk->along = count > 0 ? close[0] : 0;
    walk->tiles = 1;
    walk->tile_count = 1;
    for (int d = 0; d < walk->ndim; d++) {
        walk->tile_count *= walk->tile[d];
        walk->tiles *= (walk->extent[d] - 1) / walk->tile[d] + 1;
    }
}

/* The dimensions in the order in which tiles follow each other: first `along`, in which an input is contiguous, then
 * the others from the innermost on. For 32 Mi elements from NCHW to NHWC with 512 channels that took 0.67 ns an
 * element, and 0.95 with dimension 0 first. */
static int dimension_at(const sugar_walk *walk, int rank)
{
    return rank == 0 ? walk->along : rank <= walk->along ? rank - 1 : rank;
}

/* Sets the extents of a tile whose index is set; at an edge they are cut off. */
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
    for (int rank = 0; rank < walk->ndim; rank++) {
        const int d = dimension_at(walk, rank);
        const int64_t tiles = (walk->extent[d] - 1) / walk->tile[d] + 1;
        tile->index[d] = number % tiles * walk->tile[d];
        number /= tiles;
        for (int k = 0; k < walk->operands; k++)
            tile->offset[k] += tile->index[d] * walk->stride[k][d];
    }
    cut(tile, walk);
}

void sugar_tile_after(sugar_tile *next, const sugar_tile *tile, const sugar_walk *walk)
{
    for (int d = 0; d < walk->ndim; d++)
        next->index[d] = tile->index[d];
    for (int k = 0; k < walk->operands; k++)
        next->offset[k] = tile->offset[k];
    for (int rank = 0; rank < walk->ndim; rank++) {
        const int d = dimension_at(walk, rank);
        int64_t advance = walk->tile[d];
        const bool carry = next->index[d] + advance >= walk->extent[d];
        if (carry)
            advance = -next->index[d];
        next->index[d] += advance;
        for (int k = 0; k < walk->operands; k++)
            next->offset[k] += advance * walk->stride[k][d];
        if (!carry)
            break;
    }
    cut(next, walk);
}

/* Finds the tile behind `now`. */
static void look_ahead(sugar_tiles *tiles)
{
    tiles->next = NULL;
    if (tiles->number + 1 < tiles->end) {
        sugar_tile *next = &tiles->pair[tiles->now == tiles->pair];
        sugar_tile_after(next, tiles->now, tiles->walk);
        tiles->next = next;
    }
}

void sugar_tiles_start(sugar_tiles *tiles, const sugar_walk *walk, int64_t begin, int64_t end)
{
    tiles->walk = walk;
    tiles->number = begin;
    tiles->end = end;
    tiles->now = tiles->pair;
    sugar_tile_seek(&tiles->pair[0], walk, begin);
    look_ahead(tiles);
}

void sugar_tiles_step(sugar_tiles *tiles)
{
    tiles->number++;
    if (tiles->next) {
        tiles->now = tiles->next;
        look_ahead(tiles);
    }
}

void *sugar_tile_start(const sugar_tile *tile, const sugar_walk *walk, int k)
{
    return (char *)walk->data[k] + tile->offset[k] * (int64_t)walk->size[k];
}

int64_t sugar_tile_row(const sugar_tile *tile, const sugar_walk *walk, int k)
{
    int64_t row = 1;
    for (int d = 0; d < walk->ndim && (tile->extent[d] == 1 || walk->stride[k][d] == row); d++)
        row *= tile->extent[d];
    return row;
}

/* The box that copies a tile of operand k to a buffer, or back if from_buffer. */
static void find_box(sugar_box *box, const sugar_tile *tile, const sugar_walk *walk, int k, bool from_buffer)
{
    box->ndim = 0;
    int64_t compact = 1;
    for (int d = 0; d < walk->ndim; d++) {
        const int64_t stride = walk->stride[k][d];
        if (tile->extent[d] > 1)
            sugar_box_add(box, tile->extent[d], from_buffer ? stride : compact, from_buffer ? compact : stride);
        compact *= tile->extent[d];
    }
    if (box->ndim == 0)
        sugar_box_add(box, 1, 1, 1);
}

void sugar_tile_read(const sugar_tile *tile, const sugar_walk *walk, int k, void *buffer)
{
    sugar_box box;
    find_box(&box, tile, walk, k, false);
    sugar_copy(&box, buffer, sugar_tile_start(tile, walk, k), walk->size[k]);
}

void sugar_tile_write(const sugar_tile *tile, const sugar_walk *walk, int k, const void *buffer)
{
    sugar_box box;
    find_box(&box, tile, walk, k, true);
    sugar_copy(&box, sugar_tile_start(tile, walk, k), buffer, walk->size[k]);
}
