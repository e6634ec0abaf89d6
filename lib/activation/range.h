/* What is known of g' from the spec alone: its range, and its values where it has no more than two. */
#ifndef SUGAR_RANGE_H
#define SUGAR_RANGE_H

#include "activation/activation.h"

/* Fills what an activation, complete but for that, has of it. */
void sugar_find_range(sugar_activation *activation);

#endif
