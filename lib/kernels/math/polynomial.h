/* Polynomials. */
#ifndef SUGAR_KERNELS_MATH_POLYNOMIAL_H
#define SUGAR_KERNELS_MATH_POLYNOMIAL_H

#include "kernels/prologue.h"

/* c[0] + c[1] x + ... + c[degree] x^degree, by one level of Estrin's scheme: first c[k] + c[k + 1] x for each even k,
 * then Horner's rule in x^2 over these. That is half as deep as Horner's rule alone, whose latency is what these loops
 * wait for. */
ALWAYS_INLINE vec polynomial(const real *c, int degree, vec x)
{
    vec square = x * x;
    int k = degree & ~1;
    vec sum = degree & 1 ? vec_fma(vec_splat(c[degree]), x, vec_splat(c[degree - 1])) : vec_splat(c[degree]);
    UNROLL
    for (k -= 2; k >= 0; k -= 2)
        sum = vec_fma(sum, square, vec_fma(vec_splat(c[k + 1]), x, vec_splat(c[k])));
    return sum;
}

#define DEGREE(coefficients) ((int)(sizeof(coefficients) / sizeof *(coefficients)) - 1)
#define POLYNOMIAL(coefficients, x) polynomial(coefficients, DEGREE(coefficients), x)

#endif
