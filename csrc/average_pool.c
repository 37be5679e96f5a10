/* Average pooling: the mean of each window, channel by channel, and its gradient.
 *
 * With row = i * stride_height + p - padding_top, and column likewise, over the (p, q) that lie
 * on the image:
 *     y[n, i, j, c] = mean of x[n, row, column, c]
 */
#include "pooling.h"

/* How many pixels of the window at (i, j) lie on the image. */
static int64_t plain_count(const window *s, int64_t i, int64_t j)
{
    int64_t count = 0;
    for (int64_t p = 0; p < s->window_height; p++)
        for (int64_t q = 0; q < s->window_width; q++)
            count += on_image(s, row_at(s, i, p), column_at(s, j, q));
    return count;
}

int plain_average_pool(const real *x, real *y, const window *s, int threads)
{
    (void)threads;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->output_height; i++)
            for (int64_t j = 0; j < s->output_width; j++)
                for (int64_t c = 0; c < s->channels; c++) {
                    real sum = 0;
                    for (int64_t p = 0; p < s->window_height; p++)
                        for (int64_t q = 0; q < s->window_width; q++) {
                            int64_t row = row_at(s, i, p), column = column_at(s, j, q);
                            if (on_image(s, row, column))
                                sum += x[x_at(s, n, row, column, c)];
                        }
                    y[y_at(s, n, i, j, c)] = sum / (real)plain_count(s, i, j);
                }
    return 0;
}

/* y was the mean of m pixels; so each of them gets g / m. */
int plain_average_pool_gradient(const real *g, real *x_bar, const window *s, int threads)
{
    (void)threads;
    memset(x_bar, 0, s->batch * s->height * s->width * s->channels * sizeof(real));
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->output_height; i++)
            for (int64_t j = 0; j < s->output_width; j++)
                for (int64_t c = 0; c < s->channels; c++) {
                    real share = g[y_at(s, n, i, j, c)] / (real)plain_count(s, i, j);
                    for (int64_t p = 0; p < s->window_height; p++)
                        for (int64_t q = 0; q < s->window_width; q++) {
                            int64_t row = row_at(s, i, p), column = column_at(s, j, q);
                            if (on_image(s, row, column))
                                x_bar[x_at(s, n, row, column, c)] += share;
                        }
                }
    return 0;
}

/* The fast versions: see pooling.h. */

/* y = the mean of the window of x. */
INLINE void mean_block(const pooling *p, place at, view v, block b)
{
    vector sum[MOST_VECTORS] = {{0}};
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = 0; column < v.columns; column++) {
            const real *x = p->x + at.image + row * v.row_step + column * v.column_step;
            UNROLL
            for (int i = 0; i < b.vectors; i++)
                sum[i] += load_block(x, i, b);
        }
    UNROLL
    for (int i = 0; i < b.vectors; i++)
        store_block(p->y + at.output, sum[i] / (real)(v.rows * v.columns), i, b);
}

/* x_bar += g / m at the m pixels of the window. */
INLINE void share_block(const pooling *p, place at, view v, block b)
{
    vector share[MOST_VECTORS];
    UNROLL
    for (int i = 0; i < b.vectors; i++)
        share[i] = load_block(p->g + at.output, i, b) / (real)(v.rows * v.columns);
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = 0; column < v.columns; column++) {
            real *pixel = p->x_bar + at.image + row * v.row_step + column * v.column_step;
            UNROLL
            for (int i = 0; i < b.vectors; i++) {
                vector former = p->must_add ? load_block(pixel, i, b) : (vector){0};
                store_block(pixel, former + share[i], i, b);
            }
        }
}

static void mean_part(const void *p, int64_t task, int thread)
{
    (void)thread;
    do_part(mean_block, p, part_of_task(p, task));
}

static void share_part(const void *p, int64_t task, int thread)
{
    (void)thread;
    clear(p, part_of_task(p, task));
    do_part(share_block, p, part_of_task(p, task));
}

int average_pool(const real *x, real *y, const window *s, int threads)
{
    return run(mean_part, (pooling){.x = x, .y = y, .s = s}, threads);
}

int average_pool_gradient(const real *g, real *x_bar, const window *s, int threads)
{
    return run(share_part, gradient_of((pooling){.g = g, .x_bar = x_bar, .s = s}), threads);
}
