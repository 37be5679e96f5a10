/* Products of which one factor is thin: a of few rows, or b of few columns. Each number of the
 * other factor is used so seldom that a copy would cost more than it saves, and tiles would jump
 * about in it. Here it is read once, in place, in the order in which it lies in memory. */
#ifndef TINYDL_THIN_H
#define TINYDL_THIN_H

#include <string.h>

#include "panel.h"
#include "vector.h"

#define FEW_ROWS 3
#define FEW_COLUMNS 12

/* Rows of b that are added at a time: y is then read and written but for every eighth. */
#define ROWS_AT_A_TIME 8

/* Of a block of so many terms, FEW_COLUMNS columns and INNER_ROWS rows stay in the L1 cache. */
#define INNER_BLOCK 1024
#define INNER_ROWS 4
#if VECTOR_BYTES == 64
#define INNER_COLUMNS 5
#else
#define INNER_COLUMNS 3
#endif

/* y[j] += sum over k < count of a[k] * b[k * b_step + j] */
INLINE void add_multiples(int count, const real *a, const real *restrict b, int64_t b_step,
                     real *restrict y, int64_t columns)
{
    for (int64_t j = 0; j < columns; j++) {
        real sum = y[j];
        UNROLL
        for (int k = 0; k < count; k++)
            sum += a[k] * b[k * b_step + j];
        y[j] = sum;
    }
}

/* y[j] = sum over k of a[k * a_step] * b[k * b_step + j]: a sum of rows of b.
 * (1 x 1024 times 1024 x 1024 takes 55 us, by tiles 140.) */
static void sum_multiples_of_rows(const real *a, int64_t a_step, const real *b, int64_t b_step,
                                  real *y, int64_t terms, int64_t columns)
{
    memset(y, 0, columns * sizeof(real));
    int64_t k = 0;
    for (; k + ROWS_AT_A_TIME <= terms; k += ROWS_AT_A_TIME) {
        real factors[ROWS_AT_A_TIME];
        for (int q = 0; q < ROWS_AT_A_TIME; q++)
            factors[q] = a[(k + q) * a_step];
        add_multiples(ROWS_AT_A_TIME, factors, b + k * b_step, b_step, y, columns);
    }
    for (; k < terms; k++)
        add_multiples(1, a + k * a_step, b + k * b_step, b_step, y, columns);
}

/* Rows of a and columns of b, each of them contiguous, and their inner products: y(i, j) = sum
 * over k < terms of a[i * a_step + k] * b[j * b_step + k], added to what is there if `add`. */
typedef struct {
    int64_t terms;
    const real *a, *b;
    int64_t a_step, b_step;
    real *y;
    int64_t y_step;
    int add;
} inner;

/* The y(i + r, j + c): a vector of neighbouring terms at a time, so that no lane is wasted, however
 * few columns there are. `rows` and `columns` must be constants where this is inlined. */
INLINE void multiply_inner(int rows, int columns, const inner *p, int64_t i, int64_t j)
{
    const real *a = p->a + i * p->a_step, *b = p->b + j * p->b_step;
    const int64_t rest = p->terms % LANES, whole = p->terms - rest;
    vector sum[INNER_ROWS][INNER_COLUMNS] = {{{0}}}, b_part[INNER_COLUMNS];
    for (int64_t k = 0; k < whole; k += LANES) {
        UNROLL
        for (int c = 0; c < columns; c++)
            b_part[c] = load(b + c * p->b_step + k);
        UNROLL
        for (int r = 0; r < rows; r++)
            UNROLL
            for (int c = 0; c < columns; c++)
                sum[r][c] += load(a + r * p->a_step + k) * b_part[c];
    }
    const lanes last = first_lanes(rest);
    UNROLL
    for (int c = 0; rest > 0 && c < columns; c++) {
        b_part[c] = load_lanes(b + c * p->b_step + whole, last);
        UNROLL
        for (int r = 0; r < rows; r++)
            sum[r][c] += load_lanes(a + r * p->a_step + whole, last) * b_part[c];
    }
    UNROLL
    for (int r = 0; r < rows; r++)
        UNROLL
        for (int c = 0; c < columns; c++) {
            real *y = p->y + (i + r) * p->y_step + j + c;
            *y = sum_of_lanes(sum[r][c]) + (p->add ? *y : 0);
        }
}

INLINE void multiply_inner_columns(int rows, int64_t columns, const inner *p, int64_t i)
{
    int64_t j = 0;
    for (; j + INNER_COLUMNS <= columns; j += INNER_COLUMNS)
        multiply_inner(rows, INNER_COLUMNS, p, i, j);
    for (; j < columns; j++)
        multiply_inner(rows, 1, p, i, j);
}

/* All of them. (32 x 5408 times 5408 x 10 takes 49 us, by tiles 71.) */
static void multiply_inner_all(int64_t rows, int64_t columns, const inner *p)
{
    int64_t i = 0;
    for (; i + INNER_ROWS <= rows; i += INNER_ROWS)
        multiply_inner_columns(INNER_ROWS, columns, p, i);
    for (; i < rows; i++)
        multiply_inner_columns(1, columns, p, i);
}

#endif
