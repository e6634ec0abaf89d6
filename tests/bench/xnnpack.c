/* XNNPACK: its element-wise operators on vectors, forward only. */
#include "bench.h"

#if defined(HAVE_XNNPACK)
#include <cpuinfo.h>
#include <math.h>
#include <pthreadpool.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

#include "../support/support.h"

typedef struct xnnpack_run {
    xnn_operator_t op;
    pthreadpool_t pool;                 /* NULL: the calling thread */
} xnnpack_run;

/* An operator for a kind with libsugar's default parameters, ready to run over a vector (one channel for each
 * element of a batch). A failure: XNNPACK has none. */
#if defined(HAVE_XNNPACK_UNARY)
static const struct {
    const char *kind;
    enum xnn_unary_operator operation;
    union xnn_unary_params parameters;
} kinds[] = {
    {"relu", xnn_unary_clamp, {.clamp = {0, INFINITY}}},
    {"relu6", xnn_unary_clamp, {.clamp = {0, 6}}},
    {"hardtanh", xnn_unary_clamp, {.clamp = {-1, 1}}},
    {"leaky_relu", xnn_unary_leaky_relu, {.leaky_relu = {0.01F}}},
    {"prelu", xnn_unary_leaky_relu, {.leaky_relu = {0.25F}}},
    {"rrelu", xnn_unary_leaky_relu, {.leaky_relu = {(1.0F / 8 + 1.0F / 3) / 2}}},
    {"elu", xnn_unary_elu, {.elu = {1}}},
    {"celu", xnn_unary_elu, {.elu = {1}}},
    {"gelu", xnn_unary_gelu, {{0, 0}}},
    {"hardswish", xnn_unary_hardswish, {{0, 0}}},
    {"sigmoid", xnn_unary_sigmoid, {{0, 0}}},
    {"tanh", xnn_unary_tanh, {{0, 0}}},
    {"sign", xnn_unary_sign, {{0, 0}}},
};

static enum xnn_status prepare(const bench_case *c, xnnpack_run *run)
{
    const enum xnn_datatype type = c->type == ELEMENT_F32 ? xnn_datatype_fp32 : xnn_datatype_fp16;
    for (size_t row = 0; row < sizeof kinds / sizeof kinds[0]; row++) {
        if (strcmp(kinds[row].kind, c->kind) != 0)
            continue;
        enum xnn_status status = xnn_create_unary_elementwise_nc(kinds[row].operation, type, type,
                                                                 &kinds[row].parameters, NULL, NULL, 0, &run->op);
        if (status == xnn_status_success)
            status = xnn_reshape_unary_elementwise_nc(run->op, (size_t)c->elements, 1, 1, 1, run->pool);
        return status == xnn_status_success ? xnn_setup_unary_elementwise_nc(run->op, c->data[X], c->data[OUT])
                                            : status;
    }
    return xnn_status_unsupported_parameter;
}
#else
/* One pair of functions for each operator, as XNNPACK had it in 2022. */
#define TRY(name, operation, ...)                                                                                      \
    if (strcmp(c->kind, name) == 0) {                                                                                  \
        const enum xnn_status made = xnn_create_##operation##_nc_f32(1, 1, 1, __VA_ARGS__, &run->op);                  \
        return made != xnn_status_success ? made                                                                       \
                                          : xnn_setup_##operation##_nc_f32(run->op, (size_t)c->elements, c->data[X],   \
                                                                           c->data[OUT], run->pool);                   \
    }

static enum xnn_status prepare(const bench_case *c, xnnpack_run *run)
{
    if (c->type != ELEMENT_F32)         /* three operators had f16: too few to compare */
        return xnn_status_unsupported_parameter;
    TRY("relu", clamp, 0, INFINITY, 0)
    TRY("relu6", clamp, 0, 6, 0)
    TRY("hardtanh", clamp, -1, 1, 0)
    TRY("leaky_relu", leaky_relu, 0.01F, 0)
    TRY("prelu", leaky_relu, 0.25F, 0)
    TRY("rrelu", leaky_relu, (1.0F / 8 + 1.0F / 3) / 2, 0)
    TRY("elu", elu, 1, 0)
    TRY("celu", elu, 1, 0)
    TRY("hardswish", hardswish, 0)
    TRY("sigmoid", sigmoid, 0)
    return xnn_status_unsupported_parameter;
}
#endif

static void close_case(void *opaque)
{
    xnnpack_run *run = opaque;
    xnn_delete_operator(run->op);
    pthreadpool_destroy(run->pool);
    free(run);
}

static void *open_case(const bench_case *c)
{
    if (!is_vector(c) || c->way != FORWARD || c->type == ELEMENT_F64 || c->type == ELEMENT_BF16)
        return NULL;
    if (xnn_initialize(NULL) != xnn_status_success)
        give_up("xnnpack", "it does not start");
    xnnpack_run *run = malloc(sizeof *run);
    if (!run)
        give_up("xnnpack", "no memory");
    *run = (xnnpack_run){.pool = c->threads > 1 ? pthreadpool_create((size_t)c->threads) : NULL};
    if (prepare(c, run) == xnn_status_success)
        return run;
    close_case(run);
    return NULL;
}

static void call(void *opaque)
{
    const xnnpack_run *run = opaque;
    if (xnn_run_operator(run->op, run->pool) != xnn_status_success)
        give_up("xnnpack", "a call failed");
}

/* XNNPACK chooses by what cpuinfo found, and has no setting of its own. */
void xnnpack_limit_to_avx2(void)
{
#if defined(__x86_64__)
    cpuinfo_initialize();
    cpuinfo_isa.avx512f = false;
#endif
}

/* XNNPACK has neither releases nor a way to ask. */
static const char *version(void)
{
#if defined(HAVE_XNNPACK_UNARY)
    return "with the interface of 2024";
#else
    return "with the interface of 2022";
#endif
}

implementation xnnpack_peer = {
    .name = "xnnpack",
    .version = version,
    .open = open_case,
    .call = call,
    .close = close_case,
};
#else
void xnnpack_limit_to_avx2(void) {}

implementation xnnpack_peer = {
    .name = "xnnpack",
    .absent = "XNNPACK, pthreadpool and cpuinfo were not found when the build was set up",
};
#endif
