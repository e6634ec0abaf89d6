/* How many processors this process may use. */
#ifndef SUGAR_PROCESSORS_H
#define SUGAR_PROCESSORS_H

#include <stdint.h>

/* The folders in which Linux says what quotas there are; tests have others. */
#define SUGAR_PROC "/proc"
#define SUGAR_CGROUPS "/sys/fs/cgroup"

/* At least 1: those that the calling thread may run on, or fewer if a CPU quota lets the process have only the time of
 * fewer. Reads files, so it is called when a context is made, and never in a call. */
int64_t sugar_processors(const char *proc, const char *cgroups);

/* How many processors' time the CPU quotas of this process's cgroups allow, rounded up; INT64_MAX where there is no
 * quota. What is missing in the folders, or cannot be read as Linux writes it, limits nothing. */
int64_t sugar_processors_by_quota(const char *proc, const char *cgroups);

#endif
