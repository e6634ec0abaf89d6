/* The kernels of one level and one element type, and the table of them. Compiled once for each pair of these, with the
 * two macros that prologue.h describes, and without contraction: formulas say where they want an fma. */
#include "kernels/ieee754.h"

#include "kernels/kernels.h"

#include "kernels/kinds/algebraic.h"
#include "kernels/kinds/arctan.h"
#include "kernels/kinds/exponential.h"
#include "kernels/kinds/gated.h"
#include "kernels/kinds/linear.h"
#include "kernels/kinds/mish.h"
#include "kernels/kinds/normal.h"
#include "kernels/kinds/periodic.h"
#include "kernels/kinds/softplus.h"
#include "kernels/kinds/spike_bell.h"
#include "kernels/kinds/spike_exponential.h"
#include "kernels/kinds/spike_piecewise.h"
#include "kernels/kinds/spike_power.h"
#include "kernels/kinds/tanh.h"
#include "kernels/kinds/xielu.h"
#include "kernels/loops/fused.h"
#include "kernels/loops/monitor.h"
#include "kernels/loops/parameter.h"
#include "kernels/loops/plain.h"
#include "kernels/loops/random.h"
#include "kernels/loops/saved.h"
#include "kernels/loops/steps.h"
#include "kernels/loops/table.h"

/* The kernels of each kind: for relu, relu_forward, relu_backward, relu_derivatives, ...; and for silu
 * silu_default_forward, ... besides. */
#define KIND(name, ...)                                                                                                \
    KERNEL name##_forward(const void *parameters, const void *x, void *y, size_t n, int stream)                        \
    {                                                                                                                  \
        forward_loop(name##_value, parameters, x, y, n, stream);                                                       \
    }                                                                                                                  \
    SURROGATE(name, )
#define WITH_OWN_LOOPS(...)
#define AT_DEFAULTS(name) KIND(name##_default, )
#define SURROGATE(name, ...)                                                                                           \
    KERNEL name##_backward(const void *parameters, const void *x, const void *dy, void *dx, size_t n, int stream)      \
    {                                                                                                                  \
        backward_loop(name##_derivative, parameters, x, dy, dx, n, stream);                                            \
    }                                                                                                                  \
    KERNEL name##_derivatives(const void *parameters, const void *x, void *d, size_t n)                                \
    {                                                                                                                  \
        derivative_loop(name##_derivative, parameters, x, d, n);                                                       \
    }
#define SECOND(name, second)                                                                                           \
    KERNEL name##_seconds(const void *parameters, const void *x, void *d, size_t n)                                    \
    {                                                                                                                  \
        derivative_loop(second, parameters, x, d, n);                                                                  \
    }
#define SECOND_WITH_OWN_LOOPS(...)
#define LEARNS(name, value, derivative)                                                                                \
    KERNEL name##_forward_each(const void *parameter, size_t step, const void *x, void *y, size_t n)                   \
    {                                                                                                                  \
        forward_each_loop(value, parameter, step, x, y, n);                                                            \
    }                                                                                                                  \
    KERNEL name##_derivative_each(const void *parameter, size_t step, const void *x, void *d, size_t n)                \
    {                                                                                                                  \
        derivative_each_loop(derivative, parameter, step, x, d, n);                                                    \
    }                                                                                                                  \
    KERNEL name##_products(const void *parameters, const void *parameter, size_t step, const void *x, const void *dy,  \
                           void *product, size_t n)                                                                    \
    {                                                                                                                  \
        product_loop(name##_parameter_derivative, parameters, parameter, step, x, dy, product, n);                     \
    }
#define FROM_OUTPUT(name)                                                                                              \
    KERNEL name##_backward_from_output(const void *parameters, const void *y, const void *dy, void *dx, size_t n,      \
                                       int stream)                                                                     \
    {                                                                                                                  \
        backward_loop(name##_derivative_from_output, parameters, y, dy, dx, n, stream);                                \
    }                                                                                                                  \
    KERNEL name##_derivatives_from_output(const void *parameters, const void *y, void *d, size_t n)                    \
    {                                                                                                                  \
        derivative_loop(name##_derivative_from_output, parameters, y, d, n);                                           \
    }
#if !NARROW
#define FUSED_TYPE(name, type, number)                                                                                 \
    KERNEL name##_fused_forward_##type(const void *parameters, const sugar_fusion *fusion, const void *x, void *y,     \
                                       size_t n, int stream)                                                           \
    {                                                                                                                  \
        fused_forward_loop(name##_value, number, parameters, fusion, x, y, n, stream);                                 \
    }                                                                                                                  \
    KERNEL name##_fused_backward_##type(const void *parameters, const sugar_fusion *fusion, const void *x,             \
                                        const void *dy, void *dx, size_t n, int stream)                                \
    {                                                                                                                  \
        fused_backward_loop(NULL, name##_derivative, number, parameters, fusion, x, dy, dx, n, stream);                \
    }                                                                                                                  \
    KERNEL name##_fused_backward_with_gate_##type(const void *parameters, const sugar_fusion *fusion, const void *x,   \
                                                  const void *dy, void *dx, size_t n, int stream)                      \
    {                                                                                                                  \
        fused_backward_loop(name##_value, name##_derivative, number, parameters, fusion, x, dy, dx, n, stream);        \
    }
#if REAL_BITS == 32
#define FUSED(name)                                                                                                    \
    FUSED_TYPE(name, f32, SUGAR_F32)                                                                                   \
    FUSED_TYPE(name, f16, SUGAR_F16)                                                                                   \
    FUSED_TYPE(name, bf16, SUGAR_BF16)                                                                                 \
    static const sugar_fused_kernels name##_fused = {                                                                  \
        .forward = {[SUGAR_F32] = name##_fused_forward_f32,                                                            \
                    [SUGAR_F16] = name##_fused_forward_f16,                                                            \
                    [SUGAR_BF16] = name##_fused_forward_bf16},                                                         \
        .backward = {[SUGAR_F32] = name##_fused_backward_f32,                                                          \
                     [SUGAR_F16] = name##_fused_backward_f16,                                                          \
                     [SUGAR_BF16] = name##_fused_backward_bf16},                                                       \
        .backward_with_gate = {[SUGAR_F32] = name##_fused_backward_with_gate_f32,                                      \
                               [SUGAR_F16] = name##_fused_backward_with_gate_f16,                                      \
                               [SUGAR_BF16] = name##_fused_backward_with_gate_bf16},                                   \
    };
#else
#define FUSED(name)                                                                                                    \
    FUSED_TYPE(name, f64, SUGAR_F64)                                                                                   \
    static const sugar_fused_kernels name##_fused = {                                                                  \
        .forward = {[SUGAR_F64] = name##_fused_forward_f64},                                                           \
        .backward = {[SUGAR_F64] = name##_fused_backward_f64},                                                         \
        .backward_with_gate = {[SUGAR_F64] = name##_fused_backward_with_gate_f64},                                     \
    };
#endif
#define FUSED_AT_DEFAULTS(name) FUSED(name##_default)
#endif
#include "kernels/kinds/kinds.def"

/* <kind>_forward and the others, which the macros above make, in their tables. */
/* clang-format off */
#define TABLE(level, type) TABLE_(level, type)
#define TABLE_(level, type) sugar_kernels_##level##_##type
const sugar_kernels TABLE(SUGAR_LEVEL_NAME, SUGAR_TYPE) = {
    .forward = {
#define KIND(name, ...) [SUGAR_KIND_##name] = name##_forward,
#include "kernels/kinds/kinds.def"
    },
    .backward = {
#define KIND(name, ...) [SUGAR_KIND_##name] = name##_backward,
#define SURROGATE(name, ...) [SUGAR_KIND_##name] = name##_backward,
#include "kernels/kinds/kinds.def"
    },
    .derivative = {
#define KIND(name, ...) [SUGAR_KIND_##name] = name##_derivatives,
#define SURROGATE(name, ...) [SUGAR_KIND_##name] = name##_derivatives,
#include "kernels/kinds/kinds.def"
    },
    .second = {
#define SECOND(name, ...) [SUGAR_KIND_##name] = name##_seconds,
#include "kernels/kinds/kinds.def"
    },
    .forward_at_defaults = {
#define AT_DEFAULTS(name) [SUGAR_KIND_##name] = name##_default_forward,
#include "kernels/kinds/kinds.def"
    },
    .backward_at_defaults = {
#define AT_DEFAULTS(name) [SUGAR_KIND_##name] = name##_default_backward,
#include "kernels/kinds/kinds.def"
    },
    .derivative_at_defaults = {
#define AT_DEFAULTS(name) [SUGAR_KIND_##name] = name##_default_derivatives,
#include "kernels/kinds/kinds.def"
    },
    .backward_from_output = {
#define FROM_OUTPUT(name) [SUGAR_KIND_##name] = name##_backward_from_output,
#include "kernels/kinds/kinds.def"
    },
    .derivative_from_output = {
#define FROM_OUTPUT(name) [SUGAR_KIND_##name] = name##_derivatives_from_output,
#include "kernels/kinds/kinds.def"
    },
#if !NARROW
    .fused = {
#define FUSED(name) [SUGAR_KIND_##name] = &name##_fused,
#include "kernels/kinds/kinds.def"
    },
    .fused_at_defaults = {
#define FUSED_AT_DEFAULTS(name) [SUGAR_KIND_##name] = &name##_default_fused,
#include "kernels/kinds/kinds.def"
    },
#endif
    .combine = combine,
    .combine_twice = combine_twice,
    .end_stream = end_stream,
    .forward_each = {
#define LEARNS(name, ...) [SUGAR_KIND_##name] = name##_forward_each,
#include "kernels/kinds/kinds.def"
    },
    .derivative_each = {
#define LEARNS(name, ...) [SUGAR_KIND_##name] = name##_derivative_each,
#include "kernels/kinds/kinds.def"
    },
    .parameter_products = {
#define LEARNS(name, ...) [SUGAR_KIND_##name] = name##_products,
#include "kernels/kinds/kinds.def"
    },
    .sum_run = sum_run,
    .sum_rows = sum_rows,
    .put_sum = put_sum,
    .put_sums = put_sums,
    .find_outside = find_outside,
    .load_reals = load_reals,
    .store_reals = store_reals,
    .add_bias = add_bias,
    .multiply = multiply,
    .draw = draw,
    .forward_drawn = forward_drawn,
    .derivative_drawn = derivative_drawn,
    .encode = encode,
    .backward_from_codes = backward_from_codes,
    .count_bins = count_bins,
    .take_bins = take_bins,
    .tally_unit = tally_unit,
    .tally_units = tally_units,
};
/* clang-format on */
