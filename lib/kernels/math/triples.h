/* Triples: unevaluated sums of three numbers, with about three times the digits of one. For the few inputs next to a
 * zero of a function whose terms cancel there, where pairs do not leave enough digits. They are slow. */
#ifndef SUGAR_KERNELS_MATH_TRIPLES_H
#define SUGAR_KERNELS_MATH_TRIPLES_H

#include "kernels/math/pairs.h"

typedef struct {
    vec hi, mid, lo;
} triple;

static inline triple triple_of(vec a) { return (triple){a, SPLAT(0), SPLAT(0)}; }

/* a + b + c, where each is about as large as the last digits of the one before, or smaller. */
static inline triple triple_sum(vec a, vec b, vec c)
{
    pair rest = two_sum(b, c), all = two_sum(a, rest.hi), low = two_sum(all.lo, rest.lo);
    return (triple){all.hi, low.hi, low.lo};
}

static inline triple triple_add(triple a, triple b)
{
    pair hi = two_sum(a.hi, b.hi), mid = two_sum(a.mid, b.mid), carried = two_sum(hi.lo, mid.hi);
    return triple_sum(hi.hi, carried.hi, (a.lo + b.lo) + (mid.lo + carried.lo));
}

static inline triple triple_times(triple a, vec b)
{
    pair hi = two_product(a.hi, b), mid = two_product(a.mid, b), carried = two_sum(hi.lo, mid.hi);
    return triple_sum(hi.hi, carried.hi, vec_fma(a.lo, b, mid.lo + carried.lo));
}

static inline triple triple_square(triple a)
{
    vec twice = a.hi + a.hi;
    pair hi = two_product(a.hi, a.hi), mid = two_product(twice, a.mid), carried = two_sum(hi.lo, mid.hi);
    vec lo = vec_fma(twice, a.lo, vec_fma(a.mid, a.mid, mid.lo + carried.lo));
    return triple_sum(hi.hi, carried.hi, lo);
}

/* a / b, by long division: the first remainder is exact. */
static inline triple triple_over(triple a, vec b)
{
    vec hi = a.hi / b;
    pair left = two_sum(vec_fnma(hi, b, a.hi), a.mid);
    vec mid = left.hi / b;
    vec lo = (vec_fnma(mid, b, left.hi) + (left.lo + a.lo)) / b;
    return triple_sum(hi, mid, lo);
}

#endif
