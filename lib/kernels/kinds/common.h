/* The formulas of the kinds. For each row of kinds.def there are name_value(x, p) and name_derivative(x, p), where p[0],
 * p[1], ... are the row's parameters and p[SUGAR_SHIFT] is the threshold that spike surrogates measure x from. They are
 * written in the vocabulary of isa/vec_scalar.h and the functions of math/, and know nothing of memory.
 *
 * Kinds whose parameter can be learned have name_parameter_derivative(x, p), df/dp[0]. Their formulas hold for a p[0] that differs from lane to
 * lane; where one does not, kinds.def names another. Kinds whose derivative follows from y = f(x) have
 * name_derivative_from_output(y, p). A y that f does not reach, as rounding may leave it, counts as the nearest one that
 * it does: for a positive parameter, beyond the limit of f the derivative is 0.
 *
 * What every formula keeps: 2 ULP (4 in f64) for all x including the tails, NaN for NaN, no NaN otherwise, and the
 * exact limits at +-inf. Words like vec_min(c, x) have x second because they give their second operand when either is
 * NaN.
 *
 * Most kinds have two formulas. The near one serves all inputs whose exp is a normal number, with pairs only where the
 * budget (see math/pairs.h) asks for them; the far one, for tails and infinities, carries everything as pairs. `or_far`
 * joins them, lane by lane, so that neither changes the other's bits. With pairs everywhere and no branch the near
 * formulas took 1.5 to 2.5 times as long. */
#ifndef SUGAR_KERNELS_KINDS_COMMON_H
#define SUGAR_KERNELS_KINDS_COMMON_H

#include "kernels/kernels.h"
#include "kernels/math/exp.h"

/* Beyond this nothing but the linear part of a function is left; products with parameters are finite. */
#define FAR 0x1p60

static inline vec bounded(vec x, real limit)
{
    return vec_min(vec_splat(limit), vec_max(vec_splat(-limit), x));
}

static inline vec non_positive(vec x) { return vec_min(SPLAT(0), x); }

/* x itself where it is NaN. */
static inline vec keep_nan(vec x, vec result) { return vec_select(vec_less_equal(x, x), result, x); }

static inline vec jump_at(vec x, vec threshold, vec below, vec above)
{
    return keep_nan(x, vec_select(vec_less_equal(x, threshold), below, above));
}

/* 1 inside the open interval, else 0. */
static inline vec inside(vec x, vec lower, vec upper)
{
    return keep_nan(x, vec_select(vec_less(lower, x), vec_select(vec_less(x, upper), SPLAT(1), SPLAT(0)),
                                  SPLAT(0)));
}

/* a where x > 0, b elsewhere. */
static inline vec where_positive(vec x, vec a, vec b) { return vec_select(vec_less(SPLAT(0), x), a, b); }

/* x * a, where x may be infinite: its product with a.lo = 0 must not be NaN. */
static inline vec times_pair_to_infinity(vec x, pair a)
{
    if (NARROW) return x * a.hi;
    return vec_fma(x, a.hi, vec_min(SPLAT(FAR), x) * a.lo);
}

/* A function that typical inputs do not call. Inlined, its constants would take the registers of those of a loop:
 * sigmoid's derivative took 6 % longer. */
#define RARE static __attribute__((noinline))
#if REAL_BITS == 32
#define RARE_IN_F32 RARE
#else
#define RARE_IN_F32 static inline
#endif

/* Whether any lane needs what typical inputs do not. */
static inline int is_rare(mask m) { return (int)__builtin_expect(vec_any(m) != 0, 0); }

/* near, but the far formula in lanes that are far: a branch that typical inputs do not take. */
ALWAYS_INLINE vec or_far(vec near, mask far, vec (*far_formula)(vec, const vec *),
                                                        vec x, const vec *p)
{
    if (is_rare(far)) near = vec_select(far, far_formula(x, p), near);
    return near;
}

#if REAL_BITS == 32
/* |x| in the tail of a function that is -0 below `lowest`: for x from there to `limit`. Other lanes are brought to the
 * nearer end, so that what they compute is normal; subnormals slow down the vector. */
static inline vec tail_distance(real lowest, real limit, vec x)
{
    return vec_min(SPLAT(-lowest), vec_max(SPLAT(-limit), -x));
}

/* From 2^DECAY_SHIFT times the function. */
static inline vec tail_lowered(real lowest, vec x, vec raised)
{
    return raised * vec_select(vec_less(x, SPLAT(lowest)), SPLAT(0), SPLAT(DECAY_SCALE));
}
#endif

/* The smallest number of a short type. */
#define SMALLEST_f16 0x1p-24
#define SMALLEST_bf16 0x1p-133
#define SUGAR_SMALLEST JOIN(SMALLEST, SUGAR_TYPE)

/* y = f(x), for a function with f(x) > x/2 but at 0: close to 0 the difference leaves no trace in y. Elements that
 * are shorter than `real` have x/2 in the middle between two of them where they are subnormal; there alone what is
 * added here counts, and sends y to the upper one. */
static inline vec above_half(vec x, vec y)
{
#if NARROW
    return vec_copysign(y + SPLAT(SUGAR_SMALLEST * 0x1p-11), x);
#else
    (void)x;
    return y;
#endif
}

/* a as an element has it. */
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

static inline vec at_least_0(vec a) { return vec_max(SPLAT(0), a); }

#endif
