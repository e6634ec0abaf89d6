/* sin(factor x + turn pi) for all x, however large. */
#ifndef SUGAR_KERNELS_MATH_SINE_H
#define SUGAR_KERNELS_MATH_SINE_H

#include "kernels/math/pairs.h"
#include "kernels/math/polynomial.h"

/* sin(r) = r + r^3 Q(r^2) on |r| <= pi/2; relative error 2^-31.0 (f32), 2^-61.5 (f64). */
#define SINE_FIRST PICK(-0x1.555556p-3, -0x1.5555555555555p-3)
static const real sine_tail[] = {
#if REAL_BITS == 32
    0x1.111136p-7f, -0x1.a023ep-13f, 0x1.72d374p-19f, -0x1.b6e45ap-26f
#else
    0x1.11111111110c8p-7,  -0x1.a01a01a014d5ap-13, 0x1.71de3a529f7f2p-19, -0x1.ae6454d3a1a2fp-26,
    0x1.6123ccc2156f3p-33, -0x1.ae436e9b7c404p-41, 0x1.882ffd4bb795bp-49
#endif
};

/* sin(r) as hi + lo, where lo is at most 0.6 hi. The terms that decide the error where r is close to pi/2, r^2 and its
 * product with the first coefficient, have low parts. */
static inline pair sine_of(pair r)
{
    vec t = r.hi * r.hi, t_lo = vec_fma(r.hi, r.hi, -t), first = SPLAT(SINE_FIRST);
    vec q = vec_fma(t, first, vec_fma(t_lo, first, t * t * POLYNOMIAL(sine_tail, t)));
    vec cosine = vec_fma(t, vec_fma(t, SPLAT(1.0 / 24), SPLAT(-0.5)), SPLAT(1));     /* as r.lo needs it */
    return (pair){r.hi, vec_fma(r.hi, q, r.lo * cosine)};
}

/* ---- Reduction of any number, in whole numbers ------------------------------------------------ */

/* 1/pi in words of 32 bits, the first behind the binary point. */
static const uint32_t inverse_pi[] = {
    0x517cc1b7, 0x27220a94, 0xfe13abe8, 0xfa9a6ee0, 0x6db14acc, 0x9e21c820, 0xff28b1d5, 0xef5de2b0,
    0xdb92371d, 0x2126e970, 0x03249775, 0x04e8c90e, 0x7f0ef58e, 0x5894d39f, 0x74411afa, 0x975da242,
    0x74ce3813, 0x5a2fbf20, 0x9cc8eb1c, 0xc1a99cfa, 0x4e422fc5, 0xdefc941d, 0x8ffc4bff, 0xef02cc07,
    0xf79788c5, 0xad05368f, 0xb69b3f67, 0x93e584db, 0xa7a31fb3, 0x4f2ff516, 0xba93dd63, 0xf5f2f8bd,
    0x9e839cfb, 0xc5294975, 0x35fdafd8, 0x8fc6ae84, 0x2b019823, 0x7e3db5d5, 0xf867de10, 0x4d7a1b0e};
enum { INVERSE_PI_WORDS = sizeof inverse_pi / sizeof *inverse_pi };

/* A product of two doubles is word[0] + word[1] 2^32 + ..., times 2^(32 scale), exactly. */
enum { PRODUCT_WORDS = 5 };
typedef struct {
    uint32_t word[PRODUCT_WORDS];
    int scale;
} whole_product;

/* The digits of |a| as a whole number; *exponent: that of its last digit. */
static inline uint64_t whole_digits(double a, int *exponent)
{
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    const int field = (int)(bits >> 52 & 0x7ff);
    const uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    *exponent = (field ? field : 1) - 1075;
    return field ? fraction | UINT64_C(1) << 52 : fraction;
}

static inline whole_product whole_product_of(double a, double b)
{
    int a_exponent, b_exponent;
    const uint64_t m = whole_digits(a, &a_exponent), n = whole_digits(b, &b_exponent);
    const int exponent = a_exponent + b_exponent + 32 * 128, shift = exponent % 32;
    const uint64_t a_word[2] = {m & UINT32_MAX, m >> 32};
    /* n 2^shift, in three words. */
    const uint64_t b_word[3] = {n << shift & UINT32_MAX, (n >> (32 - shift)) & UINT32_MAX,
                                shift ? n >> (64 - shift) : 0};
    whole_product p = {.scale = exponent / 32 - 128};
    for (int i = 0; i < 2; i++) {
        uint64_t carry = 0;
        for (int k = 0; k < 3; k++) {
            carry += a_word[i] * b_word[k] + p.word[i + k];
            p.word[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
        if (i + 3 < PRODUCT_WORDS)
            p.word[i + 3] = (uint32_t)carry;
    }
    return p;
}

/* p / pi modulo 2^32 (Payne and Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 18(1), 1983),
 * from only those words of 1/pi that matter: the last word of the result is before the binary point, the others are
 * behind it. The error is below 2^-180, and no product of two doubles is closer to a multiple of pi than 2^-120. */
enum { TURN_WORDS = 11 };
static inline void divide_by_pi(whole_product p, uint32_t turn[TURN_WORDS])
{
    memset(turn, 0, TURN_WORDS * sizeof *turn);
    for (int i = 0; i < PRODUCT_WORDS; i++) {
        uint64_t carry = 0;
        for (int k = 0; i + k < TURN_WORDS; k++) {
            const int place = p.scale - 1 + TURN_WORDS - 1 - k;
            const uint64_t word = place >= 0 && place < INVERSE_PI_WORDS ? inverse_pi[place] : 0;
            carry += p.word[i] * word + turn[i + k];
            turn[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
    }
}

/* The distance of factor x / pi + turn from the nearest whole number, negated if that is odd; turn is less than 1. */
static inline double turns_left(double x, double factor, double turn, double *rest)
{
    uint32_t word[TURN_WORDS];
    divide_by_pi(whole_product_of(x, factor), word);
    const int negative = x < 0;
    uint64_t carry = (uint64_t)(turn * 0x1p32);
    if (negative)       /* -(word - turn) */
        carry = (UINT64_C(1) << 32) - carry;
    carry &= UINT32_MAX;
    carry += word[TURN_WORDS - 2];
    word[TURN_WORDS - 2] = (uint32_t)carry;
    word[TURN_WORDS - 1] += (uint32_t)(carry >> 32) - (negative && turn > 0);
    const uint32_t above = word[TURN_WORDS - 2] >> 31;
    int odd = (int)((word[TURN_WORDS - 1] + above) & 1), top = TURN_WORDS - 2;
    if (above)          /* 1 - fraction; its last bit does not matter */
        for (int i = 0; i <= top; i++)
            word[i] = ~word[i];
    while (top > 2 && word[top] == 0)
        top--;
    double scale = 0x1p-32;
    for (int i = TURN_WORDS - 2; i > top; i--)
        scale *= 0x1p-32;
    if (odd ^ (int)above ^ negative)
        scale = -scale;
    const double first = word[top] * 0x1p32, high = first + word[top - 1];
    const double low = (word[top - 1] - (high - first)) + word[top - 2] * 0x1p-32, sum = high + low;
    *rest = (low - (sum - high)) * scale * 0x1p-32;
    return sum * scale * 0x1p-32;
}

/* sine_angle for lanes that are far; 0 for x that are not finite. */
static __attribute__((noinline)) pair sine_angle_far(vec x, vec factor, real turn)
{
    real lane[VEC_LANES], factors[VEC_LANES], rest[VEC_LANES];
    vec_store(lane, x);
    vec_store(factors, factor);
    for (int i = 0; i < VEC_LANES; i++) {
        double lost = 0, left = 0;
        if (isfinite(lane[i]))
            left = turns_left((double)lane[i], (double)factors[i], (double)turn, &lost);
        lane[i] = (real)left;
        rest[i] = (real)((left - (double)lane[i]) + lost);
    }
    return pair_multiply((pair){vec_load(lane), vec_load(rest)}, PAIR(0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53));
}

/* ---- Reduction in pairs ----------------------------------------------------------------------- */

/* pi in three parts. A whole number of quarters times the first one is exact, up to SINE_NEAR. */
#define PI_FIRST PICK(0x1.92p+1, 0x1.921fb544p+1)
#define PI_SECOND PICK(0x1.fb5444p-11, 0x1.0b4611a626331p-33)
#define PI_THIRD PICK(0x1.68c234p-38, 0x1.1701b839a252p-87)
#define SINE_NEAR PICK(0x1p13, 0x1p18)
/* An angle below this, next to a multiple of pi, would not have enough digits. */
#define SINE_CLOSE PICK(0x1p-18, 0x1p-40)

/* 1 for even whole numbers, -1 for odd ones, up to 2^21. */
static inline vec alternating(vec n)
{
    vec rounder = SPLAT(PICK(0x1.8p23, 0x1.8p52)), half = vec_fma(n, SPLAT(0.5), rounder) - rounder;
    vec odd = vec_fnma(SPLAT(2), half, n);
    return vec_fnma(odd + odd, odd, SPLAT(1));
}

/* An angle of at most pi/2 and a little whose sine is sin(factor x + turn pi), for a turn of 0, 1/4 or 1/2. */
static inline pair sine_angle(vec x, vec factor, real turn)
{
    pair y = two_product(x, factor);
    vec rounder = SPLAT(PICK(0x1.8p23, 0x1.8p52));
    vec n = (vec_fma(y.hi, SPLAT(0x1.45f306dc9c883p-2), vec_splat(turn)) + rounder) - rounder;
    vec turns = n - vec_splat(turn), first = turns * SPLAT(PI_FIRST), left = y.hi - first;
    pair second = two_product(turns, SPLAT(PI_SECOND)), sum = two_sum(left, -second.hi), all = two_sum(sum.hi, y.lo);
    vec lost = y.hi - (left + first);       /* not 0 only where turns is a fraction, |first| > |y| */
    vec lo = vec_fnma(turns, SPLAT(PI_THIRD), (lost + sum.lo) + (all.lo - second.lo));
    pair r = pair_scale(fast_two_sum(all.hi, lo), alternating(n));
    vec limit = vec_select(vec_less(vec_abs(r.hi), SPLAT(SINE_CLOSE)), SPLAT(0.5), SPLAT(SINE_NEAR));
    mask far = vec_less(limit, vec_abs(y.hi));
    if (is_rare(far))
        r = pair_select(far, sine_angle_far(x, factor, turn), r);
    return r;
}

#endif
