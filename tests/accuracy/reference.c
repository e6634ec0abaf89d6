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

#define N MPFR_RNDN
#define UNUSED __attribute__((unused))
#define FUNCTION(name)                                                                                                 \
    static void name(mpfr_ptr r, UNUSED mpfr_srcptr x, UNUSED const double *p, UNUSED reference_scratch *t)

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

/* ---- Building blocks: r may be x. ------------------------------------------------------------- */

static void ratio(mpfr_ptr r, mpfr_srcptr x, unsigned long numerator, unsigned long denominator)
{
    mpfr_mul_ui(r, x, numerator, N);
    mpfr_div_ui(r, r, denominator, N);
}

/* 1 / (1 + exp(-x)); the overflow of exp gives the right 0. */
static void logistic(mpfr_ptr r, mpfr_srcptr x)
{
    mpfr_neg(r, x, N);
    mpfr_exp(r, r, N);
    mpfr_add_ui(r, r, 1, N);
    mpfr_ui_div(r, 1, r, N);
}

/* s(x) s(-x), with r != b, b a temporary */
static void logistic_derivative(mpfr_ptr r, mpfr_srcptr x, mpfr_ptr b)
{
    mpfr_neg(b, x, N);
    logistic(b, b);
    logistic(r, x);
    mpfr_mul(r, r, b, N);
}

/* max(x, 0) + log1p(exp(-|x|)), with r != x */
static void log1p_exp(mpfr_ptr r, mpfr_srcptr x)
{
    mpfr_abs(r, x, N);
    mpfr_neg(r, r, N);
    mpfr_exp(r, r, N);
    mpfr_log1p(r, r, N);
    if (mpfr_sgn(x) > 0)
        mpfr_add(r, r, x, N);
}

/* The density of the normal distribution of deviation `deviation`; r != deviation. */
static void density(mpfr_ptr r, mpfr_srcptr x, mpfr_srcptr deviation)
{
    mpfr_div(r, x, deviation, N);
    mpfr_sqr(r, r, N);
    mpfr_div_si(r, r, -2, N);
    mpfr_exp(r, r, N);
    mpfr_div(r, r, deviation, N);
    mpfr_t root;
    mpfr_init2(root, mpfr_get_prec(r));
    mpfr_const_pi(root, N);
    mpfr_mul_ui(root, root, 2, N);
    mpfr_sqrt(root, root, N);
    mpfr_div(r, r, root, N);
    mpfr_clear(root);
}

/* Phi(x) = erfc(-x / sqrt(2)) / 2, with r != x */
static void distribution(mpfr_ptr r, mpfr_srcptr x)
{
    mpfr_sqrt_ui(r, 2, N);
    mpfr_div(r, x, r, N);
    mpfr_neg(r, r, N);
    mpfr_erfc(r, r, N);
    mpfr_div_ui(r, r, 2, N);
}

/* sqrt(x^2 + b), with r != x */
static void hypotenuse(mpfr_ptr r, mpfr_srcptr x, double b)
{
    mpfr_sqr(r, x, N);
    mpfr_add_d(r, r, b, N);
    mpfr_sqrt(r, r, N);
}

/* 1 / (1 + slope |x|)^2 */
static void inverse_square(mpfr_ptr r, mpfr_srcptr x, double slope)
{
    mpfr_abs(r, x, N);
    mpfr_mul_d(r, r, slope, N);
    mpfr_add_ui(r, r, 1, N);
    mpfr_sqr(r, r, N);
    mpfr_ui_div(r, 1, r, N);
}

static void step(mpfr_ptr r, int condition) { mpfr_set_si(r, condition, N); }

#define POSITIVE(x) (mpfr_sgn(x) > 0)
#define ABOVE(x, d) (mpfr_cmp_d(x, d) > 0)
#define BELOW(x, d) (mpfr_cmp_d(x, d) < 0)

/* ---- Made of straight pieces ------------------------------------------------------------------ */

FUNCTION(identity_value) { mpfr_set(r, x, N); }
FUNCTION(one) { mpfr_set_ui(r, 1, N); }
FUNCTION(zero) { mpfr_set_ui(r, 0, N); }

FUNCTION(relu_value) { mpfr_mul_si(r, x, POSITIVE(x), N); }
FUNCTION(relu_derivative) { step(r, POSITIVE(x)); }

FUNCTION(relu6_derivative) { step(r, POSITIVE(x) && BELOW(x, 6)); }
FUNCTION(relu6_value)
{
    if (ABOVE(x, 6))
        mpfr_set_ui(r, 6, N);
    else
        mpfr_mul_si(r, x, POSITIVE(x), N);
}

FUNCTION(relu_squared_value)
{
    relu_value(r, x, p, t);
    mpfr_sqr(r, r, N);
}
FUNCTION(relu_squared_derivative)
{
    relu_value(r, x, p, t);
    mpfr_mul_ui(r, r, 2, N);
}

FUNCTION(threshold_derivative) { step(r, ABOVE(x, p[0])); }
FUNCTION(threshold_value)
{
    if (ABOVE(x, p[0]))
        mpfr_set(r, x, N);
    else
        mpfr_set_d(r, p[1], N);
}

FUNCTION(leaky_derivative) { mpfr_set_d(r, POSITIVE(x) ? 1 : p[0], N); }
FUNCTION(leaky_value)
{
    leaky_derivative(r, x, p, t);
    mpfr_mul(r, r, x, N);
}

FUNCTION(leaky_parameter_derivative) { mpfr_mul_si(r, x, !POSITIVE(x), N); }

FUNCTION(rrelu_derivative)
{
    mpfr_set_d(r, POSITIVE(x) ? 1 : p[0], N);
    mpfr_add_d(r, r, POSITIVE(x) ? 1 : p[1], N);
    mpfr_div_ui(r, r, 2, N);
}
FUNCTION(rrelu_value)
{
    rrelu_derivative(r, x, p, t);
    mpfr_mul(r, r, x, N);
}

FUNCTION(shrink_derivative) { step(r, ABOVE(x, p[0]) || BELOW(x, -p[0])); }
FUNCTION(hardshrink_value)
{
    shrink_derivative(r, x, p, t);
    mpfr_mul(r, r, x, N);
}
FUNCTION(softshrink_value)
{
    if (ABOVE(x, p[0]))
        mpfr_sub_d(r, x, p[0], N);
    else if (BELOW(x, -p[0]))
        mpfr_add_d(r, x, p[0], N);
    else
        mpfr_set_ui(r, 0, N);
}

FUNCTION(hardtanh_derivative) { step(r, ABOVE(x, p[0]) && BELOW(x, p[1])); }
FUNCTION(hardtanh_value)
{
    if (BELOW(x, p[0]))
        mpfr_set_d(r, p[0], N);
    else if (ABOVE(x, p[1]))
        mpfr_set_d(r, p[1], N);
    else
        mpfr_set(r, x, N);
}

FUNCTION(hardsigmoid_derivative)
{
    step(r, ABOVE(x, -3) && BELOW(x, 3));
    mpfr_div_ui(r, r, 6, N);
}
FUNCTION(hardsigmoid_value)
{
    mpfr_add_ui(r, x, 3, N);
    if (!POSITIVE(r))
        mpfr_set_ui(r, 0, N);
    if (ABOVE(r, 6))
        mpfr_set_ui(r, 6, N);
    mpfr_div_ui(r, r, 6, N);
}

FUNCTION(hardswish_value)
{
    hardsigmoid_value(r, x, p, t);
    mpfr_mul(r, r, x, N);
}
FUNCTION(hardswish_derivative)
{
    mpfr_mul_ui(r, x, 2, N);
    mpfr_add_ui(r, r, 3, N);
    mpfr_div_ui(r, r, 6, N);
    if (!ABOVE(x, -3))
        mpfr_set_ui(r, 0, N);
    if (!BELOW(x, 3))
        mpfr_set_ui(r, 1, N);
}

FUNCTION(abs_value) { mpfr_abs(r, x, N); }
FUNCTION(square_value) { mpfr_sqr(r, x, N); }
FUNCTION(square_derivative) { mpfr_mul_ui(r, x, 2, N); }

FUNCTION(heaviside_value) { mpfr_set_d(r, mpfr_cmp_d(x, p[0]) == 0 ? p[1] : ABOVE(x, p[0]), N); }
FUNCTION(sign_value) { mpfr_set_d(r, mpfr_zero_p(x) ? p[0] : mpfr_sgn(x), N); }
FUNCTION(abs_derivative) { mpfr_set_si(r, mpfr_sgn(x), N); }
FUNCTION(box_spike_derivative)
{
    shrink_derivative(r, x, p, t);
    mpfr_ui_sub(r, 1, r, N);
}
FUNCTION(triangle_spike_derivative)
{
    mpfr_abs(r, x, N);
    mpfr_ui_sub(r, 1, r, N);
    if (!POSITIVE(r))
        mpfr_set_ui(r, 0, N);
    mpfr_mul_d(r, r, p[0], N);
}
FUNCTION(piecewise_quadratic_spike_derivative)
{
    mpfr_mul_d(r, x, p[0], N);
    triangle_spike_derivative(r, r, p, t);
}
FUNCTION(leaky_k_relu_spike_derivative) { mpfr_set_d(r, mpfr_sgn(x) < 0 ? p[0] : p[1], N); }
FUNCTION(piecewise_leaky_relu_spike_derivative)
{
    mpfr_set_d(r, p[1], N);
    if (BELOW(x, p[0]) && ABOVE(x, -p[0])) {
        mpfr_set_d(r, p[0], N);
        mpfr_ui_div(r, 1, r, N);
        mpfr_div_ui(r, r, 2, N);
    }
}

FUNCTION(hard_mish_value)
{
    mpfr_add_ui(r, x, 2, N);
    if (!POSITIVE(r))
        mpfr_set_ui(r, 0, N);
    if (ABOVE(r, 2))
        mpfr_set_ui(r, 2, N);
    mpfr_mul(r, r, x, N);
    mpfr_div_ui(r, r, 2, N);
}
FUNCTION(hard_mish_derivative)
{
    mpfr_add_ui(r, x, 1, N);
    if (POSITIVE(x) || BELOW(x, -2))
        step(r, POSITIVE(x));
}

FUNCTION(sparse_sigmoid_derivative)
{
    step(r, ABOVE(x, -1) && BELOW(x, 1));
    mpfr_div_ui(r, r, 2, N);
}
FUNCTION(sparse_sigmoid_value)
{
    mpfr_add_ui(r, x, 1, N);
    if (!POSITIVE(r))
        mpfr_set_ui(r, 0, N);
    if (ABOVE(r, 2))
        mpfr_set_ui(r, 2, N);
    mpfr_div_ui(r, r, 2, N);
}
FUNCTION(sparse_plus_value)
{
    sparse_sigmoid_value(r, x, p, t);
    mpfr_sqr(r, r, N);
    if (ABOVE(x, 1))
        mpfr_set(r, x, N);
}
FUNCTION(sparse_plus_from_output)
{
    mpfr_set_ui(r, 0, N);
    if (POSITIVE(x))
        mpfr_sqrt(r, x, N);
    if (ABOVE(x, 1))
        mpfr_set_ui(r, 1, N);
}

FUNCTION(linear_value)
{
    mpfr_mul_d(r, x, p[0], N);
    mpfr_add_d(r, r, p[1], N);
}
FUNCTION(linear_derivative) { mpfr_set_d(r, p[0], N); }

FUNCTION(bounded_relu_value)
{
    mpfr_set(r, x, N);
    if (ABOVE(x, p[1]))
        mpfr_set_d(r, p[1], N);
    if (ABOVE(x, p[0]))
        return;
    mpfr_sub_d(r, x, p[0], N);
    mpfr_mul_d(r, r, p[2], N);
}
FUNCTION(bounded_relu_derivative)
{
    step(r, BELOW(x, p[1]));
    if (!ABOVE(x, p[0]))
        mpfr_set_d(r, p[2], N);
}
/* r = alpha x + beta; whether it is between 0 and 1. */
static int clipped(mpfr_ptr r, mpfr_srcptr x, const double *p)
{
    mpfr_mul_d(r, x, p[0], N);
    mpfr_add_d(r, r, p[1], N);
    return POSITIVE(r) && BELOW(r, 1);
}
FUNCTION(clipped_linear_value)
{
    if (!clipped(r, x, p))
        step(r, POSITIVE(r));
}
FUNCTION(clipped_linear_derivative) { mpfr_set_d(r, clipped(r, x, p) ? p[0] : 0, N); }
FUNCTION(clipped_gate_value)
{
    clipped_linear_value(r, x, p, t);
    mpfr_mul(r, r, x, N);
}
FUNCTION(clipped_gate_derivative)
{
    if (!clipped(r, x, p)) {
        step(r, POSITIVE(r));
        return;
    }
    mpfr_mul_d(r, x, 2 * p[0], N);
    mpfr_add_d(r, r, p[1], N);
}

/* ---- Rational and algebraic ------------------------------------------------------------------- */

FUNCTION(softsign_derivative) { inverse_square(r, x, 1); }
FUNCTION(softsign_value)
{
    mpfr_abs(r, x, N);
    mpfr_add_ui(r, r, 1, N);
    mpfr_div(r, x, r, N);
}

/* For x < 0: (x + root) / 2 = b / (2 (root - x)). */
FUNCTION(squareplus_value)
{
    hypotenuse(r, x, p[0]);
    mpfr_abs(t->a, x, N);
    mpfr_add(r, r, t->a, N);
    if (mpfr_sgn(x) < 0)
        mpfr_d_div(r, p[0], r, N);
    mpfr_div_ui(r, r, 2, N);
}

/* For x < 0: (1 + x / root) / 2 = b / (2 root (root - x)). */
FUNCTION(squareplus_derivative)
{
    hypotenuse(t->a, x, p[0]);
    mpfr_abs(r, x, N);
    mpfr_add(r, r, t->a, N);
    if (mpfr_sgn(x) < 0) {
        mpfr_mul(r, r, t->a, N);
        mpfr_d_div(r, p[0], r, N);
    } else {
        mpfr_div(r, r, t->a, N);
    }
    mpfr_div_ui(r, r, 2, N);
}

FUNCTION(squareplus_parameter_derivative)
{
    hypotenuse(r, x, p[0]);
    mpfr_mul_ui(r, r, 4, N);
    mpfr_ui_div(r, 1, r, N);
}

FUNCTION(nelu_parameter_derivative)
{
    mpfr_sqr(r, x, N);
    mpfr_add_ui(t->a, r, 1, N);
    mpfr_div(r, r, t->a, N);
    mpfr_mul_si(r, r, !POSITIVE(x), N);
}
FUNCTION(nelu_value)
{
    nelu_parameter_derivative(r, x, p, t);
    mpfr_mul_d(r, r, p[0], N);
    if (POSITIVE(x))
        mpfr_set(r, x, N);
}
FUNCTION(nelu_derivative)
{
    if (POSITIVE(x)) {
        mpfr_set_ui(r, 1, N);
        return;
    }
    mpfr_sqr(t->a, x, N);
    mpfr_add_ui(t->a, t->a, 1, N);
    mpfr_sqr(t->a, t->a, N);
    mpfr_mul_d(r, x, p[0], N);
    mpfr_mul_ui(r, r, 2, N);
    mpfr_div(r, r, t->a, N);
}

FUNCTION(fast_sigmoid_spike_derivative) { inverse_square(r, x, p[0]); }
FUNCTION(atan_spike_derivative)
{
    mpfr_const_pi(t->a, N);
    mpfr_mul(r, x, t->a, N);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_div_ui(r, r, 2, N);
    mpfr_sqr(r, r, N);
    mpfr_add_ui(r, r, 1, N);
    mpfr_d_div(r, p[0], r, N);
    mpfr_div_ui(r, r, 2, N);
}
FUNCTION(super_spike_derivative)
{
    inverse_square(r, x, p[1]);
    mpfr_mul_d(r, r, p[0], N);
}
FUNCTION(sparse_fast_sigmoid_spike_derivative)
{
    inverse_square(r, x, p[0]);
    mpfr_mul_si(r, r, ABOVE(x, p[1]), N);
}
FUNCTION(nonzero_sign_log_abs_spike_derivative)
{
    mpfr_abs(r, x, N);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_add_ui(r, r, 1, N);
    mpfr_d_div(r, p[0], r, N);
}
FUNCTION(fake_numerical_gradient_spike_derivative)
{
    mpfr_abs(r, x, N);
    mpfr_ui_div(r, 1, r, N);
    if (ABOVE(r, p[0]))
        mpfr_set_d(r, p[0], N);
}
FUNCTION(log_tailed_relu_spike_derivative)
{
    mpfr_set_d(r, POSITIVE(x) ? 1 : p[0], N);
    if (ABOVE(x, 1))
        mpfr_ui_div(r, 1, x, N);
}
FUNCTION(circ_spike_derivative)
{
    mpfr_div_d(r, x, p[0], N);
    mpfr_sqr(r, r, N);
    mpfr_add_ui(r, r, 1, N);
    mpfr_sqrt(t->a, r, N);
    mpfr_mul(r, r, t->a, N);
    mpfr_ui_div(r, 1, r, N);
}

/* ---- Exponential ------------------------------------------------------------------------------ */

FUNCTION(elu_parameter_derivative)
{
    if (POSITIVE(x))
        mpfr_set_ui(r, 0, N);
    else
        mpfr_expm1(r, x, N);
}
FUNCTION(elu_value)
{
    elu_parameter_derivative(r, x, p, t);
    mpfr_mul_d(r, r, p[0], N);
    if (POSITIVE(x))
        mpfr_set(r, x, N);
}
FUNCTION(elu_derivative)
{
    if (POSITIVE(x)) {
        mpfr_set_ui(r, 1, N);
        return;
    }
    mpfr_exp(r, x, N);
    mpfr_mul_d(r, r, p[0], N);
}

FUNCTION(celu_value)
{
    if (POSITIVE(x)) {
        mpfr_set(r, x, N);
        return;
    }
    mpfr_div_d(r, x, p[0], N);
    mpfr_expm1(r, r, N);
    mpfr_mul_d(r, r, p[0], N);
}
FUNCTION(celu_derivative)
{
    mpfr_div_d(r, x, p[0], N);
    mpfr_exp(r, r, N);
    if (POSITIVE(x))
        mpfr_set_ui(r, 1, N);
}

/* expm1(u) - u exp(u) = -u^2/2 - ... with u = x / alpha loses as many bits as u has zeros before its first digit. */
FUNCTION(celu_parameter_derivative)
{
    mpfr_set_ui(r, 0, N);
    if (mpfr_sgn(x) >= 0)
        return;
    mpfr_t u, e, power;
    mpfr_init2(u, REFERENCE_BITS);
    mpfr_div_d(u, x, p[0], N);
    const mpfr_prec_t lost = mpfr_get_exp(u) > 0 ? 0 : -mpfr_get_exp(u);
    mpfr_inits2(REFERENCE_BITS + lost, e, power, (mpfr_ptr)0);
    mpfr_expm1(e, u, N);
    mpfr_add_ui(power, e, 1, N);
    mpfr_mul(power, power, u, N);
    mpfr_sub(r, e, power, N);
    mpfr_clears(u, e, power, (mpfr_ptr)0);
}

/* r = the function of elu with alpha = a, times lambda; both are the decimal constants. */
static void selu(mpfr_ptr r, mpfr_srcptr x, reference_scratch *t, reference_function *elu)
{
    static const double unit = 1;
    elu(r, x, &unit, t);
    if (!POSITIVE(x)) {
        mpfr_set_str(t->a, "1.6732632423543772", 10, N);
        mpfr_mul(r, r, t->a, N);
    }
    mpfr_set_str(t->a, "1.0507009873554805", 10, N);
    mpfr_mul(r, r, t->a, N);
}
FUNCTION(selu_value) { selu(r, x, t, elu_value); }
FUNCTION(selu_derivative) { selu(r, x, t, elu_derivative); }

FUNCTION(slayer_spike_derivative)
{
    mpfr_abs(r, x, N);
    mpfr_mul_d(r, r, -p[0], N);
    mpfr_exp(r, r, N);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_mul_d(r, r, p[1], N);
    mpfr_div_ui(r, r, 2, N);
}
FUNCTION(q_pseudo_spike_derivative)
{
    mpfr_set_d(t->a, p[0], N);
    mpfr_sub_ui(t->a, t->a, 1, N);
    mpfr_abs(r, x, N);
    mpfr_mul_ui(r, r, 2, N);
    mpfr_div(r, r, t->a, N);
    mpfr_log1p(r, r, N);
    mpfr_mul_d(r, r, -p[0], N);
    mpfr_exp(r, r, N);
}
FUNCTION(rate_escape_spike_derivative)
{
    mpfr_sub_d(r, x, p[2], N);
    mpfr_abs(r, r, N);
    mpfr_mul_d(r, r, -p[0], N);
    mpfr_exp(r, r, N);
    mpfr_mul_d(r, r, p[1], N);
}

/* expm1(x) - x loses twice as many bits as x has zeros before its first digit. */
FUNCTION(xielu_value)
{
    if (!POSITIVE(x) && p[1] == p[2]) {
        mpfr_expm1(r, x, N);
        mpfr_mul_d(r, r, p[1], N);
        return;
    }
    const mpfr_prec_t lost = mpfr_zero_p(x) || mpfr_get_exp(x) > 0 ? 0 : -2 * mpfr_get_exp(x);
    mpfr_t curve;
    mpfr_init2(curve, REFERENCE_BITS + lost);
    if (POSITIVE(x)) {
        mpfr_sqr(curve, x, N);
    } else {
        mpfr_expm1(curve, x, N);
        mpfr_sub(curve, curve, x, N);
    }
    mpfr_mul_d(curve, curve, p[!POSITIVE(x)], N);
    mpfr_mul_d(r, x, p[2], N);
    mpfr_add(r, r, curve, N);
    mpfr_clear(curve);
}
FUNCTION(xielu_derivative)
{
    if (POSITIVE(x))
        mpfr_mul_ui(r, x, 2, N);
    else
        mpfr_expm1(r, x, N);
    mpfr_mul_d(r, r, p[!POSITIVE(x)], N);
    if (POSITIVE(x) || p[1] != p[2]) {
        mpfr_add_d(r, r, p[2], N);
        return;
    }
    mpfr_exp(r, x, N);
    mpfr_mul_d(r, r, p[1], N);
}

/* ---- Logistic --------------------------------------------------------------------------------- */

FUNCTION(sigmoid_value) { logistic(r, x); }
FUNCTION(sigmoid_derivative) { logistic_derivative(r, x, t->a); }

FUNCTION(sigmoid_spike_derivative)
{
    mpfr_mul_d(t->a, x, p[0], N);
    logistic_derivative(r, t->a, t->b);
    mpfr_mul_d(r, r, p[0], N);
}

FUNCTION(log_sigmoid_value)
{
    mpfr_neg(t->a, x, N);
    log1p_exp(r, t->a);
    mpfr_neg(r, r, N);
}
FUNCTION(log_sigmoid_derivative)
{
    mpfr_neg(r, x, N);
    logistic(r, r);
}

FUNCTION(softplus_value)
{
    mpfr_mul_d(t->a, x, p[0], N);
    log1p_exp(r, t->a);
    mpfr_div_d(r, r, p[0], N);
}
FUNCTION(softplus_derivative)
{
    mpfr_mul_d(r, x, p[0], N);
    logistic(r, r);
}

FUNCTION(silu_value)
{
    softplus_derivative(r, x, p, t);
    mpfr_mul(r, r, x, N);
}
FUNCTION(silu_derivative)
{
    mpfr_mul_d(t->a, x, p[0], N);
    mpfr_neg(r, t->a, N);
    logistic(r, r);
    mpfr_mul(r, r, t->a, N);
    mpfr_add_ui(r, r, 1, N);
    logistic(t->a, t->a);
    mpfr_mul(r, r, t->a, N);
}

/* x^2 s(u) s(-u), u = beta x */
FUNCTION(silu_parameter_derivative)
{
    mpfr_mul_d(t->a, x, p[0], N);
    logistic_derivative(r, t->a, t->b);
    mpfr_mul(r, r, x, N);
    mpfr_mul(r, r, x, N);
}

/* -(a s(-a) + log1p(exp(-a))) / beta^2, a = |beta x| */
FUNCTION(softplus_parameter_derivative)
{
    mpfr_mul_d(t->a, x, p[0], N);
    mpfr_abs(t->a, t->a, N);
    mpfr_neg(t->b, t->a, N);
    log1p_exp(r, t->b);
    logistic(t->b, t->b);
    mpfr_mul(t->b, t->b, t->a, N);
    mpfr_add(r, r, t->b, N);
    mpfr_div_d(r, r, p[0], N);
    mpfr_div_d(r, r, -p[0], N);
}

/* s(x) - 1/2 */
FUNCTION(bsilu_parameter_derivative)
{
    mpfr_div_ui(r, x, 2, N);
    mpfr_tanh(r, r, N);
    mpfr_div_ui(r, r, 2, N);
}

/* (x + alpha) s(x) - alpha/2 = x s(x) + alpha/2 tanh(x/2): two terms of one sign. */
FUNCTION(bsilu_value)
{
    bsilu_parameter_derivative(t->a, x, p, t);
    mpfr_mul_d(t->a, t->a, p[0], N);
    logistic(r, x);
    mpfr_mul(r, r, x, N);
    mpfr_add(r, r, t->a, N);
}
FUNCTION(bsilu_derivative)
{
    mpfr_neg(r, x, N);
    logistic(r, r);
    mpfr_add_d(t->a, x, p[0], N);
    mpfr_mul(r, r, t->a, N);
    mpfr_add_ui(r, r, 1, N);
    logistic(t->a, x);
    mpfr_mul(r, r, t->a, N);
}
FUNCTION(s2nn_spike_derivative)
{
    if (mpfr_sgn(x) < 0) {
        sigmoid_spike_derivative(r, x, p, t);
        return;
    }
    mpfr_add_ui(r, x, 1, N);
    mpfr_d_div(r, p[1], r, N);
}

/* ---- Hyperbolic ------------------------------------------------------------------------------- */

FUNCTION(tanh_value) { mpfr_tanh(r, x, N); }
FUNCTION(tanh_derivative)
{
    mpfr_sech(r, x, N);
    mpfr_sqr(r, r, N);
}

FUNCTION(tanhshrink_derivative)
{
    mpfr_tanh(r, x, N);
    mpfr_sqr(r, r, N);
}
/* x - tanh(x) = x^3/3 - ... loses twice as many bits as x has zeros before its first digit. */
FUNCTION(tanhshrink_value)
{
    mpfr_exp_t lost = mpfr_zero_p(x) || mpfr_get_exp(x) > 0 ? 0 : -2 * mpfr_get_exp(x);
    mpfr_t y;
    mpfr_init2(y, REFERENCE_BITS + lost);
    mpfr_tanh(y, x, N);
    mpfr_sub(r, x, y, N);
    mpfr_clear(y);
}

FUNCTION(mish_value)
{
    log1p_exp(r, x);
    mpfr_tanh(r, r, N);
    mpfr_mul(r, r, x, N);
}
/* 1 - tanh^2 = sech^2 */
FUNCTION(mish_derivative)
{
    log1p_exp(t->a, x);
    mpfr_sech(r, t->a, N);
    mpfr_sqr(r, r, N);
    logistic(t->b, x);
    mpfr_mul(r, r, t->b, N);
    mpfr_mul(r, r, x, N);
    mpfr_tanh(t->a, t->a, N);
    mpfr_add(r, r, t->a, N);
}
FUNCTION(tanh_spike_derivative)
{
    mpfr_mul_d(r, x, p[0], N);
    tanh_derivative(r, r, p, t);
}

/* ---- Periodic: at infinity, which 2^4096 stands for, a sine counts as its mean ------------------ */

static int is_infinite(mpfr_srcptr x) { return mpfr_regular_p(x) && mpfr_get_exp(x) > 4000; }

FUNCTION(sin_value)
{
    mpfr_mul_d(r, x, p[0], N);
    mpfr_sin(r, r, N);
    if (is_infinite(x))
        mpfr_set_ui(r, 0, N);
}
FUNCTION(sin_derivative)
{
    mpfr_mul_d(r, x, p[0], N);
    mpfr_cos(r, r, N);
    mpfr_mul_d(r, r, p[0], N);
    if (is_infinite(x))
        mpfr_set_ui(r, 0, N);
}

FUNCTION(snake_value)
{
    mpfr_mul_d(t->a, x, p[0], N);
    mpfr_sin(r, t->a, N);
    mpfr_sqr(r, r, N);
    mpfr_div_d(r, r, p[0], N);
    mpfr_add(r, r, x, N);
}
FUNCTION(snake_derivative)
{
    mpfr_mul_d(t->a, x, 2 * p[0], N);
    mpfr_sin(r, t->a, N);
    if (is_infinite(x))
        mpfr_set_ui(r, 0, N);
    mpfr_add_ui(r, r, 1, N);
}

FUNCTION(arctan_value) { mpfr_atan(r, x, N); }
FUNCTION(arctan_derivative)
{
    mpfr_sqr(r, x, N);
    mpfr_add_ui(r, r, 1, N);
    mpfr_ui_div(r, 1, r, N);
}

FUNCTION(lisht_value)
{
    mpfr_tanh(r, x, N);
    mpfr_mul(r, r, x, N);
}
FUNCTION(lisht_derivative)
{
    mpfr_sech(r, x, N);
    mpfr_sqr(r, r, N);
    mpfr_mul(r, r, x, N);
    mpfr_tanh(t->a, x, N);
    mpfr_add(r, r, t->a, N);
}

/* log1p(2 sinh(x/2)^2), which is |x| - log(2) where the square is too large for MPFR. */
FUNCTION(logcosh_value)
{
    mpfr_abs(r, x, N);
    if (ABOVE(r, 1000)) {
        mpfr_const_log2(t->a, N);
        mpfr_sub(r, r, t->a, N);
        return;
    }
    mpfr_div_ui(r, r, 2, N);
    mpfr_sinh(r, r, N);
    mpfr_sqr(r, r, N);
    mpfr_mul_ui(r, r, 2, N);
    mpfr_log1p(r, r, N);
}

FUNCTION(exponential_value) { mpfr_exp(r, x, N); }

/* ---- The normal distribution ------------------------------------------------------------------ */

FUNCTION(gelu_value)
{
    distribution(r, x);
    mpfr_mul(r, r, x, N);
}
FUNCTION(gelu_derivative)
{
    mpfr_set_ui(t->a, 1, N);
    density(t->b, x, t->a);
    mpfr_mul(t->b, t->b, x, N);
    distribution(r, x);
    mpfr_add(r, r, t->b, N);
}

/* r = 2 u = 2 sqrt(2/pi) (x + 0.044715 x^3), derivative = 2 u' */
static void gelu_tanh_argument(mpfr_ptr r, mpfr_ptr derivative, mpfr_srcptr x)
{
    mpfr_sqr(r, x, N);
    ratio(derivative, r, 134145, 1000000);
    mpfr_add_ui(derivative, derivative, 1, N);
    ratio(r, r, 44715, 1000000);
    mpfr_add_ui(r, r, 1, N);
    mpfr_mul(r, r, x, N);
    mpfr_t factor;
    mpfr_init2(factor, REFERENCE_BITS);
    mpfr_const_pi(factor, N);
    mpfr_ui_div(factor, 8, factor, N);
    mpfr_sqrt(factor, factor, N);
    mpfr_mul(r, r, factor, N);
    mpfr_mul(derivative, derivative, factor, N);
    mpfr_clear(factor);
}
/* (1 + tanh u) / 2 = s(2 u) */
FUNCTION(gelu_tanh_value)
{
    gelu_tanh_argument(r, t->a, x);
    logistic(r, r);
    mpfr_mul(r, r, x, N);
}
/* (1 - tanh^2 u) / 2 = 2 s(2 u) s(-2 u) */
FUNCTION(gelu_tanh_derivative)
{
    gelu_tanh_argument(t->a, t->b, x);
    logistic_derivative(r, t->a, t->c);
    mpfr_mul(r, r, t->b, N);
    mpfr_mul(r, r, x, N);
    logistic(t->a, t->a);
    mpfr_add(r, r, t->a, N);
}

FUNCTION(gaussian_spike_derivative)
{
    mpfr_set_d(t->a, p[0], N);
    density(r, x, t->a);
}
FUNCTION(multi_gaussian_spike_derivative)
{
    double sigma = p[0], h = p[1];
    mpfr_set_d(t->a, sigma, N);
    density(t->b, x, t->a);
    mpfr_mul_d(r, t->b, h, N);
    mpfr_add(r, r, t->b, N);
    mpfr_mul_d(t->a, t->a, p[2], N);
    for (int side = -1; side <= 1; side += 2) {
        mpfr_add_d(t->c, x, side * sigma, N);
        density(t->b, t->c, t->a);
        mpfr_mul_d(t->b, t->b, h, N);
        mpfr_sub(r, r, t->b, N);
    }
}
FUNCTION(erf_spike_derivative)
{
    mpfr_mul_d(r, x, p[0], N);
    mpfr_sqr(r, r, N);
    mpfr_neg(r, r, N);
    mpfr_exp(r, r, N);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_mul_d(r, r, p[1], N);
    mpfr_const_pi(t->a, N);
    mpfr_sqrt(t->a, t->a, N);
    mpfr_div(r, r, t->a, N);
}

/* ---- Second derivatives ------------------------------------------------------------------------ */

/* Those that are 0 wherever they exist. */
#define ZERO_SECOND(name)                                                                                              \
    FUNCTION(name##_second) { mpfr_set_ui(r, 0, N); }
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

FUNCTION(relu_squared_second)
{
    relu_derivative(r, x, p, t);
    mpfr_mul_ui(r, r, 2, N);
}
FUNCTION(hardswish_second)
{
    step(r, ABOVE(x, -3) && BELOW(x, 3));
    mpfr_div_ui(r, r, 3, N);
}
/* The sign of -x. */
static int falling(mpfr_srcptr x) { return mpfr_sgn(x) > 0 ? -1 : mpfr_sgn(x) < 0; }

/* -gamma sign(x) for |x| < 1 */
FUNCTION(triangle_spike_second)
{
    mpfr_set_si(r, -mpfr_sgn(x), N);
    mpfr_mul_d(r, r, p[0], N);
    if (ABOVE(x, 1) || BELOW(x, -1) || mpfr_cmp_si(x, 1) == 0 || mpfr_cmp_si(x, -1) == 0)
        mpfr_set_ui(r, 0, N);
}

/* -2 slope sign(x) / (1 + slope |x|)^3 */
static void inverse_cube(mpfr_ptr r, mpfr_srcptr x, double slope)
{
    mpfr_abs(r, x, N);
    mpfr_mul_d(r, r, slope, N);
    mpfr_add_ui(r, r, 1, N);
    mpfr_pow_si(r, r, -3, N);
    mpfr_mul_d(r, r, 2 * slope, N);
    mpfr_mul_si(r, r, falling(x), N);
}
FUNCTION(softsign_second) { inverse_cube(r, x, 1); }
FUNCTION(fast_sigmoid_spike_second) { inverse_cube(r, x, p[0]); }

/* b / (2 (x^2 + b)^(3/2)) */
FUNCTION(squareplus_second)
{
    hypotenuse(r, x, p[0]);
    mpfr_pow_si(r, r, -3, N);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_div_ui(r, r, 2, N);
}

/* 2 alpha (1 - 3 x^2) / (1 + x^2)^3 */
FUNCTION(nelu_second)
{
    mpfr_sqr(t->a, x, N);
    mpfr_mul_ui(r, t->a, 3, N);
    mpfr_ui_sub(r, 1, r, N);
    mpfr_add_ui(t->a, t->a, 1, N);
    mpfr_pow_si(t->a, t->a, -3, N);
    mpfr_mul(r, r, t->a, N);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_mul_ui(r, r, 2, N);
    mpfr_mul_si(r, r, !POSITIVE(x), N);
}

/* -alpha k^2 x / (1 + (k x)^2)^2, k = pi alpha / 2 */
FUNCTION(atan_spike_second)
{
    mpfr_const_pi(t->a, N);
    mpfr_mul_d(t->a, t->a, p[0], N);
    mpfr_div_ui(t->a, t->a, 2, N);
    mpfr_mul(r, t->a, x, N);
    mpfr_sqr(r, r, N);
    mpfr_add_ui(r, r, 1, N);
    mpfr_pow_si(r, r, -2, N);
    mpfr_sqr(t->a, t->a, N);
    mpfr_mul(r, r, t->a, N);
    mpfr_mul(r, r, x, N);
    mpfr_mul_d(r, r, -p[0], N);
}

FUNCTION(xielu_second)
{
    mpfr_exp(r, x, N);
    mpfr_mul_d(r, r, p[1], N);
    if (POSITIVE(x))
        mpfr_set_d(r, 2 * p[0], N);
}

/* As their first derivatives for x < 0, else 0. */
FUNCTION(elu_second)
{
    elu_derivative(r, x, p, t);
    mpfr_mul_si(r, r, mpfr_sgn(x) < 0, N);
}
FUNCTION(celu_second)
{
    celu_derivative(r, x, p, t);
    mpfr_div_d(r, r, p[0], N);
    mpfr_mul_si(r, r, mpfr_sgn(x) < 0, N);
}
FUNCTION(selu_second)
{
    selu_derivative(r, x, p, t);
    mpfr_mul_si(r, r, mpfr_sgn(x) < 0, N);
}

FUNCTION(slayer_spike_second)
{
    slayer_spike_derivative(r, x, p, t);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_mul_si(r, r, falling(x), N);
}

/* s(x) s(-x) (s(-x) - s(x)), where the difference is -tanh(x/2); r != x, b and c temporaries */
static void logistic_second(mpfr_ptr r, mpfr_srcptr x, mpfr_ptr b, mpfr_ptr c)
{
    logistic_derivative(r, x, b);
    mpfr_div_ui(c, x, 2, N);
    mpfr_tanh(c, c, N);
    mpfr_mul(r, r, c, N);
    mpfr_neg(r, r, N);
}
FUNCTION(sigmoid_second) { logistic_second(r, x, t->a, t->b); }
FUNCTION(sigmoid_spike_second)
{
    mpfr_mul_d(t->a, x, p[0], N);
    logistic_second(r, t->a, t->b, t->c);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_mul_d(r, r, p[0], N);
}
FUNCTION(softplus_second)
{
    mpfr_mul_d(t->a, x, p[0], N);
    logistic_derivative(r, t->a, t->b);
    mpfr_mul_d(r, r, p[0], N);
}
FUNCTION(log_sigmoid_second)
{
    logistic_derivative(r, x, t->a);
    mpfr_neg(r, r, N);
}
/* 2 s' + (x + alpha) s'' */
FUNCTION(bsilu_second)
{
    logistic_second(r, x, t->a, t->b);
    mpfr_add_d(t->a, x, p[0], N);
    mpfr_mul(r, r, t->a, N);
    logistic_derivative(t->a, x, t->b);
    mpfr_mul_ui(t->a, t->a, 2, N);
    mpfr_add(r, r, t->a, N);
}
/* With w = 2u: 2 w' s'(w) + x w'' s'(w) + x w'^2 s''(w), where x w'' = 2 (w' - w'(0)). */
FUNCTION(gelu_tanh_second)
{
    mpfr_t w, slope, zero;
    mpfr_inits2(REFERENCE_BITS, w, slope, zero, (mpfr_ptr)0);
    mpfr_set_ui(zero, 0, N);
    gelu_tanh_argument(w, t->a, zero);
    gelu_tanh_argument(w, slope, x);
    logistic_second(r, w, t->b, t->c);
    mpfr_mul(r, r, x, N);
    mpfr_mul(r, r, slope, N);
    mpfr_mul(r, r, slope, N);
    mpfr_mul_ui(slope, slope, 2, N);
    mpfr_sub(slope, slope, t->a, N);
    mpfr_mul_ui(slope, slope, 2, N);
    logistic_derivative(t->b, w, t->c);
    mpfr_fma(r, slope, t->b, r, N);
    mpfr_clears(w, slope, zero, (mpfr_ptr)0);
}
FUNCTION(gelu_second)
{
    mpfr_set_ui(t->a, 1, N);
    density(r, x, t->a);
    mpfr_sqr(t->a, x, N);
    mpfr_ui_sub(t->a, 2, t->a, N);
    mpfr_mul(r, r, t->a, N);
}
/* (2 s + x s') sech^2 - 2 x tanh s^2 sech^2 at softplus(x), whose derivative is s = s(x) */
FUNCTION(mish_second)
{
    log1p_exp(t->a, x);
    mpfr_tanh(t->b, t->a, N);
    mpfr_sech(r, t->a, N);
    mpfr_sqr(r, r, N);
    logistic(t->a, x);
    mpfr_mul_si(t->b, t->b, -2, N);
    mpfr_mul(t->b, t->b, t->a, N);
    mpfr_neg(t->c, x, N);
    logistic(t->c, t->c);
    mpfr_add(t->b, t->b, t->c, N);
    mpfr_mul(t->b, t->b, x, N);
    mpfr_add_ui(t->b, t->b, 2, N);
    mpfr_mul(t->b, t->b, t->a, N);
    mpfr_mul(r, r, t->b, N);
}

/* -x / deviation^2 N(x; 0, deviation); r != x */
static void density_second(mpfr_ptr r, mpfr_srcptr x, mpfr_srcptr deviation)
{
    density(r, x, deviation);
    mpfr_mul(r, r, x, N);
    mpfr_div(r, r, deviation, N);
    mpfr_div(r, r, deviation, N);
    mpfr_neg(r, r, N);
}
FUNCTION(gaussian_spike_second)
{
    mpfr_set_d(t->a, p[0], N);
    density_second(r, x, t->a);
}
/* The wide slopes cancel next to 0, by as many bits as x has zeros before its first digit. */
FUNCTION(multi_gaussian_spike_second)
{
    mpfr_set_ui(r, 0, N);
    if (mpfr_zero_p(x))
        return;
    const mpfr_prec_t lost = mpfr_get_exp(x) > 0 ? 0 : -mpfr_get_exp(x);
    mpfr_t width, at, part, sum;
    mpfr_inits2(REFERENCE_BITS + lost, width, at, part, sum, (mpfr_ptr)0);
    mpfr_set_d(width, p[0], N);
    density_second(part, x, width);
    mpfr_mul_d(sum, part, p[1], N);
    mpfr_add(sum, sum, part, N);
    mpfr_mul_d(width, width, p[2], N);
    for (int side = -1; side <= 1; side += 2) {
        mpfr_add_d(at, x, side * p[0], N);
        density_second(part, at, width);
        mpfr_mul_d(part, part, p[1], N);
        mpfr_sub(sum, sum, part, N);
    }
    mpfr_set(r, sum, N);
    mpfr_clears(width, at, part, sum, (mpfr_ptr)0);
}

/* beta s(y) s(-y) (2 - y tanh(y/2)), y = beta x */
FUNCTION(silu_second)
{
    mpfr_mul_d(t->a, x, p[0], N);
    mpfr_div_ui(t->b, t->a, 2, N);
    mpfr_tanh(t->b, t->b, N);
    mpfr_mul(t->b, t->b, t->a, N);
    mpfr_ui_sub(t->b, 2, t->b, N);
    logistic_derivative(r, t->a, t->c);
    mpfr_mul(r, r, t->b, N);
    mpfr_mul_d(r, r, p[0], N);
}

FUNCTION(tanhshrink_second)
{
    tanh_derivative(r, x, p, t);
    mpfr_tanh(t->a, x, N);
    mpfr_mul(r, r, t->a, N);
    mpfr_mul_ui(r, r, 2, N);
}
/* -2 tanh(x) sech(x)^2 */
FUNCTION(tanh_second)
{
    tanh_derivative(r, x, p, t);
    mpfr_tanh(t->a, x, N);
    mpfr_mul(r, r, t->a, N);
    mpfr_mul_si(r, r, -2, N);
}

FUNCTION(super_spike_second)
{
    inverse_cube(r, x, p[1]);
    mpfr_mul_d(r, r, p[0], N);
}
FUNCTION(sparse_fast_sigmoid_spike_second)
{
    inverse_cube(r, x, p[0]);
    mpfr_mul_si(r, r, ABOVE(x, p[1]), N);
}
FUNCTION(nonzero_sign_log_abs_spike_second)
{
    nonzero_sign_log_abs_spike_derivative(r, x, p, t);
    mpfr_sqr(r, r, N);
    mpfr_mul_si(r, r, falling(x), N);
}
FUNCTION(fake_numerical_gradient_spike_second)
{
    mpfr_abs(r, x, N);
    mpfr_mul_d(r, r, p[0], N);
    const int flat = BELOW(r, 1);
    mpfr_pow_si(r, x, -2, N);
    mpfr_mul_si(r, r, falling(x), N);
    if (flat)
        mpfr_set_ui(r, 0, N);
}
FUNCTION(log_tailed_relu_spike_second)
{
    mpfr_set_ui(r, 0, N);
    if (ABOVE(x, 1)) {
        mpfr_pow_si(r, x, -2, N);
        mpfr_neg(r, r, N);
    }
}
/* -3 z / alpha (1 + z^2)^-2.5, z = x / alpha */
FUNCTION(circ_spike_second)
{
    mpfr_div_d(t->b, x, p[0], N);
    circ_spike_derivative(r, x, p, t);
    mpfr_mul(r, r, t->b, N);
    mpfr_sqr(t->b, t->b, N);
    mpfr_add_ui(t->b, t->b, 1, N);
    mpfr_div(r, r, t->b, N);
    mpfr_div_d(r, r, p[0], N);
    mpfr_mul_si(r, r, -3, N);
}
/* -2 alpha / (alpha - 1) / w times the first derivative, w = 1 + 2 |x| / (alpha - 1) */
FUNCTION(q_pseudo_spike_second)
{
    q_pseudo_spike_derivative(r, x, p, t);
    mpfr_mul_d(r, r, 2 * p[0], N);
    mpfr_abs(t->b, x, N);
    mpfr_mul_ui(t->b, t->b, 2, N);
    mpfr_add(t->b, t->b, t->a, N);      /* a is alpha - 1 */
    mpfr_div(r, r, t->b, N);
    mpfr_mul_si(r, r, falling(x), N);
}
FUNCTION(rate_escape_spike_second)
{
    mpfr_sub_d(t->a, x, p[2], N);
    rate_escape_spike_derivative(r, x, p, t);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_mul_si(r, r, falling(t->a), N);
}
FUNCTION(piecewise_quadratic_spike_second)
{
    piecewise_quadratic_spike_derivative(r, x, p, t);
    const int within = POSITIVE(r);
    mpfr_set_d(r, p[0], N);
    mpfr_sqr(r, r, N);
    mpfr_mul_si(r, r, within * falling(x), N);
}
FUNCTION(erf_spike_second)
{
    erf_spike_derivative(r, x, p, t);
    mpfr_mul(r, r, x, N);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_mul_d(r, r, p[0], N);
    mpfr_mul_si(r, r, -2, N);
}
FUNCTION(tanh_spike_second)
{
    mpfr_mul_d(t->b, x, p[0], N);
    tanh_second(r, t->b, p, t);
    mpfr_mul_d(r, r, p[0], N);
}
/* x < 0: alpha^2 s(y) s(-y) tanh(-y/2), y = alpha x */
FUNCTION(s2nn_spike_second)
{
    if (mpfr_sgn(x) < 0) {
        sigmoid_spike_derivative(r, x, p, t);
        mpfr_mul_d(r, r, p[0], N);
        mpfr_mul_d(t->a, x, -p[0], N);
        mpfr_div_ui(t->a, t->a, 2, N);
        mpfr_tanh(t->a, t->a, N);
        mpfr_mul(r, r, t->a, N);
        return;
    }
    mpfr_add_ui(r, x, 1, N);
    mpfr_pow_si(r, r, -2, N);
    mpfr_mul_d(r, r, -p[1], N);
}
ZERO_SECOND(leaky_k_relu_spike)
ZERO_SECOND(piecewise_leaky_relu_spike)

/* ---- Derivatives from the output y: x is y here; beyond the range of f the nearest end of it ---- */

FUNCTION(elu_from_output)
{
    mpfr_add_d(r, x, p[0], N);
    if (!POSITIVE(r))
        mpfr_set_ui(r, 0, N);
    if (POSITIVE(x))
        mpfr_set_ui(r, 1, N);
}
FUNCTION(celu_from_output)
{
    elu_from_output(r, x, p, t);
    if (!POSITIVE(x))
        mpfr_div_d(r, r, p[0], N);
}
/* y + f'(0): f is lambda a expm1(x) there. */
FUNCTION(selu_from_output)
{
    mpfr_t edge;
    mpfr_init2(edge, REFERENCE_BITS);
    step(edge, POSITIVE(x));
    selu_derivative(r, edge, p, t);
    mpfr_clear(edge);
    if (POSITIVE(x))
        return;
    mpfr_add(r, r, x, N);
    if (!POSITIVE(r))
        mpfr_set_ui(r, 0, N);
}
FUNCTION(sigmoid_from_output)
{
    mpfr_ui_sub(r, 1, x, N);
    mpfr_mul(r, r, x, N);
    if (!POSITIVE(r))
        mpfr_set_ui(r, 0, N);
}
FUNCTION(tanh_from_output)
{
    mpfr_sqr(r, x, N);
    mpfr_ui_sub(r, 1, r, N);
    if (!POSITIVE(r))
        mpfr_set_ui(r, 0, N);
}
FUNCTION(softplus_from_output)
{
    mpfr_mul_d(r, x, -p[0], N);
    mpfr_expm1(r, r, N);
    mpfr_neg(r, r, N);
    if (!POSITIVE(x))
        mpfr_set_ui(r, 0, N);
}
FUNCTION(log_sigmoid_from_output)
{
    mpfr_expm1(r, x, N);
    mpfr_neg(r, r, N);
    if (POSITIVE(x))
        mpfr_set_ui(r, 0, N);
}

/* The table of support.h. */
FUNCTION(table_value) { spline_evaluate(r, example_table, EXAMPLE_KNOTS, 0, x); }
FUNCTION(table_derivative) { spline_evaluate(r, example_table, EXAMPLE_KNOTS, 1, x); }
FUNCTION(table_second) { spline_evaluate(r, example_table, EXAMPLE_KNOTS, 2, x); }

ZERO_SECOND(sparse_sigmoid)
ZERO_SECOND(abs)
ZERO_SECOND(linear)
ZERO_SECOND(bounded_relu)
ZERO_SECOND(clipped_linear)

FUNCTION(sin_second)
{
    sin_value(r, x, p, t);
    mpfr_mul_d(r, r, -p[0], N);
    mpfr_mul_d(r, r, p[0], N);
}
FUNCTION(snake_second)
{
    const double twice = 2 * p[0];
    sin_derivative(r, x, &twice, t);
}
FUNCTION(arctan_second)
{
    arctan_derivative(r, x, p, t);
    mpfr_sqr(r, r, N);
    mpfr_mul(r, r, x, N);
    mpfr_mul_si(r, r, -2, N);
}
FUNCTION(lisht_second)
{
    mpfr_tanh(t->a, x, N);
    mpfr_mul(t->a, t->a, x, N);
    mpfr_ui_sub(t->a, 1, t->a, N);
    mpfr_sech(r, x, N);
    mpfr_sqr(r, r, N);
    mpfr_mul(r, r, t->a, N);
    mpfr_mul_ui(r, r, 2, N);
}
FUNCTION(logcosh_second) { tanh_derivative(r, x, p, t); }
FUNCTION(exponential_second) { mpfr_exp(r, x, N); }
FUNCTION(hard_mish_second) { step(r, !BELOW(x, -2) && BELOW(x, 0)); }
FUNCTION(sparse_plus_second) { sparse_sigmoid_derivative(r, x, p, t); }
FUNCTION(square_second) { mpfr_set_ui(r, 2, N); }
FUNCTION(clipped_gate_second) { mpfr_set_d(r, clipped(r, x, p) ? 2 * p[0] : 0, N); }

/* ---- The table -------------------------------------------------------------------------------- */

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
