/* Extended calls: checks options by their table, makes one walk of all operands, and has the call run. */
#include "call/assemble.h"

#include <assert.h>
#include <string.h>

#include "activation/catalogue.h"
#include "base/struct_size.h"
#include "call/fused.h"
#include "call/parameter.h"
#include "call/plain.h"
#include "call/run.h"

/* A call while its operands are added. */
typedef struct assembly {
    sugar_extended_call call;
    const sugar_call_options *options;
    const sugar_tensor *reference;  /* the reference operand: all others have its shape, and its type unless codes */
    bool is_flat;
    int count;
    sugar_operand operand[SUGAR_MAX_OPERANDS];
    sugar_tensor index[SUGAR_MAX_OPERANDS];         /* index operands */
    int64_t unit_strides[SUGAR_MAX_DIMENSIONS];     /* of a monitor's */
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
    c->from_output = options->flags & SUGAR_CALL_FROM_OUTPUT;
    c->given = find_given(options);
    c->x = c->dy = c->output = SUGAR_ABSENT;
    for (int i = 0; i < SUGAR_OPTION_COUNT; i++)
        c->place[i] = SUGAR_ABSENT;
    c->summed = SUGAR_ABSENT;
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

/* Adds an index operand with the shape of a tensor, and returns its number. strides NULL: the index is the position in
 * row-major order. */
static int add_index(assembly *a, const sugar_tensor *shape, const int64_t *strides)
{
    assert(a->count < SUGAR_MAX_OPERANDS);
    sugar_tensor *index = &a->index[a->count];
    *index = *shape;
    index->strides = strides;
    return add(a, NULL, index, SUGAR_ACCESS_INDEX);
}

/* ---- What each option needs beside its operand, which has number k ------------------------------ */

/* Finds the monitor's dimension of x. */
static sugar_status find_units(const sugar_monitor *monitor, const sugar_tensor *x, int *found)
{
    const int axis = x->ndim - 1 - monitor->axis_from_end;
    if (axis < 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "x: ndim %d, expected %d or more for the monitor's axis_from_end %d",
                           (int)x->ndim, (int)monitor->axis_from_end + 1, (int)monitor->axis_from_end);
    if (x->shape[axis] != monitor->units)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "x: extent %lld in dimension %d, expected %lld, the monitor's units",
                           (long long)x->shape[axis], axis, (long long)monitor->units);
    *found = axis;
    return SUGAR_OK;
}

/* An element's unit, and so its sum, is its index in the monitor's dimension. */
static sugar_status prepare_monitor(assembly *a, int k)
{
    (void)k;
    const sugar_tensor *x = a->reference;
    int axis = 0;
    const sugar_status status = find_units(a->options->monitor, x, &axis);
    if (status != SUGAR_OK)
        return status;
    a->call.monitor = a->options->monitor;
    for (int d = 0; d < x->ndim; d++)
        a->unit_strides[d] = d == axis;
    a->call.unit_index = add_index(a, x, a->unit_strides);
    a->call.sum_index = add_index(a, x, a->unit_strides);
    return SUGAR_OK;
}

/* parameter.c checks its values. */
static sugar_status prepare_parameter(assembly *a, int k)
{
    (void)a;
    (void)k;
    return SUGAR_OK;
}

static sugar_status prepare_bias(assembly *a, int k)
{
    (void)a;
    (void)k;
    return SUGAR_OK;
}

/* A sum for each element of the gradient. Its index is broadcast as the gradient is. */
static sugar_status prepare_parameter_gradient(assembly *a, int k)
{
    a->call.summed = k;
    a->call.sum_index = add_index(a, a->operand[k].tensor, NULL);
    return SUGAR_OK;
}

static sugar_status prepare_gate(assembly *a, int k) { return prepare_bias(a, k); }
static sugar_status prepare_gate_gradient(assembly *a, int k) { return prepare_bias(a, k); }
static sugar_status prepare_bias_gradient(assembly *a, int k) { return prepare_parameter_gradient(a, k); }

/* The bounds of what is saved are those for the spec's parameter. With a tensor of parameters they would be wrong for
 * f', so the backward pass must use a surrogate alone. */
static sugar_status check_saved_range(const assembly *a)
{
    if (!a->call.activation->uses_own_derivative || !a->options->parameter)
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
    if (a->call.saves_bits && !(activation->capabilities & SUGAR_CAN_SAVE_BIT))
        return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                           "options: saved_gradient of 1 bit with %s, expected a derivative of two values, or 8 bits",
                           activation->spec);
    if (!a->call.saves_bits && !(activation->capabilities & SUGAR_CAN_SAVE_BYTE))
        return sugar_error(
            SUGAR_ERROR_UNSUPPORTED,
            "options: saved_gradient with %s, expected a derivative of finite range, 0 or at least 2^-118",
            activation->spec);
    return check_saved_range(a);
}

/* An element's slope depends on its position in row-major order. */
static sugar_status prepare_random(assembly *a, int k)
{
    (void)k;
    a->call.position_index = add_index(a, a->reference, NULL);
    return sugar_struct_read("random", a->options->random, &a->call.random, sizeof a->call.random, sugar_random_ends);
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
            return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: %s beside %s, expected one of them",
                               option_entries[c->a].name, option_entries[c->b].name);
    }
    return SUGAR_OK;
}

/* The set of options that may be given beside SUGAR_CALL_FROM_OUTPUT. */
static const unsigned from_output = 0
#define FROM_OUTPUT(member) | 1u << SUGAR_OPTION_##member
#include "call/options.def"
    ;

static sugar_access access_of(const assembly *a, const option_entry *entry)
{
    return a->call.is_backward ? entry->backward : entry->forward;
}

/* Checks one option that is given. */
static sugar_status check_option(const assembly *a, int option)
{
    const option_entry *entry = &option_entries[option];
    if (access_of(a, entry) == SUGAR_ACCESS_REFUSED)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: %s in %s, expected NULL", entry->name,
                           a->call.is_backward ? "backward" : "forward");
    if (a->options->flags & SUGAR_CALL_FROM_OUTPUT && !(from_output >> option & 1))
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: %s beside SUGAR_CALL_FROM_OUTPUT (0x8), expected NULL",
                           entry->name);
    const sugar_activation *activation = a->call.activation;
    if (entry->capability & ~activation->capabilities)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: %s with %s, expected %s", entry->name,
                           sugar_kinds[activation->parsed.forward.kind].name, entry->expected);
    return SUGAR_OK;
}

/* The checks of options that do not depend on operands. */
static sugar_status check_options(const assembly *a)
{
    sugar_status status = check_conflicts(a->call.given, a->call.is_backward);
    for (int i = 0; status == SUGAR_OK && i < SUGAR_OPTION_COUNT; i++)
        if (a->call.given >> i & 1)
            status = check_option(a, i);
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

/* x has no elements: each that the gradient has is a sum over nothing. */
static void sum_nothing(const sugar_extended_call *c)
{
    const int k = c->summed;
    if (k == SUGAR_ABSENT || c->walk.size[k] == 0 || c->accumulate)
        return;
    sugar_walk alone;
    sugar_walk_alone(&alone, &c->walk, k);
    sugar_kept kept;
    sugar_kept_start(&kept, &alone, 0, 0);
    for (int64_t i = 0; i < alone.count; i++, sugar_kept_next(&kept))
        memset((char *)alone.data[0] + kept.offset * (int64_t)alone.size[0], 0, alone.size[0]);
}

static sugar_element element_of(const sugar_tensor *tensor)
{
    return sugar_element_find(tensor->dtype.code, tensor->dtype.bits);
}

/* Whether operand k has elements of one of the element types. */
static bool has_type(const assembly *a, int k) { return a->call.walk.size[k] > 0 && !a->operand[k].is_codes; }

/* Whether a call on narrow elements is computed in f32: an option is f32, or adds to a pass what is not rounded to
 * elements. */
static bool is_wide(const assembly *a)
{
    bool wide = a->call.given
                & (1u << SUGAR_OPTION_bias | 1u << SUGAR_OPTION_bias_gradient | 1u << SUGAR_OPTION_gate
                   | 1u << SUGAR_OPTION_gate_gradient);
    for (int k = 0; k < a->count; k++)
        wide |= has_type(a, k) && element_of(a->operand[k].tensor) != element_of(a->reference);
    return wide && a->reference->dtype.bits == 16;
}

/* Sets the types in memory, and the one that tiles are computed in. */
static void choose_kernels(assembly *a, const sugar_level_entry *level)
{
    sugar_extended_call *c = &a->call;
    c->element = is_wide(a) ? SUGAR_F32 : element_of(a->reference);
    c->kernels = level->kernels[c->element];
    for (int k = 0; k < a->count; k++) {
        c->in_memory[k] = has_type(a, k) ? level->kernels[element_of(a->operand[k].tensor)] : c->kernels;
        c->in_tiles[k] = c->kernels;
    }
}

/* Two operands that share memory and passed the checks are the same view. */
static bool is_same_view(const sugar_extended_call *c, int k, int other)
{
    return other != SUGAR_ABSENT && c->walk.data[k] == c->walk.data[other];
}

/* A gradient of a bias sums up what dx is made of: they are computed together, in a buffer. That of a gate is stored
 * last where it is x or dy, which dx has to be computed from. */
static void set_outputs(assembly *a)
{
    sugar_extended_call *c = &a->call;
    for (int k = 0; k < a->count; k++) {
        c->is_written[k] = a->operand[k].access == SUGAR_ACCESS_OUTPUT;
        c->is_streamed[k] = false;
        c->is_staged[k] =
            (k == c->place[SUGAR_OPTION_gate_gradient] && (is_same_view(c, k, c->x) || is_same_view(c, k, c->dy)))
            || (k == c->output && c->place[SUGAR_OPTION_bias_gradient] != SUGAR_ABSENT && !c->accumulate);
    }
}

/* Whether all operands that are not broadcast have the type of the reference. */
static bool has_one_type(const assembly *a)
{
    bool one = true;
    for (int k = 0; k < a->count; k++)
        if (has_type(a, k) && k != a->call.place[SUGAR_OPTION_bias] && k != a->call.place[SUGAR_OPTION_bias_gradient])
            one &= element_of(a->operand[k].tensor) == a->call.type;
    return one;
}

static void choose_fused(assembly *a)
{
    sugar_extended_call *c = &a->call;
    c->type = element_of(a->reference);
    c->is_fused = sugar_can_fuse(c) && has_one_type(a);
    for (int k = 0; k < a->count && c->is_fused; k++) {
        c->is_staged[k] = false;
        if (k != c->place[SUGAR_OPTION_bias])
            c->in_tiles[k] = c->in_memory[k];
    }
}

/* Checks all operands, and runs the call if it has elements. */
static sugar_status run(assembly *a, const sugar_level_entry *level)
{
    sugar_extended_call *c = &a->call;
    sugar_status status = sugar_walk_make(&c->walk, a->operand, a->count);
    if (status != SUGAR_OK)
        return status;
    if (c->walk.count == 0) {
        sum_nothing(c);
        return SUGAR_OK;
    }
    choose_kernels(a, level);
    set_outputs(a);
    choose_fused(a);
    int64_t samples = 0, calls;
    status = sugar_parameter_check(c, a->options);
    if (status == SUGAR_OK && c->monitor)
        status = sugar_monitor_sum_samples(c->monitor, c->walk.count / c->monitor->units, &samples);
    if (status == SUGAR_OK && c->monitor)
        status = sugar_monitor_sum_calls(c->monitor, 1, &calls);
    if (status != SUGAR_OK)
        return status;
    sugar_extended_run(c, a->options);
    if (c->monitor) {
        c->monitor->samples = samples;
        sugar_monitor_count_call(c->monitor);
    }
    return SUGAR_OK;
}

/* ---- Calls that their monitor does not observe ---------------------------------------------- */

/* Checks all that an observed call would: a mistake does not wait for the next one. */
static sugar_status check_unobserved(const sugar_monitor *monitor, const sugar_operand *x)
{
    int axis;
    int64_t calls;
    sugar_status status = sugar_operand_check(x);
    if (status == SUGAR_OK)
        status = find_units(monitor, x->tensor, &axis);
    return status == SUGAR_OK ? sugar_monitor_sum_calls(monitor, 1, &calls) : status;
}

static void count_unobserved(sugar_monitor *monitor, const sugar_tensor *x)
{
    bool empty = false;
    for (int d = 0; d < x->ndim; d++)
        empty = empty || x->shape[d] == 0;
    if (!empty)
        sugar_monitor_count_call(monitor);
}

/* Without the monitor it may be a plain call. */
static sugar_status forward_unobserved(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *y,
                                       const sugar_call_options *options, bool is_flat)
{
    const sugar_operand operands[] = {
        {.name = "x", .tensor = x, .is_flat = is_flat},
        {.name = "y", .tensor = y, .access = SUGAR_ACCESS_OUTPUT, .is_flat = is_flat},
    };
    sugar_call_options rest = *options;
    rest.monitor = NULL;
    sugar_status status = check_unobserved(options->monitor, operands);
    if (status == SUGAR_OK)
        status = sugar_is_extended(&rest) ? sugar_extended_forward(activation, x, y, &rest, is_flat)
                                          : sugar_plain_run(activation, operands, 2, &rest);
    if (status == SUGAR_OK)
        count_unobserved(options->monitor, x);
    return status;
}

static sugar_status observe_nothing(sugar_monitor *monitor, const sugar_tensor *x)
{
    const sugar_status status = check_unobserved(monitor, &(sugar_operand){.name = "x", .tensor = x});
    if (status == SUGAR_OK)
        count_unobserved(monitor, x);
    return status;
}

/* ---- The three calls ------------------------------------------------------------------------ */

sugar_status sugar_extended_forward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *y,
                                    const sugar_call_options *options, bool is_flat)
{
    if (options->monitor && !sugar_monitor_is_due(options->monitor))
        return forward_unobserved(activation, x, y, options, is_flat);
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
    if (!sugar_monitor_is_due(monitor))
        return observe_nothing(monitor, x);
    sugar_call_options with_monitor = *options;
    with_monitor.monitor = monitor;
    assembly a;
    start(&a, NULL, &with_monitor, false);
    a.call.x = a.call.output = add_vector(&a, "x", x, SUGAR_ACCESS_INPUT);
    const sugar_status status = add_options(&a);
    return status == SUGAR_OK ? run(&a, monitor->level) : status;
}
