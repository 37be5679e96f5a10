"""Watching a training step: what was computed, passed back, and changed.

A tensor remembers its op and its inputs, so what a forward step computed needs no recording of its
own: only that it happened, and where. The engine and the optimizers look once each time whether
someone watches, and tell.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from tinydl.engine import Op, Tensor
from tinydl.explain.frames import (
    layer_called,
    name_of_array,
    name_of_tensor,
    source_of,
    users_frame,
)
from tinydl.explain.page import Source
from tinydl.recording import mode

Key = tuple[int, int]  # a tensor; and, as a leaf may be assigned another array, which of these


@dataclass
class Applying:
    """An op was applied; where no gradient is wanted, the tensors themselves know nothing of it."""

    y: Tensor
    op: Op
    inputs: tuple[Tensor, ...]
    read: tuple[np.ndarray, ...]
    source: Source | None = None
    layer: str | None = None
    key: Key = (0, 0)

    def __post_init__(self) -> None:
        self.key = key_of(self.y, None if self.y.op is not None else self.y.data)


@dataclass
class PassingBack:
    """Gradients were passed back through `walked`, from the outputs to all they need."""

    outputs: Sequence[Tensor]
    seeds: list[np.ndarray]
    walked: list[Tensor]
    gradients: dict[int, np.ndarray]
    source: Source | None = None


@dataclass
class Updating:
    """An optimizer changed weights; one entry a weight in each of the lists."""

    optimizer: Any
    settings: dict[str, Any]
    rate: float
    step: int
    variables: list[Tensor]
    given: list[np.ndarray]
    clipped: list[np.ndarray]
    old: list[np.ndarray]
    before: list[tuple[np.ndarray, ...]]
    source: Source | None = None
    new: list[np.ndarray] = field(default_factory=list)
    after: list[tuple[np.ndarray, ...]] = field(default_factory=list)


Event = Applying | PassingBack | Updating


class Recorder:
    """Someone who watches.

    Attributes
    ----------
    events : list
        What happened, in order.
    names : dict
        What the user calls a tensor.
    left_out : int
        How many more things happened after the recorder was full.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.events: list[Event] = []
        self.made: dict[Key, Tensor] = {}  # kept, so that their ids stay their own
        self.inputs: dict[int, Tensor] = {}
        self.names: dict[Key, str] = {}
        self.left_out = 0

    def has_room(self) -> bool:
        """Whether one more thing is taken in; if not, it is counted."""
        is_full = len(self.events) >= self.limit
        self.left_out += is_full
        return not is_full

    def saw_op(
        self,
        y: Tensor,
        op: Op,
        inputs: tuple[Tensor, ...],
        read: tuple[np.ndarray, ...],
        frame: FrameType | None,
    ) -> None:
        """An op has been applied."""
        if not self.has_room():
            return
        user = users_frame(frame)
        for x, array in zip(inputs, read, strict=True):
            self._learn_name(x, array, user)
        self._take_in(Applying(y, op, inputs, read, source_of(user), layer_called(frame)))

    def _take_in(self, event: Applying) -> None:
        self.made[event.key] = event.y
        self.events.append(event)

    def saw_gradients(
        self,
        outputs: Sequence[Tensor],
        output_gradients: Sequence[Any],
        walked: list[Tensor],
        found: dict[int, Tensor],
    ) -> None:
        """Gradients have been passed back; what was computed before anyone watched is made up."""
        if all(y.op is None for y in walked) or not self.has_room():
            return
        for y in walked:
            if y.op is not None and key_of(y, None) not in self.made:
                self._take_in(Applying(y, y.op, y.inputs, y.arrays_read))
        gradients = {key: gradient.data for key, gradient in found.items()}
        seeds = [
            np.ones(y.shape) if given is None else np.asarray(getattr(given, "data", given))
            for y, given in zip(outputs, output_gradients, strict=True)
        ]
        user = users_frame(sys._getframe(1))
        self.learn_names(user)
        self.events.append(PassingBack(tuple(outputs), seeds, walked, gradients, source_of(user)))

    def before_update(
        self, optimizer: Any, pairs: list[tuple[np.ndarray, Tensor]], clipped: list[np.ndarray]
    ) -> None:
        """An optimizer is about to change weights."""
        if not self.has_room():
            return
        variables = [variable for _, variable in pairs]
        self.events.append(
            Updating(
                optimizer=optimizer,
                settings=dict(vars(optimizer)),
                rate=optimizer.learning_rate,
                step=optimizer.iterations + 1,
                variables=variables,
                given=[g for g, _ in pairs],
                clipped=clipped,
                old=[variable.data for variable in variables],
                before=[optimizer._state[variable] for variable in variables],
                source=source_of(users_frame(sys._getframe(1))),
            )
        )

    def after_update(self, optimizer: Any) -> None:
        """It has changed them."""
        event = self.events[-1] if self.events else None
        if isinstance(event, Updating) and event.optimizer is optimizer and not event.new:
            event.new = [variable.data for variable in event.variables]
            event.after = [optimizer._state[variable] for variable in event.variables]

    def learn_names(self, frame: FrameType | None) -> None:
        """Take names from a frame for all that has none yet."""
        for key, y in self.made.items():
            if key not in self.names:
                name = y.name or name_of_tensor(y, frame)
                if name is not None:
                    self.names[key] = name

    def _learn_name(self, x: Tensor, array: np.ndarray, frame: FrameType | None) -> None:
        key = key_of(x, array)
        if key in self.names:
            return
        self.inputs[id(x)] = x
        name = x.name or name_of_tensor(x, frame)
        if name is None and x.op is None and key not in self.made:
            name = name_of_array(array, frame)
        if name is not None:
            self.names[key] = name


@contextmanager
def unwatched() -> Iterator[None]:
    """Compute something for a page; whoever watches is not to see it."""
    before, mode.observer = mode.observer, None
    try:
        yield
    finally:
        mode.observer = before


def key_of(x: Tensor, array: np.ndarray | None) -> Key:
    """What tells values apart: the tensor, and of a leaf the array that it had then."""
    return id(x), id(array) if x.op is None else 0
