/* The winner of a window, for many channels at once. */
#ifndef TINYDL_MAX_WINDOW_H
#define TINYDL_MAX_WINDOW_H

#include "pooling.h"

/* Lane by lane: condition ? a : b. The compiler knows the instruction that does this. */
INLINE vector choose(vector_mask condition, vector a, vector b)
{
    return (vector)((condition & (vector_mask)a) | (~condition & (vector_mask)b));
}

/* Whether `new` beats the best so far: it is greater, or the first NaN. */
INLINE vector_mask wins(vector new, vector best)
{
    return ~(new <= best) & (best == best);
}

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
                vector_mask better = wins(new, best[i]);
                best[i] = choose(better, new, best[i]);
                chosen[i] = choose(better, load_block(u + pixel, i, b), chosen[i]);
            }
        }
    UNROLL
    for (int i = 0; i < b.vectors; i++)
        store_block(y, chosen[i], i, b);
}

/* y = the maximum of the window of x, and which pixel it is, by number. */
INLINE void winners_block(const pooling *p, place at, view v, block b)
{
    const real *x = p->x + at.image;
    vector best[MOST_VECTORS], winner[MOST_VECTORS];
    UNROLL
    for (int i = 0; i < b.vectors; i++) {
        best[i] = load_block(x, i, b);
        winner[i] = (real)v.first_number - (vector){0};
    }
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = row == 0; column < v.columns; column++) {
            const real number = (real)(v.first_number + row * v.row_numbers + column);
            UNROLL
            for (int i = 0; i < b.vectors; i++) {
                vector new = load_block(x + row * v.row_step + column * v.column_step, i, b);
                vector_mask better = wins(new, best[i]);
                best[i] = choose(better, new, best[i]);
                winner[i] = choose(better, number - (vector){0}, winner[i]);
            }
        }
    UNROLL
    for (int i = 0; i < b.vectors; i++) {
        store_block(p->y + at.output, best[i], i, b);
        store_block(p->numbers + at.output, winner[i], i, b);
    }
}

#endif
