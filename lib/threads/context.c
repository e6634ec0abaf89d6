/* Contexts; and the split of a call into parts, for the caller's parallel_for or for the library's pool. */
#include "threads/context.h"

#include <stdlib.h>

#include "base/integers.h"
#include "base/struct_size.h"
#include "cpu/float_mode.h"
#include "cpu/processors.h"

struct sugar_context {
    int32_t threads;
    int64_t smallest_call;          /* elements; smaller calls are not split */
    sugar_parallel_for parallel_for;/* the caller's, or NULL */
    void *payload;
    sugar_pool *pool;               /* the library's, or NULL */
};

/* Elements. Smaller calls are never split: even the slowest kind is done before a thread of the caller's has woken up
 * (SMALLEST_CALL), or before a thread of the pool, already awake, has taken a part (SMALLEST_POOL_CALL). For the
 * caller's parallel_for, parts are so large that it pays to wake a thread; the pool chooses the size of parts
 * itself. */
enum { SMALLEST_CALL = 65536, SMALLEST_PART = 32768, SMALLEST_POOL_CALL = 32768 };

static sugar_status check_options(const sugar_context_options *known)
{
    if (known->threads < 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: threads %d, expected 0 or more", (int)known->threads);
    if (known->threads > SUGAR_MAX_THREADS && !known->parallel_for)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: threads %d, expected %d or less without parallel_for",
                           (int)known->threads, (int)SUGAR_MAX_THREADS);
    if (known->reserved != 0)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: reserved %d, expected 0", (int)known->reserved);
    return SUGAR_OK;
}

/* How many threads a context has that asks for no number. */
static int32_t usable_threads(void)
{
    return (int32_t)smaller(sugar_processors(SUGAR_PROC, SUGAR_CGROUPS), SUGAR_MAX_THREADS);
}

/* Sets a context from options that have been checked, and starts its pool if it has one. */
static sugar_status fill(sugar_context *context, const sugar_context_options *known)
{
    const int32_t threads = known->threads ? known->threads : usable_threads();
    *context = (sugar_context){threads, INT64_MAX, known->parallel_for, known->payload, NULL};
    if (threads == 1)
        return SUGAR_OK;
    context->smallest_call = known->parallel_for ? SMALLEST_CALL : SMALLEST_POOL_CALL;
    return known->parallel_for ? SUGAR_OK : sugar_pool_create(&context->pool, threads);
}

sugar_status sugar_context_create(sugar_context **context, const sugar_context_options *options)
{
    if (!context)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "context: NULL, expected the address of a handle");
    sugar_context_options known;
    sugar_status status = sugar_struct_read("options", options, &known, sizeof known, sugar_context_options_ends);
    if (status == SUGAR_OK)
        status = check_options(&known);
    if (status != SUGAR_OK)
        return status;
    sugar_context *made = malloc(sizeof *made);
    if (!made)
        return sugar_error(SUGAR_ERROR_OUT_OF_MEMORY, "context: no memory for a handle");
    status = fill(made, &known);
    if (status == SUGAR_OK)
        *context = made;
    else
        free(made);
    return status;
}

void sugar_context_destroy(sugar_context *context)
{
    if (context)
        sugar_pool_destroy(context->pool);
    free(context);
}

int32_t sugar_context_threads(const sugar_context *context) { return context ? context->threads : 1; }

bool sugar_parallel_is_whole(const sugar_context *context, int64_t count)
{
    return !context || count < context->smallest_call;
}

typedef struct split {
    const sugar_context *context;
    sugar_part *part;
    const void *work;
    int64_t count, length;          /* elements: of the call, and of one part */
} split;

/* Runs part `index`, on any thread of the caller's. */
static void run_part(void *work, int64_t index)
{
    SUGAR_DEFAULT_MODE;
    const split *s = work;
    const int64_t begin = index * s->length, left = s->count - begin;
    s->part(s->work, begin, begin + (left < s->length ? left : s->length));
}

static void run_parallel_for(const void *work)
{
    split s = *(const split *)work;
    s.context->parallel_for(s.context->payload, run_part, &s, (s.count - 1) / s.length + 1);
}

void sugar_parallel_run(const sugar_context *context, int64_t count, int64_t block, sugar_part *part, const void *work)
{
    if (sugar_parallel_is_whole(context, count)) {
        part(work, 0, count);
        return;
    }
    if (context->pool) {
        sugar_pool_run(context->pool, part, work, count, block);
        return;
    }
    const int64_t blocks = (count - 1) / block + 1;
    const int64_t parts = smaller(context->threads, count / SMALLEST_PART);
    const int64_t length = ((blocks - 1) / parts + 1) * block;
    const split s = {context, part, work, count, length};
    sugar_environment_run_outside(run_parallel_for, &s);
}
