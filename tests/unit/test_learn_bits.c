/* Parameters that are tensors, and their gradients: the same bits at every level, for any number of threads and in any
 * order in memory; and the same value out of range is found. */
#include "learners.h"

#include <stdio.h>

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
    for (size_t k = 0; k < LEARNERS; k++)
        for (size_t s = 0; s < COUNT(extents); s++)
            if (!short_run() || (k + s) % 4 == 0)
                compare_contexts(learners[k].name, extents[s]);
}

/* An element's bits do not depend on whether neighbours have the same parameter, nor on whether an extent of 1 or a
 * stride of 0 says so. */

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

/* ---- The first value out of range --------------------------------------------------------------- */

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
        set_element(with.tensor.data, view_offset(&with, i), type, 1);
    int64_t first = MANY;
    for (int i = 0; i < 3; i++) {
        const int64_t outside = random_between(state, MANY / 8, MANY - 1);
        set_element(with.tensor.data, view_offset(&with, outside), type, -2);
    }
    for (int64_t i = MANY - 1; i >= 0; i--)
        if (get_element(with.tensor.data, view_offset(&with, i), type) < 0)
            first = i;
    set_element(with.tensor.data, view_offset(&with, first), type, -4);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_for_threads_and_levels),
        cmocka_unit_test(each_turned_its_own_way),
        cmocka_unit_test(first_out_of_range),
    };
    return cmocka_run_group_tests_name("learn bits", tests, NULL, NULL);
}
