/* The backward pass of specs with a surrogate: domain, blend, thresholds, accumulation. */
#include "unit.h"

#include <math.h>
#include <stdio.h>

enum { N = 600 };
static float x[N], dy[N], ones[N];

static int set_up(void **unused)
{
    (void)unused;
    uint64_t state = 9;
    for (int i = 0; i < N; i++) {
        x[i] = i < N - 4 ? (float)random_between(&state, -6000, 6000) * 0x1p-10f : (float)(i - N + 3) * 0.5f;
        dy[i] = (float)random_between(&state, -4000, 4000) * 0x1p-9f;
        ones[i] = 1;
    }
    x[0] = 0.0f;
    x[1] = -0.0f;
    return 0;
}

/* The derivative that the spec's backward pass uses, at every x. */
static void derivative(const char *spec, float *d)
{
    sugar_activation *a = must_create(spec, NULL);
    assert_ok(sugar_backward_f32(a, N, x, 1, ones, 1, d, 1, NULL));
    sugar_activation_destroy(a);
}

static const char *kind_name(int32_t index, uint32_t role)
{
    sugar_kind kind = {.struct_size = sizeof kind};
    assert_ok(sugar_kind_get(index, &kind));
    return kind.roles & role ? kind.name : NULL;
}

/* Calls `check` for every forward kind, each with another surrogate. */
static void for_each_pair(void (*check)(const char *f, const char *g))
{
    int32_t count = sugar_kind_count();
    for (int32_t i = 0; i < count; i++) {
        const char *f = kind_name(i, SUGAR_ROLE_FORWARD);
        const char *g = kind_name((i * 7 + 3) % count, SUGAR_ROLE_SURROGATE);
        if (f != NULL && g != NULL)
            check(f, g);
    }
}

static void assert_same(const float *got, const float *expected, const char *f, const char *g)
{
    for (int i = 0; i < N; i++)
        if (!(got[i] == expected[i]))
            fail_msg("%s~%s at %a: %a, expected %a", f, g, (double)x[i], (double)got[i], (double)expected[i]);
}

/* With a surrogate the derivative is that of the surrogate everywhere, and the value is the same as without. */
static void check_surrogate(const char *f, const char *g)
{
    char spec[96];
    float expected[N], got[N], value[N], value_alone[N];
    snprintf(spec, sizeof spec, "identity~%s", g);
    derivative(spec, expected);
    snprintf(spec, sizeof spec, "%s~%s", f, g);
    derivative(spec, got);
    if (strcmp(f, "heaviside") != 0)
        assert_same(got, expected, f, g);
    sugar_activation *pair = must_create(spec, NULL), *alone = must_create(f, NULL);
    assert_ok(sugar_forward_f32(pair, N, x, 1, value, 1, NULL));
    assert_ok(sugar_forward_f32(alone, N, x, 1, value_alone, 1, NULL));
    assert_memory_equal(value, value_alone, sizeof value);
    sugar_activation_destroy(pair);
    sugar_activation_destroy(alone);
}

static void any_forward_with_a_surrogate(void **unused)
{
    (void)unused;
    for_each_pair(check_surrogate);
}

/* A kind with itself as the surrogate: f~f gives the bits of f. */
static void own_surrogate_is_the_derivative(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        char spec[96];
        float d[N], own[N];
        const char *f = kind_name(i, SUGAR_ROLE_FORWARD);
        if (f == NULL || kind_name(i, SUGAR_ROLE_SURROGATE) == NULL)
            continue;
        snprintf(spec, sizeof spec, "%s~%s", f, f);
        derivative(f, d);
        derivative(spec, own);
        assert_same(own, d, f, f);
    }
}

static void check_domain(const char *f, const char *g)
{
    char spec[96];
    float surrogate[N], own[N], got[N];
    snprintf(spec, sizeof spec, "%s~%s", f, g);
    derivative(spec, surrogate);
    derivative(f, own);
    snprintf(spec, sizeof spec, "%s~%s(domain=negative)", f, g);
    derivative(spec, got);
    for (int i = 0; i < N; i++)
        surrogate[i] = x[i] <= 0 ? surrogate[i] : own[i];
    assert_same(got, surrogate, f, g);
}

static void domain_negative(void **unused)
{
    (void)unused;
    for_each_pair(check_domain);
}

/* t g' + (1 - t) f' to within the rounding of its three operations. */
static void check_blend(const char *f, const char *g)
{
    static const double blends[] = {0, 0.25, 0.7};
    char spec[96];
    float surrogate[N], own[N], got[N], got_negative[N];
    snprintf(spec, sizeof spec, "%s~%s", f, g);
    derivative(spec, surrogate);
    derivative(f, own);
    for (size_t k = 0; k < COUNT(blends); k++) {
        double t = blends[k];
        snprintf(spec, sizeof spec, "%s~%s(blend=%g)", f, g, t);
        derivative(spec, got);
        snprintf(spec, sizeof spec, "%s~%s(blend=%g,domain=negative)", f, g, t);
        derivative(spec, got_negative);
        for (int i = 0; i < N; i++) {
            double s = (double)surrogate[i], d = (double)own[i], bound = 0x1p-22 * (fabs(s) + fabs(d)) + 0x1p-148;
            if (fabs((double)got[i] - (t * s + (1 - t) * d)) > bound)
                fail_msg("%s at %a: %a of %a and %a", spec, (double)x[i], (double)got[i], s, d);
            assert_true(got_negative[i] == (x[i] <= 0 ? got[i] : own[i]));
        }
    }
    snprintf(spec, sizeof spec, "%s~%s(blend=0)", f, g);
    derivative(spec, got);
    assert_same(got, own, f, g);
}

static void blends(void **unused)
{
    (void)unused;
    for_each_pair(check_blend);
}

/* The derivatives of a spec at one huge x, as f32 and as f64. */
static void huge_derivatives(const char *spec, double huge, float *single, double *twice)
{
    const float narrow = (float)huge, one32 = 1;
    const double one64 = 1;
    sugar_activation *a = must_create(spec, NULL);
    assert_ok(sugar_backward_f32(a, 1, &narrow, 1, &one32, 1, single, 1, NULL));
    assert_ok(sugar_backward_f64(a, 1, &huge, 1, &one64, 1, twice, 1, NULL));
    sugar_activation_destroy(a);
}

/* A derivative whose factor rounds to 0 in f32 is left out there, even if it is infinite; in f64 it is not. */
static void factors_that_round_to_0(void **unused)
{
    (void)unused;
    static const char *const specs[] = {"relu~relu_squared(blend=1e-46)", "relu~relu_squared(blend=0)",
                                        "relu_squared~relu(blend=0.999999999999)", "relu_squared~relu(blend=1)"};
    for (size_t k = 0; k < COUNT(specs); k++) {
        float single;
        double twice;
        huge_derivatives(specs[k], 3e38, &single, &twice);
        if (!(single == 1))
            fail_msg("%s at 3e38, f32: %a", specs[k], (double)single);
        assert_true(k % 2 == 0 ? twice > 1 : twice == 1);
        huge_derivatives(specs[k], (double)INFINITY, &single, &twice);
        if (!(single == 1))
            fail_msg("%s at infinity, f32: %a", specs[k], (double)single);
        assert_true(k % 2 == 0 ? twice == (double)INFINITY : twice == 1);
    }
}

/* Spike surrogates measure x from the threshold of heaviside; the other surrogates do not. */
static void threshold_shifts_spikes(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        char spec[96];
        float at[3] = {0.25f, 0.75f, 2.0f}, from[3] = {-0.25f, 0.25f, 1.5f}, one[3] = {1, 1, 1};
        float shifted[3], centred[3];
        const char *g = kind_name(i, SUGAR_ROLE_SURROGATE);
        if (g == NULL)
            continue;
        int spike = kind_name(i, SUGAR_ROLE_FORWARD) == NULL;
        snprintf(spec, sizeof spec, "heaviside(threshold=0.5)~%s", g);
        sugar_activation *a = must_create(spec, NULL);
        assert_ok(sugar_backward_f32(a, 3, at, 1, one, 1, shifted, 1, NULL));
        sugar_activation_destroy(a);
        snprintf(spec, sizeof spec, "relu~%s", g);
        a = must_create(spec, NULL);
        assert_ok(sugar_backward_f32(a, 3, spike ? from : at, 1, one, 1, centred, 1, NULL));
        sugar_activation_destroy(a);
        for (int k = 0; k < 3; k++)
            if (!(shifted[k] == centred[k]))
                fail_msg("heaviside(threshold=0.5)~%s at %g: %a, expected %a", g, (double)at[k], (double)shifted[k],
                         (double)centred[k]);
    }
}

/* dx is dy * d, rounded; accumulated, dy * d + dx, rounded once. */
static void products_and_sums(void **unused)
{
    (void)unused;
    static const char *const specs[] = {"relu", "gelu", "relu~bsilu", "silu~elu(domain=negative,blend=0.3)"};
    sugar_call_options accumulate = {.struct_size = sizeof accumulate, .flags = SUGAR_CALL_ACCUMULATE};
    for (size_t k = 0; k < COUNT(specs); k++) {
        float d[N], product[N], sum[N];
        derivative(specs[k], d);
        sugar_activation *a = must_create(specs[k], NULL);
        for (int i = 0; i < N; i++)
            sum[i] = 0.1f * (float)i;
        assert_ok(sugar_backward_f32(a, N, x, 1, dy, 1, product, 1, NULL));
        assert_ok(sugar_backward_f32(a, N, x, 1, dy, 1, sum, 1, &accumulate));
        for (int i = 0; i < N; i++) {
            assert_true(product[i] == dy[i] * d[i]);
            assert_true(sum[i] == fmaf(dy[i], d[i], 0.1f * (float)i));
        }
        sugar_activation_destroy(a);
    }
}

/* Every f16 or bf16 as dy, times f32 derivatives whose products lie in the middle between two elements, or next to it.
 * The product is rounded to f32, and that to the element, as element_of does. So are blends and accumulated results. */
static void check_short(element_type type, const char *level, float slope)
{
    enum { ALL = 65536 };
    static uint16_t gradient[ALL], product[ALL], sum[ALL];
    const uint16_t minus_one = (uint16_t)element_of(-1, type), start = (uint16_t)element_of(0.3, type);
    const float before = (float)element_value(start, type);
    const sugar_call_options accumulate = {.struct_size = sizeof accumulate, .flags = SUGAR_CALL_ACCUMULATE};
    char plain[96], mixed[96];
    snprintf(plain, sizeof plain, "leaky_relu(negative_slope=%.9g)", (double)slope);
    snprintf(mixed, sizeof mixed, "heaviside~leaky_relu(negative_slope=%.9g,blend=0.75)", (double)slope);
    for (int i = 0; i < ALL; i++) {
        gradient[i] = (uint16_t)i;
        sum[i] = start;
    }
    sugar_activation *a = must_create(plain, level), *b = must_create(mixed, level);
    assert_ok(flat_backward(a, type, ALL, &minus_one, 0, gradient, 1, product, 1, NULL));
    assert_ok(flat_backward(b, type, ALL, &minus_one, 0, gradient, 1, sum, 1, &accumulate));
    for (int i = 0; i < ALL; i++) {
        const float factor = (float)element_value((uint64_t)i, type);
        if (!element_same(product[i], element_of((double)(factor * slope), type), type)
            || !element_same(sum[i], element_of((double)fmaf(factor, 0.75f * slope, before), type), type))
            fail_msg("%s, %s, %s: dy %a: %#x and %#x", element_formats[type].name, level, plain, (double)factor,
                     product[i], sum[i]);
    }
    sugar_activation_destroy(a);
    sugar_activation_destroy(b);
}

static void short_types_round_once(void **unused)
{
    (void)unused;
    const char *levels[MAX_LEVELS];
    const int level_count = supported_levels(levels);
    uint64_t state = 12;
    for (int level = 0; level < level_count; level++)
        for (int i = 0; i < (short_run() ? 3 : 30); i++)
            for (element_type type = ELEMENT_F16; type <= ELEMENT_BF16; type++) {
                const int bits = element_formats[type].mantissa_bits + 1;
                const float middle = 1 + ldexpf((float)random_between(&state, 0, (1 << bits) - 1), -bits);
                check_short(type, levels[level], i % 3 ? nextafterf(middle, i % 3 == 1 ? 0.0f : 4.0f) : middle);
            }
}

/* NaN in x or dy reaches dx; dy = inf times a derivative of 0 is NaN. */
static void not_numbers(void **unused)
{
    (void)unused;
    static const char *const specs[] = {
        "relu", "identity", "heaviside", "relu~box_spike", "gelu~relu(domain=negative)", "sign~identity(blend=0.5)"};
    for (size_t k = 0; k < COUNT(specs); k++) {
        const float in[4] = {NAN, -1, 1, -1}, gradient[4] = {1, NAN, NAN, INFINITY};
        float value[4], dx[4];
        sugar_activation *a = must_create(specs[k], NULL);
        assert_ok(sugar_forward_f32(a, 4, in, 1, value, 1, NULL));
        assert_ok(sugar_backward_f32(a, 4, in, 1, gradient, 1, dx, 1, NULL));
        assert_true(isnan(value[0]) && !isnan(value[1]) && !isnan(value[2]));
        assert_true(isnan(dx[0]) && isnan(dx[1]) && isnan(dx[2]));
        if (k == 0)
            assert_true(isnan(dx[3]));
        sugar_activation_destroy(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_forward_with_a_surrogate),
        cmocka_unit_test(own_surrogate_is_the_derivative),
        cmocka_unit_test(domain_negative),
        cmocka_unit_test(blends),
        cmocka_unit_test(factors_that_round_to_0),
        cmocka_unit_test(threshold_shifts_spikes),
        cmocka_unit_test(products_and_sums),
        cmocka_unit_test(short_types_round_once),
        cmocka_unit_test(not_numbers),
    };
    return cmocka_run_group_tests_name("backward", tests, set_up, NULL);
}
