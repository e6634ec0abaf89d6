/* Batch normalisation (Ioffe and Szegedy, arXiv 1502.03167): each unit's inputs are shifted and scaled to mean 0 and
 * variance 1 over the batch, and then by two parameters that are learned. */
#ifndef RESURRECT_BATCHNORM_H
#define RESURRECT_BATCHNORM_H

/* What a batch is normalised by. */
typedef enum statistics {
    RUNNING_STATISTICS,             /* the running means of earlier batches: evaluation */
    BATCH_STATISTICS,               /* its own; the running means stay as they are */
    UPDATED_STATISTICS              /* its own, which go into the running means: training */
} statistics;

typedef struct batchnorm {
    int units;
    float *scale, *shift, *scale_gradient, *shift_gradient;     /* the caller's: units each */
    float *normalised;              /* batch x units */
    float *delta;                   /* batch x units: the gradient of the loss with respect to the inputs */
    double *mean, *factor;          /* units: of the last batch; factor is 1 / its deviation */
    double *running_mean, *running_variance;
    statistics last;
} batchnorm;

/* For parameters and gradients of the caller's; the scales become 1. */
batchnorm *batchnorm_create(int units, int batch, float *scale, float *shift, float *scale_gradient,
                            float *shift_gradient);
void batchnorm_free(batchnorm *norm);               /* NULL is fine */

/* Replaces n rows of inputs by what they are normalised to. */
void batchnorm_forward(batchnorm *norm, float *values, int n, statistics by);

/* From the gradient with respect to the outputs of the last forward: delta and the gradients of the parameters. */
void batchnorm_backward(batchnorm *norm, const float *output_delta, int n);

#endif
