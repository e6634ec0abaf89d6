/* Copies of strided memory: puts the dimensions in order. copy_elements.c does the copying. */
#include "view/copy.h"

#include <assert.h>

static void swap_dimensions(sugar_box *box, int d, int e)
{
    const __typeof__(box->dimension[0]) old = box->dimension[d];
    box->dimension[d] = box->dimension[e];
    box->dimension[e] = old;
}

/* The longest of the dimensions first, first + 1, ... */
static int find_longest(const sugar_box *box, int first)
{
    int longest = first;
    for (int d = first + 1; d < box->ndim; d++)
        if (box->dimension[d].extent > box->dimension[longest].extent)
            longest = d;
    return longest;
}

/* Makes dimensions 0 and 1 those that are best copied as a plane: the one that is contiguous in `to` and the one that
 * is contiguous in `from`, where they are as long as a vector; else the longest ones. */
static void choose_plane(sugar_box *box, int64_t lanes)
{
    int to = -1, from = -1;
    for (int d = 0; d < box->ndim; d++) {
        if (box->dimension[d].extent >= lanes && box->dimension[d].to == 1)
            to = d;
        if (box->dimension[d].extent >= lanes && box->dimension[d].from == 1)
            from = d;
    }
    swap_dimensions(box, 0, to >= 0 ? to : from >= 0 ? from : find_longest(box, 0));
    if (box->ndim > 1)
        swap_dimensions(box, 1, to > 0 && from == 0 ? to : to >= 0 && from > 0 ? from : find_longest(box, 1));
}

void sugar_copy(sugar_box *box, void *to, const void *from, size_t element_size)
{
    assert(box->ndim >= 1 && box->ndim <= SUGAR_MAX_DIMENSIONS);
    choose_plane(box, SUGAR_COPY_VECTOR / (int64_t)element_size);
    switch (element_size) {
    case 1: sugar_copy_8(box, box->ndim, to, from); return;
    case 2: sugar_copy_16(box, box->ndim, to, from); return;
    case 4: sugar_copy_32(box, box->ndim, to, from); return;
    default: sugar_copy_64(box, box->ndim, to, from);
    }
}
