/* The second reference, in double arithmetic; see fast.h.
 *
 * Formulas are written without cancellation, like those of reference.c but in forms that suit double:
 * exponents are cut off at 300, where f32 has long become 0 or infinity and products of a few factors
 * still do not overflow. Nothing here is taken from the library. */
#include "fast.h"

#include "../support/support.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX2__
enum { LANES = 4 };
#else
enum { LANES = 2 };
#endif
typedef double vec __attribute__((vector_size(LANES * 8)));
typedef int64_t mask __attribute__((vector_size(LANES * 8)));
typedef float narrow __attribute__((vector_size(LANES * 4)));

int fast_usable(void)
{
#ifdef __AVX2__
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 1;
#endif
}

/* ---- Building blocks -------------------------------------------------------------------------- */

/* The vector functions of glibc's libmvec, or one call of libm per lane. */
#ifdef HAVE_LIBMVEC
#define ELEMENTARY(name)                                                                                               \
    vec _ZGVdN4v_##name(vec x);                                                                                        \
    static inline vec v_##name(vec x) { return _ZGVdN4v_##name(x); }
#else
#define ELEMENTARY(name) LANE_BY_LANE(name)
#endif
#define LANE_BY_LANE(name)                                                                                             \
    static inline vec v_##name(vec x)                                                                                  \
    {                                                                                                                  \
        for (int i = 0; i < LANES; i++)                                                                                \
            x[i] = name(x[i]);                                                                                         \
        return x;                                                                                                      \
    }
ELEMENTARY(exp)
ELEMENTARY(expm1)
ELEMENTARY(log1p)
ELEMENTARY(erfc)
LANE_BY_LANE(sqrt)
LANE_BY_LANE(atan)
/* libmvec's are not as exact next to their zeros. */
LANE_BY_LANE(sin)
LANE_BY_LANE(cos)

static inline vec all(double x) { return (vec){0} + x; }
static inline vec choose(mask m, vec yes, vec no) { return (vec)((m & (mask)yes) | (~m & (mask)no)); }
static inline vec lesser(vec a, vec b) { return choose((mask)(a < b), a, b); }
static inline vec greater(vec a, vec b) { return choose((mask)(a > b), a, b); }
static inline vec magnitude(vec x) { return (vec)((mask)x & INT64_MAX); }
static inline vec when(mask m) { return choose(m, all(1), all(0)); }

static const double pi = 3.14159265358979323846;

static inline vec clipped(vec x) { return lesser(greater(x, all(-300)), all(300)); }
static inline vec exponential(vec x) { return v_exp(clipped(x)); }
static inline vec exponential_minus_1(vec x) { return v_expm1(clipped(x)); }
static inline vec logistic(vec x) { return 1 / (1 + exponential(-x)); }
static inline vec log1p_exp(vec x) { return greater(x, all(0)) + v_log1p(exponential(-magnitude(x))); }
static inline vec distribution(vec x) { return 0.5 * v_erfc(lesser(greater(x * -sqrt(0.5), all(-9)), all(20))); }
static inline vec density(vec x, double deviation)
{
    vec z = x / deviation;
    return exponential(-0.5 * z * z) / (deviation * sqrt(2 * pi));
}
static inline vec hyperbolic_tangent(vec x)
{
    vec e = exponential_minus_1(-2 * magnitude(x)), t = e / (2 + e);
    return choose((mask)(x < 0), t, -t);
}

#define FUNCTION(name) static vec name(vec x, __attribute__((unused)) const double *p)

/* ---- Made of straight pieces ------------------------------------------------------------------ */

FUNCTION(identity_value) { return x; }
FUNCTION(one) { return 0 * x + 1; }
FUNCTION(zero) { return 0 * x; }
FUNCTION(relu_value) { return greater(x, all(0)); }
FUNCTION(relu_derivative) { return when((mask)(x > 0)); }
FUNCTION(relu6_value) { return lesser(greater(x, all(0)), all(6)); }
FUNCTION(relu6_derivative) { return when((mask)(x > 0) & (mask)(x < 6)); }
FUNCTION(relu_squared_value)
{
    vec r = relu_value(x, p);
    return r * r;
}
FUNCTION(relu_squared_derivative) { return 2 * relu_value(x, p); }
FUNCTION(threshold_value) { return choose((mask)(x > p[0]), x, all(p[1])); }
FUNCTION(threshold_derivative) { return when((mask)(x > p[0])); }
FUNCTION(leaky_value) { return choose((mask)(x > 0), x, p[0] * x); }
FUNCTION(leaky_derivative) { return choose((mask)(x > 0), all(1), all(p[0])); }
FUNCTION(leaky_parameter_derivative) { return lesser(x, all(0)); }
FUNCTION(rrelu_value) { return choose((mask)(x > 0), x, x * ((p[0] + p[1]) / 2)); }
FUNCTION(rrelu_derivative) { return choose((mask)(x > 0), all(1), all((p[0] + p[1]) / 2)); }
FUNCTION(softshrink_value) { return greater(x - p[0], all(0)) + lesser(x + p[0], all(0)); }
FUNCTION(shrink_derivative) { return when((mask)(magnitude(x) > p[0])); }
FUNCTION(hardshrink_value) { return choose((mask)(magnitude(x) > p[0]), x, all(0)); }
FUNCTION(hardtanh_value) { return lesser(greater(x, all(p[0])), all(p[1])); }
FUNCTION(hardtanh_derivative) { return when((mask)(x > p[0]) & (mask)(x < p[1])); }
FUNCTION(hardsigmoid_value) { return lesser(greater(x + 3, all(0)), all(6)) / 6; }
FUNCTION(hardsigmoid_derivative) { return when((mask)(x > -3) & (mask)(x < 3)) / 6; }
FUNCTION(hardswish_value) { return x * hardsigmoid_value(x, p); }
FUNCTION(hardswish_derivative)
{
    return choose((mask)(x <= -3), all(0), choose((mask)(x < 3), (2 * x + 3) / 6, all(1)));
}
FUNCTION(abs_value) { return magnitude(x); }
FUNCTION(square_value) { return x * x; }
FUNCTION(square_derivative) { return 2 * x; }
FUNCTION(abs_derivative) { return when((mask)(x > 0)) - when((mask)(x < 0)); }
FUNCTION(heaviside_value) { return choose((mask)(x == p[0]), all(p[1]), threshold_derivative(x, p)); }
FUNCTION(sign_value) { return choose((mask)(x == 0), all(p[0]), abs_derivative(x, p)); }
FUNCTION(triangle_spike_derivative) { return p[0] * greater(1 - magnitude(x), all(0)); }
FUNCTION(box_spike_derivative) { return when((mask)(magnitude(x) <= p[0])); }
FUNCTION(piecewise_quadratic_spike_derivative) { return triangle_spike_derivative(p[0] * x, p); }
FUNCTION(leaky_k_relu_spike_derivative) { return choose((mask)(x < 0), all(p[0]), all(p[1])); }
FUNCTION(piecewise_leaky_relu_spike_derivative)
{
    return choose((mask)(magnitude(x) < p[0]), all(0.5 / p[0]), all(p[1]));
}

FUNCTION(hard_mish_value) { return x * lesser(greater(x + 2, all(0)), all(2)) / 2; }
FUNCTION(hard_mish_derivative) { return choose((mask)(x < -2), all(0), lesser(x + 1, all(1))); }
FUNCTION(sparse_sigmoid_value) { return lesser(greater(x + 1, all(0)), all(2)) / 2; }
FUNCTION(sparse_sigmoid_derivative) { return when((mask)(x > -1) & (mask)(x < 1)) / 2; }
FUNCTION(sparse_plus_value)
{
    vec r = sparse_sigmoid_value(x, p);
    return choose((mask)(x > 1), x, r * r);
}
FUNCTION(linear_value) { return p[0] * x + p[1]; }
FUNCTION(linear_derivative) { return 0 * x + p[0]; }
FUNCTION(bounded_relu_value) { return choose((mask)(x > p[0]), lesser(x, all(p[1])), p[2] * (x - p[0])); }
FUNCTION(bounded_relu_derivative) { return choose((mask)(x > p[0]), when((mask)(x < p[1])), all(p[2])); }
FUNCTION(clipped_linear_value) { return lesser(greater(p[0] * x + p[1], all(0)), all(1)); }
FUNCTION(clipped_linear_derivative) { return p[0] * when((mask)(p[0] * x > -p[1]) & (mask)(p[0] * x < 1 - p[1])); }
FUNCTION(clipped_gate_value) { return x * clipped_linear_value(x, p); }
FUNCTION(clipped_gate_derivative)
{
    vec y = p[0] * x;
    return choose((mask)(y <= -p[1]), all(0), choose((mask)(y < 1 - p[1]), 2 * y + p[1], all(1)));
}
/* ---- Rational and algebraic ------------------------------------------------------------------- */

static inline vec inverse_square(vec z) { return 1 / (z * z); }

FUNCTION(softsign_value) { return x / (1 + magnitude(x)); }
FUNCTION(softsign_derivative) { return inverse_square(1 + magnitude(x)); }
FUNCTION(squareplus_value)
{
    vec sum = v_sqrt(x * x + p[0]) + magnitude(x);
    return choose((mask)(x > 0), sum / 2, p[0] / (2 * sum));
}
FUNCTION(squareplus_derivative)
{
    vec root = v_sqrt(x * x + p[0]), sum = root + magnitude(x);
    return choose((mask)(x > 0), sum / (2 * root), p[0] / (2 * root * sum));
}
FUNCTION(squareplus_parameter_derivative) { return 0.25 / v_sqrt(x * x + p[0]); }
FUNCTION(nelu_parameter_derivative) { return choose((mask)(x > 0), all(0), x * x / (1 + x * x)); }
FUNCTION(nelu_value) { return choose((mask)(x > 0), x, p[0] * (x * x) / (1 + x * x)); }
FUNCTION(nelu_derivative) { return choose((mask)(x > 0), all(1), 2 * p[0] * x * inverse_square(1 + x * x)); }
FUNCTION(fast_sigmoid_spike_derivative) { return inverse_square(1 + p[0] * magnitude(x)); }
FUNCTION(atan_spike_derivative)
{
    vec z = pi * p[0] / 2 * x;
    return p[0] / 2 / (1 + z * z);
}
FUNCTION(super_spike_derivative) { return p[0] * inverse_square(1 + p[1] * magnitude(x)); }
FUNCTION(sparse_fast_sigmoid_spike_derivative)
{
    return choose((mask)(x > p[1]), inverse_square(1 + p[0] * magnitude(x)), all(0));
}
FUNCTION(nonzero_sign_log_abs_spike_derivative) { return p[0] / (1 + p[0] * magnitude(x)); }
FUNCTION(fake_numerical_gradient_spike_derivative)
{
    return choose((mask)(p[0] * magnitude(x) < 1), all(p[0]), 1 / magnitude(x));
}
FUNCTION(log_tailed_relu_spike_derivative) { return choose((mask)(x > 0), 1 / greater(x, all(1)), all(p[0])); }
FUNCTION(circ_spike_derivative)
{
    vec z = x / p[0], w = 1 + z * z;
    return 1 / (w * v_sqrt(w));
}

/* ---- Exponential ------------------------------------------------------------------------------ */

FUNCTION(elu_value) { return choose((mask)(x > 0), x, p[0] * exponential_minus_1(x)); }
FUNCTION(elu_derivative) { return choose((mask)(x > 0), all(1), p[0] * exponential(x)); }
FUNCTION(celu_value) { return choose((mask)(x > 0), x, p[0] * exponential_minus_1(x / p[0])); }
FUNCTION(celu_derivative) { return choose((mask)(x > 0), all(1), exponential(x / p[0])); }

FUNCTION(elu_parameter_derivative) { return exponential_minus_1(lesser(x, all(0))); }
/* expm1(u) - u exp(u), by its Maclaurin series where that cancels. */
FUNCTION(celu_parameter_derivative)
{
    vec u = greater(lesser(x / p[0], all(0)), all(-300)), e = exponential_minus_1(u);
    vec series = 1 / 2.0 + u * (1 / 3.0 + u * (1 / 8.0 + u * (1 / 30.0 + u * (1 / 144.0 + u / 840.0))));
    return choose((mask)(u > -0.01), -u * u * series, e - u * (1 + e));
}

static const double selu_lambda = 1.0507009873554805, selu_alpha = 1.6732632423543772;
FUNCTION(selu_value) { return selu_lambda * elu_value(x, &selu_alpha); }
FUNCTION(selu_derivative) { return selu_lambda * elu_derivative(x, &selu_alpha); }
FUNCTION(slayer_spike_derivative) { return p[1] * p[0] / 2 * exponential(-p[0] * magnitude(x)); }
FUNCTION(q_pseudo_spike_derivative) { return exponential(-p[0] * v_log1p(2 / (p[0] - 1) * magnitude(x))); }
FUNCTION(rate_escape_spike_derivative) { return p[1] * exponential(-p[0] * magnitude(x - p[2])); }

/* In long double where terms cancel, and the first two of them in one rounding. */
static double xielu_negative(double x, const double *p, bool slope)
{
    const long double z = (long double)x, e = expm1l(z), alpha = (long double)p[1], beta = (long double)p[2];
    if (slope)
        return (double)(p[1] == p[2] ? alpha * expl(z) : alpha * e + beta);
    if (x < -0.005)
        return (double)(alpha * (e - z) + beta * z);
    const long double rest = 1 / 6.0L + z * (1 / 24.0L + z * (1 / 120.0L + z / 720 * (1 + z / 7 * (1 + z / 8))));
    return (double)(fmal(alpha * z / 2, z, beta * z) + alpha * z * z * z * rest);
}
static vec xielu_careful(vec y, vec x, mask cancels, const double *p, bool slope)
{
    for (int i = 0; i < LANES; i++)
        if (cancels[i] && x[i] <= 0)
            y[i] = xielu_negative(greater(x, all(-300))[i], p, slope);
    return y;
}
FUNCTION(xielu_value)
{
    vec z = lesser(x, all(0)), series = 1 / 2.0 + z * (1 / 6.0 + z * (1 / 24.0 + z * (1 / 120.0 + z / 720.0)));
    vec curve = choose((mask)(z > -0.005), z * z * series, exponential_minus_1(z) - z);
    vec below = p[1] * curve + p[2] * z;
    below = xielu_careful(below, x, (mask)(magnitude(below) < magnitude(p[2] * z) / 64), p, false);
    return choose((mask)(x > 0), x * (p[0] * x + p[2]), below);
}
FUNCTION(xielu_derivative)
{
    vec below = p[1] * exponential_minus_1(lesser(x, all(0))) + p[2];
    below = xielu_careful(below, x, (mask)(magnitude(below) < fabs(p[2]) / 64), p, true);
    return choose((mask)(x > 0), 2 * p[0] * x + p[2], below);
}

/* ---- Logistic --------------------------------------------------------------------------------- */

FUNCTION(sigmoid_value) { return logistic(x); }
FUNCTION(sigmoid_derivative) { return logistic(x) * logistic(-x); }
FUNCTION(sigmoid_spike_derivative) { return p[0] * sigmoid_derivative(p[0] * x, p); }
FUNCTION(log_sigmoid_value) { return -log1p_exp(-x); }
FUNCTION(log_sigmoid_derivative) { return logistic(-x); }
FUNCTION(softplus_value) { return log1p_exp(p[0] * x) / p[0]; }
FUNCTION(softplus_derivative) { return logistic(p[0] * x); }
FUNCTION(silu_value) { return x * logistic(p[0] * x); }
FUNCTION(silu_derivative)
{
    vec z = p[0] * x;
    return logistic(z) * (1 + z * logistic(-z));
}
FUNCTION(bsilu_value) { return x * logistic(x) + p[0] / 2 * hyperbolic_tangent(x / 2); }
FUNCTION(bsilu_derivative) { return logistic(x) * (1 + (x + p[0]) * logistic(-x)); }

FUNCTION(silu_parameter_derivative) { return x * x * sigmoid_derivative(p[0] * x, p); }
FUNCTION(softplus_parameter_derivative)
{
    vec a = magnitude(p[0] * x);
    return -(a * logistic(-a) + log1p_exp(-a)) / (p[0] * p[0]);
}
FUNCTION(bsilu_parameter_derivative) { return hyperbolic_tangent(x / 2) / 2; }
FUNCTION(s2nn_spike_derivative)
{
    return choose((mask)(x < 0), sigmoid_spike_derivative(x, p), p[1] / (1 + greater(x, all(0))));
}

/* ---- Hyperbolic ------------------------------------------------------------------------------- */

FUNCTION(tanh_value) { return hyperbolic_tangent(x); }
FUNCTION(tanh_derivative) { return 4 * sigmoid_derivative(2 * x, p); }
FUNCTION(tanhshrink_derivative)
{
    vec t = tanh_value(x, p);
    return t * t;
}
/* The Maclaurin series where the difference would cancel. */
FUNCTION(tanhshrink_value)
{
    vec q = x * x;
    vec tail = 17 / 315.0 - q * (62 / 2835.0 - q * (1382 / 155925.0));
    vec series = x * q * (1 / 3.0 - q * (2 / 15.0 - q * tail));
    return choose((mask)(magnitude(x) < 0.06), series, x - tanh_value(x, p));
}
/* With e = exp(x) and w = e (e + 2): tanh(log1p(e)) = w / (w + 2). Beyond 80 that is 1, and what
 * is added in the derivative is 0 to double. */
FUNCTION(mish_value)
{
    vec e = exponential(lesser(x, all(80))), w = e * (e + 2);
    return x * (w / (w + 2));
}
FUNCTION(mish_derivative)
{
    vec e = exponential(lesser(x, all(80))), w = e * (e + 2);
    return w / (w + 2) + x * (4 * e * (1 + e)) * inverse_square(w + 2);
}
FUNCTION(tanh_spike_derivative) { return tanh_derivative(p[0] * x, p); }

/* ---- Periodic --------------------------------------------------------------------------------- */

FUNCTION(sin_value) { return v_sin(p[0] * x); }
FUNCTION(sin_derivative) { return p[0] * v_cos(p[0] * x); }

FUNCTION(snake_value)
{
    vec sine = v_sin(p[0] * x);
    return x + sine * sine / p[0];
}
/* 1 + s = c^2 / (1 - s) */
FUNCTION(snake_derivative)
{
    vec sine = v_sin(2 * p[0] * x), cosine = v_cos(2 * p[0] * x);
    return choose((mask)(sine > 0), 1 + sine, cosine * cosine / (1 - sine));
}

FUNCTION(arctan_value) { return v_atan(x); }
FUNCTION(arctan_derivative) { return 1 / (1 + x * x); }

FUNCTION(lisht_value) { return x * tanh_value(x, p); }
FUNCTION(lisht_derivative) { return tanh_value(x, p) + clipped(x) * tanh_derivative(clipped(x), p); }

/* With t = expm1(-a), a = |x|: cosh(a) - 1 = t^2 / (2 (1 + t)). */
FUNCTION(logcosh_value)
{
    vec a = magnitude(x), t = exponential_minus_1(-lesser(a, all(3))), e = exponential(-2 * a);
    return choose((mask)(a < 2), v_log1p(t * t / (2 * (1 + t))), a - 0.69314718055994531 + v_log1p(e));
}

/* Not cut off above: infinity is a result. */
FUNCTION(exponential_value) { return v_exp(greater(x, all(-300))); }

/* ---- The normal distribution ------------------------------------------------------------------ */

FUNCTION(gelu_value) { return x * distribution(x); }
FUNCTION(gelu_derivative) { return distribution(x) + x * density(x, 1); }

static inline vec gelu_tanh_argument(vec x) { return sqrt(8 / pi) * (x * (1 + 0.044715 * (x * x))); }
FUNCTION(gelu_tanh_value) { return x * logistic(gelu_tanh_argument(x)); }
/* Beyond 40 the logistic function is cut off, and x^3 must not outgrow it. */
FUNCTION(gelu_tanh_derivative)
{
    x = lesser(greater(x, all(-40)), all(40));
    vec u = gelu_tanh_argument(x), slope = sqrt(8 / pi) * (1 + 0.134145 * (x * x));
    return logistic(u) + x * slope * sigmoid_derivative(u, p);
}
FUNCTION(gaussian_spike_derivative) { return density(x, p[0]); }
FUNCTION(multi_gaussian_spike_derivative)
{
    double wide = p[0] * p[2];
    return (1 + p[1]) * density(x, p[0]) - p[1] * (density(x - p[0], wide) + density(x + p[0], wide));
}
FUNCTION(erf_spike_derivative)
{
    vec z = p[0] * x;
    return p[1] * p[0] / sqrt(pi) * exponential(-z * z);
}

/* The table of support.h, in the basis of Hermite. */
static vec piece_value(vec x, const double *a, const double *b)
{
    const double h = b[0] - a[0];
    vec t = (x - a[0]) / h, w = (b[0] - x) / h;
    return w * w * (a[1] * (1 + 2 * t) + a[2] * h * t) + t * t * (b[1] * (1 + 2 * w) - b[2] * h * w);
}
static vec piece_derivative(vec x, const double *a, const double *b)
{
    const double h = b[0] - a[0];
    vec t = (x - a[0]) / h, w = (b[0] - x) / h;
    return 6 * ((b[1] - a[1]) / h) * (t * w) + a[2] * w * (w - 2 * t) + b[2] * t * (t - 2 * w);
}
FUNCTION(table_value)
{
    const double *row = example_table;
    vec y = row[1] + row[2] * (x - row[0]);
    for (int i = 1; i < EXAMPLE_KNOTS; i++, row += 3)
        y = choose((mask)(x >= row[0]), piece_value(x, row, row + 3), y);
    return choose((mask)(x >= row[0]), row[1] + row[2] * (x - row[0]), y);
}
FUNCTION(table_derivative)
{
    const double *row = example_table;
    vec d = all(row[2]);
    for (int i = 1; i < EXAMPLE_KNOTS; i++, row += 3)
        d = choose((mask)(x >= row[0]), piece_derivative(x, row, row + 3), d);
    return choose((mask)(x >= row[0]), all(row[2]), d);
}

static vec piece_second(vec x, const double *a, const double *b)
{
    const double h = b[0] - a[0];
    vec t = (x - a[0]) / h, w = (b[0] - x) / h;
    return (6 * ((b[1] - a[1]) / h) * (w - t) + a[2] * (2 * t - 4 * w) + b[2] * (4 * t - 2 * w)) / h;
}

/* ---- Second derivatives ------------------------------------------------------------------------ */

#define ZERO_SECOND(name)                                                                                              \
    FUNCTION(name##_second) { return 0 * x; }
ZERO_SECOND(identity)
ZERO_SECOND(relu)
ZERO_SECOND(relu6)
ZERO_SECOND(threshold)
ZERO_SECOND(leaky_relu)
ZERO_SECOND(prelu)
ZERO_SECOND(rrelu)
ZERO_SECOND(softshrink)
ZERO_SECOND(hardshrink)
ZERO_SECOND(hardtanh)
ZERO_SECOND(hardsigmoid)
ZERO_SECOND(heaviside)
ZERO_SECOND(sign)
ZERO_SECOND(box_spike)

static inline vec sign_of(vec x) { return when((mask)(x > 0)) - when((mask)(x < 0)); }

FUNCTION(relu_squared_second) { return 2 * relu_derivative(x, p); }
FUNCTION(hardswish_second) { return when((mask)(magnitude(x) < 3)) / 3; }
FUNCTION(triangle_spike_second) { return -p[0] * sign_of(x) * when((mask)(magnitude(x) < 1)); }
static inline vec inverse_cube(vec z) { return inverse_square(z) / z; }
FUNCTION(softsign_second) { return -2 * sign_of(x) * inverse_cube(1 + magnitude(x)); }
static inline vec inverse_square_slope(vec x, double slope)
{
    return -2 * slope * sign_of(x) * inverse_cube(1 + slope * magnitude(x));
}
FUNCTION(fast_sigmoid_spike_second) { return inverse_square_slope(x, p[0]); }
FUNCTION(squareplus_second) { return p[0] / 2 * inverse_cube(v_sqrt(x * x + p[0])); }
FUNCTION(nelu_second)
{
    vec inverse = 1 / (1 + x * x);
    return choose((mask)(x > 0), all(0), 2 * p[0] * (1 - 3 * x * x) * inverse * inverse * inverse);
}
FUNCTION(atan_spike_second)
{
    double k = pi * p[0] / 2;
    return -p[0] * k * k * x * inverse_square(1 + k * k * x * x);
}
FUNCTION(elu_second) { return when((mask)(x < 0)) * elu_derivative(x, p); }
FUNCTION(celu_second) { return when((mask)(x < 0)) * celu_derivative(x, p) / p[0]; }
FUNCTION(selu_second) { return when((mask)(x < 0)) * selu_derivative(x, p); }
FUNCTION(xielu_second) { return choose((mask)(x > 0), all(2 * p[0]), p[1] * exponential(x)); }
FUNCTION(slayer_spike_second) { return -p[0] * sign_of(x) * slayer_spike_derivative(x, p); }
FUNCTION(sigmoid_second) { return -sigmoid_derivative(x, p) * hyperbolic_tangent(x / 2); }
FUNCTION(sigmoid_spike_second) { return p[0] * p[0] * sigmoid_second(p[0] * x, p); }
FUNCTION(softplus_second) { return p[0] * sigmoid_derivative(p[0] * x, p); }
FUNCTION(log_sigmoid_second) { return -sigmoid_derivative(x, p); }
FUNCTION(bsilu_second) { return sigmoid_derivative(x, p) * (2 - (x + p[0]) * hyperbolic_tangent(x / 2)); }
FUNCTION(gelu_tanh_second)
{
    x = lesser(greater(x, all(-40)), all(40));
    vec w = gelu_tanh_argument(x), slope = sqrt(8 / pi) * (1 + 0.134145 * (x * x));
    vec rising = sqrt(8 / pi) * (2 + 4 * 0.134145 * (x * x));
    return sigmoid_derivative(w, p) * (rising - x * slope * slope * hyperbolic_tangent(w / 2));
}
FUNCTION(gelu_second) { return density(x, 1) * (2 - x * x); }
/* sech^2 = 4 (w + 1) / (w + 2)^2, with e and w as in mish_value. Beyond 100 all is 0 to f32. */
FUNCTION(mish_second)
{
    vec y = lesser(x, all(100)), e = exponential(y), w = e * (e + 2), s = logistic(y);
    vec t = w / (w + 2), sech_squared = 4 * (w + 1) * inverse_square(w + 2);
    return sech_squared * s * (2 + y * (logistic(-y) - 2 * t * s));
}
FUNCTION(gaussian_spike_second) { return -x / (p[0] * p[0]) * density(x, p[0]); }
/* The two wide slopes nearly cancel next to 0; there by the series of cosh(c) and sinh(c) / c, c = x / (s^2 sigma). */
FUNCTION(multi_gaussian_spike_second)
{
    double wide = p[0] * p[2], square = p[2] * p[2];
    vec right = gaussian_spike_second(x - p[0], &wide), left = gaussian_spike_second(x + p[0], &wide);
    vec outer = (1 + p[1]) * gaussian_spike_second(x, p) - p[1] * (right + left);
    vec q = x * x / (square * square * p[0] * p[0]);
    vec hyperbolic_cosine = 1 + q / 2 * (1 + q / 12 * (1 + q / 30 * (1 + q / 56 * (1 + q / 90))));
    vec sine_over_c = 1 + q / 6 * (1 + q / 20 * (1 + q / 42 * (1 + q / 72 * (1 + q / 110))));
    vec both = 2 * p[1] / square * exponential(all(-0.5 / square)) * (hyperbolic_cosine - sine_over_c / square);
    vec inner = -x / (p[0] * p[0]) * ((1 + p[1]) * density(x, p[0]) - both * density(x, wide));
    return choose((mask)(q < 1 / 16.0), inner, outer);
}

FUNCTION(silu_second)
{
    vec y = p[0] * x;
    return p[0] * sigmoid_derivative(y, p) * (2 - y * hyperbolic_tangent(y / 2));
}
FUNCTION(tanhshrink_second) { return 2 * tanh_value(x, p) * tanh_derivative(x, p); }
FUNCTION(tanh_second) { return -2 * tanh_value(x, p) * tanh_derivative(x, p); }

FUNCTION(table_second)
{
    const double *row = example_table;
    vec d = all(0);
    for (int i = 1; i < EXAMPLE_KNOTS; i++, row += 3)
        d = choose((mask)(x >= row[0]), piece_second(x, row, row + 3), d);
    return choose((mask)(x >= row[0]), all(0), d);
}

ZERO_SECOND(sparse_sigmoid)
ZERO_SECOND(abs)
ZERO_SECOND(linear)
ZERO_SECOND(bounded_relu)
ZERO_SECOND(clipped_linear)

FUNCTION(sin_second) { return -p[0] * p[0] * v_sin(p[0] * x); }
FUNCTION(snake_second) { return 2 * p[0] * v_cos(2 * p[0] * x); }
FUNCTION(arctan_second) { return -2 * x * inverse_square(1 + x * x); }
FUNCTION(lisht_second)
{
    x = clipped(x);
    return 2 * tanh_derivative(x, p) * (1 - x * tanh_value(x, p));
}
FUNCTION(logcosh_second) { return tanh_derivative(clipped(x), p); }
FUNCTION(exponential_second) { return exponential_value(x, p); }
FUNCTION(hard_mish_second) { return when((mask)(x >= -2) & (mask)(x < 0)); }
FUNCTION(sparse_plus_second) { return sparse_sigmoid_derivative(x, p); }
FUNCTION(square_second) { return 0 * x + 2; }
FUNCTION(clipped_gate_second) { return 2 * clipped_linear_derivative(x, p); }

FUNCTION(super_spike_second) { return p[0] * inverse_square_slope(x, p[1]); }
FUNCTION(sparse_fast_sigmoid_spike_second) { return choose((mask)(x > p[1]), inverse_square_slope(x, p[0]), all(0)); }
FUNCTION(nonzero_sign_log_abs_spike_second) { return -sign_of(x) * inverse_square(1 / p[0] + magnitude(x)); }
FUNCTION(fake_numerical_gradient_spike_second)
{
    return choose((mask)(p[0] * magnitude(x) < 1), all(0), -sign_of(x) * inverse_square(x));
}
FUNCTION(log_tailed_relu_spike_second) { return choose((mask)(x > 1), -inverse_square(x), all(0)); }
FUNCTION(circ_spike_second)
{
    vec z = x / p[0], w = 1 + z * z;
    return -3 / p[0] * z * inverse_square(w) / v_sqrt(w);
}
FUNCTION(q_pseudo_spike_second)
{
    vec w = 1 + 2 / (p[0] - 1) * magnitude(x);
    return 2 * p[0] / (p[0] - 1) * -sign_of(x) * q_pseudo_spike_derivative(x, p) / w;
}
FUNCTION(rate_escape_spike_second) { return p[0] * -sign_of(x - p[2]) * rate_escape_spike_derivative(x, p); }
FUNCTION(piecewise_quadratic_spike_second)
{
    return choose((mask)(p[0] * magnitude(x) < 1), p[0] * p[0] * -sign_of(x), all(0));
}
FUNCTION(erf_spike_second) { return -2 * p[0] * p[0] * x * erf_spike_derivative(x, p); }
FUNCTION(tanh_spike_second) { return p[0] * tanh_second(p[0] * x, p); }
FUNCTION(s2nn_spike_second)
{
    vec left = p[0] * hyperbolic_tangent(-p[0] / 2 * x) * sigmoid_spike_derivative(x, p);
    return choose((mask)(x < 0), left, -p[1] * inverse_square(1 + greater(x, all(0))));
}
ZERO_SECOND(leaky_k_relu_spike)
ZERO_SECOND(piecewise_leaky_relu_spike)

/* ---- The table -------------------------------------------------------------------------------- */

typedef vec fast_function(vec x, const double *p);
/* clang-format would break the braces open. */
/* clang-format off */
#define KIND(name) {#name, {name##_value, name##_derivative, NULL, name##_second}}
#define LEARNING(name)                                                                            \
    {#name, {name##_value, name##_derivative, name##_parameter_derivative, name##_second}}
#define SURROGATE(name) {#name, {NULL, name##_derivative, NULL, name##_second}}
/* clang-format on */
static const struct {
    const char *name;
    fast_function *function[DIRECTIONS];
} kinds[] = {
    {"identity", {identity_value, one, NULL, identity_second}},
    KIND(relu),
    KIND(relu6),
    KIND(relu_squared),
    KIND(threshold),
    {"leaky_relu", {leaky_value, leaky_derivative, leaky_parameter_derivative, leaky_relu_second}},
    {"prelu", {leaky_value, leaky_derivative, leaky_parameter_derivative, prelu_second}},
    KIND(rrelu),
    LEARNING(elu),
    LEARNING(celu),
    KIND(selu),
    KIND(gelu),
    KIND(gelu_tanh),
    LEARNING(silu),
    KIND(mish),
    LEARNING(softplus),
    LEARNING(squareplus),
    KIND(softsign),
    KIND(sigmoid),
    KIND(log_sigmoid),
    KIND(tanh),
    KIND(tanhshrink),
    {"softshrink", {softshrink_value, shrink_derivative, NULL, softshrink_second}},
    {"hardshrink", {hardshrink_value, shrink_derivative, NULL, hardshrink_second}},
    KIND(hardtanh),
    KIND(hardsigmoid),
    KIND(hardswish),
    LEARNING(bsilu),
    LEARNING(nelu),
    KIND(xielu),
    KIND(sin),
    KIND(snake),
    KIND(arctan),
    KIND(lisht),
    {"logcosh", {logcosh_value, tanh_value, NULL, logcosh_second}},
    {"exponential", {exponential_value, exponential_value, NULL, exponential_second}},
    KIND(hard_mish),
    {"sparse_plus", {sparse_plus_value, sparse_sigmoid_value, NULL, sparse_plus_second}},
    KIND(sparse_sigmoid),
    KIND(abs),
    KIND(square),
    KIND(linear),
    KIND(bounded_relu),
    KIND(clipped_linear),
    KIND(clipped_gate),
    {"heaviside", {heaviside_value, zero, NULL, heaviside_second}},
    {"sign", {sign_value, zero, NULL, sign_second}},
    KIND(table),
    SURROGATE(atan_spike),
    SURROGATE(fast_sigmoid_spike),
    SURROGATE(slayer_spike),
    SURROGATE(triangle_spike),
    SURROGATE(gaussian_spike),
    SURROGATE(multi_gaussian_spike),
    SURROGATE(sigmoid_spike),
    SURROGATE(box_spike),
    SURROGATE(super_spike),
    SURROGATE(sparse_fast_sigmoid_spike),
    SURROGATE(nonzero_sign_log_abs_spike),
    SURROGATE(fake_numerical_gradient_spike),
    SURROGATE(log_tailed_relu_spike),
    SURROGATE(circ_spike),
    SURROGATE(q_pseudo_spike),
    SURROGATE(rate_escape_spike),
    SURROGATE(piecewise_quadratic_spike),
    SURROGATE(erf_spike),
    SURROGATE(tanh_spike),
    SURROGATE(s2nn_spike),
    SURROGATE(leaky_k_relu_spike),
    SURROGATE(piecewise_leaky_relu_spike),
};

static fast_function *find(const char *kind, direction way)
{
    for (size_t row = 0; row < sizeof kinds / sizeof kinds[0]; row++)
        if (strcmp(kinds[row].name, kind) == 0)
            return kinds[row].function[way];
    return NULL;
}

int fast_has(const char *kind, direction way) { return way < DIRECTIONS && find(kind, way) != NULL; }

void fast_evaluate(const char *kind, direction way, const double *p, size_t n, const double *x, double *y)
{
    fast_function *function = find(kind, way);
    for (size_t i = 0; i < n; i += LANES) {
        vec part;
        memcpy(&part, x + i, sizeof part);
        part = function(part, p);
        memcpy(y + i, &part, sizeof part);
    }
}

/* ---- Errors ----------------------------------------------------------------------------------- */

/* The power of two at or below |x|, within f32's range, times 2^-23. */
static inline vec unit_in_last_place(vec x)
{
    vec power = (vec)((mask)x & INT64_C(0x7ff0000000000000));
    return lesser(greater(power, all(0x1p-126)), all(0x1p127)) * 0x1p-23;
}

double fast_ulp(double x) { return unit_in_last_place(all(x))[0]; }

/* As element_error: an infinite result counts as 2^128. */
static inline vec errors(vec computed, vec exact)
{
    vec limit = greater(lesser(computed, all(0x1p128)), all(-0x1p128));
    mask overflow = (mask)(limit != computed);
    vec within = choose(overflow, greater(lesser(exact, all(0x1p128)), all(-0x1p128)), exact);
    vec ulps = magnitude(limit - within) / unit_in_last_place(exact);
    mask nan = (mask)(computed != computed) | (mask)(exact != exact);
    mask wrong = nan | ((mask)(exact == 0) & (mask)(computed != 0));
    return choose(wrong, all(HUGE_VAL), ulps);
}

void fast_errors(size_t n, const float *computed, const double *exact, double *ulps, double *worst, long long *rounded)
{
    vec largest = all(0);
    mask count = {0};
    for (size_t i = 0; i < n; i += LANES) {
        narrow found;
        vec y;
        memcpy(&found, computed + i, sizeof found);
        memcpy(&y, exact + i, sizeof y);
        vec wide = __builtin_convertvector(found, vec);
        vec error = errors(wide, y);
        largest = greater(largest, error);
        count -= (mask)(wide == __builtin_convertvector(__builtin_convertvector(y, narrow), vec));
        if (ulps)
            memcpy(ulps + i, &error, sizeof error);
    }
    *worst = 0;
    for (int i = 0; i < LANES; i++) {
        *worst = fmax(*worst, largest[i]);
        *rounded += count[i];
    }
}
