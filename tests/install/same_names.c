/* A program with functions of its own that have names of the library: exported ones that the library itself calls, and
 * one that is not exported. Linked against the shared library, its calls do not reach them. */
#include <stdio.h>

#include <sugar/sugar.h>

static int reached;

sugar_status sugar_activation_create_with_options(sugar_activation **activation, const char *spec, size_t spec_length,
                                                  const sugar_activation_options *options)
{
    (void)activation, (void)spec, (void)spec_length, (void)options;
    return ++reached;
}

size_t sugar_monitor_save_size(const sugar_monitor *monitor)
{
    (void)monitor;
    return (size_t)++reached;
}

sugar_status sugar_backward_f32(const sugar_activation *activation, int64_t n, const float *x, int64_t incx,
                                const float *dy, int64_t incdy, float *dx, int64_t incdx,
                                const sugar_call_options *options)
{
    (void)activation, (void)n, (void)x, (void)incx, (void)dy, (void)incdy, (void)dx, (void)incdx, (void)options;
    return ++reached;
}

void sugar_error(void);

void sugar_error(void) { reached++; }

int main(void)
{
    static unsigned char saved[65536];
    sugar_activation *activation = NULL;
    sugar_monitor *monitor = NULL;
    if (sugar_activation_create(&activation, "relu") != SUGAR_OK || activation == NULL
        || sugar_monitor_create(&monitor, 3, NULL) != SUGAR_OK
        || sugar_monitor_save(monitor, saved, sizeof saved) != SUGAR_OK
        || sugar_activation_create(&activation, "rleu") != SUGAR_ERROR_SPEC) {
        fprintf(stderr, "%s\n", sugar_last_error());
        return 1;
    }
    sugar_monitor_destroy(monitor);
    sugar_activation_destroy(activation);
    if (reached != 0)
        fprintf(stderr, "the library called functions of this program: %d times\n", reached);
    return reached == 0 ? 0 : 2;
}
