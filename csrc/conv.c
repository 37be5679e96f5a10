/* Convolution; its gradients are in conv_gradients.c.
 *
 * With row = i * stride_height + p * dilation_height - padding_top, and column likewise, over the
 * (p, q) that meet the image, and the channels c that filter o sees:
 *     y(n, i, j, o) = sum over p, q, c of x(n, row, column, c) * w(p, q, c, o)
 */
#include "conv_places.h"

int plain_conv(const real *x, const real *w, real *y, const window *s, int threads)
{
    (void)threads;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < s->output_height; i++)
            for (int64_t j = 0; j < s->output_width; j++)
                for (int64_t o = 0; o < s->filters; o++) {
                    real sum = 0;
                    for (int64_t p = 0; p < s->window_height; p++)
                        for (int64_t q = 0; q < s->window_width; q++) {
                            int64_t row = row_at(s, i, p), column = column_at(s, j, q);
                            if (!on_image(s, row, column))
                                continue;
                            for (int64_t c = 0; c < s->channels / s->groups; c++)
                                sum += x[x_at(s, n, row, column, first_channel(s, o) + c)] *
                                       w[w_at(s, p, q, c, o)];
                        }
                    y[y_at(s, n, i, j, o)] = sum;
                }
    return 0;
}

/* y = plain_conv(x, w) + b, and 0 for what is negative if `relu`. */
int plain_conv_layer(const real *x, const real *w, const real *b, real *y, const window *s,
                     int relu, int threads)
{
    plain_conv(x, w, y, s, threads);
    for (int64_t place = 0; place < s->batch * s->output_height * s->output_width; place++)
        for (int64_t o = 0; o < s->filters; o++) {
            real sum = y[place * s->filters + o] + b[o];
            y[place * s->filters + o] = relu && sum <= 0 ? 0 : sum;
        }
    return 0;
}

/* The fast version knows only places (n, i, j) and taps (p, q, c), and from tables where they lie
 * in x (see conv_places.h). With patch(place, tap) for what the window sees there,
 *     y(place, o) = sum over taps of patch(place, tap) * w(tap, o)
 * is a matrix product. The matrix of patches never exists: conv_tile.h reads them from x. */

typedef struct {
    const window *s;
    strips strips;
    const real *x, *w, *b;
    real *y;
    int relu;
    int64_t panels;               /* of w, for each group */
    real *w_panels, *b_panels;    /* (groups, panels, taps, TILE_COLUMNS); without taps */
    real *rooms;                  /* (threads, strip_size) */
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

/* y at the places of strip `number`. A block of terms at a time: of so many, the panel of w stays
 * in the L1 cache while all places pass. The last block finishes the sums. */
static void conv_of_strip(const void *any_job, int64_t number, int thread)
{
    const conv_job *job = any_job;
    const window *s = job->s;
    const strips *t = &job->strips;
    const strip one = strip_at(s, t, number);
    const real *x = open_strip(s, t, &one, job->x, job->rooms + thread * strip_size(s, t));
    for (int64_t group = 0; group < t->groups; group++)
        for (int64_t k = 0; k == 0 || k < t->taps; k += TERMS_BLOCK) {
            const real *w = job->w_panels + group * job->panels * t->taps * TILE_COLUMNS;
            sums block = {.x = x + group * group_channels(s),
                          .x_row = t->x_place, .x_term = t->x_tap + k,
                          .rows = one.places, .terms = smaller(TERMS_BLOCK, t->taps - k),
                          .columns = t->filters, .each_column = t->each_channel,
                          .b = w + k * TILE_COLUMNS,
                          .b_panel = t->taps * TILE_COLUMNS, .b_term = TILE_COLUMNS,
                          .y = job->y + one.first_place * s->filters + group * t->filters,
                          .y_row = t->y_place, .finish = {.add = k > 0}};
            if (k + TERMS_BLOCK >= t->taps) {
                block.finish.relu = job->relu;
                if (job->b)
                    block.finish.row_added = job->b_panels + group * job->panels * TILE_COLUMNS;
            }
            sum_all(&block);
        }
}

/* x (batch, height, width, channels), w (window_height, window_width, channels / groups, filters)
 * -> y (batch, output_height, output_width, filters) */
int conv(const real *x, const real *w, real *y, const window *s, int threads)
{
    return conv_layer(x, w, NULL, y, s, 0, threads);
}

/* x, w as in conv, b (filters) or NULL -> y = conv(x, w) + b, and 0 for what is negative if `relu` */
int conv_layer(const real *x, const real *w, const real *b, real *y, const window *s, int relu,
               int threads)
{
    conv_job job = {.s = s, .x = x, .w = w, .b = b, .relu = relu, .y = y};
    strips *t = &job.strips;
    if (make_strips(s, t))
        return 1;
    threads = useful_threads(count_places(s) * t->taps * s->filters, WORK_WORTH_A_THREAD, threads);
    job.panels = (t->filters + TILE_COLUMNS - 1) / TILE_COLUMNS;
    int64_t panels = t->groups * job.panels, panels_size = panels * t->taps * TILE_COLUMNS;
    real *memory = allocate(panels_size + panels * TILE_COLUMNS + threads * strip_size(s, t));
    if (memory) {
        job.w_panels = memory;
        job.b_panels = job.w_panels + panels_size;
        job.rooms = job.b_panels + panels * TILE_COLUMNS;
        run_tasks(copy_filters, &job, panels,
                  useful_threads(panels_size, WORK_WORTH_A_THREAD, threads));
        run_tasks(conv_of_strip, &job, t->count, threads);
    }
    free_strips(t);
    free(memory);
    return memory == NULL;
}
