/* The public calls: check them, and choose between one pass over vectors, a plain call, an extended one and second
 * derivatives. */
#include "activation/activation.h"
#include "base/struct_size.h"
#include "call/assemble.h"
#include "call/options.h"
#include "call/passes.h"
#include "call/plain.h"
#include "call/twice.h"
#include "cpu/cache.h"
#include "cpu/float_mode.h"
#include "threads/context.h"
#include "view/tensor.h"

/* The flags that a call may have. */
enum {
    STREAM_FLAGS = SUGAR_CALL_NONTEMPORAL | SUGAR_CALL_TEMPORAL,
    FORWARD_FLAGS = STREAM_FLAGS,
    TWICE_FLAGS = STREAM_FLAGS | SUGAR_CALL_ACCUMULATE,
    BACKWARD_FLAGS = TWICE_FLAGS | SUGAR_CALL_FROM_OUTPUT
};

static const char *call_name(uint64_t allowed_flags)
{
    return allowed_flags == FORWARD_FLAGS ? "forward" : allowed_flags == TWICE_FLAGS ? "backward_twice" : "backward";
}

static sugar_status check_call(const sugar_activation *activation, const sugar_call_options *options,
                               uint64_t allowed_flags, sugar_call_options *known)
{
    if (!activation)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "activation: NULL, expected a handle");
    if (!options) {                 /* first, so that short calls pay for nothing else */
        *known = (sugar_call_options){.struct_size = sizeof *known};
        return SUGAR_OK;
    }
    const sugar_status status = sugar_struct_read("options", options, known, sizeof *known, sugar_call_options_ends);
    if (status != SUGAR_OK)
        return status;
    if (known->flags & ~allowed_flags)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                           "options: flags %#llx, expected any of %s%sSUGAR_CALL_NONTEMPORAL (0x2) "
                           "and SUGAR_CALL_TEMPORAL (0x4) in %s",
                           (unsigned long long)known->flags,
                           allowed_flags & SUGAR_CALL_ACCUMULATE ? "SUGAR_CALL_ACCUMULATE (0x1), " : "",
                           allowed_flags & SUGAR_CALL_FROM_OUTPUT ? "SUGAR_CALL_FROM_OUTPUT (0x8), " : "",
                           call_name(allowed_flags));
    if ((known->flags & STREAM_FLAGS) == STREAM_FLAGS)
        return sugar_error(SUGAR_ERROR_ARGUMENT,
                           "options: flags %#llx, expected SUGAR_CALL_NONTEMPORAL (0x2) or "
                           "SUGAR_CALL_TEMPORAL (0x4), not both",
                           (unsigned long long)known->flags);
    return SUGAR_OK;
}

/* ---- Tensors ------------------------------------------------------------------------------- */

sugar_status sugar_forward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *y,
                           const sugar_call_options *options)
{
    SUGAR_DEFAULT_MODE;
    sugar_call_options known;
    const sugar_status status = check_call(activation, options, FORWARD_FLAGS, &known);
    if (status != SUGAR_OK)
        return status;
    if (sugar_is_extended(&known))
        return sugar_extended_forward(activation, x, y, &known, false);
    const sugar_operand operands[] = {
        {.name = "x", .tensor = x},
        {.name = "y", .tensor = y, .access = SUGAR_ACCESS_OUTPUT},
    };
    return sugar_plain_run(activation, operands, 2, &known);
}

sugar_status sugar_backward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *dy,
                            const sugar_tensor *dx, const sugar_call_options *options)
{
    SUGAR_DEFAULT_MODE;
    sugar_call_options known;
    const sugar_status status = check_call(activation, options, BACKWARD_FLAGS, &known);
    if (status != SUGAR_OK)
        return status;
    if (known.flags & SUGAR_CALL_FROM_OUTPUT)
        activation = sugar_activation_from_output(activation);
    if (!activation)
        return SUGAR_ERROR_UNSUPPORTED;
    if (sugar_is_extended(&known))
        return sugar_extended_backward(activation, x, dy, dx, &known, false);
    const sugar_operand operands[] = {
        {.name = "x", .tensor = x},
        {.name = "dy", .tensor = dy},
        {.name = "dx", .tensor = dx, .access = SUGAR_ACCESS_OUTPUT},
    };
    return sugar_plain_run(activation, operands, 3, &known);
}

sugar_status sugar_backward_twice(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *dy,
                                  const sugar_tensor *v, const sugar_tensor *ddy, const sugar_tensor *dx,
                                  const sugar_call_options *options)
{
    SUGAR_DEFAULT_MODE;
    sugar_call_options known;
    const sugar_status status = check_call(activation, options, TWICE_FLAGS, &known);
    return status == SUGAR_OK ? sugar_twice_run(activation, x, dy, v, ddy, dx, &known) : status;
}

sugar_status sugar_monitor_observe(sugar_monitor *monitor, const sugar_tensor *x, const sugar_call_options *options)
{
    SUGAR_DEFAULT_MODE;
    if (!monitor)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "monitor: NULL, expected a handle");
    sugar_call_options known;
    sugar_status status = sugar_struct_read("options", options, &known, sizeof known, sugar_call_options_ends);
    if (status == SUGAR_OK && (known.flags || sugar_is_extended(&known)))
        status =
            sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: flags, or a member beside context, expected threads alone");
    return status == SUGAR_OK ? sugar_extended_observe(monitor, x, &known) : status;
}

/* ---- Vectors in the manner of the BLAS ------------------------------------------------------- */

/* An argument of a flat call: n elements, `step` elements apart. */
typedef struct vector {
    const void *data;
    int64_t step;
} vector;

/* What the checks of tensors, which flat calls become, do not cover. */
static sugar_status check_flat(int64_t n, const char *step_name, int64_t output_step)
{
    if (n < 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "n: %lld, expected 0 or more", (long long)n);
    if (n > 1 && output_step == 0)
        return sugar_error(SUGAR_ERROR_OVERLAP, "%s: 0, expected another step for an output of %lld elements",
                           step_name, (long long)n);
    return SUGAR_OK;
}

/* A vector as a tensor. With a negative step its first element has the highest address. A step that overflows here
 * overflows in the checks of the tensor, too, which refuse it. */
static sugar_tensor view_of(const vector *v, const int64_t *n, sugar_element element)
{
    const int64_t size = (int64_t)sugar_element_size(element);
    int64_t offset;
    if (v->step >= 0 || __builtin_mul_overflow(*n - 1, v->step, &offset)
        || __builtin_mul_overflow(offset, -size, &offset))
        offset = 0;
    return (sugar_tensor){
        .data = (void *)(uintptr_t)v->data, /* written only if the caller's pointer is not const */
        .device = {SUGAR_DEVICE_CPU, 0},
        .ndim = 1,
        .dtype = sugar_element_data_type(element),
        .shape = n,
        .strides = &v->step,
        .byte_offset = (uint64_t)offset,
    };
}

/* Whether v has a step of 1, can be at its address, and is the output itself or shares no memory with it. */
static inline bool is_simple(vector v, vector output, int64_t n, size_t size)
{
    return v.step == 1 && sugar_is_vector(v.data, n, size) && sugar_is_same_or_apart(v.data, output.data, n, size);
}

/* Not inlined: if it were, short calls would have to save the registers that it uses. */
static __attribute__((noinline)) sugar_status forward_views(const sugar_activation *activation, sugar_element element,
                                                            int64_t n, vector x, vector y,
                                                            const sugar_call_options *options)
{
    const sugar_tensor view_x = view_of(&x, &n, element), view_y = view_of(&y, &n, element);
    if (sugar_is_extended(options))
        return sugar_extended_forward(activation, &view_x, &view_y, options, true);
    const sugar_operand operands[] = {
        {.name = "x", .tensor = &view_x, .is_flat = true},
        {.name = "y", .tensor = &view_y, .access = SUGAR_ACCESS_OUTPUT, .is_flat = true},
    };
    return sugar_plain_run(activation, operands, 2, options);
}

static __attribute__((noinline)) sugar_status backward_views(const sugar_activation *activation, sugar_element element,
                                                             int64_t n, vector x, vector dy, vector dx,
                                                             const sugar_call_options *options)
{
    const sugar_tensor view_x = view_of(&x, &n, element), view_dy = view_of(&dy, &n, element);
    const sugar_tensor view_dx = view_of(&dx, &n, element);
    if (sugar_is_extended(options))
        return sugar_extended_backward(activation, x.data || !options->saved_gradient ? &view_x : NULL, &view_dy,
                                       &view_dx, options, true);
    const sugar_operand operands[] = {
        {.name = "x", .tensor = &view_x, .is_flat = true},
        {.name = "dy", .tensor = &view_dy, .is_flat = true},
        {.name = "dx", .tensor = &view_dx, .access = SUGAR_ACCESS_OUTPUT, .is_flat = true},
    };
    return sugar_plain_run(activation, operands, 3, options);
}

/* Inlined, here and below, because `element` is a constant in each public function. */
static inline __attribute__((always_inline)) sugar_status forward_vectors(const sugar_activation *activation,
                                                                          sugar_element element, int64_t n, vector x,
                                                                          vector y, const sugar_call_options *options)
{
    const size_t size = sugar_element_size(element);
    sugar_call_options known;
    sugar_status status = check_call(activation, options, FORWARD_FLAGS, &known);
    if (status == SUGAR_OK)
        status = check_flat(n, "incy", y.step);
    if (status != SUGAR_OK)
        return status;
    if (n == 0 || sugar_is_extended(&known) || !is_simple(x, y, n, size) || !is_simple(y, y, n, size)
        || !sugar_parallel_is_whole(known.context, n))
        return forward_views(activation, element, n, x, y, &known);
    sugar_forward_pass(activation, element, x.data, (void *)(uintptr_t)y.data, n,
                       sugar_is_streamed(known.flags, (uint64_t)n * size, x.data == y.data));
    return SUGAR_OK;
}

static inline __attribute__((always_inline)) sugar_status backward_vectors(const sugar_activation *activation,
                                                                           sugar_element element, int64_t n, vector x,
                                                                           vector dy, vector dx,
                                                                           const sugar_call_options *options)
{
    const size_t size = sugar_element_size(element);
    sugar_call_options known;
    sugar_status status = check_call(activation, options, BACKWARD_FLAGS, &known);
    if (status == SUGAR_OK)
        status = check_flat(n, "incdx", dx.step);
    if (status != SUGAR_OK)
        return status;
    if (known.flags & SUGAR_CALL_FROM_OUTPUT)
        activation = sugar_activation_from_output(activation);
    if (!activation)
        return SUGAR_ERROR_UNSUPPORTED;
    if (n == 0 || sugar_is_extended(&known) || !is_simple(x, dx, n, size) || !is_simple(dy, dx, n, size)
        || !is_simple(dx, dx, n, size) || !sugar_parallel_is_whole(known.context, n))
        return backward_views(activation, element, n, x, dy, dx, &known);
    sugar_backward_pass(activation, element, known.flags & SUGAR_CALL_ACCUMULATE, x.data, dy.data,
                        (void *)(uintptr_t)dx.data, n,
                        sugar_is_streamed(known.flags, (uint64_t)n * size, x.data == dx.data || dy.data == dx.data));
    return SUGAR_OK;
}

/* Whether a call has no options and so few elements that they are neither split nor streamed. Such calls go
 * straight to the pass: 16 elements of f32 take 5 ns forward and 6 backward (AVX2, Zen 5, without the look at the
 * floating-point mode); 7 and 8 if a struct of default options is made for them. */
static inline bool is_usual(const sugar_activation *activation, int64_t n, size_t size,
                            const sugar_call_options *options)
{
    return activation && !options && n > 0 && (uint64_t)n <= SUGAR_SMALLEST_STREAM / size;
}

static inline __attribute__((always_inline)) sugar_status forward_flat(const sugar_activation *activation,
                                                                       sugar_element element, int64_t n, vector x,
                                                                       vector y, const sugar_call_options *options)
{
    SUGAR_DEFAULT_MODE;
    const size_t size = sugar_element_size(element);
    if (!is_usual(activation, n, size, options) || !is_simple(x, y, n, size) || !is_simple(y, y, n, size))
        return forward_vectors(activation, element, n, x, y, options);
    sugar_forward_pass(activation, element, x.data, (void *)(uintptr_t)y.data, n, 0);
    return SUGAR_OK;
}

static inline __attribute__((always_inline)) sugar_status backward_flat(const sugar_activation *activation,
                                                                        sugar_element element, int64_t n, vector x,
                                                                        vector dy, vector dx,
                                                                        const sugar_call_options *options)
{
    SUGAR_DEFAULT_MODE;
    const size_t size = sugar_element_size(element);
    if (!is_usual(activation, n, size, options) || !is_simple(x, dx, n, size) || !is_simple(dy, dx, n, size)
        || !is_simple(dx, dx, n, size))
        return backward_vectors(activation, element, n, x, dy, dx, options);
    sugar_backward_pass(activation, element, false, x.data, dy.data, (void *)(uintptr_t)dx.data, n, false);
    return SUGAR_OK;
}

sugar_status sugar_forward_f32(const sugar_activation *activation, int64_t n, const float *x, int64_t incx, float *y,
                               int64_t incy, const sugar_call_options *options)
{
    return forward_flat(activation, SUGAR_F32, n, (vector){x, incx}, (vector){y, incy}, options);
}

sugar_status sugar_forward_f64(const sugar_activation *activation, int64_t n, const double *x, int64_t incx, double *y,
                               int64_t incy, const sugar_call_options *options)
{
    return forward_flat(activation, SUGAR_F64, n, (vector){x, incx}, (vector){y, incy}, options);
}

sugar_status sugar_forward_f16(const sugar_activation *activation, int64_t n, const uint16_t *x, int64_t incx,
                               uint16_t *y, int64_t incy, const sugar_call_options *options)
{
    return forward_flat(activation, SUGAR_F16, n, (vector){x, incx}, (vector){y, incy}, options);
}

sugar_status sugar_forward_bf16(const sugar_activation *activation, int64_t n, const uint16_t *x, int64_t incx,
                                uint16_t *y, int64_t incy, const sugar_call_options *options)
{
    return forward_flat(activation, SUGAR_BF16, n, (vector){x, incx}, (vector){y, incy}, options);
}

sugar_status sugar_backward_f32(const sugar_activation *activation, int64_t n, const float *x, int64_t incx,
                                const float *dy, int64_t incdy, float *dx, int64_t incdx,
                                const sugar_call_options *options)
{
    return backward_flat(activation, SUGAR_F32, n, (vector){x, incx}, (vector){dy, incdy}, (vector){dx, incdx},
                         options);
}

sugar_status sugar_backward_f64(const sugar_activation *activation, int64_t n, const double *x, int64_t incx,
                                const double *dy, int64_t incdy, double *dx, int64_t incdx,
                                const sugar_call_options *options)
{
    return backward_flat(activation, SUGAR_F64, n, (vector){x, incx}, (vector){dy, incdy}, (vector){dx, incdx},
                         options);
}

sugar_status sugar_backward_f16(const sugar_activation *activation, int64_t n, const uint16_t *x, int64_t incx,
                                const uint16_t *dy, int64_t incdy, uint16_t *dx, int64_t incdx,
                                const sugar_call_options *options)
{
    return backward_flat(activation, SUGAR_F16, n, (vector){x, incx}, (vector){dy, incdy}, (vector){dx, incdx},
                         options);
}

sugar_status sugar_backward_bf16(const sugar_activation *activation, int64_t n, const uint16_t *x, int64_t incx,
                                 const uint16_t *dy, int64_t incdy, uint16_t *dx, int64_t incdx,
                                 const sugar_call_options *options)
{
    return backward_flat(activation, SUGAR_BF16, n, (vector){x, incx}, (vector){dy, incdy}, (vector){dx, incdx},
                         options);
}
