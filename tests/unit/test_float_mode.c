/* Floating-point modes: whatever the caller's, calls give what they give in the default one, are not ended by an
 * exception, and give the mode back. tests/bits has every kind with every option; here is all else: handles, messages,
 * monitors, threads, and the flags of exceptions. */
#include "unit.h"

#include "../support/float_mode.h"

#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

enum { DEFAULT = -1 };

/* A call in a mode. */
#define IN(mode, call) (enter(mode), leave(mode, call))

static void enter(int mode)
{
    if (mode != DEFAULT)
        float_mode_enter(mode);
}

static sugar_status leave(int mode, sugar_status status)
{
    if (mode != DEFAULT && !float_mode_leave(mode))
        fail_msg("%s: the call has left another mode", float_mode_name(mode));
    return status;
}

/* The next mode that this machine has; the first one after DEFAULT. */
static bool next_mode(int *mode)
{
    for (++*mode; *mode < float_mode_count(); ++*mode)
        if (float_mode_enter(*mode) && float_mode_leave(*mode))
            return true;
    return false;
}

/* A NaN for which even a comparison is an exception. */
static const union {
    uint64_t bits;
    double value;
} signalling_nan = {UINT64_C(0x7ff0000000000001)};

/* ---- Handles ---------------------------------------------------------------------------------- */

/* What tells two activations apart. */
typedef struct features {
    char spec[200];
    double minimum, maximum, y[6], dx[6];
    float y32[6];
} features;

static void find_features(const char *spec, int mode, features *f)
{
    static const double x[] = {-30.1, -1.1, -0.3, 0.1, 0.7, 40.9}, dy[] = {1, 1, 1, 1, 1, 1};
    static const float x32[] = {-30.1f, -1.1f, -0.3f, 0.1f, 0.7f, 40.9f};
    sugar_activation *a = NULL;
    memset(f, 0, sizeof *f);
    assert_ok(IN(mode, create_any(&a, spec, NULL)));
    snprintf(f->spec, sizeof f->spec, "%s", sugar_activation_spec(a));
    sugar_activation_info info = {.struct_size = sizeof info};
    assert_ok(IN(mode, sugar_activation_get_info(a, &info)));
    f->minimum = info.gradient_minimum;
    f->maximum = info.gradient_maximum;
    assert_ok(sugar_forward_f64(a, 6, x, 1, f->y, 1, NULL));
    assert_ok(sugar_backward_f64(a, 6, x, 1, dy, 1, f->dx, 1, NULL));
    assert_ok(sugar_forward_f32(a, 6, x32, 1, f->y32, 1, NULL));
    sugar_activation_destroy(a);
}

static void check_features(const char *spec)
{
    features expected, found;
    find_features(spec, DEFAULT, &expected);
    for (int mode = DEFAULT; next_mode(&mode);) {
        find_features(spec, mode, &found);
        if (memcmp(&found, &expected, sizeof found) != 0)
            fail_msg("%s: %s gives another activation: %s, bounds %a and %a", float_mode_name(mode), spec, found.spec,
                     found.minimum, found.maximum);
    }
}

static void handles_are_the_same(void **unused)
{
    (void)unused;
    static const char *const specs[] = {
        "silu(beta=0.1)",
        "elu(alpha=0.3)",
        "relu~bsilu(alpha=3.3,blend=0.1)",
        "gelu~mish(domain=negative,blend=0.7)",
        "hardtanh(min_val=-0.1,max_val=0.7)",
        "heaviside(threshold=0.7)~multi_gaussian_spike",
        "softplus(beta=1.1e-3)",
        "sign~atan_spike(alpha=3.3,blend=1e-300)",
        "rrelu(lower=0.1,upper=0.3)",
    };
    for (size_t i = 0; i < COUNT(specs); i++)
        check_features(specs[i]);
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        char spec[80];
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        snprintf(spec, sizeof spec, "%s%s", kind.roles & SUGAR_ROLE_FORWARD ? "" : "heaviside~", kind.name);
        check_features(spec);
    }
}

/* ---- Monitors --------------------------------------------------------------------------------- */

enum { UNITS = 5, SAMPLES = 40, SAVED = 1024 };

/* All that a monitor tells. */
typedef struct answers {
    sugar_monitor_summary summary;
    sugar_monitor_unit unit[UNITS];
    int64_t counts[SUGAR_MONITOR_BINS], dead[UNITS], dead_count;
    double edges[SUGAR_MONITOR_BINS - 1];
    unsigned char saved[SAVED];
} answers;

static void ask(sugar_monitor *m, int mode, answers *a)
{
    memset(a, 0, sizeof *a);
    a->summary.struct_size = sizeof a->summary;
    assert_ok(IN(mode, sugar_monitor_get(m, &a->summary)));
    for (int i = 0; i < UNITS; i++) {
        a->unit[i].struct_size = sizeof a->unit[i];
        assert_ok(IN(mode, sugar_monitor_get_unit(m, i, &a->unit[i])));
    }
    assert_ok(IN(mode, sugar_monitor_get_histogram(m, a->counts, a->edges, SUGAR_MONITOR_BINS)));
    assert_ok(IN(mode, sugar_monitor_find_dead(m, 0.475, a->dead, UNITS, &a->dead_count)));
    assert_true(sugar_monitor_save_size(m) <= SAVED);
    assert_ok(IN(mode, sugar_monitor_save(m, a->saved, SAVED)));
}

/* A monitor that was made, fed, merged into another one, saved and restored, in one mode. */
static void observe(int mode, answers *a)
{
    static float x[SAMPLES][UNITS];
    static const int64_t shape[] = {SAMPLES, UNITS};
    const sugar_monitor_options options = {
        .struct_size = sizeof options, .threshold = 0.1, .minimum = -0.7, .maximum = 0.9};
    sugar_monitor *one = NULL, *other = NULL, *restored = NULL;
    uint64_t state = 5;
    view vx;
    for (int i = 0; i < SAMPLES * UNITS; i++)
        x[i / UNITS][i % UNITS] = (float)random_between(&state, -1000, 1000) * 0x1.9p-10f;
    x[1][1] = (float)INFINITY;
    x[2][2] = 1e-44f;
    view_make(&vx, x, 4, 2, shape, NULL);
    assert_ok(IN(mode, sugar_monitor_create(&one, UNITS, &options)));
    assert_ok(IN(mode, sugar_monitor_create(&other, UNITS, &options)));
    assert_ok(IN(mode, sugar_monitor_observe(one, &vx.tensor, NULL)));
    x[0][0] = 0.3f;
    assert_ok(IN(mode, sugar_monitor_observe(other, &vx.tensor, NULL)));
    assert_ok(IN(mode, sugar_monitor_merge(one, other)));
    ask(one, mode, a);
    assert_ok(IN(mode, sugar_monitor_restore(&restored, a->saved, sugar_monitor_save_size(one))));
    ask(restored, mode, a);
    sugar_monitor_destroy(restored);
    sugar_monitor_destroy(other);
    sugar_monitor_destroy(one);
}

static void monitors_answer_the_same(void **unused)
{
    (void)unused;
    answers expected, found;
    observe(DEFAULT, &expected);
    assert_true(expected.dead_count > 0 && expected.dead_count < UNITS);
    for (int mode = DEFAULT; next_mode(&mode);) {
        observe(mode, &found);
        if (memcmp(&found, &expected, sizeof found) != 0)
            fail_msg("%s: a monitor gives other answers", float_mode_name(mode));
    }
}

/* ---- Calls that fail -------------------------------------------------------------------------- */

static const sugar_activation *relu, *prelu;
static sugar_monitor *monitor, *other_monitor;
static float numbers[4] = {0.1f, 0.2f, 0.3f, 0.4f};

static sugar_status create_outside(void)
{
    sugar_activation *a;
    return sugar_activation_create(&a, "silu(beta=1.1e300)");
}

static sugar_status create_unordered(void)
{
    sugar_activation *a;
    return sugar_activation_create(&a, "hardtanh(min_val=0.3,max_val=0.1)");
}

static sugar_status forward_nothing(void) { return sugar_forward(relu, NULL, NULL, NULL); }

static sugar_status backward_nothing(void) { return sugar_backward(relu, NULL, NULL, NULL, NULL); }

static sugar_status forward_overlap(void) { return sugar_forward_f32(relu, 3, numbers, 1, numbers + 1, 1, NULL); }

static sugar_status backward_negative(void)
{
    return sugar_backward_f32(relu, -1, numbers, 1, numbers, 1, numbers, 1, NULL);
}

/* The message has the parameter. */
static sugar_status parameter_outside(void)
{
    static double x[2], y[2], parameter[2] = {0.1, 1.1e7};
    view vx, vy, vp;
    static const int64_t shape[] = {2};
    view_make(&vx, x, 8, 1, shape, NULL);
    view_make(&vy, y, 8, 1, shape, NULL);
    view_make(&vp, parameter, 8, 1, shape, NULL);
    const sugar_call_options options = {.struct_size = sizeof options, .parameter = &vp.tensor};
    return sugar_forward(prelu, &vx.tensor, &vy.tensor, &options);
}

static sugar_status create_monitor(double threshold, double minimum)
{
    sugar_monitor *m;
    const sugar_monitor_options options = {
        .struct_size = sizeof options, .threshold = threshold, .minimum = minimum, .maximum = 0.1};
    return sugar_monitor_create(&m, 3, &options);
}

static sugar_status range_is_empty(void) { return create_monitor(0, 0.3); }

static sugar_status threshold_is_nan(void) { return create_monitor(signalling_nan.value, 0); }

static sugar_status observe_nothing(void) { return sugar_monitor_observe(monitor, NULL, NULL); }

static sugar_status merge_another(void) { return sugar_monitor_merge(monitor, other_monitor); }

static double rate;

static sugar_status find_at_rate(void)
{
    int64_t count;
    return sugar_monitor_find_dead(monitor, rate, NULL, 0, &count);
}

static sugar_status get_nothing(void) { return sugar_monitor_get(NULL, NULL); }

static sugar_status get_no_unit(void)
{
    sugar_monitor_unit unit = {.struct_size = sizeof unit};
    return sugar_monitor_get_unit(monitor, 99, &unit);
}

static sugar_status no_histogram(void) { return sugar_monitor_get_histogram(monitor, NULL, NULL, SUGAR_MONITOR_BINS); }

static sugar_status restore_damaged(void)
{
    static const unsigned char bytes[2000] = "SUGARmon";
    sugar_monitor *m;
    return sugar_monitor_restore(&m, bytes, sizeof bytes);
}

/* The same message in each mode. */
static void check_failure(sugar_status (*call)(void))
{
    char expected[512];
    const sugar_status status = call();
    assert_true(status != SUGAR_OK);
    snprintf(expected, sizeof expected, "%s", sugar_last_error());
    for (int mode = DEFAULT; next_mode(&mode);) {
        sugar_activation *a;
        assert_fails(sugar_activation_create(&a, "no_such"), SUGAR_ERROR_SPEC, "no_such");
        assert_int_equal(IN(mode, call()), status);
        assert_string_equal(sugar_last_error(), expected);
    }
}

static void failures_are_the_same(void **unused)
{
    (void)unused;
    static sugar_status (*const calls[])(void) = {
        create_outside,    create_unordered, forward_nothing,   backward_nothing, forward_overlap,
        backward_negative, range_is_empty,   threshold_is_nan,  observe_nothing,  merge_another,
        get_nothing,       get_no_unit,      parameter_outside, no_histogram,     restore_damaged,
    };
    const double rates[] = {1.1, -1e-310, (double)INFINITY, signalling_nan.value};
    const sugar_monitor_options options = {.struct_size = sizeof options, .threshold = 0.1};
    relu = must_create("relu", NULL);
    prelu = must_create("prelu", NULL);
    assert_ok(sugar_monitor_create(&monitor, 3, NULL));
    assert_ok(sugar_monitor_create(&other_monitor, 3, &options));
    for (size_t i = 0; i < COUNT(calls); i++)
        check_failure(calls[i]);
    for (size_t i = 0; i < COUNT(rates); i++) {
        rate = rates[i];
        check_failure(find_at_rate);
    }
    sugar_monitor_destroy(other_monitor);
    sugar_monitor_destroy(monitor);
    sugar_activation_destroy((sugar_activation *)(uintptr_t)prelu);
    sugar_activation_destroy((sugar_activation *)(uintptr_t)relu);
}

/* ---- Threads ---------------------------------------------------------------------------------- */

enum { ROWS = 311, COLUMNS = 700, ALL = ROWS * COLUMNS, THREADS = 3 };

/* The caller's threads, one after the other, each with a mode of its own. */
typedef struct crew {
    void (*task)(void *work, int64_t index);
    void *work;
    int64_t count;
    _Atomic int64_t next;
    int caller_mode, thread_mode;
    _Atomic int calls, wrong;
} crew;

static void take_tasks(crew *c)
{
    for (int64_t i = atomic_fetch_add(&c->next, 1); i < c->count; i = atomic_fetch_add(&c->next, 1))
        c->task(c->work, i);
}

static void *join_crew(void *argument)
{
    crew *c = argument;
    enter(c->thread_mode);
    for (int64_t i = 0; i < 2 && atomic_load(&c->next) < c->count; i++)
        c->task(c->work, atomic_fetch_add(&c->next, 1));
    if (c->thread_mode != DEFAULT && !float_mode_leave(c->thread_mode))
        atomic_fetch_add(&c->wrong, 1);
    return NULL;
}

/* Is called in the caller's mode. */
static void crew_parallel_for(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    crew *c = payload;
    pthread_t thread;
    if (c->caller_mode != DEFAULT && !float_mode_leave(c->caller_mode))
        atomic_fetch_add(&c->wrong, 1);
    atomic_fetch_add(&c->calls, 1);
    c->task = task;
    c->work = work;
    c->count = count;
    atomic_store(&c->next, 0);
    for (int i = 0; i < THREADS && i < count - 1; i++)
        if (pthread_create(&thread, NULL, join_crew, c) != 0 || pthread_join(thread, NULL) != 0)
            abort();
    enter(c->caller_mode);
    take_tasks(c);
}

/* The outputs of a forward and of a backward call: with a monitor, codes, a parameter and its gradient. */
typedef struct outputs {
    double y[ALL], dx[ALL], second[ALL], gradient[COLUMNS];
    unsigned char codes[ALL], monitor[COLUMNS * 32 + 512];
} outputs;

static double long_x[ALL], long_dy[ALL], long_parameter[COLUMNS];

static void run_long_calls(const sugar_activation *a, const sugar_context *context, int mode, outputs *o)
{
    static const int64_t shape[] = {ROWS, COLUMNS}, per_column[] = {1, COLUMNS};
    view x, dy, y, dx, second, codes, parameter, gradient;
    sugar_call_options forward = {.struct_size = sizeof forward, .context = context};
    sugar_call_options backward = forward;
    memset(o, 0, sizeof *o);
    view_make(&x, long_x, 8, 2, shape, NULL);
    view_make(&dy, long_dy, 8, 2, shape, NULL);
    view_make(&y, o->y, 8, 2, shape, NULL);
    view_make(&dx, o->dx, 8, 2, shape, NULL);
    view_make(&second, o->second, 8, 2, shape, NULL);
    view_make(&codes, o->codes, 1, 2, shape, NULL);
    codes.tensor.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 8, 1};
    view_make(&parameter, long_parameter, 8, 2, per_column, NULL);
    view_make(&gradient, o->gradient, 8, 2, per_column, NULL);
    assert_ok(IN(mode, sugar_monitor_create(&forward.monitor, COLUMNS, NULL)));
    forward.saved_gradient = &codes.tensor;
    assert_ok(IN(mode, sugar_forward(a, &x.tensor, &y.tensor, &forward)));
    assert_ok(sugar_monitor_save(forward.monitor, o->monitor, sizeof o->monitor));
    sugar_monitor_destroy(forward.monitor);
    backward.flags = SUGAR_CALL_ACCUMULATE;
    backward.parameter = &parameter.tensor;
    backward.parameter_gradient = &gradient.tensor;
    assert_ok(IN(mode, sugar_backward(a, &x.tensor, &dy.tensor, &dx.tensor, &backward)));
    const sugar_call_options twice = {.struct_size = sizeof twice, .context = context};
    assert_ok(IN(mode, sugar_backward_twice(a, &x.tensor, &dy.tensor, &dy.tensor, NULL, &second.tensor, &twice)));
}

static void make_long_inputs(void)
{
    uint64_t state = 7;
    for (int i = 0; i < ALL; i++) {
        long_x[i] = (double)random_between(&state, -9000, 9000) * 0x1p-10;
        long_dy[i] = (double)random_between(&state, -9000, 9000) * 0x1p-10;
    }
    for (int i = 0; i < COLUMNS; i++)
        long_parameter[i] = 0.1 + i * 0.001;
}

static sugar_context *create_context(int mode, sugar_parallel_for parallel_for, void *payload)
{
    sugar_context *context = NULL;
    const sugar_context_options options = {
        .struct_size = sizeof options, .threads = THREADS, .parallel_for = parallel_for, .payload = payload};
    assert_ok(IN(mode, sugar_context_create(&context, &options)));
    return context;
}

static void check_long_calls(const sugar_activation *a, const sugar_context *context, int mode, const char *threads,
                             const outputs *expected)
{
    static outputs found;
    run_long_calls(a, context, mode, &found);
    if (memcmp(&found, expected, sizeof found) != 0)
        fail_msg("%s: %s give other results", mode == DEFAULT ? "default" : float_mode_name(mode), threads);
}

/* A pool of the library's: made in either mode, used in either. */
static void pools_compute_in_the_default_mode(void **unused)
{
    (void)unused;
    static outputs expected;
    sugar_activation *a = must_create("elu", NULL);
    make_long_inputs();
    run_long_calls(a, NULL, DEFAULT, &expected);
    sugar_context *before = create_context(DEFAULT, NULL, NULL);
    for (int mode = DEFAULT; next_mode(&mode);) {
        sugar_context *within = create_context(mode, NULL, NULL);
        check_long_calls(a, NULL, mode, "calls", &expected);
        for (int round = 0; round < (short_run() ? 1 : 5); round++) {
            check_long_calls(a, before, mode, "threads made before", &expected);
            check_long_calls(a, within, mode, "threads made in that mode", &expected);
            check_long_calls(a, within, DEFAULT, "threads made in another mode", &expected);
        }
        sugar_context_destroy(within);
    }
    sugar_context_destroy(before);
    sugar_activation_destroy(a);
}

static void threads_of_the_caller_compute_in_the_default_mode(void **unused)
{
    (void)unused;
    static outputs expected;
    static crew c;
    sugar_activation *a = must_create("elu", NULL);
    sugar_context *context = create_context(DEFAULT, crew_parallel_for, &c);
    make_long_inputs();
    run_long_calls(a, NULL, DEFAULT, &expected);
    for (int mode = DEFAULT; next_mode(&mode);) {
        const int modes[][2] = {{mode, mode}, {DEFAULT, mode}, {mode, DEFAULT}, {mode, 0}};
        for (size_t i = 0; i < COUNT(modes); i++) {
            c.caller_mode = modes[i][0];
            c.thread_mode = modes[i][1];
            check_long_calls(a, context, c.caller_mode, "the caller's threads", &expected);
            assert_int_equal(atomic_load(&c.wrong), 0);
        }
    }
    assert_true(atomic_load(&c.calls) > 0);
    sugar_context_destroy(context);
    sugar_activation_destroy(a);
}

/* ---- Flags ------------------------------------------------------------------------------------ */

static void make_handles(void)
{
    static unsigned char saved[SAVED];
    const sugar_monitor_options options = {.struct_size = sizeof options, .minimum = -0.1, .maximum = 0.7};
    const sugar_context_options threads = {.struct_size = sizeof threads, .threads = 2};
    sugar_activation *activation = NULL;
    sugar_monitor *made = NULL, *restored = NULL;
    sugar_context *context = NULL;
    sugar_activation_create(&activation, "relu~bsilu(alpha=0.1,blend=0.3)");
    sugar_activation_create(&activation, "silu(beta=1.1e300)");
    sugar_monitor_create(&made, 3, &options);
    sugar_monitor_save(made, saved, sizeof saved);
    sugar_monitor_restore(&restored, saved, sugar_monitor_save_size(made));
    sugar_context_create(&context, &threads);
    sugar_context_destroy(context);
    sugar_monitor_destroy(restored);
    sugar_monitor_destroy(made);
    sugar_activation_destroy(activation);
}

static void handles_leave_the_flags(void **unused)
{
    (void)unused;
    feclearexcept(FE_ALL_EXCEPT);
    make_handles();
    assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
    feraiseexcept(FE_DIVBYZERO | FE_OVERFLOW);
    const int raised = fetestexcept(FE_ALL_EXCEPT);
    make_handles();
    assert_int_equal(fetestexcept(FE_ALL_EXCEPT), raised);
    feclearexcept(FE_ALL_EXCEPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_are_the_same),
        cmocka_unit_test(monitors_answer_the_same),
        cmocka_unit_test(failures_are_the_same),
        cmocka_unit_test(pools_compute_in_the_default_mode),
        cmocka_unit_test(threads_of_the_caller_compute_in_the_default_mode),
        cmocka_unit_test(handles_leave_the_flags),
    };
    return cmocka_run_group_tests_name("float_mode", tests, NULL, NULL);
}
