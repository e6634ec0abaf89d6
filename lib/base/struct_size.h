/* The size rule of the public structs that begin with struct_size: it lets this library work with callers that were
 * built against an older or a newer header. */
#ifndef SUGAR_STRUCT_SIZE_H
#define SUGAR_STRUCT_SIZE_H

#include <stddef.h>

#include <sugar/sugar.h>

#include "base/error.h"

/* Where the members of a public struct end, in bytes: what an older caller's struct_size may be. */
#define BEGIN(type) extern const size_t type##_ends[];
#define MEMBER(type, member)
#define LAST(type, member)
#include "base/structs.def"

/* Copies the caller's struct `given` (NULL: all defaults) to `known`, which has known_size bytes. Members that an
 * older caller's struct lacks become 0. A byte that a newer caller's struct has beyond known_size must be 0: any other
 * value asks for something that this library does not have, and is an error. */
sugar_status sugar_struct_read(const char *name, const void *given, void *known, size_t known_size, const size_t *ends);

/* Copies `known` to the caller's struct `given`: as many bytes as both have. Bytes of `given` beyond known_size become
 * 0. Its struct_size stays as it is. */
sugar_status sugar_struct_write(const char *name, void *given, const void *known, size_t known_size,
                                const size_t *ends);

#endif
