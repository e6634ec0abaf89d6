/* What formulas are built of; r may be x. */
#ifndef ACCURACY_REFERENCE_BLOCKS_H
#define ACCURACY_REFERENCE_BLOCKS_H

#include "../reference.h"

#define N MPFR_RNDN
#define UNUSED __attribute__((unused))
#define FUNCTION(name)                                                                                                 \
    static void name(mpfr_ptr r, UNUSED mpfr_srcptr x, UNUSED const double *p, UNUSED reference_scratch *t)

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

#endif
