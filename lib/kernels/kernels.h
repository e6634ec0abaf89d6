/* The kernels as the rest of the library sees them: for each level and element type one table of functions. They work
 * on elements that lie one after another, and know nothing of shapes, strides or threads.
 *
 * Pointers are void, so that all element types have the same type of table, and code above the kernels is written once.
 * Comments say what is there:
 *   elements   of the element type, as in memory
 *   reals      what kernels compute with: double for f64, float for all other types
 *
 * At each function pointer stands the function behind it. Those of a kind are defined by the macros of kernels.c and
 * named after the kind: <kind>_forward is relu_forward for relu. They call the named loop with a formula of kinds/,
 * such as relu_value or relu_derivative. Those of the kind `table` are in loops/table.h. */
#ifndef SUGAR_KERNELS_H
#define SUGAR_KERNELS_H

#include "base/element.h"
#include "sugar/sugar.h"

/* Kinds are numbered in the order of kinds.def. */
enum {
#define KIND(name, ...) SUGAR_KIND_##name,
#define SURROGATE(name, ...) SUGAR_KIND_##name,
#include "kernels/kinds/kinds.def"
    SUGAR_KIND_COUNT
};

/* A kind has at most SUGAR_MAX_PARAMETERS parameters. Kernels get one more value. At SUGAR_SHIFT it is the threshold
 * from which spike surrogates measure x; at SUGAR_SLOPE, the same place, what values multiply a negative x by
 * (activation/slope.h). */
enum {
    SUGAR_MAX_PARAMETERS = 3,
    SUGAR_SHIFT = SUGAR_MAX_PARAMETERS,
    SUGAR_SLOPE = SUGAR_SHIFT,
    SUGAR_KERNEL_PARAMETERS
};

/* The function of the kind `table`, in the order in which a kernel reads it: a polynomial for each piece, from one
 * start to the next. Doubles, made from knots that are reals (activation/table.c). There is a straight line below the
 * first knot and one above the last one; between two knots one piece for each, up to the middle. */
typedef struct sugar_piece {
    double knot, value, slope;          /* value + slope u + square u^2 + cube u^3, with u = x - knot */
    double square, square_low;          /* a pair: square + square_low, where f64 needs it */
    double cube, cube_low;
} sugar_piece;

typedef struct sugar_table {
    size_t count;                       /* of pieces; 0 for kinds other than `table` */
    const double *starts;               /* [count]; ascending, the first one is -INFINITY */
    const sugar_piece *pieces;          /* [count] */
} sugar_table;

/* What a kernel gets. Kinds other than `table` look at the reals alone. */
typedef struct sugar_parameters {
    SUGAR_REALS(SUGAR_KERNEL_PARAMETERS) reals;
    const sugar_table *table;
} sugar_parameters;

enum { SUGAR_WIDEST = 16 };         /* the most lanes of a vector, at any level */

/* `stream`, here and below: if it is not 0, whole vectors are stored past the caches, if the instruction set can do
 * so. The output then must begin at a cache line, and be no input. When the function returns, the output is in
 * memory, for other threads too; but with SUGAR_STREAM_OPEN only after a later call of end_stream(). */
enum { SUGAR_STREAM_OPEN = 2 };

/* ---- Plain calls: loops/plain.h ------------------------------------------------------------ */

/* y[i] = f(x[i]), elements; y may be x. parameters: SUGAR_KERNEL_PARAMETERS reals; for the kind `table`, here and
 * below, a sugar_parameters. */
typedef void sugar_forward_kernel(const void *parameters, const void *x, void *y, size_t n, int stream);

/* dx[i] = dy[i] * f'(x[i]), elements; dx may be x or dy. */
typedef void sugar_backward_kernel(const void *parameters, const void *x, const void *dy, void *dx, size_t n,
                                   int stream);

/* d[i] = f'(x[i]): x elements, d reals. */
typedef void sugar_derivative_kernel(const void *parameters, const void *x, void *d, size_t n);

/* g', by which the backward pass multiplies dy, from one or two derivatives (reals):
 *   d[i] = surrogate[i]                             if own is NULL
 *          blend * surrogate[i] + rest * own[i]     where x[i] <= 0, or everywhere if !negative_only
 *          own[i]                                   elsewhere */
typedef struct sugar_combination {
    const void *x;
    const void *surrogate, *own;
    double blend, rest;                 /* t and 1 - t, rounded to reals */
    int negative_only, accumulate, stream;
} sugar_combination;

/* dx[i] = dy[i] * d[i], or fma(dy[i], d[i], dx[i]) if accumulate; elements. dx may be x or dy: each element is read
 * before it is written. */
typedef void sugar_combine_kernel(const sugar_combination *combination, const void *dy, void *dx, size_t n);

/* ddy[i] = v[i] * d[i], dx[i] = (dy[i] * v[i]) * e[i], where `first` describes d and `second` e; elements. Each is
 * added to what its output holds if the combination says so. ddy or dx may be NULL: not wanted. Either may be x, dy
 * or v. */
typedef void sugar_combine_twice_kernel(const sugar_combination *first, const sugar_combination *second, const void *dy,
                                        const void *v, void *ddy, void *dx, size_t n);

/* ---- Fused passes: loops/fused.h ------------------------------------------------------------ */

/* What a fused pass adds to a plain one; what is NULL is left out. */
typedef struct sugar_fusion {
    const void *bias;                   /* reals: x + bias[i * bias_step + r * bias_row_step] takes the place of x in
                                           row r; bias_step is 0 or 1 */
    size_t bias_step, bias_row_step;
    size_t rows;                        /* of n elements, one behind the other in all other operands; 1 or more */
    const void *gate;                   /* elements: f(x), or dy, is multiplied by it */
    void *gate_gradient;                /* elements, for backward_with_gate alone: dy f(x) */
    void *products;                     /* backward: reals, what dx is before it is rounded, and added to */
    int accumulate;                     /* the result is added to what the output holds, rounded once; in a forward
                                           pass only beside a gate */
} sugar_fusion;

/* The output may be any input. */
typedef void sugar_fused_forward_kernel(const void *parameters, const sugar_fusion *fusion, const void *x, void *y,
                                        size_t n, int stream);
typedef void sugar_fused_backward_kernel(const void *parameters, const sugar_fusion *fusion, const void *x,
                                         const void *dy, void *dx, size_t n, int stream);

/* <kind>_fused_forward_<type> and <kind>_fused_backward_<type>, by the type of all elements, which is any that is
 * computed with these reals; NULL for others. Each element is rounded once. */
typedef struct sugar_fused_kernels {
    sugar_fused_forward_kernel *forward[SUGAR_ELEMENT_COUNT];
    sugar_fused_backward_kernel *backward[SUGAR_ELEMENT_COUNT];
    sugar_fused_backward_kernel *backward_with_gate[SUGAR_ELEMENT_COUNT];    /* stores the gate's gradient as well;
                                                                               if `stream`, past the caches too */
} sugar_fused_kernels;

/* ---- Saved gradients: loops/saved.h -------------------------------------------------------- */

/* What codes stand for: code c for lower + c * spacing; or, with two_values, 0 for lower and any other for upper. */
typedef struct sugar_coding {
    double lower, upper;
    double scale;                       /* 255 / (upper - lower), or 0 if they are equal */
    double spacing;                     /* (upper - lower) / 255 */
    int two_values, accumulate;
} sugar_coding;

/* ---- Monitors: loops/monitor.h ------------------------------------------------------------- */

/* The most inputs that a monitor counts at a time. */
enum { SUGAR_OBSERVED = 2048 };

/* The histogram of one thread. All but minimum and scale is 0 at first. */
enum { SUGAR_DIGITS = 14 };
typedef struct sugar_histogram {
    double minimum, scale;              /* x is in bin 1 + (x - minimum) * scale, or the first or last one */
    int64_t count[SUGAR_MONITOR_BINS];  /* complete after take_bins */
    int all_finite;                     /* of the inputs that count_bins got last */
    uint32_t blocks;                    /* from here on as loops/monitor.h says: counts in binary, which a bit of each
                                           word is a digit of */
    uint32_t digit[SUGAR_DIGITS][SUGAR_WIDEST], waiting[SUGAR_DIGITS][SUGAR_WIDEST];
} sugar_histogram;

/* What a monitor counts for each unit. The arrays have room for SUGAR_WIDEST units more than there are. */
typedef struct sugar_tallies {
    double threshold;
    void *active;                       /* reals: counts, which the caller must take before they are inexact */
    double *sum, *sum_of_squares;
    int64_t *not_finite;
} sugar_tallies;

/* ---- The table ----------------------------------------------------------------------------- */

typedef struct sugar_kernels {
    /* <kind>_forward: forward_loop in loops/plain.h. NULL for kinds that are surrogates only. */
    sugar_forward_kernel *forward[SUGAR_KIND_COUNT];
    /* <kind>_backward: backward_loop in loops/plain.h. */
    sugar_backward_kernel *backward[SUGAR_KIND_COUNT];
    /* <kind>_derivatives: derivative_loop in loops/plain.h. */
    sugar_derivative_kernel *derivative[SUGAR_KIND_COUNT];
    /* <kind>_seconds: derivative_loop with the second derivative. NULL for kinds without one. */
    sugar_derivative_kernel *second[SUGAR_KIND_COUNT];
    /* <kind>_default_forward, <kind>_default_backward, <kind>_default_derivatives: the same for parameters that
     * have their defaults. NULL for kinds without faster formulas for these. */
    sugar_forward_kernel *forward_at_defaults[SUGAR_KIND_COUNT];
    sugar_backward_kernel *backward_at_defaults[SUGAR_KIND_COUNT];
    sugar_derivative_kernel *derivative_at_defaults[SUGAR_KIND_COUNT];
    /* <kind>_backward_from_output, <kind>_derivatives_from_output: the last two with y = f(x) in place of x. NULL
     * for kinds whose derivative does not follow from y. */
    sugar_backward_kernel *backward_from_output[SUGAR_KIND_COUNT];
    sugar_derivative_kernel *derivative_from_output[SUGAR_KIND_COUNT];
    /* <kind>_fused, <kind>_default_fused: NULL for kinds that kinds.def does not list as FUSED, or
     * FUSED_AT_DEFAULTS; all NULL where elements are narrow, as such calls are computed in f32. */
    const sugar_fused_kernels *fused[SUGAR_KIND_COUNT], *fused_at_defaults[SUGAR_KIND_COUNT];
    /* combine in loops/plain.h. */
    sugar_combine_kernel *combine;
    /* combine_twice in loops/plain.h. */
    sugar_combine_twice_kernel *combine_twice;
    /* end_stream in loops/memory.h. */
    void (*end_stream)(void);

    /* <kind>_forward_each, <kind>_derivative_each: forward_each_loop, derivative_each_loop in loops/parameter.h.
     * As forward and derivative, but with a parameter (elements) for each element (step 1), or one for all
     * (step 0). NULL for kinds whose parameter cannot be learned. */
    void (*forward_each[SUGAR_KIND_COUNT])(const void *parameter, size_t step, const void *x, void *y, size_t n);
    void (*derivative_each[SUGAR_KIND_COUNT])(const void *parameter, size_t step, const void *x, void *d, size_t n);
    /* <kind>_products: product_loop in loops/parameter.h. product[i] = dy[i] * df/dparameter(x[i]), reals. If
     * parameter is NULL, it is parameters[0]. */
    void (*parameter_products[SUGAR_KIND_COUNT])(const void *parameters, const void *parameter, size_t step,
                                                 const void *x, const void *dy, void *product, size_t n);
    /* sum_run, sum_rows in loops/parameter.h. Add n products (reals) to one sum, or `rows` rows of n products to n
     * sums. A sum is high + low; the arrays of sum_rows have room for SUGAR_WIDEST sums more. */
    void (*sum_run)(const void *product, size_t n, double *high, double *low);
    void (*sum_rows)(const void *product, size_t rows, size_t n, double *high, double *low);
    /* put_sum, put_sums in loops/parameter.h. Round sums to elements, and store them, or add them to what is
     * there. */
    void (*put_sum)(double high, double low, void *at, int accumulate);
    void (*put_sums)(const double *high, const double *low, size_t n, void *at, int accumulate);
    /* find_outside in loops/parameter.h. Whether any parameter (elements) is NaN or outside the range; *found: the
     * first one that is. */
    int (*find_outside)(const void *parameter, size_t n, double minimum, double maximum, double *found);

    /* load_reals, store_reals in loops/steps.h. Elements as reals; and any reals, NaN with any payload too,
     * rounded to elements. The two arrays may not overlap. */
    void (*load_reals)(const void *elements, void *reals, size_t n);
    void (*store_reals)(const void *reals, void *elements, size_t n, int stream);
    /* add_bias in loops/steps.h. sum[i] = x[i] + bias[i * step], where x are elements and all others reals; step
     * is 0 or 1; sum may be x where that has the type of reals. */
    void (*add_bias)(const void *x, const void *bias, size_t step, void *sum, size_t n);
    /* multiply in loops/steps.h. product[i] = a[i] * b[i], or fma(a[i], b[i], product[i]) if accumulate, reals;
     * product may be a or b. */
    void (*multiply)(const void *a, const void *b, void *product, size_t n, int accumulate, int stream);

    /* draw in loops/random.h. Draws slopes (reals) for `rows` rows of n elements. Element i of row r has position
     * first + r + i * step. rows is 1, or step is a multiple of 4 and the first elements of all rows have the same
     * block of four random numbers. */
    void (*draw)(const sugar_random *random, const void *parameters, int64_t first, int64_t step, size_t rows,
                 void *slope, size_t n);
    /* forward_drawn, derivative_drawn in loops/random.h. rrelu with these slopes. */
    void (*forward_drawn)(const void *slope, const void *x, void *y, size_t n, int stream);
    void (*derivative_drawn)(const void *slope, const void *x, void *d, size_t n);

    /* encode in loops/saved.h. The codes of g', which a combination describes. Prefetches the `following`
     * inputs behind x[n - 1] meanwhile. */
    void (*encode)(const sugar_combination *combination, const sugar_coding *coding, uint8_t *code, size_t n,
                   size_t following);
    /* backward_from_codes in loops/saved.h. dx[i] = dy[i] * d[i], elements, where code[i] stands for d[i]; dx may
     * be dy. */
    void (*backward_from_codes)(const sugar_coding *coding, const uint8_t *code, const void *dy, void *dx, size_t n,
                                int stream);

    /* count_bins in loops/monitor.h. Counts n <= SUGAR_OBSERVED inputs (elements). Returns them as reals: x, or
     * `values`, where it has stored them, with room for SUGAR_OBSERVED. ahead: NULL, or inputs, of which half as
     * many are prefetched meanwhile. take_bins: in the end, puts all that was counted into `count`. */
    const void *(*count_bins)(sugar_histogram *histogram, const void *x, void *values, size_t n, const void *ahead);
    void (*take_bins)(sugar_histogram *histogram);
    /* tally_unit, tally_units in loops/monitor.h. Add n inputs (reals) to a unit; or `rows` rows of inputs, of
     * which element i belongs to unit first + i, for i < units. all_finite: the histogram's, of these inputs. ahead:
     * NULL, or inputs of which they prefetch half as many meanwhile. */
    void (*tally_unit)(const sugar_tallies *tallies, size_t unit, const void *x, size_t n, int all_finite,
                       const void *ahead);
    void (*tally_units)(const sugar_tallies *tallies, size_t first, const void *x, size_t rows, size_t units,
                        int all_finite, const void *ahead);
} sugar_kernels;

/* sugar_kernels_<level>_<type>: defined in kernels.c, for the levels that the build compiles. */
#define LEVEL(level, ...)                                                                                              \
    extern const sugar_kernels sugar_kernels_##level##_f32, sugar_kernels_##level##_f64, sugar_kernels_##level##_f16,  \
        sugar_kernels_##level##_bf16;
#include "kernels/isa/levels.def"

#endif
