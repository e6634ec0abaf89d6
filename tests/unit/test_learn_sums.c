/* Gradients of parameters: sums of many products, of products that cancel or are infinite, and sums over nothing. */
#include "unit.h"

#include <math.h>
#include <stdio.h>

static const int64_t one = 1;

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
                    set_element(memory, i, type, 3);
                view sums;
                view_make(&sums, (char *)memory + (size_t)cases[k].start * element_formats[type].width, 4, 3,
                          cases[k].shape, cases[k].strides);
                sums.tensor.dtype = element_formats[type].dtype;
                assert_ok(backward_empty(type, NULL, &sums, accumulate ? SUGAR_CALL_ACCUMULATE : 0));
                for (int i = 0; i < PLACE; i++)
                    assert_true(get_element(memory, i, type) == (cases[k].written >> i & 1 && !accumulate ? 0 : 3));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_that_cancel),
        cmocka_unit_test(sum_of_many),
        cmocka_unit_test(infinite_sums),
        cmocka_unit_test(sums_over_nothing),
        cmocka_unit_test(sums_over_other_nothings),
        cmocka_unit_test(gradients_refused_without_elements),
    };
    return cmocka_run_group_tests_name("learn sums", tests, NULL, NULL);
}
