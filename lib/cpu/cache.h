/* The last-level cache: from which size on an output is not worth keeping there.
 *
 * Measured (Zen 5, 32 MiB, relu~bsilu, build/tests/bench/bench-reader): with outputs of 0.5 to 64 MiB a matrix
 * product that follows takes as long, within 3 %, whether its input was stored past the caches or not. An
 * activation that follows takes up to 1.9 times as long below 8 MiB, 1.15 times at 16 MiB, and no longer at
 * 32 MiB; both together gain from 16 MiB on, and 3 to 11 % from 32 MiB on. So the limit is the size of the
 * cache, not the smaller one at which the store alone gets faster (2 MiB). */
#ifndef SUGAR_CACHE_H
#define SUGAR_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/* No output with fewer bytes is streamed, whatever the cache: short calls need not ask for more. */
enum { SUGAR_SMALLEST_STREAM = 8 << 20 };

/* How many bytes of the last-level cache this program may expect to have, within sane bounds, never less than
 * SUGAR_SMALLEST_STREAM. */
uint64_t sugar_cache_share(void);

/* Whether an output of so many bytes is stored past the caches, in a call with these flags. In place that saves no
 * read: 32 Mi elements take 1.6 times as long forward and 1.1 times backward with plain loops, so ordinary stores
 * stay there. */
bool sugar_is_streamed(uint64_t flags, uint64_t bytes, bool in_place);

#endif
