/* The catalogue of kinds: the table, the search by name, and the introspection calls. */
#include "activation/catalogue.h"

#include <string.h>

#include "base/struct_size.h"
#include "base/text.h"

#define PARAMETER(name, initial, minimum, maximum) {#name, initial, minimum, maximum, false}
#define PARAMETER_UP_TO_NEXT(name, initial, minimum, maximum) {#name, initial, minimum, maximum, true}
#define KIND(name, alias, value, derivative, source, ...)                                          \
    {#name, alias, value, derivative, source, SUGAR_ROLE_FORWARD | SUGAR_ROLE_SURROGATE, {__VA_ARGS__}},
#define SURROGATE(name, alias, derivative, source, ...)                                            \
    {#name, alias, NULL, derivative, source, SUGAR_ROLE_SURROGATE, {__VA_ARGS__}},

const sugar_kind_row sugar_kinds[SUGAR_KIND_COUNT] = {
#include "kernels/kinds/kinds.def"
};

int32_t sugar_kind_parameter_count(const sugar_kind_row *kind)
{
    int32_t count = 0;
    while (count < SUGAR_MAX_PARAMETERS && kind->parameters[count].name)
        count++;
    return count;
}

/* Kinds by the lists of kinds.def. */
static bool is_among(int32_t kind, const int32_t *list)
{
    while (*list >= 0 && *list != kind)
        list++;
    return *list == kind;
}

#define KIND_END (-1)
#undef KIND
#undef SURROGATE
#undef PARAMETER
#undef PARAMETER_UP_TO_NEXT

uint64_t sugar_kind_capabilities(int32_t kind)
{
    static const int32_t learns[] = {
#define KIND(...)
#define SURROGATE(...)
#define LEARNS(name, ...) SUGAR_KIND_##name,
#include "kernels/kinds/kinds.def"
        KIND_END};
    static const int32_t from_output[] = {
#define KIND(...)
#define SURROGATE(...)
#define FROM_OUTPUT(name) SUGAR_KIND_##name,
#include "kernels/kinds/kinds.def"
        KIND_END};
    static const int32_t two_values[] = {
#define KIND(...)
#define SURROGATE(...)
#define TWO_VALUES(name) SUGAR_KIND_##name,
#include "kernels/kinds/kinds.def"
        KIND_END};
    static const int32_t unbounded[] = {
#define KIND(...)
#define SURROGATE(...)
#define UNBOUNDED(name) SUGAR_KIND_##name,
#include "kernels/kinds/kinds.def"
        KIND_END};
    static const int32_t draws[] = {
#define KIND(...)
#define SURROGATE(...)
#define DRAWS(name) SUGAR_KIND_##name,
#include "kernels/kinds/kinds.def"
        KIND_END};
    return (is_among(kind, learns) ? SUGAR_CAN_LEARN : 0) | (is_among(kind, from_output) ? SUGAR_CAN_START_FROM_OUTPUT : 0)
           | (is_among(kind, unbounded) ? 0 : SUGAR_CAN_SAVE_BYTE) | (is_among(kind, two_values) ? SUGAR_CAN_SAVE_BIT : 0)
           | (is_among(kind, draws) ? SUGAR_CAN_DRAW : 0);
}

static bool is_name(const char *name, const char *text, size_t length)
{
    return name && strlen(name) == length && memcmp(name, text, length) == 0;
}

int32_t sugar_kind_find(const char *name, size_t length)
{
    for (int32_t i = 0; i < SUGAR_KIND_COUNT; i++)
        if (is_name(sugar_kinds[i].name, name, length) || is_name(sugar_kinds[i].alias, name, length))
            return i;
    return -1;
}

const char *sugar_kind_nearest(const char *name, size_t length, uint32_t role)
{
    const char *names[2 * SUGAR_KIND_COUNT];
    size_t count = 0;
    for (int32_t i = 0; i < SUGAR_KIND_COUNT; i++) {
        if (!(sugar_kinds[i].roles & role))
            continue;
        names[count++] = sugar_kinds[i].name;
        if (sugar_kinds[i].alias)
            names[count++] = sugar_kinds[i].alias;
    }
    return sugar_nearest_name(name, length, names, count);
}

int32_t sugar_kind_count(void)
{
    return SUGAR_KIND_COUNT;
}

sugar_status sugar_kind_get(int32_t index, sugar_kind *kind)
{
    const sugar_status status = sugar_check_index("index", index, SUGAR_KIND_COUNT);
    if (status != SUGAR_OK)
        return status;
    const sugar_kind_row *row = &sugar_kinds[index];
    const sugar_kind known = {
        .name = row->name,
        .alias = row->alias,
        .roles = row->roles,
        .parameter_count = sugar_kind_parameter_count(row),
        .value = row->value,
        .derivative = row->derivative,
        .source = row->source,
        .capabilities = sugar_kind_capabilities(index),
    };
    return sugar_struct_write("kind", kind, &known, sizeof known);
}

sugar_status sugar_kind_parameter(int32_t index, int32_t parameter_index, sugar_parameter *parameter)
{
    sugar_status status = sugar_check_index("index", index, SUGAR_KIND_COUNT);
    if (status != SUGAR_OK)
        return status;
    const int32_t count = sugar_kind_parameter_count(&sugar_kinds[index]);
    status = sugar_check_index("parameter_index", parameter_index, count);
    if (status != SUGAR_OK)
        return status;
    const sugar_parameter_row *row = &sugar_kinds[index].parameters[parameter_index];
    const sugar_parameter known = {
        .name = row->name,
        .default_value = row->default_value,
        .minimum = row->minimum,
        .maximum = row->maximum,
    };
    return sugar_struct_write("parameter", parameter, &known, sizeof known);
}
