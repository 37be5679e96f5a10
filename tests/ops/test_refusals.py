"""Every wrong call names the op, the argument, what it got and what it expected."""

import numpy as np
import pytest

from tinydl import ops
from tinydl.errors import ArgumentError, DTypeError, ShapeError

IMAGES, KERNEL = np.ones((2, 5, 5, 3)), np.ones((3, 3, 3, 4))

REFUSED = [
    (lambda: ops.matmul(np.ones((2, 3)), np.ones((4, 5))), ShapeError,
     r"matmul: x2 is \(4, 5\), expected \(\.\.\., 3, any\); x1 is \(2, 3\)"),
    (lambda: ops.matmul(np.ones((2, 2, 3)), np.ones((3, 3, 5))), ShapeError,
     r"matmul: x1 is \(2, 2, 3\), x2 is \(3, 3, 5\); these shapes do not broadcast"),
    (lambda: ops.matmul(2.0, np.ones(2)), ShapeError, "x1 is a single number"),
    (lambda: ops.conv(IMAGES[0], KERNEL), ShapeError,
     r"conv: inputs is \(5, 5, 3\), expected 4 axes \(N, H, W, C\); a single image needs"),
    (lambda: ops.conv(IMAGES, KERNEL[0]), ShapeError,
     r"conv: kernel is \(3, 3, 4\), expected 4 axes"),
    (lambda: ops.conv(IMAGES[..., :2], KERNEL), ShapeError,
     r"conv: inputs is \(2, 5, 5, 2\), with 2 channels, expected 3 channels"),
    (lambda: ops.conv(IMAGES, np.ones((6, 3, 3, 1))), ShapeError,
     "conv: kernel is 6 x 3 pixels with its dilation, expected at most the padded image, 5 x 5"),
    (lambda: ops.conv(IMAGES, KERNEL, dilation_rate=3), ShapeError, "kernel is 7 x 7 pixels"),
    (lambda: ops.conv(IMAGES, KERNEL, strides=0), ArgumentError, "conv: strides is 0"),
    (lambda: ops.conv(IMAGES, KERNEL, strides=1.5), ArgumentError, "conv: strides is 1.5"),
    (lambda: ops.conv(IMAGES, KERNEL, padding="smae"), ArgumentError, "conv: padding is 'smae'"),
    (lambda: ops.conv(IMAGES, KERNEL, data_format="channels_first"), ArgumentError,
     "data_format is 'channels_first'.*transpose"),
    (lambda: ops.depthwise_conv(IMAGES, KERNEL[..., :1, :], data_format="channels_first"),
     ArgumentError, "depthwise_conv: data_format is 'channels_first'"),
    (lambda: ops.separable_conv(IMAGES, KERNEL[..., :1, :], KERNEL, data_format="channels_first"),
     ArgumentError, "separable_conv: data_format is 'channels_first'"),
    (lambda: ops.max_pool(IMAGES, 6), ShapeError, "max_pool: pool_size is 6 x 6 pixels"),
    (lambda: ops.max_pool(IMAGES[0], (2, 2)), ShapeError, r"max_pool: inputs is \(5, 5, 3\)"),
    (lambda: ops.max_pool(IMAGES[0, 0], 2), ShapeError, r"max_pool: inputs is \(5, 3\)"),
    (lambda: ops.max_pool(IMAGES, 2, padding=((2, 0), (0, 0))), ArgumentError,
     "max_pool: padding is .*expected less than the pool_size"),
    (lambda: ops.conv(IMAGES, np.ones((3, 3, 1, 4))), ShapeError,
     r"conv: kernel is \(3, 3, 1, 4\), with 4 filters, expected a multiple of the 3 groups"),
    (lambda: ops.average_pool(IMAGES, (2, 2, 2)), ArgumentError, "average_pool: pool_size"),
    (lambda: ops.sum(IMAGES, axis=4), ShapeError, "sum: axis is 4, expected between -4 and 3"),
    (lambda: ops.sum(IMAGES, axis=(0, 0)), ShapeError, "each axis once"),
    (lambda: ops.max(np.ones((2, 0)), axis=1), ShapeError, r"max: x is \(2, 0\)"),
    (lambda: ops.argmax(np.ones((2, 0)), axis=1), ShapeError, r"argmax: x is \(2, 0\)"),
    (lambda: ops.softmax(np.ones(2), axis=1), ShapeError, "softmax: axis is 1"),
    (lambda: ops.reshape(np.ones(6), (4, 2)), ShapeError,
     r"reshape: newshape is \(4, 2\), expected a shape of 6 elements; x is \(6,\)"),
    (lambda: ops.transpose(np.ones((2, 3)), (0, 0)), ShapeError,
     r"transpose: axis is \(0, 0\), expected each axis once"),
    (lambda: ops.broadcast_to(np.ones(3), (2, 4)), ShapeError, r"broadcast_to: shape is \(2, 4\)"),
    (lambda: ops.squeeze(np.ones((2, 1)), 0), ShapeError, r"axes of length 1 in \(2, 1\)"),
    (lambda: ops.expand_dims(np.ones(2), 3), ShapeError, "expand_dims: axis is 3"),
    (lambda: ops.concatenate([]), ShapeError, "concatenate: xs is empty"),
    (lambda: ops.concatenate([np.ones((2, 3)), np.ones((2, 4))]), ShapeError,
     r"concatenate: xs\[1\] is \(2, 4\), expected the shape of xs\[0\], \(2, 3\), but for axis 0"),
    (lambda: ops.stack([np.ones(2), np.ones(3)]), ShapeError, r"stack: x\[1\] is \(3,\)"),
    (lambda: ops.one_hot([0.5], 3), DTypeError, "one_hot: x is of dtype float32"),
    (lambda: ops.cast([1.0], "floaty"), DTypeError, "cast: dtype is 'floaty'"),
    (lambda: ops.add(["a"], 1.0), DTypeError, "tensor: data is of dtype"),
]  # fmt: skip


@pytest.mark.parametrize("call, error, message", REFUSED)
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("call", [lambda: ops.add(1.0), lambda: ops.add(1.0, 2.0, 3.0),
                                  lambda: ops.exp(1.0, base=2), lambda: ops.sum()])  # fmt: skip
def test_a_wrong_number_of_arguments_is_a_type_error(call):
    with pytest.raises(TypeError):
        call()


def test_inputs_may_be_named():
    assert ops.subtract(x2=1.0, x1=3.0).item() == 2.0
    assert ops.sum(x=[1.0, 2.0], axis=0).item() == 3.0


def test_an_unknown_op_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no op 'frobnicate'"):
        ops.frobnicate  # noqa: B018  (the look-up itself is what is tested)


def test_signatures_and_help_come_from_the_class():
    import inspect

    assert str(inspect.signature(ops.conv)) == (
        "(inputs, kernel, strides=1, padding='valid', data_format=None, dilation_rate=1)"
    )
    assert str(inspect.signature(ops.reshape)) == "(x, newshape)"  # required, as in Keras
    assert "Gradients" in ops.conv.__doc__
    assert "conv" in dir(ops)


class TestArraysOfEveryKind:
    @pytest.mark.parametrize("dtype", ["float16", "int8", "uint8", "int64", "bool", ">f4", ">i8"])
    def test_conv_of_unusual_dtypes(self, dtype):
        x = np.arange(32).reshape(1, 4, 4, 2) % 3
        w = np.ones((2, 2, 2, 1), dtype=np.float32)
        expected = ops.conv(x.astype(np.float32), w).numpy()
        if dtype == "bool":
            expected = ops.conv(x.astype(bool).astype(np.float32), w).numpy()
        np.testing.assert_allclose(ops.conv(x.astype(dtype), w).numpy(), expected, rtol=1e-3)

    def test_read_only_and_reversed(self):
        x = np.arange(32, dtype=np.float32).reshape(1, 4, 4, 2)[:, ::-1, ::-1]
        x.flags.writeable = False
        w = np.ones((2, 2, 2, 1), dtype=np.float32)
        np.testing.assert_array_equal(ops.conv(x, w).numpy(), ops.conv(x.copy(), w).numpy())
