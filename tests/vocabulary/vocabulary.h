/* The words of the vector vocabulary at one level and one type, over bytes in memory, so that levels whose words have
 * the same names can be compared in one program. */
#ifndef VOCABULARY_H
#define VOCABULARY_H

#include <stddef.h>
#include <stdint.h>

/* How many of what an argument or a result has in memory. */
typedef enum layout {
    NOTHING,
    ONE_REAL,
    REALS,
    ALIGNED_REALS,
    N_REALS,
    N_U16S,
    TWO_REALS,
    MASK,               /* REALS three times, each 1 for true and 0 for false: lanes selected, lanes counted, any */
    TABLE_8,
    TABLE_16,  /* of reals */
    REALS_TO_WIDEN,
    DOUBLES,
    ALL_DOUBLES,
    U64S,
    WORDS_OF_TWO,
    U32S,
    REALS_TO_U32,
    VECTOR_U32S,
    TWO_VECTORS_U32,
    THREE_INTS,
    F16S,
    BF16S,
    TWO_BF16S,
    U16S,
    ALIGNED_U16S,
    U8S,
    LAYOUTS
} layout;

/* The whole number that a check takes. */
typedef enum number {
    NO_N,
    PART,               /* 0 to the number of lanes */
    SHIFT_INDEX,        /* a shift of vec_index */
    SHIFT_U64,
    COUNT               /* how often something is counted */
} number;

typedef struct sizes {
    int real;           /* bits */
    size_t lanes, lanes64, lanes_u64, lanes_u32;
} sizes;

typedef struct call {
    const void *a, *b, *c;
    void *result;
    size_t n;
    sizes is;
} call;

typedef void applied(const call *c);

typedef enum word_id {
#define WORD(id, ...) WORD_##id,
#include "words.def"
    WORDS
} word_id;

typedef struct vocabulary {
    sizes is;
    applied *apply[WORDS];      /* NULL: this level or type does not have the word */
} vocabulary;

/* What the words do, for vectors of any size; level.c's tables are named vocabulary_f32_avx2. */
extern const vocabulary plain_f32, plain_f64;

#endif
