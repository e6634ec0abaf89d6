/* The forward and the backward pass over elements that lie one after another: the end of every call but
 * sugar_backward_twice. */
#ifndef SUGAR_PASSES_H
#define SUGAR_PASSES_H

#include "activation/activation.h"
#include "base/integers.h"
#include "view/walk.h"

/* How many of n elements lie before the first one that begins a cache line. */
static inline int64_t sugar_before_line(const void *p, size_t element_size, int64_t n)
{
    return smaller(n, (int64_t)(-(uintptr_t)p % SUGAR_CACHE_LINE / element_size));
}

/* n elements of an output that is stored past the caches: how many lie before its first whole cache line, and how many
 * in whole lines. What lies before and behind them is stored ordinarily. */
typedef struct sugar_lines {
    int64_t head, whole;
} sugar_lines;

/* Prefetches the lines at both ends that are not whole: an ordinary store that waits for its line holds up all stores
 * past the caches behind it. 32 Mi elements from NCHW to NWCH that begin 4 bytes behind a line's start take 0.88 ns
 * each with it, 1.04 without (relu, f32, AVX-512, Sapphire Rapids). Half lines are not stored past the caches, which
 * vectors of 32 bytes could do: from NHWC to NCHW with 3 channels that took 1.06 ns instead of 0.71 (AVX2). */
static inline sugar_lines sugar_lines_find(const void *output, size_t element_size, int64_t n)
{
    const int64_t size = (int64_t)element_size, head = sugar_before_line(output, element_size, n);
    const int64_t whole = (n - head) * size / SUGAR_CACHE_LINE * SUGAR_CACHE_LINE / size;
    if (head > 0)
        __builtin_prefetch(output, 1);
    if (head + whole < n)
        __builtin_prefetch((const char *)output + (head + whole) * size, 1);
    return (sugar_lines){head, whole};
}

/* An output divided where its whole lines begin and end: stretch i has elements [begin[i], begin[i + 1]), and number
 * SUGAR_WHOLE_LINES alone is stored past the caches. */
enum { SUGAR_STRETCHES = 3, SUGAR_WHOLE_LINES = 1 };
typedef struct sugar_stretches {
    int64_t begin[SUGAR_STRETCHES + 1];
} sugar_stretches;

static inline sugar_stretches sugar_stretches_find(const void *output, size_t element_size, int64_t n, int stream)
{
    const sugar_lines lines = stream ? sugar_lines_find(output, element_size, n) : (sugar_lines){n, 0};
    return (sugar_stretches){{0, lines.head, lines.head + lines.whole, n}};
}

/* y[i] = f(x[i]) for elements [begin, begin + n). */
static inline void sugar_forward_stretch(const sugar_activation *activation, sugar_element element, const void *x,
                                         void *y, int64_t begin, int64_t n, int stream)
{
    const sugar_passes *passes = &activation->passes[element];
    const int64_t bytes = begin * (int64_t)sugar_element_size(element);
    if (n > 0)
        passes->forward(&passes->forward_parameters, (const char *)x + bytes, (char *)y + bytes, (size_t)n, stream);
}

/* y[i] = f(x[i]); y may be x. stream: as in kernels.h, but y need not begin at a cache line. */
static inline void sugar_forward_pass(const sugar_activation *activation, sugar_element element, const void *x, void *y,
                                      int64_t n, int stream)
{
    const sugar_lines lines = stream ? sugar_lines_find(y, sugar_element_size(element), n) : (sugar_lines){n, 0};
    const int64_t end = lines.head + lines.whole;
    sugar_forward_stretch(activation, element, x, y, 0, lines.head, 0);
    sugar_forward_stretch(activation, element, x, y, lines.head, lines.whole, stream);
    sugar_forward_stretch(activation, element, x, y, end, n - end, 0);
}

/* The backward pass if g' mixes two derivatives, or if the result is added to dx. */
void sugar_backward_combined(const sugar_activation *activation, sugar_element element, bool accumulate, const void *x,
                             const void *dy, void *dx, int64_t n, int stream);

/* sugar_backward_pass for elements [begin, begin + n); if `stream`, dx begins at a cache line there. */
static inline void sugar_backward_stretch(const sugar_activation *activation, sugar_element element, bool accumulate,
                                          const void *x_elements, const void *dy_elements, void *dx_elements,
                                          int64_t begin, int64_t n, int stream)
{
    const sugar_passes *passes = &activation->passes[element];
    const int64_t bytes = begin * (int64_t)sugar_element_size(element);
    const char *x = (const char *)x_elements + bytes, *dy = (const char *)dy_elements + bytes;
    char *dx = (char *)dx_elements + bytes;
    if (n == 0)
        return;
    if (passes->own_derivative || accumulate)
        sugar_backward_combined(activation, element, accumulate, x, dy, dx, n, stream);
    else
        passes->backward(&passes->surrogate_parameters, x, dy, dx, (size_t)n, stream);
}

/* dx[i] = dy[i] * g'(x[i]), or dx[i] + dy[i] * g'(x[i]) if accumulate; dx may be x or dy. stream: as in
 * sugar_forward_pass. */
static inline void sugar_backward_pass(const sugar_activation *activation, sugar_element element, bool accumulate,
                                       const void *x, const void *dy, void *dx, int64_t n, int stream)
{
    const sugar_lines lines = stream ? sugar_lines_find(dx, sugar_element_size(element), n) : (sugar_lines){n, 0};
    const int64_t end = lines.head + lines.whole;
    sugar_backward_stretch(activation, element, accumulate, x, dy, dx, 0, lines.head, 0);
    sugar_backward_stretch(activation, element, accumulate, x, dy, dx, lines.head, lines.whole, stream);
    sugar_backward_stretch(activation, element, accumulate, x, dy, dx, end, n - end, 0);
}

#endif
