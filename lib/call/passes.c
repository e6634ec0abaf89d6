/* The backward pass if g' mixes two derivatives, or if the result is added to dx. */
#include "call/passes.h"

enum { BLOCK_BYTES = 4096 };        /* of one operand; the blocks of all five fit into any first-level cache */

typedef union block {
    float f32[BLOCK_BYTES / sizeof(float)];
    double f64[BLOCK_BYTES / sizeof(double)];
} block;

/* Block by block; the derivatives of a block stay in the first-level cache. */
void sugar_backward_combined(const sugar_activation *activation, sugar_element element, bool accumulate, const void *x,
                             const void *dy, void *dx, int64_t n, int stream)
{
    const sugar_passes *passes = &activation->passes[element];
    const int64_t size = (int64_t)sugar_element_size(element);
    const int64_t most = BLOCK_BYTES / (int64_t)sugar_real_size(element);
    block surrogate, own_derivative;
    sugar_combination combination = {
        .surrogate = &surrogate,
        .own = passes->own_derivative ? &own_derivative : NULL,
        .blend = passes->blend,
        .rest = passes->rest,
        .negative_only = activation->parsed.negative_only,
        .accumulate = accumulate,
        .stream = stream,
    };
    for (int64_t i = 0; i < n; i += most) {
        const size_t length = (size_t)smaller(n - i, most);
        combination.x = (const char *)x + i * size;
        passes->surrogate_derivative(&passes->surrogate_parameters, combination.x, &surrogate, length);
        if (passes->own_derivative)
            passes->own_derivative(&passes->forward_parameters, combination.x, &own_derivative, length);
        passes->combine(&combination, (const char *)dy + i * size, (char *)dx + i * size, length);
    }
}
