/* Which cases are measured. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "bench.h"

/* What the user asked for. */
typedef struct filter {
    bool quick;                         /* a selection: f32, and less of what is in memory */
    const char *value[FIELDS];          /* NULL: everything */
} filter;

typedef struct plan {
    bench_case *cases;                  /* those of one element type follow each other */
    int count, capacity;
} plan;

/* About how many seconds a case takes: for the first guess of the time left, and to weigh it. */
double plan_cost(const bench_case *c);

/* Without memory yet: data are not set. */
plan plan_make(const filter *wanted);
void plan_free(plan *p);
/* Ends the program if no case at all has a value that the user asked for; names[]: the options. */
void plan_check(const filter *wanted, const char *const names[FIELDS]);
/* Gives a case its memory. */
void plan_place(bench_case *c, const memory *m);

#endif
