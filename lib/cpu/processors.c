/* Counts processors: the affinity of a thread, and the quotas of cgroups. Whoever starts a container may give it less
 * than the machine in either way. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* sched_getaffinity, on Linux alone */
#endif

#include "cpu/processors.h"

#include <unistd.h>

#include "base/integers.h"
#include "base/text.h"

#ifdef __linux__
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

/* Sets of affinity, of CPU_SETSIZE (1024) processors each: 65,536 in all, on 8 KiB of stack. Linux can be built for at
 * most 8192, and refuses sets that are too small for the machine. */
enum { SETS = 64 };

/* Bytes: of a path; of /proc/self/cgroup, which has a line, with a path, for each hierarchy; of a file of numbers. */
enum { PATH_BYTES = PATH_MAX, LIST_BYTES = 2 * PATH_MAX, NUMBERS_BYTES = 64 };

/* 0: not known. */
static int64_t count_allowed(void)
{
    cpu_set_t sets[SETS];
    return sched_getaffinity(0, sizeof sets, sets) == 0 ? CPU_COUNT_S(sizeof sets, sets) : 0;
}

/* Reads the file folder/name, or its first size - 1 bytes; "" if it cannot be read. */
static void read_file(char *text, size_t size, const char *folder, const char *name)
{
    char path[PATH_BYTES];
    sugar_text_add(&(sugar_text){path, sizeof path, 0}, "%s/%s", folder, name);
    size_t length = 0;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t got;
        while ((got = read(file, text + length, size - 1 - length)) > 0)
            length += (size_t)got;
        close(file);
    }
    text[length] = '\0';
}

/* Reads a decimal number from 1 to 10^18 - 1, with a blank, a newline or nothing behind it. Returns what follows it;
 * NULL if there is no such number, as where a quota is "max" or -1. */
static const char *read_number(const char *text, int64_t *number)
{
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || !strchr(" \n", text[digits]))
        return NULL;
    *number = 0;
    for (size_t i = 0; i < digits; i++)
        *number = *number * 10 + (text[i] - '0');
    return *number > 0 ? text + digits + (text[digits] != '\0') : NULL;
}

/* The quota of one cgroup: so many microseconds of processor time in a period of so many. */
static int64_t quota_of(const char *folder, bool is_v2)
{
    char quota_text[NUMBERS_BYTES], period_text[NUMBERS_BYTES];
    int64_t quota, period;
    read_file(quota_text, sizeof quota_text, folder, is_v2 ? "cpu.max" : "cpu.cfs_quota_us");
    const char *rest = read_number(quota_text, &quota);
    if (rest && !is_v2) {
        read_file(period_text, sizeof period_text, folder, "cpu.cfs_period_us");
        rest = period_text;
    }
    return rest && read_number(rest, &period) ? (quota - 1) / period + 1 : INT64_MAX;
}

/* The least quota of a cgroup and of all above it, up to the one at the mount. A container may see its own cgroup at
 * the mount, and yet be told the path that the host has: then only the last step finds a file. */
static int64_t least_quota(const char *mount, const char *cgroup, bool is_v2)
{
    char folder[PATH_BYTES];
    sugar_text text = {folder, sizeof folder, 0};
    sugar_text_add(&text, "%s", mount);
    const size_t end = text.length;
    sugar_text_add(&text, "%s", cgroup);
    int64_t least = quota_of(folder, is_v2);
    while (text.length-- > end)
        if (folder[text.length] == '/') {
            folder[text.length] = '\0';
            least = smaller(least, quota_of(folder, is_v2));
        }
    return least;
}

/* Whether a list of controllers, such as "cpu,cpuacct", has cpu. */
static bool has_cpu(const char *list)
{
    for (; *list; list += strcspn(list, ","), list += *list == ',')
        if (strcspn(list, ",") == 3 && strncmp(list, "cpu", 3) == 0)
            return true;
    return false;
}

/* A line of /proc/self/cgroup is number:controllers:path. Version 2 has one line, without controllers. A path leads
 * out of the mount ("/../other") where a process was moved to a cgroup that it cannot see. */
static int64_t quota_of_line(char *line, const char *cgroups)
{
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path)
        return INT64_MAX;
    *path++ = '\0';
    const bool is_v2 = *++controllers == '\0';
    if (*path != '/' || strstr(path, "/..") || (!is_v2 && !has_cpu(controllers)))
        return INT64_MAX;
    char mount[PATH_BYTES];
    sugar_text_add(&(sugar_text){mount, sizeof mount, 0}, is_v2 ? "%s" : "%s/cpu", cgroups);
    return least_quota(mount, path, is_v2);
}

int64_t sugar_processors_by_quota(const char *proc, const char *cgroups)
{
    char list[LIST_BYTES];
    read_file(list, sizeof list, proc, "self/cgroup");
    int64_t least = INT64_MAX;
    for (char *line = list, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        least = smaller(least, quota_of_line(line, cgroups));
    }
    return least;
}

#else
static int64_t count_allowed(void) { return 0; }

int64_t sugar_processors_by_quota(const char *proc, const char *cgroups)
{
    (void)proc;
    (void)cgroups;
    return INT64_MAX;
}
#endif

int64_t sugar_processors(const char *proc, const char *cgroups)
{
    int64_t count = count_allowed();
    if (count == 0)
        count = sysconf(_SC_NPROCESSORS_ONLN);
    return clamp(smaller(count, sugar_processors_by_quota(proc, cgroups)), 1, INT32_MAX);
}
