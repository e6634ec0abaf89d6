/* A result that is 0 has the same sign in every element type, and at every level: what x = 0 and x = -0 give, in
 * forward, and in backward with dy = 1. */
#include "unit.h"

#include <math.h>
#include <stdio.h>

/* The kind as the forward function, or as the surrogate of one. */
static sugar_activation *make(int32_t index, const char *level)
{
    char spec[80];
    sugar_kind kind = {.struct_size = sizeof kind};
    assert_ok(sugar_kind_get(index, &kind));
    snprintf(spec, sizeof spec, "%s%s", kind.roles & SUGAR_ROLE_FORWARD ? "" : "heaviside~", kind.name);
    return must_create(spec, level);
}

typedef struct results {
    double forward, backward;
} results;

static results compute(const sugar_activation *a, element_type type, double at)
{
    _Alignas(8) unsigned char x[8], one[8], y[8], dx[8];
    element_store(x, 0, type, element_of(at, type));
    element_store(one, 0, type, element_of(1, type));
    assert_ok(flat_forward(a, type, 1, x, 1, y, 1, NULL));
    assert_ok(flat_backward(a, type, 1, x, 1, one, 1, dx, 1, NULL));
    return (results){element_value(element_load(y, 0, type), type), element_value(element_load(dx, 0, type), type)};
}

static void assert_same_zero(double expected, double found, const sugar_activation *a, element_type type,
                             const char *what)
{
    if (expected == 0 && !element_same(element_of(found, ELEMENT_F64), element_of(expected, ELEMENT_F64), ELEMENT_F64))
        fail_msg("%s, level %s, %s, %s: %g, expected %g as in f32", sugar_activation_spec(a), sugar_activation_level(a),
                 element_formats[type].name, what, found, expected);
}

static void zeros_have_the_same_sign(void **unused)
{
    (void)unused;
    static const double zeros[] = {0, -0.0};
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    for (int32_t kind = 0; kind < sugar_kind_count(); kind++)
        for (size_t z = 0; z < COUNT(zeros); z++) {
            sugar_activation *first = make(kind, levels[0]);
            const results expected = compute(first, ELEMENT_F32, zeros[z]);
            for (int level = 0; level < count; level++) {
                sugar_activation *a = make(kind, levels[level]);
                for (int type = 0; type < ELEMENT_TYPES; type++) {
                    const results found = compute(a, type, zeros[z]);
                    const char *at = signbit(zeros[z]) ? "at -0" : "at 0";
                    assert_same_zero(expected.forward, found.forward, a, type, at);
                    assert_same_zero(expected.backward, found.backward, a, type, at);
                }
                sugar_activation_destroy(a);
            }
            sugar_activation_destroy(first);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(zeros_have_the_same_sign)};
    return cmocka_run_group_tests_name("zeros", tests, NULL, NULL);
}
