/* The range check of parameters that are tensors. */
#ifndef SUGAR_PARAMETER_H
#define SUGAR_PARAMETER_H

#include "call/extended.h"

/* Checks that each value of a parameter that is a tensor is within its range. */
sugar_status sugar_parameter_check(const sugar_extended_call *call, const sugar_call_options *options);

#endif
