/* The limits of the machine: loops that read and write as much memory, with almost no arithmetic. They work on bytes,
 * whatever the element type. One input is written as its complement, of several the xor of two: were it a copy, a
 * compiler would call memcpy. Biases and their gradients stay in the caches, and are left out. */
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define WIDE __attribute__((target("avx2")))
#define HAS_WIDE __builtin_cpu_supports("avx2")
#else
#define WIDE
#define HAS_WIDE 1
#endif

#include "bench.h"
#include "../support/support.h"

typedef struct limit_run {
    const bench_case *c;
    void (*part)(const bench_case *c, size_t begin, size_t end);
} limit_run;

enum { LINE = 64 };                     /* bytes: a line of the cache */

static void share(void *opaque, int64_t index)
{
    const limit_run *run = opaque;
    const size_t threads = (size_t)run->c->threads, bytes = case_bytes(run->c);
    const size_t length = bytes / threads / LINE * LINE, begin = (size_t)index * length;
    run->part(run->c, begin, (size_t)index + 1 == threads ? bytes : begin + length);
}

static void call(void *run) { pool_run(share, run, ((const limit_run *)run)->c->threads); }

static void *open_with(const bench_case *c, void (*part)(const bench_case *c, size_t begin, size_t end))
{
    if ((!is_vector(c) && c->adds == NOTHING) || case_bytes(c) % LINE != 0)
        return NULL;
    limit_run *run = malloc(sizeof *run);
    if (!run)
        give_up("limits", "no memory");
    *run = (limit_run){c, part};
    return run;
}

/* What a case reads and writes, as words. Three inputs go with two outputs. */
typedef struct streams {
    int inputs;
    const uint64_t *in[3];
    uint64_t *out[2];
} streams;

static streams streams_of(const bench_case *c)
{
    streams s = {.inputs = 1, .in = {c->data[X]}, .out = {c->data[OUT], c->data[OTHER]}};
    if (c->way == BACKWARD)
        s.in[s.inputs++] = c->data[DY];
    if (has_third(c))
        s.in[s.inputs++] = c->data[THIRD];
    return s;
}

static void copy_part(const bench_case *c, size_t begin, size_t end)
{
    memcpy((unsigned char *)c->data[OUT] + begin, (const unsigned char *)c->data[X] + begin, end - begin);
}

static void *open_memcpy(const bench_case *c) { return streams_of(c).inputs == 1 ? open_with(c, copy_part) : NULL; }

implementation memcpy_limit = {
    .name = "memcpy",
    .role = LIMIT,
    .open = open_memcpy,
    .call = call,
    .close = free,
};

WIDE static void loop_part(const bench_case *c, size_t begin, size_t end)
{
    const streams s = streams_of(c);
    const uint64_t *first = s.in[0], *second = s.in[1], *third = s.in[2];
    uint64_t *restrict out = s.out[0], *restrict other = s.out[1];
    begin /= sizeof *out;
    end /= sizeof *out;
    if (s.inputs == 1)
        for (size_t i = begin; i < end; i++)
            out[i] = ~first[i];
    else if (s.inputs == 2)
        for (size_t i = begin; i < end; i++)
            out[i] = first[i] ^ second[i];
    else
        for (size_t i = begin; i < end; i++) {
            out[i] = first[i] ^ second[i];
            other[i] = second[i] ^ third[i];
        }
}

static void *open_loop(const bench_case *c) { return HAS_WIDE ? open_with(c, loop_part) : NULL; }

implementation loop_limit = {
    .name = "loop",
    .role = LIMIT,
    .open = open_loop,
    .call = call,
    .close = free,
};

#if defined(__x86_64__)
WIDE static __m256i load(const uint64_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }

WIDE static void stream(uint64_t *p, __m256i a) { _mm256_stream_si256((__m256i *)(void *)p, a); }

WIDE static void nontemporal_part(const bench_case *c, size_t begin, size_t end)
{
    enum { WORDS = sizeof(__m256i) / sizeof(uint64_t) };
    const streams s = streams_of(c);
    const __m256i ones = _mm256_set1_epi8(-1);
    for (size_t i = begin / sizeof(uint64_t); i < end / sizeof(uint64_t); i += WORDS) {
        const __m256i first = load(s.in[0] + i), second = s.inputs > 1 ? load(s.in[1] + i) : ones;
        stream(s.out[0] + i, _mm256_xor_si256(first, second));
        if (s.inputs > 2)
            stream(s.out[1] + i, _mm256_xor_si256(second, load(s.in[2] + i)));
    }
    _mm_sfence();
}

static void *open_nontemporal(const bench_case *c) { return HAS_WIDE ? open_with(c, nontemporal_part) : NULL; }
#else
static void *open_nontemporal(const bench_case *c)
{
    (void)c;
    return NULL;
}
#endif

implementation nontemporal_limit = {
    .name = "loop-nt",
    .role = LIMIT,
    .open = open_nontemporal,
    .call = call,
    .close = free,
#if !defined(__x86_64__)
    .absent = "no non-temporal stores in portable C for this processor",
#endif
};
