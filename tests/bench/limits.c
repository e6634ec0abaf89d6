/* The limits of the machine: the same streams through memory, and no arithmetic to speak of. Loops write
 * what they read (forward), or the product of two inputs (backward). */
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "bench.h"
#include "../support/support.h"

typedef struct limit_run {
    const bench_case *c;
    void (*part)(const bench_case *c, int64_t begin, int64_t end);
} limit_run;

static void share(void *opaque, int64_t index)
{
    enum { LINE = 64 };                 /* elements: whole cache lines for both types */
    const limit_run *run = opaque;
    const int64_t n = run->c->elements;
    const int64_t length = (n / run->c->threads + LINE - 1) / LINE * LINE;
    const int64_t begin = index * length < n ? index * length : n;
    run->part(run->c, begin, index + 1 == run->c->threads || begin + length > n ? n : begin + length);
}

static void call(void *run)
{
    pool_run(NULL, share, run, ((const limit_run *)run)->c->threads);
}

static void *open_with(const bench_case *c, void (*part)(const bench_case *c, int64_t begin, int64_t end))
{
    if (!is_contiguous(c))
        return NULL;
    limit_run *run = malloc(sizeof *run);
    if (!run)
        give_up("limits", "no memory");
    *run = (limit_run){c, part};
    return run;
}

static void copy_part(const bench_case *c, int64_t begin, int64_t end)
{
    const size_t from = (size_t)begin * c->width, bytes = (size_t)(end - begin) * c->width;
    memcpy((unsigned char *)c->data[OUT] + from, (const unsigned char *)c->data[X] + from, bytes);
}

static void *open_memcpy(const bench_case *c)
{
    return c->way == FORWARD ? open_with(c, copy_part) : NULL;
}

implementation memcpy_limit = {
    .name = "memcpy", .limit = true, .open = open_memcpy, .call = call, .close = free,
};

/* The sum with a constant keeps the compiler from calling memcpy instead. */
#define LOOP(T, name)                                                                              \
    static void name(const bench_case *c, int64_t begin, int64_t end)                              \
    {                                                                                              \
        const T *x = c->data[X], *dy = c->data[DY];                                                \
        T *restrict out = c->data[OUT];                                                            \
        if (c->way == FORWARD)                                                                     \
            for (int64_t i = begin; i < end; i++)                                                  \
                out[i] = x[i] + 1;                                                                 \
        else                                                                                       \
            for (int64_t i = begin; i < end; i++)                                                  \
                out[i] = x[i] * dy[i];                                                             \
    }
LOOP(float, loop_f32)
LOOP(double, loop_f64)

static void *open_loop(const bench_case *c)
{
    return open_with(c, c->width == sizeof(float) ? loop_f32 : loop_f64);
}

implementation loop_limit = {
    .name = "loop", .limit = true, .open = open_loop, .call = call, .close = free,
};

#if defined(__SSE2__)
/* 16 bytes at a time: stores are combined to whole lines, and memory is the limit. */
#define NONTEMPORAL(T, name, load, store, multiply)                                                \
    static void name(const bench_case *c, int64_t begin, int64_t end)                              \
    {                                                                                              \
        enum { STEP = 16 / sizeof(T) };                                                            \
        const T *x = c->data[X], *dy = c->data[DY];                                                \
        T *out = c->data[OUT];                                                                     \
        int64_t i = begin;                                                                         \
        if (c->way == FORWARD)                                                                     \
            for (; i + STEP <= end; i += STEP)                                                     \
                store(out + i, load(x + i));                                                       \
        else                                                                                       \
            for (; i + STEP <= end; i += STEP)                                                     \
                store(out + i, multiply(load(x + i), load(dy + i)));                               \
        for (; i < end; i++)                                                                       \
            out[i] = c->way == FORWARD ? x[i] : x[i] * dy[i];                                      \
        _mm_sfence();                                                                              \
    }
NONTEMPORAL(float, nontemporal_f32, _mm_load_ps, _mm_stream_ps, _mm_mul_ps)
NONTEMPORAL(double, nontemporal_f64, _mm_load_pd, _mm_stream_pd, _mm_mul_pd)

static void *open_nontemporal(const bench_case *c)
{
    return open_with(c, c->width == sizeof(float) ? nontemporal_f32 : nontemporal_f64);
}
#else
static void *open_nontemporal(const bench_case *c)
{
    (void)c;
    return NULL;
}
#endif

implementation nontemporal_limit = {
    .name = "loop-nt", .limit = true, .open = open_nontemporal, .call = call, .close = free,
#if !defined(__SSE2__)
    .absent = "no non-temporal stores in portable C for this processor",
#endif
};
