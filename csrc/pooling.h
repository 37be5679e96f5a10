/* What the fast versions of all pools share.
 *
 * They go through an image once, window by window, and through the channels of a window in blocks
 * of a few vectors. So what is known of a block (the best so far and where it was,
 * or the sum) stays in registers, and lanes are compared and chosen among without branches. That is
 * 25 to 50 times as fast as the plain loops, and as fast as the cache delivers images. */
#ifndef TINYDL_POOLING_H
#define TINYDL_POOLING_H

#include <string.h>

#include "shared.h"
#include "vector.h"
#include "window.h"

#define MOST_VECTORS 4

/* To load or store few lanes of a vector takes longer than to do so many numbers one by one. */
#define FEW_LANES 4

/* A task is an image, or, if there are fewer images than this, a part of its channels, in units. */
#define ENOUGH_IMAGES 8
#define CHANNELS_UNIT 32

/* Numbers whose reading takes about 10 us, as waking a thread does. */
#define READS_WORTH_A_THREAD 100000

typedef struct {
    const real *u, *x, *g, *winners;
    real *y, *x_bar, *numbers; /* of winners, in y's shape */
    const window *s;
    int64_t channel_parts;
    int positive_only;         /* whether maxima up to 0 have no winner */
    int must_add, must_clear;  /* see gradient_of */
} pooling;

/* Where a window begins in the arrays that are like the image, and in those like the output. */
typedef struct {
    int64_t image, output;
} place;

/* What the window sees of the image: rows x columns pixels. The whole window, (p, q), is numbered
 * p * window_width + q; so the pixels have the numbers first_number + row * row_numbers + column. */
typedef struct {
    int64_t rows, columns, row_step, column_step;
    int64_t first_number, row_numbers;
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

/* Windows side by side that see views of the same shape: how many, and how far apart. */
typedef struct {
    int64_t count, image_step, output_step;
} series;

/* Does blocks of `width` channels from channel c on while there are so many; returns the next c. */
INLINE int64_t do_blocks(block_function *body, const pooling *p, place at, series windows, view v,
                         int64_t c, int64_t channels, int64_t width, block b)
{
    for (; c + width <= channels; c += width) {
        place first = {at.image + c, at.output + c};
        for (int64_t j = 0; j < windows.count; j++)
            body(p, (place){first.image + j * windows.image_step,
                            first.output + j * windows.output_step}, v, b);
    }
    return c;
}

INLINE void do_windows(block_function *body, const pooling *p, place at, series w, view v,
                       int64_t channels)
{
    int64_t c = 0;
    c = do_blocks(body, p, at, w, v, c, channels, 4 * LANES, (block){.vectors = 4, .kind = WHOLE});
    c = do_blocks(body, p, at, w, v, c, channels, 2 * LANES, (block){.vectors = 2, .kind = WHOLE});
    c = do_blocks(body, p, at, w, v, c, channels, LANES, (block){.vectors = 1, .kind = WHOLE});
    int64_t rest = channels - c;
    if (rest >= FEW_LANES)
        c = do_blocks(body, p, at, w, v, c, channels, rest, (block){1, FEW, first_lanes(rest)});
    do_blocks(body, p, at, w, v, c, channels, 1, (block){.vectors = 1, .kind = ONE});
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
INLINE void do_part(block_function *body, const pooling *job, part t)
{
    const pooling own = *job, *p = &own; /* of copies the compiler knows that no store changes them */
    const window of_own = *job->s, *s = &of_own;
    for (int64_t i = 0; i < s->output_height; i++) {
        const int64_t top = row_at(s, i, 0), above = top < 0 ? -top : 0; /* in the padding */
        const int64_t rows = smaller(s->window_height, s->height - top) - above;
        series w = {1, s->stride_width * s->channels, s->channels};
        for (int64_t j = 0; j < s->output_width; j += w.count) {
            const int64_t left = column_at(s, j, 0), before = left < 0 ? -left : 0;
            const int64_t columns = smaller(s->window_width, s->width - left) - before;
            const int64_t more = (s->width - left - s->window_width) / s->stride_width;
            w.count = columns < s->window_width ? 1 : smaller(more + 1, s->output_width - j);
            place at = {x_at(s, t.n, top + above, left + before, t.first_channel),
                        y_at(s, t.n, i, j, t.first_channel)};
            view v = {rows, columns, s->width * s->channels, s->channels,
                      above * s->window_width + before, s->window_width};
            if (rows == 2 && columns == 2 && s->window_width == 2 && above == 0)
                do_windows(body, p, at, w, (view){2, 2, v.row_step, v.column_step, 0, 2}, t.channels);
            else
                do_windows(body, p, at, w, v, t.channels);
        }
    }
}

static void clear(const pooling *p, part t)
{
    if (!p->must_clear)
        return;
    for (int64_t pixel = 0; pixel < p->s->height * p->s->width; pixel++)
        memset(p->x_bar + x_at(p->s, t.n, 0, pixel, t.first_channel), 0, t.channels * sizeof(real));
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
static pooling gradient_of(pooling p)
{
    const window *s = p.s;
    int apart = s->stride_height >= s->window_height && s->stride_width >= s->window_width;
    int tiles = s->stride_height == s->window_height && s->stride_width == s->window_width &&
                row_at(s, s->output_height, 0) >= s->height &&
                column_at(s, s->output_width, 0) >= s->width;
    p.must_add = !apart;
    p.must_clear = !tiles;
    return p;
}

#endif
