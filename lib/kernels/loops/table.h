/* The loops of the kind `table`, whose formulas take a table in place of parameters; and the kernels made of them. */
#ifndef SUGAR_KERNELS_LOOPS_TABLE_H
#define SUGAR_KERNELS_LOOPS_TABLE_H

#include "kernels/kinds/table.h"
#include "kernels/loops/plain.h"

ALWAYS_INLINE const sugar_table *table_of(const void *parameters)
{
    return ((const sugar_parameters *)parameters)->table;
}

KERNEL table_forward(const void *parameters, const void *x_elements, void *y_elements, size_t n, int stream)
{
    const element *x = x_elements;
    element *y = y_elements;
    for (size_t i = 0; i < n; i += VEC_LANES)
        put_some(y + i, table_value(load_some(x + i, n - i), table_of(parameters)), n - i, stream);
    end_stream_of(stream);
}

KERNEL table_backward(const void *parameters, const void *x_elements, const void *dy_elements, void *dx_elements,
                      size_t n, int stream)
{
    const element *x = x_elements, *dy = dy_elements;
    element *dx = dx_elements;
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec d = table_derivative(load_some(x + i, n - i), table_of(parameters));
        put_some(dx + i, load_some(dy + i, n - i) * d, n - i, stream);
    }
    end_stream_of(stream);
}

ALWAYS_INLINE void table_loop(vec (*function)(vec, const sugar_table *), const void *parameters, const element *x,
                              real *d, size_t n)
{
    for (size_t i = 0; i < n; i += VEC_LANES)
        put_some_reals(d + i, function(load_some(x + i, n - i), table_of(parameters)), n - i);
}

KERNEL table_derivatives(const void *parameters, const void *x, void *d, size_t n)
{
    table_loop(table_derivative, parameters, x, d, n);
}

KERNEL table_seconds(const void *parameters, const void *x, void *d, size_t n)
{
    table_loop(table_second, parameters, x, d, n);
}

#endif
