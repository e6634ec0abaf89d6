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
 * Coefficients come from coefficients.sollya, tables from tables.py. */

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

/* The last rounding of a formula that is a straight line next to 0 or elsewhere: y is the exact result rounded,
 * and `rest` has the sign of what that left over. For elements that are shorter than `real` this is the last but
 * one, and what is left over is kept in the last bit (rounding to odd: Boldo and Melquiond, "Emulation of a FMA and
 * correctly-rounded sums", IEEE Transactions on Computers 57(4), 2008), as it decides what the last rounding makes
 * of y in the middle between two elements. A line has many results there: rrelu rounds 2 % of all f16 wrongly
 * without it, elu(alpha=3) 3 % of all bf16. A curve has next to none and is spared seven operations (tanh': 0.93
 * ns per f16 with them, 0.64 without, AVX2). */
static inline vec last_rounding(vec y, vec rest)
{
#if SUGAR_NARROWS
    return vec_to_odd(y, rest);
#else
    (void)rest;
    return y;
#endif
}

/* a b as the last step of a formula. */
static inline vec product_round(vec a, vec b)
{
    vec product = a * b;
    return last_rounding(product, vec_fma(a, b, -product));
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
/* exp(x) = value = raised * scale beyond tables, where it is small enough for short series to replace divisions.
 * `raised` is wrong by 0.6 u, and a normal number wherever a result is not 0; `value` may be subnormal. */
typedef struct { pair raised; vec scale, value; } small_exp;

static inline small_exp exp_of_tail(pair x)
{
    mask zero = vec_less(x.hi, SPLAT(-EXP_LIMIT));
    x = pair_select(zero, pair_of(SPLAT(-EXP_OF_ZERO)), x);
    vec rounded, r = exp_argument(x.hi, &rounded);
    pair raised = exp_pair(exp_parts_of(rounded + SPLAT(EXP_SHIFT), r + x.lo));
    vec scale = vec_select(zero, SPLAT(0), SPLAT(EXP_SCALE));
    return (small_exp){raised, scale, raised.hi * scale};
}

/* a (1 + q) for a small q. */
static inline pair grown(pair a, vec q) { return (pair){a.hi, vec_fma(a.hi, q, a.lo)}; }
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

#if SUGAR_ELEMENT == 32
/* e - e^2/2 + e^3/3 */
static inline scaled log1p_exp_of_tail(pair y)
{
    small_exp e = exp_of_tail(y);
    return (scaled){grown(e.raised, e.value * vec_fma(SPLAT(1.0 / 3), e.value, SPLAT(-0.5))), e.scale};
}
#else
/* atanh(z) = z + z^3 Q(z^2) on 0 <= z <= 1/3; relative error 2^-61.8. */
static const real atanh_tail[] = {
    0x1.5555555555555p-2, 0x1.9999999999b17p-3, 0x1.249249248395bp-3, 0x1.c71c71ce663dap-4,
    0x1.745d1698e8599p-4, 0x1.3b13a946cc7c1p-4, 0x1.11146441c4a29p-4, 0x1.e137174b540e9p-5,
    0x1.b812f1423bc7ap-5, 0x1.4379d20a75152p-5, 0x1.31df5b2fbd8e2p-4
};

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

/* log1p(exp(y)) for y <= 0: log1p(e) = 2 atanh(e / (2 + e)), which needs no reduction. */
static inline scaled log1p_exp_of_negative(pair y)
{
    scaled e = exp_of_negative(y);
    pair sum = fast_two_sum(SPLAT(2), e.value.hi);
    sum.lo = sum.lo + e.value.lo;
    pair z = pair_multiply(e.value, pair_reciprocal(sum));
    vec square = z.hi * z.hi;
    vec tail = vec_fma(z.hi * square, POLYNOMIAL(atanh_tail, square), z.lo);
    return (scaled){pair_scale(fast_two_sum(z.hi, tail), SPLAT(2)), e.scale};
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
 * exp(-2a). */
#if SUGAR_ELEMENT == 32
/* A function of a in eight pieces: table[0] has the point c from which a piece is measured, table[1 + k]
 * the coefficients of (a - c)^k. The pieces' points were chosen such that the constant term is right to
 * 2^-30 or so. Returned as that term and the rest, which is
 * smaller, with what its last rounding lost. */
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

/* Phi(-a) exp(a^2/2), relative error 2^-25.4. */
static const real mills_table[][8] = {
    {0x1.600cp+1f, 0x1.e454p+1f, 0x1.3778p+2f, 0x1.7decp+2f,
     0x0p+0f, 0x1.87ap-1f, 0x1.6b98p+0f, 0x1.f0bp+0f},
    {0x1.0bb1d6p-3f, 0x1.967d76p-4f, 0x1.431672p-4f, 0x1.0ab55ap-4f,
     0x1p-1f, 0x1.30cea8p-2f, 0x1.b4a594p-3f, 0x1.601e14p-3f},
    {-0x1.431a14p-5f, -0x1.7ff098p-6f, -0x1.ed938ap-7f, -0x1.53d1a4p-7f,
     -0x1.988432p-2f, -0x1.5ebe84p-3f, -0x1.89bd36p-4f, -0x1.0bb896p-4f},
    {0x1.6c437cp-7f, 0x1.5a687p-8f, 0x1.6d3a64p-9f, 0x1.a726eap-10f,
     0x1.fff6fap-3f, 0x1.555502p-4f, 0x1.3a1234p-5f, 0x1.719dp-6f},
    {-0x1.834fc8p-9f, -0x1.2bfb8p-10f, -0x1.0672fap-11f, -0x1.01d4e6p-12f,
     -0x1.0fed8ap-3f, -0x1.25982p-5f, -0x1.c736ecp-7f, -0x1.d7afaap-8f},
    {0x1.87112ap-11f, 0x1.f4d596p-13f, 0x1.6f2abcp-14f, 0x1.33db78p-15f,
     0x1.f6bcd4p-5f, 0x1.ca77aap-7f, 0x1.309a8cp-8f, 0x1.197e4ep-9f},
    {-0x1.8431bep-13f, -0x1.9c1812p-15f, -0x1.fbd65cp-17f, -0x1.6c466ep-18f,
     -0x1.7df582p-6f, -0x1.4c818p-8f, -0x1.7e919ap-10f, -0x1.3f0aaap-11f},
    {0x1.7a69dp-15f, 0x1.3ed212p-17f, 0x1.4e16ap-19f, 0x1.a68e48p-21f,
     0x1.60e2f8p-8f, 0x1.95734ep-10f, 0x1.0456fp-11f, 0x1.76050ep-13f}
};

/* Phi(-a) exp(a^2/2) - a / sqrt(2 pi), relative error 2^-26; one point is its root. */
static const real gelu_slope_table[][8] = {
    {0x1.54b4p+1f, 0x1.dfcp+1f, 0x1.3bb4p+2f, 0x1.7f5p+2f,
     0x0p+0f, 0x1.80ead2p-1f, 0x1.4f98p+0f, 0x1.e02p+0f},
    {-0x1.daeca8p-1f, -0x1.6529c6p+0f, -0x1.e3d92ep+0f, -0x1.298882p+1f,
     0x1p-1f, -0x1.dc87p-28f, -0x1.31f394p-2f, -0x1.24d72ap-1f},
    {-0x1.c2feeap-2f, -0x1.b0e7a4p-2f, -0x1.a791fap-2f, -0x1.a31094p-2f,
     -0x1.98843cp-1f, -0x1.25126cp-1f, -0x1.0209bep-1f, -0x1.de88p-2f},
    {0x1.8734aap-7f, 0x1.6293acp-8f, 0x1.608004p-9f, 0x1.a2fa1ap-10f,
     0x1.fff488p-3f, 0x1.5b2954p-4f, 0x1.624fa8p-5f, 0x1.89698p-6f},
    {-0x1.a7eebep-9f, -0x1.352438p-10f, -0x1.f53e9p-12f, -0x1.fd0d68p-13f,
     -0x1.0fda1ep-3f, -0x1.2bac82p-5f, -0x1.07ff66p-6f, -0x1.fde086p-8f},
    {0x1.b46d56p-11f, 0x1.03d8aap-12f, 0x1.5b1676p-14f, 0x1.2efb0ap-15f,
     0x1.f5aa9ap-5f, 0x1.d56b2p-7f, 0x1.6ab94ap-8f, 0x1.34dccap-9f},
    {-0x1.b7bf7ep-13f, -0x1.aa4618p-15f, -0x1.de8114p-17f, -0x1.63525ap-18f,
     -0x1.7a7ccep-6f, -0x1.5454aap-8f, -0x1.d3e08p-10f, -0x1.607884p-11f},
    {0x1.8a79dcp-15f, 0x1.38b28ep-17f, 0x1.374cep-19f, 0x1.abep-21f,
     0x1.587406p-8f, 0x1.98400ep-10f, 0x1.05b49cp-11f, 0x1.61c48ap-13f}
};

/* The derivative of gelu_tanh at -a, over exp(-2u(a)), relative error 2^-26; one point is its root. */
static const real gelu_tanh_slope_table[][8] = {
    {0x1.4ap+1f, 0x1.c93p+1f, 0x1.2c1ep+2f, 0x1.74e4p+2f,
     0x0p+0f, 0x1.8142ap-1f, 0x1.4ddp+0f, 0x1.db18p+0f},
    {-0x1.ad9decp+2f, -0x1.ce67fap+3f, -0x1.c8e8f6p+4f, -0x1.951978p+5f,
     0x1p-1f, -0x1.1f3192p-26f, -0x1.2ee892p+0f, -0x1.8ba27p+1f},
    {-0x1.8110eap+2f, -0x1.39b0d6p+3f, -0x1.f6f6a8p+3f, -0x1.765798p+4f,
     0x1.e51152p-24f, -0x1.79651cp+0f, -0x1.67f3b6p+1f, -0x1.065a48p+2f},
    {-0x1.892fc4p+0f, -0x1.22abap+1f, -0x1.816cccp+1f, -0x1.deef8ap+1f,
     -0x1.45f3acp-1f, -0x1.342ea8p+0f, -0x1.2fb38p+0f, -0x1.2e161p+0f},
    {-0x1.e07162p-3f, -0x1.e03f9p-3f, -0x1.b77e26p-3f, -0x1.b66f54p-3f,
     -0x1.7f38p-2f, -0x1.3cfa76p-4f, 0x1.9eb0ap-5f, -0x1.16c11ep-4f},
    {-0x1.bedc1p-6f, 0x1.44b36cp-7f, 0x1.3baf1cp-11f, 0x1.6194e4p-18f,
     0x1.53701ep-6f, 0x1.dc3544p-4f, -0x1.2948bp-7f, -0x1.3ac23ep-4f},
    {0x1.222c12p-6f, -0x1.56baa6p-10f, -0x1.17b074p-11f, 0x1.df067ap-15f,
     0x1.02659cp-4f, -0x1.b863c8p-6f, -0x1.7c545ep-5f, -0x1.3a2a48p-10f},
    {-0x1.08aaeep-9f, -0x1.48bc72p-10f, 0x1.7e331ep-12f, -0x1.2faccep-15f,
     -0x1.6c21bep-8f, -0x1.5bfb4ap-6f, 0x1.1e4716p-7f, 0x1.94e974p-7f},
    {-0x1.241798p-10f, 0x1.2d907p-11f, -0x1.10b7p-13f, -0x1.e2775cp-16f,
     -0x1.cbc2b4p-8f, 0x1.c30c3ep-8f, 0x1.92857ap-8f, -0x1.f340cep-9f}
};

/* The pieces around 0, 1, ..., 7, for 0 <= a < 7.5. */
#define UNIT_TABLE_LIMIT 7.4375
static inline index unit_index(vec a) { return vec_index(a + SPLAT(0x1.8p23), 0); }

/* s(-a) (1 - a s(a)), relative error 2^-24.6; one point is its root. */
static const real silu_slope_table[][8] = {
    {0x0p+0f, 0x1.474974p+0f, 0x1.021cp+1f, 0x1.7e54p+1f,
     0x1.01fap+2f, 0x1.42dp+2f, 0x1.832ep+2f, 0x1.c34p+2f},
    {0x1p-1f, -0x1.848b9ep-29f, -0x1.772452p-4f, -0x1.6a985cp-4f,
     -0x1.a72e88p-5f, -0x1.a51b3p-6f, -0x1.844234p-7f, -0x1.570d94p-8f},
    {-0x1p-1f, -0x1.be141p-3f, -0x1.846edp-5f, 0x1.062b26p-5f,
     0x1.097938p-5f, 0x1.36bd24p-6f, 0x1.35538ap-7f, 0x1.1db4bap-8f},
    {0x1.98f578p-23f, 0x1.2c562ap-3f, 0x1.45869ep-4f, 0x1.9797d8p-7f,
     -0x1.9502dap-8f, -0x1.8a3188p-8f, -0x1.ca3f7ep-9f, -0x1.c7d3dp-10f},
    {0x1.55505cp-4f, -0x1.353ec4p-6f, -0x1.0b51dap-5f, -0x1.a46b38p-7f,
     -0x1.75850ap-10f, 0x1.a224f2p-11f, 0x1.875fa6p-11f, 0x1.c38c64p-12f},
    {0x1.7243a8p-15f, -0x1.f2b012p-7f, 0x1.9764dep-9f, 0x1.2bc918p-8f,
     0x1.448928p-10f, 0x1.f890d6p-14f, -0x1.44ba18p-14f, -0x1.23ac86p-14f},
    {-0x1.a01eecp-7f, 0x1.b1867cp-8f, 0x1.42d4aep-9f, -0x1.84cb6p-11f,
     -0x1.a7667p-12f, -0x1.8116bcp-14f, -0x1.037d9ap-17f, 0x1.938202p-18f},
    {0x1.dac38cp-12f, 0x1.6eb342p-14f, -0x1.266f96p-10f, -0x1.529b9ap-14f,
     0x1.474308p-14f, 0x1.c73c44p-16f, 0x1.7837e2p-18f, 0x1.c874fep-22f},
    {0x1.458aa6p-10f, -0x1.f77e38p-11f, 0x1.d42d46p-14f, 0x1.3e437cp-14f,
     -0x1.a25454p-18f, -0x1.75b738p-18f, -0x1.98bb9ep-20f, -0x1.6ef168p-22f}
};

/* s(a) s(-a), relative error 2^-25.3. */
static const real logistic_slope_table[][8] = {
    {0x0p+0f, 0x1.f95p-1f, 0x1.068cp+1f, 0x1.85dp+1f,
     0x1.f9a8p+1f, 0x1.3c86p+2f, 0x1.83a6p+2f, 0x1.bdf2p+2f},
    {0x1p-2f, 0x1.9515dep-3f, 0x1.9d82f4p-4f, 0x1.6326bap-5f,
     0x1.2f88c2p-6f, 0x1.cbaa4ap-8f, 0x1.3175bp-9f, 0x1.ecc218p-11f},
    {0x1.a632e2p-29f, -0x1.723858p-4f, -0x1.3f488ep-4f, -0x1.42e464p-5f,
     -0x1.24123p-6f, -0x1.c52bd2p-8f, -0x1.30085cp-9f, -0x1.ebd4cp-11f},
    {-0x1.00002ap-4f, -0x1.2ea474p-6f, 0x1.46125cp-6f, 0x1.06c4ecp-6f,
     0x1.0dcb46p-7f, 0x1.b8521ep-9f, 0x1.2d3042p-10f, 0x1.e9fabep-12f},
    {0x1.6bc16ep-19f, 0x1.52ff1p-6f, 0x1.680d7ap-9f, -0x1.9d17e2p-9f,
     -0x1.2edac6p-9f, -0x1.14b044p-10f, -0x1.8a0a34p-12f, -0x1.44307cp-13f},
    {0x1.54992cp-7f, -0x1.01429ap-9f, -0x1.bc66dep-9f, -0x1.1c9a9ep-13f,
     0x1.88f492p-12f, 0x1.e791dcp-13f, 0x1.7b1304p-14f, 0x1.3f458ap-15f},
    {0x1.a4d79p-14f, -0x1.3c9d64p-9f, 0x1.da3606p-11f, 0x1.3e86d6p-12f,
     -0x1.a4e55ep-20f, -0x1.1fe69ep-15f, -0x1.17a34ap-16f, -0x1.ef3c4ep-18f},
    {-0x1.c48ec4p-10f, 0x1.770ep-11f, 0x1.662abcp-15f, -0x1.ae6922p-14f,
     -0x1.5e27a6p-16f, 0x1.e47d92p-20f, 0x1.363eb4p-19f, 0x1.36e49ap-20f},
    {0x1.5e57fap-12f, 0x1.fdbdcap-14f, -0x1.b48daap-14f, 0x1.05ceep-16f,
     0x1.c0ec4p-18f, 0x1.2e11cep-21f, -0x1.a0cb08p-23f, -0x1.2dfebep-23f}
};

/* log1p(exp(-a)), relative error 2^-28. */
static const real softplus_table[][8] = {
    {0x0p+0f, 0x1.eb3p-1f, 0x1.f438p+0f, 0x1.794cp+1f,
     0x1.fbdcp+1f, 0x1.3e6ep+2f, 0x1.80bcp+2f, 0x1.c2dap+2f},
    {0x1.62e43p-1f, 0x1.4c245cp-2f, 0x1.0f69fp-3f, 0x1.a2e38cp-5f,
     0x1.330ddap-6f, 0x1.c2fdccp-8f, 0x1.40cb9ep-9f, 0x1.c90e36p-11f},
    {-0x1.000004p-1f, -0x1.1ba80cp-2f, -0x1.fc6558p-4f, -0x1.985cp-5f,
     -0x1.3031dap-6f, -0x1.c17174p-8f, -0x1.406734p-9f, -0x1.c8db3ap-11f},
    {0x1.00013cp-3f, 0x1.9a29a2p-4f, 0x1.bd4b34p-5f, 0x1.8400d2p-6f,
     0x1.2a8bfep-7f, 0x1.be5c66p-9f, 0x1.3f9eb4p-10f, 0x1.c87554p-12f},
    {-0x1.64c318p-16f, -0x1.e7cc9cp-7f, -0x1.be5612p-7f, -0x1.d1c33p-8f,
     -0x1.7f480cp-9f, -0x1.257e24p-10f, -0x1.a81336p-12f, -0x1.2fc652p-13f},
    {-0x1.4eb9a4p-8f, -0x1.b9486ep-10f, 0x1.9cdcfcp-10f, 0x1.7257b8p-10f,
     0x1.628de8p-11f, 0x1.1d6926p-12f, 0x1.a3e9e2p-14f, 0x1.2eb43p-15f},
    {-0x1.12192ap-12f, 0x1.116e98p-10f, 0x1.b229ap-13f, -0x1.4104c4p-13f,
     -0x1.df131ep-14f, -0x1.af29b6p-15f, -0x1.497b68p-16f, -0x1.e1046ep-18f},
    {0x1.70e142p-11f, -0x1.9afc1ap-15f, -0x1.093c82p-13f, -0x1.687e3cp-17f,
     0x1.9d59f2p-17f, 0x1.fdd07ap-18f, 0x1.a84c04p-19f, 0x1.3eb33ep-20f},
    {-0x1.c1ac4ep-13f, -0x1.cf920cp-15f, 0x1.5e61a2p-16f, 0x1.08d262p-17f,
     -0x1.06dcbep-23f, -0x1.b59cc6p-21f, -0x1.a7f51ep-22f, -0x1.5febdcp-23f}
};

/* tanh(a), relative error 2^-24.9. */
static const real tanh_table[][8] = {
    {0x0p+0f, 0x1.011p+0f, 0x1.0544p+1f, 0x1.799cp+1f,
     0x1.0334p+2f, 0x1.3f52p+2f, 0x1.7f42p+2f, 0x1.bdaep+2f},
    {0x0p+0f, 0x1.86d36ap-1f, 0x1.ef033ep-1f, 0x1.fd33fp-1f,
     0x1.ffb076p-1f, 0x1.fff3d8p-1f, 0x1.fffe5ap-1f, 0x1.ffffc4p-1f},
    {0x1p+0f, 0x1.ab5712p-2f, 0x1.0b49dep-4f, 0x1.650da4p-7f,
     0x1.3e0f48p-10f, 0x1.84fb56p-13f, 0x1.a60064p-16f, 0x1.dffe44p-19f},
    {0x1.e5bdp-24f, -0x1.4633b6p-2f, -0x1.026bb2p-4f, -0x1.631a4cp-7f,
     -0x1.3ddd96p-10f, -0x1.84f14p-13f, -0x1.a616fcp-16f, -0x1.dfe2f2p-19f},
    {-0x1.5556f4p-2f, 0x1.aa4bf4p-4f, 0x1.417e0ep-5f, 0x1.d449e6p-8f,
     0x1.a74eb6p-11f, 0x1.034072p-13f, 0x1.194cb4p-16f, 0x1.401338p-19f},
    {0x1.ecb47ep-14f, 0x1.b62b78p-6f, -0x1.150e96p-6f, -0x1.c9fd58p-9f,
     -0x1.a6592cp-12f, -0x1.033fb8p-14f, -0x1.169e42p-17f, -0x1.42f30cp-20f},
    {0x1.0ed5dcp-3f, -0x1.79df3cp-5f, 0x1.36428p-8f, 0x1.5e221cp-10f,
     0x1.50234ap-13f, 0x1.9e0d8cp-16f, 0x1.c3c5bap-19f, 0x1.f9d8f8p-22f},
    {0x1.6f3938p-8f, 0x1.38542p-6f, -0x1.72e9e2p-12f, -0x1.a8011p-12f,
     -0x1.b88ebcp-15f, -0x1.0fbb8ep-17f, -0x1.9e170cp-20f, -0x1.b66e9ap-24f},
    {-0x1.215bap-4f, 0x1.f70104p-9f, -0x1.3a7738p-11f, 0x1.7f308ep-14f,
     0x1.f9cd12p-17f, 0x1.453ad2p-19f, 0x1.3786f8p-22f, 0x1.06d1c4p-24f},
    {0x1.c90262p-6f, -0x1.c0339ap-8f, 0x1.d206f4p-12f, -0x1.77285ap-17f,
     -0x1.26a58cp-18f, -0x1.afaec6p-21f, 0x1.68d9f4p-21f, -0x1.dcfe8p-24f}
};

/* The pieces for 0 <= a < 9.6: by the leading bits of 1 + a / 0.64, two between 1 and 2, two between 2 and 4,
 * ... 16. Columns in the order of these bits. */
#define WIDE_TABLE_LIMIT 9.5
static inline index wide_index(vec a)
{
    return vec_index(vec_fma(a, SPLAT(1 / 0.64), SPLAT(1)), REAL_MANTISSA_BITS - 1);
}

/* tanh(a)^2, relative error 2^-25.5. */
static const real tanh_squared_table[][8] = {
    {0x1.c91p-1f, 0x1.8ac8p+0f, 0x1.3dbp+1f, 0x1.df3p+1f,
     0x1.69f6p+2f, 0x1.0699p+3f, 0x0p+0f, 0x1.d42p-2f},
    {0x1.041586p-1f, 0x1.aa4beep-1f, 0x1.f1e40ap-1f, 0x1.fedaa6p-1f,
     0x1.fff996p-1f, 0x1.fffff6p-1f, 0x0p+0f, 0x1.76be0ep-3f},
    {0x1.6717eep-1f, 0x1.38cf0ep-2f, 0x1.bd3b3ap-5f, 0x1.2505e8p-8f,
     0x1.9a6e0cp-14f, 0x1.3ff7f2p-21f, 0x0p+0f, 0x1.65e09cp-1f},
    {-0x1.07f8eap-2f, -0x1.00bd16p-2f, -0x1.b0d40ap-5f, -0x1.245dfep-8f,
     -0x1.9a8f4cp-14f, -0x1.40217cp-21f, 0x1p+0f, 0x1.795edep-2f},
    {-0x1.c7e096p-3f, 0x1.9f4678p-4f, 0x1.104288p-5f, 0x1.841382p-9f,
     0x1.121fcep-14f, 0x1.ab6a24p-22f, 0x0p+0f, -0x1.5a3368p-1f},
    {0x1.25b656p-2f, 0x1.4b7beap-8f, -0x1.e1489ep-7f, -0x1.808d5ep-10f,
     -0x1.10d714p-15f, -0x1.a910aap-23f, -0x1.5552a2p-1f, 0x1.0e77a2p-4f},
    {-0x1.653bc8p-4f, -0x1.261702p-5f, 0x1.207fcap-8f, 0x1.2e02b4p-11f,
     0x1.ac2a8cp-17f, 0x1.4e5a06p-24f, -0x1.4452a6p-11f, 0x1.672286p-2f},
    {-0x1.115f3ep-4f, 0x1.9cdac6p-6f, -0x1.f193f6p-12f, -0x1.856e14p-13f,
     -0x1.2920b6p-18f, -0x1.d3867ap-26f, 0x1.899f44p-2f, -0x1.6516d4p-3f},
    {0x1.36791cp-4f, -0x1.05e006p-7f, -0x1.dc57a4p-12f, 0x1.a0c31p-15f,
     0x1.8dc2a4p-20f, 0x1.361cb4p-27f, -0x1.014beep-5f, -0x1.ac90dap-4f},
    {-0x1.8f2a1p-6f, -0x1.bdaaaep-13f, 0x1.1107c8p-12f, -0x1.313422p-17f,
     -0x1.466704p-22f, -0x1.eef912p-30f, -0x1.1857f4p-3f, 0x1.d445ccp-4f}
};

/* (a - tanh(a)) / a^3, relative error 2^-24.8. */
static const real tanhshrink_table[][8] = {
    {0x1.e3dp-1f, 0x1.85e8p+0f, 0x1.3d4cp+1f, 0x1.da5p+1f,
     0x1.64acp+2f, 0x1.0671p+3f, 0x0p+0f, 0x1.d6ap-2f},
    {0x1.f78cbcp-3f, 0x1.63d0aap-3f, 0x1.916d2ep-4f, 0x1.b3ca7ep-5f,
     0x1.b0de9ap-6f, 0x1.abc5e2p-7f, 0x1.555556p-2f, 0x1.3ac3dap-2f},
    {-0x1.1687fap-3f, -0x1.bb4c54p-4f, -0x1.c0bd24p-5f, -0x1.80676ap-6f,
     -0x1.14bb8cp-7f, -0x1.844d34p-9f, -0x1.6c4a58p-20f, -0x1.aa0be2p-4f},
    {0x1.1df4f6p-8f, 0x1.0f0c7ep-5f, 0x1.4b9fb6p-6f, 0x1.e64182p-8f,
     0x1.056b88p-9f, 0x1.06e206p-11f, -0x1.10f356p-3f, -0x1.3d8498p-4f},
    {0x1.362434p-5f, 0x1.741a5ep-10f, -0x1.5e9516p-8f, -0x1.00a10cp-9f,
     -0x1.aeb808p-12f, -0x1.3a587ep-14f, -0x1.1bb878p-10f, 0x1.0b8c46p-4f},
    {-0x1.728ad4p-6f, -0x1.002254p-7f, 0x1.82a16cp-11f, 0x1.ce504p-12f,
     0x1.4474c2p-14f, 0x1.5dabp-17f, 0x1.0a49dp-4f, 0x1.a84238p-8f},
    {0x1.7c60cep-10f, 0x1.329ee6p-8f, 0x1.9d060ep-13f, -0x1.54b8b2p-14f,
     -0x1.c6172ap-17f, -0x1.719816p-20f, -0x1.06f74cp-4f, -0x1.b2fc34p-6f},
    {0x1.821b44p-8f, -0x1.5cf2f4p-10f, -0x1.a910d2p-13f, 0x1.4839dep-17f,
     0x1.2a150ep-19f, 0x1.792b2ap-23f, 0x1.878b5ep-3f, 0x1.a47134p-8f},
    {-0x1.d486bp-9f, -0x1.bf4f84p-14f, 0x1.90b754p-14f, 0x1.6a105ep-21f,
     -0x1.6c59c8p-22f, -0x1.857cfep-26f, -0x1.8070d2p-2f, 0x1.a1ab74p-8f},
    {0x1.8be07ep-12f, 0x1.ba0d3p-13f, -0x1.a1dafp-16f, -0x1.4e3ba6p-21f,
     0x1.3bcc04p-25f, 0x1.5729dcp-29f, 0x1.1f870ep-2f, 0x1.c97a9ep-10f}
};

/* tanh(log1p(exp(a))) and tanh(log1p(exp(-a))), relative error 2^-28. */
static const real mish_above_table[][8] = {
    {-0x1.9p-7f, 0x1.f3ap-1f, 0x1.f698p+0f, 0x1.83f4p+1f,
     0x1.ff14p+1f, 0x1.430ep+2f, 0x1.802ep+2f, 0x1.bfd4p+2f},
    {0x1.3132e6p-1f, 0x1.b8a07p-1f, 0x1.f0b5eep-1f, 0x1.fdd546p-1f,
     0x1.ffaa04p-1f, 0x1.fff552p-1f, 0x1.fffe68p-1f, 0x1.ffffc8p-1f},
    {0x1.480f1ap-2f, 0x1.81caap-3f, 0x1.a69e3p-5f, 0x1.0807e4p-7f,
     0x1.5198c2p-10f, 0x1.538dfep-13f, 0x1.96fde4p-16f, 0x1.bf9936p-19f},
    {-0x1.d53dd6p-7f, -0x1.78ab04p-4f, -0x1.4d8174p-5f, -0x1.e9742cp-8f,
     -0x1.4834f6p-10f, -0x1.50450ap-13f, -0x1.957d38p-16f, -0x1.bf3104p-19f},
    {-0x1.77943p-5f, 0x1.1d3ea8p-8f, 0x1.25739p-6f, 0x1.218652p-8f,
     0x1.a3265ep-11f, 0x1.b9d75ap-14f, 0x1.0cd0fcp-16f, 0x1.295d56p-19f},
    {-0x1.94053ap-11f, 0x1.d366a4p-7f, -0x1.ce1a06p-9f, -0x1.dbed68p-10f,
     -0x1.8814ep-12f, -0x1.b07d7p-15f, -0x1.0a584cp-17f, -0x1.22827cp-20f},
    {0x1.e62052p-8f, -0x1.1d9106p-8f, -0x1.aa8104p-11f, 0x1.0c7fa2p-11f,
     0x1.1a462ap-13f, 0x1.4e74fcp-16f, 0x1.a4df9ap-19f, 0x1.d8e62cp-22f},
    {0x1.d78a3ap-10f, -0x1.7281a6p-10f, 0x1.ac5124p-11f, -0x1.44feaap-14f,
     -0x1.3d3a78p-15f, -0x1.98d192p-18f, -0x1.1c7a56p-20f, -0x1.1a9b84p-22f},
    {-0x1.3d5c34p-9f, 0x1.fec0aep-11f, -0x1.cdfe16p-13f, -0x1.ac35a4p-17f,
     0x1.06ab92p-17f, 0x1.b6f27ep-20f, 0x1.3af024p-22f, 0x1.5673dp-25f},
    {0x1.15e5e8p-11f, -0x1.4a3dbcp-20f, -0x1.31fa1ap-18f, 0x1.a3ebe8p-17f,
     -0x1.848acep-21f, -0x1.88ad08p-21f, -0x1.370bfap-27f, 0x1.a95de2p-23f}
};
static const real mish_below_table[][8] = {
    {0x1.9p-7f, 0x1.fd3p-1f, 0x1.0214p+1f, 0x1.853cp+1f,
     0x1.0104p+2f, 0x1.3dfap+2f, 0x1.7d96p+2f, 0x1.bd2ap+2f},
    {0x1.3132e6p-1f, 0x1.380f0cp-2f, 0x1.fd6046p-4f, 0x1.7e2bp-5f,
     0x1.24b276p-6f, 0x1.c62d6cp-8f, 0x1.50f326p-9f, 0x1.f38306p-11f},
    {-0x1.480f1cp-2f, -0x1.f5a638p-3f, -0x1.d9df5ap-4f, -0x1.74d7a8p-5f,
     -0x1.22094p-6f, -0x1.c497cp-8f, -0x1.5083fep-9f, -0x1.f3460cp-11f},
    {-0x1.d53fd4p-7f, 0x1.1ba20ep-4f, 0x1.9456acp-5f, 0x1.623fep-6f,
     0x1.1cb778p-7f, 0x1.c16c76p-9f, 0x1.4fa5aep-10f, 0x1.f2cc18p-12f},
    {0x1.7772d4p-5f, 0x1.5b6b94p-8f, -0x1.6903d2p-7f, -0x1.a70dcp-8f,
     -0x1.6d72a2p-9f, -0x1.276408p-10f, -0x1.bd361ap-12f, -0x1.4be5c4p-13f},
    {-0x1.a8db34p-11f, -0x1.4cf54cp-7f, 0x1.f89126p-13f, 0x1.45ab24p-10f,
     0x1.512562p-11f, 0x1.1ef1c2p-12f, 0x1.b891ap-14f, 0x1.4aa20ap-15f},
    {-0x1.02b0acp-7f, 0x1.5ea2ecp-9f, 0x1.aa495p-11f, -0x1.b1f08ap-14f,
     -0x1.c1caeap-14f, -0x1.b025a8p-15f, -0x1.595f8p-16f, -0x1.065056p-17f},
    {0x1.4a484p-10f, 0x1.a324fp-12f, -0x1.649224p-12f, -0x1.e40a0cp-16f,
     0x1.6d262cp-17f, 0x1.f8162cp-18f, 0x1.bc36fcp-19f, 0x1.56acfep-20f},
    {0x1.f32532p-11f, -0x1.f3b824p-12f, 0x1.11bcf2p-14f, 0x1.18911ep-16f,
     0x1.a874bcp-21f, -0x1.91a946p-21f, -0x1.99bdf8p-22f, -0x1.97290ep-23f},
    {-0x1.3bb548p-12f, 0x1.cd5d48p-14f, 0x1.402c5ap-19f, -0x1.3f3282p-18f,
     -0x1.c0364p-21f, 0x1.03e846p-26f, -0x1.14a55ep-25f, 0x1.4b4312p-25f}
};

/* The derivative of mish at a and at -a, relative error 2^-26; one point is its root. */
static const real mish_slope_above_table[][8] = {
    {-0x1.d2p-5f, 0x1.e35p-1f, 0x1.fa78p+0f, 0x1.83b8p+1f,
     0x1.0316p+2f, 0x1.3f28p+2f, 0x1.7cc4p+2f, 0x1.c3d2p+2f},
    {0x1.207f6cp-1f, 0x1.09b198p+0f, 0x1.12102ap+0f, 0x1.052ea2p+0f,
     0x1.010c2ep+0f, 0x1.0035acp+0f, 0x1.0009a2p+0f, 0x1.000144p+0f},
    {0x1.4990e8p-1f, 0x1.b6cce6p-3f, -0x1.d4294ap-5f, -0x1.dec648p-6f,
     -0x1.bdcb18p-8f, -0x1.78eaep-10f, -0x1.16b796p-12f, -0x1.2adfacp-15f},
    {-0x1.136b32p-6f, -0x1.1447bep-2f, -0x1.e11e44p-7f, 0x1.2370ecp-6f,
     0x1.602f46p-8f, 0x1.43332p-10f, 0x1.f194d2p-13f, 0x1.119738p-15f},
    {-0x1.73e0f2p-3f, 0x1.0fd9dp-4f, 0x1.5b77e8p-5f, -0x1.1bc418p-8f,
     -0x1.544d9ap-9f, -0x1.6527cap-11f, -0x1.23186p-13f, -0x1.4acedap-16f},
    {-0x1.dde034p-7f, 0x1.c5f3bap-5f, -0x1.9d2e0ap-6f, -0x1.5ed792p-10f,
     0x1.9d9704p-11f, 0x1.18b756p-12f, 0x1.f2ca92p-15f, 0x1.28cd22p-17f},
    {0x1.5f34bep-5f, -0x1.148bfap-5f, 0x1.47b7fcp-8f, 0x1.b7c1dap-10f,
     -0x1.c5d6fep-14f, -0x1.41e4b2p-14f, -0x1.4afb16p-16f, -0x1.a318ecp-19f},
    {0x1.bf85eap-7f, -0x1.2204fep-8f, 0x1.2b53aap-9f, -0x1.92f8b2p-11f,
     -0x1.090c3p-15f, 0x1.f6fd4cp-17f, 0x1.64b2bcp-18f, 0x1.c725eap-21f},
    {-0x1.f56daap-7f, 0x1.0cbf3cp-7f, -0x1.f57812p-10f, 0x1.7d97cp-13f,
     0x1.d9969cp-16f, -0x1.10713ap-20f, -0x1.1103dcp-20f, -0x1.baf8a4p-23f},
    {0x1.21633ap-9f, -0x1.6a7726p-10f, 0x1.ec9b4cp-12f, 0x1.b08ffep-19f,
     -0x1.88392p-17f, -0x1.fe685p-22f, -0x1.e086f4p-24f, 0x1.0d53ccp-23f}
};
static const real mish_slope_below_table[][8] = {
    {0x1.d2p-5f, 0x1.31432cp+0f, 0x1.055p+1f, 0x1.8618p+1f,
     0x1.01fep+2f, 0x1.4394p+2f, 0x1.812ap+2f, 0x1.c102p+2f},
    {0x1.207f6cp-1f, 0x1.beb774p-31f, -0x1.c13348p-4f, -0x1.76b06p-4f,
     -0x1.afbddcp-5f, -0x1.a45fb6p-6f, -0x1.8f2da2p-7f, -0x1.618bf6p-8f},
    {-0x1.4990eap-1f, -0x1.115accp-2f, -0x1.cfe608p-6f, 0x1.4c3218p-5f,
     0x1.17c54ap-5f, 0x1.399dfcp-6f, 0x1.3e8a94p-7f, 0x1.266d96p-8f},
    {-0x1.1372e2p-6f, 0x1.a34a22p-3f, 0x1.409dcap-4f, 0x1.798c28p-8f,
     -0x1.ef789ep-8f, -0x1.9a5298p-8f, -0x1.da7164p-9f, -0x1.d6245p-10f},
    {0x1.73d1f4p-3f, -0x1.574e02p-5f, -0x1.514e62p-5f, -0x1.5adf66p-7f,
     -0x1.8dacd4p-11f, 0x1.f5316cp-11f, 0x1.9c9e68p-11f, 0x1.d36f0cp-12f},
    {-0x1.e852a4p-7f, -0x1.4c1ad2p-6f, 0x1.3690a6p-7f, 0x1.2d9abp-8f,
     0x1.0f8096p-10f, 0x1.c726e6p-15f, -0x1.76cebcp-14f, -0x1.320df4p-14f},
    {-0x1.67da6ap-5f, 0x1.031a68p-6f, 0x1.25ec42p-11f, -0x1.2bb222p-10f,
     -0x1.8a11cap-12f, -0x1.2f2bep-14f, -0x1.2c5214p-18f, 0x1.c67a78p-18f},
    {0x1.26588cp-7f, -0x1.bce5bep-9f, -0x1.590beep-10f, 0x1.2cf664p-13f,
     0x1.6d433ap-14f, 0x1.7f713ep-16f, 0x1.32cd6p-18f, 0x1.12eceep-22f},
    {0x1.489a9ap-7f, -0x1.1d8c6p-10f, 0x1.17416ap-11f, 0x1.6e8182p-16f,
     -0x1.d44838p-17f, -0x1.4cab0ap-18f, -0x1.2943dp-20f, -0x1.5642c8p-22f},
    {-0x1.3d8e26p-8f, 0x1.33ae82p-10f, -0x1.837b1ap-14f, -0x1.5e94ep-16f,
     0x1.1094acp-21f, 0x1.3e36f6p-21f, 0x1.bc078ap-22f, -0x1.6bf3cep-30f}
};

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
 * instead of 1.12 for an alpha that rounds badly.) */
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

/* silu', error 2^-25.1 s(x). */
static const real silu_slope_signed_table[][16] = {
    {0x1p-1f, 0x1.daf7a2p-1f, 0x1.173da2p+0f, 0x1.168dfep+0f,
     0x1.0d7b6ep+0f, 0x1.06cbdp+0f, 0x1.0327d4p+0f, 0x1.0165dcp+0f,
     -0x1.339132p-9f, -0x1.65dbfp-8f, -0x1.93e99cp-7f, -0x1.b2f4p-6f,
     -0x1.af6db4p-5f, -0x1.68dfdap-4f, -0x1.73da3p-4f, 0x1.2842f8p-4f},
    {0x0p+0f, -0x1.da5472p-26f, 0x1.f8b542p-25f, -0x1.943cb4p-26f,
     -0x1.868fa6p-26f, 0x1.15a738p-31f, -0x1.8e3604p-25f, -0x1.f57274p-29f,
     0x1.772f62p-35f, -0x1.5084eep-34f, -0x1.c7a92ap-33f, -0x1.143f3ep-31f,
     0x1.9c7666p-32f, 0x1.2e67fap-30f, 0x1.1ca58ep-30f, -0x1.33e3cap-29f},
    {0x1.fffffep-2f, 0x1.359f78p-2f, 0x1.9a1bf6p-5f, -0x1.08c6e6p-5f,
     -0x1.0c90e4p-5f, -0x1.3f79aep-6f, -0x1.40e466p-7f, -0x1.29801cp-8f,
     -0x1.0767e6p-9f, -0x1.29801cp-8f, -0x1.40e466p-7f, -0x1.3f79aep-6f,
     -0x1.0c90e4p-5f, -0x1.08c6e8p-5f, 0x1.9a1bfep-5f, 0x1.359f78p-2f},
    {0x1.4ea2d4p-32f, -0x1.3b49c2p-3f, -0x1.4c277cp-4f, -0x1.87457ep-7f,
     0x1.8be32ap-8f, 0x1.90fcdep-8f, 0x1.d8faf2p-9f, 0x1.d94f28p-10f,
     -0x1.b62a58p-11f, -0x1.d94f28p-10f, -0x1.d8faf4p-9f, -0x1.90fcdep-8f,
     -0x1.8be328p-8f, 0x1.87458ap-7f, 0x1.4c277ap-4f, 0x1.3b49c4p-3f},
    {-0x1.5553bap-4f, -0x1.84def4p-9f, 0x1.0cf066p-5f, 0x1.9ca00ep-7f,
     0x1.9ea39ep-10f, -0x1.961b48p-11f, -0x1.8f54b4p-11f, -0x1.d28638p-12f,
     -0x1.d13f2p-13f, -0x1.d28642p-12f, -0x1.8f54ccp-11f, -0x1.961b78p-11f,
     0x1.9ea3c8p-10f, 0x1.9ca122p-7f, 0x1.0cef6cp-5f, -0x1.84dcc4p-9f},
    {-0x1.0b0406p-28f, 0x1.82aee4p-6f, -0x1.7c2856p-9f, -0x1.289bccp-8f,
     -0x1.552e74p-10f, -0x1.284938p-13f, 0x1.3bcc1cp-14f, 0x1.29fe2ep-14f,
     -0x1.58dcd4p-15f, -0x1.29fe32p-14f, -0x1.3bc94cp-14f, 0x1.28492ap-13f,
     0x1.552e22p-10f, 0x1.289accp-8f, 0x1.7c2ad6p-9f, -0x1.82af98p-6f},
    {0x1.98e324p-7f, -0x1.413134p-8f, -0x1.510c86p-9f, 0x1.886e88p-11f,
     0x1.b6885cp-12f, 0x1.a034p-14f, 0x1.3d65c6p-17f, -0x1.8847f4p-18f,
     -0x1.622216p-18f, -0x1.882b8ep-18f, 0x1.3daa8p-17f, 0x1.a04534p-14f,
     0x1.b680dcp-12f, 0x1.87e03ep-11f, -0x1.5090f4p-9f, -0x1.413dacp-8f},
    {0x1.7c33d8p-27f, -0x1.00b3b8p-9f, 0x1.29ac7ep-10f, 0x1.36f778p-14f,
     -0x1.4caee4p-14f, -0x1.e3b22ap-16f, -0x1.9cc4fcp-18f, -0x1.22aabp-21f,
     -0x1.8db432p-22f, 0x1.22affcp-21f, 0x1.9c4ca2p-18f, 0x1.e3b30ap-16f,
     0x1.4cbc34p-14f, -0x1.364d06p-14f, -0x1.29b9cp-10f, 0x1.00c2b2p-9f},
    {-0x1.9baf5p-10f, 0x1.f27afcp-11f, -0x1.f20242p-14f, -0x1.4661bap-14f,
     0x1.b67c2p-18f, 0x1.709a1ap-18f, 0x1.a5e61p-20f, 0x1.44898p-22f,
     -0x1.1382dp-27f, 0x1.3fd3fcp-22f, 0x1.a02b92p-20f, 0x1.6dbb5ap-18f,
     0x1.bb7a7cp-18f, -0x1.3c0ebap-14f, -0x1.0a855ep-13f, 0x1.f3842ap-11f}
};

/* s(x) s(-x), relative error 2^-25.4. */
static const real logistic_slope_signed_table[][16] = {
    {0x1p-2f, 0x1.92a948p-3f, 0x1.ae0dcp-4f, 0x1.721652p-5f,
     0x1.2162c2p-6f, 0x1.b3afe2p-8f, 0x1.434a52p-9f, 0x1.dd37d2p-11f,
     0x1.5f85aep-12f, 0x1.dd37d2p-11f, 0x1.434a52p-9f, 0x1.b3afe2p-8f,
     0x1.2162c2p-6f, 0x1.721652p-5f, 0x1.ae0dcp-4f, 0x1.92a948p-3f},
    {0x0p+0f, -0x1.1d286p-28f, 0x1.864612p-29f, 0x1.ec6c5ap-31f,
     0x1.b724fep-32f, 0x1.02fec2p-38f, -0x1.0741bap-34f, -0x1.9f40dp-37f,
     -0x1.648b7cp-37f, -0x1.9f40dp-37f, -0x1.0741bap-34f, 0x1.02fec2p-38f,
     0x1.b724fep-32f, 0x1.ec6c5ap-31f, 0x1.864612p-29f, -0x1.1d286p-28f},
    {0x1.7872b4p-124f, -0x1.74273ep-4f, -0x1.4786c4p-4f, -0x1.4efbdap-5f,
     -0x1.16f9d2p-6f, -0x1.addae6p-8f, -0x1.41b10ap-9f, -0x1.dc5938p-11f,
     0x1.5f4952p-12f, 0x1.dc5938p-11f, 0x1.41b10ap-9f, 0x1.addae6p-8f,
     0x1.16f9d2p-6f, 0x1.4efbdap-5f, 0x1.4786c4p-4f, 0x1.74273ep-4f},
    {-0x1.fffedcp-5f, -0x1.2164fap-6f, 0x1.3e464ap-6f, 0x1.0dc58p-6f,
     0x1.02b7b4p-7f, 0x1.a24edep-9f, 0x1.3e8182p-10f, 0x1.da9ca2p-12f,
     0x1.5ed0aep-13f, 0x1.da9ca2p-12f, 0x1.3e8182p-10f, 0x1.a24edep-9f,
     0x1.02b7b4p-7f, 0x1.0dc58p-6f, 0x1.3e464ap-6f, -0x1.2164fap-6f},
    {0x1.1024ap-121f, 0x1.51403cp-6f, 0x1.c60f1p-9f, -0x1.9903a6p-9f,
     -0x1.252176p-9f, -0x1.07b536p-10f, -0x1.a039ep-12f, -0x1.3a189ep-13f,
     0x1.d27f76p-15f, 0x1.3a189ep-13f, 0x1.a039ep-12f, 0x1.07b536p-10f,
     0x1.252176p-9f, 0x1.9903a6p-9f, -0x1.c60f1p-9f, -0x1.51403cp-6f},
    {0x1.54e85cp-7f, -0x1.1596ep-9f, -0x1.da7752p-9f, -0x1.b40f68p-13f,
     0x1.87cad2p-12f, 0x1.d42ea6p-13f, 0x1.8f7a7cp-14f, 0x1.357b46p-15f,
     0x1.cff944p-17f, 0x1.357b46p-15f, 0x1.8f7a7cp-14f, 0x1.d42ea6p-13f,
     0x1.87cad2p-12f, -0x1.b40f68p-13f, -0x1.da7752p-9f, -0x1.1596ep-9f},
    {-0x1.de851p-117f, -0x1.35504ap-9f, 0x1.d049ep-11f, 0x1.5c797ep-12f,
     -0x1.ebf002p-18f, -0x1.1b0cdap-15f, -0x1.2532fap-16f, -0x1.e0b16ap-18f,
     0x1.6f2b42p-19f, 0x1.e0b16ap-18f, 0x1.2532fap-16f, 0x1.1b0cdap-15f,
     0x1.ebf002p-18f, -0x1.5c797ep-12f, -0x1.d049ep-11f, 0x1.35504ap-9f},
    {-0x1.6b6026p-10f, 0x1.7be7dap-11f, 0x1.518f5ap-14f, -0x1.c2ffa4p-14f,
     -0x1.380bb4p-16f, 0x1.110b8p-19f, 0x1.40a9bcp-19f, 0x1.2e8eep-20f,
     0x1.e2606ap-22f, 0x1.2e8eep-20f, 0x1.40a9bcp-19f, 0x1.110b8p-19f,
     -0x1.380bb4p-16f, -0x1.c2ffa4p-14f, 0x1.518f5ap-14f, 0x1.7be7dap-11f},
    {0x1.1d8d08p-114f, 0x1.029accp-13f, -0x1.b3f2d8p-14f, 0x1.0842fep-16f,
     0x1.b47fc6p-18f, 0x1.5c51ep-21f, -0x1.8c5cc8p-23f, -0x1.1fc97ep-23f,
     0x1.06a108p-24f, 0x1.1fc97ep-23f, 0x1.8c5cc8p-23f, -0x1.5c51ep-21f,
     -0x1.b47fc6p-18f, -0x1.0842fep-16f, 0x1.b3f2d8p-14f, -0x1.029accp-13f}
};

/* silu, relative error 2^-28.1. */
static const real silu_signed_table[][16] = {
    {0x0p+0f, 0x1.764d5p-1f, 0x1.c2f7d6p+0f, 0x1.6dc9d8p+1f,
     0x1.f6ca82p+1f, 0x1.3ddbb8p+2f, 0x1.7f0ceep+2f, 0x1.bf9784p+2f,
     -0x1.5fa3dep-9f, -0x1.a1f252p-8f, -0x1.e62332p-7f, -0x1.1223ap-5f,
     -0x1.26afa2p-4f, -0x1.236272p-3f, -0x1.e84152p-3f, -0x1.136562p-2f},
    {0x0p+0f, -0x1.462402p-26f, -0x1.5cf512p-26f, 0x1.a522b8p-24f,
     0x1.e1bbcap-24f, 0x1.7c687ap-23f, 0x1.9a711p-24f, -0x1.28cc18p-23f,
     0x1.059c28p-34f, 0x1.9f1a4p-34f, -0x1.8f1178p-32f, -0x1.cbd702p-30f,
     0x1.bcacbp-32f, -0x1.ad283p-28f, -0x1.75d2f4p-28f, 0x1.74606cp-27f},
    {0x1p-1f, 0x1.daf7a2p-1f, 0x1.173da2p+0f, 0x1.168dfep+0f,
     0x1.0d7b6ep+0f, 0x1.06cbdp+0f, 0x1.0327d4p+0f, 0x1.0165dcp+0f,
     -0x1.339132p-9f, -0x1.65dbfp-8f, -0x1.93e99cp-7f, -0x1.b2f4p-6f,
     -0x1.af6db4p-5f, -0x1.68dfdap-4f, -0x1.73da3p-4f, 0x1.2842f8p-4f},
    {0x1p-2f, 0x1.359f8p-3f, 0x1.9a1bacp-6f, -0x1.08c6d2p-6f,
     -0x1.0c90d6p-6f, -0x1.3f79aep-7f, -0x1.40e422p-8f, -0x1.298014p-9f,
     -0x1.0767e8p-10f, -0x1.29801cp-9f, -0x1.40e464p-8f, -0x1.3f79acp-7f,
     -0x1.0c90e4p-6f, -0x1.08c6e8p-6f, 0x1.9a1bf8p-6f, 0x1.359f78p-3f},
    {0x1.1cfa66p-34f, -0x1.a463c6p-5f, -0x1.bad95ap-6f, -0x1.04e28p-8f,
     0x1.07da84p-9f, 0x1.0b53a6p-9f, 0x1.3b079p-10f, 0x1.3b7e64p-11f,
     -0x1.241bf2p-12f, -0x1.3b8a5cp-11f, -0x1.3b524ep-10f, -0x1.0b53a8p-9f,
     -0x1.07ec76p-9f, 0x1.04d986p-8f, 0x1.badf5ep-6f, 0x1.a4624p-5f},
    {-0x1.5554fcp-6f, -0x1.859dbp-11f, 0x1.0cfe4ap-7f, 0x1.9c915cp-9f,
     0x1.9e52ecp-12f, -0x1.961acep-13f, -0x1.901f82p-13f, -0x1.d29eacp-14f,
     -0x1.d13a54p-15f, -0x1.d286dep-14f, -0x1.8f5a4ep-13f, -0x1.9626bcp-13f,
     0x1.9ea61ap-12f, 0x1.9ca186p-9f, 0x1.0cf038p-7f, -0x1.84df16p-11f},
    {-0x1.c743c4p-31f, 0x1.35a862p-8f, -0x1.3541b4p-11f, -0x1.d88914p-11f,
     -0x1.0d0b4p-12f, -0x1.db706ep-16f, 0x1.7bb7f6p-16f, 0x1.f0cbep-17f,
     -0x1.142316p-17f, -0x1.dc5782p-17f, -0x1.f818dcp-17f, 0x1.db7bb6p-16f,
     0x1.10e066p-12f, 0x1.da7408p-11f, 0x1.30193ap-11f, -0x1.35540cp-8f},
    {0x1.10d7bap-9f, -0x1.a72dfap-11f, -0x1.cd47e4p-12f, 0x1.0bda9ap-13f,
     0x1.2cdc4cp-14f, 0x1.15514cp-16f, 0x1.16c736p-18f, -0x1.b69c24p-21f,
     -0x1.dfba3cp-21f, -0x1.03d892p-20f, 0x1.b9b3fcp-20f, 0x1.17ddbep-16f,
     0x1.24027ep-14f, 0x1.05007cp-13f, -0x1.c14d7cp-12f, -0x1.ac43b8p-11f},
    {0x1.444f16p-29f, -0x1.2fcd6cp-12f, 0x1.7ed778p-13f, 0x1.54023ap-19f,
     -0x1.3f2594p-16f, -0x1.08f452p-18f, -0x1.1556cep-16f, -0x1.5f826ep-20f,
     -0x1.4242fap-25f, 0x1.a7ebe4p-25f, 0x1.b0759cp-21f, 0x1.087d26p-18f,
     0x1.80cfa2p-17f, -0x1.52bf04p-17f, -0x1.54162p-13f, 0x1.24cf96p-12f},
    {-0x1.a3b172p-13f, 0x1.9eb58cp-14f, 0x1.20615p-17f, -0x1.09d6c4p-16f,
     -0x1.c12328p-19f, 0x1.7c953ep-21f, -0x1.57f69ap-18f, -0x1.369e48p-22f,
     0x1.cd841p-26f, 0x1.7d00c2p-26f, 0x1.e9044ep-25f, 0x1.a7d04p-22f,
     0x1.0dd8a4p-20f, -0x1.321694p-17f, -0x1.f65d5p-17f, 0x1.f2c86cp-14f}
};

/* tanh(x/2) / 2, relative error 2^-28.3. */
static const real half_tanh_half_signed_table[][16] = {
    {0x0p+0f, 0x1.d9353ep-3f, 0x1.85efacp-2f, 0x1.cf6f98p-2f,
     0x1.ed9506p-2f, 0x1.f92582p-2f, 0x1.fd77d2p-2f, 0x1.ff112cp-2f,
     -0x1.ffa818p-2f, -0x1.ff112cp-2f, -0x1.fd77d2p-2f, -0x1.f92582p-2f,
     -0x1.ed9506p-2f, -0x1.cf6f98p-2f, -0x1.85efacp-2f, -0x1.d9353ep-3f},
    {0x0p+0f, -0x1.11edbap-28f, -0x1.5d7d7cp-27f, -0x1.e48a02p-28f,
     -0x1.e43844p-30f, 0x1.829cb2p-28f, -0x1.dcbe9cp-27f, 0x1.8ea41ep-28f,
     0x1.eebe98p-27f, -0x1.8ea41ep-28f, 0x1.dcbe9cp-27f, -0x1.829cb2p-28f,
     0x1.e43844p-30f, 0x1.e48a02p-28f, 0x1.5d7d7cp-27f, 0x1.11edbap-28f},
    {0x1p-2f, 0x1.92a948p-3f, 0x1.ae0dcp-4f, 0x1.721652p-5f,
     0x1.2162c2p-6f, 0x1.b3afe2p-8f, 0x1.434a52p-9f, 0x1.dd37d2p-11f,
     0x1.5f85aep-12f, 0x1.dd37d2p-11f, 0x1.434a52p-9f, 0x1.b3afe2p-8f,
     0x1.2162c2p-6f, 0x1.721652p-5f, 0x1.ae0dcp-4f, 0x1.92a948p-3f},
    {-0x1.020ddcp-125f, -0x1.74274p-5f, -0x1.4786c4p-5f, -0x1.4efbdap-6f,
     -0x1.16f9d2p-7f, -0x1.addae6p-9f, -0x1.41b10ap-10f, -0x1.dc5938p-12f,
     0x1.5f4952p-13f, 0x1.dc5938p-12f, 0x1.41b10ap-10f, 0x1.addae6p-9f,
     0x1.16f9d2p-7f, 0x1.4efbdap-6f, 0x1.4786c4p-5f, 0x1.74274p-5f},
    {-0x1.555514p-6f, -0x1.81dd68p-8f, 0x1.a85eccp-8f, 0x1.67b25cp-8f,
     0x1.58f544p-9f, 0x1.16df4p-10f, 0x1.a8ac4cp-12f, 0x1.3c6844p-13f,
     0x1.d3c064p-15f, 0x1.3c6844p-13f, 0x1.a8ac4cp-12f, 0x1.16df4p-10f,
     0x1.58f544p-9f, 0x1.67b25cp-8f, 0x1.a85eccp-8f, -0x1.81dd68p-8f},
    {0x1.a6588p-129f, 0x1.51406ap-8f, 0x1.c611f8p-11f, -0x1.990276p-11f,
     -0x1.2521c6p-11f, -0x1.07b51p-12f, -0x1.a039cap-14f, -0x1.3a1878p-15f,
     0x1.d27f9ap-17f, 0x1.3a1878p-15f, 0x1.a039cap-14f, 0x1.07b51p-12f,
     0x1.2521c6p-11f, 0x1.990276p-11f, -0x1.c611f8p-11f, -0x1.51406ap-8f},
    {0x1.10e046p-9f, -0x1.bb97ecp-12f, -0x1.7bcb4ep-11f, -0x1.5e10b4p-15f,
     0x1.392616p-14f, 0x1.768a96p-15f, 0x1.3fbecap-16f, 0x1.ef4e62p-18f,
     0x1.73662ep-19f, 0x1.ef4e62p-18f, 0x1.3fbecap-16f, 0x1.768a96p-15f,
     0x1.392616p-14f, -0x1.5e10b4p-15f, -0x1.7bcb4ep-11f, -0x1.bb97ecp-12f},
    {-0x1.f9fa8p-132f, -0x1.9c436ep-12f, 0x1.351a24p-13f, 0x1.cffba8p-15f,
     -0x1.428e6ap-20f, -0x1.79b522p-18f, -0x1.87065ap-19f, -0x1.409e7cp-20f,
     0x1.e96a54p-22f, 0x1.409e7cp-20f, 0x1.87065ap-19f, 0x1.79b522p-18f,
     0x1.428e6ap-20f, -0x1.cffba8p-15f, -0x1.351a24p-13f, 0x1.9c436ep-12f},
    {-0x1.a51ce8p-13f, 0x1.ae03c2p-14f, 0x1.9e31cep-17f, -0x1.f97106p-17f,
     -0x1.518b96p-19f, 0x1.39426p-22f, 0x1.58f292p-22f, 0x1.50b552p-23f,
     0x1.0511e2p-24f, 0x1.50b552p-23f, 0x1.58f292p-22f, 0x1.39426p-22f,
     -0x1.518b96p-19f, -0x1.f97106p-17f, 0x1.9e31cep-17f, 0x1.ae03c2p-14f},
    {0x1.28p-144f, 0x1.f22438p-17f, -0x1.a3e018p-17f, 0x1.1fd634p-19f,
     0x1.9c2824p-21f, 0x1.86eccap-24f, -0x1.71b698p-26f, -0x1.0988dap-26f,
     0x1.106cb8p-27f, 0x1.0988dap-26f, 0x1.71b698p-26f, -0x1.86eccap-24f,
     -0x1.9c2824p-21f, -0x1.1fd634p-19f, 0x1.a3e018p-17f, -0x1.f22438p-17f}
};
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
