/* What a learnable parameter costs: calls with the parameter as a tensor, and backward with its gradient as well,
 * against the plain calls, in cache and in memory, in turns. The options are below. */
#include <stdio.h>
#include <stdlib.h>
#include <sugar/sugar.h>

#include "command.h"
#include "load.h"
#include "timing.h"
#include "../support/support.h"

enum { ROUNDS = 15, DIMENSIONS = 3, SIZES = 2, OPERANDS = 5 };
enum { X, DY, OUT, PARAMETER, GRADIENT };
static const int64_t batches[SIZES] = {1, 512};     /* of samples with 32 Ki elements */

/* x has samples, channels and places. In which of these the parameter varies. */
static const struct sharing {
    const char *name;
    int64_t channels, places;
    int varies[DIMENSIONS];
} sharings[] = {
    {"one value", 64, 512, {0, 0, 0}},
    {"per channel", 64, 512, {0, 1, 0}},
    {"per channel, few places", 512, 64, {0, 1, 0}},
    {"per feature", 32768, 1, {0, 1, 1}},
    {"per element", 64, 512, {1, 1, 1}},
};

/* A call that is timed. */
typedef struct call {
    const sugar_activation *activation;
    const sugar_tensor *tensor;
    sugar_call_options options;
    int is_backward;
} call;

static void run(const call *c)
{
    const sugar_tensor *t = c->tensor;
    const sugar_status status = c->is_backward ? sugar_backward(c->activation, &t[X], &t[DY], &t[OUT], &c->options)
                                               : sugar_forward(c->activation, &t[X], &t[OUT], &c->options);
    if (status != SUGAR_OK)
        give_up("learn", sugar_last_error());
}

/* ns per element, the medians of calls in turns. */
static void compare(const call *calls, int count, int64_t elements, double *medians)
{
    static double seconds[3][ROUNDS];
    const int64_t repeats = 1 + ((int64_t)1 << 22) / elements;
    for (int round = -1; round < ROUNDS; round++)       /* the first one touches the memory */
        for (int k = 0; k < count; k++) {
            const double start = now();
            for (int64_t i = 0; i < repeats; i++)
                run(&calls[k]);
            if (round >= 0)
                seconds[k][round] = (now() - start) / (double)(repeats * elements) * 1e9;
        }
    for (int k = 0; k < count; k++)
        medians[k] = median(seconds[k], ROUNDS);
}

static void measure(const sugar_activation *activation, const sugar_context *context, const struct sharing *s,
                    int64_t batch, float *const *data)
{
    const int64_t shape[DIMENSIONS] = {batch, s->channels, s->places};
    int64_t shared[DIMENSIONS];
    sugar_tensor tensor[OPERANDS];
    for (int d = 0; d < DIMENSIONS; d++)
        shared[d] = s->varies[d] ? shape[d] : 1;
    for (int k = 0; k < OPERANDS; k++)
        tensor[k] = (sugar_tensor){.data = data[k],
                                   .device = {SUGAR_DEVICE_CPU, 0},
                                   .ndim = DIMENSIONS,
                                   .dtype = {SUGAR_TYPE_FLOAT, 32, 1},
                                   .shape = k < PARAMETER ? shape : shared};
    const sugar_call_options plain = {.struct_size = sizeof plain, .context = context};
    sugar_call_options with = plain, gradient;
    with.parameter = &tensor[PARAMETER];
    gradient = with;
    gradient.parameter_gradient = &tensor[GRADIENT];
    const call calls[] = {{activation, tensor, plain, 0},
                          {activation, tensor, with, 0},
                          {activation, tensor, plain, 1},
                          {activation, tensor, with, 1},
                          {activation, tensor, gradient, 1}};
    double forward[2], backward[3];
    const int64_t elements = batch * s->channels * s->places;
    compare(calls, 2, elements, forward);
    compare(calls + 2, 3, elements, backward);
    printf("%9lld  %-24s %7.3f %7.3f %6.2f   %7.3f %7.3f %6.2f %7.3f %6.2f\n", (long long)elements, s->name, forward[0],
           forward[1], forward[1] / forward[0], backward[0], backward[1], backward[1] / backward[0], backward[2],
           backward[2] / backward[0]);
    fflush(stdout);
}

static const char usage[] = "What a learnable parameter costs; see doc/speed.md, \"Learned parameters\".\n\n"
                            "    bench-learn [--spec SPEC] [--threads N]\n\n"
                            "--spec      an activation that can learn, prelu if not told\n"
                            "--threads   1 if not told\n";

int main(int argc, char **argv)
{
    const char *spec = "prelu", *threads = "1";
    const command_option known[] = {{"--spec", &spec}, {"--threads", &threads}};
    command_parse(argc, argv, usage, known, sizeof known / sizeof *known, NULL, NULL);
    const long count = strtol(threads, NULL, 10);
    if (count < 1 || count > SUGAR_MAX_THREADS)
        command_refuse("--threads", threads, "a number from 1 to 1024");
    const sugar_context_options options = {.struct_size = sizeof options, .threads = (int32_t)count};
    const load before = load_now();
    sugar_context *context;
    if (sugar_context_create(&context, &options) != SUGAR_OK)
        give_up("learn", sugar_last_error());
    sugar_activation *activation = must_create(spec, NULL);
    const size_t most = (size_t)batches[SIZES - 1] * 32768;
    float *data[OPERANDS];
    uint64_t state = 1;
    for (int k = 0; k < OPERANDS; k++) {
        data[k] = aligned_alloc(64, most * sizeof *data[k]);
        if (!data[k])
            give_up("learn", "no memory");
        for (size_t i = 0; i < most; i++)
            data[k][i] = (float)random_between(&state, k == PARAMETER ? 1 : -4000, 4000) * 0x1p-10f;
    }
    printf("%s, f32, level %s, %ld thread%s; ns per element, and times the plain call's\n"
           "                                            forward                      backward\n"
           " elements  parameter                  plain  tensor  ratio     plain  tensor  ratio and gradient\n",
           spec, sugar_activation_level(activation), count, count > 1 ? "s" : "");
    for (int size = 0; size < SIZES; size++)
        for (size_t k = 0; k < sizeof sharings / sizeof *sharings; k++)
            measure(activation, context, &sharings[k], batches[size], data);
    load_warn(&before);
    for (int k = 0; k < OPERANDS; k++)
        free(data[k]);
    sugar_activation_destroy(activation);
    sugar_context_destroy(context);
    return 0;
}
