/* The benchmark: ours, peers and limits, side by side in one run. The options are below. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "command.h"
#include "load.h"
#include "plan.h"
#include "report.h"
#include "../support/support.h"

static implementation *const known[] = {
    &sugar_implementation, &sugar_alone,  &sugar_from_output, &sugar_saved,       &sugar_monitored,
    &sugar_sampled,        &onednn_peer,  &xnnpack_peer,      &ggml_peer,         &torch_peer,
    &torch_output_peer,    &memcpy_limit, &loop_limit,        &nontemporal_limit,
};
enum { KNOWN = sizeof known / sizeof known[0] };

static const char usage[] =
    "Times libsugar beside other libraries and the limits of memory; see doc/speed.md.\n\n"
    "    bench [--quick] [--data wide|narrow] [--level NAME] [--kind NAME]\n"
    "          [--direction forward|backward] [--dtype NAME] [--elements N] [--threads N]\n"
    "          [--layout NAME] [--implementation NAME]\n"
    "          [--json FILE] [--torch peers_torch.py] [--python INTERPRETER]\n\n"
    "--quick            f32 alone, and less in memory: about a minute with all peers\n"
    "--data wide        the input spread over [-20, 20], where rare branches are taken\n"
    "--data narrow      over [-1, 1], where none is\n"
    "--level            libsugar at this level; at avx2, peers keep to AVX2 as well\n"
    "--kind, --direction, --dtype, --elements, --threads, --layout\n"
    "                   only what has this value; the values are told for one that is not measured\n"
    "--implementation   this one beside libsugar, and no other\n"
    "--json             the file for the measurements; it is written anew at the end of a complete run\n"
    "--torch            the script through which PyTorch takes part; without it, it is left out\n"
    "--python           the interpreter that has torch; without it, python3 if that has torch\n";

typedef struct options {
    filter wanted;
    const char *data, *level, *implementation, *json, *torch, *python;
} options;

static const char *const field_options[FIELDS] = {
    [KIND] = "--kind",         [DIRECTION] = "--direction", [DTYPE] = "--dtype",
    [ELEMENTS] = "--elements", [THREADS] = "--threads",     [LAYOUT] = "--layout",
};

static void check_implementation(const char *name)
{
    const char *names[KNOWN];
    for (int k = 0; k < KNOWN; k++)
        names[k] = known[k]->name;
    command_choice("--implementation", name, names, KNOWN);
}

static options parse_options(int argc, char **argv)
{
    static const char *const spreads[] = {"wide", "narrow"};
    options o = {0};
    command_option all[6 + FIELDS] = {
        {"--data", &o.data}, {"--level", &o.level}, {"--implementation", &o.implementation},
        {"--json", &o.json}, {"--torch", &o.torch}, {"--python", &o.python},
    };
    for (int f = 0; f < FIELDS; f++)
        all[6 + f] = (command_option){field_options[f], &o.wanted.value[f]};
    command_parse(argc, argv, usage, all, 6 + FIELDS, "--quick", &o.wanted.quick);
    command_choice("--data", o.data, spreads, 2);
    check_implementation(o.implementation);
    plan_check(&o.wanted, field_options);
    return o;
}

/* The plan, which has some case. */
static plan make_plan(const filter *wanted)
{
    plan p = plan_make(wanted);
    if (p.count > 0)
        return p;
    fprintf(stderr, "bench: no case has all of%s", wanted->quick ? " --quick" : "");
    for (int f = 0; f < FIELDS; f++)
        if (wanted->value[f])
            fprintf(stderr, " %s %s", field_options[f], wanted->value[f]);
    fputs(", though each is measured with others\n", stderr);
    exit(2);
}

static int choose(const options *o, implementation **chosen)
{
    int count = 0;
    for (int k = 0; k < KNOWN; k++)
        if (k <= 1 || !o->implementation || strcmp(o->implementation, known[k]->name) == 0)
            chosen[count++] = known[k];
    return count;
}

/* Of the numbers in x, if they are spread evenly; see memory_fill. */
static double reach_of(const char *data) { return !data ? 0 : strcmp(data, "wide") == 0 ? 20 : 1; }

static void run(const plan *p, const memory *m, const options *o, implementation *const *chosen, int count, FILE *json)
{
    measurement results[KNOWN];
    progress at = progress_start(p, o->wanted.quick);
    report_heading(chosen, count, o->data);
    for (int i = 0; i < p->count; i++) {
        bench_case *c = &p->cases[i];
        if (i == 0 || c->type != p->cases[i - 1].type)
            memory_fill(m, c->type, reach_of(o->data));
        plan_place(c, m);
        check_peers(c, chosen, count);
        measure(c, chosen, count, o->wanted.quick ? 0.06 : 0.18, results);
        progress_step(&at, c);
        report_row(&at, c, chosen, results, count);
        if (json)
            report_records(json, c, chosen, results, count);
    }
}

/* Says if others keep the machine busy, so that nobody waits for a run that is worth little. */
static void look_around(void)
{
    const load before = load_now();
    if (before.known)
        sleep(1);
    const char *warning = load_warning(load_of_others(&before), "in the second before the start");
    if (warning)
        printf("warning: %s\n", warning);
}

int main(int argc, char **argv)
{
    const options o = parse_options(argc, argv);
    implementation *chosen[KNOWN];
    const int count = choose(&o, chosen);
    level_choose(o.level);
    plan p = make_plan(&o.wanted);
    size_t most = 0;                    /* bytes of an operand */
    for (int i = 0; i < p.count; i++) {
        const size_t bytes = case_bytes(&p.cases[i]);
        most = bytes > most ? bytes : most;
    }
    memory m = memory_make(most);
    look_around();
    const load start = load_now();
    if (o.torch)
        torch_start(&m, o.python, o.torch);
    results_file results = results_open("--json", o.json);
    pool_start();
    run(&p, &m, &o, chosen, count, results.file);
    pool_stop();
    torch_stop();                       /* its time counts as ours from here on */
    load_warn(&start);
    if (results.file)
        report_end(results.file, chosen, count, o.data, load_of_others(&start));
    results_keep(&results);
    memory_free(&m);
    plan_free(&p);
    return 0;
}
