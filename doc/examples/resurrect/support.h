/* What every part of the program needs: failing with one line, memory, the clock, random numbers, and
 * files that appear whole or not at all. */
#ifndef RESURRECT_SUPPORT_H
#define RESURRECT_SUPPORT_H

#include <stdint.h>
#include <stdio.h>

/* Prints "resurrect: MESSAGE" as one line to standard error and exits with 2. Files that were opened with
 * output_open and not finished are removed. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed memory for count elements; fails if there is none. */
void *allocate(size_t count, size_t size);

/* A new string, made as by printf. */
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Seconds from some fixed moment, by a clock that nobody sets. */
double seconds_now(void);

/* The random numbers of one purpose: the n-th is SplitMix64's output function at key + n * 0x9e3779b97f4a7c15
 * (Steele, Lea, Flood, OOPSLA 2014), so a seed gives the same numbers on every machine. */
typedef struct random_stream {
    uint64_t state;
} random_stream;

random_stream random_start(uint64_t seed, uint64_t purpose);
double random_uniform(random_stream *stream);                       /* in (0, 1), 53 bits */
double random_normal(random_stream *stream);                        /* Box-Muller, the cosine half */
int random_below(random_stream *stream, int bound);                 /* in [0, bound) */

/* A file written under a temporary name beside its own and renamed when it is complete. What exists and is no
 * regular file, such as /dev/null, is written to directly. */
typedef struct output {
    FILE *file;
    char *path, *temporary;                     /* temporary: NULL if written to directly */
    struct output *next;
} output;

output *output_open(const char *path);          /* fails if the file could not be written there */
void output_finish(output *file);               /* fails if anything written to it was lost */
void output_abandon_all(void);                  /* removes what is not finished; fail() does so too */

#endif
