/* Levels: the table of instruction sets, which of them this machine has, and the choice.
 *
 * The build defines SUGAR_HAVE_<level> as 1 for each level whose kernels it compiles, and as 0 for the others. */
#include "cpu/level.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

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
 * Developer's Manual, volume 1, section 14.3. */
static bool x86_has(unsigned leaf_1, unsigned leaf_7, unsigned registers)
{
    leaf_1 |= bit_OSXSAVE;                                  /* the system has enabled xgetbv */
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & leaf_1) != leaf_1)
        return false;
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

#define LEVEL(name, is_here)                                                                                           \
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
#define LEVEL(name, is_here) {#name, TABLES(name, SUGAR_HAVE_##name), name##_is_here},
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

static sugar_status unusable(const char *source, const char *name)
{
    char list[128];
    sugar_text text = {list, sizeof list, 0};
    for (int i = 0; i < LEVEL_COUNT; i++)
        if (usable_levels() >> i & 1)
            sugar_text_add(&text, "%s%s", text.length ? ", " : "", levels[i].name);
    return sugar_error(SUGAR_ERROR_UNSUPPORTED, "%s: %s is no level that can be used here, expected one of: %s", source,
                       sugar_quote(name, strlen(name)).text, list);
}

/* The usable level with this name, or the best one if name is NULL; NULL if there is none. */
static const sugar_level_entry *find(const char *name)
{
    for (int i = LEVEL_COUNT - 1; i >= 0; i--) {
        const bool wanted = !name || strcmp(name, levels[i].name) == 0;
        if (wanted && usable_levels() >> i & 1)
            return &levels[i];
    }
    return NULL;
}

/* NULL: SUGAR_LEVEL is not set, or empty. */
static const char *name_from_environment(void)
{
    const char *name = getenv("SUGAR_LEVEL");
    return name && *name ? name : NULL;
}

sugar_status sugar_level_select(const char *name, const sugar_level_entry **level)
{
    const char *wanted = name ? name : name_from_environment();
    const sugar_level_entry *found = find(wanted);
    if (!found)
        return unusable(name ? "options: level" : "environment variable SUGAR_LEVEL", wanted);
    *level = found;
    return SUGAR_OK;
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
        .in_use = find(name_from_environment()) == entry,
    };
    return sugar_struct_write("level", level, &known, sizeof known);
}
