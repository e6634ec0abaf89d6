/* From the arguments of an extended call to the call. */
#ifndef SUGAR_ASSEMBLE_H
#define SUGAR_ASSEMBLE_H

#include <stdbool.h>

#include "activation/activation.h"
#include "monitor/monitor.h"

/* Check options and operands, and run the call; the caller has checked the flags. is_flat: it got pointers and steps,
 * so messages do not mention tensors. */
sugar_status sugar_extended_forward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *y,
                                    const sugar_call_options *options, bool is_flat);
sugar_status sugar_extended_backward(const sugar_activation *activation, const sugar_tensor *x, const sugar_tensor *dy,
                                     const sugar_tensor *dx, const sugar_call_options *options, bool is_flat);

/* Feeds a monitor, and computes nothing. */
sugar_status sugar_extended_observe(sugar_monitor *monitor, const sugar_tensor *x, const sugar_call_options *options);

#endif
