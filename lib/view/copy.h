/* Copies of strided memory, in boxes of any number of dimensions. Of the elements only the size counts. */
#ifndef SUGAR_COPY_H
#define SUGAR_COPY_H

#include <stddef.h>

#include "sugar/sugar.h"

/* A box: the dimensions, in any order, with their strides in the memory that is written (to) and read (from), in
 * elements. */
typedef struct sugar_box {
    int ndim;                       /* 1 or more */
    struct {
        int64_t extent, to, from;
    } dimension[SUGAR_MAX_DIMENSIONS];
} sugar_box;

/* Adds a dimension; or makes the last one longer, where the new one continues it at both ends. */
static inline void sugar_box_add(sugar_box *box, int64_t extent, int64_t to, int64_t from)
{
    const int last = box->ndim - 1;
    if (last >= 0 && to == box->dimension[last].to * box->dimension[last].extent
        && from == box->dimension[last].from * box->dimension[last].extent) {
        box->dimension[last].extent *= extent;
        return;
    }
    box->dimension[box->ndim].extent = extent;
    box->dimension[box->ndim].to = to;
    box->dimension[box->ndim].from = from;
    box->ndim++;
}

/* Copies a box of elements of 1, 2, 4 or 8 bytes between memory that does not overlap. Changes the order of
 * the box's dimensions. */
void sugar_copy(sugar_box *box, void *to, const void *from, size_t element_size);

/* Copies the first ndim dimensions of a box in their order; elements have 8, 16, 32 or 64 bits. */
void sugar_copy_8(const sugar_box *box, int ndim, void *to, const void *from);
void sugar_copy_16(const sugar_box *box, int ndim, void *to, const void *from);
void sugar_copy_32(const sugar_box *box, int ndim, void *to, const void *from);
void sugar_copy_64(const sugar_box *box, int ndim, void *to, const void *from);

enum { SUGAR_COPY_VECTOR = 16 };    /* bytes; every processor with vector registers has them of this size */

#endif
