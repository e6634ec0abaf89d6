/* See monitors.h. */
#include "monitors.h"

#include <math.h>

const sugar_monitor_options halves = {.struct_size = sizeof halves, .minimum = -8, .maximum = 7};
elements input, output, plain;

sugar_monitor *make_monitor(int64_t units, int32_t axis_from_end, double threshold)
{
    sugar_monitor *monitor = NULL;
    sugar_monitor_options options = halves;
    options.axis_from_end = axis_from_end;
    options.threshold = threshold;
    assert_ok(sugar_monitor_create(&monitor, units, &options));
    return monitor;
}

saved save_monitor(const sugar_monitor *monitor)
{
    saved s = {.size = sugar_monitor_save_size(monitor)};
    s.bytes = malloc(s.size);
    assert_non_null(s.bytes);
    assert_ok(sugar_monitor_save(monitor, s.bytes, s.size));
    return s;
}

void assert_holds(const sugar_monitor *monitor, const saved *expected)
{
    const saved s = save_monitor(monitor);
    assert_int_equal(s.size, expected->size);
    assert_memory_equal(s.bytes, expected->bytes, s.size);
    free(s.bytes);
}

void assert_same_monitors(const sugar_monitor *a, const sugar_monitor *b)
{
    const saved s = save_monitor(b);
    assert_holds(a, &s);
    free(s.bytes);
}

sugar_monitor *copy_monitor(const sugar_monitor *monitor)
{
    const saved s = save_monitor(monitor);
    sugar_monitor *made = NULL;
    assert_ok(sugar_monitor_restore(&made, s.bytes, s.size));
    free(s.bytes);
    return made;
}

void fill_input(uint64_t *state, element_type type, bool strange)
{
    for (int64_t i = 0; i < ROOM; i++) {
        const int64_t chance = strange ? random_between(state, 0, 99) : 99;
        const double value = chance == 0   ? (double)NAN
                             : chance == 1 ? (double)INFINITY
                             : chance == 2 ? -(double)INFINITY
                                           : (double)random_between(state, -256, 256) / 16;
        element_store(&input, i, type, element_of(value, type));
    }
}
