/* The files of the kernel suite. Each prints a line per failure, and counts its checks. */
#ifndef KERNELS_TEST_H
#define KERNELS_TEST_H

#include <sugar/sugar.h>

typedef struct tally {
    long passed, failed;
} tally;

/* compare.c: each level against single elements at the scalar level, over all layouts of memory. */
void compare_kind(const sugar_kind *kind, const char *const *levels, int level_count, tally *total);

/* plausible.c: the scalar level itself against known values and difference quotients, roughly, so
 * that agreement between levels means something. Accuracy has its own suite. */
void plausible_kind(const sugar_kind *kind, tally *total);
void plausible_known_values(tally *total);

#endif
