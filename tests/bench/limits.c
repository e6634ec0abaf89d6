/* The limits of the machine: loops that read and write as much memory, with almost no arithmetic. They work on bytes,
 * whatever the element type. Forward writes the complement of what it reads, backward the xor of its two inputs: were
 * it a copy, a compiler would call memcpy. */
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
    if (!is_vector(c) || case_bytes(c) % LINE != 0)
        return NULL;
    limit_run *run = malloc(sizeof *run);
    if (!run)
        give_up("limits", "no memory");
    *run = (limit_run){c, part};
    return run;
}

static void copy_part(const bench_case *c, size_t begin, size_t end)
{
    memcpy((unsigned char *)c->data[OUT] + begin, (const unsigned char *)c->data[X] + begin, end - begin);
}

static void *open_memcpy(const bench_case *c) { return c->way == FORWARD ? open_with(c, copy_part) : NULL; }

implementation memcpy_limit = {
    .name = "memcpy",
    .role = LIMIT,
    .open = open_memcpy,
    .call = call,
    .close = free,
};

WIDE static void loop_part(const bench_case *c, size_t begin, size_t end)
{
    const uint64_t *x = c->data[X], *dy = c->data[DY];
    uint64_t *restrict out = c->data[OUT];
    const size_t first = begin / sizeof *x, last = end / sizeof *x;
    if (c->way == FORWARD)
        for (size_t i = first; i < last; i++)
            out[i] = ~x[i];
    else
        for (size_t i = first; i < last; i++)
            out[i] = x[i] ^ dy[i];
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
WIDE static void nontemporal_part(const bench_case *c, size_t begin, size_t end)
{
    const __m256i *x = c->data[X], *dy = c->data[DY], ones = _mm256_set1_epi8(-1);
    __m256i *out = c->data[OUT];
    const size_t first = begin / sizeof *x, last = end / sizeof *x;
    if (c->way == FORWARD)
        for (size_t i = first; i < last; i++)
            _mm256_stream_si256(out + i, _mm256_xor_si256(_mm256_loadu_si256(x + i), ones));
    else
        for (size_t i = first; i < last; i++)
            _mm256_stream_si256(out + i, _mm256_xor_si256(_mm256_loadu_si256(x + i), _mm256_loadu_si256(dy + i)));
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
