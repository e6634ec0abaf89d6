/* The scalar level, compared with known values and difference quotients. Roughly: this only has to
 * notice kernels that compute another function, or nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/support.h"
#include "kernels.h"

/* Computed by hand from the formulas of the catalogue, to about eight digits. */
static const struct known {
    const char *spec;
    double x, value, derivative;
} known_values[] = {
    {"identity", -3, -3, 1},
    {"relu", -2, 0, 0},
    {"relu", 2, 2, 1},
    {"relu6", 7, 6, 0},
    {"leaky_relu", -1, -0.01, 0.01},
    {"elu(alpha=2)", -1, -1.2642411, 0.73575888},
    {"selu", 1, 1.0507010, 1.0507010},
    {"gelu", 1, 0.84134475, 1.0833155},
    {"silu", 1, 0.73105858, 0.92767051},
    {"softplus", 0, 0.69314718, 0.5},
    {"sigmoid", 1, 0.73105858, 0.19661193},
    {"tanh", 0.5, 0.46211716, 0.78644773},
    {"bsilu", 0, 0, 0.9175},
    {"nelu(alpha=1)", -1, 0.5, -0.5},
    {"heaviside(threshold=1)~atan_spike(alpha=2)", 1, 0, 1},
    {"heaviside(threshold=1,zero=0.5)~atan_spike(alpha=2)", 1, 0.5, 1},
    {"heaviside~gaussian_spike(sigma=1)", 0, 0, 0.39894228},
    {"sign~triangle_spike(gamma=1)", -0.25, -1, 0.75},
    {"relu~bsilu(blend=0.5)", 0, 0, 0.45875},
    {"relu~sigmoid(domain=negative)", 1, 1, 1},
};

static int close_to(double got, double wanted, double tolerance)
{
    return fabs(got - wanted) <= tolerance * (1 + fabs(wanted));
}

static int check(const char *what, const char *spec, double x, double got, double wanted, double tolerance)
{
    if (close_to(got, wanted, tolerance))
        return 1;
    fprintf(stderr, "FAILED: %s, scalar: %s at %g is %.9g, expected about %.9g\n", spec, what, x, got, wanted);
    return 0;
}

static void evaluate(const sugar_activation *activation, element_type type, double x, double *value, double *derivative)
{
    unsigned char from[8], gradient[8], y[8], d[8];
    element_store(from, 0, type, element_of(x, type));
    element_store(gradient, 0, type, element_of(1, type));
    sugar_status status = flat_forward(activation, type, 1, from, 1, y, 1, NULL);
    status |= flat_backward(activation, type, 1, from, 1, gradient, 1, d, 1, NULL);
    *value = element_value(element_load(y, 0, type), type);
    *derivative = element_value(element_load(d, 0, type), type);
    if (status != SUGAR_OK) {
        fprintf(stderr, "%s\n", sugar_last_error());
        exit(EXIT_FAILURE);
    }
}

void plausible_known_values(tally *total)
{
    for (size_t i = 0; i < sizeof known_values / sizeof known_values[0]; i++) {
        const struct known *k = &known_values[i];
        sugar_activation *activation = must_create(k->spec, "scalar");
        for (element_type type = 0; type < ELEMENT_TYPES; type++) {
            const double tolerance = fmax(1e-6, ldexp(1, -element_formats[type].mantissa_bits - 1));
            double value, derivative;
            evaluate(activation, type, k->x, &value, &derivative);
            int good = check("value", k->spec, k->x, value, k->value, tolerance);
            good &= check("derivative", k->spec, k->x, derivative, k->derivative, tolerance);
            *(good ? &total->passed : &total->failed) += 1;
        }
        sugar_activation_destroy(activation);
    }
}

/* The derivative in f64 must match the difference quotient of the value, except around kinks and
 * jumps, where the one-sided quotients differ; f32 must match f64. */
static int follows_quotient(const char *spec, const sugar_activation *activation)
{
    const double h = 0x1p-20;
    int good = 1, smooth = 0;
    double lowest = (double)INFINITY, highest = (double)-INFINITY;
    for (double x = -8; x <= 8 && good; x += 0.01171875) {
        double below, at, above, at32, derivative, derivative32, unused;
        evaluate(activation, ELEMENT_F64, x - h, &below, &unused);
        evaluate(activation, ELEMENT_F64, x, &at, &derivative);
        evaluate(activation, ELEMENT_F64, x + h, &above, &unused);
        evaluate(activation, ELEMENT_F32, x, &at32, &derivative32);
        lowest = fmin(lowest, at);
        highest = fmax(highest, at);
        good &= check("f32 value", spec, x, at32, at, 1e-5);
        good &= check("f32 derivative", spec, x, derivative32, derivative, 1e-5);
        if (!close_to((above - at) / h, (at - below) / h, 1e-4))
            continue;
        smooth++;
        good &= check("derivative", spec, x, derivative, (above - below) / (2 * h), 1e-4);
    }
    if (good && (lowest >= highest || smooth < 1000)) {
        fprintf(stderr, "FAILED: %s, scalar: the value is constant or nowhere smooth\n", spec);
        good = 0;
    }
    return good;
}

static sugar_tensor scalar_f64(double *data)
{
    return (sugar_tensor){
        .data = data, .device = {SUGAR_DEVICE_CPU, 0}, .dtype = {.code = SUGAR_TYPE_FLOAT, .bits = 64, .lanes = 1}};
}

/* The second derivative in f64. */
static double second_at(const sugar_activation *activation, double x)
{
    double one = 1, result;
    const sugar_tensor at = scalar_f64(&x), dy = scalar_f64(&one), dx = scalar_f64(&result);
    if (sugar_backward_twice(activation, &at, &dy, &dy, NULL, &dx, NULL) != SUGAR_OK) {
        fprintf(stderr, "%s\n", sugar_last_error());
        exit(EXIT_FAILURE);
    }
    return result;
}

/* A surrogate has no value, so no quotient: the quotient of its derivative must match its second derivative, except
 * around kinks and jumps; it must be positive somewhere, and f32 must match f64. */
static int looks_like_a_spike(const char *spec, const sugar_activation *activation)
{
    const double h = 0x1p-20;
    int good = 1, smooth = 0;
    double highest = 0;
    for (double x = -8; x <= 8 && good; x += 0.01171875) {
        double below, at, above, at32, unused;
        evaluate(activation, ELEMENT_F64, x - h, &unused, &below);
        evaluate(activation, ELEMENT_F64, x, &unused, &at);
        evaluate(activation, ELEMENT_F64, x + h, &unused, &above);
        evaluate(activation, ELEMENT_F32, x, &unused, &at32);
        highest = fmax(highest, at);
        good &= check("f32 derivative", spec, x, at32, at, 1e-5);
        if (!close_to((above - at) / h, (at - below) / h, 1e-3))
            continue;
        smooth++;
        good &= check("second derivative", spec, x, second_at(activation, x), (above - below) / (2 * h), 1e-3);
    }
    if (good && (highest <= 0 || smooth < 1000)) {
        fprintf(stderr, "FAILED: %s, scalar: the derivative is nowhere positive or nowhere smooth\n", spec);
        good = 0;
    }
    return good;
}

void plausible_kind(const sugar_kind *kind, tally *total)
{
    char spec[128];
    int has_value = (kind->roles & SUGAR_ROLE_FORWARD) != 0;
    snprintf(spec, sizeof spec, "%s%s", has_value ? "" : "heaviside~", kind->name);
    sugar_activation *activation = must_create(spec, "scalar");
    int good = has_value ? follows_quotient(spec, activation) : looks_like_a_spike(spec, activation);
    *(good ? &total->passed : &total->failed) += 1;
    sugar_activation_destroy(activation);
}
