/* Levels: the instruction sets that kernels are compiled for, and the choice among them. */
#ifndef SUGAR_LEVEL_H
#define SUGAR_LEVEL_H

#include <stdbool.h>

#include "base/error.h"
#include "kernels/kernels.h"

typedef struct sugar_level_entry {
    const char *name;
    const sugar_kernels *kernels[SUGAR_ELEMENT_COUNT];  /* NULL: not compiled into this library */
    bool is_of_processor;           /* processors of this architecture can have the level */
    bool (*is_here)(void);          /* whether this processor and its operating system have the level */
} sugar_level_entry;

/* The best level that this machine has; if the environment variable SUGAR_LEVEL names a level of this kind of
 * processor, the best one that is not above it. Any other value is ignored, so that one variable serves a cluster of
 * different machines. Called when a handle is made, and by sugar_level_get: nowhere else is the environment read, as
 * another thread may change it at that time. */
const sugar_level_entry *sugar_level_default(void);

/* Finds the level with this name, or the default one if name is NULL. A name that is not that of a usable level is an
 * error. */
sugar_status sugar_level_select(const char *name, const sugar_level_entry **level);

#endif
