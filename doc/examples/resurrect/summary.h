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
    double figures[FIGURES][MOST_LAYERS];       /* in the end; those of monitors of runs that have not diverged */
    double kept_bytes;
    double seconds_per_step, activation_share;
    double gradient_growth;                     /* before the first step: the factor by which the gradient's
                                                   norm grows from one hidden layer to the one below, the
                                                   geometric mean over layers and seeds; NaN if it is 0
                                                   somewhere */
    double true_ratio, true_cosine;             /* before the first step */
} summary;

int run_index(const session *all, int scenario, int activation, int seed);

summary summarise(const session *all, int scenario, int activation);

/* The mean over the seeds of one figure of a layer, or of the accuracy, at the time of one evaluation, and its
 * extremes; without the runs where it is NaN, and NaN if there is no other. */
enum { ACCURACY = FIGURES };
typedef struct spread {
    double mean, least, most;
} spread;
spread across_seeds(const session *all, int scenario, int activation, int evaluation_index, int figure, int layer);

/* The names of the figures from LEARNED_LEAST to LEARNED_MOST. */
enum { QUARTILES = 5 };
extern const char *const quartile_names[QUARTILES];

double total(const double *values, int count);

/* The final tables, a scenario each. */
void print_tables(FILE *file, const session *all);

#endif
