/* The error bound that the header promises, and the tally of the errors that were measured. */
#ifndef ACCURACY_BOUND_H
#define ACCURACY_BOUND_H

#include "element.h"
#include "reference.h"

#include <stdint.h>
#include <stdio.h>

/* `ulps` everywhere. Where the derivative changes sign its terms cancel, and an error relative to
 * the result says little: there `absolute` is allowed as well, but only within `width` of a zero. */
enum { BOUND_ZEROS = 8 };
typedef struct bound {
    double ulps;
    double absolute;
    double largest;                     /* the largest magnitude of the derivative, if it changes sign */
    double width;
    int zero_count;
    double zeros[BOUND_ZEROS];
} bound;

void bound_find(bound *limit, const element *type, const reference_kind *kind, direction way, const double *p,
                reference_scratch *scratch);

/* Whether some x in [low, high] lies next to a sign change. */
int bound_crossing(const bound *limit, double low, double high);

/* The error allowed at x, in units of `ulp`. */
double bound_ulps(const bound *limit, double x, double ulp);

/* The errors of many results, those next to a sign change apart. */
typedef struct tally {
    int64_t samples;
    int64_t rounded;                    /* correctly rounded results */
    int64_t failures;                   /* results beyond the bound */
    double max_ulps, max_at;            /* the largest error, in ULP; at is NaN when all are 0 */
    double crossing_share, crossing_at; /* next to a sign change: error over what is allowed */
    struct {
        double at, computed, exact, ulps, allowed;
    } worst;                            /* the worst failure */
} tally;

void tally_begin(tally *counts);

/* Measures one result and adds it. */
void tally_add(tally *counts, const element *type, const bound *limit, double x, double computed, mpfr_srcptr exact);

/* Adds the counts of `part` to the whole. */
void tally_merge(tally *whole, const tally *part);

/* The members of a JSON object, without its braces. */
void tally_print_json(const tally *counts, FILE *file);

#endif
