/* A loop that does nothing useful, as fast as this machine can: what every kernel is held against.
 *
 * It is compiled for the machine at hand (-march=native), which tinydl's own kernels never are. */
#include <stdint.h>

/* y += x, n numbers each, so many times; return the number of bytes read and written. */
int64_t read_and_write(int64_t n, int64_t times, const float *x, float *y)
{
    for (int64_t t = 0; t < times; t++) {
        for (int64_t i = 0; i < n; i++) y[i] += x[i];
        __asm__ volatile("" ::: "memory"); /* each time anew */
    }
    return 3 * n * times * (int64_t)sizeof(float);
}
