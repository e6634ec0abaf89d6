/* Every number of a type of 16 bits, through one function. */
#ifndef ACCURACY_HALF_H
#define ACCURACY_HALF_H

#include "report.h"

/* Whether the type is one of 16 bits. */
int half_is(const element *type);

/* Measures all 65,536 inputs. A result fails if it is not one of the two neighbours of the exact one.
 * The fast reference, if the machine can run it, decides most results, and MPFR all others. */
void half_measure(check *work, const sugar_activation *activation, reference_scratch *scratch);

#endif
