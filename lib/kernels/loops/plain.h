/* The loops of plain calls: forward; backward; derivatives alone, and their mixture. */
#ifndef SUGAR_KERNELS_LOOPS_PLAIN_H
#define SUGAR_KERNELS_LOOPS_PLAIN_H

#include "kernels/kernels.h"
#include "kernels/kinds/linear.h"
#include "kernels/loops/memory.h"

/* Every call in a kernel is inlined (flatten). Otherwise gcc 12 does not inline some large formulas, and calls them
 * once per vector, with vectors passed in memory: multi_gaussian_spike took 2.7 times as long, gelu_tanh's derivative
 * for f16 2.5 times. With it the library's code is 36 % larger. */
#define KERNEL static __attribute__((flatten)) void

/* A formula of kinds/: x and the parameters. */
typedef vec (*formula)(vec x, const vec *p);

ALWAYS_INLINE void splat_parameters(const real *parameters, vec *p)
{
    for (int k = 0; k < SUGAR_KERNEL_PARAMETERS; k++)
        p[k] = vec_splat(parameters[k]);
}

/* The vectors of one iteration of a loop. (For f16 two gain nothing with AVX2. For f64 two gain at most 4 % in gelu,
 * tanhshrink, mish and softplus, which wait for long chains: the processor has the next vectors under way anyway.
 * Tried for f16 and bf16, without gain: a table of all 65536 results, as a gather is slower than arithmetic and the
 * table fills the caches; shorter tables of coefficients. AVX512_FP16, 32 lanes of f16, has the same bits only where a
 * product with dy is all there is: a slope or a constant rounded to f16 makes a quarter of leaky_relu's negative
 * results differ. relu backward took 0.057 ns an element with it and 0.091 without, in cache, but the same in memory
 * within the noise. Whoever measures a branch that many vectors take needs so many elements that the processor's
 * branch prediction cannot learn their order.) */
#define VECTORS_OF_f32 1
#define VECTORS_OF_f64 1
#define VECTORS_OF_f16 1
#define VECTORS_OF_bf16 2
#define VECTORS JOIN(VECTORS_OF, SUGAR_TYPE)

enum { ITERATION = VECTORS * VEC_LANES };   /* elements */

/* What a streamed loop handles at a time: for f16 and bf16 the 32 elements of a cache line, as stores past the caches
 * are collected line by line. With 32 Mi elements and AVX2 (Zen 5) that takes .84 to .96 of the time for f16 and .93 to
 * .98 for bf16 (leaky_relu, hardswish, silu). For f32 it took .92 to 1.08 of it, so it is not done there. */
enum { STREAMED = NARROW && VEC_LANES > 1 ? 32 : ITERATION };

#if VECTORS == 1
ALWAYS_INLINE void forward_iteration(formula value, const vec *p, const element *x, element *y, int stream)
{
    put(y, value(load(x), p), stream);
}

ALWAYS_INLINE void backward_iteration(formula derivative, const vec *p, const element *x, const element *dy,
                                      element *dx, int stream)
{
    put(dx, load(dy) * derivative(load(x), p), stream);
}
#else
ALWAYS_INLINE void store_two(element *p, vec_two a, int exact)
{
    if (exact)
        JOIN(vec_store_two_upper, SUGAR_TYPE)(p, a);
    else
        JOIN(vec_store_two, SUGAR_TYPE)(p, a);
}

ALWAYS_INLINE void put_two(element *p, vec_two a, int exact, int stream)
{
    if (stream) {
        element lanes[ITERATION];   /* compilers keep it in a register */
        store_two(lanes, a, exact);
        vec_stream_bits16(p, lanes);
        vec_stream_bits16(p + VEC_LANES, lanes + VEC_LANES);
    } else {
        store_two(p, a, exact);
    }
}

ALWAYS_INLINE void forward_iteration(formula value, const vec *p, const element *x, element *y, int stream)
{
    const vec_two a = JOIN(vec_load_two, SUGAR_TYPE)(x);
    put_two(y, (vec_two){value(a.even, p), value(a.odd, p)}, is_exact(value), stream);
}

ALWAYS_INLINE void backward_iteration(formula derivative, const vec *p, const element *x, const element *dy,
                                      element *dx, int stream)
{
    const vec_two a = JOIN(vec_load_two, SUGAR_TYPE)(x), gradient = JOIN(vec_load_two, SUGAR_TYPE)(dy);
    const vec_two product = {gradient.even * derivative(a.even, p), gradient.odd * derivative(a.odd, p)};
    put_two(dx, product, is_exact(derivative), stream);
}
#endif

/* The last elements, fewer than those of an iteration, go through the same formula, so that an element's bits do not
 * depend on where it lies. */
ALWAYS_INLINE void forward_loop(formula value, const real *parameters, const element *x, element *y, size_t n,
                                int stream)
{
    vec p[SUGAR_KERNEL_PARAMETERS];
    splat_parameters(parameters, p);
    size_t i = 0;
    if (NARROW && stream)
        for (; n - i >= STREAMED; i += STREAMED)
            for (size_t j = 0; j < STREAMED; j += ITERATION)
                forward_iteration(value, p, x + i + j, y + i + j, stream);
    for (; n - i >= ITERATION; i += ITERATION)
        forward_iteration(value, p, x + i, y + i, stream);
    for (; i < n; i += VEC_LANES)
        put_some(y + i, value(load_some(x + i, n - i), p), n - i, 0);
    end_stream_of(stream);
}

ALWAYS_INLINE void derivative_loop(formula derivative, const real *parameters, const element *x, real *d, size_t n)
{
    vec p[SUGAR_KERNEL_PARAMETERS];
    splat_parameters(parameters, p);
    size_t i = 0;
    for (; n - i >= VEC_LANES; i += VEC_LANES)
        vec_store(d + i, derivative(load(x + i), p));
    if (i < n)
        vec_store_partial(d + i, derivative(load_partial(x + i, n - i), p), n - i);
}

ALWAYS_INLINE void backward_loop(formula derivative, const real *parameters, const element *x, const element *dy,
                                 element *dx, size_t n, int stream)
{
    vec p[SUGAR_KERNEL_PARAMETERS];
    splat_parameters(parameters, p);
    size_t i = 0;
    if (NARROW && stream)
        for (; n - i >= STREAMED; i += STREAMED)
            for (size_t j = 0; j < STREAMED; j += ITERATION)
                backward_iteration(derivative, p, x + i + j, dy + i + j, dx + i + j, stream);
    for (; n - i >= ITERATION; i += ITERATION)
        backward_iteration(derivative, p, x + i, dy + i, dx + i, stream);
    for (; i < n; i += VEC_LANES)
        put_some(dx + i, load_some(dy + i, n - i) * derivative(load_some(x + i, n - i), p), n - i, 0);
    end_stream_of(stream);
}

/* g' of a combination, for elements i, i + 1, ... of n. */
ALWAYS_INLINE vec combined_derivative(const sugar_combination *c, size_t i, size_t n)
{
    const real *surrogate = c->surrogate, *own_derivative = c->own;
    const vec d = load_some_reals(surrogate + i, n - i);
    if (!own_derivative)
        return d;
    const vec own = load_some_reals(own_derivative + i, n - i);
    const vec mixed = vec_fma(vec_splat((real)c->blend), d, vec_splat((real)c->rest) * own);
    if (!c->negative_only)
        return mixed;
    return vec_select(vec_less_equal(load_some((const element *)c->x + i, n - i), vec_splat(0)), mixed, own);
}

/* The gradient times g' of a combination, for elements i, i + 1, ... of n; added to what dx holds if it says so. */
ALWAYS_INLINE vec combined_gradient(const sugar_combination *c, vec gradient, const element *dx, size_t i, size_t n)
{
    const vec d = combined_derivative(c, i, n);
    if (c->accumulate)
        return vec_fma(gradient, d, load_some(dx + i, n - i));
    return gradient * d;
}

static void combine(const sugar_combination *c, const void *dy_elements, void *dx_elements, size_t n)
{
    const element *dy = dy_elements;
    element *dx = dx_elements;
    for (size_t i = 0; i < n; i += VEC_LANES)
        put_some(dx + i, combined_gradient(c, load_some(dy + i, n - i), dx, i, n), n - i, c->stream);
    end_stream_of(c->stream);
}

/* Both results of a vector are computed before one is stored, as an output may be an input. */
static void combine_twice(const sugar_combination *first, const sugar_combination *second, const void *dy_elements,
                          const void *v_elements, void *ddy_elements, void *dx_elements, size_t n)
{
    const element *dy = dy_elements, *v = v_elements;
    element *ddy = ddy_elements, *dx = dx_elements;
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec gradient = load_some(v + i, n - i), product = load_some(dy + i, n - i) * gradient;
        const vec of_dy = ddy ? combined_gradient(first, gradient, ddy, i, n) : gradient;
        const vec of_x = dx ? combined_gradient(second, product, dx, i, n) : product;
        if (ddy)
            put_some(ddy + i, of_dy, n - i, first->stream);
        if (dx)
            put_some(dx + i, of_x, n - i, second->stream);
    }
    end_stream_of(first->stream | second->stream);
}

#endif
