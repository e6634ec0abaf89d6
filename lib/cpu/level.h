/* Levels: the instruction sets that kernels are compiled for, and the choice among them. */
#ifndef SUGAR_LEVEL_H
#define SUGAR_LEVEL_H

#include <stdbool.h>

#include "base/error.h"
#include "kernels/kernels.h"

typedef struct sugar_level_entry {
    const char *name;
    const sugar_kernels *kernels[SUGAR_ELEMENT_COUNT];  /* NULL: not compiled into this library */
    bool (*is_here)(void);          /* whether this processor and its operating system have the level */
} sugar_level_entry;

/* Finds the level with this name; if name is NULL, the one that the environment variable SUGAR_LEVEL names; if that is
 * not set or empty, the best one that this machine has. A name that is not that of a usable level is an error. */
sugar_status sugar_level_select(const char *name, const sugar_level_entry **level);

#endif
