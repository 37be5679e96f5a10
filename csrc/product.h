/* y (rows, columns) = sum over k of a(i, k) * b(k, j), for matrices in memory.
 *
 * It computes a tile of y at a time, kept in registers (tile.h), and mostly copies blocks of a and b
 * before into panels, in the order in which the tiles read them (panel.h): blocks small enough to
 * stay in the cache while they are used again and again. Where a block is used too seldom for
 * that, it is read in place; and a matrix that is very thin goes another way (thin.h).
 *
 * The sum over k is always taken in the same order, however many threads there are: the cuts
 * through rows and columns do not touch it, and those through k follow from the sizes alone.
 */
#ifndef TINYDL_PRODUCT_H
#define TINYDL_PRODUCT_H

#include <stdlib.h>
#include <string.h>

#include "panel.h"
#include "thin.h"
#include "tile.h"

/* A block of a is ROWS_BLOCK x TERMS_BLOCK (L1 and L2 cache), one of b TERMS_BLOCK x COLUMNS_BLOCK. */
#define ROWS_BLOCK 96
#define TERMS_BLOCK 256
#define COLUMNS_BLOCK 512

/* Up to so many rows of tiles, b is read in place. So it is up to ROWS_BLOCK rows if it is so small
 * that it stays in the cache as it is. (32 x 784 times 784 x 128 takes 60 us, in place of 70.) */
#define FEW_TILES 4
#define SMALL_MATRIX 131072

/* Rows of y that are computed as columns at a time, so that they stay in the L1 cache. */
#define TURNED_BLOCK 256

/* A long sum for a small y is cut into up to MOST_CHUNKS parts, so that threads can share it. */
#define MOST_CHUNKS 8
#define SHORTEST_CHUNK 512
#define LARGEST_CHUNKED_RESULT 32768

/* Multiplications that take 14 us, a little longer than it takes to wake a helper (threads.c). */
#define WORK_WORTH_A_THREAD 800000

typedef struct {
    matrices sizes;
    const real *a, *b;
    real *y;               /* (batch, rows, columns) */
    const real *row_added; /* (columns) added to each row of y, or NULL */
    int relu;              /* whether then the negative elements become 0 */

    /* How the work is cut, and where there is room for it: see multiply. */
    int64_t chunks, row_parts, column_parts;
    real *partial_sums;
    real *rooms;
    int64_t room_size, a_panels_size;
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
 * (5408 x 32, transposed, times 32 x 24 takes 111 us, in place of 123.) */
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

/* Where tiles do not meet the sums on their way to y: y (rows, columns), finished in place. */
static void finish_rows(finish f, int64_t rows, int64_t columns, real *y, int64_t y_step)
{
    for (int64_t i = 0; i < rows; i++, y += y_step) {
        for (int64_t j = 0; f.row_added && j < columns; j++)
            y[j] += f.row_added[j];
        for (int64_t j = 0; f.relu && j < columns; j++)
            y[j] = y[j] <= 0 ? 0 : y[j];
    }
}

/* A part of the rows and columns of one y of the batch, for one chunk of the terms; a, b and y point
 * to where it begins. */
typedef struct {
    const real *a, *b;
    real *y;
    int64_t rows, terms, columns;
    finish finish;
    real *room;
} product_part;

static int has_few_rows(const matrices *s)
{
    return s->rows <= FEW_ROWS && s->b_column_stride == 1 && s->columns >= TILE_COLUMNS;
}

/* That b is copied, unless its terms are neighbours already, pays for a few rows of a. */
static int has_few_columns(const matrices *s)
{
    return s->columns <= FEW_COLUMNS && s->a_term_stride == 1 && s->terms >= TERMS_BLOCK &&
           (s->rows > FEW_ROWS || s->b_term_stride == 1);
}

/* Whether a tile of y would waste lanes, and one of its transpose has rows of a as they lie. */
static int is_better_turned(const matrices *s)
{
    return s->columns <= FEW_COLUMNS && s->a_row_stride == 1 && s->b_column_stride == 1;
}

/* Rows of y are cut between tiles. */
static int64_t row_unit(const matrices *s)
{
    return is_better_turned(s) ? TILE_COLUMNS : TILE_ROWS;
}

static void multiply_few_rows(const matrices *s, const product_part *p)
{
    for (int64_t i = 0; i < p->rows; i++)
        sum_multiples_of_rows(p->a + i * s->a_row_stride, s->a_term_stride, p->b, s->b_term_stride,
                              p->y + i * s->columns, p->terms, p->columns);
}

/* The few columns of b are copied, to be contiguous. */
static void multiply_few_columns(const matrices *s, const product_part *p)
{
    for (int64_t k = 0; k < p->terms; k += INNER_BLOCK) {
        int64_t terms = smaller(INNER_BLOCK, p->terms - k);
        inner products = {terms, p->a + k, p->b + k, s->a_row_stride, s->b_column_stride,
                          p->y, s->columns, k > 0};
        if (s->b_term_stride != 1) {
            products.b = p->room;
            products.b_step = round_up(terms, LANES); /* so that each column begins a cache line */
            copy_panel(products.b_step, p->b + k * s->b_term_stride, s->b_term_stride,
                       s->b_column_stride, terms, p->columns, p->room);
        }
        multiply_inner_all(p->rows, p->columns, &products);
    }
}

/* The transposed product, a block of its columns at a time, in which the rows of a are whole vectors
 * and are read in place; transposed again on its way to y. (5408 x 128, transposed, times 128 x 10
 * takes 144 us, in place of 200; of 32, 50 in place of 55, and with AVX2 53 in place of 67.) */
static void multiply_turned(const matrices *s, const product_part *p)
{
    panels b = {p->b, 1, s->b_term_stride};
    for (int64_t i = 0; i < p->rows; i += TURNED_BLOCK) {
        int64_t rows = smaller(TURNED_BLOCK, p->rows - i);
        panels a = {p->a + i, 1, s->a_term_stride};
        multiply_panels(p->columns, rows, p->terms, b, a, p->room, TURNED_BLOCK, (finish){0});
        copy_panel(s->columns, p->room, TURNED_BLOCK, 1, p->columns, rows, p->y + i * s->columns);
    }
}

/* What is not so thin: block after block, by tiles. */
static void multiply_blocks(const product *job, const product_part *p)
{
    const matrices *s = &job->sizes;
    for (int64_t j = 0; j < p->columns; j += COLUMNS_BLOCK)
        for (int64_t k = 0; k < p->terms; k += TERMS_BLOCK) {
            int64_t columns = smaller(COLUMNS_BLOCK, p->columns - j);
            int64_t terms = smaller(TERMS_BLOCK, p->terms - k);
            panels b = make_panels_of_b(s, p->b + k * s->b_term_stride + j * s->b_column_stride,
                                        columns, terms, p->room + job->a_panels_size);
            finish f = {.add = k > 0, .far = count_results(job) >= FAR_RESULTS};
            if (k + terms == p->terms) {
                f.row_added = p->finish.row_added ? p->finish.row_added + j : NULL;
                f.relu = p->finish.relu;
            }
            for (int64_t i = 0; i < p->rows; i += ROWS_BLOCK) {
                int64_t rows = smaller(ROWS_BLOCK, p->rows - i);
                panels a = make_panels_of_a(s, p->a + i * s->a_row_stride + k * s->a_term_stride,
                                            rows, terms, p->room);
                multiply_panels(rows, columns, terms, a, b, p->y + i * s->columns + j, s->columns, f);
            }
        }
}

/* Task after task: a part of y, or, of a sum that is cut, a part of one of the partial sums. */
static void multiply_part(const void *any_job, int64_t task, int thread)
{
    const product *job = any_job;
    const matrices *s = &job->sizes;
    int64_t column_part = task % job->column_parts;
    int64_t row_part = task / job->column_parts % job->row_parts;
    int64_t chunk = task / job->column_parts / job->row_parts % job->chunks;
    int64_t n = task / job->column_parts / job->row_parts / job->chunks;

    int64_t i = part_begins(row_part, job->row_parts, s->rows, row_unit(s));
    int64_t j = part_begins(column_part, job->column_parts, s->columns, TILE_COLUMNS);
    int64_t k = part_begins(chunk, job->chunks, s->terms, 1);
    real *y = chunk == 0 ? job->y : job->partial_sums + (chunk - 1) * count_results(job);
    product_part p = {
        .a = job->a + n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride,
        .b = job->b + n * s->b_batch_stride + k * s->b_term_stride + j * s->b_column_stride,
        .y = y + (n * s->rows + i) * s->columns + j,
        .rows = part_begins(row_part + 1, job->row_parts, s->rows, row_unit(s)) - i,
        .columns = part_begins(column_part + 1, job->column_parts, s->columns, TILE_COLUMNS) - j,
        .terms = part_begins(chunk + 1, job->chunks, s->terms, 1) - k,
        .room = job->rooms + thread * job->room_size};
    if (job->chunks == 1) { /* else it is finished when the chunks are added up */
        p.finish.row_added = job->row_added ? job->row_added + j : NULL;
        p.finish.relu = job->relu;
    }
    if (has_few_rows(s) || has_few_columns(s) || is_better_turned(s)) {
        if (has_few_rows(s))
            multiply_few_rows(s, &p);
        else if (has_few_columns(s))
            multiply_few_columns(s, &p);
        else
            multiply_turned(s, &p);
        finish_rows(p.finish, p.rows, p.columns, p.y, s->columns);
    } else {
        multiply_blocks(job, &p);
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

/* Cuts y into enough parts that each thread has one; rows first, for they are cheaper to cut. Where
 * blocks share no copies, each is a part: then nobody waits long for a thread that came late. */
static void cut_result(product *job, int threads)
{
    int64_t tasks = job->sizes.batch * job->chunks;
    int64_t wanted = tasks >= threads ? 1 : (threads + tasks - 1) / tasks;
    int64_t row_tiles = (job->sizes.rows + row_unit(&job->sizes) - 1) / row_unit(&job->sizes);
    int64_t column_tiles = (job->sizes.columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
    if (row_tiles >= column_tiles) {
        job->row_parts = smaller(wanted, row_tiles);
        job->column_parts = smaller((wanted + job->row_parts - 1) / job->row_parts, column_tiles);
    } else {
        job->column_parts = smaller(wanted, column_tiles);
        job->row_parts = smaller((wanted + job->column_parts - 1) / job->column_parts, row_tiles);
    }
    int64_t row_blocks = (job->sizes.rows + TURNED_BLOCK - 1) / TURNED_BLOCK;
    int64_t column_blocks = (job->sizes.columns + COLUMNS_BLOCK - 1) / COLUMNS_BLOCK;
    if (is_better_turned(&job->sizes) && job->row_parts < row_blocks)
        job->row_parts = row_blocks;
    else if (!has_few_rows(&job->sizes) && job->row_parts == 1 && job->column_parts < column_blocks)
        job->column_parts = column_blocks;
}

/* Adds to the sums of the first chunk those of the others, in their order. */
static void add_partial_sums(real *y, const real *partial_sums, int64_t chunks, int64_t results)
{
    for (int64_t chunk = 1; chunk < chunks; chunk++)
        for (int64_t i = 0; i < results; i++)
            y[i] += partial_sums[(chunk - 1) * results + i];
}

/* Adds up the chunks, and finishes the sums. */
static void add_chunks(const product *job)
{
    int64_t results = count_results(job);
    add_partial_sums(job->y, job->partial_sums, job->chunks, results);
    finish f = {.row_added = job->row_added, .relu = job->relu};
    finish_rows(f, results / job->sizes.columns, job->sizes.columns, job->y, job->sizes.columns);
}

/* How much room a thread needs for its panels. */
static void measure_rooms(product *job)
{
    const matrices *s = &job->sizes;
    int64_t line = NUMBERS_OF_LINE, terms = smaller(s->terms, TERMS_BLOCK);
    int64_t rows = round_up(smaller(s->rows, ROWS_BLOCK), TILE_ROWS);
    int64_t columns = round_up(smaller(s->columns, COLUMNS_BLOCK), TILE_COLUMNS);
    job->a_panels_size = round_up(rows * terms, line);
    job->room_size = job->a_panels_size + round_up(columns * terms, line);
    if (has_few_rows(s))
        job->room_size = 0;
    else if (has_few_columns(s))
        job->room_size = s->columns * round_up(smaller(s->terms, INNER_BLOCK), line);
    else if (is_better_turned(s))
        job->room_size = s->columns * TURNED_BLOCK;
}

/* Computes y; the fields of the job from `chunks` on are filled in here. */
static int multiply(product *job, int threads)
{
    int64_t results = count_results(job);
    if (job->sizes.terms == 0) {
        memset(job->y, 0, results * sizeof(real));
        add_chunks(job);
        return 0;
    }
    threads = useful_threads(results * job->sizes.terms, WORK_WORTH_A_THREAD, threads);
    job->chunks = count_chunks(job);
    cut_result(job, threads);

    measure_rooms(job);
    job->rooms = allocate(threads * job->room_size + (job->chunks - 1) * results);
    if (job->rooms == NULL)
        return 1;
    job->partial_sums = job->rooms + threads * job->room_size;

    run_tasks(multiply_part, job, job->sizes.batch * job->chunks * job->row_parts * job->column_parts,
              threads);
    if (job->chunks > 1)
        add_chunks(job);
    free(job->rooms);
    return 0;
}

#endif
