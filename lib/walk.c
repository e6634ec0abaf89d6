/* The stride walker: dimensions put in order, and the way to any element. */
#include "walk.h"

/* Walks a dimension the other way round. */
static void turn(sugar_walk *walk, int d, size_t element_size)
{
    for (int k = 0; k < walk->operands; k++) {
        int64_t *stride = &walk->stride[k][d];
        const int64_t bytes = *stride * (walk->extent[d] - 1) * (int64_t)element_size;
        walk->data[k] = (char *)walk->data[k] + bytes;
        *stride = -*stride;
    }
}

static void swap(int64_t *a, int64_t *b)
{
    const int64_t old = *a;
    *a = *b;
    *b = old;
}

static void swap_dimensions(sugar_walk *walk, int d, int e)
{
    swap(&walk->extent[d], &walk->extent[e]);
    for (int k = 0; k < walk->operands; k++)
        swap(&walk->stride[k][d], &walk->stride[k][e]);
}

/* Whether a step in dimension `outer` is a whole pass through dimension `inner`, in every view. */
static bool continues(const sugar_walk *walk, int inner, int outer)
{
    for (int k = 0; k < walk->operands; k++)
        if (walk->stride[k][outer] != walk->stride[k][inner] * walk->extent[inner])
            return false;
    return true;
}

void sugar_walk_arrange(sugar_walk *walk, size_t element_size)
{
    /* Dimensions of the output with equal strides may come in any order: its elements overlap, and the
     * checks that follow refuse it. */
    const int64_t *output = walk->stride[walk->operands - 1];
    for (int d = 0; d < walk->ndim; d++) {
        if (output[d] < 0)
            turn(walk, d, element_size);
        for (int e = d; e > 0 && output[e] < output[e - 1]; e--)
            swap_dimensions(walk, e, e - 1);
    }
    int last = 0;
    for (int d = 1; d < walk->ndim; d++) {
        if (continues(walk, last, d))
            walk->extent[last] *= walk->extent[d];
        else if (++last != d)
            swap_dimensions(walk, last, d);
    }
    walk->ndim = last + 1;
}

void sugar_cursor_seek(sugar_cursor *cursor, const sugar_walk *walk, int64_t position)
{
    for (int k = 0; k < walk->operands; k++)
        cursor->offset[k] = 0;
    for (int d = 0; d < walk->ndim; d++) {
        cursor->index[d] = position % walk->extent[d];
        position /= walk->extent[d];
        for (int k = 0; k < walk->operands; k++)
            cursor->offset[k] += cursor->index[d] * walk->stride[k][d];
    }
}
