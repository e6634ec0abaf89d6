/* What monitors count, for up to SUGAR_OBSERVED inputs at a time. The order of sums does not depend on the width of
 * vectors, so they have the same bits at every level. */
#ifndef SUGAR_KERNELS_LOOPS_MONITOR_H
#define SUGAR_KERNELS_LOOPS_MONITOR_H

#include "kernels/kernels.h"
#include "kernels/loops/memory.h"

/* One sum over a run of elements is spread over SUM_LANES partial sums: element i goes to partial sum i mod SUM_LANES.
 * At the end they are added up by halves: the upper half to the lower one, and so on. There are as many as the widest
 * vector of f32 has lanes. */
enum { SUM_LANES = 16, SUM_VECTORS = SUM_LANES / VEC_LANES, SUM_VEC64S = SUM_LANES / VEC64_LANES };

/* The elements as reals: x itself; or `values`, to which elements of a narrow type are converted. */
#if NARROW
static const real *widen(const element *x, real *values, size_t n)
{
    size_t i = 0;
    for (; n - i >= VEC_LANES; i += VEC_LANES)
        vec_store(values + i, load(x + i));
    if (i < n)
        vec_store_partial(values + i, load_partial(x + i, n - i), n - i);
    return values;
}
#else
static const real *widen(const element *x, real *values, size_t n)
{
    (void)values;
    (void)n;
    return x;
}
#endif

/* ---- The histogram ------------------------------------------------------------------------- */

/* Prefetches n / 2 elements, and returns the address behind them. A loop that calls this for each n elements it reads
 * thus prefetches half as many, and another loop the other half: memory delivers no more in the time of one loop. */
ALWAYS_INLINE const char *fetch_half(const char *ahead, size_t n)
{
    if (!ahead)
        return NULL;
    for (size_t i = 0; i < n * sizeof(element) / 2; i += 64)
        __builtin_prefetch(ahead + i);
    return ahead + n * sizeof(element) / 2;
}

enum { BIN_ITERATION = 4 * VEC_LANES };
#ifdef VEC_BYTES
enum { BIN_BLOCK = VEC_BYTES };
#else
enum { BIN_BLOCK = BIN_ITERATION };
#endif
static size_t whole_blocks(size_t n) { return (n + BIN_BLOCK - 1) / BIN_BLOCK * BIN_BLOCK; }

/* An element a is in bin min(last, a * scale + origin), cut off below at 0. strange: 0, or NaN once an element was
 * infinite or NaN. */
typedef struct {
    vec scale, origin, last, strange[4];
} bin_finder;

/* The bins of BIN_ITERATION elements, in any order. Beyond the first n they are those of 0. NaN gets bin 0. */
ALWAYS_INLINE void find_some_bins(bin_finder *f, const real *x, size_t n, uint8_t *bins)
{
    vec bin[4];
    for (size_t k = 0; k < 4; k++) {
        const size_t before = k * VEC_LANES;
        const vec a = n >= BIN_ITERATION ? vec_load(x + before)
                      : n > before       ? load_some_reals(x + before, n - before)
                                         : vec_splat(0);
        bin[k] = vec_min(f->last, vec_fma(a, f->scale, f->origin));
        f->strange[k] = vec_fma(a, vec_splat(0), f->strange[k]);
    }
    vec_pack_four(bins, bin);
}

#ifdef VEC_BYTES
/* Counts the bytes that are first, first + 1, ..., first + 15. A byte of `found` is two counters, its nibbles, for two
 * bins: up to 15 vectors fit. A lookup in nibble_of turns a byte into a 1 in the nibble of its bin, so a lookup and an
 * addition serve two bins. To compare with each bin would take a comparison and an addition for each. */
enum { BINS_AT_ONCE = 16, TABLES = BINS_AT_ONCE / 2, MOST_IN_NIBBLE = 15 };
static const uint8_t nibble_of[TABLES][16] = {
    {0x01, 0x10},
    {0, 0, 0x01, 0x10},
    {0, 0, 0, 0, 0x01, 0x10},
    {0, 0, 0, 0, 0, 0, 0x01, 0x10},
    {0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x10},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x10},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x10},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x10},
};

static void count_some_bins(int64_t *count, const uint8_t *bins, size_t vectors, uint8_t first, const char *ahead)
{
    vec_bytes even[TABLES] = {{0}}, odd[TABLES] = {{0}};
    while (vectors > 0) {
        const size_t some = vectors < MOST_IN_NIBBLE ? vectors : MOST_IN_NIBBLE;
        vec_bytes found[TABLES] = {{0}};
        for (size_t i = 0; i < some; i++, bins += VEC_BYTES) {
            const vec_bytes from_first = vec_bytes_load(bins) - first;
            for (int k = 0; k < TABLES; k++)
                found[k] += vec_bytes_choose(nibble_of[k], from_first);
            ahead = fetch_half(ahead, VEC_BYTES);
        }
        for (int k = 0; k < TABLES; k++) {
            even[k] += found[k] & MOST_IN_NIBBLE;
            odd[k] += vec_bytes_shift(found[k]);
        }
        vectors -= some;
    }
    for (int k = 0; k < TABLES; k++) {
        count[first + 2 * k] += vec_bytes_sum(even[k]);
        count[first + 2 * k + 1] += vec_bytes_sum(odd[k]);
    }
}

/* Counts the bytes, n of which fill whole vectors: from the least to the greatest bin among them, 16 bins at a
 * time. */
static void count_bytes(int64_t *count, const uint8_t *bins, size_t n, const char *ahead)
{
    const size_t vectors = n / VEC_BYTES;
    vec_bytes least = vec_bytes_load(bins), opposite = ~least;
    for (size_t i = 1; i < vectors; i++) {
        const vec_bytes a = vec_bytes_load(bins + i * VEC_BYTES);
        least = vec_bytes_min(least, a);
        opposite = vec_bytes_min(opposite, ~a);
    }
    const int last = 255 - vec_bytes_least(opposite);
    for (int bin = vec_bytes_least(least); bin <= last; bin += BINS_AT_ONCE, ahead = NULL)
        count_some_bins(count, bins, vectors, (uint8_t)bin, ahead);
}
#else
static void count_bytes(int64_t *count, const uint8_t *bins, size_t n, const char *ahead)
{
    (void)ahead;
    for (size_t i = 0; i < n; i++)
        count[bins[i]]++;
}
#endif

/* The bin of 0, in which padding is counted. Not by find_some_bins: where only one byte of vec_pack_four is used, gcc
 * 12.2 compiles it to another instruction, which takes negative numbers for large ones (AVX-512, f64). */
static int bin_of_zero(const bin_finder *f)
{
    real bin[VEC_LANES];
    vec_store(bin, vec_min(f->last, f->origin));
    return bin[0] > 0 ? (int)bin[0] : 0;
}

/* The bins of padding are subtracted from the counts here, and so are those of NaN, which are in no bin. */
static const void *find_bins(sugar_histogram *h, const void *x, void *values, size_t n, uint8_t *bins,
                             const void *ahead)
{
    const real *wide = widen(x, values, n);
    bin_finder f = {
        vec_splat((real)h->scale),
        vec_splat((real)(1 - h->minimum * h->scale)),
        vec_splat(SUGAR_MONITOR_BINS - 1),
        {vec_splat(0), vec_splat(0), vec_splat(0), vec_splat(0)},
    };
    const size_t whole = n / BIN_ITERATION * BIN_ITERATION, all = whole_blocks(n);
    for (size_t i = 0; i < whole; i += BIN_ITERATION) {
        find_some_bins(&f, wide + i, BIN_ITERATION, bins + i);
        ahead = fetch_half(ahead, BIN_ITERATION);
    }
    for (size_t i = whole; i < all; i += BIN_ITERATION)
        find_some_bins(&f, wide + i, n > i ? n - i : 0, bins + i);
    h->count[bin_of_zero(&f)] -= (int64_t)(all - n);
    const vec strange = f.strange[0] + f.strange[1] + (f.strange[2] + f.strange[3]), zero = vec_splat(0);
    h->all_finite = !vec_any(vec_less(zero, vec_select(vec_less_equal(strange, zero), zero, vec_splat(1))));
    for (size_t i = 0; !h->all_finite && i < n; i++)
        h->count[0] -= wide[i] != wide[i];
    return wide;
}

static void count_bins(sugar_histogram *h, const uint8_t *bins, size_t n, const void *ahead)
{
    count_bytes(h->count, bins, whole_blocks(n), ahead);
}

/* ---- The units ----------------------------------------------------------------------------- */

static int is_finite(real x) { return x - x == 0; }

/* A sample is active if it is greater. */
ALWAYS_INLINE real threshold_of(const sugar_tallies *t) { return (real)t->threshold; }

static void tally_one(const sugar_tallies *t, size_t unit, real x)
{
    real *active = t->active;
    active[unit] += x > threshold_of(t) ? 1 : 0;
    if (is_finite(x)) {
        t->sum[unit] += (double)x;
        t->sum_of_squares[unit] += (double)x * (double)x;
    } else {
        t->not_finite[unit]++;
    }
}

static int64_t sum_of_counter(vec_counter c)
{
    real lane[VEC_LANES], sum = 0;
    vec_store(lane, vec_counter_value(c));
    UNROLL
    for (int k = 0; k < VEC_LANES / 2; k++)
        sum += lane[k] + lane[k + VEC_LANES / 2];
    if (VEC_LANES == 1)
        sum = lane[0];
    return (int64_t)sum;
}

/* The sum of n values, added up by halves. */
ALWAYS_INLINE double sum_of_lanes(const double *value, int n)
{
    double lane[SUM_LANES];
    UNROLL
    for (int k = 0; k < n; k++)
        lane[k] = value[k];
    UNROLL
    for (int half = n / 2; half > 0; half /= 2) {
        UNROLL
        for (int k = 0; k < half; k++)
            lane[k] += lane[k + half];
    }
    return lane[0];
}

/* The sum of SUM_LANES values in vectors, added up by halves. */
ALWAYS_INLINE double sum_of_vec64s(const vec64 *value)
{
    vec64 rest[SUM_VEC64S];
    UNROLL
    for (int k = 0; k < SUM_VEC64S; k++)
        rest[k] = value[k];
    UNROLL
    for (int half = SUM_VEC64S / 2; half > 0; half /= 2) {
        UNROLL
        for (int k = 0; k < half; k++)
            rest[k] = rest[k] + rest[k + half];
    }
    double lane[VEC64_LANES];
    vec64_store(lane, rest[0]);
    return sum_of_lanes(lane, VEC64_LANES);
}

typedef struct {
    vec64 sum[SUM_VEC64S], squares[SUM_VEC64S];
    vec_counter active;
} run_tally;

ALWAYS_INLINE void tally_lanes(run_tally *r, const real *x, vec threshold)
{
    for (int k = 0; k < SUM_VECTORS; k++)
        r->active = vec_counter_add(r->active, vec_less(threshold, vec_load(x + k * VEC_LANES)));
    for (int k = 0; k < SUM_VEC64S; k++) {
        const vec64 a = vec_load_wide(x + k * VEC64_LANES);
        r->sum[k] = r->sum[k] + a;
        r->squares[k] = vec64_add_square(r->squares[k], a);
    }
}

/* The last n < SUM_LANES elements of a run; the other lanes get 0. */
ALWAYS_INLINE void tally_last_lanes(run_tally *r, const real *x, size_t n, vec threshold)
{
    UNROLL
    for (size_t k = 0; k < SUM_VECTORS; k++) {
        const size_t before = k * VEC_LANES;
        const vec a = n > before ? load_some_reals(x + before, n - before) : vec_splat(0);
        r->active = vec_counter_add(r->active, vec_less(threshold, a));
        UNROLL
        for (size_t h = 0; h < VEC64_PER_VEC; h++) {
            const vec64 wide = vec_widen(a, (int)h);
            r->sum[k * VEC64_PER_VEC + h] = r->sum[k * VEC64_PER_VEC + h] + wide;
            r->squares[k * VEC64_PER_VEC + h] = vec64_add_square(r->squares[k * VEC64_PER_VEC + h], wide);
        }
    }
}

/* See sugar_kernels. Padding, which is 0, is active if the threshold is negative: it is subtracted. */
static void tally_unit(const sugar_tallies *t, size_t unit, const void *inputs, size_t n, int all_are_finite)
{
    const real *x = inputs;
    real *active = t->active;
    if (!all_are_finite) {
        for (size_t i = 0; i < n; i++)
            tally_one(t, unit, x[i]);
        return;
    }
    const vec threshold = vec_splat(threshold_of(t));
    const vec64 zero = vec_widen(vec_splat(0), 0);
    run_tally r = {.active = vec_counter_zero()};
    for (int k = 0; k < SUM_VEC64S; k++)
        r.sum[k] = r.squares[k] = zero;
    size_t i = 0;
    for (; n - i >= SUM_LANES; i += SUM_LANES)
        tally_lanes(&r, x + i, threshold);
    if (i < n)
        tally_last_lanes(&r, x + i, n - i, threshold);
    const size_t padding = 0 > threshold_of(t) ? -n % SUM_LANES : 0;
    active[unit] += (real)(sum_of_counter(r.active) - (int64_t)padding);
    t->sum[unit] += sum_of_vec64s(r.sum);
    t->sum_of_squares[unit] += sum_of_vec64s(r.squares);
}

/* n <= VEC_LANES units, from `unit` on, in each row; x: the first one's element in the first row. Rows are `step`
 * elements apart. */
ALWAYS_INLINE void tally_columns(const sugar_tallies *t, size_t unit, const real *x, size_t rows, size_t step, size_t n)
{
    const vec threshold = vec_splat(threshold_of(t));
    vec64 sum[VEC64_PER_VEC], squares[VEC64_PER_VEC];
    for (int h = 0; h < VEC64_PER_VEC; h++) {
        sum[h] = vec64_load(t->sum + unit + h * VEC64_LANES);
        squares[h] = vec64_load(t->sum_of_squares + unit + h * VEC64_LANES);
    }
    vec_counter counter = vec_counter_zero();
    for (size_t row = 0; row < rows; row++, x += step) {
        const vec a = load_some_reals(x, n);
        counter = vec_counter_add(counter, vec_less(threshold, a));
        for (int h = 0; h < VEC64_PER_VEC; h++) {
            const vec64 wide = n < VEC_LANES ? vec_widen(a, h) : vec_load_wide(x + h * VEC64_LANES);
            sum[h] = sum[h] + wide;
            squares[h] = vec64_add_square(squares[h], wide);
        }
    }
    for (int h = 0; h < VEC64_PER_VEC; h++) {
        vec64_store(t->sum + unit + h * VEC64_LANES, sum[h]);
        vec64_store(t->sum_of_squares + unit + h * VEC64_LANES, squares[h]);
    }
    real *active = (real *)t->active + unit;
    put_some_reals(active, load_some_reals(active, n) + vec_counter_value(counter), n);
}

/* Rows of one element for each of `units` units, from unit `first` on. */
static void tally_rows(const sugar_tallies *t, size_t first, const real *x, size_t rows, size_t units)
{
    size_t i = 0;
    for (; units - i >= VEC_LANES; i += VEC_LANES)
        tally_columns(t, first + i, x + i, rows, units, VEC_LANES);
    if (i < units)
        tally_columns(t, first + i, x + i, rows, units, units - i);
}

/* Rows that are shorter than a vector: ROWS_TOGETHER of them are taken for one long row, whose sums are added up by
 * halves to those of the units. */
enum { FEW_UNITS = 16, ROWS_TOGETHER = 16, MOST_TOGETHER = FEW_UNITS * ROWS_TOGETHER + SUGAR_WIDEST };
static void tally_short_rows(const sugar_tallies *t, size_t first, const real *x, size_t rows, size_t units)
{
    const size_t together = ROWS_TOGETHER * units, whole = rows / ROWS_TOGETHER, rest = rows % ROWS_TOGETHER * units;
    real active[MOST_TOGETHER];
    double sum[MOST_TOGETHER], sum_of_squares[MOST_TOGETHER];
    for (size_t i = 0; i < together + SUGAR_WIDEST; i++)
        active[i] = 0, sum[i] = sum_of_squares[i] = 0;
    const sugar_tallies lanes = {t->threshold, active, sum, sum_of_squares, NULL};
    tally_rows(&lanes, 0, x, whole, together);
    tally_rows(&lanes, 0, x + whole * together, 1, rest);
    for (size_t half = together / 2; half >= units; half /= 2)
        for (size_t i = 0; i < half; i++) {
            active[i] += active[i + half];
            sum[i] += sum[i + half];
            sum_of_squares[i] += sum_of_squares[i + half];
        }
    real *all_active = t->active;
    for (size_t i = 0; i < units; i++) {
        all_active[first + i] += active[i];
        t->sum[first + i] += sum[i];
        t->sum_of_squares[first + i] += sum_of_squares[i];
    }
}

/* See sugar_kernels. */
static void tally_units(const sugar_tallies *t, size_t first, const void *inputs, size_t rows, size_t units,
                        int all_are_finite)
{
    const real *x = inputs;
    if (!all_are_finite)
        for (size_t i = 0; i < rows * units; i++)
            tally_one(t, first + i % units, x[i]);
    else if (units < FEW_UNITS && rows > 1)
        tally_short_rows(t, first, x, rows, units);
    else
        tally_rows(t, first, x, rows, units);
}

#endif
