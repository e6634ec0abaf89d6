/* Every f32 there is, through the value and the derivative of every kind. The errors are measured
 * against the fast reference; whatever comes near the bound is measured again with MPFR, and so is
 * the largest error found. See usage(). */
#define _POSIX_C_SOURCE 200809L
#include "fast.h"
#include "fast_check.h"
#include "report.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 4096, MAX_THREADS = 64, MAX_STRIDE = 1 << 20 };
static const double suspicious = 0.95;      /* share of the bound from which MPFR decides */
static const uint32_t infinity_bits = 0x7f800000, sign_bit = 0x80000000;

typedef struct options {
    const char *json, *kind, *way;
    long threads, stride;
    int all_parameters;
} options;

/* The sweep of one function. Threads take one stretch of numbers after another. */
typedef struct sweep {
    check *work;
    const sugar_activation *activation;
    bound limit;
    uint32_t stride;
    uint64_t next;              /* the first number that no thread has taken */
    pthread_mutex_t lock;
    const char *title;
    int terminal;
    time_t start;               /* of the whole run */
    double before, functions;   /* functions done before this one, and all */
} sweep;

static const uint64_t all_numbers = (uint64_t)1 << 32, part_size = (uint64_t)1 << 24;

/* ---- One chunk of numbers --------------------------------------------------------------------- */

typedef struct chunk {
    size_t count;
    float x[CHUNK], found[CHUNK];
    double wide[CHUNK], exact[CHUNK], ulps[CHUNK];
} chunk;

static void measure_exactly(const sweep *all, tally *part, double x, float found, mpfr_ptr exact,
                            reference_scratch *scratch)
{
    const check *work = all->work;
    reference_evaluate(exact, work->entry->reference, work->way, work->p, x, scratch);
    tally_add(part, &element_f32, &all->limit, x, (double)found, exact);
}

/* Numbers whose errors may be near the bound, or that are next to a change of sign, one by one. */
static void measure_singly(const sweep *all, tally *part, const chunk *now, mpfr_ptr exact, reference_scratch *scratch)
{
    for (size_t i = 0; i < now->count; i++) {
        double x = now->wide[i], allowed = all->limit.ulps, ulps = now->ulps[i];
        int crossing = bound_crossing(&all->limit, x, x);
        if (crossing)
            allowed = bound_ulps(&all->limit, x, fast_ulp(now->exact[i]));
        if (!(ulps <= suspicious * allowed)) {
            measure_exactly(all, part, x, now->found[i], exact, scratch);
            continue;
        }
        part->samples++;
        if (crossing && ulps / allowed > part->crossing_share) {
            part->crossing_share = ulps / allowed;
            part->crossing_at = x;
        } else if (!crossing && ulps > part->max_ulps) {
            part->max_ulps = ulps;
            part->max_at = x;
        }
    }
}

static void measure_finite(const sweep *all, tally *part, chunk *now, mpfr_ptr exact, reference_scratch *scratch)
{
    const check *work = all->work;
    double worst, low = fmin(now->wide[0], now->wide[now->count - 1]);
    double high = fmax(now->wide[0], now->wide[now->count - 1]);
    long long rounded = 0;
    fast_evaluate(work->entry->reference->name, work->way, work->p, now->count, now->wide, now->exact);
    fast_errors(now->count, now->found, now->exact, now->ulps, &worst, &rounded);
    part->rounded += rounded;
    if (worst > fmin(part->max_ulps, suspicious * all->limit.ulps) || bound_crossing(&all->limit, low, high))
        measure_singly(all, part, now, exact, scratch);
    else
        part->samples += (int64_t)now->count;
}

/* Infinities and NaNs. */
static void measure_special(const sweep *all, tally *part, chunk *now, mpfr_ptr exact, reference_scratch *scratch)
{
    for (size_t i = 0; i < now->count; i++)
        if (isnan(now->x[i]) && isnan(now->found[i])) {
            part->samples++;
            part->rounded++;
        } else {
            measure_exactly(all, part, (double)now->x[i], now->found[i], exact, scratch);
        }
}

/* The numbers first, first + stride, ... below end, which have one sign and are all finite or all not.
 * The last three may be left out, unless stride is 1. */
static sugar_status fill(const sweep *all, chunk *now, uint64_t first, uint64_t end)
{
    now->count = 0;
    for (uint64_t bits = first; bits < end && now->count < CHUNK; bits += all->stride) {
        uint32_t narrow = (uint32_t)bits;
        memcpy(&now->x[now->count++], &narrow, sizeof narrow);
    }
    now->count -= now->count % FAST_LANES;
    const sugar_status status =
        catalogue_call(all->activation, &element_f32, all->work->way, now->count, now->x, NULL, now->found);
    for (size_t i = 0; i < now->count; i++)
        now->wide[i] = (double)now->x[i];
    return status;
}

/* ---- Threads ---------------------------------------------------------------------------------- */

static void show_progress(const sweep *all)
{
    double here = (double)all->next / (double)all_numbers;
    double share = (all->before + here) / all->functions;
    double left = difftime(time(NULL), all->start) * (1 - share) / share;
    fprintf(stderr, "\r%5.1f %%  %-28s %5.1f %%  %d:%02d left   ", 100 * share, all->title, 100 * here, (int)left / 60,
            (int)left % 60);
}

/* The end of the stretch of numbers from `first` that are all finite or all not. */
static uint64_t stretch_end(uint64_t first, uint64_t end)
{
    uint64_t special = (first & sign_bit) + infinity_bits;
    return first < special && special < end ? special : end;
}

static void *work_through(void *argument)
{
    sweep *all = argument;
    chunk *now = malloc(sizeof *now);
    tally part;
    tally_begin(&part);
    mpfr_t exact;
    mpfr_init2(exact, REFERENCE_BITS);
    reference_scratch scratch;
    reference_begin(&scratch);
    sugar_status status = now ? SUGAR_OK : SUGAR_ERROR_OUT_OF_MEMORY;
    pthread_mutex_lock(&all->lock);
    while (all->next < all_numbers && status == SUGAR_OK) {
        uint64_t first = all->next, end = first - first % part_size + part_size;
        end = stretch_end(first, end);
        all->next = first + (end - first + all->stride - 1) / all->stride * all->stride;
        if (all->terminal)
            show_progress(all);
        pthread_mutex_unlock(&all->lock);
        for (; first < end && status == SUGAR_OK; first += (uint64_t)all->stride * CHUNK) {
            status = fill(all, now, first, end);
            if (now->count > 0)
                (isfinite(now->x[0]) ? measure_finite : measure_special)(all, &part, now, exact, &scratch);
        }
        pthread_mutex_lock(&all->lock);
    }
    tally_merge(&all->work->found, &part);
    if (status != SUGAR_OK)
        snprintf(all->work->problem, PROBLEM_SIZE, "%s", now ? sugar_last_error() : "out of memory");
    pthread_mutex_unlock(&all->lock);
    reference_end(&scratch);
    mpfr_clear(exact);
    free(now);
    return NULL;
}

static void run_threads(sweep *all, long threads)
{
    pthread_t others[MAX_THREADS];
    int started = 0;
    while (started < threads - 1 && pthread_create(&others[started], NULL, work_through, all) == 0)
        started++;
    work_through(all);
    for (int i = 0; i < started; i++)
        pthread_join(others[i], NULL);
    if (all->terminal)
        fputs("\r\033[K", stderr);
}

/* ---- One function ----------------------------------------------------------------------------- */

/* Measures the worst results with MPFR; the sweep measured them with the fast reference. */
static void refine_worst(const sweep *all, reference_scratch *scratch)
{
    tally *found = &all->work->found;
    const double at[2] = {found->max_at, found->crossing_at};
    mpfr_t exact;
    mpfr_init2(exact, REFERENCE_BITS);
    for (int i = 0; i < 2; i++) {
        double y;
        tally single;
        tally_begin(&single);
        if (isnan(at[i])
            || catalogue_evaluate(all->activation, all->work->entry, &element_f32, all->work->way, NULL, 1, &at[i], &y))
            continue;
        measure_exactly(all, &single, at[i], (float)y, exact, scratch);
        if (i == 0)
            found->max_ulps = single.max_ulps;
        else
            found->crossing_share = single.crossing_share;
    }
    mpfr_clear(exact);
}

static void perform(sweep *all, const options *chosen, reference_scratch *scratch)
{
    check *work = all->work;
    if (!fast_has(work->entry->reference->name, work->way)) {
        snprintf(work->problem, PROBLEM_SIZE, "tests/accuracy/fast.c has no row for it");
        return;
    }
    double at, error = fast_check(work->entry->reference, work->way, work->p, work->entry->parameters, scratch, &at);
    if (!(error <= FAST_ERROR)) {
        snprintf(work->problem, PROBLEM_SIZE, "the fast reference is wrong by %.3g (relative) at %a", error, at);
        return;
    }
    sugar_activation *activation;
    if (create_any(&activation, work->spec, NULL) != SUGAR_OK) {
        snprintf(work->problem, PROBLEM_SIZE, "%s", sugar_last_error());
        return;
    }
    all->activation = activation;
    bound_find(&all->limit, &element_f32, work->entry->reference, work->way, work->p, scratch);
    run_threads(all, chosen->threads);
    refine_worst(all, scratch);
    sugar_activation_destroy(activation);
}

static void print_result(const check *work, int number, int count)
{
    const tally *found = &work->found;
    if (check_failed(work)) {
        report_failure(work);
    } else {
        printf("[%d/%d] %s %s: %.4f %% of %lld correctly rounded", number, count, work->spec,
               direction_names[work->way], 100 * (double)found->rounded / (double)found->samples,
               (long long)found->samples);
        if (!isnan(found->max_at))
            printf("; %.4f ULP at %a (%.9g)", found->max_ulps, found->max_at, found->max_at);
        if (!isnan(found->crossing_at))
            printf("; next to the change of sign %.3f of what is allowed, at %a (%.9g)", found->crossing_share,
                   found->crossing_at, found->crossing_at);
        putchar('\n');
    }
    fflush(stdout);
}

/* ---- The run ---------------------------------------------------------------------------------- */

/* Lists the checks that were asked for; returns how many kinds have no proper reference. */
static int prepare(const options *chosen, catalogue_entry *entries, check *checks, int *count)
{
    int failed = 0;
    for (int32_t kind = 0; kind < sugar_kind_count(); kind++) {
        char problem[PROBLEM_SIZE];
        double sets[PARAMETER_SETS][REFERENCE_PARAMETERS];
        if (catalogue_get(kind, &entries[kind], problem) != 0) {
            printf("FAIL %s\n", problem);
            failed++;
            continue;
        }
        const reference_kind *reference = entries[kind].reference;
        if (chosen->kind && strcmp(chosen->kind, reference->name) != 0)
            continue;
        int set_count = catalogue_parameter_sets(&entries[kind], sets);
        for (int set = 0; set < (chosen->all_parameters ? set_count : 1); set++)
            for (int way = VALUE; way < DIRECTIONS; way++)
                if (reference->function[way] && (!chosen->way || strcmp(chosen->way, direction_names[way]) == 0))
                    check_begin(&checks[(*count)++], &entries[kind], &element_f32, (direction)way, set, 0, sets[set]);
    }
    return failed;
}

static int run_all(const options *chosen, catalogue_entry *entries, check *checks)
{
    reference_scratch scratch;
    reference_begin(&scratch);
    printf("exhaustive: level %s, every %ld. f32\n", report_level(), chosen->stride);
    int count = 0, passed = 0, failed = prepare(chosen, entries, checks, &count);
    sweep all = {.stride = (uint32_t)chosen->stride,
                 .terminal = isatty(2),
                 .functions = count,
                 .start = time(NULL),
                 .lock = PTHREAD_MUTEX_INITIALIZER};
    for (int i = 0; i < count; i++) {
        char title[64];
        snprintf(title, sizeof title, "%.40s %s", checks[i].entry->reference->name, direction_names[checks[i].way]);
        all.work = &checks[i];
        all.title = title;
        all.next = 0;
        all.before = i;
        perform(&all, chosen, &scratch);
        print_result(&checks[i], i + 1, count);
        *(check_failed(&checks[i]) ? &failed : &passed) += 1;
    }
    reference_end(&scratch);
    int status = chosen->json ? report_json(chosen->json, checks, count, passed, failed) : 0;
    printf("%d passed, %d failed\n", passed, failed);
    return status || failed > 0 || passed == 0;
}

static void usage(FILE *file)
{
    fputs("usage: exhaustive [--kind NAME] [--direction value|derivative|parameter-derivative|second] [--stride N]\n"
          "                  [--threads N] [--all-parameters] [--json FILE]\n"
          "Measures every f32 (or every N-th) at the level in use (at most SUGAR_LEVEL).\n",
          file);
}

/* The text as a whole number in [1, most]; 0, after a message, if it is none. */
static long read_number(const char *name, const char *value, long most)
{
    char *end;
    long number = strtol(value, &end, 10);
    if (end != value && *end == '\0' && number >= 1 && number <= most)
        return number;
    fprintf(stderr, "%s: \"%s\", expected a whole number from 1 to %ld\n", name, value, most);
    return 0;
}

static int is_direction(const char *name)
{
    for (int way = VALUE; way < DIRECTIONS; way++)
        if (strcmp(name, direction_names[way]) == 0)
            return 1;
    return 0;
}

/* Takes one option with its value; 0 on success. */
static int read_option(options *chosen, const char *name, const char *value)
{
    if (strcmp(name, "--stride") == 0)
        return (chosen->stride = read_number(name, value, MAX_STRIDE)) ? 0 : -1;
    if (strcmp(name, "--threads") == 0)
        return (chosen->threads = read_number(name, value, MAX_THREADS)) ? 0 : -1;
    if (strcmp(name, "--json") == 0) {
        chosen->json = value;
    } else if (strcmp(name, "--kind") == 0) {
        chosen->kind = value;
        if (!catalogue_has(value)) {
            fprintf(stderr, "--kind: \"%s\" is no kind\n", value);
            return -1;
        }
    } else if (strcmp(name, "--direction") == 0) {
        chosen->way = value;
        if (!is_direction(value)) {
            fprintf(stderr, "--direction: \"%s\", expected value, derivative, parameter-derivative or second\n", value);
            return -1;
        }
    } else {
        usage(stderr);
        return -1;
    }
    return 0;
}

static int read_options(options *chosen, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--all-parameters") == 0) {
            chosen->all_parameters = 1;
        } else if (i + 1 == argc) {
            usage(stderr);
            return -1;
        } else {
            if (read_option(chosen, argv[i], argv[i + 1]) != 0)
                return -1;
            i++;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    options chosen = {.stride = 1, .threads = sysconf(_SC_NPROCESSORS_ONLN)};
    chosen.threads = chosen.threads < 1 ? 1 : chosen.threads > MAX_THREADS ? MAX_THREADS : chosen.threads;
    if (read_options(&chosen, argc, argv) != 0)
        return 2;
    if (!fast_usable()) {
        puts("skipped: this build needs a processor with AVX2 and FMA");
        return 77;
    }
    catalogue_entry *entries = calloc((size_t)sugar_kind_count(), sizeof *entries);
    check *checks = calloc((size_t)sugar_kind_count() * PARAMETER_SETS * DIRECTIONS, sizeof *checks);
    int status = 2;
    if (entries && checks)
        status = run_all(&chosen, entries, checks);
    else
        fputs("out of memory\n", stderr);
    free(checks);
    free(entries);
    return status;
}
