/* See network.h. */
#include "network.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

static void layer_create(layer *l, const network *net, size_t offset, int in, int out)
{
    size_t weights = (size_t)in * (size_t)out, values = (size_t)net->batch * (size_t)out;
    *l = (layer){.in = in,
                 .out = out,
                 .weights = net->parameters + offset,
                 .biases = net->parameters + offset + weights,
                 .weight_gradient = net->gradient + offset,
                 .bias_gradient = net->gradient + offset + weights,
                 .z = allocate(values, sizeof(float)),
                 .delta = allocate(values, sizeof(float))};
    l->output = l->z;
}

/* What a hidden layer has beyond an output layer; where its activation's parameters are among the network's, if they
 * are learned. */
static void layer_activate(layer *l, const network *net, size_t parameters)
{
    size_t values = (size_t)net->batch * (size_t)l->out;
    const contender *trained = net->trained;
    if (trained->technique == SAVED)
        l->saved = allocate(values, 1);
    else
        l->output = allocate(values, sizeof(float));
    l->draws = trained->draws;
    if (trained->technique == LEARNED) {
        l->parameter = net->parameters + parameters;
        l->parameter_gradient = net->gradient + parameters;
    }
    sugar_monitor_options watched = {.struct_size = sizeof watched,
                                     .threshold = trained->threshold,
                                     .minimum = -15,
                                     .maximum = 15};    /* bins of width 1 */
    require(sugar_monitor_create(&l->monitor, l->out, &watched));
}

static void layer_free(layer *l)
{
    if (l->output != l->z)
        free(l->output);
    free(l->z);
    free(l->saved);
    free(l->delta);
    batchnorm_free(l->norm);
    sugar_monitor_destroy(l->monitor);
}

static void layer_initialise(layer *l, double bias, double parameter, random_stream *random)
{
    double deviation = sqrt(2.0 / l->in);
    for (size_t i = 0; i < (size_t)l->in * (size_t)l->out; i++)
        l->weights[i] = (float)(deviation * random_normal(random));
    for (int i = 0; i < l->out; i++)
        l->biases[i] = (float)bias;
    for (int i = 0; i < l->out && l->parameter; i++)
        l->parameter[i] = (float)parameter;
}

static int layer_inputs(int index, int inputs, int width) { return index == 0 ? inputs : width; }

/* Weights and biases, and then, one for each unit, the scales of a normalisation and what is learned of an
 * activation: as many of these as `extras` says. */
static size_t layer_parameters(int in, int out, int extras) { return ((size_t)in + 1 + (size_t)extras) * (size_t)out; }

static void layer_normalise(layer *l, int batch)
{
    l->norm =
        batchnorm_create(l->out, batch, l->biases + l->out, l->biases, l->bias_gradient + l->out, l->bias_gradient);
}

network *network_create(int inputs, int width, int hidden, int classes, int batch, const contender *trained,
                        double bias, int normalises, random_stream *random)
{
    network *net = allocate(1, sizeof *net);
    net->layer_count = hidden + 1;
    net->batch = batch;
    net->trained = trained;
    net->activation = trained->activation;
    require(sugar_activation_create(&net->identity, "identity"));
    net->blend = (double)NAN;
    net->layers = allocate((size_t)net->layer_count, sizeof *net->layers);
    net->input = allocate((size_t)batch * (size_t)inputs, sizeof(float));
    net->labels = allocate((size_t)batch, 1);
    int extras = normalises + (trained->technique == LEARNED);
    for (int i = 0; i < hidden; i++)
        net->parameter_count += layer_parameters(layer_inputs(i, inputs, width), width, extras);
    net->parameter_count += layer_parameters(width, classes, 0);
    net->parameters = allocate(net->parameter_count, sizeof(float));
    net->gradient = allocate(net->parameter_count, sizeof(float));
    net->velocity = allocate(net->parameter_count, sizeof(float));
    size_t offset = 0;
    for (int i = 0; i <= hidden; i++) {
        int in = layer_inputs(i, inputs, width), out = i == hidden ? classes : width;
        layer_create(&net->layers[i], net, offset, in, out);
        if (i < hidden)
            layer_activate(&net->layers[i], net, offset + layer_parameters(in, out, normalises));
        layer_initialise(&net->layers[i], i == hidden ? 0 : bias, trained->learned.start, random);
        if (normalises && i < hidden)
            layer_normalise(&net->layers[i], batch);
        offset += layer_parameters(in, out, i < hidden ? extras : 0);
    }
    return net;
}

void network_free(network *net)
{
    for (int i = 0; i < net->layer_count; i++)
        layer_free(&net->layers[i]);
    sugar_activation_destroy(net->blended);
    sugar_activation_destroy(net->identity);
    free(net->layers);
    free(net->input);
    free(net->labels);
    free(net->parameters);
    free(net->gradient);
    free(net->velocity);
    free(net);
}

size_t network_kept_bytes(const network *net)
{
    const layer *l = &net->layers[0];
    size_t values = (size_t)net->batch * (size_t)l->out;
    return values * (l->saved ? sizeof *l->saved + sizeof *l->output : sizeof *l->z + sizeof *l->output);
}

static const float *layer_input(const network *net, int index)
{
    return index == 0 ? net->input : net->layers[index - 1].output;
}

/* Of hidden layers the one given; the output layer has none but its biases. */
static const sugar_activation *layer_activation(const network *net, int index, const sugar_activation *hidden)
{
    return index < net->layer_count - 1 ? hidden : net->identity;
}

void network_blend(network *net, double blend)
{
    sugar_activation_destroy(net->blended);
    net->blended = contender_with_blend(net->trained, blend);
    net->activation = net->blended;
    net->blend = blend;
}

/* The tensors and options of the calls for one layer, whose forward pass and backward pass have most of them in
 * common: n rows, a unit a column. */
typedef struct activation_call {
    int64_t shape[2], unit_shape[2];
    sugar_tensor z, output, delta, saved, bias, bias_gradient, parameter, parameter_gradient;
    sugar_random random;
    sugar_call_options options;
} activation_call;

/* A normalisation adds the biases itself. */
static void activation_call_prepare(activation_call *call, const network *net, const layer *l, int n, pass purpose)
{
    *call = (activation_call){
        .shape = {n, l->out}, .unit_shape = {1, l->out}, .options = {.struct_size = sizeof call->options}};
    const sugar_tensor rows = {.device = {.device_type = SUGAR_DEVICE_CPU},
                               .ndim = 2,
                               .shape = call->shape,
                               .dtype = {SUGAR_TYPE_FLOAT, 32, 1}};
    sugar_tensor units = rows;
    units.shape = call->unit_shape;                     /* one value for all rows */
    call->z = call->output = call->delta = call->saved = rows;
    call->bias = call->bias_gradient = call->parameter = call->parameter_gradient = units;
    call->z.data = l->z;
    call->output.data = l->output;
    call->delta.data = l->delta;
    if (l->saved) {
        call->saved.data = l->saved;
        call->saved.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 8, 1};
        call->options.saved_gradient = &call->saved;
    }
    call->bias.data = l->biases;
    call->bias_gradient.data = l->bias_gradient;
    if (!l->norm)
        call->options.bias = &call->bias;
    call->parameter.data = l->parameter;
    call->parameter_gradient.data = l->parameter_gradient;
    if (l->parameter)
        call->options.parameter = &call->parameter;
    if (purpose == PASS_TRAIN && l->draws) {
        call->random =
            (sugar_random){.struct_size = sizeof call->random, .seed = net->random_seed, .offset = l->random_offset};
        call->options.random = &call->random;
    }
}

static void layer_forward(network *net, layer *l, int n, const sugar_activation *activation, pass purpose)
{
    l->random_offset = net->random_offset;
    activation_call call;
    activation_call_prepare(&call, net, l, n, purpose);
    if (purpose == PASS_OBSERVE)
        call.options.monitor = l->monitor;
    double start = seconds_now();
    require(sugar_forward(activation, &call.z, &call.output, &call.options));
    net->activation_seconds += seconds_now() - start;
    if (call.options.random)
        net->random_offset += ((uint64_t)n * (uint64_t)l->out + 3) / 4;
}

/* From the gradient with respect to the layer's output, which delta holds, to the one with respect to z; and those of
 * the biases and parameters. A call sums up one of the two, so the identity sums up the biases' of a layer that has
 * both. What is saved is the derivative where the biases have been added. */
static void layer_backward(network *net, layer *l, int n, const sugar_activation *activation, pass purpose)
{
    activation_call call;
    activation_call_prepare(&call, net, l, n, purpose);
    sugar_call_options sums = {.struct_size = sizeof sums, .bias_gradient = &call.bias_gradient};
    if (l->saved)
        call.options.bias = NULL;
    if (l->parameter)
        call.options.parameter_gradient = &call.parameter_gradient;
    else if (!l->norm)
        call.options.bias_gradient = &call.bias_gradient;
    double start = seconds_now();
    require(sugar_backward(activation, l->saved ? NULL : &call.z, &call.delta, &call.delta, &call.options));
    if (l->parameter && !l->norm)
        require(sugar_backward(net->identity, &call.z, &call.delta, &call.delta, &sums));
    net->activation_seconds += seconds_now() - start;
}

static const statistics statistics_of[] = {
    [PASS_TRAIN] = UPDATED_STATISTICS,
    [PASS_MEASURE] = BATCH_STATISTICS,
    [PASS_EVALUATE] = RUNNING_STATISTICS,
    [PASS_OBSERVE] = RUNNING_STATISTICS,
};

void network_forward(network *net, int n, const sugar_activation *activation, pass purpose)
{
    for (int i = 0; i < net->layer_count; i++) {
        layer *l = &net->layers[i];
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, l->out, l->in, 1, layer_input(net, i), l->in,
                    l->weights, l->out, 0, l->z, l->out);
        if (l->norm)
            batchnorm_forward(l->norm, l->z, n, statistics_of[purpose]);
        layer_forward(net, l, n, layer_activation(net, i, activation), purpose);
    }
}

double network_loss(network *net, int n, int *correct)
{
    const layer *last = &net->layers[net->layer_count - 1];
    double loss = 0;
    for (int row = 0; row < n; row++) {
        const float *logits = last->output + (size_t)row * (size_t)last->out;
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

/* The gradient with respect to the product of inputs and weights, given that of z; and those of a normalisation. */
static const float *product_delta(layer *l, int n)
{
    if (!l->norm)
        return l->delta;
    batchnorm_backward(l->norm, l->delta, n);
    return l->norm->delta;
}

void network_backward(network *net, int n, const sugar_activation *activation, pass purpose)
{
    for (int i = net->layer_count - 1; i >= 0; i--) {
        layer *l = &net->layers[i];
        layer_backward(net, l, n, layer_activation(net, i, activation), purpose);
        const float *delta = product_delta(l, n);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, l->in, l->out, n, 1, layer_input(net, i), l->in, delta,
                    l->out, 0, l->weight_gradient, l->out);
        if (i > 0)
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, l->in, l->out, 1, delta, l->out, l->weights, l->out,
                        0, net->layers[i - 1].delta, l->in);
    }
}

/* In a network that has diverged a parameter may be NaN: that becomes the minimum, as the library takes no NaN. */
static void layer_clamp(layer *l, const learned_parameter *learned)
{
    for (int i = 0; i < l->out && l->parameter; i++)
        l->parameter[i] = fminf(fmaxf(l->parameter[i], (float)learned->minimum), (float)learned->maximum);
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
    for (int i = 0; i < net->layer_count - 1; i++)
        layer_clamp(&net->layers[i], &net->trained->learned);
}
