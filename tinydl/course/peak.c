/* A loop that does nothing useful, as fast as this machine can: what every kernel is held against.
 *
 * It is compiled for the machine at hand (-march=native), which tinydl's own kernels never are. */
#include <stdint.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
typedef float vector __attribute__((vector_size(VECTOR_BYTES)));

/* So many sums at once: a processor begins two multiply-adds in each cycle, each takes four, and
 * none can begin before its sum is known. */
enum { SUMS = 12, FLOATS = VECTOR_BYTES / sizeof(float) };

/* Do n rounds of SUMS multiply-adds of vectors; return the number of additions and multiplications. */
int64_t multiply_and_add(int64_t n, float *result)
{
    vector sums[SUMS], factor = (vector){0} + 0.5f, term = (vector){0} + 1.0f;
    for (int s = 0; s < SUMS; s++) sums[s] = (vector){0} + (float)s; /* equal ones would be one */
    for (int64_t i = 0; i < n; i++)
#pragma GCC unroll 12
        for (int s = 0; s < SUMS; s++) sums[s] = sums[s] * factor + term;
    for (int s = 1; s < SUMS; s++) sums[0] += sums[s];
    *result = sums[0][0];
    return 2 * n * SUMS * FLOATS;
}
