/* One check of a function, and how it is reported; see report.h. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

void check_begin(check *work, const catalogue_entry *entry, const element *type, direction way, int set, int each,
                 const double *p)
{
    *work = (check){.entry = entry, .type = type, .way = way, .set = set, .each = each};
    catalogue_spec(entry, p, work->spec);
    for (int i = 0; i < entry->parameters; i++)
        work->p[i] = element_round(type->arithmetic, p[i]);
    if (each)
        work->p[0] = catalogue_round_parameter(entry, type, p[0]);
    tally_begin(&work->found);
}

const double *check_parameter(const check *work) { return work->each ? &work->p[0] : NULL; }

/* The share of correctly rounded results is not checked for parameter and second derivatives, nor with a parameter
 * that is an element itself: its few digits may put results in the middle between two elements for all x near 0. */
static double rounded_share(const check *work)
{
    return work->way == PARAMETER_DERIVATIVE || work->way == SECOND || work->each ? 0 : work->type->rounded;
}

int check_failed(const check *work)
{
    const tally *found = &work->found;
    return work->problem[0] || found->failures > 0
           || (double)found->rounded < rounded_share(work) * (double)found->samples;
}

void report_failure(const check *work)
{
    const tally *found = &work->found;
    printf("FAIL %s %s %s%s: ", work->spec, work->type->name, direction_names[work->way],
           work->each ? ", the parameter as a tensor" : "");
    if (work->problem[0])
        printf("%s\n", work->problem);
    else if (found->failures == 0)
        printf("%.4f %% of %lld correctly rounded, expected at least %g %%\n",
               100 * (double)found->rounded / (double)found->samples, (long long)found->samples,
               100 * rounded_share(work));
    else
        printf("%lld of %lld beyond the bound, worst at %a (%.9g): found %a, exact %a, "
               "%.4g ULP, allowed %.4g\n",
               (long long)found->failures, (long long)found->samples, found->worst.at, found->worst.at,
               found->worst.computed, found->worst.exact, found->worst.ulps, found->worst.allowed);
}

const char *report_level(void)
{
    sugar_activation *activation;
    if (sugar_activation_create(&activation, "identity") != SUGAR_OK) {
        fprintf(stderr, "%s\n", sugar_last_error());
        exit(2);
    }
    const char *level = sugar_activation_level(activation);
    sugar_activation_destroy(activation);
    return level;
}

static void write_check(const check *work, FILE *file)
{
    fprintf(file,
            "{\"kind\": \"%s\", \"spec\": \"%s\", \"type\": \"%s\", \"direction\": \"%s\", "
            "\"parameters\": {",
            work->entry->reference->name, work->spec, work->type->name, direction_names[work->way]);
    for (int i = 0; i < work->entry->parameters; i++)
        fprintf(file, "%s\"%s\": %.17g", i ? ", " : "", work->entry->parameter[i].name, work->p[i]);
    const int defaults = work->set == 0 && !work->each;
    fprintf(file, "}, \"defaults\": %s, \"each\": %s, \"passed\": %s, ", defaults ? "true" : "false",
            work->each ? "true" : "false", check_failed(work) ? "false" : "true");
    tally_print_json(&work->found, file);
    fputs("}", file);
}

int report_json(const char *path, const check *checks, int count, int passed, int failed)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        return -1;
    }
    fprintf(file, "{\"level\": \"%s\", \"passed\": %d, \"failed\": %d, \"results\": [\n", report_level(), passed,
            failed);
    for (int i = 0; i < count; i++) {
        write_check(&checks[i], file);
        fputs(i + 1 < count ? ",\n" : "\n", file);
    }
    fputs("]}\n", file);
    int bad = ferror(file);
    if (fclose(file) != 0 || bad) {
        perror(path);
        return -1;
    }
    return 0;
}
