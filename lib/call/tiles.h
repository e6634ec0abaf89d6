/* Sizes that the loops over tiles share. */
#ifndef SUGAR_TILES_H
#define SUGAR_TILES_H

#include <stdint.h>

enum {
    SUGAR_CACHE_LINE = 64,
    SUGAR_TILE_BYTES = 8192,        /* of one operand: with 4096, 32 Mi elements from NCHW to NHWC with 64 channels took
                                       0.95 ns each, with 8192 0.80 */
    SUGAR_APART_BYTES = 256         /* between buffers: at multiples of 4096 bytes from each other they cost backward
                                       1.9 ns an element instead of 0.9 (Zen 5) */
};

/* A buffer for a tile of elements of any type. */
typedef union sugar_tile_buffer {
    double f64[(SUGAR_TILE_BYTES + SUGAR_APART_BYTES) / sizeof(double)];
    float f32[(SUGAR_TILE_BYTES + SUGAR_APART_BYTES) / sizeof(float)];
    uint16_t f16[(SUGAR_TILE_BYTES + SUGAR_APART_BYTES) / sizeof(uint16_t)];
    uint8_t bytes[SUGAR_TILE_BYTES + SUGAR_APART_BYTES];
} sugar_tile_buffer;

#endif
