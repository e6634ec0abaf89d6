/* The forward and the backward pass of one tile, with all that options add. */
#include "call/workspace.h"

#include <assert.h>

#include "activation/activation.h"
#include "call/passes.h"
#include "view/bits.h"

enum { FEWEST_SHARING = 32 };       /* elements that must share a parameter to be computed together */

/* What the work of one option on a tile leaves for the next. */
typedef struct tile_state {
    bool has_parameter;             /* a tensor in place of the spec's parameter */
    const void *slope;              /* the slopes that rrelu has drawn, as reals, or NULL */
    bool is_stored;                 /* the output, by an option */
} tile_state;

/* The work of one option on a tile. */
typedef void option_work(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, tile_state *state);

/* Elements of a tile, one after another: they share a parameter (step 0), or each has its own (step 1). */
typedef struct parameter_run {
    const void *parameter;
    size_t step;
    size_t begin, n;                /* elements [begin, begin + n) of the tile */
    sugar_runs runs;
    SUGAR_REALS(1) converted;       /* the shared one, if parameters are converted */
} parameter_run;

/* ---- Runs that share a parameter ------------------------------------------------------------ */

/* How many elements of a run share a parameter. */
static int64_t count_sharing(const sugar_run *run)
{
    return run->across && run->length > 1 ? 1 : run->rows * run->length;
}

bool sugar_tile_shares(const sugar_walk *walk, const sugar_tile *tile, int parameter)
{
    sugar_runs runs;
    sugar_runs_start(&runs, walk, tile, parameter);
    const int64_t sharing = count_sharing(&runs.run);
    return sharing >= FEWEST_SHARING || sharing == tile->count;
}

static parameter_run parameter_runs_start(const sugar_extended_call *c, const sugar_block *b)
{
    const int k = c->place[SUGAR_OPTION_parameter];
    parameter_run p = {.parameter = b->at[k], .step = !b->is_shared[k]};
    if (p.step == 0)
        sugar_runs_start(&p.runs, b->walk, b->tile, k);
    return p;
}

static bool parameter_runs_next(parameter_run *p, const sugar_extended_call *c, const sugar_block *b)
{
    if (p->step > 0) {
        const bool is_first = p->n == 0;
        p->n = (size_t)b->tile->count;
        return is_first;
    }
    if (!sugar_runs_next(&p->runs))
        return false;
    const sugar_run *run = &p->runs.run;
    p->begin = (size_t)run->begin;
    p->n = (size_t)count_sharing(run);
    const int k = c->place[SUGAR_OPTION_parameter];
    p->parameter = (const char *)b->walk->data[k] + run->first * (int64_t)b->walk->size[k];
    if (is_converted(c, k)) {
        c->in_memory[k]->load_reals(p->parameter, &p->converted, 1);
        p->parameter = &p->converted;
    }
    return true;
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
    (void)state;
    const sugar_kernels *kernels = c->kernels;
    const size_t n = (size_t)b->tile->count;
    const sugar_tallies tallies = {
        .threshold = c->monitor->threshold,
        .active = &w->sums.tallies.active,
        .sum = w->sums.tallies.sum,
        .sum_of_squares = w->sums.tallies.sum_of_squares,
        .not_finite = w->sums.tallies.not_finite,
    };
    const char *values = kernels->count_bins(&w->histogram, b->at[c->x], &w->values, n, b->ahead);
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
                         real_at(c, &w->values, (size_t)run.begin), (size_t)run.length);
    }
    state->slope = &w->values;
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

/* f' of a tile, as reals. */
static void find_own_derivative(const sugar_extended_call *c, const sugar_block *b, const tile_state *state, void *d)
{
    const int32_t kind = c->activation->parsed.forward.kind;
    const sugar_passes *passes = &c->activation->passes[c->element];
    const size_t n = (size_t)b->tile->count;
    if (state->slope)
        c->kernels->derivative_drawn(state->slope, b->at[c->x], d, n);
    else if (state->has_parameter)
        for (parameter_run p = parameter_runs_start(c, b); parameter_runs_next(&p, c, b);)
            c->kernels->derivative_each[kind](p.parameter, p.step, element_at(c, b, c->x, p.begin),
                                              real_at(c, d, p.begin), p.n);
    else if (passes->own_derivative)
        passes->own_derivative(&passes->forward_parameters, b->at[c->x], d, n);
    else                /* there is no surrogate, so this is f' as well */
        passes->surrogate_derivative(&passes->forward_parameters, b->at[c->x], d, n);
}

/* Adds the products dy df/dparameter of a tile to the sums of its slice. */
static void backward_parameter_gradient(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                                        tile_state *state)
{
    const int32_t kind = c->activation->parsed.forward.kind;
    const sugar_kernels *kernels = c->kernels;
    const void *parameters = &c->activation->passes[c->element].forward_parameters;
    if (state->has_parameter)
        for (parameter_run p = parameter_runs_start(c, b); parameter_runs_next(&p, c, b);)
            kernels->parameter_products[kind](parameters, p.parameter, p.step, element_at(c, b, c->x, p.begin),
                                              element_at(c, b, c->dy, p.begin), real_at(c, &w->values, p.begin), p.n);
    else
        kernels->parameter_products[kind](parameters, NULL, 0, b->at[c->x], b->at[c->dy], &w->values,
                                          (size_t)b->tile->count);
    double *high = w->sums.gradient.high, *low = w->sums.gradient.low;
    sugar_runs runs;
    sugar_runs_start(&runs, b->walk, b->tile, c->sum_index);
    while (sugar_runs_next(&runs)) {
        const sugar_run *run = &runs.run;
        const void *product = real_at(c, &w->values, (size_t)run->begin);
        if (run->across)
            kernels->sum_rows(product, (size_t)run->rows, (size_t)run->length, high + run->first, low + run->first);
        else
            kernels->sum_run(product, (size_t)run->length, high + run->first, low + run->first);
    }
}

/* ---- Saved gradients ------------------------------------------------------------------------ */

/* The one or two derivatives that g' consists of, not yet mixed. */
static sugar_combination find_derivatives(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                                          const tile_state *state)
{
    const sugar_passes *passes = &c->activation->passes[c->element];
    if (passes->has_surrogate)
        passes->surrogate_derivative(&passes->surrogate_parameters, b->at[c->x], &w->surrogate_derivative,
                                     (size_t)b->tile->count);
    else
        find_own_derivative(c, b, state, &w->surrogate_derivative);
    if (passes->own_derivative)
        find_own_derivative(c, b, state, &w->own_derivative);
    return (sugar_combination){
        .x = b->at[c->x],
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
        .accumulate = c->accumulate,
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
    c->kernels->encode(&derivatives, &coding, code, n, c->prefetch ? n : 0);
    if (c->saves_bits)
        write_bits(c, b, code);
}

/* With b->stream, dx is stored past the caches from its first cache line on. */
static void backward_saved_gradient(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b,
                                    tile_state *state)
{
    const int k = c->place[SUGAR_OPTION_saved_gradient];
    const sugar_coding coding = find_coding(c);
    const uint8_t *code = c->saves_bits ? read_bits(c, b, w->tile[k].bytes) : b->at[k];
    const int64_t n = b->tile->count;
    const size_t head = b->stream ? (size_t)sugar_before_line(b->at[c->output], sugar_element_size(c->element), n) : 0;
    if (head > 0)
        c->kernels->backward_from_codes(&coding, code, b->at[c->dy], b->at[c->output], head, 0);
    c->kernels->backward_from_codes(&coding, code + head, element_at(c, b, c->dy, head),
                                    element_at(c, b, c->output, head), (size_t)n - head, b->stream);
    state->is_stored = true;
}

/* ---- Passes -------------------------------------------------------------------------------- */

static void forward_each(const sugar_extended_call *c, const sugar_block *b)
{
    for (parameter_run p = parameter_runs_start(c, b); parameter_runs_next(&p, c, b);)
        c->kernels->forward_each[c->activation->parsed.forward.kind](
            p.parameter, p.step, element_at(c, b, c->x, p.begin), element_at(c, b, c->output, p.begin), p.n);
}

/* With b->stream, y is stored past the caches from its first cache line on. */
static void forward_drawn(const sugar_extended_call *c, const sugar_block *b, const void *slope)
{
    const int64_t n = b->tile->count;
    const size_t head = b->stream ? (size_t)sugar_before_line(b->at[c->output], sugar_element_size(c->element), n) : 0;
    if (head > 0)
        c->kernels->forward_drawn(slope, b->at[c->x], b->at[c->output], head, 0);
    c->kernels->forward_drawn((const char *)slope + head * sugar_real_size(c->element), element_at(c, b, c->x, head),
                              element_at(c, b, c->output, head), (size_t)n - head, b->stream);
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
    tile_state state = {.has_parameter = false};
    for (int i = 0; i < SUGAR_OPTION_COUNT; i++)
        if (c->given >> i & 1)
            work[i](c, w, b, &state);
    return state;
}

/* In place, y overwrites x, so all that reads x comes first. */
void sugar_tile_forward(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b)
{
    assert(b->tile->count <= SUGAR_TILE_ELEMENTS);
    const tile_state state = run_options(forward_work, c, w, b);
    if (!c->activation)
        return;
    if (state.slope)
        forward_drawn(c, b, state.slope);
    else if (state.has_parameter)
        forward_each(c, b);
    else
        sugar_forward_pass(c->activation, c->element, b->at[c->x], b->at[c->output], b->tile->count, b->stream);
}

/* In place, dx overwrites x or dy, so it is stored last. */
void sugar_tile_backward(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b)
{
    assert(b->tile->count <= SUGAR_TILE_ELEMENTS);
    const tile_state state = run_options(backward_work, c, w, b);
    if (state.is_stored)
        return;
    sugar_combination combination = find_derivatives(c, w, b, &state);
    combination.accumulate = c->accumulate;
    c->kernels->combine(&combination, b->at[c->dy], b->at[c->output], (size_t)b->tile->count);
}
