/* Monitors: merging and resetting, and which calls they observe. */
#include "monitors.h"

#include <math.h>

/* ---- Merging and resetting -------------------------------------------------------------------- */

static void merge_is_like_feeding_both(void **unused)
{
    (void)unused;
    uint64_t state = 4;
    static const int64_t shape[] = {40, 50};
    view x[2];
    sugar_monitor *both = make_monitor(50, 0, 0), *part[2];
    fill_input(&state, ELEMENT_F32, true);
    for (int i = 0; i < 2; i++) {
        view_make(&x[i], input.f32 + 2000 * i, 4, 2, shape, NULL);
        part[i] = make_monitor(50, 0, 0);
        assert_ok(sugar_monitor_observe(part[i], &x[i].tensor, NULL));
        assert_ok(sugar_monitor_observe(both, &x[i].tensor, NULL));
    }
    const saved from = save_monitor(part[1]);
    assert_ok(sugar_monitor_merge(part[0], part[1]));
    assert_same_monitors(part[0], both);
    assert_holds(part[1], &from);
    free(from.bytes);
    sugar_monitor *empty = make_monitor(50, 0, 0);
    assert_ok(sugar_monitor_reset(both));
    assert_same_monitors(both, empty);
    for (int i = 0; i < 2; i++)
        sugar_monitor_destroy(part[i]);
    sugar_monitor_destroy(both);
    sugar_monitor_destroy(empty);
}

static void merge_refuses(void **unused)
{
    (void)unused;
    sugar_monitor *into = make_monitor(3, 0, 0), *units = make_monitor(4, 0, 0), *threshold = make_monitor(3, 0, 0.5),
                  *range[2];
    const sugar_monitor_options other[2] = {
        {.struct_size = sizeof other[0], .minimum = -9, .maximum = 7},
        {.struct_size = sizeof other[0], .minimum = -8, .maximum = 7.5},
    };
    for (int i = 0; i < 2; i++)
        assert_ok(sugar_monitor_create(&range[i], 3, &other[i]));
    const saved before = save_monitor(into);
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

/* 2^63 - 1 samples, by doubling: 1 + 2 + 4 + ... + 2^62. */
static void counters_do_not_overflow(void **unused)
{
    (void)unused;
    static const int64_t shape[] = {1};
    float one = 1, y = 7;
    view x, out;
    view_make(&x, &one, 4, 1, shape, NULL);
    view_make(&out, &y, 4, 1, shape, NULL);
    sugar_monitor *power = make_monitor(1, 0, 0), *all = make_monitor(1, 0, 0);
    assert_ok(sugar_monitor_observe(power, &x.tensor, NULL));
    for (int i = 0; i < 63; i++) {
        assert_ok(sugar_monitor_merge(all, power));
        sugar_monitor *same = copy_monitor(power);
        if (i < 62)
            assert_ok(sugar_monitor_merge(power, same));
        else
            assert_fails(sugar_monitor_merge(power, same), SUGAR_ERROR_VALUE,
                         "4611686018427387904 more, expected at most 2^63 - 1");
        if (i == 62)
            assert_same_monitors(power, same);
        sugar_monitor_destroy(same);
    }
    sugar_monitor_summary summary = {.struct_size = sizeof summary};
    assert_ok(sugar_monitor_get(all, &summary));
    assert_int_equal(summary.samples, INT64_MAX);
    assert_int_equal(summary.active, INT64_MAX);
    const saved before = save_monitor(all);
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
    const saved of_a = save_monitor(a), of_b = save_monitor(b);
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
    fill_input(&state, ELEMENT_F32, false);
    sugar_activation *a = must_create("relu", NULL);
    for (int every = 0; every <= 7; every++) {
        sugar_monitor *sampling = make_sampling(N, every), *all = make_monitor(N, 0, 0);
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
        const saved before = save_monitor(monitor);
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
    sugar_monitor *restored = copy_monitor(monitor);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_is_like_feeding_both), cmocka_unit_test(merge_refuses),
        cmocka_unit_test(counters_do_not_overflow),   cmocka_unit_test(one_call_in_so_many),
        cmocka_unit_test(calls_that_do_not_count),    cmocka_unit_test(whose_turn_it_is),
    };
    return cmocka_run_group_tests_name("monitor calls", tests, NULL, NULL);
}
