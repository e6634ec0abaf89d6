/* Runs philox.c where the processor has the level SUGAR_LEVEL_NAME. In a file of its own, as that one is compiled for
 * the level, down to its first instruction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sugar/sugar.h>

#define QUOTE_(a) #a
#define QUOTE(a) QUOTE_(a)

int check_philox(void);

static int is_supported(const char *name)
{
    for (int32_t i = 0; i < sugar_level_count(); i++) {
        sugar_level level = {.struct_size = sizeof level};
        if (sugar_level_get(i, &level) == SUGAR_OK && strcmp(level.name, name) == 0)
            return level.supported;
    }
    return 0;
}

int main(void)
{
    if (is_supported(QUOTE(SUGAR_LEVEL_NAME)))
        return check_philox();
    printf("this machine cannot run the level %s\n", QUOTE(SUGAR_LEVEL_NAME));
    return 77;      /* what meson takes for a test that did not run */
}
