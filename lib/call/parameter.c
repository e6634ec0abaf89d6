/* The range check of parameters that are tensors. It looks at every value before a call writes anything. */
#include "call/parameter.h"

#include "activation/activation.h"
#include "activation/catalogue.h"
#include "base/text.h"
#include "call/tiles.h"
#include "threads/context.h"
#include "view/tensor.h"

typedef struct job {
    const sugar_extended_call *call;
    sugar_walk walk;                /* over the values, each once */
    bool *any_outside;              /* set by any thread that finds a value outside the range */
} job;

static const sugar_parameter_entry *entry_of(const sugar_extended_call *c)
{
    return &sugar_kinds[c->activation->parsed.forward.kind].parameters[0];
}

/* Whether one of n values, which lie one after another, is outside the range; *found: the first one that is. */
static bool find_outside(const sugar_extended_call *c, const void *at, int64_t n, double *found)
{
    const double minimum = entry_of(c)->minimum, maximum = entry_of(c)->maximum;
    return c->in_memory[c->place[SUGAR_OPTION_parameter]]->find_outside(at, (size_t)n, minimum, maximum, found);
}

static bool is_outside(const job *j, const sugar_tile *tile)
{
    const sugar_walk *walk = &j->walk;
    sugar_tile_buffer buffer;
    double found;
    const void *at = sugar_tile_start(tile, walk, 0);
    if (sugar_tile_row(tile, walk, 0) < tile->count) {
        sugar_tile_read(tile, walk, 0, &buffer);
        at = &buffer;
    }
    return find_outside(j->call, at, tile->count, &found);
}

/* Checks tiles until any thread has found a value outside: element tile_count * i stands for tile i, of [begin,
 * end). */
static void check_tiles(const void *work, int64_t begin, int64_t end)
{
    const job *j = work;
    sugar_tile tile;
    sugar_tile_seek(&tile, &j->walk, begin / j->walk.tile_count);
    while (begin < end && !__atomic_load_n(j->any_outside, __ATOMIC_RELAXED)) {
        if (is_outside(j, &tile))
            __atomic_store_n(j->any_outside, true, __ATOMIC_RELAXED);
        begin += j->walk.tile_count;
        if (begin < end)
            sugar_tile_after(&tile, &tile, &j->walk);
    }
}

/* The first value outside the range in row-major order, found one by one: its position in that order, and the
 * value. */
static int64_t find_first(const sugar_extended_call *c, const sugar_tensor *values, double *found)
{
    sugar_tensor positions = *values;
    positions.strides = NULL;
    const sugar_operand operands[] = {
        {.name = "parameter", .tensor = values, .access = SUGAR_ACCESS_PARAMETER},
        {.tensor = &positions, .access = SUGAR_ACCESS_INDEX},
    };
    sugar_walk walk;
    sugar_walk_make(&walk, operands, 2);        /* cannot fail: the call has checked the operand */
    walk.order = 1;
    sugar_walk_arrange(&walk);
    sugar_kept kept;
    sugar_kept_start(&kept, &walk, 1, 0);
    int64_t position = 0;
    const char *data = walk.data[0];
    while (!find_outside(c, data + kept.offset * (int64_t)walk.size[0], 1, found) && position < walk.count - 1) {
        sugar_kept_next(&kept);
        position++;
    }
    return position;
}

/* The message has the first value outside, whichever the threads found. */
static sugar_status refuse(const sugar_extended_call *c, const sugar_tensor *parameter)
{
    int64_t shape[SUGAR_MAX_DIMENSIONS], index[SUGAR_MAX_DIMENSIONS];
    for (int d = 0; d < parameter->ndim; d++)
        shape[d] = parameter->strides && parameter->strides[d] == 0 ? 1 : parameter->shape[d];
    sugar_tensor values = *parameter;
    values.shape = shape;
    double found = 0;
    int64_t position = find_first(c, &values, &found);
    for (int d = parameter->ndim - 1; d >= 0; d--) {
        index[d] = position % shape[d];
        position /= shape[d];
    }
    const sugar_parameter_entry *entry = entry_of(c);
    return sugar_error(SUGAR_ERROR_VALUE, "parameter: %s = %s at %s, expected %s to %s", entry->name,
                       sugar_number_text(found).text, sugar_tuple_text(index, parameter->ndim).text,
                       sugar_number_text(entry->minimum).text, sugar_number_text(entry->maximum).text);
}

sugar_status sugar_parameter_check(const sugar_extended_call *c, const sugar_call_options *options)
{
    const int k = c->place[SUGAR_OPTION_parameter];
    if (k == SUGAR_ABSENT)
        return SUGAR_OK;
    bool any_outside = false;
    job j = {.call = c, .any_outside = &any_outside};
    sugar_walk_alone(&j.walk, &c->walk, k);
    sugar_walk_tile(&j.walk, SUGAR_TILE_BYTES / (int64_t)j.walk.element_size, false);
    sugar_parallel_run(options->context, j.walk.tiles * j.walk.tile_count, j.walk.tile_count, check_tiles, &j);
    return any_outside ? refuse(c, options->parameter) : SUGAR_OK;
}
