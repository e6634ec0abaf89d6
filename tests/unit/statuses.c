/* Each status of each call, provoked once. Prints a line "function STATUS" for each; statuses.py compares them with
 * the header's lists. The program's own malloc takes the place of glibc's, and fails when told to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sugar/sugar.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);

static int no_memory, failed;

void *malloc(size_t size) { return no_memory ? NULL : __libc_malloc(size); }

void *calloc(size_t count, size_t size) { return no_memory ? NULL : __libc_calloc(count, size); }

static void show(const char *function, const char *name, sugar_status wanted, sugar_status found)
{
    no_memory = 0;
    if (found == wanted) {
        printf("%s %s\n", function, name);
        return;
    }
    failed = 1;
    fprintf(stderr, "%s: %s (%s), expected SUGAR_ERROR_%s\n", function, sugar_status_name(found), sugar_last_error(),
            name);
}

/* PROVOKES(function, status, arguments...): a call that ends with this status. */
#define PROVOKES(function, status, ...) show(#function, #status, SUGAR_ERROR_##status, function(__VA_ARGS__))
#define PROVOKES_WITHOUT_MEMORY(function, ...)                                                                         \
    (no_memory = 1, show(#function, "OUT_OF_MEMORY", SUGAR_ERROR_OUT_OF_MEMORY, function(__VA_ARGS__)))

#define OPTIONS(...) (&(sugar_call_options){.struct_size = sizeof(sugar_call_options), __VA_ARGS__})

static sugar_activation *relu, *prelu;
static sugar_monitor *monitor, *full, *as_full, *other;
static float floats[16], outside = 2e30f;
static const int64_t shape[] = {4}, one[] = {1};

static sugar_tensor view_of(void *data, const int64_t *extents)
{
    return (sugar_tensor){
        .data = data, .device = {SUGAR_DEVICE_CPU, 0}, .ndim = 1, .dtype = {SUGAR_TYPE_FLOAT, 32, 1}, .shape = extents};
}

static void require(sugar_status status)
{
    if (status == SUGAR_OK)
        return;
    fprintf(stderr, "%s\n", sugar_last_error());
    exit(1);
}

static void creation(void)
{
    sugar_activation *a = NULL;
    sugar_activation_options none = {.struct_size = sizeof none, .level = "none"};
    PROVOKES(sugar_activation_create, ARGUMENT, &a, NULL);
    PROVOKES(sugar_activation_create, SPEC, &a, "rel");
    PROVOKES_WITHOUT_MEMORY(sugar_activation_create, &a, "relu");
    PROVOKES(sugar_activation_create_with_options, ARGUMENT, NULL, "relu", 4, NULL);
    PROVOKES(sugar_activation_create_with_options, SPEC, &a, "relu", 3, NULL);
    PROVOKES(sugar_activation_create_with_options, UNSUPPORTED, &a, "relu", 4, &none);
    PROVOKES_WITHOUT_MEMORY(sugar_activation_create_with_options, &a, "relu", 4, NULL);

    sugar_context *c = NULL;
    sugar_context_options wrong = {.struct_size = sizeof wrong, .threads = -1};
    sugar_context_options unknown = {.struct_size = sizeof unknown, .reserved = 1};
    PROVOKES(sugar_context_create, ARGUMENT, &c, &wrong);
    PROVOKES(sugar_context_create, UNSUPPORTED, &c, &unknown);
    PROVOKES_WITHOUT_MEMORY(sugar_context_create, &c, NULL);

    sugar_monitor *m = NULL;
    sugar_monitor_options bins = {.struct_size = sizeof bins, .bins = 7};
    PROVOKES(sugar_monitor_create, ARGUMENT, &m, 0, NULL);
    PROVOKES(sugar_monitor_create, UNSUPPORTED, &m, 4, &bins);
    PROVOKES_WITHOUT_MEMORY(sugar_monitor_create, &m, 4, NULL);
}

static void tensor_calls(void)
{
    const sugar_tensor x = view_of(floats, shape), y = view_of(floats + 8, shape), over = view_of(floats + 1, shape);
    const sugar_tensor bad = view_of(&outside, one);
    sugar_tensor other_type = x;
    other_type.dtype.code = 77;
    PROVOKES(sugar_forward, ARGUMENT, NULL, &x, &y, NULL);
    PROVOKES(sugar_forward, OVERLAP, relu, &x, &over, NULL);
    PROVOKES(sugar_forward, VALUE, prelu, &x, &y, OPTIONS(.parameter = &bad));
    PROVOKES(sugar_forward, UNSUPPORTED, relu, &other_type, &y, NULL);
    PROVOKES(sugar_backward, ARGUMENT, relu, NULL, &y, &y, NULL);
    PROVOKES(sugar_backward, OVERLAP, relu, &x, &x, &over, NULL);
    PROVOKES(sugar_backward, VALUE, prelu, &x, &y, &y, OPTIONS(.parameter = &bad));
    PROVOKES(sugar_backward, UNSUPPORTED, relu, &x, &y, &y, OPTIONS(.flags = UINT64_C(1) << 40));
    PROVOKES(sugar_backward_twice, ARGUMENT, relu, &x, &x, &x, NULL, NULL, NULL);
    PROVOKES(sugar_backward_twice, OVERLAP, relu, &x, &x, &x, &y, &y, NULL);
    PROVOKES(sugar_backward_twice, UNSUPPORTED, relu, &x, &x, &x, &y, NULL, OPTIONS(.flags = SUGAR_CALL_FROM_OUTPUT));
    PROVOKES(sugar_monitor_observe, ARGUMENT, NULL, &x, NULL);
    const int64_t many[] = {INT64_MAX / 4, 4}, repeated[] = {0, 1};
    sugar_tensor much = view_of(floats, many);
    much.ndim = 2;
    much.strides = repeated;
    PROVOKES(sugar_monitor_observe, VALUE, full, &much, NULL);
    PROVOKES(sugar_monitor_observe, UNSUPPORTED, monitor, &x, OPTIONS(.flags = SUGAR_CALL_TEMPORAL));
}

#define FLAT_CALLS(type, element)                                                                                      \
    static void flat_calls_##element(void)                                                                             \
    {                                                                                                                  \
        static type x[16];                                                                                             \
        sugar_tensor bad = view_of(&outside, one);                                                                     \
        double outside_f64 = 2e30;                                                                                     \
        uint16_t outside_f16 = 0xfc00, outside_bf16 = 0xff00;                                                          \
        if (sizeof(type) == 8)                                                                                         \
            bad.data = &outside_f64, bad.dtype.bits = 64;                                                              \
        if (sizeof(type) == 2)                                                                                         \
            bad.data = &outside_f16, bad.dtype.bits = 16;                                                              \
        if (strcmp(#element, "bf16") == 0)                                                                             \
            bad.data = &outside_bf16, bad.dtype.code = SUGAR_TYPE_BFLOAT;                                              \
        PROVOKES(sugar_forward_##element, ARGUMENT, relu, -1, x, 1, x, 1, NULL);                                       \
        PROVOKES(sugar_forward_##element, OVERLAP, relu, 4, x, 1, x + 1, 1, NULL);                                     \
        PROVOKES(sugar_forward_##element, VALUE, prelu, 4, x, 1, x, 1, OPTIONS(.parameter = &bad));                    \
        PROVOKES(sugar_forward_##element, UNSUPPORTED, relu, 4, x, 1, x, 1, OPTIONS(.flags = SUGAR_CALL_ACCUMULATE));  \
        PROVOKES(sugar_backward_##element, ARGUMENT, relu, 4, NULL, 1, x, 1, x, 1, NULL);                              \
        PROVOKES(sugar_backward_##element, OVERLAP, relu, 4, x, 1, x, 1, x + 8, 0, NULL);                              \
        PROVOKES(sugar_backward_##element, VALUE, prelu, 4, x, 1, x, 1, x, 1, OPTIONS(.parameter = &bad));             \
        PROVOKES(sugar_backward_##element, UNSUPPORTED, relu, 4, x, 1, x, 1, x, 1, OPTIONS(.monitor = monitor));       \
    }
FLAT_CALLS(float, f32)
FLAT_CALLS(double, f64)
FLAT_CALLS(uint16_t, f16)
FLAT_CALLS(uint16_t, bf16)

static void monitors(void)
{
    unsigned char saved[1024];
    int64_t counts[1], index[1];
    sugar_monitor_summary summary = {.struct_size = 1};
    sugar_monitor_unit unit = {.struct_size = sizeof unit};
    sugar_monitor *restored = NULL;
    PROVOKES(sugar_monitor_reset, ARGUMENT, NULL);
    PROVOKES(sugar_monitor_merge, ARGUMENT, monitor, other);
    PROVOKES(sugar_monitor_merge, VALUE, full, as_full);
    PROVOKES(sugar_monitor_get, ARGUMENT, monitor, &summary);
    PROVOKES(sugar_monitor_get_unit, ARGUMENT, monitor, 4, &unit);
    PROVOKES(sugar_monitor_find_dead, ARGUMENT, monitor, 2, index, 1, index);
    PROVOKES(sugar_monitor_get_histogram, ARGUMENT, monitor, counts, NULL, 1);
    PROVOKES(sugar_monitor_save, ARGUMENT, monitor, saved, 1);
    require(sugar_monitor_save(monitor, saved, sizeof saved));
    const size_t size = sugar_monitor_save_size(monitor);
    PROVOKES(sugar_monitor_restore, ARGUMENT, NULL, saved, size);
    PROVOKES_WITHOUT_MEMORY(sugar_monitor_restore, &restored, saved, size);
    PROVOKES(sugar_monitor_restore, DATA, &restored, saved, size - 1);
    /* Version 1 of an empty form, with its checksum. */
    static const unsigned char old[] = {'S', 'U', 'G', 'A', 'R', 'm', 'o', 'n', 1, 0, 0, 0, 0x30, 0xfe, 0x28, 0x16};
    PROVOKES(sugar_monitor_restore, UNSUPPORTED, &restored, old, sizeof old);
}

static void introspection(void)
{
    sugar_kind kind = {.struct_size = sizeof kind};
    sugar_parameter parameter = {.struct_size = sizeof parameter};
    sugar_level level = {.struct_size = sizeof level};
    PROVOKES(sugar_activation_get_info, ARGUMENT, NULL, NULL);
    PROVOKES(sugar_kind_get, ARGUMENT, -1, &kind);
    PROVOKES(sugar_kind_get_parameter, ARGUMENT, 0, -1, &parameter);
    PROVOKES(sugar_level_get, ARGUMENT, -1, &level);
}

/* A monitor that cannot count as much again: what it has counted is doubled until that fails. */
static void fill(sugar_monitor **made, const sugar_tensor *x)
{
    static unsigned char saved[1024];
    require(sugar_monitor_create(made, 4, NULL));
    require(sugar_monitor_observe(*made, x, NULL));
    for (sugar_status status = SUGAR_OK; status == SUGAR_OK;) {
        sugar_monitor *same = NULL;
        require(sugar_monitor_save(*made, saved, sizeof saved));
        require(sugar_monitor_restore(&same, saved, sugar_monitor_save_size(*made)));
        status = sugar_monitor_merge(*made, same);
        sugar_monitor_destroy(same);
    }
}

int main(void)
{
    const sugar_tensor x = view_of(floats, shape);
    require(sugar_activation_create(&relu, "relu"));
    require(sugar_activation_create(&prelu, "prelu"));
    require(sugar_monitor_create(&monitor, 4, NULL));
    require(sugar_monitor_create(&other, 5, NULL));
    require(sugar_monitor_observe(monitor, &x, NULL));
    fill(&full, &x);
    fill(&as_full, &x);
    creation();
    tensor_calls();
    flat_calls_f32();
    flat_calls_f64();
    flat_calls_f16();
    flat_calls_bf16();
    monitors();
    introspection();
    sugar_monitor_destroy(as_full);
    sugar_monitor_destroy(full);
    sugar_monitor_destroy(other);
    sugar_monitor_destroy(monitor);
    sugar_activation_destroy(prelu);
    sugar_activation_destroy(relu);
    return failed;
}
