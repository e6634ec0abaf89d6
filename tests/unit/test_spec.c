/* Specs: what parses, and to what; the canonical form; malformed specs, with the position and the
 * suggestion in the message. */
#include "unit.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>

static sugar_status create(const char *spec)
{
    sugar_activation *a = NULL;
    sugar_status status = sugar_activation_create(&a, spec);
    if ((a != NULL) != (status == SUGAR_OK))
        fail_msg("'%s': a handle on failure, or none on success", spec);
    sugar_activation_destroy(a);
    return status;
}

/* ---- Forms that parse ------------------------------------------------------------------------- */

static void canonical_forms(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {"relu", "relu"},
        {" \trelu ", "relu"},
        {"swish", "silu(beta=1)"},
        {"silu(beta=2)", "silu(beta=2)"},
        {"relu~bsilu", "relu~bsilu(alpha=1.67)"},
        {"relu ~ bsilu ( alpha\t= +1.670e0 ) ", "relu~bsilu(alpha=1.67)"},
        {"hardtanh(max_val=2)", "hardtanh(min_val=-1,max_val=2)"},
        {"hardtanh(max_val=2,min_val=-0.5)", "hardtanh(min_val=-0.5,max_val=2)"},
        {"relu~relu(domain=all,blend=1)", "relu~relu"},
        {"relu~relu(domain=negative)", "relu~relu(domain=negative)"},
        {"relu~elu(blend=0.5,domain=negative,alpha=2)", "relu~elu(alpha=2,domain=negative,blend=0.5)"},
        {"relu~swish(blend=0)", "relu~silu(beta=1,blend=0)"},
        {"heaviside(threshold=1)~atan_spike", "heaviside(threshold=1,zero=0)~atan_spike(alpha=2)"},
        {"leaky_relu(negative_slope=1000000)", NULL},
        {"threshold(threshold=1e30,value=-1E+30)", NULL},
        {"elu(alpha=0.1)", "elu(alpha=0.1)"},
        {"elu(alpha=0.30000000000000004)", "elu(alpha=0.30000000000000004)"},
        {"elu(alpha=0.33333333333333333333333333333333333333)", "elu(alpha=0.3333333333333333)"},
        {"elu(alpha=00012.50)", "elu(alpha=12.5)"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        sugar_activation *a = must_create(cases[i][0], NULL);
        char *canonical = strdup(sugar_activation_spec(a));
        if (cases[i][1] != NULL)
            assert_string_equal(canonical, cases[i][1]);
        sugar_activation *again = must_create(canonical, NULL);
        assert_string_equal(sugar_activation_spec(again), canonical);
        free(canonical);
        sugar_activation_destroy(again);
        sugar_activation_destroy(a);
    }
}

/* Without leading and trailing zeros. */
static int significant_digits(const char *number)
{
    int digits = 0, zeros = 0;
    for (const char *c = number; *c != '\0' && strchr("-.0123456789", *c) != NULL; c++) {
        if (*c == '0')
            zeros += digits > 0;
        if (*c >= '1' && *c <= '9') {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    return digits;
}

/* Random parameters: the canonical spec reads back as the same double, and has no more digits than that needs. */
static void parameters_round_trip(void **unused)
{
    (void)unused;
    uint64_t state = 6;
    for (int i = 0; i < (short_run() ? 100 : 5000); i++) {
        char spec[80], shortest[40];
        int digits = (int)random_between(&state, 1, 17), needed = 1;
        double magnitude = pow(10, (double)random_between(&state, -20, 5));
        double given = ((double)(random_bits(&state) >> 11) * 0x1p-52 - 1) * magnitude;
        snprintf(spec, sizeof spec, "elu(alpha=%.*e)", digits - 1, given);
        given = strtod(spec + strlen("elu(alpha="), NULL);
        sugar_activation *a = must_create(spec, NULL);
        const char *value = sugar_activation_spec(a) + strlen("elu(alpha=");
        if (strtod(value, NULL) != given)
            fail_msg("%s came back as %s", spec, sugar_activation_spec(a));
        do
            snprintf(shortest, sizeof shortest, "%.*e", needed - 1, given);
        while (strtod(shortest, NULL) != given && needed++ < 17);
        if (significant_digits(value) > needed)
            fail_msg("%s: %s has more than %d digits", spec, sugar_activation_spec(a), needed);
        sugar_activation_destroy(a);
    }
}

/* Any forward kind with any surrogate, with every option, and back through the canonical form. */
static void every_pair(void **unused)
{
    (void)unused;
    static const char *const options[] = {"", "(domain=negative)", "(blend=0.25)", "(blend=0,domain=negative)"};
    int pairs = 0;
    for (int32_t f = 0; f < sugar_kind_count(); f++)
        for (int32_t s = 0; s < sugar_kind_count(); s++) {
            sugar_kind forward = {.struct_size = sizeof forward}, surrogate = {.struct_size = sizeof surrogate};
            assert_ok(sugar_kind_get(f, &forward));
            assert_ok(sugar_kind_get(s, &surrogate));
            if (!(forward.roles & SUGAR_ROLE_FORWARD) || !(surrogate.roles & SUGAR_ROLE_SURROGATE))
                continue;
            char spec[160];
            snprintf(spec, sizeof spec, "%s~%s%s", forward.name, surrogate.name, options[pairs++ % 4]);
            sugar_activation *a = must_create(spec, NULL);
            sugar_activation *again = must_create(sugar_activation_spec(a), NULL);
            assert_string_equal(sugar_activation_spec(a), sugar_activation_spec(again));
            sugar_activation_destroy(again);
            sugar_activation_destroy(a);
        }
    assert_true(pairs >= 31 * 31);
}

/* ---- Forms that do not ------------------------------------------------------------------------ */

static const struct malformed {
    const char *spec;
    int position;
    const char *part;       /* of the message */
} malformed_specs[] = {
    {"", 0, "end"},
    {"   ", 3, "end"},
    {"~", 0, "~"},
    {"~relu", 0, "~"},
    {"relu~", 5, "end"},
    {"relu~~relu", 5, "~"},
    {"relu~relu~relu", 9, "~"},
    {"relux", 0, "relu"},
    {"rleu", 0, "'relu'"},
    {"ReLU", 0, "'relu'"},
    {"bsliu", 0, "'bsilu'"},
    {"relu~bsliu", 5, "'bsilu'"},
    {"relu ~ swihs", 7, "'swish'"},
    {"1relu", 0, "1"},
    {"relu relu", 5, "r"},
    {"relu)", 4, ")"},
    {"relu;", 4, ";"},
    {"r\xc3\xa9lu", 0, "'relu'"},
    {"relu\n", 4, ""},
    {"atan_spike", 0, "atan_spike"},             /* a surrogate only */
    {"box_spike~relu", 0, "box_spike"},
    {"relu(", 5, "end"},
    {"relu()", 5, ")"},
    {"relu(alpha=1)", 5, "alpha"},              /* relu has no parameter */
    {"relu(blend=0.5)", 5, "blend"},            /* options belong to surrogates */
    {"elu(domain=negative)", 4, "domain"},
    {"elu(", 4, "end"},
    {"elu(alpha", 9, "end"},
    {"elu(alpha=", 10, "end"},
    {"elu(alpha=1", 11, "end"},
    {"elu(alpha=1))", 12, ")"},
    {"elu(alpha 1)", 10, "1"},
    {"elu(alpha==1)", 10, "="},
    {"elu(=1)", 4, "="},
    {"elu(alpha=1,)", 12, ")"},
    {"elu(,alpha=1)", 4, ","},
    {"elu(alpha=1;)", 11, ";"},
    {"elu(alpha=1 2)", 12, "2"},
    {"elu(aplha=1)", 4, "'alpha'"},
    {"elu(alpha=1,alpha=1)", 12, "alpha"},      /* twice */
    {"relu~relu(blend=1,blend=1)", 18, "blend"},
    {"relu~relu(domain=all,domain=all)", 21, "domain"},
    {"elu(alpha=one)", 10, "o"},
    {"elu(alpha=0x10)", 11, "x"},
    {"elu(alpha=inf)", 10, "i"},
    {"elu(alpha=nan)", 10, "n"},
    {"elu(alpha=-)", 11, ")"},
    {"elu(alpha=--1)", 11, "-"},
    {"elu(alpha=1e)", 12, ")"},
    {"elu(alpha=1e+)", 13, ")"},
    {"elu(alpha=1.5.2)", 13, "."},
    {"elu(alpha=.5)", 10, "."},                 /* digits on both sides of the point */
    {"elu(alpha=1.)", 12, ")"},
    {"elu(alpha=1,5)", 12, "5"},                /* a decimal comma */
    {"elu(alpha=1f)", 11, "f"},
    {"elu(alpha=1e400)", 10, "1e400"},
    {"elu(alpha=1000001)", 10, "1000001"},
    {"elu(alpha=-1000001)", 10, "-1000001"},
    {"silu(beta=0)", 10, "0"},
    {"silu(beta=-1)", 10, "-1"},
    {"silu(beta=1e-7)", 10, "1e-7"},
    {"relu~relu(blend=1.5)", 16, "1.5"},
    {"relu~relu(blend=-0.1)", 16, "-0.1"},
    {"relu~relu(blend=all)", 16, "a"},
    {"relu~relu(domain=positive)", 17, "positive"},
    {"relu~relu(domain=)", 17, ""},
    {"relu~relu(domain=1)", 17, ""},
    {"relu~relu(doman=all)", 10, "'domain'"},
    {"rrelu(lower=0.5,upper=0.25)", 6, "lower"},
    {"rrelu(lower=0.5)", 6, "lower"},
    {"hardtanh(max_val=-2)", 9, "max_val"},
};

static void malformed(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(malformed_specs); i++) {
        const struct malformed *m = &malformed_specs[i];
        char position[40];
        snprintf(position, sizeof position, "position %d:", m->position);
        if (create(m->spec) == SUGAR_OK)
            fail_msg("'%s' was accepted", m->spec);
        assert_fails(create(m->spec), SUGAR_ERROR_SPEC, "spec");
        assert_fails(create(m->spec), SUGAR_ERROR_SPEC, position);
        assert_fails(create(m->spec), SUGAR_ERROR_SPEC, m->part);
    }
}

/* ---- Pointer and length ----------------------------------------------------------------------- */

static void length_ends_the_spec(void **unused)
{
    (void)unused;
    sugar_activation *a = NULL;
    assert_ok(sugar_activation_create_with_options(&a, "relu~bsilu", 4, NULL));
    assert_string_equal(sugar_activation_spec(a), "relu");
    sugar_activation_destroy(a);
    a = NULL;
    assert_fails(sugar_activation_create_with_options(&a, "relu\0relu", 9, NULL), SUGAR_ERROR_SPEC, "position 4");
    assert_fails(sugar_activation_create_with_options(&a, "relu", 5, NULL), SUGAR_ERROR_SPEC, "position 4");
    assert_fails(sugar_activation_create_with_options(&a, "relu", 0, NULL), SUGAR_ERROR_SPEC, "position 0");
    assert_null(a);
}

/* Random changes to specs, right before an inaccessible page: each gives a handle or an error, and none reads
 * beyond. */
static void spoiled_specs(void **unused)
{
    (void)unused;
    static const char good[] = "hardtanh(min_val=-1.5e-1, max_val=2)~multi_gaussian_spike(sigma=0.5,s=6,blend=0.5)";
    static const char letters[] = "~()=,.+-eE0159 \t\n\"\x80\xff"
                                  "abdlnru_";
    uint64_t state = 8;
    int still_good = 0;
    guarded page = guarded_make(1);
    assert_ok(create(good));
    for (int i = 0; i < (short_run() ? 300 : 30000); i++) {
        size_t length = strlen(good);
        if (random_between(&state, 0, 1) == 0)
            length = (size_t)random_between(&state, 0, (int64_t)length);
        char *spec = (char *)page.start + page.size - length;
        memcpy(spec, good, length);
        for (int64_t k = random_between(&state, 0, 3); k > 0 && length > 0; k--)
            spec[random_bits(&state) % length] = letters[random_bits(&state) % COUNT(letters)];
        sugar_activation *a = NULL;
        sugar_status status = sugar_activation_create_with_options(&a, spec, length, NULL);
        if (status == SUGAR_OK) {
            assert_ok(create(sugar_activation_spec(a)));
            sugar_activation_destroy(a);
            still_good += length == strlen(good);
        } else {
            assert_null(a);
            assert_fails(status, SUGAR_ERROR_SPEC, "position");
        }
    }
    assert_true(still_good > 0);
    guarded_free(page);
}

/* Whatever the spec, its message is one line of bounded length. */
static void messages_stay_short(void **unused)
{
    (void)unused;
    size_t length = 1 << 20;
    char *spec = malloc(length);
    sugar_activation *a = NULL;
    assert_non_null(spec);
    memset(spec, 'x', length);
    for (size_t n = 1; n <= length; n *= 4) {
        assert_fails(sugar_activation_create_with_options(&a, spec, n, NULL), SUGAR_ERROR_SPEC, "spec");
        const size_t written = strlen(sugar_last_error());
        assert_true(1 <= written && written <= 500);
    }
    memset(spec, '\r', length);
    assert_fails(sugar_activation_create_with_options(&a, spec, 100, NULL), SUGAR_ERROR_SPEC, "position 0");
    free(spec);
}

/* ---- Locales ---------------------------------------------------------------------------------- */

static void decimal_comma_changes_nothing(void **unused)
{
    (void)unused;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        printf("skipped: specs in a locale with a decimal comma: de_DE.UTF-8 is not in LOCPATH\n");
        skip();
    }
    char text[8];
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0,5");
    sugar_activation *a = must_create("relu~bsilu(alpha=1.25,blend=0.5)", NULL);
    assert_string_equal(sugar_activation_spec(a), "relu~bsilu(alpha=1.25,blend=0.5)");
    sugar_activation_destroy(a);
    assert_fails(create("elu(alpha=1,5)"), SUGAR_ERROR_SPEC, "position 12:");
    assert_fails(create("silu(beta=0.00000001)"), SUGAR_ERROR_SPEC, "position 10:");
    assert_null(strstr(sugar_last_error(), "0,"));
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0,5");       /* the caller's locale is as it was */
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_forms),      cmocka_unit_test(parameters_round_trip),
        cmocka_unit_test(every_pair),           cmocka_unit_test(malformed),
        cmocka_unit_test(length_ends_the_spec), cmocka_unit_test(spoiled_specs),
        cmocka_unit_test(messages_stay_short),  cmocka_unit_test(decimal_comma_changes_nothing),
    };
    return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
