/* Whether the peers solve the problem that ours does; see bench.h. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/support.h"

static const int outputs[2] = {OUT, OTHER};

/* From one element that is compared to the next: odd, so that all rows and channels have some of them. */
static int64_t step_of(const bench_case *c) { return c->elements / (1 << 16) | 1; }

static double value_at(const bench_case *c, int operand, int64_t i)
{
    return element_value(element_load(c->data[operand], i, c->type), c->type);
}

/* A gradient of biases is not compared: peers sum it in the element type. */
static int outputs_of(const bench_case *c) { return c->way == BACKWARD && has_third(c) ? 2 : 1; }

/* False if it has no such case. Outputs that it does not write are NaN afterwards. */
static bool try(const implementation *i, const bench_case *c)
{
    for (int k = 0; k < outputs_of(c); k++)
        memset(c->data[outputs[k]], 0xFF, case_bytes(c));
    void *run = i->absent ? NULL : i->open(c);
    if (!run)
        return false;
    compute_once(i, run);
    i->close(run);
    return true;
}

/* Peers round to the element type between operations, some of which cancel, and have formulas that give up digits. */
static bool is_close(double found, double expected, element_type type)
{
    const double rounding = ldexp(16, -element_formats[type].mantissa_bits), formula = 1e-5;
    return fabs(found - expected) <= (rounding + formula) * (1 + fabs(expected));
}

static void compare(const bench_case *c, const char *name, int operand, const double *expected)
{
    for (int64_t i = 0; i < c->elements; i += step_of(c), expected++) {
        const double found = value_at(c, operand, i);
        if (is_close(found, *expected, c->type))
            continue;
        char problem[256];
        snprintf(problem, sizeof problem, "%s %s %s, %s: output %d of element %lld is %g, expected %g, as ours",
                 c->kind, pass_names[c->way], element_formats[c->type].name, c->layout, operand == OUT ? 1 : 2,
                 (long long)i, found, *expected);
        give_up(name, problem);
    }
}

void check_peers(const bench_case *c, implementation *const *all, int count)
{
    double *expected[2] = {NULL, NULL};
    if (c->adds == NOTHING || !try(all[0], c))
        return;
    for (int k = 0; k < outputs_of(c); k++) {
        double *to = expected[k] = malloc((size_t)(c->elements / step_of(c) + 1) * sizeof *to);
        if (!to)
            give_up("bench", "no memory for the results of ours");
        for (int64_t i = 0; i < c->elements; i += step_of(c))
            *to++ = value_at(c, outputs[k], i);
    }
    for (int k = 1; k < count; k++)
        if (all[k]->role == PEER && try(all[k], c))
            for (int output = 0; output < outputs_of(c); output++)
                compare(c, all[k]->name, outputs[output], expected[output]);
    free(expected[0]);
    free(expected[1]);
}
