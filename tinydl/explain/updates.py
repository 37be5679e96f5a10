"""One element of a weight, before and after a step of an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tinydl.engine import quiet
from tinydl.explain.applied import letter
from tinydl.explain.expressions import (
    Expression,
    called,
    largest_of,
    number_of,
    root,
    smallest_of,
)
from tinydl.explain.formulas import name_in_latex, whole_rule
from tinydl.explain.page import Index, Part, Ref, UpdateView
from tinydl.explain.recorder import Updating
from tinydl.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop

SETTINGS = {  # which settings a rule's formula speaks of, by their letters
    SGD: (("momentum", r"\mu"),),
    Adagrad: (("epsilon", r"\epsilon"),),
    RMSprop: (("rho", r"\rho"), ("momentum", r"\mu"), ("epsilon", r"\epsilon")),
    Adam: (("beta_1", r"\beta_1"), ("beta_2", r"\beta_2"), ("epsilon", r"\epsilon")),
    AdamW: (("beta_1", r"\beta_1"), ("beta_2", r"\beta_2"), ("epsilon", r"\epsilon")),
}
COMMON = (
    ("weight_decay", r"\lambda"),
    ("clipvalue", "c"),
    ("clipnorm", "c"),
    ("global_clipnorm", "c"),
)
SLOT_LETTERS = {"accumulator": "a", "square": "v", "average": "a", "v_max": r"\hat v"}


class Rule:
    """A rule with numbers: each line is a `Part`, and later lines use the former by their letters.

    Attributes
    ----------
    before : dict of str to Expression
        What is remembered about this element.
    lines : list of Part
    """

    def __init__(self, event: Updating, which: int, index: Index, weight: str, gradient: str):
        self.event, self.which, self.index = event, which, index
        self.options = event.settings
        self.rate = number_of(event.rate)
        self.w = number_of(event.old[which][index], Ref(weight, index))
        self.g = number_of(event.given[which][index], Ref(gradient, index))
        self.before = {
            name: number_of(slot[index])
            for name, slot in zip(event.optimizer.slots, event.before[which], strict=True)
        }
        self.lines: list[Part] = []

    def __getitem__(self, setting: str) -> Expression:
        return number_of(self.options[setting])

    def line(self, symbol: str, e: Expression) -> Expression:
        """One more line; what it computes, as a number to go on with."""
        part = Part(letter(symbol, self.index), "function", (e.term(),), e.value)
        self.lines.append(part)
        return number_of(e.value)

    def clip(self) -> None:
        """Bring the gradient into its limits, as the optimizer did."""
        clip = self.options.get("clipvalue")
        if clip is not None:
            self.g = self.line("g", smallest_of(largest_of(self.g, -clip), clip))
            return
        alone, together = self.options.get("clipnorm"), self.options.get("global_clipnorm")
        longest = together if alone is None else alone
        if longest is None:
            return
        gradients = [self.event.given[self.which]] if together is None else self.event.given
        length = float(np.sqrt(sum(np.sum(np.square(g), dtype=np.float64) for g in gradients)))
        norm = Part(r"\|g\|", "function", (number_of(length).term(),), length)
        self.lines.append(norm)
        if length > longest:
            self.g = self.line("g", self.g * (number_of(longest) / called(r"\|g\|", norm)))

    def decay(self) -> None:
        """Make the weight smaller before the step."""
        if self.options.get("weight_decay"):
            self.w = self.line("w", self.w - self.rate * self["weight_decay"] * self.w)


def _sgd(r: Rule) -> Expression:
    if not r.before:
        return r.w - r.rate * r.g
    v = r.line("v", r["momentum"] * r.before["velocity"] - r.rate * r.g)
    return r.w + r["momentum"] * v - r.rate * r.g if r.options["nesterov"] else r.w + v


def _adagrad(r: Rule) -> Expression:
    a = r.line("a", r.before["accumulator"] + r.g**2)
    return r.w - r.rate * (r.g / root(a + r["epsilon"]))


def _rmsprop(r: Rule) -> Expression:
    rest = 1 - r.options["rho"]
    v = r.line("v", r["rho"] * r.before["square"] + number_of(rest) * r.g**2)
    under = v + r["epsilon"]
    if r.options["centered"]:
        a = r.line("a", r["rho"] * r.before["average"] + number_of(rest) * r.g)
        spread = v - a**2
        if spread.value < 0:  # by rounding: it is a variance
            spread = number_of(0)
        under = spread + r["epsilon"]
    step = r.rate * (r.g / root(under))
    if not r.options["momentum"]:
        return r.w - step
    return r.w - r.line("u", r["momentum"] * r.before["momentum"] + step)


def _adam(r: Rule) -> Expression:
    first, second = r["beta_1"], r["beta_2"]
    m = r.line("m", first * r.before["m"] + number_of(1 - first.value) * r.g)
    v = r.line("v", second * r.before["v"] + number_of(1 - second.value) * r.g**2)
    if r.options["amsgrad"]:
        v = r.line(r"\hat v", largest_of(r.before["v_max"], v))
    t = r.event.step
    rate = r.rate * (root(1 - second**t) / (1 - first**t))
    alpha = Part(r"\alpha", "function", (rate.term(),), rate.value)
    r.lines.append(alpha)
    return r.w - called(r"\alpha", alpha) * (m / (root(v) + r["epsilon"]))


RULES: Mapping[type, Callable[[Rule], Expression]] = {
    SGD: _sgd,
    Adagrad: _adagrad,
    RMSprop: _rmsprop,
    Adam: _adam,
    AdamW: _adam,
}


def update_view(
    event: Updating, which: int, index: Index, weight: str, gradient: str
) -> UpdateView:
    """How an element of one of the weights was changed."""
    kind = type(event.optimizer)
    old, new = float(event.old[which][index]), float(event.new[which][index])
    rule = Rule(event, which, index, weight, gradient)
    with quiet():
        rule.clip()
        rule.decay()
        if kind in RULES:
            rule.line("w", RULES[kind](rule))
        else:
            change = new - rule.w.value
            rule.line("w", rule.w + number_of(change))
    slots = event.optimizer.slots
    letters = [SLOT_LETTERS.get(name, "u" if kind is RMSprop else name[0]) for name in slots]
    return UpdateView(
        weight,
        index,
        float(event.given[which][index]),
        (*_settings(event, kind), ("t", float(event.step))),
        dict(zip(letters, _at(event.before[which], index), strict=True)),
        dict(zip(letters, _at(event.after[which], index), strict=True)),
        formula_of(event),
        tuple(rule.lines),
        old,
        new,
    )


def formula_of(event: Updating) -> str:
    """The optimizer's rule, with the clipping and the decay before it."""
    name = name_in_latex(type(event.optimizer).__name__)
    own = event.optimizer.formula or rf"w_i \leftarrow {name}(w_i, g_i)"
    return whole_rule(event.optimizer, own)


def _settings(event: Updating, kind: type) -> tuple[tuple[str, float], ...]:
    mentioned = [
        (letter_, float(event.settings[name]))
        for name, letter_ in (*SETTINGS.get(kind, ()), *COMMON)
        if event.settings.get(name)
    ]
    return ((r"\eta", float(event.rate)), *mentioned)


def _at(slots: tuple[np.ndarray, ...], index: Index) -> list[float]:
    return [float(slot[index]) for slot in slots]
