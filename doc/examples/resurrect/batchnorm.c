/* See batchnorm.h. Statistics are taken in double. */
#include "batchnorm.h"

#include <math.h>
#include <stdlib.h>

#include "support.h"

static const double epsilon = 1e-5, rate = 0.1;     /* added to variances; of the running means */

batchnorm *batchnorm_create(int units, int batch, float *scale, float *shift, float *scale_gradient,
                            float *shift_gradient)
{
    size_t count = (size_t)units, values = count * (size_t)batch;
    batchnorm *norm = allocate(1, sizeof *norm);
    *norm = (batchnorm){.units = units,
                        .scale = scale,
                        .shift = shift,
                        .scale_gradient = scale_gradient,
                        .shift_gradient = shift_gradient,
                        .normalised = allocate(values, sizeof(float)),
                        .delta = allocate(values, sizeof(float)),
                        .mean = allocate(count, sizeof(double)),
                        .factor = allocate(count, sizeof(double)),
                        .running_mean = allocate(count, sizeof(double)),
                        .running_variance = allocate(count, sizeof(double))};
    for (int i = 0; i < units; i++) {
        norm->scale[i] = 1;
        norm->running_variance[i] = 1;
    }
    return norm;
}

void batchnorm_free(batchnorm *norm)
{
    if (!norm)
        return;
    free(norm->normalised);
    free(norm->delta);
    free(norm->mean);
    free(norm->factor);
    free(norm->running_mean);
    free(norm->running_variance);
    free(norm);
}

/* Fills mean and factor of one unit, from its column of n values. */
static void measure(batchnorm *norm, const float *column, int unit, int n, statistics by)
{
    double mean = norm->running_mean[unit], variance = norm->running_variance[unit];
    if (by != RUNNING_STATISTICS) {
        double sum = 0, squares = 0;
        for (int row = 0; row < n; row++)
            sum += (double)column[(size_t)row * (size_t)norm->units];
        mean = sum / n;
        for (int row = 0; row < n; row++) {
            double distance = (double)column[(size_t)row * (size_t)norm->units] - mean;
            squares += distance * distance;
        }
        variance = squares / n;
    }
    if (by == UPDATED_STATISTICS) {
        norm->running_mean[unit] += rate * (mean - norm->running_mean[unit]);
        norm->running_variance[unit] += rate * (variance * n / (n > 1 ? n - 1 : 1) - norm->running_variance[unit]);
    }
    norm->mean[unit] = mean;
    norm->factor[unit] = 1 / sqrt(variance + epsilon);
}

void batchnorm_forward(batchnorm *norm, float *values, int n, statistics by)
{
    norm->last = by;
    for (int unit = 0; unit < norm->units; unit++)
        measure(norm, values + unit, unit, n, by);
    for (int row = 0; row < n; row++) {
        size_t start = (size_t)row * (size_t)norm->units;
        for (int unit = 0; unit < norm->units; unit++) {
            float *value = values + start + unit;
            float standard = (float)(((double)*value - norm->mean[unit]) * norm->factor[unit]);
            norm->normalised[start + (size_t)unit] = standard;
            *value = norm->scale[unit] * standard + norm->shift[unit];
        }
    }
}

/* One unit. What changes the mean or the deviation of the batch changes nothing in the outputs, so the parts of the
 * gradient that point there are taken away. */
static void backward_unit(batchnorm *norm, const float *output_delta, int unit, int n)
{
    double sum = 0, products = 0;
    for (int row = 0; row < n; row++) {
        size_t at = (size_t)row * (size_t)norm->units + (size_t)unit;
        sum += (double)output_delta[at];
        products += (double)output_delta[at] * (double)norm->normalised[at];
    }
    norm->shift_gradient[unit] = (float)sum;
    norm->scale_gradient[unit] = (float)products;
    double factor = norm->factor[unit] * (double)norm->scale[unit];
    int own = norm->last != RUNNING_STATISTICS;
    for (int row = 0; row < n; row++) {
        size_t at = (size_t)row * (size_t)norm->units + (size_t)unit;
        double taken = own ? (sum + products * (double)norm->normalised[at]) / n : 0;
        norm->delta[at] = (float)(factor * ((double)output_delta[at] - taken));
    }
}

void batchnorm_backward(batchnorm *norm, const float *output_delta, int n)
{
    for (int unit = 0; unit < norm->units; unit++)
        backward_unit(norm, output_delta, unit, n);
}
