/* What meson.build compiles first of all: one product, in whose code clang tells what it is allowed to do with
 * it. No part of the library. */
#include "ieee754.h"

float ieee754_product(float a, float b);

float ieee754_product(float a, float b) { return a * b; }
