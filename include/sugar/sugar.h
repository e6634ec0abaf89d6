/* libsugar: activation functions with surrogate gradients, in one pass over memory.
 *
 * This header is the ABI and its manual. Background, advice and measurements are in doc/guide.md;
 * the functions themselves, with their values at the edges, in doc/catalogue.md.
 *
 *     sugar_activation *activation;
 *     if (sugar_activation_create(&activation, "relu~bsilu(alpha=1.67)") != SUGAR_OK)
 *         fprintf(stderr, "%s\n", sugar_last_error());
 *     sugar_forward_f32(activation, n, x, 1, y, 1, NULL);           y[i]  = f(x[i])
 *     sugar_backward_f32(activation, n, x, 1, dy, 1, dx, 1, NULL);  dx[i] = dy[i] * g'(x[i])
 *     sugar_activation_destroy(activation);
 *
 * Rules that hold for every call:
 *
 * Errors.   A call that can fail returns a sugar_status: SUGAR_OK (0) or a negative value. After a
 *           failure no output has been written, and sugar_last_error() holds one line that names
 *           the argument, what was found and what was expected.
 * Threads.  A sugar_activation never changes after it was made: any number of threads may use one
 *           at the same time. Calls run on the calling thread unless a context says otherwise.
 *           Error messages are kept per thread. Beyond them and what handles hold, the library remembers
 *           nothing but what the processor has: instruction sets, and the size of its cache.
 * Overlap.  An output may be the very same view as an input (same address, same strides): in place.
 *           Any other sharing of memory between an output and an input is an error, and so is an
 *           output with two indices at the same address. Views that interleave without sharing an
 *           element are fine. Inputs may overlap each other and themselves (zero strides). To
 *           decide this exactly can take very long for views of many dimensions whose strides fit
 *           no array; the check stops after a bounded amount of work, and what it could not rule
 *           out by then is an error too.
 * Numbers.  f32 values and derivatives are within 2 ULP of the exact result for every input, f64
 *           within 4 ULP; where a derivative changes sign, within 2 ULP (4 ULP) or 2^-24 (2^-52)
 *           times its largest magnitude, whichever is larger. A parameter is rounded once to the
 *           element type; the exact result is the one for that value. dx is the derivative,
 *           rounded, times dy, rounded. For f16 and bf16 all of this is done in f32, parameters
 *           included, and the result alone is rounded to the element type (to nearest, ties to
 *           even): for every input, values and derivatives are one of the two neighbours of the
 *           exact result, and at least 99.9 % of them the nearer one. They stand for the exact
 *           result rounded once, and so may differ in the last bit from an f32 call's result
 *           rounded again. Results have the same bits at every level, stride, alignment, position
 *           and split over threads; only the payload and sign of a NaN may differ. NaN in gives
 *           NaN out; anything else never gives NaN from a function of its own (dy = inf times a
 *           derivative of 0 still is NaN, as IEEE 754 has it). All this holds in IEEE 754's
 *           default mode: rounding to nearest, subnormals kept.
 */
#ifndef SUGAR_SUGAR_H
#define SUGAR_SUGAR_H

#include <stddef.h>
#include <stdint.h>

/* The release, and the number of the ABI. meson.build reads all four from here. The ABI number is
 * the SONAME's; it rises when, and only when, a program built against an older header could break. */
#define SUGAR_VERSION_MAJOR 0
#define SUGAR_VERSION_MINOR 1
#define SUGAR_VERSION_PATCH 0
#define SUGAR_ABI_VERSION 0

#if defined(__GNUC__)
#define SUGAR_API __attribute__((visibility("default")))
#else
#define SUGAR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status and errors --------------------------------------------------------------------- */

/* The result of every call that can fail. Values are never reused; new negative values may come. */
typedef int32_t sugar_status;
enum {
    SUGAR_OK = 0,
    SUGAR_ERROR_ARGUMENT = -1,      /* an argument is out of its documented range */
    SUGAR_ERROR_SPEC = -2,          /* a spec string does not parse */
    SUGAR_ERROR_UNSUPPORTED = -3,   /* understood, but not available here: device, type, level, option */
    SUGAR_ERROR_OUT_OF_MEMORY = -4  /* memory or threads for a handle could not be had */
};

/* The message of the last failed call on this thread; "" when none failed yet. One line, without a
 * line end. Never NULL. Owned by the library; valid until the next failing call on this thread.
 * A successful call leaves it as it is. */
SUGAR_API const char *sugar_last_error(void);

/* The name of a status, such as "SUGAR_ERROR_SPEC"; "unknown status" for any other number.
 * Never NULL; a constant. */
SUGAR_API const char *sugar_status_name(sugar_status status);

/* The version of the library in use: major * 10000 + minor * 100 + patch. May differ from the
 * SUGAR_VERSION_* that a program was compiled with. */
SUGAR_API int32_t sugar_version(void);

/* ---- Tensors ------------------------------------------------------------------------------- */

/* sugar_device, sugar_data_type and sugar_tensor have exactly the layout of DLPack's DLDevice,
 * DLDataType and DLTensor (version 0.6 to 1.x), so a view from NumPy, PyTorch, JAX or Julia passes
 * through by a pointer cast. */

enum { SUGAR_DEVICE_CPU = 1 };      /* kDLCPU */

typedef struct sugar_device {
    int32_t device_type;            /* SUGAR_DEVICE_CPU; anything else is SUGAR_ERROR_UNSUPPORTED */
    int32_t device_id;              /* ignored */
} sugar_device;

enum {
    SUGAR_TYPE_FLOAT = 2,           /* kDLFloat: IEEE 754 binary16, binary32 or binary64 */
    SUGAR_TYPE_BFLOAT = 4           /* kDLBfloat: the upper 16 bits of a binary32 */
};

typedef struct sugar_data_type {
    uint8_t code;                   /* SUGAR_TYPE_FLOAT or SUGAR_TYPE_BFLOAT */
    uint8_t bits;                   /* 16, 32 or 64; with SUGAR_TYPE_BFLOAT 16 */
    uint16_t lanes;                 /* 1 */
} sugar_data_type;

/* A view of memory that the caller owns. The library only reads the struct and never keeps it. */
typedef struct sugar_tensor {
    void *data;                     /* first element, before byte_offset; may be NULL if no element */
    sugar_device device;
    int32_t ndim;                   /* 0 (one element) to SUGAR_MAX_DIMENSIONS */
    sugar_data_type dtype;
    const int64_t *shape;           /* ndim extents of 0 or more; may be NULL if ndim is 0 */
    const int64_t *strides;         /* ndim steps in elements, any sign, 0 only in inputs or where
                                       the extent is 1 or less; NULL: compact, row-major */
    uint64_t byte_offset;           /* added to data; the sum must be aligned to the element */
} sugar_tensor;

enum { SUGAR_MAX_DIMENSIONS = 64 };

/* ---- Activations --------------------------------------------------------------------------- */

/* An activation: a forward function, the surrogate whose derivative the backward pass uses, and
 * the kernels of one instruction set. Opaque and immutable. */
typedef struct sugar_activation sugar_activation;

/* Choices at creation. Set struct_size to sizeof(sugar_activation_options) and the rest to 0 or to
 * a choice; later versions append members. A smaller (older) struct is accepted; a larger (newer)
 * one too, unless it has a non-zero byte that this library does not know. A struct_size must be a
 * multiple of sizeof(size_t), not 0, and at most 4096: anything else was never set. */
typedef struct sugar_activation_options {
    size_t struct_size;             /* bytes */
    const char *level;              /* instruction set, such as "scalar", "avx2", "neon". NULL: what
                                       the environment variable SUGAR_LEVEL names, or, if it is not
                                       set or empty, the best that this machine has */
} sugar_activation_options;

/* Makes an activation from a spec string:
 *
 *     forward[(name=value,...)][~surrogate[(name=value,...)]]
 *
 * Names are those of the catalogue (doc/catalogue.md, or sugar_kind_get). A parameter left out has
 * its default; none may be named twice. Values are decimal numbers ("1.67", "-5e-3") in every
 * locale; a point has digits on both sides. Spaces and tabs between the parts are ignored. Without
 * a surrogate the backward pass uses the forward function's own derivative f'. A surrogate takes
 * two more options in its parentheses:
 *
 *     domain=all        (default) the surrogate's derivative g' for every x
 *     domain=negative   g' where x <= 0, f' elsewhere
 *     blend=t           t g' + (1 - t) f', t in [0, 1] (default 1), where domain puts g'
 *
 * The surrogates made for spiking networks (atan, fast_sigmoid, slayer, triangle, gaussian,
 * multi_gaussian, sigmoid_spike, box) measure x from the threshold of a heaviside forward, exactly; with
 * any other forward, from 0. In domain=negative x is the input itself, whatever the threshold.
 *
 * activation   out; receives the handle, owned by the caller, to be given to
 *              sugar_activation_destroy. Not written on failure.
 * spec         a NUL-terminated string, not kept.
 * Errors: ARGUMENT (NULL), SPEC (the message gives the position, counted from 0, and the nearest
 * known name), UNSUPPORTED (SUGAR_LEVEL names no usable level), OUT_OF_MEMORY. */
SUGAR_API sugar_status sugar_activation_create(sugar_activation **activation, const char *spec);

/* As sugar_activation_create, with the spec as a pointer and a length in bytes (no NUL needed; a
 * NUL inside is an error), and with options (NULL: defaults). Further errors: ARGUMENT
 * (struct_size), UNSUPPORTED (unknown or unusable level, newer option). */
SUGAR_API sugar_status sugar_activation_create_ex(sugar_activation **activation, const char *spec,
                                                  size_t spec_length,
                                                  const sugar_activation_options *options);

/* Frees an activation. NULL is fine. No call may be using it. */
SUGAR_API void sugar_activation_destroy(sugar_activation *activation);

/* The canonical spec: primary names, every parameter with its value in the fewest digits that
 * parse back to it, options that differ from their defaults. It parses to an equal activation.
 * Owned by the activation; NULL if activation is NULL. */
SUGAR_API const char *sugar_activation_spec(const sugar_activation *activation);

/* The name of the level whose kernels this activation uses. A constant; NULL if activation is
 * NULL. */
SUGAR_API const char *sugar_activation_level(const sugar_activation *activation);

/* ---- Contexts ------------------------------------------------------------------------------ */

/* Runs task(work, i) once for each i in [0, count), in any order and on any threads, and returns
 * when all are done. payload is the caller's own. Supplied by programs that have a thread pool. */
typedef void (*sugar_parallel_for)(void *payload, void (*task)(void *work, int64_t index),
                                   void *work, int64_t count);

/* How calls use threads: not at all, those of a pool of the library's own, or those of the caller's
 * parallel_for. Opaque; any number of calls may use one at the same time, as far as its
 * parallel_for allows that. Small calls stay on the calling thread.
 *
 * The pool. Its threads start with the context, sleep from 50 us after the last call until the next,
 * and end with the context. It works for one call at a time: a call that finds it busy runs on its
 * own thread alone. Its threads block all signals but those of faults, have stacks of 256 KiB, and
 * keep the floating-point mode of the thread that made the context.
 * After fork(), the child has the context but not the threads: calls there run on the calling
 * thread, and sugar_context_destroy frees the memory. Contexts made in the child have pools. */
typedef struct sugar_context sugar_context;

enum { SUGAR_MAX_THREADS = 1024 };  /* of one context's pool, the calling thread counted */

/* Set struct_size to sizeof(sugar_context_options); its rule is that of
 * sugar_activation_options. */
typedef struct sugar_context_options {
    size_t struct_size;             /* bytes */
    int32_t threads;                /* how many may work on a call, the calling thread counted: 1 or
                                       more, or 0 for 1. Without parallel_for, at most
                                       SUGAR_MAX_THREADS: the context gets a pool of threads - 1.
                                       With it, into how many parts a call may be split */
    int32_t reserved;               /* 0 */
    sugar_parallel_for parallel_for;/* the caller's pool, or NULL */
    void *payload;                  /* handed to parallel_for */
} sugar_context_options;

/* Makes a context.
 * context   out; owned by the caller, for sugar_context_destroy. Not written on failure.
 * options   NULL: one thread.
 * Errors: ARGUMENT (NULL context, struct_size, threads), UNSUPPORTED (reserved, newer option),
 * OUT_OF_MEMORY (memory, or threads that the system does not start). */
SUGAR_API sugar_status sugar_context_create(sugar_context **context,
                                            const sugar_context_options *options);

/* Frees a context and ends its pool. NULL is fine. No call may be using it. */
SUGAR_API void sugar_context_destroy(sugar_context *context);

/* ---- Forward and backward ------------------------------------------------------------------ */

enum {
    SUGAR_CALL_ACCUMULATE = 1,      /* backward: dx = dx + dy * g'(x), the product and the sum
                                       rounded once together (fma; for f16 and bf16 in f32, and then
                                       to the element type), instead of dx = dy * g'(x).
                                       An error in forward */
    /* Whether the output is stored past the caches (non-temporally): faster where it does not fit
     * there anyway, slower for whoever reads it next where it does. Never changes a result. Without
     * either flag an output is, if it is larger than the last-level cache. Both together are an
     * error. */
    SUGAR_CALL_STREAM = 2,          /* yes, whatever its size; except in place, with ACCUMULATE,
                                       where memory is written in steps, or the level cannot */
    SUGAR_CALL_NO_STREAM = 4        /* no */
};

/* Options of one call; NULL everywhere stands for all defaults. Set struct_size to
 * sizeof(sugar_call_options); its rule is that of sugar_activation_options. */
typedef struct sugar_call_options {
    size_t struct_size;             /* bytes */
    uint64_t flags;                 /* SUGAR_CALL_* or 0 */
    const sugar_context *context;   /* threads; NULL: the calling thread */
} sugar_call_options;

/* y = f(x), element by element.
 * x   in; any strides.
 * y   out; same shape and dtype as x; may be the same view as x.
 * With no element nothing is done.
 * Errors: ARGUMENT (NULL; ndim; a negative extent; shapes or dtypes that differ; NULL or misaligned
 * data; sizes whose product overflows; overlap; struct_size; flags), UNSUPPORTED (device, dtype,
 * newer option). */
SUGAR_API sugar_status sugar_forward(const sugar_activation *activation, const sugar_tensor *x,
                                     const sugar_tensor *y, const sugar_call_options *options);

/* dx = dy * g'(x), element by element, where g' is the derivative of the surrogate (of the forward
 * function itself if the spec names no surrogate).
 * x    in; the input of the forward pass; any strides.
 * dy   in; the gradient of the output; same shape and dtype as x; any strides, so a broadcast
 *      gradient has zero strides.
 * dx   out; same shape and dtype as x; may be the same view as x or as dy.
 * With SUGAR_CALL_ACCUMULATE dx is read as well.
 * Errors: as sugar_forward. */
SUGAR_API sugar_status sugar_backward(const sugar_activation *activation, const sugar_tensor *x,
                                      const sugar_tensor *dy, const sugar_tensor *dx,
                                      const sugar_call_options *options);

/* The same for vectors, in the manner of the BLAS: n elements, with a step for each vector in
 * elements. With incx >= 0, element i is x[i * incx]; with incx < 0 it is x[(n - 1 - i) * -incx], so
 * that x always points to the lowest address, as in the BLAS. Every vector has its own step; a
 * step of 0 repeats one element and is allowed for inputs only (for outputs if n <= 1). n = 0 does
 * nothing and allows NULL. f16 is IEEE 754's binary16; f16 and bf16 are passed as their bits.
 * Errors: ARGUMENT (NULL; n < 0; misaligned vectors; an output's step of 0; a size that overflows;
 * overlap; struct_size; flags), UNSUPPORTED (newer option). */
SUGAR_API sugar_status sugar_forward_f32(const sugar_activation *activation, int64_t n,
                                         const float *x, int64_t incx, float *y, int64_t incy,
                                         const sugar_call_options *options);
SUGAR_API sugar_status sugar_forward_f64(const sugar_activation *activation, int64_t n,
                                         const double *x, int64_t incx, double *y, int64_t incy,
                                         const sugar_call_options *options);
SUGAR_API sugar_status sugar_forward_f16(const sugar_activation *activation, int64_t n,
                                         const uint16_t *x, int64_t incx, uint16_t *y, int64_t incy,
                                         const sugar_call_options *options);
SUGAR_API sugar_status sugar_forward_bf16(const sugar_activation *activation, int64_t n,
                                          const uint16_t *x, int64_t incx, uint16_t *y, int64_t incy,
                                          const sugar_call_options *options);
SUGAR_API sugar_status sugar_backward_f32(const sugar_activation *activation, int64_t n,
                                          const float *x, int64_t incx,
                                          const float *dy, int64_t incdy,
                                          float *dx, int64_t incdx,
                                          const sugar_call_options *options);
SUGAR_API sugar_status sugar_backward_f64(const sugar_activation *activation, int64_t n,
                                          const double *x, int64_t incx,
                                          const double *dy, int64_t incdy,
                                          double *dx, int64_t incdx,
                                          const sugar_call_options *options);
SUGAR_API sugar_status sugar_backward_f16(const sugar_activation *activation, int64_t n,
                                          const uint16_t *x, int64_t incx,
                                          const uint16_t *dy, int64_t incdy,
                                          uint16_t *dx, int64_t incdx,
                                          const sugar_call_options *options);
SUGAR_API sugar_status sugar_backward_bf16(const sugar_activation *activation, int64_t n,
                                           const uint16_t *x, int64_t incx,
                                           const uint16_t *dy, int64_t incdy,
                                           uint16_t *dx, int64_t incdx,
                                           const sugar_call_options *options);

/* ---- Introspection ------------------------------------------------------------------------- */

enum {
    SUGAR_ROLE_FORWARD = 1,         /* may stand before the ~ */
    SUGAR_ROLE_SURROGATE = 2        /* may stand after the ~ */
};

/* One kind of the catalogue. All strings are constants in UTF-8. Set struct_size before the call;
 * its rule is that of sugar_activation_options, except that a larger struct is always accepted and
 * its unknown members are set to 0. */
typedef struct sugar_kind {
    size_t struct_size;             /* bytes */
    const char *name;               /* "silu" */
    const char *alias;              /* a second name that specs may use, "swish"; NULL if none */
    uint32_t roles;                 /* SUGAR_ROLE_* */
    int32_t parameter_count;        /* 0 or more */
    const char *value;              /* the formula of f(x); NULL for a surrogate-only kind */
    const char *derivative;         /* the formula of f'(x), the convention at kinks included */
    const char *source;             /* where it comes from, such as "arXiv 2505.22074"; may be "" */
} sugar_kind;

/* One parameter of a kind: minimum <= value <= maximum. */
typedef struct sugar_parameter {
    size_t struct_size;             /* bytes; as in sugar_kind */
    const char *name;               /* "alpha" */
    double default_value;
    double minimum;
    double maximum;
} sugar_parameter;

/* An instruction set. */
typedef struct sugar_level {
    size_t struct_size;             /* bytes; as in sugar_kind */
    const char *name;               /* "scalar", "avx2", "avx512", "neon" */
    int32_t compiled;               /* 1: this build of the library has its kernels, else 0 */
    int32_t supported;              /* 1: compiled, and the processor and the operating system have it */
    int32_t in_use;                 /* 1: what an activation gets now that asks for no level */
} sugar_level;

/* How many kinds there are; kinds are numbered from 0 in the order of the catalogue. The order may
 * change between versions; names do not. */
SUGAR_API int32_t sugar_kind_count(void);

/* Fills *kind with what is known of one kind.
 * Errors: ARGUMENT (index outside [0, sugar_kind_count()), NULL, struct_size). */
SUGAR_API sugar_status sugar_kind_get(int32_t index, sugar_kind *kind);

/* Fills *parameter with one parameter of one kind.
 * Errors: ARGUMENT (an index out of range, NULL, struct_size). */
SUGAR_API sugar_status sugar_kind_parameter(int32_t index, int32_t parameter_index,
                                            sugar_parameter *parameter);

/* How many levels this version knows, for any processor; in the order of preference, lowest
 * ("scalar") first. */
SUGAR_API int32_t sugar_level_count(void);

/* Fills *level with what is known of one level. in_use follows SUGAR_LEVEL; if that names no usable
 * level, none is in use.
 * Errors: ARGUMENT (index outside [0, sugar_level_count()), NULL, struct_size). */
SUGAR_API sugar_status sugar_level_get(int32_t index, sugar_level *level);

#ifdef __cplusplus
}
#endif

#endif
