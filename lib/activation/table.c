/* The kind `table`: a cubic Hermite spline through knots that the caller gives, linear outside.
 *
 * Between the knots a and b, with values f(a) and f(b), slopes f'(a) and f'(b), h = b - a, u = x - a and the slope of
 * the chord D = (f(b) - f(a)) / h, the spline is
 *
 *     f(a) + f'(a) u + (3 D - 2 f'(a) - f'(b)) u^2 / h + (f'(a) + f'(b) - 2 D) u^3 / h^2.
 *
 * It holds for b < a as well. So each piece is cut in the middle, and u measured from the nearer knot: the terms then
 * shrink towards both knots, and next to a knot with the value 0 or the slope 0 no digits are lost. The coefficients
 * are computed in pairs of doubles, once, when the handle is made. */
#include "activation/table.h"

#include <inttypes.h>

/* Pairs of doubles, in the vocabulary of the scalar level. */
#define SUGAR_LEVEL_NAME scalar
#define SUGAR_TYPE f64
#include "kernels/math/pairs.h"

enum { LEAST_KNOTS = 2, MOST_KNOTS = 4096 };

/* Of all numbers, and of the slopes of chords: so that in f32 neither values nor derivatives overflow near the knots,
 * and in double no coefficient: two knots that differ as f32 are 2^-203 or more apart. */
#define LARGEST 1e30

/* What the columns of options.table hold. */
enum { KNOT, VALUE, SLOPE, COLUMNS };

/* Not inlined: where gcc 12.2 vectorises, it drops a conversion to f32 and back. */
static __attribute__((noinline)) double rounded(sugar_element element, double a)
{
    return sugar_real_round(element, a);
}

/* ---- Digest ---------------------------------------------------------------------------------- */

/* FNV-1a of 64 bits (Fowler, Noll and Vo; IETF draft-eastlake-fnv) of the numbers' bytes, each number's lowest byte
 * first:
 *     h = 14695981039346656037, then for each byte b: h = (h xor b) * 1099511628211.
 * Its upper bits depend little on the last bytes, so it is mixed as MurmurHash3 does at its end (Appleby, fmix64):
 * three times h = h xor (h >> 33), the first two followed by a product with an odd constant. */
static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

static uint64_t digest_of(const double *numbers, size_t count)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &numbers[i], sizeof bits);
        for (int shift = 0; shift < 64; shift += 8)
            h = (h ^ (bits >> shift & 0xff)) * UINT64_C(0x100000001b3);
    }
    return mix(h);
}

/* ---- Checks ---------------------------------------------------------------------------------- */

static sugar_status check_numbers(const double *table, size_t knots)
{
    static const char *const names[COLUMNS] = {"knot", "the value at knot", "the slope at knot"};
    for (size_t i = 0; i < COLUMNS * knots; i++)
        if (!(table[i] >= -LARGEST && table[i] <= LARGEST))
            return sugar_error(SUGAR_ERROR_ARGUMENT, "options: table[%zu], %s %zu, is %s, expected -1e+30 to 1e+30", i,
                               names[i % COLUMNS], i / COLUMNS, sugar_number_text(table[i]).text);
    return SUGAR_OK;
}

/* The slope of the chord from one row to the next, in the numbers of an element type. */
static double chord_slope(sugar_element element, const double *row)
{
    const double *next = row + COLUMNS;
    return (rounded(element, next[VALUE]) - rounded(element, row[VALUE]))
           / (rounded(element, next[KNOT]) - rounded(element, row[KNOT]));
}

static sugar_status check_chord(sugar_element element, const double *table, size_t i)
{
    const double slope = chord_slope(element, table + COLUMNS * i);
    if (slope >= -LARGEST && slope <= LARGEST)
        return SUGAR_OK;
    return sugar_error(SUGAR_ERROR_ARGUMENT,
                       "options: table: from knot %zu to knot %zu values change by %s per 1 of x%s, "
                       "expected -1e+30 to 1e+30",
                       i, i + 1, sugar_number_text(slope).text, element == SUGAR_F32 ? " in f32" : "");
}

/* Knots that ascend after rounding to f32 ascend before it. */
static sugar_status check_pieces(const double *table, size_t knots)
{
    for (size_t i = 0; i + 1 < knots; i++) {
        const double knot = table[COLUMNS * i + KNOT], next = table[COLUMNS * (i + 1) + KNOT];
        if (!(rounded(SUGAR_F32, knot) < rounded(SUGAR_F32, next)))
            return sugar_error(SUGAR_ERROR_ARGUMENT,
                               "options: table[%zu], knot %zu, is %s, expected more than knot %zu, %s, rounded to f32",
                               COLUMNS * (i + 1), i + 1, sugar_number_text(next).text, i, sugar_number_text(knot).text);
        sugar_status status = check_chord(SUGAR_F64, table, i);
        if (status == SUGAR_OK)
            status = check_chord(SUGAR_F32, table, i);
        if (status != SUGAR_OK)
            return status;
    }
    return SUGAR_OK;
}

static sugar_status set_digest(sugar_function *function, uint64_t digest)
{
    if (function->kind != SUGAR_KIND_table)
        return SUGAR_OK;
    if (function->has_digest && function->digest != digest)
        return sugar_error(SUGAR_ERROR_SPEC,
                           "spec: digest of 'table' is %016" PRIx64 ", expected that of options.table, %016" PRIx64,
                           function->digest, digest);
    function->digest = digest;
    function->has_digest = true;
    return SUGAR_OK;
}

sugar_status sugar_table_check(const sugar_activation_options *options, sugar_spec *spec)
{
    const double *table = options->table;
    const size_t knots = options->table_knots;
    const bool is_named = spec->forward.kind == SUGAR_KIND_table || spec->surrogate.kind == SUGAR_KIND_table;
    if (!table && knots == 0 && !is_named)
        return SUGAR_OK;
    if (!is_named)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: table of %zu knots, expected none: no 'table' in the spec",
                           knots);
    if (!table)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: table: NULL, expected the knots of 'table' in the spec");
    if (knots < LEAST_KNOTS || knots > MOST_KNOTS)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: table_knots: %zu, expected %d to %d", knots,
                           (int)LEAST_KNOTS, (int)MOST_KNOTS);
    sugar_status status = check_numbers(table, knots);
    if (status == SUGAR_OK)
        status = check_pieces(table, knots);
    const uint64_t digest = status == SUGAR_OK ? digest_of(table, COLUMNS * knots) : 0;
    if (status == SUGAR_OK)
        status = set_digest(&spec->forward, digest);
    if (status == SUGAR_OK)
        status = set_digest(&spec->surrogate, digest);
    return status;
}

/* ---- Polynomials ----------------------------------------------------------------------------- */

/* The straight line through a knot. */
static sugar_piece line_through(sugar_element element, const double *row)
{
    return (sugar_piece){
        .knot = rounded(element, row[KNOT]),
        .value = rounded(element, row[VALUE]),
        .slope = rounded(element, row[SLOPE]),
    };
}

/* The polynomial between two knots, measured from the first row's, by the formula above. */
static sugar_piece piece_between(sugar_element element, const double *row, const double *other)
{
    sugar_piece a = line_through(element, row);
    const sugar_piece b = line_through(element, other);
    const pair h = two_sum(b.knot, -a.knot), chord = pair_divide(two_sum(b.value, -a.value), h);
    const pair chord2 = pair_scale(chord, 2), slopes = two_sum(a.slope, b.slope);
    const pair square = pair_add(pair_add(chord, pair_of(-a.slope)), pair_add(chord2, pair_negate(slopes)));
    const pair cube = pair_divide(pair_add(slopes, pair_negate(chord2)), h);
    const pair square_by_h = pair_divide(square, h), cube_by_h = pair_divide(cube, h);
    a.square = square_by_h.hi;
    a.square_low = square_by_h.lo;
    a.cube = cube_by_h.hi;
    a.cube_low = cube_by_h.lo;
    return a;
}

/* Two straight lines outside, and two pieces from one knot to the next. */
static size_t piece_count(size_t knots) { return 2 * knots; }

size_t sugar_table_size(size_t knots) { return piece_count(knots) * (sizeof(sugar_piece) + sizeof(double)); }

void sugar_table_fill(sugar_table *table, void *memory, sugar_element element, const sugar_activation_options *options)
{
    const size_t count = piece_count(options->table_knots);
    const double *row = options->table;
    sugar_piece *pieces = memory;
    double *starts = (double *)(pieces + count);
    pieces[0] = line_through(element, row);
    starts[0] = -(double)INFINITY;
    for (size_t i = 1; i + 1 < count; i += 2, row += COLUMNS) {
        const double *next = row + COLUMNS;
        pieces[i] = piece_between(element, row, next);
        pieces[i + 1] = piece_between(element, next, row);
        starts[i] = pieces[i].knot;
        starts[i + 1] = pieces[i].knot / 2 + pieces[i + 1].knot / 2;
    }
    pieces[count - 1] = line_through(element, row);
    starts[count - 1] = pieces[count - 1].knot;
    *table = (sugar_table){count, starts, pieces};
}
