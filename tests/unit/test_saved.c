/* Saved gradients: the bounds of g', the error of codes, bits for derivatives of two values, and calls that write and
 * read them. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static int kind_count;

/* ---- Specs --------------------------------------------------------------------------------- */

typedef struct spec_text {
    char text[256];
} spec_text;

/* A number within a parameter's range: the default, or any f32. */
static double draw_parameter(const sugar_parameter *row, int set, uint64_t *state)
{
    if (set == 0)
        return row->default_value;
    const double largest = fmax(fabs(row->minimum), fabs(row->maximum));
    const double smallest = row->minimum > 0 ? row->minimum : fmin(1e-3, largest);
    const double share = (double)random_between(state, 0, 1000) / 1000;
    const double a = smallest * pow(fmin(largest, 1e6) / smallest, share);
    const int negative = row->minimum < 0 && random_between(state, 0, 1);
    return fmin(fmax((double)(float)(negative ? -a : a), row->minimum), row->maximum);
}

/* The spec: `before`, then the kind with random parameters, then options of a surrogate. */
static spec_text make_spec(const char *before, int32_t kind, int set, const char *options, uint64_t *state)
{
    sugar_kind row = {.struct_size = sizeof row};
    assert_ok(sugar_kind_get(kind, &row));
    spec_text spec;
    int length = snprintf(spec.text, sizeof spec.text, "%s%s(", before, row.name);
    double values[8];
    sugar_parameter parameter[8];
    for (int i = 0; i < row.parameter_count; i++) {
        parameter[i].struct_size = sizeof parameter[i];
        assert_ok(sugar_kind_get_parameter(kind, i, &parameter[i]));
        values[i] = draw_parameter(&parameter[i], set, state);
    }
    for (int i = 0; i < row.parameter_count; i++)
        if (parameter[i].not_above >= 0 && values[i] > values[parameter[i].not_above])
            values[parameter[i].not_above] = values[i] + 1;
    for (int i = 0; i < row.parameter_count; i++)
        length += snprintf(spec.text + length, sizeof spec.text - (size_t)length, "%s%s=%.17g", i ? "," : "",
                           parameter[i].name, values[i]);
    snprintf(spec.text + length, sizeof spec.text - (size_t)length, "%s%s)", row.parameter_count && *options ? "," : "",
             options);
    char *empty = strstr(spec.text, "()");
    if (empty)
        *empty = '\0';
    return spec;
}

/* ---- The range ----------------------------------------------------------------------------- */

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

static void find_range(const sugar_activation *a, double *minimum, double *maximum)
{
    sugar_activation_info info = {.struct_size = sizeof info};
    assert_ok(sugar_activation_get_info(a, &info));
    *minimum = info.gradient_minimum;
    *maximum = info.gradient_maximum;
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
    for (int32_t kind = 0; kind < kind_count; kind++)
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

/* ---- Calls with saved gradients --------------------------------------------------------------- */

/* A saved gradient of `bits` bits for each element of a view. */
static sugar_tensor saved_like(const view *v, void *data, int bits, const int64_t *strides)
{
    sugar_tensor saved = v->tensor;
    saved.data = data;
    saved.byte_offset = 0;
    saved.dtype = (sugar_data_type){SUGAR_TYPE_UNSIGNED, (uint8_t)bits, 1};
    saved.strides = strides;
    return saved;
}

static sugar_call_options options_with(const sugar_tensor *saved, uint64_t flags, const sugar_context *context)
{
    return (sugar_call_options){
        .struct_size = sizeof(sugar_call_options), .flags = flags, .context = context, .saved_gradient = saved};
}

enum { N = 3000 };

/* Flat calls, with a compact saved gradient. */
typedef struct vectors {
    element_type type;
    uint64_t x[N], y[N], dy[N], dx[N], ones[N];     /* room for any type */
    uint8_t codes[N];
    int64_t n;
} vectors;
static vectors v, w;

static void fill(vectors *a, element_type type, uint64_t *state)
{
    memset(a, 0, sizeof *a);
    a->type = type;
    a->n = N;
    for (int64_t i = 0; i < N; i++) {
        const bool is_dense = i >= N / 3;
        element_store(a->x, i, type,
                      is_dense ? element_of((double)(i - 2 * N / 3) * 0x1p-6, type) : random_element(state, type));
        element_store(a->dy, i, type, element_of((double)random_between(state, -4000, 4000) * 0x1p-9, type));
        element_store(a->ones, i, type, element_of(1, type));
    }
}

static sugar_tensor flat_saved(vectors *a, int bits)
{
    return (sugar_tensor){.data = a->codes,
                          .device = {SUGAR_DEVICE_CPU, 0},
                          .ndim = 1,
                          .shape = &a->n,
                          .dtype = {SUGAR_TYPE_UNSIGNED, (uint8_t)bits, 1}};
}

static void save(const sugar_activation *activation, vectors *a, int bits)
{
    const sugar_tensor saved = flat_saved(a, bits);
    const sugar_call_options options = options_with(&saved, 0, NULL);
    assert_ok(flat_forward(activation, a->type, N, a->x, 1, a->y, 1, &options));
}

static void restore(const sugar_activation *activation, vectors *a, int bits, const void *dy, uint64_t flags)
{
    const sugar_tensor saved = flat_saved(a, bits);
    const sugar_call_options options = options_with(&saved, flags, NULL);
    assert_ok(flat_backward(activation, a->type, N, NULL, 1, dy, 1, a->dx, 1, &options));
}

/* The smallest positive element. */
static double smallest(element_type type) { return element_value(1, type); }

/* By how much a result near a differs at most from the element that it is stored as. */
static double storing(element_type type, double a)
{
    return ldexp(fabs(a), -element_formats[type].mantissa_bits) + smallest(type);
}

/* What a code stands for is within half the spacing of codes, and a rounding, of the derivative, before that is stored
 * as an element. */
static void check_codes(const char *spec, element_type type)
{
    uint64_t state = 3;
    fill(&v, type, &state);
    sugar_activation *a = must_create(spec, NULL);
    double minimum, maximum;
    find_range(a, &minimum, &maximum);
    save(a, &v, 8);
    restore(a, &v, 8, v.ones, 0);
    memcpy(w.dx, v.dx, sizeof w.dx);
    assert_ok(flat_backward(a, type, N, v.x, 1, v.ones, 1, v.dx, 1, NULL));
    const double largest = fmax(fabs(minimum), fabs(maximum)), half = (maximum - minimum) / 510;
    const double arithmetic = type == ELEMENT_F64 ? 0x1p-52 : 0x1p-23;
    const double rounding = 4 * arithmetic * largest + (double)FLT_TRUE_MIN;
    for (int64_t i = 0; i < N; i++) {
        const double d = element_value(element_load(v.dx, i, type), type);
        const double back = element_value(element_load(w.dx, i, type), type);
        const double stands_for = minimum + (maximum - minimum) / 255 * v.codes[i];
        if (element_is_nan(element_load(v.x, i, type), type)) {
            assert_int_equal(v.codes[i], 0);
            continue;
        }
        if (isinf(d) || isinf(back)) {      /* too large for a narrow type */
            assert_true(fabs(stands_for) + half > 65000);
            continue;
        }
        const double stored = storing(type, d);
        if (!(fabs(stands_for - d) <= half + rounding + stored)
            || !(fabs(back - d) <= half + rounding + 2 * stored + storing(type, back)))
            fail_msg("%s, %s: derivative %.9g, code %d is %.9g, used as %.9g; half a step is %.3g", spec,
                     element_formats[type].name, d, v.codes[i], stands_for, back, half);
    }
    sugar_activation_destroy(a);
}

static bool has_range(const char *spec)
{
    double minimum, maximum;
    sugar_activation *a = must_create(spec, NULL);
    find_range(a, &minimum, &maximum);
    sugar_activation_destroy(a);
    return maximum - minimum < (double)INFINITY;
}

static void codes_are_close(void **unused)
{
    (void)unused;
    uint64_t state = 11;
    for (int32_t kind = 0; kind < kind_count; kind++)
        for (int set = 0; set < (short_run() ? 1 : 3); set++)
            for (int type = 0; type < ELEMENT_TYPES; type++) {
                const spec_text plain = make_spec("identity~", kind, set, "", &state);
                if (!has_range(plain.text))
                    continue;
                check_codes(plain.text, (element_type)type);
                check_codes(make_spec("relu~", kind, set, "domain=negative", &state).text, (element_type)type);
                check_codes(make_spec("gelu~", kind, set, "blend=0.75", &state).text, (element_type)type);
            }
}

/* y is the same as without a saved gradient; kinds with an unbounded derivative are refused with a message. */
static void every_kind_or_an_error(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    int refused = 0;
    for (int32_t i = 0; i < kind_count; i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        if (!(kind.roles & SUGAR_ROLE_FORWARD))
            continue;
        fill(&v, ELEMENT_F32, &state);
        sugar_activation *a = must_create(kind.name, NULL);
        const sugar_tensor saved = flat_saved(&v, 8);
        const sugar_call_options options = options_with(&saved, 0, NULL);
        memset(v.codes, 77, sizeof v.codes);
        const sugar_status status = flat_forward(a, v.type, N, v.x, 1, v.y, 1, &options);
        assert_int_equal(status == SUGAR_OK, (kind.capabilities & SUGAR_CAN_SAVE_BYTE) != 0);
        if (status == SUGAR_OK) {
            assert_ok(flat_forward(a, v.type, N, v.x, 1, w.y, 1, NULL));
            assert_memory_equal(v.y, w.y, N * sizeof(float));
        } else {
            assert_fails(status, SUGAR_ERROR_UNSUPPORTED, "finite range");
            assert_int_equal(v.codes[0], 77);
            refused++;
        }
        sugar_activation_destroy(a);
    }
    assert_int_equal(refused, 4);       /* relu_squared, exponential, xielu and square */
}

/* A 255th of the range must be a number that codes can be computed with. */
static void tiny_ranges(void **unused)
{
    (void)unused;
    static const struct {
        const char *spec;
        bool can;
    } rows[] = {
        {"heaviside~box_spike(blend=1e-35)", true},
        {"heaviside~box_spike(blend=1e-36)", false},
        {"heaviside~box_spike(blend=1e-44)", false},
        {"heaviside~box_spike(blend=0)", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sugar_activation *a = must_create(rows[i].spec, NULL);
        sugar_activation_info info = {.struct_size = sizeof info};
        assert_ok(sugar_activation_get_info(a, &info));
        assert_int_equal((info.capabilities & SUGAR_CAN_SAVE_BYTE) != 0, rows[i].can);
        sugar_activation_destroy(a);
    }
}

/* ---- Bits -------------------------------------------------------------------------------------- */

/* From bits the backward pass gives what it gives from x. */
static void check_bits(const char *spec, element_type type)
{
    uint64_t state = 21;
    fill(&v, type, &state);
    for (int64_t i = 0; i < N; i++)         /* where x is NaN, the bit is 0 */
        if (element_is_nan(element_load(v.x, i, type), type))
            element_store(v.x, i, type, element_of(-1, type));
    sugar_activation *a = must_create(spec, NULL);
    memset(v.codes, 0xa5, sizeof v.codes);
    save(a, &v, 1);
    assert_int_equal(v.codes[(N + 7) / 8], 0xa5);
    for (int accumulate = 0; accumulate <= 1; accumulate++) {
        const sugar_call_options options = options_with(NULL, accumulate ? SUGAR_CALL_ACCUMULATE : 0, NULL);
        memcpy(v.dx, v.dy, sizeof v.dx);
        memcpy(w.dx, v.dy, sizeof w.dx);
        restore(a, &v, 1, v.dy, options.flags);
        assert_ok(flat_backward(a, type, N, v.x, 1, v.dy, 1, w.dx, 1, &options));
        for (int64_t i = 0; i < N; i++)
            if (!element_same(element_load(v.dx, i, type), element_load(w.dx, i, type), type))
                fail_msg("%s, %s at %.9g: %.9g from its bit, %.9g from x", spec, element_formats[type].name,
                         element_value(element_load(v.x, i, type), type),
                         element_value(element_load(v.dx, i, type), type),
                         element_value(element_load(w.dx, i, type), type));
    }
    sugar_activation_destroy(a);
}

static void bits_are_exact(void **unused)
{
    (void)unused;
    static const char *const specs[] = {
        "identity",
        "relu",
        "relu6",
        "threshold(threshold=0.3,value=7)",
        "leaky_relu",
        "prelu(alpha=-0.3)",
        "rrelu(lower=0.1,upper=0.30000001192)",
        "softshrink",
        "hardshrink(lambda=0)",
        "hardtanh(min_val=0.1,max_val=0.7)",
        "hardtanh(min_val=1,max_val=1)",
        "hardsigmoid",
        "heaviside(threshold=0.3)~box_spike",
        "heaviside(threshold=2)~box_spike(width=0.75)",
        "sign~box_spike(width=0)",
        "heaviside(threshold=-0.3)~box_spike(domain=negative)",
        "relu~leaky_relu(domain=negative)",
        "gelu~relu",
        "relu~leaky_relu(negative_slope=0.1,blend=0.3)",
        "relu~identity(blend=0.7)",
        "bsilu~relu6",
        "leaky_relu(negative_slope=1e-44)",
        "prelu(alpha=1)",
        "prelu(alpha=0.99999994)",
        "elu~relu(domain=negative)",
        "selu~leaky_relu(domain=negative)",
        "celu(alpha=0.3)~heaviside(domain=negative)",
        "identity~relu_squared(domain=negative)",
        "threshold~elu(domain=negative,blend=0)",
    };
    for (size_t i = 0; i < COUNT(specs); i++)
        for (int type = 0; type < ELEMENT_TYPES; type++)
            check_bits(specs[i], (element_type)type);
}

static void more_than_two_values_are_refused(void **unused)
{
    (void)unused;
    static const char *const specs[] = {
        "gelu",
        "relu~bsilu",
        "relu~elu(domain=negative)",
        "relu6~relu(blend=0.5)",
        "relu_squared",
        "relu6~hardtanh(min_val=0,max_val=3,blend=0.5)",
        "relu6~leaky_relu(domain=negative)",
        "relu~gelu(blend=0.5)",
        "gelu~relu(domain=negative)",
        "elu~relu(domain=negative,blend=0.5)",
        "relu~relu_squared",
    };
    uint64_t state = 2;
    fill(&v, ELEMENT_F32, &state);
    const sugar_tensor saved = flat_saved(&v, 1);
    const sugar_call_options options = options_with(&saved, 0, NULL);
    for (size_t i = 0; i < COUNT(specs); i++) {
        sugar_activation *a = must_create(specs[i], NULL);
        assert_fails(flat_forward(a, v.type, N, v.x, 1, v.y, 1, &options), SUGAR_ERROR_UNSUPPORTED, "two values");
        assert_fails(flat_backward(a, v.type, N, NULL, 1, v.dy, 1, v.dx, 1, &options), SUGAR_ERROR_UNSUPPORTED,
                     "two values");
        sugar_activation_destroy(a);
    }
}

/* Kinds with SUGAR_CAN_SAVE_* accept a saved gradient, others refuse it. */
static void capabilities_hold(void **unused)
{
    (void)unused;
    uint64_t state = 2;
    fill(&v, ELEMENT_F32, &state);
    const sugar_tensor saved = flat_saved(&v, 1);
    const sugar_call_options options = options_with(&saved, 0, NULL);
    for (int32_t i = 0; i < kind_count; i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        assert_ok(sugar_kind_get(i, &kind));
        sugar_activation *a = must_create(make_spec("gelu~", i, 0, "", &state).text, NULL);
        const sugar_status status = flat_forward(a, v.type, N, v.x, 1, v.y, 1, &options);
        assert_int_equal(status == SUGAR_OK, (kind.capabilities & SUGAR_CAN_SAVE_BIT) != 0);
        sugar_activation_destroy(a);
    }
}

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
    for (int32_t kind = 0; kind < kind_count; kind++)
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

/* ---- Bad input --------------------------------------------------------------------------------- */

static void bad_input(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    fill(&v, ELEMENT_F32, &state);
    sugar_activation *a = must_create("relu~bsilu", NULL), *leaky = must_create("leaky_relu", NULL),
                     *random_relu = must_create("rrelu", NULL);
    sugar_tensor saved = flat_saved(&v, 8);
    const sugar_call_options options = options_with(&saved, 0, NULL);
    float *x = (float *)(void *)v.x, *y = (float *)(void *)v.y, *dy = (float *)(void *)v.dy,
          *dx = (float *)(void *)v.dx;
    assert_fails(sugar_backward_f32(a, N, x, 1, dy, 1, dx, 1, &options), SUGAR_ERROR_ARGUMENT, "x: not NULL beside");

    saved.data = y + 1;             /* codes among the outputs and the inputs */
    assert_fails(sugar_forward_f32(a, N, x, 1, y, 1, &options), SUGAR_ERROR_OVERLAP, "overlaps saved_gradient");
    saved.data = x;
    assert_fails(sugar_forward_f32(a, N, x, 1, y, 1, &options), SUGAR_ERROR_OVERLAP, "saved_gradient: overlaps x");
    saved.data = dx;
    assert_fails(sugar_backward_f32(a, N, NULL, 1, dy, 1, dx, 1, &options), SUGAR_ERROR_OVERLAP, "dx: overlaps");
    saved.dtype.bits = 1;
    saved.data = (char *)(dx + N) - 1;
    assert_fails(sugar_backward_f32(leaky, N, NULL, 1, dy, 1, dx, 1, &options), SUGAR_ERROR_OVERLAP, "dx: overlaps");
    saved.data = (char *)y - (N + 7) / 8 + 1;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_OVERLAP, "y: overlaps saved_gradient");
    saved.data = (char *)(x + N) - 1;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_OVERLAP, "saved_gradient: overlaps x");
    saved.data = NULL;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_ARGUMENT, "saved_gradient: data NULL");

    saved = flat_saved(&v, 1);
    const int64_t two = 2, less = N - 1;
    saved.strides = &two;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_ARGUMENT, "stride 2 in dimension 0");
    saved.strides = NULL;
    saved.shape = &less;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_ARGUMENT, "saved_gradient: shape");
    saved = flat_saved(&v, 4);
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &options), SUGAR_ERROR_UNSUPPORTED, "saved_gradient: dtype");
    saved = flat_saved(&v, 8);
    saved.dtype.code = SUGAR_TYPE_FLOAT;
    assert_fails(sugar_forward_f32(a, N, x, 1, y, 1, &options), SUGAR_ERROR_UNSUPPORTED, "saved_gradient: dtype");
    saved = flat_saved(&v, 8);
    const int64_t none = 0;
    saved.strides = &none;
    assert_fails(sugar_forward_f32(a, N, x, 1, y, 1, &options), SUGAR_ERROR_OVERLAP, "saved_gradient: stride 0");
    saved.strides = NULL;

    sugar_call_options beside = options_with(&saved, SUGAR_CALL_FROM_OUTPUT, NULL);
    assert_fails(sugar_backward_f32(leaky, N, NULL, 1, dy, 1, dx, 1, &beside), SUGAR_ERROR_UNSUPPORTED,
                 "saved_gradient beside SUGAR_CALL_FROM_OUTPUT");
    view parameter;
    const int64_t n = N;
    view_make(&parameter, dy, sizeof *dy, 1, &n, NULL);
    beside = options_with(&saved, 0, NULL);
    beside.parameter = &parameter.tensor;
    assert_fails(sugar_forward_f32(leaky, N, x, 1, y, 1, &beside), SUGAR_ERROR_UNSUPPORTED, "parameter beside");
    assert_fails(sugar_backward_f32(leaky, N, NULL, 1, dy, 1, dx, 1, &beside), SUGAR_ERROR_UNSUPPORTED,
                 "parameter beside");
    const sugar_random seed = {.struct_size = sizeof seed};
    beside.parameter = NULL;
    beside.random = &seed;
    assert_fails(sugar_forward_f32(random_relu, N, x, 1, y, 1, &beside), SUGAR_ERROR_UNSUPPORTED,
                 "saved_gradient beside random");
    sugar_activation_destroy(a);
    sugar_activation_destroy(leaky);
    sugar_activation_destroy(random_relu);
}

/* Calls without elements succeed. */
static void no_elements(void **unused)
{
    (void)unused;
    sugar_activation *a = must_create("relu", NULL);
    const int64_t none = 0;
    sugar_tensor saved = {
        .device = {SUGAR_DEVICE_CPU, 0}, .ndim = 1, .shape = &none, .dtype = {SUGAR_TYPE_UNSIGNED, 1, 1}};
    const sugar_call_options options = options_with(&saved, 0, NULL);
    assert_ok(sugar_forward_f32(a, 0, NULL, 1, NULL, 1, &options));
    assert_ok(sugar_backward_f32(a, 0, NULL, 1, NULL, 1, NULL, 1, &options));
    sugar_activation_destroy(a);
}

static int set_up(void **unused)
{
    (void)unused;
    kind_count = sugar_kind_count();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_is_exact),
        cmocka_unit_test(range_is_known),
        cmocka_unit_test(range_is_rounded_outwards),
        cmocka_unit_test(codes_are_close),
        cmocka_unit_test(every_kind_or_an_error),
        cmocka_unit_test(tiny_ranges),
        cmocka_unit_test(bits_are_exact),
        cmocka_unit_test(more_than_two_values_are_refused),
        cmocka_unit_test(capabilities_hold),
        cmocka_unit_test(any_layout),
        cmocka_unit_test(past_the_caches),
        cmocka_unit_test(any_number_of_threads),
        cmocka_unit_test(every_level),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(no_elements),
    };
    return cmocka_run_group_tests_name("saved", tests, set_up, NULL);
}
