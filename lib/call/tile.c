/* The forward and the backward pass of one tile, with all that options add. */
#include "call/workspace.h"

#include <assert.h>

#include "activation/activation.h"
#include "call/passes.h"
#include "call/sums.h"
#include "call/values.h"
#include "view/bits.h"

/* What the work of one option on a tile leaves for the next. */
typedef struct tile_state {
    const void *x, *dy;             /* as elements; x with its bias, dy times its gate */
    const void *gate;               /* forward: that y is multiplied by, as elements, or NULL */
    bool has_parameter;             /* a tensor in place of the spec's parameter */
    const void *slope;              /* the slopes that rrelu has drawn, as reals, or NULL */
    const uint8_t *code;            /* saved derivatives, or NULL */
    bool is_stored;                 /* the output, by an option */
} tile_state;

/* The work of one option on a tile. */
typedef void option_work(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, tile_state *state);

/* Whether the stores of a tile to operand k go past the caches: 0 or SUGAR_STREAM_OPEN. What is in a buffer is stored
 * later. */
static int stream_of(const sugar_extended_call *c, const sugar_block *b, int k)
{
    return c->is_streamed[k] && !b->in_buffer[k] ? SUGAR_STREAM_OPEN : 0;
}

/* ---- Biases ---------------------------------------------------------------------------------- */

/* x + bias takes the place of x, which may have the type that it has in memory. */
static void forward_bias(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, tile_state *state)
{
    const sugar_kernels *kernels = b->in_buffer[c->x] ? c->kernels : c->in_memory[c->x];
    const size_t size = b->in_buffer[c->x] ? sugar_element_size(c->element) : b->walk->size[c->x];
    void *sum = &w->tile[c->x];
    sugar_value_run v;
    sugar_value_runs_start(&v, b, c->place[SUGAR_OPTION_bias]);
    while (sugar_value_runs_next(&v, c, w, b))
        kernels->add_bias((const char *)state->x + v.begin * size, v.value, v.step, element_at(c, sum, v.begin), v.n);
    state->x = sum;
}

static void backward_bias(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, tile_state *state)
{
    forward_bias(c, w, b, state);
}

/* ---- Gates ----------------------------------------------------------------------------------- */

static void forward_gate(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, tile_state *state)
{
    (void)w;
    state->gate = b->at[c->place[SUGAR_OPTION_gate]];
}

/* dy gate takes the place of dy. */
static void backward_gate(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, tile_state *state)
{
    const int k = c->place[SUGAR_OPTION_gate];
    void *product = &w->tile[k];
    c->kernels->multiply(state->dy, b->at[k], product, (size_t)b->tile->count, 0, 0);
    state->dy = product;
}

/* ---- Bits ---------------------------------------------------------------------------------- */

/* The bits of a tile, run by run: the walk follows their order, so those of a run lie one after another. */
static void write_bits(const sugar_extended_call *c, const sugar_block *b, const uint8_t *code)
{
    const int k = c->place[SUGAR_OPTION_saved_gradient];
    sugar_runs runs;
    sugar_runs_start(&runs, b->walk, b->tile, k);
    while (sugar_runs_next(&runs))
        sugar_bits_write(b->walk->data[k], b->walk->first[k] + runs.run.first, code + runs.run.begin, runs.run.length,
                         c->walk.count);
}

static const uint8_t *read_bits(const sugar_extended_call *c, const sugar_block *b, uint8_t *code)
{
    const int k = c->place[SUGAR_OPTION_saved_gradient];
    sugar_runs runs;
    sugar_runs_start(&runs, b->walk, b->tile, k);
    while (sugar_runs_next(&runs))
        sugar_bits_read(b->walk->data[k], b->walk->first[k] + runs.run.first, code + runs.run.begin, runs.run.length);
    return code;
}

/* ---- Monitors ------------------------------------------------------------------------------ */

static void forward_monitor(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, tile_state *state)
{
    const sugar_kernels *kernels = c->kernels;
    const size_t n = (size_t)b->tile->count;
    const sugar_tallies tallies = {
        .threshold = c->monitor->threshold,
        .active = &w->sums.tallies.active,
        .sum = w->sums.tallies.sum,
        .sum_of_squares = w->sums.tallies.sum_of_squares,
        .not_finite = w->sums.tallies.not_finite,
    };
    const char *values = kernels->count_bins(&w->histogram, state->x, &w->values, n, b->ahead);
    const int all_finite = w->histogram.all_finite;
    sugar_runs runs;
    sugar_runs_start(&runs, b->walk, b->tile, c->sum_index);
    while (sugar_runs_next(&runs)) {
        const sugar_run *run = &runs.run;
        const void *first = values + (size_t)run->begin * sugar_real_size(c->element);
        const char *ahead = b->ahead;
        if (ahead)
            ahead += (n + (size_t)run->begin) / 2 * sugar_element_size(c->element);
        if (run->across)
            kernels->tally_units(&tallies, (size_t)run->first, first, (size_t)run->rows, (size_t)run->length,
                                 all_finite, ahead);
        else
            kernels->tally_unit(&tallies, (size_t)run->first, first, (size_t)run->length, all_finite, ahead);
    }
}

/* ---- Parameters and slopes that differ from element to element --------------------------------- */

/* Rows of elements whose positions are `step` apart; the first row begins with position `first`. Whether a row that
 * begins with position `next` follows `rows` such rows and has the same blocks of four random numbers. */
static bool shares_blocks(int64_t first, int64_t step, int64_t rows, int64_t next)
{
    return step % 4 == 0 && next == first + rows && next / 4 == first / 4;
}

/* Draws the slopes of a tile: together for rows that share blocks of random numbers, else row by row. */
static void forward_random(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, tile_state *state)
{
    const void *parameters = &c->activation->passes[c->element].forward_parameters;
    const int64_t first = b->walk->first[c->position_index], step = b->walk->stride[c->position_index][0];
    sugar_runs runs;
    sugar_runs_start(&runs, b->walk, b->tile, c->position_index);
    bool more = sugar_runs_next(&runs);
    while (more) {
        const sugar_run run = runs.run;
        int64_t rows = 1;
        while ((more = sugar_runs_next(&runs)) && shares_blocks(first + run.first, step, rows, first + runs.run.first))
            rows++;
        c->kernels->draw(&c->random, parameters, first + run.first, step, (size_t)rows,
                         real_at(c, &w->slopes, (size_t)run.begin), (size_t)run.length);
    }
    state->slope = &w->slopes;
}

static void backward_random(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, tile_state *state)
{
    forward_random(c, w, b, state);
}

static void forward_parameter(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, tile_state *state)
{
    (void)c;
    (void)w;
    (void)b;
    state->has_parameter = true;
}

static void backward_parameter(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                               tile_state *state)
{
    forward_parameter(c, w, b, state);
}

static void derivative_each(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                            const tile_state *state, void *d)
{
    const int32_t kind = c->activation->parsed.forward.kind;
    sugar_value_run v;
    sugar_value_runs_start(&v, b, c->place[SUGAR_OPTION_parameter]);
    while (sugar_value_runs_next(&v, c, w, b))
        c->kernels->derivative_each[kind](v.value, v.step, element_at(c, state->x, v.begin), real_at(c, d, v.begin),
                                          v.n);
}

/* f' of a tile, as reals. */
static void find_own_derivative(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                                const tile_state *state, void *d)
{
    const sugar_passes *passes = &c->activation->passes[c->element];
    const size_t n = (size_t)b->tile->count;
    if (state->slope)
        c->kernels->derivative_drawn(state->slope, state->x, d, n);
    else if (state->has_parameter)
        derivative_each(c, w, b, state, d);
    else if (passes->own_derivative)
        passes->own_derivative(&passes->forward_parameters, state->x, d, n);
    else                /* there is no surrogate, so this is f' as well */
        passes->surrogate_derivative(&passes->forward_parameters, state->x, d, n);
}

/* ---- Saved gradients ------------------------------------------------------------------------ */

/* The one or two derivatives that g' consists of, not yet mixed. */
static sugar_combination find_derivatives(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                                          const tile_state *state)
{
    const sugar_passes *passes = &c->activation->passes[c->element];
    if (passes->has_surrogate)
        passes->surrogate_derivative(&passes->surrogate_parameters, state->x, &w->surrogate_derivative,
                                     (size_t)b->tile->count);
    else
        find_own_derivative(c, w, b, state, &w->surrogate_derivative);
    if (passes->own_derivative)
        find_own_derivative(c, w, b, state, &w->own_derivative);
    return (sugar_combination){
        .x = state->x,
        .surrogate = &w->surrogate_derivative,
        .own = passes->own_derivative ? &w->own_derivative : NULL,
        .blend = passes->blend,
        .rest = passes->rest,
        .negative_only = c->activation->parsed.negative_only,
    };
}

/* How derivatives are coded: as which of two values, or as 256 values between the bounds. */
static sugar_coding find_coding(const sugar_extended_call *c)
{
    const sugar_activation *a = c->activation;
    const sugar_two_values *values = &a->passes[c->element].values;
    const double lower = c->saves_bits ? values->lower : a->minimum, upper = c->saves_bits ? values->upper : a->maximum;
    return (sugar_coding){
        .lower = lower,
        .upper = upper,
        .scale = upper > lower ? 255 / (upper - lower) : 0,
        .spacing = (upper - lower) / 255,
        .two_values = c->saves_bits,
    };
}

static void forward_saved_gradient(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                                   tile_state *state)
{
    const int k = c->place[SUGAR_OPTION_saved_gradient];
    const sugar_combination derivatives = find_derivatives(c, w, b, state);
    const sugar_coding coding = find_coding(c);
    const size_t n = (size_t)b->tile->count;
    uint8_t *code = c->saves_bits ? w->tile[k].bytes : b->at[k];
    const bool prefetch = c->prefetch && state->x == b->at[c->x];
    c->kernels->encode(&derivatives, &coding, code, n, prefetch ? n : 0);
    if (c->saves_bits)
        write_bits(c, b, code);
}

static void backward_saved_gradient(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                                    tile_state *state)
{
    const int k = c->place[SUGAR_OPTION_saved_gradient];
    state->code = c->saves_bits ? read_bits(c, b, w->tile[k].bytes) : b->at[k];
}

/* ---- Passes -------------------------------------------------------------------------------- */

static void forward_each(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                         const tile_state *state, void *y)
{
    const int32_t kind = c->activation->parsed.forward.kind;
    sugar_value_run v;
    sugar_value_runs_start(&v, b, c->place[SUGAR_OPTION_parameter]);
    while (sugar_value_runs_next(&v, c, w, b))
        c->kernels->forward_each[kind](v.value, v.step, element_at(c, state->x, v.begin), element_at(c, y, v.begin),
                                       v.n);
}

/* If `stream`, y is stored past the caches from its first cache line on; here and below. */
static void forward_drawn(const sugar_extended_call *c, const tile_state *state, void *y, int64_t n, int stream)
{
    const size_t head = stream ? (size_t)sugar_before_line(y, sugar_element_size(c->element), n) : 0;
    if (head > 0)
        c->kernels->forward_drawn(state->slope, state->x, y, head, 0);
    c->kernels->forward_drawn(real_at(c, state->slope, head), element_at(c, state->x, head), element_at(c, y, head),
                              (size_t)n - head, stream);
}

/* y = f(x) of a tile. */
static void find_values(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, const tile_state *state,
                        void *y, int stream)
{
    const int64_t n = b->tile->count;
    if (state->slope)
        forward_drawn(c, state, y, n, stream);
    else if (state->has_parameter)
        forward_each(c, w, b, state, y);
    else
        sugar_forward_pass(c->activation, c->element, state->x, y, n, stream);
}

static void backward_from_codes(const sugar_extended_call *c, const tile_state *state, void *dx, int64_t n,
                                bool accumulate, int stream)
{
    sugar_coding coding = find_coding(c);
    coding.accumulate = accumulate;
    const size_t head = stream ? (size_t)sugar_before_line(dx, sugar_element_size(c->element), n) : 0;
    if (head > 0)
        c->kernels->backward_from_codes(&coding, state->code, state->dy, dx, head, 0);
    c->kernels->backward_from_codes(&coding, state->code + head, element_at(c, state->dy, head),
                                    element_at(c, dx, head), (size_t)n - head, stream);
}

/* dx = dy g'(x) of a tile. */
static void find_gradients(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                           const tile_state *state, void *dx, bool accumulate, int stream)
{
    const int64_t n = b->tile->count;
    if (state->code) {
        backward_from_codes(c, state, dx, n, accumulate, stream);
    } else if (state->slope || state->has_parameter) {
        sugar_combination combination = find_derivatives(c, w, b, state);
        combination.accumulate = accumulate;
        c->kernels->combine(&combination, state->dy, dx, (size_t)n);
    } else {
        sugar_backward_pass(c->activation, c->element, accumulate, state->x, state->dy, dx, n, stream);
    }
}

/* ---- Sums ------------------------------------------------------------------------------------ */

/* dy df/dparameter, where the parameter is a tensor. */
static void find_products_each(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                               const tile_state *state, void *products)
{
    const int32_t kind = c->activation->parsed.forward.kind;
    const void *parameters = &c->activation->passes[c->element].forward_parameters;
    sugar_value_run v;
    sugar_value_runs_start(&v, b, c->place[SUGAR_OPTION_parameter]);
    while (sugar_value_runs_next(&v, c, w, b))
        c->kernels->parameter_products[kind](parameters, v.value, v.step, element_at(c, state->x, v.begin),
                                             element_at(c, state->dy, v.begin), real_at(c, products, v.begin), v.n);
}

static void backward_parameter_gradient(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                                        tile_state *state)
{
    const int32_t kind = c->activation->parsed.forward.kind;
    const void *parameters = &c->activation->passes[c->element].forward_parameters;
    if (state->has_parameter)
        find_products_each(c, w, b, state, &w->values);
    else
        c->kernels->parameter_products[kind](parameters, NULL, 0, state->x, state->dy, &w->values,
                                             (size_t)b->tile->count);
    sugar_sums_add(c, w, b, &w->values);
}

/* The products are those that dx is made of. They are dx, in its buffer, unless dx holds what they are added to. */
static void backward_bias_gradient(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                                   tile_state *state)
{
    void *products = c->accumulate ? &w->values : b->at[c->output];
    find_gradients(c, w, b, state, products, false, 0);
    sugar_sums_add(c, w, b, products);
    state->is_stored = !c->accumulate;
}

/* ---- Tiles ------------------------------------------------------------------------------------ */

/* Stores a b, of a tile, to operand k. */
static void put_products(const sugar_extended_call *c, const sugar_block *b, const void *first, const void *second,
                         int k)
{
    void *product = b->at[k];
    const int stream = stream_of(c, b, k);
    const sugar_stretches all = sugar_stretches_find(product, sugar_element_size(c->element), b->tile->count, stream);
    for (int i = 0; i < SUGAR_STRETCHES; i++) {
        const size_t begin = (size_t)all.begin[i], n = (size_t)all.begin[i + 1] - begin;
        if (n > 0)
            c->kernels->multiply(real_at(c, first, begin), real_at(c, second, begin), real_at(c, product, begin), n,
                                 c->accumulate, i == SUGAR_WHOLE_LINES ? stream : 0);
    }
}

/* dy f(x). From the output, f(x) is x. */
static void backward_gate_gradient(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                                   tile_state *state)
{
    const void *values = c->from_output ? state->x : &w->values;
    if (!c->from_output)
        find_values(c, w, b, state, &w->values, 0);
    put_products(c, b, b->at[c->dy], values, c->place[SUGAR_OPTION_gate_gradient]);
}

/* y = f(x) gate. */
static void forward_gated(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                          const tile_state *state)
{
    find_values(c, w, b, state, &w->values, 0);
    put_products(c, b, &w->values, state->gate, c->output);
}

/* The work of options, in the order of their table; NULL where the call refuses the option. */
#define WORK_INDEX(work) work
#define WORK_PARAMETER(work) work
#define WORK_INPUT(work) work
#define WORK_OUTPUT(work) work
#define WORK_SUM(work) work
#define WORK_REFUSED(work) NULL
static option_work *const forward_work[SUGAR_OPTION_COUNT] = {
#define OPTION(member, forward, ...) WORK_##forward(forward_##member),
#include "call/options.def"
};
static option_work *const backward_work[SUGAR_OPTION_COUNT] = {
#define OPTION(member, forward, backward, ...) WORK_##backward(backward_##member),
#include "call/options.def"
};

static tile_state run_options(option_work *const *work, const sugar_extended_call *c, sugar_workspace *w,
                              const sugar_block *b)
{
    tile_state state = {
        .x = c->x == SUGAR_ABSENT ? NULL : b->at[c->x],
        .dy = c->dy == SUGAR_ABSENT ? NULL : b->at[c->dy],
    };
    for (int i = 0; i < SUGAR_OPTION_COUNT; i++)
        if (c->given >> i & 1)
            work[i](c, w, b, &state);
    return state;
}

/* In place, y overwrites x or the gate, so all that reads them comes first. */
void sugar_tile_forward(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b)
{
    assert(b->tile->count <= SUGAR_TILE_ELEMENTS);
    const tile_state state = run_options(forward_work, c, w, b);
    if (state.gate)
        forward_gated(c, w, b, &state);
    else if (c->activation)
        find_values(c, w, b, &state, b->at[c->output], stream_of(c, b, c->output));
}

/* In place, dx overwrites x, dy or the gate, so it is stored last. */
void sugar_tile_backward(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b)
{
    assert(b->tile->count <= SUGAR_TILE_ELEMENTS);
    const tile_state state = run_options(backward_work, c, w, b);
    if (!state.is_stored)
        find_gradients(c, w, b, &state, b->at[c->output], c->accumulate, stream_of(c, b, c->output));
}
