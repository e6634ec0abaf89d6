/* The environment: SUGAR_LEVEL is a cap that cannot fail. It is read when a handle is made and by sugar_level_get, and
 * nowhere else, as another thread may be changing it; and in the way that a set-user-id program ignores. The program's
 * own getenv and secure_getenv take the place of libc's. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"

static int read_safely, read_otherwise;         /* how often, so far */
static const char *value;                       /* of SUGAR_LEVEL */

char *secure_getenv(const char *name)
{
    const int is_level = strcmp(name, "SUGAR_LEVEL") == 0;
    read_safely += is_level;
    return is_level && value ? (char *)(uintptr_t)value : NULL;
}

/* libc and tools that are linked in may read other variables. */
char *getenv(const char *name)
{
    read_otherwise += strncmp(name, "SUGAR", 5) == 0;
    return NULL;
}

static const char *default_level(void)
{
    sugar_activation *a = must_create("relu", NULL);
    const char *level = sugar_activation_level(a);
    sugar_activation_destroy(a);
    return level;
}

/* The one level that sugar_level_get says is in use. */
static const char *level_in_use(void)
{
    const char *found = NULL;
    for (int32_t i = 0; i < sugar_level_count(); i++) {
        sugar_level level = {.struct_size = sizeof level};
        assert_ok(sugar_level_get(i, &level));
        assert_true(!level.in_use || !found);
        if (level.in_use)
            found = level.name;
    }
    return found;
}

static void is_a_cap(void **unused)
{
    (void)unused;
    const char *levels[MAX_LEVELS];
    const int count = supported_levels(levels);
    for (int i = 0; i < count; i++) {
        value = levels[i];
        assert_string_equal(default_level(), levels[i]);
        assert_string_equal(level_in_use(), levels[i]);
        sugar_activation *a = must_create("relu", levels[count - 1]);       /* the option does not ask */
        assert_string_equal(sugar_activation_level(a), levels[count - 1]);
        sugar_activation_destroy(a);
    }
    value = NULL;
}

/* A level that this processor lacks, though its kind can have it, allows the best below it; here that is the best. */
static void cannot_fail(void **unused)
{
    (void)unused;
    static const char *const ignored[] = {"", " ", "AVX2", "avx", "mmx", "scalar ", "neon", "avx512", "\xff"};
    const char *levels[MAX_LEVELS], *best = levels[supported_levels(levels) - 1];
    best = levels[supported_levels(levels) - 1];
    for (size_t i = 0; i < COUNT(ignored); i++) {
        value = ignored[i];
        assert_string_equal(default_level(), best);
        assert_string_equal(level_in_use(), best);
    }
    value = NULL;
}

static void check_reads(int line, int expected)
{
    if (read_otherwise != 0 || (read_safely > 0) != expected)
        fail_msg("line %d: %d reads by secure_getenv, %d by getenv", line, read_safely, read_otherwise);
    read_safely = 0;
}
#define READS check_reads(__LINE__, 1)
#define DOES_NOT_READ check_reads(__LINE__, 0)

static void is_read_for_handles_alone(void **unused)
{
    (void)unused;
    static float x[64] = {1}, y[64];
    static unsigned char saved[8192];
    const int64_t shape[] = {64};
    view vx, vy;
    view_make(&vx, x, sizeof *x, 1, shape, NULL);
    view_make(&vy, y, sizeof *y, 1, shape, NULL);
    sugar_context_options two = {.struct_size = sizeof two, .threads = 2};
    sugar_context *context = NULL;
    sugar_monitor *monitor = NULL, *restored = NULL;
    sugar_kind kind = {.struct_size = sizeof kind};
    sugar_monitor_summary summary = {.struct_size = sizeof summary};

    read_safely = 0;
    sugar_activation *a = must_create("relu~bsilu", NULL);
    READS;
    default_level();
    READS;
    level_in_use();
    READS;
    assert_ok(sugar_monitor_create(&monitor, 64, NULL));
    READS;
    assert_ok(sugar_context_create(&context, &two));
    DOES_NOT_READ;
    sugar_call_options options = {.struct_size = sizeof options, .context = context};
    assert_ok(sugar_monitor_observe(monitor, &vx.tensor, &options));
    DOES_NOT_READ;
    options.monitor = monitor;
    assert_ok(sugar_forward(a, &vx.tensor, &vy.tensor, &options));
    assert_ok(sugar_forward_f32(a, 64, x, 1, y, 1, NULL));
    assert_ok(sugar_backward_f32(a, 64, x, 1, x, 1, y, 1, NULL));
    assert_ok(sugar_backward(a, &vx.tensor, &vx.tensor, &vy.tensor, NULL));
    assert_ok(sugar_monitor_get(monitor, &summary));
    assert_ok(sugar_monitor_save(monitor, saved, sizeof saved));
    assert_ok(sugar_kind_get(0, &kind));
    assert_fails(sugar_forward(NULL, NULL, NULL, NULL), SUGAR_ERROR_ARGUMENT, "activation");
    DOES_NOT_READ;
    assert_ok(sugar_monitor_restore(&restored, saved, sugar_monitor_save_size(monitor)));
    READS;
    sugar_monitor_destroy(restored);
    sugar_monitor_destroy(monitor);
    sugar_context_destroy(context);
    sugar_activation_destroy(a);
    DOES_NOT_READ;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_cap),
        cmocka_unit_test(cannot_fail),
        cmocka_unit_test(is_read_for_handles_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
