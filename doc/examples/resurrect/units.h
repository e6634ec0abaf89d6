/* What the units of the hidden layers do: the figures of their monitors and what they have learned. */
#ifndef RESURRECT_UNITS_H
#define RESURRECT_UNITS_H

#include "network.h"
#include "training.h"

/* Empties the monitors. */
void units_forget(network *net);

/* Fills the figures from DEAD to LEARNED_MOST, given found->loss. */
void units_measure(const network *net, evaluation *found);

/* One histogram for each hidden layer. */
void units_histograms(const network *net, histogram *layers);

#endif
