r"""Initializers: the first values of weights.

If all weights of a layer began equal they would stay equal, so they begin random; and if they began
too large or too small, signals would explode or die on their way through the layers. For inputs of
variance 1 and a kernel of independent weights, an output element has variance

.. math:: \operatorname{Var}(y) = n_{in} \operatorname{Var}(w)

which is 1 for :math:`\operatorname{Var}(w) = 1 / n_{in}`: that is `LecunNormal`. The others of the
family differ in the numerator and in what they count (see `VarianceScaling`).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from tinydl import config, random
from tinydl.errors import ArgumentError, ShapeError, unknown_name
from tinydl.random import Seed
from tinydl.registry import Configurable, Registry, check_number

Shape = tuple[int, ...]

# The standard deviation of a standard normal number, given that it lies between -2 and 2.
TRUNCATED_STDDEV = 0.87962566103423978


class Initializer(Configurable):
    """A rule for first values; call it with a shape.

    Subclasses state a `formula` and define `values`. One with a whole-number seed draws the same
    numbers at each call.

    Attributes
    ----------
    formula : str
        LaTeX, with scalar indices.
    """

    formula: ClassVar[str] = ""

    def __call__(self, shape: Any, dtype: Any = None) -> np.ndarray:
        """An array of first values.

        Parameters
        ----------
        shape : tuple of int
        dtype : dtype, optional
            ``config.floatx()`` by default.

        Returns
        -------
        numpy.ndarray
        """
        return self.values(tuple(shape)).astype(dtype or config.floatx())

    def values(self, shape: Shape) -> np.ndarray:
        """The values in float64; what subclasses define."""
        raise NotImplementedError


class Zeros(Initializer):
    """Zeros, for biases.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 8.4.

    Examples
    --------
    >>> Zeros()((2,))
    array([0., 0.], dtype=float32)
    """

    formula = r"w_i = 0"

    def values(self, shape: Shape) -> np.ndarray:
        """See `Initializer`."""
        return np.zeros(shape)


class Ones(Initializer):
    """Ones, for scales.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 8.4.

    Examples
    --------
    >>> Ones()((2,))
    array([1., 1.], dtype=float32)
    """

    formula = r"w_i = 1"

    def values(self, shape: Shape) -> np.ndarray:
        """See `Initializer`."""
        return np.ones(shape)


class Constant(Initializer):
    """One number everywhere.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 8.4.

    Examples
    --------
    >>> Constant(3.0)((2,))
    array([3., 3.], dtype=float32)
    """

    formula = r"w_i = c"

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def values(self, shape: Shape) -> np.ndarray:
        """See `Initializer`."""
        return np.full(shape, self.value, np.float64)


class RandomNormal(Initializer):
    """Normal numbers.

    Parameters
    ----------
    mean, stddev : float
    seed : int, numpy.random.Generator or None

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 8.4.

    Examples
    --------
    >>> RandomNormal(seed=0)((2,))
    array([ 0.00628651, -0.00660524], dtype=float32)
    """

    formula = r"w_i \sim \mathcal{N}(\mu, \sigma^2)"

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        self.mean = mean
        self.stddev = _check_stddev("RandomNormal", stddev)
        self.seed = seed

    def values(self, shape: Shape) -> np.ndarray:
        """See `Initializer`."""
        return random.generator(self.seed).normal(self.mean, self.stddev, shape)


class RandomUniform(Initializer):
    """Uniform numbers from `minval` up to, not including, `maxval`.

    Parameters
    ----------
    minval, maxval : float
    seed : int, numpy.random.Generator or None

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 8.4.

    Examples
    --------
    >>> RandomUniform(seed=0)((2,))
    array([ 0.01369617, -0.02302133], dtype=float32)
    """

    formula = r"w_i \sim \mathcal{U}(a, b)"

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None) -> None:
        if not minval <= maxval:
            raise ArgumentError("RandomUniform", "minval", got=minval, expected=f"at most {maxval}")
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def values(self, shape: Shape) -> np.ndarray:
        """See `Initializer`."""
        return random.generator(self.seed).uniform(self.minval, self.maxval, shape)


class TruncatedNormal(Initializer):
    """Normal numbers, drawn again where they are more than two standard deviations off.

    Parameters
    ----------
    mean, stddev : float
        Of the normal distribution before it is cut off.
    seed : int, numpy.random.Generator or None

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 8.4.

    Examples
    --------
    >>> weights = TruncatedNormal(stddev=1.0, seed=0)((1000,))
    >>> bool(abs(weights).max() <= 2.0)
    True
    """

    formula = r"w_i \sim \mathcal{N}(\mu, \sigma^2) \text{ given } |w_i - \mu| \le 2 \sigma"

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        self.mean = mean
        self.stddev = _check_stddev("TruncatedNormal", stddev)
        self.seed = seed

    def values(self, shape: Shape) -> np.ndarray:
        """See `Initializer`."""
        return self.mean + self.stddev * _truncated_normal(random.generator(self.seed), shape)


def _check_stddev(where: str, stddev: float) -> float:
    return check_number(where, "stddev", stddev, lambda s: s >= 0, "of at least 0")


def _truncated_normal(generator: np.random.Generator, shape: Shape) -> np.ndarray:
    x = np.asarray(generator.normal(size=shape))
    while (outside := np.abs(x) > 2).any():
        x[outside] = generator.normal(size=np.count_nonzero(outside))
    return x


def compute_fans(shape: Shape) -> tuple[int, int]:
    """How many inputs feed an output element, and how many outputs an input element feeds.

    Parameters
    ----------
    shape : tuple of int
        Of a kernel: the last two axes are inputs and outputs, the axes before a window.

    Examples
    --------
    >>> compute_fans((784, 10)), compute_fans((3, 3, 1, 32))
    ((784, 10), (9, 288))
    """
    if len(shape) < 2:
        length = math.prod(shape)
        return length, length
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


class VarianceScaling(Initializer):
    """Random numbers with a variance that fits the number of inputs or outputs.

    Parameters
    ----------
    scale : float
        The numerator s, above 0.
    mode : {"fan_in", "fan_out", "fan_avg"}
        What n counts: inputs of an output element, outputs of an input element, or their average.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
    seed : int, numpy.random.Generator or None

    Source: He et al., *Delving deep into rectifiers*, arXiv:1502.01852, section 2.2.

    Examples
    --------
    >>> VarianceScaling(distribution="uniform", seed=0)((3, 2)).shape
    (3, 2)
    """

    formula = r"\operatorname{Var}(w_i) = \frac{s}{n}"

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
    ) -> None:
        where = type(self).__name__
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise unknown_name(where, "mode", mode, ["fan_in", "fan_out", "fan_avg"])
        distributions = ["truncated_normal", "untruncated_normal", "uniform"]
        if distribution not in distributions:
            raise unknown_name(where, "distribution", distribution, distributions)
        self.scale = check_number(where, "scale", scale, lambda s: s > 0, "above 0")
        self.mode, self.distribution, self.seed = mode, distribution, seed

    def values(self, shape: Shape) -> np.ndarray:
        """See `Initializer`."""
        fan_in, fan_out = compute_fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(n, 1))
        generator = random.generator(self.seed)
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev  # U(-a, a) has variance a^2 / 3
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return generator.normal(0, stddev, shape)
        return stddev / TRUNCATED_STDDEV * _truncated_normal(generator, shape)


class GlorotUniform(VarianceScaling):
    """Uniform numbers that keep the variance of signals and of gradients alike.

    Source: Glorot & Bengio, *Understanding the difficulty of training deep feedforward neural
    networks*, AISTATS 2010.

    Examples
    --------
    >>> GlorotUniform(seed=0)((784, 10)).shape
    (784, 10)
    """

    formula = r"w_i \sim \mathcal{U}(-a, a), \quad a = \sqrt{\frac{6}{n_{in} + n_{out}}}"

    def __init__(self, seed: Seed = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """Truncated normal numbers that keep the variance of signals and of gradients alike.

    Source: Glorot & Bengio, AISTATS 2010.

    Examples
    --------
    >>> GlorotNormal(seed=0)((784, 10)).shape
    (784, 10)
    """

    formula = r"\operatorname{Var}(w_i) = \frac{2}{n_{in} + n_{out}}"

    def __init__(self, seed: Seed = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    """Uniform numbers for layers with a relu, which halves the second moment of what it gets.

    Source: He et al., *Delving deep into rectifiers*, arXiv:1502.01852.

    Examples
    --------
    >>> HeUniform(seed=0)((784, 10)).shape
    (784, 10)
    """

    formula = r"w_i \sim \mathcal{U}(-a, a), \quad a = \sqrt{\frac{6}{n_{in}}}"

    def __init__(self, seed: Seed = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(VarianceScaling):
    """Truncated normal numbers for layers with a relu.

    Source: He et al., arXiv:1502.01852.

    Examples
    --------
    >>> HeNormal(seed=0)((784, 10)).shape
    (784, 10)
    """

    formula = r"\operatorname{Var}(w_i) = \frac{2}{n_{in}}"

    def __init__(self, seed: Seed = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(VarianceScaling):
    """Uniform numbers that keep the variance of signals.

    Source: LeCun et al., *Efficient BackProp*, 1998, section 4.6.

    Examples
    --------
    >>> LecunUniform(seed=0)((784, 10)).shape
    (784, 10)
    """

    formula = r"w_i \sim \mathcal{U}(-a, a), \quad a = \sqrt{\frac{3}{n_{in}}}"

    def __init__(self, seed: Seed = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    """Truncated normal numbers that keep the variance of signals.

    Source: LeCun et al., *Efficient BackProp*, 1998, section 4.6.

    Examples
    --------
    >>> LecunNormal(seed=0)((784, 10)).shape
    (784, 10)
    """

    formula = r"\operatorname{Var}(w_i) = \frac{1}{n_{in}}"

    def __init__(self, seed: Seed = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


class Orthogonal(Initializer):
    """A random matrix whose columns (or rows, if there are fewer) are orthogonal, of length `gain`.

    Axes before the last are taken together as rows.

    Parameters
    ----------
    gain : float
    seed : int, numpy.random.Generator or None

    Source: Saxe, McClelland & Ganguli, *Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks*, arXiv:1312.6120.

    Examples
    --------
    >>> w = Orthogonal(seed=0)((5, 2))
    >>> np.round(w.T @ w, 6) + 0
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """

    formula = r"\sum_k w_{ki} w_{kj} = g^2 [i = j]"

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        self.gain, self.seed = gain, seed

    def values(self, shape: Shape) -> np.ndarray:
        """See `Initializer`."""
        if len(shape) < 2:
            raise ShapeError("Orthogonal", "shape", got=shape, expected="at least two axes")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = random.generator(self.seed).normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q = q * np.sign(np.diag(r))  # makes q uniform among the orthogonal matrices
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


_registry = Registry(
    "initializers",
    "initializer",
    [
        Constant,
        GlorotNormal,
        GlorotUniform,
        HeNormal,
        HeUniform,
        LecunNormal,
        LecunUniform,
        Ones,
        Orthogonal,
        RandomNormal,
        RandomUniform,
        TruncatedNormal,
        VarianceScaling,
        Zeros,
    ],
    {"normal": RandomNormal, "uniform": RandomUniform, "one": Ones, "zero": Zeros},
)


def get(identifier: Any) -> Any:
    """The initializer meant by a name, an object, or a function of (shape, dtype).

    Raises
    ------
    ArgumentError
        For an unknown name, with the closest known one.

    Examples
    --------
    >>> get("glorot_uniform")
    GlorotUniform(seed=None)
    """
    return _registry.get(identifier)
