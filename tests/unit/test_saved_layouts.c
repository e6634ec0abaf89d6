/* Saved gradients in any layout, past the caches, with any number of threads and at every level. */
#include "saving.h"

/* ---- Layouts ----------------------------------------------------------------------------------- */

enum { DIMENSIONS = 4, ROOM = 1 << 16 };

/* Strides of a view without overlap: dimensions in any order, some turned round, with gaps. Its data begin at
 * *origin. */
static int64_t draw_strides(const int64_t *shape, int64_t *strides, int64_t *origin, uint64_t *state)
{
    int order[DIMENSIONS] = {0, 1, 2, 3};
    for (int d = DIMENSIONS - 1; d > 0; d--) {
        const int e = (int)random_between(state, 0, d), other = order[e];
        order[e] = order[d];
        order[d] = other;
    }
    int64_t step = random_between(state, 0, 3) == 0 ? 2 : 1;
    *origin = 0;
    for (int i = 0; i < DIMENSIONS; i++) {
        const int d = order[i];
        strides[d] = random_between(state, 0, 3) == 0 ? -step : step;
        *origin += strides[d] < 0 ? (shape[d] - 1) * step : 0;
        step *= shape[d] + (random_between(state, 0, 3) == 0);
    }
    return step;
}

typedef struct placed {
    view view;
    float data[ROOM];
    int64_t origin;
} placed;

static void place(placed *p, const int64_t *shape, uint64_t *state)
{
    int64_t strides[DIMENSIONS];
    assert_true(draw_strides(shape, strides, &p->origin, state) < ROOM);
    view_make(&p->view, p->data + p->origin, sizeof(float), DIMENSIONS, shape, strides);
}

static float *element_of_view(placed *p, int64_t i) { return p->data + p->origin + view_offset(&p->view, i); }

/* In any layout an element gets what it gets in a flat call. */
static void check_layout(const char *spec, int bits, bool in_place, const sugar_context *context, uint64_t *state)
{
    static placed x, y, dy, dx;
    static float flat_x[ROOM], flat_y[ROOM], flat_dy[ROOM], flat_dx[ROOM];
    static uint8_t codes[2 * ROOM], flat_codes[ROOM];
    int64_t shape[DIMENSIONS], strides[DIMENSIONS], origin = 0, n = 1;
    for (int d = 0; d < DIMENSIONS; d++)
        n *= shape[d] = random_between(state, 0, 4) == 0 ? 1 : random_between(state, 2, 10);
    place(&x, shape, state);
    place(&y, shape, state);
    place(&dy, shape, state);
    place(&dx, shape, state);
    draw_strides(shape, strides, &origin, state);
    for (int64_t i = 0; i < n; i++) {
        *element_of_view(&x, i) = flat_x[i] = (float)random_between(state, -3000, 3000) * 0x1p-10f;
        *element_of_view(&dy, i) = flat_dy[i] = (float)random_between(state, -3000, 3000) * 0x1p-10f;
        *element_of_view(&dx, i) = flat_dx[i] = (float)i;
    }
    sugar_activation *a = must_create(spec, NULL);
    const sugar_tensor flat = {.data = flat_codes,
                               .device = {SUGAR_DEVICE_CPU, 0},
                               .ndim = 1,
                               .shape = &n,
                               .dtype = {SUGAR_TYPE_UNSIGNED, (uint8_t)bits, 1}};
    const uint64_t flags = random_between(state, 0, 1) ? SUGAR_CALL_ACCUMULATE : 0;
    const sugar_call_options flat_forwards = options_with(&flat, 0, NULL),
                             flat_backwards = options_with(&flat, flags, NULL);
    assert_ok(sugar_forward_f32(a, n, flat_x, 1, flat_y, 1, &flat_forwards));
    assert_ok(sugar_backward_f32(a, n, NULL, 1, flat_dy, 1, flat_dx, 1, &flat_backwards));

    memset(codes, 0xff, sizeof codes);
    const sugar_tensor saved = saved_like(&x.view, codes + (bits == 8 ? origin : 1), bits, bits == 8 ? strides : NULL);
    const sugar_call_options forwards = options_with(&saved, 0, context),
                             backwards = options_with(&saved, flags, context);
    placed *output = in_place ? &x : &y;
    assert_ok(sugar_forward(a, &x.view.tensor, &output->view.tensor, &forwards));
    assert_ok(sugar_backward(a, NULL, &dy.view.tensor, &dx.view.tensor, &backwards));
    sugar_activation_destroy(a);
    view order;
    view_make(&order, codes, 1, DIMENSIONS, shape, strides);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = bits == 8 ? origin + view_offset(&order, i) : 0;
        if (bits == 8 && codes[at] != flat_codes[i])
            fail_msg("%s: code %d of element %lld, expected %d", spec, codes[at], (long long)i, flat_codes[i]);
        if (*element_of_view(output, i) != flat_y[i] || *element_of_view(&dx, i) != flat_dx[i])
            fail_msg("%s, %d bits, %lld elements: element %lld is %a and %a, expected %a and %a", spec, bits,
                     (long long)n, (long long)i, (double)*element_of_view(output, i), (double)*element_of_view(&dx, i),
                     (double)flat_y[i], (double)flat_dx[i]);
    }
    if (bits == 1) {
        assert_memory_equal(codes + 1, flat_codes, (size_t)(n + 7) / 8);
        assert_int_equal(codes[0], 0xff);
        assert_int_equal(codes[1 + (n + 7) / 8], 0xff);
        assert_true(n % 8 == 0 || codes[n / 8 + 1] >> n % 8 == 0);
    }
}

static void any_layout(void **unused)
{
    (void)unused;
    uint64_t state = 31;
    for (int round = 0; round < (short_run() ? 30 : 1000); round++) {
        check_layout("relu~bsilu", 8, round % 2, NULL, &state);
        check_layout("leaky_relu", 1, round % 2, NULL, &state);
        check_layout("heaviside~sigmoid_spike(blend=0.5)", 8, round % 2, NULL, &state);
    }
}

/* An output that begins anywhere in a cache line. */
static void check_stream(const char *spec, int bits)
{
    uint64_t state = 4;
    fill(&v, ELEMENT_F32, &state);
    sugar_activation *a = must_create(spec, NULL);
    const sugar_tensor saved = flat_saved(&v, bits);
    const sugar_call_options streamed = options_with(&saved, SUGAR_CALL_NONTEMPORAL, NULL),
                             plain = options_with(&saved, SUGAR_CALL_TEMPORAL, NULL);
    const float *x = (const float *)(const void *)v.x, *dy = (const float *)(const void *)v.dy;
    float *result = (float *)(void *)v.dx, *expected = (float *)(void *)w.dx;
    for (int shift = 0; shift < 20; shift++) {
        assert_ok(sugar_forward_f32(a, N, x, 1, expected, 1, &plain));
        assert_ok(sugar_forward_f32(a, N, x, 1, result + shift, 1, &streamed));
        assert_memory_equal(result + shift, expected, N * sizeof *result);
        assert_ok(sugar_backward_f32(a, N, NULL, 1, dy, 1, expected, 1, &plain));
        assert_ok(sugar_backward_f32(a, N, NULL, 1, dy, 1, result + shift, 1, &streamed));
        for (int i = 0; i < N; i++)
            assert_true(element_same(element_load(result + shift, i, ELEMENT_F32),
                                     element_load(expected, i, ELEMENT_F32), ELEMENT_F32));
    }
    sugar_activation_destroy(a);
}

static void past_the_caches(void **unused)
{
    (void)unused;
    check_stream("relu~bsilu", 8);
    check_stream("leaky_relu", 1);
}

/* ---- Threads and levels ------------------------------------------------------------------------ */

enum { MANY = 200003 };

static void check_threads(const char *spec, int bits, const int64_t *shape, const int64_t *strides)
{
    static float x[MANY], y[MANY], dx[MANY], y_alone[MANY], dx_alone[MANY];
    static uint8_t codes[MANY], codes_alone[MANY];
    uint64_t state = 5;
    for (int i = 0; i < MANY; i++)
        x[i] = (float)random_between(&state, -3000, 3000) * 0x1p-10f;
    view view_x, view_y, view_dx;
    view_make(&view_x, x, sizeof *x, 2, shape, strides);
    view_make(&view_y, y, sizeof *y, 2, shape, strides);
    view_make(&view_dx, dx, sizeof *dx, 2, shape, strides);
    sugar_activation *a = must_create(spec, NULL);
    const sugar_context_options four = {.struct_size = sizeof four, .threads = 4};
    sugar_context *context;
    assert_ok(sugar_context_create(&context, &four));
    for (int round = 0; round < 20; round++) {
        memset(codes, round, sizeof codes);
        const sugar_tensor saved = saved_like(&view_x, codes, bits, NULL);
        const sugar_call_options options = options_with(&saved, 0, round ? context : NULL);
        assert_ok(sugar_forward(a, &view_x.tensor, &view_y.tensor, &options));
        assert_ok(sugar_backward(a, NULL, &view_x.tensor, &view_dx.tensor, &options));
        if (round == 0) {
            memcpy(codes_alone, codes, sizeof codes);
            memcpy(y_alone, y, sizeof y);
            memcpy(dx_alone, dx, sizeof dx);
        }
        const size_t count = (size_t)(shape[0] * shape[1]);
        assert_memory_equal(codes, codes_alone, bits == 1 ? (count + 7) / 8 : count);
        assert_memory_equal(y, y_alone, sizeof y);
        assert_memory_equal(dx, dx_alone, sizeof dx);
    }
    sugar_context_destroy(context);
    sugar_activation_destroy(a);
}

static void any_number_of_threads(void **unused)
{
    (void)unused;
    static const int64_t shapes[][2] = {{1, MANY}, {447, 447}, {3, 66667}}, columns[] = {1, 447};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        check_threads("relu~bsilu", 8, shapes[i], NULL);
        check_threads("relu", 1, shapes[i], NULL);
    }
    check_threads("relu~bsilu", 8, shapes[1], columns);
    check_threads("relu", 1, shapes[1], columns);
}

static void every_level(void **unused)
{
    (void)unused;
    const char *names[MAX_LEVELS];
    const int levels = supported_levels(names);
    uint64_t state = 8;
    for (int32_t kind = 0; kind < sugar_kind_count(); kind++)
        for (int type = 0; type < ELEMENT_TYPES; type++) {
            const spec_text spec = make_spec("identity~", kind, 1, "", &state);
            for (int level = 0; level < levels && has_range(spec.text); level++) {
                uint64_t same = 3;
                vectors *at = level == 0 ? &w : &v;
                sugar_activation *a = must_create(spec.text, names[level]);
                fill(at, (element_type)type, &same);
                save(a, at, 8);
                restore(a, at, 8, at->dy, 0);
                sugar_activation_destroy(a);
                if (level > 0 && memcmp(v.codes, w.codes, sizeof v.codes) != 0)
                    fail_msg("%s, %s: codes differ from those of %s", spec.text, names[level], names[0]);
                for (int64_t i = 0; level > 0 && i < N; i++)
                    assert_true(element_same(element_load(v.dx, i, v.type), element_load(w.dx, i, v.type), v.type));
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_layout),
        cmocka_unit_test(past_the_caches),
        cmocka_unit_test(any_number_of_threads),
        cmocka_unit_test(every_level),
    };
    return cmocka_run_group_tests_name("saved layouts", tests, NULL, NULL);
}
