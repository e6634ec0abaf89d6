/* The checks of the views that a call is given, and the walk over them. */
#ifndef SUGAR_TENSOR_H
#define SUGAR_TENSOR_H

#include "walk.h"

/* An argument and its name in messages. */
typedef struct sugar_operand {
    const char *name;
    const sugar_tensor *tensor;
    bool is_flat;                   /* the caller gave a pointer and a step, which messages speak of */
} sugar_operand;

/* Checks the views, of which the last is the output and the first the one that the others must be like,
 * and makes the walk over them. A walk with a count of 0 has nothing but that count. */
sugar_status sugar_walk_make(sugar_walk *walk, const sugar_operand *operands, int count);

#endif
