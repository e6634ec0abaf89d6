/* What tests of saved gradients share. */
#ifndef SAVING_H
#define SAVING_H

#include <stdbool.h>

#include "unit.h"

typedef struct spec_text {
    char text[256];
} spec_text;

/* `before`, then the kind with its parameters, then options of a surrogate. Set 0 has the default parameters, others
 * random ones. */
spec_text make_spec(const char *before, int32_t kind, int set, const char *options, uint64_t *state);

/* The bounds of g', as the library states them. */
void find_range(const sugar_activation *a, double *minimum, double *maximum);
bool has_range(const char *spec);

/* A saved gradient of `bits` bits for each element of a view. */
sugar_tensor saved_like(const view *elements, void *data, int bits, const int64_t *strides);
sugar_call_options options_with(const sugar_tensor *saved, uint64_t flags, const sugar_context *context);

enum { N = 3000 };

/* Flat calls, with a compact saved gradient. */
typedef struct vectors {
    element_type type;
    uint64_t x[N], y[N], dy[N], dx[N], ones[N];     /* room for any type */
    uint8_t codes[N];
    int64_t n;
} vectors;
extern vectors v, w;

/* A third of x are any bits, the others lie close together around 0. */
void fill(vectors *a, element_type type, uint64_t *state);

/* Those of `a`, in a row. */
sugar_tensor flat_saved(vectors *a, int bits);

/* Forward, from x to y and codes; backward, from codes and dy to dx. */
void save(const sugar_activation *activation, vectors *a, int bits);
void restore(const sugar_activation *activation, vectors *a, int bits, const void *dy, uint64_t flags);

#endif
