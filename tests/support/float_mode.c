/* Floating-point modes as the bits of control registers. */
#include "float_mode.h"

#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#include <xmmintrin.h>
#endif

typedef struct named_mode {
    const char *name;
    uint64_t bits;
} named_mode;

#if defined(__x86_64__) || defined(__i386__)
/* The control word of the x87 above, MXCSR without its exception flags below. fnclex: a flag that is raised while its
 * exception is trapped ends the program. */
#define MODE(x87, mxcsr) ((uint64_t)(x87) << 32 | (mxcsr))
#define DEFAULT_MODE MODE(0x037f, 0x1f80)
static const named_mode modes[] = {
    {"upward", MODE(0x0b7f, 0x5f80)},    {"downward", MODE(0x077f, 0x3f80)}, {"toward_zero", MODE(0x0f7f, 0x7f80)},
    {"flush", MODE(0x037f, 0x9fc0)},            /* subnormals become 0, as inputs and as results */
    {"traps", MODE(0x0340, 0x0000)},            /* every exception ends the program */
    {"x87_short", MODE(0x047f, 0x1f80)},        /* of the x87 alone: downward, to 24 bits */
};

static uint64_t read_mode(void)
{
    uint16_t x87;
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return MODE(x87, _mm_getcsr() & ~0x3fu);
}

static void write_mode(uint64_t bits)
{
    const uint16_t x87 = (uint16_t)(bits >> 32);
    __asm__ volatile("fnclex; fldcw %0" : : "m"(x87));
    _mm_setcsr((uint32_t)bits);
}
#elif defined(__aarch64__)
/* FPCR. */
#define DEFAULT_MODE 0
static const named_mode modes[] = {
    {"upward", 1 << 22},
    {"downward", 2 << 22},
    {"toward_zero", 3 << 22},
    {"flush", 7 << 24},                         /* subnormals become 0, all NaNs the same, f16 has no infinity */
    {"traps", 0x1f << 8 | 1 << 15},
};

static uint64_t read_mode(void)
{
    uint64_t bits;
    __asm__ volatile("mrs %0, fpcr" : "=r"(bits));
    return bits;
}

static void write_mode(uint64_t bits) { __asm__ volatile("msr fpsr, xzr; msr fpcr, %0" : : "r"(bits)); }
#else
#include <fenv.h>
#define DEFAULT_MODE FE_TONEAREST
static const named_mode modes[] = {
    {"upward", FE_UPWARD},
    {"downward", FE_DOWNWARD},
    {"toward_zero", FE_TOWARDZERO},
};

static uint64_t read_mode(void) { return (uint64_t)fegetround(); }

static void write_mode(uint64_t bits) { fesetround((int)bits); }
#endif

int float_mode_count(void) { return sizeof modes / sizeof modes[0]; }

const char *float_mode_name(int mode) { return modes[mode].name; }

int float_mode_enter(int mode)
{
    write_mode(modes[mode].bits);
    const int is_set = read_mode() == modes[mode].bits;
    if (!is_set)
        write_mode(DEFAULT_MODE);
    return is_set;
}

int float_mode_leave(int mode)
{
    const int is_set = read_mode() == modes[mode].bits;
    write_mode(DEFAULT_MODE);
    return is_set;
}
