/* Which cases are measured. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "bench.h"

/* What the user asked for; NULL, or 0 elements: everything. */
typedef struct filter {
    bool quick;
    const char *kind, *direction;
    int64_t elements;
} filter;

typedef struct plan {
    bench_case *cases;                  /* those of one element type follow each other */
    int count, capacity;
} plan;

/* Without memory yet: data are not set. */
plan plan_make(const filter *wanted);
void plan_free(plan *p);
/* Gives a case its memory. */
void plan_place(bench_case *c, const memory *m);

#endif
