/* Kernels for what options fuse with a pass: a bias, a gate, and conversions of a tile from and to its type in
 * memory. */
#ifndef SUGAR_KERNELS_LOOPS_FUSE_H
#define SUGAR_KERNELS_LOOPS_FUSE_H

#include "kernels/kernels.h"
#include "kernels/loops/memory.h"

/* Stores any reals as elements. (The stores of memory.h are for NaNs that arithmetic on narrow elements gives: a NaN
 * whose last bits are not 0 could be rounded to a number.) */
ALWAYS_INLINE void put_reals(element *p, vec a, size_t n, int stream)
{
    put_some(p, NARROW ? vec_select(vec_less_equal(a, a), a, SPLAT(NAN)) : a, n, stream);
}

static void load_reals(const void *elements, void *reals, size_t n)
{
    const element *from = elements;
    real *to = reals;
    for (size_t i = 0; i < n; i += VEC_LANES)
        put_some_reals(to + i, load_some(from + i, n - i), n - i);
}

static void store_reals(const void *reals, void *elements, size_t n, int stream)
{
    const real *from = reals;
    element *to = elements;
    for (size_t i = 0; i < n; i += VEC_LANES)
        put_reals(to + i, load_some_reals(from + i, n - i), n - i, stream);
    end_stream_of(stream);
}

/* All reals: sum[i] = x[i] + bias[i * step], step 0 or 1. */
static void add_bias(const void *x_reals, const void *bias_reals, size_t step, void *sum_reals, size_t n)
{
    const real *x = x_reals, *bias = bias_reals;
    real *sum = sum_reals;
    const vec shared = vec_splat(*bias);
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec b = step ? load_some_reals(bias + i, n - i) : shared;
        put_some_reals(sum + i, load_some_reals(x + i, n - i) + b, n - i);
    }
}

/* All reals: product[i] = a[i] * b[i], or fma(a[i], b[i], product[i]) if accumulate. */
static void multiply(const void *a_reals, const void *b_reals, void *product_reals, size_t n, int accumulate,
                     int stream)
{
    const real *a = a_reals, *b = b_reals;
    real *product = product_reals;
    size_t i = 0;
    for (; !accumulate && n - i >= VEC_LANES; i += VEC_LANES) {
        const vec result = vec_load(a + i) * vec_load(b + i);
        if (stream)
            vec_stream(product + i, result);
        else
            vec_store(product + i, result);
    }
    for (; i < n; i += VEC_LANES) {
        const vec first = load_some_reals(a + i, n - i), second = load_some_reals(b + i, n - i);
        vec result = first * second;
        if (accumulate)
            result = vec_fma(first, second, load_some_reals(product + i, n - i));
        put_some_reals(product + i, result, n - i);
    }
    end_stream_of(stream);
}

#endif
