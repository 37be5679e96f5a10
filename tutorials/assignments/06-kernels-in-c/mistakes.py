"""Typical wrong submissions to assignment 6, and what each of them loses."""

from functools import partial

from tinydl.course import Mistake

MistakeInC = partial(Mistake, file="kernels.c")

ZEROED = "            for (int64_t j = 0; j < s->columns; j++) row[j] = 0;\n"
ALONG_ROWS = """            for (int64_t j = 0; j < s->columns; j++) row[j] = 0;
            for (int64_t k = 0; k < s->terms; k++) {
                real factor = a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride];
                const real *terms = b + n * s->b_batch_stride + k * s->b_term_stride;
                if (s->b_column_stride == 1) /* neighbours: the compiler makes vectors of them */
                    for (int64_t j = 0; j < s->columns; j++) row[j] += factor * terms[j];
                else
                    for (int64_t j = 0; j < s->columns; j++)
                        row[j] += factor * terms[j * s->b_column_stride];
            }
"""
SUM_IN_FLOAT = """            for (int64_t j = 0; j < s->columns; j++) {
                float sum = 0;
                for (int64_t k = 0; k < s->terms; k++)
                    sum += a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride]
                         * b[n * s->b_batch_stride + k * s->b_term_stride + j * s->b_column_stride];
                row[j] = sum;
            }
"""
VECTORS_OF_ROWS = "for (int64_t j = 0; j < s->columns; j++) row[j] += factor * terms[j];"
INSIDE = "if (row < 0 || row >= s->height || column < 0 || column >= s->width) continue;"

MISTAKES = [
    MistakeInC(
        "y not set to zero",
        replace=ZEROED,
        by="",
        loses=(
            "matmul: value",
            "matmul: ragged shapes",
            "matmul: transposed and repeated matrices",
            "matmul: a sum of nothing is 0",
            "nan and infinity are not lost",
            "twice the same call, twice the same bits",
            "matmul: not much slower than the plain loops",
        ),
        says="added to before it was set to 0",
    ),
    MistakeInC(
        "strides of b ignored",
        replace="const real *terms = b + n * s->b_batch_stride + k * s->b_term_stride;",
        by="const real *terms = b + n * s->b_batch_stride + k * s->columns;",
        loses=("matmul: transposed and repeated matrices",),
        says="Use all six strides",
    ),
    MistakeInC(
        "strides of a ignored",
        replace="factor = a[n * s->a_batch_stride + i * s->a_row_stride + k * s->a_term_stride]",
        by="factor = a[n * s->a_batch_stride + i * s->terms + k]",
        loses=("matmul: transposed and repeated matrices",),
        says="the strides of a are ignored",
    ),
    MistakeInC(
        "one column too many",
        replace=VECTORS_OF_ROWS,
        by=VECTORS_OF_ROWS.replace("j < s->columns", "j <= s->columns"),
        loses=(
            "matmul: value",
            "matmul: ragged shapes",
            "matmul: transposed and repeated matrices",
            "nan and infinity are not lost",
            "twice the same call, twice the same bits",
            "matmul: not much slower than the plain loops",
        ),
        says="outside",
    ),
    MistakeInC(
        "steps of four, and no rest",
        replace=VECTORS_OF_ROWS,
        by=VECTORS_OF_ROWS.replace("j < s->columns", "j + 3 < s->columns"),
        loses=(
            "matmul: value",
            "matmul: ragged shapes",
            "matmul: transposed and repeated matrices",
            "nan and infinity are not lost",
            "twice the same call, twice the same bits",
            "matmul: not much slower than the plain loops",
        ),
        says="expected",
    ),
    MistakeInC(
        "the row computed anew for each column",
        replace=ALONG_ROWS,
        by=f"            for (int64_t again = 0; again < s->columns; again++) {{\n{ALONG_ROWS}            }}\n",
        loses=("matmul: not much slower than the plain loops",),
        says="Each product a(i, k) b(k, j) is needed once",
    ),
    MistakeInC(
        "a sum in float",
        replace=ALONG_ROWS,
        by=SUM_IN_FLOAT,
        loses=(
            "matmul: value",
            "matmul: ragged shapes",
            "matmul: transposed and repeated matrices",
        ),
        says="something is computed in float32",
    ),
    MistakeInC(
        "zeros skipped",
        replace="                if (s->b_column_stride == 1)",
        by="                if (factor == 0) continue;\n                if (s->b_column_stride == 1)",
        loses=("nan and infinity are not lost",),
        says="Zero times infinity is nan",
    ),
    MistakeInC(
        "a static array that remembers",
        replace="return 0;\n    // ### END SOLUTION\n}\n\n/* y(n, i, j, o)",
        by="static real calls;\n    y[0] += calls++;\n    return 0;\n"
        "    // ### END SOLUTION\n}\n\n/* y(n, i, j, o)",
        loses=(
            "matmul: value",
            "matmul: ragged shapes",
            "matmul: transposed and repeated matrices",
            "matmul: a sum of nothing is 0",
            "twice the same call, twice the same bits",
            "matmul: not much slower than the plain loops",
        ),
        says="A kernel keeps nothing between two calls",
    ),
    MistakeInC(
        "padding that is read",
        replace=INSIDE,
        by="",
        loses=("conv: strides and padding", "conv: dilation and ragged shapes"),
        says="outside",
    ),
    MistakeInC(
        "the last row and column left out",
        replace=INSIDE,
        by=INSIDE.replace(">= s->height", ">= s->height - 1"),
        loses=(
            "conv: value",
            "conv: strides and padding",
            "conv: dilation and ragged shapes",
            "twice the same call, twice the same bits",
        ),
        says="expected",
    ),
    MistakeInC(
        "strides of the window exchanged",
        replace="row = i * s->stride_height + p * s->dilation_height - s->padding_top;",
        by="row = i * s->stride_width + p * s->dilation_height - s->padding_top;",
        loses=("conv: strides and padding", "conv: dilation and ragged shapes"),
        says="expected",
    ),
    MistakeInC(
        "the dilation left out",
        replace="row = i * s->stride_height + p * s->dilation_height - s->padding_top;",
        by="row = i * s->stride_height + p - s->padding_top;",
        loses=("conv: dilation and ragged shapes",),
        says="expected",
    ),
    MistakeInC(
        "channels and filters exchanged",
        replace="tap[c * s->filters + o]",
        by="tap[o * s->channels + c]",
        loses=(
            "conv: value",
            "conv: strides and padding",
            "conv: dilation and ragged shapes",
            "twice the same call, twice the same bits",
        ),
        says="channels and filters are exchanged",
    ),
]
