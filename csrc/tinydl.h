/* The kernels of tinydl: what each one computes, on which shapes.
 *
 * `real` is float or double. Every array is contiguous, its last axis fastest. An input may be
 * empty, and a sum of nothing is 0; a result never is. No kernel changes its inputs. `threads` is
 * the number of threads it may use. Each returns 0, or 1 if there was no memory to work in.
 *
 * Each kernel is written twice: plain_conv, say, is the formula as plain loops, with the same
 * arguments; conv is the fast one. tinydl.kernels.use("c-plain") computes with the plain ones.
 *
 * To write a kernel of your own, include this header, define one of these functions, and call
 * tinydl.kernels.use("your_file.c"): it is compiled twice, for each meaning of `real`.
 */
#ifndef TINYDL_H
#define TINYDL_H

#include <stdint.h>

#ifndef real
#define real float
#endif

/* Where a window stands on an image. Window element (p, q) of output (i, j) lies on
 *     row    = i * stride_height + p * dilation_height - padding_top
 *     column = j * stride_width  + q * dilation_width  - padding_left
 * of the image; outside 0 <= row < height and 0 <= column < width is padding.
 *
 * In a convolution, groups divide the channels and the filters: the first filters / groups of the
 * filters see the first channels / groups of the channels, and so on. Mostly there is one group. */
typedef struct {
    int64_t batch, height, width, channels;
    int64_t window_height, window_width, filters, groups;
    int64_t output_height, output_width;
    int64_t stride_height, stride_width;
    int64_t padding_top, padding_left;
    int64_t dilation_height, dilation_width;
} window;

/* The shapes of a matrix product, and how far apart the elements of a and b lie:
 *     a(n, i, k) = a[n * a_batch_stride + i * a_row_stride + k * a_term_stride]
 *     b(n, k, j) = b[n * b_batch_stride + k * b_term_stride + j * b_column_stride] */
typedef struct {
    int64_t batch, rows, terms, columns;
    int64_t a_batch_stride, a_row_stride, a_term_stride;
    int64_t b_batch_stride, b_term_stride, b_column_stride;
} matrices;

/* The shape of a table, whose rows are as long as a bias, or of any array taken as one row. */
typedef struct {
    int64_t rows, columns;
} table;

/* y (batch, rows, columns) = a (batch, rows, terms) times b (batch, terms, columns) */
int matmul(const real *a, const real *b, real *y, const matrices *s, int threads);

/* a (batch, rows, terms), w (terms, columns), b (columns) -> y (batch, rows, columns) = a times w,
 * with b added to each row, and 0 in place of negative elements if `relu` */
int dense_layer(const real *a, const real *w, const real *b, real *y, const matrices *s, int relu,
                int threads);

/* x (batch, height, width, channels), w (window_height, window_width, channels / groups, filters)
 * -> y (batch, output_height, output_width, filters) */
int conv(const real *x, const real *w, real *y, const window *s, int threads);

/* x, w as in conv, b (filters) -> y = conv(x, w), with b added to each pixel, and 0 in place of
 * negative elements if `relu` */
int conv_layer(const real *x, const real *w, const real *b, real *y, const window *s, int relu,
               int threads);

/* g like y, w -> x_bar like x */
int conv_input_gradient(const real *g, const real *w, real *x_bar, const window *s, int threads);

/* x, g like y -> w_bar like w */
int conv_kernel_gradient(const real *x, const real *g, real *w_bar, const window *s, int threads);

/* x (batch, height, width, channels) -> y (batch, output_height, output_width, channels) */
int max_pool(const real *x, real *y, const window *s, int threads);

/* u like x, x -> y: the elements of u at the places of x's maxima */
int max_pool_gather(const real *u, const real *x, real *y, const window *s, int threads);

/* g like y, x -> x_bar like x: g brought to the places of x's maxima */
int max_pool_gradient(const real *g, const real *x, real *x_bar, const window *s, int threads);

/* x (batch, height, width, channels) -> y (2, batch, output_height, output_width, channels): the
 * maxima, then which element of its window each was, p * window_width + q */
int max_pool_winners(const real *x, real *y, const window *s, int threads);

/* g, winners (batch, output_height, output_width, channels) -> x_bar (batch, height, width,
 * channels): g brought to the winners; where there is no such element on the image, nowhere */
int max_unpool(const real *g, const real *winners, real *x_bar, const window *s, int threads);

/* x, w, b as in conv_layer -> y: the max_pool_winners, by window `pool`, of the conv_layer; with -1
 * for the winner where `relu` and the maximum is not positive */
int conv_max_pool_layer(const real *x, const real *w, const real *b, real *y, const window *s,
                        const window *pool, int relu, int threads);

/* x, g and winners like y -> w_bar (window_height * window_width * channels / groups + 1, filters),
 * the last row of which is b_bar: what the maxima that have a winner give to w and b */
int conv_max_pool_layer_gradient(const real *x, const real *g, const real *winners, real *w_bar,
                                 const window *s, const window *pool, int threads);

/* x (batch, height, width, channels) -> y (batch, output_height, output_width, channels) */
int average_pool(const real *x, real *y, const window *s, int threads);

/* g like y -> x_bar like x */
int average_pool_gradient(const real *g, real *x_bar, const window *s, int threads);

/* x (rows, columns) -> y like x: the positive elements */
int relu(const real *x, real *y, const table *s, int threads);

/* g like y, x -> x_bar like x: g where x is positive */
int relu_gradient(const real *g, const real *x, real *x_bar, const table *s, int threads);

/* x (rows, columns), b (columns) -> y like x: b added to each row */
int add_row(const real *x, const real *b, real *y, const table *s, int threads);

/* x (rows, columns) -> y (columns): the sum of the rows */
int sum_rows(const real *x, real *y, const table *s, int threads);

/* x (count) -> y (count): e to the power of each element */
int exp_each(const real *x, real *y, int64_t count, int threads);

/* x (count) -> y (count): the hyperbolic tangent of each element */
int tanh_each(const real *x, real *y, int64_t count, int threads);

/* x (count) -> y (count): 1 / (1 + e^-x) for each element */
int sigmoid_each(const real *x, real *y, int64_t count, int threads);

/* x (rows, columns) -> y like x: exponentials, scaled so that each row adds up to 1 */
int softmax(const real *x, real *y, const table *s, int threads);

/* x (rows, columns) -> y like x: the logarithm of the softmax */
int log_softmax(const real *x, real *y, const table *s, int threads);

/* t, z (rows, columns) -> y (rows): the cross-entropy of t and the softmax of z */
int softmax_cross_entropy(const real *t, const real *z, real *y, const table *s, int threads);

/* g (rows), t, z (rows, columns) -> z_bar like z: g times (the softmax of z times the sum of t - t) */
int softmax_cross_entropy_gradient(const real *g, const real *t, const real *z, real *z_bar,
                                   const table *s, int threads);

/* The steps of the optimizers; see update.c for their rules.
 * w, g (count) -> result (count): the new w */
int sgd_step(const real *w, const real *g, real *result, int64_t count, double rate, int threads);

/* w, g, v (count) -> result (2, count): the new w and v */
int momentum_step(const real *w, const real *g, const real *v, real *result, int64_t count,
                  double rate, double momentum, int nesterov, int threads);

/* w, g, m, v (count) -> result (3, count): the new w, m and v */
int adam_step(const real *w, const real *g, const real *m, const real *v, real *result,
              int64_t count, double rate, double beta_1, double beta_2, double epsilon, int threads);

#endif
