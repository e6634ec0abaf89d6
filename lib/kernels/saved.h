/* Kernels for saved gradients: derivatives as codes of 8 bits, and back. */

/* The derivative that a combination mixes. */
ALWAYS_INLINE vec mixed_derivative(const JOIN(sugar_combination, SUGAR_TYPE) *c, size_t i, size_t n)
{
    const vec d = load_some_reals(c->surrogate + i, n - i);
    if (!c->derivative) return d;
    const vec own = load_some_reals(c->derivative + i, n - i);
    const vec mixed = vec_fma(vec_splat(c->t), d, vec_splat(c->u) * own);
    if (!c->negative_only) return mixed;
    return vec_select(vec_less_equal(load_some(c->x + i, n - i), vec_splat(0)), mixed, own);
}

/* A range without length has the one code 0. */
static void encode(const JOIN(sugar_combination, SUGAR_TYPE) *c, uint8_t *code, size_t n, double minimum,
                   double maximum)
{
    const vec lowest = vec_splat((real)minimum);
    const vec scale = vec_splat(maximum > minimum ? (real)(255 / (maximum - minimum)) : 0);
    for (size_t i = 0; i < n; i += VEC_LANES) {
        const vec place = vec_fma(mixed_derivative(c, i, n) - lowest, scale, vec_splat((real)0.5));
        const vec known = vec_select(vec_less_equal(place, place), place, vec_splat(0));
        const vec bounded_place = vec_min(vec_splat(255), vec_max(vec_splat(0), known));
        if (n - i >= VEC_LANES) {
            vec_store_bytes(code + i, bounded_place);
        } else {
            uint8_t lanes[VEC_LANES];
            vec_store_bytes(lanes, bounded_place);
            memcpy(code + i, lanes, n - i);
        }
    }
}

static void decode(const uint8_t *code, real *d, size_t n, double minimum, double maximum)
{
    const vec lowest = vec_splat((real)minimum), step = vec_splat((real)((maximum - minimum) / 255));
    for (size_t i = 0; i < n; i += VEC_LANES) {
        uint8_t lanes[VEC_LANES] = {0};
        if (n - i < VEC_LANES) memcpy(lanes, code + i, n - i);
        const vec place = vec_load_bytes(n - i < VEC_LANES ? lanes : code + i);
        put_some_reals(d + i, vec_fma(place, step, lowest), n - i);
    }
}
