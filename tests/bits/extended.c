/* The rows of extended calls: what each kind can do, and a monitor. */
#include <stdlib.h>

#include "digests.h"

/* The inputs as rows, of which each is a sum of its own. */
enum { COLUMNS = 64 };

typedef struct view {
    int64_t shape[2];
    sugar_tensor tensor;
} view;

static sugar_tensor *view_of(view *v, void *data, const inputs *in, int64_t columns)
{
    v->shape[0] = in->count / COLUMNS;
    v->shape[1] = columns;
    v->tensor = (sugar_tensor){.data = data,
                               .device = {SUGAR_DEVICE_CPU, 0},
                               .ndim = 2,
                               .dtype = element_formats[in->type].dtype,
                               .shape = v->shape};
    return &v->tensor;
}

static void *at(const unsigned char *elements) { return (void *)(uintptr_t)elements; }

typedef struct call {
    sugar_activation *activation;
    sugar_call_options options;
    view x, dy, out, parameter, gradient;
} call;

static _Alignas(8) unsigned char out[MAX_INPUTS * 8], more[MAX_INPUTS * 8];

static void call_start(call *c, const char *spec, const char *level, const inputs *in)
{
    *c = (call){.activation = create_in_mode(spec, level), .options = {.struct_size = sizeof c->options}};
    view_of(&c->x, at(in->x), in, COLUMNS);
    view_of(&c->dy, at(in->dy), in, COLUMNS);
    view_of(&c->out, out, in, COLUMNS);
}

static void forward(call *c) { check_call(sugar_forward(c->activation, &c->x.tensor, &c->out.tensor, &c->options)); }

static void backward(call *c)
{
    const sugar_tensor *x = c->options.saved_gradient ? NULL : &c->x.tensor;
    check_call(sugar_backward(c->activation, x, &c->dy.tensor, &c->out.tensor, &c->options));
}

static int64_t elements(const inputs *in) { return in->count / COLUMNS * COLUMNS; }

/* A parameter for each element, between 1/16 and 4: within the range of every kind that learns. */
static void digest_learned(table *t, const char *spec, call *c, const inputs *in)
{
    static _Alignas(8) unsigned char parameters[MAX_INPUTS * 8];
    for (int64_t i = 0; i < in->count; i++)
        element_store(parameters, i, in->type, element_of((double)(i % 63 + 1) / 16, in->type));
    c->options.parameter = view_of(&c->parameter, parameters, in, COLUMNS);
    forward(c);
    add_row(t, spec, "learned", in->type, digest(out, elements(in), in->type));
    c->options.parameter_gradient = view_of(&c->gradient, more, in, COLUMNS);
    backward(c);
    add_row(t, spec, "learned_backward", in->type, digest(out, elements(in), in->type));
    add_row(t, spec, "gradient", in->type, digest(more, elements(in), in->type));
    c->options.parameter = NULL;
    c->options.parameter_gradient = view_of(&c->gradient, more, in, 1);
    backward(c);
    add_row(t, spec, "gradient_sums", in->type, digest(more, in->count / COLUMNS, in->type));
    c->options.parameter_gradient = NULL;
}

static void digest_saved(table *t, const char *spec, call *c, const inputs *in)
{
    view saved;
    view_of(&saved, more, in, COLUMNS)->dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 8, 1};
    c->options.saved_gradient = &saved.tensor;
    forward(c);
    add_row(t, spec, "codes", in->type, digest_bytes(more, (size_t)elements(in)));
    backward(c);
    add_row(t, spec, "from_codes", in->type, digest(out, elements(in), in->type));
    c->options.saved_gradient = NULL;
}

/* Blocks around 2^32, where a counter carries. */
static void digest_drawn(table *t, const char *spec, call *c, const inputs *in)
{
    const sugar_random random = {sizeof random, 0x299f31d0a4093822, UINT32_MAX - 1000};
    c->options.random = &random;
    forward(c);
    add_row(t, spec, "drawn", in->type, digest(out, elements(in), in->type));
    backward(c);
    add_row(t, spec, "drawn_backward", in->type, digest(out, elements(in), in->type));
    c->options.random = NULL;
}

void digest_extended(table *t, const char *spec, uint64_t capabilities, const char *level, const inputs *in)
{
    call c;
    call_start(&c, spec, level, in);
    if (capabilities & SUGAR_CAN_LEARN)
        digest_learned(t, spec, &c, in);
    if (capabilities & SUGAR_CAN_SAVE_BYTE)
        digest_saved(t, spec, &c, in);
    if (capabilities & SUGAR_CAN_DRAW)
        digest_drawn(t, spec, &c, in);
    if (capabilities & SUGAR_CAN_START_FROM_OUTPUT) {
        c.options.flags = SUGAR_CALL_FROM_OUTPUT;
        backward(&c);
        add_row(t, spec, "from_output", in->type, digest(out, elements(in), in->type));
    }
    sugar_activation_destroy(c.activation);
}

/* A bias for each column, in f32 where elements are narrow; a gate; and their gradients, that of the bias by rows. */
static void digest_fused_of(table *t, const char *spec, const char *level, const inputs *in)
{
    static float bias[COLUMNS];
    static double bias_f64[COLUMNS];
    static _Alignas(8) unsigned char products[MAX_INPUTS * 8];
    view with, gate, product;
    call c;
    call_start(&c, spec, level, in);
    for (int i = 0; i < COLUMNS; i++)
        bias_f64[i] = bias[i] = (float)(i - 20) / 7;
    with = (view){.shape = {1, COLUMNS}, .tensor = c.x.tensor};
    with.tensor.shape = with.shape;
    with.tensor.data = in->type == ELEMENT_F64 ? (void *)bias_f64 : bias;
    with.tensor.dtype = element_formats[in->type == ELEMENT_F64 ? ELEMENT_F64 : ELEMENT_F32].dtype;
    c.options.bias = &with.tensor;
    c.options.gate = view_of(&gate, at(in->dx), in, COLUMNS);
    forward(&c);
    add_row(t, spec, "fused", in->type, digest(out, elements(in), in->type));
    c.options.gate_gradient = view_of(&product, products, in, COLUMNS);
    c.options.bias_gradient = view_of(&c.gradient, more, in, 1);
    backward(&c);
    add_row(t, spec, "fused_backward", in->type, digest(out, elements(in), in->type));
    add_row(t, spec, "gate_gradient", in->type, digest(products, elements(in), in->type));
    add_row(t, spec, "bias_gradient", in->type, digest(more, in->count / COLUMNS, in->type));
    sugar_activation_destroy(c.activation);
}

void digest_fused(table *t, const char *level, const inputs *in)
{
    static const char *const specs[] = {"silu", "gelu~bsilu(domain=negative,blend=0.5)"};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        digest_fused_of(t, specs[i], level, in);
}

/* The saved form of a monitor holds all its counts and sums: of units in rows, and in columns. */
void digest_monitor(table *t, const char *level, const inputs *in)
{
    static const char *const directions[] = {"monitor_of_columns", "monitor_of_rows"};
    call c;
    call_start(&c, "relu", level, in);
    for (int32_t from_end = 0; from_end < 2; from_end++) {
        const sugar_monitor_options options = {.struct_size = sizeof options, .axis_from_end = from_end};
        check_call(sugar_monitor_create(&c.options.monitor, c.x.shape[1 - from_end], &options));
        forward(&c);
        const size_t size = sugar_monitor_save_size(c.options.monitor);
        unsigned char *bytes = malloc(size);
        if (bytes == NULL)
            give_up("digests", "no memory");
        check_call(sugar_monitor_save(c.options.monitor, bytes, size));
        add_row(t, "relu", directions[from_end], in->type, digest_bytes(bytes, size));
        free(bytes);
        sugar_monitor_destroy(c.options.monitor);
    }
    sugar_activation_destroy(c.activation);
}
