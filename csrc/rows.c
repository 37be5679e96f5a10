/* Loops over the rows of a table x (rows, columns), with one step of arithmetic an element:
 *     relu           y[i, j] = x[i, j] if positive, otherwise 0; NaN stays NaN
 *     relu_gradient  x_bar[i, j] = g[i, j] where x[i, j] is positive (or NaN), otherwise 0
 *     add_row        y[i, j] = x[i, j] + b[j]
 *     sum_rows       y[j] = sum over i of x[i, j]
 */
#include <stdlib.h>
#include <string.h>

#include "shared.h"
#include "tinydl.h"

int plain_relu(const real *x, real *y, const table *s, int threads)
{
    (void)threads;
    for (int64_t i = 0; i < s->rows * s->columns; i++)
        y[i] = x[i] <= 0 ? 0 : x[i];
    return 0;
}

int plain_relu_gradient(const real *g, const real *x, real *x_bar, const table *s, int threads)
{
    (void)threads;
    for (int64_t i = 0; i < s->rows * s->columns; i++)
        x_bar[i] = x[i] <= 0 ? 0 : g[i];
    return 0;
}

int plain_add_row(const real *x, const real *b, real *y, const table *s, int threads)
{
    (void)threads;
    for (int64_t i = 0; i < s->rows; i++)
        for (int64_t j = 0; j < s->columns; j++)
            y[i * s->columns + j] = x[i * s->columns + j] + b[j];
    return 0;
}

int plain_sum_rows(const real *x, real *y, const table *s, int threads)
{
    (void)threads;
    for (int64_t j = 0; j < s->columns; j++) {
        real sum = 0;
        for (int64_t i = 0; i < s->rows; i++)
            sum += x[i * s->columns + j];
        y[j] = sum;
    }
    return 0;
}

/* The fast versions are as fast as memory; what the compiler needs for that is loops without
 * branches and pointers that do not overlap (restrict). NumPy's loops take two to five times as
 * long. */
#define ELEMENTS_WORTH_A_THREAD 50000

/* Each thread gets several parts, so that the first to be done can take over from the others. */
#define PARTS_A_THREAD 4

/* A sum of rows is cut into at most this many parts, a matter of sizes, never of threads. */
#define MOST_PARTS 16
#define FEWEST_ROWS 256

/* So many rows are added at a time: y is read and written an eighth as often, and a table of 32
 * columns is summed in half the time. */
#define ROWS_AT_ONCE 8

typedef struct {
    const real *g, *x, *b;
    real *result;
    const table *s;
    int64_t parts;
} rows_job;

static void relu_part(const void *any_job, int64_t part, int thread)
{
    (void)thread;
    const rows_job *job = any_job;
    int64_t count = job->s->rows * job->s->columns;
    const real *restrict x = job->x;
    real *restrict y = job->result;
    int64_t end = part_begins(part + 1, job->parts, count, 1);
    for (int64_t i = part_begins(part, job->parts, count, 1); i < end; i++)
        y[i] = x[i] <= 0 ? 0 : x[i];
}

/* In relu, y was x where x is positive; so x_bar is g there. */
static void relu_gradient_part(const void *any_job, int64_t part, int thread)
{
    (void)thread;
    const rows_job *job = any_job;
    int64_t count = job->s->rows * job->s->columns;
    const real *restrict g = job->g, *restrict x = job->x;
    real *restrict x_bar = job->result;
    int64_t end = part_begins(part + 1, job->parts, count, 1);
    for (int64_t i = part_begins(part, job->parts, count, 1); i < end; i++) {
        real arriving = g[i];
        x_bar[i] = x[i] <= 0 ? 0 : arriving;
    }
}

static void add_row_part(const void *any_job, int64_t part, int thread)
{
    (void)thread;
    const rows_job *job = any_job;
    int64_t columns = job->s->columns, end = part_begins(part + 1, job->parts, job->s->rows, 1);
    const real *restrict b = job->b;
    for (int64_t i = part_begins(part, job->parts, job->s->rows, 1); i < end; i++) {
        const real *restrict x = job->x + i * columns;
        real *restrict y = job->result + i * columns;
        for (int64_t j = 0; j < columns; j++)
            y[j] = x[j] + b[j];
    }
}

/* sum (columns) += x (rows, columns), row by row. */
INLINE void add_rows(real *restrict sum, const real *restrict x, int64_t rows, int64_t columns)
{
    for (int64_t j = 0; j < columns; j++) {
        real total = sum[j];
        UNROLL
        for (int64_t i = 0; i < rows; i++)
            total += x[i * columns + j];
        sum[j] = total;
    }
}

/* The sum of one part of the rows, to row `part` of the result (parts, columns). */
static void sum_rows_part(const void *any_job, int64_t part, int thread)
{
    (void)thread;
    const rows_job *job = any_job;
    int64_t columns = job->s->columns;
    int64_t i = part_begins(part, job->parts, job->s->rows, 1);
    int64_t end = part_begins(part + 1, job->parts, job->s->rows, 1);
    real *sum = job->result + part * columns;
    memset(sum, 0, columns * sizeof(real));
    for (; i + ROWS_AT_ONCE <= end; i += ROWS_AT_ONCE)
        add_rows(sum, job->x + i * columns, ROWS_AT_ONCE, columns);
    for (; i < end; i++)
        add_rows(sum, job->x + i * columns, 1, columns);
}

/* Runs `body` on the parts of a table. */
static int run_parts(task_function *body, rows_job job, int threads)
{
    int64_t elements = job.s->rows * job.s->columns;
    threads = useful_threads(elements, ELEMENTS_WORTH_A_THREAD, threads);
    job.parts = threads > 1 ? threads * PARTS_A_THREAD : 1;
    run_tasks(body, &job, job.parts, threads);
    return 0;
}

/* x (rows, columns) -> y like x */
int relu(const real *x, real *y, const table *s, int threads)
{
    return run_parts(relu_part, (rows_job){.x = x, .result = y, .s = s}, threads);
}

/* g like y, x -> x_bar like x */
int relu_gradient(const real *g, const real *x, real *x_bar, const table *s, int threads)
{
    return run_parts(relu_gradient_part, (rows_job){.g = g, .x = x, .result = x_bar, .s = s}, threads);
}

/* x (rows, columns), b (columns) -> y like x */
int add_row(const real *x, const real *b, real *y, const table *s, int threads)
{
    return run_parts(add_row_part, (rows_job){.x = x, .b = b, .result = y, .s = s}, threads);
}

/* x (rows, columns) -> y (columns). In add_row, b went to every row; so b_bar is this sum of g. */
int sum_rows(const real *x, real *y, const table *s, int threads)
{
    int64_t parts = smaller(s->rows / FEWEST_ROWS + 1, MOST_PARTS);
    real *sums = malloc((parts * s->columns + 1) * sizeof(real));
    if (sums == NULL)
        return 1;
    rows_job job = {.x = x, .result = sums, .s = s, .parts = parts};
    threads = useful_threads(s->rows * s->columns, ELEMENTS_WORTH_A_THREAD, threads);
    run_tasks(sum_rows_part, &job, parts, threads);
    memset(y, 0, s->columns * sizeof(real));
    for (int64_t part = 0; part < parts; part++)
        for (int64_t j = 0; j < s->columns; j++)
            y[j] += sums[part * s->columns + j];
    free(sums);
    return 0;
}
