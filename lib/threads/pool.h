/* A pool of threads that sleep until there is work. */
#ifndef SUGAR_POOL_H
#define SUGAR_POOL_H

#include "threads/context.h"

typedef struct sugar_pool sugar_pool;

/* Starts a pool in which, with the caller of sugar_pool_run, `threads` (2 or more) threads work. */
sugar_status sugar_pool_create(sugar_pool **pool, int32_t threads);

/* Ends its threads. In a child of the process that made it there are none, and only the memory goes. */
void sugar_pool_destroy(sugar_pool *pool);

/* Does all elements [0, count), in parts whose bounds are multiples of `block`. It takes no memory from the heap.
 * While the pool works for another caller, and in a child of the process that made it, the calling thread does
 * all by itself. */
void sugar_pool_run(sugar_pool *pool, sugar_part *part, const void *work, int64_t count, int64_t block);

#endif
