/* Writes vectors.json: calls with their memory before and after, which every language replays bit for bit. */
#include "case.h"

#include <stdio.h>
#include <string.h>

enum { COUNT = 19 };                    /* elements of a case that is about values, not about layouts */

static const layout row = {.rank = 1, .shape = {COUNT}, .compact = 1};
static const layout matrix = {.rank = 2, .shape = {3, 4}, .compact = 1};

/* One shape, and how each operand lies in memory. */
static const struct pattern {
    const char *name;
    layout x, dy, out;
} patterns[] = {
    {"compact", {2, {3, 5}, {0}, 1, 0}, {2, {3, 5}, {0}, 1, 0}, {2, {3, 5}, {0}, 1, 0}},
    {"transposed", {2, {3, 5}, {1, 3}, 0, 0}, {2, {3, 5}, {5, 1}, 0, 1}, {2, {3, 5}, {1, 3}, 0, 0}},
    {"negative strides", {2, {3, 4}, {-4, -1}, 0, 0}, {2, {3, 4}, {4, -1}, 0, 0}, {2, {3, 4}, {-8, 2}, 0, 1}},
    {"zero strides", {2, {3, 4}, {0, 1}, 0, 0}, {2, {3, 4}, {0, 0}, 0, 0}, {2, {3, 4}, {4, 1}, 0, 0}},
    {"odd strides",
     {3, {2, 3, 2}, {17, 5, 2}, 0, 1},
     {3, {2, 3, 2}, {1, 2, 7}, 0, 1},
     {3, {2, 3, 2}, {19, -6, 3}, 0, 1}},
    {"long", {1, {37}, {2}, 0, 0}, {1, {37}, {-1}, 0, 0}, {1, {37}, {1}, 0, 0}},
    {"one element", {0, {0}, {0}, 1, 0}, {0, {0}, {0}, 0, 1}, {0, {0}, {0}, 1, 1}},
    {"no element", {2, {0, 3}, {3, 1}, 0, 0}, {2, {0, 3}, {0, 0}, 0, 0}, {2, {0, 3}, {0}, 1, 0}},
};
enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

static vector_case *forward_case(const char *what, const char *spec, element_type type, const layout *x,
                                 const layout *y)
{
    vector_case *c = case_new(what, "forward", spec, type);
    case_tensor(c, X, (int)type, x);
    case_tensor(c, Y, (int)type, y);
    return c;
}

static vector_case *backward_case(const char *what, const char *spec, element_type type, const layout *x,
                                  const layout *dy, const layout *dx)
{
    vector_case *c = case_new(what, "backward", spec, type);
    case_tensor(c, X, (int)type, x);
    case_tensor(c, DY, (int)type, dy);
    case_tensor(c, DX, (int)type, dx);
    return c;
}

static vector_case *plain(const char *what, int forward, const char *spec, element_type type)
{
    return forward ? forward_case(what, spec, type, &row, &row) : backward_case(what, spec, type, &row, &row, &row);
}

static vector_case *twice_case(const char *what, const char *spec, element_type type, const layout *x, const layout *dy,
                               const layout *v, const layout *out)
{
    vector_case *c = case_new(what, "backward_twice", spec, type);
    case_tensor(c, X, (int)type, x);
    case_tensor(c, DY, (int)type, dy);
    case_tensor(c, V, (int)type, v);
    case_tensor(c, DDY, (int)type, out);
    case_tensor(c, DX, (int)type, out);
    return c;
}

/* ---- Values -------------------------------------------------------------------------------- */

/* Rows of a knot, the value there and the slope there. */
static const double knots[] = {-2, -0.25, 0, -0.5, -0.375, 0.125, 0.75, 0.5, 1.25, 3, 3.5, 1};
enum { KNOTS = sizeof knots / sizeof knots[0] / 3 };

static vector_case *with_table(vector_case *c)
{
    c->table = knots;
    c->table_knots = KNOTS;
    return c;
}

/* Every kind forward and backward, each in one type, in turn. */
static void kinds(void)
{
    for (int i = 0; i < sugar_kind_count(); i++) {
        sugar_kind kind = {.struct_size = sizeof kind};
        if (sugar_kind_get(i, &kind))
            give_up("sugar_kind_get", sugar_last_error());
        char spec[128];
        const int has_forward = (kind.roles & SUGAR_ROLE_FORWARD) != 0, is_table = strcmp(kind.name, "table") == 0;
        snprintf(spec, sizeof spec, "%s%s", has_forward ? "" : "heaviside~", kind.name);
        for (int forward = has_forward; forward >= 0; forward--) {
            vector_case *c = plain("kind", forward, spec, (element_type)((i + !forward) % ELEMENT_TYPES));
            case_finish(is_table ? with_table(c) : c);
        }
    }
}

/* Surrogates with parameters and options, and the level that every machine has. */
static void specs(void)
{
    static const char *const all[] = {
        "relu~bsilu(alpha=2.5)",
        "relu~elu(blend=0.5)",
        "gelu~sigmoid(domain=negative)",
        "heaviside(threshold=0.5)~atan_spike(alpha=3)",
        "silu(beta=1.5)~identity(domain=negative,blend=0.25)",
        "hardtanh(min_val=-2,max_val=0.5)",
    };
    for (int i = 0; i < (int)(sizeof all / sizeof all[0]); i++) {
        case_finish(plain("spec", 1, all[i], (element_type)((i + 2) % ELEMENT_TYPES)));
        case_finish(plain("spec", 0, all[i], (element_type)(i % ELEMENT_TYPES)));
    }
    for (int forward = 0; forward < 2; forward++) {
        vector_case *c = plain("scalar level", forward, "relu~bsilu", ELEMENT_F32);
        c->level = "scalar";
        case_finish(c);
    }
}

/* ---- Layouts ------------------------------------------------------------------------------- */

static void layouts(void)
{
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++)
        for (int i = 0; i < PATTERNS; i++) {
            const struct pattern *p = &patterns[i];
            case_finish(forward_case(p->name, "silu~bsilu", type, &p->x, &p->out));
            case_finish(backward_case(p->name, "silu~bsilu", type, &p->x, &p->dy, &p->out));
        }
}

static void in_place(void)
{
    const layout *odd = &patterns[4].out;
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++) {
        vector_case *c = case_new("in place", "forward", "tanh", type);
        case_tensor(c, X, (int)type, odd);
        case_share(c, Y, X);
        case_finish(c);
        c = case_new("in place", "backward", "relu~tanh", type);
        case_tensor(c, X, (int)type, odd);
        case_tensor(c, DY, (int)type, odd);
        case_share(c, DX, type % 2 ? X : DY);
        case_finish(c);
    }
}

static void vectors(void)
{
    static const struct {
        int64_t n, x, dy, out;
    } steps[] = {
        {13, 1, 1, 1},
        {7, -1, 2, 3},
        {9, 0, -2, -1},
        {1, 5, 0, 0},
    };
    static const char *const calls[2][ELEMENT_TYPES] = {
        {"backward_f32", "backward_f64", "backward_f16", "backward_bf16"},
        {"forward_f32", "forward_f64", "forward_f16", "forward_bf16"},
    };
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++)
        for (int i = 0; i < 4; i++)
            for (int forward = 0; forward < 2; forward++) {
                vector_case *c = case_new("vectors", calls[forward][type], "leaky_relu~bsilu", type);
                c->n = steps[i].n;
                case_vector(c, X, c->n, steps[i].x);
                if (!forward)
                    case_vector(c, DY, c->n, steps[i].dy);
                case_vector(c, forward ? Y : DX, c->n, steps[i].out);
                case_finish(c);
            }
    case_finish(case_new("vectors of no element", "forward_f32", "relu", ELEMENT_F32));
    case_finish(case_new("vectors of no element", "backward_f64", "relu", ELEMENT_F64));
}

/* ---- Options ------------------------------------------------------------------------------- */

static void with_flags(vector_case *c, uint64_t flags)
{
    c->options.flags = flags;
    case_finish(c);
}

static void flags(void)
{
    static const char *const from_output[ELEMENT_TYPES] = {"tanh", "sigmoid", "elu", "relu6"};
    const struct pattern *odd = &patterns[4];
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++) {
        with_flags(backward_case("accumulate", "relu~gaussian_spike", type, &odd->x, &odd->dy, &odd->out),
                   SUGAR_CALL_ACCUMULATE);
        vector_case *c = plain("from the output", 0, from_output[type], type);
        case_fill(c, X, 0.0625, 0.9375);        /* what all of them reach */
        with_flags(c, SUGAR_CALL_FROM_OUTPUT);
        with_flags(plain("streamed", type % 2, "relu~elu", type), SUGAR_CALL_NONTEMPORAL);
        with_flags(plain("not streamed", type % 2, "relu~elu", type), SUGAR_CALL_TEMPORAL);
    }
}

static void with_parameter(vector_case *c, const layout *l)
{
    case_tensor(c, PARAMETER, (int)c->type, l);
    case_fill(c, PARAMETER, 0.125, 2);
}

/* A parameter for each column; its gradient summed over the rows. Then shared and summed in other ways. */
static void learned(void)
{
    static const layout columns = {.rank = 2, .shape = {1, 4}, .strides = {9, 1}};
    static const layout repeated = {.rank = 2, .shape = {3, 4}, .strides = {0, 1}};
    static const layout rows = {.rank = 2, .shape = {3, 1}, .strides = {-2, 0}};
    static const layout one = {.rank = 2, .shape = {1, 1}, .compact = 1};
    static const char *const learns[ELEMENT_TYPES] = {"prelu", "elu", "silu", "softplus"};
    static const layout *const others[ELEMENT_TYPES] = {&one, &rows, &matrix, &repeated};
    static const layout *const sums[ELEMENT_TYPES] = {&rows, &one, &one, &matrix};
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++) {
        const uint64_t flags = type % 2 ? SUGAR_CALL_ACCUMULATE : 0;
        vector_case *c = forward_case("parameter", learns[type], type, &matrix, &matrix);
        with_parameter(c, &columns);
        case_finish(c);
        c = backward_case("parameter", learns[type], type, &matrix, &matrix, &matrix);
        with_parameter(c, &columns);
        case_tensor(c, PARAMETER_GRADIENT, (int)type, &columns);
        with_flags(c, flags);
        c = forward_case("other shape of a parameter", learns[type], type, &matrix, &matrix);
        with_parameter(c, others[type]);
        case_finish(c);
        c = backward_case("other shape of a parameter", learns[type], type, &matrix, &matrix, &matrix);
        with_parameter(c, others[type]);
        case_tensor(c, PARAMETER_GRADIENT, (int)type, sums[type]);
        with_flags(c, flags);
    }
}

static vector_case *monitored(vector_case *c, int64_t units, int32_t axis_from_end)
{
    c->monitored = 1;
    c->units = units;
    c->monitor_options.axis_from_end = axis_from_end;
    c->monitor_options.every = 3;
    return c;
}

/* An operand without elements, in one of the ways that it may lie in memory, or not in any. */
static void case_nothing(vector_case *c, role r, int type, int way)
{
    static const layout ways[] = {
        {.rank = 2, .shape = {0, 4}, .strides = {0, 0}},
        {.rank = 2, .shape = {0, 4}, .strides = {-7, 5}},
        {.rank = 2, .shape = {0, 4}, .compact = 1},
    };
    operand *o = case_tensor(c, r, type, &ways[way % 3]);
    if (way % 2)
        o->memory = -1, o->data = 0;
    else
        o->data += 1;                   /* misaligned */
    o->tensor.byte_offset = way % 5 == 0 ? 3 : 0;
}

/* Every operand without elements; or all but a parameter's gradient, which has sums over nothing. */
static void nothing(void)
{
    static const layout columns = {.rank = 2, .shape = {1, 4}, .compact = 1};
    static const char *const specs[] = {"silu~bsilu", "prelu", "prelu", "relu", "relu", "rrelu"};
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++)
        for (int way = 0; way < 12; way++) {
            const int forward = way % 2, option = way / 2, saves = option == 3 || option == 4;
            vector_case *c = case_new("nothing", forward ? "forward" : "backward", specs[option], type);
            if (forward || !saves)
                case_nothing(c, X, (int)type, way);
            if (!forward)
                case_nothing(c, DY, (int)type, way + 1);
            case_nothing(c, forward ? Y : DX, (int)type, way + (int)type);
            if (option == 1)
                case_nothing(c, PARAMETER, (int)type, way + 2);
            if (option == 1 && !forward)
                case_nothing(c, PARAMETER_GRADIENT, (int)type, way + 3);
            if (option == 2)
                with_parameter(c, &columns);
            if (option == 2 && !forward)
                case_tensor(c, PARAMETER_GRADIENT, (int)type, &columns);
            if (saves)
                case_nothing(c, SAVED_GRADIENT, option == 3 ? BYTES : BITS, way + (int)type + 1);
            c->draws = option == 5;
            with_flags(c, option == 2 && !forward && type % 2 ? SUGAR_CALL_ACCUMULATE : 0);
        }
    vector_case *c = case_new("nothing", "observe", NULL, ELEMENT_F32);
    case_nothing(c, X, ELEMENT_F32, 1);
    case_finish(monitored(c, 4, 0));
    static const layout one = {.rank = 1, .shape = {1}, .compact = 1};
    c = case_new("vectors of no element", "backward_f32", "prelu", ELEMENT_F32);
    case_vector(c, X, 0, 1)->data += 1;         /* misaligned */
    case_vector(c, DY, 0, -3)->memory = -1;
    case_vector(c, DX, 0, 0)->data += 2;
    case_tensor(c, PARAMETER_GRADIENT, ELEMENT_F32, &one);
    case_finish(c);
}

static void saved(void)
{
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++)
        for (int saved_type = BYTES; saved_type <= BITS; saved_type++) {
            const char *spec = saved_type == BITS ? "relu" : "relu~bsilu";
            vector_case *c = forward_case("saved gradient", spec, type, &matrix, &matrix);
            case_tensor(c, SAVED_GRADIENT, saved_type, &matrix);
            case_finish(c);
            c = case_new("saved gradient", "backward", spec, type);
            case_tensor(c, DY, (int)type, &matrix);
            case_tensor(c, DX, (int)type, &matrix);
            case_tensor(c, SAVED_GRADIENT, saved_type, &matrix);
            case_finish(c);
        }
}

static void drawn(void)
{
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++)
        for (int forward = 0; forward < 2; forward++) {
            vector_case *c = plain("random slopes", forward, "rrelu(lower=0.1,upper=0.4)", type);
            c->draws = 1;
            c->random.seed = 0xfedcba9876543210 + type;
            c->random.offset = type == ELEMENT_F32 ? UINT64_MAX : 7;
            case_finish(c);
        }
}

/* x + bias, with a value for each column, or shared in other ways; beside f16 and bf16 also in f32. */
static void biased(void)
{
    static const layout columns = {.rank = 2, .shape = {1, 4}, .compact = 1};
    static const layout rows = {.rank = 2, .shape = {3, 1}, .strides = {-2, 0}};
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++) {
        const int narrow = type == ELEMENT_F16 || type == ELEMENT_BF16;
        for (int wide = 0; wide <= narrow; wide++) {
            const int held = wide ? ELEMENT_F32 : (int)type;
            vector_case *c = forward_case("bias", "silu~bsilu", type, &matrix, &matrix);
            case_tensor(c, BIAS, held, &columns);
            case_finish(c);
            c = backward_case("bias", "silu~bsilu", type, &matrix, &matrix, &matrix);
            case_tensor(c, BIAS, held, &columns);
            case_tensor(c, BIAS_GRADIENT, held, wide ? &rows : &columns);
            with_flags(c, type % 2 ? SUGAR_CALL_ACCUMULATE : 0);
        }
        if (!narrow)
            continue;
        vector_case *c = backward_case("f32 parameter", "prelu", type, &matrix, &matrix, &matrix);
        case_tensor(c, PARAMETER, ELEMENT_F32, &rows);
        case_fill(c, PARAMETER, 0.125, 2);
        case_tensor(c, PARAMETER_GRADIENT, ELEMENT_F32, &columns);
        case_finish(c);
    }
}

/* f(x) * gate, alone and with a bias; a gate that is shared; gradients that lie in other ways. */
static void gated(void)
{
    static const layout shared = {.rank = 2, .shape = {3, 4}, .strides = {0, 1}};
    static const layout turned = {.rank = 2, .shape = {3, 4}, .strides = {1, 3}};
    static const layout one = {.rank = 2, .shape = {1, 1}, .compact = 1};
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++) {
        vector_case *c = forward_case("gate", "silu~bsilu", type, &matrix, &matrix);
        case_tensor(c, GATE, (int)type, type % 2 ? &shared : &turned);
        case_finish(c);
        c = backward_case("gate", "silu~bsilu", type, &matrix, &matrix, &matrix);
        case_tensor(c, GATE, (int)type, &matrix);
        case_tensor(c, GATE_GRADIENT, (int)type, &turned);
        with_flags(c, type % 2 ? SUGAR_CALL_ACCUMULATE : 0);
        c = backward_case("bias and gate", "gelu", type, &matrix, &matrix, &matrix);
        case_tensor(c, BIAS, (int)type, &one);
        case_tensor(c, BIAS_GRADIENT, (int)type, &one);
        case_tensor(c, GATE, (int)type, &shared);
        case_tensor(c, GATE_GRADIENT, (int)type, &matrix);
        case_finish(c);
    }
    vector_case *c = backward_case("gate in place", "silu", ELEMENT_F32, &matrix, &matrix, &matrix);
    case_tensor(c, GATE, ELEMENT_F32, &matrix);
    case_share(c, GATE_GRADIENT, GATE);
    case_finish(c);
    c = case_new("vectors with a gate", "forward_f32", "relu", ELEMENT_F32);
    c->n = COUNT;
    case_vector(c, X, COUNT, 1);
    case_vector(c, Y, COUNT, -2);
    case_tensor(c, GATE, ELEMENT_F32, &row);
    case_finish(c);
}

/* Second derivatives: of several specs and layouts, of one output alone, in place. */
static void twice(void)
{
    static const char *const all[ELEMENT_TYPES] = {"silu", "relu~bsilu", "tanh", "gelu~sigmoid(blend=0.5)"};
    const struct pattern *odd = &patterns[4];
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++) {
        case_finish(twice_case("twice", all[type], type, &row, &row, &row, &row));
        with_flags(twice_case("twice", all[type], type, &odd->x, &odd->dy, &odd->x, &odd->out), SUGAR_CALL_ACCUMULATE);
        vector_case *c = twice_case("twice, one output", all[type], type, &matrix, &matrix, &matrix, &matrix);
        c->operands[type % 2 ? DDY : DX].present = 0;
        case_finish(c);
    }
    vector_case *c = twice_case("twice in place", "silu", ELEMENT_F32, &matrix, &matrix, &matrix, &matrix);
    c->operands[DDY] = c->operands[V];
    c->operands[DX] = c->operands[DY];
    case_finish(c);
    const struct pattern *none = &patterns[7];
    case_finish(twice_case("twice nothing", "silu", ELEMENT_F64, &none->x, &none->dy, &none->x, &none->out));
}

/* The caller's own function, in each place of a spec. */
static void tables(void)
{
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++) {
        case_finish(with_table(plain("table", 1, "table", type)));
        case_finish(with_table(plain("table", 0, "relu~table", type)));
        case_finish(with_table(twice_case("table", "table", type, &row, &row, &row, &row)));
    }
}

static void monitors(void)
{
    const struct pattern *odd = &patterns[4];
    for (element_type type = ELEMENT_F32; type < ELEMENT_TYPES; type++) {
        case_finish(monitored(forward_case("monitor", "relu", type, &matrix, &matrix), 4, 0));
        vector_case *c = monitored(forward_case("monitor", "hardswish", type, &odd->x, &odd->out), 3, 1);
        c->monitor_options.bins = SUGAR_MONITOR_BINS;
        c->monitor_options.threshold = -3;
        c->monitor_options.minimum = -4;
        c->monitor_options.maximum = 12;
        case_finish(c);
        c = case_new("monitor", "observe", NULL, type);
        case_tensor(c, X, (int)type, &odd->x);
        case_finish(monitored(c, 2, 2));
    }
}

/* ---- Creation, and errors ------------------------------------------------------------------ */

static void created(void)
{
    static const char *const all[] = {
        "relu",
        "swish",
        " relu ~ bsilu ( alpha = 1.67 ) ",
        "relu~elu(blend=0.25,domain=negative)",
        "prelu(alpha=-5e-3)",
        "heaviside~atan_spike(alpha=2)",
        "relu_squared",
        "relu~relu",
        "",
        "rel",
        "relu~",
        "~relu",
        "relu(alpha=1)",
        "relu~bsilu(alpha=1,alpha=2)",
        "relu~bsilu(alpha=1e99)",
        "relu~bsilu(blend=2)",
        "relu~bsilu(domain=some)",
        "triangle_spike",
        "relu~relu~relu",
        "silu(beta=0x1)",
        "silu(beta=)",
        "silu(beta=1,5)",
        "silu(beta=1",
        "relu \"quoted\"",
        "relu\\n",
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        case_finish(case_new("create", "create", all[i], ELEMENT_F32));
    static const double descending[] = {1, 0, 0, 0, 1, 1};
    case_finish(with_table(case_new("create", "create", "table", ELEMENT_F32)));
    case_finish(case_new("create without a table", "create", "table", ELEMENT_F32));
    case_finish(
        with_table(case_new("create with another table", "create", "table(digest=0123456789abcdef)", ELEMENT_F32)));
    vector_case *c = case_new("create with knots that descend", "create", "relu~table", ELEMENT_F32);
    c->table = descending;
    c->table_knots = 2;
    case_finish(c);
}

/* Each of these is a case without fault but for one line. */
static void bad_tensors(void)
{
    vector_case *c = forward_case("no activation", NULL, ELEMENT_F32, &matrix, &matrix);
    case_finish(c);
    c = forward_case("no x", "relu", ELEMENT_F32, &matrix, &matrix);
    c->operands[X].present = 0;
    case_finish(c);
    c = forward_case("no data", "relu", ELEMENT_F64, &matrix, &matrix);
    c->operands[Y].memory = -1;
    case_finish(c);
    c = forward_case("shapes differ", "relu", ELEMENT_F32, &matrix, &matrix);
    c->operands[Y].shape[1] = 3;
    case_finish(c);
    c = forward_case("ranks differ", "relu", ELEMENT_F32, &matrix, &row);
    case_finish(c);
    c = forward_case("negative extent", "relu", ELEMENT_F16, &matrix, &matrix);
    c->operands[X].shape[0] = -3;
    case_finish(c);
    c = forward_case("sizes overflow", "relu", ELEMENT_F32, &matrix, &matrix);
    c->operands[X].shape[0] = c->operands[X].shape[1] = (int64_t)1 << 52;
    case_finish(c);
    c = forward_case("types differ", "relu", ELEMENT_F32, &matrix, &matrix);
    c->operands[Y].tensor.dtype = element_formats[ELEMENT_F16].dtype;
    case_finish(c);
    c = forward_case("lanes", "relu", ELEMENT_F32, &matrix, &matrix);
    c->operands[X].tensor.dtype.lanes = 2;
    case_finish(c);
    c = forward_case("an integer type", "relu", ELEMENT_F32, &matrix, &matrix);
    c->operands[X].tensor.dtype.code = 0;
    case_finish(c);
    c = forward_case("a device", "relu", ELEMENT_F32, &matrix, &matrix);
    c->operands[X].tensor.device.device_type = 2;
    case_finish(c);
    c = forward_case("misaligned", "relu", ELEMENT_F32, &matrix, &matrix);
    c->operands[X].tensor.byte_offset = 2;
    case_finish(c);
    c = forward_case("overlap", "relu", ELEMENT_F32, &matrix, &matrix);
    case_share(c, Y, X)->data += 4;
    case_finish(c);
    c = backward_case("overlap", "relu", ELEMENT_BF16, &matrix, &matrix, &matrix);
    case_share(c, DX, DY)->data -= 2;
    case_finish(c);
    static const layout same = {.rank = 2, .shape = {3, 4}, .strides = {0, 1}};
    c = forward_case("an output of zero stride", "relu", ELEMENT_F32, &matrix, &same);
    case_finish(c);
    c = case_new("n", "forward_f32", "relu", ELEMENT_F32);
    c->n = -1;
    case_finish(c);
    c = case_new("an output's step of 0", "forward_f64", "relu", ELEMENT_F64);
    c->n = 3;
    case_vector(c, X, 3, 1);
    case_vector(c, Y, 3, 0);
    case_finish(c);
    c = case_new("no vector", "backward_f32", "relu", ELEMENT_F32);
    c->n = 3;
    case_vector(c, X, 3, 1);
    case_vector(c, DX, 3, 1);
    case_finish(c);
}

static void bad_options(void)
{
    with_flags(plain("unknown flags", 1, "relu", ELEMENT_F32), 1 << 20);
    with_flags(plain("accumulate forward", 1, "relu", ELEMENT_F32), SUGAR_CALL_ACCUMULATE);
    with_flags(plain("both streams", 0, "relu", ELEMENT_F32), SUGAR_CALL_NONTEMPORAL | SUGAR_CALL_TEMPORAL);
    with_flags(plain("from the output", 0, "gelu", ELEMENT_F32), SUGAR_CALL_FROM_OUTPUT);
    vector_case *c = plain("random for relu", 1, "relu", ELEMENT_F32);
    c->draws = 1;
    case_finish(c);
    c = plain("a parameter of relu", 1, "relu", ELEMENT_F32);
    case_tensor(c, PARAMETER, ELEMENT_F32, &row);
    case_finish(c);
    c = plain("a parameter out of range", 1, "silu", ELEMENT_F32);
    case_tensor(c, PARAMETER, ELEMENT_F32, &row);
    case_fill(c, PARAMETER, -2, -1);
    case_finish(c);
    static const layout other = {.rank = 1, .shape = {COUNT - 1}, .compact = 1};
    c = plain("a parameter that does not fit", 1, "silu", ELEMENT_F32);
    case_tensor(c, PARAMETER, ELEMENT_F32, &other);
    case_finish(c);
    static const layout repeated = {.rank = 1, .shape = {COUNT}, .strides = {0}};
    c = plain("a parameter's gradient of zero stride", 0, "silu", ELEMENT_F32);
    case_tensor(c, PARAMETER_GRADIENT, ELEMENT_F32, &repeated);
    case_finish(c);
    c = plain("a parameter's gradient in forward", 1, "prelu", ELEMENT_F32);
    case_tensor(c, PARAMETER_GRADIENT, ELEMENT_F32, &row);
    case_finish(c);
    c = plain("a bias that does not fit", 1, "relu", ELEMENT_F32);
    case_tensor(c, BIAS, ELEMENT_F32, &other);
    case_finish(c);
    c = plain("a bias's gradient in forward", 1, "relu", ELEMENT_F32);
    case_tensor(c, BIAS_GRADIENT, ELEMENT_F32, &row);
    case_finish(c);
    c = plain("a gate that does not fit", 1, "relu", ELEMENT_F32);
    case_tensor(c, GATE, ELEMENT_F32, &other);
    case_finish(c);
    c = plain("a gate's gradient of another type", 0, "relu", ELEMENT_F32);
    case_tensor(c, GATE_GRADIENT, ELEMENT_F64, &row);
    case_finish(c);
    c = twice_case("twice without an output", "silu", ELEMENT_F32, &row, &row, &row, &row);
    c->operands[DDY].present = c->operands[DX].present = 0;
    case_finish(c);
    c = twice_case("twice with a gate", "silu", ELEMENT_F32, &row, &row, &row, &row);
    case_tensor(c, GATE, ELEMENT_F32, &row);
    case_finish(c);
    with_flags(twice_case("twice from the output", "tanh", ELEMENT_F32, &row, &row, &row, &row),
               SUGAR_CALL_FROM_OUTPUT);
    c = plain("a bit for three values", 1, "relu~bsilu", ELEMENT_F32);
    case_tensor(c, SAVED_GRADIENT, BITS, &row);
    case_finish(c);
    c = plain("a saved gradient of floats", 1, "relu", ELEMENT_F32);
    case_tensor(c, SAVED_GRADIENT, ELEMENT_F32, &row);
    case_finish(c);
    case_finish(monitored(plain("a monitor in backward", 0, "relu", ELEMENT_F32), COUNT, 0));
    case_finish(monitored(plain("a monitor of other units", 1, "relu", ELEMENT_F32), COUNT + 1, 0));
    case_finish(monitored(plain("a monitor of another rank", 1, "relu", ELEMENT_F32), COUNT, 1));
}

int main(void)
{
    printf("{\"version\":\"%d.%d.%d\",\"cases\":[\n", SUGAR_VERSION_MAJOR, SUGAR_VERSION_MINOR, SUGAR_VERSION_PATCH);
    kinds();
    specs();
    layouts();
    in_place();
    vectors();
    flags();
    learned();
    nothing();
    saved();
    drawn();
    biased();
    gated();
    twice();
    tables();
    monitors();
    created();
    bad_tensors();
    bad_options();
    printf("\n],\"count\":%d}\n", case_count());
    return 0;
}
