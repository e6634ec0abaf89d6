/* Parameters that are tensors, and their gradients: every kind in every layout, and f32 beside f16 and bf16. The suite
 * `accuracy` tests how far values and derivatives are from the exact ones. */
#include "learners.h"

#include <math.h>
#include <stdio.h>

/* Parameters that every element type has, within the range of every kind. */
static const double parameters[] = {0.125, 0.25, 1, 1.5, 3, 0.375, 40};
enum { PARAMETERS = COUNT(parameters) };

/* ---- Every kind in every layout ---------------------------------------------------------------- */

enum { N = 5, C = 7, H = 37, ALL = N * C * H, SHARED_BY_ALL = 0, PER_CHANNEL, PER_ELEMENT, PER_FEATURE, SHARINGS };
static const int64_t shape[3] = {N, C, H};

/* The extents of the parameter. */
static const int64_t sharing[SHARINGS][3] = {{1, 1, 1}, {1, C, 1}, {N, C, H}, {1, C, H}};

/* Compact; another order in memory; backwards, with gaps. The first element's offset comes last. */
static const int64_t layouts[][4] = {
    {C * H, H, 1, 0}, {1, N *H, N, 0}, {-2 * C * H, 2 * H, -2, (N - 1) * 2 * C *H + (H - 1) * 2}};

typedef struct operand {
    view v;
    uint64_t memory[2 * ALL];
} operand;

static void place(operand *o, element_type type, const int64_t *extents, const int64_t *strides, int64_t start)
{
    view_make(&o->v, (char *)o->memory + (size_t)start * element_formats[type].width, 4, 3, extents, strides);
    o->v.tensor.dtype = element_formats[type].dtype;
}

static double read_at(const operand *o, int64_t i, element_type type)
{
    return get_element(o->v.tensor.data, view_offset(&o->v, i), type);
}

static operand x, y, dy, dx, parameter, gradient;

/* Where the parameter of element i is, and its sum. */
static int64_t shared_offset(int64_t i)
{
    int64_t offset = 0;
    for (int d = 2; d >= 0; d--) {
        offset += parameter.v.shape[d] > 1 ? i % shape[d] * parameter.v.strides[d] : 0;
        i /= shape[d];
    }
    return offset;
}

static void lay_out(element_type type, const int64_t *extents, const int64_t *layout, uint64_t seed)
{
    place(&x, type, shape, layout, layout[3]);
    place(&y, type, shape, NULL, 0);
    place(&dy, type, shape, NULL, 0);
    place(&dx, type, shape, layout, layout[3]);
    place(&parameter, type, extents, NULL, 0);
    place(&gradient, type, extents, NULL, 0);
    uint64_t state = seed;
    for (int64_t i = 0; i < 2 * ALL; i++) {
        set_element(x.memory, i, type, (double)random_between(&state, -600, 600) / 128);
        set_element(dy.memory, i, type, (double)random_between(&state, -100, 100) / 32);
        set_element(parameter.memory, i, type, parameters[i % PARAMETERS]);
    }
}

/* How far a result may be from the plain call's. Where the parameter is the default, and bsilu's in f32 always,
 * the plain call has formulas that need one parameter for all elements; their last bits differ. */
static double allowed_difference(const char *kind, element_type type)
{
    static const char *const with_defaults[] = {"celu", "silu", "softplus", "bsilu"};
    const double spacings[] = {
        [ELEMENT_F32] = 0x1p-22, [ELEMENT_F64] = 0x1p-50, [ELEMENT_F16] = 0x1p-10, [ELEMENT_BF16] = 0x1p-7};
    for (size_t i = 0; i < sizeof with_defaults / sizeof *with_defaults; i++)
        if (strcmp(kind, with_defaults[i]) == 0)
            return spacings[type];
    return 0;
}

/* The plain call with this parameter in its spec. */
static void assert_as_plain(const learner *kind, element_type type, int64_t i, sugar_activation *const *plain,
                            const char *where)
{
    const int64_t p = shared_offset(i) % PARAMETERS;
    uint64_t value = 0, derivative = 0, at_bits = 0, up_bits = 0;
    element_store(&at_bits, 0, type, element_load(x.v.tensor.data, view_offset(&x.v, i), type));
    element_store(&up_bits, 0, type, element_load(dy.memory, i, type));
    assert_ok(flat_forward(plain[p], type, 1, &at_bits, 1, &value, 1, NULL));
    assert_ok(flat_backward(plain[p], type, 1, &at_bits, 1, &up_bits, 1, &derivative, 1, NULL));
    const double allowed = allowed_difference(kind->name, type);
    const double found[2] = {get_element(y.memory, i, type), read_at(&dx, i, type)};
    const double expected[2] = {get_element(&value, 0, type), get_element(&derivative, 0, type)};
    for (int way = 0; way < 2; way++)
        if (!(fabs(found[way] - expected[way])
              <= allowed * (fabs(expected[way]) + fabs(get_element(&up_bits, 0, type)))))
            fail_msg("%s %s, %s: %s at %g with %g is %a, expected %a", kind->name, element_formats[type].name, where,
                     way ? "dx" : "y", get_element(&at_bits, 0, type), parameters[p], found[way], expected[way]);
}

static void assert_gradient(const learner *kind, element_type type, const char *where)
{
    static double sum[ALL], size[ALL];
    memset(sum, 0, sizeof sum);
    memset(size, 0, sizeof size);
    for (int64_t i = 0; i < ALL; i++) {
        const int64_t p = shared_offset(i);
        const double slope = kind->slope(read_at(&x, i, type), parameters[p % PARAMETERS]);
        const double product = get_element(dy.memory, i, type) * slope;
        sum[p] += product;
        size[p] += fabs(product);
    }
    const double products = type == ELEMENT_F64 ? 0x1p-48 : 0x1p-21;
    static const double smallest[ELEMENT_TYPES] = {0x1p-149, 0x1p-1074, 0x1p-24, 0x1p-133};
    const double unit = ldexp(1, -element_formats[type].mantissa_bits);
    for (int64_t i = 0; i < ALL; i++) {
        const int64_t p = shared_offset(i);
        const double found = get_element(gradient.memory, p, type);
        if (!(fabs(found - sum[p]) <= unit * fabs(sum[p]) + 4 * smallest[type] + products * size[p]))
            fail_msg("%s %s, %s: gradient %a, expected %a", kind->name, element_formats[type].name, where, found,
                     sum[p]);
    }
}

static void check_layouts(const learner *kind, element_type type)
{
    sugar_activation *plain[PARAMETERS], *a = must_create(kind->name, NULL);
    for (int i = 0; i < PARAMETERS; i++)
        plain[i] = create_with(kind, parameters[i]);
    for (int shared = 0; shared < SHARINGS; shared++)
        for (size_t layout = 0; layout < COUNT(layouts); layout++) {
            char where[32];
            snprintf(where, sizeof where, "sharing %d, layout %d", shared, (int)layout);
            lay_out(type, sharing[shared], layouts[layout], 1 + layout);
            sugar_call_options options = {.struct_size = sizeof options, .parameter = &parameter.v.tensor};
            assert_ok(sugar_forward(a, &x.v.tensor, &y.v.tensor, &options));
            options.parameter_gradient = &gradient.v.tensor;
            assert_ok(sugar_backward(a, &x.v.tensor, &dy.v.tensor, &dx.v.tensor, &options));
            for (int64_t i = 0; i < ALL; i++)
                assert_as_plain(kind, type, i, plain, where);
            assert_gradient(kind, type, where);
        }
    for (int i = 0; i < PARAMETERS; i++)
        sugar_activation_destroy(plain[i]);
    sugar_activation_destroy(a);
}

static void kinds_types_and_layouts(void **unused)
{
    (void)unused;
    for (size_t k = 0; k < LEARNERS; k++)
        for (element_type type = 0; type < ELEMENT_TYPES; type++)
            check_layouts(&learners[k], type);
}

/* An element's bits do not depend on whether neighbours have the same parameter, nor on whether an extent of 1 or a
 * stride of 0 says so. */
static void same_bits_for_strides(void **unused)
{
    (void)unused;
    static const int64_t zeros[3] = {0, 0, 0};
    for (size_t k = 0; k < LEARNERS; k++)
        for (element_type type = 0; type < ELEMENT_TYPES; type++) {
            static uint64_t each_y[2 * ALL], each_dx[2 * ALL];
            sugar_activation *a = must_create(learners[k].name, NULL);
            for (int shared = 0; shared < 3; shared++) {
                lay_out(type, sharing[shared == 1 ? SHARED_BY_ALL : PER_ELEMENT], layouts[0], 8);
                if (shared == 2)
                    place(&parameter, type, shape, zeros, 0);
                for (int64_t i = 0; i < ALL; i++)
                    set_element(parameter.memory, i, type, 1.375);
                const sugar_call_options options = {.struct_size = sizeof options, .parameter = &parameter.v.tensor};
                assert_ok(sugar_forward(a, &x.v.tensor, &y.v.tensor, &options));
                assert_ok(sugar_backward(a, &x.v.tensor, &dy.v.tensor, &dx.v.tensor, &options));
                if (!shared) {
                    memcpy(each_y, y.memory, sizeof each_y);
                    memcpy(each_dx, dx.memory, sizeof each_dx);
                }
                assert_memory_equal(each_y, y.memory, ALL * element_formats[type].width);
                assert_memory_equal(each_dx, dx.memory, ALL * element_formats[type].width);
            }
            sugar_activation_destroy(a);
        }
}

/* ---- f32 beside narrow elements ----------------------------------------------------------------- */

enum { WIDE_PARAMETER = 1, WIDE_GRADIENT = 2, ACCUMULATES = 4, WIDTHS = 8 };

/* The same call in f32, on compact views: x, dy, y, dx, parameter, gradient. */
typedef struct in_f32 {
    float memory[6][ALL];
    view v[6];
} in_f32;

static void fill_both(operand *o, element_type type, in_f32 *same, int k, int64_t low, int64_t high, uint64_t *state)
{
    view_make(&same->v[k], same->memory[k], sizeof(float), 3, o->v.shape, NULL);
    for (int64_t i = 0; i < view_count(&o->v); i++) {
        const int64_t at = view_offset(&o->v, i);
        set_element(o->v.tensor.data, at, type, (double)random_between(state, low, high) / 1024);
        same->memory[k][i] = (float)get_element(o->v.tensor.data, at, type);
    }
}

/* As near as two roundings of nearly the same number. */
static void assert_rounded(const operand *o, element_type type, const float *expected, const char *what)
{
    const double unit = ldexp(1, -element_formats[type].mantissa_bits);
    for (int64_t i = 0; i < view_count(&o->v); i++) {
        const double found = read_at(o, i, type), wanted = (double)expected[i];
        if (!(fabs(found - wanted) <= unit * fabs(wanted) + 0x1p-24))
            fail_msg("%s: %a, expected %a", what, found, wanted);
    }
}

static void assert_same(const operand *o, element_type type, const float *expected, const char *what)
{
    for (int64_t i = 0; i < view_count(&o->v); i++) {
        const uint64_t found = element_load(o->v.tensor.data, view_offset(&o->v, i), type);
        if (!element_same(found, element_of((double)expected[i], type), type))
            fail_msg("%s: %a, expected %a rounded", what, element_value(found, type), (double)expected[i]);
    }
}

static void check_wide(const learner *kind, element_type type, int shared, const int64_t *layout, int widths)
{
    static in_f32 same;
    const element_type of_parameter = widths & WIDE_PARAMETER ? ELEMENT_F32 : type;
    const element_type of_gradient = widths & WIDE_GRADIENT ? ELEMENT_F32 : type;
    uint64_t state = 77;
    lay_out(type, sharing[shared], layout, 1);
    place(&parameter, of_parameter, sharing[shared], NULL, 0);
    place(&gradient, of_gradient, sharing[shared], NULL, 0);
    operand *const operands[] = {&x, &dy, &y, &dx, &parameter, &gradient};
    const element_type types[] = {type, type, type, type, of_parameter, of_gradient};
    for (int k = 0; k < 6; k++)
        fill_both(operands[k], types[k], &same, k, k == 4 ? 100 : -4000, 4000, &state);
    sugar_activation *a = must_create(kind->name, NULL);
    sugar_call_options options = {.struct_size = sizeof options}, plain = options;
    options.parameter = &parameter.v.tensor;
    plain.parameter = &same.v[4].tensor;
    if (widths & WIDE_PARAMETER) {
        assert_ok(sugar_forward(a, &x.v.tensor, &y.v.tensor, &options));
        assert_ok(sugar_forward(a, &same.v[0].tensor, &same.v[2].tensor, &plain));
        assert_same(&y, type, same.memory[2], "y");
    }
    options.flags = plain.flags = widths & ACCUMULATES ? SUGAR_CALL_ACCUMULATE : 0;
    options.parameter_gradient = &gradient.v.tensor;
    plain.parameter_gradient = &same.v[5].tensor;
    assert_ok(sugar_backward(a, &x.v.tensor, &dy.v.tensor, &dx.v.tensor, &options));
    assert_ok(sugar_backward(a, &same.v[0].tensor, &same.v[1].tensor, &same.v[3].tensor, &plain));
    assert_same(&dx, type, same.memory[3], "dx");
    assert_rounded(&gradient, of_gradient, same.memory[5], "gradient");
    sugar_activation_destroy(a);
}

/* With f32 parameters a call on narrow elements is the call in f32, whose results are rounded to elements. */
static void wide_parameters(void **unused)
{
    (void)unused;
    for (size_t k = 0; k < LEARNERS; k++)
        for (element_type type = ELEMENT_F16; type <= ELEMENT_BF16; type++)
            for (int shared = 0; shared < SHARINGS; shared++)
                for (size_t layout = 0; layout < COUNT(layouts); layout++)
                    for (int widths = 0; widths < WIDTHS; widths++)
                        if (widths & (WIDE_PARAMETER | WIDE_GRADIENT) && (!short_run() || (k + layout) % 4 == 0))
                            check_wide(&learners[k], type, shared, layouts[layout], widths);
}

/* The range check reads f32 parameters as what they are. */
static void wide_parameters_out_of_range(void **unused)
{
    (void)unused;
    static const uint16_t narrow[4] = {0};
    static uint16_t out[4] = {7, 7, 7, 7};
    float value[4] = {1, 1, 1e-7f, 1};
    static const int64_t extent = 4;
    view vx, vy, with;
    view_make(&vx, (void *)(uintptr_t)narrow, 2, 1, &extent, NULL);
    view_make(&vy, out, 2, 1, &extent, NULL);
    view_make(&with, value, 4, 1, &extent, NULL);
    vx.tensor.dtype = vy.tensor.dtype = element_formats[ELEMENT_BF16].dtype;
    sugar_activation *a = must_create("celu", NULL);
    const sugar_call_options options = {.struct_size = sizeof options, .parameter = &with.tensor};
    assert_fails(sugar_forward(a, &vx.tensor, &vy.tensor, &options), SUGAR_ERROR_VALUE, "at (2,), expected 1e-06");
    assert_int_equal(out[0], 7);
    with.tensor.dtype = element_formats[ELEMENT_F64].dtype;
    assert_fails(sugar_forward(a, &vx.tensor, &vy.tensor, &options), SUGAR_ERROR_ARGUMENT,
                 "parameter: dtype float64, expected bfloat16 like x, or float32");
    sugar_activation_destroy(a);
}

/* The catalogue and this file agree on which kinds learn; the others refuse. */
static void which_kinds_learn(void **unused)
{
    (void)unused;
    lay_out(ELEMENT_F32, sharing[SHARED_BY_ALL], layouts[0], 1);
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        int learns = 0;
        for (size_t k = 0; k < LEARNERS; k++)
            learns |= strcmp(learners[k].name, kind.name) == 0;
        if (learns != ((kind.capabilities & SUGAR_CAN_LEARN) != 0))
            fail_msg("%s: kinds.def %s that its parameter can be learned, `learners` in this file %s", kind.name,
                     learns ? "does not say" : "says", learns ? "has it" : "lacks it");
        if (learns || !(kind.roles & SUGAR_ROLE_FORWARD))
            continue;
        sugar_activation *a = must_create(kind.name, NULL);
        sugar_call_options options = {.struct_size = sizeof options, .parameter = &parameter.v.tensor};
        assert_fails(sugar_forward(a, &x.v.tensor, &y.v.tensor, &options), SUGAR_ERROR_UNSUPPORTED, kind.name);
        options = (sugar_call_options){.struct_size = sizeof options, .parameter_gradient = &gradient.v.tensor};
        assert_fails(sugar_backward(a, &x.v.tensor, &dy.v.tensor, &dx.v.tensor, &options), SUGAR_ERROR_UNSUPPORTED,
                     "parameter_gradient");
        sugar_activation_destroy(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_types_and_layouts), cmocka_unit_test(same_bits_for_strides),
        cmocka_unit_test(wide_parameters),         cmocka_unit_test(wide_parameters_out_of_range),
        cmocka_unit_test(which_kinds_learn),
    };
    return cmocka_run_group_tests_name("learn", tests, NULL, NULL);
}
