/* The part of copy.c that depends on the size of an element. The includer defines, and this file undefines:
 *
 *   U                      the unsigned integer of that size
 *   LANES                  elements of a vector
 *   LOW(a, b), HIGH(a, b)  the elements of the lower, upper halves of two vectors, taken in turns
 *   BACKWARD(a)            the elements of a vector in reverse order
 *   NAME                   NAME(f) is f with the suffix of the size */

typedef U __attribute__((may_alias)) NAME(element);
typedef U NAME(vector) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(U)), may_alias));
#define element NAME(element)
#define vector NAME(vector)

static inline vector NAME(load)(const element *p)
{
    return *(const vector *)p;
}

static inline void NAME(store)(element *p, vector a)
{
    *(vector *)p = a;
}

/* to[i + j * to_step] = from[j + i * from_step] for i < LANES, j < columns <= LANES. Reads whole vectors,
 * LANES elements each. To take rows i and i + LANES/2 in turns, log2(LANES) times over, is to transpose. */
static inline void NAME(transpose_square)(element *to, int64_t to_step, const element *from, int64_t from_step,
                                          int columns)
{
    vector row[LANES], next[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
        row[i] = NAME(load)(from + i * from_step);
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
            NAME(store)(to + i * to_step, row[i]);
}

/* A line: to[i * to_step] = from[i * from_step]. To gather elements into vectors before they are stored takes
 * 1.3 times as long as to store each by itself (NHWC to NCHW with 3 channels, f32). */
static inline void NAME(copy_line)(element *restrict to, int64_t to_step, const element *restrict from,
                                   int64_t from_step, int64_t n)
{
    int64_t i = 0;
    if (to_step == 1 && from_step == 1) {
        for (; n - i >= LANES; i += LANES)
            NAME(store)(to + i, NAME(load)(from + i));
    } else if (to_step == 1 && from_step == 0) {
        const vector splat = *from - (vector){0};
        for (; n - i >= LANES; i += LANES)
            NAME(store)(to + i, splat);
    } else if (to_step == 1 && from_step == -1) {
        for (; n - i >= LANES; i += LANES) {
            const vector a = NAME(load)(from - i - (LANES - 1));
            NAME(store)(to + i, BACKWARD(a));
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

/* A plane of which i is contiguous in `to` and j in `from`, both of LANES elements or more. The last squares
 * may overlap those before them. The rows that are farther apart are gone along, a few at a time: they may
 * be so far apart that a cache holds few of them at once. */
static void NAME(transpose)(element *restrict to, int64_t to_step, const element *restrict from,
                            int64_t from_step, int64_t rows, int64_t columns)
{
    const bool along_from = from_step < 0 || from_step >= to_step;
    const int64_t outer = along_from ? rows : columns, inner = along_from ? columns : rows;
    for (int64_t a = 0; a < outer; a += LANES) {
        const int64_t at = smaller(a, outer - LANES);
        for (int64_t b = 0; b < inner; b += LANES) {
            const int64_t other = smaller(b, inner - LANES);
            const int64_t i = along_from ? at : other, j = along_from ? other : at;
            NAME(transpose_square)(to + i + j * to_step, to_step, from + j + i * from_step, from_step, LANES);
        }
    }
}

/* A plane of which i is contiguous in `to` and all of `from`, few columns by many rows, lies one after another:
 * colours of a picture. Squares read into the rows after them, which the last ones do not have. */
static void NAME(separate)(element *restrict to, int64_t to_step, const element *restrict from, int64_t rows,
                           int64_t columns)
{
    int64_t i = 0;
    for (; (i + LANES - 1) * columns + LANES <= rows * columns; i += LANES)
        NAME(transpose_square)(to + i, to_step, from + i * columns, columns, (int)columns);
    for (; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            to[i + j * to_step] = from[i * columns + j];
}

/* Dimensions 0 and 1 of a box. */
static void NAME(copy_plane)(const sugar_box *box, element *restrict to, const element *restrict from)
{
    const int64_t rows = box->dimension[0].extent, columns = box->dimension[1].extent;
    const int64_t to_step = box->dimension[1].to, from_step = box->dimension[0].from;
    const bool contiguous = box->dimension[0].to == 1 && box->dimension[1].from == 1;
    if (contiguous && rows >= LANES && columns >= LANES) {
        NAME(transpose)(to, to_step, from, from_step, rows, columns);
        return;
    }
    if (contiguous && from_step == columns && columns > 1) {
        NAME(separate)(to, to_step, from, rows, columns);
        return;
    }
    for (int64_t j = 0; j < columns; j++)
        NAME(copy_line)(to + j * to_step, box->dimension[0].to, from + j * box->dimension[1].from, from_step,
                        rows);
}

/* The first ndim dimensions of a box. */
static void NAME(copy_box)(const sugar_box *box, int ndim, element *to, const element *from)
{
    if (ndim == 1)
        NAME(copy_line)(to, box->dimension[0].to, from, box->dimension[0].from, box->dimension[0].extent);
    else if (ndim == 2)
        NAME(copy_plane)(box, to, from);
    else
        for (int64_t i = 0; i < box->dimension[ndim - 1].extent; i++)
            NAME(copy_box)(box, ndim - 1, to + i * box->dimension[ndim - 1].to,
                           from + i * box->dimension[ndim - 1].from);
}

#undef element
#undef vector
#undef U
#undef LANES
#undef LOW
#undef HIGH
#undef BACKWARD
#undef NAME
