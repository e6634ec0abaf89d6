/* See scenario.h. */
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

setting scenario_plain(const char *name, double bias, double learning_rate)
{
    return (setting){
        .name = format_text("%s", name), .bias = bias, .learning_rate = learning_rate, .outlier_factor = 1};
}

/* The file's name without folder and ending. */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path, *dot = strrchr(start, '.');
    return format_text("%.*s", dot && dot > start ? (int)(dot - start) : (int)strlen(start), start);
}

/* The program never calls setlocale, so strtod reads a decimal point everywhere. */
static double parse_value(const char *path, int line, const char *key, const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= least && value <= most))
        fail("%s:%d: %s '%s', expected a number from %g to %g", path, line, key, text, least, most);
    return value;
}

static int parse_choice(const char *path, int line, const char *key, const char *text)
{
    int yes = strcmp(text, "yes") == 0;
    if (!yes && strcmp(text, "no") != 0)
        fail("%s:%d: %s '%s', expected yes or no", path, line, key, text);
    return yes;
}

static void set(setting *made, const char *path, int line, const char *key, const char *text)
{
    if (strcmp(key, "bias") == 0)
        made->bias = parse_value(path, line, key, text, -1000, 1000);
    else if (strcmp(key, "learning-rate") == 0)
        made->learning_rate = parse_value(path, line, key, text, 1e-12, 1000);
    else if (strcmp(key, "outlier-at") == 0)
        made->outlier_at = parse_value(path, line, key, text, 0, 1);
    else if (strcmp(key, "outlier-factor") == 0)
        made->outlier_factor = parse_value(path, line, key, text, -1e6, 1e6);
    else if (strcmp(key, "batch-normalisation") == 0)
        made->normalises = parse_choice(path, line, key, text);
    else
        fail("%s:%d: unknown key '%s', expected bias, learning-rate, outlier-at, outlier-factor or "
             "batch-normalisation",
             path, line, key);
}

/* Cuts off a comment and the spaces on both sides. */
static char *trim(char *text)
{
    text[strcspn(text, "#\r\n")] = '\0';
    text += strspn(text, " \t");
    for (size_t end = strlen(text); end > 0 && strchr(" \t", text[end - 1]); end--)
        text[end - 1] = '\0';
    return text;
}

static void set_line(setting *made, const char *path, int number, char *line)
{
    char *key = trim(line), *equals = strchr(key, '=');
    if (*key == '\0')
        return;
    if (!equals)
        fail("%s:%d: '%s', expected key = value", path, number, key);
    *equals = '\0';
    set(made, path, number, trim(key), trim(equals + 1));
}

setting scenario_read(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail("--scenario: cannot read '%s': %s; expected low, zero, both or a file", path, strerror(errno));
    setting made = scenario_plain("", 0, 0.05);
    free(made.name);
    made.name = name_of(path);
    char line[256];
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        if (!strchr(line, '\n') && !feof(file))
            fail("%s:%d: longer than %d characters", path, number, (int)sizeof line - 2);
        set_line(&made, path, number, line);
    }
    if (ferror(file))
        fail("cannot read %s: %s", path, strerror(errno));
    fclose(file);
    return made;
}

char *scenario_describe(const setting *chosen)
{
    char *outlier = chosen->outlier_factor == 1 ? format_text("%s", "")
                                                : format_text(", a batch times %g after %g %% of the steps",
                                                              chosen->outlier_factor, 100 * chosen->outlier_at);
    char *text = format_text("hidden biases start at %g, learning rate %g%s%s", chosen->bias, chosen->learning_rate,
                             outlier, chosen->normalises ? ", batch normalisation" : "");
    free(outlier);
    return text;
}
