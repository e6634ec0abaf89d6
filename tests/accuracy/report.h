/* One check of a function, and how it is reported. */
#ifndef ACCURACY_REPORT_H
#define ACCURACY_REPORT_H

#include "bound.h"
#include "catalogue.h"

/* A function with one set of parameters for one element type. */
typedef struct check {
    const catalogue_entry *entry;
    const element *type;
    direction way;
    int set;                        /* 0: the defaults */
    int each;                       /* the parameter is a tensor: one for each element */
    double p[REFERENCE_PARAMETERS]; /* rounded to the type they have */
    char spec[SPEC_SIZE];
    tally found;
    char problem[PROBLEM_SIZE];     /* why it could not be made; "" if it could */
} check;

/* Prepares a check with the parameters `p`. */
void check_begin(check *work, const catalogue_entry *entry, const element *type, direction way, int set, int each,
                 const double *p);

/* The parameter as a tensor; NULL: it is in the spec. */
const double *check_parameter(const check *work);
int check_failed(const check *work);

/* One line about a failed check. */
void report_failure(const check *work);

/* All checks as JSON. 0 on success; otherwise -1, after a message. */
int report_json(const char *path, const check *checks, int count, int passed, int failed);

/* The instruction set in use. */
const char *report_level(void);

#endif
