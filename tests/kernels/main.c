/* The kernel suite: every kind at every level this machine has, reference against candidate. */
#include <stdio.h>
#include <stdlib.h>

#include "../support/support.h"
#include "kernels.h"

int main(void)
{
    const char *levels[MAX_LEVELS];
    int level_count = supported_levels(levels);
    tally total = {0, 0};
    plausible_known_values(&total);
    for (int32_t i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        if (sugar_kind_get(i, &kind) != SUGAR_OK) {
            fprintf(stderr, "%s\n", sugar_last_error());
            return EXIT_FAILURE;
        }
        tally before = total;
        plausible_kind(&kind, &total);
        compare_kind(&kind, levels, level_count, &total);
        printf("%-16s %3ld passed, %ld failed\n", kind.name, total.passed - before.passed,
               total.failed - before.failed);
        fflush(stdout);
    }
    printf("levels compared:");
    for (int k = 0; k < level_count; k++)
        printf(" %s", levels[k]);
    printf("\n%ld passed, %ld failed\n", total.passed, total.failed);
    return total.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
