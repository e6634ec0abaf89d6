/* See contender.h. */
#include "contender.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

static void create_activations(contender *made)
{
    size_t forward = strcspn(made->spec, "~");
    if (sugar_activation_create(&made->activation, made->spec) != SUGAR_OK ||
        sugar_activation_create_ex(&made->plain, made->spec, forward, NULL) != SUGAR_OK)
        fail("activation '%s': %s", made->spec, sugar_last_error());
}

static void refuse_twins(const contenders *made, const contender *added)
{
    for (const contender *one = made->list; one < added; one++)
        if (strcmp(sugar_activation_spec(one->activation), sugar_activation_spec(added->activation)) == 0)
            fail("activation '%s': the same as '%s'", added->spec, one->spec);
}

void contenders_create(contenders *made, const options *chosen)
{
    made->count = 0;
    for (int i = 0; i < chosen->activation_count; i++) {
        contender *added = &made->list[made->count++];
        *added = (contender){.label = format_text("%s", chosen->activations[i]), .spec = chosen->activations[i]};
        create_activations(added);
        refuse_twins(made, added);
    }
}

void contenders_destroy(contenders *made)
{
    for (int i = 0; i < made->count; i++) {
        free(made->list[i].label);
        sugar_activation_destroy(made->list[i].activation);
        sugar_activation_destroy(made->list[i].plain);
    }
}
