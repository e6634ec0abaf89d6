/* Periodic kinds. At infinity, which 2^4096 stands for, a sine counts as its mean. */
#ifndef ACCURACY_REFERENCE_PERIODIC_H
#define ACCURACY_REFERENCE_PERIODIC_H

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

#endif
