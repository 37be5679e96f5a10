/* The steps of the optimizers, element by element. w are weights, g their gradients, and what is
 * remembered about them is v, or m and v:
 *     sgd_step       w' = w - rate g
 *     momentum_step  v' = momentum v - rate g
 *                    w' = w + v', or by Nesterov w + momentum v' - rate g
 *     adam_step      m' = beta_1 m + (1 - beta_1) g
 *                    v' = beta_2 v + (1 - beta_2) g^2
 *                    w' = w - rate m' / (sqrt(v') + epsilon)
 * The results are stacked in one array: w', and after it what is remembered.
 */
#include <stddef.h>
#include <tgmath.h>

#include "shared.h"
#include "tinydl.h"

int plain_sgd_step(const real *w, const real *g, real *result, int64_t count, double rate,
                   int threads)
{
    (void)threads;
    for (int64_t i = 0; i < count; i++)
        result[i] = w[i] - rate * g[i];
    return 0;
}

int plain_momentum_step(const real *w, const real *g, const real *v, real *result, int64_t count,
                        double rate, double momentum, int nesterov, int threads)
{
    (void)threads;
    real *new_w = result, *new_v = result + count;
    for (int64_t i = 0; i < count; i++) {
        new_v[i] = momentum * v[i] - rate * g[i];
        new_w[i] = w[i] + (nesterov ? momentum * new_v[i] - rate * g[i] : new_v[i]);
    }
    return 0;
}

int plain_adam_step(const real *w, const real *g, const real *m, const real *v, real *result,
                    int64_t count, double rate, double beta_1, double beta_2, double epsilon,
                    int threads)
{
    (void)threads;
    real *new_w = result, *new_m = result + count, *new_v = result + 2 * count;
    for (int64_t i = 0; i < count; i++) {
        new_m[i] = beta_1 * m[i] + (1 - beta_1) * g[i];
        new_v[i] = beta_2 * v[i] + (1 - beta_2) * (g[i] * g[i]);
        new_w[i] = w[i] - rate * new_m[i] / (sqrt(new_v[i]) + epsilon);
    }
    return 0;
}

/* The fast versions differ in two things. Their numbers are all of one type, and the arrays are
 * parameters that do not overlap (restrict): so the compiler uses vectors, and a step of Adam takes
 * a tenth of the time. And large arrays are shared among threads. */
#define WEIGHTS_WORTH_A_THREAD 25000

/* Parts begin at multiples of this, so that no element changes its place in a vector. */
#define WEIGHTS_UNIT 64

typedef struct {
    const real *w, *g, *m, *v;
    real *result;
    int64_t count, parts;
    double rate, momentum, beta_1, beta_2, epsilon;
    int nesterov;
} step_job;

static void sgd(const step_job *job, int64_t begin, int64_t end, const real *restrict w,
                const real *restrict g, real *restrict new_w)
{
    real rate = job->rate;
    for (int64_t i = begin; i < end; i++)
        new_w[i] = w[i] - rate * g[i];
}

static void momentum_and_sgd(const step_job *job, int64_t begin, int64_t end,
                             const real *restrict w, const real *restrict g,
                             const real *restrict v, real *restrict new_w, real *restrict new_v)
{
    real rate = job->rate, momentum = job->momentum;
    int nesterov = job->nesterov;
    for (int64_t i = begin; i < end; i++) {
        real velocity = momentum * v[i] - rate * g[i];
        new_v[i] = velocity;
        new_w[i] = w[i] + (nesterov ? momentum * velocity - rate * g[i] : velocity);
    }
}

static void adam(const step_job *job, int64_t begin, int64_t end, const real *restrict w,
                 const real *restrict g, const real *restrict m, const real *restrict v,
                 real *restrict new_w, real *restrict new_m, real *restrict new_v)
{
    real rate = job->rate, epsilon = job->epsilon;
    real beta_1 = job->beta_1, rest_1 = 1 - job->beta_1;
    real beta_2 = job->beta_2, rest_2 = 1 - job->beta_2;
    for (int64_t i = begin; i < end; i++) {
        real mean = beta_1 * m[i] + rest_1 * g[i];
        real square = beta_2 * v[i] + rest_2 * (g[i] * g[i]);
        new_m[i] = mean;
        new_v[i] = square;
        new_w[i] = w[i] - rate * mean / (sqrt(square) + epsilon);
    }
}

static void step_part(const void *any_job, int64_t part, int thread)
{
    (void)thread;
    const step_job *job = any_job;
    int64_t begin = part_begins(part, job->parts, job->count, WEIGHTS_UNIT);
    int64_t end = part_begins(part + 1, job->parts, job->count, WEIGHTS_UNIT);
    const real *w = job->w, *g = job->g, *m = job->m, *v = job->v;
    real *new_w = job->result;
    if (m != NULL)
        adam(job, begin, end, w, g, m, v, new_w, new_w + job->count, new_w + 2 * job->count);
    else if (v != NULL)
        momentum_and_sgd(job, begin, end, w, g, v, new_w, new_w + job->count);
    else
        sgd(job, begin, end, w, g, new_w);
}

static int run_step(step_job job, int threads)
{
    threads = useful_threads(job.count, WEIGHTS_WORTH_A_THREAD, threads);
    job.parts = threads;
    run_tasks(step_part, &job, threads, threads);
    return 0;
}

/* w, g (count) -> result (count): the new w */
int sgd_step(const real *w, const real *g, real *result, int64_t count, double rate, int threads)
{
    step_job job = {.w = w, .g = g, .result = result, .count = count, .rate = rate};
    return run_step(job, threads);
}

/* w, g, v (count) -> result (2, count): the new w and v */
int momentum_step(const real *w, const real *g, const real *v, real *result, int64_t count,
                  double rate, double momentum, int nesterov, int threads)
{
    step_job job = {.w = w, .g = g, .v = v, .result = result, .count = count,
                    .rate = rate, .momentum = momentum, .nesterov = nesterov};
    return run_step(job, threads);
}

/* w, g, m, v (count) -> result (3, count): the new w, m and v */
int adam_step(const real *w, const real *g, const real *m, const real *v, real *result,
              int64_t count, double rate, double beta_1, double beta_2, double epsilon, int threads)
{
    step_job job = {.w = w, .g = g, .m = m, .v = v, .result = result, .count = count,
                    .rate = rate, .beta_1 = beta_1, .beta_2 = beta_2, .epsilon = epsilon};
    return run_step(job, threads);
}
