/* Line plots as inline SVG, in the style of the page they stand in: its style sheet has the classes line and
 * band, which use the colour --c, the classes c0 to c7, which set it, d1 and d2 for dashes, and title, grid
 * and axis. */
#ifndef RESURRECT_PLOT_H
#define RESURRECT_PLOT_H

#include <stdio.h>

enum { PLOT_COLOURS = 8 };

typedef struct series {
    const char *label;              /* shown when the pointer rests on the line */
    int count, style;               /* style: which colour, and from PLOT_COLOURS on a dash pattern as well */
    double *x, *y;                  /* a point that is not finite (nor, on a logarithmic scale, above 0)
                                       leaves a gap */
    double *low, *high;             /* a band around the line; NULL for none */
} series;

typedef struct plot {
    const char *title, *x_label, *y_label;
    int width, height;              /* in CSS pixels */
    int logarithmic;                /* y */
    int whole_x;                    /* x are counts: no tick between whole numbers */
    int shades;                     /* 0: colours that differ; else styles are an order of so many shades */
    double y_least, y_most;         /* the least range that y shows; grows with the data */
    int series_count;
    const series *series;
} plot;

/* A series with room for count points; with_band gives it low and high as well. */
series series_create(const char *label, int style, int count, int with_band);
void series_free(series *line);

void plot_write(FILE *file, const plot *shown);

/* The attributes that make a path a line (or a band) of a style. */
void plot_write_style(FILE *file, const char *kind, int style, int shades);

/* Text with what HTML and SVG need escaped. */
void write_escaped(FILE *file, const char *text);

#endif
