/* The kernels as the rest of the library sees them: per instruction set and element type one table
 * of functions over contiguous runs. Kernels know nothing of shapes, strides or threads. */
#ifndef SUGAR_KERNELS_H
#define SUGAR_KERNELS_H

#include "sugar/sugar.h"

/* Every kind has a number, its row in kinds.def. */
enum {
#define PARAMETER(...)
#define PARAMETER_UP_TO_NEXT(...)
#define KIND(name, ...) SUGAR_KIND_##name,
#define SURROGATE(name, ...) SUGAR_KIND_##name,
#include "kernels/kinds/kinds.def"
    SUGAR_KIND_COUNT
};

/* A row of kinds.def has at most SUGAR_MAX_PARAMETERS parameters; kernels get one value more, the
 * threshold from which spike surrogates measure x. */
enum { SUGAR_MAX_PARAMETERS = 3, SUGAR_SHIFT = SUGAR_MAX_PARAMETERS, SUGAR_KERNEL_PARAMETERS };

enum { SUGAR_WIDEST = 16 };         /* lanes of any vector */

/* The element types: one ELEMENT(name, storage, real, argument) each. Elements lie in memory as `storage`;
 * kernels compute in `real` and round a result once when they store it. */
#define SUGAR_ELEMENTS(ELEMENT, argument)                                                          \
    ELEMENT(f32, float, float, argument)                                                           \
    ELEMENT(f64, double, double, argument)                                                         \
    ELEMENT(f16, uint16_t, float, argument)                                                        \
    ELEMENT(bf16, uint16_t, float, argument)

/* The inputs that a monitor counts at a time, at most, and their histogram. */
enum { SUGAR_OBSERVED = 2048, SUGAR_CODES = SUGAR_OBSERVED + 64 };
typedef struct sugar_histogram {
    double minimum, scale;          /* element x is in bin 1 + (x - minimum) * scale, from the first to the last */
    int64_t count[SUGAR_MONITOR_BINS + 15]; /* the last ones stay 0 */
    int all_finite;                 /* whether all inputs of the last block were */
} sugar_histogram;

/* What `combine` does, for every i:
 *   d[i]  = surrogate[i]                                              if derivative is NULL
 *           t * surrogate[i] + u * derivative[i]                      where x[i] <= 0 or !negative_only
 *           derivative[i]                                             elsewhere
 *   dx[i] = dy[i] * d[i], or fma(dy[i], d[i], dx[i]) if accumulate
 * dx may be x or dy: each element is read before it is written.
 *
 * With `stream`, here and below, whole vectors are stored past the caches, where the instruction set can, and
 * are in memory, for other threads too, when the function returns; with SUGAR_STREAM_ON, when end_stream() has been
 * called after it. Outputs then begin at a cache line, and are no inputs. */
enum { SUGAR_STREAM_ON = 2 };
#define SUGAR_KERNEL_TYPES(element, storage, real, unused)                                         \
    /* y[i] = f(x[i]); y may be x. parameters: SUGAR_KERNEL_PARAMETERS values. */                  \
    typedef void (*sugar_forward_kernel_##element)(const real *parameters, const storage *x,       \
                                                   storage *y, size_t n, int stream);              \
    /* dx[i] = dy[i] * f'(x[i]); dx may be x or dy. */                                             \
    typedef void (*sugar_backward_kernel_##element)(const real *parameters, const storage *x,      \
                                                    const storage *dy, storage *dx, size_t n,      \
                                                    int stream);                                   \
    /* d[i] = f'(x[i]). */                                                                         \
    typedef void (*sugar_derivative_kernel_##element)(const real *parameters, const storage *x,    \
                                                      real *d, size_t n);                          \
    typedef struct sugar_combination_##element {                                                   \
        const storage *x;                                                                          \
        const real *surrogate, *derivative;                                                        \
        real t, u;                                                                                 \
        int negative_only, accumulate, stream;                                                     \
    } sugar_combination_##element;                                                                 \
    typedef void (*sugar_combine_kernel_##element)(const sugar_combination_##element *combination, \
                                                   const storage *dy, storage *dx, size_t n);      \
    /* How derivatives are coded: 0 is lower, 255 upper; or, with two values, anything but 0. */   \
    typedef struct sugar_codes_##element {                                                         \
        real lower, upper;                                                                         \
        real scale, step;           /* 255 / (upper - lower), or 0; (upper - lower) / 255 */       \
        int two_values, accumulate;                                                                \
    } sugar_codes_##element;                                                                       \
    /* What a monitor counts per unit. The arrays have SUGAR_WIDEST elements more than there are units. */ \
    typedef struct sugar_tallies_##element {                                                       \
        real threshold;                                                                            \
        real *active;               /* whole numbers, exact as long as the caller takes them in time */ \
        double *sum, *sum_of_squares;                                                              \
        int64_t *not_finite;                                                                       \
    } sugar_tallies_##element;                                                                     \
    typedef struct sugar_kernels_##element {                                                       \
        sugar_forward_kernel_##element forward[SUGAR_KIND_COUNT]; /* NULL: surrogate only */       \
        sugar_backward_kernel_##element backward[SUGAR_KIND_COUNT];                                \
        sugar_derivative_kernel_##element derivative[SUGAR_KIND_COUNT];                            \
        /* The same two with y = f(x) in place of x. NULL for kinds whose derivative does not follow from it. */ \
        sugar_backward_kernel_##element backward_from_output[SUGAR_KIND_COUNT];                    \
        sugar_derivative_kernel_##element derivative_from_output[SUGAR_KIND_COUNT];                \
        sugar_combine_kernel_##element combine;                                                    \
        void (*end_stream)(void);                                                                  \
        /* forward and derivative with a parameter for each element (step 1), or one for all (step 0). NULL for kinds that \
         * cannot learn. */                                                                        \
        void (*forward_each[SUGAR_KIND_COUNT])(const storage *parameter, size_t step, const storage *x, \
                                               storage *y, size_t n);                              \
        void (*derivative_each[SUGAR_KIND_COUNT])(const storage *parameter, size_t step, const storage *x, \
                                                  real *d, size_t n);                              \
        /* product[i] = dy[i] * df/dparameter(x[i]); parameter NULL: the one of the parameters. */ \
        void (*slope[SUGAR_KIND_COUNT])(const real *parameters, const storage *parameter, size_t step, \
                                        const storage *x, const storage *dy, real *product, size_t n); \
        /* Adds products to one sum, or rows of n to n sums. */                                    \
        void (*sum_run)(const real *product, size_t n, double *high, double *low);                 \
        void (*sum_rows)(const real *product, size_t rows, size_t n, double *high, double *low);   \
        /* Rounds a sum, and stores it or adds it to what is there. */                             \
        void (*put_sum)(double high, double low, storage *at, int accumulate);                     \
        void (*put_sums)(const double *high, const double *low, size_t n, storage *at, int accumulate); \
        /* Whether a parameter is outside the range, or NaN: the first one that is. */              \
        int (*find_outside)(const storage *parameter, size_t n, double minimum, double maximum,    \
                            double *found);                                                        \
        /* rrelu's slopes of n elements first, first + step, ..., and its passes with them. rows: 1, or \
         * more where step % 4 is 0, of n slopes each: row r begins with element first + r, and all their \
         * first elements have the same block of random numbers. */                                \
        void (*draw)(const sugar_random *random, const real *parameters, int64_t first, int64_t step, \
                     size_t rows, real *slope, size_t n);                                          \
        void (*forward_drawn)(const real *slope, const storage *x, storage *y, size_t n, int stream); \
        void (*derivative_drawn)(const real *slope, const storage *x, real *d, size_t n);          \
        /* The derivatives that a combination mixes as codes of 8 bits. */                         \
        void (*encode)(const sugar_combination_##element *combination, const sugar_codes_##element *codes, \
                       uint8_t *code, size_t n, size_t ahead);                                     \
        /* dx[i] = dy[i] * d[i] with the derivatives that codes stand for; dx may be dy. */        \
        void (*backward_from_codes)(const sugar_codes_##element *codes, const uint8_t *code, const storage *dy, \
                                    storage *dx, size_t n, int stream);                            \
        /* The numbers of the bins of n <= SUGAR_OBSERVED inputs, in any order, and as many more as fill a vector. Returns \
         * the inputs as they are computed: x or values. ahead: the next inputs, as many, to be fetched \
         * meanwhile, half of them here and half by count_bins; or NULL. */                        \
        const real *(*find_bins)(sugar_histogram *histogram, const storage *x, real *values, size_t n, \
                                 uint8_t *code, const void *ahead);                                \
        /* Counts the elements whose bins these are. */                                            \
        void (*count_bins)(sugar_histogram *histogram, const uint8_t *code, size_t n, const void *ahead); \
        /* Adds such inputs to a unit, or rows of them to `units` of them from the first on. */    \
        void (*tally_unit)(const sugar_tallies_##element *tallies, size_t unit, const real *x, size_t n, \
                           int all_finite);                                                        \
        void (*tally_units)(const sugar_tallies_##element *tallies, size_t first, const real *x,   \
                            size_t rows, size_t units, int all_finite);                            \
    } sugar_kernels_##element;
SUGAR_ELEMENTS(SUGAR_KERNEL_TYPES, )

/* The tables of one instruction set. */
#define SUGAR_KERNELS_MEMBER(element, storage, real, unused) const sugar_kernels_##element *element;
typedef struct sugar_kernels {
    SUGAR_ELEMENTS(SUGAR_KERNELS_MEMBER, )
} sugar_kernels;

/* They are defined by kernels.c if the build compiles it for that instruction set. */
#define SUGAR_KERNELS_TABLE(element, storage, real, level)                                         \
    extern const sugar_kernels_##element sugar_kernels_##element##_##level;
#define LEVEL(name, is_here) SUGAR_ELEMENTS(SUGAR_KERNELS_TABLE, name)
#include "kernels/isa/levels.def"

#endif
