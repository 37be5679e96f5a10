r"""Derivatives as functions: gradients, Jacobians, Hessians, and their products with vectors.

`tinydl.grad` differentiates what has been computed; the functions here take a function. They make
nodes of their own for its arguments, so that only the dependence *through the arguments* counts,
whatever else `f` uses, and they nest: ``jacobian(jacobian(f))`` is the Hessian. A result can be
differentiated further when something outside asks for it, as an argument or a parameter that `f`
uses and that requires a gradient does; otherwise nothing stays recorded.

Reverse mode gives a row of the Jacobian J at the cost of a few evaluations of `f`, as
:math:`\bar x = J^T \bar y`. A column :math:`\dot y = J \dot x` takes one step more:
:math:`J^T u` is linear in u, so its own gradient with respect to u, with :math:`\dot x` arriving,
is :math:`J \dot x`.

Names and arguments are those of ``jax.value_and_grad`` and ``torch.func``; `hvp` is that of
``torch.autograd.functional``.

Source: Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, sections 3.2 and 5.2;
the step from rows to columns: J. Townsend, *A new trick for calculating Jacobian vector products*,
2017.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinydl.engine import Tensor, enable_grad, grad, is_grad_enabled, tensor, topological_order
from tinydl.errors import ArgumentError, DTypeError, ShapeError
from tinydl.ops.convert import convert_to_tensor
from tinydl.ops.elementwise import Cast
from tinydl.ops.joining import Stack

__all__ = ["hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]


def value_and_grad(
    f: Callable[..., Tensor], argnums: int | Sequence[int] = 0
) -> Callable[..., Any]:
    """A function that returns the value of `f` and its gradient.

    Parameters
    ----------
    f : callable
        Returns a single number.
    argnums : int or sequence of int
        By which positional arguments to differentiate.

    Returns
    -------
    callable
        Takes the arguments of `f`, returns its value, and a gradient of that argument's shape, or a
        tuple of gradients when `argnums` are several.

    Raises
    ------
    GradientError
        When `f` returns more than one number.

    Examples
    --------
    >>> value, gradient = value_and_grad(lambda x: (x * x).sum())([1.0, 2.0])
    >>> value, gradient
    (tensor(5.), tensor([2., 4.]))
    """

    def both(*arguments: Any, **settings: Any) -> Any:
        y, xs, outside = _evaluate("value_and_grad", f, arguments, argnums, settings)
        gradients = _gradients([y], [None], xs, outside)
        return _result(y, outside), _one_or_all(gradients, argnums)

    return both


def jacobian(f: Callable[..., Tensor], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    r"""A function that returns the Jacobian of `f`: every derivative of every number it returns.

    .. math:: J_{ij} = \frac{\partial y_i}{\partial x_j}

    Parameters
    ----------
    f : callable
        Returns a tensor.
    argnums : int or sequence of int
        By which positional arguments to differentiate.

    Returns
    -------
    callable
        Takes the arguments of `f`, returns a tensor of the shape of the result followed by that of
        the argument, or a tuple of these when `argnums` are several.

    Examples
    --------
    >>> jacobian(lambda x: x * x)([1.0, 2.0])
    tensor([[2., 0.],
            [0., 4.]])
    """

    def all_rows(*arguments: Any, **settings: Any) -> Any:
        y, xs, outside = _evaluate("jacobian", f, arguments, argnums, settings)
        rows = [_gradients([y], [row], xs, outside) for row in _rows_of_the_identity(y)]
        blocks = [
            Stack()(*[row[i] for row in rows]).reshape(y.shape + x.shape)
            if rows
            else tensor(np.zeros(y.shape + x.shape, x.dtype))
            for i, x in enumerate(xs)
        ]
        return _one_or_all(blocks, argnums)

    return all_rows


def hessian(f: Callable[..., Tensor], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    r"""A function that returns the Hessian of `f`: all its second derivatives.

    .. math:: H_{ij} = \frac{\partial^2 y}{\partial x_i \partial x_j}

    Parameters
    ----------
    f : callable
        Returns a tensor, most often a single number.
    argnums : int or sequence of int
        By which positional arguments to differentiate.

    Returns
    -------
    callable
        Takes the arguments of `f`, returns a tensor of the shape of the result followed twice by
        that of the argument. When `argnums` are several it returns a tuple of tuples; in row i and
        column j stand the derivatives by the arguments i and j.

    Examples
    --------
    >>> hessian(lambda x: (x**3).sum())([1.0, 2.0])
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    if isinstance(argnums, int):
        return jacobian(jacobian(f, argnums), argnums)

    def all_blocks(*arguments: Any, **settings: Any) -> Any:
        return tuple(
            tuple(jacobian(jacobian(f, i), j)(*arguments, **settings) for j in argnums)
            for i in argnums
        )

    return all_blocks


def vjp(f: Callable[..., Tensor], *primals: Any) -> tuple[Tensor, Callable[[Any], Any]]:
    r"""The value of `f`, and a function from what arrives at it to what goes down to its arguments.

    .. math:: \bar x_j = \sum_i \bar y_i \frac{\partial y_i}{\partial x_j}

    Parameters
    ----------
    f : callable
        Returns a tensor.
    *primals : array_like
        Its arguments.

    Returns
    -------
    y : Tensor
    vjp_function : callable
        Takes a tensor of the shape of `y`, returns a tuple with one tensor for each argument.

    Examples
    --------
    >>> y, down = vjp(lambda x: x * x, [1.0, 2.0])
    >>> down([1.0, 10.0])
    (tensor([ 2., 40.]),)
    """
    y, xs, outside = _evaluate("vjp", f, primals, range(len(primals)), {})

    def down(cotangent: Any) -> tuple[Tensor, ...]:
        y_bar = convert_to_tensor(cotangent)
        return tuple(_gradients([y], [y_bar], xs, outside or y_bar.requires_grad))

    return _result(y, outside), down


def jvp(
    f: Callable[..., Tensor], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Tensor, Tensor]:
    r"""The value of `f`, and how fast it changes when its arguments change at a given rate.

    .. math:: \dot y_i = \sum_j \frac{\partial y_i}{\partial x_j} \dot x_j

    Parameters
    ----------
    f : callable
        Returns a tensor.
    primals : tuple of array_like
        Its arguments.
    tangents : tuple of array_like
        A rate for each argument, of its shape.

    Returns
    -------
    y, y_dot : Tensor
        Of one shape.

    Raises
    ------
    ShapeError
        When a rate has another shape than its argument.

    Examples
    --------
    >>> y, y_dot = jvp(lambda x: x * x, ([1.0, 2.0],), ([1.0, 10.0],))
    >>> y_dot
    tensor([ 2., 40.])
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise DTypeError("jvp", name, got=type(given).__name__, expected="a tuple of arguments")
    y, xs, outside = _evaluate("jvp", f, primals, range(len(primals)), {})
    x_dots = _vectors("jvp", "tangents", tangents, xs)
    outside = outside or any(x_dot.requires_grad for x_dot in x_dots)
    with enable_grad():
        u = Tensor(np.zeros(y.shape, y.dtype), requires_grad=y.requires_grad)
        x_bars = _gradients([y], [u], xs, create_graph=True)
        y_dot = _gradients(x_bars, x_dots, [u], outside)[0]
    return _result(y, outside), y_dot


def hvp(f: Callable[..., Tensor], inputs: Any, v: Any) -> tuple[Tensor, Any]:
    r"""The value of `f`, and its Hessian times a vector, without the Hessian.

    .. math:: h_i = \sum_j \frac{\partial^2 y}{\partial x_i \partial x_j} v_j

    Parameters
    ----------
    f : callable
        Returns a single number.
    inputs : array_like, or tuple of array_like
        Its argument, or its arguments.
    v : array_like, or tuple of array_like
        The vector, of the shape of the inputs.

    Returns
    -------
    y : Tensor
    product : Tensor, or tuple of Tensor
        Of the shape of the inputs.

    Raises
    ------
    GradientError
        When `f` returns more than one number.
    ShapeError
        When `v` has another shape.

    Examples
    --------
    >>> hvp(lambda x: (x**3).sum(), [1.0, 2.0], [1.0, 10.0])
    (tensor(9.), tensor([  6., 120.]))
    """
    several = isinstance(inputs, tuple)
    arguments, vectors = (inputs, v) if several else ((inputs,), (v,))
    y, xs, outside = _evaluate("hvp", f, arguments, range(len(arguments)), {})
    vectors = _vectors("hvp", "v", vectors, xs)
    outside = outside or any(vector.requires_grad for vector in vectors)
    with enable_grad():
        x_bars = _gradients([y], [None], xs, create_graph=True)
        products = _gradients(x_bars, vectors, xs, outside)
    return _result(y, outside), tuple(products) if several else products[0]


def _evaluate(
    where: str,
    f: Callable[..., Tensor],
    arguments: Sequence[Any],
    argnums: int | Sequence[int],
    settings: dict[str, Any],
) -> tuple[Tensor, list[Tensor], bool]:
    """The result of `f`, the nodes of the arguments, and whether others ask for gradients too."""
    recording, numbers = is_grad_enabled(), [argnums] if isinstance(argnums, int) else argnums
    given = list(arguments)
    with enable_grad():
        for i in numbers:
            if not -len(given) <= i < len(given):
                raise ArgumentError(
                    where,
                    "argnums",
                    got=argnums,
                    expected=f"numbers of positional arguments, of which there are {len(given)}",
                )
            x = convert_to_tensor(given[i])
            if x.dtype.kind != "f":
                raise DTypeError(
                    where, f"argument {i}", got=f"of dtype {x.dtype}", expected="a floating dtype"
                )
            linked = recording and x.requires_grad
            given[i] = Cast(x.dtype)(x) if linked else Tensor(x.data, requires_grad=True)
        y = f(*given, **settings)
    if not isinstance(y, Tensor):
        raise DTypeError(where, "the result of f", got=type(y).__name__, expected="a Tensor")
    xs = [given[i] for i in numbers]
    own = {id(x) for x in xs}
    outside = recording and any(
        x.is_leaf and id(x) not in own for x in topological_order([y]) if x.requires_grad
    )
    return y, xs, outside


def _gradients(
    ys: Sequence[Tensor], y_bars: Sequence[Any], xs: Sequence[Tensor], create_graph: bool
) -> list[Tensor]:
    """What goes down to each of `xs` when `y_bars` arrive; zeros where nothing depends on it."""
    arriving = [(y, y_bar) for y, y_bar in zip(ys, y_bars, strict=True) if y.requires_grad]
    found: list[Any] = [None] * len(xs)
    if arriving:
        outputs, seeds = zip(*arriving, strict=True)
        found = grad(outputs, xs, list(seeds), create_graph, allow_unused=True)
    return [
        tensor(np.zeros(x.shape, x.dtype)) if x_bar is None else x_bar
        for x, x_bar in zip(xs, found, strict=True)
    ]


def _rows_of_the_identity(y: Tensor) -> Iterator[np.ndarray]:
    for i in range(y.size):
        row = np.zeros(y.size, y.dtype)
        row[i] = 1
        yield row.reshape(y.shape)


def _vectors(where: str, argument: str, given: Sequence[Any], xs: Sequence[Tensor]) -> list[Tensor]:
    """One tensor for each of `xs`, of its shape and dtype."""
    if len(given) != len(xs):
        raise ArgumentError(
            where, f"the number of {argument}", got=len(given), expected=f"{len(xs)}, as arguments"
        )
    vectors = [convert_to_tensor(v, x.dtype) for v, x in zip(given, xs, strict=True)]
    for i, (vector, x) in enumerate(zip(vectors, xs, strict=True)):
        if vector.shape != x.shape:
            raise ShapeError(where, f"{argument}[{i}]", got=vector.shape, expected=x.shape)
    return vectors


def _result(y: Tensor, outside: bool) -> Tensor:
    return y if outside else y.detach()


def _one_or_all(results: Sequence[Tensor], argnums: int | Sequence[int]) -> Any:
    return results[0] if isinstance(argnums, int) else tuple(results)
