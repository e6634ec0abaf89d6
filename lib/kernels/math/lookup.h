/* Functions in pieces: polynomials whose coefficients are looked up in tables, which a register holds. */
#ifndef SUGAR_KERNELS_MATH_LOOKUP_H
#define SUGAR_KERNELS_MATH_LOOKUP_H

#include "kernels/math/exp.h"

/* In f32 the slowest kinds have a third formula, in place of the near one for typical inputs: eight polynomials, whose
 * coefficients a permutation looks up. It has no division, and half to a fifth of the multiplications, of which there
 * are two per cycle. (AVX2, 32 Ki elements in cache, ns an element before and after: gelu 1.44 and 0.60, gelu' 1.71 and
 * 0.63, mish' 1.24 and 0.49, softplus 0.89 and 0.35, sigmoid' 0.50 and 0.26, tanhshrink 1.40 and 0.39, tanhshrink' 1.14
 * and 0.31, gelu_tanh' 1.19 and 0.71.) In f64 sixteen coefficients, with two permutations and a blend for each, would
 * save nothing. Tried and lost: Phi(-a) itself in eight pieces without exp, because a piece in which the function falls
 * to a third multiplies the errors of its polynomial by three; a table for exp, because its product with the rest costs
 * more roundings than the budget allows; tanh' in these pieces, 3.2 ULP, because it falls like exp(-2a); tanh by its
 * addition theorem with three lookups, 0.310 ns an element, and 0.286 as it is; mish's two tables by Estrin's scheme,
 * 0.495 and 0.475; sigmoid with p folded into the sum, 0.259 and 0.245. */
#if REAL_BITS == 32
#include "kernels/math/tables.h"

/* A function of a in eight pieces: table[0] has the points c of the pieces, table[1 + k] the coefficients of (a -
 * c)^k. The points are such that the error of the constant terms is about 2^-30. A piece returns the constant term;
 * the rest, which is smaller; and what the last rounding of the rest lost. */
typedef struct {
    vec constant, rest, lost;
} piece;

typedef const real piece_table[][8];

/* An entry of `above`, or of `below` where `negative`. If there is one table, both are that. */
ALWAYS_INLINE vec entry(const real *above, const real *below, mask negative, index i)
{
    vec e = vec_lookup(above, i);
    return above == below ? e : vec_select(negative, vec_lookup(below, i), e);
}

/* c[1] + c[2] r + ... + c[degree] r^(degree - 1). By Estrin's scheme, as in polynomial(), but the last three
 * coefficients by Horner's rule, as their roundings count; with two tables by Horner's rule alone, as there the loop
 * waits for permutations and blends. (f32, AVX2, ns an element by Horner's rule, by this, and with one step of Horner's
 * rule less: tanh .292 .270 .262, softplus .395 .381 .362, log_sigmoid .251 .247 .239; but with one less
 * softplus(beta=1e-6) has an error of 2.01 ULP, and with none tanh has 2.03. If all coefficients are looked up before
 * the first is used, they go through the stack: mish .57 instead of .53.) */
ALWAYS_INLINE vec piece_quotient(piece_table above, piece_table below, mask negative, int degree, vec r, index i)
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
        for (; k > 3; k -= 2)
            sum = vec_fma(sum, square, vec_fma(COEFFICIENT(k), r, COEFFICIENT(k - 1)));
    }
    UNROLL
    for (; k > 0; k--)
        sum = vec_fma(sum, r, COEFFICIENT(k));
    return sum;
#undef COEFFICIENT
}

/* At the distance r from the piece's point. */
ALWAYS_INLINE piece piece_at(piece_table above, piece_table below, mask negative, int degree, vec r, index i)
{
    vec sum = piece_quotient(above, below, negative, degree, r, i), rest = r * sum;
    return (piece){entry(above[1], below[1], negative, i), rest, vec_fma(r, sum, -rest)};
}

ALWAYS_INLINE piece piece_of_two(piece_table above, piece_table below, mask negative, int degree, vec a, index i)
{
    return piece_at(above, below, negative, degree, a - entry(above[0], below[0], negative, i), i);
}

ALWAYS_INLINE piece piece_of(piece_table table, int degree, vec a, index i)
{
    return piece_of_two(table, table, vec_less(a, a), degree, a, i);
}

ALWAYS_INLINE piece piece_of_pair(piece_table table, int degree, pair a, index i)
{
    return piece_at(table, table, vec_less(a.hi, a.hi), degree, (a.hi - vec_lookup(table[0], i)) + a.lo, i);
}

/* The piece for 0 <= a < 6.5, from the leading bits of 1 + 3 a / 6.5: there are four between 1 and 2 and four
 * between 2 and 4. Entries are in the order of these bits. */
#define NORMAL_TABLE_LIMIT 6.4375
static inline index normal_index(vec a)
{
    return vec_index(vec_fma(a, SPLAT(3 / 6.5), SPLAT(1)), REAL_MANTISSA_BITS - 2);
}

/* The piece for 0 <= a < 7.5; their points are about 0, 1, ..., 7. */
#define UNIT_TABLE_LIMIT 7.4375
static inline index unit_index(vec a) { return vec_index(a + SPLAT(0x1.8p23), 0); }

/* For a table whose last piece is exp(-r), and for all a. Where a is far, exp(-a) = (constant + rest + lost) power
 * scale; `value` is that rounded. Elsewhere the piece has the bits that piece_of or piece_of_pair returns. `minus_lo`
 * is -a.lo. (AVX2, x evenly in [-20, 20], ns an element with a second polynomial for the tail, and in this way: silu'
 * 1.01 and 0.87, softplus 0.88 and 0.83. As a function that is called, they take 0.90 and 0.90; so it is inlined, which
 * costs typical inputs nothing. Not so for sigmoid' and log_sigmoid: with a second polynomial 0.51 and 0.55; in this
 * way, called, 0.55 and 0.56; inlined 0.49 and 0.49, but then typical inputs take 5 % longer. These loops wait for
 * their chain of operations: to load whole vectors of constants instead of broadcasting them gains nothing.) */
#define EXP_PIECE_LIMIT 6.4375
typedef struct {
    piece at;
    mask far;
    vec power, scale, value;
} piece_or_exp;

ALWAYS_INLINE piece_or_exp piece_or_exp_of(piece_table table, int degree, vec a, vec minus_lo)
{
    mask far = vec_less(SPLAT(EXP_PIECE_LIMIT), a);
    decay_factors d = decay_of(a);
    index i = unit_index(vec_select(far, SPLAT(7), a));
    vec r = vec_select(far, d.r, a - vec_lookup(table[0], i)) - vec_select(d.inner, minus_lo, SPLAT(0));
    piece at = piece_at(table, table, far, degree, r, i);
    vec lowered = d.power * d.scale;
    return (piece_or_exp){at, far, d.power, d.scale, vec_fma(lowered, at.rest, lowered)};
}

/* The piece for 0 <= a < 9.6, from the leading bits of 1 + a / 0.64: there are two between 1 and 2, two between 2 and
 * 4, two between 4 and 8, and two between 8 and 16. Entries are in the order of these bits. */
#define WIDE_TABLE_LIMIT 9.5
static inline index wide_index(vec a)
{
    return vec_index(vec_fma(a, SPLAT(1 / 0.64), SPLAT(1)), REAL_MANTISSA_BITS - 1);
}

/* f(a) power (1 + p) = power (constant + rest), for the function f of a table. */
typedef struct {
    vec power, constant, rest;
} scaled_piece;

ALWAYS_INLINE scaled_piece table_times_exp(piece_table table, int degree, vec a, exp_factors e)
{
    piece f = piece_of(table, degree, a, normal_index(a));
    return (scaled_piece){e.power, f.constant, vec_fma(f.constant + f.rest, e.p, f.rest)};
}

/* f(a) exp(-a^2/2). */
ALWAYS_INLINE scaled_piece table_times_density(piece_table table, vec a)
{
    return table_times_exp(table, 6, a, exp_near_half_square(a));
}

/* ---- Tables with a parameter ----------------------------------------------------------------- */

/* a(x) + factor b(x), where the factor is the same for a whole call: the tables of a and b are added, coefficient by
 * coefficient. The sums depend on the factor alone, so compilers compute them before the loop and keep them in memory,
 * from where permutations read them. The pieces have the points -8, ..., 7, so that both signs of x are served.
 * table[0] has the constant terms, table[1] their low parts, table[1 + k] the coefficients of the kth power. (bsilu and
 * bsilu', ns an element by one division each and in this way: AVX2 0.64 and 0.67, 0.48 and 0.45; AVX-512 0.32 and 0.35,
 * 0.14 and 0.14. Without the low part of the first coefficient 0.44 and 0.41 with AVX2, but up to 1.92 ULP instead of
 * 1.11 for an alpha that rounds badly.) */
typedef const real signed_table[][16];
#define SIGNED_TABLE_LIMIT 7.4375

typedef vec (*entry_sum)(const real *a, const real *b, size_t k, vec factor);

/* Entries k, k + 1, ... of the sum of two coefficients' tables. */
static inline vec coefficient_sum(const real *a, const real *b, size_t k, vec factor)
{
    return vec_fma(factor, vec_load(b + k), vec_load(a + k));
}

/* What coefficient_sum lost by rounding. */
static inline vec coefficient_sum_lost(const real *a, const real *b, size_t k, vec factor)
{
    pair product = two_product(factor, vec_load(b + k)), sum = two_sum(vec_load(a + k), product.hi);
    return (sum.hi - coefficient_sum(a, b, k, factor)) + (sum.lo + product.lo);
}

/* What coefficient_sum lost, for the constant terms: their low parts follow them, 16 entries later. */
static inline vec constant_sum_lo(const real *a, const real *b, size_t k, vec factor)
{
    return coefficient_sum_lost(a, b, k, factor) + coefficient_sum(a + 16, b + 16, k, factor);
}

/* Entry i of a sum of tables. */
ALWAYS_INLINE vec sum_at(entry_sum sum, const real *a, const real *b, vec factor, index i)
{
    vec table[VEC_TABLE16_VECTORS];
    UNROLL
    for (size_t k = 0; k < VEC_TABLE16_VECTORS; k++)
        table[k] = sum(a, b, vec_table16_start(i) + k * VEC_LANES, factor);
    return vec_lookup16(table, i);
}

/* a(x) + factor b(x) for |x| <= SIGNED_TABLE_LIMIT. */
ALWAYS_INLINE vec sum_of_tables(signed_table a, signed_table b, int degree, vec factor, vec x)
{
    vec rounder = SPLAT(0x1.8p23), rounded = x + rounder, r = x - (rounded - rounder);
    index i = vec_index16(rounded);
    vec sum = sum_at(coefficient_sum, a[1 + degree], b[1 + degree], factor, i);
    UNROLL
    for (int k = degree - 1; k > 1; k--)
        sum = vec_fma(sum, r, sum_at(coefficient_sum, a[1 + k], b[1 + k], factor, i));
    /* Where the constant term is 0, the first coefficient decides the error: what its rounding lost is added. */
    vec rest = vec_fma(sum, r, sum_at(coefficient_sum_lost, a[2], b[2], factor, i));
    rest = vec_fma(rest, r, sum_at(constant_sum_lo, a[0], b[0], factor, i));
    rest = vec_fma(sum_at(coefficient_sum, a[2], b[2], factor, i), r, rest);
    return sum_at(coefficient_sum, a[0], b[0], factor, i) + rest;
}

#endif

#endif
