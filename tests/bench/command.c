/* Command lines, and files of results; see command.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "../support/support.h"

void command_refuse(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "%s: %s %s: expected %s\n", program_invocation_short_name, option, value ? value : "(nothing)",
            expected);
    exit(2);
}

void command_choice(const char *option, const char *value, const char *const *names, int count)
{
    char expected[2048] = "one of: ";
    for (int i = 0; value && i < count; i++) {
        const size_t length = strlen(expected);
        if (strcmp(value, names[i]) == 0)
            return;
        snprintf(expected + length, sizeof expected - length, "%s%s", i ? ", " : "", names[i]);
    }
    if (value)
        command_refuse(option, value, expected);
}

int command_number(const char *option, const char *text, int most)
{
    char *end;
    const long n = strtol(text, &end, 10);
    if (n < 1 || n > most || *end) {
        char expected[64];
        snprintf(expected, sizeof expected, "a number from 1 to %d", most);
        command_refuse(option, text, expected);
    }
    return (int)n;
}

/* Where the value of an option goes. */
static const char **place(const char *option, const command_option *known, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(option, known[i].name) == 0)
            return known[i].value;
    command_refuse("option", option, "one of those that --help prints");
}

void command_parse(int argc, char **argv, const char *usage, const command_option *known, int count, const char *flag,
                   bool *given)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        }
        if (flag && strcmp(argv[i], flag) == 0) {
            *given = true;
            continue;
        }
        const char **value = place(argv[i], known, count);
        if (i + 1 == argc)
            command_refuse(argv[i], NULL, "a value");
        *value = argv[++i];
    }
}

results_file results_open(const char *option, const char *path)
{
    static const char suffix[] = ".part";
    results_file results = {.path = path};
    struct stat there;
    if (!path)
        return results;
    if (lstat(path, &there) != 0 || S_ISREG(there.st_mode)) {
        const size_t size = strlen(path) + sizeof suffix;
        if (!(results.temporary = malloc(size)))
            give_up(path, "no memory for a name");
        snprintf(results.temporary, size, "%s%s", path, suffix);
    }
    results.file = fopen(results.temporary ? results.temporary : path, "w");
    if (!results.file) {
        char expected[128];
        snprintf(expected, sizeof expected, "a file that can be written (%s)", strerror(errno));
        command_refuse(option, path, expected);
    }
    return results;
}

void results_keep(results_file *results)
{
    if (!results->file)
        return;
    const bool failed = ferror(results->file) != 0;
    if (fclose(results->file) != 0 || failed || (results->temporary && rename(results->temporary, results->path) != 0))
        give_up(results->path, "the results could not be written");
    free(results->temporary);
}
