/* The kind `table`: what options it needs and what their errors say, its canonical spec, the range of its derivative,
 * and calls with every option that any kind takes. Its numbers are in the suite accuracy. */
#include "unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { ROWS = 3, ROW = 3 };
/* A smooth step from 0 to 1, and a line; its derivative has its maximum, 1.5, in the middle. */
static const double step[ROW * ROWS] = {0, 0, 0, 1, 1, 0, 2, 1, 0};

static sugar_status create(sugar_activation **a, const char *spec, const double *table, size_t knots)
{
    const sugar_activation_options options = {.struct_size = sizeof options, .table = table, .table_knots = knots};
    *a = NULL;
    return sugar_activation_create_with_options(a, spec, strlen(spec), &options);
}

static sugar_activation *make(const char *spec)
{
    sugar_activation *a;
    assert_ok(create(&a, spec, step, ROWS));
    return a;
}

static void refuse(const char *spec, const double *table, size_t knots, sugar_status status, const char *part)
{
    sugar_activation *a;
    assert_fails(create(&a, spec, table, knots), status, part);
    assert_null(a);
}

static sugar_activation_info info_of(const sugar_activation *a)
{
    sugar_activation_info info = {.struct_size = sizeof info};
    assert_ok(sugar_activation_get_info(a, &info));
    return info;
}

/* ---- Options -------------------------------------------------------------------------------- */

static void table_and_spec(void **unused)
{
    (void)unused;
    refuse("table", NULL, 0, SUGAR_ERROR_ARGUMENT, "options: table: NULL, expected the knots of 'table' in the spec");
    refuse("relu~table(blend=0.5)", NULL, 0, SUGAR_ERROR_ARGUMENT, "table: NULL");
    refuse("relu~bsilu", step, ROWS, SUGAR_ERROR_ARGUMENT, "table of 3 knots, expected none: no 'table' in the spec");
    refuse("relu", NULL, ROWS, SUGAR_ERROR_ARGUMENT, "expected none");
    refuse("relu", step, 0, SUGAR_ERROR_ARGUMENT, "expected none");
    refuse("table", NULL, ROWS, SUGAR_ERROR_ARGUMENT, "table: NULL");
    refuse("table", step, 0, SUGAR_ERROR_ARGUMENT, "table_knots: 0, expected 2 to 4096");
    refuse("table", step, 1, SUGAR_ERROR_ARGUMENT, "table_knots: 1, expected 2 to 4096");
    refuse("table", step, 4097, SUGAR_ERROR_ARGUMENT, "table_knots: 4097, expected 2 to 4096");
    refuse("table(alpha=1)", step, ROWS, SUGAR_ERROR_SPEC, "position 6: unknown parameter 'alpha' of table");
    sugar_activation *a = NULL;
    assert_fails(sugar_activation_create(&a, "table"), SUGAR_ERROR_ARGUMENT, "table: NULL");
    assert_null(a);
}

/* One number of the table is replaced. */
static void bad_number(size_t index, double number, const char *part)
{
    double table[ROW * ROWS];
    memcpy(table, step, sizeof table);
    table[index] = number;
    refuse("table", table, ROWS, SUGAR_ERROR_ARGUMENT, part);
}

static void numbers(void **unused)
{
    (void)unused;
    bad_number(3, (double)NAN, "table[3], knot 1, is nan, expected -1e+30 to 1e+30");
    bad_number(4, (double)INFINITY, "table[4], the value at knot 1, is inf, expected -1e+30 to 1e+30");
    bad_number(8, -1.5e30, "table[8], the slope at knot 2, is -1.5e+30, expected -1e+30 to 1e+30");
    bad_number(3, 0, "table[3], knot 1, is 0, expected more than knot 0, 0");
    bad_number(6, 0.5, "table[6], knot 2, is 0.5, expected more than knot 1, 1");
    bad_number(6, 1 + 0x1p-30, "expected more than knot 1, 1, rounded to f32");
    bad_number(3, 1e-31, "from knot 0 to knot 1 values change by");
}

/* The least and the most knots, and the ends of the range. */
static void allowed(void **unused)
{
    (void)unused;
    enum { MOST = 4096 };
    static double many[ROW * MOST];
    for (size_t i = 0; i < MOST; i++)
        many[ROW * i] = many[ROW * i + 1] = (double)i, many[ROW * i + 2] = 1;
    sugar_activation *a;
    assert_ok(create(&a, "table~table", many, MOST));
    double x = 2000.25, y;
    assert_ok(sugar_forward_f64(a, 1, &x, 1, &y, 1, NULL));
    assert_true(y == x);
    assert_true(info_of(a).capabilities & SUGAR_CAN_SAVE_BIT);
    sugar_activation_destroy(a);
    static const double ends[] = {-1e30, -1e30, -1e30, 1e30, 1e30, 1e30};
    assert_ok(create(&a, "table", ends, 2));
    sugar_activation_destroy(a);
}

/* The caller's memory is not needed afterwards. */
static void is_copied(void **unused)
{
    (void)unused;
    double *table = malloc(sizeof step);
    assert_non_null(table);
    memcpy(table, step, sizeof step);
    sugar_activation *a;
    assert_ok(create(&a, "table", table, ROWS));
    memset(table, 0xff, sizeof step);
    free(table);
    float x = 0.5f, y;
    assert_ok(sugar_forward_f32(a, 1, &x, 1, &y, 1, NULL));
    assert_true(y == 0.5f);
    sugar_activation_destroy(a);
}

/* ---- Specs ---------------------------------------------------------------------------------- */

/* The digest by its definition, byte by byte. */
static uint64_t digest_of(const double *table, size_t count)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < 8 * count; i++) {
        uint64_t bits;
        memcpy(&bits, table + i / 8, sizeof bits);
        h ^= (bits >> (8 * (i % 8))) % 256;
        h *= UINT64_C(1099511628211);
    }
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

static void canonical(const char *spec, const char *before, const char *behind)
{
    char expected[100];
    snprintf(expected, sizeof expected, "%sdigest=%016" PRIx64 "%s", before, digest_of(step, ROW * ROWS), behind);
    sugar_activation *a = make(spec), *again = make(expected);
    assert_string_equal(sugar_activation_spec(a), expected);
    assert_string_equal(sugar_activation_spec(again), expected);
    sugar_activation_destroy(a);
    sugar_activation_destroy(again);
    refuse(expected, NULL, 0, SUGAR_ERROR_ARGUMENT, "table: NULL");
    refuse(expected, step, 2, SUGAR_ERROR_SPEC, "expected that of options.table");
}

static void specs(void **unused)
{
    (void)unused;
    canonical("table", "table(", ")");
    canonical("relu~table(blend=0.5,domain=negative)", "relu~table(", ",domain=negative,blend=0.5)");
    canonical("table~bsilu", "table(", ")~bsilu(alpha=1.67)");
    refuse("table(digest=0123456789ABCDEF)", step, ROWS, SUGAR_ERROR_SPEC,
           "position 13: digest is '0123456789ABCDEF', expected 16 digits");
    refuse("table(digest=0123456789abcdef0)", step, ROWS, SUGAR_ERROR_SPEC, "expected 16 digits");
    refuse("table(digest=)", step, ROWS, SUGAR_ERROR_SPEC, "position 13: digest is ''");
    refuse("table(digest=0123456789abcdef)", step, ROWS, SUGAR_ERROR_SPEC, "digest of 'table' is 0123456789abcdef");
    refuse("relu(digest=0123456789abcdef)", NULL, 0, SUGAR_ERROR_SPEC, "position 5: unknown parameter 'digest'");
}

/* ---- What a handle says ----------------------------------------------------------------------- */

static void range_is(const double *table, size_t knots, const char *spec, double minimum, double maximum)
{
    sugar_activation *a;
    assert_ok(create(&a, spec, table, knots));
    const sugar_activation_info info = info_of(a);
    if (!(info.gradient_minimum == minimum && info.gradient_maximum == maximum))
        fail_msg("%s: bounds %a and %a, expected %a and %a", spec, info.gradient_minimum, info.gradient_maximum,
                 minimum, maximum);
    assert_true(info.capabilities & SUGAR_CAN_SAVE_BYTE);
    assert_int_equal(info.forward_parameter_count == 0, info.forward_parameters == NULL);
    sugar_activation_destroy(a);
}

/* An extremum inside a piece: f' = 6 u (1 - u) for `step`; for `valley` 1 - 9 u + 9 u^2 from 0 on, and less than 0
 * between. */
static void ranges(void **unused)
{
    (void)unused;
    static const double valley[] = {0, 0, 1, 1, -0.5, 1}, negative[] = {-2, 1, -3, -1, -1, -0.5};
    range_is(step, ROWS, "table", 0, 1.5);
    range_is(step, ROWS, "relu~table", 0, 1.5);
    range_is(step, ROWS, "relu~table(domain=negative)", 0, 1);
    range_is(step, ROWS, "table~relu", 0, 1);
    range_is(valley, 2, "table", -1.25, 1);
    range_is(valley, 2, "heaviside~table(domain=negative)", 0, 1);
    range_is(negative, 2, "table", -3, -0.5);
}

/* ---- Calls ---------------------------------------------------------------------------------- */

enum { N = 7 };
static const float x[N] = {-(float)INFINITY, -1, -0.0f, 0.5f, 1, 5, (float)INFINITY};
static const float ones[N] = {1, 1, 1, 1, 1, 1, 1};
static const float values[N] = {0, 0, 0, 0.5f, 1, 1, 1}, derivatives[N] = {0, 0, 0, 1.5f, 0, 0, 0};

static void assert_numbers(const float *found, const float *expected, const char *what)
{
    for (int i = 0; i < N; i++)
        if (!(found[i] == expected[i]))
            fail_msg("%s at %g: %a, expected %a", what, (double)x[i], (double)found[i], (double)expected[i]);
}

static void plain(void **unused)
{
    (void)unused;
    float y[N], dx[N], expected[N];
    sugar_activation *a = make("table");
    assert_ok(sugar_forward_f32(a, N, x, 1, y, 1, NULL));
    assert_ok(sugar_backward_f32(a, N, x, 1, ones, 1, dx, 1, NULL));
    assert_numbers(y, values, "value");
    assert_numbers(dx, derivatives, "derivative");
    const sugar_call_options accumulate = {.struct_size = sizeof accumulate, .flags = SUGAR_CALL_ACCUMULATE};
    assert_ok(sugar_backward_f32(a, N, x, 1, ones, 1, dx, 1, &accumulate));
    for (int i = 0; i < N; i++)
        expected[i] = 2 * derivatives[i];
    assert_numbers(dx, expected, "accumulated derivative");
    sugar_activation_destroy(a);

    a = make("relu~table(domain=negative,blend=0.5)");
    assert_ok(sugar_backward_f32(a, N, x, 1, ones, 1, dx, 1, NULL));
    static const float relu[N] = {0, 0, 0, 1, 1, 1, 1};
    assert_numbers(dx, relu, "g' of relu~table(domain=negative)");
    sugar_activation_destroy(a);

    a = make("table~relu(blend=0.5)");
    assert_ok(sugar_forward_f32(a, N, x, 1, y, 1, NULL));
    assert_ok(sugar_backward_f32(a, N, x, 1, ones, 1, dx, 1, NULL));
    assert_numbers(y, values, "value of table~relu");
    for (int i = 0; i < N; i++)
        expected[i] = 0.5f * derivatives[i] + 0.5f * relu[i];
    assert_numbers(dx, expected, "g' of table~relu(blend=0.5)");
    sugar_activation_destroy(a);
}

/* A saved gradient, with a monitor beside it, as a code of the range from 0 to 1.5. */
static void saved(void **unused)
{
    (void)unused;
    sugar_activation *a = make("table");
    uint8_t codes[N];
    float y[N], dx[N];
    const int64_t shape = N;
    const sugar_tensor saved = {.data = codes,
                                .device = {SUGAR_DEVICE_CPU, 0},
                                .ndim = 1,
                                .shape = &shape,
                                .dtype = {SUGAR_TYPE_UNSIGNED, 8, 1}};
    sugar_monitor *monitor;
    assert_ok(sugar_monitor_create(&monitor, N, NULL));
    sugar_call_options options = {.struct_size = sizeof options, .monitor = monitor, .saved_gradient = &saved};
    assert_ok(sugar_forward_f32(a, N, x, 1, y, 1, &options));
    assert_numbers(y, values, "value");
    sugar_monitor_summary summary = {.struct_size = sizeof summary};
    assert_ok(sugar_monitor_get(monitor, &summary));
    assert_int_equal(summary.active, 4);
    options.monitor = NULL;
    assert_ok(sugar_backward_f32(a, N, NULL, 1, ones, 1, dx, 1, &options));
    assert_numbers(dx, derivatives, "derivative from codes");
    sugar_monitor_destroy(monitor);
    sugar_activation_destroy(a);
}

/* What the kind cannot do. */
static void refused_options(void **unused)
{
    (void)unused;
    sugar_activation *a = make("table");
    float dx[N];
    const sugar_call_options options = {.struct_size = sizeof options, .flags = SUGAR_CALL_FROM_OUTPUT};
    assert_fails(sugar_backward_f32(a, N, x, 1, ones, 1, dx, 1, &options), SUGAR_ERROR_UNSUPPORTED, "FROM_OUTPUT");
    sugar_activation_destroy(a);
}

/* The same bits on threads, in steps, and in one piece. */
static void threads(void **unused)
{
    (void)unused;
    enum { MANY = 100000 };
    static float in[2 * MANY], whole[MANY], split[2 * MANY];
    uint64_t state = 1;
    for (size_t i = 0; i < MANY; i++)
        in[2 * i] = (float)random_between(&state, -300, 300) / 100;
    sugar_activation *a = must_create("table", NULL);
    sugar_context *context;
    const sugar_context_options two = {.struct_size = sizeof two, .threads = 2};
    assert_ok(sugar_context_create(&context, &two));
    const sugar_call_options options = {.struct_size = sizeof options, .context = context};
    assert_ok(sugar_forward_f32(a, MANY, in, 2, whole, 1, NULL));
    assert_ok(sugar_forward_f32(a, MANY, in, 2, split, -2, &options));
    for (size_t i = 0; i < MANY; i++)
        if (!(whole[i] == split[2 * (MANY - 1 - i)]))
            fail_msg("element %zu: %a on two threads, %a on one", i, (double)split[2 * (MANY - 1 - i)],
                     (double)whole[i]);
    sugar_context_destroy(context);
    sugar_activation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_and_spec), cmocka_unit_test(numbers), cmocka_unit_test(allowed),
        cmocka_unit_test(is_copied),      cmocka_unit_test(specs),   cmocka_unit_test(ranges),
        cmocka_unit_test(plain),          cmocka_unit_test(saved),   cmocka_unit_test(refused_options),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
