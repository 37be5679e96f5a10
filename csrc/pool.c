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
#include "vector.h"
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

/* The fast versions go through an image once, window by window, and through the channels of a
 * window in blocks of a few vectors. So what is known of a block (the best so far and where it was,
 * or the sum) stays in registers, and lanes are compared and chosen among without branches. That is
 * 25 to 50 times as fast as the plain loops, and as fast as the cache delivers images. */
#define MOST_VECTORS 4

/* To load or store few lanes of a vector takes longer than to do so many numbers one by one. */
#define FEW_LANES 4

/* A task is an image, or, if there are fewer images than this, a part of its channels, in units. */
#define ENOUGH_IMAGES 8
#define CHANNELS_UNIT 32

/* Numbers whose reading takes about 10 us, as waking a thread does. */
#define READS_WORTH_A_THREAD 100000

typedef struct {
    const real *u, *x, *g;
    real *y, *x_bar;
    const window *s;
    int64_t channel_parts;
    int must_add, must_clear; /* see run_gradient */
} pooling;

/* Where a window begins in the arrays that are like the image, and in those like the output. */
typedef struct {
    int64_t image, output;
} place;

/* What the window sees of the image: rows x columns pixels. */
typedef struct {
    int64_t rows, columns, row_step, column_step;
} view;

/* A block of channels: whole vectors, a few lanes of one, or one lane. All but `few` are constants
 * where a block is worked on, since everything is inlined: hence no test of `kind` is left. */
typedef struct {
    int vectors;
    enum { WHOLE, FEW, ONE } kind;
    lanes few;
} block;

typedef void block_function(const pooling *p, place at, view v, block b);

INLINE vector load_block(const real *x, int i, block b)
{
    if (b.kind == ONE)
        return (vector){*x};
    return b.kind == FEW ? load_lanes(x, b.few) : load(x + i * LANES);
}

INLINE void store_block(real *y, vector v, int i, block b)
{
    if (b.kind == ONE)
        *y = v[0];
    else if (b.kind == FEW)
        store_lanes(y, v, b.few);
    else
        store(y + i * LANES, v);
}

/* Lane by lane: condition ? a : b. The compiler knows the instruction that does this. */
INLINE vector choose(vector_mask condition, vector a, vector b)
{
    return (vector)((condition & (vector_mask)a) | (~condition & (vector_mask)b));
}

/* Whether `new` beats the best so far: it is greater, or the first NaN. */
INLINE vector_mask wins(vector new, vector best)
{
    return ~(new <= best) & (best == best);
}

/* y = u at the winner of the window of x. */
INLINE void gather_window(const real *u, const real *x, real *y, view v, block b)
{
    vector best[MOST_VECTORS], chosen[MOST_VECTORS];
    UNROLL
    for (int i = 0; i < b.vectors; i++) {
        best[i] = load_block(x, i, b);
        chosen[i] = load_block(u, i, b);
    }
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = row == 0; column < v.columns; column++) {
            int64_t pixel = row * v.row_step + column * v.column_step;
            UNROLL
            for (int i = 0; i < b.vectors; i++) {
                vector new = load_block(x + pixel, i, b);
                vector_mask better = wins(new, best[i]);
                best[i] = choose(better, new, best[i]);
                chosen[i] = choose(better, load_block(u + pixel, i, b), chosen[i]);
            }
        }
    UNROLL
    for (int i = 0; i < b.vectors; i++)
        store_block(y, chosen[i], i, b);
}

INLINE void max_block(const pooling *p, place at, view v, block b)
{
    gather_window(p->x + at.image, p->x + at.image, p->y + at.output, v, b);
}

INLINE void gather_block(const pooling *p, place at, view v, block b)
{
    gather_window(p->u + at.image, p->x + at.image, p->y + at.output, v, b);
}

/* x_bar += g at the winner of the window of x. */
INLINE void scatter_block(const pooling *p, place at, view v, block b)
{
    const real *x = p->x + at.image;
    real *x_bar = p->x_bar + at.image;
    vector best[MOST_VECTORS], g[MOST_VECTORS];
    vector_mask winner[MOST_VECTORS];
    UNROLL
    for (int i = 0; i < b.vectors; i++) {
        best[i] = load_block(x, i, b);
        winner[i] = (vector_mask)(vector){0};
        g[i] = load_block(p->g + at.output, i, b);
    }
    int32_t number = 1;
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = row == 0; column < v.columns; column++, number++)
            UNROLL
            for (int i = 0; i < b.vectors; i++) {
                vector new = load_block(x + row * v.row_step + column * v.column_step, i, b);
                vector_mask better = wins(new, best[i]);
                best[i] = choose(better, new, best[i]);
                winner[i] = (better & number) | (~better & winner[i]);
            }
    number = 0;
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = 0; column < v.columns; column++, number++) {
            real *pixel = x_bar + row * v.row_step + column * v.column_step;
            UNROLL
            for (int i = 0; i < b.vectors; i++) {
                vector former = p->must_add ? load_block(pixel, i, b) : (vector){0};
                vector share = (vector)((winner[i] == number) & (vector_mask)g[i]);
                store_block(pixel, former + share, i, b);
            }
        }
}

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

/* Does blocks of `width` channels from channel c on while there are so many; returns the next c. */
INLINE int64_t do_blocks(block_function *body, const pooling *p, place at, view v, int64_t c,
                         int64_t channels, int64_t width, block b)
{
    for (; c + width <= channels; c += width)
        body(p, (place){at.image + c, at.output + c}, v, b);
    return c;
}

INLINE void do_window(block_function *body, const pooling *p, place at, view v, int64_t channels)
{
    int64_t c = 0;
    c = do_blocks(body, p, at, v, c, channels, 4 * LANES, (block){.vectors = 4, .kind = WHOLE});
    c = do_blocks(body, p, at, v, c, channels, 2 * LANES, (block){.vectors = 2, .kind = WHOLE});
    c = do_blocks(body, p, at, v, c, channels, LANES, (block){.vectors = 1, .kind = WHOLE});
    int64_t rest = channels - c;
    if (rest >= FEW_LANES)
        c = do_blocks(body, p, at, v, c, channels, rest, (block){1, FEW, first_lanes(rest)});
    do_blocks(body, p, at, v, c, channels, 1, (block){.vectors = 1, .kind = ONE});
}

/* What a task has to do: some channels of one image. */
typedef struct {
    int64_t n, first_channel, channels;
} part;

static part part_of_task(const pooling *p, int64_t task)
{
    int64_t index = task % p->channel_parts;
    int64_t begin = part_begins(index, p->channel_parts, p->s->channels, CHANNELS_UNIT);
    int64_t end = part_begins(index + 1, p->channel_parts, p->s->channels, CHANNELS_UNIT);
    return (part){task / p->channel_parts, begin, end - begin};
}

/* Windows of 2 x 2 are so common that they have loops of their own, in which their size is a
 * constant: with few channels they take two thirds of the time. */
INLINE void do_part(block_function *body, const pooling *p, part t)
{
    const window *s = p->s;
    for (int64_t i = 0; i < s->output_height; i++)
        for (int64_t j = 0; j < s->output_width; j++) {
            int64_t top = row_at(s, i, 0), left = column_at(s, j, 0);
            int64_t bottom = smaller(top + s->window_height, s->height);
            int64_t right = smaller(left + s->window_width, s->width);
            top = top < 0 ? 0 : top;
            left = left < 0 ? 0 : left;
            place at = {x_at(s, t.n, top, left, t.first_channel), y_at(s, t.n, i, j, t.first_channel)};
            view v = {bottom - top, right - left, s->width * s->channels, s->channels};
            if (v.rows == 2 && v.columns == 2)
                do_window(body, p, at, (view){2, 2, v.row_step, v.column_step}, t.channels);
            else
                do_window(body, p, at, v, t.channels);
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

static void mean_part(const void *p, int64_t task, int thread)
{
    (void)thread;
    do_part(mean_block, p, part_of_task(p, task));
}

static void clear(const pooling *p, part t)
{
    if (!p->must_clear)
        return;
    for (int64_t pixel = 0; pixel < p->s->height * p->s->width; pixel++)
        memset(p->x_bar + x_at(p->s, t.n, 0, pixel, t.first_channel), 0, t.channels * sizeof(real));
}

static void scatter_part(const void *p, int64_t task, int thread)
{
    (void)thread;
    clear(p, part_of_task(p, task));
    do_part(scatter_block, p, part_of_task(p, task));
}

static void share_part(const void *p, int64_t task, int thread)
{
    (void)thread;
    clear(p, part_of_task(p, task));
    do_part(share_block, p, part_of_task(p, task));
}

static int run(task_function *body, pooling p, int threads)
{
    const window *s = p.s;
    int64_t reads = s->batch * s->output_height * s->output_width * s->channels *
                    s->window_height * s->window_width;
    p.channel_parts = s->batch >= ENOUGH_IMAGES ? 1 : s->channels / CHANNELS_UNIT + 1;
    run_tasks(body, &p, s->batch * p.channel_parts,
              useful_threads(reads, READS_WORTH_A_THREAD, threads));
    return 0;
}

/* Pixels in windows that are apart need not be added to, and where the windows tile the image no
 * pixel is left out: so x_bar is written once, and not cleared before. */
static int run_gradient(task_function *body, pooling p, int threads)
{
    const window *s = p.s;
    int apart = s->stride_height >= s->window_height && s->stride_width >= s->window_width;
    int tiles = s->stride_height == s->window_height && s->stride_width == s->window_width &&
                row_at(s, s->output_height, 0) >= s->height &&
                column_at(s, s->output_width, 0) >= s->width;
    p.must_add = !apart;
    p.must_clear = !tiles;
    return run(body, p, threads);
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
    return run_gradient(scatter_part, (pooling){.g = g, .x = x, .x_bar = x_bar, .s = s}, threads);
}

int average_pool(const real *x, real *y, const window *s, int threads)
{
    return run(mean_part, (pooling){.x = x, .y = y, .s = s}, threads);
}

int average_pool_gradient(const real *g, real *x_bar, const window *s, int threads)
{
    return run_gradient(share_part, (pooling){.g = g, .x_bar = x_bar, .s = s}, threads);
}
