/* Compares a candidate with a reference. The reference: a call on each element alone, at the scalar
 * level. The candidate: a call on many elements, at any level, in every layout that matters: each
 * alignment, odd sizes, gaps, negative and zero steps, in place, stored past the caches or not;
 * special values in random lanes, random bytes around inputs, known bytes around outputs, and
 * inaccessible pages on both sides. All memory of the output is compared, and inputs must not change. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/support.h"
#include "kernels.h"

enum { X, DY, OUT, OPERANDS };
enum { LONGEST = 5003, POOL = LONGEST + 3000, MOST_STEP = 7, MOST_OFFSET = 15, SMALL = 67 };
enum { ARENAS = 8, LEAST_ARENA = 4096, LARGEST_ARENA = (LONGEST * MOST_STEP + MOST_OFFSET + 1) * 8 };

typedef enum operation { FORWARD, BACKWARD, ACCUMULATE } operation;
static const char *const operation_names[] = {"forward", "backward", "accumulate"};

/* What is compared, and the values it is compared on. */
typedef struct subject {
    char name[160];
    element_type type;
    size_t width;
    operation operation;
    int64_t pool;                               /* how many of the values are used */
    sugar_activation *candidate;
    unsigned char values[OPERANDS][POOL * 8];   /* x, dy, and what the output holds before */
    unsigned char expected[OPERANDS][POOL * 8]; /* the results, for an output that is x, that is dy, and apart */
} subject;

/* Where the operands of one call lie, and how its output is stored. */
typedef struct layout {
    int64_t n, first;                           /* elements, and the first of them in the pool */
    int64_t step[OPERANDS], offset[OPERANDS];   /* offset: elements from the inaccessible page */
    int high;                                   /* 1: close to the page after, 0: to the page before */
    int under;                                  /* the output is the view of X or DY; or OUT: apart */
    uint64_t stream;                            /* SUGAR_CALL_NONTEMPORAL or 0 */
} layout;

/* Memory for one operand: what the call sees, and what it should look like afterwards. */
typedef struct arena {
    guarded memory;
    unsigned char *expected;
} arena;

/* Each twice as large as the one before, but for the last, which the largest call needs. A call gets the first that it
 * fits into, as all of one is filled and compared. */
static arena arenas[ARENAS][OPERANDS];
static unsigned char *garbage;
static char current[160];

static void on_bad_access(int signal)
{
    static const char text[] = "FAILED: touched memory outside its operands: ";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    ignored = write(STDERR_FILENO, current, strlen(current));
    ignored = write(STDERR_FILENO, "\n", 1);
    (void)ignored;
    _exit(128 + signal);
}

static arena arena_make(size_t bytes)
{
    arena made = {guarded_make(bytes), NULL};
    made.expected = malloc(made.memory.size);
    if (made.expected == NULL)
        abort();
    return made;
}

static void prepare(void)
{
    uint64_t state = 1;
    for (int i = 0; i < ARENAS; i++)
        for (int k = 0; k < OPERANDS; k++)
            arenas[i][k] = arena_make(i < ARENAS - 1 ? (size_t)LEAST_ARENA << i : LARGEST_ARENA);
    const size_t largest = arenas[ARENAS - 1][X].memory.size;
    garbage = malloc(largest);
    if (garbage == NULL)
        abort();
    for (size_t i = 0; i < largest; i++)
        garbage[i] = (unsigned char)random_bits(&state);
    struct sigaction action = {.sa_handler = on_bad_access};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

static sugar_status call(const sugar_activation *activation, operation op, element_type type, int64_t n,
                         unsigned char *const at[OPERANDS], const int64_t step[OPERANDS], uint64_t stream)
{
    sugar_call_options options = {.struct_size = sizeof options, .flags = stream};
    if (op == FORWARD)
        return flat_forward(activation, type, n, at[X], step[X], at[OUT], step[OUT], &options);
    options.flags |= op == ACCUMULATE ? SUGAR_CALL_ACCUMULATE : 0;
    return flat_backward(activation, type, n, at[X], step[X], at[DY], step[DY], at[OUT], step[OUT], &options);
}

static void compute_reference(subject *s, const char *spec)
{
    static const int64_t unit[OPERANDS] = {1, 1, 1};
    sugar_activation *reference = must_create(spec, "scalar");
    memcpy(s->expected, s->values, sizeof s->values);
    for (int under = s->operation == ACCUMULATE ? X : OUT; under <= OUT; under++)
        for (int64_t i = 0; i < s->pool; i++) {
            size_t at = (size_t)i * s->width;
            unsigned char *const operands[OPERANDS] = {s->values[X] + at, s->values[DY] + at, s->expected[under] + at};
            if (call(reference, s->operation, s->type, 1, operands, unit, 0) != SUGAR_OK) {
                fprintf(stderr, "%s: %s\n", spec, sugar_last_error());
                exit(EXIT_FAILURE);
            }
        }
    if (s->operation != ACCUMULATE) {   /* then what the output holds before does not matter */
        memcpy(s->expected[X], s->expected[OUT], sizeof s->expected[OUT]);
        memcpy(s->expected[DY], s->expected[OUT], sizeof s->expected[OUT]);
    }
    sugar_activation_destroy(reference);
}

/* Element i of a vector is stored at this multiple of the element's width. */
static int64_t position(int64_t i, int64_t n, int64_t step) { return step >= 0 ? i * step : (n - 1 - i) * -step; }

static int64_t span(const layout *l, int k) { return l->n == 0 ? 0 : (l->n - 1) * llabs(l->step[k]) + 1; }

static arena *choose_arenas(const subject *s, const layout *l)
{
    int64_t elements = 0;
    int i = 0;
    for (int k = 0; k < OPERANDS; k++)
        elements = l->offset[k] + span(l, k) > elements ? l->offset[k] + span(l, k) : elements;
    while (arenas[i][X].memory.size < (size_t)elements * s->width)
        i++;
    return arenas[i];
}

/* Fills the arena of operand k and returns where its vector starts. */
static unsigned char *lay_out(const subject *s, const layout *l, int k, arena *a)
{
    int64_t before = l->high ? (int64_t)(a->memory.size / s->width) - l->offset[k] - span(l, k) : l->offset[k];
    unsigned char *start = a->memory.start + before * (int64_t)s->width;
    if (k == OUT)
        memset(a->memory.start, 0xa5, a->memory.size);
    else
        memcpy(a->memory.start, garbage, a->memory.size);
    for (int64_t i = 0; i < l->n; i++)
        element_store(start, position(i, l->n, l->step[k]), s->type, element_load(s->values[k], l->first + i, s->type));
    memcpy(a->expected, a->memory.start, a->memory.size);
    return start;
}

static void report(const subject *s, const layout *l, const char *what)
{
    fprintf(stderr,
            "FAILED: %s: %s; n %" PRId64 ", steps %" PRId64 " %" PRId64 " %" PRId64 ", offsets %" PRId64 " %" PRId64
            " %" PRId64 " from the page %s, output %s%s\n",
            s->name, what, l->n, l->step[X], l->step[DY], l->step[OUT], l->offset[X], l->offset[DY], l->offset[OUT],
            l->high ? "after" : "before",
            l->under == OUT ? "apart"
            : l->under == X ? "in place of x"
                            : "in place of dy",
            l->stream ? ", streamed" : "");
}

/* Puts the expected elements into the expected memory; where NaN is expected, any NaN that the call gave. */
static int expect_elements(const subject *s, const layout *l, arena *out, const unsigned char *start)
{
    unsigned char *expected = out->expected + (start - out->memory.start);
    for (int64_t i = 0; i < l->n; i++) {
        int64_t at = position(i, l->n, l->step[l->under]);
        uint64_t got = element_load(start, at, s->type);
        uint64_t wanted = element_load(s->expected[l->under], l->first + i, s->type);
        if (!element_same(got, wanted, s->type)) {
            char what[160];
            uint64_t x = element_load(s->values[X], l->first + i, s->type);
            snprintf(what, sizeof what, "element %" PRId64 ", x %a: %a, by itself %a", i, element_value(x, s->type),
                     element_value(got, s->type), element_value(wanted, s->type));
            report(s, l, what);
            return 0;
        }
        element_store(expected, at, s->type, got);
    }
    return 1;
}

static int compare_layout(const subject *s, const layout *l)
{
    arena *chosen = choose_arenas(s, l);
    unsigned char *at[OPERANDS];
    for (int k = 0; k < OPERANDS; k++)
        at[k] = k == OUT && l->under != OUT ? at[l->under] : lay_out(s, l, k, &chosen[k]);
    if (call(s->candidate, s->operation, s->type, l->n, at, l->step, l->stream) != SUGAR_OK) {
        report(s, l, sugar_last_error());
        return 0;
    }
    if (!expect_elements(s, l, &chosen[l->under], at[l->under]))
        return 0;
    for (int k = 0; k <= l->under || k < OUT; k++)
        if (memcmp(chosen[k].memory.start, chosen[k].expected, chosen[k].memory.size) != 0) {
            report(s, l, k == l->under ? "wrote between or beside its elements" : "changed an input");
            return 0;
        }
    return 1;
}

/* All short lengths at all alignments, with steps of 1. */
static int compare_short(const subject *s, uint64_t *state)
{
    int good = 1, skim = short_run();
    for (int64_t n = 0; n <= SMALL && good; n += skim && n >= 9 ? 28 : 1)
        for (int64_t offset = 0; offset <= MOST_OFFSET && good; offset += skim ? 5 : 1)
            for (int high = 0; high <= 1 && good; high++) {
                layout l = {.n = n,
                            .step = {1, 1, 1},
                            .high = high,
                            .under = OUT,
                            .offset = {offset, (offset * 5 + 3) % 16, (offset * 7 + n) % 16},
                            .first = random_between(state, 0, s->pool - n),
                            .stream = SUGAR_CALL_NONTEMPORAL * (uint64_t)random_between(state, 0, 1)};
                good = compare_layout(s, &l);
            }
    return good;
}

static int64_t random_length(const subject *s, uint64_t *state)
{
    static const int64_t lengths[] = {127, 129, 255, 513, 1021, 1024, 1025, 2049, 4099, LONGEST};
    int64_t length = lengths[random_between(state, 0, 9)];
    return random_between(state, 0, 9) != 0 || length > s->pool ? random_between(state, 0, SMALL) : length;
}

/* Random lengths, steps of every sign, in place or apart. */
static int compare_random(const subject *s, uint64_t *state)
{
    int good = 1, cases = short_run() ? 20 : 300;
    for (int i = 0; i < cases && good; i++) {
        layout l = {.n = random_length(s, state), .high = (int)random_between(state, 0, 1)};
        l.first = random_between(state, 0, s->pool - l.n);
        l.under = (int)random_between(state, X, OUT);
        if (s->operation == FORWARD && l.under == DY)
            l.under = OUT;
        int unit = random_between(state, 0, 2) == 0;
        for (int k = 0; k < OPERANDS; k++) {
            l.offset[k] = random_between(state, 0, MOST_OFFSET);
            l.step[k] = unit ? 1 : random_between(state, 1, MOST_STEP) * (random_between(state, 0, 1) ? 1 : -1);
        }
        l.step[OUT] = l.step[l.under];
        l.stream = SUGAR_CALL_NONTEMPORAL * (uint64_t)random_between(state, 0, 1);
        good = compare_layout(s, &l);
    }
    return good;
}

/* Steps of 0: each operand before `repeated` holds one value, and repeats it. */
static int compare_repeated(const subject *s, int repeated, uint64_t *state)
{
    int good = 1;
    for (int64_t n = 1; n <= s->pool && n <= LONGEST && good; n = 3 * n + 1) {
        layout l = {.n = n, .step = {1, 1, 1}, .under = OUT, .offset = {1, 2, 3}};
        for (int k = X; k < repeated; k++)
            l.step[k] = 0;
        l.step[OUT] = random_between(state, 1, 2);
        l.stream = SUGAR_CALL_NONTEMPORAL * (uint64_t)random_between(state, 0, 1);
        good = compare_layout(s, &l);
    }
    return good;
}

static int compare_level(subject *s, const char *spec, const char *level, int repeated)
{
    uint64_t state = 11;
    snprintf(s->name, sizeof s->name, "%s, %s, %s, %s", spec, level, element_formats[s->type].name,
             operation_names[s->operation]);
    memcpy(current, s->name, sizeof current);
    s->candidate = must_create(spec, level);
    int good =
        repeated > 0 ? compare_repeated(s, repeated, &state) : compare_short(s, &state) && compare_random(s, &state);
    sugar_activation_destroy(s->candidate);
    return good;
}

static void compare_subject(const char *spec, const char *const *levels, int level_count, element_type type,
                            operation op, tally *total)
{
    static subject s;   /* too large for some stacks */
    uint64_t state = 7 + type;
    int bad[MAX_LEVELS] = {0};
    if (garbage == NULL)
        prepare();
    s.type = type;
    s.width = element_formats[type].width;
    s.operation = op;
    s.pool = short_run() ? 600 : POOL;
    for (int k = 0; k < OPERANDS; k++)
        for (int64_t i = 0; i < s.pool; i++)
            element_store(s.values[k], i, type, random_element(&state, type));
    for (int repeated = 0; repeated <= (op == FORWARD ? 1 : 2); repeated++) {
        for (int64_t i = 1; i < s.pool && repeated > 0; i++)
            element_store(s.values[repeated - 1], i, type, element_load(s.values[repeated - 1], 0, type));
        compute_reference(&s, spec);
        for (int level = 0; level < level_count; level++)
            bad[level] |= !compare_level(&s, spec, levels[level], repeated);
    }
    for (int level = 0; level < level_count; level++)
        *(bad[level] ? &total->failed : &total->passed) += 1;
}

void compare_kind(const sugar_kind *kind, const char *const *levels, int level_count, tally *total)
{
    char spec[128];
    for (element_type type = 0; type < ELEMENT_TYPES; type++) {
        if (kind->roles & SUGAR_ROLE_FORWARD)
            for (operation op = FORWARD; op <= ACCUMULATE; op++)
                compare_subject(kind->name, levels, level_count, type, op, total);
        if (kind->roles & SUGAR_ROLE_SURROGATE) {
            snprintf(spec, sizeof spec, "heaviside(threshold=0.25)~%s", kind->name);
            compare_subject(spec, levels, level_count, type, BACKWARD, total);
            snprintf(spec, sizeof spec, "silu~%s(domain=negative,blend=0.3)", kind->name);
            compare_subject(spec, levels, level_count, type, BACKWARD, total);
            compare_subject(spec, levels, level_count, type, ACCUMULATE, total);
        }
    }
}
