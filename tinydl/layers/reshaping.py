"""Layers that only change the shape."""

from __future__ import annotations

import math
from typing import Any

from tinydl.engine import Tensor
from tinydl.layers.layer import Layer, Shape
from tinydl.ops.shape import Reshape
from tinydl.ops.windows import check_data_format


class Flatten(Layer):
    """Put all elements of a sample in one row, in reading order.

    Parameters
    ----------
    data_format : {None, "channels_last"}
        Only channels last.
    **kwargs
        See `Layer`.

    Source: LeCun, Bottou, Bengio & Haffner, *Gradient-based learning applied to document
    recognition*, Proc. IEEE 86, 1998, section II.

    Examples
    --------
    >>> Flatten()([[[1.0, 2.0], [3.0, 4.0]]])
    tensor([[1., 2., 3., 4.]])
    """

    formula = r"y_{nj} = x_{nhvc}, \quad j = (h V + v) C + c"

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_data_format("Flatten", data_format)
        self.data_format = data_format

    def check(self, input_shape: Shape) -> None:
        """Refuse a single number."""
        if not input_shape:
            raise self.shape_error(input_shape, "a batch axis")

    def call(self, inputs: Tensor) -> Tensor:
        """See the formula."""
        samples, *lengths = inputs.shape
        return Reshape((samples, math.prod(lengths)))(inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(N, number of elements of a sample)."""
        known = [n for n in input_shape[1:] if n is not None]
        complete = len(known) == len(input_shape) - 1
        return (input_shape[0], math.prod(known) if complete else None)
