/* What is shown on standard error while runs are trained: on a terminal one line that is redrawn, elsewhere
 * a line for each run that has ended. */
#ifndef RESURRECT_PROGRESS_H
#define RESURRECT_PROGRESS_H

#include "contender.h"

typedef struct progress progress;
struct run;

/* `total` steps in all runs together; `runs`, in the order of their lines. */
progress *progress_create(const options *chosen, const contenders *compared, const struct run *runs, int run_count,
                          long total);

/* One step of a run is done; loss and accuracy as of its last evaluation. Any thread may call it. */
void progress_step(progress *shown, const struct run *now, double loss, double accuracy);

/* A run has ended. Lines come in the order of the runs, whichever ends first. */
void progress_end_run(progress *shown, const struct run *ended);

/* Clears the bar. */
void progress_free(progress *shown);

#endif
