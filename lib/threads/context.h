/* Contexts: how the elements of a call are divided among threads. */
#ifndef SUGAR_CONTEXT_H
#define SUGAR_CONTEXT_H

#include <stdbool.h>

#include "threads/pool.h"

/* Whether a call on `count` elements is not split, but runs on the calling thread. context may be NULL. */
bool sugar_parallel_is_whole(const sugar_context *context, int64_t count);

/* Runs a call on elements [0, count), in parts whose bounds are multiples of `block`, or count. */
void sugar_parallel_run(const sugar_context *context, int64_t count, int64_t block, sugar_part *part, const void *work);

#endif
