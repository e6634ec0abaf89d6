/* Which cases are measured; see plan.h. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "../support/support.h"

enum { CACHE = 32 << 10, LAST_CACHE = 1 << 20, RAM = 32 << 20 };

double plan_cost(const bench_case *c) { return 0.3 + 4e-9 * (double)case_bytes(c) * (is_vector(c) ? 1 : 3); }

static void add(plan *p, const filter *wanted, const bench_case *c)
{
    for (int f = 0; f < FIELDS; f++) {
        char value[FIELD_SIZE];
        case_field(c, (field)f, value);
        if (wanted->value[f] && strcmp(wanted->value[f], value) != 0)
            return;
    }
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
static bench_case vector(const char *kind, uint32_t roles, pass way, element_type type, int64_t elements, int threads)
{
    bench_case c = {.way = way,
                    .type = type,
                    .elements = elements,
                    .threads = threads,
                    .ndim = 1,
                    .layout = "contiguous",
                    .shape = {elements},
                    .strides = {{1}, {1}, {1}, {1}, {1}}};
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

static const int as_named[DIMENSIONS] = {0, 1, 2, 3}, channels_last[DIMENSIONS] = {0, 2, 3, 1};

/* A compact tensor of batch, channels, height, width. */
static bench_case tensor(const char *kind, pass way, element_type type, const int64_t *shape, const char *layout)
{
    const int64_t elements = shape[0] * shape[1] * shape[2] * shape[3];
    bench_case c = vector(kind, SUGAR_ROLE_FORWARD, way, type, elements, 1);
    snprintf(c.layout, sizeof c.layout, "%s", layout);
    c.ndim = DIMENSIONS;
    memcpy(c.shape, shape, sizeof c.shape);
    for (int k = 0; k < OPERANDS; k++)
        order_strides(c.shape, as_named, c.strides[k]);
    return c;
}

/* x in one order; dy and the output in another, NHWC and all the others. */
static void add_permutation(plan *p, const filter *wanted, bench_case c, const int *from, const int *to)
{
    static const char names[DIMENSIONS] = {'N', 'C', 'H', 'W'};
    char *text = c.layout + strlen(c.layout) - (2 * DIMENSIONS + 1);    /* the layout ends in "NCHW>NCHW" */
    for (int d = 0; d < DIMENSIONS; d++) {
        text[d] = names[from[d]];
        text[DIMENSIONS + 1 + d] = names[to[d]];
    }
    order_strides(c.shape, from, c.strides[X]);
    order_strides(c.shape, to, c.strides[DY]);
    order_strides(c.shape, to, c.strides[OUT]);
    add(p, wanted, &c);
}

static void add_all_permutations(plan *p, const filter *wanted, const bench_case *c)
{
    for (int code = 0; code < 256; code++) {
        const int order[DIMENSIONS] = {code >> 6, code >> 4 & 3, code >> 2 & 3, code & 3};
        if ((1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3]) == 15)
            add_permutation(p, wanted, *c, as_named, order);
    }
}

static void add_strided(plan *p, const filter *wanted, const char *kind, pass way, element_type type, bool large)
{
    static const int64_t shapes[2][DIMENSIONS] = {{4, 64, 64, 64}, {32, 64, 128, 128}};
    static const int64_t pictures[2][DIMENSIONS] = {{4, 3, 288, 288}, {32, 3, 576, 576}};
    bench_case c = tensor(kind, way, type, shapes[large], "NCHW>NCHW");
    add_all_permutations(p, wanted, &c);
    c = tensor(kind, way, type, pictures[large], "3 channels NCHW>NCHW");
    add_permutation(p, wanted, c, as_named, channels_last);
    add_permutation(p, wanted, c, channels_last, as_named);
    c = tensor(kind, way, type, shapes[large], "x reversed");
    for (int d = 0; d < DIMENSIONS; d++)
        c.strides[X][d] = -c.strides[X][d];
    add(p, wanted, &c);
    if (way == BACKWARD) {
        c = tensor(kind, way, type, shapes[large], "dy broadcast");
        memset(c.strides[DY], 0, sizeof c.strides[DY]);
        add(p, wanted, &c);
    }
}

static void add_vectors(plan *p, const filter *wanted, const char *kind, uint32_t roles, element_type type,
                        int64_t elements)
{
    for (int threads = 1; threads <= MAX_THREADS; threads++)
        for (int way = roles & SUGAR_ROLE_FORWARD ? FORWARD : BACKWARD; way <= BACKWARD; way++) {
            const bench_case c = vector(kind, roles, (pass)way, type, elements, threads);
            add(p, wanted, &c);
        }
}

/* What a call costs: once as a vector, once as a tensor. */
static void add_overhead(plan *p, const filter *wanted, element_type type)
{
    static const char *const kinds[] = {"relu", "relu~bsilu"}, *const layouts[] = {"contiguous", "tensor"};
    for (int i = 0; i < 16; i++) {
        const int64_t elements = i & 8 ? 16 : 1;
        bench_case c = vector(kinds[i >> 2 & 1], SUGAR_ROLE_FORWARD, (pass)(i >> 1 & 1), type, elements, 1);
        snprintf(c.layout, sizeof c.layout, "%s", layouts[i & 1]);
        add(p, wanted, &c);
    }
}

static const char *const addition_names[] = {[GATE] = "gate", [BIAS] = "bias", [TWICE] = "twice"};

static bench_case with_addition(const char *kind, addition adds, pass way, element_type type, int64_t elements)
{
    bench_case c = vector(kind, SUGAR_ROLE_FORWARD, way, type, elements, 1);
    c.adds = adds;
    snprintf(c.kind, sizeof c.kind, "%s %s", kind, addition_names[adds]);
    snprintf(c.layout, sizeof c.layout, "whole");
    return c;
}

/* A compact tensor of so many dimensions, whose dimension 1 has biases. */
static void add_biased(plan *p, const filter *wanted, bench_case c, const char *layout, int ndim, const int64_t *shape)
{
    snprintf(c.layout, sizeof c.layout, "%s", layout);
    c.ndim = ndim;
    memcpy(c.shape, shape, (size_t)ndim * sizeof *shape);
    for (int k = 0; k < OPERANDS; k++)
        for (int64_t d = ndim - 1, step = 1; d >= 0; step *= c.shape[d--])
            c.strides[k][d] = step;
    add(p, wanted, &c);
}

/* Gated units, biases and second derivatives, where their goals are. */
static void add_additions(plan *p, const filter *wanted, element_type type, int64_t elements)
{
    static const char *const gated[] = {"silu", "gelu"}, *const biased[] = {"relu", "silu"},
                             *const twice[] = {"silu", "tanh"};
    const int64_t features[] = {elements / 512, 512}, channels[] = {elements / (64 * 512), 64, 16, 32};
    for (int k = 0; k < 2; k++) {
        for (int way = FORWARD; way <= BACKWARD; way++) {
            bench_case c = with_addition(gated[k], GATE, (pass)way, type, elements);
            add(p, wanted, &c);
            c = with_addition(biased[k], BIAS, (pass)way, type, elements);
            add_biased(p, wanted, c, "features", 2, features);
            add_biased(p, wanted, c, "channels", 4, channels);
        }
        const bench_case c = with_addition(twice[k], TWICE, BACKWARD, type, elements);
        add(p, wanted, &c);
    }
}

/* Whether a quick run has this too: in memory, only what the goals for memory name. */
static bool quickly(const filter *wanted, int64_t elements, const char *kind)
{
    return !wanted->quick || elements != RAM || strncmp(kind, "relu", strlen("relu")) == 0;
}

static void add_type(plan *p, const filter *wanted, element_type type)
{
    static const int64_t sizes[] = {CACHE, LAST_CACHE, RAM};
    static const char *const strided[] = {"relu", "silu"};      /* bound by memory, and by arithmetic */
    add_overhead(p, wanted, type);
    for (int s = 0; s < 3; s++) {
        for (int32_t k = 0; k < sugar_kind_count(); k++) {
            sugar_kind kind = {.struct_size = sizeof kind};
            sugar_kind_get(k, &kind);
            if (quickly(wanted, sizes[s], kind.name))
                add_vectors(p, wanted, kind.name, kind.roles, type, sizes[s]);
            if (strcmp(kind.name, "relu") == 0)         /* beside what it is compared with */
                add_vectors(p, wanted, "relu~bsilu", SUGAR_ROLE_FORWARD, type, sizes[s]);
        }
    }
    if (type == ELEMENT_F32 || type == ELEMENT_BF16) {
        add_additions(p, wanted, type, CACHE);
        add_additions(p, wanted, type, RAM);
    }
    for (int k = 0; k < 2; k++)
        for (int way = FORWARD; way <= BACKWARD; way++)
            for (int large = 0; large < (wanted->quick || type != ELEMENT_F32 ? 1 : 2); large++)
                add_strided(p, wanted, strided[k], (pass)way, type, large);
}

plan plan_make(const filter *wanted)
{
    plan p = {0};
    for (int type = 0; type < ELEMENT_TYPES; type++)
        if (!wanted->quick || type == ELEMENT_F32)
            add_type(&p, wanted, (element_type)type);
    return p;
}

void plan_free(plan *p) { free(p->cases); }

/* The different values that a field has, in their order; as many as there is room for. */
static int field_values(const plan *p, field of, char values[][FIELD_SIZE], int room)
{
    int count = 0;
    for (int i = 0; i < p->count && count < room; i++) {
        int at = 0;
        case_field(&p->cases[i], of, values[count]);
        while (strcmp(values[at], values[count]) != 0)
            at++;
        count += at == count;
    }
    return count;
}

void plan_check(const filter *wanted, const char *const names[FIELDS])
{
    enum { ROOM = 128 };
    char values[ROOM][FIELD_SIZE];
    const char *listed[ROOM];
    plan all = plan_make(&(filter){0});
    for (int i = 0; i < ROOM; i++)
        listed[i] = values[i];
    for (int f = 0; f < FIELDS; f++)
        command_choice(names[f], wanted->value[f], listed, field_values(&all, (field)f, values, ROOM));
    plan_free(&all);
}

void plan_place(bench_case *c, const memory *m)
{
    for (int k = 0; k < OPERANDS; k++) {
        int64_t first = 0;              /* a negative stride starts at its other end */
        for (int d = 0; d < c->ndim; d++)
            if (c->strides[k][d] < 0)
                first -= c->strides[k][d] * (c->shape[d] - 1);
        c->data[k] = (unsigned char *)memory_operand(m, k) + (size_t)first * element_formats[c->type].width;
    }
}
