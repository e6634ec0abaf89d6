/* Parameters that are tensors, and their gradients: layouts, threads, sums, and what is refused. The suite
 * `accuracy` tests how far values and derivatives are from the exact ones. */
#include "unit.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* df/dparameter by the formulas of the catalogue, with functions of libm. */
static double slope_line(double x, double p)
{
    (void)p;
    return fmin(x, 0);
}
static double slope_elu(double x, double p)
{
    (void)p;
    return expm1(fmin(x, 0));
}
static double slope_celu(double x, double p)
{
    const long double u = (long double)fmin(x, 0) / (long double)p;
    return (double)(expm1l(u) - u * expl(u));       /* it cancels near 0 */
}
static double logistic(double x) { return 1 / (1 + exp(-x)); }
static double slope_silu(double x, double p) { return x * x * logistic(p * x) * logistic(-p * x); }
static double slope_softplus(double x, double p)
{
    const double a = fabs(p * x);
    return -(a * logistic(-a) + log1p(exp(-a))) / (p * p);
}
static double slope_squareplus(double x, double p) { return 0.25 / sqrt(x * x + p); }
static double slope_bsilu(double x, double p)
{
    (void)p;
    return tanh(x / 2) / 2;
}
static double slope_nelu(double x, double p)
{
    (void)p;
    return x > 0 ? 0 : x * x / (1 + x * x);
}

static const struct learner {
    const char *name, *parameter;
    double (*slope)(double x, double p);
} learners[] = {
    {"leaky_relu", "negative_slope", slope_line},
    {"prelu", "alpha", slope_line},
    {"elu", "alpha", slope_elu},
    {"celu", "alpha", slope_celu},
    {"silu", "beta", slope_silu},
    {"softplus", "beta", slope_softplus},
    {"squareplus", "b", slope_squareplus},
    {"bsilu", "alpha", slope_bsilu},
    {"nelu", "alpha", slope_nelu},
};

/* Parameters that every element type has, within the range of every kind. */
static const double parameters[] = {0.125, 0.25, 1, 1.5, 3, 0.375, 40};
enum { PARAMETERS = COUNT(parameters) };

static sugar_activation *create_with(const struct learner *kind, double parameter)
{
    char spec[64];
    snprintf(spec, sizeof spec, "%s(%s=%g)", kind->name, kind->parameter, parameter);
    return must_create(spec, NULL);
}

static void set(void *elements, int64_t i, element_type type, double value)
{
    element_store(elements, i, type, element_of(value, type));
}

static double get(const void *elements, int64_t i, element_type type)
{
    return element_value(element_load(elements, i, type), type);
}

/* ---- Every kind in every layout ---------------------------------------------------------------- */

enum { N = 5, C = 7, H = 37, ALL = N * C * H, SHARED_BY_ALL = 0, PER_CHANNEL, PER_ELEMENT, PER_FEATURE, SHARINGS };
static const int64_t shape[3] = {N, C, H};

/* The extents of the parameter. */
static const int64_t sharing[SHARINGS][3] = {{1, 1, 1}, {1, C, 1}, {N, C, H}, {1, C, H}};

/* Compact; another order in memory; backwards, with gaps. The first element's offset comes last. */
static const int64_t layouts[][4] = {
    {C * H, H, 1, 0}, {1, N *H, N, 0}, {-2 * C * H, 2 * H, -2, (N - 1) * 2 * C *H + (H - 1) * 2}};

typedef struct operand {
    view v;
    uint64_t memory[2 * ALL];
} operand;

static void place(operand *o, element_type type, const int64_t *extents, const int64_t *strides, int64_t start)
{
    view_make(&o->v, (char *)o->memory + (size_t)start * element_formats[type].width, 4, 3, extents, strides);
    o->v.tensor.dtype = element_formats[type].dtype;
}

static double read_at(const operand *o, int64_t i, element_type type)
{
    return get(o->v.tensor.data, view_offset(&o->v, i), type);
}

static operand x, y, dy, dx, parameter, gradient;

/* Where the parameter of element i is, and its sum. */
static int64_t shared_offset(int64_t i)
{
    int64_t offset = 0;
    for (int d = 2; d >= 0; d--) {
        offset += parameter.v.shape[d] > 1 ? i % shape[d] * parameter.v.strides[d] : 0;
        i /= shape[d];
    }
    return offset;
}

static void lay_out(element_type type, const int64_t *extents, const int64_t *layout, uint64_t seed)
{
    place(&x, type, shape, layout, layout[3]);
    place(&y, type, shape, NULL, 0);
    place(&dy, type, shape, NULL, 0);
    place(&dx, type, shape, layout, layout[3]);
    place(&parameter, type, extents, NULL, 0);
    place(&gradient, type, extents, NULL, 0);
    uint64_t state = seed;
    for (int64_t i = 0; i < 2 * ALL; i++) {
        set(x.memory, i, type, (double)random_between(&state, -600, 600) / 128);
        set(dy.memory, i, type, (double)random_between(&state, -100, 100) / 32);
        set(parameter.memory, i, type, parameters[i % PARAMETERS]);
    }
}

/* How far a result may be from the plain call's. Where the parameter is the default, and bsilu's in f32 always,
 * the plain call has formulas that need one parameter for all elements; their last bits differ. */
static double allowed_difference(const char *kind, element_type type)
{
    static const char *const with_defaults[] = {"celu", "silu", "softplus", "bsilu"};
    const double spacings[] = {
        [ELEMENT_F32] = 0x1p-22, [ELEMENT_F64] = 0x1p-50, [ELEMENT_F16] = 0x1p-10, [ELEMENT_BF16] = 0x1p-7};
    for (size_t i = 0; i < sizeof with_defaults / sizeof *with_defaults; i++)
        if (strcmp(kind, with_defaults[i]) == 0)
            return spacings[type];
    return 0;
}

/* The plain call with this parameter in its spec. */
static void assert_as_plain(const struct learner *kind, element_type type, int64_t i, sugar_activation *const *plain,
                            const char *where)
{
    const int64_t p = shared_offset(i) % PARAMETERS;
    uint64_t value = 0, derivative = 0, at_bits = 0, up_bits = 0;
    element_store(&at_bits, 0, type, element_load(x.v.tensor.data, view_offset(&x.v, i), type));
    element_store(&up_bits, 0, type, element_load(dy.memory, i, type));
    assert_ok(flat_forward(plain[p], type, 1, &at_bits, 1, &value, 1, NULL));
    assert_ok(flat_backward(plain[p], type, 1, &at_bits, 1, &up_bits, 1, &derivative, 1, NULL));
    const double allowed = allowed_difference(kind->name, type);
    const double found[2] = {get(y.memory, i, type), read_at(&dx, i, type)};
    const double expected[2] = {get(&value, 0, type), get(&derivative, 0, type)};
    for (int way = 0; way < 2; way++)
        if (!(fabs(found[way] - expected[way]) <= allowed * (fabs(expected[way]) + fabs(get(&up_bits, 0, type)))))
            fail_msg("%s %s, %s: %s at %g with %g is %a, expected %a", kind->name, element_formats[type].name, where,
                     way ? "dx" : "y", get(&at_bits, 0, type), parameters[p], found[way], expected[way]);
}

static void assert_gradient(const struct learner *kind, element_type type, const char *where)
{
    static double sum[ALL], size[ALL];
    memset(sum, 0, sizeof sum);
    memset(size, 0, sizeof size);
    for (int64_t i = 0; i < ALL; i++) {
        const int64_t p = shared_offset(i);
        const double slope = kind->slope(read_at(&x, i, type), parameters[p % PARAMETERS]);
        const double product = get(dy.memory, i, type) * slope;
        sum[p] += product;
        size[p] += fabs(product);
    }
    const double products = type == ELEMENT_F64 ? 0x1p-48 : 0x1p-21;
    static const double smallest[ELEMENT_TYPES] = {0x1p-149, 0x1p-1074, 0x1p-24, 0x1p-133};
    const double unit = ldexp(1, -element_formats[type].mantissa_bits);
    for (int64_t i = 0; i < ALL; i++) {
        const int64_t p = shared_offset(i);
        const double found = get(gradient.memory, p, type);
        if (!(fabs(found - sum[p]) <= unit * fabs(sum[p]) + 4 * smallest[type] + products * size[p]))
            fail_msg("%s %s, %s: gradient %a, expected %a", kind->name, element_formats[type].name, where, found,
                     sum[p]);
    }
}

static void check_layouts(const struct learner *kind, element_type type)
{
    sugar_activation *plain[PARAMETERS], *a = must_create(kind->name, NULL);
    for (int i = 0; i < PARAMETERS; i++)
        plain[i] = create_with(kind, parameters[i]);
    for (int shared = 0; shared < SHARINGS; shared++)
        for (size_t layout = 0; layout < COUNT(layouts); layout++) {
            char where[32];
            snprintf(where, sizeof where, "sharing %d, layout %d", shared, (int)layout);
            lay_out(type, sharing[shared], layouts[layout], 1 + layout);
            sugar_call_options options = {.struct_size = sizeof options, .parameter = &parameter.v.tensor};
            assert_ok(sugar_forward(a, &x.v.tensor, &y.v.tensor, &options));
            options.parameter_gradient = &gradient.v.tensor;
            assert_ok(sugar_backward(a, &x.v.tensor, &dy.v.tensor, &dx.v.tensor, &options));
            for (int64_t i = 0; i < ALL; i++)
                assert_as_plain(kind, type, i, plain, where);
            assert_gradient(kind, type, where);
        }
    for (int i = 0; i < PARAMETERS; i++)
        sugar_activation_destroy(plain[i]);
    sugar_activation_destroy(a);
}

static void kinds_types_and_layouts(void **unused)
{
    (void)unused;
    for (size_t k = 0; k < COUNT(learners); k++)
        for (element_type type = 0; type < ELEMENT_TYPES; type++)
            check_layouts(&learners[k], type);
}

/* ---- f32 beside narrow elements ----------------------------------------------------------------- */

enum { WIDE_PARAMETER = 1, WIDE_GRADIENT = 2, ACCUMULATES = 4, WIDTHS = 8 };

/* The same call in f32, on compact views: x, dy, y, dx, parameter, gradient. */
typedef struct in_f32 {
    float memory[6][ALL];
    view v[6];
} in_f32;

static void fill_both(operand *o, element_type type, in_f32 *same, int k, int64_t low, int64_t high, uint64_t *state)
{
    view_make(&same->v[k], same->memory[k], sizeof(float), 3, o->v.shape, NULL);
    for (int64_t i = 0; i < view_count(&o->v); i++) {
        const int64_t at = view_offset(&o->v, i);
        set(o->v.tensor.data, at, type, (double)random_between(state, low, high) / 1024);
        same->memory[k][i] = (float)get(o->v.tensor.data, at, type);
    }
}

/* As near as two roundings of nearly the same number. */
static void assert_rounded(const operand *o, element_type type, const float *expected, const char *what)
{
    const double unit = ldexp(1, -element_formats[type].mantissa_bits);
    for (int64_t i = 0; i < view_count(&o->v); i++) {
        const double found = read_at(o, i, type), wanted = (double)expected[i];
        if (!(fabs(found - wanted) <= unit * fabs(wanted) + 0x1p-24))
            fail_msg("%s: %a, expected %a", what, found, wanted);
    }
}

static void assert_same(const operand *o, element_type type, const float *expected, const char *what)
{
    for (int64_t i = 0; i < view_count(&o->v); i++) {
        const uint64_t found = element_load(o->v.tensor.data, view_offset(&o->v, i), type);
        if (!element_same(found, element_of((double)expected[i], type), type))
            fail_msg("%s: %a, expected %a rounded", what, element_value(found, type), (double)expected[i]);
    }
}

static void check_wide(const struct learner *kind, element_type type, int shared, const int64_t *layout, int widths)
{
    static in_f32 same;
    const element_type of_parameter = widths & WIDE_PARAMETER ? ELEMENT_F32 : type;
    const element_type of_gradient = widths & WIDE_GRADIENT ? ELEMENT_F32 : type;
    uint64_t state = 77;
    lay_out(type, sharing[shared], layout, 1);
    place(&parameter, of_parameter, sharing[shared], NULL, 0);
    place(&gradient, of_gradient, sharing[shared], NULL, 0);
    operand *const operands[] = {&x, &dy, &y, &dx, &parameter, &gradient};
    const element_type types[] = {type, type, type, type, of_parameter, of_gradient};
    for (int k = 0; k < 6; k++)
        fill_both(operands[k], types[k], &same, k, k == 4 ? 100 : -4000, 4000, &state);
    sugar_activation *a = must_create(kind->name, NULL);
    sugar_call_options options = {.struct_size = sizeof options}, plain = options;
    options.parameter = &parameter.v.tensor;
    plain.parameter = &same.v[4].tensor;
    if (widths & WIDE_PARAMETER) {
        assert_ok(sugar_forward(a, &x.v.tensor, &y.v.tensor, &options));
        assert_ok(sugar_forward(a, &same.v[0].tensor, &same.v[2].tensor, &plain));
        assert_same(&y, type, same.memory[2], "y");
    }
    options.flags = plain.flags = widths & ACCUMULATES ? SUGAR_CALL_ACCUMULATE : 0;
    options.parameter_gradient = &gradient.v.tensor;
    plain.parameter_gradient = &same.v[5].tensor;
    assert_ok(sugar_backward(a, &x.v.tensor, &dy.v.tensor, &dx.v.tensor, &options));
    assert_ok(sugar_backward(a, &same.v[0].tensor, &same.v[1].tensor, &same.v[3].tensor, &plain));
    assert_same(&dx, type, same.memory[3], "dx");
    assert_rounded(&gradient, of_gradient, same.memory[5], "gradient");
    sugar_activation_destroy(a);
}

/* With f32 parameters a call on narrow elements is the call in f32, whose results are rounded to elements. */
static void wide_parameters(void **unused)
{
    (void)unused;
    for (size_t k = 0; k < COUNT(learners); k++)
        for (element_type type = ELEMENT_F16; type <= ELEMENT_BF16; type++)
            for (int shared = 0; shared < SHARINGS; shared++)
                for (size_t layout = 0; layout < COUNT(layouts); layout++)
                    for (int widths = 0; widths < WIDTHS; widths++)
                        if (widths & (WIDE_PARAMETER | WIDE_GRADIENT) && (!short_run() || (k + layout) % 4 == 0))
                            check_wide(&learners[k], type, shared, layouts[layout], widths);
}

/* The range check reads f32 parameters as what they are. */
static void wide_parameters_out_of_range(void **unused)
{
    (void)unused;
    static const uint16_t narrow[4] = {0};
    static uint16_t out[4] = {7, 7, 7, 7};
    float value[4] = {1, 1, 1e-7f, 1};
    static const int64_t extent = 4;
    view vx, vy, with;
    view_make(&vx, (void *)(uintptr_t)narrow, 2, 1, &extent, NULL);
    view_make(&vy, out, 2, 1, &extent, NULL);
    view_make(&with, value, 4, 1, &extent, NULL);
    vx.tensor.dtype = vy.tensor.dtype = element_formats[ELEMENT_BF16].dtype;
    sugar_activation *a = must_create("celu", NULL);
    const sugar_call_options options = {.struct_size = sizeof options, .parameter = &with.tensor};
    assert_fails(sugar_forward(a, &vx.tensor, &vy.tensor, &options), SUGAR_ERROR_VALUE, "at (2,), expected 1e-06");
    assert_int_equal(out[0], 7);
    with.tensor.dtype = element_formats[ELEMENT_F64].dtype;
    assert_fails(sugar_forward(a, &vx.tensor, &vy.tensor, &options), SUGAR_ERROR_ARGUMENT,
                 "parameter: dtype float64, expected bfloat16 like x, or float32");
    sugar_activation_destroy(a);
}

/* The catalogue and this file agree on which kinds learn; the others refuse. */
static void which_kinds_learn(void **unused)
{
    (void)unused;
    lay_out(ELEMENT_F32, sharing[SHARED_BY_ALL], layouts[0], 1);
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        int learns = 0;
        for (size_t k = 0; k < COUNT(learners); k++)
            learns |= strcmp(learners[k].name, kind.name) == 0;
        if (learns != ((kind.capabilities & SUGAR_CAN_LEARN) != 0))
            fail_msg("%s: kinds.def %s that its parameter can be learned, `learners` in this file %s", kind.name,
                     learns ? "does not say" : "says", learns ? "has it" : "lacks it");
        if (learns || !(kind.roles & SUGAR_ROLE_FORWARD))
            continue;
        sugar_activation *a = must_create(kind.name, NULL);
        sugar_call_options options = {.struct_size = sizeof options, .parameter = &parameter.v.tensor};
        assert_fails(sugar_forward(a, &x.v.tensor, &y.v.tensor, &options), SUGAR_ERROR_UNSUPPORTED, kind.name);
        options = (sugar_call_options){.struct_size = sizeof options, .parameter_gradient = &gradient.v.tensor};
        assert_fails(sugar_backward(a, &x.v.tensor, &dy.v.tensor, &dx.v.tensor, &options), SUGAR_ERROR_UNSUPPORTED,
                     "parameter_gradient");
        sugar_activation_destroy(a);
    }
}

/* ---- The same bits ------------------------------------------------------------------------------ */

enum { ROWS = 60, CHANNELS = 150, PLACES = 30, MANY = ROWS * CHANNELS * PLACES };
static const int64_t many_shape[3] = {ROWS, CHANNELS, PLACES};

typedef struct results {
    float y[MANY], dx[MANY], gradient[MANY];
} results;

static void compute(results *r, const char *spec, const char *level, const sugar_context *context,
                    const int64_t *extents)
{
    static float many_x[MANY], many_dy[MANY], many_parameters[MANY];
    uint64_t state = 5;
    for (int i = 0; i < MANY; i++) {
        many_x[i] = (float)random_between(&state, -9000, 9000) * 0x1p-10f;
        many_dy[i] = (float)random_between(&state, -9000, 9000) * 0x1p-9f;
        many_parameters[i] = (float)random_between(&state, 1, 4000) * 0x1p-10f;
    }
    view views[6];
    void *const memory[6] = {many_x, r->y, many_dy, r->dx, many_parameters, r->gradient};
    for (int k = 0; k < 6; k++)
        view_make(&views[k], memory[k], 4, 3, k < 4 ? many_shape : extents, NULL);
    memset(r, 0, sizeof *r);
    sugar_activation *a = must_create(spec, level);
    sugar_call_options options = {.struct_size = sizeof options, .context = context, .parameter = &views[4].tensor};
    assert_ok(sugar_forward(a, &views[0].tensor, &views[1].tensor, &options));
    options.parameter_gradient = &views[5].tensor;
    assert_ok(sugar_backward(a, &views[0].tensor, &views[2].tensor, &views[3].tensor, &options));
    sugar_activation_destroy(a);
}

/* A caller's pool that has one thread, and takes the tasks from the last one on. */
static void backwards(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    (void)payload;
    for (int64_t i = count - 1; i >= 0; i--)
        task(work, i);
}

static void compare_contexts(const char *spec, const int64_t *extents)
{
    static results one, other;
    compute(&one, spec, NULL, NULL, extents);
    for (int threads = 2; threads <= 5; threads++) {
        const sugar_context_options options = {
            .struct_size = sizeof options, .threads = threads, .parallel_for = threads == 5 ? backwards : NULL};
        sugar_context *context;
        assert_ok(sugar_context_create(&context, &options));
        compute(&other, spec, NULL, context, extents);
        if (memcmp(&one, &other, sizeof one) != 0)
            fail_msg("%s: other bits with %d threads", spec, threads);
        sugar_context_destroy(context);
    }
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    for (int level = 0; level < count; level++) {
        compute(&other, spec, levels[level], NULL, extents);
        if (memcmp(&one, &other, sizeof one) != 0)
            fail_msg("%s: other bits at level %s", spec, levels[level]);
    }
}

static void same_bits_for_threads_and_levels(void **unused)
{
    (void)unused;
    static const int64_t extents[][3] = {
        {1, 1, 1}, {1, CHANNELS, 1}, {1, CHANNELS, PLACES}, {ROWS, CHANNELS, PLACES}, {ROWS, 1, 1}};
    for (size_t k = 0; k < COUNT(learners); k++)
        for (size_t s = 0; s < COUNT(extents); s++)
            if (!short_run() || (k + s) % 4 == 0)
                compare_contexts(learners[k].name, extents[s]);
}

/* An element's bits do not depend on whether neighbours have the same parameter, nor on whether an extent of 1 or a
 * stride of 0 says so. */
static void same_bits_for_strides(void **unused)
{
    (void)unused;
    static const int64_t zeros[3] = {0, 0, 0};
    for (size_t k = 0; k < COUNT(learners); k++)
        for (element_type type = 0; type < ELEMENT_TYPES; type++) {
            static uint64_t each_y[2 * ALL], each_dx[2 * ALL];
            sugar_activation *a = must_create(learners[k].name, NULL);
            for (int shared = 0; shared < 3; shared++) {
                lay_out(type, sharing[shared == 1 ? SHARED_BY_ALL : PER_ELEMENT], layouts[0], 8);
                if (shared == 2)
                    place(&parameter, type, shape, zeros, 0);
                for (int64_t i = 0; i < ALL; i++)
                    set(parameter.memory, i, type, 1.375);
                const sugar_call_options options = {.struct_size = sizeof options, .parameter = &parameter.v.tensor};
                assert_ok(sugar_forward(a, &x.v.tensor, &y.v.tensor, &options));
                assert_ok(sugar_backward(a, &x.v.tensor, &dy.v.tensor, &dx.v.tensor, &options));
                if (!shared) {
                    memcpy(each_y, y.memory, sizeof each_y);
                    memcpy(each_dx, dx.memory, sizeof each_dx);
                }
                assert_memory_equal(each_y, y.memory, ALL * element_formats[type].width);
                assert_memory_equal(each_dx, dx.memory, ALL * element_formats[type].width);
            }
            sugar_activation_destroy(a);
        }
}

/* ---- Views that lie closest together in dimensions of their own --------------------------------- */

enum { EDGE = 24, CUBE = EDGE * EDGE * EDGE };
static const int64_t edges[3] = {EDGE, EDGE, EDGE};
static const int64_t turns[6][3] = {
    {EDGE * EDGE, EDGE, 1}, {EDGE * EDGE, 1, EDGE}, {EDGE, EDGE *EDGE, 1},
    {EDGE, 1, EDGE *EDGE},  {1, EDGE *EDGE, EDGE},  {1, EDGE, EDGE *EDGE},
};

/* One cube of numbers, with its dimensions in every order in memory. */
static void turn(const float *cube, const int64_t *strides, float *turned)
{
    for (int64_t i = 0; i < CUBE; i++)
        turned[i / (EDGE * EDGE) * strides[0] + i / EDGE % EDGE * strides[1] + i % EDGE * strides[2]] = cube[i];
}

static void backward_turned(const sugar_activation *a, float cubes[3][CUBE], const int64_t *const strides[3],
                            float *out)
{
    static float memory[3][CUBE];
    sugar_tensor tensor[4];
    for (int k = 0; k < 4; k++) {
        tensor[k] = (sugar_tensor){.data = k < 3 ? memory[k] : out,
                                   .device = {SUGAR_DEVICE_CPU, 0},
                                   .ndim = 3,
                                   .dtype = element_formats[ELEMENT_F32].dtype,
                                   .shape = edges,
                                   .strides = k < 3 ? strides[k] : NULL};
        if (k < 3)
            turn(cubes[k], strides[k], memory[k]);
    }
    const sugar_call_options options = {.struct_size = sizeof options, .parameter = &tensor[2]};
    assert_ok(sugar_backward(a, &tensor[0], &tensor[1], &tensor[3], &options));
}

static void each_turned_its_own_way(void **unused)
{
    (void)unused;
    static float cubes[3][CUBE], expected[CUBE], found[CUBE];
    uint64_t state = 5;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < CUBE; i++)
            cubes[k][i] = (float)random_between(&state, k < 2 ? -4000 : 100, 4000) / 1024;
    sugar_activation *a = must_create("elu", NULL);
    backward_turned(a, cubes, (const int64_t *const[]){turns[0], turns[0], turns[0]}, expected);
    for (int i = 0; i < 216; i += short_run() ? 7 : 1) {
        backward_turned(a, cubes, (const int64_t *const[]){turns[i % 6], turns[i / 6 % 6], turns[i / 36]}, found);
        assert_memory_equal(found, expected, sizeof found);
    }
    sugar_activation_destroy(a);
}

/* ---- What a backward call composes -------------------------------------------------------------- */

static float call_x[4] = {-2, -1, 3, 1}, call_dy[4] = {1, 10, 100, 1000};
static const int64_t one = 1, four = 4;

static sugar_tensor vector(float *data, const int64_t *extent)
{
    return (sugar_tensor){
        .data = data, .device = {SUGAR_DEVICE_CPU, 0}, .ndim = 1, .dtype = {SUGAR_TYPE_FLOAT, 32, 1}, .shape = extent};
}

static void accumulates(void **unused)
{
    (void)unused;
    float p = 0.5f, g = 7, out[4] = {1, 1, 1, 1};
    const sugar_tensor value = vector(&p, &one), sum = vector(&g, &one);
    sugar_call_options options = {
        .struct_size = sizeof options, .flags = SUGAR_CALL_ACCUMULATE, .parameter = &value, .parameter_gradient = &sum};
    sugar_activation *a = must_create("prelu", NULL);
    assert_ok(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, out, 1, &options));
    assert_true(g == 7 - 2 - 10);
    assert_true(out[0] == 1.5f && out[1] == 6 && out[2] == 101 && out[3] == 1001);
    options.flags = 0;
    assert_ok(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, out, 1, &options));
    assert_true(g == -2 - 10 && out[0] == 0.5f && out[3] == 1000);
    sugar_activation_destroy(a);
}

/* In place: dx is x or dy; y is x. */
static void in_place(void **unused)
{
    (void)unused;
    for (size_t k = 0; k < COUNT(learners); k++) {
        float p[4] = {0.5f, 2, 1, 3}, g[3][4], out[3][4], value[2][4];
        const sugar_tensor each = vector(p, &four);
        sugar_call_options options = {.struct_size = sizeof options, .parameter = &each};
        sugar_activation *a = must_create(learners[k].name, NULL);
        memcpy(value[1], call_x, sizeof call_x);
        assert_ok(sugar_forward_f32(a, 4, call_x, 1, value[0], 1, &options));
        assert_ok(sugar_forward_f32(a, 4, value[1], 1, value[1], 1, &options));
        assert_memory_equal(value[0], value[1], sizeof value[0]);
        for (int at = 0; at < 3; at++) {
            const sugar_tensor sum = vector(g[at], &four);
            options.parameter_gradient = &sum;
            memcpy(out[at], at == 1 ? call_x : call_dy, sizeof call_x);
            const float *const from = at == 1 ? out[at] : call_x, *const up = at == 2 ? out[at] : call_dy;
            assert_ok(sugar_backward_f32(a, 4, from, 1, up, 1, out[at], 1, &options));
            assert_memory_equal(out[at], out[0], sizeof out[0]);
            assert_memory_equal(g[at], g[0], sizeof g[0]);
        }
        sugar_activation_destroy(a);
    }
}

/* The parameter's gradient is that of the forward function; dx is the surrogate's, which has its own alpha. */
static void surrogates(void **unused)
{
    (void)unused;
    float p[4] = {0.5f, 0.25f, 1, 3}, g[4], out[4], plain[4];
    const sugar_tensor each = vector(p, &four), sum = vector(g, &four);
    const sugar_call_options options = {.struct_size = sizeof options, .parameter = &each, .parameter_gradient = &sum};
    sugar_activation *a = must_create("prelu(alpha=0.125)~prelu(alpha=0.75)", NULL);
    assert_ok(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, out, 1, &options));
    assert_true(out[0] == 0.75f && out[1] == 7.5f && out[2] == 100 && out[3] == 1000);
    assert_true(g[0] == -2 && g[1] == -10 && g[2] == 0 && g[3] == 0);
    const sugar_call_options forward = {.struct_size = sizeof forward, .parameter = &each};
    assert_ok(sugar_forward_f32(a, 4, call_x, 1, out, 1, &forward));
    assert_true(out[0] == -1 && out[1] == -0.25f && out[2] == 3);
    sugar_activation_destroy(a);

    /* Where the backward pass uses f', f' has the tensor's parameter. */
    a = must_create("prelu~bsilu(blend=0.5)", NULL);
    assert_ok(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, out, 1, &options));
    sugar_activation_destroy(a);
    a = must_create("relu~bsilu", NULL);
    assert_ok(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, plain, 1, NULL));
    for (int i = 0; i < 4; i++) {
        const double own = (double)call_dy[i] * (double)(call_x[i] > 0 ? 1 : p[i]);
        assert_true(fabs((double)out[i] - 0.5 * ((double)plain[i] + own)) <= 1e-6 * fabs(own));
    }
    sugar_activation_destroy(a);
}

/* A gradient without a tensor of parameters: the parameter is the spec's. A tensor without a gradient: only dx. */
static void one_without_the_other(void **unused)
{
    (void)unused;
    float g = 3, p = 0.25f, out[4];
    const sugar_tensor sum = vector(&g, &one), value = vector(&p, &one);
    sugar_call_options options = {.struct_size = sizeof options, .parameter_gradient = &sum};
    sugar_activation *a = must_create("prelu(alpha=0.5)", NULL);
    assert_ok(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, out, 1, &options));
    assert_true(g == -12 && out[0] == 0.5f);
    options = (sugar_call_options){.struct_size = sizeof options, .parameter = &value};
    assert_ok(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, out, 1, &options));
    assert_true(g == -12 && out[0] == 0.25f);
    sugar_activation_destroy(a);
}

/* ---- Sums ------------------------------------------------------------------------------------- */

/* An exact sum of floats: sum of bin[i] 2^(LOWEST + i). Each float is a whole number times such a power of two. */
enum { BINS = 400, LOWEST = -149 };
typedef struct exact_sum {
    int64_t bin[BINS];
} exact_sum;

static void exact_add(exact_sum *s, float a)
{
    int exponent;
    const double fraction = frexp((double)a, &exponent);
    const int low = exponent - 24 < LOWEST ? LOWEST : exponent - 24;
    s->bin[low - LOWEST] += (int64_t)ldexp(fraction, exponent - low);
}

/* The exact sum, rounded to 53 bits. */
static double exact_value(const exact_sum *s)
{
    for (int sign = 1; sign >= -1; sign -= 2) {
        int64_t carry = 0;
        int digit[BINS];
        for (int i = 0; i < BINS; i++) {
            const int64_t bits = sign * s->bin[i] + carry;
            digit[i] = (int)(bits & 1);
            carry = (bits - digit[i]) / 2;
        }
        double value = 0;
        int top = BINS - 1;
        while (top > 0 && !digit[top])
            top--;
        for (int i = top; carry == 0 && i >= 0 && i > top - 53; i--)
            value += digit[i] ? ldexp(1, i + LOWEST) : 0;
        if (carry == 0)
            return sign * value;
    }
    fail_msg("a sum beyond the bins");
    return 0;
}

/* The products are dy * x with x < 0: prelu. */
static void check_sum(const char *what, int64_t n, const float *at, const float *up)
{
    exact_sum exact = {{0}};
    double size = 0;
    float g, *out = malloc((size_t)n * sizeof *out);
    assert_non_null(out);
    for (int64_t i = 0; i < n; i++) {
        const float product = up[i] * at[i];
        exact_add(&exact, product);
        size += fabs((double)product);
    }
    const sugar_tensor sum = vector(&g, &one);
    const sugar_call_options options = {.struct_size = sizeof options, .parameter_gradient = &sum};
    sugar_activation *a = must_create("prelu", NULL);
    assert_ok(sugar_backward_f32(a, n, at, 1, up, 1, out, 1, &options));
    sugar_activation_destroy(a);
    free(out);
    /* The bound of doc/numbers.md: half an ULP, and n^2 2^-105 times the sum of absolute values. */
    const double value = exact_value(&exact), ulp = ldexp(1, value != 0 ? ilogb(value) - 23 : -149);
    const double allowed = 0.5000001 * fmax(ulp, 0x1p-149) + (double)n * (double)n * 0x1p-105 * size;
    if (!(fabs((double)g - value) <= allowed))
        fail_msg("%s: %a, expected %a, %g ULP", what, (double)g, value, fabs((double)g - value) / ulp);
    if (n <= 100000)                /* up to this n the bound is well below 2 ULP in these tests */
        assert_true(allowed <= 2 * fmax(ulp, 0x1p-149));
}

static void shuffle(float *a, int64_t n, uint64_t *state)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t k = random_between(state, 0, i);
        const float held = a[i];
        a[i] = a[k];
        a[k] = held;
    }
}

/* Terms that cancel in pairs, and two or three small ones: the sum of absolute values is up to 2^45 times the sum. */
static void sums_that_cancel(void **unused)
{
    (void)unused;
    enum { MOST = 400000 };             /* several slices */
    static float at[MOST], up[MOST];
    uint64_t state = 3;
    for (int round = 0; round < 40; round++) {
        const int64_t n = round < 20 ? random_between(&state, 3, 3000) : random_between(&state, 3000, MOST);
        const int spread = round % 4 * 9;
        for (int64_t i = 0; i < n; i++) {
            at[i] = -1;
            up[i] = ldexpf((float)random_between(&state, 1 << 23, (1 << 24) - 1),
                           (int)random_between(&state, -spread, spread) - 24);
            if (i % 2)
                up[i] = -up[i - 1];
        }
        for (int64_t i = n / 2 * 2 - 2; i < n; i++)
            up[i] = (float)random_between(&state, 1, 1000) * 0x1p-12f;
        shuffle(up, n, &state);
        char what[64];
        snprintf(what, sizeof what, "%lld products over 2^%d", (long long)n, 2 * spread);
        check_sum(what, n, at, up);
    }
}

/* A sum of 10^8 products, from few elements in memory: a stride is 0. */
static void sum_of_many(void **unused)
{
    (void)unused;
    enum { ROW = 1000 };
    const int64_t rows = short_run() ? 100 : 100000;
    const int64_t many[2] = {rows, ROW}, repeated[2] = {0, 1}, one_sum[2] = {1, 1};
    static float at[ROW], up[ROW];
    float g, *out = malloc((size_t)(rows * ROW) * sizeof *out);
    if (!out) {
        print_message("skipped: no memory for 10^8 elements\n");
        skip();
    }
    uint64_t state = 17;
    exact_sum exact = {{0}};
    for (int i = 0; i < ROW; i++) {
        at[i] = -(float)random_between(&state, 1, 1 << 24) * 0x1p-22f;
        up[i] = (float)random_between(&state, -(1 << 24), 1 << 24) * 0x1p-24f;
        exact_add(&exact, at[i] * up[i]);
    }
    for (int i = 0; i < BINS; i++)
        exact.bin[i] *= rows;
    view vx, vdy, vdx, vg;
    view_make(&vx, at, 4, 2, many, repeated);
    view_make(&vdy, up, 4, 2, many, repeated);
    view_make(&vdx, out, 4, 2, many, NULL);
    view_make(&vg, &g, 4, 2, one_sum, NULL);
    const sugar_call_options options = {.struct_size = sizeof options, .parameter_gradient = &vg.tensor};
    sugar_activation *a = must_create("prelu", NULL);
    assert_ok(sugar_backward(a, &vx.tensor, &vdy.tensor, &vdx.tensor, &options));
    sugar_activation_destroy(a);
    free(out);
    const double value = exact_value(&exact), ulp = ldexp(1, ilogb(value) - 23);
    if (!(fabs((double)g - value) <= 0.5000001 * ulp))
        fail_msg("%lld products: %a, expected %a", (long long)(rows * ROW), (double)g, value);
}

/* Infinite products make an infinite sum, or NaN if their signs differ; so does an infinite number that the sum is
 * added to. */
static void infinite_sums(void **unused)
{
    (void)unused;
    static const float with[][4] = {{-INFINITY, -1, -1, 1}, {-INFINITY, -INFINITY, 1, 1}, {-1, NAN, 1, 1}};
    for (int k = 0; k < 3; k++)
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            float g = 1, out[4], up[4] = {1, k == 1 ? -1.0f : 1.0f, 1, 1};
            const sugar_tensor sum = vector(&g, &one);
            const sugar_call_options options = {.struct_size = sizeof options,
                                                .parameter_gradient = &sum,
                                                .flags = accumulate ? SUGAR_CALL_ACCUMULATE : 0};
            sugar_activation *a = must_create("prelu", NULL);
            memset(out, 0, sizeof out);
            assert_ok(sugar_backward_f32(a, 4, with[k], 1, up, 1, out, 1, &options));
            assert_true(k == 0 ? g == -(float)INFINITY : isnan(g));
            sugar_activation_destroy(a);
        }
}

/* ---- No elements -------------------------------------------------------------------------------- */

/* A backward call of a batch without samples, (0, 3, 2), whose x, dy and dx have no memory. */
static sugar_status backward_empty(element_type type, const view *with, const view *sums, uint64_t flags)
{
    view none;
    view_make(&none, NULL, 4, 3, (const int64_t[]){0, 3, 2}, NULL);
    none.tensor.dtype = element_formats[type].dtype;
    const sugar_call_options options = {.struct_size = sizeof options,
                                        .flags = flags,
                                        .parameter = with ? &with->tensor : NULL,
                                        .parameter_gradient = &sums->tensor};
    sugar_activation *a = must_create("celu", NULL);
    const sugar_status status = sugar_backward(a, &none.tensor, &none.tensor, &none.tensor, &options);
    sugar_activation_destroy(a);
    return status;
}

/* The sum over nothing is 0; it is stored if the gradient has elements. */
static void sums_over_nothing(void **unused)
{
    (void)unused;
    enum { PLACE = 12 };
    static const struct {
        int64_t shape[3], strides[3], start;
        uint32_t written;               /* bit i: element i is written */
    } cases[] = {
        {{1, 3, 1}, {0, 1, 0}, 0, 7},    {{1, 3, 1}, {5, -2, 7}, 4, 0x15},  {{1, 1, 1}, {0, 0, 0}, 0, 1},
        {{1, 3, 2}, {0, 2, 1}, 0, 0x3f}, {{1, 3, 2}, {0, -4, 1}, 8, 0x333}, {{1, 1, 2}, {0, 0, 3}, 0, 9},
        {{0, 3, 2}, {0, 0, 0}, 0, 0},    {{0, 3, 1}, {0, 0, 0}, 0, 0},      {{0, 1, 1}, {0, 0, 0}, 0, 0},
        {{0, 3, 2}, {6, 2, 1}, 0, 0},
    };
    for (size_t k = 0; k < COUNT(cases); k++)
        for (element_type type = 0; type < ELEMENT_TYPES; type++)
            for (int accumulate = 0; accumulate < 2; accumulate++) {
                uint64_t memory[PLACE];
                for (int i = 0; i < PLACE; i++)
                    set(memory, i, type, 3);
                view sums;
                view_make(&sums, (char *)memory + (size_t)cases[k].start * element_formats[type].width, 4, 3,
                          cases[k].shape, cases[k].strides);
                sums.tensor.dtype = element_formats[type].dtype;
                assert_ok(backward_empty(type, NULL, &sums, accumulate ? SUGAR_CALL_ACCUMULATE : 0));
                for (int i = 0; i < PLACE; i++)
                    assert_true(get(memory, i, type) == (cases[k].written >> i & 1 && !accumulate ? 0 : 3));
            }
}

/* In a flat call, and of a shape whose other extents could not be: no element of it is counted. */
static void sums_over_other_nothings(void **unused)
{
    (void)unused;
    float g = 3, p = 1;
    const sugar_tensor sum = vector(&g, &one), value = vector(&p, &one);
    sugar_call_options options = {
        .struct_size = sizeof options, .parameter = &value, .parameter_gradient = &sum, .flags = SUGAR_CALL_ACCUMULATE};
    sugar_activation *a = must_create("prelu", NULL);
    assert_ok(sugar_backward_f32(a, 0, NULL, 1, NULL, 1, NULL, 1, &options));
    assert_true(g == 3);
    options.flags = 0;
    assert_ok(sugar_backward_f32(a, 0, NULL, 1, NULL, 1, NULL, 1, &options));
    assert_true(g == 0);

    static const int64_t huge[3] = {INT64_MAX, 0, INT64_MAX}, ones[3] = {1, 1, 1};
    view none, all;
    g = 3;
    view_make(&none, NULL, 4, 3, huge, ones);
    view_make(&all, &g, 4, 3, ones, NULL);
    options = (sugar_call_options){.struct_size = sizeof options, .parameter_gradient = &all.tensor};
    assert_ok(sugar_backward(a, &none.tensor, &none.tensor, &none.tensor, &options));
    assert_true(g == 0);
    sugar_activation_destroy(a);
}

/* Without elements in x: a gradient that has some is checked as in any other call; a parameter is not read. */
static void gradients_refused_without_elements(void **unused)
{
    (void)unused;
    static const int64_t rows[3] = {1, 3, 2}, empty[3] = {0, 3, 2}, channels[3] = {1, 3, 1}, other[3] = {1, 2, 1};
    static const int64_t twice[3] = {0, 1, 1}, none[3] = {0, 0, 1};
    float g[10] = {3, 3, 3, 3, 3, 3, 3, 3, 3, 3};
    const sugar_status refused = SUGAR_ERROR_ARGUMENT, overlap = SUGAR_ERROR_OVERLAP;
    view sums, with;
    view_make(&sums, NULL, 4, 3, rows, NULL);
    assert_fails(backward_empty(ELEMENT_F32, NULL, &sums, 0), refused, "parameter_gradient: data NULL");
    view_make(&sums, (char *)g + 1, 4, 3, rows, NULL);
    assert_fails(backward_empty(ELEMENT_F32, NULL, &sums, 0), refused, "parameter_gradient: data + byte_offset is off");
    view_make(&sums, g, 4, 3, rows, twice);
    assert_fails(backward_empty(ELEMENT_F32, NULL, &sums, 0), overlap, "parameter_gradient: overlaps itself");
    view_make(&sums, g, 4, 3, rows, none);
    assert_fails(backward_empty(ELEMENT_F32, NULL, &sums, 0), overlap, "parameter_gradient: stride 0 in dimension 1");
    view_make(&sums, g, 4, 3, rows, (const int64_t[]){0, INT64_MAX, 1});
    assert_fails(backward_empty(ELEMENT_F32, NULL, &sums, 0), refused, "parameter_gradient: shape and strides reach");
    view_make(&sums, g, 4, 3, other, NULL);
    assert_fails(backward_empty(ELEMENT_F32, NULL, &sums, 0), refused,
                 "parameter_gradient: shape (1, 2, 1), expected (0, 3, 2) like x, or 1 in any dimension");
    view_make(&sums, g, 4, 3, rows, NULL);
    view_make(&with, g + 2, 4, 3, channels, NULL);
    assert_fails(backward_empty(ELEMENT_F32, &with, &sums, 0), overlap, "parameter_gradient: overlaps parameter");
    view_make(&sums, g + 2, 4, 3, channels, NULL);
    view_make(&with, g, 4, 3, rows, NULL);
    assert_fails(backward_empty(ELEMENT_F32, &with, &sums, 0), overlap, "parameter_gradient: overlaps parameter");
    view_make(&with, NULL, 4, 3, rows, NULL);
    assert_fails(backward_empty(ELEMENT_F32, &with, &sums, 0), refused, "parameter: data NULL");
    for (int i = 0; i < 10; i++)
        assert_true(g[i] == 3);
    view_make(&sums, g, 4, 3, rows, NULL);
    view_make(&with, g + 2, 4, 3, empty, NULL);
    assert_ok(backward_empty(ELEMENT_F32, &with, &sums, 0));
    view_make(&with, g + 6, 4, 3, channels, NULL);
    g[6] = NAN;
    assert_ok(backward_empty(ELEMENT_F32, &with, &sums, 0));
    for (int i = 0; i < 10; i++)
        assert_true(i == 6 ? isnan(g[i]) : g[i] == (i < 6 ? 0 : 3));
}

/* ---- What is refused ---------------------------------------------------------------------------- */

/* After a failure nothing is written. */
static void expect_refused(const char *spec, const sugar_tensor *value, const sugar_tensor *sum, sugar_status status,
                           const char *part)
{
    float out[4] = {5, 5, 5, 5};
    sugar_activation *a = must_create(spec, NULL);
    sugar_call_options options = {.struct_size = sizeof options, .parameter = value};
    if (!sum) {
        assert_fails(sugar_forward_f32(a, 4, call_x, 1, out, 1, &options), status, part);
        assert_true(out[0] == 5 && out[1] == 5 && out[2] == 5 && out[3] == 5);
    }
    options.parameter_gradient = sum;
    assert_fails(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, out, 1, &options), status, part);
    assert_true(out[0] == 5 && out[1] == 5 && out[2] == 5 && out[3] == 5);
    sugar_activation_destroy(a);
}

static void parameters_out_of_range(void **unused)
{
    (void)unused;
    static const struct {
        const char *spec;
        float value;
        const char *found, *expected;
    } cases[] = {
        {"prelu", 2e6f, "alpha = 2000000", "-1000000 to 1000000"},
        {"prelu", NAN, "alpha = nan", "-1000000 to 1000000"},
        {"celu", 0, "alpha = 0", "1e-06 to 1000000"},
        {"silu", -0.5f, "beta = -0.5", "1e-06 to 1000000"},
        {"squareplus", INFINITY, "b = inf", ""},
        {"bsilu~relu", -1, "alpha = -1", ""},
    };
    const char *const locale = setlocale(LC_ALL, "de_DE.UTF-8");
    for (size_t k = 0; k < COUNT(cases); k++)
        for (int place = 0; place < 4; place++) {
            float p[4] = {1, 1, 1, 1};
            p[place] = cases[k].value;
            const sugar_tensor each = vector(p, &four), single = vector(&p[place], &one);
            char message[128];
            snprintf(message, sizeof message, "parameter: %s at (%d,), expected %s", cases[k].found, place,
                     cases[k].expected);
            expect_refused(cases[k].spec, &each, NULL, SUGAR_ERROR_VALUE, message);
            snprintf(message, sizeof message, "parameter: %s at (0,), expected %s", cases[k].found, cases[k].expected);
            expect_refused(cases[k].spec, &single, NULL, SUGAR_ERROR_VALUE, message);
        }
    if (locale)
        setlocale(LC_ALL, "C");
    else
        print_message("without the locale de_DE.UTF-8\n");
    float least = 1e-6f, most = 1e6f, out[4];
    sugar_activation *a = must_create("celu", NULL);
    for (int end = 0; end < 2; end++) {
        const sugar_tensor value = vector(end ? &most : &least, &one);
        const sugar_call_options options = {.struct_size = sizeof options, .parameter = &value};
        assert_ok(sugar_forward_f32(a, 4, call_x, 1, out, 1, &options));
    }
    sugar_activation_destroy(a);
}

/* A few values outside the range, at random: the message has the first one in row-major order. */
static void check_first(const int64_t *strides, int64_t start, element_type type, uint64_t *state)
{
    static uint64_t at, out[MANY], values[2 * MANY];    /* room for gaps */
    view in, result, with;
    view_make(&in, &at, 4, 3, many_shape, (const int64_t[]){0, 0, 0});
    view_make(&result, out, 4, 3, many_shape, NULL);
    view_make(&with, (char *)values + (size_t)start * element_formats[type].width, 4, 3, many_shape, strides);
    in.tensor.dtype = result.tensor.dtype = with.tensor.dtype = element_formats[type].dtype;
    for (int64_t i = 0; i < MANY; i++)
        set(with.tensor.data, view_offset(&with, i), type, 1);
    int64_t first = MANY;
    for (int i = 0; i < 3; i++) {
        const int64_t outside = random_between(state, MANY / 8, MANY - 1);
        set(with.tensor.data, view_offset(&with, outside), type, -2);
    }
    for (int64_t i = MANY - 1; i >= 0; i--)
        if (get(with.tensor.data, view_offset(&with, i), type) < 0)
            first = i;
    set(with.tensor.data, view_offset(&with, first), type, -4);
    char message[128];
    snprintf(message, sizeof message, "parameter: alpha = -4 at (%d, %d, %d), expected",
             (int)(first / PLACES / CHANNELS), (int)(first / PLACES % CHANNELS), (int)(first % PLACES));
    sugar_activation *a = must_create("celu", NULL);
    for (int threads = 1; threads <= 5; threads++) {
        const sugar_context_options options = {
            .struct_size = sizeof options, .threads = threads, .parallel_for = threads == 5 ? backwards : NULL};
        sugar_context *context;
        assert_ok(sugar_context_create(&context, &options));
        const sugar_call_options call = {.struct_size = sizeof call, .context = context, .parameter = &with.tensor};
        assert_fails(sugar_forward(a, &in.tensor, &result.tensor, &call), SUGAR_ERROR_VALUE, message);
        sugar_context_destroy(context);
    }
    sugar_activation_destroy(a);
}

static void first_out_of_range(void **unused)
{
    (void)unused;
    enum { CP = CHANNELS * PLACES, RP = ROWS * PLACES };
    /* The first element's offset comes last. */
    static const int64_t strides[][4] = {
        {CP, PLACES, 1, 0}, {1, RP, ROWS, 0},  {-CP, -PLACES, -1, MANY - 1}, {PLACES, -RP, 1, (CHANNELS - 1) * RP},
        {0, 1, 0, 0},       {0, PLACES, 1, 0}, {0, 1, CHANNELS, 0},          {0, 0, 0, 0},
    };
    uint64_t state = 11;
    for (size_t k = 0; k < COUNT(strides); k++) {
        check_first(strides[k], strides[k][3], ELEMENT_F32, &state);
        check_first(strides[k], strides[k][3], k % 2 ? ELEMENT_BF16 : ELEMENT_F16, &state);
    }
    static const int64_t gaps[3] = {3 * CP, 3 * PLACES, 3};
    check_first(gaps, 0, ELEMENT_F32, &state);
    static const int64_t numbers[3] = {CP, PLACES, 1};
    check_first(numbers, 0, ELEMENT_F64, &state);
}

/* The index in the message is one in the parameter's own shape. */
static void index_in_its_own_shape(void **unused)
{
    (void)unused;
    float p[6] = {1, 1, 1, 1, 1, -4}, in[24] = {0}, out[24];
    static const struct {
        int64_t shape[3], strides[3];
        const char *index;
    } cases[] = {
        {{1, 3, 2}, {0, 2, 1}, "(0, 2, 1)"},
        {{4, 3, 2}, {0, 2, 1}, "(0, 2, 1)"},
        {{1, 3, 1}, {0, 0, 0}, "(0, 0, 0)"},
        {{4, 1, 1}, {-1, 0, 0}, "(0, 0, 0)"},
    };
    sugar_activation *a = must_create("celu", NULL);
    view vx, vy, with;
    view_make(&vx, in, 4, 3, (const int64_t[]){4, 3, 2}, NULL);
    view_make(&vy, out, 4, 3, vx.shape, NULL);
    for (size_t k = 0; k < COUNT(cases); k++) {
        view_make(&with, k < 2 ? p : p + 5, 4, 3, cases[k].shape, cases[k].strides);
        const sugar_call_options options = {.struct_size = sizeof options, .parameter = &with.tensor};
        char message[64];
        snprintf(message, sizeof message, "parameter: alpha = -4 at %s, expected", cases[k].index);
        assert_fails(sugar_forward(a, &vx.tensor, &vy.tensor, &options), SUGAR_ERROR_VALUE, message);
    }
    sugar_activation_destroy(a);
}

/* The parameter and its gradient need not share in the same dimensions. */
static void shared_and_summed_differ(void **unused)
{
    (void)unused;
    float in[6] = {-1, -2, -3, -4, -5, -6}, up[6] = {1, 1, 1, 1, 1, 1}, out[6];
    float p[3] = {1, 2, 3}, g[2] = {9, 9}, all = 9;
    view vx, vdy, vdx, with, sums;
    view_make(&vx, in, 4, 2, (const int64_t[]){2, 3}, NULL);
    view_make(&vdy, up, 4, 2, vx.shape, NULL);
    view_make(&vdx, out, 4, 2, vx.shape, NULL);
    view_make(&with, p, 4, 2, (const int64_t[]){1, 3}, NULL);
    view_make(&sums, g, 4, 2, (const int64_t[]){2, 1}, NULL);
    sugar_call_options options = {
        .struct_size = sizeof options, .parameter = &with.tensor, .parameter_gradient = &sums.tensor};
    sugar_activation *a = must_create("prelu", NULL);
    assert_ok(sugar_backward(a, &vx.tensor, &vdy.tensor, &vdx.tensor, &options));
    for (int i = 0; i < 6; i++)
        assert_true(out[i] == p[i % 3]);
    assert_true(g[0] == -6 && g[1] == -15);
    view_make(&sums, &all, 4, 2, (const int64_t[]){1, 1}, NULL);
    assert_ok(sugar_backward(a, &vx.tensor, &vdy.tensor, &vdx.tensor, &options));
    assert_true(all == -21);
    sugar_activation_destroy(a);
}

static void operands_that_do_not_fit(void **unused)
{
    (void)unused;
    static const int64_t shapes[][2] = {{3, 1}, {0, 1}, {5, 1}, {4, 1}};
    float p[8] = {1, 1, 1, 1, 1, 1, 1, 1}, g[4] = {9, 9, 9, 9};
    sugar_tensor value = vector(p, &four), sum = vector(g, &four);
    for (size_t k = 0; k < COUNT(shapes); k++) {
        value.shape = sum.shape = shapes[k];
        value.ndim = sum.ndim = k == 3 ? 2 : 1;
        static const char *const found[] = {"(3,)", "(0,)", "(5,)", "(4, 1)"};
        char part[128];
        snprintf(part, sizeof part, "parameter: shape %s, expected (4,) like x, or 1 in any dimension", found[k]);
        expect_refused("prelu", &value, NULL, SUGAR_ERROR_ARGUMENT, part);
        snprintf(part, sizeof part, "parameter_gradient: shape %s, expected (4,) like x, or 1 in any dimension",
                 found[k]);
        expect_refused("prelu", NULL, &sum, SUGAR_ERROR_ARGUMENT, part);
    }
    static const int64_t repeated = 0;
    sum = vector(g, &four);
    sum.strides = &repeated;
    expect_refused("prelu", NULL, &sum, SUGAR_ERROR_OVERLAP,
                   "parameter_gradient: stride 0 in dimension 0 of extent 4, expected another one in an output");
    value = vector(p, &four);
    value.dtype.bits = 64;
    expect_refused("prelu", &value, NULL, SUGAR_ERROR_ARGUMENT, "parameter: dtype float64");
    value = vector(NULL, &four);
    expect_refused("prelu", &value, NULL, SUGAR_ERROR_ARGUMENT, "parameter: data NULL");
    sum = vector(NULL, &one);
    expect_refused("prelu", NULL, &sum, SUGAR_ERROR_ARGUMENT, "parameter_gradient: data NULL");
    sum = vector(g, &four);
    sum.dtype.bits = 16;
    expect_refused("prelu", NULL, &sum, SUGAR_ERROR_ARGUMENT, "parameter_gradient: dtype float16");
    assert_true(g[0] == 9 && g[1] == 9 && g[2] == 9 && g[3] == 9);
}

/* An output may not share memory with the parameter, nor a gradient with anything. */
static void overlaps(void **unused)
{
    (void)unused;
    float memory[8] = {1, 1, 1, 1, 1, 1, 1, 1}, out[4];
    float *const at = memory, *const high = memory + 4;
    const sugar_tensor inner = vector(memory + 3, &one), rest = vector(high, &four);
    sugar_activation *a = must_create("prelu", NULL);
    sugar_call_options options = {.struct_size = sizeof options, .parameter = &inner};
    assert_fails(sugar_forward_f32(a, 4, call_x, 1, at, 1, &options), SUGAR_ERROR_OVERLAP, "parameter");
    assert_fails(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, at, 1, &options), SUGAR_ERROR_OVERLAP, "parameter");
    options.parameter = &rest;
    assert_ok(sugar_forward_f32(a, 4, call_x, 1, at, 1, &options));
    options.parameter_gradient = &rest;
    const char *const culprit = "parameter_gradient";
    assert_fails(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, out, 1, &options), SUGAR_ERROR_OVERLAP, culprit);
    options.parameter = NULL;
    assert_fails(sugar_backward_f32(a, 4, high, 1, call_dy, 1, out, 1, &options), SUGAR_ERROR_OVERLAP, culprit);
    assert_fails(sugar_backward_f32(a, 4, call_x, 1, at + 2, 1, out, 1, &options), SUGAR_ERROR_OVERLAP, culprit);
    assert_fails(sugar_backward_f32(a, 4, call_x, 1, call_dy, 1, at + 1, 1, &options), SUGAR_ERROR_OVERLAP, culprit);
    assert_fails(sugar_forward_f32(a, 4, call_x, 1, out, 1, &options), SUGAR_ERROR_UNSUPPORTED, culprit);
    sugar_activation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_types_and_layouts),
        cmocka_unit_test(wide_parameters),
        cmocka_unit_test(wide_parameters_out_of_range),
        cmocka_unit_test(which_kinds_learn),
        cmocka_unit_test(same_bits_for_threads_and_levels),
        cmocka_unit_test(same_bits_for_strides),
        cmocka_unit_test(each_turned_its_own_way),
        cmocka_unit_test(accumulates),
        cmocka_unit_test(in_place),
        cmocka_unit_test(surrogates),
        cmocka_unit_test(one_without_the_other),
        cmocka_unit_test(sums_that_cancel),
        cmocka_unit_test(sum_of_many),
        cmocka_unit_test(infinite_sums),
        cmocka_unit_test(sums_over_nothing),
        cmocka_unit_test(sums_over_other_nothings),
        cmocka_unit_test(gradients_refused_without_elements),
        cmocka_unit_test(parameters_out_of_range),
        cmocka_unit_test(first_out_of_range),
        cmocka_unit_test(index_in_its_own_shape),
        cmocka_unit_test(shared_and_summed_differ),
        cmocka_unit_test(operands_that_do_not_fit),
        cmocka_unit_test(overlaps),
    };
    return cmocka_run_group_tests_name("learn", tests, NULL, NULL);
}
