/* The catalogue of kinds: the table, the search by name, and the introspection calls. */
#include "activation/catalogue.h"

#include <string.h>

#include "base/struct_size.h"
#include "base/text.h"

#define PARAMETER(name, initial, minimum, maximum) {#name, initial, minimum, maximum, false}
#define PARAMETER_UP_TO_NEXT(name, initial, minimum, maximum) {#name, initial, minimum, maximum, true}
#define KIND(name, alias, value, derivative, source, ...)                                                              \
    {#name, alias, value, derivative, source, SUGAR_ROLE_FORWARD | SUGAR_ROLE_SURROGATE, {__VA_ARGS__}},
#define SURROGATE(name, alias, derivative, source, ...)                                                                \
    {#name, alias, NULL, derivative, source, SUGAR_ROLE_SURROGATE, {__VA_ARGS__}},

const sugar_kind_entry sugar_kinds[SUGAR_KIND_COUNT] = {
#include "kernels/kinds/kinds.def"
};

int32_t sugar_kind_parameter_count(const sugar_kind_entry *kind)
{
    int32_t count = 0;
    while (count < SUGAR_MAX_PARAMETERS && kind->parameters[count].name)
        count++;
    return count;
}

/* From the lists at the end of kinds.def. */
uint64_t sugar_kind_capabilities(int32_t kind)
{
    uint64_t can = SUGAR_CAN_SAVE_BYTE;
#define LEARNS(name, ...) can |= kind == SUGAR_KIND_##name ? SUGAR_CAN_LEARN : 0;
#define FROM_OUTPUT(name) can |= kind == SUGAR_KIND_##name ? SUGAR_CAN_START_FROM_OUTPUT : 0;
#define TWO_VALUES(name) can |= kind == SUGAR_KIND_##name ? SUGAR_CAN_SAVE_BIT : 0;
#define DRAWS(name) can |= kind == SUGAR_KIND_##name ? SUGAR_CAN_DRAW : 0;
#define SECOND(name, ...) can |= kind == SUGAR_KIND_##name ? SUGAR_CAN_DIFFERENTIATE_TWICE : 0;
#define UNBOUNDED(name) can &= kind == SUGAR_KIND_##name ? ~(uint64_t)SUGAR_CAN_SAVE_BYTE : UINT64_MAX;
#include "kernels/kinds/kinds.def"
    return can;
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

int32_t sugar_kind_count(void) { return SUGAR_KIND_COUNT; }

sugar_status sugar_kind_get(int32_t index, sugar_kind *kind)
{
    const sugar_status status = sugar_check_index("index", index, SUGAR_KIND_COUNT);
    if (status != SUGAR_OK)
        return status;
    const sugar_kind_entry *entry = &sugar_kinds[index];
    const sugar_kind known = {
        .name = entry->name,
        .alias = entry->alias,
        .roles = entry->roles,
        .parameter_count = sugar_kind_parameter_count(entry),
        .value = entry->value,
        .derivative = entry->derivative,
        .source = entry->source,
        .capabilities = sugar_kind_capabilities(index),
    };
    return sugar_struct_write("kind", kind, &known, sizeof known, sugar_kind_ends);
}

sugar_status sugar_kind_get_parameter(int32_t index, int32_t parameter_index, sugar_parameter *parameter)
{
    sugar_status status = sugar_check_index("index", index, SUGAR_KIND_COUNT);
    if (status != SUGAR_OK)
        return status;
    const int32_t count = sugar_kind_parameter_count(&sugar_kinds[index]);
    status = sugar_check_index("parameter_index", parameter_index, count);
    if (status != SUGAR_OK)
        return status;
    const sugar_parameter_entry *entry = &sugar_kinds[index].parameters[parameter_index];
    const sugar_parameter known = {
        .name = entry->name,
        .default_value = entry->default_value,
        .minimum = entry->minimum,
        .maximum = entry->maximum,
        .learnable = parameter_index == 0 && sugar_kind_capabilities(index) & SUGAR_CAN_LEARN,
        .not_above = entry->up_to_next ? parameter_index + 1 : -1,
    };
    return sugar_struct_write("parameter", parameter, &known, sizeof known, sugar_parameter_ends);
}
