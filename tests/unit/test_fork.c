/* A fork at the worst moment: a worker holds the lock of the pool. The child inherits the lock, but no thread that
 * could free it. This program's own pthread_mutex_lock takes the place of the C library's, and stops the worker at that
 * moment. */
#include "unit.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COUNT_OF_ELEMENTS = 1 << 18 };

typedef int mutex_function(pthread_mutex_t *mutex);
static mutex_function *_Atomic real_lock;
static pthread_t keeper;                    /* the main thread, which is never stopped */
static atomic_bool hold, held;

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    mutex_function *lock = atomic_load(&real_lock);
    if (!lock) {
        *(void **)&lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
        atomic_store(&real_lock, lock);
    }
    const int result = lock(mutex);
    while (atomic_load(&hold) && !pthread_equal(pthread_self(), keeper)) {
        atomic_store(&held, true);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return result;
}

static float x[COUNT_OF_ELEMENTS], expected[COUNT_OF_ELEMENTS], y[COUNT_OF_ELEMENTS];

static sugar_status call(const sugar_activation *activation, const sugar_context *context, float *out)
{
    const sugar_call_options options = {.struct_size = sizeof options, .context = context};
    return sugar_forward_f32(activation, COUNT_OF_ELEMENTS, x, 1, out, 1, &options);
}

typedef struct caller {
    const sugar_activation *activation;
    const sugar_context *context;
    atomic_bool stop;
} caller;

/* Makes calls until it is told to end, or stopped, so that workers take the lock again and again. */
static void *keep_calling(void *argument)
{
    static float mine[COUNT_OF_ELEMENTS];
    caller *c = argument;
    bool good = true;
    while (!atomic_load(&c->stop) && good)
        good = call(c->activation, c->context, mine) == SUGAR_OK;
    return good ? c : NULL;
}

static void a_child_needs_no_lock(void **unused)
{
    (void)unused;
    const sugar_context_options threads = {.struct_size = sizeof threads, .threads = 2};
    sugar_context *context = NULL;
    sugar_activation *a = must_create("gelu", NULL);
    for (int i = 0; i < COUNT_OF_ELEMENTS; i++)
        x[i] = (float)(i % 4000 - 2000) * 0x1p-9f;
    keeper = pthread_self();
    assert_ok(call(a, NULL, expected));
    assert_ok(sugar_context_create(&context, &threads));
    caller c = {.activation = a, .context = context};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, keep_calling, &c), 0);
    atomic_store(&hold, true);
    while (!atomic_load(&held))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(20);                          /* ends a child that waits for the lock, seconds */
        const bool good = call(a, context, y) == SUGAR_OK && memcmp(y, expected, sizeof y) == 0;
        sugar_context_destroy(context);     /* must not wait for threads either: there are none */
        _exit(good ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    atomic_store(&hold, false);
    atomic_store(&c.stop, true);
    void *result = NULL;
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &c);
    sugar_context_destroy(context);
    sugar_activation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_needs_no_lock),
    };
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
