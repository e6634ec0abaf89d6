/* The values of the checks; see inputs.h. */
#include "inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../support/support.h"

static uint64_t bits_of(double value, int real_bits)
{
    return element_of(value, real_bits == 32 ? ELEMENT_F32 : ELEMENT_F64);
}

/* ---- Lists of edges ------------------------------------------------------------------------ */

static void append(list *to, uint64_t bits)
{
    if ((to->count & (to->count - 1)) == 0) {       /* full: the room doubles */
        to->bits = realloc(to->bits, sizeof *to->bits * (to->count ? 2 * to->count : 1));
        if (!to->bits)
            give_up("edges", "no memory");
    }
    to->bits[to->count++] = bits;
}

static void append_both(list *to, uint64_t magnitude, int real_bits)
{
    append(to, magnitude);
    append(to, magnitude | (uint64_t)1 << (real_bits - 1));
}

static void append_numbers(list *to, const double *value, size_t count, int real_bits)
{
    for (size_t i = 0; i < count; i++)
        append(to, bits_of(value[i], real_bits));
}

/* Zeros, the smallest and largest subnormal and normal numbers, infinities and NaNs; 1, its neighbours and those
 * of other powers of two; halves; numbers whose sums, products and square roots are in the middle between two;
 * bounds of whole numbers. */
static void append_reals(list *to, int real_bits)
{
    const int digits = real_bits == 32 ? 23 : 52;
    const uint64_t normal = (uint64_t)1 << digits, one = bits_of(1, real_bits),
                   infinity = bits_of((double)INFINITY, real_bits);
    const uint64_t magnitudes[] = {
        0,
        1,
        normal - 1,
        normal,
        one - 1,
        one,
        one + 1,
        infinity - 1,
        infinity,
        infinity + normal / 2,
        bits_of(0.5, real_bits),
        bits_of(1.5, real_bits),
        bits_of(2.5, real_bits),
        bits_of(3, real_bits),
        bits_of(ldexp(1, -digits - 1), real_bits),
        bits_of(ldexp(1, -digits - 1), real_bits) + 1,
        bits_of(1 + ldexp(1, -(digits + 1) / 2), real_bits),
        bits_of(ldexp(1, digits), real_bits),
        bits_of(0x1p31, real_bits),
        bits_of(255.5, real_bits),
    };
    for (size_t i = 0; i < sizeof magnitudes / sizeof magnitudes[0]; i++)
        append_both(to, magnitudes[i], real_bits);
    append(to, infinity + 1);       /* a signalling NaN */
}

static void append_powers(list *to, int real_bits)
{
    const int bias = real_bits == 32 ? 127 : 1023;
    const double rounder = (real_bits == 32 ? 0x1.8p23 : 0x1.8p52) + bias;
    for (int n = 1 - bias; n <= bias; n++)
        append(to, bits_of(rounder + n, real_bits));
}

static void append_below(list *to, double bound, int real_bits)
{
    for (double n = 0; n < bound; n++) {
        const uint64_t whole = bits_of(n, real_bits), next = bits_of(n + 1, real_bits);
        append(to, whole);
        append(to, whole + 1);
        append(to, bits_of(n + 0.5, real_bits));
        append(to, next - 1);
    }
    append(to, bits_of(-0.0, real_bits));
}

static void append_negative(list *to, int real_bits)
{
    static const double negative[] = {-0x1p-149,  -0.5,    -1,        -127,    -128,     -129,
                                      -255,       -256,    -32767,    -32768,  -32769,   -65535,
                                      -65536,     -0x1p31, -0x1.8p31, -0x1p32, -0x1p100, (double)-INFINITY,
                                      (double)NAN};
    append_numbers(to, negative, sizeof negative / sizeof negative[0], real_bits);
}

/* What a short type rounds: each of its numbers, the middle between it and the next one, and their neighbours. The
 * number above the largest one is the power of two that comes next. */
static void append_around(list *to, element_type type)
{
    const uint64_t sign = (uint64_t)1 << 31, past = element_of((double)INFINITY, type);
    for (uint64_t half = 0; half < past; half++) {
        const double low = element_value(half, type);
        const double next = half + 1 < past ? element_value(half + 1, type) : 2 * low - element_value(half - 1, type);
        const uint64_t edges[] = {bits_of(low, 32),
                                  bits_of(low, 32) + 1,
                                  bits_of(low + (next - low) / 2, 32),
                                  bits_of(low + (next - low) / 2, 32) - 1,
                                  bits_of(low + (next - low) / 2, 32) + 1,
                                  bits_of(next, 32) - 1};
        for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
            append(to, edges[i] | (half % 2 ? sign : 0));
    }
    static const double large[] = {65536,  0x1p17,   0x1p127,           0x1.fffffep127, (double)INFINITY,
                                   -65536, -0x1p127, (double)-INFINITY, (double)NAN,    (double)-NAN,
                                   -0.0};
    append_numbers(to, large, sizeof large / sizeof large[0], 32);
}

static void append_whole(list *to, values from)
{
    static const uint64_t words[] = {
        0,
        1,
        2,
        0x7f,
        0x80,
        0xff,
        0x100,
        0x1ff,
        0xffff,
        0x10000,
        0xffffff,
        0x1000000,
        0x7fffffff,
        0x80000000,
        0x80000001,
        0xfffffeff,
        0xffffff00,
        0xfffffffe,
        0xffffffff,
        0x100000000,
        0x1ffffffff,
        0xfffffffeffffffff,
        0xffffffff00000000,
        0x7fffffffffffffff,
        0x8000000000000000,
        0xfffffffffffffffe,
        0xffffffffffffffff,
        0x0123456789abcdef,
        0xaaaaaaaaaaaaaaaa,
    };
    const uint64_t most = from == U64 ? UINT64_MAX : from == U32 ? UINT32_MAX : from == U16 ? UINT16_MAX : UINT8_MAX;
    if (most <= UINT16_MAX)
        for (uint64_t bits = 0; bits <= most; bits++)
            append(to, bits);
    else
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            append(to, words[i] & most);
}

const list *edges_of(values from, int real_bits)
{
    static list lists[2][LISTS];
    list *edges = &lists[real_bits == 64][from];
    if (edges->count)
        return edges;
    switch (from) {
    case REAL: append_reals(edges, real_bits); break;
    case DOUBLE: append_reals(edges, 64); break;
    case POWER: append_powers(edges, real_bits); break;
    case BELOW_256: append_below(edges, 256, real_bits); break;
    case BELOW_32:
        append_below(edges, 32, real_bits);
        append_negative(edges, real_bits);
        break;
    case AROUND_F16: append_around(edges, ELEMENT_F16); break;
    case AROUND_BF16: append_around(edges, ELEMENT_BF16); break;
    default: append_whole(edges, from); break;
    }
    if (edges->count % 2 == 0)
        append(edges, edges->bits[0]);
    return edges;
}

/* ---- Random values ------------------------------------------------------------------------- */

/* 0 <= value < bound, a power of two, with all digits of the type. */
static uint64_t random_below(double bound, int real_bits, uint64_t *state)
{
    const uint64_t any = random_bits(state);
    return bits_of(real_bits == 32 ? (double)(any >> 40) * 0x1p-24 * bound : (double)(any >> 11) * 0x1p-53 * bound,
                   real_bits);
}

/* A REAL, of no more than half of the digits, or nearly a power of two, or a subnormal one. */
static uint64_t random_factor(int real_bits, uint64_t *state)
{
    const int digits = real_bits == 32 ? 23 : 52;
    const uint64_t any = random_element(state, real_bits == 32 ? ELEMENT_F32 : ELEMENT_F64);
    const uint64_t choice = random_bits(state), fraction = ((uint64_t)1 << digits) - 1;
    const uint64_t last = (uint64_t)1 << choice / 8 % (unsigned)digits;
    switch (choice % 8) {
    case 0: return (uint64_t)1 << digits / 2;
    case 1: return any >> (digits / 2 + 1) << (digits / 2 + 1);
    case 2:
    case 3: return (any & ~fraction) | last;
    case 4:
    case 5: return (any & ~fraction) | (fraction & ~(last - 1));
    default: return any;
    }
}

static int exponent_of(double a, int real_bits)
{
    int exponent;
    frexp(a, &exponent);
    return a - a == 0 ? exponent : real_bits == 32 ? 128 : 1024;
}

/* The product is half of the last place of c; or c is so small that it only decides to which side a product that is a
 * middle is rounded; or it is the product's negative; or anything. */
uint64_t random_addend(uint64_t a, uint64_t b, int real_bits, uint64_t *state)
{
    const element_type type = real_bits == 32 ? ELEMENT_F32 : ELEMENT_F64;
    const int digits = real_bits == 32 ? 24 : 53;
    const double x = element_value(a, type), y = element_value(b, type);
    const double c = element_value(random_factor(real_bits, state), type);
    const int product = exponent_of(x, real_bits) + exponent_of(y, real_bits) - 1;
    const int from_product = product - exponent_of(c, real_bits);
    const uint64_t choice = random_bits(state);
    switch (choice % 8) {
    case 0: return bits_of(c, real_bits);
    case 1: return bits_of(-x * y, real_bits);
    case 2: return bits_of(ldexp(c, from_product - (int)(choice / 8 % 200)), real_bits);
    case 3: return bits_of(ldexp(c, from_product + (int)(choice / 8 % 8) - 4), real_bits);
    default: return bits_of(ldexp(c, from_product + digits + (int)(choice / 8 % 4) - 2), real_bits);
    }
}

uint64_t random_value(values from, int real_bits, uint64_t *state)
{
    const element_type type = real_bits == 32 ? ELEMENT_F32 : ELEMENT_F64;
    uint64_t bits;
    switch (from) {
    case REAL:
    case AROUND_F16:
    case ONE_LANE:
    case REST: return random_element(state, type);
    case FACTOR: return random_factor(real_bits, state);
    case DOUBLE: return random_element(state, ELEMENT_F64);
    case POWER: return edges_of(POWER, real_bits)->bits[random_bits(state) % edges_of(POWER, real_bits)->count];
    case BELOW_256: return random_below(256, real_bits, state);
    case BELOW_32:
        bits = random_element(state, type);
        return element_value(bits, type) >= 0 ? random_below(32, real_bits, state) : bits;
    case AROUND_BF16:
        bits = random_element(state, type);
        return element_is_nan(bits, type) ? bits_of((double)NAN, real_bits) : bits;
    default: return random_bits(state);
    }
}
