/* The two gradients of convolution (see conv.c).
 *
 * With the same row and column, over the (i, j) and (p, q) that meet there, g like y:
 *     w_bar(p, q, c, o)        = sum over n, i, j of x(n, row, column, c) * g(n, i, j, o)
 *     x_bar(n, row, column, c) = sum over i, j, p, q, o of g(n, i, j, o) * w(p, q, c, o)
 */
#include "conv_kernel_gradient.h"

/* In conv, x met w on the way to y; so now it gets w times the g that belongs to y. */
int plain_conv_input_gradient(const real *g, const real *w, real *x_bar, const window *s,
                              int threads)
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
                        for (int64_t o = 0; o < s->filters; o++)
                            for (int64_t c = 0; c < s->channels / s->groups; c++)
                                x_bar[x_at(s, n, row, column, first_channel(s, o) + c)] +=
                                    g[y_at(s, n, i, j, o)] * w[w_at(s, p, q, c, o)];
                    }
    return 0;
}

/* In conv, w met x on the way to y; so now it gets x times the g that belongs to y. */
int plain_conv_kernel_gradient(const real *x, const real *g, real *w_bar, const window *s,
                               int threads)
{
    (void)threads;
    for (int64_t p = 0; p < s->window_height; p++)
        for (int64_t q = 0; q < s->window_width; q++)
            for (int64_t c = 0; c < s->channels / s->groups; c++)
                for (int64_t o = 0; o < s->filters; o++) {
                    real sum = 0;
                    for (int64_t n = 0; n < s->batch; n++)
                        for (int64_t i = 0; i < s->output_height; i++)
                            for (int64_t j = 0; j < s->output_width; j++) {
                                int64_t row = row_at(s, i, p), column = column_at(s, j, q);
                                if (on_image(s, row, column))
                                    sum += x[x_at(s, n, row, column, first_channel(s, o) + c)] *
                                           g[y_at(s, n, i, j, o)];
                            }
                    w_bar[w_at(s, p, q, c, o)] = sum;
                }
    return 0;
}

/* The fast versions know only places and taps, and the patches that the window sees there, as conv.
 * In conv, y was the sum over taps of patch times w; so now w and the patches get
 *     w_bar(tap, o)         = sum over places of patch(place, tap) * g(place, o)
 *     patch_bar(place, tap) = sum over o of g(place, o) * w(tap, o)
 * and each patch_bar is added to the x_bar that conv had the patch from. The first is in
 * conv_kernel_gradient.h. */

/* x, g (batch, output_height, output_width, filters) -> w_bar like w */
int conv_kernel_gradient(const real *x, const real *g, real *w_bar, const window *s, int threads)
{
    return sum_kernel_gradient((kernel_gradient){.s = s, .x = x, .g = g, .w_bar = w_bar}, threads);
}

typedef struct {
    const window *s;
    strips strips;
    const real *g, *w;
    real *x_bar;
    int64_t panels;                /* of w, for each group */
    real *w_panels;                /* (groups, panels, filters, TILE_COLUMNS): TILE_COLUMNS taps */
    int64_t *filter, *patch;       /* where filters lie in g, and places in patches */
    real *rooms;                   /* (threads, room_size): patches, and copied images */
    int64_t room_size;
} input_gradient;

/* Panel `number`: w transposed, for TILE_COLUMNS taps of a group, and zeros after the last one. */
static void copy_taps(const void *any_job, int64_t number, int thread)
{
    (void)thread;
    const input_gradient *job = any_job;
    const strips *t = &job->strips;
    int64_t first = number % job->panels * TILE_COLUMNS, group = number / job->panels;
    int64_t count = smaller(TILE_COLUMNS, t->taps - first);
    const real *w = job->w + first * job->s->filters + group * t->filters;
    real *panel = job->w_panels + number * t->filters * TILE_COLUMNS;
    memset(panel, 0, t->filters * TILE_COLUMNS * sizeof(real));
    for (int64_t j = 0; j < count; j++)
        for (int64_t o = 0; o < t->filters; o++)
            panel[o * TILE_COLUMNS + j] = w[j * job->s->filters + o];
}

/* x_bar[x_place[i] + c] += patches[i * TILE_COLUMNS + c] for all places i and `count` channels;
 * the longer of the two loops is the inner one. */
static void add_channels(const int64_t *x_place, int64_t places, const real *restrict patches,
                         int64_t count, real *restrict x_bar)
{
    if (count < LANES)
        for (int64_t c = 0; c < count; c++)
            for (int64_t i = 0; i < places; i++)
                x_bar[x_place[i] + c] += patches[i * TILE_COLUMNS + c];
    else
        for (int64_t i = 0; i < places; i++)
            for (int64_t c = 0; c < count; c++)
                x_bar[x_place[i] + c] += patches[i * TILE_COLUMNS + c];
}

/* What one group gives to the x_bar that the windows of some lines see: TILE_COLUMNS taps at a
 * time, whose patches (places, TILE_COLUMNS) are then added to x_bar. If the taps are channels of
 * one pixel, and so neighbours in x_bar, the sums go there at once. */
static void add_patches(const input_gradient *job, const strip *lines, int64_t group, real *x_bar,
                        real *patches)
{
    const strips *t = &job->strips;
    int64_t channels = group_channels(job->s), filters = job->s->filters;
    const real *g = job->g + lines->first_place * filters + group * t->filters;
    const real *w = job->w_panels + group * job->panels * t->filters * TILE_COLUMNS;
    for (int64_t first = 0; first < t->taps; first += TILE_COLUMNS) {
        int64_t last = smaller(first + TILE_COLUMNS, t->taps), count;
        int neighbours = first + TILE_COLUMNS == last && first / channels == (last - 1) / channels;
        for (int64_t k = 0; k < t->filters; k += TERMS_BLOCK) {
            sums block = {.x = g + k, .x_row = t->y_place, .x_term = job->filter,
                          .rows = lines->places, .terms = smaller(TERMS_BLOCK, t->filters - k),
                          .columns = last - first > LANES ? TILE_COLUMNS : LANES,
                          .b = w + first * t->filters + k * TILE_COLUMNS, .b_term = TILE_COLUMNS,
                          .y = patches, .y_row = job->patch, .finish = {.add = k > 0}};
            if (neighbours) {
                block.y = x_bar + t->x_tap[first];
                block.y_row = t->x_place;
                block.finish.add = 1;
            }
            sum_all(&block);
        }
        for (int64_t tap = first; tap < last && !neighbours; tap += count) {
            count = smaller(channels - tap % channels, last - tap);
            add_channels(t->x_place, lines->places, patches + tap - first, count,
                         x_bar + t->x_tap[tap]);
        }
    }
}

/* The same where each filter sees one channel: nothing is summed before it is added. */
static void add_each_channel(const input_gradient *job, const strip *lines, real *x_bar)
{
    const strips *t = &job->strips;
    int64_t channels = job->s->channels;
    for (int64_t i = 0; i < lines->places; i++)
        for (int64_t tap = 0; tap < t->taps; tap++) {
            const real *restrict g = job->g + (lines->first_place + i) * channels;
            const real *restrict w = job->w + tap * channels;
            real *restrict to = x_bar + t->x_place[i] + t->x_tap[tap];
            for (int64_t c = 0; c < channels; c++)
                to[c] += g[c] * w[c];
        }
}

/* x_bar of as many whole images as a strip is for; line after line, for windows overlap. */
static void input_gradient_of_images(const void *any_job, int64_t number, int thread)
{
    const input_gradient *job = any_job;
    const window *s = job->s;
    const strips *t = &job->strips;
    const strip first = strip_at(s, t, number * t->line_blocks);
    real *patches = job->rooms + thread * job->room_size;
    real *images = t->copied ? patches + job->room_size - images_size(t)
                             : job->x_bar + x_at(s, first.image, 0, 0, 0);
    memset(images, 0, first.images * t->image_step * sizeof(real));
    for (int64_t block = 0; block < t->line_blocks; block++) {
        const strip lines = strip_at(s, t, number * t->line_blocks + block);
        real *x_bar = images + lines.line * s->stride_height * t->row_step;
        if (t->each_channel)
            add_each_channel(job, &lines, x_bar);
        for (int64_t group = 0; group < t->groups && !t->each_channel; group++)
            add_patches(job, &lines, group, x_bar + group * group_channels(s), patches);
    }
    if (t->copied)
        close_images(s, t, &first, images, job->x_bar);
}

/* If windows of P x Q pixels move by one pixel, the places from where they see a pixel are a window,
 * too. With top = (P - 1) * dilation_height - padding_top, and left likewise,
 *     x_bar(n, row, column, c) = sum over p, q, o of
 *             g(n, row + p * dilation_height - top, column + q * dilation_width - left, o)
 *             * w(P - 1 - p, Q - 1 - q, c, o)
 * is the convolution of g with the kernel turned around. */
static window turned_window(const window *s)
{
    return (window){
        .batch = s->batch, .height = s->output_height, .width = s->output_width,
        .channels = s->filters, .filters = s->channels, .groups = s->groups,
        .window_height = s->window_height, .window_width = s->window_width,
        .output_height = s->height, .output_width = s->width,
        .stride_height = 1, .stride_width = 1,
        .padding_top = (s->window_height - 1) * s->dilation_height - s->padding_top,
        .padding_left = (s->window_width - 1) * s->dilation_width - s->padding_left,
        .dilation_height = s->dilation_height, .dilation_width = s->dilation_width};
}

static int conv_with_turned_kernel(const real *g, const real *w, real *x_bar, const window *s,
                                   const window *turned, int threads)
{
    int64_t channels = group_channels(s), filters = s->filters / s->groups;
    real *turned_w = allocate(count_taps(s) * s->filters);
    if (turned_w == NULL)
        return 1;
    for (int64_t p = 0; p < s->window_height; p++)
        for (int64_t q = 0; q < s->window_width; q++)
            for (int64_t c = 0; c < channels; c++)
                for (int64_t o = 0; o < s->filters; o++)
                    turned_w[w_at(turned, s->window_height - 1 - p, s->window_width - 1 - q,
                                  o % filters, o / filters * channels + c)] = w[w_at(s, p, q, c, o)];
    int failed = conv(g, turned_w, x_bar, turned, threads);
    free(turned_w);
    return failed;
}

/* g (batch, output_height, output_width, filters), w -> x_bar like x */
int conv_input_gradient(const real *g, const real *w, real *x_bar, const window *s, int threads)
{
    input_gradient job = {.s = s, .g = g, .w = w, .x_bar = x_bar};
    strips *t = &job.strips;
    if (count_places(s) * count_taps(s) * s->filters == 0) {
        memset(x_bar, 0, s->batch * s->height * s->width * s->channels * sizeof(real));
        return 0;
    }
    /* In groups a patch_bar is a short sum, and adding it to x_bar takes long: with 4 channels and 4
     * filters in a group four times as long as the convolution with the kernel turned. */
    const window turned = turned_window(s);
    if (s->groups > 1 && s->stride_height == 1 && s->stride_width == 1 &&
        turned.padding_top >= 0 && turned.padding_left >= 0)
        return conv_with_turned_kernel(g, w, x_bar, s, &turned, threads);
    if (make_strips(s, t))
        return 1;
    int64_t tasks = t->count / t->line_blocks, places = places_of_strip(s, t);
    threads = useful_threads(count_places(s) * t->taps * s->filters, WORK_WORTH_A_THREAD,
                             smaller(threads, tasks));
    job.panels = (t->taps + TILE_COLUMNS - 1) / TILE_COLUMNS;
    job.room_size = places * TILE_COLUMNS + images_size(t);
    int64_t panels_size = t->groups * job.panels * t->filters * TILE_COLUMNS;
    real *memory = allocate(panels_size + threads * job.room_size);
    job.filter = malloc((t->filters + places) * sizeof(int64_t));
    if (memory && job.filter) {
        job.w_panels = memory;
        job.rooms = memory + panels_size;
        job.patch = job.filter + t->filters;
        for (int64_t o = 0; o < t->filters; o++)
            job.filter[o] = o;
        for (int64_t place = 0; place < places; place++)
            job.patch[place] = place * TILE_COLUMNS;
        run_tasks(copy_taps, &job, t->groups * job.panels,
                  useful_threads(panels_size, WORK_WORTH_A_THREAD, threads));
        run_tasks(input_gradient_of_images, &job, tasks, threads);
    }
    int failed = memory == NULL || job.filter == NULL;
    free_strips(t);
    free(job.filter);
    free(memory);
    return failed;
}
