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
enum { BAD_STRIDE = 1, BAD_BITS = 2, BAD_TYPE = 6 };

/* What the library is handed; stays where it is, for the tensor points to shape and strides. */
struct array {
    sugar_tensor tensor;
    int64_t shape[CFI_MAX_RANK];
    int64_t strides[CFI_MAX_RANK];
};

/* The same declarations as in the module's interfaces. */
int32_t libsugar_fortran_forward(const sugar_activation *activation, const sugar_data_type *type,
                                 const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *y,
                                 CFI_cdesc_t *parameter, CFI_cdesc_t *saved_gradient, CFI_cdesc_t *saved_bits,
                                 CFI_cdesc_t *bias, CFI_cdesc_t *gate);
int32_t libsugar_fortran_backward(const sugar_activation *activation, const sugar_data_type *type,
                                  const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *dy, CFI_cdesc_t *dx,
                                  CFI_cdesc_t *parameter, CFI_cdesc_t *parameter_gradient, CFI_cdesc_t *saved_gradient,
                                  CFI_cdesc_t *saved_bits, CFI_cdesc_t *bias, CFI_cdesc_t *bias_gradient,
                                  CFI_cdesc_t *gate, CFI_cdesc_t *gate_gradient);
int32_t libsugar_fortran_backward_twice(const sugar_activation *activation, const sugar_data_type *type,
                                        const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *dy,
                                        CFI_cdesc_t *v, CFI_cdesc_t *ddy, CFI_cdesc_t *dx);
int32_t libsugar_fortran_observe(sugar_monitor *monitor, const sugar_data_type *type, const sugar_call_options *options,
                                 CFI_cdesc_t *x);

/* Arrays among the options; NULL: none. */
struct extras {
    const CFI_cdesc_t *parameter, *parameter_gradient, *saved_gradient, *saved_bits;
    const CFI_cdesc_t *bias, *bias_gradient, *gate, *gate_gradient;
};
enum { EXTRAS = 7 };                /* tensors made of them */

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

/* As view, but a scalar is an array of x's rank, with extents of 1; and beside elements of 16 bits, which are whole
 * numbers to Fortran, what is real is f32. */
static int32_t shared_view(struct array *array, const CFI_cdesc_t *descriptor, const struct array *x)
{
    const sugar_data_type f32 = {SUGAR_TYPE_FLOAT, 32, 1};
    const int wide = x->tensor.dtype.bits == 16 && descriptor->type == CFI_type_float;
    const sugar_data_type type = wide ? f32 : x->tensor.dtype;
    if (descriptor->elem_len != type.bits / 8u)
        return BAD_TYPE;
    int32_t status = view(array, descriptor, &type);
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

/* The members of sugar_call_options that are tensors; they live in `arrays`. */
static int32_t add_tensors(sugar_call_options *options, struct array arrays[EXTRAS], const struct array *x,
                           const struct extras *extras)
{
    const sugar_data_type byte = {SUGAR_TYPE_UNSIGNED, 8, 1};
    const struct {
        const CFI_cdesc_t *descriptor;
        int32_t (*view)(struct array *array, const CFI_cdesc_t *descriptor, const struct array *x);
        const sugar_tensor **option;
    } all[] = {
        {extras->parameter, shared_view, &options->parameter},
        {extras->parameter_gradient, shared_view, &options->parameter_gradient},
        {extras->bias, shared_view, &options->bias},
        {extras->bias_gradient, shared_view, &options->bias_gradient},
        {extras->gate, repeated_view, &options->gate},
        {extras->gate_gradient, shared_view, &options->gate_gradient},
        {extras->saved_gradient ? NULL : extras->saved_bits, bits_view, &options->saved_gradient},
    };
    for (int i = 0; i < EXTRAS; i++) {
        if (!all[i].descriptor)
            continue;
        const int32_t status = all[i].view(&arrays[i], all[i].descriptor, x);
        if (status != SUGAR_OK)
            return status;
        *all[i].option = &arrays[i].tensor;
    }
    if (!extras->saved_gradient)
        return SUGAR_OK;
    options->saved_gradient = &arrays[EXTRAS - 1].tensor;
    return view(&arrays[EXTRAS - 1], extras->saved_gradient, &byte);
}

int32_t libsugar_fortran_forward(const sugar_activation *activation, const sugar_data_type *type,
                                 const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *y,
                                 CFI_cdesc_t *parameter, CFI_cdesc_t *saved_gradient, CFI_cdesc_t *saved_bits,
                                 CFI_cdesc_t *bias, CFI_cdesc_t *gate)
{
    const struct extras extras = {
        .parameter = parameter, .saved_gradient = saved_gradient, .saved_bits = saved_bits, .bias = bias, .gate = gate};
    struct array in, out, arrays[EXTRAS];
    sugar_call_options all = *options;
    int32_t status = view(&in, x, type);
    if (status == SUGAR_OK)
        status = view(&out, y, type);
    if (status == SUGAR_OK)
        status = add_tensors(&all, arrays, &in, &extras);
    return status ? status : sugar_forward(activation, &in.tensor, &out.tensor, &all);
}

int32_t libsugar_fortran_backward(const sugar_activation *activation, const sugar_data_type *type,
                                  const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *dy, CFI_cdesc_t *dx,
                                  CFI_cdesc_t *parameter, CFI_cdesc_t *parameter_gradient, CFI_cdesc_t *saved_gradient,
                                  CFI_cdesc_t *saved_bits, CFI_cdesc_t *bias, CFI_cdesc_t *bias_gradient,
                                  CFI_cdesc_t *gate, CFI_cdesc_t *gate_gradient)
{
    const struct extras extras = {parameter, parameter_gradient, saved_gradient, saved_bits,
                                  bias,      bias_gradient,      gate,           gate_gradient};
    struct array in, gradient, out, arrays[EXTRAS];
    sugar_call_options all = *options;
    int32_t status = view(&out, dx, type);
    if (status == SUGAR_OK)
        status = repeated_view(&gradient, dy, &out);
    if (status == SUGAR_OK && x)
        status = view(&in, x, type);
    if (status == SUGAR_OK)
        status = add_tensors(&all, arrays, &out, &extras);
    return status ? status : sugar_backward(activation, x ? &in.tensor : NULL, &gradient.tensor, &out.tensor, &all);
}

int32_t libsugar_fortran_backward_twice(const sugar_activation *activation, const sugar_data_type *type,
                                        const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *dy,
                                        CFI_cdesc_t *v, CFI_cdesc_t *ddy, CFI_cdesc_t *dx)
{
    struct array in, gradient, reached, first, second;
    int32_t status = view(&in, x, type);
    if (status == SUGAR_OK)
        status = repeated_view(&gradient, dy, &in);
    if (status == SUGAR_OK)
        status = repeated_view(&reached, v, &in);
    if (status == SUGAR_OK && ddy)
        status = view(&first, ddy, type);
    if (status == SUGAR_OK && dx)
        status = view(&second, dx, type);
    return status ? status
                  : sugar_backward_twice(activation, &in.tensor, &gradient.tensor, &reached.tensor,
                                         ddy ? &first.tensor : NULL, dx ? &second.tensor : NULL, options);
}

int32_t libsugar_fortran_observe(sugar_monitor *monitor, const sugar_data_type *type, const sugar_call_options *options,
                                 CFI_cdesc_t *x)
{
    struct array in;
    int32_t status = view(&in, x, type);
    return status ? status : sugar_monitor_observe(monitor, &in.tensor, options);
}
