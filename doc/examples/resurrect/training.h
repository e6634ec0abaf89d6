/* One training run: one activation, one scenario, one seed; and what is recorded of it. */
#ifndef RESURRECT_TRAINING_H
#define RESURRECT_TRAINING_H

#include <stdatomic.h>
#include <stdint.h>
#include <sugar/sugar.h>

#include "contender.h"
#include "dataset.h"
#include "options.h"
#include "progress.h"

/* Dead units, the loss and the gradients are measured on the first SAMPLE training images, the accuracy along
 * the way on the first SAMPLE test images, the final accuracy on all of them. */
enum { SAMPLE = 2048 };
#define NEARLY_DEAD_RATE 0.01

/* What is measured of a hidden layer: of its units, their inputs and what they have learned by its monitor, all NaN
 * once the network has diverged and its loss is no number. */
enum {
    DEAD,                                   /* units active for no image; see the contender's threshold */
    NEARLY_DEAD,                            /* units active for at most NEARLY_DEAD_RATE of the images */
    SPARSITY,                               /* the share of inputs that are not active */
    INPUT_MEAN,
    INPUT_DEVIATION,            /* of the activation's inputs, all units together */
    LEARNED_LEAST,
    LEARNED_LOWER_QUARTILE,
    LEARNED_MEDIAN,
    LEARNED_UPPER_QUARTILE,
    LEARNED_MOST,                           /* of the units' parameters; NaN if they are not learned */
    GRADIENT_NORM,                          /* of the gradient of the loss with respect to the inputs of the
                                               layer's activations, over the first batch */
    WEIGHT_NORM,                            /* the Frobenius norm of the weights */
    FIGURES
};

extern const char *const figure_names[FIGURES];

/* Bin 0 and the last one count what is below the first and above the last edge. */
typedef struct histogram {
    int64_t counts[SUGAR_MONITOR_BINS];
    double edges[SUGAR_MONITOR_BINS - 1];
} histogram;

/* The state of the network after a number of steps. */
typedef struct evaluation {
    int step;
    double loss, accuracy;
    double blend;                           /* of the surrogate's derivative while it is annealed, else NaN */
    double figures[FIGURES][MOST_LAYERS];
    double true_ratio, true_cosine;         /* the surrogate's gradient with respect to all parameters
                                               against the true one, over the first batch: ratio of norms,
                                               cosine of the angle; NaN where the true one is 0 */
} evaluation;

enum { MOST_EVALUATIONS = 48 };

typedef struct run {
    int scenario, activation, seed;         /* indices into the options; and of the contender */
    int finished;                           /* 0: stopped early, or never begun */
    int evaluation_count;
    evaluation evaluations[MOST_EVALUATIONS];
    int steps;                              /* done */
    double step_seconds;                    /* spent in these steps; evaluations are not in it */
    double activation_seconds;              /* of these, in libsugar */
    size_t kept_bytes;                      /* from forward to backward pass by a hidden layer's activation */
    uint64_t random_blocks;                 /* of random numbers, drawn for slopes */
    histogram start[MOST_LAYERS], end[MOST_LAYERS];    /* of the inputs of the activations of hidden layers, in
                                               the first and in the last evaluation */
} run;

/* How many steps one run takes. Each epoch uses as many whole batches as the shuffled images fill. */
int training_steps(const options *chosen, const dataset *data);

/* Trains, and fills the run. Ends early, leaving finished at 0, once *stop is not 0. */
void training_run(run *result, const options *chosen, const dataset *data, const contender *trained, progress *shown,
                  const atomic_int *stop);

#endif
