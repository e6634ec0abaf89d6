/* A second reference, in double arithmetic and several numbers at a time: far more accurate than f32
 * and fast enough for every f32 there is. Checked against the MPFR reference before use. */
#ifndef ACCURACY_FAST_H
#define ACCURACY_FAST_H

#include "reference.h"

#include <stddef.h>

/* Whether this processor can run it: it may have been compiled for AVX2. */
int fast_usable(void);

/* Whether fast.c has the function. */
int fast_has(const char *kind, direction way);

/* y[i] = a function that it has at x[i]; the x are finite numbers of f32; n is a multiple of FAST_LANES.
 * Relative errors are below FAST_ERROR where the result is not below FAST_TINY (0 in f32), except next
 * to a change of sign. */
enum { FAST_LANES = 4 };
#define FAST_ERROR 1e-12
#define FAST_TINY 0x1p-151
void fast_evaluate(const char *kind, direction way, const double *p, size_t n, const double *x, double *y);

/* Errors of f32 results in ULP of the exact ones: infinite where either is NaN, or where the computed one
 * differs from an exact zero. Sets *worst to the largest; adds the correctly rounded results to *rounded.
 * ulps may be NULL. */
void fast_errors(size_t n, const float *computed, const double *exact, double *ulps, double *worst, long long *rounded);

/* |x| as f32's unit in the last place */
double fast_ulp(double x);

#endif
