/* The winner of a window, for many channels at once. */
#ifndef TINYDL_MAX_WINDOW_H
#define TINYDL_MAX_WINDOW_H

#include "pooling.h"

/* Whether there is a NaN in a lane. */
INLINE int has_nan(vector a)
{
#if VECTOR_BYTES == 64
    return sizeof(real) == 4 ? _mm512_cmp_ps_mask((__m512)a, (__m512)a, _CMP_UNORD_Q) != 0
                             : _mm512_cmp_pd_mask((__m512d)a, (__m512d)a, _CMP_UNORD_Q) != 0;
#elif VECTOR_BYTES == 32
    return sizeof(real) == 4 ? _mm256_movemask_ps((__m256)(a != a)) != 0
                             : _mm256_movemask_pd((__m256d)(a != a)) != 0;
#else
    typedef int64_t halves __attribute__((vector_size(VECTOR_BYTES)));
    halves found = (halves)(a != a);
    return (found[0] | found[1]) != 0;
#endif
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

/* y = the maximum of the window of x, and its number; or -1 if there is no positive one, where that
 * is asked for. */
INLINE void winners_block(const pooling *p, place at, view v, block b)
{
    vector best[MOST_VECTORS];
    vector_mask winner[MOST_VECTORS];
    find_block(p->x + at.image, v, b, best, winner);
    UNROLL
    for (int i = 0; i < b.vectors; i++) {
        vector number = __builtin_convertvector(winner[i], vector);
        vector_mask none = best[i] <= (vector){0};
        if (p->positive_only)
            number = (vector)((none & (vector_mask)((vector){0} - 1)) | (~none & (vector_mask)number));
        store_block(p->y + at.output, best[i], i, b);
        store_block(p->numbers + at.output, number, i, b);
    }
}

static void find_winners(const pooling *p, part t)
{
    do_part(winners_block, p, t);
}

/* x_bar += g at the pixels whose numbers are those of the winners. */
INLINE void unpool_block(const pooling *p, place at, view v, block b)
{
    vector winner[MOST_VECTORS], g[MOST_VECTORS];
    UNROLL
    for (int i = 0; i < b.vectors; i++) {
        winner[i] = load_block(p->winners + at.output, i, b);
        g[i] = load_block(p->g + at.output, i, b);
    }
    for (int64_t row = 0; row < v.rows; row++)
        for (int64_t column = 0; column < v.columns; column++) {
            const real number = (real)(v.first_number + row * v.row_numbers + column);
            real *pixel = p->x_bar + at.image + row * v.row_step + column * v.column_step;
            UNROLL
            for (int i = 0; i < b.vectors; i++) {
                vector former = p->must_add ? load_block(pixel, i, b) : (vector){0};
                vector share = (vector)((winner[i] == number) & (vector_mask)g[i]);
                store_block(pixel, former + share, i, b);
            }
        }
}

static void unpool(const pooling *p, part t)
{
    clear(p, t);
    do_part(unpool_block, p, t);
}

#endif
