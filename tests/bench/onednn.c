/* oneDNN: its element-wise primitives, f32 vectors only. Threads are OpenMP's. */
#include "bench.h"

#if defined(HAVE_ONEDNN)
#include <dnnl.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "../support/support.h"

/* With the default parameters of libsugar's kinds. */
static const struct {
    const char *kind;
    dnnl_alg_kind_t algorithm;
    float alpha, beta;
} kinds[] = {
    {"identity", dnnl_eltwise_linear, 1, 0},
    {"relu", dnnl_eltwise_relu, 0, 0},
    {"relu6", dnnl_eltwise_clip_v2, 0, 6},
    {"leaky_relu", dnnl_eltwise_relu, 0.01F, 0},
    {"prelu", dnnl_eltwise_relu, 0.25F, 0},
    {"rrelu", dnnl_eltwise_relu, (1.0F / 8 + 1.0F / 3) / 2, 0},
    {"elu", dnnl_eltwise_elu, 1, 0},
    {"celu", dnnl_eltwise_elu, 1, 0},
    {"gelu", dnnl_eltwise_gelu_erf, 0, 0},
    {"gelu_tanh", dnnl_eltwise_gelu_tanh, 0, 0},
    {"silu", dnnl_eltwise_swish, 1, 0},
    {"mish", dnnl_eltwise_mish, 0, 0},
    {"softplus", dnnl_eltwise_soft_relu, 0, 0},
    {"sigmoid", dnnl_eltwise_logistic, 0, 0},
    {"log_sigmoid", dnnl_eltwise_logsigmoid, 0, 0},
    {"tanh", dnnl_eltwise_tanh, 0, 0},
    {"hardtanh", dnnl_eltwise_clip_v2, -1, 1},
    {"hardswish", dnnl_eltwise_hardswish, 0, 0},
};

typedef struct onednn_run {
    int operands;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t argument[OPERANDS];
} onednn_run;

static void must(dnnl_status_t status, const char *what)
{
    if (status != dnnl_success)
        give_up("onednn", what);
}

/* Backward takes a forward description as a hint. */
static dnnl_primitive_desc_t describe(const bench_case *c, size_t row, const dnnl_memory_desc_t *vector,
                                      dnnl_engine_t engine)
{
    dnnl_eltwise_desc_t operation;
    dnnl_primitive_desc_t forward, backward;
    must(dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_training, kinds[row].algorithm, vector,
                                        kinds[row].alpha, kinds[row].beta), "a forward operation");
    must(dnnl_primitive_desc_create(&forward, &operation, NULL, engine, NULL), "a forward primitive");
    if (c->way == FORWARD)
        return forward;
    must(dnnl_eltwise_backward_desc_init(&operation, kinds[row].algorithm, vector, vector,
                                         kinds[row].alpha, kinds[row].beta), "a backward operation");
    must(dnnl_primitive_desc_create(&backward, &operation, NULL, engine, forward), "a backward primitive");
    dnnl_primitive_desc_destroy(forward);
    return backward;
}

static void add_operand(onednn_run *run, int name, const dnnl_memory_desc_t *vector, void *data)
{
    dnnl_exec_arg_t *argument = &run->argument[run->operands++];
    argument->arg = name;
    must(dnnl_memory_create(&argument->memory, vector, run->engine, data), "an operand");
}

static void *open_case(const bench_case *c)
{
    const size_t rows = sizeof kinds / sizeof kinds[0];
    size_t row = 0;
    while (row < rows && strcmp(kinds[row].kind, c->kind) != 0)
        row++;
    if (row == rows || !is_contiguous(c) || c->width != sizeof(float))
        return NULL;
    onednn_run *run = malloc(sizeof *run);
    if (!run)
        give_up("onednn", "no memory");
    *run = (onednn_run){0};
    omp_set_num_threads(c->threads);
    must(dnnl_engine_create(&run->engine, dnnl_cpu, 0), "an engine");
    must(dnnl_stream_create(&run->stream, run->engine, dnnl_stream_default_flags), "a stream");
    dnnl_memory_desc_t vector;
    const dnnl_dims_t shape = {c->elements};
    must(dnnl_memory_desc_init_by_tag(&vector, 1, shape, dnnl_f32, dnnl_a), "a vector");
    dnnl_primitive_desc_t description = describe(c, row, &vector, run->engine);
    must(dnnl_primitive_create(&run->primitive, description), "a primitive");
    dnnl_primitive_desc_destroy(description);
    add_operand(run, DNNL_ARG_SRC, &vector, c->data[X]);
    if (c->way == BACKWARD)
        add_operand(run, DNNL_ARG_DIFF_DST, &vector, c->data[DY]);
    add_operand(run, c->way == FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, &vector, c->data[OUT]);
    return run;
}

static void call(void *opaque)
{
    const onednn_run *run = opaque;
    must(dnnl_primitive_execute(run->primitive, run->stream, run->operands, run->argument), "a call");
    must(dnnl_stream_wait(run->stream), "the end of a call");
}

static void close_case(void *opaque)
{
    onednn_run *run = opaque;
    for (int k = 0; k < run->operands; k++)
        dnnl_memory_destroy(run->argument[k].memory);
    dnnl_primitive_destroy(run->primitive);
    dnnl_stream_destroy(run->stream);
    dnnl_engine_destroy(run->engine);
    free(run);
}

implementation onednn_peer = {
    .name = "onednn", .open = open_case, .call = call, .close = close_case,
};
#else
implementation onednn_peer = {
    .name = "onednn", .absent = "oneDNN 2 and OpenMP were not found when the build was set up",
};
#endif
