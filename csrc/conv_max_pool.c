/* A convolution, its bias, relu and the max pool that follows, in one go, and its gradient:
 *     y = max_pool_winners(conv_layer(x, w, b)),
 * but with -1 for a winner that the relu has made 0: g then goes nowhere.
 */
#include "conv_kernel_gradient.h"
#include "conv_pool_tile.h"
#include "conv_strip.h"
#include "conv_winners.h"

int plain_conv_layer(const real *x, const real *w, const real *b, real *y, const window *s,
                     int relu, int threads);
int plain_conv_kernel_gradient(const real *x, const real *g, real *w_bar, const window *s,
                               int threads);
int plain_max_pool_winners(const real *x, real *y, const window *s, int threads);
int plain_max_unpool(const real *g, const real *winners, real *x_bar, const window *s, int threads);

/* s is the window of the convolution, whose y is the image of the pool. */
int plain_conv_max_pool_layer(const real *x, const real *w, const real *b, real *y, const window *s,
                              const window *pool, int relu, int threads)
{
    real *image = malloc(count_outputs(s) * sizeof(real));
    if (image == NULL)
        return 1;
    int failed = plain_conv_layer(x, w, b, image, s, relu, threads) ||
                 plain_max_pool_winners(image, y, pool, threads);
    for (int64_t i = 0; i < count_outputs(pool) && relu && !failed; i++)
        if (y[i] <= 0)
            y[count_outputs(pool) + i] = -1;
    free(image);
    return failed;
}

/* y came from the winners; so g goes there, and from there to w and b as in conv_layer. */
int plain_conv_max_pool_layer_gradient(const real *x, const real *g, const real *winners,
                                       real *w_bar, const window *s, const window *pool,
                                       int threads)
{
    real *image_g = malloc(count_outputs(s) * sizeof(real));
    if (image_g == NULL)
        return 1;
    int failed = plain_max_unpool(g, winners, image_g, pool, threads) ||
                 plain_conv_kernel_gradient(x, image_g, w_bar, s, threads);
    real *b_bar = w_bar + count_taps(s) * s->filters;
    for (int64_t o = 0; o < s->filters; o++) {
        b_bar[o] = 0;
        for (int64_t i = o; i < count_outputs(pool); i += s->filters)
            if (winners[i] >= 0)
                b_bar[o] += g[i];
    }
    free(image_g);
    return failed;
}

/* The convolution's y is several times as large as the pool's, and nobody else wants it. So the fast
 * version never makes it. (32 images of 28 x 28, 32 filters of 3 x 3, a pool of 2 x 2, one thread:
 * 147 us, and 204 by bands, below.)
 *
 * Most pools have windows of 2 x 2 that are apart and on the image. Then these windows are the rows
 * of the tiles, and maxima are taken in registers: see conv_pool_tile.h. */
typedef struct {
    conv_job conv;
    window seen; /* what a window of the pool sees of x, through those of the convolution */
    real *numbers;
} conv_windows_job;

static int has_windows_apart(const window *s, const window *pool)
{
    return pool->window_height == 2 && pool->window_width == 2 && pool->stride_height >= 2 &&
           pool->stride_width >= 2 && pool->padding_top == 0 && pool->padding_left == 0 &&
           row_at(pool, pool->output_height - 1, 1) < pool->height &&
           column_at(pool, pool->output_width - 1, 1) < pool->width && count_taps(s) <= TERMS_BLOCK;
}

static window seen_through(const window *s, const window *pool)
{
    window seen = *s;
    seen.output_height = pool->output_height;
    seen.output_width = pool->output_width;
    seen.stride_height = s->stride_height * pool->stride_height;
    seen.stride_width = s->stride_width * pool->stride_width;
    seen.window_height = (s->window_height - 1) * s->dilation_height + s->stride_height + 1;
    seen.window_width = (s->window_width - 1) * s->dilation_width + s->stride_width + 1;
    seen.dilation_height = seen.dilation_width = 1;
    return seen;
}

/* Task after task: a strip of windows. */
static void pool_strip(const void *any_job, int64_t number, int thread)
{
    const conv_windows_job *job = any_job;
    const conv_job *conv = &job->conv;
    const window *s = conv->s;
    const strips *t = &conv->strips;
    const strip one = strip_at(&job->seen, t, number);
    const real *x = open_strip(&job->seen, t, &one, conv->x, conv->rooms + thread * conv->room_size);
    const int64_t right = s->stride_width * s->channels, below = s->stride_height * t->row_step;
    for (int64_t group = 0; group < t->groups; group++) {
        int64_t y = one.first_place * s->filters + group * t->filters;
        int64_t panel = group * conv->panels * TILE_COLUMNS;
        const real *place = x + group * group_channels(s);
        pool_all(&(pooled_sums){
            .sums = {.x_row = t->x_place, .x_term = t->x_tap,
                     .rows = one.places, .terms = t->taps,
                     .columns = t->filters, .each_column = t->each_channel,
                     .b = conv->w_panels + panel * t->taps,
                     .b_panel = t->taps * TILE_COLUMNS, .b_term = TILE_COLUMNS,
                     .y = conv->y + y, .y_row = t->y_place,
                     .finish = {.row_added = conv->b_panels + panel, .relu = conv->relu}},
            .place = {place, place + right, place + below, place + below + right},
            .numbers = job->numbers + y});
    }
}

/* The strips are of windows of the pool, and their taps those of the convolution. */
static int make_strips_of_windows(const window *s, const window *seen, strips *t)
{
    if (make_strips(seen, t))
        return 1;
    t->taps = count_taps(s);
    int64_t tap = 0;
    for (int64_t p = 0; p < s->window_height; p++)
        for (int64_t q = 0; q < s->window_width; q++)
            for (int64_t c = 0; c < group_channels(s); c++)
                t->x_tap[tap++] = p * s->dilation_height * t->row_step +
                                  q * s->dilation_width * s->channels + c;
    return 0;
}

static int conv_and_pool_windows(const real *x, const real *w, const real *b, real *y,
                                 const window *s, const window *pool, int relu, int threads)
{
    conv_windows_job job = {.conv = {.s = s, .x = x, .w = w, .b = b, .relu = relu, .y = y},
                            .seen = seen_through(s, pool), .numbers = y + count_outputs(pool)};
    if (make_strips_of_windows(s, &job.seen, &job.conv.strips))
        return 1;
    job.conv.room_size = strip_size(&job.seen, &job.conv.strips);
    threads = conv_threads(s, threads);
    int failed = open_conv(&job.conv, threads);
    if (!failed)
        run_tasks(pool_strip, &job, job.conv.strips.count, threads);
    close_conv(&job.conv);
    free_strips(&job.conv.strips);
    return failed;
}

/* Other pools: a band of y at a time is made, and pooled while it is in the L2 cache. (That takes
 * two threads 112 us, one after the other 127.) Where windows overlap, a band begins with lines
 * that the one before ended with. */

/* Numbers in a band, unless a single row of pool windows sees more. */
#define LARGEST_BAND 65536

typedef struct {
    conv_job conv;
    const window *pool;
    real *y, *numbers;
    int64_t bands;       /* of an image, or of the images of a strip */
    int64_t rows, lines; /* of the pool's y in a band; of the convolution's y that they see, at most */
} conv_pool_job;

/* Images so small that a strip has several of them are not cut. */
static void cut_bands(conv_pool_job *job)
{
    const window *pool = job->pool;
    job->lines = LARGEST_BAND / (pool->width * pool->channels);
    if (job->lines >= pool->height || job->conv.strips.images > 1) {
        job->rows = pool->output_height;
        job->lines = pool->height;
    } else {
        int64_t steps = (job->lines - pool->window_height) / pool->stride_height;
        job->rows = smaller(steps < 0 ? 1 : steps + 1, pool->output_height);
        job->lines = (job->rows - 1) * pool->stride_height + pool->window_height;
    }
    job->bands = (pool->output_height + job->rows - 1) / job->rows;
}

/* Task after task: a band of an image, or of the images of a strip. */
static void do_band(const void *any_job, int64_t task, int thread)
{
    const conv_pool_job *job = any_job;
    const window *s = job->conv.s, *pool = job->pool;
    const strips *t = &job->conv.strips;
    real *room = job->conv.rooms + thread * job->conv.room_size;
    real *image = room + strip_size(s, t);

    int64_t first_row = task % job->bands * job->rows, first = row_at(pool, first_row, 0);
    int64_t rows = smaller(job->rows, pool->output_height - first_row);
    int64_t end = smaller(first + (rows - 1) * pool->stride_height + pool->window_height, pool->height);
    first = first < 0 ? 0 : first;
    if (t->images > 1) /* then all of them, as strips have */
        end = pool->height;

    strip one = {.image = task / job->bands * t->images};
    one.images = smaller(t->images, s->batch - one.image);
    for (one.line = first; one.line < end; one.line += t->lines) {
        one.lines = smaller(t->lines, end - one.line);
        one.places = one.images * one.lines * s->output_width;
        int64_t done = (one.line - first) * s->output_width * s->filters;
        conv_of_strip(&job->conv, &one, image + done, room);
    }

    window seen = *pool;
    seen.height = end - first;
    seen.output_height = rows;
    seen.padding_top += first - first_row * pool->stride_height;
    int64_t at = y_at(pool, one.image, first_row, 0, 0);
    pooling p = {.x = image, .y = job->y + at, .numbers = job->numbers + at, .s = &seen,
                 .positive_only = job->conv.relu};
    for (int64_t n = 0; n < one.images; n++)
        find_winners(&p, (part){n, 0, pool->channels});
}

static int conv_and_pool_bands(const real *x, const real *w, const real *b, real *y,
                               const window *s, const window *pool, int relu, int threads)
{
    conv_pool_job job = {.conv = {.s = s, .x = x, .w = w, .b = b, .relu = relu},
                         .pool = pool, .y = y, .numbers = y + count_outputs(pool)};
    strips *t = &job.conv.strips;
    if (make_strips(s, t))
        return 1;
    cut_bands(&job);
    int64_t band_size = t->images * job.lines * pool->width * pool->channels;
    job.conv.room_size = strip_size(s, t) + round_up(band_size, CACHE_LINE);
    threads = conv_threads(s, threads);
    int failed = open_conv(&job.conv, threads);
    if (!failed)
        run_tasks(do_band, &job, (s->batch + t->images - 1) / t->images * job.bands, threads);
    close_conv(&job.conv);
    free_strips(t);
    return failed;
}

int conv_max_pool_layer(const real *x, const real *w, const real *b, real *y, const window *s,
                        const window *pool, int relu, int threads)
{
    return has_windows_apart(s, pool) ? conv_and_pool_windows(x, w, b, y, s, pool, relu, threads)
                                      : conv_and_pool_bands(x, w, b, y, s, pool, relu, threads);
}

/* Where there is one channel, the gradient goes through the same strips, and skips the places that get
 * nothing: see conv_winners.h. (For the layer above, 72 us by one thread; to multiply all places 182.) */
typedef struct {
    const window *s;
    window seen;
    strips strips;
    const real *x, *g, *winners;
    real *w_bar;
    int64_t chunks, results; /* into which the strips are cut; numbers in w_bar */
    real *partial_sums;      /* (chunks - 1) like w_bar: of all chunks but the first */
    real *rooms;             /* (threads, room_size) */
    int64_t room_size;
} winners_job;

/* Inf and NaN times the 0 of a place that got nothing are NaN, and may not be skipped. */
static int has_windows_to_choose_in(const real *x, const window *s, const window *pool)
{
    int infinite = 0;
    if (!CHOOSES_OF_FOUR || s->channels != 1 || s->stride_width != 1 || count_outputs(pool) == 0 ||
        !has_windows_apart(s, pool))
        return 0;
    for (int64_t i = 0; i < s->batch * s->height * s->width; i++)
        infinite |= x[i] - x[i] != 0;
    return !infinite;
}

static void winners_of_chunk(const void *any_job, int64_t chunk, int thread)
{
    const winners_job *job = any_job;
    const strips *t = &job->strips;
    int64_t begin = part_begins(chunk, job->chunks, t->count, 1);
    int64_t end = part_begins(chunk + 1, job->chunks, t->count, 1);
    real *w_bar = chunk == 0 ? job->w_bar : job->partial_sums + (chunk - 1) * job->results;
    for (int64_t number = begin; number < end; number++) {
        const strip one = strip_at(&job->seen, t, number);
        real *room = job->rooms + thread * job->room_size;
        int64_t from = one.first_place * t->filters;
        sum_winners(&(winner_sums){
            .x = open_strip(&job->seen, t, &one, job->x, room), .x_row = t->x_place,
            .x_tap = t->x_tap, .below = job->s->stride_height * t->row_step,
            .windows = one.places, .taps = t->taps, .filters = t->filters,
            .g = job->g + from, .winners = job->winners + from,
            .w_bar = w_bar, .add = number > begin});
    }
}

/* Fills in the rest of the job, and does it. */
static int sum_all_winners(winners_job job, int threads)
{
    const window *s = job.s;
    strips *t = &job.strips;
    if (make_strips_of_windows(s, &job.seen, t))
        return 1;
    job.results = (t->taps + 1) * s->filters;
    job.chunks = smaller(MOST_CHUNKS, t->count);
    job.room_size = strip_size(&job.seen, t);
    int64_t work = count_places(s) * t->taps * s->filters / 2; /* two steps for four places */
    threads = useful_threads(work, WORK_WORTH_A_THREAD, threads);
    real *memory = allocate(threads * job.room_size + (job.chunks - 1) * job.results);
    if (memory) {
        job.rooms = memory;
        job.partial_sums = memory + threads * job.room_size;
        run_tasks(winners_of_chunk, &job, job.chunks, threads);
        add_partial_sums(job.w_bar, job.partial_sums, job.chunks, job.results);
    }
    free_strips(t);
    free(memory);
    return memory == NULL;
}

int conv_max_pool_layer_gradient(const real *x, const real *g, const real *winners, real *w_bar,
                                 const window *s, const window *pool, int threads)
{
    if (has_windows_to_choose_in(x, s, pool))
        return sum_all_winners((winners_job){.s = s, .seen = seen_through(s, pool), .x = x, .g = g,
                                             .winners = winners, .w_bar = w_bar}, threads);
    return sum_kernel_gradient((kernel_gradient){.s = s, .x = x, .g = g, .w_bar = w_bar,
                                                 .pool = pool, .winners = winners}, threads);
}
