/* sugar_backward_twice, against sugar_backward, and element by element. */
#include "unit.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

enum { N = 700 };

static const char *const specs[] = {
    "relu",
    "silu",
    "gelu",
    "elu(alpha=0.3)",
    "relu_squared",
    "relu~bsilu(alpha=3.1,domain=negative)",
    "relu~silu(blend=0.3)",
    "tanh~mish(domain=negative,blend=0.7)",
    "heaviside(threshold=0.7)~gaussian_spike",
    "sign~atan_spike(alpha=3,blend=0.25)",
};

/* The operands of a call, each of N elements. */
enum { X, DY, V, DDY, DX, OPERANDS };
typedef struct call {
    element_type type;
    _Alignas(64) unsigned char memory[OPERANDS][N * 8];
    view views[OPERANDS];
} call;

static void call_start(call *c, element_type type)
{
    uint64_t state = 77 + type;
    c->type = type;
    for (int k = 0; k < OPERANDS; k++) {
        view_make(&c->views[k], c->memory[k], element_formats[type].width, 1, (int64_t[]){N}, NULL);
        c->views[k].tensor.dtype = element_formats[type].dtype;
        for (int i = 0; i < N; i++) {
            const uint64_t usual = element_of((double)random_between(&state, -6000, 6000) * 0x1p-10, type);
            element_store(c->memory[k], i, type, i % 4 ? usual : random_element(&state, type));
        }
    }
}

static void set_all(call *c, int operand, double value)
{
    for (int i = 0; i < N; i++)
        element_store(c->memory[operand], i, c->type, element_of(value, c->type));
}

static sugar_status run(call *c, const sugar_activation *a, bool ddy, bool dx, const sugar_call_options *options)
{
    const view *v = c->views;
    return sugar_backward_twice(a, &v[X].tensor, &v[DY].tensor, &v[V].tensor, ddy ? &v[DDY].tensor : NULL,
                                dx ? &v[DX].tensor : NULL, options);
}

static void assert_same(const char *what, element_type type, const void *found, const void *expected)
{
    for (int i = 0; i < N; i++) {
        const uint64_t f = element_load(found, i, type), e = element_load(expected, i, type);
        if (!element_same(f, e, type))
            fail_msg("%s %s, element %d: %a, expected %a", what, element_formats[type].name, i, element_value(f, type),
                     element_value(e, type));
    }
}

/* ---- Values -------------------------------------------------------------------------------- */

/* ddy is the dx of sugar_backward with v in place of dy. */
static void check_ddy(const char *spec, element_type type, uint64_t flags)
{
    static call c, expected;
    sugar_activation *a = must_create(spec, NULL);
    const sugar_call_options options = {.struct_size = sizeof options, .flags = flags};
    call_start(&c, type);
    call_start(&expected, type);
    assert_ok(run(&c, a, true, flags != 0, &options));
    const view *v = expected.views;
    assert_ok(sugar_backward(a, &v[X].tensor, &v[V].tensor, &v[DDY].tensor, &options));
    assert_same(spec, type, c.memory[DDY], expected.memory[DDY]);
    sugar_activation_destroy(a);
}

static void ddy_is_what_backward_gives(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(specs); i++)
        for (element_type type = 0; type < ELEMENT_TYPES; type++) {
            check_ddy(specs[i], type, 0);
            check_ddy(specs[i], type, SUGAR_CALL_ACCUMULATE);
        }
}

/* a * b, in the type's arithmetic. */
static double times(element_type type, double a, double b)
{
    return type == ELEMENT_F64 ? a * b : (double)((float)a * (float)b);
}

static double fused(element_type type, double a, double b, double c)
{
    return type == ELEMENT_F64 ? fma(a, b, c) : (double)fmaf((float)a, (float)b, (float)c);
}

/* dx is (v dy) g'', where g'' is what dy = v = 1 give: exactly, with a kind whose g'' is an element. */
static void check_dx(const char *spec, element_type type, bool accumulate)
{
    static call c, second;
    sugar_activation *a = must_create(spec, NULL);
    const sugar_call_options options = {.struct_size = sizeof options, .flags = accumulate ? SUGAR_CALL_ACCUMULATE : 0};
    call_start(&second, type);
    set_all(&second, DY, 1);
    set_all(&second, V, 1);
    assert_ok(run(&second, a, false, true, NULL));
    call_start(&c, type);
    static unsigned char expected[N * 8];
    for (int i = 0; i < N; i++) {
        const double v = element_value(element_load(c.memory[V], i, type), type);
        const double product = times(type, v, element_value(element_load(c.memory[DY], i, type), type));
        const double d = element_value(element_load(second.memory[DX], i, type), type);
        const double before = element_value(element_load(c.memory[DX], i, type), type);
        const double result = accumulate ? fused(type, product, d, before) : times(type, product, d);
        element_store(expected, i, type, element_of(result, type));
    }
    assert_ok(run(&c, a, accumulate, true, &options));
    assert_same(spec, type, c.memory[DX], expected);
    sugar_activation_destroy(a);
}

static void dx_is_both_gradients_times_g_second(void **unused)
{
    (void)unused;
    for (int accumulate = 0; accumulate <= 1; accumulate++) {
        for (size_t i = 0; i < COUNT(specs); i++) {
            check_dx(specs[i], ELEMENT_F32, accumulate);
            check_dx(specs[i], ELEMENT_F64, accumulate);
        }
        for (element_type type = 0; type < ELEMENT_TYPES; type++)
            check_dx("relu_squared", type, accumulate);
    }
}

/* g'' of a spec at the x of a call in f64. */
static void find_second(const char *spec, double *d)
{
    static call c;
    sugar_activation *a = must_create(spec, NULL);
    call_start(&c, ELEMENT_F64);
    set_all(&c, DY, 1);
    set_all(&c, V, 1);
    assert_ok(run(&c, a, false, true, NULL));
    memcpy(d, c.memory[DX], sizeof(double[N]));
    sugar_activation_destroy(a);
}

static void mixtures_are_mixed(void **unused)
{
    (void)unused;
    static call c;
    double own[N], surrogate[N], found[N], x[N];
    find_second("tanh", own);
    find_second("identity~mish", surrogate);
    find_second("tanh~mish(domain=negative,blend=0.7)", found);
    call_start(&c, ELEMENT_F64);
    memcpy(x, c.memory[X], sizeof x);
    for (int i = 0; i < N; i++) {
        const double mixed = fma(0.7, surrogate[i], (1 - 0.7) * own[i]), expected = x[i] <= 0 ? mixed : own[i];
        if (!(found[i] == expected) && !isnan(expected))
            fail_msg("at %a: %a, expected %a", x[i], found[i], expected);
    }
}

/* The slope of g' between two neighbours, for every kind; x is no kink. */
static void check_slope(const sugar_activation *a, const char *spec, double at)
{
    const double h = 0x1p-20, x[] = {at - h, at, at + h}, one = 1;
    double d[3], second;
    const int64_t shape[] = {1};
    view vx, vone, vout;
    view_make(&vx, (void *)(uintptr_t)&x[1], 8, 1, shape, NULL);
    view_make(&vone, (void *)(uintptr_t)&one, 8, 1, shape, NULL);
    view_make(&vout, &second, 8, 1, shape, NULL);
    assert_ok(sugar_backward_f64(a, 3, x, 1, &one, 0, d, 1, NULL));
    assert_ok(sugar_backward_twice(a, &vx.tensor, &vone.tensor, &vone.tensor, NULL, &vout.tensor, NULL));
    const double slope = (d[2] - d[0]) / (2 * h);
    if (!(fabs(second - slope) <= 1e-8 * (1 + fabs(slope))))
        fail_msg("%s at %g: %.12g, expected %.12g", spec, at, second, slope);
}

static void every_kind_has_the_slope_of_its_derivative(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        char spec[64];
        assert_ok(sugar_kind_get(i, &kind));
        assert_true(kind.capabilities & SUGAR_CAN_DIFFERENTIATE_TWICE);
        snprintf(spec, sizeof spec, "%s%s", kind.roles & SUGAR_ROLE_FORWARD ? "" : "heaviside(threshold=0.2578125)~",
                 kind.name);
        sugar_activation *a = must_create(spec, NULL);
        for (int k = -40; k <= 40; k++)
            check_slope(a, spec, 0.1875 * k + 0.03125);
        sugar_activation_destroy(a);
    }
}

/* Forward mode: the tangent of y is what sugar_backward makes of the tangent of x. */
static void backward_is_forward_mode(void **unused)
{
    (void)unused;
    const double h = 0x1p-20, tangent = 0.75;
    sugar_activation *a = must_create("gelu", NULL);
    for (double at = -3; at <= 3; at += 0.375) {
        const double x[] = {at - h * tangent, at, at + h * tangent};
        double y[3], found;
        assert_ok(sugar_forward_f64(a, 3, x, 1, y, 1, NULL));
        assert_ok(sugar_backward_f64(a, 1, &x[1], 1, &tangent, 1, &found, 1, NULL));
        assert_true(fabs(found - (y[2] - y[0]) / (2 * h)) < 1e-8);
    }
    sugar_activation_destroy(a);
}

/* PyTorch's double backward at kinks. */
static void kinks(void **unused)
{
    (void)unused;
    static const struct {
        const char *spec;
        float x, expected;
    } rows[] = {
        {"elu", 0, 0},
        {"celu(alpha=2)", 0, 0},
        {"selu", 0, 0},
        {"relu_squared", 0, 0},
        {"hardswish", 3, 0},
        {"hardswish", -3, 0},
        {"hardswish", 2.5f, 1.0f / 3},
        {"softsign", 0, 0},
        {"softsign", -0.0f, 0},
        {"nelu", 0, 0.1f},
        {"softshrink", 0.5f, 0},
        {"heaviside~triangle_spike", 0, 0},
        {"heaviside~triangle_spike", 1, 0},
        {"heaviside~triangle_spike(gamma=2)", -0.5f, 2},
        {"heaviside~slayer_spike", 0, 0},
        {"heaviside(threshold=0.5)~fast_sigmoid_spike", 0.5f, 0},
        {"heaviside(threshold=0.5)~triangle_spike(gamma=2)", 1.25f, -2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        float x = rows[i].x, one = 1, found;
        view vx, vone, vout;
        view_make(&vx, &x, 4, 0, NULL, NULL);
        view_make(&vone, &one, 4, 0, NULL, NULL);
        view_make(&vout, &found, 4, 0, NULL, NULL);
        sugar_activation *a = must_create(rows[i].spec, NULL);
        assert_ok(sugar_backward_twice(a, &vx.tensor, &vone.tensor, &vone.tensor, NULL, &vout.tensor, NULL));
        if (!(found == rows[i].expected))
            fail_msg("%s at %g: %a, expected %a", rows[i].spec, (double)x, (double)found, (double)rows[i].expected);
        sugar_activation_destroy(a);
    }
}

/* ---- Views --------------------------------------------------------------------------------- */

enum { SPACE = 12000 };
static float space[OPERANDS][SPACE], space_before[OPERANDS][SPACE];

/* A view of up to 4 dimensions in its own space; inputs may repeat elements. */
static void random_view(view *v, uint64_t *state, int operand, int32_t ndim, const int64_t *shape)
{
    int64_t strides[4], step = random_between(state, 1, 3), low = 0;
    int order[4] = {0, 1, 2, 3};
    for (int d = 0; d < ndim; d++) {
        const int other = (int)random_between(state, d, ndim - 1), old = order[d];
        order[d] = order[other];
        order[other] = old;
    }
    for (int i = 0; i < ndim; i++) {
        const int d = order[i];
        const bool is_repeated = operand < DDY && random_between(state, 0, 4) == 0;
        strides[d] = is_repeated ? 0 : random_between(state, 0, 3) ? step : -step;
        low += strides[d] < 0 ? strides[d] * (shape[d] - 1) : 0;
        if (!is_repeated)
            step *= shape[d] + (random_between(state, 0, 3) == 0);
    }
    view_make(v, space[operand] - low, sizeof(float), ndim, shape, strides);
}

/* Fills all spaces anew. */
static void refill(uint64_t *state)
{
    for (int k = 0; k < OPERANDS; k++)
        for (int i = 0; i < SPACE; i++)
            space[k][i] = space_before[k][i] = (float)random_between(state, -4000, 4000) * 0x1p-9f;
}

static float *element_at(const view *v, int64_t i) { return (float *)v->tensor.data + view_offset(v, i); }

/* What one element's results are, from a call on it alone. */
static void expect_element(const sugar_activation *a, const view *views, int64_t i, float *ddy, float *dx)
{
    view one[OPERANDS];
    float values[OPERANDS];
    for (int k = 0; k < OPERANDS; k++) {
        values[k] = k < DDY ? *element_at(&views[k], i) : 0;
        view_make(&one[k], &values[k], sizeof(float), 0, NULL, NULL);
    }
    assert_ok(sugar_backward_twice(a, &one[X].tensor, &one[DY].tensor, &one[V].tensor, &one[DDY].tensor,
                                   &one[DX].tensor, NULL));
    *ddy = values[DDY];
    *dx = values[DX];
}

/* One call on views; `wanted`: bit 0 for ddy, bit 1 for dx. Nothing but the outputs may change. */
static void check_views(const sugar_activation *a, const view *views, unsigned wanted)
{
    static float ddy[SPACE], dx[SPACE], expected[OPERANDS][SPACE];
    const int64_t count = view_count(&views[X]);
    for (int64_t i = 0; i < count; i++)
        expect_element(a, views, i, &ddy[i], &dx[i]);
    memcpy(expected, space, sizeof expected);
    assert_ok(sugar_backward_twice(a, &views[X].tensor, &views[DY].tensor, &views[V].tensor,
                                   wanted & 1 ? &views[DDY].tensor : NULL, wanted & 2 ? &views[DX].tensor : NULL,
                                   NULL));
    for (int64_t i = 0; i < count; i++) {
        if (wanted & 1)
            *(&expected[0][0] + (element_at(&views[DDY], i) - &space[0][0])) = ddy[i];
        if (wanted & 2)
            *(&expected[0][0] + (element_at(&views[DX], i) - &space[0][0])) = dx[i];
    }
    assert_memory_equal(space, expected, sizeof space);
}

static void any_views(void **unused)
{
    (void)unused;
    uint64_t state = 4;
    sugar_activation *a = must_create("relu~silu(blend=0.3,domain=negative)", NULL);
    for (int trial = 0; trial < (short_run() ? 40 : 400); trial++) {
        view views[OPERANDS];
        const int32_t ndim = (int32_t)random_between(&state, 0, 4);
        const int64_t most = ndim < 2 ? 1500 : ndim == 2 ? 40 : ndim == 3 ? 12 : 6;
        int64_t shape[4];
        for (int d = 0; d < ndim; d++)
            shape[d] = random_between(&state, 1, most);
        refill(&state);
        for (int k = 0; k < OPERANDS; k++)
            random_view(&views[k], &state, k, ndim, shape);
        check_views(a, views, (unsigned)random_between(&state, 1, 3));
    }
    sugar_activation_destroy(a);
}

/* Each output in place of each input, or apart, in an order of its own. */
static void in_place(void **unused)
{
    (void)unused;
    uint64_t state = 5;
    sugar_activation *a = must_create("silu", NULL);
    static const int64_t shape[] = {37, 41}, turned[] = {1, 37}, compact[] = {41, 1};
    for (int ddy = 0; ddy < 4; ddy++)
        for (int dx = 0; dx < 4; dx++)
            for (int order = 0; order < 4; order++) {
                view views[OPERANDS];
                if (ddy == dx && ddy < DDY)
                    continue;
                refill(&state);
                for (int k = 0; k < OPERANDS; k++) {
                    const int at = k == DDY && ddy < DDY ? ddy : k == DX && dx < DDY ? dx : k;
                    const bool is_turned = (order & 1 && at == X) || (order & 2 && at == V);
                    view_make(&views[k], space[at], sizeof(float), 2, shape, is_turned ? turned : compact);
                }
                check_views(a, views, 3);
            }
    sugar_activation_destroy(a);
}

static void no_elements(void **unused)
{
    (void)unused;
    sugar_activation *a = must_create("silu", NULL);
    view none, other;
    view_make(&none, NULL, sizeof(float), 2, (int64_t[]){3, 0}, NULL);
    view_make(&other, NULL, sizeof(float), 2, (int64_t[]){0, 3}, NULL);
    assert_ok(sugar_backward_twice(a, &none.tensor, &none.tensor, &none.tensor, &none.tensor, &none.tensor, NULL));
    assert_fails(sugar_backward_twice(a, &none.tensor, &none.tensor, &other.tensor, &none.tensor, NULL, NULL),
                 SUGAR_ERROR_ARGUMENT, "v: shape (0, 3), expected (3, 0) like x");
    sugar_activation_destroy(a);
}

/* ---- Flags, threads ------------------------------------------------------------------------ */

/* The same bits, whatever the threads, the stores and the alignment. */
static void threads_and_stores(void **unused)
{
    (void)unused;
    enum { MANY = 200000, SHIFT = 16 };
    float *memory = malloc((size_t)(OPERANDS + 2) * (MANY + SHIFT) * sizeof *memory);
    sugar_activation *a = must_create("relu~bsilu(domain=negative)", NULL);
    sugar_context *context = NULL;
    const sugar_context_options threads = {.struct_size = sizeof threads, .threads = 3};
    assert_non_null(memory);
    assert_ok(sugar_context_create(&context, &threads));
    for (int i = 0; i < (OPERANDS + 2) * (MANY + SHIFT); i++)
        memory[i] = (float)((int64_t)i * 7919 % 8191 - 4096) * 0x1p-9f;
    for (int shift = 0; shift < SHIFT; shift += 5)
        for (int flags = 0; flags <= SUGAR_CALL_TEMPORAL; flags += 2) {
            const sugar_call_options options = {
                .struct_size = sizeof options, .flags = (uint64_t)flags, .context = context};
            view views[OPERANDS + 2];
            for (int k = 0; k < OPERANDS + 2; k++)
                view_make(&views[k], memory + (int64_t)k * (MANY + SHIFT) + (k == DX ? 1 : shift), sizeof(float), 1,
                          (int64_t[]){MANY}, NULL);
            const sugar_tensor *x = &views[X].tensor, *dy = &views[DY].tensor, *v = &views[V].tensor;
            assert_ok(sugar_backward_twice(a, x, dy, v, &views[DDY].tensor, &views[DX].tensor, NULL));
            assert_ok(
                sugar_backward_twice(a, x, dy, v, &views[OPERANDS].tensor, &views[OPERANDS + 1].tensor, &options));
            for (int k = 0; k < 2; k++)
                assert_memory_equal(views[DDY + k].tensor.data, views[OPERANDS + k].tensor.data, sizeof(float[MANY]));
        }
    sugar_context_destroy(context);
    sugar_activation_destroy(a);
    free(memory);
}

/* ---- Errors -------------------------------------------------------------------------------- */

static void errors(void **unused)
{
    (void)unused;
    uint64_t state = 6;
    sugar_activation *a = must_create("silu", NULL);
    view x, y, over, other_type;
    refill(&state);
    view_make(&x, space[X], sizeof(float), 1, (int64_t[]){8}, NULL);
    view_make(&y, space[DDY], sizeof(float), 1, (int64_t[]){8}, NULL);
    view_make(&over, space[DDY] + 1, sizeof(float), 1, (int64_t[]){8}, NULL);
    view_make(&other_type, space[DX], sizeof(double), 1, (int64_t[]){8}, NULL);
    const sugar_tensor *t = &x.tensor, *out = &y.tensor;
    const struct {
        const sugar_tensor *x, *dy, *v, *ddy, *dx;
        sugar_status status;
        const char *message;
    } rows[] = {
        {NULL, t, t, out, NULL, SUGAR_ERROR_ARGUMENT, "x: NULL, expected a tensor"},
        {t, NULL, t, out, NULL, SUGAR_ERROR_ARGUMENT, "dy: NULL, expected a tensor"},
        {t, t, NULL, NULL, out, SUGAR_ERROR_ARGUMENT, "v: NULL, expected a tensor"},
        {t, t, t, NULL, NULL, SUGAR_ERROR_ARGUMENT, "ddy: NULL, and dx NULL, expected a tensor for one of them"},
        {t, t, t, out, out, SUGAR_ERROR_OVERLAP, "dx: overlaps ddy"},
        {t, t, t, out, &over.tensor, SUGAR_ERROR_OVERLAP, "dx: overlaps ddy"},
        {t, t, out, &over.tensor, NULL, SUGAR_ERROR_OVERLAP, "ddy: overlaps v"},
        {t, out, t, NULL, &over.tensor, SUGAR_ERROR_OVERLAP, "dx: overlaps dy"},
        {t, t, t, out, &other_type.tensor, SUGAR_ERROR_ARGUMENT, "dx: dtype float64, expected float32 like x"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_fails(sugar_backward_twice(a, rows[i].x, rows[i].dy, rows[i].v, rows[i].ddy, rows[i].dx, NULL),
                     rows[i].status, rows[i].message);
    assert_fails(sugar_backward_twice(NULL, t, t, t, out, NULL, NULL), SUGAR_ERROR_ARGUMENT, "activation: NULL");
    assert_memory_equal(space, space_before, sizeof space);
    sugar_activation_destroy(a);
}

static void options_that_it_does_not_have(void **unused)
{
    (void)unused;
    uint64_t state = 8;
    sugar_activation *a = must_create("prelu", NULL);
    view x, y;
    refill(&state);
    view_make(&x, space[X], sizeof(float), 1, (int64_t[]){8}, NULL);
    view_make(&y, space[DDY], sizeof(float), 1, (int64_t[]){8}, NULL);
    const sugar_random random = {.struct_size = sizeof random};
    const struct {
        sugar_call_options options;
        sugar_status status;
        const char *message;
    } rows[] = {
        {{.flags = SUGAR_CALL_FROM_OUTPUT},
         SUGAR_ERROR_UNSUPPORTED,
         "flags 0x8, expected any of SUGAR_CALL_ACCUMULATE (0x1), SUGAR_CALL_NONTEMPORAL (0x2) and "
         "SUGAR_CALL_TEMPORAL (0x4) in backward_twice"},
        {{.flags = SUGAR_CALL_NONTEMPORAL | SUGAR_CALL_TEMPORAL}, SUGAR_ERROR_ARGUMENT, "not both"},
        {{.parameter = &x.tensor}, SUGAR_ERROR_UNSUPPORTED, "options: parameter in backward_twice, expected NULL"},
        {{.parameter_gradient = &y.tensor}, SUGAR_ERROR_UNSUPPORTED, "parameter_gradient in backward_twice"},
        {{.saved_gradient = &x.tensor}, SUGAR_ERROR_UNSUPPORTED, "saved_gradient in backward_twice"},
        {{.random = &random}, SUGAR_ERROR_UNSUPPORTED, "random in backward_twice"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sugar_call_options options = rows[i].options;
        options.struct_size = sizeof options;
        assert_fails(sugar_backward_twice(a, &x.tensor, &x.tensor, &x.tensor, &y.tensor, NULL, &options),
                     rows[i].status, rows[i].message);
    }
    assert_memory_equal(space, space_before, sizeof space);
    sugar_activation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ddy_is_what_backward_gives),
        cmocka_unit_test(dx_is_both_gradients_times_g_second),
        cmocka_unit_test(mixtures_are_mixed),
        cmocka_unit_test(every_kind_has_the_slope_of_its_derivative),
        cmocka_unit_test(backward_is_forward_mode),
        cmocka_unit_test(kinks),
        cmocka_unit_test(any_views),
        cmocka_unit_test(in_place),
        cmocka_unit_test(no_elements),
        cmocka_unit_test(threads_and_stores),
        cmocka_unit_test(errors),
        cmocka_unit_test(options_that_it_does_not_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
