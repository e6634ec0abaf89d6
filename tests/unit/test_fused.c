/* Biases, gated units, and their gradients: every set of options on random views, element by element against an oracle
 * that adds, multiplies and sums by itself. f and g' of one number are those of plain calls, or straight lines. */
#include "unit.h"

#include <math.h>
#include <stdio.h>

/* ---- Sets of options --------------------------------------------------------------------------- */

enum {
    MONITOR = 1,
    PARAMETER = 2,
    PARAMETER_GRADIENT = 4,
    SAVED = 8,
    RANDOM = 16,
    BIAS = 32,
    BIAS_GRADIENT = 64,
    GATE = 128,
    GATE_GRADIENT = 256,
    ACCUMULATE = 512,
    FROM_OUTPUT = 1024,
    ALL_SETS = 2048,
    FUSED = BIAS | BIAS_GRADIENT | GATE | GATE_GRADIENT,
    ONLY_BACKWARD = PARAMETER_GRADIENT | BIAS_GRADIENT | GATE_GRADIENT | ACCUMULATE | FROM_OUTPUT
};

static int has_both(int set, int one, int others) { return set & one && set & others; }

/* As the header's table says it. */
static int is_allowed(int set, int is_backward)
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

/* A spec, and what the oracle must know of it: the surrogate as one of relu, if g' has one, and how much it counts. */
typedef struct recipe {
    const char *spec, *surrogate;
    double blend;
    int negative_only;
} recipe;

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
static element_type real_type(element_type type) { return type == ELEMENT_F64 ? ELEMENT_F64 : ELEMENT_F32; }

static double add(element_type type, double a, double b)
{
    return type == ELEMENT_F64 ? a + b : (double)((float)a + (float)b);
}
static double times(element_type type, double a, double b)
{
    return type == ELEMENT_F64 ? a * b : (double)((float)a * (float)b);
}
static double times_plus(element_type type, double a, double b, double c)
{
    return type == ELEMENT_F64 ? fma(a, b, c) : (double)fmaf((float)a, (float)b, (float)c);
}

static double get(const void *elements, int64_t i, element_type type)
{
    return element_value(element_load(elements, i, type), type);
}

static void set_to(void *elements, int64_t i, element_type type, double value)
{
    element_store(elements, i, type, element_of(value, type));
}

/* f of one number, and g', by plain calls. */
static double plain_value(const sugar_activation *a, element_type type, double x)
{
    uint64_t in = 0, out = 0;
    set_to(&in, 0, real_type(type), x);
    assert_ok(flat_forward(a, real_type(type), 1, &in, 1, &out, 1, NULL));
    return get(&out, 0, real_type(type));
}

static double plain_derivative(const sugar_activation *a, element_type type, double x, uint64_t flags)
{
    uint64_t in = 0, one = 0, out = 0;
    const sugar_call_options options = {.struct_size = sizeof options, .flags = flags};
    set_to(&in, 0, real_type(type), x);
    set_to(&one, 0, real_type(type), 1);
    assert_ok(flat_backward(a, real_type(type), 1, &in, 1, &one, 1, &out, 1, &options));
    return get(&out, 0, real_type(type));
}

/* ---- A case: operands on random views ----------------------------------------------------------- */

enum { MOST_ELEMENTS = 6000, MOST_MEMORY = 2 * MOST_ELEMENTS + 2, MOST_DIMENSIONS = 4 };

/* An operand, and what its memory held before the call. */
typedef struct operand {
    view v;
    element_type type;
    uint64_t memory[MOST_MEMORY], before[MOST_MEMORY];
} operand;

typedef struct test_case {
    int set, is_backward;
    element_type type;
    int32_t ndim;
    int64_t shape[MOST_DIMENSIONS], count;
    int64_t used;                   /* elements of an operand's memory */
    const recipe *recipe;
    sugar_activation *activation, *surrogate;
    sugar_call_options options;
    sugar_random random;
    operand x, dy, out, parameter, parameter_gradient, saved, bias, bias_gradient, gate, gate_gradient;
    operand *in_place[2];           /* the inputs that out and gate_gradient are, or NULL */
} test_case;

/* The index of element i in every dimension, as the offset into a view of the shape of x or broadcast to it. */
static int64_t offset_of(const test_case *c, const view *v, int64_t i)
{
    int64_t offset = 0;
    for (int d = c->ndim - 1; d >= 0; d--) {
        offset += v->shape[d] > 1 ? i % c->shape[d] * v->strides[d] : 0;
        i /= c->shape[d];
    }
    return offset;
}

static double read_before(const test_case *c, const operand *o, int64_t i)
{
    const char *data = (const char *)o->before + ((char *)o->v.tensor.data - (const char *)o->memory);
    return get(data, offset_of(c, &o->v, i), o->type);
}

static uint64_t bits_after(const test_case *c, const operand *o, int64_t i)
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
            set_to(o->memory, i, o->type, (double)random_between(state, -3000, 3000) / 1024);
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
        set_to(c->parameter.memory, i, c->parameter.type, (double)random_between(state, 1, 4000) / 1024);
        ((uint8_t *)c->saved.memory)[i] = (uint8_t)random_between(state, 0, 255);
    }
    memcpy(c->parameter.before, c->parameter.memory, (size_t)c->used * sizeof(uint64_t));
    memcpy(c->saved.before, c->saved.memory, (size_t)c->used * sizeof(uint64_t));
}

static void make_case(test_case *c, int set, int is_backward, element_type type, uint64_t *state)
{
    c->set = set;
    c->is_backward = is_backward;
    c->type = type;
    c->in_place[0] = c->in_place[1] = NULL;
    c->recipe = choose_recipe(set, state);
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

static sugar_status run_case(test_case *c)
{
    const sugar_tensor *out = &(c->in_place[0] ? c->in_place[0] : &c->out)->v.tensor;
    const sugar_tensor *x = c->is_backward && c->set & SAVED ? NULL : &c->x.v.tensor;
    return c->is_backward ? sugar_backward(c->activation, x, &c->dy.v.tensor, out, &c->options)
                          : sugar_forward(c->activation, x, out, &c->options);
}

static void end_case(test_case *c)
{
    sugar_monitor_destroy(c->options.monitor);
    sugar_activation_destroy(c->activation);
    sugar_activation_destroy(c->surrogate);
}

/* ---- The oracle --------------------------------------------------------------------------------- */

/* What one element is computed from. */
typedef struct element {
    double x, dy, gate;             /* x with its bias; dy before its gate */
    double slope;                   /* of the line that prelu or rrelu is */
} element;

static double slopes[MOST_ELEMENTS];

/* The slopes that rrelu draws: those of a plain call on x = -1. */
static void draw_slopes(const test_case *c)
{
    static float in[MOST_ELEMENTS], out[MOST_ELEMENTS];
    static double in64[MOST_ELEMENTS], out64[MOST_ELEMENTS];
    sugar_activation *a = must_create("rrelu", NULL);
    const sugar_call_options options = {.struct_size = sizeof options, .random = &c->random};
    for (int64_t i = 0; i < c->count; i++)
        in64[i] = in[i] = -1;
    assert_ok(sugar_forward_f32(a, c->count, in, 1, out, 1, &options));
    assert_ok(sugar_forward_f64(a, c->count, in64, 1, out64, 1, &options));
    for (int64_t i = 0; i < c->count; i++)
        slopes[i] = c->type == ELEMENT_F64 ? -out64[i] : (double)-out[i];
    sugar_activation_destroy(a);
}

static element read_element(const test_case *c, int64_t i)
{
    element e = {.x = read_before(c, &c->x, i), .dy = read_before(c, &c->dy, i), .gate = read_before(c, &c->gate, i)};
    if (c->set & BIAS)
        e.x = add(c->type, e.x, read_before(c, &c->bias, i));
    e.slope = c->set & PARAMETER ? read_before(c, &c->parameter, i) : c->set & RANDOM ? slopes[i] : 0.375;
    return e;
}

static int is_line(const test_case *c) { return c->set & (PARAMETER | RANDOM); }

static double value_of(const test_case *c, const element *e)
{
    if (c->set & FROM_OUTPUT)
        return e->x;
    if (is_line(c))
        return e->x > 0 ? e->x : times(c->type, e->slope, e->x);
    return plain_value(c->activation, c->type, e->x);
}

static double code_value(const test_case *c, int64_t i)
{
    sugar_activation_info info = {.struct_size = sizeof info};
    assert_ok(sugar_activation_get_info(c->activation, &info));
    const uint8_t code =
        *((const uint8_t *)c->saved.before + ((uint8_t *)c->saved.v.tensor.data - (const uint8_t *)c->saved.memory)
          + offset_of(c, &c->saved.v, i));
    const double lower = info.gradient_minimum, spacing = (info.gradient_maximum - lower) / 255;
    return times_plus(c->type, code, spacing, lower);
}

static double derivative_of(const test_case *c, const element *e, int64_t i)
{
    if (c->is_backward && c->set & SAVED)
        return code_value(c, i);
    if (!is_line(c))
        return plain_derivative(c->activation, c->type, e->x, c->set & FROM_OUTPUT ? SUGAR_CALL_FROM_OUTPUT : 0);
    const double own = isnan(e->x) ? e->x : e->x > 0 ? 1 : e->slope, blend = c->recipe->blend;
    if (blend == 0 || (c->recipe->negative_only && !(e->x <= 0)))
        return own;
    const double other = plain_derivative(c->surrogate, c->type, e->x, 0);
    return blend == 1 ? other : times_plus(c->type, blend, other, times(c->type, 1 - blend, own));
}

static void expect(const test_case *c, const operand *o, int64_t i, const char *what, double value)
{
    const uint64_t found = bits_after(c, o, i), expected = element_of(value, o->type);
    if (!element_same(found, expected, o->type))
        fail_msg("set 0x%x, %s, %s %s: element %lld of %s is %a, expected %a (rounded)", (unsigned)c->set,
                 c->is_backward ? "backward" : "forward", element_formats[c->type].name, c->recipe->spec, (long long)i,
                 what, element_value(found, o->type), value);
}

static const operand *output_of(const test_case *c, int number)
{
    return c->in_place[number] ? c->in_place[number] : number ? &c->gate_gradient : &c->out;
}

/* The code nearest to g', or a neighbour where it is nearly as near. */
static void expect_code(const test_case *c, int64_t i, double derivative)
{
    sugar_activation_info info = {.struct_size = sizeof info};
    assert_ok(sugar_activation_get_info(c->activation, &info));
    const double exact = 255 * (derivative - info.gradient_minimum) / (info.gradient_maximum - info.gradient_minimum);
    const uint8_t code = ((uint8_t *)c->saved.v.tensor.data)[offset_of(c, &c->saved.v, i)];
    if (isnan(derivative) ? code != 0 : !(fabs(exact - code) <= 0.5001))
        fail_msg("set 0x%x, %s %s: code %d, expected %g", (unsigned)c->set, element_formats[c->type].name,
                 c->recipe->spec, code, exact);
}

/* Sums by the offset of what the elements share. */
typedef struct shared_sum {
    long double value, size;
} shared_sum;
static shared_sum sums_of[MOST_MEMORY];

static int64_t place_of_sum(const test_case *c, const operand *o, int64_t i)
{
    const int64_t width = (int64_t)element_formats[o->type].width;
    return ((char *)o->v.tensor.data - (const char *)o->memory) / width + offset_of(c, &o->v, i);
}

/* Within half a unit in the last place of the exact sum. */
static void check_sums(const test_case *c, const operand *o, const char *what)
{
    static const double smallest[ELEMENT_TYPES] = {0x1p-149, 0x1p-1074, 0x1p-24, 0x1p-133};
    for (int64_t i = 0; i < c->count; i++) {
        shared_sum expected = sums_of[place_of_sum(c, o, i)];
        if (c->set & ACCUMULATE)
            expected.value += (long double)read_before(c, o, i);
        const double found = element_value(bits_after(c, o, i), o->type);
        const double half = ldexp(0.5000001, -element_formats[o->type].mantissa_bits);
        const long double allowed = (long double)half * fabsl(expected.value) + 0x1p-60L * expected.size;
        if (!(fabsl((long double)found - expected.value) <= allowed + (long double)smallest[o->type]))
            fail_msg("set 0x%x, %s %s: %s is %a, expected %La", (unsigned)c->set, element_formats[c->type].name,
                     c->recipe->spec, what, found, expected.value);
    }
}

static void add_product(const test_case *c, const operand *o, int64_t i, double product)
{
    shared_sum *s = &sums_of[place_of_sum(c, o, i)];
    s->value += (long double)product;
    s->size += fabsl((long double)product);
}

static void check_forward(const test_case *c)
{
    for (int64_t i = 0; i < c->count; i++) {
        const element e = read_element(c, i);
        const double value = value_of(c, &e);
        expect(c, output_of(c, 0), i, "y", c->set & GATE ? times(c->type, value, e.gate) : value);
        if (c->set & SAVED)
            expect_code(c, i, derivative_of(c, &e, i));
    }
}

static void check_backward(const test_case *c)
{
    const operand *summed = c->set & BIAS_GRADIENT ? &c->bias_gradient : &c->parameter_gradient;
    memset(sums_of, 0, (size_t)c->used * sizeof *sums_of);
    for (int64_t i = 0; i < c->count; i++) {
        const element e = read_element(c, i);
        const double dy = c->set & GATE ? times(c->type, e.dy, e.gate) : e.dy, d = derivative_of(c, &e, i);
        const double product = times(c->type, dy, d);
        const int adds = c->set & ACCUMULATE;
        const operand *dx = output_of(c, 0), *gradient = output_of(c, 1);
        expect(c, dx, i, "dx", adds ? times_plus(c->type, dy, d, read_before(c, dx, i)) : product);
        if (c->set & GATE_GRADIENT) {
            const double value = value_of(c, &e), before = read_before(c, gradient, i);
            expect(c, gradient, i, "gate_gradient",
                   adds ? times_plus(c->type, e.dy, value, before) : times(c->type, e.dy, value));
        }
        add_product(c, summed, i, c->set & BIAS_GRADIENT ? product : times(c->type, dy, e.x > 0 ? 0 : e.x));
    }
    if (c->set & (BIAS_GRADIENT | PARAMETER_GRADIENT))
        check_sums(c, summed, c->set & BIAS_GRADIENT ? "bias_gradient" : "parameter_gradient");
}

/* A monitor sees x with its bias. */
static void check_monitor(const test_case *c)
{
    sugar_monitor_summary summary = {.struct_size = sizeof summary};
    int64_t active = 0;
    double total = 0;
    for (int64_t i = 0; i < c->count; i++) {
        const element e = read_element(c, i);
        active += e.x > 0;
        total += e.x;
    }
    assert_ok(sugar_monitor_get(c->options.monitor, &summary));
    assert_int_equal(summary.samples, c->count);
    assert_int_equal(summary.active, active);
    assert_true(fabs(summary.mean * (double)c->count - total) < 1e-9 * (double)c->count);
}

static void check_untouched(const test_case *c)
{
    const operand *const all[] = {&c->x,
                                  &c->dy,
                                  &c->out,
                                  &c->parameter,
                                  &c->parameter_gradient,
                                  &c->bias,
                                  &c->bias_gradient,
                                  &c->gate,
                                  &c->gate_gradient,
                                  &c->saved};
    for (size_t k = 0; k < COUNT(all); k++)
        if (memcmp(all[k]->memory, all[k]->before, (size_t)c->used * sizeof(uint64_t)) != 0)
            fail_msg("set 0x%x in %s: refused, but operand %d was written", (unsigned)c->set,
                     c->is_backward ? "backward" : "forward", (int)k);
}

static void check_case(int set, int is_backward, element_type type, uint64_t *state)
{
    static test_case c;
    make_case(&c, set, is_backward, type, state);
    const sugar_status status = run_case(&c);
    if (!is_allowed(set, is_backward)) {
        assert_fails(status, SUGAR_ERROR_UNSUPPORTED, "options: ");
        check_untouched(&c);
    } else {
        if (status != SUGAR_OK)
            fail_msg("set 0x%x in %s: %s", (unsigned)set, is_backward ? "backward" : "forward", sugar_last_error());
        if (set & RANDOM)
            draw_slopes(&c);
        if (set & FUSED && is_backward)
            check_backward(&c);
        else if (set & FUSED)
            check_forward(&c);
        if (set & MONITOR)
            check_monitor(&c);
    }
    end_case(&c);
}

/* Sets that only older options are in have tests of their own: here it is whether they are refused. */
static void every_set(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    for (int set = 0; set < ALL_SETS; set++)
        for (int is_backward = 0; is_backward < 2; is_backward++)
            for (element_type type = 0; type < ELEMENT_TYPES; type++)
                for (int i = is_allowed(set, is_backward) && !short_run() ? 8 : 1; i > 0; i--)
                    check_case(set, is_backward, type, &state);
}

/* ---- The same bits ------------------------------------------------------------------------------ */

enum { ROWS = 60, CHANNELS = 150, PLACES = 30, MANY = ROWS * CHANNELS * PLACES };
static const int64_t many_shape[3] = {ROWS, CHANNELS, PLACES};

enum { IN_X, IN_DY, IN_GATE, IN_BIAS, OUT_Y, OUT_DX, OUT_GATE, OUT_BIAS, TENSORS };

typedef struct results {
    uint64_t memory[TENSORS][MANY];
} results;

static void compute(results *r, element_type type, const char *level, const sugar_context *context,
                    const int64_t *extents)
{
    view v[TENSORS];
    uint64_t state = 5;
    memset(r, 0, sizeof *r);
    for (int k = 0; k < TENSORS; k++) {
        const int is_broadcast = k == IN_BIAS || k == OUT_BIAS;
        view_make(&v[k], r->memory[k], 4, 3, is_broadcast ? extents : many_shape, NULL);
        v[k].tensor.dtype = element_formats[type].dtype;
        for (int i = 0; k < OUT_Y && i < MANY; i++)
            set_to(r->memory[k], i, type, (double)random_between(&state, -3000, 3000) / 1024);
    }
    sugar_activation *a = must_create("gelu~bsilu(domain=negative)", level);
    sugar_call_options options = {
        .struct_size = sizeof options, .context = context, .bias = &v[IN_BIAS].tensor, .gate = &v[IN_GATE].tensor};
    assert_ok(sugar_forward(a, &v[IN_X].tensor, &v[OUT_Y].tensor, &options));
    options.bias_gradient = &v[OUT_BIAS].tensor;
    options.gate_gradient = &v[OUT_GATE].tensor;
    assert_ok(sugar_backward(a, &v[IN_X].tensor, &v[IN_DY].tensor, &v[OUT_DX].tensor, &options));
    sugar_activation_destroy(a);
}

/* A caller's pool that has one thread, and takes the tasks from the last one on. */
static void backwards(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    (void)payload;
    for (int64_t i = count - 1; i >= 0; i--)
        task(work, i);
}

static void compare_contexts(element_type type, const int64_t *extents)
{
    static results one, other;
    compute(&one, type, NULL, NULL, extents);
    for (int threads = 2; threads <= 4; threads++) {
        const sugar_context_options options = {
            .struct_size = sizeof options, .threads = threads, .parallel_for = threads == 4 ? backwards : NULL};
        sugar_context *context;
        assert_ok(sugar_context_create(&context, &options));
        compute(&other, type, NULL, context, extents);
        if (memcmp(&one, &other, sizeof one) != 0)
            fail_msg("%s: other bits with %d threads", element_formats[type].name, threads);
        sugar_context_destroy(context);
    }
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    for (int level = 0; level < count; level++) {
        compute(&other, type, levels[level], NULL, extents);
        if (memcmp(&one, &other, sizeof one) != 0)
            fail_msg("%s: other bits at level %s", element_formats[type].name, levels[level]);
    }
}

static void same_bits_for_threads_and_levels(void **unused)
{
    (void)unused;
    static const int64_t extents[][3] = {{1, 1, 1}, {1, CHANNELS, 1}, {1, CHANNELS, PLACES}, {ROWS, CHANNELS, PLACES}};
    for (element_type type = 0; type < ELEMENT_TYPES; type++)
        for (size_t s = 0; s < COUNT(extents); s++)
            if (!short_run() || s == (size_t)type)
                compare_contexts(type, extents[s]);
}

/* ---- Saved bits --------------------------------------------------------------------------------- */

/* They are exact: backward gives from them what it gives from x with its bias. */
static void check_bits(element_type type)
{
    enum { N = 3001 };
    static uint64_t memory[6][N];
    static uint8_t bits[N / 8 + 1];
    static const int64_t extent = N, one = 1;
    uint64_t state = 9, sums[2] = {0, 0}, bias = 0;
    view v[6], saved, sum[2], with;
    for (int k = 0; k < 6; k++) {
        view_make(&v[k], memory[k], 4, 1, &extent, NULL);
        v[k].tensor.dtype = element_formats[type].dtype;
        for (int i = 0; i < N; i++)
            set_to(memory[k], i, type, (double)random_between(&state, -3000, 3000) / 1024);
    }
    for (int k = 0; k < 2; k++)
        view_make(&sum[k], &sums[k], 4, 1, &one, NULL);
    view_make(&with, &bias, 4, 1, &one, NULL);
    set_to(&bias, 0, type, 0.625);
    sum[0].tensor.dtype = sum[1].tensor.dtype = with.tensor.dtype = element_formats[type].dtype;
    view_make(&saved, bits, 1, 1, &extent, NULL);
    saved.tensor.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 1, 1};
    sugar_activation *a = must_create("leaky_relu(negative_slope=0.3)", NULL);
    sugar_call_options options = {.struct_size = sizeof options, .gate = &v[2].tensor, .bias = &with.tensor};
    options.saved_gradient = &saved.tensor;
    assert_ok(sugar_forward(a, &v[0].tensor, &v[3].tensor, &options));
    options.saved_gradient = NULL;
    options.bias_gradient = &sum[0].tensor;
    assert_ok(sugar_backward(a, &v[0].tensor, &v[1].tensor, &v[4].tensor, &options));
    options.bias = NULL;
    options.saved_gradient = &saved.tensor;
    options.bias_gradient = &sum[1].tensor;
    assert_ok(sugar_backward(a, NULL, &v[1].tensor, &v[5].tensor, &options));
    assert_memory_equal(memory[4], memory[5], N * element_formats[type].width);
    assert_true(sums[0] == sums[1] && sums[0] != 0);
    sugar_activation_destroy(a);
}

static void saved_bits(void **unused)
{
    (void)unused;
    for (element_type type = 0; type < ELEMENT_TYPES; type++)
        check_bits(type);
}

/* ---- Sums --------------------------------------------------------------------------------------- */

/* 10^8 products, whole numbers of which the sum is known: rows that repeat, by strides of 0. They nearly cancel. */
static void sum_of_many(void **unused)
{
    (void)unused;
    enum { ROW = 4096 };
    const int64_t rows = short_run() ? 100 : 100000000 / ROW, extents[2] = {rows, ROW}, one[2] = {1, 1};
    static const int64_t repeated[2] = {0, 1};
    static float x[ROW], dy[ROW];
    float gradient = 0;
    uint64_t state = 3;
    int64_t total = 0;
    for (int i = 0; i < ROW; i++) {
        x[i] = 1;
        dy[i] = (float)(i % 2 ? random_between(&state, -8000000, 8000000) : -(int64_t)dy[i > 0 ? i - 1 : 0]);
        total += (int64_t)dy[i];
    }
    float *dx = malloc((size_t)(rows * ROW) * sizeof *dx);
    assert_non_null(dx);
    view vx, vdy, vdx, sum;
    view_make(&vx, x, 4, 2, extents, repeated);
    view_make(&vdy, dy, 4, 2, extents, repeated);
    view_make(&vdx, dx, 4, 2, extents, NULL);
    view_make(&sum, &gradient, 4, 2, one, NULL);
    sugar_activation *a = must_create("relu", NULL);
    const sugar_call_options options = {.struct_size = sizeof options, .bias_gradient = &sum.tensor};
    assert_ok(sugar_backward(a, &vx.tensor, &vdy.tensor, &vdx.tensor, &options));
    sugar_activation_destroy(a);
    free(dx);
    const double exact = (double)(total * rows);
    if (!(fabs((double)gradient - exact) <= 0x0.8p-23 * fabs(exact)))
        fail_msg("%lld products: %a, expected %a", (long long)(rows * ROW), (double)gradient, exact);
}

static void sums_over_nothing(void **unused)
{
    (void)unused;
    static const int64_t none[2] = {0, 3}, per_feature[2] = {1, 3};
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        float sums[3] = {5, 6, 7}, bias[3] = {1, 2, 3};
        view nothing, sum, with;
        view_make(&nothing, NULL, 4, 2, none, NULL);
        view_make(&sum, sums, 4, 2, per_feature, NULL);
        view_make(&with, bias, 4, 2, per_feature, NULL);
        sugar_activation *a = must_create("silu", NULL);
        const sugar_call_options options = {.struct_size = sizeof options,
                                            .flags = accumulate ? SUGAR_CALL_ACCUMULATE : 0,
                                            .bias = &with.tensor,
                                            .bias_gradient = &sum.tensor,
                                            .gate = &nothing.tensor,
                                            .gate_gradient = &nothing.tensor};
        assert_ok(sugar_backward(a, &nothing.tensor, &nothing.tensor, &nothing.tensor, &options));
        for (int i = 0; i < 3; i++)
            assert_true(sums[i] == (accumulate ? (float)(5 + i) : 0));
        sugar_activation_destroy(a);
    }
}

/* ---- What is refused ----------------------------------------------------------------------------- */

/* Calls on (2, 4) elements in one block of memory: each operand's offset in it, in elements; negative: not given. */
typedef struct placing {
    const char *expected;           /* of the message; NULL: the call succeeds */
    int is_backward;
    int x, dy, out, bias, bias_gradient, gate, gate_gradient;
} placing;

static const placing placings[] = {
    {NULL, 0, 0, -1, 8, 16, -1, 32, -1},
    {NULL, 0, 0, -1, 32, 16, -1, 32, -1},           /* y is the gate */
    {NULL, 0, 0, -1, 0, 16, -1, 0, -1},             /* y, x and the gate are one */
    {"y: overlaps gate, expected the very same view", 0, 0, -1, 33, 16, -1, 32, -1},
    {"y: overlaps bias, expected no shared element", 0, 0, -1, 8, 11, -1, 32, -1},
    {NULL, 1, 0, 8, 40, 16, 20, 32, 48},
    {NULL, 1, 0, 8, 32, 16, 20, 32, 0},             /* dx is the gate, gate_gradient is x */
    {NULL, 1, 0, 8, 8, 16, 20, 32, 32},
    {"dx: overlaps gate_gradient, expected no shared element", 1, 0, 8, 40, 16, 20, 32, 40},
    {"gate_gradient: overlaps dy, expected the very same view", 1, 0, 8, 40, 16, 20, 32, 9},
    {"bias_gradient: overlaps bias, expected no shared element", 1, 0, 8, 40, 16, 16, 32, 48},
    {"bias_gradient: overlaps gate, expected no shared element", 1, 0, 8, 40, 16, 32, 32, 48},
    {"gate_gradient: overlaps bias_gradient, expected no shared element", 1, 0, 8, 40, 16, 20, 32, 20},
};

static const sugar_tensor *view_at(view *v, float *memory, int at, int64_t rows)
{
    const int64_t extents[2] = {rows, 4};
    view_make(v, memory + (at < 0 ? 0 : at), sizeof *memory, 2, extents, NULL);
    return at < 0 ? NULL : &v->tensor;
}

static void overlaps(void **unused)
{
    (void)unused;
    sugar_activation *a = must_create("silu", NULL);
    for (size_t i = 0; i < COUNT(placings); i++) {
        const placing *p = &placings[i];
        float memory[64], before[64];
        view x, dy, out, v[4];
        for (int k = 0; k < 64; k++)
            before[k] = memory[k] = (float)k / 16;
        const sugar_call_options options = {.struct_size = sizeof options,
                                            .bias = view_at(&v[0], memory, p->bias, 1),
                                            .bias_gradient = view_at(&v[1], memory, p->bias_gradient, 1),
                                            .gate = view_at(&v[2], memory, p->gate, 2),
                                            .gate_gradient = view_at(&v[3], memory, p->gate_gradient, 2)};
        const sugar_tensor *in = view_at(&x, memory, p->x, 2), *to = view_at(&out, memory, p->out, 2);
        const sugar_status status = p->is_backward ? sugar_backward(a, in, view_at(&dy, memory, p->dy, 2), to, &options)
                                                   : sugar_forward(a, in, to, &options);
        if (!p->expected) {
            assert_ok(status);
        } else {
            assert_fails(status, SUGAR_ERROR_OVERLAP, p->expected);
            assert_memory_equal(memory, before, sizeof memory);
        }
    }
    sugar_activation_destroy(a);
}

/* A backward call on (2, 4) elements whose option has another shape, type or stride. */
static void expect_refused(size_t option, const sugar_tensor *tensor, sugar_status status, const char *part)
{
    float x[8] = {0}, dx[8] = {5};
    view vx, vdx;
    view_at(&vx, x, 0, 2);
    view_at(&vdx, dx, 0, 2);
    sugar_activation *a = must_create("silu", NULL);
    sugar_call_options options = {.struct_size = sizeof options};
    memcpy((char *)&options + option, &tensor, sizeof tensor);
    assert_fails(sugar_backward(a, &vx.tensor, &vx.tensor, &vdx.tensor, &options), status, part);
    assert_true(dx[0] == 5);
    sugar_activation_destroy(a);
}

static void operands_that_do_not_fit(void **unused)
{
    (void)unused;
    enum { OF_BIAS, OF_SUM, OF_GATE, OF_PRODUCT, OPTIONS };
    static const size_t offsets[OPTIONS] = {
        offsetof(sugar_call_options, bias), offsetof(sugar_call_options, bias_gradient),
        offsetof(sugar_call_options, gate), offsetof(sugar_call_options, gate_gradient)};
    static const char *const shapes[OPTIONS] = {
        "bias: shape (3, 4), expected (2, 4) like x, or 1 in any dimension",
        "bias_gradient: shape (3, 4), expected (2, 4) like x, or 1 in any dimension",
        "gate: shape (3, 4), expected (2, 4) like x", "gate_gradient: shape (3, 4), expected (2, 4) like x"};
    static const char *const types[OPTIONS] = {"bias: dtype float16, expected float32 like x",
                                               "bias_gradient: dtype float16", "gate: dtype float16",
                                               "gate_gradient: dtype float16"};
    static const char *const names[OPTIONS] = {"bias: data NULL", "bias_gradient: data NULL", "gate: data NULL",
                                               "gate_gradient: data NULL"};
    for (int k = 0; k < OPTIONS; k++) {
        float memory[12] = {0};
        view v;
        view_at(&v, memory, 0, 3);
        expect_refused(offsets[k], &v.tensor, SUGAR_ERROR_ARGUMENT, shapes[k]);
        view_at(&v, memory, 0, 2);
        v.tensor.dtype.bits = 16;
        expect_refused(offsets[k], &v.tensor, SUGAR_ERROR_ARGUMENT, types[k]);
        view_at(&v, NULL, 0, 2);
        expect_refused(offsets[k], &v.tensor, SUGAR_ERROR_ARGUMENT, names[k]);
        view_at(&v, memory, 0, 2);
        v.strides[0] = 0;
        if (k == OF_SUM || k == OF_PRODUCT)
            expect_refused(offsets[k], &v.tensor, SUGAR_ERROR_OVERLAP, "gradient: stride 0 in dimension 0 of extent 2");
    }
}

/* A narrow gate may not be f32: it has the type of x. */
static void only_broadcast_operands_are_wide(void **unused)
{
    (void)unused;
    static const int64_t extent = 4;
    uint16_t x[4] = {0}, y[4] = {9};
    float gate[4] = {0};
    view vx, vy, with;
    view_make(&vx, x, 2, 1, &extent, NULL);
    view_make(&vy, y, 2, 1, &extent, NULL);
    view_make(&with, gate, 4, 1, &extent, NULL);
    vx.tensor.dtype = vy.tensor.dtype = element_formats[ELEMENT_F16].dtype;
    sugar_activation *a = must_create("silu", NULL);
    sugar_call_options options = {.struct_size = sizeof options, .gate = &with.tensor};
    assert_fails(sugar_forward(a, &vx.tensor, &vy.tensor, &options), SUGAR_ERROR_ARGUMENT,
                 "gate: dtype float32, expected float16 like x");
    assert_int_equal(y[0], 9);
    sugar_activation_destroy(a);
}

/* A row that is long enough to be used where it lies, once converted, and x as rows that lie one after another or
 * apart. Sums are multiples of 1/64 that f16 and bf16 can hold. */
static void rows_of_wide_biases(void **unused)
{
    (void)unused;
    enum { IN_ROWS = 5, LENGTH = 200, APART = 210 };
    static const int64_t shape[2] = {IN_ROWS, LENGTH}, row[2] = {1, LENGTH};
    static uint16_t x[IN_ROWS * APART], y[IN_ROWS * APART];
    float bias[LENGTH];
    sugar_activation *a = must_create("relu", NULL);
    for (int test = 0; test < 4; test++) {
        const element_type type = test & 1 ? ELEMENT_F16 : ELEMENT_BF16;
        const int64_t strides[2] = {test & 2 ? APART : LENGTH, 1};
        view vx, vy, with;
        view_make(&vx, x, 2, 2, shape, strides);
        view_make(&vy, y, 2, 2, shape, strides);
        view_make(&with, bias, 4, 2, row, NULL);
        vx.tensor.dtype = vy.tensor.dtype = element_formats[type].dtype;
        for (int i = 0; i < IN_ROWS * LENGTH; i++) {
            bias[i % LENGTH] = (float)(i % LENGTH - 100) / 64;
            element_store(x, i / LENGTH * strides[0] + i % LENGTH, type, element_of((i / LENGTH - 2) / 32.0, type));
        }
        const sugar_call_options options = {.struct_size = sizeof options, .bias = &with.tensor};
        assert_ok(sugar_forward(a, &vx.tensor, &vy.tensor, &options));
        for (int i = 0; i < IN_ROWS * LENGTH; i++) {
            const double sum = (i % LENGTH - 100) / 64.0 + (i / LENGTH - 2) / 32.0;
            const uint64_t found = element_load(y, i / LENGTH * strides[0] + i % LENGTH, type);
            assert_int_equal(found, element_of(sum > 0 ? sum : 0, type));
        }
    }
    sugar_activation_destroy(a);
}

/* The bits of an f32 NaN that rounding to 16 bits would carry out of. */
static void not_a_number_stays_one(void **unused)
{
    (void)unused;
    static const int64_t extent = 40;
    const uint32_t bits = 0x7fffffff;
    for (element_type type = ELEMENT_F16; type <= ELEMENT_BF16; type++) {
        uint16_t x[40] = {0}, y[40] = {0};
        float bias[40];
        view vx, vy, with;
        for (int i = 0; i < 40; i++)
            memcpy(&bias[i], &bits, sizeof bits);
        view_make(&vx, x, 2, 1, &extent, NULL);
        view_make(&vy, y, 2, 1, &extent, NULL);
        view_make(&with, bias, 4, 1, &extent, NULL);
        vx.tensor.dtype = vy.tensor.dtype = element_formats[type].dtype;
        sugar_activation *a = must_create("relu", NULL);
        const sugar_call_options options = {.struct_size = sizeof options, .bias = &with.tensor};
        assert_ok(sugar_forward(a, &vx.tensor, &vy.tensor, &options));
        for (int i = 0; i < 40; i++)
            assert_true(element_is_nan(y[i], type));
        sugar_activation_destroy(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_set),
        cmocka_unit_test(same_bits_for_threads_and_levels),
        cmocka_unit_test(saved_bits),
        cmocka_unit_test(sum_of_many),
        cmocka_unit_test(sums_over_nothing),
        cmocka_unit_test(overlaps),
        cmocka_unit_test(operands_that_do_not_fit),
        cmocka_unit_test(only_broadcast_operands_are_wide),
        cmocka_unit_test(rows_of_wide_biases),
        cmocka_unit_test(not_a_number_stays_one),
    };
    return cmocka_run_group_tests_name("fused", tests, NULL, NULL);
}
