/* The slope by which leaky_relu, prelu and rrelu multiply a negative x. */
#ifndef SUGAR_SLOPE_H
#define SUGAR_SLOPE_H

#include "activation/spec.h"
#include "base/element.h"

/* As a real; 0 for other kinds. In a narrow type it may be a neighbour of the slope, see slope.c. */
double sugar_slope_find(sugar_element element, const sugar_function *f);

#endif
