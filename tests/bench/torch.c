/* PyTorch, in a co-process that times one case on request; see peers_torch.py for the protocol. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "../support/support.h"

static struct {
    pid_t process;
    FILE *requests, *answers;
    const memory *memory;
} peer;

/* The next line of the co-process, without its end; false if there is none. */
static bool answer(char *line, size_t size)
{
    if (!fgets(line, (int)size, peer.answers))
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static void ask(char *line, size_t size)
{
    fputs("}\n", peer.requests);
    if (fflush(peer.requests) != 0 || !answer(line, size))
        give_up("torch", "the co-process ended too early");
}

static void put_numbers(const char *name, const int64_t *numbers, int count)
{
    fprintf(peer.requests, "\"%s\": [", name);
    for (int d = 0; d < count; d++)
        fprintf(peer.requests, "%s%lld", d ? ", " : "", (long long)numbers[d]);
    fputs("]", peer.requests);
}

static void *open_case(const bench_case *c)
{
    static const char *const operands[OPERANDS] = {"x", "dy", "out"};
    char line[64];
    fprintf(peer.requests, "{\"kind\": \"%s\", \"direction\": \"%s\", \"width\": %zu, \"threads\": %d, ", c->kind,
            direction_names[c->way], c->width, c->threads);
    put_numbers("shape", c->shape, c->ndim);
    for (int k = 0; k < OPERANDS; k++) {
        fprintf(peer.requests, ", \"%s\": {\"offset\": %lld, ", operands[k],
                (long long)((unsigned char *)c->data[k] - peer.memory->start));
        put_numbers("strides", c->strides[k], c->ndim);
        fputs("}", peer.requests);
    }
    ask(line, sizeof line);
    return strcmp(line, "ok") == 0 ? &peer : NULL;
}

static double seconds(void *run, int64_t calls)
{
    (void)run;
    char line[64];
    fprintf(peer.requests, "{\"calls\": %lld", (long long)calls);
    ask(line, sizeof line);
    return strtod(line, NULL);
}

static void close_case(void *run)
{
    (void)run;
}

implementation torch_peer = {
    .name = "torch", .absent = "left out", .open = open_case, .seconds = seconds, .close = close_case,
};

static void become(const char *python, const char *script, const memory *m, const int to[2], const int from[2])
{
    char descriptor[16], size[32];
    snprintf(descriptor, sizeof descriptor, "%d", m->descriptor);
    snprintf(size, sizeof size, "%zu", m->size);
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    close(to[1]);
    close(from[0]);
    execlp(python, python, script, descriptor, size, (char *)NULL);
    _exit(127);
}

void torch_start(const memory *m, const char *python, const char *script)
{
    static char version[64];
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0 || (peer.process = fork()) < 0)
        give_up("torch", "no co-process");
    if (peer.process == 0)
        become(python, script, m, to, from);
    close(to[0]);
    close(from[1]);
    peer.memory = m;
    peer.requests = fdopen(to[1], "w");
    peer.answers = fdopen(from[0], "r");
    if (!peer.requests || !peer.answers)
        give_up("torch", "no pipes");
    torch_peer.absent = answer(version, sizeof version) ? NULL : "the Python interpreter has no torch";
    torch_peer.version = version;
}

void torch_stop(void)
{
    if (!peer.process)
        return;
    fclose(peer.requests);
    fclose(peer.answers);
    waitpid(peer.process, NULL, 0);
}
