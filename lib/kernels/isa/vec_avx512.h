/* The vector vocabulary for AVX-512 (F, BW, DQ and VL); vec_scalar.h says what its words mean. */
#include "kernels/real.h"

#include <immintrin.h>

enum { VEC_LANES = 512 / REAL_BITS };

#if REAL_BITS == 32
typedef __m512 vec;
typedef __mmask16 mask;
#define VEC_(word) _mm512_##word##_ps
#define VEC_COMPARE _mm512_cmp_ps_mask
#define VEC_TO_INTEGER _mm512_castps_si512
#define VEC_FROM_INTEGER _mm512_castsi512_ps
#define VEC_SHIFT _mm512_slli_epi32
#else
typedef __m512d vec;
typedef __mmask8 mask;
#define VEC_(word) _mm512_##word##_pd
#define VEC_COMPARE _mm512_cmp_pd_mask
#define VEC_TO_INTEGER _mm512_castpd_si512
#define VEC_FROM_INTEGER _mm512_castsi512_pd
#define VEC_SHIFT _mm512_slli_epi64
#endif

/* True in the first n lanes. */
static inline mask vec_partial_mask(size_t n) { return (mask)((1u << n) - 1); }

static inline vec vec_splat(real a) { return VEC_(set1)(a); }
static inline vec vec_load(const real *p) { return VEC_(loadu)(p); }
static inline void vec_store(real *p, vec a) { VEC_(storeu)(p, a); }
static inline void vec_stream(real *p, vec a) { VEC_(stream)(p, a); }
static inline void vec_stream_end(void) { _mm_sfence(); }
static inline vec vec_load_partial(const real *p, size_t n) { return VEC_(maskz_loadu)(vec_partial_mask(n), p); }
static inline void vec_store_partial(real *p, vec a, size_t n) { VEC_(mask_storeu)(p, vec_partial_mask(n), a); }
static inline vec vec_fma(vec a, vec b, vec c) { return VEC_(fmadd)(a, b, c); }
static inline vec vec_fnma(vec a, vec b, vec c) { return VEC_(fnmadd)(a, b, c); }
static inline vec vec_sqrt(vec a) { return VEC_(sqrt)(a); }
static inline vec vec_max(vec a, vec b) { return VEC_(max)(a, b); }
static inline vec vec_min(vec a, vec b) { return VEC_(min)(a, b); }
static inline vec vec_abs(vec a) { return VEC_(andnot)(vec_splat(-(real)0), a); }
static inline vec vec_copysign(vec a, vec b) { return VEC_(or)(vec_abs(a), VEC_(and)(vec_splat(-(real)0), b)); }
static inline mask vec_less(vec a, vec b) { return VEC_COMPARE(a, b, _CMP_LT_OQ); }
static inline mask vec_less_equal(vec a, vec b) { return VEC_COMPARE(a, b, _CMP_LE_OQ); }
static inline vec vec_select(mask m, vec a, vec b) { return VEC_(mask_blend)(m, b, a); }
static inline int vec_any(mask m) { return m != 0; }
/* What vfixupimm makes of each class of numbers, from the lowest digit on: quiet and signaling NaN, 0, 1, -inf, inf,
 * negative, positive. Responses: 0 the first operand, 2 the number as a quiet NaN, 10 the constant 1. */
#if REAL_BITS == 32
#define VEC_CLASSES(responses) _mm512_set1_epi32((int)(responses))
#else
#define VEC_CLASSES(responses) _mm512_set1_epi64(responses)
#endif
static inline vec vec_keep_nan(vec x, vec a) { return VEC_(fixupimm)(a, x, VEC_CLASSES(0x00000022), 0); }
static inline vec vec_step(vec x, vec below) { return VEC_(fixupimm)(below, x, VEC_CLASSES(0xa0a0a022), 0); }
static inline vec vec_power_of_two(vec a) { return VEC_FROM_INTEGER(VEC_SHIFT(VEC_TO_INTEGER(a), REAL_MANTISSA_BITS)); }

typedef __m512d vec64;
enum { VEC64_LANES = 8, VEC64_PER_VEC = VEC_LANES / VEC64_LANES };
static inline vec64 vec64_load(const double *p) { return _mm512_loadu_pd(p); }
static inline void vec64_store(double *p, vec64 a) { _mm512_storeu_pd(p, a); }

typedef uint64_t vec_u64 __attribute__((vector_size(64)));
enum { VEC_U64_LANES = 8 };
static inline vec_u64 vec_multiply_u32(vec_u64 a, vec_u64 b)
{
    return (vec_u64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}
static inline void vec_store_words(uint32_t *p, vec_u64 a, vec_u64 b)
{
    const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const __m512i high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    _mm512_storeu_si512(p, _mm512_permutex2var_epi64((__m512i)a, low, (__m512i)b));
    _mm512_storeu_si512(p + 16, _mm512_permutex2var_epi64((__m512i)a, high, (__m512i)b));
}

#if REAL_BITS == 32
static inline vec64 vec_widen(vec a, int which)
{
    return _mm512_cvtps_pd(which ? _mm512_extractf32x8_ps(a, 1) : _mm512_castps512_ps256(a));
}
static inline vec64 vec_load_wide(const real *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
static inline vec64 vec64_add_square(vec64 a, vec64 b) { return _mm512_fmadd_pd(b, b, a); }
static inline __m512i vec_to_whole(const vec *a) { return _mm512_cvttps_epi32(*a); }
static inline void vec_store_bytes(uint8_t *p, vec a)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(a)));
}
static inline vec vec_load_bytes(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}
static inline vec vec_load_u24(const uint32_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_srli_epi32(_mm512_loadu_si512(p), 8));
}
#else
static inline vec64 vec_widen(vec a, int which)
{
    (void)which;
    return a;
}
static inline vec64 vec_load_wide(const real *p) { return vec_load(p); }
static inline vec64 vec64_add_square(vec64 a, vec64 b) { return a + b * b; }
static inline __m512i vec_to_whole(const vec *a)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvttpd_epi32(a[0])), _mm512_cvttpd_epi32(a[1]), 1);
}
static inline void vec_store_bytes(uint8_t *p, vec a)
{
    _mm_storeu_si64(p, _mm256_cvtepi32_epi8(_mm512_cvttpd_epi32(a)));
}
static inline vec vec_load_bytes(const uint8_t *p)
{
    return _mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(_mm_loadu_si64(p)));
}
static inline vec vec_load_u24(const uint32_t *p)
{
    return _mm512_cvtepi32_pd(_mm256_srli_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p), 8));
}
#endif

typedef vec vec_counter;
static inline vec_counter vec_counter_zero(void) { return vec_splat(0); }
static inline vec_counter vec_counter_add(vec_counter c, mask m) { return VEC_(mask_add)(c, m, c, vec_splat(1)); }
static inline vec vec_counter_value(vec_counter c) { return c; }

/* As in vec_avx2.h. */
typedef uint32_t vec_u32 __attribute__((vector_size(64)));
enum { VEC_U32_LANES = 16 };
static inline vec_u32 vec_one_bit(const vec *a)
{
    return (vec_u32)_mm512_sllv_epi32(_mm512_set1_epi32(1), vec_to_whole(a));
}
/* Truth tables of three bits: whether an odd number of them is set, and whether two or more are. */
static inline vec_u32 vec_u32_add(vec_u32 *sum, vec_u32 a, vec_u32 b)
{
    const __m512i c = (__m512i)*sum;
    *sum = (vec_u32)_mm512_ternarylogic_epi32(c, (__m512i)a, (__m512i)b, 0x96);
    return (vec_u32)_mm512_ternarylogic_epi32(c, (__m512i)a, (__m512i)b, 0xe8);
}

#if REAL_BITS == 32
static inline __m256i vec_load_bits16(const uint16_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}
static inline void vec_store_bits16(uint16_t *p, __m256i a) { _mm256_storeu_si256((__m256i *)(void *)p, a); }
static inline void vec_stream_bits16(uint16_t *p, const uint16_t *lanes)
{
    _mm256_stream_si256((__m256i *)(void *)p, vec_load_bits16(lanes));
}

static inline void vec_load_partial_bits16(uint16_t *lanes, const uint16_t *p, size_t n)
{
    vec_store_bits16(lanes, _mm256_maskz_loadu_epi16(vec_partial_mask(n), p));
}
static inline void vec_store_partial_bits16(uint16_t *p, const uint16_t *lanes, size_t n)
{
    _mm256_mask_storeu_epi16(p, vec_partial_mask(n), vec_load_bits16(lanes));
}

static inline vec vec_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(vec_load_bits16(p)); }
static inline void vec_store_f16(uint16_t *p, vec a)
{
    vec_store_bits16(p, _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}
static inline vec vec_load_bf16(const uint16_t *p)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(vec_load_bits16(p)), 16));
}
static inline mask vec_bits_are(vec a, int offset, int bits, int value)
{
    const __m512i sum = _mm512_add_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(offset));
    return _mm512_cmpeq_epi32_mask(_mm512_and_si512(sum, _mm512_set1_epi32(bits)), _mm512_set1_epi32(value));
}
static inline vec vec_minus_bits(vec a, vec b)
{
    return _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
}
static inline vec vec_to_odd(vec a, vec rest)
{
    const __m512i bits = _mm512_castps_si512(a);
    const __mmask16 any = _mm512_cmp_ps_mask(rest, _mm512_setzero_ps(), _CMP_NEQ_OQ);
    const __m512i back = _mm512_srli_epi32(_mm512_xor_si512(bits, _mm512_castps_si512(rest)), 31);
    const __m512i below = _mm512_sub_epi32(bits, back);
    return _mm512_castsi512_ps(_mm512_mask_or_epi32(bits, any, below, _mm512_set1_epi32(1)));
}
/* As in vec_avx2.h. The instruction of AVX512_BF16 takes subnormals for zeros. With a branch for those it was slower,
 * as it puts the lanes of two vectors one behind the other (leaky_relu forward, in cache: 0.091 ns an element, and
 * 0.075 by vec_store_two_bf16). */
static inline __m512i vec_round_bf16(vec a)
{
    const __m512i bits = _mm512_castps_si512(a);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    return _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
}
static inline void vec_store_bf16(uint16_t *p, vec a)
{
    vec_store_bits16(p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(vec_round_bf16(a), 16)));
}

typedef struct {
    vec even, odd;
} vec_two;
static inline vec_two vec_load_two_bf16(const uint16_t *p)
{
    const __m512i both = _mm512_loadu_si512(p);
    const __m512i odd = _mm512_and_si512(both, _mm512_set1_epi32((int)0xffff0000));
    return (vec_two){_mm512_castsi512_ps(_mm512_slli_epi32(both, 16)), _mm512_castsi512_ps(odd)};
}
/* The upper and the lower halves of all lanes. */
static inline __m512i vec_upper(vec_two a)
{
    const __m512i even = _mm512_srli_epi32(_mm512_castps_si512(a.even), 16);
    return _mm512_mask_mov_epi16(even, 0xaaaaaaaa, _mm512_castps_si512(a.odd));
}
static inline __m512i vec_lower(vec_two a)
{
    const __m512i odd = _mm512_slli_epi32(_mm512_castps_si512(a.odd), 16);
    return _mm512_mask_mov_epi16(_mm512_castps_si512(a.even), 0xaaaaaaaa, odd);
}
/* Adds 1 to an upper half if the lower one is at least 0x8000, or 0x8001 if the upper one is even: 7 operations for
 * two vectors, 10 with vec_round_bf16. 0xae is (~A & B) | C. */
static inline void vec_store_two_bf16(uint16_t *p, vec_two a)
{
    const __m512i upper = vec_upper(a);
    const __m512i limit = _mm512_ternarylogic_epi32(upper, _mm512_set1_epi16(1), _mm512_set1_epi16(-0x8000), 0xae);
    const __mmask32 up = _mm512_cmpge_epu16_mask(vec_lower(a), limit);
    _mm512_storeu_si512(p, _mm512_mask_sub_epi16(upper, up, upper, _mm512_set1_epi16(-1)));
}
static inline vec_two vec_load_two(const real *p)
{
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    const vec a = vec_load(p), b = vec_load(p + VEC_LANES);
    return (vec_two){_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b)};
}
static inline void vec_store_two(real *p, vec_two a)
{
    const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i second = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    vec_store(p, _mm512_permutex2var_ps(a.even, first, a.odd));
    vec_store(p + VEC_LANES, _mm512_permutex2var_ps(a.even, second, a.odd));
}
static inline void vec_store_two_upper_bf16(uint16_t *p, vec_two a) { _mm512_storeu_si512(p, vec_upper(a)); }

/* The permutation reads only the lowest four bits of an index; a table of 8 entries is in the register twice. */
typedef __m512i index;
static inline index vec_index(vec a, int shift) { return _mm512_srli_epi32(_mm512_castps_si512(a), (unsigned)shift); }
static inline vec vec_lookup(const real *table, index i)
{
    return _mm512_permutexvar_ps(i, _mm512_broadcast_f32x8(_mm256_loadu_ps(table)));
}
enum { VEC_TABLE16_VECTORS = 1 };
static inline size_t vec_table16_start(index i)
{
    (void)i;
    return 0;
}
static inline index vec_index16(vec a) { return _mm512_castps_si512(a); }
static inline vec vec_lookup16(const vec *table, index i) { return _mm512_permutexvar_ps(i, table[0]); }
#endif
