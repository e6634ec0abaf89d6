/* What a user writes: one activation, forward and backward, and an error. Built against an installed
 * copy, as C and as C++. */
#include <stdio.h>
#include <string.h>

#include <sugar/sugar.h>

int main(void)
{
    float x[5] = {-2, -1, 0, 1, 2}, y[5], dy[5] = {1, 1, 1, 1, 1}, dx[5];
    sugar_activation *activation;
    if (sugar_activation_create(&activation, "relu~bsilu(alpha=1.67)") != SUGAR_OK) {
        fprintf(stderr, "%s\n", sugar_last_error());
        return 1;
    }
    if (sugar_forward_f32(activation, 5, x, 1, y, 1, NULL) != SUGAR_OK
        || sugar_backward_f32(activation, 5, x, 1, dy, 1, dx, 1, NULL) != SUGAR_OK) {
        fprintf(stderr, "%s\n", sugar_last_error());
        return 1;
    }
    sugar_activation_destroy(activation);
    if (sugar_version() != SUGAR_VERSION_MAJOR * 10000 + SUGAR_VERSION_MINOR * 100 + SUGAR_VERSION_PATCH)
        return 2;
    if (y[1] != 0 || y[4] != 2 || !(dx[0] > 0.02f && dx[0] < 0.1f) || !(dx[2] > 0.91f && dx[2] < 0.92f))
        return 3;
    return sugar_activation_create(&activation, "rleu") == SUGAR_ERROR_SPEC
                   && strstr(sugar_last_error(), "relu") != NULL
               ? 0
               : 4;
}
