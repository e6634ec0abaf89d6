/* The exact value and derivative of every kind; see reference.h.
 *
 * Each function is written so that no subtraction cancels, except next to a point where the result
 * itself is zero: there 256 bits leave more than enough. MPFR's exponents reach 2^(2^30), so tails
 * that underflow in the element types do not underflow here. */
#include "reference.h"

#include "../support/support.h"
#include "spline.h"

#include <math.h>
#include <string.h>

/* The formulas, a room for each family. */
#include "reference/blocks.h"
#include "reference/pieces.h"
#include "reference/algebraic.h"
#include "reference/exponential.h"
#include "reference/logistic.h"
#include "reference/hyperbolic.h"
#include "reference/periodic.h"
#include "reference/normal.h"
#include "reference/second.h"
#include "reference/from_output.h"

/* The table of support.h. */
FUNCTION(table_value) { spline_evaluate(r, example_table, EXAMPLE_KNOTS, 0, x); }
FUNCTION(table_derivative) { spline_evaluate(r, example_table, EXAMPLE_KNOTS, 1, x); }
FUNCTION(table_second) { spline_evaluate(r, example_table, EXAMPLE_KNOTS, 2, x); }

const char *const direction_names[ALL_DIRECTIONS] = {"value", "derivative", "parameter-derivative", "second",
                                                     "derivative from the output"};

void reference_begin(reference_scratch *scratch)
{
    mpfr_inits2(REFERENCE_BITS, scratch->x, scratch->a, scratch->b, scratch->c, (mpfr_ptr)0);
}

void reference_end(reference_scratch *scratch)
{
    mpfr_clears(scratch->x, scratch->a, scratch->b, scratch->c, (mpfr_ptr)0);
    mpfr_free_cache();
}

/* ---- Rows -------------------------------------------------------------------------------------- */

static double width_one(UNUSED const double *p) { return 1; }
static double width_inverse(const double *p) { return 1 / p[0]; }
static double width_same(const double *p) { return p[0]; }

/* clang-format would break the braces open. */
/* clang-format off */
#define FROM(name, value, derivative, from_output, ...)                                           \
    {#name, {value, derivative, NULL, name##_second, from_output}, {__VA_ARGS__}, 0, NULL}
#define ORDERED_FROM(name, value, derivative, from_output, ...)                                    \
    {#name, {value, derivative, NULL, name##_second, from_output}, {__VA_ARGS__}, 1, NULL}
#define KIND(name, value, derivative, ...)                                                         \
    {#name, {value, derivative, NULL, name##_second}, {__VA_ARGS__}, 0, NULL}
#define ORDERED(name, value, derivative, ...)                                                      \
    {#name, {value, derivative, NULL, name##_second}, {__VA_ARGS__}, 1, NULL}
#define CROSSING(name, value, derivative, width, ...)                                              \
    {#name, {value, derivative, NULL, name##_second}, {__VA_ARGS__}, 0, width}
#define LEARNING(name, function, width, parameter)                                                 \
    {#name, {function##_value, function##_derivative, function##_parameter_derivative, name##_second},  \
     {parameter}, 0, width}
#define LEARNING_FROM(name, function, from_output, parameter)                                      \
    {#name, {function##_value, function##_derivative, function##_parameter_derivative, name##_second,   \
             from_output}, {parameter}, 0, NULL}
#define SURROGATE(name, ...)                                                                       \
    {#name, {NULL, name##_derivative, NULL, name##_second}, {__VA_ARGS__}, 0, NULL}
/* clang-format on */

const reference_kind reference_kinds[] = {
    KIND(identity, identity_value, one, NULL),
    FROM(relu, relu_value, relu_derivative, relu_derivative, NULL),
    FROM(relu6, relu6_value, relu6_derivative, relu6_derivative, NULL),
    KIND(relu_squared, relu_squared_value, relu_squared_derivative, NULL),
    KIND(threshold, threshold_value, threshold_derivative, "threshold", "value"),
    LEARNING_FROM(leaky_relu, leaky, leaky_derivative, "negative_slope"),
    LEARNING_FROM(prelu, leaky, leaky_derivative, "alpha"),
    ORDERED(rrelu, rrelu_value, rrelu_derivative, "lower", "upper"),
    LEARNING_FROM(elu, elu, elu_from_output, "alpha"),
    LEARNING_FROM(celu, celu, celu_from_output, "alpha"),
    FROM(selu, selu_value, selu_derivative, selu_from_output, NULL),
    CROSSING(gelu, gelu_value, gelu_derivative, width_one, NULL),
    CROSSING(gelu_tanh, gelu_tanh_value, gelu_tanh_derivative, width_one, NULL),
    LEARNING(silu, silu, width_inverse, "beta"),
    CROSSING(mish, mish_value, mish_derivative, width_one, NULL),
    LEARNING_FROM(softplus, softplus, softplus_from_output, "beta"),
    LEARNING(squareplus, squareplus, NULL, "b"),
    KIND(softsign, softsign_value, softsign_derivative, NULL),
    FROM(sigmoid, sigmoid_value, sigmoid_derivative, sigmoid_from_output, NULL),
    FROM(log_sigmoid, log_sigmoid_value, log_sigmoid_derivative, log_sigmoid_from_output, NULL),
    FROM(tanh, tanh_value, tanh_derivative, tanh_from_output, NULL),
    KIND(tanhshrink, tanhshrink_value, tanhshrink_derivative, NULL),
    KIND(softshrink, softshrink_value, shrink_derivative, "lambda"),
    KIND(hardshrink, hardshrink_value, shrink_derivative, "lambda"),
    ORDERED_FROM(hardtanh, hardtanh_value, hardtanh_derivative, hardtanh_derivative, "min_val", "max_val"),
    KIND(hardsigmoid, hardsigmoid_value, hardsigmoid_derivative, NULL),
    KIND(hardswish, hardswish_value, hardswish_derivative, NULL),
    LEARNING(bsilu, bsilu, width_one, "alpha"),
    LEARNING(nelu, nelu, NULL, "alpha"),
    KIND(xielu, xielu_value, xielu_derivative, "alpha_p", "alpha_n", "beta"),
    KIND(sin, sin_value, sin_derivative, "omega"),
    KIND(snake, snake_value, snake_derivative, "alpha"),
    KIND(arctan, arctan_value, arctan_derivative, NULL),
    CROSSING(lisht, lisht_value, lisht_derivative, width_one, NULL),
    KIND(logcosh, logcosh_value, tanh_value, NULL),
    FROM(exponential, exponential_value, exponential_value, relu_value, NULL),
    KIND(hard_mish, hard_mish_value, hard_mish_derivative, NULL),
    FROM(sparse_plus, sparse_plus_value, sparse_sigmoid_value, sparse_plus_from_output, NULL),
    KIND(sparse_sigmoid, sparse_sigmoid_value, sparse_sigmoid_derivative, NULL),
    KIND(abs, abs_value, abs_derivative, NULL),
    KIND(square, square_value, square_derivative, NULL),
    KIND(linear, linear_value, linear_derivative, "alpha", "beta"),
    ORDERED(bounded_relu, bounded_relu_value, bounded_relu_derivative, "threshold", "max_value", "negative_slope"),
    KIND(clipped_linear, clipped_linear_value, clipped_linear_derivative, "alpha", "beta"),
    KIND(clipped_gate, clipped_gate_value, clipped_gate_derivative, "alpha", "beta"),
    KIND(heaviside, heaviside_value, zero, "threshold", "zero"),
    KIND(sign, sign_value, zero, "zero"),
    KIND(table, table_value, table_derivative, NULL),
    SURROGATE(atan_spike, "alpha"),
    SURROGATE(fast_sigmoid_spike, "slope"),
    SURROGATE(slayer_spike, "alpha", "c"),
    SURROGATE(triangle_spike, "gamma"),
    SURROGATE(gaussian_spike, "sigma"),
    CROSSING(multi_gaussian_spike, NULL, multi_gaussian_spike_derivative, width_same, "sigma", "h", "s"),
    SURROGATE(sigmoid_spike, "alpha"),
    SURROGATE(box_spike, "width"),
    SURROGATE(super_spike, "alpha", "slope"),
    SURROGATE(sparse_fast_sigmoid_spike, "slope", "b"),
    SURROGATE(nonzero_sign_log_abs_spike, "alpha"),
    SURROGATE(fake_numerical_gradient_spike, "alpha"),
    SURROGATE(log_tailed_relu_spike, "alpha"),
    SURROGATE(circ_spike, "alpha"),
    SURROGATE(q_pseudo_spike, "alpha"),
    SURROGATE(rate_escape_spike, "beta", "slope", "center"),
    SURROGATE(piecewise_quadratic_spike, "alpha"),
    SURROGATE(erf_spike, "alpha", "c"),
    SURROGATE(tanh_spike, "alpha"),
    SURROGATE(s2nn_spike, "alpha", "beta"),
    SURROGATE(leaky_k_relu_spike, "leak", "k"),
    SURROGATE(piecewise_leaky_relu_spike, "w", "c"),
};
const int reference_kind_count = (int)(sizeof reference_kinds / sizeof reference_kinds[0]);

const reference_kind *reference_find(const char *name)
{
    for (int i = 0; i < reference_kind_count; i++)
        if (strcmp(reference_kinds[i].name, name) == 0)
            return &reference_kinds[i];
    return NULL;
}

void reference_evaluate(mpfr_ptr result, const reference_kind *kind, direction way, const double *p, double x,
                        reference_scratch *scratch)
{
    if (isnan(x)) {
        mpfr_set_nan(result);
        return;
    }
    if (isinf(x))
        mpfr_set_si_2exp(scratch->x, x > 0 ? 1 : -1, 4096, N);
    else
        mpfr_set_d(scratch->x, x, N);
    kind->function[way](result, scratch->x, p, scratch);
}
