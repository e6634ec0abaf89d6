/* From values of JavaScript to arguments of C. See marshal.h. */
#include "marshal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sugar/sugar.h>

struct block {
    struct block *next;
};

#define EXACT 9007199254740992.0    /* 2^53: whole numbers up to here are exact */

void call_begin(struct call *call, napi_env env, napi_callback_info info, size_t count, napi_value *arguments)
{
    *call = (struct call){.env = env};
    napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
}

static void free_blocks(struct block *blocks)
{
    while (blocks) {
        struct block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

void call_end(struct call *call)
{
    for (struct fixup *fixup = call->fixups; fixup; fixup = fixup->next)
        if (fixup->kept)
            napi_delete_reference(call->env, fixup->kept);
    free_blocks(call->blocks);
}

void *call_memory(struct call *call, size_t size)
{
    /* Blocks begin with a pointer; what follows it is aligned to 16 bytes. */
    struct block *made = calloc(1, 16 + size);
    if (!made) {
        call_fail(call, "memory", "no more of it for the arguments of this call");
        return NULL;
    }
    made->next = call->blocks;
    call->blocks = made;
    return (char *)made + 16;
}

napi_value set_error_class(napi_env env, napi_callback_info info)
{
    size_t count = 1;
    napi_value class;
    napi_ref reference;
    napi_get_cb_info(env, info, &count, &class, NULL, NULL);
    if (napi_create_reference(env, class, 1, &reference) == napi_ok)
        napi_set_instance_data(env, reference, NULL, NULL);
    return NULL;
}

void call_fail(struct call *call, const char *name, const char *problem)
{
    char message[256];
    void *class_reference = NULL;
    napi_value class, arguments[2], error;
    if (call->failed)
        return;
    call->failed = true;
    snprintf(message, sizeof message, "%s: %s", name, problem);
    napi_env env = call->env;
    if (napi_get_instance_data(env, &class_reference) == napi_ok && class_reference
        && napi_get_reference_value(env, class_reference, &class) == napi_ok
        && napi_create_int32(env, SUGAR_ERROR_ARGUMENT, &arguments[0]) == napi_ok
        && napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &arguments[1]) == napi_ok
        && napi_new_instance(env, class, 2, arguments, &error) == napi_ok)
        napi_throw(env, error);
    else
        napi_throw_type_error(env, NULL, message);
}

bool is_null(struct call *call, napi_value value)
{
    napi_valuetype type;
    return napi_typeof(call->env, value, &type) == napi_ok && (type == napi_null || type == napi_undefined);
}

/* ---- Numbers and strings */

int64_t get_int64(struct call *call, napi_value value, const char *name, int64_t minimum, int64_t maximum)
{
    int64_t number = 0;
    double real = 0;
    bool exact = false;
    napi_status status = napi_get_value_double(call->env, value, &real);
    if (status == napi_ok) {
        exact = real == floor(real) && fabs(real) <= EXACT;
        number = exact ? (int64_t)real : 0;
    } else if (napi_get_value_bigint_int64(call->env, value, &number, &exact) != napi_ok) {
        exact = false;
    }
    if (!exact || number < minimum || number > maximum)
        call_fail(call, name, "expected a whole number in range, up to 2^53 in size or a BigInt");
    return number;
}

uint64_t get_uint64(struct call *call, napi_value value, const char *name)
{
    uint64_t number = 0;
    double real = 0;
    bool exact = false;
    if (napi_get_value_double(call->env, value, &real) == napi_ok) {
        exact = real >= 0 && real == floor(real) && real <= EXACT;
        number = exact ? (uint64_t)real : 0;
    } else if (napi_get_value_bigint_uint64(call->env, value, &number, &exact) != napi_ok) {
        exact = false;
    }
    if (!exact)
        call_fail(call, name, "expected a whole number of 0 or more, up to 2^53 or a BigInt up to 2^64 - 1");
    return number;
}

double get_double(struct call *call, napi_value value, const char *name)
{
    double number = 0;
    if (napi_get_value_double(call->env, value, &number) != napi_ok)
        call_fail(call, name, "expected a number");
    return number;
}

const char *get_string(struct call *call, napi_value value, const char *name)
{
    size_t length = 0;
    if (is_null(call, value))
        return NULL;
    if (napi_get_value_string_utf8(call->env, value, NULL, 0, &length) != napi_ok) {
        call_fail(call, name, "expected a string");
        return NULL;
    }
    char *text = call_memory(call, length + 1);
    if (text)
        napi_get_value_string_utf8(call->env, value, text, length + 1, &length);
    if (text && strlen(text) != length)
        call_fail(call, name, "expected a string without a NUL");
    return text;
}

const int64_t *get_numbers(struct call *call, napi_value value, const char *name, int64_t count)
{
    uint32_t length = 0;
    if (is_null(call, value))
        return NULL;
    if (napi_get_array_length(call->env, value, &length) != napi_ok || length < count) {
        call_fail(call, name, "expected an array of as many whole numbers as there are dimensions");
        return NULL;
    }
    int64_t *numbers = call_memory(call, sizeof *numbers * ((size_t)length + 1));
    for (uint32_t i = 0; numbers && i < length && !call->failed; i++) {
        napi_value element;
        if (napi_get_element(call->env, value, i, &element) == napi_ok)
            numbers[i] = get_int64(call, element, name, INT64_MIN, INT64_MAX);
    }
    return numbers;
}

const double *get_doubles(struct call *call, napi_value value, const char *name, double count)
{
    uint32_t length = 0;
    if (is_null(call, value))
        return NULL;
    if (napi_get_array_length(call->env, value, &length) != napi_ok || length < count) {
        call_fail(call, name, "expected an array of as many numbers as the count beside it says");
        return NULL;
    }
    double *numbers = call_memory(call, sizeof *numbers * ((size_t)length + 1));
    for (uint32_t i = 0; numbers && i < length && !call->failed; i++) {
        napi_value element;
        if (napi_get_element(call->env, value, i, &element) == napi_ok)
            numbers[i] = get_double(call, element, name);
    }
    return numbers;
}

/* ---- Memory */

static size_t element_size(napi_typedarray_type type)
{
    switch (type) {
    case napi_int16_array:
    case napi_uint16_array: return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array: return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array: return 8;
    default: return 1;
    }
}

/* Whether the elements, `step` apart, are within `length`. What the library refuses itself is let through. */
static bool within(int64_t count, int64_t step, size_t length)
{
    int64_t reach;
    if (count <= 0)
        return true;
    if (step == INT64_MIN || __builtin_mul_overflow(count - 1, step < 0 ? -step : step, &reach))
        return false;
    return (uint64_t)reach < length;
}

void *get_elements(struct call *call, napi_value value, const char *name, napi_typedarray_type type, int64_t count,
                   int64_t step)
{
    napi_typedarray_type found;
    size_t length;
    void *data;
    if (is_null(call, value))
        return NULL;
    if (napi_get_typedarray_info(call->env, value, &found, &length, &data, NULL, NULL) != napi_ok || found != type)
        call_fail(call, name, "expected a typed array of the call's type");
    else if (!within(count, step, length))
        call_fail(call, name, "the typed array is shorter than the elements that the call would reach");
    else
        return data;
    return NULL;
}

/* Remembers an address to look up again: before the call, or in each call if a struct is prepared. */
static void add_fixup(struct call *call, napi_value value, struct fixup what)
{
    if (!what.slot || call->failed)
        return;
    struct fixup *made = call_memory(call, sizeof *made);
    if (!made)
        return;
    *made = what;
    made->next = call->fixups;
    made->value = value;
    if (!call->prepares || napi_create_reference(call->env, value, 0, &made->kept) == napi_ok)
        call->fixups = made;
    else
        call_fail(call, what.name, "cannot be kept");
}

void *get_memory(struct call *call, napi_value value, const char *name, uint64_t size, void *slot)
{
    napi_typedarray_type type;
    size_t length;
    void *data;
    if (is_null(call, value))
        return NULL;
    if (napi_get_typedarray_info(call->env, value, &type, &length, &data, NULL, NULL) != napi_ok) {
        call_fail(call, name, "expected a typed array");
        return NULL;
    }
    if (length * element_size(type) < size) {
        call_fail(call, name, "the typed array is too short: shorter than named, or detached since");
        return NULL;
    }
    add_fixup(call, value, (struct fixup){.name = name, .slot = slot, .size = length * element_size(type)});
    return data;
}

/* ---- Handles */

static struct box *get_box(struct call *call, napi_value value, const char *name, const void *tag)
{
    void *found = NULL;
    if (is_null(call, value))
        return NULL;
    if (napi_get_value_external(call->env, value, &found) == napi_ok && found && ((struct box *)found)->tag == tag)
        return found;
    call_fail(call, name, "expected a handle of its kind");
    return NULL;
}

void *get_handle(struct call *call, napi_value value, const char *name, const void *tag, void *slot)
{
    struct box *found = get_box(call, value, name, tag);
    if (!found)
        return NULL;
    if (!found->pointer)
        call_fail(call, name, "destroyed, expected a live one");
    add_fixup(call, value, (struct fixup){.name = name, .tag = tag, .slot = slot});
    return found->pointer;
}

static void free_box(napi_env env, void *data, void *hint)
{
    struct box *box = data;
    (void)hint;
    if (box->destroy && box->pointer)
        box->destroy(box->pointer);
    box->kept.env = env;
    call_end(&box->kept);
    free(box);
}

void destroy_handle(struct call *call, napi_value value, const char *name, const void *tag)
{
    struct box *found = get_box(call, value, name, tag);
    if (found && found->pointer) {
        found->destroy(found->pointer);
        found->pointer = NULL;
    }
}

static napi_value new_box(struct call *call, const struct box *from)
{
    napi_value external;
    struct box *made = malloc(sizeof *made);
    if (!made)
        return NULL;
    *made = *from;
    if (napi_create_external(call->env, made, free_box, NULL, &external) == napi_ok)
        return external;
    free(made);
    return NULL;
}

void set_handle(struct call *call, napi_value out, const char *name, const void *tag, void *pointer,
                void (*destroy)(void *))
{
    napi_value external = new_box(call, &(struct box){.tag = tag, .pointer = pointer, .destroy = destroy});
    if (!external) {
        destroy(pointer);
        call_fail(call, name, "no memory for a handle");
    } else if (napi_set_element(call->env, out, 0, external) != napi_ok) {
        call_fail(call, name, "expected an array for the result");
    }
}

/* ---- Structs */

bool get_member(struct call *call, napi_value object, const char *name, napi_value *member)
{
    return !call->failed && napi_get_named_property(call->env, object, name, member) == napi_ok
           && !is_null(call, *member);
}

void set_member(struct call *call, napi_value object, const char *name, napi_value member)
{
    if (!member || napi_set_named_property(call->env, object, name, member) != napi_ok)
        call_fail(call, name, "expected an object for the result");
}

uint64_t get_size(struct call *call, napi_value object, const char *name)
{
    napi_value member;
    return get_member(call, object, name, &member) ? get_uint64(call, member, name) : 0;
}

static void look_up(struct call *call, const struct fixup *fixup)
{
    napi_value value = fixup->value;
    void *found = NULL;
    if (fixup->kept && (napi_get_reference_value(call->env, fixup->kept, &value) != napi_ok || !value))
        call_fail(call, fixup->name, "collected, expected it to be kept beside the prepared struct");
    else if (fixup->prepared)
        found = get_prepared(call, value, fixup->name, fixup->tag);
    else if (fixup->tag)
        found = get_handle(call, value, fixup->name, fixup->tag, NULL);
    else
        found = get_memory(call, value, fixup->name, fixup->size, NULL);
    memcpy(fixup->slot, &found, sizeof found);
}

void call_look_up(struct call *call)
{
    for (const struct fixup *fixup = call->fixups; fixup && !call->failed; fixup = fixup->next)
        look_up(call, fixup);
}

bool is_to_be_made(struct call *call, napi_value value, const char *name, const void *tag, void *slot)
{
    napi_valuetype type;
    if (napi_typeof(call->env, value, &type) != napi_ok || type == napi_undefined || type == napi_null)
        return false;
    if (type != napi_external)
        return true;
    if (slot && get_box(call, value, name, tag))
        add_fixup(call, value, (struct fixup){.name = name, .tag = tag, .prepared = true, .slot = slot});
    return false;
}

void *get_prepared(struct call *call, napi_value value, const char *name, const void *tag)
{
    napi_valuetype type;
    if (call->failed || napi_typeof(call->env, value, &type) != napi_ok || type != napi_external)
        return NULL;
    struct box *found = get_box(call, value, name, tag);
    if (!found)
        return NULL;
    for (const struct fixup *fixup = found->kept.fixups; fixup && !call->failed; fixup = fixup->next)
        look_up(call, fixup);
    return found->pointer;
}

napi_value new_prepared(struct call *call, const void *tag, void *pointer)
{
    napi_value external =
        call->failed ? NULL : new_box(call, &(struct box){.tag = tag, .pointer = pointer, .kept = *call});
    if (external) {
        call->blocks = NULL;
        call->fixups = NULL;
    }
    return external;
}

/* ---- Results */

napi_value new_string(struct call *call, const char *text)
{
    napi_value value = NULL;
    if (text)
        napi_create_string_utf8(call->env, text, NAPI_AUTO_LENGTH, &value);
    else
        napi_get_null(call->env, &value);
    return value;
}

napi_value new_bigint(struct call *call, int64_t number)
{
    napi_value value = NULL;
    napi_create_bigint_int64(call->env, number, &value);
    return value;
}

napi_value new_unsigned(struct call *call, uint64_t number)
{
    napi_value value = NULL;
    napi_create_bigint_uint64(call->env, number, &value);
    return value;
}

napi_value new_number(struct call *call, double number)
{
    napi_value value = NULL;
    napi_create_double(call->env, number, &value);
    return value;
}

napi_value new_numbers(struct call *call, const double *numbers, int64_t count)
{
    napi_value list = NULL;
    if (!numbers)
        napi_get_null(call->env, &list);
    else if (napi_create_array_with_length(call->env, (size_t)count, &list) == napi_ok)
        for (int64_t i = 0; i < count; i++)
            if (napi_set_element(call->env, list, (uint32_t)i, new_number(call, numbers[i])) != napi_ok)
                return NULL;
    return list;
}
