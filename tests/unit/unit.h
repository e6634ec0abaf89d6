/* For every unit test: cmocka, the library, and assertions about its calls. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sugar/sugar.h>

#include "../support/support.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A view with room for its own shape and strides; x.tensor is what the library gets. */
typedef struct view {
    sugar_tensor tensor;
    int64_t shape[SUGAR_MAX_DIMENSIONS + 1], strides[SUGAR_MAX_DIMENSIONS + 1];
} view;

/* Fills *v. strides NULL: compact, with explicit strides. The view refers to itself: never copy it. */
void view_make(view *v, void *data, size_t width, int32_t ndim, const int64_t *shape, const int64_t *strides);

/* The offset of element number i, in row-major order of the indices, from data, in elements. */
int64_t view_offset(const view *v, int64_t i);
int64_t view_count(const view *v);

/* One f32 after another. */
sugar_tensor vector(float *data, const int64_t *extent);

/* An element as a number; and a number as the nearest element. */
double get_element(const void *elements, int64_t i, element_type type);
void set_element(void *elements, int64_t i, element_type type, double value);

/* A caller's pool that has one thread, and takes the tasks from the last one on. */
void backwards(void *payload, void (*task)(void *work, int64_t index), void *work, int64_t count);

void assert_ok(sugar_status status);

/* The threads of this process, as Linux counts them; 0 where it does not say. */
int count_threads(void);

/* The call failed with `expected`, and the message is one printable line that contains `part`. */
void assert_fails(sugar_status status, sugar_status expected, const char *part);

#endif
