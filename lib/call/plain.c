/* Plain calls: as vectors, in rows, or tile by tile. */
#include "call/plain.h"

#include <assert.h>
#include <string.h>

#include "call/passes.h"
#include "call/tiles.h"
#include "cpu/cache.h"
#include "threads/context.h"
#include "view/ahead.h"

enum {
    ROWS_AHEAD = 4,                 /* which row is prefetched, counted from the one that is computed */
    LONGEST_PREFETCH = 2048,        /* bytes; longer rows are not prefetched */
    PART_BLOCK = 1024               /* elements; the parts of vectors that threads get are multiples of it */
};

#define NOTHING_HELD INT64_MIN      /* no element has this offset */

/* Rows: n elements each, which lie one after another in every operand. Where the first row begins, and the distance in
 * bytes from one row to the next. */
typedef struct rows {
    char *start[SUGAR_PLAIN_OPERANDS];
    int64_t step[SUGAR_PLAIN_OPERANDS];
    int64_t count, n;
} rows;

/* A call that has been checked. */
typedef struct job {
    const sugar_activation *activation;
    sugar_element element;
    bool accumulate, stream;
    bool prefetch;                  /* inputs are prefetched: the operands are too large for the caches */
    sugar_walk walk;                /* x, y; or x, dy, dx */
} job;

/* An input that passed the checks and shares memory with the output is the same view, so begins at the same
 * element. */
static bool is_in_place(const sugar_walk *walk)
{
    const int output = walk->operands - 1;
    for (int k = 0; k < output; k++)
        if (walk->data[k] == walk->data[output])
            return true;
    return false;
}

/* Runs the pass over rows. A call of this function for each row took 0.097 ns an element instead of 0.080 (relu
 * forward, f32, AVX2, rows of 256 bytes, 1 Mi elements from NCHW to NHCW; PyTorch 0.079). Separate loops for ordinary
 * stores gained nothing more. */
static void run_rows(const job *call, const rows *all, int stream)
{
    char *const *start = all->start;
    const int64_t *step = all->step;
    if (call->walk.operands == 2)
        for (int64_t i = 0; i < all->count; i++)
            sugar_forward_pass(call->activation, call->element, start[0] + i * step[0], start[1] + i * step[1], all->n,
                               stream);
    else
        for (int64_t i = 0; i < all->count; i++)
            sugar_backward_pass(call->activation, call->element, call->accumulate, start[0] + i * step[0],
                                start[1] + i * step[1], start[2] + i * step[2], all->n, stream);
}

/* Elements [begin, end) of vectors. (As one row of run_rows a call on 16 elements takes 2 to 3 ns longer.) */
static void run_vectors(const void *work, int64_t begin, int64_t end)
{
    const job *call = work;
    const sugar_walk *walk = &call->walk;
    const int64_t n = end - begin, offset = begin * (int64_t)walk->element_size;
    const char *x = (char *)walk->data[0] + offset;
    char *second = (char *)walk->data[1] + offset;
    if (walk->operands == 2)
        sugar_forward_pass(call->activation, call->element, x, second, n, call->stream);
    else
        sugar_backward_pass(call->activation, call->element, call->accumulate, x, second,
                            (char *)walk->data[2] + offset, n, call->stream);
}

/* Buffers for operands whose elements do not lie in the order of a tile. A tile that its buffer holds already is not
 * read again: where a stride is 0, tiles that follow each other are the same. */
typedef struct buffers {
    sugar_tile_buffer tile[SUGAR_PLAIN_OPERANDS];
    int64_t held[SUGAR_PLAIN_OPERANDS]; /* the offset of the tile that each buffer holds, or NOTHING_HELD */
} buffers;

static void *read_tile(buffers *b, const sugar_walk *walk, const sugar_tile *tile, int k)
{
    const bool is_whole = tile->count == walk->tile_count;
    if (!is_whole || tile->offset[k] != b->held[k])
        sugar_tile_read(tile, walk, k, &b->tile[k]);
    b->held[k] = is_whole ? tile->offset[k] : NOTHING_HELD;
    return &b->tile[k];
}

/* A tile divided into rows. */
typedef struct divided_tile {
    const job *call;
    const sugar_tile *tile;
    int first;                      /* the innermost dimension that is not inside a row */
    int64_t length;                 /* of a row, in elements */
    bool prefetch;
    int stream;                     /* 0, or SUGAR_STREAM_OPEN */
    int64_t step[SUGAR_MAX_DIMENSIONS][SUGAR_PLAIN_OPERANDS];   /* bytes to the next index in a dimension */
} divided_tile;

/* Prefetches inputs that lie ROWS_AHEAD rows ahead. A kernel is done with a short row before the processor's own
 * prefetching has begun, unless rows follow each other in memory. Without this 32 Mi elements in rows of 128, from NCHW
 * to NHCW, take 1.3 times as long; 1 Mi elements, which the last-level cache holds, take 1.2 to 1.4 times as long with
 * it. Tried: into the second-level cache alone, 2 KiB ahead, which takes up to 12 % less time forward and 9 % more
 * backward (Sapphire Rapids). Inlined, as gcc drops the call of a function that does nothing but prefetch. */
static inline __attribute__((always_inline)) void prefetch_row(const divided_tile *t, const rows *row)
{
    const int64_t bytes = t->length * (int64_t)t->call->walk.element_size;
    for (int k = 0; k < t->call->walk.operands - 1; k++)
        if (row->step[k] != bytes) {
            /* An integer and no pointer, as the address may lie outside of the operand. */
            const uintptr_t ahead = (uintptr_t)row->start[k] + (uintptr_t)(ROWS_AHEAD * row->step[k]);
            for (int64_t byte = 0; byte < bytes; byte += SUGAR_CACHE_LINE)
                __builtin_prefetch((const void *)(ahead + (uintptr_t)byte));
        }
}

static void advance(rows *all, int operands)
{
    for (int k = 0; k < operands; k++)
        all->start[k] += all->step[k];
}

/* Runs the rows of dimensions d, d - 1, ..., first, from the element at `at` on. */
static void run_dimension(const divided_tile *t, int d, char *const *at)
{
    rows all = {.count = t->tile->extent[d], .n = t->length};
    memcpy(all.start, at, sizeof all.start);
    memcpy(all.step, t->step[d], sizeof all.step);
    if (d == t->first && !t->prefetch) {
        run_rows(t->call, &all, t->stream);
        return;
    }
    const int64_t count = all.count;
    all.count = 1;
    for (int64_t i = 0; i < count; i++) {
        if (i > 0)
            advance(&all, t->call->walk.operands);
        if (d > t->first) {
            run_dimension(t, d - 1, all.start);
        } else {
            prefetch_row(t, &all);
            run_rows(t->call, &all, t->stream);
        }
    }
}

/* Divides a tile whose rows have t->length elements. In a buffer rows follow each other. */
static void divide_tile(divided_tile *t, const bool *in_buffer)
{
    const sugar_walk *walk = &t->call->walk;
    const int64_t size = (int64_t)walk->element_size;
    int64_t count = 1;
    for (t->first = 0; count < t->length; t->first++)
        count *= t->tile->extent[t->first];
    for (int d = t->first; d < walk->ndim; d++) {
        for (int k = 0; k < SUGAR_PLAIN_OPERANDS; k++)
            t->step[d][k] = k >= walk->operands ? 0 : (in_buffer[k] ? count : walk->stride[k][d]) * size;
        count *= t->tile->extent[d];
    }
    t->prefetch = t->call->prefetch && walk->in_rows && t->length * size <= LONGEST_PREFETCH;
}

/* Whether a tile's elements in operand k pass through a buffer: its rows are too short to be used where they lie. */
static bool needs_buffer(const sugar_tile *tile, const sugar_walk *walk, int k)
{
    const int64_t row = sugar_tile_row(tile, walk, k);
    return !walk->in_rows && row < tile->count && row * (int64_t)walk->element_size < SUGAR_LONG_ROW;
}

/* Runs the pass over a tile. An operand whose rows are long enough is used where it lies, any other in a buffer. */
static void run_tile(const job *call, buffers *b, const sugar_tile *tile)
{
    const sugar_walk *walk = &call->walk;
    const int output = walk->operands - 1;
    bool in_buffer[SUGAR_PLAIN_OPERANDS] = {false};
    rows whole = {.count = 1, .n = tile->count};
    char **start = whole.start;
    divided_tile divided;           /* set member by member: to clear so large a struct takes time */
    divided.call = call;
    divided.tile = tile;
    divided.length = tile->count;
    for (int k = 0; k <= output; k++) {
        in_buffer[k] = needs_buffer(tile, walk, k);
        if (!in_buffer[k]) {
            start[k] = sugar_tile_start(tile, walk, k);
            divided.length = smaller(divided.length, sugar_tile_row(tile, walk, k));
        } else {
            start[k] = k < output || call->accumulate ? read_tile(b, walk, tile, k) : (void *)&b->tile[k];
        }
    }
    const int stream = call->stream && !in_buffer[output] ? SUGAR_STREAM_OPEN : 0;
    if (divided.length == tile->count) {
        run_rows(call, &whole, stream);
    } else {
        divided.stream = stream;
        divide_tile(&divided, in_buffer);
        run_dimension(&divided, walk->ndim - 1, start);
    }
    if (in_buffer[output]) {
        sugar_tile_write(tile, walk, output, start[output]);
        b->held[output] = NOTHING_HELD;
    }
}

/* Prefetches for the tiles that follow tile `number`. An output that is stored past the caches is not read. */
static void fetch_ahead(const job *call, sugar_ahead *ahead, int64_t number, const sugar_tile *next)
{
    const int output = call->walk.operands - 1;
    sugar_ahead_move(ahead, number);
    for (int k = 0; k < output; k++)
        sugar_ahead_fetch(ahead, number, next, k);
    if (!call->stream || needs_buffer(next, &call->walk, output))
        sugar_ahead_fetch(ahead, number, next, output);
}

/* Tiles of a walk: element tile_count * i stands for tile i, of [begin, end). */
static void run_tiles(const void *work, int64_t begin, int64_t end)
{
    const job *call = work;
    const sugar_walk *walk = &call->walk;
    buffers b;
    for (int k = 0; k < walk->operands; k++)
        b.held[k] = NOTHING_HELD;
    const int64_t until = end / walk->tile_count;
    sugar_ahead ahead;
    sugar_ahead_start(&ahead, walk, until);
    sugar_tiles tiles;
    for (sugar_tiles_start(&tiles, walk, begin / walk->tile_count, until); tiles.number < until;
         sugar_tiles_step(&tiles)) {
        if (tiles.next && call->prefetch && !walk->in_rows)
            fetch_ahead(call, &ahead, tiles.number, tiles.next);
        run_tile(call, &b, tiles.now);
    }
    if (call->stream)
        call->activation->level->kernels[call->element]->end_stream();
}

/* Runs a call on compact views, without a walk. False: they are not compact, and nothing is done. */
static bool run_compact(job *call, const sugar_operand *operands, int count, const sugar_call_options *options)
{
    void **data = call->walk.data;
    const int64_t n = sugar_find_vectors(operands, count, data);
    if (n == 0)
        return false;
    const sugar_data_type type = operands[0].tensor->dtype;
    const bool in_place = data[0] == data[count - 1] || data[count - 2] == data[count - 1];
    call->element = sugar_element_find(type.code, type.bits);
    call->walk.operands = count;
    call->walk.element_size = type.bits / 8;
    call->stream = sugar_is_streamed(options->flags, (uint64_t)n * (type.bits / 8), in_place);
    sugar_parallel_run(options->context, n, PART_BLOCK, run_vectors, call);
    return true;
}

sugar_status sugar_plain_run(const sugar_activation *activation, const sugar_operand *operands, int count,
                             const sugar_call_options *options)
{
    assert(count == 2 || count == 3);
    job call;                       /* set member by member, as above */
    call.activation = activation;
    call.accumulate = options->flags & SUGAR_CALL_ACCUMULATE;
    if (run_compact(&call, operands, count, options))
        return SUGAR_OK;
    const sugar_status status = sugar_walk_make(&call.walk, operands, count);
    if (status != SUGAR_OK || call.walk.count == 0)
        return status;
    const sugar_data_type type = operands[0].tensor->dtype;
    call.element = sugar_element_find(type.code, type.bits);
    call.stream =
        sugar_is_streamed(options->flags, (uint64_t)call.walk.count * (type.bits / 8), is_in_place(&call.walk));
    if (sugar_walk_is_vector(&call.walk)) {
        sugar_parallel_run(options->context, call.walk.count, PART_BLOCK, run_vectors, &call);
        return SUGAR_OK;
    }
    sugar_walk_tile(&call.walk, SUGAR_TILE_BYTES / type.bits * 8, true);
    call.prefetch = (uint64_t)call.walk.count * (type.bits / 8) > sugar_cache_share();
    sugar_parallel_run(options->context, call.walk.tiles * call.walk.tile_count, call.walk.tile_count, run_tiles,
                       &call);
    return SUGAR_OK;
}
