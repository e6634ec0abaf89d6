/* See contender.h. */
#include "contender.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

void require(sugar_status status)
{
    if (status != SUGAR_OK)
        fail("libsugar: %s: %s", sugar_status_name(status), sugar_last_error());
}

static sugar_activation_info info_of(const sugar_activation *activation)
{
    sugar_activation_info info = {.struct_size = sizeof info};
    require(sugar_activation_get_info(activation, &info));
    return info;
}

static sugar_parameter parameter_of(const sugar_activation_info *info, int32_t index)
{
    sugar_parameter found = {.struct_size = sizeof found};
    require(sugar_kind_get_parameter(info->forward_kind, index, &found));
    return found;
}

/* The value of the forward function's parameter of that name; `otherwise` if it has none. */
static double parameter_value(const sugar_activation_info *info, const char *name, double otherwise)
{
    for (int32_t i = 0; i < info->forward_parameter_count; i++)
        if (strcmp(parameter_of(info, i).name, name) == 0)
            return info->forward_parameters[i];
    return otherwise;
}

/* Up to here the derivative is 0: a unit whose inputs are all below is dead. Where there is no such bound the
 * sign of the input decides, as it does for relu. */
static double activity_threshold(const sugar_activation_info *info)
{
    sugar_kind kind = {.struct_size = sizeof kind};
    require(sugar_kind_get(info->forward_kind, &kind));
    if (strcmp(kind.name, "hardsigmoid") == 0 || strcmp(kind.name, "hardswish") == 0)
        return -3;
    return parameter_value(info, "threshold", parameter_value(info, "min_val", 0));
}

static learned_parameter find_learned(const sugar_activation_info *info)
{
    for (int32_t i = 0; i < info->forward_parameter_count; i++) {
        const sugar_parameter found = parameter_of(info, i);
        if (found.learnable)
            return (learned_parameter){found.name, info->forward_parameters[i], found.minimum, found.maximum};
    }
    return (learned_parameter){0};
}

static void create_activations(contender *made)
{
    size_t forward = strcspn(made->spec, "~");
    if (sugar_activation_create(&made->activation, made->spec) != SUGAR_OK
        || sugar_activation_create_with_options(&made->plain, made->spec, forward, NULL) != SUGAR_OK)
        fail("activation '%s': %s", made->spec, sugar_last_error());
}

/* Gradients are compared with the true ones, so both must fit a byte to be saved; the library saves none of slopes
 * that are drawn. */
static int allows(technique wanted, const sugar_activation_info *info, const sugar_activation_info *plain)
{
    switch (wanted) {
    case SAVED:
        return !(info->capabilities & SUGAR_CAN_DRAW) && info->capabilities & plain->capabilities & SUGAR_CAN_SAVE_BYTE;
    case LEARNED: return (info->capabilities & SUGAR_CAN_LEARN) != 0;
    case ANNEALED: return info->surrogate_kind >= 0;
    default: return 1;
    }
}

/* Adds the activation with the technique unless it does not allow it. */
static int add_contender(contenders *made, const char *spec, technique wanted)
{
    contender added = {.spec = spec, .technique = wanted};
    create_activations(&added);
    const sugar_activation_info info = info_of(added.activation), plain = info_of(added.plain);
    added.draws = (info.capabilities & SUGAR_CAN_DRAW) != 0;
    if (!allows(wanted, &info, &plain)) {
        sugar_activation_destroy(added.activation);
        sugar_activation_destroy(added.plain);
        return 0;
    }
    if (made->count == MOST_CONTENDERS)
        fail("--activations: more than %d, those with --save-gradient, --learn and --anneal counted", MOST_CONTENDERS);
    added.label = format_text(wanted == PLAIN ? "%s" : "%s+%s", spec, techniques[wanted].label);
    added.threshold = activity_threshold(&info);
    if (wanted == LEARNED)
        added.learned = find_learned(&info);
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

double contender_blend(const contender *of) { return info_of(of->activation).blend; }

/* A canonical spec has parentheses wherever there is a parameter or an option, and the blend comes last. */
sugar_activation *contender_with_blend(const contender *of, double blend)
{
    static const char blend_option[] = "blend=";
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
