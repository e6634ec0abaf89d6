/* Forward and backward calls: check, plan a walk, run the kernels along it.
 *
 * What depends on the element type is written once, in execute_template.h. */
#include "activation.h"
#include "cache.h"
#include "parallel.h"
#include "structs.h"
#include "tensor.h"

enum {
    CACHE_LINE = 64,
    BLOCK_BYTES = 4096,             /* of one operand: five fit into any first-level cache */
    SHORTEST_RUN = 64,              /* elements; shorter runs are gathered before a kernel sees them */
    PART_BLOCK = 1024               /* elements; what threads are given are multiples of it */
};

/* The flags that a call may have. */
enum {
    STREAM_FLAGS = SUGAR_CALL_STREAM | SUGAR_CALL_NO_STREAM,
    FORWARD_FLAGS = STREAM_FLAGS,
    BACKWARD_FLAGS = STREAM_FLAGS | SUGAR_CALL_ACCUMULATE
};

/* A checked call, as all of its parts see it. */
typedef struct job {
    const sugar_activation *activation;
    bool accumulate, stream;
    sugar_walk walk;                /* x, y; or x, dy, dx */
} job;

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
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: flags %#llx, expected any of %sSUGAR_CALL_STREAM (0x2) "
                           "and SUGAR_CALL_NO_STREAM (0x4) in %s", (unsigned long long)known->flags,
                           allowed_flags == FORWARD_FLAGS ? "" : "SUGAR_CALL_ACCUMULATE (0x1), ",
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

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Whether n elements lie at this address for all that can be checked. */
static bool is_vector(const void *data, int64_t n, size_t element_size)
{
    const uintptr_t start = (uintptr_t)data;
    return data && start % element_size == 0 && (uint64_t)n <= (UINTPTR_MAX - start) / element_size;
}

/* Whether two vectors of unit step are the same or share nothing. */
static bool is_same_or_apart(const void *a, const void *b, int64_t n, size_t element_size)
{
    const uintptr_t at = (uintptr_t)a, other = (uintptr_t)b;
    const uintptr_t distance = at < other ? other - at : at - other;
    return distance == 0 || distance >= (uint64_t)n * element_size;
}

/* Whether an output of so many bytes is stored past the caches. In place that saves no read: 32 Mi elements take
 * 1.6 times as long forward and 1.1 times backward with plain loops, so ordinary stores stay there. */
static bool is_streamed(uint64_t flags, uint64_t bytes, bool in_place)
{
    if (in_place || flags & (SUGAR_CALL_NO_STREAM | SUGAR_CALL_ACCUMULATE))
        return false;
    if (flags & SUGAR_CALL_STREAM)
        return true;
    return bytes > SUGAR_SMALLEST_STREAM && bytes > sugar_cache_share();
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
#include "execute_template.h"

#define T double
#define REAL double
#define CODE SUGAR_TYPE_FLOAT
#define NAME(name) name##_f64
#define PASSES f64
#include "execute_template.h"

#define T uint16_t
#define REAL float
#define CODE SUGAR_TYPE_FLOAT
#define NAME(name) name##_f16
#define PASSES f16
#include "execute_template.h"

#define T uint16_t
#define REAL float
#define CODE SUGAR_TYPE_BFLOAT
#define NAME(name) name##_bf16
#define PASSES bf16
#include "execute_template.h"

static sugar_part *part_of(sugar_data_type type)
{
    switch (type.bits) {
    case 64: return run_part_f64;
    case 32: return run_part_f32;
    default: return type.code == SUGAR_TYPE_BFLOAT ? run_part_bf16 : run_part_f16;
    }
}

static sugar_status run(const sugar_activation *activation, const sugar_operand *operands, int count,
                        const sugar_call_options *options)
{
    job call;                       /* large, so no part of it is set twice */
    call.activation = activation;
    call.accumulate = options->flags & SUGAR_CALL_ACCUMULATE;
    const sugar_status status = sugar_walk_make(&call.walk, operands, count);
    if (status != SUGAR_OK || call.walk.count == 0)
        return status;
    const sugar_data_type type = operands[0].tensor->dtype;
    call.stream = is_streamed(options->flags, (uint64_t)call.walk.count * (type.bits / 8), is_in_place(&call.walk));
    sugar_parallel_run(options->context, call.walk.count, PART_BLOCK, part_of(type), &call);
    return SUGAR_OK;
}

sugar_status sugar_forward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *y,
                           const sugar_call_options *options)
{
    sugar_call_options known;
    const sugar_status status = check_call(activation, options, FORWARD_FLAGS, &known);
    if (status != SUGAR_OK)
        return status;
    const sugar_operand operands[] = {{"x", x, false}, {"y", y, false}};
    return run(activation, operands, 2, &known);
}

sugar_status sugar_backward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *dy,
                            const sugar_tensor *dx, const sugar_call_options *options)
{
    sugar_call_options known;
    const sugar_status status = check_call(activation, options, BACKWARD_FLAGS, &known);
    if (status != SUGAR_OK)
        return status;
    const sugar_operand operands[] = {{"x", x, false}, {"dy", dy, false}, {"dx", dx, false}};
    return run(activation, operands, 3, &known);
}
