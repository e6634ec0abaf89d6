/* Second derivatives. */
#ifndef ACCURACY_REFERENCE_SECOND_H
#define ACCURACY_REFERENCE_SECOND_H

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

#endif
