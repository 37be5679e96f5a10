/* Max pooling: the maximum of each window, channel by channel, and what goes to or comes from
 * its place.
 *
 * With row = i * stride_height + p - padding_top, and column likewise, over the (p, q) that lie
 * on the image:
 *     y[n, i, j, c] = max of x[n, row, column, c]
 * The first maximum in reading order is the winner, and the first NaN if there is one; u is taken
 * there, and g goes there.
 */
#include <math.h>

#include "max_window.h"

/* The number, p * window_width + q, of the winner of the window at (i, j). */
static int64_t plain_winner(const real *x, const window *s, int64_t n, int64_t i, int64_t j,
                            int64_t c)
{
    int64_t winner = -1;
    real best = 0;
    for (int64_t p = 0; p < s->window_height; p++)
        for (int64_t q = 0; q < s->window_width; q++) {
            int64_t row = row_at(s, i, p), column = column_at(s, j, q);
            if (!on_image(s, row, column))
                continue;
            real new = x[x_at(s, n, row, column, c)];
            if (winner < 0 || new > best || (isnan(new) && !isnan(best))) {
                winner = p * s->window_width + q;
                best = new;
            }
        }
    return winner;
}

/* The place in x, and in what is like it, of element `number` of the window at (i, j). */
static int64_t plain_place(const window *s, int64_t n, int64_t i, int64_t j, int64_t c,
                           int64_t number)
{
    int64_t p = number / s->window_width, q = number % s->window_width;
    return x_at(s, n, row_at(s, i, p), column_at(s, j, q), c);
}

int plain_max_pool_gather(const real *u, const real *x, real *y, const window *s, int threads)
{
    (void)threads;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->output_height; i++)
            for (int64_t j = 0; j < s->output_width; j++)
                for (int64_t c = 0; c < s->channels; c++) {
                    int64_t winner = plain_winner(x, s, n, i, j, c);
                    y[y_at(s, n, i, j, c)] = u[plain_place(s, n, i, j, c, winner)];
                }
    return 0;
}

int plain_max_pool(const real *x, real *y, const window *s, int threads)
{
    return plain_max_pool_gather(x, x, y, s, threads);
}

int plain_max_pool_gradient(const real *g, const real *x, real *x_bar, const window *s, int threads)
{
    (void)threads;
    memset(x_bar, 0, s->batch * s->height * s->width * s->channels * sizeof(real));
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->output_height; i++)
            for (int64_t j = 0; j < s->output_width; j++)
                for (int64_t c = 0; c < s->channels; c++) {
                    int64_t winner = plain_winner(x, s, n, i, j, c);
                    x_bar[plain_place(s, n, i, j, c, winner)] += g[y_at(s, n, i, j, c)];
                }
    return 0;
}

/* The maxima, and after them the numbers of the winners. */
int plain_max_pool_winners(const real *x, real *y, const window *s, int threads)
{
    plain_max_pool(x, y, s, threads);
    real *numbers = y + count_outputs(s);
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->output_height; i++)
            for (int64_t j = 0; j < s->output_width; j++)
                for (int64_t c = 0; c < s->channels; c++)
                    numbers[y_at(s, n, i, j, c)] = (real)plain_winner(x, s, n, i, j, c);
    return 0;
}

/* The numbers are compared, not trusted: one that is not of the window brings g nowhere. */
int plain_max_unpool(const real *g, const real *winners, real *x_bar, const window *s, int threads)
{
    (void)threads;
    memset(x_bar, 0, s->batch * s->height * s->width * s->channels * sizeof(real));
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->output_height; i++)
            for (int64_t j = 0; j < s->output_width; j++)
                for (int64_t p = 0; p < s->window_height; p++)
                    for (int64_t q = 0; q < s->window_width; q++) {
                        int64_t row = row_at(s, i, p), column = column_at(s, j, q);
                        if (!on_image(s, row, column))
                            continue;
                        for (int64_t c = 0; c < s->channels; c++) {
                            int64_t from = y_at(s, n, i, j, c);
                            if (winners[from] == (real)(p * s->window_width + q))
                                x_bar[x_at(s, n, row, column, c)] += g[from];
                        }
                    }
    return 0;
}

/* The fast versions: see pooling.h. */

/* y = the maximum of the window of x. The processor's maximum forgets a NaN, but a sum does not; only
 * where there may be one, maxima are taken step by step. */
INLINE void max_block(const pooling *p, place at, view v, block b)
{
    const real *x = p->x + at.image;
    vector best[MOST_VECTORS], sum[MOST_VECTORS], all = {0};
    UNROLL
    for (int i = 0; i < b.vectors; i++)
        best[i] = sum[i] = load_block(x, i, b);
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = row == 0; column < v.columns; column++)
            UNROLL
            for (int i = 0; i < b.vectors; i++) {
                vector new = load_block(x + row * v.row_step + column * v.column_step, i, b);
                best[i] = greater(new, best[i]);
                sum[i] += new;
            }
    UNROLL
    for (int i = 0; i < b.vectors; i++)
        all += sum[i];
    if (__builtin_expect(has_nan(all), 0)) {
        gather_window(x, x, p->y + at.output, v, b);
        return;
    }
    UNROLL
    for (int i = 0; i < b.vectors; i++)
        store_block(p->y + at.output, best[i], i, b);
}

INLINE void gather_block(const pooling *p, place at, view v, block b)
{
    gather_window(p->u + at.image, p->x + at.image, p->y + at.output, v, b);
}

/* x_bar += g at the winner of the window of x. */
INLINE void scatter_block(const pooling *p, place at, view v, block b)
{
    vector best[MOST_VECTORS], g[MOST_VECTORS];
    vector_mask winner[MOST_VECTORS];
    find_block(p->x + at.image, v, b, best, winner);
    UNROLL
    for (int i = 0; i < b.vectors; i++)
        g[i] = load_block(p->g + at.output, i, b);
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = 0; column < v.columns; column++) {
            const int32_t number = (int32_t)(v.first_number + row * v.row_numbers + column);
            real *pixel = p->x_bar + at.image + row * v.row_step + column * v.column_step;
            UNROLL
            for (int i = 0; i < b.vectors; i++) {
                vector former = p->must_add ? load_block(pixel, i, b) : (vector){0};
                vector share = (vector)((winner[i] == number) & (vector_mask)g[i]);
                store_block(pixel, former + share, i, b);
            }
        }
}

static void max_part(const void *p, int64_t task, int thread)
{
    (void)thread;
    do_part(max_block, p, part_of_task(p, task));
}

static void gather_part(const void *p, int64_t task, int thread)
{
    (void)thread;
    do_part(gather_block, p, part_of_task(p, task));
}

static void scatter_part(const void *p, int64_t task, int thread)
{
    (void)thread;
    clear(p, part_of_task(p, task));
    do_part(scatter_block, p, part_of_task(p, task));
}

static void winners_part(const void *p, int64_t task, int thread)
{
    (void)thread;
    find_winners(p, part_of_task(p, task));
}

static void unpool_part(const void *p, int64_t task, int thread)
{
    (void)thread;
    unpool(p, part_of_task(p, task));
}

int max_pool(const real *x, real *y, const window *s, int threads)
{
    return run(max_part, (pooling){.x = x, .y = y, .s = s}, threads);
}

int max_pool_gather(const real *u, const real *x, real *y, const window *s, int threads)
{
    return run(gather_part, (pooling){.u = u, .x = x, .y = y, .s = s}, threads);
}

int max_pool_gradient(const real *g, const real *x, real *x_bar, const window *s, int threads)
{
    pooling p = {.g = g, .x = x, .x_bar = x_bar, .s = s};
    return run(scatter_part, gradient_of(p), threads);
}

int max_pool_winners(const real *x, real *y, const window *s, int threads)
{
    pooling p = {.x = x, .y = y, .numbers = y + count_outputs(s), .s = s};
    return run(winners_part, p, threads);
}

int max_unpool(const real *g, const real *winners, real *x_bar, const window *s, int threads)
{
    pooling p = {.g = g, .winners = winners, .x_bar = x_bar, .s = s};
    return run(unpool_part, gradient_of(p), threads);
}
