/* The peers' largest errors beside ours: value and derivative, default parameters. f32: a dense sample of all finite
 * numbers, against the fast reference of tests/accuracy; f16 and bf16: all finite numbers, against the same; f64: a
 * sample as that of the suite accuracy, against MPFR. The options are below. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "command.h"
#include "../accuracy/bound.h"
#include "../accuracy/catalogue.h"
#include "../accuracy/fast.h"
#include "../accuracy/samples.h"
#include "../support/support.h"

enum { CHUNK = 1 << 18, HALF_NUMBERS = 1 << 16, DENSITY = 3 };

static implementation *const measured[] = {&sugar_implementation, &torch_peer, &onednn_peer, &xnnpack_peer, &ggml_peer};
enum { MEASURED = sizeof measured / sizeof measured[0] };

static const element *const types[] = {&element_f32, &element_f64, &element_f16, &element_bf16};
enum { TYPES = sizeof types / sizeof types[0] };

static const char usage[] =
    "The largest errors of libsugar and its peers.\n\n"
    "    peer_errors [--stride N] [--kind NAME] [--dtype f32|f64|f16|bf16] [--json FILE]\n"
    "                [--torch peers_torch.py] [--python INTERPRETER]\n\n"
    "--stride   in f32 every N-th number is taken, 1009 if not told; N is odd, so that the sample goes on with\n"
    "           other numbers where it meets its start\n"
    "--kind     this kind alone\n"
    "--dtype    this element type alone\n"
    "--json     the file for the errors; it is written anew at the end of a complete run\n"
    "--torch    the script through which PyTorch takes part; without it, it is left out\n"
    "--python   the interpreter that has torch; without it, python3 if that has torch\n";

typedef struct options {
    const char *stride, *kind, *dtype, *json, *torch, *python;
} options;

/* Where errors are told apart, by what a shorter formula gives up. BODY: nearly all inputs of a network; of the
 * benchmark's, one in 30,000 is beyond. TAIL: beyond, as far as f16 has numbers, so that nothing that a formula may go
 * through, such as x^3, leaves f32. EDGE: input or exact result is a normal number, but so small that what the formula
 * goes through may be subnormal, as 1 / (1 + exp(-x)) is in x / (1 + exp(-x)) before that is: whoever flushes these
 * to 0 is wrong by all of it. Then subnormal ones, and 0. */
typedef enum region { BODY, TAIL, EDGE, LARGE, SMALL_INPUT, SMALL_RESULT, REGIONS } region;
static const char *const region_names[REGIONS] = {"body", "tail", "edge", "large", "small_input", "small_result"};
static const double body_end = 8, tail_end = 0x1p16;
/* The edge ends at so many times the smallest normal number; in f16, whose arithmetic is f32's, there is none. */
static const double edge = 0x1p26;

/* How many ULP a peer may be off in body and tail, to be one that ours is to be as fast as. */
static const double tolerated = 4;

typedef struct errors {
    struct {
        double ulps, at;                /* not next to a change of sign */
    } largest[REGIONS];
    double first;                       /* in body and tail, the x next to 0 with more than is tolerated; 0: none */
    double absolute, absolute_at;       /* anywhere */
    double body_absolute;
    long long rounded, samples;
} errors;

/* The inputs of one call, and the exact results, with digits beyond those of f64. */
typedef struct workspace {
    double x[CHUNK], wide[CHUNK];
    long double exact[CHUNK];
} workspace;

/* What is measured now: a function in an element type, by each implementation that has it. */
typedef struct subject {
    const catalogue_entry *entry;
    const element *type;
    direction way;
    double p[REFERENCE_PARAMETERS];
    bound limit;
    bench_case c;
    void *run[MEASURED];                /* NULL: has it not */
    errors found[MEASURED];
} subject;

static region region_of(const element *type, double x, double exact)
{
    const double normal = ldexp(1, type->min_exponent - 1), moderate = type == &element_f16 ? normal : normal * edge;
    if (fabs(x) < normal)
        return SMALL_INPUT;
    if (fabs(exact) < normal)
        return SMALL_RESULT;
    if (fabs(x) < moderate || fabs(exact) < moderate)
        return EDGE;
    return fabs(x) <= body_end ? BODY : fabs(x) <= tail_end ? TAIL : LARGE;
}

/* An infinite result counts as the power of two after the largest number, and next to 0 the smallest number is the
 * unit. */
static double ulps_of(const element *type, double computed, long double exact)
{
    const long double end = ldexpl(1, type->max_exponent), found = fmaxl(fminl((long double)computed, end), -end);
    if (isnan(computed))
        return HUGE_VAL;
    if (isinf(computed))
        exact = fmaxl(fminl(exact, end), -end);
    return (double)(fabsl(found - exact) / (long double)element_ulp(type, (double)exact));
}

static void add_one(errors *e, const subject *s, double x, double computed, long double exact)
{
    const region where = region_of(s->type, x, (double)exact);
    const double absolute = (double)fabsl((long double)computed - exact), ulps = ulps_of(s->type, computed, exact);
    e->samples++;
    e->rounded += computed == element_round(s->type, (double)exact);
    if (absolute > e->absolute) {
        e->absolute = absolute;
        e->absolute_at = x;
    }
    if (where == BODY && absolute > e->body_absolute)
        e->body_absolute = absolute;
    if (bound_crossing(&s->limit, x, x))
        return;
    if (ulps > e->largest[where].ulps) {
        e->largest[where].ulps = ulps;
        e->largest[where].at = x;
    }
    if (where <= TAIL && ulps > tolerated && (e->first == 0 || fabs(x) < fabs(e->first)))
        e->first = x;
}

/* ---- Inputs ------------------------------------------------------------------------------------ */

/* The next numbers of the sample of f32 that are finite. */
static void fill_f32(workspace *w, uint32_t *next, uint32_t stride)
{
    for (int i = 0; i < CHUNK; *next += stride) {
        w->x[i] = element_value(*next, ELEMENT_F32);
        i += isfinite(w->x[i]) != 0;
    }
}

/* Every number of a type of 16 bits, with 0 in place of what is not finite. */
static int fill_half(workspace *w, element_type type)
{
    for (int i = 0; i < HALF_NUMBERS; i++) {
        const double x = element_value((uint64_t)i, type);
        w->x[i] = isfinite(x) ? x : 0;
    }
    return HALF_NUMBERS;
}

static int fill_f64(workspace *w, const subject *s)
{
    int count = 0;
    samples points;
    samples_begin(&points, &element_f64, CHUNK, 1);
    samples_fill(&points, s->p, s->entry->parameters, DENSITY);
    for (size_t i = 0; i < points.count; i++) {
        w->x[count] = element_at(&element_f64, points.places[i]);
        count += isfinite(w->x[count]) != 0;
    }
    samples_end(&points);
    return count;
}

static void find_exact_f64(workspace *w, const subject *s, reference_scratch *scratch)
{
    mpfr_t y;
    mpfr_init2(y, REFERENCE_BITS);
    for (int i = 0; i < s->c.elements; i++) {
        reference_evaluate(y, s->entry->reference, s->way, s->p, w->x[i], scratch);
        w->exact[i] = mpfr_get_ld(y, MPFR_RNDN);
    }
    mpfr_clear(y);
}

static void find_exact(workspace *w, const subject *s, reference_scratch *scratch)
{
    if (s->type == &element_f64) {
        find_exact_f64(w, s, scratch);
        return;
    }
    fast_evaluate(s->entry->reference->name, s->way, s->p, (size_t)s->c.elements, w->x, w->wide);
    for (int i = 0; i < s->c.elements; i++)
        w->exact[i] = (long double)w->wide[i];
}

/* ---- Measuring --------------------------------------------------------------------------------- */

/* The errors of all implementations for the inputs in the workspace. */
static void measure_inputs(subject *s, workspace *w, reference_scratch *scratch)
{
    const element_type type = s->type->type;
    find_exact(w, s, scratch);
    for (int64_t i = 0; i < s->c.elements; i++) {
        element_store(s->c.data[X], i, type, element_of(w->x[i], type));
        element_store(s->c.data[DY], i, type, element_of(1, type));
    }
    for (int k = 0; k < MEASURED; k++) {
        if (!s->run[k])
            continue;
        compute_once(measured[k], s->run[k]);
        for (int64_t i = 0; i < s->c.elements; i++)
            add_one(&s->found[k], s, w->x[i], element_value(element_load(s->c.data[OUT], i, type), type), w->exact[i]);
    }
}

static void measure_all(subject *s, uint32_t stride, reference_scratch *scratch, workspace *w)
{
    s->c.elements = s->type == &element_f32   ? CHUNK
                    : s->type == &element_f64 ? fill_f64(w, s)
                                              : fill_half(w, s->type->type);
    s->c.shape[0] = s->c.elements;
    for (int k = 0; k < MEASURED; k++)
        s->run[k] = measured[k]->absent ? NULL : measured[k]->open(&s->c);
    if (s->type != &element_f32)
        measure_inputs(s, w, scratch);
    uint32_t next = 0;
    for (uint64_t left = ((uint64_t)1 << 32) / stride; s->type == &element_f32 && left >= CHUNK; left -= CHUNK) {
        fill_f32(w, &next, stride);
        measure_inputs(s, w, scratch);
    }
    for (int k = 0; k < MEASURED; k++)
        if (s->run[k])
            measured[k]->close(s->run[k]);
}

/* ---- What was found ----------------------------------------------------------------------------- */

static double largest_normal(const errors *e) { return fmax(e->largest[BODY].ulps, e->largest[TAIL].ulps); }

/* JSON as Python reads it has infinities. */
static void print_number(FILE *json, const char *name, double value)
{
    if (isinf(value))
        fprintf(json, "\"%s\": Infinity, ", name);
    else
        fprintf(json, "\"%s\": %.9g, ", name, value);
}

static void print_record(FILE *json, const subject *s, const char *name, const errors *e)
{
    fprintf(json,
            "%s{\"kind\": \"%s\", \"direction\": \"%s\", \"dtype\": \"%s\", \"implementation\": \"%s\", "
            "\"samples\": %lld, \"keeps_4_ulp\": %s, ",
            ftell(json) ? ",\n" : "{\"results\": [\n", s->c.kind, direction_names[s->way], s->type->name, name,
            e->samples, largest_normal(e) <= tolerated ? "true" : "false");
    for (int r = 0; r < REGIONS; r++) {
        fprintf(json, "\"%s\": {", region_names[r]);
        print_number(json, "max_ulp", e->largest[r].ulps);
        fprintf(json, "\"at\": %.9g}, ", e->largest[r].at);
    }
    if (e->first != 0)
        print_number(json, "first_above_4_ulp", e->first);
    print_number(json, "max_absolute", e->absolute);
    print_number(json, "body_absolute", e->body_absolute);
    fprintf(json, "\"absolute_at\": %.9g, \"correctly_rounded\": %.9g}", e->absolute_at,
            (double)e->rounded / (double)e->samples);
}

static void report(FILE *json, const subject *s, const char *name, const errors *e)
{
    printf("%-14s %-10s %-4s %-8s", s->c.kind, direction_names[s->way], s->type->name, name);
    for (int r = 0; r < REGIONS; r++)
        printf(" %9.4g at %-10.4g", e->largest[r].ulps, e->largest[r].at);
    printf(" %9.3g %8.3f %%\n", e->body_absolute, 100 * (double)e->rounded / (double)e->samples);
    fflush(stdout);
    if (json)
        print_record(json, s, name, e);
}

static void report_heading(void)
{
    printf("Largest errors in ULP, and where: |x| to 8; to 65536; next to subnormal numbers; |x| beyond 65536; below\n"
           "normal numbers; the result below normal numbers. Then the largest absolute error for |x| to 8, and the\n"
           "share of results that are correctly rounded.\n\n");
    for (int k = 0; k < MEASURED; k++)
        if (measured[k]->absent)
            printf("not here: %s: %s\n", measured[k]->name, measured[k]->absent);
}

static void measure_subject(subject *s, const memory *m, uint32_t stride, reference_scratch *scratch, workspace *w,
                            FILE *json)
{
    double sets[PARAMETER_SETS][REFERENCE_PARAMETERS];
    catalogue_parameter_sets(s->entry, sets);
    for (int i = 0; i < s->entry->parameters; i++)
        s->p[i] = element_round(s->type->arithmetic, sets[0][i]);
    s->c = (bench_case){.way = s->way == VALUE ? FORWARD : BACKWARD,
                        .type = s->type->type,
                        .threads = 1,
                        .layout = "contiguous",
                        .ndim = 1,
                        .strides = {{1}, {1}, {1}}};
    snprintf(s->c.kind, sizeof s->c.kind, "%s", s->entry->reference->name);
    catalogue_spec(s->entry, sets[0], s->c.spec);
    for (int k = 0; k < OPERANDS; k++)
        s->c.data[k] = memory_operand(m, k);
    bound_find(&s->limit, s->type->arithmetic, s->entry->reference, s->way, s->p, scratch);
    measure_all(s, stride, scratch, w);
    for (int k = 0; k < MEASURED; k++)
        if (s->found[k].samples)
            report(json, s, measured[k]->name, &s->found[k]);
}

static void finish(FILE *json)
{
    fprintf(json, "\n], \"cpu\": \"%s\", \"level\": \"%s\", \"versions\": {", processor_name(), level_in_use());
    for (int k = 0; k < MEASURED; k++)
        if (!measured[k]->absent)
            fprintf(json, "%s\"%s\": \"%s\"", k ? ", " : "", measured[k]->name, measured[k]->version());
    fputs("}}\n", json);
}

/* ---- The command --------------------------------------------------------------------------------- */

static void check_kind(const char *name)
{
    enum { ROOM = 128 };
    const char *names[ROOM];
    int count = 0;
    for (int32_t k = 0; k < sugar_kind_count() && count < ROOM; k++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        if (sugar_kind_get(k, &kind) == SUGAR_OK && kind.roles & SUGAR_ROLE_FORWARD)
            names[count++] = kind.name;
    }
    command_choice("--kind", name, names, count);
}

static options parse_options(int argc, char **argv)
{
    options o = {.stride = "1009"};
    const command_option known[] = {{"--stride", &o.stride}, {"--kind", &o.kind},   {"--dtype", &o.dtype},
                                    {"--json", &o.json},     {"--torch", &o.torch}, {"--python", &o.python}};
    const char *names[TYPES];
    for (int t = 0; t < TYPES; t++)
        names[t] = types[t]->name;
    command_parse(argc, argv, usage, known, sizeof known / sizeof known[0], NULL, NULL);
    check_kind(o.kind);
    command_choice("--dtype", o.dtype, names, TYPES);
    return o;
}

static void measure_chosen(const options *o, const memory *m, uint32_t stride, workspace *w, FILE *json)
{
    reference_scratch scratch;
    reference_begin(&scratch);
    for (int t = 0; t < TYPES; t++)
        for (int32_t kind = 0; kind < sugar_kind_count() && (!o->dtype || strcmp(o->dtype, types[t]->name) == 0);
             kind++) {
            catalogue_entry entry;
            char problem[PROBLEM_SIZE];
            if (catalogue_get(kind, &entry, problem) != 0)
                give_up("peer_errors", problem);
            for (int way = VALUE; way <= DERIVATIVE; way++) {
                subject s = {.entry = &entry, .type = types[t], .way = (direction)way};
                if (entry.reference->function[VALUE] && fast_has(entry.reference->name, s.way)
                    && (!o->kind || strcmp(o->kind, entry.reference->name) == 0))
                    measure_subject(&s, m, stride, &scratch, w, json);
            }
        }
    reference_end(&scratch);
}

int main(int argc, char **argv)
{
    const options o = parse_options(argc, argv);
    char *end;
    const long stride = strtol(o.stride, &end, 10);
    if (*end || stride < 1 || stride > 9999 || stride % 2 == 0)
        command_refuse("--stride", o.stride, "an odd number from 1 to 9999");
    level_choose(NULL);
    workspace *w = malloc(sizeof *w);
    if (!w)
        give_up("peer_errors", "no memory");
    memory m = memory_make(CHUNK * sizeof(double));
    if (o.torch)
        torch_start(&m, o.python, o.torch);
    results_file results = results_open("--json", o.json);
    report_heading();
    measure_chosen(&o, &m, (uint32_t)stride, w, results.file);
    if (results.file)
        finish(results.file);
    results_keep(&results);
    torch_stop();
    memory_free(&m);
    free(w);
    return 0;
}
