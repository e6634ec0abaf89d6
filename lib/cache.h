/* The last-level cache: from which size on an output is not worth keeping there. */
#ifndef SUGAR_CACHE_H
#define SUGAR_CACHE_H

#include <stdint.h>

/* No output with fewer bytes is streamed, whatever the cache: short calls need not ask for more. */
enum { SUGAR_SMALLEST_STREAM = 8 << 20 };

/* How many bytes of the last-level cache this program may expect to have, within sane bounds, never less than
 * SUGAR_SMALLEST_STREAM. */
uint64_t sugar_cache_share(void);

#endif
