"""The tensor: an array that remembers the op and the inputs it was made from.

Arrays inside tensors are frozen (read-only), so what an op has read stays as it was. A tensor that
is not the result of an op can be given another array by `Tensor.assign`; whoever recorded the
former one notices (`tinydl.engine`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tinydl.errors import DTypeError, GradientError, ShapeError

if TYPE_CHECKING:
    from tinydl.engine import Op
    from tinydl.fused import Shortcut

DEFAULT_DTYPE = np.dtype("float32")

next_serial_number = itertools.count().__next__


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
    arrays_read : tuple of numpy.ndarray
        Their arrays at the time the op read them; only shape and dtype count where an input is the
        result of an op.
    serial_number : int
        Counts the tensors made; a result always has a higher number than its inputs.
    name : str or None
        A name for messages, such as ``"dense/kernel"``.
    shortcut : Shortcut or None
        A way back past the ops that `tinydl.fused` computed together, as long as nobody has asked
        for the tensors in between.
    """

    __slots__ = (
        "__weakref__",
        "arrays_read",
        "data",
        "grad",
        "inputs",
        "name",
        "op",
        "requires_grad",
        "retains_grad",
        "serial_number",
        "shortcut",
    )
    # NumPy then leaves `array + tensor` to Tensor.__radd__ instead of making an object array.
    __array_ufunc__ = None

    data: np.ndarray
    requires_grad: bool
    grad: Tensor | None
    op: Op | None
    inputs: tuple[Tensor, ...]
    arrays_read: tuple[np.ndarray, ...]
    serial_number: int
    name: str | None
    retains_grad: bool
    shortcut: Shortcut | None

    def __init__(
        self,
        data: np.ndarray,
        requires_grad: bool = False,
        name: str | None = None,
        op: Op | None = None,
        inputs: tuple[Tensor, ...] = (),
        arrays_read: tuple[np.ndarray, ...] = (),
    ) -> None:
        if requires_grad and op is None and data.dtype.kind != "f":
            raise DTypeError(
                "tensor",
                "requires_grad=True with dtype",
                got=data.dtype,
                expected="a floating dtype",
                hint="gradients of whole numbers are not defined; pass dtype='float32'",
            )
        data.setflags(False)  # type: ignore[call-arg]  # write=False by name takes twice as long
        self.data = data
        self.requires_grad = requires_grad
        self.name = name
        self.op = op
        self.inputs = inputs
        self.arrays_read = arrays_read
        self.serial_number = next_serial_number()
        self.grad = None
        self.retains_grad = False
        self.shortcut = None

    def __getattr__(self, name: str) -> Any:
        """Make up for what `fused` leaves out until it is asked for: inputs, and values in between.

        Python calls this for attributes it does not find.
        """
        if name in ("inputs", "arrays_read"):
            assert self.shortcut is not None
            self.shortcut.give_way(self)
            return self.inputs if name == "inputs" else self.arrays_read
        if name != "data":
            raise AttributeError(f"a Tensor has no attribute {name!r}")
        assert self.op is not None
        arrays = [
            read if x.op is None else x.data
            for x, read in zip(self.inputs, self.arrays_read, strict=True)
        ]
        self.data = self.op.evaluate(arrays)
        self.data.setflags(write=False)
        return self.data

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
                "item",
                "the tensor",
                got=self.shape,
                expected="exactly one element",
                hint="index it first",
            )
        return self.data.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.data.tolist()

    def detach(self) -> Tensor:
        """The same values without the history: no gradient flows through."""
        return Tensor(self.data, name=self.name)

    def retain_grad(self) -> None:
        """Ask `backward` to keep the gradient of this interior tensor in ``.grad``."""
        self.retains_grad = True

    def assign(self, value: Any, copy: bool = True) -> None:
        """Give a leaf other values of the same shape; they are copied and cast to its dtype.

        With ``copy=False``, an array of that dtype is not copied and becomes read-only: for one
        that nobody else writes to. A gradient that still needs the former values raises
        `GradientError` instead of using these.
        """
        if not self.is_leaf:
            raise GradientError(
                "assign",
                f"the tensor is the result of {self.op}, only leaves can be assigned",
                hint="assign to detach() of it, or compute a new tensor",
            )
        values = value.data if isinstance(value, Tensor) else value
        array = np.array(values, dtype=self.data.dtype, copy=copy or None)
        if array.shape != self.data.shape:
            raise ShapeError(
                f"assign to {self.name or 'a tensor'}",
                "value",
                got=array.shape,
                expected=self.shape,
            )
        array.setflags(write=False)
        self.data = array

    def __repr__(self) -> str:
        values = np.array2string(self.data, separator=", ", prefix="tensor(")
        dtype = "" if self.dtype in (DEFAULT_DTYPE, np.int64, np.bool_) else f", dtype={self.dtype}"
        origin = (
            f", op={self.op}" if self.op else ", requires_grad=True" if self.requires_grad else ""
        )
        return f"tensor({values}{dtype}{origin})"

    def __format__(self, spec: str) -> str:
        return format(self.item() if spec and self.size == 1 else str(self), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy the values, not the history: what comes back is a leaf, born anew."""
        return _born_again, (self.data, self.requires_grad and self.is_leaf, self.name, self.grad)

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

    if TYPE_CHECKING:  # installed by tinydl.engine, and by tinydl.ops from each op's `methods`
        backward: Callable[..., None]
        T: Tensor
        mT: Tensor

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
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
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
    GradientError
        When a list holds tensors that require a gradient: it would be lost.

    Examples
    --------
    >>> tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    >>> tensor([1.0]).dtype, tensor(np.array([1.0])).dtype
    (dtype('float32'), dtype('float64'))
    """
    if isinstance(data, Tensor):
        data = data.data
    elif _holds_gradients(data):
        raise GradientError(
            "tensor",
            "data is a list of tensors that require a gradient, which would be lost",
            hint="join them with ops.stack(), or pass what detach() returns",
        )
    try:
        array = np.array(data, dtype=dtype)
    except ValueError as error:
        raise ShapeError(
            "tensor", "data", hint=f"not a rectangular array of numbers ({error})"
        ) from None
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


def _holds_gradients(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        worth_a_look = not {Tensor, list, tuple}.isdisjoint(map(type, data))  # numbers are many
        return worth_a_look and any(map(_holds_gradients, data))
    return isinstance(data, Tensor) and data.requires_grad


def _born_again(
    data: np.ndarray, requires_grad: bool, name: str | None, gradient: Tensor | None
) -> Tensor:
    born = Tensor(data.copy(), requires_grad, name)
    born.grad = gradient
    return born
