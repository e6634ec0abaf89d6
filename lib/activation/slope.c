/* The slope by which leaky_relu, prelu and rrelu multiply a negative x.
 *
 * In a narrow type the product with x is rounded twice, to f32 and to the element. That is wrong where the first
 * rounding ends in the middle between two elements and the exact product does not lie there: for slopes such as
 * 0.35, which are next to a fraction of few digits, that would be 2 % of all results. A neighbour of the slope in
 * f32 keeps the products off the middles, on the right side, at no cost in the kernels. (Before, they rounded each
 * product to odd: 1.3 to 2.3 times as long.)
 *
 * Why one neighbour serves all x. Let x have d digits and the significand m, let 1 <= s < 2 be the slope, and let s
 * m be rounded to M, which has d + 1 digits. Then |s - M / m| <= 2^(d-24) / m. Two different fractions of that size
 * differ by more than the sum of these bounds, for d <= 11. So M / m is the same for all such x, and s lies on the
 * same side of it. The next f32 on that side is another 2^-23 away, which times m is half a unit in the last place
 * of M or more. A slope of so few digits that s m is M exactly is left as it is. */
#include "activation/slope.h"

#include <string.h>

#include "kernels/kernels.h"

/* How far `product` is above the nearest number of `digits` digits, if rounding to f32 makes it that number;
 * else 0. */
static int64_t find_loss(uint64_t product, int digits)
{
    const int length = 64 - __builtin_clzll(product);
    const int64_t spacing = (int64_t)1 << (length - digits), half_unit = spacing >> (25 - digits);
    const int64_t above = (int64_t)(product & (uint64_t)(spacing - 1));
    const int64_t rest = above < spacing / 2 ? above : above - spacing;
    return rest < -half_unit || rest > half_unit ? 0 : rest;
}

/* The slope, or its neighbour in f32, for elements of so many digits. */
static float off_middles(float slope, int digits)
{
    uint32_t bits;
    memcpy(&bits, &slope, sizeof bits);
    if ((bits & 0x7f800000) == 0)       /* 0, or subnormal: the products have no digits to lose */
        return slope;
    const uint64_t significand = (bits & 0x7fffff) | 0x800000;
    int64_t loss = 0;
    for (uint64_t m = (uint64_t)1 << (digits - 1); loss == 0 && m >> digits == 0; m++)
        loss = find_loss(significand * m, digits + 1);
    bits += (uint32_t)((loss > 0) - (loss < 0));
    memcpy(&slope, &bits, sizeof slope);
    return slope;
}

double sugar_slope_find(sugar_element element, const sugar_function *f)
{
    double slope = sugar_real_round(element, f->parameter[0]);
    if (f->kind == SUGAR_KIND_rrelu)
        slope = sugar_real_round(element, 0.5 * (slope + sugar_real_round(element, f->parameter[1])));
    else if (f->kind != SUGAR_KIND_leaky_relu && f->kind != SUGAR_KIND_prelu)
        return 0;
    if (element == SUGAR_F16 || element == SUGAR_BF16)
        return (double)off_middles((float)slope, element == SUGAR_F16 ? 11 : 8);
    return slope;
}
