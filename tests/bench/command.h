/* Command lines, and files of results; for the programs in this folder. */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

/* An option that takes a value. */
typedef struct command_option {
    const char *name, **value;
} command_option;

/* Reads the options among `count` known ones into their places, and the option without a value, `flag`, into
 * *given; flag may be NULL. With --help it prints the usage, and the program ends. */
void command_parse(int argc, char **argv, const char *usage, const command_option *known, int count, const char *flag,
                   bool *given);

/* Ends the program with 2, and a line of what was found and what was expected. */
_Noreturn void command_refuse(const char *option, const char *value, const char *expected);
/* The same unless value is one of the names, or NULL. */
void command_choice(const char *option, const char *value, const char *const *names, int count);
/* A number from 1 to the most; others are refused. */
int command_number(const char *option, const char *text, int most);

/* A file of results has a temporary name beside its own until it is complete: what ends early leaves an earlier
 * file as it was. */
typedef struct results_file {
    FILE *file;                         /* NULL if nobody asked for one */
    const char *path;
    char *temporary;                    /* NULL for what is no regular file, which is written directly */
} results_file;

/* path NULL: none. Ends the program if it cannot be written. */
results_file results_open(const char *option, const char *path);
/* Complete: it gets its name. */
void results_keep(results_file *results);

#endif
