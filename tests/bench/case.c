/* The fields of a case as text, and one call; see bench.h. */
#include "bench.h"

#include <stdio.h>

const char *const pass_names[2] = {"forward", "backward"};

void case_field(const bench_case *c, field of, char text[FIELD_SIZE])
{
    switch (of) {
    case KIND: snprintf(text, FIELD_SIZE, "%s", c->kind); break;
    case DIRECTION: snprintf(text, FIELD_SIZE, "%s", pass_names[c->way]); break;
    case DTYPE: snprintf(text, FIELD_SIZE, "%s", element_formats[c->type].name); break;
    case ELEMENTS: snprintf(text, FIELD_SIZE, "%lld", (long long)c->elements); break;
    case THREADS: snprintf(text, FIELD_SIZE, "%d", c->threads); break;
    default: snprintf(text, FIELD_SIZE, "%s", c->layout); break;
    }
}

bool is_vector(const bench_case *c) { return c->ndim == 1; }

bool has_third(const bench_case *c) { return c->adds == GATE || c->adds == TWICE; }

void compute_once(const implementation *i, void *run)
{
    if (i->call)
        i->call(run);
    else
        i->seconds(run, 1);
}

size_t case_bytes(const bench_case *c) { return (size_t)c->elements * element_formats[c->type].width; }
