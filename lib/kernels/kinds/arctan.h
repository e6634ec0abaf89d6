/* arctan. */
#ifndef SUGAR_KERNELS_KINDS_ARCTAN_H
#define SUGAR_KERNELS_KINDS_ARCTAN_H

#include "kernels/kinds/common.h"

/* atan(z) = z + z^3 Q(z^2) on |z| <= 1/2; relative error 2^-31.7 (f32), 2^-62 (f64). */
static const real arctan_tail[] = {
#if REAL_BITS == 32
    -0x1.555552p-2f, 0x1.999744p-3f, -0x1.24503p-3f, 0x1.c07268p-4f,
    -0x1.480d4p-4f,  0x1.3fd554p-5f
#else
    -0x1.5555555555552p-2, 0x1.99999999990d8p-3,  -0x1.2492492453732p-3, 0x1.c71c71aaf4d02p-4,  -0x1.745d138fce889p-4,
    0x1.3b1360b858dd6p-4,  -0x1.110c7174e56a7p-4, 0x1.e182dc451c48ep-5,  -0x1.ac72c91846a8ep-5, 0x1.77fc811d3f1dep-5,
    -0x1.301e0942f2b63p-5, 0x1.83ab2b9bc25ffp-6,  -0x1.123fa72bdf9a6p-7
#endif
};

/* With a = |x|: atan(a) up to 1/2, pi/4 + atan((a - 1) / (a + 1)) up to 2, and pi/2 - atan(1 / a) beyond: one
 * division, of at most 1/2. */
static inline vec arctan_value(vec x, const vec *p)
{
    (void)p;
    pair quarter = PAIR(0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55);
    vec a = vec_abs(x), one = SPLAT(1), zero = SPLAT(0);
    mask near = vec_less_equal(a, SPLAT(0.5)), far = vec_less(SPLAT(2), a);
    vec n = vec_select(near, a, vec_select(far, -one, a - one));
    vec d = vec_select(near, one, vec_select(far, a, a + one)), z = n / d, square = z * z;
    pair base = pair_scale(quarter, vec_select(near, zero, vec_select(far, SPLAT(2), one)));
    vec tail = vec_fma(z * square, POLYNOMIAL(arctan_tail, square), base.lo);
    return vec_copysign(base.hi + (z + tail), x);
}

/* 1 / (1 + x^2) = r (1 - r) but for the last digits, r = 1 / x^2 */
RARE vec arctan_derivative_far(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(PICK(0x1p100, 0x1p600)), vec_abs(x));
    pair r = pair_square(pair_reciprocal(pair_of(a)));
    return r.hi + vec_fnma(r.hi, r.hi, r.lo);
}
static inline vec arctan_derivative(vec x, const vec *p)
{
    vec near = divide_by_pair(SPLAT(1), one_plus_product(x, x));
    return or_far(near, vec_less(SPLAT(ONE_PLUS_SQUARE_LIMIT), vec_abs(x)), arctan_derivative_far, x, p);
}

/* -2 x / (1 + x^2)^2 = -2 c (1 - 2 r) but for the last digits, r = 1 / x^2 and c = r / x */
RARE vec arctan_second_far(vec x, const vec *p)
{
    (void)p;
    pair inverse = pair_reciprocal(pair_of(bounded(x, PICK(0x1p60, 0x1p400))));
    pair r = pair_square(inverse), c = pair_multiply(r, inverse);
    return SPLAT(-2) * (c.hi + vec_fnma(c.hi, r.hi + r.hi, c.lo));
}
static inline vec arctan_second(vec x, const vec *p)
{
    vec near = divide_by_pair(SPLAT(-2) * x, pair_square(one_plus_product(x, x)));
    return or_far(near, vec_less(SPLAT(ONE_PLUS_SQUARE_LIMIT), vec_abs(x)), arctan_second_far, x, p);
}

#endif
