/* A helper thread for the limits on two threads; see bench.h. */
#include "bench.h"

#include <pthread.h>

#include "../support/support.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t helper;
    void (*task)(void *work, int64_t index);    /* NULL: nothing to do */
    void *work;
    bool stop;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *help(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&pool.lock);
    while (!pool.stop) {
        if (!pool.task) {
            pthread_cond_wait(&pool.changed, &pool.lock);
            continue;
        }
        pthread_mutex_unlock(&pool.lock);
        pool.task(pool.work, 1);
        pthread_mutex_lock(&pool.lock);
        pool.task = NULL;
        pthread_cond_broadcast(&pool.changed);
    }
    pthread_mutex_unlock(&pool.lock);
    return NULL;
}

void pool_start(void)
{
    if (pthread_create(&pool.helper, NULL, help, NULL) != 0)
        give_up("bench", "no second thread");
}

void pool_stop(void)
{
    pthread_mutex_lock(&pool.lock);
    pool.stop = true;
    pthread_cond_broadcast(&pool.changed);
    pthread_mutex_unlock(&pool.lock);
    pthread_join(pool.helper, NULL);
}

void pool_run(void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    if (count > 1) {
        pthread_mutex_lock(&pool.lock);
        pool.task = task;
        pool.work = work;
        pthread_cond_broadcast(&pool.changed);
        pthread_mutex_unlock(&pool.lock);
    }
    task(work, 0);
    if (count > 1) {
        pthread_mutex_lock(&pool.lock);
        while (pool.task)
            pthread_cond_wait(&pool.changed, &pool.lock);
        pthread_mutex_unlock(&pool.lock);
    }
}
