/* y (batch, rows, columns) = a (batch, rows, terms) times b (batch, terms, columns):
 *     y(n, i, j) = sum over k of a(n, i, k) * b(n, k, j)
 */
#include "product.h"

/* Copies a(i, k) for some rows i and terms k to panel (terms, TILE_ROWS). */
static void copy_matrix_a(const product *job, int64_t batch, int64_t first, int64_t count,
                          int64_t first_term, int64_t terms, real *panel)
{
    const matrices *s = job->strides;
    const real *a = job->a + batch * s->a_batch_stride + first * s->a_row_stride +
                    first_term * s->a_term_stride;
    for (int64_t i = 0; i < TILE_ROWS; i++)
        for (int64_t k = 0; k < terms; k++)
            panel[k * TILE_ROWS + i] =
                i < count ? a[i * s->a_row_stride + k * s->a_term_stride] : 0;
}

/* Copies b(k, j) for some columns j and terms k to panel (terms, TILE_COLUMNS). */
static void copy_matrix_b(const product *job, int64_t batch, int64_t first, int64_t count,
                          int64_t first_term, int64_t terms, real *panel)
{
    const matrices *s = job->strides;
    const real *b = job->b + batch * s->b_batch_stride + first * s->b_column_stride +
                    first_term * s->b_term_stride;
    for (int64_t k = 0; k < terms; k++)
        for (int64_t j = 0; j < TILE_COLUMNS; j++)
            panel[k * TILE_COLUMNS + j] =
                j < count ? b[k * s->b_term_stride + j * s->b_column_stride] : 0;
}

int matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    product job = {.batch = s->batch, .rows = s->rows, .columns = s->columns, .terms = s->terms,
                   .copy_a = copy_matrix_a, .copy_b = copy_matrix_b,
                   .a = a, .b = b, .strides = s, .y = y};
    return multiply(&job, threads);
}
