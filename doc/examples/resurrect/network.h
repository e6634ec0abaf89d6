/* A multilayer perceptron: hidden layers of one width with one activation, a linear output layer, softmax
 * and cross-entropy, trained by stochastic gradient descent with momentum. The matrix products are CBLAS's,
 * the activations libsugar's. */
#ifndef RESURRECT_NETWORK_H
#define RESURRECT_NETWORK_H

#include <stdint.h>
#include <sugar/sugar.h>

#include "batchnorm.h"
#include "support.h"

typedef struct layer {
    int in, out;
    float *weights, *biases;                    /* in x out, row-major; out */
    float *weight_gradient, *bias_gradient;     /* of the mean loss of the last batch */
    float *z, *output;                          /* batch x out: before and after the activation */
    float *delta;                               /* batch x out: the gradient of the loss with respect to z */
    batchnorm *norm;                            /* between the product and z, with the biases as shifts; or NULL */
} layer;

typedef struct network {
    int layer_count;                            /* hidden layers and the output layer */
    layer *layers;
    int batch;                                  /* the most examples in one pass */
    float *input;                               /* batch x inputs, filled by the caller */
    uint8_t *labels;                            /* batch, likewise */
    size_t parameter_count;
    float *parameters, *gradient, *velocity;    /* of all layers, one after the other */
    const sugar_activation *activation;
    statistics normalised_by;                   /* what the next forward passes normalise by */
    double activation_seconds;                  /* spent in libsugar so far */
} network;

/* He initialisation: weights normal with variance 2 / in, hidden biases the one given, output biases 0. With or
 * without batch normalisation in the hidden layers. */
network *network_create(int inputs, int width, int hidden, int classes, int batch,
                        const sugar_activation *activation, double bias, int normalises, random_stream *random);
void network_free(network *net);

/* Fills z and output of every layer for the first n rows of input; the last layer's z are the logits. */
void network_forward(network *net, int n);

/* The mean cross-entropy after network_forward, given the first n labels; adds to *correct (unless NULL) how
 * many largest logits are the label's; leaves the loss's gradient in the last layer's delta. */
double network_loss(network *net, int n, int *correct);

/* Every delta and gradient, after network_loss; the activation is the one of the forward pass or has the same
 * forward function. */
void network_backward(network *net, int n, const sugar_activation *activation);

/* velocity = momentum * velocity + gradient; parameters -= learning_rate * velocity. */
void network_update(network *net, double learning_rate, double momentum);

#endif
