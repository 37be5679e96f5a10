"""Attention, embedding and dropout: what their formulas say, and what they refuse."""

import numpy as np
import pytest

from tinydl import grad, ops, random, tensor
from tinydl.errors import ArgumentError, DataError, DTypeError, ShapeError
from tinydl.testing import gradcheck

RNG = np.random.default_rng(21)
QUERY = RNG.normal(size=(2, 3, 4, 5))
KEY, VALUE = RNG.normal(size=(2, 6, 4, 5)), RNG.normal(size=(2, 6, 4, 5))
BIAS = RNG.normal(size=(4, 3, 6))
MASK = RNG.random((2, 1, 3, 6)) < 0.6
MASK[..., 0] = True


def looked_up(query, key, value, bias=0.0, mask=True, scale=5**-0.5):
    """Attention one query at a time."""
    batch, queries, heads, _ = query.shape
    allowed = np.broadcast_to(mask, (batch, heads, queries, key.shape[1]))
    bias = np.broadcast_to(bias, allowed.shape)
    y = np.zeros((batch, queries, heads, value.shape[3]))
    for b, t, n in np.ndindex(batch, queries, heads):
        shared = n * key.shape[2] // heads
        weights = np.exp(key[b, :, shared] @ query[b, t, n] * scale + bias[b, n, t])
        weights *= allowed[b, n, t]
        y[b, t, n] = weights @ value[b, :, shared] / weights.sum()
    return y


class TestAttention:
    @pytest.mark.parametrize(
        "settings",
        [{}, {"bias": BIAS}, {"mask": MASK}, {"bias": BIAS, "mask": MASK, "scale": 0.3}],
    )
    def test_against_one_query_at_a_time(self, settings):
        y = ops.dot_product_attention(QUERY, KEY, VALUE, **settings).numpy()
        np.testing.assert_allclose(y, looked_up(QUERY, KEY, VALUE, **settings), atol=1e-13)

    @pytest.mark.parametrize("mask", [None, MASK])
    def test_causal_is_a_mask(self, mask):
        past = np.tril(np.ones((3, 6), bool))
        both = past if mask is None else past & mask
        y = ops.dot_product_attention(QUERY, KEY, VALUE, mask=mask, is_causal=True).numpy()
        np.testing.assert_allclose(y, looked_up(QUERY, KEY, VALUE, mask=both), atol=1e-13)
        np.testing.assert_allclose(y[:, 0], VALUE[:, 0])  # who sees one place takes what is there

    def test_soft_cap_bounds_the_products_but_not_the_bias(self):
        scores = np.einsum("btnh,bsnh->bnts", QUERY, KEY)
        capped = 0.5 * np.tanh(scores / 0.5)
        bias = np.where(np.arange(6) < 2, 0.0, -np.inf)
        settings = {"scale": 1.0, "bias": bias, "attn_logits_soft_cap": 0.5}
        y = ops.dot_product_attention(QUERY, KEY, VALUE, **settings).numpy()
        weights = np.exp(capped[..., :2])
        weights /= weights.sum(-1, keepdims=True)
        expected = np.einsum("bnts,bsnh->btnh", weights, VALUE[:, :2])
        np.testing.assert_allclose(y, expected, atol=1e-13)

    @pytest.mark.parametrize("heads", [1, 2])
    def test_heads_of_the_query_share_keys(self, heads):
        key, value = KEY[:, :, :heads], VALUE[:, :, :heads]
        y = ops.dot_product_attention(QUERY, key, value).numpy()
        np.testing.assert_allclose(y, looked_up(QUERY, key, value), atol=1e-13)

    def test_who_may_look_at_nothing_gets_the_plain_average(self):
        mask = np.zeros((3, 6), bool)
        y = ops.dot_product_attention(QUERY, KEY, VALUE, mask=mask).numpy()
        np.testing.assert_allclose(y, np.broadcast_to(VALUE.mean(1, keepdims=True), y.shape))

    def test_excluded_places_have_no_gradient(self):
        value = tensor(VALUE, requires_grad=True)
        y = ops.dot_product_attention(QUERY, KEY, value, mask=np.arange(6) < 2)
        g = grad(y.sum(), value).numpy()
        assert (g[:, 2:] == 0).all()
        assert g.sum() == pytest.approx(y.size)

    def test_large_scores(self):
        y = ops.dot_product_attention(QUERY.astype("f") * 1e4, KEY.astype("f") * 1e4, VALUE)
        assert np.isfinite(y.numpy()).all()

    def test_empty(self):
        assert ops.dot_product_attention(QUERY[:, :0], KEY, VALUE).shape == (2, 0, 4, 5)
        assert ops.dot_product_attention(QUERY[:0], KEY[:0], VALUE[:0]).shape == (0, 3, 4, 5)
        nothing = ops.dot_product_attention(QUERY, KEY[:, :0], VALUE[:, :0])
        np.testing.assert_array_equal(nothing.numpy(), np.zeros(QUERY.shape))

    def test_gradients(self):
        q, k, v = QUERY[:1, :2, :2, :2], KEY[:1, :3, :1, :2], VALUE[:1, :3, :1, :2]
        bias = BIAS[:2, :2, :3]
        mask = np.array([[True, True, False], [True, True, True]])
        gradcheck(lambda *a: ops.dot_product_attention(*a, mask=mask), [q, k, v, bias], order=2)

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"query": QUERY[0]}, ShapeError, r"query is \(3, 4, 5\), expected 4 axes"),
            ({"key": KEY[..., :3]}, ShapeError, r"key is \(2, 6, 4, 3\), expected \(2, S, K, 5\)"),
            ({"value": VALUE[:, :3]}, ShapeError, r"value is \(2, 3, 4, 5\)"),
            ({"key": KEY[:, :, :3], "value": VALUE[:, :, :3]}, ShapeError,
             "divides the 4 of the query"),
            ({"bias": BIAS[:, :2]}, ShapeError, r"bias is \(4, 2, 6\), expected what broadcasts"),
            ({"mask": np.ones((7, 1, 1, 1), bool)}, ShapeError, r"mask is \(7, 1, 1, 1\)"),
            ({"mask": np.ones((3, 6))}, DTypeError, "mask is of dtype float64.*as bias"),
            ({"flash_attention": True}, ArgumentError, "flash_attention"),
            ({"attn_logits_soft_cap": 0.0}, ArgumentError, "attn_logits_soft_cap"),
            ({"attn_logits_soft_cap": -1.0}, ArgumentError, "attn_logits_soft_cap"),
        ],
    )  # fmt: skip
    def test_refused(self, change, error, message):
        with pytest.raises(error, match=f"dot_product_attention: .*{message}"):
            ops.dot_product_attention(**{"query": QUERY, "key": KEY, "value": VALUE, **change})


class TestEmbedding:
    TABLE = RNG.normal(size=(5, 3))

    @pytest.mark.parametrize("shape", [(), (4,), (2, 3), (0,)])
    def test_is_the_product_with_one_hot_rows(self, shape):
        rows = RNG.integers(0, 5, shape)
        expected = np.eye(5)[rows] @ self.TABLE
        np.testing.assert_allclose(ops.embedding(rows, self.TABLE).numpy(), expected)

    def test_a_row_gets_the_sum_of_what_arrives(self):
        table = tensor(self.TABLE, requires_grad=True)
        rows, arrives = np.array([[1, 1], [4, 1]]), RNG.normal(size=(2, 2, 3))
        g = grad(ops.embedding(rows, table), table, arrives).numpy()
        np.testing.assert_allclose(g, np.einsum("ijv,ijk->vk", np.eye(5)[rows], arrives))

    def test_no_row_numbers_at_all(self):
        assert ops.embedding([], self.TABLE).shape == (0, 3)

    @pytest.mark.parametrize("wrong", [5, -1])
    def test_a_row_out_of_range(self, wrong):
        with pytest.raises(DataError, match=f"a row number is {wrong}, expected 0 to 4"):
            ops.embedding([0, wrong], self.TABLE)

    def test_refused(self):
        with pytest.raises(DTypeError, match="inputs is of dtype float32"):
            ops.embedding([0.0], self.TABLE)
        with pytest.raises(ShapeError, match="embeddings"):
            ops.embedding([0], self.TABLE[0])


class TestDropout:
    def test_keeps_the_expected_value(self):
        y = ops.dropout(np.ones((200, 200)), 0.3, seed=1).numpy()
        np.testing.assert_allclose(np.unique(y), [0, 1 / 0.7])
        # The mean of n such numbers has a standard deviation of sqrt(0.3 / 0.7 / n).
        assert abs(y.mean() - 1) < 5 * np.sqrt(0.3 / 0.7 / y.size)

    def test_the_gradient_goes_where_the_numbers_went(self):
        x = tensor(np.ones(50), requires_grad=True)
        y = ops.dropout(x, 0.5, seed=np.random.default_rng(2))
        np.testing.assert_array_equal(grad(y.sum(), x).numpy(), y.numpy())

    def test_seeds(self):
        x, generator = np.ones(40), np.random.default_rng(5)
        one, other = (ops.dropout(x, 0.5, seed=7).numpy() for _ in range(2))
        np.testing.assert_array_equal(one, other)
        one, other = (ops.dropout(x, 0.5, seed=generator).numpy() for _ in range(2))
        assert (one != other).any()
        random.set_seed(3)
        one = ops.dropout(x, 0.5).numpy()
        random.set_seed(3)
        np.testing.assert_array_equal(one, ops.dropout(x, 0.5).numpy())

    @pytest.mark.parametrize("noise_shape", [(1, 30), (None, 1)])
    def test_a_noise_shape_drops_together(self, noise_shape):
        y = ops.dropout(np.ones((20, 30)), 0.5, noise_shape, seed=0).numpy()
        axis = noise_shape.index(1)
        assert (y == y.take([0], axis)).all()
        assert set(np.unique(y)) == {0, 2}

    def test_none_and_all(self):
        x = np.array([1.0, np.inf, np.nan])
        np.testing.assert_array_equal(ops.dropout(x, 0).numpy(), x)
        np.testing.assert_array_equal(ops.dropout(x, 1).numpy(), np.zeros(3))

    def test_dtype_stays(self):
        assert ops.dropout(np.ones(3, np.float32), 0.5).dtype == np.float32

    def test_refused(self):
        for rate in (-0.1, 1.5, np.nan):
            with pytest.raises(ArgumentError, match="dropout: rate is"):
                ops.dropout([1.0], rate)
        for noise_shape in ((2,), (3, 2)):
            with pytest.raises(ShapeError, match="noise_shape is"):
                ops.dropout(np.ones((3, 4)), 0.5, noise_shape)
