/* Spec strings: forward[(name=value,...)][~surrogate[(name=value,...)]].
 *
 * A position in a message is in bytes, from 0. The grammar of a number is checked here; strtod converts it. */
#include "activation/spec.h"

#include <inttypes.h>
#include <string.h>

/* A spec and how far it has been read. The text ends in a NUL, and has no other in it. */
typedef struct reader {
    const char *text;
    size_t at;                      /* bytes that have been read */
} reader;

/* What may be assigned in the parentheses of a function: its parameters; for a surrogate two options; for `table` the
 * digest of its knots. */
enum { DOMAIN = SUGAR_MAX_PARAMETERS, BLEND, DIGEST, ASSIGNABLE };

/* The function on one side of the ~, while it is read. */
typedef struct side {
    sugar_function *function;
    const char *names[ASSIGNABLE];  /* NULL: this function has no such parameter or option */
    size_t seen[ASSIGNABLE];        /* 1 + the position of its name; 0: not read yet */
} side;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static void skip_blanks(reader *r)
{
    while (r->text[r->at] == ' ' || r->text[r->at] == '\t')
        r->at++;
}

static bool accept(reader *r, char c)
{
    skip_blanks(r);
    if (r->text[r->at] != c)
        return false;
    r->at++;
    return true;
}

static size_t skip_digits(reader *r)
{
    const size_t start = r->at;
    while (is_digit(r->text[r->at]))
        r->at++;
    return r->at - start;
}

/* Skips the name that starts here. Returns its length; 0: there is none. */
static size_t skip_name(reader *r)
{
    const size_t start = r->at;
    if (is_letter(r->text[r->at]))
        while (is_letter(r->text[r->at]) || is_digit(r->text[r->at]))
            r->at++;
    return r->at - start;
}

static sugar_status unexpected(const reader *r, const char *expected)
{
    const char *found = r->text + r->at;
    return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: expected %s, found %s", r->at, expected,
                       *found ? sugar_quote(found, 1).text : "the end");
}

/* [sign] digits [. digits] [e [sign] digits]: a value in [minimum, maximum]. */
static sugar_status read_number(reader *r, const char *name, double minimum, double maximum, double *value)
{
    const size_t start = r->at;
    if (r->text[r->at] == '+' || r->text[r->at] == '-')
        r->at++;
    if (!skip_digits(r))
        return unexpected(r, "a decimal number");
    if (r->text[r->at] == '.') {
        r->at++;
        if (!skip_digits(r))
            return unexpected(r, "a digit");
    }
    if (r->text[r->at] == 'e' || r->text[r->at] == 'E') {
        r->at++;
        if (r->text[r->at] == '+' || r->text[r->at] == '-')
            r->at++;
        if (!skip_digits(r))
            return unexpected(r, "a digit");
    }
    if (is_letter(r->text[r->at]) || r->text[r->at] == '.')
        return unexpected(r, "the end of a decimal number");
    if (!sugar_number_read(r->text + start, value))
        return sugar_error(SUGAR_ERROR_OUT_OF_MEMORY, "spec: no memory to read a number");
    if (*value >= minimum && *value <= maximum)
        return SUGAR_OK;
    return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: %s is %s, expected %s to %s", start, name,
                       sugar_quote(r->text + start, r->at - start).text, sugar_number_text(minimum).text,
                       sugar_number_text(maximum).text);
}

static sugar_status read_domain(reader *r, bool *negative_only)
{
    const char *word = r->text + r->at;
    const size_t length = skip_name(r);
    const bool negative = length == strlen("negative") && memcmp(word, "negative", length) == 0;
    const bool all = length == strlen("all") && memcmp(word, "all", length) == 0;
    if (!negative && !all)
        return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: domain is %s, expected all or negative",
                           (size_t)(word - r->text), sugar_quote(word, length).text);
    *negative_only = negative;
    return SUGAR_OK;
}

/* 16 hexadecimal digits, in lower case. */
static sugar_status read_digest(reader *r, sugar_function *function)
{
    enum { DIGITS = 16 };
    static const char digits[] = "0123456789abcdef";
    const size_t start = r->at;
    const char *word = r->text + start;
    while (is_letter(r->text[r->at]) || is_digit(r->text[r->at]))
        r->at++;
    if (r->at - start != DIGITS || strspn(word, digits) < DIGITS)
        return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: digest is %s, expected %d digits 0 to 9 or a to f",
                           start, sugar_quote(word, r->at - start).text, (int)DIGITS);
    uint64_t digest = 0;
    for (int i = 0; i < DIGITS; i++)
        digest = digest << 4 | (uint64_t)(strchr(digits, word[i]) - digits);
    function->digest = digest;
    function->has_digest = true;
    return SUGAR_OK;
}

static sugar_status unknown_name(const side *s, size_t start, const char *word, size_t length)
{
    const char *function = sugar_kinds[s->function->kind].name;
    const char *names[ASSIGNABLE];
    size_t count = 0;
    for (int i = 0; i < ASSIGNABLE; i++)
        if (s->names[i])
            names[count++] = s->names[i];
    const sugar_quoted quoted = sugar_quote(word, length);
    if (count == 0)
        return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: unknown parameter %s, %s has none", start,
                           quoted.text, function);
    return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: unknown parameter %s of %s, did you mean '%s'?", start,
                       quoted.text, function, sugar_nearest_name(word, length, names, count));
}

/* name=value */
static sugar_status read_assignment(reader *r, sugar_spec *spec, side *s)
{
    skip_blanks(r);
    const size_t start = r->at;
    const char *word = r->text + start;
    const size_t length = skip_name(r);
    if (length == 0)
        return unexpected(r, "a parameter's name");
    int slot = 0;
    while (slot < ASSIGNABLE
           && !(s->names[slot] && strlen(s->names[slot]) == length && memcmp(s->names[slot], word, length) == 0))
        slot++;
    if (slot == ASSIGNABLE)
        return unknown_name(s, start, word, length);
    if (s->seen[slot])
        return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: second '%s', the first is at %zu", start,
                           s->names[slot], s->seen[slot] - 1);
    s->seen[slot] = start + 1;
    if (!accept(r, '='))
        return unexpected(r, "'='");
    skip_blanks(r);
    if (slot == DOMAIN)
        return read_domain(r, &spec->negative_only);
    if (slot == BLEND)
        return read_number(r, "blend", 0, 1, &spec->blend);
    if (slot == DIGEST)
        return read_digest(r, s->function);
    const sugar_parameter_entry *entry = &sugar_kinds[s->function->kind].parameters[slot];
    return read_number(r, entry->name, entry->minimum, entry->maximum, &s->function->parameter[slot]);
}

static sugar_status check_order(const side *s)
{
    const sugar_parameter_entry *entries = sugar_kinds[s->function->kind].parameters;
    const double *values = s->function->parameter;
    for (int i = 0; i + 1 < SUGAR_MAX_PARAMETERS; i++)
        if (entries[i].up_to_next && values[i] > values[i + 1])
            return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: %s is %s, expected at most %s, which is %s",
                               (s->seen[i] ? s->seen[i] : s->seen[i + 1]) - 1, entries[i].name,
                               sugar_number_text(values[i]).text, entries[i + 1].name,
                               sugar_number_text(values[i + 1]).text);
    return SUGAR_OK;
}

/* The name of a kind that has the role. */
static sugar_status read_kind(reader *r, uint32_t role, int32_t *kind)
{
    skip_blanks(r);
    const size_t start = r->at;
    const size_t length = skip_name(r);
    const char *place = role == SUGAR_ROLE_FORWARD ? "a function's name" : "a surrogate's name";
    if (length == 0)
        return unexpected(r, place);
    const char *word = r->text + start;
    *kind = sugar_kind_find(word, length);
    if (*kind >= 0 && (sugar_kinds[*kind].roles & role))
        return SUGAR_OK;
    if (*kind >= 0)
        return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: '%s' is a surrogate only, expected after a '~'",
                           start, sugar_kinds[*kind].name);
    return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: expected %s, found %s, did you mean '%s'?", start, place,
                       sugar_quote(word, length).text, sugar_kind_nearest(word, length, role));
}

/* name[(name=value,...)] */
static sugar_status read_side(reader *r, uint32_t role, sugar_spec *spec, sugar_function *function)
{
    *function = (sugar_function){0};
    sugar_status status = read_kind(r, role, &function->kind);
    if (status != SUGAR_OK)
        return status;
    side s = {.function = function};
    for (int i = 0; i < SUGAR_MAX_PARAMETERS; i++) {
        s.names[i] = sugar_kinds[function->kind].parameters[i].name;
        function->parameter[i] = sugar_kinds[function->kind].parameters[i].default_value;
    }
    if (function->kind == SUGAR_KIND_table)
        s.names[DIGEST] = "digest";
    if (role == SUGAR_ROLE_SURROGATE) {
        s.names[DOMAIN] = "domain";
        s.names[BLEND] = "blend";
    }
    if (!accept(r, '('))
        return SUGAR_OK;
    do {
        status = read_assignment(r, spec, &s);
        if (status != SUGAR_OK)
            return status;
    } while (accept(r, ','));
    if (!accept(r, ')'))
        return unexpected(r, "',' or ')'");
    return check_order(&s);
}

sugar_status sugar_spec_read(sugar_spec *spec, const char *text, size_t length)
{
    if (length > SUGAR_MAX_SPEC)
        return sugar_error(SUGAR_ERROR_SPEC, "spec: %zu bytes long, expected at most %d", length, (int)SUGAR_MAX_SPEC);
    const char *nul = memchr(text, '\0', length);
    if (nul)
        return sugar_error(SUGAR_ERROR_SPEC, "spec: position %zu: expected a string, found a NUL in it",
                           (size_t)(nul - text));
    char copy[SUGAR_MAX_SPEC + 1];      /* ends in a NUL, so that no function here needs the length */
    memcpy(copy, text, length);
    copy[length] = '\0';

    reader r = {copy, 0};
    *spec = (sugar_spec){.blend = 1};
    sugar_status status = read_side(&r, SUGAR_ROLE_FORWARD, spec, &spec->forward);
    if (status != SUGAR_OK)
        return status;
    spec->surrogate = spec->forward;
    spec->has_surrogate = accept(&r, '~');
    if (spec->has_surrogate)
        status = read_side(&r, SUGAR_ROLE_SURROGATE, spec, &spec->surrogate);
    if (status != SUGAR_OK)
        return status;
    skip_blanks(&r);
    return copy[r.at] ? unexpected(&r, spec->has_surrogate ? "the end" : "'~' or the end") : SUGAR_OK;
}

/* What stands before the next item of a list in parentheses. */
static const char *separator(int *items) { return (*items)++ ? "," : "("; }

/* False, here and below: no memory to write a number. */
static bool write_number(const char *name, double value, int *items, sugar_text *text)
{
    const sugar_number number = sugar_number_text(value);
    sugar_text_add(text, "%s%s=%s", separator(items), name, number.text);
    return number.text[0] != '\0';
}

static bool write_function(const sugar_function *function, int *items, sugar_text *text)
{
    const sugar_kind_entry *kind = &sugar_kinds[function->kind];
    bool complete = true;
    sugar_text_add(text, "%s", kind->name);
    for (int i = 0; i < sugar_kind_parameter_count(kind); i++)
        complete &= write_number(kind->parameters[i].name, function->parameter[i], items, text);
    if (function->has_digest)
        sugar_text_add(text, "%sdigest=%016" PRIx64, separator(items), function->digest);
    return complete;
}

sugar_status sugar_spec_write(const sugar_spec *spec, sugar_text *text)
{
    int items = 0;
    bool complete = write_function(&spec->forward, &items, text);
    sugar_text_add(text, "%s", items ? ")" : "");
    if (spec->has_surrogate) {
        items = 0;
        sugar_text_add(text, "~");
        complete &= write_function(&spec->surrogate, &items, text);
        if (spec->negative_only)
            sugar_text_add(text, "%sdomain=negative", separator(&items));
        if (spec->blend < 1)
            complete &= write_number("blend", spec->blend, &items, text);
        sugar_text_add(text, "%s", items ? ")" : "");
    }
    return complete ? SUGAR_OK : sugar_error(SUGAR_ERROR_OUT_OF_MEMORY, "spec: no memory to write a number");
}
