/* XNNPACK: its element-wise operators, forward, f32 vectors only. */
#include "bench.h"

#if defined(HAVE_XNNPACK)
#include <math.h>
#include <pthreadpool.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

#include "../support/support.h"

typedef struct xnnpack_run {
    xnn_operator_t operator;
    pthreadpool_t pool;                 /* NULL: the calling thread */
} xnnpack_run;

/* One channel per element of a batch, in compact memory: a vector. */
enum { CHANNELS = 1 };

static enum xnn_status create(const char *kind, xnn_operator_t *made)
{
    if (strcmp(kind, "relu") == 0)
        return xnn_create_clamp_nc_f32(CHANNELS, CHANNELS, CHANNELS, 0, INFINITY, 0, made);
    if (strcmp(kind, "relu6") == 0)
        return xnn_create_clamp_nc_f32(CHANNELS, CHANNELS, CHANNELS, 0, 6, 0, made);
    if (strcmp(kind, "hardtanh") == 0)
        return xnn_create_clamp_nc_f32(CHANNELS, CHANNELS, CHANNELS, -1, 1, 0, made);
    if (strcmp(kind, "leaky_relu") == 0)
        return xnn_create_leaky_relu_nc_f32(CHANNELS, CHANNELS, CHANNELS, 0.01F, 0, made);
    if (strcmp(kind, "prelu") == 0)
        return xnn_create_leaky_relu_nc_f32(CHANNELS, CHANNELS, CHANNELS, 0.25F, 0, made);
    if (strcmp(kind, "elu") == 0 || strcmp(kind, "celu") == 0)
        return xnn_create_elu_nc_f32(CHANNELS, CHANNELS, CHANNELS, 1, 0, made);
    if (strcmp(kind, "hardswish") == 0)
        return xnn_create_hardswish_nc_f32(CHANNELS, CHANNELS, CHANNELS, 0, made);
    if (strcmp(kind, "sigmoid") == 0)
        return xnn_create_sigmoid_nc_f32(CHANNELS, CHANNELS, CHANNELS, 0, made);
    return xnn_status_unsupported_parameter;
}

static enum xnn_status set_up(const xnnpack_run *run, const bench_case *c)
{
    const size_t n = (size_t)c->elements;
    const float *x = c->data[X];
    float *y = c->data[OUT];
    if (strcmp(c->kind, "leaky_relu") == 0 || strcmp(c->kind, "prelu") == 0)
        return xnn_setup_leaky_relu_nc_f32(run->operator, n, x, y, run->pool);
    if (strcmp(c->kind, "elu") == 0 || strcmp(c->kind, "celu") == 0)
        return xnn_setup_elu_nc_f32(run->operator, n, x, y, run->pool);
    if (strcmp(c->kind, "hardswish") == 0)
        return xnn_setup_hardswish_nc_f32(run->operator, n, x, y, run->pool);
    if (strcmp(c->kind, "sigmoid") == 0)
        return xnn_setup_sigmoid_nc_f32(run->operator, n, x, y, run->pool);
    return xnn_setup_clamp_nc_f32(run->operator, n, x, y, run->pool);
}

static void *open_case(const bench_case *c)
{
    xnnpack_run made = {0};
    if (!is_contiguous(c) || c->way != FORWARD || c->width != sizeof(float)
        || xnn_initialize(NULL) != xnn_status_success || create(c->kind, &made.operator) != xnn_status_success)
        return NULL;
    made.pool = c->threads > 1 ? pthreadpool_create((size_t)c->threads) : NULL;
    if (set_up(&made, c) != xnn_status_success)
        give_up("xnnpack", "an operator could not be set up");
    xnnpack_run *run = malloc(sizeof *run);
    if (!run)
        give_up("xnnpack", "no memory");
    *run = made;
    return run;
}

static void call(void *opaque)
{
    const xnnpack_run *run = opaque;
    if (xnn_run_operator(run->operator, run->pool) != xnn_status_success)
        give_up("xnnpack", "a call failed");
}

static void close_case(void *opaque)
{
    xnnpack_run *run = opaque;
    xnn_delete_operator(run->operator);
    pthreadpool_destroy(run->pool);
    free(run);
}

implementation xnnpack_peer = {
    .name = "xnnpack", .open = open_case, .call = call, .close = close_case,
};
#else
implementation xnnpack_peer = {
    .name = "xnnpack", .absent = "XNNPACK as Debian 12 has it was not found when the build was set up",
};
#endif
