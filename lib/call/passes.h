/* The forward and the backward pass over elements that lie one after another. Every call ends here. */
#ifndef SUGAR_PASSES_H
#define SUGAR_PASSES_H

#include "activation/activation.h"
#include "base/integers.h"
#include "view/walk.h"

/* How many of n elements lie before the first one that begins a cache line. */
static inline int64_t sugar_before_line(const void *p, sugar_element element, int64_t n)
{
    return smaller(n, (int64_t)(-(uintptr_t)p % SUGAR_CACHE_LINE / sugar_element_size(element)));
}

/* y[i] = f(x[i]); y may be x. stream: as in kernels.h, but y need not begin at a cache line: the elements before the
 * first one are stored ordinarily. */
static inline void sugar_forward_pass(const sugar_activation *activation, sugar_element element, const void *x, void *y,
                                      int64_t n, int stream)
{
    const sugar_passes *passes = &activation->passes[element];
    const int64_t head = stream ? sugar_before_line(y, element, n) : 0;
    const int64_t bytes = head * (int64_t)sugar_element_size(element);
    if (head > 0)
        passes->forward(&passes->forward_parameters, x, y, (size_t)head, 0);
    passes->forward(&passes->forward_parameters, (const char *)x + bytes, (char *)y + bytes, (size_t)(n - head),
                    stream);
}

/* The backward pass if g' mixes two derivatives, or if the result is added to dx. */
void sugar_backward_combined(const sugar_activation *activation, sugar_element element, bool accumulate, const void *x,
                             const void *dy, void *dx, int64_t n, bool stream);

/* sugar_backward_pass, for a dx that begins at a cache line if `stream`. */
static inline void sugar_backward_stretch(const sugar_activation *activation, sugar_element element, bool accumulate,
                                          const void *x, const void *dy, void *dx, int64_t n, bool stream)
{
    const sugar_passes *passes = &activation->passes[element];
    if (passes->own_derivative || accumulate)
        sugar_backward_combined(activation, element, accumulate, x, dy, dx, n, stream);
    else
        passes->backward(&passes->surrogate_parameters, x, dy, dx, (size_t)n, stream);
}

/* dx[i] = dy[i] * g'(x[i]), or dx[i] + dy[i] * g'(x[i]) if accumulate; dx may be x or dy. stream: as in
 * sugar_forward_pass. */
static inline void sugar_backward_pass(const sugar_activation *activation, sugar_element element, bool accumulate,
                                       const void *x, const void *dy, void *dx, int64_t n, bool stream)
{
    const int64_t head = stream ? sugar_before_line(dx, element, n) : 0;
    const int64_t bytes = head * (int64_t)sugar_element_size(element);
    if (head > 0)
        sugar_backward_stretch(activation, element, accumulate, x, dy, dx, head, false);
    sugar_backward_stretch(activation, element, accumulate, (const char *)x + bytes, (const char *)dy + bytes,
                           (char *)dx + bytes, n - head, stream);
}

#endif
