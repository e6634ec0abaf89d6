/* oneDNN: its element-wise primitives on vectors. Threads are OpenMP's. */
#include "bench.h"

#if defined(HAVE_ONEDNN)
#include <dnnl.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/support.h"

/* With the default parameters of libsugar's kinds. Version 3 took log_sigmoid for a case of softplus, and gave
 * hardswish parameters. */
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
    {"softplus", dnnl_eltwise_soft_relu, 1, 0},
    {"sigmoid", dnnl_eltwise_logistic, 0, 0},
    {"tanh", dnnl_eltwise_tanh, 0, 0},
    {"hardtanh", dnnl_eltwise_clip_v2, -1, 1},
#if DNNL_VERSION_MAJOR >= 3
    {"log_sigmoid", dnnl_eltwise_soft_relu, -1, 0},
    {"hardsigmoid", dnnl_eltwise_hardsigmoid, 1.0F / 6, 0.5F},
    {"hardswish", dnnl_eltwise_hardswish, 1.0F / 6, 0.5F},
#else
    {"log_sigmoid", dnnl_eltwise_logsigmoid, 0, 0},
    {"hardswish", dnnl_eltwise_hardswish, 0, 0},
#endif
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

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

/* What differs between the versions: a vector's description, and a primitive's. Either may be refused. */
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t vector;
static dnnl_status_t vector_make(vector *v, int64_t elements, dnnl_data_type_t type)
{
    const dnnl_dims_t shape = {elements};
    return dnnl_memory_desc_create_with_tag(v, 1, shape, type, dnnl_a);
}

static void vector_free(vector *v) { dnnl_memory_desc_destroy(*v); }

static dnnl_status_t operand_make(dnnl_memory_t *made, const vector *v, dnnl_engine_t engine, void *data)
{
    return dnnl_memory_create(made, *v, engine, data);
}

static dnnl_status_t describe_forward(dnnl_primitive_desc_t *made, int row, const vector *v, dnnl_engine_t engine)
{
    return dnnl_eltwise_forward_primitive_desc_create(made, engine, dnnl_forward_training, kinds[row].algorithm, *v, *v,
                                                      kinds[row].alpha, kinds[row].beta, NULL);
}

static dnnl_status_t describe_backward(dnnl_primitive_desc_t *made, int row, const vector *v, dnnl_engine_t engine,
                                       dnnl_primitive_desc_t hint)
{
    return dnnl_eltwise_backward_primitive_desc_create(made, engine, kinds[row].algorithm, *v, *v, *v, kinds[row].alpha,
                                                       kinds[row].beta, hint, NULL);
}
#else
typedef dnnl_memory_desc_t vector;
static dnnl_status_t vector_make(vector *v, int64_t elements, dnnl_data_type_t type)
{
    const dnnl_dims_t shape = {elements};
    return dnnl_memory_desc_init_by_tag(v, 1, shape, type, dnnl_a);
}

static void vector_free(vector *v) { (void)v; }

static dnnl_status_t operand_make(dnnl_memory_t *made, const vector *v, dnnl_engine_t engine, void *data)
{
    return dnnl_memory_create(made, v, engine, data);
}

static dnnl_status_t describe_forward(dnnl_primitive_desc_t *made, int row, const vector *v, dnnl_engine_t engine)
{
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status = dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_training, kinds[row].algorithm,
                                                                v, kinds[row].alpha, kinds[row].beta);
    return status == dnnl_success ? dnnl_primitive_desc_create(made, &operation, NULL, engine, NULL) : status;
}

static dnnl_status_t describe_backward(dnnl_primitive_desc_t *made, int row, const vector *v, dnnl_engine_t engine,
                                       dnnl_primitive_desc_t hint)
{
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status =
        dnnl_eltwise_backward_desc_init(&operation, kinds[row].algorithm, v, v, kinds[row].alpha, kinds[row].beta);
    return status == dnnl_success ? dnnl_primitive_desc_create(made, &operation, NULL, engine, hint) : status;
}
#endif

/* Backward takes a forward description as a hint. */
static dnnl_status_t primitive_make(dnnl_primitive_t *made, const bench_case *c, int row, const vector *v,
                                    dnnl_engine_t engine)
{
    dnnl_primitive_desc_t forward, backward;
    dnnl_status_t status = describe_forward(&forward, row, v, engine);
    if (status != dnnl_success)
        return status;
    if (c->way == FORWARD) {
        status = dnnl_primitive_create(made, forward);
    } else {
        status = describe_backward(&backward, row, v, engine, forward);
        if (status == dnnl_success) {
            status = dnnl_primitive_create(made, backward);
            dnnl_primitive_desc_destroy(backward);
        }
    }
    dnnl_primitive_desc_destroy(forward);
    return status;
}

static void add_operand(onednn_run *run, int name, const vector *v, void *data)
{
    dnnl_exec_arg_t *argument = &run->argument[run->operands++];
    argument->arg = name;
    must(operand_make(&argument->memory, v, run->engine, data), "an operand");
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

static void *open_row(const bench_case *c, int row, dnnl_data_type_t type)
{
    onednn_run *run = malloc(sizeof *run);
    if (!run)
        give_up("onednn", "no memory");
    *run = (onednn_run){0};
    vector v;
    omp_set_num_threads(c->threads);
    must(dnnl_engine_create(&run->engine, dnnl_cpu, 0), "an engine");
    must(dnnl_stream_create(&run->stream, run->engine, dnnl_stream_default_flags), "a stream");
    must(vector_make(&v, c->elements, type), "a vector");
    if (primitive_make(&run->primitive, c, row, &v, run->engine) == dnnl_success) {
        add_operand(run, DNNL_ARG_SRC, &v, c->data[X]);
        if (c->way == BACKWARD)
            add_operand(run, DNNL_ARG_DIFF_DST, &v, c->data[DY]);
        add_operand(run, c->way == FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, &v, c->data[OUT]);
    } else {
        close_case(run);
        run = NULL;
    }
    vector_free(&v);
    return run;
}

static void *open_case(const bench_case *c)
{
    int row = 0;
    while (row < KINDS && strcmp(kinds[row].kind, c->kind) != 0)
        row++;
    if (row == KINDS || !is_vector(c) || c->type == ELEMENT_F64)
        return NULL;
    return open_row(c, row, c->type == ELEMENT_F32 ? dnnl_f32 : c->type == ELEMENT_F16 ? dnnl_f16 : dnnl_bf16);
}

static void call(void *opaque)
{
    const onednn_run *run = opaque;
    must(dnnl_primitive_execute(run->primitive, run->stream, run->operands, run->argument), "a call");
    must(dnnl_stream_wait(run->stream), "the end of a call");
}

static const char *version(void)
{
    static char text[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

implementation onednn_peer = {
    .name = "onednn",
    .version = version,
    .open = open_case,
    .call = call,
    .close = close_case,
};
#else
implementation onednn_peer = {
    .name = "onednn",
    .absent = "oneDNN 2 or 3 and OpenMP were not found when the build was set up",
};
#endif
