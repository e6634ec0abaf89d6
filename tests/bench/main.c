/* The benchmark: ours, peers and limits, side by side in one run.
 *
 *     bench [--quick] [--data wide] [--level NAME] [--kind NAME] [--direction forward|backward] [--dtype NAME]
 *           [--elements N] [--threads N] [--layout NAME] [--implementation NAME] [--json FILE]
 *           [--torch peers_torch.py] [--python INTERPRETER]
 *
 * --quick is a selection that takes a minute. --level forces that level for ours; with avx2, the peers keep to
 * AVX2 as well. --data wide spreads the input over [-20, 20], where rare branches are taken. --implementation
 * leaves out all others but ours. PyTorch takes part if --torch names its script. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "plan.h"
#include "report.h"
#include "../support/support.h"

static implementation *const known[] = {
    &sugar_implementation, &sugar_alone, &onednn_peer, &xnnpack_peer, &torch_peer, &torch_output_peer,
    &memcpy_limit, &loop_limit, &nontemporal_limit,
};
enum { KNOWN = sizeof known / sizeof known[0] };

typedef struct options {
    filter wanted;
    const char *data, *level, *elements, *threads, *implementation, *json, *torch, *python;
} options;

static _Noreturn void refuse(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "bench: %s %s: expected %s\n", option, value ? value : "(nothing)", expected);
    exit(2);
}

static int64_t parse_number(const char *option, const char *text)
{
    char *end;
    const long long n = text ? strtoll(text, &end, 10) : 0;
    if (text && (n < 1 || *end))
        refuse(option, text, "a number above 0");
    return n;
}

static void check_implementation(const char *name)
{
    for (int k = 0; name && k < KNOWN; k++)
        if (strcmp(name, known[k]->name) == 0)
            return;
    if (name)
        refuse("--implementation", name, "a name in the heading of the table");
}

/* Where the value of an option goes. */
static const char **place(options *o, const char *option)
{
    const struct {
        const char *name, **value;
    } known_options[] = {
        {"--data", &o->data}, {"--level", &o->level}, {"--kind", &o->wanted.kind},
        {"--direction", &o->wanted.direction}, {"--dtype", &o->wanted.type}, {"--elements", &o->elements},
        {"--threads", &o->threads}, {"--layout", &o->wanted.layout}, {"--implementation", &o->implementation},
        {"--json", &o->json}, {"--torch", &o->torch}, {"--python", &o->python},
    };
    for (size_t i = 0; i < sizeof known_options / sizeof known_options[0]; i++)
        if (strcmp(option, known_options[i].name) == 0)
            return known_options[i].value;
    refuse("option", option, "one of those at the top of tests/bench/main.c");
}

static options parse_options(int argc, char **argv)
{
    options o = {.python = "python3"};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            o.wanted.quick = true;
            continue;
        }
        const char **value = place(&o, argv[i]);
        if (i + 1 == argc)
            refuse(argv[i], NULL, "a value");
        *value = argv[++i];
    }
    if (o.data && strcmp(o.data, "wide") != 0)
        refuse("--data", o.data, "wide");
    check_implementation(o.implementation);
    o.wanted.elements = parse_number("--elements", o.elements);
    o.wanted.threads = parse_number("--threads", o.threads);
    return o;
}

static int choose(const options *o, implementation **chosen)
{
    int count = 0;
    for (int k = 0; k < KNOWN; k++)
        if (k <= 1 || !o->implementation || strcmp(o->implementation, known[k]->name) == 0)
            chosen[count++] = known[k];
    return count;
}

static void run(const plan *p, const memory *m, const options *o, FILE *json)
{
    implementation *chosen[KNOWN];
    measurement results[KNOWN];
    const int count = choose(o, chosen);
    progress at = progress_start(p);
    report_heading(chosen, count, o->data);
    for (int i = 0; i < p->count; i++) {
        bench_case *c = &p->cases[i];
        if (i == 0 || c->type != p->cases[i - 1].type)
            memory_fill(m, c->type, o->data != NULL);
        plan_place(c, m);
        measure(c, chosen, count, o->wanted.quick ? 0.06 : 0.18, results);
        progress_step(&at, c);
        report_row(&at, c, chosen, results, count);
        if (json)
            report_records(json, c, chosen, results, count);
    }
    if (json)
        report_end(json, chosen, count, o->data);
}

int main(int argc, char **argv)
{
    const options o = parse_options(argc, argv);
    if (o.level)
        level_force(o.level);
    plan p = plan_make(&o.wanted);
    if (p.count == 0)
        refuse("the options", "together", "something that is measured");
    size_t most = 0;                    /* bytes of an operand */
    for (int i = 0; i < p.count; i++) {
        const size_t bytes = case_bytes(&p.cases[i]);
        most = bytes > most ? bytes : most;
    }
    FILE *json = o.json ? fopen(o.json, "w") : NULL;
    if (o.json && !json)
        give_up(o.json, "cannot be written");
    memory m = memory_make(most);
    if (o.torch)
        torch_start(&m, o.python, o.torch);
    pool_start();
    run(&p, &m, &o, json);
    if (json && fclose(json) != 0)
        give_up(o.json, "could not be written");
    pool_stop();
    torch_stop();
    memory_free(&m);
    plan_free(&p);
    return 0;
}
