/* The exact spline, in the basis of Hermite; see spline.h. With t = (x - a) / h and w = (b - x) / h it is
 *
 *     f(a) w^2 (1 + 2 t) + f(b) t^2 (1 + 2 w) + h (f'(a) t w^2 - f'(b) t^2 w).
 *
 * Each term is a product, so no digits are lost but where terms cancel in the sum. */
#include "spline.h"

#include "reference.h"

#define N MPFR_RNDN

enum { KNOT, VALUE_THERE, SLOPE_THERE, COLUMNS };

/* sum += a b c d */
static void add_product(mpfr_ptr sum, double a, mpfr_srcptr b, mpfr_srcptr c, mpfr_srcptr d)
{
    mpfr_t product;
    mpfr_init2(product, mpfr_get_prec(sum));
    mpfr_mul_d(product, b, a, N);
    mpfr_mul(product, product, c, N);
    mpfr_mul(product, product, d, N);
    mpfr_add(sum, sum, product, N);
    mpfr_clear(product);
}

/* r = i a + k b + j */
static void linear(mpfr_ptr r, long i, mpfr_srcptr a, long k, mpfr_srcptr b, long j)
{
    mpfr_t term;
    mpfr_init2(term, mpfr_get_prec(r));
    mpfr_mul_si(term, b, k, N);
    mpfr_mul_si(r, a, i, N);
    mpfr_add(r, r, term, N);
    mpfr_add_si(r, r, j, N);
    mpfr_clear(term);
}

static void line(mpfr_ptr result, const double *row, int order, mpfr_srcptr x)
{
    if (order > 0) {
        mpfr_set_d(result, order == 1 ? row[SLOPE_THERE] : 0, N);
        return;
    }
    mpfr_sub_d(result, x, row[KNOT], N);
    mpfr_mul_d(result, result, row[SLOPE_THERE], N);
    mpfr_add_d(result, result, row[VALUE_THERE], N);
}

typedef struct basis {
    mpfr_t t, w, h, inverse, one, square, factor;
} basis;

static void piece_value(mpfr_ptr result, const double *a, const double *b, basis *s)
{
    mpfr_sqr(s->square, s->w, N);
    linear(s->factor, 2, s->t, 0, s->t, 1);
    add_product(result, a[VALUE_THERE], s->square, s->factor, s->one);
    add_product(result, a[SLOPE_THERE], s->square, s->t, s->h);
    mpfr_sqr(s->square, s->t, N);
    linear(s->factor, 2, s->w, 0, s->w, 1);
    add_product(result, b[VALUE_THERE], s->square, s->factor, s->one);
    add_product(result, -b[SLOPE_THERE], s->square, s->w, s->h);
}

static void piece_derivative(mpfr_ptr result, const double *a, const double *b, basis *s)
{
    mpfr_mul_ui(s->factor, s->t, 6, N);
    add_product(result, b[VALUE_THERE], s->factor, s->w, s->inverse);
    add_product(result, -a[VALUE_THERE], s->factor, s->w, s->inverse);
    linear(s->factor, 1, s->w, -2, s->t, 0);
    add_product(result, a[SLOPE_THERE], s->factor, s->w, s->one);
    linear(s->factor, 1, s->t, -2, s->w, 0);
    add_product(result, b[SLOPE_THERE], s->factor, s->t, s->one);
}

static void piece_second(mpfr_ptr result, const double *a, const double *b, basis *s)
{
    linear(s->factor, 6, s->w, -6, s->t, 0);
    add_product(result, b[VALUE_THERE], s->factor, s->inverse, s->inverse);
    add_product(result, -a[VALUE_THERE], s->factor, s->inverse, s->inverse);
    linear(s->factor, 2, s->t, -4, s->w, 0);
    add_product(result, a[SLOPE_THERE], s->factor, s->inverse, s->one);
    linear(s->factor, 4, s->t, -2, s->w, 0);
    add_product(result, b[SLOPE_THERE], s->factor, s->inverse, s->one);
}

static void piece(mpfr_ptr result, const double *a, const double *b, int order, mpfr_srcptr x)
{
    static void (*const of_order[])(mpfr_ptr, const double *, const double *, basis *) = {piece_value, piece_derivative,
                                                                                          piece_second};
    basis s;
    mpfr_inits2(REFERENCE_BITS, s.t, s.w, s.h, s.inverse, s.one, s.square, s.factor, (mpfr_ptr)0);
    mpfr_set_ui(s.one, 1, N);
    mpfr_set_d(s.h, b[KNOT], N);
    mpfr_sub_d(s.h, s.h, a[KNOT], N);
    mpfr_ui_div(s.inverse, 1, s.h, N);
    mpfr_sub_d(s.t, x, a[KNOT], N);
    mpfr_div(s.t, s.t, s.h, N);
    mpfr_d_sub(s.w, b[KNOT], x, N);
    mpfr_div(s.w, s.w, s.h, N);
    mpfr_set_zero(result, 1);
    of_order[order](result, a, b, &s);
    mpfr_clears(s.t, s.w, s.h, s.inverse, s.one, s.square, s.factor, (mpfr_ptr)0);
}

void spline_evaluate(mpfr_ptr result, const double *rows, size_t knots, int order, mpfr_srcptr x)
{
    size_t below = 0;           /* knots that are not above x */
    while (below < knots && mpfr_cmp_d(x, rows[COLUMNS * below + KNOT]) >= 0)
        below++;
    const double *next = rows + COLUMNS * below;
    if (below == 0)
        line(result, next, order, x);
    else if (below == knots)
        line(result, next - COLUMNS, order, x);
    else
        piece(result, next - COLUMNS, next, order, x);
}
