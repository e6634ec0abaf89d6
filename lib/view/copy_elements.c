/* Copies of boxes. Compiled once for each size of an element, with ELEMENT_BITS: 8, 16, 32 or 64. */
#include "view/copy.h"

#include <stdbool.h>
#include <string.h>

#include "base/integers.h"

#define COPY_(bits) sugar_copy_##bits
#define COPY(bits) COPY_(bits)

/* LOW(a, b), HIGH(a, b): the lower or the upper halves of two vectors, interleaved. BACKWARD(a): a in reverse
 * order. */
#if ELEMENT_BITS == 8
typedef uint8_t __attribute__((may_alias)) element;
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define BACKWARD(a) __builtin_shufflevector(a, a, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#elif ELEMENT_BITS == 16
typedef uint16_t __attribute__((may_alias)) element;
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define BACKWARD(a) __builtin_shufflevector(a, a, 7, 6, 5, 4, 3, 2, 1, 0)
#elif ELEMENT_BITS == 32
typedef uint32_t __attribute__((may_alias)) element;
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define BACKWARD(a) __builtin_shufflevector(a, a, 3, 2, 1, 0)
#elif ELEMENT_BITS == 64
typedef uint64_t __attribute__((may_alias)) element;
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 2)
#define HIGH(a, b) __builtin_shufflevector(a, b, 1, 3)
#define BACKWARD(a) __builtin_shufflevector(a, a, 1, 0)
#endif
typedef element vector __attribute__((vector_size(SUGAR_COPY_VECTOR), aligned(sizeof(element)), may_alias));
enum { LANES = SUGAR_COPY_VECTOR / sizeof(element) };

static inline vector load(const element *p) { return *(const vector *)p; }

static inline void store(element *p, vector a) { *(vector *)p = a; }

/* to[i + j * to_step] = from[j + i * from_step] for i < rows, j < columns, both at most LANES. Reads and writes whole
 * vectors: for rows < LANES what lies behind them in `to` gets other elements of `from`. To interleave rows i and
 * i + LANES/2, log2(LANES) times, is to transpose. */
static inline void transpose_square(element *to, int64_t to_step, const element *from, int64_t from_step, int rows,
                                    int columns)
{
    vector row[LANES], next[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
        row[i] = load(from + (i < rows ? i : 0) * from_step);
#pragma GCC unroll 4
    for (int stage = 1; stage < LANES; stage *= 2) {
#pragma GCC unroll 8
        for (int i = 0; i < LANES / 2; i++) {
            next[2 * i] = LOW(row[i], row[i + LANES / 2]);
            next[2 * i + 1] = HIGH(row[i], row[i + LANES / 2]);
        }
        memcpy(row, next, sizeof row);
    }
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
        if (i < columns)
            store(to + i * to_step, row[i]);
}

/* to[i * to_step] = from[i * from_step]. To gather elements into vectors before they are stored takes 1.3 times as
 * long as to store each by itself (NHWC to NCHW with 3 channels, f32). */
static inline void copy_line(element *restrict to, int64_t to_step, const element *restrict from, int64_t from_step,
                             int64_t n)
{
    int64_t i = 0;
    if (to_step == 1 && from_step == 1) {
        for (; n - i >= LANES; i += LANES)
            store(to + i, load(from + i));
    } else if (to_step == 1 && from_step == 0) {
        const vector splat = *from - (vector){0};
        for (; n - i >= LANES; i += LANES)
            store(to + i, splat);
    } else if (to_step == 1 && from_step == -1) {
        for (; n - i >= LANES; i += LANES) {
            const vector a = load(from - i - (LANES - 1));
            store(to + i, BACKWARD(a));
        }
    } else {
        for (; n - i >= 4; i += 4) {
#pragma GCC unroll 4
            for (int k = 0; k < 4; k++)
                to[(i + k) * to_step] = from[(i + k) * from_step];
        }
    }
    for (; i < n; i++)
        to[i * to_step] = from[i * from_step];
}

/* to[i + j * to_step] = from[j + i * from_step] for i < rows, j < columns, both LANES or more. The last squares may
 * overlap those before them. Squares follow each other along the rows that are farther apart in memory: of these a
 * cache may hold only a few at once. The next square is found by an addition: to work out each address anew takes 1.3
 * times as long in f64, whose squares are small, and in f32 (in cache, Sapphire Rapids).
 *
 * Tried: vectors of 32 bytes with AVX2, made of halves of two rows. In cache that takes 0.8 of the time, but of relu at
 * 1 Mi elements, of which memory takes most, 0.98 (f64, NCHW to NCWH; to NWCH 0.91) or 0.97 (f32), and it needs a build
 * for each level. Vectors of 64 bytes take 1.2 times as long as those. */
static void transpose(element *restrict to, int64_t to_step, const element *restrict from, int64_t from_step,
                      int64_t rows, int64_t columns)
{
    const bool along_from = from_step < 0 || from_step >= to_step;
    const int64_t outer = along_from ? rows : columns, inner = along_from ? columns : rows;
    const int64_t to_inner = along_from ? to_step : 1, from_inner = along_from ? 1 : from_step;
    const int64_t last = inner - LANES;
    for (int64_t a = 0; a < outer; a += LANES) {
        const int64_t at = smaller(a, outer - LANES);
        element *t = to + (along_from ? at : at * to_step);
        const element *f = from + (along_from ? at * from_step : at);
        for (int64_t b = 0; b <= last; b += LANES)
            transpose_square(t + b * to_inner, to_step, f + b * from_inner, from_step, LANES, LANES);
        if (inner % LANES != 0)
            transpose_square(t + last * to_inner, to_step, f + last * from_inner, from_step, LANES, LANES);
    }
}

/* to[i + j * to_step] = from[j + i * columns] for many rows i of few columns j, such as the colours of a picture. A
 * square reads beyond its rows, into those that follow; the last rows, which none follow, are copied one by one. */
static void separate(element *restrict to, int64_t to_step, const element *restrict from, int64_t rows, int64_t columns)
{
    int64_t i = 0;
    for (; (i + LANES - 1) * columns + LANES <= rows * columns; i += LANES)
        transpose_square(to + i, to_step, from + i * columns, columns, LANES, (int)columns);
    for (; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            to[i + j * to_step] = from[i * columns + j];
}

/* to[i * columns + j] = from[i + j * from_step] for many rows i of fewer than LANES columns j: the way back. Of each
 * vector that a square stores only the first elements count; the next one replaces the others. 32 Mi elements from NCHW
 * to NHWC with 3 channels: 0.65 ns each, 0.76 one by one (relu, f32, Sapphire Rapids). */
static void join(element *restrict to, const element *restrict from, int64_t from_step, int64_t rows, int64_t columns)
{
    int64_t i = 0;
    for (; (i + LANES - 1) * columns + LANES <= rows * columns; i += LANES)
        transpose_square(to + i * columns, columns, from + i, from_step, (int)columns, LANES);
    for (; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            to[i * columns + j] = from[i + j * from_step];
}

/* Dimensions 0 and 1 of a box. */
static void copy_plane(const sugar_box *box, element *restrict to, const element *restrict from)
{
    const int64_t rows = box->dimension[0].extent, columns = box->dimension[1].extent;
    const int64_t to_step = box->dimension[1].to, from_step = box->dimension[0].from;
    const bool contiguous = box->dimension[0].to == 1 && box->dimension[1].from == 1;
    const bool turned = box->dimension[0].from == 1 && box->dimension[1].to == 1;
    if (contiguous && rows >= LANES && columns >= LANES) {
        transpose(to, to_step, from, from_step, rows, columns);
        return;
    }
    if (contiguous && from_step == columns && columns > 1) {
        separate(to, to_step, from, rows, columns);
        return;
    }
    if (turned && box->dimension[0].to == columns && columns > 1 && columns < LANES) {
        join(to, from, box->dimension[1].from, rows, columns);
        return;
    }
    for (int64_t j = 0; j < columns; j++)
        copy_line(to + j * to_step, box->dimension[0].to, from + j * box->dimension[1].from, from_step, rows);
}

void COPY(ELEMENT_BITS)(const sugar_box *box, int ndim, void *to_elements, const void *from_elements)
{
    element *to = to_elements;
    const element *from = from_elements;
    if (ndim == 1)
        copy_line(to, box->dimension[0].to, from, box->dimension[0].from, box->dimension[0].extent);
    else if (ndim == 2)
        copy_plane(box, to, from);
    else
        for (int64_t i = 0; i < box->dimension[ndim - 1].extent; i++)
            COPY(ELEMENT_BITS)(box, ndim - 1, to + i * box->dimension[ndim - 1].to,
                               from + i * box->dimension[ndim - 1].from);
}
