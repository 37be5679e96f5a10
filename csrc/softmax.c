/* Rows of scores x or logits z (rows, columns) become probabilities:
 *     softmax                         y[k] = p[k] = e^x[k] / sum over j of e^x[j]
 *     log_softmax                     y[k] = ln p[k] = x[k] - ln sum over j of e^x[j]
 *     softmax_cross_entropy           y = - sum over k of t[k] ln p[k], where 0 times infinity is 0
 *     softmax_cross_entropy_gradient  z_bar[k] = g (p[k] times the sum of t - t[k])
 * To subtract the greatest score of a row from all of them first changes nothing but the size of
 * the exponentials, and keeps them from overflowing.
 */
#include <math.h>
#include <stdlib.h>
#include <tgmath.h>

#include "exponential.h"
#include "shared.h"
#include "tinydl.h"

/* The logarithm of the sum over j of e^(x[j] - greatest); sets `greatest`. */
static real plain_log_sum(const real *x, int64_t columns, real *greatest)
{
    *greatest = -INFINITY;
    for (int64_t j = 0; j < columns; j++)
        *greatest = x[j] > *greatest ? x[j] : *greatest;
    real sum = 0;
    for (int64_t j = 0; j < columns; j++)
        sum += exp(x[j] - *greatest);
    return log(sum);
}

int plain_log_softmax(const real *x, real *y, const table *s, int threads)
{
    (void)threads;
    for (int64_t i = 0; i < s->rows; i++) {
        const real *row = x + i * s->columns;
        real greatest, log_sum = plain_log_sum(row, s->columns, &greatest);
        for (int64_t k = 0; k < s->columns; k++)
            y[i * s->columns + k] = row[k] - greatest - log_sum;
    }
    return 0;
}

int plain_softmax(const real *x, real *y, const table *s, int threads)
{
    plain_log_softmax(x, y, s, threads);
    for (int64_t i = 0; i < s->rows * s->columns; i++)
        y[i] = exp(y[i]);
    return 0;
}

int plain_softmax_cross_entropy(const real *t, const real *z, real *y, const table *s, int threads)
{
    (void)threads;
    for (int64_t i = 0; i < s->rows; i++) {
        const real *row = z + i * s->columns;
        real greatest, log_sum = plain_log_sum(row, s->columns, &greatest);
        y[i] = 0;
        for (int64_t k = 0; k < s->columns; k++) {
            real target = t[i * s->columns + k], log_p = row[k] - greatest - log_sum;
            if (target != 0 || log_p != -INFINITY)
                y[i] -= target * log_p;
        }
    }
    return 0;
}

int plain_softmax_cross_entropy_gradient(const real *g, const real *t, const real *z, real *z_bar,
                                         const table *s, int threads)
{
    plain_softmax(z, z_bar, s, threads);
    for (int64_t i = 0; i < s->rows; i++) {
        real sum = 0;
        for (int64_t k = 0; k < s->columns; k++)
            sum += t[i * s->columns + k];
        for (int64_t k = 0; k < s->columns; k++) {
            int64_t at = i * s->columns + k;
            z_bar[at] = g[i] * (z_bar[at] * sum - t[at]);
        }
    }
    return 0;
}

/* The fast versions take vectors of exponentials (exponential.h), and the maximum and the sum of a
 * row in SIDE_BY_SIDE parts: one after the other, each addition would wait for the one before it. */
#define SIDE_BY_SIDE 32
#define LOGITS_WORTH_A_THREAD 20000

static real greatest_of(const real *x, int64_t count)
{
    real greatest[SIDE_BY_SIDE];
    for (int l = 0; l < SIDE_BY_SIDE; l++)
        greatest[l] = -INFINITY;
    int64_t i = 0;
    for (; i + SIDE_BY_SIDE <= count; i += SIDE_BY_SIDE)
        for (int l = 0; l < SIDE_BY_SIDE; l++)
            greatest[l] = x[i + l] > greatest[l] ? x[i + l] : greatest[l];
    for (; i < count; i++)
        greatest[0] = x[i] > greatest[0] ? x[i] : greatest[0];
    for (int l = 1; l < SIDE_BY_SIDE; l++)
        greatest[0] = greatest[l] > greatest[0] ? greatest[l] : greatest[0];
    return greatest[0];
}

static real sum_of(const real *x, int64_t count)
{
    real sums[SIDE_BY_SIDE] = {0};
    int64_t i = 0;
    for (; i + SIDE_BY_SIDE <= count; i += SIDE_BY_SIDE)
        for (int l = 0; l < SIDE_BY_SIDE; l++)
            sums[l] += x[i + l];
    for (; i < count; i++)
        sums[0] += x[i];
    for (int l = 1; l < SIDE_BY_SIDE; l++)
        sums[0] += sums[l];
    return sums[0];
}

static void exponentials(const real *restrict x, real greatest, real *restrict y, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        y[k] = exponential(x[k] - greatest);
}

static void softmax_row(const real *restrict x, real *restrict y, int64_t columns)
{
    exponentials(x, greatest_of(x, columns), y, columns);
    real scale = 1 / sum_of(y, columns);
    for (int64_t k = 0; k < columns; k++)
        y[k] *= scale;
}

static void log_softmax_row(const real *restrict x, real *restrict y, int64_t columns)
{
    real greatest = greatest_of(x, columns);
    exponentials(x, greatest, y, columns);
    real log_sum = log(sum_of(y, columns));
    for (int64_t k = 0; k < columns; k++)
        y[k] = x[k] - greatest - log_sum;
}

/* `terms` is room for a row. */
static real cross_entropy_row(const real *restrict t, const real *restrict z,
                              real *restrict terms, int64_t columns)
{
    real greatest = greatest_of(z, columns);
    exponentials(z, greatest, terms, columns);
    real log_sum = log(sum_of(terms, columns));
    for (int64_t k = 0; k < columns; k++) {
        real surprise = log_sum - (z[k] - greatest);
        int impossible = (t[k] == 0) & (surprise == INFINITY);
        terms[k] = impossible ? 0 : t[k] * surprise;
    }
    return sum_of(terms, columns);
}

/* In the cross-entropy, z came in through ln p; so z_bar is p - t if t adds up to 1. */
static void cross_entropy_gradient_row(real g, const real *restrict t, const real *restrict z,
                                       real *restrict z_bar, int64_t columns)
{
    exponentials(z, greatest_of(z, columns), z_bar, columns);
    real scale = sum_of(t, columns) / sum_of(z_bar, columns);
    for (int64_t k = 0; k < columns; k++)
        z_bar[k] = g * (z_bar[k] * scale - t[k]);
}

typedef struct {
    const real *g, *t, *x;
    real *y, *room; /* room for a row, for each thread */
    const table *s;
    int64_t parts;
} softmax_job;

static void softmax_part(const void *any_job, int64_t part, int thread)
{
    (void)thread;
    const softmax_job *job = any_job;
    int64_t columns = job->s->columns, end = part_begins(part + 1, job->parts, job->s->rows, 1);
    for (int64_t i = part_begins(part, job->parts, job->s->rows, 1); i < end; i++)
        softmax_row(job->x + i * columns, job->y + i * columns, columns);
}

static void log_softmax_part(const void *any_job, int64_t part, int thread)
{
    (void)thread;
    const softmax_job *job = any_job;
    int64_t columns = job->s->columns, end = part_begins(part + 1, job->parts, job->s->rows, 1);
    for (int64_t i = part_begins(part, job->parts, job->s->rows, 1); i < end; i++)
        log_softmax_row(job->x + i * columns, job->y + i * columns, columns);
}

static void cross_entropy_part(const void *any_job, int64_t part, int thread)
{
    const softmax_job *job = any_job;
    int64_t columns = job->s->columns, end = part_begins(part + 1, job->parts, job->s->rows, 1);
    real *room = job->room + thread * columns;
    for (int64_t i = part_begins(part, job->parts, job->s->rows, 1); i < end; i++)
        job->y[i] = cross_entropy_row(job->t + i * columns, job->x + i * columns, room, columns);
}

static void cross_entropy_gradient_part(const void *any_job, int64_t part, int thread)
{
    (void)thread;
    const softmax_job *job = any_job;
    int64_t columns = job->s->columns, end = part_begins(part + 1, job->parts, job->s->rows, 1);
    for (int64_t i = part_begins(part, job->parts, job->s->rows, 1); i < end; i++)
        cross_entropy_gradient_row(job->g[i], job->t + i * columns, job->x + i * columns,
                                   job->y + i * columns, columns);
}

static int run_softmax(task_function *body, softmax_job job, int threads)
{
    job.parts = threads;
    run_tasks(body, &job, threads, threads);
    return 0;
}

static int softmax_threads(const table *s, int threads)
{
    return useful_threads(s->rows * s->columns, LOGITS_WORTH_A_THREAD, threads);
}

/* x (rows, columns) -> y like x */
int softmax(const real *x, real *y, const table *s, int threads)
{
    softmax_job job = {.x = x, .y = y, .s = s};
    return run_softmax(softmax_part, job, softmax_threads(s, threads));
}

/* x (rows, columns) -> y like x */
int log_softmax(const real *x, real *y, const table *s, int threads)
{
    softmax_job job = {.x = x, .y = y, .s = s};
    return run_softmax(log_softmax_part, job, softmax_threads(s, threads));
}

/* t, z (rows, columns) -> y (rows) */
int softmax_cross_entropy(const real *t, const real *z, real *y, const table *s, int threads)
{
    threads = softmax_threads(s, threads);
    real *room = malloc((threads * s->columns + 1) * sizeof(real));
    if (room == NULL)
        return 1;
    softmax_job job = {.t = t, .x = z, .y = y, .room = room, .s = s};
    run_softmax(cross_entropy_part, job, threads);
    free(room);
    return 0;
}

/* g (rows), t, z (rows, columns) -> z_bar like z */
int softmax_cross_entropy_gradient(const real *g, const real *t, const real *z, real *z_bar,
                                   const table *s, int threads)
{
    softmax_job job = {.g = g, .t = t, .x = z, .y = z_bar, .s = s};
    return run_softmax(cross_entropy_gradient_part, job, softmax_threads(s, threads));
}
