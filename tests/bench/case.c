/* What a case tells of itself; see bench.h. */
#include "bench.h"

const char *const pass_names[2] = {"forward", "backward"};

bool is_vector(const bench_case *c)
{
    return c->ndim == 1;
}

size_t case_bytes(const bench_case *c)
{
    return (size_t)c->elements * element_formats[c->type].width;
}
