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
#ifdef __linux__
#define _GNU_SOURCE /* for the processor a thread runs on */
#else
#define _POSIX_C_SOURCE 200809L
#endif

#include "shared.h"

#ifdef TINYDL_THREADS
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

/* How long a helper looks out for a job: longer than Python takes from one kernel of a training step
 * to the next (a step of the MNIST network takes 713 us, with a fifth of this time 791); and how
 * long who shared a job looks out for its end. */
#define HELPER_NANOSECONDS 500000
#define CALLER_NANOSECONDS 50000

/* Further threads begin with the parts of others. */
#define MOST_PARTS 64

/* What is written, but for next_task of a part, is written by who holds the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t seats_are_free = PTHREAD_COND_INITIALIZER;
static pthread_cond_t helpers_are_done = PTHREAD_COND_INITIALIZER;
static int helpers;           /* threads that were started */
static int looking_out;       /* helpers that need not be woken */
static int sharing;           /* whether there is a current job */
static atomic_int free_seats; /* how many more helpers may join */
static atomic_int at_work;    /* helpers that joined and are not done */

static atomic_int callers_cpu; /* the processor on which the current job was shared */
static struct {
    task_function *body;
    const void *job;
    int parts;
} current;

/* Each thread begins with a part of the tasks of its own, the same part of each job, and then helps
 * with those of the others. What it wrote for one job is then mostly in its own cache when the next
 * job reads or overwrites it. (A convolution of 32 images of 28 x 28 with 32 filters takes 104 us,
 * in place of 166 when threads take whichever task is next.) */
static struct {
    _Alignas(64) atomic_llong next_task; /* the first that nobody has begun */
    int64_t end;
} parts[MOST_PARTS];

static void cut_tasks(int64_t tasks, int count)
{
    current.parts = smaller(count, MOST_PARTS);
    for (int part = 0; part < current.parts; part++) {
        parts[part].next_task = part_begins(part, current.parts, tasks, 1);
        parts[part].end = part_begins(part + 1, current.parts, tasks, 1);
    }
}

static void do_tasks(int thread)
{
    for (int i = 0; i < current.parts; i++) {
        int64_t task;
        int part = (thread + i) % current.parts;
        while ((task = atomic_fetch_add(&parts[part].next_task, 1)) < parts[part].end)
            current.body(current.job, task, thread);
    }
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

#ifdef __linux__
static int current_cpu(void)
{
    return sched_getcpu();
}

/* A system moves threads that sleep, but may leave one that never does for long beside the caller, on
 * the same processor, while another one has nothing to do: two threads are then as slow as one. So
 * a helper that finds itself there moves: it forbids itself that processor for a moment. */
static void leave_callers_cpu(void)
{
    int cpu = callers_cpu;
    cpu_set_t allowed, others;
    if (current_cpu() != cpu || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    others = allowed;
    CPU_CLR(cpu, &others);
    if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)
        sched_setaffinity(0, sizeof allowed, &allowed);
}
#else
static int current_cpu(void)
{
    return -1;
}

static void leave_callers_cpu(void)
{
}
#endif

/* Helpers give way to whoever else wants the processor. */
static void look_out_for_seats(void)
{
    int64_t end = nanoseconds() + HELPER_NANOSECONDS;
    while (free_seats == 0 && nanoseconds() < end) {
        leave_callers_cpu();
        sched_yield();
    }
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
        leave_callers_cpu();
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
    current.body = body, current.job = job;
    cut_tasks(tasks, seats + 1);
    callers_cpu = current_cpu();
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
