/* The status and the message of a failed call. */
#ifndef SUGAR_ERROR_H
#define SUGAR_ERROR_H

#include "sugar/sugar.h"

#if defined(__GNUC__)
#define SUGAR_PRINTF(string, first) __attribute__((format(printf, string, first)))
#else
#define SUGAR_PRINTF(string, first)
#endif

/* Sets the message of this thread, cut where it grows too long, and returns status, so that a check
 * ends with "return sugar_error(...)". What users wrote goes through sugar_quote first, and numbers
 * with a fraction through sugar_number_text: then the message is one line, in every locale. */
SUGAR_PRINTF(2, 3) sugar_status sugar_error(sugar_status status, const char *format, ...);

/* Whether an argument is in [0, count). */
sugar_status sugar_check_index(const char *name, int32_t index, int32_t count);

#endif
