/* The table on screen, the records, and the summary; see report.h. */
#include "report.h"

#include <math.h>

/* ours is all[0] everywhere. */

void report_heading(implementation *const *all, int count)
{
    for (int k = 0; k < count; k++)
        if (all[k]->absent)
            printf("not here: %s: %s\n", all[k]->name, all[k]->absent);
        else if (all[k]->version)
            printf("%s: version %s\n", all[k]->name, all[k]->version);
    puts("sigmoid and tanh backward: torch starts from the output, the others from the input");
    printf("ns per element; in brackets the time over that of %s\n\n", all[0]->name);
    printf("%-14s %-8s %-4s %8s %2s %-12s %9s", "kind", "way", "type", "elements", "t", "layout", all[0]->name);
    for (int k = 1; k < count; k++)
        if (!all[k]->absent)
            printf(" %16s", all[k]->name);
    printf("\n");
}

/* The fastest peer's time over ours; 0 without a peer. */
static double against_peers(implementation *const *all, const measurement *results, int count)
{
    double fastest = HUGE_VAL;
    for (int k = 1; k < count; k++)
        if (results[k].measured && !all[k]->limit)
            fastest = fmin(fastest, results[k].ns_per_element);
    return isfinite(fastest) ? fastest / results[0].ns_per_element : 0;
}

void report_row(const bench_case *c, implementation *const *all, const measurement *results, int count)
{
    printf("%-14s %-8s %-4s %8lld %2d %-12s %9.4f", c->kind, direction_names[c->way], type_name(c),
           (long long)c->elements, c->threads, c->layout, results[0].ns_per_element);
    for (int k = 1; k < count; k++)
        if (results[k].measured)
            printf(" %8.4f (%5.2f)", results[k].ns_per_element,
                   results[k].ns_per_element / results[0].ns_per_element);
        else if (!all[k]->absent)
            printf(" %16s", "-");
    printf("%s\n", against_peers(all, results, count) > 0 ? "" : "  no peer");
    fflush(stdout);
}

void report_records(FILE *json, const bench_case *c, implementation *const *all, const measurement *results,
                    int count, bool *first)
{
    for (int k = 0; k < count; k++) {
        if (!results[k].measured)
            continue;
        fprintf(json, "%s{\"kind\": \"%s\", \"direction\": \"%s\", \"dtype\": \"%s\", \"elements\": %lld, "
                "\"threads\": %d, \"layout\": \"%s\", \"implementation\": \"%s\", \"ns_per_element\": %.6g}",
                *first ? "" : ",\n", c->kind, direction_names[c->way], type_name(c), (long long)c->elements,
                c->threads, c->layout, all[k]->name, results[k].ns_per_element);
        *first = false;
    }
}

void summary_add(summary *s, const bench_case *c, implementation *const *all, const measurement *results,
                 int count)
{
    const double ratio = against_peers(all, results, count);
    if (!(ratio > 0)) {
        s->alone++;
        return;
    }
    const int size = c->elements > 1 << 20 ? 2 : c->elements > 32 << 10;
    s->group[c->threads - 1][size].cases++;
    s->group[c->threads - 1][size].log_sum += log(ratio);
    s->group[c->threads - 1][size].slower += ratio < 1;
}

void summary_print(const summary *s)
{
    static const char *const sizes[3] = {"up to 32 Ki elements", "up to 1 Mi elements", "beyond"};
    printf("\nThe fastest peer's time over ours:\n");
    for (int threads = 1; threads <= MAX_THREADS; threads++)
        for (int size = 0; size < 3; size++) {
            const int cases = s->group[threads - 1][size].cases;
            if (cases)
                printf("    threads %d, %-21s %4d cases, geometric mean %.2f; ours is slower in %d\n", threads,
                       sizes[size], cases, exp(s->group[threads - 1][size].log_sum / cases),
                       s->group[threads - 1][size].slower);
        }
    printf("    no peer: %d cases\n", s->alone);
}
