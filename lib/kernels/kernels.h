/* The kernels as the rest of the library sees them: per instruction set and element type one table of functions over
 * contiguous runs. Kernels know nothing of shapes, strides or threads.
 *
 * Pointers are void, so that one table type serves all element types, and code above the kernels is written once. What
 * they point to is said by a word:
 *   elements   numbers in memory, in the element type
 *   reals      numbers as they are computed: float, or double for f64 */
#ifndef SUGAR_KERNELS_H
#define SUGAR_KERNELS_H

#include "base/element.h"
#include "sugar/sugar.h"

/* Every kind has a number, that of its entry in kinds.def. */
enum {
#define KIND(name, ...) SUGAR_KIND_##name,
#define SURROGATE(name, ...) SUGAR_KIND_##name,
#include "kernels/kinds/kinds.def"
    SUGAR_KIND_COUNT
};

/* An entry of kinds.def has at most SUGAR_MAX_PARAMETERS parameters; kernels get one value more, the threshold from which
 * spike surrogates measure x. */
enum { SUGAR_MAX_PARAMETERS = 3, SUGAR_SHIFT = SUGAR_MAX_PARAMETERS, SUGAR_KERNEL_PARAMETERS };
typedef SUGAR_REALS(SUGAR_KERNEL_PARAMETERS) sugar_parameters;

enum { SUGAR_WIDEST = 16 };         /* lanes of any vector */

/* With `stream`, here and below, whole vectors are stored past the caches, where the instruction set can, and are in
 * memory, for other threads too, when the function returns; with SUGAR_STREAM_OPEN, when end_stream() has been called after
 * it. Outputs then begin at a cache line, and are no inputs. */
enum { SUGAR_STREAM_OPEN = 2 };

/* ---- Plain calls: loops/plain.h ------------------------------------------------------------ */

/* y[i] = f(x[i]), elements; y may be x. parameters: SUGAR_KERNEL_PARAMETERS reals. See forward_loop. */
typedef void sugar_forward_kernel(const void *parameters, const void *x, void *y, size_t n, int stream);

/* dx[i] = dy[i] * f'(x[i]), elements; dx may be x or dy. See backward_loop. */
typedef void sugar_backward_kernel(const void *parameters, const void *x, const void *dy, void *dx, size_t n, int stream);

/* d[i] = f'(x[i]), reals. See derivative_loop. */
typedef void sugar_derivative_kernel(const void *parameters, const void *x, void *d, size_t n);

/* What the backward pass multiplies dy by, from up to two derivatives (reals):
 *   d[i] = surrogate[i]                                            if derivative is NULL
 *          blend * surrogate[i] + rest * derivative[i]             where x[i] <= 0 or !negative_only
 *          derivative[i]                                           elsewhere */
typedef struct sugar_combination {
    const void *x;
    const void *surrogate, *own;
    double blend, rest;                 /* t and 1 - t, rounded to reals */
    int negative_only, accumulate, stream;
} sugar_combination;

/* dx[i] = dy[i] * d[i], or fma(dy[i], d[i], dx[i]) if accumulate. dx may be x or dy: each element is read before it is
 * written. See combine. */
typedef void sugar_combine_kernel(const sugar_combination *combination, const void *dy, void *dx, size_t n);

/* ---- Saved gradients: loops/saved.h -------------------------------------------------------- */

/* How derivatives become bytes: 0 is lower, 255 upper; or, with two values, 0 is lower, anything else upper. */
typedef struct sugar_coding {
    double lower, upper;
    double scale, spacing;                 /* 255 / (upper - lower), or 0; (upper - lower) / 255 */
    int two_values, accumulate;
} sugar_coding;

/* ---- Monitors: loops/monitor.h ------------------------------------------------------------- */

/* The inputs that a monitor counts at a time, at most; and room for their bins. */
enum { SUGAR_OBSERVED = 2048, SUGAR_BIN_BYTES = SUGAR_OBSERVED + 64 };
typedef struct sugar_histogram {
    double minimum, scale;              /* element x is in bin 1 + (x - minimum) * scale, from the first to the last */
    int64_t count[SUGAR_MONITOR_BINS + 15]; /* the last ones stay 0 */
    int all_finite;                     /* whether all inputs of the last block were */
} sugar_histogram;

/* What a monitor counts per unit. The arrays have SUGAR_WIDEST elements more than there are units. */
typedef struct sugar_tallies {
    double threshold;
    void *active;                       /* reals: whole numbers, exact as long as the caller takes them in time */
    double *sum, *sum_of_squares;
    int64_t *not_finite;
} sugar_tallies;

/* ---- The table ----------------------------------------------------------------------------- */

typedef struct sugar_kernels {
    sugar_forward_kernel *forward[SUGAR_KIND_COUNT];            /* NULL: surrogate only */
    sugar_backward_kernel *backward[SUGAR_KIND_COUNT];
    sugar_derivative_kernel *derivative[SUGAR_KIND_COUNT];
    /* The same two with y = f(x) in place of x. NULL for kinds whose derivative does not follow from it. */
    sugar_backward_kernel *backward_from_output[SUGAR_KIND_COUNT];
    sugar_derivative_kernel *derivative_from_output[SUGAR_KIND_COUNT];
    sugar_combine_kernel *combine;
    void (*end_stream)(void);

    /* loops/parameter.h. forward and derivative with a parameter for each element (step 1), or one for all (step 0). NULL
     * for kinds whose parameter cannot be learned. */
    void (*forward_each[SUGAR_KIND_COUNT])(const void *parameter, size_t step, const void *x, void *y, size_t n);
    void (*derivative_each[SUGAR_KIND_COUNT])(const void *parameter, size_t step, const void *x, void *d, size_t n);
    /* product[i] = dy[i] * df/dparameter(x[i]), reals; parameter NULL: the one of the parameters. */
    void (*parameter_products[SUGAR_KIND_COUNT])(const void *parameters, const void *parameter, size_t step, const void *x,
                                    const void *dy, void *product, size_t n);
    /* Adds products (reals) to one sum, or rows of n to n sums. */
    void (*sum_run)(const void *product, size_t n, double *high, double *low);
    void (*sum_rows)(const void *product, size_t rows, size_t n, double *high, double *low);
    /* Rounds a sum to an element, and stores it or adds it to what is there. */
    void (*put_sum)(double high, double low, void *at, int accumulate);
    void (*put_sums)(const double *high, const double *low, size_t n, void *at, int accumulate);
    /* Whether a parameter (elements) is outside the range, or NaN: the first one that is. */
    int (*find_outside)(const void *parameter, size_t n, double minimum, double maximum, double *found);

    /* loops/random.h. rrelu's slopes (reals) of n elements first, first + step, ..., and its passes with them. rows: 1,
     * or more where step % 4 is 0, of n slopes each: row r begins with element first + r, and all their first elements
     * have the same block of random numbers. */
    void (*draw)(const sugar_random *random, const void *parameters, int64_t first, int64_t step, size_t rows,
                 void *slope, size_t n);
    void (*forward_drawn)(const void *slope, const void *x, void *y, size_t n, int stream);
    void (*derivative_drawn)(const void *slope, const void *x, void *d, size_t n);

    /* loops/saved.h. The derivatives that a combination mixes as codes of 8 bits; `ahead` inputs that follow are fetched
     * meanwhile. */
    void (*encode)(const sugar_combination *combination, const sugar_coding *coding, uint8_t *code, size_t n,
                   size_t ahead);
    /* dx[i] = dy[i] * d[i] with the derivatives that codes stand for; dx may be dy. */
    void (*backward_from_codes)(const sugar_coding *coding, const uint8_t *code, const void *dy, void *dx, size_t n,
                                int stream);

    /* loops/monitor.h. The numbers of the bins of n <= SUGAR_OBSERVED inputs (elements), in any order, and as many more
     * as fill a vector. Returns the inputs as reals: x or values. ahead: the next inputs, as many, to be fetched
     * meanwhile, half of them here and half by count_bins; or NULL. */
    const void *(*find_bins)(sugar_histogram *histogram, const void *x, void *values, size_t n, uint8_t *bin,
                             const void *ahead);
    /* Counts the elements whose bins these are. */
    void (*count_bins)(sugar_histogram *histogram, const uint8_t *bin, size_t n, const void *ahead);
    /* Adds such inputs (reals) to a unit, or rows of them to `units` of them from the first on. */
    void (*tally_unit)(const sugar_tallies *tallies, size_t unit, const void *x, size_t n, int all_finite);
    void (*tally_units)(const sugar_tallies *tallies, size_t first, const void *x, size_t rows, size_t units,
                        int all_finite);
} sugar_kernels;

/* sugar_kernels_<level>_<type>, defined by kernels.c if the build compiles it for that level. */
#define LEVEL(level, is_here)                                                                      \
    extern const sugar_kernels sugar_kernels_##level##_f32, sugar_kernels_##level##_f64,           \
        sugar_kernels_##level##_f16, sugar_kernels_##level##_bf16;
#include "kernels/isa/levels.def"

#endif
