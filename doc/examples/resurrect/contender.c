/* See contender.h. */
#include "contender.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

void require(sugar_status status)
{
    if (status != SUGAR_OK)
        fail("libsugar: %s: %s", sugar_status_name(status), sugar_last_error());
}

/* The index of the kind in front of the ~ of a canonical spec, which has its primary name. */
static int32_t forward_kind(const char *spec, sugar_kind *kind)
{
    size_t length = strcspn(spec, "(~");
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        *kind = (sugar_kind){.struct_size = sizeof *kind};
        require(sugar_kind_get(i, kind));
        if (strlen(kind->name) == length && memcmp(kind->name, spec, length) == 0)
            return i;
    }
    fail("activation '%s': unknown kind", spec);
}

/* A parameter's value in a canonical spec without surrogate, which names every parameter; `otherwise` if it is
 * none of the kind. */
static double parameter_value(const char *spec, const char *name, double otherwise)
{
    const char *at = spec + strcspn(spec, "(");
    while (*at) {
        at++;
        if (strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == '=')
            return strtod(at + strlen(name) + 1, NULL);
        at += strcspn(at, ",)");
    }
    return otherwise;
}

/* Up to here the derivative is 0: a unit whose inputs are all below is dead. Where there is no such bound the
 * sign of the input decides, as it does for relu. */
static double activity_threshold(const char *spec, const char *kind)
{
    if (strcmp(kind, "hardsigmoid") == 0 || strcmp(kind, "hardswish") == 0)
        return -3;
    return parameter_value(spec, "threshold", parameter_value(spec, "min_val", 0));
}

static learned_parameter find_learned(int32_t index, const sugar_kind *kind, const char *spec)
{
    if (!(kind->capabilities & SUGAR_CAN_LEARN))
        return (learned_parameter){0};
    sugar_parameter found = {.struct_size = sizeof found};
    require(sugar_kind_get_parameter(index, 0, &found));
    return (learned_parameter){found.name, parameter_value(spec, found.name, found.default_value), found.minimum,
                               found.maximum};
}

static void create_activations(contender *made)
{
    size_t forward = strcspn(made->spec, "~");
    if (sugar_activation_create(&made->activation, made->spec) != SUGAR_OK
        || sugar_activation_create_with_options(&made->plain, made->spec, forward, NULL) != SUGAR_OK)
        fail("activation '%s': %s", made->spec, sugar_last_error());
}

static int has_finite_range(const sugar_activation *activation)
{
    double minimum, maximum;
    require(sugar_activation_gradient_range(activation, &minimum, &maximum));
    return isfinite(minimum) && isfinite(maximum);
}

/* Gradients are compared with the true ones, so both must fit a byte to be saved; the library saves none of slopes
 * that are drawn. */
static int allows(const contender *one, const learned_parameter *learned)
{
    switch (one->technique) {
    case SAVED: return !one->draws && has_finite_range(one->activation) && has_finite_range(one->plain);
    case LEARNED: return learned->name != NULL;
    case ANNEALED: return strchr(one->spec, '~') != NULL;
    default: return 1;
    }
}

/* Adds the activation with the technique unless it does not allow it. */
static int add_contender(contenders *made, const char *spec, technique wanted)
{
    contender added = {.spec = spec, .technique = wanted};
    create_activations(&added);
    const char *plain = sugar_activation_spec(added.plain);
    sugar_kind kind;
    int32_t index = forward_kind(plain, &kind);
    added.draws = (kind.capabilities & SUGAR_CAN_DRAW) != 0;
    learned_parameter learned = find_learned(index, &kind, plain);
    if (!allows(&added, &learned)) {
        sugar_activation_destroy(added.activation);
        sugar_activation_destroy(added.plain);
        return 0;
    }
    if (made->count == MOST_CONTENDERS)
        fail("--activations: more than %d, those with --save-gradient, --learn and --anneal counted", MOST_CONTENDERS);
    added.label = format_text(wanted == PLAIN ? "%s" : "%s+%s", spec, techniques[wanted].label);
    added.threshold = activity_threshold(plain, kind.name);
    if (wanted == LEARNED)
        added.learned = learned;
    made->list[made->count++] = added;
    return 1;
}

static void refuse_twins(const contenders *made, const contender *added)
{
    for (const contender *one = made->list; one < added; one++)
        if (one->technique == PLAIN
            && strcmp(sugar_activation_spec(one->activation), sugar_activation_spec(added->activation)) == 0)
            fail("activation '%s': the same as '%s'", added->spec, one->spec);
}

void contenders_create(contenders *made, const options *chosen)
{
    int added[TECHNIQUES] = {0};
    made->count = 0;
    for (int i = 0; i < chosen->activation_count; i++) {
        add_contender(made, chosen->activations[i], PLAIN);
        refuse_twins(made, &made->list[made->count - 1]);
        for (int t = PLAIN + 1; t < TECHNIQUES; t++)
            if (chosen->techniques[t])
                added[t] += add_contender(made, chosen->activations[i], (technique)t);
    }
    for (int t = PLAIN + 1; t < TECHNIQUES; t++)
        if (chosen->techniques[t] && !added[t])
            fail("--%s: no activation has %s; --activations names others", techniques[t].option, techniques[t].lack);
}

void contenders_destroy(contenders *made)
{
    for (int i = 0; i < made->count; i++) {
        free(made->list[i].label);
        sugar_activation_destroy(made->list[i].activation);
        sugar_activation_destroy(made->list[i].plain);
    }
}

static const char blend_option[] = "blend=";

double contender_blend(const contender *of)
{
    const char *blend = strstr(sugar_activation_spec(of->activation), blend_option);
    return blend ? strtod(blend + strlen(blend_option), NULL) : 1;
}

/* A canonical spec has parentheses wherever there is a parameter or an option, and the blend comes last. */
sugar_activation *contender_with_blend(const contender *of, double blend)
{
    const char *spec = sugar_activation_spec(of->activation), *own = strstr(spec, blend_option);
    size_t length = own ? (size_t)(own - spec) : strlen(spec);
    int open = own == NULL && spec[length - 1] == ')';
    const char *between = own ? "" : open ? "," : "(";
    char *blended = format_text("%.*s%s%s%.9g)", (int)length - open, spec, between, blend_option, blend);
    sugar_activation *made;
    require(sugar_activation_create(&made, blended));
    free(blended);
    return made;
}
