/* Spec strings: read into a sugar_spec, and written from it in the canonical form. */
#ifndef SUGAR_SPEC_H
#define SUGAR_SPEC_H

#include <stdbool.h>

#include "activation/catalogue.h"
#include "base/error.h"
#include "base/text.h"

/* A kind and its parameters, as doubles, in the order of the catalogue. */
typedef struct sugar_function {
    int32_t kind;
    double parameter[SUGAR_MAX_PARAMETERS];
    bool has_digest;                /* of the kind `table`: digest says which table it is */
    uint64_t digest;
} sugar_function;

typedef struct sugar_spec {
    sugar_function forward, surrogate;
    bool has_surrogate;             /* false: surrogate is the forward function itself */
    bool negative_only;             /* domain=negative */
    double blend;
} sugar_spec;

/* Read a spec of at most SUGAR_MAX_SPEC bytes; and write the canonical one, which is shorter. */
sugar_status sugar_spec_read(sugar_spec *spec, const char *text, size_t length);
sugar_status sugar_spec_write(const sugar_spec *spec, sugar_text *text);

#endif
