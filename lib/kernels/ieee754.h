/* Refuses a compiler that departs from IEEE 754, which defines the results. Gcc tells by macros. Clang hardly
 * does: for it meson.build looks at the code of ieee754.c; it also refuses what no compiler tells. Contraction
 * cannot be asked for: the build turns it off after all options of the user, and the last option counts. kernels.c
 * alone asks, as the whole library has the same options.
 *
 * Let through, as they change no result:
 *   -fno-trapping-math, -fsignaling-nans   are about which exceptions are raised
 *   -frounding-math, -ffp-model=strict     are for rounding modes that change; kernels run in one alone
 *   -fassociative-math, -mrecip    do nothing without -fno-signed-zeros and -freciprocal-math, which are refused
 *   -fexcess-precision=fast        there is none where FLT_EVAL_METHOD is 0
 *   -fcx-limited-range             there are no complex numbers
 *   -ffp-contract=fast, -mno-fma   the build's own options come after
 * With each of the first two lines' as OPTION, the digests are the stored ones:
 *   meson setup build -Dtests=true -Dc_args=OPTION && meson test -C build bits-here */
#ifndef SUGAR_KERNELS_IEEE754_H
#define SUGAR_KERNELS_IEEE754_H

#include <float.h>

#ifdef __FAST_MATH__
#error "IEEE 754 defines libsugar's results: compile without -ffast-math, -Ofast and -ffp-model=fast"
#elif defined(__ASSOCIATIVE_MATH__)
#error "IEEE 754 defines libsugar's results: compile without -fassociative-math and -funsafe-math-optimizations"
#elif defined(__RECIPROCAL_MATH__)
#error "IEEE 754 defines libsugar's results: compile without -freciprocal-math"
#elif defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "IEEE 754 defines libsugar's results: compile without -ffinite-math-only"
#elif defined(__NO_SIGNED_ZEROS__)
#error "IEEE 754 defines libsugar's results: compile without -fno-signed-zeros"
#elif FLT_EVAL_METHOD != 0
#error "excess precision would change results: compile without -mfpmath=387; on 32-bit x86 with -msse2 -mfpmath=sse"
#elif defined(__GCC_IEC_559) && __GCC_IEC_559 == 0
#error "gcc departs from IEEE 754: compile without the like of -fsingle-precision-constant and -ffp-contract=fast"
#endif

#endif
