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

const element_format element_formats[ELEMENT_TYPES] = {
    [ELEMENT_F32] = {"f32", {SUGAR_TYPE_FLOAT, 32, 1}, 4, 23, 8},
    [ELEMENT_F64] = {"f64", {SUGAR_TYPE_FLOAT, 64, 1}, 8, 52, 11},
    [ELEMENT_F16] = {"f16", {SUGAR_TYPE_FLOAT, 16, 1}, 2, 10, 5},
    [ELEMENT_BF16] = {"bf16", {SUGAR_TYPE_BFLOAT, 16, 1}, 2, 7, 8},
};

static uint64_t sign_bit(element_type type) { return (uint64_t)1 << (8 * element_formats[type].width - 1); }

/* The bits of an infinity; those of a NaN are above. */
static uint64_t infinity_bits(element_type type)
{
    const element_format *f = &element_formats[type];
    return (((uint64_t)1 << f->exponent_bits) - 1) << f->mantissa_bits;
}

/* A number of a narrow type, by the definition of its format. The bits of infinity give the power of two that would be
 * the next number. */
static double short_magnitude(uint64_t bits, element_type type)
{
    const element_format *f = &element_formats[type];
    const uint64_t one = (uint64_t)1 << f->mantissa_bits, mantissa = bits & (one - 1);
    const int exponent = (int)(bits >> f->mantissa_bits), bias = (1 << (f->exponent_bits - 1)) - 1;
    return ldexp((double)(exponent ? mantissa | one : mantissa), (exponent ? exponent : 1) - bias - f->mantissa_bits);
}

/* The nearest number of a narrow type; of two that are as near, the one whose last bit is 0. All but the choice is
 * exact, in any mode. Numbers in [2^e, 2^(e+1)) are multiples of 2^(e - mantissa_bits), and so are those below for the
 * least e; the bits of two neighbours differ by 1. */
static uint64_t short_of(double value, element_type type)
{
    const element_format *f = &element_formats[type];
    const uint64_t sign = signbit(value) ? sign_bit(type) : 0, infinity = infinity_bits(type);
    const int bias = (1 << (f->exponent_bits - 1)) - 1;
    int exponent;
    if (isnan(value))
        return infinity | infinity >> 1;    /* quiet */
    if (value == 0)                         /* frexp gives it no exponent */
        return sign;
    if (fabs(value) >= short_magnitude(infinity, type))
        return sign | infinity;
    frexp(value, &exponent);
    exponent = exponent - 1 > 1 - bias ? exponent - 1 : 1 - bias;
    const double multiple = ldexp(fabs(value), f->mantissa_bits - exponent), below = floor(multiple);
    const double rest = multiple - below;
    const uint64_t count = (uint64_t)below + (rest > 0.5 || (rest == 0.5 && (uint64_t)below % 2 != 0));
    return sign | (((uint64_t)(exponent - 1 + bias) << f->mantissa_bits) + count);
}

uint64_t element_of(double value, element_type type)
{
    float single = (float)value;
    uint32_t bits32;
    uint64_t bits64;
    switch (type) {
    case ELEMENT_F32: memcpy(&bits32, &single, sizeof bits32); return bits32;
    case ELEMENT_F64: memcpy(&bits64, &value, sizeof bits64); return bits64;
    default: return short_of(value, type);
    }
}

uint64_t random_element(uint64_t *state, element_type type)
{
    static const double special[] = {
        0.0, -0.0, (double)INFINITY, (double)-INFINITY, (double)NAN, 1.0, -1.0, 3.0, -3.0, 6.0, 0.5, -0.5,
    };
    uint64_t choice = random_bits(state) % 16;
    uint64_t any = random_bits(state) >> (64 - 8 * element_formats[type].width);
    if (choice == 0)
        return element_of(special[any % (sizeof special / sizeof special[0])], type);
    if (choice == 1)    /* subnormal, of either sign */
        return any & (sign_bit(type) | (((uint64_t)1 << element_formats[type].mantissa_bits) - 1));
    if (choice <= 4)    /* any bits at all, infinities and NaNs among them */
        return any;
    double scale = choice <= 8 ? 100.0 : 4.0;
    return element_of(((double)(random_bits(state) >> 11) * 0x1p-52 - 1.0) * scale, type);
}

uint64_t element_load(const void *elements, int64_t index, element_type type)
{
    const size_t width = element_formats[type].width;
    const char *at = (const char *)elements + index * (int64_t)width;
    uint16_t bits16;
    uint32_t bits32;
    uint64_t bits64;
    switch (width) {
    case 2: memcpy(&bits16, at, sizeof bits16); return bits16;
    case 4: memcpy(&bits32, at, sizeof bits32); return bits32;
    default: memcpy(&bits64, at, sizeof bits64); return bits64;
    }
}

void element_store(void *elements, int64_t index, element_type type, uint64_t bits)
{
    const size_t width = element_formats[type].width;
    char *at = (char *)elements + index * (int64_t)width;
    uint16_t bits16 = (uint16_t)bits;
    uint32_t bits32 = (uint32_t)bits;
    switch (width) {
    case 2: memcpy(at, &bits16, sizeof bits16); break;
    case 4: memcpy(at, &bits32, sizeof bits32); break;
    default: memcpy(at, &bits, sizeof bits); break;
    }
}

double element_value(uint64_t bits, element_type type)
{
    const uint64_t magnitude = bits & ~sign_bit(type);
    uint32_t bits32 = (uint32_t)bits;
    float single;
    double value;
    switch (type) {
    case ELEMENT_F32: memcpy(&single, &bits32, sizeof single); return (double)single;
    case ELEMENT_F64: memcpy(&value, &bits, sizeof value); return value;
    default:
        value = magnitude > infinity_bits(type)    ? (double)NAN
                : magnitude == infinity_bits(type) ? (double)INFINITY
                                                   : short_magnitude(magnitude, type);
        return bits & sign_bit(type) ? -value : value;
    }
}

int element_is_nan(uint64_t bits, element_type type) { return (bits & ~sign_bit(type)) > infinity_bits(type); }

int element_same(uint64_t a, uint64_t b, element_type type)
{
    if (a == b || (element_is_nan(a, type) && element_is_nan(b, type)))
        return 1;
    return element_value(a, type) == element_value(b, type) && getenv("SUGAR_TEST_ANY_ZERO") != NULL;
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

const double example_table[3 * EXAMPLE_KNOTS] = {
    -4,   -0.5,  0.0625,    /* knot, value, slope */
    -1,   -0.25, 0.125,     /* */
    0,    0,     0x1.19999ap-1, /* no product with it is in the middle between two elements */
    1,    0.75,  0.875,     /* */
    1.75, 1.5,   1.125,     /* */
    3,    2.75,  1,
};

sugar_status create_any(sugar_activation **activation, const char *spec, const char *level)
{
    sugar_activation_options options = {.struct_size = sizeof options, .level = level};
    if (strstr(spec, "table")) {
        options.table = example_table;
        options.table_knots = EXAMPLE_KNOTS;
    }
    return sugar_activation_create_with_options(activation, spec, strlen(spec), &options);
}

sugar_activation *must_create(const char *spec, const char *level)
{
    sugar_activation *activation = NULL;
    if (create_any(&activation, spec, level) != SUGAR_OK)
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

sugar_status flat_forward(const sugar_activation *activation, element_type type, int64_t n, const void *x, int64_t incx,
                          void *y, int64_t incy, const sugar_call_options *options)
{
    switch (type) {
    case ELEMENT_F32: return sugar_forward_f32(activation, n, x, incx, y, incy, options);
    case ELEMENT_F64: return sugar_forward_f64(activation, n, x, incx, y, incy, options);
    case ELEMENT_F16: return sugar_forward_f16(activation, n, x, incx, y, incy, options);
    default: return sugar_forward_bf16(activation, n, x, incx, y, incy, options);
    }
}

sugar_status flat_backward(const sugar_activation *activation, element_type type, int64_t n, const void *x,
                           int64_t incx, const void *dy, int64_t incdy, void *dx, int64_t incdx,
                           const sugar_call_options *options)
{
    switch (type) {
    case ELEMENT_F32: return sugar_backward_f32(activation, n, x, incx, dy, incdy, dx, incdx, options);
    case ELEMENT_F64: return sugar_backward_f64(activation, n, x, incx, dy, incdy, dx, incdx, options);
    case ELEMENT_F16: return sugar_backward_f16(activation, n, x, incx, dy, incdy, dx, incdx, options);
    default: return sugar_backward_bf16(activation, n, x, incx, dy, incdy, dx, incdx, options);
    }
}

int short_run(void) { return getenv("SUGAR_TEST_SHORT") != NULL; }
