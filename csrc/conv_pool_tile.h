/* The tile of a convolution that a max pool of 2 x 2 follows (see conv_tile.h).
 *
 * Its rows are windows of the pool, four places each. So the maximum of a window, and which place
 * it came from, is found in the registers that hold the sums, and the convolution's y, four times as
 * large as the pool's, is never written.
 *
 * A table says where each window begins in x; from there to its four places it is equally far in
 * every window. That is 4 + 3 addresses for the 12 rows of an AVX-512 tile, which all have
 * registers; the loop of conv_tile.h needs 12 of them. (32 images of 28 x 28, 32 filters of 3 x 3, by
 * two threads: 75 us; with a band of y that is pooled in the cache 106.) */
#ifndef TINYDL_CONV_POOL_TILE_H
#define TINYDL_CONV_POOL_TILE_H

#include "conv_tile.h"

#define WINDOW_PLACES 4
#define TILE_WINDOWS (TILE_ROWS / WINDOW_PLACES)

typedef struct {
    sums sums;                        /* whose rows are windows, and whose y is for the maxima */
    const real *place[WINDOW_PLACES]; /* x, seen from each place of the first window */
    real *numbers;                    /* like y: which place won; none, -1, where relu cuts */
} pooled_sums;

/* The maximum of a window and its number, in two rounds: the first of equal ones wins, and the first
 * NaN. (In four steps, one after the other, it took 4 % longer.) */
INLINE void window_maximum(vector sum[WINDOW_PLACES][TILE_VECTORS], int v, vector *maximum,
                           vector *number)
{
    const vector zero = {0};
    choice upper = beats(sum[1][v], sum[0][v]), lower = beats(sum[3][v], sum[2][v]);
    vector upper_best = choose(upper, sum[1][v], sum[0][v]);
    vector lower_best = choose(lower, sum[3][v], sum[2][v]);
    choice last = beats(lower_best, upper_best);
    *maximum = choose(last, lower_best, upper_best);
    *number = choose(last, choose(lower, zero + 3, zero + 2), choose(upper, zero + 1, zero));
}

/* Brings a window of sums to y; over the border of y, from a room of its own. The bias is added
 * before, not to the maximum: sums that differ may be equal with it, and then the first one wins. */
INLINE void finish_window(int vectors, const pooled_sums *p, int64_t i, int64_t j,
                          vector sum[WINDOW_PLACES][TILE_VECTORS])
{
    const sums *s = &p->sums;
    const int64_t columns = s->columns - j;
    const int whole = columns >= vectors * LANES;
    real room[2 * TILE_COLUMNS];
    real *y = s->y + s->y_row[i] + j, *numbers = p->numbers + s->y_row[i] + j;
    real *y_to = whole ? y : room, *numbers_to = whole ? numbers : room + TILE_COLUMNS;
    FOR_TILE(WINDOW_PLACES, vectors)
        sum[r][v] += load(s->finish.row_added + j + v * LANES);
    UNROLL
    for (int v = 0; v < vectors; v++) {
        vector maximum, number;
        window_maximum(sum, v, &maximum, &number);
        if (s->finish.relu) {
            const vector zero = {0};
            const vector_mask cut = maximum <= zero;
            maximum = positive(maximum);
            number = (vector)((cut & (vector_mask)(zero - 1)) | (~cut & (vector_mask)number));
        }
        store(y_to + v * LANES, maximum);
        store(numbers_to + v * LANES, number);
    }
    if (!whole) {
        copy_few(y, y_to, columns);
        copy_few(numbers, numbers_to, columns);
    }
}

/* The tile whose first window is i and first column j, as sum_tile. */
INLINE void pooled_tile(int windows, int vectors, int each_column, const pooled_sums *p, int64_t i,
                        int64_t j)
{
    const sums *s = &p->sums;
    const real *x[WINDOW_PLACES], *b = s->b + j / TILE_COLUMNS * s->b_panel;
    int64_t row[TILE_WINDOWS];
    UNROLL
    for (int r = 0; r < WINDOW_PLACES; r++)
        x[r] = p->place[r] + (each_column ? j : 0);
    UNROLL
    for (int w = 0; w < windows; w++)
        row[w] = s->x_row[i + w];
    vector sum[TILE_WINDOWS][WINDOW_PLACES][TILE_VECTORS] = {{{{0}}}};
    for (int64_t k = 0; k < s->terms; k++, b += s->b_term) {
        const unaligned_vector *b_row = (const unaligned_vector *)b;
        const int64_t term = s->x_term[k];
        UNROLL
        for (int w = 0; w < windows; w++)
            FOR_TILE(WINDOW_PLACES, vectors)
                if (each_column)
                    sum[w][r][v] += ((const unaligned_vector *)(x[r] + row[w] + term))[v] * b_row[v];
                else
                    sum[w][r][v] += x[r][row[w] + term] * b_row[v];
    }
    UNROLL
    for (int w = 0; w < windows; w++)
        finish_window(vectors, p, i + w, j, sum[w]);
}

INLINE void pooled_tile_of(int windows, const pooled_sums *p, int64_t i, int64_t j)
{
    if (p->sums.each_column)
        pooled_tile(windows, TILE_VECTORS, 1, p, i, j);
    else if (p->sums.columns - j > LANES)
        pooled_tile(windows, TILE_VECTORS, 0, p, i, j);
    else
        pooled_tile(windows, 1, 0, p, i, j);
}

/* All of y, as sum_all. */
static void pool_all(const pooled_sums *p)
{
    for (int64_t j = 0; j < p->sums.columns; j += TILE_COLUMNS)
        for (int64_t i = 0, windows; i < p->sums.rows; i += windows)
            if (p->sums.rows - i >= TILE_WINDOWS)
                pooled_tile_of(windows = TILE_WINDOWS, p, i, j);
            else
                pooled_tile_of(windows = 1, p, i, j);
}

#endif
