/* The winner of a window, for many channels at once. */
#ifndef TINYDL_MAX_WINDOW_H
#define TINYDL_MAX_WINDOW_H

#include "pooling.h"

/* y = u at the winner of the window of x. */
INLINE void gather_window(const real *u, const real *x, real *y, view v, block b)
{
    vector best[MOST_VECTORS], chosen[MOST_VECTORS];
    UNROLL
    for (int i = 0; i < b.vectors; i++) {
        best[i] = load_block(x, i, b);
        chosen[i] = load_block(u, i, b);
    }
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = row == 0; column < v.columns; column++) {
            int64_t pixel = row * v.row_step + column * v.column_step;
            UNROLL
            for (int i = 0; i < b.vectors; i++) {
                vector new = load_block(x + pixel, i, b);
                choice better = beats(new, best[i]);
                best[i] = choose(better, new, best[i]);
                chosen[i] = choose(better, load_block(u + pixel, i, b), chosen[i]);
            }
        }
    UNROLL
    for (int i = 0; i < b.vectors; i++)
        store_block(y, chosen[i], i, b);
}

/* The maximum of the window of x, and its number. */
INLINE void find_block(const real *x, view v, block b, vector best[], vector_mask winner[])
{
    const vector_mask none = (vector_mask)(vector){0};
    UNROLL
    for (int i = 0; i < b.vectors; i++) {
        best[i] = load_block(x, i, b);
        winner[i] = none | (int32_t)v.first_number;
    }
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = row == 0; column < v.columns; column++) {
            const int32_t number = (int32_t)(v.first_number + row * v.row_numbers + column);
            UNROLL
            for (int i = 0; i < b.vectors; i++) {
                vector new = load_block(x + row * v.row_step + column * v.column_step, i, b);
                choice better = beats(new, best[i]);
                best[i] = choose(better, new, best[i]);
                winner[i] = (vector_mask)choose(better, (vector)(none | number), (vector)winner[i]);
            }
        }
}

/* y = the maximum of the window of x, and its number. */
INLINE void winners_block(const pooling *p, place at, view v, block b)
{
    vector best[MOST_VECTORS];
    vector_mask winner[MOST_VECTORS];
    find_block(p->x + at.image, v, b, best, winner);
    UNROLL
    for (int i = 0; i < b.vectors; i++) {
        store_block(p->y + at.output, best[i], i, b);
        store_block(p->numbers + at.output, __builtin_convertvector(winner[i], vector), i, b);
    }
}

static void find_winners(const pooling *p, part t)
{
    do_part(winners_block, p, t);
}

#endif
