/* Bits to bytes and back, eight at a time where they fill a byte. */
#include "view/bits.h"

#include <stdbool.h>

#include "base/integers.h"

/* Eight bytes as a number, the first one lowest. */
static uint64_t load_eight(const uint8_t *p)
{
    uint64_t a = 0;
    for (int k = 0; k < 8; k++)
        a |= (uint64_t)p[k] << 8 * k;
    return a;
}

static void store_eight(uint8_t *p, uint64_t a)
{
    for (int k = 0; k < 8; k++)
        p[k] = (uint8_t)(a >> 8 * k);
}

/* The multiplication brings the lowest bit of byte k to bit 56 + k. */
static uint8_t pack(uint64_t codes)
{
    return (uint8_t)((codes & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56);
}

/* Bit k of byte k is bit k; the other bits are 0. */
static uint64_t unpack(uint8_t bits) { return bits * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201); }

/* Sets the bits of `mask` in a byte; other threads may set its other bits. */
static void set_bits(uint8_t *byte, uint8_t mask, uint8_t value)
{
    uint8_t old = __atomic_load_n(byte, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(byte, &old, (uint8_t)((old & ~mask) | value), 1, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
        ;
}

/* Writes n bits of one byte, from its bit `low` on; the bits above them too if they are the last ones of the array. */
static void write_some_bits(uint8_t *byte, int low, const uint8_t *code, int n, bool is_last)
{
    unsigned value = 0, mask = ((1u << n) - 1) << low;
    for (int i = 0; i < n; i++)
        value |= (code[i] & 1u) << (low + i);
    if (is_last)
        mask |= 0xffu << low;
    set_bits(byte, (uint8_t)mask, (uint8_t)value);
}

void sugar_bits_write(uint8_t *bits, int64_t first, const uint8_t *code, int64_t n, int64_t total)
{
    const int64_t end = first + n;
    while (first < end) {
        uint8_t *byte = bits + first / 8;
        const int low = (int)(first % 8);
        if (low == 0 && end - first >= 8) {
            *byte = pack(load_eight(code));
            code += 8;
            first += 8;
        } else {
            const int count = (int)smaller(8 - low, end - first);
            write_some_bits(byte, low, code, count, first + count == total);
            code += count;
            first += count;
        }
    }
}

void sugar_bits_read(const uint8_t *bits, int64_t first, uint8_t *code, int64_t n)
{
    const int64_t end = first + n;
    while (first < end) {
        const uint8_t byte = bits[first / 8];
        const int low = (int)(first % 8);
        if (low == 0 && end - first >= 8) {
            store_eight(code, unpack(byte));
            code += 8;
            first += 8;
        } else {
            *code++ = byte >> low & 1;
            first++;
        }
    }
}
