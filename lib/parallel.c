/* Contexts, and calls split into parts for the caller's parallel_for. */
#include "parallel.h"

#include <stdlib.h>

#include "structs.h"

struct sugar_context {
    int32_t threads;
    sugar_parallel_for parallel_for;
    void *payload;
};

/* A part of fewer elements costs more to hand over than it saves. */
enum { SMALLEST_PART = 16384 };

sugar_status sugar_context_create(sugar_context **context, const sugar_context_options *options)
{
    if (!context)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "context: NULL, expected the address of a handle");
    sugar_context_options known;
    const sugar_status status = sugar_struct_read("options", options, &known, sizeof known);
    if (status != SUGAR_OK)
        return status;
    if (known.threads < 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: threads %d, expected 0 or more", (int)known.threads);
    if (known.reserved != 0)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: reserved %d, expected 0", (int)known.reserved);
    if (known.threads > 1 && !known.parallel_for)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                           "options: threads %d without parallel_for, expected 1: there is no thread pool here",
                           (int)known.threads);
    sugar_context *made = malloc(sizeof *made);
    if (!made)
        return sugar_error(SUGAR_ERROR_OUT_OF_MEMORY, "context: no memory for a handle");
    *made = (sugar_context){known.threads, known.parallel_for, known.payload};
    *context = made;
    return SUGAR_OK;
}

void sugar_context_destroy(sugar_context *context)
{
    free(context);
}

static int64_t parts(const sugar_context *context, int64_t count)
{
    if (!context || !context->parallel_for)
        return 1;
    const int64_t most = count / SMALLEST_PART;
    return context->threads < most ? context->threads : most;
}

bool sugar_parallel_is_whole(const sugar_context *context, int64_t count)
{
    return parts(context, count) <= 1;
}

typedef struct split {
    sugar_part *part;
    const void *work;
    int64_t count, length;          /* of all, and of one part */
} split;

static void run_share(void *work, int64_t index)
{
    const split *s = work;
    const int64_t begin = index * s->length, left = s->count - begin;
    s->part(s->work, begin, begin + (left < s->length ? left : s->length));
}

void sugar_parallel_run(const sugar_context *context, int64_t count, int64_t block, sugar_part *part,
                        const void *work)
{
    if (sugar_parallel_is_whole(context, count)) {
        part(work, 0, count);
        return;
    }
    const int64_t blocks = (count - 1) / block + 1;
    const int64_t length = ((blocks - 1) / parts(context, count) + 1) * block;
    split s = {part, work, count, length};
    context->parallel_for(context->payload, run_share, &s, (count - 1) / length + 1);
}
