/* Parameters that are tensors, and their gradients: what a call composes, and what it refuses. */
#include "learners.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>

/* ---- What a backward call composes -------------------------------------------------------------- */

static float call_x[4] = {-2, -1, 3, 1}, call_dy[4] = {1, 10, 100, 1000};
static const int64_t one = 1, four = 4;

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
    for (size_t k = 0; k < LEARNERS; k++) {
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
        cmocka_unit_test(accumulates),
        cmocka_unit_test(in_place),
        cmocka_unit_test(surrogates),
        cmocka_unit_test(one_without_the_other),
        cmocka_unit_test(parameters_out_of_range),
        cmocka_unit_test(index_in_its_own_shape),
        cmocka_unit_test(shared_and_summed_differ),
        cmocka_unit_test(operands_that_do_not_fit),
        cmocka_unit_test(overlaps),
    };
    return cmocka_run_group_tests_name("learn calls", tests, NULL, NULL);
}
