/* Copies of public structs, from the caller and to the caller, by the size rule. */
#include "base/struct_size.h"

#include <stdbool.h>
#include <string.h>

/* Bytes. No public struct will be larger, so a larger struct_size was never set. */
enum { LARGEST_STRUCT = 4096 };

/* ---- The structs, by their list ------------------------------------------------------------- */

#define END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

#define BEGIN(type) const size_t type##_ends[] = {sizeof(size_t),
#define MEMBER(type, member) END_OF(type, member),
#define LAST(type, member)                                                                                             \
    END_OF(type, member)                                                                                               \
    }                                                                                                                  \
    ;                                                                                                                  \
    _Static_assert(END_OF(type, member) == sizeof(type), #type ": padding at the end, or not all members listed");
#include "base/structs.def"

/* The list has all members: a struct made from it is the same. */
#define BEGIN(type)                                                                                                    \
    struct listed_##type {                                                                                             \
        size_t struct_size;
#define MEMBER(type, member) __typeof__(((type *)0)->member) member;
#define LAST(type, member)                                                                                             \
    MEMBER(type, member)                                                                                               \
    }                                                                                                                  \
    ;
#include "base/structs.def"

#define BEGIN(type) _Static_assert(offsetof(type, struct_size) == 0, #type ": struct_size is not first");
#define MEMBER(type, member)                                                                                           \
    _Static_assert(offsetof(type, member) == offsetof(struct listed_##type, member),                                   \
                   #type ": not listed as in the header: before " #member);
#define LAST(type, member) MEMBER(type, member)
#include "base/structs.def"

/* ---- Copies --------------------------------------------------------------------------------- */

/* Whether a member, of this or of a later version, can end there. */
static bool is_possible(size_t size, size_t known_size, const size_t *ends)
{
    if (size < sizeof size || size > LARGEST_STRUCT || size % sizeof size != 0)
        return false;
    if (size >= known_size)
        return true;
    while (*ends < size)
        ends++;
    return *ends == size;
}

static sugar_status read_size(const char *name, const void *given, size_t known_size, const size_t *ends, size_t *size)
{
    if (!given)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "%s: NULL, expected a struct", name);
    memcpy(size, given, sizeof *size);
    if (!is_possible(*size, known_size, ends))
        return sugar_error(SUGAR_ERROR_ARGUMENT, "%s: struct_size %zu, expected the size of the struct (%zu)", name,
                           *size, known_size);
    return SUGAR_OK;
}

sugar_status sugar_struct_read(const char *name, const void *given, void *known, size_t known_size, const size_t *ends)
{
    memset(known, 0, known_size);
    if (!given)
        return SUGAR_OK;
    size_t size = 0;
    const sugar_status status = read_size(name, given, known_size, ends, &size);
    if (status != SUGAR_OK)
        return status;
    memcpy(known, given, size < known_size ? size : known_size);
    const unsigned char *bytes = given;
    for (size_t i = known_size; i < size; i++)
        if (bytes[i] != 0)
            return sugar_error(SUGAR_ERROR_UNSUPPORTED,
                               "%s: byte %zu is %u, expected 0: an option newer than this library", name, i,
                               (unsigned)bytes[i]);
    return SUGAR_OK;
}

sugar_status sugar_struct_write(const char *name, void *given, const void *known, size_t known_size, const size_t *ends)
{
    size_t size = 0;
    const sugar_status status = read_size(name, given, known_size, ends, &size);
    if (status != SUGAR_OK)
        return status;
    unsigned char *bytes = given;
    const size_t shared = size < known_size ? size : known_size;
    memcpy(bytes + sizeof size, (const unsigned char *)known + sizeof size, shared - sizeof size);
    memset(bytes + shared, 0, size - shared);
    return SUGAR_OK;
}
