/* Runs extended calls. */
#ifndef SUGAR_RUN_H
#define SUGAR_RUN_H

#include "call/extended.h"

/* Runs a call that has been checked, and has at least one element. */
void sugar_extended_run(sugar_extended_call *call, const sugar_call_options *options);

#endif
