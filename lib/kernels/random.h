/* Kernels for slopes that rrelu draws at random, and its passes with them. */
#include "philox.h"

/* lower + (upper - lower) u with u uniform in [0, 1), a multiple of 2^-24: that is never above upper. */
typedef struct slope_range { vec lower, width; } slope_range;

/* From word[0], word[1], ... of which there are PHILOX_WORDS and a vector more that means nothing. */
ALWAYS_INLINE void store_slopes(real *slope, const uint32_t *word, size_t n, slope_range range)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec u = vec_load_u24(word + i) * vec_splat((real)0x1p-24);
        put_some_reals(slope + i, vec_fma(range.width, u, range.lower), n - i);
    }
}

/* Of elements that follow one another. */
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

/* Of elements that are `step` apart: a block for each of them, and one of its words. */
ALWAYS_INLINE void draw_scattered(uint64_t key, uint64_t offset, uint64_t first, uint64_t step, slope_range range,
                                  real *slope, size_t n)
{
    uint32_t chosen[PHILOX_BLOCKS + VEC_LANES] = {0};
    for (size_t i = 0; i < n; i += PHILOX_BLOCKS) {
        uint64_t block[PHILOX_BLOCKS], word[4][PHILOX_BLOCKS];
        for (size_t k = 0; k < PHILOX_BLOCKS; k++) block[k] = offset + (first + (i + k) * step) / 4;
        philox_blocks c;
        for (int v = 0; v < PHILOX_VECTORS; v++) {
            vec_u64 counter;
            memcpy(&counter, block + v * VEC_U64_LANES, sizeof counter);
            philox_set(&c, v, counter);
        }
        philox(&c, (uint32_t)key, (uint32_t)(key >> 32));
        memcpy(word, &c, sizeof word);
        for (size_t k = 0; k < PHILOX_BLOCKS; k++)
            chosen[k] = (uint32_t)word[(first + (i + k) * step) % 4][k];
        store_slopes(slope + i, chosen, n - i < PHILOX_BLOCKS ? n - i : PHILOX_BLOCKS, range);
    }
}

KERNEL draw(const sugar_random *random, const real *parameters, int64_t first, int64_t step, real *slope, size_t n)
{
    const slope_range range = {vec_splat(parameters[0]), vec_splat(parameters[1] - parameters[0])};
    const uint64_t at = (uint64_t)first;
    if (step == 1)
        draw_run(random->seed, random->offset + at / 4, at % 4, range, slope, n);
    else
        draw_scattered(random->seed, random->offset, at, (uint64_t)step, range, slope, n);
}

KERNEL forward_drawn(const real *slope, const element *x, element *y, size_t n, int stream)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec s = load_some_reals(slope + i, n - i);
        put_some(y + i, leaky_relu_value(load_some(x + i, n - i), &s), n - i, stream);
    }
    if (stream) vec_stream_end();
}

KERNEL derivative_drawn(const real *slope, const element *x, real *d, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec s = load_some_reals(slope + i, n - i);
        put_some_reals(d + i, leaky_relu_derivative(load_some(x + i, n - i), &s), n - i);
    }
}
