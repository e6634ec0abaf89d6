/* Forward and backward calls: check, plan a walk, run the kernels along it.
 *
 * What depends on the element type is written once, in plain_template.h. */
#include "activation/activation.h"
#include "cpu/cache.h"
#include "call/plain.h"
#include "call/extended.h"
#include "threads/context.h"
#include "base/struct_size.h"
#include "view/tensor.h"

#include <string.h>

enum {
    CACHE_LINE = 64,
    BLOCK_BYTES = 4096,             /* of one operand: five fit into any first-level cache */
    TILE_BYTES = 8192,              /* of one operand: with 4096, 32 Mi elements from NCHW to NHWC with 64
                                       channels took 0.95 ns each, with 8192 0.80 */
    APART_BYTES = 256,              /* between buffers: at multiples of 4096 bytes from each other they cost
                                       backward 1.9 ns an element instead of 0.9 (Zen 5) */
    ROWS_AHEAD = 4,                 /* and, in bytes, of rows up to what length */
    LONGEST_PREFETCH = 2048,
    PART_BLOCK = 1024               /* elements; what threads are given are multiples of it */
};

#define NOTHING_HELD INT64_MIN      /* an offset that no element has */

/* The flags that a call may have. */
enum {
    STREAM_FLAGS = SUGAR_CALL_STREAM | SUGAR_CALL_NO_STREAM,
    FORWARD_FLAGS = STREAM_FLAGS,
    BACKWARD_FLAGS = STREAM_FLAGS | SUGAR_CALL_ACCUMULATE | SUGAR_CALL_FROM_OUTPUT
};

typedef struct job job;

/* Rows of n elements each that lie one after another in every operand: where the first row begins, and the
 * bytes from one to the next. */
typedef struct rows {
    char *start[SUGAR_PLAIN_OPERANDS];
    int64_t step[SUGAR_PLAIN_OPERANDS];
    int64_t count, n;
} rows;

/* Computes rows. All in one call: with a call for each, rows of 256 bytes at 1 Mi elements from NCHW to NHCW
 * took 0.097 ns an element instead of 0.080, and PyTorch 0.079 (relu forward, f32, AVX2). Loops of their own for
 * ordinary stores gained nothing more. */
typedef void rows_function(const job *call, const rows *all, bool stream);

/* A checked call, as all of its parts see it. */
struct job {
    const sugar_activation *activation;
    bool accumulate, stream;
    bool prefetch;                  /* inputs ahead of their use: caches do not hold them */
    rows_function *run_rows;
    sugar_walk walk;                /* x, y; or x, dy, dx */
};

static sugar_status check_call(const sugar_activation *activation, const sugar_call_options *options,
                               uint64_t allowed_flags, sugar_call_options *known)
{
    if (!activation)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "activation: NULL, expected a handle");
    if (!options) {                 /* the usual case, and all that a short call can afford */
        *known = (sugar_call_options){.struct_size = sizeof *known};
        return SUGAR_OK;
    }
    const sugar_status status = sugar_struct_read("options", options, known, sizeof *known);
    if (status != SUGAR_OK)
        return status;
    if (known->flags & ~allowed_flags)
        return sugar_error(SUGAR_ERROR_ARGUMENT,
                           "options: flags %#llx, expected any of %sSUGAR_CALL_STREAM (0x2) "
                           "and SUGAR_CALL_NO_STREAM (0x4) in %s", (unsigned long long)known->flags,
                           allowed_flags == FORWARD_FLAGS ? "" : "SUGAR_CALL_ACCUMULATE (0x1), "
                                                                 "SUGAR_CALL_FROM_OUTPUT (0x8), ",
                           allowed_flags == FORWARD_FLAGS ? "forward" : "backward");
    if ((known->flags & STREAM_FLAGS) == STREAM_FLAGS)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: flags %#llx, expected SUGAR_CALL_STREAM (0x2) or "
                           "SUGAR_CALL_NO_STREAM (0x4), not both", (unsigned long long)known->flags);
    return SUGAR_OK;
}

/* The checks that flat calls need beyond those of the tensors that they become. */
static sugar_status check_flat(int64_t n, const char *step_name, int64_t output_step)
{
    if (n < 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "n: %lld, expected 0 or more", (long long)n);
    if (n > 1 && output_step == 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "%s: 0, expected another step for an output of %lld elements",
                           step_name, (long long)n);
    return SUGAR_OK;
}

/* A vector in the manner of the BLAS as a tensor: with a negative step its first element has the
 * highest address. Steps that overflow here do so again in the checks of the tensor. */
static sugar_tensor flat_view(const void *data, const int64_t *n, const int64_t *step, sugar_data_type type)
{
    int64_t offset;
    if (*step >= 0 || __builtin_mul_overflow(*n - 1, *step, &offset)
        || __builtin_mul_overflow(offset, -(type.bits / 8), &offset))
        offset = 0;
    return (sugar_tensor){
        .data = (void *)(uintptr_t)data,    /* written to only where the caller's pointer was not const */
        .device = {SUGAR_DEVICE_CPU, 0},
        .ndim = 1,
        .dtype = type,
        .shape = n,
        .strides = step,
        .byte_offset = (uint64_t)offset,
    };
}

/* Views that overlap and passed the checks begin at the same element. */
static bool is_in_place(const sugar_walk *walk)
{
    const int output = walk->operands - 1;
    for (int k = 0; k < output; k++)
        if (walk->data[k] == walk->data[output])
            return true;
    return false;
}

/* A call on tensors whose flags are known to be good. */
static sugar_status run(const sugar_activation *activation, const sugar_operand *operands, int count,
                        const sugar_call_options *options);

#define T float
#define REAL float
#define CODE SUGAR_TYPE_FLOAT
#define NAME(name) name##_f32
#define PASSES f32
#include "call/plain_template.h"

#define T double
#define REAL double
#define CODE SUGAR_TYPE_FLOAT
#define NAME(name) name##_f64
#define PASSES f64
#include "call/plain_template.h"

#define T uint16_t
#define REAL float
#define CODE SUGAR_TYPE_FLOAT
#define NAME(name) name##_f16
#define PASSES f16
#include "call/plain_template.h"

#define T uint16_t
#define REAL float
#define CODE SUGAR_TYPE_BFLOAT
#define NAME(name) name##_bf16
#define PASSES bf16
#include "call/plain_template.h"

/* The elements [begin, end) of vectors. */
static void run_vectors(const void *work, int64_t begin, int64_t end)
{
    const job *call = work;
    rows all = {.count = 1, .n = end - begin};
    for (int k = 0; k < call->walk.operands; k++)
        all.start[k] = (char *)call->walk.data[k] + begin * (int64_t)call->walk.element_size;
    call->run_rows(call, &all, call->stream);
}

/* For operands whose elements do not lie in the order of a tile. What a buffer holds already, as where a
 * stride is 0, is not read again. */
typedef struct buffers {
    union {
        double f64[(TILE_BYTES + APART_BYTES) / sizeof(double)];
        float f32[(TILE_BYTES + APART_BYTES) / sizeof(float)];
        uint16_t f16[(TILE_BYTES + APART_BYTES) / sizeof(uint16_t)];
    } tile[SUGAR_PLAIN_OPERANDS];
    int64_t held[SUGAR_PLAIN_OPERANDS];   /* offset of the whole tile in each one, or NOTHING_HELD */
} buffers;

static void *read_tile(buffers *b, const sugar_walk *walk, const sugar_tile *tile, int k)
{
    const bool is_whole = tile->count == walk->tile_count;
    if (!is_whole || tile->offset[k] != b->held[k])
        sugar_tile_read(tile, walk, k, &b->tile[k]);
    b->held[k] = is_whole ? tile->offset[k] : NOTHING_HELD;
    return &b->tile[k];
}

/* A tile as rows that are contiguous in every operand. */
typedef struct divided_tile {
    const job *call;
    const sugar_tile *tile;
    int first;                      /* the first dimension that is not part of a row */
    int64_t length;                 /* of a row, in elements */
    bool prefetch;
    int64_t step[SUGAR_MAX_DIMENSIONS][SUGAR_PLAIN_OPERANDS];     /* in bytes */
} divided_tile;

/* Kernels go through short rows too fast for the processor to see what comes next; where rows follow each other
 * in memory, it does. Without this 32 Mi elements in rows of 128, from NCHW to NHCW, take 1.3 times as long; 1 Mi
 * elements, which the last cache holds, take 1.2 to 1.4 times as long with it. Inlined, as gcc drops the
 * call of a function that does nothing but prefetch. */
static inline __attribute__((always_inline)) void prefetch_row(const divided_tile *t, const rows *row)
{
    const int64_t bytes = t->length * (int64_t)t->call->walk.element_size;
    for (int k = 0; k < t->call->walk.operands - 1; k++)
        if (row->step[k] != bytes) {
            /* A number, as there may be no such row in the operand. */
            const uintptr_t ahead = (uintptr_t)row->start[k] + (uintptr_t)(ROWS_AHEAD * row->step[k]);
            for (int64_t byte = 0; byte < bytes; byte += CACHE_LINE)
                __builtin_prefetch((const void *)(ahead + (uintptr_t)byte));
        }
}

static void advance(rows *all, int operands)
{
    for (int k = 0; k < operands; k++)
        all->start[k] += all->step[k];
}

/* The rows in dimension d and those inside. */
static void run_dimension(const divided_tile *t, int d, char *const *at)
{
    rows all = {.count = t->tile->extent[d], .n = t->length};
    memcpy(all.start, at, sizeof all.start);
    memcpy(all.step, t->step[d], sizeof all.step);
    if (d == t->first && !t->prefetch) {
        t->call->run_rows(t->call, &all, false);
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
            t->call->run_rows(t->call, &all, false);
        }
    }
}

/* A tile in rows; of an operand in a buffer they follow each other there. */
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

/* An operand takes part where it is if its rows are long enough, or else through a buffer. */
static void run_tile(const job *call, buffers *b, const sugar_tile *tile)
{
    const sugar_walk *walk = &call->walk;
    const int output = walk->operands - 1;
    const int64_t shortest = SUGAR_LONG_ROW / (int64_t)walk->element_size;
    bool in_buffer[SUGAR_PLAIN_OPERANDS] = {false};
    rows whole = {.count = 1, .n = tile->count};
    char **start = whole.start;
    divided_tile divided;           /* large, so no part of it is set twice */
    divided.call = call;
    divided.tile = tile;
    divided.length = tile->count;
    for (int k = 0; k <= output; k++) {
        const int64_t row = sugar_tile_row(tile, walk, k);
        in_buffer[k] = !walk->in_rows && row < tile->count && row < shortest;
        if (!in_buffer[k]) {
            start[k] = sugar_tile_start(tile, walk, k);
            divided.length = smaller(divided.length, row);
        } else {
            start[k] = k < output || call->accumulate ? read_tile(b, walk, tile, k) : (void *)&b->tile[k];
        }
    }
    if (divided.length == tile->count) {
        call->run_rows(call, &whole, call->stream && !in_buffer[output]);
    } else {
        divide_tile(&divided, in_buffer);
        run_dimension(&divided, walk->ndim - 1, start);
    }
    if (in_buffer[output]) {
        sugar_tile_write(tile, walk, output, start[output]);
        b->held[output] = NOTHING_HELD;
    }
}

/* The tiles [begin, end) of a walk, each counted as so many elements as a whole one. */
static void run_tiles(const void *work, int64_t begin, int64_t end)
{
    const job *call = work;
    const sugar_walk *walk = &call->walk;
    buffers b;
    for (int k = 0; k < walk->operands; k++)
        b.held[k] = NOTHING_HELD;
    sugar_tile tiles[2];
    sugar_tile_seek(&tiles[0], walk, begin / walk->tile_count);
    for (int i = 0; begin < end; begin += walk->tile_count, i ^= 1) {
        const sugar_tile *tile = &tiles[i];
        sugar_tile *next = &tiles[i ^ 1];
        if (end - begin > walk->tile_count) {
            sugar_tile_after(next, tile, walk);
            for (int k = 0; k < walk->operands && call->prefetch && !walk->in_rows; k++)
                sugar_tile_prefetch(next, walk, k);
        }
        run_tile(call, &b, tile);
    }
}

static rows_function *run_rows_of(sugar_data_type type)
{
    switch (type.bits) {
    case 64: return run_rows_f64;
    case 32: return run_rows_f32;
    default: return type.code == SUGAR_TYPE_BFLOAT ? run_rows_bf16 : run_rows_f16;
    }
}

/* Does a call on compact views, which needs no walk; or does nothing. */
static bool run_compact(job *call, const sugar_operand *operands, int count, const sugar_call_options *options)
{
    void **data = call->walk.data;
    const int64_t n = sugar_find_vectors(operands, count, data);
    if (n == 0)
        return false;
    const sugar_data_type type = operands[0].tensor->dtype;
    const bool in_place = data[0] == data[count - 1] || data[count - 2] == data[count - 1];
    call->walk.operands = count;
    call->walk.element_size = type.bits / 8;
    call->stream = sugar_is_streamed(options->flags, (uint64_t)n * (type.bits / 8), in_place);
    call->run_rows = run_rows_of(type);
    sugar_parallel_run(options->context, n, PART_BLOCK, run_vectors, call);
    return true;
}

static sugar_status run(const sugar_activation *activation, const sugar_operand *operands, int count,
                        const sugar_call_options *options)
{
    job call;                       /* large, so no part of it is set twice */
    call.activation = activation;
    call.accumulate = options->flags & SUGAR_CALL_ACCUMULATE;
    if (run_compact(&call, operands, count, options))
        return SUGAR_OK;
    const sugar_status status = sugar_walk_make(&call.walk, operands, count);
    if (status != SUGAR_OK || call.walk.count == 0)
        return status;
    const sugar_data_type type = operands[0].tensor->dtype;
    call.stream = sugar_is_streamed(options->flags, (uint64_t)call.walk.count * (type.bits / 8),
                              is_in_place(&call.walk));
    call.run_rows = run_rows_of(type);
    if (sugar_walk_is_vector(&call.walk)) {
        sugar_parallel_run(options->context, call.walk.count, PART_BLOCK, run_vectors, &call);
        return SUGAR_OK;
    }
    sugar_walk_tile(&call.walk, TILE_BYTES / type.bits * 8, true);
    call.prefetch = (uint64_t)call.walk.count * (type.bits / 8) > sugar_cache_share();
    sugar_parallel_run(options->context, call.walk.tiles * call.walk.tile_count, call.walk.tile_count,
                       run_tiles, &call);
    return SUGAR_OK;
}

sugar_status sugar_forward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *y,
                           const sugar_call_options *options)
{
    sugar_call_options known;
    const sugar_status status = check_call(activation, options, FORWARD_FLAGS, &known);
    if (status != SUGAR_OK)
        return status;
    if (sugar_is_extended(&known))
        return sugar_extended_forward(activation, x, y, &known, false);
    const sugar_operand operands[] = {
        {.name = "x", .tensor = x},
        {.name = "y", .tensor = y, .role = SUGAR_OUTPUT},
    };
    return run(activation, operands, 2, &known);
}

sugar_status sugar_backward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *dy,
                            const sugar_tensor *dx, const sugar_call_options *options)
{
    sugar_call_options known;
    const sugar_status status = check_call(activation, options, BACKWARD_FLAGS, &known);
    if (status != SUGAR_OK)
        return status;
    if (known.flags & SUGAR_CALL_FROM_OUTPUT)
        activation = sugar_activation_from_output(activation);
    if (!activation)
        return SUGAR_ERROR_UNSUPPORTED;
    if (sugar_is_extended(&known))
        return sugar_extended_backward(activation, x, dy, dx, &known, false);
    const sugar_operand operands[] = {
        {.name = "x", .tensor = x},
        {.name = "dy", .tensor = dy},
        {.name = "dx", .tensor = dx, .role = SUGAR_OUTPUT},
    };
    return run(activation, operands, 3, &known);
}
