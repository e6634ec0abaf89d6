/* Plain calls: those whose only operands are x and y, or x, dy and dx. */
#ifndef SUGAR_PLAIN_H
#define SUGAR_PLAIN_H

#include "activation/activation.h"
#include "view/tensor.h"

/* Runs a call on 2 operands (x, y: forward) or 3 (x, dy, dx: backward); the last one is the output. Checks the
 * operands; the caller has checked the activation and the options. */
sugar_status sugar_plain_run(const sugar_activation *activation, const sugar_operand *operands, int count,
                             const sugar_call_options *options);

#endif
