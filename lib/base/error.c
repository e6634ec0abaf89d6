/* Errors: one message per thread, and the names of the statuses. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char message[512];

sugar_status sugar_error(sugar_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return status;
}

sugar_status sugar_check_index(const char *name, int32_t index, int32_t count)
{
    if (index >= 0 && index < count)
        return SUGAR_OK;
    return sugar_error(SUGAR_ERROR_ARGUMENT, "%s: %d, expected 0 or more and less than %d", name, (int)index,
                       (int)count);
}

const char *sugar_last_error(void) { return message; }

const char *sugar_status_name(sugar_status status)
{
    switch (status) {
    case SUGAR_OK: return "SUGAR_OK";
    case SUGAR_ERROR_ARGUMENT: return "SUGAR_ERROR_ARGUMENT";
    case SUGAR_ERROR_SPEC: return "SUGAR_ERROR_SPEC";
    case SUGAR_ERROR_UNSUPPORTED: return "SUGAR_ERROR_UNSUPPORTED";
    case SUGAR_ERROR_OUT_OF_MEMORY: return "SUGAR_ERROR_OUT_OF_MEMORY";
    case SUGAR_ERROR_OVERLAP: return "SUGAR_ERROR_OVERLAP";
    case SUGAR_ERROR_VALUE: return "SUGAR_ERROR_VALUE";
    case SUGAR_ERROR_DATA: return "SUGAR_ERROR_DATA";
    default: return "unknown status";
    }
}

int32_t sugar_version(void) { return SUGAR_VERSION_MAJOR * 10000 + SUGAR_VERSION_MINOR * 100 + SUGAR_VERSION_PATCH; }
