/* Loads and stores: elements in memory, reals in registers. */
#ifndef SUGAR_KERNELS_LOOPS_MEMORY_H
#define SUGAR_KERNELS_LOOPS_MEMORY_H

#include "kernels/kernels.h"
#include "kernels/prologue.h"

#if !NARROW
typedef real element;
ALWAYS_INLINE vec load(const element *p) { return vec_load(p); }
ALWAYS_INLINE vec load_partial(const element *p, size_t n) { return vec_load_partial(p, n); }
ALWAYS_INLINE void store(element *p, vec a) { vec_store(p, a); }
ALWAYS_INLINE void stream_past_caches(element *p, vec a) { vec_stream(p, a); }
ALWAYS_INLINE void store_partial(element *p, vec a, size_t n) { vec_store_partial(p, a, n); }
#else
typedef uint16_t element;
ALWAYS_INLINE vec load(const element *p) { return JOIN(vec_load, SUGAR_TYPE)(p); }
ALWAYS_INLINE void store(element *p, vec a) { JOIN(vec_store, SUGAR_TYPE)(p, a); }

ALWAYS_INLINE void stream_past_caches(element *p, vec a)
{
    element lanes[VEC_LANES];       /* compilers keep it in a register */
    store(lanes, a);
    vec_stream_bits16(p, lanes);
}

ALWAYS_INLINE vec load_partial(const element *p, size_t n)
{
    element lanes[VEC_LANES];
    vec_load_partial_bits16(lanes, p, n);
    return load(lanes);
}

ALWAYS_INLINE void store_partial(element *p, vec a, size_t n)
{
    element lanes[VEC_LANES];
    store(lanes, a);
    vec_store_partial_bits16(p, lanes, n);
}
#endif

/* Stores a whole vector; past the caches if `stream`. Around a short formula the compiler makes two loops of this
 * branch, around a long one it leaves the branch in the loop, where it is always predicted: 8 % more code (f32, AVX2).
 * Two loops everywhere are 15 % more code, and no faster. Tried with 32 Mi elements (AVX2; relu forward, and a product
 * backward): to compute blocks in the first-level cache and stream them from there takes 1.04 to 1.26 times as long
 * with blocks of 4 KiB, 0.99 to 1.24 times with 1 KiB; software prefetch 1 KiB ahead gains 1 to 7 %, but loses in
 * cache; huge pages gain up to 8 %, with streaming and without. */
ALWAYS_INLINE void put(element *p, vec a, int stream)
{
    if (stream)
        stream_past_caches(p, a);
    else
        store(p, a);
}

/* Waits until what was streamed is in memory. Not with SUGAR_STREAM_OPEN: to wait after each tile of 8 KiB takes
 * longer than to compute the tile. */
ALWAYS_INLINE void end_stream_of(int stream)
{
    if (stream && stream != SUGAR_STREAM_OPEN)
        vec_stream_end();
}

static void end_stream(void) { vec_stream_end(); }

/* These and the next two take a whole vector, or the n elements that are left. */
ALWAYS_INLINE vec load_some(const element *p, size_t n) { return n < VEC_LANES ? load_partial(p, n) : load(p); }

ALWAYS_INLINE vec load_some_reals(const real *p, size_t n)
{
    return n < VEC_LANES ? vec_load_partial(p, n) : vec_load(p);
}

ALWAYS_INLINE void put_some(element *p, vec a, size_t n, int stream)
{
    if (n < VEC_LANES)
        store_partial(p, a, n);
    else
        put(p, a, stream);
}

ALWAYS_INLINE void put_some_reals(real *p, vec a, size_t n)
{
    if (n < VEC_LANES)
        vec_store_partial(p, a, n);
    else
        vec_store(p, a);
}

#endif
