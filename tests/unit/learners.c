/* See learners.h. */
#include "learners.h"

#include <math.h>
#include <stdio.h>

/* df/dparameter by the formulas of the catalogue, with functions of libm. */
static double slope_line(double x, double p)
{
    (void)p;
    return fmin(x, 0);
}
static double slope_elu(double x, double p)
{
    (void)p;
    return expm1(fmin(x, 0));
}
static double slope_celu(double x, double p)
{
    const long double u = (long double)fmin(x, 0) / (long double)p;
    return (double)(expm1l(u) - u * expl(u));       /* it cancels near 0 */
}
static double logistic(double x) { return 1 / (1 + exp(-x)); }
static double slope_silu(double x, double p) { return x * x * logistic(p * x) * logistic(-p * x); }
static double slope_softplus(double x, double p)
{
    const double a = fabs(p * x);
    return -(a * logistic(-a) + log1p(exp(-a))) / (p * p);
}
static double slope_squareplus(double x, double p) { return 0.25 / sqrt(x * x + p); }
static double slope_bsilu(double x, double p)
{
    (void)p;
    return tanh(x / 2) / 2;
}
static double slope_nelu(double x, double p)
{
    (void)p;
    return x > 0 ? 0 : x * x / (1 + x * x);
}

const learner learners[LEARNERS] = {
    {"leaky_relu", "negative_slope", slope_line},
    {"prelu", "alpha", slope_line},
    {"elu", "alpha", slope_elu},
    {"celu", "alpha", slope_celu},
    {"silu", "beta", slope_silu},
    {"softplus", "beta", slope_softplus},
    {"squareplus", "b", slope_squareplus},
    {"bsilu", "alpha", slope_bsilu},
    {"nelu", "alpha", slope_nelu},
};

sugar_activation *create_with(const learner *kind, double parameter)
{
    char spec[64];
    snprintf(spec, sizeof spec, "%s(%s=%g)", kind->name, kind->parameter, parameter);
    return must_create(spec, NULL);
}
