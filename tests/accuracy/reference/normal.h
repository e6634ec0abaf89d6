/* Kinds with the normal distribution. */
#ifndef ACCURACY_REFERENCE_NORMAL_H
#define ACCURACY_REFERENCE_NORMAL_H

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

#endif
