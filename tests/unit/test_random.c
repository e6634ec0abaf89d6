/* Slopes that rrelu draws at random: the same in forward and backward, at every level, in every layout and for any
 * split over threads; and how they are distributed. */
#include "unit.h"

#include <math.h>
#include <stdio.h>

static const sugar_random seeded = {sizeof(sugar_random), 0x299f31d0a4093822, 7};

/* ---- What is expected: Philox4x32-10 as its authors put it, a block at a time ------------------- */

static void philox_round(uint32_t c[4], const uint32_t key[2])
{
    const uint64_t a = UINT64_C(0xD2511F53) * c[0], b = UINT64_C(0xCD9E8D57) * c[2];
    const uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ key[0], (uint32_t)b, (uint32_t)(a >> 32) ^ c[3] ^ key[1],
                              (uint32_t)a};
    memcpy(c, next, sizeof next);
}

static uint32_t word_of(const sugar_random *random, int64_t element)
{
    const uint64_t block = random->offset + (uint64_t)element / 4;
    uint32_t c[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
    uint32_t key[2] = {(uint32_t)random->seed, (uint32_t)(random->seed >> 32)};
    for (int round = 0; round < 10; round++) {
        philox_round(c, key);
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    return c[element % 4];
}

/* In the arithmetic of the type. */
static double slope_of(const sugar_random *random, int64_t element, double lower, double upper, element_type type)
{
    const double u = (word_of(random, element) >> 8) * 0x1p-24;
    if (type == ELEMENT_F64)
        return fma(upper - lower, u, lower);
    const float low = (float)lower, high = (float)upper;
    return (double)fmaf(high - low, (float)u, low);
}

/* ---- Calls ------------------------------------------------------------------------------------ */

static sugar_call_options with(const sugar_random *random)
{
    return (sugar_call_options){.struct_size = sizeof(sugar_call_options), .random = random};
}

/* n elements of one value. */
static void *filled(element_type type, int64_t n, double value)
{
    void *elements = malloc((size_t)n * sizeof(double));
    assert_non_null(elements);
    for (int64_t i = 0; i < n; i++)
        element_store(elements, i, type, element_of(value, type));
    return elements;
}

/* The slopes of n elements of f32, from x = -1, where y is -slope. */
static float *drawn(const char *spec, const sugar_random *random, int64_t n)
{
    float *x = filled(ELEMENT_F32, n, -1);
    const sugar_call_options options = with(random);
    sugar_activation *a = must_create(spec, NULL);
    assert_ok(sugar_forward_f32(a, n, x, 1, x, 1, &options));
    for (int64_t i = 0; i < n; i++)
        x[i] = -x[i];
    sugar_activation_destroy(a);
    return x;
}

/* ---- Which slopes ----------------------------------------------------------------------------- */

/* The product is rounded to the type; of f16 and bf16 it may be the other neighbour. */
static void assert_product(const void *elements, int64_t i, double exact, element_type type)
{
    const uint64_t found = element_load(elements, i, type), expected = element_of(exact, type);
    const int narrow = element_formats[type].width == sizeof(uint16_t);
    if (!element_same(found, expected, type) && !(narrow && (found == expected + 1 || found == expected - 1)))
        fail_msg("%s: element %lld is %g, expected %g", element_formats[type].name, (long long)i,
                 element_value(found, type), exact);
}

static void check_slopes(const char *level, element_type type, const sugar_random *random)
{
    enum { N = 1003 };
    uint64_t state = 1;
    const sugar_call_options options = with(random);
    sugar_activation *a = must_create("rrelu(lower=0.125,upper=0.3125)", level);
    void *x = filled(type, N, 0), *dy = filled(type, N, 0), *y = filled(type, N, 9), *dx = filled(type, N, 9);
    for (int64_t i = 0; i < N; i++) {
        element_store(x, i, type, element_of((double)random_between(&state, -999, 500) / 8, type));
        element_store(dy, i, type, element_of((double)random_between(&state, -999, 999) / 64, type));
    }
    assert_ok(flat_forward(a, type, N, x, 1, y, 1, &options));
    assert_ok(flat_backward(a, type, N, x, 1, dy, 1, dx, 1, &options));
    for (int64_t i = 0; i < N; i++) {
        const double at = element_value(element_load(x, i, type), type);
        const double slope = at > 0 ? 1 : slope_of(random, i, 0.125, 0.3125, type);
        assert_product(y, i, at * slope, type);
        assert_product(dx, i, element_value(element_load(dy, i, type), type) * slope, type);
    }
    free(x);
    free(dy);
    free(y);
    free(dx);
    sugar_activation_destroy(a);
}

static void slopes_are_those_of_the_generator(void **unused)
{
    (void)unused;
    const sugar_random at_the_end = {sizeof at_the_end, 1, UINT64_MAX - 100};
    const sugar_random carries = {sizeof carries, UINT64_MAX, UINT32_MAX - 100};
    const char *levels[MAX_LEVELS];
    const int level_count = supported_levels(levels);
    for (int i = 0; i < level_count; i++)
        for (element_type type = 0; type < ELEMENT_TYPES; type++) {
            check_slopes(levels[i], type, &seeded);
            check_slopes(levels[i], type, &at_the_end);
            check_slopes(levels[i], type, &carries);
        }
}

static void other_seeds_and_offsets_draw_others(void **unused)
{
    (void)unused;
    enum { N = 1000 };
    const uint64_t upper = UINT64_C(1) << 32;
    const sugar_random seed = {sizeof seed, seeded.seed + 1, 7}, high = {sizeof high, seeded.seed ^ upper, 7};
    const sugar_random offset = {sizeof offset, seeded.seed, 8}, far = {sizeof far, seeded.seed, 7 + upper};
    const sugar_random *others[] = {&seed, &high, &offset, &far};
    float *these = drawn("rrelu", &seeded, N), *again = drawn("rrelu", &seeded, N);
    assert_memory_equal(these, again, N * sizeof *these);
    for (size_t k = 0; k < COUNT(others); k++) {
        float *those = drawn("rrelu", others[k], N);
        int same = 0;
        for (int i = 0; i < N; i++)
            same += these[i] == those[i];
        assert_true(same <= 3);
        free(those);
    }
    free(these);
    free(again);
}

static void offset_continues(void **unused)
{
    (void)unused;
    enum { N = 4099, FIRST = 1000 };
    const sugar_random rest = {sizeof rest, seeded.seed, seeded.offset + FIRST / 4};
    float *whole = drawn("rrelu", &seeded, N), *one = drawn("rrelu", &seeded, FIRST);
    float *other = drawn("rrelu", &rest, N - FIRST);
    assert_memory_equal(whole, one, FIRST * sizeof *whole);
    assert_memory_equal(whole + FIRST, other, (N - FIRST) * sizeof *whole);
    free(whole);
    free(one);
    free(other);
}

/* ---- Layouts and threads ---------------------------------------------------------------------- */

enum { NDIM = 4, ELEMENTS = 3 * 5 * 7 * 12 };
static const int64_t shapes[][NDIM] = {{3, 5, 7, 12}, {5, 7, 4, 9}, {2, 21, 6, 5}, {1, 1, 7, 1}};

/* Strides of a view whose dimensions lie in memory in the order given, the innermost last, negative where `flips` has
 * a bit, and `gap` elements apart. Returns the offset of its first element. */
static int64_t lay_out(const int64_t *shape, const int *order, unsigned flips, int64_t gap, int64_t *strides)
{
    int64_t step = gap, start = 0;
    for (int k = NDIM - 1; k >= 0; k--) {
        const int d = order[k];
        strides[d] = flips >> d & 1 ? -step : step;
        if (strides[d] < 0)
            start += step * (shape[d] - 1);
        step *= shape[d];
    }
    return start;
}

/* Compared with the slopes in row-major order. */
static void check_layout(const sugar_activation *a, const int64_t *shape, const int *order, unsigned flips, int64_t gap,
                         const float *slope)
{
    static float x[2 * ELEMENTS], y[2 * ELEMENTS], dx[2 * ELEMENTS];
    view in, out, gradient;
    int64_t strides[NDIM];
    const int64_t start = lay_out(shape, order, flips, gap, strides);
    const sugar_call_options options = with(&seeded);
    for (size_t i = 0; i < COUNT(x); i++)
        x[i] = -1;
    view_make(&in, x + start, sizeof *x, NDIM, shape, strides);
    view_make(&out, y + start, sizeof *y, NDIM, shape, strides);
    view_make(&gradient, dx, sizeof *dx, NDIM, shape, NULL);
    assert_ok(sugar_forward(a, &in.tensor, &out.tensor, &options));
    assert_ok(sugar_backward(a, &in.tensor, &in.tensor, &gradient.tensor, &options));
    for (int64_t i = 0; i < view_count(&in); i++) {
        assert_true(y[start + view_offset(&out, i)] == -slope[i]);
        assert_true(dx[i] == -slope[i]);
    }
}

static void layouts_draw_the_same(void **unused)
{
    (void)unused;
    static const int orders[][NDIM] = {{0, 1, 2, 3}, {0, 2, 3, 1}, {3, 2, 1, 0}, {1, 0, 3, 2}};
    float *slope = drawn("rrelu", &seeded, ELEMENTS);
    const char *levels[MAX_LEVELS];
    const int level_count = supported_levels(levels);
    for (int level = 0; level < level_count; level++) {
        sugar_activation *a = must_create("rrelu", levels[level]);
        for (size_t k = 0; k < COUNT(shapes); k++)
            for (size_t order = 0; order < COUNT(orders); order++)
                for (unsigned flips = 0; flips < 1u << NDIM; flips += short_run() ? 5 : 1)
                    for (int64_t gap = 1; gap <= 2; gap++)
                        check_layout(a, shapes[k], orders[order], flips, gap, slope);
        sugar_activation_destroy(a);
    }
    free(slope);
}

static void threads_draw_the_same(void **unused)
{
    (void)unused;
    const int64_t n = short_run() ? 40003 : 400003;
    const sugar_context_options contexts[] = {
        {.struct_size = sizeof contexts[0], .threads = 3},
        {.struct_size = sizeof contexts[0], .threads = 7, .parallel_for = backwards},
    };
    float *slope = drawn("rrelu", &seeded, n), *x = filled(ELEMENT_F32, n, -1), *y = filled(ELEMENT_F32, n, 9);
    sugar_activation *a = must_create("rrelu", NULL);
    for (size_t k = 0; k < COUNT(contexts); k++) {
        sugar_context *context;
        assert_ok(sugar_context_create(&context, &contexts[k]));
        sugar_call_options options = with(&seeded);
        options.context = context;
        assert_ok(sugar_forward_f32(a, n, x, 1, y, 1, &options));
        for (int64_t i = 0; i < n; i++)
            assert_true(y[i] == -slope[i]);
        assert_ok(sugar_backward_f32(a, n, x, 1, x, 1, y, 1, &options));
        for (int64_t i = 0; i < n; i++)
            assert_true(y[i] == -slope[i]);
        sugar_context_destroy(context);
    }
    free(slope);
    free(x);
    free(y);
    sugar_activation_destroy(a);
}

/* ---- What the backward pass does with them ----------------------------------------------------- */

static void gradients_are_added_up(void **unused)
{
    (void)unused;
    enum { N = 301 };
    float *slope = drawn("rrelu", &seeded, N), x[N], dx[N];
    const float dy = 0.7f;
    sugar_call_options options = with(&seeded);
    options.flags = SUGAR_CALL_ACCUMULATE;
    sugar_activation *a = must_create("rrelu", NULL);
    for (int i = 0; i < N; i++) {
        x[i] = i % 3 == 0 ? 1.0f : -1.0f;
        dx[i] = (float)i;
    }
    assert_ok(sugar_backward_f32(a, N, x, 1, &dy, 0, dx, 1, &options));
    for (int i = 0; i < N; i++)
        assert_true(dx[i] == fmaf(dy, i % 3 == 0 ? 1 : slope[i], (float)i));
    free(slope);
    sugar_activation_destroy(a);
}

/* Slopes do not matter to a surrogate alone; in a blend they do. */
static void surrogates_mix_with_them(void **unused)
{
    (void)unused;
    enum { N = 301 };
    float *slope = drawn("rrelu", &seeded, N), *x = filled(ELEMENT_F32, N, -0.5), g[N], dx[N];
    const float dy = 1;
    const sugar_call_options options = with(&seeded);
    sugar_activation *surrogate = must_create("rrelu~bsilu", NULL), *half = must_create("rrelu~bsilu(blend=0.5)", NULL);
    assert_ok(sugar_backward_f32(surrogate, N, x, 1, &dy, 0, g, 1, NULL));
    assert_ok(sugar_backward_f32(surrogate, N, x, 1, &dy, 0, dx, 1, &options));
    assert_memory_equal(dx, g, sizeof g);
    assert_ok(sugar_backward_f32(half, N, x, 1, &dy, 0, dx, 1, &options));
    for (int i = 0; i < N; i++)
        assert_true(dx[i] == fmaf(0.5f, g[i], 0.5f * slope[i]));
    free(slope);
    free(x);
    sugar_activation_destroy(surrogate);
    sugar_activation_destroy(half);
}

/* ---- Distribution ----------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov's statistic times sqrt(n): above 1.95 in one of a thousand samples of a uniform distribution. */
static double distance_from_uniform(float *sample, int64_t n, double lower, double upper)
{
    double most = 0;
    qsort(sample, (size_t)n, sizeof *sample, ascending);
    for (int64_t i = 0; i < n; i++) {
        const double expected = ((double)sample[i] - lower) / (upper - lower);
        most = fmax(most, fmax(fabs((double)(i + 1) / (double)n - expected), fabs((double)i / (double)n - expected)));
    }
    return most * sqrt((double)n);
}

static void slopes_are_uniform(void **unused)
{
    (void)unused;
    const int64_t n = short_run() ? 20000 : 1000000;
    static const struct {
        const char *spec;
        float lower, upper;
    } ranges[] = {
        {"rrelu", 0.125f, 1.0f / 3},
        {"rrelu(lower=0,upper=1)", 0, 1},
        {"rrelu(lower=0.3,upper=0.30001)", 0.3f, 0.30001f},
    };
    for (size_t k = 0; k < COUNT(ranges); k++) {
        float *slope = drawn(ranges[k].spec, &seeded, n);
        const float lower = ranges[k].lower, upper = ranges[k].upper;
        double sum = 0, products = 0;
        for (int64_t i = 0; i < n; i++) {
            assert_true(slope[i] >= lower && slope[i] <= upper);
            sum += (double)slope[i] - 0.5 * ((double)lower + (double)upper);
            if (i > 0)
                products += ((double)slope[i] - 0.5 * ((double)lower + (double)upper))
                            * ((double)slope[i - 1] - 0.5 * ((double)lower + (double)upper));
        }
        const double deviation = ((double)upper - (double)lower) / sqrt(12.0);
        assert_true(fabs(sum) < 4 * deviation * sqrt((double)n));
        assert_true(fabs(products) < 4 * deviation * deviation * sqrt((double)n));
        if (k < 2) {                /* the third range has too few f32 for this */
            const double distance = distance_from_uniform(slope, n, (double)lower, (double)upper);
            print_message("%s: sqrt(n) D = %.3f for n = %lld\n", ranges[k].spec, distance, (long long)n);
            assert_true(distance < 1.95);
        }
        free(slope);
    }
    float *one = drawn("rrelu(lower=0.25,upper=0.25)", &seeded, 100);
    for (int i = 0; i < 100; i++)
        assert_true(one[i] == 0.25f);
    free(one);
}

/* ---- What is refused -------------------------------------------------------------------------- */

typedef struct newer_random {
    sugar_random known;
    unsigned char unknown[16];
} newer_random;

static void assert_refused(const char *spec, const sugar_call_options *options, sugar_status status, const char *part)
{
    float x[2] = {-1, 1}, y[2] = {5, 5};
    sugar_activation *a = must_create(spec, NULL);
    assert_fails(sugar_forward_f32(a, 2, x, 1, y, 1, options), status, part);
    if (!options->saved_gradient)
        assert_fails(sugar_backward_f32(a, 2, x, 1, x, 1, y, 1, options), status, part);
    assert_true(y[0] == 5 && y[1] == 5);
    sugar_activation_destroy(a);
}

static void wrong_options(void **unused)
{
    (void)unused;
    static const int64_t two = 2;
    unsigned char codes[2] = {7, 7};
    view saved, parameter;
    float value = 0.25f;
    sugar_call_options options = with(&seeded);
    assert_refused("relu", &options, SUGAR_ERROR_UNSUPPORTED, "random with relu, expected rrelu");
    assert_refused("prelu~rrelu", &options, SUGAR_ERROR_UNSUPPORTED, "random with prelu, expected rrelu");
    view_make(&parameter, &value, sizeof value, 1, &two, &(int64_t){0});
    options.parameter = &parameter.tensor;
    assert_refused("prelu", &options, SUGAR_ERROR_UNSUPPORTED, "parameter beside random, expected one of them");
    assert_refused("rrelu", &options, SUGAR_ERROR_UNSUPPORTED, "parameter beside random, expected one of them");
    options = with(&seeded);
    view_make(&saved, codes, sizeof codes[0], 1, &two, NULL);
    saved.tensor.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 8, 1};
    options.saved_gradient = &saved.tensor;
    assert_refused("rrelu", &options, SUGAR_ERROR_UNSUPPORTED, "saved_gradient beside random, expected one of them");
    assert_true(codes[0] == 7 && codes[1] == 7);
}

static void structs_of_other_sizes(void **unused)
{
    (void)unused;
    sugar_random random = {.struct_size = 0, .seed = 1};
    sugar_call_options options = with(&random);
    assert_refused("rrelu", &options, SUGAR_ERROR_ARGUMENT, "random: struct_size 0");
    newer_random newer = {.known = seeded, .unknown = {1}};
    newer.known.struct_size = sizeof newer;
    options = with(&newer.known);
    assert_refused("rrelu", &options, SUGAR_ERROR_UNSUPPORTED, "random");
    newer.unknown[0] = 0;
    float *these = drawn("rrelu", &seeded, 100), *those = drawn("rrelu", &newer.known, 100);
    assert_memory_equal(these, those, 100 * sizeof *these);
    free(these);
    free(those);
}

/* x = -1, so y is -slope. Some slopes lie in the middle between two elements of a narrow type, next to others that do
 * not: an element's rounding does not depend on its neighbours. */
static void middles_are_rounded_alone(void **unused)
{
    (void)unused;
    enum { MANY = 20000 };
    const sugar_random random = {sizeof random, 0x123456789abcdef0, 0xfffffffffffffff0 + 24116 / 4 - MANY / 8};
    const sugar_call_options options = with(&random);
    const char *levels[MAX_LEVELS];
    const int level_count = supported_levels(levels);
    for (element_type type = ELEMENT_F16; type <= ELEMENT_BF16; type++)
        for (int level = 0; level < level_count; level++) {
            uint16_t *x = filled(type, MANY, -1), *y = filled(type, MANY, 0);
            sugar_activation *a = must_create("rrelu", levels[level]);
            assert_ok(flat_forward(a, type, MANY, x, 1, y, 1, &options));
            for (int64_t i = 0; i < MANY; i += 4) {
                const sugar_random there = {sizeof there, random.seed, random.offset + (uint64_t)i / 4};
                const sugar_call_options alone = with(&there);
                uint16_t one;
                assert_ok(flat_forward(a, type, 1, x, 1, &one, 1, &alone));
                assert_int_equal(y[i], one);
            }
            sugar_activation_destroy(a);
            free(x);
            free(y);
        }
}

static void no_elements(void **unused)
{
    (void)unused;
    const sugar_call_options options = with(&seeded);
    sugar_activation *a = must_create("rrelu", NULL);
    assert_ok(sugar_forward_f32(a, 0, NULL, 1, NULL, 1, &options));
    sugar_activation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slopes_are_those_of_the_generator),
        cmocka_unit_test(other_seeds_and_offsets_draw_others),
        cmocka_unit_test(offset_continues),
        cmocka_unit_test(layouts_draw_the_same),
        cmocka_unit_test(threads_draw_the_same),
        cmocka_unit_test(gradients_are_added_up),
        cmocka_unit_test(surrogates_mix_with_them),
        cmocka_unit_test(slopes_are_uniform),
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(structs_of_other_sizes),
        cmocka_unit_test(middles_are_rounded_alone),
        cmocka_unit_test(no_elements),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
