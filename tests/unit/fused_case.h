/* A call with options, made at random: which options, which activation, and where its operands lie. */
#ifndef FUSED_CASE_H
#define FUSED_CASE_H

#include "unit.h"

enum {
    MONITOR = 1,
    PARAMETER = 2,
    PARAMETER_GRADIENT = 4,
    SAVED = 8,
    RANDOM = 16,
    BIAS = 32,
    BIAS_GRADIENT = 64,
    GATE = 128,
    GATE_GRADIENT = 256,
    ACCUMULATE = 512,
    FROM_OUTPUT = 1024,
    ALL_SETS = 2048,
    FUSED = BIAS | BIAS_GRADIENT | GATE | GATE_GRADIENT,
    ONLY_BACKWARD = PARAMETER_GRADIENT | BIAS_GRADIENT | GATE_GRADIENT | ACCUMULATE | FROM_OUTPUT
};

/* Whether a call may have these options, as the header's table says it. */
int is_allowed(int set, int is_backward);

/* A spec, and what the oracle must know of it: the surrogate as one of relu, if g' has one, and how much it counts. */
typedef struct recipe {
    const char *spec, *surrogate;
    double blend;
    int negative_only;
} recipe;

enum { MOST_ELEMENTS = 6000, MOST_MEMORY = 2 * MOST_ELEMENTS + 2, MOST_DIMENSIONS = 4 };

/* An operand, and what its memory held before the call. */
typedef struct operand {
    view v;
    element_type type;
    uint64_t memory[MOST_MEMORY], before[MOST_MEMORY];
} operand;

typedef struct test_case {
    int set, is_backward;
    element_type type;
    int32_t ndim;
    int64_t shape[MOST_DIMENSIONS], count;
    int64_t used;                   /* elements of an operand's memory */
    const recipe *recipe;
    sugar_activation *activation, *surrogate;
    sugar_call_options options;
    sugar_random random;
    operand x, dy, out, parameter, parameter_gradient, saved, bias, bias_gradient, gate, gate_gradient;
    operand *in_place[2];           /* the inputs that out and gate_gradient are, or NULL */
} test_case;

/* A case has random contents; its options are those of `set`. chosen: its recipe, or NULL: one that `set` allows. */
void make_case(test_case *c, const recipe *chosen, int set, int is_backward, element_type type, uint64_t *state);
sugar_status run_case(test_case *c);
void end_case(test_case *c);

/* The index of element i in every dimension, as the offset into a view of the shape of x or broadcast to it; and what
 * an operand holds there. */
int64_t offset_of(const test_case *c, const view *v, int64_t i);
double read_before(const test_case *c, const operand *o, int64_t i);
uint64_t bits_after(const test_case *c, const operand *o, int64_t i);

/* Arithmetic in the type that an element type is computed in. */
element_type real_type(element_type type);
double add(element_type type, double a, double b);
double times(element_type type, double a, double b);
double times_plus(element_type type, double a, double b, double c);

/* f of one number, and g', by plain calls. */
double plain_value(const sugar_activation *a, element_type type, double x);
double plain_derivative(const sugar_activation *a, element_type type, double x, uint64_t flags);

#endif
