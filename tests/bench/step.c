/* A training step of one hidden layer in C, beside which step_torch.py puts PyTorch's of the same layer:
 *
 *     forward    z = x W' + b, y = f(z)
 *     backward   dz = dy * f'(z), dW = dz' x, db = the sums of dz, dx = dz W
 *     update     W -= rate dW, b -= rate db
 *
 * with W square, and dy given. Products are OpenBLAS's. Each way to have an activation is timed in turns, one without
 * an activation among them. Biases are the product's start, and their gradient a product with ones; or both are left to
 * the calls of libsugar. The options are below. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sugar/sugar.h>

#include "command.h"
#include "load.h"
#include "timing.h"
#include "../support/support.h"

void openblas_set_num_threads(int count) __attribute__((weak));
char *openblas_get_corename(void) __attribute__((weak));

enum { MOST_ROUNDS = 999 };
static const float rate = 1e-6F;

typedef struct variant {
    const char *name, *spec;            /* spec NULL: no activation */
    bool monitored, adds_biases;        /* in the calls of libsugar */
} variant;

static const variant ways[] = {
    {"none", NULL, false, false},
    {"relu", "relu", false, false},
    {"relu, biases", "relu", false, true},
    {"relu~bsilu", "relu~bsilu", false, false},
    {"relu~bsilu, biases", "relu~bsilu", false, true},
    {"relu~bsilu, monitored", "relu~bsilu", true, false},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

/* Of a step: all of it, what it takes above the one without an activation in the same round, and its calls of
 * libsugar. */
typedef struct cost {
    double all, above, activation;
} cost;

typedef struct layer {
    int batch, width;
    sugar_context *context;
    sugar_activation *activation[WAYS];
    sugar_monitor *monitor;
    float *weight, *weight_gradient, *bias, *bias_gradient, *ones;
    float *x, *z, *y, *dy, *dz, *dx;    /* a row for each sample */
} layer;

static float *must_allocate(size_t elements, float scale, uint64_t *state)
{
    float *p = aligned_alloc(64, (elements * sizeof *p + 63) / 64 * 64);
    if (!p)
        give_up("step", "no memory");
    for (size_t i = 0; i < elements; i++)
        p[i] = (float)((double)(random_bits(state) >> 40) * 0x1p-23 - 1) * scale;
    return p;
}

static void product(const layer *l, bool transposed, const float *a, const float *b, float add, float *c)
{
    const int batch = l->batch, width = l->width;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, batch, width, width, 1, a, width,
                b, width, add, c, width);
}

static void must(sugar_status status)
{
    if (status != SUGAR_OK)
        give_up("step", sugar_last_error());
}

static sugar_tensor rows(const int64_t *shape, float *data)
{
    return (sugar_tensor){.data = data,
                          .device = {.device_type = SUGAR_DEVICE_CPU},
                          .ndim = 2,
                          .shape = shape,
                          .dtype = {SUGAR_TYPE_FLOAT, 32, 1}};
}

/* The activation of one direction; how long it took. */
static double activate(const layer *l, int way, bool backward)
{
    const double start = now();
    const int64_t shape[2] = {l->batch, l->width}, one_row[2] = {1, l->width};
    const sugar_tensor bias = rows(one_row, l->bias), bias_gradient = rows(one_row, l->bias_gradient);
    const bool adds_biases = ways[way].adds_biases;
    const sugar_call_options options = {.struct_size = sizeof options,
                                        .context = l->context,
                                        .monitor = ways[way].monitored && !backward ? l->monitor : NULL,
                                        .bias = adds_biases ? &bias : NULL,
                                        .bias_gradient = adds_biases && backward ? &bias_gradient : NULL};
    const sugar_tensor z = rows(shape, l->z), y = rows(shape, backward ? l->dz : l->y), dy = rows(shape, l->dy);
    must(backward ? sugar_backward(l->activation[way], &z, &dy, &y, &options)
                  : sugar_forward(l->activation[way], &z, &y, &options));
    return now() - start;
}

static cost step(const layer *l, int way)
{
    const int batch = l->batch, width = l->width;
    const double start = now();
    double activation = 0;
    const bool adds_biases = !ways[way].adds_biases;    /* here, not in the activation */
    for (int row = 0; row < batch && adds_biases; row++)
        memcpy(l->z + (size_t)row * (size_t)width, l->bias, (size_t)width * sizeof(float));
    product(l, true, l->x, l->weight, adds_biases, l->z);
    if (ways[way].spec)
        activation = activate(l, way, false) + activate(l, way, true);
    const float *dz = ways[way].spec ? l->dz : l->dy;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, width, width, batch, 1, dz, width, l->x, width, 0,
                l->weight_gradient, width);
    if (adds_biases)
        cblas_sgemv(CblasRowMajor, CblasTrans, batch, width, 1, dz, width, l->ones, 1, 0, l->bias_gradient, 1);
    product(l, false, dz, l->weight, 0, l->dx);
    cblas_saxpy(width * width, -rate, l->weight_gradient, 1, l->weight, 1);
    cblas_saxpy(width, -rate, l->bias_gradient, 1, l->bias, 1);
    return (cost){.all = now() - start, .activation = activation};
}

static void layer_make(layer *l, int threads)
{
    const size_t width = (size_t)l->width, values = (size_t)l->batch * width;
    const sugar_context_options chosen = {.struct_size = sizeof chosen, .threads = threads};
    uint64_t state = 1;
    must(sugar_context_create(&l->context, &chosen));
    must(sugar_monitor_create(&l->monitor, l->width, NULL));
    for (int w = 0; w < WAYS; w++)
        l->activation[w] = ways[w].spec ? must_create(ways[w].spec, NULL) : NULL;
    if (openblas_set_num_threads)
        openblas_set_num_threads(threads);
    l->weight = must_allocate(width * width, 0.1F, &state);
    l->weight_gradient = must_allocate(width * width, 0, &state);
    l->bias = must_allocate(width, 0.1F, &state);
    l->bias_gradient = must_allocate(width, 0, &state);
    l->ones = must_allocate((size_t)l->batch, 0, &state);
    for (int row = 0; row < l->batch; row++)
        l->ones[row] = 1;
    float **const operands[] = {&l->x, &l->z, &l->y, &l->dy, &l->dz, &l->dx};
    for (size_t k = 0; k < sizeof operands / sizeof *operands; k++)
        *operands[k] = must_allocate(values, 1, &state);
}

static void layer_free(layer *l)
{
    float *const memory[] = {
        l->weight, l->weight_gradient, l->bias, l->bias_gradient, l->ones, l->x, l->z, l->y, l->dy, l->dz, l->dx};
    for (size_t k = 0; k < sizeof memory / sizeof *memory; k++)
        free(memory[k]);
    for (int w = 0; w < WAYS; w++)
        sugar_activation_destroy(l->activation[w]);
    sugar_monitor_destroy(l->monitor);
    sugar_context_destroy(l->context);
}

/* Milliseconds, medians of rounds in turns, in which nobody always follows the same one. */
static void measure(const layer *l, int rounds, cost *found)
{
    static double all[WAYS][MOST_ROUNDS], above[WAYS][MOST_ROUNDS], activation[WAYS][MOST_ROUNDS];
    for (int round = -2; round < rounds; round++) {     /* the first ones touch the memory, and wake the threads */
        cost taken[WAYS];
        for (int turn = 0; turn < WAYS; turn++) {
            const int w = (turn + round + WAYS) % WAYS;
            taken[w] = step(l, w);
        }
        for (int w = 0; w < WAYS && round >= 0; w++) {
            all[w][round] = 1e3 * taken[w].all;
            above[w][round] = 1e3 * (taken[w].all - taken[0].all);
            activation[w][round] = 1e3 * taken[w].activation;
        }
    }
    for (int w = 0; w < WAYS; w++)
        found[w] = (cost){median(all[w], rounds), median(above[w], rounds), median(activation[w], rounds)};
}

static const char usage[] =
    "A training step of a linear layer and its activation, in ms, and what of it the activation takes.\n\n"
    "    bench-step [--width COLUMNS] [--batch ROWS] [--threads N] [--rounds N] [--json FILE]\n\n"
    "--width     inputs and outputs of the layer, 512 if not told\n"
    "--batch     2048 if not told\n"
    "--threads   of everything, 1 if not told\n"
    "--rounds    of which the median counts, an odd number, 31 if not told\n"
    "--json      the file for the results\n";

static void report(const cost *found, const char *core, FILE *json)
{
    for (int w = 0; w < WAYS; w++) {
        printf("%-22s %9.3f %9.3f %9.3f\n", ways[w].name, found[w].all, found[w].above, found[w].activation);
        if (json)
            fprintf(json, "%s{\"way\": \"%s\", \"ms\": %.6g, \"above_ms\": %.6g, \"activation_ms\": %.6g}",
                    w ? ",\n" : "{\"results\": [\n", ways[w].name, found[w].all, found[w].above, found[w].activation);
    }
    if (json)
        fprintf(json, "\n], \"products\": \"%s\"}\n", core);
}

int main(int argc, char **argv)
{
    const char *width = "512", *batch = "2048", *threads = "1", *rounds = "31", *path = NULL;
    const command_option known[] = {
        {"--width", &width}, {"--batch", &batch}, {"--threads", &threads}, {"--rounds", &rounds}, {"--json", &path},
    };
    command_parse(argc, argv, usage, known, sizeof known / sizeof *known, NULL, NULL);
    const int threads_count = command_number("--threads", threads, SUGAR_MAX_THREADS);
    const int rounds_count = command_number("--rounds", rounds, MOST_ROUNDS);
    if (rounds_count % 2 == 0)
        command_refuse("--rounds", rounds, "an odd number");
    layer l = {.width = command_number("--width", width, 8192), .batch = command_number("--batch", batch, 1 << 16)};
    results_file results = results_open("--json", path);
    const load before = load_now();
    layer_make(&l, threads_count);
    /* An OpenBLAS older than the processor may take it for one of 2004, with a fifth of the speed; the environment
     * variable OPENBLAS_CORETYPE names another. */
    const char *core = openblas_get_corename ? openblas_get_corename() : "an unknown processor";
    cost found[WAYS];
    measure(&l, rounds_count, found);
    printf(
        "width %d, batch %d, %d thread%s, products for %s; ms a step, above that without an activation, and in calls\n"
        "of libsugar\n\n",
        l.width, l.batch, threads_count, threads_count > 1 ? "s" : "", core);
    report(found, core, results.file);
    load_warn(&before);
    results_keep(&results);
    layer_free(&l);
    return 0;
}
