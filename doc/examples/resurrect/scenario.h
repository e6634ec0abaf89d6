/* Scenarios: how a network starts, how fast it learns, and what happens to it. */
#ifndef RESURRECT_SCENARIO_H
#define RESURRECT_SCENARIO_H

enum { MOST_SCENARIOS = 16 };

typedef struct setting {
    char *name;
    double bias;                        /* where hidden biases start */
    double learning_rate;
    double outlier_at;                  /* the share of the steps after which one batch is an outlier; */
    double outlier_factor;              /* its inputs are multiplied by this; 1: there is none */
    int normalises;                     /* batch normalisation before each activation */
} setting;

/* Biases that start at `bias`, and nothing else. */
setting scenario_plain(const char *name, double bias, double learning_rate);

/* From a file: lines `key = value`, and comments from # to the end of a line. Keys that are not there are those of
 * scenario_plain(..., 0, 0.05). The name is that of the file, without folder and ending. Fails with a message that
 * names the line. */
setting scenario_read(const char *path);

/* One line for tables, a new string. */
char *scenario_describe(const setting *chosen);

#endif
