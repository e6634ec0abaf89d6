/* One case of vectors.json: a call of the library, the memory it works on before and after, and its answer. */
#ifndef CASE_H
#define CASE_H

#include "../../tests/support/support.h"

/* The tensors and vectors that a call may have: its arguments, of which the first four may be vectors, and those among
 * its options. */
typedef enum role {
    X,
    Y,
    DY,
    DX,
    V,
    DDY,
    PARAMETER,
    PARAMETER_GRADIENT,
    SAVED_GRADIENT,
    BIAS,
    BIAS_GRADIENT,
    GATE,
    GATE_GRADIENT,
    ROLES
} role;

enum { BYTES = ELEMENT_TYPES, BITS, MAX_RANK = 4, MAX_BYTES = 4096 };   /* types beside those of elements */

typedef struct memory {
    int type;                           /* an element_type, or BYTES */
    size_t count;
    _Alignas(64) unsigned char before[MAX_BYTES], after[MAX_BYTES];
} memory;

typedef struct operand {
    int present;                        /* 0: NULL is passed */
    int memory;                         /* -1: data is NULL */
    size_t data;                        /* bytes from the start of the memory */
    int strided;                        /* 0: strides is NULL */
    int64_t shape[MAX_RANK], strides[MAX_RANK];
    int64_t step;                       /* of a vector */
    sugar_tensor tensor;                /* but its pointers */
} operand;

typedef struct vector_case {
    const char *what;                   /* the beginning of its name */
    const char *call;                   /* forward, backward, backward_twice, forward_f32, ..., observe, create */
    const char *spec;                   /* NULL: no activation */
    const char *level;                  /* NULL: the best one */
    const double *table;                /* [3 * table_knots]; NULL: none */
    size_t table_knots;
    element_type type;
    int64_t n;                          /* of a call on vectors */
    operand operands[ROLES];
    memory memories[ROLES];
    int memory_count;
    sugar_call_options options;         /* but its pointers */
    int draws, monitored;
    sugar_random random;
    sugar_monitor_options monitor_options;
    int64_t units;
} vector_case;

/* The shape and the strides of one operand. */
typedef struct layout {
    int rank;
    int64_t shape[MAX_RANK], strides[MAX_RANK];
    int compact;                        /* strides is NULL */
    int byte_offset;                    /* the way to the first element is in byte_offset, not in data */
} layout;

/* An empty case. The numbers in its memory follow from how many were made before. */
vector_case *case_new(const char *what, const char *call, const char *spec, element_type type);

/* Gives the case memory for an operand, with one element of margin on either side, and fills it. */
operand *case_tensor(vector_case *c, role r, int type, const layout *layout);
operand *case_vector(vector_case *c, role r, int64_t n, int64_t step);

/* The operand is the same view as another one. */
operand *case_share(vector_case *c, role r, role same_as);

/* Fills the memory of an operand with numbers of few digits between low and high. */
void case_fill(vector_case *c, role r, double low, double high);

/* Calls the library, and writes the case to standard output as one line of JSON. Frees the case. */
void case_finish(vector_case *c);

/* How many cases there were. */
int case_count(void);

#endif
