/* The values that the checks of words go through: lists of edges, each with an odd number of values, so that in
 * vectors of a power of two lanes every value comes by in every lane; and random ones. */
#ifndef INPUTS_H
#define INPUTS_H

#include <stddef.h>
#include <stdint.h>

typedef enum values {
    REAL,               /* any float of the type that is checked */
    DOUBLE,
    POWER,              /* VEC_ROUNDER + n, where 2^n is a normal number */
    BELOW_256,          /* 0 <= a < 256 */
    BELOW_32,           /* a < 32, or NaN */
    AROUND_F16,         /* all f16, the middles between them, and the neighbours of these; any float */
    AROUND_BF16,        /* the same for bf16; a NaN's trailing half is 0 */
    U64,
    U32,
    U16,
    U8,
    LISTS,
    ANY_BITS = LISTS,   /* random */
    ONE_LANE,           /* positive in one lane, in none or in all */
    REST,               /* REAL, where vec_to_odd(a, rest) is defined */
    FACTOR,             /* REAL, often of few digits, or nearly a power of two */
    ADDEND,             /* where a * b + c, of two FACTORs a and b, may lie next to a middle between two reals */
    PATTERN             /* offset, bits and value, which are those of a lane of a more often than not */
} values;

typedef struct list {
    uint64_t *bits;
    size_t count;
} list;

/* The edges of `from`, which is below LISTS, for elements of so many bits. */
const list *edges_of(values from, int real_bits);

uint64_t random_value(values from, int real_bits, uint64_t *state);

/* An ADDEND to the product of two reals. */
uint64_t random_addend(uint64_t a, uint64_t b, int real_bits, uint64_t *state);

#endif
