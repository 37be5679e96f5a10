/* Pooling: the maximum or the mean of each window, channel by channel, and the gradients.
 *
 * With row = i * stride_height + p - padding_top, and column likewise, over the (p, q) that lie
 * on the image:
 *     max_pool      y[n, i, j, c] = max of x[n, row, column, c]
 *     average_pool  y[n, i, j, c] = mean of x[n, row, column, c]
 * The first maximum in reading order is the winner, and the first NaN if there is one; u is taken
 * there, and g goes there.
 */
#include <math.h>
#include <string.h>

#include "shared.h"
#include "window.h"

/* The place in x of the winner of the window at (i, j). */
static int64_t plain_winner(const real *x, const window *s, int64_t n, int64_t i, int64_t j,
                            int64_t c)
{
    int64_t winner = -1;
    for (int64_t p = 0; p < s->window_height; p++)
        for (int64_t q = 0; q < s->window_width; q++) {
            int64_t row = row_at(s, i, p), column = column_at(s, j, q);
            if (!on_image(s, row, column))
                continue;
            int64_t place = x_at(s, n, row, column, c);
            if (winner < 0 || x[place] > x[winner] || (isnan(x[place]) && !isnan(x[winner])))
                winner = place;
        }
    return winner;
}

int plain_max_pool_gather(const real *u, const real *x, real *y, const window *s, int threads)
{
    (void)threads;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->output_height; i++)
            for (int64_t j = 0; j < s->output_width; j++)
                for (int64_t c = 0; c < s->channels; c++)
                    y[y_at(s, n, i, j, c)] = u[plain_winner(x, s, n, i, j, c)];
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
                for (int64_t c = 0; c < s->channels; c++)
                    x_bar[plain_winner(x, s, n, i, j, c)] += g[y_at(s, n, i, j, c)];
    return 0;
}

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

/* Channels are worked on in blocks of up to this many, whose maxima fit on the stack. */
#define CHANNELS_BLOCK 32

/* Numbers whose reading takes about as long as it takes to wake a sleeping thread. */
#define READS_WORTH_A_THREAD 300000

typedef struct {
    const real *u, *x, *g;
    real *result;
    const window *s;
    int64_t blocks;
} pooling;

/* What a window sees of the image: rows x columns pixels from pixel (row, column) on. */
typedef struct {
    int64_t row, column, rows, columns;
} view;

static view view_at(const window *s, int64_t i, int64_t j)
{
    int64_t top = i * s->stride_height - s->padding_top;
    int64_t left = j * s->stride_width - s->padding_left;
    int64_t bottom = top + s->window_height, right = left + s->window_width;
    top = top < 0 ? 0 : top;
    left = left < 0 ? 0 : left;
    return (view){top, left, smaller(bottom, s->height) - top, smaller(right, s->width) - left};
}

/* The number of x[n, row, column, c] in x (batch, height, width, channels). */
static int64_t at(const window *s, int64_t n, int64_t row, int64_t column, int64_t c)
{
    return ((n * s->height + row) * s->width + column) * s->channels + c;
}

/* The same for y and g (batch, output_height, output_width, channels). */
static int64_t output_at(const window *s, int64_t n, int64_t i, int64_t j, int64_t c)
{
    return ((n * s->output_height + i) * s->output_width + j) * s->channels + c;
}

/* How many channels the block that begins at channel c has. */
static int64_t block_size(const window *s, int64_t c)
{
    return smaller(s->channels - c, CHANNELS_BLOCK);
}

/* Sets image n of the result to zero in a block of channels. */
static void clear(const pooling *p, int64_t n, int64_t c, int64_t channels)
{
    for (int64_t pixel = 0; pixel < p->s->height * p->s->width; pixel++)
        memset(p->result + at(p->s, n, 0, pixel, c), 0, channels * sizeof(real));
}

/* Windows of 2 x 2 are so common that they have loops of their own, which hold what they know of
 * a channel in registers. For those the compiler must be given the numbers of rows and columns. */
static int is_two_by_two(view v)
{
    return v.rows == 2 && v.columns == 2;
}

/* y (channels) = the greatest of the 2 x 2 pixels from x on; NaN is greater than all. */
INLINE void greatest_of_four(real *restrict y, const real *restrict x, int64_t row_step,
                             int64_t column_step, int64_t channels)
{
    for (int64_t c = 0; c < channels; c++) {
        real best = x[c];
        UNROLL
        for (int number = 1; number < 4; number++) {
            real new = x[number / 2 * row_step + number % 2 * column_step + c];
            best = ((new > best) | (new != new)) ? new : best;
        }
        y[c] = best;
    }
}

/* best (channels) = the greatest of best and x; NaN is greater than all. */
static void keep_greater(real *restrict best, const real *restrict x, int64_t channels)
{
    for (int64_t c = 0; c < channels; c++)
        best[c] = ((x[c] > best[c]) | (x[c] != x[c])) ? x[c] : best[c];
}

/* sum (channels) += x */
static void add(real *restrict sum, const real *restrict x, int64_t channels)
{
    for (int64_t c = 0; c < channels; c++)
        sum[c] += x[c];
}

/* Task (n, i) of max_pool: one row of y. */
static void max_pool_row(const void *job, int64_t task, int thread)
{
    (void)thread;
    const pooling *p = job;
    const window *s = p->s;
    int64_t n = task / s->output_height, i = task % s->output_height;
    for (int64_t j = 0; j < s->output_width; j++) {
        real *y = p->result + output_at(s, n, i, j, 0);
        view v = view_at(s, i, j);
        const real *x = p->x + at(s, n, v.row, v.column, 0);
        if (is_two_by_two(v)) {
            greatest_of_four(y, x, s->width * s->channels, s->channels, s->channels);
            continue;
        }
        memcpy(y, x, s->channels * sizeof(real));
        for (int64_t row = v.row; row < v.row + v.rows; row++)
            for (int64_t column = v.column; column < v.column + v.columns; column++)
                keep_greater(y, p->x + at(s, n, row, column, 0), s->channels);
    }
}

/* Task (n, i) of average_pool: one row of y. */
static void average_pool_row(const void *job, int64_t task, int thread)
{
    (void)thread;
    const pooling *p = job;
    const window *s = p->s;
    int64_t n = task / s->output_height, i = task % s->output_height;
    for (int64_t j = 0; j < s->output_width; j++) {
        real *y = p->result + output_at(s, n, i, j, 0);
        view v = view_at(s, i, j);
        memset(y, 0, s->channels * sizeof(real));
        for (int64_t row = v.row; row < v.row + v.rows; row++)
            for (int64_t column = v.column; column < v.column + v.columns; column++)
                add(y, p->x + at(s, n, row, column, 0), s->channels);
        for (int64_t c = 0; c < s->channels; c++)
            y[c] /= (real)(v.rows * v.columns);
    }
}

/* winner (channels) = the number of each channel's first maximum among 2 x 2 pixels from x on:
 * of the pixels that equal the maximum the last that is met, beginning at the end. */
INLINE void find_winners_of_four(const real *restrict x, int64_t row_step, int64_t column_step,
                                 int64_t channels, int32_t *restrict winner)
{
    real best[CHANNELS_BLOCK];
    greatest_of_four(best, x, row_step, column_step, channels);
    for (int64_t b = 0; b < channels; b++) {
        int32_t first = 3;
        UNROLL
        for (int32_t number = 2; number >= 0; number--) {
            real new = x[number / 2 * row_step + number % 2 * column_step + b];
            first = ((new == best[b]) | (new != new)) ? number : first;
        }
        winner[b] = first;
    }
}

/* winner (channels) = the number within the view of each channel's first maximum. What a
 * condition chooses from is read before it: then there is no branch, and the loop is vectorized. */
INLINE void find_winners(const pooling *p, int64_t n, view v, int64_t c, int64_t channels,
                         int32_t *restrict winner)
{
    const real *first = p->x + at(p->s, n, v.row, v.column, c);
    if (is_two_by_two(v)) {
        find_winners_of_four(first, p->s->width * p->s->channels, p->s->channels, channels, winner);
        return;
    }
    real best[CHANNELS_BLOCK];
    memcpy(best, first, channels * sizeof(real));
    memset(winner, 0, channels * sizeof(int32_t));
    int32_t number = 0;
    for (int64_t row = v.row; row < v.row + v.rows; row++)
        for (int64_t column = v.column; column < v.column + v.columns; column++, number++) {
            const real *x = p->x + at(p->s, n, row, column, c);
            for (int64_t b = 0; b < channels; b++) {
                real new = x[b], old = best[b];
                int32_t former = winner[b];
                int wins = (new > old) | ((new != new) & (old == old));
                best[b] = wins ? new : old;
                winner[b] = wins ? number : former;
            }
        }
}

/* y (channels) = u where the winner has this number. */
INLINE void take(real *restrict y, const real *restrict u, const int32_t *restrict winner,
                 int32_t number, int64_t channels)
{
    for (int64_t b = 0; b < channels; b++) {
        real new = u[b], old = y[b];
        y[b] = winner[b] == number ? new : old;
    }
}

/* x_bar (channels) = g where the winner has this number, otherwise what is there already, or 0
 * in windows that are apart. */
INLINE void give(real *restrict x_bar, const real *restrict g, const int32_t *restrict winner,
                 int32_t number, int64_t channels, int apart)
{
    for (int64_t b = 0; b < channels; b++) {
        real share = g[b], former = apart ? 0 : x_bar[b];
        x_bar[b] = former + (winner[b] == number ? share : 0);
    }
}

/* y[n, i, j] (channels) = u at the winner of x's window there. */
INLINE void gather_window(const pooling *p, int64_t n, int64_t i, int64_t j, int64_t c,
                                 int64_t channels)
{
    int32_t winner[CHANNELS_BLOCK], number = 0;
    view v = view_at(p->s, i, j);
    find_winners(p, n, v, c, channels, winner);
    for (int64_t row = v.row; row < v.row + v.rows; row++)
        for (int64_t column = v.column; column < v.column + v.columns; column++)
            take(p->result + output_at(p->s, n, i, j, c), p->u + at(p->s, n, row, column, c),
                 winner, number++, channels);
}

/* Whether no pixel lies in two windows. */
static int windows_are_apart(const window *s)
{
    return s->stride_height >= s->window_height && s->stride_width >= s->window_width;
}

/* Whether every pixel lies in exactly one window. */
static int windows_tile_the_image(const window *s)
{
    return s->stride_height == s->window_height && s->stride_width == s->window_width &&
           s->output_height * s->stride_height - s->padding_top >= s->height &&
           s->output_width * s->stride_width - s->padding_left >= s->width;
}

/* x_bar (channels) += g[n, i, j] at the winner of x's window there; if the windows are apart, the
 * pixels of this window are set, whatever they were before. */
INLINE void scatter_window(const pooling *p, int64_t n, int64_t i, int64_t j, int64_t c,
                           int64_t channels, int apart)
{
    int32_t winner[CHANNELS_BLOCK], number = 0;
    view v = view_at(p->s, i, j);
    const real *g = p->g + output_at(p->s, n, i, j, c);
    find_winners(p, n, v, c, channels, winner);
    for (int64_t row = v.row; row < v.row + v.rows; row++)
        for (int64_t column = v.column; column < v.column + v.columns; column++)
            give(p->result + at(p->s, n, row, column, c), g, winner, number++, channels, apart);
}

/* Task (n, block of channels) of max_pool_gather. Most blocks are whole: the second call, with
 * a constant, lets the compiler unroll the loops over channels. */
static void max_pool_gather_block(const void *job, int64_t task, int thread)
{
    (void)thread;
    const pooling *p = job;
    int64_t n = task / p->blocks, c = task % p->blocks * CHANNELS_BLOCK;
    int64_t channels = block_size(p->s, c);
    for (int64_t i = 0; i < p->s->output_height; i++)
        for (int64_t j = 0; j < p->s->output_width; j++)
            if (channels < CHANNELS_BLOCK)
                gather_window(p, n, i, j, c, channels);
            else
                gather_window(p, n, i, j, c, CHANNELS_BLOCK);
}

/* Task (n, block of channels) of max_pool_gradient: no other task writes there. */
static void max_pool_gradient_block(const void *job, int64_t task, int thread)
{
    (void)thread;
    const pooling *p = job;
    const window *s = p->s;
    int64_t n = task / p->blocks, c = task % p->blocks * CHANNELS_BLOCK;
    int64_t channels = block_size(s, c);
    int apart = windows_are_apart(s);
    if (!windows_tile_the_image(s))
        clear(p, n, c, channels);
    for (int64_t i = 0; i < s->output_height; i++)
        for (int64_t j = 0; j < s->output_width; j++)
            if (channels < CHANNELS_BLOCK)
                scatter_window(p, n, i, j, c, channels, apart);
            else if (apart)
                scatter_window(p, n, i, j, c, CHANNELS_BLOCK, 1);
            else
                scatter_window(p, n, i, j, c, CHANNELS_BLOCK, 0);
}

/* Task (n, block of channels) of average_pool_gradient. */
static void average_pool_gradient_block(const void *job, int64_t task, int thread)
{
    (void)thread;
    const pooling *p = job;
    const window *s = p->s;
    int64_t n = task / p->blocks, c = task % p->blocks * CHANNELS_BLOCK;
    int64_t channels = block_size(s, c);
    real share[CHANNELS_BLOCK];
    clear(p, n, c, channels);
    for (int64_t i = 0; i < s->output_height; i++)
        for (int64_t j = 0; j < s->output_width; j++) {
            view v = view_at(s, i, j);
            const real *g = p->g + output_at(s, n, i, j, c);
            for (int64_t b = 0; b < channels; b++)
                share[b] = g[b] / (real)(v.rows * v.columns);
            for (int64_t row = v.row; row < v.row + v.rows; row++)
                for (int64_t column = v.column; column < v.column + v.columns; column++)
                    add(p->result + at(s, n, row, column, c), share, channels);
        }
}

/* Runs `body` for every row of the output, or every block of channels, of every image. */
static int run(task_function *body, pooling job, int by_rows, int threads)
{
    const window *s = job.s;
    int64_t reads = s->batch * s->output_height * s->output_width * s->channels *
                    s->window_height * s->window_width;
    job.blocks = (s->channels + CHANNELS_BLOCK - 1) / CHANNELS_BLOCK;
    run_tasks(body, &job, s->batch * (by_rows ? s->output_height : job.blocks),
              useful_threads(reads, READS_WORTH_A_THREAD, threads));
    return 0;
}

/* x (batch, height, width, channels) -> y (batch, output_height, output_width, channels) */
int max_pool(const real *x, real *y, const window *s, int threads)
{
    return run(max_pool_row, (pooling){.x = x, .result = y, .s = s}, 1, threads);
}

/* u like x, x -> y: like max_pool(x), but the elements of u at those places. */
int max_pool_gather(const real *u, const real *x, real *y, const window *s, int threads)
{
    return run(max_pool_gather_block, (pooling){.u = u, .x = x, .result = y, .s = s}, 0, threads);
}

/* g like y, x -> x_bar like x: in gather y came from the winner's place, so that place gets g. */
int max_pool_gradient(const real *g, const real *x, real *x_bar, const window *s, int threads)
{
    return run(max_pool_gradient_block, (pooling){.g = g, .x = x, .result = x_bar, .s = s}, 0,
               threads);
}

/* x (batch, height, width, channels) -> y (batch, output_height, output_width, channels) */
int average_pool(const real *x, real *y, const window *s, int threads)
{
    return run(average_pool_row, (pooling){.x = x, .result = y, .s = s}, 1, threads);
}

/* g like y -> x_bar like x: y was the mean of m pixels, so each of them gets g / m. */
int average_pool_gradient(const real *g, real *x_bar, const window *s, int threads)
{
    return run(average_pool_gradient_block, (pooling){.g = g, .result = x_bar, .s = s}, 0,
               threads);
}
