/* Threads: a handle that many threads use; messages of each thread; a caller's parallel_for and the library's pool,
 * which must give the same bits as a single thread. */
#include "unit.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, LENGTH = 2000 };

/* ThreadSanitizer ends the child of a process with threads if the child starts a thread. */
#if defined(__SANITIZE_THREAD__)
#define SANITIZE_THREAD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZE_THREAD 1
#endif
#endif
#ifdef SANITIZE_THREAD
enum { CHILDREN_MAY_START_THREADS = 0 };
#else
enum { CHILDREN_MAY_START_THREADS = 1 };
#endif

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
        s->good = sugar_activation_create(&a, spec) == SUGAR_ERROR_SPEC && strstr(sugar_last_error(), wanted) != NULL
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
        sugar_context_options options = {
            .struct_size = sizeof options, .threads = parts[i], .parallel_for = pool_parallel_for, .payload = &p};
        atomic_store(&p.calls, 0);
        atomic_store(&p.tasks, 0);
        assert_ok(sugar_context_create(&context, &options));
        compare_with_single_thread("relu~bsilu", context, rows_first, 0);
        compare_with_single_thread("gelu", context, columns_first, SUGAR_CALL_ACCUMULATE);
        compare_with_single_thread("tanh~elu(domain=negative,blend=0.5)", context, rows_first, 0);
        if (parts[i] > 1) {
            assert_int_equal(atomic_load(&p.calls), 6);
            const int64_t tasks = atomic_load(&p.tasks);
            assert_true(12 <= tasks && tasks <= 6 * parts[i]);
        }
        sugar_context_destroy(context);
    }
}

/* A call that fails does not reach the pool. */
static void bad_input_never_reaches_the_pool(void **unused)
{
    (void)unused;
    static float x[ALL], y[ALL];
    static pool p;
    sugar_context *context = NULL;
    sugar_context_options options = {
        .struct_size = sizeof options, .threads = 4, .parallel_for = pool_parallel_for, .payload = &p};
    sugar_activation *a = must_create("relu", NULL);
    assert_ok(sugar_context_create(&context, &options));
    sugar_call_options call = {.struct_size = sizeof call, .context = context};
    assert_fails(sugar_forward_f32(a, ALL - 1, x, 1, x + 1, 1, &call), SUGAR_ERROR_OVERLAP, "y");
    assert_fails(sugar_forward_f32(a, ALL, x, 1, y, 0, &call), SUGAR_ERROR_OVERLAP, "y");
    assert_int_equal(atomic_load(&p.calls), 0);
    assert_ok(sugar_forward_f32(a, ALL, x, 1, y, 1, &call));
    assert_true(atomic_load(&p.calls) == 1);
    sugar_context_destroy(context);
    sugar_activation_destroy(a);
}

/* Short calls are not split: the caller's parallel_for does not see them. */
static void small_calls_stay_whole(void **unused)
{
    (void)unused;
    enum { SMALLEST = 65536 };
    static float x[SMALLEST], y[SMALLEST];
    static pool p;
    sugar_context *context = NULL;
    sugar_context_options options = {
        .struct_size = sizeof options, .threads = 4, .parallel_for = pool_parallel_for, .payload = &p};
    sugar_activation *a = must_create("relu", NULL);
    assert_ok(sugar_context_create(&context, &options));
    sugar_call_options call = {.struct_size = sizeof call, .context = context};
    assert_ok(sugar_forward_f32(a, SMALLEST - 1, x, 1, y, 1, &call));
    assert_int_equal(atomic_load(&p.calls), 0);
    assert_ok(sugar_forward_f32(a, SMALLEST, x, 1, y, 1, &call));
    assert_int_equal(atomic_load(&p.calls), 1);
    assert_int_equal(atomic_load(&p.tasks), 2);
    sugar_context_destroy(context);
    sugar_activation_destroy(a);
}

/* ---- The library's own pool ------------------------------------------------------------------- */

static sugar_context *must_create_pool(int32_t threads)
{
    sugar_context *context = NULL;
    const sugar_context_options options = {.struct_size = sizeof options, .threads = threads};
    assert_ok(sugar_context_create(&context, &options));
    return context;
}

static void pooled_calls_have_the_same_bits(void **unused)
{
    (void)unused;
    static const int64_t rows_first[] = {COLUMNS, 1}, columns_first[] = {1, ROWS};
    static const int32_t threads[] = {2, 3, 7, 64};
    for (size_t i = 0; i < COUNT(threads); i += short_run() ? 2 : 1) {
        sugar_context *context = must_create_pool(threads[i]);
        for (int round = 0; round < (short_run() ? 1 : 5); round++) {
            compare_with_single_thread("relu~bsilu", context, rows_first, 0);
            compare_with_single_thread("gelu", context, columns_first, SUGAR_CALL_ACCUMULATE);
        }
        sugar_context_destroy(context);
    }
}

/* A call that is long enough for a pool, and its result. */
typedef struct pooled {
    const sugar_activation *activation;
    const sugar_context *context;
    float y[ALL];
} pooled;

static float pooled_x[ALL], pooled_expected[ALL];

/* Whether the call gives what a single thread gives. Prints nothing, as threads and child processes use it. */
static bool pooled_call_is_right(pooled *p)
{
    const sugar_call_options call = {.struct_size = sizeof call, .context = p->context};
    memset(p->y, 0xff, sizeof p->y);
    return sugar_forward_f32(p->activation, ALL, pooled_x, 1, p->y, 1, &call) == SUGAR_OK
           && memcmp(p->y, pooled_expected, sizeof p->y) == 0;
}

static void pooled_begin(pooled *p, int32_t threads)
{
    p->activation = must_create("gelu", NULL);
    p->context = must_create_pool(threads);
    for (int i = 0; i < ALL; i++)
        pooled_x[i] = (float)(i % 4000 - 2000) * 0x1p-9f;
    assert_ok(sugar_forward_f32(p->activation, ALL, pooled_x, 1, pooled_expected, 1, NULL));
}

static void pooled_end(pooled *p)
{
    sugar_context_destroy((sugar_context *)(uintptr_t)p->context);
    sugar_activation_destroy((sugar_activation *)(uintptr_t)p->activation);
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    assert_int_equal(clock_gettime(clock, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds_of_other_threads(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID) - seconds(CLOCK_THREAD_CPUTIME_ID);
}

/* Workers take part in calls, and use no time when there is no call. */
static void workers_work_and_sleep(void **unused)
{
    (void)unused;
    static pooled p;
    pooled_begin(&p, 3);
    const double before = seconds_of_other_threads(), deadline = seconds(CLOCK_MONOTONIC) + 60;
    while (seconds_of_other_threads() - before < 0.02 && seconds(CLOCK_MONOTONIC) < deadline)
        assert_true(pooled_call_is_right(&p));
    const double after = seconds_of_other_threads();
    assert_true(after - before >= 0.02);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    assert_true(seconds_of_other_threads() - after < 0.05);
    pooled_end(&p);
}

/* A worker that leaves its caller's processor keeps its set of allowed processors. */
static void workers_may_go_everywhere(void **unused)
{
    (void)unused;
    static pooled p;
    cpu_set_t mine, its;
    pooled_begin(&p, 3);
    for (int round = 0; round < 20; round++) {
        assert_true(pooled_call_is_right(&p));
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    assert_int_equal(sched_getaffinity(0, sizeof mine, &mine), 0);
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.' && sched_getaffinity(atoi(entry->d_name), sizeof its, &its) == 0)
            assert_true(CPU_EQUAL(&mine, &its));
    closedir(folder);
    pooled_end(&p);
}

static void *share_a_pool(void *argument)
{
    pooled *p = argument;
    bool good = true;
    for (int round = 0; round < (short_run() ? 5 : 50) && good; round++)
        good = pooled_call_is_right(p);
    return good ? p : NULL;
}

static void one_pool_many_callers(void **unused)
{
    (void)unused;
    static pooled callers[THREADS];
    pthread_t threads[THREADS];
    pooled_begin(&callers[0], 3);
    for (int i = 0; i < THREADS; i++) {
        callers[i].activation = callers[0].activation;
        callers[i].context = callers[0].context;
        assert_int_equal(pthread_create(&threads[i], NULL, share_a_pool, &callers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &callers[i]);
    }
    pooled_end(&callers[0]);
}

static void pools_that_end_at_once(void **unused)
{
    (void)unused;
    for (int round = 0; round < (short_run() ? 5 : 50); round++)
        sugar_context_destroy(must_create_pool(round % 8 + 2));
    sugar_context_destroy(must_create_pool(short_run() ? 100 : SUGAR_MAX_THREADS));     /* valgrind allows 500 */
}

/* The child: uses its parent's context and one that it makes; its exit status is 0 if all is well. */
static void live_as_a_child(pooled *p, bool with_own_pool)
{
    alarm(60);
    const int before = count_threads();
    int code = pooled_call_is_right(p) ? 0 : 1;
    code |= count_threads() == before ? 0 : 2;
    sugar_context_destroy((sugar_context *)(uintptr_t)p->context);
    const sugar_context_options options = {.struct_size = sizeof options, .threads = 2};
    sugar_context *own = NULL;
    if (with_own_pool) {
        code |= sugar_context_create(&own, &options) == SUGAR_OK ? 0 : 4;
        p->context = own;
        code |= pooled_call_is_right(p) ? 0 : 8;
        sugar_context_destroy(own);
    }
    sugar_activation_destroy((sugar_activation *)(uintptr_t)p->activation);
    _exit(code);
}

static void *keep_a_pool_busy(void *argument)
{
    static pooled mine;
    const pooled *p = argument;
    mine.activation = p->activation;
    mine.context = p->context;
    bool good = true;
    for (int round = 0; round < (short_run() ? 20 : 200) && good; round++)
        good = pooled_call_is_right(&mine);
    return good ? argument : NULL;
}

/* Forks while another thread uses the pool, and holds its lock at times. */
static void a_pool_survives_fork(void **unused)
{
    (void)unused;
    static pooled p;
    pthread_t busy;
    pooled_begin(&p, 3);
    assert_true(pooled_call_is_right(&p));
    assert_int_equal(pthread_create(&busy, NULL, keep_a_pool_busy, &p), 0);
    for (int round = 0; round < (short_run() ? 2 : 10); round++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            live_as_a_child(&p, CHILDREN_MAY_START_THREADS);
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_true(pooled_call_is_right(&p));
    }
    void *result = NULL;
    assert_int_equal(pthread_join(busy, &result), 0);
    assert_ptr_equal(result, &p);
    pooled_end(&p);
}

static void ignore_signal(int number) { (void)number; }

/* A signal to the process that the program's own threads block stays pending: no worker takes it. */
static void workers_take_no_signals(void **unused)
{
    (void)unused;
    sigset_t wanted, before, after;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    assert_int_equal(sigismember(&before, SIGUSR1), 0);     /* earlier contexts have not changed it */
    sugar_context *context = must_create_pool(3);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    for (int i = 1; i < NSIG; i++)
        assert_int_equal(sigismember(&after, i), sigismember(&before, i));
    signal(SIGUSR1, ignore_signal);
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &wanted, NULL), 0);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    assert_int_equal(sigtimedwait(&wanted, NULL, &(struct timespec){0}), SIGUSR1);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    signal(SIGUSR1, SIG_DFL);
    sugar_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_handle_many_threads),        cmocka_unit_test(messages_per_thread),
        cmocka_unit_test(split_calls_have_the_same_bits), cmocka_unit_test(bad_input_never_reaches_the_pool),
        cmocka_unit_test(small_calls_stay_whole),         cmocka_unit_test(pooled_calls_have_the_same_bits),
        cmocka_unit_test(workers_work_and_sleep),         cmocka_unit_test(workers_may_go_everywhere),
        cmocka_unit_test(one_pool_many_callers),          cmocka_unit_test(pools_that_end_at_once),
        cmocka_unit_test(a_pool_survives_fork),           cmocka_unit_test(workers_take_no_signals),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
