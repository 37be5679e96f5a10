/* The fast convolution: what conv, conv_layer and conv_max_pool_layer share.
 *
 * It knows only places (n, i, j) and taps (p, q, c), and from tables where they lie in x (see
 * conv_places.h). With patch(place, tap) for what the window sees there,
 *     y(place, o) = sum over taps of patch(place, tap) * w(tap, o)
 * is a matrix product. The matrix of patches never exists: conv_tile.h reads them from x. */
#ifndef TINYDL_CONV_STRIP_H
#define TINYDL_CONV_STRIP_H

#include "conv_places.h"

/* So many taps of a panel of w stay in the L2 cache while the places of a strip pass. */
#define TAPS_BLOCK 1024

/* Sums of fewer taps are done so soon that fetching beside them takes longer than it saves. (One channel
 * and 32 filters of 3 x 3: 195 us in place of 182.) */
#define FEWEST_TAPS_TO_FETCH 16

typedef struct {
    const window *s;
    strips strips;
    const real *x, *w, *b;
    real *y;                      /* NULL where it is not kept */
    int relu;
    int64_t panels;               /* of w, for each group */
    real *w_panels, *b_panels;    /* (groups, panels, taps, TILE_COLUMNS); without taps */
    int64_t room_size;            /* strip_size, and what else a thread needs */
    real *rooms;                  /* (threads, room_size) */
} conv_job;

/* Panel `number`: TILE_COLUMNS filters of a group and their biases, and zeros after the last one. */
static void copy_filters(const void *any_job, int64_t number, int thread)
{
    (void)thread;
    const conv_job *job = any_job;
    const strips *t = &job->strips;
    int64_t first = number % job->panels * TILE_COLUMNS;
    int64_t count = smaller(TILE_COLUMNS, t->filters - first);
    first += number / job->panels * t->filters;
    real *w = job->w_panels + number * t->taps * TILE_COLUMNS;
    memset(w, 0, t->taps * TILE_COLUMNS * sizeof(real));
    for (int64_t k = 0; k < t->taps; k++)
        memcpy(w + k * TILE_COLUMNS, job->w + k * job->s->filters + first, count * sizeof(real));
    if (job->b) {
        real *b = job->b_panels + number * TILE_COLUMNS;
        memset(b, 0, TILE_COLUMNS * sizeof(real));
        memcpy(b, job->b + first, count * sizeof(real));
    }
}

/* `count` numbers, but none from `end` on, for so many tiles to fetch: whole cache lines. */
static upcoming numbers_from(const real *first, int64_t count, const real *end, int64_t tiles)
{
    int64_t lines_of_tile = count / tiles / NUMBERS_OF_LINE;
    return (upcoming){first, first + smaller(count, end - first), lines_of_tile * NUMBERS_OF_LINE};
}

/* What the strip after this one sees of x, and this one does not. */
static upcoming next_x(const window *s, const strips *t, const strip *one, const real *x,
                       int64_t tiles)
{
    int64_t row_size = s->width * s->channels, end = s->batch * s->height;
    int64_t rows = t->images > 1 ? one->images * s->height : one->lines * s->stride_height;
    int64_t seen = row_at(s, one->line, 0) + seen_rows(s, one->lines);
    int64_t first = t->images > 1 ? (one->image + one->images) * s->height
                                  : one->image * s->height + smaller(seen, s->height);
    return numbers_from(x + smaller(first, end) * row_size, rows * row_size, x + end * row_size, tiles);
}

/* The y of the strip after this one, if it has not stayed in a cache. */
static upcoming next_y(const conv_job *job, const strip *one, const real *y, int64_t tiles)
{
    int64_t count = one->places * job->s->filters, results = count_outputs(job->s);
    if (job->y == NULL || results < FAR_RESULTS)
        return (upcoming){0};
    return numbers_from(y + count, count, job->y + results, tiles);
}

/* y at the places of a strip, a block of taps at a time. The last block finishes the sums. */
static void conv_of_strip(const conv_job *job, const strip *one, real *y, real *room)
{
    const window *s = job->s;
    const strips *t = &job->strips;
    const real *x = open_strip(s, t, one, job->x, room);
    const int64_t blocks = t->taps / TAPS_BLOCK + 1, taps = t->taps / blocks + 1;
    const int64_t row_tiles = (one->places + TILE_ROWS - 1) / TILE_ROWS;
    const int64_t tiles = t->groups * job->panels * blocks * row_tiles;
    upcoming x_ahead = next_x(s, t, one, job->x, tiles), y_ahead = next_y(job, one, y, tiles);
    for (int64_t group = 0; group < t->groups; group++)
        for (int64_t k = 0; k == 0 || k < t->taps; k += taps) {
            const real *w = job->w_panels + group * job->panels * t->taps * TILE_COLUMNS;
            sums block = {.x = x + group * group_channels(s),
                          .x_row = t->x_place, .x_term = t->x_tap + k,
                          .rows = one->places, .terms = smaller(taps, t->taps - k),
                          .columns = t->filters, .each_column = t->each_channel,
                          .b = w + k * TILE_COLUMNS,
                          .b_panel = t->taps * TILE_COLUMNS, .b_term = TILE_COLUMNS,
                          .y = y + group * t->filters,
                          .y_row = t->y_place, .finish = {.add = k > 0},
                          .next_x = t->taps < FEWEST_TAPS_TO_FETCH ? NULL : &x_ahead,
                          .next_y = &y_ahead};
            if (k + taps >= t->taps) {
                block.finish.relu = job->relu;
                if (job->b)
                    block.finish.row_added = job->b_panels + group * job->panels * TILE_COLUMNS;
            }
            sum_all(&block);
        }
}

/* How many threads the convolution is worth. */
static int conv_threads(const window *s, int threads)
{
    int64_t work = count_places(s) * count_taps(s) * s->filters;
    return useful_threads(work, WORK_WORTH_A_THREAD, threads);
}

/* Brings the filters into panels, and makes the rooms. Returns 1 if there is no memory for them;
 * else close_conv frees it. */
static int open_conv(conv_job *job, int threads)
{
    const strips *t = &job->strips;
    job->panels = (t->filters + TILE_COLUMNS - 1) / TILE_COLUMNS;
    int64_t panels = t->groups * job->panels, panels_size = panels * t->taps * TILE_COLUMNS;
    job->w_panels = allocate(panels_size + panels * TILE_COLUMNS + threads * job->room_size);
    if (job->w_panels == NULL)
        return 1;
    job->b_panels = job->w_panels + panels_size;
    job->rooms = job->b_panels + panels * TILE_COLUMNS;
    run_tasks(copy_filters, job, panels, useful_threads(panels_size, WORK_WORTH_A_THREAD, threads));
    return 0;
}

static void close_conv(conv_job *job)
{
    free(job->w_panels);
}

#endif
