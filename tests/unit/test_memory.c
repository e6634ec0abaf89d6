/* Memory: calls take none from the heap; if there is none for a handle, that is an error without leaks. The program's
 * own malloc and pthread_create take the place of glibc's: they count, and fail when told to. */
#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

/* glibc's allocator, under the names that glibc offers to programs that replace malloc. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

static _Atomic int taken;       /* allocations so far, of all threads */
static _Atomic int held;        /* allocations not freed yet */
static int fails_at = -1;       /* the number of the allocation that fails; -1: none */

static int may_take(void)
{
    if (taken++ == fails_at)
        return 0;
    held++;
    return 1;
}

void *malloc(size_t size) { return may_take() ? __libc_malloc(size) : NULL; }

void *calloc(size_t count, size_t size) { return may_take() ? __libc_calloc(count, size) : NULL; }

void *realloc(void *memory, size_t size)
{
    if (memory == NULL)
        return malloc(size);
    return taken++ == fails_at ? NULL : __libc_realloc(memory, size);
}

void free(void *memory)
{
    held -= memory != NULL;
    __libc_free(memory);
}

static int started, joined;     /* threads so far */
static int threads_left = -1;   /* how many may still be started; -1: any number */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;
    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    if (threads_left == 0)
        return EAGAIN;
    threads_left -= threads_left > 0;
    started++;
    return create(thread, attributes, body, argument);
}

int pthread_join(pthread_t thread, void **result)
{
    int (*join)(pthread_t, void **) = NULL;
    *(void **)&join = dlsym(RTLD_NEXT, "pthread_join");
    joined++;
    return join(thread, result);
}

static void calls_take_no_memory(void **unused)
{
    (void)unused;
    static const char *const specs[] = {"relu", "gelu~bsilu", "tanh~elu(domain=negative,blend=0.5)"};
    static float x[64 * 70], dy[64 * 70], out[64 * 70], gate[64 * 70], bias[70], sum[70];
    static const int64_t shape[] = {64, 70}, turned[] = {1, 64}, per_feature[] = {1, 70};
    for (size_t i = 0; i < COUNT(specs); i++) {
        view vx, vdy, vout, vgate, vbias, vsum;
        sugar_call_options options = {.struct_size = sizeof options, .flags = SUGAR_CALL_ACCUMULATE};
        int before = taken;
        sugar_activation *a = must_create(specs[i], NULL);
        assert_true(taken > before);        /* the library calls this file's malloc */
        sugar_monitor *monitor = NULL;
        assert_ok(sugar_monitor_create(&monitor, 70, NULL));
        const sugar_call_options monitored = {.struct_size = sizeof monitored, .monitor = monitor};
        view_make(&vx, x, 4, 2, shape, NULL);
        view_make(&vdy, dy, 4, 2, shape, turned);
        view_make(&vout, out, 4, 2, shape, turned);
        view_make(&vgate, gate, 4, 2, shape, turned);
        view_make(&vbias, bias, 4, 2, per_feature, NULL);
        view_make(&vsum, sum, 4, 2, per_feature, NULL);
        sugar_call_options gated = {.struct_size = sizeof gated, .bias = &vbias.tensor, .gate = &vgate.tensor};
        before = taken;
        sugar_status status = sugar_forward_f32(a, COUNT(x), x, 1, out, 1, NULL);
        status |= sugar_backward_f32(a, COUNT(x) / 3, x, -3, dy, 0, out, 2, &options);
        status |= sugar_forward(a, &vx.tensor, &vout.tensor, NULL);
        status |= sugar_backward(a, &vx.tensor, &vdy.tensor, &vout.tensor, &options);
        status |= sugar_backward_twice(a, &vx.tensor, &vdy.tensor, &vx.tensor, &vout.tensor, NULL, &options);
        status |= sugar_forward(a, &vx.tensor, &vout.tensor, &monitored);
        status |= sugar_monitor_observe(monitor, &vdy.tensor, NULL);
        status |= sugar_forward(a, &vx.tensor, &vout.tensor, &gated);
        gated.bias_gradient = &vsum.tensor;
        gated.gate_gradient = &vgate.tensor;
        status |= sugar_backward(a, &vx.tensor, &vdy.tensor, &vout.tensor, &gated);
        int failed = sugar_forward(a, &vx.tensor, NULL, NULL) < 0;      /* messages take no memory either */
        assert_int_equal(taken, before);
        assert_ok(status);
        assert_true(failed);
        sugar_monitor_destroy(monitor);
        sugar_activation_destroy(a);
    }
}

/* Enough elements for all threads of a pool, in rows that go to kernels as they lie and in columns that do
 * not. */
static void calls_on_a_pool_take_no_memory(void **unused)
{
    (void)unused;
    enum { ROWS = 600, COLUMNS = 500, ALL = ROWS * COLUMNS };
    static float x[ALL], dy[ALL], out[ALL];
    static const int64_t shape[] = {ROWS, COLUMNS}, turned[] = {1, ROWS};
    sugar_context *context = NULL;
    const sugar_context_options threads = {.struct_size = sizeof threads, .threads = 4};
    const int started_before = started;
    sugar_activation *a = must_create("tanh~elu(domain=negative,blend=0.5)", NULL);
    assert_ok(sugar_context_create(&context, &threads));
    assert_int_equal(started, started_before + 3);
    sugar_monitor *monitor = NULL;
    assert_ok(sugar_monitor_create(&monitor, COLUMNS, NULL));
    const sugar_call_options options = {.struct_size = sizeof options, .context = context};
    const sugar_call_options monitored = {.struct_size = sizeof options, .context = context, .monitor = monitor};
    view vx, vdy, vout;
    view_make(&vx, x, 4, 2, shape, NULL);
    view_make(&vdy, dy, 4, 2, shape, turned);
    view_make(&vout, out, 4, 2, shape, NULL);
    const int before = taken;
    sugar_status status = SUGAR_OK;
    for (int round = 0; round < 20; round++) {
        status |= sugar_forward_f32(a, ALL, x, 1, out, 1, &options);
        status |= sugar_backward(a, &vx.tensor, &vdy.tensor, &vout.tensor, &options);
        status |= sugar_backward_twice(a, &vx.tensor, &vdy.tensor, &vx.tensor, NULL, &vout.tensor, &options);
        status |= sugar_forward(a, &vx.tensor, &vout.tensor, &monitored);
    }
    assert_int_equal(taken, before);
    assert_int_equal(started, started_before + 3);      /* calls start no threads either */
    assert_ok(status);
    sugar_monitor_destroy(monitor);
    sugar_context_destroy(context);
    sugar_activation_destroy(a);
}

/* Lets the first allocation fail, then the second one, ..., until the handle is made before any fails. */
static void no_memory_for_an_activation(void **unused)
{
    (void)unused;
    sugar_activation *a = NULL;
    sugar_status status = SUGAR_ERROR_OUT_OF_MEMORY;
    int failures = -1;
    while (status == SUGAR_ERROR_OUT_OF_MEMORY) {
        int held_before = held;
        assert_null(a);
        fails_at = taken + ++failures;
        status = sugar_activation_create(&a, "relu~bsilu(alpha=1.5,domain=negative,blend=0.5)");
        fails_at = -1;
        if (status == SUGAR_ERROR_OUT_OF_MEMORY) {
            assert_int_equal(held, held_before);
            assert_fails(status, SUGAR_ERROR_OUT_OF_MEMORY, "memory");
        }
    }
    assert_ok(status);
    assert_true(failures > 0);
    int held_before = held;
    sugar_activation_destroy(a);
    assert_true(held < held_before);
}

static void no_memory_for_a_monitor(void **unused)
{
    (void)unused;
    sugar_monitor *monitor = NULL;
    const int held_before = held;
    for (int fails = 1; fails >= 0; fails--) {
        fails_at = fails ? taken : -1;
        sugar_status status = sugar_monitor_create(&monitor, 1000, NULL);
        fails_at = -1;
        if (fails)
            assert_fails(status, SUGAR_ERROR_OUT_OF_MEMORY, "monitor: no memory for 1000 units");
        else
            assert_ok(status);
        assert_int_equal(held - held_before, !fails);
    }
    const size_t size = sugar_monitor_save_size(monitor);
    void *buffer = malloc(size);
    sugar_monitor *restored = NULL;
    assert_ok(sugar_monitor_save(monitor, buffer, size));
    fails_at = taken;
    sugar_status status = sugar_monitor_restore(&restored, buffer, size);
    fails_at = -1;
    assert_fails(status, SUGAR_ERROR_OUT_OF_MEMORY, "monitor: no memory");
    assert_null(restored);
    free(buffer);
    sugar_monitor_destroy(monitor);
    assert_int_equal(held, held_before);
}

static void no_memory_for_a_context(void **unused)
{
    (void)unused;
    sugar_context *context = NULL;
    const sugar_context_options with_pool = {.struct_size = sizeof with_pool, .threads = 3};
    const sugar_context_options *const options[] = {NULL, &with_pool, &with_pool};
    static const int failing[] = {0, 0, 1};     /* which allocation: the handle, the handle, the pool */
    for (size_t i = 0; i < COUNT(failing); i++) {
        const int held_before = held, started_before = started;
        fails_at = taken + failing[i];
        sugar_status status = sugar_context_create(&context, options[i]);
        fails_at = -1;
        assert_int_equal(held, held_before);
        assert_int_equal(started, started_before);
        assert_fails(status, SUGAR_ERROR_OUT_OF_MEMORY, "memory");
        assert_null(context);
        assert_ok(sugar_context_create(&context, options[i]));
        sugar_context_destroy(context);
        context = NULL;
    }
}

/* The system starts some of the threads that a pool wants, but not all. */
static void no_threads_for_a_context(void **unused)
{
    (void)unused;
    sugar_context *context = NULL;
    const sugar_context_options options = {.struct_size = sizeof options, .threads = 4};
    assert_ok(sugar_context_create(&context, &options));    /* makes glibc allocate what it keeps about threads */
    sugar_context_destroy(context);
    context = NULL;
    for (int most = 0; most < 3; most++) {
        char expected[80];
        snprintf(expected, sizeof expected, "threads 4, expected at most the %d that", most + 1);
        const int held_before = held, started_before = started, joined_before = joined;
        threads_left = most;
        sugar_status status = sugar_context_create(&context, &options);
        threads_left = -1;
        assert_int_equal(started - started_before, most);
        assert_int_equal(joined - joined_before, most);
        assert_int_equal(held, held_before);
        assert_null(context);
        assert_fails(status, SUGAR_ERROR_OUT_OF_MEMORY, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_take_no_memory),        cmocka_unit_test(calls_on_a_pool_take_no_memory),
        cmocka_unit_test(no_memory_for_an_activation), cmocka_unit_test(no_memory_for_a_monitor),
        cmocka_unit_test(no_memory_for_a_context),     cmocka_unit_test(no_threads_for_a_context),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
