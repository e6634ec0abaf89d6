/* Views: the shapes and strides that the header allows, compared with a walk index by index. */
#include "unit.h"

/* ---- Fixed cases ------------------------------------------------------------------------------ */

static void scalar_view(void **unused)
{
    (void)unused;
    float x = -2, dy = 3, y = 9, dx = 9;
    sugar_activation *a = must_create("leaky_relu(negative_slope=0.5)", NULL);
    sugar_tensor tx = {.data = &x, .device = {1, 0}, .dtype = {2, 32, 1}};
    sugar_tensor ty = tx, tdy = tx, tdx = tx;
    ty.data = &y;
    tdy.data = &dy;
    tdx.data = &dx;
    assert_ok(sugar_forward(a, &tx, &ty, NULL));
    assert_ok(sugar_backward(a, &tx, &tdy, &tdx, NULL));
    assert_true(y == -1.0f);
    assert_true(dx == 1.5f);
    sugar_activation_destroy(a);
}

static void sixty_four_dimensions(void **unused)
{
    (void)unused;
    float x[8], y[8];
    int64_t shape[65];
    view vx, vy;
    sugar_activation *a = must_create("relu", NULL);
    for (int i = 0; i < 65; i++)
        shape[i] = i == 0 || i == 31 || i == 63 ? 2 : 1;
    for (int i = 0; i < 8; i++)
        x[i] = (float)(i - 4);
    view_make(&vx, x, 4, 64, shape, NULL);
    view_make(&vy, y, 4, 64, shape, NULL);
    assert_ok(sugar_forward(a, &vx.tensor, &vy.tensor, NULL));
    for (int i = 0; i < 8; i++)
        assert_true(y[i] == (i > 4 ? (float)(i - 4) : 0.0f));
    vx.tensor.ndim = 65;
    assert_fails(sugar_forward(a, &vx.tensor, &vy.tensor, NULL), SUGAR_ERROR_ARGUMENT, "x");
    sugar_activation_destroy(a);
}

/* In a dimension of extent 1 any stride is allowed, even an enormous one. */
static void strides_of_extent_one_do_not_matter(void **unused)
{
    (void)unused;
    double x[3] = {-1, 0, 1}, y[3];
    static const int64_t shape[] = {1, 3, 1};
    static const int64_t x_strides[] = {INT64_MAX, 1, INT64_MIN}, y_strides[] = {0, 1, -5};
    view vx, vy;
    sugar_activation *a = must_create("relu", NULL);
    view_make(&vx, x, 8, 3, shape, x_strides);
    view_make(&vy, y, 8, 3, shape, y_strides);
    assert_ok(sugar_forward(a, &vx.tensor, &vy.tensor, NULL));
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == 1);
    view_make(&vy, x, 8, 3, shape, y_strides);      /* in place: the same elements in the same order */
    assert_ok(sugar_forward(a, &vx.tensor, &vy.tensor, NULL));
    assert_true(x[0] == 0 && x[2] == 1);
    sugar_activation_destroy(a);
}

/* Calls without elements succeed, even if data is NULL; other arguments are still checked. */
static void empty_views(void **unused)
{
    (void)unused;
    static const int64_t shapes[][3] = {{0, 1, 1}, {4, 0, 2}, {3, 2, 0}, {INT64_MAX, INT64_MAX, 0}};
    sugar_activation *a = must_create("gelu~bsilu", NULL);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        view v, other;
        view_make(&v, NULL, 4, 3, shapes[i], (const int64_t[]){1, 1, 1});
        assert_ok(sugar_forward(a, &v.tensor, &v.tensor, NULL));
        assert_ok(sugar_backward(a, &v.tensor, &v.tensor, &v.tensor, NULL));
        v.tensor.strides = NULL;
        assert_ok(sugar_forward(a, &v.tensor, &v.tensor, NULL));
        view_make(&other, NULL, 4, 3, (const int64_t[]){0, 5, 5}, NULL);
        assert_fails(sugar_forward(a, &v.tensor, &other.tensor, NULL), SUGAR_ERROR_ARGUMENT, "y");
    }
    assert_ok(sugar_forward_f32(a, 0, NULL, 1, NULL, 1, NULL));
    assert_ok(sugar_backward_f64(a, 0, NULL, 1, NULL, 0, NULL, -1, NULL));
    sugar_activation_destroy(a);
}

/* What an empty tensor may be: NULL, or at an address that nothing could be at; with any strides and byte_offset. */
static void make_nothing(view *v, int how, int32_t ndim, const int64_t *shape, sugar_data_type dtype)
{
    static const int64_t strides[][3] = {{0, 0, 0}, {INT64_MIN, INT64_MAX, -1}, {1, 1, 1}};
    view_make(v, NULL, 1, ndim, shape, strides[how % 3]);
    v->tensor.dtype = dtype;
    if (how % 2)
        memset(&v->tensor.data, 0xff, sizeof v->tensor.data);
    if (how % 4 > 1)
        v->tensor.byte_offset = UINT64_MAX - 6;
    if (how % 5 == 4)
        v->tensor.strides = NULL;
}

enum { WAYS = 60 };                     /* that make_nothing knows */

/* Each option with every operand empty: none is touched, and none refused. */
static void nothing_is_touched(element_type type, int how, const int64_t *shape, sugar_monitor *monitor)
{
    static const sugar_data_type codes[] = {{SUGAR_TYPE_UNSIGNED, 8, 1}, {SUGAR_TYPE_UNSIGNED, 1, 1}};
    static const sugar_random random = {.struct_size = sizeof random};
    view v[5], saved;
    for (int k = 0; k < 5; k++)
        make_nothing(&v[k], how + k, 3, shape, element_formats[type].dtype);
    make_nothing(&saved, how, 3, shape, codes[how % 2]);
    const sugar_tensor *at = &v[0].tensor, *up = &v[1].tensor, *out = &v[2].tensor;
    const sugar_call_options plain = {.struct_size = sizeof plain}, learned = {.struct_size = sizeof learned,
                                                                               .parameter = &v[3].tensor,
                                                                               .parameter_gradient = &v[4].tensor};
    const sugar_call_options coded = {.struct_size = sizeof coded, .saved_gradient = &saved.tensor};
    const sugar_call_options drawn = {.struct_size = sizeof drawn, .random = &random};
    sugar_call_options with = {.struct_size = sizeof with, .monitor = monitor, .parameter = &v[3].tensor};
    sugar_activation *relu = must_create("relu", NULL), *prelu = must_create("prelu", NULL);
    sugar_activation *rrelu = must_create("rrelu", NULL);
    assert_ok(sugar_forward(relu, at, out, &plain));
    assert_ok(sugar_backward(relu, at, up, out, &plain));
    assert_ok(sugar_forward(prelu, at, out, &with));
    assert_ok(sugar_backward(prelu, at, up, out, &learned));
    assert_ok(sugar_forward(relu, at, out, &coded));
    assert_ok(sugar_backward(relu, NULL, up, out, &coded));
    assert_ok(sugar_forward(rrelu, at, out, &drawn));
    assert_ok(sugar_backward(rrelu, at, up, out, &drawn));
    with.parameter = NULL;
    with.monitor = NULL;
    assert_ok(sugar_monitor_observe(monitor, at, &with));
    sugar_activation_destroy(relu);
    sugar_activation_destroy(prelu);
    sugar_activation_destroy(rrelu);
}

static void empty_operands(void **unused)
{
    (void)unused;
    static const int64_t shapes[][3] = {{0, 3, 2}, {INT64_MAX, 0, 2}, {0, 0, 2}};
    sugar_monitor *monitor;
    sugar_monitor_summary seen = {.struct_size = sizeof seen};
    assert_ok(sugar_monitor_create(&monitor, 2, NULL));
    for (element_type type = 0; type < ELEMENT_TYPES; type++)
        for (int how = 0; how < WAYS; how++)
            nothing_is_touched(type, how, shapes[how / 2 % 3], monitor);
    assert_ok(sugar_monitor_get(monitor, &seen));
    assert_true(seen.samples == 0);
    sugar_monitor_destroy(monitor);
}

/* The same of flat calls, whose vectors have no elements then; and shapes and types still have to fit. */
static void empty_vectors(void **unused)
{
    (void)unused;
    static const int64_t none = 0;
    static const int64_t steps[] = {1, 0, -1, INT64_MIN, INT64_MAX};
    char *nowhere;
    memset(&nowhere, 0xff, sizeof nowhere);
    sugar_activation *a = must_create("prelu", NULL), *relu = must_create("relu", NULL);
    for (element_type type = 0; type < ELEMENT_TYPES; type++)
        for (int how = 0; how < WAYS; how++) {
            view v[2], bits;
            for (int k = 0; k < 2; k++)
                make_nothing(&v[k], how + k, 1, &none, element_formats[type].dtype);
            make_nothing(&bits, how, 1, &none, (sugar_data_type){SUGAR_TYPE_UNSIGNED, how % 3 ? 1 : 8, 1});
            void *at = how % 2 ? nowhere : NULL;
            const int64_t step = steps[how % 5];
            sugar_call_options options = {.struct_size = sizeof options, .parameter = how % 7 ? &v[0].tensor : NULL};
            assert_ok(flat_forward(a, type, 0, at, step, at, -1 - step, &options));
            options.parameter_gradient = how % 7 > 1 ? &v[1].tensor : NULL;
            assert_ok(flat_backward(a, type, 0, at, step, NULL, 1, at, -1 - step, &options));
            options = (sugar_call_options){.struct_size = sizeof options, .saved_gradient = &bits.tensor};
            assert_ok(flat_forward(relu, type, 0, at, step, at, step, &options));
            assert_ok(flat_backward(relu, type, 0, NULL, step, at, step, at, step, &options));
        }
    view other;
    make_nothing(&other, 0, 1, &none, element_formats[ELEMENT_F64].dtype);
    sugar_call_options options = {.struct_size = sizeof options, .parameter = &other.tensor};
    assert_fails(sugar_forward_f32(a, 0, NULL, 1, NULL, 1, &options), SUGAR_ERROR_ARGUMENT, "parameter: dtype float64");
    make_nothing(&other, 0, 2, (const int64_t[]){0, 1}, element_formats[ELEMENT_F32].dtype);
    assert_fails(sugar_forward_f32(a, 0, NULL, 1, NULL, 1, &options), SUGAR_ERROR_ARGUMENT, "parameter: shape (0, 1)");
    sugar_activation_destroy(relu);
    sugar_activation_destroy(a);
}

static void byte_offset_and_null_strides(void **unused)
{
    (void)unused;
    float x[10], y[10];
    view vx, vy;
    sugar_activation *a = must_create("identity", NULL);
    for (int i = 0; i < 10; i++) {
        x[i] = (float)i;
        y[i] = -1;
    }
    view_make(&vx, x, 4, 2, (const int64_t[]){2, 3}, NULL);
    view_make(&vy, y, 4, 2, (const int64_t[]){2, 3}, NULL);
    vx.tensor.byte_offset = 12;
    vy.tensor.byte_offset = 4;
    vx.tensor.strides = NULL;
    vy.tensor.strides = NULL;
    assert_ok(sugar_forward(a, &vx.tensor, &vy.tensor, NULL));
    for (int i = 0; i < 10; i++)
        assert_true(y[i] == (i >= 1 && i < 7 ? (float)(i + 2) : -1.0f));
    sugar_activation_destroy(a);
}

/* data may be misaligned, if data + byte_offset is aligned. */
static void byte_offset_aligns(void **unused)
{
    (void)unused;
    float values[4] = {1, -2, 3, -4};
    view v;
    sugar_activation *a = must_create("relu", NULL);
    view_make(&v, (char *)values + 1, 4, 1, (const int64_t[]){3}, NULL);
    v.tensor.byte_offset = 3;
    assert_ok(sugar_forward(a, &v.tensor, &v.tensor, NULL));
    assert_true(values[0] == 1 && values[1] == 0 && values[2] == 3 && values[3] == 0);
    v.tensor.byte_offset = 2;
    assert_fails(sugar_forward(a, &v.tensor, &v.tensor, NULL), SUGAR_ERROR_ARGUMENT, "multiple of 4");
    sugar_activation_destroy(a);
}

static void sizes_that_overflow(void **unused)
{
    (void)unused;
    static const struct {
        int64_t shape[3], strides[3];
    } cases[] = {
        {{INT64_MAX, 2, 1}, {0, 0, 0}},                             /* elements */
        {{(int64_t)1 << 32, (int64_t)1 << 32, 1}, {0, 0, 0}},
        {{INT64_MAX / 2, 1, 1}, {1, 1, 1}},                         /* bytes */
        {{3, 2, 1}, {INT64_MAX / 4, 1, 1}},                         /* a stride times its extent */
        {{3, 2, 1}, {INT64_MIN, 1, 1}},
        {{2, 2, 2}, {INT64_MAX / 8, INT64_MAX / 8, INT64_MAX / 8}}, /* the sum of these products */
        {{2, 1, 1}, {(int64_t)1 << 62, 1, 1}},                      /* in bytes only */
    };
    static float memory[4];
    sugar_activation *a = must_create("relu", NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        view x, y;
        view_make(&x, memory, 4, 3, cases[i].shape, cases[i].strides);
        view_make(&y, memory, 4, 3, cases[i].shape, cases[i].strides);
        assert_fails(sugar_forward(a, &x.tensor, &y.tensor, NULL), SUGAR_ERROR_ARGUMENT, "x");
        assert_true(memory[0] == 0 && memory[1] == 0);
    }
    assert_fails(sugar_forward_f32(a, INT64_MAX, memory, 1, memory, 1, NULL), SUGAR_ERROR_ARGUMENT, "x");
    assert_fails(sugar_forward_f32(a, 3, memory, INT64_MIN, memory, 1, NULL), SUGAR_ERROR_ARGUMENT, "x");
    assert_fails(sugar_forward_f64(a, (int64_t)1 << 61, NULL, 1, NULL, 1, NULL), SUGAR_ERROR_ARGUMENT, "x");
    sugar_activation_destroy(a);
}

/* ---- Random views ----------------------------------------------------------------------------- */

enum { SPACE = 4096 };  /* elements around the middle of which the random views lie */

/* Strides for `shape` so that no two indices share an element: compact in a random order of the
 * dimensions, with random gaps and signs. Inputs may get zeros instead. */
static void random_strides(uint64_t *state, int32_t ndim, const int64_t *shape, int input, int64_t *strides)
{
    int32_t order[8] = {0};
    int64_t step = random_between(state, 1, 2);
    int gaps = random_between(state, 0, 2) == 0, signs = random_between(state, 0, 1) == 0;
    for (int32_t d = 0; d < ndim; d++) {
        int32_t at = (int32_t)random_between(state, 0, d);
        order[d] = order[at];
        order[at] = d;
    }
    for (int32_t i = ndim - 1; i >= 0; i--) {
        int32_t d = order[i];
        strides[d] = signs && random_between(state, 0, 1) ? -step : step;
        if (input && random_between(state, 0, 5) == 0)
            strides[d] = 0;
        step *= shape[d] > 0 ? shape[d] : 1;
        if (gaps)
            step += random_between(state, 0, 3);
    }
}

static void random_view(uint64_t *state, view *v, unsigned char *memory, element_type type, int32_t ndim,
                        const int64_t *shape, int input)
{
    int64_t strides[8];
    random_strides(state, ndim, shape, input, strides);
    const size_t width = element_formats[type].width;
    view_make(v, memory + (size_t)SPACE / 2 * width, width, ndim, shape, strides);
    v->tensor.dtype = element_formats[type].dtype;
}

static void fill(uint64_t *state, unsigned char *memory, element_type type)
{
    for (int64_t i = 0; i < SPACE; i++)
        element_store(memory, i, type, random_element(state, type));
}

/* Computes what `out` should hold afterwards, element by element, into `expected`. */
static void walk(const sugar_activation *a, const view *x, const view *dy, const view *out, element_type type,
                 const sugar_call_options *options, unsigned char *expected)
{
    const size_t width = element_formats[type].width;
    unsigned char *middle = expected + (size_t)SPACE / 2 * width;
    for (int64_t i = 0; i < view_count(x); i++) {
        unsigned char *at = middle + view_offset(out, i) * (int64_t)width;
        const char *px = (const char *)x->tensor.data + view_offset(x, i) * (int64_t)width;
        if (dy == NULL)
            assert_ok(flat_forward(a, type, 1, px, 1, at, 1, options));
        else
            assert_ok(flat_backward(a, type, 1, px, 1,
                                    (const char *)dy->tensor.data + view_offset(dy, i) * (int64_t)width, 1, at, 1,
                                    options));
    }
}

static void assert_same_memory(const unsigned char *got, const unsigned char *expected, element_type type,
                               const view *out, int number)
{
    for (int64_t i = 0; i < SPACE; i++)
        if (!element_same(element_load(got, i, type), element_load(expected, i, type), type))
            fail_msg("random view %d (%d dimensions): element %d of memory is %a, expected %a", number,
                     (int)out->tensor.ndim, (int)(i - SPACE / 2), element_value(element_load(got, i, type), type),
                     element_value(element_load(expected, i, type), type));
}

static void random_call(uint64_t *state, const sugar_activation *a, element_type type, int number)
{
    static unsigned char x[SPACE * 8], dy[SPACE * 8], out[SPACE * 8], expected[SPACE * 8];
    int64_t shape[8];
    int32_t ndim = (int32_t)random_between(state, 0, 5);
    view vx, vdy, vout;
    sugar_call_options options = {.struct_size = sizeof options};
    int backward = random_between(state, 0, 1) == 0;
    options.flags = (uint64_t)random_between(state, 0, 2) * SUGAR_CALL_NONTEMPORAL;  /* or TEMPORAL, or neither */
    if (backward)
        options.flags |= (uint64_t)random_between(state, 0, 1) * SUGAR_CALL_ACCUMULATE;
    for (int32_t d = 0; d < ndim; d++)
        shape[d] = random_between(state, 0, ndim <= 2 ? 20 : 3);
    fill(state, x, type);
    fill(state, dy, type);
    fill(state, out, type);
    memcpy(expected, out, sizeof expected);
    random_view(state, &vx, x, type, ndim, shape, 1);
    random_view(state, &vdy, dy, type, ndim, shape, 1);
    random_view(state, &vout, out, type, ndim, shape, 0);
    walk(a, &vx, backward ? &vdy : NULL, &vout, type, &options, expected);
    assert_ok(backward ? sugar_backward(a, &vx.tensor, &vdy.tensor, &vout.tensor, &options)
                       : sugar_forward(a, &vx.tensor, &vout.tensor, &options));
    assert_same_memory(out, expected, type, &vout, number);
}

static void random_views(void **unused)
{
    (void)unused;
    static const char *const specs[] = {"silu", "relu~bsilu", "tanh~elu(domain=negative,blend=0.5)"};
    uint64_t state = 3;
    for (size_t s = 0; s < COUNT(specs); s++) {
        sugar_activation *a = must_create(specs[s], NULL);
        for (int i = 0; i < (short_run() ? 40 : 1500); i++)
            for (element_type type = 0; type < ELEMENT_TYPES; type++)
                random_call(&state, a, type, i);
        sugar_activation_destroy(a);
    }
}

/* In place on random views: the output is the view of x, or of dy. */
static void random_views_in_place(void **unused)
{
    (void)unused;
    static unsigned char x[SPACE * 8], dy[SPACE * 8], expected[SPACE * 8];
    uint64_t state = 4;
    sugar_activation *a = must_create("gelu~silu(blend=0.25)", NULL);
    for (int i = 0; i < (short_run() ? 40 : 1500); i++) {
        element_type type = (element_type)(i % ELEMENT_TYPES);
        int over_dy = i % 8 < 4;
        int64_t shape[8];
        int32_t ndim = (int32_t)random_between(&state, 0, 4);
        view vx, vdy;
        for (int32_t d = 0; d < ndim; d++)
            shape[d] = random_between(&state, 0, ndim <= 2 ? 20 : 3);
        fill(&state, x, type);
        fill(&state, dy, type);
        random_view(&state, &vx, x, type, ndim, shape, over_dy);
        random_view(&state, &vdy, dy, type, ndim, shape, !over_dy);
        const view *out = over_dy ? &vdy : &vx;
        memcpy(expected, over_dy ? dy : x, sizeof expected);
        walk(a, &vx, &vdy, out, type, NULL, expected);
        assert_ok(sugar_backward(a, &vx.tensor, &vdy.tensor, &out->tensor, NULL));
        assert_same_memory(over_dy ? dy : x, expected, type, out, i);
    }
    sugar_activation_destroy(a);
}

/* Permutations of a larger tensor, across the blocks in which strided memory is gathered. */
static void permuted(void **unused)
{
    (void)unused;
    enum { N = 2, H = 9, W = 31, C = 17, ALL = N * H * W * C };
    static float x[ALL], y[ALL];
    static const int64_t shape[] = {N, C, H, W};
    static const int64_t nhwc[] = {H * W * C, 1, W * C, C}, reversed[] = {1, N, N * C, N * C * H};
    view vx, vy;
    sugar_activation *a = must_create("relu", NULL);
    for (int i = 0; i < ALL; i++)
        x[i] = (float)(i % 1000 - 300);
    for (int round = 0; round < 2; round++) {
        memset(y, 0xff, sizeof y);
        view_make(&vx, x, 4, 4, shape, round == 0 ? nhwc : reversed);
        view_make(&vy, y, 4, 4, shape, NULL);
        assert_ok(sugar_forward(a, &vx.tensor, &vy.tensor, NULL));
        for (int64_t i = 0; i < ALL; i++) {
            float in = x[view_offset(&vx, i)];
            assert_true(y[i] == (in > 0 ? in : 0));
        }
    }
    sugar_activation_destroy(a);
}

/* ---- Random views of many tiles --------------------------------------------------------------- */

/* Runs the parts last to first. */
static void backwards_for(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count)
{
    (void)payload;
    while (count-- > 0)
        task(work, count);
}

typedef struct operand {
    view view;
    unsigned char *memory;
    int64_t length;                 /* of memory, in elements */
} operand;

static void operand_make(uint64_t *state, operand *o, element_type type, int32_t ndim, const int64_t *shape, int input)
{
    const size_t width = element_formats[type].width;
    int64_t strides[8], before = 0;
    random_strides(state, ndim, shape, input, strides);
    o->length = 1;
    for (int32_t d = 0; d < ndim; d++) {
        o->length += llabs(strides[d]) * (shape[d] - 1);
        before += strides[d] < 0 ? -strides[d] * (shape[d] - 1) : 0;
    }
    o->memory = malloc((size_t)o->length * width);
    assert_non_null(o->memory);
    for (int64_t i = 0; i < o->length; i++)
        element_store(o->memory, i, type, random_element(state, type));
    view_make(&o->view, o->memory + (size_t)before * width, width, ndim, shape, strides);
    o->view.tensor.dtype = element_formats[type].dtype;
}

/* Copies elements one by one into row-major order, or back. */
static void pack(const operand *o, unsigned char *packed, element_type type, int back)
{
    const size_t width = element_formats[type].width;
    for (int64_t i = 0; i < view_count(&o->view); i++) {
        unsigned char *at = (unsigned char *)o->view.tensor.data + view_offset(&o->view, i) * (int64_t)width;
        if (back)
            memcpy(at, packed + (size_t)i * width, width);
        else
            memcpy(packed + (size_t)i * width, at, width);
    }
}

/* What the output's memory should hold afterwards, from a flat call on its elements in row-major order. */
static unsigned char *expected_memory(const sugar_activation *a, const operand *operands, int count, element_type type,
                                      const sugar_call_options *options)
{
    const operand *out = &operands[count - 1];
    const size_t width = element_formats[type].width;
    const int64_t n = view_count(&out->view);
    const size_t bytes = (size_t)out->length * width;
    unsigned char *saved = malloc(bytes), *result = malloc(bytes), *packed[3];
    assert_true(saved && result);
    memcpy(saved, out->memory, bytes);
    for (int k = 0; k < count; k++) {
        packed[k] = malloc((size_t)n * width);
        assert_non_null(packed[k]);
        pack(&operands[k], packed[k], type, 0);
    }
    sugar_call_options alone = *options;
    alone.context = NULL;
    alone.flags &= ~(uint64_t)(SUGAR_CALL_NONTEMPORAL | SUGAR_CALL_TEMPORAL);
    assert_ok(count == 2 ? flat_forward(a, type, n, packed[0], 1, packed[1], 1, &alone)
                         : flat_backward(a, type, n, packed[0], 1, packed[1], 1, packed[2], 1, &alone));
    pack(out, packed[count - 1], type, 1);
    memcpy(result, out->memory, bytes);
    memcpy(out->memory, saved, bytes);
    for (int k = 0; k < count; k++)
        free(packed[k]);
    free(saved);
    return result;
}

/* Extents that are short, and those around what fits into a tile or into one of its sides. */
static int32_t random_shape(uint64_t *state, int64_t *shape)
{
    static const int64_t extents[] = {2,  2,  3,  3,   4,   5,   7,   8,   9,    15,   16,   17,   31,   32,   33,   47,
                                      63, 64, 65, 127, 129, 511, 513, 700, 1023, 1025, 2047, 2048, 2049, 5000, 70000};
    int64_t count = 1;
    int32_t ndim = (int32_t)random_between(state, 1, 6);
    for (int32_t d = 0; d < ndim; d++) {
        shape[d] = extents[random_between(state, 0, COUNT(extents) - 1)];
        while (shape[d] > 1 && count * shape[d] > 150000)
            shape[d] /= 2;
        count *= shape[d];
    }
    return ndim;
}

static void random_tiles_call(uint64_t *state, const sugar_activation *a, sugar_context *context, element_type type,
                              int number)
{
    int64_t shape[8];
    const int32_t ndim = random_shape(state, shape);
    const int count = (int)random_between(state, 2, 3);
    sugar_call_options options = {.struct_size = sizeof options, .context = context};
    options.flags = (uint64_t)random_between(state, 0, 2) * SUGAR_CALL_NONTEMPORAL;  /* or TEMPORAL, or neither */
    if (count == 3)
        options.flags |= (uint64_t)random_between(state, 0, 1) * SUGAR_CALL_ACCUMULATE;
    operand operands[3];
    for (int k = 0; k < count; k++)
        operand_make(state, &operands[k], type, ndim, shape, k < count - 1);
    const operand *out = &operands[count - 1];
    unsigned char *expected = expected_memory(a, operands, count, type, &options);
    assert_ok(count == 2
                  ? sugar_forward(a, &operands[0].view.tensor, &out->view.tensor, &options)
                  : sugar_backward(a, &operands[0].view.tensor, &operands[1].view.tensor, &out->view.tensor, &options));
    for (int64_t i = 0; i < out->length; i++)
        if (!element_same(element_load(out->memory, i, type), element_load(expected, i, type), type))
            fail_msg("random tiles %d (%d dimensions): element %lld of memory is %a, expected %a", number, (int)ndim,
                     (long long)i, element_value(element_load(out->memory, i, type), type),
                     element_value(element_load(expected, i, type), type));
    free(expected);
    for (int k = 0; k < count; k++)
        free(operands[k].memory);
}

static void random_tiles(void **unused)
{
    (void)unused;
    static const char *const specs[] = {"identity~hardswish", "relu~softsign(domain=negative,blend=0.5)"};
    uint64_t state = 5;
    sugar_context *context;
    for (size_t s = 0; s < COUNT(specs); s++) {
        sugar_activation *a = must_create(specs[s], NULL);
        for (int i = 0; i < (short_run() ? 10 : 60); i++) {
            const sugar_context_options parts = {.struct_size = sizeof parts,
                                                 .threads = (int32_t)random_between(&state, 1, 9),
                                                 .parallel_for = backwards_for};
            assert_ok(sugar_context_create(&context, &parts));
            for (element_type type = 0; type < ELEMENT_TYPES; type++)
                random_tiles_call(&state, a, context, type, i);
            sugar_context_destroy(context);
        }
        sugar_activation_destroy(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalar_view),
        cmocka_unit_test(sixty_four_dimensions),
        cmocka_unit_test(strides_of_extent_one_do_not_matter),
        cmocka_unit_test(empty_views),
        cmocka_unit_test(empty_operands),
        cmocka_unit_test(empty_vectors),
        cmocka_unit_test(byte_offset_and_null_strides),
        cmocka_unit_test(byte_offset_aligns),
        cmocka_unit_test(sizes_that_overflow),
        cmocka_unit_test(random_views),
        cmocka_unit_test(random_views_in_place),
        cmocka_unit_test(permuted),
        cmocka_unit_test(random_tiles),
    };
    return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
