/* A pool of threads that sleep until there is work. */
#ifndef SUGAR_POOL_H
#define SUGAR_POOL_H

#include "error.h"

typedef struct sugar_pool sugar_pool;

/* Starts a pool in which, with the caller of sugar_pool_run, `threads` (2 or more) threads work. */
sugar_status sugar_pool_create(sugar_pool **pool, int32_t threads);

/* Ends its threads. In a child of the process that made it there are none, and only the memory goes. */
void sugar_pool_destroy(sugar_pool *pool);

/* A sugar_parallel_for, with a pool as its payload. It takes no memory from the heap. While the pool works
 * for another caller, and in a child of the process that made it, the calling thread does all by itself. */
void sugar_pool_run(void *pool, void (*task)(void *work, int64_t index), void *work, int64_t count);

#endif
