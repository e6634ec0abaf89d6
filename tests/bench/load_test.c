/* Whether a busy process counts as another's until it is a child that was waited for. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"
#include "timing.h"
#include "../support/support.h"

static void spin(void)
{
    for (;;)
        (void)load_now();
}

int main(void)
{
    const load start = load_now();
    if (!start.known) {
        puts("skipped: this system has no /proc/stat that tells how busy it is");
        return 77;
    }
    const pid_t child = fork();
    if (child < 0)
        give_up("load", "no child");
    if (child == 0)
        spin();
    sleep(1);
    kill(child, SIGKILL);
    /* Core-seconds, so that the noise of a machine in use is the same in both. */
    const double running = load_of_others(&start) * (now() - start.clock);
    if (waitpid(child, NULL, 0) != child)
        give_up("load", "the child got lost");
    const load end = load_now();
    const double waited_for = load_of_others(&start) * (now() - start.clock);
    const double took = end.own - start.own;
    printf("others: %.2f s, of which %.2f s were the child's, which took %.2f s\n", running, running - waited_for,
           took);
    /* A tick is 10 ms; each core rounds to its own. */
    const double difference = running - waited_for - took;
    return took > 0.1 && difference > -0.1 && difference < 0.1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
