r"""The engine: tensors that remember how they were made, and the chain rule that walks back.

A `Tensor` is a NumPy array together with the op that made it and that op's inputs. Following the
inputs from a result leads through everything it was computed from: that is the graph, there is no
other. An `Op` is a formula with two readings: `forward` (arrays in, an array out) and one gradient
rule for each input (tensors in, a tensor out).

Let :math:`L` be a scalar, and write :math:`\bar t = \partial L / \partial t`. For :math:`y = f(x)`
a rule turns :math:`\bar y` into :math:`\bar x`, and a tensor that was used several times adds up
what arrives by each use:

.. math:: \bar x_i = \sum_{y \text{ made from } x} \sum_j \bar y_j \frac{\partial y_j}{\partial x_i}

`backpropagate` does just that, last tensor first. Rules are written in tensor operations, so with
``create_graph=True`` the gradient is itself recorded and can be differentiated again, to any order.

Source: Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 3.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from tinydl.errors import GradientError, ShapeError
from tinydl.tensor import DEFAULT_DTYPE, Tensor, tensor

__all__ = [
    "DEFAULT_DTYPE",
    "Op",
    "Tensor",
    "backpropagate",
    "backward",
    "enable_grad",
    "floats_among_whole_numbers",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "quiet",
    "rule",
    "sum_to",
    "tensor",
    "topological_order",
]


class _Mode(threading.local):
    recording = True
    quiet = False


_mode = _Mode()


@contextmanager
def _recording(on: bool) -> Iterator[None]:
    before, _mode.recording = _mode.recording, on
    try:
        yield
    finally:
        _mode.recording = before


@contextmanager
def quiet() -> Iterator[None]:
    """Let inf and nan be values, not NumPy warnings; every op runs so, around many it is cheaper.

    Examples
    --------
    >>> with quiet():
    ...     print(np.float32(1) / np.float32(0))
    inf
    """
    before, _mode.quiet = _mode.quiet, True
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        _mode.quiet = before


def no_grad() -> Any:
    """Do not record: a context manager, and a decorator.

    Examples
    --------
    >>> w = tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     y = w * 3.0
    >>> y.requires_grad
    False
    """
    return _recording(False)


def enable_grad() -> Any:
    """Record, also inside of `no_grad`: a context manager, and a decorator.

    Examples
    --------
    >>> w = tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad(), enable_grad():
    ...     y = w * 3.0
    >>> y.requires_grad
    True
    """
    return _recording(True)


def is_grad_enabled() -> bool:
    """Whether ops are recorded here and now.

    Examples
    --------
    >>> with no_grad():
    ...     print(is_grad_enabled())
    False
    """
    return _mode.recording


Rule = Callable[..., Any]


def rule(formula: str) -> Callable[[Rule], Rule]:
    """Mark a method of an `Op` as the gradient rule of the input it is named after.

    Parameters
    ----------
    formula : str
        The rule in LaTeX, with scalar indices; a bar marks the gradient of the loss.
    """

    def mark(method: Rule) -> Rule:
        method.formula = formula  # type: ignore[attr-defined]  # functions take attributes
        return method

    return mark


class Op:
    r"""A formula with its forward computation and its gradient rules; subclass it to add one.

    A subclass gives its `input_names`, states its `formula`, computes `forward` on arrays, and
    defines for each differentiable input a method of the input's name, marked with `rule`::

        class Multiply(Op):
            input_names = ("x1", "x2")
            formula = r"y_i = a_i b_i"
            broadcasts = True

            def forward(self, x1, x2):
                return x1 * x2

            @rule(r"\bar a_i = \bar y_i b_i")
            def x1(self, y_bar, y, x1, x2):
                return y_bar * x2

            @rule(r"\bar b_i = \bar y_i a_i")
            def x2(self, y_bar, y, x1, x2):
                return y_bar * x1

    An op with settings (a stride, an axis) takes them in ``__init__`` and keeps them on `self`.

    Attributes
    ----------
    input_names : tuple of str
        What the inputs are called. A single name with a star, ``"*xs"``, takes any number; its rule
        gets the keyword ``position``.
    formula : str
        LaTeX, with scalar indices.
    broadcasts : bool
        Whether inputs are stretched to a common shape as in NumPy. The engine then sums the
        gradient over the stretched axes; every other rule must return its input's shape.
    domain : (float, float)
        The open interval of input values on which the op is defined.
    kinks : str
        Where the op is not differentiable, and which value the rules take there, in words;
        `conventions` says the same in numbers.
    linear_in : tuple of str
        The inputs in which the op is linear while the others are held fixed.
    methods : tuple of str
        The names under which `Tensor` offers the op.
    rules : tuple
        One rule an input, None where the input has no gradient. Filled in by the class itself.
    """

    name: ClassVar[str] = ""
    input_names: ClassVar[tuple[str, ...]] = ()
    formula: ClassVar[str] = ""
    broadcasts: ClassVar[bool] = False
    domain: ClassVar[tuple[float, float]] = (-np.inf, np.inf)
    kinks: ClassVar[str] = ""
    linear_in: tuple[str, ...] = ()
    methods: ClassVar[tuple[str, ...]] = ()
    starred: ClassVar[bool] = False
    rules: tuple[Rule | None, ...] = ()
    registry: ClassVar[dict[str, type[Op]]] = {}

    def __init_subclass__(cls, abstract: bool = False) -> None:
        cls.starred = any(name.startswith("*") for name in cls.input_names)
        cls.rules = tuple(getattr(cls, name.lstrip("*"), None) for name in cls.input_names)
        if not abstract:
            cls.name = cls.__dict__.get("name") or _snake_case(cls.__name__)
            cls.registry[cls.name] = cls

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[tuple[Op, tuple[np.ndarray, ...]]]:
        """Ops with inputs they accept, in float64, for tests and explanations.

        The default serves ops on single elements, and stretches one input over the other when the
        op broadcasts.
        """
        low, high = cls.domain

        def draw(*shape: int) -> np.ndarray:
            if np.isfinite(low) and np.isfinite(high):
                return rng.uniform(low, high, shape)
            size = rng.uniform(0.25, 2.0, shape)  # off zero, where many ops have their kink
            return low + size if np.isfinite(low) else size * rng.choice([-1, 1], shape)

        for shape in ((3, 4), (), (1,), (0, 2)):
            yield cls(), tuple(draw(*shape) for _ in cls.input_names)
        if cls.broadcasts:
            yield cls(), (draw(2, 3, 4), *(draw(3, 1) for _ in cls.input_names[1:]))

    @classmethod
    def conventions(cls) -> Iterator[tuple[Op, tuple[Any, ...], tuple[Any, ...]]]:
        """What the rules return where the op has no derivative: at kinks, ties and jumps.

        Each item is an op, its inputs, and for each input with a rule the gradient that goes down
        when ones arrive. An op with `kinks` has at least one.
        """
        return iter(())

    def forward(self, *arrays: Any) -> Any:
        """Compute the result from arrays; must not change them."""
        raise NotImplementedError

    def check(self, *arrays: Any) -> None:
        """Raise `ShapeError` or `DTypeError` when inputs do not fit; called before `forward`."""

    def __call__(self, *inputs: Any) -> Tensor:
        """Apply the op to tensors, arrays or numbers, and record it when a gradient is wanted."""
        for x in inputs:
            if type(x) is not Tensor:
                inputs = self._as_tensors(inputs)
                break
        arrays = tuple([x.data for x in inputs])
        self.check(*arrays)
        operands = floats_among_whole_numbers(arrays) if self.broadcasts else arrays
        try:
            if _mode.quiet:
                data = self.forward(*operands)
            else:
                with np.errstate(all="ignore"):
                    data = self.forward(*operands)
        except ValueError as error:
            if not self.broadcasts:
                raise
            raise self._shape_error(arrays) from error
        if type(data) is not np.ndarray:
            data = np.asarray(data)
        if _mode.recording:
            for x, rule_of_x in zip(inputs, self.rules_for(inputs), strict=True):
                if x.requires_grad and rule_of_x is not None:
                    return Tensor(data, True, None, self, inputs, arrays)
        return Tensor(data)

    def _as_tensors(self, inputs: Sequence[Any]) -> tuple[Tensor, ...]:
        """Wrap arrays and numbers.

        A Python number takes the dtype of the arrays beside it, unless it is an index or a
        condition: an input without a rule among inputs that have one.
        """
        wrapped = [x if isinstance(x, (Tensor, bool, int, float)) else tensor(x) for x in inputs]
        rules = self.rules_for(inputs)
        dtypes = [
            x.dtype
            for x, rule_of_x in zip(wrapped, rules, strict=True)
            if isinstance(x, Tensor) and (rule_of_x or not any(rules))
        ]
        return tuple(
            [
                x
                if isinstance(x, Tensor)
                else _number_beside(x, dtypes if rule_of_x or not any(rules) else [])
                for x, rule_of_x in zip(wrapped, rules, strict=True)
            ]
        )

    def rules_for(self, inputs: Sequence[Any]) -> tuple[Rule | None, ...]:
        """One rule for each of these inputs: a starred op repeats the one it has."""
        rules = self.rules
        return rules if len(rules) == len(inputs) else rules * len(inputs)

    def input_name(self, position: int) -> str:
        """What the input at this position is called: ``"x1"``, or ``"xs[2]"`` for a starred one."""
        name = self.input_names[min(position, len(self.input_names) - 1)]
        return f"{name[1:]}[{position}]" if name.startswith("*") else name

    def gradient(self, position: int, y_bar: Tensor, y: Tensor) -> Tensor | None:
        """The gradient of the input at this position, of that input's shape and dtype."""
        rule_of_x = self.rules_for(y.inputs)[position]
        if rule_of_x is None:
            return None
        x = y.inputs[position].data
        if self.starred:
            x_bar = rule_of_x(self, y_bar, y, *y.inputs, position=position)
        else:
            x_bar = rule_of_x(self, y_bar, y, *y.inputs)
        if self.broadcasts:
            x_bar = sum_to(x_bar, x.shape)
        if x_bar.data.shape != x.shape:
            raise GradientError(
                self.name,
                f"the gradient rule of {self.input_name(position)} returned shape",
                got=x_bar.shape,
                expected=f"{x.shape}, the shape of that input",
            )
        return x_bar if x_bar.data.dtype == x.dtype else x_bar.astype(x.dtype)

    def _shape_error(self, arrays: Sequence[np.ndarray]) -> ShapeError:
        shapes = ", ".join(
            f"{name} is {a.shape}" for name, a in zip(self.input_names, arrays, strict=False)
        )
        return ShapeError(
            self.name,
            shapes,
            hint="these shapes do not broadcast: aligned at the right, each pair of "
            "lengths must be equal or one of them 1",
        )

    def __repr__(self) -> str:
        settings = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if not k.startswith("_"))
        return f"{self.name}({settings})" if settings else self.name


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def floats_among_whole_numbers(arrays: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Whole numbers beside floats take their dtype: NumPy would make float32 * int64 float64.

    Examples
    --------
    >>> floats_among_whole_numbers((np.ones(2, "float32"), np.array(3)))[1].dtype
    dtype('float32')
    """
    first = arrays[0].dtype
    if all([a.dtype is first for a in arrays]):
        return arrays
    floats = [a.dtype for a in arrays if a.dtype.kind == "f"]
    if not floats:
        return arrays
    dtype = np.result_type(*floats)
    return tuple([a.astype(dtype) if a.dtype.kind in "iu" else a for a in arrays])


def _number_beside(number: float, dtypes: list[np.dtype]) -> Tensor:
    """A Python number as a tensor; beside tensors it takes their dtype and never upcasts floats."""
    if not dtypes:
        return tensor(number)
    dtype = dtypes[0] if len(dtypes) == 1 else np.result_type(*dtypes)
    if dtype.kind != "f":
        dtype = DEFAULT_DTYPE if isinstance(number, float) else np.result_type(dtype, number)
    return Tensor(np.array(number, dtype))


def sum_to(x_bar: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Undo broadcasting: what was stretched from `shape` is added up again.

    Examples
    --------
    >>> sum_to(tensor([[1.0, 2.0], [3.0, 4.0]]), (2, 1))
    tensor([[3.],
            [7.]])
    """
    if x_bar.data.shape == shape:
        return x_bar
    extra = x_bar.ndim - len(shape)
    stretched = tuple(
        axis
        for axis, n in enumerate(x_bar.shape)
        if axis < extra or (shape[axis - extra] == 1 and n != 1)
    )
    return x_bar.sum(axis=stretched, keepdims=True).reshape(shape)


def topological_order(outputs: Iterable[Tensor]) -> list[Tensor]:
    """Every tensor that requires a gradient and leads to `outputs`, inputs before results."""
    found = {id(y): y for y in outputs}
    to_visit = list(found.values())
    while to_visit:
        for x in to_visit.pop().inputs:
            if x.requires_grad and id(x) not in found:
                found[id(x)] = x
                to_visit.append(x)
    return sorted(found.values(), key=attrgetter("serial_number"))


def backpropagate(
    outputs: Sequence[Tensor],
    output_gradients: Sequence[Any],
    order: list[Tensor],
    wanted: Iterable[Tensor],
    create_graph: bool,
) -> dict[int, Tensor]:
    """Walk `order` back from `outputs`; return the complete gradients of `wanted`, by id.

    The chain rule is this one loop. It changes nothing of the caller's but `order`, which it eats
    up, so that what nobody else holds is freed on the way. Gradients live in a table of its own,
    and an entry goes as soon as it has been passed on.
    """
    wanted_ids = {id(x) for x in wanted}
    needed = _leading_to(wanted_ids, order)
    gradient_of: dict[int, Tensor] = {}
    found: dict[int, Tensor] = {}

    def arrive(x: Tensor, x_bar: Tensor) -> None:
        so_far = gradient_of.get(id(x))
        gradient_of[id(x)] = x_bar if so_far is None else so_far + x_bar

    with _recording(create_graph), quiet():
        for y, seed in zip(outputs, _seeds(outputs, output_gradients), strict=True):
            arrive(y, seed)
        while order:
            y = order.pop()
            y_bar = gradient_of.pop(id(y), None)
            if y_bar is None:
                continue
            if id(y) in wanted_ids:
                found[id(y)] = y_bar
            if y.op is None:
                continue
            for position, x in enumerate(y.inputs):
                if x.data is not y.arrays_read[position]:
                    raise _changed_input(y.op, position, x)
                if x.requires_grad and id(x) in needed:
                    x_bar = y.op.gradient(position, y_bar, y)
                    if x_bar is not None:
                        arrive(x, x_bar)
    return found


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> Any:
    """The gradients of `outputs` with respect to `inputs`; nothing is stored anywhere.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
        What to differentiate; several outputs are added up.
    inputs : Tensor or sequence of Tensor
        With respect to what.
    grad_outputs : array_like or sequence, optional
        What arrives from above, one for each output; ones for single numbers by default.
    create_graph : bool
        Record the computation of the gradient, so that it can be differentiated again.
    allow_unused : bool
        Return None for inputs the outputs do not depend on, instead of raising.

    Returns
    -------
    Tensor or list of Tensor
        One for each input; a single one if `inputs` is a single tensor.

    Raises
    ------
    GradientError
        When an input does not require a gradient or does not lead to the outputs.

    Examples
    --------
    The third derivative of x**3:

    >>> x = tensor(2.0, requires_grad=True)
    >>> first = grad(x**3, x, create_graph=True)
    >>> second = grad(first, x, create_graph=True)
    >>> first.item(), second.item(), grad(second, x).item()
    (12.0, 12.0, 6.0)
    """
    ys = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    xs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    y_bars = [grad_outputs] if isinstance(outputs, Tensor) else grad_outputs or [None] * len(ys)
    for position, x in enumerate(xs):
        if not x.requires_grad:
            raise GradientError(
                "grad",
                f"inputs[{position}] does not require a gradient",
                hint="make it with tinydl.tensor(..., requires_grad=True)",
            )
    found = backpropagate(ys, y_bars, topological_order(ys), xs, create_graph)
    gradients = [found.get(id(x)) for x in xs]
    unused = [position for position, x_bar in enumerate(gradients) if x_bar is None]
    if unused and not allow_unused:
        raise GradientError(
            "grad",
            f"the outputs do not depend on inputs {unused}",
            hint="pass allow_unused=True to get None for those",
        )
    return gradients[0] if isinstance(inputs, Tensor) else gradients


def backward(self: Tensor, gradient: Any = None, create_graph: bool = False) -> None:
    """Add the gradient of this tensor to ``.grad`` of every leaf it was computed from.

    Parameters
    ----------
    gradient : array_like, optional
        What arrives from above, of this tensor's shape; may be left out for a single number.
    create_graph : bool
        Record the backward computation, so that it can be differentiated again.

    Examples
    --------
    >>> w = tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    tensor([2., 4., 6.])
    """
    order = topological_order([self])
    wanted = [x for x in order if x.is_leaf or x.retains_grad]
    found = backpropagate([self], [gradient], order, wanted, create_graph)
    with _recording(create_graph):
        for x in wanted:
            x_bar = found.get(id(x))
            if x_bar is not None:
                x_bar = x_bar if create_graph else x_bar.detach()
                x.grad = x_bar if x.grad is None else x.grad + x_bar


Tensor.backward = backward  # type: ignore[method-assign]  # tensors know nothing of the walk


def _leading_to(wanted_ids: set[int], order: Sequence[Tensor]) -> set[int]:
    """The ids of the tensors in `order` through which a gradient reaches one of those wanted."""
    needed = set(wanted_ids)
    for y in order:
        for x in y.inputs:
            if id(x) in needed:
                needed.add(id(y))
                break
    return needed


def _seeds(outputs: Sequence[Tensor], output_gradients: Sequence[Any]) -> Iterator[Tensor]:
    """The gradients to start from: those given, or 1 for outputs that are a single number."""
    if len(output_gradients) != len(outputs):
        raise GradientError(
            "grad", "the number of grad_outputs", got=len(output_gradients), expected=len(outputs)
        )
    for y, y_bar in zip(outputs, output_gradients, strict=True):
        if not y.requires_grad:
            raise GradientError(
                "backward",
                "the tensor does not depend on anything that requires a gradient",
                hint="make the inputs with requires_grad=True, and do not compute under no_grad()",
            )
        if y_bar is None and y.size != 1:
            raise GradientError(
                "backward",
                "the tensor",
                got=f"of shape {y.shape}",
                expected="a single number",
                hint="reduce it with sum() or mean(), or pass the gradient that arrives from above",
            )
        if y_bar is None:
            y_bar = np.ones(y.shape, y.dtype)
        if not isinstance(y_bar, Tensor):
            y_bar = tensor(y_bar, dtype=y.dtype)
        if y_bar.shape != y.shape:
            raise ShapeError("backward", "gradient", got=y_bar.shape, expected=y.shape)
        yield y_bar


def _changed_input(op: Op, position: int, x: Tensor) -> GradientError:
    called = f"{op.input_name(position)} ({x.name})" if x.name else op.input_name(position)
    return GradientError(
        op.name,
        f"its input {called} was assigned other values after the op had read it",
        hint="call backward() before assign(), or compute the result again",
    )
