/* Rational and algebraic kinds. */
#ifndef ACCURACY_REFERENCE_ALGEBRAIC_H
#define ACCURACY_REFERENCE_ALGEBRAIC_H

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

#endif
