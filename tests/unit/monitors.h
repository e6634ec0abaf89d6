/* What tests of monitors share: how they are made, compared and fed. */
#ifndef MONITORS_H
#define MONITORS_H

#include <stdbool.h>

#include "unit.h"

enum { ROOM = 1 << 15 };

/* Bins of width 1/2, and elements that are multiples of 1/16: bins and sums are exact. */
extern const sugar_monitor_options halves;

sugar_monitor *make_monitor(int64_t units, int32_t axis_from_end, double threshold);

/* All that a monitor holds, to be compared. */
typedef struct saved {
    size_t size;
    unsigned char *bytes;
} saved;

saved save_monitor(const sugar_monitor *monitor);
sugar_monitor *copy_monitor(const sugar_monitor *monitor);
void assert_holds(const sugar_monitor *monitor, const saved *expected);
void assert_same_monitors(const sugar_monitor *a, const sugar_monitor *b);

typedef union elements {
    uint64_t bits[ROOM];
    float f32[2 * ROOM];
} elements;
extern elements input, output, plain;

/* Multiples of 1/16 in [-16, 16]; strange: some are infinite or NaN. */
void fill_input(uint64_t *state, element_type type, bool strange);

#endif
