/* What the formulas of several kinds use; and the rules for all formulas.
 *
 * For each entry of kinds.def there are name_value(x, p), unless it is a surrogate only, and name_derivative(x, p).
 * p[0], p[1], ... are the entry's parameters, p[SUGAR_SHIFT] is the threshold from which spike surrogates measure x,
 * p[SUGAR_SLOPE] what the values of lines multiply a negative x by.
 * Formulas are written in the vocabulary of isa/vec_scalar.h and the functions of math/, and know nothing of memory.
 *
 * Kinds whose parameter can be learned have name_parameter_derivative(x, p), which is df/dp[0]. Value and derivative of
 * these kinds must allow a p[0] that differs from lane to lane; if they do not, kinds.def names others that do. Kinds
 * whose derivative follows from y = f(x) have name_derivative_from_output(y, p). Rounding can make y a value that f
 * does not have; it counts as the nearest one that f has: for a positive parameter, beyond the limit of f the
 * derivative is 0.
 *
 * Every formula keeps: an error of at most 2 ULP (4 in f64; second derivatives twice that) for all x, tails included;
 * NaN for NaN, and no other NaN; the exact limits at +-inf. vec_min and vec_max return their second operand if either
 * is NaN, so x is the second one.
 *
 * Kinds with faster formulas for the defaults of their parameters have name_default_value and name_default_derivative.
 *
 * Most kinds have two formulas. The near one is for typical x, and uses pairs only where the error budget (see
 * math/pairs.h) needs them. The far one is for tails and infinities. `or_far` takes one or the other for each lane, so
 * that a lane's bits do not depend on other lanes. With pairs throughout and no branch, near formulas took 1.5 to 2.5
 * times as long. */
#ifndef SUGAR_KERNELS_KINDS_COMMON_H
#define SUGAR_KERNELS_KINDS_COMMON_H

#include "kernels/kernels.h"
#include "kernels/math/exp.h"
#include "kernels/math/lookup.h"

/* Beyond this |x| every function is linear, as far as its digits go; products of FAR with parameters are finite. */
#define FAR 0x1p60

static inline vec bounded(vec x, real limit) { return vec_min(vec_splat(limit), vec_max(vec_splat(-limit), x)); }

static inline vec non_positive(vec x) { return vec_min(SPLAT(0), x); }

/* 0 where x <= threshold, else 1. */
static inline vec step_at(vec x, vec threshold)
{
    return vec_select(vec_less_equal(x, threshold), SPLAT(0), vec_keep_nan(x, SPLAT(1)));
}

/* 1 inside the open interval, else 0. */
static inline vec inside(vec x, vec lower, vec upper)
{
    vec d = vec_select(vec_less(lower, x), vec_select(vec_less(x, upper), SPLAT(1), SPLAT(0)), SPLAT(0));
    return vec_keep_nan(x, d);
}

/* a where x > 0, b elsewhere. */
static inline vec where_positive(vec x, vec a, vec b) { return vec_select(vec_less(SPLAT(0), x), a, b); }

/* x * a, where x may be infinite: its product with a.lo = 0 must not be NaN. */
static inline vec times_pair_to_infinity(vec x, pair a)
{
    if (NARROW)
        return x * a.hi;
    return vec_fma(x, a.hi, vec_min(SPLAT(FAR), x) * a.lo);
}

/* A function that typical inputs do not call. If it were inlined, its constants would take registers from those of the
 * loop: sigmoid's derivative took 6 % longer. */
#define RARE static __attribute__((noinline))
#if REAL_BITS == 32
#define RARE_IN_F32 RARE
#else
#define RARE_IN_F32 static inline
#endif

/* near; in lanes that are far, the far formula, by a branch that typical inputs do not take. */
ALWAYS_INLINE vec or_far(vec near, mask far, vec (*far_formula)(vec, const vec *), vec x, const vec *p)
{
    if (is_rare(far))
        near = vec_select(far, far_formula(x, p), near);
    return near;
}

#if REAL_BITS == 32
/* The function of a table of sixteen pieces, and the far formula beyond them. */
ALWAYS_INLINE vec by_signed_pieces(sixteen_piece_table table, double width, int degree,
                                   vec (*far_formula)(vec, const vec *), vec x, const vec *p)
{
    mask far = vec_less(SPLAT(signed_limit(width)), vec_abs(x));
    return or_far(signed_piece_value(table, width, degree, x), far, far_formula, x, p);
}

/* max(x, 0) - f(|x|) for x >= -near_end(end), from a table of f that ends at `end`, where f is less than an ULP of
 * x. */
ALWAYS_INLINE vec above_minus_below(piece_table below, double end, vec x)
{
    vec a = vec_min(SPLAT(near_end(end)), vec_abs(x));
    return vec_max(SPLAT(0), x) - piece_value(below, 8, a, falling_index(a, end));
}

/* |x| in the tail of a function that is -0 below `lowest`, for tables that begin at TAIL_TABLE_START. Other |x|
 * become the nearer end, so that no lane computes with subnormal numbers, which would slow down the vector. */
static inline vec tail_distance(real lowest, vec x)
{
    return vec_min(SPLAT(-lowest), vec_max(SPLAT(TAIL_TABLE_START), vec_abs(x)));
}
#endif

/* The smallest positive number of a narrow type. */
#define SMALLEST_f16 0x1p-24
#define SMALLEST_bf16 0x1p-133
#define SUGAR_SMALLEST JOIN(SMALLEST, SUGAR_TYPE)

/* y = f(x), for a function with f(x) > x/2 except at 0, where y close to 0 is x/2 even in f32. In a narrow type a
 * subnormal x/2 can be in the middle between two elements, but f(x) is above it: what is added here makes y round to
 * the upper one. It is so small that it changes nothing else. */
static inline vec above_half(vec x, vec y)
{
#if NARROW
    return vec_copysign(y + SPLAT(SUGAR_SMALLEST * 0x1p-11), x);
#else
    (void)x;
    return y;
#endif
}

/* a rounded to an element. */
static inline vec as_element(vec a)
{
#if NARROW
    uint16_t lanes[VEC_LANES];
    JOIN(vec_store, SUGAR_TYPE)(lanes, a);
    return JOIN(vec_load, SUGAR_TYPE)(lanes);
#else
    return a;
#endif
}

/* The second derivatives of kinds have the same rules; where f' jumps or has a kink, they follow PyTorch, too. */

/* That of a kind whose first derivative is constant between jumps. */
static inline vec zero_second(vec x, const vec *p)
{
    (void)p;
    return vec_keep_nan(x, SPLAT(0));
}

/* magnitude with the sign of -x, but 0 at 0: the slope of an even function with a peak there. */
static inline vec falling(vec x, vec magnitude)
{
    return vec_select(vec_less_equal(vec_abs(x), SPLAT(0)), SPLAT(0), vec_copysign(magnitude, -x));
}

/* The last rounding of y, which lacks `rest`. Where nothing is left of that, the exact result is closer to 0 than y:
 * near 0, where y, a product, can be a middle. */
static inline vec just_below(vec y, vec rest)
{
    return last_rounding(y, vec_select(vec_less(SPLAT(0), vec_abs(rest)), rest, -y));
}

static inline vec at_least_0(vec a) { return vec_max(SPLAT(0), a); }

#endif
