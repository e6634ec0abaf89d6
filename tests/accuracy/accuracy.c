/* The errors of every kind's value, derivative and derivative by the parameter, measured with MPFR. Parameters
 * cover the whole allowed range, and come from the spec and from tensors. f32 and f64: dense samples, edges and hard
 * points; f16 and bf16: all numbers (parameter derivatives: a sample). See usage(). */
#define _POSIX_C_SOURCE 200809L
#include "half.h"
#include "samples.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TYPES = 4, CAPACITY = 400000, MAX_THREADS = 64 };
static const element *const types[TYPES] = {&element_f32, &element_f64, &element_f16, &element_bf16};

typedef struct run {
    int32_t kinds;
    catalogue_entry *entries;
    int *first, *left;              /* of each kind: its first check, and how many checks are left */
    check *checks;
    int count, next, finished;      /* checks, the next one to start, kinds that are done */
    int passed, failed;
    pthread_mutex_t lock;
} run;

/* ---- Measuring -------------------------------------------------------------------------------- */

static void measure(check *work, const sugar_activation *activation, const bound *limit, const samples *points,
                    reference_scratch *scratch)
{
    double *x = malloc(2 * points->count * sizeof *x), *y = x + points->count;
    mpfr_t exact;
    mpfr_init2(exact, REFERENCE_BITS);
    for (size_t i = 0; x && i < points->count; i++)
        x[i] = element_at(work->type, points->places[i]);
    if (!x
        || catalogue_evaluate(activation, work->entry, work->type, work->way, check_parameter(work), points->count, x,
                              y)
               != SUGAR_OK) {
        snprintf(work->problem, PROBLEM_SIZE, "%s", x ? sugar_last_error() : "out of memory");
    } else {
        for (size_t i = 0; i < points->count; i++) {
            reference_evaluate(exact, work->entry->reference, work->way, work->p, x[i], scratch);
            tally_add(&work->found, work->type, limit, x[i], y[i], exact);
        }
    }
    mpfr_clear(exact);
    free(x);
}

static void sample(check *work, const sugar_activation *activation, reference_scratch *scratch)
{
    const reference_kind *kind = work->entry->reference;
    bound limit;
    bound_find(&limit, work->type, kind, work->way, work->p, scratch);
    samples points;
    samples_begin(&points, work->type, CAPACITY, 1);
    samples_fill(&points, work->p, work->entry->parameters, work->set == 0 ? 4 : 2);
    samples_sort(&points);
    samples_refine(&points, kind, work->way, work->p, scratch);
    samples_sort(&points);
    measure(work, activation, &limit, &points, scratch);
    samples_end(&points);
}

static void perform(check *work, reference_scratch *scratch)
{
    sugar_activation *activation;
    if (create_any(&activation, work->spec, NULL) != SUGAR_OK) {
        snprintf(work->problem, PROBLEM_SIZE, "%s", sugar_last_error());
        return;
    }
    if (half_is(work->type) && work->way != PARAMETER_DERIVATIVE)
        half_measure(work, activation, scratch);
    else
        sample(work, activation, scratch);
    sugar_activation_destroy(activation);
}

/* ---- Reporting -------------------------------------------------------------------------------- */

/* The largest error over a kind's sets of parameters: only the defaults, or all of them. */
static tally collect(const run *all, int32_t kind, const element *type, direction way, int only_defaults)
{
    tally sum;
    tally_begin(&sum);
    for (int i = all->first[kind]; i < all->first[kind + 1]; i++) {
        const check *work = &all->checks[i];
        if (work->type == type && work->way == way && ((work->set == 0 && !work->each) || !only_defaults))
            tally_merge(&sum, &work->found);
    }
    return sum;
}

static void print_kind(const run *all, int32_t kind)
{
    int checks = all->first[kind + 1] - all->first[kind], bad = 0;
    for (int i = all->first[kind]; i < all->first[kind + 1]; i++)
        bad += check_failed(&all->checks[i]);
    printf("[%d/%d] %-15s %3d checks, %d failed\n", all->finished, (int)all->kinds, all->entries[kind].reference->name,
           checks, bad);
    for (int i = all->first[kind]; i < all->first[kind + 1]; i++)
        if (check_failed(&all->checks[i]))
            report_failure(&all->checks[i]);
    fflush(stdout);
}

static void print_cells(const run *all, int32_t kind, const element *type, direction way)
{
    tally usual = collect(all, kind, type, way, 1), any = collect(all, kind, type, way, 0);
    if (usual.samples == 0) {
        printf(" | %7s %13s %7s %7s", "-", "", "", "");
        return;
    }
    char at[32] = "";
    if (!isnan(usual.max_at))
        snprintf(at, sizeof at, "%.6g", usual.max_at);
    printf(" | %7.3f %13s %6.2f%% %7.3f", usual.max_ulps, at, 100 * (double)usual.rounded / (double)usual.samples,
           any.max_ulps);
    if ((way == DERIVATIVE || way == SECOND) && !isnan(any.crossing_at))
        printf(" %6.3f", any.crossing_share);
}

static void print_table(const run *all, const element *type)
{
    printf("\n%s: errors in ULP. max, at x, share correctly rounded: default parameters; any: over all\n"
           "parameters; sign: next to a change of sign, the largest share of the allowed error\n"
           "%-15s | %7s %13s %7s %7s | %7s %13s %7s %7s %6s | %7s %13s %7s %7s\n",
           type->name, "kind", "value", "at", "rounded", "any", "deriv.", "at", "rounded", "any", "sign", "param.",
           "at", "rounded", "any");
    for (int32_t kind = 0; kind < all->kinds; kind++) {
        if (all->first[kind] == all->first[kind + 1])
            continue;
        printf("%-15s", all->entries[kind].reference->name);
        print_cells(all, kind, type, VALUE);
        print_cells(all, kind, type, DERIVATIVE);
        if (all->entries[kind].reference->function[PARAMETER_DERIVATIVE])
            print_cells(all, kind, type, PARAMETER_DERIVATIVE);
        putchar('\n');
    }
}

static void print_second(const run *all)
{
    printf(
        "\nthe second derivative: max of the errors in ULP, with the default parameters and with any; sign: next to\n"
        "a change of sign, the largest share of the allowed error\n%-20s",
        "kind");
    for (int type = 0; type < TYPES; type++)
        printf(" %7s %7s %6s", types[type]->name, "any", "sign");
    putchar('\n');
    for (int32_t kind = 0; kind < all->kinds; kind++) {
        if (all->first[kind] == all->first[kind + 1] || !all->entries[kind].reference->function[SECOND])
            continue;
        printf("%-20s", all->entries[kind].reference->name);
        for (int type = 0; type < TYPES; type++) {
            const tally usual = collect(all, kind, types[type], SECOND, 1);
            const tally any = collect(all, kind, types[type], SECOND, 0);
            printf(" %7.3f %7.3f %6.3f", usual.max_ulps, any.max_ulps, any.crossing_share);
        }
        putchar('\n');
    }
}

static void print_from_output(const run *all)
{
    printf("\nthe derivative from the output: max of the errors in ULP, over all parameters\n%-15s", "kind");
    for (int type = 0; type < TYPES; type++)
        printf(" %7s", types[type]->name);
    putchar('\n');
    for (int32_t kind = 0; kind < all->kinds; kind++) {
        if (all->first[kind] == all->first[kind + 1] || !all->entries[kind].reference->function[FROM_OUTPUT])
            continue;
        printf("%-15s", all->entries[kind].reference->name);
        for (int type = 0; type < TYPES; type++)
            printf(" %7.3f", collect(all, kind, types[type], FROM_OUTPUT, 0).max_ulps);
        putchar('\n');
    }
}

/* ---- The run ---------------------------------------------------------------------------------- */

static void *work_through(void *argument)
{
    run *all = argument;
    reference_scratch scratch;
    reference_begin(&scratch);
    pthread_mutex_lock(&all->lock);
    while (all->next < all->count) {
        check *work = &all->checks[all->next++];
        pthread_mutex_unlock(&all->lock);
        perform(work, &scratch);
        pthread_mutex_lock(&all->lock);
        *(check_failed(work) ? &all->failed : &all->passed) += 1;
        int32_t kind = (int32_t)(work->entry - all->entries);
        if (--all->left[kind] == 0) {
            all->finished++;
            print_kind(all, kind);
        }
    }
    pthread_mutex_unlock(&all->lock);
    reference_end(&scratch);
    return NULL;
}

static void start_threads(run *all, long threads)
{
    pthread_t others[MAX_THREADS];
    int started = 0;
    while (started < threads - 1 && started < MAX_THREADS
           && pthread_create(&others[started], NULL, work_through, all) == 0)
        started++;
    work_through(all);
    for (int i = 0; i < started; i++)
        pthread_join(others[i], NULL);
}

/* Not all numbers of a narrow type by MPFR alone, and nothing from the output where the derivative does not follow
 * from it. */
static int is_checked(const catalogue_entry *entry, const element *type, direction way, int set, const double *p)
{
    if (way != FROM_OUTPUT || !entry->reference->function[way])
        return entry->reference->function[way] != NULL;
    return (set == 0 || !half_is(type)) && (entry->reference->ordered || p[0] >= 0);
}

static void add_checks(run *all, int32_t kind, const char *only_way)
{
    const catalogue_entry *entry = &all->entries[kind];
    double sets[PARAMETER_SETS][REFERENCE_PARAMETERS];
    const int set_count = catalogue_parameter_sets(entry, sets),
              learns = entry->reference->function[PARAMETER_DERIVATIVE] != NULL;
    for (int type = 0; type < TYPES; type++)
        for (int way = VALUE; way < ALL_DIRECTIONS; way++)
            for (int set = 0; set < set_count; set++)
                for (int each = 0; each <= (learns && way < SECOND); each++)
                    if ((!only_way || strcmp(only_way, direction_names[way]) == 0)
                        && is_checked(entry, types[type], (direction)way, set, sets[set]))
                        check_begin(&all->checks[all->count++], entry, types[type], (direction)way, set, each,
                                    sets[set]);
}

/* Lists the checks of every kind, or of the one named `only`, in all directions, or in one. */
static void prepare(run *all, const char *only, const char *only_way)
{
    char problem[PROBLEM_SIZE];
    for (int32_t kind = 0; kind < all->kinds; kind++) {
        all->first[kind] = all->count;
        if (catalogue_get(kind, &all->entries[kind], problem) != 0) {
            printf("FAIL %s\n", problem);
            all->failed++;
        } else if (!only || strcmp(only, all->entries[kind].reference->name) == 0) {
            add_checks(all, kind, only_way);
        }
        all->left[kind] = all->count - all->first[kind];
        all->finished += all->left[kind] == 0;
    }
    all->first[all->kinds] = all->count;
    const char *stale = catalogue_stale_row();
    if (stale) {
        printf("FAIL %s: the reference has a row for it, the library no such kind\n", stale);
        all->failed++;
    }
}

static void usage(FILE *file)
{
    fputs("usage: accuracy [--json FILE] [--kind NAME] [--direction NAME]\n"
          "Measures the errors of every kind (or one), in all directions (or one), at the level in use (at most "
          "SUGAR_LEVEL).\n",
          file);
}

static int is_direction(const char *name)
{
    for (int way = VALUE; way < ALL_DIRECTIONS; way++)
        if (strcmp(name, direction_names[way]) == 0)
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    const char *json = NULL, *only = NULL, *only_way = NULL;
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value && strcmp(argv[i], "--json") == 0) {
            json = value;
        } else if (value && strcmp(argv[i], "--kind") == 0 && catalogue_has(value)) {
            only = value;
        } else if (value && strcmp(argv[i], "--direction") == 0 && is_direction(value)) {
            only_way = value;
        } else if (value && strcmp(argv[i], "--kind") == 0) {
            fprintf(stderr, "--kind: \"%s\" is no kind\n", value);
            return 2;
        } else {
            usage(stderr);
            return 2;
        }
    }
    run all = {.kinds = sugar_kind_count(), .lock = PTHREAD_MUTEX_INITIALIZER};
    size_t kinds = (size_t)all.kinds;
    all.entries = calloc(kinds, sizeof *all.entries);
    all.first = calloc(kinds + 1, sizeof *all.first);
    all.left = calloc(kinds, sizeof *all.left);
    all.checks = calloc(kinds * 2 * PARAMETER_SETS * TYPES * ALL_DIRECTIONS, sizeof *all.checks);
    if (!all.entries || !all.first || !all.left || !all.checks) {
        fputs("out of memory\n", stderr);
        return 2;
    }
    printf("accuracy: level %s\n", report_level());
    prepare(&all, only, only_way);
    start_threads(&all, sysconf(_SC_NPROCESSORS_ONLN));
    for (int type = 0; type < TYPES; type++)
        print_table(&all, types[type]);
    print_second(&all);
    print_from_output(&all);
    int status = json ? report_json(json, all.checks, all.count, all.passed, all.failed) : 0;
    printf("%d passed, %d failed\n", all.passed, all.failed);
    free(all.entries);
    free(all.first);
    free(all.left);
    free(all.checks);
    return status || all.failed > 0 || all.passed == 0;
}
