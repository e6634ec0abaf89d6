/* See training.h. */
#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"

/* The purposes for which a seed's random numbers are drawn. */
enum { RANDOM_WEIGHTS = 1, RANDOM_ORDER = 2 };

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

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static double accuracy(network *net, const dataset *data, int count)
{
    int correct = 0;
    for (int first = 0; first < count; first += net->batch) {
        int n = smaller(net->batch, count - first);
        for (int row = 0; row < n; row++)
            load(net, row, data, &data->test, first + row);
        network_forward(net, n);
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

static double norm(const float *values, size_t count)
{
    return sqrt(dot(values, values, count));
}

static void mark_active(const layer *l, int n, uint8_t *active)
{
    for (int row = 0; row < n; row++)
        for (int unit = 0; unit < l->out; unit++)
            active[unit] |= l->output[(size_t)row * (size_t)l->out + (size_t)unit] > 0;
}

/* The true gradient comes first, so that the surrogate's deltas remain. */
static void measure_gradients(network *net, int n, const contender *trained, evaluation *found)
{
    float *truth = allocate(net->parameter_count, sizeof *truth);
    network_backward(net, n, trained->plain);
    memcpy(truth, net->gradient, net->parameter_count * sizeof *truth);
    network_backward(net, n, trained->activation);
    double true_norm = norm(truth, net->parameter_count), used_norm = norm(net->gradient, net->parameter_count);
    found->true_ratio = used_norm / true_norm;
    found->true_cosine = dot(truth, net->gradient, net->parameter_count) / (true_norm * used_norm);
    free(truth);
    for (int i = 0; i < net->layer_count - 1; i++) {
        const layer *l = &net->layers[i];
        found->gradient_norm[i] = norm(l->delta, (size_t)n * (size_t)l->out);
        found->weight_norm[i] = norm(l->weights, (size_t)l->in * (size_t)l->out);
    }
}

/* The same batch again, normalised by its own statistics. */
static void pass_as_in_training(network *net, int n)
{
    net->normalised_by = BATCH_STATISTICS;
    network_forward(net, n);
    network_loss(net, n, NULL);
    net->normalised_by = RUNNING_STATISTICS;
}

static void measure_sample(network *net, const dataset *data, const contender *trained, evaluation *found)
{
    int hidden = net->layer_count - 1, width = net->layers[0].out, count = smaller(SAMPLE, data->train.count);
    uint8_t *active = allocate((size_t)hidden, (size_t)width);
    double loss = 0;
    for (int first = 0; first < count; first += net->batch) {
        int n = smaller(net->batch, count - first);
        for (int row = 0; row < n; row++)
            load(net, row, data, &data->train, first + row);
        network_forward(net, n);
        loss += n * network_loss(net, n, NULL);
        for (int i = 0; i < hidden; i++)
            mark_active(&net->layers[i], n, active + (size_t)i * (size_t)width);
        if (first == 0) {
            if (net->layers[0].norm)
                pass_as_in_training(net, n);
            measure_gradients(net, n, trained, found);
        }
    }
    found->loss = loss / count;
    for (int i = 0; i < hidden * width; i++)
        found->dead[i / width] += isfinite(loss) ? !active[i] : (double)NAN;
    free(active);
}

static void evaluate(run *result, network *net, const dataset *data, const contender *trained, int last)
{
    evaluation *found = &result->evaluations[result->evaluation_count++];
    *found = (evaluation){.step = result->steps};
    double before = net->activation_seconds;
    measure_sample(net, data, trained, found);
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
    net->normalised_by = UPDATED_STATISTICS;
    network_forward(net, net->batch);
    net->normalised_by = RUNNING_STATISTICS;
    network_loss(net, net->batch, NULL);
    network_backward(net, net->batch, net->activation);
    network_update(net, learning_rate, momentum);
}

static void train(run *result, const options *chosen, const dataset *data, const contender *trained,
                  network *net, int *order, progress *shown, const atomic_int *stop)
{
    const setting *start = &chosen->scenarios[result->scenario];
    random_stream random = random_start(chosen->seeds[result->seed], RANDOM_ORDER);
    int steps = training_steps(chosen, data), per_epoch = steps / chosen->epochs;
    evaluate(result, net, data, trained, 0);
    while (result->steps < steps && !atomic_load(stop)) {
        int position = result->steps % per_epoch;
        if (position == 0)
            shuffle(order, data->train.count, &random);
        double began = seconds_now();
        double factor = result->steps == (int)(start->outlier_at * steps) ? start->outlier_factor : 1;
        step(net, data, order + position * net->batch, factor, start->learning_rate, chosen->momentum);
        result->step_seconds += seconds_now() - began;
        result->steps++;
        if (evaluation_due(result->steps, steps))
            evaluate(result, net, data, trained, result->steps == steps);
        const evaluation *latest = &result->evaluations[result->evaluation_count - 1];
        progress_step(shown, result, latest->loss, latest->accuracy);
    }
    result->finished = result->steps == steps;
    result->activation_seconds = net->activation_seconds;
}

void training_run(run *result, const options *chosen, const dataset *data, const contender *trained,
                  progress *shown, const atomic_int *stop)
{
    random_stream random = random_start(chosen->seeds[result->seed], RANDOM_WEIGHTS);
    const setting *start = &chosen->scenarios[result->scenario];
    network *net = network_create(data->pixels, chosen->width, chosen->layers, CLASSES, chosen->batch,
                                  trained->activation, start->bias, start->normalises, &random);
    int *order = allocate((size_t)data->train.count, sizeof *order);
    for (int i = 0; i < data->train.count; i++)
        order[i] = i;
    train(result, chosen, data, trained, net, order, shown, stop);
    free(order);
    network_free(net);
}
