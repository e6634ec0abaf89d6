/* The checks of the views that a call is given, and the walk over them. */
#ifndef SUGAR_TENSOR_H
#define SUGAR_TENSOR_H

#include "view/walk.h"

/* What a call does with an operand. */
typedef enum sugar_access {
    SUGAR_ACCESS_INPUT,             /* reads it; it may be the very same view as the last output */
    SUGAR_ACCESS_PARAMETER,         /* reads it; it shares nothing with any output */
    SUGAR_ACCESS_OUTPUT,            /* writes it */
    SUGAR_ACCESS_SUM,               /* writes it; strides of 0 stand for dimensions that are summed */
    SUGAR_ACCESS_INDEX,             /* an index operand: no storage, its strides give an index */
    SUGAR_ACCESS_REFUSED            /* none: it may not be given */
} sugar_access;

/* An operand and its name in messages. */
typedef struct sugar_operand {
    const char *name;
    const sugar_tensor *tensor;
    sugar_access access;
    bool is_flat;                   /* the caller gave a pointer and a step, which messages speak of */
    bool is_codes;                  /* a saved gradient: bytes, or bits */
} sugar_operand;

/* Bits of a saved gradient. To the walk, which then follows their order, they are an index. */
static inline bool sugar_is_bits(const sugar_operand *operand)
{
    return operand->is_codes && operand->tensor && operand->tensor->dtype.bits == 1;
}

/* One view for itself. */
sugar_status sugar_operand_check(const sugar_operand *operand);

/* Checks the views, the first of which is the reference operand: the others have its shape and type. Makes the walk over
 * them. A
 * walk with a count of 0 has nothing but that count. */
sugar_status sugar_walk_make(sugar_walk *walk, const sugar_operand *operands, int count);

/* Whether n elements lie at this address for all that can be checked. */
static inline bool sugar_is_vector(const void *data, int64_t n, size_t element_size)
{
    const uintptr_t start = (uintptr_t)data;
    return data && start % element_size == 0 && (uint64_t)n <= (UINTPTR_MAX - start) / element_size;
}

/* Whether two vectors of unit step are the same or share nothing. */
static inline bool sugar_is_same_or_apart(const void *a, const void *b, int64_t n, size_t element_size)
{
    const uintptr_t at = (uintptr_t)a, other = (uintptr_t)b;
    const uintptr_t distance = at < other ? other - at : at - other;
    return distance == 0 || distance >= (uint64_t)n * element_size;
}

/* The short way for the usual views: where all of them are compact and pass every check, where they lie,
 * and how many elements each one has. 0 where that is not so, or takes sugar_walk_make to find out. */
int64_t sugar_find_vectors(const sugar_operand *operands, int count, void **data);

#endif
