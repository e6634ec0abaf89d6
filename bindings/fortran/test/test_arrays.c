/* Descriptors that gfortran does not make, for it copies members of an array of a derived type, but others do. */
#include <ISO_Fortran_binding.h>
#include <stdint.h>
#include <stdio.h>
#include <sugar/sugar.h>

int32_t libsugar_fortran_forward(const sugar_activation *activation, const sugar_data_type *type,
                                 const sugar_call_options *options, CFI_cdesc_t *x, CFI_cdesc_t *y,
                                 CFI_cdesc_t *parameter, CFI_cdesc_t *saved_gradient, CFI_cdesc_t *saved_bits,
                                 CFI_cdesc_t *bias, CFI_cdesc_t *gate);

/* What a call in place on so many floats, `bytes` apart, gives. */
static int32_t forward(sugar_activation *activation, void *data, CFI_index_t count, CFI_index_t bytes)
{
    const sugar_data_type type = {SUGAR_TYPE_FLOAT, 32, 1};
    const sugar_call_options options = {.struct_size = sizeof options};
    CFI_CDESC_T(1) x = {.base_addr = data,
                        .elem_len = 4,
                        .version = CFI_VERSION,
                        .rank = 1,
                        .type = CFI_type_float,
                        .dim = {{0, count, bytes}}};
    return libsugar_fortran_forward(activation, &type, &options, (CFI_cdesc_t *)&x, (CFI_cdesc_t *)&x, NULL, NULL, NULL,
                                    NULL, NULL);
}

int main(void)
{
    sugar_activation *activation;
    float data[4] = {-1, -2, -3, -4};
    if (sugar_activation_create(&activation, "relu") != SUGAR_OK)
        return 1;
    const int32_t apart = forward(activation, data, 2, 12), odd = forward(activation, data + 1, 2, 5);
    const int32_t none = forward(activation, NULL, 0, 5), nowhere = forward(activation, (char *)data + 1, 0, 0);
    printf("12 bytes apart: %d; 5 bytes: %d; without elements: %d, %d\n", apart, odd, none, nowhere);
    sugar_activation_destroy(activation);
    return apart != 0 || odd != 1 || none != 0 || nowhere != 0 || data[0] != 0 || data[1] != -2 || data[3] != 0;
}
