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

/* The state of the network after a number of steps. */
typedef struct evaluation {
    int step;
    double loss, accuracy;
    double dead[MOST_LAYERS];               /* units of a hidden layer whose output is > 0 for no image; NaN
                                               once the network has diverged and its loss is no number */
    double weight_norm[MOST_LAYERS];        /* the Frobenius norm of a hidden layer's weights */
    double gradient_norm[MOST_LAYERS];      /* the norm of the gradient of the loss with respect to the inputs
                                               of a hidden layer's activations, over the first batch */
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
} run;

/* How many steps one run takes. Each epoch uses as many whole batches as the shuffled images fill. */
int training_steps(const options *chosen, const dataset *data);

/* Trains, and fills the run. Ends early, leaving finished at 0, once *stop is not 0. */
void training_run(run *result, const options *chosen, const dataset *data, const contender *trained,
                  progress *shown, const atomic_int *stop);

#endif
