/* The peers' largest errors beside ours: f32, value and derivative, default parameters, over a dense sample of
 * all finite numbers, against the fast reference of tests/accuracy. The options are below. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "command.h"
#include "../accuracy/bound.h"
#include "../accuracy/catalogue.h"
#include "../accuracy/fast.h"
#include "../support/support.h"

enum { CHUNK = 1 << 18 };

static implementation *const measured[] = {&sugar_implementation, &torch_peer, &onednn_peer, &xnnpack_peer, &ggml_peer};
enum { MEASURED = sizeof measured / sizeof measured[0] };

static const char usage[] =
    "The largest errors of libsugar and its peers: f32, over a dense sample of all finite numbers.\n\n"
    "    peer_errors [--stride N] [--kind NAME] [--json FILE] [--torch peers_torch.py]\n"
    "                [--python INTERPRETER]\n\n"
    "--stride   every N-th number is taken, 1009 if not told; N is odd, so that the sample goes on with other\n"
    "           numbers where it meets its start\n"
    "--kind     this kind alone\n"
    "--json     the file for the errors; it is written anew at the end of a complete run\n"
    "--torch    the script through which PyTorch takes part; without it, it is left out\n"
    "--python   the interpreter that has torch; without it, python3 if that has torch\n";

typedef struct options {
    const char *stride, *kind, *json, *torch, *python;
} options;

typedef struct errors {
    double ulps, ulps_at;               /* not next to a change of sign */
    double absolute, absolute_at;
    long long rounded, samples;
} errors;

/* Room for one chunk, between double and what was computed. */
typedef struct workspace {
    double x[CHUNK], exact[CHUNK], ulps[CHUNK];
} workspace;

/* The next numbers of the sample that are finite. */
static void fill(float *x, double *wide, uint32_t *next, uint32_t stride)
{
    for (int i = 0; i < CHUNK; *next += stride) {
        memcpy(&x[i], next, sizeof x[i]);
        wide[i] = (double)x[i];
        i += isfinite(x[i]) != 0;
    }
}

static void add_one(errors *e, const bound *limit, double x, double computed, double exact, double ulps)
{
    const double absolute = fabs(computed - exact);
    if (isinf(ulps) && !isnan(computed))        /* the exact result is 0 or close to it */
        ulps = absolute / 0x1p-149;
    if (ulps > e->ulps && !bound_crossing(limit, x, x)) {
        e->ulps = ulps;
        e->ulps_at = x;
    }
    if (absolute > e->absolute) {
        e->absolute = absolute;
        e->absolute_at = x;
    }
}

static errors measure_all(const bench_case *c, const implementation *of, const catalogue_entry *entry, direction way,
                          const double *p, const bound *limit, uint32_t stride, workspace *w)
{
    errors e = {0};
    void *run = of->open(c);
    uint32_t next = 0;
    if (!run)
        return e;
    const float *found = c->data[OUT];
    for (uint64_t left = ((uint64_t)1 << 32) / stride; left >= CHUNK; left -= CHUNK) {
        double worst;
        fill(c->data[X], w->x, &next, stride);
        if (of->call)
            of->call(run);
        else
            of->seconds(run, 1);
        fast_evaluate(entry->reference->name, way, p, CHUNK, w->x, w->exact);
        fast_errors(CHUNK, found, w->exact, w->ulps, &worst, &e.rounded);
        for (int i = 0; i < CHUNK; i++)
            add_one(&e, limit, w->x[i], (double)found[i], w->exact[i], w->ulps[i]);
        e.samples += CHUNK;
    }
    of->close(run);
    return e;
}

/* JSON as Python reads it has infinities. */
static void print_number(FILE *json, const char *name, double value)
{
    if (isinf(value))
        fprintf(json, "\"%s\": Infinity, ", name);
    else
        fprintf(json, "\"%s\": %.9g, ", name, value);
}

static void report(FILE *json, const char *kind, direction way, const char *name, const errors *e)
{
    const double share = (double)e->rounded / (double)e->samples;
    printf("%-14s %-10s %-8s %12.4g ULP at %-14.7g absolute %10.3g at %-14.7g %8.3f %% correctly rounded\n", kind,
           direction_names[way], name, e->ulps, e->ulps_at, e->absolute, e->absolute_at, 100 * share);
    fflush(stdout);
    if (!json)
        return;
    fprintf(json, "%s{\"kind\": \"%s\", \"direction\": \"%s\", \"implementation\": \"%s\", \"samples\": %lld, ",
            ftell(json) ? ",\n" : "{\"results\": [\n", kind, direction_names[way], name, e->samples);
    print_number(json, "max_ulp", e->ulps);
    print_number(json, "max_absolute", e->absolute);
    fprintf(json, "\"at\": %.9g, \"absolute_at\": %.9g, \"correctly_rounded\": %.9g}", e->ulps_at, e->absolute_at,
            share);
}

static void measure_kind(const catalogue_entry *entry, const memory *m, uint32_t stride, reference_scratch *scratch,
                         workspace *w, FILE *json)
{
    double sets[PARAMETER_SETS][REFERENCE_PARAMETERS], p[REFERENCE_PARAMETERS] = {0};
    catalogue_parameter_sets(entry, sets);
    for (int i = 0; i < entry->parameters; i++)
        p[i] = element_round(&element_f32, sets[0][i]);
    for (int way = VALUE; way <= DERIVATIVE; way++) {
        bench_case c = {.way = way == VALUE ? FORWARD : BACKWARD,
                        .type = ELEMENT_F32,
                        .elements = CHUNK,
                        .threads = 1,
                        .layout = "contiguous",
                        .ndim = 1,
                        .shape = {CHUNK},
                        .strides = {{1}, {1}, {1}}};
        bound limit;
        if (!entry->reference->function[VALUE] || !fast_has(entry->reference->name, (direction)way))
            continue;
        snprintf(c.kind, sizeof c.kind, "%s", entry->reference->name);
        catalogue_spec(entry, sets[0], c.spec);
        for (int k = 0; k < OPERANDS; k++)
            c.data[k] = memory_operand(m, k);
        bound_find(&limit, &element_f32, entry->reference, (direction)way, p, scratch);
        for (int k = 0; k < MEASURED; k++) {
            const errors e = measured[k]->absent
                                 ? (errors){0}
                                 : measure_all(&c, measured[k], entry, (direction)way, p, &limit, stride, w);
            if (e.samples)
                report(json, c.kind, (direction)way, measured[k]->name, &e);
        }
    }
}

static void finish(FILE *json)
{
    fputs("\n], \"versions\": {", json);
    for (int k = 0; k < MEASURED; k++)
        if (!measured[k]->absent)
            fprintf(json, "%s\"%s\": \"%s\"", k ? ", " : "", measured[k]->name, measured[k]->version());
    fputs("}}\n", json);
}

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
    const command_option known[] = {{"--stride", &o.stride},
                                    {"--kind", &o.kind},
                                    {"--json", &o.json},
                                    {"--torch", &o.torch},
                                    {"--python", &o.python}};
    command_parse(argc, argv, usage, known, sizeof known / sizeof known[0], NULL, NULL);
    check_kind(o.kind);
    return o;
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
    memory m = memory_make(CHUNK * sizeof(float));
    float *ones = memory_operand(&m, DY);
    for (int i = 0; i < CHUNK; i++)
        ones[i] = 1;
    if (o.torch)
        torch_start(&m, o.python, o.torch);
    results_file results = results_open("--json", o.json);
    for (int k = 0; k < MEASURED; k++)
        if (measured[k]->absent)
            printf("not here: %s: %s\n", measured[k]->name, measured[k]->absent);
    reference_scratch scratch;
    reference_begin(&scratch);
    for (int32_t kind = 0; kind < sugar_kind_count(); kind++) {
        catalogue_entry entry;
        char problem[PROBLEM_SIZE];
        if (catalogue_get(kind, &entry, problem) != 0)
            give_up("peer_errors", problem);
        if (!o.kind || strcmp(o.kind, entry.reference->name) == 0)
            measure_kind(&entry, &m, (uint32_t)stride, &scratch, w, results.file);
    }
    reference_end(&scratch);
    if (results.file)
        finish(results.file);
    results_keep(&results);
    torch_stop();
    memory_free(&m);
    free(w);
    return 0;
}
