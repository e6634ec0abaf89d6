/* The bounds of g' that saved gradients are scaled by. */
#include "saving.h"

#include <float.h>
#include <math.h>

static float float_of(uint32_t bits)
{
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* The rank of a float among all floats, in ascending order; and the float of a rank. */
static int64_t place_of(float a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits & 0x80000000 ? -(int64_t)(bits & 0x7fffffff) : (int64_t)bits;
}

static float float_at(int64_t place)
{
    const int64_t infinity = 0x7f800000;
    place = place > infinity ? infinity : place < -infinity ? -infinity : place;
    return float_of(place < 0 ? (uint32_t)-place | 0x80000000 : (uint32_t)place);
}

typedef struct extremes {
    double low, high;
    float low_at, high_at;
} extremes;

enum { BLOCK = 4096 };

/* g' at `count` floats, whose ranks are `step` apart. */
static void look_at(const sugar_activation *a, int64_t first, int64_t step, int64_t count, extremes *found)
{
    static float x[BLOCK], d[BLOCK];
    const float one = 1;
    for (int64_t done = 0; done < count; done += BLOCK) {
        for (int64_t i = 0; i < BLOCK; i++)
            x[i] = float_at(first + (done + i) * step);
        assert_ok(sugar_backward_f32(a, BLOCK, x, 1, &one, 0, d, 1, NULL));
        for (int i = 0; i < BLOCK; i++) {
            if ((double)d[i] < found->low) {
                found->low = (double)d[i];
                found->low_at = x[i];
            }
            if ((double)d[i] > found->high) {
                found->high = (double)d[i];
                found->high_at = x[i];
            }
        }
    }
}

/* g' at a double and its neighbours: next to a jump it can change so fast that no float comes close to its
 * extremum. */
static void look_in_f64(const sugar_activation *a, double at, extremes *found)
{
    const double x[] = {nextafter(at, -(double)INFINITY), at, nextafter(at, (double)INFINITY)}, one = 1;
    double d[COUNT(x)];
    assert_ok(sugar_backward_f64(a, COUNT(x), x, 1, &one, 0, d, 1, NULL));
    for (size_t i = 0; i < COUNT(x); i++) {
        found->low = fmin(found->low, d[i]);
        found->high = fmax(found->high, d[i]);
    }
}

/* Tries floats of all sizes, then those around 0, the threshold, the surrogate's parameters and the extrema found so
 * far, ever closer to them. */
static extremes sweep(const sugar_activation *a, double threshold)
{
    extremes found = {(double)INFINITY, -(double)INFINITY, 0, 0};
    const int64_t infinity = 0x7f800000, stride = short_run() ? 99991 : 9973;
    look_at(a, -infinity, stride, 2 * infinity / stride + 2, &found);
    look_at(a, place_of(0) - BLOCK / 2, 1, BLOCK, &found);
    look_at(a, place_of((float)threshold) - BLOCK / 2, 1, BLOCK, &found);
    sugar_activation_info info = {.struct_size = sizeof info};
    assert_ok(sugar_activation_get_info(a, &info));
    for (int32_t i = 0; i < info.surrogate_parameter_count; i++)
        look_at(a, place_of((float)info.surrogate_parameters[i]) - BLOCK / 2, 1, BLOCK, &found);
    if (info.surrogate_parameter_count == 2)        /* where alpha x + beta is 0 */
        look_at(a, place_of((float)(-info.surrogate_parameters[1] / info.surrogate_parameters[0])) - BLOCK / 2, 1,
                BLOCK, &found);
    static const int64_t steps[] = {5000, 100, 1};
    for (size_t i = 0; i < COUNT(steps); i++) {
        look_at(a, place_of(found.low_at) - BLOCK / 2 * steps[i], steps[i], BLOCK, &found);
        look_at(a, place_of(found.high_at) - BLOCK / 2 * steps[i], steps[i], BLOCK, &found);
    }
    look_in_f64(a, threshold, &found);
    for (int32_t i = 0; i < info.surrogate_parameter_count; i++) {
        look_in_f64(a, threshold - info.surrogate_parameters[i], &found);
        look_in_f64(a, threshold + info.surrogate_parameters[i], &found);
    }
    return found;
}

static void check_range(const char *spec, double threshold, bool touches)
{
    sugar_activation *a = must_create(spec, NULL);
    double minimum, maximum;
    find_range(a, &minimum, &maximum);
    const extremes found = sweep(a, threshold);
    sugar_activation_destroy(a);
    assert_true(minimum <= maximum);
    if (maximum == (double)INFINITY || minimum == -(double)INFINITY) {
        if (found.high < 1e30 && found.low > -1e30)
            fail_msg("%s: range %g to %g, found %g to %g", spec, minimum, maximum, found.low, found.high);
        return;
    }
    const double rounding = 4 * 0x1p-24 * fmax(fabs(minimum), fabs(maximum)) + (double)FLT_TRUE_MIN;
    if (!(found.low >= minimum - rounding && found.high <= maximum + rounding))
        fail_msg("%s: range %.9g to %.9g, but %.9g at %.9g and %.9g at %.9g", spec, minimum, maximum, found.low,
                 (double)found.low_at, found.high, (double)found.high_at);
    if (touches && !(found.low <= minimum + 2 * rounding && found.high >= maximum - 2 * rounding))
        fail_msg("%s: range %.9g to %.9g, but no more than %.9g to %.9g found", spec, minimum, maximum, found.low,
                 found.high);
}

static bool is_spike(int32_t kind)
{
    sugar_kind row = {.struct_size = sizeof row};
    assert_ok(sugar_kind_get(kind, &row));
    return !(row.roles & SUGAR_ROLE_FORWARD);
}

static void range_is_exact(void **unused)
{
    (void)unused;
    uint64_t state = 5;
    const int sets = short_run() ? 2 : 8;
    for (int32_t kind = 0; kind < sugar_kind_count(); kind++)
        for (int set = 0; set < sets; set++) {
            check_range(make_spec("identity~", kind, set, "", &state).text, 0, true);
            check_range(make_spec("relu~", kind, set, "domain=negative", &state).text, 0, true);
            check_range(make_spec("hardswish~", kind, set, "blend=0.25", &state).text, 0, false);
            if (is_spike(kind)) {
                check_range(make_spec("heaviside(threshold=0.75)~", kind, set, "domain=negative", &state).text, 0.75,
                            true);
                check_range(make_spec("heaviside(threshold=-0.75)~", kind, set, "domain=negative", &state).text, -0.75,
                            true);
                check_range(make_spec("sign~", kind, set, "domain=negative,blend=0.5", &state).text, 0, false);
            }
        }
}

/* The bounds are the extrema, rounded outwards by no more than a rounding. */
static void range_is_rounded_outwards(void **unused)
{
    (void)unused;
    static const struct {
        const char *spec;
        double minimum, maximum;
    } rows[] = {
        {"gelu", -0.12890414518515479, 1.1289041451851548},
        {"gelu_tanh", -0.12899306865877177, 1.1289930686587718},
        {"silu(beta=3)", -0.099839320128866917, 1.0998393201288669},
        {"mish", -0.11252612238946256, 1.0884981612517279},
        {"hardsigmoid", 0, 1.0 / 6},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sugar_activation *a = must_create(rows[i].spec, NULL);
        double minimum, maximum;
        find_range(a, &minimum, &maximum);
        if (!(minimum <= rows[i].minimum && minimum >= rows[i].minimum - 0x1p-26 && maximum >= rows[i].maximum
              && maximum <= rows[i].maximum + 0x1p-22))
            fail_msg("%s: %.17g to %.17g, the bounds are %.17g and %.17g", rows[i].spec, minimum, maximum,
                     rows[i].minimum, rows[i].maximum);
        sugar_activation_destroy(a);
    }
}

static void range_is_known(void **unused)
{
    (void)unused;
    static const struct {
        const char *spec;
        double minimum, maximum;
    } rows[] = {
        {"identity", 1, 1},
        {"relu", 0, 1},
        {"sign", 0, 0},
        {"relu_squared", 0, (double)INFINITY},
        {"xielu(alpha_n=1)", -0.5, (double)INFINITY},
        {"sigmoid", 0, 0.25},
        {"hardswish", -0.5, 1.5},
        {"prelu(alpha=-2)", -2, 1},
        {"elu(alpha=3)", 0, 3},
        {"elu(alpha=-3)", -3, 1},
        {"relu~relu_squared(domain=negative)", 0, 1},
        {"relu~prelu(alpha=3,domain=negative)", 1, 3},
        {"heaviside(threshold=3)~triangle_spike(gamma=2,domain=negative)", 0, 0},
        {"relu~relu_squared(blend=0)", 0, 1},
        {"heaviside(threshold=-3)~triangle_spike(gamma=2,domain=negative)", 0, 2},
        {"relu~prelu(alpha=2,blend=0.5)", 1, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sugar_activation *a = must_create(rows[i].spec, NULL);
        double minimum, maximum;
        find_range(a, &minimum, &maximum);
        if (!(minimum == rows[i].minimum && maximum == rows[i].maximum) || signbit(minimum) != signbit(rows[i].minimum))
            fail_msg("%s: %g to %g, expected %g to %g", rows[i].spec, minimum, maximum, rows[i].minimum,
                     rows[i].maximum);
        sugar_activation_destroy(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_is_exact),
        cmocka_unit_test(range_is_known),
        cmocka_unit_test(range_is_rounded_outwards),
    };
    return cmocka_run_group_tests_name("gradient range", tests, NULL, NULL);
}
