/* What monitors count, over blocks of inputs that lie in the first-level cache. Sums are taken in an order that does
 * not depend on the width of vectors, so they too have the same bits at every level. */

/* Elements next to each other with sums of their own, which are added up at the end: as many as the widest vector
 * of f32 has lanes. */
enum { SUM_LANES = 16, SUM_VECTORS = SUM_LANES / VEC_LANES, SUM_PARTS = SUM_LANES / VEC64_LANES };

/* Bytes that are compared at once; every processor can do with it, in parts if need be. */
enum { CODES = 32 };
typedef uint8_t codes __attribute__((vector_size(CODES), aligned(1), may_alias));

/* The elements as they are computed: where they lie, or in `values`. */
#if SUGAR_NARROWS
static const real *widen(const element *x, real *values, size_t n)
{
    size_t i = 0;
    for (; n - i >= VEC_LANES; i += VEC_LANES) vec_store(values + i, load(x + i));
    if (i < n) vec_store_part(values + i, load_part(x + i, n - i), n - i);
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

static int is_finite(real x) { return x - x == 0; }

/* The sum of so many bytes, each at most 255: in 16 bits at a time. */
static int64_t sum_of_codes(const codes *a)
{
    uint64_t word[CODES / 8], sum = 0;
    memcpy(word, a, sizeof word);
    for (int k = 0; k < CODES / 8; k++)
        sum += (word[k] & 0x00ff00ff00ff00ff) + (word[k] >> 8 & 0x00ff00ff00ff00ff);
    return (int64_t)(sum * 0x0001000100010001 >> 48);
}

/* How many of the codes are bin, bin + 1, ... */
enum { BINS_AT_ONCE = 4 };
static void count_codes(const uint8_t *code, size_t vectors, uint8_t bin, int64_t *count)
{
    codes found[BINS_AT_ONCE] = {{0}};
    for (size_t i = 0; i < vectors; i++) {
        const codes a = *(const codes *)(code + i * CODES);
        for (int k = 0; k < BINS_AT_ONCE; k++) found[k] -= (codes)(a == (uint8_t)(bin + k));
    }
    for (int k = 0; k < BINS_AT_ONCE; k++) count[k] += sum_of_codes(&found[k]);
}

/* The bin of each element; the least and the greatest of them, in lanes. */
typedef struct { vec least, greatest; int all_finite; } bin_range;

static bin_range find_bins(const sugar_histogram *h, const real *x, uint8_t *code, size_t n)
{
    const vec scale = vec_splat((real)h->scale), origin = vec_splat((real)(1 - h->minimum * h->scale));
    const vec last = vec_splat(SUGAR_MONITOR_BINS - 1);
    vec least = last, greatest = vec_splat(0), strange = vec_splat(0);
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec a = load_some_reals(x + i, n - i);
        const vec bin = vec_min(last, vec_max(vec_splat(0), vec_fma(a, scale, origin)));
        strange = strange + (a - a);            /* NaN from the first one on that is not finite */
        least = vec_min(least, bin);
        greatest = vec_max(greatest, bin);
        vec_store_bytes(code + i, bin);
    }
    const mask fine = vec_less_equal(strange, strange);
    return (bin_range){least, greatest, !vec_any(vec_less(vec_splat(0), vec_select(fine, vec_splat(0), vec_splat(1))))};
}

static void count_bins(sugar_histogram *h, const bin_range *range, uint8_t *code, size_t n)
{
    uint8_t low[VEC_LANES], high[VEC_LANES];
    vec_store_bytes(low, range->least);
    vec_store_bytes(high, range->greatest);
    for (int k = 1; k < VEC_LANES; k++) {
        low[0] = low[k] < low[0] ? low[k] : low[0];
        high[0] = high[k] > high[0] ? high[k] : high[0];
    }
    const size_t vectors = (n + CODES - 1) / CODES;
    memset(code + n, SUGAR_MONITOR_BINS + BINS_AT_ONCE, vectors * CODES - n);
    for (int bin = low[0]; bin <= high[0]; bin += BINS_AT_ONCE)
        count_codes(code, vectors, (uint8_t)bin, h->count + bin);
}

static void count_strange_bins(sugar_histogram *h, const real *x, size_t n)
{
    uint8_t code[CODES + VEC_LANES];
    for (size_t i = 0; i < n; i++)
        if (x[i] == x[i]) {
            find_bins(h, x + i, code, 1);
            h->count[code[0]]++;
        }
}

static const real *observe(sugar_histogram *h, const element *x, real *values, size_t n, size_t ahead)
{
    uint8_t code[SUGAR_OBSERVED + CODES + VEC_LANES];
    const real *wide = widen(x, values, n);
    const bin_range range = find_bins(h, wide, code, n);
    h->all_finite = range.all_finite;
    for (size_t i = 0; i < ahead; i += 64 / sizeof *x)
        __builtin_prefetch((const void *)((uintptr_t)(x + n) + i * sizeof *x));
    if (range.all_finite) count_bins(h, &range, code, n);
    else count_strange_bins(h, wide, n);
    return wide;
}

static void tally_one(const JOIN(sugar_tallies, SUGAR_TYPE) *t, size_t unit, real x)
{
    t->active[unit] += x > t->threshold ? 1 : 0;
    if (is_finite(x)) {
        t->sum[unit] += (double)x;
        t->sum_of_squares[unit] += (double)x * (double)x;
    } else {
        t->not_finite[unit]++;
    }
}

/* Lanes beyond the n-th, which are 0, count for nothing. */
ALWAYS_INLINE vec count_active(vec a, vec threshold)
{
    return vec_select(vec_less(threshold, a), vec_splat(1), vec_splat(0));
}

ALWAYS_INLINE real sum_of_lanes(vec a)
{
    real lane[VEC_LANES], sum = 0;
    vec_store(lane, a);
    for (int k = 0; k < VEC_LANES; k++) sum += lane[k];
    return sum;
}

static double sum_of_parts(const vec64 *part)
{
    double lane[SUM_LANES];
    for (int k = 0; k < SUM_PARTS; k++) vec64_store(lane + k * VEC64_LANES, part[k]);
    for (int half = SUM_LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; k++) lane[k] += lane[k + half];
    return lane[0];
}

/* A run of one unit. */
static void tally_unit(const JOIN(sugar_tallies, SUGAR_TYPE) *t, size_t unit, const real *x, size_t n,
                       int all_are_finite)
{
    if (!all_are_finite) {
        for (size_t i = 0; i < n; i++) tally_one(t, unit, x[i]);
        return;
    }
    const vec threshold = vec_splat(t->threshold);
    const vec64 zero = vec_widen(vec_splat(0), 0);
    vec64 sum[SUM_PARTS], squares[SUM_PARTS];
    for (int k = 0; k < SUM_PARTS; k++) sum[k] = squares[k] = zero;
    vec active = vec_splat(0);
    for (size_t i = 0; i < n;)
        for (int k = 0; k < SUM_VECTORS && i < n; k++, i += VEC_LANES) {
            const vec a = load_some_reals(x + i, n - i);
            active = active + count_active(a, threshold);
            for (int part = 0; part < VEC64_PARTS; part++) {
                const vec64 wide = vec_widen(a, part);
                sum[k * VEC64_PARTS + part] = sum[k * VEC64_PARTS + part] + wide;
                squares[k * VEC64_PARTS + part] = squares[k * VEC64_PARTS + part] + wide * wide;
            }
        }
    const size_t padding = -n % VEC_LANES;
    t->active[unit] += sum_of_lanes(active) - (real)(0 > t->threshold ? padding : 0);
    t->sum[unit] += sum_of_parts(sum);
    t->sum_of_squares[unit] += sum_of_parts(squares);
}

/* Rows, one after another, whose element i belongs to unit first + i. */
static void tally_units(const JOIN(sugar_tallies, SUGAR_TYPE) *t, size_t first, const real *x, size_t rows,
                        size_t units, int all_are_finite)
{
    if (!all_are_finite) {
        for (size_t i = 0; i < rows * units; i++) tally_one(t, first + i % units, x[i]);
        return;
    }
    const vec threshold = vec_splat(t->threshold);
    for (size_t i = 0; i < units; i += VEC_LANES) {
        double *const sum_at = t->sum + first + i, *const squares_at = t->sum_of_squares + first + i;
        vec64 sum[VEC64_PARTS], squares[VEC64_PARTS];
        for (int part = 0; part < VEC64_PARTS; part++) {
            sum[part] = vec64_load(sum_at + part * VEC64_LANES);
            squares[part] = vec64_load(squares_at + part * VEC64_LANES);
        }
        vec active = load_some_reals(t->active + first + i, units - i);
        for (size_t row = 0; row < rows; row++) {
            const vec a = load_some_reals(x + row * units + i, units - i);
            active = active + count_active(a, threshold);
            for (int part = 0; part < VEC64_PARTS; part++) {
                const vec64 wide = vec_widen(a, part);
                sum[part] = sum[part] + wide;
                squares[part] = squares[part] + wide * wide;
            }
        }
        for (int part = 0; part < VEC64_PARTS; part++) {
            vec64_store(sum_at + part * VEC64_LANES, sum[part]);
            vec64_store(squares_at + part * VEC64_LANES, squares[part]);
        }
        if (units - i < VEC_LANES) vec_store_part(t->active + first + i, active, units - i);
        else vec_store(t->active + first + i, active);
    }
}
