/* Threads that share the tasks of a job: run_tasks of shared.h.
 *
 * Whoever calls a kernel works on its tasks, too, and helpers join in if they come in time. A
 * kernel never waits for a helper that has not begun: where other programs have the processors,
 * two threads take as long as one, while OpenMP's take five times as long (100 us of work).
 *
 * Helpers are started once, and stay. After a job a helper looks out for the next for a while,
 * since the kernels of a training step follow each other closely: to share a job then costs less
 * than 1 us. Then it sleeps, and to wake it costs 10 us, and 40 more until it has come.
 *
 * One job is shared at a time; another thread of the program that calls a kernel meanwhile does
 * all of it alone.
 */
#define _POSIX_C_SOURCE 200809L

#include "shared.h"

#ifdef TINYDL_THREADS
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

/* How long a helper looks out for a job, and how long who shared one looks out for its end. */
#define HELPER_NANOSECONDS 100000
#define CALLER_NANOSECONDS 50000

/* What is written, but for next_task, is written by who holds the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t seats_are_free = PTHREAD_COND_INITIALIZER;
static pthread_cond_t helpers_are_done = PTHREAD_COND_INITIALIZER;
static int helpers;           /* threads that were started */
static int looking_out;       /* helpers that need not be woken */
static int sharing;           /* whether there is a current job */
static atomic_int free_seats; /* how many more helpers may join */
static atomic_int at_work;    /* helpers that joined and are not done */

static struct {
    task_function *body;
    const void *job;
    int64_t tasks;
} current;
static atomic_llong next_task; /* of the current job, the first that nobody has begun */

static void do_tasks(int thread)
{
    int64_t task;
    while ((task = atomic_fetch_add(&next_task, 1)) < current.tasks)
        current.body(current.job, task, thread);
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Helpers give way to whoever else wants the processor. */
static void look_out_for_seats(void)
{
    int64_t end = nanoseconds() + HELPER_NANOSECONDS;
    while (free_seats == 0 && nanoseconds() < end)
        sched_yield();
}

static void look_out_for_helpers(void)
{
    int64_t end = nanoseconds() + CALLER_NANOSECONDS;
    while (at_work > 0 && nanoseconds() < end)
        continue;
}

/* What each helper does, for ever. */
static void *help(void *nothing)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        looking_out++;
        pthread_mutex_unlock(&lock);
        look_out_for_seats();
        pthread_mutex_lock(&lock);
        looking_out--;
        while (free_seats == 0)
            pthread_cond_wait(&seats_are_free, &lock);

        int thread = free_seats--;
        at_work++;
        pthread_mutex_unlock(&lock);
        do_tasks(thread);
        pthread_mutex_lock(&lock);
        if (--at_work == 0)
            pthread_cond_signal(&helpers_are_done);
    }
    return nothing;
}

/* A forked process has only the thread that forked, and starts helpers of its own. */
static void begin_anew(void)
{
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&seats_are_free, NULL);
    pthread_cond_init(&helpers_are_done, NULL);
    helpers = looking_out = sharing = 0;
    free_seats = 0;
    at_work = 0;
}

static void start_helpers(int wanted)
{
    static int knows_of_forks;
    if (!knows_of_forks)
        knows_of_forks = pthread_atfork(NULL, NULL, begin_anew) == 0;
    for (pthread_t id; helpers < wanted; helpers++) {
        if (pthread_create(&id, NULL, help, NULL) != 0)
            return; /* then there are fewer */
        pthread_detach(id);
    }
}

/* Returns whether it did: not if another job is being shared. */
static int share(task_function *body, const void *job, int64_t tasks, int seats)
{
    pthread_mutex_lock(&lock);
    if (sharing) {
        pthread_mutex_unlock(&lock);
        return 0;
    }
    sharing = 1;
    current.body = body, current.job = job, current.tasks = tasks;
    next_task = 0;
    start_helpers(seats);
    free_seats = seats;
    for (int sleeping = seats - looking_out; sleeping > 0; sleeping--)
        pthread_cond_signal(&seats_are_free);
    pthread_mutex_unlock(&lock);

    do_tasks(0);

    pthread_mutex_lock(&lock);
    free_seats = 0;
    pthread_mutex_unlock(&lock);
    look_out_for_helpers();
    pthread_mutex_lock(&lock);
    while (at_work > 0)
        pthread_cond_wait(&helpers_are_done, &lock);
    sharing = 0;
    pthread_mutex_unlock(&lock);
    return 1;
}

#else

static int share(task_function *body, const void *job, int64_t tasks, int seats)
{
    (void)body, (void)job, (void)tasks, (void)seats;
    return 0;
}

#endif

void run_tasks(task_function *body, const void *job, int64_t tasks, int threads)
{
    int seats = (int)smaller(threads, tasks) - 1;
    if (seats > 0 && share(body, job, tasks, seats))
        return;
    for (int64_t task = 0; task < tasks; task++)
        body(job, task, 0);
}
