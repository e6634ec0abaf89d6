/* Overlap: what the header allows and forbids; random views, compared with brute force. */
#include "unit.h"

static sugar_activation *relu;

static int set_up(void **unused)
{
    (void)unused;
    relu = must_create("relu", NULL);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    sugar_activation_destroy(relu);
    return 0;
}

enum { SPACE = 256 };
static float memory[SPACE], before[SPACE];

static void refill(void)
{
    for (int i = 0; i < SPACE; i++)
        before[i] = memory[i] = (float)(i % 2 == 0 ? -1 - i : 1 + i);
}

static void assert_refused(sugar_status status, const char *argument)
{
    assert_fails(status, SUGAR_ERROR_OVERLAP, argument);
    assert_memory_equal(memory, before, sizeof memory);
}

static sugar_status flat(int64_t n, int64_t x, int64_t incx, int64_t y, int64_t incy)
{
    refill();
    return sugar_forward_f32(relu, n, memory + x, incx, memory + y, incy, NULL);
}

static void same_view_is_in_place(void **unused)
{
    (void)unused;
    assert_ok(flat(40, 7, 1, 7, 1));
    for (int i = 0; i < SPACE; i++)
        assert_true(memory[i] == (i >= 7 && i < 47 && before[i] < 0 ? 0 : before[i]));
    assert_ok(flat(40, 7, -2, 7, -2));
    refill();
    assert_ok(sugar_backward_f32(relu, 30, memory, 3, memory, 3, memory, 3, NULL));
}

static void shifted_views_are_refused(void **unused)
{
    (void)unused;
    for (int64_t n = 2; n < 100; n += 7) {
        assert_refused(flat(n, 0, 1, 1, 1), "y");
        assert_refused(flat(n, 1, 1, 0, 1), "y");
        assert_refused(flat(n, 0, 1, n - 1, 1), "y");
        assert_ok(flat(n, 0, 1, n, 1));
        assert_ok(flat(n, n, 1, 0, 1));
    }
}

static void other_orders_of_the_same_memory_are_refused(void **unused)
{
    (void)unused;
    view x, y;
    assert_refused(flat(20, 0, 1, 0, -1), "y");
    assert_refused(flat(20, 0, 1, 0, 2), "y");
    assert_refused(flat(20, 15, 0, 10, 1), "y");
    refill();
    view_make(&x, memory, 4, 2, (const int64_t[]){4, 4}, (const int64_t[]){4, 1});
    view_make(&y, memory, 4, 2, (const int64_t[]){4, 4}, (const int64_t[]){1, 4});
    assert_refused(sugar_forward(relu, &x.tensor, &y.tensor, NULL), "y");
}

/* 6 i and 3 + 6 j never meet; 6 i and 4 + 4 j do, at 12, if the views are long enough. */
static void interleaved_views_are_fine(void **unused)
{
    (void)unused;
    assert_ok(flat(50, 0, 2, 1, 2));
    assert_ok(flat(50, 1, -3, 0, 3));
    assert_ok(flat(30, 0, 6, 3, -6));
    assert_ok(flat(2, 0, 6, 4, 4));
    assert_refused(flat(3, 0, 6, 4, 4), "y");
}

static void outputs_must_not_overlap_themselves(void **unused)
{
    (void)unused;
    view x, y;
    assert_refused(flat(2, 0, 1, 10, 0), "y");
    assert_ok(flat(1, 0, 0, 10, 0));
    refill();
    view_make(&x, memory, 4, 2, (const int64_t[]){3, 4}, NULL);
    view_make(&y, memory + 100, 4, 2, (const int64_t[]){3, 4}, (const int64_t[]){2, 1});
    assert_refused(sugar_forward(relu, &x.tensor, &y.tensor, NULL), "y");
    view_make(&y, memory + 100, 4, 2, (const int64_t[]){3, 4}, (const int64_t[]){0, 1});
    assert_refused(sugar_forward(relu, &x.tensor, &y.tensor, NULL), "y");
    view_make(&y, memory + 100, 4, 2, (const int64_t[]){3, 4}, (const int64_t[]){3, -4});
    assert_ok(sugar_forward(relu, &x.tensor, &y.tensor, NULL));     /* 3i = 4j only beyond the view */
}

static void backward_checks_both_inputs(void **unused)
{
    (void)unused;
    refill();
    float *m = memory;
    assert_refused(sugar_backward_f32(relu, 10, m, 1, m + 50, 1, m + 9, 1, NULL), "dx");
    assert_refused(sugar_backward_f32(relu, 10, m + 50, 1, m, 1, m + 9, 1, NULL), "dx");
    assert_ok(sugar_backward_f32(relu, 10, m, 1, m + 3, 1, m + 50, 1, NULL));   /* inputs may overlap */
    assert_ok(sugar_backward_f32(relu, 10, m, 0, m, 0, m + 50, 1, NULL));
}

/* ---- Random views against brute force --------------------------------------------------------- */

static void random_view(uint64_t *state, view *v, int32_t ndim, const int64_t *shape, int64_t size)
{
    int64_t strides[4], low = 0, high = 0;
    for (int32_t d = 0; d < ndim; d++) {
        strides[d] = random_between(state, -9, 9);
        int64_t reach = strides[d] * (shape[d] > 0 ? shape[d] - 1 : 0);
        *(reach < 0 ? &low : &high) += reach;
    }
    int64_t start = random_between(state, -low, size - 1 - high);
    view_make(v, memory + start, 4, ndim, shape, strides);
}

static int64_t address(const view *v, int64_t i) { return (const float *)v->tensor.data - memory + view_offset(v, i); }

static int is_legal(const view *x, const view *y)
{
    int64_t count = view_count(x), same = 0, shared = 0;
    int taken[SPACE] = {0};
    for (int64_t i = 0; i < count; i++)
        if (taken[address(y, i)]++ != 0)
            return 0;
    for (int64_t i = 0; i < count; i++) {
        same += address(x, i) == address(y, i);
        shared += taken[address(x, i)];
    }
    return shared == 0 || same == count;
}

static void random_views(void **unused)
{
    (void)unused;
    uint64_t state = 5;
    int legal_seen = 0, in_place_seen = 0, cases = short_run() ? 500 : 60000;
    for (int i = 0; i < cases; i++) {
        view x, y;
        int64_t shape[4];
        int32_t ndim = (int32_t)random_between(&state, 0, 4);
        for (int32_t d = 0; d < ndim; d++)
            shape[d] = random_between(&state, i % 50 == 0 ? 0 : 1, 4);
        random_view(&state, &x, ndim, shape, 120);
        random_view(&state, &y, ndim, shape, 120);
        if (random_between(&state, 0, 9) == 0)
            view_make(&y, x.tensor.data, 4, ndim, shape, x.strides);
        int legal = is_legal(&x, &y);
        refill();
        sugar_status status = sugar_forward(relu, &x.tensor, &y.tensor, NULL);
        if (!legal)
            assert_refused(status, "y");
        else
            assert_ok(status);
        legal_seen += legal;
        in_place_seen += legal && x.tensor.data == y.tensor.data && view_count(&x) > 1;
    }
    assert_true(cases / 10 <= legal_seen && legal_seen <= cases * 9 / 10);
    assert_true(in_place_seen > 10);
}

/* Large views, where no search over all elements is possible. */
static void large_views(void **unused)
{
    (void)unused;
    enum { SIDE = 600 };
    static float square[SIDE * SIDE];
    view even, odd, all, transposed;
    static const int64_t half[] = {SIDE, SIDE / 2}, whole[] = {SIDE, SIDE};
    view_make(&even, square, 4, 2, half, (const int64_t[]){SIDE, 2});
    view_make(&odd, square + 1, 4, 2, half, (const int64_t[]){SIDE, 2});
    assert_ok(sugar_forward(relu, &even.tensor, &odd.tensor, NULL));
    view_make(&odd, square + 2, 4, 2, (const int64_t[]){SIDE, SIDE / 2 - 1}, (const int64_t[]){SIDE, 2});
    view_make(&even, square, 4, 2, (const int64_t[]){SIDE, SIDE / 2 - 1}, (const int64_t[]){SIDE, 2});
    assert_fails(sugar_forward(relu, &even.tensor, &odd.tensor, NULL), SUGAR_ERROR_OVERLAP, "y");
    view_make(&all, square, 4, 2, whole, NULL);
    view_make(&transposed, square, 4, 2, whole, (const int64_t[]){1, SIDE});
    assert_fails(sugar_forward(relu, &all.tensor, &transposed.tensor, NULL), SUGAR_ERROR_OVERLAP, "y");
    assert_ok(sugar_forward(relu, &transposed.tensor, &transposed.tensor, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_view_is_in_place),
        cmocka_unit_test(shifted_views_are_refused),
        cmocka_unit_test(other_orders_of_the_same_memory_are_refused),
        cmocka_unit_test(interleaved_views_are_fine),
        cmocka_unit_test(outputs_must_not_overlap_themselves),
        cmocka_unit_test(backward_checks_both_inputs),
        cmocka_unit_test(random_views),
        cmocka_unit_test(large_views),
    };
    return cmocka_run_group_tests_name("overlap", tests, set_up, tear_down);
}
