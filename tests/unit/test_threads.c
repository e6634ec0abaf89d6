/* Threads: one handle used by many, messages per thread, and a caller's parallel_for that must give
 * the same bits as a single thread. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 4, LENGTH = 2000 };

/* ---- One handle ------------------------------------------------------------------------------- */

typedef struct worker {
    const sugar_activation *activation;
    const float *x, *expected;
    int good;
} worker;

static void *use_shared_handle(void *argument)
{
    worker *w = argument;
    float y[LENGTH];
    w->good = 1;
    for (int round = 0; round < (short_run() ? 5 : 200) && w->good; round++) {
        memset(y, 0xff, sizeof y);
        w->good = sugar_forward_f32(w->activation, LENGTH, w->x, 1, y, 1, NULL) == SUGAR_OK
                  && memcmp(y, w->expected, sizeof y) == 0
                  && strcmp(sugar_activation_spec(w->activation), "gelu~bsilu(alpha=1.67)") == 0;
    }
    return NULL;
}

static void run_threads(pthread_t *threads, void *(*body)(void *), void *arguments, size_t size)
{
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, body, (char *)arguments + i * size), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void one_handle_many_threads(void **unused)
{
    (void)unused;
    static float x[LENGTH], expected[LENGTH];
    pthread_t threads[THREADS];
    worker workers[THREADS];
    sugar_activation *a = must_create("gelu~bsilu", NULL);
    for (int i = 0; i < LENGTH; i++)
        x[i] = (float)(i - LENGTH / 2) * 0x1p-7f;
    assert_ok(sugar_forward_f32(a, LENGTH, x, 1, expected, 1, NULL));
    for (int i = 0; i < THREADS; i++)
        workers[i] = (worker){a, x, expected, 0};
    run_threads(threads, use_shared_handle, workers, sizeof workers[0]);
    for (int i = 0; i < THREADS; i++)
        assert_true(workers[i].good);
    sugar_activation_destroy(a);
}

/* ---- Messages and handles of their own -------------------------------------------------------- */

typedef struct speaker {
    int number, good;
} speaker;

static void *keep_own_message(void *argument)
{
    speaker *s = argument;
    char spec[32], wanted[32];
    s->good = *sugar_last_error() == '\0';      /* none yet on this thread */
    snprintf(spec, sizeof spec, "%*srelux%d", s->number, "", s->number);
    snprintf(wanted, sizeof wanted, "position %d:", s->number);
    for (int round = 0; round < (short_run() ? 20 : 2000) && s->good; round++) {
        sugar_activation *a = NULL;
        s->good = sugar_activation_create(&a, spec) == SUGAR_ERROR_SPEC
                  && strstr(sugar_last_error(), wanted) != NULL
                  && sugar_activation_create(&a, "elu(alpha=0.125)") == SUGAR_OK
                  && strcmp(sugar_activation_spec(a), "elu(alpha=0.125)") == 0
                  && strstr(sugar_last_error(), wanted) != NULL;
        sugar_activation_destroy(a);
    }
    return NULL;
}

static void messages_per_thread(void **unused)
{
    (void)unused;
    pthread_t threads[THREADS];
    speaker speakers[THREADS];
    for (int i = 0; i < THREADS; i++)
        speakers[i] = (speaker){i, 0};
    run_threads(threads, keep_own_message, speakers, sizeof speakers[0]);
    for (int i = 0; i < THREADS; i++)
        assert_true(speakers[i].good);
}

/* ---- A caller's pool -------------------------------------------------------------------------- */

/* A pool for tests: its threads take tasks from the last to the first, and count them. */
typedef struct pool {
    void (*task)(void *work, int64_t index);
    void *work;
    _Atomic int64_t left;
    _Atomic int64_t calls, tasks;
} pool;

static void *take_tasks(void *argument)
{
    pool *p = argument;
    for (int64_t i = atomic_fetch_sub(&p->left, 1) - 1; i >= 0; i = atomic_fetch_sub(&p->left, 1) - 1) {
        atomic_fetch_add(&p->tasks, 1);
        p->task(p->work, i);
    }
    return NULL;
}

static void pool_parallel_for(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    pool *p = payload;
    pthread_t threads[THREADS];
    p->task = task;
    p->work = work;
    atomic_store(&p->left, count);
    atomic_fetch_add(&p->calls, 1);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, take_tasks, p) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

enum { ROWS = 311, COLUMNS = 700, ALL = ROWS * COLUMNS };

/* x, dy and the output are laid out by `strides`; `flags` as in the call. */
static void compare_with_single_thread(const char *spec, const sugar_context *context, const int64_t *strides,
                                       uint64_t flags)
{
    static float x[ALL], dy[ALL], single[ALL], split[ALL];
    static const int64_t shape[] = {ROWS, COLUMNS};
    uint64_t state = 10;
    view vx, vdy, vout;
    sugar_call_options options = {.struct_size = sizeof options, .flags = flags};
    sugar_activation *a = must_create(spec, NULL);
    for (int i = 0; i < ALL; i++) {
        x[i] = (float)random_between(&state, -8000, 8000) * 0x1p-10f;
        dy[i] = (float)random_between(&state, -8000, 8000) * 0x1p-10f;
        single[i] = split[i] = (float)i;
    }
    view_make(&vx, x, 4, 2, shape, strides);
    view_make(&vdy, dy, 4, 2, shape, NULL);
    view_make(&vout, single, 4, 2, shape, strides);
    assert_ok(sugar_backward(a, &vx.tensor, &vdy.tensor, &vout.tensor, &options));
    vout.tensor.data = split;
    options.context = context;
    assert_ok(sugar_backward(a, &vx.tensor, &vdy.tensor, &vout.tensor, &options));
    assert_memory_equal(split, single, sizeof single);
    options.flags = 0;
    assert_ok(sugar_forward(a, &vx.tensor, &vout.tensor, &options));
    vout.tensor.data = single;
    options.context = NULL;
    assert_ok(sugar_forward(a, &vx.tensor, &vout.tensor, &options));
    assert_memory_equal(split, single, sizeof single);
    sugar_activation_destroy(a);
}

static void split_calls_have_the_same_bits(void **unused)
{
    (void)unused;
    static const int64_t rows_first[] = {COLUMNS, 1}, columns_first[] = {1, ROWS};
    static const int32_t parts[] = {1, 2, 3, 7, 64};
    for (size_t i = 0; i < COUNT(parts); i += short_run() ? 2 : 1) {
        static pool p;
        sugar_context *context = NULL;
        sugar_context_options options = {.struct_size = sizeof options, .threads = parts[i],
                                         .parallel_for = pool_parallel_for, .payload = &p};
        atomic_store(&p.calls, 0);
        atomic_store(&p.tasks, 0);
        assert_ok(sugar_context_create(&context, &options));
        compare_with_single_thread("relu~bsilu", context, rows_first, 0);
        compare_with_single_thread("gelu", context, columns_first, SUGAR_CALL_ACCUMULATE);
        compare_with_single_thread("tanh~elu(domain=negative,blend=0.5)", context, rows_first, 0);
        if (parts[i] > 1) {
            assert_int_equal(atomic_load(&p.calls), 6);
            assert_in_range(atomic_load(&p.tasks), 12, 6 * parts[i]);
        }
        sugar_context_destroy(context);
    }
}

/* Only a call that can succeed reaches the pool. */
static void bad_input_never_reaches_the_pool(void **unused)
{
    (void)unused;
    static float x[ALL], y[ALL];
    static pool p;
    sugar_context *context = NULL;
    sugar_context_options options = {.struct_size = sizeof options, .threads = 4,
                                     .parallel_for = pool_parallel_for, .payload = &p};
    sugar_activation *a = must_create("relu", NULL);
    assert_ok(sugar_context_create(&context, &options));
    sugar_call_options call = {.struct_size = sizeof call, .context = context};
    assert_fails(sugar_forward_f32(a, ALL - 1, x, 1, x + 1, 1, &call), SUGAR_ERROR_ARGUMENT, "y");
    assert_fails(sugar_forward_f32(a, ALL, x, 1, y, 0, &call), SUGAR_ERROR_ARGUMENT, "y");
    assert_int_equal(atomic_load(&p.calls), 0);
    assert_ok(sugar_forward_f32(a, ALL, x, 1, y, 1, &call));
    assert_true(atomic_load(&p.calls) == 1);
    sugar_context_destroy(context);
    sugar_activation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_handle_many_threads),
        cmocka_unit_test(messages_per_thread),
        cmocka_unit_test(split_calls_have_the_same_bits),
        cmocka_unit_test(bad_input_never_reaches_the_pool),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
