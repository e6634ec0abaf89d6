/* Calls of sugar_backward_twice: g' and g'' in one pass. */
#ifndef SUGAR_TWICE_H
#define SUGAR_TWICE_H

#include "activation/activation.h"
#include "view/tensor.h"

/* Checks the operands and what the flags of options do not say, and runs the call; the caller has checked the flags.
 * ddy or dx may be NULL. */
sugar_status sugar_twice_run(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *dy,
                             const sugar_tensor *v, const sugar_tensor *ddy, const sugar_tensor *dx,
                             const sugar_call_options *options);

#endif
