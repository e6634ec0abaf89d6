/* The clock, and the figure taken from many samples. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

/* Seconds of a clock that only goes forward. */
double now(void);

/* Of `count` values, an odd number; puts them in order. */
double median(double *values, int count);

#endif
