/* Kernels for saved gradients: derivatives as codes of 8 bits, and back. */
#ifndef SUGAR_KERNELS_LOOPS_SAVED_H
#define SUGAR_KERNELS_LOOPS_SAVED_H

#include "kernels/kernels.h"
#include "kernels/loops/memory.h"

/* The derivative that a combination mixes. */
ALWAYS_INLINE vec mixed_derivative(const JOIN(sugar_combination, SUGAR_TYPE) *c, size_t i, size_t n)
{
    const vec d = load_some_reals(c->surrogate + i, n - i);
    if (!c->derivative) return d;
    const vec own = load_some_reals(c->derivative + i, n - i);
    const vec mixed = vec_fma(vec_splat(c->t), d, vec_splat(c->u) * own);
    if (!c->negative_only) return mixed;
    return vec_select(vec_less_equal(load_some(c->x + i, n - i), vec_splat(0)), mixed, own);
}

/* A range without length has the one code 0, and so has NaN: vec_max gives its second operand. */
ALWAYS_INLINE vec place_in_range(vec d, vec lower, vec scale)
{
    const vec place = vec_fma(d - lower, scale, vec_splat((real)0.5));
    return vec_min(vec_max(place, vec_splat(0)), vec_splat(255));
}

ALWAYS_INLINE void encode_part(const JOIN(sugar_combination, SUGAR_TYPE) *c, vec lower, vec scale, uint8_t *code,
                               size_t i, size_t n)
{
    uint8_t lanes[VEC_LANES];
    vec_store_bytes(lanes, place_in_range(mixed_derivative(c, i, n), lower, scale));
    memcpy(code + i, lanes, n - i < VEC_LANES ? n - i : VEC_LANES);
}

/* What is not mixed is what most calls have. The next call will need the x that follow, `ahead` of them. */
static void encode(const JOIN(sugar_combination, SUGAR_TYPE) *c, const JOIN(sugar_codes, SUGAR_TYPE) *range,
                   uint8_t *code, size_t n, size_t ahead)
{
    const vec lower = vec_splat(range->lower), scale = vec_splat(range->scale);
    const real *d = c->surrogate;
    size_t i = 0;
    for (; !c->derivative && n - i >= VEC_LANES; i += VEC_LANES) {
        if (i < ahead && i * sizeof(element) % 64 == 0)
            __builtin_prefetch((const void *)((uintptr_t)(c->x + n) + i * sizeof(element)));
        vec_store_bytes(code + i, place_in_range(vec_load(d + i), lower, scale));
    }
    for (; i < n; i += VEC_LANES) encode_part(c, lower, scale, code, i, n);
}

/* What a code of 8 bits stands for; or one of two values, by whether it is 0. */
ALWAYS_INLINE vec decode(vec code, int two_values, vec lower, vec upper, vec step)
{
    if (two_values) return vec_select(vec_less(vec_splat(0), code), upper, lower);
    return vec_fma(code, step, lower);
}

ALWAYS_INLINE vec load_some_codes(const uint8_t *code, size_t n)
{
    if (n >= VEC_LANES) return vec_load_bytes(code);
    uint8_t lanes[VEC_LANES] = {0};
    memcpy(lanes, code, n);
    return vec_load_bytes(lanes);
}

ALWAYS_INLINE void backward_from_codes_loop(const JOIN(sugar_codes, SUGAR_TYPE) *c, const uint8_t *code,
                                            const element *dy, element *dx, size_t n, int two_values, int accumulate,
                                            int stream)
{
    const vec lower = vec_splat(c->lower), upper = vec_splat(c->upper), step = vec_splat(c->step);
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec d = decode(load_some_codes(code + i, n - i), two_values, lower, upper, step);
        const vec gradient = load_some(dy + i, n - i);
        vec result = gradient * d;
        if (accumulate) result = vec_fma(gradient, d, load_some(dx + i, n - i));
        put_some(dx + i, result, n - i, stream);
    }
    end_stream_of(stream);
}

static void backward_from_codes(const JOIN(sugar_codes, SUGAR_TYPE) *c, const uint8_t *code, const element *dy,
                                element *dx, size_t n, int stream)
{
    if (c->accumulate) backward_from_codes_loop(c, code, dy, dx, n, c->two_values, 1, 0);
    else if (c->two_values) backward_from_codes_loop(c, code, dy, dx, n, 1, 0, stream);
    else backward_from_codes_loop(c, code, dy, dx, n, 0, 0, stream);
}

#endif
