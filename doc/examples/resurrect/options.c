/* See options.h. */
#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sugar/sugar.h>

#include "support.h"

static const char default_activations[] = "relu,relu~leaky_relu,relu~silu,relu~gelu,relu~nelu,relu~elu,relu~bsilu";
static const char quick_activations[] = "relu,relu~elu,relu~bsilu";
/* With --learn: each of them has a parameter that can be learned. --save-gradient and --anneal find some as well. */
static const char learning_activations[] = "leaky_relu,prelu,elu,leaky_relu~elu(blend=0.5),leaky_relu~bsilu(blend=0.5)";
static const char quick_learning_activations[] = "leaky_relu,prelu,leaky_relu~bsilu(blend=0.5)";

const technique_name techniques[TECHNIQUES] = {
    [PLAIN] = {"", "plain", ""},
    [SAVED] = {"save-gradient", "saved", "a derivative that can be saved"},
    [LEARNED] = {"learn", "learned", "a parameter that can be learned"},
    [ANNEALED] = {"anneal", "annealed", "a surrogate"},
};

static const char manual[] =
    "Usage: resurrect [OPTION]...\n"
    "\n"
    "Trains the same network from the same seeds with several activations and shows which units\n"
    "die and which come back: a table on standard output, an HTML report and a JSON file.\n"
    "\n"
    "  --data DIR          the images, four files in IDX format, plain or gzip\n"
    "                      [/usr/share/datasets/fashion-mnist]\n"
    "  --activation SPEC   train with this one; may be repeated. SPEC is a libsugar spec such as\n"
    "                      'relu~bsilu(alpha=1.67,blend=0.5)'\n"
    "  --activations SPEC,SPEC...\n"
    "                      the same for several [relu and six surrogates for it; with --learn\n"
    "                      leaky_relu, prelu, elu, and leaky_relu with half of the surrogates elu\n"
    "                      and bsilu]\n"
    "  --scenario NAME     low: hidden biases start at -1, learning rate 0.01; zero: biases 0,\n"
    "                      learning rate 0.05; both; or a file, such as those in\n"
    "                      doc/examples/scenarios: lines `key = value` with the keys bias,\n"
    "                      learning-rate, outlier-at (a share of the steps), outlier-factor (of\n"
    "                      that batch's inputs), batch-normalisation (yes or no); may be\n"
    "                      repeated [both]\n"
    "  --learning-rate R   in place of every scenario's\n"
    "  --bias B            where hidden biases start, in place of a scenario; the learning rate\n"
    "                      is then 0.05 unless given\n"
    "  --epochs N          passes over the training images [3]\n"
    "  --seeds N           train with the seeds 1 to N [3]\n"
    "  --seeds A,B,...     train with these seeds ('7,' is seed 7 alone)\n"
    "  --batch N           images in a step [128]\n"
    "  --layers N          hidden layers [6]\n"
    "  --width N           units in a hidden layer [128]\n"
    "  --momentum M        of the gradient descent, in [0, 1) [0.9]\n"
    "  --threads N         runs trained at a time; 0: one for each processor that this process may\n"
    "                      use [0]\n"
    "  --save-gradient     train a second time with each activation whose derivative has a finite\n"
    "                      range and is not drawn at random: the forward pass works in place and\n"
    "                      saves the derivative in a byte for each element, from which the\n"
    "                      backward pass starts\n"
    "  --learn             train a second time with each activation whose parameter can be learned:\n"
    "                      one for each unit, by the same descent as the weights\n"
    "  --anneal            train a second time with each activation that has a surrogate: its blend\n"
    "                      falls to 0 over the steps, from 1 or from what the spec says\n"
    "  --html FILE         the report [resurrect.html]\n"
    "  --json FILE         every number [resurrect.json]\n"
    "  --quick             less by default: one epoch, one seed, three activations\n"
    "  --quiet             no progress\n"
    "  --help              this text\n"
    "\n"
    "Exit status: 0 when all was trained; 130 when stopped by Ctrl-C or SIGTERM, the runs finished\n"
    "by then reported; 2 when an option or a file is wrong.\n";

enum {
    DATA = 256,
    ACTIVATION,
    ACTIVATIONS,
    SCENARIO,
    LEARNING_RATE,
    BIAS,
    EPOCHS,
    SEEDS,
    BATCH,
    LAYERS,
    WIDTH,
    MOMENTUM,
    SAVE_GRADIENT,
    LEARN,
    ANNEAL,
    THREADS,
    HTML,
    JSON,
    QUICK,
    QUIET,
    HELP
};

static const struct option long_options[] = {
    {"data", required_argument, NULL, DATA},
    {"activation", required_argument, NULL, ACTIVATION},
    {"activations", required_argument, NULL, ACTIVATIONS},
    {"scenario", required_argument, NULL, SCENARIO},
    {"learning-rate", required_argument, NULL, LEARNING_RATE},
    {"bias", required_argument, NULL, BIAS},
    {"epochs", required_argument, NULL, EPOCHS},
    {"seeds", required_argument, NULL, SEEDS},
    {"batch", required_argument, NULL, BATCH},
    {"layers", required_argument, NULL, LAYERS},
    {"width", required_argument, NULL, WIDTH},
    {"momentum", required_argument, NULL, MOMENTUM},
    {"save-gradient", no_argument, NULL, SAVE_GRADIENT},
    {"learn", no_argument, NULL, LEARN},
    {"anneal", no_argument, NULL, ANNEAL},
    {"threads", required_argument, NULL, THREADS},
    {"html", required_argument, NULL, HTML},
    {"json", required_argument, NULL, JSON},
    {"quick", no_argument, NULL, QUICK},
    {"quiet", no_argument, NULL, QUIET},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static int parse_whole(const char *name, const char *text, int least, int most)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end || errno || value < least || value > most)
        fail("--%s: '%s', expected a whole number from %d to %d", name, text, least, most);
    return (int)value;
}

static int parse_count(const char *name, const char *text, int most) { return parse_whole(name, text, 1, most); }

/* The program never calls setlocale, so strtod reads a decimal point everywhere. */
static double parse_number(const char *name, const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= least && value <= most))
        fail("--%s: '%s', expected a number from %g to %g", name, text, least, most);
    return value;
}

static const char *parse_path(const char *name, const char *text)
{
    if (*text == '\0')
        fail("--%s: '', expected the name of a file", name);
    return text;
}

static void parse_seed_list(options *chosen, const char *text)
{
    const char *at = text;
    while (*at) {
        char *end;
        errno = 0;
        unsigned long long seed = strtoull(at, &end, 10);
        if (*at < '0' || *at > '9' || errno || (*end && *end != ','))
            fail("--seeds: '%s', expected whole numbers with commas between them", text);
        for (int i = 0; i < chosen->seed_count; i++)
            if (chosen->seeds[i] == seed)
                fail("--seeds: %llu is named twice", seed);
        if (chosen->seed_count == MOST_SEEDS)
            fail("--seeds: more than %d", MOST_SEEDS);
        chosen->seeds[chosen->seed_count++] = seed;
        at = *end ? end + 1 : end;
    }
}

static void parse_seeds(options *chosen, const char *text)
{
    chosen->seed_count = 0;
    if (strchr(text, ',')) {
        parse_seed_list(chosen, text);
        return;
    }
    chosen->seed_count = parse_count("seeds", text, MOST_SEEDS);
    for (int i = 0; i < chosen->seed_count; i++)
        chosen->seeds[i] = (uint64_t)i + 1;
}

static void add_activation(options *chosen, const char *spec, size_t length)
{
    if (chosen->activation_count == MOST_ACTIVATIONS)
        fail("--activations: more than %d", MOST_ACTIVATIONS);
    chosen->activations[chosen->activation_count++] = format_text("%.*s", (int)length, spec);
}

/* Splits at the commas outside of parentheses. */
static void add_activations(options *chosen, const char *list)
{
    const char *start = list;
    int depth = 0;
    for (const char *at = list;; at++) {
        depth += (*at == '(') - (*at == ')');
        if (*at && (*at != ',' || depth > 0))
            continue;
        add_activation(chosen, start, (size_t)(at - start));
        if (!*at)
            break;
        start = at + 1;
    }
}

static void add_setting(options *chosen, setting added)
{
    for (int i = 0; i < chosen->scenario_count; i++)
        if (strcmp(chosen->scenarios[i].name, added.name) == 0)
            fail("--scenario: '%s' is named twice", added.name);
    if (chosen->scenario_count == MOST_SCENARIOS)
        fail("--scenario: more than %d", MOST_SCENARIOS);
    chosen->scenarios[chosen->scenario_count++] = added;
}

static void add_scenario(options *chosen, const char *name)
{
    int both = strcmp(name, "both") == 0, low = both || strcmp(name, "low") == 0;
    int zero = both || strcmp(name, "zero") == 0;
    if (low)
        add_setting(chosen, scenario_plain("low", -1, 0.01));
    if (zero)
        add_setting(chosen, scenario_plain("zero", 0, 0.05));
    if (!low && !zero)
        add_setting(chosen, scenario_read(name));
}

/* The options that decide together about scenarios and defaults, as they stood on the command line. */
typedef struct choice {
    const char *learning_rate, *bias, *seeds;
    int quick;
} choice;

static const char *default_list(const options *chosen, const choice *given)
{
    if (chosen->techniques[LEARNED])
        return given->quick ? quick_learning_activations : learning_activations;
    return given->quick ? quick_activations : default_activations;
}

/* How many threads this process may use, as libsugar counts them: its affinity and its CPU quota are heeded. */
static int count_threads(void)
{
    sugar_context *context;
    if (sugar_context_create(&context, NULL) != SUGAR_OK)
        fail("--threads: %s", sugar_last_error());
    const int count = sugar_context_threads(context);
    sugar_context_destroy(context);
    return count;
}

static void settle(options *chosen, const choice *given)
{
    if (given->bias && chosen->scenario_count)
        fail("--bias: cannot be combined with --scenario, which says where biases start");
    if (given->bias)
        add_setting(chosen, scenario_plain("custom", parse_number("bias", given->bias, -1000, 1000), 0.05));
    else if (!chosen->scenario_count)
        add_scenario(chosen, "both");
    for (int i = 0; i < chosen->scenario_count && given->learning_rate; i++)
        chosen->scenarios[i].learning_rate = parse_number("learning-rate", given->learning_rate, 1e-12, 1000);
    parse_seeds(chosen, given->seeds ? given->seeds : given->quick ? "1" : "3");
    if (!chosen->epochs)
        chosen->epochs = given->quick ? 1 : 3;
    if (!chosen->threads)
        chosen->threads = count_threads();
    if (!chosen->activation_count)
        add_activations(chosen, default_list(chosen, given));
    if (strcmp(chosen->html, chosen->json) == 0)
        fail("--html and --json: both name %s", chosen->html);
}

static void take(options *chosen, choice *given, int code)
{
    switch (code) {
    case DATA: chosen->data = optarg; break;
    case ACTIVATION: add_activation(chosen, optarg, strlen(optarg)); break;
    case ACTIVATIONS: add_activations(chosen, optarg); break;
    case SCENARIO: add_scenario(chosen, optarg); break;
    case LEARNING_RATE: given->learning_rate = optarg; break;
    case BIAS: given->bias = optarg; break;
    case EPOCHS: chosen->epochs = parse_count("epochs", optarg, 1000); break;
    case SEEDS: given->seeds = optarg; break;
    case BATCH: chosen->batch = parse_count("batch", optarg, 1000000); break;
    case LAYERS: chosen->layers = parse_count("layers", optarg, MOST_LAYERS); break;
    case WIDTH: chosen->width = parse_count("width", optarg, 8192); break;
    case MOMENTUM: chosen->momentum = parse_number("momentum", optarg, 0, 0.999999); break;
    case SAVE_GRADIENT: chosen->techniques[SAVED] = 1; break;
    case LEARN: chosen->techniques[LEARNED] = 1; break;
    case ANNEAL: chosen->techniques[ANNEALED] = 1; break;
    case THREADS: chosen->threads = parse_whole("threads", optarg, 0, SUGAR_MAX_THREADS); break;
    case HTML: chosen->html = parse_path("html", optarg); break;
    case JSON: chosen->json = parse_path("json", optarg); break;
    case QUICK: given->quick = 1; break;
    case QUIET: chosen->quiet = 1; break;
    case HELP: fputs(manual, stdout); exit(0);
    default: fail("unknown option");
    }
}

void options_parse(options *chosen, int argc, char **argv)
{
    *chosen = (options){.data = "/usr/share/datasets/fashion-mnist",
                        .html = "resurrect.html",
                        .json = "resurrect.json",
                        .batch = 128,
                        .width = 128,
                        .layers = 6,
                        .momentum = 0.9};
    choice given = {0};
    int code;
    while ((code = getopt_long(argc, argv, "+:", long_options, NULL)) != -1) {
        if (code == '?')
            fail("unknown option %s; --help lists them", argv[optind - 1]);
        if (code == ':')
            fail("%s: needs a value", argv[optind - 1]);
        take(chosen, &given, code);
    }
    if (optind < argc)
        fail("unexpected argument '%s'; --help lists the options", argv[optind]);
    settle(chosen, &given);
}

void options_free(options *chosen)
{
    for (int i = 0; i < chosen->activation_count; i++)
        free(chosen->activations[i]);
    for (int i = 0; i < chosen->scenario_count; i++)
        free(chosen->scenarios[i].name);
}
