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
 * Coefficients come from coefficients.sollya. */

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

static inline vec pair_round(pair a) { return a.hi + a.lo; }

/* a + b exactly, for |a| >= |b| or a = 0. */
static inline pair fast_two_sum(vec a, vec b)
{
    vec sum = a + b;
    return (pair){sum, b - (sum - a)};
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

/* a / b, rounded once. */
static inline vec pair_quotient(pair a, pair b)
{
    vec r = SPLAT(1) / b.hi, q = a.hi * r;
    vec remainder = vec_fnma(q, b.lo, vec_fnma(q, b.hi, a.hi) + a.lo);
    return vec_fma(remainder, r, q);
}

/* a * b, where b is a power of two or the rounding of each part does no harm. */
static inline pair pair_scale(pair a, vec b) { return (pair){a.hi * b, a.lo * b}; }

static inline pair pair_negate(pair a) { return (pair){-a.hi, -a.lo}; }

static inline pair pair_select(mask m, pair a, pair b)
{
    return (pair){vec_select(m, a.hi, b.hi), vec_select(m, a.lo, b.lo)};
}

/* x * a, rounded once from a pair. */
static inline vec times_pair(vec x, pair a) { return vec_fma(x, a.hi, x * a.lo); }

/* ---- Polynomials --------------------------------------------------------------------------- */

/* c[0] + c[1] x + ... + c[degree] x^degree by Horner's rule. */
static inline __attribute__((always_inline)) vec polynomial(const real *c, int degree, vec x)
{
    vec sum = vec_splat(c[degree]);
    UNROLL
    for (int k = degree - 1; k >= 0; k--) sum = vec_fma(sum, x, vec_splat(c[k]));
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

/* Adding it rounds to an integer and leaves that integer in the low bits. */
#define VEC_ROUNDER SPLAT(PICK(0x1.8p23, 0x1.8p52))

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

static inline exp_parts exp_near(vec x)
{
    vec rounded, r = exp_argument(x, &rounded);
    return exp_parts_of(rounded, r);
}

static inline exp_parts exp_near_pair(pair x)
{
    vec rounded, r = exp_argument(x.hi, &rounded);
    return exp_parts_of(rounded, r + x.lo);
}

/* 1 + power (1 + p), rounded once. power + 1 is not exact if power is 2^24 (2^53) or more or the inverse,
 * and what it loses there counts. */
static inline vec one_plus_exp(exp_parts e)
{
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
    return power.hi + vec_fma(power.hi, e.p, power.lo);
}

/* expm1(x) as a pair, for -EXP_NEAR <= x.hi <= 0. */
static inline pair expm1_near_pair(pair x)
{
    vec rounded, first = exp_argument(x.hi, &rounded);
    pair r = fast_two_sum(first, x.lo);
    pair p = fast_two_sum(r.hi, vec_fma(r.hi * r.hi, POLYNOMIAL(exp_tail, r.hi), r.lo));
    vec power = vec_power_of_two(rounded), base = power - SPLAT(1);
    vec hi = vec_fma(power, p.hi, base);
    return (pair){hi, vec_fma(power, p.lo, vec_fma(power, p.hi, base - hi))};
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

/* exp(x) = value * scale. */
typedef struct { pair value; vec scale; } scaled;

static inline vec scaled_round(scaled a) { return pair_round(a.value) * a.scale; }

/* exp(x) for x <= 0 or NaN, relative error about 0.1 u; x.lo may be anything if x.hi < -EXP_LIMIT. */
static inline scaled exp_of_negative(pair x)
{
    mask zero = vec_less(x.hi, SPLAT(-EXP_LIMIT));
    mask tail = vec_less(x.hi, SPLAT(-EXP_TAIL));
    x = pair_select(zero, pair_of(SPLAT(-EXP_LIMIT)), x);
    vec rounded;
    pair p = exp_reduced(x, &rounded);
    pair m = fast_two_sum(SPLAT(1), p.hi);
    m.lo = m.lo + p.lo;
    vec power = vec_power_of_two(rounded + vec_select(tail, SPLAT(EXP_SHIFT), SPLAT(0)));
    vec scale = vec_select(tail, SPLAT(EXP_SCALE), SPLAT(1));
    return (scaled){pair_scale(m, power), vec_select(zero, SPLAT(0), scale)};
}

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

/* ---- Normal distribution --------------------------------------------------------------------- */

/* Phi(-a) exp(a^2/2) (a + 4) = Q(w), w = (a - 4) / (a + 4): the idea of Shepherd and Laframboise,
 * "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x", Math. Comp. 36 (1981). Without the constant
 * term, which is a pair. Relative error 2^-27.9 for a <= 15 (f32), 2^-58.6 for a <= 40 (f64). */
static const real mills_tail[] = {
#if SUGAR_ELEMENT == 32
    -0x1.373e3ap-1f, 0x1.8c6db6p-2f, -0x1.7dff46p-3f, 0x1.eec98ap-5f, -0x1.ee197p-8f,
    -0x1.c9e538p-9f, 0x1.aa403p-10f, 0x1.6563fep-13f, -0x1.b6944cp-13f, -0x1.49e95ap-15f
#else
    -0x1.373e3a893c28ap-1, 0x1.8c6dbf2cfc2b3p-2, -0x1.7dff2bff683a7p-3, 0x1.eec4cc3e4d478p-5,
    -0x1.ee27610480a6cp-8, -0x1.c81719d56e50cp-9, 0x1.ab825fc225d92p-10, 0x1.17a4ae4823239p-13,
    -0x1.e4a425ea29b0ep-13, -0x1.001e76f151d76p-19, 0x1.26d0a6bc78db3p-15, 0x1.80b475001a619p-21,
    -0x1.8d4cd4f222887p-18, -0x1.51ed649d31e65p-21, 0x1.1248a5b033335p-20, 0x1.2365c5968b60dp-22,
    -0x1.4ddd6a504ef8cp-23, -0x1.6d307b9db152ap-24, 0x1.de16ce8d0b6d7p-27, 0x1.4ee62d828aad6p-26,
    0x1.979c8e32f3d96p-30, -0x1.63243f67694c5p-29, -0x1.49ad25549b82ap-31, 0x1.99cfcc6fcb00cp-35
#endif
};
#define MILLS_CONSTANT PAIR(PICK(0x1.82b4bb95e3eep-1, 0x1.82b4bb8c94dcep-1), -0x1.a725a28a6016cp-56)
#define MILLS_LIMIT PICK(15, 40)

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
#define NORMAL_NEAR PICK(11, 36)

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

/* ---- Hyperbolic tangent ---------------------------------------------------------------------- */

/* tanh(|x|) = -E / (2 + E), E = expm1(-2|x|): accurate relative to x. */
static inline pair tanh_of_abs(vec x)
{
    pair e = expm1_of_negative(pair_of(SPLAT(-2) * vec_abs(x)));
    pair sum = fast_two_sum(SPLAT(2), e.hi);
    sum.lo = sum.lo + e.lo;
    return pair_negate(pair_multiply(e, pair_reciprocal(sum)));
}

/* tanh(x) = x + x^3 Q(x^2) on |x| <= 0.8; relative error 2^-29 (f32), 2^-59 (f64). */
static const real tanh_tail[] = {
#if SUGAR_ELEMENT == 32
    -0x1.555556p-2f, 0x1.111138p-3f, -0x1.ba1db2p-5f, 0x1.66069ap-6f, -0x1.1d7484p-7f,
    0x1.966bfp-9f, -0x1.6982acp-11f
#else
    -0x1.5555555555555p-2, 0x1.111111111106ap-3, -0x1.ba1ba1ba0fc49p-5, 0x1.664f487fa81efp-6,
    -0x1.226e34ea7e9a9p-7, 0x1.d6d3bbbd988d7p-9, -0x1.7da21bf73339dp-10, 0x1.354a56176724p-11,
    -0x1.f4aa664bcaa85p-13, 0x1.91f5fcee21b7ep-14, -0x1.37890b426b291p-15, 0x1.b04026942cc4bp-17,
    -0x1.c966e535b2203p-19, 0x1.0562988d74f4bp-21
#endif
};

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
