/* The element types as sets of numbers; see element.h. */
#include "element.h"

#include <math.h>

const element element_f32 = {"f32", ELEMENT_F32, &element_f32, 24, -125, 128, 2, 0x1p-24, 0};
const element element_f64 = {"f64", ELEMENT_F64, &element_f64, 53, -1021, 1024, 4, 0x1p-52, 0};
const element element_f16 = {"f16", ELEMENT_F16, &element_f32, 11, -13, 16, 1, 0, 0.999};
const element element_bf16 = {"bf16", ELEMENT_BF16, &element_f32, 8, -125, 128, 1, 0, 0.999};

double element_round(const element *type, double x) { return element_value(element_of(x, type->type), type->type); }

/* As the manual of MPFR shows for the formats of IEEE 754: rounded in the full range of exponents, then
 * brought into that of the type, without rounding twice. */
double element_round_mpfr(const element *type, mpfr_srcptr x, mpfr_rnd_t mode)
{
    const mpfr_exp_t lowest = mpfr_get_emin(), highest = mpfr_get_emax();
    mpfr_t y;
    mpfr_init2(y, type->digits);
    int direction = mpfr_set(y, x, mode);
    mpfr_set_emin(type->min_exponent - type->digits + 1);
    mpfr_set_emax(type->max_exponent);
    direction = mpfr_check_range(y, direction, mode);
    mpfr_subnormalize(y, direction, mode);
    const double rounded = mpfr_get_d(y, MPFR_RNDN);
    mpfr_set_emin(lowest);
    mpfr_set_emax(highest);
    mpfr_clear(y);
    return rounded;
}

int64_t element_place(const element *type, double x)
{
    const int64_t magnitude = (int64_t)element_of(fabs(x), type->type);
    return signbit(x) ? -magnitude - 1 : magnitude;
}

double element_at(const element *type, int64_t place)
{
    const double magnitude = element_value((uint64_t)(place < 0 ? -place - 1 : place), type->type);
    return place < 0 ? -magnitude : magnitude;
}

static mpfr_exp_t clamp_exponent(const element *type, mpfr_exp_t exponent)
{
    return exponent < type->min_exponent   ? type->min_exponent
           : exponent > type->max_exponent ? type->max_exponent
                                           : exponent;
}

double element_ulp(const element *type, double x)
{
    int exponent;
    frexp(x, &exponent);
    return ldexp(1, (int)clamp_exponent(type, x == 0 ? type->min_exponent : exponent) - type->digits);
}

mpfr_exp_t element_ulp_exponent(const element *type, mpfr_srcptr x)
{
    return clamp_exponent(type, mpfr_inf_p(x) ? type->max_exponent : mpfr_get_exp(x)) - type->digits;
}

double element_error(const element *type, double computed, mpfr_srcptr exact)
{
    if (mpfr_nan_p(exact))
        return isnan(computed) ? 0 : HUGE_VAL;
    if (isnan(computed))
        return HUGE_VAL;
    if (mpfr_zero_p(exact))
        return computed == 0 ? 0 : HUGE_VAL;
    int beyond = mpfr_inf_p(exact) || mpfr_get_exp(exact) > type->max_exponent;
    if (isinf(computed) && beyond && (computed > 0) == (mpfr_sgn(exact) > 0))
        return 0;
    mpfr_t error;
    mpfr_init2(error, mpfr_get_prec(exact));
    if (isinf(computed))
        mpfr_set_si_2exp(error, computed > 0 ? 1 : -1, type->max_exponent, MPFR_RNDN);
    else
        mpfr_set_d(error, computed, MPFR_RNDN);
    mpfr_sub(error, error, exact, MPFR_RNDN);
    mpfr_mul_2si(error, error, -(long)element_ulp_exponent(type, exact), MPFR_RNDN);
    double ulps = fabs(mpfr_get_d(error, MPFR_RNDN));
    mpfr_clear(error);
    return ulps;
}
