/* The part of extended.c that depends on the element type. The includer defines, and this file undefines:
 *
 *   T        an element in memory
 *   REAL     what it is computed in
 *   NAME     NAME(f) is f with the suffix of the type
 *   PASSES   the type's member of sugar_activation */

/* ---- Monitors ------------------------------------------------------------------------------ */

/* The codes are read last: to read them back at once held up for .05 ns an element (Zen 5, AVX-512), as they wait to
 * be stored behind the output of the last tile, which goes past the caches. */
static void NAME(observe)(const sugar_extended_call *c, workspace *w, const block *b)
{
    const NAME(sugar_kernels) *kernels = c->kernels->PASSES;
    const size_t n = (size_t)b->tile->count;
    const NAME(sugar_tallies) tallies = {
        .threshold = (REAL)c->monitor->threshold,
        .active = w->sums.tallies.active.PASSES,
        .sum = w->sums.tallies.sum,
        .sum_of_squares = w->sums.tallies.sum_of_squares,
        .not_finite = w->sums.tallies.not_finite,
    };
    const T *ahead = b->ahead;
    const REAL *values = kernels->find_bins(&w->histogram, b->at[c->x], w->values.PASSES, n, w->codes, ahead);
    const int all_finite = w->histogram.all_finite;
    sugar_runs runs;
    sugar_runs_start(&runs, b->walk, b->tile, c->local);
    while (sugar_runs_next(&runs)) {
        const sugar_run *run = &runs.run;
        if (run->across)
            kernels->tally_units(&tallies, (size_t)run->first, values + run->begin, (size_t)run->rows,
                                 (size_t)run->length, all_finite);
        else
            kernels->tally_unit(&tallies, (size_t)run->first, values + run->begin, (size_t)run->length, all_finite);
    }
    kernels->count_bins(&w->histogram, w->codes, n, ahead ? ahead + n / 2 : NULL);
}

static sugar_tally NAME(take_tally)(workspace *w, int64_t sum)
{
    const sugar_tally taken = {
        .active = (int64_t)w->sums.tallies.active.PASSES[sum],
        .not_finite = w->sums.tallies.not_finite[sum],
        .sum = w->sums.tallies.sum[sum],
        .sum_of_squares = w->sums.tallies.sum_of_squares[sum],
    };
    w->sums.tallies.active.PASSES[sum] = 0;
    w->sums.tallies.not_finite[sum] = 0;
    w->sums.tallies.sum[sum] = w->sums.tallies.sum_of_squares[sum] = 0;
    return taken;
}

/* ---- Parameters ---------------------------------------------------------------------------- */

/* What a tile's elements have in place of the parameter of the spec, if anything. */
typedef struct NAME(varying) {
    int32_t kind;                   /* of the forward function */
    bool has_parameter;
    const REAL *slope;              /* that rrelu has drawn, or NULL */
} NAME(varying);

/* Slopes are drawn row by row, or for all rows that share blocks of random numbers at once. */
static const REAL *NAME(draw)(const sugar_extended_call *c, workspace *w, const block *b)
{
    const REAL *parameters = c->activation->PASSES.forward_parameters;
    REAL *slope = w->values.PASSES;
    const int64_t first = b->walk->first[c->position], step = b->walk->stride[c->position][0];
    sugar_runs runs;
    sugar_runs_start(&runs, b->walk, b->tile, c->position);
    bool more = sugar_runs_next(&runs);
    while (more) {
        const sugar_run run = runs.run;
        int64_t rows = 1;
        while ((more = sugar_runs_next(&runs)) && shares_blocks(first + run.first, step, rows, first + runs.run.first))
            rows++;
        c->kernels->PASSES->draw(c->random, parameters, first + run.first, step, (size_t)rows, slope + run.begin,
                                 (size_t)run.length);
    }
    return slope;
}

static NAME(varying) NAME(find_varying)(const sugar_extended_call *c, workspace *w, const block *b)
{
    return (NAME(varying)){
        .kind = c->activation->forward_kind,
        .has_parameter = c->parameter != SUGAR_ABSENT,
        .slope = c->random ? NAME(draw)(c, w, b) : NULL,
    };
}

/* f' of the forward function. */
static void NAME(find_own)(const sugar_extended_call *c, const block *b, NAME(varying) v, REAL *d)
{
    const sugar_activation *a = c->activation;
    const NAME(sugar_kernels) *kernels = c->kernels->PASSES;
    const T *x = b->at[c->x];
    const size_t n = (size_t)b->tile->count;
    if (v.slope)
        kernels->derivative_drawn(v.slope, x, d, n);
    else if (v.has_parameter)
        for (part p = part_start(c, b); part_next(&p, c, b);)
            kernels->derivative_each[v.kind](p.parameter, p.step, x + p.begin, d + p.begin, p.n);
    else
        kernels->derivative[v.kind](a->PASSES.forward_parameters, x, d, n);
}

/* ---- Gradients of parameters --------------------------------------------------------------- */

static void NAME(sum_gradient)(const sugar_extended_call *c, workspace *w, const block *b, NAME(varying) v)
{
    const NAME(sugar_kernels) *kernels = c->kernels->PASSES;
    REAL *product = w->values.PASSES;
    const REAL *parameters = c->activation->PASSES.forward_parameters;
    const T *x = b->at[c->x], *dy = b->at[c->dy];
    if (v.has_parameter)
        for (part p = part_start(c, b); part_next(&p, c, b);)
            kernels->slope[v.kind](parameters, p.parameter, p.step, x + p.begin, dy + p.begin, product + p.begin, p.n);
    else
        kernels->slope[v.kind](parameters, NULL, 0, x, dy, product, (size_t)b->tile->count);
    double *high = w->sums.gradient.high, *low = w->sums.gradient.low;
    sugar_runs runs;
    sugar_runs_start(&runs, b->walk, b->tile, c->local);
    while (sugar_runs_next(&runs)) {
        const sugar_run *run = &runs.run;
        if (run->across)
            kernels->sum_rows(product + run->begin, (size_t)run->rows, (size_t)run->length, high + run->first,
                              low + run->first);
        else
            kernels->sum_run(product + run->begin, (size_t)run->length, high + run->first, low + run->first);
    }
}

static void NAME(put_gradient)(const sugar_extended_call *c, void *at, sugar_exact value)
{
    c->kernels->PASSES->put_sum(value.high, value.low, at, c->accumulate);
}

static void NAME(put_gradients)(const sugar_extended_call *c, workspace *w, int64_t sum, int64_t n, void *at)
{
    double *high = w->sums.gradient.high + sum, *low = w->sums.gradient.low + sum;
    c->kernels->PASSES->put_sums(high, low, (size_t)n, at, c->accumulate);
    memset(high, 0, (size_t)n * sizeof *high);
    memset(low, 0, (size_t)n * sizeof *low);
}

/* ---- Passes -------------------------------------------------------------------------------- */

/* What the backward pass uses at each element, as up to two derivatives that are yet to be mixed. */
static NAME(sugar_combination) NAME(find_derivatives)(const sugar_extended_call *c, workspace *w, const block *b,
                                                      NAME(varying) v)
{
    const sugar_activation *a = c->activation;
    const NAME(sugar_passes) *passes = &a->PASSES;
    const T *x = b->at[c->x];
    const size_t n = (size_t)b->tile->count;
    REAL *surrogate = w->surrogate.PASSES, *derivative = w->derivative.PASSES;
    if (passes->is_own)
        NAME(find_own)(c, b, v, surrogate);
    else
        passes->surrogate(passes->surrogate_parameters, x, surrogate, n);
    if (passes->derivative)
        NAME(find_own)(c, b, v, derivative);
    return (NAME(sugar_combination)){
        .x = x,
        .surrogate = surrogate,
        .derivative = passes->derivative ? derivative : NULL,
        .t = passes->blend,
        .u = passes->rest,
        .negative_only = a->negative_only,
    };
}

/* How saved gradients are coded: in bits if g' has two values. */
static NAME(sugar_codes) NAME(find_codes)(const sugar_extended_call *c)
{
    const sugar_activation *a = c->activation;
    const sugar_two_values *values = &a->PASSES.values;
    const double lower = c->saves_bits ? values->lower : a->minimum, upper = c->saves_bits ? values->upper : a->maximum;
    return (NAME(sugar_codes)){
        .lower = (REAL)lower,
        .upper = (REAL)upper,
        .scale = upper > lower ? (REAL)(255 / (upper - lower)) : 0,
        .step = (REAL)((upper - lower) / 255),
        .two_values = c->saves_bits,
        .accumulate = c->accumulate,
    };
}

static void NAME(save)(const sugar_extended_call *c, workspace *w, const block *b,
                       const NAME(sugar_combination) *derivatives)
{
    const NAME(sugar_codes) codes = NAME(find_codes)(c);
    const size_t n = (size_t)b->tile->count;
    uint8_t *code = c->saves_bits ? w->tile[c->saved].codes : b->at[c->saved];
    c->kernels->PASSES->encode(derivatives, &codes, code, n, c->prefetch ? n : 0);
    if (c->saves_bits)
        write_bits(c, b, code);
}

static void NAME(forward_each)(const sugar_extended_call *c, const block *b)
{
    const T *x = b->at[c->x];
    T *y = b->at[c->output];
    for (part p = part_start(c, b); part_next(&p, c, b);)
        c->kernels->PASSES->forward_each[c->activation->forward_kind](p.parameter, p.step, x + p.begin, y + p.begin,
                                                                       p.n);
}

/* In place, y replaces x: what reads x comes first. */
static void NAME(forward)(const sugar_extended_call *c, workspace *w, const block *b)
{
    const sugar_activation *a = c->activation;
    const size_t n = (size_t)b->tile->count;
    if (c->monitor)
        NAME(observe)(c, w, b);
    if (!a)
        return;
    const NAME(varying) v = NAME(find_varying)(c, w, b);
    if (c->saved != SUGAR_ABSENT) {
        const NAME(sugar_combination) derivatives = NAME(find_derivatives)(c, w, b, v);
        NAME(save)(c, w, b, &derivatives);
    }
    if (v.slope)
        c->kernels->PASSES->forward_drawn(v.slope, b->at[c->x], b->at[c->output], n, b->stream);
    else if (v.has_parameter)
        NAME(forward_each)(c, b);
    else
        NAME(sugar_run_forward)(a, b->at[c->x], b->at[c->output], b->tile->count, b->stream);
}

/* Past the caches from the first line on that begins with an element of its own. */
static void NAME(backward_from_codes)(const sugar_extended_call *c, workspace *w, const block *b)
{
    const NAME(sugar_codes) codes = NAME(find_codes)(c);
    const NAME(sugar_kernels) *kernels = c->kernels->PASSES;
    const uint8_t *code = c->saves_bits ? read_bits(c, b, w->tile[c->saved].codes) : b->at[c->saved];
    const T *dy = b->at[c->dy];
    T *dx = b->at[c->output];
    const size_t n = (size_t)b->tile->count;
    size_t head = b->stream ? -(uintptr_t)dx % CACHE_LINE / sizeof(T) : 0;
    head = head < n ? head : n;
    if (head > 0)
        kernels->backward_from_codes(&codes, code, dy, dx, head, 0);
    kernels->backward_from_codes(&codes, code + head, dy + head, dx + head, n - head, b->stream);
}

/* In place, dx replaces x or dy. */
static void NAME(backward)(const sugar_extended_call *c, workspace *w, const block *b)
{
    if (c->saved != SUGAR_ABSENT) {
        NAME(backward_from_codes)(c, w, b);
        return;
    }
    const NAME(varying) v = NAME(find_varying)(c, w, b);
    if (c->gradient != SUGAR_ABSENT)
        NAME(sum_gradient)(c, w, b, v);
    NAME(sugar_combination) combination = NAME(find_derivatives)(c, w, b, v);
    combination.accumulate = c->accumulate;
    c->kernels->PASSES->combine(&combination, b->at[c->dy], b->at[c->output], (size_t)b->tile->count);
}

static const sugar_extended_functions NAME(functions) = {
    .forward = NAME(forward),
    .backward = NAME(backward),
    .take_tally = NAME(take_tally),
    .put_gradient = NAME(put_gradient),
    .put_gradients = NAME(put_gradients),
};

#undef T
#undef REAL
#undef NAME
#undef PASSES
