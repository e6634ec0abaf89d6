/* What the parts of the benchmark share: a case, an implementation that may run it, and the threads. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sugar/sugar.h>

typedef enum direction { FORWARD, BACKWARD } direction;
extern const char *const direction_names[2];

enum { X, DY, OUT, OPERANDS };          /* forward has no DY */
enum { DIMENSIONS = 4 };

/* One thing to measure: the same memory and the same work for every implementation. */
typedef struct bench_case {
    char kind[32];                      /* as in the records */
    char spec[64];
    direction way;
    size_t width;                       /* 4 (f32) or 8 (f64) */
    int64_t elements;
    int threads;
    char layout[32];                    /* "contiguous", or which strides */
    int ndim;                           /* 1 for contiguous */
    int64_t shape[DIMENSIONS];
    int64_t strides[OPERANDS][DIMENSIONS];
    void *data[OPERANDS];               /* the element with index 0 */
} bench_case;

const char *type_name(const bench_case *c);
bool is_contiguous(const bench_case *c);

/* A way to compute a case. Cases are opened one at a time for each implementation. */
typedef struct implementation {
    const char *name;
    const char *version;                /* NULL: not known */
    const char *absent;                 /* why this build or machine lacks it; NULL if it is here */
    bool limit;                         /* not a peer: only moves memory */
    void *(*open)(const bench_case *c); /* NULL: has no such case */
    void (*call)(void *run);            /* once over all elements; or NULL, and then */
    double (*seconds)(void *run, int64_t calls);    /* times itself */
    void (*close)(void *run);
} implementation;

extern implementation sugar_implementation, memcpy_limit, loop_limit, nontemporal_limit;
extern implementation onednn_peer, xnnpack_peer, torch_peer;

/* The memory of all cases, shared with co-processes through a file descriptor. */
typedef struct memory {
    int descriptor;
    unsigned char *start;
    size_t size, operand_size;
} memory;

/* Ends the program if there is not enough. */
memory memory_make(size_t bytes_per_operand);
void memory_free(memory *m);
/* The first byte for an operand; operands do not start at the same place of a page. */
void *memory_operand(const memory *m, int operand);
/* Fills x and dy with numbers like those in a network. */
void memory_fill(const memory *m, size_t width, int64_t elements);

/* PyTorch is present from start to stop if the interpreter `python` has it; script: peers_torch.py. */
void torch_start(const memory *m, const char *python, const char *script);
void torch_stop(void);

/* ---- Threads: the caller and helpers that wait. ------------------------------------------------ */

enum { MAX_THREADS = 2 };
void pool_start(void);
void pool_stop(void);
/* As sugar_parallel_for; count is at most MAX_THREADS, each index on a thread of its own. */
void pool_run(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count);

/* ---- Measuring ---------------------------------------------------------------------------------- */

typedef struct measurement {
    bool measured;
    double ns_per_element;              /* the median */
} measurement;

/* All implementations that have the case, in turns. */
void measure(const bench_case *c, implementation *const *all, int count, int rounds, measurement *results);

#endif
