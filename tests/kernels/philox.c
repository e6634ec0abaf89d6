/* The generator behind rrelu's slopes, at the level SUGAR_LEVEL_NAME: against the vectors that its authors publish
 * (Random123's kat_vectors, "philox4x32 10"), in every lane; and runs of blocks, compared with one block at a
 * time. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <sugar/sugar.h>

#include "kernels/math/philox.h"

typedef struct known {
    uint32_t counter[4], key[2], block[4];
} known;

static const known vectors[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};
enum { VECTORS = sizeof vectors / sizeof vectors[0] };

int check_philox(void);

static long passed, failed;

static void expect(const char *what, size_t at, const uint32_t *found, const uint32_t *expected)
{
    if (memcmp(found, expected, 4 * sizeof *found) == 0) {
        passed++;
        return;
    }
    failed++;
    printf("FAILED: %s %zu: %08x %08x %08x %08x, expected %08x %08x %08x %08x\n", what, at, found[0], found[1],
           found[2], found[3], expected[0], expected[1], expected[2], expected[3]);
}

/* The block of one lane; the other lanes have other counters. */
static void find_block(const uint32_t *counter, const uint32_t *key, int lane, uint32_t *block)
{
    uint64_t lanes[4][PHILOX_BLOCKS];
    philox_blocks c;
    for (int word = 0; word < 4; word++)
        for (int i = 0; i < PHILOX_BLOCKS; i++)
            lanes[word][i] = i == lane ? counter[word] : (uint64_t)(77 * i + word);
    memcpy(&c, lanes, sizeof c);
    philox(&c, key[0], key[1]);
    memcpy(lanes, &c, sizeof c);
    for (int word = 0; word < 4; word++)
        block[word] = (uint32_t)lanes[word][lane];
}

static void check_lane(const known *k, int lane)
{
    uint32_t found[4];
    find_block(k->counter, k->key, lane, found);
    expect("vector", (size_t)(k - vectors), found, k->block);
}

/* Counters carry from the lower half of 64 bits to the upper one, and wrap. */
static void check_run(uint64_t key, uint64_t first)
{
    uint32_t found[PHILOX_WORDS], expected[4];
    const uint32_t keys[] = {(uint32_t)key, (uint32_t)(key >> 32)};
    philox_run(key, first, found);
    for (size_t i = 0; i < PHILOX_BLOCKS; i++) {
        const uint64_t number = first + i;
        const uint32_t counter[] = {(uint32_t)number, (uint32_t)(number >> 32), 0, 0};
        find_block(counter, keys, 0, expected);
        expect("block", i, found + 4 * i, expected);
    }
}

int check_philox(void)
{
    for (int i = 0; i < VECTORS; i++)
        for (int lane = 0; lane < PHILOX_BLOCKS; lane++)
            check_lane(&vectors[i], lane);
    static const uint64_t starts[] = {0, 1, UINT32_MAX - 1, UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        check_run(0, starts[i]);
        check_run(0x299f31d0a4093822, starts[i]);
    }
    printf("philox at level %s: %ld passed, %ld failed\n", QUOTE(SUGAR_LEVEL_NAME), passed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
