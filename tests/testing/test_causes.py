"""The cause that a failing gradient check names is the mistake that was made."""

import numpy as np
import pytest

from tinydl.testing import gradcheck

RNG = np.random.default_rng(2)
X = RNG.normal(size=(3, 3))
W = RNG.normal(size=(3, 3))
ROW = RNG.normal(size=4)
TABLE = RNG.normal(size=(3, 4))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def stack_rows(a):
    return np.repeat(a[None], 3, axis=0)


@pytest.mark.parametrize(
    "f, gradient, inputs, cause",
    [
        (np.sin, lambda g, x: -g * np.cos(x), [X], "the sign is wrong"),
        (np.square, lambda g, x: g * x, [X], "a factor 2 is missing"),
        (np.square, lambda g, x: 4 * g * x, [X], "a factor 2 too many"),
        (np.square, lambda g, x: 6 * g * x, [X], "3 times"),
        (np.square, lambda g, x: 2.5 * g * x, [X], "it is 1.25 times what it should be"),
        (np.sin, lambda g, x: 0 * g, [X], "it is zero"),
        (np.sin, lambda g, x: np.cos(x), [X], "from above is not used"),
        (np.sin, lambda g, x: g / 0 * x, [X], "it is not finite"),
        (np.sin, lambda g, x: (g * np.cos(x)).T, [X], "it is transposed"),
        (np.sin, lambda g, x: np.roll(g * np.cos(x), 1, 0), [X], "shifted by one along axis 0"),
        (np.sin, lambda g, x: np.flip(g * np.cos(x), 1), [X], "axis 1 is reversed"),
        (softmax, lambda g, x: g * softmax(x) * (1 - softmax(x)), [X], "treated as elementwise"),
        (stack_rows, lambda g, a: g.mean(0), [ROW], "a mean for a sum"),
        (stack_rows, lambda g, a: g, [ROW], "the sum over axis 0.*is missing"),
        (np.mean, lambda x: np.ones(x.shape), [TABLE], "a sum for a mean"),
        (
            lambda a, b: a * b,
            lambda g, a, b: (g * a, g * b),
            [X, W],
            "it is the gradient of another input",
        ),
        (np.sin, lambda g, x: (g * np.cos(x)).astype("float32"), [X], "float32 rounding"),
        (
            np.sin,
            lambda g, x: g * np.cos(x) * np.where(np.arange(9) == 4, 2, 1).reshape(3, 3),
            [X],
            "1 of 9 elements differ",
        ),
        (np.sin, lambda g, x: g * np.exp(x), [X], "no simple relation"),
    ],
)
def test_the_cause_is_named(f, gradient, inputs, cause):
    verdict = gradcheck(f, inputs, gradient=gradient, raises=False)
    assert verdict.outcome == "fail"
    with pytest.raises(AssertionError, match=f"likely cause: .*{cause}"):
        raise AssertionError(verdict.reason)
