/* The columns of b are packed first, four sums run at a time, and conv is a product of patches. */
#include <stdio.h>
#include <stdlib.h>

#include "tinydl.h"

static real dot(const real *row, int64_t step, const real *column, int64_t terms)
{
    real sums[4] = {0};
    int64_t k = 0;
    for (; k + 4 <= terms; k += 4)
        for (int64_t l = 0; l < 4; l++) sums[l] += row[(k + l) * step] * column[k + l];
    for (; k < terms; k++) sums[0] += row[k * step] * column[k];
    return sums[0] + sums[1] + sums[2] + sums[3];
}

int matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    real *packed = malloc(sizeof(real) * (s->terms * s->columns + 1));
    if (!packed) return 1;
    for (int64_t n = 0; n < s->batch; n++) {
        const real *from = b + n * s->b_batch_stride;
        for (int64_t j = 0; j < s->columns; j++)
            for (int64_t k = 0; k < s->terms; k++)
                packed[j * s->terms + k] = from[k * s->b_term_stride + j * s->b_column_stride];
        for (int64_t i = 0; i < s->rows; i++) {
            const real *row = a + n * s->a_batch_stride + i * s->a_row_stride;
            for (int64_t j = 0; j < s->columns; j++)
                *y++ = dot(row, s->a_term_stride, packed + j * s->terms, s->terms);
        }
    }
    free(packed);
    printf("%d threads\n", threads);
    return 0;
}

int conv(const real *x, const real *w, real *y, const window *s, int threads)
{
    int64_t terms = s->window_height * s->window_width * s->channels;
    int64_t rows = s->batch * s->output_height * s->output_width;
    real *patches = calloc(rows * terms + 1, sizeof *patches), *at = patches;
    if (patches == NULL) return 1;
    for (int64_t n = 0; n < s->batch; n++)
    for (int64_t i = 0; i < s->output_height; i++)
    for (int64_t j = 0; j < s->output_width; j++)
    for (int64_t p = 0; p < s->window_height; p++)
    for (int64_t q = 0; q < s->window_width; q++, at += s->channels) {
        int64_t row = i * s->stride_height + p * s->dilation_height - s->padding_top;
        int64_t column = j * s->stride_width + q * s->dilation_width - s->padding_left;
        if (row < 0 || row >= s->height || column < 0 || column >= s->width) continue;
        for (int64_t c = 0; c < s->channels; c++)
            at[c] = x[((n * s->height + row) * s->width + column) * s->channels + c];
    }
    matrices product = {1, rows, terms, s->filters, 0, terms, 1, 0, s->filters, 1};
    int status = matmul(patches, w, y, &product, threads);
    free(patches);
    return status;
}
