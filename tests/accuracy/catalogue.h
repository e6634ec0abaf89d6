/* The library's side: its catalogue as it tells it, joined with the rows of the reference, and its
 * results at given points. */
#ifndef ACCURACY_CATALOGUE_H
#define ACCURACY_CATALOGUE_H

#include "element.h"
#include "reference.h"

#include <stddef.h>
#include <stdint.h>
#include <sugar/sugar.h>

enum { SPEC_SIZE = 200, PROBLEM_SIZE = 300, PARAMETER_SETS = 24 };

typedef struct catalogue_entry {
    const reference_kind *reference;
    int parameters;
    sugar_parameter parameter[REFERENCE_PARAMETERS];
} catalogue_entry;

/* Kind number `index` and its row of the reference. 0 on success; otherwise -1, and `problem` says
 * what is wrong: every kind must have a row that agrees with it. */
int catalogue_get(int32_t index, catalogue_entry *entry, char problem[PROBLEM_SIZE]);

/* Whether the library has a kind of this name, with a row or without. */
int catalogue_has(const char *name);

/* A row of the reference for which the library has no kind; NULL: there is none. */
const char *catalogue_stale_row(void);

/* Sets of parameters over the allowed range, the defaults first. Returns how many. */
int catalogue_parameter_sets(const catalogue_entry *entry, double sets[PARAMETER_SETS][REFERENCE_PARAMETERS]);

/* The spec whose forward or backward call is the function; a surrogate stands behind heaviside. */
void catalogue_spec(const catalogue_entry *entry, const double *p, char spec[SPEC_SIZE]);

/* One call of the library on n contiguous elements: y[i] is the value, dx for dy = 1, or for dy = 1 the gradient of
 * each element's own parameter. parameter: of each element; NULL: the spec's. */
sugar_status catalogue_call(const sugar_activation *activation, const element *type, direction way, size_t n,
                            const void *x, const void *parameter, void *y);

/* y[i] = what the library finds at x[i], in the element type. parameter: the first one, as a tensor in which its
 * neighbours have others; NULL: the spec's. */
sugar_status catalogue_evaluate(const sugar_activation *activation, const catalogue_entry *entry, const element *type,
                                direction way, const double *parameter, size_t n, const double *x, double *y);

/* The number of the element type that is nearest to a value of the first parameter, within its range. */
double catalogue_round_parameter(const catalogue_entry *entry, const element *type, double value);

#endif
