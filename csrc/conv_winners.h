/* The kernel gradient of a convolution of one channel that a max pool of 2 x 2 follows:
 *     w_bar(tap, o) = sum over windows of x(place of o's winner, tap) * g(window, o)
 *
 * Of the four places of a window, three get nothing from g. So they are not multiplied with it, and g
 * is not spread out to an image: each lane of a vector, which is a filter, chooses what its winner
 * saw. The four numbers that a tap sees from the places of the window are two pairs of neighbours in
 * x; they are brought side by side, and one instruction picks among them by the winners' numbers. */
#ifndef TINYDL_CONV_WINNERS_H
#define TINYDL_CONV_WINNERS_H

#include "conv_pool_tile.h"

/* Whether there is such an instruction. */
#define CHOOSES_OF_FOUR (VECTOR_BYTES == 64 || (VECTOR_BYTES == 32 && sizeof(real) == 4))

/* Taps whose sums are kept in registers. */
#if VECTOR_BYTES == 64
#define HIGH_TAPS 9
#else
#define HIGH_TAPS 5
#endif
#define LOW_TAPS 4

/* In each lane, number 0 or 1 of the upper pair, or 2 or 3 as they go on in the lower. */
INLINE vector choose_of_four(const real *upper, const real *lower, vector_mask number)
{
#if VECTOR_BYTES == 64
    if (sizeof(real) == 8) {
        __m512d pair = _mm512_broadcast_f64x2(_mm_loadu_pd((const double *)upper));
        __m128d other = _mm_loadu_pd((const double *)lower);
        __m512d four = _mm512_mask_broadcast_f64x2(pair, 0xcc, other);
        return (vector)_mm512_permutexvar_pd((__m512i)number, four);
    }
    __m128i pair = _mm_loadl_epi64((const __m128i *)upper);
    __m128i other = _mm_loadl_epi64((const __m128i *)lower);
    __m512i four = _mm512_mask_broadcastq_epi64(_mm512_broadcastq_epi64(pair), 0xaa, other);
    return (vector)_mm512_permutevar_ps((__m512)four, (__m512i)number);
#elif VECTOR_BYTES == 32
    __m256i pair = _mm256_broadcastq_epi64(_mm_loadl_epi64((const __m128i *)upper));
    __m256i other = _mm256_broadcastq_epi64(_mm_loadl_epi64((const __m128i *)lower));
    __m256i four = _mm256_blend_epi32(pair, other, 0xcc);
    return (vector)_mm256_permutevar_ps((__m256)four, (__m256i)number);
#else
    return (vector)number + *upper + *lower; /* never used */
#endif
}

typedef struct {
    const real *x;
    const int64_t *x_row, *x_tap;
    int64_t below;              /* from a window's upper places to its lower ones */
    int64_t windows, taps, filters;
    const real *g, *winners;    /* (windows, filters) */
    real *w_bar;                /* (taps + 1, filters): the last row is b_bar, the sums of g */
    int add;                    /* whether to add what is in w_bar already */
} winner_sums;

/* y += sum, or y = sum; only the lanes that exist if not `whole`. */
INLINE void add_lanes(real *y, vector sum, int add, int whole, lanes these)
{
    if (whole)
        store(y, add ? load(y) + sum : sum);
    else
        store_lanes(y, add ? load_lanes(y, these) + sum : sum, these);
}

/* The sums of `height` taps from `first` on, and those of g, for the filters from j on. A tile that
 * hangs over the last tap computes that one again. */
INLINE void winners_tile(int height, int vectors, int whole, const winner_sums *s, int64_t first,
                         int64_t j)
{
    const lanes last = first_lanes(whole ? LANES : s->filters - j - (vectors - 1) * LANES);
    const real *g = s->g + j, *winners = s->winners + j;
    const int64_t filters = s->filters, below = s->below;
    int64_t tap[HIGH_TAPS];
    UNROLL
    for (int r = 0; r < height; r++)
        tap[r] = s->x_tap[smaller(first + r, s->taps - 1)];
    vector sum[HIGH_TAPS][TILE_VECTORS] = {{{0}}}, sum_of_g[TILE_VECTORS] = {{0}};
    for (int64_t i = 0; i < s->windows; i++, g += filters, winners += filters) {
        const real *x = s->x + s->x_row[i];
        vector share[TILE_VECTORS];
        vector_mask number[TILE_VECTORS];
        UNROLL
        for (int v = 0; v < vectors; v++) {
            const int all = whole || v < vectors - 1;
            vector winner = all ? load(winners + v * LANES) : load_lanes(winners + v * LANES, last);
            vector of_g = all ? load(g + v * LANES) : load_lanes(g + v * LANES, last);
            number[v] = __builtin_convertvector(winner, vector_mask) & (WINDOW_PLACES - 1);
            vector_mask is_place = __builtin_convertvector(number[v], vector) == winner;
            share[v] = (vector)(is_place & (vector_mask)of_g);
            sum_of_g[v] += share[v];
        }
        FOR_TILE(height, vectors)
            sum[r][v] += choose_of_four(x + tap[r], x + tap[r] + below, number[v]) * share[v];
    }
    UNROLL
    for (int v = 0; v < vectors; v++) {
        const int all = whole || v < vectors - 1;
        real *w_bar = s->w_bar + j + v * LANES;
        UNROLL
        for (int r = 0; r < height; r++)
            if (first + r < s->taps)
                add_lanes(w_bar + (first + r) * filters, sum[r][v], s->add, all, last);
        if (first == 0)
            add_lanes(w_bar + s->taps * filters, sum_of_g[v], s->add, all, last);
    }
}

INLINE void winners_tile_of(int height, const winner_sums *s, int64_t first, int64_t j)
{
    if (s->filters - j >= TILE_COLUMNS)
        winners_tile(height, TILE_VECTORS, 1, s, first, j);
    else if (s->filters - j > LANES)
        winners_tile(height, TILE_VECTORS, 0, s, first, j);
    else
        winners_tile(height, 1, 0, s, first, j);
}

static void sum_winners(const winner_sums *s)
{
    for (int64_t j = 0; j < s->filters; j += TILE_COLUMNS)
        for (int64_t first = 0, height; first < s->taps; first += height)
            if (s->taps - first > LOW_TAPS)
                winners_tile_of(height = HIGH_TAPS, s, first, j);
            else
                winners_tile_of(height = LOW_TAPS, s, first, j);
}

#endif
