/* The status and the message of a failed call. */
#ifndef SUGAR_ERROR_H
#define SUGAR_ERROR_H

#include "sugar/sugar.h"

#if defined(__GNUC__)
#define SUGAR_PRINTF(string, first) __attribute__((format(printf, string, first)))
#else
#define SUGAR_PRINTF(string, first)
#endif

/* Sets this thread's message, of at most 511 bytes (more are cut off), and returns status, so that a failed check is
 * one "return sugar_error(...)". A message is one line in every locale: text from users must go through sugar_quote,
 * and numbers with a fraction through sugar_number_text. */
SUGAR_PRINTF(2, 3) sugar_status sugar_error(sugar_status status, const char *format, ...);

/* Checks that an argument is in [0, count). */
sugar_status sugar_check_index(const char *name, int32_t index, int32_t count);

#endif
