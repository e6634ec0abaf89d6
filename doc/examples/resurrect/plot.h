/* Line plots as inline SVG, coloured by the style sheet of the page they stand in: the classes c0 to c7 for
 * lines, and grid, axis, band for the rest. */
#ifndef RESURRECT_PLOT_H
#define RESURRECT_PLOT_H

#include <stdio.h>

enum { PLOT_COLOURS = 8 };

typedef struct series {
    const char *label;              /* shown when the pointer rests on the line */
    int count, style;               /* style: colour, and from PLOT_COLOURS on a dash pattern as well */
    double *x, *y;                  /* a point that is not finite (nor, on a logarithmic scale, above 0)
                                       leaves a gap */
    double *low, *high;             /* a band around the line; NULL for none */
} series;

typedef struct plot {
    const char *title, *x_label, *y_label;
    int width, height;              /* in CSS pixels */
    int logarithmic;                /* y */
    int whole_x;                    /* x are counts: no tick between whole numbers */
    double y_least, y_most;         /* the least range that y shows; grows with the data */
    int series_count;
    const series *series;
} plot;

/* A series with room for count points; with_band gives it low and high as well. */
series series_create(const char *label, int style, int count, int with_band);
void series_free(series *line);

void plot_write(FILE *file, const plot *shown);

/* The class attribute's value for a style. */
void plot_write_class(FILE *file, int style);

/* Text with what HTML and SVG need escaped. */
void write_escaped(FILE *file, const char *text);

#endif
