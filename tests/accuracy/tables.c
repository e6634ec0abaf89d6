/* The kind `table` on many tables, at every level, against the exact spline: value, derivative and second derivative,
 * by the kernels themselves. Tables have 2 to 4096 knots, next to each other, far apart or subnormal; of random
 * numbers, of 0s, of straight lines. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/support.h"
#include "activation/table.h"
#include "cpu/level.h"
#include "element.h"
#include "spline.h"

enum { MOST_KNOTS = 4096, MOST_POINTS = 1024, ORDERS = 3, COLUMNS = 3 };
enum { KNOT, VALUE_THERE, SLOPE_THERE };

static const element *const types[] = {&element_f32, &element_f64, &element_f16, &element_bf16};
static const char *const order_names[ORDERS] = {"value", "derivative", "second derivative"};

static uint64_t state = 1;
static long passed, failed;

/* ---- Tables --------------------------------------------------------------------------------- */

typedef enum spacing { MODERATE, NEIGHBOURS, HUGE_ONES, SUBNORMAL, MIXED, SPACINGS } spacing;
static const char *const spacing_names[SPACINGS] = {"moderate", "neighbours", "huge", "subnormal", "mixed"};

/* What the values are made of. */
typedef enum content { RANDOM, FLAT, STRAIGHT, CONTENTS } content;
static const char *const content_names[CONTENTS] = {"random", "flat", "straight"};

typedef struct rows {
    spacing spacing;
    content content;
    size_t knots;
    double numbers[COLUMNS * MOST_KNOTS];
} rows;

static double uniform(void) { return (double)(random_bits(&state) >> 11) * 0x1p-52 - 1; }     /* -1 to 1 */

/* How many f32 the next knot is away. */
static int64_t steps(spacing of)
{
    const int most = of == NEIGHBOURS || of == SUBNORMAL ? 3 : of == MODERATE ? 18 : 17;
    return 1 + (int64_t)(random_bits(&state) >> (64 - random_between(&state, 1, most)));
}

static double first_knot(const rows *r)
{
    switch (r->spacing) {
    case MODERATE: return -2;
    case NEIGHBOURS: return 1 + uniform();
    case HUGE_ONES: return -1e30;
    case SUBNORMAL: return -0x1p-149 * (double)r->knots;
    default: return -0x1p-120;
    }
}

/* Knots differ as f32, and f64 has more digits of them. The huge ones stop short of the largest number allowed. */
static void fill_knots(rows *r)
{
    int64_t place = element_place(&element_f32, element_round(&element_f32, first_knot(r)));
    for (size_t i = 0; i < r->knots; i++) {
        place += place == -1;       /* -0: the next one equals it */
        double knot = element_at(&element_f32, place);
        if (fabs(knot) > 0x1p-120)
            knot *= 1 + 0x1p-30 * uniform();
        r->numbers[COLUMNS * i + KNOT] = knot;
        place += r->spacing == HUGE_ONES && r->knots < 50 ? INT64_C(1600000000) * 2 / (int64_t)(2 * r->knots)
                                                          : steps(r->spacing);
    }
    if (r->numbers[0] < -1e30)
        r->numbers[0] = -1e30;
}

static double least_distance(const rows *r)
{
    double least = HUGE_VAL;
    for (size_t i = 0; i + 1 < r->knots; i++)
        least = fmin(least, r->numbers[COLUMNS * (i + 1)] - r->numbers[COLUMNS * i]);
    return least;
}

/* Values so small that chords are not too steep, and slopes of that size or larger. */
static void fill_values(rows *r)
{
    const double size = fmin(1e29, 1e29 * least_distance(r)) * (random_bits(&state) % 2 ? 1 : 0x1p-90);
    const double slope = uniform(), least_slope = r->content == RANDOM ? fmin(1e29, size / least_distance(r)) : 0;
    for (size_t i = 0; i < r->knots; i++) {
        double *row = r->numbers + COLUMNS * i;
        const int zero = random_bits(&state) % 8 == 0;
        const double random = zero || r->content == FLAT ? 0 : size * uniform();
        row[VALUE_THERE] = r->content == STRAIGHT ? slope * row[KNOT] : random;
        row[SLOPE_THERE] = r->content == STRAIGHT ? slope : zero ? 0 : least_slope * uniform();
    }
}

static void make_rows(rows *r, spacing of, content with, size_t knots)
{
    r->spacing = of;
    r->content = with;
    r->knots = knots;
    fill_knots(r);
    fill_values(r);
}

/* ---- Points --------------------------------------------------------------------------------- */

typedef struct points {
    const element *type;
    int count;
    double x[MOST_POINTS];
} points;

static void add(points *p, double x)
{
    if (p->count < MOST_POINTS)
        p->x[p->count++] = element_round(p->type, x);
}

static void add_around(points *p, double x)
{
    const double near = element_round(p->type, x);
    add(p, near);
    if (isfinite(near)) {
        add(p, element_at(p->type, element_place(p->type, near) - 1));
        add(p, element_at(p->type, element_place(p->type, near) + 1));
    }
}

/* Special numbers, and of up to 60 pieces both ends, the middle and points between; with numbers next to them. */
static void find_points(points *p, const element *type, const rows *r)
{
    static const double special[] = {0.0, -0.0, 1, -1, 1e-30, -1e30, 1e38, 1e300, -1e308, (double)NAN};
    p->type = type;
    p->count = 0;
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        add(p, special[i]);
    add(p, (double)INFINITY);
    add(p, -(double)INFINITY);
    add_around(p, r->numbers[0]);
    add_around(p, r->numbers[COLUMNS * (r->knots - 1)]);
    for (int i = 0; i < 60; i++) {
        const double *row = r->numbers + COLUMNS * (size_t)random_between(&state, 0, (int64_t)r->knots - 2);
        const double h = row[COLUMNS] - row[KNOT];
        add_around(p, row[KNOT]);
        add_around(p, row[KNOT] + h / 2);
        add_around(p, row[KNOT] + h * 0x1p-20);
        for (int k = 0; k < 6; k++)
            add(p, row[KNOT] + h * (0.5 + 0.5 * uniform()));
    }
}

/* ---- Comparison ----------------------------------------------------------------------------- */

static int is_same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* The largest magnitude of the terms that sugar.h names. */
static double largest_term(const rows *exact, int order, double x)
{
    size_t below = 0;
    while (below < exact->knots && exact->numbers[COLUMNS * below] <= x)
        below++;
    const double *a = exact->numbers + COLUMNS * (below > 0 ? below - 1 : 0);
    const int outside = below == 0 || below == exact->knots;
    const double *b = outside ? a : a + COLUMNS;
    if (x - a[KNOT] > b[KNOT] - x) {
        const double *swap = a;
        a = b;
        b = swap;
    }
    const double u = fabs(x - a[KNOT]), h = fabs(b[KNOT] - a[KNOT]);
    const double chord = outside ? 0 : fabs((b[VALUE_THERE] - a[VALUE_THERE]) / h);
    const double bend = outside ? 0 : (3 * chord + 2 * fabs(a[SLOPE_THERE]) + fabs(b[SLOPE_THERE])) / h;
    if (order == 2)
        return bend;
    if (order == 1)
        return fmax(fabs(a[SLOPE_THERE]), bend * u);
    return fmin(fmax(fmax(fabs(a[VALUE_THERE]), fabs(a[SLOPE_THERE]) * u), bend * u * u), DBL_MAX);
}

/* Within `ulps` ULP, or within the share of the largest term. */
static int is_close(const element *type, double found, mpfr_srcptr exact, double ulps, double absolute)
{
    mpfr_t error;
    if (is_same(found, element_round_mpfr(type, exact, MPFR_RNDN)))
        return 1;
    if (!isfinite(found) || mpfr_nan_p(exact))
        return 0;
    mpfr_init2(error, 2200);
    mpfr_d_sub(error, found, exact, MPFR_RNDN);
    const double off = fabs(mpfr_get_d(error, MPFR_RNDA));
    mpfr_clear(error);
    const double ulp = element_ulp(type, mpfr_get_d(exact, MPFR_RNDN));
    return off <= fmax(ulps * ulp, absolute);
}

static void report(const rows *r, const element *type, const char *level, int order, double x, double found,
                   mpfr_srcptr exact)
{
    if (failed++ < 20)
        printf("FAIL %s knots: %zu, spacing: %s, numbers: %s, level %s: %s at %a: %a, exact %a\n", type->name, r->knots,
               spacing_names[r->spacing], content_names[r->content], level, order_names[order], x, found,
               mpfr_get_d(exact, MPFR_RNDN));
}

/* The results of one kernel: elements for the value, reals for derivatives. */
static void compute(const sugar_kernels *kernels, const sugar_table *table, const points *p, int order, double *result)
{
    const sugar_parameters parameters = {.table = table};
    uint64_t x[MOST_POINTS], y[MOST_POINTS];
    const size_t n = (size_t)p->count;
    const element *of_result = order == 0 ? p->type : p->type->arithmetic;
    for (int i = 0; i < p->count; i++)
        element_store(x, i, p->type->type, element_of(p->x[i], p->type->type));
    if (order == 0)
        kernels->forward[SUGAR_KIND_table](&parameters, x, y, n, 0);
    else
        (order == 1 ? kernels->derivative[SUGAR_KIND_table] : kernels->second[SUGAR_KIND_table])(&parameters, x, y, n);
    for (int i = 0; i < p->count; i++)
        result[i] = element_value(element_load(y, i, of_result->type), of_result->type);
}

/* Results of the scalar level against the exact ones; of other levels against those of the scalar one. */
static void check_order(const rows *given, const rows *exact_rows, const sugar_table *table, const points *p, int order)
{
    const sugar_element number = (sugar_element)p->type->type;
    const element *of_result = order == 0 ? p->type : p->type->arithmetic;
    const int narrow_derivative = order > 0 && p->type != p->type->arithmetic;
    const double share = number == SUGAR_F64 ? 0x1p-96 : 0x1p-48;
    static double first[MOST_POINTS], other[MOST_POINTS];
    mpfr_t x, exact;
    mpfr_init2(x, 64);
    mpfr_init2(exact, 256);
    const char *levels[MAX_LEVELS];
    const int level_count = supported_levels(levels);
    for (int k = 0; k < level_count; k++) {
        const sugar_level_entry *level = NULL;
        if (sugar_level_select(levels[k], &level) != SUGAR_OK)
            give_up(levels[k], sugar_last_error());
        compute(level->kernels[number], table, p, order, k == 0 ? first : other);
        for (int i = 0; i < p->count; i++) {
            if (isnan(p->x[i]))
                mpfr_set_nan(exact);
            else if (isinf(p->x[i]))
                mpfr_set_si_2exp(x, p->x[i] > 0 ? 1 : -1, 4096, MPFR_RNDN);
            else
                mpfr_set_d(x, p->x[i], MPFR_RNDN);
            if (!isnan(p->x[i]) && k == 0)
                spline_evaluate(exact, exact_rows->numbers, exact_rows->knots, order, x);
            const double term = isfinite(p->x[i]) ? share * largest_term(exact_rows, order, p->x[i]) : 0;
            const int good = k > 0 ? is_same(first[i], other[i])
                                   : is_close(of_result, first[i], exact, narrow_derivative ? 1 : 0.5001, term);
            if (good)
                passed++;
            else
                report(given, p->type, level->name, order, p->x[i], k == 0 ? first[i] : other[i], exact);
        }
    }
    mpfr_clears(x, exact, (mpfr_ptr)0);
}

static void check_rows(const rows *given)
{
    const sugar_activation_options options = {
        .struct_size = sizeof options, .table = given->numbers, .table_knots = given->knots};
    sugar_spec spec = {.forward.kind = SUGAR_KIND_table, .surrogate.kind = SUGAR_KIND_table};
    if (sugar_table_check(&options, &spec) != SUGAR_OK) {
        printf("FAIL knots: %zu, spacing: %s: %s\n", given->knots, spacing_names[given->spacing], sugar_last_error());
        failed++;
        return;
    }
    for (int type = 0; type < (int)(sizeof types / sizeof types[0]); type++) {
        static rows exact;
        static points p;
        exact = *given;
        for (size_t i = 0; i < COLUMNS * given->knots; i++)
            exact.numbers[i] = element_round(types[type]->arithmetic, given->numbers[i]);
        sugar_table table;
        void *memory = malloc(sugar_table_size(given->knots));
        if (!memory)
            give_up("malloc", "no memory");
        sugar_table_fill(&table, memory, (sugar_element)types[type]->type, &options);
        find_points(&p, types[type], &exact);
        for (int order = 0; order < ORDERS; order++)
            check_order(given, &exact, &table, &p, order);
        free(memory);
    }
}

int main(void)
{
    static const size_t knots[] = {2, 3, 17, 4096};
    static rows r;
    for (size_t k = 0; k < sizeof knots / sizeof knots[0]; k++)
        for (int of = 0; of < SPACINGS; of++)
            for (int with = 0; with < CONTENTS; with++)
                for (int again = 0; again < (knots[k] < 100 ? 4 : 1); again++) {
                    make_rows(&r, (spacing)of, (content)with, knots[k]);
                    check_rows(&r);
                }
    printf("%ld passed, %ld failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
