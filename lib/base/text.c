/* Short strings: building, quoting, numbers, and the search for the nearest name. */
#define _POSIX_C_SOURCE 200809L     /* newlocale, uselocale */

#include "base/text.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sugar_text_add(sugar_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t space = text->size - text->length;
    const int added = vsnprintf(text->start + text->length, space, format, arguments);
    va_end(arguments);
    if (added > 0)
        text->length += (size_t)added < space ? (size_t)added : space - 1;
}

sugar_quoted sugar_quote(const char *bytes, size_t length)
{
    enum { ESCAPE = 4, ENDING = 5 };    /* bytes of "\xHH", and of "...'" with the NUL */
    sugar_quoted quoted;
    sugar_text text = {quoted.text, sizeof quoted.text, 0};
    sugar_text_add(&text, "'");
    for (size_t i = 0; i < length; i++) {
        if (text.length + ESCAPE + ENDING > text.size) {
            sugar_text_add(&text, "...");
            break;
        }
        const unsigned char byte = (unsigned char)bytes[i];
        if (byte >= ' ' && byte <= '~')
            sugar_text_add(&text, "%c", byte);
        else
            sugar_text_add(&text, "\\x%02x", (unsigned)byte);
    }
    sugar_text_add(&text, "'");
    return quoted;
}

sugar_tuple sugar_tuple_text(const int64_t *numbers, int count)
{
    sugar_tuple tuple;
    sugar_text text = {tuple.text, sizeof tuple.text - sizeof "...", 0};
    sugar_text_add(&text, "(");
    for (int i = 0; i < count; i++)
        sugar_text_add(&text, "%s%lld", i ? ", " : "", (long long)numbers[i]);
    sugar_text_add(&text, count == 1 ? ",)" : ")");
    if (text.length + 1 == text.size)
        memcpy(tuple.text + text.length, "...", sizeof "...");
    return tuple;
}

/* The "C" locale, for this thread alone, and the locale to return to. */
typedef struct locale_switch {
    locale_t c, before;
} locale_switch;

static bool enter_c_locale(locale_switch *change)
{
    change->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (change->c == (locale_t)0)
        return false;
    change->before = uselocale(change->c);
    return true;
}

static void leave_c_locale(const locale_switch *change)
{
    uselocale(change->before);
    freelocale(change->c);
}

sugar_number sugar_number_text(double value)
{
    enum { MOST_DIGITS = 17 };      /* enough for any double */
    sugar_number number = {""};
    locale_switch change;
    if (!enter_c_locale(&change))
        return number;
    int digits = 0;
    do
        snprintf(number.text, sizeof number.text, "%.*e", digits++, value);
    while (digits < MOST_DIGITS && strtod(number.text, NULL) != value);

    /* Numbers with these exponents are written without one, as in Python. */
    const char *e = strchr(number.text, 'e');
    const long exponent = e ? strtol(e + 1, NULL, 10) : 0;
    if (exponent >= -4 && exponent < 16) {
        const int decimals = digits - 1 - (int)exponent;
        snprintf(number.text, sizeof number.text, "%.*f", decimals > 0 ? decimals : 0, value);
    }
    leave_c_locale(&change);
    return number;
}

bool sugar_number_read(const char *text, double *value)
{
    locale_switch change;
    if (!enter_c_locale(&change))
        return false;
    *value = strtod(text, NULL) + 0.0;  /* makes -0 a 0: they would give two canonical specs */
    leave_c_locale(&change);
    return true;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static size_t lesser(size_t a, size_t b) { return a < b ? a : b; }

enum { LONGEST_NAME = 32 };         /* letters; the rest of a longer word is ignored */

/* The optimal string alignment distance: Levenshtein's, in which a swap of two neighbours is one change. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t row[3][LONGEST_NAME + 1];    /* of the matrix of distances: rows i - 2, i - 1 and i */
    for (size_t j = 0; j <= b_length; j++)
        row[1][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[2][0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            size_t least = lesser(row[1][j - 1] + !same, lesser(row[1][j], row[2][j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                least = lesser(least, row[0][j - 2] + 1);
            row[2][j] = least;
        }
        memcpy(row[0], row[1], sizeof row[0]);
        memcpy(row[1], row[2], sizeof row[1]);
    }
    return row[1][b_length];
}

const char *sugar_nearest_name(const char *word, size_t length, const char *const *names, size_t count)
{
    const char *nearest = "";
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const size_t distance =
            edit_distance(word, lesser(length, LONGEST_NAME), names[i], lesser(strlen(names[i]), LONGEST_NAME));
        if (distance < least) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
