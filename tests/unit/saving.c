/* What tests of saved gradients share: specs, the bounds of g', and calls that write and read what is saved. */
#include "saving.h"

#include <math.h>
#include <stdio.h>

/* ---- Specs --------------------------------------------------------------------------------- */

/* A number within a parameter's range: the default, or any f32. */
static double draw_parameter(const sugar_parameter *row, int set, uint64_t *state)
{
    if (set == 0)
        return row->default_value;
    const double largest = fmax(fabs(row->minimum), fabs(row->maximum));
    const double smallest = row->minimum > 0 ? row->minimum : fmin(1e-3, largest);
    const double share = (double)random_between(state, 0, 1000) / 1000;
    const double a = smallest * pow(fmin(largest, 1e6) / smallest, share);
    const int negative = row->minimum < 0 && random_between(state, 0, 1);
    return fmin(fmax((double)(float)(negative ? -a : a), row->minimum), row->maximum);
}

spec_text make_spec(const char *before, int32_t kind, int set, const char *options, uint64_t *state)
{
    sugar_kind row = {.struct_size = sizeof row};
    assert_ok(sugar_kind_get(kind, &row));
    spec_text spec;
    int length = snprintf(spec.text, sizeof spec.text, "%s%s(", before, row.name);
    double values[8];
    sugar_parameter parameter[8];
    for (int i = 0; i < row.parameter_count; i++) {
        parameter[i].struct_size = sizeof parameter[i];
        assert_ok(sugar_kind_get_parameter(kind, i, &parameter[i]));
        values[i] = draw_parameter(&parameter[i], set, state);
    }
    for (int i = 0; i < row.parameter_count; i++)
        if (parameter[i].not_above >= 0 && values[i] > values[parameter[i].not_above])
            values[parameter[i].not_above] = values[i] + 1;
    for (int i = 0; i < row.parameter_count; i++)
        length += snprintf(spec.text + length, sizeof spec.text - (size_t)length, "%s%s=%.17g", i ? "," : "",
                           parameter[i].name, values[i]);
    snprintf(spec.text + length, sizeof spec.text - (size_t)length, "%s%s)", row.parameter_count && *options ? "," : "",
             options);
    char *empty = strstr(spec.text, "()");
    if (empty)
        *empty = '\0';
    return spec;
}

/* ---- The range ----------------------------------------------------------------------------- */

void find_range(const sugar_activation *a, double *minimum, double *maximum)
{
    sugar_activation_info info = {.struct_size = sizeof info};
    assert_ok(sugar_activation_get_info(a, &info));
    *minimum = info.gradient_minimum;
    *maximum = info.gradient_maximum;
}

bool has_range(const char *spec)
{
    double minimum, maximum;
    sugar_activation *a = must_create(spec, NULL);
    find_range(a, &minimum, &maximum);
    sugar_activation_destroy(a);
    return maximum - minimum < (double)INFINITY;
}

/* ---- Calls --------------------------------------------------------------------------------- */

sugar_tensor saved_like(const view *elements, void *data, int bits, const int64_t *strides)
{
    sugar_tensor saved = elements->tensor;
    saved.data = data;
    saved.byte_offset = 0;
    saved.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, (uint8_t)bits, 1};
    saved.strides = strides;
    return saved;
}

sugar_call_options options_with(const sugar_tensor *saved, uint64_t flags, const sugar_context *context)
{
    return (sugar_call_options){
        .struct_size = sizeof(sugar_call_options), .flags = flags, .context = context, .saved_gradient = saved};
}

vectors v, w;

void fill(vectors *a, element_type type, uint64_t *state)
{
    memset(a, 0, sizeof *a);
    a->type = type;
    a->n = N;
    for (int64_t i = 0; i < N; i++) {
        const bool is_dense = i >= N / 3;
        element_store(a->x, i, type,
                      is_dense ? element_of((double)(i - 2 * N / 3) * 0x1p-6, type) : random_element(state, type));
        element_store(a->dy, i, type, element_of((double)random_between(state, -4000, 4000) * 0x1p-9, type));
        element_store(a->ones, i, type, element_of(1, type));
    }
}

sugar_tensor flat_saved(vectors *a, int bits)
{
    return (sugar_tensor){.data = a->codes,
                          .device = {SUGAR_DEVICE_CPU, 0},
                          .ndim = 1,
                          .shape = &a->n,
                          .dtype = {SUGAR_TYPE_UNSIGNED, (uint8_t)bits, 1}};
}

void save(const sugar_activation *activation, vectors *a, int bits)
{
    const sugar_tensor saved = flat_saved(a, bits);
    const sugar_call_options options = options_with(&saved, 0, NULL);
    assert_ok(flat_forward(activation, a->type, N, a->x, 1, a->y, 1, &options));
}

void restore(const sugar_activation *activation, vectors *a, int bits, const void *dy, uint64_t flags)
{
    const sugar_tensor saved = flat_saved(a, bits);
    const sugar_call_options options = options_with(&saved, flags, NULL);
    assert_ok(flat_backward(activation, a->type, N, NULL, 1, dy, 1, a->dx, 1, &options));
}
