/* A session is everything that was trained; a summary is what its seeds say together about one contender in
 * one scenario. */
#ifndef RESURRECT_SUMMARY_H
#define RESURRECT_SUMMARY_H

#include <stdio.h>
#include <sugar/sugar.h>

#include "dataset.h"
#include "options.h"
#include "training.h"

typedef struct session {
    const options *chosen;
    const dataset *data;
    const contenders *compared;
    const run *runs;                            /* run_index gives the place of each */
    int run_count;
    int complete;                               /* every run has finished */
    double seconds;                             /* from the first step to the last */
} session;

/* Means are over the seeds whose run has finished; there may be none, and all is 0 then. */
typedef struct summary {
    int finished, diverged;                     /* runs; those whose loss is no number in the end */
    double accuracy, least_accuracy, most_accuracy, accuracy_deviation;    /* in the end; sample deviation */
    double dead[MOST_LAYERS];                   /* in the end, of runs that have not diverged */
    double seconds_per_step, activation_share;
    double gradient_growth;                     /* before the first step: the factor by which the gradient's
                                                   norm grows from one hidden layer to the one below, the
                                                   geometric mean over layers and seeds; NaN if it is 0
                                                   somewhere */
    double true_ratio, true_cosine;             /* before the first step */
} summary;

int run_index(const session *all, int scenario, int activation, int seed);

summary summarise(const session *all, int scenario, int activation);

/* The mean over the seeds of one quantity at the time of one evaluation, and its extremes; without the runs
 * where it is NaN, and NaN if there is no other. */
typedef double quantity(const evaluation *at, int layer);
typedef struct spread {
    double mean, least, most;
} spread;
double quantity_accuracy(const evaluation *at, int layer);
double quantity_dead(const evaluation *at, int layer);
double quantity_gradient(const evaluation *at, int layer);
spread across_seeds(const session *all, int scenario, int activation, int evaluation_index, quantity *value,
                    int layer);

/* The final tables, a scenario each. */
void print_tables(FILE *file, const session *all);

#endif
