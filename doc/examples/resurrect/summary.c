/* See summary.h. */
#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const quartile_names[QUARTILES] = {"least", "lower quartile", "median", "upper quartile", "greatest"};

int run_index(const session *all, int scenario, int activation, int seed)
{
    return (scenario * all->compared->count + activation) * all->chosen->seed_count + seed;
}

static const run *finished_run(const session *all, int scenario, int activation, int seed)
{
    const run *found = &all->runs[run_index(all, scenario, activation, seed)];
    return found->finished ? found : NULL;
}

spread across_seeds(const session *all, int scenario, int activation, int evaluation_index, int figure, int layer)
{
    spread found = {0, HUGE_VAL, -HUGE_VAL};
    int count = 0;
    for (int seed = 0; seed < all->chosen->seed_count; seed++) {
        const run *one = finished_run(all, scenario, activation, seed);
        if (!one)
            continue;
        const evaluation *at = &one->evaluations[evaluation_index];
        double now = figure == ACCURACY ? at->accuracy : at->figures[figure][layer];
        if (isnan(now))
            continue;
        found.mean += now;
        found.least = fmin(found.least, now);
        found.most = fmax(found.most, now);
        count++;
    }
    if (!count)
        return (spread){(double)NAN, (double)NAN, (double)NAN};
    found.mean /= count;
    return found;
}

static double log_growth(const evaluation *start, int layers)
{
    if (layers < 2)
        return (double)NAN;
    const double *norms = start->figures[GRADIENT_NORM];
    return log(norms[0] / norms[layers - 1]) / (layers - 1);
}

/* Everything that is a plain mean over the finished runs. */
static void add_run(summary *sum, const run *one, int layers)
{
    const evaluation *last = &one->evaluations[one->evaluation_count - 1];
    sum->diverged += !isfinite(last->loss);
    sum->seconds_per_step += one->step_seconds / one->steps;
    sum->activation_share += one->activation_seconds / one->step_seconds;
    sum->gradient_growth += log_growth(&one->evaluations[0], layers);
    sum->true_ratio += one->evaluations[0].true_ratio;
    sum->true_cosine += one->evaluations[0].true_cosine;
    sum->kept_bytes = (double)one->kept_bytes;
    sum->finished++;
}

static double accuracy_deviation(const session *all, int scenario, int activation, const summary *sum)
{
    double squares = 0;
    for (int seed = 0; seed < all->chosen->seed_count; seed++) {
        const run *one = finished_run(all, scenario, activation, seed);
        if (one)
            squares += pow(one->evaluations[one->evaluation_count - 1].accuracy - sum->accuracy, 2);
    }
    return sum->finished < 2 ? 0 : sqrt(squares / (sum->finished - 1));
}

summary summarise(const session *all, int scenario, int activation)
{
    summary sum = {0};
    int layers = all->chosen->layers, last = 0;
    for (int seed = 0; seed < all->chosen->seed_count; seed++) {
        const run *one = finished_run(all, scenario, activation, seed);
        if (!one)
            continue;
        add_run(&sum, one, layers);
        last = one->evaluation_count - 1;
    }
    if (!sum.finished)
        return sum;
    spread accuracy = across_seeds(all, scenario, activation, last, ACCURACY, 0);
    sum.accuracy = accuracy.mean;
    sum.least_accuracy = accuracy.least;
    sum.most_accuracy = accuracy.most;
    sum.accuracy_deviation = accuracy_deviation(all, scenario, activation, &sum);
    for (int figure = 0; figure < FIGURES; figure++)
        for (int layer = 0; layer < layers; layer++)
            sum.figures[figure][layer] = across_seeds(all, scenario, activation, last, figure, layer).mean;
    sum.seconds_per_step /= sum.finished;
    sum.activation_share /= sum.finished;
    sum.gradient_growth = exp(sum.gradient_growth / sum.finished);
    sum.true_ratio /= sum.finished;
    sum.true_cosine /= sum.finished;
    return sum;
}

static int longest_label(const contenders *compared)
{
    size_t longest = strlen("activation");
    for (int i = 0; i < compared->count; i++)
        if (strlen(compared->list[i].label) > longest)
            longest = strlen(compared->list[i].label);
    return (int)longest;
}

static const char dead_heading[] = "dead units in hidden layer";

/* Six columns a layer, and room for the heading. */
static int dead_width(const options *chosen)
{
    int columns = 6 * chosen->layers, heading = (int)sizeof dead_heading;
    return columns > heading ? columns : heading;
}

/* A number, or a dash where there is none. */
static void print_number(FILE *file, int width, int decimals, double value)
{
    if (isfinite(value))
        fprintf(file, " %*.*f", width, decimals, value);
    else
        fprintf(file, " %*s", width, "-");
}

double total(const double *values, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

static void print_row(FILE *file, const session *all, int scenario, int activation, int width)
{
    const options *chosen = all->chosen;
    summary sum = summarise(all, scenario, activation);
    fprintf(file, "  %-*s ", width, all->compared->list[activation].label);
    if (!sum.finished) {
        fputs(" (no run finished)\n", file);
        return;
    }
    fprintf(file, "%6.1f (%4.1f to %4.1f) ", 100 * sum.accuracy, 100 * sum.least_accuracy, 100 * sum.most_accuracy);
    for (int layer = 0; layer < chosen->layers; layer++)
        print_number(file, 5, 1, sum.figures[DEAD][layer]);
    fprintf(file, "%*s", dead_width(chosen) - 6 * chosen->layers, "");
    print_number(file, 6, 1, total(sum.figures[NEARLY_DEAD], chosen->layers));
    print_number(file, 6, 1, 100 * total(sum.figures[SPARSITY], chosen->layers) / chosen->layers);
    print_number(file, 8, 2, 1000 * sum.seconds_per_step);
    print_number(file, 7, 1, 100 * sum.activation_share);
    print_number(file, 6, 1, sum.kept_bytes / 1024);
    print_number(file, 8, 2, sum.gradient_growth);
    print_number(file, 6, 2, sum.true_ratio);
    print_number(file, 7, 2, sum.true_cosine);
    if (sum.diverged)
        fprintf(file, "  %d of %d diverged", sum.diverged, sum.finished);
    if (sum.finished < chosen->seed_count)
        fprintf(file, "  (%d of %d seeds)", sum.finished, chosen->seed_count);
    fputc('\n', file);
}

static void print_heading(FILE *file, const options *chosen, const setting *start, int width)
{
    char *description = scenario_describe(start);
    fprintf(file, "\n%s: %s\n\n", start->name, description);
    free(description);
    fprintf(file, "  %-*s  test accuracy in %%    %-*s nearly   not  ms per    %% in    KiB   gradient at the start\n",
            width, "", dead_width(chosen), dead_heading);
    fprintf(file, "  %-*s   mean (least, most) ", width, "activation");
    for (int layer = 1; layer <= chosen->layers; layer++)
        fprintf(file, " %5d", layer);
    fprintf(file, "%*s", dead_width(chosen) - 6 * chosen->layers, "");
    fputs("   dead act.%     step activs.   kept  growth  ratio  cosine\n", file);
}

/* What the units of each layer have learned, if they have. */
static void print_learned(FILE *file, const session *all, int scenario, int activation, int width)
{
    const contender *of = &all->compared->list[activation];
    summary sum = summarise(all, scenario, activation);
    if (of->technique != LEARNED || !sum.finished)
        return;
    fprintf(file, "\n  %-*s  %s in the end, of the units of layer; %g at the start\n  %*s  %-14s", width, of->label,
            of->learned.name, of->learned.start, width, "", "");
    for (int layer = 1; layer <= all->chosen->layers; layer++)
        fprintf(file, " %8d", layer);
    for (int i = 0; i < QUARTILES; i++) {
        fprintf(file, "\n  %*s  %-14s", width, "", quartile_names[i]);
        for (int layer = 0; layer < all->chosen->layers; layer++)
            print_number(file, 8, 4, sum.figures[LEARNED_LEAST + i][layer]);
    }
    fputc('\n', file);
}

void print_tables(FILE *file, const session *all)
{
    const options *chosen = all->chosen;
    int width = longest_label(all->compared);
    for (int scenario = 0; scenario < chosen->scenario_count; scenario++) {
        print_heading(file, chosen, &chosen->scenarios[scenario], width);
        for (int activation = 0; activation < all->compared->count; activation++)
            print_row(file, all, scenario, activation, width);
        for (int activation = 0; activation < all->compared->count; activation++)
            print_learned(file, all, scenario, activation, width);
    }
    fprintf(file,
            "\nA unit is dead if it is active (for relu: its output is not 0) for none of the first %d\n"
            "training images; a layer has %d units. Nearly dead are those of all hidden layers that are\n"
            "active for at most %g %% of the images, dead ones included; not active is the share of all\n"
            "outputs. Kept is what the activation of a hidden layer keeps from the forward pass for the\n"
            "backward pass. A run has diverged if its loss is no number in the end. Growth is the factor by\n"
            "which the norm of the gradient grows from a hidden layer to the one below; ratio and cosine\n"
            "compare the gradient used with the true one: their norms, and the angle between them.\n",
            SAMPLE, chosen->width, 100 * NEARLY_DEAD_RATE);
}
