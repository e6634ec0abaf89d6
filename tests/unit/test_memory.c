/* Memory: calls take none from the heap, and when there is none for a handle, that is a clean error.
 * The program's own malloc counts, and fails when told to; it stands before glibc's. */
#include "unit.h"

/* glibc's allocator under the names that it keeps for programs that replace malloc. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

static int taken;               /* allocations so far */
static int held;                /* of them, not freed yet */
static int fails_at = -1;       /* the number of the allocation that fails; -1: none */

static int may_take(void)
{
    if (taken++ == fails_at)
        return 0;
    held++;
    return 1;
}

void *malloc(size_t size)
{
    return may_take() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t count, size_t size)
{
    return may_take() ? __libc_calloc(count, size) : NULL;
}

void *realloc(void *memory, size_t size)
{
    if (memory == NULL)
        return malloc(size);
    return taken++ == fails_at ? NULL : __libc_realloc(memory, size);
}

void free(void *memory)
{
    held -= memory != NULL;
    __libc_free(memory);
}

static void calls_take_no_memory(void **unused)
{
    (void)unused;
    static const char *const specs[] = {"relu", "gelu~bsilu", "tanh~elu(domain=negative,blend=0.5)"};
    static float x[64 * 70], dy[64 * 70], out[64 * 70];
    static const int64_t shape[] = {64, 70}, turned[] = {1, 64};
    for (size_t i = 0; i < COUNT(specs); i++) {
        view vx, vdy, vout;
        sugar_call_options options = {.struct_size = sizeof options, .flags = SUGAR_CALL_ACCUMULATE};
        int before = taken;
        sugar_activation *a = must_create(specs[i], NULL);
        assert_true(taken > before);        /* it is this file's malloc that is called */
        view_make(&vx, x, 4, 2, shape, NULL);
        view_make(&vdy, dy, 4, 2, shape, turned);
        view_make(&vout, out, 4, 2, shape, turned);
        before = taken;
        sugar_status status = sugar_forward_f32(a, COUNT(x), x, 1, out, 1, NULL);
        status |= sugar_backward_f32(a, COUNT(x) / 3, x, -3, dy, 0, out, 2, &options);
        status |= sugar_forward(a, &vx.tensor, &vout.tensor, NULL);
        status |= sugar_backward(a, &vx.tensor, &vdy.tensor, &vout.tensor, &options);
        int failed = sugar_forward(a, &vx.tensor, NULL, NULL) < 0;      /* nor do messages */
        assert_int_equal(taken, before);
        assert_ok(status);
        assert_true(failed);
        sugar_activation_destroy(a);
    }
}

/* Lets one allocation after the other fail, until the handle can be made without any more. */
static void no_memory_for_an_activation(void **unused)
{
    (void)unused;
    sugar_activation *a = NULL;
    sugar_status status = SUGAR_ERROR_OUT_OF_MEMORY;
    int failures = -1;
    while (status == SUGAR_ERROR_OUT_OF_MEMORY) {
        int held_before = held;
        assert_null(a);
        fails_at = taken + ++failures;
        status = sugar_activation_create(&a, "relu~bsilu(alpha=1.5,domain=negative,blend=0.5)");
        fails_at = -1;
        if (status == SUGAR_ERROR_OUT_OF_MEMORY) {
            assert_int_equal(held, held_before);
            assert_fails(status, SUGAR_ERROR_OUT_OF_MEMORY, "memory");
        }
    }
    assert_ok(status);
    assert_true(failures > 0);
    int held_before = held;
    sugar_activation_destroy(a);
    assert_true(held < held_before);
}

static void no_memory_for_a_context(void **unused)
{
    (void)unused;
    sugar_context *context = NULL;
    fails_at = taken;
    sugar_status status = sugar_context_create(&context, NULL);
    fails_at = -1;
    assert_fails(status, SUGAR_ERROR_OUT_OF_MEMORY, "memory");
    assert_null(context);
    assert_ok(sugar_context_create(&context, NULL));
    sugar_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_take_no_memory),
        cmocka_unit_test(no_memory_for_an_activation),
        cmocka_unit_test(no_memory_for_a_context),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
