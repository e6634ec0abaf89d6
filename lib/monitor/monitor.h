/* What a monitor holds, and how calls add to it. */
#ifndef SUGAR_MONITOR_H
#define SUGAR_MONITOR_H

#include "base/error.h"

/* What one unit has seen beside the number of samples, which is the same for all. */
typedef struct sugar_tally {
    int64_t active, not_finite;
    double sum, sum_of_squares;     /* of the finite samples */
} sugar_tally;

struct sugar_monitor {
    int64_t units;
    int32_t axis;                   /* as the caller gave it */
    double threshold, minimum, maximum;
    int64_t samples;                /* of each unit */
    int64_t bin[SUGAR_MONITOR_BINS];
    sugar_tally unit[];
};

static inline void sugar_tally_add(sugar_tally *to, const sugar_tally *from)
{
    to->active += from->active;
    to->not_finite += from->not_finite;
    to->sum += from->sum;
    to->sum_of_squares += from->sum_of_squares;
}

/* Checks the options, gives those that were left out their defaults, and makes a monitor with nothing counted. */
sugar_status sugar_monitor_make(sugar_monitor **monitor, int64_t units, sugar_monitor_options *options);

/* The samples of each unit with so many more; an error if they do not fit the counters. */
sugar_status sugar_monitor_add_samples(const sugar_monitor *monitor, int64_t more, int64_t *samples);

#endif
