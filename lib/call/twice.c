/* Calls of sugar_backward_twice, tile by tile. The derivatives of a tile go through buffers; so does an operand whose
 * elements do not lie in the order of the tile. */
#include "call/twice.h"

#include "base/error.h"
#include "call/options.h"
#include "call/tiles.h"
#include "cpu/cache.h"
#include "threads/context.h"
#include "view/ahead.h"

/* The first three are inputs. */
enum { X, DY, V, INPUTS, DDY = INPUTS, DX, OPERANDS };

enum { TILE_REALS = SUGAR_TILE_BYTES / 2 };     /* bytes of a tile's reals: its nine buffers fit on the stack */

typedef union buffer {
    float f32[(TILE_REALS + SUGAR_APART_BYTES) / sizeof(float)];
    double f64[(TILE_REALS + SUGAR_APART_BYTES) / sizeof(double)];
} buffer;

/* A call that has been checked. */
typedef struct job {
    const sugar_activation *activation;
    sugar_element element;
    bool accumulate, prefetch;
    bool stream[OPERANDS];          /* an output: it is stored past the caches, where a tile begins at a cache line */
    int place[OPERANDS];            /* of operands in the walk, or ABSENT */
    sugar_walk walk;
} job;

enum { ABSENT = -1 };

/* What a thread needs for a tile. */
typedef struct workspace {
    buffer surrogate, own, surrogate_second, own_second;
    buffer tile[OPERANDS];
} workspace;

/* A tile while it is computed: where its elements lie one after another in each operand. NULL: not wanted. */
typedef struct tile_operands {
    void *at[OPERANDS];
    bool in_buffer[OPERANDS];
} tile_operands;

static tile_operands locate(const job *call, workspace *w, const sugar_tile *tile)
{
    const sugar_walk *walk = &call->walk;
    tile_operands t = {.at = {NULL}};
    for (int i = 0; i < OPERANDS; i++) {
        const int k = call->place[i];
        if (k == ABSENT)
            continue;
        t.in_buffer[i] = sugar_tile_row(tile, walk, k) < tile->count;
        t.at[i] = t.in_buffer[i] ? (void *)&w->tile[i] : sugar_tile_start(tile, walk, k);
        if (t.in_buffer[i] && (i < INPUTS || call->accumulate))
            sugar_tile_read(tile, walk, k, t.at[i]);
    }
    return t;
}

/* 0 or SUGAR_STREAM_OPEN, for an output. */
static int stream_of(const job *call, const tile_operands *t, int output)
{
    const bool at_line = (uintptr_t)t->at[output] % SUGAR_CACHE_LINE == 0;
    return call->stream[output] && !t->in_buffer[output] && at_line ? SUGAR_STREAM_OPEN : 0;
}

/* g', or g'', of a tile, not yet mixed. own NULL: there is one derivative. */
static sugar_combination find(const job *call, const void *x, size_t n, sugar_derivative_kernel *surrogate,
                              sugar_derivative_kernel *own, buffer *surrogate_reals, buffer *own_reals)
{
    const sugar_passes *passes = &call->activation->passes[call->element];
    surrogate(&passes->surrogate_parameters, x, surrogate_reals, n);
    if (own)
        own(&passes->forward_parameters, x, own_reals, n);
    return (sugar_combination){
        .x = x,
        .surrogate = surrogate_reals,
        .own = own ? own_reals : NULL,
        .blend = passes->blend,
        .rest = passes->rest,
        .negative_only = call->activation->parsed.negative_only,
        .accumulate = call->accumulate,
    };
}

static void run_tile(const job *call, workspace *w, const sugar_tile *tile)
{
    const sugar_passes *passes = &call->activation->passes[call->element];
    const tile_operands t = locate(call, w, tile);
    const size_t n = (size_t)tile->count;
    sugar_combination first = {.x = NULL}, second = {.x = NULL};
    if (t.at[DDY]) {
        first = find(call, t.at[X], n, passes->surrogate_derivative, passes->own_derivative, &w->surrogate, &w->own);
        first.stream = stream_of(call, &t, DDY);
    }
    if (t.at[DX]) {
        second =
            find(call, t.at[X], n, passes->surrogate_second, passes->own_second, &w->surrogate_second, &w->own_second);
        second.stream = stream_of(call, &t, DX);
    }
    const sugar_kernels *kernels = call->activation->level->kernels[call->element];
    kernels->combine_twice(&first, &second, t.at[DY], t.at[V], t.at[DDY], t.at[DX], n);
    for (int i = INPUTS; i < OPERANDS; i++)
        if (t.in_buffer[i])
            sugar_tile_write(tile, &call->walk, call->place[i], t.at[i]);
}

/* Prefetches the next tile where the processor would not do so by itself. */
static void fetch_ahead(const job *call, const sugar_tile *next)
{
    const sugar_walk *walk = &call->walk;
    for (int k = 0; k < walk->operands && call->prefetch; k++)
        if (sugar_tile_row(next, walk, k) < next->count)
            sugar_tile_prefetch(next, walk, k);
}

/* Tiles of a walk: element tile_count * i stands for tile i, of [begin, end). */
static void run_tiles(const void *work, int64_t begin, int64_t end)
{
    const job *call = work;
    const sugar_walk *walk = &call->walk;
    const int64_t until = end / walk->tile_count;
    workspace w;
    sugar_tiles tiles;
    for (sugar_tiles_start(&tiles, walk, begin / walk->tile_count, until); tiles.number < until;
         sugar_tiles_step(&tiles)) {
        if (tiles.next)
            fetch_ahead(call, tiles.next);
        run_tile(call, &w, tiles.now);
    }
    if (call->stream[DDY] || call->stream[DX])
        call->activation->level->kernels[call->element]->end_stream();
}

/* An input that passed the checks and shares memory with an output is the same view. */
static bool is_in_place(const job *call, int output)
{
    bool in_place = false;
    for (int i = 0; i < INPUTS; i++)
        in_place |= call->walk.data[call->place[i]] == call->walk.data[call->place[output]];
    return in_place;
}

static sugar_status check_options(const sugar_activation *activation, const sugar_call_options *options)
{
#define OPTION(member, ...)                                                                                            \
    if (options->member)                                                                                               \
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: " #member " in backward_twice, expected NULL");
#include "call/options.def"
    if (!(activation->capabilities & SUGAR_CAN_DIFFERENTIATE_TWICE))
        return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                           "activation: %s, expected kinds with SUGAR_CAN_DIFFERENTIATE_TWICE (0x20)",
                           activation->spec);
    return SUGAR_OK;
}

/* Checks the operands, and makes the walk over them. */
static sugar_status make_walk(job *call, const sugar_operand *all)
{
    sugar_operand operands[OPERANDS];
    int count = 0;
    for (int i = 0; i < OPERANDS; i++) {
        const bool given = i < INPUTS || all[i].tensor;
        call->place[i] = given ? count : ABSENT;
        if (given)
            operands[count++] = all[i];
    }
    if (count == INPUTS)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "ddy: NULL, and dx NULL, expected a tensor for one of them");
    return sugar_walk_make(&call->walk, operands, count);
}

sugar_status sugar_twice_run(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *dy,
                             const sugar_tensor *v, const sugar_tensor *ddy, const sugar_tensor *dx,
                             const sugar_call_options *options)
{
    sugar_status status = check_options(activation, options);
    if (status != SUGAR_OK)
        return status;
    const sugar_operand all[OPERANDS] = {
        [X] = {.name = "x", .tensor = x},
        [DY] = {.name = "dy", .tensor = dy},
        [V] = {.name = "v", .tensor = v},
        [DDY] = {.name = "ddy", .tensor = ddy, .access = SUGAR_ACCESS_OUTPUT},
        [DX] = {.name = "dx", .tensor = dx, .access = SUGAR_ACCESS_OUTPUT},
    };
    job call;                       /* set member by member: to clear so large a struct takes time */
    status = make_walk(&call, all);
    if (status != SUGAR_OK || call.walk.count == 0)
        return status;
    call.activation = activation;
    call.element = sugar_element_find(x->dtype.code, x->dtype.bits);
    call.accumulate = options->flags & SUGAR_CALL_ACCUMULATE;
    const uint64_t bytes = (uint64_t)call.walk.count * call.walk.element_size;
    call.prefetch = bytes > sugar_cache_share();
    for (int i = INPUTS; i < OPERANDS; i++)
        call.stream[i] = call.place[i] != ABSENT && sugar_is_streamed(options->flags, bytes, is_in_place(&call, i));
    sugar_walk_tile(&call.walk, TILE_REALS / (int64_t)sugar_real_size(call.element), false);
    const int64_t count = call.walk.tiles * call.walk.tile_count;
    sugar_parallel_run(options->context, count, call.walk.tile_count, run_tiles, &call);
    return SUGAR_OK;
}
