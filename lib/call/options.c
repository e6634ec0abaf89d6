/* Options of extended calls: checks them by their table, and makes one walk of all operands. */
#include "call/options.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "activation/activation.h"
#include "activation/catalogue.h"
#include "base/struct_size.h"
#include "call/extended.h"

/* A call while its operands are added. */
typedef struct assembly {
    sugar_extended_call call;
    const sugar_call_options *options;
    const sugar_tensor *reference;  /* the reference operand: all others have its shape, and its type unless codes */
    bool is_flat;
    int count;
    sugar_operand operand[SUGAR_MAX_OPERANDS];
    sugar_tensor index[SUGAR_MAX_OPERANDS];         /* index operands, and their strides */
    int64_t strides[SUGAR_MAX_OPERANDS][SUGAR_MAX_DIMENSIONS];
} assembly;

/* The set of options that are given: bit i stands for option i. */
static unsigned find_given(const sugar_call_options *options)
{
    unsigned given = 0;
#define OPTION(member, ...) given |= options->member ? 1u << SUGAR_OPTION_##member : 0;
#include "call/options.def"
    return given;
}

/* Sets members one by one: to clear the whole struct takes 100 ns. */
static void start(assembly *a, const sugar_activation *activation, const sugar_call_options *options, bool is_flat)
{
    sugar_extended_call *c = &a->call;
    c->activation = activation;
    c->monitor = NULL;
    c->is_backward = c->saves_bits = false;
    c->accumulate = options->flags & SUGAR_CALL_ACCUMULATE;
    c->given = find_given(options);
    c->x = c->dy = c->output = SUGAR_ABSENT;
    for (int i = 0; i < SUGAR_OPTION_COUNT; i++)
        c->place[i] = SUGAR_ABSENT;
    c->unit_index = c->sum_index = c->position_index = SUGAR_ABSENT;
    a->options = options;
    a->is_flat = is_flat;
    a->count = 0;
}

/* Adds an operand, and returns its number. */
static int add(assembly *a, const char *name, const sugar_tensor *tensor, sugar_access access)
{
    assert(a->count < SUGAR_MAX_OPERANDS);
    a->operand[a->count] = (sugar_operand){.name = name, .tensor = tensor, .access = access};
    return a->count++;
}

/* The same for x, y, dy and dx, which are vectors in a flat call; options are always tensors. */
static int add_vector(assembly *a, const char *name, const sugar_tensor *tensor, sugar_access access)
{
    const int k = add(a, name, tensor, access);
    a->operand[k].is_flat = a->is_flat;
    return k;
}

/* Adds an index operand, and returns its number k. The caller sets a->strides[k], one stride for each dimension of
 * `shape`. */
static int add_index(assembly *a, const sugar_tensor *shape)
{
    assert(a->count < SUGAR_MAX_OPERANDS);
    sugar_tensor *index = &a->index[a->count];
    *index = *shape;
    index->strides = a->strides[a->count];
    return add(a, NULL, index, SUGAR_ACCESS_INDEX);
}

/* The row-major stride of the dimension before one with this stride and extent. It overflows only in shapes without
 * elements, where it does not matter. */
static int64_t next_stride(int64_t stride, int64_t extent)
{
    int64_t next;
    return __builtin_mul_overflow(stride, extent, &next) ? 0 : next;
}

/* ---- What each option needs beside its operand, which has number k ------------------------------ */

/* An element's unit, and so its sum, is its index in the monitor's dimension. */
static sugar_status prepare_monitor(assembly *a, int k)
{
    (void)k;
    const sugar_tensor *x = a->reference;
    sugar_monitor *monitor = a->options->monitor;
    const int axis = x->ndim - 1 - monitor->axis_from_end;
    if (axis < 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "x: ndim %d, expected %d or more for the monitor's axis_from_end %d",
                           (int)x->ndim, (int)monitor->axis_from_end + 1, (int)monitor->axis_from_end);
    if (x->shape[axis] != monitor->units)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "x: extent %lld in dimension %d, expected %lld, the monitor's units",
                           (long long)x->shape[axis], axis, (long long)monitor->units);
    a->call.monitor = monitor;
    const int unit = a->call.unit_index = add_index(a, x), sum = a->call.sum_index = add_index(a, x);
    for (int d = 0; d < x->ndim; d++)
        a->strides[unit][d] = a->strides[sum][d] = d == axis;
    return SUGAR_OK;
}

/* parameter.c checks its values. */
static sugar_status prepare_parameter(assembly *a, int k)
{
    (void)a;
    (void)k;
    return SUGAR_OK;
}

/* A sum for each element of the gradient: its dimensions of stride 0 are summed. */
static sugar_status prepare_parameter_gradient(assembly *a, int k)
{
    const sugar_tensor *gradient = a->operand[k].tensor;
    const sugar_status status = sugar_operand_check(&a->operand[k]);
    if (status != SUGAR_OK)
        return status;
    const int sum = a->call.sum_index = add_index(a, gradient);
    int64_t sums = 1;
    for (int d = gradient->ndim - 1; d >= 0; d--) {
        const bool is_summed = gradient->strides && gradient->strides[d] == 0;
        a->strides[sum][d] = is_summed ? 0 : sums;
        sums = next_stride(sums, is_summed ? 1 : gradient->shape[d]);
    }
    return SUGAR_OK;
}

/* The bounds of what is saved are those for the spec's parameter. With a tensor of parameters they would be wrong for
 * f', so the backward pass must use a surrogate alone. */
static sugar_status check_saved_range(const assembly *a)
{
    const sugar_passes *f64 = &a->call.activation->passes[SUGAR_F64], *f32 = &a->call.activation->passes[SUGAR_F32];
    const bool uses_own_derivative = !f64->has_surrogate || f64->own_derivative || !f32->has_surrogate;
    if (!uses_own_derivative || !a->options->parameter)
        return SUGAR_OK;
    return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                       "options: parameter beside saved_gradient with %s, expected NULL, or "
                       "a surrogate alone in the backward pass",
                       a->call.activation->spec);
}

static sugar_status prepare_saved_gradient(assembly *a, int k)
{
    const sugar_activation *activation = a->call.activation;
    a->operand[k].is_codes = true;
    a->call.saves_bits = sugar_is_bits(&a->operand[k]);
    const sugar_data_type type = a->reference->dtype;
    const sugar_passes *passes = &activation->passes[sugar_element_find(type.code, type.bits)];
    if (a->call.saves_bits && !passes->values.are_all)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                           "options: saved_gradient of 1 bit with %s, expected a derivative of two values, or 8 bits",
                           activation->spec);
    if (!a->call.saves_bits && !(activation->maximum - activation->minimum < (double)INFINITY))
        return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                           "options: saved_gradient with %s, expected a derivative of finite range", activation->spec);
    return check_saved_range(a);
}

/* An element's slope depends on its position in row-major order. */
static sugar_status prepare_random(assembly *a, int k)
{
    (void)k;
    const int position = a->call.position_index = add_index(a, a->reference);
    int64_t stride = 1;
    for (int d = a->reference->ndim - 1; d >= 0; d--) {
        a->strides[position][d] = stride;
        stride = next_stride(stride, a->reference->shape[d]);
    }
    return sugar_struct_read("random", a->options->random, &a->call.random, sizeof a->call.random);
}

/* ---- The table of options ------------------------------------------------------------------ */

typedef struct option_entry {
    const char *name;
    size_t offset;                  /* of the member, a pointer */
    sugar_access forward, backward;
    int operands;
    uint64_t capability;
    const char *expected;
    sugar_status (*prepare)(assembly *a, int k);
} option_entry;

static const option_entry option_entries[SUGAR_OPTION_COUNT] = {
#define OPTION(member, forward, backward, operands, capability, expected)                                              \
    {#member,                                                                                                          \
     offsetof(sugar_call_options, member),                                                                             \
     SUGAR_ACCESS_##forward,                                                                                           \
     SUGAR_ACCESS_##backward,                                                                                          \
     operands,                                                                                                         \
     capability,                                                                                                       \
     expected,                                                                                                         \
     prepare_##member},
#include "call/options.def"
};

typedef struct conflict {
    bool in_forward, in_backward;
    sugar_option a, b;
} conflict;

static const conflict conflicts[] = {
#define FORWARD true, false
#define BACKWARD false, true
#define EITHER true, true
#define EXCLUDES(calls, a, b) {calls, SUGAR_OPTION_##a, SUGAR_OPTION_##b},
#include "call/options.def"
#undef FORWARD
#undef BACKWARD
#undef EITHER
};

static sugar_status check_conflicts(unsigned given, bool is_backward)
{
    for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++) {
        const conflict *c = &conflicts[i];
        if ((is_backward ? c->in_backward : c->in_forward) && given >> c->a & 1 && given >> c->b & 1)
            return sugar_error(SUGAR_ERROR_ARGUMENT, "options: %s beside %s, expected one of them",
                               option_entries[c->a].name, option_entries[c->b].name);
    }
    return SUGAR_OK;
}

static sugar_access access_of(const assembly *a, const option_entry *entry)
{
    return a->call.is_backward ? entry->backward : entry->forward;
}

/* Checks one option that is given. */
static sugar_status check_option(const assembly *a, const option_entry *entry)
{
    if (access_of(a, entry) == SUGAR_ACCESS_REFUSED)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: %s in %s, expected NULL", entry->name,
                           a->call.is_backward ? "backward" : "forward");
    if (a->options->flags & SUGAR_CALL_FROM_OUTPUT)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: %s beside SUGAR_CALL_FROM_OUTPUT (0x8), expected NULL",
                           entry->name);
    const int32_t kind = a->call.activation->forward_kind;
    if (entry->capability & ~sugar_kind_capabilities(kind))
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: %s with %s, expected %s", entry->name,
                           sugar_kinds[kind].name, entry->expected);
    return SUGAR_OK;
}

/* The checks of options that do not depend on operands. */
static sugar_status check_options(const assembly *a)
{
    sugar_status status = check_conflicts(a->call.given, a->call.is_backward);
    for (int i = 0; status == SUGAR_OK && i < SUGAR_OPTION_COUNT; i++)
        if (a->call.given >> i & 1)
            status = check_option(a, &option_entries[i]);
    return status;
}

/* Adds the operands of one option that is given. */
static sugar_status add_option(assembly *a, int option)
{
    const option_entry *entry = &option_entries[option];
    const sugar_access access = access_of(a, entry);
    const int before = a->count;
    if (access != SUGAR_ACCESS_INDEX) {
        const sugar_tensor *tensor;
        memcpy(&tensor, (const char *)a->options + entry->offset, sizeof tensor);
        a->call.place[option] = add(a, entry->name, tensor, access);
    }
    const sugar_status status = entry->prepare(a, a->call.place[option]);
    assert(status != SUGAR_OK || a->count - before == entry->operands);
    (void)before;
    return status;
}

/* Checks the reference operand, whose shape and type the options need, and adds the operands of each option. */
static sugar_status add_options(assembly *a)
{
    sugar_status status = sugar_operand_check(&a->operand[0]);
    a->reference = a->operand[0].tensor;
    for (int i = 0; status == SUGAR_OK && i < SUGAR_OPTION_COUNT; i++)
        if (a->call.given >> i & 1)
            status = add_option(a, i);
    return status;
}

/* ---- Calls --------------------------------------------------------------------------------- */

/* Whether a gradient or parameter has values though x has no elements: its strides are 0 wherever extents are 0. */
static bool has_values(const sugar_tensor *t)
{
    bool has = t->strides != NULL;
    for (int d = 0; has && d < t->ndim; d++)
        has = t->shape[d] > 0 || t->strides[d] == 0;
    return has;
}

/* A backward call without elements: sums over nothing, which are 0, are stored if the gradient has values. As in any
 * call they may not overlap the parameter. In the shape of both, a dimension in which both have a stride of 0 has
 * extent 1. */
static sugar_status sum_nothing(const assembly *a)
{
    const sugar_extended_call *c = &a->call;
    const int parameter = c->place[SUGAR_OPTION_parameter], gradient = c->place[SUGAR_OPTION_parameter_gradient];
    sugar_tensor sums = *a->operand[gradient].tensor, parameters;
    if (!has_values(&sums))
        return SUGAR_OK;
    assembly values;
    start(&values, c->activation, a->options, false);
    int64_t shape[SUGAR_MAX_DIMENSIONS];
    if (parameter != SUGAR_ABSENT && has_values(a->operand[parameter].tensor)) {
        parameters = *a->operand[parameter].tensor;
        add(&values, "parameter", &parameters, SUGAR_ACCESS_PARAMETER);
    }
    for (int d = 0; d < sums.ndim; d++) {
        const bool moves = sums.strides[d] != 0 || (values.count > 0 && parameters.strides[d] != 0);
        shape[d] = moves ? sums.shape[d] : 1;
    }
    sums.shape = parameters.shape = shape;
    const int k = add(&values, "parameter_gradient", &sums, SUGAR_ACCESS_SUM);
    sugar_walk walk, alone;
    const sugar_status status = sugar_walk_make(&walk, values.operand, values.count);
    if (status != SUGAR_OK || c->accumulate)
        return status;
    sugar_walk_alone(&alone, &walk, k);
    const int64_t size = (int64_t)alone.element_size;
    sugar_kept kept;
    sugar_kept_start(&kept, &alone, 0, 0);
    for (int64_t i = 0; i < alone.count; i++, sugar_kept_next(&kept))
        memset((char *)alone.data[0] + kept.offset * size, 0, (size_t)size);
    return SUGAR_OK;
}

/* Checks all operands, and runs the call if it has elements. */
static sugar_status run(assembly *a, const sugar_level_entry *level)
{
    sugar_extended_call *c = &a->call;
    sugar_status status = sugar_walk_make(&c->walk, a->operand, a->count);
    if (status == SUGAR_OK && c->walk.count == 0 && c->place[SUGAR_OPTION_parameter_gradient] != SUGAR_ABSENT)
        return sum_nothing(a);
    if (status != SUGAR_OK || c->walk.count == 0)
        return status;
    c->element = sugar_element_find(a->reference->dtype.code, a->reference->dtype.bits);
    c->kernels = level->kernels[c->element];
    for (int k = 0; k < a->count; k++)
        c->is_written[k] = a->operand[k].access == SUGAR_ACCESS_OUTPUT;
    int64_t samples = 0;
    status = sugar_parameter_check(c, a->options);
    if (status == SUGAR_OK && c->monitor)
        status = sugar_monitor_sum_samples(c->monitor, c->walk.count / c->monitor->units, &samples);
    if (status != SUGAR_OK)
        return status;
    sugar_extended_run(c, a->options);
    if (c->monitor)
        c->monitor->samples = samples;
    return SUGAR_OK;
}

sugar_status sugar_extended_forward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *y,
                                    const sugar_call_options *options, bool is_flat)
{
    assembly a;
    start(&a, activation, options, is_flat);
    sugar_status status = check_options(&a);
    if (status != SUGAR_OK)
        return status;
    a.call.x = add_vector(&a, "x", x, SUGAR_ACCESS_INPUT);
    status = add_options(&a);
    if (status != SUGAR_OK)
        return status;
    a.call.output = add_vector(&a, "y", y, SUGAR_ACCESS_OUTPUT);
    return run(&a, activation->level);
}

/* With a saved gradient there is no x, and dy is the reference operand. */
sugar_status sugar_extended_backward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *dy,
                                     const sugar_tensor *dx, const sugar_call_options *options, bool is_flat)
{
    assembly a;
    start(&a, activation, options, is_flat);
    a.call.is_backward = true;
    sugar_status status = check_options(&a);
    if (status == SUGAR_OK && options->saved_gradient && x)
        status = sugar_error(SUGAR_ERROR_ARGUMENT, "x: not NULL beside saved_gradient, expected NULL");
    if (status != SUGAR_OK)
        return status;
    if (!options->saved_gradient)
        a.call.x = add_vector(&a, "x", x, SUGAR_ACCESS_INPUT);
    a.call.dy = add_vector(&a, "dy", dy, SUGAR_ACCESS_INPUT);
    status = add_options(&a);
    if (status != SUGAR_OK)
        return status;
    a.call.output = add_vector(&a, "dx", dx, SUGAR_ACCESS_OUTPUT);
    return run(&a, activation->level);
}

sugar_status sugar_extended_observe(sugar_monitor *monitor, const sugar_tensor *x, const sugar_call_options *options)
{
    sugar_call_options with_monitor = *options;
    with_monitor.monitor = monitor;
    assembly a;
    start(&a, NULL, &with_monitor, false);
    a.call.x = a.call.output = add_vector(&a, "x", x, SUGAR_ACCESS_INPUT);
    const sugar_status status = add_options(&a);
    return status == SUGAR_OK ? run(&a, monitor->level) : status;
}
