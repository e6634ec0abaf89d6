/* Bad input for every argument: the status is right, the message names the argument, and outputs are not
 * written. */
#include "unit.h"

#include <stdio.h>

static sugar_activation *activation;

static int set_up(void **unused)
{
    (void)unused;
    activation = must_create("relu~bsilu", NULL);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    sugar_activation_destroy(activation);
    return 0;
}

/* ---- Tensors ---------------------------------------------------------------------------------- */

enum { X, DY, OUT, OPERANDS };

/* A call whose arguments are all good, to be spoiled one at a time. */
typedef struct good_call {
    float memory[OPERANDS][16], before[OPERANDS][16];
    view views[OPERANDS];
} good_call;

static void make_good_call(good_call *c)
{
    static const int64_t shape[] = {2, 3};
    for (int k = 0; k < OPERANDS; k++) {
        for (int i = 0; i < 16; i++)
            c->before[k][i] = c->memory[k][i] = (float)(i - 5);
        view_make(&c->views[k], c->memory[k], 4, 2, shape, NULL);
    }
}

/* Both calls must fail because of operand k; forward has no DY. */
static void assert_both_fail(good_call *c, int k, sugar_status expected, const char *part)
{
    static const char *const forward_names[] = {"x", NULL, "y"}, *const backward_names[] = {"x", "dy", "dx"};
    char name[8];
    if (forward_names[k] != NULL) {
        snprintf(name, sizeof name, "%s:", forward_names[k]);
        sugar_status status = sugar_forward(activation, &c->views[X].tensor, &c->views[OUT].tensor, NULL);
        assert_fails(status, expected, name);
        assert_fails(status, expected, part);
    }
    snprintf(name, sizeof name, "%s:", backward_names[k]);
    sugar_status status =
        sugar_backward(activation, &c->views[X].tensor, &c->views[DY].tensor, &c->views[OUT].tensor, NULL);
    assert_fails(status, expected, name);
    assert_fails(status, expected, part);
    assert_memory_equal(c->memory, c->before, sizeof c->memory);
}

static void good_calls_succeed(void **unused)
{
    (void)unused;
    good_call c;
    make_good_call(&c);
    assert_ok(sugar_forward(activation, &c.views[X].tensor, &c.views[OUT].tensor, NULL));
    assert_ok(sugar_backward(activation, &c.views[X].tensor, &c.views[DY].tensor, &c.views[OUT].tensor, NULL));
    assert_memory_not_equal(c.memory[OUT], c.before[OUT], sizeof c.memory[OUT]);
}

static void null_arguments(void **unused)
{
    (void)unused;
    good_call c;
    make_good_call(&c);
    const sugar_tensor *x = &c.views[X].tensor, *dy = &c.views[DY].tensor, *out = &c.views[OUT].tensor;
    assert_fails(sugar_forward(NULL, x, out, NULL), SUGAR_ERROR_ARGUMENT, "activation");
    assert_fails(sugar_forward(activation, NULL, out, NULL), SUGAR_ERROR_ARGUMENT, "x:");
    assert_fails(sugar_forward(activation, x, NULL, NULL), SUGAR_ERROR_ARGUMENT, "y:");
    assert_fails(sugar_backward(NULL, x, dy, out, NULL), SUGAR_ERROR_ARGUMENT, "activation");
    assert_fails(sugar_backward(activation, NULL, dy, out, NULL), SUGAR_ERROR_ARGUMENT, "x:");
    assert_fails(sugar_backward(activation, x, NULL, out, NULL), SUGAR_ERROR_ARGUMENT, "dy:");
    assert_fails(sugar_backward(activation, x, dy, NULL, NULL), SUGAR_ERROR_ARGUMENT, "dx:");
    assert_memory_equal(c.memory, c.before, sizeof c.memory);
    for (int k = 0; k < OPERANDS; k++) {
        make_good_call(&c);
        c.views[k].tensor.data = NULL;
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "NULL");
        make_good_call(&c);
        c.views[k].tensor.shape = NULL;
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "shape");
    }
}

static void dimensions(void **unused)
{
    (void)unused;
    static const int32_t counts[] = {-1, INT32_MIN, 65, INT32_MAX};
    good_call c;
    for (int k = 0; k < OPERANDS; k++)
        for (size_t i = 0; i < COUNT(counts); i++) {
            char found[16];
            make_good_call(&c);
            c.views[k].tensor.ndim = counts[i];
            snprintf(found, sizeof found, "%d", (int)counts[i]);
            assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, found);
        }
}

static void extents(void **unused)
{
    (void)unused;
    good_call c;
    for (int k = 0; k < OPERANDS; k++)
        for (int d = 0; d < 2; d++) {
            make_good_call(&c);
            c.views[k].shape[d] = -2;
            assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "-2");
            make_good_call(&c);
            c.views[k].shape[d] = INT64_MIN;
            assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "-9223372036854775808");
            make_good_call(&c);
            c.views[k].shape[1 - d] = 0;        /* a view without elements is checked, too */
            c.views[k].shape[d] = -1;
            assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "-1");
        }
}

static void overflow(void **unused)
{
    (void)unused;
    good_call c;
    for (int k = 0; k < OPERANDS; k++) {
        make_good_call(&c);
        c.views[k].strides[0] = INT64_MAX;
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "shape and strides reach beyond the address space");
        make_good_call(&c);
        c.views[k].strides[1] = INT64_MIN / 2;
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "shape and strides reach beyond the address space");
    }
    make_good_call(&c);     /* equal shapes: only their size is wrong */
    for (int k = 0; k < OPERANDS; k++)
        c.views[k].shape[0] = INT64_MAX / 2;
    assert_both_fail(&c, X, SUGAR_ERROR_ARGUMENT, "more elements than 64 bits can count");
}

static void types_and_devices(void **unused)
{
    (void)unused;
    static const sugar_data_type types[] = {
        {0, 32, 1},
        {0, 16, 1},
        {1, 64, 1},
        {SUGAR_TYPE_BFLOAT, 32, 1},
        {SUGAR_TYPE_BFLOAT, 64, 1},
        {5, 64, 1},
        {SUGAR_TYPE_FLOAT, 8, 1},
        {SUGAR_TYPE_FLOAT, 0, 1},
        {SUGAR_TYPE_FLOAT, 128, 1},
        {SUGAR_TYPE_FLOAT, 32, 0},
        {SUGAR_TYPE_FLOAT, 32, 4},
        {255, 255, 65535},
    };
    static const int32_t devices[] = {0, 2, 3, 10, -1, INT32_MAX};
    good_call c;
    for (int k = 0; k < OPERANDS; k++) {
        for (size_t i = 0; i < COUNT(types); i++) {
            char found[48];
            make_good_call(&c);
            c.views[k].tensor.dtype = types[i];
            if (types[i].code == SUGAR_TYPE_FLOAT && types[i].bits == 32)
                snprintf(found, sizeof found, "dtype with %d lanes", types[i].lanes);
            else
                snprintf(found, sizeof found, "dtype with code %d and %d bits", types[i].code, types[i].bits);
            assert_both_fail(&c, k, SUGAR_ERROR_UNSUPPORTED, found);
        }
        for (size_t i = 0; i < COUNT(devices); i++) {
            char found[32];
            make_good_call(&c);
            c.views[k].tensor.device.device_type = devices[i];
            snprintf(found, sizeof found, "device type %d", (int)devices[i]);
            assert_both_fail(&c, k, SUGAR_ERROR_UNSUPPORTED, found);
        }
    }
    make_good_call(&c);
    for (int k = 0; k < OPERANDS; k++)
        c.views[k].tensor.device.device_id = 7;     /* ignored */
    assert_ok(sugar_forward(activation, &c.views[X].tensor, &c.views[OUT].tensor, NULL));
}

static void operands_that_differ(void **unused)
{
    (void)unused;
    good_call c;
    for (int k = DY; k < OPERANDS; k++) {
        make_good_call(&c);
        c.views[k].shape[1] = 2;
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "shape (2, 2), expected (2, 3) like x");
        c.views[k].tensor.strides = NULL;
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "shape (2, 2), expected (2, 3) like x");
        c.views[k].shape[1] = 1;                    /* only parameters are broadcast */
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "shape (2, 1), expected (2, 3) like x");
        make_good_call(&c);
        c.views[k].tensor.ndim = 1;
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "(2, 3)");
        make_good_call(&c);
        c.views[k].tensor.dtype.bits = 64;
        c.views[k].tensor.strides = NULL;
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "dtype float64, expected float32 like x");
        make_good_call(&c);
        for (int other = X; other < OPERANDS; other++)
            c.views[other].tensor.dtype = (sugar_data_type){SUGAR_TYPE_FLOAT, 16, 1};
        c.views[k].tensor.dtype.code = SUGAR_TYPE_BFLOAT;
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "dtype bfloat16, expected float16 like x");
    }
}

static void misaligned(void **unused)
{
    (void)unused;
    good_call c;
    for (int k = 0; k < OPERANDS; k++)
        for (int bytes = 1; bytes < 4; bytes++) {
            make_good_call(&c);
            c.views[k].tensor.data = (char *)c.memory[k] + bytes;
            assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "multiple of 4");
            make_good_call(&c);
            c.views[k].tensor.byte_offset = (uint64_t)bytes;
            assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "multiple of 4");
        }
}

static void byte_offset_beyond_the_address_space(void **unused)
{
    (void)unused;
    good_call c;
    for (int k = 0; k < OPERANDS; k++) {
        make_good_call(&c);
        c.views[k].tensor.byte_offset = UINT64_MAX - 3;
        assert_both_fail(&c, k, SUGAR_ERROR_ARGUMENT, "beyond the address space");
    }
}

static void call_options(void **unused)
{
    (void)unused;
    good_call c;
    make_good_call(&c);
    sugar_call_options options = {.struct_size = sizeof options, .flags = SUGAR_CALL_ACCUMULATE};
    assert_fails(sugar_forward(activation, &c.views[X].tensor, &c.views[OUT].tensor, &options), SUGAR_ERROR_UNSUPPORTED,
                 "options: flags 0x1, expected any of SUGAR_CALL_NONTEMPORAL (0x2) and "
                 "SUGAR_CALL_TEMPORAL (0x4) in forward");
    options.flags = SUGAR_CALL_NONTEMPORAL | SUGAR_CALL_TEMPORAL;
    assert_fails(sugar_forward(activation, &c.views[X].tensor, &c.views[OUT].tensor, &options), SUGAR_ERROR_ARGUMENT,
                 "options: flags 0x6, expected SUGAR_CALL_NONTEMPORAL (0x2) or "
                 "SUGAR_CALL_TEMPORAL (0x4), not both");
    options.flags = (uint64_t)1 << 40;
    assert_fails(sugar_backward(activation, &c.views[X].tensor, &c.views[DY].tensor, &c.views[OUT].tensor, &options),
                 SUGAR_ERROR_UNSUPPORTED,
                 "options: flags 0x10000000000, expected any of SUGAR_CALL_ACCUMULATE (0x1), ");
    assert_memory_equal(c.memory, c.before, sizeof c.memory);
}

/* ---- Flat calls ------------------------------------------------------------------------------- */

/* The flat calls of one element type: T is its type in C, e its name in the functions. */
#define FLAT_TEST(T, e)                                                                                                \
    static void flat_##e(void **unused)                                                                                \
    {                                                                                                                  \
        (void)unused;                                                                                                  \
        T x[8] = {1, 1, 2, 2, 3, 3, 4, 4}, dy[8] = {1, 2, 3, 4, 5, 6, 7, 8}, out[8], before[8];                        \
        sugar_call_options accumulate = {.struct_size = sizeof accumulate, .flags = SUGAR_CALL_ACCUMULATE};            \
        memset(out, 0x5a, sizeof out);                                                                                 \
        memcpy(before, out, sizeof out);                                                                               \
        const sugar_status bad = SUGAR_ERROR_ARGUMENT;                                                                 \
        assert_fails(sugar_forward_##e(NULL, 8, x, 1, out, 1, NULL), bad, "activation");                               \
        assert_fails(sugar_forward_##e(activation, -1, x, 1, out, 1, NULL), bad, "n:");                                \
        assert_fails(sugar_forward_##e(activation, INT64_MIN, x, 1, out, 1, NULL), bad, "n:");                         \
        assert_fails(sugar_forward_##e(activation, 8, NULL, 1, out, 1, NULL), bad, "x: NULL");                         \
        assert_fails(sugar_forward_##e(activation, 8, x, 1, NULL, 1, NULL), bad, "y: NULL");                           \
        assert_fails(sugar_forward_##e(activation, 8, x, INT64_MAX, out, 1, NULL), bad, "x: n and");                   \
        assert_fails(sugar_forward_##e(activation, 8, x, 1, out, INT64_MIN, NULL), bad, "y: n and");                   \
        assert_fails(sugar_forward_##e(activation, 8, x, 1, out, 0, NULL), SUGAR_ERROR_OVERLAP, "incy: 0");            \
        assert_fails(sugar_forward_##e(activation, 7, x, 1, x + 1, 1, NULL), SUGAR_ERROR_OVERLAP, "y:");               \
        assert_fails(sugar_forward_##e(activation, 8, x, 1, out, 1, &accumulate), SUGAR_ERROR_UNSUPPORTED, "flags");   \
        assert_fails(sugar_backward_##e(NULL, 8, x, 1, dy, 1, out, 1, NULL), bad, "activation");                       \
        assert_fails(sugar_backward_##e(activation, -8, x, 1, dy, 1, out, 1, NULL), bad, "n:");                        \
        assert_fails(sugar_backward_##e(activation, 8, NULL, 1, dy, 1, out, 1, NULL), bad, "x: NULL");                 \
        assert_fails(sugar_backward_##e(activation, 8, x, 1, NULL, 1, out, 1, NULL), bad, "dy: NULL");                 \
        assert_fails(sugar_backward_##e(activation, 8, x, 1, dy, 1, NULL, 1, NULL), bad, "dx: NULL");                  \
        assert_fails(sugar_backward_##e(activation, 8, x, INT64_MIN, dy, 1, out, 1, NULL), bad, "x: n and");           \
        assert_fails(sugar_backward_##e(activation, 8, x, 1, dy, INT64_MAX, out, 1, NULL), bad, "dy: n and");          \
        assert_fails(sugar_backward_##e(activation, 8, x, 1, dy, 1, out, INT64_MAX, NULL), bad, "dx: n and");          \
        assert_fails(sugar_backward_##e(activation, 8, x, 1, dy, 1, out, 0, NULL), SUGAR_ERROR_OVERLAP, "incdx: 0");   \
        assert_fails(sugar_backward_##e(activation, 7, x, 1, dy, 1, dy + 1, 1, NULL), SUGAR_ERROR_OVERLAP, "dx:");     \
        T *odd = (T *)(void *)((char *)out + 1);                                                                       \
        assert_fails(sugar_forward_##e(activation, 4, x, 1, odd, 1, NULL), bad, "y: address");                         \
        assert_fails(sugar_backward_##e(activation, 4, x, 1, odd, 1, out, 1, NULL), bad, "dy: address");               \
        assert_memory_equal(out, before, sizeof out);                                                                  \
        assert_true(x[0] == 1 && x[7] == 4 && dy[0] == 1 && dy[7] == 8);                                               \
    }

FLAT_TEST(float, f32)
FLAT_TEST(double, f64)
FLAT_TEST(uint16_t, f16)
FLAT_TEST(uint16_t, bf16)

/* ---- Handles ---------------------------------------------------------------------------------- */

static void handles(void **unused)
{
    (void)unused;
    sugar_activation *const untouched = (sugar_activation *)(void *)&activation;
    sugar_activation *a = untouched;
    sugar_activation_destroy(NULL);
    sugar_context_destroy(NULL);
    assert_null(sugar_activation_spec(NULL));
    assert_null(sugar_activation_level(NULL));
    assert_fails(sugar_activation_create(NULL, "relu"), SUGAR_ERROR_ARGUMENT, "activation");
    assert_fails(sugar_activation_create(&a, NULL), SUGAR_ERROR_ARGUMENT, "spec");
    assert_fails(sugar_activation_create(&a, "nonsense"), SUGAR_ERROR_SPEC, "spec");
    assert_fails(sugar_activation_create_with_options(NULL, "relu", 4, NULL), SUGAR_ERROR_ARGUMENT, "activation");
    assert_fails(sugar_activation_create_with_options(&a, NULL, 4, NULL), SUGAR_ERROR_ARGUMENT, "spec");
    assert_fails(sugar_activation_create_with_options(&a, NULL, 0, NULL), SUGAR_ERROR_ARGUMENT, "spec");
    assert_fails(sugar_context_create(NULL, NULL), SUGAR_ERROR_ARGUMENT, "context");
    assert_ptr_equal(a, untouched);
}

/* A call that succeeds does not change the message; one that fails replaces it. */
static void last_error(void **unused)
{
    (void)unused;
    assert_fails(sugar_context_create(NULL, NULL), SUGAR_ERROR_ARGUMENT, "context");
    char *message = strdup(sugar_last_error());
    sugar_activation *a = must_create("relu", NULL);
    assert_string_equal(sugar_last_error(), message);
    sugar_activation_destroy(a);
    assert_fails(sugar_kind_get(-1, NULL), SUGAR_ERROR_ARGUMENT, "index: -1");
    assert_string_not_equal(sugar_last_error(), message);
    free(message);
}

int main(void)
{
    if (*sugar_last_error() != '\0') {
        fprintf(stderr, "sugar_last_error: \"%s\" before any call\n", sugar_last_error());
        return EXIT_FAILURE;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_calls_succeed),
        cmocka_unit_test(null_arguments),
        cmocka_unit_test(dimensions),
        cmocka_unit_test(extents),
        cmocka_unit_test(overflow),
        cmocka_unit_test(types_and_devices),
        cmocka_unit_test(operands_that_differ),
        cmocka_unit_test(misaligned),
        cmocka_unit_test(byte_offset_beyond_the_address_space),
        cmocka_unit_test(call_options),
        cmocka_unit_test(flat_f32),
        cmocka_unit_test(flat_f64),
        cmocka_unit_test(flat_f16),
        cmocka_unit_test(flat_bf16),
        cmocka_unit_test(handles),
        cmocka_unit_test(last_error),
    };
    return cmocka_run_group_tests_name("errors", tests, set_up, tear_down);
}
