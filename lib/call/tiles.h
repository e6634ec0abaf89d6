/* Sizes of tiles and their buffers. */
#ifndef SUGAR_TILES_H
#define SUGAR_TILES_H

#include <stdint.h>

enum {
    SUGAR_TILE_BYTES = 8192,        /* of one operand: 32 Mi elements from NCHW to NHWC with 64 channels took 0.80 ns
                                       each with 8192, and 0.95 with 4096 */
    SUGAR_APART_BYTES = 256         /* between buffers: where their distances are multiples of 4096 bytes, backward
                                       takes 1.9 ns an element instead of 0.9 (Zen 5) */
};

/* A buffer for the elements of a tile in one operand, of any type. */
typedef union sugar_tile_buffer {
    double f64[(SUGAR_TILE_BYTES + SUGAR_APART_BYTES) / sizeof(double)];
    float f32[(SUGAR_TILE_BYTES + SUGAR_APART_BYTES) / sizeof(float)];
    uint16_t f16[(SUGAR_TILE_BYTES + SUGAR_APART_BYTES) / sizeof(uint16_t)];
    uint8_t bytes[SUGAR_TILE_BYTES + SUGAR_APART_BYTES];
} sugar_tile_buffer;

#endif
