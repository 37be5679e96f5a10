/* The first steps from the plain matrix product to the fast one, for y (n, n) = a (n, n) times b (n, n).
 * `a` is stored by columns, a(i, k) = a[k * n + i]; `b` and `y` by rows. The further steps are those of
 * the kernel itself. Compiled for the machine at hand (-march=native). */
#define real float
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#include "tile.h"

/* The formula. To the processor: two reads for each multiplication, those of b far apart, and each
 * sum waits for the one before. */
void plain(int64_t n, const float *a, const float *b, float *y)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            float sum = 0;
            for (int64_t k = 0; k < n; k++)
                sum += a[k * n + i] * b[k * n + j];
            y[i * n + j] = sum;
        }
}

/* The same sums, but the inner loop now goes along rows, which are neighbours in memory, and no
 * number waits for another: the compiler can take a vector of them at a time. */
void along_rows(int64_t n, const float *a, const float *b, float *y)
{
    for (int64_t i = 0; i < n; i++) {
        memset(y + i * n, 0, n * sizeof(float));
        for (int64_t k = 0; k < n; k++)
            for (int64_t j = 0; j < n; j++)
                y[i * n + j] += a[k * n + i] * b[k * n + j];
    }
}

/* A tile of y at a time, whose sums stay in registers; a and b are read where they lie. */
void by_tiles(int64_t n, const float *a, const float *b, float *y)
{
    panels in_place_a = {a, 1, n}, in_place_b = {b, 1, n};
    multiply_panels(n, n, n, in_place_a, in_place_b, y, n, (finish){0});
}

/* Additions and multiplications of a tile for each byte it reads. */
double tile_intensity(void)
{
    return 2.0 * TILE_ROWS * TILE_COLUMNS / (4.0 * (TILE_ROWS + TILE_COLUMNS));
}
