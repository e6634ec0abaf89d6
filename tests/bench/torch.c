/* PyTorch, in a co-process that times one case on request; see peers_torch.py for the protocol. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "command.h"
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

/* from: where the backward pass of some kinds may start, the input or the output of the forward pass. */
static bool open_slot(const bench_case *c, int slot, const char *from)
{
    static const char *const operands[OPERANDS] = {"x", "dy", "out", "third", "other"};
    char line[64];
    fprintf(peer.requests,
            "{\"slot\": %d, \"kind\": \"%s\", \"direction\": \"%s\", \"dtype\": \"%s\", "
            "\"threads\": %d, \"from\": \"%s\", ",
            slot, c->kind, pass_names[c->way], element_formats[c->type].name, c->threads, from);
    put_numbers("shape", c->shape, c->ndim);
    for (int k = 0; k < OPERANDS; k++) {
        fprintf(peer.requests, ", \"%s\": {\"offset\": %lld, ", operands[k],
                (long long)((unsigned char *)c->data[k] - peer.memory->start));
        put_numbers("strides", c->strides[k], c->ndim);
        fputs("}", peer.requests);
    }
    ask(line, sizeof line);
    return strcmp(line, "ok") == 0;
}

/* Each of the two holds one case at a time. */
static const int slots[2] = {0, 1};

static void *open_from_input(const bench_case *c)
{
    return open_slot(c, slots[0], "input") ? (void *)(uintptr_t)&slots[0] : NULL;
}

static void *open_from_output(const bench_case *c)
{
    return open_slot(c, slots[1], "output") ? (void *)(uintptr_t)&slots[1] : NULL;
}

static double seconds(void *run, int64_t calls)
{
    char line[64];
    fprintf(peer.requests, "{\"slot\": %d, \"calls\": %lld", *(const int *)run, (long long)calls);
    ask(line, sizeof line);
    return strtod(line, NULL);
}

static void close_case(void *run) { (void)run; }

static char version_text[64];
static const char *version(void) { return version_text; }

implementation torch_peer = {
    .name = "torch",
    .version = version,
    .absent = "left out without --torch",
    .open = open_from_input,
    .seconds = seconds,
    .close = close_case,
};
implementation torch_output_peer = {
    .name = "torch-output",
    .version = version,
    .absent = "left out without --torch",
    .role = OTHER_PROBLEM,
    .open = open_from_output,
    .seconds = seconds,
    .close = close_case,
};

/* How the co-process ends that tells no version. */
enum { NO_TORCH = 3, CANNOT_RUN = 127 };

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
    _exit(CANNOT_RUN);
}

/* Why the co-process, which ended, told no version. */
static const char *obstacle(void)
{
    int status;
    fclose(peer.requests);
    fclose(peer.answers);
    if (waitpid(peer.process, &status, 0) != peer.process || !WIFEXITED(status))
        status = -1;
    peer.process = 0;
    switch (status < 0 ? status : WEXITSTATUS(status)) {
    case CANNOT_RUN: return "the Python interpreter cannot be run";
    case NO_TORCH: return "the Python interpreter has no torch";
    default: return "the Python interpreter ended before it told the version of torch";
    }
}

void torch_start(const memory *m, const char *python, const char *script)
{
    int to[2], from[2];
    if (access(script, R_OK) != 0)
        command_refuse("--torch", script, "tests/bench/peers_torch.py, a file that can be read");
    if (pipe(to) != 0 || pipe(from) != 0 || (peer.process = fork()) < 0)
        give_up("torch", "no co-process");
    if (peer.process == 0)
        become(python ? python : "python3", script, m, to, from);
    close(to[0]);
    close(from[1]);
    peer.memory = m;
    peer.requests = fdopen(to[1], "w");
    peer.answers = fdopen(from[0], "r");
    if (!peer.requests || !peer.answers)
        give_up("torch", "no pipes");
    const bool present = answer(version_text, sizeof version_text);
    torch_peer.absent = torch_output_peer.absent = present ? NULL : obstacle();
    if (python && torch_peer.absent) {
        char expected[128];
        snprintf(expected, sizeof expected, "an interpreter that has torch (%s)", torch_peer.absent);
        command_refuse("--python", python, expected);
    }
}

void torch_stop(void)
{
    if (!peer.process)
        return;
    fclose(peer.requests);
    fclose(peer.answers);
    waitpid(peer.process, NULL, 0);
}
