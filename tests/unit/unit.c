/* For every unit test; see unit.h. */
#include "unit.h"

#include <dirent.h>

#include <stdio.h>

void view_make(view *v, void *data, size_t width, int32_t ndim, const int64_t *shape, const int64_t *strides)
{
    int64_t step = 1;
    memset(v, 0, sizeof *v);
    for (int32_t d = ndim - 1; d >= 0; d--) {
        v->shape[d] = shape[d];
        v->strides[d] = strides != NULL ? strides[d] : step;
        if (strides == NULL)
            step *= shape[d];
    }
    v->tensor = (sugar_tensor){
        .data = data,
        .device = {SUGAR_DEVICE_CPU, 0},
        .ndim = ndim,
        .dtype = {SUGAR_TYPE_FLOAT, (uint8_t)(8 * width), 1},
        .shape = v->shape,
        .strides = v->strides,
    };
}

int64_t view_count(const view *v)
{
    int64_t count = 1;
    for (int32_t d = 0; d < v->tensor.ndim; d++)
        count *= v->shape[d];
    return count;
}

int64_t view_offset(const view *v, int64_t i)
{
    int64_t offset = 0;
    for (int32_t d = v->tensor.ndim - 1; d >= 0; d--) {
        offset += i % v->shape[d] * v->strides[d];
        i /= v->shape[d];
    }
    return offset;
}

sugar_tensor vector(float *data, const int64_t *extent)
{
    return (sugar_tensor){
        .data = data, .device = {SUGAR_DEVICE_CPU, 0}, .ndim = 1, .dtype = {SUGAR_TYPE_FLOAT, 32, 1}, .shape = extent};
}

double get_element(const void *elements, int64_t i, element_type type)
{
    return element_value(element_load(elements, i, type), type);
}

void set_element(void *elements, int64_t i, element_type type, double value)
{
    element_store(elements, i, type, element_of(value, type));
}

void backwards(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    (void)payload;
    for (int64_t i = count - 1; i >= 0; i--)
        task(work, i);
}

void assert_ok(sugar_status status)
{
    if (status != SUGAR_OK)
        fail_msg("%s: %s", sugar_status_name(status), sugar_last_error());
}

void assert_fails(sugar_status status, sugar_status expected, const char *part)
{
    const char *message = sugar_last_error();
    if (status != expected)
        fail_msg("%s instead of %s (\"%s\" expected)", sugar_status_name(status), sugar_status_name(expected), part);
    if (strstr(message, part) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", message, part);
    for (const char *c = message; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            fail_msg("the message \"%s\" holds a control character", message);
}

int count_threads(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return count;
}
