"""Stories of networks of one's own: every step has a page, and its numbers add up."""

import threading

import numpy as np
import pytest

from tinydl import Sequential, enable_grad, explain, grad, layers, losses, ops, optimizers, tensor
from tinydl.checkpointing import checkpoint
from tinydl.engine import Op, Tensor, no_grad, rule
from tinydl.errors import ArgumentError
from tinydl.recording import mode


def check_pages(story, rng, picks=3, rtol=1e-4):
    """Open every page, at the default element and at random ones."""
    assert len(story) > 0
    names = {}
    for step in story:
        assert step is story[step.number]
        assert all(0 < before < step.number for before in step.after)
        assert step.formula and step.shapes and step.title
        for value in (*step.inputs, *step.outputs):
            assert len(value.axes) == len(value.shape)
            known = names.setdefault(value.name, value.array)
            np.testing.assert_array_equal(known, value.array)
        for output in step.outputs:
            if output.array.size:
                check_page(step, output, None, rtol)
                for _ in range(picks):
                    check_page(step, output, pick(output.shape, rng), rtol)


def pick(shape, rng):
    return tuple(int(rng.integers(n)) for n in shape)


def check_page(step, output, index, rtol):
    if step.kind == "forward":
        view = step.element(index)
        size = 1 + abs(view.value) + sum(abs(t.value) for t in view.terms)
        assert view.result.combined() == pytest.approx(view.value, abs=rtol * size)
        names = {x.name for x in step.inputs}
        assert all(ref.name in names for ref in view.refs)
    elif step.kind == "backward" and step.rules:
        view = step.gradient(output.name, index)
        assert any(path.step == step.number for path in view.paths)
        scale = 1e-6 + sum(abs(t.value) for p in view.paths for t in p.part.terms)
        assert view.total == pytest.approx(view.accumulated, abs=rtol * scale)
        assert view.accumulated == output.array[view.index]
        assert view.difference is None or view.difference.outcome in ("agrees", "kink")
    elif step.kind == "update":
        view = step.update(index)
        assert view.new == output.array[view.index]
        assert view.lines[-1].value == pytest.approx(view.new, rel=rtol, abs=1e-6)


def weights(rng, *shapes, dtype="float32"):
    return [tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in shapes]


class TestNetworks:
    def test_a_convolutional_one(self, rng):
        layers.reset_names()
        model = Sequential(
            [
                layers.Conv2D(3, 3, strides=2, padding="same", activation="relu"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dense(4, activation="softmax"),
            ]
        )
        x, y = rng.normal(size=(2, 8, 8, 1)), np.array([1, 3])
        loss_fn, optimizer = losses.SparseCategoricalCrossentropy(), optimizers.Adam(0.01)
        model(x)
        optimizer.build(model.trainable_weights)
        with explain.record() as story:
            loss = loss_fn(y, model(x))
            loss.backward()
            optimizer.step()
        check_pages(story, rng)
        kinds = [step.kind for step in story]
        assert kinds == sorted(kinds, key=["forward", "backward", "update"].index)
        assert [step.layer for step in story][:4] == ["sequential", *["conv2d"] * 3]
        assert story[1].inputs[0].name == "x"
        assert {step.title for step in story if step.kind == "update"} == {
            f"adam: {w.name}" for w in model.trainable_weights
        }

    def test_train_on_batch_and_fit(self, rng):
        first = layers.Dense(3, "tanh", kernel_regularizer="l2", name="first")
        model = Sequential([first, layers.Dense(1)])
        model.compile(optimizers.SGD(0.1, momentum=0.9), "mse")
        x, y = rng.normal(size=(4, 2)), rng.normal(size=(4, 1))
        with explain.record() as story:
            model.train_on_batch(x, y)
            model.fit(x, y, batch_size=4, epochs=1, verbose=0)
        check_pages(story, rng)
        assert sum(step.kind == "update" for step in story) == 8
        assert "model.fit" in story[len(story)].source.text
        products = [s for s in story if s.title == "first: matmul" and s.kind == "forward"]
        second = products[1]
        assert second.inputs[1].name == "first/kernel (2)"
        assert story[second.after[-1]].kind == "update"

    def test_a_recurrent_cell(self, rng):
        class Cell:
            def __init__(self):
                self.w, self.u, self.b = weights(rng, (2, 3), (3, 3), (3,))

            def __call__(self, x, h):
                return ops.tanh(x @ self.w + h @ self.u + self.b)

        cell, xs = Cell(), rng.normal(size=(3, 1, 2)).astype("float32")
        h = tensor(np.zeros((1, 3), "float32"))
        with explain.record() as story:
            for x in xs:
                h = cell(x, h)
            loss = (h * h).sum()
            loss.backward()
        check_pages(story, rng)
        last = next(s for s in story if any(o.name == "grad u" for o in s.outputs))
        assert len(last.gradient("u").paths) == 3  # a path for each time it was used

    def test_attention(self, rng):
        q, k, v = weights(rng, (1, 3, 2, 4), (1, 3, 2, 4), (1, 3, 2, 4))
        with explain.record() as story:
            loss = (ops.dot_product_attention(q, k, v) ** 2).mean()
            loss.backward()
        check_pages(story, rng)
        assert "softmax" in {step.op for step in story}

    def test_a_residual_block_with_normalization(self, rng):
        x, gamma, beta, w = weights(rng, (6, 4), (4,), (4,), (4, 4))
        optimizer = optimizers.RMSprop(0.01, momentum=0.5, centered=True)
        with explain.record() as story:
            mean, variance = ops.moments(x, axes=0)
            normal = ops.batch_normalization(x, mean, variance, -1, beta, gamma)
            y = x + ops.relu(normal @ w)
            z = ops.layer_normalization(y, gamma, beta)
            loss = ops.mean(z * y)
            optimizer.apply(grad(loss, [x, w, gamma]), [x, w, gamma])
        check_pages(story, rng)

    def test_an_op_of_ones_own(self, rng, monkeypatch):
        monkeypatch.setattr(Op, "registry", dict(Op.registry))

        class Swish(Op):
            input_names = ("x", "slope")
            broadcasts = True

            def forward(self, x, slope):
                return x / (1 + np.exp(-slope * x))

            @rule(r"\bar x_i = \bar y_i (y_i + \sigma(b x_i) (1 - y_i))")
            def x(self, y_bar, y, x, slope):  # on arrays: it cannot be differentiated again
                s = 1 / (1 + np.exp(-slope.data * x.data))
                return tensor(y_bar.data * (s + slope.data * x.data * s * (1 - s)))

            @rule(r"\bar b = \sum_i \bar y_i x_i^2 \sigma(b x_i) (1 - \sigma(b x_i))")
            def slope(self, y_bar, y, x, slope):
                s = 1 / (1 + np.exp(-slope.data * x.data))
                return tensor(y_bar.data * x.data**2 * s * (1 - s))

        x, slope = weights(rng, (2, 3), ())
        with explain.record() as story:
            Swish()(x, slope).sum().backward()
        check_pages(story, rng)

    def test_dropout_lines_and_mixed_precision(self, rng):
        x, w = weights(rng, (2, 5, 3), (2, 3, 4))
        with explain.record() as story:
            y = ops.conv(x, w, padding="same")
            y = ops.dropout(y, 0.5, seed=1).astype("float64")
            ops.logsumexp(y * 1e-5 + 3.0).backward()
        check_pages(story, rng)
        assert all(s.gradient().difference for s in story if s.kind == "backward")

    def test_a_checkpoint(self, rng):
        (x,) = weights(rng, (2, 3))
        with explain.record() as story:
            (checkpoint(ops.sigmoid)(x * 2.0) * x).sum().backward()
        check_pages(story, rng)

    @pytest.mark.parametrize("seed", range(8))
    def test_random_chains_of_ops(self, seed):
        rng = np.random.default_rng(seed)
        unary = ["tanh", "sigmoid", "exp", "square", "softmax", "relu", "cumsum", "transpose"]
        x, y = weights(rng, (3, 3), (3, 3), dtype="float64")
        known = [x, y]
        with explain.record() as story:
            for _ in range(8):
                a, b = (known[i] for i in rng.integers(len(known), size=2))
                binary = [a + b, a * b, a @ b, a - b, ops.maximum(a, b)]
                c = getattr(ops, rng.choice(unary))(binary[rng.integers(5)])
                known.append(ops.reshape(c, (3, 3)) / 10.0)
            ops.mean(known[-1] * x + known[-2]).backward()
        check_pages(story, rng, picks=1, rtol=1e-7)


DIFFERENTIABLE = sorted(
    name
    for name, op in Op.registry.items()
    if op.__module__.startswith("tinydl.") and any(op.rules)
)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_through_every_op(name):
    """Random elements of every input: the paths make what the engine has."""
    rng = np.random.default_rng(3)
    for op, arrays in Op.registry[name].examples(rng):
        xs = [tensor(a, requires_grad=np.asarray(a).dtype.kind == "f") for a in arrays]
        with explain.record() as story:
            y = op(*xs)
            if y.requires_grad and y.size:
                (y * rng.uniform(0.5, 1.5, y.shape)).sum().backward()
        if len(story) and y.size:
            check_pages(story, rng, picks=1, rtol=1e-6)


@pytest.mark.parametrize("name", sorted(set(Op.registry) - set(DIFFERENTIABLE)))
def test_ops_without_gradient_have_pages_too(name):
    rng = np.random.default_rng(3)
    for op, arrays in Op.registry[name].examples(rng):
        with explain.record() as story:
            y = op(*arrays)
        assert story[len(story)].op == name
        np.testing.assert_array_equal(story[len(story)].output.array, y.data)
        check_pages(story, rng, picks=1, rtol=1e-6)


def test_what_wants_no_gradient_leads_to_what_does(rng):
    """A masked loss: the comparison and the count are steps, with nothing to pass back."""
    x, (w,) = tensor([[1.0, -2.0], [3.0, 0.5]], name="x"), weights(rng, (2,))
    with explain.record() as story:
        mask = (x > 0.0).astype("float32")
        n = mask.sum()
        loss = (mask * x * w).sum() / n
        loss.backward()
    assert [step.op for step in story][:3] == ["greater", "cast", "sum"]
    assert {step.output.name: step.after for step in story if step.kind == "forward"}["loss"] == (
        3,
        6,
    )
    assert "mask" in [value.name for value in story[4].inputs]
    assert {step.of for step in story if step.kind == "backward"}.isdisjoint({1, 2, 3})
    check_pages(story, rng)


def test_a_layer_that_does_not_learn_has_its_pages(rng):
    frozen, last = layers.Dense(3, activation="relu", name="frozen"), layers.Dense(1, name="last")
    x = rng.normal(size=(2, 4)).astype("float32")
    last(frozen(x))
    frozen.trainable = False
    with explain.record() as story:
        y = last(frozen(x))
        y.sum().backward()
    steps = [(step.layer, step.op) for step in story if step.kind == "forward"]
    assert steps[:3] == [("frozen", "matmul"), ("frozen", "add"), ("frozen", "relu")]
    assert story[4].after == (3,)
    np.testing.assert_array_equal(story[3].output.array, frozen(x).data)
    check_pages(story, rng)


class TestGradients:
    def test_every_use_is_a_path(self):
        a = tensor(3.0, requires_grad=True)
        with explain.record() as story:
            b = a + a
            c = b + b
            c.backward()
        view = story[4].gradient("a")
        assert [path.value for path in view.paths] == [2.0, 2.0]
        assert (view.total, view.accumulated, view.difference.outcome) == (4.0, 4.0, "agrees")
        assert [step.title for step in story] == ["add"] * 4
        assert [v.name for v in story[3].inputs] == ["grad c", "b"]
        assert story.edges == {1: (), 2: (1,), 3: (2,), 4: (3,)}

    def test_at_a_kink_the_gradient_is_between_the_two_sides(self):
        x = tensor([0.0, 2.0], requires_grad=True)
        with explain.record() as story:
            ops.relu(x).sum().backward()
        kink, smooth = (story[4].gradient("x", i).difference for i in (0, 1))
        assert (kink.outcome, kink.left, kink.right) == ("kink", 0.0, 1.0)
        assert smooth.outcome == "agrees"

    def test_a_wrong_rule_is_shown_to_disagree(self, monkeypatch):
        monkeypatch.setattr(Op, "registry", dict(Op.registry))

        class Cube(Op):
            input_names = ("x",)

            def forward(self, x):
                return x**3

            @rule(r"\bar x_i = 2 \bar y_i x_i^2")
            def x(self, y_bar, y, x):
                return 2.0 * y_bar * x * x

        x = tensor([2.0], requires_grad=True)
        with explain.record() as story:
            Cube()(x).sum().backward()
        view = story[4].gradient()
        assert (view.total, view.accumulated) == (8.0, 8.0)
        assert view.difference.outcome == "disagrees"
        assert view.difference.value == pytest.approx(12.0)

    def test_a_second_pass_has_names_of_its_own(self):
        x = tensor([2.0], requires_grad=True)
        with explain.record() as story:
            y = x * x
            first = grad(y, x, [1.0], create_graph=True)
            second = grad(first, x, [1.0])
        outputs = [o.name for s in story for o in s.outputs if s.kind == "backward"]
        assert outputs[0] == "grad x" and "grad x (2)" in outputs
        assert second.item() == 2.0
        check_pages(story, np.random.default_rng(0))

    def test_what_was_computed_before_is_told_too(self):
        x = tensor([2.0], requires_grad=True)
        y = (x * x).sum()
        with explain.record() as story:
            y.backward()
        assert [s.kind for s in story] == ["forward", "forward", "backward", "backward"]
        assert story[1].source is None

    def test_weights_read_before_an_update_are_shown_as_they_were(self):
        w = tensor([3.0], requires_grad=True, name="w")
        optimizer = optimizers.SGD(0.5)
        with explain.record() as story:
            for _ in range(2):
                optimizer.apply([grad((w * w).sum(), w)], [w])
        forward = [s.element().value for s in story if s.title == "multiply" and s.of is None]
        assert forward == [9.0, 0.0]
        views = [s.gradient().difference for s in story if s.title == "multiply" and s.of]
        assert [d.outcome for d in views] == ["agrees", "agrees"]


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.SGD(0.1),
        optimizers.SGD(0.1, momentum=0.9),
        optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        optimizers.Adagrad(0.1),
        optimizers.RMSprop(0.1),
        optimizers.RMSprop(0.1, momentum=0.9),
        optimizers.RMSprop(0.1, centered=True, momentum=0.5),
        optimizers.Adam(0.1),
        optimizers.Adam(0.1, amsgrad=True),
        optimizers.AdamW(0.1, weight_decay=0.1),
        optimizers.SGD(0.1, clipvalue=0.3),
        optimizers.Adam(0.1, clipnorm=0.5),
        optimizers.SGD(0.1, clipnorm=100.0),
        optimizers.SGD(0.1, global_clipnorm=0.5, weight_decay=0.2),
        optimizers.SGD(lambda step: 0.1 / (step + 1)),
    ],
    ids=lambda o: f"{o.name}-{'-'.join(map(str, o.get_config().values()))}"[:60],
)
def test_updates_are_what_the_optimizer_did(optimizer, rng, value_of):
    variables = weights(rng, (2, 3), (3,), dtype="float64")
    with explain.record() as story:
        for _ in range(3):
            optimizer.apply([rng.normal(size=w.shape) for w in variables], variables)
    assert len(story) == 6
    for step in story:
        for index in np.ndindex(*step.output.shape):
            view = step.update(index)
            assert view.lines[-1].value == pytest.approx(view.new, rel=1e-12)
            assert (view.old, view.new) == (step.inputs[0].array[index], step.output.array[index])
            computed = {line.symbol.partition("_")[0]: line for line in view.lines}
            for name, value in view.after.items():
                assert computed[name].value == pytest.approx(value, rel=1e-12)
            symbols = {line.symbol: line.value for line in view.lines}
            for line in view.lines:
                assert value_of(line.terms[0].text, symbols) == pytest.approx(
                    line.value, 1e-2, 1e-4
                )
    settings = dict(story[6].update().settings)
    assert settings["t"] == 3.0
    assert settings[r"\eta"] == pytest.approx(
        0.1 / 3 if callable(optimizer._learning_rate) else 0.1
    )


def test_a_rule_of_ones_own_shows_old_and_new(rng):
    class SignDescent(optimizers.Optimizer):
        def update(self, w, g, learning_rate, step, *slots):
            return (w - learning_rate * np.sign(g),)

    (w,) = weights(rng, (3,))
    with explain.record() as story:
        SignDescent(0.25).apply([np.array([1.0, -2.0, 3.0])], [w])
    view = story[1].update(0)
    assert view.new == pytest.approx(view.old - 0.25)
    assert view.lines[-1].value == pytest.approx(view.new)
    assert "SignDescent" in view.formula


def test_nothing_can_be_said_beside_nan():
    x = tensor([1.0, np.nan], requires_grad=True)
    with explain.record() as story:
        ops.softmax(ops.log(x)).sum().backward()
    assert story[len(story)].gradient("x", 0).difference.outcome == "uncertain"


def test_a_page_says_what_each_letter_of_its_formula_is():
    x = tensor(np.ones((1, 4, 4, 1)), requires_grad=True)
    with explain.record() as story:
        y = ops.leaky_relu(ops.max_pool(x, 2), negative_slope=0.25)
        y.mean().backward()
    shown = {(step.kind, step.op): step.shapes for step in story}
    assert shown["forward", "max_pool"].endswith(r"s = 2, \quad t = 0, \quad l = 0")
    assert shown["forward", "leaky_relu"].endswith("a = 0.25")
    assert shown["backward", "leaky_relu"].endswith("a = 0.25")
    assert shown["backward", "mean"].endswith("n = 4")


class TestRecording:
    def test_names_are_the_users(self):
        x, weight = tensor([[1.0, 2.0]]), tensor([[3.0], [4.0]], requires_grad=True)
        with explain.record() as story:
            product = x @ weight
            loss = (product - 1.0) ** 2
        assert [v.name for v in story[1].inputs] == ["x", "weight"]
        assert story[1].output.name == "product"
        assert [v.name for v in story[2].inputs] == ["product", "1"]
        assert story[3].output.name == "loss"
        assert loss.shape == (1, 1)

    def test_sources_are_lines_of_the_users_program(self):
        w = tensor(2.0, requires_grad=True)
        with explain.record() as story:
            y = w * 3.0
        assert story[1].source.text == "y = w * 3.0"
        assert story[1].source.file == __file__
        assert y.item() == 6.0

    def test_nothing_is_left_behind(self):
        init = Tensor.__init__
        with explain.record():
            assert Tensor.__init__ is not init and mode.observer is not None
        assert Tensor.__init__ is init and mode.observer is None
        with pytest.raises(ZeroDivisionError), explain.record():
            raise ZeroDivisionError
        assert Tensor.__init__ is init and mode.observer is None

    def test_a_story_within_a_story_has_its_own_steps(self):
        w = tensor(2.0, requires_grad=True)
        with explain.record() as outer:
            w * 1.0
            with explain.record() as inner:
                w * 2.0
            w * 3.0
        assert (len(outer), len(inner)) == (2, 1)

    def test_opening_a_page_is_not_watched(self):
        w = tensor(2.0, requires_grad=True)
        with explain.record() as first:
            ops.tanh(w).backward()
        with explain.record() as second:
            first[1].element()
            first[2].gradient()
        assert len(second) == 0

    def test_a_number_that_learns_is_no_constant(self):
        with explain.record() as story:
            tensor(2.0, requires_grad=True) * 3.0
        assert [v.name for v in story[1].inputs] == ["w", "3"]

    def test_other_threads_are_not_watched(self):
        w = tensor(2.0, requires_grad=True)
        with explain.record() as story:
            thread = threading.Thread(target=lambda: w * 2.0)
            thread.start()
            thread.join()
        assert len(story) == 0

    def test_without_gradients_nothing_is_recorded(self):
        w = tensor(2.0, requires_grad=True)
        with explain.record() as story, no_grad():
            w * 2.0
            with enable_grad():
                w * 3.0
        assert len(story) == 1

    def test_recording_changes_no_result(self, rng):
        x, w = weights(rng, (4, 3), (3, 2))

        def run():
            w.grad = None
            loss = ops.softmax(x @ w).max()
            loss.backward()
            return loss.data, w.grad.data, grad(ops.tanh(x @ w).sum(), w).data

        plain = run()
        with explain.record():
            watched = run()
        for a, b in zip(plain, watched, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_the_limit_bounds_what_is_kept(self):
        w = tensor(2.0, requires_grad=True)
        with explain.record(limit=3) as story:
            for _ in range(10):
                w * 2.0
        assert len(story) == 3
        assert story.left_out == 7
        assert story.missing.startswith("This is not all") and "7 more" in story.missing
        with pytest.raises(ArgumentError, match="limit"):
            explain.record(limit=0)

    def test_big_tensors_are_shown_in_part(self):
        x = tensor(np.ones((300, 400), "float32"), requires_grad=True)
        with explain.record() as story:
            (x * 2.0).sum().backward()
        value = story[1].output
        assert value.shape == (300, 400) and not value.is_whole and value.array.size <= 50_000
        assert story[1].element((299, 399)).value == 2.0
        assert story[4].gradient("x", (299, 399)).total == 2.0

    def test_an_unknown_step_is_refused(self):
        story = explain.Story("empty")
        with pytest.raises(ArgumentError, match="story: the step is 1"):
            story[1]
