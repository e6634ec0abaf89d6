/* The backward pass over elements that lie one after another. */
#include "call/passes.h"

enum { BLOCK_BYTES = 4096 };        /* of one operand: five fit into any first-level cache */

/* The surrogate's derivative mixed with the forward function's own, or added to what dx holds: block by block, through
 * buffers that stay in the first-level cache. */
static void backward_combined(const sugar_activation *activation, sugar_element element, bool accumulate, const void *x,
                              const void *dy, void *dx, int64_t n, bool stream)
{
    const sugar_passes *passes = &activation->passes[element];
    const int64_t size = (int64_t)sugar_element_size(element);
    const int64_t most = BLOCK_BYTES / (int64_t)sugar_real_size(element);
    union { float f32[BLOCK_BYTES / sizeof(float)]; double f64[BLOCK_BYTES / sizeof(double)]; } surrogate, derivative;
    sugar_combination combination = {
        .surrogate = &surrogate,
        .derivative = passes->derivative ? &derivative : NULL,
        .blend = passes->blend,
        .rest = passes->rest,
        .negative_only = activation->negative_only,
        .accumulate = accumulate,
        .stream = stream,
    };
    for (int64_t i = 0; i < n; i += most) {
        const size_t length = (size_t)smaller(n - i, most);
        combination.x = (const char *)x + i * size;
        passes->surrogate(&passes->surrogate_parameters, combination.x, &surrogate, length);
        if (passes->derivative)
            passes->derivative(&passes->forward_parameters, combination.x, &derivative, length);
        passes->combine(&combination, (const char *)dy + i * size, (char *)dx + i * size, length);
    }
}

static void backward(const sugar_activation *activation, sugar_element element, bool accumulate, const void *x,
                     const void *dy, void *dx, int64_t n, bool stream)
{
    const sugar_passes *passes = &activation->passes[element];
    if (passes->derivative || accumulate)
        backward_combined(activation, element, accumulate, x, dy, dx, n, stream);
    else
        passes->backward(&passes->surrogate_parameters, x, dy, dx, (size_t)n, stream);
}

void sugar_backward_pass(const sugar_activation *activation, sugar_element element, bool accumulate, const void *x,
                         const void *dy, void *dx, int64_t n, bool stream)
{
    const int64_t head = stream ? sugar_before_line(dx, element, n) : 0;
    const int64_t bytes = head * (int64_t)sugar_element_size(element);
    if (head > 0)
        backward(activation, element, accumulate, x, dy, dx, head, false);
    backward(activation, element, accumulate, (const char *)x + bytes, (const char *)dy + bytes, (char *)dx + bytes,
             n - head, stream);
}
