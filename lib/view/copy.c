/* Copies of strided memory. What depends on the size of an element is written once, in copy_template.h. */
#include "base/integers.h"
#include "view/copy.h"

#include <stdbool.h>
#include <string.h>

enum { VECTOR_BYTES = 16 };         /* every processor with vectors has these */

static void swap_dimensions(sugar_box *box, int d, int e)
{
    const __typeof__(box->dimension[0]) old = box->dimension[d];
    box->dimension[d] = box->dimension[e];
    box->dimension[e] = old;
}

/* The longest dimension from the first one on. */
static int find_longest(const sugar_box *box, int first)
{
    int longest = first;
    for (int d = first + 1; d < box->ndim; d++)
        if (box->dimension[d].extent > box->dimension[longest].extent)
            longest = d;
    return longest;
}

/* Puts the two dimensions first that are best copied as a plane: those that are contiguous at either end
 * if both are as long as a vector, or else the longest ones. */
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

#define U uint8_t
#define LANES 16
#define NAME(name) name##_8
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define BACKWARD(a) __builtin_shufflevector(a, a, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#include "view/copy_template.h"

#define U uint16_t
#define LANES 8
#define NAME(name) name##_16
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define BACKWARD(a) __builtin_shufflevector(a, a, 7, 6, 5, 4, 3, 2, 1, 0)
#include "view/copy_template.h"

#define U uint32_t
#define LANES 4
#define NAME(name) name##_32
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define BACKWARD(a) __builtin_shufflevector(a, a, 3, 2, 1, 0)
#include "view/copy_template.h"

#define U uint64_t
#define LANES 2
#define NAME(name) name##_64
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 2)
#define HIGH(a, b) __builtin_shufflevector(a, b, 1, 3)
#define BACKWARD(a) __builtin_shufflevector(a, a, 1, 0)
#include "view/copy_template.h"

void sugar_copy(sugar_box *box, void *to, const void *from, size_t element_size)
{
    choose_plane(box, VECTOR_BYTES / (int64_t)element_size);
    if (element_size == 1)
        copy_box_8(box, box->ndim, to, from);
    else if (element_size == 2)
        copy_box_16(box, box->ndim, to, from);
    else if (element_size == 4)
        copy_box_32(box, box->ndim, to, from);
    else
        copy_box_64(box, box->ndim, to, from);
}
