/* Convolution and its two gradients, each as one matrix product (see product.h).
 *
 * With row = i * stride_height + p * dilation_height - padding_top, and column likewise,
 *     y[n, i, j, o]           = sum over p, q, c of x[n, row, column, c] * w[p, q, c, o]
 *     w_bar[p, q, c, o]       = sum over n, i, j of x[n, row, column, c] * g[n, i, j, o]
 *     x_bar[n, row, column, c] = sum over i, j, p, q that meet there, and o, of g * w
 * The matrix of patches, x[n, row, column, c] by place (n, i, j) and tap (p, q, c), is never
 * stored: only the panels of it that are at work.
 */
#include "product.h"

/* A place of the window: the image, and the row and column under the window's first element. */
typedef struct {
    const real *image;
    int64_t row, column;
} place;

/* The place (n, i, j) whose number is `index` in (batch, output_height, output_width). */
static place place_at(const window *s, const real *x, int64_t index)
{
    int64_t j = index % s->output_width;
    int64_t i = index / s->output_width % s->output_height;
    int64_t n = index / s->output_width / s->output_height;
    return (place){x + n * s->height * s->width * s->channels,
                   i * s->stride_height - s->padding_top, j * s->stride_width - s->padding_left};
}

/* The place after that one: one step to the right, or to the next row's or image's beginning. */
static place next_place(const window *s, place at)
{
    at.column += s->stride_width;
    if (at.column < s->output_width * s->stride_width - s->padding_left)
        return at;
    at.column = -s->padding_left;
    at.row += s->stride_height;
    if (at.row < s->output_height * s->stride_height - s->padding_top)
        return at;
    at.row = -s->padding_top;
    at.image += s->height * s->width * s->channels;
    return at;
}

/* An element (p, q, c) of the window. */
typedef struct {
    int64_t p, q, c;
} tap;

static tap tap_at(const window *s, int64_t channels, int64_t index)
{
    return (tap){index / channels / s->window_width, index / channels % s->window_width,
                 index % channels};
}

/* The tap (p, q, 0) after all those of the same p and q. */
static tap next_pixel(const window *s, tap t)
{
    return t.q + 1 < s->window_width ? (tap){t.p, t.q + 1, 0} : (tap){t.p + 1, 0, 0};
}

/* Where x holds the element that tap t of the window at `at` sees; NULL in the padding. */
static const real *seen(const window *s, place at, tap t)
{
    int64_t row = at.row + t.p * s->dilation_height;
    int64_t column = at.column + t.q * s->dilation_width;
    if (row < 0 || row >= s->height || column < 0 || column >= s->width)
        return NULL;
    return at.image + (row * s->width + column) * s->channels + t.c;
}

/* patches (places, taps) as the matrix a: panel (taps, TILE_ROWS) for some places and taps. */
static void copy_patches(const product *job, int64_t batch, int64_t first, int64_t count,
                         int64_t first_term, int64_t terms, real *panel)
{
    (void)batch;
    const window *s = job->window;
    place at[TILE_ROWS];
    at[0] = place_at(s, job->a, first);
    for (int64_t i = 1; i < count; i++)
        at[i] = next_place(s, at[i - 1]);
    memset(panel, 0, terms * TILE_ROWS * sizeof(real));
    tap t = tap_at(s, s->channels, first_term);
    for (int64_t k = 0, run; k < terms; k += run, t = next_pixel(s, t)) {
        run = smaller(s->channels - t.c, terms - k);
        for (int64_t i = 0; i < count; i++) {
            const real *x = seen(s, at[i], t);
            for (int64_t c = 0; x && c < run; c++)
                panel[(k + c) * TILE_ROWS + i] = x[c];
        }
    }
}

/* patches transposed, (taps, places), as the matrix a: panel (places, TILE_ROWS). */
static void copy_patches_transposed(const product *job, int64_t batch, int64_t first,
                                    int64_t count, int64_t first_term, int64_t terms, real *panel)
{
    (void)batch;
    const window *s = job->window;
    place at = place_at(s, job->a, first_term);
    memset(panel, 0, terms * TILE_ROWS * sizeof(real));
    for (int64_t k = 0; k < terms; k++, at = next_place(s, at)) {
        tap t = tap_at(s, s->channels, first);
        for (int64_t i = 0, run; i < count; i += run, t = next_pixel(s, t)) {
            run = smaller(s->channels - t.c, count - i);
            const real *x = seen(s, at, t);
            for (int64_t c = 0; x && c < run; c++)
                panel[k * TILE_ROWS + i + c] = x[c];
        }
    }
}

/* A matrix b that is stored row after row, as w (taps, filters) and g (places, filters) are. */
static void copy_rows_of_b(const product *job, int64_t batch, int64_t first, int64_t count,
                           int64_t first_term, int64_t terms, real *panel)
{
    (void)batch;
    for (int64_t k = 0; k < terms; k++) {
        const real *b = job->b + (first_term + k) * job->columns + first;
        for (int64_t j = 0; j < TILE_COLUMNS; j++)
            panel[k * TILE_COLUMNS + j] = j < count ? b[j] : 0;
    }
}

/* Patches of y (batch, output_height, output_width, filters) -> y. */
int conv(const real *x, const real *w, real *y, const window *s, int threads)
{
    product job = {.batch = 1, .rows = s->batch * s->output_height * s->output_width,
                   .columns = s->filters,
                   .terms = s->window_height * s->window_width * s->channels,
                   .copy_a = copy_patches, .copy_b = copy_rows_of_b,
                   .a = x, .b = w, .window = s, .y = y};
    return multiply(&job, threads);
}

/* In conv, y's row (n, i, j) was patch (n, i, j) times w; so w_bar is the patches, transposed,
 * times g (batch, output_height, output_width, filters). */
int conv_kernel_gradient(const real *x, const real *g, real *w_bar, const window *s, int threads)
{
    product job = {.batch = 1, .rows = s->window_height * s->window_width * s->channels,
                   .columns = s->filters,
                   .terms = s->batch * s->output_height * s->output_width,
                   .copy_a = copy_patches_transposed, .copy_b = copy_rows_of_b,
                   .a = x, .b = g, .window = s, .y = w_bar};
    return multiply(&job, threads);
}

/* Where output i meets `row` of the image in element p of the window: i * stride + p * dilation
 * - padding = row; -1 if nowhere. */
static int64_t meeting(int64_t row, int64_t p, int64_t outputs, int64_t stride, int64_t dilation,
                       int64_t padding)
{
    int64_t steps = row + padding - p * dilation;
    return steps >= 0 && steps % stride == 0 && steps / stride < outputs ? steps / stride : -1;
}

/* Where g holds the output that met pixel (n, row, column) in tap t; NULL if none did. */
static const real *met(const window *s, const real *g, int64_t n, int64_t row, int64_t column,
                       tap t)
{
    int64_t i = meeting(row, t.p, s->output_height, s->stride_height, s->dilation_height,
                        s->padding_top);
    int64_t j = meeting(column, t.q, s->output_width, s->stride_width, s->dilation_width,
                        s->padding_left);
    if (i < 0 || j < 0)
        return NULL;
    return g + ((n * s->output_height + i) * s->output_width + j) * s->filters + t.c;
}

/* What each pixel met, (pixels, (p, q, o)), as the matrix a: panel ((p, q, o), TILE_ROWS). */
static void copy_met_outputs(const product *job, int64_t batch, int64_t first, int64_t count,
                             int64_t first_term, int64_t terms, real *panel)
{
    (void)batch;
    const window *s = job->window;
    memset(panel, 0, terms * TILE_ROWS * sizeof(real));
    for (int64_t i = 0; i < count; i++) {
        int64_t column = (first + i) % s->width;
        int64_t row = (first + i) / s->width % s->height;
        int64_t n = (first + i) / s->width / s->height;
        tap t = tap_at(s, s->filters, first_term);
        for (int64_t k = 0, run; k < terms; k += run, t = next_pixel(s, t)) {
            run = smaller(s->filters - t.c, terms - k);
            const real *g = met(s, job->a, n, row, column, t);
            for (int64_t o = 0; g && o < run; o++)
                panel[(k + o) * TILE_ROWS + i] = g[o];
        }
    }
}

/* w (p, q, c, o) as the matrix b ((p, q, o), c): panel ((p, q, o), TILE_COLUMNS). */
static void copy_kernel_transposed(const product *job, int64_t batch, int64_t first,
                                   int64_t count, int64_t first_term, int64_t terms, real *panel)
{
    (void)batch;
    const window *s = job->window;
    for (int64_t k = 0; k < terms; k++) {
        int64_t o = (first_term + k) % s->filters, pq = (first_term + k) / s->filters;
        const real *w = job->b + (pq * s->channels + first) * s->filters + o;
        for (int64_t c = 0; c < TILE_COLUMNS; c++)
            panel[k * TILE_COLUMNS + c] = c < count ? w[c * s->filters] : 0;
    }
}

/* In conv, pixel (n, row, column) met w[p, q] at output (n, i, j); so x_bar (batch, height,
 * width, channels) is the g that each pixel met times w, transposed. */
int conv_input_gradient(const real *g, const real *w, real *x_bar, const window *s, int threads)
{
    product job = {.batch = 1, .rows = s->batch * s->height * s->width,
                   .columns = s->channels,
                   .terms = s->window_height * s->window_width * s->filters,
                   .copy_a = copy_met_outputs, .copy_b = copy_kernel_transposed,
                   .a = g, .b = w, .window = s, .y = x_bar};
    return multiply(&job, threads);
}
