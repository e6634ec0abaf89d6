/* See fused_case.h. */
#include "fused_case.h"

#include <math.h>

static int has_both(int set, int one, int others) { return set & one && set & others; }

/* As the header's table says it. */
int is_allowed(int set, int is_backward)
{
    if (has_both(set, RANDOM, PARAMETER | SAVED))
        return 0;
    if (!is_backward)
        return !(set & ONLY_BACKWARD);
    if (set & FROM_OUTPUT)
        return !(set & (MONITOR | PARAMETER | PARAMETER_GRADIENT | SAVED | RANDOM | BIAS));
    return !(set & MONITOR) && !has_both(set, SAVED, PARAMETER | PARAMETER_GRADIENT | BIAS | GATE_GRADIENT)
           && !has_both(set, PARAMETER_GRADIENT, RANDOM | BIAS_GRADIENT);
}

/* ---- Activations -------------------------------------------------------------------------------- */
static const recipe learners[] = {{"prelu(alpha=0.375)~bsilu", "relu~bsilu", 1, 0},
                                  {"prelu(alpha=0.375)", NULL, 0, 0},
                                  {"prelu(alpha=0.375)~silu(domain=negative,blend=0.25)", "relu~silu", 0.25, 1}};
static const recipe drawers[] = {{"rrelu", NULL, 0, 0}, {"rrelu~tanh(blend=0.5)", "relu~tanh", 0.5, 0}};
static const recipe from_outputs[] = {{"tanh", NULL, 0, 0}, {"elu", NULL, 0, 0}};
static const recipe others[] = {{"silu", NULL, 0, 0},
                                {"relu~bsilu(alpha=1.67)", NULL, 0, 0},
                                {"gelu~silu(domain=negative,blend=0.5)", NULL, 0, 0},
                                {"tanh~box_spike", NULL, 0, 0}};

static const recipe *choose_recipe(int set, uint64_t *state)
{
    if (has_both(set, PARAMETER, SAVED))
        return &learners[0];
    if (set & (PARAMETER | PARAMETER_GRADIENT))
        return &learners[random_between(state, 0, COUNT(learners) - 1)];
    if (set & RANDOM)
        return &drawers[random_between(state, 0, COUNT(drawers) - 1)];
    if (set & FROM_OUTPUT)
        return &from_outputs[random_between(state, 0, COUNT(from_outputs) - 1)];
    return &others[random_between(state, 0, COUNT(others) - 1)];
}

/* ---- Arithmetic in the type that an element type is computed in ---------------------------------- */

static int is_narrow(element_type type) { return type == ELEMENT_F16 || type == ELEMENT_BF16; }
element_type real_type(element_type type) { return type == ELEMENT_F64 ? ELEMENT_F64 : ELEMENT_F32; }

double add(element_type type, double a, double b)
{
    return type == ELEMENT_F64 ? a + b : (double)((float)a + (float)b);
}
double times(element_type type, double a, double b)
{
    return type == ELEMENT_F64 ? a * b : (double)((float)a * (float)b);
}
double times_plus(element_type type, double a, double b, double c)
{
    return type == ELEMENT_F64 ? fma(a, b, c) : (double)fmaf((float)a, (float)b, (float)c);
}

/* f of one number, and g', by plain calls. */
double plain_value(const sugar_activation *a, element_type type, double x)
{
    uint64_t in = 0, out = 0;
    set_element(&in, 0, real_type(type), x);
    assert_ok(flat_forward(a, real_type(type), 1, &in, 1, &out, 1, NULL));
    return get_element(&out, 0, real_type(type));
}

double plain_derivative(const sugar_activation *a, element_type type, double x, uint64_t flags)
{
    uint64_t in = 0, one = 0, out = 0;
    const sugar_call_options options = {.struct_size = sizeof options, .flags = flags};
    set_element(&in, 0, real_type(type), x);
    set_element(&one, 0, real_type(type), 1);
    assert_ok(flat_backward(a, real_type(type), 1, &in, 1, &one, 1, &out, 1, &options));
    return get_element(&out, 0, real_type(type));
}

/* ---- A case: operands on random views ----------------------------------------------------------- */

/* The index of element i in every dimension, as the offset into a view of the shape of x or broadcast to it. */
int64_t offset_of(const test_case *c, const view *v, int64_t i)
{
    int64_t offset = 0;
    for (int d = c->ndim - 1; d >= 0; d--) {
        offset += v->shape[d] > 1 ? i % c->shape[d] * v->strides[d] : 0;
        i /= c->shape[d];
    }
    return offset;
}

double read_before(const test_case *c, const operand *o, int64_t i)
{
    const char *data = (const char *)o->before + ((char *)o->v.tensor.data - (const char *)o->memory);
    return get_element(data, offset_of(c, &o->v, i), o->type);
}

uint64_t bits_after(const test_case *c, const operand *o, int64_t i)
{
    return element_load(o->v.tensor.data, offset_of(c, &o->v, i), o->type);
}

/* A shape of up to MOST_ELEMENTS elements; a sixth of all have a long dimension. */
static void choose_shape(test_case *c, uint64_t *state)
{
    c->ndim = (int32_t)random_between(state, c->set & MONITOR ? 1 : 0, MOST_DIMENSIONS);
    c->count = 1;
    for (int d = 0; d < c->ndim; d++) {
        const int64_t most = random_between(state, 0, 5) ? 7 : MOST_ELEMENTS;
        const int64_t room = MOST_ELEMENTS / c->count;
        c->shape[d] = random_between(state, 1, most < room ? most : room);
        c->count *= c->shape[d];
    }
    c->used = 2 * c->count + 2;
}

/* Strides in a random order of the dimensions, some turned, some with gaps. repeats: some may be 0. Returns where the
 * first element is. */
static int64_t choose_strides(const test_case *c, const int64_t *shape, int repeats, int64_t *strides, uint64_t *state)
{
    int order[MOST_DIMENSIONS] = {0, 1, 2, 3};
    for (int d = c->ndim - 1; d > 0 && random_between(state, 0, 1); d--) {
        const int other = (int)random_between(state, 0, d), old = order[d];
        order[d] = order[other];
        order[other] = old;
    }
    int64_t step = random_between(state, 0, 3) ? 1 : 2, first = 0;
    for (int i = c->ndim - 1; i >= 0; i--) {
        const int d = order[i];
        strides[d] = step;
        step *= shape[d];
        if (repeats && random_between(state, 0, 5) == 0)
            strides[d] = 0;
        else if (random_between(state, 0, 5) == 0) {
            first += strides[d] * (shape[d] - 1);
            strides[d] = -strides[d];
        }
    }
    return first;
}

static void fill(const test_case *c, operand *o, uint64_t *state, int specials)
{
    for (int64_t i = 0; i < c->used; i++)
        if (specials && random_between(state, 0, 9) == 0)
            element_store(o->memory, i, o->type, random_element(state, o->type));
        else
            set_element(o->memory, i, o->type, (double)random_between(state, -3000, 3000) / 1024);
    memcpy(o->before, o->memory, (size_t)c->used * sizeof *o->before);
}

static void place(const test_case *c, operand *o, element_type type, int is_broadcast, int repeats, uint64_t *state)
{
    int64_t extents[MOST_DIMENSIONS], strides[MOST_DIMENSIONS];
    for (int d = 0; d < c->ndim; d++)
        extents[d] = is_broadcast && random_between(state, 0, 1) ? 1 : c->shape[d];
    const int64_t first = choose_strides(c, extents, repeats, strides, state);
    o->type = type;
    view_make(&o->v, (char *)o->memory + (size_t)first * element_formats[type].width, 4, c->ndim, extents, strides);
    o->v.tensor.dtype = element_formats[type].dtype;
}

/* Makes an output the same view as an input, or puts it somewhere else. */
static void place_output(test_case *c, operand *o, int number, operand *const *inputs, int count, uint64_t *state)
{
    operand *input = inputs[random_between(state, 0, count - 1)];
    int distinct = 1;
    for (int d = 0; d < c->ndim; d++)
        distinct &= input->v.strides[d] != 0 || c->shape[d] == 1;
    place(c, o, c->type, 0, 0, state);
    const int taken = number > 0 && c->in_place[0] == input;
    c->in_place[number] = distinct && !taken && random_between(state, 0, 1) ? input : NULL;
}

static element_type choose_width(const test_case *c, uint64_t *state)
{
    return is_narrow(c->type) && random_between(state, 0, 1) ? ELEMENT_F32 : c->type;
}

static const sugar_tensor *tensor_if(const test_case *c, int option, operand *o)
{
    return c->set & option ? &o->v.tensor : NULL;
}

static void set_options(test_case *c)
{
    c->random = (sugar_random){sizeof c->random, 77, 5};
    c->options = (sugar_call_options){
        .struct_size = sizeof c->options,
        .flags = (c->set & ACCUMULATE ? SUGAR_CALL_ACCUMULATE : 0) | (c->set & FROM_OUTPUT ? SUGAR_CALL_FROM_OUTPUT : 0)
                 | (c->count % 3 == 0 ? SUGAR_CALL_NONTEMPORAL : 0),
        .parameter = tensor_if(c, PARAMETER, &c->parameter),
        .parameter_gradient = tensor_if(c, PARAMETER_GRADIENT, &c->parameter_gradient),
        .saved_gradient = tensor_if(c, SAVED, &c->saved),
        .random = c->set & RANDOM ? &c->random : NULL,
        .bias = tensor_if(c, BIAS, &c->bias),
        .bias_gradient = tensor_if(c, BIAS_GRADIENT, &c->bias_gradient),
        .gate = tensor_if(c, GATE, &c->gate),
        .gate_gradient = c->in_place[1] && c->set & GATE_GRADIENT ? &c->in_place[1]->v.tensor
                                                                  : tensor_if(c, GATE_GRADIENT, &c->gate_gradient),
    };
    if (c->set & MONITOR)
        assert_ok(sugar_monitor_create(&c->options.monitor, c->ndim > 0 ? c->shape[c->ndim - 1] : 1, NULL));
}

/* Sums are compared with exact ones, so they have no specials. */
static void fill_operands(test_case *c, uint64_t *state)
{
    operand *const all[] = {&c->x,    &c->dy,           &c->out, &c->parameter_gradient, &c->bias, &c->bias_gradient,
                            &c->gate, &c->gate_gradient};
    const int specials = !(c->set & (PARAMETER_GRADIENT | BIAS_GRADIENT | MONITOR)) && random_between(state, 0, 1);
    for (size_t k = 0; k < COUNT(all); k++)
        fill(c, all[k], state, specials);
    for (int64_t i = 0; i < c->used; i++) {
        set_element(c->parameter.memory, i, c->parameter.type, (double)random_between(state, 1, 4000) / 1024);
        ((uint8_t *)c->saved.memory)[i] = (uint8_t)random_between(state, 0, 255);
    }
    memcpy(c->parameter.before, c->parameter.memory, (size_t)c->used * sizeof(uint64_t));
    memcpy(c->saved.before, c->saved.memory, (size_t)c->used * sizeof(uint64_t));
}

void make_case(test_case *c, const recipe *chosen, int set, int is_backward, element_type type, uint64_t *state)
{
    c->set = set;
    c->is_backward = is_backward;
    c->type = type;
    c->in_place[0] = c->in_place[1] = NULL;
    c->recipe = chosen ? chosen : choose_recipe(set, state);
    c->activation = must_create(c->recipe->spec, NULL);
    c->surrogate = c->recipe->surrogate ? must_create(c->recipe->surrogate, NULL) : NULL;
    choose_shape(c, state);
    place(c, &c->x, type, 0, 1, state);
    place(c, &c->dy, type, 0, 1, state);
    place(c, &c->gate, type, 0, 1, state);
    place(c, &c->saved, type, 0, 0, state);
    const ptrdiff_t first = (char *)c->saved.v.tensor.data - (char *)c->saved.memory;
    c->saved.v.tensor.data = (uint8_t *)c->saved.memory + first / (ptrdiff_t)element_formats[type].width;
    c->saved.v.tensor.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 8, 1};
    place(c, &c->parameter, choose_width(c, state), 1, 1, state);
    place(c, &c->bias, choose_width(c, state), 1, 1, state);
    place(c, &c->parameter_gradient, choose_width(c, state), 1, 0, state);
    place(c, &c->bias_gradient, choose_width(c, state), 1, 0, state);
    operand *const inputs[] = {&c->x, &c->gate, &c->dy};
    place_output(c, &c->out, 0, inputs, is_backward ? 3 : 2, state);
    place_output(c, &c->gate_gradient, 1, inputs, 3, state);
    fill_operands(c, state);
    set_options(c);
}

sugar_status run_case(test_case *c)
{
    const sugar_tensor *out = &(c->in_place[0] ? c->in_place[0] : &c->out)->v.tensor;
    const sugar_tensor *x = c->is_backward && c->set & SAVED ? NULL : &c->x.v.tensor;
    return c->is_backward ? sugar_backward(c->activation, x, &c->dy.v.tensor, out, &c->options)
                          : sugar_forward(c->activation, x, out, &c->options);
}

void end_case(test_case *c)
{
    sugar_monitor_destroy(c->options.monitor);
    sugar_activation_destroy(c->activation);
    sugar_activation_destroy(c->surrogate);
}
