/* What several test programs share; see support.h. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014. */
uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t random_between(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)(random_bits(state) % ((uint64_t)(high - low) + 1));
}

static uint64_t bits_of(double value, size_t width)
{
    uint64_t bits = 0;
    if (width == 4) {
        float single = (float)value;
        uint32_t bits32;
        memcpy(&bits32, &single, sizeof bits32);
        bits = bits32;
    } else {
        memcpy(&bits, &value, sizeof bits);
    }
    return bits;
}

uint64_t random_element(uint64_t *state, size_t width)
{
    static const double special[] = {
        0.0, -0.0, (double)INFINITY, (double)-INFINITY, (double)NAN, 1.0, -1.0, 3.0, -3.0, 6.0, 0.5, -0.5,
    };
    uint64_t choice = random_bits(state) % 16;
    uint64_t any = random_bits(state) >> (width == 4 ? 32 : 0);
    uint64_t sign = (uint64_t)1 << (8 * width - 1);
    int mantissa_bits = width == 4 ? 23 : 52;
    if (choice == 0)
        return bits_of(special[any % (sizeof special / sizeof special[0])], width);
    if (choice == 1)    /* subnormal, of either sign */
        return any & (sign | (((uint64_t)1 << mantissa_bits) - 1));
    if (choice <= 4)    /* any bits at all, infinities and NaNs among them */
        return any;
    double scale = choice <= 8 ? 100.0 : 4.0;
    return bits_of(((double)(random_bits(state) >> 11) * 0x1p-52 - 1.0) * scale, width);
}

uint64_t element_load(const void *elements, int64_t index, size_t width)
{
    const char *at = (const char *)elements + index * (int64_t)width;
    uint32_t bits32;
    uint64_t bits64;
    if (width == 4) {
        memcpy(&bits32, at, sizeof bits32);
        return bits32;
    }
    memcpy(&bits64, at, sizeof bits64);
    return bits64;
}

void element_store(void *elements, int64_t index, size_t width, uint64_t bits)
{
    char *at = (char *)elements + index * (int64_t)width;
    uint32_t bits32 = (uint32_t)bits;
    if (width == 4)
        memcpy(at, &bits32, sizeof bits32);
    else
        memcpy(at, &bits, sizeof bits);
}

double element_value(uint64_t bits, size_t width)
{
    uint32_t bits32 = (uint32_t)bits;
    float single;
    double value;
    memcpy(&single, &bits32, sizeof single);
    memcpy(&value, &bits, sizeof value);
    return width == 4 ? (double)single : value;
}

int element_is_nan(uint64_t bits, size_t width)
{
    return isnan(element_value(bits, width));
}

int element_same(uint64_t a, uint64_t b, size_t width)
{
    if (a == b || (element_is_nan(a, width) && element_is_nan(b, width)))
        return 1;
    return element_value(a, width) == element_value(b, width) && getenv("SUGAR_TEST_ANY_ZERO") != NULL;
}

void give_up(const char *what, const char *detail)
{
    fprintf(stderr, "FAILED: %s: %s\n", what, detail);
    exit(EXIT_FAILURE);
}

guarded guarded_make(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (bytes + page - 1) / page * page;
    unsigned char *all = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, size, PROT_READ | PROT_WRITE) != 0)
        give_up("guarded memory", "the system gave none");
    return (guarded){all + page, size};
}

void guarded_free(guarded memory)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(memory.start - page, memory.size + 2 * page);
}

sugar_activation *must_create(const char *spec, const char *level)
{
    sugar_activation_options options = {.struct_size = sizeof options, .level = level};
    sugar_activation *activation = NULL;
    if (sugar_activation_create_ex(&activation, spec, strlen(spec), &options) != SUGAR_OK)
        give_up(spec, sugar_last_error());
    return activation;
}

int supported_levels(const char *names[MAX_LEVELS])
{
    int found = 0;
    for (int32_t i = 0; i < sugar_level_count(); i++) {
        sugar_level level = {.struct_size = sizeof level};
        if (sugar_level_get(i, &level) != SUGAR_OK)
            give_up("sugar_level_get", sugar_last_error());
        if (level.supported && found < MAX_LEVELS)
            names[found++] = level.name;
    }
    return found;
}

sugar_status flat_forward(const sugar_activation *activation, size_t width, int64_t n,
                          const void *x, int64_t incx, void *y, int64_t incy,
                          const sugar_call_options *options)
{
    return width == 4 ? sugar_forward_f32(activation, n, x, incx, y, incy, options)
                      : sugar_forward_f64(activation, n, x, incx, y, incy, options);
}

sugar_status flat_backward(const sugar_activation *activation, size_t width, int64_t n,
                           const void *x, int64_t incx, const void *dy, int64_t incdy,
                           void *dx, int64_t incdx, const sugar_call_options *options)
{
    return width == 4 ? sugar_backward_f32(activation, n, x, incx, dy, incdy, dx, incdx, options)
                      : sugar_backward_f64(activation, n, x, incx, dy, incdy, dx, incdx, options);
}

int short_run(void)
{
    return getenv("SUGAR_TEST_SHORT") != NULL;
}
