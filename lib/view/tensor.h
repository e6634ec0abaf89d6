/* The checks of a call's views, and the walk over them. */
#ifndef SUGAR_TENSOR_H
#define SUGAR_TENSOR_H

#include "view/walk.h"

/* What a call does with an operand. */
typedef enum sugar_access {
    SUGAR_ACCESS_INPUT,             /* reads it; it may be the very same view as an output but codes (in place) */
    SUGAR_ACCESS_PARAMETER,         /* reads it; it may not share memory with an output, and is broadcast */
    SUGAR_ACCESS_OUTPUT,            /* writes it */
    SUGAR_ACCESS_SUM,               /* writes it; it is broadcast: what its elements share is summed */
    SUGAR_ACCESS_INDEX,             /* an index operand: it has no memory, its strides give an index */
    SUGAR_ACCESS_REFUSED            /* nothing: the call may not have it */
} sugar_access;

/* An operand, and its name in messages. */
typedef struct sugar_operand {
    const char *name;
    const sugar_tensor *tensor;
    sugar_access access;
    bool is_flat;                   /* the caller gave a pointer and a step: messages do not mention a tensor */
    bool is_codes;                  /* a saved gradient: bytes, or bits */
} sugar_operand;

/* Whether the operand is a saved gradient of bits. The walk follows their order, and has them as an index operand. */
static inline bool sugar_is_bits(const sugar_operand *operand)
{
    return operand->is_codes && operand->tensor && operand->tensor->dtype.bits == 1;
}

/* Checks one view alone. */
sugar_status sugar_operand_check(const sugar_operand *operand);

/* Checks the views, and makes the walk over them. The first one is the reference operand, whose shape and type the
 * others must have; an operand that is broadcast may have extents of 1 instead. If the reference operand has no
 * elements, the walk's count is 0, and the walk is over what parameters and sums may have. */
sugar_status sugar_walk_make(sugar_walk *walk, const sugar_operand *operands, int count);

/* Whether n elements can be at this address: it is not NULL, it is aligned, and they end within the address space.
 * Sizes of elements are powers of 2. (With divisions by the size a call on 16 elements takes 3 to 4 ns longer.) */
static inline bool sugar_is_vector(const void *data, int64_t n, size_t element_size)
{
    const uintptr_t start = (uintptr_t)data;
    uint64_t bytes;
    return data && (start & (element_size - 1)) == 0 && !__builtin_mul_overflow((uint64_t)n, element_size, &bytes)
           && bytes <= UINTPTR_MAX - start;
}

/* Whether two vectors of n elements, with steps of 1, are the same or share no memory. */
static inline bool sugar_is_same_or_apart(const void *a, const void *b, int64_t n, size_t element_size)
{
    const uintptr_t at = (uintptr_t)a, other = (uintptr_t)b;
    const uintptr_t distance = at < other ? other - at : at - other;
    return distance == 0 || distance >= (uint64_t)n * element_size;
}

/* A short way for the usual views, of which there are two or three. If all of them are compact and pass every check,
 * sets data[k] to where the elements of operand k begin, and returns how many each has. Otherwise returns 0: then
 * sugar_walk_make has to check them. */
int64_t sugar_find_vectors(const sugar_operand *operands, int count, void **data);

#endif
