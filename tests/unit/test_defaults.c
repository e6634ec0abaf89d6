/* NULL for a struct of options means the same as a struct of zeros, for each struct of options in the header; and
 * sugar_random, whose presence is the choice. */
#include "unit.h"

#include <stdbool.h>

/* What two calls are compared by: all that they give. */
enum { ROWS = 3, COLUMNS = 5, N = ROWS * COLUMNS };
static const float input[N] = {-9, -7, -5, -3, -2, -1, -0.5f, 0, 0.5f, 1, 2, 3, 5, 7, 9};

/* ---- Activations and contexts ----------------------------------------------------------------- */

static sugar_activation *activation_with(const sugar_activation_options *options)
{
    static const char spec[] = "relu~bsilu(alpha=1.5)";
    sugar_activation *a = NULL;
    assert_ok(sugar_activation_create_with_options(&a, spec, sizeof spec - 1, options));
    return a;
}

static void activations(void **unused)
{
    (void)unused;
    const sugar_activation_options zeros = {.struct_size = sizeof zeros};
    sugar_activation *a = activation_with(NULL), *b = activation_with(&zeros);
    sugar_activation_info first = {.struct_size = sizeof first}, second = first;
    assert_string_equal(sugar_activation_spec(a), sugar_activation_spec(b));
    assert_string_equal(sugar_activation_level(a), sugar_activation_level(b));
    assert_ok(sugar_activation_get_info(a, &first));
    assert_ok(sugar_activation_get_info(b, &second));
    const size_t numbers = offsetof(sugar_activation_info, forward_kind);
    assert_memory_equal((char *)&first + numbers, (char *)&second + numbers, sizeof first - numbers);
    sugar_activation_destroy(a);
    sugar_activation_destroy(b);
}

/* How many threads a context of these options starts. */
static int threads_started_with(const sugar_context_options *options)
{
    const int before = count_threads();
    sugar_context *context = NULL;
    assert_ok(sugar_context_create(&context, options));
    const int started = count_threads() - before;
    sugar_context_destroy(context);
    return started;
}

static void contexts(void **unused)
{
    (void)unused;
    const sugar_context_options zeros = {.struct_size = sizeof zeros}, two = {.struct_size = sizeof two, .threads = 2};
    assert_int_equal(threads_started_with(&two), 1);
    assert_int_equal(threads_started_with(NULL), threads_started_with(&zeros));
}

/* ---- Calls ------------------------------------------------------------------------------------ */

typedef struct results {
    float forward[N], backward[N], flat_forward[N], flat_backward[N];
} results;

static void run(results *r, const char *spec, const sugar_call_options *options)
{
    view x, y, dx;
    view_make(&x, (void *)(uintptr_t)input, 4, 2, (int64_t[]){ROWS, COLUMNS}, NULL);
    view_make(&y, r->forward, 4, 2, x.shape, NULL);
    view_make(&dx, r->backward, 4, 2, x.shape, NULL);
    sugar_activation *a = must_create(spec, NULL);
    memset(r, 0x55, sizeof *r);
    assert_ok(sugar_forward(a, &x.tensor, &y.tensor, options));
    assert_ok(sugar_backward(a, &x.tensor, &x.tensor, &dx.tensor, options));
    assert_ok(sugar_forward_f32(a, N, input, 1, r->flat_forward, 1, options));
    assert_ok(sugar_backward_f32(a, N, input, 1, input, 1, r->flat_backward, 1, options));
    sugar_activation_destroy(a);
}

static void calls(void **unused)
{
    (void)unused;
    static const char *const specs[] = {"relu~bsilu", "gelu", "rrelu(lower=0.1,upper=0.4)"};
    const sugar_call_options zeros = {.struct_size = sizeof zeros};
    for (size_t i = 0; i < COUNT(specs); i++) {
        results a, b;
        run(&a, specs[i], NULL);
        run(&b, specs[i], &zeros);
        assert_memory_equal(&a, &b, sizeof a);
    }
}

/* NULL: nothing is drawn. Zeros: the slopes of the seed 0, as with any other seed. */
static void random_is_a_choice(void **unused)
{
    (void)unused;
    static const char spec[] = "rrelu(lower=0.1,upper=0.4)";
    const sugar_random zeros = {.struct_size = sizeof zeros}, one = {.struct_size = sizeof one, .seed = 1};
    const sugar_call_options drawn = {.struct_size = sizeof drawn, .random = &zeros};
    const sugar_call_options otherwise = {.struct_size = sizeof otherwise, .random = &one};
    results mean, zero, other;
    run(&mean, spec, NULL);
    run(&zero, spec, &drawn);
    run(&other, spec, &otherwise);
    assert_true(memcmp(&mean, &zero, sizeof mean) != 0);
    assert_true(memcmp(&zero, &other, sizeof zero) != 0);
    for (int i = 0; i < N && input[i] < 0; i++)
        assert_true(mean.forward[i] == 0.25f * input[i] && zero.forward[i] != mean.forward[i]);
}

/* ---- Monitors --------------------------------------------------------------------------------- */

enum { SAVED_BYTES = 4096 };

/* Saves what a monitor of these options, and of one unit for each column, has seen of the input. */
static size_t saved_with(unsigned char *saved, const sugar_monitor_options *options, const sugar_call_options *observed)
{
    sugar_monitor *monitor = NULL;
    view x;
    view_make(&x, (void *)(uintptr_t)input, 4, 2, (int64_t[]){ROWS, COLUMNS}, NULL);
    assert_ok(sugar_monitor_create(&monitor, COLUMNS, options));
    assert_ok(sugar_monitor_observe(monitor, &x.tensor, observed));
    assert_ok(sugar_monitor_save(monitor, saved, SAVED_BYTES));
    const size_t size = sugar_monitor_save_size(monitor);
    sugar_monitor_destroy(monitor);
    return size;
}

static void monitors(void **unused)
{
    (void)unused;
    const sugar_monitor_options zeros = {.struct_size = sizeof zeros};
    const sugar_monitor_options said = {
        .struct_size = sizeof said, .bins = SUGAR_MONITOR_BINS, .minimum = -8, .maximum = 8, .every = 1};
    const sugar_call_options no_options = {.struct_size = sizeof no_options};
    static unsigned char expected[SAVED_BYTES], found[SAVED_BYTES];
    const size_t size = saved_with(expected, NULL, NULL);
    assert_int_equal(saved_with(found, &zeros, &no_options), size);
    assert_memory_equal(found, expected, size);
    assert_int_equal(saved_with(found, &said, NULL), size);
    assert_memory_equal(found, expected, size);
}

/* The test of each public struct with struct_size; a struct without an entry does not compile. `not_options`: the
 * library fills it, so it has no defaults. */
#define not_options NULL
#define TEST_sugar_activation_options activations
#define TEST_sugar_context_options contexts
#define TEST_sugar_call_options calls
#define TEST_sugar_random random_is_a_choice
#define TEST_sugar_monitor_options monitors
#define TEST_sugar_monitor_summary not_options
#define TEST_sugar_monitor_unit not_options
#define TEST_sugar_kind not_options
#define TEST_sugar_parameter not_options
#define TEST_sugar_level not_options
#define TEST_sugar_activation_info not_options

static void every_struct(void **state)
{
    static void (*const tests[])(void **state) = {
#define BEGIN(type) TEST_##type,
#define MEMBER(type, member)
#define LAST(type, member)
#include "base/structs.def"
    };
    for (size_t i = 0; i < COUNT(tests); i++)
        if (tests[i])
            tests[i](state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_struct),
    };
    return cmocka_run_group_tests_name("defaults", tests, NULL, NULL);
}
