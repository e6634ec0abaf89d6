/* What is compared: an activation and the technique it is trained with. */
#ifndef RESURRECT_CONTENDER_H
#define RESURRECT_CONTENDER_H

#include <sugar/sugar.h>

#include "options.h"

/* The state of a contender's parameter if it is learned. */
typedef struct learned_parameter {
    const char *name;
    double start, minimum, maximum;
} learned_parameter;

typedef struct contender {
    char *label;                    /* the spec as the user wrote it, and its technique */
    const char *spec;               /* as the user wrote it */
    technique technique;
    sugar_activation *activation;
    sugar_activation *plain;        /* its forward function, with the true derivative */
    int draws;                      /* slopes are drawn at random while it is trained */
    double threshold;               /* a unit is active where its input is above */
    learned_parameter learned;      /* name: NULL if the parameter is not learned */
} contender;

/* As many as lines in a plot can be told apart. */
enum { MOST_CONTENDERS = MOST_ACTIVATIONS };

typedef struct contenders {
    int count;
    contender list[MOST_CONTENDERS];
} contenders;

/* Each activation of the options plainly, and once more with each of their techniques that it allows. Fails for a
 * wrong spec, for one that is there twice, and for a technique that no activation allows. */
void contenders_create(contenders *made, const options *chosen);
void contenders_destroy(contenders *made);

/* The blend of the surrogate's derivative. */
double contender_blend(const contender *of);

/* The activation with another blend, for the caller to destroy. */
sugar_activation *contender_with_blend(const contender *of, double blend);

/* Fails unless the library's call was successful. */
void require(sugar_status status);

#endif
