/* Rows of scores x or logits z (rows, columns) become probabilities:
 *     softmax                         y[k] = p[k] = e^x[k] / sum over j of e^x[j]
 *     log_softmax                     y[k] = ln p[k] = x[k] - ln sum over j of e^x[j]
 *     softmax_cross_entropy           y = - sum over k of t[k] ln p[k], where 0 times infinity is 0
 *     softmax_cross_entropy_gradient  z_bar[k] = g (p[k] times the sum of t - t[k])
 * To subtract the greatest score of a row from all of them first changes nothing but the size of
 * the exponentials, and keeps them from overflowing.
 */
#include <math.h>
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

/* The fast versions walk through a row, which stays in the first cache, by vectors. At its end the
 * lanes that do not exist count as -infinity: they are never the greatest, and their exponential
 * is 0. */
#define LOGITS_WORTH_A_THREAD 20000

INLINE vector scores(const real *x, int64_t columns, int64_t k)
{
    return load_up_to(columns - k, all_lanes(-INFINITY), x + k);
}

INLINE vector numbers(const real *x, int64_t columns, int64_t k)
{
    return load_up_to(columns - k, all_lanes(0), x + k);
}

INLINE void put(vector v, real *y, int64_t columns, int64_t k)
{
    store_up_to(columns - k, y + k, v);
}

static vector greatest_of(const real *x, int64_t columns)
{
    vector greatest = all_lanes(-INFINITY);
    for (int64_t k = 0; k < columns; k += LANES)
        greatest = greater(scores(x, columns, k), greatest);
    return all_lanes(greatest_of_lanes(greatest));
}

static real sum_of(const real *x, int64_t columns)
{
    vector sum = all_lanes(0);
    for (int64_t k = 0; k < columns; k += LANES)
        sum += numbers(x, columns, k);
    return sum_of_lanes(sum);
}

/* y[k] = e^(x[k] - greatest), and their sum. */
static real exponentials(const real *x, vector greatest, real *y, int64_t columns)
{
    vector sum = all_lanes(0);
    for (int64_t k = 0; k < columns; k += LANES) {
        vector e = exponential(scores(x, columns, k) - greatest);
        put(e, y, columns, k);
        sum += e;
    }
    return sum_of_lanes(sum);
}

/* The logarithm of the sum over k of e^(x[k] - greatest). */
static real log_sum_of(const real *x, vector greatest, int64_t columns)
{
    vector sum = all_lanes(0);
    for (int64_t k = 0; k < columns; k += LANES)
        sum += exponential(scores(x, columns, k) - greatest);
    return log(sum_of_lanes(sum));
}

static void softmax_row(const real *x, real *y, int64_t columns)
{
    real scale = 1 / exponentials(x, greatest_of(x, columns), y, columns);
    for (int64_t k = 0; k < columns; k += LANES)
        put(numbers(y, columns, k) * scale, y, columns, k);
}

static void log_softmax_row(const real *x, real *y, int64_t columns)
{
    vector greatest = greatest_of(x, columns);
    real log_sum = log_sum_of(x, greatest, columns);
    for (int64_t k = 0; k < columns; k += LANES)
        put(scores(x, columns, k) - greatest - log_sum, y, columns, k);
}

/* 0 times infinity is 0 here: what cannot be, and is not expected, costs nothing. */
static real cross_entropy_row(const real *t, const real *z, int64_t columns)
{
    vector greatest = greatest_of(z, columns), sum = all_lanes(0);
    real log_sum = log_sum_of(z, greatest, columns);
    for (int64_t k = 0; k < columns; k += LANES) {
        vector target = numbers(t, columns, k);
        vector surprise = log_sum - (scores(z, columns, k) - greatest);
        vector_mask costs_nothing = (target == 0) & (surprise == INFINITY);
        sum += (vector)((vector_mask)(target * surprise) & ~costs_nothing);
    }
    return sum_of_lanes(sum);
}

/* In the cross-entropy, z came in through ln p; so z_bar is p - t if t adds up to 1. */
static void cross_entropy_gradient_row(real g, const real *t, const real *z, real *z_bar,
                                       int64_t columns)
{
    real scale = sum_of(t, columns) / exponentials(z, greatest_of(z, columns), z_bar, columns);
    for (int64_t k = 0; k < columns; k += LANES) {
        vector e = numbers(z_bar, columns, k);
        put(g * (e * scale - numbers(t, columns, k)), z_bar, columns, k);
    }
}

typedef struct {
    const real *g, *t, *x;
    real *y;
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
    (void)thread;
    const softmax_job *job = any_job;
    int64_t columns = job->s->columns, end = part_begins(part + 1, job->parts, job->s->rows, 1);
    for (int64_t i = part_begins(part, job->parts, job->s->rows, 1); i < end; i++)
        job->y[i] = cross_entropy_row(job->t + i * columns, job->x + i * columns, columns);
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
    softmax_job job = {.t = t, .x = z, .y = y, .s = s};
    return run_softmax(cross_entropy_part, job, softmax_threads(s, threads));
}

/* g (rows), t, z (rows, columns) -> z_bar like z */
int softmax_cross_entropy_gradient(const real *g, const real *t, const real *z, real *z_bar,
                                   const table *s, int threads)
{
    softmax_job job = {.g = g, .t = t, .x = z, .y = z_bar, .s = s};
    return run_softmax(cross_entropy_gradient_part, job, softmax_threads(s, threads));
}
