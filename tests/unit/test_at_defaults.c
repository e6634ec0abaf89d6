/* Kinds with kernels of their own for the defaults of their parameters: these are chosen there, and give what the
 * general kernels give. */
#include "unit.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "activation/activation.h"

enum { N = 65536, BELOW = 0, AT = 1, ABOVE = 2 };

/* Each is another leading half-word: all of them, or every 16th. */
static int64_t input_count(void) { return short_run() ? N / 16 : N; }

/* How far apart two results may be that are both as good as promised: two in f32, four in f64, one rounding in narrow
 * types, each on either side. */
static const int64_t steps[ELEMENT_TYPES] = {
    [ELEMENT_F32] = 4, [ELEMENT_F64] = 8, [ELEMENT_F16] = 1, [ELEMENT_BF16] = 1};

static const struct {
    const char *name;
    int32_t kind;
} faster[] = {
#define AT_DEFAULTS(name) {#name, SUGAR_KIND_##name},
#include "kernels/kinds/kinds.def"
};

/* The kind with its parameter a unit in the last place of a double below or above the default, or at it. In all types
 * but f64 the three round to the same. */
static sugar_activation *make(size_t kind, int where, const char *level)
{
    char spec[80];
    sugar_parameter p = {.struct_size = sizeof p};
    assert_ok(sugar_kind_get_parameter(faster[kind].kind, 0, &p));
    const double towards = where == BELOW ? p.minimum : where == ABOVE ? p.maximum : p.default_value;
    snprintf(spec, sizeof spec, "%s(%s=%.17g)", faster[kind].name, p.name, nextafter(p.default_value, towards));
    return must_create(spec, level);
}

static void assert_chosen(const sugar_activation *a, int32_t kind, bool at_defaults)
{
    for (int element = 0; element < SUGAR_ELEMENT_COUNT; element++) {
        const sugar_passes *passes = &a->passes[element];
        const sugar_kernels *k = a->level->kernels[element];
        assert_true(k->forward_at_defaults[kind] && k->forward_at_defaults[kind] != k->forward[kind]);
        assert_true(passes->forward == (at_defaults ? k->forward_at_defaults : k->forward)[kind]);
        assert_true(passes->backward == (at_defaults ? k->backward_at_defaults : k->backward)[kind]);
        assert_true(passes->surrogate_derivative == (at_defaults ? k->derivative_at_defaults : k->derivative)[kind]);
    }
}

static void they_are_chosen(void **unused)
{
    (void)unused;
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    for (int level = 0; level < count; level++)
        for (size_t kind = 0; kind < COUNT(faster); kind++) {
            sugar_activation *left_out = must_create(faster[kind].name, levels[level]);
            assert_chosen(left_out, faster[kind].kind, true);
            sugar_activation_destroy(left_out);
            for (int where = BELOW; where <= ABOVE; where++) {
                sugar_activation *a = make(kind, where, levels[level]);
                assert_chosen(a, faster[kind].kind, where == AT);
                sugar_activation_destroy(a);
            }
        }
}

/* Neighbours differ by 1; both zeros are 0. */
static int64_t order(uint64_t bits, element_type type)
{
    const uint64_t sign = (uint64_t)1 << (8 * element_formats[type].width - 1);
    return bits & sign ? -(int64_t)(bits & ~sign) : (int64_t)bits;
}

/* Where a derivative changes sign, between -4 and 0 in these kinds, its error is bounded as a number, not in units of
 * the last place (doc/numbers.md); this is for two results, and magnitudes up to 2. */
static bool is_close(double a, double b, double x, element_type type)
{
    const double most = type == ELEMENT_F64 ? 0x1p-50 : 0x1p-22;
    return x > -4 && x < 0 && fabs(a) < 0.0625 && fabs(a - b) <= most;
}

static bool has_negative(const unsigned char *results, element_type type)
{
    bool has = false;
    for (int64_t i = 0; i < input_count(); i++)
        has |= element_value(element_load(results, i, type), type) < 0;
    return has;
}

/* A result at the default lies between those beside it, up to the errors of all. So what the parameter itself changes
 * needs no formula here. */
static void assert_between(unsigned char results[3][N * 8], const unsigned char *x, element_type type,
                           bool changes_sign, const char *what)
{
    for (int64_t i = 0; i < input_count(); i++) {
        uint64_t bits[3];
        for (int where = BELOW; where <= ABOVE; where++)
            bits[where] = element_load(results[where], i, type);
        if (element_is_nan(bits[BELOW], type) && element_same(bits[BELOW], bits[AT], type))
            continue;
        const int64_t below = order(bits[BELOW], type), at = order(bits[AT], type), above = order(bits[ABOVE], type);
        const int64_t least = below < above ? below : above, most = below < above ? above : below;
        if (changes_sign
            && is_close(element_value(bits[AT], type), element_value(bits[BELOW], type),
                        element_value(element_load(x, i, type), type), type))
            continue;
        if (element_is_nan(bits[AT], type) || at < least - steps[type] || at > most + steps[type])
            fail_msg("%s, %s, x %a: %a at the default, %a and %a beside it", what, element_formats[type].name,
                     element_value(element_load(x, i, type), type), element_value(bits[AT], type),
                     element_value(bits[BELOW], type), element_value(bits[ABOVE], type));
    }
}

/* Half-words with any bits behind them: in a narrow type elements as they are. */
static void fill(unsigned char *x, element_type type)
{
    uint64_t state = 3;
    const int rest = 8 * (int)element_formats[type].width - 16;
    for (int64_t i = 0; i < input_count(); i++)
        element_store(x, i, type,
                      (uint64_t)(i * (N / input_count())) << rest
                          | (random_bits(&state) & (((uint64_t)1 << rest) - 1)));
}

static void compare(size_t kind, const char *level, element_type type)
{
    static _Alignas(8) unsigned char x[N * 8], y[3][N * 8], dx[3][N * 8];
    _Alignas(8) unsigned char one[8];
    char what[80];
    fill(x, type);
    element_store(one, 0, type, element_of(1, type));
    for (int where = BELOW; where <= ABOVE; where++) {
        sugar_activation *a = make(kind, where, level);
        assert_ok(flat_forward(a, type, input_count(), x, 1, y[where], 1, NULL));
        assert_ok(flat_backward(a, type, input_count(), x, 1, one, 0, dx[where], 1, NULL));
        sugar_activation_destroy(a);
    }
    snprintf(what, sizeof what, "%s, %s, forward", faster[kind].name, level);
    assert_between(y, x, type, false, what);
    snprintf(what, sizeof what, "%s, %s, backward", faster[kind].name, level);
    assert_between(dx, x, type, has_negative(dx[AT], type), what);
}

static void they_agree(void **unused)
{
    (void)unused;
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    for (int level = 0; level < count; level++)
        for (size_t kind = 0; kind < COUNT(faster); kind++)
            for (element_type type = 0; type < ELEMENT_TYPES; type++)
                compare(kind, levels[level], type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_chosen),
        cmocka_unit_test(they_agree),
    };
    return cmocka_run_group_tests_name("at_defaults", tests, NULL, NULL);
}
