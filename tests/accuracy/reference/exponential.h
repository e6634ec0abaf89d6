/* Kinds that are made of exponentials. */
#ifndef ACCURACY_REFERENCE_EXPONENTIAL_H
#define ACCURACY_REFERENCE_EXPONENTIAL_H

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

#endif
