/* The bounds of g', and its values if it has no more than two. Both follow from the spec. */
#ifndef SUGAR_RANGE_H
#define SUGAR_RANGE_H

#include "activation/activation.h"

/* Sets minimum, maximum and each type's `values`; everything else in the activation is set already. */
void sugar_find_range(sugar_activation *activation);

#endif
