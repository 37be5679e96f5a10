import numpy as np
import pytest

from tinydl import tensor
from tinydl.engine import grad
from tinydl.errors import ArgumentError
from tinydl.layers import Rescaling, deserialize, serialize


def test_pixels_become_fractions():
    pixels = np.array([[0, 51, 255]], "uint8")
    np.testing.assert_allclose(Rescaling(1 / 255)(pixels), [[0, 0.2, 1]], rtol=1e-6)


def test_offset_is_added_after_the_scale():
    assert Rescaling(2.0, offset=1.0)([[3.0]]).tolist() == [[7.0]]


def test_gradient_is_the_scale():
    x = tensor([[1.0, 2.0]], requires_grad=True)
    assert grad(Rescaling(3.0, -1.0)(x).sum(), x).tolist() == [[3.0, 3.0]]


def test_shape_stays_unknown_where_it_is():
    assert Rescaling(2.0).compute_output_shape((None, 28, 28, 1)) == (None, 28, 28, 1)


def test_comes_back_from_its_configuration():
    layer = deserialize(serialize(Rescaling(0.5, offset=-1.0)))
    assert (layer.scale, layer.offset) == (0.5, -1.0)


@pytest.mark.parametrize("scale", [None, "1", float("nan"), float("inf"), [1.0]])
@pytest.mark.parametrize("argument", ["scale", "offset"])
def test_refuses_what_is_no_finite_number(argument, scale):
    with pytest.raises(ArgumentError, match=argument):
        Rescaling(**{"scale": 1.0, argument: scale})
