/* See network.h. */
#include "network.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void layer_create(layer *l, const network *net, size_t offset, int in, int out)
{
    size_t weights = (size_t)in * (size_t)out, values = (size_t)net->batch * (size_t)out;
    *l = (layer){.in = in, .out = out,
                 .weights = net->parameters + offset, .biases = net->parameters + offset + weights,
                 .weight_gradient = net->gradient + offset, .bias_gradient = net->gradient + offset + weights,
                 .z = allocate(values, sizeof(float)), .output = allocate(values, sizeof(float)),
                 .delta = allocate(values, sizeof(float))};
}

static void layer_initialise(layer *l, double bias, random_stream *random)
{
    double deviation = sqrt(2.0 / l->in);
    for (size_t i = 0; i < (size_t)l->in * (size_t)l->out; i++)
        l->weights[i] = (float)(deviation * random_normal(random));
    for (int i = 0; i < l->out; i++)
        l->biases[i] = (float)bias;
}

static int layer_inputs(int index, int inputs, int width)
{
    return index == 0 ? inputs : width;
}

/* Weights, biases, and the scales of a normalisation. */
static size_t layer_parameters(int in, int out, int normalises)
{
    return ((size_t)in + 1 + (size_t)normalises) * (size_t)out;
}

static void layer_normalise(layer *l, int batch)
{
    l->norm = batchnorm_create(l->out, batch, l->biases + l->out, l->biases, l->bias_gradient + l->out,
                               l->bias_gradient);
}

network *network_create(int inputs, int width, int hidden, int classes, int batch,
                        const sugar_activation *activation, double bias, int normalises, random_stream *random)
{
    network *net = allocate(1, sizeof *net);
    net->layer_count = hidden + 1;
    net->batch = batch;
    net->activation = activation;
    net->layers = allocate((size_t)net->layer_count, sizeof *net->layers);
    net->input = allocate((size_t)batch * (size_t)inputs, sizeof(float));
    net->labels = allocate((size_t)batch, 1);
    for (int i = 0; i <= hidden; i++) {
        int out = i == hidden ? classes : width;
        net->parameter_count += layer_parameters(layer_inputs(i, inputs, width), out, normalises && i < hidden);
    }
    net->parameters = allocate(net->parameter_count, sizeof(float));
    net->gradient = allocate(net->parameter_count, sizeof(float));
    net->velocity = allocate(net->parameter_count, sizeof(float));
    size_t offset = 0;
    for (int i = 0; i <= hidden; i++) {
        int in = layer_inputs(i, inputs, width), out = i == hidden ? classes : width;
        layer_create(&net->layers[i], net, offset, in, out);
        layer_initialise(&net->layers[i], i == hidden ? 0 : bias, random);
        if (normalises && i < hidden)
            layer_normalise(&net->layers[i], batch);
        offset += layer_parameters(in, out, normalises && i < hidden);
    }
    return net;
}

void network_free(network *net)
{
    for (int i = 0; i < net->layer_count; i++) {
        free(net->layers[i].z);
        free(net->layers[i].output);
        free(net->layers[i].delta);
        batchnorm_free(net->layers[i].norm);
    }
    free(net->layers);
    free(net->input);
    free(net->labels);
    free(net->parameters);
    free(net->gradient);
    free(net->velocity);
    free(net);
}

static void require(sugar_status status)
{
    if (status != SUGAR_OK)
        fail("libsugar: %s: %s", sugar_status_name(status), sugar_last_error());
}

static const float *layer_input(const network *net, int index)
{
    return index == 0 ? net->input : net->layers[index - 1].output;
}

void network_forward(network *net, int n)
{
    for (int i = 0; i < net->layer_count; i++) {
        layer *l = &net->layers[i];
        for (int row = 0; row < n && !l->norm; row++)
            memcpy(l->z + (size_t)row * (size_t)l->out, l->biases, (size_t)l->out * sizeof(float));
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, l->out, l->in, 1, layer_input(net, i), l->in,
                    l->weights, l->out, l->norm ? 0 : 1, l->z, l->out);
        if (l->norm)
            batchnorm_forward(l->norm, l->z, n, net->normalised_by);
        if (i == net->layer_count - 1)
            break;
        double start = seconds_now();
        require(sugar_forward_f32(net->activation, (int64_t)n * l->out, l->z, 1, l->output, 1, NULL));
        net->activation_seconds += seconds_now() - start;
    }
}

double network_loss(network *net, int n, int *correct)
{
    const layer *last = &net->layers[net->layer_count - 1];
    double loss = 0;
    for (int row = 0; row < n; row++) {
        const float *logits = last->z + (size_t)row * (size_t)last->out;
        float *delta = last->delta + (size_t)row * (size_t)last->out;
        int best = 0;
        for (int i = 1; i < last->out; i++)
            if (logits[i] > logits[best])
                best = i;
        double sum = 0;
        for (int i = 0; i < last->out; i++)
            sum += exp((double)logits[i] - (double)logits[best]);
        double log_sum = log(sum) + (double)logits[best];
        for (int i = 0; i < last->out; i++)
            delta[i] = (float)((exp((double)logits[i] - log_sum) - (i == net->labels[row])) / n);
        loss += log_sum - (double)logits[net->labels[row]];
        if (correct)
            *correct += best == net->labels[row];
    }
    return loss / n;
}

/* The gradient with respect to the product of inputs and weights, given that of z; and those of the biases, and of
 * the scales of a normalisation. */
static const float *product_delta(layer *l, int n)
{
    if (l->norm) {
        batchnorm_backward(l->norm, l->delta, n);
        return l->norm->delta;
    }
    memset(l->bias_gradient, 0, (size_t)l->out * sizeof(float));
    for (int row = 0; row < n; row++)
        cblas_saxpy(l->out, 1, l->delta + (size_t)row * (size_t)l->out, 1, l->bias_gradient, 1);
    return l->delta;
}

void network_backward(network *net, int n, const sugar_activation *activation)
{
    for (int i = net->layer_count - 1; i >= 0; i--) {
        layer *l = &net->layers[i];
        const float *delta = product_delta(l, n);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, l->in, l->out, n, 1, layer_input(net, i), l->in,
                    delta, l->out, 0, l->weight_gradient, l->out);
        if (i == 0)
            break;
        layer *below = l - 1;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, l->in, l->out, 1, delta, l->out,
                    l->weights, l->out, 0, below->delta, below->out);
        double start = seconds_now();
        require(sugar_backward_f32(activation, (int64_t)n * below->out, below->z, 1, below->delta, 1,
                                   below->delta, 1, NULL));
        net->activation_seconds += seconds_now() - start;
    }
}

void network_update(network *net, double learning_rate, double momentum)
{
    float rate = (float)learning_rate, keep = (float)momentum;
    float *parameters = net->parameters, *velocity = net->velocity;
    const float *gradient = net->gradient;
    for (size_t i = 0; i < net->parameter_count; i++) {
        velocity[i] = keep * velocity[i] + gradient[i];
        parameters[i] -= rate * velocity[i];
    }
}
