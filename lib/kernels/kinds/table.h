/* The kind `table`: the spline that sugar_table describes, its derivative and its second one.
 *
 * A lane looks for its piece and evaluates one polynomial. In f32 and the narrow types that is done in double, which
 * has digits to spare. In f64 the coefficients of all lanes are gathered, and the polynomials evaluated in pairs. The
 * search is branch-free: one comparison and one load for each time that the number of pieces can be halved, by all
 * lanes side by side. */
#ifndef SUGAR_KERNELS_KINDS_TABLE_H
#define SUGAR_KERNELS_KINDS_TABLE_H

#include "kernels/kinds/common.h"
#include "kernels/math/pairs.h"

/* The pieces of the lanes: for each the last one that does not start above x; the first one for NaN. */
ALWAYS_INLINE void find_pieces(const sugar_table *table, const real *x, size_t *at)
{
    for (int lane = 0; lane < VEC_LANES; lane++)
        at[lane] = 0;
    size_t left = table->count;
    while (left > 1) {
        const size_t half = left / 2;
        for (int lane = 0; lane < VEC_LANES; lane++)
            at[lane] += table->starts[at[lane] + half] <= (double)x[lane] ? half : 0;
        left -= half;
    }
}

#if REAL_BITS == 32
static inline double cubic_value(const sugar_piece *p, double u)
{
    return p->value + u * (p->slope + u * (p->square + u * p->cube));
}
static inline double cubic_derivative(const sugar_piece *p, double u)
{
    return p->slope + u * (2 * p->square + u * (3 * p->cube));
}
static inline double cubic_second(const sugar_piece *p, double u) { return 2 * p->square + u * (6 * p->cube); }

/* Stands for an infinite x: a line that rises at all is there beyond all floats, and one that does not is exact. */
#define BEYOND_FLOATS 0x1p800
static inline double finite_double(real x)
{
    const double wide = (double)x, bounded_below = wide < -BEYOND_FLOATS ? -BEYOND_FLOATS : wide;
    return bounded_below > BEYOND_FLOATS ? BEYOND_FLOATS : bounded_below;
}

/* The polynomial's value, rounded to a real; what was lost in `rest`. */
ALWAYS_INLINE vec by_pieces(double (*cubic)(const sugar_piece *, double), vec x, const sugar_table *table, vec *rest)
{
    real inputs[VEC_LANES], nearest[VEC_LANES], lost[VEC_LANES];
    size_t at[VEC_LANES];
    vec_store(inputs, x);
    find_pieces(table, inputs, at);
    for (int lane = 0; lane < VEC_LANES; lane++) {
        const sugar_piece *p = &table->pieces[at[lane]];
        const double y = cubic(p, finite_double(inputs[lane]) - p->knot);
        nearest[lane] = (real)y;
        lost[lane] = (real)(y - (double)nearest[lane]);
    }
    *rest = vec_load(lost);
    return vec_load(nearest);
}

static inline vec table_value(vec x, const sugar_table *table)
{
    vec rest, y = by_pieces(cubic_value, x, table, &rest);
    return last_rounding(y, rest);
}

static inline vec table_derivative(vec x, const sugar_table *table)
{
    vec rest, d = by_pieces(cubic_derivative, x, table, &rest);
    return last_rounding(d, rest);
}

/* It may overflow, and then there is no rest. */
static inline vec table_second(vec x, const sugar_table *table)
{
    vec rest;
    return by_pieces(cubic_second, x, table, &rest);
}
#else
/* The pieces of all lanes. */
typedef struct {
    vec knot, value, slope;
    pair square, cube;
} lane_pieces;

ALWAYS_INLINE lane_pieces load_pieces(vec x, const sugar_table *table)
{
    enum { NUMBERS = 7 };
    real inputs[VEC_LANES], lanes[NUMBERS][VEC_LANES];
    size_t at[VEC_LANES];
    vec_store(inputs, x);
    find_pieces(table, inputs, at);
    for (int lane = 0; lane < VEC_LANES; lane++) {
        const sugar_piece *p = &table->pieces[at[lane]];
        const double numbers[NUMBERS] = {p->knot, p->value, p->slope, p->square, p->square_low, p->cube, p->cube_low};
        for (int i = 0; i < NUMBERS; i++)
            lanes[i][lane] = numbers[i];
    }
    return (lane_pieces){
        .knot = vec_load(lanes[0]),
        .value = vec_load(lanes[1]),
        .slope = vec_load(lanes[2]),
        .square = {vec_load(lanes[3]), vec_load(lanes[4])},
        .cube = {vec_load(lanes[5]), vec_load(lanes[6])},
    };
}

/* Beyond are straight lines alone, whose square and cube are 0: there any x will do for these. */
#define NEAR_KNOTS 0x1p120
static inline pair near_distance(vec x, const lane_pieces *p) { return two_sum(bounded(x, NEAR_KNOTS), -p->knot); }

static inline pair multiple(real factor, pair a) { return pair_multiply(pair_of(vec_splat(factor)), a); }

/* value + u (slope + u (square + u cube)). A far product overflows in its low part before it does in its high one; the
 * value is nothing beside it. */
static inline vec table_value(vec x, const sugar_table *table)
{
    const lane_pieces p = load_pieces(x, table);
    const pair near = near_distance(x, &p);
    const pair curve = pair_multiply(near, pair_add(p.square, pair_multiply(near, p.cube)));
    const pair chord = pair_add(pair_of(p.slope), curve);
    const vec finite = bounded(x, DBL_MAX);
    const pair u = two_sum(finite, -p.knot);
    const vec product = chord.hi * u.hi;
    vec y = pair_round(pair_add(pair_of(p.value), pair_multiply(chord, u)));
    y = vec_select(vec_less(vec_abs(product), SPLAT(0x1p1000)), y, product);
    const vec at_infinity = vec_select(vec_less(SPLAT(0), vec_abs(p.slope)), p.slope * x, y);
    return vec_select(vec_less(SPLAT(DBL_MAX), vec_abs(x)), at_infinity, y);
}

static inline vec table_derivative(vec x, const sugar_table *table)
{
    const lane_pieces p = load_pieces(x, table);
    const pair u = near_distance(x, &p);
    const pair change = pair_multiply(u, pair_add(multiple(2, p.square), pair_multiply(u, multiple(3, p.cube))));
    return pair_round(pair_add(pair_of(p.slope), change));
}

static inline vec table_second(vec x, const sugar_table *table)
{
    const lane_pieces p = load_pieces(x, table);
    return pair_round(pair_add(multiple(2, p.square), pair_multiply(near_distance(x, &p), multiple(6, p.cube))));
}
#endif

#endif
