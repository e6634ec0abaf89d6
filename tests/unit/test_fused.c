/* Biases, gated units, and their gradients: every set of options on random views, element by element against an oracle
 * that adds, multiplies and sums by itself. f and g' of one number are those of plain calls, or straight lines. */
#include "fused_case.h"

#include <math.h>

/* What one element is computed from. */
typedef struct element {
    double x, dy, gate;             /* x with its bias; dy before its gate */
    double slope;                   /* of the line that prelu or rrelu is */
} element;

static double slopes[MOST_ELEMENTS];

/* The slopes that rrelu draws: those of a plain call on x = -1. */
static void draw_slopes(const test_case *c)
{
    static float in[MOST_ELEMENTS], out[MOST_ELEMENTS];
    static double in64[MOST_ELEMENTS], out64[MOST_ELEMENTS];
    sugar_activation *a = must_create("rrelu", NULL);
    const sugar_call_options options = {.struct_size = sizeof options, .random = &c->random};
    for (int64_t i = 0; i < c->count; i++)
        in64[i] = in[i] = -1;
    assert_ok(sugar_forward_f32(a, c->count, in, 1, out, 1, &options));
    assert_ok(sugar_forward_f64(a, c->count, in64, 1, out64, 1, &options));
    for (int64_t i = 0; i < c->count; i++)
        slopes[i] = c->type == ELEMENT_F64 ? -out64[i] : (double)-out[i];
    sugar_activation_destroy(a);
}

static element read_element(const test_case *c, int64_t i)
{
    element e = {.x = read_before(c, &c->x, i), .dy = read_before(c, &c->dy, i), .gate = read_before(c, &c->gate, i)};
    if (c->set & BIAS)
        e.x = add(c->type, e.x, read_before(c, &c->bias, i));
    e.slope = c->set & PARAMETER ? read_before(c, &c->parameter, i) : c->set & RANDOM ? slopes[i] : 0.375;
    return e;
}

static int is_line(const test_case *c) { return c->set & (PARAMETER | RANDOM); }

static double value_of(const test_case *c, const element *e)
{
    if (c->set & FROM_OUTPUT)
        return e->x;
    if (is_line(c))
        return e->x > 0 ? e->x : times(c->type, e->slope, e->x);
    return plain_value(c->activation, c->type, e->x);
}

static double code_value(const test_case *c, int64_t i)
{
    sugar_activation_info info = {.struct_size = sizeof info};
    assert_ok(sugar_activation_get_info(c->activation, &info));
    const uint8_t code =
        *((const uint8_t *)c->saved.before + ((uint8_t *)c->saved.v.tensor.data - (const uint8_t *)c->saved.memory)
          + offset_of(c, &c->saved.v, i));
    const double lower = info.gradient_minimum, spacing = (info.gradient_maximum - lower) / 255;
    return times_plus(c->type, code, spacing, lower);
}

static double derivative_of(const test_case *c, const element *e, int64_t i)
{
    if (c->is_backward && c->set & SAVED)
        return code_value(c, i);
    if (!is_line(c))
        return plain_derivative(c->activation, c->type, e->x, c->set & FROM_OUTPUT ? SUGAR_CALL_FROM_OUTPUT : 0);
    const double own = isnan(e->x) ? e->x : e->x > 0 ? 1 : e->slope, blend = c->recipe->blend;
    if (blend == 0 || (c->recipe->negative_only && !(e->x <= 0)))
        return own;
    const double other = plain_derivative(c->surrogate, c->type, e->x, 0);
    return blend == 1 ? other : times_plus(c->type, blend, other, times(c->type, 1 - blend, own));
}

static void expect(const test_case *c, const operand *o, int64_t i, const char *what, double value)
{
    const uint64_t found = bits_after(c, o, i), expected = element_of(value, o->type);
    if (!element_same(found, expected, o->type))
        fail_msg("set 0x%x, %s, %s %s: element %lld of %s is %a, expected %a (rounded)", (unsigned)c->set,
                 c->is_backward ? "backward" : "forward", element_formats[c->type].name, c->recipe->spec, (long long)i,
                 what, element_value(found, o->type), value);
}

static const operand *output_of(const test_case *c, int number)
{
    return c->in_place[number] ? c->in_place[number] : number ? &c->gate_gradient : &c->out;
}

/* The code nearest to g', or a neighbour where it is nearly as near. */
static void expect_code(const test_case *c, int64_t i, double derivative)
{
    sugar_activation_info info = {.struct_size = sizeof info};
    assert_ok(sugar_activation_get_info(c->activation, &info));
    const double exact = 255 * (derivative - info.gradient_minimum) / (info.gradient_maximum - info.gradient_minimum);
    const uint8_t code = ((uint8_t *)c->saved.v.tensor.data)[offset_of(c, &c->saved.v, i)];
    if (isnan(derivative) ? code != 0 : !(fabs(exact - code) <= 0.5001))
        fail_msg("set 0x%x, %s %s: code %d, expected %g", (unsigned)c->set, element_formats[c->type].name,
                 c->recipe->spec, code, exact);
}

/* Sums by the offset of what the elements share. */
typedef struct shared_sum {
    long double value, size;
} shared_sum;
static shared_sum sums_of[MOST_MEMORY];

static int64_t place_of_sum(const test_case *c, const operand *o, int64_t i)
{
    const int64_t width = (int64_t)element_formats[o->type].width;
    return ((char *)o->v.tensor.data - (const char *)o->memory) / width + offset_of(c, &o->v, i);
}

/* Within half a unit in the last place of the exact sum. */
static void check_sums(const test_case *c, const operand *o, const char *what)
{
    static const double smallest[ELEMENT_TYPES] = {0x1p-149, 0x1p-1074, 0x1p-24, 0x1p-133};
    for (int64_t i = 0; i < c->count; i++) {
        shared_sum expected = sums_of[place_of_sum(c, o, i)];
        if (c->set & ACCUMULATE)
            expected.value += (long double)read_before(c, o, i);
        const double found = element_value(bits_after(c, o, i), o->type);
        const double half = ldexp(0.5000001, -element_formats[o->type].mantissa_bits);
        const long double allowed = (long double)half * fabsl(expected.value) + 0x1p-60L * expected.size;
        if (!(fabsl((long double)found - expected.value) <= allowed + (long double)smallest[o->type]))
            fail_msg("set 0x%x, %s %s: %s is %a, expected %La", (unsigned)c->set, element_formats[c->type].name,
                     c->recipe->spec, what, found, expected.value);
    }
}

static void add_product(const test_case *c, const operand *o, int64_t i, double product)
{
    shared_sum *s = &sums_of[place_of_sum(c, o, i)];
    s->value += (long double)product;
    s->size += fabsl((long double)product);
}

static void check_forward(const test_case *c)
{
    for (int64_t i = 0; i < c->count; i++) {
        const element e = read_element(c, i);
        const double value = value_of(c, &e);
        expect(c, output_of(c, 0), i, "y", c->set & GATE ? times(c->type, value, e.gate) : value);
        if (c->set & SAVED)
            expect_code(c, i, derivative_of(c, &e, i));
    }
}

static void check_backward(const test_case *c)
{
    const operand *summed = c->set & BIAS_GRADIENT ? &c->bias_gradient : &c->parameter_gradient;
    memset(sums_of, 0, (size_t)c->used * sizeof *sums_of);
    for (int64_t i = 0; i < c->count; i++) {
        const element e = read_element(c, i);
        const double dy = c->set & GATE ? times(c->type, e.dy, e.gate) : e.dy, d = derivative_of(c, &e, i);
        const double product = times(c->type, dy, d);
        const int adds = c->set & ACCUMULATE;
        const operand *dx = output_of(c, 0), *gradient = output_of(c, 1);
        expect(c, dx, i, "dx", adds ? times_plus(c->type, dy, d, read_before(c, dx, i)) : product);
        if (c->set & GATE_GRADIENT) {
            const double value = value_of(c, &e), before = read_before(c, gradient, i);
            expect(c, gradient, i, "gate_gradient",
                   adds ? times_plus(c->type, e.dy, value, before) : times(c->type, e.dy, value));
        }
        add_product(c, summed, i, c->set & BIAS_GRADIENT ? product : times(c->type, dy, e.x > 0 ? 0 : e.x));
    }
    if (c->set & (BIAS_GRADIENT | PARAMETER_GRADIENT))
        check_sums(c, summed, c->set & BIAS_GRADIENT ? "bias_gradient" : "parameter_gradient");
}

/* A monitor sees x with its bias. */
static void check_monitor(const test_case *c)
{
    sugar_monitor_summary summary = {.struct_size = sizeof summary};
    int64_t active = 0;
    double total = 0;
    for (int64_t i = 0; i < c->count; i++) {
        const element e = read_element(c, i);
        active += e.x > 0;
        total += e.x;
    }
    assert_ok(sugar_monitor_get(c->options.monitor, &summary));
    assert_int_equal(summary.samples, c->count);
    assert_int_equal(summary.active, active);
    assert_true(fabs(summary.mean * (double)c->count - total) < 1e-9 * (double)c->count);
}

static void check_untouched(const test_case *c)
{
    const operand *const all[] = {&c->x,
                                  &c->dy,
                                  &c->out,
                                  &c->parameter,
                                  &c->parameter_gradient,
                                  &c->bias,
                                  &c->bias_gradient,
                                  &c->gate,
                                  &c->gate_gradient,
                                  &c->saved};
    for (size_t k = 0; k < COUNT(all); k++)
        if (memcmp(all[k]->memory, all[k]->before, (size_t)c->used * sizeof(uint64_t)) != 0)
            fail_msg("set 0x%x in %s: refused, but operand %d was written", (unsigned)c->set,
                     c->is_backward ? "backward" : "forward", (int)k);
}

static void check_case(const recipe *chosen, int set, int is_backward, element_type type, uint64_t *state)
{
    static test_case c;
    make_case(&c, chosen, set, is_backward, type, state);
    const sugar_status status = run_case(&c);
    if (!is_allowed(set, is_backward)) {
        assert_fails(status, SUGAR_ERROR_UNSUPPORTED, "options: ");
        check_untouched(&c);
    } else {
        if (status != SUGAR_OK)
            fail_msg("set 0x%x in %s: %s", (unsigned)set, is_backward ? "backward" : "forward", sugar_last_error());
        if (set & RANDOM)
            draw_slopes(&c);
        if (set & FUSED && is_backward)
            check_backward(&c);
        else if (set & FUSED)
            check_forward(&c);
        if (set & MONITOR)
            check_monitor(&c);
    }
    end_case(&c);
}

/* Sets that only older options are in have tests of their own: here it is whether they are refused. */
static void every_set(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    for (int set = 0; set < ALL_SETS; set++)
        for (int is_backward = 0; is_backward < 2; is_backward++)
            for (element_type type = 0; type < ELEMENT_TYPES; type++)
                for (int i = is_allowed(set, is_backward) && !short_run() ? 8 : 1; i > 0; i--)
                    check_case(NULL, set, is_backward, type, &state);
}

/* The kinds that have loops with a bias and a gate (FUSED and FUSED_AT_DEFAULTS in kinds.def), as f and as g. */
static const recipe fusible[] = {
    {"identity", NULL, 0, 0},
    {"relu", NULL, 0, 0},
    {"relu6", NULL, 0, 0},
    {"leaky_relu", NULL, 0, 0},
    {"elu", NULL, 0, 0},
    {"gelu", NULL, 0, 0},
    {"gelu_tanh", NULL, 0, 0},
    {"mish", NULL, 0, 0},
    {"sigmoid", NULL, 0, 0},
    {"tanh", NULL, 0, 0},
    {"hardswish", NULL, 0, 0},
    {"nelu", NULL, 0, 0},
    {"silu", NULL, 0, 0},
    {"silu(beta=1.75)", NULL, 0, 0},
    {"softplus", NULL, 0, 0},
    {"bsilu", NULL, 0, 0},
    {"elu(alpha=0.5)~elu(alpha=2)", NULL, 0, 0},
    {"silu(beta=2)~silu", NULL, 0, 0},
    {"leaky_relu~nelu", NULL, 0, 0},
};

static void every_fused_loop(void **unused)
{
    (void)unused;
    uint64_t state = 2;
    for (size_t k = 0; k < COUNT(fusible); k++)
        for (int set = 0; set <= (FUSED | ACCUMULATE); set++)
            for (int is_backward = 0; is_backward < 2; is_backward++)
                if (set & FUSED && !(set & ~(FUSED | ACCUMULATE)) && is_allowed(set, is_backward))
                    for (element_type type = 0; type < ELEMENT_TYPES; type++)
                        for (int i = short_run() ? 1 : 3; i > 0; i--)
                            check_case(&fusible[k], set, is_backward, type, &state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_set),
        cmocka_unit_test(every_fused_loop),
    };
    return cmocka_run_group_tests_name("fused", tests, NULL, NULL);
}
