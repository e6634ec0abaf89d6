/* See html.h. */
#include "html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot.h"
#include "support.h"

/* The colours are those of Okabe and Ito, which colour-blind readers can tell apart; the first is the colour
 * of text. */
static const char style[] =
    "<style>\n"
    ":root { color-scheme: light dark; --back: #ffffff; --text: #1c2024; --soft: #5c656e;\n"
    "  --rule: #d5dade; --c1: #e69f00; --c2: #56b4e9; --c3: #009e73; --c4: #0072b2; --c5: #d55e00;\n"
    "  --c6: #cc79a7; --c7: #8b7d00; }\n"
    "@media (prefers-color-scheme: dark) { :root { --back: #14181c; --text: #e8ecef; --soft: #a0a9b2;\n"
    "  --rule: #343b42; --c4: #3f9be0; --c7: #f0e442; } }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);\n"
    "  max-width: 1120px; margin: 2rem auto; padding: 0 1rem; }\n"
    "h1 { font-size: 1.7rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--rule); }\n"
    "p { max-width: 48rem; } .note { color: var(--soft); font-size: .9rem; }\n"
    ".warning { border: 2px solid var(--c5); padding: .5rem 1rem; }\n"
    ".wide { overflow-x: auto; } .wide + .wide { margin-top: 1.5rem; }\n"
    "table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }\n"
    "th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap; }\n"
    "th:first-child, td:first-child { text-align: left; } th[colspan] { text-align: center; }\n"
    "thead th { border-bottom: 1px solid var(--soft); vertical-align: bottom; font-weight: 600; }\n"
    "tbody tr:nth-child(even) { background: color-mix(in srgb, var(--rule) 35%, transparent); }\n"
    ".plots { display: flex; flex-wrap: wrap; gap: .5rem 1rem; }\n"
    ".legend { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; padding: 0; list-style: none;\n"
    "  font-size: .9rem; }\n"
    "svg { max-width: 100%; height: auto; } .legend svg { width: 30px; height: 10px; margin-right: .4rem; }\n"
    "svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }\n"
    "svg .title { font-weight: 600; font-size: 14px; fill: var(--text); }\n"
    ".grid { stroke: var(--rule); } .axis { stroke: var(--soft); fill: none; }\n"
    ".line { fill: none; stroke-width: 2; stroke-linejoin: round; } .band { stroke: none; opacity: .16; }\n"
    ".c0 { --c: var(--text); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }\n"
    ".c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); } .c7 { --c: var(--c7); }\n"
    ".line { stroke: var(--c); } .band { fill: var(--c); }\n"
    ".line.d1 { stroke-dasharray: 7 4; } .line.d2 { stroke-dasharray: 2 3; }\n"
    "</style>\n";

enum { WIDE = 1080, HALF = 530, THIRD = 350 };

static void write_legend(FILE *file, char *const *labels, int count, int shades)
{
    fputs("<ul class=\"legend\">\n", file);
    for (int i = 0; i < count; i++) {
        fputs("<li><svg viewBox=\"0 0 30 10\" aria-hidden=\"true\"><path ", file);
        plot_write_style(file, "line", i, shades);
        fputs(" d=\"M0 5H30\"/></svg>", file);
        write_escaped(file, labels[i]);
        fputs("</li>\n", file);
    }
    fputs("</ul>\n", file);
}

static void write_contenders(FILE *file, const contenders *compared)
{
    char *labels[MOST_CONTENDERS];
    for (int i = 0; i < compared->count; i++)
        labels[i] = compared->list[i].label;
    write_legend(file, labels, compared->count, 0);
}

static void write_introduction(FILE *file, const session *all)
{
    const options *chosen = all->chosen;
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<title>What dies and what comes back</title>\n",
          file);
    fputs(style, file);
    fputs("</head>\n<body>\n<h1>What dies and what comes back</h1>\n", file);
    if (!all->complete)
        fputs("<p class=\"warning\">Incomplete: training was stopped before its end. Only runs that had "
              "finished are shown.</p>\n",
              file);
    fprintf(file,
            "<p>The same network, trained on %d images from the same starting weights and in the same order, "
            "with each activation: %d hidden layer%s of %d units, batches of %d, momentum %g, %d epoch%s "
            "(%d steps), %d seed%s. Behind a ~ stands the surrogate whose derivative took the place of the "
            "true one in the backward pass.</p>\n",
            all->data->train.count, chosen->layers, chosen->layers > 1 ? "s" : "", chosen->width, chosen->batch,
            chosen->momentum, chosen->epochs, chosen->epochs > 1 ? "s" : "", training_steps(chosen, all->data),
            chosen->seed_count, chosen->seed_count > 1 ? "s" : "");
    fprintf(file,
            "<p>A unit is <em>dead</em> if it is active (for relu: its output is not 0) for none of the first %d "
            "training images, <em>nearly dead</em> if it is active for at most %g %% of them. <em>Kept</em> is what "
            "the activation of a hidden layer keeps from the forward pass for the backward pass. A run has "
            "<em>diverged</em> if its loss is no longer a number. <em>Growth</em> is the factor by which "
            "the norm of the gradient grows from a hidden layer to the one below it; <em>ratio</em> and "
            "<em>cosine</em> compare the gradient used with the true one, their norms and the angle between "
            "them.</p>\n",
            SAMPLE, 100 * NEARLY_DEAD_RATE);
    if (chosen->techniques[SAVED] || chosen->techniques[LEARNED] || chosen->techniques[ANNEALED])
        fputs("<p>With <em>+saved</em> the forward pass works in place and saves the derivative in a byte for each "
              "element, from which the backward pass starts; with <em>+learned</em> the activation's parameter is "
              "learned, one for each unit; with <em>+annealed</em> the blend of the surrogate's derivative falls "
              "to 0 over the steps.</p>\n",
              file);
}

static void write_cell(FILE *file, int decimals, double value)
{
    if (isfinite(value))
        fprintf(file, "<td>%.*f</td>", decimals, value);
    else
        fputs("<td>&ndash;</td>", file);
}

static void write_row(FILE *file, const session *all, int scenario, int activation)
{
    const options *chosen = all->chosen;
    summary sum = summarise(all, scenario, activation);
    fputs("<tr><td>", file);
    write_escaped(file, all->compared->list[activation].label);
    if (!sum.finished) {
        fprintf(file, "</td><td colspan=\"%d\">no run finished</td></tr>\n", chosen->layers + 10);
        return;
    }
    fprintf(file, "</td><td>%.1f</td><td>%.1f &ndash; %.1f</td>", 100 * sum.accuracy, 100 * sum.least_accuracy,
            100 * sum.most_accuracy);
    for (int layer = 0; layer < chosen->layers; layer++)
        write_cell(file, 1, sum.figures[DEAD][layer]);
    write_cell(file, 1, total(sum.figures[NEARLY_DEAD], chosen->layers));
    write_cell(file, 1, 100 * total(sum.figures[SPARSITY], chosen->layers) / chosen->layers);
    write_cell(file, 2, 1000 * sum.seconds_per_step);
    write_cell(file, 1, 100 * sum.activation_share);
    write_cell(file, 0, sum.kept_bytes);
    write_cell(file, 2, sum.gradient_growth);
    write_cell(file, 2, sum.true_ratio);
    write_cell(file, 2, sum.true_cosine);
    fprintf(file, "<td>%d / %d</td></tr>\n", sum.diverged, sum.finished);
}

static void write_table(FILE *file, const session *all, int scenario)
{
    int layers = all->chosen->layers;
    fprintf(file,
            "<div class=\"wide\"><table>\n<thead><tr><th rowspan=\"2\">activation</th>"
            "<th colspan=\"2\">test accuracy, %%</th><th colspan=\"%d\">dead units in hidden layer</th>"
            "<th rowspan=\"2\">nearly<br>dead</th><th rowspan=\"2\">%% not<br>active</th>"
            "<th rowspan=\"2\">ms per<br>step</th><th rowspan=\"2\">%% in<br>activations</th>"
            "<th rowspan=\"2\">bytes<br>kept</th>"
            "<th colspan=\"3\">gradient at the start</th>"
            "<th rowspan=\"2\">runs<br>diverged</th></tr>\n<tr><th>mean</th><th>least &ndash; most</th>",
            layers);
    for (int layer = 1; layer <= layers; layer++)
        fprintf(file, "<th>%d</th>", layer);
    fputs("<th>growth</th><th>ratio</th><th>cosine</th></tr></thead>\n<tbody>\n", file);
    for (int activation = 0; activation < all->compared->count; activation++)
        write_row(file, all, scenario, activation);
    fputs("</tbody></table></div>\n", file);
}

static const run *any_finished(const session *all, int scenario, int activation)
{
    for (int seed = 0; seed < all->chosen->seed_count; seed++) {
        const run *one = &all->runs[run_index(all, scenario, activation, seed)];
        if (one->finished)
            return one;
    }
    return NULL;
}

/* One quantity over the steps of training: mean and range over the seeds. All finished runs were evaluated
 * after the same steps. */
static series over_steps(const session *all, int scenario, int activation, int figure, int layer, double scale,
                         int line_style, const char *label)
{
    const run *one = any_finished(all, scenario, activation);
    series line = series_create(label, line_style, one ? one->evaluation_count : 0, 1);
    for (int i = 0; i < line.count; i++) {
        spread found = across_seeds(all, scenario, activation, i, figure, layer);
        line.x[i] = one->evaluations[i].step;
        line.y[i] = scale * found.mean;
        line.low[i] = scale * found.least;
        line.high[i] = scale * found.most;
    }
    return line;
}

static void write_plot(FILE *file, plot shown, series *lines)
{
    shown.series = lines;
    plot_write(file, &shown);
    for (int i = 0; i < shown.series_count; i++)
        series_free(&lines[i]);
}

static void write_accuracy(FILE *file, const session *all, int scenario)
{
    series lines[MOST_CONTENDERS];
    for (int i = 0; i < all->compared->count; i++)
        lines[i] = over_steps(all, scenario, i, ACCURACY, 0, 100, i, all->compared->list[i].label);
    write_plot(file,
               (plot){.title = "Test accuracy",
                      .x_label = "step",
                      .y_label = "accuracy, %",
                      .width = WIDE,
                      .height = 380,
                      .whole_x = 1,
                      .y_least = 0,
                      .y_most = 90,
                      .series_count = all->compared->count},
               lines);
}

/* Plots of one figure over the steps, one for each activation with a line for each layer. */
typedef struct figure_plots {
    int figure;
    const char *heading, *y_label;
    double scale, y_least, y_most;
} figure_plots;

static void write_figure(FILE *file, const session *all, int scenario, int activation, char *const *labels,
                         const figure_plots *shown)
{
    const options *chosen = all->chosen;
    series lines[MOST_LAYERS];
    for (int layer = 0; layer < chosen->layers; layer++)
        lines[layer] = over_steps(all, scenario, activation, shown->figure, layer, shown->scale, layer, labels[layer]);
    write_plot(file,
               (plot){.title = all->compared->list[activation].label,
                      .x_label = "step",
                      .y_label = shown->y_label,
                      .width = THIRD,
                      .height = 230,
                      .whole_x = 1,
                      .shades = chosen->layers,
                      .y_least = shown->y_least,
                      .y_most = shown->y_most,
                      .series_count = chosen->layers},
               lines);
}

static void write_figures(FILE *file, const session *all, int scenario, char *const *labels, const figure_plots *shown)
{
    fprintf(file, "<h3>%s</h3>\n<div class=\"plots\">\n", shown->heading);
    for (int activation = 0; activation < all->compared->count; activation++)
        if (shown->figure != LEARNED_MEDIAN || all->compared->list[activation].technique == LEARNED)
            write_figure(file, all, scenario, activation, labels, shown);
    fputs("</div>\n", file);
}

/* The shares of the inputs of one layer, in percent, over the middles of the bins; those beyond the range are
 * drawn half a bin outside of it. All finished runs count together. */
static series histogram_line(const session *all, int scenario, int activation, int layer, int in_the_end,
                             const char *label)
{
    double counts[SUGAR_MONITOR_BINS] = {0}, all_counts = 0;
    const histogram *of = NULL;
    for (int seed = 0; seed < all->chosen->seed_count; seed++) {
        const run *one = &all->runs[run_index(all, scenario, activation, seed)];
        if (!one->finished)
            continue;
        of = in_the_end ? &one->end[layer] : &one->start[layer];
        for (int i = 0; i < SUGAR_MONITOR_BINS; i++)
            counts[i] += (double)of->counts[i];
    }
    all_counts = total(counts, SUGAR_MONITOR_BINS);
    series line = series_create(label, layer, all_counts > 0 ? SUGAR_MONITOR_BINS : 0, 0);
    for (int i = 0; i < line.count; i++) {
        double width = of->edges[1] - of->edges[0];
        line.x[i] = of->edges[0] + (i - 0.5) * width;
        line.y[i] = 100 * counts[i] / all_counts;
    }
    return line;
}

static void write_histograms(FILE *file, const session *all, int scenario, char *const *labels, int in_the_end)
{
    int layers = all->chosen->layers;
    fprintf(file, "<h3>Inputs of the activations %s</h3>\n<div class=\"plots\">\n",
            in_the_end ? "after the last step" : "before the first step");
    for (int activation = 0; activation < all->compared->count; activation++) {
        series lines[MOST_LAYERS];
        for (int layer = 0; layer < layers; layer++)
            lines[layer] = histogram_line(all, scenario, activation, layer, in_the_end, labels[layer]);
        write_plot(file,
                   (plot){.title = all->compared->list[activation].label,
                          .x_label = "input",
                          .y_label = "share, %",
                          .width = THIRD,
                          .height = 230,
                          .shades = layers,
                          .y_least = 0,
                          .y_most = 20,
                          .series_count = layers},
                   lines);
    }
    fputs("</div>\n", file);
}

static void write_layers(FILE *file, const session *all, int scenario, char *const *labels)
{
    const options *chosen = all->chosen;
    const figure_plots shown[] = {
        {DEAD, "Dead units in each hidden layer", "dead units", 1, 0, chosen->width},
        {NEARLY_DEAD, "Nearly dead units in each hidden layer", "nearly dead units", 1, 0, chosen->width},
        {SPARSITY, "Sparsity: the share of a hidden layer's outputs that are not active", "not active, %", 100, 0, 100},
        {LEARNED_MEDIAN, "The median of what the units of each hidden layer have learned", "parameter", 1, HUGE_VAL,
         -HUGE_VAL},
    };
    write_legend(file, labels, chosen->layers, chosen->layers);
    int count = (int)(sizeof shown / sizeof *shown) - !chosen->techniques[LEARNED];
    for (int i = 0; i < count; i++)
        write_figures(file, all, scenario, labels, &shown[i]);
    write_histograms(file, all, scenario, labels, 0);
    write_histograms(file, all, scenario, labels, 1);
    fputs("<p class=\"note\">The outermost points are all inputs beyond -15 and 15.</p>\n", file);
}

/* What the units of each layer have learned in the end. */
static void write_learned(FILE *file, const session *all, int scenario, int activation)
{
    const contender *of = &all->compared->list[activation];
    summary sum = summarise(all, scenario, activation);
    if (of->technique != LEARNED || !sum.finished)
        return;
    fputs("<div class=\"wide\"><table>\n<thead><tr><th>", file);
    write_escaped(file, of->label);
    fprintf(file, ": %s, at the start %g;<br>in the end, of the units of hidden layer</th>", of->learned.name,
            of->learned.start);
    for (int layer = 1; layer <= all->chosen->layers; layer++)
        fprintf(file, "<th>%d</th>", layer);
    fputs("</tr></thead>\n<tbody>\n", file);
    for (int i = 0; i < QUARTILES; i++) {
        fprintf(file, "<tr><td>%s</td>", quartile_names[i]);
        for (int layer = 0; layer < all->chosen->layers; layer++)
            write_cell(file, 4, sum.figures[LEARNED_LEAST + i][layer]);
        fputs("</tr>\n", file);
    }
    fputs("</tbody></table></div>\n", file);
}

/* The gradient's norm in each hidden layer before the first step. */
static void write_gradients(FILE *file, const session *all, int scenario)
{
    const options *chosen = all->chosen;
    series lines[MOST_CONTENDERS];
    for (int i = 0; i < all->compared->count; i++) {
        int measured = any_finished(all, scenario, i) != NULL;
        lines[i] = series_create(all->compared->list[i].label, i, measured ? chosen->layers : 0, 0);
        for (int layer = 0; layer < lines[i].count; layer++) {
            lines[i].x[layer] = layer + 1;
            lines[i].y[layer] = across_seeds(all, scenario, i, 0, GRADIENT_NORM, layer).mean;
        }
    }
    write_plot(file,
               (plot){.title = "Norm of the gradient in each hidden layer, before the first step",
                      .x_label = "hidden layer",
                      .y_label = "norm",
                      .width = WIDE,
                      .height = 300,
                      .logarithmic = 1,
                      .whole_x = 1,
                      .y_least = HUGE_VAL,
                      .y_most = -HUGE_VAL,
                      .series_count = all->compared->count},
               lines);
}

static void write_scenario(FILE *file, const session *all, int scenario, char *const *layer_labels)
{
    const options *chosen = all->chosen;
    const setting *start = &chosen->scenarios[scenario];
    char *description = scenario_describe(start);
    fputs("<h2>", file);
    write_escaped(file, start->name);
    fprintf(file, ": %s</h2>\n", description);
    free(description);
    write_table(file, all, scenario);
    for (int activation = 0; activation < all->compared->count; activation++)
        write_learned(file, all, scenario, activation);
    write_contenders(file, all->compared);
    write_accuracy(file, all, scenario);
    fprintf(file,
            "<p class=\"note\">Lines are means over the seeds, bands their range. The last point is the "
            "accuracy on all %d test images, those before on the first %d. Below, lines end where every run "
            "has diverged.</p>\n",
            all->data->test.count, SAMPLE < all->data->test.count ? SAMPLE : all->data->test.count);
    write_gradients(file, all, scenario);
    write_layers(file, all, scenario, layer_labels);
}

enum { CURVE = 321 };

/* A curve of one activation over [-4, 4], as the library computes it. */
static series curve(const sugar_activation *activation, int derivative, int line_style, const char *label)
{
    float x[CURVE], y[CURVE], ones[CURVE];
    for (int i = 0; i < CURVE; i++) {
        x[i] = (float)(i - CURVE / 2) / 40;
        ones[i] = 1;
    }
    sugar_status status = derivative ? sugar_backward_f32(activation, CURVE, x, 1, ones, 1, y, 1, NULL)
                                     : sugar_forward_f32(activation, CURVE, x, 1, y, 1, NULL);
    if (status != SUGAR_OK)
        fail("libsugar: %s", sugar_last_error());
    series line = series_create(label, line_style, CURVE, 0);
    for (int i = 0; i < CURVE; i++) {
        line.x[i] = (double)x[i];
        line.y[i] = (double)y[i];
    }
    return line;
}

static void write_curves(FILE *file, const session *all)
{
    fputs("<h2>The activations</h2>\n", file);
    write_contenders(file, all->compared);
    fputs("<div class=\"plots\">\n", file);
    for (int derivative = 0; derivative < 2; derivative++) {
        series lines[MOST_CONTENDERS];
        for (int i = 0; i < all->compared->count; i++)
            lines[i] = curve(all->compared->list[i].activation, derivative, i, all->compared->list[i].label);
        write_plot(file,
                   (plot){.title = derivative ? "Derivative in the backward pass" : "Value",
                          .x_label = "x",
                          .y_label = derivative ? "derivative" : "value",
                          .width = HALF,
                          .height = 380,
                          .y_least = 0,
                          .y_most = 1,
                          .series_count = all->compared->count},
                   lines);
    }
    fputs("</div>\n<p class=\"note\">Where lines lie on each other only the last can be seen: activations with "
          "the same function before the ~ have the same value.</p>\n",
          file);
}

void html_write(FILE *file, const session *all)
{
    char *layer_labels[MOST_LAYERS];
    for (int layer = 0; layer < all->chosen->layers; layer++)
        layer_labels[layer] = format_text("layer %d", layer + 1);
    write_introduction(file, all);
    for (int scenario = 0; scenario < all->chosen->scenario_count; scenario++)
        write_scenario(file, all, scenario, layer_labels);
    write_curves(file, all);
    int32_t version = sugar_version();
    fprintf(file,
            "<p class=\"note\">libsugar %d.%d.%d, level %s, %d threads, %.0f seconds of training.</p>\n"
            "</body>\n</html>\n",
            (int)version / 10000, (int)version / 100 % 100, (int)version % 100,
            sugar_activation_level(all->compared->list[0].activation), all->chosen->threads, all->seconds);
    for (int layer = 0; layer < all->chosen->layers; layer++)
        free(layer_labels[layer]);
}
