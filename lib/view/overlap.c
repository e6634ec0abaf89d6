/* Overlap of strided views.
 *
 * Two views share an element if and only if sum a[d] i[d] - sum b[d] j[d] = distance has a solution with every index
 * within its extent: a linear Diophantine equation in bounded unknowns. Such equations are NP-hard in general, but
 * those of real strides are easy: the search takes the largest coefficient first, and the largest sum and the greatest
 * common divisor of the terms that follow hardly ever leave more than one or two values to try. */
#include "view/overlap.h"

#include <assert.h>
#include <stdbool.h>

#include "sugar/sugar.h"

enum { MAX_TERMS = 2 * (SUGAR_MAX_DIMENSIONS + 2), SEARCH_LIMIT = 1 << 20 };

/* sum coefficient[k] v[k] = target with 0 <= v[k] <= bound[k]. Coefficients are positive, and each is less than the
 * one before it. */
typedef struct equation {
    int terms;
    int64_t coefficient[MAX_TERMS];
    int64_t bound[MAX_TERMS];
    int64_t target;
    int64_t reach[MAX_TERMS + 1];   /* the largest sum of the terms from k on */
    int64_t divisor[MAX_TERMS + 1]; /* the greatest common divisor of the coefficients from k on */
    int64_t attempts;               /* how many values the search may still try */
} equation;

/* An equation without terms. The arrays are set term by term: clearing them all took a quarter of the time of a
 * transposed call on 16 elements. */
static void begin(equation *e, int64_t target)
{
    e->terms = 0;
    e->target = target;
}

/* Adds coefficient * v. With a negative coefficient, v counts down from its bound instead. */
static void add_term(equation *e, int64_t coefficient, int64_t bound)
{
    if (coefficient == 0 || bound == 0)
        return;
    if (coefficient < 0) {
        coefficient = -coefficient;
        e->target += coefficient * bound;
    }
    assert(e->terms < MAX_TERMS);
    int k = 0;
    while (k < e->terms && e->coefficient[k] > coefficient)
        k++;
    if (k < e->terms && e->coefficient[k] == coefficient) {
        e->bound[k] += bound;
        return;
    }
    for (int i = e->terms++; i > k; i--) {
        e->coefficient[i] = e->coefficient[i - 1];
        e->bound[i] = e->bound[i - 1];
    }
    e->coefficient[k] = coefficient;
    e->bound[k] = bound;
}

static int64_t greatest_common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static sugar_sharing search(equation *e, int k, int64_t target)
{
    if (target == 0)
        return SUGAR_SHARED;
    if (target < 0 || target > e->reach[k] || target % e->divisor[k] != 0)
        return SUGAR_APART;
    const int64_t coefficient = e->coefficient[k], missing = target - e->reach[k + 1];
    const int64_t least = missing > 0 ? (missing - 1) / coefficient + 1 : 0;
    const int64_t fitting = target / coefficient;
    const int64_t most = fitting < e->bound[k] ? fitting : e->bound[k];
    for (int64_t v = least; v <= most; v++) {
        if (e->attempts-- == 0)
            return SUGAR_UNDECIDED;
        const sugar_sharing found = search(e, k + 1, target - coefficient * v);
        if (found != SUGAR_APART)
            return found;
    }
    return SUGAR_APART;
}

static sugar_sharing solve(equation *e)
{
    e->reach[e->terms] = 0;
    e->divisor[e->terms] = 0;
    for (int k = e->terms - 1; k >= 0; k--) {
        e->reach[k] = e->reach[k + 1] + e->coefficient[k] * e->bound[k];
        e->divisor[k] = greatest_common_divisor(e->coefficient[k], e->divisor[k + 1]);
    }
    e->attempts = SEARCH_LIMIT;
    return search(e, 0, e->target);
}

sugar_sharing sugar_views_share(int ndim, const int64_t *extent, const int64_t *a, const int64_t *b, int64_t distance)
{
    equation e;
    begin(&e, distance);
    for (int d = 0; d < ndim; d++) {
        add_term(&e, a[d], extent[d] - 1);
        add_term(&e, -b[d], extent[d] - 1);
    }
    return solve(&e);
}

/* Whether two indices are the same element, of which dimension k is the outermost in which they differ. If they differ
 * there by 1 + v, they are if stride[k] (1 + v) + sum over d < k of stride[d] w[d] = 0 with |w[d]| < extent[d]. */
static sugar_sharing repeats_in(int k, const int64_t *extent, const int64_t *stride)
{
    equation e;
    begin(&e, -stride[k]);
    add_term(&e, stride[k], extent[k] - 2);
    for (int d = 0; d < k; d++) {
        add_term(&e, stride[d], 2 * (extent[d] - 1));
        e.target += stride[d] * (extent[d] - 1);
    }
    return solve(&e);
}

sugar_sharing sugar_view_repeats(int ndim, const int64_t *extent, const int64_t *stride)
{
    for (int k = ndim - 1; k >= 0; k--) {
        const sugar_sharing found = extent[k] > 1 ? repeats_in(k, extent, stride) : SUGAR_APART;
        if (found != SUGAR_APART)
            return found;
    }
    return SUGAR_APART;
}
