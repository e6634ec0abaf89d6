/* Biases, gated units, and their gradients: the same bits at every level and for any number of threads, from saved
 * bits; and sums of many products or of none. */
#include "unit.h"

#include <math.h>

/* ---- The same bits ------------------------------------------------------------------------------ */

enum { ROWS = 6, CHANNELS = 150, PLACES = 300, MANY = ROWS * CHANNELS * PLACES };
static const int64_t many_shape[3] = {ROWS, CHANNELS, PLACES};

enum { IN_X, IN_DY, IN_GATE, IN_BIAS, OUT_Y, OUT_DX, OUT_GATE, OUT_BIAS, TENSORS };

typedef struct results {
    uint64_t memory[TENSORS][MANY];
} results;

static void compute(results *r, const char *spec, element_type type, const char *level, const sugar_context *context,
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
            set_element(r->memory[k], i, type, (double)random_between(&state, -3000, 3000) / 1024);
    }
    sugar_activation *a = must_create(spec, level);
    sugar_call_options options = {
        .struct_size = sizeof options, .context = context, .bias = &v[IN_BIAS].tensor, .gate = &v[IN_GATE].tensor};
    assert_ok(sugar_forward(a, &v[IN_X].tensor, &v[OUT_Y].tensor, &options));
    options.bias_gradient = &v[OUT_BIAS].tensor;
    options.gate_gradient = &v[OUT_GATE].tensor;
    assert_ok(sugar_backward(a, &v[IN_X].tensor, &v[IN_DY].tensor, &v[OUT_DX].tensor, &options));
    sugar_activation_destroy(a);
}

static void compare_contexts(const char *spec, element_type type, const int64_t *extents)
{
    static results one, other;
    compute(&one, spec, type, NULL, NULL, extents);
    for (int threads = 2; threads <= 4; threads++) {
        const sugar_context_options options = {
            .struct_size = sizeof options, .threads = threads, .parallel_for = threads == 4 ? backwards : NULL};
        sugar_context *context;
        assert_ok(sugar_context_create(&context, &options));
        compute(&other, spec, type, NULL, context, extents);
        if (memcmp(&one, &other, sizeof one) != 0)
            fail_msg("%s, %s: other bits with %d threads", spec, element_formats[type].name, threads);
        sugar_context_destroy(context);
    }
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    for (int level = 0; level < count; level++) {
        compute(&other, spec, type, levels[level], NULL, extents);
        if (memcmp(&one, &other, sizeof one) != 0)
            fail_msg("%s, %s: other bits at level %s", spec, element_formats[type].name, levels[level]);
    }
}

/* In steps; in one loop for each gradient; and in one for both. */
static void same_bits_for_threads_and_levels(void **unused)
{
    (void)unused;
    static const char *const specs[] = {"gelu~bsilu(domain=negative)", "gelu~bsilu", "silu"};
    static const int64_t extents[][3] = {
        {1, 1, 1}, {1, CHANNELS, 1}, {1, 1, PLACES}, {1, CHANNELS, PLACES}, {ROWS, CHANNELS, PLACES}};
    for (size_t i = 0; i < COUNT(specs); i++)
        for (element_type type = 0; type < ELEMENT_TYPES; type++)
            for (size_t s = 0; s < COUNT(extents); s++)
                if (!short_run() || s == ((size_t)type + i) % COUNT(extents))
                    compare_contexts(specs[i], type, extents[s]);
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
            set_element(memory[k], i, type, (double)random_between(&state, -3000, 3000) / 1024);
    }
    for (int k = 0; k < 2; k++)
        view_make(&sum[k], &sums[k], 4, 1, &one, NULL);
    view_make(&with, &bias, 4, 1, &one, NULL);
    set_element(&bias, 0, type, 0.625);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_for_threads_and_levels),
        cmocka_unit_test(saved_bits),
        cmocka_unit_test(sum_of_many),
        cmocka_unit_test(sums_over_nothing),
    };
    return cmocka_run_group_tests_name("fused bits", tests, NULL, NULL);
}
