/* exp and expm1, with and without pairs, in tails too; and 2^y. */
#ifndef SUGAR_KERNELS_MATH_EXP_H
#define SUGAR_KERNELS_MATH_EXP_H

#include "kernels/math/pairs.h"
#include "kernels/math/polynomial.h"

/* exp(r) = 1 + r + r^2 Q(r) on |r| <= ln(2)/2; relative error 2^-28.2 (f32), 2^-62 (f64). (f32: with six coefficients
 * 2^-32, which no kind needs; with four 2^-23.) */
static const real exp_tail[] = {
#if REAL_BITS == 32
    0x1.fffffcp-2f, 0x1.55549p-3f, 0x1.5558a2p-5f, 0x1.123adp-7f, 0x1.6a5e34p-10f
#else
    0x1p-1,
    0x1.5555555555557p-3,
    0x1.5555555555557p-5,
    0x1.111111111002fp-7,
    0x1.6c16c16c1568ep-10,
    0x1.a01a01ac3868fp-13,
    0x1.a01a01aba7113p-16,
    0x1.71de014b13815p-19,
    0x1.27e4cf8130893p-22,
    0x1.af4fa8861bc83p-26,
    0x1.1f874c40cd079p-29
#endif
};

/* To add it rounds to an integer n, and leaves n plus the exponent's bias in the low bits: shifted, these are 2^n. */
#define VEC_ROUNDER SPLAT(PICK(0x1.8p23, 0x1.8p52) + REAL_EXPONENT_BIAS)

#define LN2_HI PICK(0x1.62e4p-1, 0x1.62e42fefa38p-1)
#define LN2_LO PICK(0x1.7f7d1cf79abcap-20, 0x1.ef35793c7673p-45)

/* exp(x) = 2^n (1 + p) with |p| < 0.42: returns p, and in *rounded VEC_ROUNDER + n, for |x.hi| < 2^9
 * (f32) or 2^12 (f64). ln(2) is split so that n times its first part is exact (Cody and Waite 1980).
 * Where n = 0, p is accurate relative to x. */
static inline pair exp_reduced(pair x, vec *rounded)
{
    *rounded = vec_fma(x.hi, SPLAT(0x1.71547652b82fep+0), VEC_ROUNDER);
    vec n = *rounded - VEC_ROUNDER;
    vec exact = vec_fnma(n, SPLAT(LN2_HI), x.hi);
    vec first = vec_fnma(n, SPLAT(LN2_LO), exact);
    vec second = vec_fnma(n, SPLAT(LN2_LO), exact - first) + x.lo;
    pair r = fast_two_sum(first, second);
    vec r_lo = vec_fma(r.lo, r.hi, r.lo);
    vec tail = vec_fma(r.hi * r.hi, POLYNOMIAL(exp_tail, r.hi), r_lo);
    return fast_two_sum(r.hi, tail);
}

/* exp(x) = power (1 + p) for |x| <= EXP_NEAR, where power is a normal number: the fast way, without pairs. The
 * error of p is at most 0.6 u; also relative to x, where n = 0. A formula should round power + power p only
 * once. */
#define EXP_NEAR PICK(87, 708)
typedef struct {
    vec power, p;
} exp_factors;

static inline vec exp_argument(vec x, vec *rounded)
{
    *rounded = vec_fma(x, SPLAT(0x1.71547652b82fep+0), VEC_ROUNDER);
    vec n = *rounded - VEC_ROUNDER;
    vec exact = vec_fnma(n, SPLAT(LN2_HI), x);
    return vec_fnma(n, SPLAT(LN2_LO), exact);
}

static inline exp_factors exp_factors_of(vec rounded, vec r)
{
    return (exp_factors){vec_power_of_two(rounded), vec_fma(r * r, POLYNOMIAL(exp_tail, r), r)};
}

/* With an error of 2^-23 in 1 + p, as narrow types need it: four coefficients instead of five, and a reduction by one
 * fma. */
static const real exp_rough_tail[] = {0x1.fffdfap-2, 0x1.5557aep-3, 0x1.572afep-5, 0x1.1063c8p-7};
static inline exp_factors exp_rough(vec x)
{
    vec rounded = vec_fma(x, SPLAT(0x1.71547652b82fep+0), VEC_ROUNDER);
    vec r = vec_fnma(rounded - VEC_ROUNDER, SPLAT(LN2_HI + LN2_LO), x);
    return (exp_factors){vec_power_of_two(rounded), vec_fma(r * r, POLYNOMIAL(exp_rough_tail, r), r)};
}

static inline exp_factors exp_near(vec x)
{
    if (NARROW)
        return exp_rough(x);
    vec rounded, r = exp_argument(x, &rounded);
    return exp_factors_of(rounded, r);
}

/* For formulas that add exp(x) to 1 or -1. The reduction is one fma, which is off by n 2^-29 (f64: n 2^-55): where
 * x <= 0 that is at most 2^-30 (2^-56) of 1. */
static inline exp_factors exp_beside_one(vec x)
{
    if (NARROW)
        return exp_rough(x);
    vec rounded = vec_fma(x, SPLAT(0x1.71547652b82fep+0), VEC_ROUNDER);
    return exp_factors_of(rounded, vec_fnma(rounded - VEC_ROUNDER, SPLAT(0x1.62e42fefa39efp-1), x));
}

/* exp(-f a) = power (1 - f q), f = 1 or 2, where the argument is reduced to -f s. So it takes no negation or product
 * of a: they are in the coefficients, and exact, so that power and f q are the same as without. */
typedef struct {
    vec power, q;
} minus_exp_factors;

ALWAYS_INLINE vec minus_tail_polynomial(int f, const real *c, int degree, vec s)
{
    _Static_assert(DEGREE(exp_rough_tail) <= DEGREE(exp_tail), "an array for the longer one");
    /* Compilers compute them. */
    real scaled[DEGREE(exp_tail) + 1], factor = (real)-f;
    UNROLL
    for (int k = 0; k <= degree; k++, factor *= (real)-f)
        scaled[k] = factor * c[k];
    return polynomial(scaled, degree, s);
}

ALWAYS_INLINE minus_exp_factors minus_exp_factors_of(int f, vec rounded, vec s)
{
    vec tail = NARROW ? minus_tail_polynomial(f, exp_rough_tail, DEGREE(exp_rough_tail), s)
                      : minus_tail_polynomial(f, exp_tail, DEGREE(exp_tail), s);
    return (minus_exp_factors){vec_power_of_two(rounded), vec_fma(s * s, tail, s)};
}

/* exp(-2a), reduced as exp_beside_one does it. */
static inline minus_exp_factors exp_of_minus_twice(vec a)
{
    vec rounded = vec_fma(a, SPLAT(-2 * 0x1.71547652b82fep+0), VEC_ROUNDER);
    return minus_exp_factors_of(2, rounded, vec_fma(rounded - VEC_ROUNDER, SPLAT(0x1.62e42fefa39efp-2), a));
}

/* exp(-a^2/2), with the rounding error of a^2 taken into account. If rounder is VEC_ROUNDER + n, power is 2^n times as
 * large. */
static inline exp_factors exp_half_square(vec a, vec rounder)
{
    pair square = two_product(a, a);
    vec rounded = vec_fma(square.hi, SPLAT(-0.5 * 0x1.71547652b82fep+0), rounder), n = rounded - rounder;
    vec exact = vec_fnma(n, SPLAT(LN2_HI), SPLAT(-0.5) * square.hi);
    vec r = vec_fnma(n, SPLAT(LN2_LO), exact);
    return exp_factors_of(rounded, vec_fma(SPLAT(-0.5), square.lo, r));
}

/* For formulas whose terms may cancel, in narrow types too. */
static inline exp_factors exp_near_full(pair x)
{
    vec rounded, r = exp_argument(x.hi, &rounded);
    return exp_factors_of(rounded, r + x.lo);
}

static inline exp_factors exp_near_pair(pair x) { return NARROW ? exp_rough(x.hi) : exp_near_full(x); }

/* 1 + power (1 + p), rounded once. power + 1 is inexact if power or 1 / power is 2^24 (f64: 2^53) or more; what it
 * loses is added. */
static inline vec one_plus_exp(exp_factors e)
{
    if (NARROW)
        return vec_fma(e.power, e.p, e.power) + SPLAT(1);
    vec sum = e.power + SPLAT(1);
    return sum + vec_fma(e.power, e.p, SPLAT(1) - (sum - e.power));
}

/* The same for exp(x) with x <= EXP_SHORT, where power + 1 is exact; for x < -EXP_SHORT, where the sum is 1 but
 * for the last bits, it may be rounded. */
#define EXP_SHORT (NARROW ? EXP_NEAR : PICK(8, 36))
static inline vec one_plus_short_exp(exp_factors e) { return vec_fma(e.power, e.p, e.power + SPLAT(1)); }

/* 1 + exp(-a) for a >= -EXP_SHORT. (f32: up to 16 the reduction by one fma would be off by 0.7 u.) */
static inline vec one_plus_exp_of_minus(vec a)
{
    vec rounded = vec_fma(a, SPLAT(-0x1.71547652b82fep+0), VEC_ROUNDER), n = rounded - VEC_ROUNDER;
    vec s = vec_fma(n, SPLAT(PICK(0x1.62e42fefa39efp-1, LN2_HI)), a);
    if (REAL_BITS == 64)
        s = vec_fma(n, SPLAT(LN2_LO), s);
    minus_exp_factors e = minus_exp_factors_of(1, rounded, s);
    return vec_fnma(e.power, e.q, e.power + SPLAT(1));
}

/* 1 + power (1 + p), as a pair. */
static inline pair one_plus_exp_pair(exp_factors e)
{
    vec base = e.power + SPLAT(1);
    vec rest = vec_fma(e.power, e.p, SPLAT(1) - (base - e.power));
    vec sum = base + rest;
    return (pair){sum, rest - (sum - base)};
}

/* The same where power is at least 1: power - sum is exact. */
static inline pair one_plus_large_exp_pair(exp_factors e)
{
    vec sum = vec_fma(e.power, e.p, e.power + SPLAT(1));
    return (pair){sum, vec_fma(e.power, e.p, (e.power - sum) + SPLAT(1))};
}

/* c power (1 + p), rounded once, for a constant c. */
static inline vec times_exp(pair c, exp_factors e)
{
    pair power = pair_scale(c, e.power);
    if (NARROW)
        return vec_fma(power.hi, e.p, power.hi);
    return power.hi + vec_fma(power.hi, e.p, power.lo);
}

/* expm1(x) for -EXPM1_NEAR <= x.hi <= 0. (It leaves out p x.lo, which is at most 0.2 u of the result.) */
static inline vec expm1_near(pair x)
{
    exp_factors e = exp_beside_one(x.hi);
    return vec_fma(e.power, e.p + x.lo, e.power - SPLAT(1));
}

/* power (1 + p) as a pair. */
static inline pair exp_pair(exp_factors e)
{
    vec hi = vec_fma(e.power, e.p, e.power);
    return (pair){hi, vec_fma(e.power, e.p, e.power - hi)};
}

/* Up to this |x|, the low part of exp(x) as a pair is a normal number, even divided by a large beta. */
#define EXP_PAIR_NEAR PICK(55, 650)

/* Below -EXP_TAIL exp(x) may be subnormal: its exponent is raised by EXP_SHIFT, and the finished result is multiplied
 * by EXP_SCALE, so that only one rounding is to a subnormal number. So far out 1 + exp(x) is 1 for every purpose here,
 * raised or not. Below -EXP_LIMIT every result that has exp(x) as a factor is 0. */
#define EXP_TAIL PICK(66, 160)
#define EXP_SHIFT PICK(56, 160)
#define EXP_SCALE PICK(0x1p-56, 0x1p-160)
#define EXP_LIMIT PICK(125, 800)
/* There exp(-EXP_OF_ZERO) is computed in its place, so that no low part of a product is subnormal. */
#define EXP_OF_ZERO PICK(100, 500)

/* exp(x) = value * scale. */
typedef struct {
    pair value;
    vec scale;
} scaled;

static inline vec scaled_round(scaled a) { return pair_round(a.value) * a.scale; }

/* exp(x) for x <= 0 or NaN, relative error about 0.1 u; x.lo may be anything if x.hi < -EXP_LIMIT. */
static inline scaled exp_of_negative(pair x)
{
    mask zero = vec_less(x.hi, SPLAT(-EXP_LIMIT));
    mask tail = vec_less(x.hi, SPLAT(-EXP_TAIL));
    x = pair_select(zero, pair_of(SPLAT(-EXP_OF_ZERO)), x);
    vec rounded;
    pair p = exp_reduced(x, &rounded);
    pair m = fast_two_sum(SPLAT(1), p.hi);
    m.lo = m.lo + p.lo;
    vec power = vec_power_of_two(rounded + vec_select(tail, SPLAT(EXP_SHIFT), SPLAT(0)));
    vec scale = vec_select(tail, SPLAT(EXP_SCALE), SPLAT(1));
    return (scaled){pair_scale(m, power), vec_select(zero, SPLAT(0), scale)};
}

#if REAL_BITS == 32
/* From this a on, results with a factor exp(-a) are 0, even divided by a small beta. */
#define TAIL_LIMIT 122
/* Below it exponents are raised by TAIL_SHIFT, so that products with another factor are normal numbers. */
#define TAIL_SHIFT 80
#define TAIL_SCALE 0x1p-80

/* exp(-a) = exp(r) power scale for a >= 0 or NaN. As a float ln(2) has so few digits that cut - n ln2.hi is exact.
 * inner: whether a is below TAIL_LIMIT. */
typedef struct {
    mask inner;
    vec r, power, scale;
} decay_factors;

static inline decay_factors decay_of(vec a)
{
    pair ln2 = PAIR(0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56);
    mask inner = vec_less(a, SPLAT(TAIL_LIMIT));
    vec cut = vec_min(SPLAT(TAIL_LIMIT), a), rounder = VEC_ROUNDER + SPLAT(TAIL_SHIFT);
    vec rounded = vec_fnma(cut, SPLAT(0x1.71547652b82fep+0), rounder), n = rounder - rounded;
    vec r = vec_fma(n, ln2.lo, vec_fma(n, ln2.hi, -cut));
    return (decay_factors){inner, r, vec_power_of_two(rounded), vec_select(inner, SPLAT(TAIL_SCALE), SPLAT(0))};
}

/* exp(-a) = power (1 + p) scale, also rounded to `value`, for inputs beyond tables, where it is so small that short
 * series replace divisions. The error of p is 0.6 u. */
typedef struct {
    vec power, p, scale, value;
} small_exp;

static inline small_exp exp_of_tail_pair(pair a)
{
    decay_factors d = decay_of(a.hi);
    vec r = d.r - vec_select(d.inner, a.lo, SPLAT(0)), p = vec_fma(r * r, POLYNOMIAL(exp_tail, r), r),
        lowered = d.power * d.scale;
    return (small_exp){d.power, p, d.scale, vec_fma(lowered, p, lowered)};
}
static inline small_exp exp_of_tail(vec a) { return exp_of_tail_pair(pair_of(a)); }
#endif

typedef struct {
    pair exp, expm1;
} exp_and_expm1;

/* exp(x) and expm1(x) for x <= 0 or NaN, from one reduction; relative errors about 0.1 u and 0.2 u. Below EXPM1_LIMIT
 * x.lo may be anything, expm1 is -1, and exp is that of EXPM1_LIMIT, a normal number. */
#define EXPM1_LIMIT PICK(-80, -700)
static inline exp_and_expm1 exp_and_expm1_of_negative(pair x)
{
    x = pair_select(vec_less(x.hi, SPLAT(EXPM1_LIMIT)), pair_of(SPLAT(EXPM1_LIMIT)), x);
    vec rounded;
    pair p = exp_reduced(x, &rounded);
    vec power = vec_power_of_two(rounded);
    pair m = fast_two_sum(SPLAT(1), p.hi);
    m.lo = m.lo + p.lo;
    pair base = fast_two_sum(SPLAT(-1), power);
    pair sum = fast_two_sum(base.hi, power * p.hi);
    return (exp_and_expm1){pair_scale(m, power), {sum.hi, sum.lo + vec_fma(power, p.lo, base.lo)}};
}

static inline pair expm1_of_negative(pair x) { return exp_and_expm1_of_negative(x).expm1; }

#if REAL_BITS == 32
/* 2^-g = 1 - ln(2) g + g^2 Q(g) on |g| <= 1/2; error 2^-28. ln(2) is so close to a float that it is one here. */
static const real exp2_tail[] = {0x1.ebfbep-3f, -0x1.c6af7p-5f, 0x1.3b2a48p-7f, -0x1.5f0f3ep-10f, 0x1.4424e2p-13f};

/* 2^-y = power (1 + p) for |y.hi| <= 126. If rounder is VEC_ROUNDER + n, power is 2^n times as large. In base 2 the
 * reduction is exact, and takes no multiplication; y has a factor anyway, which includes log2(e). The error of p is at
 * most 0.6 u. */
static inline exp_factors exp2_factors_of(vec rounded, vec g)
{
    vec p = vec_fma(SPLAT(-0x1.62e43p-1), g, g * g * POLYNOMIAL(exp2_tail, g));
    return (exp_factors){vec_power_of_two(rounded), p};
}

static inline exp_factors exp2_of_minus(pair y, vec rounder)
{
    vec rounded = rounder - y.hi;
    return exp2_factors_of(rounded, (y.hi + (rounded - rounder)) + y.lo);
}

/* The same for y = a b + more: the rest is taken from the product itself, which so takes no pair. */
static inline exp_factors exp2_of_minus_product(pair a, pair b, vec more, vec rounder)
{
    vec rounded = vec_fnma(a.hi, b.hi, rounder);
    vec first = vec_fma(a.hi, b.hi, rounded - rounder);
    return exp2_factors_of(rounded, first + vec_fma(a.hi, b.lo, vec_fma(a.lo, b.hi, more)));
}
#endif

/* height 2^-y 2^DECAY_SHIFT = power (1 + p), in f64 height exp(-y) 2^DECAY_SHIFT, for 0 <= y.hi <= DECAY_LIMIT. With
 * the factor 2^DECAY_SHIFT it is a normal number down to where the result is 0, so tails need no other formula, only a
 * factor of DECAY_SCALE at the end. height.lo is taken into account in p. */
#define DECAY_SHIFT 64
#define DECAY_SCALE 0x1p-64
#define DECAY_LIMIT PICK(180, 752)

/* What to add to -y for height.lo. */
static inline vec decay_lacking(pair height)
{
    return SPLAT(PICK(0x1.71547652b82fep+0, 1)) * (height.lo / vec_max(SPLAT(PICK(FLT_MIN, DBL_MIN)), height.hi));
}

static inline exp_factors decay(pair height, pair y)
{
    vec rounder = VEC_ROUNDER + SPLAT(DECAY_SHIFT), minus_lo = decay_lacking(height) - y.lo;
#if REAL_BITS == 32
    exp_factors e = exp2_of_minus((pair){y.hi, -minus_lo}, rounder);
#else
    vec rounded = vec_fnma(y.hi, SPLAT(0x1.71547652b82fep+0), rounder), n = rounder - rounded;
    vec r = vec_fma(n, SPLAT(LN2_LO), vec_fma(n, SPLAT(LN2_HI), -y.hi));
    exp_factors e = exp_factors_of(rounded, r + minus_lo);
#endif
    return (exp_factors){height.hi * e.power, e.p};
}

#if REAL_BITS == 32
/* raised 2^-DECAY_SHIFT for raised >= 0, rounded as that product is. Subnormal results are made without arithmetic on
 * them, which costs Intel's processors some 150 cycles a vector: 2^-126 is added (here to the raised number), and the
 * bits behind the exponent are then those of the result. (On Zen 5, where subnormal numbers cost little, gelu takes
 * 1.13 to 1.2 times as long so if |x| is spread evenly up to 20; else nothing changes.) */
static inline vec lowered(vec raised)
{
    vec least = SPLAT(0x1p-126 / DECAY_SCALE);
    vec subnormal = vec_minus_bits(raised + least, least), normal = vec_max(least, raised) * SPLAT(DECAY_SCALE);
    return vec_select(vec_less(raised, least), subnormal, normal);
}

/* The same for y = a b. */
static inline exp_factors decay_of_product(pair height, pair a, pair b)
{
    exp_factors e = exp2_of_minus_product(a, b, -decay_lacking(height), VEC_ROUNDER + SPLAT(DECAY_SHIFT));
    return (exp_factors){height.hi * e.power, e.p};
}
#endif

#endif
