/* Checks the reference against itself, by other formulas. */
#define _POSIX_C_SOURCE 200809L
#include "catalogue.h"
#include "fast.h"
#include "fast_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int passed, failed;

static void expect(int good, const char *kind, const char *what, double x, double error)
{
    *(good ? &passed : &failed) += 1;
    if (!good)
        printf("FAIL %s: %s at %a (%.9g): error %.3g\n", kind, what, x, x, error);
}

static void fail(const char *kind, const char *what)
{
    failed++;
    printf("FAIL %s: %s\n", kind, what);
}

/* ---- A derivative is the slope of what it is the derivative of ----------------------------------- */

/* |f'(x) - (f(x + h) - f(x - h)) / 2h|, relative to the larger of |f'| and |f / x|, by the reference's
 * own arithmetic; h is so small that the exact difference quotient has 30 right digits. f is the function in direction
 * `of`, f' that in direction `way`. */
static double slope_error(const reference_kind *kind, direction of, direction way, const double *p, double x,
                          reference_scratch *scratch)
{
    mpfr_t h, at, above, below, exact;
    mpfr_inits2(REFERENCE_BITS, h, at, above, below, exact, (mpfr_ptr)0);
    mpfr_set_d(h, fabs(x), MPFR_RNDN);
    mpfr_mul_2si(h, h, -100, MPFR_RNDN);
    mpfr_d_sub(at, x, h, MPFR_RNDN);
    kind->function[of](below, at, p, scratch);
    mpfr_add_d(at, h, x, MPFR_RNDN);
    kind->function[of](above, at, p, scratch);
    reference_evaluate(exact, kind, way, p, x, scratch);
    mpfr_sub(below, above, below, MPFR_RNDN);
    mpfr_div(below, below, h, MPFR_RNDN);
    mpfr_div_ui(below, below, 2, MPFR_RNDN);
    mpfr_sub(below, below, exact, MPFR_RNDN);
    mpfr_abs(below, below, MPFR_RNDN);
    mpfr_div_d(above, above, x, MPFR_RNDN);
    if (mpfr_cmpabs(exact, above) > 0)
        mpfr_set(above, exact, MPFR_RNDN);
    if (!mpfr_zero_p(below))
        mpfr_div(below, below, above, MPFR_RNDN);
    double error = fabs(mpfr_get_d(below, MPFR_RNDN));
    mpfr_clears(h, at, above, below, exact, (mpfr_ptr)0);
    return error;
}

static void check_slope(const catalogue_entry *entry, direction of, direction way, const double *p,
                        reference_scratch *scratch)
{
    static const double points[] = {1e-300, 1e-30, 1e-9, 0.01, 0.3, 0.7, 1.2, 2.2, 3.7, 7, 25, 100, 700};
    for (size_t i = 0; i < 2 * sizeof points / sizeof points[0]; i++) {
        double x = i % 2 ? points[i / 2] : -points[i / 2];
        double error = slope_error(entry->reference, of, way, p, x, scratch);
        char what[80];
        snprintf(what, sizeof what, "%s is not the slope of %s", direction_names[way], direction_names[of]);
        expect(error < 1e-30, entry->reference->name, what, x, error);
    }
}

/* The error of the parameter derivative against values for two parameters next to p, of which the difference is exact:
 * relative to the derivative, or, where that leaves no trace in the value, to the 2^-150th part of x. */
static double parameter_derivative_error(const reference_kind *kind, const double *p, double x,
                                         reference_scratch *scratch)
{
    const double above = p[0] + p[0] * 0x1p-26, below = p[0] - p[0] * 0x1p-26;
    mpfr_t quotient, other, exact;
    mpfr_inits2(REFERENCE_BITS, quotient, other, exact, (mpfr_ptr)0);
    reference_evaluate(quotient, kind, VALUE, &above, x, scratch);
    reference_evaluate(other, kind, VALUE, &below, x, scratch);
    mpfr_sub(quotient, quotient, other, MPFR_RNDN);
    mpfr_div_d(quotient, quotient, above - below, MPFR_RNDN);
    reference_evaluate(exact, kind, PARAMETER_DERIVATIVE, p, x, scratch);
    mpfr_sub(quotient, quotient, exact, MPFR_RNDN);
    const double size = fmax(fabs(mpfr_get_d(exact, MPFR_RNDN)), fabs(x) * 0x1p-150);
    const double error = fabs(mpfr_get_d(quotient, MPFR_RNDN)) / size;
    mpfr_clears(quotient, other, exact, (mpfr_ptr)0);
    return error;
}

static void check_parameter_derivatives(const catalogue_entry *entry, const double *p, reference_scratch *scratch)
{
    static const double points[] = {1e-9, 0.01, 0.3, 0.7, 1.2, 2.2, 3.7, 7, 25, 100};
    for (size_t i = 0; i < 2 * sizeof points / sizeof points[0]; i++) {
        const double x = i % 2 ? points[i / 2] : -points[i / 2];
        const double error = parameter_derivative_error(entry->reference, p, x, scratch);
        expect(error < 1e-10, entry->reference->name, "the parameter derivative is not that of the value", x, error);
    }
}

/* ---- Conventions at kinks and known numbers --------------------------------------------------- */

/* Of the defaults; NAN: there is no value. */
static const struct {
    const char *kind;
    double x, value, derivative;
} known[] = {
    {"identity", -2, -2, 1},
    {"relu", 0, 0, 0},
    {"relu", -1, 0, 0},
    {"relu", 3, 3, 1},
    {"relu6", 0, 0, 0},
    {"relu6", 6, 6, 0},
    {"relu6", 5, 5, 1},
    {"relu_squared", 0, 0, 0},
    {"relu_squared", 3, 9, 6},
    {"threshold", 1, 0, 0},
    {"threshold", 2, 2, 1},
    {"leaky_relu", 0, 0, 0.01},
    {"prelu", -4, -1, 0.25},
    {"rrelu", -48, -11, 11 / 48.0},
    {"elu", 0, 0, 1},
    {"celu", 0, 0, 1},
    {"elu", -HUGE_VAL, -1, 0},
    {"celu", HUGE_VAL, HUGE_VAL, 1},
    {"selu", 0, 0, 1.0507009873554805 * 1.6732632423543772},
    {"selu", 1, 1.0507009873554805, 1.0507009873554805},
    {"gelu", 0, 0, 0.5},
    {"gelu", 1, 0.8413447460685429, 1.0833154705876864},
    {"gelu", -HUGE_VAL, 0, 0},
    {"gelu_tanh", 0, 0, 0.5},
    {"gelu_tanh", 1, 0.8411919906082768, 1.0829640838457826},
    {"silu", 0, 0, 0.5},
    {"silu", 1, 0.7310585786300049, 0.9276705118714869},
    {"silu", -HUGE_VAL, 0, 0},
    {"mish", 0, 0, 0.6},
    {"mish", 1, 0.8650983882673103, 1.0490362200997922},
    {"mish", HUGE_VAL, HUGE_VAL, 1},
    {"softplus", 0, 0.6931471805599453, 0.5},
    {"softplus", -HUGE_VAL, 0, 0},
    {"squareplus", 0, 1, 0.5},
    {"squareplus", -1.5, 0.5, 0.2},
    {"squareplus", -HUGE_VAL, 0, 0},
    {"softsign", -3, -0.75, 0.0625},
    {"sigmoid", 0, 0.5, 0.25},
    {"log_sigmoid", 0, -0.6931471805599453, 0.5},
    {"tanh", 0, 0, 1},
    {"tanh", HUGE_VAL, 1, 0},
    {"tanhshrink", 0, 0, 0},
    {"tanhshrink", HUGE_VAL, HUGE_VAL, 1},
    {"softshrink", 0.5, 0, 0},
    {"softshrink", -0.5, 0, 0},
    {"softshrink", 2, 1.5, 1},
    {"softshrink", -2, -1.5, 1},
    {"hardshrink", 0.5, 0, 0},
    {"hardshrink", -0.75, -0.75, 1},
    {"hardtanh", 1, 1, 0},
    {"hardtanh", -1, -1, 0},
    {"hardtanh", 0, 0, 1},
    {"hardtanh", 7, 1, 0},
    {"hardsigmoid", 3, 1, 0},
    {"hardsigmoid", -3, 0, 0},
    {"hardsigmoid", 0, 0.5, 1 / 6.0},
    {"hardswish", -3, 0, 0},
    {"hardswish", 3, 3, 1},
    {"hardswish", 0, 0, 0.5},
    {"bsilu", 0, 0, 0.9175},
    {"bsilu", -HUGE_VAL, -0.835, 0},
    {"bsilu", HUGE_VAL, HUGE_VAL, 1},
    {"nelu", 0, 0, 0},
    {"nelu", -1, 0.025, -0.025},
    {"nelu", 2, 2, 1},
    {"nelu", -HUGE_VAL, 0.05, 0},
    {"xielu", 0, 0, 0.5},
    {"xielu", 1, 1.3, 2.1},
    {"xielu", -1, -0.20569644706284612, -0.00569644706284617},
    {"xielu", -3, 0.13982965469429123, -0.26017034530570887},
    {"xielu", HUGE_VAL, HUGE_VAL, HUGE_VAL},
    {"xielu", -HUGE_VAL, HUGE_VAL, -0.30000000000000004},
    {"sin", 0, 0, 1},
    {"sin", 1, 0.8414709848078965, 0.5403023058681398},
    {"sin", 1e22, -0.8522008497671888, 0.5232147853951389},
    {"sin", HUGE_VAL, 0, 0},
    {"snake", 0, 0, 1},
    {"snake", 1, 1.7080734182735712, 1.9092974268256817},
    {"snake", -HUGE_VAL, -HUGE_VAL, 1},
    {"arctan", 0, 0, 1},
    {"arctan", -1, -0.78539816339744831, 0.5},
    {"arctan", 3, 1.2490457723982544, 0.1},
    {"arctan", HUGE_VAL, 1.5707963267948966, 0},
    {"lisht", 0, 0, 0},
    {"lisht", -1, 0.7615941559557649, -1.1815684975697909},
    {"lisht", -HUGE_VAL, HUGE_VAL, -1},
    {"logcosh", 0, 0, 0},
    {"logcosh", 1, 0.4337808304830271, 0.7615941559557649},
    {"logcosh", -HUGE_VAL, HUGE_VAL, -1},
    {"exponential", 0, 1, 1},
    {"exponential", 1, 2.718281828459045, 2.718281828459045},
    {"exponential", -HUGE_VAL, 0, 0},
    {"exponential", HUGE_VAL, HUGE_VAL, HUGE_VAL},
    {"hard_mish", -2, 0, -1},
    {"hard_mish", -1, -0.5, 0},
    {"hard_mish", 0, 0, 1},
    {"hard_mish", 3, 3, 1},
    {"hard_mish", -HUGE_VAL, 0, 0},
    {"sparse_plus", -1, 0, 0},
    {"sparse_plus", 0, 0.25, 0.5},
    {"sparse_plus", 1, 1, 1},
    {"sparse_plus", HUGE_VAL, HUGE_VAL, 1},
    {"sparse_sigmoid", -1, 0, 0},
    {"sparse_sigmoid", 0, 0.5, 0.5},
    {"sparse_sigmoid", 1, 1, 0},
    {"abs", 0, 0, 0},
    {"abs", -3, 3, -1},
    {"abs", 3, 3, 1},
    {"square", -3, 9, -6},
    {"square", -HUGE_VAL, HUGE_VAL, -HUGE_VAL},
    {"linear", -3, -3, 1},
    {"linear", HUGE_VAL, HUGE_VAL, 1},
    {"bounded_relu", -3, 0, 0},
    {"bounded_relu", 3, 3, 1},
    {"bounded_relu", 6, 6, 0},
    {"bounded_relu", HUGE_VAL, 6, 0},
    {"clipped_linear", 0, 0.5, 0.2},
    {"clipped_linear", -2.5, 0, 0},
    {"clipped_linear", 2.5, 1, 0},
    {"clipped_gate", 0, 0, 0.5},
    {"clipped_gate", -2.5, 0, 0},
    {"clipped_gate", 2.5, 2.5, 1},
    {"clipped_gate", -5, 0, 0},
    {"clipped_gate", -HUGE_VAL, 0, 0},
    {"heaviside", 0, 0, 0},
    {"heaviside", 1, 1, 0},
    {"sign", 0, 0, 0},
    {"sign", -5, -1, 0},
    {"sign", 5, 1, 0},
    {"atan_spike", 0, (double)NAN, 1},
    {"table", -6, -0.625, 0.0625},
    {"table", -1, -0.25, 0.125},
    {"table", 0.5, 0.3343750014901161, 0.7687499970197678},
    {"table", HUGE_VAL, HUGE_VAL, 1},
    {"fast_sigmoid_spike", 0.04, (double)NAN, 0.25},
    {"slayer_spike", 0, (double)NAN, 1},
    {"triangle_spike", -0.5, (double)NAN, 0.15},
    {"triangle_spike", 1, (double)NAN, 0},
    {"triangle_spike", 0, (double)NAN, 0.3},
    {"gaussian_spike", 0, (double)NAN, 0.997355701003582},
    {"multi_gaussian_spike", 0, (double)NAN, 0.8782232733131011},
    {"sigmoid_spike", 0, (double)NAN, 1},
    {"box_spike", 0.5, (double)NAN, 1},
    {"box_spike", -0.5, (double)NAN, 1},
    {"box_spike", 0.75, (double)NAN, 0},
    {"super_spike", 0, (double)NAN, 1},
    {"super_spike", -3, (double)NAN, 0.0625},
    {"sparse_fast_sigmoid_spike", 1, (double)NAN, 0},
    {"sparse_fast_sigmoid_spike", 3, (double)NAN, 1 / 5776.0},
    {"sparse_fast_sigmoid_spike", -3, (double)NAN, 0},
    {"nonzero_sign_log_abs_spike", 3, (double)NAN, 0.25},
    {"nonzero_sign_log_abs_spike", -1, (double)NAN, 0.5},
    {"fake_numerical_gradient_spike", 0, (double)NAN, 0.3},
    {"fake_numerical_gradient_spike", 4, (double)NAN, 0.25},
    {"fake_numerical_gradient_spike", -5, (double)NAN, 0.2},
    {"log_tailed_relu_spike", 0, (double)NAN, 0},
    {"log_tailed_relu_spike", -3, (double)NAN, 0},
    {"log_tailed_relu_spike", 0.5, (double)NAN, 1},
    {"log_tailed_relu_spike", 1, (double)NAN, 1},
    {"log_tailed_relu_spike", 4, (double)NAN, 0.25},
    {"circ_spike", 0, (double)NAN, 1},
    {"circ_spike", 0.75, (double)NAN, 0.512},
    {"q_pseudo_spike", 0, (double)NAN, 1},
    {"q_pseudo_spike", 0.5, (double)NAN, 0.25},
    {"q_pseudo_spike", -1.5, (double)NAN, 0.0625},
    {"rate_escape_spike", 1, (double)NAN, 25},
    {"rate_escape_spike", 0, (double)NAN, 9.196986029286058},
    {"piecewise_quadratic_spike", 0, (double)NAN, 1},
    {"piecewise_quadratic_spike", -0.25, (double)NAN, 0.75},
    {"piecewise_quadratic_spike", 1, (double)NAN, 0},
    {"erf_spike", 0, (double)NAN, 1.1283791670955126},
    {"erf_spike", 1, (double)NAN, 0.020666985354092053},
    {"tanh_spike", 0, (double)NAN, 1},
    {"tanh_spike", 1, (double)NAN, 0.41997434161402614},
    {"s2nn_spike", 0, (double)NAN, 1},
    {"s2nn_spike", 3, (double)NAN, 0.25},
    {"s2nn_spike", -0.5, (double)NAN, 0.41997434161402614},
    {"leaky_k_relu_spike", 0, (double)NAN, 1},
    {"leaky_k_relu_spike", -1, (double)NAN, 0},
    {"leaky_k_relu_spike", 2, (double)NAN, 1},
    {"piecewise_leaky_relu_spike", 0.5, (double)NAN, 0.5},
    {"piecewise_leaky_relu_spike", 1, (double)NAN, 0.01},
    {"piecewise_leaky_relu_spike", -1, (double)NAN, 0.01},
};

/* Known derivatives by the parameter. */
static const struct {
    const char *kind;
    double x, derivative;
} known_parameter_derivatives[] = {
    {"leaky_relu", 0, 0},
    {"leaky_relu", 5, 0},
    {"prelu", -4, -4},
    {"prelu", -HUGE_VAL, -HUGE_VAL},
    {"elu", 0, 0},
    {"elu", -1, -0.6321205588285577},
    {"elu", -HUGE_VAL, -1},
    {"elu", HUGE_VAL, 0},
    {"celu", 0, 0},
    {"celu", -1, -0.26424111765711533},
    {"celu", -HUGE_VAL, -1},
    {"celu", 3, 0},
    {"silu", 0, 0},
    {"silu", 1, 0.19661193324148185},
    {"silu", -1, 0.19661193324148185},
    {"silu", HUGE_VAL, 0},
    {"softplus", 0, -0.6931471805599453},
    {"softplus", HUGE_VAL, 0},
    {"softplus", -HUGE_VAL, 0},
    {"squareplus", 0, 0.125},
    {"squareplus", -1.5, 0.1},
    {"squareplus", HUGE_VAL, 0},
    {"bsilu", 0, 0},
    {"bsilu", -HUGE_VAL, -0.5},
    {"bsilu", HUGE_VAL, 0.5},
    {"bsilu", 1, 0.2310585786300049},
    {"nelu", -1, 0.5},
    {"nelu", 2, 0},
    {"nelu", -HUGE_VAL, 1},
};

/* Of the defaults, at kinks, at infinity, and where a formula is simple. */
static const struct {
    const char *kind;
    double x, second;
} known_seconds[] = {
    {"relu_squared", 0, 0},
    {"relu_squared", 3, 2},
    {"elu", 0, 0},
    {"elu", -1, 0.36787944117144233},
    {"celu", 0, 0},
    {"selu", 0, 0},
    {"selu", -HUGE_VAL, 0},
    {"gelu", 0, 0.7978845608028654},
    {"gelu", HUGE_VAL, 0},
    {"gelu_tanh", 0, 0.7978845608028654},
    {"silu", 0, 0.5},
    {"mish", 0, 0.64},
    {"softplus", 0, 0.25},
    {"squareplus", 0, 0.25},
    {"squareplus", -1.5, 0.128},
    {"softsign", 0, 0},
    {"softsign", -3, 0.03125},
    {"sigmoid", 0, 0},
    {"log_sigmoid", 0, -0.25},
    {"tanh", 0, 0},
    {"tanh", 1, -0.6397000084492246},
    {"tanhshrink", 1, 0.6397000084492246},
    {"hardswish", 0, 1.0 / 3},
    {"hardswish", 3, 0},
    {"hardswish", -3, 0},
    {"bsilu", 0, 0.5},
    {"nelu", 0, 0.1},
    {"nelu", -1, -0.025},
    {"xielu", 0, 0.8},
    {"xielu", 1, 1.6},
    {"xielu", -1, 0.29430355293715388},
    {"fast_sigmoid_spike", 0, 0},
    {"slayer_spike", 0, 0},
    {"triangle_spike", 0, 0},
    {"triangle_spike", 1, 0},
    {"triangle_spike", -0.5, 0.3},
    {"sigmoid_spike", 0, 0},
    {"super_spike", -3, 0.03125},
    {"sparse_fast_sigmoid_spike", 1, 0},
    {"sparse_fast_sigmoid_spike", 3, -50 / 438976.0},
    {"nonzero_sign_log_abs_spike", 1, -0.25},
    {"fake_numerical_gradient_spike", 1, 0},
    {"fake_numerical_gradient_spike", 4, -0.0625},
    {"log_tailed_relu_spike", 1, 0},
    {"log_tailed_relu_spike", 2, -0.25},
    {"circ_spike", 0, 0},
    {"circ_spike", 0.75, -0.73728},
    {"q_pseudo_spike", 0.5, -0.5},
    {"rate_escape_spike", 1, 0},
    {"piecewise_quadratic_spike", -0.25, 1},
    {"piecewise_quadratic_spike", 1, 0},
    {"erf_spike", 0, 0},
    {"tanh_spike", 1, -0.6397000084492246},
    {"s2nn_spike", 0, -1},
    {"s2nn_spike", 1, -0.25},
    {"leaky_k_relu_spike", 0, 0},
    {"piecewise_leaky_relu_spike", 1, 0},
};

static void check_number(const reference_kind *kind, direction way, const double *p, double x, double wanted,
                         reference_scratch *scratch)
{
    mpfr_t y;
    mpfr_init2(y, REFERENCE_BITS);
    reference_evaluate(y, kind, way, p, x, scratch);
    const double found = mpfr_get_d(y, MPFR_RNDN);
    const int good = found == wanted || fabs(found - wanted) <= 4e-16 * fabs(wanted);
    expect(good, kind->name, direction_names[way], x, found - wanted);
    mpfr_clear(y);
}

static void check_known(const catalogue_entry *entry, const double *p, reference_scratch *scratch)
{
    const reference_kind *kind = entry->reference;
    int rows = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].kind, kind->name) != 0)
            continue;
        rows++;
        if (kind->function[VALUE])
            check_number(kind, VALUE, p, known[i].x, known[i].value, scratch);
        check_number(kind, DERIVATIVE, p, known[i].x, known[i].derivative, scratch);
    }
    if (rows == 0)
        fail(kind->name, "tests/accuracy/reference_test.c has no known number of it, add a row to `known`");
    for (size_t i = 0; i < sizeof known_seconds / sizeof known_seconds[0]; i++)
        if (strcmp(known_seconds[i].kind, kind->name) == 0)
            check_number(kind, SECOND, p, known_seconds[i].x, known_seconds[i].second, scratch);
    rows = 0;
    for (size_t i = 0; i < sizeof known_parameter_derivatives / sizeof known_parameter_derivatives[0]; i++)
        if (strcmp(known_parameter_derivatives[i].kind, kind->name) == 0) {
            rows++;
            check_number(kind, PARAMETER_DERIVATIVE, p, known_parameter_derivatives[i].x,
                         known_parameter_derivatives[i].derivative, scratch);
        }
    if (rows == 0 && kind->function[PARAMETER_DERIVATIVE])
        fail(kind->name, "tests/accuracy/reference_test.c has no known parameter derivative of it, add a row to "
                         "`known_parameter_derivatives`");
}

/* ---- The two references agree ----------------------------------------------------------------- */

static void check_fast(const catalogue_entry *entry, const double *p, reference_scratch *scratch)
{
    double narrow[REFERENCE_PARAMETERS] = {0};
    for (int i = 0; i < entry->parameters; i++)
        narrow[i] = element_round(&element_f32, p[i]);
    for (int way = VALUE; way < DIRECTIONS; way++)
        if (entry->reference->function[way] && !fast_has(entry->reference->name, (direction)way)) {
            fail(entry->reference->name, "tests/accuracy/fast.c has no row for it");
        } else if (entry->reference->function[way]) {
            double at, error = fast_check(entry->reference, (direction)way, narrow, entry->parameters, scratch, &at);
            char what[SPEC_SIZE + 40];
            char spec[SPEC_SIZE];
            catalogue_spec(entry, p, spec);
            snprintf(what, sizeof what, "the fast reference of the %s of %s", direction_names[way], spec);
            expect(error <= FAST_ERROR, entry->reference->name, what, at, error);
        }
}

/* A NaN among the results is an infinite error, wherever it stands and on either side. */
static void check_fast_errors(void)
{
    for (int i = 0; i < 4 * FAST_LANES; i++) {
        float computed[2 * FAST_LANES];
        double exact[2 * FAST_LANES], worst;
        long long rounded = 0;
        for (int k = 0; k < 2 * FAST_LANES; k++)
            exact[k] = (double)(computed[k] = 3);
        if (i < 2 * FAST_LANES)
            computed[i] = NAN;
        else
            exact[i - 2 * FAST_LANES] = (double)NAN;
        fast_errors(2 * FAST_LANES, computed, exact, NULL, &worst, &rounded);
        expect(isinf(worst) && rounded == 2 * FAST_LANES - 1, "any kind", "an error of NaN is lost, at result", i,
               worst);
    }
}

int main(void)
{
    reference_scratch scratch;
    reference_begin(&scratch);
    if (!fast_usable())
        puts("the fast reference is not checked: it needs AVX2 and FMA here");
    else
        check_fast_errors();
    for (int32_t kind = 0; kind < sugar_kind_count(); kind++) {
        catalogue_entry entry;
        char problem[PROBLEM_SIZE];
        if (catalogue_get(kind, &entry, problem) != 0) {
            printf("FAIL %s\n", problem);
            failed++;
            continue;
        }
        double sets[PARAMETER_SETS][REFERENCE_PARAMETERS];
        int count = catalogue_parameter_sets(&entry, sets);
        check_known(&entry, sets[0], &scratch);
        for (int set = 0; set < count; set++) {
            int moderate = set == 0 || set == 3 || set == 4;
            if (entry.reference->function[VALUE] && moderate)
                check_slope(&entry, VALUE, DERIVATIVE, sets[set], &scratch);
            if (entry.reference->function[SECOND] && moderate)
                check_slope(&entry, DERIVATIVE, SECOND, sets[set], &scratch);
            if (entry.reference->function[PARAMETER_DERIVATIVE] && moderate)
                check_parameter_derivatives(&entry, sets[set], &scratch);
            if (fast_usable())
                check_fast(&entry, sets[set], &scratch);
        }
    }
    reference_end(&scratch);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
