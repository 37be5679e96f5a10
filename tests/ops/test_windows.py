"""Convolutions and pools: lines, groups, paddings and transposes, each against a second way."""

import numpy as np
import pytest

from tinydl import grad, ops, tensor
from tinydl.errors import ArgumentError, ShapeError
from tinydl.testing import gradcheck

RNG = np.random.default_rng(3)
LINES, IMAGES = RNG.normal(size=(2, 7, 4)), RNG.normal(size=(2, 5, 6, 4))


class TestLines:
    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"strides": 2},
            {"strides": (2,), "padding": "same"},
            {"padding": ((2, 1),), "dilation_rate": 2},
            {"padding": "same", "dilation_rate": (2,)},
        ],
    )
    def test_conv_is_numpys_correlation(self, settings):
        w = RNG.normal(size=(3, 4, 2))
        step, apart = (np.ravel(settings.get(k, 1))[0] for k in ("strides", "dilation_rate"))
        wide = np.zeros((2 * apart + 1, 4, 2))
        wide[::apart] = w
        sides = settings.get("padding", ((0, 0),))
        if sides == "same":
            total = max((-(-7 // step) - 1) * step + len(wide) - 7, 0)
            sides = ((total // 2, total - total // 2),)
        x = np.pad(LINES, ((0, 0), *sides, (0, 0)))
        expected = np.array(
            [
                [sum(np.correlate(line[:, c], wide[:, c, o]) for c in range(4)) for o in range(2)]
                for line in x
            ]
        ).swapaxes(1, 2)[:, ::step]
        np.testing.assert_allclose(ops.conv(LINES, w, **settings).numpy(), expected, rtol=1e-12)

    def test_gradients(self):
        w = RNG.normal(size=(2, 2, 4))
        gradcheck(lambda x, w: ops.conv(x, w, 2, "same"), [LINES[:, :4], w], order=2)
        gradcheck(lambda x: ops.max_pool(x, 2), [LINES], order=2)
        gradcheck(lambda x: ops.average_pool(x, 3, 2, "same"), [LINES], order=2)

    def test_pools(self):
        windows = LINES[:, :6].reshape(2, 3, 2, 4)
        np.testing.assert_array_equal(ops.max_pool(LINES, 2).numpy(), windows.max(2))
        np.testing.assert_allclose(ops.average_pool(LINES, (2,)).numpy(), windows.mean(2))
        same = ops.average_pool(LINES, 2, padding="same").numpy()
        np.testing.assert_allclose(same[:, 3], LINES[:, 6])  # the last window holds one element

    def test_settings_for_height_and_width_are_for_images(self):
        with pytest.raises(ShapeError, match=r"average_pool: inputs is \(2, 7, 4\)"):
            ops.average_pool(LINES, (2, 2))
        with pytest.raises(ShapeError, match=r"conv: inputs is \(2, 7, 4\)"):
            ops.conv(LINES, np.ones((3, 4, 2)), strides=(1, 1))


class TestGroups:
    def test_each_group_is_a_convolution_by_itself(self):
        w = RNG.normal(size=(3, 2, 2, 6))
        halves = [ops.conv(IMAGES[..., :2], w[..., :3]), ops.conv(IMAGES[..., 2:], w[..., 3:])]
        expected = np.concatenate([half.numpy() for half in halves], axis=-1)
        np.testing.assert_allclose(ops.conv(IMAGES, w).numpy(), expected, rtol=1e-12)

    @pytest.mark.parametrize("multiplier", [1, 3])
    def test_depthwise(self, multiplier):
        w = RNG.normal(size=(2, 3, 4, multiplier))
        y = ops.depthwise_conv(IMAGES, w, strides=2, padding="same").numpy()
        for c in range(4):
            alone = ops.conv(IMAGES[..., c : c + 1], w[:, :, c : c + 1], 2, "same").numpy()
            own = slice(c * multiplier, (c + 1) * multiplier)
            np.testing.assert_allclose(y[..., own], alone, rtol=1e-12)

    def test_separable_is_one_convolution_with_a_product_for_a_kernel(self):
        depthwise, pointwise = RNG.normal(size=(2, 3, 4, 2)), RNG.normal(size=(1, 1, 8, 5))
        full = np.einsum("pqcm,cmo->pqco", depthwise, pointwise.reshape(4, 2, 5))
        y = ops.separable_conv(IMAGES, depthwise, pointwise, (1, 2), "same", dilation_rate=2)
        expected = ops.conv(IMAGES, full, (1, 2), "same", dilation_rate=2)
        np.testing.assert_allclose(y.numpy(), expected.numpy(), rtol=1e-10)

    def test_of_lines(self):
        w, mix = RNG.normal(size=(3, 4, 2)), RNG.normal(size=(1, 8, 3))
        y = ops.depthwise_conv(LINES, w).numpy()
        c = 2
        alone = ops.conv(LINES[..., c : c + 1], w[:, c : c + 1]).numpy()
        np.testing.assert_allclose(y[..., 2 * c : 2 * c + 2], alone, rtol=1e-12)
        assert ops.separable_conv(LINES, w, mix, 2).shape == (2, 3, 3)

    def test_gradients(self):
        x = IMAGES[:1, :3, :3]
        gradcheck(
            lambda x, w: ops.depthwise_conv(x, w), [x, RNG.normal(size=(2, 2, 4, 2))], order=2
        )
        arrays = [x, RNG.normal(size=(2, 2, 4, 1)), RNG.normal(size=(1, 1, 4, 2))]
        gradcheck(ops.separable_conv, arrays, order=2)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: ops.depthwise_conv(IMAGES, np.ones((2, 2, 3, 1))),
             r"depthwise_conv: kernel is \(2, 2, 3, 1\), expected \(KH, KW, 4, M\)"),
            (lambda: ops.depthwise_conv(IMAGES[0, 0], np.ones((2, 6, 1))), "inputs is"),
            (lambda: ops.separable_conv(IMAGES, np.ones((2, 2, 4, 1)), np.ones((2, 1, 4, 3))),
             r"pointwise_kernel is \(2, 1, 4, 3\), expected \(1, 1, 4, O\)"),
            (lambda: ops.separable_conv(LINES, np.ones((2, 3, 1)), np.ones((1, 3, 3))),
             r"separable_conv: depthwise_kernel is \(2, 3, 1\)"),
        ],
    )  # fmt: skip
    def test_refused(self, call, message):
        with pytest.raises(ShapeError, match=message):
            call()


def painted(x, w, stride, apart):
    """The kernel painted at each place of a line, with nothing cut off."""
    (n, length, _), (k, out, _) = x.shape, w.shape
    y = np.zeros((n, (length - 1) * stride + (k - 1) * apart + 1, out))
    for i in range(length):
        for p in range(k):
            y[:, i * stride + p * apart] += x[:, i] @ w[p].T
    return y


class TestConvTranspose:
    @pytest.mark.parametrize(
        "stride, extra", [(1, None), (1, 0), (2, None), (2, 1), (3, 0), (3, 2)]
    )
    @pytest.mark.parametrize("size", [1, 2, 3, 4])
    @pytest.mark.parametrize("apart", [1, 2])
    @pytest.mark.parametrize("padding", ["valid", "same"])
    def test_of_lines_with_kerass_paddings(self, stride, size, apart, padding, extra):
        """The length is Keras's, and what is there is cut out of the painting as in Keras."""
        w, span = RNG.normal(size=(size, 3, 4)), (size - 1) * apart + 1
        if padding == "valid":
            added = max(stride - span, 0) if extra is None else extra
            length, before = 6 * stride + span + added, 0
        else:
            kept = stride if extra is None else span % 2 + extra
            length = 6 * stride + kept
            before = span - 1 - min(-(-(span - 2 + kept) // 2), span - 1)
        full = np.pad(painted(LINES, w, stride, apart), ((0, 0), (0, stride), (0, 0)))
        expected = full[:, before : before + length]
        y = ops.conv_transpose(LINES, w, stride, padding, extra, dilation_rate=apart)
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12)

    def test_is_the_transpose_of_the_convolution(self):
        w = RNG.normal(size=(3, 2, 5, 4))
        settings = {"strides": (2, 1), "padding": ((1, 2), (1, 0)), "dilation_rate": (1, 2)}
        y = ops.conv_transpose(IMAGES, w, **settings).numpy()
        assert y.shape == (2, 8, 7, 5)
        image = RNG.normal(size=y.shape)
        forth = ops.conv(image, w, **settings).numpy()
        assert np.sum(y * image) == pytest.approx(np.sum(IMAGES * forth), rel=1e-12)

    def test_gradients(self):
        arrays = [IMAGES[:1, :2, :3], RNG.normal(size=(2, 3, 2, 4))]
        gradcheck(lambda x, w: ops.conv_transpose(x, w, 3, output_padding=(2, 1)), arrays, order=2)
        lines = [x[0] for x in arrays]
        gradcheck(lambda x, w: ops.conv_transpose(x, w, 3, "same", 1), lines, order=2)

    def test_one_place_and_no_image(self):
        w = RNG.normal(size=(2, 2, 3, 4))
        one = ops.conv_transpose(IMAGES[:, :1, :1], w).numpy()
        np.testing.assert_allclose(one, np.einsum("nijc,pqoc->npqo", IMAGES[:, :1, :1], w))
        assert ops.conv_transpose(IMAGES[:0], w, 2).shape == (0, 10, 12, 3)

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda: ops.conv_transpose(IMAGES, np.ones((2, 2, 4, 3))), ShapeError,
             r"kernel is \(2, 2, 4, 3\), expected \(KH, KW, O, 4\)"),
            (lambda: ops.conv_transpose(IMAGES[0], np.ones((2, 2, 3, 4))), ShapeError,
             r"inputs is \(5, 6, 4\), expected 4 axes \(N, H, W, C\)"),
            (lambda: ops.conv_transpose(LINES, np.ones((2, 3, 4)), (2, 2)), ShapeError, "inputs"),
            (lambda: ops.conv_transpose(LINES, np.ones((2, 3, 4)), 2, output_padding=2),
             ArgumentError, r"output_padding is 2, expected from 0 to less than the strides"),
            (lambda: ops.conv_transpose(LINES, np.ones((2, 3, 4)), padding=((4, 4),)),
             ShapeError, "expected more than the padding cuts off"),
            (lambda: ops.conv_transpose(LINES, np.ones((2, 3, 4)), padding="full"),
             ArgumentError, "padding is 'full'"),
        ],
    )  # fmt: skip
    def test_refused(self, call, error, message):
        with pytest.raises(error, match=f"conv_transpose: .*{message}"):
            call()


class TestGlobalPools:
    @pytest.mark.parametrize("x", [LINES, IMAGES])
    def test_are_pools_with_the_largest_window(self, x):
        size = tuple(x.shape[1:-1])
        for whole, pool in (
            (ops.global_average_pool, ops.average_pool),
            (ops.global_max_pool, ops.max_pool),
        ):
            y = whole(x, keepdims=True).numpy()
            np.testing.assert_allclose(y, pool(x, size).numpy(), rtol=1e-12)
            assert whole(x).shape == (2, 4)

    def test_gradients(self):
        gradcheck(ops.global_average_pool, [IMAGES[:1, :2, :2]], order=2)
        gradcheck(ops.global_max_pool, [IMAGES[:1, :2, :2]], order=2)

    def test_refused(self):
        with pytest.raises(ShapeError, match="at least one place"):
            ops.global_max_pool(np.ones((2, 0, 3)))
        with pytest.raises(ShapeError, match="inputs is"):
            ops.global_average_pool(np.ones((2, 3)))


@pytest.mark.parametrize("x", [LINES, IMAGES])
def test_pools_of_whole_numbers(x):
    x = np.round(x).astype(int)
    largest, average = ops.max_pool(x, 2), ops.average_pool(x, 2)
    assert (largest.dtype, average.dtype) == (np.int64, np.float32)
    np.testing.assert_array_equal(largest.numpy(), ops.max_pool(x.astype(float), 2).numpy())
    np.testing.assert_array_equal(average.numpy(), ops.average_pool(x.astype(float), 2).numpy())


def test_of_several_nan_the_first_gets_the_gradient():
    x = tensor(np.array([1.0, np.nan, np.nan, 2.0]).reshape(1, 2, 2, 1), requires_grad=True)
    y = ops.max_pool(x, 2)
    assert np.isnan(y.item())
    np.testing.assert_array_equal(grad(y.sum(), x).numpy().ravel(), [0, 1, 0, 0])


def test_padding_of_minus_infinity_is_no_element():
    x = np.full((1, 2, 2, 1), -np.inf)
    np.testing.assert_array_equal(ops.max_pool(x, 2, 1, "same").numpy(), x)
