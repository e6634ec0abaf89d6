/* Which cases are measured; see plan.h. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/support.h"

enum { CACHE = 32 << 10, LAST_CACHE = 1 << 20, RAM = 32 << 20 };

const char *const direction_names[2] = {"forward", "backward"};

const char *type_name(const bench_case *c)
{
    return c->width == sizeof(float) ? "f32" : "f64";
}

bool is_contiguous(const bench_case *c)
{
    return c->ndim == 1;
}

static void add(plan *p, const filter *wanted, const bench_case *c)
{
    if ((wanted->kind && strcmp(wanted->kind, c->kind) != 0)
        || (wanted->direction && strcmp(wanted->direction, direction_names[c->way]) != 0)
        || (wanted->elements && wanted->elements != c->elements))
        return;
    if (p->count == p->capacity) {
        p->capacity = p->capacity ? 2 * p->capacity : 256;
        bench_case *more = realloc(p->cases, (size_t)p->capacity * sizeof *more);
        if (!more)
            give_up("bench", "no memory for the plan");
        p->cases = more;
    }
    p->cases[p->count++] = *c;
}

/* A case over a vector; the rest of a case for other layouts. */
static bench_case vector(const char *kind, uint32_t roles, direction way, size_t width, int64_t elements,
                         int threads)
{
    bench_case c = {.way = way, .width = width, .elements = elements, .threads = threads, .ndim = 1,
                    .layout = "contiguous", .shape = {elements}, .strides = {{1}, {1}, {1}}};
    snprintf(c.kind, sizeof c.kind, "%s", kind);
    snprintf(c.spec, sizeof c.spec, "%s%s", roles & SUGAR_ROLE_FORWARD ? "" : "heaviside~", kind);
    return c;
}

/* Row-major strides for dimensions that lie in memory in the order given, outermost first. */
static void order_strides(const int64_t *shape, const int *order, int64_t *strides)
{
    int64_t step = 1;
    for (int d = DIMENSIONS - 1; d >= 0; d--) {
        strides[order[d]] = step;
        step *= shape[order[d]];
    }
}

/* A tensor of batch, channels, height, width. */
static bench_case tensor(const char *kind, direction way, size_t width, int64_t elements, const char *layout)
{
    static const int as_named[DIMENSIONS] = {0, 1, 2, 3};
    bench_case c = vector(kind, SUGAR_ROLE_FORWARD, way, width, elements, 1);
    const int64_t batch = elements >= RAM ? 32 : 4, side = elements >= RAM ? 128 : 64;
    const int64_t shape[DIMENSIONS] = {batch, elements / batch / side / side, side, side};
    snprintf(c.layout, sizeof c.layout, "%s", layout);
    c.ndim = DIMENSIONS;
    memcpy(c.shape, shape, sizeof shape);
    for (int k = 0; k < OPERANDS; k++)
        order_strides(c.shape, as_named, c.strides[k]);
    return c;
}

/* x as named, NCHW; dy and the output in another order, NHWC and all the others. */
static void add_permutation(plan *p, const filter *wanted, bench_case c, const int *order)
{
    static const char names[DIMENSIONS] = {'N', 'C', 'H', 'W'};
    for (int d = 0; d < DIMENSIONS; d++)
        c.layout[5 + d] = names[order[d]];
    order_strides(c.shape, order, c.strides[DY]);
    order_strides(c.shape, order, c.strides[OUT]);
    add(p, wanted, &c);
}

static void add_strided(plan *p, const filter *wanted, const char *kind, direction way, size_t width,
                        int64_t elements)
{
    for (int code = 0; code < 256; code++) {
        const int order[DIMENSIONS] = {code >> 6, code >> 4 & 3, code >> 2 & 3, code & 3};
        if ((1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3]) == 15)
            add_permutation(p, wanted, tensor(kind, way, width, elements, "NCHW>NCHW"), order);
    }
    bench_case c = tensor(kind, way, width, elements, "x reversed");
    for (int d = 0; d < DIMENSIONS; d++)
        c.strides[X][d] = -c.strides[X][d];
    add(p, wanted, &c);
    if (way == BACKWARD) {
        c = tensor(kind, way, width, elements, "dy broadcast");
        memset(c.strides[DY], 0, sizeof c.strides[DY]);
        add(p, wanted, &c);
    }
}

static void add_vectors(plan *p, const filter *wanted, const char *kind, uint32_t roles, size_t width,
                        int64_t elements)
{
    for (int threads = 1; threads <= MAX_THREADS; threads++)
        for (int way = roles & SUGAR_ROLE_FORWARD ? FORWARD : BACKWARD; way <= BACKWARD; way++) {
            const bench_case c = vector(kind, roles, (direction)way, width, elements, threads);
            add(p, wanted, &c);
        }
}

static void add_overhead(plan *p, const filter *wanted, size_t width)
{
    static const char *const kinds[] = {"relu", "relu~bsilu"};
    for (int64_t elements = 1; elements <= 16; elements += 15)
        for (int k = 0; k < 2; k++)
            for (int way = FORWARD; way <= BACKWARD; way++) {
                const bench_case c = vector(kinds[k], SUGAR_ROLE_FORWARD, (direction)way, width, elements, 1);
                add(p, wanted, &c);
            }
}

static void add_type(plan *p, const filter *wanted, size_t width)
{
    static const int64_t sizes[] = {CACHE, LAST_CACHE, RAM};
    add_overhead(p, wanted, width);
    for (int32_t k = 0; k < sugar_kind_count(); k++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        sugar_kind_get(k, &kind);
        for (int s = 0; s < 3; s++)
            if (!wanted->quick || sizes[s] != RAM || strcmp(kind.name, "relu") == 0)
                add_vectors(p, wanted, kind.name, kind.roles, width, sizes[s]);
    }
    for (int s = 0; s < 3; s++)
        add_vectors(p, wanted, "relu~bsilu", SUGAR_ROLE_FORWARD, width, sizes[s]);
    for (int way = FORWARD; way <= BACKWARD; way++)
        for (int s = 1; s < (wanted->quick ? 2 : 3); s++)
            add_strided(p, wanted, "relu", (direction)way, width, sizes[s]);
}

plan plan_make(const filter *wanted)
{
    plan p = {0};
    add_type(&p, wanted, sizeof(float));
    if (!wanted->quick)
        add_type(&p, wanted, sizeof(double));
    return p;
}

void plan_free(plan *p)
{
    free(p->cases);
}

void plan_place(bench_case *c, const memory *m)
{
    for (int k = 0; k < OPERANDS; k++) {
        int64_t first = 0;              /* a negative stride starts at its other end */
        for (int d = 0; d < c->ndim; d++)
            if (c->strides[k][d] < 0)
                first -= c->strides[k][d] * (c->shape[d] - 1);
        c->data[k] = (unsigned char *)memory_operand(m, k) + (size_t)first * c->width;
    }
}
