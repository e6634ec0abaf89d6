/* Stores past the caches: every call gives the same bits with SUGAR_CALL_NONTEMPORAL as with SUGAR_CALL_TEMPORAL,
 * wherever its output begins in a cache line, beside every option, in every element type, at every level. */
#include "unit.h"

enum { LINE = 64, LONGEST = 301, BYTES = 4096, OPTIONS = 7 };

/* What a call has besides. */
typedef enum extra { NOTHING, RANDOM, PARAMETER, SAVED_BYTE, MONITOR, PARAMETER_GRADIENT, ACCUMULATE } extra;

typedef struct outputs {
    _Alignas(LINE) unsigned char y[BYTES + LINE];
    unsigned char codes[LONGEST];
    double gradient;
} outputs;

static const size_t widths[ELEMENT_TYPES] = {
    [ELEMENT_F32] = 4, [ELEMENT_F64] = 8, [ELEMENT_F16] = 2, [ELEMENT_BF16] = 2};
static const sugar_data_type types[ELEMENT_TYPES] = {
    [ELEMENT_F32] = {SUGAR_TYPE_FLOAT, 32, 1},
    [ELEMENT_F64] = {SUGAR_TYPE_FLOAT, 64, 1},
    [ELEMENT_F16] = {SUGAR_TYPE_FLOAT, 16, 1},
    [ELEMENT_BF16] = {SUGAR_TYPE_BFLOAT, 16, 1},
};

static _Alignas(LINE) unsigned char input[BYTES];

/* Runs one call, and returns its status; whether an option is allowed there is tested elsewhere. */
static sugar_status run(const sugar_activation *a, element_type type, int64_t n, size_t offset, extra with,
                        int is_backward, uint64_t flag, outputs *out)
{
    static const int64_t one = 1;
    const sugar_random random = {.struct_size = sizeof random, .seed = 7};
    sugar_call_options options = {.struct_size = sizeof options, .flags = flag};
    sugar_tensor x = {.data = input, .device = {SUGAR_DEVICE_CPU, 0}, .ndim = 1, .dtype = types[type], .shape = &n};
    sugar_tensor y = x, parameter = x, gradient = x, codes = x;
    memset(out, 0x5a, sizeof *out);
    y.data = out->y + offset;
    parameter.shape = gradient.shape = &one;
    gradient.data = &out->gradient;
    codes.data = out->codes;
    codes.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 8, 1};
    options.flags |= with == ACCUMULATE ? SUGAR_CALL_ACCUMULATE : 0;
    options.random = with == RANDOM ? &random : NULL;
    options.parameter = with == PARAMETER || with == PARAMETER_GRADIENT ? &parameter : NULL;
    options.parameter_gradient = with == PARAMETER_GRADIENT ? &gradient : NULL;
    options.saved_gradient = with == SAVED_BYTE ? &codes : NULL;
    if (with == MONITOR)
        assert_ok(sugar_monitor_create(&options.monitor, n, NULL));
    const sugar_status status = is_backward ? sugar_backward(a, with == SAVED_BYTE ? NULL : &x, &x, &y, &options)
                                            : sugar_forward(a, &x, &y, &options);
    sugar_monitor_destroy(options.monitor);
    return status;
}

static void check_type(const sugar_activation *a, element_type type, extra with, int is_backward, int *allowed)
{
    static const int64_t lengths[] = {5, 18, 70, LONGEST};
    static outputs past, through;
    for (size_t i = 0; i < COUNT(lengths); i++)
        for (size_t offset = 0; offset < LINE; offset += widths[type]) {
            const sugar_status status =
                run(a, type, lengths[i], offset, with, is_backward, SUGAR_CALL_TEMPORAL, &through);
            assert_int_equal(run(a, type, lengths[i], offset, with, is_backward, SUGAR_CALL_NONTEMPORAL, &past),
                             status);
            assert_memory_equal(&past, &through, sizeof past);
            *allowed += status == SUGAR_OK;
        }
}

static void same_bits_past_the_caches(void **unused)
{
    (void)unused;
    static const char *const specs[] = {"relu~bsilu", "rrelu", "prelu", "prelu~bsilu(blend=0.5)", "silu"};
    const char *levels[MAX_LEVELS];
    const int level_count = supported_levels(levels);
    int allowed[OPTIONS][2] = {{0}};
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (unsigned char)(i % 2 == 0 ? i : i / 8 % 2 == 0 ? 0x3c : 0xbc);  /* small numbers, half negative */
    for (int level = 0; level < level_count; level++)
        for (size_t s = 0; s < COUNT(specs); s++) {
            sugar_activation *a = must_create(specs[s], levels[level]);
            for (element_type type = 0; type < ELEMENT_TYPES; type++)
                for (int with = 0; with < OPTIONS; with++)
                    for (int is_backward = 0; is_backward < 2; is_backward++)
                        check_type(a, type, (extra)with, is_backward, &allowed[with][is_backward]);
            sugar_activation_destroy(a);
        }
    static const int allowed_in[OPTIONS][2] = {
        [NOTHING] = {1, 1}, [RANDOM] = {1, 1},     [PARAMETER] = {1, 1},          [SAVED_BYTE] = {1, 1},
        [MONITOR] = {1, 0}, [ACCUMULATE] = {0, 1}, [PARAMETER_GRADIENT] = {0, 1},
    };
    for (int with = 0; with < OPTIONS; with++)
        for (int is_backward = 0; is_backward < 2; is_backward++)
            assert_int_equal(allowed[with][is_backward] > 0, allowed_in[with][is_backward]);
}

/* ---- Rows, and tiles ----------------------------------------------------------------------- */

enum { ROWS = 3, COLUMNS = 35, DEPTH = 68, ELEMENTS = ROWS * COLUMNS * DEPTH, PADDED = ROWS * COLUMNS * (DEPTH + 1) };

static _Alignas(LINE) unsigned char box_input[ELEMENTS * 8], box_output[2][PADDED * 8 + LINE];

/* Strides of dimensions in the order that a number from 0 to 5 stands for; rows of the last dimension may have
 * `padding` elements behind them, 0 or 1. */
static void permute(int number, int64_t padding, int64_t *strides)
{
    static const int64_t shape[3] = {ROWS, COLUMNS, DEPTH};
    const int inner = number % 3, middle = (inner + 1 + number / 3) % 3, outer = 3 - inner - middle;
    strides[inner] = 1;
    strides[middle] = shape[inner] + (inner == 2 ? padding : 0);
    strides[outer] = strides[middle] * shape[middle];
}

static void check_box(const sugar_activation *a, element_type type, int from, int to, int64_t padding, size_t offset)
{
    static const int64_t shape[3] = {ROWS, COLUMNS, DEPTH};
    static const uint64_t flags[2] = {SUGAR_CALL_NONTEMPORAL, SUGAR_CALL_TEMPORAL};
    int64_t strides[3];
    view x, y;
    permute(from, 0, strides);
    view_make(&x, box_input, widths[type], 3, shape, strides);
    x.tensor.dtype = types[type];
    permute(to, padding, strides);
    for (int is_backward = 0; is_backward < 2; is_backward++) {
        memset(box_output, 0x5a, sizeof box_output);
        for (int k = 0; k < 2; k++) {
            const sugar_call_options options = {.struct_size = sizeof options, .flags = flags[k]};
            view_make(&y, box_output[k] + offset, widths[type], 3, shape, strides);
            y.tensor.dtype = types[type];
            assert_ok(is_backward ? sugar_backward(a, &x.tensor, &x.tensor, &y.tensor, &options)
                                  : sugar_forward(a, &x.tensor, &y.tensor, &options));
        }
        assert_memory_equal(box_output[0], box_output[1], sizeof box_output[0]);
    }
}

/* In every order of three dimensions: as rows where they lie, from buffers, and whole tiles; wherever rows begin in a
 * cache line. */
static void same_bits_in_rows(void **unused)
{
    (void)unused;
    const char *levels[MAX_LEVELS];
    const int level_count = supported_levels(levels);
    for (size_t i = 0; i < sizeof box_input; i++)
        box_input[i] = (unsigned char)(i % 2 == 0 ? i * 7 / 16 : i / 8 % 2 == 0 ? 0x3c : 0xbc);
    for (int level = 0; level < level_count; level++) {
        sugar_activation *a = must_create("relu~bsilu(blend=0.5)", levels[level]);
        for (element_type type = 0; type < ELEMENT_TYPES; type++)
            for (int order = 0; order < 36; order++)
                for (int64_t padding = 0; padding < 2; padding++)
                    for (size_t offset = 0; offset < LINE; offset += 24)
                        check_box(a, type, order / 6, order % 6, padding, offset);
        sugar_activation_destroy(a);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits_past_the_caches),
                                              cmocka_unit_test(same_bits_in_rows)};
    return cmocka_run_group_tests_name("stores", tests, NULL, NULL);
}
