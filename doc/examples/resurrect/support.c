/* See support.h. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static output *unfinished;      /* opened and touched by the main thread only */

void output_abandon_all(void)
{
    for (const output *file = unfinished; file; file = file->next)
        if (file->temporary)
            unlink(file->temporary);
}

_Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("resurrect: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    output_abandon_all();
    exit(2);
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        fail("no memory for %zu elements of %zu bytes", count, size);
    return memory;
}

char *format_text(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = allocate((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint64_t random_next(random_stream *stream)
{
    uint64_t bits = stream->state += 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
}

random_stream random_start(uint64_t seed, uint64_t purpose)
{
    random_stream outer = {seed}, inner = {random_next(&outer) + purpose};
    return (random_stream){random_next(&inner)};
}

double random_uniform(random_stream *stream) { return ((double)(random_next(stream) >> 11) + 0.5) * 0x1p-53; }

double random_normal(random_stream *stream)
{
    double radius = sqrt(-2 * log(random_uniform(stream)));
    return radius * cos(6.283185307179586 * random_uniform(stream));
}

int random_below(random_stream *stream, int bound) { return (int)(random_uniform(stream) * bound); }

output *output_open(const char *path)
{
    struct stat existing;
    int special = stat(path, &existing) == 0 && !S_ISREG(existing.st_mode);
    output *file = allocate(1, sizeof *file);
    file->path = format_text("%s", path);
    if (!special)
        file->temporary = format_text("%s.%ld.partial", path, (long)getpid());
    file->file = fopen(special ? path : file->temporary, "w");
    if (!file->file)
        fail("cannot write %s: %s", path, strerror(errno));
    file->next = unfinished;
    unfinished = file;
    return file;
}

void output_finish(output *file)
{
    int lost = ferror(file->file);
    if (fclose(file->file) != 0 || lost)
        fail("cannot write %s: %s", file->path, strerror(errno));
    if (file->temporary && rename(file->temporary, file->path) != 0)
        fail("cannot rename %s to %s: %s", file->temporary, file->path, strerror(errno));
    for (output **link = &unfinished; *link; link = &(*link)->next)
        if (*link == file) {
            *link = file->next;
            break;
        }
    free(file->path);
    free(file->temporary);
    free(file);
}
