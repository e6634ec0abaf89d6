/* See training.h. */
#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "units.h"

/* The purposes for which a seed's random numbers are drawn. */
enum { RANDOM_WEIGHTS = 1, RANDOM_ORDER = 2 };

const char *const figure_names[FIGURES] = {
    "dead",
    "nearly_dead",
    "sparsity",
    "input_mean",
    "input_deviation",
    "learned_least",
    "learned_lower_quartile",
    "learned_median",
    "learned_upper_quartile",
    "learned_most",
    "gradient_norm",
    "weight_norm",
};

int training_steps(const options *chosen, const dataset *data)
{
    return chosen->epochs * (data->train.count / chosen->batch);
}

/* What happens to a network happens early: evaluations follow steps 0, 1, 2, 4, 8, ... until the doubling
 * exceeds a twelfth of the run, then come in twelfths. */
static int evaluation_due(int step, int steps)
{
    int interval = (steps + 11) / 12;
    if (step < interval)
        return (step & (step - 1)) == 0;
    return step % interval == 0 || step == steps;
}

/* Makes image number `index` of a set the network's input number `row`. */
static void load(network *net, int row, const dataset *data, const image_set *set, int index)
{
    const uint8_t *pixels = set->pixels + (size_t)index * (size_t)data->pixels;
    float *input = net->input + (size_t)row * (size_t)data->pixels;
    for (int i = 0; i < data->pixels; i++)
        input[i] = data->input[pixels[i]];
    net->labels[row] = set->labels[index];
}

static int smaller(int a, int b) { return a < b ? a : b; }

static double accuracy(network *net, const dataset *data, int count)
{
    int correct = 0;
    for (int first = 0; first < count; first += net->batch) {
        int n = smaller(net->batch, count - first);
        for (int row = 0; row < n; row++)
            load(net, row, data, &data->test, first + row);
        network_forward(net, n, net->activation, PASS_EVALUATE);
        network_loss(net, n, &correct);
    }
    return (double)correct / count;
}

static double dot(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double norm(const float *values, size_t count) { return sqrt(dot(values, values, count)); }

/* The gradient over the n examples loaded. A saved gradient is the one of the activation that saved it, hence the
 * forward pass. */
static void compute_gradient(network *net, int n, const sugar_activation *activation)
{
    network_forward(net, n, activation, PASS_MEASURE);
    network_loss(net, n, NULL);
    network_backward(net, n, activation, PASS_MEASURE);
}

/* The true gradient comes first, so that the surrogate's deltas remain. */
static void measure_gradients(network *net, int n, evaluation *found)
{
    float *truth = allocate(net->parameter_count, sizeof *truth);
    compute_gradient(net, n, net->trained->plain);
    memcpy(truth, net->gradient, net->parameter_count * sizeof *truth);
    compute_gradient(net, n, net->activation);
    double true_norm = norm(truth, net->parameter_count), used_norm = norm(net->gradient, net->parameter_count);
    found->true_ratio = used_norm / true_norm;
    found->true_cosine = dot(truth, net->gradient, net->parameter_count) / (true_norm * used_norm);
    free(truth);
    for (int i = 0; i < net->layer_count - 1; i++) {
        const layer *l = &net->layers[i];
        found->figures[GRADIENT_NORM][i] = norm(l->delta, (size_t)n * (size_t)l->out);
        found->figures[WEIGHT_NORM][i] = norm(l->weights, (size_t)l->in * (size_t)l->out);
    }
}

static void measure_sample(network *net, const dataset *data, evaluation *found)
{
    int count = smaller(SAMPLE, data->train.count);
    double loss = 0;
    units_forget(net);
    for (int first = 0; first < count; first += net->batch) {
        int n = smaller(net->batch, count - first);
        for (int row = 0; row < n; row++)
            load(net, row, data, &data->train, first + row);
        network_forward(net, n, net->activation, PASS_OBSERVE);
        loss += n * network_loss(net, n, NULL);
        if (first == 0)
            measure_gradients(net, n, found);
    }
    found->loss = loss / count;
    units_measure(net, found);
}

static void evaluate(run *result, network *net, const dataset *data, int last)
{
    evaluation *found = &result->evaluations[result->evaluation_count++];
    *found = (evaluation){.step = result->steps, .blend = net->blend};
    double before = net->activation_seconds;
    measure_sample(net, data, found);
    if (last || result->steps == 0)
        units_histograms(net, last ? result->end : result->start);
    found->accuracy = accuracy(net, data, last ? data->test.count : smaller(SAMPLE, data->test.count));
    net->activation_seconds = before;
}

static void shuffle(int *order, int count, random_stream *random)
{
    for (int i = count - 1; i > 0; i--) {
        int j = random_below(random, i + 1), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

/* Multiplies the inputs of a batch. */
static void scale_input(network *net, double factor)
{
    size_t count = (size_t)net->batch * (size_t)net->layers[0].in;
    for (size_t i = 0; i < count; i++)
        net->input[i] *= (float)factor;
}

static void step(network *net, const dataset *data, const int *images, double factor, double learning_rate,
                 double momentum)
{
    for (int row = 0; row < net->batch; row++)
        load(net, row, data, &data->train, images[row]);
    scale_input(net, factor);
    network_forward(net, net->batch, net->activation, PASS_TRAIN);
    network_loss(net, net->batch, NULL);
    network_backward(net, net->batch, net->activation, PASS_TRAIN);
    network_update(net, learning_rate, momentum);
}

/* The blend is the contender's before the first step and 0 after the last. */
static void anneal(network *net, int steps_done, int steps)
{
    if (net->trained->technique == ANNEALED)
        network_blend(net, contender_blend(net->trained) * (1 - (double)steps_done / steps));
}

static void train(run *result, const options *chosen, const dataset *data, network *net, int *order, progress *shown,
                  const atomic_int *stop)
{
    const setting *start = &chosen->scenarios[result->scenario];
    random_stream random = random_start(chosen->seeds[result->seed], RANDOM_ORDER);
    int steps = training_steps(chosen, data), per_epoch = steps / chosen->epochs;
    anneal(net, 0, steps);
    evaluate(result, net, data, 0);
    while (result->steps < steps && !atomic_load(stop)) {
        int position = result->steps % per_epoch;
        if (position == 0)
            shuffle(order, data->train.count, &random);
        double began = seconds_now();
        double factor = result->steps == (int)(start->outlier_at * steps) ? start->outlier_factor : 1;
        step(net, data, order + position * net->batch, factor, start->learning_rate, chosen->momentum);
        anneal(net, ++result->steps, steps);
        result->step_seconds += seconds_now() - began;
        if (evaluation_due(result->steps, steps))
            evaluate(result, net, data, result->steps == steps);
        const evaluation *latest = &result->evaluations[result->evaluation_count - 1];
        progress_step(shown, result, latest->loss, latest->accuracy);
    }
    result->finished = result->steps == steps;
    result->activation_seconds = net->activation_seconds;
    result->random_blocks = net->random_offset;
    result->kept_bytes = network_kept_bytes(net);
}

void training_run(run *result, const options *chosen, const dataset *data, const contender *trained, progress *shown,
                  const atomic_int *stop)
{
    random_stream random = random_start(chosen->seeds[result->seed], RANDOM_WEIGHTS);
    const setting *start = &chosen->scenarios[result->scenario];
    network *net = network_create(data->pixels, chosen->width, chosen->layers, CLASSES, chosen->batch, trained,
                                  start->bias, start->normalises, &random);
    net->random_seed = chosen->seeds[result->seed];
    int *order = allocate((size_t)data->train.count, sizeof *order);
    for (int i = 0; i < data->train.count; i++)
        order[i] = i;
    train(result, chosen, data, net, order, shown, stop);
    free(order);
    network_free(net);
}
