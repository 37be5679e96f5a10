"""From what was watched to the pages of a story: steps with names, letters and shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinydl.engine import Tensor
from tinydl.explain.applied import Applied, Operand
from tinydl.explain.elements import element_view
from tinydl.explain.gradients import Passage, has_own_gradient, rule_formula
from tinydl.explain.letters import (
    formula_of_op,
    letter_of_result,
    letters_of,
    mentions,
    settings_of,
    shape_of,
)
from tinydl.explain.naming import Names, axes_of
from tinydl.explain.page import (
    GRADIENT,
    ElementView,
    GradientView,
    Index,
    Step,
    UpdateView,
    Value,
    excerpt,
)
from tinydl.explain.recorder import (
    Applying,
    Key,
    PassingBack,
    Recorder,
    Updating,
    key_of,
    unwatched,
)
from tinydl.explain.updates import SLOT_LETTERS, formula_of, update_view


def tell(recorder: Recorder) -> tuple[Step, ...]:
    """The steps of all that was watched."""
    teller = _Teller(recorder)
    for event in recorder.events:
        if isinstance(event, Applying):
            teller.tell_applying(event)
        elif isinstance(event, PassingBack):
            teller.tell_passing_back(event)
        elif event.new:  # an optimizer that raised has changed nothing
            teller.tell_updating(event)
    return tuple(teller.steps)


class _Forward:
    """Says more about a forward step."""

    def __init__(self, applied: Applied) -> None:
        self.applied = applied

    def element(self, index: Index) -> ElementView:
        with unwatched():
            return element_view(self.applied, index)

    def gradient(self, name: str, index: Index, with_difference: bool) -> GradientView:
        raise NotImplementedError

    def update(self, index: Index) -> UpdateView:
        raise NotImplementedError


class _Backward(_Forward):
    """Says more about a backward step."""

    def __init__(self, passage: Passage, tensors: dict[str, Tensor]) -> None:
        self.passage, self.tensors = passage, tensors

    def gradient(self, name: str, index: Index, with_difference: bool) -> GradientView:
        with unwatched():
            return self.passage.view(self.tensors[name], name, index, with_difference)


class _Update(_Forward):
    """Says more about an update."""

    def __init__(self, event: Updating, which: int, weight: str, gradient: str) -> None:
        self.event, self.which, self.weight, self.gradient_name = event, which, weight, gradient

    def update(self, index: Index) -> UpdateView:
        return update_view(self.event, self.which, index, self.weight, self.gradient_name)


class _Teller:
    """Goes through the events and keeps what later ones refer to.

    Attributes
    ----------
    applied : dict
        By the id of its result, each op that was applied.
    made_in : dict
        By its key, the step that made a value.
    forward_step : dict
        By the id of its result, the number of a forward step.
    gradient_name, gradient_steps : dict
        By the ids of its array and of its tensor (tensors may share one array), what a gradient is
        called, and the steps that made it.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.steps: list[Step] = []
        self.names = Names(recorder.names)
        self.applied: dict[int, Applied] = {}
        self.made_in: dict[Key, int] = {}
        self.forward_step: dict[int, int] = {}
        self.gradient_name: dict[tuple[int, int], str] = {}
        self.gradient_steps: dict[tuple[int, int], tuple[int, ...]] = {}

    # Forward.

    def tell_applying(self, event: Applying) -> None:
        y, op, layer = event.y, event.op, event.layer
        letters = letters_of(op, len(event.inputs))
        arrays = arrays_of(event)
        names = [
            self.names.of_input(x, array, op, position, layer)
            for position, (x, array) in enumerate(zip(event.inputs, arrays, strict=True))
        ]
        operands = tuple(map(Operand, names, letters, arrays))
        name = self.names.of_result(y, event.key, op, layer)
        applied = Applied(op, operands, y.data, letter_of_result(op), name)
        keys = [key_of(x, array) for x, array in zip(event.inputs, arrays, strict=True)]
        roles = map(_role, event.inputs)
        inputs = [_value(*what, layer) for what in zip(names, letters, arrays, roles, strict=True)]
        output = _value(name, applied.symbol, y.data, _role(y), layer)
        step = Step(
            number=len(self.steps) + 1,
            kind="forward",
            title=f"{layer}: {op.name}" if layer else op.name,
            layer=layer,
            op=op.name,
            formula=formula_of_op(op, letters),
            rules=(),
            shapes=_shapes([*inputs, output], settings_of(op, arrays, op.formula)),
            inputs=_each_once(inputs),
            outputs=(output,),
            source=event.source,
            after=_sorted(self.made_in.get(key) for key in keys),
            views=_Forward(applied),
        )
        self.steps.append(step)
        self.applied[id(y)] = applied
        self.made_in[event.key] = self.forward_step[id(y)] = step.number

    # Backward.

    def tell_passing_back(self, event: PassingBack) -> None:
        gradients = event.gradients
        passed_on = [
            y
            for y in reversed(event.walked)
            if y.op is not None and id(y) in gradients and any(id(x) in gradients for x in y.inputs)
        ]
        first = len(self.steps) + 1
        numbers = {id(y): first + i for i, y in enumerate(passed_on)}
        names = {
            id(x): self.names.unique(GRADIENT + self.names.of(x, self._array(x, event)))
            for x in event.walked
            if id(x) in gradients
        }
        for x in event.walked:
            if id(x) in gradients:
                key = id(gradients[id(x)]), id(x)
                self.gradient_name[key] = names[id(x)]
                self.gradient_steps[key] = self._came_from(x, passed_on, numbers)
        passage = Passage(event, self.applied, numbers, names)
        for y in passed_on:
            self._tell_passing_on(event, y, passage)

    def _array(self, x: Tensor, event: PassingBack) -> np.ndarray | None:
        """What a leaf held at the time."""
        if x.op is not None:
            return None
        for y in event.walked:
            for one, array in zip(y.inputs, y.arrays_read, strict=True):
                if one is x:
                    return array
        return x.data

    def _came_from(
        self, x: Tensor, passed_on: Sequence[Tensor], numbers: dict[int, int]
    ) -> tuple[int, ...]:
        """The backward steps that brought something to a tensor; or what made the output."""
        steps = [numbers[id(y)] for y in passed_on if any(one is x for one in y.inputs)]
        return tuple(sorted(steps)) or _sorted([self.forward_step.get(id(x))])

    def _tell_passing_on(self, event: PassingBack, y: Tensor, passage: Passage) -> None:
        op = y.op
        assert op is not None
        applied, gradients = self.applied[id(y)], event.gradients
        y_bar = gradients[id(y)]
        forward = self.steps[self.forward_step[id(y)] - 1]
        layer = forward.layer
        arriving = _value(passage.names[id(y)], rf"\bar {applied.symbol}", y_bar, "gradient", layer)
        outputs: list[Value] = []
        rules: list[tuple[str, str]] = []
        tensors: dict[str, Tensor] = {}
        for position, x in enumerate(y.inputs):
            has_rule = op.rules_for(y.inputs)[position] is not None
            if id(x) not in gradients or not (has_rule or has_own_gradient(op)):
                continue
            name = passage.names[id(x)]
            symbol = rf"\bar {applied.operands[position].symbol}"
            outputs.append(_value(name, symbol, gradients[id(x)], "gradient", layer))
            rules.append((name, rule_formula(applied, position)))
            tensors[name] = x
        if not outputs:
            outputs = [arriving]
        formula = r", \quad ".join(dict.fromkeys(formula for _, formula in rules))
        result = [value for value in forward.outputs if mentions(formula, value.symbol)]
        settings = settings_of(op, applied.arrays, formula)
        read = [value for value in forward.inputs if mentions(formula, value.symbol)]
        self.steps.append(
            Step(
                number=len(self.steps) + 1,
                kind="backward",
                title=forward.title,
                layer=layer,
                op=op.name,
                formula=formula,
                rules=tuple(rules),
                shapes=_shapes([arriving, *outputs, *read, *result], settings),
                inputs=_each_once([arriving, *forward.inputs, *result]),
                outputs=_each_once(outputs),
                source=forward.source,
                after=self.gradient_steps[id(y_bar), id(y)],
                of=forward.number,
                views=_Backward(passage, tensors),
            )
        )

    # Update.

    def tell_updating(self, event: Updating) -> None:
        optimizer = event.optimizer
        for which, variable in enumerate(event.variables):
            old, new, given = event.old[which], event.new[which], event.given[which]
            weight = self.names.of(variable, old)
            key = id(given), id(variable)
            gradient = self.gradient_name.get(key) or self.names.unique(GRADIENT + weight)
            result = self.names.of(variable, new)
            inputs = [
                _value(weight, "w", old, "weight", None),
                _value(gradient, "g", given, "gradient", None),
            ]
            for slot, array in zip(optimizer.slots, event.before[which], strict=True):
                symbol = SLOT_LETTERS.get(slot, slot[0])
                inputs.append(_value(f"{slot} of {weight}", symbol, array, "state", None))
            before = _sorted([self.made_in.get(key_of(variable, old))])
            number = len(self.steps) + 1
            self.steps.append(
                Step(
                    number=number,
                    kind="update",
                    title=f"{optimizer.name}: {weight}",
                    layer=self.names.layer_of(weight),
                    op=optimizer.name,
                    formula=formula_of(event),
                    rules=(),
                    shapes=_shapes(inputs[:2]),
                    inputs=tuple(inputs),
                    outputs=(_value(result, "w", new, "weight", None),),
                    source=event.source,
                    after=_sorted([*before, *self.gradient_steps.get(key, ())]),
                    views=_Update(event, which, weight, gradient),
                )
            )
            self.made_in[key_of(variable, new)] = number


def arrays_of(event: Applying) -> list[np.ndarray]:
    """What an op read; a tensor that was computed together with others computes its values now."""
    return [
        read if x.op is None else x.data for x, read in zip(event.inputs, event.read, strict=True)
    ]


def _role(x: Tensor) -> str:
    if x.op is not None:
        return "activation"
    return "weight" if x.requires_grad else "input"


def _value(name: str, symbol: str, array: np.ndarray, role: str, layer: str | None) -> Value:
    axes = axes_of(name, array.shape, layer)
    return Value(name, symbol, array.shape, str(array.dtype), axes, excerpt(array), role)


def _shapes(values: Sequence[Value], settings: Sequence[str] = ()) -> str:
    shapes = [shape_of(v.symbol, v.shape, np.dtype(v.dtype)) for v in values]
    return r", \quad ".join(dict.fromkeys([*shapes, *settings]))


def _each_once(values: Sequence[Value]) -> tuple[Value, ...]:
    return tuple({value.name: value for value in reversed(values)}.values())[::-1]


def _sorted(steps: object) -> tuple[int, ...]:
    assert hasattr(steps, "__iter__")
    return tuple(sorted({step for step in steps if step is not None}))
