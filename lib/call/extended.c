/* Calls with more than x, dy and dx: what is done with each tile, slice by slice. operands.c has put the operands
 * together; what depends on the element type is written once, in extended_template.h. */
#include "call/extended.h"

#include <string.h>

#include "activation/activation.h"
#include "view/bits.h"
#include "cpu/cache.h"
#include "call/plain.h"
#include "threads/context.h"

enum {
    CACHE_LINE = 64,
    TILE_BYTES = 8192,              /* of the output; see plain.c */
    APART_BYTES = 256,
    MOST_ELEMENTS = 2048,           /* of a tile; more of 16 bits would not fit where they are computed */
    LONG_ROW = 512,                 /* elements */
    FEWEST_SHARING = 32,            /* elements that share a parameter */
    MOST_TALLIED = 1 << 23          /* of one unit before f32 would lose count */
};

/* Numbers as each element type is computed. */
#define REALS(n) union { float f32[n], f16[n], bf16[n]; double f64[n]; }

/* Of one thread. */
typedef struct workspace {
    union {
        double f64[(TILE_BYTES + APART_BYTES) / sizeof(double)];
        float f32[(TILE_BYTES + APART_BYTES) / sizeof(float)];
        uint16_t f16[(TILE_BYTES + APART_BYTES) / sizeof(uint16_t)];
        uint8_t codes[TILE_BYTES + APART_BYTES];
    } tile[SUGAR_MAX_OPERANDS];
    REALS(MOST_ELEMENTS) values, surrogate, derivative;
    uint8_t codes[SUGAR_CODES];
    union {
        struct {
            REALS(SUGAR_MOST_SUMS + SUGAR_WIDEST) active;
            double sum[SUGAR_MOST_SUMS + SUGAR_WIDEST], sum_of_squares[SUGAR_MOST_SUMS + SUGAR_WIDEST];
            int64_t not_finite[SUGAR_MOST_SUMS];
        } tallies;
        struct {
            double high[SUGAR_MOST_SUMS + SUGAR_WIDEST], low[SUGAR_MOST_SUMS + SUGAR_WIDEST];
        } gradient;
    } sums;
    sugar_histogram histogram;
} workspace;

/* A tile, with what takes part in it: where its elements lie one after another in each operand. */
typedef struct block {
    const sugar_walk *walk;
    const sugar_tile *tile;
    void *at[SUGAR_MAX_OPERANDS];
    bool in_buffer[SUGAR_MAX_OPERANDS];
    size_t parameter_step;          /* 0: the elements of a run share one; or 1 */
    int stream;                     /* 0, or SUGAR_STREAM_ON */
    const void *ahead;              /* where the inputs of the next tile lie one after another, if they will be fetched */
} block;

/* Elements of a tile one after another that have one parameter, or with a step one each. */
typedef struct part {
    const void *parameter;
    size_t step, begin, n;
    sugar_runs runs;
} part;

/* ---- Parts ---------------------------------------------------------------------------------- */

/* Elements of a tile's first run that share a parameter. */
static int64_t count_sharing(const sugar_run *run)
{
    return run->across && run->length > 1 ? 1 : run->rows * run->length;
}

/* Whether the runs that share a parameter are worth a call of a kernel each; otherwise every element gets its own, in a
 * buffer. */
static bool is_shared(const sugar_walk *walk, const sugar_tile *tile, int parameter)
{
    sugar_runs runs;
    sugar_runs_start(&runs, walk, tile, parameter);
    const int64_t sharing = count_sharing(&runs.run);
    return sharing >= FEWEST_SHARING || sharing == tile->count;
}

static part part_start(const sugar_extended_call *c, const block *b)
{
    part p = {.parameter = b->at[c->parameter], .step = b->parameter_step};
    if (p.step == 0)
        sugar_runs_start(&p.runs, b->walk, b->tile, c->parameter);
    return p;
}

static bool part_next(part *p, const sugar_extended_call *c, const block *b)
{
    if (p->step > 0) {
        const bool is_first = p->n == 0;
        p->n = (size_t)b->tile->count;
        return is_first;
    }
    if (!sugar_runs_next(&p->runs))
        return false;
    const sugar_run *run = &p->runs.run;
    p->begin = (size_t)run->begin;
    p->n = (size_t)count_sharing(run);
    p->parameter = (const char *)b->walk->data[c->parameter] + run->first * (int64_t)b->walk->size[c->parameter];
    return true;
}

/* ---- Bits ---------------------------------------------------------------------------------- */

/* The bits of a tile, row by row: elements that follow each other in the walk do so there. */
static void write_bits(const sugar_extended_call *c, const block *b, const uint8_t *code)
{
    const sugar_walk *walk = b->walk;
    sugar_runs runs;
    sugar_runs_start(&runs, walk, b->tile, c->saved);
    while (sugar_runs_next(&runs))
        sugar_bits_write(walk->data[c->saved], walk->first[c->saved] + runs.run.first, code + runs.run.begin,
                         runs.run.length, c->walk.count);
}

static const uint8_t *read_bits(const sugar_extended_call *c, const block *b, uint8_t *code)
{
    const sugar_walk *walk = b->walk;
    sugar_runs runs;
    sugar_runs_start(&runs, walk, b->tile, c->saved);
    while (sugar_runs_next(&runs))
        sugar_bits_read(walk->data[c->saved], walk->first[c->saved] + runs.run.first, code + runs.run.begin,
                        runs.run.length);
    return code;
}

/* What depends on the element type. */
struct sugar_extended_functions {
    void (*forward)(const sugar_extended_call *c, workspace *w, const block *b);
    void (*backward)(const sugar_extended_call *c, workspace *w, const block *b);
    /* What is tallied of a unit, which begins anew. */
    sugar_tally (*take_tally)(workspace *w, int64_t sum);
    /* Rounds a gradient, and stores it or adds it to what is there. */
    void (*put_gradient)(const sugar_extended_call *c, void *at, sugar_exact value);
    /* The same for n sums of a slice, which begin anew, and gradients next to each other. */
    void (*put_gradients)(const sugar_extended_call *c, workspace *w, int64_t sum, int64_t n, void *at);
};

/* Whether a row of elements `step` apart that begins with element `next` is the one after so many rows from `first`
 * on, and has the same blocks of four random numbers. */
static bool shares_blocks(int64_t first, int64_t step, int64_t rows, int64_t next)
{
    return step % 4 == 0 && next == first + rows && next / 4 == first / 4;
}

#define T float
#define REAL float
#define NAME(name) name##_f32
#define PASSES f32
#include "call/extended_template.h"

#define T double
#define REAL double
#define NAME(name) name##_f64
#define PASSES f64
#include "call/extended_template.h"

#define T uint16_t
#define REAL float
#define NAME(name) name##_f16
#define PASSES f16
#include "call/extended_template.h"

#define T uint16_t
#define REAL float
#define NAME(name) name##_bf16
#define PASSES bf16
#include "call/extended_template.h"

static const sugar_extended_functions *functions_of(sugar_data_type type)
{
    switch (type.bits) {
    case 64: return &functions_f64;
    case 32: return &functions_f32;
    default: return type.code == SUGAR_TYPE_BFLOAT ? &functions_bf16 : &functions_f16;
    }
}

/* How many elements a tile has at most. */
static int64_t most_of(size_t element_size)
{
    return smaller(MOST_ELEMENTS, TILE_BYTES / (int64_t)element_size);
}

/* ---- Tiles --------------------------------------------------------------------------------- */

/* An operand takes part where it is if the tile is contiguous there, or else in a buffer. */
static void place_operand(const sugar_extended_call *c, workspace *w, block *b, int k)
{
    const sugar_walk *walk = b->walk;
    if (k == c->parameter && is_shared(walk, b->tile, k)) {
        b->parameter_step = 0;
        b->at[k] = sugar_tile_start(b->tile, walk, k);
        return;
    }
    b->in_buffer[k] = sugar_tile_row(b->tile, walk, k) < b->tile->count;
    b->at[k] = b->in_buffer[k] ? (void *)&w->tile[k] : sugar_tile_start(b->tile, walk, k);
    if (b->in_buffer[k] && (!c->is_written[k] || (c->accumulate && k == c->output)))
        sugar_tile_read(b->tile, walk, k, b->at[k]);
}

static void run_tile(const sugar_extended_call *c, workspace *w, const sugar_walk *walk, const sugar_tile *tile,
                     const void *ahead)
{
    block b = {.walk = walk, .tile = tile, .parameter_step = 1, .ahead = ahead};
    for (int k = 0; k < walk->operands; k++)
        if (walk->size[k] > 0 && k != c->gradient)
            place_operand(c, w, &b, k);
    b.stream = c->stream && !b.in_buffer[c->output] ? SUGAR_STREAM_ON : 0;
    (c->is_backward ? c->functions->backward : c->functions->forward)(c, w, &b);
    for (int k = 0; k < walk->operands; k++)
        if (b.in_buffer[k] && c->is_written[k])
            sugar_tile_write(tile, walk, k, b.at[k]);
}

/* Asks for those operands of the next tile that the processor would not foresee. A monitor's input that lies one after
 * another is fetched in passing, and returned: without that a monitored relu in memory takes 0.45 ns an element in
 * place of 0.30; two or four tiles ahead, or into the second-level cache alone, gained nothing. */
static const void *fetch_ahead(const sugar_extended_call *c, const sugar_walk *walk, const sugar_tile *next)
{
    const void *ahead = NULL;
    for (int k = 0; k < walk->operands && c->prefetch; k++)
        if (walk->size[k] > 0 && sugar_tile_row(next, walk, k) < next->count)
            sugar_tile_prefetch(next, walk, k);
        else if (k == c->x && c->monitor)
            ahead = sugar_tile_start(next, walk, k);
    return ahead;
}

/* ---- Sums ---------------------------------------------------------------------------------- */

/* What several slices found of one sum meets in a table. */
typedef union entry {
    sugar_tally tally;
    sugar_exact gradient;
} entry;

typedef struct job {
    const sugar_extended_call *call;
    sugar_slices slices;
    entry *table;
} job;

static void *gradient_at(const sugar_extended_call *c, const sugar_walk *slice, int64_t offset)
{
    return (char *)slice->data[c->gradient] + offset * (int64_t)slice->size[c->gradient];
}

static void take_tallies(const job *j, workspace *w, const sugar_walk *slice, entry *entries, int64_t sums)
{
    const sugar_extended_call *c = j->call;
    sugar_kept kept;
    sugar_kept_start(&kept, slice, c->local, c->units);
    for (int64_t i = 0; i < sums; i++, sugar_kept_next(&kept)) {
        const sugar_tally tally = c->functions->take_tally(w, i);
        sugar_tally_add(entries ? &entries[i].tally : &c->monitor->unit[kept.offset], &tally);
    }
}

static void take_gradients(workspace *w, entry *entries, int64_t sums)
{
    double *high = w->sums.gradient.high, *low = w->sums.gradient.low;
    for (int64_t i = 0; i < sums; i++) {
        entries[i].gradient = (sugar_exact){high[i], low[i]};
        high[i] = low[i] = 0;
    }
}

/* Row by row where gradients lie next to each other. */
static void put_gradients(const sugar_extended_call *c, workspace *w, const sugar_walk *slice, int64_t sums)
{
    const bool in_rows = slice->stride[c->local][0] != 0 && slice->stride[c->gradient][0] == 1;
    const int64_t row = in_rows ? slice->extent[0] : 1;
    sugar_kept kept;
    sugar_kept_start(&kept, slice, c->local, c->gradient);
    for (int64_t i = 0; i < sums; i += row, sugar_kept_next(&kept)) {
        c->functions->put_gradients(c, w, i, row, gradient_at(c, slice, kept.offset));
        kept.index[0] += row - 1;
        kept.offset += row - 1;
    }
}

/* Gives what a slice has summed to its entries in the table, or, if no other slice has them, to where they belong. */
static void take_sums(const job *j, workspace *w, const sugar_walk *slice, int64_t number, int64_t sums)
{
    const sugar_extended_call *c = j->call;
    entry *entries = j->slices.share ? j->table + number * sums : NULL;
    if (c->local == SUGAR_ABSENT)
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

/* Adds up what slices that share their sums found, in their order. */
static void gather_sums(const job *j)
{
    const sugar_extended_call *c = j->call;
    const int64_t sums = j->slices.sums;
    sugar_kept kept;
    sugar_kept_start(&kept, &c->walk, c->local, c->monitor ? c->units : c->gradient);
    for (int64_t i = 0; i < sums; i++, sugar_kept_next(&kept)) {
        sugar_exact total = {0, 0};
        for (int64_t number = 0; number < j->slices.count; number++) {
            const entry *found = &j->table[number * sums + i];
            if (c->monitor)
                sugar_tally_add(&c->monitor->unit[kept.offset], &found->tally);
            else
                total = add_exactly(total, found->gradient);
        }
        if (!c->monitor)
            c->functions->put_gradient(c, gradient_at(c, &c->walk, kept.offset), total);
    }
}

/* ---- Slices -------------------------------------------------------------------------------- */

/* The elements of a tile, at most. Shorter tiles lose: relu of f32 with a monitor, in memory with a batch of 512 units,
 * takes 0.30 ns an element (AVX2, Zen 5) with 2048 elements and 0.42 with 1024; with 4096 it takes 0.27, but on two
 * threads 0.21 in place of 0.20. Long rows that are parts of longer ones are tiles by themselves: several would have to
 * be copied together. */
static int64_t most_elements(const sugar_extended_call *c, const sugar_walk *slice)
{
    const int64_t most = most_of(slice->element_size), row = slice->extent[0];
    const int64_t *stride = slice->stride[c->output];
    return row >= LONG_ROW && row < most && slice->ndim > 1 && stride[0] == 1 && stride[1] > row ? row : most;
}

static void run_slice(const job *j, workspace *w, int64_t number)
{
    const sugar_extended_call *c = j->call;
    sugar_walk slice;
    const int64_t sums = sugar_slice_walk(&slice, &c->walk, &j->slices, c->local, number);
    sugar_walk_tile(&slice, most_elements(c, &slice), false);
    sugar_tile tiles[2];
    sugar_tile_seek(&tiles[0], &slice, 0);
    int64_t tallied = 0;
    for (int64_t i = 0; i < slice.tiles; i++) {
        const sugar_tile *tile = &tiles[i % 2];
        sugar_tile *next = &tiles[(i + 1) % 2];
        const void *ahead = NULL;
        if (i + 1 < slice.tiles) {
            sugar_tile_after(next, tile, &slice);
            ahead = fetch_ahead(c, &slice, next);
        }
        if (c->monitor && tallied + tile->count > MOST_TALLIED) {
            take_sums(j, w, &slice, number, sums);
            tallied = 0;
        }
        run_tile(c, w, &slice, tile, ahead);
        tallied += tile->count;
    }
    if (c->stream)
        c->kernels->f32->end_stream();
    take_sums(j, w, &slice, number, sums);
}

/* The histogram of one thread's share, empty. */
static sugar_histogram start_histogram(const sugar_monitor *monitor)
{
    return (sugar_histogram){
        .minimum = monitor->minimum,
        .scale = (SUGAR_MONITOR_BINS - 2) / (monitor->maximum - monitor->minimum),
    };
}

/* The slices [begin, end), each counted as so many elements as all have on average. */
static void run_slices(const void *work, int64_t begin, int64_t end)
{
    const job *j = work;
    sugar_monitor *monitor = j->call->monitor;
    workspace w;
    const int64_t weight = j->call->walk.count / j->slices.count;
    if (j->call->local != SUGAR_ABSENT)
        memset(&w.sums, 0, sizeof w.sums);
    if (monitor)
        w.histogram = start_histogram(monitor);
    for (int64_t i = begin / weight; i * weight < end; i++)
        run_slice(j, &w, i);
    for (int bin = 0; monitor && bin < SUGAR_MONITOR_BINS; bin++)
        __atomic_fetch_add(&monitor->bin[bin], w.histogram.count[bin], __ATOMIC_RELAXED);
}

void sugar_extended_run(sugar_extended_call *c, const sugar_call_options *options)
{
    c->functions = functions_of(c->type);
    const uint64_t bytes = (uint64_t)c->walk.count * c->walk.element_size;
    const bool in_place = (c->x >= 0 && c->walk.data[c->x] == c->walk.data[c->output])
                          || (c->dy >= 0 && c->walk.data[c->dy] == c->walk.data[c->output]);
    c->prefetch = bytes > sugar_cache_share();
    c->stream = sugar_is_streamed(options->flags, bytes, in_place);
    entry table[SUGAR_MOST_ENTRIES];
    job j = {.call = c, .table = table};
    sugar_slices_make(&j.slices, &c->walk, c->local);
    if (c->local != SUGAR_ABSENT && j.slices.share)
        memset(table, 0, (size_t)(j.slices.count * j.slices.sums) * sizeof *table);
    const int64_t weight = c->walk.count / j.slices.count;
    sugar_parallel_run(options->context, weight * j.slices.count, weight, run_slices, &j);
    if (c->local != SUGAR_ABSENT && j.slices.share)
        gather_sums(&j);
}
