/* Callers that were built against an older or a newer header, for every public struct that grows: the compiler lays
 * their structs out, from the list of members, with fewer members or with more. Memory behind a struct cannot be
 * touched. */
#include <stdio.h>
#include <string.h>

#include "../support/support.h"

static int failures;

static void fail(const char *type, const char *caller, size_t size, const char *what)
{
    printf("FAILED: %s, %s caller, struct_size %zu: %s (%s)\n", type, caller, size, what, sugar_last_error());
    failures++;
}

/* ---- Calls that take each struct, or fill it ---------------------------------------------------- */

static sugar_activation *rrelu;
static sugar_monitor *monitor;

static sugar_status call_sugar_activation_options(void *given)
{
    sugar_activation *made = NULL;
    const sugar_status status = sugar_activation_create_with_options(&made, "relu", 4, given);
    sugar_activation_destroy(made);
    return status;
}

static sugar_status call_sugar_context_options(void *given)
{
    sugar_context *made = NULL;
    const sugar_status status = sugar_context_create(&made, given);
    sugar_context_destroy(made);
    return status;
}

static sugar_status call_sugar_call_options(void *given)
{
    const float x[2] = {1, -1};
    float y[2] = {5, 5};
    const sugar_status status = sugar_forward_f32(rrelu, 2, x, 1, y, 1, given);
    if ((y[0] == 5) == (status == SUGAR_OK))
        fail("sugar_call_options", "any", 0, "y is wrong");
    return status;
}

static sugar_status call_sugar_random(void *given)
{
    const sugar_call_options options = {.struct_size = sizeof options, .random = given};
    return call_sugar_call_options((void *)(uintptr_t)&options);
}

static sugar_status call_sugar_monitor_options(void *given)
{
    sugar_monitor *made = NULL;
    const sugar_status status = sugar_monitor_create(&made, 2, given);
    sugar_monitor_destroy(made);
    return status;
}

static sugar_status call_sugar_monitor_summary(void *given) { return sugar_monitor_get(monitor, given); }

static sugar_status call_sugar_monitor_unit(void *given) { return sugar_monitor_get_unit(monitor, 0, given); }

static sugar_status call_sugar_activation_info(void *given) { return sugar_activation_get_info(rrelu, given); }

static sugar_status call_sugar_kind(void *given) { return sugar_kind_get(1, given); }

static sugar_status call_sugar_level(void *given) { return sugar_level_get(0, given); }

/* Of the first kind that has one. */
static sugar_status call_sugar_parameter(void *given)
{
    int32_t index = 0;
    sugar_kind kind = {.struct_size = sizeof kind};
    while (sugar_kind_get(index, &kind) == SUGAR_OK && kind.parameter_count == 0)
        index++;
    return sugar_kind_get_parameter(index, 0, given);
}

/* ---- What the caller of one struct sees --------------------------------------------------------- */

typedef struct grown grown;
struct grown {
    const char *type;
    sugar_status (*call)(void *given);
    void (*check_caller)(const grown *g, guarded memory, const char *caller, size_t size);
    const size_t *ends;             /* of the members, the last one that of the struct */
    size_t size;
    size_t newer[3];                /* sizes with a pair of int32_t more, a pointer and a word, a double */
};

/* A struct of that size, which ends where memory ends. */
static unsigned char *make(guarded memory, size_t size, unsigned char filling)
{
    unsigned char *given = memory.start + memory.size - size;
    memset(memory.start, filling, memory.size);
    memcpy(given, &size, sizeof size);
    return given;
}

/* Inputs: what they lack is a default. All of today's members are 0 here. */
static void check_input(const grown *g, guarded memory, const char *caller, size_t size)
{
    unsigned char *given = make(memory, size, 0);
    if (g->call(given) != SUGAR_OK)
        fail(g->type, caller, size, "refused");
    for (size_t i = g->size; i < size; i++) {
        char byte[40];
        snprintf(byte, sizeof byte, "byte %zu is 128", i);
        given[i] = 0x80;
        if (g->call(given) != SUGAR_ERROR_UNSUPPORTED || strstr(sugar_last_error(), byte) == NULL)
            fail(g->type, caller, size, byte);
        given[i] = 0;
    }
}

/* Outputs: the same members as today's struct has, zeros behind, and nothing before. */
static void check_output(const grown *g, guarded memory, const char *caller, size_t size)
{
    static _Alignas(8) unsigned char whole[4096];
    memset(whole, 0, sizeof whole);
    memcpy(whole, &g->size, sizeof g->size);
    unsigned char *given = make(memory, size, 0xa5);
    if (g->call(whole) != SUGAR_OK || g->call(given) != SUGAR_OK)
        fail(g->type, caller, size, "refused");
    if (memcmp(given, &size, sizeof size) != 0)
        fail(g->type, caller, size, "struct_size was changed");
    if (memcmp(given + sizeof size, whole + sizeof size, size - sizeof size) != 0)
        fail(g->type, caller, size, "members differ from those of today's struct");
    for (const unsigned char *before = memory.start; before < given; before++)
        if (*before != 0xa5) {
            fail(g->type, caller, size, "memory before the struct was written");
            return;
        }
}

/* A size between the ends of two members was never that of a struct: no 8 bytes are cut in two. */
static void check_cut(const grown *g, guarded memory, size_t from, size_t to)
{
    for (size_t size = from + 4; size < to; size += 4)
        if (g->call(make(memory, size, 0)) != SUGAR_ERROR_ARGUMENT || strstr(sugar_last_error(), "struct_size") == NULL)
            fail(g->type, "impossible", size, "accepted");
}

static void check(const grown *g)
{
    const guarded memory = guarded_make(4096);
    size_t before = sizeof(size_t);
    for (const size_t *end = g->ends; before < g->size; before = *end++) {
        check_cut(g, memory, before, *end);
        if (*end % sizeof(size_t) == 0)     /* else it is half of a pair of int32_t */
            g->check_caller(g, memory, *end < g->size ? "older" : "present", *end);
    }
    for (size_t i = 0; i < sizeof g->newer / sizeof *g->newer; i++)
        g->check_caller(g, memory, "newer", g->newer[i]);
    guarded_free(memory);
}

/* ---- The structs, by their list ----------------------------------------------------------------- */

#define END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

#define BEGIN(type) static const size_t ends_of_##type[] = {sizeof(size_t),
#define MEMBER(type, member) END_OF(type, member),
#define LAST(type, member)                                                                                             \
    END_OF(type, member)                                                                                               \
    }                                                                                                                  \
    ;
#include "base/structs.def"

/* Newer ones, with a member of each size. */
#define BEGIN(type)                                                                                                    \
    typedef struct type##_and_pair {                                                                                   \
        size_t struct_size;
#define MEMBER(type, member) __typeof__(((type *)0)->member) member;
#define LAST(type, member)                                                                                             \
    MEMBER(type, member)                                                                                               \
    int32_t newer, newest;                                                                                             \
    }                                                                                                                  \
    type##_and_pair;
#include "base/structs.def"

#define BEGIN(type)                                                                                                    \
    typedef struct type##_and_pointer {                                                                                \
        size_t struct_size;
#define MEMBER(type, member) __typeof__(((type *)0)->member) member;
#define LAST(type, member)                                                                                             \
    MEMBER(type, member)                                                                                               \
    void *newer;                                                                                                       \
    size_t newest;                                                                                                     \
    }                                                                                                                  \
    type##_and_pointer;
#include "base/structs.def"

#define BEGIN(type)                                                                                                    \
    typedef struct type##_and_double {                                                                                 \
        size_t struct_size;
#define MEMBER(type, member) __typeof__(((type *)0)->member) member;
#define LAST(type, member)                                                                                             \
    MEMBER(type, member)                                                                                               \
    double newer;                                                                                                      \
    }                                                                                                                  \
    type##_and_double;
#include "base/structs.def"

/* Inputs and outputs. */
#define CHECK_sugar_activation_options check_input
#define CHECK_sugar_context_options check_input
#define CHECK_sugar_call_options check_input
#define CHECK_sugar_random check_input
#define CHECK_sugar_monitor_options check_input
#define CHECK_sugar_monitor_summary check_output
#define CHECK_sugar_monitor_unit check_output
#define CHECK_sugar_kind check_output
#define CHECK_sugar_parameter check_output
#define CHECK_sugar_level check_output
#define CHECK_sugar_activation_info check_output

static const grown structs[] = {
#define BEGIN(type)                                                                                                    \
    {#type,          call_##type,  CHECK_##type,                                                                       \
     ends_of_##type, sizeof(type), {sizeof(type##_and_pair), sizeof(type##_and_pointer), sizeof(type##_and_double)}},
#define MEMBER(type, member)
#define LAST(type, member)
#include "base/structs.def"
};

int main(void)
{
    rrelu = must_create("rrelu", NULL);
    if (sugar_monitor_create(&monitor, 2, NULL) != SUGAR_OK)
        give_up("a monitor", sugar_last_error());
    for (size_t i = 0; i < sizeof structs / sizeof *structs; i++)
        check(&structs[i]);
    sugar_monitor_destroy(monitor);
    sugar_activation_destroy(rrelu);
    printf("%zu structs, %d failures\n", sizeof structs / sizeof *structs, failures);
    return failures != 0;
}
