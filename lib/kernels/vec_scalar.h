/* The vector vocabulary in plain C, one lane wide: the definition that every other vec_*.h follows.
 *
 * An instruction set gives, for elements of type `real` (float or double, SUGAR_ELEMENT bits):
 *   vec, mask, VEC_LANES      types and width; the operators + - * / and unary - work on vec
 *   vec_splat(a)              a in every lane
 *   vec_load, vec_store       VEC_LANES elements at any address
 *   vec_load_part(p, n)       n < VEC_LANES elements, 0 in the other lanes; nothing else is read
 *   vec_store_part(p, a, n)   the first n < VEC_LANES lanes; nothing else is written
 *   vec_fma(a, b, c)          a * b + c with one rounding
 *   vec_fnma(a, b, c)         c - a * b with one rounding
 *   vec_sqrt(a)               correctly rounded
 *   vec_max(a, b)             a > b ? a : b; so b where either is NaN, and b for two zeros
 *   vec_min(a, b)             a < b ? a : b
 *   vec_abs(a)                clears the sign bit
 *   vec_copysign(a, b)        a with the sign bit of b
 *   vec_less(a, b), vec_less_equal(a, b)   false where either is NaN
 *   vec_select(m, a, b)       a where m is true, else b
 *   vec_any(m)                whether m is true in any lane
 *   vec_power_of_two(a)       2^n for a = VEC_ROUNDER + n, where 2^n is a normal number
 *
 * Every word is exact or correctly rounded, so the same formula gives the same bits in all of them.
 */
#include <string.h>

typedef real vec;
typedef _Bool mask;
enum { VEC_LANES = 1 };

static inline vec vec_splat(real a) { return a; }
static inline vec vec_load(const real *p) { return *p; }
static inline void vec_store(real *p, vec a) { *p = a; }
static inline vec vec_load_part(const real *p, size_t n) { return n ? *p : 0; }
static inline void vec_store_part(real *p, vec a, size_t n) { if (n) *p = a; }

/* The only calls into libm: where the processor has no fma, libm's is exact in software. */
#if SUGAR_ELEMENT == 32
static inline vec vec_fma(vec a, vec b, vec c) { return __builtin_fmaf(a, b, c); }
static inline vec vec_sqrt(vec a) { return __builtin_sqrtf(a); }
static inline vec vec_abs(vec a) { return __builtin_fabsf(a); }
static inline vec vec_copysign(vec a, vec b) { return __builtin_copysignf(a, b); }
#else
static inline vec vec_fma(vec a, vec b, vec c) { return __builtin_fma(a, b, c); }
static inline vec vec_sqrt(vec a) { return __builtin_sqrt(a); }
static inline vec vec_abs(vec a) { return __builtin_fabs(a); }
static inline vec vec_copysign(vec a, vec b) { return __builtin_copysign(a, b); }
#endif

static inline vec vec_fnma(vec a, vec b, vec c) { return vec_fma(-a, b, c); }
static inline vec vec_max(vec a, vec b) { return a > b ? a : b; }
static inline vec vec_min(vec a, vec b) { return a < b ? a : b; }
static inline mask vec_less(vec a, vec b) { return a < b; }
static inline mask vec_less_equal(vec a, vec b) { return a <= b; }
static inline vec vec_select(mask m, vec a, vec b) { return m ? a : b; }
static inline int vec_any(mask m) { return m; }

static inline vec vec_power_of_two(vec a)
{
    real_bits bits;
    memcpy(&bits, &a, sizeof bits);
    bits = (bits << REAL_MANTISSA_BITS) + REAL_ONE_BITS;
    memcpy(&a, &bits, sizeof a);
    return a;
}
