/* Spikes that are normal densities, or sums of them. */
#ifndef SUGAR_KERNELS_KINDS_SPIKE_BELL_H
#define SUGAR_KERNELS_KINDS_SPIKE_BELL_H

#include "kernels/kinds/spike.h"
#include "kernels/math/normal.h"

/* N(d; 0, sigma) = exp(-(d/sigma)^2 / 2) / (sigma sqrt(2 pi)); 0 where |d| is NORMAL_DENSITY_LIMIT times sigma. */
#define NORMAL_DENSITY_LIMIT PICK(16, 41)
static inline scaled normal_density(pair d, pair sigma)
{
    pair reciprocal = pair_reciprocal(sigma);
    pair square = pair_square(pair_multiply(cut_pair(d, 0x1p50), reciprocal));  /* finite; there it is 0 */
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
/* Up to this |distance| / sigma results are normal numbers, whatever the parameters are; beyond BELL_LIMIT they are 0.
 * (gaussian_spike, x with a standard deviation of 5 sigma, Sapphire Rapids, ns an element by the product with
 * DECAY_SCALE, and with lowered(): AVX2 0.89 and 0.76, AVX-512 0.79 and 0.60; with inputs that have no such results
 * 0.45 and 0.50, 0.32 and 0.32. Half of the cost is left, in the loop's product with dy.) */
#define BELL_NORMAL 11.9
#define BELL_LIMIT 15.33
/* The height and scale of n are those of any bell; sigma is its standard deviation, roughly. */
static inline vec bell_spike(normal_shape n, vec sigma, vec x, const vec *p)
{
    pair d = distance_of_finite(x, p);
    exp_factors e = decay_of_product(n.height, pair_square(d), pair_square(n.scale));
    vec raised = vec_fma(e.power, e.p, e.power);
    if (is_rare(vec_less(SPLAT(BELL_NORMAL) * sigma, vec_abs(d.hi))))
        return vec_select(vec_less(SPLAT(BELL_LIMIT) * sigma, vec_abs(d.hi)), SPLAT(0), lowered(raised));
    return raised * SPLAT(DECAY_SCALE);
}
static inline vec gaussian_spike_derivative(vec x, const vec *p)
{
    return bell_spike(normal_shape_of(p[0]), p[0], x, p);
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

/* c alpha / sqrt(pi) exp(-z^2), z = alpha d; where z is cut it is 0. */
static inline pair erf_height(const vec *p)
{
    pair inverse_sqrt_pi = PAIR(0x1.20dd750429b6dp-1, 0x1.1ae3a914fed80p-57);
    return pair_multiply(two_product(p[0], p[1]), inverse_sqrt_pi);
}
static inline pair erf_exponent(vec x, const vec *p)
{
    return pair_negate(pair_square(cut_pair(pair_multiply(pair_of(p[0]), distance(x, p)), 0x1p50)));
}
#if REAL_BITS == 32 && !NARROW
static inline vec erf_spike_derivative(vec x, const vec *p)
{
    pair scale = pair_multiply(pair_of(p[0]), PAIR(0x1.337cc2183b050p+0, -0x1.10e9cb301c4a4p-55)); /* sqrt(log2(e)) */
    return bell_spike((normal_shape){erf_height(p), scale}, SPLAT(0.70710678) / p[0], x, p);
}
#else
RARE vec erf_far(vec x, const vec *p)
{
    scaled e = exp_of_negative(erf_exponent(x, p));
    return pair_round(pair_multiply(erf_height(p), e.value)) * e.scale;
}

static inline vec erf_spike_derivative(vec x, const vec *p)
{
    pair y = erf_exponent(x, p);
    return or_far(times_exp(erf_height(p), exp_near_pair(y)), vec_less(y.hi, SPLAT(-EXP_NEAR)), erf_far, x, p);
}
#endif

/* -2 alpha^2 d times the first derivative, and 0 where d is cut. exp(-z^2), which is small where d is large, comes
 * last. */
static inline vec erf_spike_second(vec x, const vec *p)
{
    pair slope = pair_multiply(two_product(SPLAT(-2) * p[0], p[0]), erf_height(p));
    scaled e = exp_of_negative(erf_exponent(x, p));
    return product_of_pairs(pair_multiply(slope, cut_pair(distance(x, p), 0x1p40)), e.value) * e.scale;
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
    pair d = cut_pair(distance(x, p), 0x1p50);  /* finite products; there it is 0 */
    mask inner = vec_less(vec_abs(d.hi), SPLAT(MULTI_GAUSSIAN_INNER) * p[0]);
    vec y = multi_gaussian_second_sum(d, p);
    if (vec_any(inner))
        y = vec_select(inner, multi_gaussian_second_inner(x, p), y);
    return y;
}

#endif
