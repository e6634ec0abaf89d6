/* The thread pool: one mutex, two conditions, and for each thread a range of blocks. A thread works on its own range
 * first; when that is done, it takes from the ranges of others (work stealing). Before threads sleep, they look for a
 * short time (spin) whether what they wait for has come. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* sched_getcpu and affinities, on Linux alone */
#endif

#include "threads/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cpu/float_mode.h"

/* The stack of a worker. A call needs at most 384 KiB of it, as sugar.h says and tests/unit/test_stack.c shows. glibc
 * puts the program's thread-local variables there, too: with those of ThreadSanitizer 512 KiB were too few. */
enum { STACK_BYTES = 1024 * 1024 };

/* Nanoseconds. LONGEST_LOOK: how long a thread looks for work before it sleeps. SHORTEST_SHARE_*: how long the
 * rest of a call must take to be shared, if all workers sleep (ASLEEP), or one is looking (AWAKE). A thread that
 * sleeps begins 20 to 40 us late (Zen 5 in a virtual machine, from calls of 200 to 700 us), one that looks begins
 * at once. With two threads, 1 Mi elements and calls one after the other, gelu gets 1.70 times as fast without
 * looking and 1.84 times with it, softplus 1.74 and 1.87, bsilu 1.71 and 1.89, mish 1.76 and 1.88, relu 1.14 and
 * 1.55 (AVX2). */
enum { LONGEST_LOOK = 50000, SHORTEST_SHARE_ASLEEP = 15000, SHORTEST_SHARE_AWAKE = 5000 };

/* A part is an eighth of what is left of a range: so there are few parts, and the last ones are so small that threads
 * end together. APART_BYTES lie between the ranges of two threads, so that they share no cache line. */
enum { PARTS_OF_RANGE = 8, APART_BYTES = 128 };

/* The call that the pool works on; it is on its caller's stack. */
typedef struct job {
    sugar_part *part;
    const void *work;
    int64_t count, block;           /* elements: of the call, and of one block */
    int64_t sleepers;               /* how many workers are still to be woken for it */
} job;

/* A thread that works on a job; member 0 is the caller. */
typedef struct member {
    sugar_pool *pool;
    pthread_t thread;
    _Atomic uint64_t range;         /* of blocks: upper half the first one, lower half the one past the last */
    char apart[APART_BYTES];
} member;

struct sugar_pool {
    pid_t owner;                    /* the process that has the workers */
    pthread_mutex_t lock;           /* held to change all that follows, if nothing else is said */
    pthread_cond_t posted;          /* there is a job, or the pool ends */
    pthread_cond_t left;            /* the last worker has left the job */
    bool busy;                      /* a caller has the pool */
    int processor;                  /* of the thread that woke a worker last */
    /* Read without the lock, too; what is read then may be out of date. */
    _Atomic(job *) open;            /* a job that workers may join, or NULL */
    _Atomic bool ending;
    _Atomic int32_t helpers;        /* workers that are in the job */
    _Atomic int32_t asleep;         /* workers that wait for `posted` */
    _Atomic int64_t last_end;       /* nanoseconds: when the last call ended; changed without the lock */
    int32_t workers;
    member members[];               /* the caller and the workers; set before the first worker starts */
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

static bool has_helpers(sugar_pool *p) { return atomic_load_explicit(&p->helpers, memory_order_relaxed) > 0; }

/* Looks, for LONGEST_LOOK at most, until `waits` is false. Called with the lock and returns with it, but frees it
 * meanwhile. sched_yield() gives the processor to other threads that need it: where another program keeps all other
 * cores busy, a loop of pause instructions makes calls of 160 to 400 us take 1.1 to 1.3 times as long, this one
 * 1.03. */
static void look(sugar_pool *p, bool (*waits)(sugar_pool *))
{
    pthread_mutex_unlock(&p->lock);
    const int64_t end = nanoseconds() + LONGEST_LOOK;
    while (waits(p) && nanoseconds() < end)
        sched_yield();
    pthread_mutex_lock(&p->lock);
}

/* Takes a part, blocks [*begin, *end), from a range: its owner takes from the front, others from the back, so that
 * from call to call a thread finds most of its data in its own caches. False: nothing is left. */
static bool take(_Atomic uint64_t *range, bool is_owner, int64_t *begin, int64_t *end)
{
    uint64_t all = atomic_load_explicit(range, memory_order_relaxed), rest;
    do {
        const int64_t first = (int64_t)(all >> 32), last = (int64_t)(all & UINT32_MAX);
        if (first >= last)
            return false;
        const int64_t length = (last - first - 1) / PARTS_OF_RANGE + 1;
        *begin = is_owner ? first : last - length;
        *end = *begin + length;
        rest = is_owner ? all + ((uint64_t)length << 32) : all - (uint64_t)length;
    } while (!atomic_compare_exchange_weak_explicit(range, &all, rest, memory_order_relaxed, memory_order_relaxed));
    return true;
}

static void run_blocks(const job *j, int64_t begin, int64_t end)
{
    const int64_t last = end * j->block;
    j->part(j->work, begin * j->block, last < j->count ? last : j->count);
}

/* Works until nothing is left in any range, beginning with that of member `self`. (Relaxed atomics suffice: the mutex
 * is taken before and after.) If no worker has joined the caller when its own range is done, one may be waiting for the
 * caller's processor, which is yielded. */
static void work_on(sugar_pool *p, const job *j, int32_t self)
{
    int64_t begin, end;
    for (int32_t i = 0; i <= p->workers; i++) {
        member *m = &p->members[(self + i) % (p->workers + 1)];
        while (take(&m->range, i == 0, &begin, &end))
            run_blocks(j, begin, end);
        if (self == 0 && i == 0 && !has_helpers(p))
            sched_yield();
    }
}

#if defined(__linux__)
static int this_processor(void) { return sched_getcpu(); }

/* Moves this thread to another processor if it is on `processor`, that of the thread that woke it. Some systems put it
 * there though others are free, and then the two take turns: in a virtual machine that does so (Zen 5), calls 5 ms
 * apart took as long with two threads as with one (gelu, 1 Mi elements, 0.58 ns an element), and take 0.33 ns with
 * this. Where another program keeps the other processor busy, calls of 250 us take 1.05 to 1.2 times as long as with
 * one thread. */
static void leave_processor(int processor)
{
    cpu_set_t all, others;
    if (sched_getcpu() != processor || sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    others = all;
    CPU_CLR((size_t)processor, &others);
    if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)
        sched_setaffinity(0, sizeof all, &all);
}
#else
static int this_processor(void) { return 0; }

static void leave_processor(int processor) { (void)processor; }
#endif

/* Each thread that joins a job wakes two more workers for it, so all are awake after a time that grows with the
 * logarithm of their number. Called with the lock, which it frees: a worker that wakes up needs it. */
static void wake_two(sugar_pool *p, job *j)
{
    const int64_t woken = j->sleepers < 2 ? j->sleepers : 2;
    j->sleepers -= woken;
    p->processor = this_processor();
    pthread_mutex_unlock(&p->lock);
    for (int64_t i = 0; i < woken; i++)
        pthread_cond_signal(&p->posted);
}

static void sleep_until_posted(sugar_pool *p)
{
    p->asleep++;
    pthread_cond_wait(&p->posted, &p->lock);
    p->asleep--;
}

/* A worker takes the address of a job and counts itself among its helpers under one lock, and is done with the job
 * when it leaves them. The caller waits for helpers to be 0 before the job leaves its stack. */
static void *run_worker(void *argument)
{
    SUGAR_DEFAULT_MODE;             /* the thread has got that of the one that started it */
    member *const self = argument;
    sugar_pool *p = self->pool;
    bool looks = false;
    pthread_mutex_lock(&p->lock);
    while (!p->ending) {
        job *j = p->open;
        if (!j) {
            if (looks)              /* the next job often comes soon */
                look(p, has_nothing_to_do);
            else
                sleep_until_posted(p);
            looks = !looks;
            continue;
        }
        const int waker = p->processor;
        looks = true;
        p->helpers++;
        wake_two(p, j);
        leave_processor(waker);
        work_on(p, j, (int32_t)(self - p->members));
        pthread_mutex_lock(&p->lock);
        p->open = NULL;
        if (--p->helpers == 0)
            pthread_cond_signal(&p->left);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Starts a worker that blocks all signals, which are left to the program's threads, but those of faults: programs that
 * handle these, such as garbage collectors, do so on the thread that has caused the fault. */
static int start_worker(sugar_pool *p, const pthread_attr_t *attributes)
{
    static const int faults[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    member *const m = &p->members[p->workers + 1];
    m->pool = p;
    const int error = pthread_create(&m->thread, attributes, run_worker, m);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    p->workers += error == 0;
    return error;
}

/* Starts `wanted` workers. Returns 0, or the error number of what failed. */
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
    sugar_pool *p = calloc(1, sizeof *p + (size_t)threads * sizeof p->members[0]);
    if (!p)
        return sugar_error(SUGAR_ERROR_OUT_OF_MEMORY, "context: no memory for a pool of %d threads", (int)threads);
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
        for (int32_t i = 1; i <= pool->workers; i++)
            pthread_join(pool->members[i].thread, NULL);
        pthread_cond_destroy(&pool->left);
        pthread_cond_destroy(&pool->posted);
        pthread_mutex_destroy(&pool->lock);
    }
    free(pool);
}

/* Divides the blocks [begin, end) into one range for each thread. */
static void divide(sugar_pool *p, int64_t begin, int64_t end)
{
    const int64_t threads = p->workers + 1;
    for (int64_t i = 0; i < threads; i++) {
        const uint64_t first = (uint64_t)(begin + i * (end - begin) / threads);
        const uint64_t last = (uint64_t)(begin + (i + 1) * (end - begin) / threads);
        atomic_store_explicit(&p->members[i].range, first << 32 | last, memory_order_relaxed);
    }
}

/* Shares the blocks [begin, end) of a job with the workers, works on them, and returns when all workers have left the
 * job. Called with the pool taken and the lock held; frees both. If a worker was asleep, yields the processor: the
 * worker may have been woken on it, and must run to leave it. */
static void share_job(sugar_pool *p, job *j, int64_t begin, int64_t end)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);    /* the job is on this thread's stack */
    divide(p, begin, end);
    const bool wakes = p->asleep > 0;
    p->open = j;
    wake_two(p, j);
    if (wakes)
        sched_yield();
    work_on(p, j, 0);
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

/* Takes the pool for a caller. True: it is taken, and the lock is held. False: it works for another caller, or this is
 * a child of the process that made it; there even the lock may be held, by a thread that does not exist in the
 * child. */
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

/* How many blocks the caller computes alone, to see how long the others will take: that depends on kind, level and
 * memory. */
static int64_t choose_first(int64_t blocks)
{
    enum { MOST = 8, SHARE = 256 };
    return blocks < 2 * SHARE ? 1 : blocks > MOST * SHARE ? MOST : blocks / SHARE;
}

/* The shortest rest of a call, in nanoseconds, that is shared if the call began at `time`. If calls follow each other
 * closely, a worker is woken even if it will be too late for this one. */
static int64_t shortest_share(sugar_pool *p, int64_t time)
{
    const bool is_next = time - atomic_load_explicit(&p->last_end, memory_order_relaxed) < LONGEST_LOOK;
    const bool all_asleep = atomic_load_explicit(&p->asleep, memory_order_relaxed) == p->workers;
    return is_next || !all_asleep ? SHORTEST_SHARE_AWAKE : SHORTEST_SHARE_ASLEEP;
}

void sugar_pool_run(sugar_pool *pool, sugar_part *part, const void *work, int64_t count, int64_t block)
{
    while ((count - 1) / block >= UINT32_MAX)   /* a range holds two numbers of blocks, of 32 bits each */
        block *= 2;
    const int64_t blocks = (count - 1) / block + 1, first = choose_first(blocks), rest = blocks - first;
    job j = {.part = part, .work = work, .count = count, .block = block};
    j.sleepers = rest - 1 < pool->workers ? rest - 1 : pool->workers;
    const int64_t start = nanoseconds();
    run_blocks(&j, 0, first);
    const int64_t then = nanoseconds(), expected = (then - start) * rest / first;
    int64_t end = then + expected;
    if (rest > 1 && expected >= shortest_share(pool, start) && take_pool(pool)) {
        share_job(pool, &j, first, blocks);
        end = nanoseconds();
    } else if (rest > 0) {
        run_blocks(&j, first, blocks);
    }
    atomic_store_explicit(&pool->last_end, end, memory_order_relaxed);
}
