/* Every number of a type of 16 bits, through one function; see half.h. */
#include "half.h"
#include "fast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBERS = 65536 };

typedef struct numbers {
    uint16_t x[NUMBERS], found[NUMBERS];
    double wide[NUMBERS], exact[NUMBERS];   /* x, and the result of the fast reference */
} numbers;

int half_is(const element *type) { return element_formats[type->type].width == sizeof(uint16_t); }

static void add(tally *counts, double x, double ulps, int rounded)
{
    counts->samples++;
    counts->rounded += rounded;
    if (ulps > counts->max_ulps) {
        counts->max_ulps = ulps;
        counts->max_at = x;
    }
}

static void judge_exactly(check *work, double x, double found, mpfr_ptr exact, reference_scratch *scratch)
{
    const element *type = work->type;
    tally *counts = &work->found;
    reference_evaluate(exact, work->entry->reference, work->way, work->p, x, scratch);
    const double nearest = element_round_mpfr(type, exact, MPFR_RNDN);
    const int rounded = found == nearest || (isnan(found) && isnan(nearest));
    const int faithful = rounded
                         || (!isinf(x)
                             && (found == element_round_mpfr(type, exact, MPFR_RNDD)
                                 || found == element_round_mpfr(type, exact, MPFR_RNDU)));
    const double ulps = element_error(type, found, exact);
    add(counts, x, ulps, rounded);
    if (!faithful && counts->failures++ == 0) {
        counts->worst.at = x;
        counts->worst.computed = found;
        counts->worst.exact = mpfr_get_d(exact, MPFR_RNDN);
        counts->worst.ulps = ulps;
        counts->worst.allowed = 1;
    }
}

/* Whether the result is correctly rounded whatever the error of the fast reference, within its bound. (FAST_TINY,
 * below which it has no bound, is far below half of the smallest number of either type.) */
static int is_rounded(const element *type, double found, double exact, double largest)
{
    const double margin = 2 * FAST_ERROR * fmax(fabs(exact), largest);
    return found == element_round(type, exact - margin) && found == element_round(type, exact + margin);
}

static int has_fast(const check *work) { return fast_usable() && fast_has(work->entry->reference->name, work->way); }

static void judge(check *work, const numbers *all, reference_scratch *scratch)
{
    const element *type = work->type;
    bound limit;
    bound_find(&limit, &element_f32, work->entry->reference, work->way, work->p, scratch);
    mpfr_t exact;
    mpfr_init2(exact, REFERENCE_BITS);
    for (int i = 0; i < NUMBERS; i++) {
        const double x = all->wide[i], y = all->exact[i];
        const double found = element_value(all->found[i], type->type);
        const double largest = bound_crossing(&limit, x, x) ? limit.largest : 0;
        if (isfinite(x) && has_fast(work) && is_rounded(type, found, y, largest))
            add(&work->found, x, isinf(found) ? 0 : fabs(found - y) / element_ulp(type, y), 1);
        else
            judge_exactly(work, x, found, exact, scratch);
    }
    mpfr_clear(exact);
}

static sugar_status evaluate(const check *work, const sugar_activation *activation, numbers *all)
{
    const element_type type = work->type->type;
    if (!work->each)
        return catalogue_call(activation, work->type, work->way, NUMBERS, all->x, NULL, all->found);
    double found[NUMBERS];
    const sugar_status status = catalogue_evaluate(activation, work->entry, work->type, work->way,
                                                   check_parameter(work), NUMBERS, all->wide, found);
    for (int i = 0; i < NUMBERS && status == SUGAR_OK; i++)
        all->found[i] = (uint16_t)element_of(found[i], type);
    return status;
}

void half_measure(check *work, const sugar_activation *activation, reference_scratch *scratch)
{
    numbers *all = malloc(sizeof *all);
    for (int i = 0; i < NUMBERS && all; i++) {
        all->x[i] = (uint16_t)i;
        all->wide[i] = element_value((uint64_t)i, work->type->type);
        all->exact[i] = isfinite(all->wide[i]) ? all->wide[i] : 0;
    }
    if (!all || evaluate(work, activation, all) != SUGAR_OK) {
        snprintf(work->problem, PROBLEM_SIZE, "%s", all ? sugar_last_error() : "out of memory");
    } else {
        if (has_fast(work))
            fast_evaluate(work->entry->reference->name, work->way, work->p, NUMBERS, all->exact, all->exact);
        judge(work, all, scratch);
    }
    free(all);
}
