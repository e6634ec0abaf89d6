/* Times the implementations of one case in turns, so that what disturbs one disturbs all; see bench.h. */
#include "bench.h"

#include <stdlib.h>
#include <time.h>

enum { MOST_IMPLEMENTATIONS = 16, FEWEST_ROUNDS = 3, MOST_ROUNDS = 15 };
static const double shortest_sample = 1.5e-3;   /* seconds; far above the clock's resolution */

double now(void)
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

typedef struct turn {
    void *run;                          /* NULL: has no such case */
    int64_t calls;                      /* of one sample */
    double expected, seconds[MOST_ROUNDS];      /* of one sample; of one call */
} turn;

/* How many calls make a sample long enough. The first calls also touch memory and warm the caches. */
static void calibrate(const implementation *i, turn *t)
{
    sample(i, t->run, 1);
    t->calls = 1;
    while ((t->expected = sample(i, t->run, t->calls)) < shortest_sample)
        t->calls *= 2;
}

static int ascending(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* An odd number, for the median. */
static int choose_rounds(double budget, double one_round)
{
    const double fitting = budget / one_round;
    if (fitting >= MOST_ROUNDS)
        return MOST_ROUNDS;
    return fitting <= FEWEST_ROUNDS ? FEWEST_ROUNDS : ((int)fitting - 1) | 1;
}

void measure(const bench_case *c, implementation *const *all, int count, double seconds, measurement *results)
{
    turn turns[MOST_IMPLEMENTATIONS];
    double one_round = 0;
    for (int k = 0; k < count; k++) {
        turns[k] = (turn){.run = all[k]->absent ? NULL : all[k]->open(c)};
        if (turns[k].run)
            calibrate(all[k], &turns[k]);
        one_round += turns[k].expected;
    }
    const int rounds = choose_rounds(seconds, one_round);
    for (int round = 0; round < rounds; round++)
        for (int k = 0; k < count; k++)
            if (turns[k].run) {
                if (c->threads > 1)
                    let_others_rest();
                turns[k].seconds[round] = sample(all[k], turns[k].run, turns[k].calls) / (double)turns[k].calls;
            }
    for (int k = 0; k < count; k++) {
        results[k] = (measurement){0};
        if (!turns[k].run)
            continue;
        all[k]->close(turns[k].run);
        qsort(turns[k].seconds, (size_t)rounds, sizeof turns[k].seconds[0], ascending);
        results[k] = (measurement){true, 1e9 * turns[k].seconds[rounds / 2] / (double)c->elements};
    }
}
