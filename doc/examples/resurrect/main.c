/* resurrect: trains one network with several activations and shows which units die, which come back, and
 * where a surrogate gradient does harm. This file: the order of things, threads and signals. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "contender.h"
#include "dataset.h"
#include "html.h"
#include "json.h"
#include "options.h"
#include "progress.h"
#include "summary.h"
#include "support.h"
#include "training.h"

static atomic_int stop;

static void stop_training(int signal_number)
{
    (void)signal_number;
    atomic_store(&stop, 1);
}

/* A second signal finds the default action and ends the program at once. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = stop_training, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* OpenBLAS would use all processors for each small product; here each thread trains a run of its own, and a
 * run's numbers must not depend on how many there are. Another CBLAS has no such function. */
void openblas_set_num_threads(int count) __attribute__((weak));

static void plan_runs(run *runs, const session *all)
{
    for (int scenario = 0; scenario < all->chosen->scenario_count; scenario++)
        for (int activation = 0; activation < all->compared->count; activation++)
            for (int seed = 0; seed < all->chosen->seed_count; seed++)
                runs[run_index(all, scenario, activation, seed)] =
                    (run){.scenario = scenario, .activation = activation, .seed = seed};
}

/* What the training threads share: each takes the next run until none is left. */
typedef struct work {
    const options *chosen;
    const dataset *data;
    const contenders *compared;
    run *runs;
    int run_count;
    atomic_int next;
    progress *shown;
} work;

static void *train_runs(void *shared)
{
    work *all = shared;
    int index;
    while (!atomic_load(&stop) && (index = atomic_fetch_add(&all->next, 1)) < all->run_count) {
        run *now = &all->runs[index];
        training_run(now, all->chosen, all->data, &all->compared->list[now->activation], all->shown, &stop);
        progress_end_run(all->shown, now);
    }
    return NULL;
}

static void train_all(work *all)
{
    pthread_t *threads = allocate((size_t)all->chosen->threads, sizeof *threads);
    int started = 0;
    while (started < all->chosen->threads && started < all->run_count) {
        if (pthread_create(&threads[started], NULL, train_runs, all) != 0)
            fail("cannot start thread %d of %d", started + 1, all->chosen->threads);
        started++;
    }
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

static int count_finished(const session *all)
{
    int finished = 0;
    for (int i = 0; i < all->run_count; i++)
        finished += all->runs[i].finished;
    return finished;
}

/* Without a finished run there is nothing to say, and earlier reports stay as they are. */
static void report(const session *all, output *html, output *json)
{
    if (count_finished(all) == 0) {
        puts("Stopped before a run was finished: nothing to report.");
        output_abandon_all();
        return;
    }
    const char *html_path = all->chosen->html, *json_path = all->chosen->json;
    /* First what cannot be lost to a full disk. */
    print_tables(stdout, all);
    if (!all->complete)
        puts("\nStopped before the end: only finished runs are in the tables.");
    fflush(stdout);
    html_write(html->file, all);
    json_write(json->file, all);
    output_finish(html);
    output_finish(json);
    printf("\nReport: %s\nNumbers: %s\n", html_path, json_path);
}

int main(int argc, char **argv)
{
    options chosen;
    options_parse(&chosen, argc, argv);
    contenders compared;
    contenders_create(&compared, &chosen);
    dataset *data = dataset_load(chosen.data);
    if (chosen.batch > data->train.count)
        fail("--batch: %d, more than the %d training images", chosen.batch, data->train.count);
    output *html = output_open(chosen.html), *json = output_open(chosen.json);

    int run_count = chosen.scenario_count * compared.count * chosen.seed_count;
    run *runs = allocate((size_t)run_count, sizeof *runs);
    session all = {.chosen = &chosen, .data = data, .compared = &compared, .runs = runs, .run_count = run_count};
    plan_runs(runs, &all);
    if (openblas_set_num_threads)
        openblas_set_num_threads(1);
    catch_signals();
    work shared = {
        .chosen = &chosen,
        .data = data,
        .compared = &compared,
        .runs = runs,
        .run_count = run_count,
        .shown = progress_create(&chosen, &compared, runs, run_count, (long)run_count * training_steps(&chosen, data))};
    double start = seconds_now();
    train_all(&shared);
    progress_free(shared.shown);

    all.seconds = seconds_now() - start;
    all.complete = count_finished(&all) == run_count;
    report(&all, html, json);

    contenders_destroy(&compared);
    free(runs);
    dataset_free(data);
    options_free(&chosen);
    return all.complete ? 0 : 130;
}
