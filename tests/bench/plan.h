/* Which cases are measured. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "bench.h"

/* What the user asked for; NULL or 0: everything. */
typedef struct filter {
    bool quick;                         /* a selection that takes a minute */
    const char *kind, *direction, *type, *layout;
    int64_t elements, threads;
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
/* Gives a case its memory. */
void plan_place(bench_case *c, const memory *m);

#endif
