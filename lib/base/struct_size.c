/* Copies of public structs, from the caller and to the caller, by the size rule. */
#include "base/struct_size.h"

#include <string.h>

/* Bytes. No public struct will be larger, so a larger struct_size was never set. */
enum { LARGEST_STRUCT = 4096 };

static sugar_status read_size(const char *name, const void *given, size_t known_size, size_t *size)
{
    if (!given)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "%s: NULL, expected a struct", name);
    memcpy(size, given, sizeof *size);
    /* Only multiples of a word, so that no pointer member is cut in two. */
    if (*size < sizeof *size || *size > LARGEST_STRUCT || *size % sizeof *size != 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "%s: struct_size %zu, expected the size of the struct (%zu)", name,
                           *size, known_size);
    return SUGAR_OK;
}

sugar_status sugar_struct_read(const char *name, const void *given, void *known, size_t known_size)
{
    memset(known, 0, known_size);
    if (!given)
        return SUGAR_OK;
    size_t size = 0;
    const sugar_status status = read_size(name, given, known_size, &size);
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

sugar_status sugar_struct_write(const char *name, void *given, const void *known, size_t known_size)
{
    size_t size = 0;
    const sugar_status status = read_size(name, given, known_size, &size);
    if (status != SUGAR_OK)
        return status;
    unsigned char *bytes = given;
    const size_t shared = size < known_size ? size : known_size;
    memcpy(bytes + sizeof size, (const unsigned char *)known + sizeof size, shared - sizeof size);
    memset(bytes + shared, 0, size - shared);
    return SUGAR_OK;
}
