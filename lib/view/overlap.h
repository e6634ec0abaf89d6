/* Whether views share memory, exactly, for any strides. */
#ifndef SUGAR_OVERLAP_H
#define SUGAR_OVERLAP_H

#include <stdint.h>

typedef enum sugar_sharing {
    SUGAR_APART,
    SUGAR_SHARED,
    SUGAR_UNDECIDED                 /* the search reached its limit */
} sugar_sharing;

/* Whether two views of the same extents share an element. a and b are their strides; the first element of the second
 * view lies `distance` elements behind that of the first. */
sugar_sharing sugar_views_share(int ndim, const int64_t *extent, const int64_t *a, const int64_t *b, int64_t distance);

/* Whether two indices of one view are the same element. Strides are 0 or more; the search is short if they rise. */
sugar_sharing sugar_view_repeats(int ndim, const int64_t *extent, const int64_t *stride);

#endif
