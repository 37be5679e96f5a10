"""What a notebook shows."""

from xml.etree import ElementTree

import pytest

import tinydl as keras
from tests.explain.networks import convolutional
from tinydl import ops, tensor


def read(markup):
    """The words in it; it has to be well-formed."""
    return "".join(ElementTree.fromstring(f"<div>{markup}</div>").itertext())


@pytest.fixture(scope="module")
def story():
    return convolutional()


def test_a_story_has_all_its_steps_and_its_note(story):
    text = read(story._repr_html_())
    assert story.note in text
    assert all(f"{step.number}. {step.title}" in text for step in story)


def test_a_step_shows_its_numbers_and_its_line(story):
    text = read(story[1]._repr_html_())
    assert "=" in text
    assert story[1].source.text in text


def test_a_backward_step_shows_the_difference(story):
    step = next(step for step in story if step.kind == "backward")
    assert "agrees" in read(step._repr_html_())


def test_a_tensor_shows_value_gradient_and_where_it_came_from():
    x = tensor([2.0, 3.0], requires_grad=True, name="<x>")
    y = ops.exp(x)
    y.sum().backward()
    assert "<x>" in read(x._repr_html_())
    assert "7.3891" in read(x._repr_html_()).split("its gradient")[1]
    assert "made by exp of <x>" in read(y._repr_html_())


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (3,), (2, 3), (2, 3, 40)])
def test_a_tensor_of_any_shape(shape):
    assert "float32" in read(tensor(0.0).detach()._repr_html_())
    assert read(ops.zeros(shape)._repr_html_())


def test_layers_and_models_show_their_formula():
    layer = keras.layers.Dense(3, activation="softmax")
    assert "softmax" in read(layer._repr_html_())
    model = keras.Sequential([keras.Input((4,)), layer])
    assert "softmax" in read(model._repr_html_())


def test_a_layer_without_a_formula_shows_its_name():
    class Mine(keras.Layer):
        def call(self, x):
            return x

    assert "ine" in read(Mine()._repr_html_())
