/* Levels: the table of instruction sets, which of them this machine has, and the choice.
 *
 * The build defines SUGAR_HAVE_<level> as 1 for each level whose kernels it compiles, and as 0 for the others. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* secure_getenv */
#endif

#include "cpu/level.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if !SUGAR_HAVE_SECURE_GETENV
#include <unistd.h>
#endif

#include "base/struct_size.h"
#include "base/text.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

/* Bits of XCR0: registers that the operating system saves. */
enum { XMM = 1 << 1, YMM = 1 << 2, ZMM = 7 << 5 /* and the mask registers */ };

#if defined(__x86_64__) || defined(__i386__)
/* Whether the processor has these features and the operating system saves these registers: a processor with AVX2 may
 * run a system, or a hypervisor, that does not save them. The order of the checks is that of Intel's Software
 * Developer's Manual, volume 1, section 14.3. Without registers to ask for, the processor may be one that has no xgetbv
 * or no leaf 7. */
static bool x86_has(unsigned leaf_1, unsigned leaf_7, unsigned registers)
{
    leaf_1 |= registers ? bit_OSXSAVE : 0;                  /* the system has enabled xgetbv */
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & leaf_1) != leaf_1)
        return false;
    if (!registers)
        return true;
    unsigned xcr0, high;
    __asm__("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
    if ((xcr0 & registers) != registers)
        return false;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & leaf_7) == leaf_7;
}
#define X86_HAS(leaf_1, leaf_7, registers) x86_has(leaf_1, leaf_7, registers)
#else
#define X86_HAS(leaf_1, leaf_7, registers) false
#endif

#if defined(__aarch64__) && defined(__linux__)
#define ARM_HAS(capabilities) ((getauxval(AT_HWCAP) & (capabilities)) == (capabilities))
#else
#define ARM_HAS(capabilities) false
#endif

/* Processors that can have a level: whether this is one. */
enum {
    ANY = 1,
#if defined(__x86_64__) || defined(__i386__)
    X86 = 1,
    ARM = 0
#elif defined(__aarch64__)
    X86 = 0,
    ARM = 1
#else
    X86 = 0,
    ARM = 0
#endif
};

#define LEVEL(name, processors, is_here)                                                                               \
    static bool name##_is_here(void) { return is_here; }
#include "kernels/isa/levels.def"

/* The kernels of a level by element type, or none if SUGAR_HAVE_<level> is 0. If that is not declared, lib/meson.build
 * lacks the level. */
#define TABLES_0(level) {NULL}
#define TABLES_1(level)                                                                                                \
    {                                                                                                                  \
        [SUGAR_F32] = &sugar_kernels_##level##_f32,                                                                    \
        [SUGAR_F64] = &sugar_kernels_##level##_f64,                                                                    \
        [SUGAR_F16] = &sugar_kernels_##level##_f16,                                                                    \
        [SUGAR_BF16] = &sugar_kernels_##level##_bf16,                                                                  \
    }
#define TABLES_(level, compiled) TABLES_##compiled(level)
#define TABLES(level, compiled) TABLES_(level, compiled)

static bool is_compiled(const sugar_level_entry *level) { return level->kernels[SUGAR_F32]; }

static const sugar_level_entry levels[] = {
#define LEVEL(name, processors, is_here) {#name, TABLES(name, SUGAR_HAVE_##name), processors, name##_is_here},
#include "kernels/isa/levels.def"
};

enum { LEVEL_COUNT = sizeof levels / sizeof levels[0] };

/* A set: bit i says that level i is compiled and that this machine has it. Found out once. Threads that do so at the
 * same time find the same answer, so it does not matter whose store is last. */
static unsigned usable_levels(void)
{
    static atomic_uint answer;      /* 0: not found out yet; scalar is in every answer */
    unsigned set = atomic_load_explicit(&answer, memory_order_relaxed);
    if (set)
        return set;
    for (int i = 0; i < LEVEL_COUNT; i++)
        if (is_compiled(&levels[i]) && levels[i].is_here())
            set |= 1u << i;
    atomic_store_explicit(&answer, set, memory_order_relaxed);
    return set;
}

static sugar_status unusable(const char *name)
{
    char list[128];
    sugar_text text = {list, sizeof list, 0};
    for (int i = 0; i < LEVEL_COUNT; i++)
        if (usable_levels() >> i & 1)
            sugar_text_add(&text, "%s%s", text.length ? ", " : "", levels[i].name);
    return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                       "options: level: %s is no level that can be used here, expected one of: %s",
                       sugar_quote(name, strlen(name)).text, list);
}

/* The best usable level of the first `count`. There is one, as scalar is the first of all. */
static const sugar_level_entry *best_of(int count)
{
    while (!(usable_levels() >> (count - 1) & 1))
        count--;
    return &levels[count - 1];
}

/* The value of SUGAR_LEVEL; NULL if it is not set, or if this process has other rights than its user, who then must
 * not have a say in what it does. */
static const char *read_environment(void)
{
#if SUGAR_HAVE_SECURE_GETENV
    return secure_getenv("SUGAR_LEVEL");
#else
    return geteuid() == getuid() && getegid() == getgid() ? getenv("SUGAR_LEVEL") : NULL;
#endif
}

const sugar_level_entry *sugar_level_default(void)
{
    const char *most = read_environment();
    for (int i = 0; most && i < LEVEL_COUNT; i++)
        if (levels[i].is_of_processor && strcmp(levels[i].name, most) == 0)
            return best_of(i + 1);
    return best_of(LEVEL_COUNT);
}

sugar_status sugar_level_select(const char *name, const sugar_level_entry **level)
{
    if (!name) {
        *level = sugar_level_default();
        return SUGAR_OK;
    }
    for (int i = 0; i < LEVEL_COUNT; i++)
        if (usable_levels() >> i & 1 && strcmp(levels[i].name, name) == 0) {
            *level = &levels[i];
            return SUGAR_OK;
        }
    return unusable(name);
}

int32_t sugar_level_count(void) { return LEVEL_COUNT; }

sugar_status sugar_level_get(int32_t index, sugar_level *level)
{
    const sugar_status status = sugar_check_index("index", index, LEVEL_COUNT);
    if (status != SUGAR_OK)
        return status;
    const sugar_level_entry *entry = &levels[index];
    const sugar_level known = {
        .name = entry->name,
        .compiled = is_compiled(entry),
        .supported = usable_levels() >> index & 1,
        .in_use = sugar_level_default() == entry,
    };
    return sugar_struct_write("level", level, &known, sizeof known, sugar_level_ends);
}
