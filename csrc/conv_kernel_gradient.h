/* The fast gradient of a convolution's kernel: what conv_kernel_gradient and
 * conv_max_pool_layer_gradient share.
 *
 *     w_bar(tap, o) = sum over places of patch(place, tap) * g(place, o)
 *
 * is a matrix product, too (see conv_places.h). g is there; or there is only the g of a max pool
 * that follows, and the numbers of its winners. Then it is brought to the winners image by image,
 * and used while it is in the L2 cache; to write it to memory and to read it again takes as long
 * as the product. */
#ifndef TINYDL_CONV_KERNEL_GRADIENT_H
#define TINYDL_CONV_KERNEL_GRADIENT_H

#include "conv_places.h"
#include "max_window.h"

#define MANY_TAPS 64
#define LARGEST_CHUNKED_W_BAR 131072

typedef struct {
    const window *s;
    strips strips;
    const real *x, *g;
    const window *pool;        /* that follows, or NULL */
    const real *winners;
    real *w_bar;               /* (taps, filters); with a pool also b_bar (filters), the sums of g */
    int64_t results;           /* numbers in w_bar */
    int64_t chunks, tap_parts; /* into which the strips and the taps are cut */
    real *partial_sums;        /* (chunks - 1) like w_bar: of all chunks but the first */
    real *rooms;               /* (threads, room_size): panels of g, a strip, g of images */
    int64_t panels_size, room_size;
} kernel_gradient;

/* How many filters of a group are read from g as they are there. Those that fill no whole tile are
 * copied to panels before, so that the tile does not read beyond g; and all of them are if many
 * taps read them: rows of g may lie so that they drive each other out of the L1 cache, which took
 * an eighth of the time with 64 filters of 64 channels. */
static int64_t filters_in_place(const strips *t)
{
    return t->taps < MANY_TAPS ? t->filters / TILE_COLUMNS * TILE_COLUMNS : 0;
}

/* Panels (places, TILE_COLUMNS) of the g at the places of a strip, for `count` filters. */
static void copy_g(const real *g, int64_t step, int64_t places, int64_t count, real *panels)
{
    for (int64_t j = 0; j < count; j += TILE_COLUMNS, panels += places * TILE_COLUMNS) {
        if (count - j < TILE_COLUMNS)
            memset(panels, 0, places * TILE_COLUMNS * sizeof(real));
        for (int64_t place = 0; place < places; place++)
            copy_few(panels + place * TILE_COLUMNS, g + place * step + j,
                     smaller(TILE_COLUMNS, count - j));
    }
}

/* What the places of one strip give to a group's w_bar of the `rows` taps from `first` on. */
static void add_strip(const kernel_gradient *job, const strip *one, const real *x, const real *g,
                      int64_t group, int64_t first, int64_t rows, real *w_bar, int add,
                      real *panels)
{
    const strips *t = &job->strips;
    int64_t filters = job->s->filters, in_place = filters_in_place(t);
    g += group * t->filters;
    sums block = {.x = x + group * group_channels(job->s),
                  .x_row = t->x_tap + first, .x_term = t->x_place,
                  .rows = rows, .terms = one->places,
                  .columns = in_place, .each_column = t->each_channel,
                  .b = g, .b_panel = TILE_COLUMNS, .b_term = filters,
                  .y = w_bar + group * t->filters, .y_row = t->w_tap + first,
                  .finish = {.add = add}};
    sum_all(&block);
    copy_g(g + in_place, filters, one->places, t->filters - in_place, panels);
    block.x += t->each_channel ? in_place : 0;
    block.b = panels;
    block.b_panel = one->places * TILE_COLUMNS;
    block.b_term = TILE_COLUMNS;
    block.y += in_place;
    block.columns = t->filters - in_place;
    sum_all(&block);
}

/* The g of a strip's images, from that of the pool. */
static void unpool_images(const kernel_gradient *job, const strip *one, real *images)
{
    window pool = *job->pool;
    pool.batch = one->images;
    int64_t from = y_at(&pool, one->image, 0, 0, 0);
    const pooling p = gradient_of((pooling){.g = job->g + from, .winners = job->winners + from,
                                            .x_bar = images, .s = &pool});
    for (int64_t n = 0; n < one->images; n++)
        unpool(&p, (part){n, 0, pool.channels});
}

/* b_bar += the g of a strip's images that have a winner. */
static void add_winners(const kernel_gradient *job, const strip *one, real *restrict b_bar)
{
    const window *pool = job->pool;
    int64_t channels = pool->channels;
    int64_t places = one->images * pool->output_height * pool->output_width;
    const real *g = job->g + y_at(pool, one->image, 0, 0, 0);
    const real *winners = job->winners + y_at(pool, one->image, 0, 0, 0);
    for (int64_t place = 0; place < places; place++, g += channels, winners += channels)
        for (int64_t o = 0; o < channels; o++)
            b_bar[o] += winners[o] >= 0 ? g[o] : 0;
}

/* The sums over one chunk of the strips, for one part of the taps. */
static void kernel_gradient_of_chunk(const void *any_job, int64_t task, int thread)
{
    const kernel_gradient *job = any_job;
    const window *s = job->s;
    const strips *t = &job->strips;
    int64_t chunk = task / job->tap_parts, part = task % job->tap_parts;
    int64_t first = part_begins(part, job->tap_parts, t->taps, TILE_ROWS);
    int64_t rows = part_begins(part + 1, job->tap_parts, t->taps, TILE_ROWS) - first;
    int64_t unit = job->pool ? t->line_blocks : 1; /* whole images, then */
    int64_t begin = part_begins(chunk, job->chunks, t->count, unit);
    int64_t end = part_begins(chunk + 1, job->chunks, t->count, unit);
    real *w_bar = chunk == 0 ? job->w_bar : job->partial_sums + (chunk - 1) * job->results;
    real *b_bar = job->pool && part == 0 ? w_bar + t->taps * s->filters : NULL;
    real *panels = job->rooms + thread * job->room_size;
    real *x_room = panels + job->panels_size, *images = x_room + strip_size(s, t);
    if (b_bar)
        memset(b_bar, 0, s->filters * sizeof(real));
    for (int64_t number = begin; number < end; number++) {
        const strip one = strip_at(s, t, number);
        const real *x = open_strip(s, t, &one, job->x, x_room);
        if (job->pool && one.line == 0)
            unpool_images(job, &one, images);
        if (b_bar && one.line == 0)
            add_winners(job, &one, b_bar);
        const real *g = job->pool ? images + one.line * s->output_width * s->filters
                                  : job->g + one.first_place * s->filters;
        for (int64_t group = 0; group < t->groups; group++)
            add_strip(job, &one, x, g, group, first, rows, w_bar, number > begin, panels);
    }
}

/* Fills in the rest of the job, and does it. */
static int sum_kernel_gradient(kernel_gradient job, int threads)
{
    const window *s = job.s;
    strips *t = &job.strips;
    int64_t work = count_places(s) * count_taps(s) * s->filters;
    job.results = (count_taps(s) + (job.pool != NULL)) * s->filters;
    if (work == 0) {
        memset(job.w_bar, 0, job.results * sizeof(real));
        if (job.pool)
            add_winners(&job, &(strip){.images = s->batch}, job.w_bar + job.results - s->filters);
        return 0;
    }
    if (make_strips(s, t))
        return 1;
    threads = useful_threads(work, WORK_WORTH_A_THREAD, threads);
    int64_t parts = job.pool ? t->count / t->line_blocks : t->count;
    job.chunks = job.results > LARGEST_CHUNKED_W_BAR ? 1 : smaller(MOST_CHUNKS, parts);
    job.tap_parts = smaller((threads + job.chunks - 1) / job.chunks,
                            (t->taps + TILE_ROWS - 1) / TILE_ROWS);
    int64_t copied_filters = round_up(t->filters - filters_in_place(t), TILE_COLUMNS);
    int64_t images_g = job.pool ? t->images * s->output_height * s->output_width * s->filters : 0;
    job.panels_size = places_of_strip(s, t) * copied_filters;
    job.room_size = job.panels_size + strip_size(s, t) + round_up(images_g, CACHE_LINE);
    real *memory = allocate(threads * job.room_size + (job.chunks - 1) * job.results);
    if (memory) {
        job.rooms = memory;
        job.partial_sums = memory + threads * job.room_size;
        run_tasks(kernel_gradient_of_chunk, &job, job.chunks * job.tap_parts, threads);
        add_partial_sums(job.w_bar, job.partial_sums, job.chunks, job.results);
    }
    free_strips(t);
    free(memory);
    return memory == NULL;
}

#endif
