"""Losses over a plane are losses, paths are what the optimizers do, and weights are kept."""

import numpy as np
import pytest

import tinydl
from tinydl import explain
from tinydl.errors import ArgumentError, ShapeError
from tinydl.layers import Dense, Input
from tinydl.models import Sequential
from tinydl.optimizers import SGD


def valley(w):
    return w[0] ** 2 + 10.0 * w[1] ** 2


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 3)).astype(np.float32), rng.normal(size=(40, 2)).astype(np.float32)


@pytest.fixture
def model():
    tinydl.utils.set_random_seed(0)
    model = Sequential([Input((3,)), Dense(4, "tanh", kernel_regularizer="l2"), Dense(2)])
    model.compile("sgd", "mse")
    return model


def test_two_weights_are_the_axes():
    seen = explain.landscape(valley, start=[2.0, 1.0], learning_rate=0.05, steps=3, points=5)
    assert seen.exact
    for i, j in np.ndindex(5, 5):
        assert seen.loss[i, j] == pytest.approx(valley([seen.a[j], seen.b[i]]))
    w = np.array([2.0, 1.0])
    path = seen.paths["gradient descent"]
    for point, loss in zip(path.points, path.losses, strict=True):
        np.testing.assert_allclose(point, w, atol=1e-12)
        assert loss == pytest.approx(valley(w))
        w = w - 0.05 * np.array([2 * w[0], 20 * w[1]])


def test_adams_first_step_has_the_length_of_the_learning_rate():
    path = explain.landscape(valley, start=[2.0, 1.0], steps=1, points=2).paths["Adam"]
    np.testing.assert_allclose(path.points[1], [1.9, 0.9], atol=1e-6)


def test_paths_lie_within_the_picture():
    seen = explain.landscape(valley, start=[2.0, 1.0], learning_rate=0.05, points=3)
    for path in seen.paths.values():
        assert (seen.a[0] < path.points[:, 0]).all() and (path.points[:, 0] < seen.a[-1]).all()
        assert (seen.b[0] < path.points[:, 1]).all() and (path.points[:, 1] < seen.b[-1]).all()


def test_reach_is_around_the_start():
    seen = explain.landscape(valley, start=[2.0, 1.0], reach=0.5, steps=1, points=3)
    np.testing.assert_allclose(seen.a, [1.5, 2.0, 2.5])
    np.testing.assert_allclose(seen.b, [0.5, 1.0, 1.5])


def test_a_path_that_diverges_ends():
    paths = explain.landscape(valley, start=[2.0, 1.0], learning_rate=1.0, points=3).paths
    assert len(paths["gradient descent"].losses) < 5
    assert np.isfinite(paths["gradient descent"].points).all()


def test_only_gradient_descent_sees_all_samples(data):
    sizes = set()

    def loss(w, x, y):
        sizes.add(len(x))
        return ((x @ w - y[:, :1]) ** 2).mean()

    seen = explain.landscape(loss, *data, start=np.zeros((3, 1)), batch_size=8, points=2, steps=2)
    assert sizes == {8, 40}
    assert not seen.exact
    assert set(seen.paths) == {"gradient descent", "SGD", "momentum", "Adam"}
    sizes.clear()
    only = {"gradient descent": SGD(0.1)}
    explain.landscape(loss, *data, start=np.zeros((3, 1)), optimizers=only, points=2, steps=2)
    assert sizes == {40}


def test_a_model_keeps_its_weights_and_lies_in_the_middle(model, data):
    before = model.get_weights()
    seen = explain.landscape(model, *data, points=3, reach=1.0, steps=2)
    for w, former in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, former)
    loss = model.loss(data[1], model(data[0])) + sum(model.losses)
    assert seen.loss[1, 1] == pytest.approx(loss.item(), rel=1e-6)
    assert seen.paths["SGD"].losses[0] == pytest.approx(loss.item(), rel=1e-6)


def test_weights_are_kept_when_something_fails(model, data):
    before = model.get_weights()
    model.loss.call = None
    with pytest.raises(TypeError):
        explain.landscape(model, *data, points=2, steps=1)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_random_directions_are_as_long_as_each_filter(model, data):
    from tinydl.explain.landscapes import _random_direction

    direction = _random_direction(model.trainable_weights, np.random.default_rng(0))
    kernel, bias = direction[:12].reshape(3, 4), direction[12:16]
    lengths = np.linalg.norm(model.layers[0].kernel.data, axis=0)
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), lengths, rtol=1e-6)
    assert not bias.any()


def test_directions_of_ones_own(model, data):
    first = [np.zeros(w.shape) for w in model.trainable_weights]
    second = [np.zeros(w.shape) for w in model.trainable_weights]
    first[0][0, 0] = second[2][1, 1] = 1.0
    seen = explain.landscape(
        model, *data, directions=(first, second), points=3, reach=0.5, optimizers={}
    )
    weights = model.get_weights()
    weights[0][0, 0] += 0.5
    weights[2][1, 1] -= 0.5
    model.set_weights(weights)
    loss = model.loss(data[1], model(data[0])) + sum(model.losses)
    assert seen.loss[0, 2] == pytest.approx(loss.item(), rel=1e-6)


def test_directions_of_the_paths_hold_most_of_a_path(model, data):
    seen = explain.landscape(model, *data, directions="paths", points=2, steps=10)
    across = explain.landscape(model, *data, directions="random", points=2, steps=10)

    def length(found):  # the plane of the paths is orthonormal
        return np.linalg.norm(found.paths["Adam"].points[-1])

    assert length(seen) > 0.5
    assert length(seen) > length(across)


def test_the_same_seed_gives_the_same_picture(model, data):
    one, two = (explain.landscape(model, *data, points=2, steps=2, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.loss, two.loss)


@pytest.mark.parametrize(
    ("arguments", "settings", "error"),
    [
        ((valley,), {}, ArgumentError),
        ((Sequential([Dense(1)]), [[1.0]], [[1.0]]), {}, ArgumentError),
        ((tinydl.ops.sum,), {"start": np.ones(3), "directions": "up"}, ArgumentError),
        ((tinydl.ops.sum,), {"start": np.ones(3), "directions": [[np.ones(3)]]}, ArgumentError),
        ((tinydl.ops.sum,), {"start": np.ones(3), "directions": [[np.ones(2)]] * 2}, ShapeError),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(arguments, settings, error):
    with pytest.raises(error, match="landscape"):
        explain.landscape(*arguments, points=2, steps=1, **settings)


def test_pictures(tmp_path):
    optimizers = {"<script> costs 1$": SGD(0.05)}
    seen = explain.landscape(valley, start=[2.0, 1.0], optimizers=optimizers, points=5, steps=2)
    seen.save(tmp_path / "valley.png")
    assert (tmp_path / "valley.png").read_bytes().startswith(b"\x89PNG")
    assert seen.svg().startswith("<svg")
    assert "<script>" not in seen._repr_html_()


@pytest.mark.parametrize("value", [1.0, np.inf])
def test_a_plain_can_be_drawn_too(value):
    flat = explain.landscape(lambda w: w.sum() * 0.0 + value, start=[1.0, 1.0], points=3, steps=1)
    assert flat.svg()


def test_a_page_of_its_own(tmp_path):
    seen = explain.landscape(lambda w: (1.0 / w).sum(), start=[1.0, 2.0], points=3, steps=2)
    seen.loss[0, 0] = np.nan
    seen.to_html(tmp_path / "landscape.html")
    text = (tmp_path / "landscape.html").read_text()
    assert '"loss":[[null,' in text and "gradient descent" in text


def test_the_terminal_says_where_the_paths_lead(capsys):
    story = explain.Story("Two ways")
    story.landscape = explain.landscape(valley, start=[2.0, 1.0], learning_rate=0.05, steps=4)
    story.print()
    text = capsys.readouterr().out
    for name in story.landscape.paths:
        assert name in text
    assert "4 steps" in text
