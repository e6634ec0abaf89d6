/* The steps of an extended call that are no pass: a bias, a product with a gate, and conversions of a tile from and to
 * its type in memory. Where a pass takes them along, fused.h has them. */
#ifndef SUGAR_KERNELS_LOOPS_STEPS_H
#define SUGAR_KERNELS_LOOPS_STEPS_H

#include "kernels/kernels.h"
#include "kernels/loops/memory.h"

/* Stores any reals as elements. (The stores of memory.h are for NaNs that arithmetic on narrow elements gives: a NaN
 * whose last bits are not 0 could be rounded to a number.) */
ALWAYS_INLINE void put_reals(element *p, vec a, size_t n, int stream)
{
    put_some(p, NARROW ? vec_select(vec_less_equal(a, a), a, SPLAT(NAN)) : a, n, stream);
}

/* The loops below handle whole vectors, and then what is left, so that no vector asks how many elements there are. */
static void load_reals(const void *elements, void *reals, size_t n)
{
    const element *from = elements;
    real *to = reals;
    size_t i = 0;
    for (; n - i >= VEC_LANES; i += VEC_LANES)
        vec_store(to + i, load(from + i));
    if (i < n)
        vec_store_partial(to + i, load_partial(from + i, n - i), n - i);
}

static void store_reals(const void *reals, void *elements, size_t n, int stream)
{
    const real *from = reals;
    element *to = elements;
    size_t i = 0;
    for (; n - i >= VEC_LANES; i += VEC_LANES)
        put_reals(to + i, vec_load(from + i), VEC_LANES, stream);
    if (i < n)
        put_reals(to + i, vec_load_partial(from + i, n - i), n - i, 0);
    end_stream_of(stream);
}

ALWAYS_INLINE void add_bias_to(const element *x, const real *bias, int differs, real *sum, size_t n)
{
    const vec shared = vec_splat(*bias);
    size_t i = 0;
    for (; n - i >= VEC_LANES; i += VEC_LANES)
        vec_store(sum + i, load(x + i) + (differs ? vec_load(bias + i) : shared));
    if (i < n)
        vec_store_partial(sum + i, load_partial(x + i, n - i) + (differs ? vec_load_partial(bias + i, n - i) : shared),
                          n - i);
}

/* sum[i] = x[i] + bias[i * step], step 0 or 1; x are elements, all others reals. */
static void add_bias(const void *x_elements, const void *bias_reals, size_t step, void *sum_reals, size_t n)
{
    if (step)
        add_bias_to(x_elements, bias_reals, 1, sum_reals, n);
    else
        add_bias_to(x_elements, bias_reals, 0, sum_reals, n);
}

ALWAYS_INLINE vec product_of(vec a, vec b, vec before, int accumulate)
{
    if (accumulate)
        return vec_fma(a, b, before);
    return a * b;
}

ALWAYS_INLINE void multiply_to(const real *a, const real *b, real *product, size_t n, int accumulate, int stream)
{
    const vec none = vec_splat(0);
    size_t i = 0;
    for (; n - i >= VEC_LANES; i += VEC_LANES) {
        const vec result =
            product_of(vec_load(a + i), vec_load(b + i), accumulate ? vec_load(product + i) : none, accumulate);
        if (stream)
            vec_stream(product + i, result);
        else
            vec_store(product + i, result);
    }
    if (i < n) {
        const size_t rest = n - i;
        const vec before = accumulate ? vec_load_partial(product + i, rest) : none;
        const vec first = vec_load_partial(a + i, rest), second = vec_load_partial(b + i, rest);
        vec_store_partial(product + i, product_of(first, second, before, accumulate), rest);
    }
    end_stream_of(stream);
}

/* All reals: product[i] = a[i] * b[i], or fma(a[i], b[i], product[i]) if accumulate. */
static void multiply(const void *a_reals, const void *b_reals, void *product_reals, size_t n, int accumulate,
                     int stream)
{
    if (accumulate)
        multiply_to(a_reals, b_reals, product_reals, n, 1, stream);
    else
        multiply_to(a_reals, b_reals, product_reals, n, 0, stream);
}

#endif
