/* Elementary functions in the vector vocabulary, for float and double alike, without calls and
 * without branches.
 *
 * How the contract's 2 ULP are reached: the parts that decide the error are carried as a `pair`, an
 * unevaluated sum hi + lo with about twice the precision (Dekker 1971; Joldes, Muller and Popescu,
 * "Tight and rigorous error bounds for basic building blocks of double-word arithmetic", ACM TOMS
 * 44(2), 2017). Below, u is the unit roundoff: 2^-24 or 2^-53. A result that is wrong by at most
 * 1.5 u before its last rounding is within 2 ULP whatever its leading digits, so that is the budget
 * of every formula in kinds.h; the sweep over all f32 has the last word.
 *
 * Most kinds have two formulas. The near one serves all inputs whose exp is a normal number, with pairs
 * only where the budget asks for them; the far one, for tails and infinities, carries everything as
 * pairs. `or_far` in kinds.h joins them, lane by lane, so that neither changes the other's bits. With
 * pairs everywhere and no branch the near formulas took 1.5 to 2.5 times as long.
 *
 * Coefficients come from coefficients.sollya, tables, in tables.h, from tables.py. */

#if SUGAR_ELEMENT == 32
#define PICK(f32, f64) f32
#else
#define PICK(f32, f64) f64
#endif

/* A constant in both element types. */
#define SPLAT(a) vec_splat((real)(a))

#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 32")
#else
#define UNROLL
#endif

/* ---- Pairs --------------------------------------------------------------------------------- */

typedef struct { vec hi, lo; } pair;

/* The real number hi64 + lo64 as a pair of either element type. For float, hi64 alone has the digits. */
#define PAIR(hi64, lo64)                                                                           \
    ((pair){SPLAT(hi64), SPLAT(PICK((hi64) - (double)(float)(hi64), (lo64)))})

static inline pair pair_of(vec a) { return (pair){a, SPLAT(0)}; }

/* Whether y is one of the `width` numbers (a power of two) around a middle between two elements, so that an error
 * there could decide what y is rounded to; now and then y is none. Elements that are not shorter have no such
 * numbers. */
static inline mask near_middle(vec y, int width)
{
#if SUGAR_NARROWS
    const int last = JOIN(LAST, SUGAR_TYPE) + 1 - width;
    return vec_bits_are(y, width / 2, last, JOIN(MIDDLE, SUGAR_TYPE));
#else
    (void)width;
    return vec_less(y, y);
#endif
}

static inline vec round_to_odd(vec y, vec rest)
{
#if SUGAR_NARROWS
    return vec_to_odd(y, rest);
#else
    (void)rest;
    return y;
#endif
}

/* The last rounding of a formula that is a straight line next to 0 or elsewhere: y is the exact result rounded,
 * and `rest` has the sign of what that left over. For elements that are shorter than `real` this is the last but
 * one, and what is left over is kept in the last bit (rounding to odd: Boldo and Melquiond, "Emulation of a FMA and
 * correctly-rounded sums", IEEE Transactions on Computers 57(4), 2008), as it decides what the last rounding makes
 * of y in the middle between two elements. A line has many results there: rrelu rounds 2 % of all f16 wrongly
 * without it, elu(alpha=3) 3 % of all bf16. A curve has next to none and is spared it. Most vectors have none, too,
 * and a branch spares them what goes into `rest` (f16, AVX2, ns per element with a branch and without: elu(alpha=3)
 * .26 and .46). */
static inline vec last_rounding(vec y, vec rest)
{
    mask middle = near_middle(y, 1);
    if (SUGAR_NARROWS && __builtin_expect(vec_any(middle), 0)) y = vec_select(middle, round_to_odd(y, rest), y);
    return y;
}

/* Whether a's product with every element is exact, or need not be, as its only rounding is the last one. */
static inline int has_exact_products(vec a)
{
    vec magnified = SPLAT(0x1001) * a, leading = magnified - (magnified - a);   /* 12 digits */
    return !SUGAR_NARROWS || !vec_any(vec_less(SPLAT(0), vec_abs(a - leading)));
}

#if SUGAR_NARROWS
/* slope x where x < 0, else x; for a slope between 0 and 1 with more than 12 digits. A middle has no more than 12, so
 * no product is one. Then all may be rounded towards 0, which is a rounding to nearest with half of the last place
 * taken off, and made odd. */
static inline vec odd_line(vec slope, vec x)
{
    vec half_unit = SPLAT(0x1p-24) * vec_leading(vec_fma(slope, x, SPLAT(0)));
    return vec_select(vec_negative(x), vec_last_one(vec_fma(slope, x, -half_unit)), x);
}
#endif

/* slope x where x <= 0, else x, rounded as by last_rounding. Slopes like .35 have so many products next to a middle
 * that its branch is no good (rrelu in bf16, 16 Mi elements, AVX2: .77 ns per element). */
static inline vec line_below(vec slope, vec x)
{
    if (has_exact_products(slope)) {
        /* A slope of 0 times -inf must be 0. */
        vec lowest = vec_select(vec_less(SPLAT(0), vec_abs(slope)), SPLAT(-INFINITY), SPLAT(-1));
        return vec_select(vec_less(SPLAT(0), x), x, slope * vec_max(lowest, x));
    }
#if SUGAR_NARROWS
    if (!vec_any(vec_less_equal(slope, SPLAT(0))) && !vec_any(vec_less(SPLAT(1), slope))) return odd_line(slope, x);
#endif
    vec product = slope * x;
    return vec_select(vec_less(SPLAT(0), x), x, round_to_odd(product, vec_fma(slope, x, -product)));
}

/* a.hi + a.lo where |a.hi| >= |a.lo|. Elements that are shorter than `real` do without a.lo, so that the compiler
 * leaves out all that goes into it. Not so pair_sum: where terms cancel, a.lo has digits that they need. */
static inline vec pair_round(pair a)
{
    if (SUGAR_NARROWS) return a.hi;
    return a.hi + a.lo;
}
static inline vec pair_sum(pair a) { return a.hi + a.lo; }

/* a + b exactly, for |a| >= |b| or a = 0. */
static inline pair fast_two_sum(vec a, vec b)
{
    vec sum = a + b;
    return (pair){sum, b - (sum - a)};
}

static inline vec pair_last_rounding(pair a)
{
    vec sum = a.hi + a.lo;
    return last_rounding(sum, a.lo - (sum - a.hi));
}

/* a + b exactly (Knuth). */
static inline pair two_sum(vec a, vec b)
{
    vec sum = a + b, b_part = sum - a;
    return (pair){sum, (a - (sum - b_part)) + (b - b_part)};
}

/* a * b exactly, as long as nothing underflows. */
static inline pair two_product(vec a, vec b)
{
    vec product = a * b;
    return (pair){product, vec_fma(a, b, -product)};
}

/* The following are accurate to a few u^2, except that pair_add is so only relative to |a| + |b|. */
static inline pair pair_add(pair a, pair b)
{
    pair sum = two_sum(a.hi, b.hi);
    return (pair){sum.hi, sum.lo + (a.lo + b.lo)};
}

static inline pair pair_multiply(pair a, pair b)
{
    pair product = two_product(a.hi, b.hi);
    return (pair){product.hi, product.lo + vec_fma(a.hi, b.lo, a.lo * b.hi)};
}

static inline pair pair_square(pair a)
{
    pair product = two_product(a.hi, a.hi);
    return (pair){product.hi, vec_fma(a.hi + a.hi, a.lo, product.lo)};
}

/* 1 / a by one division and one Newton step for the low part. */
static inline pair pair_reciprocal(pair a)
{
    vec r = SPLAT(1) / a.hi;
    vec remainder = vec_fnma(r, a.lo, vec_fnma(r, a.hi, SPLAT(1)));
    return (pair){r, r * remainder};
}

/* a / b */
static inline pair pair_divide(pair a, pair b)
{
    vec r = SPLAT(1) / b.hi, q = a.hi * r;
    vec remainder = vec_fnma(q, b.lo, vec_fnma(q, b.hi, a.hi) + a.lo);
    vec quotient = vec_fma(remainder, r, q);
    return (pair){quotient, vec_fma(remainder, r, q - quotient)};
}

/* The same, rounded once. */
static inline vec pair_quotient(pair a, pair b) { return pair_divide(a, b).hi; }

/* a * b, rounded once. */
static inline vec product_of_pairs(pair a, pair b)
{
    return vec_fma(a.hi, b.hi, vec_fma(a.hi, b.lo, a.lo * b.hi));
}

/* a * b, where b is a power of two or the rounding of each part does no harm. */
static inline pair pair_scale(pair a, vec b) { return (pair){a.hi * b, a.lo * b}; }

static inline pair pair_negate(pair a) { return (pair){-a.hi, -a.lo}; }

static inline pair pair_select(mask m, pair a, pair b)
{
    return (pair){vec_select(m, a.hi, b.hi), vec_select(m, a.lo, b.lo)};
}

static inline pair pair_abs(pair a) { return pair_select(vec_less(a.hi, SPLAT(0)), pair_negate(a), a); }

/* x * a, rounded once from a pair. */
static inline vec times_pair(vec x, pair a)
{
    if (SUGAR_NARROWS) return x * a.hi;
    return vec_fma(x, a.hi, x * a.lo);
}

/* ---- Polynomials --------------------------------------------------------------------------- */

/* c[0] + c[1] x + ... + c[degree] x^degree, by Estrin's scheme down to pairs of terms and Horner's rule in
 * x^2 over these: half the depth of Horner's rule alone, whose latency is what these loops wait for. */
static inline __attribute__((always_inline)) vec polynomial(const real *c, int degree, vec x)
{
    vec square = x * x;
    int k = degree & ~1;
    vec sum = degree & 1 ? vec_fma(vec_splat(c[degree]), x, vec_splat(c[degree - 1])) : vec_splat(c[degree]);
    UNROLL
    for (k -= 2; k >= 0; k -= 2) sum = vec_fma(sum, square, vec_fma(vec_splat(c[k + 1]), x, vec_splat(c[k])));
    return sum;
}

#define DEGREE(coefficients) ((int)(sizeof(coefficients) / sizeof *(coefficients)) - 1)
#define POLYNOMIAL(coefficients, x) polynomial(coefficients, DEGREE(coefficients), x)

/* ---- Exponential --------------------------------------------------------------------------- */

/* exp(r) = 1 + r + r^2 Q(r) on |r| <= ln(2)/2; relative error 2^-32 (f32), 2^-62 (f64). */
static const real exp_tail[] = {
#if SUGAR_ELEMENT == 32
    0x1p-1f, 0x1.555556p-3f, 0x1.5555p-5f, 0x1.110fc4p-7f, 0x1.6d30d2p-10f, 0x1.a2d442p-13f
#else
    0x1p-1, 0x1.5555555555557p-3, 0x1.5555555555557p-5, 0x1.111111111002fp-7,
    0x1.6c16c16c1568ep-10, 0x1.a01a01ac3868fp-13, 0x1.a01a01aba7113p-16, 0x1.71de014b13815p-19,
    0x1.27e4cf8130893p-22, 0x1.af4fa8861bc83p-26, 0x1.1f874c40cd079p-29
#endif
};

/* Adding it rounds to an integer n and leaves n and the exponent's bias in the low bits: 2^n, shifted. */
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

/* exp(x) = power (1 + p), for |x| <= EXP_NEAR, where power is a normal number: the fast way, in which
 * nothing is a pair. p is wrong by at most 0.6 u, also relative to x where x rounds to no multiple of
 * ln(2); a formula does best to round power + power p only once. */
#define EXP_NEAR PICK(87, 708)
typedef struct { vec power, p; } exp_parts;

static inline vec exp_argument(vec x, vec *rounded)
{
    *rounded = vec_fma(x, SPLAT(0x1.71547652b82fep+0), VEC_ROUNDER);
    vec n = *rounded - VEC_ROUNDER;
    vec exact = vec_fnma(n, SPLAT(LN2_HI), x);
    return vec_fnma(n, SPLAT(LN2_LO), exact);
}

static inline exp_parts exp_parts_of(vec rounded, vec r)
{
    return (exp_parts){vec_power_of_two(rounded), vec_fma(r * r, POLYNOMIAL(exp_tail, r), r)};
}

/* Elements that are shorter than `real` need no more than 1 + p to 2^-23, by four coefficients instead of six, and
 * one step of the reduction. */
static inline exp_parts exp_short(vec x)
{
    static const real tail[] = {0x1.fffdfap-2, 0x1.5557aep-3, 0x1.572afep-5, 0x1.1063c8p-7};
    vec rounded = vec_fma(x, SPLAT(0x1.71547652b82fep+0), VEC_ROUNDER);
    vec r = vec_fnma(rounded - VEC_ROUNDER, SPLAT(LN2_HI + LN2_LO), x);
    return (exp_parts){vec_power_of_two(rounded), vec_fma(r * r, POLYNOMIAL(tail, r), r)};
}

static inline exp_parts exp_near(vec x)
{
    if (SUGAR_NARROWS) return exp_short(x);
    vec rounded, r = exp_argument(x, &rounded);
    return exp_parts_of(rounded, r);
}

/* exp(-a^2/2), where the rounding of a^2 counts, and n more in power's exponent if rounder is VEC_ROUNDER + n. */
static inline exp_parts exp_half_square(vec a, vec rounder)
{
    pair square = two_product(a, a);
    vec rounded = vec_fma(square.hi, SPLAT(-0.5 * 0x1.71547652b82fep+0), rounder), n = rounded - rounder;
    vec exact = vec_fnma(n, SPLAT(LN2_HI), SPLAT(-0.5) * square.hi);
    vec r = vec_fnma(n, SPLAT(LN2_LO), exact);
    return exp_parts_of(rounded, vec_fma(SPLAT(-0.5), square.lo, r));
}

static inline exp_parts exp_near_half_square(vec a)
{
    if (SUGAR_NARROWS) return exp_short(a * (SPLAT(-0.5) * a));
    return exp_half_square(a, VEC_ROUNDER);
}

/* For every element type, as a formula needs it whose terms may cancel. */
static inline exp_parts exp_near_full(pair x)
{
    vec rounded, r = exp_argument(x.hi, &rounded);
    return exp_parts_of(rounded, r + x.lo);
}

static inline exp_parts exp_near_pair(pair x) { return SUGAR_NARROWS ? exp_short(x.hi) : exp_near_full(x); }

/* 1 + power (1 + p), rounded once. power + 1 is not exact if power is 2^24 (2^53) or more or the inverse,
 * and what it loses there counts. */
static inline vec one_plus_exp(exp_parts e)
{
    if (SUGAR_NARROWS) return vec_fma(e.power, e.p, e.power) + SPLAT(1);
    vec sum = e.power + SPLAT(1);
    return sum + vec_fma(e.power, e.p, SPLAT(1) - (sum - e.power));
}

/* The same as a pair. */
static inline pair one_plus_exp_pair(exp_parts e)
{
    vec base = e.power + SPLAT(1);
    vec rest = vec_fma(e.power, e.p, SPLAT(1) - (base - e.power));
    vec sum = base + rest;
    return (pair){sum, rest - (sum - base)};
}

/* c power (1 + p), rounded once, for a constant c. */
static inline vec times_exp(pair c, exp_parts e)
{
    pair power = pair_scale(c, e.power);
    if (SUGAR_NARROWS) return vec_fma(power.hi, e.p, power.hi);
    return power.hi + vec_fma(power.hi, e.p, power.lo);
}

/* expm1(x) for -EXPM1_NEAR <= x.hi <= 0. (r x.lo, which is left out, is 0.2 u of it at most.) */
static inline vec expm1_near(pair x)
{
    vec rounded, r = exp_argument(x.hi, &rounded), power = vec_power_of_two(rounded);
    vec p = r + vec_fma(r * r, POLYNOMIAL(exp_tail, r), x.lo);
    return vec_fma(power, p, power - SPLAT(1));
}

/* power (1 + p) as a pair. */
static inline pair exp_pair(exp_parts e)
{
    vec hi = vec_fma(e.power, e.p, e.power);
    return (pair){hi, vec_fma(e.power, e.p, e.power - hi)};
}

/* Where the low part of a pair next to exp(x) is still a normal number, even divided by a large beta. */
#define EXP_PAIR_NEAR PICK(55, 650)

/* Where exp(x) would leave the normal numbers, its exponent is raised by EXP_SHIFT and a later factor
 * brings the finished result down, so that only one rounding meets the subnormals. EXP_TAIL is far
 * enough out that 1 + exp(x) is 1 for every purpose here, raised or not. Below -EXP_LIMIT every
 * result that has exp(x) as a factor is 0. */
#define EXP_TAIL PICK(66, 160)
#define EXP_SHIFT PICK(56, 160)
#define EXP_SCALE PICK(0x1p-56, 0x1p-160)
#define EXP_LIMIT PICK(125, 800)
#define EXP_OF_ZERO PICK(100, 500)  /* exp(-this) stands for them, so that no low part of a product is subnormal */

/* exp(x) = value * scale. */
typedef struct { pair value; vec scale; } scaled;

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

#if SUGAR_ELEMENT == 32
/* exp(-r) = 1 - r + r^2 Q(r) on |r| <= ln(2)/2; relative error 2^-28.2. */
static const real decay_tail[] = {0x1.fffffcp-2f, -0x1.55549p-3f, 0x1.5558a2p-5f, -0x1.123adp-7f, 0x1.6a5e34p-10f};

/* From here on results of tails are 0, even divided by a small beta. */
#define TAIL_LIMIT 122
/* What exponents are raised by there, so that products with another factor are normal numbers. */
#define TAIL_SHIFT 80
#define TAIL_SCALE 0x1p-80

/* exp(-a) = exp(-r) power scale for a >= 0 or NaN. ln(2) as a float has so few digits that the first difference is
 * exact. */
typedef struct { mask inner; vec r, power, scale; } decay_parts;

static inline decay_parts decay_of(vec a)
{
    pair ln2 = PAIR(0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56);
    mask inner = vec_less(a, SPLAT(TAIL_LIMIT));
    vec near = vec_min(SPLAT(TAIL_LIMIT), a), rounder = VEC_ROUNDER + SPLAT(TAIL_SHIFT);
    vec rounded = vec_fnma(near, SPLAT(0x1.71547652b82fep+0), rounder), n = rounder - rounded;
    vec r = vec_fnma(n, ln2.hi, near) - n * ln2.lo;
    return (decay_parts){inner, r, vec_power_of_two(rounded), vec_select(inner, SPLAT(TAIL_SCALE), SPLAT(0))};
}

/* exp(-a) = power (1 + p) scale = value beyond tables, where it is small enough for short series to replace
 * divisions. p is wrong by 0.6 u. */
typedef struct { vec power, p, scale, value; } small_exp;

static inline small_exp exp_of_tail(vec a)
{
    decay_parts d = decay_of(a);
    vec p = vec_fma(d.r * d.r, POLYNOMIAL(decay_tail, d.r), -d.r), lowered = d.power * d.scale;
    return (small_exp){d.power, p, d.scale, vec_fma(lowered, p, lowered)};
}
#endif

typedef struct { pair exp, expm1; } exp_and_expm1;

/* Both for x <= 0 or NaN, from one reduction; relative errors about 0.1 u and 0.2 u. x.lo may be
 * anything far below. Below EXPM1_LIMIT expm1 is -1 and exp stays where it is, a normal number. */
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

#if SUGAR_ELEMENT == 32
/* 2^-g = 1 - ln(2) g + g^2 Q(g) on |g| <= 1/2; error 2^-28. ln(2) is nearly a float. */
static const real exp2_tail[] = {
    0x1.ebfbep-3f, -0x1.c6af7p-5f, 0x1.3b2a48p-7f, -0x1.5f0f3ep-10f, 0x1.4424e2p-13f
};

/* 2^-y = power (1 + p) for |y.hi| <= 126, and n more in power's exponent if rounder is VEC_ROUNDER + n. In base 2
 * the reduction is exact without multiplications; what converts to it is in a factor that y has anyway. p is
 * wrong by at most 0.6 u. */
static inline exp_parts exp2_of_minus(pair y, vec rounder)
{
    vec rounded = rounder - y.hi;
    vec g = (y.hi + (rounded - rounder)) + y.lo;
    vec p = vec_fma(SPLAT(-0x1.62e43p-1), g, g * g * POLYNOMIAL(exp2_tail, g));
    return (exp_parts){vec_power_of_two(rounded), p};
}

/* height 2^-y 2^DECAY_SHIFT = power (1 + p), for 0 <= y.hi <= DECAY_LIMIT. Raised like that it is a normal
 * number down to where the result is 0, so tails need no other formula, only a factor of DECAY_SCALE at the end.
 * What height.hi lacks is in p. */
#define DECAY_SHIFT 64
#define DECAY_SCALE 0x1p-64
#define DECAY_LIMIT 180
static inline exp_parts decay(pair height, pair y)
{
    vec lacking = SPLAT(0x1.71547652b82fep+0) * (height.lo / vec_max(SPLAT(FLT_MIN), height.hi));
    exp_parts e = exp2_of_minus((pair){y.hi, y.lo - lacking}, VEC_ROUNDER + SPLAT(DECAY_SHIFT));
    return (exp_parts){height.hi * e.power, e.p};
}
#endif

/* ---- Logistic function ---------------------------------------------------------------------- */

/* s(y) = value * scale, where scale is not 1 only where s(y) nears 0, and s(-y) = complement. */
typedef struct { pair value; vec scale; pair complement; } logistic;

/* s(|y|) = 1 / (1 + e), s(-|y|) = e / (1 + e), e = exp(-|y|). */
static inline logistic logistic_of(pair y)
{
    mask negative = vec_less(y.hi, SPLAT(0));
    scaled e = exp_of_negative(pair_select(negative, y, pair_negate(y)));
    pair sum = fast_two_sum(SPLAT(1), e.value.hi);
    sum.lo = sum.lo + e.value.lo;
    pair large = pair_reciprocal(sum);
    pair small = pair_multiply(e.value, large);
    return (logistic){pair_select(negative, small, large), vec_select(negative, e.scale, SPLAT(1)),
                      pair_select(negative, large, pair_scale(small, e.scale))};
}

/* s(y) s(-y), even in y. */
static inline scaled logistic_slope(pair y)
{
    mask negative = vec_less(y.hi, SPLAT(0));
    scaled e = exp_of_negative(pair_select(negative, y, pair_negate(y)));
    pair sum = fast_two_sum(SPLAT(1), e.value.hi);
    sum.lo = sum.lo + e.value.lo;
    return (scaled){pair_multiply(e.value, pair_square(pair_reciprocal(sum))), e.scale};
}

/* ---- log1p(exp(-|y|)) ------------------------------------------------------------------------ */

/* atanh(z) = z + z^3 Q(z^2) on 0 <= z <= 1/3; relative error 2^-31.6 (f32), 2^-61.8 (f64). */
static const real atanh_tail[] = {
#if SUGAR_ELEMENT == 32
    0x1.555556p-2f, 0x1.999866p-3f, 0x1.24d764p-3f, 0x1.bb3304p-4f, 0x1.e116a4p-4f
#else
    0x1.5555555555555p-2, 0x1.9999999999b17p-3, 0x1.249249248395bp-3, 0x1.c71c71ce663dap-4,
    0x1.745d1698e8599p-4, 0x1.3b13a946cc7c1p-4, 0x1.11146441c4a29p-4, 0x1.e137174b540e9p-5,
    0x1.b812f1423bc7ap-5, 0x1.4379d20a75152p-5, 0x1.31df5b2fbd8e2p-4
#endif
};

/* log1p(e) for e in [0, 1]: 2 atanh(e / (2 + e)), which needs no reduction. */
static inline pair log1p_pair(pair e)
{
    pair sum = fast_two_sum(SPLAT(2), e.hi);
    sum.lo = sum.lo + e.lo;
    pair z = pair_multiply(e, pair_reciprocal(sum));
    vec square = z.hi * z.hi;
    vec tail = vec_fma(z.hi * square, POLYNOMIAL(atanh_tail, square), z.lo);
    return pair_scale(fast_two_sum(z.hi, tail), SPLAT(2));
}

#if SUGAR_ELEMENT == 32
/* (log1p(e) - e) / e^2 for a small e */
static inline vec log1p_growth(vec e) { return vec_fma(SPLAT(1.0 / 3), e, SPLAT(-0.5)); }
#else
/* log1p(e) / 2 for e in [0, 1], as z + tail with a small tail; relative error about 0.3 u. */
static inline pair half_log1p(pair e)
{
    pair sum = fast_two_sum(SPLAT(2), e.hi);
    sum.lo = sum.lo + e.lo;
    vec r = SPLAT(1) / sum.hi, z = e.hi * r;
    vec z_lo = r * vec_fnma(z, sum.lo, vec_fnma(z, sum.hi, e.hi) + e.lo);
    vec square = z * z;
    return (pair){z, vec_fma(z * square, POLYNOMIAL(atanh_tail, square), z_lo)};
}

/* log1p(exp(y)) for y <= 0. */
static inline scaled log1p_exp_of_negative(pair y)
{
    scaled e = exp_of_negative(y);
    return (scaled){log1p_pair(e.value), e.scale};
}
#endif

/* ---- Normal distribution --------------------------------------------------------------------- */

#if SUGAR_ELEMENT == 32
/* a exp(a^2/2) Phi(-a) and 1/sqrt(2 pi) - exp(a^2/2) Phi(-a) / a for 6.4375 <= a <= 14.625 are NORMAL_TAIL_MIDDLE and
 * a polynomial in 1/a^2, less than a fortieth of it; relative errors 2^-28.6 and 2^-31.5. */
#define NORMAL_TAIL_MIDDLE 0x1.98p-2
static const real gelu_normal_tail[] = {
    0x1.089ed4p-11f, -0x1.987d1ap-2f, 0x1.311fcap+0f, -0x1.641d7p+2f, 0x1.7eeb7cp+4f
};
static const real gelu_slope_normal_tail[] = {
    0x1.08a584p-11f, -0x1.98836cp-2f, 0x1.97e3f8p-2f, -0x1.2540b6p+0f, 0x1.eca11p+1f
};
#else
/* Phi(-a) exp(a^2/2) (a + 4) = Q(w), w = (a - 4) / (a + 4): the idea of Shepherd and Laframboise,
 * "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x", Math. Comp. 36 (1981). Without the constant
 * term, which is a pair. Relative error 2^-58.6 for a <= 40. */
static const real mills_tail[] = {
    -0x1.373e3a893c28ap-1, 0x1.8c6dbf2cfc2b3p-2, -0x1.7dff2bff683a7p-3, 0x1.eec4cc3e4d478p-5,
    -0x1.ee27610480a6cp-8, -0x1.c81719d56e50cp-9, 0x1.ab825fc225d92p-10, 0x1.17a4ae4823239p-13,
    -0x1.e4a425ea29b0ep-13, -0x1.001e76f151d76p-19, 0x1.26d0a6bc78db3p-15, 0x1.80b475001a619p-21,
    -0x1.8d4cd4f222887p-18, -0x1.51ed649d31e65p-21, 0x1.1248a5b033335p-20, 0x1.2365c5968b60dp-22,
    -0x1.4ddd6a504ef8cp-23, -0x1.6d307b9db152ap-24, 0x1.de16ce8d0b6d7p-27, 0x1.4ee62d828aad6p-26,
    0x1.979c8e32f3d96p-30, -0x1.63243f67694c5p-29, -0x1.49ad25549b82ap-31, 0x1.99cfcc6fcb00cp-35
};
#define MILLS_CONSTANT PAIR(0x1.82b4bb8c94dcep-1, -0x1.a725a28a6016cp-56)
#define MILLS_LIMIT 40

/* Phi(-a) exp(a^2/2) for 0 <= a <= MILLS_LIMIT. The last two steps of Horner's rule are carried as
 * pairs, because the terms nearly cancel around a = 40 and have alternating signs near a = 0. */
static inline pair mills(vec a)
{
    pair r = pair_reciprocal(two_sum(a, SPLAT(4)));
    pair w = two_sum(SPLAT(1), SPLAT(-8) * r.hi);
    w.lo = vec_fnma(SPLAT(8), r.lo, w.lo);
    vec inner = polynomial(mills_tail + 1, DEGREE(mills_tail) - 1, w.hi);
    pair h = pair_add(pair_of(vec_splat(mills_tail[0])), pair_multiply(w, pair_of(inner)));
    return pair_multiply(pair_add(MILLS_CONSTANT, pair_multiply(w, h)), r);
}

/* The same with fewer pairs, for NORMAL_NEAR: the last two steps of the polynomial are compensated. */
static inline pair mills_near(vec a)
{
    vec t = a + SPLAT(4), t_lo = a - (t - SPLAT(4));
    vec r = SPLAT(1) / t;
    vec r_lo = r * vec_fnma(r, t_lo, vec_fnma(r, t, SPLAT(1)));
    pair w = two_sum(SPLAT(1), SPLAT(-8) * r);
    w.lo = vec_fnma(SPLAT(8), r_lo, w.lo);
    vec inner = polynomial(mills_tail + 1, DEGREE(mills_tail) - 1, w.hi), first = vec_splat(mills_tail[0]);
    vec h = vec_fma(w.hi, inner, first), h_lo = vec_fma(w.hi, inner, first - h);
    pair c = MILLS_CONSTANT;
    vec q = vec_fma(w.hi, h, c.hi);
    vec q_lo = vec_fma(w.hi, h, c.hi - q) + vec_fma(w.lo, vec_fma(w.hi, inner, h), vec_fma(w.hi, h_lo, c.lo));
    vec m = q * r;
    return (pair){m, vec_fma(q, r, -m) + vec_fma(q, r_lo, q_lo * r)};
}

/* Where x exp(-x^2/2) and its rounding errors are still normal. */
#define NORMAL_NEAR 36

/* factor exp(-a^2/2) as a pair. */
static inline pair times_density(pair factor, vec a)
{
    vec square = a * a, square_lo = vec_fma(a, a, -square);
    vec rounded, first = exp_argument(SPLAT(-0.5) * square, &rounded);
    pair r = fast_two_sum(first, SPLAT(-0.5) * square_lo);
    vec tail = vec_fma(r.hi * r.hi, POLYNOMIAL(exp_tail, r.hi), r.lo);
    vec lo = vec_fma(factor.lo, r.hi, factor.lo);
    vec rest = vec_fma(factor.hi, r.hi, vec_fma(factor.hi, tail, lo));
    return pair_scale(fast_two_sum(factor.hi, rest), vec_power_of_two(rounded));
}

/* a = |x|, but no more than MILLS_LIMIT, where every tail is 0; density = exp(-a^2/2);
 * mills = Phi(-a) exp(a^2/2). */
typedef struct { vec a; scaled density; pair mills; } normal;

static inline normal normal_of(vec x)
{
    vec a = vec_min(SPLAT(MILLS_LIMIT), vec_abs(x));
    return (normal){a, exp_of_negative(pair_scale(two_product(a, a), SPLAT(-0.5))), mills(a)};
}
#endif

/* ---- Tables ---------------------------------------------------------------------------------- */

/* In f32 the kinds that need it most have a third formula, before the near one: where typical inputs lie,
 * the function is eight polynomials whose coefficients a permutation fetches. It has no division and half
 * to a fifth of the multiplications, of which there are two per cycle. (AVX2, 32 Ki elements in cache, ns per
 * element before and after: gelu 1.44 and 0.60, gelu' 1.71 and 0.63, mish' 1.24 and 0.49, softplus 0.89 and
 * 0.35, sigmoid' 0.50 and 0.26, tanhshrink 1.40 and 0.39, tanhshrink' 1.14 and 0.31, gelu_tanh' 1.19 and 0.71.)
 * In f64, sixteen coefficients of eight entries each, with two permutations and a blend for each, would save
 * nothing.
 * Tried and lost: Phi(-a) itself in eight pieces without exp, because a piece in which the function falls to
 * a third multiplies the errors of its polynomial by three; a table for exp, because its product with the
 * rest costs the roundings that the budget has not; tanh' in these pieces, 3.2 ULP, because it falls like
 * exp(-2a); tanh by its addition theorem with three lookups, .310 ns and .286 as it is; mish's two tables by
 * Estrin's scheme, .495 and .475; sigmoid with p folded into the sum, .259 and .245. */
#if SUGAR_ELEMENT == 32
#include "kernels/math/tables.h"

/* A function of a in eight pieces: table[0] has the point c from which a piece is measured, table[1 + k]
 * the coefficients of (a - c)^k. The pieces' points were chosen such that the constant term is right to
 * 2^-30 or so. Returned as that term and the rest, which is smaller, with what its last rounding lost. */
typedef struct { vec constant, rest, lost; } piece;

typedef const real piece_table[][8];

/* Of one table, or of `below` where `negative`. */
static inline __attribute__((always_inline)) vec entry(const real *above, const real *below, mask negative, index i)
{
    vec e = vec_lookup(above, i);
    return above == below ? e : vec_select(negative, vec_lookup(below, i), e);
}

/* c[1] + c[2] r + ... + c[degree] r^(degree - 1). By Estrin's scheme as in polynomial(), but for the last steps, whose
 * roundings count; by Horner's rule where two tables are read, as permutations and blends are what is waited for
 * there. (f32, AVX2, ns per element by Horner's rule, by this, and with one such step less: tanh .292 .270 .262,
 * softplus .395 .381 .362, log_sigmoid .251 .247 .239; but with one less softplus(beta=1e-6) has 2.01 ULP, and without
 * any tanh 2.03. Coefficients that are all fetched before the first is used go through the stack: mish .57 for .53.) */
static inline __attribute__((always_inline)) vec piece_slope(piece_table above, piece_table below, mask negative,
                                                             int degree, vec r, index i)
{
#define COEFFICIENT(k) entry(above[1 + (k)], below[1 + (k)], negative, i)
    vec square = r * r, sum = COEFFICIENT(degree);
    int k = degree - 1;
    if (above == below) {
        if (degree % 2) {
            sum = vec_fma(sum, r, COEFFICIENT(k));
            k -= 1;
        }
        UNROLL
        for (; k > 3; k -= 2) sum = vec_fma(sum, square, vec_fma(COEFFICIENT(k), r, COEFFICIENT(k - 1)));
    }
    UNROLL
    for (; k > 0; k--) sum = vec_fma(sum, r, COEFFICIENT(k));
    return sum;
#undef COEFFICIENT
}

/* At the distance r from the point. */
static inline __attribute__((always_inline)) piece piece_at(piece_table above, piece_table below, mask negative,
                                                            int degree, vec r, index i)
{
    vec sum = piece_slope(above, below, negative, degree, r, i), rest = r * sum;
    return (piece){entry(above[1], below[1], negative, i), rest, vec_fma(r, sum, -rest)};
}

static inline __attribute__((always_inline)) piece piece_of_two(piece_table above, piece_table below,
                                                                mask negative, int degree, vec a, index i)
{
    return piece_at(above, below, negative, degree, a - entry(above[0], below[0], negative, i), i);
}

static inline __attribute__((always_inline)) piece piece_of(piece_table table, int degree, vec a, index i)
{
    return piece_of_two(table, table, vec_less(a, a), degree, a, i);
}

static inline __attribute__((always_inline)) piece piece_of_pair(piece_table table, int degree, pair a, index i)
{
    return piece_at(table, table, vec_less(a.hi, a.hi), degree, (a.hi - vec_lookup(table[0], i)) + a.lo, i);
}

/* The pieces for 0 <= a < 6.5: by the leading bits of 1 + 3 a / 6.5, four between 1 and 2 and four between
 * 2 and 4. Columns in the order of these bits. */
#define NORMAL_TABLE_LIMIT 6.4375
static inline index normal_index(vec a)
{
    return vec_index(vec_fma(a, SPLAT(3 / 6.5), SPLAT(1)), REAL_MANTISSA_BITS - 2);
}

/* The pieces around 0, 1, ..., 7, for 0 <= a < 7.5. */
#define UNIT_TABLE_LIMIT 7.4375
static inline index unit_index(vec a) { return vec_index(a + SPLAT(0x1.8p23), 0); }

/* With a table whose last piece is exp(-r), for all a: in lanes that are far, exp(-a) = (constant + rest + lost)
 * power scale. In the others the piece is piece_of's or piece_of_pair's, to the last bit. `minus_lo` is -a.lo.
 * (AVX2, x evenly in [-20, 20], ns per element with a second polynomial for the tail and in this way: silu' 1.01 and
 * .87, softplus .88 and .83. As a function that is called .90 and .90; so both are inlined, which costs typical inputs
 * nothing. Not so sigmoid' and log_sigmoid: .51 and .55, in this way and called .55 and .56, inlined .49 and .49, but
 * then typical inputs take 5 % longer. What these loops wait for is the length of the chain of operations: to load
 * whole vectors of constants instead of broadcasting them gains nothing.) */
#define EXP_PIECE_LIMIT 6.4375
typedef struct { piece at; mask far; vec power, scale, value; } piece_or_exp;

static inline __attribute__((always_inline)) piece_or_exp piece_or_exp_of(piece_table table, int degree, vec a,
                                                                        vec minus_lo)
{
    mask far = vec_less(SPLAT(EXP_PIECE_LIMIT), a);
    decay_parts d = decay_of(a);
    index i = unit_index(vec_select(far, SPLAT(7), a));
    vec r = vec_select(far, d.r, a - vec_lookup(table[0], i)) - vec_select(d.inner, minus_lo, SPLAT(0));
    piece at = piece_at(table, table, far, degree, r, i);
    vec lowered = d.power * d.scale;
    return (piece_or_exp){at, far, d.power, d.scale, vec_fma(lowered, at.rest, lowered)};
}

/* The pieces for 0 <= a < 9.6: by the leading bits of 1 + a / 0.64, two between 1 and 2, two between 2 and 4,
 * ... 16. Columns in the order of these bits. */
#define WIDE_TABLE_LIMIT 9.5
static inline index wide_index(vec a)
{
    return vec_index(vec_fma(a, SPLAT(1 / 0.64), SPLAT(1)), REAL_MANTISSA_BITS - 1);
}

/* f(a) power (1 + p) for the function f of a table, as the factors power and (constant + rest). */
typedef struct { vec power, constant, rest; } scaled_piece;

static inline __attribute__((always_inline)) scaled_piece table_times_exp(piece_table table, int degree, vec a,
                                                                          exp_parts e)
{
    piece f = piece_of(table, degree, a, normal_index(a));
    return (scaled_piece){e.power, f.constant, vec_fma(f.constant + f.rest, e.p, f.rest)};
}

/* f(a) exp(-a^2/2). */
static inline __attribute__((always_inline)) scaled_piece table_times_density(piece_table table, vec a)
{
    return table_times_exp(table, 6, a, exp_near_half_square(a));
}
/* ---- Tables with a parameter ----------------------------------------------------------------- */

/* A sum of two functions, of which one has a factor that is the same for a whole call: the sum of their tables,
 * coefficient by coefficient. It depends on nothing but the factor, so compilers move it out of the loop and into
 * memory, from where permutations read. The pieces are those around -8, ..., 7, so that x's sign makes no
 * difference. table[0] and table[1] are the constant terms and their low parts, table[1 + k] the coefficients of the
 * kth power. (bsilu and bsilu' by one division each: .64 and .67 ns per element, and .48 and .45 in this way, AVX2;
 * .32, .35, .14 and .14 with AVX-512. Without the first coefficient's low part .44 and .41, and up to 1.92 ULP
 * instead of 1.11 for an alpha that rounds badly.) */
typedef const real signed_table[][16];
#define SIGNED_TABLE_LIMIT 7.4375

typedef vec (*entry_sum)(const real *a, const real *b, size_t k, vec factor);

/* The tables' entries k, ... of a row. */
static inline vec coefficient_sum(const real *a, const real *b, size_t k, vec factor)
{
    return vec_fma(factor, vec_load(b + k), vec_load(a + k));
}

static inline vec coefficient_sum_lost(const real *a, const real *b, size_t k, vec factor)
{
    pair product = two_product(factor, vec_load(b + k)), sum = two_sum(vec_load(a + k), product.hi);
    return (sum.hi - coefficient_sum(a, b, k, factor)) + (sum.lo + product.lo);
}

/* Here a row is followed by its low parts. */
static inline vec constant_sum_lo(const real *a, const real *b, size_t k, vec factor)
{
    return coefficient_sum_lost(a, b, k, factor) + coefficient_sum(a + 16, b + 16, k, factor);
}

/* The sum at i. */
static inline __attribute__((always_inline)) vec sum_at(entry_sum sum, const real *a, const real *b, vec factor,
                                                        index i)
{
    vec row[VEC_ROW];
    UNROLL
    for (size_t k = 0; k < VEC_ROW; k++) row[k] = sum(a, b, vec_row_start(i) + k * VEC_LANES, factor);
    return vec_lookup16(row, i);
}

/* a(x) + factor b(x) for |x| <= SIGNED_TABLE_LIMIT. */
static inline __attribute__((always_inline)) vec sum_of_tables(signed_table a, signed_table b, int degree,
                                                               vec factor, vec x)
{
    vec rounder = SPLAT(0x1.8p23), rounded = x + rounder, r = x - (rounded - rounder);
    index i = vec_index16(rounded);
    vec sum = sum_at(coefficient_sum, a[1 + degree], b[1 + degree], factor, i);
    UNROLL
    for (int k = degree - 1; k > 1; k--)
        sum = vec_fma(sum, r, sum_at(coefficient_sum, a[1 + k], b[1 + k], factor, i));
    /* Where the constant is 0, the first coefficient decides the error: what its rounding lost counts. */
    vec rest = vec_fma(sum, r, sum_at(coefficient_sum_lost, a[2], b[2], factor, i));
    rest = vec_fma(rest, r, sum_at(constant_sum_lo, a[0], b[0], factor, i));
    rest = vec_fma(sum_at(coefficient_sum, a[2], b[2], factor, i), r, rest);
    return sum_at(coefficient_sum, a[0], b[0], factor, i) + rest;
}

#endif

/* ---- Hyperbolic tangent ---------------------------------------------------------------------- */

/* tanh(|x|) = -E / (2 + E), E = expm1(-2|x|): accurate relative to x. */
static inline pair tanh_of_abs(vec x)
{
    pair e = expm1_of_negative(pair_of(SPLAT(-2) * vec_abs(x)));
    pair sum = fast_two_sum(SPLAT(2), e.hi);
    sum.lo = sum.lo + e.lo;
    return pair_negate(pair_multiply(e, pair_reciprocal(sum)));
}

#if SUGAR_ELEMENT == 64
/* tanh(x) = x + x^3 Q(x^2) on |x| <= 0.8; relative error 2^-59. */
static const real tanh_tail[] = {
    -0x1.5555555555555p-2, 0x1.111111111106ap-3, -0x1.ba1ba1ba0fc49p-5, 0x1.664f487fa81efp-6,
    -0x1.226e34ea7e9a9p-7, 0x1.d6d3bbbd988d7p-9, -0x1.7da21bf73339dp-10, 0x1.354a56176724p-11,
    -0x1.f4aa664bcaa85p-13, 0x1.91f5fcee21b7ep-14, -0x1.37890b426b291p-15, 0x1.b04026942cc4bp-17,
    -0x1.c966e535b2203p-19, 0x1.0562988d74f4bp-21
};
#endif

/* x - tanh(x) = x^3 (1/3 + x^2 Q(x^2)) on |x| <= 1; relative error 2^-30 (f32), 2^-57 (f64). */
static const real tanhshrink_tail[] = {
#if SUGAR_ELEMENT == 32
    -0x1.11111p-3f, 0x1.ba1ae2p-5f, -0x1.663b38p-6f, 0x1.217704p-7f, -0x1.c9d41p-9f,
    0x1.49c27p-10f, -0x1.6b7d96p-12f, 0x1.a807eap-15f
#else
    -0x1.1111111111111p-3, 0x1.ba1ba1ba1b99bp-5, -0x1.664f4882bbb19p-6, 0x1.226e355cfd7d2p-7,
    -0x1.d6d3d07a10e08p-9, 0x1.7da35b7e01866p-10, -0x1.3557a50f96d39p-11, 0x1.f5737bcf3e37ap-13,
    -0x1.96362110656a3p-14, 0x1.47ffeb2e40171p-15, -0x1.052d80c3e4fb3p-16, 0x1.8de46440953c7p-18,
    -0x1.1044f31c1d656p-19, 0x1.2dfdf074b0f1ep-21, -0x1.ced8bfaf4cad3p-24, 0x1.631c04148fd0dp-27
#endif
};

static inline pair tanhshrink_near_zero(vec x)
{
    pair square = two_product(x, x);
    vec tail = POLYNOMIAL(tanhshrink_tail, square.hi);
    pair series = pair_add(PAIR(0x1.5555555555555p-2, 0x1.5555555555555p-56), two_product(square.hi, tail));
    return pair_multiply(pair_multiply(square, pair_of(x)), series);
}
