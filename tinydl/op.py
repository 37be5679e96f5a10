"""The op: a formula with two readings, forward (arrays) and backward (one rule for each input)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from tinydl.errors import DTypeError, GradientError, ShapeError
from tinydl.recording import mode, silence, unsilence
from tinydl.tensor import DEFAULT_DTYPE, Tensor, tensor

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
    literal : callable or None
        For a hot loop: the formula read literally, in nested loops; see `tinydl.kernels.literal`.
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
    literal: ClassVar[Callable[..., np.ndarray] | None] = None
    methods: ClassVar[tuple[str, ...]] = ()
    starred: ClassVar[bool] = False
    rules: tuple[Rule | None, ...] = ()
    _checks: ClassVar[bool] = False
    registry: ClassVar[dict[str, type[Op]]] = {}

    def __init_subclass__(cls, abstract: bool = False) -> None:
        cls.starred = any(name.startswith("*") for name in cls.input_names)
        cls.rules = tuple(getattr(cls, name.lstrip("*"), None) for name in cls.input_names)
        cls._checks = cls.check is not Op.check
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
        arrays = []
        wants_gradient = False
        for x in inputs:  # one loop for all that is asked of every input: most ops are small
            if type(x) is not Tensor:
                return self(*self._as_tensors(inputs))
            arrays.append(x.data)
            if x.requires_grad:
                wants_gradient = True
        data = self.evaluate(arrays)
        if (
            wants_gradient
            and mode.recording
            and (None not in self.rules or self._leads_back(inputs))
        ):
            return Tensor(data, True, None, self, inputs, tuple(arrays))
        return Tensor(data)

    def evaluate(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Check the arrays and compute `forward`; nothing is recorded."""
        if self._checks:
            self.check(*arrays)
        operands = arrays
        if self.broadcasts and not (len(arrays) == 2 and arrays[0].dtype is arrays[1].dtype):
            operands = floats_among_whole_numbers(arrays)
        token = silence()
        try:
            data = self.forward(*operands)
        except ValueError as error:
            if not self.broadcasts or _fit_together(arrays):
                raise
            raise self._shape_error(arrays) from error
        finally:
            unsilence(token)
        return data if type(data) is np.ndarray else np.asarray(data)

    def _leads_back(self, inputs: Sequence[Tensor]) -> bool:
        """Whether a rule leads to an input that requires a gradient."""
        return any(
            x.requires_grad and rule_of_x
            for x, rule_of_x in zip(inputs, self.rules_for(inputs), strict=True)
        )

    def _as_tensors(self, inputs: Sequence[Any]) -> tuple[Tensor, ...]:
        """Wrap arrays and numbers.

        A Python number takes the dtype of the arrays beside it, unless it is an index or a
        condition: an input without a rule among inputs that have one.
        """
        if all(isinstance(x, Tensor) for x in inputs):
            return tuple(inputs)
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
        x = y.arrays_read[position]
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


def _fit_together(arrays: Sequence[np.ndarray]) -> bool:
    """Whether the shapes broadcast."""
    try:
        np.broadcast_shapes(*[a.shape for a in arrays])
    except ValueError:
        return False
    return True


def floats_among_whole_numbers(arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """Whole numbers beside floats take their dtype: NumPy would make float32 * int64 float64.

    Examples
    --------
    >>> floats_among_whole_numbers((np.ones(2, "float32"), np.array(3)))[1].dtype
    dtype('float32')
    """
    first = arrays[0].dtype
    for a in arrays[1:]:
        if a.dtype is not first:
            break
    else:
        return arrays
    floats = [a.dtype for a in arrays if a.dtype.kind == "f"]
    if not floats:
        return arrays
    dtype = np.result_type(*floats)
    return [a.astype(dtype) if a.dtype.kind in "iu" else a for a in arrays]


def _number_beside(number: float, dtypes: list[np.dtype]) -> Tensor:
    """A Python number as a tensor; beside tensors it takes their dtype and never upcasts floats."""
    if not dtypes:
        return tensor(number)
    dtype = dtypes[0] if len(dtypes) == 1 else np.result_type(*dtypes)
    if dtype.kind != "f":
        dtype = DEFAULT_DTYPE if isinstance(number, float) else np.result_type(dtype, number)
    token = silence()
    try:
        return Tensor(np.array(number, dtype))
    except OverflowError:
        raise DTypeError(
            "tensor", "a number", got=number, expected=f"one that fits into {dtype}"
        ) from None
    finally:
        unsilence(token)


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
    if extra:
        x_bar = x_bar.sum(axis=tuple(range(extra)))
    stretched = tuple([i for i, n in enumerate(x_bar.data.shape) if n != shape[i]])
    return x_bar.sum(axis=stretched, keepdims=True) if stretched else x_bar
