/* The library's catalogue joined with the reference; see catalogue.h. */
#include "catalogue.h"
#include "../support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int get_parameters(int32_t index, const sugar_kind *kind, catalogue_entry *entry,
                          char problem[PROBLEM_SIZE])
{
    const char *const *names = entry->reference->parameters;
    int expected = 0;
    while (names[expected])
        expected++;
    if (kind->parameter_count != expected) {
        snprintf(problem, PROBLEM_SIZE, "%s: the library has %d parameters, the reference %d",
                 kind->name, (int)kind->parameter_count, expected);
        return -1;
    }
    entry->parameters = expected;
    for (int i = 0; i < expected; i++) {
        entry->parameter[i].struct_size = sizeof entry->parameter[i];
        if (sugar_kind_parameter(index, i, &entry->parameter[i]) != SUGAR_OK) {
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

/* Six places of a range: its ends, and values near and far on both sides of the default. */
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
static void add_set(const catalogue_entry *entry, double sets[][REFERENCE_PARAMETERS], int *count,
                    const double *p)
{
    double *set = sets[(*count)++];
    memcpy(set, p, REFERENCE_PARAMETERS * sizeof *set);
    if (entry->reference->ordered && set[0] > set[1]) {
        set[0] = p[1];
        set[1] = p[0];
    }
}

int catalogue_parameter_sets(const catalogue_entry *entry,
                             double sets[PARAMETER_SETS][REFERENCE_PARAMETERS])
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

enum { BLOCK = 1024 };

static const sugar_call_options from_output = {.struct_size = sizeof from_output, .flags = SUGAR_CALL_FROM_OUTPUT};

static sugar_status evaluate_f32(const sugar_activation *activation, direction way, size_t n,
                                 const double *x, double *y)
{
    float narrow[BLOCK], result[BLOCK];
    const float one = 1;
    const sugar_call_options *options = way == FROM_OUTPUT ? &from_output : NULL;
    for (size_t i = 0; i < n; i++)
        narrow[i] = (float)x[i];
    sugar_status status =
        way == VALUE
            ? sugar_forward_f32(activation, (int64_t)n, narrow, 1, result, 1, NULL)
            : sugar_backward_f32(activation, (int64_t)n, narrow, 1, &one, 0, result, 1, options);
    for (size_t i = 0; i < n && status == SUGAR_OK; i++)
        y[i] = (double)result[i];
    return status;
}

static sugar_status evaluate_f64(const sugar_activation *activation, direction way, size_t n,
                                 const double *x, double *y)
{
    const double one = 1;
    const sugar_call_options *options = way == FROM_OUTPUT ? &from_output : NULL;
    return way == VALUE ? sugar_forward_f64(activation, (int64_t)n, x, 1, y, 1, NULL)
                        : sugar_backward_f64(activation, (int64_t)n, x, 1, &one, 0, y, 1, options);
}

sugar_status catalogue_evaluate(const sugar_activation *activation, const element *type,
                                direction way, size_t n, const double *x, double *y)
{
    sugar_status status = SUGAR_OK;
    for (size_t start = 0; start < n && status == SUGAR_OK; start += BLOCK) {
        size_t part = n - start < BLOCK ? n - start : BLOCK;
        status = type == &element_f32 ? evaluate_f32(activation, way, part, x + start, y + start)
                                      : evaluate_f64(activation, way, part, x + start, y + start);
    }
    return status;
}
