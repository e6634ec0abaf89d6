/* See progress.h. */
#define _DEFAULT_SOURCE
#include "progress.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support.h"
#include "training.h"

enum { BAR = 16, LINE = 160 };

struct progress {
    pthread_mutex_t mutex;
    const options *chosen;
    const contenders *compared;
    const run *runs;
    char *ended;                /* for each run: 1 once it has ended */
    int run_count, printed;     /* `printed` runs have had their line */
    long done, total;           /* steps */
    double start, drawn;        /* times */
    int live;
};

progress *progress_create(const options *chosen, const contenders *compared, const run *runs, int run_count, long total)
{
    progress *shown = allocate(1, sizeof *shown);
    pthread_mutex_init(&shown->mutex, NULL);
    shown->chosen = chosen;
    shown->compared = compared;
    shown->runs = runs;
    shown->ended = allocate((size_t)run_count, 1);
    shown->run_count = run_count;
    shown->total = total;
    shown->start = seconds_now();
    shown->live = isatty(STDERR_FILENO);
    return shown;
}

static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return 80;
    return size.ws_col < LINE ? size.ws_col : LINE;
}

static void draw(progress *shown, const run *now, double loss, double accuracy)
{
    double share = (double)shown->done / (double)shown->total;
    double left = (shown->drawn - shown->start) * (1 - share) / share;
    loss = fabs(loss);      /* a NaN without its sign */
    char bar[BAR + 1] = {0}, line[LINE + 1];
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)(share * (double)BAR));
    snprintf(line, sizeof line, "[%s] %3.0f %%  %d:%02d left  loss %.3f  accuracy %.1f %%  %s, %s, seed %llu", bar,
             100 * share, (int)(left / 60), (int)left % 60, loss, 100 * accuracy,
             shown->compared->list[now->activation].label, shown->chosen->scenarios[now->scenario].name,
             (unsigned long long)shown->chosen->seeds[now->seed]);
    fprintf(stderr, "\r%.*s\033[K", terminal_width() - 1, line);
    fflush(stderr);
}

void progress_step(progress *shown, const run *now, double loss, double accuracy)
{
    pthread_mutex_lock(&shown->mutex);
    shown->done++;
    double time = seconds_now();
    if (shown->live && !shown->chosen->quiet && time - shown->drawn > 0.1) {
        shown->drawn = time;
        draw(shown, now, loss, accuracy);
    }
    pthread_mutex_unlock(&shown->mutex);
}

static void print_run(const progress *shown, int index)
{
    const run *ended = &shown->runs[index];
    const evaluation *last = &ended->evaluations[ended->evaluation_count - 1];
    fprintf(stderr, "%3d/%d  %-22s %-6s seed %llu: ", index + 1, shown->run_count,
            shown->compared->list[ended->activation].label, shown->chosen->scenarios[ended->scenario].name,
            (unsigned long long)shown->chosen->seeds[ended->seed]);
    if (isfinite(last->loss))
        fprintf(stderr, "loss %.3f, accuracy %.1f %%\n", last->loss, 100 * last->accuracy);
    else
        fputs("diverged\n", stderr);
}

void progress_end_run(progress *shown, const run *ended)
{
    pthread_mutex_lock(&shown->mutex);
    shown->ended[ended - shown->runs] = 1;
    for (; shown->printed < shown->run_count && shown->ended[shown->printed]; shown->printed++)
        if (!shown->live && !shown->chosen->quiet && shown->runs[shown->printed].finished)
            print_run(shown, shown->printed);
    pthread_mutex_unlock(&shown->mutex);
}

void progress_free(progress *shown)
{
    if (shown->live && !shown->chosen->quiet)
        fputs("\r\033[K", stderr);
    pthread_mutex_destroy(&shown->mutex);
    free(shown->ended);
    free(shown);
}
