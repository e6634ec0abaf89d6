/* The vector vocabulary for AVX2 with FMA and F16C; vec_scalar.h says what its words mean. */
#include "kernels/real.h"

#include <immintrin.h>
#include <string.h>

enum { VEC_LANES = 256 / REAL_BITS };

/* Loaded from the right address, these are a mask for partial loads and stores: n lanes of -1, then 0. */
static const int32_t vec_window[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

static inline __m256i vec_partial_mask(size_t n)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)(vec_window + 8 - n * (REAL_BITS / 32)));
}

#if REAL_BITS == 32
typedef __m256 vec;
#define VEC_(word) _mm256_##word##_ps
#define VEC_TO_INTEGER _mm256_castps_si256
#define VEC_FROM_INTEGER _mm256_castsi256_ps
#define VEC_SHIFT _mm256_slli_epi32
#else
typedef __m256d vec;
#define VEC_(word) _mm256_##word##_pd
#define VEC_TO_INTEGER _mm256_castpd_si256
#define VEC_FROM_INTEGER _mm256_castsi256_pd
#define VEC_SHIFT _mm256_slli_epi64
#endif

typedef vec mask;

static inline vec vec_splat(real a) { return VEC_(set1)(a); }
static inline vec vec_load(const real *p) { return VEC_(loadu)(p); }
static inline void vec_store(real *p, vec a) { VEC_(storeu)(p, a); }
static inline void vec_stream(real *p, vec a) { VEC_(stream)(p, a); }
static inline void vec_stream_end(void) { _mm_sfence(); }
static inline vec vec_load_partial(const real *p, size_t n) { return VEC_(maskload)(p, vec_partial_mask(n)); }
static inline void vec_store_partial(real *p, vec a, size_t n) { VEC_(maskstore)(p, vec_partial_mask(n), a); }
static inline vec vec_fma(vec a, vec b, vec c) { return VEC_(fmadd)(a, b, c); }
static inline vec vec_fnma(vec a, vec b, vec c) { return VEC_(fnmadd)(a, b, c); }
static inline vec vec_sqrt(vec a) { return VEC_(sqrt)(a); }
static inline vec vec_max(vec a, vec b) { return VEC_(max)(a, b); }
static inline vec vec_min(vec a, vec b) { return VEC_(min)(a, b); }
static inline vec vec_abs(vec a) { return VEC_(andnot)(vec_splat(-(real)0), a); }
static inline vec vec_copysign(vec a, vec b) { return VEC_(or)(vec_abs(a), VEC_(and)(vec_splat(-(real)0), b)); }
/* By operators: with the intrinsic gcc adds an instruction to each blend. */
static inline mask vec_less(vec a, vec b) { return (mask)(a < b); }
static inline mask vec_less_equal(vec a, vec b) { return (mask)(a <= b); }
static inline vec vec_select(mask m, vec a, vec b) { return VEC_(blendv)(b, a, m); }
static inline int vec_any(mask m) { return VEC_(movemask)(m); }
/* A blend is three operations on some processors. But where no conversion puts x into a register, gcc loads x twice
 * for minimum and maximum (relu backward, f32, in cache: 0.143 ns an element, and 0.131 with the blend). */
static inline vec vec_keep_nan(vec x, vec a)
{
    return NARROW ? vec_min(a, vec_max(vec_splat(1), x)) : vec_select(vec_less_equal(x, x), a, x);
}
static inline vec vec_step(vec x, vec below)
{
    return vec_select(vec_less_equal(x, vec_splat(0)), below, vec_keep_nan(x, vec_splat(1)));
}
static inline vec vec_power_of_two(vec a) { return VEC_FROM_INTEGER(VEC_SHIFT(VEC_TO_INTEGER(a), REAL_MANTISSA_BITS)); }

typedef __m256d vec64;
enum { VEC64_LANES = 4, VEC64_PER_VEC = VEC_LANES / VEC64_LANES };
static inline vec64 vec64_load(const double *p) { return _mm256_loadu_pd(p); }
static inline void vec64_store(double *p, vec64 a) { _mm256_storeu_pd(p, a); }

typedef uint64_t vec_u64 __attribute__((vector_size(32)));
enum { VEC_U64_LANES = 4 };
static inline vec_u64 vec_multiply_u32(vec_u64 a, vec_u64 b)
{
    return (vec_u64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
static inline void vec_store_words(uint32_t *p, vec_u64 a, vec_u64 b)
{
    const __m256i even = _mm256_unpacklo_epi64((__m256i)a, (__m256i)b);
    const __m256i odd = _mm256_unpackhi_epi64((__m256i)a, (__m256i)b);
    _mm256_storeu_si256((__m256i *)(void *)p, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256((__m256i *)(void *)(p + 8), _mm256_permute2x128_si256(even, odd, 0x31));
}

#if REAL_BITS == 32
static inline vec64 vec_widen(vec a, int which)
{
    return _mm256_cvtps_pd(which ? _mm256_extractf128_ps(a, 1) : _mm256_castps256_ps128(a));
}
static inline vec64 vec_load_wide(const real *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
static inline vec64 vec64_add_square(vec64 a, vec64 b) { return _mm256_fmadd_pd(b, b, a); }
typedef __m256i vec_counter;
static inline vec_counter vec_counter_add(vec_counter c, mask m) { return _mm256_sub_epi32(c, _mm256_castps_si256(m)); }
static inline vec vec_counter_value(vec_counter c) { return _mm256_cvtepi32_ps(c); }
static inline __m256i vec_to_whole(const vec *a) { return _mm256_cvttps_epi32(*a); }
static inline void vec_store_bytes(uint8_t *p, vec a)
{
    const __m256i lanes = _mm256_cvttps_epi32(a);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    _mm_storeu_si64(p, _mm_packus_epi16(words, words));
}
static inline vec vec_load_bytes(const uint8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadu_si64(p)));
}
static inline vec vec_load_u24(const uint32_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_srli_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p), 8));
}
#else
static inline vec64 vec_widen(vec a, int which)
{
    (void)which;
    return a;
}
static inline vec64 vec_load_wide(const real *p) { return vec_load(p); }
static inline vec64 vec64_add_square(vec64 a, vec64 b) { return a + b * b; }
typedef __m256i vec_counter;
static inline vec_counter vec_counter_add(vec_counter c, mask m) { return _mm256_sub_epi64(c, _mm256_castpd_si256(m)); }
/* The bits of 2^52 + n are those of 2^52, plus n. */
static inline vec vec_counter_value(vec_counter c)
{
    const vec origin = vec_splat(0x1p52);
    return _mm256_castsi256_pd(_mm256_add_epi64(c, _mm256_castpd_si256(origin))) - origin;
}
static inline __m256i vec_to_whole(const vec *a)
{
    return _mm256_set_m128i(_mm256_cvttpd_epi32(a[1]), _mm256_cvttpd_epi32(a[0]));
}
static inline void vec_store_bytes(uint8_t *p, vec a)
{
    const __m128i lanes = _mm256_cvttpd_epi32(a), words = _mm_packus_epi32(lanes, lanes);
    _mm_storeu_si32(p, _mm_packus_epi16(words, words));
}
static inline vec vec_load_bytes(const uint8_t *p) { return _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_loadu_si32(p))); }
static inline vec vec_load_u24(const uint32_t *p)
{
    return _mm256_cvtepi32_pd(_mm_srli_epi32(_mm_loadu_si128((const __m128i *)(const void *)p), 8));
}
#endif

static inline vec_counter vec_counter_zero(void) { return _mm256_setzero_si256(); }

/* Shifts by 32 or more give 0; the conversion makes negative numbers, large ones and NaN such numbers. */
typedef uint32_t vec_u32 __attribute__((vector_size(32)));
enum { VEC_U32_LANES = 8 };
static inline vec_u32 vec_one_bit(const vec *a)
{
    return (vec_u32)_mm256_sllv_epi32(_mm256_set1_epi32(1), vec_to_whole(a));
}
static inline vec_u32 vec_u32_add(vec_u32 *sum, vec_u32 a, vec_u32 b)
{
    const vec_u32 differ = *sum ^ a, carry = (*sum & a) | (differ & b);
    *sum = differ ^ b;
    return carry;
}

#if REAL_BITS == 32
static inline __m128i vec_load_bits16(const uint16_t *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }
static inline void vec_store_bits16(uint16_t *p, __m128i a) { _mm_storeu_si128((__m128i *)(void *)p, a); }
static inline void vec_stream_bits16(uint16_t *p, const uint16_t *lanes)
{
    _mm_stream_si128((__m128i *)(void *)p, vec_load_bits16(lanes));
}

/* There are no masked loads and stores of 16 bits. Two loads that overlap, or two stores, take half of the time of a
 * call of memcpy and of a load that has to wait for it. */
static inline void vec_load_partial_bits16(uint16_t *lanes, const uint16_t *p, size_t n)
{
    if (n >= 8) {
        vec_store_bits16(lanes, vec_load_bits16(p));
        return;
    }
    uint64_t low = 0, high = 0;
    uint32_t first, last;
    if (n >= 4) {
        memcpy(&low, p, 8);
        memcpy(&high, p + n - 4, 8);
        high = high >> 16 * (7 - n) >> 16;
    } else if (n >= 2) {
        memcpy(&first, p, 4);
        memcpy(&last, p + n - 2, 4);
        low = first | (uint64_t)last << 16 * (n - 2);
    } else if (n) {
        low = *p;
    }
    vec_store_bits16(lanes, _mm_set_epi64x((long long)high, (long long)low));
}
static inline void vec_store_partial_bits16(uint16_t *p, const uint16_t *lanes, size_t n)
{
    if (n >= 8) {
        vec_store_bits16(p, vec_load_bits16(lanes));
        return;
    }
    uint64_t low, high;
    memcpy(&low, lanes, 8);
    memcpy(&high, lanes + 4, 8);
    if (n >= 4) {
        const uint64_t last = n > 4 ? low >> 16 * (n - 4) | high << 16 * (8 - n) : low;
        memcpy(p, &low, 8);
        memcpy(p + n - 4, &last, 8);
    } else if (n >= 2) {
        const uint32_t first = (uint32_t)low, last = (uint32_t)(low >> 16 * (n - 2));
        memcpy(p, &first, 4);
        memcpy(p + n - 2, &last, 4);
    } else if (n) {
        *p = (uint16_t)low;
    }
}

static inline vec vec_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(vec_load_bits16(p)); }
static inline void vec_store_f16(uint16_t *p, vec a)
{
    vec_store_bits16(p, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}
static inline vec vec_load_bf16(const uint16_t *p)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(vec_load_bits16(p)), 16));
}
static inline mask vec_bits_are(vec a, int offset, int bits, int value)
{
    const __m256i sum = _mm256_add_epi32(_mm256_castps_si256(a), _mm256_set1_epi32(offset));
    const __m256i these = _mm256_and_si256(sum, _mm256_set1_epi32(bits));
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(these, _mm256_set1_epi32(value)));
}
static inline vec vec_minus_bits(vec a, vec b)
{
    return _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
/* Not by _CMP_NEQ_OQ, which is one operation less: with it Valgrind 3.19 finds NaN unequal to 0. */
static inline vec vec_to_odd(vec a, vec rest)
{
    const __m256i bits = _mm256_castps_si256(a), differ = _mm256_castps_si256(_mm256_xor_ps(a, rest));
    const __m256i any = _mm256_castps_si256(vec_less(vec_splat(0), vec_abs(rest)));
    const __m256i back = _mm256_srli_epi32(_mm256_and_si256(differ, any), 31);
    return _mm256_castsi256_ps(_mm256_or_si256(_mm256_sub_epi32(bits, back), _mm256_srli_epi32(any, 31)));
}
/* Rounds to bf16, in the upper half of each lane: adds 0x7fff, and 1 if the upper half is odd. The last 16 bits of a
 * NaN are 0, so it stays a NaN. */
static inline __m256i vec_round_bf16(vec a)
{
    const __m256i bits = _mm256_castps_si256(a);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    return _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
}
static inline void vec_store_bf16(uint16_t *p, vec a)
{
    const __m256i high = _mm256_srli_epi32(vec_round_bf16(a), 16);
    vec_store_bits16(p, _mm_packus_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1)));
}

typedef struct {
    vec even, odd;
} vec_two;
static inline vec_two vec_load_two_bf16(const uint16_t *p)
{
    const __m256i both = _mm256_loadu_si256((const __m256i *)(const void *)p);
    const __m256i odd = _mm256_and_si256(both, _mm256_set1_epi32((int)0xffff0000));
    return (vec_two){_mm256_castsi256_ps(_mm256_slli_epi32(both, 16)), _mm256_castsi256_ps(odd)};
}
/* The upper and the lower halves of all lanes. */
static inline __m256i vec_upper(vec_two a)
{
    const __m256i even = _mm256_srli_epi32(_mm256_castps_si256(a.even), 16);
    return _mm256_blend_epi16(even, _mm256_castps_si256(a.odd), 0xaa);
}
static inline __m256i vec_lower(vec_two a)
{
    const __m256i odd = _mm256_slli_epi32(_mm256_castps_si256(a.odd), 16);
    return _mm256_blend_epi16(_mm256_castps_si256(a.even), odd, 0xaa);
}
/* Adds 1 to an upper half if the lower one is at least 0x8000, or 0x8001 if the upper one is even: 8 operations for
 * two vectors, 10 with vec_round_bf16. */
static inline void vec_store_two_bf16(uint16_t *p, vec_two a)
{
    const __m256i upper = vec_upper(a), is_even = _mm256_andnot_si256(upper, _mm256_set1_epi16(1));
    const __m256i up = _mm256_srli_epi16(_mm256_subs_epu16(vec_lower(a), is_even), 15);
    _mm256_storeu_si256((__m256i *)(void *)p, _mm256_add_epi16(upper, up));
}
static inline vec_two vec_load_two(const real *p)
{
    const __m256 a = vec_load(p), b = vec_load(p + VEC_LANES);
    const __m256d even = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    const __m256d odd = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    return (vec_two){_mm256_castpd_ps(_mm256_permute4x64_pd(even, 0xd8)),
                     _mm256_castpd_ps(_mm256_permute4x64_pd(odd, 0xd8))};
}
static inline void vec_store_two(real *p, vec_two a)
{
    const __m256 lower = _mm256_unpacklo_ps(a.even, a.odd), upper = _mm256_unpackhi_ps(a.even, a.odd);
    vec_store(p, _mm256_permute2f128_ps(lower, upper, 0x20));
    vec_store(p + VEC_LANES, _mm256_permute2f128_ps(lower, upper, 0x31));
}
static inline void vec_store_two_upper_bf16(uint16_t *p, vec_two a)
{
    _mm256_storeu_si256((__m256i *)(void *)p, vec_upper(a));
}

/* The permutation reads only the lowest three bits of an index. */
typedef __m256i index;
static inline index vec_index(vec a, int shift) { return _mm256_srli_epi32(_mm256_castps_si256(a), shift); }
static inline vec vec_lookup(const real *table, index i) { return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), i); }
enum { VEC_TABLE16_VECTORS = 2 };
static inline size_t vec_table16_start(index i)
{
    (void)i;
    return 0;
}
static inline index vec_index16(vec a) { return _mm256_castps_si256(a); }
static inline vec vec_lookup16(const vec *table, index i)
{
    const mask upper = _mm256_castsi256_ps(_mm256_slli_epi32(i, 28));
    return vec_select(upper, _mm256_permutevar8x32_ps(table[1], i), _mm256_permutevar8x32_ps(table[0], i));
}
#endif
