/* Products of matrices (see product.h), y (batch, rows, columns), a (batch, rows, terms):
 *     matmul       y(n, i, j) = sum over k of a(n, i, k) * b(n, k, j)
 *     dense_layer  y(n, i, j) = sum over k of a(n, i, k) * w(k, j) + b[j], and 0 in place of
 *                  negative elements if `relu`
 */
#include "product.h"

int plain_matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    (void)threads;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->rows; i++)
            for (int64_t j = 0; j < s->columns; j++) {
                real sum = 0;
                for (int64_t k = 0; k < s->terms; k++)
                    sum += a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride] *
                           b[n * s->b_batch_stride + k * s->b_term_stride + j * s->b_column_stride];
                y[(n * s->rows + i) * s->columns + j] = sum;
            }
    return 0;
}

/* plain_matmul, plain_add_row and plain_relu, one after the other. */
int plain_dense_layer(const real *a, const real *w, const real *b, real *y, const matrices *s,
                      int relu, int threads)
{
    plain_matmul(a, w, y, s, threads);
    for (int64_t i = 0; i < s->batch * s->rows; i++)
        for (int64_t j = 0; j < s->columns; j++) {
            real sum = y[i * s->columns + j] + b[j];
            y[i * s->columns + j] = relu && sum <= 0 ? 0 : sum;
        }
    return 0;
}

/* The fast versions work by tiles, from panels: see product.h. */
/* a (batch, rows, terms), b (batch, terms, columns) -> y (batch, rows, columns) */
int matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    return dense_layer(a, b, NULL, y, s, 0, threads);
}

/* a (batch, rows, terms), w (terms, columns), b (columns) or NULL -> y (batch, rows, columns) */
int dense_layer(const real *a, const real *w, const real *b, real *y, const matrices *s, int relu,
                int threads)
{
    product job = {.sizes = *s, .a = a, .b = w, .y = y, .row_added = b, .relu = relu};
    return multiply(&job, threads);
}
