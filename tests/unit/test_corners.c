/* Parameters at the ends of their ranges, and x of every size: no value and no derivative is NaN. */
#include "unit.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

enum { MOST = 2 * 2200 + 2 };

/* Both zeros, powers of 2 with both signs, and infinities, where the element type has them. */
static int64_t fill(unsigned char *x, element_type type)
{
    int64_t count = 0;
    element_store(x, count++, type, element_of(0, type));
    element_store(x, count++, type, element_of(-0.0, type));
    for (int exponent = -1074; exponent <= 1024; exponent++) {
        const double power = ldexp(1, exponent);
        if (element_value(element_of(power, type), type) != power)
            continue;
        element_store(x, count++, type, element_of(power, type));
        element_store(x, count++, type, element_of(-power, type));
    }
    return count;
}

static void assert_no_nan(const sugar_activation *a, element_type type, const unsigned char *x,
                          const unsigned char *found, int64_t n, const char *what)
{
    for (int64_t i = 0; i < n; i++)
        if (element_is_nan(element_load(found, i, type), type))
            fail_msg("%s, %s: %s at %g is NaN", sugar_activation_spec(a), element_formats[type].name, what,
                     element_value(element_load(x, i, type), type));
}

static void look_at(const sugar_activation *a, element_type type)
{
    static _Alignas(8) unsigned char x[MOST * 8], found[MOST * 8];
    _Alignas(8) unsigned char one[8];
    const int64_t n = fill(x, type), repeated = 0;
    element_store(one, 0, type, element_of(1, type));
    assert_ok(flat_forward(a, type, n, x, 1, found, 1, NULL));
    assert_no_nan(a, type, x, found, n, "the value");
    assert_ok(flat_backward(a, type, n, x, 1, one, 0, found, 1, NULL));
    assert_no_nan(a, type, x, found, n, "the derivative");
    const sugar_tensor at = {
        .data = x, .device = {SUGAR_DEVICE_CPU, 0}, .ndim = 1, .dtype = element_formats[type].dtype, .shape = &n};
    sugar_tensor dy = at, dx = at;
    dy.data = one;
    dy.strides = &repeated;
    dx.data = found;
    assert_ok(sugar_backward_twice(a, &at, &dy, &dy, NULL, &dx, NULL));
    assert_no_nan(a, type, x, found, n, "the second derivative");
}

/* The kind with its parameters at their ends: bit i of `corner` says which one of parameter i. False: such parameters
 * exclude each other. */
static bool write_spec(char *spec, size_t size, int32_t index, const sugar_kind *kind, unsigned corner)
{
    double values[8];
    int length = snprintf(spec, size, "%s%s", kind->roles & SUGAR_ROLE_FORWARD ? "" : "heaviside~", kind->name);
    for (int32_t i = 0; i < kind->parameter_count; i++) {
        sugar_parameter p = {.struct_size = sizeof p};
        assert_ok(sugar_kind_get_parameter(index, i, &p));
        values[i] = corner >> i & 1 ? p.maximum : p.minimum;
        length += snprintf(spec + length, size - (size_t)length, "%c%s=%.17g", i ? ',' : '(', p.name, values[i]);
    }
    if (kind->parameter_count > 0)
        snprintf(spec + length, size - (size_t)length, ")");
    for (int32_t i = 0; i < kind->parameter_count; i++) {
        sugar_parameter p = {.struct_size = sizeof p};
        assert_ok(sugar_kind_get_parameter(index, i, &p));
        if (p.not_above >= 0 && values[i] > values[p.not_above])
            return false;
    }
    return true;
}

static void nothing_is_nan(void **unused)
{
    (void)unused;
    for (int32_t index = 0; index < sugar_kind_count(); index++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(index, &kind));
        for (unsigned corner = 0; corner < 1u << kind.parameter_count; corner++) {
            char spec[256];
            sugar_activation *a;
            if (!write_spec(spec, sizeof spec, index, &kind, corner))
                continue;
            assert_ok(create_any(&a, spec, NULL));
            for (int type = 0; type < ELEMENT_TYPES; type++)
                look_at(a, type);
            sugar_activation_destroy(a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_nan)};
    return cmocka_run_group_tests_name("corners", tests, NULL, NULL);
}
