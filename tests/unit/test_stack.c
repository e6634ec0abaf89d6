/* Stack: no call needs more of it than the header promises under "Information". Each call runs on a painted stack, in
 * a thread of its own; how far the paint is gone says what it used. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>

enum {
    ROWS = 90,
    COLUMNS = 70,
    ALL = ROWS * COLUMNS,
    LIMIT = 64 << 10,               /* bytes, of calls without options but flags and context */
    EXTENDED_LIMIT = 384 << 10,
    STACK = 512 << 10,
    PAINT = 0xa5
};

static _Alignas(64) unsigned char stack[STACK];

/* One call of the library. */
typedef struct call call;
struct call {
    const char *name;
    long limit;
    sugar_status (*run)(const call *c);
    const sugar_activation *activation;
    element_type type;
    sugar_call_options options;
    sugar_status status;
    const unsigned char *entry;     /* what lies below is used by the call */
};

/* ---- Operands ------------------------------------------------------------------------------ */

static double memory[9][ALL];
static uint8_t code[ALL];
static view x, dy, y, v, gate, gate_gradient, bias, parameter, sum, codes;
static sugar_monitor *monitor;

/* Operands lie in three different orders, so that their tiles pass through buffers. Those that elements share have one
 * value for each column. */
static void make_views(element_type type)
{
    enum { ELEMENTWISE = 6, ORDERS = 3 };
    static const int64_t shape[] = {ROWS, COLUMNS}, per_column[] = {1, COLUMNS};
    static const int64_t strides[ORDERS][2] = {{1, ROWS}, {COLUMNS, 1}, {COLUMNS, -1}};
    static const int64_t first[ORDERS] = {0, 0, COLUMNS - 1};
    view *const all[] = {&x, &dy, &y, &v, &gate, &gate_gradient, &bias, &parameter, &sum};
    const size_t width = element_formats[type].width;
    for (int i = 0; i < (int)COUNT(all); i++) {
        const int order = i < ELEMENTWISE ? i % ORDERS : 1;
        unsigned char *data = (unsigned char *)memory[i] + (size_t)first[order] * width;
        view_make(all[i], data, width, 2, i < ELEMENTWISE ? shape : per_column,
                  i < ELEMENTWISE ? strides[order] : NULL);
        all[i]->tensor.dtype = element_formats[type].dtype;
    }
    view_make(&codes, code, 1, 2, shape, strides[0]);
    codes.tensor.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, 8, 1};
}

/* ---- Calls --------------------------------------------------------------------------------- */

static sugar_status forward(const call *c) { return sugar_forward(c->activation, &x.tensor, &y.tensor, &c->options); }

static sugar_status backward(const call *c)
{
    const sugar_tensor *from = c->options.saved_gradient ? NULL : &x.tensor;
    return sugar_backward(c->activation, from, &dy.tensor, &y.tensor, &c->options);
}

static sugar_status backward_twice(const call *c)
{
    return sugar_backward_twice(c->activation, &x.tensor, &dy.tensor, &v.tensor, &y.tensor, &gate.tensor, &c->options);
}

static sugar_status backward_flat(const call *c)
{
    return flat_backward(c->activation, c->type, ALL / 2, memory[0], 2, memory[1] + ALL / 2, -1, memory[2], 1,
                         &c->options);
}

static sugar_status observe(const call *c) { return sugar_monitor_observe(monitor, &x.tensor, &c->options); }

/* ---- Measuring ----------------------------------------------------------------------------- */

static void *run(void *argument)
{
    call *c = argument;
    c->entry = __builtin_frame_address(0);
    c->status = c->run(c);
    return NULL;
}

/* Bytes of stack that the call uses. */
static long measure(call *c)
{
    pthread_t thread;
    pthread_attr_t attributes;
    memset(stack, PAINT, sizeof stack);
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, sizeof stack), 0);
    assert_int_equal(pthread_create(&thread, &attributes, run, c), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    const unsigned char *lowest = stack;
    while (*lowest == PAINT)
        lowest++;
    return (long)(c->entry - lowest);
}

static long most, most_extended;

static void check(call c)
{
    const long used = measure(&c);
    assert_ok(c.status);
    if (used > c.limit)
        fail_msg("%s, level %s, %s, %s: %ld bytes of stack, expected at most %ld", sugar_activation_spec(c.activation),
                 sugar_activation_level(c.activation), element_formats[c.type].name, c.name, used, c.limit);
    long *greatest = c.limit == LIMIT ? &most : &most_extended;
    *greatest = used > *greatest ? used : *greatest;
}

/* For each level and element type, with all views made. */
static void at_each_level(void (*check_all)(const char *level, element_type type))
{
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    for (int level = 0; level < count; level++)
        for (int type = 0; type < ELEMENT_TYPES; type++) {
            make_views((element_type)type);
            check_all(levels[level], (element_type)type);
        }
}

/* ---- Calls without options ----------------------------------------------------------------- */

static void check_plain(const sugar_activation *a, element_type type)
{
    const call all[] = {{.name = "forward", .run = forward},
                        {.name = "backward", .run = backward},
                        {.name = "backward, flat", .run = backward_flat},
                        {.name = "backward_twice", .run = backward_twice}};
    for (size_t i = 0; i < COUNT(all); i++) {
        call c = all[i];
        c.activation = a;
        c.type = type;
        c.limit = LIMIT;
        c.options = (sugar_call_options){.struct_size = sizeof c.options,
                                         .flags = c.run == forward ? 0 : SUGAR_CALL_ACCUMULATE};
        check(c);
    }
}

/* Each kind, whose derivative is mixed with another one. */
static void check_kinds(const char *level, element_type type)
{
    for (int32_t index = 0; index < sugar_kind_count(); index += short_run() ? 16 : 1) {
        char spec[80];
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(index, &kind));
        const int is_forward = kind.roles & SUGAR_ROLE_FORWARD;
        snprintf(spec, sizeof spec, "%s~%s(domain=negative,blend=0.5)", is_forward ? kind.name : "mish", kind.name);
        sugar_activation *a = must_create(spec, level);
        check_plain(a, type);
        sugar_activation_destroy(a);
    }
}

static void plain_calls(void **unused)
{
    (void)unused;
    at_each_level(check_kinds);
    print_message("at most %ld bytes of stack\n", most);
}

/* ---- Calls with options -------------------------------------------------------------------- */

/* As many options together as may be. */
static void check_options(const char *level, element_type type)
{
    static const sugar_random random = {.struct_size = sizeof random};
    const struct {
        const char *spec;
        call call;
    } rows[] = {
        {"prelu~mish",
         {.name = "all of forward",
          .run = forward,
          .options = {.monitor = monitor,
                      .parameter = &parameter.tensor,
                      .saved_gradient = &codes.tensor,
                      .bias = &bias.tensor,
                      .gate = &gate.tensor}}},
        {"prelu~mish(blend=0.5)",
         {.name = "parameter_gradient and more",
          .run = backward,
          .options = {.parameter = &parameter.tensor,
                      .parameter_gradient = &sum.tensor,
                      .bias = &bias.tensor,
                      .gate = &gate.tensor,
                      .gate_gradient = &gate_gradient.tensor}}},
        {"rrelu",
         {.name = "random and more",
          .run = backward,
          .options = {.random = &random,
                      .bias_gradient = &sum.tensor,
                      .bias = &bias.tensor,
                      .gate = &gate.tensor,
                      .gate_gradient = &gate_gradient.tensor}}},
        {"gelu~mish(blend=0.5)",
         {.name = "saved_gradient and more",
          .run = backward,
          .options = {.saved_gradient = &codes.tensor, .bias_gradient = &sum.tensor, .gate = &gate.tensor}}},
        {"gelu", {.name = "sugar_monitor_observe", .run = observe}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sugar_activation *a = must_create(rows[i].spec, level);
        call c = rows[i].call;
        c.activation = a;
        c.type = type;
        c.limit = EXTENDED_LIMIT;
        c.options.struct_size = sizeof c.options;
        c.options.flags = c.run == backward ? SUGAR_CALL_ACCUMULATE : 0;
        check(c);
        sugar_activation_destroy(a);
    }
}

static void calls_with_options(void **unused)
{
    (void)unused;
    assert_ok(sugar_monitor_create(&monitor, COLUMNS, NULL));
    at_each_level(check_options);
    sugar_monitor_destroy(monitor);
    print_message("at most %ld bytes of stack\n", most_extended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain_calls), cmocka_unit_test(calls_with_options)};
    return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
