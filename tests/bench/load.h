/* How much of the machine other processes use: times measured beside them are worth less. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>

/* Seconds: of the clock; those that all cores were busy; those of them for this process and the children that it
 * has waited for. */
typedef struct load {
    bool known;                         /* false: this system does not tell */
    double clock, busy, own;
} load;

load load_now(void);

/* How many cores others kept busy since then, on average; negative: this system does not tell. */
double load_of_others(const load *since);

/* A sentence if so many others disturb, else NULL; when: its end. It stays until the next call. */
const char *load_warning(double others, const char *when);
/* Prints it for what happened since then; for the end of a program. */
void load_warn(const load *since);

#endif
