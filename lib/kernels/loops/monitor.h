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

/* Prefetches n / 2 elements, and returns the address behind them. A loop that calls this for each n elements it reads
 * thus prefetches half as many: the loop over the histogram one half of the next inputs, the loops over units the other
 * one. All of them in one of the two took 1.1 to 1.3 times as long (relu in memory, f32): memory delivers no more in
 * the time of one loop. */
ALWAYS_INLINE const char *fetch_half(const char *ahead, size_t n)
{
    if (!ahead)
        return NULL;
    for (size_t i = 0; i < n * sizeof(element) / 2; i += 64)
        __builtin_prefetch(ahead + i);
    return ahead + n * sizeof(element) / 2;
}

/* ---- The histogram ------------------------------------------------------------------------- */

/* An element becomes a word with one bit set, that of its bin, and all words are added up bit by bit: full adders keep
 * the counts of all bins in binary, digit d of all of them in the words digit[d]. An adder takes a word of the digit
 * itself and two more, and gives one to the next digit, so that each word costs about one adder. (As Harley and Seal
 * count bits: W. Mula, N. Kurz, D. Lemire, Faster population counts using AVX2 instructions, 2018.) To count bytes that
 * hold bins, by lookups of 16 bins at a time, took 1.2 to 3 times as long.
 *
 * Only the last bin needs a bound: elements below the first one have no bit set, and neither has NaN. So bin 0 is what
 * is left. */
enum {
    BLOCK_DIGITS = 4,               /* of the words that are added up in registers */
    BLOCK_WORDS = 1 << BLOCK_DIGITS,
    BLOCK = BLOCK_WORDS * VEC_U32_LANES,
    VECS_OF_WORDS = VEC_U32_LANES / VEC_LANES
};
_Static_assert(SUGAR_OBSERVED % BLOCK == 0, "`values` has room for whole blocks");

typedef struct {
    vec scale, origin, last;
    vec strange[2];                 /* 0, or NaN once an element was infinite or NaN */
    vec_u32 digit[BLOCK_DIGITS];
    const element *x;               /* of the block, and where its reals are stored if elements are narrow */
    real *values;
} bin_counter;

ALWAYS_INLINE vec next_vector(bin_counter *c)
{
    const vec a = load(c->x);
    c->x += VEC_LANES;
#if NARROW
    vec_store(c->values, a);
    c->values += VEC_LANES;
#endif
    return a;
}

ALWAYS_INLINE vec_u32 next_words(bin_counter *c, int which)
{
    vec bin[VECS_OF_WORDS];
    for (int k = 0; k < VECS_OF_WORDS; k++) {
        const vec a = next_vector(c);
        bin[k] = vec_min(c->last, vec_fma(a, c->scale, c->origin));
        vec *strange = &c->strange[(which + k) % 2];
        *strange = vec_fma(a, vec_splat(0), *strange);
    }
    return vec_one_bit(bin);
}

/* Each adds up so many words, and returns those that carry to the next digit. */
ALWAYS_INLINE vec_u32 count_2(bin_counter *c)
{
    const vec_u32 a = next_words(c, 0), b = next_words(c, 1);
    return vec_u32_add(&c->digit[0], a, b);
}
ALWAYS_INLINE vec_u32 count_4(bin_counter *c)
{
    const vec_u32 a = count_2(c), b = count_2(c);
    return vec_u32_add(&c->digit[1], a, b);
}
ALWAYS_INLINE vec_u32 count_8(bin_counter *c)
{
    const vec_u32 a = count_4(c), b = count_4(c);
    return vec_u32_add(&c->digit[2], a, b);
}
ALWAYS_INLINE vec_u32 count_16(bin_counter *c)
{
    const vec_u32 a = count_8(c), b = count_8(c);
    return vec_u32_add(&c->digit[3], a, b);
}

ALWAYS_INLINE vec_u32 load_words(const uint32_t *p)
{
    vec_u32 a;
    memcpy(&a, p, sizeof a);
    return a;
}

ALWAYS_INLINE void store_words(uint32_t *p, vec_u32 a) { memcpy(p, &a, sizeof a); }

/* Adds a block of elements to the histogram. Above the digits of blocks an adder waits until it has two words. */
ALWAYS_INLINE void count_block(sugar_histogram *h, bin_counter *c, const element *x, real *values)
{
    c->x = x;
    c->values = values;
    vec_u32 carry = count_16(c);
    int digit = BLOCK_DIGITS;
    for (uint32_t before = h->blocks++; before & 1; before >>= 1, digit++) {
        vec_u32 words = load_words(h->digit[digit]);
        carry = vec_u32_add(&words, load_words(h->waiting[digit]), carry);
        store_words(h->digit[digit], words);
    }
    store_words(h->waiting[digit], carry);
}

static void take_words(sugar_histogram *h, uint32_t *words, int digit)
{
    uint32_t found[SUGAR_MONITOR_BINS] = {0};
    for (int lane = 0; lane < VEC_U32_LANES; lane++)
        for (int bin = 0; bin < SUGAR_MONITOR_BINS; bin++)
            found[bin] += words[lane] >> bin & 1;
    for (int bin = 1; bin < SUGAR_MONITOR_BINS; bin++) {
        h->count[bin] += (int64_t)found[bin] << digit;
        h->count[0] -= (int64_t)found[bin] << digit;
    }
    memset(words, 0, VEC_U32_LANES * sizeof *words);
}

/* See sugar_kernels. */
static void take_bins(sugar_histogram *h)
{
    for (int digit = 0; digit < BLOCK_DIGITS; digit++)
        take_words(h, h->digit[digit], digit);
    for (int digit = BLOCK_DIGITS; h->blocks > 0; h->blocks >>= 1, digit++) {
        take_words(h, h->digit[digit], digit);
        if (h->blocks & 1)
            take_words(h, h->waiting[digit], digit);
    }
}

/* The bin of 0, in which padding is counted. */
static int bin_of_zero(const bin_counter *c)
{
    real bin[VEC_LANES];
    vec_store(bin, vec_min(c->last, c->origin));
    return bin[0] > 0 ? (int)bin[0] : 0;
}

/* The elements that do not fill a block, with zeros behind them, which then are subtracted. */
static void count_last_block(sugar_histogram *h, bin_counter *c, const element *x, real *values, size_t n)
{
    element padded[BLOCK] = {0};
    memcpy(padded, x, n * sizeof *x);
    count_block(h, c, padded, values);
    const int bin = bin_of_zero(c);
    if (bin > 0) {
        h->count[bin] -= (int64_t)(BLOCK - n);
        h->count[0] += (int64_t)(BLOCK - n);
    }
}

static void find_strange(sugar_histogram *h, const bin_counter *c, const real *x, size_t n)
{
    const vec strange = c->strange[0] + c->strange[1], zero = vec_splat(0);
    h->all_finite = !vec_any(vec_less(zero, vec_select(vec_less_equal(strange, zero), zero, vec_splat(1))));
    for (size_t i = 0; !h->all_finite && i < n; i++)
        h->count[0] -= x[i] != x[i];
}

/* See sugar_kernels. */
static const void *count_bins(sugar_histogram *h, const void *inputs, void *values, size_t n, const void *ahead)
{
    enum { MOST_BLOCKS = 1 << (SUGAR_DIGITS - BLOCK_DIGITS) };
    if (h->blocks + SUGAR_OBSERVED / BLOCK >= MOST_BLOCKS)
        take_bins(h);
    const element *x = inputs;
    bin_counter c = {
        .scale = vec_splat((real)h->scale),
        .origin = vec_splat((real)(1 - h->minimum * h->scale)),
        .last = vec_splat(SUGAR_MONITOR_BINS - 1),
        .strange = {vec_splat(0), vec_splat(0)},
    };
    for (int digit = 0; digit < BLOCK_DIGITS; digit++)
        c.digit[digit] = load_words(h->digit[digit]);
    size_t i = 0;
    for (; n - i >= BLOCK; i += BLOCK) {
        count_block(h, &c, x + i, (real *)values + i);
        ahead = fetch_half(ahead, BLOCK);
    }
    if (i < n)
        count_last_block(h, &c, x + i, (real *)values + i, n - i);
    for (int digit = 0; digit < BLOCK_DIGITS; digit++)
        store_words(h->digit[digit], c.digit[digit]);
    h->count[0] += (int64_t)n;
    const void *reals = NARROW ? values : inputs;
    find_strange(h, &c, reals, n);
    return reals;
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

enum { FETCH_ELEMENTS = 128 };          /* half of them fill whole cache lines, also of f16 */

/* See sugar_kernels. Padding, which is 0, is active if the threshold is negative: it is subtracted. */
static void tally_unit(const sugar_tallies *t, size_t unit, const void *inputs, size_t n, int all_are_finite,
                       const void *ahead)
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
    for (; n - i >= FETCH_ELEMENTS; ahead = fetch_half(ahead, FETCH_ELEMENTS))
        for (const size_t end = i + FETCH_ELEMENTS; i < end; i += SUM_LANES)
            tally_lanes(&r, x + i, threshold);
    for (; n - i >= SUM_LANES; i += SUM_LANES)
        tally_lanes(&r, x + i, threshold);
    if (i < n)
        tally_last_lanes(&r, x + i, n - i, threshold);
    const size_t padding = 0 > threshold_of(t) ? -n % SUM_LANES : 0;
    active[unit] += (real)(sum_of_counter(r.active) - (int64_t)padding);
    t->sum[unit] += sum_of_vec64s(r.sum);
    t->sum_of_squares[unit] += sum_of_vec64s(r.squares);
}

/* n <= VEC_LANES units in each row: their sums, and the first one's element in the first row. Rows are `step` elements
 * apart. */
ALWAYS_INLINE void tally_columns(vec threshold, real *active, double *sums, double *sums_of_squares, const real *x,
                                 size_t rows, size_t step, size_t n)
{
    vec64 sum[VEC64_PER_VEC], squares[VEC64_PER_VEC];
    for (int h = 0; h < VEC64_PER_VEC; h++) {
        sum[h] = vec64_load(sums + h * VEC64_LANES);
        squares[h] = vec64_load(sums_of_squares + h * VEC64_LANES);
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
        vec64_store(sums + h * VEC64_LANES, sum[h]);
        vec64_store(sums_of_squares + h * VEC64_LANES, squares[h]);
    }
    put_some_reals(active, load_some_reals(active, n) + vec_counter_value(counter), n);
}

/* Rows of one element for each of `units` units, from unit `first` on. */
static void tally_rows(const sugar_tallies *t, size_t first, const real *x, size_t rows, size_t units,
                       const char *ahead)
{
    const vec threshold = vec_splat(threshold_of(t));
    real *active = (real *)t->active + first;
    double *sum = t->sum + first, *squares = t->sum_of_squares + first;
    size_t i = 0;
    for (; units - i >= VEC_LANES; i += VEC_LANES, ahead = fetch_half(ahead, rows * VEC_LANES))
        tally_columns(threshold, active + i, sum + i, squares + i, x + i, rows, units, VEC_LANES);
    if (i < units)
        tally_columns(threshold, active + i, sum + i, squares + i, x + i, rows, units, units - i);
}

/* Rows that are shorter than a vector: ROWS_TOGETHER of them are taken for one long row, whose sums are added up by
 * halves to those of the units. */
enum { FEW_UNITS = 16, ROWS_TOGETHER = 16, MOST_TOGETHER = FEW_UNITS * ROWS_TOGETHER + SUGAR_WIDEST };
static void tally_short_rows(const sugar_tallies *t, size_t first, const real *x, size_t rows, size_t units,
                             const char *ahead)
{
    const size_t together = ROWS_TOGETHER * units, whole = rows / ROWS_TOGETHER, rest = rows % ROWS_TOGETHER * units;
    real active[MOST_TOGETHER];
    double sum[MOST_TOGETHER], sum_of_squares[MOST_TOGETHER];
    for (size_t i = 0; i < together + SUGAR_WIDEST; i++)
        active[i] = 0, sum[i] = sum_of_squares[i] = 0;
    const sugar_tallies lanes = {t->threshold, active, sum, sum_of_squares, NULL};
    tally_rows(&lanes, 0, x, whole, together, ahead);
    tally_rows(&lanes, 0, x + whole * together, 1, rest, NULL);
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
                        int all_are_finite, const void *ahead)
{
    const real *x = inputs;
    if (!all_are_finite)
        for (size_t i = 0; i < rows * units; i++)
            tally_one(t, first + i % units, x[i]);
    else if (units < FEW_UNITS && rows > 1)
        tally_short_rows(t, first, x, rows, units, ahead);
    else
        tally_rows(t, first, x, rows, units, ahead);
}

#endif
