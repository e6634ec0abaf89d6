/* Structs that begin with struct_size: smaller (older), larger (newer), and wrong sizes. */
#include "unit.h"

/* Where members of options are, which never changes: a new one comes at the end. (Of other structs the tests of the
 * bindings' generated layouts say so.) */
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(offsetof(sugar_call_options, flags) == 8, "flags has moved");
_Static_assert(offsetof(sugar_call_options, context) == 16, "context has moved");
_Static_assert(offsetof(sugar_call_options, monitor) == 24, "monitor has moved");
_Static_assert(offsetof(sugar_call_options, parameter) == 32, "parameter has moved");
_Static_assert(offsetof(sugar_call_options, parameter_gradient) == 40, "parameter_gradient has moved");
_Static_assert(offsetof(sugar_call_options, saved_gradient) == 48, "saved_gradient has moved");
_Static_assert(offsetof(sugar_call_options, random) == 56, "random has moved");
_Static_assert(offsetof(sugar_call_options, bias) == 64, "bias has moved");
_Static_assert(offsetof(sugar_call_options, bias_gradient) == 72, "bias_gradient has moved");
_Static_assert(offsetof(sugar_call_options, gate) == 80, "gate has moved");
_Static_assert(offsetof(sugar_call_options, gate_gradient) == 88, "gate_gradient has moved");
#endif

/* Structs of newer callers: today's, followed by a member that this library does not know. */
typedef struct newer_activation_options {
    sugar_activation_options known;
    unsigned char unknown[16];
} newer_activation_options;

typedef struct newer_context_options {
    sugar_context_options known;
    unsigned char unknown[16];
} newer_context_options;

typedef struct newer_call_options {
    sugar_call_options known;
    unsigned char unknown[16];
} newer_call_options;

static sugar_status create_with(const void *options)
{
    sugar_activation *a = NULL;
    sugar_status status = sugar_activation_create_with_options(&a, "relu", 4, options);
    assert_true((a != NULL) == (status == SUGAR_OK));
    sugar_activation_destroy(a);
    return status;
}

static sugar_status context_with(const void *options)
{
    sugar_context *c = NULL;
    sugar_status status = sugar_context_create(&c, options);
    assert_true((c != NULL) == (status == SUGAR_OK));
    sugar_context_destroy(c);
    return status;
}

/* Fails without having written, or succeeds. */
static sugar_status call_with(const void *options)
{
    float x[2] = {1, -1}, y[2] = {5, 5}, dx[2] = {5, 5};
    sugar_activation *a = must_create("relu", NULL);
    sugar_status status = sugar_forward_f32(a, 2, x, 1, y, 1, options);
    assert_true(status == SUGAR_OK ? y[0] == 1 && y[1] == 0 : y[0] == 5 && y[1] == 5);
    assert_int_equal(sugar_backward_f32(a, 2, x, 1, x, 1, dx, 1, options), status);
    assert_true(status == SUGAR_OK ? dx[0] == 1 && dx[1] == 0 : dx[0] == 5 && dx[1] == 5);
    sugar_activation_destroy(a);
    return status;
}

static void no_options(void **unused)
{
    (void)unused;
    assert_ok(create_with(NULL));
    assert_ok(context_with(NULL));
    assert_ok(call_with(NULL));
}

static void smaller_structs_are_older_callers(void **unused)
{
    (void)unused;
    sugar_activation_options creation = {.struct_size = sizeof(size_t), .level = "no such level"};
    assert_ok(create_with(&creation));      /* `level` lies beyond the size, so it is not read */
    sugar_context_options context = {.struct_size = sizeof(size_t), .threads = -5};
    assert_ok(context_with(&context));
    sugar_call_options call = {.struct_size = sizeof(size_t), .flags = ~(uint64_t)0};
    assert_ok(call_with(&call));
    call.struct_size = offsetof(sugar_call_options, context);
    call.flags = 0;
    call.context = (const sugar_context *)(uintptr_t)1;
    assert_ok(call_with(&call));
}

static void larger_structs_are_newer_callers(void **unused)
{
    (void)unused;
    newer_activation_options creation = {.known = {.struct_size = sizeof creation}};
    newer_context_options context = {.known = {.struct_size = sizeof context}};
    newer_call_options call = {.known = {.struct_size = sizeof call}};
    assert_ok(create_with(&creation));
    assert_ok(context_with(&context));
    assert_ok(call_with(&call));
    for (size_t i = 0; i < sizeof call.unknown; i++) {
        creation.unknown[i] = context.unknown[i] = call.unknown[i] = 0x80;
        assert_fails(create_with(&creation), SUGAR_ERROR_UNSUPPORTED, "options");
        assert_fails(context_with(&context), SUGAR_ERROR_UNSUPPORTED, "options");
        assert_fails(call_with(&call), SUGAR_ERROR_UNSUPPORTED, "options");
        creation.unknown[i] = context.unknown[i] = call.unknown[i] = 0;
    }
}

static void sizes_that_make_no_sense(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {0, 1, sizeof(size_t) - 1, SIZE_MAX, SIZE_MAX / 2};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        sugar_activation_options creation = {.struct_size = sizes[i]};
        sugar_context_options context = {.struct_size = sizes[i]};
        sugar_call_options call = {.struct_size = sizes[i]};
        assert_fails(create_with(&creation), SUGAR_ERROR_ARGUMENT, "struct_size");
        assert_fails(context_with(&context), SUGAR_ERROR_ARGUMENT, "struct_size");
        assert_fails(call_with(&call), SUGAR_ERROR_ARGUMENT, "struct_size");
    }
}

static void levels_by_option(void **unused)
{
    (void)unused;
    static const char *const unusable[] = {"", "AVX2", "avx", "no such level", "scalar ", "\n"};
    const char *levels[MAX_LEVELS];
    int level_count = supported_levels(levels);
    assert_true(level_count >= 1);
    assert_string_equal(levels[0], "scalar");
    for (int i = 0; i < level_count; i++) {
        sugar_activation *a = must_create("relu", levels[i]);
        assert_string_equal(sugar_activation_level(a), levels[i]);
        sugar_activation_destroy(a);
    }
    for (size_t i = 0; i < COUNT(unusable); i++) {
        sugar_activation_options options = {.struct_size = sizeof options, .level = unusable[i]};
        assert_fails(create_with(&options), SUGAR_ERROR_UNSUPPORTED, "level");
        assert_fails(create_with(&options), SUGAR_ERROR_UNSUPPORTED, "scalar");
    }
    for (int32_t i = 0; i < sugar_level_count(); i++) {     /* levels that are not usable here */
        sugar_level level = {.struct_size = sizeof level};
        assert_ok(sugar_level_get(i, &level));
        sugar_activation_options options = {.struct_size = sizeof options, .level = level.name};
        if (!level.supported)
            assert_fails(create_with(&options), SUGAR_ERROR_UNSUPPORTED, level.name);
        else
            assert_ok(create_with(&options));
    }
}

static void parallel_for_dummy(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    (void)payload;
    for (int64_t i = 0; i < count; i++)
        task(work, i);
}

static void context_members(void **unused)
{
    (void)unused;
    sugar_context_options options = {.struct_size = sizeof options};
    assert_ok(context_with(&options));
    options.threads = 1;
    assert_ok(context_with(&options));
    options.threads = 2;
    assert_ok(context_with(&options));
    options.threads = SUGAR_MAX_THREADS + 1;
    assert_fails(context_with(&options), SUGAR_ERROR_ARGUMENT, "threads 1025, expected 1024 or less");
    options.threads = INT32_MAX;
    assert_fails(context_with(&options), SUGAR_ERROR_ARGUMENT, "parallel_for");
    options.parallel_for = parallel_for_dummy;
    options.threads = 2;
    assert_ok(context_with(&options));
    options.threads = INT32_MAX;
    assert_ok(context_with(&options));
    options.threads = -1;
    assert_fails(context_with(&options), SUGAR_ERROR_ARGUMENT, "threads");
    options.threads = INT32_MIN;
    assert_fails(context_with(&options), SUGAR_ERROR_ARGUMENT, "threads");
    options.threads = 0;
    options.reserved = 1;
    sugar_context *c = NULL;
    assert_fails(sugar_context_create(&c, &options), SUGAR_ERROR_UNSUPPORTED, "reserved");
    assert_null(c);
}

static void unknown_flags(void **unused)
{
    (void)unused;
    for (int bit = 4; bit < 64; bit++) {
        sugar_call_options options = {.struct_size = sizeof options, .flags = (uint64_t)1 << bit};
        assert_fails(call_with(&options), SUGAR_ERROR_UNSUPPORTED, "flags");
    }
}

/* ---- The header's table: what may stand together ------------------------------------------------ */

enum {
    ACCUMULATE = 1,
    FROM_OUTPUT = 2,
    MONITOR = 4,
    PARAMETER = 8,
    GRADIENT = 16,
    SAVED = 32,
    RANDOM = 64,
    BIAS = 128,
    BIAS_GRADIENT = 256,
    GATE = 512,
    GATE_GRADIENT = 1024,
    ALL_SETS = 2048
};

static int has_both(int set, int one, int others) { return set & one && set & others; }

/* As the table says it. */
static int is_allowed(int set, int is_backward)
{
    if (has_both(set, RANDOM, PARAMETER | SAVED))
        return 0;
    if (!is_backward)
        return !(set & (ACCUMULATE | FROM_OUTPUT | GRADIENT | BIAS_GRADIENT | GATE_GRADIENT));
    if (set & FROM_OUTPUT)
        return !(set & ~(FROM_OUTPUT | ACCUMULATE | BIAS_GRADIENT | GATE | GATE_GRADIENT));
    return !(set & MONITOR) && !has_both(set, SAVED, PARAMETER | GRADIENT | BIAS | GATE_GRADIENT)
           && !has_both(set, GRADIENT, RANDOM | BIAS_GRADIENT);
}

/* The activation has what the set needs, where one can. */
static sugar_status call_with_set(int set, int is_backward)
{
    static const int64_t shape[] = {4}, one[] = {1};
    static float x[4] = {-2, -1, 1, 2}, out[4], more[4], value[1] = {0.5f}, sum[1], sum_of_bias[1];
    static unsigned char codes[4];
    const sugar_random random = {.struct_size = sizeof random};
    const char *spec = set & RANDOM ? "rrelu" : set & FROM_OUTPUT ? "prelu" : "prelu~bsilu";
    sugar_activation *a = must_create(spec, NULL);
    view vx, vout, parameter, gradient, bias_gradient, gate_gradient, saved;
    sugar_call_options options = {.struct_size = sizeof options};
    view_make(&vx, x, sizeof *x, 1, shape, NULL);
    view_make(&vout, out, sizeof *out, 1, shape, NULL);
    view_make(&parameter, value, sizeof *value, 1, one, NULL);
    view_make(&gradient, sum, sizeof *sum, 1, one, NULL);
    view_make(&bias_gradient, sum_of_bias, sizeof *sum_of_bias, 1, one, NULL);
    view_make(&gate_gradient, more, sizeof *more, 1, shape, NULL);
    view_make(&saved, codes, 1, 1, shape, NULL);
    saved.tensor.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 8, 1};
    options.flags = (set & ACCUMULATE ? SUGAR_CALL_ACCUMULATE : 0) | (set & FROM_OUTPUT ? SUGAR_CALL_FROM_OUTPUT : 0);
    if (set & MONITOR)
        assert_ok(sugar_monitor_create(&options.monitor, 4, NULL));
    options.parameter = set & PARAMETER ? &parameter.tensor : NULL;
    options.parameter_gradient = set & GRADIENT ? &gradient.tensor : NULL;
    options.saved_gradient = set & SAVED ? &saved.tensor : NULL;
    options.random = set & RANDOM ? &random : NULL;
    options.bias = set & BIAS ? &parameter.tensor : NULL;
    options.bias_gradient = set & BIAS_GRADIENT ? &bias_gradient.tensor : NULL;
    options.gate = set & GATE ? &vx.tensor : NULL;
    options.gate_gradient = set & GATE_GRADIENT ? &gate_gradient.tensor : NULL;
    const sugar_tensor *input = is_backward && set & SAVED ? NULL : &vx.tensor;
    const sugar_status status = is_backward ? sugar_backward(a, input, &vx.tensor, &vout.tensor, &options)
                                            : sugar_forward(a, input, &vout.tensor, &options);
    sugar_monitor_destroy(options.monitor);
    sugar_activation_destroy(a);
    return status;
}

static void combinations(void **unused)
{
    (void)unused;
    for (int set = 0; set < ALL_SETS; set++)
        for (int is_backward = 0; is_backward < 2; is_backward++) {
            const sugar_status expected = is_allowed(set, is_backward) ? SUGAR_OK : SUGAR_ERROR_UNSUPPORTED;
            const sugar_status found = call_with_set(set, is_backward);
            if (found != expected)
                fail_msg("set 0x%x in %s: %s, expected %s", (unsigned)set, is_backward ? "backward" : "forward",
                         sugar_status_name(found), sugar_status_name(expected));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_options),
        cmocka_unit_test(smaller_structs_are_older_callers),
        cmocka_unit_test(larger_structs_are_newer_callers),
        cmocka_unit_test(sizes_that_make_no_sense),
        cmocka_unit_test(levels_by_option),
        cmocka_unit_test(context_members),
        cmocka_unit_test(unknown_flags),
        cmocka_unit_test(combinations),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
