/* How stores past the caches slow down what reads the output next, as in a training step:
 *
 *     forward    x = a W, y = f(x), z = y W             the product reads y
 *     backward   dy = dz W', dx = dy * f'(x), da = dx W'    the product reads dx
 *
 * with W square and growing batches. Each step is timed with SUGAR_CALL_NONTEMPORAL, with SUGAR_CALL_TEMPORAL, and
 * as the library decides, in turns. An activation, the reader that suffers most,
 * is timed in place of the last product, too. The options are below. */
#include <cblas.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sugar/sugar.h>

#include "command.h"
#include "load.h"
#include "timing.h"
#include "../support/support.h"

void openblas_set_num_threads(int count) __attribute__((weak));

enum { FIRST_BATCH = 128, MOST_ROUNDS = 99 };
enum { MODES = 3, PARTS = 2 };
enum { ACTIVATION, READER };
static const uint64_t flags_of_mode[MODES] = {SUGAR_CALL_NONTEMPORAL, SUGAR_CALL_TEMPORAL, 0};

typedef struct settings {
    int width, threads, rounds, largest;        /* in MiB */
    const char *spec;
} settings;

/* The layer: a, x, y (or dx) and z have a row per sample. */
typedef struct layer {
    const settings *s;
    sugar_activation *activation;
    sugar_context *context;
    float *weight, *before, *x, *gradient, *out, *after;
} layer;

static float *must_allocate(size_t elements, uint64_t *state)
{
    float *p = aligned_alloc(64, (elements * sizeof *p + 63) / 64 * 64);
    if (!p)
        give_up("reader", "no memory");
    for (size_t i = 0; i < elements; i++)
        p[i] = (float)((double)(random_bits(state) >> 40) * 0x1p-24 - 0.5) * 0.1f;
    return p;
}

static void product(const layer *l, int batch, const float *a, float *c)
{
    const int width = l->s->width;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch, width, width, 1, a, width, l->weight, width, 0, c,
                width);
}

static void activate(const layer *l, int batch, bool backward, uint64_t flags, const float *from, float *to)
{
    const int64_t n = (int64_t)batch * l->s->width;
    const sugar_call_options options = {.struct_size = sizeof options, .flags = flags, .context = l->context};
    const sugar_status status = backward
                                    ? sugar_backward_f32(l->activation, n, from, 1, l->gradient, 1, to, 1, &options)
                                    : sugar_forward_f32(l->activation, n, from, 1, to, 1, &options);
    if (status != SUGAR_OK)
        give_up(l->s->spec, sugar_last_error());
}

/* One step; how long its activation and its reader took. */
static void step(const layer *l, int batch, bool backward, bool light_reader, uint64_t flags, double *seconds)
{
    product(l, batch, l->before, backward ? l->gradient : l->x);
    const double start = now();
    activate(l, batch, backward, flags, l->x, l->out);
    const double between = now();
    if (light_reader)
        activate(l, batch, false, SUGAR_CALL_TEMPORAL, l->out, l->after);
    else
        product(l, batch, l->out, l->after);
    seconds[ACTIVATION] = between - start;
    seconds[READER] = now() - between;
}

static void compare(const layer *l, int batch, bool backward, bool light_reader)
{
    static double seconds[MODES][PARTS][MOST_ROUNDS];
    double medians[MODES][PARTS];
    for (int round = -1; round < l->s->rounds; round++)    /* the first one touches the memory */
        for (int mode = 0; mode < MODES; mode++) {
            double taken[PARTS];
            step(l, batch, backward, light_reader, flags_of_mode[mode], taken);
            for (int part = 0; part < PARTS && round >= 0; part++)
                seconds[mode][part][round] = taken[part];
        }
    for (int mode = 0; mode < MODES; mode++)
        for (int part = 0; part < PARTS; part++)
            medians[mode][part] = 1e3 * median(seconds[mode][part], l->s->rounds);
    const double *on = medians[0], *off = medians[1], *decided = medians[2];
    printf("%7d %8.2f  %-8s %-10s %9.3f %9.3f %9.3f %9.3f %9.3f %7.3f %9.3f\n", batch,
           (double)batch * l->s->width * sizeof(float) / (1 << 20), backward ? "backward" : "forward",
           light_reader ? "activation" : "product", on[ACTIVATION], off[ACTIVATION], on[READER], off[READER],
           on[READER] / off[READER], (on[ACTIVATION] + on[READER]) / (off[ACTIVATION] + off[READER]),
           (decided[ACTIVATION] + decided[READER]) / (off[ACTIVATION] + off[READER]));
    fflush(stdout);
}

static const char usage[] =
    "What stores past the caches cost whoever reads the output next; see doc/speed.md, \"Stores past the caches\".\n\n"
    "    bench-reader [--spec SPEC] [--width COLUMNS] [--threads N] [--rounds N] [--largest MIB]\n\n"
    "--spec      the activation, relu~bsilu if not told\n"
    "--width     columns of the layer, 1024 if not told\n"
    "--threads   for the activation and the product, 1 if not told\n"
    "--rounds    of which the median counts, an odd number, 7 if not told\n"
    "--largest   output, in MiB, 64 if not told\n";

static settings parse(int argc, char **argv)
{
    const char *spec = "relu~bsilu", *width = "1024", *threads = "1", *rounds = "7", *largest = "64";
    const command_option known[] = {
        {"--spec", &spec}, {"--width", &width}, {"--threads", &threads}, {"--rounds", &rounds}, {"--largest", &largest},
    };
    command_parse(argc, argv, usage, known, sizeof known / sizeof *known, NULL, NULL);
    const settings s = {.width = command_number("--width", width, 8192),
                        .threads = command_number("--threads", threads, SUGAR_MAX_THREADS),
                        .rounds = command_number("--rounds", rounds, MOST_ROUNDS),
                        .largest = command_number("--largest", largest, 1024),
                        .spec = spec};
    if (s.rounds % 2 == 0)
        command_refuse("--rounds", rounds, "an odd number");
    return s;
}

int main(int argc, char **argv)
{
    const settings s = parse(argc, argv);
    const load before = load_now();
    layer l = {.s = &s, .activation = must_create(s.spec, NULL)};
    const sugar_context_options threads = {.struct_size = sizeof threads, .threads = s.threads};
    if (sugar_context_create(&l.context, &threads) != SUGAR_OK)
        give_up("reader", sugar_last_error());
    if (openblas_set_num_threads)
        openblas_set_num_threads(s.threads);
    uint64_t state = 1;
    const size_t most = ((size_t)s.largest << 20) / sizeof(float);
    l.weight = must_allocate((size_t)s.width * (size_t)s.width, &state);
    float **const operands[] = {&l.before, &l.x, &l.gradient, &l.out, &l.after};
    for (size_t k = 0; k < sizeof operands / sizeof *operands; k++)
        *operands[k] = must_allocate(most, &state);
    printf("%s, %d thread%s, width %d; ms; st: output streamed, ca: through the caches\n\n", s.spec, s.threads,
           s.threads > 1 ? "s" : "", s.width);
    printf("  batch   MiB of                        activation          reader        st/ca, of    decided/ca\n"
           "          output  way      reader            st        ca        st        ca    reader    both"
           "      both\n");
    for (int64_t batch = FIRST_BATCH; batch * s.width <= (int64_t)most; batch *= 2)
        for (int way = 0; way < 2; way++)
            for (int light_reader = 0; light_reader < 2; light_reader++)
                compare(&l, (int)batch, way, light_reader);
    load_warn(&before);
    for (size_t k = 0; k < sizeof operands / sizeof *operands; k++)
        free(*operands[k]);
    free(l.weight);
    sugar_context_destroy(l.context);
    sugar_activation_destroy(l.activation);
    return 0;
}
