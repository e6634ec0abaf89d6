/* The calls of JAX on the CPU: handlers of XLA's foreign function interface (FFI).
 *
 *     sugar_xla_forward    x [, p]          ->  y
 *     sugar_xla_backward   x, dy [, p]      ->  dx [, gradient of p]
 *
 * Attributes: `role` says what p is, a "parameter", a "bias", a "gate", or the "dy" of a backward call, which is
 * differentiated here: the operand dy is then the gradient of that call's dx. Without p it is "". `spec`, and `table`,
 * its numbers if the spec names one, stand for the handle. A compiled program may outlive the Python object that it was
 * traced with, and may be loaded from a cache by another process. So it holds no address, and the handles are made and
 * kept here.
 * The operand dy may have extents of 1 where x has larger ones, and is repeated there. The checks of everything else,
 * and the messages, are the library's. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sugar/sugar.h>

#include "xla_ffi.h"

#define EXPORT __attribute__((visibility("default")))

/* ---- Errors -------------------------------------------------------------------------------- */

static xla_error *failed(const xla_frame *frame, int code, const char *message)
{
    xla_error_arguments arguments = {.struct_size = sizeof arguments, .message = message, .code = code};
    return frame->api->create_error(&arguments);
}

/* NULL for SUGAR_OK, else the library's message. */
static xla_error *result(const xla_frame *frame, sugar_status status)
{
    switch (status) {
    case SUGAR_OK: return NULL;
    case SUGAR_ERROR_ARGUMENT:
    case SUGAR_ERROR_SPEC: return failed(frame, XLA_INVALID_ARGUMENT, sugar_last_error());
    case SUGAR_ERROR_UNSUPPORTED: return failed(frame, XLA_UNIMPLEMENTED, sugar_last_error());
    case SUGAR_ERROR_OUT_OF_MEMORY: return failed(frame, XLA_RESOURCE_EXHAUSTED, sugar_last_error());
    case SUGAR_ERROR_VALUE: return failed(frame, XLA_OUT_OF_RANGE, sugar_last_error());
    default: return failed(frame, XLA_INTERNAL, sugar_last_error());
    }
}

/* ---- Threads: those of XLA ----------------------------------------------------------------- */

/* A call that several threads work on. It lives until the last of them lets go of it, which may be after the call: a
 * helper that finds nothing left to do. */
typedef struct shared_call {
    atomic_int owners;
    _Atomic int64_t next, done;
    int64_t count;
    void (*task)(void *work, int64_t index);
    void *work;
    pthread_mutex_t mutex;
    pthread_cond_t all_done;
} shared_call;

static void let_go(shared_call *call)
{
    if (atomic_fetch_sub(&call->owners, 1) > 1)
        return;
    pthread_cond_destroy(&call->all_done);
    pthread_mutex_destroy(&call->mutex);
    free(call);
}

static void work_on(shared_call *call)
{
    int64_t index;
    while ((index = atomic_fetch_add(&call->next, 1)) < call->count) {
        call->task(call->work, index);
        if (atomic_fetch_add(&call->done, 1) + 1 == call->count) {
            pthread_mutex_lock(&call->mutex);
            pthread_cond_signal(&call->all_done);
            pthread_mutex_unlock(&call->mutex);
        }
    }
}

static void help(void *data)
{
    work_on(data);
    let_go(data);
}

/* The frame of the call that this thread is in: a context has one payload for all calls. */
static _Thread_local const xla_frame *current;

/* How many threads of XLA could help; 0 if it has no pool. */
static int64_t helpers(const xla_frame *frame)
{
    int64_t threads = 0;
    xla_threads_arguments arguments = {
        .struct_size = sizeof arguments, .execution = frame->execution, .threads = &threads};
    xla_error *error = frame->api->count_threads(&arguments);
    if (!error)
        return threads;
    xla_destroy_arguments found = {.struct_size = sizeof found, .error = error};
    frame->api->destroy_error(&found);
    return 0;
}

/* Asks one thread of XLA's pool for help. */
static void ask(const xla_frame *frame, shared_call *call)
{
    atomic_fetch_add(&call->owners, 1);
    xla_schedule_arguments arguments = {
        .struct_size = sizeof arguments, .execution = frame->execution, .task = help, .data = call};
    xla_error *error = frame->api->schedule(&arguments);
    if (!error)
        return;
    xla_destroy_arguments found = {.struct_size = sizeof found, .error = error};
    frame->api->destroy_error(&found);
    let_go(call);
}

/* A sugar_parallel_for. The calling thread works as well, and waits in the end only for tasks that have begun. So
 * it gets done even if all threads of the pool wait here at the same time. */
static void on_threads_of_xla(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    (void)payload;
    int64_t wanted = helpers(current);
    shared_call *call = wanted > 0 ? malloc(sizeof *call) : NULL;
    if (!call) {
        for (int64_t i = 0; i < count; i++)
            task(work, i);
        return;
    }
    *call = (shared_call){.owners = 1, .count = count, .task = task, .work = work};
    pthread_mutex_init(&call->mutex, NULL);
    pthread_cond_init(&call->all_done, NULL);
    for (int64_t i = 0; i < wanted && i < count - 1; i++)
        ask(current, call);
    work_on(call);
    pthread_mutex_lock(&call->mutex);
    while (atomic_load(&call->done) < count)
        pthread_cond_wait(&call->all_done, &call->mutex);
    pthread_mutex_unlock(&call->mutex);
    let_go(call);
}

/* ---- Handles ------------------------------------------------------------------------------- */

/* Handles are kept until the process ends, one for each spec that ran: a program that is still to run may need it.
 * The lists only grow, at their fronts, so that no call takes a lock. */
typedef struct kept {
    struct kept *next;
    sugar_activation *activation;
    size_t length;
    char spec[];
} kept;

enum { LISTS = 256 };
static kept *_Atomic lists[LISTS];

/* Chosen when this library is loaded, as no other thread may change the environment meanwhile, and calls come from
 * any thread. NULL: the calling thread; what the environment says at the first call. */
static sugar_context *context;
static const char *level;

__attribute__((constructor)) static void choose(void)
{
    sugar_context_create(&context, &(sugar_context_options){.struct_size = sizeof(sugar_context_options),
                                                            .parallel_for = on_threads_of_xla});
    for (int32_t i = 0; i < sugar_level_count(); i++) {
        sugar_level found = {.struct_size = sizeof found};
        if (sugar_level_get(i, &found) == SUGAR_OK && found.in_use)
            level = found.name;
    }
}

static kept *_Atomic *list_of(xla_text spec)
{
    unsigned hash = 0;
    for (size_t i = 0; i < spec.length; i++)
        hash = 31 * hash + (unsigned char)spec.start[i];
    return &lists[hash % LISTS];
}

static const sugar_activation *look_up(const kept *entry, xla_text spec)
{
    while (entry && (entry->length != spec.length || memcmp(entry->spec, spec.start, spec.length) != 0))
        entry = entry->next;
    return entry ? entry->activation : NULL;
}

/* Two threads that make the same handle at once keep both. */
static sugar_status make(kept *_Atomic *list, xla_text spec, xla_array table, const sugar_activation **activation)
{
    sugar_activation *made;
    sugar_activation_options options = {.struct_size = sizeof options, .level = level};
    if (table.type == XLA_F64) {
        options.table = table.data;
        options.table_knots = table.count / 3;
    }
    sugar_status status = sugar_activation_create_with_options(&made, spec.start, spec.length, &options);
    if (status != SUGAR_OK)
        return status;
    kept *entry = malloc(sizeof *entry + spec.length);
    if (!entry) {
        sugar_activation_destroy(made);
        return SUGAR_ERROR_OUT_OF_MEMORY;
    }
    *entry = (kept){.next = atomic_load(list), .activation = made, .length = spec.length};
    memcpy(entry->spec, spec.start, spec.length);
    while (!atomic_compare_exchange_weak(list, &entry->next, entry))
        ;
    *activation = made;
    return SUGAR_OK;
}

static bool is(xla_text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.start, word, text.length) == 0;
}

/* The attribute of this kind and name; NULL if there is none. */
static const void *attribute(const xla_frame *frame, int kind, const char *name)
{
    const xla_attributes *attributes = &frame->attributes;
    for (int64_t i = 0; i < attributes->count; i++) {
        if (attributes->kinds[i] == kind && is(*attributes->names[i], name))
            return attributes->values[i];
    }
    return NULL;
}

static xla_text role_of(const xla_frame *frame)
{
    const xla_text *role = attribute(frame, XLA_STRING, "role");
    return role ? *role : (xla_text){.start = ""};
}

static xla_error *find_activation(const xla_frame *frame, const sugar_activation **activation)
{
    const xla_text *spec = attribute(frame, XLA_STRING, "spec");
    const xla_array *table = attribute(frame, XLA_ARRAY, "table");
    if (!spec)
        return failed(frame, XLA_INVALID_ARGUMENT, "spec: missing, expected an attribute that is a string");
    kept *_Atomic *list = list_of(*spec);
    *activation = look_up(atomic_load(list), *spec);
    return *activation ? NULL : result(frame, make(list, *spec, table ? *table : (xla_array){0}, activation));
}

/* ---- Operands ------------------------------------------------------------------------------ */

/* An element type that the library does not have gets the code 0, and so the library's own message. */
static sugar_data_type data_type(int type)
{
    switch (type) {
    case XLA_F16: return (sugar_data_type){SUGAR_TYPE_FLOAT, 16, 1};
    case XLA_F32: return (sugar_data_type){SUGAR_TYPE_FLOAT, 32, 1};
    case XLA_F64: return (sugar_data_type){SUGAR_TYPE_FLOAT, 64, 1};
    case XLA_BF16: return (sugar_data_type){SUGAR_TYPE_BFLOAT, 16, 1};
    default: return (sugar_data_type){0, 0, 1};
    }
}

/* The view of operand i; NULL if there are fewer. */
static const sugar_tensor *view(sugar_tensor *tensor, const xla_buffers *operands, int64_t i)
{
    if (i >= operands->count)
        return NULL;
    const xla_buffer *buffer = operands->items[i];
    *tensor = (sugar_tensor){.data = buffer->data,
                             .device = {SUGAR_DEVICE_CPU, 0},
                             .ndim = (int32_t)buffer->rank,
                             .dtype = data_type(buffer->type),
                             .shape = buffer->extents};
    return tensor;
}

/* Gives a view the shape of x, by strides of 0 where it has an extent of 1. What does not fit stays as it is, for the
 * library to refuse. */
static void broadcast(sugar_tensor *tensor, const sugar_tensor *x, int64_t *strides)
{
    int64_t step = 1;
    if (tensor->ndim != x->ndim || x->ndim > SUGAR_MAX_DIMENSIONS)
        return;
    for (int32_t i = x->ndim - 1; i >= 0; i--) {
        if (tensor->shape[i] != x->shape[i] && tensor->shape[i] != 1)
            return;
        strides[i] = tensor->shape[i] == 1 ? 0 : step;
        step *= tensor->shape[i];
    }
    tensor->shape = x->shape;
    tensor->strides = strides;
}

/* ---- Handlers ------------------------------------------------------------------------------ */

/* Whether XLA asks which version this is made for, rather than for a call; then that is answered. */
static bool asks_for_version(const xla_frame *frame)
{
    if (!frame->extensions || frame->extensions->type != XLA_METADATA)
        return false;
    xla_metadata *metadata = ((const xla_metadata_extension *)frame->extensions)->metadata;
    metadata->version.major = XLA_FFI_MAJOR;
    metadata->version.minor = XLA_FFI_MINOR;
    metadata->traits = 0;
    return true;
}

static xla_error *check_counts(const xla_frame *frame, int64_t inputs, int64_t most_results)
{
    int64_t found = frame->arguments.count, results = frame->results.count;
    if (found >= inputs && found <= inputs + 1 && results >= 1 && results <= most_results)
        return NULL;
    return failed(frame, XLA_INVALID_ARGUMENT,
                  "operands: not as many as expected: x and y, or x, dy and dx, with one more or without");
}

/* Puts p and its gradient into the options, each NULL if there is none. A p that is a dy is no option. */
static xla_error *set_role(const xla_frame *frame, sugar_call_options *options, const sugar_tensor *p,
                           const sugar_tensor *gradient)
{
    xla_text role = role_of(frame);
    if (is(role, "parameter")) {
        options->parameter = p;
        options->parameter_gradient = gradient;
    } else if (is(role, "bias")) {
        options->bias = p;
        options->bias_gradient = gradient;
    } else if (is(role, "gate")) {
        options->gate = p;
        options->gate_gradient = gradient;
    } else if (!is(role, "dy") && (p || gradient)) {
        char message[128];
        snprintf(message, sizeof message, "role: '%.*s', expected parameter, bias, gate or dy",
                 role.length < 32 ? (int)role.length : 32, role.start);
        return failed(frame, XLA_INVALID_ARGUMENT, message);
    }
    return NULL;
}

EXPORT xla_error *sugar_xla_forward(xla_frame *frame)
{
    if (asks_for_version(frame))
        return NULL;
    const sugar_activation *activation;
    sugar_tensor x, p, y;
    sugar_call_options options = {.struct_size = sizeof options, .context = context};
    xla_error *error = check_counts(frame, 1, 1);
    if (error || (error = find_activation(frame, &activation))
        || (error = set_role(frame, &options, view(&p, &frame->arguments, 1), NULL)))
        return error;
    current = frame;
    return result(frame,
                  sugar_forward(activation, view(&x, &frame->arguments, 0), view(&y, &frame->results, 0), &options));
}

EXPORT xla_error *sugar_xla_backward(xla_frame *frame)
{
    if (asks_for_version(frame))
        return NULL;
    const sugar_activation *activation;
    int64_t strides[SUGAR_MAX_DIMENSIONS];
    sugar_tensor x, dy, p, dx, gradient;
    sugar_call_options options = {.struct_size = sizeof options, .context = context};
    xla_error *error = check_counts(frame, 2, 2);
    if (error || (error = find_activation(frame, &activation))
        || (error = set_role(frame, &options, view(&p, &frame->arguments, 2), view(&gradient, &frame->results, 1))))
        return error;
    view(&x, &frame->arguments, 0);
    view(&dy, &frame->arguments, 1);
    view(&dx, &frame->results, 0);
    broadcast(&dy, &x, strides);
    current = frame;
    if (is(role_of(frame), "dy"))
        return result(frame, sugar_backward_twice(activation, &x, view(&p, &frame->arguments, 2), &dy,
                                                  view(&gradient, &frame->results, 1), &dx, &options));
    return result(frame, sugar_backward(activation, &x, &dy, &dx, &options));
}
