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

/* Against the fastest peer of each case. */
typedef struct summary {
    double log_sum[3];                  /* by size: up to 32 Ki elements, up to 1 Mi, beyond */
    int cases[3], slower[3], alone;
} summary;
void summary_add(summary *s, const bench_case *c, implementation *const *all, const measurement *results,
                 int count);
void summary_print(const summary *s);

#endif
