/* The thread pool: one mutex, two conditions, and a counter from which threads take their tasks. Before they
 * sleep, threads look for a short time whether what they wait for comes. */
#define _POSIX_C_SOURCE 200809L

#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Of a worker. Kernels and the loops around them keep at most 40 KiB there; glibc takes the thread-local
 * variables of the program out of it, too. */
enum { STACK_BYTES = 256 * 1024 };

/* Nanoseconds: how long a thread looks before it sleeps, and what a caller does alone rather than share. A
 * thread that sleeps comes 20 to 40 us late (Zen 5 in a virtual machine, from calls of 200 to 700 us), one
 * that looks comes at once: with two threads, 1 Mi elements and calls one after the other, gelu gains 1.70
 * times without looking and 1.84 with it, softplus 1.74 and 1.87, bsilu 1.71 and 1.89, mish 1.76 and 1.88,
 * relu 1.14 and 1.55 (AVX2). */
enum { LONGEST_LOOK = 50000, SHORTEST_SHARE = 15000 };

/* What one caller wants done; on its stack. */
typedef struct job {
    void (*task)(void *work, int64_t index);
    void *work;
    int64_t count;
    _Atomic int64_t next;           /* the first task that nobody has taken */
    int64_t sleepers;               /* workers that are still to be woken for it */
} job;

struct sugar_pool {
    pid_t owner;                    /* the process that has the workers */
    pthread_mutex_t lock;           /* of all that follows */
    pthread_cond_t posted;          /* there is a job, or the end */
    pthread_cond_t left;            /* the last worker has left the job */
    bool busy;                      /* a caller has the pool */
    /* Changed only with the lock; without it, a look at them is a hint. */
    _Atomic(job *) open;            /* a job that workers may join, or NULL */
    _Atomic bool ending;
    _Atomic int32_t helpers;        /* workers in the job of that caller */
    int32_t workers;
    pthread_t threads[];            /* the workers; written before there is more than one caller */
};

static int64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool has_nothing_to_do(sugar_pool *p)
{
    return !atomic_load_explicit(&p->open, memory_order_relaxed)
           && !atomic_load_explicit(&p->ending, memory_order_relaxed);
}

static bool has_helpers(sugar_pool *p)
{
    return atomic_load_explicit(&p->helpers, memory_order_relaxed) > 0;
}

/* Looks for a short time whether a condition ends. Called with the lock and returns with it; others have it
 * meanwhile. Whoever else needs the processor gets it: where another program keeps all other cores busy, a
 * loop of pause instructions makes calls of 160 to 400 us take 1.1 to 1.3 times as long, this one 1.03. */
static void look(sugar_pool *p, bool (*waits)(sugar_pool *))
{
    pthread_mutex_unlock(&p->lock);
    const int64_t end = nanoseconds() + LONGEST_LOOK;
    while (waits(p) && nanoseconds() < end)
        sched_yield();
    pthread_mutex_lock(&p->lock);
}

/* Takes tasks until none is left. The mutex, before and after, orders all other memory. */
static void take_tasks(job *j)
{
    int64_t i;
    while ((i = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed)) < j->count)
        j->task(j->work, i);
}

/* Whoever joins a job wakes two more workers for it: all are awake after a time that grows with the
 * logarithm of their number. Called with the lock, returns without: who wakes up needs it. */
static void wake_two(sugar_pool *p, job *j)
{
    const int64_t woken = j->sleepers < 2 ? j->sleepers : 2;
    j->sleepers -= woken;
    pthread_mutex_unlock(&p->lock);
    for (int64_t i = 0; i < woken; i++)
        pthread_cond_signal(&p->posted);
}

/* A job stays where it is until its caller finds no helper in it, and a worker is a helper from seeing the
 * job, under the lock, to having closed it. */
static void *run_worker(void *argument)
{
    sugar_pool *p = argument;
    bool has_worked = false;        /* since it slept: more may come soon */
    pthread_mutex_lock(&p->lock);
    while (!p->ending) {
        job *j = p->open;
        if (!j) {
            if (has_worked)
                look(p, has_nothing_to_do);
            else
                pthread_cond_wait(&p->posted, &p->lock);
            has_worked = false;
            continue;
        }
        has_worked = true;
        p->helpers++;
        wake_two(p, j);
        take_tasks(j);
        pthread_mutex_lock(&p->lock);
        p->open = NULL;
        if (--p->helpers == 0)
            pthread_cond_signal(&p->left);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Starts a worker that leaves signals to the program's own threads, but for those of its own faults:
 * programs that handle these, such as garbage collectors, do so on the thread that met the page. */
static int start_worker(sugar_pool *p, const pthread_attr_t *attributes)
{
    static const int faults[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    const int error = pthread_create(&p->threads[p->workers], attributes, run_worker, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    p->workers += error == 0;
    return error;
}

/* Starts `wanted` workers. Returns the number of the error that kept it from that, or 0. */
static int start_workers(sugar_pool *p, int32_t wanted)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error)
        return error;
    error = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (!error && p->workers < wanted)
        error = start_worker(p, &attributes);
    pthread_attr_destroy(&attributes);
    return error;
}

sugar_status sugar_pool_create(sugar_pool **pool, int32_t threads)
{
    const int32_t workers = threads - 1;
    sugar_pool *p = calloc(1, sizeof *p + (size_t)workers * sizeof p->threads[0]);
    if (!p)
        return sugar_error(SUGAR_ERROR_OUT_OF_MEMORY, "context: no memory for a pool of %d threads",
                           (int)threads);
    p->owner = getpid();
    /* With default attributes these cannot fail on the systems that libsugar is for. */
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->posted, NULL);
    pthread_cond_init(&p->left, NULL);
    const int error = start_workers(p, workers);
    if (error) {
        const int started = (int)p->workers;
        sugar_pool_destroy(p);
        return sugar_error(SUGAR_ERROR_OUT_OF_MEMORY,
                           "options: threads %d, expected at most the %d that the system lets run (error %d)",
                           (int)threads, started + 1, error);
    }
    *pool = p;
    return SUGAR_OK;
}

void sugar_pool_destroy(sugar_pool *pool)
{
    if (!pool)
        return;
    if (getpid() == pool->owner) {
        pthread_mutex_lock(&pool->lock);
        pool->ending = true;
        pthread_mutex_unlock(&pool->lock);
        pthread_cond_broadcast(&pool->posted);
        for (int32_t i = 0; i < pool->workers; i++)
            pthread_join(pool->threads[i], NULL);
        pthread_cond_destroy(&pool->left);
        pthread_cond_destroy(&pool->posted);
        pthread_mutex_destroy(&pool->lock);
    }
    free(pool);
}

/* Shares out what is left of a job, works on it, and returns when all others have left it. The caller has the
 * pool, and the lock, which this gives back. */
static void share_job(sugar_pool *p, job *j)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);    /* the job is on this thread's stack */
    p->open = j;
    wake_two(p, j);
    take_tasks(j);
    pthread_mutex_lock(&p->lock);
    p->open = NULL;
    if (p->helpers > 0)
        look(p, has_helpers);
    while (p->helpers > 0)
        pthread_cond_wait(&p->left, &p->lock);
    p->busy = false;
    pthread_mutex_unlock(&p->lock);
    pthread_setcancelstate(before, NULL);
}

/* Takes the pool for a caller and returns true, with the lock, if it has workers that are free. In a
 * child even the lock may be held, by a thread that does not exist there. */
static bool take_pool(sugar_pool *p)
{
    if (getpid() != p->owner)
        return false;
    pthread_mutex_lock(&p->lock);
    if (p->busy) {
        pthread_mutex_unlock(&p->lock);
        return false;
    }
    p->busy = true;
    return true;
}

void sugar_pool_run(void *pool, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    sugar_pool *p = pool;
    job j = {.task = task, .work = work, .count = count, .next = 1};
    j.sleepers = count - 1 < p->workers ? count - 1 : p->workers;
    /* The first task tells how long the others will take: that depends on kind, level and memory. */
    const int64_t start = nanoseconds();
    task(work, 0);
    if ((nanoseconds() - start) * (count - 1) >= SHORTEST_SHARE && take_pool(p))
        share_job(p, &j);
    else
        take_tasks(&j);
}
