/* Surrogates for heaviside and sign, named after the shape of their spike: they have a derivative only. */
#ifndef SUGAR_KERNELS_KINDS_SPIKE_H
#define SUGAR_KERNELS_KINDS_SPIKE_H

#include "kernels/kinds/algebraic.h"
#include "kernels/kinds/common.h"
#include "kernels/math/logistic.h"
#include "kernels/math/normal.h"

/* Beyond this |x| the derivatives are 0; up to it products are finite. */
#define SPIKE_LIMIT PICK(0x1p102, 0x1p600)

/* Whether the threshold is 0, as it mostly is, so that x is the distance: the same in a whole call, so that processors
 * predict it. (AVX2, AVX-512, ns an element with the sum for every threshold, and in this way: fast_sigmoid_spike 0.42
 * and 0.30, 0.37 and 0.26; atan_spike 0.42 and 0.36, 0.37 and 0.28. Other thresholds take as long as before, but
 * for atan_spike in f64, 0.82 and 0.86.) */
static inline int no_shift(const vec *p) { return !vec_any(vec_less(SPLAT(0), vec_abs(p[SUGAR_SHIFT]))); }

/* The distance from the threshold, exactly: for finite x; and for all x. */
static inline pair distance_of_finite(vec x, const vec *p)
{
    if (no_shift(p))
        return pair_of(x);
    return two_sum(x, -p[SUGAR_SHIFT]);
}

static inline pair distance(vec x, const vec *p) { return distance_of_finite(bounded(x, SPIKE_LIMIT), p); }

/* |distance|, exactly: for finite x; and for all x. */
static inline pair abs_distance_of_finite(vec x, const vec *p)
{
    if (no_shift(p))
        return pair_of(vec_abs(x));
    return two_sum(vec_max(p[SUGAR_SHIFT], x), -vec_min(p[SUGAR_SHIFT], x));
}

static inline pair abs_distance(vec x, const vec *p) { return abs_distance_of_finite(bounded(x, SPIKE_LIMIT), p); }

#define HALF_PI PAIR(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54)
/* (alpha/2) / (1 + z^2), z = pi alpha d / 2. Where z^2 could overflow z is scaled down, and the 1 is
 * negligible. */
RARE vec atan_far(vec x, const vec *p)
{
    pair d = distance(x, p);
    mask far_out = vec_less(SPLAT(0x1p40), vec_abs(d.hi));
    vec scale = vec_select(far_out, SPLAT(PICK(0x1p-64, 0x1p-320)), SPLAT(1));
    pair z = pair_multiply(pair_multiply(HALF_PI, pair_of(p[0])), pair_scale(d, scale));
    pair one = pair_of(vec_select(far_out, SPLAT(0), SPLAT(1)));
    pair r = pair_reciprocal(pair_add(one, pair_square(z)));
    return times_pair(SPLAT(0.5) * p[0], r) * scale * scale;
}
static inline vec atan_spike_derivative(vec x, const vec *p)
{
    pair z = pair_multiply(distance_of_finite(x, p), pair_multiply(HALF_PI, pair_of(p[0])));
    pair sum = one_plus_product(z.hi, z.hi);
    sum.lo = vec_fma(z.hi + z.hi, z.lo, sum.lo);
    vec near = divide_by_pair(SPLAT(0.5) * p[0], sum);
    return or_far(near, vec_less(SPLAT(ONE_PLUS_SQUARE_LIMIT), vec_abs(z.hi)), atan_far, x, p);
}

/* -alpha k^2 d / (1 + z^2)^2 with k = pi alpha / 2 and z = k d; far out, where the 1 is negligible, -alpha k / z^3. */
static inline vec atan_spike_second(vec x, const vec *p)
{
    pair d = distance(x, p), k = pair_multiply(HALF_PI, pair_of(p[0])), z = pair_multiply(k, d);
    pair height = pair_multiply(pair_of(-p[0]), k), one = pair_of(SPLAT(1));
    mask far_out = vec_less(SPLAT(PICK(0x1p16, 0x1p32)), vec_abs(z.hi));
    pair r = pair_reciprocal(pair_add(one, pair_square(pair_select(far_out, one, z))));
    pair inner = pair_multiply(pair_multiply(height, r), pair_multiply(k, r));
    pair q = pair_reciprocal(pair_select(far_out, z, one)), outer = pair_multiply(pair_multiply(height, q), q);
    return product_of_pairs(pair_select(far_out, outer, inner), pair_select(far_out, q, d));
}

RARE vec fast_sigmoid_far(vec x, const vec *p)
{
    pair d = pair_multiply(pair_of(p[0]), abs_distance(x, p));
    return pair_round(pair_square(pair_reciprocal(pair_add(pair_of(SPLAT(1)), d))));
}
static inline vec fast_sigmoid_spike_derivative(vec x, const vec *p)
{
    pair d = abs_distance_of_finite(x, p), sum = one_plus_product(p[0], d.hi);
    sum.lo = vec_fma(p[0], d.lo, sum.lo);
    vec near = divide_by_pair(SPLAT(1), pair_square(sum));
    return or_far(near, vec_less(SPLAT(ONE_PLUS_LIMIT), sum.hi), fast_sigmoid_far, x, p);
}

/* -2 slope / (1 + slope |d|)^3, with the sign of d. */
static inline vec fast_sigmoid_spike_second(vec x, const vec *p)
{
    pair z = pair_multiply(pair_of(p[0]), abs_distance(bounded(x, PICK(0x1p72, 0x1p420)), p));
    return falling(distance(x, p).hi, times_inverse_cube(p[0] + p[0], z));
}

#if REAL_BITS == 32 && !NARROW
/* height exp(-alpha |distance|) with alpha = p[0]; a normal number while alpha |distance| <= 72, as height is at least
 * 2^-21. */
static inline vec exponential_spike(pair height, vec x, const vec *p)
{
    pair log2_e = PAIR(0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56), rate = pair_multiply(log2_e, pair_of(p[0]));
    pair d = abs_distance_of_finite(x, p);
    exp_factors e = decay_of_product(height, d, rate);
    vec raised = vec_fma(e.power, e.p, e.power), y = rate.hi * d.hi;
    if (is_rare(vec_less(SPLAT(104), y)))
        return vec_select(vec_less(SPLAT(DECAY_LIMIT), y), SPLAT(0), lowered(raised));
    return raised * SPLAT(DECAY_SCALE);
}

static inline vec slayer_spike_derivative(vec x, const vec *p)
{
    return exponential_spike(two_product(SPLAT(0.5) * p[0], p[1]), x, p);
}
#else
RARE vec slayer_far(vec x, const vec *p)
{
    pair y = pair_multiply(pair_of(p[0]), abs_distance(x, p));
    scaled e = exp_of_negative(pair_negate(y));
    pair height = two_product(SPLAT(0.5) * p[0], p[1]);
    return pair_round(pair_multiply(height, e.value)) * e.scale;
}

static inline vec slayer_spike_derivative(vec x, const vec *p)
{
    pair y = pair_multiply(pair_of(-p[0]), abs_distance(x, p));
    vec near = times_exp(two_product(SPLAT(0.5) * p[0], p[1]), exp_near_pair(y));
    return or_far(near, vec_less(y.hi, SPLAT(-EXP_NEAR)), slayer_far, x, p);
}
#endif

/* c alpha^2 / 2 exp(-alpha |d|), with the sign of -d. */
static inline vec slayer_spike_second(vec x, const vec *p)
{
    scaled e = exp_of_negative(pair_multiply(pair_of(-p[0]), abs_distance(x, p)));
    pair height = pair_multiply(two_product(SPLAT(0.5) * p[0], p[1]), pair_of(p[0]));
    return falling(distance(x, p).hi, pair_sum(pair_multiply(height, e.value)) * e.scale);
}

/* gamma (edge - x), and what its rounding lost. */
static inline pair triangle_side(pair edge, vec x, vec gamma)
{
    vec d = edge.hi - x, lo = gamma * edge.lo, y = vec_fma(gamma, d, lo);
    return (pair){y, vec_fma(gamma, d, lo - y)};
}

/* The lesser of two lines, which begin at the edges of the triangle. The edges are exact. */
static inline vec triangle_spike_derivative(vec x, const vec *p)
{
    pair below = triangle_side(two_sum(SPLAT(1), -p[SUGAR_SHIFT]), -x, p[0]);
    pair above = triangle_side(two_sum(SPLAT(1), p[SUGAR_SHIFT]), x, p[0]);
    vec rest = vec_select(vec_less(below.hi, above.hi), below.lo, above.lo);
    return vec_max(SPLAT(0), round_to_odd(vec_min(below.hi, above.hi), rest));
}

/* gamma inside the triangle, with the sign of -d. */
static inline vec triangle_spike_second(vec x, const vec *p)
{
    pair a = abs_distance(x, p);
    mask inner = vec_less((a.hi - SPLAT(1)) + a.lo, SPLAT(0));
    return vec_select(inner, falling(distance(x, p).hi, p[0]), zero_second(x, p));
}

/* N(d; 0, sigma) = exp(-(d/sigma)^2 / 2) / (sigma sqrt(2 pi)); 0 where |d| is NORMAL_DENSITY_LIMIT times sigma. */
#define NORMAL_DENSITY_LIMIT PICK(16, 41)
static inline scaled normal_density(pair d, pair sigma)
{
    vec limit = SPLAT(0x1p50);      /* so that the square is finite; the density there is 0 */
    d = pair_select(vec_less(limit, vec_abs(d.hi)), pair_of(limit), d);
    pair reciprocal = pair_reciprocal(sigma);
    pair square = pair_square(pair_multiply(d, reciprocal));
    scaled e = exp_of_negative(pair_scale(square, SPLAT(-0.5)));
    return (scaled){pair_multiply(pair_multiply(INVERSE_SQRT_2_PI, reciprocal), e.value), e.scale};
}

/* N(d; 0, sigma) = height 2^-y, in f64 height exp(-y), y = (scale d)^2. */
typedef struct {
    pair height, scale;
} normal_shape;

static inline normal_shape normal_shape_of(vec sigma)
{
    pair reciprocal = pair_reciprocal(pair_of(sigma));
    pair scale = PICK(PAIR(0x1.b2da4e9808a53p-1, -0x1.dede1a6b5e413p-56),      /* sqrt(log2(e) / 2) */
                      PAIR(0x1.6a09e667f3bcdp-1, -0x1.bdd3413b26456p-55));     /* sqrt(1 / 2) */
    return (normal_shape){pair_multiply(INVERSE_SQRT_2_PI, reciprocal), pair_multiply(scale, reciprocal)};
}

#if REAL_BITS == 32 && !NARROW
/* Up to this |distance| / sigma the density is a normal number, whatever sigma is. (x with a standard deviation of 5
 * sigma, Sapphire Rapids, ns an element by the product with DECAY_SCALE, and with lowered(): AVX2 0.89 and 0.76,
 * AVX-512 0.79 and 0.60; with inputs that have no such results 0.45 and 0.50, 0.32 and 0.32. Half of the cost is left,
 * in the loop's product with dy.) */
#define GAUSSIAN_NORMAL 12.5
static inline vec gaussian_spike_derivative(vec x, const vec *p)
{
    normal_shape n = normal_shape_of(p[0]);
    pair d = distance_of_finite(x, p);
    exp_factors e = decay_of_product(n.height, pair_square(d), pair_square(n.scale));
    vec raised = vec_fma(e.power, e.p, e.power);
    if (is_rare(vec_less(SPLAT(GAUSSIAN_NORMAL) * p[0], vec_abs(d.hi))))
        return vec_select(vec_less(SPLAT(14.875) * p[0], vec_abs(d.hi)), SPLAT(0), lowered(raised));
    return raised * SPLAT(DECAY_SCALE);
}
#else
RARE vec gaussian_far(vec x, const vec *p) { return scaled_round(normal_density(distance(x, p), pair_of(p[0]))); }

static inline vec gaussian_spike_derivative(vec x, const vec *p)
{
    pair reciprocal = pair_reciprocal(pair_of(p[0]));
    pair square = pair_square(pair_multiply(distance(x, p), reciprocal));
    exp_factors e = exp_near_pair(pair_scale(square, SPLAT(-0.5)));
    vec near = times_exp(pair_multiply(INVERSE_SQRT_2_PI, reciprocal), e);
    return or_far(near, vec_less(SPLAT(2 * EXP_NEAR), square.hi), gaussian_far, x, p);
}
#endif

/* -d / sigma^2 N(d; 0, sigma) */
static inline vec gaussian_spike_second(vec x, const vec *p)
{
    pair d = distance(x, p), sigma = pair_of(p[0]), weight = pair_square(pair_reciprocal(sigma));
    scaled n = normal_density(d, sigma);
    return product_of_pairs(pair_multiply(weight, n.value), pair_negate(d)) * n.scale;
}

static inline pair scaled_times(scaled a, pair factor) { return pair_scale(pair_multiply(a.value, factor), a.scale); }
RARE vec multi_gaussian_far(vec x, const vec *p)
{
    vec sigma = p[0], h = p[1];
    pair d = distance(x, p), wide = two_product(p[2], sigma);
    pair centre = pair_of(SPLAT(0));
    if (vec_any(vec_less(vec_abs(d.hi), SPLAT(NORMAL_DENSITY_LIMIT) * sigma)))
        centre = scaled_times(normal_density(d, pair_of(sigma)), two_sum(SPLAT(1), h));
    pair right = scaled_times(normal_density(pair_add(d, pair_of(-sigma)), wide), pair_of(-h));
    pair left = scaled_times(normal_density(pair_add(d, pair_of(sigma)), wide), pair_of(-h));
    return pair_sum(pair_add(centre, pair_add(right, left)));
}
#if REAL_BITS == 32
/* cosh(z) - 1 for z <= 1/2, where z^2 = 2 ln(2) w y: error 2^-27.2 of cosh(z). */
static inline vec cosh_minus_1(pair y, pair w)
{
    vec r = SPLAT(0x1.62e42fefa39efp+0) * w.hi, r2 = r * r;
    vec first = pair_multiply(w, PAIR(0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56)).hi;
    vec second = SPLAT(0x1.5555d8p-5) * r2;
    vec third = SPLAT(0x1.6beaaep-10) * (r2 * r), fourth = SPLAT(0x1.ac307p-16) * (r2 * r2);
    vec sum = vec_fma(vec_fma(vec_fma(fourth, y.hi, third), y.hi, second), y.hi, first);
    return vec_fma(y.hi, sum, y.lo * first);
}
#else
/* The same, with z^2 = 2 w y: error 2^-60. */
static inline vec cosh_minus_1(pair y, pair w)
{
    static const real inverse_factorials[] = {1.0 / 2,       1.0 / 24,        1.0 / 720,        1.0 / 40320,
                                              1.0 / 3628800, 1.0 / 479001600, 1.0 / 87178291200};
    vec square = (w.hi + w.hi) * y.hi;
    return square * POLYNOMIAL(inverse_factorials, square);
}
#endif

/* The sum of the two wide densities, around sigma and -sigma, is one around 0 times a cosh: with u = d / sigma the
 * derivative is N(d; 0, sigma) (1 + h) - N(d; 0, s sigma) 2 h exp(-1 / (2 s^2)) cosh(u / s^2), here centre - wide. The
 * far formula serves |u| > s^2 / 2, and inputs where the difference cancels too much: where centre + wide is more than
 * 1.4 times as large, and more than half of the derivative at 0. (1.2 ns an element instead of 4.6, in f64 4.2 instead
 * of 15, AVX2.) */
static inline vec multi_gaussian_spike_derivative(vec x, const vec *p)
{
    normal_shape n = normal_shape_of(p[0]);
    pair d = distance_of_finite(x, p), y = pair_square(pair_multiply(d, n.scale));
    pair inverse_s = pair_reciprocal(pair_of(p[2])), inverse_s2 = pair_square(inverse_s);
    pair between = exp_of_negative(pair_scale(inverse_s2, SPLAT(-0.5))).value;
    pair twice_h = pair_of(p[1] + p[1]);
    pair wide_height = pair_multiply(pair_multiply(n.height, inverse_s), pair_multiply(twice_h, between));
    pair centre_height = pair_multiply(n.height, two_sum(SPLAT(1), p[1]));

    pair wide_y = pair_multiply(y, inverse_s2);
    exp_factors centre = decay(centre_height, y), wide = decay(wide_height, wide_y);
    centre.power = vec_select(vec_less(SPLAT(DECAY_LIMIT), y.hi), SPLAT(0), centre.power);
    wide.power = vec_select(vec_less(SPLAT(DECAY_LIMIT), wide_y.hi), SPLAT(0), wide.power);
    vec cosh_m1 = cosh_minus_1(wide_y, inverse_s2);
    vec outer = vec_fma(wide.power, wide.p, wide.power), outer_lo = vec_fma(wide.power, wide.p, wide.power - outer);
    outer_lo = vec_fma(wide.power, vec_fma(cosh_m1, wide.p, cosh_m1), outer_lo);
    pair sum = two_sum(centre.power, -outer);
    vec near = sum.hi + (vec_fma(centre.power, centre.p, sum.lo) - outer_lo);

    vec at_0 = SPLAT(0.5 / DECAY_SCALE) * vec_abs(centre_height.hi - wide_height.hi);
    vec both = vec_fma(SPLAT(2), outer, near);
    mask lost = vec_less(vec_max(at_0, SPLAT(1.4) * vec_abs(near)), both);
    mask beyond = vec_less(SPLAT(0.5) * p[0] * p[2] * p[2], vec_abs(d.hi));
    vec either = vec_select(beyond, SPLAT(1), vec_select(lost, SPLAT(1), SPLAT(0)));
    mask far = vec_less(SPLAT(0), either);
    return or_far(near * SPLAT(DECAY_SCALE), far, multi_gaussian_far, vec_select(far, x, SPLAT(FAR)), p);
}

/* The sum of the slopes -(d - c) / width^2 N(d; c, width) of the three densities. */
static inline vec multi_gaussian_second_sum(pair d, const vec *p)
{
    pair sigma = pair_of(p[0]), wide = two_product(p[2], p[0]), minus_sigma = pair_of(-p[0]);
    pair weight = pair_square(pair_reciprocal(sigma)),
         h = pair_multiply(pair_of(p[1]), pair_square(pair_reciprocal(wide)));
    pair right = pair_add(d, minus_sigma), left = pair_add(d, sigma);
    pair factor = pair_multiply(pair_multiply(pair_negate(d), weight), two_sum(SPLAT(1), p[1]));
    pair centre = scaled_times(normal_density(d, sigma), factor);
    pair of_right = scaled_times(normal_density(right, wide), pair_multiply(h, right));
    pair of_left = scaled_times(normal_density(left, wide), pair_multiply(h, left));
    return pair_sum(pair_add(centre, pair_add(of_right, of_left)));
}

/* Next to the threshold the two wide slopes nearly cancel; there, with c = d / (s^2 sigma), the sum is -d / sigma^2
 * (N(d; 0, sigma) (1 + h) - 2 h / s^2 N(d; 0, s sigma) exp(-1 / (2 s^2)) (cosh(c) - sinh(c) / (c s^2))). */
#define MULTI_GAUSSIAN_INNER 0x1p-6     /* of |d| / sigma; c is not larger */
RARE vec multi_gaussian_second_inner(vec x, const vec *p)
{
    static const real cosh_tail[] = {(real)(1.0 / 2), (real)(1.0 / 24), (real)(1.0 / 720), (real)(1.0 / 40320)};
    static const real sinh_tail[] = {(real)(1.0 / 6), (real)(1.0 / 120), (real)(1.0 / 5040), (real)(1.0 / 362880)};
    pair d = distance(x, p), sigma = pair_of(p[0]), wide = two_product(p[2], p[0]);
    pair inverse_s2 = pair_square(pair_reciprocal(pair_of(p[2]))),
         c = pair_multiply(d, pair_multiply(inverse_s2, pair_reciprocal(sigma)));
    vec square = c.hi * c.hi;
    pair cosh = {SPLAT(1), square * POLYNOMIAL(cosh_tail, square)},
         sinh = {SPLAT(1), square * POLYNOMIAL(sinh_tail, square)};
    pair between = exp_of_negative(pair_scale(inverse_s2, SPLAT(-0.5))).value;
    pair weight = pair_multiply(pair_multiply(pair_of(p[1] + p[1]), inverse_s2), between);
    pair both = pair_multiply(weight, pair_add(cosh, pair_negate(pair_multiply(sinh, inverse_s2))));
    pair centre = pair_multiply(normal_density(d, sigma).value, two_sum(SPLAT(1), p[1]));
    pair sum = pair_add(centre, pair_negate(pair_multiply(normal_density(d, wide).value, both)));
    return product_of_pairs(pair_multiply(sum, pair_square(pair_reciprocal(sigma))), pair_negate(d));
}

static inline vec multi_gaussian_spike_second(vec x, const vec *p)
{
    pair d = distance(x, p);
    mask inner = vec_less(vec_abs(d.hi), SPLAT(MULTI_GAUSSIAN_INNER) * p[0]);
    vec y = multi_gaussian_second_sum(d, p);
    if (vec_any(inner))
        y = vec_select(inner, multi_gaussian_second_inner(x, p), y);
    return y;
}

#if REAL_BITS == 32 && !NARROW
/* alpha s(y) s(-y), y = alpha |distance|: for y > 64 that is alpha exp(-y). */
RARE vec sigmoid_spike_far(vec x, const vec *p) { return exponential_spike(pair_of(p[0]), x, p); }
static inline vec sigmoid_spike_derivative(vec x, const vec *p)
{
    pair log2_e = PAIR(0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56), rate = pair_multiply(log2_e, pair_of(-p[0]));
    pair d = abs_distance_of_finite(x, p);
    mask far = vec_less(SPLAT(64) / p[0], d.hi);
    d.hi = vec_select(far, SPLAT(0), d.hi);     /* else numbers that nobody needs would be subnormal */
    exp_factors e = exp2_of_minus_product(d, rate, SPLAT(0), VEC_ROUNDER);
    vec near = times_pair(p[0], logistic_derivative_near(e));
    return or_far(near, far, sigmoid_spike_far, x, p);
}
#else
RARE vec sigmoid_spike_far(vec x, const vec *p)
{
    scaled s = logistic_derivative(pair_multiply(pair_of(p[0]), distance(x, p)));
    return times_pair(p[0], s.value) * s.scale;
}
static inline vec sigmoid_spike_derivative(vec x, const vec *p)
{
    pair y = pair_multiply(pair_of(p[0]), abs_distance(x, p));
    vec near = times_pair(p[0], logistic_derivative_near(exp_near_pair(y)));
    return or_far(near, vec_less(SPLAT(EXP_NEAR), y.hi), sigmoid_spike_far, x, p);
}
#endif

/* alpha^2 s''(y) with y = alpha d; for small y, which may be subnormal, the line -alpha^3 d / 8. */
#define SIGMOID_SPIKE_LINE PICK(0x1p-20, 0x1p-32)
static inline vec sigmoid_spike_second(vec x, const vec *p)
{
    pair a = abs_distance(x, p), alpha = pair_of(p[0]), y = pair_multiply(alpha, a), square = pair_square(alpha);
    vec line = product_of_pairs(pair_scale(pair_multiply(square, alpha), SPLAT(0.125)), a);
    vec curve = times_logistic_fall(square, y);
    return vec_copysign(vec_select(vec_less(y.hi, SPLAT(SIGMOID_SPIKE_LINE)), line, curve), -distance(x, p).hi);
}

/* The largest real that is not above a. */
static inline vec round_down(pair a)
{
    vec before = vec_fnma(vec_abs(a.hi), SPLAT(PICK(0x1.000004p-24, 0x1.0000000000002p-53)), a.hi);
    return vec_select(vec_less(a.lo, SPLAT(0)), before, a.hi);
}

static inline vec box_spike_derivative(vec x, const vec *p)
{
    vec upper = round_down(two_sum(p[SUGAR_SHIFT], p[0])), lower = -round_down(two_sum(p[0], -p[SUGAR_SHIFT]));
    vec one = vec_fma(SPLAT(0), x, SPLAT(1));   /* NaN if x is NaN */
    return vec_select(vec_less(upper, x), SPLAT(0), vec_select(vec_less(x, lower), SPLAT(0), one));
}

#endif
