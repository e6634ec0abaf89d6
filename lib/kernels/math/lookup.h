/* Functions in pieces: polynomials whose coefficients are looked up in tables, which a register holds. */
#ifndef SUGAR_KERNELS_MATH_LOOKUP_H
#define SUGAR_KERNELS_MATH_LOOKUP_H

#include "kernels/math/exp.h"

/* In f32 the slowest kinds have a third formula, in place of the near one for typical inputs: eight or sixteen
 * polynomials, whose coefficients a permutation looks up. It has no division, and few multiplications. What limits
 * these loops are permutations, one in a cycle: so a function has as few pieces as its inputs allow, and the value
 * itself is in the table where it can be. (ns an element in cache, Sapphire Rapids, AVX2 and AVX-512: gelu, as
 * exp(-a^2/2) times a table, 0.87 and 0.58; as a table with a tail, 0.50 and 0.35.) In f64 sixteen coefficients,
 * with two permutations and a blend for each, would save nothing. Tried and lost: tables that end at 3.5, two
 * coefficients shorter, as there half of the vectors with a standard deviation of 2 need the tail, and each such
 * branch costs some 20 cycles (gelu 0.64 and 0.54, bsilu' 0.78 and 0.61); a table for exp, because its product
 * with the rest costs more roundings than the budget allows; tanh in eight pieces, 0.43 and 0.30, and 0.39 and
 * 0.29 by exp. */
#if REAL_BITS == 32
#include "kernels/math/tables.h"

/* A function of a in eight pieces: table[0] has the points c of the pieces, table[1 + k] the coefficients of (a -
 * c)^k. The points are such that the error of the constant terms is about 2^-30. A piece returns the constant term;
 * the rest, which is smaller; and what the last rounding of the rest lost. */
typedef struct {
    vec constant, rest, lost;
} piece;

typedef const real piece_table[][8];

/* c[1] + c[2] r + ... + c[degree] r^(degree - 1). By Estrin's scheme, as in polynomial(), but the last three
 * coefficients by Horner's rule, as their roundings count. (f32, AVX2, ns an element by Horner's rule, by this,
 * and with one step of Horner's rule less: softplus .395 .381 .362, log_sigmoid .251 .247 .239; but with one less
 * softplus(beta=1e-6) has an error of 2.01 ULP.) */
ALWAYS_INLINE vec piece_quotient(piece_table table, int degree, vec r, index i)
{
    vec square = r * r, sum = vec_lookup(table[1 + degree], i);
    int k = degree - 1;
    if (degree % 2) {
        sum = vec_fma(sum, r, vec_lookup(table[1 + k], i));
        k -= 1;
    }
    UNROLL
    for (; k > 3; k -= 2)
        sum = vec_fma(sum, square, vec_fma(vec_lookup(table[1 + k], i), r, vec_lookup(table[k], i)));
    UNROLL
    for (; k > 0; k--)
        sum = vec_fma(sum, r, vec_lookup(table[1 + k], i));
    return sum;
}

/* At the distance r from the piece's point. */
ALWAYS_INLINE piece piece_at(piece_table table, int degree, vec r, index i)
{
    vec sum = piece_quotient(table, degree, r, i), rest = r * sum;
    return (piece){vec_lookup(table[1], i), rest, vec_fma(r, sum, -rest)};
}

ALWAYS_INLINE piece piece_of(piece_table table, int degree, vec a, index i)
{
    return piece_at(table, degree, a - vec_lookup(table[0], i), i);
}

ALWAYS_INLINE piece piece_of_pair(piece_table table, int degree, pair a, index i)
{
    return piece_at(table, degree, (a.hi - vec_lookup(table[0], i)) + a.lo, i);
}

/* A table with rows of `length` numbers, of which a lookup chooses among the first 8, or among 16. */
typedef struct {
    const real *start;
    int length, entries;
} table_rows;

/* Entry i of row k. */
ALWAYS_INLINE vec row_entry(table_rows t, int k, index i)
{
    const real *row = t.start + k * t.length;
    if (t.entries == 8)
        return vec_lookup(row, i);
    vec table[VEC_TABLE16_VECTORS];
    UNROLL
    for (size_t v = 0; v < VEC_TABLE16_VECTORS; v++)
        table[v] = vec_load(row + vec_table16_start(i) + v * VEC_LANES);
    return vec_lookup16(table, i);
}

/* The value at x, rounded once. By Horner's rule, as each operation counts, and these loops do not wait for their
 * chains. (gelu, Sapphire Rapids, by piece_quotient and in this way: AVX2 0.52 and 0.49 ns an element, AVX-512
 * 0.36 and 0.35.) */
ALWAYS_INLINE vec value_of_rows(table_rows t, int degree, vec x, index i)
{
    vec r = x - row_entry(t, 0, i), sum = row_entry(t, 1 + degree, i);
    UNROLL
    for (int k = degree; k > 0; k--)
        sum = vec_fma(sum, r, row_entry(t, k, i));
    return sum;
}
ALWAYS_INLINE vec piece_value(piece_table table, int degree, vec a, index i)
{
    return value_of_rows((table_rows){table[0], 8, 8}, degree, a, i);
}

/* The piece for 0 <= a < end, from the leading bits of 3.75 - 2.75 a / end, which falls from 3.75 to 1: there are
 * four between 4 and 2, and four between 2 and 1, where functions like exp(-a^2/2) fall fast: a piece in which the
 * function falls to a third would multiply the errors of its polynomial by three. Entries are in the order of
 * these bits. */
static inline index falling_index(vec a, double end)
{
    return vec_index(vec_fma(a, SPLAT(-2.75 / end), SPLAT(3.75)), REAL_MANTISSA_BITS - 2);
}
/* Up to which a the index is right, as it is rounded. */
static inline double near_end(double end) { return end - 0x1p-6; }

/* The piece for 4.7 <= a < 18.8, from the leading bits of a / 4.7: there are four in each octave. */
#define TAIL_TABLE_START 4.7
static inline index tail_index(vec a) { return vec_index(a * SPLAT(1 / TAIL_TABLE_START), REAL_MANTISSA_BITS - 2); }

/* A function in sixteen pieces, whose points are about `width` times -8, ..., 7: first those of -4, ..., 3, then 4,
 * ..., 7, -8, ..., -5. Where a lookup of sixteen entries takes two of eight and a choice, as with AVX2, the first
 * eight pieces are computed, and the others only if a lane needs them: a polynomial for each half takes half of
 * the time. */
typedef const real sixteen_piece_table[][16];
/* Up to which |x| the piece is right. */
static inline double signed_limit(double width) { return 7.5 * width - 0x1p-6; }

/* The value at x, where the low bits of `rounded` are the number of the piece. */
ALWAYS_INLINE vec sixteen_piece_value(sixteen_piece_table table, int degree, vec x, vec rounded)
{
    if (VEC_TABLE16_VECTORS != 2)
        return value_of_rows((table_rows){table[0], 16, 16}, degree, x, vec_index16(rounded));
    index i = vec_index(rounded, 0);
    mask outer = vec_bits_are(rounded, 0, 8, 8);
    vec y = value_of_rows((table_rows){table[0], 16, 8}, degree, x, i);
    if (is_rare(outer))
        y = vec_select(outer, value_of_rows((table_rows){table[0] + 8, 16, 8}, degree, x, i), y);
    return y;
}

ALWAYS_INLINE vec signed_piece_value(sixteen_piece_table table, double width, int degree, vec x)
{
    return sixteen_piece_value(table, degree, x, vec_fma(x, SPLAT(1 / width), SPLAT(0x1.8p23 + 4)));
}

/* The same for 0 <= a <= positive_limit(width), where the points are about `width` times 0, ..., 15, in this order. */
static inline double positive_limit(double width) { return 15.5 * width - 0x1p-6; }

ALWAYS_INLINE vec positive_piece_value(sixteen_piece_table table, double width, int degree, vec a)
{
    return sixteen_piece_value(table, degree, a, vec_fma(a, SPLAT(1 / width), SPLAT(0x1.8p23)));
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
    vec r = vec_select(far, -d.r, a - vec_lookup(table[0], i)) - vec_select(d.inner, minus_lo, SPLAT(0));
    piece at = piece_at(table, degree, r, i);
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

/* f(a) power (1 + p), for the function f of a table, whose piece is i. */
ALWAYS_INLINE vec table_times_exp(piece_table table, int degree, vec a, index i, exp_factors e)
{
    piece f = piece_of(table, degree, a, i);
    vec rest = vec_fma(f.constant + f.rest, e.p, f.rest);
    return vec_fma(e.power, f.constant, e.power * rest);
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
