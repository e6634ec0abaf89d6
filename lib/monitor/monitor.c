/* Monitors: making, merging and reading them. save.c has their saved form; call/tile.c and kernels/loops/monitor.h do
 * the counting. */
#include "monitor/monitor.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/struct_size.h"
#include "base/text.h"
#include "cpu/float_mode.h"

enum { MOST_UNITS = INT32_MAX };
#define DEFAULT_MAXIMUM 8.0
/* The width of a histogram, such that f32 can compute with its bins. */
#define LEAST_WIDTH 1e-30
#define GREATEST_WIDTH 1e30

static sugar_status check_handle(const char *name, const sugar_monitor *monitor)
{
    if (!monitor)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "%s: NULL, expected a handle", name);
    return SUGAR_OK;
}

/* ---- Making and resetting ------------------------------------------------------------------ */

static sugar_status check_finite(const char *name, double value)
{
    if (!isfinite(value))
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: %s %s, expected a finite number", name,
                           isnan(value) ? "NaN"
                           : value > 0  ? "infinity"
                                        : "-infinity");
    return SUGAR_OK;
}

static sugar_status check_range(const sugar_monitor_options *known)
{
    const double width = known->maximum - known->minimum;
    if (width >= LEAST_WIDTH && width <= GREATEST_WIDTH)
        return SUGAR_OK;
    return sugar_error(SUGAR_ERROR_ARGUMENT,
                       "options: minimum %s and maximum %s, expected a maximum 1e-30 to 1e30 above",
                       sugar_number_text(known->minimum).text, sugar_number_text(known->maximum).text);
}

static sugar_status check_options(int64_t units, sugar_monitor_options *known)
{
    if (units < 1 || units > MOST_UNITS)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "units: %lld, expected 1 to %lld", (long long)units,
                           (long long)MOST_UNITS);
    if (known->axis_from_end < 0 || known->axis_from_end >= SUGAR_MAX_DIMENSIONS)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: axis_from_end %d, expected 0, the last one, to %d",
                           (int)known->axis_from_end, SUGAR_MAX_DIMENSIONS - 1);
    if (known->bins != 0 && known->bins != SUGAR_MONITOR_BINS)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "options: bins %d, expected 0 or %d", (int)known->bins,
                           (int)SUGAR_MONITOR_BINS);
    sugar_status status = check_finite("threshold", known->threshold);
    if (status == SUGAR_OK)
        status = check_finite("minimum", known->minimum);
    if (status == SUGAR_OK)
        status = check_finite("maximum", known->maximum);
    if (status != SUGAR_OK)
        return status;
    if (known->every < 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "options: every %lld, expected 0 or more", (long long)known->every);
    known->every = known->every > 0 ? known->every : 1;
    if (known->minimum == 0 && known->maximum == 0) {
        known->minimum = -DEFAULT_MAXIMUM;
        known->maximum = DEFAULT_MAXIMUM;
    }
    return check_range(known);
}

sugar_status sugar_monitor_make(sugar_monitor **monitor, int64_t units, sugar_monitor_options *options)
{
    const sugar_status status = check_options(units, options);
    if (status != SUGAR_OK)
        return status;
    sugar_monitor *made = NULL;
    if ((uint64_t)units <= (SIZE_MAX - sizeof *made) / sizeof *made->unit)
        made = calloc(1, sizeof *made + (size_t)units * sizeof *made->unit);
    if (!made)
        return sugar_error(SUGAR_ERROR_OUT_OF_MEMORY, "monitor: no memory for %lld units", (long long)units);
    made->level = sugar_level_default();
    made->units = units;
    made->axis_from_end = options->axis_from_end;
    made->bins = SUGAR_MONITOR_BINS;
    made->threshold = options->threshold;
    made->minimum = options->minimum;
    made->maximum = options->maximum;
    made->every = options->every;
    *monitor = made;
    return SUGAR_OK;
}

sugar_status sugar_monitor_create(sugar_monitor **monitor, int64_t units, const sugar_monitor_options *options)
{
    SUGAR_DEFAULT_ENVIRONMENT;
    if (!monitor)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "monitor: NULL, expected the address of a handle");
    sugar_monitor_options known;
    const sugar_status status = sugar_struct_read("options", options, &known, sizeof known, sugar_monitor_options_ends);
    return status == SUGAR_OK ? sugar_monitor_make(monitor, units, &known) : status;
}

void sugar_monitor_destroy(sugar_monitor *monitor) { free(monitor); }

sugar_status sugar_monitor_reset(sugar_monitor *monitor)
{
    const sugar_status status = check_handle("monitor", monitor);
    if (status != SUGAR_OK)
        return status;
    monitor->wait = monitor->calls = monitor->observed = monitor->samples = 0;
    memset(monitor->bin, 0, sizeof monitor->bin);
    memset(monitor->unit, 0, (size_t)monitor->units * sizeof *monitor->unit);
    return SUGAR_OK;
}

/* ---- Calls --------------------------------------------------------------------------------- */

sugar_status sugar_monitor_sum_calls(const sugar_monitor *monitor, int64_t more, int64_t *calls)
{
    if (__builtin_add_overflow(monitor->calls, more, calls))
        return sugar_error(SUGAR_ERROR_VALUE, "monitor: %lld calls and %lld more, expected at most 2^63 - 1 in all",
                           (long long)monitor->calls, (long long)more);
    return SUGAR_OK;
}

void sugar_monitor_count_call(sugar_monitor *monitor)
{
    monitor->calls++;
    monitor->observed += sugar_monitor_is_due(monitor);
    monitor->wait = (sugar_monitor_is_due(monitor) ? monitor->every : monitor->wait) - 1;
}

/* ---- Merging ------------------------------------------------------------------------------- */

sugar_status sugar_monitor_sum_samples(const sugar_monitor *monitor, int64_t more, int64_t *samples)
{
    int64_t all;
    if (__builtin_add_overflow(monitor->samples, more, samples)
        || __builtin_mul_overflow(*samples, monitor->units, &all))
        return sugar_error(SUGAR_ERROR_VALUE,
                           "monitor: %lld samples of each unit and %lld more, expected at most 2^63 - 1 in all",
                           (long long)monitor->samples, (long long)more);
    return SUGAR_OK;
}

static sugar_status check_same(const char *name, double found, double expected)
{
    if (found == expected)
        return SUGAR_OK;
    return sugar_error(SUGAR_ERROR_ARGUMENT, "from: %s %s, expected %s like into", name, sugar_number_text(found).text,
                       sugar_number_text(expected).text);
}

static sugar_status check_merge(const sugar_monitor *into, const sugar_monitor *from)
{
    sugar_status status = check_handle("into", into);
    if (status == SUGAR_OK)
        status = check_handle("from", from);
    if (status == SUGAR_OK && into == from)
        status = sugar_error(SUGAR_ERROR_ARGUMENT, "from: the same monitor as into, expected another");
    if (status == SUGAR_OK && into->units != from->units)
        status = sugar_error(SUGAR_ERROR_ARGUMENT, "from: %lld units, expected %lld like into", (long long)from->units,
                             (long long)into->units);
    if (status == SUGAR_OK)
        status = check_same("bins", from->bins, into->bins);
    if (status == SUGAR_OK)
        status = check_same("threshold", from->threshold, into->threshold);
    if (status == SUGAR_OK)
        status = check_same("minimum", from->minimum, into->minimum);
    if (status == SUGAR_OK)
        status = check_same("maximum", from->maximum, into->maximum);
    return status;
}

sugar_status sugar_monitor_merge(sugar_monitor *into, const sugar_monitor *from)
{
    SUGAR_DEFAULT_MODE;
    int64_t samples, calls;
    sugar_status status = check_merge(into, from);
    if (status == SUGAR_OK)
        status = sugar_monitor_sum_samples(into, from->samples, &samples);
    if (status == SUGAR_OK)
        status = sugar_monitor_sum_calls(into, from->calls, &calls);
    if (status != SUGAR_OK)
        return status;
    into->samples = samples;
    into->calls = calls;
    into->observed += from->observed;
    for (int i = 0; i < into->bins; i++)
        into->bin[i] += from->bin[i];
    for (int64_t i = 0; i < into->units; i++)
        sugar_tally_add(&into->unit[i], &from->unit[i]);
    return SUGAR_OK;
}

/* ---- Answers ------------------------------------------------------------------------------- */

static double mean_of(double sum, int64_t count) { return count > 0 ? sum / (double)count : (double)NAN; }

/* sqrt(E[x^2] - E[x]^2). Where all samples are equal, rounding can make the difference negative. */
static double deviation_of(const sugar_tally *tally, int64_t count)
{
    const double mean = mean_of(tally->sum, count);
    const double variance = mean_of(tally->sum_of_squares, count) - mean * mean;
    return variance < 0 ? 0 : sqrt(variance);
}

/* Whether the share of active samples is at most `rate`. It is compared as a quotient: 29 / 100 is 0.29, but 0.29 *
 * 100 is less than 29. */
static bool is_dead(const sugar_monitor *monitor, int64_t unit, double rate)
{
    return monitor->samples > 0 && (double)monitor->unit[unit].active / (double)monitor->samples <= rate;
}

sugar_status sugar_monitor_get(const sugar_monitor *monitor, sugar_monitor_summary *summary)
{
    SUGAR_DEFAULT_MODE;
    const sugar_status status = check_handle("monitor", monitor);
    if (status != SUGAR_OK)
        return status;
    sugar_tally all = {0, 0, 0, 0};
    int64_t dead = 0;
    for (int64_t i = 0; i < monitor->units; i++) {
        sugar_tally_add(&all, &monitor->unit[i]);
        dead += is_dead(monitor, i, 0);
    }
    const int64_t samples = monitor->samples * monitor->units, finite = samples - all.not_finite;
    const sugar_monitor_summary known = {
        .units = monitor->units,
        .samples = samples,
        .active = all.active,
        .not_finite = all.not_finite,
        .dead = dead,
        .sparsity = mean_of((double)(samples - all.active), samples),
        .mean = mean_of(all.sum, finite),
        .deviation = deviation_of(&all, finite),
        .axis_from_end = monitor->axis_from_end,
        .bins = monitor->bins,
        .every = monitor->every,
        .calls = monitor->calls,
        .observed = monitor->observed,
    };
    return sugar_struct_write("summary", summary, &known, sizeof known, sugar_monitor_summary_ends);
}

sugar_status sugar_monitor_get_unit(const sugar_monitor *monitor, int64_t index, sugar_monitor_unit *unit)
{
    SUGAR_DEFAULT_MODE;
    sugar_status status = check_handle("monitor", monitor);
    if (status == SUGAR_OK && (index < 0 || index >= monitor->units))
        status = sugar_error(SUGAR_ERROR_ARGUMENT, "index: %lld, expected 0 or more and less than %lld",
                             (long long)index, (long long)monitor->units);
    if (status != SUGAR_OK)
        return status;
    const sugar_tally *tally = &monitor->unit[index];
    const int64_t finite = monitor->samples - tally->not_finite;
    const sugar_monitor_unit known = {
        .samples = monitor->samples,
        .active = tally->active,
        .not_finite = tally->not_finite,
        .sum = tally->sum,
        .sum_of_squares = tally->sum_of_squares,
        .mean = mean_of(tally->sum, finite),
        .deviation = deviation_of(tally, finite),
    };
    return sugar_struct_write("unit", unit, &known, sizeof known, sugar_monitor_unit_ends);
}

static sugar_status check_find(const sugar_monitor *monitor, double rate, const int64_t *indices, int64_t capacity,
                               const int64_t *count)
{
    const sugar_status status = check_handle("monitor", monitor);
    if (status != SUGAR_OK)
        return status;
    if (!(rate >= 0 && rate <= 1))
        return sugar_error(SUGAR_ERROR_ARGUMENT, "rate: %s, expected 0 to 1",
                           isfinite(rate) ? sugar_number_text(rate).text
                           : isnan(rate)  ? "NaN"
                                          : "infinite");
    if (capacity < 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "capacity: %lld, expected 0 or more", (long long)capacity);
    if (!indices && capacity > 0)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "indices: NULL with a capacity of %lld, expected an array",
                           (long long)capacity);
    if (!count)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "count: NULL, expected an address");
    return SUGAR_OK;
}

/* Not inlined, as `rate` is not in memory. */
static __attribute__((noinline)) sugar_status find_dead(const sugar_monitor *monitor, double rate, int64_t *indices,
                                                        int64_t capacity, int64_t *count)
{
    const sugar_status status = check_find(monitor, rate, indices, capacity, count);
    if (status != SUGAR_OK)
        return status;
    int64_t found = 0;
    for (int64_t i = 0; i < monitor->units; i++) {
        if (!is_dead(monitor, i, rate))
            continue;
        if (found < capacity)
            indices[found] = i;
        found++;
    }
    *count = found;
    return SUGAR_OK;
}

sugar_status sugar_monitor_find_dead(const sugar_monitor *monitor, double rate, int64_t *indices, int64_t capacity,
                                     int64_t *count)
{
    SUGAR_DEFAULT_MODE;
    return find_dead(monitor, rate, indices, capacity, count);
}

sugar_status sugar_monitor_get_histogram(const sugar_monitor *monitor, int64_t *counts, double *edges, int32_t capacity)
{
    SUGAR_DEFAULT_MODE;
    sugar_status status = check_handle("monitor", monitor);
    if (status == SUGAR_OK && !counts)
        status = sugar_error(SUGAR_ERROR_ARGUMENT, "counts: NULL, expected an array of %d", (int)monitor->bins);
    if (status == SUGAR_OK && capacity < monitor->bins)
        status = sugar_error(SUGAR_ERROR_ARGUMENT, "capacity: %d, expected %d or more, the monitor's bins",
                             (int)capacity, (int)monitor->bins);
    if (status != SUGAR_OK)
        return status;
    memcpy(counts, monitor->bin, (size_t)monitor->bins * sizeof *counts);
    const int inner = monitor->bins - 2;
    const double width = (monitor->maximum - monitor->minimum) / inner;
    for (int i = 0; edges && i <= inner; i++)
        edges[i] = i < inner ? monitor->minimum + i * width : monitor->maximum;
    return SUGAR_OK;
}
