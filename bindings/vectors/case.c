/* Makes cases, runs them, writes them. */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const role_names[ROLES] = {
    "x",
    "y",
    "dy",
    "dx",
    "v",
    "ddy",
    "parameter",
    "parameter_gradient",
    "saved_gradient",
    "bias",
    "bias_gradient",
    "gate",
    "gate_gradient",
};

static int cases;
static uint64_t state = 5;

int case_count(void) { return cases; }

/* ---- Making -------------------------------------------------------------------------------- */

vector_case *case_new(const char *what, const char *call, const char *spec, element_type type)
{
    vector_case *c = calloc(1, sizeof *c);
    if (!c)
        give_up("case_new", "no memory");
    c->what = what;
    c->call = call;
    c->spec = spec;
    c->type = type;
    c->options.struct_size = sizeof c->options;
    c->random.struct_size = sizeof c->random;
    c->monitor_options.struct_size = sizeof c->monitor_options;
    return c;
}

static size_t width_of(int type) { return type < BYTES ? element_formats[type].width : 1; }

static sugar_data_type dtype_of(int type)
{
    if (type < BYTES)
        return element_formats[type].dtype;
    return (sugar_data_type){.code = SUGAR_TYPE_UNSIGNED, .bits = type == BITS ? 1 : 8, .lanes = 1};
}

static memory *case_memory(vector_case *c, int type, int64_t count)
{
    memory *m = &c->memories[c->memory_count++];
    m->type = type == BITS ? BYTES : type;
    m->count = (size_t)count;
    if (count < 0 || m->count * width_of(type) > MAX_BYTES)
        give_up(c->what, "an operand is too large");
    for (int64_t i = 0; i < count; i++) {
        if (m->type < BYTES)
            element_store(m->before, i, (element_type)type, random_element(&state, (element_type)type));
        else
            m->before[i] = (unsigned char)random_bits(&state);
    }
    return m;
}

/* The indices of the lowest and of the highest element, from the first one; no element: none between them. */
static void span(const layout *l, int64_t *low, int64_t *high)
{
    *low = *high = 0;
    int64_t compact = 1;
    for (int i = l->rank - 1; i >= 0; i--) {
        const int64_t stride = l->compact ? compact : l->strides[i];
        const int64_t reach = (l->shape[i] - 1) * stride;
        *(reach < 0 ? low : high) += l->shape[i] > 0 ? reach : 0;
        compact *= l->shape[i];
    }
}

operand *case_tensor(vector_case *c, role r, int type, const layout *l)
{
    int64_t low, high;
    span(l, &low, &high);
    const int64_t elements = high - low + 1;
    case_memory(c, type, 2 + (type == BITS ? (elements + 7) / 8 : elements));
    operand *o = &c->operands[r];
    *o = (operand){.present = 1, .memory = c->memory_count - 1, .strided = !l->compact};
    memcpy(o->shape, l->shape, sizeof o->shape);
    memcpy(o->strides, l->strides, sizeof o->strides);
    o->tensor = (sugar_tensor){.device = {.device_type = SUGAR_DEVICE_CPU}, .ndim = l->rank, .dtype = dtype_of(type)};
    const size_t first = (size_t)(1 - low) * width_of(type);
    if (l->byte_offset)
        o->tensor.byte_offset = first;
    else
        o->data = first;
    return o;
}

operand *case_vector(vector_case *c, role r, int64_t n, int64_t step)
{
    const int64_t last = n > 0 ? (n - 1) * (step < 0 ? -step : step) : 0;
    case_memory(c, (int)c->type, last + 3);
    operand *o = &c->operands[r];
    *o = (operand){.present = 1, .memory = c->memory_count - 1, .data = width_of((int)c->type), .step = step};
    o->tensor.dtype = dtype_of((int)c->type);
    return o;
}

operand *case_share(vector_case *c, role r, role same_as)
{
    c->operands[r] = c->operands[same_as];
    return &c->operands[r];
}

void case_fill(vector_case *c, role r, double low, double high)
{
    memory *m = &c->memories[c->operands[r].memory];
    for (size_t i = 0; i < m->count; i++) {
        const double share = (double)random_between(&state, 0, 32) / 32;
        element_store(m->before, (int64_t)i, (element_type)m->type,
                      element_of(low + (high - low) * share, (element_type)m->type));
    }
}

/* ---- Running ------------------------------------------------------------------------------- */

typedef struct answer {
    sugar_status status;
    sugar_activation *activation;       /* after a create that did not fail */
    sugar_monitor *monitor;
} answer;

static void *start_of(vector_case *c, const operand *o)
{
    return o->present && o->memory >= 0 ? c->memories[o->memory].after + o->data : NULL;
}

/* The tensor of an operand; NULL if it has none. */
static const sugar_tensor *tensor_of(vector_case *c, role r)
{
    operand *o = &c->operands[r];
    if (!o->present)
        return NULL;
    o->tensor.data = start_of(c, o);
    o->tensor.shape = o->shape;
    o->tensor.strides = o->strided ? o->strides : NULL;
    return &o->tensor;
}

/* Whether the call takes vectors: whether the name ends with an element type. */
static int takes_vectors(const vector_case *c)
{
    const char *type = strrchr(c->call, '_');
    return type && strcmp(type + 1, element_formats[c->type].name) == 0;
}

static sugar_status call_on_vectors(vector_case *c, const sugar_activation *activation)
{
    const operand *o = c->operands;
    if (strncmp(c->call, "forward", 7) == 0)
        return flat_forward(activation, c->type, c->n, start_of(c, &o[X]), o[X].step, start_of(c, &o[Y]), o[Y].step,
                            &c->options);
    return flat_backward(activation, c->type, c->n, start_of(c, &o[X]), o[X].step, start_of(c, &o[DY]), o[DY].step,
                         start_of(c, &o[DX]), o[DX].step, &c->options);
}

/* Sets the pointers of the options, but for the monitor. */
static void point_options(vector_case *c)
{
    c->options.parameter = tensor_of(c, PARAMETER);
    c->options.parameter_gradient = tensor_of(c, PARAMETER_GRADIENT);
    c->options.saved_gradient = tensor_of(c, SAVED_GRADIENT);
    c->options.random = c->draws ? &c->random : NULL;
    c->options.bias = tensor_of(c, BIAS);
    c->options.bias_gradient = tensor_of(c, BIAS_GRADIENT);
    c->options.gate = tensor_of(c, GATE);
    c->options.gate_gradient = tensor_of(c, GATE_GRADIENT);
}

static answer run(vector_case *c)
{
    answer a = {.status = SUGAR_OK};
    for (int i = 0; i < c->memory_count; i++)
        memcpy(c->memories[i].after, c->memories[i].before, MAX_BYTES);
    if (c->spec) {
        const sugar_activation_options options = {
            .struct_size = sizeof options, .level = c->level, .table = c->table, .table_knots = c->table_knots};
        a.status = sugar_activation_create_with_options(&a.activation, c->spec, strlen(c->spec), &options);
    }
    if (strcmp(c->call, "create") == 0)
        return a;
    if (a.status != SUGAR_OK || (c->monitored && sugar_monitor_create(&a.monitor, c->units, &c->monitor_options)))
        give_up(c->what, sugar_last_error());
    point_options(c);
    if (strcmp(c->call, "observe") == 0) {
        a.status = sugar_monitor_observe(a.monitor, tensor_of(c, X), &c->options);
        return a;
    }
    c->options.monitor = a.monitor;
    if (strcmp(c->call, "forward") == 0)
        a.status = sugar_forward(a.activation, tensor_of(c, X), tensor_of(c, Y), &c->options);
    else if (strcmp(c->call, "backward") == 0)
        a.status = sugar_backward(a.activation, tensor_of(c, X), tensor_of(c, DY), tensor_of(c, DX), &c->options);
    else if (takes_vectors(c))
        a.status = call_on_vectors(c, a.activation);
    else
        a.status = sugar_backward_twice(a.activation, tensor_of(c, X), tensor_of(c, DY), tensor_of(c, V),
                                        tensor_of(c, DDY), tensor_of(c, DX), &c->options);
    return a;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void write_string(const char *text)
{
    if (!text) {
        printf("null");
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < ' ')
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

/* All NaNs are written alike: payload and sign may differ from level to level. */
static void write_double(double value)
{
    uint64_t bits;
    value = value != value ? (double)NAN : value;
    memcpy(&bits, &value, sizeof bits);
    printf("\"%016llx\"", (unsigned long long)bits);
}

static uint64_t element_at(const memory *m, const unsigned char *elements, size_t i)
{
    return m->type < BYTES ? element_load(elements, (int64_t)i, (element_type)m->type) : elements[i];
}

static int is_nan(const memory *m, uint64_t bits)
{
    return m->type < BYTES && element_is_nan(bits, (element_type)m->type);
}

static void write_elements(const memory *m, const unsigned char *elements)
{
    putchar('"');
    for (size_t i = 0; i < m->count; i++) {
        uint64_t bits = element_at(m, elements, i);
        if (is_nan(m, bits))
            bits = element_of((double)NAN, (element_type)m->type);
        printf("%0*llx", 2 * (int)width_of(m->type), (unsigned long long)bits);
    }
    putchar('"');
}

/* Any element differs, and not as one NaN from another. */
static int changed(const memory *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const uint64_t before = element_at(m, m->before, i), after = element_at(m, m->after, i);
        if (before != after && !(is_nan(m, before) && is_nan(m, after)))
            return 1;
    }
    return 0;
}

static void write_memory(const memory *m)
{
    printf("{\"type\":\"%s\",\"before\":", m->type < BYTES ? element_formats[m->type].name : "u8");
    write_elements(m, m->before);
    printf(",\"after\":");
    if (changed(m))
        write_elements(m, m->after);
    else
        printf("null");
    putchar('}');
}

static void write_numbers(const int64_t *numbers, int count)
{
    putchar('[');
    for (int i = 0; i < count; i++)
        printf("%s%lld", i ? "," : "", (long long)numbers[i]);
    putchar(']');
}

static void write_operand(const operand *o, int vector)
{
    if (o->memory < 0)
        printf("{\"memory\":null");
    else
        printf("{\"memory\":%d", o->memory);
    printf(",\"data\":%zu", o->data);
    if (vector) {
        printf(",\"step\":%lld}", (long long)o->step);
        return;
    }
    const sugar_tensor *t = &o->tensor;
    printf(",\"device\":%d,\"dtype\":[%d,%d,%d],\"shape\":", (int)t->device.device_type, t->dtype.code, t->dtype.bits,
           t->dtype.lanes);
    write_numbers(o->shape, t->ndim);
    printf(",\"strides\":");
    if (o->strided)
        write_numbers(o->strides, t->ndim);
    else
        printf("null");
    printf(",\"byte_offset\":%llu}", (unsigned long long)t->byte_offset);
}

static void write_units(const sugar_monitor *monitor, int64_t units)
{
    printf(",\"units\":[");
    for (int64_t i = 0; i < units; i++) {
        sugar_monitor_unit unit = {.struct_size = sizeof unit};
        if (sugar_monitor_get_unit(monitor, i, &unit))
            give_up("sugar_monitor_get_unit", sugar_last_error());
        const double figures[] = {unit.sum, unit.sum_of_squares, unit.mean, unit.deviation};
        printf("%s[%lld,%lld,%lld", i ? "," : "", (long long)unit.samples, (long long)unit.active,
               (long long)unit.not_finite);
        for (size_t j = 0; j < sizeof figures / sizeof figures[0]; j++) {
            putchar(',');
            write_double(figures[j]);
        }
        putchar(']');
    }
    putchar(']');
}

static void write_seen(const sugar_monitor *monitor, int64_t units)
{
    enum { MOST_UNITS = 64 };
    sugar_monitor_summary s = {.struct_size = sizeof s};
    int64_t counts[SUGAR_MONITOR_BINS], dead[MOST_UNITS], dead_count;
    double edges[SUGAR_MONITOR_BINS - 1];
    if (sugar_monitor_get(monitor, &s) || sugar_monitor_get_histogram(monitor, counts, edges, SUGAR_MONITOR_BINS)
        || sugar_monitor_find_dead(monitor, 0.25, dead, MOST_UNITS, &dead_count))
        give_up("what a monitor saw", sugar_last_error());
    printf("{\"summary\":[%lld,%lld,%lld,%lld,%lld", (long long)s.units, (long long)s.samples, (long long)s.active,
           (long long)s.not_finite, (long long)s.dead);
    const double figures[] = {s.sparsity, s.mean, s.deviation};
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        putchar(',');
        write_double(figures[i]);
    }
    printf(",%d,%d,%lld,%lld,%lld]", (int)s.axis_from_end, (int)s.bins, (long long)s.every, (long long)s.calls,
           (long long)s.observed);
    write_units(monitor, units);
    printf(",\"counts\":");
    write_numbers(counts, SUGAR_MONITOR_BINS);
    printf(",\"edges\":[");
    for (int i = 0; i < SUGAR_MONITOR_BINS - 1; i++) {
        printf("%s", i ? "," : "");
        write_double(edges[i]);
    }
    printf("],\"dead\":");
    write_numbers(dead, (int)dead_count);
    printf("}");
}

static void write_monitor(const vector_case *c, const sugar_monitor *monitor)
{
    const sugar_monitor_options *o = &c->monitor_options;
    printf("{\"units\":%lld,\"axis_from_end\":%d,\"bins\":%d,\"every\":%lld,\"threshold\":", (long long)c->units,
           (int)o->axis_from_end, (int)o->bins, (long long)o->every);
    write_double(o->threshold);
    printf(",\"minimum\":");
    write_double(o->minimum);
    printf(",\"maximum\":");
    write_double(o->maximum);
    printf(",\"seen\":");
    write_seen(monitor, c->units);
    printf("}");
}

static void write_created(const sugar_activation *activation)
{
    sugar_activation_info info = {.struct_size = sizeof info};
    if (sugar_activation_get_info(activation, &info))
        give_up("sugar_activation_get_info", sugar_last_error());
    printf("{\"spec\":");
    write_string(info.spec);
    printf(",\"minimum\":");
    write_double(info.gradient_minimum);
    printf(",\"maximum\":");
    write_double(info.gradient_maximum);
    printf("}");
}

static void write_table(const vector_case *c)
{
    if (!c->table) {
        printf("null");
        return;
    }
    for (size_t i = 0; i < 3 * c->table_knots; i++) {
        putchar(i ? ',' : '[');
        write_double(c->table[i]);
    }
    putchar(']');
}

static void write_operands(const vector_case *c)
{
    const int vector = takes_vectors(c);
    printf(",\"memories\":[");
    for (int i = 0; i < c->memory_count; i++) {
        printf("%s", i ? "," : "");
        write_memory(&c->memories[i]);
    }
    printf("]");
    for (role r = X; r < ROLES; r++) {
        printf(",\"%s\":", role_names[r]);
        if (c->operands[r].present)
            write_operand(&c->operands[r], vector && r <= DX);
        else
            printf("null");
    }
}

void case_finish(vector_case *c)
{
    const answer a = run(c);
    printf("%s{\"name\":\"%d: %s\",\"call\":\"%s\",\"spec\":", cases ? ",\n" : "", cases, c->what, c->call);
    write_string(c->spec);
    printf(",\"level\":");
    write_string(c->level);
    printf(",\"table\":");
    write_table(c);
    printf(",\"type\":\"%s\",\"flags\":%llu,\"n\":%lld", element_formats[c->type].name,
           (unsigned long long)c->options.flags, (long long)c->n);
    write_operands(c);
    printf(",\"random\":");
    if (c->draws)
        printf("[\"%016llx\",\"%016llx\"]", (unsigned long long)c->random.seed, (unsigned long long)c->random.offset);
    else
        printf("null");
    printf(",\"monitor\":");
    if (a.monitor)
        write_monitor(c, a.monitor);
    else
        printf("null");
    printf(",\"status\":%d,\"message\":", (int)a.status);
    write_string(a.status == SUGAR_OK ? "" : sugar_last_error());
    printf(",\"created\":");
    if (a.activation && strcmp(c->call, "create") == 0)
        write_created(a.activation);
    else
        printf("null");
    printf("}");
    sugar_monitor_destroy(a.monitor);
    sugar_activation_destroy(a.activation);
    free(c);
    cases++;
}
