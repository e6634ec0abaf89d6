/* The bounds of g', from its values at the points where it can have an extremum or a jump. The points are solved for
 * here; the kernels for f64 compute the values. Whether g' has only two values is found at the same points. */
#include "activation/range.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "activation/spec.h"

/* The neighbour of x towards `direction`, an infinity; x is not that infinity. As nextafter() in libm, of which the
 * library uses nothing but fma. */
static double next_f64(double x, double direction)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const bool grows = (direction > 0) == !(bits >> 63);
    if (x < 0 || x > 0)
        bits += grows ? 1 : UINT64_MAX;
    else
        bits = direction < 0 ? UINT64_C(0x8000000000000001) : 1;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float next_f32(float x, float direction)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const bool grows = (direction > 0) == !(bits >> 31);
    if (x < 0 || x > 0)
        bits += grows ? 1 : UINT32_MAX;
    else
        bits = direction < 0 ? UINT32_C(0x80000001) : 1;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The neighbour of x among the reals of an element type. */
static double next_real(sugar_element element, double x, double direction)
{
    return element == SUGAR_F64 ? next_f64(x, direction) : (double)next_f32((float)x, (float)direction);
}

/* ---- Points -------------------------------------------------------------------------------- */

/* Where one derivative can have an extremum or a jump, besides 0 and the infinities: x, or, for a spike surrogate, its
 * distance from the threshold. */
enum { MOST_POINTS = 4 };
typedef struct points {
    int count;
    double x[MOST_POINTS];
} points;

static void add(points *all, double x)
{
    assert(all->count < MOST_POINTS);
    all->x[all->count++] = x;
}

static void add_both(points *all, double x)
{
    add(all, x);
    add(all, -x);
}

/* A function with parameters rounded to the reals of one element type; of the kind `table`, the table of that type. */
typedef struct rounded_function {
    int32_t kind;
    double parameter[SUGAR_MAX_PARAMETERS];
    const sugar_table *table;
} rounded_function;

/* f'(x) by the kernel for f64. */
static double evaluate(const sugar_kernels *kernels, const rounded_function *f, double x)
{
    sugar_parameters parameters = {.reals.f64 = {0}, .table = f->table};
    double d;
    for (int i = 0; i < SUGAR_MAX_PARAMETERS; i++)
        parameters.reals.f64[i] = f->parameter[i];
    kernels->derivative[f->kind](&parameters, &x, &d, 1);
    return d;
}

/* tanh(x), and exp(x) for x <= 0, which is the derivative of elu. By kernels and not by libm, so that the bounds have
 * the same bits everywhere. */
static double tanh_of(const sugar_kernels *kernels, double x)
{
    const double parameters[SUGAR_KERNEL_PARAMETERS] = {0};
    double y;
    kernels->forward[SUGAR_KIND_tanh](parameters, &x, &y, 1, 0);
    return y;
}

static double exp_of_negative(const sugar_kernels *kernels, double x)
{
    return evaluate(kernels, &(rounded_function){.kind = SUGAR_KIND_elu, .parameter = {1}}, x);
}

/* A function that is negative below its root and positive above it. */
typedef double rising(const sugar_kernels *kernels, const double *p, double x);

static double find_root(rising *function, const sugar_kernels *kernels, const double *p, double low, double high)
{
    for (int i = 0; i < DBL_MANT_DIG + 10; i++) {
        const double middle = low + (high - low) / 2;
        if (function(kernels, p, middle) < 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* bsilu'' = s'(x) (2 - (x + alpha) tanh(x/2)), without the factor s' and negated. It has a positive root and a
 * negative one; the latter is minus the positive root for -alpha. */
static double bsilu_second(const sugar_kernels *kernels, const double *p, double x)
{
    return (x + p[0]) * tanh_of(kernels, x / 2) - 2;
}

/* multi_gaussian_spike is even in the distance d from the threshold. With u = d / sigma and v = u / s^2 its derivative
 * by u has, at u > 0, the sign of
 *     (2h / s^3) exp(-1 / (2 s^2)) (cosh(v) - sinh(v) / u) - (1 + h) exp(-u^2 (1 - 1/s^2) / 2).
 * The first term rises with u and the second one falls, so there is one root. Here both are divided by exp(v). */
static double multi_gaussian_second(const sugar_kernels *kernels, const double *p, double u)
{
    const double h = p[1], s = p[2], v = u / (s * s), e = exp_of_negative(kernels, -2 * v);
    const double wide = 2 * h / (s * s * s) * exp_of_negative(kernels, -0.5 / (s * s));
    const double narrow = (1 + h) * exp_of_negative(kernels, -u * u * (1 - 1 / (s * s)) / 2 - v);
    return wide * ((1 + e) / 2 - (1 - e) / (2 * u)) - narrow;
}

/* A derivative that only falls or only rises on each side of 0 has no such points. Those of a table are its own. */
static points find_points(const sugar_kernels *kernels, const rounded_function *f)
{
    const double *p = f->parameter, minus[SUGAR_MAX_PARAMETERS] = {-p[0]};
    points all = {0};
    switch (f->kind) {
    case SUGAR_KIND_relu6: add(&all, 6); break;
    case SUGAR_KIND_threshold: add(&all, p[0]); break;
    case SUGAR_KIND_softshrink:
    case SUGAR_KIND_hardshrink:
    case SUGAR_KIND_piecewise_leaky_relu_spike:
    case SUGAR_KIND_box_spike: add_both(&all, p[0]); break;
    case SUGAR_KIND_hardtanh:
        add(&all, p[0]);
        add(&all, p[1]);
        break;
    case SUGAR_KIND_sparse_sigmoid: add_both(&all, 1); break;
    case SUGAR_KIND_hardsigmoid:
    case SUGAR_KIND_hardswish: add_both(&all, 3); break;
    case SUGAR_KIND_nelu: add(&all, -0.57735026918962576); break;       /* 1 - 3 x^2 = 0 */
    case SUGAR_KIND_sin: add_both(&all, 3.1415926535897931 / p[0]); break;
    case SUGAR_KIND_snake:
        add_both(&all, 0.78539816339744828 / p[0]);     /* sin(2 alpha x) = 1 or -1 */
        add_both(&all, 2.3561944901923448 / p[0]);
        break;
    case SUGAR_KIND_lisht: add_both(&all, 1.1996786402577338); break;       /* x tanh(x) = 1 */
    case SUGAR_KIND_hard_mish: add(&all, -2); break;
    case SUGAR_KIND_bounded_relu:
        add(&all, p[0]);
        add(&all, p[1]);
        break;
    case SUGAR_KIND_clipped_linear:
    case SUGAR_KIND_clipped_gate:
        add(&all, -p[1] / p[0]);
        add(&all, (1 - p[1]) / p[0]);
        break;
    case SUGAR_KIND_gelu: add_both(&all, 1.4142135623730951); break;    /* gelu'' = phi(x) (2 - x^2) */
    case SUGAR_KIND_gelu_tanh: add_both(&all, 1.4185040087908284); break;
    case SUGAR_KIND_silu: add_both(&all, 2.3993572805154677 / p[0]); break;     /* y tanh(y/2) = 2 */
    case SUGAR_KIND_mish:
        add(&all, 1.4905711794854285);
        add(&all, -2.2563763963607931);
        break;
    case SUGAR_KIND_bsilu:
        add(&all, find_root(bsilu_second, kernels, p, 0, 3));
        add(&all, -find_root(bsilu_second, kernels, minus, p[0], p[0] + 3));
        break;
    case SUGAR_KIND_multi_gaussian_spike:
        add_both(&all, p[0] * find_root(multi_gaussian_second, kernels, p, 0, 1000));
        add(&all, 0);
        break;
    case SUGAR_KIND_sparse_fast_sigmoid_spike:
        add(&all, 0);
        add(&all, p[1]);
        break;
    case SUGAR_KIND_rate_escape_spike: add(&all, p[2]); break;
    case SUGAR_KIND_atan_spike:
    case SUGAR_KIND_fast_sigmoid_spike:
    case SUGAR_KIND_slayer_spike:
    case SUGAR_KIND_triangle_spike:
    case SUGAR_KIND_gaussian_spike:
    case SUGAR_KIND_super_spike:
    case SUGAR_KIND_nonzero_sign_log_abs_spike:
    case SUGAR_KIND_fake_numerical_gradient_spike:
    case SUGAR_KIND_log_tailed_relu_spike:
    case SUGAR_KIND_circ_spike:
    case SUGAR_KIND_q_pseudo_spike:
    case SUGAR_KIND_piecewise_quadratic_spike:
    case SUGAR_KIND_erf_spike:
    case SUGAR_KIND_tanh_spike:
    case SUGAR_KIND_s2nn_spike:
    case SUGAR_KIND_leaky_k_relu_spike:
    case SUGAR_KIND_sigmoid_spike: add(&all, 0); break;
    default: break;
    }
    return all;
}

/* ---- Bounds -------------------------------------------------------------------------------- */

typedef struct range {
    double low, high;
} range;

static const range nothing = {(double)INFINITY, -(double)INFINITY};

static range include(range r, double a) { return (range){a < r.low ? a : r.low, a > r.high ? a : r.high}; }

static range include_range(range r, range other) { return include(include(r, other.low), other.high); }

/* The x <= bound (side: -1) or x > bound (side: 1). */
typedef struct half_line {
    double bound;
    int side;
} half_line;

/* Includes f' at a point, and at a neighbour on each side, as the point itself is rounded; where they are on the half
 * line. */
static range include_point(range r, const sugar_kernels *kernels, const rounded_function *f, half_line where,
                           double point)
{
    for (int shift = -1; shift <= 1; shift++) {
        const double direction = shift < 0 ? -(double)INFINITY : (double)INFINITY;
        const double x = shift == 0 ? point : next_f64(point, direction);
        if ((where.side < 0) == (x <= where.bound))
            r = include(r, evaluate(kernels, f, x));
    }
    return r;
}

/* Includes f' of a table wherever it can have an extremum: at the knots, and where f'' of a polynomial is 0, whether
 * that is in its piece or not. */
static range include_pieces(range r, const sugar_kernels *kernels, const rounded_function *f, half_line where)
{
    for (size_t i = 0; i < f->table->count; i++) {
        const sugar_piece *piece = &f->table->pieces[i];
        const double flat = piece->knot - piece->square / (3 * piece->cube);
        r = include_point(r, kernels, f, where, piece->knot);
        if (isfinite(flat))
            r = include_point(r, kernels, f, where, flat);
    }
    return r;
}

/* The range of a derivative on a half line. */
static range range_of_side(const sugar_kernels *kernels, const rounded_function *f, double bound, int side)
{
    const half_line where = {bound, side};
    const double nearest = side < 0 ? bound : next_f64(bound, (double)INFINITY);
    range r = include(nothing, evaluate(kernels, f, nearest));
    if (f->kind == SUGAR_KIND_snake)        /* between two numbers */
        r = include(r, 0);
    r = include(r, evaluate(kernels, f, side < 0 ? -(double)INFINITY : (double)INFINITY));
    const points all = find_points(kernels, f);
    for (int i = 0; i < all.count; i++)
        r = include_point(r, kernels, f, where, all.x[i]);
    return f->kind == SUGAR_KIND_table ? include_pieces(r, kernels, f, where) : r;
}

/* t a + u b. A range whose factor is 0 may be infinite, and is left out. */
static range mix(double t, range a, double u, range b)
{
    if (!(u > 0))
        return a;
    if (!(t > 0))
        return b;
    return (range){t * a.low + u * b.low, t * a.high + u * b.high};
}

/* The functions of an activation in one element type. */
typedef struct functions {
    rounded_function surrogate, forward;
    double shift, t, u;
    bool negative_only;
} functions;

static range range_of_mixed(const sugar_kernels *kernels, const functions *f, int side)
{
    const range own = range_of_side(kernels, &f->forward, 0, side);
    if (f->negative_only && side > 0)
        return own;
    return mix(f->t, range_of_side(kernels, &f->surrogate, 0 - f->shift, side), f->u, own);
}

static functions functions_in(const sugar_activation *a, sugar_element element)
{
    const sugar_passes *passes = &a->passes[element];
    functions f = {
        .surrogate.kind = passes->blend > 0 ? a->parsed.surrogate.kind : a->parsed.forward.kind,
        .surrogate.table = passes->surrogate_parameters.table,
        .forward.kind = a->parsed.forward.kind,
        .forward.table = passes->forward_parameters.table,
        .shift = sugar_real_get(element, &passes->surrogate_parameters, SUGAR_SHIFT),
        .t = passes->blend,
        .u = passes->rest,
        .negative_only = a->parsed.negative_only,
    };
    for (int i = 0; i < SUGAR_MAX_PARAMETERS; i++) {
        f.surrogate.parameter[i] = sugar_real_get(element, &passes->surrogate_parameters, i);
        f.forward.parameter[i] = sugar_real_get(element, &passes->forward_parameters, i);
    }
    return f;
}

/* Not inlined: where gcc 12.2 vectorises, it drops a conversion to f32 and back. */
static __attribute__((noinline)) float narrow(double a) { return (float)a; }

/* a rounded to f32, towards `direction`, an infinity. -0 becomes 0. */
static double round_outwards(double a, float direction)
{
    const float nearest = narrow(a);
    const bool is_inside = direction < 0 ? (double)nearest > a : (double)nearest < a;
    return (double)(is_inside ? next_f32(nearest, direction) : nearest + 0);
}

/* ---- Two values ---------------------------------------------------------------------------- */

/* Whether a derivative has no more than two values for x <= bound (side: -1) or x > bound (side: 1), and so is
 * constant between jumps. */
static bool is_piecewise_constant(const sugar_kernels *kernels, const rounded_function *f, double bound, int side)
{
    const range r = range_of_side(kernels, f, bound, side);
    return (sugar_kind_capabilities(f->kind) & SUGAR_CAN_SAVE_BIT) || r.low >= r.high;
}

static bool is_gradient_piecewise_constant(const sugar_kernels *kernels, const functions *f)
{
    bool constant = true;
    for (int side = -1; side <= 1; side += 2) {
        const bool only_own = f->negative_only && side > 0;
        constant = constant && (only_own || is_piecewise_constant(kernels, &f->surrogate, 0 - f->shift, side));
        constant = constant && (!(only_own || f->u > 0) || is_piecewise_constant(kernels, &f->forward, 0, side));
    }
    return constant;
}

/* Where g' can jump: at 0, and where one of the two derivatives does. */
enum { MOST_JUMPS = 1 + 2 * MOST_POINTS };
static int find_jumps(const sugar_kernels *kernels, const functions *f, double *x)
{
    const points surrogate = find_points(kernels, &f->surrogate), forward = find_points(kernels, &f->forward);
    int count = 0;
    x[count++] = 0;
    for (int i = 0; i < surrogate.count; i++)
        x[count++] = surrogate.x[i] + f->shift;
    for (int i = 0; i < forward.count; i++)
        x[count++] = forward.x[i];
    return count;
}

/* g' at n <= MOST_SAMPLES numbers, by the kernels for f32 or f64, whose elements are reals. */
enum { MOST_SAMPLES = 2 * MOST_JUMPS + 2 };
static void find_gradients(const sugar_activation *a, sugar_element element, int n, const double *x, double *d)
{
    const sugar_passes *passes = &a->passes[element];
    SUGAR_REALS(MOST_SAMPLES) inputs, ones, surrogate, own_derivative, gradients;
    for (int i = 0; i < n; i++) {
        sugar_real_set(element, &inputs, i, x[i]);
        sugar_real_set(element, &ones, i, 1);
    }
    passes->surrogate_derivative(&passes->surrogate_parameters, &inputs, &surrogate, (size_t)n);
    if (passes->own_derivative)
        passes->own_derivative(&passes->forward_parameters, &inputs, &own_derivative, (size_t)n);
    const sugar_combination combination = {
        .x = &inputs,
        .surrogate = &surrogate,
        .own = passes->own_derivative ? &own_derivative : NULL,
        .blend = passes->blend,
        .rest = passes->rest,
        .negative_only = a->parsed.negative_only,
    };
    passes->combine(&combination, &ones, &gradients, (size_t)n);
    for (int i = 0; i < n; i++)
        d[i] = sugar_real_get(element, &gradients, i);
}

/* Where g' is constant between jumps, all its values are found at the jumps, right above each of them and at the
 * infinities. */
static sugar_two_values find_two_values(const sugar_activation *a, sugar_element element, const functions *f)
{
    const sugar_kernels *kernels = a->level->kernels[SUGAR_F64];
    double jump[MOST_JUMPS], x[MOST_SAMPLES] = {-(double)INFINITY, (double)INFINITY}, d[MOST_SAMPLES];
    if (!is_gradient_piecewise_constant(kernels, f))
        return (sugar_two_values){false, 0, 0};
    int n = 2;
    for (int i = find_jumps(kernels, f, jump) - 1; i >= 0; i--) {
        x[n++] = sugar_real_round(element, jump[i]);
        x[n++] = next_real(element, jump[i], (double)INFINITY);
    }
    find_gradients(a, element, n, x, d);
    sugar_two_values v = {true, d[0], d[0]};
    for (int i = 1; i < n; i++) {
        v.lower = d[i] < v.lower ? d[i] : v.lower;
        v.upper = d[i] > v.upper ? d[i] : v.upper;
    }
    for (int i = 0; i < n; i++)
        v.are_all = v.are_all && (d[i] <= v.lower || d[i] >= v.upper);
    return v;
}

void sugar_find_range(sugar_activation *activation)
{
    const sugar_kernels *kernels = activation->level->kernels[SUGAR_F64];
    const functions precise = functions_in(activation, SUGAR_F64), rounded = functions_in(activation, SUGAR_F32);
    range r = nothing;
    for (int side = -1; side <= 1; side += 2) {
        r = include_range(r, range_of_mixed(kernels, &precise, side));
        r = include_range(r, range_of_mixed(kernels, &rounded, side));
    }
    activation->minimum = round_outwards(r.low, -INFINITY);
    activation->maximum = round_outwards(r.high, INFINITY);
    const sugar_two_values values = find_two_values(activation, SUGAR_F32, &rounded);
    for (int element = 0; element < SUGAR_ELEMENT_COUNT; element++)
        activation->passes[element].values = values;
    activation->passes[SUGAR_F64].values = find_two_values(activation, SUGAR_F64, &precise);
}
