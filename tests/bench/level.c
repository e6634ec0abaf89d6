/* The instruction set that a run is limited to; see bench.h. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"

void level_choose(const char *level)
{
    const char *names[MAX_LEVELS], *environment = getenv("SUGAR_LEVEL");
    const int count = supported_levels(names);
    if (!level && environment && *environment) {
        command_choice("the environment variable SUGAR_LEVEL", environment, names, count);
        level = environment;
    }
    command_choice("--level", level, names, count);
    const bool avx2 = level && strcmp(level, "avx2") == 0;  /* other levels have no counterpart in all peers */
    if (level)
        setenv("SUGAR_LEVEL", level, 1);
    if (avx2) {
        setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
        setenv("ATEN_CPU_CAPABILITY", "avx2", 1);
        xnnpack_limit_to_avx2();
    }
    ggml_begin(avx2);
}
