"""Regularizers: what a weight adds to the loss, so that weights which do not help stay small."""

from __future__ import annotations

from typing import Any, ClassVar

from tinydl import ops
from tinydl.engine import Tensor
from tinydl.registry import Configurable, Registry, check_number


class Regularizer(Configurable):
    """A penalty on a weight; call it with the weight to get a tensor with a single number.

    Attributes
    ----------
    formula : str
        LaTeX, with scalar indices; R is what is added to the loss.
    """

    formula: ClassVar[str] = ""

    def __call__(self, x: Tensor) -> Tensor:
        """The penalty of `x`."""
        raise NotImplementedError


class L1(Regularizer):
    """Add up absolute values: many weights become exactly 0.

    Parameters
    ----------
    l1 : float
        The factor, at least 0.

    Source: Tibshirani, *Regression shrinkage and selection via the lasso*,
    J. R. Stat. Soc. B, 1996.

    Examples
    --------
    >>> L1(0.1)(ops.convert_to_tensor([1.0, -2.0]))
    tensor(0.3)
    """

    formula = r"R = \lambda_1 \sum_i |w_i|"

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _check_factor("L1", "l1", l1)

    def __call__(self, x: Tensor) -> Tensor:
        """See `Regularizer`."""
        return self.l1 * ops.sum(ops.absolute(x))


class L2(Regularizer):
    """Add up squares: large weights shrink.

    Parameters
    ----------
    l2 : float
        The factor, at least 0.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 7.1.1.

    Examples
    --------
    >>> L2(0.1)(ops.convert_to_tensor([1.0, -2.0]))
    tensor(0.5)
    """

    formula = r"R = \lambda_2 \sum_i w_i^2"

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _check_factor("L2", "l2", l2)

    def __call__(self, x: Tensor) -> Tensor:
        """See `Regularizer`."""
        return self.l2 * ops.sum(ops.square(x))


class L1L2(Regularizer):
    """Both penalties: the elastic net.

    Parameters
    ----------
    l1, l2 : float
        The factors, at least 0.

    Source: Zou & Hastie, *Regularization and variable selection via the elastic net*,
    J. R. Stat. Soc. B, 2005.

    Examples
    --------
    >>> L1L2(l1=0.1, l2=0.1)(ops.convert_to_tensor([1.0, -2.0]))
    tensor(0.8)
    """

    formula = r"R = \lambda_1 \sum_i |w_i| + \lambda_2 \sum_i w_i^2"

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _check_factor("L1L2", "l1", l1)
        self.l2 = _check_factor("L1L2", "l2", l2)

    def __call__(self, x: Tensor) -> Tensor:
        """See `Regularizer`."""
        return L1(self.l1)(x) + L2(self.l2)(x)


def _check_factor(where: str, argument: str, factor: float) -> float:
    return check_number(where, argument, factor, lambda f: f >= 0, "of at least 0")


l1, l2, l1_l2 = L1, L2, L1L2  # Keras has both spellings

_registry = Registry("regularizers", "regularizer", [L1, L2, L1L2], {})


def get(identifier: Any) -> Any:
    """The regularizer meant by a name, an object, a function of the weight, or None (none).

    Raises
    ------
    ArgumentError
        For an unknown name, with the closest known one.

    Examples
    --------
    >>> get("l2")
    L2(l2=0.01)
    """
    return None if identifier is None else _registry.get(identifier)
