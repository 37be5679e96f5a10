/* The inner loop of all convolutions: sums over numbers that lie somewhere in x,
 *     y[y_row[i] + j] = sum over k of x[x_row[i] + x_term[k]] * b(k, j).
 *
 * It is the loop of a matrix product (see product.h), a tile of sums in registers at a time, but
 * x is no matrix: a table says where each row begins, another how far from there each term lies.
 * So x is read where it is. To copy it into panels first, as a matrix product does, took a
 * convolution of one channel a third of its time, its kernel gradient half, and one of 64 channels
 * a fifth.
 */
#ifndef TINYDL_CONV_TILE_H
#define TINYDL_CONV_TILE_H

#include "product.h"

/* Tiles of fewer rows, for the rest: 9 rows, the taps of a 3 x 3 window on one channel, are 6 + 3. */
#define MIDDLE_TILE_ROWS 6
#define LOW_TILE_ROWS 3

/* For each vector v of each row r of a tile of constant size. */
#define FOR_TILE(height, vectors)      \
    UNROLL                             \
    for (int r = 0; r < (height); r++) \
        UNROLL                         \
        for (int v = 0; v < (vectors); v++)

/* Numbers that are read or written after these sums. A few are fetched with each tile, so that memory
 * works while the processor multiplies: 1 x 1 windows on 128 channels take 8.6 ms in place of 10.4. */
typedef struct {
    const real *first, *end;
    int64_t of_tile;
} upcoming;

typedef struct {
    const real *x;
    const int64_t *x_row, *x_term;
    int64_t rows, terms, columns;
    const real *b; /* b(k, j) = b[j / TILE_COLUMNS * b_panel + k * b_term + j % TILE_COLUMNS] */
    int64_t b_panel, b_term;
    real *y;
    const int64_t *y_row;
    int each_column; /* whether instead column j is for numbers of its own, x[... + j] */
    finish finish;   /* its row_added is as long as whole tiles are */
    upcoming *next_x, *next_y; /* both are used unless next_x is NULL */
} sums;

INLINE void fetch_some(upcoming *next)
{
    const real *x = next->first, *stop = x + smaller(next->of_tile, next->end - x);
    for (; x < stop; x += NUMBERS_OF_LINE)
        fetch(x);
    next->first = x;
}

/* Copies count < 2 * TILE_COLUMNS numbers, in few steps of fixed size. */
INLINE void copy_few(real *to, const real *from, int64_t count)
{
    UNROLL
    for (int64_t size = TILE_COLUMNS; size > 0; size /= 2)
        if (count & size) {
            memcpy(to, from, size * sizeof(real));
            to += size;
            from += size;
        }
}

/* Brings a tile of sums to y. A tile that hangs over the border of y is finished in a room of its
 * own, from which only the columns and rows that y has are copied. */
INLINE void finish_tile(int height, int vectors, const sums *s, int64_t i, int64_t j,
                        vector sum[TILE_ROWS][TILE_VECTORS])
{
    const int64_t rows = smaller(s->rows - i, height), columns = smaller(s->columns - j, TILE_COLUMNS);
    const int whole = rows == height && columns == vectors * LANES;
    real room[TILE_ROWS * TILE_COLUMNS], *y[TILE_ROWS];
    UNROLL
    for (int r = 0; r < height; r++)
        y[r] = whole ? s->y + s->y_row[i + r] + j : room + r * TILE_COLUMNS;
    if (s->finish.add && !whole) {
        memset(room, 0, sizeof(room));
        for (int64_t r = 0; r < rows; r++)
            copy_few(room + r * TILE_COLUMNS, s->y + s->y_row[i + r] + j, columns);
    }
    if (s->finish.add)
        FOR_TILE(height, vectors)
            sum[r][v] += ((const unaligned_vector *)y[r])[v];
    if (s->finish.row_added)
        FOR_TILE(height, vectors)
            sum[r][v] += ((const unaligned_vector *)(s->finish.row_added + j))[v];
    if (s->finish.relu)
        FOR_TILE(height, vectors)
            sum[r][v] = positive(sum[r][v]);
    FOR_TILE(height, vectors)
        ((unaligned_vector *)y[r])[v] = sum[r][v];
    for (int64_t r = 0; r < rows && !whole; r++)
        copy_few(s->y + s->y_row[i + r] + j, room + r * TILE_COLUMNS, columns);
}

/* The tile of s whose first row is i and first column j. Where it hangs over the border of y, the
 * last row is computed again. `height`, `vectors` and `each_column` must be constants where this is
 * inlined: the sums then stay in registers. */
INLINE void sum_tile(int height, int vectors, int each_column, const sums *s, int64_t i, int64_t j)
{
    const real *x[TILE_ROWS];
    UNROLL
    for (int r = 0; r < height; r++)
        x[r] = s->x + s->x_row[smaller(i + r, s->rows - 1)] + (each_column ? j : 0);
    const real *b = s->b + j / TILE_COLUMNS * s->b_panel;
    vector sum[TILE_ROWS][TILE_VECTORS] = {{{0}}};
    for (int64_t k = 0; k < s->terms; k++, b += s->b_term) {
        const unaligned_vector *b_row = (const unaligned_vector *)b;
        int64_t term = s->x_term[k];
        FOR_TILE(height, vectors)
            if (each_column)
                sum[r][v] += ((const unaligned_vector *)(x[r] + term))[v] * b_row[v];
            else
                sum[r][v] += x[r][term] * b_row[v];
    }
    finish_tile(height, vectors, s, i, j, sum);
}

INLINE void sum_tile_of_height(int height, const sums *s, int64_t i, int64_t j)
{
    if (s->each_column)
        sum_tile(height, TILE_VECTORS, 1, s, i, j);
    else if (s->columns - j > LANES)
        sum_tile(height, TILE_VECTORS, 0, s, i, j);
    else
        sum_tile(height, 1, 0, s, i, j);
}

/* All of y: the panel of b for a column of tiles stays in the cache while x passes. */
static void sum_all(const sums *s)
{
    for (int64_t j = 0; j < s->columns; j += TILE_COLUMNS)
        for (int64_t i = 0, height; i < s->rows; i += height) {
            int64_t rows = s->rows - i;
            if (s->next_x) {
                fetch_some(s->next_x);
                fetch_some(s->next_y);
            }
            if (rows >= TILE_ROWS)
                sum_tile_of_height(height = TILE_ROWS, s, i, j);
            else if (rows > LOW_TILE_ROWS)
                sum_tile_of_height(height = MIDDLE_TILE_ROWS, s, i, j);
            else
                sum_tile_of_height(height = LOW_TILE_ROWS, s, i, j);
        }
}

#endif
