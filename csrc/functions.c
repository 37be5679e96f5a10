/* Functions of single elements, to within 2 units in the last place:
 *     exp_each      y[i] = e^x[i]
 *     tanh_each     y[i] = (e^x[i] - e^-x[i]) / (e^x[i] + e^-x[i])
 *     sigmoid_each  y[i] = 1 / (1 + e^-x[i])
 */
#include <tgmath.h>

#include "exponential.h"
#include "shared.h"
#include "tinydl.h"

int plain_exp_each(const real *x, real *y, int64_t count, int threads)
{
    (void)threads;
    for (int64_t i = 0; i < count; i++)
        y[i] = exp(x[i]);
    return 0;
}

int plain_tanh_each(const real *x, real *y, int64_t count, int threads)
{
    (void)threads;
    for (int64_t i = 0; i < count; i++)
        y[i] = tanh(x[i]);
    return 0;
}

int plain_sigmoid_each(const real *x, real *y, int64_t count, int threads)
{
    (void)threads;
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] < 0 ? exp(x[i]) / (1 + exp(x[i])) : 1 / (1 + exp(-x[i]));
    return 0;
}

/* The fast versions are plain loops, too, but over an exponential that the compiler turns into
 * vectors (exponential.h). Large arrays are shared among threads; parts begin at multiples of
 * ELEMENTS_UNIT, so that no element changes its place in a vector. */
#define FUNCTIONS_WORTH_A_THREAD 50000
#define ELEMENTS_UNIT 64

static void exp_all(const real *restrict x, real *restrict y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = exponential(x[i]);
}

/* With e = e^2|x| - 1, tanh |x| = e / (e + 2), or 1 - 2 / (e + 2) where that is closer to 1. What
 * e + 2 lost by rounding is put back: the error would be up to 2.3 units without that. */
static void tanh_all(const real *restrict x, real *restrict y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        real e = exponential_minus_1(2 * fabs(x[i]));
        real divisor = e + 2, lost = e - (divisor - 2);
        real quotient = (e < 4 ? e : 2) / divisor;
        real size = e < 4 ? quotient - quotient * (lost / 2) : 1 - quotient;
        y[i] = copysign(size, x[i]);
    }
}

/* 1 / (1 + e^-x) is also e^x / (1 + e^x): of the two, that with the exponential below 1 is taken. */
static void sigmoid_all(const real *restrict x, real *restrict y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        real e = exponential(-fabs(x[i]));
        real divisor = 1 + e, lost = e - (divisor - 1);
        real quotient = (x[i] < 0 ? e : 1) / divisor;
        y[i] = quotient - quotient * lost;
    }
}

typedef void function_of_all(const real *x, real *y, int64_t count);

typedef struct {
    function_of_all *function;
    const real *x;
    real *y;
    int64_t count, parts;
} function_job;

static void function_part(const void *any_job, int64_t part, int thread)
{
    (void)thread;
    const function_job *job = any_job;
    int64_t begin = part_begins(part, job->parts, job->count, ELEMENTS_UNIT);
    int64_t end = part_begins(part + 1, job->parts, job->count, ELEMENTS_UNIT);
    job->function(job->x + begin, job->y + begin, end - begin);
}

static int run_function(function_of_all *function, const real *x, real *y, int64_t count,
                        int threads)
{
    threads = useful_threads(count, FUNCTIONS_WORTH_A_THREAD, threads);
    function_job job = {.function = function, .x = x, .y = y, .count = count, .parts = threads};
    run_tasks(function_part, &job, threads, threads);
    return 0;
}

/* x (count) -> y (count) */
int exp_each(const real *x, real *y, int64_t count, int threads)
{
    return run_function(exp_all, x, y, count, threads);
}

/* x (count) -> y (count) */
int tanh_each(const real *x, real *y, int64_t count, int threads)
{
    return run_function(tanh_all, x, y, count, threads);
}

/* x (count) -> y (count) */
int sigmoid_each(const real *x, real *y, int64_t count, int threads)
{
    return run_function(sigmoid_all, x, y, count, threads);
}
