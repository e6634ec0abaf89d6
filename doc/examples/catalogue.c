/* Prints doc/catalogue.md: every kind that the library knows, its parameters, and what value and
 * derivatives are at the edges, all asked of the library itself.
 *
 *     catalogue > doc/catalogue.md
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sugar/sugar.h>

enum { EDGES = 5 };
static const char *const edge_names[EDGES] = {"-inf", "-0", "0", "+inf", "NaN"};

static void check(sugar_status status)
{
    if (status == SUGAR_OK)
        return;
    fprintf(stderr, "catalogue: %s\n", sugar_last_error());
    exit(1);
}

/* %g, with one spelling for NaN and a plain infinity. */
static void print_number(double value)
{
    if (isnan(value))
        printf(" NaN |");
    else
        printf(" %.6g |", value);
}

static void print_row(const char *label, const double *values)
{
    printf("| %s |", label);
    for (int i = 0; i < EDGES; i++)
        print_number(values[i]);
    printf("\n");
}

static sugar_tensor view_of(const double *edges)
{
    static const int64_t shape[] = {EDGES};
    return (sugar_tensor){.data = (void *)(uintptr_t)edges,
                          .device = {SUGAR_DEVICE_CPU, 0},
                          .ndim = 1,
                          .dtype = {SUGAR_TYPE_FLOAT, 64, 1},
                          .shape = shape};
}

static void print_edges(const sugar_kind *kind)
{
    const double x[EDGES] = {(double)-INFINITY, -0.0, 0.0, (double)INFINITY, (double)NAN};
    const double ones[EDGES] = {1, 1, 1, 1, 1};
    double y[EDGES], d[EDGES], second[EDGES];
    char spec[100];
    snprintf(spec, sizeof spec, kind->roles & SUGAR_ROLE_FORWARD ? "%s" : "sign~%s", kind->name);
    sugar_activation *activation;
    check(sugar_activation_create(&activation, spec));
    check(sugar_forward_f64(activation, EDGES, x, 1, y, 1, NULL));
    check(sugar_backward_f64(activation, EDGES, x, 1, ones, 1, d, 1, NULL));
    const sugar_tensor at = view_of(x), one = view_of(ones), out = view_of(second);
    check(sugar_backward_twice(activation, &at, &one, &one, NULL, &out, NULL));
    sugar_activation_destroy(activation);

    printf("| x |");
    for (int i = 0; i < EDGES; i++)
        printf(" %s |", edge_names[i]);
    printf("\n|---|---|---|---|---|---|\n");
    if (kind->roles & SUGAR_ROLE_FORWARD)
        print_row("value", y);
    print_row("derivative", d);
    print_row("second derivative", second);
    printf("\n");
}

static void print_parameters(int32_t index, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        sugar_parameter parameter = {.struct_size = sizeof parameter};
        check(sugar_kind_get_parameter(index, i, &parameter));
        printf("- parameter `%s`: default %.17g, from %g to %g", parameter.name, parameter.default_value,
               parameter.minimum, parameter.maximum);
        if (parameter.not_above >= 0) {
            sugar_parameter other = {.struct_size = sizeof other};
            check(sugar_kind_get_parameter(index, parameter.not_above, &other));
            printf(", at most `%s`", other.name);
        }
        printf("%s\n", parameter.learnable ? "; can be learned" : "");
    }
}

static void print_kind(int32_t index)
{
    sugar_kind kind = {.struct_size = sizeof kind};
    check(sugar_kind_get(index, &kind));
    printf("### %s\n\n", kind.name);
    if (kind.alias)
        printf("- also called `%s`\n", kind.alias);
    if (kind.value)
        printf("- value: `%s`\n", kind.value);
    printf("- derivative: `%s`\n", kind.derivative);
    print_parameters(index, kind.parameter_count);
    if (*kind.source)
        printf("- source: %s\n", kind.source);
    printf("\n");
    if (strcmp(kind.name, "table") == 0)
        printf("Its values are those of its knots.\n\n");
    else
        print_edges(&kind);
}

static void print_section(const char *title, const char *text, uint32_t roles)
{
    printf("## %s\n\n%s\n\n", title, text);
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        check(sugar_kind_get(i, &kind));
        if (kind.roles == roles)
            print_kind(i);
    }
}

/* A line for a section, with a link to each of its kinds. */
static void print_contents(const char *title, const char *anchor, uint32_t roles)
{
    const char *separator = ":";
    printf("- [%s](#%s)", title, anchor);
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        check(sugar_kind_get(i, &kind));
        if (kind.roles != roles)
            continue;
        printf("%s\n  [%s](#%s)", separator, kind.name, kind.name);
        separator = ",";
    }
    printf("\n");
}

int main(void)
{
    printf("# The catalogue\n\n"
           "For people who look up a function: what it computes, its parameters, its values at the edges.\n\n");
    print_contents("Forward functions and surrogates", "forward-functions-and-surrogates",
                   SUGAR_ROLE_FORWARD | SUGAR_ROLE_SURROGATE);
    print_contents("Surrogates only", "surrogates-only", SUGAR_ROLE_SURROGATE);
    printf("\nHow functions are combined is in [the guide](guide.md#specs), how accurate they are in\n"
           "[numbers.md](numbers.md). This page is written by `doc/examples/catalogue.c`, which asks the library;\n"
           "`sh tests/run.sh doc` compares.\n\n"
           "s(x) = 1 / (1 + exp(-x)); Phi and phi are the normal distribution and density. The values at the\n"
           "edges are those of the default parameters in f64; f32 has the same, rounded. A parameter must lie\n"
           "in its range, and is rounded once to the type of the elements. At a kink derivatives follow\n"
           "PyTorch's convention.\n\n");
    print_section("Forward functions and surrogates", "Each may stand before the `~`, behind it, or both.",
                  SUGAR_ROLE_FORWARD | SUGAR_ROLE_SURROGATE);
    print_section("Surrogates only",
                  "Shapes from spiking networks: only a derivative. With a `heaviside` forward x is measured\n"
                  "from its threshold.",
                  SUGAR_ROLE_SURROGATE);
    return ferror(stdout) ? 1 : 0;
}
