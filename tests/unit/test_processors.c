/* How many threads a context gets that asks for 0: what the affinity of the calling thread and the quotas of cgroups
 * leave. Quotas are read from folders that the test makes. */
#include "unit.h"

#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cpu/processors.h"

/* ---- Quotas ----------------------------------------------------------------------------------- */

enum { MOST_FILES = 8, NO_QUOTA = 0 };

typedef struct file {
    const char *path, *text;        /* in the folder of the test */
} file;

typedef struct quota_case {
    const char *name;
    int64_t expected;
    file files[MOST_FILES];
} quota_case;

#define SELF "proc/self/cgroup"
#define V2 "cgroups/"
#define V1 "cgroups/cpu/"

static const quota_case cases[] = {
    {"no files", NO_QUOTA, {{0}}},
    {"no cgroups", NO_QUOTA, {{SELF, "0::/\n"}}},
    {"no list of cgroups", NO_QUOTA, {{V2 "cpu.max", "100000 100000\n"}, {V1 "cpu.cfs_quota_us", "100000\n"}}},
    {"an empty list", NO_QUOTA, {{SELF, ""}, {V2 "cpu.max", "100000 100000\n"}}},
    {"v2: max", NO_QUOTA, {{SELF, "0::/\n"}, {V2 "cpu.max", "max 100000\n"}}},
    {"v2: whole", 2, {{SELF, "0::/\n"}, {V2 "cpu.max", "200000 100000\n"}}},
    {"v2: rounded up", 3, {{SELF, "0::/\n"}, {V2 "cpu.max", "200001 100000\n"}}},
    {"v2: less than one", 1, {{SELF, "0::/\n"}, {V2 "cpu.max", "1000 100000\n"}}},
    {"v2: no newlines", 4, {{SELF, "0::/a"}, {V2 "a/cpu.max", "20000 5000"}}},
    {"v2: a parent's is the least",
     2,
     {{SELF, "0::/a/b/c\n"},
      {V2 "a/b/c/cpu.max", "800000 100000\n"},
      {V2 "a/b/cpu.max", "200000 100000\n"},
      {V2 "a/cpu.max", "400000 100000\n"},
      {V2 "cpu.max", "max 100000\n"}}},
    {"v2: its own is the least",
     3,
     {{SELF, "0::/a/b\n"}, {V2 "a/b/cpu.max", "300000 100000\n"}, {V2 "a/cpu.max", "max 100000\n"}}},
    {"v2: the mount's is the least",
     5,
     {{SELF, "0::/a/b\n"}, {V2 "a/b/cpu.max", "900000 100000\n"}, {V2 "cpu.max", "500000 100000\n"}}},
    {"v2: a neighbour's", NO_QUOTA, {{SELF, "0::/a\n"}, {V2 "b/cpu.max", "100000 100000\n"}}},
    {"v2: a name that goes on", NO_QUOTA, {{SELF, "0::/ab\n"}, {V2 "a/cpu.max", "100000 100000\n"}}},
    {"v2: the host's path, the container's mount",
     6,
     {{SELF, "0::/docker/0123456789abcdef\n"}, {V2 "cpu.max", "600000 100000\n"}}},
    {"v2: a cgroup out of sight",
     NO_QUOTA,
     {{SELF, "0::/../../a\n"}, {"a/cpu.max", "100000 100000\n"}, {V2 "cpu.max", "100000 100000\n"}}},
    {"v1: none",
     NO_QUOTA,
     {{SELF, "4:cpu:/\n"}, {V1 "cpu.cfs_quota_us", "-1\n"}, {V1 "cpu.cfs_period_us", "100000\n"}}},
    {"v1: rounded up",
     3,
     {{SELF, "9:memory:/m\n4:cpu,cpuacct:/a\n1:name=systemd:/s\n0::/u\n"},
      {V1 "a/cpu.cfs_quota_us", "250000\n"},
      {V1 "a/cpu.cfs_period_us", "100000\n"}}},
    {"v1: a parent's is the least",
     2,
     {{SELF, "4:cpuset,cpu:/a/b\n"},
      {V1 "a/b/cpu.cfs_quota_us", "800000\n"},
      {V1 "a/b/cpu.cfs_period_us", "100000\n"},
      {V1 "a/cpu.cfs_quota_us", "20000\n"},
      {V1 "a/cpu.cfs_period_us", "10000\n"}}},
    {"v1: the host's path, the container's mount",
     7,
     {{SELF, "4:cpuacct,cpu:/docker/0123456789abcdef\n"},
      {V1 "cpu.cfs_quota_us", "700000\n"},
      {V1 "cpu.cfs_period_us", "100000\n"}}},
    {"v1: no period", NO_QUOTA, {{SELF, "4:cpu:/\n"}, {V1 "cpu.cfs_quota_us", "100000\n"}}},
    {"v1: not the controller cpu",
     NO_QUOTA,
     {{SELF, "4:cpuset,cpuacct,xcpu,abc:/\n"},
      {V1 "cpu.cfs_quota_us", "100000\n"},
      {V1 "cpu.cfs_period_us", "100000\n"}}},
    {"both: the least",
     2,
     {{SELF, "4:cpu:/a\n0::/b\n"},
      {V1 "a/cpu.cfs_quota_us", "400000\n"},
      {V1 "a/cpu.cfs_period_us", "100000\n"},
      {V2 "b/cpu.max", "200000 100000\n"}}},
    {"a huge quota", 999999999999999999, {{SELF, "0::/\n"}, {V2 "cpu.max", "999999999999999999 1\n"}}},
};

/* What Linux never writes; none of it is a quota. */
static const char *const odd_numbers[] = {
    "",
    "\n",
    " ",
    "max",
    "100000",
    "100000\n",
    "100000 ",
    "100000 max\n",
    "0 100000\n",
    "100000 0\n",
    "0 0\n",
    "-1 100000\n",
    "-100000 -100000\n",
    "+100000 100000\n",
    "100000  100000\n",
    "100000\t100000\n",
    "100000x 100000\n",
    "100000 100000x\n",
    "100,000 100000\n",
    "1e5 100000\n",
    "0x100 100\n",
    "100000.5 100000\n",
    "1000000000000000000 100000\n",
    "9223372036854775808 100000\n",
    "18446744073709551617 100000\n",
    "100000 18446744073709551617\n",
    "99999999999999999999999999999999999999999999999999999999999999999999999999999999 1\n",
    "garbage garbage\n",
    "\xff\xfe\xff\xfe \x80\n",
};

static const char *const odd_lists[] = {
    "\n\n\n", "0", "0:", "0::", "0::a\n", "::\n", ":::", "0:/\n", "cpu\n", "4:cpu:\n", "\xff:\xfe:\xfd\n", "0::\n/\n",
};

static char folder[32];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

static void begin_folder(void)
{
    strcpy(folder, "processors-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void end_folder(void) { assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0); }

static void write_file(const char *name, const char *text)
{
    char path[5000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    FILE *written = fopen(path, "w");
    assert_non_null(written);
    assert_true(fputs(text, written) >= 0);
    assert_int_equal(fclose(written), 0);
}

/* What one of the library's two functions finds in the folder. */
static int64_t in_folder(int64_t (*count)(const char *proc, const char *cgroups))
{
    char proc[64], cgroups[64];
    snprintf(proc, sizeof proc, "%s/proc", folder);
    snprintf(cgroups, sizeof cgroups, "%s/cgroups", folder);
    return count(proc, cgroups);
}

static int64_t quota_found(void)
{
    const int64_t quota = in_folder(sugar_processors_by_quota);
    return quota == INT64_MAX ? NO_QUOTA : quota;
}

static void quotas(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin_folder();
        for (size_t k = 0; k < MOST_FILES && cases[i].files[k].path; k++)
            write_file(cases[i].files[k].path, cases[i].files[k].text);
        const int64_t found = quota_found();
        if (found != cases[i].expected)
            fail_msg("%s: %lld, expected %lld", cases[i].name, (long long)found, (long long)cases[i].expected);
        end_folder();
    }
}

static void odd_files(void **unused)
{
    (void)unused;
    begin_folder();
    write_file(SELF, "0::/a\n");
    for (size_t i = 0; i < COUNT(odd_numbers); i++) {
        write_file(V2 "a/cpu.max", odd_numbers[i]);
        if (quota_found() != NO_QUOTA)
            fail_msg("cpu.max '%s': a quota of %lld", odd_numbers[i], (long long)quota_found());
    }
    write_file(V2 "a/cpu.max", "100000 100000\n");
    write_file(V2 "cpu.max", "100000 100000\n");
    write_file(V1 "cpu.cfs_quota_us", "100000\n");
    write_file(V1 "cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota_found(), 1);
    for (size_t i = 0; i < COUNT(odd_lists); i++) {
        write_file(SELF, odd_lists[i]);
        if (quota_found() != NO_QUOTA)
            fail_msg("self/cgroup '%s': a quota of %lld", odd_lists[i], (long long)quota_found());
    }
    end_folder();
}

/* A folder in place of a file, and paths and lists that no buffer holds: what fits is read. */
static void long_files(void **unused)
{
    (void)unused;
    static char list[100000];
    begin_folder();
    write_file("proc/self/cgroup/x", "");
    write_file(V2 "cpu.max/x", "");
    assert_int_equal(quota_found(), NO_QUOTA);
    end_folder();
    begin_folder();
    memset(list, 'a', sizeof list - 1);
    for (size_t i = 4; i < sizeof list; i += 200)
        list[i] = '/';
    memcpy(list, "0::/", 4);
    write_file(SELF, list);
    write_file(V2 "cpu.max", "300000 100000\n");
    assert_int_equal(quota_found(), 3);
    for (size_t i = 0; i + 8 < sizeof list; i += 8)
        memcpy(list + i, "1:pids:\n", 8);
    memcpy(list, "0::/aaa\n", 8);
    write_file(SELF, list);
    assert_int_equal(quota_found(), 3);
    end_folder();
}

/* ---- Contexts --------------------------------------------------------------------------------- */

enum { LARGE = 1 << 20 };

static int64_t parts_seen;

static void count_parts(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    (void)payload;
    parts_seen += count;
    for (int64_t i = 0; i < count; i++)
        task(work, i);
}

static sugar_context *context_with(const sugar_context_options *options)
{
    sugar_context *context = NULL;
    assert_ok(sugar_context_create(&context, options));
    return context;
}

static int32_t threads_with(const sugar_context_options *options)
{
    sugar_context *context = context_with(options);
    const int32_t threads = sugar_context_threads(context);
    sugar_context_destroy(context);
    return threads;
}

static void counted_threads(void **unused)
{
    (void)unused;
    static const int32_t given[] = {1, 2, 3, 64};
    sugar_context_options options = {.struct_size = sizeof options};
    assert_int_equal(sugar_context_threads(NULL), 1);
    for (size_t i = 0; i < COUNT(given); i++) {
        options.threads = given[i];
        options.parallel_for = NULL;
        assert_int_equal(threads_with(&options), given[i]);
        options.parallel_for = count_parts;
        assert_int_equal(threads_with(&options), given[i]);
    }
    options.threads = INT32_MAX;
    assert_int_equal(threads_with(&options), INT32_MAX);
}

/* The affinity of this thread, with room for more processors than most machines have. */
enum { SETS = 8, SET_BYTES = SETS * sizeof(cpu_set_t) };

static void get_affinity(cpu_set_t *sets) { assert_int_equal(sched_getaffinity(0, SET_BYTES, sets), 0); }
static void set_affinity(const cpu_set_t *sets) { assert_int_equal(sched_setaffinity(0, SET_BYTES, sets), 0); }

/* Leaves the thread the first `count` of the processors that it has. */
static void narrow_affinity(const cpu_set_t *before, int count)
{
    cpu_set_t narrow[SETS];
    CPU_ZERO_S(sizeof narrow, narrow);
    for (size_t i = 0; i < SETS * CPU_SETSIZE && count > 0; i++)
        if (CPU_ISSET_S(i, sizeof narrow, before)) {
            CPU_SET_S(i, sizeof narrow, narrow);
            count--;
        }
    set_affinity(narrow);
}

/* 0, with a pool and with a parallel_for, stands for the number of processors; NULL is the same. */
static void zero_is_all_processors(void **unused)
{
    (void)unused;
    cpu_set_t before[SETS];
    get_affinity(before);
    const int allowed = CPU_COUNT_S(sizeof before, before);
    const int64_t quota = sugar_processors_by_quota(SUGAR_PROC, SUGAR_CGROUPS);
    sugar_context_options zeros = {.struct_size = sizeof zeros};
    for (int count = 1; count <= allowed && count <= 3; count++) {
        const int64_t expected = quota < count ? quota : count;
        narrow_affinity(before, count);
        assert_int_equal(sugar_processors(SUGAR_PROC, SUGAR_CGROUPS), expected);
        zeros.parallel_for = NULL;
        assert_int_equal(threads_with(&zeros), expected);
        assert_int_equal(threads_with(NULL), expected);
        zeros.parallel_for = count_parts;
        assert_int_equal(threads_with(&zeros), expected);
    }
    set_affinity(before);
    assert_int_equal(sugar_processors(SUGAR_PROC, SUGAR_CGROUPS), quota < allowed ? quota : allowed);
}

/* The affinity counts where there is no quota or a larger one, and a smaller one where there is one. */
static void the_smaller_of_affinity_and_quota(void **unused)
{
    (void)unused;
    cpu_set_t before[SETS];
    get_affinity(before);
    const int allowed = CPU_COUNT_S(sizeof before, before);
    begin_folder();
    assert_int_equal(in_folder(sugar_processors), allowed);
    write_file(SELF, "0::/\n");
    write_file(V2 "cpu.max", "999999999999999999 1\n");
    assert_int_equal(in_folder(sugar_processors), allowed);
    write_file(V2 "cpu.max", "50000 100000\n");
    assert_int_equal(in_folder(sugar_processors), 1);
    end_folder();
}

/* A large call is split where there are two processors or more; its result does not depend on that. */
static void zero_splits_calls(void **unused)
{
    (void)unused;
    static float x[LARGE], alone[LARGE], split[LARGE];
    sugar_activation *a = must_create("gelu", NULL);
    const sugar_context_options zeros = {.struct_size = sizeof zeros, .parallel_for = count_parts};
    sugar_context *const contexts[] = {context_with(NULL), context_with(&zeros)};
    sugar_call_options call = {.struct_size = sizeof call};
    for (int i = 0; i < LARGE; i++)
        x[i] = (float)(i % 20011 - 10000) * 0x1p-11f;
    assert_ok(sugar_forward_f32(a, LARGE, x, 1, alone, 1, NULL));
    parts_seen = 0;
    for (size_t i = 0; i < COUNT(contexts); i++) {
        call.context = contexts[i];
        memset(split, 0xff, sizeof split);
        assert_ok(sugar_forward_f32(a, LARGE, x, 1, split, 1, &call));
        assert_memory_equal(split, alone, sizeof split);
    }
    const int64_t most = LARGE / 32768;     /* shorter parts are not made */
    const int64_t processors = sugar_processors(SUGAR_PROC, SUGAR_CGROUPS);
    assert_int_equal(parts_seen, processors == 1 ? 0 : processors < most ? processors : most);
    for (size_t i = 0; i < COUNT(contexts); i++)
        sugar_context_destroy(contexts[i]);
    sugar_activation_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotas),
        cmocka_unit_test(odd_files),
        cmocka_unit_test(long_files),
        cmocka_unit_test(counted_threads),
        cmocka_unit_test(zero_is_all_processors),
        cmocka_unit_test(the_smaller_of_affinity_and_quota),
        cmocka_unit_test(zero_splits_calls),
    };
    return cmocka_run_group_tests_name("processors", tests, NULL, NULL);
}
