/* The vector vocabulary for AArch64 Advanced SIMD (NEON); vec_scalar.h says what its words mean. */
#include "kernels/real.h"

#include <arm_neon.h>
#include <string.h>

enum { VEC_LANES = 128 / REAL_BITS };

#if REAL_BITS == 32
typedef float32x4_t vec;
typedef uint32x4_t mask;
#define VEC_(word) word##_f32
#define VEC_BITS_(word) word##_u32
#define VEC_TO_BITS vreinterpretq_u32_f32
#define VEC_FROM_BITS vreinterpretq_f32_u32
#define VEC_ANY_ (vmaxvq_u32(m) != 0)
#else
typedef float64x2_t vec;
typedef uint64x2_t mask;
#define VEC_(word) word##_f64
#define VEC_BITS_(word) word##_u64
#define VEC_TO_BITS vreinterpretq_u64_f64
#define VEC_FROM_BITS vreinterpretq_f64_u64
#define VEC_ANY_ (vmaxvq_u32(vreinterpretq_u32_u64(m)) != 0)
#endif

static inline vec vec_splat(real a) { return VEC_(vdupq_n)(a); }
static inline vec vec_load(const real *p) { return VEC_(vld1q)(p); }
static inline void vec_store(real *p, vec a) { VEC_(vst1q)(p, a); }
static inline void vec_stream(real *p, vec a) { vec_store(p, a); }
static inline void vec_stream_end(void) {}
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
static inline vec vec_fma(vec a, vec b, vec c) { return VEC_(vfmaq)(c, a, b); }
static inline vec vec_fnma(vec a, vec b, vec c) { return VEC_(vfmsq)(c, a, b); }
static inline vec vec_sqrt(vec a) { return VEC_(vsqrtq)(a); }
static inline vec vec_abs(vec a) { return VEC_(vabsq)(a); }
static inline mask vec_less(vec a, vec b) { return VEC_(vcltq)(a, b); }
static inline mask vec_less_equal(vec a, vec b) { return VEC_(vcleq)(a, b); }
static inline vec vec_select(mask m, vec a, vec b) { return VEC_(vbslq)(m, a, b); }
static inline int vec_any(mask m) { return VEC_ANY_; }
static inline vec vec_keep_nan(vec x, vec a) { return vec_select(VEC_(vceqq)(x, x), a, x); }
static inline vec vec_step(vec x, vec below)
{
    return vec_select(vec_less_equal(x, vec_splat(0)), below, vec_keep_nan(x, vec_splat(1)));
}
/* The instructions for maximum and minimum treat NaN and signed zeros differently. */
static inline vec vec_max(vec a, vec b) { return vec_select(vec_less(b, a), a, b); }
static inline vec vec_min(vec a, vec b) { return vec_select(vec_less(a, b), a, b); }
static inline vec vec_copysign(vec a, vec b) { return VEC_(vbslq)(VEC_TO_BITS(vec_splat(-(real)0)), b, a); }
static inline vec vec_power_of_two(vec a)
{
    return VEC_FROM_BITS(VEC_BITS_(vshlq_n)(VEC_TO_BITS(a), REAL_MANTISSA_BITS));
}

typedef float64x2_t vec64;
enum { VEC64_LANES = 2, VEC64_PER_VEC = VEC_LANES / VEC64_LANES };
static inline vec64 vec64_load(const double *p) { return vld1q_f64(p); }
static inline void vec64_store(double *p, vec64 a) { vst1q_f64(p, a); }

typedef uint64x2_t vec_u64;
enum { VEC_U64_LANES = 2 };
static inline vec_u64 vec_multiply_u32(vec_u64 a, vec_u64 b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
static inline void vec_store_words(uint32_t *p, vec_u64 a, vec_u64 b)
{
    vst1q_u32(p, vreinterpretq_u32_u64(vzip1q_u64(a, b)));
    vst1q_u32(p + 4, vreinterpretq_u32_u64(vzip2q_u64(a, b)));
}

#if REAL_BITS == 32
static inline vec64 vec_widen(vec a, int which) { return which ? vcvt_high_f64_f32(a) : vcvt_f64_f32(vget_low_f32(a)); }
static inline vec64 vec_load_wide(const real *p) { return vcvt_f64_f32(vld1_f32(p)); }
static inline vec64 vec64_add_square(vec64 a, vec64 b) { return vfmaq_f64(a, b, b); }
static inline uint32x4_t vec_to_whole(const vec *a) { return vcvtq_u32_f32(*a); }
static inline void vec_store_bytes(uint8_t *p, vec a)
{
    const uint16x4_t words = vmovn_u32(vcvtq_u32_f32(a));
    const uint32x2_t bytes = vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words)));
    memcpy(p, &bytes, 4);
}
static inline vec vec_load_bytes(const uint8_t *p)
{
    const float lanes[] = {p[0], p[1], p[2], p[3]};
    return vld1q_f32(lanes);
}
static inline vec vec_load_u24(const uint32_t *p) { return vcvtq_f32_u32(vshrq_n_u32(vld1q_u32(p), 8)); }
#else
static inline vec64 vec_widen(vec a, int which)
{
    (void)which;
    return a;
}
static inline vec64 vec_load_wide(const real *p) { return vec_load(p); }
static inline vec64 vec64_add_square(vec64 a, vec64 b) { return a + b * b; }
static inline uint32x4_t vec_to_whole(const vec *a)
{
    return vcombine_u32(vmovn_u64(vcvtq_u64_f64(a[0])), vmovn_u64(vcvtq_u64_f64(a[1])));
}
static inline void vec_store_bytes(uint8_t *p, vec a)
{
    p[0] = (uint8_t)vgetq_lane_f64(a, 0);
    p[1] = (uint8_t)vgetq_lane_f64(a, 1);
}
static inline vec vec_load_bytes(const uint8_t *p)
{
    const double lanes[] = {p[0], p[1]};
    return vld1q_f64(lanes);
}
static inline vec vec_load_u24(const uint32_t *p) { return vcvtq_f64_u64(vmovl_u32(vshr_n_u32(vld1_u32(p), 8))); }
#endif

typedef vec vec_counter;
static inline vec_counter vec_counter_zero(void) { return vec_splat(0); }
static inline vec_counter vec_counter_add(vec_counter c, mask m)
{
    return c + VEC_FROM_BITS(VEC_BITS_(vandq)(m, VEC_TO_BITS(vec_splat(1))));
}
static inline vec vec_counter_value(vec_counter c) { return c; }

/* The conversion makes negative numbers and NaN zeros. */
typedef uint32x4_t vec_u32;
enum { VEC_U32_LANES = 4 };
static inline vec_u32 vec_one_bit(const vec *a)
{
    return vshlq_u32(vdupq_n_u32(1), vreinterpretq_s32_u32(vec_to_whole(a)));
}
static inline vec_u32 vec_u32_add(vec_u32 *sum, vec_u32 a, vec_u32 b)
{
    const vec_u32 differ = *sum ^ a, carry = vbslq_u32(differ, b, a);
    *sum = differ ^ b;
    return carry;
}

#if REAL_BITS == 32
static inline void vec_load_partial_bits16(uint16_t *lanes, const uint16_t *p, size_t n)
{
    memset(lanes, 0, VEC_LANES * sizeof *lanes);
    memcpy(lanes, p, n * sizeof *lanes);
}
static inline void vec_store_partial_bits16(uint16_t *p, const uint16_t *lanes, size_t n)
{
    memcpy(p, lanes, n * sizeof *lanes);
}
static inline vec vec_load_f16(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
static inline void vec_store_f16(uint16_t *p, vec a) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(a))); }
static inline void vec_stream_bits16(uint16_t *p, const uint16_t *lanes) { vst1_u16(p, vld1_u16(lanes)); }
static inline vec vec_load_bf16(const uint16_t *p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }
static inline mask vec_bits_are(vec a, int offset, int bits, int value)
{
    const uint32x4_t sum = vaddq_u32(vreinterpretq_u32_f32(a), vdupq_n_u32((uint32_t)offset));
    return vceqq_u32(vandq_u32(sum, vdupq_n_u32((uint32_t)bits)), vdupq_n_u32((uint32_t)value));
}
static inline vec vec_minus_bits(vec a, vec b)
{
    return vreinterpretq_f32_u32(vsubq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)));
}
static inline vec vec_to_odd(vec a, vec rest)
{
    const uint32x4_t bits = vreinterpretq_u32_f32(a);
    const uint32x4_t any = vshrq_n_u32(vcagtq_f32(rest, vdupq_n_f32(0)), 31);
    const uint32x4_t back = vandq_u32(vshrq_n_u32(veorq_u32(bits, vreinterpretq_u32_f32(rest)), 31), any);
    return vreinterpretq_f32_u32(vorrq_u32(vsubq_u32(bits, back), any));
}
/* As in vec_avx2.h. */
static inline uint32x4_t vec_round_bf16(vec a)
{
    const uint32x4_t bits = vreinterpretq_u32_f32(a);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    return vaddq_u32(vaddq_u32(bits, vdupq_n_u32(0x7fff)), odd);
}
static inline void vec_store_bf16(uint16_t *p, vec a) { vst1_u16(p, vshrn_n_u32(vec_round_bf16(a), 16)); }

typedef struct {
    vec even, odd;
} vec_two;
static inline vec_two vec_load_two_bf16(const uint16_t *p)
{
    const uint32x4_t both = vreinterpretq_u32_u16(vld1q_u16(p)), odd = vandq_u32(both, vdupq_n_u32(0xffff0000));
    return (vec_two){vreinterpretq_f32_u32(vshlq_n_u32(both, 16)), vreinterpretq_f32_u32(odd)};
}
static inline void vec_store_two_bf16(uint16_t *p, vec_two a)
{
    const uint32x4_t both = vsriq_n_u32(vec_round_bf16(a.odd), vec_round_bf16(a.even), 16);
    vst1q_u16(p, vreinterpretq_u16_u32(both));
}
static inline vec_two vec_load_two(const real *p)
{
    const float32x4x2_t a = vld2q_f32(p);
    return (vec_two){a.val[0], a.val[1]};
}
static inline void vec_store_two(real *p, vec_two a) { vst2q_f32(p, (float32x4x2_t){{a.even, a.odd}}); }
static inline void vec_store_two_upper_bf16(uint16_t *p, vec_two a)
{
    const uint32x4_t odd = vreinterpretq_u32_f32(a.odd);
    vst1q_u16(p, vreinterpretq_u16_u32(vsriq_n_u32(odd, vreinterpretq_u32_f32(a.even), 16)));
}

/* Indices of bytes in a table: those of the four bytes of an entry. */
typedef uint8x16_t index;
static inline index vec_bytes_of(uint32x4_t entry)
{
    return vreinterpretq_u8_u32(vmlaq_n_u32(vdupq_n_u32(0x03020100), entry, 0x04040404));
}
static inline index vec_index(vec a, int shift)
{
    const uint32x4_t bits = vshlq_u32(vreinterpretq_u32_f32(a), vdupq_n_s32(-shift));
    return vec_bytes_of(vandq_u32(bits, vdupq_n_u32(7)));
}
static inline vec vec_lookup(const real *table, index i)
{
    const uint8_t *bytes = (const uint8_t *)table;
    const uint8x16x2_t entries = {{vld1q_u8(bytes), vld1q_u8(bytes + 16)}};
    return vreinterpretq_f32_u8(vqtbl2q_u8(entries, i));
}
enum { VEC_TABLE16_VECTORS = 4 };
static inline size_t vec_table16_start(index i)
{
    (void)i;
    return 0;
}
static inline index vec_index16(vec a) { return vec_bytes_of(vandq_u32(vreinterpretq_u32_f32(a), vdupq_n_u32(15))); }
static inline vec vec_lookup16(const vec *table, index i)
{
    const uint8x16x4_t entries = {{vreinterpretq_u8_f32(table[0]), vreinterpretq_u8_f32(table[1]),
                                   vreinterpretq_u8_f32(table[2]), vreinterpretq_u8_f32(table[3])}};
    return vreinterpretq_f32_u8(vqtbl4q_u8(entries, i));
}
#endif
