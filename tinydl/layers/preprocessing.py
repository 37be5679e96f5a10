"""Layers that prepare data inside of the model, so that nobody has to keep a prepared copy."""

from __future__ import annotations

from typing import Any

from tinydl.engine import Tensor
from tinydl.layers.layer import Layer, Shape
from tinydl.registry import check_number


class Rescaling(Layer):
    """Stretch and shift every number, such as pixels from 0 to 255.

    Data can then stay the small whole numbers they are: a batch is prepared when its turn comes.

    Parameters
    ----------
    scale : float
        What each number is multiplied by.
    offset : float
        What is added then.
    **kwargs
        See `Layer`.

    Raises
    ------
    ArgumentError
        When `scale` or `offset` is not a finite number.

    Source: LeCun et al., *Efficient BackProp*, 1998, section 4.3.

    Examples
    --------
    >>> Rescaling(1 / 127.5, offset=-1)([[0, 255]])
    tensor([[-1.,  1.]])
    """

    formula = r"y_i = a \, x_i + b"

    def __init__(self, scale: float, offset: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = check_number("Rescaling", "scale", scale, _is_finite, "finite")
        self.offset = check_number("Rescaling", "offset", offset, _is_finite, "finite")

    def call(self, inputs: Tensor) -> Tensor:
        """See the formula."""
        outputs = inputs * self.scale
        return outputs + self.offset if self.offset else outputs

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the inputs."""
        return input_shape


def _is_finite(number: float) -> bool:
    return abs(number) < float("inf")
