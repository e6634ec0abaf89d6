/* What is compared: activations. */
#ifndef RESURRECT_CONTENDER_H
#define RESURRECT_CONTENDER_H

#include <sugar/sugar.h>

#include "options.h"

enum { MOST_CONTENDERS = MOST_ACTIVATIONS };

typedef struct contender {
    char *label;                    /* in tables and plots */
    const char *spec;               /* as the user wrote it */
    sugar_activation *activation;
    sugar_activation *plain;        /* its forward function, with the true derivative */
} contender;

typedef struct contenders {
    int count;
    contender list[MOST_CONTENDERS];
} contenders;

/* One for each activation of the options. Fails for a wrong spec, and for one that is there twice. */
void contenders_create(contenders *made, const options *chosen);
void contenders_destroy(contenders *made);

#endif
