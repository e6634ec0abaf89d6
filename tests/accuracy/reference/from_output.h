/* Derivatives from the output y: x is y here; beyond the range of f the nearest end of it. */
#ifndef ACCURACY_REFERENCE_FROM_OUTPUT_H
#define ACCURACY_REFERENCE_FROM_OUTPUT_H

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

#endif
