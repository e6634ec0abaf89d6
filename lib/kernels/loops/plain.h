/* The loops of plain calls: forward, backward, and the derivative alone with what combines it. */
#ifndef SUGAR_KERNELS_LOOPS_PLAIN_H
#define SUGAR_KERNELS_LOOPS_PLAIN_H

#include "kernels/kernels.h"
#include "kernels/loops/memory.h"

/* Every call in a kernel is inlined. Left to itself gcc 12 takes some formulas for too large and calls them,
 * once per vector and with their vectors in memory: multi_gaussian took 2.7 times as long, gelu_tanh's
 * derivative for f16 2.5 times. The library's code is 36 % larger with all of them. */
#define KERNEL static __attribute__((flatten)) void

typedef vec (*formula)(vec x, const vec *p);

ALWAYS_INLINE void splat_parameters(const real *parameters, vec *p)
{
    for (int k = 0; k < SUGAR_KERNEL_PARAMETERS; k++) p[k] = vec_splat(parameters[k]);
}

/* The vectors in a step of a loop. (Two are no gain in f16 with AVX2. Nor are tables of all 65536 results, as a gather
 * is slower than arithmetic and the table takes the caches; nor are shorter tables of coefficients. A branch that is
 * taken in many vectors has to be timed with more elements than a processor learns the order of.) */
#define VECTORS_f32 1
#define VECTORS_f64 1
#define VECTORS_f16 1
#define VECTORS_bf16 2
#define VECTORS JOIN(VECTORS, SUGAR_TYPE)

enum { STEP = VECTORS * VEC_LANES };

#if VECTORS == 1
ALWAYS_INLINE void forward_step(formula value, const vec *p, const element *x, element *y, int stream)
{
    put(y, value(load(x), p), stream);
}

ALWAYS_INLINE void backward_step(formula derivative, const vec *p, const element *x, const element *dy,
                                 element *dx, int stream)
{
    put(dx, load(dy) * derivative(load(x), p), stream);
}
#else
ALWAYS_INLINE void put_two(element *p, vec_two a, int stream)
{
    if (stream) {
        element lanes[STEP];        /* a register, once compiled */
        JOIN(vec_store_two, SUGAR_TYPE)(lanes, a);
        vec_stream_bits16(p, lanes);
        vec_stream_bits16(p + VEC_LANES, lanes + VEC_LANES);
    } else {
        JOIN(vec_store_two, SUGAR_TYPE)(p, a);
    }
}

ALWAYS_INLINE void forward_step(formula value, const vec *p, const element *x, element *y, int stream)
{
    const vec_two a = JOIN(vec_load_two, SUGAR_TYPE)(x);
    put_two(y, (vec_two){value(a.even, p), value(a.odd, p)}, stream);
}

ALWAYS_INLINE void backward_step(formula derivative, const vec *p, const element *x, const element *dy,
                                 element *dx, int stream)
{
    const vec_two a = JOIN(vec_load_two, SUGAR_TYPE)(x), gradient = JOIN(vec_load_two, SUGAR_TYPE)(dy);
    put_two(dx, (vec_two){gradient.even * derivative(a.even, p), gradient.odd * derivative(a.odd, p)}, stream);
}
#endif

ALWAYS_INLINE size_t at_most_a_vector(size_t n) { return n < VEC_LANES ? n : VEC_LANES; }

/* A tail shorter than a step goes through the same formula, so that an element's bits do not depend on its
 * position. */
ALWAYS_INLINE void forward_loop(formula value, const real *parameters, const element *x, element *y, size_t n,
                                int stream)
{
    vec p[SUGAR_KERNEL_PARAMETERS];
    splat_parameters(parameters, p);
    size_t i = 0;
    for (; n - i >= STEP; i += STEP) forward_step(value, p, x + i, y + i, stream);
    for (; i < n; i += VEC_LANES) {
        const size_t part = at_most_a_vector(n - i);
        store_part(y + i, value(load_part(x + i, part), p), part);
    }
    end_stream_of(stream);
}

ALWAYS_INLINE void derivative_loop(formula derivative, const real *parameters, const element *x, real *d,
                                   size_t n)
{
    vec p[SUGAR_KERNEL_PARAMETERS];
    splat_parameters(parameters, p);
    size_t i = 0;
    for (; n - i >= VEC_LANES; i += VEC_LANES) vec_store(d + i, derivative(load(x + i), p));
    if (i < n) vec_store_part(d + i, derivative(load_part(x + i, n - i), p), n - i);
}

ALWAYS_INLINE void backward_loop(formula derivative, const real *parameters, const element *x,
                                 const element *dy, element *dx, size_t n, int stream)
{
    vec p[SUGAR_KERNEL_PARAMETERS];
    splat_parameters(parameters, p);
    size_t i = 0;
    for (; n - i >= STEP; i += STEP) backward_step(derivative, p, x + i, dy + i, dx + i, stream);
    for (; i < n; i += VEC_LANES) {
        const size_t part = at_most_a_vector(n - i);
        store_part(dx + i, load_part(dy + i, part) * derivative(load_part(x + i, part), p), part);
    }
    end_stream_of(stream);
}

static void combine(const JOIN(sugar_combination, SUGAR_TYPE) *c, const element *dy, element *dx, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        vec d = load_some_reals(c->surrogate + i, n - i);
        if (c->derivative) {
            vec own = load_some_reals(c->derivative + i, n - i);
            vec mixed = vec_fma(vec_splat(c->t), d, vec_splat(c->u) * own);
            d = mixed;
            if (c->negative_only)
                d = vec_select(vec_less_equal(load_some(c->x + i, n - i), vec_splat(0)), mixed, own);
        }
        vec gradient = load_some(dy + i, n - i);
        vec result = gradient * d;
        if (c->accumulate) result = vec_fma(gradient, d, load_some(dx + i, n - i));
        put_some(dx + i, result, n - i, c->stream);
    }
    end_stream_of(c->stream);
}

#endif
