/* The kernels of one instruction set and one element type: every kind in every loop, and the table of them. Compiled once
 * for each, with the two names that prologue.h tells of, and with contraction off: the formulas say themselves where they
 * want an fma. */
#include "kernels/kernels.h"

#include <float.h>

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "libsugar's results are defined by IEEE 754: do not compile it with fast-math options"
#endif
#if FLT_EVAL_METHOD != 0
#error "excess precision would change results: on 32-bit x86 compile with -msse2 -mfpmath=sse"
#endif

#include "kernels/kinds/algebraic.h"
#include "kernels/kinds/exponential.h"
#include "kernels/kinds/gated.h"
#include "kernels/kinds/linear.h"
#include "kernels/kinds/mish.h"
#include "kernels/kinds/normal.h"
#include "kernels/kinds/softplus.h"
#include "kernels/kinds/spike.h"
#include "kernels/kinds/tanh.h"
#include "kernels/loops/monitor.h"
#include "kernels/loops/parameter.h"
#include "kernels/loops/plain.h"
#include "kernels/loops/random.h"
#include "kernels/loops/saved.h"

#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(name, ...)                                                                            \
    KERNEL name##_forward(const real *parameters, const element *x, element *y, size_t n, int stream) { \
        forward_loop(name##_value, parameters, x, y, n, stream);                                   \
    }                                                                                              \
    SURROGATE(name, )
#define SURROGATE(name, ...)                                                                       \
    KERNEL name##_backward(const real *parameters, const element *x, const element *dy, element *dx, \
                           size_t n, int stream) {                                                 \
        backward_loop(name##_derivative, parameters, x, dy, dx, n, stream);                        \
    }                                                                                              \
    KERNEL name##_derivatives(const real *parameters, const element *x, real *d, size_t n) {       \
        derivative_loop(name##_derivative, parameters, x, d, n);                                   \
    }
#include "kernels/kinds/kinds.def"

#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define LEARNS(name, value, derivative)                                                            \
    KERNEL name##_forward_each(const element *parameter, size_t step, const element *x, element *y, size_t n) { \
        forward_each_loop(value, parameter, step, x, y, n);                                 \
    }                                                                                              \
    KERNEL name##_derivative_each(const element *parameter, size_t step, const element *x, real *d, size_t n) { \
        derivative_each_loop(derivative, parameter, step, x, d, n);                         \
    }                                                                                              \
    KERNEL name##_slopes(const real *parameters, const element *parameter, size_t step, const element *x, \
                         const element *dy, real *product, size_t n) {                             \
        slope_loop(name##_slope, parameters, parameter, step, x, dy, product, n);                  \
    }
#define FROM_OUTPUT(name)                                                                          \
    KERNEL name##_backward_from_output(const real *parameters, const element *y, const element *dy, element *dx, \
                                       size_t n, int stream) {                                     \
        backward_loop(name##_derivative_from_output, parameters, y, dy, dx, n, stream);            \
    }                                                                                              \
    KERNEL name##_derivatives_from_output(const real *parameters, const element *y, real *d, size_t n) { \
        derivative_loop(name##_derivative_from_output, parameters, y, d, n);                       \
    }
#include "kernels/kinds/kinds.def"

const JOIN(sugar_kernels, SUGAR_TYPE) JOIN(JOIN(sugar_kernels, SUGAR_TYPE), SUGAR_LEVEL_NAME) = {
    .forward = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(name, ...) [SUGAR_KIND_##name] = name##_forward,
#define SURROGATE(name, ...)
#include "kernels/kinds/kinds.def"
    },
    .backward = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(name, ...) [SUGAR_KIND_##name] = name##_backward,
#define SURROGATE(name, ...) [SUGAR_KIND_##name] = name##_backward,
#include "kernels/kinds/kinds.def"
    },
    .derivative = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(name, ...) [SUGAR_KIND_##name] = name##_derivatives,
#define SURROGATE(name, ...) [SUGAR_KIND_##name] = name##_derivatives,
#include "kernels/kinds/kinds.def"
    },
    .backward_from_output = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define FROM_OUTPUT(name) [SUGAR_KIND_##name] = name##_backward_from_output,
#include "kernels/kinds/kinds.def"
    },
    .derivative_from_output = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define FROM_OUTPUT(name) [SUGAR_KIND_##name] = name##_derivatives_from_output,
#include "kernels/kinds/kinds.def"
    },
    .combine = combine,
    .end_stream = end_stream,
    .forward_each = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define LEARNS(name, ...) [SUGAR_KIND_##name] = name##_forward_each,
#include "kernels/kinds/kinds.def"
    },
    .derivative_each = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define LEARNS(name, ...) [SUGAR_KIND_##name] = name##_derivative_each,
#include "kernels/kinds/kinds.def"
    },
    .slope = {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(...)
#define SURROGATE(...)
#define LEARNS(name, ...) [SUGAR_KIND_##name] = name##_slopes,
#include "kernels/kinds/kinds.def"
    },
    .sum_run = sum_run,
    .sum_rows = sum_rows,
    .put_sum = put_sum,
    .put_sums = put_sums,
    .find_outside = find_outside,
    .draw = draw,
    .forward_drawn = forward_drawn,
    .derivative_drawn = derivative_drawn,
    .encode = encode,
    .backward_from_codes = backward_from_codes,
    .find_bins = find_bins,
    .count_bins = count_bins,
    .tally_unit = tally_unit,
    .tally_units = tally_units,
};
