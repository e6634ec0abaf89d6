/* ggml: its element-wise operations and gated units on vectors, and biases, forward, and backward of silu. A call
 * computes a graph of one node, with biases of two, which was built and planned before, and writes to an output of its
 * own. ggml shares out rows: a vector has a row for each thread. */
#include "bench.h"

#if defined(HAVE_GGML)
#include <dlfcn.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../support/support.h"

/* With the default parameters of libsugar's kinds. ggml ends the program where an operation has no such type, so
 * that the table must know: all have f32 and f16. */
typedef struct operation {
    const char *kind;
    enum { UNARY, LEAKY_RELU, CLAMP, GATED } form;
    int code;                           /* ggml_unary_op, of a gated unit ggml_glu_op */
    bool has_bf16;
    float low, high;                    /* of the clamp; low is the slope of leaky_relu */
} operation;

static const operation operations[] = {
    {"relu", UNARY, GGML_UNARY_OP_RELU, true, 0, 0},
    {"relu6", CLAMP, 0, false, 0, 6},
    {"leaky_relu", LEAKY_RELU, 0, false, 0.01F, 0},
    {"prelu", LEAKY_RELU, 0, false, 0.25F, 0},
    {"rrelu", LEAKY_RELU, 0, false, (1.0F / 8 + 1.0F / 3) / 2, 0},
    {"elu", UNARY, GGML_UNARY_OP_ELU, true, 0, 0},
    {"celu", UNARY, GGML_UNARY_OP_ELU, true, 0, 0},
    {"gelu", UNARY, GGML_UNARY_OP_GELU_ERF, false, 0, 0},
    {"gelu_tanh", UNARY, GGML_UNARY_OP_GELU, false, 0, 0},
    {"silu", UNARY, GGML_UNARY_OP_SILU, false, 0, 0},
    {"softplus", UNARY, GGML_UNARY_OP_SOFTPLUS, true, 0, 0},
    {"sigmoid", UNARY, GGML_UNARY_OP_SIGMOID, true, 0, 0},
    {"tanh", UNARY, GGML_UNARY_OP_TANH, true, 0, 0},
    {"hardtanh", CLAMP, 0, false, -1, 1},
    {"hardsigmoid", UNARY, GGML_UNARY_OP_HARDSIGMOID, true, 0, 0},
    {"hardswish", UNARY, GGML_UNARY_OP_HARDSWISH, true, 0, 0},
    {"heaviside", UNARY, GGML_UNARY_OP_STEP, true, 0, 0},
    {"sign", UNARY, GGML_UNARY_OP_SGN, true, 0, 0},
    {"gelu gate", GATED, GGML_GLU_OP_GEGLU_ERF, false, 0, 0},
    {"silu gate", GATED, GGML_GLU_OP_SWIGLU, false, 0, 0},
};
enum { KINDS = sizeof operations / sizeof operations[0] };

/* The backend for processors is a library of its own, one for each instruction set, which ggml loads. What belongs
 * to it alone is asked for by name. */
static struct {
    ggml_backend_t backend;
    void (*set_threads)(ggml_backend_t backend, int count);
    void (*set_pool)(ggml_backend_t backend, ggml_threadpool_t pool);
    ggml_threadpool_t (*pool_new)(struct ggml_threadpool_params *parameters);
    void (*pool_free)(ggml_threadpool_t pool);
} library;

typedef struct ggml_run {
    struct ggml_context *context;       /* of the tensors and the graph, without their elements */
    ggml_backend_buffer_t buffer[OPERANDS];
    ggml_threadpool_t pool;
    ggml_backend_graph_plan_t plan;
} ggml_run;

static void quiet(enum ggml_log_level level, const char *text, void *unused)
{
    (void)level;
    (void)text;
    (void)unused;
}

static ggml_backend_reg_t backend_library(void)
{
    const ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    return device ? ggml_backend_dev_backend_reg(device) : NULL;
}

/* A function of the backend; C has no cast to it. */
static bool find(void *function, const char *name)
{
    void *const found = ggml_backend_reg_get_proc_address(backend_library(), name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

/* Loads, instead of the backend that suits this processor best, its neighbour for AVX2. */
static bool limit_to_avx2(void)
{
    static const char name[] = "libggml-cpu-haswell.so";
    Dl_info place;
    void *function;
    if (!find(&function, "ggml_backend_set_n_threads") || !dladdr(function, &place))
        return false;
    const char *slash = strrchr(place.dli_fname, '/');
    const size_t folder = slash ? (size_t)(slash + 1 - place.dli_fname) : 0;
    char *path = malloc(folder + sizeof name);
    if (!path)
        give_up("ggml", "no memory");
    memcpy(path, place.dli_fname, folder);
    memcpy(path + folder, name, sizeof name);
    ggml_backend_unload(backend_library());
    const bool loaded = ggml_backend_load(path) != NULL;
    free(path);
    return loaded;
}

void ggml_begin(bool avx2)
{
    ggml_log_set(quiet, NULL);
    ggml_backend_load_all();
    if (!backend_library())
        ggml_peer.absent = "ggml has no backend for this processor";
    else if (avx2 && !limit_to_avx2())
        ggml_peer.absent = "ggml's backend for AVX2 was not found";
    else if (!find(&library.set_threads, "ggml_backend_set_n_threads")
             || !find(&library.set_pool, "ggml_backend_cpu_set_threadpool")
             || !find(&library.pool_new, "ggml_threadpool_new") || !find(&library.pool_free, "ggml_threadpool_free"))
        ggml_peer.absent = "ggml's backend lacks a function for threads";
    else if (!(library.backend = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, NULL)))
        ggml_peer.absent = "ggml's backend does not start";
}

/* Where the elements of a tensor are. */
static void place(ggml_run *run, const bench_case *c, int operand, struct ggml_tensor *t)
{
    run->buffer[operand] = ggml_backend_cpu_buffer_from_ptr(c->data[operand], case_bytes(c));
    if (ggml_backend_tensor_alloc(run->buffer[operand], t, c->data[operand]) != GGML_STATUS_SUCCESS)
        give_up("ggml", "an operand");
}

/* The shape begins with the innermost dimension. */
static struct ggml_tensor *shaped(ggml_run *run, const bench_case *c, int operand, const int64_t *shape)
{
    static const enum ggml_type types[ELEMENT_TYPES] = {
        [ELEMENT_F32] = GGML_TYPE_F32,
        [ELEMENT_F16] = GGML_TYPE_F16,
        [ELEMENT_BF16] = GGML_TYPE_BF16,
    };
    struct ggml_tensor *t = ggml_new_tensor(run->context, types[c->type], DIMENSIONS, shape);
    place(run, c, operand, t);
    return t;
}

static struct ggml_tensor *input(ggml_run *run, const bench_case *c, int operand)
{
    const int64_t rows = c->elements % c->threads == 0 ? c->threads : 1;
    return shaped(run, c, operand, (const int64_t[DIMENSIONS]){c->elements / rows, rows, 1, 1});
}

/* x + biases, then the operation in place. */
static struct ggml_tensor *apply_biased(ggml_run *run, const bench_case *c, const operation *o)
{
    int64_t whole[DIMENSIONS] = {1, 1, 1, 1}, units[DIMENSIONS] = {1, 1, 1, 1};
    for (int d = 0; d < c->ndim; d++)
        whole[c->ndim - 1 - d] = c->shape[d];
    units[c->ndim - 2] = c->shape[1];
    struct ggml_tensor *x = shaped(run, c, X, whole);
    struct ggml_tensor *sum = ggml_add(run->context, x, shaped(run, c, THIRD, units));
    place(run, c, OUT, sum);
    struct ggml_tensor *result = ggml_unary_inplace(run->context, sum, (enum ggml_unary_op)o->code);
    if (ggml_backend_view_init(result) != GGML_STATUS_SUCCESS)
        give_up("ggml", "a result in place");
    return result;
}

static struct ggml_tensor *apply_plain(ggml_run *run, const bench_case *c, const operation *o)
{
    struct ggml_tensor *x = input(run, c, X);
    if (c->way == BACKWARD)
        return ggml_silu_back(run->context, input(run, c, DY), x);
    switch (o->form) {
    case LEAKY_RELU: return ggml_leaky_relu(run->context, x, o->low, false);
    case CLAMP: return ggml_clamp(run->context, x, o->low, o->high);
    case GATED: return ggml_glu_split(run->context, x, input(run, c, THIRD), (enum ggml_glu_op)o->code);
    default: return ggml_unary(run->context, x, (enum ggml_unary_op)o->code);
    }
}

static struct ggml_tensor *apply(ggml_run *run, const bench_case *c, const operation *o)
{
    if (c->adds == BIAS)
        return apply_biased(run, c, o);
    struct ggml_tensor *result = apply_plain(run, c, o);
    place(run, c, OUT, result);
    return result;
}

static void *open_operation(const bench_case *c, const operation *o)
{
    enum { NODES = 8 };
    ggml_run *run = calloc(1, sizeof *run);
    if (!run)
        give_up("ggml", "no memory");
    run->context = ggml_init((struct ggml_init_params){
        .mem_size = ggml_tensor_overhead() * NODES + ggml_graph_overhead_custom(NODES, false), .no_alloc = true});
    struct ggml_cgraph *graph = ggml_new_graph_custom(run->context, NODES, false);
    ggml_build_forward_expand(graph, apply(run, c, o));
    struct ggml_threadpool_params parameters = ggml_threadpool_params_default(c->threads);
    run->pool = library.pool_new(&parameters);
    library.set_threads(library.backend, c->threads);
    library.set_pool(library.backend, run->pool);
    run->plan = ggml_backend_graph_plan_create(library.backend, graph);
    return run;
}

/* The operation of a case, with biases that of the plain kind; NULL: there is none. */
static const operation *operation_of(const bench_case *c)
{
    const size_t length = c->adds == BIAS ? strcspn(c->kind, " ") : strlen(c->kind);
    for (const operation *o = operations; o < operations + KINDS; o++)
        if (strlen(o->kind) == length && memcmp(o->kind, c->kind, length) == 0)
            return o;
    return NULL;
}

static bool has_way(const bench_case *c, const operation *o)
{
    if (c->adds == BIAS)
        return c->way == FORWARD && o->form == UNARY;
    return is_vector(c) && (c->way == FORWARD || (o->form == UNARY && o->code == GGML_UNARY_OP_SILU));
}

static void *open_case(const bench_case *c)
{
    const operation *o = operation_of(c);
    if (!o || !has_way(c, o) || c->type == ELEMENT_F64 || (c->type == ELEMENT_BF16 && !o->has_bf16))
        return NULL;
    return open_operation(c, o);
}

static void call(void *opaque)
{
    const ggml_run *run = opaque;
    if (ggml_backend_graph_plan_compute(library.backend, run->plan) != GGML_STATUS_SUCCESS)
        give_up("ggml", "a call failed");
}

static void close_case(void *opaque)
{
    ggml_run *run = opaque;
    ggml_backend_graph_plan_free(library.backend, run->plan);
    library.set_pool(library.backend, NULL);
    library.pool_free(run->pool);
    for (int k = 0; k < OPERANDS; k++)
        ggml_backend_buffer_free(run->buffer[k]);       /* not what it holds */
    ggml_free(run->context);
    free(run);
}

implementation ggml_peer = {
    .name = "ggml",
    .version = ggml_version,
    .open = open_case,
    .call = call,
    .close = close_case,
};
#else
void ggml_begin(bool avx2) { (void)avx2; }

implementation ggml_peer = {
    .name = "ggml",
    .absent = "ggml was not found when the build was set up",
};
#endif
