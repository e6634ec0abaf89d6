/* Kernels that draw rrelu's slopes at random, and compute rrelu with them. */
#ifndef SUGAR_KERNELS_LOOPS_RANDOM_H
#define SUGAR_KERNELS_LOOPS_RANDOM_H

#include "kernels/kinds/linear.h"
#include "kernels/loops/plain.h"
#include "kernels/math/philox.h"

/* A slope is lower + width u, where u is a multiple of 2^-24, uniform in [0, 1): so it is never above upper. */
typedef struct slope_range {
    vec lower, width;
} slope_range;

/* Slopes from word[0] to word[n - 1]; a vector beyond them may be read. */
ALWAYS_INLINE void store_slopes(real *slope, const uint32_t *word, size_t n, slope_range range)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec u = vec_load_u24(word + i) * vec_splat((real)0x1p-24);
        put_some_reals(slope + i, vec_fma(range.width, u, range.lower), n - i);
    }
}

/* Slopes of n consecutive positions, the first of which has word `skip` of `block`. */
ALWAYS_INLINE void draw_run(uint64_t key, uint64_t block, size_t skip, slope_range range, real *slope, size_t n)
{
    uint32_t word[PHILOX_WORDS + VEC_LANES] = {0};
    for (size_t i = 0; i < n; block += PHILOX_BLOCKS) {
        const size_t there = PHILOX_WORDS - skip, count = n - i < there ? n - i : there;
        philox_run(key, block, word);
        store_slopes(slope + i, word + skip, count, range);
        i += count;
        skip = 0;
    }
}

/* Word at % 4 of each block, in the lower half of each lane. */
ALWAYS_INLINE vec_u64 pick(const philox_blocks *c, int v, vec_u64 at)
{
    const vec_u64 zero = {0}, odd = zero - (at & 1), high = zero - (at >> 1 & 1);
    const vec_u64 first = c->word[0][v] ^ ((c->word[0][v] ^ c->word[1][v]) & odd);
    const vec_u64 second = c->word[2][v] ^ ((c->word[2][v] ^ c->word[3][v]) & odd);
    return first ^ ((first ^ second) & high);
}

/* Slopes of `rows` rows: element i of row r has position first + r + i * step, and element i of all rows has the same
 * block. */
ALWAYS_INLINE void draw_rows(const sugar_random *random, uint64_t first, uint64_t step, size_t rows, slope_range range,
                             real *slope, size_t n)
{
    const vec_u64 lanes = philox_lanes() * step;
    uint32_t chosen[PHILOX_BLOCKS + VEC_LANES] = {0};
    for (size_t i = 0; i < n; i += PHILOX_BLOCKS) {
        vec_u64 at[PHILOX_VECTORS], word[PHILOX_VECTORS];
        philox_blocks c;
        for (int v = 0; v < PHILOX_VECTORS; v++) {
            at[v] = lanes + (first + (i + (size_t)v * VEC_U64_LANES) * step);
            philox_set(&c, v, (at[v] >> 2) + random->offset);
        }
        philox(&c, (uint32_t)random->seed, (uint32_t)(random->seed >> 32));
        for (size_t row = 0; row < rows; row++) {
            uint64_t lane[PHILOX_BLOCKS];
            for (int v = 0; v < PHILOX_VECTORS; v++)
                word[v] = pick(&c, v, at[v] + row);
            memcpy(lane, word, sizeof lane);
            for (size_t k = 0; k < PHILOX_BLOCKS; k++)
                chosen[k] = (uint32_t)lane[k];
            store_slopes(slope + row * n + i, chosen, n - i < PHILOX_BLOCKS ? n - i : PHILOX_BLOCKS, range);
        }
    }
}

/* See sugar_kernels. */
KERNEL draw(const sugar_random *random, const void *parameters, int64_t first, int64_t step, size_t rows, void *slope,
            size_t n)
{
    const real *p = parameters;
    const slope_range range = {vec_splat(p[0]), vec_splat(p[1] - p[0])};
    const uint64_t at = (uint64_t)first;
    if (step == 1)
        draw_run(random->seed, random->offset + at / 4, at % 4, range, slope, n);
    else
        draw_rows(random, at, (uint64_t)step, rows, range, slope, n);
}

/* slope x where x <= 0, else x. As lines_below, but slopes have many digits here: what a narrow type rounds away first
 * is kept. */
ALWAYS_INLINE vec drawn_line(vec slope, vec x)
{
    /* With a slope of 0, x = -inf must give 0. */
    const vec lowest = vec_select(vec_less(vec_splat(0), slope), vec_splat(-(real)INFINITY), vec_splat(-1));
    const vec at = vec_max(lowest, x), product = slope * at;
    return vec_select(vec_less(vec_splat(0), x), x, round_to_odd(product, vec_fma(slope, at, -product)));
}

KERNEL forward_drawn(const void *slopes, const void *x_elements, void *y_elements, size_t n, int stream)
{
    const real *slope = slopes;
    const element *x = x_elements;
    element *y = y_elements;
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec s = load_some_reals(slope + i, n - i);
        put_some(y + i, drawn_line(s, load_some(x + i, n - i)), n - i, stream);
    }
    end_stream_of(stream);
}

KERNEL derivative_drawn(const void *slopes, const void *x_elements, void *derivatives, size_t n)
{
    const real *slope = slopes;
    const element *x = x_elements;
    real *d = derivatives;
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec s = load_some_reals(slope + i, n - i);
        put_some_reals(d + i, leaky_relu_derivative(load_some(x + i, n - i), &s), n - i);
    }
}

#endif
