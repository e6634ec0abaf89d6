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
    ".wide { overflow-x: auto; }\n"
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
          "<title>What dies and what comes back</title>\n", file);
    fputs(style, file);
    fputs("</head>\n<body>\n<h1>What dies and what comes back</h1>\n", file);
    if (!all->complete)
        fputs("<p class=\"warning\">Incomplete: training was stopped before its end. Only runs that had "
              "finished are shown.</p>\n", file);
    fprintf(file,
            "<p>The same network, trained on %d images from the same starting weights and in the same order, "
            "with each activation: %d hidden layer%s of %d units, batches of %d, momentum %g, %d epoch%s "
            "(%d steps), %d seed%s. Behind a ~ stands the surrogate whose derivative took the place of the "
            "true one in the backward pass.</p>\n",
            all->data->train.count, chosen->layers, chosen->layers > 1 ? "s" : "", chosen->width, chosen->batch,
            chosen->momentum, chosen->epochs, chosen->epochs > 1 ? "s" : "", training_steps(chosen, all->data),
            chosen->seed_count, chosen->seed_count > 1 ? "s" : "");
    fprintf(file,
            "<p>A unit is <em>dead</em> if its output is 0 for each of the first %d training images. A run has "
            "<em>diverged</em> if its loss is no longer a number. <em>Growth</em> is the factor by which "
            "the norm of the gradient grows from a hidden layer to the one below it; <em>ratio</em> and "
            "<em>cosine</em> compare the gradient used with the true one, their norms and the angle between "
            "them.</p>\n",
            SAMPLE);
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
        fprintf(file, "</td><td colspan=\"%d\">no run finished</td></tr>\n", chosen->layers + 7);
        return;
    }
    fprintf(file, "</td><td>%.1f</td><td>%.1f &ndash; %.1f</td>", 100 * sum.accuracy, 100 * sum.least_accuracy,
            100 * sum.most_accuracy);
    for (int layer = 0; layer < chosen->layers; layer++)
        write_cell(file, 1, sum.dead[layer]);
    write_cell(file, 2, 1000 * sum.seconds_per_step);
    write_cell(file, 1, 100 * sum.activation_share);
    write_cell(file, 2, sum.gradient_growth);
    write_cell(file, 2, sum.true_ratio);
    write_cell(file, 2, sum.true_cosine);
    fprintf(file, "<td>%d / %d</td></tr>\n", sum.diverged, sum.finished);
}

static void write_table(FILE *file, const session *all, int scenario)
{
    int layers = all->chosen->layers;
    fprintf(file, "<div class=\"wide\"><table>\n<thead><tr><th rowspan=\"2\">activation</th>"
            "<th colspan=\"2\">test accuracy, %%</th><th colspan=\"%d\">dead units in hidden layer</th>"
            "<th rowspan=\"2\">ms per<br>step</th><th rowspan=\"2\">%% in<br>activations</th>"
            "<th colspan=\"3\">gradient at the start</th>"
            "<th rowspan=\"2\">runs<br>diverged</th></tr>\n<tr><th>mean</th><th>least &ndash; most</th>", layers);
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
static series over_steps(const session *all, int scenario, int activation, quantity *value, int layer,
                         double scale, int line_style, const char *label)
{
    const run *one = any_finished(all, scenario, activation);
    series line = series_create(label, line_style, one ? one->evaluation_count : 0, 1);
    for (int i = 0; i < line.count; i++) {
        spread found = across_seeds(all, scenario, activation, i, value, layer);
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
        lines[i] = over_steps(all, scenario, i, quantity_accuracy, 0, 100, i, all->compared->list[i].label);
    write_plot(file, (plot){.title = "Test accuracy", .x_label = "step", .y_label = "accuracy, %",
                            .width = WIDE, .height = 380, .whole_x = 1, .y_least = 0, .y_most = 90,
                            .series_count = all->compared->count}, lines);
}

static void write_dead(FILE *file, const session *all, int scenario, int activation, char *const *labels)
{
    const options *chosen = all->chosen;
    series lines[MOST_LAYERS];
    for (int layer = 0; layer < chosen->layers; layer++)
        lines[layer] = over_steps(all, scenario, activation, quantity_dead, layer, 1, layer, labels[layer]);
    write_plot(file, (plot){.title = all->compared->list[activation].label, .x_label = "step",
                            .y_label = "dead units",
                            .width = THIRD, .height = 230, .whole_x = 1, .shades = chosen->layers, .y_least = 0,
                            .y_most = chosen->width, .series_count = chosen->layers}, lines);
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
            lines[i].y[layer] = across_seeds(all, scenario, i, 0, quantity_gradient, layer).mean;
        }
    }
    write_plot(file, (plot){.title = "Norm of the gradient in each hidden layer, before the first step",
                            .x_label = "hidden layer", .y_label = "norm", .width = WIDE, .height = 300,
                            .logarithmic = 1, .whole_x = 1, .y_least = HUGE_VAL, .y_most = -HUGE_VAL,
                            .series_count = all->compared->count}, lines);
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
    write_contenders(file, all->compared);
    write_accuracy(file, all, scenario);
    fprintf(file, "<p class=\"note\">Lines are means over the seeds, bands their range. The last point is the "
            "accuracy on all %d test images, those before on the first %d. Below, lines end where every run "
            "has diverged.</p>\n",
            all->data->test.count, SAMPLE < all->data->test.count ? SAMPLE : all->data->test.count);
    write_gradients(file, all, scenario);
    fputs("<h3>Dead units in each hidden layer</h3>\n", file);
    write_legend(file, layer_labels, chosen->layers, chosen->layers);
    fputs("<div class=\"plots\">\n", file);
    for (int activation = 0; activation < all->compared->count; activation++)
        write_dead(file, all, scenario, activation, layer_labels);
    fputs("</div>\n", file);
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
        write_plot(file, (plot){.title = derivative ? "Derivative in the backward pass" : "Value",
                                .x_label = "x", .y_label = derivative ? "derivative" : "value", .width = HALF,
                                .height = 380, .y_least = 0, .y_most = 1,
                                .series_count = all->compared->count}, lines);
    }
    fputs("</div>\n<p class=\"note\">Where lines lie on each other only the last can be seen: activations with "
          "the same function before the ~ have the same value.</p>\n", file);
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
    fprintf(file, "<p class=\"note\">libsugar %d.%d.%d, level %s, %d threads, %.0f seconds of training.</p>\n"
            "</body>\n</html>\n",
            (int)version / 10000, (int)version / 100 % 100, (int)version % 100,
            sugar_activation_level(all->compared->list[0].activation), all->chosen->threads, all->seconds);
    for (int layer = 0; layer < all->chosen->layers; layer++)
        free(layer_labels[layer]);
}
