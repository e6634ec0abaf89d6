/* See json.h. The program never calls setlocale, so printf writes a decimal point everywhere. */
#include "json.h"

#include <math.h>

static void write_string(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', file);
        if ((unsigned char)*text < 0x20)
            fprintf(file, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, file);
    }
    fputc('"', file);
}

/* JSON has no infinities and no NaN. */
static void write_number(FILE *file, double value)
{
    if (isfinite(value))
        fprintf(file, "%.9g", value);
    else
        fputs("null", file);
}

static void write_member(FILE *file, const char *name, double value)
{
    fprintf(file, ", \"%s\": ", name);
    write_number(file, value);
}

static void write_list(FILE *file, const char *name, const double *values, int count)
{
    fprintf(file, ", \"%s\": [", name);
    for (int i = 0; i < count; i++) {
        fputs(i ? ", " : "", file);
        write_number(file, values[i]);
    }
    fputc(']', file);
}

static void write_histograms(FILE *file, const char *name, const histogram *of, int layers)
{
    fprintf(file, ",\n      \"%s\": [", name);
    for (int layer = 0; layer < layers; layer++) {
        fputs(layer ? ",\n        [" : "\n        [", file);
        for (int i = 0; i < SUGAR_MONITOR_BINS; i++)
            fprintf(file, "%s%lld", i ? ", " : "", (long long)of[layer].counts[i]);
        fputc(']', file);
    }
    fputc(']', file);
}

static void write_options(FILE *file, const session *all)
{
    const options *chosen = all->chosen;
    fputs("  \"options\": {\"data\": ", file);
    write_string(file, chosen->data);
    fprintf(file, ", \"epochs\": %d, \"batch\": %d, \"layers\": %d, \"width\": %d, \"threads\": %d", chosen->epochs,
            chosen->batch, chosen->layers, chosen->width, chosen->threads);
    write_member(file, "momentum", chosen->momentum);
    fputs(", \"seeds\": [", file);
    for (int i = 0; i < chosen->seed_count; i++)
        fprintf(file, "%s%llu", i ? ", " : "", (unsigned long long)chosen->seeds[i]);
    fputs("]},\n  \"scenarios\": [", file);
    for (int i = 0; i < chosen->scenario_count; i++) {
        fputs(i ? ", {\"name\": " : "{\"name\": ", file);
        write_string(file, chosen->scenarios[i].name);
        write_member(file, "bias", chosen->scenarios[i].bias);
        write_member(file, "learning_rate", chosen->scenarios[i].learning_rate);
        write_member(file, "outlier_at", chosen->scenarios[i].outlier_at);
        write_member(file, "outlier_factor", chosen->scenarios[i].outlier_factor);
        fprintf(file, ", \"batch_normalisation\": %s", chosen->scenarios[i].normalises ? "true" : "false");
        fputc('}', file);
    }
    fputs("],\n  \"activations\": [", file);
    for (int i = 0; i < all->compared->count; i++) {
        fputs(i ? ",\n    {\"spec\": " : "\n    {\"spec\": ", file);
        write_string(file, all->compared->list[i].spec);
        fputs(", \"label\": ", file);
        write_string(file, all->compared->list[i].label);
        fprintf(file, ", \"technique\": \"%s\"", techniques[all->compared->list[i].technique].label);
        fputs(", \"canonical\": ", file);
        write_string(file, sugar_activation_spec(all->compared->list[i].activation));
        fputs(", \"level\": ", file);
        write_string(file, sugar_activation_level(all->compared->list[i].activation));
        fputc('}', file);
    }
    fputs("\n  ],\n", file);
}

static void write_summary(FILE *file, const session *all, int scenario, int activation)
{
    summary sum = summarise(all, scenario, activation);
    fprintf(file, "    {\"scenario\": %d, \"activation\": %d, \"finished\": %d, \"diverged\": %d", scenario, activation,
            sum.finished, sum.diverged);
    if (sum.finished) {
        write_member(file, "accuracy", sum.accuracy);
        write_member(file, "least_accuracy", sum.least_accuracy);
        write_member(file, "most_accuracy", sum.most_accuracy);
        write_member(file, "accuracy_deviation", sum.accuracy_deviation);
        for (int figure = 0; figure < FIGURES; figure++)
            write_list(file, figure_names[figure], sum.figures[figure], all->chosen->layers);
        write_member(file, "seconds_per_step", sum.seconds_per_step);
        write_member(file, "activation_share", sum.activation_share);
        write_member(file, "kept_bytes", sum.kept_bytes);
        write_member(file, "gradient_growth", sum.gradient_growth);
        write_member(file, "true_ratio", sum.true_ratio);
        write_member(file, "true_cosine", sum.true_cosine);
    }
    fputc('}', file);
}

static void write_run(FILE *file, const session *all, const run *one)
{
    int layers = all->chosen->layers;
    fprintf(file, "    {\"scenario\": %d, \"activation\": %d, \"seed\": %llu, \"finished\": %s, \"steps\": %d",
            one->scenario, one->activation, (unsigned long long)all->chosen->seeds[one->seed],
            one->finished ? "true" : "false", one->steps);
    write_member(file, "step_seconds", one->step_seconds);
    write_member(file, "activation_seconds", one->activation_seconds);
    fprintf(file, ", \"kept_bytes\": %zu, \"random_blocks\": %llu", one->kept_bytes,
            (unsigned long long)one->random_blocks);
    fputs(", \"evaluations\": [", file);
    for (int i = 0; i < one->evaluation_count; i++) {
        const evaluation *at = &one->evaluations[i];
        fprintf(file, "%s\n      {\"step\": %d", i ? "," : "", at->step);
        write_member(file, "loss", at->loss);
        write_member(file, "accuracy", at->accuracy);
        write_member(file, "blend", at->blend);
        for (int figure = 0; figure < FIGURES; figure++)
            write_list(file, figure_names[figure], at->figures[figure], layers);
        write_member(file, "true_ratio", at->true_ratio);
        write_member(file, "true_cosine", at->true_cosine);
        fputc('}', file);
    }
    fputc(']', file);
    if (one->finished) {
        write_list(file, "histogram_edges", one->start[0].edges, SUGAR_MONITOR_BINS - 1);
        write_histograms(file, "histogram_start", one->start, layers);
        write_histograms(file, "histogram_end", one->end, layers);
    }
    fputc('}', file);
}

void json_write(FILE *file, const session *all)
{
    const options *chosen = all->chosen;
    fprintf(file,
            "{\n  \"complete\": %s,\n  \"library_version\": %d,\n  \"seconds\": ", all->complete ? "true" : "false",
            (int)sugar_version());
    write_number(file, all->seconds);
    fprintf(file, ",\n  \"sample\": %d,\n  \"pixel_mean\": %.9g,\n  \"pixel_deviation\": %.9g,\n", SAMPLE,
            all->data->mean, all->data->deviation);
    write_options(file, all);
    fputs("  \"summaries\": [\n", file);
    for (int i = 0; i < chosen->scenario_count * all->compared->count; i++) {
        fputs(i ? ",\n" : "", file);
        write_summary(file, all, i / all->compared->count, i % all->compared->count);
    }
    fputs("\n  ],\n  \"runs\": [\n", file);
    for (int i = 0; i < all->run_count; i++) {
        fputs(i ? ",\n" : "", file);
        write_run(file, all, &all->runs[i]);
    }
    fputs("\n  ]\n}\n", file);
}
