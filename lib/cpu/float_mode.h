/* The floating-point mode: rounding direction, what becomes of subnormals, which exceptions are trapped. Results are
 * those of IEEE 754's default mode. A public function that compares or computes floating-point numbers begins with
 *
 *     SUGAR_DEFAULT_MODE;
 *
 * and a part that runs on a thread of the caller's too. Until it returns, on whatever path, the thread has the default
 * mode; then it has the caller's again. One that makes a handle begins with SUGAR_DEFAULT_ENVIRONMENT: the environment
 * is the mode and the sticky flags of exceptions, which are given back too.
 *
 * To a compiler a change of the mode is no obstacle for arithmetic. But it moves no load and no store over what may
 * change memory, and a number that a public function gets or gives is in memory; where one is not, the function that
 * computes with it is not inlined. */
#ifndef SUGAR_FLOAT_MODE_H
#define SUGAR_FLOAT_MODE_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#include <xmmintrin.h>
#elif !defined(__aarch64__)
#include <fenv.h>
#endif

#if defined(__x86_64__) || defined(__i386__)
/* The x87 counts as well: C libraries read and write numbers with it, or by its rounding direction; on i386 their fma
 * uses it too. */
typedef struct sugar_registers {
    uint32_t mxcsr;
    bool has_x87;
    uint32_t x87[7];                /* what fnstenv stores; if has_x87 */
} sugar_registers;

enum { SUGAR_MXCSR_DEFAULT = 0x1f80, SUGAR_MXCSR_FLAGS = 0x3f, SUGAR_X87_DEFAULT = 0x037f };

static inline bool sugar_has_default_x87(void)
{
    uint16_t control;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    return control == SUGAR_X87_DEFAULT;
}

static inline bool sugar_has_default_mode(void)
{
    return (_mm_getcsr() & ~(uint32_t)SUGAR_MXCSR_FLAGS) == SUGAR_MXCSR_DEFAULT && sugar_has_default_x87();
}
#elif defined(__aarch64__)
typedef struct sugar_registers {
    uint64_t fpcr, fpsr;
} sugar_registers;

/* FPCR is 0: among its bits is the format of f16, too. */
static inline bool sugar_has_default_mode(void)
{
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr == 0;
}
#else
typedef fenv_t sugar_registers;

/* C has no means to ask for more than the rounding direction, so the mode is always set. */
static inline bool sugar_has_default_mode(void) { return false; }
#endif

/* The environment that a thread of the caller had before the library changed it. */
typedef struct sugar_environment {
    sugar_registers before;
    struct sugar_environment *outer;    /* the same of the call that this one is made in, or NULL */
} sugar_environment;

/* Keeps the environment of this thread in *kept, and sets the default mode; and goes back. with_flags: the flags are
 * given back in any case; else some may have been raised. */
void sugar_environment_enter(sugar_environment *kept, bool with_flags);
void sugar_environment_leave(sugar_environment *kept);

#define SUGAR_DEFAULT_ENVIRONMENT                                                                                      \
    __attribute__((cleanup(sugar_environment_leave))) sugar_environment sugar_kept_environment;                        \
    sugar_environment_enter(&sugar_kept_environment, true)

/* Nothing is changed where the thread has the default mode. */
typedef struct sugar_mode {
    bool is_changed;
    sugar_environment kept;         /* if is_changed */
} sugar_mode;

static inline void sugar_mode_enter(sugar_mode *mode)
{
    mode->is_changed = !sugar_has_default_mode();
    if (__builtin_expect(mode->is_changed, false))
        sugar_environment_enter(&mode->kept, false);
}

static inline void sugar_mode_leave(sugar_mode *mode)
{
    if (__builtin_expect(mode->is_changed, false))
        sugar_environment_leave(&mode->kept);
}

#define SUGAR_DEFAULT_MODE                                                                                             \
    __attribute__((cleanup(sugar_mode_leave))) sugar_mode sugar_kept_mode;                                             \
    sugar_mode_enter(&sugar_kept_mode)

/* Runs the program's own code within a call: in the program's own environment, as what it does there, such as to start
 * threads, may outlast the call. */
void sugar_environment_run_outside(void (*run)(const void *work), const void *work);

#endif
