/* The vector vocabulary for SSE4.1, for processors without FMA; vec_scalar.h says what its words mean. */
#include "kernels/real.h"

#include <smmintrin.h>
#include <string.h>

enum { VEC_LANES = 128 / REAL_BITS };

#if REAL_BITS == 32
typedef __m128 vec;
#define VEC_(word) _mm_##word##_ps
#define VEC_TO_INTEGER _mm_castps_si128
#define VEC_FROM_INTEGER _mm_castsi128_ps
#define VEC_SHIFT _mm_slli_epi32
#else
typedef __m128d vec;
#define VEC_(word) _mm_##word##_pd
#define VEC_TO_INTEGER _mm_castpd_si128
#define VEC_FROM_INTEGER _mm_castsi128_pd
#define VEC_SHIFT _mm_slli_epi64
#endif

typedef vec mask;

static inline vec vec_splat(real a) { return VEC_(set1)(a); }
static inline vec vec_load(const real *p) { return VEC_(loadu)(p); }
static inline void vec_store(real *p, vec a) { VEC_(storeu)(p, a); }
static inline void vec_stream(real *p, vec a) { VEC_(stream)(p, a); }
static inline void vec_stream_end(void) { _mm_sfence(); }
static inline vec vec_load_partial(const real *p, size_t n)
{
    real lanes[VEC_LANES] = {0};
    memcpy(lanes, p, n * sizeof *p);
    return vec_load(lanes);
}
static inline void vec_store_partial(real *p, vec a, size_t n)
{
    real lanes[VEC_LANES];
    vec_store(lanes, a);
    memcpy(p, lanes, n * sizeof *p);
}
static inline vec vec_sqrt(vec a) { return VEC_(sqrt)(a); }
static inline vec vec_max(vec a, vec b) { return VEC_(max)(a, b); }
static inline vec vec_min(vec a, vec b) { return VEC_(min)(a, b); }
static inline vec vec_abs(vec a) { return VEC_(andnot)(vec_splat(-(real)0), a); }
static inline vec vec_copysign(vec a, vec b) { return VEC_(or)(vec_abs(a), VEC_(and)(vec_splat(-(real)0), b)); }
static inline mask vec_less(vec a, vec b) { return VEC_(cmplt)(a, b); }
static inline mask vec_less_equal(vec a, vec b) { return VEC_(cmple)(a, b); }
static inline vec vec_select(mask m, vec a, vec b) { return VEC_(blendv)(b, a, m); }
static inline vec vec_keep_nan(vec x, vec a) { return vec_select(vec_less_equal(x, x), a, x); }
static inline vec vec_step(vec x, vec below)
{
    return vec_select(vec_less_equal(x, vec_splat(0)), below, vec_keep_nan(x, vec_splat(1)));
}
static inline int vec_any(mask m) { return VEC_(movemask)(m); }
static inline vec vec_power_of_two(vec a) { return VEC_FROM_INTEGER(VEC_SHIFT(VEC_TO_INTEGER(a), REAL_MANTISSA_BITS)); }

typedef __m128d vec64;
enum { VEC64_LANES = 2, VEC64_PER_VEC = VEC_LANES / VEC64_LANES };
static inline vec64 vec64_load(const double *p) { return _mm_loadu_pd(p); }
static inline void vec64_store(double *p, vec64 a) { _mm_storeu_pd(p, a); }

/* ---- fma without the instruction ------------------------------------------------------------- */

/* a + b = sum - minus_rest (Knuth). Where the rest is nothing it is +0, which the sum of all keeps the sign of. */
typedef struct {
    vec64 sum, minus_rest;
} vec64_pair;

static inline vec64_pair vec64_sum(vec64 a, vec64 b)
{
    const vec64 sum = a + b, b_rounded = sum - a;
    return (vec64_pair){sum, ((sum - b_rounded) - a) + (b_rounded - b)};
}

/* a + b rounded to odd: if it is no double, of its two neighbours the one whose last bit is 1. Rounded once more, to
 * at least two digits less, that gives what a + b would (Boldo and Melquiond, "Emulation of a FMA and
 * correctly-rounded sums", IEEE Transactions on Computers 57(4), 2008). */
static inline vec64 vec64_odd_sum(vec64 a, vec64 b)
{
    const vec64_pair s = vec64_sum(a, b);
    const __m128d rest = _mm_andnot_pd(_mm_set1_pd(-0.0), s.minus_rest);
    const __m128i any = _mm_castpd_si128(_mm_cmplt_pd(_mm_setzero_pd(), rest));
    const __m128i back = _mm_andnot_si128(_mm_castpd_si128(_mm_xor_pd(s.sum, s.minus_rest)), any);
    const __m128i below = _mm_sub_epi64(_mm_castpd_si128(s.sum), _mm_srli_epi64(back, 63));
    return _mm_castsi128_pd(_mm_or_si128(below, _mm_srli_epi64(any, 63)));
}

#if REAL_BITS == 32
static inline vec vec_narrow(vec64 low, vec64 high) { return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high)); }
static inline vec64 vec_widen(vec a, int which) { return _mm_cvtps_pd(which ? _mm_movehl_ps(a, a) : a); }

/* Whether a double may lie in the middle between two floats, of which one is in `rounded`: its last 29 bits are 1 and
 * 0s, or the float is subnormal or 2^-126, but not 0. (It is 0 only if the sum was exact.) */
static inline int vec_any_middle(vec64 low, vec64 high, vec rounded)
{
    const __m128i ends = _mm_castps_si128(_mm_shuffle_ps(_mm_castpd_ps(low), _mm_castpd_ps(high), 0x88));
    const __m128i middle = _mm_cmpeq_epi32(_mm_slli_epi32(ends, 3), _mm_set1_epi32(INT32_MIN));
    const __m128i bits = _mm_castps_si128(rounded), magnitude = _mm_add_epi32(bits, bits);
    const __m128i tiny =
        _mm_cmplt_epi32(_mm_add_epi32(magnitude, _mm_set1_epi32(INT32_MAX)), _mm_set1_epi32(INT32_MIN + 0x01000000));
    return _mm_movemask_ps(_mm_castsi128_ps(_mm_or_si128(middle, tiny)));
}

/* In f64 the product is exact. The sum is rounded there, and once more to f32, which differs from one rounding only if
 * the first one ended in the middle between two floats. (Inlined it is 3 % faster, and its kernels are three times as
 * large.) */
static __attribute__((noinline)) vec vec_fma(vec a, vec b, vec c)
{
    const vec64 low = vec_widen(a, 0) * vec_widen(b, 0), high = vec_widen(a, 1) * vec_widen(b, 1);
    const vec64 c_low = vec_widen(c, 0), c_high = vec_widen(c, 1);
    const vec64 sum_low = low + c_low, sum_high = high + c_high;
    const vec rounded = vec_narrow(sum_low, sum_high);
    if (__builtin_expect(vec_any_middle(sum_low, sum_high, rounded), 0))
        return vec_narrow(vec64_odd_sum(low, c_low), vec64_odd_sum(high, c_high));
    return rounded;
}
#else
/* a rounded to 26 digits, a middle towards 0; what is left of it has 26 as well. (Away from 0, the subnormal 2^-1048
 * would become twice as much, and the first difference of vec64_product would not be exact. By a multiplication, as
 * Veltkamp does it, the chain of operations is longer: gelu 164 ns an element, and 144 in this way.) */
static inline vec vec_leading_digits(vec a)
{
    const __m128i rounded = _mm_add_epi64(_mm_castpd_si128(a), _mm_set1_epi64x((1 << 26) - 1));
    return _mm_castsi128_pd(_mm_and_si128(rounded, _mm_set1_epi64x(-(1 << 27))));
}

/* a * b exactly, as a sum (Dekker 1971), unless terms overflow or digits are below the smallest double. */
static inline vec64_pair vec64_product(vec a, vec b)
{
    const vec product = a * b, a_hi = vec_leading_digits(a), b_hi = vec_leading_digits(b);
    const vec a_lo = a - a_hi, b_lo = b - b_hi;
    return (vec64_pair){product, (((product - a_hi * b_hi) - a_hi * b_lo) - a_lo * b_hi) - a_lo * b_lo};
}

static inline vec vec_fma_each(vec a, vec b, vec c)
{
    const vec a1 = _mm_unpackhi_pd(a, a), b1 = _mm_unpackhi_pd(b, b), c1 = _mm_unpackhi_pd(c, c);
    return _mm_set_pd(__builtin_fma(_mm_cvtsd_f64(a1), _mm_cvtsd_f64(b1), _mm_cvtsd_f64(c1)),
                      __builtin_fma(_mm_cvtsd_f64(a), _mm_cvtsd_f64(b), _mm_cvtsd_f64(c)));
}

/* For all operands: the product as a sum, c added to it, and the three terms rounded once (Boldo and Melquiond). Where
 * the product has digits below the smallest double, and c does not hide them, or terms overflow, libm's fma. */
static __attribute__((noinline, cold)) vec vec_rare_fma(vec a, vec b, vec c)
{
    const vec64_pair product = vec64_product(a, b);
    const vec64_pair inner = vec64_sum(c, -product.minus_rest), outer = vec64_sum(product.sum, inner.sum);
    const vec result = outer.sum - vec64_odd_sum(inner.minus_rest, outer.minus_rest);
    const vec zero = vec_splat(0), size = vec_max(vec_abs(product.sum), vec_abs(c));
    const mask exact = _mm_or_pd(_mm_cmpeq_pd(a, zero), _mm_cmpeq_pd(b, zero));
    const mask tiny = _mm_andnot_pd(exact, vec_less(size, vec_splat(0x1p-800)));
    if (vec_any(_mm_or_pd(tiny, _mm_cmpnlt_pd(vec_abs(result), vec_splat((real)INFINITY)))))
        return vec_fma_each(a, b, c);
    return result;
}

/* The product and c as sum - minus_rest, where minus_rest is rounded, if both of its terms are anything but 0. Nearly
 * always the result is the same at both bounds of what minus_rest may be: then it is right. (gelu, ns an element: 287
 * if all goes the way of vec_rare_fma, 135 in this way, and 145 as a function that is called; inlined, the kernels are
 * four times as large.) Where terms overflow the bounds differ by NaN, and product.minus_rest is infinite or NaN. */
static __attribute__((noinline)) vec vec_fma(vec a, vec b, vec c)
{
    const vec64_pair product = vec64_product(a, b), outer = vec64_sum(product.sum, c);
    const vec minus_rest = outer.minus_rest + product.minus_rest;
    const vec below = outer.sum - minus_rest * vec_splat(1 + 0x1p-52);
    const vec above = outer.sum - minus_rest * vec_splat(1 - 0x1p-52);
    const mask differs = _mm_cmpneq_pd(above - below, vec_splat(0));
    const mask inexact = _mm_cmpneq_pd(outer.minus_rest, product.minus_rest - product.minus_rest);
    const mask tiny = vec_less(vec_max(vec_abs(product.sum), vec_abs(c)), vec_splat(0x1p-800));
    if (__builtin_expect(vec_any(_mm_or_pd(_mm_and_pd(differs, inexact), tiny)), 0))
        return vec_rare_fma(a, b, c);
    return outer.sum - minus_rest;
}
#endif
static inline vec vec_fnma(vec a, vec b, vec c) { return vec_fma(-a, b, c); }

/* ---- The other words ------------------------------------------------------------------------- */

typedef uint64_t vec_u64 __attribute__((vector_size(16)));
enum { VEC_U64_LANES = 2 };
static inline vec_u64 vec_multiply_u32(vec_u64 a, vec_u64 b) { return (vec_u64)_mm_mul_epu32((__m128i)a, (__m128i)b); }
static inline void vec_store_words(uint32_t *p, vec_u64 a, vec_u64 b)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm_unpacklo_epi64((__m128i)a, (__m128i)b));
    _mm_storeu_si128((__m128i *)(void *)(p + 4), _mm_unpackhi_epi64((__m128i)a, (__m128i)b));
}

typedef __m128i vec_counter;
static inline vec_counter vec_counter_zero(void) { return _mm_setzero_si128(); }

#if REAL_BITS == 32
static inline vec64 vec_load_wide(const real *p)
{
    return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}
/* The product is exact. */
static inline vec64 vec64_add_square(vec64 a, vec64 b) { return a + b * b; }
static inline vec_counter vec_counter_add(vec_counter c, mask m) { return _mm_sub_epi32(c, _mm_castps_si128(m)); }
static inline vec vec_counter_value(vec_counter c) { return _mm_cvtepi32_ps(c); }
static inline __m128i vec_to_whole(const vec *a) { return _mm_cvttps_epi32(*a); }
static inline void vec_store_bytes(uint8_t *p, vec a)
{
    const __m128i lanes = _mm_cvttps_epi32(a), words = _mm_packus_epi32(lanes, lanes);
    _mm_storeu_si32(p, _mm_packus_epi16(words, words));
}
static inline vec vec_load_bytes(const uint8_t *p) { return _mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_loadu_si32(p))); }
static inline vec vec_load_u24(const uint32_t *p)
{
    return _mm_cvtepi32_ps(_mm_srli_epi32(_mm_loadu_si128((const __m128i *)(const void *)p), 8));
}
#else
static inline vec64 vec_widen(vec a, int which)
{
    (void)which;
    return a;
}
static inline vec64 vec_load_wide(const real *p) { return vec_load(p); }
static inline vec64 vec64_add_square(vec64 a, vec64 b) { return a + b * b; }
static inline vec_counter vec_counter_add(vec_counter c, mask m) { return _mm_sub_epi64(c, _mm_castpd_si128(m)); }
/* As in vec_avx2.h. */
static inline vec vec_counter_value(vec_counter c)
{
    const vec origin = vec_splat(0x1p52);
    return _mm_castsi128_pd(_mm_add_epi64(c, _mm_castpd_si128(origin))) - origin;
}
static inline __m128i vec_to_whole(const vec *a)
{
    return _mm_unpacklo_epi64(_mm_cvttpd_epi32(a[0]), _mm_cvttpd_epi32(a[1]));
}
static inline void vec_store_bytes(uint8_t *p, vec a)
{
    const __m128i lanes = _mm_cvttpd_epi32(a);
    p[0] = (uint8_t)_mm_cvtsi128_si32(lanes);
    p[1] = (uint8_t)_mm_extract_epi32(lanes, 1);
}
static inline vec vec_load_bytes(const uint8_t *p) { return _mm_set_pd(p[1], p[0]); }
static inline vec vec_load_u24(const uint32_t *p)
{
    return _mm_cvtepi32_pd(_mm_srli_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p), 8));
}
#endif

/* There are no shifts by lanes: the float 2^i has the exponent i, and 2^31 overflows to its bit. */
typedef uint32_t vec_u32 __attribute__((vector_size(16)));
enum { VEC_U32_LANES = 4 };
static inline vec_u32 vec_one_bit(const vec *a)
{
    const __m128i i = _mm_max_epi32(vec_to_whole(a), _mm_setzero_si128());
    const __m128i power = _mm_slli_epi32(_mm_add_epi32(i, _mm_set1_epi32(127)), 23);
    return (vec_u32)_mm_cvttps_epi32(_mm_castsi128_ps(power));
}
static inline vec_u32 vec_u32_add(vec_u32 *sum, vec_u32 a, vec_u32 b)
{
    const vec_u32 differ = *sum ^ a, carry = (*sum & a) | (differ & b);
    *sum = differ ^ b;
    return carry;
}

#if REAL_BITS == 32
static inline __m128i vec_load_bits16(const uint16_t *p) { return _mm_loadl_epi64((const __m128i *)(const void *)p); }
static inline void vec_store_bits16(uint16_t *p, __m128i a) { _mm_storel_epi64((__m128i *)(void *)p, a); }
static inline void vec_load_partial_bits16(uint16_t *lanes, const uint16_t *p, size_t n)
{
    for (size_t i = 0; i < VEC_LANES; i++)
        lanes[i] = i < n ? p[i] : 0;
}
static inline void vec_store_partial_bits16(uint16_t *p, const uint16_t *lanes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = lanes[i];
}
/* The store past the caches that takes eight bytes is for x86-64 alone. */
static inline void vec_stream_bits16(uint16_t *p, const uint16_t *lanes)
{
    int halves[2];
    memcpy(halves, lanes, sizeof halves);
    _mm_stream_si32((int *)(void *)p, halves[0]);
    _mm_stream_si32((int *)(void *)(p + 2), halves[1]);
}

/* Exponents are 112 less than those of f32. Infinities and NaNs get the highest one. */
static inline vec vec_load_f16(const uint16_t *p)
{
    const __m128i half = _mm_cvtepu16_epi32(vec_load_bits16(p)), sign = _mm_and_si128(half, _mm_set1_epi32(0x8000));
    const __m128i magnitude = _mm_xor_si128(half, sign);
    const __m128i special = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7bff));
    const vec scaled = _mm_castsi128_ps(_mm_slli_epi32(magnitude, 13)) * vec_splat(0x1p112f);
    const __m128i highest = _mm_and_si128(special, _mm_set1_epi32(0x7f800000));
    return _mm_or_ps(scaled, _mm_castsi128_ps(_mm_or_si128(_mm_slli_epi32(sign, 16), highest)));
}
/* As in vec_scalar.h. */
static inline void vec_store_f16(uint16_t *p, vec a)
{
    const vec magnitude = vec_abs(a);
    const __m128i bits = _mm_castps_si128(magnitude), sign = _mm_castps_si128(_mm_xor_ps(a, magnitude));
    const __m128i odd = _mm_and_si128(_mm_srli_epi32(bits, 13), _mm_set1_epi32(1));
    const __m128i sum = _mm_add_epi32(_mm_add_epi32(bits, odd), _mm_set1_epi32(0xfff - (112 << 23)));
    const __m128i subnormal = _mm_castps_si128(magnitude + vec_splat(0.5f));
    const __m128i small = _mm_cmpgt_epi32(_mm_set1_epi32(0x38800000), bits);
    const __m128i finite =
        _mm_blendv_epi8(_mm_srli_epi32(sum, 13), _mm_sub_epi32(subnormal, _mm_set1_epi32(0x3f000000)), small);
    const __m128i nan = _mm_castps_si128(_mm_cmpunord_ps(a, a));
    const __m128i special = _mm_or_si128(_mm_set1_epi32(0x7c00), _mm_and_si128(nan, _mm_set1_epi32(0x200)));
    const __m128i large = _mm_cmpgt_epi32(bits, _mm_set1_epi32(0x477fffff));
    const __m128i half = _mm_or_si128(_mm_blendv_epi8(finite, special, large), _mm_srli_epi32(sign, 16));
    vec_store_bits16(p, _mm_packus_epi32(half, half));
}
static inline vec vec_load_bf16(const uint16_t *p)
{
    return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), vec_load_bits16(p)));
}
static inline mask vec_bits_are(vec a, int offset, int bits, int value)
{
    const __m128i sum = _mm_add_epi32(_mm_castps_si128(a), _mm_set1_epi32(offset));
    const __m128i these = _mm_and_si128(sum, _mm_set1_epi32(bits));
    return _mm_castsi128_ps(_mm_cmpeq_epi32(these, _mm_set1_epi32(value)));
}
static inline vec vec_minus_bits(vec a, vec b)
{
    return _mm_castsi128_ps(_mm_sub_epi32(_mm_castps_si128(a), _mm_castps_si128(b)));
}
static inline vec vec_to_odd(vec a, vec rest)
{
    const __m128i bits = _mm_castps_si128(a), differ = _mm_castps_si128(_mm_xor_ps(a, rest));
    const __m128i any = _mm_castps_si128(vec_less(vec_splat(0), vec_abs(rest)));
    const __m128i back = _mm_srli_epi32(_mm_and_si128(differ, any), 31);
    return _mm_castsi128_ps(_mm_or_si128(_mm_sub_epi32(bits, back), _mm_srli_epi32(any, 31)));
}
/* As in vec_avx2.h. */
static inline __m128i vec_round_bf16(vec a)
{
    const __m128i bits = _mm_castps_si128(a);
    const __m128i odd = _mm_and_si128(_mm_srli_epi32(bits, 16), _mm_set1_epi32(1));
    return _mm_add_epi32(_mm_add_epi32(bits, _mm_set1_epi32(0x7fff)), odd);
}
static inline void vec_store_bf16(uint16_t *p, vec a)
{
    const __m128i high = _mm_srli_epi32(vec_round_bf16(a), 16);
    vec_store_bits16(p, _mm_packus_epi32(high, high));
}

typedef struct {
    vec even, odd;
} vec_two;
static inline vec_two vec_load_two_bf16(const uint16_t *p)
{
    const __m128i both = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i odd = _mm_and_si128(both, _mm_set1_epi32((int)0xffff0000));
    return (vec_two){_mm_castsi128_ps(_mm_slli_epi32(both, 16)), _mm_castsi128_ps(odd)};
}
static inline void vec_store_two_bf16(uint16_t *p, vec_two a)
{
    const __m128i even = _mm_srli_epi32(vec_round_bf16(a.even), 16);
    _mm_storeu_si128((__m128i *)(void *)p, _mm_blend_epi16(even, vec_round_bf16(a.odd), 0xaa));
}
static inline vec_two vec_load_two(const real *p)
{
    const __m128 a = vec_load(p), b = vec_load(p + VEC_LANES);
    return (vec_two){_mm_shuffle_ps(a, b, 0x88), _mm_shuffle_ps(a, b, 0xdd)};
}
static inline void vec_store_two(real *p, vec_two a)
{
    vec_store(p, _mm_unpacklo_ps(a.even, a.odd));
    vec_store(p + VEC_LANES, _mm_unpackhi_ps(a.even, a.odd));
}
static inline void vec_store_two_upper_bf16(uint16_t *p, vec_two a)
{
    const __m128i even = _mm_srli_epi32(_mm_castps_si128(a.even), 16);
    _mm_storeu_si128((__m128i *)(void *)p, _mm_blend_epi16(even, _mm_castps_si128(a.odd), 0xaa));
}

/* Indices of bytes in a table, for each of the vectors that hold it: part[k] has those of the kth vector, and 128 or
 * more, for which a shuffle gives 0, where the entry lies in another. */
typedef struct {
    __m128i part[4];
} index;
static inline __m128i vec_part_of(__m128i bytes, int k)
{
    return _mm_adds_epu8(_mm_sub_epi8(bytes, _mm_set1_epi8((char)(16 * k))), _mm_set1_epi8(0x70));
}
static inline index vec_bytes_of(__m128i entry)
{
    const __m128i lowest = _mm_shuffle_epi8(entry, _mm_set_epi8(12, 12, 12, 12, 8, 8, 8, 8, 4, 4, 4, 4, 0, 0, 0, 0));
    const __m128i bytes = _mm_or_si128(_mm_slli_epi32(lowest, 2), _mm_set1_epi32(0x03020100));
    return (index){{vec_part_of(bytes, 0), vec_part_of(bytes, 1), vec_part_of(bytes, 2), vec_part_of(bytes, 3)}};
}
static inline __m128i vec_entries(vec table, __m128i part) { return _mm_shuffle_epi8(_mm_castps_si128(table), part); }
static inline index vec_index(vec a, int shift)
{
    return vec_bytes_of(_mm_and_si128(_mm_srli_epi32(_mm_castps_si128(a), shift), _mm_set1_epi32(7)));
}
static inline vec vec_lookup(const real *table, index i)
{
    const __m128i low = vec_entries(vec_load(table), i.part[0]), high = vec_entries(vec_load(table + 4), i.part[1]);
    return _mm_castsi128_ps(_mm_or_si128(low, high));
}
enum { VEC_TABLE16_VECTORS = 4 };
static inline size_t vec_table16_start(index i)
{
    (void)i;
    return 0;
}
static inline index vec_index16(vec a) { return vec_bytes_of(_mm_and_si128(_mm_castps_si128(a), _mm_set1_epi32(15))); }
static inline vec vec_lookup16(const vec *table, index i)
{
    const __m128i low = _mm_or_si128(vec_entries(table[0], i.part[0]), vec_entries(table[1], i.part[1]));
    const __m128i high = _mm_or_si128(vec_entries(table[2], i.part[2]), vec_entries(table[3], i.part[3]));
    return _mm_castsi128_ps(_mm_or_si128(low, high));
}
#endif
