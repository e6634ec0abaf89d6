/* How much of the machine other processes use; see load.h. */
#include "load.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "timing.h"

/* The first line of Linux's /proc/stat has, in ticks over all cores: user, nice, system, idle, iowait, irq, softirq,
 * and steal, which is what a hypervisor gave to others. */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, COLUMNS };

static bool busy_seconds(double *seconds)
{
    unsigned long long ticks[COLUMNS];
    FILE *file = fopen("/proc/stat", "r");
    if (!file)
        return false;
    const int found = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[USER], &ticks[NICE],
                             &ticks[SYSTEM], &ticks[IDLE], &ticks[IOWAIT], &ticks[IRQ], &ticks[SOFTIRQ], &ticks[STEAL]);
    fclose(file);
    if (found != COLUMNS)
        return false;
    *seconds = (double)(ticks[USER] + ticks[NICE] + ticks[SYSTEM] + ticks[IRQ] + ticks[SOFTIRQ] + ticks[STEAL])
               / (double)sysconf(_SC_CLK_TCK);
    return ticks[USER] > 0;             /* some sandboxes have the file, and zeros in it */
}

static double seconds(struct timeval t) { return (double)t.tv_sec + 1e-6 * (double)t.tv_usec; }

load load_now(void)
{
    struct rusage self, children;
    load l = {.clock = now()};
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    l.own = seconds(self.ru_utime) + seconds(self.ru_stime) + seconds(children.ru_utime) + seconds(children.ru_stime);
    l.known = busy_seconds(&l.busy);
    return l;
}

double load_of_others(const load *since)
{
    const load l = load_now();
    if (!since->known || !l.known || l.clock <= since->clock)
        return -1;
    const double others = l.busy - since->busy - (l.own - since->own);
    return others > 0 ? others / (l.clock - since->clock) : 0;
}

const char *load_warning(double others, const char *when)
{
    static const double disturbing = 0.1;       /* of one core */
    static char text[128];
    if (others < disturbing)
        return NULL;
    snprintf(text, sizeof text, "other processes kept %.2f cores busy %s", others, when);
    return text;
}

void load_warn(const load *since)
{
    const char *warning = load_warning(load_of_others(since), "during this run");
    if (warning)
        printf("\nwarning: %s\n", warning);
}
