/* The tables of the kind `table`: the knots of options.table checked, and made into polynomials for the kernels. */
#ifndef SUGAR_TABLE_H
#define SUGAR_TABLE_H

#include "activation/spec.h"
#include "base/element.h"
#include "base/error.h"
#include "kernels/kernels.h"

/* Checks options.table and table_knots, alone and against the spec; gives each `table` of the spec its digest. */
sugar_status sugar_table_check(const sugar_activation_options *options, sugar_spec *spec);

/* The bytes that one table needs beside sugar_table, a multiple of what doubles are aligned to; 0 for no knots. */
size_t sugar_table_size(size_t knots);

/* Makes the table of an element type, from knots that were checked. memory: sugar_table_size bytes, aligned for
 * doubles, which must live as long as the table. */
void sugar_table_fill(sugar_table *table, void *memory, sugar_element element, const sugar_activation_options *options);

#endif
