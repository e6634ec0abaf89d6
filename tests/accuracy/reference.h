/* The exact value and derivatives of every kind, and the derivative by the parameter if it learns; to hundreds
 * of digits, with MPFR. Written from the mathematics in the catalogue; shares nothing with the library. */
#ifndef ACCURACY_REFERENCE_H
#define ACCURACY_REFERENCE_H

#include <mpfr.h>

enum { REFERENCE_PARAMETERS = 3, REFERENCE_BITS = 256 };

/* The derivative as a function of the output has no fast reference, and only a few kinds have it. */
typedef enum direction {
    VALUE,
    DERIVATIVE,
    PARAMETER_DERIVATIVE,
    SECOND,
    DIRECTIONS,
    FROM_OUTPUT = DIRECTIONS,
    ALL_DIRECTIONS
} direction;
extern const char *const direction_names[ALL_DIRECTIONS];

/* Temporaries of one thread. */
typedef struct reference_scratch {
    mpfr_t x, a, b, c;
} reference_scratch;

void reference_begin(reference_scratch *scratch);
void reference_end(reference_scratch *scratch);

/* result = the function at x; x is finite; p holds the parameters in the order of the catalogue. */
typedef void reference_function(mpfr_ptr result, mpfr_srcptr x, const double *p, reference_scratch *scratch);

typedef struct reference_kind {
    const char *name;
    reference_function *function[ALL_DIRECTIONS];       /* value NULL: a surrogate-only kind;
                                                           parameter derivative NULL: it does not learn;
                                                           second derivative NULL: the library has none;
                                                           from output NULL: impossible */
    const char *parameters[REFERENCE_PARAMETERS + 1];   /* names; NULL after the last */
    int ordered;                    /* the first parameter is not above the second */
    double (*width)(const double *p);   /* the first and the second derivative cross zero: over which width in x
                                           their terms cancel there; NULL: they do not */
} reference_kind;

extern const reference_kind reference_kinds[];
extern const int reference_kind_count;

/* The row of a kind; NULL: there is none. */
const reference_kind *reference_find(const char *name);

/* The exact result for any x: NaN for NaN, and for an infinite x the limit, rounded to 53 bits or
 * 2^-4000 away from that. */
void reference_evaluate(mpfr_ptr result, const reference_kind *kind, direction way, const double *p, double x,
                        reference_scratch *scratch);

#endif
