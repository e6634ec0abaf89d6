/* Arrays of bits: element i is bit i mod 8, counted from the lowest, of byte i / 8. */
#ifndef SUGAR_BITS_H
#define SUGAR_BITS_H

#include <stdint.h>

/* Writes n bits from bit `first` on: bit first + i is whether code[i], 0 or 255, is not 0. Other threads may write
 * other bits of the same byte at the same time. The array has `total` bits; with the last one, the rest of its byte is
 * set to 0. */
void sugar_bits_write(uint8_t *bits, int64_t first, const uint8_t *code, int64_t n, int64_t total);

/* Reads n bits from bit `first` on: code[i] is 0 if bit first + i is 0, else any other number. */
void sugar_bits_read(const uint8_t *bits, int64_t first, uint8_t *code, int64_t n);

#endif
