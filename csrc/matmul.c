/* Products of matrices (see product.h), y (batch, rows, columns), a (batch, rows, terms):
 *     matmul       y(n, i, j) = sum over k of a(n, i, k) * b(n, k, j)
 *     dense_layer  y(n, i, j) = sum over k of a(n, i, k) * w(k, j) + b[j], and 0 in place of
 *                  negative elements if `relu`
 */
#include "product.h"

static product product_of(const real *a, const real *b, real *y, const matrices *s)
{
    return (product){.sizes = *s, .a = a, .b = b, .copy_a = copy_a,
                     .y = y, .y_batch_stride = s->rows * s->columns, .y_row_stride = s->columns};
}

/* a (batch, rows, terms), b (batch, terms, columns) -> y (batch, rows, columns) */
int matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    product job = product_of(a, b, y, s);
    return multiply(&job, threads);
}

/* a (batch, rows, terms), w (terms, columns), b (columns) -> y (batch, rows, columns) */
int dense_layer(const real *a, const real *w, const real *b, real *y, const matrices *s, int relu,
                int threads)
{
    product job = product_of(a, w, y, s);
    job.row_added = b;
    job.relu = relu;
    return multiply(&job, threads);
}
