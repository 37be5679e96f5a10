/* Convolution and its two gradients.
 *
 * With row = i * stride_height + p * dilation_height - padding_top, and column likewise, over the
 * (p, q) and (i, j) that meet on the image, and the channels c that filter o sees:
 *     y(n, i, j, o)             = sum over p, q, c of x(n, row, column, c) * w(p, q, c, o)
 *     x_bar(n, row, column, c)  = sum over i, j, p, q, o of g(n, i, j, o) * w(p, q, c, o)
 *     w_bar(p, q, c, o)         = sum over n, i, j of x(n, row, column, c) * g(n, i, j, o)
 */
#include "product.h"
#include "window.h"

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

/* The fast versions are matrix products (see product.h). With the same row and column,
 *     patches[(n, i, j), (p, q, c)] = x[n, row, column, c], or 0 in the padding
 * is the matrix of all patches of the image that the window sees: a row for each place (n, i, j)
 * of the window, a column for each tap (p, q, c). In terms of it
 *     y     = patches times w                  (places, filters)
 *     w_bar = patches transposed times g       (taps, filters)
 *     x_bar = g times w transposed, which is like patches, and each element of it added to the
 *             x that the patch had it from
 * The matrix is never stored: only the few rows and columns of it that are at work.
 * With groups there is one such product for each group of channels and filters: the n of copy_a
 * and copy_b is the group. */

static int64_t count_places(const window *s)
{
    return s->batch * s->output_height * s->output_width;
}

/* Channels and filters of one group. */
static int64_t group_channels(const window *s)
{
    return s->channels / s->groups;
}

static int64_t group_filters(const window *s)
{
    return s->filters / s->groups;
}

static int64_t count_taps(const window *s)
{
    return s->window_height * s->window_width * group_channels(s);
}

/* A piece of the patches that is a regular piece of the image too: places that are neighbours in
 * one row of the output, and channels of one (p, q), or of neighbouring ones. Its element
 * (place, c) is
 *     x[first + place * step + c]   and   piece[place * place_step + c * tap_step] */
typedef struct {
    int64_t places, channels;
    int64_t first, step;
    real *piece;
    int64_t place_step, tap_step;
} patch_run;

/* piece = x. Copies of a constant size take a few instructions: if neighbours in x are neighbours
 * in piece, mostly a whole row of a panel is asked for, or three pixels of one channel. */
INLINE void gather(const real *x, patch_run r)
{
    x += r.first;
    if (r.step == 1 && r.place_step == 1 && r.places == TILE_ROWS) {
        for (int64_t c = 0; c < r.channels; c++)
            memcpy(r.piece + c * r.tap_step, x + c, TILE_ROWS * sizeof(real));
    } else if (r.tap_step == 1 && r.channels == 3) {
        for (int64_t place = 0; place < r.places; place++)
            memcpy(r.piece + place * r.place_step, x + place * r.step, 3 * sizeof(real));
    } else if (r.channels < r.places) {
        for (int64_t c = 0; c < r.channels; c++)
            for (int64_t place = 0; place < r.places; place++)
                r.piece[place * r.place_step + c * r.tap_step] = x[place * r.step + c];
    } else {
        for (int64_t place = 0; place < r.places; place++)
            for (int64_t c = 0; c < r.channels; c++)
                r.piece[place * r.place_step + c * r.tap_step] = x[place * r.step + c];
    }
}

/* In gather, piece was x; so now x_bar gets piece. */
static void scatter(real *x_bar, patch_run r)
{
    x_bar += r.first;
    for (int64_t place = 0; place < r.places; place++)
        for (int64_t c = 0; c < r.channels; c++)
            x_bar[place * r.step + c] += r.piece[place * r.place_step + c * r.tap_step];
}

/* Which part of the matrix of patches of a group, and where its copy lies: element (place, tap) of
 * the part is piece[place * place_step + tap * tap_step]. */
typedef struct {
    int64_t group, first_place, places, first_tap, taps;
    real *piece;
    int64_t place_step, tap_step;
} patch_part;

/* Goes through a part run by run, except for the padding: gathers it from x, or, if there is no
 * x, scatters it to x_bar. With few channels runs are short, and so what is the same for all runs
 * of a line or of a window row is computed there. */
INLINE void for_each_run(const window *s, patch_part part, const real *x, real *x_bar)
{
    const int64_t group_size = group_channels(s), step = s->stride_width * s->channels;
    const int64_t first_pixel = part.first_tap / group_size; /* p * window_width + q */
    const int64_t first_p = first_pixel / s->window_width, first_q = first_pixel % s->window_width;
    /* Then the taps of a window row are neighbours in the image too, and can be one run. */
    const int neighbours = s->dilation_width == 1 && s->groups == 1;
    int64_t j = part.first_place % s->output_width;
    int64_t line = part.first_place / s->output_width; /* n * output_height + i */
    for (int64_t done = 0, places; done < part.places; done += places, j = 0, line++) {
        places = smaller(s->output_width - j, part.places - done);
        int64_t n = line / s->output_height, i = line % s->output_height;
        int64_t k = 0, c = part.first_tap % group_size;
        for (int64_t p = first_p, q = first_q; k < part.taps; p++, q = 0) {
            int64_t row = i * s->stride_height + p * s->dilation_height - s->padding_top;
            int64_t left = j * s->stride_width + q * s->dilation_width - s->padding_left;
            int64_t line_begins = (n * s->height + row) * s->width * s->channels +
                                  part.group * group_size;
            int in_padding = row < 0 || row >= s->height;
            for (int64_t channels, pixels; q < s->window_width && k < part.taps;
                 k += channels, c = 0, q += pixels, left += pixels * s->dilation_width) {
                int64_t right = left + (places - 1) * s->stride_width;
                int64_t more = s->window_width - q - 1; /* pixels of this window row */
                pixels = neighbours && left >= 0 && right + more < s->width ? 1 + more : 1;
                channels = smaller(pixels * group_size - c, part.taps - k);
                int64_t skip = left >= 0 ? 0 : (-left + s->stride_width - 1) / s->stride_width;
                int64_t drop = right < s->width ? 0 : (right - s->width) / s->stride_width + 1;
                if (in_padding || skip + drop >= places)
                    continue;
                patch_run run = {
                    .places = places - skip - drop,
                    .channels = channels,
                    .first = line_begins + left * s->channels + skip * step + c,
                    .step = step,
                    .piece = part.piece + (done + skip) * part.place_step + k * part.tap_step,
                    .place_step = part.place_step,
                    .tap_step = part.tap_step};
                if (x)
                    gather(x, run);
                else
                    scatter(x_bar, run);
            }
        }
    }
}

/* patches (places, taps) as the matrix a: panel (taps, TILE_ROWS) for some places and taps. */
static void copy_patches(const product *job, int64_t group, int64_t first, int64_t count,
                         int64_t first_term, int64_t terms, real *panel)
{
    memset(panel, 0, terms * TILE_ROWS * sizeof(real));
    patch_part part = {group, first, count, first_term, terms, panel, 1, TILE_ROWS};
    for_each_run(job->window, part, job->a, NULL);
}

/* patches transposed, (taps, places), as the matrix a: panel (places, TILE_ROWS). */
static void copy_patches_transposed(const product *job, int64_t group, int64_t first,
                                    int64_t count, int64_t first_term, int64_t terms, real *panel)
{
    memset(panel, 0, terms * TILE_ROWS * sizeof(real));
    patch_part part = {group, first_term, terms, first, count, panel, TILE_ROWS, 1};
    for_each_run(job->window, part, job->a, NULL);
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
    product job = {.sizes = {.batch = s->groups,
                             .rows = count_places(s),
                             .terms = count_taps(s),
                             .columns = group_filters(s),
                             .b_batch_stride = group_filters(s),
                             .b_term_stride = s->filters,
                             .b_column_stride = 1},
                   .a = x, .b = w, .copy_a = copy_patches, .window = s,
                   .y = y, .y_batch_stride = group_filters(s), .y_row_stride = s->filters,
                   .row_added = b, .relu = relu};
    return multiply(&job, threads);
}

/* In conv, y was patches times w; so now w_bar is patches transposed times g.
 * x, g (batch, output_height, output_width, filters) -> w_bar like w */
int conv_kernel_gradient(const real *x, const real *g, real *w_bar, const window *s, int threads)
{
    product job = {.sizes = {.batch = s->groups,
                             .rows = count_taps(s),
                             .terms = count_places(s),
                             .columns = group_filters(s),
                             .b_batch_stride = group_filters(s),
                             .b_term_stride = s->filters,
                             .b_column_stride = 1},
                   .a = x, .b = g, .copy_a = copy_patches_transposed, .window = s,
                   .y = w_bar, .y_batch_stride = group_filters(s), .y_row_stride = s->filters};
    return multiply(&job, threads);
}

/* What every task of conv_input_gradient needs: the product g times w transposed, with the panels
 * of w transposed already made for each group, and room for each thread: panels of g and a block
 * of patches. */
typedef struct {
    product product;
    real *w_panels;
    int64_t w_panels_size;
    real *rooms;
    int64_t room_size, patches_offset;
} input_gradient;

/* What one group adds to x_bar[n], from a block of places and of taps at a time. */
static void input_gradient_of_group(const input_gradient *job, int64_t n, int64_t group, real *room)
{
    const window *s = job->product.window;
    int64_t places = s->output_height * s->output_width, taps = count_taps(s);
    int64_t filters = group_filters(s);
    const real *w_panels = job->w_panels + group * job->w_panels_size;
    real *g_panels = room, *patches = room + job->patches_offset;
    for (int64_t i = n * places; i < (n + 1) * places; i += ROWS_BLOCK)
        for (int64_t j = 0; j < taps; j += COLUMNS_BLOCK) {
            int64_t rows = smaller(ROWS_BLOCK, (n + 1) * places - i);
            int64_t columns = smaller(COLUMNS_BLOCK, taps - j);
            for (int64_t k = 0; k < filters; k += TERMS_BLOCK) {
                int64_t terms = smaller(TERMS_BLOCK, filters - k);
                copy_panels(copy_a, TILE_ROWS, &job->product, group, i, rows, k, terms, g_panels);
                const real *first = w_panels + k * round_up(taps, TILE_COLUMNS) + j * terms;
                panels_of_b b_panels = {first, terms, TILE_COLUMNS};
                multiply_panels(rows, columns, terms, g_panels, b_panels, patches, columns,
                                (finish){.add = k > 0});
            }
            patch_part part = {group, i, rows, j, columns, patches, columns, 1};
            for_each_run(s, part, NULL, job->product.y);
        }
}

/* Task n: x_bar[n] (height, width, channels). */
static void input_gradient_of_image(const void *any_job, int64_t n, int thread)
{
    const input_gradient *job = any_job;
    const window *s = job->product.window;
    int64_t size = s->height * s->width * s->channels;
    memset(job->product.y + n * size, 0, size * sizeof(real));
    for (int64_t group = 0; group < s->groups; group++)
        input_gradient_of_group(job, n, group, job->rooms + thread * job->room_size);
}

/* In conv, y was patches times w; so patches get g times w transposed, and x_bar gets those.
 * g (batch, output_height, output_width, filters), w -> x_bar like x */
int conv_input_gradient(const real *g, const real *w, real *x_bar, const window *s, int threads)
{
    int64_t taps = count_taps(s), filters = group_filters(s);
    input_gradient job = {.product = {.sizes = {.a_batch_stride = filters,
                                                .a_row_stride = s->filters,
                                                .a_term_stride = 1,
                                                .b_batch_stride = filters,
                                                .b_term_stride = 1,
                                                .b_column_stride = s->filters},
                                      .a = g, .b = w, .window = s, .y = x_bar}};
    if (filters == 0) {
        memset(x_bar, 0, s->batch * s->height * s->width * s->channels * sizeof(real));
        return 0;
    }
    threads = useful_threads(count_places(s) * taps * s->filters, WORK_WORTH_A_THREAD, threads);
    job.patches_offset = ROWS_BLOCK * smaller(filters, TERMS_BLOCK);
    job.room_size = job.patches_offset + ROWS_BLOCK * smaller(taps, COLUMNS_BLOCK);
    job.w_panels_size = filters * round_up(taps, TILE_COLUMNS);
    real *memory = allocate(s->groups * job.w_panels_size + threads * job.room_size);
    if (memory == NULL)
        return 1;
    job.w_panels = memory;
    job.rooms = memory + s->groups * job.w_panels_size;
    for (int64_t group = 0; group < s->groups; group++)
        for (int64_t k = 0; k < filters; k += TERMS_BLOCK)
            copy_panels(copy_b, TILE_COLUMNS, &job.product, group, 0, taps, k,
                        smaller(TERMS_BLOCK, filters - k),
                        job.w_panels + group * job.w_panels_size +
                            k * round_up(taps, TILE_COLUMNS));
    run_tasks(input_gradient_of_image, &job, s->batch, threads);
    free(memory);
    return 0;
}
