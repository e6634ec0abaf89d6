/* Kinds that are made of straight pieces. */
#ifndef ACCURACY_REFERENCE_PIECES_H
#define ACCURACY_REFERENCE_PIECES_H

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

#endif
