/* libsugar itself: the flat calls for vectors, tensors for everything else. */
#include <stdlib.h>

#include "bench.h"
#include "../support/support.h"

typedef struct sugar_run {
    const bench_case *c;
    sugar_activation *activation;
    sugar_context *context;
    sugar_call_options options;
    sugar_tensor tensor[OPERANDS];
} sugar_run;

static sugar_tensor tensor(const bench_case *c, int operand)
{
    return (sugar_tensor){
        .data = c->data[operand],
        .device = {SUGAR_DEVICE_CPU, 0},
        .ndim = c->ndim,
        .dtype = {SUGAR_TYPE_FLOAT, (uint8_t)(8 * c->width), 1},
        .shape = c->shape,
        .strides = c->strides[operand],
    };
}

static void *open_case(const bench_case *c)
{
    sugar_run *run = malloc(sizeof *run);
    if (!run)
        give_up("sugar", "no memory");
    *run = (sugar_run){.c = c, .activation = must_create(c->spec, NULL)};
    const sugar_context_options threads = {
        .struct_size = sizeof threads,
        .threads = c->threads,
        .parallel_for = pool_run,
    };
    if (sugar_context_create(&run->context, &threads) != SUGAR_OK)
        give_up("sugar", sugar_last_error());
    run->options = (sugar_call_options){.struct_size = sizeof run->options, .context = run->context};
    for (int k = 0; k < OPERANDS; k++)
        run->tensor[k] = tensor(c, k);
    return run;
}

static void call(void *opaque)
{
    const sugar_run *run = opaque;
    const bench_case *c = run->c;
    const sugar_call_options *options = c->threads > 1 ? &run->options : NULL;
    const element_type type = c->width == sizeof(float) ? ELEMENT_F32 : ELEMENT_F64;
    sugar_status status;
    if (is_contiguous(c) && c->way == FORWARD)
        status = flat_forward(run->activation, type, c->elements, c->data[X], 1, c->data[OUT], 1, options);
    else if (is_contiguous(c))
        status = flat_backward(run->activation, type, c->elements, c->data[X], 1, c->data[DY], 1,
                               c->data[OUT], 1, options);
    else if (c->way == FORWARD)
        status = sugar_forward(run->activation, &run->tensor[X], &run->tensor[OUT], options);
    else
        status = sugar_backward(run->activation, &run->tensor[X], &run->tensor[DY], &run->tensor[OUT], options);
    if (status != SUGAR_OK)
        give_up(c->spec, sugar_last_error());
}

static void close_case(void *opaque)
{
    sugar_run *run = opaque;
    sugar_activation_destroy(run->activation);
    sugar_context_destroy(run->context);
    free(run);
}

implementation sugar_implementation = {
    .name = "sugar", .open = open_case, .call = call, .close = close_case,
};
