/* The options of a call, numbered, and what follows from their table, options.def. */
#ifndef SUGAR_OPTIONS_H
#define SUGAR_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "view/tensor.h"

typedef enum sugar_option {
#define OPTION(member, ...) SUGAR_OPTION_##member,
#include "call/options.def"
    SUGAR_OPTION_COUNT
} sugar_option;

_Static_assert(sizeof(sugar_call_options)
                   == offsetof(sugar_call_options, context) + (1 + SUGAR_OPTION_COUNT) * sizeof(void *),
               "options.def has an entry for each member of sugar_call_options behind context");

/* The most operands: x and y, or x, dy and dx, and those that options add, as if all could be given together. */
enum {
#define OPTION(member, forward, backward, operands, ...)                                                               \
    +((int)SUGAR_ACCESS_##forward == SUGAR_ACCESS_REFUSED ? 0 : operands)
    SUGAR_FORWARD_OPERANDS = 2
#include "call/options.def"
    ,
#define OPTION(member, forward, backward, operands, ...)                                                               \
    +((int)SUGAR_ACCESS_##backward == SUGAR_ACCESS_REFUSED ? 0 : operands)
    SUGAR_BACKWARD_OPERANDS = 3
#include "call/options.def"
};
_Static_assert((int)SUGAR_FORWARD_OPERANDS <= (int)SUGAR_MAX_OPERANDS
                   && (int)SUGAR_BACKWARD_OPERANDS <= (int)SUGAR_MAX_OPERANDS,
               "a walk has room for the operands of all options");

/* Whether any option of the table is given. */
static inline bool sugar_is_extended(const sugar_call_options *options)
{
#define OPTION(member, ...)                                                                                            \
    if (options->member)                                                                                               \
        return true;
#include "call/options.def"
    return false;
}

#endif
