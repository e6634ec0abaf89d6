/* The exact spline of a table: rows of a knot, the value there and the slope there; outside straight lines. */
#ifndef ACCURACY_SPLINE_H
#define ACCURACY_SPLINE_H

#include <mpfr.h>
#include <stddef.h>

/* result = the spline at x (order 0), its derivative (1) or its second derivative (2). At a knot the piece above
 * counts. result != x. */
void spline_evaluate(mpfr_ptr result, const double *rows, size_t knots, int order, mpfr_srcptr x);

#endif
