/* Every word of the vector vocabulary alone, at some levels, against plain C: all pairs and triples of edge values
 * in every lane, and random values; arguments and results lie at the end of memory, at its beginning, and at
 * addresses that are no multiple of a vector. (What vec_stream_end does is for other threads; here it need only do
 * no harm.)
 *
 *     vocabulary LEVEL...
 *     vocabulary --list       prints the words that are checked
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/support.h"
#include "inputs.h"
#include "vocabulary.h"

typedef enum level_need { ALL, SINGLE } level_need;
typedef enum comparison { VALUES, BITS } comparison;
enum { MOST_ARGUMENTS = 3, RANDOM_ELEMENTS = 100000, MARGIN = 64, PAINT = 0xa5 };

typedef struct argument {
    layout has;
    values from;
} argument;

typedef struct word {
    const char *names;
    level_need has;
    number n;
    comparison compared;
    layout result;
    argument in[MOST_ARGUMENTS];
} word;

static const word words[WORDS] = {
#define IN(layout, from) {layout, from}
#define WORD(id, names, has, n, compared, result, ...) [WORD_##id] = {names, has, n, compared, result, {__VA_ARGS__}},
#include "words.def"
};

/* One level and type, as a message names it. */
typedef struct subject {
    const char *level, *type;
    const vocabulary *found, *expected;
} subject;

#define LEVEL(level) extern const vocabulary vocabulary_f32_##level, vocabulary_f64_##level;
COMPILED_LEVELS
#undef LEVEL

static const subject subjects[] = {
#define LEVEL(level)                                                                                                   \
    {#level, "f32", &vocabulary_f32_##level, &plain_f32}, {#level, "f64", &vocabulary_f64_##level, &plain_f64},
    COMPILED_LEVELS
#undef LEVEL
};

/* ---- Memory -------------------------------------------------------------------------------- */

/* Bytes of one unit of a layout; the type of its units, if they are floats; and how many there are. */
typedef struct shape {
    size_t width;
    element_type type;      /* ELEMENT_TYPES: whole numbers */
    size_t count;
} shape;

static shape shape_of(layout what, const sizes *is, size_t n)
{
    const element_type real = is->real == 32 ? ELEMENT_F32 : ELEMENT_F64, whole = ELEMENT_TYPES;
    const size_t width = (size_t)is->real / 8;
    switch (what) {
    case ONE_REAL: return (shape){width, real, 1};
    case REALS:
    case ALIGNED_REALS: return (shape){width, real, is->lanes};
    case N_REALS: return (shape){width, real, n};
    case N_U16S: return (shape){2, whole, n};
    case TWO_REALS: return (shape){width, real, 2 * is->lanes};
    case MASK: return (shape){width, real, 3 * is->lanes};
    case REALS_TO_U32: return (shape){width, real, is->lanes_u32};
    case TABLE_8: return (shape){width, real, 8};
    case TABLE_16: return (shape){width, real, 16};
    case REALS_TO_WIDEN: return (shape){width, real, is->lanes64};
    case DOUBLES: return (shape){8, ELEMENT_F64, is->lanes64};
    case ALL_DOUBLES: return (shape){8, ELEMENT_F64, is->lanes};
    case U64S: return (shape){8, whole, is->lanes_u64};
    case WORDS_OF_TWO: return (shape){4, whole, 4 * is->lanes_u64};
    case U32S: return (shape){4, whole, is->lanes};
    case VECTOR_U32S: return (shape){4, whole, is->lanes_u32};
    case TWO_VECTORS_U32: return (shape){4, whole, 2 * is->lanes_u32};
    case THREE_INTS: return (shape){4, whole, 3};
    case F16S: return (shape){2, ELEMENT_F16, is->lanes};
    case BF16S: return (shape){2, ELEMENT_BF16, is->lanes};
    case TWO_BF16S: return (shape){2, ELEMENT_BF16, 2 * is->lanes};
    case U16S:
    case ALIGNED_U16S: return (shape){2, whole, is->lanes};
    case U8S: return (shape){1, whole, is->lanes};
    default: return (shape){0, whole, 0};
    }
}

static uint64_t unit_at(const unsigned char *p, size_t i, size_t width)
{
    uint64_t bits = 0;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    switch (width) {
    case 1: memcpy(&u8, p + i, sizeof u8); return u8;
    case 2: memcpy(&u16, p + 2 * i, sizeof u16); return u16;
    case 4: memcpy(&u32, p + 4 * i, sizeof u32); return u32;
    default: memcpy(&bits, p + 8 * i, sizeof bits); return bits;
    }
}

static void put_unit(unsigned char *p, size_t i, size_t width, uint64_t bits)
{
    const uint8_t u8 = (uint8_t)bits;
    const uint16_t u16 = (uint16_t)bits;
    const uint32_t u32 = (uint32_t)bits;
    switch (width) {
    case 1: memcpy(p + i, &u8, sizeof u8); break;
    case 2: memcpy(p + 2 * i, &u16, sizeof u16); break;
    case 4: memcpy(p + 4 * i, &u32, sizeof u32); break;
    default: memcpy(p + 8 * i, &bits, sizeof bits); break;
    }
}

/* The places that a word's memory has by turns. */
enum { AT_END, AT_START, BETWEEN, PLACES };

static unsigned char *place_in(const guarded *memory, layout what, const shape *s, size_t place)
{
    const int aligned = what == ALIGNED_REALS || what == ALIGNED_U16S;
    switch (place) {
    case AT_END: return memory->start + memory->size - s->width * s->count;
    case AT_START: return memory->start;
    default: return memory->start + 2 * MARGIN + (aligned ? 0 : s->width);
    }
}

/* ---- One vector ---------------------------------------------------------------------------- */

enum { RESULT = MOST_ARGUMENTS, REGIONS };

typedef struct trial {
    const subject *of;
    const word *word;
    shape in[MOST_ARGUMENTS], result;
    guarded region[REGIONS];
    unsigned char *at[REGIONS];
    size_t n;
    uint64_t random;
} trial;

static void fill_one_lane(trial *t, size_t vector)
{
    const size_t count = t->in[0].count, width = t->in[0].width, chosen = vector % (count + 2);
    const element_type type = t->in[0].type;
    for (size_t i = 0; i < count; i++)
        put_unit(t->at[0], i, width, element_of(i == chosen || chosen == count + 1 ? 1 : -1, type));
}

/* A rest for which vec_to_odd is defined. */
static uint64_t rest_of(trial *t, size_t lane)
{
    const element_type type = t->in[0].type;
    const double a = element_value(unit_at(t->at[0], lane, 4), type);
    const uint64_t bits = random_value(REST, 32, &t->random), a_bits = unit_at(t->at[0], lane, 4);
    if (a - a != 0)                             /* infinite, or NaN */
        return element_of(0, type);
    return a == 0 ? (bits & 0x7fffffff) | (a_bits & 0x80000000) : bits;
}

static uint64_t random_unit(trial *t, values from, size_t i)
{
    const int real = t->of->found->is.real;
    const size_t width = t->in[0].width;
    switch (from) {
    case REST: return rest_of(t, i);
    case ADDEND: return random_addend(unit_at(t->at[0], i, width), unit_at(t->at[1], i, width), real, &t->random);
    default: return random_value(from, real, &t->random);
    }
}

static void fill_pattern(trial *t)
{
    const uint32_t kinds[] = {0, 1, 16, 0x8000, 0xffffffff, (uint32_t)random_bits(&t->random)};
    const uint32_t masks[] = {0, 1, 0xfff, 0xfffe, 0xffff, 0xff800000, 0xffffffff, (uint32_t)random_bits(&t->random)};
    const uint64_t choice = random_bits(&t->random);
    const uint32_t offset = kinds[choice % 6], bits = masks[choice / 8 % 8];
    const uint32_t some = (uint32_t)unit_at(t->at[0], choice / 64 % t->in[0].count, 4) + offset;
    put_unit(t->at[1], 0, 4, offset);
    put_unit(t->at[1], 1, 4, bits);
    put_unit(t->at[1], 2, 4, (choice / 4096 % 4 ? some : (uint32_t)random_bits(&t->random)) & bits);
}

/* Combinations of edges are numbered: the first argument's edge changes fastest. */
static void fill_edges(trial *t, int k, const list *edges, size_t stride, size_t vector)
{
    const shape *s = &t->in[k], full = shape_of(REALS, &t->of->found->is, 0);
    const layout has = t->word->in[k].has;
    const size_t step = has == N_REALS || has == N_U16S ? full.count : s->count;
    for (size_t i = 0; i < s->count; i++)
        put_unit(t->at[k], i, s->width, edges->bits[(vector * step + i) / stride % edges->count]);
}

static int has_edges(const argument *in) { return in->has != NOTHING && in->from < LISTS; }

/* The arguments of vector number `vector`: edges, or random. */
static void fill(trial *t, size_t vector, int random)
{
    size_t stride = 1;
    for (int k = 0; k < MOST_ARGUMENTS; k++) {
        const argument *in = &t->word->in[k];
        const int real = t->of->found->is.real;
        if (has_edges(in) && !random) {
            fill_edges(t, k, edges_of(in->from, real), stride, vector);
            stride *= edges_of(in->from, real)->count;
        } else if (in->from == ONE_LANE) {
            fill_one_lane(t, vector);
        } else if (in->from == PATTERN) {
            fill_pattern(t);
        } else {
            for (size_t i = 0; i < t->in[k].count; i++)
                put_unit(t->at[k], i, t->in[k].width, random_unit(t, in->from, i));
        }
    }
}

static void print_units(const unsigned char *p, size_t from, size_t count, size_t width)
{
    for (size_t i = from; i < from + count; i++)
        printf(" 0x%0*" PRIx64, (int)(2 * width), unit_at(p, i, width));
}

/* The units of the arguments at the same lane, or all, where lanes do not correspond. */
static void print_difference(const trial *t, size_t i, const unsigned char *expected)
{
    const size_t lanes = t->result.count / (t->word->result == MASK ? 3 : 1);
    printf("FAILED: %s, level %s, %s, lane %zu", t->word->names, t->of->level, t->of->type, i % lanes);
    if (t->word->n != NO_N)
        printf(", n = %zu", t->n);
    printf(": of");
    for (int k = 0; k < MOST_ARGUMENTS && t->in[k].count; k++) {
        const int one = t->in[k].count == lanes;
        printf("%s", k ? "," : "");
        print_units(t->at[k], one ? i % lanes : 0, one ? 1 : t->in[k].count, t->in[k].width);
    }
    printf(": found");
    print_units(t->at[RESULT], i, 1, t->result.width);
    printf(", expected");
    print_units(expected, i, 1, t->result.width);
    printf("%s\n", t->word->result != MASK ? ""
                   : i / lanes == 0        ? " (selected)"
                   : i / lanes == 1        ? " (counted)"
                                           : " (any)");
}

static int is_as_expected(const trial *t, unsigned char *expected)
{
    const shape *s = &t->result;
    for (size_t i = 0; i < s->count; i++) {
        const uint64_t found = unit_at(t->at[RESULT], i, s->width), wanted = unit_at(expected, i, s->width);
        if (found == wanted
            || (t->word->compared == VALUES && s->type != ELEMENT_TYPES && element_same(found, wanted, s->type)))
            continue;
        print_difference(t, i, expected);
        return 0;
    }
    return 1;
}

static int is_painted(const unsigned char *from, const unsigned char *to)
{
    while (from < to && *from == PAINT)
        from++;
    return from == to;
}

/* Whether the word wrote its result and nothing else, as far as a margin goes. */
static int is_within(const trial *t)
{
    const unsigned char *start = t->region[RESULT].start, *end = start + t->region[RESULT].size;
    const unsigned char *result = t->at[RESULT], *past = result + t->result.width * t->result.count;
    if (is_painted(result - start > MARGIN ? result - MARGIN : start, result)
        && is_painted(past, end - past > MARGIN ? past + MARGIN : end))
        return 1;
    printf("FAILED: %s, level %s, %s, n = %zu: wrote beside its result of %zu bytes\n", t->word->names, t->of->level,
           t->of->type, t->n, t->result.width * t->result.count);
    return 0;
}

static const trial *running;        /* for the handler alone */

static void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        _exit(EXIT_FAILURE);
}

static void stop_at_forbidden_memory(int signal)
{
    (void)signal;
    if (running) {
        say("FAILED: ");
        say(running->word->names);
        say(", level ");
        say(running->of->level);
        say(", ");
        say(running->of->type);
        say(": touched memory beside an argument or a result\n");
    }
    _exit(EXIT_FAILURE);
}

static size_t choose_n(number n, size_t vector, size_t lanes)
{
    switch (n) {
    case PART: return vector % (lanes + 1);
    case SHIFT_INDEX: return vector % 30;
    case SHIFT_U64: return vector % 64;
    case COUNT: return vector % 300;
    default: return 0;
    }
}

static int try_vector(trial *t, size_t vector, size_t n, int random)
{
    const size_t id = (size_t)(t->word - words);
    unsigned char expected[1024];
    t->n = n;
    t->result = shape_of(t->word->result, &t->of->found->is, n);
    t->at[RESULT] = place_in(&t->region[RESULT], t->word->result, &t->result, vector % PLACES);
    for (int k = 0; k < MOST_ARGUMENTS; k++) {
        t->in[k] = shape_of(t->word->in[k].has, &t->of->found->is, n);
        t->at[k] = place_in(&t->region[k], t->word->in[k].has, &t->in[k], vector % PLACES);
    }
    fill(t, vector, random);
    call c = {t->at[0],        t->in[1].width ? t->at[1] : NULL, t->in[2].width ? t->at[2] : NULL, t->at[RESULT], n,
              t->of->found->is};
    running = t;
    t->of->found->apply[id](&c);
    running = NULL;
    c.result = expected;
    t->of->expected->apply[id](&c);
    const int good = is_as_expected(t, expected) && is_within(t);
    memset(t->at[RESULT], PAINT, t->result.width * t->result.count);
    return good;
}

/* ---- One word ------------------------------------------------------------------------------ */

/* So many vectors that each combination of edges comes by in each lane; in one lane, where they are many. */
static size_t edge_vectors(const trial *t)
{
    const sizes *is = &t->of->found->is;
    const size_t lanes = shape_of(t->word->in[0].has, is, is->lanes).count;
    size_t combinations = 1;
    for (int k = 0; k < MOST_ARGUMENTS; k++)
        if (has_edges(&t->word->in[k]))
            combinations *= edges_of(t->word->in[k].from, is->real)->count;
    return combinations <= 100000 && !short_run() ? combinations : combinations / lanes + 1;
}

static int is_good(trial *t)
{
    const size_t lanes = t->of->found->is.lanes, edges = edge_vectors(t);
    const size_t random = (short_run() ? RANDOM_ELEMENTS / 50 : RANDOM_ELEMENTS) / lanes;
    for (size_t v = 0; v < edges; v++)
        if (!try_vector(t, v, choose_n(t->word->n, v, lanes), 0))
            return 0;
    for (size_t v = 0; v < random; v++)
        if (!try_vector(t, v, choose_n(t->word->n, v, lanes), 1))
            return 0;
    /* Up to the bound: in the first vector the second argument, which is asked every other time, is 0 everywhere.
     * */
    return t->word->n != COUNT || short_run() || try_vector(t, 0, (size_t)1 << 25, 0);
}

/* Words that a level or type does not have count as neither. */
static void check_word(trial *t, long *passed, long *failed)
{
    const sizes *is = &t->of->found->is;
    const int wanted = t->word->has == ALL || is->real == 32;
    if (!wanted)
        return;
    t->random = 20240229;
    for (int k = 0; k < REGIONS; k++) {
        t->region[k] = guarded_make(1);
        memset(t->region[k].start, PAINT, t->region[k].size);
    }
    ++*(is_good(t) ? passed : failed);
    for (int k = 0; k < REGIONS; k++)
        guarded_free(t->region[k]);
}

static int list_words(void)
{
    for (size_t w = 0; w < WORDS; w++)
        puts(words[w].names);
    return EXIT_SUCCESS;
}

static int is_supported(const char *level)
{
    const char *levels[MAX_LEVELS];
    for (int k = supported_levels(levels) - 1; k >= 0; k--)
        if (strcmp(levels[k], level) == 0)
            return 1;
    return 0;
}

static void check_level(const char *level, long *passed, long *failed)
{
    for (size_t s = 0; s < sizeof subjects / sizeof subjects[0]; s++) {
        if (strcmp(subjects[s].level, level) != 0)
            continue;
        const long before = *passed;
        for (size_t w = 0; w < WORDS; w++)
            check_word(&(trial){.of = &subjects[s], .word = &words[w]}, passed, failed);
        printf("%s %s: %ld words are right\n", level, subjects[s].type, *passed - before);
        fflush(stdout);         /* before a signal ends the program */
    }
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "--list") == 0)
        return list_words();
    long passed = 0, failed = 0;
    signal(SIGSEGV, stop_at_forbidden_memory);
    for (int i = 1; i < count; i++) {
        if (!is_supported(arguments[i])) {
            printf("skipped: vocabulary: this machine cannot run the level %s\n", arguments[i]);
            return 77;
        }
        check_level(arguments[i], &passed, &failed);
    }
    printf("%ld passed, %ld failed\n", passed, failed);
    return passed > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
