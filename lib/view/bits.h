/* Arrays of bits, in which element i is bit i mod 8, from the lowest, of byte i / 8. */
#ifndef SUGAR_BITS_H
#define SUGAR_BITS_H

#include <stdint.h>

/* Writes bits first, first + 1, ...: whether code[i], 0 or 255, is not 0. Others may write other bits at the same
 * time. Whoever writes the last of `total` bits writes 0 behind it. */
void sugar_bits_write(uint8_t *bits, int64_t first, const uint8_t *code, int64_t n, int64_t total);

/* Reads them: code[i] is 0 where the bit is 0. */
void sugar_bits_read(const uint8_t *bits, int64_t first, uint8_t *code, int64_t n);

#endif
