/* The loops of fused passes: a bias and a gate in one pass with f or g', and elements of any type that is computed
 * with these reals; f16 and bf16 in f32, rounded once, when they are stored. In steps (call/tile.c), with buffers
 * between them, silu with a gate took 0.40 ns an element with 32 Mi elements, fused it takes 0.30; its backward pass
 * with the gate's gradient 0.76 and 0.50 (f32); in bf16 0.54 and 0.22, 0.98 and 0.47 (AVX-512, Zen 5). */
#ifndef SUGAR_KERNELS_LOOPS_FUSED_H
#define SUGAR_KERNELS_LOOPS_FUSED_H

#include "base/element.h"
#include "kernels/kernels.h"
#include "kernels/loops/plain.h"
#include "kernels/loops/steps.h"

#if !NARROW

/* ---- Elements of a type that is a constant where these are inlined ------------------------------- */

ALWAYS_INLINE vec load_as(sugar_element type, const void *elements, size_t i)
{
#if REAL_BITS == 32
    if (type == SUGAR_F16)
        return vec_load_f16((const uint16_t *)elements + i);
    if (type == SUGAR_BF16)
        return vec_load_bf16((const uint16_t *)elements + i);
#endif
    (void)type;
    return vec_load((const real *)elements + i);
}

/* Elements i, i + 1, ... up to n: a whole vector, or what is left. */
ALWAYS_INLINE vec load_some_as(sugar_element type, const void *elements, size_t i, size_t n)
{
    if (n - i >= VEC_LANES)
        return load_as(type, elements, i);
#if REAL_BITS == 32
    if (type == SUGAR_F16 || type == SUGAR_BF16) {
        uint16_t lanes[VEC_LANES];
        vec_load_partial_bits16(lanes, (const uint16_t *)elements + i, n - i);
        return load_as(type, lanes, 0);
    }
#endif
    return vec_load_partial((const real *)elements + i, n - i);
}

#if REAL_BITS == 32
ALWAYS_INLINE void put_narrow(sugar_element type, uint16_t *p, vec a, size_t n, int stream)
{
    uint16_t lanes[VEC_LANES];          /* compilers keep it in a register */
    uint16_t *to = n < VEC_LANES || stream ? lanes : p;
    if (type == SUGAR_F16)
        vec_store_f16(to, a);
    else
        vec_store_bf16(to, a);
    if (n < VEC_LANES)
        vec_store_partial_bits16(p, lanes, n);
    else if (stream)
        vec_stream_bits16(p, lanes);
}
#endif

ALWAYS_INLINE void put_some_as(sugar_element type, void *elements, size_t i, vec a, size_t n, int stream)
{
#if REAL_BITS == 32
    if (type == SUGAR_F16 || type == SUGAR_BF16) {
        put_narrow(type, (uint16_t *)elements + i, a, n - i, stream);
        return;
    }
#endif
    (void)type;
    if (n - i < VEC_LANES)
        vec_store_partial((real *)elements + i, a, n - i);
    else
        put((real *)elements + i, a, stream);
}

/* ---- What is computed -------------------------------------------------------------------------- */

/* What is rounded to f16 or bf16, with one NaN for all NaNs: others, which only a bias of f32 can bring here, could be
 * rounded to a number. */
ALWAYS_INLINE vec with_plain_nans(const sugar_fusion *f, sugar_element type, vec a)
{
    return f->bias && (type == SUGAR_F16 || type == SUGAR_BF16) ? vec_select(vec_less_equal(a, a), a, SPLAT(NAN)) : a;
}

ALWAYS_INLINE vec bias_at(const sugar_fusion *f, size_t i, size_t n)
{
    const real *bias = f->bias;
    return f->bias_step ? load_some_reals(bias + i, n - i) : vec_splat(*bias);
}

/* Elements i, i + 1, ... up to n, at most a vector of them. Operands that are NULL are neither added nor multiplied: 0
 * and 1 would change the signs of zeros, and take time. */
ALWAYS_INLINE void fused_forward_vector(formula value, const vec *p, sugar_element type, const sugar_fusion *f,
                                        const void *x, void *y, size_t i, size_t n, int stream)
{
    vec a = load_some_as(type, x, i, n);
    if (f->bias)
        a = a + bias_at(f, i, n);
    a = value(a, p);
    if (f->gate) {
        const vec gate = load_some_as(type, f->gate, i, n);
        a = product_of(a, gate, f->accumulate ? load_some_as(type, y, i, n) : gate, f->accumulate);
    }
    put_some_as(type, y, i, with_plain_nans(f, type, a), n, stream);
}

ALWAYS_INLINE void fused_backward_vector(formula value, formula derivative, const vec *p, sugar_element type,
                                         const sugar_fusion *f, const void *x, const void *dy, void *dx, size_t i,
                                         size_t n, int stream)
{
    vec a = load_some_as(type, x, i, n), gradient = load_some_as(type, dy, i, n), gate_gradient = gradient;
    if (f->bias)
        a = a + bias_at(f, i, n);
    if (f->gate)
        gradient = gradient * load_some_as(type, f->gate, i, n);
    if (value) {
        const vec before = f->accumulate ? load_some_as(type, f->gate_gradient, i, n) : gradient;
        gate_gradient = product_of(gate_gradient, value(a, p), before, f->accumulate);
    }
    const vec d = derivative(a, p), product = gradient * d;
    if (f->products)
        put_some_reals((real *)f->products + i, product, n - i);
    const vec before = f->accumulate ? load_some_as(type, dx, i, n) : product;
    const vec result = f->accumulate ? product_of(gradient, d, before, 1) : product;
    if (value)
        put_some_as(type, f->gate_gradient, i, with_plain_nans(f, type, gate_gradient), n, stream);
    put_some_as(type, dx, i, with_plain_nans(f, type, result), n, stream);
}

/* ---- bf16 by two vectors at a time --------------------------------------------------------------- */

#if REAL_BITS == 32
enum { PAIR = 2 * VEC_LANES };          /* elements */

ALWAYS_INLINE vec_two load_pair(const void *elements, size_t i)
{
    return vec_load_two_bf16((const uint16_t *)elements + i);
}

ALWAYS_INLINE void put_pair(const sugar_fusion *f, void *elements, size_t i, vec_two a, int stream)
{
    const vec_two rounded = {with_plain_nans(f, SUGAR_BF16, a.even), with_plain_nans(f, SUGAR_BF16, a.odd)};
    uint16_t lanes[PAIR], *p = (uint16_t *)elements + i;
    vec_store_two_bf16(stream ? lanes : p, rounded);
    if (stream) {
        vec_stream_bits16(p, lanes);
        vec_stream_bits16(p + VEC_LANES, lanes + VEC_LANES);
    }
}

ALWAYS_INLINE vec_two with_bias_pair(const sugar_fusion *f, vec_two a, size_t i)
{
    if (!f->bias)
        return a;
    const real *bias = f->bias;
    const vec shared = vec_splat(*bias);
    const vec_two b = f->bias_step ? vec_load_two(bias + i) : (vec_two){shared, shared};
    return (vec_two){a.even + b.even, a.odd + b.odd};
}

ALWAYS_INLINE void fused_forward_pair(formula value, const vec *p, const sugar_fusion *f, const void *x, void *y,
                                      size_t i, int stream)
{
    const vec_two inner = with_bias_pair(f, load_pair(x, i), i);
    vec_two a = {value(inner.even, p), value(inner.odd, p)};
    if (f->gate) {
        const vec_two gate = load_pair(f->gate, i), before = f->accumulate ? load_pair(y, i) : gate;
        a.even = product_of(a.even, gate.even, before.even, f->accumulate);
        a.odd = product_of(a.odd, gate.odd, before.odd, f->accumulate);
    }
    put_pair(f, y, i, a, stream);
}

ALWAYS_INLINE void fused_backward_pair(formula value, formula derivative, const vec *p, const sugar_fusion *f,
                                       const void *x, const void *dy, void *dx, size_t i, int stream)
{
    const vec_two inner = with_bias_pair(f, load_pair(x, i), i);
    vec_two gradient = load_pair(dy, i), gate_gradient = gradient;
    if (f->gate) {
        const vec_two gate = load_pair(f->gate, i);
        gradient = (vec_two){gradient.even * gate.even, gradient.odd * gate.odd};
    }
    if (value) {
        const vec_two before = f->accumulate ? load_pair(f->gate_gradient, i) : gradient;
        gate_gradient.even = product_of(gate_gradient.even, value(inner.even, p), before.even, f->accumulate);
        gate_gradient.odd = product_of(gate_gradient.odd, value(inner.odd, p), before.odd, f->accumulate);
    }
    const vec_two d = {derivative(inner.even, p), derivative(inner.odd, p)};
    vec_two product = {gradient.even * d.even, gradient.odd * d.odd};
    if (f->products)
        vec_store_two((real *)f->products + i, product);
    if (f->accumulate) {
        const vec_two before = load_pair(dx, i);
        product.even = vec_fma(gradient.even, d.even, before.even);
        product.odd = vec_fma(gradient.odd, d.odd, before.odd);
    }
    if (value)
        put_pair(f, f->gate_gradient, i, gate_gradient, stream);
    put_pair(f, dx, i, product, stream);
}
#endif

/* ---- The loops ----------------------------------------------------------------------------------- */

ALWAYS_INLINE size_t bytes_of(sugar_element type, size_t n) { return n * sugar_element_size(type); }

ALWAYS_INLINE void go_to_next_row(sugar_fusion *f, sugar_element type, size_t n)
{
    if (f->bias)
        f->bias = (const real *)f->bias + f->bias_row_step;
    if (f->gate)
        f->gate = (const char *)f->gate + bytes_of(type, n);
    if (f->gate_gradient)
        f->gate_gradient = (char *)f->gate_gradient + bytes_of(type, n);
    if (f->products)
        f->products = (real *)f->products + n;
}

ALWAYS_INLINE void fused_forward_row(formula value, const vec *p, sugar_element type, const sugar_fusion *f,
                                     const void *x, void *y, size_t n, int stream)
{
    size_t i = 0;
#if REAL_BITS == 32
    if (type == SUGAR_BF16)
        for (; n - i >= PAIR; i += PAIR)
            fused_forward_pair(value, p, f, x, y, i, stream);
    else
#endif
        for (; n - i >= VEC_LANES; i += VEC_LANES)
            fused_forward_vector(value, p, type, f, x, y, i, i + VEC_LANES, stream);
    for (; i < n; i += VEC_LANES)
        fused_forward_vector(value, p, type, f, x, y, i, n, 0);
}

/* Row by row, so that a call for many short rows begins once. The fusion is copied: no store can change it. */
ALWAYS_INLINE void fused_forward_loop(formula value, sugar_element type, const real *parameters,
                                      const sugar_fusion *fusion, const void *x_elements, void *y_elements, size_t n,
                                      int stream)
{
    sugar_fusion f = *fusion;
    const char *x = x_elements;
    char *y = y_elements;
    vec p[SUGAR_KERNEL_PARAMETERS];
    splat_parameters(parameters, p);
    for (size_t rows = f.rows; rows > 0; rows--, x += bytes_of(type, n), y += bytes_of(type, n)) {
        fused_forward_row(value, p, type, &f, x, y, n, stream);
        go_to_next_row(&f, type, n);
    }
    end_stream_of(stream);
}

ALWAYS_INLINE void fused_backward_row(formula value, formula derivative, const vec *p, sugar_element type,
                                      const sugar_fusion *f, const void *x, const void *dy, void *dx, size_t n,
                                      int stream)
{
    size_t i = 0;
#if REAL_BITS == 32
    if (type == SUGAR_BF16)
        for (; n - i >= PAIR; i += PAIR)
            fused_backward_pair(value, derivative, p, f, x, dy, dx, i, stream);
    else
#endif
        for (; n - i >= VEC_LANES; i += VEC_LANES)
            fused_backward_vector(value, derivative, p, type, f, x, dy, dx, i, i + VEC_LANES, stream);
    for (; i < n; i += VEC_LANES)
        fused_backward_vector(value, derivative, p, type, f, x, dy, dx, i, n, 0);
}

/* value NULL: without the gradient of a gate. */
ALWAYS_INLINE void fused_backward_loop(formula value, formula derivative, sugar_element type, const real *parameters,
                                       const sugar_fusion *fusion, const void *x_elements, const void *dy_elements,
                                       void *dx_elements, size_t n, int stream)
{
    sugar_fusion f = *fusion;
    const char *x = x_elements, *dy = dy_elements;
    char *dx = dx_elements;
    vec p[SUGAR_KERNEL_PARAMETERS];
    splat_parameters(parameters, p);
    for (size_t rows = f.rows; rows > 0; rows--) {
        fused_backward_row(value, derivative, p, type, &f, x, dy, dx, n, stream);
        go_to_next_row(&f, type, n);
        x += bytes_of(type, n);
        dy += bytes_of(type, n);
        dx += bytes_of(type, n);
    }
    end_stream_of(stream);
}

#endif
#endif
