/* y (rows, columns) = sum over k of a(i, k) * b(k, j): the one fast loop that matrix products
 * and convolutions share.
 *
 * The plain loop reads two numbers from memory for each multiplication. This one
 *   - computes a tile of y at a time, kept in registers: TILE_ROWS x TILE_COLUMNS sums, for
 *     which it reads only TILE_ROWS + TILE_COLUMNS numbers a step;
 *   - copies blocks of a and b before into panels, in the order in which the tile reads them,
 *     small enough to stay in the cache while they are used again and again.
 * a need not exist as a matrix: who calls says how to copy a panel of it, and so a convolution
 * copies patches of the image.
 *
 * The sum over k is always taken in the same order, however many threads there are: the cuts
 * through rows and columns do not touch it, and those through k follow from the sizes alone.
 */
#ifndef TINYDL_PRODUCT_H
#define TINYDL_PRODUCT_H

#include <stdlib.h>
#include <string.h>

#include "shared.h"
#include "tinydl.h"

#ifndef VECTOR_BYTES
#define VECTOR_BYTES 16
#endif

/* Of 16 vector registers a tile of 6 x 2 leaves four for a and b; AVX-512 has 32. */
#if VECTOR_BYTES == 64
#define TILE_ROWS 12
#else
#define TILE_ROWS 6
#endif
#define TILE_VECTORS 2

#define LANES ((int64_t)(VECTOR_BYTES / sizeof(real)))
#define TILE_COLUMNS (TILE_VECTORS * LANES)

/* A block of a is ROWS_BLOCK x TERMS_BLOCK (L1 and L2 cache), one of b TERMS_BLOCK x COLUMNS_BLOCK. */
#define ROWS_BLOCK 96
#define TERMS_BLOCK 256
#define COLUMNS_BLOCK 512

/* A long sum for a small y is cut into up to MOST_CHUNKS parts, so that threads can share it. */
#define MOST_CHUNKS 8
#define SHORTEST_CHUNK 512
#define LARGEST_CHUNKED_RESULT 32768

/* Multiplications that take about as long as it takes to wake a sleeping thread. */
#define WORK_WORTH_A_THREAD 2000000
#define CACHE_LINE 64

typedef real vector __attribute__((vector_size(VECTOR_BYTES)));
typedef __typeof__((vector){0} <= (vector){0}) vector_mask;
typedef real unaligned_vector
    __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

typedef struct product product;

/* Copies a piece of a matrix n of the batch, for a: panel[k * TILE_ROWS + i] = a(first + i,
 * first_term + k) for i < count and k < terms, and zeros for i from count to TILE_ROWS; and for
 * b: panel[k * TILE_COLUMNS + j] = b(first_term + k, first + j). */
typedef void copy_function(const product *job, int64_t n, int64_t first, int64_t count,
                           int64_t first_term, int64_t terms, real *panel);

struct product {
    matrices sizes;
    const real *a, *b;
    copy_function *copy_a;
    const window *window; /* for a copy_a that needs it */
    real *y;              /* y(n, i, j) = y[n * y_batch_stride + i * y_row_stride + j] */
    int64_t y_batch_stride, y_row_stride;
    const real *row_added; /* (y_row_stride) added to each row of y, or NULL */
    int relu;              /* whether then the negative elements become 0 */

    /* How the work is cut, and where there is room for it: see multiply. */
    int64_t chunks, row_parts, column_parts;
    real *partial_sums;
    real *panels;
    int64_t panels_size, a_panels_size;
};

static int64_t round_up(int64_t count, int64_t unit)
{
    return (count + unit - 1) / unit * unit;
}

/* Room for numbers, where a cache line begins; to be freed. NULL if there is none. */
static real *allocate(int64_t numbers)
{
    return aligned_alloc(CACHE_LINE, round_up(numbers * sizeof(real), CACHE_LINE));
}

/* As copy_a, for an a in memory. A `count` that is a constant lets the loops unroll. */
INLINE void copy_rows(const product *job, int64_t n, int64_t first, int64_t count,
                      int64_t first_term, int64_t terms, real *panel)
{
    const matrices *s = &job->sizes;
    const real *a = job->a + n * s->a_batch_stride + first * s->a_row_stride +
                    first_term * s->a_term_stride;
    for (int64_t k = 0; k < terms; k++)
        for (int64_t i = 0; i < count; i++)
            panel[k * TILE_ROWS + i] = a[i * s->a_row_stride + k * s->a_term_stride];
}

static void copy_a(const product *job, int64_t n, int64_t first, int64_t count,
                   int64_t first_term, int64_t terms, real *panel)
{
    if (count == TILE_ROWS) {
        copy_rows(job, n, first, TILE_ROWS, first_term, terms, panel);
    } else {
        memset(panel, 0, terms * TILE_ROWS * sizeof(real));
        copy_rows(job, n, first, count, first_term, terms, panel);
    }
}

/* The copy_function for b. */
static void copy_b(const product *job, int64_t n, int64_t first, int64_t count,
                   int64_t first_term, int64_t terms, real *panel)
{
    const matrices *s = &job->sizes;
    const real *b = job->b + n * s->b_batch_stride + first_term * s->b_term_stride +
                    first * s->b_column_stride;
    if (count < TILE_COLUMNS)
        memset(panel, 0, terms * TILE_COLUMNS * sizeof(real));
    if (s->b_column_stride == 1 && count == TILE_COLUMNS)
        for (int64_t k = 0; k < terms; k++)
            memcpy(panel + k * TILE_COLUMNS, b + k * s->b_term_stride,
                   TILE_COLUMNS * sizeof(real));
    else
        for (int64_t j = 0; j < count; j++)
            for (int64_t k = 0; k < terms; k++)
                panel[k * TILE_COLUMNS + j] = b[k * s->b_term_stride + j * s->b_column_stride];
}

/* What a tile's sums meet on their way from the registers to y. To add a bias and to apply relu
 * here costs nothing, while each would be a pass through y afterwards. */
typedef struct {
    int add;               /* whether to add what is in y already */
    const real *row_added; /* as in `product`, from the first column of the tile */
    int relu;
} finish;

/* x where it is positive (or NaN), otherwise 0. */
INLINE vector positive(vector x)
{
    vector_mask drop = x <= (vector){0};
    return (vector)((vector_mask)x & ~drop);
}

/* tile (TILE_ROWS, vectors * LANES) = sum over k of a (terms, TILE_ROWS) * b (terms, TILE_COLUMNS),
 * finished; the rows of b lie `b_step` apart, those of the tile `stride`.
 * `vectors` must be a constant where this is inlined: the sums then stay in registers. */
INLINE void multiply_tile(int vectors, int64_t terms, const real *a, const real *b, int64_t b_step,
                          real *tile, int64_t stride, finish f)
{
    vector sum[TILE_ROWS][TILE_VECTORS] = {{{0}}};
    for (int64_t k = 0; k < terms; k++, a += TILE_ROWS, b += b_step) {
        const unaligned_vector *b_row = (const unaligned_vector *)b;
        UNROLL
        for (int i = 0; i < TILE_ROWS; i++)
            UNROLL
            for (int j = 0; j < vectors; j++)
                sum[i][j] += a[i] * b_row[j];
    }
    UNROLL
    for (int i = 0; i < TILE_ROWS; i++)
        UNROLL
        for (int j = 0; j < vectors; j++) {
            unaligned_vector *y = (unaligned_vector *)(tile + i * stride + j * LANES);
            if (f.add)
                sum[i][j] += *y;
            if (f.row_added)
                sum[i][j] += *(const unaligned_vector *)(f.row_added + j * LANES);
            *y = f.relu ? positive(sum[i][j]) : sum[i][j];
        }
}

/* The same at the border of y, where the tile hangs over: only rows x columns of it are real. */
static void multiply_border_tile(int64_t terms, const real *a, const real *b, int64_t b_step,
                                 real *y, int64_t stride, finish f, int64_t rows, int64_t columns)
{
    real tile[TILE_ROWS * TILE_COLUMNS] = {0}, row[TILE_COLUMNS] = {0};
    for (int64_t i = 0; f.add && i < rows; i++)
        memcpy(tile + i * TILE_COLUMNS, y + i * stride, columns * sizeof(real));
    if (f.row_added)
        f.row_added = memcpy(row, f.row_added, columns * sizeof(real));
    if (columns <= LANES)
        multiply_tile(1, terms, a, b, b_step, tile, TILE_COLUMNS, f);
    else
        multiply_tile(TILE_VECTORS, terms, a, b, b_step, tile, TILE_COLUMNS, f);
    for (int64_t i = 0; i < rows; i++)
        memcpy(y + i * stride, tile + i * TILE_COLUMNS, columns * sizeof(real));
}

/* Panels of b: panel j / TILE_COLUMNS begins at first[j * column_step], its rows lie term_step
 * apart. */
typedef struct {
    const real *first;
    int64_t column_step, term_step;
} panels_of_b;

/* y (rows, columns) from panels of a and b that hold `terms` steps; y's rows lie `stride` apart. */
static void multiply_panels(int64_t rows, int64_t columns, int64_t terms, const real *a_panels,
                            panels_of_b b_panels, real *y, int64_t stride, finish f)
{
    for (int64_t j = 0; j < columns; j += TILE_COLUMNS) {
        finish of_tile = {f.add, f.row_added ? f.row_added + j : NULL, f.relu};
        for (int64_t i = 0; i < rows; i += TILE_ROWS) {
            const real *a = a_panels + i * terms;
            const real *b = b_panels.first + j * b_panels.column_step;
            int64_t b_step = b_panels.term_step;
            real *tile = y + i * stride + j;
            if (i + TILE_ROWS <= rows && j + TILE_COLUMNS <= columns)
                multiply_tile(TILE_VECTORS, terms, a, b, b_step, tile, stride, of_tile);
            else
                multiply_border_tile(terms, a, b, b_step, tile, stride, of_tile,
                                     smaller(TILE_ROWS, rows - i),
                                     smaller(TILE_COLUMNS, columns - j));
        }
    }
}

/* Copies `count` rows of a or columns of b, panel after panel of `width` each. */
static void copy_panels(copy_function *copy, int64_t width, const product *job, int64_t n,
                        int64_t first, int64_t count, int64_t first_term, int64_t terms,
                        real *panels)
{
    for (int64_t i = 0; i < count; i += width)
        copy(job, n, first + i, smaller(width, count - i), first_term, terms,
             panels + i * terms);
}

/* The panels of columns j .. j + columns - 1 and terms k .. k + terms - 1 of b, copied to `room`.
 * Where y has but one row of tiles, each number of b is used once, and is best read in place. */
static panels_of_b make_panels_of_b(const product *job, int64_t n, int64_t j, int64_t columns,
                                    int64_t k, int64_t terms, real *room)
{
    const matrices *s = &job->sizes;
    if (s->rows <= TILE_ROWS && columns % TILE_COLUMNS == 0 && s->b_column_stride == 1)
        return (panels_of_b){job->b + n * s->b_batch_stride + k * s->b_term_stride + j, 1,
                             s->b_term_stride};
    copy_panels(copy_b, TILE_COLUMNS, job, n, j, columns, k, terms, room);
    return (panels_of_b){room, terms, TILE_COLUMNS};
}

/* How the sums of columns j and following are finished, with the last of the terms or before. A sum
 * that is cut into chunks is finished when they are added up. */
static finish finish_of(const product *job, int64_t n, int64_t j, int first, int last)
{
    finish f = {.add = !first};
    if (last && job->chunks == 1) {
        if (job->row_added)
            f.row_added = job->row_added + n * job->y_batch_stride % job->y_row_stride + j;
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

    int64_t j_begin = part_begins(column_part, job->column_parts, job->sizes.columns, TILE_COLUMNS);
    int64_t j_end = part_begins(column_part + 1, job->column_parts, job->sizes.columns, TILE_COLUMNS);
    int64_t i_begin = part_begins(row_part, job->row_parts, job->sizes.rows, TILE_ROWS);
    int64_t i_end = part_begins(row_part + 1, job->row_parts, job->sizes.rows, TILE_ROWS);
    int64_t k_begin = part_begins(chunk, job->chunks, job->sizes.terms, 1);
    int64_t k_end = part_begins(chunk + 1, job->chunks, job->sizes.terms, 1);

    int64_t results = job->sizes.batch * job->sizes.rows * job->sizes.columns;
    real *y = chunk == 0 ? job->y : job->partial_sums + (chunk - 1) * results;
    y += n * job->y_batch_stride;
    real *a_panels = job->panels + thread * job->panels_size;
    real *b_room = a_panels + job->a_panels_size;

    for (int64_t j = j_begin; j < j_end; j += COLUMNS_BLOCK)
        for (int64_t k = k_begin; k < k_end; k += TERMS_BLOCK) {
            int64_t columns = smaller(COLUMNS_BLOCK, j_end - j);
            int64_t terms = smaller(TERMS_BLOCK, k_end - k);
            panels_of_b b_panels = make_panels_of_b(job, n, j, columns, k, terms, b_room);
            finish f = finish_of(job, n, j, k == k_begin, k + terms == k_end);
            for (int64_t i = i_begin; i < i_end; i += ROWS_BLOCK) {
                int64_t rows = smaller(ROWS_BLOCK, i_end - i);
                copy_panels(job->copy_a, TILE_ROWS, job, n, i, rows, k, terms, a_panels);
                multiply_panels(rows, columns, terms, a_panels, b_panels,
                                y + i * job->y_row_stride + j, job->y_row_stride, f);
            }
        }
}

/* How many chunks the sum is cut into: a matter of sizes only, never of the number of threads. */
static int64_t count_chunks(const product *job)
{
    if (job->sizes.batch * job->sizes.rows * job->sizes.columns > LARGEST_CHUNKED_RESULT)
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
    for (int64_t first = 0; job->row_added && first < results; first += job->y_row_stride)
        for (int64_t j = 0; j < job->y_row_stride; j++)
            job->y[first + j] += job->row_added[j];
    for (int64_t i = 0; job->relu && i < results; i++)
        job->y[i] = job->y[i] <= 0 ? 0 : job->y[i];
}

/* Computes y; the fields of the job from `chunks` on are filled in here. */
static int multiply(product *job, int threads)
{
    int64_t results = job->sizes.batch * job->sizes.rows * job->sizes.columns;
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
