/* The element types as sets of numbers: rounding, neighbours, and the error of a result in ULP. */
#ifndef ACCURACY_ELEMENT_H
#define ACCURACY_ELEMENT_H

#include "../support/support.h"

#include <mpfr.h>
#include <stdint.h>

typedef struct element {
    const char *name;       /* as in the public API's function names */
    element_type type;
    const struct element *arithmetic;   /* the type of its arithmetic, which parameters have, too */
    int digits;             /* binary digits of the significand */
    int min_exponent;       /* the smallest normal number is 2^(min_exponent - 1) */
    int max_exponent;       /* the largest finite number is just below 2^max_exponent */
    double ulps;            /* the promised bound (f32, f64: half of that of second derivatives): so many ULP, ... */
    double sign_change;     /* ... or this times the largest |derivative| where that changes sign */
    double rounded;         /* and at least this share correctly rounded */
} element;

extern const element element_f32, element_f64, element_f16, element_bf16;

/* x rounded to the element type, to nearest or in the direction of `mode`. */
double element_round(const element *type, double x);
double element_round_mpfr(const element *type, mpfr_srcptr x, mpfr_rnd_t mode);

/* Numbers of the type in ascending order have consecutive places: -0 has -1, +0 has 0. NaNs lie
 * beyond the infinities. */
int64_t element_place(const element *type, double x);
double element_at(const element *type, int64_t place);

/* The exponent e of the unit in the last place, 2^e, of numbers as large as x (not zero or NaN). */
mpfr_exp_t element_ulp_exponent(const element *type, mpfr_srcptr x);

/* The same unit itself; x may be zero. */
double element_ulp(const element *type, double x);

/* |computed - exact| in ULP of exact. An infinite result counts as the power of two after the
 * largest finite number. An exact zero has no ULP: any other result is infinitely wrong. So is a
 * NaN, unless exact is one. */
double element_error(const element *type, double computed, mpfr_srcptr exact);

#endif
