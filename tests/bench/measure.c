/* Times the implementations of one case in turns, so that what disturbs one disturbs all; see bench.h. */
#include "bench.h"

#include <stdlib.h>
#include <time.h>

enum { MOST_IMPLEMENTATIONS = 16, MOST_ROUNDS = 15 };
static const double shortest_sample = 1.5e-3;   /* seconds; far above the clock's resolution */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Until helper threads of the implementation before, which wait for more work in a loop, have gone to sleep. */
static void let_others_rest(void)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    nanosleep(&pause, NULL);
}

static double sample(const implementation *i, void *run, int64_t calls)
{
    if (i->seconds)
        return i->seconds(run, calls);
    const double start = now();
    for (int64_t call = 0; call < calls; call++)
        i->call(run);
    return now() - start;
}

/* How many calls make a sample long enough. The first calls also touch memory and warm the caches. */
static int64_t calibrate(const implementation *i, void *run)
{
    sample(i, run, 1);
    int64_t calls = 1;
    while (sample(i, run, calls) < shortest_sample)
        calls *= 2;
    return calls;
}

static int ascending(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

void measure(const bench_case *c, implementation *const *all, int count, int rounds, measurement *results)
{
    void *runs[MOST_IMPLEMENTATIONS];
    int64_t calls[MOST_IMPLEMENTATIONS];
    double seconds[MOST_IMPLEMENTATIONS][MOST_ROUNDS];
    for (int k = 0; k < count; k++) {
        runs[k] = all[k]->absent ? NULL : all[k]->open(c);
        calls[k] = runs[k] ? calibrate(all[k], runs[k]) : 0;
    }
    for (int round = 0; round < rounds; round++)
        for (int k = 0; k < count; k++)
            if (runs[k]) {
                if (c->threads > 1)
                    let_others_rest();
                seconds[k][round] = sample(all[k], runs[k], calls[k]) / (double)calls[k];
            }
    for (int k = 0; k < count; k++) {
        results[k] = (measurement){0};
        if (!runs[k])
            continue;
        all[k]->close(runs[k]);
        qsort(seconds[k], (size_t)rounds, sizeof seconds[k][0], ascending);
        results[k] = (measurement){true, 1e9 * seconds[k][rounds / 2] / (double)c->elements};
    }
}
