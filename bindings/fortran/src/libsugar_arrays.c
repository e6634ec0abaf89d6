/* Fortran arrays as tensors of libsugar: what module libsugar calls, with the descriptors that the compiler
 * makes of any array or section (ISO_Fortran_binding.h). Nothing is copied: address and strides pass through.
 *
 * Dimensions are reversed, so that Fortran's array element order is the library's row-major order: what counts
 * elements (saved bits, random slopes) counts them as Fortran does. */
#include <ISO_Fortran_binding.h>
#include <stddef.h>
#include <stdint.h>
#include <sugar/sugar.h>

/* The library's statuses are 0 or less. */
enum { BAD_STRIDE = 1, BAD_BITS = 2 };

/* What the library is handed; stays where it is, for the tensor points to shape and strides. */
struct array {
    sugar_tensor tensor;
    int64_t shape[CFI_MAX_RANK];
    int64_t strides[CFI_MAX_RANK];
};

/* The same declarations as in the module's interfaces. */
int32_t libsugar_fortran_forward(const sugar_activation *activation, const sugar_data_type *type,
                                 const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *y,
                                 CFI_cdesc_t *parameter, CFI_cdesc_t *saved_gradient, CFI_cdesc_t *saved_bits);
int32_t libsugar_fortran_backward(const sugar_activation *activation, const sugar_data_type *type,
                                  const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *dy, CFI_cdesc_t *dx,
                                  CFI_cdesc_t *parameter, CFI_cdesc_t *parameter_gradient, CFI_cdesc_t *saved_gradient,
                                  CFI_cdesc_t *saved_bits);
int32_t libsugar_fortran_observe(sugar_monitor *monitor, const sugar_data_type *type, const sugar_call_options *options,
                                 CFI_cdesc_t *x);

static int32_t view(struct array *array, const CFI_cdesc_t *descriptor, const sugar_data_type *type)
{
    const CFI_index_t size = type->bits / 8;
    array->tensor = (sugar_tensor){
        .data = descriptor->base_addr,
        .device = {SUGAR_DEVICE_CPU, 0},
        .ndim = descriptor->rank,
        .dtype = *type,
        .shape = array->shape,
        .strides = array->strides,
    };
    int splits = 0, has_elements = 1;
    for (int i = 0; i < descriptor->rank; i++) {
        const CFI_dim_t *dim = &descriptor->dim[descriptor->rank - 1 - i];
        splits |= dim->sm % size != 0 && dim->extent > 1;
        has_elements &= dim->extent > 0;
        array->shape[i] = dim->extent;
        array->strides[i] = dim->sm / size;
    }
    return splits && has_elements ? BAD_STRIDE : SUGAR_OK;
}

/* As view, but a scalar is an array of x's rank, with extents of 1. */
static int32_t shared_view(struct array *array, const CFI_cdesc_t *descriptor, const struct array *x)
{
    int32_t status = view(array, descriptor, &x->tensor.dtype);
    if (array->tensor.ndim > 0)
        return status;
    array->tensor.ndim = x->tensor.ndim;
    for (int i = 0; i < x->tensor.ndim; i++)
        array->shape[i] = array->strides[i] = 1;
    return status;
}

/* As shared_view, but of x's shape: an extent of 1 repeats its element along the whole of x. */
static int32_t repeated_view(struct array *array, const CFI_cdesc_t *descriptor, const struct array *x)
{
    int32_t status = shared_view(array, descriptor, x);
    if (array->tensor.ndim == x->tensor.ndim)
        for (int i = 0; i < x->tensor.ndim; i++)
            if (array->shape[i] == 1) {
                array->shape[i] = x->shape[i];
                array->strides[i] = 0;
            }
    return status;
}

/* One bit per element of x, in a vector of bytes. */
static int32_t bits_view(struct array *array, const CFI_cdesc_t *bytes, const struct array *x)
{
    int64_t elements = 1;
    for (int i = 0; i < x->tensor.ndim; i++)
        elements *= x->shape[i];
    if (bytes->dim[0].extent < (elements + 7) / 8 || (bytes->dim[0].sm != 1 && elements > 8))
        return BAD_BITS;
    *array = *x;
    array->tensor.data = bytes->base_addr;
    array->tensor.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 1, 1};
    array->tensor.shape = array->shape;
    array->tensor.strides = NULL;
    return SUGAR_OK;
}

/* The members of sugar_call_options that are tensors; they live in `arrays`, three of them. */
static int32_t add_tensors(sugar_call_options *options, struct array arrays[], const struct array *x,
                           const CFI_cdesc_t *parameter, const CFI_cdesc_t *parameter_gradient,
                           const CFI_cdesc_t *saved_gradient, const CFI_cdesc_t *saved_bits)
{
    const sugar_data_type byte = {SUGAR_TYPE_UNSIGNED, 8, 1};
    int32_t status = SUGAR_OK;
    if (parameter) {
        status = shared_view(&arrays[0], parameter, x);
        options->parameter = &arrays[0].tensor;
    }
    if (parameter_gradient && status == SUGAR_OK) {
        status = shared_view(&arrays[1], parameter_gradient, x);
        options->parameter_gradient = &arrays[1].tensor;
    }
    if ((saved_gradient || saved_bits) && status == SUGAR_OK) {
        status = saved_gradient ? view(&arrays[2], saved_gradient, &byte) : bits_view(&arrays[2], saved_bits, x);
        options->saved_gradient = &arrays[2].tensor;
    }
    return status;
}

int32_t libsugar_fortran_forward(const sugar_activation *activation, const sugar_data_type *type,
                                 const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *y,
                                 CFI_cdesc_t *parameter, CFI_cdesc_t *saved_gradient, CFI_cdesc_t *saved_bits)
{
    struct array in, out, extra[3];
    sugar_call_options all = *options;
    int32_t status = view(&in, x, type);
    if (status == SUGAR_OK)
        status = view(&out, y, type);
    if (status == SUGAR_OK)
        status = add_tensors(&all, extra, &in, parameter, NULL, saved_gradient, saved_bits);
    return status ? status : sugar_forward(activation, &in.tensor, &out.tensor, &all);
}

int32_t libsugar_fortran_backward(const sugar_activation *activation, const sugar_data_type *type,
                                  const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *dy, CFI_cdesc_t *dx,
                                  CFI_cdesc_t *parameter, CFI_cdesc_t *parameter_gradient, CFI_cdesc_t *saved_gradient,
                                  CFI_cdesc_t *saved_bits)
{
    struct array in, gradient, out, extra[3];
    sugar_call_options all = *options;
    int32_t status = view(&out, dx, type);
    if (status == SUGAR_OK)
        status = repeated_view(&gradient, dy, &out);
    if (status == SUGAR_OK && x)
        status = view(&in, x, type);
    if (status == SUGAR_OK)
        status = add_tensors(&all, extra, &out, parameter, parameter_gradient, saved_gradient, saved_bits);
    return status ? status : sugar_backward(activation, x ? &in.tensor : NULL, &gradient.tensor, &out.tensor, &all);
}

int32_t libsugar_fortran_observe(sugar_monitor *monitor, const sugar_data_type *type, const sugar_call_options *options,
                                 CFI_cdesc_t *x)
{
    struct array in;
    int32_t status = view(&in, x, type);
    return status ? status : sugar_monitor_observe(monitor, &in.tensor, options);
}
