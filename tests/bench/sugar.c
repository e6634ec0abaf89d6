/* libsugar itself: the flat calls for contiguous vectors, tensors for everything else. And two other
 * calls: the backward pass from the output, and both passes with a saved gradient of 8 bits. Gates, biases and second
 * derivatives are cases of their own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "timing.h"
#include "../support/support.h"

typedef struct sugar_run {
    const bench_case *c;
    sugar_activation *activation;
    sugar_context *context;
    sugar_call_options options;
    sugar_tensor tensor[OPERANDS];
    const void *x;                  /* of a flat call */
    sugar_tensor saved;
    uint8_t *codes;                 /* NULL: none are saved */
    int64_t rows[2];                /* the shape of a vector as batch and units */
    int64_t units[DIMENSIONS];      /* the shape of biases */
    sugar_tensor bias, bias_gradient;
} sugar_run;

static sugar_tensor tensor(const bench_case *c, int operand)
{
    return (sugar_tensor){
        .data = c->data[operand],
        .device = {SUGAR_DEVICE_CPU, 0},
        .ndim = c->ndim,
        .dtype = element_formats[c->type].dtype,
        .shape = c->shape,
        .strides = c->strides[operand],
    };
}

/* The beginning of an operand. */
static sugar_tensor unit_tensor(const sugar_run *run, int operand)
{
    sugar_tensor made = tensor(run->c, operand);
    made.shape = run->units;
    made.strides = NULL;
    return made;
}

/* The operands that a call has beside the plain ones. Those of second derivatives are arguments. */
static void add_operands(sugar_run *run)
{
    const bench_case *c = run->c;
    if (c->adds == GATE) {
        run->options.gate = &run->tensor[THIRD];
        run->options.gate_gradient = c->way == BACKWARD ? &run->tensor[OTHER] : NULL;
    } else if (c->adds == BIAS) {
        for (int d = 0; d < c->ndim; d++)
            run->units[d] = d == 1 ? c->shape[d] : 1;
        run->bias = unit_tensor(run, THIRD);
        run->bias_gradient = unit_tensor(run, OTHER);
        run->options.bias = &run->bias;
        run->options.bias_gradient = c->way == BACKWARD ? &run->bias_gradient : NULL;
    }
}

static void *open_on(const bench_case *c, int threads_wanted)
{
    sugar_run *run = malloc(sizeof *run);
    if (!run)
        give_up("sugar", "no memory");
    *run = (sugar_run){.c = c, .x = c->data[X], .activation = must_create(c->spec, NULL)};
    const sugar_context_options threads = {.struct_size = sizeof threads, .threads = threads_wanted};
    if (threads_wanted > 1 && sugar_context_create(&run->context, &threads) != SUGAR_OK)
        give_up("sugar", sugar_last_error());
    run->options = (sugar_call_options){.struct_size = sizeof run->options, .context = run->context};
    for (int k = 0; k < OPERANDS; k++)
        run->tensor[k] = tensor(c, k);
    add_operands(run);
    return run;
}

static void *open_case(const bench_case *c) { return open_on(c, c->threads); }

static void *open_alone(const bench_case *c) { return c->threads > 1 && c->elements <= 1 << 20 ? open_on(c, 1) : NULL; }

/* What a monitor costs that observes one call in `every`, where the goals for it are: a vector in memory is a batch of
 * 512 units, a picture has its channels. */
static void *open_observed(const bench_case *c, int64_t every)
{
    enum { UNITS = 512, LEAST = 32 << 20 };
    const bool picture = strcmp(c->layout, "NCHW>NCHW") == 0;
    if (c->way == BACKWARD || c->elements < LEAST || !(picture || is_vector(c))
        || (strcmp(c->kind, "relu") != 0 && strcmp(c->kind, "gelu") != 0))
        return NULL;
    sugar_run *run = open_on(c, c->threads);
    const sugar_monitor_options options = {
        .struct_size = sizeof options, .axis_from_end = picture ? 2 : 0, .every = every};
    run->rows[0] = c->elements / UNITS;
    run->rows[1] = UNITS;
    for (int k = 0; k < OPERANDS && !picture; k++) {
        run->tensor[k].ndim = 2;
        run->tensor[k].shape = run->rows;
        run->tensor[k].strides = NULL;
    }
    if (sugar_monitor_create(&run->options.monitor, run->tensor[X].shape[1], &options) != SUGAR_OK)
        give_up("sugar-monitored", sugar_last_error());
    return run;
}

static void *open_monitored(const bench_case *c) { return open_observed(c, 1); }

static void call_monitored(void *opaque)
{
    const sugar_run *run = opaque;
    if (sugar_forward(run->activation, &run->tensor[X], &run->tensor[OUT], &run->options) != SUGAR_OK)
        give_up(run->c->spec, sugar_last_error());
}

enum { EVERY = 10 };
static void *open_sampled(const bench_case *c) { return open_observed(c, EVERY); }

/* Of so many calls on average: the median of single ones would be that of calls which are not observed. */
static double seconds_sampled(void *opaque, int64_t calls)
{
    const double start = now();
    for (int64_t i = 0; i < calls * EVERY; i++)
        call_monitored(opaque);
    return (now() - start) / EVERY;
}

static sugar_status call_flat(const sugar_run *run, const sugar_call_options *options)
{
    const bench_case *c = run->c;
    return c->way == FORWARD
               ? flat_forward(run->activation, c->type, c->elements, c->data[X], 1, c->data[OUT], 1, options)
               : flat_backward(run->activation, c->type, c->elements, run->x, 1, c->data[DY], 1, c->data[OUT], 1,
                               options);
}

static sugar_status call_tensor(const sugar_run *run, const sugar_call_options *options)
{
    const sugar_activation *a = run->activation;
    const sugar_tensor *t = run->tensor;
    if (run->c->adds == TWICE)
        return sugar_backward_twice(a, &t[X], &t[DY], &t[THIRD], &t[OTHER], &t[OUT], options);
    return run->c->way == FORWARD ? sugar_forward(a, &t[X], &t[OUT], options)
                                  : sugar_backward(a, &t[X], &t[DY], &t[OUT], options);
}

static void close_case(void *opaque)
{
    sugar_run *run = opaque;
    sugar_monitor_destroy(run->options.monitor);
    sugar_activation_destroy(run->activation);
    sugar_context_destroy(run->context);
    free(run->codes);
    free(run);
}

/* Calls that the kind does not allow are left out. */
static void *if_possible(sugar_run *run)
{
    if (call_flat(run, &run->options) == SUGAR_OK)
        return run;
    close_case(run);
    return NULL;
}

static bool is_flat(const bench_case *c) { return strcmp(c->layout, "contiguous") == 0; }

static void *open_from_output(const bench_case *c)
{
    if (c->way == FORWARD || !is_flat(c))
        return NULL;
    sugar_run *run = open_on(c, c->threads);
    run->options.flags = SUGAR_CALL_FROM_OUTPUT;
    return if_possible(run);
}

static void *open_saved(const bench_case *c)
{
    if (!is_flat(c))
        return NULL;
    sugar_run *run = open_on(c, c->threads);
    run->codes = calloc((size_t)c->elements, 1);
    if (!run->codes)
        give_up("sugar", "no memory");
    run->saved = (sugar_tensor){.data = run->codes,
                                .device = {SUGAR_DEVICE_CPU, 0},
                                .ndim = 1,
                                .shape = &c->elements,
                                .dtype = {SUGAR_TYPE_UNSIGNED, 8, 1}};
    run->options.saved_gradient = &run->saved;
    run->x = c->way == FORWARD ? run->x : NULL;
    return if_possible(run);
}

static void call(void *opaque)
{
    const sugar_run *run = opaque;
    const bool has_options = run->context || run->options.flags || run->codes || run->c->adds != NOTHING;
    const sugar_call_options *options = has_options ? &run->options : NULL;
    if ((is_flat(run->c) ? call_flat : call_tensor)(run, options) != SUGAR_OK)
        give_up(run->c->spec, sugar_last_error());
}

static const char *version(void)
{
    static char text[32];
    const int32_t v = sugar_version();
    snprintf(text, sizeof text, "%d.%d.%d", v / 10000, v / 100 % 100, v % 100);
    return text;
}

implementation sugar_implementation = {
    .name = "sugar",
    .version = version,
    .open = open_case,
    .call = call,
    .close = close_case,
};
implementation sugar_monitored = {
    .name = "sugar-monitored",
    .role = OTHER_PROBLEM,
    .open = open_monitored,
    .call = call_monitored,
    .close = close_case,
};
implementation sugar_sampled = {
    .name = "sugar-sampled",
    .role = OTHER_PROBLEM,
    .open = open_sampled,
    .seconds = seconds_sampled,
    .close = close_case,
};
implementation sugar_alone = {
    .name = "sugar-alone",
    .role = OTHER_PROBLEM,
    .open = open_alone,
    .call = call,
    .close = close_case,
};
implementation sugar_from_output = {
    .name = "sugar-output",
    .role = OTHER_PROBLEM,
    .open = open_from_output,
    .call = call,
    .close = close_case,
};
implementation sugar_saved = {
    .name = "sugar-saved",
    .role = OTHER_PROBLEM,
    .open = open_saved,
    .call = call,
    .close = close_case,
};
