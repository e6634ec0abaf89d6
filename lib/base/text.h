/* Short strings: built within a fixed space, quoted from users, and numbers that no locale changes. */
#ifndef SUGAR_TEXT_H
#define SUGAR_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A string that grows at its end. What does not fit is cut; there always is a NUL. */
typedef struct sugar_text {
    char *start;
    size_t size;                    /* bytes at start, the NUL included */
    size_t length;
} sugar_text;

SUGAR_PRINTF(2, 3) void sugar_text_add(sugar_text *text, const char *format, ...);

/* Bytes from a user, in quotation marks, fit for a message: all but printable ASCII is escaped as
 * \xHH, and a long string ends in "...". */
typedef struct sugar_quoted {
    char text[64];
} sugar_quoted;

sugar_quoted sugar_quote(const char *bytes, size_t length);

/* A finite number in the fewest digits that read back as the same double; "" if there was no memory for
 * the "C" locale. */
typedef struct sugar_number {
    char text[32];
} sugar_number;

sugar_number sugar_number_text(double value);

/* Whole numbers as Python has them in a tuple: (), (3,), (2, 3). Many end in "...". */
typedef struct sugar_tuple {
    char text[128];
} sugar_tuple;

sugar_tuple sugar_tuple_text(const int64_t *numbers, int count);

/* Reads the decimal number at the start of text, which must have that form already. False: no memory
 * for the "C" locale. */
bool sugar_number_read(const char *text, double *value);

/* Which of the names is most like the word, in the number of letters to add, drop, change or swap;
 * upper and lower case count as the same. */
const char *sugar_nearest_name(const char *word, size_t length, const char *const *names, size_t count);

#endif
