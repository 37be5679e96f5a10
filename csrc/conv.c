/* Convolution; its gradients are in conv_gradients.c.
 *
 * With row = i * stride_height + p * dilation_height - padding_top, and column likewise, over the
 * (p, q) that meet the image, and the channels c that filter o sees:
 *     y(n, i, j, o) = sum over p, q, c of x(n, row, column, c) * w(p, q, c, o)
 */
#include "conv_strip.h"

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

/* The fast version: see conv_strip.h. A task is a strip. */
static void do_strip(const void *any_job, int64_t number, int thread)
{
    const conv_job *job = any_job;
    const strip one = strip_at(job->s, &job->strips, number);
    conv_of_strip(job, &one, job->y + one.first_place * job->s->filters,
                  job->rooms + thread * job->room_size);
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
    if (make_strips(s, &job.strips))
        return 1;
    job.room_size = strip_size(s, &job.strips);
    threads = conv_threads(s, threads);
    int failed = open_conv(&job, threads);
    if (!failed)
        run_tasks(do_strip, &job, job.strips.count, threads);
    close_conv(&job);
    free_strips(&job.strips);
    return failed;
}
