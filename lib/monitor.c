/* Monitors: what the units of a layer have seen. */
#include "monitor.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "extended.h"
#include "level.h"
#include "structs.h"
#include "tensor.h"

enum { MOST_UNITS = INT32_MAX };
#define DEFAULT_MAXIMUM 8.0

static sugar_status check_range(const char *name, double value)
{
    if (!isfinite(value))
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: %s is not finite, expected a number", name);
    return SUGAR_OK;
}

static sugar_status check_options(int64_t units, sugar_monitor_options *known)
{
    if (units < 1 || units > MOST_UNITS)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "units: %lld, expected 1 to %lld", (long long)units,
                           (long long)MOST_UNITS);
    if (known->reserved != 0)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: reserved %d, expected 0", (int)known->reserved);
    sugar_status status = check_range("threshold", known->threshold);
    if (status == SUGAR_OK)
        status = check_range("minimum", known->minimum);
    if (status == SUGAR_OK)
        status = check_range("maximum", known->maximum);
    if (status != SUGAR_OK)
        return status;
    if (known->minimum == 0 && known->maximum == 0) {
        known->minimum = -DEFAULT_MAXIMUM;
        known->maximum = DEFAULT_MAXIMUM;
    }
    if (!(known->minimum < known->maximum) || !isfinite(known->maximum - known->minimum))
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: maximum is not above minimum, or too far, expected a range");
    return SUGAR_OK;
}

sugar_status sugar_monitor_create(sugar_monitor **monitor, int64_t units, const sugar_monitor_options *options)
{
    if (!monitor)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "monitor: NULL, expected the address of a handle");
    sugar_monitor_options known;
    sugar_status status = sugar_struct_read("options", options, &known, sizeof known);
    if (!options)
        known.axis = -1;
    if (status == SUGAR_OK)
        status = check_options(units, &known);
    if (status != SUGAR_OK)
        return status;
    sugar_monitor *made = calloc(1, sizeof *made + (size_t)units * sizeof *made->unit);
    if (!made)
        return sugar_error(SUGAR_ERROR_OUT_OF_MEMORY, "monitor: no memory for %lld units", (long long)units);
    made->units = units;
    made->axis = known.axis;
    made->threshold = known.threshold;
    made->minimum = known.minimum;
    made->maximum = known.maximum;
    *monitor = made;
    return SUGAR_OK;
}

void sugar_monitor_destroy(sugar_monitor *monitor)
{
    free(monitor);
}

sugar_status sugar_monitor_observe(sugar_monitor *monitor, const sugar_tensor *x, const sugar_call_options *options)
{
    if (!monitor)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "monitor: NULL, expected a handle");
    sugar_call_options known;
    sugar_status status = sugar_struct_read("options", options, &known, sizeof known);
    if (status == SUGAR_OK && (known.flags || sugar_is_extended(&known)))
        status = sugar_error(SUGAR_ERROR_ARGUMENT, "options: expected nothing but a context");
    const sugar_level_row *level;
    if (status == SUGAR_OK)
        status = sugar_level_select(NULL, &level);
    if (status == SUGAR_OK)
        status = sugar_operand_check(&(sugar_operand){.name = "x", .tensor = x});
    if (status != SUGAR_OK)
        return status;
    return sugar_extended_observe(monitor, &level->kernels, x, &known);
}
