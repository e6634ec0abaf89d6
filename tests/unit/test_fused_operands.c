/* The operands of biases and gated units: those that overlap or do not fit, and f32 beside f16 and bf16. */
#include "unit.h"

/* Calls on (2, 4) elements in one block of memory: each operand's offset in it, in elements; negative: not given. */
typedef struct placing {
    const char *expected;           /* of the message; NULL: the call succeeds */
    int is_backward;
    int x, dy, out, bias, bias_gradient, gate, gate_gradient;
} placing;

static const placing placings[] = {
    {NULL, 0, 0, -1, 8, 16, -1, 32, -1},
    {NULL, 0, 0, -1, 32, 16, -1, 32, -1},           /* y is the gate */
    {NULL, 0, 0, -1, 0, 16, -1, 0, -1},             /* y, x and the gate are one */
    {"y: overlaps gate, expected the very same view", 0, 0, -1, 33, 16, -1, 32, -1},
    {"y: overlaps bias, expected no shared element", 0, 0, -1, 8, 11, -1, 32, -1},
    {NULL, 1, 0, 8, 40, 16, 20, 32, 48},
    {NULL, 1, 0, 8, 32, 16, 20, 32, 0},             /* dx is the gate, gate_gradient is x */
    {NULL, 1, 0, 8, 8, 16, 20, 32, 32},
    {"dx: overlaps gate_gradient, expected no shared element", 1, 0, 8, 40, 16, 20, 32, 40},
    {"gate_gradient: overlaps dy, expected the very same view", 1, 0, 8, 40, 16, 20, 32, 9},
    {"bias_gradient: overlaps bias, expected no shared element", 1, 0, 8, 40, 16, 16, 32, 48},
    {"bias_gradient: overlaps gate, expected no shared element", 1, 0, 8, 40, 16, 32, 32, 48},
    {"gate_gradient: overlaps bias_gradient, expected no shared element", 1, 0, 8, 40, 16, 20, 32, 20},
};

static const sugar_tensor *view_at(view *v, float *memory, int at, int64_t rows)
{
    const int64_t extents[2] = {rows, 4};
    view_make(v, memory + (at < 0 ? 0 : at), sizeof *memory, 2, extents, NULL);
    return at < 0 ? NULL : &v->tensor;
}

static void overlaps(void **unused)
{
    (void)unused;
    sugar_activation *a = must_create("silu", NULL);
    for (size_t i = 0; i < COUNT(placings); i++) {
        const placing *p = &placings[i];
        float memory[64], before[64];
        view x, dy, out, v[4];
        for (int k = 0; k < 64; k++)
            before[k] = memory[k] = (float)k / 16;
        const sugar_call_options options = {.struct_size = sizeof options,
                                            .bias = view_at(&v[0], memory, p->bias, 1),
                                            .bias_gradient = view_at(&v[1], memory, p->bias_gradient, 1),
                                            .gate = view_at(&v[2], memory, p->gate, 2),
                                            .gate_gradient = view_at(&v[3], memory, p->gate_gradient, 2)};
        const sugar_tensor *in = view_at(&x, memory, p->x, 2), *to = view_at(&out, memory, p->out, 2);
        const sugar_status status = p->is_backward ? sugar_backward(a, in, view_at(&dy, memory, p->dy, 2), to, &options)
                                                   : sugar_forward(a, in, to, &options);
        if (!p->expected) {
            assert_ok(status);
        } else {
            assert_fails(status, SUGAR_ERROR_OVERLAP, p->expected);
            assert_memory_equal(memory, before, sizeof memory);
        }
    }
    sugar_activation_destroy(a);
}

/* A backward call on (2, 4) elements whose option has another shape, type or stride. */
static void expect_refused(size_t option, const sugar_tensor *tensor, sugar_status status, const char *part)
{
    float x[8] = {0}, dx[8] = {5};
    view vx, vdx;
    view_at(&vx, x, 0, 2);
    view_at(&vdx, dx, 0, 2);
    sugar_activation *a = must_create("silu", NULL);
    sugar_call_options options = {.struct_size = sizeof options};
    memcpy((char *)&options + option, &tensor, sizeof tensor);
    assert_fails(sugar_backward(a, &vx.tensor, &vx.tensor, &vdx.tensor, &options), status, part);
    assert_true(dx[0] == 5);
    sugar_activation_destroy(a);
}

static void operands_that_do_not_fit(void **unused)
{
    (void)unused;
    enum { OF_BIAS, OF_SUM, OF_GATE, OF_PRODUCT, OPTIONS };
    static const size_t offsets[OPTIONS] = {
        offsetof(sugar_call_options, bias), offsetof(sugar_call_options, bias_gradient),
        offsetof(sugar_call_options, gate), offsetof(sugar_call_options, gate_gradient)};
    static const char *const shapes[OPTIONS] = {
        "bias: shape (3, 4), expected (2, 4) like x, or 1 in any dimension",
        "bias_gradient: shape (3, 4), expected (2, 4) like x, or 1 in any dimension",
        "gate: shape (3, 4), expected (2, 4) like x", "gate_gradient: shape (3, 4), expected (2, 4) like x"};
    static const char *const types[OPTIONS] = {"bias: dtype float16, expected float32 like x",
                                               "bias_gradient: dtype float16", "gate: dtype float16",
                                               "gate_gradient: dtype float16"};
    static const char *const names[OPTIONS] = {"bias: data NULL", "bias_gradient: data NULL", "gate: data NULL",
                                               "gate_gradient: data NULL"};
    for (int k = 0; k < OPTIONS; k++) {
        float memory[12] = {0};
        view v;
        view_at(&v, memory, 0, 3);
        expect_refused(offsets[k], &v.tensor, SUGAR_ERROR_ARGUMENT, shapes[k]);
        view_at(&v, memory, 0, 2);
        v.tensor.dtype.bits = 16;
        expect_refused(offsets[k], &v.tensor, SUGAR_ERROR_ARGUMENT, types[k]);
        view_at(&v, NULL, 0, 2);
        expect_refused(offsets[k], &v.tensor, SUGAR_ERROR_ARGUMENT, names[k]);
        view_at(&v, memory, 0, 2);
        v.strides[0] = 0;
        if (k == OF_SUM || k == OF_PRODUCT)
            expect_refused(offsets[k], &v.tensor, SUGAR_ERROR_OVERLAP, "gradient: stride 0 in dimension 0 of extent 2");
    }
}

/* A narrow gate may not be f32: it has the type of x. */
static void only_broadcast_operands_are_wide(void **unused)
{
    (void)unused;
    static const int64_t extent = 4;
    uint16_t x[4] = {0}, y[4] = {9};
    float gate[4] = {0};
    view vx, vy, with;
    view_make(&vx, x, 2, 1, &extent, NULL);
    view_make(&vy, y, 2, 1, &extent, NULL);
    view_make(&with, gate, 4, 1, &extent, NULL);
    vx.tensor.dtype = vy.tensor.dtype = element_formats[ELEMENT_F16].dtype;
    sugar_activation *a = must_create("silu", NULL);
    sugar_call_options options = {.struct_size = sizeof options, .gate = &with.tensor};
    assert_fails(sugar_forward(a, &vx.tensor, &vy.tensor, &options), SUGAR_ERROR_ARGUMENT,
                 "gate: dtype float32, expected float16 like x");
    assert_int_equal(y[0], 9);
    sugar_activation_destroy(a);
}

/* A row that is long enough to be used where it lies, once converted, and x as rows that lie one after another or
 * apart. Sums are multiples of 1/64 that f16 and bf16 can hold. */
static void rows_of_wide_biases(void **unused)
{
    (void)unused;
    enum { IN_ROWS = 5, LENGTH = 200, APART = 210 };
    static const int64_t shape[2] = {IN_ROWS, LENGTH}, row[2] = {1, LENGTH};
    static uint16_t x[IN_ROWS * APART], y[IN_ROWS * APART];
    float bias[LENGTH];
    sugar_activation *a = must_create("relu", NULL);
    for (int test = 0; test < 4; test++) {
        const element_type type = test & 1 ? ELEMENT_F16 : ELEMENT_BF16;
        const int64_t strides[2] = {test & 2 ? APART : LENGTH, 1};
        view vx, vy, with;
        view_make(&vx, x, 2, 2, shape, strides);
        view_make(&vy, y, 2, 2, shape, strides);
        view_make(&with, bias, 4, 2, row, NULL);
        vx.tensor.dtype = vy.tensor.dtype = element_formats[type].dtype;
        for (int i = 0; i < IN_ROWS * LENGTH; i++) {
            bias[i % LENGTH] = (float)(i % LENGTH - 100) / 64;
            element_store(x, i / LENGTH * strides[0] + i % LENGTH, type, element_of((i / LENGTH - 2) / 32.0, type));
        }
        const sugar_call_options options = {.struct_size = sizeof options, .bias = &with.tensor};
        assert_ok(sugar_forward(a, &vx.tensor, &vy.tensor, &options));
        for (int i = 0; i < IN_ROWS * LENGTH; i++) {
            const double sum = (i % LENGTH - 100) / 64.0 + (i / LENGTH - 2) / 32.0;
            const uint64_t found = element_load(y, i / LENGTH * strides[0] + i % LENGTH, type);
            assert_int_equal(found, element_of(sum > 0 ? sum : 0, type));
        }
    }
    sugar_activation_destroy(a);
}

/* The bits of an f32 NaN that rounding to 16 bits would carry out of. */
/* Matrices whose rows are longer than a vector, and which are larger than any buffer. The halves of one matrix are x
 * and the gate, and those of another one their gradients; each row must be as if it were called alone. */
enum { HALF = 700, HALVES = 13, MATRIX = 2 * HALF * HALVES };

static void of_halves(view *v, void *memory, element_type type, int half, int row, int rows, int64_t pitch)
{
    const size_t width = element_formats[type].width, first = (size_t)row * (size_t)pitch + (size_t)half * HALF;
    const int64_t extents[2] = {rows, HALF}, strides[2] = {pitch, 1};
    view_make(v, (char *)memory + first * width, width, 2, extents, strides);
    v->tensor.dtype = element_formats[type].dtype;
}

/* Calls on `rows` rows from one on: y, and both gradients. bias: NULL, or f32 for each column, or for each row. */
static void run_halves(const sugar_activation *a, element_type type, void *x_and_gate, const float *bias, int per_row,
                       int row, int rows, void *y_memory, void *gradients)
{
    view x, gate, y, dx, dgate, b;
    of_halves(&x, x_and_gate, type, 0, row, rows, 2 * HALF);
    of_halves(&gate, x_and_gate, type, 1, row, rows, 2 * HALF);
    of_halves(&y, y_memory, type, 0, row, rows, HALF);
    of_halves(&dx, gradients, type, 0, row, rows, 2 * HALF);
    of_halves(&dgate, gradients, type, 1, row, rows, 2 * HALF);
    const int64_t extents[2] = {per_row ? rows : 1, per_row ? 1 : HALF};
    view_make(&b, (float *)(uintptr_t)(bias + (per_row ? row : 0)), sizeof *bias, 2, extents, NULL);
    sugar_call_options options = {.struct_size = sizeof options, .gate = &gate.tensor, .bias = bias ? &b.tensor : NULL};
    assert_ok(sugar_forward(a, &x.tensor, &y.tensor, &options));
    options.gate_gradient = &dgate.tensor;
    assert_ok(sugar_backward(a, &x.tensor, &y.tensor, &dx.tensor, &options));
}

static void halves_of_matrices(void **unused)
{
    (void)unused;
    static double in[MATRIX], y[2][MATRIX], gradients[2][MATRIX];
    static float bias[HALF];
    uint64_t state = 3;
    for (int i = 0; i < HALF; i++)
        bias[i] = (float)random_between(&state, -300, 300) / 256;
    static const char *const specs[] = {"silu", "relu~bsilu", "sigmoid", "softsign"};
    for (size_t k = 0; k < COUNT(specs); k++)
        for (element_type type = 0; type < ELEMENT_TYPES; type++)
            for (int with_bias = 0; with_bias < (type == ELEMENT_F64 ? 1 : 3); with_bias++) {
                sugar_activation *a = must_create(specs[k], NULL);
                for (int64_t i = 0; i < MATRIX; i++)
                    set_element(in, i, type, (double)random_between(&state, -4000, 4000) / 1024);
                memset(y, 0, sizeof y);
                memset(gradients, 0, sizeof gradients);
                const float *b = with_bias ? bias : NULL;
                run_halves(a, type, in, b, with_bias == 2, 0, HALVES, y[0], gradients[0]);
                for (int row = 0; row < HALVES; row++)
                    run_halves(a, type, in, b, with_bias == 2, row, 1, y[1], gradients[1]);
                assert_memory_equal(y[0], y[1], sizeof y[0]);
                assert_memory_equal(gradients[0], gradients[1], sizeof gradients[0]);
                sugar_activation_destroy(a);
            }
}

static void not_a_number_stays_one(void **unused)
{
    (void)unused;
    static const int64_t extent = 40;
    const uint32_t bits = 0x7fffffff;
    for (element_type type = ELEMENT_F16; type <= ELEMENT_BF16; type++) {
        uint16_t x[40] = {0}, y[40] = {0};
        float bias[40];
        view vx, vy, with;
        for (int i = 0; i < 40; i++)
            memcpy(&bias[i], &bits, sizeof bits);
        view_make(&vx, x, 2, 1, &extent, NULL);
        view_make(&vy, y, 2, 1, &extent, NULL);
        view_make(&with, bias, 4, 1, &extent, NULL);
        vx.tensor.dtype = vy.tensor.dtype = element_formats[type].dtype;
        sugar_activation *a = must_create("relu", NULL);
        const sugar_call_options options = {.struct_size = sizeof options, .bias = &with.tensor};
        assert_ok(sugar_forward(a, &vx.tensor, &vy.tensor, &options));
        for (int i = 0; i < 40; i++)
            assert_true(element_is_nan(y[i], type));
        sugar_activation_destroy(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlaps),
        cmocka_unit_test(operands_that_do_not_fit),
        cmocka_unit_test(only_broadcast_operands_are_wide),
        cmocka_unit_test(rows_of_wide_biases),
        cmocka_unit_test(halves_of_matrices),
        cmocka_unit_test(not_a_number_stays_one),
    };
    return cmocka_run_group_tests_name("fused operands", tests, NULL, NULL);
}
