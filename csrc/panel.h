/* Copies of matrices, in the order in which the tiles of a product read them. */
#ifndef TINYDL_PANEL_H
#define TINYDL_PANEL_H

#include <string.h>

#include "shared.h"
#include "tinydl.h"

typedef real four __attribute__((vector_size(4 * sizeof(real))));
typedef real unaligned_four __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)),
                                           may_alias));

/* panel[k * width + i] = x[i * step + k] for i, k < 4: in 16 steps that move two or four numbers,
 * in place of 16 loads and 16 stores. */
INLINE void transpose_four(const real *x, int64_t step, int64_t width, real *panel)
{
    four row0 = *(const unaligned_four *)x;
    four row1 = *(const unaligned_four *)(x + step);
    four row2 = *(const unaligned_four *)(x + 2 * step);
    four row3 = *(const unaligned_four *)(x + 3 * step);
    four low01 = __builtin_shufflevector(row0, row1, 0, 4, 1, 5);
    four low23 = __builtin_shufflevector(row2, row3, 0, 4, 1, 5);
    four high01 = __builtin_shufflevector(row0, row1, 2, 6, 3, 7);
    four high23 = __builtin_shufflevector(row2, row3, 2, 6, 3, 7);
    *(unaligned_four *)panel = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
    *(unaligned_four *)(panel + width) = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
    *(unaligned_four *)(panel + 2 * width) = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
    *(unaligned_four *)(panel + 3 * width) = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}

/* panel[k * width + i] = x[i * step + k * term_step] for i < count and k < terms, where `width` is
 * a constant. What lies side by side in x or in the panel is moved together. */
INLINE void copy_panel(int64_t width, const real *x, int64_t step, int64_t term_step, int64_t count,
                       int64_t terms, real *panel)
{
    if (step == 1 && count == width) {
        for (int64_t k = 0; k < terms; k++)
            memcpy(panel + k * width, x + k * term_step, width * sizeof(real));
        return;
    }
    int64_t done = 0;
    if (term_step == 1 && count >= 4) {
        done = terms / 4 * 4;
        for (int64_t i = 0; i < count; i += 4) {
            int64_t first = smaller(i, count - 4); /* the last four may overlap those before */
            for (int64_t k = 0; k < done; k += 4)
                transpose_four(x + first * step + k, step, width, panel + k * width + first);
        }
    }
    for (int64_t k = done; k < terms; k++)
        for (int64_t i = 0; i < count; i++)
            panel[k * width + i] = x[i * step + k * term_step];
}

#endif
