/* The element types as sets of numbers; see element.h. */
#include "element.h"

#include <math.h>
#include <string.h>

const element element_f32 = {"f32", 24, -125, 128, 2, 0x1p-24};
const element element_f64 = {"f64", 53, -1021, 1024, 4, 0x1p-52};

double element_round(const element *type, double x)
{
    return type == &element_f32 ? (double)(float)x : x;
}

double element_round_mpfr(const element *type, mpfr_srcptr x)
{
    return type == &element_f32 ? (double)mpfr_get_flt(x, MPFR_RNDN) : mpfr_get_d(x, MPFR_RNDN);
}

int64_t element_place(const element *type, double x)
{
    int64_t magnitude;
    if (type == &element_f32) {
        float narrow = (float)fabs(x);
        int32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        magnitude = bits;
    } else {
        double absolute = fabs(x);
        memcpy(&magnitude, &absolute, sizeof magnitude);
    }
    return signbit(x) ? -magnitude - 1 : magnitude;
}

double element_at(const element *type, int64_t place)
{
    int64_t magnitude = place < 0 ? -place - 1 : place;
    double x;
    if (type == &element_f32) {
        int32_t bits = (int32_t)magnitude;
        float narrow;
        memcpy(&narrow, &bits, sizeof narrow);
        x = (double)narrow;
    } else {
        memcpy(&x, &magnitude, sizeof x);
    }
    return place < 0 ? -x : x;
}

mpfr_exp_t element_ulp_exponent(const element *type, mpfr_srcptr x)
{
    mpfr_exp_t exponent = mpfr_inf_p(x) ? type->max_exponent : mpfr_get_exp(x);
    if (exponent < type->min_exponent)
        exponent = type->min_exponent;
    if (exponent > type->max_exponent)
        exponent = type->max_exponent;
    return exponent - type->digits;
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
