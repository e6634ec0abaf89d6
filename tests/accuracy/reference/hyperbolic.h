/* Kinds with the hyperbolic tangent. */
#ifndef ACCURACY_REFERENCE_HYPERBOLIC_H
#define ACCURACY_REFERENCE_HYPERBOLIC_H

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

#endif
