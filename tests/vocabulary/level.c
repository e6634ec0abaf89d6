/* The words of the vocabulary at the level SUGAR_LEVEL_NAME, for elements of type SUGAR_TYPE: f32, which has the words
 * for f16 and bf16 too, or f64. Compiled as the kernels are. */
#include "vocabulary.h"

#include "kernels/prologue.h"

/* Define a check of an expression in a, b and d, vectors of the arguments. */
#define ONE(id, type, load, store, expression)                                                                         \
    static void do_##id(const call *c)                                                                                 \
    {                                                                                                                  \
        const type a = load(c->a);                                                                                     \
        store(c->result, expression);                                                                                  \
    }
#define TWO(id, type, load, store, expression)                                                                         \
    static void do_##id(const call *c)                                                                                 \
    {                                                                                                                  \
        const type a = load(c->a), b = load(c->b);                                                                     \
        store(c->result, expression);                                                                                  \
    }
#define THREE(id, type, load, store, expression)                                                                       \
    static void do_##id(const call *c)                                                                                 \
    {                                                                                                                  \
        const type a = load(c->a), b = load(c->b), d = load(c->c);                                                     \
        store(c->result, expression);                                                                                  \
    }
#define ONE_VEC(id, expression) ONE(id, vec, vec_load, vec_store, expression)
#define TWO_VECS(id, expression) TWO(id, vec, vec_load, vec_store, expression)
#define ONE_TO_MASK(id, expression) ONE(id, vec, vec_load, store_mask, expression)
#define TWO_TO_MASK(id, expression) TWO(id, vec, vec_load, store_mask, expression)

static void store_mask(void *result, mask m)
{
    real *lane = result;
    vec_store(lane, vec_select(m, vec_splat(1), vec_splat(0)));
    vec_store(lane + VEC_LANES, vec_counter_value(vec_counter_add(vec_counter_zero(), m)));
    vec_store(lane + 2 * VEC_LANES, vec_splat(vec_any(m) ? 1 : 0));
}

ONE_VEC(load, a)
static void do_splat(const call *c)
{
    real a;
    memcpy(&a, c->a, sizeof a);
    vec_store(c->result, vec_splat(a));
}
static void do_stream(const call *c)
{
    vec_stream(c->result, vec_load(c->a));
    vec_stream_end();
}
static void do_load_partial(const call *c) { vec_store(c->result, vec_load_partial(c->a, c->n)); }
static void do_store_partial(const call *c) { vec_store_partial(c->result, vec_load(c->a), c->n); }
TWO_VECS(add, a + b)
TWO_VECS(subtract, a - b)
TWO_VECS(multiply, a *b)
TWO_VECS(divide, a / b)
ONE_VEC(negate, -a)
THREE(fma, vec, vec_load, vec_store, vec_fma(a, b, d))
THREE(fma_middle, vec, vec_load, vec_store, vec_fma(a, b, d))
THREE(fnma, vec, vec_load, vec_store, vec_fnma(a, b, d))
ONE_VEC(sqrt, vec_sqrt(a))
TWO_VECS(max, vec_max(a, b))
TWO_VECS(min, vec_min(a, b))
ONE_VEC(abs, vec_abs(a))
TWO_VECS(copysign, vec_copysign(a, b))
TWO_TO_MASK(less, vec_less(a, b))
TWO_TO_MASK(less_equal, vec_less_equal(a, b))
ONE_TO_MASK(any, vec_less(vec_splat(0), a))
THREE(select, vec, vec_load, vec_store, vec_select(vec_less(vec_splat(0), a), b, d))
TWO_VECS(keep_nan, vec_keep_nan(a, vec_min(b, vec_splat(1))))
TWO_VECS(step, vec_step(a, b))
ONE_VEC(power_of_two, vec_power_of_two(a))
ONE(store_bytes, vec, vec_load, vec_store_bytes, a)
ONE(load_bytes, vec, vec_load_bytes, vec_store, a)
ONE(load64, vec64, vec64_load, vec64_store, a)
TWO(add64, vec64, vec64_load, vec64_store, a + b)
TWO(subtract64, vec64, vec64_load, vec64_store, a - b)
TWO(multiply64, vec64, vec64_load, vec64_store, a *b)
static void do_add_square(const call *c)
{
    vec64_store(c->result, vec64_add_square(vec64_load(c->a), vec_load_wide(c->b)));
}
static void do_widen(const call *c)
{
    const vec a = vec_load(c->a);
    double *result = c->result;
    vec64_store(result, vec_widen(a, 0));
    if (VEC64_PER_VEC == 2)
        vec64_store(result + VEC_LANES - VEC64_LANES, vec_widen(a, 1));
}
ONE(load_wide, vec64, vec_load_wide, vec64_store, a)

static vec_u64 load_u64(const void *p)
{
    vec_u64 a;
    memcpy(&a, p, sizeof a);
    return a;
}
static void store_u64(void *p, vec_u64 a) { memcpy(p, &a, sizeof a); }
#define ONE_U64_VEC(id, expression) ONE(id, vec_u64, load_u64, store_u64, expression)
#define TWO_U64_VECS(id, expression) TWO(id, vec_u64, load_u64, store_u64, expression)
TWO_U64_VECS(add_u64, a + b)
TWO_U64_VECS(subtract_u64, a - b)
TWO_U64_VECS(multiply_u64, a *b)
TWO_U64_VECS(and_u64, a &b)
TWO_U64_VECS(or_u64, a | b)
TWO_U64_VECS(xor_u64, a ^ b)
ONE_U64_VEC(left_u64, a << (uint64_t)c->n)
ONE_U64_VEC(right_u64, a >> (uint64_t)c->n)
TWO_U64_VECS(multiply_u32, vec_multiply_u32(a, b))
static void do_store_words(const call *c) { vec_store_words(c->result, load_u64(c->a), load_u64(c->b)); }
ONE(load_u24, vec, vec_load_u24, vec_store, a)

static void do_counter(const call *c)
{
    const vec zero = vec_splat(0), a = vec_load(c->a), b = vec_load(c->b);
    vec_counter counter = vec_counter_zero();
    for (size_t i = 0; i < c->n; i++)
        counter = vec_counter_add(counter, i % 2 ? vec_less(zero, b) : vec_less(zero, a));
    vec_store(c->result, vec_counter_value(counter));
}

static vec_u32 load_u32(const void *p)
{
    vec_u32 a;
    memcpy(&a, p, sizeof a);
    return a;
}
static void store_u32(void *p, vec_u32 a) { memcpy(p, &a, sizeof a); }
/* The last bit is set, as it may be where a is below 1. */
static void do_one_bit(const call *c)
{
    const real *a = c->a;
    vec all[VEC_U32_LANES / VEC_LANES];
    uint32_t words[VEC_U32_LANES];
    for (int k = 0; k < VEC_U32_LANES / VEC_LANES; k++)
        all[k] = vec_load(a + k * VEC_LANES);
    store_u32(words, vec_one_bit(all));
    for (int i = 0; i < VEC_U32_LANES; i++)
        words[i] |= 1;
    memcpy(c->result, words, sizeof words);
}
static void do_u32_add(const call *c)
{
    vec_u32 sum = load_u32(c->a);
    const vec_u32 carry = vec_u32_add(&sum, load_u32(c->b), load_u32(c->c));
    store_u32(c->result, sum);
    store_u32((char *)c->result + sizeof sum, carry);
}

#if REAL_BITS == 32
ONE_VEC(lookup, vec_lookup(c->b, vec_index(a, (int)c->n)))

static void do_lookup16(const call *c)
{
    const index i = vec_index16(vec_load(c->a));
    const real *first = (const real *)c->b + vec_table16_start(i);
    vec row[VEC_TABLE16_VECTORS];
    for (size_t k = 0; k < VEC_TABLE16_VECTORS; k++)
        row[k] = vec_load(first + k * VEC_LANES);
    vec_store(c->result, vec_lookup16(row, i));
}

ONE(load_f16, vec, vec_load_f16, vec_store, a)
ONE(load_bf16, vec, vec_load_bf16, vec_store, a)
ONE(store_f16, vec, vec_load, vec_store_f16, a)
ONE(store_bf16, vec, vec_load, vec_store_bf16, a)

/* The lanes of a vec_two. Not on the stack: the one that gcc 12's AddressSanitizer puts in place of it
 * (detect_stack_use_after_return) is not aligned for vectors of 64 bytes. */
static real even[VEC_LANES], odd[VEC_LANES];

static void put_two(real *result, vec_two a)
{
    vec_store(even, a.even);
    vec_store(odd, a.odd);
    for (size_t i = 0; i < VEC_LANES; i++) {
        result[2 * i] = even[i];
        result[2 * i + 1] = odd[i];
    }
}

static void do_load_two_bf16(const call *c) { put_two(c->result, vec_load_two_bf16(c->a)); }
static void do_load_two(const call *c) { put_two(c->result, vec_load_two(c->a)); }

static vec_two get_two(const real *a)
{
    for (size_t i = 0; i < VEC_LANES; i++) {
        even[i] = a[2 * i];
        odd[i] = a[2 * i + 1];
    }
    return (vec_two){vec_load(even), vec_load(odd)};
}

static void do_store_two_bf16(const call *c) { vec_store_two_bf16(c->result, get_two(c->a)); }
static void do_store_two(const call *c) { vec_store_two(c->result, get_two(c->a)); }
static void do_store_two_upper_bf16(const call *c) { vec_store_two_upper_bf16(c->result, get_two(c->a)); }

static void do_bits_are(const call *c)
{
    int pattern[3];     /* offset, bits, value */
    memcpy(pattern, c->b, sizeof pattern);
    store_mask(c->result, vec_bits_are(vec_load(c->a), pattern[0], pattern[1], pattern[2]));
}

static void do_load_partial_bits16(const call *c) { vec_load_partial_bits16(c->result, c->a, c->n); }
static void do_store_partial_bits16(const call *c) { vec_store_partial_bits16(c->result, c->a, c->n); }
static void do_stream_bits16(const call *c)
{
    vec_stream_bits16(c->result, c->a);
    vec_stream_end();
}
TWO_VECS(minus_bits, vec_minus_bits(a, b))
TWO_VECS(to_odd, vec_to_odd(a, b))
#define IF_SINGLE(id) do_##id
#else
#define IF_SINGLE(id) NULL
#endif

extern const vocabulary JOIN(JOIN(vocabulary, SUGAR_TYPE), SUGAR_LEVEL_NAME);
const vocabulary JOIN(JOIN(vocabulary, SUGAR_TYPE), SUGAR_LEVEL_NAME) = {
    .is = {REAL_BITS, VEC_LANES, VEC64_LANES, VEC_U64_LANES, VEC_U32_LANES},
    .apply =
        {
#define IF_ALL(id) do_##id
#define WORD(id, words, has, ...) [WORD_##id] = IF_##has(id),
#include "words.def"
        },
};
