/* Extended calls: divided into slices, among threads, and each slice into tiles. assemble.c has made the walk; tile.c
 * computes a tile; sums.c adds up what slices have summed. */
#include "call/run.h"

#include <assert.h>
#include <string.h>

#include "call/fused.h"
#include "call/passes.h"
#include "call/sums.h"
#include "call/values.h"
#include "call/workspace.h"
#include "cpu/cache.h"
#include "threads/context.h"
#include "view/ahead.h"

enum {
    ROW_AS_TILE = 512,              /* elements; a shorter row is not made a tile by itself */
    MOST_TALLIED = 1 << 23          /* elements, which may all be of one unit: f32 counts exactly up to 2^24 */
};

/* The most elements of a tile that buffers have room for. */
static int64_t most_of(size_t element_size)
{
    return smaller(SUGAR_TILE_ELEMENTS, SUGAR_TILE_BYTES / (int64_t)element_size);
}

/* ---- Tiles --------------------------------------------------------------------------------- */

/* Where there is a bias, x is converted when that is added. */
static bool is_converted_by_bias(const sugar_extended_call *c, int k)
{
    return k == c->x && c->place[SUGAR_OPTION_bias] != SUGAR_ABSENT;
}

/* Sets where operand k is used: where it lies if the tile is contiguous there, else in a buffer. */
static void locate_operand(const sugar_extended_call *c, sugar_workspace *w, sugar_block *b, int k)
{
    const sugar_walk *walk = b->walk;
    const bool is_broadcast = k == c->place[SUGAR_OPTION_parameter] || k == c->place[SUGAR_OPTION_bias];
    b->is_shared[k] = is_broadcast && sugar_tile_shares(c, b, k);
    if (b->is_shared[k])
        return;
    void *start = sugar_tile_start(b->tile, walk, k);
    const bool in_pieces = sugar_tile_row(b->tile, walk, k) < b->tile->count;
    b->in_buffer[k] = in_pieces || c->is_staged[k] || (is_converted(c, k) && !is_converted_by_bias(c, k));
    b->at[k] = b->in_buffer[k] ? (void *)&w->tile[k] : start;
    assert(!b->in_buffer[k] || b->tile->count <= most_of(walk->element_size));
    if (!b->in_buffer[k] || (c->is_written[k] && !c->accumulate))
        return;
    if (in_pieces) {
        start = is_converted(c, k) ? &w->stage : &w->tile[k];
        sugar_tile_read(b->tile, walk, k, start);
    }
    if (start != b->at[k])
        c->in_memory[k]->load_reals(start, b->at[k], (size_t)b->tile->count);
}

/* Stores reals to operand k where it is contiguous. */
static void store_reals(const sugar_extended_call *c, int k, const void *reals, char *to, int64_t n)
{
    const size_t size = c->walk.size[k];
    const sugar_stretches all = sugar_stretches_find(to, size, n, c->is_streamed[k]);
    for (int i = 0; i < SUGAR_STRETCHES; i++) {
        const size_t begin = (size_t)all.begin[i], length = (size_t)all.begin[i + 1] - begin;
        if (length > 0)
            c->in_memory[k]->store_reals(real_at(c, reals, begin), to + begin * size, length,
                                         i == SUGAR_WHOLE_LINES ? SUGAR_STREAM_OPEN : 0);
    }
}

/* Stores an operand that was computed in a buffer. */
static void store_operand(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, int k)
{
    const sugar_walk *walk = b->walk;
    const int64_t n = b->tile->count;
    if (sugar_tile_row(b->tile, walk, k) == n) {
        store_reals(c, k, b->at[k], sugar_tile_start(b->tile, walk, k), n);
        return;
    }
    if (is_converted(c, k))
        c->in_memory[k]->store_reals(b->at[k], &w->stage, (size_t)n, 0);
    sugar_tile_write(b->tile, walk, k, is_converted(c, k) ? &w->stage : b->at[k]);
}

static void run_tile(const sugar_extended_call *c, sugar_workspace *w, const sugar_walk *walk, const sugar_tile *tile,
                     const void *ahead)
{
    sugar_block b = {.walk = walk, .tile = tile, .ahead = ahead};
    for (int k = 0; k < walk->operands; k++)
        if (walk->size[k] > 0 && k != c->summed)
            locate_operand(c, w, &b, k);
    (c->is_fused ? sugar_tile_fused : c->is_backward ? sugar_tile_backward : sugar_tile_forward)(c, w, &b);
    for (int k = 0; k < walk->operands; k++)
        if (b.in_buffer[k] && c->is_written[k])
            store_operand(c, w, &b, k);
}

/* Prefetches the operands of the next tile, where the processor would not do so by itself. A monitor's input that is
 * contiguous is not prefetched here, but by the kernels that count this tile: its address is returned. Without that a
 * monitored relu in memory takes 0.45 ns an element instead of 0.30; two or four tiles ahead, or into the second-level
 * cache alone, gained nothing. Nor did groups of tiles, as in plain calls: prelu with a parameter for each channel took
 * 0.89 to 1.12 times as long in 5 layouts. */
static const void *fetch_ahead(const sugar_extended_call *c, const sugar_walk *walk, const sugar_tile *next)
{
    const void *ahead = NULL;
    for (int k = 0; k < walk->operands && c->prefetch; k++)
        if (walk->size[k] > 0 && sugar_tile_row(next, walk, k) < next->count)
            sugar_tile_prefetch(next, walk, k);
        else if (k == c->x && c->monitor && !is_converted(c, k))
            ahead = sugar_tile_start(next, walk, k);
    return ahead;
}

/* ---- Slices -------------------------------------------------------------------------------- */

/* Whether the operands of a tile and its buffers are more than a first-level cache holds, and steps read them again.
 * With 32 Mi elements and a gate backward takes, with tiles half as large, 0.72 ns an element instead of 0.87 (silu,
 * f32, and the gate's gradient), and 0.49 instead of 0.77 (bf16; AVX-512, Zen 5); in cache it gains nothing. Not where
 * there are sums: their bits depend on tiles. */
static bool has_many_streams(const sugar_extended_call *c)
{
    return c->prefetch && c->is_backward && c->sum_index == SUGAR_ABSENT && c->place[SUGAR_OPTION_gate] != SUGAR_ABSENT
           && !c->is_fused;
}

/* The most elements of a tile in a slice. Relu of f32 with a monitor of 512 units, in memory, takes 0.30 ns an element
 * (AVX2, Zen 5) with tiles of 2048 elements and 0.42 with 1024; with 4096 it takes 0.27, but on two threads 0.21
 * instead of 0.20. A long row of a slice that is narrower than the walk is a tile by itself: two such rows do not lie
 * one after another, and would have to be copied to a buffer. */
static int64_t most_elements(const sugar_extended_call *c, const sugar_walk *slice)
{
    const int64_t whole = most_of(slice->element_size), row = slice->extent[0];
    const int64_t most = has_many_streams(c) ? whole / 2 : whole;
    const int64_t *stride = slice->stride[c->output];
    return row >= ROW_AS_TILE && row < most && slice->ndim > 1 && stride[0] == 1 && stride[1] > row ? row : most;
}

/* Whether the elements of a slice lie one behind the other in operand k. */
static bool is_compact(const sugar_walk *slice, int k)
{
    int64_t expected = 1;
    bool compact = true;
    for (int d = 0; d < slice->ndim; expected *= slice->extent[d++])
        compact &= slice->stride[k][d] == expected || slice->extent[d] == 1;
    return compact;
}

/* Whether no tile of a slice needs a buffer, however large it is: each operand is compact, so that its tiles, which
 * consist of whole rows or lie within one, are in one piece (locate_operand). Biases may be shared by rows, or be a
 * row, if rows are long enough for runs (sugar_tile_shares); a buffer has room for a row, if it is converted. */
static bool needs_no_buffer(const sugar_extended_call *c, const sugar_walk *slice)
{
    bool none = c->is_fused && c->sum_index == SUGAR_ABSENT;
    for (int k = 0; k < slice->operands && none; k++)
        if (k == c->place[SUGAR_OPTION_bias])
            none = slice->extent[0] >= SUGAR_SHORTEST_FUSED && slice->extent[0] <= SUGAR_TILE_ELEMENTS
                   && (slice->stride[k][0] == 0 || slice->stride[k][0] == 1);
        else
            none = is_compact(slice, k);
    return none;
}

/* Tiles are 8 times as large where they need no buffer: in cache silu with a gate takes 0.12 ns an element then
 * instead of 0.15 (f32, AVX-512, Zen 5). */
static void divide_slice(const sugar_extended_call *c, sugar_walk *slice)
{
    const int64_t most = most_elements(c, slice);
    sugar_walk_tile(slice, needs_no_buffer(c, slice) ? 8 * most : most, false);
}

static bool streams_any(const sugar_extended_call *c)
{
    bool any = false;
    for (int k = 0; k < c->walk.operands; k++)
        any |= c->is_streamed[k];
    return any;
}

/* Sums are taken from the workspace before counts kept in f32 get inexact, and at the end. */
static void run_slice(const sugar_sum_job *j, sugar_workspace *w, int64_t number)
{
    const sugar_extended_call *c = j->call;
    sugar_walk slice;
    const int64_t sums = sugar_slice_walk(&slice, &c->walk, &j->slices, c->sum_index, number);
    divide_slice(c, &slice);
    int64_t tallied = 0;
    sugar_tiles tiles;
    for (sugar_tiles_start(&tiles, &slice, 0, slice.tiles); tiles.number < tiles.end; sugar_tiles_step(&tiles)) {
        const void *ahead = tiles.next ? fetch_ahead(c, &slice, tiles.next) : NULL;
        if (c->monitor && tallied + tiles.now->count > MOST_TALLIED) {
            sugar_sums_take(j, w, &slice, number, sums);
            tallied = 0;
        }
        run_tile(c, w, &slice, tiles.now, ahead);
        tallied += tiles.now->count;
    }
    if (streams_any(c))
        c->kernels->end_stream();
    sugar_sums_take(j, w, &slice, number, sums);
}

/* A histogram that has counted nothing, for one thread. */
static sugar_histogram start_histogram(const sugar_monitor *monitor)
{
    return (sugar_histogram){
        .minimum = monitor->minimum,
        .scale = (SUGAR_MONITOR_BINS - 2) / (monitor->maximum - monitor->minimum),
    };
}

/* Slices: element weight * i stands for slice i, of [begin, end). weight: the elements that slices have on average. */
static void run_slices(const void *work, int64_t begin, int64_t end)
{
    const sugar_sum_job *j = work;
    sugar_monitor *monitor = j->call->monitor;
    sugar_workspace w;
    const int64_t weight = j->call->walk.count / j->slices.count;
    if (j->call->sum_index != SUGAR_ABSENT)
        memset(&w.sums, 0, sizeof w.sums);
    if (monitor)
        w.histogram = start_histogram(monitor);
    for (int64_t i = begin / weight; i * weight < end; i++)
        run_slice(j, &w, i);
    if (monitor)
        j->call->kernels->take_bins(&w.histogram);
    for (int bin = 0; monitor && bin < SUGAR_MONITOR_BINS; bin++)
        __atomic_fetch_add(&monitor->bin[bin], w.histogram.count[bin], __ATOMIC_RELAXED);
}

/* Whether operand k is an output of elements, not of codes. */
static bool is_elementwise(const sugar_extended_call *c, int k)
{
    return c->is_written[k] && k != c->place[SUGAR_OPTION_saved_gradient];
}

/* An input that passed the checks and shares memory with such an output is the same view. */
static bool is_in_place(const sugar_extended_call *c, int output)
{
    const int inputs[] = {c->x, c->dy, c->place[SUGAR_OPTION_gate]};
    bool in_place = false;
    for (int i = 0; i < 3; i++)
        in_place |= inputs[i] != SUGAR_ABSENT && c->walk.data[inputs[i]] == c->walk.data[output];
    return in_place;
}

void sugar_extended_run(sugar_extended_call *c, const sugar_call_options *options)
{
    const uint64_t bytes = (uint64_t)c->walk.count * c->walk.element_size;
    c->prefetch = bytes > sugar_cache_share();
    for (int k = 0; k < c->walk.operands; k++)
        c->is_streamed[k] = is_elementwise(c, k) && sugar_is_streamed(options->flags, bytes, is_in_place(c, k));
    sugar_sum_entry table[SUGAR_MOST_ENTRIES];
    sugar_sum_job j = {.call = c, .table = table};
    sugar_slices_make(&j.slices, &c->walk, c->sum_index);
    if (c->sum_index != SUGAR_ABSENT && j.slices.same_sums)
        memset(table, 0, (size_t)(j.slices.count * j.slices.sums) * sizeof *table);
    assert(c->sum_index == SUGAR_ABSENT || !j.slices.same_sums || j.slices.count * j.slices.sums <= SUGAR_MOST_ENTRIES);
    const int64_t weight = c->walk.count / j.slices.count;
    sugar_parallel_run(options->context, weight * j.slices.count, weight, run_slices, &j);
    if (c->sum_index != SUGAR_ABSENT && j.slices.same_sums)
        sugar_sums_gather(&j);
}
