/* The operands of extended calls: checked against the activation and each other, and made into one walk. */
#include "call/extended.h"

#include <math.h>
#include <string.h>

#include "activation/activation.h"
#include "activation/catalogue.h"
#include "base/struct_size.h"
#include "view/tensor.h"

/* Operands as they are put together. */
typedef struct list {
    int count;
    bool is_flat;
    sugar_operand operand[SUGAR_MAX_OPERANDS];
    sugar_tensor numbers[SUGAR_MAX_OPERANDS];       /* of operands that number elements */
    int64_t strides[SUGAR_MAX_OPERANDS][SUGAR_MAX_DIMENSIONS];
} list;

static int add(list *l, const char *name, const sugar_tensor *tensor, sugar_role role)
{
    l->operand[l->count] = (sugar_operand){.name = name, .tensor = tensor, .role = role};
    l->operand[l->count].is_flat = l->is_flat && (role == SUGAR_INPUT || role == SUGAR_OUTPUT);
    return l->count++;
}

/* An operand of the shape of `like` that numbers elements by l->strides[its place]. */
static int add_numbers(list *l, const sugar_tensor *like)
{
    l->numbers[l->count] = *like;
    l->numbers[l->count].strides = l->strides[l->count];
    return add(l, NULL, &l->numbers[l->count], SUGAR_NUMBERS);
}

static sugar_extended_call start(const sugar_activation *activation, const sugar_call_options *options)
{
    return (sugar_extended_call){
        .activation = activation,
        .random = options->random,
        .accumulate = options->flags & SUGAR_CALL_ACCUMULATE,
        .x = SUGAR_ABSENT,
        .dy = SUGAR_ABSENT,
        .output = SUGAR_ABSENT,
        .parameter = SUGAR_ABSENT,
        .gradient = SUGAR_ABSENT,
        .saved = SUGAR_ABSENT,
        .units = SUGAR_ABSENT,
        .local = SUGAR_ABSENT,
        .position = SUGAR_ABSENT,
    };
}

/* ---- What the options add ------------------------------------------------------------------ */

/* The units of a monitor lie on one dimension of x. */
static sugar_status add_monitor(sugar_extended_call *c, list *l, sugar_monitor *monitor, const sugar_tensor *x)
{
    const int axis = monitor->axis < 0 ? monitor->axis + x->ndim : monitor->axis;
    if (axis < 0 || axis >= x->ndim)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "x: ndim %d, expected a dimension %d, the monitor's axis",
                           (int)x->ndim, (int)monitor->axis);
    if (x->shape[axis] != monitor->units)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "x: extent %lld in dimension %d, expected %lld, the monitor's units",
                           (long long)x->shape[axis], axis, (long long)monitor->units);
    c->monitor = monitor;
    c->units = add_numbers(l, x);
    c->local = add_numbers(l, x);
    for (int d = 0; d < x->ndim; d++)
        l->strides[c->units][d] = l->strides[c->local][d] = d == axis;
    return SUGAR_OK;
}

static sugar_status check_learns(const sugar_activation *activation, const char *name)
{
    const sugar_kind_row *kind = &sugar_kinds[activation->forward_kind];
    if (sugar_kind_capabilities(activation->forward_kind) & SUGAR_CAN_LEARN)
        return SUGAR_OK;
    return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: %s with %s, expected a kind whose parameter can be learned",
                       name, kind->name);
}

/* Row-major order goes on by one more extent. Only shapes without elements overflow. */
static int64_t next_step(int64_t step, int64_t extent)
{
    int64_t next;
    return __builtin_mul_overflow(step, extent, &next) ? 0 : next;
}

/* Sums are numbered where the gradient has strides. */
static void add_gradient(sugar_extended_call *c, list *l, const sugar_tensor *gradient)
{
    c->gradient = add(l, "parameter_gradient", gradient, SUGAR_SUM);
    c->local = add_numbers(l, gradient);
    int64_t sums = 1;
    for (int d = gradient->ndim - 1; d >= 0; d--) {
        const bool is_summed = gradient->strides && gradient->strides[d] == 0;
        l->strides[c->local][d] = is_summed ? 0 : sums;
        sums = next_step(sums, is_summed ? 1 : gradient->shape[d]);
    }
}

/* Elements in row-major order. */
static void add_position(sugar_extended_call *c, list *l, const sugar_tensor *like)
{
    c->position = add_numbers(l, like);
    int64_t step = 1;
    for (int d = like->ndim - 1; d >= 0; d--) {
        l->strides[c->position][d] = step;
        step = next_step(step, like->shape[d]);
    }
}

static sugar_status check_random(const sugar_activation *activation, const sugar_random *random, sugar_random *known)
{
    const sugar_kind_row *kind = &sugar_kinds[activation->forward_kind];
    if (!(sugar_kind_capabilities(activation->forward_kind) & SUGAR_CAN_DRAW))
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: random with %s, expected rrelu", kind->name);
    return sugar_struct_read("random", random, known, sizeof *known);
}

/* ---- Calls --------------------------------------------------------------------------------- */

/* Whether a view of a shape without elements has values all the same: whatever has no extent has no stride. */
static bool has_values(const sugar_tensor *t)
{
    bool has = t->strides != NULL;
    for (int d = 0; has && d < t->ndim; d++)
        has = t->shape[d] > 0 || t->strides[d] == 0;
    return has;
}

/* The sum over nothing is 0: for a call without elements, whose gradient may have values, which the parameter may not
 * share, as in any other call. A dimension in which neither moves counts as 1 index. */
static sugar_status sum_nothing(const sugar_extended_call *c, const list *l)
{
    sugar_tensor sums = *l->operand[c->gradient].tensor, parameters;
    if (!has_values(&sums))
        return SUGAR_OK;
    list values = {.count = 0};
    int64_t shape[SUGAR_MAX_DIMENSIONS];
    if (c->parameter != SUGAR_ABSENT && has_values(l->operand[c->parameter].tensor)) {
        parameters = *l->operand[c->parameter].tensor;
        add(&values, "parameter", &parameters, SUGAR_PARAMETER);
    }
    for (int d = 0; d < sums.ndim; d++) {
        const bool moves = sums.strides[d] != 0 || (values.count > 0 && parameters.strides[d] != 0);
        shape[d] = moves ? sums.shape[d] : 1;
    }
    sums.shape = parameters.shape = shape;
    const int place = add(&values, "parameter_gradient", &sums, SUGAR_SUM);
    sugar_walk walk, alone;
    const sugar_status status = sugar_walk_make(&walk, values.operand, values.count);
    if (status != SUGAR_OK || c->accumulate)
        return status;
    sugar_walk_alone(&alone, &walk, place);
    const int64_t size = (int64_t)alone.element_size;
    sugar_kept kept;
    sugar_kept_start(&kept, &alone, 0, 0);
    for (int64_t i = 0; i < alone.count; i++, sugar_kept_next(&kept))
        memset((char *)alone.data[0] + kept.offset * size, 0, (size_t)size);
    return SUGAR_OK;
}

/* Checks all operands, and runs a call that has any element. */
static sugar_status run(sugar_extended_call *c, const list *l, const sugar_level_row *level,
                        const sugar_call_options *options)
{
    sugar_status status = sugar_walk_make(&c->walk, l->operand, l->count);
    if (status == SUGAR_OK && c->walk.count == 0 && c->gradient != SUGAR_ABSENT)
        return sum_nothing(c, l);
    if (status != SUGAR_OK || c->walk.count == 0)
        return status;
    const sugar_data_type type = l->operand[0].tensor->dtype;
    c->element = sugar_element_find(type.code, type.bits);
    c->kernels = level->kernels[c->element];
    for (int k = 0; k < l->count; k++)
        c->is_written[k] = l->operand[k].role == SUGAR_OUTPUT;
    int64_t samples = 0;
    status = sugar_parameter_check(c, options);
    if (status == SUGAR_OK && c->monitor)
        status = sugar_monitor_add_samples(c->monitor, c->walk.count / c->monitor->units, &samples);
    if (status != SUGAR_OK)
        return status;
    sugar_extended_run(c, options);
    if (c->monitor)
        c->monitor->samples = samples;
    return SUGAR_OK;
}

/* What forward and backward have in common: like is the operand that the others must be like. */
static sugar_status add_common(sugar_extended_call *c, list *l, const sugar_tensor *like,
                               const sugar_call_options *options, sugar_random *random)
{
    sugar_status status = SUGAR_OK;
    if (options->parameter && options->random)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: parameter and random, expected one of them");
    if (options->parameter) {
        status = check_learns(c->activation, "parameter");
        c->parameter = add(l, "parameter", options->parameter, SUGAR_PARAMETER);
    }
    if (options->random && options->saved_gradient)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: saved_gradient and random, expected one of them");
    if (status == SUGAR_OK && options->random) {
        status = check_random(c->activation, options->random, random);
        c->random = random;
        add_position(c, l, like);
    }
    return status;
}

static bool has_two_values(const sugar_activation *activation, sugar_data_type type)
{
    return activation->passes[sugar_element_find(type.code, type.bits)].values.are_all;
}

/* like: the operand whose type computes, checked already. */
static sugar_status add_saved(sugar_extended_call *c, list *l, const sugar_tensor *saved, sugar_role role,
                              const sugar_tensor *like)
{
    const sugar_activation *activation = c->activation;
    c->saved = add(l, "saved_gradient", saved, role);
    l->operand[c->saved].is_codes = true;
    l->operand[c->saved].is_flat = false;
    c->saves_bits = sugar_is_bits(&l->operand[c->saved]);
    if (c->saves_bits && !has_two_values(activation, like->dtype))
        return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                           "options: saved_gradient of 1 bit with %s, expected a derivative of two values, or 8 bits",
                           activation->spec);
    if (!c->saves_bits && !(activation->maximum - activation->minimum < (double)INFINITY))
        return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                           "options: saved_gradient with %s, expected a derivative of finite range", activation->spec);
    return SUGAR_OK;
}

/* The range of what is saved is that of the spec's parameter. */
static sugar_status check_saved_range(const sugar_activation *activation, const sugar_call_options *options)
{
    const bool uses_own = !activation->passes[SUGAR_F64].has_surrogate || activation->passes[SUGAR_F64].derivative
                          || !activation->passes[SUGAR_F32].has_surrogate;
    if (!options->saved_gradient || !uses_own || !options->parameter)
        return SUGAR_OK;
    return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: parameter beside a saved_gradient with %s, expected NULL, or "
                       "a surrogate alone in the backward pass", activation->spec);
}

sugar_status sugar_extended_forward(const sugar_activation *activation, const sugar_tensor *x,
                                    const sugar_tensor *y, const sugar_call_options *options, bool is_flat)
{
    list l = {.is_flat = is_flat};
    sugar_extended_call c = start(activation, options);
    sugar_random random;
    c.x = add(&l, "x", x, SUGAR_INPUT);
    sugar_status status = sugar_operand_check(&l.operand[c.x]);
    if (status == SUGAR_OK && options->parameter_gradient)
        status = sugar_error(SUGAR_ERROR_ARGUMENT, "options: parameter_gradient in forward, expected NULL");
    if (status == SUGAR_OK)
        status = add_common(&c, &l, x, options, &random);
    if (status == SUGAR_OK && options->monitor)
        status = add_monitor(&c, &l, options->monitor, x);
    if (status == SUGAR_OK && options->saved_gradient)
        status = add_saved(&c, &l, options->saved_gradient, SUGAR_OUTPUT, x);
    if (status == SUGAR_OK)
        status = check_saved_range(activation, options);
    if (status != SUGAR_OK)
        return status;
    c.output = add(&l, "y", y, SUGAR_OUTPUT);
    return run(&c, &l, activation->level, options);
}

/* Where the gradient has been saved there is no x. */
static sugar_status check_source(const sugar_tensor *x, const sugar_call_options *options)
{
    if (options->monitor)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: monitor in backward, expected NULL");
    const char *beside = options->parameter ? "parameter" : options->random ? "random" :
                         options->parameter_gradient ? "parameter_gradient" : NULL;
    if (options->flags & SUGAR_CALL_FROM_OUTPUT)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: %s beside SUGAR_CALL_FROM_OUTPUT (0x8), expected NULL",
                           beside ? beside : "saved_gradient");
    if (!options->saved_gradient)
        return SUGAR_OK;
    if (x)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "x: a tensor beside a saved_gradient, expected NULL");
    if (beside)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: %s beside a saved_gradient, expected NULL", beside);
    return SUGAR_OK;
}

sugar_status sugar_extended_backward(const sugar_activation *activation, const sugar_tensor *x,
                                     const sugar_tensor *dy, const sugar_tensor *dx,
                                     const sugar_call_options *options, bool is_flat)
{
    list l = {.is_flat = is_flat};
    sugar_extended_call c = start(activation, options);
    sugar_random random;
    c.is_backward = true;
    sugar_status status = check_source(x, options);
    if (status != SUGAR_OK)
        return status;
    const sugar_tensor *like = options->saved_gradient ? dy : x;
    if (!options->saved_gradient)
        c.x = add(&l, "x", x, SUGAR_INPUT);
    c.dy = add(&l, "dy", dy, SUGAR_INPUT);
    status = sugar_operand_check(&l.operand[0]);
    if (status == SUGAR_OK && options->saved_gradient)
        status = add_saved(&c, &l, options->saved_gradient, SUGAR_INPUT, dy);
    if (status == SUGAR_OK)
        status = add_common(&c, &l, like, options, &random);
    if (status == SUGAR_OK && options->parameter_gradient) {
        status = check_learns(activation, "parameter_gradient");
        if (status == SUGAR_OK)
            status = sugar_operand_check(&(sugar_operand){.name = "parameter_gradient",
                                                          .tensor = options->parameter_gradient});
        if (status == SUGAR_OK)
            add_gradient(&c, &l, options->parameter_gradient);
    }
    if (status != SUGAR_OK)
        return status;
    c.output = add(&l, "dx", dx, SUGAR_OUTPUT);
    return run(&c, &l, activation->level, options);
}

sugar_status sugar_extended_observe(sugar_monitor *monitor, const sugar_level_row *level, const sugar_tensor *x,
                                    const sugar_call_options *options)
{
    list l = {.count = 0};
    sugar_extended_call c = start(NULL, options);
    c.x = c.output = add(&l, "x", x, SUGAR_INPUT);
    sugar_status status = sugar_operand_check(&l.operand[c.x]);
    if (status == SUGAR_OK)
        status = add_monitor(&c, &l, monitor, x);
    return status == SUGAR_OK ? run(&c, &l, level, options) : status;
}
