/* Where the elements of images, kernels and results of windows lie in memory, and where a window
 * meets the image: see `window` in tinydl.h. */
#ifndef TINYDL_WINDOW_H
#define TINYDL_WINDOW_H

#include "tinydl.h"

/* x(n, row, column, c) is x[x_at(s, n, row, column, c)]; the same for w and for y. */
static inline int64_t x_at(const window *s, int64_t n, int64_t row, int64_t column, int64_t c)
{
    return ((n * s->height + row) * s->width + column) * s->channels + c;
}

static inline int64_t w_at(const window *s, int64_t p, int64_t q, int64_t c, int64_t o)
{
    return ((p * s->window_width + q) * (s->channels / s->groups) + c) * s->filters + o;
}

static inline int64_t y_at(const window *s, int64_t n, int64_t i, int64_t j, int64_t o)
{
    return ((n * s->output_height + i) * s->output_width + j) * s->filters + o;
}

/* How many elements y has, if it is as large as what a window makes of all images. */
static inline int64_t count_outputs(const window *s)
{
    return s->batch * s->output_height * s->output_width * s->filters;
}

/* The row and the column of the image that window element (p, q) of output (i, j) lies on. */
static inline int64_t row_at(const window *s, int64_t i, int64_t p)
{
    return i * s->stride_height + p * s->dilation_height - s->padding_top;
}

static inline int64_t column_at(const window *s, int64_t j, int64_t q)
{
    return j * s->stride_width + q * s->dilation_width - s->padding_left;
}

static inline int on_image(const window *s, int64_t row, int64_t column)
{
    return row >= 0 && row < s->height && column >= 0 && column < s->width;
}

/* The first of the channels that filter o sees: 0, unless there are groups. */
static inline int64_t first_channel(const window *s, int64_t o)
{
    return o / (s->filters / s->groups) * (s->channels / s->groups);
}

#endif
