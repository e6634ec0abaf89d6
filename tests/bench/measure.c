/* Times the implementations of one case in turns, so that what disturbs one disturbs all; see bench.h. */
#include "bench.h"

#include <sched.h>
#include <time.h>

enum { MOST_IMPLEMENTATIONS = 16, FEWEST_ROUNDS = 3, MOST_ROUNDS = 11 };
static const double shortest_sample = 1.5e-3;   /* seconds; far above the clock's resolution */
static const double long_sample = 1e-2;         /* one that needs no second try to tell how long it takes */

/* Waits until helper threads of the peer that ran before, which spin for more work, sleep. */
static void let_others_rest(void)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    nanosleep(&pause, NULL);
}

/* One core for everybody where there is one thread: cores differ by what else the machine does, by a factor of
 * 1.3 between ours and PyTorch's process where a hypervisor shares them out. peers_torch.py takes the same
 * one. */
static void use_one_core(bool one)
{
    static cpu_set_t all;
    if (CPU_COUNT(&all) == 0 && sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    cpu_set_t last;
    CPU_ZERO(&last);
    for (size_t cpu = CPU_SETSIZE; CPU_COUNT(&last) == 0 && cpu-- > 0;)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &last);
    sched_setaffinity(0, sizeof all, one ? &last : &all);
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
    t->calls = 1;
    t->expected = sample(i, t->run, 1);
    if (t->expected >= long_sample)
        return;
    while ((t->expected = sample(i, t->run, t->calls)) < shortest_sample)
        t->calls *= 2;
}

/* An odd number, for the median. */
static int choose_rounds(double budget, double one_round)
{
    const double fitting = budget / one_round;
    if (fitting >= (double)MOST_ROUNDS)
        return MOST_ROUNDS;
    return fitting <= (double)FEWEST_ROUNDS ? FEWEST_ROUNDS : ((int)fitting - 1) | 1;
}

/* Times all implementations in turns, `rounds` times. */
static void run_rounds(const bench_case *c, implementation *const *all, int count, int rounds, turn *turns)
{
    bool disturbed = false;             /* by helpers of the peer before */
    for (int round = 0; round < rounds; round++)
        for (int k = 0; k < count; k++)
            if (turns[k].run) {
                if (disturbed)
                    let_others_rest();
                if (turns[k].expected < long_sample)    /* loop-nt leaves nothing in the caches */
                    sample(all[k], turns[k].run, turns[k].calls / 4 + 1);
                turns[k].seconds[round] = sample(all[k], turns[k].run, turns[k].calls) / (double)turns[k].calls;
                disturbed = c->threads > 1 && all[k]->role == PEER && all[k] != all[0];
            }
}

void measure(const bench_case *c, implementation *const *all, int count, double seconds, measurement *results)
{
    turn turns[MOST_IMPLEMENTATIONS];
    double one_round = 0;
    use_one_core(c->threads == 1);
    for (int k = 0; k < count; k++) {
        turns[k] = (turn){.run = all[k]->absent ? NULL : all[k]->open(c)};
        if (turns[k].run)
            calibrate(all[k], &turns[k]);
        one_round += turns[k].expected;
    }
    const int rounds = choose_rounds(seconds, one_round);
    run_rounds(c, all, count, rounds, turns);
    for (int k = 0; k < count; k++) {
        results[k] = (measurement){0};
        if (!turns[k].run)
            continue;
        all[k]->close(turns[k].run);
        results[k] = (measurement){true, 1e9 * median(turns[k].seconds, rounds) / (double)c->elements};
    }
}
