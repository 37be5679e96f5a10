/* Vectors: VECTOR_BYTES of numbers that one instruction adds or multiplies. The compiler knows them:
 * v + w, 2 * v and v <= w go lane by lane. What it lacks is a load or store of only the first few
 * lanes, for the end of a row: that is here, and never touches memory behind it. */
#ifndef TINYDL_VECTOR_H
#define TINYDL_VECTOR_H

#include <string.h>

#include "shared.h"
#include "tinydl.h"

#ifndef VECTOR_BYTES
#define VECTOR_BYTES 16
#endif
#if VECTOR_BYTES > 16
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#define LANES ((int64_t)(VECTOR_BYTES / sizeof(real)))

typedef real vector __attribute__((vector_size(VECTOR_BYTES)));
typedef real unaligned_vector
    __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));
typedef __typeof__((vector){0} <= (vector){0}) vector_mask;

INLINE vector load(const real *x)
{
    return *(const unaligned_vector *)x;
}

INLINE void store(real *y, vector v)
{
    *(unaligned_vector *)y = v;
}

/* x where it is positive (or NaN), otherwise 0. */
INLINE vector positive(vector x)
{
    vector_mask drop = x <= (vector){0};
    return (vector)((vector_mask)x & ~drop);
}

/* first_lanes(count) names lanes; the others are loaded as 0, or as `other`, and not stored. */
#if VECTOR_BYTES == 64

typedef __mmask16 lanes;

INLINE lanes first_lanes(int64_t count)
{
    return (lanes)((1u << count) - 1);
}

INLINE vector load_lanes(const real *x, lanes these)
{
    return sizeof(real) == 4 ? (vector)_mm512_maskz_loadu_ps(these, x)
                             : (vector)_mm512_maskz_loadu_pd((__mmask8)these, x);
}

INLINE vector load_lanes_or(vector other, const real *x, lanes these)
{
    return sizeof(real) == 4
               ? (vector)_mm512_mask_loadu_ps((__m512)other, these, x)
               : (vector)_mm512_mask_loadu_pd((__m512d)other, (__mmask8)these, x);
}

INLINE void store_lanes(real *y, vector v, lanes these)
{
    if (sizeof(real) == 4)
        _mm512_mask_storeu_ps(y, these, (__m512)v);
    else
        _mm512_mask_storeu_pd(y, (__mmask8)these, (__m512d)v);
}

#elif VECTOR_BYTES == 32

typedef struct {
    int64_t count;
    __m256i mask;
} lanes;

INLINE lanes first_lanes(int64_t count)
{
    __m256i ints = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), longs = _mm256_setr_epi64x(0, 1, 2, 3);
    return (lanes){count, sizeof(real) == 4
                              ? _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), ints)
                              : _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), longs)};
}

INLINE vector load_lanes(const real *x, lanes these)
{
    return sizeof(real) == 4 ? (vector)_mm256_maskload_ps((const float *)x, these.mask)
                             : (vector)_mm256_maskload_pd((const double *)x, these.mask);
}

INLINE vector load_lanes_or(vector other, const real *x, lanes these)
{
    return (vector)_mm256_blendv_epi8((__m256i)other, (__m256i)load_lanes(x, these), these.mask);
}

/* By halves, since many processors take their time over masked stores of this width. */
INLINE void store_lanes(real *y, vector v, lanes these)
{
    const real *from = (const real *)&v;
    UNROLL
    for (int64_t piece = LANES; piece > 0; piece /= 2)
        if (these.count & piece) {
            memcpy(y, from, piece * sizeof(real));
            y += piece, from += piece;
        }
}

#else

typedef int64_t lanes;

INLINE lanes first_lanes(int64_t count)
{
    return count;
}

INLINE vector load_lanes(const real *x, lanes these)
{
    vector v = {0};
    for (int64_t i = 0; i < these; i++)
        v[i] = x[i];
    return v;
}

INLINE vector load_lanes_or(vector other, const real *x, lanes these)
{
    for (int64_t i = 0; i < these; i++)
        other[i] = x[i];
    return other;
}

INLINE void store_lanes(real *y, vector v, lanes these)
{
    for (int64_t i = 0; i < these; i++)
        y[i] = v[i];
}

#endif

/* A choice for each lane, and its use: condition ? a : b. Compilers do not find the instructions for
 * it: a max pool takes a quarter more without these. */
#if VECTOR_BYTES == 64

typedef __mmask16 choice;

/* Whether `new` is greater than the best so far, or the first NaN. */
INLINE choice beats(vector new, vector best)
{
    if (sizeof(real) == 8) {
        choice number = _mm512_cmp_pd_mask((__m512d)best, (__m512d)best, _CMP_EQ_OQ);
        return _mm512_mask_cmp_pd_mask((__mmask8)number, (__m512d)new, (__m512d)best, _CMP_NLE_UQ);
    }
    choice number = _mm512_cmp_ps_mask((__m512)best, (__m512)best, _CMP_EQ_OQ);
    return _mm512_mask_cmp_ps_mask(number, (__m512)new, (__m512)best, _CMP_NLE_UQ);
}

INLINE choice is_less(vector a, vector b)
{
    return sizeof(real) == 4 ? _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ)
                             : _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ);
}

INLINE vector choose(choice condition, vector a, vector b)
{
    return sizeof(real) == 4 ? (vector)_mm512_mask_mov_ps((__m512)b, condition, (__m512)a)
                             : (vector)_mm512_mask_mov_pd((__m512d)b, (__mmask8)condition, (__m512d)a);
}

#else

typedef vector_mask choice;

INLINE choice beats(vector new, vector best)
{
    return ~(new <= best) & (best == best);
}

INLINE choice is_less(vector a, vector b)
{
    return a < b;
}

INLINE vector choose(choice condition, vector a, vector b)
{
#if VECTOR_BYTES == 32
    return (vector)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)condition);
#else
    return (vector)((condition & (vector_mask)a) | (~condition & (vector_mask)b));
#endif
}

#endif

/* The greater and the lesser of two numbers; b where one of them is NaN. */
INLINE vector greater(vector a, vector b)
{
#if VECTOR_BYTES == 64
    return sizeof(real) == 4 ? (vector)_mm512_max_ps((__m512)a, (__m512)b)
                             : (vector)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif VECTOR_BYTES == 32
    return sizeof(real) == 4 ? (vector)_mm256_max_ps((__m256)a, (__m256)b)
                             : (vector)_mm256_max_pd((__m256d)a, (__m256d)b);
#elif defined(__SSE2__)
    return sizeof(real) == 4 ? (vector)_mm_max_ps((__m128)a, (__m128)b)
                             : (vector)_mm_max_pd((__m128d)a, (__m128d)b);
#else
    return choose(is_less(b, a), a, b);
#endif
}

INLINE vector lesser(vector a, vector b)
{
#if VECTOR_BYTES == 64
    return sizeof(real) == 4 ? (vector)_mm512_min_ps((__m512)a, (__m512)b)
                             : (vector)_mm512_min_pd((__m512d)a, (__m512d)b);
#elif VECTOR_BYTES == 32
    return sizeof(real) == 4 ? (vector)_mm256_min_ps((__m256)a, (__m256)b)
                             : (vector)_mm256_min_pd((__m256d)a, (__m256d)b);
#elif defined(__SSE2__)
    return sizeof(real) == 4 ? (vector)_mm_min_ps((__m128)a, (__m128)b)
                             : (vector)_mm_min_pd((__m128d)a, (__m128d)b);
#else
    return choose(is_less(a, b), a, b);
#endif
}

/* The sum of all lanes: 16 bytes of lanes at a time, and then the lanes of one sum of those. */
INLINE real sum_of_lanes(vector v)
{
    typedef real piece __attribute__((vector_size(16)));
    piece pieces[VECTOR_BYTES / 16];
    memcpy(pieces, &v, sizeof v);
    UNROLL
    for (size_t i = 1; i < VECTOR_BYTES / 16; i++)
        pieces[0] += pieces[i];
    real total = pieces[0][0];
    UNROLL
    for (size_t i = 1; i < 16 / sizeof(real); i++)
        total += pieces[0][i];
    return total;
}

/* The greatest of all lanes, none of which is NaN: half of them at a time with the other half. */
INLINE real greatest_of_lanes(vector v)
{
    real greatest[LANES];
    memcpy(greatest, &v, sizeof v);
    UNROLL
    for (int64_t half = LANES / 2; half > 0; half /= 2)
        UNROLL
        for (int64_t i = 0; i < half; i++)
            greatest[i] = greatest[i] > greatest[i + half] ? greatest[i] : greatest[i + half];
    return greatest[0];
}

/* The first vector of `count` numbers, which may be fewer, and its place in memory. */
INLINE vector load_up_to(int64_t count, vector other, const real *x)
{
    return count >= LANES ? load(x) : load_lanes_or(other, x, first_lanes(count));
}

INLINE void store_up_to(int64_t count, real *y, vector v)
{
    if (count >= LANES)
        store(y, v);
    else
        store_lanes(y, v, first_lanes(count));
}
#endif
