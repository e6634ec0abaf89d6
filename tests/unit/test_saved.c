/* Saved gradients: the error of codes, bits for derivatives of two values, and calls that are refused. */
#include "saving.h"

#include <float.h>
#include <math.h>

/* ---- Codes ------------------------------------------------------------------------------------- */

/* The smallest positive element. */
static double smallest(element_type type) { return element_value(1, type); }

/* By how much a result near a differs at most from the element that it is stored as. */
static double storing(element_type type, double a)
{
    return ldexp(fabs(a), -element_formats[type].mantissa_bits) + smallest(type);
}

/* What a code stands for is within half the spacing of codes, and a rounding, of the derivative, before that is stored
 * as an element. */
static void check_codes(const char *spec, element_type type)
{
    uint64_t state = 3;
    fill(&v, type, &state);
    sugar_activation *a = must_create(spec, NULL);
    double minimum, maximum;
    find_range(a, &minimum, &maximum);
    save(a, &v, 8);
    restore(a, &v, 8, v.ones, 0);
    memcpy(w.dx, v.dx, sizeof w.dx);
    assert_ok(flat_backward(a, type, N, v.x, 1, v.ones, 1, v.dx, 1, NULL));
    const double largest = fmax(fabs(minimum), fabs(maximum)), half = (maximum - minimum) / 510;
    const double arithmetic = type == ELEMENT_F64 ? 0x1p-52 : 0x1p-23;
    const double rounding = 4 * arithmetic * largest + (double)FLT_TRUE_MIN;
    for (int64_t i = 0; i < N; i++) {
        const double d = element_value(element_load(v.dx, i, type), type);
        const double back = element_value(element_load(w.dx, i, type), type);
        const double stands_for = minimum + (maximum - minimum) / 255 * v.codes[i];
        if (element_is_nan(element_load(v.x, i, type), type)) {
            assert_int_equal(v.codes[i], 0);
            continue;
        }
        if (isinf(d) || isinf(back)) {      /* too large for a narrow type */
            assert_true(fabs(stands_for) + half > 65000);
            continue;
        }
        const double stored = storing(type, d);
        if (!(fabs(stands_for - d) <= half + rounding + stored)
            || !(fabs(back - d) <= half + rounding + 2 * stored + storing(type, back)))
            fail_msg("%s, %s: derivative %.9g, code %d is %.9g, used as %.9g; half a step is %.3g", spec,
                     element_formats[type].name, d, v.codes[i], stands_for, back, half);
    }
    sugar_activation_destroy(a);
}

static void codes_are_close(void **unused)
{
    (void)unused;
    uint64_t state = 11;
    for (int32_t kind = 0; kind < sugar_kind_count(); kind++)
        for (int set = 0; set < (short_run() ? 1 : 3); set++)
            for (int type = 0; type < ELEMENT_TYPES; type++) {
                const spec_text plain = make_spec("identity~", kind, set, "", &state);
                if (!has_range(plain.text))
                    continue;
                check_codes(plain.text, (element_type)type);
                check_codes(make_spec("relu~", kind, set, "domain=negative", &state).text, (element_type)type);
                check_codes(make_spec("gelu~", kind, set, "blend=0.75", &state).text, (element_type)type);
            }
}

/* y is the same as without a saved gradient; kinds with an unbounded derivative are refused with a message. */
static void every_kind_or_an_error(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    int refused = 0;
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        if (!(kind.roles & SUGAR_ROLE_FORWARD))
            continue;
        fill(&v, ELEMENT_F32, &state);
        sugar_activation *a = must_create(kind.name, NULL);
        const sugar_tensor saved = flat_saved(&v, 8);
        const sugar_call_options options = options_with(&saved, 0, NULL);
        memset(v.codes, 77, sizeof v.codes);
        const sugar_status status = flat_forward(a, v.type, N, v.x, 1, v.y, 1, &options);
        assert_int_equal(status == SUGAR_OK, (kind.capabilities & SUGAR_CAN_SAVE_BYTE) != 0);
        if (status == SUGAR_OK) {
            assert_ok(flat_forward(a, v.type, N, v.x, 1, w.y, 1, NULL));
            assert_memory_equal(v.y, w.y, N * sizeof(float));
        } else {
            assert_fails(status, SUGAR_ERROR_UNSUPPORTED, "finite range");
            assert_int_equal(v.codes[0], 77);
            refused++;
        }
        sugar_activation_destroy(a);
    }
    assert_int_equal(refused, 4);       /* relu_squared, exponential, xielu and square */
}

/* A 255th of the range must be a number that codes can be computed with. */
static void tiny_ranges(void **unused)
{
    (void)unused;
    static const struct {
        const char *spec;
        bool can;
    } rows[] = {
        {"heaviside~box_spike(blend=1e-35)", true},
        {"heaviside~box_spike(blend=1e-36)", false},
        {"heaviside~box_spike(blend=1e-44)", false},
        {"heaviside~box_spike(blend=0)", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sugar_activation *a = must_create(rows[i].spec, NULL);
        sugar_activation_info info = {.struct_size = sizeof info};
        assert_ok(sugar_activation_get_info(a, &info));
        assert_int_equal((info.capabilities & SUGAR_CAN_SAVE_BYTE) != 0, rows[i].can);
        sugar_activation_destroy(a);
    }
}

/* ---- Bits -------------------------------------------------------------------------------------- */

/* From bits the backward pass gives what it gives from x. */
static void check_bits(const char *spec, element_type type)
{
    uint64_t state = 21;
    fill(&v, type, &state);
    for (int64_t i = 0; i < N; i++)         /* where x is NaN, the bit is 0 */
        if (element_is_nan(element_load(v.x, i, type), type))
            element_store(v.x, i, type, element_of(-1, type));
    sugar_activation *a = must_create(spec, NULL);
    memset(v.codes, 0xa5, sizeof v.codes);
    save(a, &v, 1);
    assert_int_equal(v.codes[(N + 7) / 8], 0xa5);
    for (int accumulate = 0; accumulate <= 1; accumulate++) {
        const sugar_call_options options = options_with(NULL, accumulate ? SUGAR_CALL_ACCUMULATE : 0, NULL);
        memcpy(v.dx, v.dy, sizeof v.dx);
        memcpy(w.dx, v.dy, sizeof w.dx);
        restore(a, &v, 1, v.dy, options.flags);
        assert_ok(flat_backward(a, type, N, v.x, 1, v.dy, 1, w.dx, 1, &options));
        for (int64_t i = 0; i < N; i++)
            if (!element_same(element_load(v.dx, i, type), element_load(w.dx, i, type), type))
                fail_msg("%s, %s at %.9g: %.9g from its bit, %.9g from x", spec, element_formats[type].name,
                         element_value(element_load(v.x, i, type), type),
                         element_value(element_load(v.dx, i, type), type),
                         element_value(element_load(w.dx, i, type), type));
    }
    sugar_activation_destroy(a);
}

static void bits_are_exact(void **unused)
{
    (void)unused;
    static const char *const specs[] = {
        "identity",
        "relu",
        "relu6",
        "threshold(threshold=0.3,value=7)",
        "leaky_relu",
        "prelu(alpha=-0.3)",
        "rrelu(lower=0.1,upper=0.30000001192)",
        "softshrink",
        "hardshrink(lambda=0)",
        "hardtanh(min_val=0.1,max_val=0.7)",
        "hardtanh(min_val=1,max_val=1)",
        "hardsigmoid",
        "heaviside(threshold=0.3)~box_spike",
        "heaviside(threshold=2)~box_spike(width=0.75)",
        "sign~box_spike(width=0)",
        "heaviside(threshold=-0.3)~box_spike(domain=negative)",
        "relu~leaky_relu(domain=negative)",
        "gelu~relu",
        "relu~leaky_relu(negative_slope=0.1,blend=0.3)",
        "relu~identity(blend=0.7)",
        "bsilu~relu6",
        "leaky_relu(negative_slope=1e-44)",
        "prelu(alpha=1)",
        "prelu(alpha=0.99999994)",
        "elu~relu(domain=negative)",
        "selu~leaky_relu(domain=negative)",
        "celu(alpha=0.3)~heaviside(domain=negative)",
        "identity~relu_squared(domain=negative)",
        "threshold~elu(domain=negative,blend=0)",
    };
    for (size_t i = 0; i < COUNT(specs); i++)
        for (int type = 0; type < ELEMENT_TYPES; type++)
            check_bits(specs[i], (element_type)type);
}

static void more_than_two_values_are_refused(void **unused)
{
    (void)unused;
    static const char *const specs[] = {
        "gelu",
        "relu~bsilu",
        "relu~elu(domain=negative)",
        "relu6~relu(blend=0.5)",
        "relu_squared",
        "relu6~hardtanh(min_val=0,max_val=3,blend=0.5)",
        "relu6~leaky_relu(domain=negative)",
        "relu~gelu(blend=0.5)",
        "gelu~relu(domain=negative)",
        "elu~relu(domain=negative,blend=0.5)",
        "relu~relu_squared",
    };
    uint64_t state = 2;
    fill(&v, ELEMENT_F32, &state);
    const sugar_tensor saved = flat_saved(&v, 1);
    const sugar_call_options options = options_with(&saved, 0, NULL);
    for (size_t i = 0; i < COUNT(specs); i++) {
        sugar_activation *a = must_create(specs[i], NULL);
        assert_fails(flat_forward(a, v.type, N, v.x, 1, v.y, 1, &options), SUGAR_ERROR_UNSUPPORTED, "two values");
        assert_fails(flat_backward(a, v.type, N, NULL, 1, v.dy, 1, v.dx, 1, &options), SUGAR_ERROR_UNSUPPORTED,
                     "two values");
        sugar_activation_destroy(a);
    }
}

/* Kinds with SUGAR_CAN_SAVE_* accept a saved gradient, others refuse it. */
static void capabilities_hold(void **unused)
{
    (void)unused;
    uint64_t state = 2;
    fill(&v, ELEMENT_F32, &state);
    const sugar_tensor saved = flat_saved(&v, 1);
    const sugar_call_options options = options_with(&saved, 0, NULL);
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        sugar_activation *a = must_create(make_spec("gelu~", i, 0, "", &state).text, NULL);
        const sugar_status status = flat_forward(a, v.type, N, v.x, 1, v.y, 1, &options);
        assert_int_equal(status == SUGAR_OK, (kind.capabilities & SUGAR_CAN_SAVE_BIT) != 0);
        sugar_activation_destroy(a);
    }
}

/* ---- Bad input --------------------------------------------------------------------------------- */

static void bad_input(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    fill(&v, ELEMENT_F32, &state);
    sugar_activation *a = must_create("relu~bsilu", NULL), *leaky = must_create("leaky_relu", NULL),
                     *random_relu = must_create("rrelu", NULL);
    sugar_tensor saved = flat_saved(&v, 8);
    const sugar_call_options options = options_with(&saved, 0, NULL);
    float *x = (float *)(void *)v.x, *y = (float *)(void *)v.y, *dy = (float *)(void *)v.dy,
          *dx = (float *)(void *)v.dx;
    assert_fails(sugar_backward_f32(a, N, x, 1, dy, 1, dx, 1, &options), SUGAR_ERROR_ARGUMENT, "x: not NULL beside");

    saved.data = y + 1;             /* codes among the outputs and the inputs */
    assert_fails(sugar_forward_f32(a, N, x, 1, y, 1, &options), SUGAR_ERROR_OVERLAP, "overlaps saved_gradient");
    saved.data = x;
    assert_fails(sugar_forward_f32(a, N, x, 1, y, 1, &options), SUGAR_ERROR_OVERLAP, "saved_gradient: overlaps x");
    saved.data = dx;
    assert_fails(sugar_backward_f32(a, N, NULL, 1, dy, 1, dx, 1, &options), SUGAR_ERROR_OVERLAP, "dx: overlaps");
    saved.dtype.bits = 1;
    saved.data = (char *)(dx + N) - 1;
    assert_fails(sugar_backward_f32(leaky, N, NULL, 1, dy, 1, dx, 1, &options), SUGAR_ERROR_OVERLAP, "dx: overlaps");
    saved.data = (char *)y - (N + 7) / 8 + 1;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_OVERLAP, "y: overlaps saved_gradient");
    saved.data = (char *)(x + N) - 1;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_OVERLAP, "saved_gradient: overlaps x");
    saved.data = NULL;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_ARGUMENT, "saved_gradient: data NULL");

    saved = flat_saved(&v, 1);
    const int64_t two = 2, less = N - 1;
    saved.strides = &two;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_ARGUMENT, "stride 2 in dimension 0");
    saved.strides = NULL;
    saved.shape = &less;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_ARGUMENT, "saved_gradient: shape");
    saved = flat_saved(&v, 4);
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_UNSUPPORTED, "saved_gradient: dtype");
    saved = flat_saved(&v, 8);
    saved.dtype.code = SUGAR_TYPE_FLOAT;
    assert_fails(sugar_forward_f32(a, N, x, 1, y, 1, &options), SUGAR_ERROR_UNSUPPORTED, "saved_gradient: dtype");
    saved = flat_saved(&v, 8);
    const int64_t none = 0;
    saved.strides = &none;
    assert_fails(sugar_forward_f32(a, N, x, 1, y, 1, &options), SUGAR_ERROR_OVERLAP, "saved_gradient: stride 0");
    saved.strides = NULL;

    sugar_call_options beside = options_with(&saved, SUGAR_CALL_FROM_OUTPUT, NULL);
    assert_fails(sugar_backward_f32(leaky, N, NULL, 1, dy, 1, dx, 1, &beside), SUGAR_ERROR_UNSUPPORTED,
                 "saved_gradient beside SUGAR_CALL_FROM_OUTPUT");
    view parameter;
    const int64_t n = N;
    view_make(&parameter, dy, sizeof *dy, 1, &n, NULL);
    beside = options_with(&saved, 0, NULL);
    beside.parameter = &parameter.tensor;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &beside), SUGAR_ERROR_UNSUPPORTED, "parameter beside");
    assert_fails(sugar_backward_f32(leaky, N, NULL, 1, dy, 1, dx, 1, &beside), SUGAR_ERROR_UNSUPPORTED,
                 "parameter beside");
    const sugar_random seed = {.struct_size = sizeof seed};
    beside.parameter = NULL;
    beside.random = &seed;
    assert_fails(sugar_forward_f32(random_relu, N, x, 1, y, 1, &beside), SUGAR_ERROR_UNSUPPORTED,
                 "saved_gradient beside random");
    sugar_activation_destroy(a);
    sugar_activation_destroy(leaky);
    sugar_activation_destroy(random_relu);
}

/* Calls without elements succeed. */
static void no_elements(void **unused)
{
    (void)unused;
    sugar_activation *a = must_create("relu", NULL);
    const int64_t none = 0;
    sugar_tensor saved = {
        .device = {SUGAR_DEVICE_CPU, 0}, .ndim = 1, .shape = &none, .dtype = {SUGAR_TYPE_UNSIGNED, 1, 1}};
    const sugar_call_options options = options_with(&saved, 0, NULL);
    assert_ok(sugar_forward_f32(a, 0, NULL, 1, NULL, 1, &options));
    assert_ok(sugar_backward_f32(a, 0, NULL, 1, NULL, 1, NULL, 1, &options));
    sugar_activation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_close),
        cmocka_unit_test(every_kind_or_an_error),
        cmocka_unit_test(tiny_ranges),
        cmocka_unit_test(bits_are_exact),
        cmocka_unit_test(more_than_two_values_are_refused),
        cmocka_unit_test(capabilities_hold),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(no_elements),
    };
    return cmocka_run_group_tests_name("saved", tests, NULL, NULL);
}
