/* The instruction set that a run is limited to, and what it runs on; see bench.h. */
#include "bench.h"

#include <stdio.h>
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

const char *level_in_use(void)
{
    for (int32_t i = 0; i < sugar_level_count(); i++) {
        sugar_level level = {.struct_size = sizeof level};
        if (sugar_level_get(i, &level) == SUGAR_OK && level.in_use)
            return level.name;
    }
    give_up("bench", "no level is in use");
}

const char *processor_name(void)
{
    static char line[256];
    static const char unknown[] = "unknown";
    const char *name = unknown;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && name == unknown && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", strlen("model name")) == 0 && strstr(line, ": ")) {
            name = strstr(line, ": ") + 2;
            line[strcspn(line, "\"\\\n")] = '\0';
        }
    if (file)
        fclose(file);
    return name;
}
