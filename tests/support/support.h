/* What several test programs share: random numbers, floats as bits, memory between inaccessible
 * pages, and handles that must exist. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sugar/sugar.h>

/* Ends the program as failed, with one line that says what could not be done, and why. */
_Noreturn void give_up(const char *what, const char *detail);

/* ---- Random numbers: SplitMix64, the same on every machine; the state is any number. ---------- */

uint64_t random_bits(uint64_t *state);
int64_t random_between(uint64_t *state, int64_t low, int64_t high);

/* ---- Elements, as bits: in the low bytes for the shorter types --------------------------------- */

typedef enum element_type { ELEMENT_F32, ELEMENT_F64, ELEMENT_F16, ELEMENT_BF16, ELEMENT_TYPES } element_type;

typedef struct element_format {
    const char *name;           /* as in the public API's function names */
    sugar_data_type dtype;
    size_t width;               /* bytes */
    int mantissa_bits, exponent_bits;
} element_format;
extern const element_format element_formats[ELEMENT_TYPES];

/* A value of any kind: mostly moderate numbers, some from the whole range of exponents, some
 * zeros, subnormals, infinities and NaNs. */
uint64_t random_element(uint64_t *state, element_type type);

uint64_t element_load(const void *elements, int64_t index, element_type type);
void element_store(void *elements, int64_t index, element_type type, uint64_t bits);
int element_is_nan(uint64_t bits, element_type type);
double element_value(uint64_t bits, element_type type);

/* value rounded to the type: to nearest, ties to even. For f16 and bf16 this counts
 * multiples in double, so that it has nothing in common with the library's conversions. */
uint64_t element_of(double value, element_type type);

/* The same bits, or both NaN. With the environment variable SUGAR_TEST_ANY_ZERO set, zeros of either
 * sign are the same: for emulators that get the sign of a zero wrong. */
int element_same(uint64_t a, uint64_t b, element_type type);

/* ---- Memory whose neighbours cannot be touched ------------------------------------------------ */

typedef struct guarded {
    unsigned char *start;       /* the page before it is inaccessible */
    size_t size;                /* a multiple of the page; the page after it is inaccessible */
} guarded;

/* At least `bytes` bytes. Ends the program if there are none. */
guarded guarded_make(size_t bytes);
void guarded_free(guarded memory);

/* ---- Handles that must exist: on failure the program ends with the library's message. --------- */

/* The table that tests give to specs that name `table`: smooth, rising, 0 at 0, of numbers that f32 has. */
enum { EXAMPLE_KNOTS = 6 };
extern const double example_table[3 * EXAMPLE_KNOTS];

/* As sugar_activation_create_with_options, with example_table where the spec names `table`. level NULL: the library's
 * choice. */
sugar_status create_any(sugar_activation **activation, const char *spec, const char *level);
sugar_activation *must_create(const char *spec, const char *level);

/* How many levels this machine can run, and their names, "scalar" first. */
enum { MAX_LEVELS = 16 };
int supported_levels(const char *names[MAX_LEVELS]);

/* The flat calls, by the type of their elements. */
sugar_status flat_forward(const sugar_activation *activation, element_type type, int64_t n, const void *x, int64_t incx,
                          void *y, int64_t incy, const sugar_call_options *options);
sugar_status flat_backward(const sugar_activation *activation, element_type type, int64_t n, const void *x,
                           int64_t incx, const void *dy, int64_t incdy, void *dx, int64_t incdx,
                           const sugar_call_options *options);

/* 1 if the environment variable SUGAR_TEST_SHORT is set: the same tests on fewer cases, for runs
 * under slow tools. */
int short_run(void);

#endif
