/* The vector vocabulary in plain C, with vectors of one lane. What its words mean is defined here, for all vec_*.h:
 *
 * Of `real` (float or double, REAL_BITS bits):
 *   vec, mask, VEC_LANES      types and width; the operators + - * / and unary - work on vec
 *   vec_splat(a)              a in every lane
 *   vec_load, vec_store       VEC_LANES reals at any address
 *   vec_stream                as vec_store, at an address that is a multiple of the vector's size; past the caches, if
 *                             the instruction set has such a store
 *   vec_stream_end()          everything streamed before is stored before anything stored after
 *   vec_load_partial(p, n)    n <= VEC_LANES reals, 0 in the other lanes; nothing else is read
 *   vec_store_partial(p, a, n)   the first n <= VEC_LANES lanes; nothing else is written
 *   vec_fma(a, b, c)          a * b + c with one rounding
 *   vec_fnma(a, b, c)         c - a * b with one rounding
 *   vec_sqrt(a)               correctly rounded
 *   vec_max(a, b)             a > b ? a : b; so b where either is NaN, and b for two zeros
 *   vec_min(a, b)             a < b ? a : b; so b where either is NaN, and b for two zeros
 *   vec_abs(a)                clears the sign bit
 *   vec_copysign(a, b)        a with the sign bit of b
 *   vec_less(a, b), vec_less_equal(a, b)   false where either is NaN
 *   vec_select(m, a, b)       a where m is true, else b
 *   vec_any(m)                whether m is true in any lane
 *   vec_keep_nan(x, a)        x where it is NaN, else a, which is at most 1
 *   vec_step(x, below)        x where it is NaN, below where x <= 0, else 1
 *   vec_power_of_two(a)       2^n for a = VEC_ROUNDER + n (math/exp.h), where 2^n is a normal number
 *   vec_store_bytes(p, a)     VEC_LANES bytes: the lanes, 0 <= a < 256, truncated
 *   vec_load_bytes(p)         VEC_LANES bytes, as reals
 * Of f64. A vec64 has as many bits as a vec; VEC64_PER_VEC of them have its lanes:
 *   vec64, VEC64_LANES        the operators + - * work on it
 *   vec64_load, vec64_store   VEC64_LANES doubles at any address
 *   vec_widen(a, which)       the lanes of a from which * VEC64_LANES on, exactly
 *   vec_load_wide(p)          VEC64_LANES reals at any address, as doubles
 *   vec64_add_square(a, b)    a + b * b, where b has reals: the product is rounded if real is double, and exact if it
 *                             is float, so that an fma gives the same
 * Of whole numbers:
 *   vec_counter, vec_counter_zero()        a count in each lane, up to 2^24
 *   vec_counter_add(c, m)     1 more where m is true
 *   vec_counter_value(c)      the counts, as a vec
 *   vec_u64, VEC_U64_LANES    uint64_t, in vectors of as many bits; C's operators work on it
 *   vec_multiply_u32(a, b)    the products of the lanes' lower halves
 *   vec_store_words(p, a, b)  uint32_t at any address: the halves of a's first lane, the lower one first, those of b's
 *                             first lane, those of a's second lane, ...
 *   vec_load_u24(p)           VEC_LANES uint32_t at any address, shifted right by 8 bits, as reals
 *   vec_u32, VEC_U32_LANES    uint32_t, at least as many as lanes of a vec
 *   vec_one_bit(a)            2^i for each lane i < 32, truncated, of the VEC_U32_LANES / VEC_LANES vectors a[0], ...;
 *                             0 or 1 where i is below 1 or NaN
 *   vec_u32_add(&sum, a, b)   adds three numbers of one bit for each bit of each lane, those of sum, a and b: sum
 *                             becomes the lower digit, and the upper one is returned
 * Lookups in tables, if real is float:
 *   vec_index(a, shift)       of type `index`: bits shift, shift + 1 and shift + 2 of a
 *   vec_lookup(table, i)      table[i] in each lane, from 8 entries in memory
 *   vec_index16(a)            of type `index`: the lowest four bits of a
 *   vec_lookup16(table, i)    entry i in each lane, of 16 entries in VEC_TABLE16_VECTORS vectors. These begin with
 *                             entry vec_table16_start(i): 0 where they are the whole table; at this level i, and that
 *                             entry alone is loaded
 * Of narrow types, if real is float: f16 (IEEE 754's binary16) or bf16, in memory as uint16_t:
 *   vec_load_f16(p), vec_load_bf16(p)           VEC_LANES elements at any address, exactly
 *   vec_store_f16(p, a), vec_store_bf16(p, a)   rounded to nearest, ties to even; NaN for NaN. vec_store_bf16 may
 *                                               assume that the last 16 bits of a NaN are 0, as they are in the results
 *                                               of arithmetic on operands that were bf16
 *   vec_two, vec_load_two_bf16(p), vec_store_two_bf16(p, a)
 *                             2 VEC_LANES elements at any address as two vectors: `even` has elements 0, 2, ..., `odd`
 *                             has 1, 3, ... So each lane of 32 bits stays in place, and nothing is widened or packed
 *   vec_load_two(p), vec_store_two(p, a)        the same with reals, exactly
 *   vec_store_two_upper_bf16(p, a)              as vec_store_two_bf16, without rounding: the upper 16 bits of each lane
 *   vec_load_partial_bits16(lanes, p, n)        n <= VEC_LANES elements, to the array `lanes`; 0 behind them. Nothing
 *                             else is read
 *   vec_store_partial_bits16(p, lanes, n)       the first n <= VEC_LANES of them; nothing else is written
 *   vec_stream_bits16(p, lanes)                 as vec_stream: VEC_LANES elements, from the array `lanes`
 * Of the bits of floats, for roundings to narrow types:
 *   vec_bits_are(a, offset, bits, value)        whether a's bits, with offset added, are those of `value` where
 *                             `bits` has 1s
 *   vec_to_odd(a, rest)       a where rest is 0 or NaN; elsewhere, of a and its neighbour on the side of rest's
 *                             sign, the one whose last bit is 1 (a is 0 only where rest is 0 or has its sign)
 *   vec_minus_bits(a, b)      the float whose bits are those of a minus those of b, as whole numbers
 *
 * Every word is exact or correctly rounded, so a formula gives the same bits at every level.
 */
#include "kernels/real.h"

#include <string.h>

typedef real vec;
typedef _Bool mask;
enum { VEC_LANES = 1 };

static inline vec vec_splat(real a) { return a; }
static inline vec vec_load(const real *p) { return *p; }
static inline void vec_store(real *p, vec a) { *p = a; }
static inline void vec_stream(real *p, vec a) { *p = a; }
static inline void vec_stream_end(void) {}
static inline vec vec_load_partial(const real *p, size_t n) { return n ? *p : 0; }
static inline void vec_store_partial(real *p, vec a, size_t n)
{
    if (n)
        *p = a;
}

/* The only function of libm that the library calls: fma, which libm does in software where the processor has none. */
#if REAL_BITS == 32
static inline vec vec_fma(vec a, vec b, vec c) { return __builtin_fmaf(a, b, c); }
static inline vec vec_sqrt(vec a) { return __builtin_sqrtf(a); }
static inline vec vec_abs(vec a) { return __builtin_fabsf(a); }
static inline vec vec_copysign(vec a, vec b) { return __builtin_copysignf(a, b); }
#else
static inline vec vec_fma(vec a, vec b, vec c) { return __builtin_fma(a, b, c); }
static inline vec vec_sqrt(vec a) { return __builtin_sqrt(a); }
static inline vec vec_abs(vec a) { return __builtin_fabs(a); }
static inline vec vec_copysign(vec a, vec b) { return __builtin_copysign(a, b); }
#endif

static inline vec vec_fnma(vec a, vec b, vec c) { return vec_fma(-a, b, c); }
static inline vec vec_max(vec a, vec b) { return a > b ? a : b; }
static inline vec vec_min(vec a, vec b) { return a < b ? a : b; }
static inline mask vec_less(vec a, vec b) { return a < b; }
static inline mask vec_less_equal(vec a, vec b) { return a <= b; }
static inline vec vec_select(mask m, vec a, vec b) { return m ? a : b; }
static inline int vec_any(mask m) { return m; }
static inline vec vec_keep_nan(vec x, vec a) { return x == x ? a : x; }
static inline vec vec_step(vec x, vec below) { return x <= 0 ? below : vec_keep_nan(x, 1); }

static inline real_bits vec_to_bits(vec a)
{
    real_bits bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static inline vec vec_from_bits(real_bits bits)
{
    vec a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

static inline vec vec_power_of_two(vec a) { return vec_from_bits(vec_to_bits(a) << REAL_MANTISSA_BITS); }

static inline void vec_store_bytes(uint8_t *p, vec a) { *p = (uint8_t)a; }
static inline vec vec_load_bytes(const uint8_t *p) { return *p; }

typedef double vec64;
enum { VEC64_LANES = 1, VEC64_PER_VEC = 1 };
static inline vec64 vec64_load(const double *p) { return *p; }
static inline void vec64_store(double *p, vec64 a) { *p = a; }
static inline vec64 vec_widen(vec a, int which)
{
    (void)which;
    return (vec64)a;
}
static inline vec64 vec_load_wide(const real *p) { return (vec64)*p; }
static inline vec64 vec64_add_square(vec64 a, vec64 b) { return a + b * b; }

typedef real vec_counter;
static inline vec_counter vec_counter_zero(void) { return 0; }
static inline vec_counter vec_counter_add(vec_counter c, mask m) { return c + (real)m; }
static inline vec vec_counter_value(vec_counter c) { return c; }

typedef uint64_t vec_u64;
enum { VEC_U64_LANES = 1 };
static inline vec_u64 vec_multiply_u32(vec_u64 a, vec_u64 b) { return (a & UINT32_MAX) * (b & UINT32_MAX); }
static inline void vec_store_words(uint32_t *p, vec_u64 a, vec_u64 b)
{
    p[0] = (uint32_t)a;
    p[1] = (uint32_t)(a >> 32);
    p[2] = (uint32_t)b;
    p[3] = (uint32_t)(b >> 32);
}
static inline vec vec_load_u24(const uint32_t *p) { return (real)(*p >> 8); }

typedef uint32_t vec_u32;
enum { VEC_U32_LANES = 1 };
static inline vec_u32 vec_one_bit(const vec *a) { return *a > 0 ? 1u << (int)*a : 0; }
static inline vec_u32 vec_u32_add(vec_u32 *sum, vec_u32 a, vec_u32 b)
{
    const vec_u32 differ = *sum ^ a, carry = (*sum & a) | (differ & b);
    *sum = differ ^ b;
    return carry;
}

#if REAL_BITS == 32
/* A biased exponent of f16 is that of f32 less 112; but infinities and NaNs have the highest one in both. */
#define VEC_F16_BIAS (112u << 23)

static inline vec vec_load_f16(const uint16_t *p)
{
    const uint32_t sign = (*p & 0x8000u) << 16, magnitude = *p & 0x7fffu;
    if (magnitude < 0x400)              /* subnormal: a multiple of 2^-24 */
        return vec_from_bits(sign | vec_to_bits((float)magnitude * 0x1p-24f));
    const uint32_t bits = (magnitude << 13) + VEC_F16_BIAS;
    return vec_from_bits(sign | (magnitude < 0x7c00 ? bits : bits + VEC_F16_BIAS));
}

/* bits / 2^shift, rounded to nearest, ties to even. */
static inline uint32_t vec_round_bits(uint32_t bits, int shift)
{
    return (bits + (1u << (shift - 1)) - 1 + (bits >> shift & 1)) >> shift;
}

static inline void vec_store_f16(uint16_t *p, vec a)
{
    const uint32_t magnitude = vec_to_bits(a) & 0x7fffffff, sign = vec_to_bits(a) >> 16 & 0x8000;
    uint32_t half;
    if (magnitude > 0x7f800000)
        half = 0x7e00;                  /* NaN */
    else if (magnitude >= 0x47800000)
        half = 0x7c00;                  /* 2^16 or more: infinity, to which the next case rounds what is just below */
    else if (magnitude >= 0x38800000)
        half = vec_round_bits(magnitude - VEC_F16_BIAS, 13);
    else                                /* below 2^-14: adding 1/2 rounds to a multiple of 2^-24 */
        half = vec_to_bits(vec_from_bits(magnitude) + 0.5f) - 0x3f000000;
    *p = (uint16_t)(sign | half);
}

static inline void vec_load_partial_bits16(uint16_t *lanes, const uint16_t *p, size_t n) { *lanes = n ? *p : 0; }
static inline void vec_store_partial_bits16(uint16_t *p, const uint16_t *lanes, size_t n)
{
    if (n)
        *p = *lanes;
}
static inline void vec_stream_bits16(uint16_t *p, const uint16_t *lanes) { *p = *lanes; }

static inline mask vec_bits_are(vec a, int offset, int bits, int value)
{
    return ((vec_to_bits(a) + (uint32_t)offset) & (uint32_t)bits) == (uint32_t)value;
}
static inline vec vec_minus_bits(vec a, vec b) { return vec_from_bits(vec_to_bits(a) - vec_to_bits(b)); }
static inline vec vec_to_odd(vec a, vec rest)
{
    const uint32_t bits = vec_to_bits(a), any = (uint32_t)(rest < 0 || rest > 0);
    return vec_from_bits((bits - ((bits ^ vec_to_bits(rest)) >> 31 & any)) | any);
}

static inline vec vec_load_bf16(const uint16_t *p) { return vec_from_bits((uint32_t)*p << 16); }

static inline void vec_store_bf16(uint16_t *p, vec a)
{
    const uint32_t bits = vec_to_bits(a);
    *p = (uint16_t)(a == a ? vec_round_bits(bits, 16) : bits >> 16 | 0x40);
}

typedef struct {
    vec even, odd;
} vec_two;

static inline vec_two vec_load_two_bf16(const uint16_t *p) { return (vec_two){vec_load_bf16(p), vec_load_bf16(p + 1)}; }

static inline void vec_store_two_bf16(uint16_t *p, vec_two a)
{
    vec_store_bf16(p, a.even);
    vec_store_bf16(p + 1, a.odd);
}

static inline vec_two vec_load_two(const real *p) { return (vec_two){p[0], p[1]}; }

static inline void vec_store_two(real *p, vec_two a)
{
    p[0] = a.even;
    p[1] = a.odd;
}

static inline void vec_store_two_upper_bf16(uint16_t *p, vec_two a)
{
    p[0] = (uint16_t)(vec_to_bits(a.even) >> 16);
    p[1] = (uint16_t)(vec_to_bits(a.odd) >> 16);
}

typedef uint32_t index;
static inline index vec_index(vec a, int shift) { return vec_to_bits(a) >> shift & 7; }
static inline vec vec_lookup(const real *table, index i) { return table[i]; }
static inline index vec_index16(vec a) { return vec_to_bits(a) & 15; }
enum { VEC_TABLE16_VECTORS = 1 };
static inline size_t vec_table16_start(index i) { return i; }
static inline vec vec_lookup16(const vec *table, index i)
{
    (void)i;
    return *table;
}
#endif
