/* Kernels for parameters that are tensors: passes in which each element has its own, and their gradients. */

/* Fills the lanes of a vector with its first one. */
ALWAYS_INLINE vec splat_first(vec a)
{
    real lane[VEC_LANES];
    vec_store(lane, a);
    return vec_splat(lane[0]);
}

ALWAYS_INLINE void forward_each_loop(formula value, const element *parameter, size_t step, const element *x,
                                     element *y, size_t n)
{
    const vec shared = splat_first(load_part(parameter, 1));
    vec p[SUGAR_KERNEL_PARAMETERS] = {shared};
    for (size_t i = 0; i < n; i += VEC_LANES) {
        if (step) p[0] = load_some(parameter + i, n - i);
        put_some(y + i, value(load_some(x + i, n - i), p), n - i, 0);
    }
}

ALWAYS_INLINE void derivative_each_loop(formula derivative, const element *parameter, size_t step, const element *x,
                                        real *d, size_t n)
{
    const vec shared = splat_first(load_part(parameter, 1));
    vec p[SUGAR_KERNEL_PARAMETERS] = {shared};
    for (size_t i = 0; i < n; i += VEC_LANES) {
        if (step) p[0] = load_some(parameter + i, n - i);
        put_some_reals(d + i, derivative(load_some(x + i, n - i), p), n - i);
    }
}

ALWAYS_INLINE void slope_loop(formula slope, const real *parameters, const element *parameter, size_t step,
                              const element *x, const element *dy, real *product, size_t n)
{
    vec p[SUGAR_KERNEL_PARAMETERS];
    splat_parameters(parameters, p);
    if (parameter) p[0] = splat_first(load_part(parameter, 1));
    for (size_t i = 0; i < n; i += VEC_LANES) {
        if (parameter && step) p[0] = load_some(parameter + i, n - i);
        put_some_reals(product + i, load_some(dy + i, n - i) * slope(load_some(x + i, n - i), p), n - i);
    }
}

/* high + low += a, but for what is lost in low (Knuth, The Art of Computer Programming 2, 4.2.2). */
ALWAYS_INLINE void add_exactly(vec64 *high, vec64 *low, vec64 a)
{
    const vec64 sum = *high + a, back = sum - *high;
    *low = *low + ((*high - (sum - back)) + (a - back));
    *high = sum;
}

/* In 16 sums of their own, which are added up by halves. */
static void sum_run(const real *product, size_t n, double *high, double *low)
{
    const vec64 zero = vec_widen(vec_splat(0), 0);
    vec64 sum[SUM_PARTS], rest[SUM_PARTS];
    for (int k = 0; k < SUM_PARTS; k++) sum[k] = rest[k] = zero;
    for (size_t i = 0; i < n;)
        for (int k = 0; k < SUM_VECTORS && i < n; k++, i += VEC_LANES) {
            const vec a = load_some_reals(product + i, n - i);
            for (int part = 0; part < VEC64_PARTS; part++)
                add_exactly(&sum[k * VEC64_PARTS + part], &rest[k * VEC64_PARTS + part], vec_widen(a, part));
        }
    double lane[SUM_LANES], lane_rest[SUM_LANES];
    for (int k = 0; k < SUM_PARTS; k++) {
        vec64_store(lane + k * VEC64_LANES, sum[k]);
        vec64_store(lane_rest + k * VEC64_LANES, rest[k]);
    }
    for (int k = 0; k < SUM_LANES; k++) {
        const double total = *high + lane[k], back = total - *high;
        *low += ((*high - (total - back)) + (lane[k] - back)) + lane_rest[k];
        *high = total;
    }
}

/* Arrays of sums have SUGAR_WIDEST more than there are. */
static void sum_rows(const real *product, size_t rows, size_t n, double *high, double *low)
{
    for (size_t i = 0; i < n; i += VEC_LANES)
        for (int part = 0; part < VEC64_PARTS; part++) {
            double *const high_at = high + i + (size_t)part * VEC64_LANES, *const low_at = low + i + (size_t)part * VEC64_LANES;
            vec64 sum = vec64_load(high_at), rest = vec64_load(low_at);
            for (size_t row = 0; row < rows; row++)
                add_exactly(&sum, &rest, vec_widen(load_some_reals(product + row * n + i, n - i), part));
            vec64_store(high_at, sum);
            vec64_store(low_at, rest);
        }
}

static void put_sum(double high, double low, element *at, int accumulate)
{
    real value = (real)(high + low);
    if (accumulate) {
        real held[VEC_LANES];
        vec_store(held, load_part(at, 1));
        const double total = (double)held[0] + high, back = total - (double)held[0];
        value = (real)(total + ((((double)held[0] - (total - back)) + (high - back)) + low));
    }
    store_part(at, vec_splat(value), 1);
}

static size_t find_outside(const element *parameter, size_t n, double minimum, double maximum)
{
    const vec lower = vec_splat((real)minimum), upper = vec_splat((real)maximum);
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec a = load_some(parameter + i, n - i);
        const vec inside = vec_select(vec_less_equal(lower, a), vec_select(vec_less_equal(a, upper), vec_splat(0),
                                                                           vec_splat(1)), vec_splat(1));
        real lane[VEC_LANES];
        vec_store(lane, inside);
        for (size_t k = 0; k < VEC_LANES && i + k < n; k++)
            if (lane[k] > 0) return i + k;
    }
    return n;
}
