/* What a monitor holds. */
#ifndef SUGAR_MONITOR_H
#define SUGAR_MONITOR_H

#include <stdbool.h>

#include "cpu/level.h"

/* What is counted for one unit, besides its samples: their number is the same for all units. */
typedef struct sugar_tally {
    int64_t active, not_finite;
    double sum, sum_of_squares;     /* of the finite samples */
} sugar_tally;

struct sugar_monitor {
    const sugar_level_entry *level; /* whose kernels sugar_monitor_observe uses */
    int64_t units;
    int32_t axis_from_end, bins;
    double threshold, minimum, maximum;
    int64_t every;
    int64_t wait;                   /* so many calls pass before the next one that is observed; less than `every` */
    int64_t calls, observed;
    int64_t samples;                /* of each unit */
    int64_t bin[SUGAR_MONITOR_BINS];/* of all units */
    sugar_tally unit[];
};

static inline void sugar_tally_add(sugar_tally *to, const sugar_tally *from)
{
    to->active += from->active;
    to->not_finite += from->not_finite;
    to->sum += from->sum;
    to->sum_of_squares += from->sum_of_squares;
}

/* Checks the options, sets defaults in them, and makes a monitor that has counted nothing. */
sugar_status sugar_monitor_make(sugar_monitor **monitor, int64_t units, sugar_monitor_options *options);

/* Whether the next call is one that the monitor observes. */
static inline bool sugar_monitor_is_due(const sugar_monitor *monitor) { return monitor->wait == 0; }

/* Sets *samples to the samples of each unit and `more`; the monitor stays as it is. An error if those of all units do
 * not fit 64 bits. */
sugar_status sugar_monitor_sum_samples(const sugar_monitor *monitor, int64_t more, int64_t *samples);

/* The same for calls. */
sugar_status sugar_monitor_sum_calls(const sugar_monitor *monitor, int64_t more, int64_t *calls);

/* Counts a call that has succeeded, after sugar_monitor_sum_calls: as observed if it was due. */
void sugar_monitor_count_call(sugar_monitor *monitor);

#endif
