/* A multilayer perceptron: hidden layers of one width with one activation, a linear output layer, softmax
 * and cross-entropy, trained by stochastic gradient descent with momentum. The matrix products are CBLAS's,
 * the biases and activations libsugar's. */
#ifndef RESURRECT_NETWORK_H
#define RESURRECT_NETWORK_H

#include <stdint.h>
#include <sugar/sugar.h>

#include "batchnorm.h"
#include "contender.h"
#include "support.h"

typedef struct layer {
    int in, out;
    float *weights, *biases;                    /* in x out, row-major; out */
    float *weight_gradient, *bias_gradient;     /* of the mean loss of the last batch */
    float *z, *output;                          /* batch x out: before and after the activation, which adds the
                                                   biases; the same memory if the gradient is saved, and in the
                                                   output layer */
    uint8_t *saved;                             /* batch x out: the activation's derivative in bytes, from which
                                                   the backward pass needs no z; NULL: it uses z */
    float *parameter, *parameter_gradient;      /* out: the activation's, if it is learned, one for each unit;
                                                   else NULL */
    sugar_monitor *monitor;                     /* of z with the biases; of hidden layers */
    int draws;                                  /* the activation draws slopes */
    uint64_t random_offset;                     /* of the slopes that the last forward pass drew */
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
    const contender *trained;
    const sugar_activation *activation;         /* the contender's, or the one below */
    sugar_activation *identity;                 /* adds the biases of the output layer */
    sugar_activation *blended;                  /* made by network_blend; NULL: not yet called */
    double blend;                               /* likewise; NaN: not yet called */
    uint64_t random_seed, random_offset;        /* of the slopes drawn next */
    double activation_seconds;                  /* spent in libsugar so far */
} network;

/* What a forward pass is for. */
typedef enum pass {
    PASS_TRAIN,                                 /* slopes are drawn, if the contender draws any; a normalisation
                                                   uses the batch's statistics, and updates the running ones */
    PASS_MEASURE,                               /* gradients: by the batch's statistics, and nothing else changes */
    PASS_EVALUATE,                              /* by the running statistics */
    PASS_OBSERVE                                /* as PASS_EVALUATE, and the monitors count */
} pass;

/* He initialisation: weights normal with variance 2 / in, hidden biases the one given, output biases 0; what is
 * learned of an activation starts where the contender says. With or without batch normalisation in the hidden
 * layers. */
network *network_create(int inputs, int width, int hidden, int classes, int batch, const contender *trained,
                        double bias, int normalises, random_stream *random);
void network_free(network *net);

/* What a hidden layer's activation keeps from the forward pass for the backward pass. */
size_t network_kept_bytes(const network *net);

/* Replaces the activation by the contender's with this blend. */
void network_blend(network *net, double blend);

/* Fills z and output of every layer for the first n rows of input; the last layer's outputs are the logits. */
void network_forward(network *net, int n, const sugar_activation *activation, pass purpose);

/* The mean cross-entropy after network_forward, given the first n labels; adds to *correct (unless NULL) how
 * many largest logits are the label's; leaves the loss's gradient in the last layer's delta. */
double network_loss(network *net, int n, int *correct);

/* Every delta and gradient, after network_loss; with the activation and the purpose of the forward pass. */
void network_backward(network *net, int n, const sugar_activation *activation, pass purpose);

/* velocity = momentum * velocity + gradient; parameters -= learning_rate * velocity. What is learned of an
 * activation stays within its range. */
void network_update(network *net, double learning_rate, double momentum);

#endif
