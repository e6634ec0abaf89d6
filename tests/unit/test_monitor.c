/* Monitors: their counts, over all kinds of views, compared with a count in a simple loop; the same bits at every
 * level and for any number of threads. */
#include "monitors.h"

#include <math.h>

enum { DIMENSIONS = 4, MOST_UNITS = 4096 };

typedef struct tally {
    int64_t samples, active, not_finite;
    double sum, sum_of_squares;
} tally;

typedef struct count_of_all {
    tally unit[MOST_UNITS];
    int64_t bin[SUGAR_MONITOR_BINS];
} count_of_all;

static void count_element(count_of_all *c, int64_t unit, double value, double threshold)
{
    tally *t = &c->unit[unit];
    t->samples++;
    t->active += value > threshold;
    if (isfinite(value)) {
        t->sum += value;
        t->sum_of_squares += value * value;
    } else {
        t->not_finite++;
    }
    if (!isnan(value))
        c->bin[value < -8 ? 0 : value >= 7 ? SUGAR_MONITOR_BINS - 1 : 1 + (int)floor((value + 8) * 2)]++;
}

/* Element 0 of the view is element `first` of the input. */
static void count_view(count_of_all *c, const view *v, int64_t first, element_type type, int axis, double threshold)
{
    int64_t inner = 1;
    for (int d = axis + 1; d < v->tensor.ndim; d++)
        inner *= v->shape[d];
    for (int64_t i = 0; i < view_count(v); i++) {
        const uint64_t bits = element_load(&input, first + view_offset(v, i), type);
        count_element(c, i / inner % v->shape[axis], element_value(bits, type), threshold);
    }
}

static void assert_counted(const sugar_monitor *monitor, const count_of_all *expected, int64_t units)
{
    sugar_monitor_summary summary = {.struct_size = sizeof summary};
    int64_t bins[SUGAR_MONITOR_BINS], samples = 0, active = 0, not_finite = 0, dead = 0;
    for (int64_t i = 0; i < units; i++) {
        sugar_monitor_unit unit = {.struct_size = sizeof unit};
        const tally *t = &expected->unit[i];
        assert_ok(sugar_monitor_get_unit(monitor, i, &unit));
        assert_int_equal(unit.samples, t->samples);
        assert_int_equal(unit.active, t->active);
        assert_int_equal(unit.not_finite, t->not_finite);
        assert_true(unit.sum == t->sum);
        assert_true(unit.sum_of_squares == t->sum_of_squares);
        samples += t->samples;
        active += t->active;
        not_finite += t->not_finite;
        dead += t->samples > 0 && t->active == 0;
    }
    assert_ok(sugar_monitor_get(monitor, &summary));
    assert_int_equal(summary.units, units);
    assert_int_equal(summary.samples, samples);
    assert_int_equal(summary.active, active);
    assert_int_equal(summary.not_finite, not_finite);
    assert_int_equal(summary.dead, dead);
    assert_int_equal(summary.bins, SUGAR_MONITOR_BINS);
    assert_ok(sugar_monitor_get_histogram(monitor, bins, NULL, summary.bins));
    assert_memory_equal(bins, expected->bin, sizeof bins);
}

/* ---- Counting --------------------------------------------------------------------------------- */

static void shuffle(uint64_t *state, int *order, int count)
{
    for (int i = count - 1; i > 0; i--) {
        const int j = (int)random_between(state, 0, i), old = order[i];
        order[i] = order[j];
        order[j] = old;
    }
}

/* A view of random dimension order, over all of `shape`; of an input some strides are negative or 0. Returns the
 * offset of its element 0. */
static int64_t make_view(uint64_t *state, view *v, element_type type, int ndim, const int64_t *shape, bool is_input)
{
    int64_t strides[DIMENSIONS], step = 1, first = 0;
    int order[DIMENSIONS] = {0, 1, 2, 3};
    if (random_between(state, 0, 2) > 0)
        shuffle(state, order, ndim);
    for (int i = ndim - 1; i >= 0; i--) {
        const int d = order[i];
        const int64_t way = is_input ? random_between(state, 0, 5) : 2;
        strides[d] = way == 0 ? 0 : way == 1 ? -step : step;
        first += way == 1 ? step * (shape[d] - 1) : 0;
        step *= shape[d];
    }
    view_make(v, NULL, element_formats[type].width, ndim, shape, strides);
    v->tensor.dtype = element_formats[type].dtype;
    return first;
}

static void point(view *v, elements *memory, int64_t first, element_type type)
{
    v->tensor.data = (unsigned char *)memory + (size_t)first * element_formats[type].width;
}

/* Small extents, and sometimes one that is longer than any vector or tile row. */
static int random_shape(uint64_t *state, int64_t *shape)
{
    const int ndim = (int)random_between(state, 1, DIMENSIONS);
    int64_t left = ROOM;
    for (int d = 0; d < ndim; d++) {
        const int64_t most = random_between(state, 0, 3) == 0 ? 3000 : 12;
        shape[d] = random_between(state, 1, most < left ? most : left);
        left /= shape[d];
    }
    return ndim;
}

static void check_view(uint64_t *state, const sugar_activation *a, element_type type)
{
    static count_of_all expected;
    int64_t shape[DIMENSIONS];
    const int ndim = random_shape(state, shape), axis = (int)random_between(state, 0, ndim - 1);
    const double threshold = (double)random_between(state, -2, 2) / 8;
    const bool in_place = random_between(state, 0, 3) == 0;
    view x, y;
    const int64_t first = make_view(state, &x, type, ndim, shape, !in_place);
    make_view(state, &y, type, ndim, shape, false);
    fill_input(state, type, random_between(state, 0, 2) == 0);
    memset(&expected, 0, sizeof expected);
    count_view(&expected, &x, first, type, axis, threshold);
    point(&x, &input, first, type);
    point(&y, &plain, 0, type);
    assert_ok(sugar_forward(a, &x.tensor, &y.tensor, NULL));
    sugar_monitor *fused = make_monitor(shape[axis], ndim - 1 - axis, threshold);
    sugar_monitor *alone = make_monitor(shape[axis], ndim - 1 - axis, threshold);
    const sugar_call_options options = {.struct_size = sizeof options, .monitor = fused};
    assert_ok(sugar_monitor_observe(alone, &x.tensor, NULL));
    point(&y, &output, 0, type);
    assert_ok(sugar_forward(a, &x.tensor, in_place ? &x.tensor : &y.tensor, &options));
    assert_counted(fused, &expected, shape[axis]);
    assert_counted(alone, &expected, shape[axis]);
    for (int64_t i = 0; i < view_count(&y); i++)
        assert_true(element_same(element_load(in_place ? &input : &output, view_offset(in_place ? &x : &y, i), type),
                                 element_load(&plain, view_offset(&y, i), type), type));
    sugar_monitor_destroy(fused);
    sugar_monitor_destroy(alone);
}

static void counts_of_any_view(void **unused)
{
    (void)unused;
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    uint64_t state = 1;
    for (int level = 0; level < count; level++) {
        sugar_activation *a = must_create("relu", levels[level]);
        for (int type = 0; type < ELEMENT_TYPES; type++)
            for (int round = 0; round < (short_run() ? 5 : 100); round++)
                check_view(&state, a, (element_type)type);
        sugar_activation_destroy(a);
    }
}

/* A histogram from 2 to 32, in which each of its bins gets one of the numbers 1.5, 2.5, ...: no bin is that of 0. */
static void histogram_beyond_zero(void **unused)
{
    (void)unused;
    const sugar_monitor_options options = {.struct_size = sizeof options, .minimum = 2, .maximum = 32};
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    for (int i = 0; i < count * ELEMENT_TYPES; i++) {
        const element_type type = (element_type)(i % ELEMENT_TYPES);
        sugar_activation *a = must_create("relu", levels[i / ELEMENT_TYPES]);
        sugar_monitor *monitor;
        assert_ok(sugar_monitor_create(&monitor, SUGAR_MONITOR_BINS, &options));
        for (int64_t k = 0; k < SUGAR_MONITOR_BINS; k++)
            element_store(&input, k, type, element_of(1.5 + (double)k, type));
        const sugar_call_options call = {.struct_size = sizeof call, .monitor = monitor};
        assert_ok(flat_forward(a, type, SUGAR_MONITOR_BINS, &input, 1, &output, 1, &call));
        int64_t bins[SUGAR_MONITOR_BINS];
        assert_ok(sugar_monitor_get_histogram(monitor, bins, NULL, SUGAR_MONITOR_BINS));
        for (int k = 0; k < SUGAR_MONITOR_BINS; k++)
            assert_int_equal(bins[k], 1);
        sugar_monitor_destroy(monitor);
        sugar_activation_destroy(a);
    }
}

static void flat_calls_count(void **unused)
{
    (void)unused;
    static count_of_all expected;
    uint64_t state = 2;
    sugar_activation *a = must_create("gelu", NULL);
    enum { N = 1000 };
    fill_input(&state, ELEMENT_F32, false);
    sugar_monitor *monitor = make_monitor(N, 0, 0);
    const sugar_call_options options = {.struct_size = sizeof options, .monitor = monitor};
    for (int64_t i = 0; i < N; i++)
        count_element(&expected, i, (double)input.f32[2 * (N - 1 - i)], 0);
    assert_ok(sugar_forward_f32(a, N, input.f32, -2, output.f32, 1, &options));
    assert_counted(monitor, &expected, N);
    assert_ok(sugar_forward_f32(a, N, input.f32, -2, plain.f32, 1, NULL));
    assert_memory_equal(output.f32, plain.f32, N * sizeof(float));
    sugar_monitor_destroy(monitor);
    sugar_activation_destroy(a);
}

static void nothing_to_count(void **unused)
{
    (void)unused;
    sugar_activation *a = must_create("relu", NULL);
    sugar_monitor *monitor = make_monitor(3, 0, 0);
    const sugar_call_options options = {.struct_size = sizeof options, .monitor = monitor};
    const saved before = save_monitor(monitor);
    static const int64_t shape[] = {0, 3};
    view x;
    view_make(&x, NULL, 4, 2, shape, NULL);
    assert_ok(sugar_forward(a, &x.tensor, &x.tensor, &options));
    assert_ok(sugar_monitor_observe(monitor, &x.tensor, NULL));
    assert_holds(monitor, &before);
    free(before.bytes);
    sugar_monitor_destroy(monitor);
    sugar_activation_destroy(a);
}

/* A sample whose square overflows f64 counts as finite; the sum of squares becomes infinite. */
static void large_numbers(void **unused)
{
    (void)unused;
    static const int64_t shape[] = {40};
    double x[40];
    for (int i = 0; i < 40; i++)
        x[i] = i % 2 ? 1e200 : -1e200;
    view v;
    view_make(&v, x, 8, 1, shape, NULL);
    sugar_monitor *monitor = make_monitor(40, 0, 0), *one = make_monitor(1, 0, 0);
    sugar_monitor_unit unit = {.struct_size = sizeof unit};
    assert_ok(sugar_monitor_observe(monitor, &v.tensor, NULL));
    assert_ok(sugar_monitor_get_unit(monitor, 3, &unit));
    assert_true(unit.sum == 1e200 && isinf(unit.sum_of_squares) && unit.not_finite == 0 && unit.active == 1);
    static const int64_t column[] = {40, 1};
    view_make(&v, x, 8, 2, column, NULL);
    assert_ok(sugar_monitor_observe(one, &v.tensor, NULL));
    assert_ok(sugar_monitor_get_unit(one, 0, &unit));
    assert_true(unit.sum == 0 && isinf(unit.sum_of_squares) && unit.not_finite == 0 && unit.active == 20);
    sugar_monitor_destroy(monitor);
    sugar_monitor_destroy(one);
}

/* ---- The same bits ---------------------------------------------------------------------------- */

/* A caller's pool that takes its tasks from the last to the first. */
static void run_backwards(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    *(int64_t *)payload += count;
    for (int64_t i = count - 1; i >= 0; i--)
        task(work, i);
}

enum { LARGE = 700 * 1024 };
static float large[LARGE], result[LARGE];

static void observe_with(sugar_monitor *monitor, const sugar_activation *a, const view *x, const view *y,
                         const sugar_context *context)
{
    const sugar_call_options options = {.struct_size = sizeof options, .context = context, .monitor = monitor};
    assert_ok(sugar_monitor_reset(monitor));
    assert_ok(sugar_forward(a, &x->tensor, &y->tensor, &options));
}

static void same_bits_with_threads_and_levels(void **unused)
{
    (void)unused;
    static const int64_t shapes[][3] = {
        {LARGE, 1, 1},  {LARGE / 3, 3, 1}, {4, 100, 1792}, {1000, 128, 5}, {1000, 129, 5}, {1000, 700, 1},
        {300, 2048, 1}, {230, 3000, 1},    {1, 3000, 230}, {17, 37, 1111}, {50000, 13, 1},
    };
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    const int64_t most = 1 << 23;
    int64_t shares = 0;
    uint64_t state = 3;
    for (int i = 0; i < LARGE; i++)
        large[i] = (float)(random_between(&state, -most, most) + random_between(&state, -most, most)) * 0x1p-21f;
    for (size_t s = 0; s < COUNT(shapes); s++) {
        view x, y;
        view_make(&x, large, 4, 3, shapes[s], NULL);
        view_make(&y, result, 4, 3, shapes[s], NULL);
        sugar_monitor *first = make_monitor(shapes[s][1], 1, 0), *other = make_monitor(shapes[s][1], 1, 0);
        for (int level = 0; level < count; level++) {
            sugar_activation *a = must_create("relu", levels[level]);
            for (int threads = 1; threads <= 5; threads++) {
                sugar_context *context = NULL;
                const sugar_context_options options = {
                    .struct_size = sizeof options,
                    .threads = threads < 5 ? threads : 7,
                    .parallel_for = threads < 5 ? NULL : run_backwards,
                    .payload = &shares,
                };
                assert_ok(sugar_context_create(&context, &options));
                observe_with(level == 0 && threads == 1 ? first : other, a, &x, &y, context);
                if (level > 0 || threads > 1)
                    assert_same_monitors(other, first);
                sugar_context_destroy(context);
            }
            sugar_activation_destroy(a);
        }
        sugar_monitor_destroy(first);
        sugar_monitor_destroy(other);
    }
    assert_true(shares > (int64_t)COUNT(shapes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_any_view), cmocka_unit_test(histogram_beyond_zero),
        cmocka_unit_test(flat_calls_count),   cmocka_unit_test(nothing_to_count),
        cmocka_unit_test(large_numbers),      cmocka_unit_test(same_bits_with_threads_and_levels),
    };
    return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
