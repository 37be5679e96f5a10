"""What is true of every op, tested for each op in the registry from its own declaration."""

from importlib.util import find_spec

import numpy as np
import pytest

from tinydl import kernels, ops
from tinydl.engine import Op, no_grad, tensor
from tinydl.testing import gradcheck

OPS = sorted(Op.registry.items())
BACKENDS = ["numpy", "c"] if find_spec("tinydl.kernels._compiled") else ["numpy"]


def examples():
    rng = np.random.default_rng(7)
    for name, op_class in OPS:
        for number, (op, arrays) in enumerate(op_class.examples(rng)):
            yield pytest.param(op, arrays, id=f"{name}-{number}")


EXAMPLES = list(examples())


@pytest.fixture(params=BACKENDS)
def backend(request):
    with kernels.use(request.param):
        yield request.param


@pytest.mark.parametrize("op, arrays", [e for e in EXAMPLES if any(e.values[0].rules)])
def test_gradients_agree_with_differences_to_second_order(op, arrays, backend):
    gradcheck(op, arrays, order=2)


@pytest.mark.parametrize("name", ["matmul", "conv", "tanh", "softmax"])
def test_third_derivatives(name, backend):
    rng = np.random.default_rng(11)
    op, arrays = next(iter(Op.registry[name].examples(rng)))
    small = [a[tuple(slice(0, 3) for _ in a.shape)] if name == "conv" else a for a in arrays]
    gradcheck(op, small, order=3)


@pytest.mark.parametrize("op, arrays", [e for e in EXAMPLES if hasattr(e.values[0], "literal")])
def test_forward_is_the_formula_read_literally(op, arrays, backend):
    y = op.forward(*arrays)
    with kernels.use("literal"):
        expected = op.forward(*arrays)
    np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("op, arrays", EXAMPLES)
def test_inputs_in_any_memory_order_give_the_same_result_and_stay_as_they_were(op, arrays):
    expected = op(*arrays).data
    layouts = (
        lambda a: np.asfortranarray(a).reshape(a.shape),  # which makes a single number an array
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
        lambda a: np.flip(np.flip(a).copy()),
    )
    for layout in layouts:
        given = [layout(a) for a in arrays]
        before = [a.copy() for a in given]
        np.testing.assert_allclose(op.forward(*given), expected, rtol=1e-13, atol=1e-13)
        for a, b in zip(given, before, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("op, arrays", EXAMPLES)
def test_float32_stays_float32_and_is_close_to_float64(op, arrays):
    narrow = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in arrays]
    wide, y = op(*arrays), op(*narrow)
    if wide.dtype.kind == "f" and op.name not in ("cast", "one_hot"):
        assert y.dtype == np.float32
    np.testing.assert_allclose(y.data, wide.data, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("op, arrays", EXAMPLES)
def test_gradients_have_the_dtype_of_their_inputs(op, arrays):
    tensors = [tensor(a.astype(np.float32) if a.dtype.kind == "f" else a) for a in arrays]
    for x in tensors:
        x.requires_grad = x.dtype.kind == "f"
    y = op(*tensors)
    if not y.requires_grad:
        assert not any(
            r for x, r in zip(tensors, op.rules_for(tensors), strict=True) if x.requires_grad
        )
        return
    y.backward(np.ones(y.shape))
    for x, r in zip(tensors, op.rules_for(tensors), strict=True):
        if x.requires_grad and r is not None:
            assert (x.grad.dtype, x.grad.shape) == (np.float32, x.shape)


@pytest.mark.parametrize("op, arrays", EXAMPLES)
def test_an_op_shows_its_settings(op, arrays):
    assert repr(op).startswith(op.name)


@pytest.mark.parametrize("name, op_class", OPS)
def test_formulas_and_documentation_are_there(name, op_class):
    assert op_class.formula, f"{name} has no formula"
    assert op_class.__doc__, f"{name} has no docstring"
    assert len(op_class.rules) == len(op_class.input_names)
    for gradient_rule in filter(None, op_class.rules):
        assert r"\bar" in gradient_rule.formula
    for formula in (op_class.formula, *(r.formula for r in filter(None, op_class.rules))):
        assert formula.count("{") == formula.count("}")
        assert formula.count(r"\left") == formula.count(r"\right")
    assert op_class.formula in getattr(ops, name).__doc__


@pytest.mark.parametrize("name, op_class", OPS)
def test_every_op_has_examples_with_a_gradient_where_it_has_rules(name, op_class):
    rng = np.random.default_rng(3)
    found = list(op_class.examples(rng))
    assert found
    if any(op_class.rules):
        assert any(any(op.rules) and arrays[0].size for op, arrays in found)


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
