/* The table on screen, and the records. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdio.h>

#include "bench.h"
#include "plan.h"

/* How far a run is. */
typedef struct progress {
    int done, count;
    double start, seconds;              /* seconds: how long it may take */
    double cost_done, cost;             /* those of plan.h */
} progress;

/* Says how many cases there are and about how long they take. */
progress progress_start(const plan *p, bool quick);
void progress_step(progress *at, const bench_case *c);

/* data: how x is spread, NULL for the usual. ours is all[0] everywhere. */
void report_heading(implementation *const *all, int count, const char *data);
/* One row; ratios are the time of another implementation over ours, so above 1 ours is faster. */
void report_row(const progress *at, const bench_case *c, implementation *const *all, const measurement *results,
                int count);

/* One record for each measurement, then what was measured with which versions, and how many cores others kept busy
 * (negative: not known); together one JSON object. */
void report_records(FILE *json, const bench_case *c, implementation *const *all, const measurement *results, int count);
void report_end(FILE *json, implementation *const *all, int count, const char *data, double others);

#endif
