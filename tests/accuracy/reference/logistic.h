/* Kinds with the logistic function. */
#ifndef ACCURACY_REFERENCE_LOGISTIC_H
#define ACCURACY_REFERENCE_LOGISTIC_H

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

#endif
