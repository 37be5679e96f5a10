/* What all kernels share: how work is divided among threads. */
#ifndef TINYDL_SHARED_H
#define TINYDL_SHARED_H

#include <stdint.h>

/* For functions whose loops shall unroll, or stay in registers, where an argument is a constant. */
#define INLINE static inline __attribute__((always_inline))

/* Before a loop of few steps, known beforehand: write them out one after the other. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

static inline int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Where part `index` of `parts` begins, when `count` is divided in whole units. */
static inline int64_t part_begins(int64_t index, int64_t parts, int64_t count, int64_t unit)
{
    int64_t units = (count + unit - 1) / unit;
    return smaller(units * index / parts * unit, count);
}

typedef void task_function(const void *job, int64_t task, int thread);

/* Calls body(job, task, thread) for every task in 0 .. tasks - 1, on up to so many threads, of which
 * `thread` is the number: no two of them have the same at one time. */
void run_tasks(task_function *body, const void *job, int64_t tasks, int threads);

/* Idle threads sleep, and waking one takes time: each should have at least `grain` of the work. */
static inline int useful_threads(int64_t work, int64_t grain, int threads)
{
    int64_t useful = work / grain;
    return useful < 1 ? 1 : useful < threads ? (int)useful : threads;
}

#endif
