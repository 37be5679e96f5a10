"""Typical wrong submissions to assignment 1; each has to lose what it names, and no more."""

from __future__ import annotations

from tinydl.course import Mistake

DENSE_PROPERTIES = ("dense: formula", "dense: any number of samples and features")
SQUARED_PROPERTIES = (
    "mean squared error: formula",
    "mean squared error: arrays of any shape",
)
ABSOLUTE_PROPERTIES = (
    "mean absolute error: formula",
    "mean absolute error: arrays of any shape",
)
BINARY_PROPERTIES = (
    "binary cross-entropy: formula",
    "binary cross-entropy: certain predictions",
)

MISTAKES = [
    Mistake(
        "no bias",
        replace="return x @ w + b",
        by="return x @ w",
        loses=DENSE_PROPERTIES,
        says="the bias is not added",
    ),
    Mistake(
        "transposed weights",
        replace="return x @ w + b",
        by="return x @ w.T + b",
        loses=(*DENSE_PROPERTIES, "inputs are left as they were", "no loops over samples"),
        says="matmul",
    ),
    Mistake(
        "a loop over samples",
        replace="return x @ w + b",
        by="return np.array([row @ w + b for row in x])",
        loses=("no loops over samples",),
        says="dense takes",
    ),
    Mistake(
        "absolute value for relu",
        replace="return np.maximum(x, 0)",
        by="return np.abs(x)",
        loses=("relu: formula", "activations: symmetries on arrays of any shape"),
        says="the absolute value",
    ),
    Mistake(
        "relu in place",
        replace="return np.maximum(x, 0)",
        by="x[x < 0] = 0\n    return x",
        loses=("inputs are left as they were",),
        says="relu changes its input x",
    ),
    Mistake(
        "sigmoid overflows",
        replace="return np.where(x >= 0, 1 / (1 + small), small / (1 + small))",
        by="return np.exp(x) / (1 + np.exp(x))",
        loses=("sigmoid: large numbers", "tanh: large numbers"),
        says="it overflows",
    ),
    Mistake(
        "sigmoid of -x",
        replace="np.where(x >= 0,",
        by="np.where(x < 0,",
        loses=(
            "sigmoid: formula",
            "sigmoid: large numbers",
            "tanh: formula",
            "tanh: large numbers",
        ),
        says="the sign in the exponent is wrong",
    ),
    Mistake(
        "tanh without its factor 2",
        replace="return 2 * sigmoid(2 * x) - 1",
        by="return 2 * sigmoid(x) - 1",
        loses=("tanh: formula",),
        says="x in place of 2 x",
    ),
    Mistake(
        "tanh by its formula",
        replace="return 2 * sigmoid(2 * x) - 1",
        by="up, down = np.exp(x), np.exp(-x)\n    return (up - down) / (up + down)",
        loses=("tanh: large numbers",),
        says="it overflows",
    ),
    Mistake(
        "squared error summed",
        replace="return np.mean((y - t) ** 2)",
        by="return np.sum((y - t) ** 2)",
        loses=SQUARED_PROPERTIES,
        says="a sum in place of the mean",
    ),
    Mistake(
        "squared error by samples",
        replace="return np.mean((y - t) ** 2)",
        by="return np.sum((y - t) ** 2) / len(t)",
        loses=SQUARED_PROPERTIES,
        says="divided by the number of samples",
    ),
    Mistake(
        "squared error for each row",
        replace="return np.mean((y - t) ** 2)",
        by="return np.mean((y - t) ** 2, axis=-1)",
        loses=SQUARED_PROPERTIES,
        says="a mean for each row",
    ),
    Mistake(
        "root of the mean squared error",
        replace="return np.mean((y - t) ** 2)",
        by="return np.sqrt(np.mean((y - t) ** 2))",
        loses=SQUARED_PROPERTIES,
        says="the root of it",
    ),
    Mistake(
        "absolute value of the mean",
        replace="return np.mean(np.abs(y - t))",
        by="return np.abs(np.mean(y - t))",
        loses=ABSOLUTE_PROPERTIES,
        says="the absolute value of the mean",
    ),
    Mistake(
        "cross-entropy without its sign",
        replace="return -np.mean(t * np.log(y)",
        by="return np.mean(t * np.log(y)",
        loses=BINARY_PROPERTIES,
        says="the sign is wrong",
    ),
    Mistake(
        "cross-entropy of the yes only",
        replace="return -np.mean(t * np.log(y) + (1 - t) * np.log(1 - y))",
        by="return -np.mean(t * np.log(y))",
        loses=BINARY_PROPERTIES,
        says="the term (1 - t) ln(1 - y) is missing",
    ),
    Mistake(
        "logarithms to base 2",
        replace="return -np.mean(t * np.log(y) + (1 - t) * np.log(1 - y))",
        by="return -np.mean(t * np.log2(y) + (1 - t) * np.log2(1 - y))",
        loses=BINARY_PROPERTIES,
        says="the logarithm to base 2",
    ),
    Mistake(
        "predictions not moved inwards",
        replace="    y = np.clip(y, 1e-7, 1 - 1e-7)\n",
        by="",
        loses=("binary cross-entropy: certain predictions",),
        says="has to be finite",
    ),
    Mistake(
        "predictions moved too far inwards",
        replace="np.clip(y, 1e-7, 1 - 1e-7)",
        by="np.clip(y, 1e-3, 1 - 1e-3)",
        loses=("binary cross-entropy: certain predictions",),
        says="moved inwards by much more than 1e-7",
    ),
    Mistake(
        "epsilon added in the logarithms",
        replace="    y = np.clip(y, 1e-7, 1 - 1e-7)\n"
        "    return -np.mean(t * np.log(y) + (1 - t) * np.log(1 - y))",
        by="    e = 1e-7\n    return -np.mean(t * np.log(y + e) + (1 - t) * np.log(1 - y + e))",
        loses=("binary cross-entropy: certain predictions",),
        says="epsilon is added to y and to 1 - y",
    ),
    Mistake(
        "predictions kept off 0 only",
        replace="np.clip(y, 1e-7, 1 - 1e-7)",
        by="np.maximum(y, 1e-7)",
        loses=("binary cross-entropy: certain predictions",),
        says="y is moved away from 0, but not from 1",
    ),
    Mistake(
        "the bias along the samples",
        replace="return x @ w + b",
        by="return x @ w + b[:, None]",
        loses=(*DENSE_PROPERTIES, "inputs are left as they were", "no loops over samples"),
        says="the bias runs along the samples",
    ),
    Mistake(
        "the first sample only",
        replace="return x @ w + b",
        by="return x[0] @ w + b",
        loses=DENSE_PROPERTIES,
        says="only the first along axis 0 is there",
    ),
    Mistake(
        "an array of whole numbers for the results",
        replace="return x @ w + b",
        by="return (x @ w + b).astype(int)",
        loses=DENSE_PROPERTIES,
        says="stored in an array of whole numbers",
    ),
    Mistake(
        "Python's max for arrays",
        replace="return np.maximum(x, 0)",
        by="return max(x, 0)",
        loses=(
            "relu: formula",
            "activations: symmetries on arrays of any shape",
            "inputs are left as they were",
            "no loops over samples",
        ),
        says="decide about one number",
    ),
    Mistake(
        "the mean squared error of matrices only",
        replace="return np.mean((y - t) ** 2)",
        by="n, m = t.shape\n    return np.sum((y - t) ** 2) / (n * m)",
        loses=("mean squared error: arrays of any shape",),
        says="another number of axes than two",
    ),
]
