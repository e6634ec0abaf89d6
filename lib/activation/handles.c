/* Handles: made from a spec string and a level, and never changed after that. */
#include "activation/activation.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "activation/catalogue.h"
#include "activation/range.h"
#include "activation/slope.h"
#include "activation/spec.h"
#include "activation/table.h"
#include "base/integers.h"
#include "base/struct_size.h"
#include "cpu/float_mode.h"

/* The threshold from which the surrogate measures x: that of heaviside for a spike surrogate, else 0. */
static double find_shift(const sugar_spec *spec)
{
    const bool spike_surrogate = !(sugar_kinds[spec->surrogate.kind].roles & SUGAR_ROLE_FORWARD);
    return spike_surrogate && spec->forward.kind == SUGAR_KIND_heaviside ? spec->forward.parameter[0] : 0;
}

/* Whether all parameters have their defaults, for which some kinds have kernels of their own. */
static bool has_defaults(const sugar_function *function)
{
    const sugar_kind_entry *kind = &sugar_kinds[function->kind];
    bool has = true;
    for (int i = 0; i < sugar_kind_parameter_count(kind); i++)
        has &= !(function->parameter[i] < kind->parameters[i].default_value)
               && !(function->parameter[i] > kind->parameters[i].default_value);
    return has;
}

static sugar_forward_kernel *forward_kernel(const sugar_kernels *kernels, const sugar_function *function)
{
    sugar_forward_kernel *faster = has_defaults(function) ? kernels->forward_at_defaults[function->kind] : NULL;
    return faster ? faster : kernels->forward[function->kind];
}

static sugar_backward_kernel *backward_kernel(const sugar_kernels *kernels, const sugar_function *function)
{
    sugar_backward_kernel *faster = has_defaults(function) ? kernels->backward_at_defaults[function->kind] : NULL;
    return faster ? faster : kernels->backward[function->kind];
}

static sugar_derivative_kernel *derivative_kernel(const sugar_kernels *kernels, const sugar_function *function)
{
    sugar_derivative_kernel *faster = has_defaults(function) ? kernels->derivative_at_defaults[function->kind] : NULL;
    return faster ? faster : kernels->derivative[function->kind];
}

static const sugar_fused_kernels *fused_kernels(const sugar_kernels *kernels, const sugar_function *function)
{
    const bool is_faster = has_defaults(function) && kernels->forward_at_defaults[function->kind];
    return is_faster ? kernels->fused_at_defaults[function->kind] : kernels->fused[function->kind];
}

/* A derivative whose factor in t s' + (1 - t) f' is 0 is not computed, as 0 times inf is NaN. Whether a factor is 0
 * depends on the element type: a small t is 0 in f32 and not in f64. */
static void fill_passes(sugar_activation *made, sugar_element element)
{
    const sugar_kernels *kernels = made->level->kernels[element];
    const sugar_spec *spec = &made->parsed;
    sugar_passes *passes = &made->passes[element];
    const double blend = sugar_real_round(element, spec->blend), rest = sugar_real_round(element, 1 - blend);
    const sugar_function *surrogate = blend > 0 ? &spec->surrogate : &spec->forward;
    const bool mixed = blend > 0 && (rest > 0 || spec->negative_only);
    passes->forward = forward_kernel(kernels, &spec->forward);
    passes->backward = backward_kernel(kernels, surrogate);
    passes->surrogate_derivative = derivative_kernel(kernels, surrogate);
    passes->own_derivative = mixed ? derivative_kernel(kernels, &spec->forward) : NULL;
    passes->combine = kernels->combine;
    passes->fused_forward = fused_kernels(kernels, &spec->forward);
    passes->fused_backward = mixed ? NULL : fused_kernels(kernels, surrogate);
    passes->surrogate_second = kernels->second[surrogate->kind];
    passes->own_second = mixed ? kernels->second[spec->forward.kind] : NULL;
    assert(passes->forward && passes->backward && passes->surrogate_derivative);
    for (int i = 0; i < SUGAR_MAX_PARAMETERS; i++) {
        sugar_real_set(element, &passes->forward_parameters, i, spec->forward.parameter[i]);
        sugar_real_set(element, &passes->surrogate_parameters, i, surrogate->parameter[i]);
    }
    passes->forward_parameters.table = passes->surrogate_parameters.table = &made->tables[element == SUGAR_F64];
    sugar_real_set(element, &passes->forward_parameters, SUGAR_SLOPE, sugar_slope_find(element, &spec->forward));
    sugar_real_set(element, &passes->surrogate_parameters, SUGAR_SHIFT, find_shift(spec));
    passes->blend = blend;
    passes->rest = rest;
    passes->has_surrogate = spec->has_surrogate && blend > 0;
}

/* Whether the backward pass uses f' and nothing else: there is no surrogate, or it is the forward function itself, or
 * blend is 0. */
static bool has_only_own_derivative(const sugar_spec *spec)
{
    const sugar_function *f = &spec->forward, *g = &spec->surrogate;
    bool same = f->kind == g->kind;
    for (int i = 0; i < SUGAR_MAX_PARAMETERS; i++)
        same &= !(f->parameter[i] < g->parameter[i]) && !(f->parameter[i] > g->parameter[i]);
    return same || !(spec->blend > 0);
}

/* A handle of `size` bytes, with the tables that the options give it. NULL: no memory. */
static sugar_activation *allocate(size_t size, const sugar_activation_options *options)
{
    const size_t table_size = sugar_table_size(options->table_knots);
    const size_t first = (size_t)round_up((int64_t)size, (int64_t)_Alignof(sugar_piece));
    sugar_activation *made = malloc(first + 2 * table_size);
    if (!made)
        return NULL;
    made->tables[0] = made->tables[1] = (sugar_table){0};
    if (table_size > 0) {
        sugar_table_fill(&made->tables[0], (char *)made + first, SUGAR_F32, options);
        sugar_table_fill(&made->tables[1], (char *)made + first + table_size, SUGAR_F64, options);
    }
    return made;
}

/* What f would have to be for f' to follow from y = f(x), as messages say it; NULL: it does follow. */
static const char *from_output_needs(const sugar_spec *spec)
{
    const sugar_function *f = &spec->forward;
    if (!(sugar_kind_capabilities(f->kind) & SUGAR_CAN_START_FROM_OUTPUT))
        return "a kind with SUGAR_CAN_START_FROM_OUTPUT";
    if (!has_only_own_derivative(spec))
        return "no surrogate, or the forward function itself";
#define FROM_OUTPUT_UNLESS_NEGATIVE(name)                                                                              \
    if (f->kind == SUGAR_KIND_##name && f->parameter[0] < 0)                                                           \
        return "a parameter of 0 or more";
#include "kernels/kinds/kinds.def"
    return NULL;
}

/* Whether each derivative that g' consists of has a derivative. */
static bool has_second(const sugar_activation *made)
{
    bool has = true;
    for (int element = 0; element < SUGAR_ELEMENT_COUNT; element++) {
        const sugar_passes *passes = &made->passes[element];
        has &= passes->surrogate_second && (!passes->own_derivative || passes->own_second);
    }
    return has;
}

/* Whether 255 steps between the bounds are normal numbers, in f32 too; one value needs no step. */
static bool fits_byte(double range) { return range == 0 || (range >= 0x1p-118 && range < (double)INFINITY); }

/* What calls accept in every element type. Learning and drawing are the forward function's; the rest depends on g'. */
static uint64_t find_capabilities(const sugar_activation *made)
{
    uint64_t can = sugar_kind_capabilities(made->parsed.forward.kind) & (SUGAR_CAN_LEARN | SUGAR_CAN_DRAW);
    bool two_values = true;
    for (int element = 0; element < SUGAR_ELEMENT_COUNT; element++)
        two_values &= made->passes[element].values.are_all;
    can |= made->from_output_needs ? 0 : SUGAR_CAN_START_FROM_OUTPUT;
    can |= fits_byte(made->maximum - made->minimum) ? SUGAR_CAN_SAVE_BYTE : 0;
    can |= two_values ? SUGAR_CAN_SAVE_BIT : 0;
    can |= has_second(made) ? SUGAR_CAN_DIFFERENTIATE_TWICE : 0;
    return can;
}

static bool depends_on_own_derivative(const sugar_activation *made)
{
    bool depends = false;
    for (int element = 0; element < SUGAR_ELEMENT_COUNT; element++)
        depends |= !made->passes[element].has_surrogate || made->passes[element].own_derivative;
    return depends;
}

/* Adds the activation whose backward pass starts from y, if there is one. */
static sugar_status add_from_output(sugar_activation *made, size_t size)
{
    made->from_output = NULL;
    if (made->from_output_needs)
        return SUGAR_OK;
    sugar_activation *a = malloc(size);
    if (!a)
        return sugar_error(SUGAR_ERROR_OUT_OF_MEMORY, "activation: no memory for a handle");
    memcpy(a, made, size);
    for (int element = 0; element < SUGAR_ELEMENT_COUNT; element++) {
        const sugar_kernels *kernels = a->level->kernels[element];
        a->passes[element].backward = kernels->backward_from_output[a->parsed.forward.kind];
        a->passes[element].surrogate_derivative = kernels->derivative_from_output[a->parsed.forward.kind];
        a->passes[element].own_derivative = NULL;
        a->passes[element].fused_backward = NULL;
    }
    made->from_output = a;
    return SUGAR_OK;
}

const sugar_activation *sugar_activation_from_output(const sugar_activation *activation)
{
    if (!activation->from_output)
        sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: SUGAR_CALL_FROM_OUTPUT (0x8) with %s, expected %s",
                    activation->spec, activation->from_output_needs);
    return activation->from_output;
}

sugar_status sugar_activation_create_with_options(sugar_activation **activation, const char *spec, size_t spec_length,
                                                  const sugar_activation_options *options)
{
    SUGAR_DEFAULT_ENVIRONMENT;
    if (!activation)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "activation: NULL, expected the address of a handle");
    if (!spec)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "spec: NULL, expected a string");
    sugar_activation_options known;
    sugar_status status = sugar_struct_read("options", options, &known, sizeof known, sugar_activation_options_ends);
    if (status != SUGAR_OK)
        return status;
    const sugar_level_entry *level;
    status = sugar_level_select(known.level, &level);
    if (status != SUGAR_OK)
        return status;
    sugar_spec parsed;
    status = sugar_spec_read(&parsed, spec, spec_length);
    if (status != SUGAR_OK)
        return status;

    status = sugar_table_check(&known, &parsed);
    if (status != SUGAR_OK)
        return status;

    char canonical[SUGAR_MAX_SPEC];
    sugar_text text = {canonical, sizeof canonical, 0};
    status = sugar_spec_write(&parsed, &text);
    if (status != SUGAR_OK)
        return status;
    const size_t size = sizeof(sugar_activation) + text.length + 1;
    sugar_activation *made = allocate(size, &known);
    if (!made)
        return sugar_error(SUGAR_ERROR_OUT_OF_MEMORY, "activation: no memory for a handle");
    made->level = level;
    made->parsed = parsed;
    made->spec_length = text.length;
    memcpy(made->spec, canonical, text.length + 1);
    for (sugar_element element = SUGAR_F32; element < SUGAR_ELEMENT_COUNT; element++)
        fill_passes(made, element);
    sugar_find_range(made);
    made->from_output_needs = from_output_needs(&parsed);
    made->capabilities = find_capabilities(made);
    made->uses_own_derivative = depends_on_own_derivative(made);
    status = add_from_output(made, size);
    if (status == SUGAR_OK)
        *activation = made;
    else
        free(made);
    return status;
}

sugar_status sugar_activation_create(sugar_activation **activation, const char *spec)
{
    return sugar_activation_create_with_options(activation, spec, spec ? strlen(spec) : 0, NULL);
}

void sugar_activation_destroy(sugar_activation *activation)
{
    if (activation)
        free(activation->from_output);
    free(activation);
}

const char *sugar_activation_spec(const sugar_activation *activation) { return activation ? activation->spec : NULL; }

const char *sugar_activation_level(const sugar_activation *activation)
{
    return activation ? activation->level->name : NULL;
}

/* The parameters of one side of the spec; NULL: its kind has none. */
static const double *parameters_of(const sugar_function *function)
{
    return sugar_kind_parameter_count(&sugar_kinds[function->kind]) > 0 ? function->parameter : NULL;
}

sugar_status sugar_activation_get_info(const sugar_activation *activation, sugar_activation_info *info)
{
    if (!activation)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "activation: NULL, expected a handle");
    const sugar_spec *parsed = &activation->parsed;
    sugar_activation_info known = {
        .spec = activation->spec,
        .spec_length = activation->spec_length,
        .level = activation->level->name,
        .forward_parameters = parameters_of(&parsed->forward),
        .forward_kind = parsed->forward.kind,
        .surrogate_kind = -1,
        .forward_parameter_count = sugar_kind_parameter_count(&sugar_kinds[parsed->forward.kind]),
        .uses_own_derivative = activation->uses_own_derivative,
        .capabilities = activation->capabilities,
        .gradient_minimum = activation->minimum,
        .gradient_maximum = activation->maximum,
    };
    if (parsed->has_surrogate) {
        known.surrogate_parameters = parameters_of(&parsed->surrogate);
        known.surrogate_kind = parsed->surrogate.kind;
        known.surrogate_parameter_count = sugar_kind_parameter_count(&sugar_kinds[parsed->surrogate.kind]);
        known.domain = parsed->negative_only ? SUGAR_DOMAIN_NEGATIVE : SUGAR_DOMAIN_ALL;
        known.blend = parsed->blend;
    }
    return sugar_struct_write("info", info, &known, sizeof known, sugar_activation_info_ends);
}
