/* Another way: tiles of 4 x 4 sums; the convolution tap by tap. */
#include "tinydl.h"

enum { TILE = 4 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void tile(const real *a, const real *b, real *y, const matrices *s, int64_t i0, int64_t j0)
{
    real sums[TILE][TILE] = {{0}};
    int64_t rows = least(TILE, s->rows - i0), columns = least(TILE, s->columns - j0);
    for (int64_t k = 0; k < s->terms; k++)
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
                sums[i][j] += a[(i0 + i) * s->a_row_stride + k * s->a_term_stride]
                            * b[k * s->b_term_stride + (j0 + j) * s->b_column_stride];
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) y[(i0 + i) * s->columns + j0 + j] = sums[i][j];
}

int matmul(const real *a, const real *b, real *y, const matrices *s, int threads)
{
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->rows; i += TILE)
            for (int64_t j = 0; j < s->columns; j += TILE)
                tile(a + n * s->a_batch_stride, b + n * s->b_batch_stride,
                     y + n * s->rows * s->columns, s, i, j);
    return 0;
}

static void add_tap(const real *pixel, const real *tap, real *sums, const window *s)
{
    for (int64_t o = 0; o < s->filters; o++)
        for (int64_t c = 0; c < s->channels; c++) sums[o] += pixel[c] * tap[c * s->filters + o];
}

/* The loops over the window outside, those over the places inside. */
int conv(const real *x, const real *w, real *y, const window *s, int threads)
{
    int64_t places = s->output_height * s->output_width;
    for (int64_t k = 0; k < s->batch * places * s->filters; k++) y[k] = 0;
    for (int64_t p = 0; p < s->window_height; p++)
        for (int64_t q = 0; q < s->window_width; q++)
            for (int64_t n = 0; n < s->batch; n++)
                for (int64_t place = 0; place < places; place++) {
                    int64_t i = place / s->output_width, j = place % s->output_width;
                    int64_t row = i * s->stride_height - s->padding_top + p * s->dilation_height;
                    int64_t column = j * s->stride_width - s->padding_left + q * s->dilation_width;
                    if (row >= 0 && row < s->height && column >= 0 && column < s->width)
                        add_tap(x + ((n * s->height + row) * s->width + column) * s->channels,
                                w + (p * s->window_width + q) * s->channels * s->filters,
                                y + (n * places + place) * s->filters, s);
                }
    return 0;
}
