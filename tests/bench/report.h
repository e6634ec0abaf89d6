/* The table on screen, the records, and the summary. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdio.h>

#include "bench.h"

void report_heading(implementation *const *all, int count);
/* One row; ratios are the time of another implementation over ours, so above 1 ours is faster. */
void report_row(const bench_case *c, implementation *const *all, const measurement *results, int count);
/* One record for each measurement; *first says whether a comma is due. */
void report_records(FILE *json, const bench_case *c, implementation *const *all, const measurement *results,
                    int count, bool *first);

/* Against the fastest peer of each case, by threads and size: up to 32 Ki elements, up to 1 Mi, beyond. */
typedef struct summary {
    struct {
        double log_sum;
        int cases, slower;
    } group[MAX_THREADS][3];
    int alone;
} summary;
void summary_add(summary *s, const bench_case *c, implementation *const *all, const measurement *results,
                 int count);
void summary_print(const summary *s);

#endif
