/* What tile.c does in steps, with a buffer between two of them, is done here in one loop, with the same bits, for the
 * options that networks use most: a bias and a gate, and their gradients. */
#include "call/fused.h"

#include <assert.h>
#include <string.h>

#include "activation/activation.h"
#include "call/passes.h"
#include "call/sums.h"
#include "call/values.h"

/* A pass over a tile: f(x + bias) gate, or dy gate g'(x + bias). */
typedef struct fused_pass {
    const void *parameters;
    sugar_fused_forward_kernel *forward;
    sugar_fused_backward_kernel *backward;      /* if not NULL, the pass goes backward */
    const void *x, *dy;
    void *output;
    size_t element_size, real_size;
    sugar_fusion fusion;                        /* for element 0 of the tile; the bias is set for each run */
    int stream;
} fused_pass;

static const sugar_passes *passes_of(const sugar_extended_call *c) { return &c->activation->passes[c->element]; }

static unsigned bit_of(sugar_option option) { return 1u << option; }

/* Whether one loop computes both gradients: without a surrogate. */
static bool is_joined(const sugar_extended_call *c)
{
    return c->is_backward && c->place[SUGAR_OPTION_gate_gradient] != SUGAR_ABSENT && !passes_of(c)->has_surrogate;
}

/* Where there are two loops, the gradient of the gate comes first: dx, in place, overwrites x, dy or the gate. So it
 * may be none of them. */
static bool has_order(const sugar_extended_call *c)
{
    const int k = c->place[SUGAR_OPTION_gate_gradient], gate = c->place[SUGAR_OPTION_gate];
    return k == SUGAR_ABSENT || is_joined(c)
           || (!c->is_staged[k] && (gate == SUGAR_ABSENT || c->walk.data[k] != c->walk.data[gate]));
}

bool sugar_can_fuse(const sugar_extended_call *c)
{
    const unsigned handled = bit_of(SUGAR_OPTION_bias) | bit_of(SUGAR_OPTION_gate) | bit_of(SUGAR_OPTION_bias_gradient)
                             | bit_of(SUGAR_OPTION_gate_gradient);
    if (!c->activation || c->given & ~handled || c->from_output)
        return false;
    const sugar_passes *passes = passes_of(c);
    if (!c->is_backward)
        return passes->fused_forward;
    return passes->fused_backward && (c->place[SUGAR_OPTION_gate_gradient] == SUGAR_ABSENT || passes->fused_forward)
           && has_order(c);
}

static const void *offset(const void *p, size_t i, size_t size) { return p ? (const char *)p + i * size : NULL; }

/* Elements [begin, begin + n) of a tile, whose bias is set. */
static void run_part(const fused_pass *p, size_t begin, size_t n, int stream)
{
    const size_t size = p->element_size;
    sugar_fusion fusion = p->fusion;
    fusion.gate = offset(fusion.gate, begin, size);
    fusion.gate_gradient = (void *)(uintptr_t)offset(fusion.gate_gradient, begin, size);
    fusion.products = (void *)(uintptr_t)offset(fusion.products, begin, p->real_size);
    void *output = (char *)p->output + begin * size;
    if (p->backward)
        p->backward(p->parameters, &fusion, offset(p->x, begin, size), offset(p->dy, begin, size), output, n, stream);
    else
        p->forward(p->parameters, &fusion, offset(p->x, begin, size), output, n, stream);
}

/* Rows of n elements of a tile, one behind the other, and their biases. */
typedef struct fused_rows {
    size_t begin, n, rows;
    const void *bias;                           /* reals, or NULL */
    size_t step, row_step;
} fused_rows;

/* One row; what is streamed begins at a cache line. */
static void run_row(fused_pass *p, const fused_rows *r, size_t row)
{
    const size_t first = r->begin + row * r->n;
    const void *bias = offset(r->bias, row * r->row_step, p->real_size);
    const sugar_stretches all =
        sugar_stretches_find((char *)p->output + first * p->element_size, p->element_size, (int64_t)r->n, p->stream);
    for (int i = 0; i < SUGAR_STRETCHES; i++) {
        const size_t begin = (size_t)all.begin[i], n = (size_t)all.begin[i + 1] - begin;
        p->fusion.bias = offset(bias, begin * r->step, p->real_size);
        if (n > 0)
            run_part(p, first + begin, n, i == SUGAR_WHOLE_LINES ? p->stream : 0);
    }
}

static bool begins_line(const fused_pass *p, size_t element)
{
    return ((uintptr_t)p->output + element * p->element_size) % SUGAR_CACHE_LINE == 0;
}

/* By one call, unless rows that are streamed do not begin at cache lines. */
static void run_rows(fused_pass *p, const fused_rows *r)
{
    p->fusion.bias_step = r->step;
    p->fusion.bias_row_step = 0;
    p->fusion.rows = 1;
    if (r->rows == 1 || (p->stream && !(begins_line(p, r->begin) && begins_line(p, r->begin + r->n)))) {
        for (size_t row = 0; row < r->rows; row++)
            run_row(p, r, row);
        return;
    }
    p->fusion.bias = r->bias;
    p->fusion.bias_row_step = r->row_step;
    p->fusion.rows = r->rows;
    run_part(p, r->begin, r->n, p->stream);
}

/* Rows that have the same biases: run v, and those that follow it. Whether there is another run. A converted row of
 * biases lies in a buffer, until the next one takes its place. */
static bool run_with_row(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, fused_pass *p,
                         sugar_value_run *v)
{
    fused_rows r = {.begin = v->begin, .n = v->n, .rows = 1, .bias = v->value, .step = 1};
    for (; v->rows_left > 0; r.rows++)
        sugar_value_runs_next(v, c, w, b);
    run_rows(p, &r);
    return sugar_value_runs_next(v, c, w, b);
}

/* Rows that have a bias each: run v, and those that follow it, which are as long. */
static void run_with_values(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, fused_pass *p,
                            sugar_value_run *v)
{
    char *const biases = (char *)&w->own_derivative;    /* which is free in a fused pass */
    fused_rows r = {.begin = v->begin, .n = v->n, .bias = biases, .row_step = 1};
    do {
        assert(v->step == 0 && v->n == r.n && v->begin == r.begin + r.rows * r.n);
        assert((r.rows + 1) * p->real_size <= sizeof w->own_derivative);
        memcpy(biases + r.rows * p->real_size, v->value, p->real_size);
        r.rows++;
    } while (sugar_value_runs_next(v, c, w, b));
    run_rows(p, &r);
}

static void run_pass(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, fused_pass *p)
{
    const int bias = c->place[SUGAR_OPTION_bias];
    if (bias == SUGAR_ABSENT) {
        run_rows(p, &(fused_rows){.n = (size_t)b->tile->count, .rows = 1});
        return;
    }
    sugar_value_run v;
    sugar_value_runs_start(&v, b, bias);
    sugar_value_runs_next(&v, c, w, b);
    if (v.step == 0)
        run_with_values(c, w, b, p, &v);
    else
        while (run_with_row(c, w, b, p, &v))
            ;
}

static int stream_to(const sugar_extended_call *c, const sugar_block *b, int k)
{
    return c->is_streamed[k] && !b->in_buffer[k] ? SUGAR_STREAM_OPEN : 0;
}

/* f(x + bias) times a factor, which may be NULL, to operand k. */
static void run_forward(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, const void *factor,
                        int k)
{
    const sugar_passes *passes = passes_of(c);
    fused_pass p = {
        .parameters = &passes->forward_parameters,
        .forward = passes->fused_forward->forward[c->type],
        .x = b->at[c->x],
        .output = b->at[k],
        .element_size = sugar_element_size(c->type),
        .real_size = sugar_real_size(c->type),
        .fusion = {.gate = factor, .accumulate = c->accumulate},
        .stream = stream_to(c, b, k),
    };
    run_pass(c, w, b, &p);
}

/* dx; and in the same loop the gradient of the gate, which is operand k, unless that is SUGAR_ABSENT. Both are
 * streamed if their cache lines begin at the same elements. */
static void run_backward(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b, const void *gate,
                         void *products, int k)
{
    const sugar_passes *passes = passes_of(c);
    const sugar_fused_kernels *kernels = passes->fused_backward;
    const bool is_joint = k != SUGAR_ABSENT;
    fused_pass p = {
        .parameters = is_joint ? &passes->forward_parameters : &passes->surrogate_parameters,
        .backward = is_joint ? kernels->backward_with_gate[c->type] : kernels->backward[c->type],
        .x = b->at[c->x],
        .dy = b->at[c->dy],
        .output = b->at[c->output],
        .element_size = sugar_element_size(c->type),
        .real_size = sugar_real_size(c->type),
        .fusion = {.gate = gate,
                   .gate_gradient = is_joint ? b->at[k] : NULL,
                   .products = products,
                   .accumulate = c->accumulate},
        .stream = stream_to(c, b, c->output),
    };
    if (is_joint && ((uintptr_t)b->at[k] - (uintptr_t)p.output) % SUGAR_CACHE_LINE != 0)
        p.stream = 0;
    if (is_joint && !stream_to(c, b, k))
        p.stream = 0;
    run_pass(c, w, b, &p);
}

void sugar_tile_fused(const sugar_extended_call *c, sugar_workspace *w, const sugar_block *b)
{
    const int gate = c->place[SUGAR_OPTION_gate], gate_gradient = c->place[SUGAR_OPTION_gate_gradient];
    const void *factor = gate == SUGAR_ABSENT ? NULL : b->at[gate];
    if (!c->is_backward) {
        run_forward(c, w, b, factor, c->output);
        return;
    }
    const bool sums = c->place[SUGAR_OPTION_bias_gradient] != SUGAR_ABSENT;
    if (gate_gradient != SUGAR_ABSENT && !is_joined(c))
        run_forward(c, w, b, b->at[c->dy], gate_gradient);
    run_backward(c, w, b, factor, sums ? &w->values : NULL, is_joined(c) ? gate_gradient : SUGAR_ABSENT);
    if (sums)
        sugar_sums_add(c, w, b, &w->values);
}
