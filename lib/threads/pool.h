/* The library's threads, which sleep until there is work. */
#ifndef SUGAR_POOL_H
#define SUGAR_POOL_H

#include <stdint.h>

#include "base/error.h"

/* Runs part of a call: its elements [begin, end). */
typedef void sugar_part(const void *work, int64_t begin, int64_t end);

typedef struct sugar_pool sugar_pool;

/* Starts a pool of `threads` - 1 workers; with the caller of sugar_pool_run, `threads` (2 or more) threads work. */
sugar_status sugar_pool_create(sugar_pool **pool, int32_t threads);

/* Ends the workers and frees the memory. In a child of the process that made the pool there are no workers to end. */
void sugar_pool_destroy(sugar_pool *pool);

/* Runs a call on elements [0, count), in parts whose bounds are multiples of `block`, or count. Takes no memory from
 * the heap. If the pool works for another caller, or in a child of the process that made it, the calling thread does
 * all the work. */
void sugar_pool_run(sugar_pool *pool, sugar_part *part, const void *work, int64_t count, int64_t block);

#endif
