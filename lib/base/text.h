/* Short strings: built in a fixed buffer; quotations of what users wrote; numbers as text, the same in every
 * locale. */
#ifndef SUGAR_TEXT_H
#define SUGAR_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A string in a buffer, added to at its end. What does not fit is cut off; it always ends in a NUL. */
typedef struct sugar_text {
    char *start;
    size_t size;                    /* bytes of the buffer */
    size_t length;                  /* without the NUL */
} sugar_text;

SUGAR_PRINTF(2, 3) void sugar_text_add(sugar_text *text, const char *format, ...);

/* What a user wrote, in quotation marks, for a message: bytes other than printable ASCII are escaped as \xHH, and a
 * long string ends in "...". */
typedef struct sugar_quoted {
    char text[64];
} sugar_quoted;

sugar_quoted sugar_quote(const char *bytes, size_t length);

/* A finite number in the fewest digits that read back as the same double; "" if the "C" locale could not be
 * allocated. */
typedef struct sugar_number {
    char text[32];
} sugar_number;

sugar_number sugar_number_text(double value);

/* Whole numbers as Python prints a tuple of them: (), (3,), (2, 3). A long tuple ends in "...". */
typedef struct sugar_tuple {
    char text[128];
} sugar_tuple;

sugar_tuple sugar_tuple_text(const int64_t *numbers, int count);

/* Reads the decimal number at the start of text; the caller has checked that one is there. False: the "C" locale could
 * not be allocated. */
bool sugar_number_read(const char *text, double *value);

/* The name closest to the word: with the fewest letters to add, drop, change or swap. Case does not count. */
const char *sugar_nearest_name(const char *word, size_t length, const char *const *names, size_t count);

#endif
