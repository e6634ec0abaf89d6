/* Whether the two references agree; see fast_check.h. */
#include "fast_check.h"
#include "fast.h"
#include "samples.h"

#include <math.h>

/* The error of `found`, relative to exact or, next to a change of sign, to the largest derivative. */
static double relative_error(const bound *limit, double x, double found, mpfr_ptr exact)
{
    if (isnan(found))
        return HUGE_VAL;
    double size = fabs(mpfr_get_d(exact, MPFR_RNDN));
    if (size < FAST_TINY)       /* 0 in f32, and so must this be */
        return fabs(found) < 2 * FAST_TINY ? 0 : HUGE_VAL;
    if (bound_crossing(limit, x, x))
        size = fmax(size, limit->largest);
    mpfr_d_sub(exact, found, exact, MPFR_RNDN);
    return fabs(mpfr_get_d(exact, MPFR_RNDN)) / size;
}

double fast_check(const reference_kind *kind, direction way, const double *p, int parameters,
                  reference_scratch *scratch, double *at)
{
    bound limit;
    bound_find(&limit, &element_f32, kind, way, p, scratch);
    samples points;
    samples_begin(&points, &element_f32, 20000, 2);
    samples_fill(&points, p, parameters, 1);
    mpfr_t exact;
    mpfr_init2(exact, REFERENCE_BITS);
    double worst = 0;
    *at = (double)NAN;
    for (size_t i = 0; i < points.count; i++) {
        double x[FAST_LANES] = {element_at(&element_f32, points.places[i])}, y[FAST_LANES];
        if (!isfinite(x[0]))
            continue;
        reference_evaluate(exact, kind, way, p, x[0], scratch);
        fast_evaluate(kind->name, way, p, FAST_LANES, x, y);
        double error = relative_error(&limit, x[0], y[0], exact);
        if (error > worst) {
            worst = error;
            *at = x[0];
        }
    }
    mpfr_clear(exact);
    samples_end(&points);
    return worst;
}
