"""What is true of every op, tested for each op in the registry from its own declaration."""

import numpy as np
import pytest

from tinydl import ops
from tinydl.engine import Op, no_grad
from tinydl.testing import check_op

OPS = sorted(Op.registry)


@pytest.mark.parametrize("name", OPS)
def test_every_property_of(name, seeds):
    report = check_op(name, order=2, seeds=seeds)
    assert report.passed, str(report)


@pytest.mark.parametrize("name", ["matmul", "conv", "tanh", "softmax"])
def test_third_derivatives_of(name):
    report = check_op(name, order=3, properties=["gradients"])
    assert report.passed, str(report)


@pytest.mark.parametrize("name", OPS)
def test_the_formula_is_in_the_help_of(name):
    assert Op.registry[name].formula in getattr(ops, name).__doc__


def test_the_three_convolutions_are_one_trilinear_form(backend):
    rng = np.random.default_rng(5)
    for op, (x, w) in Op.registry["conv"].examples(rng):
        with no_grad():
            y = op(x, w).data
            g = rng.normal(size=y.shape)
            z = ops.conv_input_gradient(g, w, x.shape, *op.geometry(x, w)).data
            v = ops.conv_kernel_gradient(x, g, w.shape, *op.geometry(x, w)).data
        form = np.sum(g * y)
        assert np.sum(x * z) == pytest.approx(form, rel=1e-12, abs=1e-12)
        assert np.sum(w * v) == pytest.approx(form, rel=1e-12, abs=1e-12)
