/* The library's catalogue joined with the reference; see catalogue.h. */
#include "catalogue.h"
#include "../support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int get_parameters(int32_t index, const sugar_kind *kind, catalogue_entry *entry, char problem[PROBLEM_SIZE])
{
    const char *const *names = entry->reference->parameters;
    int expected = 0;
    while (names[expected])
        expected++;
    if (kind->parameter_count != expected) {
        snprintf(problem, PROBLEM_SIZE, "%s: the library has %d parameters, the reference %d", kind->name,
                 (int)kind->parameter_count, expected);
        return -1;
    }
    entry->parameters = expected;
    for (int i = 0; i < expected; i++) {
        entry->parameter[i].struct_size = sizeof entry->parameter[i];
        if (sugar_kind_get_parameter(index, i, &entry->parameter[i]) != SUGAR_OK) {
            snprintf(problem, PROBLEM_SIZE, "%s: %s", kind->name, sugar_last_error());
            return -1;
        }
        if (strcmp(entry->parameter[i].name, names[i]) != 0) {
            snprintf(problem, PROBLEM_SIZE, "%s: parameter %d is %s, the reference has %s", kind->name, i,
                     entry->parameter[i].name, names[i]);
            return -1;
        }
    }
    return 0;
}

int catalogue_get(int32_t index, catalogue_entry *entry, char problem[PROBLEM_SIZE])
{
    sugar_kind kind = {.struct_size = sizeof kind};
    if (sugar_kind_get(index, &kind) != SUGAR_OK) {
        snprintf(problem, PROBLEM_SIZE, "kind %d: %s", (int)index, sugar_last_error());
        return -1;
    }
    entry->reference = reference_find(kind.name);
    if (!entry->reference) {
        snprintf(problem, PROBLEM_SIZE, "%s: tests/accuracy/reference.c has no row for this kind", kind.name);
        return -1;
    }
    int forward = (kind.roles & SUGAR_ROLE_FORWARD) != 0;
    if (forward != (entry->reference->function[VALUE] != NULL)) {
        snprintf(problem, PROBLEM_SIZE, "%s: %s", kind.name,
                 forward ? "the reference has no value" : "the reference has a value, the library none");
        return -1;
    }
    const int learns = (kind.capabilities & SUGAR_CAN_LEARN) != 0;
    if (learns != (entry->reference->function[PARAMETER_DERIVATIVE] != NULL)) {
        snprintf(problem, PROBLEM_SIZE, "%s: %s", kind.name,
                 learns ? "it learns, the reference has no parameter derivative"
                        : "the reference has a parameter derivative, it does not learn");
        return -1;
    }
    const int twice = (kind.capabilities & SUGAR_CAN_DIFFERENTIATE_TWICE) != 0;
    if (twice != (entry->reference->function[SECOND] != NULL)) {
        snprintf(problem, PROBLEM_SIZE, "%s: %s", kind.name,
                 twice ? "the reference has no second derivative"
                       : "the reference has a second derivative, the library none");
        return -1;
    }
    return get_parameters(index, &kind, entry, problem);
}

int catalogue_has(const char *name)
{
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        if (sugar_kind_get(i, &kind) == SUGAR_OK && strcmp(kind.name, name) == 0)
            return 1;
    }
    return 0;
}

const char *catalogue_stale_row(void)
{
    for (int row = 0; row < reference_kind_count; row++)
        if (!catalogue_has(reference_kinds[row].name))
            return reference_kinds[row].name;
    return NULL;
}

/* Six values of a range: its ends, and values near the default and far from it, on both sides. */
enum { PLACES = 6 };
static double place_in_range(const sugar_parameter *parameter, int place)
{
    double low = parameter->minimum, high = parameter->maximum, usual = parameter->default_value;
    if (low >= 0 && place >= 4)
        return place == 4 ? sqrt(fmax(low, 1e-6) * usual) : sqrt(high * fmax(usual, 1e-6));
    switch (place) {
    case 0: return low;
    case 1: return high;
    case 2: return fmin(fmax(0.37 * usual, low), high);
    case 3: return fmin(2.9 * usual + 0.1, high);
    case 4: return -usual - 0.3;
    default: return low < 0 ? 0 : usual;
    }
}

/* One more set, in the order that the kind asks for. */
static void add_set(const catalogue_entry *entry, double sets[][REFERENCE_PARAMETERS], int *count, const double *p)
{
    double *set = sets[(*count)++];
    memcpy(set, p, REFERENCE_PARAMETERS * sizeof *set);
    if (entry->reference->ordered && set[0] > set[1]) {
        set[0] = p[1];
        set[1] = p[0];
    }
}

int catalogue_parameter_sets(const catalogue_entry *entry, double sets[PARAMETER_SETS][REFERENCE_PARAMETERS])
{
    double usual[REFERENCE_PARAMETERS] = {0};
    for (int i = 0; i < entry->parameters; i++)
        usual[i] = entry->parameter[i].default_value;
    int count = 0;
    add_set(entry, sets, &count, usual);
    for (int i = 0; i < entry->parameters; i++)
        for (int place = 0; place < PLACES; place++) {
            double p[REFERENCE_PARAMETERS];
            memcpy(p, usual, sizeof p);
            p[i] = place_in_range(&entry->parameter[i], place);
            add_set(entry, sets, &count, p);
        }
    uint64_t state = 1;
    for (int joint = 0; joint < 5 && entry->parameters > 1; joint++) {
        double p[REFERENCE_PARAMETERS] = {0};
        for (int i = 0; i < entry->parameters; i++) {
            int place = joint < 2 ? joint : (int)random_between(&state, 0, PLACES - 1);
            p[i] = place_in_range(&entry->parameter[i], place);
        }
        add_set(entry, sets, &count, p);
    }
    return count;
}

void catalogue_spec(const catalogue_entry *entry, const double *p, char spec[SPEC_SIZE])
{
    const char *before = entry->reference->function[VALUE] ? "" : "heaviside~";
    int length = snprintf(spec, SPEC_SIZE, "%s%s", before, entry->reference->name);
    for (int i = 0; i < entry->parameters; i++)
        length += snprintf(spec + length, SPEC_SIZE - (size_t)length, "%s%s=%.17g%s", i ? "," : "(",
                           entry->parameter[i].name, p[i], i + 1 == entry->parameters ? ")" : "");
}

double catalogue_round_parameter(const catalogue_entry *entry, const element *type, double value)
{
    const sugar_parameter *parameter = &entry->parameter[0];
    const double rounded = element_round(type, value);
    const int64_t place = element_place(type, rounded);
    /* Of f32, the ends themselves are rounded. */
    if (rounded < element_round(type->arithmetic, parameter->minimum))
        return element_at(type, place + 1);
    if (rounded > element_round(type->arithmetic, parameter->maximum))
        return element_at(type, place - 1);
    return rounded;
}

/* g''(x) into y, like `like`, with 1 for dy and v. */
static sugar_status call_twice(const sugar_activation *activation, const sugar_tensor *like, const void *x, void *one,
                               void *y)
{
    const int64_t repeated = 0;
    sugar_tensor input = *like, unit = *like, output = *like;
    memcpy(&input.data, &x, sizeof x);
    unit.data = one;
    unit.strides = &repeated;
    output.data = y;
    return sugar_backward_twice(activation, &input, &unit, &unit, NULL, &output, NULL);
}

sugar_status catalogue_call(const sugar_activation *activation, const element *type, direction way, size_t n,
                            const void *x, const void *parameter, void *y)
{
    const element_format *format = &element_formats[type->type];
    const int64_t shape = (int64_t)n, step = 1;
    const sugar_tensor like = {
        .device = {SUGAR_DEVICE_CPU, 0}, .ndim = 1, .dtype = format->dtype, .shape = &shape, .strides = &step};
    sugar_tensor values = like, gradient = like;
    sugar_call_options options = {.struct_size = sizeof options,
                                  .flags = way == FROM_OUTPUT ? SUGAR_CALL_FROM_OUTPUT : 0};
    memcpy(&values.data, &parameter, sizeof parameter);
    gradient.data = y;
    if (parameter)
        options.parameter = &values;
    if (way == VALUE)
        return flat_forward(activation, type->type, shape, x, 1, y, 1, &options);
    uint64_t one;
    element_store(&one, 0, type->type, element_of(1, type->type));
    if (way == SECOND)
        return call_twice(activation, &like, x, &one, y);
    if (way != PARAMETER_DERIVATIVE)
        return flat_backward(activation, type->type, shape, x, 1, &one, 0, y, 1, &options);
    options.parameter_gradient = &gradient;
    void *dx = malloc(n * format->width + 1);
    if (!dx)
        return SUGAR_ERROR_OUT_OF_MEMORY;
    const sugar_status status = flat_backward(activation, type->type, shape, x, 1, &one, 0, dx, 1, &options);
    free(dx);
    return status;
}

/* Each x twice: with its parameter, and with one of three others, whose results are ignored. */
enum { BLOCK = 1024 };
static sugar_status evaluate_block(const sugar_activation *activation, const catalogue_entry *entry,
                                   const element *type, direction way, const double *parameter, size_t n,
                                   const double *x, double *y)
{
    const double others[] = {entry->parameter[0].minimum, entry->parameter[0].maximum, 1};
    uint64_t at[2 * BLOCK], own[2 * BLOCK], found[2 * BLOCK];
    for (size_t i = 0; i < 2 * n; i++) {
        element_store(at, (int64_t)i, type->type, element_of(x[i / 2], type->type));
        if (parameter) {
            const double p = catalogue_round_parameter(entry, type, i % 2 == 0 ? *parameter : others[i / 2 % 3]);
            element_store(own, (int64_t)i, type->type, element_of(p, type->type));
        }
    }
    const sugar_status status = catalogue_call(activation, type, way, 2 * n, at, parameter ? own : NULL, found);
    for (size_t i = 0; i < n && status == SUGAR_OK; i++)
        y[i] = element_value(element_load(found, 2 * (int64_t)i, type->type), type->type);
    return status;
}

sugar_status catalogue_evaluate(const sugar_activation *activation, const catalogue_entry *entry, const element *type,
                                direction way, const double *parameter, size_t n, const double *x, double *y)
{
    sugar_status status = SUGAR_OK;
    for (size_t start = 0; start < n && status == SUGAR_OK; start += BLOCK) {
        const size_t part = n - start < BLOCK ? n - start : BLOCK;
        status = evaluate_block(activation, entry, type, way, parameter, part, x + start, y + start);
    }
    return status;
}
