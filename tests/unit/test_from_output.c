/* The backward pass from the output: how far its derivative is from f'(x), and where it is the same; which specs are
 * refused; and y that are no value of f. */
#include "unit.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

enum { N = 20000 };

typedef struct vectors {
    uint64_t x[N], y[N], d[N], from_y[N], ones[N];      /* room for any type */
} vectors;
static vectors v;

static const sugar_call_options from_output = {.struct_size = sizeof from_output, .flags = SUGAR_CALL_FROM_OUTPUT};

/* Whether bits are the same, or differ only as SUGAR_TEST_ANY_ZERO allows. */
static int same(float a, float b)
{
    return element_same(element_of((double)a, ELEMENT_F32), element_of((double)b, ELEMENT_F32), ELEMENT_F32);
}

/* Inputs: dense where functions bend, elsewhere of all sizes; no NaN. */
static void fill(element_type type)
{
    uint64_t state = 7;
    for (int64_t i = 0; i < N; i++) {
        uint64_t x = i % 2 ? element_of((double)(i - N / 2) * 0x1p-8, type) : random_element(&state, type);
        if (element_is_nan(x, type))
            x = element_of(0, type);
        element_store(v.x, i, type, x);
        element_store(v.ones, i, type, element_of(1, type));
    }
}

static void run_both(const char *spec, element_type type)
{
    fill(type);
    sugar_activation *a = must_create(spec, NULL);
    assert_ok(flat_forward(a, type, N, v.x, 1, v.y, 1, NULL));
    assert_ok(flat_backward(a, type, N, v.x, 1, v.ones, 1, v.d, 1, NULL));
    assert_ok(flat_backward(a, type, N, v.y, 1, v.ones, 1, v.from_y, 1, &from_output));
    sugar_activation_destroy(a);
}

/* ---- The distance to f'(x) ----------------------------------------------------------------- */

/* y is wrong by `errors` ULP at most, and a derivative by as many. */
static const struct {
    double unit, errors;                /* the largest relative error of a rounding */
} precision[ELEMENT_TYPES] = {
    [ELEMENT_F32] = {0x1p-24, 2},
    [ELEMENT_F64] = {0x1p-53, 4},
    [ELEMENT_F16] = {0x1p-11, 1},
    [ELEMENT_BF16] = {0x1p-8, 1},
};

/* How the error of y changes the derivative: an absolute error, in units times errors; or a relative one. */
static const struct {
    const char *spec;
    double absolute, relative;
} rows[] = {
    {"relu", 0, 0},
    {"relu6", 0, 0},
    {"leaky_relu", 0, 0},
    {"leaky_relu(negative_slope=0)", 0, 0},
    {"prelu(alpha=3)", 0, 0},
    {"hardtanh", 0, 0},
    {"hardtanh(min_val=-0.1,max_val=0.3)", 0, 0},
    {"relu~relu", 0, 0},
    {"relu~bsilu(blend=0)", 0, 0},
    {"elu", 2, 0},
    {"elu(alpha=3)", 6, 0},
    {"elu(alpha=0)", 0, 0},
    {"celu", 2, 0},
    {"celu(alpha=0.3)", 2, 0},
    {"celu(alpha=100)", 2, 0},
    {"selu", 2 * 1.7581, 0},
    {"sigmoid", 1, 0},
    {"tanh", 2, 0},
    {"softplus", 0, 1},
    {"softplus(beta=7)", 0, 1},
    {"softplus(beta=0.01)", 0, 1},
    {"log_sigmoid", 0, 1},
    {"exponential", 0, 1},
    {"sparse_plus", 0, 0.5},
};

static bool is_short(element_type type) { return type == ELEMENT_F16 || type == ELEMENT_BF16; }

static void check_distance(size_t row, element_type type)
{
    const double unit = precision[type].unit, errors = precision[type].errors;
    run_both(rows[row].spec, type);
    for (int64_t i = 0; i < N; i++) {
        const double x = element_value(element_load(v.x, i, type), type);
        const double y = element_value(element_load(v.y, i, type), type);
        const double d = element_value(element_load(v.d, i, type), type);
        const double found = element_value(element_load(v.from_y, i, type), type);
        const bool is_normal = fabs(y) >= ldexp(1, 3 - (1 << (element_formats[type].exponent_bits - 1)));
        const double rounding = rows[row].absolute + rows[row].relative > 0 ? 2 * 2 * errors * unit * fabs(d) : 0;
        const double allowed = errors * unit * (rows[row].absolute + 2 * rows[row].relative * fabs(d)) + rounding;
        if (is_short(type) && strncmp(rows[row].spec, "hardtanh(", 9) == 0 && fabs(x) < 0.4)
            continue;                   /* y was cut off at a rounded bound: x does not follow */
        if (found != d && !(fabs(found - d) <= allowed) && (is_normal || !(rows[row].relative > 0)))
            fail_msg("%s, %s: at %.9g, where y is %.9g, %.9g from y, %.9g from x, allowed %.3g", rows[row].spec,
                     element_formats[type].name, x, y, found, d, allowed);
    }
}

static void distance_is_bounded(void **unused)
{
    (void)unused;
    for (size_t row = 0; row < COUNT(rows); row++)
        for (int type = 0; type < ELEMENT_TYPES; type++)
            check_distance(row, (element_type)type);
}

/* ---- Numbers that are no outputs --------------------------------------------------------------- */

static void beyond_the_range(void **unused)
{
    (void)unused;
    static const struct {
        const char *spec;
        float y, derivative;
    } cases[] = {
        {"sigmoid", 1.5f, 0},
        {"sigmoid", -0.5f, 0},
        {"tanh", 2, 0},
        {"tanh", -2, 0},
        {"elu", -1.5f, 0},
        {"celu", -2, 0},
        {"selu", -1.8f, 0},
        {"softplus", -1, 0},
        {"log_sigmoid", 1, 0},
        {"softplus", INFINITY, 1},
        {"elu", -INFINITY, 0},
        {"relu", -3, 0},
        {"relu6", 7, 0},
        {"hardtanh", -2, 0},
        {"log_sigmoid", -INFINITY, 1},
        {"sigmoid", INFINITY, 0},
        {"celu", INFINITY, 1},
        {"celu(alpha=1e-6)", -INFINITY, 0},
        {"celu(alpha=1e6)", 3e38f, 1},
        {"tanh", INFINITY, 0},
        {"softplus(beta=1e6)", 3e38f, 1},
        {"elu(alpha=1e6)", -3e38f, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const float one = 1, nan = NAN;
        float d = -7;
        sugar_activation *a = must_create(cases[i].spec, NULL);
        assert_ok(sugar_backward_f32(a, 1, &cases[i].y, 1, &one, 1, &d, 1, &from_output));
        if (!same(d, cases[i].derivative))
            fail_msg("%s from %g: %g, expected %g", cases[i].spec, (double)cases[i].y, (double)d,
                     (double)cases[i].derivative);
        assert_ok(sugar_backward_f32(a, 1, &nan, 1, &one, 1, &d, 1, &from_output));
        assert_true(isnan(d));
        sugar_activation_destroy(a);
    }
}

/* ---- Calls --------------------------------------------------------------------------------------- */

/* Kinds with SUGAR_CAN_START_FROM_OUTPUT accept the flag, others refuse it. */
static void capabilities_hold(void **unused)
{
    (void)unused;
    const float one = 1;
    float d;
    int able = 0;
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        if (!(kind.roles & SUGAR_ROLE_FORWARD)) {
            assert_false(kind.capabilities & SUGAR_CAN_START_FROM_OUTPUT);
            continue;
        }
        sugar_activation *a = must_create(kind.name, NULL);
        const sugar_status status = sugar_backward_f32(a, 1, &one, 1, &one, 1, &d, 1, &from_output);
        assert_int_equal(status == SUGAR_OK, (kind.capabilities & SUGAR_CAN_START_FROM_OUTPUT) != 0);
        if (status != SUGAR_OK)
            assert_fails(status, SUGAR_ERROR_UNSUPPORTED, "expected a kind with SUGAR_CAN_START_FROM_OUTPUT");
        able += status == SUGAR_OK;
        sugar_activation_destroy(a);
    }
    assert_int_equal(able, 14);
}

static void what_is_refused(void **unused)
{
    (void)unused;
    static const struct {
        const char *spec, *part;
    } cases[] = {
        {"relu~bsilu", "expected no surrogate"},
        {"relu~leaky_relu", "expected no surrogate"},
        {"elu~elu(alpha=2)", "expected no surrogate"},
        {"relu~bsilu(blend=0.01)", "expected no surrogate"},
        {"leaky_relu(negative_slope=-0.1)", "a parameter of 0 or more"},
        {"prelu(alpha=-1)", "a parameter of 0 or more"},
        {"elu(alpha=-1)", "a parameter of 0 or more"},
        {"gelu", "a kind with"},
    };
    float d = 5;
    const float one = 1;
    for (size_t i = 0; i < COUNT(cases); i++) {
        sugar_activation *a = must_create(cases[i].spec, NULL);
        assert_fails(sugar_backward_f32(a, 1, &one, 1, &one, 1, &d, 1, &from_output), SUGAR_ERROR_UNSUPPORTED,
                     cases[i].part);
        view x;
        view_make(&x, &d, sizeof d, 0, NULL, NULL);
        assert_fails(sugar_backward(a, &x.tensor, &x.tensor, &x.tensor, &from_output), SUGAR_ERROR_UNSUPPORTED,
                     "SUGAR_CALL_FROM_OUTPUT (0x8) with");
        assert_true(d == 5);
        sugar_activation_destroy(a);
    }
    sugar_activation *a = must_create("prelu", NULL);
    assert_fails(sugar_forward_f32(a, 1, &one, 1, &d, 1, &from_output), SUGAR_ERROR_UNSUPPORTED, "flags 0x8");
    view parameter;
    const int64_t n = 1;
    float slope = 1;
    view_make(&parameter, &slope, sizeof slope, 1, &n, NULL);
    sugar_call_options both = from_output;
    both.parameter = &parameter.tensor;
    assert_fails(sugar_backward_f32(a, 1, &one, 1, &one, 1, &d, 1, &both), SUGAR_ERROR_UNSUPPORTED, "parameter beside");
    both = from_output;
    both.parameter_gradient = &parameter.tensor;
    assert_fails(sugar_backward_f32(a, 1, &one, 1, &one, 1, &d, 1, &both), SUGAR_ERROR_UNSUPPORTED,
                 "parameter_gradient beside");
    sugar_activation_destroy(a);
}

/* At every level, with strides and threads, in place and accumulated: the bits of a call on each element alone. */
static void check_call(const char *spec, const char *level, const sugar_context *context, uint64_t flags)
{
    static float y[2 * N], dy[N], dx[3 * N], expected[N];
    uint64_t state = 3;
    sugar_activation *a = must_create(spec, level), *scalar = must_create(spec, "scalar");
    sugar_call_options options = {
        .struct_size = sizeof options, .flags = SUGAR_CALL_FROM_OUTPUT | flags, .context = context};
    for (int i = 0; i < N; i++) {
        y[2 * i] = (float)random_between(&state, -2000, 2000) * 0x1p-10f;
        dy[i] = (float)random_between(&state, -2000, 2000) * 0x1p-10f;
        dx[3 * i] = expected[i] = (float)i;
    }
    for (int i = 0; i < N; i++)
        assert_ok(sugar_backward_f32(scalar, 1, y + 2 * i, 1, dy + i, 1, expected + i, 1, &options));
    assert_ok(sugar_backward_f32(a, N, y, 2, dy, 1, dx, 3, &options));
    for (int i = 0; i < N; i++)
        if (!same(dx[3 * i], expected[i]))
            fail_msg("%s, %s: %a, expected %a", spec, level, (double)dx[3 * i], (double)expected[i]);
    if (!(flags & SUGAR_CALL_ACCUMULATE)) {
        assert_ok(sugar_backward_f32(a, N, y, 2, dy, 1, y, 2, &options));
        for (int i = 0; i < N; i++)
            assert_true(same(y[2 * i], expected[i]));
        assert_ok(sugar_backward_f32(a, N, dy, 1, dy, 1, dx, 1, &options));
        assert_ok(sugar_backward_f32(a, N, dy, 1, dy, 1, dy, 1, &options));
        assert_memory_equal(dx, dy, sizeof dy);
    }
    sugar_activation_destroy(a);
    sugar_activation_destroy(scalar);
}

static void any_call(void **unused)
{
    (void)unused;
    const char *names[MAX_LEVELS];
    const int levels = supported_levels(names);
    const sugar_context_options two = {.struct_size = sizeof two, .threads = 2};
    sugar_context *context;
    assert_ok(sugar_context_create(&context, &two));
    for (size_t row = 0; row < COUNT(rows); row++)
        for (int level = 0; level < levels; level++) {
            check_call(rows[row].spec, names[level], NULL, 0);
            check_call(rows[row].spec, names[level], context, SUGAR_CALL_NONTEMPORAL);
            check_call(rows[row].spec, names[level], context, SUGAR_CALL_ACCUMULATE);
        }
    sugar_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_is_bounded), cmocka_unit_test(beyond_the_range), cmocka_unit_test(capabilities_hold),
        cmocka_unit_test(what_is_refused),     cmocka_unit_test(any_call),
    };
    return cmocka_run_group_tests_name("from_output", tests, NULL, NULL);
}
