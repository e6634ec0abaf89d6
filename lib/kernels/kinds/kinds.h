/* The formulas: for each row of kinds.def name_value(x, p) and name_derivative(x, p), where p[0],
 * p[1], ... are the row's parameters and p[SUGAR_SHIFT] is the threshold that spike surrogates
 * measure x from. They are written in the vocabulary of vec_scalar.h and the functions of vecmath.h,
 * and know nothing of memory.
 *
 * Kinds that learn have a third one, name_slope(x, p), the derivative with respect to p[0]. All their formulas hold
 * for a p[0] that differs from lane to lane; where one of the others does not, kinds.def names another.
 *
 * What every formula keeps: 2 ULP (4 in f64) for all x including the tails, NaN for NaN, no NaN
 * otherwise, and the exact limits at +-inf. Words like vec_min(c, x) have x second because they give
 * their second operand when either is NaN. */

/* Beyond this nothing but the linear part of a function is left; products with parameters are finite. */
#define FAR 0x1p60

static inline vec bounded(vec x, real limit)
{
    return vec_min(vec_splat(limit), vec_max(vec_splat(-limit), x));
}

static inline vec non_positive(vec x) { return vec_min(SPLAT(0), x); }

/* x itself where it is NaN. */
static inline vec keep_nan(vec x, vec result) { return vec_select(vec_less_equal(x, x), result, x); }

static inline vec step(vec x, vec threshold, vec below, vec above)
{
    return keep_nan(x, vec_select(vec_less_equal(x, threshold), below, above));
}

/* 1 inside the open interval, else 0. */
static inline vec inside(vec x, vec lower, vec upper)
{
    return keep_nan(x, vec_select(vec_less(lower, x), vec_select(vec_less(x, upper), SPLAT(1), SPLAT(0)),
                                  SPLAT(0)));
}

/* a where x > 0, b elsewhere. */
static inline vec where_positive(vec x, vec a, vec b) { return vec_select(vec_less(SPLAT(0), x), a, b); }

/* x * a, where x may be infinite: its product with a.lo = 0 must not be NaN. */
static inline vec times_pair_to_infinity(vec x, pair a)
{
    if (SUGAR_NARROWS) return x * a.hi;
    return vec_fma(x, a.hi, vec_min(SPLAT(FAR), x) * a.lo);
}

/* A function that typical inputs do not call. Inlined, its constants would take the registers of those of a loop:
 * sigmoid's derivative took 6 % longer. */
#define RARE static __attribute__((noinline))
#if SUGAR_ELEMENT == 32
#define RARE_IN_F32 RARE
#else
#define RARE_IN_F32 static inline
#endif

/* Whether any lane needs what typical inputs do not. */
static inline int is_rare(mask m) { return (int)__builtin_expect(vec_any(m) != 0, 0); }

/* near, but the far formula in lanes that are far: a branch that typical inputs do not take. */
static inline __attribute__((always_inline)) vec or_far(vec near, mask far, vec (*far_formula)(vec, const vec *),
                                                        vec x, const vec *p)
{
    if (is_rare(far)) near = vec_select(far, far_formula(x, p), near);
    return near;
}

#if SUGAR_ELEMENT == 32
/* |x| in the tail of a function that is -0 below `lowest`: for x from there to `limit`. Other lanes are brought to the
 * nearer end, so that what they compute is normal; subnormals slow down the vector. */
static inline vec tail_distance(real lowest, real limit, vec x)
{
    return vec_min(SPLAT(-lowest), vec_max(SPLAT(-limit), -x));
}

/* From 2^DECAY_SHIFT times the function. */
static inline vec tail_lowered(real lowest, vec x, vec raised)
{
    return raised * vec_select(vec_less(x, SPLAT(lowest)), SPLAT(0), SPLAT(DECAY_SCALE));
}
#endif

/* y = f(x), for a function with f(x) > x/2 but at 0: close to 0 the difference leaves no trace in y. Elements that
 * are shorter than `real` have x/2 in the middle between two of them where they are subnormal; there alone what is
 * added here counts, and sends y to the upper one. */
static inline vec above_half(vec x, vec y)
{
#if SUGAR_NARROWS
    return vec_copysign(y + SPLAT(SUGAR_SMALLEST * 0x1p-11), x);
#else
    (void)x;
    return y;
#endif
}

/* ---- Piecewise linear ------------------------------------------------------------------------ */

static inline vec identity_value(vec x, const vec *p) { (void)p; return x; }
static inline vec identity_derivative(vec x, const vec *p) { (void)p; return keep_nan(x, SPLAT(1)); }

/* relu(-0) is -0. */
static inline vec relu_value(vec x, const vec *p) { (void)p; return vec_max(SPLAT(0), x); }
static inline vec relu_derivative(vec x, const vec *p)
{
    (void)p;
    return step(x, SPLAT(0), SPLAT(0), SPLAT(1));
}

static inline vec relu6_value(vec x, const vec *p)
{
    (void)p;
    return vec_min(SPLAT(6), vec_max(SPLAT(0), x));
}
static inline vec relu6_derivative(vec x, const vec *p) { (void)p; return inside(x, SPLAT(0), SPLAT(6)); }

static inline vec relu_squared_value(vec x, const vec *p)
{
    vec y = relu_value(x, p);
    return y * y;
}
static inline vec relu_squared_derivative(vec x, const vec *p) { return SPLAT(2) * relu_value(x, p); }

static inline vec threshold_value(vec x, const vec *p)
{
    return vec_select(vec_less_equal(x, p[0]), p[1], x);
}
static inline vec threshold_derivative(vec x, const vec *p) { return step(x, p[0], SPLAT(0), SPLAT(1)); }

static inline vec leaky_relu_value(vec x, const vec *p)
{
    return line_below(p[0], x);
}
static inline vec leaky_relu_derivative(vec x, const vec *p) { return step(x, SPLAT(0), p[0], SPLAT(1)); }

static inline vec leaky_relu_slope(vec x, const vec *p) { (void)p; return non_positive(x); }

static inline vec prelu_slope(vec x, const vec *p) { return leaky_relu_slope(x, p); }
static inline vec prelu_value(vec x, const vec *p) { return leaky_relu_value(x, p); }
static inline vec prelu_derivative(vec x, const vec *p) { return leaky_relu_derivative(x, p); }

static inline vec rrelu_value(vec x, const vec *p)
{
    vec slope = SPLAT(0.5) * (p[0] + p[1]);
    return leaky_relu_value(x, &slope);
}
static inline vec rrelu_derivative(vec x, const vec *p)
{
    vec slope = SPLAT(0.5) * (p[0] + p[1]);
    return leaky_relu_derivative(x, &slope);
}

static inline vec softshrink_value(vec x, const vec *p)
{
    return x - vec_min(p[0], vec_max(-p[0], x));
}
static inline vec softshrink_derivative(vec x, const vec *p)
{
    return keep_nan(x, vec_select(vec_less_equal(vec_abs(x), p[0]), SPLAT(0), SPLAT(1)));
}

static inline vec hardshrink_value(vec x, const vec *p)
{
    return vec_select(vec_less_equal(vec_abs(x), p[0]), SPLAT(0), x);
}
static inline vec hardshrink_derivative(vec x, const vec *p) { return softshrink_derivative(x, p); }

static inline vec hardtanh_value(vec x, const vec *p) { return vec_min(p[1], vec_max(p[0], x)); }
static inline vec hardtanh_derivative(vec x, const vec *p) { return inside(x, p[0], p[1]); }

static inline vec hardsigmoid_value(vec x, const vec *p)
{
    (void)p;
    return vec_min(SPLAT(6), vec_max(SPLAT(0), x + SPLAT(3))) / SPLAT(6);
}
static inline vec hardsigmoid_derivative(vec x, const vec *p)
{
    (void)p;
    return SPLAT(1.0 / 6) * inside(x, SPLAT(-3), SPLAT(3));
}

/* x t with t = (x + 3) / 6 between 0 and 1. One fma gives t without cancellation near -3: of the numbers close to
 * 1/6 we take one, 1 - HARDSWISH_BIAS times as large, whose triple is a number too; the product puts it right. */
#define HARDSWISH_BIAS PICK(0x1p-24, 0x1p-52)
static inline vec hardswish_value(vec x, const vec *p)
{
    (void)p;
    vec near = vec_max(SPLAT(-3), x);
    vec t = vec_fma(near, SPLAT((1 - HARDSWISH_BIAS) / 6), SPLAT((1 - HARDSWISH_BIAS) / 2));
    t = vec_min(SPLAT(1 - HARDSWISH_BIAS), t);
    return above_half(x, vec_fma(near, t, SPLAT(HARDSWISH_BIAS) * near * t));
}
static inline vec hardswish_derivative(vec x, const vec *p)
{
    (void)p;
    vec inner = vec_fma(SPLAT(2), x, SPLAT(3)) / SPLAT(6);
    vec outer = step(x, SPLAT(-3), SPLAT(0), SPLAT(1));
    return vec_select(vec_less(vec_abs(x), SPLAT(3)), inner, outer);
}

static inline vec heaviside_value(vec x, const vec *p) { return step(x, p[0], SPLAT(0), SPLAT(1)); }
static inline vec heaviside_derivative(vec x, const vec *p) { (void)p; return keep_nan(x, SPLAT(0)); }

/* sign(-0) is -0. */
static inline vec sign_value(vec x, const vec *p)
{
    (void)p;
    return vec_select(vec_less(x, SPLAT(0)), SPLAT(-1), where_positive(x, SPLAT(1), x));
}
static inline vec sign_derivative(vec x, const vec *p) { (void)p; return keep_nan(x, SPLAT(0)); }

/* ---- Exponential linear units ---------------------------------------------------------------- */

/* From here on expm1(-x) is -1. Where x is positive exp may overflow: a selection discards it. */
#define EXPM1_NEAR PICK(30, 60)

/* alpha expm1(y), given expm1(y). */
static inline vec times_expm1(vec alpha, vec expm1)
{
    vec product = alpha * expm1;
    mask not_one = vec_less(SPLAT(0), vec_abs(alpha - SPLAT(1)));
    if (!SUGAR_NARROWS || !vec_any(not_one)) return product;
    vec rest = vec_fma(alpha, expm1, -product);
    /* Near 0, where expm1 is y, and far out, where it is -1, the exact one is above. */
    vec rounded = last_rounding(product, vec_select(vec_less(SPLAT(0), vec_abs(rest)), rest, alpha));
    return vec_select(not_one, rounded, product);
}

static inline vec elu_value(vec x, const vec *p)
{
    exp_parts e = exp_near(vec_max(SPLAT(-EXPM1_NEAR), x));
    vec expm1 = vec_fma(e.power, e.p, e.power - SPLAT(1));
    return where_positive(x, x, times_expm1(p[0], expm1));
}
RARE vec elu_derivative_far(vec x, const vec *p)
{
    scaled e = exp_of_negative(pair_of(non_positive(x)));
    return times_pair(p[0], e.value) * e.scale;
}
static inline vec elu_derivative(vec x, const vec *p)
{
    mask far = vec_less(x, SPLAT(-EXP_NEAR));
    exp_parts e = exp_near(x);
    vec power = p[0] * e.power;
    vec near = where_positive(x, SPLAT(1), vec_fma(power, e.p, power));
    return or_far(near, far, elu_derivative_far, x, p);
}

static inline vec elu_slope(vec x, const vec *p)
{
    (void)p;
    return expm1_near(pair_of(vec_max(SPLAT(-EXPM1_NEAR), non_positive(x))));
}

/* x / alpha as a pair, because exp magnifies its error by its size. The reciprocal is computed once per call. */
static inline pair celu_argument(vec x, vec alpha)
{
    pair r = pair_reciprocal(pair_of(alpha));
    vec y = x * r.hi;
    return (pair){y, vec_fma(x, r.lo, vec_fma(x, r.hi, -y))};
}
/* Close to 0 the result is x, while x / alpha may be subnormal. */
#define CELU_TINY PICK(0x1p-48, 0x1p-80)
static inline vec celu_value(vec x, const vec *p)
{
    pair y = celu_argument(vec_max(SPLAT(-EXPM1_NEAR) * p[0], x), p[0]);
    vec below = times_expm1(p[0], expm1_near(y));
    return vec_select(vec_less(SPLAT(-CELU_TINY), x), x, below);
}
RARE vec celu_derivative_far(vec x, const vec *p)
{
    return scaled_round(exp_of_negative(celu_argument(vec_max(SPLAT(-FAR), non_positive(x)), p[0])));
}
static inline vec celu_derivative(vec x, const vec *p)
{
    pair y = celu_argument(x, p[0]);
    exp_parts e = exp_near_pair(y);
    vec near = where_positive(x, SPLAT(1), vec_fma(e.power, e.p, e.power));
    return or_far(near, vec_less(y.hi, SPLAT(-EXP_NEAR)), celu_derivative_far, x, p);
}

/* expm1(u) - u exp(u) = u^2 (-1/2 + u Q(u)) on -1 <= u <= 0; relative error 2^-27.9 (f32), 2^-59.7 (f64). */
static const real celu_slope_tail[] = {
#if SUGAR_ELEMENT == 32
    -0x1.555556p-2f, -0x1.000024p-3f, -0x1.11154p-5f, -0x1.c780e6p-8f, -0x1.3a08f8p-10f, -0x1.6fb28ap-13f,
    -0x1.32f218p-16f
#else
    -0x1.5555555555555p-2, -0x1.fffffffffff7fp-4, -0x1.111111110f3edp-5, -0x1.c71c71c657b2dp-8,
    -0x1.38138120b128cp-10, -0x1.6c16bdf77f033p-13, -0x1.71dde4756a5ep-16, -0x1.4cdbf7959f3e1p-19,
    -0x1.0cbe0b18ce8f2p-22, -0x1.869c9c979dbbcp-26, -0x1.ea290d7158b1bp-30, -0x1.9e6b5882c1741p-34
#endif
};
static inline vec celu_slope(vec x, const vec *p)
{
    pair u = celu_argument(vec_max(SPLAT(-EXPM1_NEAR) * p[0], non_positive(x)), p[0]);
    exp_and_expm1 e = exp_and_expm1_of_negative(u);
    vec outer = pair_sum(pair_add(e.expm1, pair_negate(pair_multiply(u, e.exp))));
    vec q = POLYNOMIAL(celu_slope_tail, u.hi), half = SPLAT(-0.5);
    pair series = {vec_fma(u.hi, q, half), SPLAT(0)};
    series.lo = vec_fma(u.lo, q, vec_fma(u.hi, q, half - series.hi));
    return vec_select(vec_less(u.hi, SPLAT(-1)), outer, product_of_pairs(pair_square(u), series));
}

/* lambda and lambda a of arXiv 1706.02515, to more digits from the fixed point that defines them. */
#define SELU_LAMBDA 0x1.0cfabd6a91132p+0
#define SELU_LAMBDA_A PAIR(0x1.c212cc640f031p+0, 0x1.05161b045a1fep-56)
static inline vec selu_value(vec x, const vec *p)
{
    (void)p;
    exp_parts e = exp_near(vec_max(SPLAT(-EXPM1_NEAR), x));
    vec below = times_pair(vec_fma(e.power, e.p, e.power - SPLAT(1)), SELU_LAMBDA_A);
    return where_positive(x, SPLAT(SELU_LAMBDA) * x, below);
}
RARE vec selu_derivative_far(vec x, const vec *p)
{
    (void)p;
    scaled e = exp_of_negative(pair_of(non_positive(x)));
    return pair_round(pair_multiply(SELU_LAMBDA_A, e.value)) * e.scale;
}
static inline vec selu_derivative(vec x, const vec *p)
{
    exp_parts e = exp_near(x);
    vec near = where_positive(x, SPLAT(SELU_LAMBDA), times_exp(SELU_LAMBDA_A, e));
    return or_far(near, vec_less(x, SPLAT(-EXP_NEAR)), selu_derivative_far, x, p);
}

/* ---- Logistic family ------------------------------------------------------------------------- */

RARE vec sigmoid_far(vec x, const vec *p)
{
    (void)p;
    logistic s = logistic_of(pair_of(x));
    return pair_round(s.value) * s.scale;
}
static inline vec sigmoid_value(vec x, const vec *p)
{
    mask far = vec_less(SPLAT(EXP_NEAR), vec_abs(x));
    return or_far(SPLAT(1) / one_plus_exp(exp_near(-x)), far, sigmoid_far, x, p);
}

/* s (1 - s) with s = 1 / (1 + e), e = exp(|x|). */
static inline pair logistic_slope_near(exp_parts e)
{
    if (SUGAR_NARROWS) {
        vec reciprocal = SPLAT(1) / one_plus_exp(e);
        return pair_of(vec_fnma(reciprocal, reciprocal, reciprocal));
    }
    pair s = pair_reciprocal(one_plus_exp_pair(e));
    return (pair){vec_fnma(s.hi, s.hi, s.hi), s.lo * vec_fnma(SPLAT(2), s.hi, SPLAT(1))};
}
#if SUGAR_ELEMENT == 32
/* E / (1 + E)^2 */
RARE vec sigmoid_derivative_tail(vec x, const vec *p)
{
    (void)p;
    vec e = exp_of_tail(vec_abs(x)).value;
    return vec_fma(e * e, vec_fma(SPLAT(3), e, SPLAT(-2)), e);
}
static inline vec sigmoid_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x);
    piece d = piece_of(logistic_slope_table, 7, a, unit_index(a));
    return or_far(d.constant + d.rest, vec_less(SPLAT(UNIT_TABLE_LIMIT), a), sigmoid_derivative_tail, x, p);
}
#else
RARE vec sigmoid_derivative_far(vec x, const vec *p)
{
    (void)p;
    return scaled_round(logistic_slope(pair_of(x)));
}
static inline vec sigmoid_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x), near = pair_round(logistic_slope_near(exp_near(a)));
    return or_far(near, vec_less(SPLAT(EXP_NEAR), a), sigmoid_derivative_far, x, p);
}
#endif

/* s(y) (1 + z s(-y)): with z = y that of silu, with z = x + alpha that of B-SiLU. */
static inline vec gated_derivative(logistic s, pair z)
{
    pair bracket = pair_add(pair_of(SPLAT(1)), pair_multiply(z, s.complement));
    return pair_round(pair_multiply(s.value, bracket)) * s.scale;
}

RARE vec silu_far(vec x, const vec *p)
{
    vec bounded_below = vec_max(SPLAT(-FAR), x);
    logistic s = logistic_of(two_product(p[0], bounded_below));
    return times_pair_to_infinity(bounded_below, s.value) * s.scale;
}
static inline vec silu_value(vec x, const vec *p)
{
    pair y = two_product(p[0], x);
    mask far = vec_less(SPLAT(EXP_NEAR), vec_abs(y.hi));
    exp_parts e = exp_near_pair(pair_negate(y));
    return above_half(x, or_far(x / one_plus_exp(e), far, silu_far, x, p));
}
RARE vec silu_derivative_far(vec x, const vec *p)
{
    pair y = two_product(p[0], bounded(x, FAR));
    return gated_derivative(logistic_of(y), y);
}

/* The same as (1 + E (1 + z)) / (1 + E)^2 with E = exp(-y), for |y| <= GATED_NEAR, where (1 + E)^2 is
 * finite; gate = 1 + z. */
#define GATED_NEAR PICK(43, 350)
static inline vec gated_derivative_near(pair y, pair gate)
{
    exp_parts parts = exp_near_full(pair_negate(y));
    pair e = exp_pair(parts);
    vec numerator = vec_fma(e.hi, gate.hi, SPLAT(1));
    /* What that rounding lost. (fma(e, gate, 1 - numerator) is not as good: 1 - numerator is inexact where
     * it passes a power of two, and one f32 in 2^32 missed the bound.) */
    vec lost = SPLAT(1) + vec_fma(e.hi, gate.hi, -numerator);
    vec numerator_lo = vec_fma(e.lo, gate.hi, vec_fma(e.hi, gate.lo, lost));
    return pair_quotient((pair){numerator, numerator_lo}, pair_square(one_plus_exp_pair(parts)));
}

/* The same without pairs, for elements that are shorter than `real`, and the formula with pairs for lanes that lie
 * next to the root, where the terms cancel, or beyond GATED_NEAR. */
static inline __attribute__((always_inline)) vec gated_derivative_short(vec y, vec gate,
                                                                       vec (*full)(vec, const vec *), vec x,
                                                                       const vec *p)
{
    exp_parts parts = exp_near(-y);
    vec e = vec_fma(parts.power, parts.p, parts.power), numerator = vec_fma(e, gate, SPLAT(1)), sum = SPLAT(1) + e;
    vec from_root = vec_abs(numerator) - SPLAT(0x1p-6), from_limit = SPLAT(GATED_NEAR) - vec_abs(y);
    return or_far(numerator / (sum * sum), vec_less(vec_min(from_root, from_limit), SPLAT(0)), full, x, p);
}

RARE_IN_F32 vec silu_derivative_near(vec x, const vec *p)
{
    pair y = two_product(p[0], x);
    mask far = vec_less(SPLAT(GATED_NEAR), vec_abs(y.hi));
    return or_far(gated_derivative_near(y, pair_add(pair_of(SPLAT(1)), y)), far, silu_derivative_far, x, p);
}
#if SUGAR_ELEMENT == 32
/* t for y < 0 and 1 - t for y >= 0; far out, with E = exp(-a), a = |y|, t = E (1 - a) + E^2 (2 a - 1) + ... */
static inline vec silu_derivative_wide(vec x, const vec *p)
{
    pair a = two_product(p[0], vec_min(SPLAT(FAR), vec_abs(x)));
    piece_or_exp d = piece_or_exp_of(silu_slope_table, 7, a.hi, -a.lo);
    vec t = d.at.constant + d.at.rest, power = (SPLAT(1) - a.hi) * d.power;
    vec next = vec_fma(SPLAT(2), a.hi, SPLAT(-1)), third = vec_fma(SPLAT(-2.9946), a.hi, SPLAT(0.9982));
    vec gate_lo = vec_fma(d.value, vec_fma(d.value, third, next), -a.lo);
    vec far = power + vec_fma(power, d.at.rest, d.power * t * gate_lo);
    t = vec_select(d.far, far * d.scale, t);
    return vec_select(vec_less(x, SPLAT(0)), t, SPLAT(1) - t);
}
static inline vec silu_derivative(vec x, const vec *p)
{
    if (SUGAR_NARROWS) return gated_derivative_short(p[0] * x, vec_fma(p[0], x, SPLAT(1)), silu_derivative_near, x, p);
    pair y = two_product(p[0], x), a = pair_abs(y);
    if (is_rare(vec_less(SPLAT(EXP_PIECE_LIMIT), a.hi))) return silu_derivative_wide(x, p);
    piece d = piece_of_pair(silu_slope_table, 7, a, unit_index(a.hi));
    vec t = d.constant + d.rest;
    return vec_select(vec_less(y.hi, SPLAT(0)), t, SPLAT(1) - t);
}
#else
static inline vec silu_derivative(vec x, const vec *p) { return silu_derivative_near(x, p); }
#endif

/* exp(-a) and s(a), where the first times a^2 / beta^2 may be no zero yet: in f32 beyond exp_of_negative's limit. */
typedef struct { scaled e; pair s; } logistic_far;

static inline logistic_far logistic_far_of(pair a)
{
    pair y = pair_negate(a);
#if SUGAR_ELEMENT == 32
    mask far = vec_less(y.hi, SPLAT(-100));
    y = pair_select(far, pair_add(y, PAIR(0x1.bb9d3beb8c86bp+4, 0x1.6bc5ca07e04fp-55)), y);    /* 40 ln(2) */
    scaled e = exp_of_negative(y);
    e.scale = e.scale * vec_select(far, SPLAT(0x1p-40), SPLAT(1));
#else
    scaled e = exp_of_negative(y);
#endif
    pair sum = fast_two_sum(SPLAT(1), e.value.hi);
    sum.lo = sum.lo + e.value.lo;
    return (logistic_far){e, pair_reciprocal(sum)};
}

/* x^2 s(y) s(-y) */
static inline vec silu_slope(vec x, const vec *p)
{
    vec near = vec_abs(bounded(x, FAR));
    logistic_far l = logistic_far_of(two_product(p[0], near));
    pair slope = pair_multiply(l.e.value, pair_square(l.s));
    return pair_sum(pair_multiply(two_product(near, near), slope)) * l.e.scale;
}

/* u as in the catalogue: gelu_tanh(x) = x s(2u), 2u = x (A + B x^2), (2u)' = A + 3 B x^2 with
 * A = 2 sqrt(2/pi), B = 0.044715 A. */
#define GELU_TANH_A PAIR(0x1.9884533d43651p+0, -0x1.cbc0d30ebfd15p-54)
#define GELU_TANH_B PAIR(0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c7p-61)
#define GELU_TANH_3B PAIR(0x1.b6676bf7450fp-3, 0x1.bba7351828aabp-57)
#define GELU_TANH_LOWEST PICK(-10.9375, -22.25) /* -0 below, as the derivative */
/* Where -2u passes EXP_NEAR; on the other side s is 1 there. */
#define GELU_TANH_NEAR PICK(9.5, 20.5)
#if SUGAR_ELEMENT == 32
/* x (a + b x^2), where a.hi has so few digits that a sum with it in front loses none of them. */
static inline pair gelu_tanh_cubic(pair a, pair b, vec x)
{
    pair square = two_product(x, x);
    vec w = vec_fma(b.hi, square.hi, a.hi), y = x * w;
    vec w_lo = vec_fma(b.hi, square.hi, a.hi - w) + vec_fma(b.hi, square.lo, vec_fma(b.lo, square.hi, a.lo));
    return (pair){y, vec_fma(x, w_lo, vec_fma(x, w, -y))};
}

/* exp(-2u), and n more in power's exponent if rounder is VEC_ROUNDER + n: 2u log2(e) = x (A' + B' x^2). */
static inline exp_parts gelu_tanh_exp2(vec x, vec rounder)
{
    pair a = {SPLAT(0x1.26ap+1), SPLAT(0x1.d84379ceb2977p-12)};
    pair b = {SPLAT(0x1.a5a7dp-4), SPLAT(-0x1.151aad0dc8e4ap-29)};
    return exp2_of_minus(gelu_tanh_cubic(a, b, x), rounder);
}

static inline exp_parts gelu_tanh_exp(vec x)
{
    if (SUGAR_NARROWS) return exp_short(-x * vec_fma(GELU_TANH_B.hi, x * x, GELU_TANH_A.hi));
    return gelu_tanh_exp2(x, VEC_ROUNDER);
}

/* Here s(2u) is exp(2u). */
RARE vec gelu_tanh_tail(vec x, const vec *p)
{
    (void)p;
    vec a = tail_distance(GELU_TANH_LOWEST, -GELU_TANH_NEAR, x);
    exp_parts e = gelu_tanh_exp2(a, VEC_ROUNDER + SPLAT(DECAY_SHIFT));
    vec power = -a * e.power;
    return tail_lowered(GELU_TANH_LOWEST, x, vec_fma(power, e.p, power));
}
#else
#define GELU_TANH_LIMIT 25 /* where 2u passes EXP_LIMIT */
static inline pair gelu_tanh_argument(vec x)
{
    pair square = two_product(x, x);
    return pair_multiply(pair_add(GELU_TANH_A, pair_multiply(GELU_TANH_B, square)), pair_of(x));
}
static inline exp_parts gelu_tanh_exp(vec x) { return exp_near_pair(pair_negate(gelu_tanh_argument(x))); }

/* For x < -GELU_TANH_NEAR, where s(2u) is exp(2u). */
RARE vec gelu_tanh_far(vec x, const vec *p)
{
    (void)p;
    x = vec_max(SPLAT(-GELU_TANH_LIMIT), non_positive(x));
    scaled e = exp_of_negative(gelu_tanh_argument(x));
    return times_pair(x, e.value) * e.scale;
}
RARE vec gelu_tanh_tail(vec x, const vec *p)
{
    vec inner = vec_select(vec_less(x, SPLAT(GELU_TANH_LOWEST)), SPLAT(0), x);
    return or_far(SPLAT(-0.0), vec_less(inner, SPLAT(-GELU_TANH_NEAR)), gelu_tanh_far, inner, p);
}
#endif
static inline vec gelu_tanh_value(vec x, const vec *p)
{
    vec near = x / one_plus_exp(gelu_tanh_exp(bounded(x, GELU_TANH_NEAR)));
    return above_half(x, or_far(near, vec_less(x, SPLAT(-GELU_TANH_NEAR)), gelu_tanh_tail, x, p));
}
#if SUGAR_ELEMENT == 32
/* exp(2u) (1 + 2 x u'). */
RARE vec gelu_tanh_derivative_tail(vec x, const vec *p)
{
    (void)p;
    vec a = tail_distance(GELU_TANH_LOWEST, -NORMAL_TABLE_LIMIT, x);
    exp_parts e = gelu_tanh_exp2(a, VEC_ROUNDER + SPLAT(DECAY_SHIFT));
    pair short_a = {SPLAT(0x1.98p+0), SPLAT(0x1.08a67a86ca2p-9)}, slope = gelu_tanh_cubic(short_a, GELU_TANH_3B, a);
    pair gate = fast_two_sum(-slope.hi, SPLAT(1));
    gate.lo = gate.lo - slope.lo;
    vec rest = vec_fma(gate.hi + gate.lo, e.p, gate.lo);
    return tail_lowered(GELU_TANH_LOWEST, x, vec_fma(e.power, gate.hi, e.power * rest));
}
/* t at x < 0 and 1 - t at x >= 0. */
static inline vec gelu_tanh_derivative_by_table(vec x, const vec *p)
{
    vec a = vec_min(SPLAT(NORMAL_TABLE_LIMIT), vec_abs(x));
    scaled_piece d = table_times_exp(gelu_tanh_slope_table, 7, a, gelu_tanh_exp(a));
    vec t = vec_fma(d.power, d.constant, d.power * d.rest);
    vec result = vec_select(vec_less(x, SPLAT(0)), t, SPLAT(1) - t);
    return or_far(result, vec_less(x, SPLAT(-NORMAL_TABLE_LIMIT)), gelu_tanh_derivative_tail, x, p);
}
RARE vec gelu_tanh_derivative_full(vec x, const vec *p) { return gelu_tanh_derivative_by_table(x, p); }
/* (f16, ns per element: .49 by the short formula, .62 by the table; AVX2.) */
static inline vec gelu_tanh_derivative(vec x, const vec *p)
{
    if (!SUGAR_NARROWS) return gelu_tanh_derivative_by_table(x, p);
    vec square = x * x, y = x * vec_fma(GELU_TANH_B.hi, square, GELU_TANH_A.hi);
    vec gate = vec_fma(x, vec_fma(GELU_TANH_3B.hi, square, GELU_TANH_A.hi), SPLAT(1));
    return gated_derivative_short(y, gate, gelu_tanh_derivative_full, x, p);
}
#else
#define GELU_TANH_GATED_NEAR 15.5
RARE vec gelu_tanh_derivative_far(vec x, const vec *p)
{
    (void)p;
    x = bounded(x, GELU_TANH_LIMIT);
    pair square = two_product(x, x);
    pair slope = pair_add(GELU_TANH_A, pair_multiply(GELU_TANH_3B, square));
    return gated_derivative(logistic_of(gelu_tanh_argument(x)), pair_multiply(slope, pair_of(x)));
}
static inline vec gelu_tanh_derivative(vec x, const vec *p)
{
    mask far = vec_less(SPLAT(GELU_TANH_GATED_NEAR), vec_abs(x));
    pair square = two_product(x, x);
    pair slope = pair_add(GELU_TANH_A, pair_multiply(GELU_TANH_3B, square));
    pair gate = pair_add(pair_of(SPLAT(1)), pair_multiply(slope, pair_of(x)));
    return or_far(gated_derivative_near(gelu_tanh_argument(x), gate), far, gelu_tanh_derivative_far, x, p);
}
#endif

/* (x + alpha) s(x) - alpha/2 = x s(x) + alpha/2 tanh(x/2): the two terms have the same sign. With
 * e = exp(-|x|) and E = e - 1, s(x) is 1 / (2 + E) or e / (2 + E), tanh(|x|/2) is -E / (2 + E). */
RARE vec bsilu_far(vec x, const vec *p)
{
    mask negative = vec_less(x, SPLAT(0));
    vec near = vec_min(SPLAT(FAR), vec_max(SPLAT(-EXP_LIMIT), x));
    exp_and_expm1 e = exp_and_expm1_of_negative(pair_of(-vec_abs(near)));
    pair half_alpha = pair_of(SPLAT(0.5) * p[0]);
    pair first = pair_select(negative, pair_multiply(e.exp, pair_of(near)), pair_of(near));
    pair second = pair_multiply(half_alpha, pair_select(negative, e.expm1, pair_negate(e.expm1)));
    pair denominator = fast_two_sum(SPLAT(2), e.expm1.hi);
    denominator.lo = denominator.lo + e.expm1.lo;
    vec result = pair_round(pair_multiply(pair_add(first, second), pair_reciprocal(denominator)));
    return vec_select(vec_less(SPLAT(FAR), x), x + half_alpha.hi, result);
}
/* The same as (x + alpha/2 (1 - E)) / (1 + E) with E = exp(-x), where |x| <= GATED_NEAR. */
static inline vec bsilu_near(vec x, const vec *p)
{
    mask far = vec_less(SPLAT(GATED_NEAR), vec_abs(x));
    exp_parts e = exp_near(-x);
    vec half_alpha = SPLAT(0.5) * p[0], base = SPLAT(1) - e.power;
    vec m = vec_fnma(e.power, e.p, base), m_lo = vec_fnma(e.power, e.p, base - m);
    pair second = two_product(half_alpha, m);
    pair numerator = pair_add(pair_of(x), (pair){second.hi, vec_fma(half_alpha, m_lo, second.lo)});
    pair y = pair_divide(numerator, one_plus_exp_pair(e));
    return or_far(last_rounding(y.hi, y.lo), far, bsilu_far, x, p);
}
/* silu(x) + alpha tanh(x/2) / 2. The tables are for one alpha. */
#if SUGAR_ELEMENT == 32 && !SUGAR_NARROWS
RARE vec bsilu_beyond_table(vec x, const vec *p) { return bsilu_near(x, p); }
static inline vec bsilu_value(vec x, const vec *p)
{
    vec near = sum_of_tables(silu_signed_table, half_tanh_half_signed_table, 8, p[0], x);
    return or_far(near, vec_less(SPLAT(SIGNED_TABLE_LIMIT), vec_abs(x)), bsilu_beyond_table, x, p);
}
#else
RARE vec bsilu_full(vec x, const vec *p) { return bsilu_near(x, p); }
/* In short elements without pairs, but for results next to a middle and for tails (.86 ns per f16 with them, about
 * .4 without, AVX2). */
static inline vec bsilu_value(vec x, const vec *p)
{
    if (!SUGAR_NARROWS) return bsilu_near(x, p);
    exp_parts e = exp_near(-x);
    vec m = vec_fnma(e.power, e.p, SPLAT(1) - e.power);
    vec y = vec_fma(SPLAT(0.5) * p[0], m, x) / (SPLAT(2) - m);
    y = or_far(y, near_middle(y, 8), bsilu_full, x, p);
    return or_far(y, vec_less(SPLAT(GATED_NEAR), vec_abs(x)), bsilu_full, x, p);
}
#endif
RARE vec bsilu_derivative_far(vec x, const vec *p)
{
    x = bounded(x, FAR);
    return gated_derivative(logistic_of(pair_of(x)), two_sum(x, p[0]));
}
RARE_IN_F32 vec bsilu_derivative_near(vec x, const vec *p)
{
    mask far = vec_less(SPLAT(GATED_NEAR), vec_abs(x));
    pair gate = pair_add(pair_of(x), two_sum(SPLAT(1), p[0]));
    return or_far(gated_derivative_near(pair_of(x), gate), far, bsilu_derivative_far, x, p);
}
/* silu'(x) + alpha s(x) s(-x) */
#if SUGAR_ELEMENT == 32 && !SUGAR_NARROWS
static inline vec bsilu_derivative(vec x, const vec *p)
{
    vec near = sum_of_tables(silu_slope_signed_table, logistic_slope_signed_table, 7, p[0], x);
    return or_far(near, vec_less(SPLAT(SIGNED_TABLE_LIMIT), vec_abs(x)), bsilu_derivative_near, x, p);
}
#else
static inline vec bsilu_derivative(vec x, const vec *p)
{
    if (!SUGAR_NARROWS) return bsilu_derivative_near(x, p);
    pair one_plus_alpha = two_sum(SPLAT(1), p[0]);
    vec gate = (x + one_plus_alpha.hi) + one_plus_alpha.lo;
    return gated_derivative_short(x, gate, bsilu_derivative_near, x, p);
}
#endif

#if SUGAR_ELEMENT == 32 && !SUGAR_NARROWS
static inline vec bsilu_each_value(vec x, const vec *p) { return bsilu_near(x, p); }
static inline vec bsilu_each_derivative(vec x, const vec *p) { return bsilu_derivative_near(x, p); }
#else
static inline vec bsilu_each_value(vec x, const vec *p) { return bsilu_value(x, p); }
static inline vec bsilu_each_derivative(vec x, const vec *p) { return bsilu_derivative(x, p); }
#endif

/* tanh(x/2) / 2 */
static inline vec bsilu_slope(vec x, const vec *p)
{
    (void)p;
    return vec_copysign(SPLAT(0.5) * pair_sum(tanh_of_abs(SPLAT(0.5) * x)), x);
}

/* tanh(softplus(x)) = N / D: with e = exp(-|x|), N = 1 + 2e and D = 1 + 2e + 2e^2 for x >= 0; for
 * x < 0, times e^2, N = e^2 + 2e and D = e^2 + 2e + 2. */
typedef struct { mask negative; scaled e; pair e_squared, n, reciprocal_d; } mish_parts;

static inline mish_parts mish_of(vec x)
{
    mask negative = vec_less(x, SPLAT(0));
    scaled e = exp_of_negative(pair_of(-vec_abs(x)));
    pair e2 = pair_square(e.value);
    pair n = pair_add(pair_scale(e.value, SPLAT(2)), pair_select(negative, e2, pair_of(SPLAT(1))));
    pair d = pair_add(n, pair_scale(pair_select(negative, pair_of(SPLAT(1)), e2), SPLAT(2)));
    return (mish_parts){negative, e, e2, n, pair_reciprocal(d)};
}

/* From here on N / D is 1. */
#define MISH_ONE PICK(20, 40)
/* Short elements are faster without the table: .40 ns per f16 instead of .58 (AVX2). */
#if SUGAR_ELEMENT == 32 && !SUGAR_NARROWS
/* -a (E - E^2/2) or a (1 - 2 E^2) */
RARE vec mish_tail(vec x, const vec *p)
{
    (void)p;
    vec near = bounded(x, FAR);
    small_exp e = exp_of_tail(vec_abs(x));
    vec power = near * e.power, raised = vec_fma(power, e.p, power);
    vec below = vec_fma(raised, SPLAT(-0.5) * e.value, raised) * e.scale;
    vec above = vec_fma(near * e.value, SPLAT(-2) * e.value, x);
    return vec_select(vec_less(x, SPLAT(0)), below, above);
}
static inline vec mish_value(vec x, const vec *p)
{
    vec a = vec_abs(x);
    piece t = piece_of_two(mish_above_table, mish_below_table, vec_less(x, SPLAT(0)), 8, a, unit_index(a));
    vec near = vec_fma(x, t.constant, x * t.rest);
    return or_far(near, vec_less(SPLAT(UNIT_TABLE_LIMIT), a), mish_tail, x, p);
}
#else
RARE vec mish_far(vec x, const vec *p)
{
    (void)p;
    vec bounded_below = vec_max(SPLAT(-FAR), x);
    mish_parts m = mish_of(x);
    vec scale = vec_select(m.negative, m.e.scale, SPLAT(1));
    return times_pair_to_infinity(bounded_below, pair_multiply(m.n, m.reciprocal_d)) * scale;
}
/* With w = exp(x): N = w^2 + 2w, D = N + 2. */
static inline vec mish_value(vec x, const vec *p)
{
    pair w = exp_pair(exp_near(vec_min(SPLAT(MISH_ONE), x)));
    vec two_w = w.hi + w.hi;
    vec n = vec_fma(w.hi, w.hi, two_w);
    vec n_lo = vec_fma(w.lo, two_w + SPLAT(2), vec_fma(w.hi, w.hi, two_w - n));
    vec d = n + SPLAT(2), d_lo = (n - (d - SPLAT(2))) + n_lo;
    vec r = SPLAT(1) / d, q = n * r;
    vec q_lo = r * vec_fnma(q, d_lo, vec_fnma(q, d, n) + n_lo);
    vec near = times_pair_to_infinity(x, (pair){q, q_lo});
    return or_far(near, vec_less(x, SPLAT(-EXP_NEAR)), mish_far, x, p);
}
#endif
#if SUGAR_ELEMENT == 32
/* E (1 - a) + E^2 (a - 1/2) or 1 + (4 a - 2) (E^2 - 3 E^3) */
RARE vec mish_derivative_tail(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(FAR), vec_abs(x));
    small_exp e = exp_of_tail(a);
    vec power = (SPLAT(1) - a) * e.power, rest = vec_fma(e.power, e.p, e.power) * (e.value * (a - SPLAT(0.5)));
    vec square = e.value * vec_fma(SPLAT(-3) * e.value, e.value, e.value);
    vec above = vec_fma(square, vec_fma(SPLAT(4), a, SPLAT(-2)), SPLAT(1));
    return vec_select(vec_less(x, SPLAT(0)), (power + vec_fma(power, e.p, rest)) * e.scale, above);
}
static inline vec mish_derivative_by_table(vec x, const vec *p)
{
    vec a = vec_abs(x);
    piece d = piece_of_two(mish_slope_above_table, mish_slope_below_table, vec_less(x, SPLAT(0)), 8, a,
                           unit_index(a));
    return or_far(d.constant + d.rest, vec_less(SPLAT(UNIT_TABLE_LIMIT), a), mish_derivative_tail, x, p);
}
RARE vec mish_derivative_full(vec x, const vec *p) { return mish_derivative_by_table(x, p); }
/* In short elements as in f64, without pairs; next to the root and far out by the table (.49 ns per f16, and .54 by
 * the table alone; AVX2). */
static inline vec mish_derivative(vec x, const vec *p)
{
    if (!SUGAR_NARROWS) return mish_derivative_by_table(x, p);
    exp_parts e = exp_near(vec_min(SPLAT(MISH_ONE), x));
    vec w = vec_fma(e.power, e.p, e.power), a = SPLAT(1) + w, d = vec_fma(a, a, SPLAT(1));
    vec sum = vec_fma(SPLAT(4) * x, a, vec_fma(a, d, d));
    vec from_root = vec_abs(sum) - SPLAT(0x1p-5), from_limit = SPLAT(MISH_ONE) - vec_abs(x);
    mask far = vec_less(vec_min(from_root, from_limit), SPLAT(0));
    return or_far(w * sum / (d * d), far, mish_derivative_full, x, p);
}
#else
/* N / D + x s(x) (D - N) (D + N) / D^2, where x s(x) (D - N) (D + N) = 4 x (1 + e) times e for x < 0
 * and e^2 for x >= 0. */
RARE vec mish_derivative_far(vec x, const vec *p)
{
    (void)p;
    mish_parts m = mish_of(x);
    pair factor = pair_select(m.negative, m.e.value, m.e_squared);
    pair one_plus_e = pair_add(pair_of(SPLAT(1)), m.e.value);
    pair four_x = pair_of(SPLAT(4) * bounded(x, FAR));
    pair slope = pair_multiply(pair_multiply(factor, four_x), pair_multiply(one_plus_e, m.reciprocal_d));
    pair sum = pair_multiply(pair_add(m.n, slope), m.reciprocal_d);
    return pair_round(sum) * vec_select(m.negative, m.e.scale, SPLAT(1));
}

/* The same with w = exp(x) and a = 1 + w: w ((1 + a) (1 + a^2) + 4 x a) / (1 + a^2)^2. */
static inline vec mish_derivative(vec x, const vec *p)
{
    mask far = vec_less(SPLAT(MISH_ONE), vec_abs(x));
    exp_parts parts = exp_near(x);
    pair one = pair_of(SPLAT(1)), w = exp_pair(parts), a = one_plus_exp_pair(parts);
    pair d = pair_square(a);
    d = (pair){d.hi + SPLAT(1), (d.hi - ((d.hi + SPLAT(1)) - SPLAT(1))) + d.lo};
    pair sum = pair_add(pair_multiply(pair_add(one, a), d), pair_multiply(a, pair_of(SPLAT(4) * x)));
    return or_far(pair_quotient(pair_multiply(w, sum), pair_square(d)), far, mish_derivative_far, x, p);
}
#endif

/* max(x, 0) + log1p(exp(-|beta x|)) / beta: adding last, so that one term may be infinite. */
#if SUGAR_ELEMENT == 32
/* (constant + rest + lost) factor */
static inline vec softplus_quotient(piece l, pair factor)
{
    if (SUGAR_NARROWS) return (l.constant + l.rest) * factor.hi;
    vec low = vec_fma(l.constant, factor.lo, l.lost * factor.hi);
    return vec_fma(l.constant, factor.hi, vec_fma(l.rest, factor.hi, low));
}
static inline vec softplus_wide(vec x, const vec *p)
{
    pair factor = pair_reciprocal(pair_of(p[0])), a = two_product(p[0], vec_min(SPLAT(FAR), vec_abs(x)));
    piece_or_exp l = piece_or_exp_of(softplus_table, 7, a.hi, -a.lo);
    vec power = l.power * factor.hi, rest = vec_fma(power, l.at.rest, l.power * factor.lo);
    vec raised = power + vec_fma((power + rest) * l.value, log1p_growth(l.value), rest);
    vec positive = vec_max(SPLAT(0), x), far = vec_fma(raised, l.scale, positive);
    return vec_select(l.far, far, positive + softplus_quotient(l.at, factor));
}
static inline vec softplus_value(vec x, const vec *p)
{
    pair a = two_product(p[0], vec_abs(x)), factor = pair_reciprocal(pair_of(p[0]));
    if (is_rare(vec_less(SPLAT(EXP_PIECE_LIMIT), a.hi))) return softplus_wide(x, p);
    piece l = piece_of_pair(softplus_table, 7, a, unit_index(a.hi));
    return vec_max(SPLAT(0), x) + softplus_quotient(l, factor);
}
#else
RARE vec softplus_far(vec x, const vec *p)
{
    pair y = two_product(p[0], vec_abs(bounded(x, FAR)));
    scaled log1p_exp = log1p_exp_of_negative(pair_negate(y));
    pair quotient = pair_multiply(log1p_exp.value, pair_reciprocal(pair_of(p[0])));
    return vec_max(SPLAT(0), x) + pair_round(quotient) * log1p_exp.scale;
}
static inline vec softplus_value(vec x, const vec *p)
{
    pair y = two_product(p[0], -vec_abs(x));
    pair half = half_log1p(exp_pair(exp_near_pair(y)));
    pair factor = pair_scale(pair_reciprocal(pair_of(p[0])), SPLAT(2));
    vec quotient = vec_fma(half.hi, factor.hi, vec_fma(half.lo, factor.hi, half.hi * factor.lo));
    return or_far(vec_max(SPLAT(0), x) + quotient, vec_less(y.hi, SPLAT(-EXP_PAIR_NEAR)), softplus_far, x, p);
}
#endif
RARE vec softplus_derivative_far(vec x, const vec *p)
{
    logistic s = logistic_of(two_product(p[0], bounded(x, FAR)));
    return pair_round(s.value) * s.scale;
}
static inline vec softplus_derivative(vec x, const vec *p)
{
    pair y = two_product(p[0], x);
    vec near = SPLAT(1) / one_plus_exp(exp_near_pair(pair_negate(y)));
    return or_far(near, vec_less(SPLAT(EXP_NEAR), vec_abs(y.hi)), softplus_derivative_far, x, p);
}

/* -(a s(-a) + log1p(exp(-a))) / beta^2 with a = |beta x|. Raised, so that nothing but the result is subnormal. */
#define SOFTPLUS_SLOPE_RAISE 0x1p30
static inline vec softplus_slope(vec x, const vec *p)
{
    pair a = two_product(p[0], vec_abs(bounded(x, FAR)));
    logistic_far l = logistic_far_of(a);
    pair gate = pair_multiply(a, pair_multiply(l.e.value, l.s));
    pair factor = pair_square(pair_scale(pair_reciprocal(pair_of(p[0])), SPLAT(SOFTPLUS_SLOPE_RAISE)));
    vec raised = pair_sum(pair_multiply(pair_add(gate, log1p_pair(l.e.value)), factor));
    return raised * l.e.scale * SPLAT(-1 / (SOFTPLUS_SLOPE_RAISE * SOFTPLUS_SLOPE_RAISE));
}

#if SUGAR_ELEMENT == 32
RARE vec log_sigmoid_tail(vec x, const vec *p)
{
    (void)p;
    vec e = exp_of_tail(vec_abs(x)).value;
    return non_positive(x) - vec_fma(e * e, log1p_growth(e), e);
}
static inline vec log_sigmoid_value(vec x, const vec *p)
{
    vec a = vec_abs(x);
    piece l = piece_of(softplus_table, 7, a, unit_index(a));
    vec near = non_positive(x) - (l.constant + l.rest);
    return or_far(near, vec_less(SPLAT(EXP_PIECE_LIMIT), a), log_sigmoid_tail, x, p);
}
#else
RARE vec log_sigmoid_far(vec x, const vec *p)
{
    (void)p;
    return non_positive(x) - scaled_round(log1p_exp_of_negative(pair_of(-vec_abs(x))));
}
static inline vec log_sigmoid_value(vec x, const vec *p)
{
    vec minus_a = -vec_abs(x);
    pair half = half_log1p(exp_pair(exp_near(minus_a)));
    vec near = vec_fnma(SPLAT(2), pair_round(half), non_positive(x));
    return or_far(near, vec_less(minus_a, SPLAT(-EXP_PAIR_NEAR)), log_sigmoid_far, x, p);
}
#endif
static inline vec log_sigmoid_derivative(vec x, const vec *p) { return sigmoid_value(-x, p); }

#if SUGAR_ELEMENT == 32
/* 1 - 2 exp(-2a), of which no more than the first four bits of the exponential count. */
RARE vec tanh_far(vec x, const vec *p)
{
    (void)p;
    exp_parts e = exp_short(SPLAT(-2) * vec_min(SPLAT(12), vec_abs(x)));
    vec t = vec_fma(SPLAT(-2), vec_fma(e.power, e.p, e.power), SPLAT(1));
    return vec_copysign(t, x);
}
static inline vec tanh_value(vec x, const vec *p)
{
    vec a = vec_abs(x);
    if (SUGAR_NARROWS) {
        exp_parts e = exp_near(SPLAT(-2) * vec_min(SPLAT(12), a));
        vec minus_expm1 = vec_fnma(e.power, e.p, SPLAT(1) - e.power);
        return vec_copysign(minus_expm1 / (SPLAT(2) - minus_expm1), x);
    }
    piece t = piece_of(tanh_table, 8, a, unit_index(a));
    vec near = vec_copysign(t.constant + t.rest, x);
    return or_far(near, vec_less(SPLAT(UNIT_TABLE_LIMIT), a), tanh_far, x, p);
}
#else
/* By a polynomial up to 0.8, then by 1 - 2 / (1 + exp(2|x|)), which no longer cancels much. */
static inline vec tanh_value(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(24), vec_abs(x));
    exp_parts e = exp_near(SPLAT(2) * a);
    vec sum = vec_fma(e.power, e.p, e.power + SPLAT(1));
    vec outer = SPLAT(1) - SPLAT(2) / sum;
    vec square = a * a;
    vec inner = vec_fma(a * square, POLYNOMIAL(tanh_tail, square), a);
    return vec_copysign(vec_select(vec_less(SPLAT(0.8), a), outer, inner), x);
}
#endif
RARE vec tanh_derivative_far(vec x, const vec *p)
{
    (void)p;
    scaled slope = logistic_slope(pair_of(SPLAT(2) * x));
    return SPLAT(4) * pair_round(slope.value) * slope.scale;
}
static inline vec tanh_derivative(vec x, const vec *p) { /* 4 s(2x) s(-2x) */
    vec a = SPLAT(2) * vec_abs(x);
    vec near = SPLAT(4) * pair_round(logistic_slope_near(exp_near(a)));
    return or_far(near, vec_less(SPLAT(EXP_NEAR), a), tanh_derivative_far, x, p);
}

#if SUGAR_ELEMENT == 32
/* x^3 times a table, then x - 1. */
static inline vec tanhshrink_value(vec x, const vec *p)
{
    (void)p;
    vec a = vec_abs(x), square = x * x, cube = square * x;
    vec cube_lo = vec_fma(vec_fma(x, x, -square), x, vec_fma(square, x, -cube));
    piece t = piece_of(tanhshrink_table, 8, a, wide_index(a));
    vec inner = vec_fma(cube, t.constant, vec_fma(cube_lo, t.constant, cube * t.rest));
    return vec_select(vec_less(SPLAT(WIDE_TABLE_LIMIT), a), x - vec_copysign(SPLAT(1), x), inner);
}
static inline vec tanhshrink_derivative(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(WIDE_TABLE_LIMIT), vec_abs(x));
    piece t = piece_of(tanh_squared_table, 8, a, wide_index(a));
    return t.constant + t.rest;
}
#else
/* From |x| = 1 on, x - tanh(x) loses at most two bits of the pair. */
static inline vec tanhshrink_value(vec x, const vec *p)
{
    (void)p;
    vec abs_x = vec_abs(x);
    pair t = tanh_of_abs(x);
    vec outer = vec_copysign((abs_x - t.hi) - t.lo, x);
    return vec_select(vec_less(abs_x, SPLAT(1)), pair_round(tanhshrink_near_zero(x)), outer);
}
static inline vec tanhshrink_derivative(vec x, const vec *p)
{
    (void)p;
    return pair_round(pair_square(tanh_of_abs(x)));
}
#endif

/* ---- Normal distribution --------------------------------------------------------------------- */

#define INVERSE_SQRT_2_PI PAIR(0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56)
#if SUGAR_ELEMENT == 32
#define GELU_LOWEST -14.625     /* -0 below, as the derivative */

/* factor exp(-a^2/2) (NORMAL_TAIL_MIDDLE + the polynomial), raised; factor is exact. */
static inline vec normal_tail(const real *c, vec a, vec factor)
{
    exp_parts e = exp_half_square(a, VEC_ROUNDER + SPLAT(DECAY_SHIFT));
    vec middle = SPLAT(NORMAL_TAIL_MIDDLE), varying = polynomial(c, 4, SPLAT(1) / (a * a));
    vec power = factor * e.power, rest = vec_fma(middle + varying, e.p, varying);
    return vec_fma(power, middle, power * rest);
}

/* max(x, 0) - a Phi(-a). */
RARE vec gelu_tail(vec x, const vec *p)
{
    (void)p;
    vec a = tail_distance(GELU_LOWEST, -NORMAL_TABLE_LIMIT, x);
    return tail_lowered(GELU_LOWEST, x, normal_tail(gelu_normal_tail, a, SPLAT(-1)));
}
static inline vec gelu_value(vec x, const vec *p)
{
    vec a = vec_min(SPLAT(NORMAL_TABLE_LIMIT), vec_abs(x));
    scaled_piece d = table_times_density(mills_table, a);
    vec scaled_a = a * d.power;
    vec below = vec_fma(scaled_a, d.constant, scaled_a * d.rest);
    vec near = vec_max(SPLAT(0), x) - below;
    return above_half(x, or_far(near, vec_less(x, SPLAT(-NORMAL_TABLE_LIMIT)), gelu_tail, x, p));
}

/* With t = exp(-a^2/2) (mills - a / sqrt(2 pi)), Phi(x) + x phi(x) is t for x < 0 and 1 - t for x >= 0. */
RARE vec gelu_derivative_tail(vec x, const vec *p)
{
    (void)p;
    vec a = tail_distance(GELU_LOWEST, -NORMAL_TABLE_LIMIT, x);
    return tail_lowered(GELU_LOWEST, x, normal_tail(gelu_slope_normal_tail, a, -a));
}
static inline vec gelu_derivative(vec x, const vec *p)
{
    scaled_piece d = table_times_density(gelu_slope_table, vec_min(SPLAT(NORMAL_TABLE_LIMIT), vec_abs(x)));
    vec t = vec_fma(d.power, d.constant, d.power * d.rest);
    vec result = vec_select(vec_less(x, SPLAT(0)), t, SPLAT(1) - t);
    return or_far(result, vec_less(x, SPLAT(-NORMAL_TABLE_LIMIT)), gelu_derivative_tail, x, p);
}
#else
/* x Phi(x) for x < 0, from Phi(-|x|) = density * mills. */
RARE vec gelu_far(vec x, const vec *p)
{
    (void)p;
    normal n = normal_of(x);
    return times_pair(-n.a, pair_multiply(n.density.value, n.mills)) * n.density.scale;
}
static inline vec gelu_value(vec x, const vec *p)
{
    mask negative = vec_less(x, SPLAT(0));
    vec a = vec_min(SPLAT(NORMAL_NEAR), vec_abs(x));
    pair tail = times_density(mills_near(a), a);
    pair above = fast_two_sum(SPLAT(1), -tail.hi);
    above.lo = above.lo - tail.lo;
    vec near = times_pair_to_infinity(x, pair_select(negative, tail, above));
    return or_far(near, vec_less(x, SPLAT(-NORMAL_NEAR)), gelu_far, x, p);
}

/* As in f32, from density (mills - |x| / sqrt(2 pi)). */
RARE vec gelu_derivative_far(vec x, const vec *p) /* for x < 0 */
{
    (void)p;
    normal n = normal_of(x);
    pair slope = pair_multiply(INVERSE_SQRT_2_PI, pair_of(-n.a));
    return pair_round(pair_multiply(n.density.value, pair_add(n.mills, slope))) * n.density.scale;
}
static inline vec gelu_derivative(vec x, const vec *p)
{
    vec a = vec_min(SPLAT(NORMAL_NEAR), vec_abs(x));
    pair slope = pair_add(mills_near(a), pair_multiply(INVERSE_SQRT_2_PI, pair_of(-a)));
    pair t = times_density(slope, a);
    pair above = fast_two_sum(SPLAT(1), -t.hi);
    above.lo = above.lo - t.lo;
    vec near = pair_round(pair_select(vec_less(x, SPLAT(0)), t, above));
    return or_far(near, vec_less(x, SPLAT(-NORMAL_NEAR)), gelu_derivative_far, x, p);
}
#endif

/* ---- Algebraic ------------------------------------------------------------------------------- */

/* 1 + a b and its rounding error, where that is below ONE_PLUS_LIMIT: the difference is exact there. */
#define ONE_PLUS_LIMIT PICK(0x1p23, 0x1p52)
#define ONE_PLUS_SQUARE_LIMIT PICK(0x1p11, 0x1p25)
static inline pair one_plus_product(vec a, vec b)
{
    vec sum = vec_fma(a, b, SPLAT(1));
    return (pair){sum, vec_fma(a, b, SPLAT(1) - sum)};
}

/* c / d */
static inline vec divide_by_pair(vec c, pair d)
{
    if (SUGAR_NARROWS) return c / d.hi;
    vec r = SPLAT(1) / d.hi, q = c * r;
    return vec_fma(vec_fnma(q, d.lo, vec_fnma(q, d.hi, c)), r, q);
}

static inline vec softsign_value(vec x, const vec *p)
{
    (void)p;
    x = bounded(x, FAR);
    return x / (SPLAT(1) + vec_abs(x));
}
RARE vec softsign_derivative_far(vec x, const vec *p)
{
    (void)p;
    vec a = vec_min(SPLAT(PICK(0x1p100, 0x1p600)), vec_abs(x));
    return pair_round(pair_square(pair_reciprocal(two_sum(SPLAT(1), a))));
}
static inline vec softsign_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x), sum = a + SPLAT(1);
    pair square = pair_square((pair){sum, a - (sum - SPLAT(1))});
    mask far = vec_less(SPLAT(ONE_PLUS_LIMIT), a);
    return or_far(divide_by_pair(SPLAT(1), square), far, softsign_derivative_far, x, p);
}

/* r = sqrt(x^2 + b) and h = (|x| + r) / 2. Then (x + r) / 2 is h for x >= 0 and below = b / (4 h) for
 * x < 0: no subtraction. Far out r and h are |x|, which may be infinite, and no low part matters. */
typedef struct { pair r, h, below; } squareplus_parts;

static inline squareplus_parts squareplus_of(vec x, vec b)
{
    vec a = vec_abs(x), limit = SPLAT(0x1p50), zero = SPLAT(0);
    mask far_out = vec_less(limit, a);
    vec near = vec_min(limit, a);
    pair radicand = pair_add(two_product(near, near), pair_of(b));
    vec root = vec_sqrt(radicand.hi);
    vec root_lo = (vec_fnma(root, root, radicand.hi) + radicand.lo) / (root + root);
    pair sum = two_sum(SPLAT(0.5) * near, SPLAT(0.5) * root);
    pair r = pair_select(far_out, pair_of(a), (pair){root, root_lo});
    pair h = pair_select(far_out, pair_of(a), (pair){sum.hi, vec_fma(SPLAT(0.5), root_lo, sum.lo)});
    vec quarter = SPLAT(0.25) * b, quotient = quarter / h.hi;
    vec remainder = vec_fnma(quotient, h.lo, vec_fnma(quotient, h.hi, quarter));
    vec correction = vec_select(far_out, zero, remainder * (quotient / quarter));
    return (squareplus_parts){r, h, {quotient, correction}};
}

RARE vec squareplus_far(vec x, const vec *p)
{
    squareplus_parts s = squareplus_of(x, p[0]);
    return pair_round(pair_select(vec_less(x, SPLAT(0)), s.below, s.h));
}
RARE vec squareplus_derivative_far(vec x, const vec *p)
{
    squareplus_parts s = squareplus_of(bounded(x, PICK(0x1p100, 0x1p600)), p[0]);
    pair numerator = pair_select(vec_less(x, SPLAT(0)), s.below, s.h);
    return pair_round(pair_multiply(numerator, pair_reciprocal(s.r)));
}

/* Up to here x^2 and its square are finite. */
#define SQUAREPLUS_NEAR PICK(0x1p30, 0x1p200)

/* With q = sqrt(x^2 + b), (x + q) / 2 for x >= 0; for x < 0 the root v of v (v + |x|) = b / 4, where one Newton
 * step makes up for all earlier errors. Its slope is 2 v + |x| = q. */
static inline vec squareplus_value(vec x, const vec *p)
{
    vec a = vec_abs(x), quarter = SPLAT(0.25) * p[0];
    vec q = vec_sqrt(vec_fma(a, a, p[0])), sum = a + q;
    vec r = SPLAT(1) / (sum * q), v = (quarter + quarter) * (q * r);
    vec below = SUGAR_NARROWS ? v : vec_fma(vec_fnma(v, v, vec_fnma(a, v, quarter)), sum * r, v);
    vec near = vec_select(vec_less(x, SPLAT(0)), below, SPLAT(0.5) * sum);
    return or_far(near, vec_less(SPLAT(SQUAREPLUS_NEAR), a), squareplus_far, x, p);
}

/* t = b / 2 / (r + |x| q) with r = x^2 + b and q = sqrt(r) for x < 0, 1 - t for x >= 0. The error of q counts
 * |x| / q = 1 - 2 t times half of what r - q^2 says. */
static inline vec squareplus_derivative(vec x, const vec *p)
{
    vec a = vec_abs(x), half = SPLAT(0.5) * p[0];
    pair square = two_product(a, a), r = two_sum(square.hi, p[0]);
    vec r_lo = r.lo + square.lo, q = vec_sqrt(r.hi);
    vec d = vec_fma(a, q, r.hi), inverse = SPLAT(1) / d, t = half * inverse;
    vec q_rest = vec_fnma(q, q, r.hi) + r_lo;
    vec d_lo = vec_fma(a, q, r.hi - d) + vec_fma(SPLAT(0.5) - t, q_rest, r_lo);
    if (!SUGAR_NARROWS) t = vec_fma(vec_fnma(t, d_lo, vec_fnma(t, d, half)), inverse, t);
    vec near = vec_select(vec_less(x, SPLAT(0)), t, SPLAT(1) - t);
    return or_far(near, vec_less(SPLAT(SQUAREPLUS_NEAR), a), squareplus_derivative_far, x, p);
}

/* t = 1 / (4 q), where q is the root of r = x^2 + b but for what r - q^2 says. Beyond the limit q is |x|. */
static inline vec squareplus_slope(vec x, const vec *p)
{
    vec a = vec_abs(x), limit = SPLAT(0x1p50), near = vec_min(limit, a);
    pair square = two_product(near, near), r = two_sum(square.hi, p[0]);
    vec q = vec_sqrt(r.hi), q_rest = vec_fnma(q, q, r.hi) + (r.lo + square.lo), t = SPLAT(0.25) / q;
    vec rest = vec_fnma(SPLAT(2) * t * t, q_rest, vec_fnma(t, q, SPLAT(0.25)));
    return vec_select(vec_less(limit, a), SPLAT(0.25) / a, vec_fma(SPLAT(4) * t, rest, t));
}

/* Where 1 / (1 + x^2) makes the value and the derivative constant; alpha x^2 is still finite. */
#define NELU_VALUE_LIMIT 0x1p50
#define NELU_DERIVATIVE_LIMIT PICK(0x1p60, 0x1p400)
static inline pair nelu_reciprocal(vec x)
{
    return pair_reciprocal(pair_add(pair_of(SPLAT(1)), two_product(x, x)));
}

RARE vec nelu_far(vec x, const vec *p)
{
    vec below = vec_max(SPLAT(-NELU_VALUE_LIMIT), non_positive(x));
    pair numerator = pair_multiply(two_product(p[0], below), pair_of(below));
    return where_positive(x, x, pair_last_rounding(pair_multiply(numerator, nelu_reciprocal(below))));
}
RARE vec nelu_derivative_far(vec x, const vec *p)
{
    vec below = vec_max(SPLAT(-NELU_DERIVATIVE_LIMIT), non_positive(x));
    pair r = nelu_reciprocal(below);
    pair numerator = two_product(SPLAT(2) * p[0], below);
    return where_positive(x, SPLAT(1), pair_last_rounding(pair_multiply(pair_multiply(numerator, r), r)));
}

static inline vec nelu_by_pairs(vec x, const vec *p)
{
    vec slope = p[0] * x;
    pair n = two_product(slope, x), d = one_plus_product(x, x);
    vec r = SPLAT(1) / d.hi, y = n.hi * r;
    vec rest = (vec_fnma(y, d.hi, n.hi) + vec_fnma(y, d.lo, n.lo)) * r, below = y + rest;
    below = last_rounding(below, rest - (below - y));
    return or_far(where_positive(x, x, below), vec_less(x, SPLAT(-ONE_PLUS_SQUARE_LIMIT)), nelu_far, x, p);
}
RARE vec nelu_full(vec x, const vec *p) { return nelu_by_pairs(x, p); }
/* In short elements without pairs, but for results next to a middle; the derivative likewise (16 Mi elements, AVX2:
 * .30 and .42 ns per f16 with them, .20 and .23 without). */
static inline vec nelu_value(vec x, const vec *p)
{
    if (!SUGAR_NARROWS) return nelu_by_pairs(x, p);
    vec y = p[0] * x * x / vec_fma(x, x, SPLAT(1)), near = or_far(y, near_middle(y, 8), nelu_full, x, p);
    return or_far(where_positive(x, x, near), vec_less(x, SPLAT(-ONE_PLUS_SQUARE_LIMIT)), nelu_full, x, p);
}
static inline vec nelu_derivative_by_pairs(vec x, const vec *p)
{
    pair below = pair_divide(two_product(p[0] + p[0], x), pair_square(one_plus_product(x, x)));
    vec near = where_positive(x, SPLAT(1), last_rounding(below.hi, below.lo));
    return or_far(near, vec_less(x, SPLAT(-ONE_PLUS_SQUARE_LIMIT)), nelu_derivative_far, x, p);
}
RARE vec nelu_derivative_full(vec x, const vec *p) { return nelu_derivative_by_pairs(x, p); }
static inline vec nelu_derivative(vec x, const vec *p)
{
    if (!SUGAR_NARROWS) return nelu_derivative_by_pairs(x, p);
    vec d = vec_fma(x, x, SPLAT(1)), y = (p[0] + p[0]) * x / (d * d);
    vec near = where_positive(x, SPLAT(1), or_far(y, near_middle(y, 8), nelu_derivative_full, x, p));
    return or_far(near, vec_less(x, SPLAT(-ONE_PLUS_SQUARE_LIMIT)), nelu_derivative_full, x, p);
}

/* The value for alpha = 1. */
static inline vec nelu_slope(vec x, const vec *p)
{
    (void)p;
    vec one = SPLAT(1);
    return nelu_value(non_positive(x), &one);
}

/* ---- Spike surrogates ------------------------------------------------------------------------ */

/* Far enough out for these derivatives to be 0, near enough for finite products. */
#define SPIKE_LIMIT PICK(0x1p102, 0x1p600)

/* The distance from the threshold, exactly. */
static inline pair distance(vec x, const vec *p) { return two_sum(bounded(x, SPIKE_LIMIT), -p[SUGAR_SHIFT]); }

/* Its size, for finite x, and for all. */
static inline pair abs_distance_of_finite(vec x, const vec *p)
{
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
static inline vec atan_derivative(vec x, const vec *p)
{
    pair z = pair_multiply(two_sum(x, -p[SUGAR_SHIFT]), pair_multiply(HALF_PI, pair_of(p[0])));
    pair sum = one_plus_product(z.hi, z.hi);
    sum.lo = vec_fma(z.hi + z.hi, z.lo, sum.lo);
    vec near = divide_by_pair(SPLAT(0.5) * p[0], sum);
    return or_far(near, vec_less(SPLAT(ONE_PLUS_SQUARE_LIMIT), vec_abs(z.hi)), atan_far, x, p);
}

RARE vec fast_sigmoid_far(vec x, const vec *p)
{
    pair d = pair_multiply(pair_of(p[0]), abs_distance(x, p));
    return pair_round(pair_square(pair_reciprocal(pair_add(pair_of(SPLAT(1)), d))));
}
static inline vec fast_sigmoid_derivative(vec x, const vec *p)
{
    pair d = abs_distance_of_finite(x, p), sum = one_plus_product(p[0], d.hi);
    sum.lo = vec_fma(p[0], d.lo, sum.lo);
    vec near = divide_by_pair(SPLAT(1), pair_square(sum));
    return or_far(near, vec_less(SPLAT(ONE_PLUS_LIMIT), sum.hi), fast_sigmoid_far, x, p);
}

#if SUGAR_ELEMENT == 32 && !SUGAR_NARROWS
static inline vec slayer_derivative(vec x, const vec *p)
{
    pair log2_e = PAIR(0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56), rate = pair_multiply(log2_e, pair_of(p[0]));
    pair y = pair_multiply(abs_distance_of_finite(x, p), rate);
    exp_parts e = decay(two_product(SPLAT(0.5) * p[0], p[1]), y);
    vec near = vec_fma(e.power, e.p, e.power);
    return vec_select(vec_less(SPLAT(DECAY_LIMIT), y.hi), SPLAT(0), near) * SPLAT(DECAY_SCALE);
}
#else
RARE vec slayer_far(vec x, const vec *p)
{
    pair y = pair_multiply(pair_of(p[0]), abs_distance(x, p));
    scaled e = exp_of_negative(pair_negate(y));
    pair height = two_product(SPLAT(0.5) * p[0], p[1]);
    return pair_round(pair_multiply(height, e.value)) * e.scale;
}

static inline vec slayer_derivative(vec x, const vec *p)
{
    pair y = pair_multiply(pair_of(-p[0]), abs_distance(x, p));
    vec near = times_exp(two_product(SPLAT(0.5) * p[0], p[1]), exp_near_pair(y));
    return or_far(near, vec_less(y.hi, SPLAT(-EXP_NEAR)), slayer_far, x, p);
}
#endif

/* gamma (edge - x), and what its rounding left over. */
static inline pair triangle_side(pair edge, vec x, vec gamma)
{
    vec d = edge.hi - x, lo = gamma * edge.lo, y = vec_fma(gamma, d, lo);
    return (pair){y, vec_fma(gamma, d, lo - y)};
}

/* The lesser of both sides, lines from the edges of the triangle: these are exact. */
static inline vec triangle_derivative(vec x, const vec *p)
{
    pair below = triangle_side(two_sum(SPLAT(1), -p[SUGAR_SHIFT]), -x, p[0]);
    pair above = triangle_side(two_sum(SPLAT(1), p[SUGAR_SHIFT]), x, p[0]);
    vec rest = vec_select(vec_less(below.hi, above.hi), below.lo, above.lo);
    return vec_max(SPLAT(0), round_to_odd(vec_min(below.hi, above.hi), rest));
}

/* N(d; 0, sigma) = exp(-(d/sigma)^2 / 2) / (sigma sqrt(2 pi)); 0 where |d| is NORMAL_DENSITY_LIMIT times sigma. */
#define NORMAL_DENSITY_LIMIT PICK(16, 41)
static inline scaled normal_density(pair d, pair sigma)
{
    vec limit = SPLAT(0x1p50); /* keeps the square finite; the density there is 0 */
    d = pair_select(vec_less(limit, vec_abs(d.hi)), pair_of(limit), d);
    pair reciprocal = pair_reciprocal(sigma);
    pair square = pair_square(pair_multiply(d, reciprocal));
    scaled e = exp_of_negative(pair_scale(square, SPLAT(-0.5)));
    return (scaled){pair_multiply(pair_multiply(INVERSE_SQRT_2_PI, reciprocal), e.value), e.scale};
}

#if SUGAR_ELEMENT == 32
/* N(d; 0, sigma) = height 2^-y, y = (scale d)^2. */
typedef struct { pair height, scale; } normal_shape;

static inline normal_shape normal_shape_of(vec sigma)
{
    pair reciprocal = pair_reciprocal(pair_of(sigma));
    pair root_half_log2_e = PAIR(0x1.b2da4e9808a53p-1, -0x1.dede1a6b5e413p-56);
    return (normal_shape){pair_multiply(INVERSE_SQRT_2_PI, reciprocal), pair_multiply(root_half_log2_e, reciprocal)};
}

#endif

#if SUGAR_ELEMENT == 32 && !SUGAR_NARROWS
static inline vec gaussian_derivative(vec x, const vec *p)
{
    normal_shape n = normal_shape_of(p[0]);
    pair d = two_sum(x, -p[SUGAR_SHIFT]);
    exp_parts e = decay(n.height, pair_square(pair_multiply(d, n.scale)));
    vec near = vec_fma(e.power, e.p, e.power);
    return vec_select(vec_less(SPLAT(14.875) * p[0], vec_abs(d.hi)), SPLAT(0), near) * SPLAT(DECAY_SCALE);
}
#else
RARE vec gaussian_far(vec x, const vec *p)
{
    return scaled_round(normal_density(distance(x, p), pair_of(p[0])));
}

static inline vec gaussian_derivative(vec x, const vec *p)
{
    pair reciprocal = pair_reciprocal(pair_of(p[0]));
    pair square = pair_square(pair_multiply(distance(x, p), reciprocal));
    exp_parts e = exp_near_pair(pair_scale(square, SPLAT(-0.5)));
    vec near = times_exp(pair_multiply(INVERSE_SQRT_2_PI, reciprocal), e);
    return or_far(near, vec_less(SPLAT(2 * EXP_NEAR), square.hi), gaussian_far, x, p);
}
#endif

static inline pair scaled_times(scaled a, pair factor)
{
    return pair_scale(pair_multiply(a.value, factor), a.scale);
}
RARE_IN_F32 vec multi_gaussian_far(vec x, const vec *p)
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
#if SUGAR_ELEMENT == 32
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

/* The two wide bells are one around 0 times a cosh: with u = d / sigma, centre - wide is
 * N(d; 0, sigma) (1 + h) - N(d; 0, s sigma) 2 h exp(-1 / (2 s^2)) cosh(u / s^2). The far formula serves
 * u > s^2 / 2, and inputs where the difference has lost too much: where the sum of its terms is more than 1.4
 * times as large, and more than half of its value at 0. (1.2 ns per element instead of 4.6, AVX2.) */
static inline vec multi_gaussian_derivative(vec x, const vec *p)
{
    normal_shape n = normal_shape_of(p[0]);
    pair d = two_sum(x, -p[SUGAR_SHIFT]), y = pair_square(pair_multiply(d, n.scale));
    pair inverse_s = pair_reciprocal(pair_of(p[2])), inverse_s2 = pair_square(inverse_s);
    pair between = exp_of_negative(pair_scale(inverse_s2, SPLAT(-0.5))).value;
    pair twice_h = pair_of(p[1] + p[1]);
    pair wide_height = pair_multiply(pair_multiply(n.height, inverse_s), pair_multiply(twice_h, between));
    pair centre_height = pair_multiply(n.height, two_sum(SPLAT(1), p[1]));

    pair wide_y = pair_multiply(y, inverse_s2);
    exp_parts centre = decay(centre_height, y), wide = decay(wide_height, wide_y);
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
#else
static inline vec multi_gaussian_derivative(vec x, const vec *p) { return multi_gaussian_far(x, p); }
#endif

RARE vec sigmoid_spike_far(vec x, const vec *p)
{
    scaled slope = logistic_slope(pair_multiply(pair_of(p[0]), distance(x, p)));
    return times_pair(p[0], slope.value) * slope.scale;
}
#if SUGAR_ELEMENT == 32 && !SUGAR_NARROWS
static inline vec sigmoid_spike_derivative(vec x, const vec *p)
{
    pair log2_e = PAIR(0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56), rate = pair_multiply(log2_e, pair_of(-p[0]));
    pair minus_y = pair_multiply(abs_distance_of_finite(x, p), rate);
    vec near = times_pair(p[0], logistic_slope_near(exp2_of_minus(minus_y, VEC_ROUNDER)));
    return or_far(near, vec_less(minus_y.hi, SPLAT(-125)), sigmoid_spike_far, x, p);
}
#else
static inline vec sigmoid_spike_derivative(vec x, const vec *p)
{
    pair y = pair_multiply(pair_of(p[0]), abs_distance(x, p));
    vec near = times_pair(p[0], logistic_slope_near(exp_near_pair(y)));
    return or_far(near, vec_less(SPLAT(EXP_NEAR), y.hi), sigmoid_spike_far, x, p);
}
#endif

/* The largest number that is not above a. */
static inline vec round_down(pair a)
{
    vec before = vec_fnma(vec_abs(a.hi), SPLAT(PICK(0x1.000004p-24, 0x1.0000000000002p-53)), a.hi);
    return vec_select(vec_less(a.lo, SPLAT(0)), before, a.hi);
}

static inline vec box_derivative(vec x, const vec *p)
{
    vec upper = round_down(two_sum(p[SUGAR_SHIFT], p[0])), lower = -round_down(two_sum(p[0], -p[SUGAR_SHIFT]));
    vec one = vec_fma(SPLAT(0), x, SPLAT(1));   /* or NaN */
    return vec_select(vec_less(upper, x), SPLAT(0), vec_select(vec_less(x, lower), SPLAT(0), one));
}

/* ---- Derivatives from outputs ------------------------------------------------------------------ */

/* f' as a function of y = f(x). A y that f does not reach, as rounding may leave it, counts as the nearest one that
 * it does: for a positive parameter, beyond the limit of f the derivative is 0. */

static inline vec relu_derivative_from_output(vec y, const vec *p) { return relu_derivative(y, p); }
static inline vec leaky_relu_derivative_from_output(vec y, const vec *p) { return leaky_relu_derivative(y, p); }
static inline vec prelu_derivative_from_output(vec y, const vec *p) { return leaky_relu_derivative(y, p); }
static inline vec relu6_derivative_from_output(vec y, const vec *p) { return relu6_derivative(y, p); }

/* a as an element has it. */
static inline vec as_element(vec a)
{
#if SUGAR_NARROWS
    uint16_t lanes[VEC_LANES];
    JOIN(vec_store, SUGAR_TYPE)(lanes, a);
    return JOIN(vec_load, SUGAR_TYPE)(lanes);
#else
    return a;
#endif
}

/* A bound that was rounded is the bound of y. */
static inline vec hardtanh_derivative_from_output(vec y, const vec *p)
{
    return inside(y, as_element(p[0]), as_element(p[1]));
}

static inline vec at_least_0(vec a) { return vec_max(SPLAT(0), a); }

/* max(0, y + alpha) */
static inline vec elu_derivative_from_output(vec y, const vec *p)
{
    return where_positive(y, SPLAT(1), at_least_0(y + p[0]));
}

/* max(0, y + alpha) / alpha: no digits are lost where y is close to -alpha. */
static inline vec celu_derivative_from_output(vec y, const vec *p)
{
    return where_positive(y, SPLAT(1), times_pair(at_least_0(y + p[0]), pair_reciprocal(pair_of(p[0]))));
}

/* max(0, y + lambda a), with the digits of the catalogue: where the sum cancels others would be another number. */
static inline vec selu_derivative_from_output(vec y, const vec *p)
{
    (void)p;
    pair limit = PAIR(0x1.c212cc640f031p+0, -0x1.26edf569e8971p-54);
    return where_positive(y, SPLAT(SELU_LAMBDA), at_least_0((y + limit.hi) + limit.lo));
}

/* y (1 - y) */
static inline vec sigmoid_derivative_from_output(vec y, const vec *p)
{
    (void)p;
    vec inner = vec_min(SPLAT(1), at_least_0(y));
    return vec_fnma(inner, inner, inner);
}

/* (1 - y) (1 + y) */
static inline vec tanh_derivative_from_output(vec y, const vec *p)
{
    (void)p;
    vec inner = bounded(y, 1);
    return vec_fnma(inner, inner, SPLAT(1));
}

/* -expm1(-beta y) */
static inline vec softplus_derivative_from_output(vec y, const vec *p)
{
    vec inner = vec_min(SPLAT(EXPM1_NEAR) / p[0], at_least_0(y));
    return SPLAT(0) - expm1_near(two_product(-p[0], inner));
}

/* -expm1(y) */
static inline vec log_sigmoid_derivative_from_output(vec y, const vec *p)
{
    (void)p;
    return SPLAT(0) - expm1_near(pair_of(vec_max(SPLAT(-EXPM1_NEAR), non_positive(y))));
}
