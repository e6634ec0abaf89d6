/* The command line. */
#ifndef RESURRECT_OPTIONS_H
#define RESURRECT_OPTIONS_H

#include <stdint.h>

#include "scenario.h"

enum { MOST_LAYERS = 32, MOST_ACTIVATIONS = 24, MOST_SEEDS = 100 };

typedef struct options {
    const char *data, *html, *json;
    int epochs, batch, width, layers, threads, quiet;
    double momentum;
    int seed_count, activation_count, scenario_count;
    uint64_t seeds[MOST_SEEDS];
    char *activations[MOST_ACTIVATIONS];    /* specs, as the user wrote them */
    setting scenarios[MOST_SCENARIOS];
} options;

/* Fails with a message for a wrong option; prints the manual and exits with 0 for --help. */
void options_parse(options *chosen, int argc, char **argv);
void options_free(options *chosen);

#endif
