/* Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011), one block
 * of four words in each lane. */
#ifndef SUGAR_KERNELS_MATH_PHILOX_H
#define SUGAR_KERNELS_MATH_PHILOX_H

#include "kernels/prologue.h"

/* How many vectors are computed at a time. A round is a chain of a product, a shift and a xor, so several are computed
 * side by side: with 1 vector 0.69 ns an element, with 2 0.62, with 3 0.55, and with 4, which do not fit into the
 * registers, 0.68 (AVX2, Zen 5, gcc 12). */
enum { PHILOX_VECTORS = 3, PHILOX_BLOCKS = PHILOX_VECTORS * VEC_U64_LANES, PHILOX_WORDS = 4 * PHILOX_BLOCKS };

/* word[k]: word k of counters, and, once computed, of their blocks; in the lower halves of the lanes. The upper halves
 * may hold anything, as products do not read them. With words in lanes of 32 bits a round of eight blocks takes 18
 * operations instead of 16 (AVX2), as the halves of the products must be put together. */
typedef struct {
    vec_u64 word[4][PHILOX_VECTORS];
} philox_blocks;

ALWAYS_INLINE void philox(philox_blocks *c, uint32_t key0, uint32_t key1)
{
    const vec_u64 zero = {0}, factor0 = zero + 0xD2511F53, factor1 = zero + 0xCD9E8D57;
    vec_u64 k0 = zero + key0, k1 = zero + key1;
    for (int round = 0; round < 10; round++) {
        for (int v = 0; v < PHILOX_VECTORS; v++) {
            const vec_u64 a = vec_multiply_u32(c->word[0][v], factor0), b = vec_multiply_u32(c->word[2][v], factor1);
            c->word[0][v] = (c->word[1][v] ^ k0) ^ (b >> 32);
            c->word[2][v] = (c->word[3][v] ^ k1) ^ (a >> 32);
            c->word[1][v] = b;
            c->word[3][v] = a;
        }
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
}

/* Sets vector v to counters of 64 bits. */
ALWAYS_INLINE void philox_set(philox_blocks *c, int v, vec_u64 counter)
{
    const vec_u64 zero = {0};
    c->word[0][v] = counter;
    c->word[1][v] = counter >> 32;
    c->word[2][v] = c->word[3][v] = zero;
}

/* 0, 1, 2, ... in the lanes. */
ALWAYS_INLINE vec_u64 philox_lanes(void)
{
    static const uint64_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
    vec_u64 lanes;
    memcpy(&lanes, numbers, sizeof lanes);
    return lanes;
}

/* The words of blocks first, first + 1, ..., PHILOX_WORDS in all, in their order. */
ALWAYS_INLINE void philox_run(uint64_t key, uint64_t first, uint32_t *word)
{
    philox_blocks c;
    for (int v = 0; v < PHILOX_VECTORS; v++)
        philox_set(&c, v, philox_lanes() + (first + (uint64_t)v * VEC_U64_LANES));
    philox(&c, (uint32_t)key, (uint32_t)(key >> 32));
    for (int v = 0; v < PHILOX_VECTORS; v++)
        vec_store_words(word + v * 4 * VEC_U64_LANES, (c.word[0][v] & UINT32_MAX) | c.word[1][v] << 32,
                        (c.word[2][v] & UINT32_MAX) | c.word[3][v] << 32);
}

#endif
