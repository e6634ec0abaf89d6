/* The loops over contiguous runs, and the tables of them. Compiled once per instruction set and
 * element type, with
 *   SUGAR_LEVEL_NAME   the level: includes vec_<level>.h, names the table sugar_kernels_<type>_<level>
 *   SUGAR_TYPE         the element type: f32, f64, f16 or bf16
 * and with contraction off: the formulas say themselves where they want an fma. */
#include "kernels/kernels.h"
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "libsugar's results are defined by IEEE 754: do not compile it with fast-math options"
#endif
#if FLT_EVAL_METHOD != 0
#error "excess precision would change results: on 32-bit x86 compile with -msse2 -mfpmath=sse"
#endif

#define QUOTE_(a) #a
#define QUOTE(a) QUOTE_(a)
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)

/* The bits of an element in memory, and of the arithmetic. */
#define STORED_f32 32
#define STORED_f64 64
#define STORED_f16 16
#define STORED_bf16 16
#define COMPUTED_f32 32
#define COMPUTED_f64 64
#define COMPUTED_f16 32
#define COMPUTED_bf16 32
#define SUGAR_ELEMENT JOIN(COMPUTED, SUGAR_TYPE)
#define SUGAR_NARROWS (JOIN(STORED, SUGAR_TYPE) < SUGAR_ELEMENT)    /* elements are shorter than `real` */

/* The smallest number of a short type. */
#define SMALLEST_f16 0x1p-24
#define SMALLEST_bf16 0x1p-133
#define SUGAR_SMALLEST JOIN(SMALLEST, SUGAR_TYPE)

/* In the middle between two elements a float has the bits of MIDDLE where LAST has 1s. (A middle between subnormal
 * f16 has more than 12 0s at the end. Among subnormal bf16 no float is between a middle and its neighbours.) */
#define LAST_f16 0xfff
#define MIDDLE_f16 0
#define LAST_bf16 0xffff
#define MIDDLE_bf16 0x8000

/* The vectors in a step of a loop. (Two are no gain in f16 with AVX2. Nor are tables of all 65536 results, as a gather
 * is slower than arithmetic and the table takes the caches; nor are shorter tables of coefficients. A branch that is
 * taken in many vectors has to be timed with more elements than a processor learns the order of.) */
#define VECTORS_f32 1
#define VECTORS_f64 1
#define VECTORS_f16 1
#define VECTORS_bf16 2
#define VECTORS JOIN(VECTORS, SUGAR_TYPE)

#if SUGAR_ELEMENT == 32
typedef float real;
typedef uint32_t real_bits;
#define REAL_MANTISSA_BITS 23
#define REAL_EXPONENT_BIAS 127
#elif SUGAR_ELEMENT == 64
typedef double real;
typedef uint64_t real_bits;
#define REAL_MANTISSA_BITS 52
#define REAL_EXPONENT_BIAS 1023
#else
#error "SUGAR_TYPE must be f32, f64, f16 or bf16"
#endif

#define VEC_FILE(level) QUOTE_(kernels/isa/vec_##level.h)
#define VEC_HEADER(level) VEC_FILE(level)
#include VEC_HEADER(SUGAR_LEVEL_NAME)
#include "kernels/math/vecmath.h"
#include "kernels/kinds/kinds.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Every call in a kernel is inlined. Left to itself gcc 12 takes some formulas for too large and calls them,
 * once per vector and with their vectors in memory: multi_gaussian took 2.7 times as long, gelu_tanh's
 * derivative for f16 2.5 times. The library's code is 36 % larger with all of them. */
#define KERNEL static __attribute__((flatten)) void

/* Elements in memory to vectors in registers, and back. */
#if !SUGAR_NARROWS
typedef real element;
ALWAYS_INLINE vec load(const element *p) { return vec_load(p); }
ALWAYS_INLINE vec load_part(const element *p, size_t n) { return vec_load_part(p, n); }
ALWAYS_INLINE void store(element *p, vec a) { vec_store(p, a); }
ALWAYS_INLINE void stream_past_caches(element *p, vec a) { vec_stream(p, a); }
ALWAYS_INLINE void store_part(element *p, vec a, size_t n) { vec_store_part(p, a, n); }
#else
typedef uint16_t element;
ALWAYS_INLINE vec load(const element *p) { return JOIN(vec_load, SUGAR_TYPE)(p); }
ALWAYS_INLINE void store(element *p, vec a) { JOIN(vec_store, SUGAR_TYPE)(p, a); }

ALWAYS_INLINE void stream_past_caches(element *p, vec a)
{
    element lanes[VEC_LANES];       /* a register, once compiled */
    store(lanes, a);
    vec_stream_bits16(p, lanes);
}

/* Few processors have masks for elements this small. */
ALWAYS_INLINE vec load_part(const element *p, size_t n)
{
    element lanes[VEC_LANES] = {0};
    memcpy(lanes, p, n * sizeof *p);
    return load(lanes);
}

ALWAYS_INLINE void store_part(element *p, vec a, size_t n)
{
    element lanes[VEC_LANES];
    store(lanes, a);
    memcpy(p, lanes, n * sizeof *p);
}
#endif

typedef vec (*formula)(vec x, const vec *p);

ALWAYS_INLINE void splat_parameters(const real *parameters, vec *p)
{
    for (int k = 0; k < SUGAR_KERNEL_PARAMETERS; k++) p[k] = vec_splat(parameters[k]);
}

/* Stores a whole vector; past the caches if `stream`. The compiler makes two loops of a short one, and leaves
 * a branch that never changes its mind in a long one: 8 % more code (f32, AVX2). Two loops everywhere are 15 %
 * more, and no faster. With plain loops, AVX2 and 32 Mi elements, relu forward and a product backward: to
 * compute blocks in the first-level cache and stream them from there takes 1.04 to 1.26 times as long with
 * blocks of 4 KiB, 0.99 to 1.24 times with 1 KiB; software prefetch 1 KiB ahead gains 1 to 7 %, in cache it
 * loses; huge pages gain up to 8 %, streaming or not. */
ALWAYS_INLINE void put(element *p, vec a, int stream)
{
    if (stream) stream_past_caches(p, a);
    else store(p, a);
}

/* To wait for memory after each tile of 8 KiB takes longer than to compute it. */
ALWAYS_INLINE void end_stream_of(int stream)
{
    if (stream && stream != SUGAR_STREAM_ON) vec_stream_end();
}

static void end_stream(void) { vec_stream_end(); }

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

ALWAYS_INLINE vec load_some(const element *p, size_t n) { return n < VEC_LANES ? load_part(p, n) : load(p); }

ALWAYS_INLINE vec load_some_reals(const real *p, size_t n)
{
    return n < VEC_LANES ? vec_load_part(p, n) : vec_load(p);
}

ALWAYS_INLINE void put_some(element *p, vec a, size_t n, int stream)
{
    if (n < VEC_LANES) store_part(p, a, n);
    else put(p, a, stream);
}

ALWAYS_INLINE void put_some_reals(real *p, vec a, size_t n)
{
    if (n < VEC_LANES) vec_store_part(p, a, n);
    else vec_store(p, a);
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

#include "kernels/loops/monitor.h"
#include "kernels/loops/parameter.h"
#include "kernels/loops/random.h"
#include "kernels/loops/saved.h"

#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(name, ...)                                                                            \
    KERNEL name##_forward(const real *parameters, const element *x, element *y, size_t n, int stream) { \
        forward_loop(name##_value, parameters, x, y, n, stream);                                   \
    }                                                                                              \
    SURROGATE(name, )
#define SURROGATE(name, ...)                                                                       \
    KERNEL name##_backward(const real *parameters, const element *x, const element *dy, element *dx, \
                           size_t n, int stream) {                                                 \
        backward_loop(name##_derivative, parameters, x, dy, dx, n, stream);                        \
    }                                                                                              \
    KERNEL name##_derivatives(const real *parameters, const element *x, real *d, size_t n) {       \
        derivative_loop(name##_derivative, parameters, x, d, n);                                   \
    }
#include "kernels/kinds/kinds.def"

#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define LEARNS(name, value, derivative)                                                            \
    KERNEL name##_forward_each(const element *parameter, size_t step, const element *x, element *y, size_t n) { \
        forward_each_loop(value, parameter, step, x, y, n);                                 \
    }                                                                                              \
    KERNEL name##_derivative_each(const element *parameter, size_t step, const element *x, real *d, size_t n) { \
        derivative_each_loop(derivative, parameter, step, x, d, n);                         \
    }                                                                                              \
    KERNEL name##_slopes(const real *parameters, const element *parameter, size_t step, const element *x, \
                         const element *dy, real *product, size_t n) {                             \
        slope_loop(name##_slope, parameters, parameter, step, x, dy, product, n);                  \
    }
#define FROM_OUTPUT(name)                                                                          \
    KERNEL name##_backward_from_output(const real *parameters, const element *y, const element *dy, element *dx, \
                                       size_t n, int stream) {                                     \
        backward_loop(name##_derivative_from_output, parameters, y, dy, dx, n, stream);            \
    }                                                                                              \
    KERNEL name##_derivatives_from_output(const real *parameters, const element *y, real *d, size_t n) { \
        derivative_loop(name##_derivative_from_output, parameters, y, d, n);                       \
    }
#include "kernels/kinds/kinds.def"

const JOIN(sugar_kernels, SUGAR_TYPE) JOIN(JOIN(sugar_kernels, SUGAR_TYPE), SUGAR_LEVEL_NAME) = {
    .forward = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(name, ...) [SUGAR_KIND_##name] = name##_forward,
#define SURROGATE(name, ...)
#include "kernels/kinds/kinds.def"
    },
    .backward = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(name, ...) [SUGAR_KIND_##name] = name##_backward,
#define SURROGATE(name, ...) [SUGAR_KIND_##name] = name##_backward,
#include "kernels/kinds/kinds.def"
    },
    .derivative = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(name, ...) [SUGAR_KIND_##name] = name##_derivatives,
#define SURROGATE(name, ...) [SUGAR_KIND_##name] = name##_derivatives,
#include "kernels/kinds/kinds.def"
    },
    .backward_from_output = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define FROM_OUTPUT(name) [SUGAR_KIND_##name] = name##_backward_from_output,
#include "kernels/kinds/kinds.def"
    },
    .derivative_from_output = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define FROM_OUTPUT(name) [SUGAR_KIND_##name] = name##_derivatives_from_output,
#include "kernels/kinds/kinds.def"
    },
    .combine = combine,
    .end_stream = end_stream,
    .forward_each = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define LEARNS(name, ...) [SUGAR_KIND_##name] = name##_forward_each,
#include "kernels/kinds/kinds.def"
    },
    .derivative_each = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define LEARNS(name, ...) [SUGAR_KIND_##name] = name##_derivative_each,
#include "kernels/kinds/kinds.def"
    },
    .slope = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define LEARNS(name, ...) [SUGAR_KIND_##name] = name##_slopes,
#include "kernels/kinds/kinds.def"
    },
    .sum_run = sum_run,
    .sum_rows = sum_rows,
    .put_sum = put_sum,
    .put_sums = put_sums,
    .find_outside = find_outside,
    .draw = draw,
    .forward_drawn = forward_drawn,
    .derivative_drawn = derivative_drawn,
    .encode = encode,
    .backward_from_codes = backward_from_codes,
    .find_bins = find_bins,
    .count_bins = count_bins,
    .tally_unit = tally_unit,
    .tally_units = tally_units,
};
