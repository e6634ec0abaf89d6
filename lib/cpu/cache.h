/* The last-level cache, and the size from which on an output is stored past it.
 *
 * Measured (Zen 5, 32 MiB, relu~bsilu, build/tests/bench/bench-reader): if the next operation is a matrix product, it
 * takes as long, within 3 %, whether its input of 0.5 to 64 MiB was stored past the caches or not. If it is an
 * activation, it takes up to 1.9 times as long with inputs below 8 MiB, 1.15 times at 16 MiB, and no longer at 32 MiB;
 * both calls together gain from 16 MiB on, and 3 to 11 % from 32 MiB on. So the limit is the size of the cache, though
 * the store alone gets faster from 2 MiB on. */
#ifndef SUGAR_CACHE_H
#define SUGAR_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes. No smaller output is streamed, so that short calls need not ask for the size of the cache. */
enum { SUGAR_SMALLEST_STREAM = 8 << 20 };

/* How many bytes of the last-level cache this program may expect to have: SUGAR_SMALLEST_STREAM or more. */
uint64_t sugar_cache_share(void);

/* Whether an output of so many bytes is stored past the caches, in a call with these flags. Not in place: there such
 * stores save no read, and 32 Mi elements take 1.6 times as long forward and 1.1 times backward. */
bool sugar_is_streamed(uint64_t flags, uint64_t bytes, bool in_place);

#endif
