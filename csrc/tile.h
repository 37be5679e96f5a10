/* The innermost loop of a product: one tile of y, whose sums stay in registers.
 *
 * The plain loop reads two numbers from memory for each multiplication. A tile of R rows and C
 * columns has R * C sums, and each of its steps reads R numbers of a and C of b for R * C
 * multiplications: the processor then multiplies without waiting for memory. It is as large as the
 * registers allow. */
#ifndef TINYDL_TILE_H
#define TINYDL_TILE_H

#include "vector.h"

/* Of 16 vector registers a tile of 6 x 2 leaves four for a and b; AVX-512 has 32. */
#if VECTOR_BYTES == 64
#define TILE_ROWS 12
#else
#define TILE_ROWS 6
#endif
#define TILE_VECTORS 2
#define TILE_COLUMNS (TILE_VECTORS * LANES)

#define CACHE_LINE 64
#define NUMBERS_OF_LINE ((int64_t)(CACHE_LINE / sizeof(real)))

/* So many numbers of y lie in memory, or far from the processor: then its lines are fetched before
 * they are written or added to. */
#define FAR_RESULTS (1 << 20)

/* Brings a cache line that is needed soon to the L2 cache: the L1 cache is full. */
INLINE void fetch(const real *x)
{
    __builtin_prefetch(x, 0, 2);
}

/* What a tile's sums meet on their way from the registers to y. To add a bias and to apply relu
 * here costs nothing, while each would be a pass through y afterwards. */
typedef struct {
    int add;               /* whether to add what is in y already */
    const real *row_added; /* a number for each column of the tile; NULL for none */
    int relu;              /* whether then the negative elements become 0 */
    int far;               /* whether y has FAR_RESULTS: a tile of it is fetched while the sums grow */
} finish;

/* y(i, j) = sum over k < terms of a(i, k) * b(k, j), finished, with
 *     a(i, k) = a[i + k * a_step],  b(k, j) = b[k * b_step + j],  y(i, j) = y[i * y_step + j] */
typedef struct {
    int64_t terms;
    const real *a, *b;
    real *y;
    int64_t a_step, b_step, y_step;
    finish f;
} tile;

/* Computes a tile of `rows` rows and of `vectors` vectors, of the last of which `count` lanes exist.
 * The first three must be constants where this is inlined: only then are there registers for
 * the sums. */
INLINE void multiply_tile(int rows, int vectors, int whole, int64_t count, const tile *t)
{
    const lanes last = first_lanes(count);
    const real *a = t->a, *b = t->b;
    vector sum[TILE_ROWS][TILE_VECTORS] = {{{0}}};
    if (t->f.far) /* (25088 x 128 times 128 x 128: 82 GFLOP/s in place of 78) */
        for (int i = 0; i < rows; i++)
            for (int64_t j = 0; j < vectors * LANES; j += NUMBERS_OF_LINE)
                fetch(t->y + i * t->y_step + j);
    for (int64_t k = 0; k < t->terms; k++, a += t->a_step, b += t->b_step) {
        vector b_row[TILE_VECTORS];
        UNROLL
        for (int j = 0; j < vectors; j++)
            b_row[j] = whole || j < vectors - 1 ? load(b + j * LANES) : load_lanes(b + j * LANES, last);
        UNROLL
        for (int i = 0; i < rows; i++)
            UNROLL
            for (int j = 0; j < vectors; j++)
                sum[i][j] += a[i] * b_row[j];
    }
    const tile own = *t; /* of a copy the compiler knows that no store changes it */
    UNROLL
    for (int j = 0; j < vectors; j++) {
        const int is_whole = whole || j < vectors - 1;
        const real *b = own.f.row_added;
        if (own.f.add)
            UNROLL
            for (int i = 0; i < rows; i++) {
                const real *y = own.y + i * own.y_step + j * LANES;
                sum[i][j] += is_whole ? load(y) : load_lanes(y, last);
            }
        if (b) {
            vector row = is_whole ? load(b + j * LANES) : load_lanes(b + j * LANES, last);
            UNROLL
            for (int i = 0; i < rows; i++)
                sum[i][j] += row;
        }
        if (own.f.relu)
            UNROLL
            for (int i = 0; i < rows; i++)
                sum[i][j] = positive(sum[i][j]);
    }
    /* Row by row, since two vectors of AVX2 share a cache line. (1024 x 3 times 3 x 1024 then takes
     * 216 us, in place of 300.) */
    UNROLL
    for (int i = 0; i < rows; i++)
        UNROLL
        for (int j = 0; j < vectors; j++)
            if (whole || j < vectors - 1)
                store(own.y + i * own.y_step + j * LANES, sum[i][j]);
            else
                store_lanes(own.y + i * own.y_step + j * LANES, sum[i][j], last);
}

/* multiply_tile for each number of rows there can be. */
INLINE void multiply_rows(int64_t rows, int vectors, int whole, int64_t count, const tile *t)
{
    switch (rows) {
    case 1: multiply_tile(1, vectors, whole, count, t); break;
    case 2: multiply_tile(2, vectors, whole, count, t); break;
    case 3: multiply_tile(3, vectors, whole, count, t); break;
    case 4: multiply_tile(4, vectors, whole, count, t); break;
    case 5: multiply_tile(5, vectors, whole, count, t); break;
    case 6: multiply_tile(6, vectors, whole, count, t); break;
#if TILE_ROWS > 6
    case 7: multiply_tile(7, vectors, whole, count, t); break;
    case 8: multiply_tile(8, vectors, whole, count, t); break;
    case 9: multiply_tile(9, vectors, whole, count, t); break;
    case 10: multiply_tile(10, vectors, whole, count, t); break;
    case 11: multiply_tile(11, vectors, whole, count, t); break;
    case 12: multiply_tile(12, vectors, whole, count, t); break;
#endif
    }
}

/* Tiles of all columns, of more than one vector, of up to one. */
static void multiply_whole_tile(int64_t rows, const tile *t)
{
    multiply_rows(rows, TILE_VECTORS, 1, LANES, t);
}

static void multiply_wide_tile(int64_t rows, int64_t columns, const tile *t)
{
    multiply_rows(rows, TILE_VECTORS, 0, columns - (TILE_VECTORS - 1) * LANES, t);
}

static void multiply_narrow_tile(int64_t rows, int64_t columns, const tile *t)
{
    multiply_rows(rows, 1, 0, columns, t);
}

/* Panels: tile after tile of a (or b), the rows i of a (columns of b) and following begin at
 * first[i * step], and their terms lie term_step apart. */
typedef struct {
    const real *first;
    int64_t step, term_step;
} panels;

/* y (rows, columns) from panels of a and b that hold `terms` steps; y's rows lie `y_step` apart. */
static void multiply_panels(int64_t rows, int64_t columns, int64_t terms, panels a, panels b,
                            real *y, int64_t y_step, finish f)
{
    for (int64_t j = 0; j < columns; j += TILE_COLUMNS)
        for (int64_t i = 0; i < rows; i += TILE_ROWS) {
            tile t = {terms, a.first + i * a.step, b.first + j * b.step, y + i * y_step + j,
                      a.term_step, b.term_step, y_step,
                      {f.add, f.row_added ? f.row_added + j : NULL, f.relu, f.far}};
            int64_t tile_rows = smaller(TILE_ROWS, rows - i);
            if (columns - j >= TILE_COLUMNS)
                multiply_whole_tile(tile_rows, &t);
            else if (columns - j > LANES)
                multiply_wide_tile(tile_rows, columns - j, &t);
            else
                multiply_narrow_tile(tile_rows, columns - j, &t);
        }
}

#endif
