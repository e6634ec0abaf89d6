/* The catalogue: the entries of kinds.def as a table, and the search for names in it. */
#ifndef SUGAR_CATALOGUE_H
#define SUGAR_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

typedef struct sugar_parameter_entry {
    const char *name;               /* NULL: no such parameter */
    double default_value, minimum, maximum;
    bool up_to_next;                /* its value may not be above that of the next parameter */
} sugar_parameter_entry;

typedef struct sugar_kind_entry {
    const char *name, *alias;
    const char *value, *derivative, *source;
    uint32_t roles;                 /* SUGAR_ROLE_* */
    sugar_parameter_entry parameters[SUGAR_MAX_PARAMETERS];
} sugar_kind_entry;

/* Indexed by SUGAR_KIND_*. */
extern const sugar_kind_entry sugar_kinds[SUGAR_KIND_COUNT];

int32_t sugar_kind_parameter_count(const sugar_kind_entry *kind);

/* The kind's SUGAR_CAN_* flags. */
uint64_t sugar_kind_capabilities(int32_t kind);

/* The SUGAR_KIND_* of the kind with this name or alias; -1: there is none. */
int32_t sugar_kind_find(const char *name, size_t length);

/* The name or alias closest to `name`, among those of the kinds that have the role. */
const char *sugar_kind_nearest(const char *name, size_t length, uint32_t role);

#endif
