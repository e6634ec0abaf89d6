/* Whether the two references agree. */
#ifndef ACCURACY_FAST_CHECK_H
#define ACCURACY_FAST_CHECK_H

#include "bound.h"
#include "reference.h"

/* Compares the fast reference with the MPFR reference on a sample of all f32 numbers. The worst
 * relative error and where it is. Next to a change of sign the error is relative to the largest
 * |derivative|. */
double fast_check(const reference_kind *kind, direction way, const double *p, int parameters,
                  reference_scratch *scratch, double *at);

#endif
