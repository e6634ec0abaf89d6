/* Monitors: what they answer, and what they refuse. */
#include "monitors.h"

#include <math.h>

/* ---- Answers ---------------------------------------------------------------------------------- */

/* Unit i of 100 is active in the first i of 100 samples. */
static sugar_monitor *make_staircase(void)
{
    static const int64_t shape[] = {100, 100};
    static float x[100][100];
    for (int i = 0; i < 100; i++)
        for (int unit = 0; unit < 100; unit++)
            x[i][unit] = i < unit ? 1 : -3;
    view v;
    view_make(&v, x, 4, 2, shape, NULL);
    sugar_monitor *monitor = make_monitor(100, 0, 0);
    assert_ok(sugar_monitor_observe(monitor, &v.tensor, NULL));
    return monitor;
}

static void finds_dead_units(void **unused)
{
    (void)unused;
    sugar_monitor *monitor = make_staircase(), *empty = make_monitor(100, 0, 0);
    for (int percent = 0; percent <= 100; percent++) {
        int64_t found[100], count = -1;
        assert_ok(sugar_monitor_find_dead(monitor, percent / 100.0, found, 100, &count));
        assert_int_equal(count, percent < 100 ? percent + 1 : 100);
        for (int i = 0; i < count; i++)
            assert_int_equal(found[i], i);
    }
    int64_t found[3] = {-1, -1, -1}, count = -1;
    assert_ok(sugar_monitor_find_dead(monitor, 0.5, found, 2, &count));
    assert_int_equal(count, 51);
    assert_true(found[0] == 0 && found[1] == 1 && found[2] == -1);
    assert_ok(sugar_monitor_find_dead(monitor, 0, NULL, 0, &count));
    assert_int_equal(count, 1);
    assert_ok(sugar_monitor_find_dead(empty, 1, NULL, 0, &count));
    assert_int_equal(count, 0);
    assert_fails(sugar_monitor_find_dead(NULL, 0, found, 3, &count), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    assert_fails(sugar_monitor_find_dead(monitor, -0.25, found, 3, &count), SUGAR_ERROR_ARGUMENT,
                 "rate: -0.25, expected 0 to 1");
    assert_fails(sugar_monitor_find_dead(monitor, 1.5, found, 3, &count), SUGAR_ERROR_ARGUMENT, "rate: 1.5");
    assert_fails(sugar_monitor_find_dead(monitor, (double)NAN, found, 3, &count), SUGAR_ERROR_ARGUMENT, "rate: NaN");
    assert_fails(sugar_monitor_find_dead(monitor, 0, found, -1, &count), SUGAR_ERROR_ARGUMENT,
                 "capacity: -1, expected 0");
    assert_fails(sugar_monitor_find_dead(monitor, 0, NULL, 1, &count), SUGAR_ERROR_ARGUMENT,
                 "indices: NULL with a capacity of 1");
    assert_fails(sugar_monitor_find_dead(monitor, 0, found, 3, NULL), SUGAR_ERROR_ARGUMENT, "count: NULL");
    assert_true(found[0] == 0 && found[1] == 1 && found[2] == -1 && count == 0);
    sugar_monitor_destroy(monitor);
    sugar_monitor_destroy(empty);
}

static void assert_near(double found, double expected)
{
    assert_true(fabs(found - expected) <= 1e-14 * fabs(expected));
}

static void summaries(void **unused)
{
    (void)unused;
    sugar_monitor *monitor = make_staircase(), *empty = make_monitor(2, 0, 0);
    sugar_monitor_summary s = {.struct_size = sizeof s};
    sugar_monitor_unit unit = {.struct_size = sizeof unit};
    assert_ok(sugar_monitor_get(monitor, &s));
    assert_true(s.units == 100 && s.samples == 10000 && s.active == 4950 && s.not_finite == 0 && s.dead == 1);
    assert_near(s.sparsity, 0.505);
    assert_near(s.mean, (4950 - 3 * 5050) / 1e4);
    assert_near(s.deviation, sqrt((4950 + 9 * 5050) / 1e4 - s.mean * s.mean));
    assert_ok(sugar_monitor_get_unit(monitor, 25, &unit));
    assert_true(unit.samples == 100 && unit.active == 25 && unit.sum == 25 - 3 * 75);
    assert_true(unit.sum_of_squares == 25 + 9 * 75);
    assert_near(unit.mean, -2);
    assert_near(unit.deviation, sqrt(3));
    assert_ok(sugar_monitor_get_unit(monitor, 0, &unit));
    assert_true(unit.deviation == 0);
    assert_ok(sugar_monitor_get(empty, &s));
    assert_true(s.units == 2 && s.samples == 0 && s.dead == 0 && isnan(s.sparsity) && isnan(s.mean)
                && isnan(s.deviation));
    assert_fails(sugar_monitor_get(NULL, &s), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    assert_fails(sugar_monitor_get(monitor, NULL), SUGAR_ERROR_ARGUMENT, "summary: NULL");
    assert_fails(sugar_monitor_get_unit(NULL, 0, &unit), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    assert_fails(sugar_monitor_get_unit(monitor, 0, NULL), SUGAR_ERROR_ARGUMENT, "unit: NULL");
    assert_fails(sugar_monitor_get_unit(monitor, -1, &unit), SUGAR_ERROR_ARGUMENT, "index: -1, expected 0");
    assert_fails(sugar_monitor_get_unit(monitor, 100, &unit), SUGAR_ERROR_ARGUMENT,
                 "index: 100, expected 0 or more and less than 100");
    assert_fails(sugar_monitor_reset(NULL), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    sugar_monitor_destroy(monitor);
    sugar_monitor_destroy(empty);
}

/* An older struct gets the members that it has; a newer one gets zeros in the members that this library does not
 * know. */
static void struct_sizes(void **unused)
{
    (void)unused;
    sugar_monitor *monitor = make_staircase();
    struct {
        sugar_monitor_unit known;
        size_t newer;
    } unit;
    memset(&unit, 0xff, sizeof unit);
    unit.known.struct_size = offsetof(sugar_monitor_unit, not_finite);
    assert_ok(sugar_monitor_get_unit(monitor, 3, &unit.known));
    assert_true(unit.known.active == 3 && unit.known.not_finite == -1 && unit.newer == SIZE_MAX);
    unit.known.struct_size = sizeof unit;
    assert_ok(sugar_monitor_get_unit(monitor, 3, &unit.known));
    assert_true(unit.known.sum == 3 - 3 * 97 && unit.newer == 0);
    sugar_monitor_summary summary = {.struct_size = 0, .dead = 77};
    assert_fails(sugar_monitor_get(monitor, &summary), SUGAR_ERROR_ARGUMENT, "summary: struct_size 0");
    assert_int_equal(summary.dead, 77);
    sugar_monitor_destroy(monitor);
}

/* Elements of an array, from first to before end, of 8 bytes each, are still 0x55 in every byte. */
static void assert_untouched(const void *array, size_t first, size_t end)
{
    for (size_t i = 8 * first; i < 8 * end; i++)
        assert_int_equal(((const unsigned char *)array)[i], 0x55);
}

/* With the default range, from -8 to 8, samples in the middle of each bin. */
static void histograms(void **unused)
{
    (void)unused;
    enum { BINS = SUGAR_MONITOR_BINS, MORE = BINS + 5 };
    static float x[BINS * (BINS + 1) / 2];
    int64_t n = 0, counts[MORE];
    double edges[MORE - 1];
    memset(counts, 0x55, sizeof counts);
    memset(edges, 0x55, sizeof edges);
    for (int bin = 0; bin < BINS; bin++)
        for (int i = 0; i <= bin; i++)
            x[n++] = -8 + ((float)bin - 0.5f) * 16 / 30;
    sugar_monitor *monitor = NULL;
    assert_ok(sugar_monitor_create(&monitor, 1, NULL));
    view v;
    view_make(&v, x, 4, 2, (int64_t[]){n, 1}, NULL);
    assert_ok(sugar_monitor_observe(monitor, &v.tensor, NULL));
    assert_fails(sugar_monitor_get_histogram(NULL, counts, edges, MORE), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    assert_fails(sugar_monitor_get_histogram(monitor, NULL, edges, MORE), SUGAR_ERROR_ARGUMENT, "counts: NULL");
    assert_fails(sugar_monitor_get_histogram(monitor, counts, edges, BINS - 1), SUGAR_ERROR_ARGUMENT,
                 "capacity: 31, expected 32 or more, the monitor's bins");
    assert_fails(sugar_monitor_get_histogram(monitor, counts, edges, INT32_MIN), SUGAR_ERROR_ARGUMENT,
                 "capacity: -2147483648, expected 32");
    assert_untouched(counts, 0, MORE);
    assert_untouched(edges, 0, MORE - 1);
    assert_ok(sugar_monitor_get_histogram(monitor, counts, edges, MORE));
    assert_untouched(counts, BINS, MORE);
    assert_untouched(edges, BINS - 1, MORE - 1);
    for (int bin = 0; bin < BINS; bin++)
        assert_int_equal(counts[bin], bin + 1);
    for (int i = 0; i < BINS - 1; i++)
        assert_true(fabs(edges[i] - (-8 + i * 16.0 / 30)) < 1e-14);
    assert_true(edges[0] == -8 && edges[BINS - 2] == 8);
    sugar_monitor_destroy(monitor);
}

/* ---- Bad input -------------------------------------------------------------------------------- */

static void assert_not_made(int64_t units, sugar_monitor_options options, sugar_status expected, const char *part)
{
    sugar_monitor *made = NULL;
    assert_fails(sugar_monitor_create(&made, units, &options), expected, part);
    assert_null(made);
}

static sugar_monitor_options with_range(double minimum, double maximum)
{
    sugar_monitor_options options = halves;
    options.minimum = minimum;
    options.maximum = maximum;
    return options;
}

static void create_refuses(void **unused)
{
    (void)unused;
    sugar_monitor_options options = halves;
    assert_fails(sugar_monitor_create(NULL, 1, NULL), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    assert_not_made(0, options, SUGAR_ERROR_ARGUMENT, "units: 0, expected 1 to 2147483647");
    assert_not_made(-5, options, SUGAR_ERROR_ARGUMENT, "units: -5");
    assert_not_made(INT64_C(1) << 31, options, SUGAR_ERROR_ARGUMENT, "units: 2147483648");
    options.struct_size = 0;
    assert_not_made(1, options, SUGAR_ERROR_ARGUMENT, "options: struct_size 0");
    options = halves;
    options.axis_from_end = -1;
    assert_not_made(1, options, SUGAR_ERROR_ARGUMENT, "options: axis_from_end -1, expected 0, the last one, to 63");
    options.axis_from_end = SUGAR_MAX_DIMENSIONS;
    assert_not_made(1, options, SUGAR_ERROR_ARGUMENT, "options: axis_from_end 64, expected 0");
    options = halves;
    options.bins = SUGAR_MONITOR_BINS + 1;
    assert_not_made(1, options, SUGAR_ERROR_UNSUPPORTED, "options: bins 33, expected 0 or 32");
    options.bins = -1;
    assert_not_made(1, options, SUGAR_ERROR_UNSUPPORTED, "options: bins -1, expected 0 or 32");
    options = halves;
    options.threshold = (double)NAN;
    assert_not_made(1, options, SUGAR_ERROR_ARGUMENT, "options: threshold NaN, expected a finite number");
    options = halves;
    options.every = -1;
    assert_not_made(1, options, SUGAR_ERROR_ARGUMENT, "options: every -1, expected 0 or more");
    assert_not_made(1, with_range(-(double)INFINITY, 0), SUGAR_ERROR_ARGUMENT, "options: minimum -infinity");
    assert_not_made(1, with_range(0, (double)INFINITY), SUGAR_ERROR_ARGUMENT, "options: maximum infinity");
    assert_not_made(1, with_range(2.5, 1.5), SUGAR_ERROR_ARGUMENT,
                    "options: minimum 2.5 and maximum 1.5, expected a maximum");
    assert_not_made(1, with_range(1, 1), SUGAR_ERROR_ARGUMENT, "expected a maximum 1e-30 to 1e30 above");
    assert_not_made(1, with_range(0, 1e31), SUGAR_ERROR_ARGUMENT, "maximum 1e+31");
    assert_not_made(1, with_range(-1e308, 1e308), SUGAR_ERROR_ARGUMENT, "expected a maximum");
    struct {
        sugar_monitor_options known;
        size_t newer;
    } later = {.known = halves, .newer = 1};
    later.known.struct_size = sizeof later;
    sugar_monitor *made = NULL;
    assert_fails(sugar_monitor_create(&made, 1, &later.known), SUGAR_ERROR_UNSUPPORTED, "newer than this library");
    assert_null(made);
    sugar_monitor_destroy(NULL);
}

static void calls_refuse(void **unused)
{
    (void)unused;
    static const int64_t shape[] = {4, 3}, vector[] = {3};
    float memory[12] = {0}, y[12];
    view x, flat, out;
    view_make(&x, memory, 4, 2, shape, NULL);
    view_make(&flat, memory, 4, 1, vector, NULL);
    view_make(&out, y, 4, 2, shape, NULL);
    memset(y, 0x55, sizeof y);
    sugar_activation *a = must_create("relu", NULL);
    sugar_monitor *rows = make_monitor(4, 1, 0), *four = make_monitor(4, 0, 0), *deep = make_monitor(3, 2, 0);
    sugar_call_options options = {.struct_size = sizeof options, .monitor = four};
    const saved before = save_monitor(four);
    assert_fails(sugar_forward(a, &x.tensor, &out.tensor, &options), SUGAR_ERROR_ARGUMENT,
                 "x: extent 3 in dimension 1, expected 4, the monitor's units");
    assert_fails(sugar_forward(a, &x.tensor, NULL, &options), SUGAR_ERROR_ARGUMENT, "x: extent 3");
    assert_fails(sugar_monitor_observe(deep, &x.tensor, NULL), SUGAR_ERROR_ARGUMENT,
                 "x: ndim 2, expected 3 or more for the monitor's axis_from_end 2");
    assert_fails(sugar_monitor_observe(rows, &flat.tensor, NULL), SUGAR_ERROR_ARGUMENT,
                 "x: ndim 1, expected 2 or more for the monitor's axis_from_end 1");
    assert_fails(sugar_monitor_observe(NULL, &x.tensor, NULL), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    assert_fails(sugar_monitor_observe(rows, NULL, NULL), SUGAR_ERROR_ARGUMENT, "x: NULL");
    assert_fails(sugar_monitor_observe(rows, &x.tensor, &options), SUGAR_ERROR_UNSUPPORTED, "options: ");
    options.monitor = rows;
    assert_fails(sugar_forward(a, &x.tensor, NULL, &options), SUGAR_ERROR_ARGUMENT, "y: NULL");
    assert_fails(sugar_backward(a, &x.tensor, &x.tensor, &out.tensor, &options), SUGAR_ERROR_UNSUPPORTED,
                 "options: monitor in backward");
    options = (sugar_call_options){.struct_size = sizeof options, .flags = SUGAR_CALL_NONTEMPORAL};
    assert_fails(sugar_monitor_observe(rows, &x.tensor, &options), SUGAR_ERROR_UNSUPPORTED, "options: ");
    for (size_t i = 0; i < COUNT(y); i++)
        assert_memory_equal(&y[i], "UUUU", 4);
    assert_holds(four, &before);
    free(before.bytes);
    sugar_monitor_destroy(rows);
    sugar_monitor_destroy(four);
    sugar_monitor_destroy(deep);
    sugar_activation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_dead_units), cmocka_unit_test(summaries),      cmocka_unit_test(struct_sizes),
        cmocka_unit_test(histograms),       cmocka_unit_test(create_refuses), cmocka_unit_test(calls_refuse),
    };
    return cmocka_run_group_tests_name("monitor answers", tests, NULL, NULL);
}
