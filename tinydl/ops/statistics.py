"""How far numbers spread: variance, standard deviation, norms; and the soft maximum."""

from __future__ import annotations

import numpy as np

from tinydl.engine import DEFAULT_DTYPE, Tensor, rule, tensor
from tinydl.errors import ArgumentError, GradientError, ShapeError
from tinydl.ops.arithmetic import Sign
from tinydl.ops.elementwise import Floating, Unary
from tinydl.ops.extremum import Max, Min
from tinydl.ops.reduce import Mean, Reduction, Sum
from tinydl.ops.selection import Where


class Var(Floating, Reduction):
    """The mean squared distance from the mean; of nothing it is nan.

    It divides by n, not by n - 1, as Keras and NumPy do. The mean is subtracted before squaring:
    the difference of mean square and squared mean would cancel.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to reduce; None means all.
    keepdims : bool
        Keep these axes, with length 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.var([[1.0, 3.0], [2.0, 2.0]], axis=1)
    tensor([1., 0.])
    """

    formula = r"y = \frac{1}{n} \sum_i (x_i - m)^2, \quad m = \frac{1}{n} \sum_i x_i"
    methods = ("var",)

    def forward(self, x):
        if x.dtype != np.float64:  # squares need the range and the digits
            return self.forward(x.astype(np.float64)).astype(x.dtype)
        distance = x - Mean(self.axis, keepdims=True).forward(x)
        return Mean(self.axis, self.keepdims).forward(distance * distance)

    @rule(r"\bar x_i = \frac{2}{n} \bar y \, (x_i - m)")
    def x(self, y_bar, y, x):
        return self.stretch(2 / max(self.count(x), 1) * y_bar, x) * _distance(self, x)


class Std(Floating, Reduction):
    """The standard deviation, the root of the variance; of nothing it is nan.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to reduce; None means all.
    keepdims : bool
        Keep these axes, with length 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.std([[1.0, 3.0], [2.0, 2.0]], axis=1)
    tensor([1., 0.])
    """

    formula = r"y = \sqrt{\frac{1}{n} \sum_i (x_i - m)^2}, \quad m = \frac{1}{n} \sum_i x_i"
    kinks = "all elements equal: the gradient is 0 there"
    methods = ("std",)

    def forward(self, x):
        if x.dtype != np.float64:
            return self.forward(x.astype(np.float64)).astype(x.dtype)
        return np.sqrt(Var(self.axis, self.keepdims).forward(x))

    @rule(r"\bar x_i = \frac{\bar y}{n y} (x_i - m), \text{ and } 0 \text{ where } y = 0")
    def x(self, y_bar, y, x):
        slope = _quotient_or_zero(y_bar, y) / max(self.count(x), 1)
        return self.stretch(slope, x) * _distance(self, x)

    @classmethod
    def conventions(cls):
        """Elements without spread."""
        yield cls(), (np.array([2.0, 2.0, 2.0]),), (np.zeros(3),)


def _distance(reduction: Reduction, x: Tensor) -> Tensor:
    return x - x.mean(axis=reduction.axis, keepdims=True)


def _quotient_or_zero(a: Tensor, b: Tensor) -> Tensor:
    """Divide; 0 where `b` is 0."""
    is_zero = b.data == 0
    return Where()(is_zero, 0, a / Where()(is_zero, 1, b))


class Logsumexp(Floating, Reduction):
    """The logarithm of a sum of exponentials, without overflow; of nothing it is -inf.

    Parameters
    ----------
    x : array_like
    axis : int, tuple of int, or None
        The axes to reduce; None means all.
    keepdims : bool
        Keep these axes, with length 1.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.logsumexp([1000.0, 1000.0])
    tensor(1000.6932)
    """

    formula = r"y = \ln \sum_i e^{x_i}"

    def forward(self, x):
        axes = self.axes(x)
        # e^{x - m} is at most 1 when m is the maximum; an infinite m would give inf - inf.
        m = np.max(x, axis=axes, keepdims=True, initial=-np.inf)
        m = np.where(np.isfinite(m), m, 0).astype(x.dtype)
        y = np.log(np.sum(np.exp(x - m), axis=axes, keepdims=True)) + m
        return y if self.keepdims else np.squeeze(y, axis=axes)

    @rule(r"\bar x_i = \bar y \, e^{x_i - y}")
    def x(self, y_bar, y, x):
        return self.stretch(y_bar, x) * (x - self.stretch(y, x)).exp()


class Norm(Floating, Reduction):
    r"""The length of vectors or the size of matrices, as in ``numpy.linalg.norm``.

    Parameters
    ----------
    x : array_like
    ord : number, "fro", "nuc" or None
        For vectors a power p: 2 (and None) is the Euclidean length, 1 the sum and inf the largest
        of the absolute values, -inf the smallest, 0 the number of elements that are not 0.
        For matrices "fro" (and None) is the Euclidean length of all elements, 1 and -1 the largest
        and the smallest column sum of absolute values, inf and -inf those of the rows; 2, -2 and
        "nuc" are the largest, the smallest and the sum of the singular values. Of no elements the
        largest and the sum are 0.
    axis : int, pair of int, or None
        The axis of the vectors, or the axes of rows and columns. None takes `x` itself as one
        vector or matrix, and for ``ord=None`` all elements as one vector.
    keepdims : bool
        Keep these axes, with length 1.

    Raises
    ------
    ArgumentError
        When there is no such norm.
    GradientError
        When a gradient is wanted of a norm that is made from singular values.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.norm([[3.0, 4.0], [0.0, 5.0]], axis=1)
    tensor([5., 5.])
    >>> ops.norm([[3.0, 4.0], [0.0, 5.0]], ord=1)
    tensor(9.)
    """

    formula = r"y = \Big( \sum_i |x_i|^p \Big)^{1/p}"
    kinks = "y = 0, and for p <= 1 each x_i = 0: the gradient is 0 there"

    def __init__(self, ord=2, axis=None, keepdims=False):
        super().__init__(axis, keepdims)
        self.ord = ord

    @staticmethod
    def function(x, ord=None, axis=None, keepdims=False):
        """Take Keras's arguments, and choose between the norms of vectors and of matrices."""
        x = x if isinstance(x, Tensor) else tensor(x)
        x = x if x.dtype.kind == "f" else x.astype(DEFAULT_DTYPE)
        count = len(Norm(axis=axis).axes(x))
        if count < 2 or (axis is None and ord is None):
            return _vector_norm(x, ord, axis, keepdims)
        if count == 2:
            return _matrix_norm(x, ord, tuple(axis or (0, 1)), keepdims)
        raise ArgumentError(
            "norm",
            "axis",
            got=axis,
            expected="one axis of vectors or two of matrices",
            hint=f"x is {x.shape}",
        )

    def forward(self, x):
        if x.dtype != np.float64:  # powers need the range and the digits
            return self.forward(x.astype(np.float64)).astype(x.dtype)
        powers = x * x if self.ord == 2 else np.abs(x) ** self.ord
        total = np.sum(powers, axis=self.axes(x), keepdims=self.keepdims)
        return np.sqrt(total) if self.ord == 2 else total ** (1 / self.ord)

    @rule(
        r"\bar x_i = \bar y \operatorname{sign}(x_i) \Big( \frac{|x_i|}{y} \Big)^{p-1},"
        r" \text{ and } 0 \text{ where } y = 0"
    )
    def x(self, y_bar, y, x):
        if self.ord == 2:
            return self.stretch(_quotient_or_zero(y_bar, y), x) * x
        ratio = _quotient_or_zero(abs(x), self.stretch(y, x))
        is_zero = x.data == 0
        steep = Where()(is_zero, 0, Where()(is_zero, 1, ratio) ** (self.ord - 1))
        return self.stretch(y_bar, x) * Sign()(x) * steep

    @classmethod
    def examples(cls, rng):
        """Several powers and axes."""
        for ord, axis in ((2, None), (2, -1), (2, (0, 1)), (3, 1), (1.5, None), (-1, 0)):
            size = rng.uniform(0.25, 2.0, (3, 4))
            yield cls(ord, axis), (size * rng.choice([-1, 1], (3, 4)),)
        yield cls(2, 0, keepdims=True), (rng.normal(size=(3, 0)),)

    @classmethod
    def conventions(cls):
        """A vector of length 0, and a power of 1 with an element that is 0."""
        yield cls(2), (np.zeros(3),), (np.zeros(3),)
        yield cls(1), (np.array([0.0, -2.0]),), (np.array([0.0, -1.0]),)


def _vector_norm(x, ord, axis, keepdims):
    if isinstance(ord, str):
        raise ArgumentError("norm", "ord", got=repr(ord), expected="a number for vectors")
    if ord == np.inf:
        return Max(axis, keepdims, _initial(x))(abs(x))
    if ord == -np.inf:
        return Min(axis, keepdims)(abs(x))
    if ord == 0:
        is_nan = x.data != x.data  # which is not 0
        return Sum(axis, keepdims)(Where()(is_nan, 1, abs(Sign()(x))))
    return Norm(2 if ord is None else ord, axis, keepdims)(x)


def _initial(x):
    """The largest size among no elements, as in NumPy."""
    return 0 if x.size == 0 else None


def _matrix_norm(x, ord, axes, keepdims):
    rows, columns = (axis % x.ndim for axis in axes)
    if ord in (None, "fro"):
        return Norm(2, axes, keepdims)(x)
    if ord in (2, -2, "nuc"):
        return _singular_norm(x, ord, (rows, columns), keepdims)
    added, compared = (rows, columns) if ord in (1, -1) else (columns, rows)
    if ord not in (1, -1, np.inf, -np.inf):
        raise ArgumentError(
            "norm", "ord", got=repr(ord), expected="'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
        )
    sums = Sum(added, keepdims=True)(abs(x))
    if ord > 0:
        largest = Max(compared, True, _initial(x))(sums)
    else:
        largest = Min(compared, keepdims=True)(sums)
    return largest if keepdims else largest.reshape(np.delete(x.shape, (rows, columns)).tolist())


class SingularNorm(Floating, Unary):
    """The sum, the largest or the smallest singular value of matrices on the last two axes.

    It has no gradient rule: singular values need a decomposition.
    """

    formula = r"y = \sum_k \sigma_k, \ \max_k \sigma_k \text{ or } \min_k \sigma_k"

    def __init__(self, ord="nuc"):
        self.ord = ord

    def check(self, x):
        if self.ord == -2 and min(x.shape[-2:]) == 0:
            raise ShapeError("norm", "x", got=x.shape, expected="at least one row and one column")

    def forward(self, x):
        is_finite = np.isfinite(x).all(axis=(-2, -1))  # of other matrices there are none: nan
        matrices = np.where(is_finite[..., None, None], x, 0).astype(np.float64)
        values = np.linalg.svd(matrices, compute_uv=False)  # the largest first
        if self.ord == "nuc":
            y = np.sum(values, axis=-1)
        elif self.ord == 2:
            y = np.max(values, axis=-1, initial=0)
        else:
            y = values[..., -1]
        return np.where(is_finite, y, np.nan).astype(x.dtype)

    @classmethod
    def examples(cls, rng):
        """Each kind."""
        for ord in ("nuc", 2, -2):
            yield cls(ord), (rng.normal(size=(2, 3, 4)),)


def _singular_norm(x, ord, axes, keepdims):
    if x.requires_grad:
        raise GradientError(
            "norm",
            f"ord={ord!r} of matrices has no gradient here",
            hint="use ord='fro', or x.detach() for the value",
        )
    kept = [n for axis, n in enumerate(x.shape) if axis not in axes]
    order = [axis for axis in range(x.ndim) if axis not in axes]
    y = SingularNorm(ord)(x.transpose((*order, *axes)))
    shape = [1 if axis in axes else n for axis, n in enumerate(x.shape)]
    return y.reshape(shape if keepdims else kept)
