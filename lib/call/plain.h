/* Plain calls: x and y, or x, dy and dx, and nothing else. */
#ifndef SUGAR_PLAIN_H
#define SUGAR_PLAIN_H

#include "activation/activation.h"
#include "view/tensor.h"

/* A call on 2 operands (x, y: forward) or 3 (x, dy, dx: backward), the last of which is the output. The activation and the
 * options have been checked; the operands have not. */
sugar_status sugar_plain_run(const sugar_activation *activation, const sugar_operand *operands, int count,
                             const sugar_call_options *options);

#endif
