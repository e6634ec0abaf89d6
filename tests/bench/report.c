/* The table on screen, and the records; see report.h. */
#include "report.h"

#include <math.h>
#include <string.h>

#include "load.h"
#include "../support/support.h"

progress progress_start(const plan *p, bool quick)
{
    progress at = {.count = p->count, .start = now()};
    for (int i = 0; i < p->count; i++)
        at.cost += plan_cost(&p->cases[i]);
    /* A quick run gives each case a third of the time. */
    at.seconds = quick ? at.cost / 3 : at.cost;
    const bool minutes = at.seconds > 90;
    printf("%d case%s, about %.0f %s\n", p->count, p->count > 1 ? "s" : "",
           ceil(minutes ? at.seconds / 60 : at.seconds), minutes ? "minutes" : "s");
    return at;
}

void progress_step(progress *at, const bench_case *c)
{
    at->done++;
    at->cost_done += plan_cost(c);
}

static const char *spread(const char *data)
{
    if (!data)
        return "x normal, half with a standard deviation of 1, half of 2";
    return strcmp(data, "wide") == 0 ? "x even over [-20, 20]" : "x even over [-1, 1]";
}

void report_heading(implementation *const *all, int count, const char *data)
{
    printf("processor: %s; level: %s; %s; dy normal, 1\n", processor_name(), level_in_use(), spread(data));
    for (int k = 0; k < count; k++)
        if (all[k]->absent)
            printf("not here: %s: %s\n", all[k]->name, all[k]->absent);
        else if (all[k]->version)
            printf("%s: version %s\n", all[k]->name, all[k]->version());
    puts("one thread: everybody on the same core; sugar-alone: one thread, in turns with two");
    if (!torch_peer.absent)
        puts("backward of sigmoid, tanh and log_sigmoid: all start from the input; torch does that in two steps.\n"
             "What its second step alone takes, which starts from what the forward pass left behind, is told at\n"
             "the end of a row.");
    puts("ns per element (median); in brackets the time over that of sugar: above 1, sugar is faster\n");
    printf("%9s %6s %-14s %-8s %-4s %8s %1s %-20s %8s", "case", "left", "kind", "way", "type", "elements", "t",
           "layout", all[0]->name);
    for (int k = 1; k < count; k++)
        if (!all[k]->absent && all[k]->role != OTHER_PROBLEM)
            printf(" %16s", all[k]->name);
    printf("\n");
}

void report_row(const progress *at, const bench_case *c, implementation *const *all, const measurement *results,
                int count)
{
    /* The first cases tell little: they count beside a twentieth of the run at the speed that was planned. */
    const double left =
        (now() - at->start + at->seconds / 20) / (at->cost_done + at->cost / 20) * (at->cost - at->cost_done);
    bool alone = true;
    printf("%4d/%-4d %3d:%02d %-14s %-8s %-4s %8lld %1d %-20s %8.4f", at->done, at->count, (int)left / 60,
           (int)left % 60, c->kind, pass_names[c->way], element_formats[c->type].name, (long long)c->elements,
           c->threads, c->layout, results[0].ns_per_element);
    for (int k = 1; k < count; k++) {
        if (all[k]->absent || all[k]->role == OTHER_PROBLEM)
            continue;
        if (results[k].measured)
            printf(" %8.4f (%5.2f)", results[k].ns_per_element, results[k].ns_per_element / results[0].ns_per_element);
        else
            printf(" %16s", "-");
        alone = alone && !(results[k].measured && all[k]->role == PEER);
    }
    for (int k = 1; k < count; k++)
        if (all[k]->role == OTHER_PROBLEM && results[k].measured)
            printf("  %s: %.4f", all[k]->name, results[k].ns_per_element);
    printf("%s\n", alone ? "  no peer" : "");
    fflush(stdout);
}

void report_records(FILE *json, const bench_case *c, implementation *const *all, const measurement *results, int count)
{
    for (int k = 0; k < count; k++)
        if (results[k].measured)
            fprintf(json,
                    "%s{\"kind\": \"%s\", \"direction\": \"%s\", \"dtype\": \"%s\", \"elements\": %lld, "
                    "\"threads\": %d, \"layout\": \"%s\", \"implementation\": \"%s\", "
                    "\"ns_per_element\": %.6g}",
                    ftell(json) == 0 ? "{\"results\": [\n" : ",\n", c->kind, pass_names[c->way],
                    element_formats[c->type].name, (long long)c->elements, c->threads, c->layout, all[k]->name,
                    results[k].ns_per_element);
}

void report_end(FILE *json, implementation *const *all, int count, const char *data, double others)
{
    fprintf(json, "\n], \"cpu\": \"%s\", \"level\": \"%s\", \"data\": \"%s\", ", processor_name(), level_in_use(),
            spread(data));
    if (others >= 0)
        fprintf(json, "\"cores_busy_with_others\": %.2f, ", others);
    const char *warning = load_warning(others, "during this run");
    if (warning)
        fprintf(json, "\"warning\": \"%s\", ", warning);
    fputs("\"versions\": {", json);
    const char *separator = "";
    for (int k = 0; k < count; k++)
        if (!all[k]->absent && all[k]->version) {
            fprintf(json, "%s\"%s\": \"%s\"", separator, all[k]->name, all[k]->version());
            separator = ", ";
        }
    fputs("}}\n", json);
}
