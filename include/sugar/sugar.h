/* libsugar: activation functions with surrogate gradients, in one pass over memory.
 *
 * This header is the ABI and its manual. An introduction stands in doc/guide.md, advice on surrogates in
 * doc/surrogates.md, measurements in doc/numbers.md and doc/speed.md, the functions themselves, with their
 * values at the edges, in doc/catalogue.md.
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
 *           the argument, what was found and what was expected. Above each function stand the statuses
 *           that it can return, with their causes; a program decides by the status, as the wording
 *           of messages may change in any release.
 * Threads.  A sugar_activation never changes after it was made: any number of threads may use one
 *           at the same time. Calls run on the calling thread unless a context says otherwise.
 *           Each thread has its own error message. Besides messages and handles, the library keeps
 *           nothing but what it found out about the processor: instruction sets, and the size of a cache.
 *           Functions that make an activation or a monitor, and sugar_level_get, read the environment
 *           variable SUGAR_LEVEL: no other thread may change the environment meanwhile. No other call
 *           reads the environment.
 * Defaults. NULL for a struct of options means the same as one whose members, but for struct_size, are
 *           all 0: all defaults. sugar_random is no such struct: its presence is the choice to draw, and
 *           zeros are the seed 0 and the offset 0.
 * Lists.    The list above a function says of its parameters what their types do not say: "out": it is
 *           written; all others are only read, but a handle without const, which the call changes. In
 *           brackets: the number of elements that a pointer leads to, and, if they need not lie next to
 *           each other, the parameter with their step. "NULL": it may be NULL; all others may not. What is
 *           "owned by the caller" is freed by the caller. (bindings/ reads these lists: they are the one
 *           description for every language.)
 * Overlap.  y may be the very same view as x, and dx as x or dy (same address, same strides; those of an
 *           extent of 1 do not count): in place. y and dx may also be the view that a gate is, a
 *           gate_gradient that of x, dy or a gate, and in sugar_backward_twice ddy and dx that of x, dy
 *           or v. Any other sharing of memory between an output and another operand, input or output, is
 *           SUGAR_ERROR_OVERLAP, and so is an output with two indices at the same address, as with a
 *           stride of 0. Views that interleave without sharing an element are fine. Inputs may overlap
 *           each other and themselves (zero strides). For views of many dimensions, with strides that no
 *           array has, it can take very long to decide exactly whether they overlap; the check stops
 *           after a bounded amount of work, and an overlap that it could not rule out until then is an
 *           error of that kind, too.
 * Numbers.  f32 values and derivatives are within 2 ULP of the exact result for every input, f64 within
 *           4 ULP; where a derivative changes sign, within 2 ULP (4 ULP) or 2^-24 (2^-52) times its
 *           largest magnitude, whichever is larger. For second derivatives all these bounds are twice as
 *           large. A parameter is rounded once to the element type; the exact result is that for the
 *           rounded parameter. dx is the derivative, rounded, times dy, rounded. For f16 and bf16 all of
 *           this is done in f32, parameters included, and the result alone is rounded to the element
 *           type (to nearest, ties to even): for every input, values and derivatives are one of the two
 *           neighbours of the exact result, and with the default parameters at least 99.9 % of them the
 *           nearer one (a parameter of few digits can put a whole stretch of results next to the middle
 *           between two elements). They approximate the exact result, rounded once, and so may differ in
 *           the last bit from an f32 call's result that is rounded again. Results have the same bits at
 *           every level of every processor (sugar_level), stride, alignment, position and split over
 *           threads; only the payload and sign of a NaN may differ. Values and derivatives are NaN where
 *           x is NaN, and nowhere else; for an infinite x they are limits, and where a sine has none, as
 *           in sin and snake's derivative, it counts as its mean, 0. dx is NaN, besides, where IEEE 754
 *           makes one of the product (dy is NaN, or infinite while the derivative is 0) or of the sum of
 *           SUGAR_CALL_ACCUMULATE. A saved gradient keeps no NaN of x.
 * Modes.    Every call computes in IEEE 754's default mode, on all threads: rounding to nearest, subnormals
 *           kept, no exception trapped. Whatever mode the calling thread has (rounding direction, flush to
 *           zero, denormals are zero, trapped exceptions), it has again when the call returns. Its sticky
 *           exception flags are as before, or more of them are raised; a function that makes a handle
 *           leaves them as they were.
 * Names.    sugar_<object>_<verb>. A variant adds what it takes instead or besides: an element type
 *           (sugar_forward_f32), or options (sugar_activation_create_with_options).
 * Releases. What this header says holds for every later release with the same SUGAR_ABI_VERSION, but for
 *           what stands under "Information" at its end. A spec that parses, canonical or not, parses in
 *           all of them, to the same functions. What is UNSUPPORTED in one may work in a later one. The
 *           bits of results may change with any release before 1.0, and after it only to mend a result
 *           that was not as promised. A saved gradient is for the release that wrote it; a saved monitor
 *           can be restored by that release and all later ones.
 */
#ifndef SUGAR_SUGAR_H
#define SUGAR_SUGAR_H

#include <stddef.h>
#include <stdint.h>

/* ---- Version: meson.build reads all four numbers from here ------------------------------------ */

/* The release. */
#define SUGAR_VERSION_MAJOR 0
#define SUGAR_VERSION_MINOR 1
#define SUGAR_VERSION_PATCH 0

/* The number of the ABI, which is that of the SONAME. A release gets a new one if a program that was built against an
 * older release's header could break. A program that loads the library by dlopen names it with this number, as
 * libsugar.so.0: no call tells it. */
#define SUGAR_ABI_VERSION 0

#if defined(__GNUC__)
#define SUGAR_API __attribute__((visibility("default")))
#else
#define SUGAR_API
#endif

#if defined(__GNUC__)
#define SUGAR_MAY_ALIAS __attribute__((may_alias))
#else
#define SUGAR_MAY_ALIAS
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status and errors --------------------------------------------------------------------- */

/* The result of every call that can fail. Values are never reused; new negative values may come. */
typedef int32_t sugar_status;
enum {
    SUGAR_OK = 0,
    SUGAR_ERROR_ARGUMENT = -1,      /* an argument is out of its documented range, in every version: a mistake in
                                       the program */
    SUGAR_ERROR_SPEC = -2,          /* a spec string does not parse, or a value in it is out of its range */
    SUGAR_ERROR_UNSUPPORTED = -3,   /* this version, build or machine cannot do it, or this activation: device, type,
                                       level, flag or option, or a combination of them. Another way is needed */
    SUGAR_ERROR_OUT_OF_MEMORY = -4, /* no memory for a handle, or no threads for a context */
    SUGAR_ERROR_OVERLAP = -5,       /* an output shares memory with another operand, or with itself: copy, and call
                                       again */
    SUGAR_ERROR_VALUE = -6,         /* a number in memory is out of its range: a learned parameter, the samples of a
                                       monitor */
    SUGAR_ERROR_DATA = -7           /* bytes that are no saved form, or a damaged one */
};

/* The message of the last failed call on this thread; "" if none has failed yet. One line, without a
 * newline. A successful call does not change it.
 * returns   never NULL; owned by the library, valid until the next failing call on this thread, or the thread's end. */
SUGAR_API const char *sugar_last_error(void);

/* The name of a status, such as "SUGAR_ERROR_SPEC"; "unknown status" for any other number.
 * returns   never NULL; a constant. */
SUGAR_API const char *sugar_status_name(sugar_status status);

/* The version of the library in use: major * 10000 + minor * 100 + patch. May differ from the
 * SUGAR_VERSION_* that a program was compiled with. */
SUGAR_API int32_t sugar_version(void);

/* ---- Tensors ------------------------------------------------------------------------------- */

enum { SUGAR_DEVICE_CPU = 1 };      /* kDLCPU */

typedef struct SUGAR_MAY_ALIAS sugar_device {
    int32_t device_type;            /* SUGAR_DEVICE_CPU; anything else is SUGAR_ERROR_UNSUPPORTED */
    int32_t device_id;              /* ignored */
} sugar_device;

/* The codes of element types. */
enum {
    SUGAR_TYPE_UNSIGNED = 1,        /* kDLUInt: for saved gradients only; 8 bits or 1 */
    SUGAR_TYPE_FLOAT = 2,           /* kDLFloat: IEEE 754 binary16, binary32 or binary64 */
    SUGAR_TYPE_BFLOAT = 4           /* kDLBfloat: the upper 16 bits of a binary32 */
};

typedef struct SUGAR_MAY_ALIAS sugar_data_type {
    uint8_t code;                   /* SUGAR_TYPE_FLOAT or SUGAR_TYPE_BFLOAT; in saved gradients
                                       SUGAR_TYPE_UNSIGNED */
    uint8_t bits;                   /* SUGAR_TYPE_FLOAT: 16, 32 or 64; SUGAR_TYPE_BFLOAT: 16;
                                       SUGAR_TYPE_UNSIGNED: 8 or 1 */
    uint16_t lanes;                 /* 1 */
} sugar_data_type;

/* A view of memory that the caller owns. The library only reads the struct and never keeps it.
 * sugar_tensor, sugar_device and sugar_data_type have exactly the layout of DLPack's DLTensor, DLDevice and
 * DLDataType (version 0.6 to 1.x), so a view from NumPy, PyTorch, JAX or Julia passes through by a pointer
 * cast; gcc and clang allow that at every level of optimization (SUGAR_MAY_ALIAS). A tensor with an extent of 0 has no
 * elements and is never touched: its data may be NULL or misaligned, and its byte_offset and its strides anything
 * (NumPy gives it strides of 0). Its shape and dtype still have to fit. */
typedef struct SUGAR_MAY_ALIAS sugar_tensor {
    void *data;                     /* first element, before byte_offset; may be NULL if no element */
    sugar_device device;
    int32_t ndim;                   /* 0 (one element) to SUGAR_MAX_DIMENSIONS */
    sugar_data_type dtype;
    const int64_t *shape;           /* [ndim]; extents, 0 or more; may be NULL if ndim is 0 */
    const int64_t *strides;         /* [ndim]; in elements, any sign, 0 only in inputs or where the
                                       extent is 1; NULL: compact, row-major */
    uint64_t byte_offset;           /* in bytes, added to data; the sum must be aligned to the element */
} sugar_tensor;

enum { SUGAR_MAX_DIMENSIONS = 64 };  /* of a tensor */

/* ---- Activations --------------------------------------------------------------------------- */

/* An activation: a forward function, the surrogate whose derivative the backward pass uses, and
 * the kernels of one instruction set. Opaque and immutable. */
typedef struct sugar_activation sugar_activation;

/* Choices at creation. Set struct_size to sizeof(sugar_activation_options) and the rest to 0 or to
 * a choice. Every byte of the struct counts, padding included, so begin with one that is all zeros. Later versions
 * append members, and leave no padding at the end. A smaller (older) struct is accepted, if a member ends where it
 * ends; so is a larger (newer) one, if all its bytes that this library does not know are 0. struct_size must be a
 * multiple of sizeof(size_t), not 0, and at most 4096: anything else was never set. */
typedef struct sugar_activation_options {
    size_t struct_size;             /* bytes */
    const char *level;              /* instruction set, such as "scalar", "avx2", "neon", which is used whatever
                                       the environment says. NULL: the best one that this machine has; where
                                       the environment variable SUGAR_LEVEL names a level of this kind of
                                       processor, the best that is not above it. Any other value of SUGAR_LEVEL
                                       is ignored, and so is SUGAR_LEVEL in a set-user-id program */
    /* [3 * table_knots]; rows of a knot, the value there and the slope there: the function named `table` in
     * the spec, before the ~ or behind it, or both. Between neighbouring knots it is the cubic polynomial that has
     * these values and slopes at both (cubic Hermite spline), outside a straight line with the slope of the first or
     * the last knot. At a knot the second derivative is that of the piece above it. Copied into the activation. Each
     * number is finite, -1e30 to 1e30; knots ascend strictly, and still do when rounded to f32; between neighbours
     * the value changes by at most 1e30 per 1 of x, rounded to f32 too. The second derivative alone may overflow f32.
     * NULL: none.
     *
     * Numbers are rounded once to the element type, to f32 for f16 and bf16; the exact result is the spline through
     * these. Where its terms cancel, between two knots, results need not be as near to it as those of other kinds; they
     * are then within 2^-48 (f64: 2^-96) times the largest term. With u the distance of x from the nearer knot, h that
     * between the knots and D the slope of the chord, terms are: of the value, the value at that knot, its slope times
     * u, and 3 |D| + 2 |slope| + |the other slope| times u^2 / h; of the derivative, the slope, and the last one
     * divided by u; of the second derivative, the last one divided by u^2. In f64, numbers below 1e-60 in magnitude
     * that are not 0 lose digits to underflow.
     *
     * Canonical specs name the table by a digest of its numbers, as in "table(digest=0123456789abcdef)"; such a spec
     * parses if the options have the table with that digest. */
    const double *table;
    size_t table_knots;             /* 2 to 4096, or 0 for no table */
} sugar_activation_options;

enum { SUGAR_MAX_SPEC = 1024 };     /* bytes of a spec, without a NUL at its end; canonical specs are shorter */

/* Makes an activation from a spec string:
 *
 *     forward[(name=value,...)][~surrogate[(name=value,...)]]
 *
 * Names are those of the catalogue (doc/catalogue.md, or sugar_kind_get). A parameter left out has
 * its default; none may be named twice. Values are decimal numbers ("1.67", "-5e-3") in every
 * locale; a point has digits on both sides. Spaces and tabs between tokens are ignored. Without
 * a surrogate the backward pass uses the forward function's own derivative f'. A surrogate takes
 * two more options in its parentheses:
 *
 *     domain=all        (default) the surrogate's derivative s' for every x
 *     domain=negative   s' where x <= 0, f' elsewhere
 *     blend=t           t s' + (1 - t) f' in place of s'; t in [0, 1], default 1
 *
 * The surrogates made for spiking networks, whose names end in _spike, measure x, exactly, from the threshold
 * of heaviside if that is the forward function, else from 0. domain=negative compares the input itself with 0,
 * whatever the threshold.
 *
 * activation   out; receives the handle, owned by the caller, to be given to
 *              sugar_activation_destroy. Not written on failure.
 * spec         a NUL-terminated string, not kept.
 * Errors: ARGUMENT (NULL; a spec with `table`, which needs options), SPEC (syntax; a name that is unknown or stands
 * twice; a value out of its range; longer than SUGAR_MAX_SPEC; the message gives the position in bytes, counted from
 * 0, where there is one, and the nearest known name), OUT_OF_MEMORY. */
SUGAR_API sugar_status sugar_activation_create(sugar_activation **activation, const char *spec);

/* As sugar_activation_create, with the spec as a pointer and a length, and with options.
 * activation    out; owned by the caller, for sugar_activation_destroy. Not written on failure.
 * spec          in [spec_length]; no NUL needed, and none allowed inside.
 * spec_length   in bytes.
 * options       NULL: defaults.
 * Errors: as sugar_activation_create; ARGUMENT (struct_size; table, table_knots; a table without `table` in the spec),
 * SPEC (the digest of another table), UNSUPPORTED (unknown or unusable level,
 * newer option). */
SUGAR_API sugar_status sugar_activation_create_with_options(sugar_activation **activation, const char *spec,
                                                            size_t spec_length,
                                                            const sugar_activation_options *options);

/* Frees an activation. No call may be using it.
 * activation   NULL is fine. */
SUGAR_API void sugar_activation_destroy(sugar_activation *activation);

/* The canonical spec: names, not aliases; every parameter, with its value in the fewest digits that
 * parse back to it; options that differ from their defaults. It parses to an equal activation; if it has a
 * table, beside options that have that table.
 * activation   NULL is fine.
 * returns      NULL if activation is NULL; owned by the activation. */
SUGAR_API const char *sugar_activation_spec(const sugar_activation *activation);

/* The name of the level whose kernels this activation uses.
 * activation   NULL is fine.
 * returns      NULL if activation is NULL; a constant. */
SUGAR_API const char *sugar_activation_level(const sugar_activation *activation);

/* ---- Contexts ------------------------------------------------------------------------------ */

/* Runs task(work, i) once for each i in [0, count), in any order and on any threads, and returns
 * when all are done. payload is what the caller put into the options. Supplied by programs that have a thread pool.
 * It is called in the calling thread's own floating-point mode, and must not change that; its threads may have any.
 * It must return: neither it nor a task may be left by an exception, longjmp or the end of a thread, as a call would
 * be left half done. A task calls nothing of the caller's. */
typedef void (*sugar_parallel_for)(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count);

/* Which threads calls use: the calling thread alone, a pool that belongs to the context, or the
 * caller's parallel_for. Opaque; any number of calls may use one context at the same time, if its
 * parallel_for allows that. Small calls run on the calling thread.
 *
 * The pool. Its threads start and end with the context. It works for one call at a time: a call that finds it busy
 * runs on the calling thread alone. Its threads block all signals but those of faults.
 * After fork(), the child has the context but not the threads: calls there run on the calling
 * thread, and sugar_context_destroy only frees the memory. Contexts made in the child have pools. */
typedef struct sugar_context sugar_context;

enum { SUGAR_MAX_THREADS = 1024 };  /* of one context's pool, the calling thread counted */

/* Set struct_size to sizeof(sugar_context_options); its rule is that of
 * sugar_activation_options. */
typedef struct sugar_context_options {
    size_t struct_size;             /* bytes */
    int32_t threads;                /* without parallel_for: how many threads work on a call, the
                                       calling thread counted; at most SUGAR_MAX_THREADS. With
                                       parallel_for: into how many parts a call may be split. 1: the
                                       calling thread alone. 0: as many as the process may use when
                                       the context is made, which is the number of processors that
                                       the calling thread may run on, or less where a CPU quota of
                                       its cgroup (Linux) gives it the time of fewer; at most
                                       SUGAR_MAX_THREADS. Less than 0 is an error */
    int32_t reserved;               /* 0 */
    sugar_parallel_for parallel_for;/* the caller's pool, or NULL */
    void *payload;                  /* handed to parallel_for */
} sugar_context_options;

/* Makes a context.
 * context   out; owned by the caller, for sugar_context_destroy. Not written on failure.
 * options   NULL: a pool of as many threads as the process may use, as with zeros.
 * Errors: ARGUMENT (NULL context, struct_size, threads), UNSUPPORTED (reserved, newer option),
 * OUT_OF_MEMORY (memory, or threads that the system does not start). */
SUGAR_API sugar_status sugar_context_create(sugar_context **context, const sugar_context_options *options);

/* Frees a context and ends its pool. No call may be using it.
 * context   NULL is fine. */
SUGAR_API void sugar_context_destroy(sugar_context *context);

/* How many threads may work on a call with this context at most, the calling thread counted; with a parallel_for: into
 * how many parts a call may be split. In a child after fork() still the parent's number.
 * context   NULL is fine: calls without a context.
 * returns   1 or more; 1 if context is NULL. */
SUGAR_API int32_t sugar_context_threads(const sugar_context *context);

/* What the units of one layer have seen: counts and sums over the inputs of its activation. Opaque. Fed by
 * sugar_forward through its options, in the same pass over memory, or by sugar_monitor_observe.
 *
 * A sample is one element of the input x; it belongs to the unit that is its index in the dimension that
 * `axis_from_end` names. It is active where x > threshold. Counts are exact. Sums, in f64, are of the finite samples;
 * the others are counted. A square that overflows makes the deviation infinite or NaN. A sum has the same bits at
 * every level and for any number of threads, if the shape and the strides of x and y are the same; another order of
 * the dimensions in memory may change its last bits.
 *
 * Of the calls that are given it, those to sugar_monitor_observe included, a monitor observes the first one and then
 * each `every`-th. The others check x against the monitor and count the call; they take as long as without a monitor,
 * and the monitor learns nothing of their x. A call that fails, or whose x has no elements, is not counted.
 *
 * A monitor changes while it is fed, merged into or reset: no other call may use it at that time. Threads that
 * run at the same time need a monitor each, and merge them afterwards. */
typedef struct sugar_monitor sugar_monitor;

/* ---- Forward and backward ------------------------------------------------------------------ */

/* Flags of one call; see sugar_call_options. */
enum {
    SUGAR_CALL_ACCUMULATE = 1,      /* backward: dx = dx + dy * g'(x), the product and the sum
                                       rounded once together (fma; for f16 and bf16 in f32, and then
                                       to the element type), instead of dx = dy * g'(x); and so both
                                       outputs of backward_twice */
    SUGAR_CALL_NONTEMPORAL = 2,     /* store the output past the caches (non-temporally), whatever its
                                       size; except in place, with ACCUMULATE, where it is written with
                                       strides, or if the level has no such stores. Faster for an output
                                       that does not fit into the caches; one that does fit is then
                                       slower to read. Never changes a result. With neither this flag nor
                                       SUGAR_CALL_TEMPORAL, the library decides by the output's size */
    SUGAR_CALL_TEMPORAL = 4,        /* never store the output past the caches. An error beside
                                       SUGAR_CALL_NONTEMPORAL */
    SUGAR_CALL_FROM_OUTPUT = 8      /* backward: x is the output y of the forward pass. For activations whose
                                       backward pass is the forward function's own derivative, of the kinds with
                                       SUGAR_CAN_START_FROM_OUTPUT (leaky_relu, prelu and elu with a parameter of
                                       0 or more), as sugar_activation_get_info says; with others UNSUPPORTED. The
                                       result is the derivative, as a function of y, for the y that is given, within
                                       the errors of any derivative. How far that is from f'(x) depends on the
                                       rounding of y: it is f'(x) for relu,
                                       relu6, leaky_relu, prelu and hardtanh; for other kinds it is within a few
                                       units in the last place of the largest |f'|, which doc/numbers.md has kind
                                       by kind. A y that is no value of f counts as the nearest value of f */
};

/* The random numbers for slopes: those of Philox4x32-10 (Salmon et al., SC 2011). Its key is `seed`, the lower 32 bits
 * first; the counter of block b is b in its first two words, the lower 32 bits first, and 0 in the other two. Element i
 * of x, counted from 0 in row-major order whatever the strides, has word (i mod 4) of block offset + floor(i / 4),
 * modulo 2^64. So the same seed and offset draw the same slopes again, at every level, in any layout and for any split
 * over threads. A call on n elements uses ceil(n / 4) blocks: the offset for the next call is greater by that. A word w
 * gives the slope lower + (upper - lower) u with u = floor(w / 2^8) / 2^24, in f64 for f64 and else in f32: lower,
 * upper and their difference are rounded, then product and sum once together. Set struct_size; its rule is that of
 * sugar_activation_options. */
typedef struct sugar_random {
    size_t struct_size;             /* bytes */
    uint64_t seed;                  /* 0 is a seed like any other */
    uint64_t offset;                /* counted modulo 2^64 */
} sugar_random;

/* Options of one call; NULL everywhere stands for all defaults. Set struct_size to
 * sizeof(sugar_call_options); its rule is that of sugar_activation_options.
 *
 * Mixed precision: a call on f16 or bf16 with a bias, a gate or a gradient of these, or with a parameter or a
 * parameter_gradient that is f32, is a call on f32 whose inputs are these elements and whose outputs are rounded
 * once to their type. So its values and derivatives may differ by one element from those of other calls on f16 or
 * bf16.
 *
 * What may stand together (each may also stand without the others); anything else is UNSUPPORTED. A context, and
 * SUGAR_CALL_NONTEMPORAL or _TEMPORAL, go with everything; these two flags together are ARGUMENT.
 *
 *                           in forward                        in backward
 *     SUGAR_CALL_ACCUMULATE      no                           beside everything
 *     SUGAR_CALL_FROM_OUTPUT     no                           beside bias_gradient, gate, gate_gradient
 *     monitor                    beside everything            no
 *     parameter                  not beside random; beside    not beside random, saved_gradient
 *                                saved_gradient if g' does
 *                                not use f'
 *     parameter_gradient         no                           not beside saved_gradient, random, bias_gradient
 *     saved_gradient             not beside random; beside    not beside parameter, parameter_gradient, random, bias,
 *                                parameter as above           gate_gradient
 *     random                     not beside parameter,        not beside parameter, parameter_gradient,
 *                                saved_gradient               saved_gradient
 *     bias                       beside everything            not beside saved_gradient
 *     bias_gradient              no                           not beside parameter_gradient
 *     gate                       beside everything            beside everything
 *     gate_gradient              no                           not beside saved_gradient
 *
 * Where "not beside" stands, all others may stand beside it. Beside SUGAR_CALL_FROM_OUTPUT may stand what its line has,
 * and SUGAR_CALL_ACCUMULATE, alone or together.
 *
 * sugar_backward_twice has SUGAR_CALL_ACCUMULATE, and nothing else of it.
 */
typedef struct sugar_call_options {
    size_t struct_size;             /* bytes */
    uint64_t flags;                 /* SUGAR_CALL_* or 0 */
    const sugar_context *context;   /* threads; NULL: the calling thread */
    sugar_monitor *monitor;         /* forward: counts x in the same pass. NULL: none */
    /* The forward function's parameter as a tensor, in place of the one value of the spec, for the kinds with
     * SUGAR_CAN_LEARN. It has the dtype of x, or f32 beside f16 and bf16, and the ndim of x, and each of its
     * extents is that of x or 1. Where it is 1, all indices of x share a value: extents of 1 alone give one value,
     * (1, channels, 1, 1) one per channel. (This is the broadcasting of NumPy. In a flat call x has one dimension,
     * of n elements.) Strides of 0 are allowed, too. Each value must be within the parameter's range; the message
     * of the error has the first one outside, in row-major order, and its index in the parameter. If x has no
     * elements, values are not checked. NULL: the spec's. It may not overlap an output. It also holds for f',
     * wherever the backward pass uses f'; not for the surrogate behind a ~. */
    const sugar_tensor *parameter;
    /* backward: out; the gradient of the loss with respect to the parameter, the sum of dy * df/dparameter over
     * the elements that share a value. f is the forward function, whatever the surrogate. It has the dtype of x,
     * or f32 beside f16 and bf16, and the ndim of x, and each of its extents is that of x or 1, whatever those of
     * `parameter` are: where it is 1, all indices of x are summed. A stride of 0 over a larger extent is an error,
     * as in any output. With SUGAR_CALL_ACCUMULATE the sum is added to what it holds, rounded once together.
     * df/dparameter is as accurate as f'. Products are rounded to f32 (f64 for f64) and summed in f64, and so is
     * what the roundings of that sum lose: a sum of n products is within half an ULP, and n^2 2^-105 times the sum
     * of their absolute values, of the exact one. It has the same bits for any number of threads. If x has no
     * elements, the gradient may still have some, where its extents are 1: they are sums over nothing, so they are
     * set to 0, or with SUGAR_CALL_ACCUMULATE stay as they are. It may not overlap anything else. NULL: not
     * wanted. */
    const sugar_tensor *parameter_gradient;
    /* g'(x) in one byte or one bit per element, for a backward pass without x. forward: out; backward: in, and x
     * must be NULL. Same shape as x, dtype SUGAR_TYPE_UNSIGNED with
     *   8 bits   the code nearest to 255 (g'(x) - minimum) / (maximum - minimum), computed from the rounded g'(x), so
     *            that next to a tie it may be either neighbour; minimum and maximum are the
     *            gradient_minimum and gradient_maximum of sugar_activation_info. backward uses the value it stands
     *            for, which differs from g'(x) by at most (maximum - minimum) / 510 and a few units in the last place
     *            of the larger bound. If both bounds are equal the code is 0. For activations with SUGAR_CAN_SAVE_BYTE:
     *            their bounds are finite, and equal or at least 2^-118 apart.
     *   1 bit    whether g'(x) is the larger of its two values; exact: backward gives what it gives from x, unless
     *            that is NaN. For activations with SUGAR_CAN_SAVE_BIT: their g', with domain and blend, has two values,
     *            or one, in every element type. Bit i mod 8 (from the lowest) of byte i / 8 is element i in row-major
     *            order; strides must be NULL or compact; bits after the last element are written as 0.
     * Where x is NaN the code is 0, so that backward gives dy times the lower value, not NaN. It may not overlap an
     * output, nor in forward any operand; x and y may be the same view. NULL: not wanted. */
    const sugar_tensor *saved_gradient;
    /* rrelu as the forward function draws a slope for each element, in forward and again in backward (training
     * mode). NULL: nothing is drawn, and it uses the mean of lower and upper; all zeros: drawn, with the seed 0. For
     * SUGAR_CAN_DRAW. f' has the same slopes, wherever the backward pass uses f'; a surrogate rrelu behind a ~ draws
     * none. */
    const sugar_random *random;
    /* A tensor that is added to x. x + bias, rounded once to f32 (f64 for f64), takes the place of x in all that
     * reads x: f, g', the monitor, the saved gradient, df/dparameter. dtype and shape are as those of `parameter`,
     * strides too, so that (1, channels, 1, 1) is a bias for each channel. It may not overlap an output. NULL:
     * none. */
    const sugar_tensor *bias;
    /* backward: out; the gradient of the loss with respect to a bias, with or without the `bias` above: the sum of
     * dy * g'(x), the products that dx is made of, over the elements that share a value. dtype, shape, accuracy,
     * and what it is if x has no elements: as with `parameter_gradient`; products are not rounded to f16 or bf16.
     * With SUGAR_CALL_ACCUMULATE the sum is added to what it holds, and does not have what dx held. It may not
     * overlap anything else. NULL: not wanted. */
    const sugar_tensor *bias_gradient;
    /* The other factor of a gated unit. forward: y = f(x) * gate: f(x) is rounded to f32 (f64 for f64), and so is
     * the product, before it is rounded to f16 or bf16. backward: dy * gate, rounded to f32 (f64), takes the place
     * of dy in all but gate_gradient. Shape and dtype of x; any strides, so that a stride of 0 is a gate that is
     * shared. y and dx may be the same view as it. Beside SUGAR_CALL_FROM_OUTPUT x is f(x), not yet multiplied.
     * NULL: none. */
    const sugar_tensor *gate;
    /* backward: out; the gradient of the loss with respect to a gate, with or without the `gate` above: dy * f(x),
     * where f(x) and the product are rounded as in forward. With SUGAR_CALL_ACCUMULATE it is added to what it
     * holds, as dx is. Shape and dtype of x; it may be the same view as x, dy or gate, but may not overlap dx.
     * NULL: not wanted. */
    const sugar_tensor *gate_gradient;
} sugar_call_options;

/* y = f(x), element by element. If x has no elements, nothing is done but the checks.
 * x         in; any strides.
 * y         out; same shape and dtype as x; may be the same view as x.
 * options   NULL: all defaults.
 * Errors: ARGUMENT (NULL; ndim; a negative extent; shapes or dtypes that differ; extents of an option that do not
 * fit x; with a monitor, what sugar_monitor_observe says of x; NULL or misaligned data; strides of bits that are not
 * compact; sizes whose product overflows; strides or steps that reach beyond the address space; struct_size; both
 * NONTEMPORAL and TEMPORAL), OVERLAP, VALUE (a parameter outside its range; more samples or calls of a monitor than
 * 2^63 - 1 in all), UNSUPPORTED (device; dtype; a flag or option that this call, this activation or this version does
 * not have, alone or beside the others: the table of sugar_call_options). */
SUGAR_API sugar_status sugar_forward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *y,
                                     const sugar_call_options *options);

/* dx = dy * g'(x), element by element, where g' is what the spec makes of derivatives: the forward function's
 * own without a surrogate, else the surrogate's, or a mixture of both (domain, blend). If x has no elements,
 * nothing is done but the checks, and what the options say about gradients that are sums.
 * x         in; the input of the forward pass; any strides. NULL if the options have a saved_gradient.
 * dy        in; the gradient of the output; same shape and dtype as x; any strides, so a broadcast
 *           gradient has zero strides.
 * dx        out; same shape and dtype as x; may be the same view as x or as dy. With
 *           SUGAR_CALL_ACCUMULATE it is read as well.
 * options   NULL: all defaults.
 * Errors: as sugar_forward; ARGUMENT (x beside a saved_gradient). */
SUGAR_API sugar_status sugar_backward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *dy,
                                      const sugar_tensor *dx, const sugar_call_options *options);

/* The backward pass of sugar_backward itself, for gradients of gradients: where v is the gradient that reaches its
 * dx, ddy = v * g'(x) is the one that goes on to its dy, and dx = (v * dy) * g''(x) the one that goes on to its x,
 * element by element. g'' is the derivative of g': what the spec makes of second derivatives (domain, blend), as it
 * makes g' of first ones. v * dy is rounded, then its product with g''(x); for f16 and bf16 in f32, and the result
 * once more to the element type. If x has no elements, nothing is done but the checks. (Forward mode needs no call
 * of its own: sugar_backward with the tangent of x in place of dy gives the tangent of y.)
 * x         in; the input of the forward pass; any strides.
 * dy        in; as in sugar_backward; same shape and dtype as x; any strides.
 * v         in; the gradient of sugar_backward's dx; same shape and dtype as x; any strides.
 * ddy       out; same shape and dtype as x; may be the same view as x, dy or v. NULL: not wanted.
 * dx        out; the same, and may not overlap ddy. NULL: not wanted; an error if ddy is NULL, too.
 * options   flags and context alone: SUGAR_CALL_ACCUMULATE, which adds to both outputs what they would hold, by one
 *           fma each, SUGAR_CALL_NONTEMPORAL and SUGAR_CALL_TEMPORAL. NULL: all defaults.
 * Errors: ARGUMENT (NULL; ddy and dx NULL; ndim; a negative extent; shapes or dtypes that differ; NULL or misaligned
 * data; sizes whose product overflows; strides that reach beyond the address space; struct_size; both NONTEMPORAL and
 * TEMPORAL), OVERLAP, UNSUPPORTED (device; dtype; other flags, or members of options beside flags and context; an
 * activation without SUGAR_CAN_DIFFERENTIATE_TWICE). */
SUGAR_API sugar_status sugar_backward_twice(const sugar_activation *activation, const sugar_tensor *x,
                                            const sugar_tensor *dy, const sugar_tensor *v, const sugar_tensor *ddy,
                                            const sugar_tensor *dx, const sugar_call_options *options);

/* sugar_forward for vectors, in the manner of the BLAS: n elements, with a step for each vector in
 * elements. With incx >= 0, element i is x[i * incx]; with incx < 0 it is x[(n - 1 - i) * -incx], so
 * that x always points to the lowest address, as in the BLAS. A step of 0 repeats one element; it is
 * allowed for inputs only (for outputs if n <= 1). With n = 0 nothing is done but the checks, and vectors may be NULL
 * or misaligned. f16 is IEEE 754's binary16; f16 and bf16 are passed as their bits.
 * n         0 or more.
 * x         in [n, step incx]; NULL allowed if n is 0.
 * incx      in elements.
 * y         out [n, step incy]; may be the same vector as x. NULL allowed if n is 0.
 * incy      in elements.
 * options   NULL: all defaults.
 * Errors: as sugar_forward; ARGUMENT (n < 0), OVERLAP (an output's step of 0). */
SUGAR_API sugar_status sugar_forward_f32(const sugar_activation *activation, int64_t n, const float *x, int64_t incx,
                                         float *y, int64_t incy, const sugar_call_options *options);
SUGAR_API sugar_status sugar_forward_f64(const sugar_activation *activation, int64_t n, const double *x, int64_t incx,
                                         double *y, int64_t incy, const sugar_call_options *options);
SUGAR_API sugar_status sugar_forward_f16(const sugar_activation *activation, int64_t n, const uint16_t *x, int64_t incx,
                                         uint16_t *y, int64_t incy, const sugar_call_options *options);
SUGAR_API sugar_status sugar_forward_bf16(const sugar_activation *activation, int64_t n, const uint16_t *x,
                                          int64_t incx, uint16_t *y, int64_t incy, const sugar_call_options *options);

/* sugar_backward for vectors, in the manner of sugar_forward_f32. With n = 0 nothing is done but the checks, and what
 * the options say about gradients that are sums.
 * n         0 or more.
 * x         in [n, step incx]; NULL if the options have a saved_gradient, and allowed if n is 0.
 * incx      in elements.
 * dy        in [n, step incdy]; NULL allowed if n is 0.
 * incdy     in elements.
 * dx        out [n, step incdx]; may be the same vector as x or as dy. NULL allowed if n is 0.
 * incdx     in elements.
 * options   NULL: all defaults.
 * Errors: as sugar_backward; ARGUMENT (n < 0), OVERLAP (an output's step of 0). */
SUGAR_API sugar_status sugar_backward_f32(const sugar_activation *activation, int64_t n, const float *x, int64_t incx,
                                          const float *dy, int64_t incdy, float *dx, int64_t incdx,
                                          const sugar_call_options *options);
SUGAR_API sugar_status sugar_backward_f64(const sugar_activation *activation, int64_t n, const double *x, int64_t incx,
                                          const double *dy, int64_t incdy, double *dx, int64_t incdx,
                                          const sugar_call_options *options);
SUGAR_API sugar_status sugar_backward_f16(const sugar_activation *activation, int64_t n, const uint16_t *x,
                                          int64_t incx, const uint16_t *dy, int64_t incdy, uint16_t *dx, int64_t incdx,
                                          const sugar_call_options *options);
SUGAR_API sugar_status sugar_backward_bf16(const sugar_activation *activation, int64_t n, const uint16_t *x,
                                           int64_t incx, const uint16_t *dy, int64_t incdy, uint16_t *dx, int64_t incdx,
                                           const sugar_call_options *options);

/* ---- Monitors (described where sugar_monitor is declared) --------------------------------------- */

enum { SUGAR_MONITOR_BINS = 32 };   /* of a histogram: the default of `bins` */

/* Set struct_size to sizeof(sugar_monitor_options); its rule is that of sugar_activation_options. */
typedef struct sugar_monitor_options {
    size_t struct_size;             /* bytes */
    int32_t axis_from_end;          /* the dimension of x on which the units lie, counted from the end: 0 is the
                                       last one, 2 the channels of NCHW, up to SUGAR_MAX_DIMENSIONS - 1. A flat
                                       call has one dimension, so that its n must be the number of units */
    int32_t bins;                   /* of the histogram: 0 stands for SUGAR_MONITOR_BINS, which is the only
                                       number that this version has */
    double threshold;               /* finite; rounded to f32, or to f64 for f64. 0 for kinds that are dead
                                       where x <= 0; -3 for hardsigmoid and hardswish; for kinds with a
                                       threshold, that one */
    double minimum, maximum;        /* of the histogram: finite, maximum - minimum from 1e-30 to 1e30. Both 0
                                       stand for -8 and 8 */
    int64_t every;                  /* one call in so many is observed, beginning with the first; 0 and 1: every
                                       call */
} sugar_monitor_options;

/* Makes a monitor that has counted nothing. Its level is the one that an activation made now would get.
 * monitor   out; owned by the caller, for sugar_monitor_destroy. Not written on failure.
 * units     1 to 2^31 - 1: the extent of x in the dimension that `axis_from_end` names.
 * options   NULL: the last dimension, threshold 0, histogram from -8 to 8, every call observed.
 * Errors: ARGUMENT (NULL monitor, units, struct_size, axis_from_end, threshold, minimum, maximum, every), UNSUPPORTED
 * (bins, newer option), OUT_OF_MEMORY. */
SUGAR_API sugar_status sugar_monitor_create(sugar_monitor **monitor, int64_t units,
                                            const sugar_monitor_options *options);

/* Frees a monitor. No call may be using it.
 * monitor   NULL is fine. */
SUGAR_API void sugar_monitor_destroy(sugar_monitor *monitor);

/* Counts the elements of x, as a forward call with this monitor in its options does: one call in `every`.
 * x         in; any strides, any element type; `units` is its extent in the dimension that `axis_from_end` names.
 * options   threads alone (context); NULL: the calling thread.
 * Errors: ARGUMENT (NULL; ndim, too small for `axis_from_end` or too large; a negative extent; an extent that is not
 * `units`; NULL or misaligned data; sizes whose product overflows; strides that reach beyond the address space;
 * struct_size), VALUE (more samples or calls than 2^63 - 1 in all), UNSUPPORTED (device, dtype, flags, members of
 * options other than context). */
SUGAR_API sugar_status sugar_monitor_observe(sugar_monitor *monitor, const sugar_tensor *x,
                                             const sugar_call_options *options);

/* Forgets all that was counted, calls included: the next one is observed.
 * Errors: ARGUMENT (NULL). */
SUGAR_API sugar_status sugar_monitor_reset(sugar_monitor *monitor);

/* Adds what `from` has counted, calls included, without changing it. Counts then are those of one monitor that was fed
 * both inputs; sums are added in f64. Which call `into` observes next does not change, nor does its `every`, which may
 * differ from that of `from`.
 * Errors: ARGUMENT (NULL; the same monitor twice; units, bins, threshold, minimum or maximum that differ), VALUE (more
 * samples or calls than 2^63 - 1 in all). */
SUGAR_API sugar_status sugar_monitor_merge(sugar_monitor *into, const sugar_monitor *from);

/* The whole layer. Set struct_size; its rule is that of sugar_kind. */
typedef struct sugar_monitor_summary {
    size_t struct_size;             /* bytes */
    int64_t units;
    int64_t samples;                /* of all units */
    int64_t active;                 /* of these samples */
    int64_t not_finite;             /* of these samples: infinite or NaN */
    int64_t dead;                   /* units that had no active sample; 0 if there are no samples */
    double sparsity;                /* 1 - active / samples; NaN if there are no samples */
    double mean, deviation;         /* of the finite samples; the deviation is that of the population,
                                       sqrt(E[x^2] - E[x]^2); NaN if no sample is finite */
    int32_t axis_from_end;          /* as in sugar_monitor_options */
    int32_t bins;                   /* of the histogram, never 0 */
    int64_t every;                  /* as in sugar_monitor_options, never 0 */
    int64_t calls;                  /* that were given the monitor, and had elements */
    int64_t observed;               /* of these calls; the samples are those of these alone */
} sugar_monitor_summary;

/* What all units have seen.
 * summary   out.
 * Errors: ARGUMENT (NULL, struct_size). */
SUGAR_API sugar_status sugar_monitor_get(const sugar_monitor *monitor, sugar_monitor_summary *summary);

/* One unit. Set struct_size; its rule is that of sugar_kind. */
typedef struct sugar_monitor_unit {
    size_t struct_size;             /* bytes */
    int64_t samples, active, not_finite;
    double sum, sum_of_squares;     /* of the finite samples */
    double mean, deviation;         /* as in sugar_monitor_summary */
} sugar_monitor_unit;

/* What one unit has seen.
 * index   0 to units - 1.
 * unit    out.
 * Errors: ARGUMENT (NULL, struct_size, index outside [0, units)). */
SUGAR_API sugar_status sugar_monitor_get_unit(const sugar_monitor *monitor, int64_t index, sugar_monitor_unit *unit);

/* Finds the units that have samples, of which at most the share `rate` was active: with 0 the dead ones, with 0.01
 * also those that were active for at most one sample in a hundred.
 * indices    out [capacity]; the first of them, ascending; NULL allowed if capacity is 0.
 * capacity   0 or more.
 * count      out; how many there are, even if that is more than capacity.
 * Errors: ARGUMENT (NULL, rate outside [0, 1], capacity). */
SUGAR_API sugar_status sugar_monitor_find_dead(const sugar_monitor *monitor, double rate, int64_t *indices,
                                               int64_t capacity, int64_t *count);

/* The histogram of all samples.
 * counts     out [capacity]; the first `bins`, those of sugar_monitor_summary, are written. With w = (maximum -
 *            minimum) / (bins - 2), bin 0 counts x < minimum, bin i of the inner ones minimum + (i - 1) w <= x <
 *            minimum + i w, the last one x >= maximum; all of it computed in f32, or in f64 for f64, so that a
 *            sample next to a bound may be counted on its other side. NaN is in no bin.
 * edges      out [capacity - 1]; the bounds between them, of which there are bins - 1, ascending, or equal where
 *            numbers of that size are further apart than the bins are wide; NULL: not wanted.
 * capacity   `bins` or more.
 * Errors: ARGUMENT (NULL, capacity less than `bins`). */
SUGAR_API sugar_status sugar_monitor_get_histogram(const sugar_monitor *monitor, int64_t *counts, double *edges,
                                                   int32_t capacity);

/* How many bytes sugar_monitor_save writes.
 * monitor   NULL is fine.
 * returns   in bytes; 0 if monitor is NULL. */
SUGAR_API size_t sugar_monitor_save_size(const sugar_monitor *monitor);

/* Writes all that a monitor holds, options and which call it observes next included, in a form that does not depend on
 * the machine.
 * buffer     out [capacity]; the first sugar_monitor_save_size bytes are written.
 * capacity   in bytes.
 * Errors: ARGUMENT (NULL, capacity too small). */
SUGAR_API sugar_status sugar_monitor_save(const sugar_monitor *monitor, void *buffer, size_t capacity);

/* Makes a monitor from what sugar_monitor_save wrote, with this version of the library or an older one.
 * monitor   out; owned by the caller, for sugar_monitor_destroy. Not written on failure.
 * buffer    in [size]; not kept.
 * size      in bytes.
 * Errors: ARGUMENT (NULL), DATA (not a saved monitor; damaged, cut off or too long: the checksum is verified),
 * UNSUPPORTED (a form that this version does not read), OUT_OF_MEMORY. */
SUGAR_API sugar_status sugar_monitor_restore(sugar_monitor **monitor, const void *buffer, size_t size);

/* ---- Introspection ------------------------------------------------------------------------- */

/* Where a kind may stand in a spec. */
enum {
    SUGAR_ROLE_FORWARD = 1,         /* may stand before the ~ */
    SUGAR_ROLE_SURROGATE = 2        /* may stand after the ~ */
};

/* What calls and their options a kind, or one activation, allows; see sugar_call_options. */
enum {
    SUGAR_CAN_LEARN = 1,            /* its parameter may be a tensor, and has a gradient */
    SUGAR_CAN_START_FROM_OUTPUT = 2,/* SUGAR_CALL_FROM_OUTPUT */
    SUGAR_CAN_SAVE_BYTE = 4,        /* the bounds of its derivative are finite, and equal or at least 2^-118 apart:
                                       8 bits of saved gradient */
    SUGAR_CAN_SAVE_BIT = 8,         /* its derivative has two values, or one: 1 bit */
    SUGAR_CAN_DRAW = 16,            /* random slopes */
    SUGAR_CAN_DIFFERENTIATE_TWICE = 32  /* sugar_backward_twice */
};

/* Where the backward pass uses the derivative of the surrogate; see sugar_activation_create. */
enum {
    SUGAR_DOMAIN_ALL = 0,           /* domain=all: for every x */
    SUGAR_DOMAIN_NEGATIVE = 1       /* domain=negative: where x <= 0 */
};

/* One kind of the catalogue. All strings are constants in UTF-8. Set struct_size before the call;
 * its rule is that of sugar_activation_options, except that a larger struct is accepted whatever it holds,
 * and its unknown members are set to 0. struct_size stays as it was. */
typedef struct sugar_kind {
    size_t struct_size;             /* bytes */
    const char *name;               /* "silu" */
    const char *alias;              /* a second name that specs may use, "swish"; NULL if none */
    uint32_t roles;                 /* SUGAR_ROLE_* */
    int32_t parameter_count;        /* 0 or more */
    const char *value;              /* the formula of f(x); NULL for a surrogate-only kind */
    const char *derivative;         /* the formula of f'(x), which also says its value at kinks */
    const char *source;             /* where it comes from, such as "arXiv 2505.22074"; may be "" */
    uint64_t capabilities;          /* SUGAR_CAN_*, with parameters that allow it; sugar_activation_info says what one
                                       activation allows */
} sugar_kind;

/* One parameter of a kind: minimum <= value <= maximum. */
typedef struct sugar_parameter {
    size_t struct_size;             /* bytes; as in sugar_kind */
    const char *name;               /* "alpha" */
    double default_value;
    double minimum;
    double maximum;
    int32_t learnable;              /* 1: it may be a tensor, the `parameter` of sugar_call_options, else 0 */
    int32_t not_above;              /* the index of the parameter of the same kind that its value may not exceed, as
                                       hardtanh's min_val may not exceed max_val; -1: there is none */
} sugar_parameter;

/* One activation: what its spec says, and what calls on it accept. Set struct_size; its rule is that of sugar_kind.
 * What pointers lead to belongs to the activation and lives as long as it, but for the level, a constant. */
typedef struct sugar_activation_info {
    size_t struct_size;             /* bytes */
    const char *spec;               /* as sugar_activation_spec */
    size_t spec_length;             /* of the spec, without the NUL at its end; in bytes */
    const char *level;              /* as sugar_activation_level */
    const double *forward_parameters;   /* [forward_parameter_count]; the values that the spec gives the forward
                                       function, in the order of its kind, not rounded to an element type; NULL if
                                       there are none */
    const double *surrogate_parameters; /* [surrogate_parameter_count]; those of the surrogate; NULL if there are
                                       none */
    int32_t forward_kind;           /* for sugar_kind_get of this library */
    int32_t surrogate_kind;         /* the same; -1 without a surrogate */
    int32_t forward_parameter_count;
    int32_t surrogate_parameter_count;
    int32_t domain;                 /* of the surrogate: SUGAR_DOMAIN_ALL or SUGAR_DOMAIN_NEGATIVE; without one
                                       SUGAR_DOMAIN_ALL */
    int32_t uses_own_derivative;    /* 1: g' is f', or depends on it; 0: g' is the surrogate's alone, so that a
                                       parameter may be a tensor beside a saved_gradient */
    uint64_t capabilities;          /* SUGAR_CAN_*: what calls on this activation accept, in every element type;
                                       with what is not among them they are UNSUPPORTED */
    double blend;                   /* the share of the surrogate's derivative; 0 without a surrogate */
    /* The bounds, over all x but NaN, of the derivative g' that the backward pass uses: f', that of the surrogate,
     * or a mixture. They hold for parameters as given and rounded to f32, and are rounded outwards to f32; otherwise
     * they are exact, except with a blend: there they are, on each side of 0, the blend of the bounds, which may be
     * wider. -INFINITY and INFINITY where there is no bound. */
    double gradient_minimum;
    double gradient_maximum;        /* see gradient_minimum */
} sugar_activation_info;

/* An instruction set. */
typedef struct sugar_level {
    size_t struct_size;             /* bytes; as in sugar_kind */
    const char *name;               /* "scalar", "sse4", "avx2", "avx512", "neon" */
    int32_t compiled;               /* 1: this build of the library has its kernels, else 0 */
    int32_t supported;              /* 1: compiled, and the processor and the operating system have it */
    int32_t in_use;                 /* 1: an activation made now, without a choice of level, gets it */
    int32_t reserved;               /* 0 */
} sugar_level;

/* How many kinds there are; kinds are numbered from 0 in the order of the catalogue. The order may
 * change between versions; names do not. */
SUGAR_API int32_t sugar_kind_count(void);

/* Fills *kind with what is known of one kind.
 * kind   out.
 * Errors: ARGUMENT (index outside [0, sugar_kind_count()), NULL, struct_size). */
SUGAR_API sugar_status sugar_kind_get(int32_t index, sugar_kind *kind);

/* Fills *parameter with one parameter of one kind.
 * parameter   out.
 * Errors: ARGUMENT (an index out of range, NULL, struct_size). */
SUGAR_API sugar_status sugar_kind_get_parameter(int32_t index, int32_t parameter_index, sugar_parameter *parameter);

/* Fills *info with what an activation is. The numbers of kinds are those of this version of the library.
 * info   out.
 * Errors: ARGUMENT (NULL, struct_size). */
SUGAR_API sugar_status sugar_activation_get_info(const sugar_activation *activation, sugar_activation_info *info);

/* How many levels this version knows, for any processor; in the order of preference, lowest
 * ("scalar") first. */
SUGAR_API int32_t sugar_level_count(void);

/* Fills *level with what is known of one level. in_use follows SUGAR_LEVEL.
 * level   out.
 * Errors: ARGUMENT (index outside [0, sugar_level_count()), NULL, struct_size). */
SUGAR_API sugar_status sugar_level_get(int32_t index, sugar_level *level);

/* ---- Information: how this release behaves. Any later one may do otherwise ---------------------
 *
 * Stack     A call needs at most 64 KiB on each thread that works on it, or 384 KiB if options other than flags
 *           and context are set, and in sugar_monitor_observe; a pool's threads have 1 MiB. Calls take no memory from
 *           the heap.
 * Threads   Calls on fewer than 32,768 elements are not split, with a parallel_for 65,536. A pool's threads look
 *           for work for 50 us after a call before they sleep. A pool shares a call if the rest of it is worth it.
 * Stores    Outputs larger than the last-level cache that this program may expect to have, from 8 to 32 MiB, are
 *           stored past the caches (sse4, avx2, avx512).
 * Messages  At most 511 bytes; longer ones are cut off.
 */

#ifdef __cplusplus
}
#endif

#endif
