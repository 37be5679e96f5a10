"""The context in which a training step is watched."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from tinydl.engine import Op, Tensor
from tinydl.errors import ArgumentError
from tinydl.explain.frames import users_frame
from tinydl.explain.recorder import Recorder
from tinydl.explain.story import Story
from tinydl.explain.telling import tell
from tinydl.recording import mode

LIMIT = 1_000


class record:
    r"""Watch a training step, and make a story of it.

    Parameters
    ----------
    title : str
        What the story is called.
    note : str, optional
        One sentence: what to notice.
    limit : int
        How many steps to take in at most. The story keeps the tensors it tells of, as a loss does
        that one holds on to: record one batch, or a few.

    Returns
    -------
    context manager
        It gives the `Story`, whose steps are there when the context ends.

    Examples
    --------
    >>> from tinydl import explain, tensor
    >>> from tinydl.optimizers import SGD
    >>> w = tensor(3.0, requires_grad=True, name="w")
    >>> with explain.record() as story:
    ...     loss = w * w
    ...     loss.backward()
    ...     SGD(learning_rate=0.25).apply([w.grad], [w])
    >>> for step in story:
    ...     print(step.number, step.kind, step.title)
    1 forward multiply
    2 backward multiply
    3 update sgd: w
    >>> story[1].element().formula
    'y = 3 \\cdot 3 = 9'
    >>> story[2].gradient().total
    6.0
    >>> story[3].update().new
    1.5
    """

    def __init__(
        self, title: str = "One training step", note: str | None = None, limit: int = LIMIT
    ):
        if limit < 1:
            raise ArgumentError("record", "limit", got=limit, expected="at least 1")
        self.story = Story(title, note)
        self.recorder = Recorder(limit)

    def __enter__(self) -> Story:
        self.former = mode.observer
        mode.observer = self.recorder
        _watch(+1)
        return self.story

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        mode.observer = self.former
        _watch(-1)
        self.recorder.learn_names(users_frame(sys._getframe(1)))
        self.story.steps = tell(self.recorder)
        self.story.left_out = self.recorder.left_out


_init_of_tensor = Tensor.__init__
_watching = 0


def _watch(change: int) -> None:
    """Put the noting ``__init__`` in place while at least one watches, in whatever thread.

    So the ops need not ask whether anyone does, and cost what they cost without.
    """
    global _watching
    _watching += change
    Tensor.__init__ = _noting_init if _watching else _init_of_tensor  # type: ignore[method-assign]


def _noting_init(self: Tensor, *arguments: Any, **settings: Any) -> None:
    """A tensor is made; where no gradient is wanted, only its maker knows by which op.

    Under `no_grad`, as in the walk back, nothing of that kind is noted.
    """
    _init_of_tensor(self, *arguments, **settings)
    if mode.observer is None:
        return
    frame = sys._getframe(1)
    if self.op is not None:
        mode.observer.saw_op(self, self.op, self.inputs, self.arrays_read, frame)
    elif mode.recording and frame.f_code is Op.__call__.__code__:
        op, inputs = frame.f_locals["self"], frame.f_locals["inputs"]
        mode.observer.saw_op(self, op, inputs, tuple(frame.f_locals["arrays"]), frame)
