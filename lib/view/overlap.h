/* Whether views share memory, exactly, for any strides. */
#ifndef SUGAR_OVERLAP_H
#define SUGAR_OVERLAP_H

#include <stdint.h>

typedef enum sugar_sharing {
    SUGAR_APART,
    SUGAR_SHARED,
    SUGAR_UNDECIDED                 /* the search took longer than its limit */
} sugar_sharing;

/* Whether an element of view a, with strides a, is one of view b, with strides b, whose first element
 * lies `distance` elements behind that of a. Both have the same ndim extents. */
sugar_sharing sugar_views_share(int ndim, const int64_t *extent, const int64_t *a, const int64_t *b,
                                int64_t distance);

/* Whether two indices of one view are the same element. No stride is negative; the search is short if
 * they rise. */
sugar_sharing sugar_view_repeats(int ndim, const int64_t *extent, const int64_t *stride);

#endif
