/* y (batch, rows, columns) = a (batch, rows, terms) times b (batch, terms, columns):
 *     y(n, i, j) = sum over k of a(n, i, k) * b(n, k, j)
 */
#include "product.h"

int matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    product job = {.sizes = *s, .a = a, .b = b, .copy_a = copy_a,
                   .y = y, .y_batch_stride = s->rows * s->columns, .y_row_stride = s->columns};
    return multiply(&job, threads);
}
