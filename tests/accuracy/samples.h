/* The points at which a function is measured. */
#ifndef ACCURACY_SAMPLES_H
#define ACCURACY_SAMPLES_H

#include "element.h"
#include "reference.h"

#include <stddef.h>

/* Numbers by their place in ascending order; see element.h. */
typedef struct samples {
    const element *type;
    int64_t *places;
    size_t count, capacity;
    uint64_t random;            /* state of the generator */
} samples;

/* capacity: more end the program, with a message. */
void samples_begin(samples *points, const element *type, size_t capacity, uint64_t seed);
void samples_end(samples *points);

/* Zeros, subnormals, the smallest and largest numbers, infinities, NaNs; every number at which a
 * function of these parameters could have a kink, with neighbours; `density` numbers of every
 * exponent and sign; and stretches around 0 in the scales of the parameters. */
void samples_fill(samples *points, const double *p, int parameters, int density);

/* Where the exact result changes its nature between two adjacent points - its sign, from normal to
 * subnormal to zero, from finite to overflow, from its limit to something else - finds the place
 * and adds what lies around it. The points must be sorted before and are not after. */
void samples_refine(samples *points, const reference_kind *kind, direction way, const double *p,
                    reference_scratch *scratch);

/* Sorts and removes duplicates. */
void samples_sort(samples *points);

#endif
