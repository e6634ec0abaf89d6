/* See units.h. */
#include "units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void units_forget(network *net)
{
    for (int i = 0; i < net->layer_count - 1; i++)
        require(sugar_monitor_reset(net->layers[i].monitor));
}

static int compare(const void *a, const void *b)
{
    float first = *(const float *)a, second = *(const float *)b;
    return (first > second) - (first < second);
}

static void measure_learned(const layer *l, int index, evaluation *found)
{
    float *sorted = allocate((size_t)l->out, sizeof *sorted);
    memcpy(sorted, l->parameter, (size_t)l->out * sizeof *sorted);
    qsort(sorted, (size_t)l->out, sizeof *sorted, compare);
    for (int quarter = 0; quarter <= 4; quarter++)
        found->figures[LEARNED_LEAST + quarter][index] = (double)sorted[(l->out - 1) * quarter / 4];
    free(sorted);
}

static void measure_layer(const layer *l, int index, evaluation *found)
{
    sugar_monitor_summary seen = {.struct_size = sizeof seen};
    int64_t nearly_dead;
    require(sugar_monitor_get(l->monitor, &seen));
    require(sugar_monitor_find_dead(l->monitor, NEARLY_DEAD_RATE, NULL, 0, &nearly_dead));
    found->figures[DEAD][index] = (double)seen.dead;
    found->figures[NEARLY_DEAD][index] = (double)nearly_dead;
    found->figures[SPARSITY][index] = seen.sparsity;
    found->figures[INPUT_MEAN][index] = seen.mean;
    found->figures[INPUT_DEVIATION][index] = seen.deviation;
    if (l->parameter)
        measure_learned(l, index, found);
}

void units_measure(const network *net, evaluation *found)
{
    for (int i = 0; i < net->layer_count - 1; i++) {
        for (int figure = DEAD; figure <= LEARNED_MOST; figure++)
            found->figures[figure][i] = (double)NAN;
        if (isfinite(found->loss))
            measure_layer(&net->layers[i], i, found);
    }
}

void units_histograms(const network *net, histogram *layers)
{
    for (int i = 0; i < net->layer_count - 1; i++)
        require(
            sugar_monitor_get_histogram(net->layers[i].monitor, layers[i].counts, layers[i].edges, SUGAR_MONITOR_BINS));
}
