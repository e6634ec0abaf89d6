/* The command line. */
#ifndef RESURRECT_OPTIONS_H
#define RESURRECT_OPTIONS_H

#include <stdint.h>

#include "scenario.h"

enum { MOST_LAYERS = 32, MOST_ACTIVATIONS = 24, MOST_SEEDS = 100 };

/* The ways to train with an activation. */
typedef enum technique {
    PLAIN,
    SAVED,                          /* the forward pass saves the gradient in bytes and works in place */
    LEARNED,                        /* the activation's parameter is learned, one for each unit */
    ANNEALED,                       /* the share of the surrogate's derivative falls to 0 */
    TECHNIQUES
} technique;

/* The option that asks for a technique, what it is called in tables, and what no activation has if it cannot be
 * used. */
typedef struct technique_name {
    const char *option, *label, *lack;
} technique_name;
extern const technique_name techniques[TECHNIQUES];

typedef struct options {
    const char *data, *html, *json;
    int epochs, batch, width, layers, threads, quiet;
    int techniques[TECHNIQUES];             /* 1: activations are trained with it too */
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
