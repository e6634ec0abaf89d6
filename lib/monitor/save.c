/* The saved form of a monitor, the same on every machine. Numbers are little-endian. Offset and content:
 *
 *     0   "SUGARmon"
 *     8   version, 4 bytes
 *    12   axis from the end, 4 bytes
 *    16   bins, how many there are, 4 bytes
 *    20   units, 8 bytes, as all that follows up to the checksum
 *    28   samples of each unit
 *    36   threshold
 *    44   minimum
 *    52   maximum
 *    60   one call in how many is observed
 *    68   how many calls pass before the next one that is
 *    76   calls
 *    84   calls observed
 *    92   the bins of the histogram
 *   348   for each unit: active, not finite, sum, sum of squares
 *   end   CRC-32 of all bytes before, 4 bytes; later versions must end in it, too
 *
 * Sums, threshold, minimum and maximum are IEEE 754's binary64, the others whole numbers. */
#include "monitor/monitor.h"

#include <stdbool.h>
#include <string.h>

#include "cpu/float_mode.h"

/* Version 1, of libsugar 0.1, had no bins, and counted its axis from the front or, where negative, from the end;
 * version 2, of no release, did not count calls. */
enum { VERSION = 3, HEAD_BYTES = 92 + 8 * SUGAR_MONITOR_BINS, UNIT_BYTES = 32, CHECKSUM_BYTES = 4, MAGIC_BYTES = 8 };
static const unsigned char magic[MAGIC_BYTES] = {'S', 'U', 'G', 'A', 'R', 'm', 'o', 'n'};

/* CRC-32 as in ISO 3309 and zlib, four bits at a time, from the remainders of four bits by the reflected polynomial
 * 0xedb88320. */
static uint32_t checksum(const unsigned char *bytes, size_t size)
{
    static const uint32_t remainder[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ remainder[crc & 15];
        crc = crc >> 4 ^ remainder[crc & 15];
    }
    return ~crc;
}

/* ---- Numbers and bytes --------------------------------------------------------------------- */

static void put(unsigned char **at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *(*at)++ = (unsigned char)(value >> 8 * i);
}

static uint64_t take(const unsigned char **at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)*(*at)++ << 8 * i;
    return value;
}

static void put_number(unsigned char **at, int64_t value) { put(at, (uint64_t)value, 8); }

static void put_double(unsigned char **at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put(at, bits, 8);
}

static int64_t take_number(const unsigned char **at) { return (int64_t)take(at, 8); }

static double take_double(const unsigned char **at)
{
    const uint64_t bits = take(at, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- Saving -------------------------------------------------------------------------------- */

size_t sugar_monitor_save_size(const sugar_monitor *monitor)
{
    return monitor ? HEAD_BYTES + (size_t)monitor->units * UNIT_BYTES + CHECKSUM_BYTES : 0;
}

sugar_status sugar_monitor_save(const sugar_monitor *monitor, void *buffer, size_t capacity)
{
    if (!monitor)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "monitor: NULL, expected a handle");
    if (!buffer)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "buffer: NULL, expected memory");
    const size_t size = sugar_monitor_save_size(monitor);
    if (capacity < size)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "capacity: %zu bytes, expected %zu or more", capacity, size);
    unsigned char *at = buffer;
    memcpy(at, magic, sizeof magic);
    at += sizeof magic;
    put(&at, VERSION, 4);
    put(&at, (uint32_t)monitor->axis_from_end, 4);
    put(&at, (uint32_t)monitor->bins, 4);
    put_number(&at, monitor->units);
    put_number(&at, monitor->samples);
    put_double(&at, monitor->threshold);
    put_double(&at, monitor->minimum);
    put_double(&at, monitor->maximum);
    put_number(&at, monitor->every);
    put_number(&at, monitor->wait);
    put_number(&at, monitor->calls);
    put_number(&at, monitor->observed);
    for (int i = 0; i < monitor->bins; i++)
        put_number(&at, monitor->bin[i]);
    for (int64_t i = 0; i < monitor->units; i++) {
        const sugar_tally *unit = &monitor->unit[i];
        put_number(&at, unit->active);
        put_number(&at, unit->not_finite);
        put_double(&at, unit->sum);
        put_double(&at, unit->sum_of_squares);
    }
    put(&at, checksum(buffer, size - CHECKSUM_BYTES), CHECKSUM_BYTES);
    return SUGAR_OK;
}

/* ---- Restoring ----------------------------------------------------------------------------- */

static sugar_status refuse(const char *what)
{
    return sugar_error(SUGAR_ERROR_DATA, "buffer: %s, expected what sugar_monitor_save wrote", what);
}

/* Checks that the bytes are as they were saved, by a version that this one can read. */
static sugar_status check_bytes(const unsigned char *bytes, size_t size)
{
    if (size < sizeof magic || memcmp(bytes, magic, sizeof magic) != 0)
        return refuse("no saved monitor");
    if (size < sizeof magic + 4 + CHECKSUM_BYTES)
        return refuse("cut off");
    const unsigned char *at = bytes + size - CHECKSUM_BYTES;
    const uint32_t found = checksum(bytes, size - CHECKSUM_BYTES), expected = (uint32_t)take(&at, CHECKSUM_BYTES);
    if (found != expected)
        return sugar_error(SUGAR_ERROR_DATA,
                           "buffer: checksum 0x%08x, expected 0x%08x: it is damaged, cut off or too long",
                           (unsigned)found, (unsigned)expected);
    at = bytes + sizeof magic;
    const uint32_t version = (uint32_t)take(&at, 4);
    if (version != VERSION)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "buffer: version %u, expected %d: saved by %s libsugar",
                           (unsigned)version, (int)VERSION, version < VERSION ? "an older" : "a newer");
    return size < HEAD_BYTES + UNIT_BYTES + CHECKSUM_BYTES ? refuse("cut off") : SUGAR_OK;
}

/* Reads the counts of calls. Each one observed had a sample of each unit. */
static sugar_status take_calls(sugar_monitor *monitor, const unsigned char **at)
{
    monitor->wait = take_number(at);
    monitor->calls = take_number(at);
    monitor->observed = take_number(at);
    const bool good = monitor->wait >= 0 && monitor->wait < monitor->every && monitor->observed >= 0
                      && monitor->observed <= monitor->calls && monitor->observed <= monitor->samples
                      && (monitor->observed > 0) == (monitor->samples > 0);
    return good ? SUGAR_OK : refuse("calls that contradict each other");
}

/* Reads the counts, and checks them against the samples and each other. */
static sugar_status take_counts(sugar_monitor *monitor, const unsigned char *at)
{
    const int64_t all = monitor->samples * monitor->units;
    int64_t in_bins = 0;
    bool good = true;
    for (int i = 0; i < monitor->bins; i++) {
        monitor->bin[i] = take_number(&at);
        good = good && monitor->bin[i] >= 0 && monitor->bin[i] <= all - in_bins;
        in_bins += good ? monitor->bin[i] : 0;
    }
    for (int64_t i = 0; i < monitor->units; i++) {
        sugar_tally *unit = &monitor->unit[i];
        unit->active = take_number(&at);
        unit->not_finite = take_number(&at);
        unit->sum = take_double(&at);
        unit->sum_of_squares = take_double(&at);
        good = good && unit->active >= 0 && unit->active <= monitor->samples && unit->not_finite >= 0
               && unit->not_finite <= monitor->samples;
    }
    return good ? SUGAR_OK : refuse("counts that contradict each other");
}

/* What is an error of arguments elsewhere is one of the data here; the message stays. */
static sugar_status of_data(sugar_status status)
{
    return status == SUGAR_ERROR_ARGUMENT || status == SUGAR_ERROR_VALUE ? SUGAR_ERROR_DATA : status;
}

/* A forged buffer can have the right checksum: every number is checked as well. */
sugar_status sugar_monitor_restore(sugar_monitor **monitor, const void *buffer, size_t size)
{
    SUGAR_DEFAULT_ENVIRONMENT;
    if (!monitor)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "monitor: NULL, expected the address of a handle");
    if (!buffer)
        return sugar_error(SUGAR_ERROR_ARGUMENT, "buffer: NULL, expected memory");
    sugar_status status = check_bytes(buffer, size);
    if (status != SUGAR_OK)
        return status;
    const unsigned char *at = (const unsigned char *)buffer + sizeof magic + 4;
    sugar_monitor_options options = {.struct_size = sizeof options};
    options.axis_from_end = (int32_t)(uint32_t)take(&at, 4);
    options.bins = (int32_t)(uint32_t)take(&at, 4);
    const int64_t units = take_number(&at), samples = take_number(&at);
    options.threshold = take_double(&at);
    options.minimum = take_double(&at);
    options.maximum = take_double(&at);
    options.every = take_number(&at);
    if (options.bins != SUGAR_MONITOR_BINS)
        return sugar_error(SUGAR_ERROR_UNSUPPORTED, "buffer: bins %d, expected %d", (int)options.bins,
                           (int)SUGAR_MONITOR_BINS);
    if (units < 1 || (uint64_t)units != (size - HEAD_BYTES - CHECKSUM_BYTES) / UNIT_BYTES
        || size != HEAD_BYTES + (size_t)units * UNIT_BYTES + CHECKSUM_BYTES)
        return refuse("a size that contradicts the units");
    sugar_monitor *made = NULL;
    status = sugar_monitor_make(&made, units, &options);
    if (status != SUGAR_OK)
        return of_data(status);
    status = samples < 0 ? refuse("negative samples") : sugar_monitor_sum_samples(made, samples, &made->samples);
    if (status == SUGAR_OK)
        status = take_calls(made, &at);
    if (status == SUGAR_OK)
        status = take_counts(made, at);
    if (status == SUGAR_OK)
        *monitor = made;
    else
        sugar_monitor_destroy(made);
    return of_data(status);
}
