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

Arrays inside tensors are frozen (read-only). A tensor that is not the result of an op can be given
another array by `Tensor.assign`; whoever recorded the former one notices.

Source: Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 3.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tinydl.errors import DTypeError, GradientError, ShapeError

DEFAULT_DTYPE = np.dtype("float32")


class _Mode(threading.local):
    recording = True


_mode = _Mode()


@contextmanager
def _recording(on: bool) -> Iterator[None]:
    before, _mode.recording = _mode.recording, on
    try:
        yield
    finally:
        _mode.recording = before


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


class Tensor:
    """An array that remembers the op and the inputs it was made from.

    Use `tensor` to make one. Operators, indexing and NumPy's array methods (``x.sum(axis=0)``,
    ``x @ w``, ``x[1:]``) are ops of `tinydl.ops`, installed on this class by that package.

    Attributes
    ----------
    data : numpy.ndarray
        The values, read-only. ``x.numpy()`` is the same array, ``np.array(x)`` a copy to write to.
    requires_grad : bool
        Whether gradients flow to this tensor.
    grad : Tensor or None
        What `backward` added up here; only in leaves, and where `retain_grad` asked for it.
    op : Op or None
        The op that made this tensor; None for a leaf.
    inputs : tuple of Tensor
        That op's inputs, in the order of ``op.input_names``.
    name : str or None
        A name for messages, such as ``"dense/kernel"``.
    """

    __slots__ = (
        "__weakref__",
        "_arrays_read",
        "_retains_grad",
        "data",
        "grad",
        "inputs",
        "name",
        "op",
        "requires_grad",
    )
    # NumPy then leaves `array + tensor` to Tensor.__radd__ instead of making an object array.
    __array_ufunc__ = None

    data: np.ndarray
    requires_grad: bool
    grad: Tensor | None
    op: Op | None
    inputs: tuple[Tensor, ...]
    name: str | None

    def __init__(self, data: Any, requires_grad: bool = False, name: str | None = None) -> None:
        if requires_grad and data.dtype.kind != "f":
            raise DTypeError(
                "tensor",
                "requires_grad=True with dtype",
                got=data.dtype,
                expected="a floating dtype",
                hint="gradients of whole numbers are not defined; pass dtype='float32'",
            )
        data.flags.writeable = False
        self.data = data
        self.requires_grad = requires_grad
        self.name = name
        self.grad = None
        self.op = None
        self.inputs = ()
        self._arrays_read: tuple[np.ndarray, ...] = ()
        self._retains_grad = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype:
        """The type of the elements."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.data.size

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        return self.op is None

    def numpy(self) -> np.ndarray:
        """The values as a read-only array, not copied."""
        return self.data

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.size != 1:
            raise ShapeError(
                "item", "the tensor", got=self.shape, expected="exactly one element", hint="index it first"
            )
        return self.data.item()

    def detach(self) -> Tensor:
        """The same values without the history: no gradient flows through."""
        return Tensor(self.data, name=self.name)

    def retain_grad(self) -> None:
        """Ask `backward` to keep the gradient of this interior tensor in ``.grad``."""
        self._retains_grad = True

    def assign(self, value: Any) -> None:
        """Give a leaf other values of the same shape; they are copied and cast to its dtype.

        A gradient that still needs the former values raises `GradientError` instead of using these.
        """
        if not self.is_leaf:
            raise GradientError(
                "assign",
                f"the tensor is the result of {self.op}, only leaves can be assigned",
                hint="assign to detach() of it, or compute a new tensor",
            )
        array = np.array(value.data if isinstance(value, Tensor) else value, dtype=self.dtype)
        if array.shape != self.shape:
            raise ShapeError(
                f"assign to {self.name or 'a tensor'}", "value", got=array.shape, expected=self.shape
            )
        array.flags.writeable = False
        self.data = array

    def backward(self, gradient: Any = None, create_graph: bool = False) -> None:
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
        gradients = [] if gradient is None else [gradient]
        for x, x_bar in backpropagate([self], gradients, create_graph=create_graph):
            if x.is_leaf or x._retains_grad:
                x_bar = x_bar if create_graph else x_bar.detach()
                x.grad = x_bar if x.grad is None else _add(x.grad, x_bar, create_graph)

    def __repr__(self) -> str:
        values = np.array2string(self.data, separator=", ", prefix="tensor(")
        dtype = "" if self.dtype in (DEFAULT_DTYPE, np.int64, np.bool_) else f", dtype={self.dtype}"
        origin = f", op={self.op}" if self.op else ", requires_grad=True" if self.requires_grad else ""
        return f"tensor({values}{dtype}{origin})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return self.data.__index__()

    def __setitem__(self, key: Any, value: Any) -> None:
        raise GradientError(
            "tensor[...] = value",
            "tensors do not change in place",
            hint="use ops.where for a changed copy, or assign() to give a leaf other values",
        )

    if TYPE_CHECKING:  # installed by tinydl.ops, from each op's `methods`

        def __getattr__(self, name: str) -> Callable[..., Tensor]: ...
        def __getitem__(self, key: Any) -> Tensor: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...


def tensor(
    data: Any, requires_grad: bool = False, dtype: Any = None, name: str | None = None
) -> Tensor:
    """Make a tensor from numbers; they are copied.

    Parameters
    ----------
    data : array_like or Tensor
        Arrays keep their dtype; Python floats become float32, Python integers int64.
    requires_grad : bool
        Whether gradients flow to this tensor.
    dtype : dtype, optional
        Convert to this type.
    name : str, optional
        A name for messages.

    Raises
    ------
    DTypeError
        When the data are not numbers, or not real.
    ShapeError
        When nested lists have different lengths.

    Examples
    --------
    >>> tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    >>> tensor([1.0]).dtype, tensor(np.array([1.0])).dtype
    (dtype('float32'), dtype('float64'))
    """
    if isinstance(data, Tensor):
        data = data.data
    try:
        array = np.array(data, dtype=dtype)
    except ValueError as error:
        raise ShapeError("tensor", "data", hint=f"not a rectangular array of numbers ({error})") from None
    except TypeError as error:
        raise DTypeError("tensor", "data", hint=f"not an array of numbers ({error})") from None
    if array.dtype.kind not in "fiub":
        raise DTypeError(
            "tensor", "data", got=f"of dtype {array.dtype}", expected="real numbers or booleans"
        )
    came_from_python = not isinstance(data, (np.ndarray, np.generic))
    if dtype is None and came_from_python and array.dtype == np.float64:
        array = array.astype(DEFAULT_DTYPE)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return Tensor(array, requires_grad, name)


def _dtype_beside(number: float, dtypes: list[np.dtype]) -> np.dtype:
    """The dtype a Python number takes beside arrays of these dtypes: it never upcasts floats."""
    python_number = float(number) if isinstance(number, float) else number
    dtype = np.result_type(python_number, *dtypes)
    return DEFAULT_DTYPE if dtype == np.float64 and np.float64 not in dtypes else dtype


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
    """A formula with its forward computation and its gradient rules; subclass it to add one.

    A subclass gives its `input_names`, states its `formula`, computes `forward` on arrays, and defines
    for each differentiable input a method of the input's name, marked with `rule`::

        class Multiply(Op):
            input_names = ("x1", "x2")
            formula = r"y_i = a_i b_i"
            broadcasts = True

            def forward(self, x1, x2):
                return x1 * x2

            @rule(r"\\bar a_i = \\bar y_i b_i")
            def x1(self, y_bar, y, x1, x2):
                return y_bar * x2

            @rule(r"\\bar b_i = \\bar y_i a_i")
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
        Where the op is not differentiable, and which value the rules take there.
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
    methods: ClassVar[tuple[str, ...]] = ()
    rules: ClassVar[tuple[Rule | None, ...]] = ()
    registry: ClassVar[dict[str, type[Op]]] = {}

    def __init_subclass__(cls, abstract: bool = False) -> None:
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
            return low + rng.uniform(0.5, 2.0, shape) if np.isfinite(low) else rng.normal(size=shape)

        for shape in ((3, 4), (), (1,), (0, 2)):
            yield cls(), tuple(draw(*shape) for _ in cls.input_names)
        if cls.broadcasts:
            yield cls(), (draw(2, 3, 4), *(draw(3, 1) for _ in cls.input_names[1:]))

    def forward(self, *arrays: Any) -> Any:
        """Compute the result from arrays; must not change them."""
        raise NotImplementedError

    def check(self, *arrays: np.ndarray) -> None:
        """Raise `ShapeError` or `DTypeError` when the inputs do not fit; called before `forward`."""

    def __call__(self, *inputs: Any) -> Tensor:
        """Apply the op to tensors, arrays or numbers, and record it when a gradient is wanted."""
        for x in inputs:
            if type(x) is not Tensor:
                inputs = self._as_tensors(inputs)
                break
        arrays = tuple([x.data for x in inputs])
        self.check(*arrays)
        try:
            with np.errstate(all="ignore"):  # inf and nan are values here, not warnings
                data = self.forward(*arrays)
        except ValueError as error:
            if not self.broadcasts:
                raise
            raise self._shape_error(arrays) from error
        y = Tensor(data if type(data) is np.ndarray else np.asarray(data))
        if _mode.recording:
            for position, x in enumerate(inputs):
                if x.requires_grad and self.rule_of(position):
                    y.requires_grad = True
                    y.op, y.inputs, y._arrays_read = self, inputs, arrays
                    break
        return y

    def _as_tensors(self, inputs: Sequence[Any]) -> tuple[Tensor, ...]:
        """Wrap arrays and numbers; a Python number takes the dtype of the arrays beside it."""
        dtypes = [
            x.dtype
            for position, x in enumerate(inputs)
            if isinstance(x, (Tensor, np.ndarray)) and (self.rule_of(position) or not any(self.rules))
        ]

        def wrap(x: Any) -> Tensor:
            if isinstance(x, Tensor):
                return x
            beside = dtypes and isinstance(x, (bool, int, float))
            return tensor(x, dtype=_dtype_beside(x, dtypes) if beside else None)

        return tuple([wrap(x) for x in inputs])

    def rule_of(self, position: int) -> Rule | None:
        """The gradient rule of the input at this position, or None."""
        return self.rules[min(position, len(self.rules) - 1)]

    def input_name(self, position: int) -> str:
        """What the input at this position is called: ``"x1"``, or ``"xs[2]"`` for a starred one."""
        name = self.input_names[min(position, len(self.input_names) - 1)]
        return f"{name[1:]}[{position}]" if name.startswith("*") else name

    def gradient(self, position: int, y_bar: Tensor, y: Tensor) -> Tensor | None:
        """The gradient of the input at this position, of that input's shape and dtype."""
        x, apply_rule = y.inputs[position], self.rule_of(position)
        if apply_rule is None:
            return None
        settings = {"position": position} if self.input_names[-1].startswith("*") else {}
        x_bar = apply_rule(self, y_bar, y, *y.inputs, **settings)
        if self.broadcasts:
            x_bar = sum_to(x_bar, x.data.shape)
        if x_bar.data.shape != x.data.shape:
            raise GradientError(
                self.name,
                f"the gradient rule of {self.input_name(position)} returned shape",
                got=x_bar.shape,
                expected=f"{x.shape}, the shape of that input",
            )
        return x_bar if x_bar.data.dtype == x.data.dtype else x_bar.astype(x.dtype)

    def _shape_error(self, arrays: Sequence[np.ndarray]) -> ShapeError:
        shapes = ", ".join(f"{name} is {a.shape}" for name, a in zip(self.input_names, arrays, strict=False))
        return ShapeError(
            self.name, shapes, hint="these shapes do not broadcast: aligned at the right, each pair of "
            "lengths must be equal or one of them 1"
        )

    def __repr__(self) -> str:
        settings = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if not k.startswith("_"))
        return f"{self.name}({settings})" if settings else self.name


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


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
        axis for axis, n in enumerate(x_bar.shape) if axis < extra or (shape[axis - extra] == 1 and n != 1)
    )
    return x_bar.sum(axis=stretched, keepdims=True).reshape(shape)


def topological_order(outputs: Iterable[Tensor]) -> list[Tensor]:
    """Every tensor that requires a gradient and leads to `outputs`, inputs before results."""
    order, seen = [], set()
    stack = [(y, False) for y in outputs if y.requires_grad]
    while stack:
        t, inputs_done = stack.pop()
        if inputs_done:
            order.append(t)
        elif id(t) not in seen:
            seen.add(id(t))
            stack.append((t, True))
            stack.extend([(x, False) for x in t.inputs if x.requires_grad])
    return order


def backpropagate(
    outputs: Sequence[Tensor],
    output_gradients: Sequence[Any] = (),
    wanted: Sequence[Tensor] | None = None,
    create_graph: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Walk from `outputs` back to the leaves; yield each tensor with its complete gradient.

    The chain rule is this one loop. It changes nothing of the caller's: gradients live in a table
    of its own, and an entry goes as soon as it has been passed on.
    """
    order = topological_order(outputs)
    needed = None if wanted is None else _between(order, wanted)
    gradient_of: dict[int, Tensor] = {}
    for y, y_bar in zip(outputs, _seeds(outputs, output_gradients), strict=True):
        _accumulate(gradient_of, y, y_bar, create_graph)
    while order:
        t = order.pop()
        t_bar = gradient_of.pop(id(t), None)
        if t_bar is None:
            continue
        yield t, t_bar
        if t.op is None:
            continue
        _refuse_changed_inputs(t)
        for position, x in enumerate(t.inputs):
            if x.requires_grad and (needed is None or id(x) in needed):
                with _recording(create_graph):
                    x_bar = t.op.gradient(position, t_bar, t)
                if x_bar is not None:
                    _accumulate(gradient_of, x, x_bar, create_graph)


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
    for position, x in enumerate(xs):
        if not x.requires_grad:
            raise GradientError(
                "grad", f"inputs[{position}] does not require a gradient",
                hint="make it with tinydl.tensor(..., requires_grad=True)",
            )
    if grad_outputs is None:
        y_bars: list[Any] = []
    else:
        y_bars = [grad_outputs] if isinstance(outputs, Tensor) else list(grad_outputs)
    found = {id(x): x_bar for x, x_bar in backpropagate(ys, y_bars, xs, create_graph)}
    gradients = [found.get(id(x)) for x in xs]
    unused = [position for position, g in enumerate(gradients) if g is None]
    if unused and not allow_unused:
        raise GradientError(
            "grad", f"the outputs do not depend on inputs {unused}",
            hint="pass allow_unused=True to get None for those",
        )
    return gradients[0] if isinstance(inputs, Tensor) else gradients


def _between(order: list[Tensor], wanted: Sequence[Tensor]) -> set[int]:
    """The ids of the tensors in `order` through which a gradient reaches one of `wanted`."""
    needed = {id(x) for x in wanted}
    for t in order:
        if any(id(x) in needed for x in t.inputs):
            needed.add(id(t))
    return needed


def _seeds(outputs: Sequence[Tensor], output_gradients: Sequence[Any]) -> list[Tensor]:
    """The gradients to start from: those given, or 1 for outputs that are a single number."""
    seeds = []
    if output_gradients and len(output_gradients) != len(outputs):
        raise GradientError(
            "grad", "grad_outputs", got=f"{len(output_gradients)} gradients", expected=len(outputs)
        )
    for position, y in enumerate(outputs):
        if not y.requires_grad:
            raise GradientError(
                "backward", "the tensor does not depend on anything that requires a gradient",
                hint="make the inputs with requires_grad=True, and do not compute under no_grad()",
            )
        y_bar = output_gradients[position] if output_gradients else None
        if y_bar is None:
            if y.size != 1:
                raise GradientError(
                    "backward", "the tensor", got=f"of shape {y.shape}", expected="a single number",
                    hint="reduce it with sum() or mean(), or pass the gradient that arrives from above",
                )
            y_bar = Tensor(np.ones(y.shape, y.dtype))
        elif not isinstance(y_bar, Tensor):
            y_bar = tensor(y_bar, dtype=y.dtype)
        if y_bar.shape != y.shape:
            raise ShapeError("backward", "gradient", got=y_bar.shape, expected=y.shape)
        seeds.append(y_bar)
    return seeds


def _accumulate(gradient_of: dict[int, Tensor], x: Tensor, x_bar: Tensor, create_graph: bool) -> None:
    so_far = gradient_of.get(id(x))
    gradient_of[id(x)] = x_bar if so_far is None else _add(so_far, x_bar, create_graph)


def _add(a: Tensor, b: Tensor, create_graph: bool) -> Tensor:
    with _recording(create_graph):
        return a + b


def _refuse_changed_inputs(y: Tensor) -> None:
    for position, (x, array) in enumerate(zip(y.inputs, y._arrays_read, strict=True)):
        if x.data is not array:
            assert y.op is not None
            raise GradientError(
                y.op.name,
                f"its input {y.op.input_name(position)}"
                + (f" ({x.name})" if x.name else "")
                + " was assigned other values after the op had read it",
                hint="call backward() before assign(), or compute the result again",
            )
