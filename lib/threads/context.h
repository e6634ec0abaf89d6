/* Contexts: how the elements of a call are shared out among threads. */
#ifndef SUGAR_CONTEXT_H
#define SUGAR_CONTEXT_H

#include <stdbool.h>

#include "base/error.h"

/* Does the elements [begin, end) of a call. */
typedef void sugar_part(const void *work, int64_t begin, int64_t end);

/* Whether a call on `count` elements stays whole, on the calling thread. context may be NULL. */
bool sugar_parallel_is_whole(const sugar_context *context, int64_t count);

/* Does all elements [0, count), in parts whose bounds are multiples of `block`. */
void sugar_parallel_run(const sugar_context *context, int64_t count, int64_t block, sugar_part *part,
                        const void *work);

#endif
