/* Monitors: their counts, over all kinds of views, compared with a count in a simple loop; what they return; merging;
 * the saved form, whole and damaged; bad input. */
#include "unit.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

enum { DIMENSIONS = 4, ROOM = 1 << 15, MOST_UNITS = 4096 };

/* Bins of width 1/2, and elements that are multiples of 1/16: bins and sums are exact. */
static const sugar_monitor_options halves = {.struct_size = sizeof halves, .minimum = -8, .maximum = 7};

static sugar_monitor *make(int64_t units, int32_t axis_from_end, double threshold)
{
    sugar_monitor *monitor = NULL;
    sugar_monitor_options options = halves;
    options.axis_from_end = axis_from_end;
    options.threshold = threshold;
    assert_ok(sugar_monitor_create(&monitor, units, &options));
    return monitor;
}

/* All that a monitor holds, to be compared. */
typedef struct saved {
    size_t size;
    unsigned char *bytes;
} saved;

static saved save(const sugar_monitor *monitor)
{
    saved s = {.size = sugar_monitor_save_size(monitor)};
    s.bytes = malloc(s.size);
    assert_non_null(s.bytes);
    assert_ok(sugar_monitor_save(monitor, s.bytes, s.size));
    return s;
}

static void assert_holds(const sugar_monitor *monitor, const saved *expected)
{
    const saved s = save(monitor);
    assert_int_equal(s.size, expected->size);
    assert_memory_equal(s.bytes, expected->bytes, s.size);
    free(s.bytes);
}

static void assert_equal(const sugar_monitor *a, const sugar_monitor *b)
{
    const saved s = save(b);
    assert_holds(a, &s);
    free(s.bytes);
}

/* ---- Elements, and the count that they are compared with -------------------------------------- */

typedef union elements {
    uint64_t bits[ROOM];
    float f32[2 * ROOM];
} elements;
static elements input, output, plain;

/* Multiples of 1/16 in [-16, 16]; strange: some are infinite or NaN. */
static void fill(uint64_t *state, element_type type, bool strange)
{
    for (int64_t i = 0; i < ROOM; i++) {
        const int64_t chance = strange ? random_between(state, 0, 99) : 99;
        const double value = chance == 0   ? (double)NAN
                             : chance == 1 ? (double)INFINITY
                             : chance == 2 ? -(double)INFINITY
                                           : (double)random_between(state, -256, 256) / 16;
        element_store(&input, i, type, element_of(value, type));
    }
}

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
    fill(state, type, random_between(state, 0, 2) == 0);
    memset(&expected, 0, sizeof expected);
    count_view(&expected, &x, first, type, axis, threshold);
    point(&x, &input, first, type);
    point(&y, &plain, 0, type);
    assert_ok(sugar_forward(a, &x.tensor, &y.tensor, NULL));
    sugar_monitor *fused = make(shape[axis], ndim - 1 - axis, threshold);
    sugar_monitor *alone = make(shape[axis], ndim - 1 - axis, threshold);
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
    fill(&state, ELEMENT_F32, false);
    sugar_monitor *monitor = make(N, 0, 0);
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
    sugar_monitor *monitor = make(3, 0, 0);
    const sugar_call_options options = {.struct_size = sizeof options, .monitor = monitor};
    const saved before = save(monitor);
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
    sugar_monitor *monitor = make(40, 0, 0), *one = make(1, 0, 0);
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
        sugar_monitor *first = make(shapes[s][1], 1, 0), *other = make(shapes[s][1], 1, 0);
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
                    assert_equal(other, first);
                sugar_context_destroy(context);
            }
            sugar_activation_destroy(a);
        }
        sugar_monitor_destroy(first);
        sugar_monitor_destroy(other);
    }
    assert_true(shares > (int64_t)COUNT(shapes));
}

/* ---- Merging and resetting -------------------------------------------------------------------- */

static void merge_is_like_feeding_both(void **unused)
{
    (void)unused;
    uint64_t state = 4;
    static const int64_t shape[] = {40, 50};
    view x[2];
    sugar_monitor *both = make(50, 0, 0), *part[2];
    fill(&state, ELEMENT_F32, true);
    for (int i = 0; i < 2; i++) {
        view_make(&x[i], input.f32 + 2000 * i, 4, 2, shape, NULL);
        part[i] = make(50, 0, 0);
        assert_ok(sugar_monitor_observe(part[i], &x[i].tensor, NULL));
        assert_ok(sugar_monitor_observe(both, &x[i].tensor, NULL));
    }
    const saved from = save(part[1]);
    assert_ok(sugar_monitor_merge(part[0], part[1]));
    assert_equal(part[0], both);
    assert_holds(part[1], &from);
    free(from.bytes);
    sugar_monitor *empty = make(50, 0, 0);
    assert_ok(sugar_monitor_reset(both));
    assert_equal(both, empty);
    for (int i = 0; i < 2; i++)
        sugar_monitor_destroy(part[i]);
    sugar_monitor_destroy(both);
    sugar_monitor_destroy(empty);
}

static void merge_refuses(void **unused)
{
    (void)unused;
    sugar_monitor *into = make(3, 0, 0), *units = make(4, 0, 0), *threshold = make(3, 0, 0.5), *range[2];
    const sugar_monitor_options other[2] = {
        {.struct_size = sizeof other[0], .minimum = -9, .maximum = 7},
        {.struct_size = sizeof other[0], .minimum = -8, .maximum = 7.5},
    };
    for (int i = 0; i < 2; i++)
        assert_ok(sugar_monitor_create(&range[i], 3, &other[i]));
    const saved before = save(into);
    assert_fails(sugar_monitor_merge(NULL, into), SUGAR_ERROR_ARGUMENT, "into: NULL");
    assert_fails(sugar_monitor_merge(into, NULL), SUGAR_ERROR_ARGUMENT, "from: NULL");
    assert_fails(sugar_monitor_merge(into, into), SUGAR_ERROR_ARGUMENT, "from: the same monitor as into");
    assert_fails(sugar_monitor_merge(into, units), SUGAR_ERROR_ARGUMENT, "from: 4 units, expected 3");
    assert_fails(sugar_monitor_merge(into, threshold), SUGAR_ERROR_ARGUMENT, "from: threshold 0.5, expected 0 ");
    assert_fails(sugar_monitor_merge(into, range[0]), SUGAR_ERROR_ARGUMENT, "from: minimum -9, expected -8");
    assert_fails(sugar_monitor_merge(into, range[1]), SUGAR_ERROR_ARGUMENT, "from: maximum 7.5, expected 7");
    assert_holds(into, &before);
    free(before.bytes);
    sugar_monitor_destroy(into);
    sugar_monitor_destroy(units);
    sugar_monitor_destroy(threshold);
    for (int i = 0; i < 2; i++)
        sugar_monitor_destroy(range[i]);
}

static sugar_monitor *copy(const sugar_monitor *monitor)
{
    const saved s = save(monitor);
    sugar_monitor *made = NULL;
    assert_ok(sugar_monitor_restore(&made, s.bytes, s.size));
    free(s.bytes);
    return made;
}

/* 2^63 - 1 samples, by doubling: 1 + 2 + 4 + ... + 2^62. */
static void counters_do_not_overflow(void **unused)
{
    (void)unused;
    static const int64_t shape[] = {1};
    float one = 1, y = 7;
    view x, out;
    view_make(&x, &one, 4, 1, shape, NULL);
    view_make(&out, &y, 4, 1, shape, NULL);
    sugar_monitor *power = make(1, 0, 0), *all = make(1, 0, 0);
    assert_ok(sugar_monitor_observe(power, &x.tensor, NULL));
    for (int i = 0; i < 63; i++) {
        assert_ok(sugar_monitor_merge(all, power));
        sugar_monitor *same = copy(power);
        if (i < 62)
            assert_ok(sugar_monitor_merge(power, same));
        else
            assert_fails(sugar_monitor_merge(power, same), SUGAR_ERROR_VALUE,
                         "4611686018427387904 more, expected at most 2^63 - 1");
        if (i == 62)
            assert_equal(power, same);
        sugar_monitor_destroy(same);
    }
    sugar_monitor_summary summary = {.struct_size = sizeof summary};
    assert_ok(sugar_monitor_get(all, &summary));
    assert_int_equal(summary.samples, INT64_MAX);
    assert_int_equal(summary.active, INT64_MAX);
    const saved before = save(all);
    sugar_activation *a = must_create("relu", NULL);
    const sugar_call_options options = {.struct_size = sizeof options, .monitor = all};
    assert_fails(sugar_monitor_observe(all, &x.tensor, NULL), SUGAR_ERROR_VALUE, "1 more, expected at most 2^63 - 1");
    assert_fails(sugar_forward(a, &x.tensor, &out.tensor, &options), SUGAR_ERROR_VALUE, "1 more, expected at most");
    assert_true(y == 7);
    assert_holds(all, &before);
    free(before.bytes);
    sugar_activation_destroy(a);
    sugar_monitor_destroy(power);
    sugar_monitor_destroy(all);
}

/* ---- Sampling --------------------------------------------------------------------------------- */

static sugar_monitor *make_sampling(int64_t units, int64_t every)
{
    sugar_monitor *monitor = NULL;
    sugar_monitor_options options = halves;
    options.every = every;
    assert_ok(sugar_monitor_create(&monitor, units, &options));
    return monitor;
}

static void assert_calls(const sugar_monitor *monitor, int64_t every, int64_t calls, int64_t observed)
{
    sugar_monitor_summary s = {.struct_size = sizeof s};
    assert_ok(sugar_monitor_get(monitor, &s));
    assert_int_equal(s.every, every);
    assert_int_equal(s.calls, calls);
    assert_int_equal(s.observed, observed);
}

/* What units and histogram hold, the last bytes of the saved form, is the same. */
static void assert_same_counts(const sugar_monitor *a, const sugar_monitor *b)
{
    enum { COUNTS = 92 };
    const saved of_a = save(a), of_b = save(b);
    assert_int_equal(of_a.size, of_b.size);
    assert_memory_equal(of_a.bytes + COUNTS, of_b.bytes + COUNTS, of_a.size - COUNTS - 4);
    free(of_a.bytes);
    free(of_b.bytes);
}

/* Call i on x: a tensor, a vector, or an observation; with a saved gradient, and into x itself. */
static void call_in_turn(const sugar_activation *a, sugar_monitor *monitor, int i, const view *x)
{
    static uint8_t codes[64];
    sugar_call_options options = {.struct_size = sizeof options, .monitor = monitor};
    view y, saved_gradient;
    view_make(&y, &output, 4, 1, x->tensor.shape, NULL);
    view_make(&saved_gradient, codes, 1, 1, x->tensor.shape, NULL);
    saved_gradient.tensor.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 8, 1};
    if (i % 4 == 0) {
        assert_ok(sugar_monitor_observe(monitor, &x->tensor, NULL));
        return;
    }
    if (i % 4 == 1)
        assert_ok(sugar_forward_f32(a, x->tensor.shape[0], x->tensor.data, 1, output.f32, 1, &options));
    else if (i % 4 == 2)
        assert_ok(sugar_forward(a, &x->tensor, &y.tensor, &options));
    options.saved_gradient = &saved_gradient.tensor;
    if (i % 4 == 3)
        assert_ok(sugar_forward(a, &x->tensor, &y.tensor, &options));
    for (int64_t k = 0; k < x->tensor.shape[0]; k++)
        assert_true(output.f32[k] == fmaxf(((const float *)x->tensor.data)[k], 0));
}

/* Of all calls, of whatever sort, the first is observed and then each k-th: as if a monitor were fed these alone. */
static void one_call_in_so_many(void **unused)
{
    (void)unused;
    enum { N = 50, CALLS = 23 };
    static const int64_t shape[] = {N};
    uint64_t state = 8;
    fill(&state, ELEMENT_F32, false);
    sugar_activation *a = must_create("relu", NULL);
    for (int every = 0; every <= 7; every++) {
        sugar_monitor *sampling = make_sampling(N, every), *all = make(N, 0, 0);
        const int step = every ? every : 1;
        for (int i = 0; i < CALLS; i++) {
            view x;
            view_make(&x, input.f32 + N * i, 4, 1, shape, NULL);
            call_in_turn(a, sampling, i, &x);
            if (i % step == 0)
                assert_ok(sugar_monitor_observe(all, &x.tensor, NULL));
            assert_calls(sampling, step, i + 1, i / step + 1);
            assert_same_counts(sampling, all);
        }
        sugar_monitor_destroy(sampling);
        sugar_monitor_destroy(all);
    }
    sugar_activation_destroy(a);
}

/* Neither a call that fails, observed or not, nor one without elements. */
static void calls_that_do_not_count(void **unused)
{
    (void)unused;
    static const int64_t shape[] = {4, 3}, none[] = {0, 3}, other[] = {4, 2}, vector[] = {3};
    view x, y, empty, wrong, flat;
    view_make(&x, &input, 4, 2, shape, NULL);
    view_make(&y, &output, 4, 2, shape, NULL);
    view_make(&empty, NULL, 4, 2, none, NULL);
    view_make(&wrong, &input, 4, 2, other, NULL);
    view_make(&flat, &input, 4, 1, vector, NULL);
    sugar_activation *a = must_create("relu", NULL);
    sugar_monitor *monitor = make_sampling(3, 2);
    const sugar_call_options options = {.struct_size = sizeof options, .monitor = monitor};
    for (int i = 0; i < 5; i++) {
        const saved before = save(monitor);
        assert_ok(sugar_forward(a, &empty.tensor, &empty.tensor, &options));
        assert_ok(sugar_monitor_observe(monitor, &empty.tensor, NULL));
        assert_fails(sugar_monitor_observe(monitor, NULL, NULL), SUGAR_ERROR_ARGUMENT, "x: NULL");
        assert_fails(sugar_monitor_observe(monitor, &wrong.tensor, NULL), SUGAR_ERROR_ARGUMENT,
                     "x: extent 2 in dimension 1, expected 3, the monitor's units");
        assert_fails(sugar_forward(a, &wrong.tensor, &wrong.tensor, &options), SUGAR_ERROR_ARGUMENT, "x: extent 2");
        assert_fails(sugar_forward(a, &x.tensor, NULL, &options), SUGAR_ERROR_ARGUMENT, "y: NULL");
        assert_fails(sugar_forward(a, NULL, &y.tensor, &options), SUGAR_ERROR_ARGUMENT, "x: NULL");
        assert_holds(monitor, &before);
        free(before.bytes);
        assert_ok(sugar_forward(a, &x.tensor, &y.tensor, &options));
        assert_calls(monitor, 2, i + 1, i / 2 + 1);
    }
    sugar_monitor_destroy(monitor);
    sugar_activation_destroy(a);
}

/* Saving keeps the turn, merging leaves it alone, and resetting begins anew. */
static void whose_turn_it_is(void **unused)
{
    (void)unused;
    static const int64_t shape[] = {3};
    view x;
    view_make(&x, &input, 4, 1, shape, NULL);
    sugar_monitor *monitor = make_sampling(3, 3), *other = make_sampling(3, 5);
    for (int i = 0; i < 4; i++)
        assert_ok(sugar_monitor_observe(other, &x.tensor, NULL));
    for (int i = 0; i < 5; i++)
        assert_ok(sugar_monitor_observe(monitor, &x.tensor, NULL));
    sugar_monitor *restored = copy(monitor);
    assert_ok(sugar_monitor_merge(monitor, other));
    assert_calls(monitor, 3, 5 + 4, 2 + 1);
    assert_ok(sugar_monitor_observe(monitor, &x.tensor, NULL));
    assert_calls(monitor, 3, 6 + 4, 2 + 1);
    assert_ok(sugar_monitor_observe(monitor, &x.tensor, NULL));
    assert_calls(monitor, 3, 7 + 4, 3 + 1);
    for (int i = 5; i < 8; i++) {
        assert_ok(sugar_monitor_observe(restored, &x.tensor, NULL));
        assert_calls(restored, 3, i + 1, i < 6 ? 2 : 3);
    }
    assert_ok(sugar_monitor_reset(restored));
    assert_calls(restored, 3, 0, 0);
    assert_ok(sugar_monitor_observe(restored, &x.tensor, NULL));
    assert_calls(restored, 3, 1, 1);
    sugar_monitor_destroy(monitor);
    sugar_monitor_destroy(other);
    sugar_monitor_destroy(restored);
}

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
    sugar_monitor *monitor = make(100, 0, 0);
    assert_ok(sugar_monitor_observe(monitor, &v.tensor, NULL));
    return monitor;
}

static void finds_dead_units(void **unused)
{
    (void)unused;
    sugar_monitor *monitor = make_staircase(), *empty = make(100, 0, 0);
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
    sugar_monitor *monitor = make_staircase(), *empty = make(2, 0, 0);
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

/* ---- The saved form --------------------------------------------------------------------------- */

/* CRC-32 by its definition, bit by bit. */
static uint32_t crc(const unsigned char *bytes, size_t size)
{
    uint32_t rest = 0xffffffff;
    for (size_t i = 0; i < 8 * size; i++) {
        const uint32_t bit = (rest ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;
        rest = rest >> 1 ^ (bit ? 0xedb88320 : 0);
    }
    return ~rest;
}

static void sign(saved *s)
{
    const uint32_t sum = crc(s->bytes, s->size - 4);
    for (int i = 0; i < 4; i++)
        s->bytes[s->size - 4 + (size_t)i] = (unsigned char)(sum >> 8 * i);
}

static void assert_refused(const void *bytes, size_t size, sugar_status expected, const char *part)
{
    sugar_monitor *made = NULL;
    assert_fails(sugar_monitor_restore(&made, bytes, size), expected, part);
    assert_null(made);
}

static const int64_t fed_shape[] = {60, 5, 1};

static sugar_monitor *make_fed(void)
{
    uint64_t state = 5;
    view x;
    sugar_monitor *monitor = make(5, 1, 0.25);
    fill(&state, ELEMENT_F32, true);
    view_make(&x, &input, 4, 3, fed_shape, NULL);
    assert_ok(sugar_monitor_observe(monitor, &x.tensor, NULL));
    return monitor;
}

static void round_trip(void **unused)
{
    (void)unused;
    static const unsigned char head[] = {'S', 'U', 'G', 'A', 'R', 'm', 'o',  'n',  3, 0, 0,  0, 1, 0, 0,    0,   32, 0,
                                         0,   0,   5,   0,   0,   0,   0,    0,    0, 0, 60, 0, 0, 0, 0,    0,   0,  0,
                                         0,   0,   0,   0,   0,   0,   0xd0, 0x3f, 0, 0, 0,  0, 0, 0, 0x20, 0xc0};
    sugar_monitor *monitor = make_fed(), *restored = copy(monitor);
    assert_int_equal(crc((const unsigned char *)"123456789", 9), 0xcbf43926);   /* the standard's check value */
    const saved s = save(restored);
    sugar_monitor_summary summary = {.struct_size = sizeof summary};
    assert_ok(sugar_monitor_get(restored, &summary));
    assert_true(summary.axis_from_end == 1 && summary.bins == SUGAR_MONITOR_BINS);
    assert_equal(restored, monitor);
    assert_memory_equal(s.bytes, head, sizeof head);
    assert_int_equal(s.size, 348 + 5 * 32 + 4);
    /* The restored monitor goes on counting like the original. */
    view x;
    view_make(&x, &input, 4, 3, fed_shape, NULL);
    assert_ok(sugar_monitor_observe(monitor, &x.tensor, NULL));
    assert_ok(sugar_monitor_observe(restored, &x.tensor, NULL));
    assert_equal(restored, monitor);
    assert_ok(sugar_monitor_merge(monitor, restored));
    /* A buffer at any address. */
    unsigned char *odd = malloc(s.size + 1);
    sugar_monitor *again = NULL;
    memcpy(odd + 1, s.bytes, s.size);
    assert_ok(sugar_monitor_restore(&again, odd + 1, s.size));
    assert_holds(again, &s);
    free(odd);
    free(s.bytes);
    sugar_monitor_destroy(monitor);
    sugar_monitor_destroy(restored);
    sugar_monitor_destroy(again);
}

static void damage_is_refused(void **unused)
{
    (void)unused;
    sugar_monitor *monitor = make_fed(), *made = NULL;
    const saved s = save(monitor);
    unsigned char *longer = calloc(1, s.size + 8);
    for (size_t i = 0; i < s.size; i++)
        for (int bit = 0; bit < 9; bit++) {     /* each bit alone, and all of them */
            const unsigned char flip = (unsigned char)(bit < 8 ? 1 << bit : 0xff);
            s.bytes[i] ^= flip;
            assert_refused(s.bytes, s.size, SUGAR_ERROR_DATA, i < 8 ? "no saved monitor" : "checksum 0x");
            s.bytes[i] ^= flip;
        }
    for (size_t size = 0; size < s.size; size++) {
        unsigned char *cut = malloc(size + (size == 0));      /* no larger, so that sanitizers see reads beyond */
        memcpy(cut, s.bytes, size);
        assert_refused(cut, size, SUGAR_ERROR_DATA, "buffer: ");
        free(cut);
    }
    memcpy(longer, s.bytes, s.size);
    for (size_t more = 1; more <= 8; more++)
        assert_refused(longer, s.size + more, SUGAR_ERROR_DATA, "too long");
    assert_ok(sugar_monitor_restore(&made, s.bytes, s.size));
    assert_fails(sugar_monitor_restore(NULL, s.bytes, s.size), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    assert_refused(NULL, s.size, SUGAR_ERROR_ARGUMENT, "buffer: NULL");
    free(longer);
    free(s.bytes);
    sugar_monitor_destroy(made);
    sugar_monitor_destroy(monitor);
}

/* Bytes with a right checksum that no monitor is saved as. */
static void contradictions_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        size_t at;
        unsigned char bytes[8];
        int count;
        sugar_status status;
        const char *part;
    } wrong[] = {
        {8, {1}, 1, SUGAR_ERROR_UNSUPPORTED, "version 1, expected 3: saved by an older libsugar"},
        {8, {2}, 1, SUGAR_ERROR_UNSUPPORTED, "version 2, expected 3: saved by an older libsugar"},
        {8, {4}, 1, SUGAR_ERROR_UNSUPPORTED, "version 4, expected 3: saved by a newer libsugar"},
        {12, {64}, 1, SUGAR_ERROR_DATA, "axis_from_end 64"},
        {15, {0x80}, 1, SUGAR_ERROR_DATA, "axis_from_end -2147483647"},
        {16, {0}, 1, SUGAR_ERROR_UNSUPPORTED, "buffer: bins 0, expected 32"},
        {16, {33}, 1, SUGAR_ERROR_UNSUPPORTED, "buffer: bins 33, expected 32"},
        {20, {6}, 1, SUGAR_ERROR_DATA, "a size that contradicts the units"},
        {20, {0}, 1, SUGAR_ERROR_DATA, "a size that contradicts the units"},
        {20, {5, 0, 0, 0, 0, 0, 0, 8}, 8, SUGAR_ERROR_DATA, "a size that contradicts the units"},
        {28, {59}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {28, {0, 0, 0, 0, 0, 0, 0, 0x80}, 8, SUGAR_ERROR_DATA, "negative samples"},
        {28, {0, 0, 0, 0, 0, 0, 0, 0x7f}, 8, SUGAR_ERROR_DATA, "expected at most 2^63 - 1"},
        {42, {0xf0, 0x7f}, 2, SUGAR_ERROR_DATA, "threshold infinity"},
        {50, {0xf8, 0x7f}, 2, SUGAR_ERROR_DATA, "minimum NaN"},
        {58, {0x30, 0xc0}, 2, SUGAR_ERROR_DATA, "expected a maximum"},
        {67, {0x80}, 1, SUGAR_ERROR_DATA, "every -9223372036854775807"},
        {68, {1}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {75, {0x80}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {76, {0}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {83, {0x80}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {84, {0}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {84, {2}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {91, {0x80}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {99, {0x80}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {98, {1}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {348, {61}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {355, {0xff}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {356, {61}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {363, {0xff}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
    };
    sugar_monitor *monitor = make_fed();
    for (size_t i = 0; i < COUNT(wrong); i++) {
        saved s = save(monitor);
        memcpy(s.bytes + wrong[i].at, wrong[i].bytes, (size_t)wrong[i].count);
        sign(&s);
        assert_refused(s.bytes, s.size, wrong[i].status, wrong[i].part);
        free(s.bytes);
    }
    sugar_monitor_destroy(monitor);
}

/* No calls after 2^63 - 1, which only a forged buffer can have. */
static void calls_do_not_overflow(void **unused)
{
    (void)unused;
    view x;
    view_make(&x, &input, 4, 3, fed_shape, NULL);
    sugar_monitor *fed = make_fed();
    for (unsigned char every = 1; every <= 2; every++) {
        saved s = save(fed);
        s.bytes[60] = every;
        s.bytes[68] = every - 1;
        memcpy(s.bytes + 76, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
        sign(&s);
        sugar_monitor *full = NULL;
        assert_ok(sugar_monitor_restore(&full, s.bytes, s.size));
        assert_fails(sugar_monitor_observe(full, &x.tensor, NULL), SUGAR_ERROR_VALUE, "calls and 1 more, expected at");
        assert_fails(sugar_monitor_merge(full, fed), SUGAR_ERROR_VALUE, "calls and 1 more, expected at most 2^63 - 1");
        assert_holds(full, &s);
        free(s.bytes);
        sugar_monitor_destroy(full);
    }
    sugar_monitor_destroy(fed);
}

/* The form of version 1, whose axis meant something else: a monitor of one unit is shorter in it than in any form
 * that can be read. */
static void older_form_is_refused(void **unused)
{
    (void)unused;
    unsigned char older[56 + 8 * SUGAR_MONITOR_BINS + 32 + 4] = {'S', 'U', 'G', 'A', 'R', 'm', 'o', 'n', 1};
    older[16] = 1;      /* its units */
    sign(&(saved){.size = sizeof older, .bytes = older});
    assert_refused(older, sizeof older, SUGAR_ERROR_UNSUPPORTED,
                   "buffer: version 1, expected 3: saved by an older libsugar");
}

static void save_refuses(void **unused)
{
    (void)unused;
    sugar_monitor *monitor = make_fed();
    unsigned char buffer[348 + 5 * 32 + 4] = {0}, zeros[sizeof buffer] = {0};
    assert_int_equal(sugar_monitor_save_size(NULL), 0);
    assert_fails(sugar_monitor_save(NULL, buffer, sizeof buffer), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    assert_fails(sugar_monitor_save(monitor, NULL, sizeof buffer), SUGAR_ERROR_ARGUMENT, "buffer: NULL");
    assert_fails(sugar_monitor_save(monitor, buffer, sizeof buffer - 1), SUGAR_ERROR_ARGUMENT,
                 "capacity: 511 bytes, expected 512 or more");
    assert_memory_equal(buffer, zeros, sizeof buffer);
    assert_ok(sugar_monitor_save(monitor, buffer, sizeof buffer));
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
    sugar_monitor *rows = make(4, 1, 0), *four = make(4, 0, 0), *deep = make(3, 2, 0);
    sugar_call_options options = {.struct_size = sizeof options, .monitor = four};
    const saved before = save(four);
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
        cmocka_unit_test(counts_of_any_view),
        cmocka_unit_test(histogram_beyond_zero),
        cmocka_unit_test(flat_calls_count),
        cmocka_unit_test(nothing_to_count),
        cmocka_unit_test(large_numbers),
        cmocka_unit_test(same_bits_with_threads_and_levels),
        cmocka_unit_test(merge_is_like_feeding_both),
        cmocka_unit_test(merge_refuses),
        cmocka_unit_test(counters_do_not_overflow),
        cmocka_unit_test(one_call_in_so_many),
        cmocka_unit_test(calls_that_do_not_count),
        cmocka_unit_test(whose_turn_it_is),
        cmocka_unit_test(finds_dead_units),
        cmocka_unit_test(summaries),
        cmocka_unit_test(struct_sizes),
        cmocka_unit_test(histograms),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(calls_do_not_overflow),
        cmocka_unit_test(older_form_is_refused),
        cmocka_unit_test(save_refuses),
        cmocka_unit_test(create_refuses),
        cmocka_unit_test(calls_refuse),
    };
    return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
