/* Changes of the floating-point environment. */
#include "cpu/float_mode.h"

#include <stddef.h>

/* What this thread goes back to, if the library has changed it. */
static _Thread_local sugar_environment *innermost;

/* The compiler takes each asm statement for one that may change any memory, and moves no load and no store over it. */
#if defined(__x86_64__) || defined(__i386__)
static void set_mxcsr(uint32_t bits) { __asm__ volatile("ldmxcsr %0" : : "m"(bits) : "memory"); }

/* The x87 is left alone where it may be: to store and load its environment takes 90 ns, all else here 7 (Sapphire
 * Rapids). fnstenv masks all exceptions, and fnclex clears the flags, so that no instruction of the x87 finds one that
 * is both raised and trapped. */
static void set_default(sugar_registers *before, bool with_flags)
{
    const uint16_t control = SUGAR_X87_DEFAULT;
    before->mxcsr = _mm_getcsr();
    before->has_x87 = with_flags || !sugar_has_default_x87();
    set_mxcsr(SUGAR_MXCSR_DEFAULT);
    if (before->has_x87)
        __asm__ volatile("fnstenv %0; fnclex; fldcw %1" : "=m"(before->x87) : "m"(control) : "memory");
}

static void set(const sugar_registers *before)
{
    if (before->has_x87)
        __asm__ volatile("fldenv %0" : : "m"(before->x87) : "memory");
    set_mxcsr(before->mxcsr);
}
#elif defined(__aarch64__)
static void set_default(sugar_registers *before, bool with_flags)
{
    (void)with_flags;
    uint64_t fpcr, fpsr;
    __asm__ volatile("mrs %0, fpcr; mrs %1, fpsr; msr fpcr, xzr" : "=r"(fpcr), "=r"(fpsr) : : "memory");
    *before = (sugar_registers){fpcr, fpsr};
}

static void set(const sugar_registers *before)
{
    __asm__ volatile("msr fpcr, %0; msr fpsr, %1" : : "r"(before->fpcr), "r"(before->fpsr) : "memory");
}
#else
static void set_default(sugar_registers *before, bool with_flags)
{
    (void)with_flags;
    fegetenv(before);
    fesetenv(FE_DFL_ENV);
}

static void set(const sugar_registers *before) { fesetenv(before); }
#endif

void sugar_environment_enter(sugar_environment *kept, bool with_flags)
{
    set_default(&kept->before, with_flags);
    kept->outer = innermost;
    innermost = kept;
}

void sugar_environment_leave(sugar_environment *kept)
{
    innermost = kept->outer;
    set(&kept->before);
}

void sugar_environment_run_outside(void (*run)(const void *work), const void *work)
{
    sugar_environment *kept = innermost;
    if (kept)
        sugar_environment_leave(kept);
    run(work);
    if (kept)
        sugar_environment_enter(kept, false);
}
