/* What introspection says of parameters and of activations, beside what the spec parser and the calls do. */
#include "unit.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static sugar_activation_info info_of(const sugar_activation *a)
{
    sugar_activation_info info = {.struct_size = sizeof info};
    assert_ok(sugar_activation_get_info(a, &info));
    return info;
}

/* ---- Parameters ------------------------------------------------------------------------------- */

enum { MOST_PARAMETERS = 8, SPEC_BYTES = 256 };

typedef struct described {
    sugar_kind kind;
    sugar_parameter parameter[MOST_PARAMETERS];
} described;

static void describe(described *d, int32_t index)
{
    d->kind.struct_size = sizeof d->kind;
    assert_ok(sugar_kind_get(index, &d->kind));
    assert_true(d->kind.parameter_count <= MOST_PARAMETERS);
    for (int32_t i = 0; i < d->kind.parameter_count; i++) {
        d->parameter[i].struct_size = sizeof d->parameter[i];
        assert_ok(sugar_kind_get_parameter(index, i, &d->parameter[i]));
    }
}

static bool is_forward(const described *d) { return d->kind.roles & SUGAR_ROLE_FORWARD; }

/* The defaults, but one: parameter `which` has `value`, and those that may not exceed it, or that it may not exceed,
 * are moved as far as that takes. */
static void choose(const described *d, int32_t which, double value, double *values)
{
    for (int32_t i = 0; i < d->kind.parameter_count; i++)
        values[i] = i == which ? value : d->parameter[i].default_value;
    for (int32_t i = 0; i < d->kind.parameter_count; i++) {
        const int32_t other = d->parameter[i].not_above;
        if (other >= 0 && values[i] > values[other])
            values[i == which ? other : i] = value;
    }
}

static sugar_status create(const described *d, const double *values, sugar_activation **a)
{
    char spec[SPEC_BYTES];
    int length = snprintf(spec, sizeof spec, "%s%s", is_forward(d) ? "" : "heaviside~", d->kind.name);
    for (int32_t i = 0; i < d->kind.parameter_count; i++)
        length += snprintf(spec + length, sizeof spec - (size_t)length, "%c%s=%.17g", i ? ',' : '(',
                           d->parameter[i].name, values[i]);
    snprintf(spec + length, sizeof spec - (size_t)length, "%s", d->kind.parameter_count ? ")" : "");
    return create_any(a, spec, NULL);
}

/* The activation is made, and has these values. */
static void accepted(const described *d, int32_t index, int32_t which, double value)
{
    double values[MOST_PARAMETERS];
    sugar_activation *a = NULL;
    choose(d, which, value, values);
    assert_ok(create(d, values, &a));
    const sugar_activation_info info = info_of(a);
    assert_int_equal(is_forward(d) ? info.forward_kind : info.surrogate_kind, index);
    assert_int_equal(is_forward(d) ? info.forward_parameter_count : info.surrogate_parameter_count,
                     d->kind.parameter_count);
    assert_memory_equal(is_forward(d) ? info.forward_parameters : info.surrogate_parameters, values,
                        (size_t)d->kind.parameter_count * sizeof *values);
    sugar_activation_destroy(a);
}

static void refused(const described *d, const double *values, const char *name)
{
    sugar_activation *a = NULL;
    assert_fails(create(d, values, &a), SUGAR_ERROR_SPEC, name);
    assert_null(a);
}

static double below(double a) { return a == 0 ? -1e-300 : nextafter(a, -(double)INFINITY); }

/* Its least, its greatest and its default value make an activation; what lies beyond does not. */
static void ranges(void **unused)
{
    (void)unused;
    for (int32_t index = 0; index < sugar_kind_count(); index++) {
        described d;
        describe(&d, index);
        for (int32_t i = 0; i < d.kind.parameter_count; i++) {
            const sugar_parameter *p = &d.parameter[i];
            double values[MOST_PARAMETERS];
            accepted(&d, index, i, p->minimum);
            accepted(&d, index, i, p->maximum);
            accepted(&d, index, i, p->default_value);
            choose(&d, -1, 0, values);
            values[i] = below(p->minimum);
            refused(&d, values, p->name);
            values[i] = nextafter(p->maximum, (double)INFINITY);
            refused(&d, values, p->name);
        }
    }
}

/* A value above that of the parameter that `not_above` names makes no activation, though it is in its own range. */
static void order(void **unused)
{
    (void)unused;
    int found = 0;
    for (int32_t index = 0; index < sugar_kind_count(); index++) {
        described d;
        describe(&d, index);
        for (int32_t i = 0; i < d.kind.parameter_count; i++) {
            const int32_t other = d.parameter[i].not_above;
            double values[MOST_PARAMETERS];
            assert_true(other >= -1 && other < d.kind.parameter_count && other != i);
            if (other < 0)
                continue;
            choose(&d, -1, 0, values);
            values[i] = nextafter(values[other], (double)INFINITY);
            assert_true(values[i] <= d.parameter[i].maximum);
            refused(&d, values, d.parameter[other].name);
            found++;
        }
    }
    assert_int_equal(found, 3);     /* hardtanh, rrelu and bounded_relu */
}

/* Of a kind that learns, one parameter may be a tensor; of any other, none. */
static void learnable(void **unused)
{
    (void)unused;
    for (int32_t index = 0; index < sugar_kind_count(); index++) {
        described d;
        int found = 0;
        describe(&d, index);
        for (int32_t i = 0; i < d.kind.parameter_count; i++)
            found += d.parameter[i].learnable;
        assert_int_equal(found, (d.kind.capabilities & SUGAR_CAN_LEARN) != 0);
    }
}

/* ---- Calls ------------------------------------------------------------------------------------ */

enum { N = 5 };
static const double inputs[N] = {-3, -0.5, 0, 0.5, 3};

/* An activation, and operands for calls on it in one element type. */
typedef struct trial {
    sugar_activation *activation;
    const char *spec;
    sugar_activation_info info;
    element_type type;
    double x[N], dy[N], out[N], parameter[1], parameter_gradient[1];     /* room for elements of any type */
    uint8_t codes[N];
} trial;

static void start(trial *t, element_type type)
{
    t->type = type;
    for (int i = 0; i < N; i++) {
        element_store(t->x, i, type, element_of(inputs[i], type));
        element_store(t->dy, i, type, element_of(1, type));
    }
    if (t->info.forward_parameter_count > 0)
        element_store(t->parameter, 0, type, element_of(t->info.forward_parameters[0], type));
    memset(t->codes, 0, sizeof t->codes);
}

static sugar_status forward(trial *t, const sugar_call_options *options)
{
    return flat_forward(t->activation, t->type, N, t->x, 1, t->out, 1, options);
}

/* With a saved gradient there is no x. */
static sugar_status backward(trial *t, const sugar_call_options *options)
{
    return flat_backward(t->activation, t->type, N, options->saved_gradient ? NULL : t->x, 1, t->dy, 1, t->out, 1,
                         options);
}

static sugar_status backward_twice(trial *t)
{
    view x, dy, out;
    view *const views[] = {&x, &dy, &out};
    void *const data[] = {t->x, t->dy, t->out};
    for (size_t i = 0; i < COUNT(views); i++) {
        view_make(views[i], data[i], element_formats[t->type].width, 1, (int64_t[]){N}, NULL);
        views[i]->tensor.dtype = element_formats[t->type].dtype;
    }
    return sugar_backward_twice(t->activation, &x.tensor, &dy.tensor, &dy.tensor, NULL, &out.tensor, NULL);
}

static void expect(const trial *t, const char *call, bool is_allowed, sugar_status status)
{
    if (status != (is_allowed ? SUGAR_OK : SUGAR_ERROR_UNSUPPORTED))
        fail_msg("%s, %s, %s: %s, capabilities %#llx", t->spec, element_formats[t->type].name, call,
                 sugar_status_name(status), (unsigned long long)t->info.capabilities);
}

static void try_saving(trial *t, const char *call, int bits, bool is_allowed, const sugar_tensor *parameter)
{
    const int64_t shape[] = {N};
    const sugar_tensor codes = {.data = t->codes,
                                .device = {SUGAR_DEVICE_CPU, 0},
                                .ndim = 1,
                                .dtype = {SUGAR_TYPE_UNSIGNED, (uint8_t)bits, 1},
                                .shape = shape};
    const sugar_call_options options = {
        .struct_size = sizeof options, .saved_gradient = &codes, .parameter = parameter};
    expect(t, call, is_allowed, forward(t, &options));
    if (!parameter)
        expect(t, call, is_allowed, backward(t, &options));
}

/* Every option that a capability is about, on one activation in one element type. */
static void try_options(trial *t)
{
    const uint64_t can = t->info.capabilities;
    const sugar_random random = {.struct_size = sizeof random};
    view parameter, gradient;
    view_make(&parameter, t->parameter, element_formats[t->type].width, 1, (int64_t[]){1}, NULL);
    view_make(&gradient, t->parameter_gradient, element_formats[t->type].width, 1, (int64_t[]){1}, NULL);
    parameter.tensor.dtype = gradient.tensor.dtype = element_formats[t->type].dtype;
    const sugar_call_options learn = {.struct_size = sizeof learn, .parameter = &parameter.tensor};
    const sugar_call_options find = {.struct_size = sizeof find, .parameter_gradient = &gradient.tensor};
    const sugar_call_options from = {.struct_size = sizeof from, .flags = SUGAR_CALL_FROM_OUTPUT};
    const sugar_call_options draw = {.struct_size = sizeof draw, .random = &random};
    expect(t, "parameter", can & SUGAR_CAN_LEARN, forward(t, &learn));
    expect(t, "parameter", can & SUGAR_CAN_LEARN, backward(t, &learn));
    expect(t, "parameter_gradient", can & SUGAR_CAN_LEARN, backward(t, &find));
    expect(t, "from output", can & SUGAR_CAN_START_FROM_OUTPUT, backward(t, &from));
    expect(t, "random", can & SUGAR_CAN_DRAW, forward(t, &draw));
    expect(t, "random", can & SUGAR_CAN_DRAW, backward(t, &draw));
    expect(t, "twice", can & SUGAR_CAN_DIFFERENTIATE_TWICE, backward_twice(t));
    try_saving(t, "8 bits", 8, can & SUGAR_CAN_SAVE_BYTE, NULL);
    try_saving(t, "1 bit", 1, can & SUGAR_CAN_SAVE_BIT, NULL);
    const bool both = can & SUGAR_CAN_LEARN && can & SUGAR_CAN_SAVE_BYTE && !t->info.uses_own_derivative;
    try_saving(t, "8 bits and a parameter", 8, both, &parameter.tensor);
}

/* The spec of the info makes an activation with an equal one. */
static void parse_again(const sugar_activation_info *info)
{
    sugar_activation *a = NULL;
    assert_ok(create_any(&a, info->spec, NULL));
    sugar_activation_info again = info_of(a);
    assert_string_equal(again.spec, info->spec);
    assert_int_equal(again.spec_length, strlen(info->spec));
    assert_string_equal(again.level, info->level);
    if (info->forward_parameters)
        assert_memory_equal(again.forward_parameters, info->forward_parameters,
                            (size_t)info->forward_parameter_count * sizeof(double));
    if (info->surrogate_parameters)
        assert_memory_equal(again.surrogate_parameters, info->surrogate_parameters,
                            (size_t)info->surrogate_parameter_count * sizeof(double));
    assert_int_equal(again.forward_parameters == NULL, info->forward_parameter_count == 0);
    assert_int_equal(again.surrogate_parameters == NULL, info->surrogate_parameter_count == 0);
    const size_t numbers = offsetof(sugar_activation_info, forward_kind);
    assert_memory_equal((const char *)&again + numbers, (const char *)info + numbers, sizeof again - numbers);
    sugar_activation_destroy(a);
}

static void try_spec(const char *spec)
{
    trial t = {.activation = must_create(spec, NULL), .spec = spec};
    t.info = info_of(t.activation);
    parse_again(&t.info);
    for (int type = 0; type < ELEMENT_TYPES; type++) {
        start(&t, (element_type)type);
        try_options(&t);
    }
    sugar_activation_destroy(t.activation);
}

/* Calls accept what the capabilities say, and nothing else: each kind alone, and behind several forward functions. */
static void calls_agree(void **unused)
{
    (void)unused;
    static const char *const forwards[] = {"relu", "prelu", "gelu", "rrelu", "heaviside", "relu_squared"};
    static const char *const options[] = {"", "(domain=negative)", "(blend=0.5)", "(blend=0)",
                                          "(domain=negative,blend=1e-50)"};
    for (int32_t index = 0; index < sugar_kind_count(); index++) {
        described d;
        char spec[SPEC_BYTES];
        describe(&d, index);
        if (is_forward(&d))
            try_spec(d.kind.name);
        for (size_t i = 0; i < COUNT(forwards); i++)
            for (size_t k = 0; k < COUNT(options); k++) {
                snprintf(spec, sizeof spec, "%s~%s%s", forwards[i], d.kind.name, options[k]);
                try_spec(spec);
            }
    }
    try_spec("prelu(alpha=-1)");
    try_spec("elu(alpha=-0.5)");
    try_spec("tanh~tanh(blend=0.5)");
}

/* ---- What a handle says ----------------------------------------------------------------------- */

static void well_known(void **unused)
{
    (void)unused;
    static const struct {
        const char *spec;
        uint64_t capabilities;
        int32_t domain, uses_own_derivative;
        double blend, minimum, maximum;
    } rows[] = {
        {"relu", SUGAR_CAN_START_FROM_OUTPUT | SUGAR_CAN_SAVE_BYTE | SUGAR_CAN_SAVE_BIT, SUGAR_DOMAIN_ALL, 1, 0, 0, 1},
        {"prelu~bsilu", SUGAR_CAN_LEARN | SUGAR_CAN_SAVE_BYTE, SUGAR_DOMAIN_ALL, 0, 1, 0, 0},
        {"relu~relu_squared", 0, SUGAR_DOMAIN_ALL, 0, 1, 0, (double)INFINITY},
        {"relu~relu_squared(domain=negative)", SUGAR_CAN_SAVE_BYTE | SUGAR_CAN_SAVE_BIT, SUGAR_DOMAIN_NEGATIVE, 1, 1, 0,
         1},
        {"tanh~gelu(blend=0)", SUGAR_CAN_START_FROM_OUTPUT | SUGAR_CAN_SAVE_BYTE, SUGAR_DOMAIN_ALL, 1, 0, 0, 1},
        {"relu~leaky_relu(domain=negative,blend=1e-50)", SUGAR_CAN_SAVE_BYTE | SUGAR_CAN_SAVE_BIT,
         SUGAR_DOMAIN_NEGATIVE, 1, 1e-50, 0, 1},
        /* In f32 the blend is 0 and g' has two values; in f64 it has more. */
        {"relu6~gelu(blend=1e-50)", SUGAR_CAN_SAVE_BYTE, SUGAR_DOMAIN_ALL, 1, 1e-50, 0, 1},
        {"rrelu~bsilu", SUGAR_CAN_DRAW | SUGAR_CAN_SAVE_BYTE, SUGAR_DOMAIN_ALL, 0, 1, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sugar_activation *a = must_create(rows[i].spec, NULL);
        const sugar_activation_info info = info_of(a);
        const bool has_surrogate = strchr(rows[i].spec, '~') != NULL;
        if (info.capabilities != (rows[i].capabilities | SUGAR_CAN_DIFFERENTIATE_TWICE))
            fail_msg("%s: capabilities %#llx", rows[i].spec, (unsigned long long)info.capabilities);
        assert_ptr_equal(info.spec, sugar_activation_spec(a));
        assert_ptr_equal(info.level, sugar_activation_level(a));
        assert_int_equal(info.surrogate_kind >= 0, has_surrogate);
        assert_int_equal(info.domain, rows[i].domain);
        assert_int_equal(info.uses_own_derivative, rows[i].uses_own_derivative);
        assert_true(info.blend == rows[i].blend);
        if (rows[i].maximum > 0)
            assert_true(fabs(info.gradient_minimum - rows[i].minimum) < 1e-30
                        && info.gradient_maximum == rows[i].maximum);
        sugar_activation_destroy(a);
    }
}

/* The values of the spec, not those that an element type rounds them to, nor what a blend of 0 leaves of them. */
static void parameters_are_as_given(void **unused)
{
    (void)unused;
    sugar_activation *a = must_create("hardtanh(min_val=-0.1,max_val=0.3)~bsilu(alpha=1.1,blend=0)", NULL);
    const sugar_activation_info info = info_of(a);
    assert_true(info.forward_parameters[0] == -0.1 && info.forward_parameters[1] == 0.3);
    assert_true(info.surrogate_parameters[0] == 1.1 && info.surrogate_parameter_count == 1);
    sugar_activation_destroy(a);
}

/* ---- The structs ------------------------------------------------------------------------------ */

/* Without padding, members that are appended never change the meaning of bytes that a program has left unset. */
static void no_padding(void **unused)
{
    (void)unused;
    assert_int_equal(sizeof(sugar_activation_info), 6 * sizeof(void *) + 6 * sizeof(int32_t) + 4 * sizeof(double));
    assert_int_equal(sizeof(sugar_parameter), 2 * sizeof(void *) + 3 * sizeof(double) + 2 * sizeof(int32_t));
    assert_int_equal(SUGAR_DOMAIN_ALL, 0);
    assert_int_equal(SUGAR_DOMAIN_NEGATIVE, 1);
}

typedef struct newer_info {
    sugar_activation_info known;
    unsigned char unknown[24];
} newer_info;

static void smaller_and_larger_structs(void **unused)
{
    (void)unused;
    sugar_activation *a = must_create("prelu~bsilu", NULL);
    const size_t shared = offsetof(sugar_activation_info, level);
    sugar_activation_info small;
    newer_info large;
    memset(&small, 0xa5, sizeof small);
    small.struct_size = shared;
    assert_ok(sugar_activation_get_info(a, &small));
    assert_string_equal(small.spec, sugar_activation_spec(a));
    assert_int_equal(small.struct_size, shared);
    for (size_t i = shared; i < sizeof small; i++)
        assert_int_equal(((unsigned char *)&small)[i], 0xa5);
    memset(&large, 0xa5, sizeof large);
    large.known.struct_size = sizeof large;
    assert_ok(sugar_activation_get_info(a, &large.known));
    assert_true(large.known.gradient_maximum == info_of(a).gradient_maximum);
    for (size_t i = 0; i < sizeof large.unknown; i++)
        assert_int_equal(large.unknown[i], 0);
    sugar_activation_destroy(a);
}

static void bad_arguments(void **unused)
{
    (void)unused;
    sugar_activation *a = must_create("relu", NULL);
    sugar_activation_info info = {.struct_size = sizeof info, .blend = 77};
    assert_fails(sugar_activation_get_info(NULL, &info), SUGAR_ERROR_ARGUMENT, "activation: NULL, expected a handle");
    assert_fails(sugar_activation_get_info(a, NULL), SUGAR_ERROR_ARGUMENT, "info: NULL, expected a struct");
    for (size_t size = 0; size < sizeof(size_t); size++) {
        info.struct_size = size;
        assert_fails(sugar_activation_get_info(a, &info), SUGAR_ERROR_ARGUMENT, "info: struct_size");
    }
    assert_true(info.blend == 77);
    sugar_activation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
        cmocka_unit_test(order),
        cmocka_unit_test(learnable),
        cmocka_unit_test(calls_agree),
        cmocka_unit_test(well_known),
        cmocka_unit_test(no_padding),
        cmocka_unit_test(parameters_are_as_given),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(smaller_and_larger_structs),
    };
    return cmocka_run_group_tests_name("info", tests, NULL, NULL);
}
