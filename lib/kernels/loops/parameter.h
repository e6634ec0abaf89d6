/* Kernels for parameters that are tensors: passes in which parameters differ from element to element, gradients of
 * parameters, and their range check. */
#ifndef SUGAR_KERNELS_LOOPS_PARAMETER_H
#define SUGAR_KERNELS_LOOPS_PARAMETER_H

#include "kernels/kernels.h"
#include "kernels/loops/monitor.h"
#include "kernels/loops/plain.h"
#include "kernels/loops/steps.h"
#include "kernels/math/rounding.h"

/* One element, as a real. */
ALWAYS_INLINE real load_one(const element *p)
{
    real one;
    vec_store_partial(&one, load_partial(p, 1), 1);
    return one;
}

ALWAYS_INLINE void forward_each_loop(formula value, const element *parameter, size_t step, const element *x, element *y,
                                     size_t n)
{
    const vec shared = vec_splat(load_one(parameter));
    vec p[SUGAR_KERNEL_PARAMETERS] = {shared};
    for (size_t i = 0; i < n; i += VEC_LANES) {
        if (step)
            p[0] = load_some(parameter + i, n - i);
        put_some(y + i, value(load_some(x + i, n - i), p), n - i, 0);
    }
}

ALWAYS_INLINE void derivative_each_loop(formula derivative, const element *parameter, size_t step, const element *x,
                                        real *d, size_t n)
{
    const vec shared = vec_splat(load_one(parameter));
    vec p[SUGAR_KERNEL_PARAMETERS] = {shared};
    for (size_t i = 0; i < n; i += VEC_LANES) {
        if (step)
            p[0] = load_some(parameter + i, n - i);
        put_some_reals(d + i, derivative(load_some(x + i, n - i), p), n - i);
    }
}

ALWAYS_INLINE void product_loop(formula derivative, const real *parameters, const element *parameter, size_t step,
                                const element *x, const element *dy, real *product, size_t n)
{
    vec p[SUGAR_KERNEL_PARAMETERS];
    splat_parameters(parameters, p);
    if (parameter)
        p[0] = vec_splat(load_one(parameter));
    for (size_t i = 0; i < n; i += VEC_LANES) {
        if (parameter && step)
            p[0] = load_some(parameter + i, n - i);
        put_some_reals(product + i, load_some(dy + i, n - i) * derivative(load_some(x + i, n - i), p), n - i);
    }
}

/* high + low += a, where only the addition to low is rounded (Knuth, The Art of Computer Programming 2, 4.2.2). */
ALWAYS_INLINE void add_keeping_rest(vec64 *high, vec64 *low, vec64 a)
{
    const vec64 sum = *high + a, back = sum - *high;
    *low = *low + ((*high - (sum - back)) + (a - back));
    *high = sum;
}

ALWAYS_INLINE void add_products(vec64 *high, vec64 *low, vec product)
{
    for (int h = 0; h < VEC64_PER_VEC; h++)
        add_keeping_rest(&high[h], &low[h], vec_widen(product, h));
}

/* high + low += a + rest, where only the additions to low are rounded. */
ALWAYS_INLINE void add_sum(double *high, double *low, double a, double rest)
{
    const double sum = *high + a, back = sum - *high;
    *low += ((*high - (sum - back)) + (a - back)) + rest;
    *high = sum;
}

/* In SUM_LANES partial sums, as monitor.h says. Loops over them are unrolled, also the last one: compilers keep an
 * array in registers only if its indices are constant. */
static void sum_run(const void *products, size_t n, double *high, double *low)
{
    const real *product = products;
    const vec64 zero = vec_widen(vec_splat(0), 0);
    vec64 sum[SUM_VEC64S], rest[SUM_VEC64S];
    for (int k = 0; k < SUM_VEC64S; k++)
        sum[k] = rest[k] = zero;
    size_t i = 0;
    for (; n - i >= SUM_LANES; i += SUM_LANES) {
        UNROLL
        for (int k = 0; k < SUM_VECTORS; k++)
            add_products(sum + k * VEC64_PER_VEC, rest + k * VEC64_PER_VEC, vec_load(product + i + k * VEC_LANES));
    }
    UNROLL
    for (int k = 0; k < SUM_VECTORS; k++)
        if (i < n) {
            add_products(sum + k * VEC64_PER_VEC, rest + k * VEC64_PER_VEC, load_some_reals(product + i, n - i));
            i += VEC_LANES;
        }
    double lane[SUM_LANES], lane_rest[SUM_LANES];
    for (int k = 0; k < SUM_VEC64S; k++) {
        vec64_store(lane + k * VEC64_LANES, sum[k]);
        vec64_store(lane_rest + k * VEC64_LANES, rest[k]);
    }
    UNROLL
    for (int half = SUM_LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++)
            add_sum(&lane[k], &lane_rest[k], lane[k + half], lane_rest[k + half]);
    add_sum(high, low, lane[0], lane_rest[0]);
}

/* Adds to `wanted` sums, at most a vector of them; rows are n products apart. */
ALWAYS_INLINE void sum_columns(const real *product, size_t rows, size_t n, size_t wanted, double *high, double *low)
{
    vec64 sum[VEC64_PER_VEC], rest[VEC64_PER_VEC];
    UNROLL
    for (int h = 0; h < VEC64_PER_VEC; h++) {
        sum[h] = vec64_load(high + h * VEC64_LANES);
        rest[h] = vec64_load(low + h * VEC64_LANES);
    }
    for (size_t row = 0; row < rows; row++)
        add_products(sum, rest, load_some_reals(product + row * n, wanted));
    UNROLL
    for (int h = 0; h < VEC64_PER_VEC; h++) {
        vec64_store(high + h * VEC64_LANES, sum[h]);
        vec64_store(low + h * VEC64_LANES, rest[h]);
    }
}

/* Whole vectors of sums are loaded and stored, which may reach beyond the n sums. */
static void sum_rows(const void *products, size_t rows, size_t n, double *high, double *low)
{
    const real *product = products;
    size_t i = 0;
    for (; n - i >= VEC_LANES; i += VEC_LANES)
        sum_columns(product + i, rows, n, VEC_LANES, high + i, low + i);
    if (i < n)
        sum_columns(product + i, rows, n, n - i, high + i, low + i);
}

/* If a sum is infinite, what its rounding lost is NaN and is left out. */
static void put_sum(double high, double low, void *at, int accumulate)
{
    if (accumulate) {
        const double before = (double)load_one(at), total = before + high, back = total - before;
        low += (before - (total - back)) + (high - back);
        high = total;
    }
    const double sum = isfinite(high) ? high + low : high;
    const real rounded = (real)sum, rest = isfinite(rounded) ? (real)(sum - (double)rounded) : 0;
    put_reals(at, round_to_odd(vec_splat(rounded), vec_splat(rest)), 1, 0);
}

/* Not narrow and not accumulated, sums are put in a simple loop: to put each by put_sum takes most of the time of a
 * call in which each sum has few products. */
static void put_sums(const double *high, const double *low, size_t n, void *elements, int accumulate)
{
    element *at = elements;
    size_t i = 0;
#if !NARROW
    for (; i < n && !accumulate; i++)
        at[i] = (real)(high[i] + (isfinite(high[i]) ? low[i] : 0));
#endif
    for (; i < n; i++)
        put_sum(high[i], low[i], at + i, accumulate);
}

static int find_outside(const void *elements, size_t n, double minimum, double maximum, double *found)
{
    const element *parameter = elements;
    const vec lower = vec_splat((real)minimum), upper = vec_splat((real)maximum);
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec a = load_some(parameter + i, n - i), one = vec_splat(1);
        const vec above = vec_select(vec_less_equal(a, upper), vec_splat(0), one);
        const vec outside = vec_select(vec_less_equal(lower, a), above, one);
        if (!vec_any(vec_less(vec_splat(0), outside)))
            continue;
        for (size_t k = i; k < n && k < i + VEC_LANES; k++) {
            *found = (double)load_one(parameter + k);
            if (!(*found >= (double)(real)minimum && *found <= (double)(real)maximum))
                return 1;
        }
    }
    return 0;
}

#endif
