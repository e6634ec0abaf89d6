/* The benchmark: ours, peers and limits, side by side in one run.
 *
 *     bench [--quick] [--kind NAME] [--direction forward|backward] [--elements N]
 *           [--implementation NAME] [--json FILE]
 *           [--torch peers_torch.py] [--python INTERPRETER]
 *
 * --implementation leaves out all others but ours. PyTorch takes part if --torch names its script. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "plan.h"
#include "report.h"
#include "../support/support.h"

static implementation *const known[] = {
    &sugar_implementation, &onednn_peer, &xnnpack_peer, &torch_peer,
    &memcpy_limit, &loop_limit, &nontemporal_limit,
};
enum { KNOWN = sizeof known / sizeof known[0] };

typedef struct options {
    filter wanted;
    const char *implementation, *json, *torch, *python;
} options;

static _Noreturn void refuse(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "bench: %s %s: expected %s\n", option, value ? value : "(nothing)", expected);
    exit(2);
}

static int64_t parse_elements(const char *text)
{
    char *end;
    const long long n = text ? strtoll(text, &end, 10) : 0;
    if (n < 1 || *end)
        refuse("--elements", text, "a number of elements");
    return n;
}

static void check_implementation(const char *name)
{
    for (int k = 0; name && k < KNOWN; k++)
        if (strcmp(name, known[k]->name) == 0)
            return;
    refuse("--implementation", name, "a name in the heading of the table");
}

static options parse_options(int argc, char **argv)
{
    options o = {.python = "python3"};
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];
        if (strcmp(option, "--quick") == 0) {
            o.wanted.quick = true;
            continue;
        }
        const char *value = argv[++i];  /* NULL at the end */
        if (strcmp(option, "--kind") == 0)
            o.wanted.kind = value;
        else if (strcmp(option, "--direction") == 0)
            o.wanted.direction = value;
        else if (strcmp(option, "--elements") == 0)
            o.wanted.elements = parse_elements(value);
        else if (strcmp(option, "--implementation") == 0)
            check_implementation(o.implementation = value);
        else if (strcmp(option, "--json") == 0)
            o.json = value;
        else if (strcmp(option, "--torch") == 0)
            o.torch = value;
        else if (strcmp(option, "--python") == 0)
            o.python = value;
        else
            refuse("option", option,
                   "--quick, --kind, --direction, --elements, --implementation, --json, --torch or --python");
        if (!value)
            refuse(option, NULL, "a value");
    }
    return o;
}

static int choose(const options *o, implementation **chosen)
{
    int count = 0;
    for (int k = 0; k < KNOWN; k++)
        if (k == 0 || !o->implementation || strcmp(o->implementation, known[k]->name) == 0)
            chosen[count++] = known[k];
    return count;
}

static int rounds(const bench_case *c, bool quick)
{
    return quick || c->elements > 1 << 20 ? 3 : 9;
}

static void run(plan *p, const memory *m, int64_t most, const options *o, FILE *json)
{
    implementation *chosen[KNOWN];
    measurement results[KNOWN];
    const int count = choose(o, chosen);
    summary s = {0};
    bool first = true;
    report_heading(chosen, count);
    for (int i = 0; i < p->count; i++) {
        bench_case *c = &p->cases[i];
        if (i == 0 || c->width != p->cases[i - 1].width)
            memory_fill(m, c->width, most);
        plan_place(c, m);
        measure(c, chosen, count, rounds(c, o->wanted.quick), results);
        report_row(c, chosen, results, count);
        summary_add(&s, c, chosen, results, count);
        if (json)
            report_records(json, c, chosen, results, count, &first);
    }
    summary_print(&s);
}

int main(int argc, char **argv)
{
    const options o = parse_options(argc, argv);
    plan p = plan_make(&o.wanted);
    if (p.count == 0)
        refuse("--kind, --direction and --elements", "together", "something that is measured");
    int64_t most = 0;
    size_t widest = 0;
    for (int i = 0; i < p.count; i++) {
        most = p.cases[i].elements > most ? p.cases[i].elements : most;
        widest = p.cases[i].width > widest ? p.cases[i].width : widest;
    }
    FILE *json = o.json ? fopen(o.json, "w") : NULL;
    if (o.json && !json)
        give_up(o.json, "cannot be written");
    memory m = memory_make((size_t)most * widest);
    if (o.torch)
        torch_start(&m, o.python, o.torch);
    pool_start();
    if (json)
        fputs("[\n", json);
    run(&p, &m, most, &o, json);
    if (json && (fputs("\n]\n", json) < 0 || fclose(json) != 0))
        give_up(o.json, "could not be written");
    pool_stop();
    torch_stop();
    memory_free(&m);
    plan_free(&p);
    return 0;
}
