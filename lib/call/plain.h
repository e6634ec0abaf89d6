/* Passes over elements that lie one after another. */
#ifndef SUGAR_EXECUTE_H
#define SUGAR_EXECUTE_H

#include <stdbool.h>

#include "kernels/kernels.h"

/* y[i] = f(x[i]); y may be x. stream: as kernels have it. */
#define SUGAR_RUN_FORWARD(element, storage, real, unused)                                          \
    void sugar_run_forward_##element(const sugar_activation *activation, const storage *x, storage *y, int64_t n, \
                                     int stream);
SUGAR_ELEMENTS(SUGAR_RUN_FORWARD, )

#endif
