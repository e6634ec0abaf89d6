/* The points at which a function is measured; see samples.h. */
#include "samples.h"
#include "../support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *problem)
{
    fprintf(stderr, "samples: %s\n", problem);
    exit(2);
}

void samples_begin(samples *points, const element *type, size_t capacity, uint64_t seed)
{
    *points = (samples){.type = type, .capacity = capacity, .random = seed};
    points->places = malloc(capacity * sizeof *points->places);
    if (!points->places)
        fail("out of memory");
}

void samples_end(samples *points) { free(points->places); }

static int64_t infinity_place(const element *type) { return element_place(type, HUGE_VAL); }

static void add_place(samples *points, int64_t place)
{
    int64_t nan = infinity_place(points->type) + 1;
    if (place > nan || place < -nan - 1)
        return;
    if (points->count == points->capacity)
        fail("more points than the capacity given to samples_begin");
    points->places[points->count++] = place;
}

static void add_around(samples *points, int64_t place, int64_t neighbours)
{
    for (int64_t i = -neighbours; i <= neighbours; i++)
        add_place(points, place + i);
}

static double uniform(samples *points) { return (double)(random_bits(&points->random) >> 11) * 0x1p-53; }

/* 0, the ends of the range, and the constants of the catalogue, each with neighbours. */
static void add_edges(samples *points, const double *p, int parameters)
{
    static const double constants[] = {0, 0.5, 0.75, 1, 1.5, 2, 3, 6};
    const element *type = points->type;
    double numbers[2 * REFERENCE_PARAMETERS + sizeof constants / sizeof constants[0]];
    int count = 0;
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++)
        numbers[count++] = constants[i];
    for (int i = 0; i < parameters; i++) {
        numbers[count++] = p[i];
        if (p[i] != 0)
            numbers[count++] = element_round(type, 1 / p[i]);
    }
    for (int i = 0; i < count; i++) {
        add_around(points, element_place(type, numbers[i]), 3);
        add_around(points, element_place(type, -numbers[i]), 3);
    }
    int64_t normal = (int64_t)1 << (type->digits - 1), infinity = infinity_place(type);
    add_around(points, normal, 3);
    add_around(points, -normal - 1, 3);
    add_around(points, infinity, 3);
    add_around(points, -infinity - 1, 3);
}

static void add_exponents(samples *points, int density)
{
    int64_t normal = (int64_t)1 << (points->type->digits - 1), infinity = infinity_place(points->type);
    for (int64_t binade = 0; binade < infinity; binade += normal)
        for (int i = 0; i < density; i++) {
            add_place(points, binade + random_between(&points->random, 0, normal - 1));
            add_place(points, -1 - binade - random_between(&points->random, 0, normal - 1));
        }
    for (int64_t first = 1; first < normal; first *= 2)     /* every exponent of a subnormal */
        for (int i = 0; i < density; i++) {
            add_place(points, first + random_between(&points->random, 0, first - 1));
            add_place(points, -1 - first - random_between(&points->random, 0, first - 1));
        }
}

/* One random point in each of `count` equal parts of [-end, end]. */
static void add_stretch(samples *points, double end, int count)
{
    for (int i = 0; i < count; i++) {
        double x = end * (2 * (i + uniform(points)) / count - 1);
        if (isfinite(element_round(points->type, x)))
            add_place(points, element_place(points->type, x));
    }
}

void samples_fill(samples *points, const double *p, int parameters, int density)
{
    add_edges(points, p, parameters);
    add_exponents(points, points->type == &element_f32 ? 4 * density : density);
    double scales[2 * REFERENCE_PARAMETERS + 1] = {1};
    int count = 1;
    for (int i = 0; i < parameters; i++)
        if (p[i] != 0) {
            scales[count++] = fabs(p[i]);
            scales[count++] = fabs(1 / p[i]);
        }
    for (int i = 0; i < count; i++) {
        add_stretch(points, 10 * scales[i], 400 * density);
        add_stretch(points, 120 * scales[i], 400 * density);
        if (points->type == &element_f64)
            add_stretch(points, 760 * scales[i], 400 * density);
    }
}

/* What a result is, as a number to compare. */
static int nature(const element *type, const reference_kind *kind, direction way, const double *p,
                  const double limits[2], int64_t place, mpfr_ptr y, reference_scratch *scratch)
{
    double x = element_at(type, place);
    if (isnan(x))
        return -1;
    reference_evaluate(y, kind, way, p, x, scratch);
    double result = element_round_mpfr(type, y, MPFR_RNDN);
    int size = 2;
    if (result == 0)
        size = 0;
    else if (fabs(result) < ldexp(1, type->min_exponent - 1))
        size = 1;
    else if (isinf(result))
        size = 3;
    return size | (result < 0) << 2 | (result == limits[x > 0]) << 3;
}

/* What lies around the boundary between two adjacent places. */
static void add_boundary(samples *points, int64_t place)
{
    add_around(points, place, 10);
    for (int64_t distance = 16; distance < (int64_t)1 << (points->type->digits - 1); distance *= 2) {
        add_place(points, place + distance + random_between(&points->random, 0, distance));
        add_place(points, place - distance - random_between(&points->random, 0, distance));
    }
}

/* A periodic function changes its sign between any two points: of so many changes one is taken. */
enum { MANY_CHANGES = 64 };

void samples_refine(samples *points, const reference_kind *kind, direction way, const double *p,
                    reference_scratch *scratch)
{
    const element *type = points->type;
    double limits[2];
    mpfr_t y;
    mpfr_init2(y, REFERENCE_BITS);
    for (int positive = 0; positive < 2; positive++) {
        reference_evaluate(y, kind, way, p, positive ? HUGE_VAL : -HUGE_VAL, scratch);
        limits[positive] = element_round_mpfr(type, y, MPFR_RNDN);
    }
    int previous = -1;
    long changes = 0;
    for (size_t i = 0, count = points->count; i < count; i++) {
        int here = nature(type, kind, way, p, limits, points->places[i], y, scratch);
        const int changed = here != previous && here >= 0 && previous >= 0;
        changes += changed;
        if (changed && (changes < MANY_CHANGES || changes % MANY_CHANGES == 0)) {
            int64_t low = points->places[i - 1], high = points->places[i];
            while (high - low > 1) {
                int64_t middle = low + (high - low) / 2;
                if (nature(type, kind, way, p, limits, middle, y, scratch) == previous)
                    low = middle;
                else
                    high = middle;
            }
            add_boundary(points, high);
        }
        previous = here;
    }
    mpfr_clear(y);
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

void samples_sort(samples *points)
{
    qsort(points->places, points->count, sizeof *points->places, compare);
    size_t kept = 0;
    for (size_t i = 0; i < points->count; i++)
        if (i == 0 || points->places[i] != points->places[kept - 1])
            points->places[kept++] = points->places[i];
    points->count = kept;
}
