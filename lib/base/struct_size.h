/* The size rule of the public structs that begin with struct_size: callers built against an older or
 * a newer header work with this library. */
#ifndef SUGAR_STRUCT_SIZE_H
#define SUGAR_STRUCT_SIZE_H

#include <stddef.h>

#include "base/error.h"

/* Copies the caller's struct `given` (NULL: all defaults) to `known`, of known_size bytes. Members
 * that an older caller lacks become 0; a non-zero byte of a newer caller, beyond known_size, asks
 * for something this library does not have and is an error. */
sugar_status sugar_struct_read(const char *name, const void *given, void *known, size_t known_size);

/* Copies `known` to the caller's struct `given` as far as that reaches, and sets what lies beyond
 * known_size to 0. The caller's struct_size stays. */
sugar_status sugar_struct_write(const char *name, void *given, const void *known, size_t known_size);

#endif
