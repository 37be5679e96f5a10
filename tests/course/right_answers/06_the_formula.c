/* The formulas as they stand: no thought given to speed. */
#include "tinydl.h"

int matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->rows; i++)
            for (int64_t j = 0; j < s->columns; j++) {
                real sum = 0;
                for (int64_t k = 0; k < s->terms; k++)
                    sum += a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride]
                         * b[n * s->b_batch_stride + k * s->b_term_stride + j * s->b_column_stride];
                y[(n * s->rows + i) * s->columns + j] = sum;
            }
    return 0;
}

int conv(const real *x, const real *w, real *y, const window *s, int threads)
{
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->output_height; i++)
            for (int64_t j = 0; j < s->output_width; j++)
                for (int64_t o = 0; o < s->filters; o++) {
                    real sum = 0;
                    for (int64_t p = 0; p < s->window_height; p++)
                        for (int64_t q = 0; q < s->window_width; q++)
                            for (int64_t c = 0; c < s->channels; c++) {
                                int64_t r = i * s->stride_height + p * s->dilation_height
                                          - s->padding_top;
                                int64_t k = j * s->stride_width + q * s->dilation_width
                                          - s->padding_left;
                                if (0 <= r && r < s->height && 0 <= k && k < s->width)
                                    sum += x[((n * s->height + r) * s->width + k) * s->channels + c]
                                         * w[((p * s->window_width + q) * s->channels + c)
                                             * s->filters + o];
                            }
                    *y++ = sum;
                }
    return 0;
}
