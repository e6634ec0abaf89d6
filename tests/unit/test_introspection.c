/* What the library says about itself: kinds, parameters, levels, version, statuses. */
#include "unit.h"

#include <stdio.h>

static void version(void **unused)
{
    (void)unused;
    assert_int_equal(sugar_version(), SUGAR_VERSION_MAJOR * 10000 + SUGAR_VERSION_MINOR * 100 + SUGAR_VERSION_PATCH);
}

static void status_names(void **unused)
{
    (void)unused;
    assert_string_equal(sugar_status_name(SUGAR_OK), "SUGAR_OK");
    assert_string_equal(sugar_status_name(SUGAR_ERROR_ARGUMENT), "SUGAR_ERROR_ARGUMENT");
    assert_string_equal(sugar_status_name(SUGAR_ERROR_SPEC), "SUGAR_ERROR_SPEC");
    assert_string_equal(sugar_status_name(SUGAR_ERROR_UNSUPPORTED), "SUGAR_ERROR_UNSUPPORTED");
    assert_string_equal(sugar_status_name(SUGAR_ERROR_OUT_OF_MEMORY), "SUGAR_ERROR_OUT_OF_MEMORY");
    assert_string_equal(sugar_status_name(1), "unknown status");
    assert_string_equal(sugar_status_name(SUGAR_ERROR_OVERLAP), "SUGAR_ERROR_OVERLAP");
    assert_string_equal(sugar_status_name(SUGAR_ERROR_VALUE), "SUGAR_ERROR_VALUE");
    assert_string_equal(sugar_status_name(SUGAR_ERROR_DATA), "SUGAR_ERROR_DATA");
    assert_string_equal(sugar_status_name(-8), "unknown status");
    assert_string_equal(sugar_status_name(INT32_MIN), "unknown status");
}

/* The values that a compiled program or a binding holds. */
static void numbers_that_never_change(void **unused)
{
    (void)unused;
    assert_int_equal(SUGAR_OK, 0);
    assert_int_equal(SUGAR_ERROR_ARGUMENT, -1);
    assert_int_equal(SUGAR_ERROR_SPEC, -2);
    assert_int_equal(SUGAR_ERROR_UNSUPPORTED, -3);
    assert_int_equal(SUGAR_ERROR_OUT_OF_MEMORY, -4);
    assert_int_equal(SUGAR_ERROR_OVERLAP, -5);
    assert_int_equal(SUGAR_ERROR_VALUE, -6);
    assert_int_equal(SUGAR_ERROR_DATA, -7);
    assert_int_equal(SUGAR_DEVICE_CPU, 1);
    assert_int_equal(SUGAR_TYPE_FLOAT, 2);
    assert_int_equal(SUGAR_TYPE_BFLOAT, 4);
    assert_int_equal(SUGAR_MAX_DIMENSIONS, 64);
    assert_int_equal(SUGAR_CALL_ACCUMULATE, 1);
    assert_int_equal(SUGAR_CALL_NONTEMPORAL, 2);
    assert_int_equal(SUGAR_CALL_TEMPORAL, 4);
    assert_int_equal(SUGAR_ROLE_FORWARD, 1);
    assert_int_equal(SUGAR_ROLE_SURROGATE, 2);
}

/* A name, and an alias, make an activation of the kind with the same canonical spec. */
static void kinds(void **unused)
{
    (void)unused;
    int forward = 0, surrogate = 0;
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        assert_true(kind.name != NULL && kind.derivative != NULL && kind.source != NULL);
        assert_true(kind.roles != 0 && (kind.roles & ~(uint32_t)3) == 0);
        assert_int_equal(kind.value != NULL, (kind.roles & SUGAR_ROLE_FORWARD) != 0);
        assert_true(0 <= kind.parameter_count && kind.parameter_count <= 3);
        forward += (kind.roles & SUGAR_ROLE_FORWARD) != 0;
        surrogate += (kind.roles & SUGAR_ROLE_SURROGATE) != 0;
        if (kind.alias != NULL && kind.roles & SUGAR_ROLE_FORWARD) {
            sugar_activation *a = must_create(kind.name, NULL), *b = must_create(kind.alias, NULL);
            assert_string_equal(sugar_activation_spec(a), sugar_activation_spec(b));
            sugar_activation_destroy(a);
            sugar_activation_destroy(b);
        }
        for (int32_t k = 0; k < i; k++) {
            sugar_kind other = {.struct_size = sizeof other};
            assert_ok(sugar_kind_get(k, &other));
            assert_string_not_equal(kind.name, other.name);
        }
    }
    assert_true(forward >= 31 && surrogate >= 39);
}

static void parameters(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        for (int32_t k = 0; k < kind.parameter_count; k++) {
            sugar_parameter p = {.struct_size = sizeof p};
            char spec[128];
            assert_ok(sugar_kind_get_parameter(i, k, &p));
            assert_true(p.minimum <= p.default_value && p.default_value <= p.maximum);
            assert_string_not_equal(p.name, "domain");
            assert_string_not_equal(p.name, "blend");
            snprintf(spec, sizeof spec, "relu~%s", kind.name);
            sugar_activation *a = must_create(spec, NULL);
            snprintf(spec, sizeof spec, "%s=", p.name);
            const char *text = strstr(sugar_activation_spec(a), spec);
            while (text && text[-1] != '(' && text[-1] != ',')      /* the end of a longer name, as k is of leak */
                text = strstr(text + 1, spec);
            assert_non_null(text);
            assert_true(strtod(text + strlen(spec), NULL) == p.default_value);
            sugar_activation_destroy(a);
        }
    }
}

static void well_known_rows(void **unused)
{
    (void)unused;
    int found = 0;
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        sugar_parameter p = {.struct_size = sizeof p};
        assert_ok(sugar_kind_get(i, &kind));
        if (strcmp(kind.name, "bsilu") == 0) {
            assert_int_equal(kind.roles, SUGAR_ROLE_FORWARD | SUGAR_ROLE_SURROGATE);
            assert_ok(sugar_kind_get_parameter(i, 0, &p));
            assert_string_equal(p.name, "alpha");
            assert_true(p.default_value == 1.67);
            assert_non_null(strstr(kind.source, "2505.22074"));
            found++;
        } else if (strcmp(kind.name, "silu") == 0) {
            assert_string_equal(kind.alias, "swish");
            found++;
        } else if (strcmp(kind.name, "atan_spike") == 0) {
            assert_int_equal(kind.roles, SUGAR_ROLE_SURROGATE);
            found++;
        }
    }
    assert_int_equal(found, 3);
}

/* The capabilities of a kind that are in a mask. */
static void capabilities(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        uint64_t mask, expected;
    } rows[] = {
        {"prelu", SUGAR_CAN_LEARN | SUGAR_CAN_SAVE_BYTE | SUGAR_CAN_DRAW, SUGAR_CAN_LEARN | SUGAR_CAN_SAVE_BYTE},
        {"relu", SUGAR_CAN_LEARN | SUGAR_CAN_SAVE_BIT, SUGAR_CAN_SAVE_BIT},
        {"relu_squared", SUGAR_CAN_SAVE_BYTE | SUGAR_CAN_SAVE_BIT, 0},
        {"rrelu", SUGAR_CAN_DRAW | SUGAR_CAN_LEARN, SUGAR_CAN_DRAW},
        {"atan_spike", ~(uint64_t)0, SUGAR_CAN_SAVE_BYTE | SUGAR_CAN_DIFFERENTIATE_TWICE},
    };
    size_t found = 0;
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
            if (strcmp(kind.name, rows[k].name) == 0) {
                assert_int_equal(kind.capabilities & rows[k].mask, rows[k].expected);
                found++;
            }
    }
    assert_int_equal(found, sizeof rows / sizeof *rows);
}

static void levels(void **unused)
{
    (void)unused;
    int in_use = 0;
    unsetenv("SUGAR_LEVEL");
    sugar_activation *a = must_create("relu", NULL);
    for (int32_t i = 0; i < sugar_level_count(); i++) {
        sugar_level level = {.struct_size = sizeof level};
        assert_ok(sugar_level_get(i, &level));
        assert_true(level.in_use <= level.supported && level.supported <= level.compiled);
        if (level.in_use)
            assert_string_equal(level.name, sugar_activation_level(a));
        in_use += level.in_use;
        if (i == 0) {
            assert_string_equal(level.name, "scalar");
            assert_int_equal(level.supported, 1);
        }
    }
    assert_int_equal(in_use, 1);
    sugar_activation_destroy(a);
}

/* ---- Output structs of other sizes ------------------------------------------------------------ */

typedef struct newer_kind {
    sugar_kind known;
    unsigned char unknown[24];
} newer_kind;

static void smaller_and_larger_structs(void **unused)
{
    (void)unused;
    sugar_kind small;
    newer_kind large;
    memset(&small, 0xa5, sizeof small);
    small.struct_size = offsetof(sugar_kind, alias);
    assert_ok(sugar_kind_get(0, &small));
    assert_string_equal(small.name, "identity");
    assert_int_equal(small.struct_size, offsetof(sugar_kind, alias));
    for (size_t i = offsetof(sugar_kind, alias); i < sizeof small; i++)
        assert_int_equal(((unsigned char *)&small)[i], 0xa5);
    memset(&large, 0xa5, sizeof large);
    large.known.struct_size = sizeof large;
    assert_ok(sugar_kind_get(0, &large.known));
    assert_int_equal(large.known.struct_size, sizeof large);
    for (size_t i = 0; i < sizeof large.unknown; i++)
        assert_int_equal(large.unknown[i], 0);
}

static void bad_arguments(void **unused)
{
    (void)unused;
    int32_t kind_count = sugar_kind_count(), level_count = sugar_level_count();
    sugar_kind kind = {.struct_size = sizeof kind, .parameter_count = 77};
    sugar_parameter p = {.struct_size = sizeof p, .minimum = 77};
    sugar_level level = {.struct_size = sizeof level, .compiled = 77};
    static const int32_t far_out[] = {-1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < COUNT(far_out); i++) {
        assert_fails(sugar_kind_get(far_out[i], &kind), SUGAR_ERROR_ARGUMENT, "index");
        assert_fails(sugar_kind_get_parameter(far_out[i], 0, &p), SUGAR_ERROR_ARGUMENT, "index");
        assert_fails(sugar_kind_get_parameter(0, far_out[i], &p), SUGAR_ERROR_ARGUMENT, "parameter_index");
        assert_fails(sugar_level_get(far_out[i], &level), SUGAR_ERROR_ARGUMENT, "index");
    }
    assert_fails(sugar_kind_get(kind_count, &kind), SUGAR_ERROR_ARGUMENT, "index");
    assert_fails(sugar_kind_get_parameter(kind_count, 0, &p), SUGAR_ERROR_ARGUMENT, "index");
    assert_fails(sugar_kind_get_parameter(0, 0, &p), SUGAR_ERROR_ARGUMENT, "parameter_index");
    assert_fails(sugar_level_get(level_count, &level), SUGAR_ERROR_ARGUMENT, "index");
    assert_fails(sugar_kind_get(0, NULL), SUGAR_ERROR_ARGUMENT, "kind");
    assert_fails(sugar_level_get(0, NULL), SUGAR_ERROR_ARGUMENT, "level");
    for (int32_t i = 0; i < kind_count; i++) {
        assert_ok(sugar_kind_get(i, &kind));
        if (kind.parameter_count > 0)
            assert_fails(sugar_kind_get_parameter(i, 0, NULL), SUGAR_ERROR_ARGUMENT, "parameter");
    }
    kind.parameter_count = 77;
    for (size_t size = 0; size < sizeof(size_t); size++) {
        kind.struct_size = p.struct_size = level.struct_size = size;
        assert_fails(sugar_kind_get(0, &kind), SUGAR_ERROR_ARGUMENT, "struct_size");
        assert_fails(sugar_level_get(0, &level), SUGAR_ERROR_ARGUMENT, "struct_size");
        assert_true(sugar_kind_get_parameter(4, 0, &p) == SUGAR_ERROR_ARGUMENT);
    }
    assert_true(kind.parameter_count == 77 && p.minimum == 77 && level.compiled == 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version),       cmocka_unit_test(status_names), cmocka_unit_test(numbers_that_never_change),
        cmocka_unit_test(kinds),         cmocka_unit_test(parameters),   cmocka_unit_test(well_known_rows),
        cmocka_unit_test(capabilities),  cmocka_unit_test(levels),       cmocka_unit_test(smaller_and_larger_structs),
        cmocka_unit_test(bad_arguments),
    };
    return cmocka_run_group_tests_name("introspection", tests, NULL, NULL);
}
