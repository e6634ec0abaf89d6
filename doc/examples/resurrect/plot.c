/* See plot.h. */
#include "plot.h"

#include <math.h>
#include <stdlib.h>

#include "support.h"

enum { LEFT = 72, RIGHT = 14, TOP = 34, BOTTOM = 46 };

/* One axis: data from least to most lie on pixels from `from` to `to`. */
typedef struct axis {
    double least, most, from, to;
    int logarithmic;
} axis;

series series_create(const char *label, int style, int count, int with_band)
{
    size_t points = (size_t)count;
    return (series){.label = label,
                    .style = style,
                    .count = count,
                    .x = allocate(points, sizeof(double)),
                    .y = allocate(points, sizeof(double)),
                    .low = with_band ? allocate(points, sizeof(double)) : NULL,
                    .high = with_band ? allocate(points, sizeof(double)) : NULL};
}

void series_free(series *line)
{
    free(line->x);
    free(line->y);
    free(line->low);
    free(line->high);
}

void write_escaped(FILE *file, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", file); break;
        case '>': fputs("&gt;", file); break;
        case '&': fputs("&amp;", file); break;
        case '"': fputs("&quot;", file); break;
        default: fputc(*text, file);
        }
}

/* Shades run from light yellow to dark violet, so that their order shows without colour too. */
void plot_write_style(FILE *file, const char *kind, int style, int shades)
{
    if (!shades) {
        fprintf(file, "class=\"%s c%d d%d\"", kind, style % PLOT_COLOURS, style / PLOT_COLOURS % 3);
        return;
    }
    double share = shades > 1 ? (double)style / (shades - 1) : 0;
    fprintf(file, "class=\"%s\" style=\"--c: oklch(%.2f 0.15 %.0f)\"", kind, 0.80 - 0.34 * share, 85 + 215 * share);
}

static int shown(const axis *a, double value) { return isfinite(value) && (!a->logarithmic || value > 0); }

static double place(const axis *a, double value)
{
    double share =
        a->logarithmic ? log(value / a->least) / log(a->most / a->least) : (value - a->least) / (a->most - a->least);
    return a->from + share * (a->to - a->from);
}

static void stretch(axis *a, const double *values, int count)
{
    for (int i = 0; i < count && values; i++)
        if (shown(a, values[i])) {
            a->least = fmin(a->least, values[i]);
            a->most = fmax(a->most, values[i]);
        }
}

/* A step of 1, 2 or 5 times a power of ten that divides the range into at most `most` parts. */
static double tick_step(double range, int most)
{
    double power = pow(10, floor(log10(range / most)));
    static const double factors[] = {1, 2, 5, 10};
    for (int i = 0; i < 3; i++)
        if (range / (factors[i] * power) <= most)
            return factors[i] * power;
    return 10 * power;
}

static void settle(axis *a)
{
    if (!(a->least <= a->most)) {
        a->least = a->logarithmic ? 0.1 : 0;
        a->most = 1;
    }
    if (a->logarithmic) {
        a->least = pow(10, floor(log10(a->least)));
        a->most = pow(10, ceil(log10(a->most)));
        if (a->most <= a->least)
            a->most = 10 * a->least;
    } else if (a->most <= a->least) {
        a->most = a->least + 1;
    }
}

static void write_tick(FILE *file, const plot *p, const axis *a, double value, int vertical)
{
    double at = place(a, value);
    if (vertical)
        fprintf(file,
                "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.10g</text>\n",
                LEFT, p->width - RIGHT, at, at, LEFT - 7, at + 4, value);
    else
        fprintf(file,
                "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.10g</text>\n",
                at, at, TOP, p->height - BOTTOM, at, p->height - BOTTOM + 17, value);
}

static void write_decades(FILE *file, const plot *p, const axis *a, int vertical)
{
    int decades = (int)lround(log10(a->most / a->least)), every = decades / 7 + 1;
    for (int i = 0; i <= decades; i += every) {
        double power = a->least * pow(10, i);
        write_tick(file, p, a, power, vertical);
        if (decades <= 2 && i < decades) {
            write_tick(file, p, a, 2 * power, vertical);
            write_tick(file, p, a, 5 * power, vertical);
        }
    }
}

static void write_ticks(FILE *file, const plot *p, const axis *a, int vertical)
{
    if (a->logarithmic) {
        write_decades(file, p, a, vertical);
        return;
    }
    double step = tick_step(a->most - a->least, vertical ? 6 : p->width / 75);
    if (!vertical && p->whole_x)
        step = fmax(step, 1);
    double slack = 1e-9;            /* rounding must not lose the last tick */
    long first = lround(ceil(a->least / step - slack)), last = lround(floor(a->most / step + slack));
    for (long i = first; i <= last; i++)
        write_tick(file, p, a, (double)i * step, vertical);
}

static void write_point(FILE *file, const axis *x, const axis *y, double at, double value, char command)
{
    fprintf(file, "%c%.1f %.1f", command, place(x, at), place(y, value));
}

static void write_band(FILE *file, const axis *x, const axis *y, const series *line, int shades)
{
    int count = 0;
    while (count < line->count && shown(y, line->low[count]) && shown(y, line->high[count]))
        count++;
    if (count < 2)
        return;
    fputs("<path ", file);
    plot_write_style(file, "band", line->style, shades);
    fputs(" d=\"", file);
    for (int i = 0; i < count; i++)
        write_point(file, x, y, line->x[i], line->high[i], i ? 'L' : 'M');
    for (int i = count - 1; i >= 0; i--)
        write_point(file, x, y, line->x[i], line->low[i], 'L');
    fputs("Z\"/>\n", file);
}

static void write_line(FILE *file, const axis *x, const axis *y, const series *line, int shades)
{
    fputs("<path ", file);
    plot_write_style(file, "line", line->style, shades);
    fputs(" d=\"", file);
    int drawing = 0;
    for (int i = 0; i < line->count; i++) {
        int visible = shown(y, line->y[i]);
        if (visible)
            write_point(file, x, y, line->x[i], line->y[i], drawing ? 'L' : 'M');
        drawing = visible;
    }
    fputs("\"><title>", file);
    write_escaped(file, line->label);
    fputs("</title></path>\n", file);
}

static void write_labels(FILE *file, const plot *p)
{
    fprintf(file, "<text class=\"title\" x=\"%d\" y=\"18\">", LEFT);
    write_escaped(file, p->title);
    fprintf(file, "</text>\n<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + p->width - RIGHT) / 2,
            p->height - 8);
    write_escaped(file, p->x_label);
    int middle = (TOP + p->height - BOTTOM) / 2;
    fprintf(file, "</text>\n<text x=\"14\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 14 %d)\">", middle,
            middle);
    write_escaped(file, p->y_label);
    fputs("</text>\n", file);
}

void plot_write(FILE *file, const plot *p)
{
    axis x = {HUGE_VAL, -HUGE_VAL, LEFT, p->width - RIGHT, 0};
    axis y = {p->y_least, p->y_most, p->height - BOTTOM, TOP, p->logarithmic};
    for (int i = 0; i < p->series_count; i++) {
        const series *line = &p->series[i];
        stretch(&x, line->x, line->count);
        stretch(&y, line->y, line->count);
        stretch(&y, line->low, line->count);
        stretch(&y, line->high, line->count);
    }
    settle(&x);
    settle(&y);
    fprintf(file, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"", p->width,
            p->height, p->width, p->height);
    write_escaped(file, p->title);
    fputs("\">\n", file);
    write_ticks(file, p, &x, 0);
    write_ticks(file, p, &y, 1);
    fprintf(file, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP, p->height - BOTTOM, p->width - RIGHT);
    for (int i = 0; i < p->series_count; i++)
        if (p->series[i].low)
            write_band(file, &x, &y, &p->series[i], p->shades);
    for (int i = 0; i < p->series_count; i++)
        write_line(file, &x, &y, &p->series[i], p->shades);
    write_labels(file, p);
    fputs("</svg>\n", file);
}
