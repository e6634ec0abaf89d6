/* Kernels for saved gradients: derivatives to codes of 8 bits, and back. */
#ifndef SUGAR_KERNELS_LOOPS_SAVED_H
#define SUGAR_KERNELS_LOOPS_SAVED_H

#include "kernels/kernels.h"
#include "kernels/loops/plain.h"

/* 0 to 255, to be truncated. NaN gives 0, as vec_max returns its second operand then; so does any d if scale is 0, as
 * the bounds are equal. */
ALWAYS_INLINE vec quantize(vec d, vec lower, vec scale)
{
    const vec code = vec_fma(d - lower, scale, vec_splat((real)0.5));
    return vec_min(vec_max(code, vec_splat(0)), vec_splat(255));
}

ALWAYS_INLINE void encode_partial(const sugar_combination *c, vec lower, vec scale, uint8_t *code, size_t i, size_t n)
{
    uint8_t lanes[VEC_LANES];
    vec_store_bytes(lanes, quantize(combined_derivative(c, i, n), lower, scale));
    memcpy(code + i, lanes, n - i < VEC_LANES ? n - i : VEC_LANES);
}

/* Most calls have one derivative, which the first loop encodes. Prefetches the `following` inputs behind them, which
 * the next call will need. */
static void encode(const sugar_combination *c, const sugar_coding *range, uint8_t *code, size_t n, size_t following)
{
    const vec lower = vec_splat((real)range->lower), scale = vec_splat((real)range->scale);
    const real *d = c->surrogate;
    const element *x = c->x;
    size_t i = 0;
    for (; !c->own && n - i >= VEC_LANES; i += VEC_LANES) {
        if (i < following && i * sizeof(element) % 64 == 0)
            __builtin_prefetch((const void *)((uintptr_t)(x + n) + i * sizeof(element)));
        vec_store_bytes(code + i, quantize(vec_load(d + i), lower, scale));
    }
    for (; i < n; i += VEC_LANES)
        encode_partial(c, lower, scale, code, i, n);
}

/* The derivatives that codes stand for. */
ALWAYS_INLINE vec decode(vec code, int two_values, vec lower, vec upper, vec spacing)
{
    if (two_values)
        return vec_select(vec_less(vec_splat(0), code), upper, lower);
    return vec_fma(code, spacing, lower);
}

ALWAYS_INLINE vec load_some_codes(const uint8_t *code, size_t n)
{
    if (n >= VEC_LANES)
        return vec_load_bytes(code);
    uint8_t lanes[VEC_LANES] = {0};
    memcpy(lanes, code, n);
    return vec_load_bytes(lanes);
}

ALWAYS_INLINE void backward_from_codes_loop(const sugar_coding *c, const uint8_t *code, const element *dy, element *dx,
                                            size_t n, int two_values, int accumulate, int stream)
{
    const vec lower = vec_splat((real)c->lower), upper = vec_splat((real)c->upper);
    const vec spacing = vec_splat((real)c->spacing);
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec d = decode(load_some_codes(code + i, n - i), two_values, lower, upper, spacing);
        const vec gradient = load_some(dy + i, n - i);
        vec result = gradient * d;
        if (accumulate)
            result = vec_fma(gradient, d, load_some(dx + i, n - i));
        put_some(dx + i, result, n - i, stream);
    }
    end_stream_of(stream);
}

static void backward_from_codes(const sugar_coding *c, const uint8_t *code, const void *dy, void *dx, size_t n,
                                int stream)
{
    if (c->accumulate)
        backward_from_codes_loop(c, code, dy, dx, n, c->two_values, 1, 0);
    else if (c->two_values)
        backward_from_codes_loop(c, code, dy, dx, n, 1, 0, stream);
    else
        backward_from_codes_loop(c, code, dy, dx, n, 0, 0, stream);
}

#endif
