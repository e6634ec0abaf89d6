/* What the words of the vocabulary do, in plain C and by the definitions in vec_scalar.h, for vectors of the size
 * that a call names. Compiled once per type, SUGAR_TYPE, with contraction off. */
#include "vocabulary.h"

#include <string.h>
#include <tgmath.h>

#include "../support/support.h"

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define BITS_f32 32
#define BITS_f64 64
#if JOIN(BITS, SUGAR_TYPE) == 32
#define IS_SINGLE 1
typedef float real;
#define ROUNDER (0x1.8p23f + 127)
#else
#define IS_SINGLE 0
typedef double real;
#define ROUNDER (0x1.8p52 + 1023)
#endif

/* Defines a check that computes each `type` of the result, of which there are `count`, from those of the arguments at
 * the same place: a, b and d. */
#define EACH(id, count, type, type_a, type_b, type_d, expression)                                                      \
    static void do_##id(const call *c)                                                                                 \
    {                                                                                                                  \
        const type_a *all_a = c->a;                                                                                    \
        const type_b *all_b = c->b;                                                                                    \
        const type_d *all_d = c->c;                                                                                    \
        for (size_t i = 0; i < (count); i++) {                                                                         \
            const type_a a = all_a[i];                                                                                 \
            const type_b b = all_b ? all_b[i] : 0;                                                                     \
            const type_d d = all_d ? all_d[i] : 0;                                                                     \
            (void)b;                                                                                                   \
            (void)d;                                                                                                   \
            ((type *)c->result)[i] = (type)(expression);                                                               \
        }                                                                                                              \
    }
#define REAL_FROM(type, id, expression) EACH(id, c->is.lanes, real, type, real, real, expression)
#define EACH_REAL(id, expression) REAL_FROM(real, id, expression)
#define EACH_DOUBLE(id, expression) EACH(id, c->is.lanes64, double, double, double, double, expression)
#define EACH_U64(id, expression) EACH(id, c->is.lanes_u64, uint64_t, uint64_t, uint64_t, uint64_t, expression)

/* Defines a check of words that give a mask. */
#define EACH_MASK(id, expression)                                                                                      \
    EACH_REAL(each_of_##id, expression)                                                                                \
    static void do_##id(const call *c)                                                                                 \
    {                                                                                                                  \
        do_each_of_##id(c);                                                                                            \
        finish_mask(c);                                                                                                \
    }
static void finish_mask(const call *c)
{
    real *lane = c->result, any = 0;
    for (size_t i = 0; i < c->is.lanes; i++)
        any = lane[i] > 0 ? 1 : any;
    for (size_t i = 0; i < c->is.lanes; i++) {
        lane[c->is.lanes + i] = lane[i];
        lane[2 * c->is.lanes + i] = any;
    }
}

EACH_REAL(load, a)
EACH_REAL(stream, a)
EACH(store_partial, c->n, real, real, real, real, a)
EACH_REAL(add, a + b)
EACH_REAL(subtract, a - b)
EACH_REAL(multiply, a *b)
EACH_REAL(divide, a / b)
EACH_REAL(negate, -a)
EACH_REAL(fma, fma(a, b, d))
EACH_REAL(fma_middle, fma(a, b, d))
EACH_REAL(fnma, fma(-a, b, d))
EACH_REAL(sqrt, sqrt(a))
EACH_REAL(max, a > b ? a : b)
EACH_REAL(min, a < b ? a : b)
EACH_REAL(abs, fabs(a))
EACH_REAL(copysign, copysign(a, b))
EACH_MASK(less, a < b)
EACH_MASK(less_equal, a <= b)
EACH_MASK(any, a > 0)
EACH_REAL(select, a > 0 ? b : d)
EACH_REAL(keep_nan, isnan(a) ? a : b < 1 ? b : 1)
EACH_REAL(step, isnan(a) ? a : a <= 0 ? b : 1)
EACH_REAL(power_of_two, ldexp((real)1, (int)(a - ROUNDER)))
EACH(store_bytes, c->is.lanes, uint8_t, real, real, real, a)
REAL_FROM(uint8_t, load_bytes, a)
EACH_DOUBLE(load64, a)
EACH_DOUBLE(add64, a + b)
EACH_DOUBLE(subtract64, a - b)
EACH_DOUBLE(multiply64, a *b)
EACH(add_square, c->is.lanes64, double, double, real, real, a + (double)b * (double)b)
EACH(widen, c->is.lanes, double, real, real, real, a)
EACH(load_wide, c->is.lanes64, double, real, real, real, a)
EACH_U64(add_u64, a + b)
EACH_U64(subtract_u64, a - b)
EACH_U64(multiply_u64, a *b)
EACH_U64(and_u64, a &b)
EACH_U64(or_u64, a | b)
EACH_U64(xor_u64, a ^ b)
EACH_U64(left_u64, a << c->n)
EACH_U64(right_u64, a >> c->n)
EACH_U64(multiply_u32, (a & UINT32_MAX) * (b & UINT32_MAX))
REAL_FROM(uint32_t, load_u24, a / 256)
EACH_REAL(counter, a > 0 ? (b > 0 ? c->n : (c->n + 1) / 2) : (b > 0 ? c->n / 2 : 0))
EACH(one_bit, c->is.lanes_u32, uint32_t, real, real, real, a >= 1 ? 1u << (int)a | 1u : 1u)

static void do_splat(const call *c)
{
    for (size_t i = 0; i < c->is.lanes; i++)
        memcpy((real *)c->result + i, c->a, sizeof(real));
}

static void do_load_partial(const call *c)
{
    memset(c->result, 0, c->is.lanes * sizeof(real));
    memcpy(c->result, c->a, c->n * sizeof(real));
}

static void do_store_words(const call *c)
{
    const uint64_t *a = c->a, *b = c->b;
    uint32_t *word = c->result;
    for (size_t i = 0; i < c->is.lanes_u64; i++) {
        word[4 * i] = (uint32_t)a[i];
        word[4 * i + 1] = (uint32_t)(a[i] / 0x100000000);
        word[4 * i + 2] = (uint32_t)b[i];
        word[4 * i + 3] = (uint32_t)(b[i] / 0x100000000);
    }
}

static void do_u32_add(const call *c)
{
    const uint32_t *a = c->a, *b = c->b, *d = c->c;
    uint32_t *sum = c->result, *carry = sum + c->is.lanes_u32;
    for (size_t i = 0; i < c->is.lanes_u32; i++) {
        sum[i] = carry[i] = 0;
        for (int bit = 0; bit < 32; bit++) {
            const uint32_t ones = (a[i] >> bit & 1) + (b[i] >> bit & 1) + (d[i] >> bit & 1);
            sum[i] |= (ones & 1) << bit;
            carry[i] |= (ones >> 1) << bit;
        }
    }
}

#if IS_SINGLE
static uint32_t bits_of(float a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static float minus_bits(float a, float b)
{
    const uint32_t bits = bits_of(a) - bits_of(b);
    float difference;
    memcpy(&difference, &bits, sizeof difference);
    return difference;
}

static float to_odd(float a, float rest)
{
    if (isnan(rest) || rest == 0 || bits_of(a) % 2 == 1)
        return a;
    return nextafter(a, rest > 0 ? INFINITY : -INFINITY);
}
EACH_REAL(minus_bits, minus_bits(a, b))
EACH_REAL(to_odd, to_odd(a, b))
REAL_FROM(uint16_t, load_f16, element_value(a, ELEMENT_F16))
REAL_FROM(uint16_t, load_bf16, element_value(a, ELEMENT_BF16))
EACH(load_two_bf16, 2 * c->is.lanes, float, uint16_t, uint16_t, uint16_t, element_value(a, ELEMENT_BF16))
EACH(load_two, 2 * c->is.lanes, float, float, float, float, a)
EACH(store_two, 2 * c->is.lanes, float, float, float, float, a)
EACH(store_f16, c->is.lanes, uint16_t, float, float, float, element_of((double)a, ELEMENT_F16))
EACH(store_bf16, c->is.lanes, uint16_t, float, float, float, element_of((double)a, ELEMENT_BF16))
EACH(store_two_bf16, 2 * c->is.lanes, uint16_t, float, float, float, element_of((double)a, ELEMENT_BF16))
EACH(store_two_upper_bf16, 2 * c->is.lanes, uint16_t, float, float, float, bits_of(a) >> 16)
static void do_load_partial_bits16(const call *c)
{
    memset(c->result, 0, c->is.lanes * sizeof(uint16_t));
    memcpy(c->result, c->a, c->n * sizeof(uint16_t));
}
EACH(store_partial_bits16, c->n, uint16_t, uint16_t, uint16_t, uint16_t, a)
EACH(stream_bits16, c->is.lanes, uint16_t, uint16_t, uint16_t, uint16_t, a)

static void do_bits_are(const call *c)
{
    uint32_t pattern[3];        /* offset, bits, value */
    const float *a = c->a;
    memcpy(pattern, c->b, sizeof pattern);
    for (size_t i = 0; i < c->is.lanes; i++)
        ((float *)c->result)[i] = ((bits_of(a[i]) + pattern[0]) & pattern[1]) == (pattern[2] & pattern[1]) ? 1 : 0;
    finish_mask(c);
}

static void look_up(const call *c, size_t shift, uint32_t entries)
{
    const float *a = c->a, *table = c->b;
    for (size_t i = 0; i < c->is.lanes; i++)
        memcpy((float *)c->result + i, table + (bits_of(a[i]) >> shift) % entries, sizeof *table);
}

static void do_lookup(const call *c) { look_up(c, c->n, 8); }
static void do_lookup16(const call *c) { look_up(c, 0, 16); }
#define IF_SINGLE(id) do_##id
#else
#define IF_SINGLE(id) NULL
#endif

const vocabulary JOIN(plain, SUGAR_TYPE) = {
    .is = {.real = JOIN(BITS, SUGAR_TYPE)},
    .apply =
        {
#define IF_ALL(id) do_##id
#define WORD(id, words, has, ...) [WORD_##id] = IF_##has(id),
#include "words.def"
        },
};
