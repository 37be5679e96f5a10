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

/* The fast versions compute a vector of elements at a time (vector.h, exponential.h), and the last
 * elements as a vector of which only so many lanes exist. Large arrays are shared among threads. */
#define FUNCTIONS_WORTH_A_THREAD 40000

/* Parts begin at multiples of this, since two threads that write into one cache line wait for each
 * other. */
#define ELEMENTS_UNIT 64

/* About 1 / x, to 14 bits at least: where there is an instruction for it, tanh takes a tenth less. */
INLINE vector about_1_over(vector x)
{
#if VECTOR_BYTES == 64
    if (IS_FLOAT)
        return (vector)_mm512_rcp14_ps((__m512)x);
#endif
    return 1 / x;
}

/* x / (a + b) for a >= b, as if a + b were not rounded. A first quotient may be off a little; how far,
 * is seen from what it leaves of x, the larger part of which is subtracted first. (The errors of tanh
 * would be up to 2.5 units without that.) */
INLINE vector divided_by_sum(vector x, vector a, vector b)
{
    vector inverse = about_1_over(a + b), quotient = x * inverse;
    return quotient + (x - a * quotient - b * quotient) * inverse;
}

/* With e = e^2|x| - 1, tanh |x| = e / (e + 2); beyond `all_is_1` that rounds to 1. */
INLINE vector tanh_of(vector x)
{
    const vector all_is_1 = all_lanes(IS_FLOAT ? 10 : 20), two = all_lanes(2);
    vector e = exponential_minus_1(2 * lesser(all_is_1, absolute(x)));
    return with_sign_of(x, divided_by_sum(e, greater(two, e), lesser(two, e)));
}

/* 1 / (1 + e^-x) is also e^x / (1 + e^x): of the two, that with the exponential below 1 is taken. */
INLINE vector sigmoid_of(vector x)
{
    vector one = all_lanes(1), e = exponential(-absolute(x));
    return divided_by_sum(choose(is_less(x, all_lanes(0)), e, one), one, e);
}

typedef vector function_of_vector(vector x);

INLINE void for_each(function_of_vector *function, const real *x, real *y, int64_t count)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        store(y + i, function(load(x + i)));
    lanes rest = first_lanes(count - i);
    store_lanes(y + i, function(load_lanes(x + i, rest)), rest);
}

static void exp_all(const real *x, real *y, int64_t count)
{
    for_each(exponential, x, y, count);
}

static void tanh_all(const real *x, real *y, int64_t count)
{
    for_each(tanh_of, x, y, count);
}

static void sigmoid_all(const real *x, real *y, int64_t count)
{
    for_each(sigmoid_of, x, y, count);
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
