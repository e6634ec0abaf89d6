/* Draws doc/surrogates.svg, the picture of the README: ReLU, and what the backward pass multiplies the
 * gradient by with each of several surrogates. The library computes every point.
 *
 *     curves > doc/surrogates.svg
 */
#include <stdio.h>
#include <stdlib.h>
#include <sugar/sugar.h>

enum { POINTS = 241, WIDTH = 800, HEIGHT = 320, PANEL = 330, TOP = 50, LEFT = 50, GAP = 50, LINES = 5 };

/* Colours of Okabe and Ito, which the colour-blind can tell apart. */
static const struct {
    const char *spec, *label, *colour, *dash;
} lines[LINES] = {
    {"relu", "none: ReLU's own derivative", "#000000", "none"},
    {"relu~bsilu", "B-SiLU", "#d55e00", "none"},
    {"relu~elu", "ELU", "#0072b2", "7 3"},
    {"relu~silu", "SiLU", "#009e73", "2 2"},
    {"relu~nelu", "NeLU", "#cc79a7", "9 3 2 3"},
};

typedef struct {
    double left, x_least, x_most, y_least, y_most;
} panel;

static double place_x(const panel *p, double x)
{
    return p->left + (x - p->x_least) / (p->x_most - p->x_least) * (double)PANEL;
}

static double place_y(const panel *p, double y)
{
    return (double)TOP + (p->y_most - y) / (p->y_most - p->y_least) * (HEIGHT - TOP - 40);
}

static void check(sugar_status status)
{
    if (status == SUGAR_OK)
        return;
    fprintf(stderr, "curves: %s\n", sugar_last_error());
    exit(1);
}

static void draw_axes(const panel *p, const char *title)
{
    printf("<text x=\"%.0f\" y=\"24\" font-weight=\"bold\">%s</text>\n", p->left, title);
    for (int x = (int)p->x_least; x <= (int)p->x_most; x += 2)
        printf("<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>"
               "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n",
               place_x(p, x), place_y(p, p->y_least), place_y(p, p->y_most), place_x(p, x), HEIGHT - 18, x);
    const double step = p->y_most > 3 ? 1 : 0.5;
    for (double y = 0; y <= p->y_most; y += step)
        printf("<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>"
               "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
               p->left, place_y(p, y), p->left + (double)PANEL, p->left - 6, place_y(p, y) + 4, y);
}

/* A step is drawn as a step: points on both sides of 0 are close together. */
static void draw_line(const panel *p, int line, const double *x, const double *y)
{
    printf("<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\" points=\"",
           lines[line].colour, lines[line].dash);
    for (int i = 0; i < POINTS; i++)
        printf("%.1f,%.1f ", place_x(p, x[i]), place_y(p, y[i]));
    printf("\"/>\n");
}

int main(void)
{
    double x[POINTS], y[POINTS], ones[POINTS];
    for (int i = 0; i < POINTS; i++) {
        x[i] = (i - POINTS / 2) * (6.0 / (POINTS / 2)) + (i == POINTS / 2 ? 1e-9 : 0);
        ones[i] = 1;
    }
    const panel forward = {LEFT, -6, 6, -0.5, 6}, backward = {LEFT + PANEL + GAP, -6, 6, -0.25, 1.5};
    printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
           "font-family=\"sans-serif\" font-size=\"12\">\n"
           "<style>.grid{stroke:#ccc;fill:none}</style><rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
           WIDTH, HEIGHT, WIDTH, HEIGHT);
    draw_axes(&forward, "forward: y = max(x, 0)");
    draw_axes(&backward, "backward: dx / dy, by surrogate");
    for (int k = 0; k < LINES; k++) {
        sugar_activation *activation;
        check(sugar_activation_create(&activation, lines[k].spec));
        if (k == 0) {
            check(sugar_forward_f64(activation, POINTS, x, 1, y, 1, NULL));
            draw_line(&forward, k, x, y);
        }
        check(sugar_backward_f64(activation, POINTS, x, 1, ones, 1, y, 1, NULL));
        draw_line(&backward, k, x, y);
        sugar_activation_destroy(activation);
        const double left = forward.left + 14, top = TOP + 22 + 22 * k;
        printf("<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"%s\" "
               "d=\"M%.0f %.0fh34\"/>"
               "<text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
               lines[k].colour, lines[k].dash, left, top, left + 42, top + 4, lines[k].label);
    }
    printf("</svg>\n");
    return ferror(stdout) ? 1 : 0;
}
