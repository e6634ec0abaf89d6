/* Monitors: the saved form, whole and damaged. */
#include "monitors.h"

/* CRC-32 by its definition, bit by bit. */
static uint32_t crc(const unsigned char *bytes, size_t size)
{
    uint32_t rest = 0xffffffff;
    for (size_t i = 0; i < 8 * size; i++) {
        const uint32_t bit = (rest ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;
        rest = rest >> 1 ^ (bit ? 0xedb88320 : 0);
    }
    return ~rest;
}

static void sign(saved *s)
{
    const uint32_t sum = crc(s->bytes, s->size - 4);
    for (int i = 0; i < 4; i++)
        s->bytes[s->size - 4 + (size_t)i] = (unsigned char)(sum >> 8 * i);
}

static void assert_refused(const void *bytes, size_t size, sugar_status expected, const char *part)
{
    sugar_monitor *made = NULL;
    assert_fails(sugar_monitor_restore(&made, bytes, size), expected, part);
    assert_null(made);
}

static const int64_t fed_shape[] = {60, 5, 1};

static sugar_monitor *make_fed(void)
{
    uint64_t state = 5;
    view x;
    sugar_monitor *monitor = make_monitor(5, 1, 0.25);
    fill_input(&state, ELEMENT_F32, true);
    view_make(&x, &input, 4, 3, fed_shape, NULL);
    assert_ok(sugar_monitor_observe(monitor, &x.tensor, NULL));
    return monitor;
}

static void round_trip(void **unused)
{
    (void)unused;
    static const unsigned char head[] = {'S', 'U', 'G', 'A', 'R', 'm', 'o',  'n',  3, 0, 0,  0, 1, 0, 0,    0,   32, 0,
                                         0,   0,   5,   0,   0,   0,   0,    0,    0, 0, 60, 0, 0, 0, 0,    0,   0,  0,
                                         0,   0,   0,   0,   0,   0,   0xd0, 0x3f, 0, 0, 0,  0, 0, 0, 0x20, 0xc0};
    sugar_monitor *monitor = make_fed(), *restored = copy_monitor(monitor);
    assert_int_equal(crc((const unsigned char *)"123456789", 9), 0xcbf43926);   /* the standard's check value */
    const saved s = save_monitor(restored);
    sugar_monitor_summary summary = {.struct_size = sizeof summary};
    assert_ok(sugar_monitor_get(restored, &summary));
    assert_true(summary.axis_from_end == 1 && summary.bins == SUGAR_MONITOR_BINS);
    assert_same_monitors(restored, monitor);
    assert_memory_equal(s.bytes, head, sizeof head);
    assert_int_equal(s.size, 348 + 5 * 32 + 4);
    /* The restored monitor goes on counting like the original. */
    view x;
    view_make(&x, &input, 4, 3, fed_shape, NULL);
    assert_ok(sugar_monitor_observe(monitor, &x.tensor, NULL));
    assert_ok(sugar_monitor_observe(restored, &x.tensor, NULL));
    assert_same_monitors(restored, monitor);
    assert_ok(sugar_monitor_merge(monitor, restored));
    /* A buffer at any address. */
    unsigned char *odd = malloc(s.size + 1);
    sugar_monitor *again = NULL;
    memcpy(odd + 1, s.bytes, s.size);
    assert_ok(sugar_monitor_restore(&again, odd + 1, s.size));
    assert_holds(again, &s);
    free(odd);
    free(s.bytes);
    sugar_monitor_destroy(monitor);
    sugar_monitor_destroy(restored);
    sugar_monitor_destroy(again);
}

static void damage_is_refused(void **unused)
{
    (void)unused;
    sugar_monitor *monitor = make_fed(), *made = NULL;
    const saved s = save_monitor(monitor);
    unsigned char *longer = calloc(1, s.size + 8);
    for (size_t i = 0; i < s.size; i++)
        for (int bit = 0; bit < 9; bit++) {     /* each bit alone, and all of them */
            const unsigned char flip = (unsigned char)(bit < 8 ? 1 << bit : 0xff);
            s.bytes[i] ^= flip;
            assert_refused(s.bytes, s.size, SUGAR_ERROR_DATA, i < 8 ? "no saved monitor" : "checksum 0x");
            s.bytes[i] ^= flip;
        }
    for (size_t size = 0; size < s.size; size++) {
        unsigned char *cut = malloc(size + (size == 0));      /* no larger, so that sanitizers see reads beyond */
        memcpy(cut, s.bytes, size);
        assert_refused(cut, size, SUGAR_ERROR_DATA, "buffer: ");
        free(cut);
    }
    memcpy(longer, s.bytes, s.size);
    for (size_t more = 1; more <= 8; more++)
        assert_refused(longer, s.size + more, SUGAR_ERROR_DATA, "too long");
    assert_ok(sugar_monitor_restore(&made, s.bytes, s.size));
    assert_fails(sugar_monitor_restore(NULL, s.bytes, s.size), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    assert_refused(NULL, s.size, SUGAR_ERROR_ARGUMENT, "buffer: NULL");
    free(longer);
    free(s.bytes);
    sugar_monitor_destroy(made);
    sugar_monitor_destroy(monitor);
}

/* Bytes with a right checksum that no monitor is saved as. */
static void contradictions_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        size_t at;
        unsigned char bytes[8];
        int count;
        sugar_status status;
        const char *part;
    } wrong[] = {
        {8, {1}, 1, SUGAR_ERROR_UNSUPPORTED, "version 1, expected 3: saved by an older libsugar"},
        {8, {2}, 1, SUGAR_ERROR_UNSUPPORTED, "version 2, expected 3: saved by an older libsugar"},
        {8, {4}, 1, SUGAR_ERROR_UNSUPPORTED, "version 4, expected 3: saved by a newer libsugar"},
        {12, {64}, 1, SUGAR_ERROR_DATA, "axis_from_end 64"},
        {15, {0x80}, 1, SUGAR_ERROR_DATA, "axis_from_end -2147483647"},
        {16, {0}, 1, SUGAR_ERROR_UNSUPPORTED, "buffer: bins 0, expected 32"},
        {16, {33}, 1, SUGAR_ERROR_UNSUPPORTED, "buffer: bins 33, expected 32"},
        {20, {6}, 1, SUGAR_ERROR_DATA, "a size that contradicts the units"},
        {20, {0}, 1, SUGAR_ERROR_DATA, "a size that contradicts the units"},
        {20, {5, 0, 0, 0, 0, 0, 0, 8}, 8, SUGAR_ERROR_DATA, "a size that contradicts the units"},
        {28, {59}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {28, {0, 0, 0, 0, 0, 0, 0, 0x80}, 8, SUGAR_ERROR_DATA, "negative samples"},
        {28, {0, 0, 0, 0, 0, 0, 0, 0x7f}, 8, SUGAR_ERROR_DATA, "expected at most 2^63 - 1"},
        {42, {0xf0, 0x7f}, 2, SUGAR_ERROR_DATA, "threshold infinity"},
        {50, {0xf8, 0x7f}, 2, SUGAR_ERROR_DATA, "minimum NaN"},
        {58, {0x30, 0xc0}, 2, SUGAR_ERROR_DATA, "expected a maximum"},
        {67, {0x80}, 1, SUGAR_ERROR_DATA, "every -9223372036854775807"},
        {68, {1}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {75, {0x80}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {76, {0}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {83, {0x80}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {84, {0}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {84, {2}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {91, {0x80}, 1, SUGAR_ERROR_DATA, "calls that contradict"},
        {99, {0x80}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {98, {1}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {348, {61}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {355, {0xff}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {356, {61}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
        {363, {0xff}, 1, SUGAR_ERROR_DATA, "counts that contradict"},
    };
    sugar_monitor *monitor = make_fed();
    for (size_t i = 0; i < COUNT(wrong); i++) {
        saved s = save_monitor(monitor);
        memcpy(s.bytes + wrong[i].at, wrong[i].bytes, (size_t)wrong[i].count);
        sign(&s);
        assert_refused(s.bytes, s.size, wrong[i].status, wrong[i].part);
        free(s.bytes);
    }
    sugar_monitor_destroy(monitor);
}

/* No calls after 2^63 - 1, which only a forged buffer can have. */
static void calls_do_not_overflow(void **unused)
{
    (void)unused;
    view x;
    view_make(&x, &input, 4, 3, fed_shape, NULL);
    sugar_monitor *fed = make_fed();
    for (unsigned char every = 1; every <= 2; every++) {
        saved s = save_monitor(fed);
        s.bytes[60] = every;
        s.bytes[68] = every - 1;
        memcpy(s.bytes + 76, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
        sign(&s);
        sugar_monitor *full = NULL;
        assert_ok(sugar_monitor_restore(&full, s.bytes, s.size));
        assert_fails(sugar_monitor_observe(full, &x.tensor, NULL), SUGAR_ERROR_VALUE, "calls and 1 more, expected at");
        assert_fails(sugar_monitor_merge(full, fed), SUGAR_ERROR_VALUE, "calls and 1 more, expected at most 2^63 - 1");
        assert_holds(full, &s);
        free(s.bytes);
        sugar_monitor_destroy(full);
    }
    sugar_monitor_destroy(fed);
}

/* The form of version 1, whose axis meant something else: a monitor of one unit is shorter in it than in any form
 * that can be read. */
static void older_form_is_refused(void **unused)
{
    (void)unused;
    unsigned char older[56 + 8 * SUGAR_MONITOR_BINS + 32 + 4] = {'S', 'U', 'G', 'A', 'R', 'm', 'o', 'n', 1};
    older[16] = 1;      /* its units */
    sign(&(saved){.size = sizeof older, .bytes = older});
    assert_refused(older, sizeof older, SUGAR_ERROR_UNSUPPORTED,
                   "buffer: version 1, expected 3: saved by an older libsugar");
}

static void save_refuses(void **unused)
{
    (void)unused;
    sugar_monitor *monitor = make_fed();
    unsigned char buffer[348 + 5 * 32 + 4] = {0}, zeros[sizeof buffer] = {0};
    assert_int_equal(sugar_monitor_save_size(NULL), 0);
    assert_fails(sugar_monitor_save(NULL, buffer, sizeof buffer), SUGAR_ERROR_ARGUMENT, "monitor: NULL");
    assert_fails(sugar_monitor_save(monitor, NULL, sizeof buffer), SUGAR_ERROR_ARGUMENT, "buffer: NULL");
    assert_fails(sugar_monitor_save(monitor, buffer, sizeof buffer - 1), SUGAR_ERROR_ARGUMENT,
                 "capacity: 511 bytes, expected 512 or more");
    assert_memory_equal(buffer, zeros, sizeof buffer);
    assert_ok(sugar_monitor_save(monitor, buffer, sizeof buffer));
    sugar_monitor_destroy(monitor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(calls_do_not_overflow),
        cmocka_unit_test(older_form_is_refused),
        cmocka_unit_test(save_refuses),
    };
    return cmocka_run_group_tests_name("monitor saved", tests, NULL, NULL);
}
