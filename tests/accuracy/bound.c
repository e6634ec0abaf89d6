/* How far a result may be off, and what was found; see bound.h. */
#include "bound.h"

#include <math.h>

/* Finds the zero of a derivative between two points of different sign. */
static double bisect(const reference_kind *kind, direction way, const double *p, double low, double high, mpfr_ptr y,
                     reference_scratch *scratch)
{
    reference_evaluate(y, kind, way, p, low, scratch);
    int sign = mpfr_sgn(y);
    for (int i = 0; i < 50; i++) {
        double middle = low + (high - low) / 2;
        reference_evaluate(y, kind, way, p, middle, scratch);
        if (mpfr_sgn(y) == sign)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Looks at points around 0 that are width/4 apart, and at points ever farther apart up to 760 widths:
 * beyond, every exponential overflows or underflows double. */
void bound_find(bound *limit, const element *type, const reference_kind *kind, direction way, const double *p,
                reference_scratch *scratch)
{
    /* A narrow type has one rounding, which is faithful or not. */
    const double times = way == SECOND && type->arithmetic == type ? 2 : 1;
    *limit = (bound){.ulps = times * type->ulps};
    if ((way != DERIVATIVE && way != SECOND) || !kind->width)
        return;
    limit->width = kind->width(p);
    mpfr_t y;
    mpfr_init2(y, REFERENCE_BITS);
    double largest = 0, previous = 0;
    int previous_sign = 0;
    for (int i = -168; i <= 168; i++) {
        double x = limit->width * 8 * sinh(i / 32.0);
        reference_evaluate(y, kind, way, p, x, scratch);
        largest = fmax(largest, fabs(mpfr_get_d(y, MPFR_RNDN)));
        int sign = mpfr_sgn(y);
        if (sign * previous_sign < 0 && limit->zero_count < BOUND_ZEROS)
            limit->zeros[limit->zero_count++] = bisect(kind, way, p, previous, x, y, scratch);
        previous = x;
        previous_sign = sign;
    }
    limit->largest = largest;
    limit->absolute = times * type->sign_change * largest;
    mpfr_clear(y);
}

int bound_crossing(const bound *limit, double low, double high)
{
    for (int i = 0; i < limit->zero_count; i++)
        if (low <= limit->zeros[i] + limit->width && high >= limit->zeros[i] - limit->width)
            return 1;
    return 0;
}

double bound_ulps(const bound *limit, double x, double ulp)
{
    if (!bound_crossing(limit, x, x))
        return limit->ulps;
    return fmax(limit->ulps, limit->absolute / ulp);
}

void tally_begin(tally *counts)
{
    *counts = (tally){.max_at = (double)NAN, .crossing_at = (double)NAN, .worst.at = (double)NAN};
}

void tally_add(tally *counts, const element *type, const bound *limit, double x, double computed, mpfr_srcptr exact)
{
    double nearest = element_round_mpfr(type, exact, MPFR_RNDN);
    int rounded = computed == nearest || (isnan(computed) && isnan(nearest));
    double ulps = element_error(type, computed, exact), allowed = limit->ulps;
    if (isinf(x))                                   /* limits are exact */
        ulps = rounded ? 0 : HUGE_VAL;
    counts->samples++;
    counts->rounded += rounded;
    if (mpfr_regular_p(exact) && bound_crossing(limit, x, x)) {
        allowed = bound_ulps(limit, x, ldexp(1, (int)element_ulp_exponent(type, exact)));
        if (ulps / allowed > counts->crossing_share) {
            counts->crossing_share = ulps / allowed;
            counts->crossing_at = x;
        }
    } else if (ulps > counts->max_ulps) {
        counts->max_ulps = ulps;
        counts->max_at = x;
    }
    if (ulps <= allowed)
        return;
    if (counts->failures++ == 0 || ulps / allowed > counts->worst.ulps / counts->worst.allowed) {
        counts->worst.at = x;
        counts->worst.computed = computed;
        counts->worst.exact = mpfr_get_d(exact, MPFR_RNDN);
        counts->worst.ulps = ulps;
        counts->worst.allowed = allowed;
    }
}

void tally_merge(tally *whole, const tally *part)
{
    whole->samples += part->samples;
    whole->rounded += part->rounded;
    if (part->max_ulps > whole->max_ulps) {
        whole->max_ulps = part->max_ulps;
        whole->max_at = part->max_at;
    }
    if (part->crossing_share > whole->crossing_share) {
        whole->crossing_share = part->crossing_share;
        whole->crossing_at = part->crossing_at;
    }
    int worse = part->worst.ulps / part->worst.allowed > whole->worst.ulps / whole->worst.allowed;
    if (part->failures > 0 && (whole->failures == 0 || worse))
        whole->worst = part->worst;
    whole->failures += part->failures;
}

/* JSON has no infinities. */
static void print_number(const char *name, double x, FILE *file)
{
    if (isfinite(x))
        fprintf(file, ", \"%s\": %.17g", name, x);
    else
        fprintf(file, ", \"%s\": \"%g\"", name, x);
}

static void print_place(const char *name, double x, FILE *file)
{
    if (isnan(x))
        fprintf(file, ", \"%s\": null, \"%s_hex\": null", name, name);
    else {
        print_number(name, x, file);
        fprintf(file, ", \"%s_hex\": \"%a\"", name, x);
    }
}

void tally_print_json(const tally *counts, FILE *file)
{
    fprintf(file, "\"samples\": %lld, \"correctly_rounded\": %.8f, \"failures\": %lld", (long long)counts->samples,
            counts->samples ? (double)counts->rounded / (double)counts->samples : 0.0, (long long)counts->failures);
    print_number("max_ulp", counts->max_ulps, file);
    print_place("at", counts->max_at, file);
    if (!isnan(counts->crossing_at)) {
        print_number("sign_change_share_of_bound", counts->crossing_share, file);
        print_place("sign_change_at", counts->crossing_at, file);
    }
    if (counts->failures == 0)
        return;
    fprintf(file, ", \"worst_failure\": {\"allowed_ulp\": %.17g", counts->worst.allowed);
    print_place("x", counts->worst.at, file);
    print_number("computed", counts->worst.computed, file);
    print_number("exact", counts->worst.exact, file);
    print_number("ulp", counts->worst.ulps, file);
    fputs("}", file);
}
