/* What all files of the benchmark share: cases, implementations, memory, threads. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sugar/sugar.h>

#include "../support/support.h"
#include "timing.h"

typedef enum pass { FORWARD, BACKWARD } pass;
extern const char *const pass_names[2];

/* Forward has no DY. THIRD is a gate, or the gradient that reaches dx, or begins with the biases; OTHER is the
 * gradient of THIRD, or ddy. */
enum { X, DY, OUT, THIRD, OTHER, OPERANDS };
enum { DIMENSIONS = 4 };

/* What a call has beside the plain one; in records, the second word of the kind. TWICE: sugar_backward_twice. */
typedef enum addition { NOTHING, GATE, BIAS, TWICE } addition;

/* What is measured: every implementation gets the same memory and the same work. */
typedef struct bench_case {
    char kind[32];                      /* as in the records */
    char spec[200];
    pass way;
    element_type type;
    int64_t elements;
    int threads;
    addition adds;
    char layout[32];                    /* "contiguous" (flat calls), "tensor" (alike), or its strides; of calls with
                                           an addition "whole", or which dimension has biases */
    int ndim;                           /* 1 for a vector */
    int64_t shape[DIMENSIONS];
    int64_t strides[OPERANDS][DIMENSIONS];
    void *data[OPERANDS];               /* the element with index 0 */
} bench_case;

/* What a case can be chosen by, with the names of the records. */
typedef enum field { KIND, DIRECTION, DTYPE, ELEMENTS, THREADS, LAYOUT, FIELDS } field;
enum { FIELD_SIZE = 32 };
/* The value of a field, as text. */
void case_field(const bench_case *c, field of, char text[FIELD_SIZE]);

bool is_vector(const bench_case *c);
/* Whether THIRD and, backward, OTHER are as large as x. */
bool has_third(const bench_case *c);
/* Of one operand. */
size_t case_bytes(const bench_case *c);

/* A way to compute a case. Cases are opened one at a time for each implementation. */
typedef struct implementation {
    const char *name;
    const char *(*version)(void);       /* NULL: it does not tell */
    const char *absent;                 /* why this build or machine lacks it; NULL if it is here */
    /* A LIMIT only moves memory; an OTHER_PROBLEM is told, not compared. */
    enum { PEER, LIMIT, OTHER_PROBLEM } role;
    void *(*open)(const bench_case *c); /* NULL: has no such case */
    void (*call)(void *run);            /* once over all elements; or NULL, and then */
    double (*seconds)(void *run, int64_t calls);    /* times itself */
    void (*close)(void *run);
} implementation;

/* Once over all elements. */
void compute_once(const implementation *i, void *run);

extern implementation sugar_implementation, sugar_alone, sugar_from_output, sugar_saved, sugar_monitored, sugar_sampled;
extern implementation memcpy_limit, loop_limit, nontemporal_limit;
extern implementation onednn_peer, xnnpack_peer, ggml_peer, torch_peer, torch_output_peer;

/* Ours takes this level, NULL: that of SUGAR_LEVEL or the library's choice, and peers that can be told follow;
 * before anything of theirs is called. Ends the program if this machine has no such level. */
void level_choose(const char *level);
/* The level that ours uses. */
const char *level_in_use(void);
/* As the system names it. */
const char *processor_name(void);
void xnnpack_limit_to_avx2(void);
void ggml_begin(bool avx2);             /* loads its backend */

/* The memory of all cases, shared with co-processes through a file descriptor. */
typedef struct memory {
    int descriptor;
    unsigned char *start;
    size_t size, operand_size;
    size_t filled;                      /* bytes of an operand that hold data */
} memory;

/* Ends the program if there is not enough. */
memory memory_make(size_t bytes_per_operand);
void memory_free(memory *m);
/* The first byte for an operand; operands do not start at the same place of a page. */
void *memory_operand(const memory *m, int operand);
/* Fills x with numbers like those in a network, or evenly from [-reach, reach], unless that is 0; the other inputs
 * with those of a gradient. */
void memory_fill(const memory *m, element_type type, double reach);

/* PyTorch is present from start to stop if the interpreter has it; script: peers_torch.py. python NULL: that
 * of the system, and if it cannot be run or lacks torch, the run goes on without; one that was named must have
 * it. */
void torch_start(const memory *m, const char *python, const char *script);
void torch_stop(void);

/* ---- Threads of the limits: the caller and a helper that waits. -------------------------------- */

enum { MAX_THREADS = 2 };
void pool_start(void);
void pool_stop(void);
/* task(work, i) for each i below count, at most MAX_THREADS, each on a thread of its own. */
void pool_run(void (*task)(void *work, int64_t index), void *work, int64_t count);

/* ---- Measuring ---------------------------------------------------------------------------------- */

/* Of a case with an addition, before it is timed: ends the program if a peer computes something else than ours, which
 * is the first of all. What a plain case computes is the matter of peer_errors.c. */
void check_peers(const bench_case *c, implementation *const *all, int count);

typedef struct measurement {
    bool measured;
    double ns_per_element;              /* the median */
} measurement;

/* All implementations that have the case, in turns: as many rounds as fit into the seconds given, within
 * bounds. */
void measure(const bench_case *c, implementation *const *all, int count, double seconds, measurement *results);

#endif
