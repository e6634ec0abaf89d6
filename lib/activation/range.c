/* The range of g', from the places where it can have an extremum or a step: they are solved for here, and the
 * kernels for f64 tell how large g' is there. Two values are found in the same places. */
#include "activation/range.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "activation/spec.h"

/* The neighbour of x on the side of `direction`, for x that is finite or infinite on the other side. As libm has it;
 * but the library takes nothing from there but fma. */
#define NEXT(real, bits, name)                                                                     \
    static real name(real x, real direction)                                                       \
    {                                                                                              \
        bits b;                                                                                    \
        memcpy(&b, &x, sizeof b);                                                                  \
        const bool grows = (direction > 0) == !(b >> (8 * sizeof b - 1));                          \
        if (x < 0 || x > 0)                                                                        \
            b += grows ? 1 : (bits)-1;                                                             \
        else                                                                                       \
            b = (bits)1 | (direction < 0 ? (bits)1 << (8 * sizeof b - 1) : 0);                     \
        memcpy(&x, &b, sizeof x);                                                                  \
        return x;                                                                                  \
    }
NEXT(float, uint32_t, next_f32)
NEXT(double, uint64_t, next_f64)

/* ---- Places -------------------------------------------------------------------------------- */

/* The places of one derivative besides 0 and infinity: for a spike surrogate, distances from the threshold. */
enum { MOST_PLACES = 3 };
typedef struct places {
    int count;
    double x[MOST_PLACES];
} places;

static void add(places *all, double x)
{
    all->x[all->count++] = x;
}

static void add_both(places *all, double x)
{
    add(all, x);
    add(all, -x);
}

static double evaluate(const sugar_kernels_f64 *kernels, const sugar_function *f, double x)
{
    double parameters[SUGAR_KERNEL_PARAMETERS] = {0}, d;
    for (int i = 0; i < SUGAR_MAX_PARAMETERS; i++)
        parameters[i] = f->parameter[i];
    kernels->derivative[f->kind](parameters, &x, &d, 1);
    return d;
}

/* tanh, and exp(x) for x <= 0, which is the derivative of elu: by kernels, not by libm, so that they are the same
 * everywhere. */
static double tanh_of(const sugar_kernels_f64 *kernels, double x)
{
    const double parameters[SUGAR_KERNEL_PARAMETERS] = {0};
    double y;
    kernels->forward[SUGAR_KIND_tanh](parameters, &x, &y, 1, 0);
    return y;
}

static double exp_of_negative(const sugar_kernels_f64 *kernels, double x)
{
    return evaluate(kernels, &(sugar_function){SUGAR_KIND_elu, {1}}, x);
}

/* A function that rises through 0, up to a positive factor. */
typedef double rising(const sugar_kernels_f64 *kernels, const double *p, double x);

static double find_root(rising *function, const sugar_kernels_f64 *kernels, const double *p, double low, double high)
{
    for (int step = 0; step < DBL_MANT_DIG + 10; step++) {
        const double middle = low + (high - low) / 2;
        if (function(kernels, p, middle) < 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* bsilu'' = s'(x) (2 - (x + alpha) tanh(x/2)). One root is positive; the other is minus the root for -alpha. */
static double bsilu_turns(const sugar_kernels_f64 *kernels, const double *p, double x)
{
    return (x + p[0]) * tanh_of(kernels, x / 2) - 2;
}

/* multi_gaussian' is even. With u = d / sigma and v = u / s^2 its slope at u > 0 has the sign of
 * (2h / s^3) exp(-1 / (2 s^2)) (cosh(v) - sinh(v) / u) - (1 + h) exp(-u^2 (1 - 1/s^2) / 2), of which the first term
 * rises and the second one falls: one root. Both are divided by exp(v). */
static double multi_gaussian_turns(const sugar_kernels_f64 *kernels, const double *p, double u)
{
    const double h = p[1], s = p[2], v = u / (s * s), e = exp_of_negative(kernels, -2 * v);
    const double wide = 2 * h / (s * s * s) * exp_of_negative(kernels, -0.5 / (s * s));
    const double narrow = (1 + h) * exp_of_negative(kernels, -u * u * (1 - 1 / (s * s)) / 2 - v);
    return wide * ((1 + e) / 2 - (1 - e) / (2 * u)) - narrow;
}

/* Extrema, and steps. What falls or rises on either side of 0 has none. */
static places find_places(const sugar_kernels_f64 *kernels, const sugar_function *f)
{
    const double *p = f->parameter, minus[SUGAR_MAX_PARAMETERS] = {-p[0]};
    places all = {0};
    switch (f->kind) {
    case SUGAR_KIND_relu6: add(&all, 6); break;
    case SUGAR_KIND_threshold: add(&all, p[0]); break;
    case SUGAR_KIND_softshrink:
    case SUGAR_KIND_hardshrink:
    case SUGAR_KIND_box: add_both(&all, p[0]); break;
    case SUGAR_KIND_hardtanh: add(&all, p[0]); add(&all, p[1]); break;
    case SUGAR_KIND_hardsigmoid:
    case SUGAR_KIND_hardswish: add_both(&all, 3); break;
    case SUGAR_KIND_nelu: add(&all, -0.57735026918962576); break;       /* 1 - 3 x^2 = 0 */
    case SUGAR_KIND_gelu: add_both(&all, 1.4142135623730951); break;    /* gelu'' = phi(x) (2 - x^2) */
    case SUGAR_KIND_gelu_tanh: add_both(&all, 1.4185040087908284); break;
    case SUGAR_KIND_silu: add_both(&all, 2.3993572805154677 / p[0]); break;     /* y tanh(y/2) = 2 */
    case SUGAR_KIND_mish: add(&all, 1.4905711794854285); add(&all, -2.2563763963607931); break;
    case SUGAR_KIND_bsilu:
        add(&all, find_root(bsilu_turns, kernels, p, 0, 3));
        add(&all, -find_root(bsilu_turns, kernels, minus, p[0], p[0] + 3));
        break;
    case SUGAR_KIND_multi_gaussian:
        add_both(&all, p[0] * find_root(multi_gaussian_turns, kernels, p, 0, 1000));
        add(&all, 0);
        break;
    case SUGAR_KIND_atan:
    case SUGAR_KIND_fast_sigmoid:
    case SUGAR_KIND_slayer:
    case SUGAR_KIND_triangle:
    case SUGAR_KIND_gaussian:
    case SUGAR_KIND_sigmoid_spike: add(&all, 0); break;
    default: break;
    }
    return all;
}

/* ---- The range ----------------------------------------------------------------------------- */

typedef struct range {
    double low, high;
} range;

static const range nothing = {(double)INFINITY, -(double)INFINITY};

static range include(range r, double a)
{
    return (range){a < r.low ? a : r.low, a > r.high ? a : r.high};
}

static range include_range(range r, range other)
{
    return include(include(r, other.low), other.high);
}

/* Of a derivative up to `bound` if side is negative, or else beyond it. */
static range range_of_side(const sugar_kernels_f64 *kernels, const sugar_function *f, double bound, int side)
{
    const double nearest = side < 0 ? bound : next_f64(bound, (double)INFINITY);
    range r = include(nothing, evaluate(kernels, f, nearest));
    r = include(r, evaluate(kernels, f, side < 0 ? -(double)INFINITY : (double)INFINITY));
    const places all = find_places(kernels, f);
    for (int i = 0; i < all.count; i++)
        for (int step = -1; step <= 1; step++) {
            const double x = step == 0 ? all.x[i] : next_f64(all.x[i], step < 0 ? -(double)INFINITY : (double)INFINITY);
            if ((side < 0) == (x <= bound))
                r = include(r, evaluate(kernels, f, x));
        }
    return r;
}

/* t a + u b; what has the factor 0 may have no bounds. */
static range mix(double t, range a, double u, range b)
{
    if (!(u > 0))
        return a;
    if (!(t > 0))
        return b;
    return (range){t * a.low + u * b.low, t * a.high + u * b.high};
}

/* What a pass computes with, in f64 or in f32: a parameter is rounded. */
typedef struct functions {
    sugar_function surrogate, forward;
    double shift, t, u;
    bool negative_only;
} functions;

static range range_of_mixed(const sugar_kernels_f64 *kernels, const functions *f, int side)
{
    const range own = range_of_side(kernels, &f->forward, 0, side);
    if (f->negative_only && side > 0)
        return own;
    return mix(f->t, range_of_side(kernels, &f->surrogate, 0 - f->shift, side), f->u, own);
}

#define FUNCTIONS_IN(element)                                                                      \
    static functions functions_in_##element(const sugar_activation *a)                             \
    {                                                                                              \
        const sugar_passes_##element *passes = &a->element;                                        \
        functions f = {                                                                            \
            .surrogate.kind = passes->blend > 0 ? a->surrogate_kind : a->forward_kind,             \
            .forward.kind = a->forward_kind,                                                       \
            .shift = (double)passes->surrogate_parameters[SUGAR_SHIFT],                            \
            .t = (double)passes->blend,                                                            \
            .u = (double)passes->rest,                                                             \
            .negative_only = a->negative_only,                                                     \
        };                                                                                         \
        for (int i = 0; i < SUGAR_MAX_PARAMETERS; i++) {                                           \
            f.surrogate.parameter[i] = (double)passes->surrogate_parameters[i];                    \
            f.forward.parameter[i] = (double)passes->forward_parameters[i];                        \
        }                                                                                          \
        return f;                                                                                  \
    }
FUNCTIONS_IN(f32)
FUNCTIONS_IN(f64)

/* Not inlined: gcc 12.2 takes the way to f32 and back for nothing where it computes several in a vector. */
static __attribute__((noinline)) float narrow(double a) { return (float)a; }

/* a as an f32 that is not beyond it on the other side; 0 without a sign. */
static double round_outwards(double a, float direction)
{
    const float nearest = narrow(a);
    const bool is_inside = direction < 0 ? (double)nearest > a : (double)nearest < a;
    return (double)(is_inside ? next_f32(nearest, direction) : nearest + 0);
}

/* ---- Two values ---------------------------------------------------------------------------- */

/* Whether a derivative is constant between steps, or altogether, up to `bound` if side is negative, or else beyond it. */
static bool is_in_steps(const sugar_kernels_f64 *kernels, const sugar_function *f, double bound, int side)
{
    const range r = range_of_side(kernels, f, bound, side);
    return (sugar_kind_capabilities(f->kind) & SUGAR_CAN_SAVE_BIT) || r.low >= r.high;
}

static bool has_steps_alone(const sugar_kernels_f64 *kernels, const functions *f)
{
    bool steps = true;
    for (int side = -1; side <= 1; side += 2) {
        const bool only_own = f->negative_only && side > 0;
        steps = steps && (only_own || is_in_steps(kernels, &f->surrogate, 0 - f->shift, side));
        steps = steps && (!(only_own || f->u > 0) || is_in_steps(kernels, &f->forward, 0, side));
    }
    return steps;
}

/* 0, and the steps of both derivatives. */
enum { MOST_STEPS = 1 + 2 * MOST_PLACES };
static int find_steps(const sugar_kernels_f64 *kernels, const functions *f, double *x)
{
    const places surrogate = find_places(kernels, &f->surrogate), forward = find_places(kernels, &f->forward);
    int count = 0;
    x[count++] = 0;
    for (int i = 0; i < surrogate.count; i++)
        x[count++] = surrogate.x[i] + f->shift;
    for (int i = 0; i < forward.count; i++)
        x[count++] = forward.x[i];
    return count;
}

/* g' is constant between its steps: what it is there, right behind each one and at infinity is all that it can be. */
#define FIND_TWO_VALUES(element, real, next)                                                       \
    static sugar_two_values two_values_##element(const sugar_activation *a, const functions *f)    \
    {                                                                                              \
        double step[MOST_STEPS];                                                                   \
        real x[2 * MOST_STEPS + 2] = {-(real)INFINITY, (real)INFINITY}, d[2 * MOST_STEPS + 2];     \
        const real one = 1;                                                                        \
        int n = 2;                                                                                 \
        for (int i = find_steps(a->level->kernels.f64, f, step) - 1; i >= 0; i--) {                \
            x[n++] = (real)step[i];                                                                \
            x[n++] = next((real)step[i], (real)INFINITY);                                          \
        }                                                                                          \
        if (!has_steps_alone(a->level->kernels.f64, f)                                             \
            || sugar_backward_##element(a, n, x, 1, &one, 0, d, 1, NULL) != SUGAR_OK)              \
            return (sugar_two_values){false, 0, 0};                                                \
        sugar_two_values v = {true, (double)d[0], (double)d[0]};                                   \
        for (int i = 1; i < n; i++) {                                                              \
            v.lower = (double)d[i] < v.lower ? (double)d[i] : v.lower;                             \
            v.upper = (double)d[i] > v.upper ? (double)d[i] : v.upper;                             \
        }                                                                                          \
        for (int i = 0; i < n; i++)                                                                \
            v.are_all = v.are_all && ((double)d[i] <= v.lower || (double)d[i] >= v.upper);         \
        return v;                                                                                  \
    }
FIND_TWO_VALUES(f32, float, next_f32)
FIND_TWO_VALUES(f64, double, next_f64)

void sugar_find_range(sugar_activation *activation)
{
    const functions precise = functions_in_f64(activation), rounded = functions_in_f32(activation);
    range r = nothing;
    for (int side = -1; side <= 1; side += 2) {
        r = include_range(r, range_of_mixed(activation->level->kernels.f64, &precise, side));
        r = include_range(r, range_of_mixed(activation->level->kernels.f64, &rounded, side));
    }
    activation->minimum = round_outwards(r.low, -INFINITY);
    activation->maximum = round_outwards(r.high, INFINITY);
    activation->f64.values = two_values_f64(activation, &precise);
    activation->f32.values = two_values_f32(activation, &rounded);
    activation->f16.values = activation->bf16.values = activation->f32.values;
}
