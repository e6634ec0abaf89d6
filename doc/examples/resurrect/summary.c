/* See summary.h. */
#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int run_index(const session *all, int scenario, int activation, int seed)
{
    return (scenario * all->compared->count + activation) * all->chosen->seed_count + seed;
}

static const run *finished_run(const session *all, int scenario, int activation, int seed)
{
    const run *found = &all->runs[run_index(all, scenario, activation, seed)];
    return found->finished ? found : NULL;
}

double quantity_accuracy(const evaluation *at, int layer)
{
    (void)layer;
    return at->accuracy;
}

double quantity_dead(const evaluation *at, int layer)
{
    return at->dead[layer];
}

double quantity_gradient(const evaluation *at, int layer)
{
    return at->gradient_norm[layer];
}

spread across_seeds(const session *all, int scenario, int activation, int evaluation_index, quantity *value,
                    int layer)
{
    spread found = {0, HUGE_VAL, -HUGE_VAL};
    int count = 0;
    for (int seed = 0; seed < all->chosen->seed_count; seed++) {
        const run *one = finished_run(all, scenario, activation, seed);
        if (!one)
            continue;
        double now = value(&one->evaluations[evaluation_index], layer);
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
    return log(start->gradient_norm[0] / start->gradient_norm[layers - 1]) / (layers - 1);
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
    spread accuracy = across_seeds(all, scenario, activation, last, quantity_accuracy, 0);
    sum.accuracy = accuracy.mean;
    sum.least_accuracy = accuracy.least;
    sum.most_accuracy = accuracy.most;
    sum.accuracy_deviation = accuracy_deviation(all, scenario, activation, &sum);
    for (int layer = 0; layer < layers; layer++)
        sum.dead[layer] = across_seeds(all, scenario, activation, last, quantity_dead, layer).mean;
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

static void print_row(FILE *file, const session *all, int scenario, int activation, int width)
{
    const options *chosen = all->chosen;
    summary sum = summarise(all, scenario, activation);
    fprintf(file, "  %-*s ", width, all->compared->list[activation].label);
    if (!sum.finished) {
        fputs(" (no run finished)\n", file);
        return;
    }
    fprintf(file, "%6.1f (%4.1f to %4.1f) ", 100 * sum.accuracy, 100 * sum.least_accuracy,
            100 * sum.most_accuracy);
    for (int layer = 0; layer < chosen->layers; layer++)
        print_number(file, 5, 1, sum.dead[layer]);
    fprintf(file, "%*s", dead_width(chosen) - 6 * chosen->layers, "");
    print_number(file, 8, 2, 1000 * sum.seconds_per_step);
    print_number(file, 7, 1, 100 * sum.activation_share);
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
    fprintf(file, "  %-*s  test accuracy in %%    %-*s  ms per     %% in   gradient at the start\n", width, "",
            dead_width(chosen), dead_heading);
    fprintf(file, "  %-*s   mean (least, most) ", width, "activation");
    for (int layer = 1; layer <= chosen->layers; layer++)
        fprintf(file, " %5d", layer);
    fprintf(file, "%*s", dead_width(chosen) - 6 * chosen->layers, "");
    fputs("     step activs.   growth  ratio  cosine\n", file);
}

void print_tables(FILE *file, const session *all)
{
    const options *chosen = all->chosen;
    int width = longest_label(all->compared);
    for (int scenario = 0; scenario < chosen->scenario_count; scenario++) {
        print_heading(file, chosen, &chosen->scenarios[scenario], width);
        for (int activation = 0; activation < all->compared->count; activation++)
            print_row(file, all, scenario, activation, width);
    }
    fprintf(file,
            "\nA unit is dead if its output is 0 for each of the first %d training images; a layer has %d\n"
            "units. A run has diverged if its loss is no number in the end. Growth is the factor by which the\n"
            "norm of the gradient grows from a hidden layer to the one below; ratio and cosine compare the\n"
            "gradient used with the true one: their norms, and the angle between them.\n",
            SAMPLE, chosen->width);
}
