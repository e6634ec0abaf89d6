/* The kinds that learn a parameter, and how their values change with it. */
#ifndef LEARNERS_H
#define LEARNERS_H

#include "unit.h"

typedef struct learner {
    const char *name, *parameter;
    double (*slope)(double x, double p);    /* df/dparameter */
} learner;

enum { LEARNERS = 9 };
extern const learner learners[LEARNERS];

sugar_activation *create_with(const learner *kind, double parameter);

#endif
