/* oneDNN: its element-wise primitives on vectors, and forward gated units and biases. Threads are OpenMP's.
 *
 * Gates and biases are a binary primitive, x + biases or x + 0, with operations that follow: the kind, then the product
 * with the gate. An element-wise primitive that a product follows is reference code: 60 ns an element in 3.12, and it
 * fails in 2.6. Two primitives for a gate take 0.8 to 1.2 times as long in cache, mostly 1.3 times in memory. */
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

/* What differs between the versions: a tensor's description, and a primitive's. Either may be refused. */
typedef dnnl_memory_desc_t tensor;
#if DNNL_VERSION_MAJOR >= 3
#define DESCRIBE_TENSOR dnnl_memory_desc_create_with_tag
static void tensor_free(tensor *t) { dnnl_memory_desc_destroy(*t); }

static dnnl_status_t operand_make(dnnl_memory_t *made, const tensor *t, dnnl_engine_t engine, void *data)
{
    return dnnl_memory_create(made, *t, engine, data);
}

static dnnl_status_t describe_forward(dnnl_primitive_desc_t *made, int row, const tensor *t, dnnl_engine_t engine)
{
    return dnnl_eltwise_forward_primitive_desc_create(made, engine, dnnl_forward_training, kinds[row].algorithm, *t, *t,
                                                      kinds[row].alpha, kinds[row].beta, NULL);
}

static dnnl_status_t describe_backward(dnnl_primitive_desc_t *made, int row, const tensor *t, dnnl_engine_t engine,
                                       dnnl_primitive_desc_t hint)
{
    return dnnl_eltwise_backward_primitive_desc_create(made, engine, kinds[row].algorithm, *t, *t, *t, kinds[row].alpha,
                                                       kinds[row].beta, hint, NULL);
}

static dnnl_status_t describe_sum(dnnl_primitive_desc_t *made, const tensor *t, const tensor *addend,
                                  dnnl_engine_t engine, dnnl_primitive_attr_t then)
{
    return dnnl_binary_primitive_desc_create(made, engine, dnnl_binary_add, *t, *addend, *t, then);
}

static dnnl_status_t follow_with_kind(dnnl_post_ops_t operations, int row)
{
    return dnnl_post_ops_append_eltwise(operations, kinds[row].algorithm, kinds[row].alpha, kinds[row].beta);
}

static dnnl_status_t follow_with_product(dnnl_post_ops_t operations, const tensor *t)
{
    return dnnl_post_ops_append_binary(operations, dnnl_binary_mul, *t);
}
#else
#define DESCRIBE_TENSOR dnnl_memory_desc_init_by_tag
static void tensor_free(tensor *t) { (void)t; }

static dnnl_status_t operand_make(dnnl_memory_t *made, const tensor *t, dnnl_engine_t engine, void *data)
{
    return dnnl_memory_create(made, t, engine, data);
}

static dnnl_status_t describe_forward(dnnl_primitive_desc_t *made, int row, const tensor *t, dnnl_engine_t engine)
{
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status = dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_training, kinds[row].algorithm,
                                                                t, kinds[row].alpha, kinds[row].beta);
    return status == dnnl_success ? dnnl_primitive_desc_create(made, &operation, NULL, engine, NULL) : status;
}

static dnnl_status_t describe_backward(dnnl_primitive_desc_t *made, int row, const tensor *t, dnnl_engine_t engine,
                                       dnnl_primitive_desc_t hint)
{
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status =
        dnnl_eltwise_backward_desc_init(&operation, kinds[row].algorithm, t, t, kinds[row].alpha, kinds[row].beta);
    return status == dnnl_success ? dnnl_primitive_desc_create(made, &operation, NULL, engine, hint) : status;
}

static dnnl_status_t describe_sum(dnnl_primitive_desc_t *made, const tensor *t, const tensor *addend,
                                  dnnl_engine_t engine, dnnl_primitive_attr_t then)
{
    dnnl_binary_desc_t operation;
    const dnnl_status_t status = dnnl_binary_desc_init(&operation, dnnl_binary_add, t, addend, t);
    return status == dnnl_success ? dnnl_primitive_desc_create(made, &operation, then, engine, NULL) : status;
}

static dnnl_status_t follow_with_kind(dnnl_post_ops_t operations, int row)
{
    return dnnl_post_ops_append_eltwise(operations, 1, kinds[row].algorithm, kinds[row].alpha, kinds[row].beta);
}

static dnnl_status_t follow_with_product(dnnl_post_ops_t operations, const tensor *t)
{
    return dnnl_post_ops_append_binary(operations, dnnl_binary_mul, t);
}
#endif

/* Compact, row-major. */
static void tensor_make(tensor *t, int ndim, const int64_t *shape, dnnl_data_type_t type)
{
    static const dnnl_format_tag_t compact[DIMENSIONS + 1] = {[1] = dnnl_a, [2] = dnnl_ab, [4] = dnnl_abcd};
    dnnl_dims_t dimensions = {0};
    memcpy(dimensions, shape, (size_t)ndim * sizeof *shape);
    must(DESCRIBE_TENSOR(t, ndim, dimensions, type, compact[ndim]), "a tensor");
}

/* Backward takes a forward description as a hint. */
static dnnl_status_t primitive_make(dnnl_primitive_t *made, const bench_case *c, int row, const tensor *t,
                                    dnnl_engine_t engine)
{
    dnnl_primitive_desc_t forward, backward;
    dnnl_status_t status = describe_forward(&forward, row, t, engine);
    if (status != dnnl_success)
        return status;
    if (c->way == FORWARD) {
        status = dnnl_primitive_create(made, forward);
    } else {
        status = describe_backward(&backward, row, t, engine, forward);
        if (status == dnnl_success) {
            status = dnnl_primitive_create(made, backward);
            dnnl_primitive_desc_destroy(backward);
        }
    }
    dnnl_primitive_desc_destroy(forward);
    return status;
}

static void add_operand(onednn_run *run, int name, const tensor *t, void *data)
{
    dnnl_exec_arg_t *argument = &run->argument[run->operands++];
    argument->arg = name;
    must(operand_make(&argument->memory, t, run->engine, data), "an operand");
}

static bool open_plain(onednn_run *run, const bench_case *c, int row, const tensor *t)
{
    if (primitive_make(&run->primitive, c, row, t, run->engine) != dnnl_success)
        return false;
    add_operand(run, DNNL_ARG_SRC, t, c->data[X]);
    if (c->way == BACKWARD)
        add_operand(run, DNNL_ARG_DIFF_DST, t, c->data[DY]);
    add_operand(run, c->way == FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, t, c->data[OUT]);
    return true;
}

static dnnl_status_t sum_make(dnnl_primitive_t *made, const bench_case *c, int row, const tensor *t,
                              const tensor *addend, dnnl_engine_t engine)
{
    dnnl_post_ops_t operations;
    dnnl_primitive_attr_t then;
    dnnl_primitive_desc_t description;
    must(dnnl_post_ops_create(&operations), "a list of operations");
    must(dnnl_primitive_attr_create(&then), "attributes");
    must(follow_with_kind(operations, row), "the kind after a sum");
    if (c->adds == GATE)
        must(follow_with_product(operations, t), "the product after a kind");
    must(dnnl_primitive_attr_set_post_ops(then, operations), "the operations after a sum");
    dnnl_status_t status = describe_sum(&description, t, addend, engine, then);
    if (status == dnnl_success) {
        status = dnnl_primitive_create(made, description);
        dnnl_primitive_desc_destroy(description);
    }
    dnnl_primitive_attr_destroy(then);
    dnnl_post_ops_destroy(operations);
    return status;
}

static bool open_sum(onednn_run *run, const bench_case *c, int row, const tensor *t, dnnl_data_type_t type)
{
    static float zero;                  /* in any type */
    const int64_t units[DIMENSIONS] = {1, c->shape[1], 1, 1}, one[1] = {1};
    const bool biased = c->adds == BIAS;
    tensor addend;
    tensor_make(&addend, c->ndim, biased ? units : one, type);
    const bool made = sum_make(&run->primitive, c, row, t, &addend, run->engine) == dnnl_success;
    if (made) {
        add_operand(run, DNNL_ARG_SRC_0, t, c->data[X]);
        add_operand(run, DNNL_ARG_SRC_1, &addend, biased ? c->data[THIRD] : &zero);
        add_operand(run, DNNL_ARG_DST, t, c->data[OUT]);
        if (!biased)
            add_operand(run, DNNL_ARG_ATTR_MULTIPLE_POST_OP(1) | DNNL_ARG_SRC_1, t, c->data[THIRD]);
    }
    tensor_free(&addend);
    return made;
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
    tensor t;
    omp_set_num_threads(c->threads);
    must(dnnl_engine_create(&run->engine, dnnl_cpu, 0), "an engine");
    must(dnnl_stream_create(&run->stream, run->engine, dnnl_stream_default_flags), "a stream");
    tensor_make(&t, c->ndim, c->shape, type);
    const bool made = c->adds == NOTHING ? open_plain(run, c, row, &t) : open_sum(run, c, row, &t, type);
    tensor_free(&t);
    if (made)
        return run;
    close_case(run);
    return NULL;
}

/* The row of a case's kind, without what the case adds; KINDS: there is none. */
static int row_of(const bench_case *c)
{
    const size_t length = strcspn(c->kind, " ");
    int row = 0;
    while (row < KINDS && (strlen(kinds[row].kind) != length || memcmp(kinds[row].kind, c->kind, length) != 0))
        row++;
    return row;
}

static bool has_way(const bench_case *c)
{
    return c->adds == NOTHING ? is_vector(c) : c->adds != TWICE && c->way == FORWARD;
}

static void *open_case(const bench_case *c)
{
    const int row = row_of(c);
    if (row == KINDS || !has_way(c) || c->type == ELEMENT_F64)
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
