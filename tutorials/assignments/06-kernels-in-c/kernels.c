/* Assignment 6: the matrix product and the convolution in C.
 *
 * Hand in this file. It is compiled twice, with `real` as float and as double; write `real`, never
 * float or double, for elements and for their sums. tinydl.h says what the structs hold. */
#include "tinydl.h"

/* y(n, i, j) = sum over k of a(n, i, k) b(n, k, j)
 *
 *     a(n, i, k) = a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride]
 *     b(n, k, j) = b[n * s->b_batch_stride + k * s->b_term_stride + j * s->b_column_stride]
 *     y(n, i, j) = y[(n * s->rows + i) * s->columns + j]
 *
 * y holds garbage when it arrives. Return 0. */
int matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    (void)threads;
    // ### BEGIN SOLUTION
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->rows; i++) {
            real *row = y + (n * s->rows + i) * s->columns;
            for (int64_t j = 0; j < s->columns; j++) row[j] = 0;
            for (int64_t k = 0; k < s->terms; k++) {
                real factor = a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride];
                const real *terms = b + n * s->b_batch_stride + k * s->b_term_stride;
                if (s->b_column_stride == 1) /* neighbours: the compiler makes vectors of them */
                    for (int64_t j = 0; j < s->columns; j++) row[j] += factor * terms[j];
                else
                    for (int64_t j = 0; j < s->columns; j++)
                        row[j] += factor * terms[j * s->b_column_stride];
            }
        }
    return 0;
    // ### END SOLUTION
}

/* y(n, i, j, o) = sum over p, q, c of x(n, row, column, c) w(p, q, c, o), where
 *
 *     row    = i * s->stride_height + p * s->dilation_height - s->padding_top
 *     column = j * s->stride_width  + q * s->dilation_width  - s->padding_left
 *
 * and only rows and columns that the image has count. All arrays are contiguous:
 *
 *     x (batch, height, width, channels)        w (window_height, window_width, channels, filters)
 *     y (batch, output_height, output_width, filters)
 *
 * There is one group (s->groups is 1). y holds garbage when it arrives. Return 0. */
int conv(const real *x, const real *w, real *y, const window *s, int threads)
{
    (void)threads;
    // ### BEGIN SOLUTION
    for (int64_t place = 0; place < s->batch * s->output_height * s->output_width; place++) {
        int64_t n = place / (s->output_height * s->output_width);
        int64_t i = place / s->output_width % s->output_height;
        int64_t j = place % s->output_width;
        real *result = y + place * s->filters;
        for (int64_t o = 0; o < s->filters; o++) result[o] = 0;
        for (int64_t p = 0; p < s->window_height; p++)
            for (int64_t q = 0; q < s->window_width; q++) {
                int64_t row = i * s->stride_height + p * s->dilation_height - s->padding_top;
                int64_t column = j * s->stride_width + q * s->dilation_width - s->padding_left;
                if (row < 0 || row >= s->height || column < 0 || column >= s->width) continue;
                const real *pixel = x + ((n * s->height + row) * s->width + column) * s->channels;
                const real *tap = w + (p * s->window_width + q) * s->channels * s->filters;
                for (int64_t c = 0; c < s->channels; c++)
                    for (int64_t o = 0; o < s->filters; o++)
                        result[o] += pixel[c] * tap[c * s->filters + o];
            }
    }
    return 0;
    // ### END SOLUTION
}
