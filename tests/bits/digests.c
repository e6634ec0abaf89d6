/* One digest per function, direction and element type over a fixed set of inputs, compared with the
 * stored ones at every level this machine has: the same bits everywhere.
 *
 *     digests FILE [--update] [--require LEVEL | --only LEVEL] [--modes]
 *
 * FILE has one line per row: spec, direction, element type, digest. --update writes it anew from the
 * scalar level. --require fails if the machine cannot run LEVEL; --only looks at no other level. --modes makes all
 * calls in each floating-point mode that differs from the default one. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/float_mode.h"
#include "digests.h"

/* Besides every kind with its defaults: parameters, mixtures and a threshold. */
static const char *const further_specs[] = {
    "threshold(threshold=-0.5,value=2.25)",
    "elu(alpha=0.3)",
    "celu(alpha=1.7)",
    "silu(beta=2.5)",
    "softplus(beta=0.75)",
    "squareplus(b=0.1)",
    "relu~bsilu(alpha=3.1,domain=negative)",
    "relu~silu(blend=0.3)",
    "gelu~mish(domain=negative,blend=0.7)",
    "heaviside(threshold=0.7)~multi_gaussian_spike",
    "sign~atan_spike(alpha=3,blend=0.25)",
};

/* ---- Inputs: whole numbers only until the last step, so that they are the same everywhere. ---- */

static void add(inputs *in, uint64_t bits)
{
    if (in->count == MAX_INPUTS)
        give_up("digests", "MAX_INPUTS is too small");
    element_store(in->x, in->count++, in->type, bits);
}

/* index * 2^-scale, exact for the numbers below. */
static void add_fraction(inputs *in, int64_t index, int scale)
{
    add(in, element_of((double)index / (double)((int64_t)1 << scale), in->type));
}

static void add_exponents(inputs *in, uint64_t *state)
{
    const element_format *format = &element_formats[in->type];
    int exponents = 1 << format->exponent_bits, each = 8192 / exponents;
    uint64_t mantissa_mask = ((uint64_t)1 << format->mantissa_bits) - 1;
    for (int exponent = 0; exponent < exponents; exponent++)
        for (int sign = 0; sign <= 1; sign++) {
            uint64_t base = (uint64_t)(exponent + sign * exponents) << format->mantissa_bits;
            add(in, base);
            add(in, base | 1);
            add(in, base | mantissa_mask);
            for (int i = 0; i < each; i++)
                add(in, base | (random_bits(state) & mantissa_mask));
        }
}

/* Every f16 or bf16 there is. */
static void add_all(inputs *in)
{
    for (uint64_t bits = 0; bits <= UINT16_MAX; bits++)
        add(in, bits);
}

static void add_many(inputs *in, uint64_t *state)
{
    add_exponents(in, state);                           /* all exponents, zeros, infinities, NaNs */
    for (int64_t i = -128 * 128; i <= 128 * 128; i++)   /* [-128, 128] in steps of 1/128 */
        add_fraction(in, i, 7);
    for (int64_t i = -8 * 1024; i <= 8 * 1024; i++)     /* [-8, 8] in steps of 1/1024 */
        add_fraction(in, i, 10);
    for (int i = 0; i < 8192; i++)                      /* (-16, 16), with full mantissas */
        add_fraction(in, random_between(state, -(1 << 23), 1 << 23), 19);
}

static void make_inputs(inputs *in, element_type type)
{
    uint64_t state = 2505;
    in->type = type;
    in->count = 0;
    if (element_formats[type].width == sizeof(uint16_t))
        add_all(in);
    else
        add_many(in, &state);
    for (int64_t i = 0; i < in->count; i++) {
        element_store(in->dy, i, type, random_element(&state, type));
        element_store(in->dx, i, type, random_element(&state, type));
    }
}

/* ---- Digests ---------------------------------------------------------------------------------- */

static uint64_t fold(uint64_t hash, uint64_t byte) { return (hash ^ byte) * 0x100000001b3u; }
#define HASH_START 0xcbf29ce484222325u

uint64_t digest(const void *elements, int64_t count, element_type type)
{
    uint64_t hash = HASH_START;
    const uint64_t quiet_nan = element_of((double)NAN, type);
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = element_load(elements, i, type);
        if (element_is_nan(bits, type))
            bits = quiet_nan;
        for (size_t byte = 0; byte < element_formats[type].width; byte++)
            hash = fold(hash, bits >> (8 * byte) & 0xff);
    }
    return hash;
}

uint64_t digest_bytes(const void *bytes, size_t count)
{
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < count; i++)
        hash = fold(hash, ((const unsigned char *)bytes)[i]);
    return hash;
}

void add_row(table *t, const char *spec, const char *direction, element_type type, uint64_t value)
{
    if (t->count == MAX_ROWS)
        give_up("digests", "MAX_ROWS is too small");
    row *r = &t->rows[t->count++];
    snprintf(r->name, sizeof r->name, "%s %s %s", spec, direction, element_formats[type].name);
    r->digest = value;
}

static int mode = -1;               /* the mode in which calls are made; -1: the default one */

void enter_mode(void)
{
    if (mode >= 0)
        float_mode_enter(mode);
}

static void leave_mode(void)
{
    if (mode >= 0 && !float_mode_leave(mode))
        give_up(float_mode_name(mode), "a call has left another floating-point mode");
}

void check_status(sugar_status status)
{
    leave_mode();
    if (status != SUGAR_OK)
        give_up("digests", sugar_last_error());
}

sugar_activation *create_in_mode(const char *spec, const char *level)
{
    enter_mode();
    sugar_activation *activation = must_create(spec, level);
    leave_mode();
    return activation;
}

/* g'', with any v and dy = 1. */
static void digest_second(table *t, const char *spec, const sugar_activation *activation, const inputs *in, void *out)
{
    static const int64_t repeated = 0;
    _Alignas(8) unsigned char one[sizeof(double)];
    element_store(one, 0, in->type, element_of(1, in->type));
    const sugar_tensor x = {.data = (void *)(uintptr_t)in->x,
                            .device = {SUGAR_DEVICE_CPU, 0},
                            .ndim = 1,
                            .dtype = element_formats[in->type].dtype,
                            .shape = &in->count};
    sugar_tensor dy = x, v = x, dx = x;
    dy.data = one;
    dy.strides = &repeated;
    v.data = (void *)(uintptr_t)in->dy;
    dx.data = out;
    check_call(sugar_backward_twice(activation, &x, &dy, &v, NULL, &dx, NULL));
    add_row(t, spec, "second", in->type, digest(out, in->count, in->type));
}

/* The rows of one spec: the value, the derivative (dy = 1), dx added up with any dy, and the second derivative. */
static void digest_spec(table *t, const char *spec, const char *level, const inputs *in)
{
    static _Alignas(8) unsigned char out[MAX_INPUTS * 8];
    _Alignas(8) unsigned char one[sizeof(double)];
    const sugar_call_options accumulate = {.struct_size = sizeof accumulate, .flags = SUGAR_CALL_ACCUMULATE};
    sugar_activation *activation = create_in_mode(spec, level);
    element_store(one, 0, in->type, element_of(1, in->type));
    check_call(flat_forward(activation, in->type, in->count, in->x, 1, out, 1, NULL));
    add_row(t, spec, "forward", in->type, digest(out, in->count, in->type));
    check_call(flat_backward(activation, in->type, in->count, in->x, 1, one, 0, out, 1, NULL));
    add_row(t, spec, "backward", in->type, digest(out, in->count, in->type));
    memcpy(out, in->dx, sizeof out);
    check_call(flat_backward(activation, in->type, in->count, in->x, 1, in->dy, 1, out, 1, &accumulate));
    add_row(t, spec, "accumulate", in->type, digest(out, in->count, in->type));
    sugar_activation_info info = {.struct_size = sizeof info};
    check_call(sugar_activation_get_info(activation, &info));
    if (info.capabilities & SUGAR_CAN_DIFFERENTIATE_TWICE)
        digest_second(t, spec, activation, in, out);
    sugar_activation_destroy(activation);
}

static void compute(table *t, const char *level)
{
    static inputs in;
    t->count = 0;
    for (element_type type = 0; type < ELEMENT_TYPES; type++) {
        make_inputs(&in, type);
        for (int32_t i = 0; i < sugar_kind_count(); i++) {
            char spec[80];
            sugar_kind kind = {.struct_size = sizeof kind};
            check_call(sugar_kind_get(i, &kind));
            snprintf(spec, sizeof spec, "%s%s", kind.roles & SUGAR_ROLE_FORWARD ? "" : "heaviside~", kind.name);
            digest_spec(t, spec, level, &in);
            digest_extended(t, spec, kind.capabilities, level, &in);
        }
        for (size_t i = 0; i < sizeof further_specs / sizeof further_specs[0]; i++)
            digest_spec(t, further_specs[i], level, &in);
        digest_monitor(t, level, &in);
        digest_fused(t, level, &in);
    }
}

/* ---- The stored table ------------------------------------------------------------------------- */

static void read_table(table *t, const char *path)
{
    char line[256];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        give_up(path, "cannot be read; --update makes it");
    t->count = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        row r;
        char spec[80], direction[24], type[8];
        if (t->count == MAX_ROWS || sscanf(line, "%79s %23s %7s %16" SCNx64, spec, direction, type, &r.digest) != 4)
            give_up(path, "a line does not hold a spec, a direction, a type and a digest, or there are too many");
        snprintf(r.name, sizeof r.name, "%s %s %s", spec, direction, type);
        t->rows[t->count++] = r;
    }
    fclose(file);
}

static void write_table(const table *t, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        give_up(path, "cannot be written");
    for (int i = 0; i < t->count; i++)
        fprintf(file, "%s %016" PRIx64 "\n", t->rows[i].name, t->rows[i].digest);
    if (fclose(file) != 0)
        give_up(path, "cannot be written");
    printf("wrote %d rows to %s\n", t->count, path);
}

static const row *find(const table *t, const char *name)
{
    for (int i = 0; i < t->count; i++)
        if (strcmp(t->rows[i].name, name) == 0)
            return &t->rows[i];
    return NULL;
}

/* Prints every difference between the two tables; returns how many there are. */
static int compare(const table *stored, const table *found, const char *level)
{
    int differences = 0;
    for (int i = 0; i < found->count; i++) {
        const row *f = &found->rows[i], *s = find(stored, f->name);
        if (s != NULL && s->digest == f->digest)
            continue;
        differences++;
        if (s == NULL)
            printf("FAILED: %s, %s: no stored digest; --update stores those of the scalar level\n", level, f->name);
        else
            printf("FAILED: %s, %s: digest %016" PRIx64 ", stored %016" PRIx64 "\n", level, f->name, f->digest,
                   s->digest);
    }
    for (int i = 0; i < stored->count; i++)
        if (find(found, stored->rows[i].name) == NULL) {
            printf("FAILED: %s, %s: stored, but nothing makes it\n", level, stored->rows[i].name);
            differences++;
        }
    return differences;
}

static int has_level(const char *const *levels, int level_count, const char *wanted)
{
    for (int i = 0; i < level_count; i++)
        if (strcmp(levels[i], wanted) == 0)
            return 1;
    return 0;
}

/* Returns how many levels have digests that differ from the stored ones. */
static int compare_levels(const table *stored, const char *const *levels, int level_count)
{
    static table found;
    int failed = 0;
    for (int i = 0; i < level_count; i++) {
        compute(&found, levels[i]);
        int differences = compare(stored, &found, levels[i]);
        printf("level %-8s mode %-12s %d rows, %d differ from the stored ones\n", levels[i],
               mode < 0 ? "default" : float_mode_name(mode), found.count, differences);
        fflush(stdout);             /* an exception may end the program */
        failed += differences != 0;
    }
    return failed;
}

int main(int argc, char **argv)
{
    static table stored, found;
    const char *levels[MAX_LEVELS];
    int level_count = supported_levels(levels), in_modes = 0, checked = 0, failed = 0;
    if (argc < 2)
        give_up("usage", "digests FILE [--update] [--require LEVEL | --only LEVEL] [--modes]");
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--update") == 0) {
            compute(&found, "scalar");
            write_table(&found, argv[1]);
        } else if ((strcmp(argv[i], "--require") == 0 || strcmp(argv[i], "--only") == 0) && i + 1 < argc) {
            if (!has_level(levels, level_count, argv[i + 1]))
                give_up(argv[i + 1], "this machine cannot run this level");
            if (strcmp(argv[i++], "--only") == 0) {
                levels[0] = argv[i];
                level_count = 1;
            }
        } else if (strcmp(argv[i], "--modes") == 0) {
            in_modes = 1;
        } else {
            give_up(argv[i], "unknown argument");
        }
    }
    read_table(&stored, argv[1]);
    for (mode = in_modes ? 0 : -1; mode < (in_modes ? float_mode_count() : 0); mode++) {
        if (in_modes && !(float_mode_enter(mode) && float_mode_leave(mode))) {
            printf("this machine does not have the mode %s\n", float_mode_name(mode));
            continue;
        }
        checked += level_count;
        failed += compare_levels(&stored, levels, level_count);
    }
    printf("%d passed, %d failed\n", checked - failed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
