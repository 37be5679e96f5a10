/* y (rows, columns) = sum over k of a(i, k) * b(k, j), for matrices in memory.
 *
 * It computes a tile of y at a time, kept in registers (tile.h), and mostly copies blocks of a and b
 * before into panels, in the order in which the tiles read them (panel.h): blocks small enough to
 * stay in the cache while they are used again and again. Where a block is used too seldom for
 * that, it is read in place.
 *
 * The sum over k is always taken in the same order, however many threads there are: the cuts
 * through rows and columns do not touch it, and those through k follow from the sizes alone.
 */
#ifndef TINYDL_PRODUCT_H
#define TINYDL_PRODUCT_H

#include <stdlib.h>
#include <string.h>

#include "panel.h"
#include "tile.h"

/* A block of a is ROWS_BLOCK x TERMS_BLOCK (L1 and L2 cache), one of b TERMS_BLOCK x COLUMNS_BLOCK. */
#define ROWS_BLOCK 96
#define TERMS_BLOCK 256
#define COLUMNS_BLOCK 512

/* Up to so many rows of tiles, b is read in place. So it is up to ROWS_BLOCK rows if it is so small
 * that it stays in the cache as it is. (32 x 784 times 784 x 128 takes 60 us, in place of 70.) */
#define FEW_TILES 4
#define SMALL_MATRIX 131072

/* A long sum for a small y is cut into up to MOST_CHUNKS parts, so that threads can share it. */
#define MOST_CHUNKS 8
#define SHORTEST_CHUNK 512
#define LARGEST_CHUNKED_RESULT 32768

/* Multiplications that take about as long as it takes to wake a sleeping thread. */
#define WORK_WORTH_A_THREAD 2000000
#define CACHE_LINE 64

typedef struct {
    matrices sizes;
    const real *a, *b;
    real *y;               /* (batch, rows, columns) */
    const real *row_added; /* (columns) added to each row of y, or NULL */
    int relu;              /* whether then the negative elements become 0 */

    /* How the work is cut, and where there is room for it: see multiply. */
    int64_t chunks, row_parts, column_parts;
    real *partial_sums;
    real *panels;
    int64_t panels_size, a_panels_size;
} product;

static int64_t count_results(const product *job)
{
    return job->sizes.batch * job->sizes.rows * job->sizes.columns;
}

static int64_t round_up(int64_t count, int64_t unit)
{
    return (count + unit - 1) / unit * unit;
}

/* Room for numbers, where a cache line begins; to be freed. NULL if there is none. */
static real *allocate(int64_t numbers)
{
    return aligned_alloc(CACHE_LINE, round_up(numbers * sizeof(real), CACHE_LINE));
}

/* The panels of `rows` rows and `terms` terms of a, copied to `room`, or in place: rows that are
 * neighbours in memory are panels as they lie, and one column of tiles reads them but once.
 * (5408 x 32, transposed, times 32 x 10 takes 53 us, in place of 115.) */
static panels make_panels_of_a(const matrices *s, const real *a, int64_t rows, int64_t terms,
                               real *room)
{
    if ((s->a_row_stride == 1 || rows == 1) && s->columns <= TILE_COLUMNS)
        return (panels){a, 1, s->a_term_stride};
    for (int64_t i = 0; i < rows; i += TILE_ROWS)
        copy_panel(TILE_ROWS, a + i * s->a_row_stride, s->a_row_stride, s->a_term_stride,
                   smaller(TILE_ROWS, rows - i), terms, room + i * terms);
    return (panels){room, terms, TILE_ROWS};
}

/* The panels of `columns` columns and `terms` terms of b, likewise. */
static panels make_panels_of_b(const matrices *s, const real *b, int64_t columns, int64_t terms,
                               real *room)
{
    int seldom = s->rows <= FEW_TILES * TILE_ROWS ||
                 (s->rows <= ROWS_BLOCK && s->terms * s->columns <= SMALL_MATRIX);
    if (seldom && s->b_column_stride == 1)
        return (panels){b, 1, s->b_term_stride};
    for (int64_t j = 0; j < columns; j += TILE_COLUMNS)
        copy_panel(TILE_COLUMNS, b + j * s->b_column_stride, s->b_column_stride, s->b_term_stride,
                   smaller(TILE_COLUMNS, columns - j), terms, room + j * terms);
    return (panels){room, terms, TILE_COLUMNS};
}

/* How the sums of columns j and following are finished, with the last of the terms or before. A sum
 * that is cut into chunks is finished when they are added up. */
static finish finish_of(const product *job, int64_t j, int first, int last)
{
    finish f = {.add = !first};
    if (last && job->chunks == 1) {
        f.row_added = job->row_added ? job->row_added + j : NULL;
        f.relu = job->relu;
    }
    return f;
}

/* One task: a part of the rows and columns of one y of the batch, for one chunk of the terms. */
static void multiply_part(const void *any_job, int64_t task, int thread)
{
    const product *job = any_job;
    int64_t column_part = task % job->column_parts;
    int64_t row_part = task / job->column_parts % job->row_parts;
    int64_t chunk = task / job->column_parts / job->row_parts % job->chunks;
    int64_t n = task / job->column_parts / job->row_parts / job->chunks;

    const matrices *s = &job->sizes;
    int64_t j_begin = part_begins(column_part, job->column_parts, s->columns, TILE_COLUMNS);
    int64_t j_end = part_begins(column_part + 1, job->column_parts, s->columns, TILE_COLUMNS);
    int64_t i_begin = part_begins(row_part, job->row_parts, s->rows, TILE_ROWS);
    int64_t i_end = part_begins(row_part + 1, job->row_parts, s->rows, TILE_ROWS);
    int64_t k_begin = part_begins(chunk, job->chunks, s->terms, 1);
    int64_t k_end = part_begins(chunk + 1, job->chunks, s->terms, 1);

    const real *a = job->a + n * s->a_batch_stride, *b = job->b + n * s->b_batch_stride;
    real *y = chunk == 0 ? job->y : job->partial_sums + (chunk - 1) * count_results(job);
    y += n * s->rows * s->columns;
    real *a_room = job->panels + thread * job->panels_size;
    real *b_room = a_room + job->a_panels_size;

    for (int64_t j = j_begin; j < j_end; j += COLUMNS_BLOCK)
        for (int64_t k = k_begin; k < k_end; k += TERMS_BLOCK) {
            int64_t columns = smaller(COLUMNS_BLOCK, j_end - j);
            int64_t terms = smaller(TERMS_BLOCK, k_end - k);
            panels b_panels = make_panels_of_b(
                s, b + k * s->b_term_stride + j * s->b_column_stride, columns, terms, b_room);
            finish f = finish_of(job, j, k == k_begin, k + terms == k_end);
            for (int64_t i = i_begin; i < i_end; i += ROWS_BLOCK) {
                int64_t rows = smaller(ROWS_BLOCK, i_end - i);
                panels a_panels = make_panels_of_a(
                    s, a + i * s->a_row_stride + k * s->a_term_stride, rows, terms, a_room);
                multiply_panels(rows, columns, terms, a_panels, b_panels,
                                y + i * s->columns + j, s->columns, f);
            }
        }
}

/* How many chunks the sum is cut into: a matter of sizes only, never of the number of threads. */
static int64_t count_chunks(const product *job)
{
    if (count_results(job) > LARGEST_CHUNKED_RESULT)
        return 1;
    int64_t chunks = smaller(job->sizes.terms / SHORTEST_CHUNK, MOST_CHUNKS);
    return chunks < 1 ? 1 : chunks;
}

/* Cuts y into enough parts that each thread has one; rows first, for they are cheaper to cut. */
static void cut_result(product *job, int threads)
{
    int64_t tasks = job->sizes.batch * job->chunks;
    int64_t wanted = tasks >= threads ? 1 : (threads + tasks - 1) / tasks;
    int64_t row_tiles = (job->sizes.rows + TILE_ROWS - 1) / TILE_ROWS;
    int64_t column_tiles = (job->sizes.columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
    if (row_tiles >= column_tiles) {
        job->row_parts = smaller(wanted, row_tiles);
        job->column_parts = smaller((wanted + job->row_parts - 1) / job->row_parts, column_tiles);
    } else {
        job->column_parts = smaller(wanted, column_tiles);
        job->row_parts = smaller((wanted + job->column_parts - 1) / job->column_parts, row_tiles);
    }
}

/* Adds up the chunks, and finishes what is to be finished. Each of the `results` numbers of y has its
 * own in every partial sum, and its own in a row. */
static void add_chunks(const product *job, int64_t results)
{
    for (int64_t chunk = 1; chunk < job->chunks; chunk++)
        for (int64_t i = 0; i < results; i++)
            job->y[i] += job->partial_sums[(chunk - 1) * results + i];
    for (int64_t first = 0; job->row_added && first < results; first += job->sizes.columns)
        for (int64_t j = 0; j < job->sizes.columns; j++)
            job->y[first + j] += job->row_added[j];
    for (int64_t i = 0; job->relu && i < results; i++)
        job->y[i] = job->y[i] <= 0 ? 0 : job->y[i];
}

/* Computes y; the fields of the job from `chunks` on are filled in here. */
static int multiply(product *job, int threads)
{
    int64_t results = count_results(job);
    if (results == 0)
        return 0;
    if (job->sizes.terms == 0) {
        memset(job->y, 0, results * sizeof(real));
        add_chunks(job, results);
        return 0;
    }
    threads = useful_threads(results * job->sizes.terms, WORK_WORTH_A_THREAD, threads);
    job->chunks = count_chunks(job);
    cut_result(job, threads);

    int64_t terms = smaller(job->sizes.terms, TERMS_BLOCK);
    int64_t line = CACHE_LINE / sizeof(real);
    int64_t rows = round_up(smaller(job->sizes.rows, ROWS_BLOCK), TILE_ROWS);
    int64_t columns = round_up(smaller(job->sizes.columns, COLUMNS_BLOCK), TILE_COLUMNS);
    job->a_panels_size = round_up(rows * terms, line);
    job->panels_size = job->a_panels_size + round_up(columns * terms, line);
    int64_t partial_size = (job->chunks - 1) * results;

    int64_t numbers = threads * job->panels_size + partial_size;
    job->panels = allocate(numbers);
    if (job->panels == NULL)
        return 1;
    job->partial_sums = job->panels + threads * job->panels_size;

    run_tasks(multiply_part, job, job->sizes.batch * job->chunks * job->row_parts * job->column_parts,
              threads);
    if (job->chunks > 1)
        add_chunks(job, results);
    free(job->panels);
    return 0;
}

#endif
