"""How one element of a result came about: the page's numbers, for every op there is.

Most ops have a view written by hand: `FORMULAS` for those on single elements, `VIEWS` for those on
rows and windows. The others are read off their gradient rules: an op that is linear in its inputs
is a sum of products, whose factors the rules tell. Whatever is left shows its value, and its
derivatives with respect to the elements it depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product
from operator import mul
from typing import Any

import numpy as np

from tinydl.engine import quiet
from tinydl.explain.applied import Applied, Operand, evaluate, letter, within
from tinydl.explain.elementwise import FORMULAS
from tinydl.explain.expressions import Expression, called, exp, ln, number_of, root, size, whether
from tinydl.explain.formulas import name_in_latex
from tinydl.explain.page import ElementView, Index, Part, Ref, Term, zeros_to_the_middle

LARGE_EXPONENT = 300.0  # beyond, the largest score is subtracted first, as the op does
MANY = 200  # inputs of an unknown op up to here are all said to feed each result
MOVING = {
    *("reshape", "transpose", "broadcast_to", "expand_dims", "squeeze", "concatenate", "stack"),
    *("flip", "roll", "repeat", "tile", "pad", "tril", "triu", "get_item", "take"),
    *("take_along_axis", "max_pool_gather"),
}

View = Callable[[Applied, Index], ElementView]


def element_view(applied: Applied, index: Index) -> ElementView:
    """How the element of the result at this index came about."""
    name = applied.op.name
    ours = type(applied.op).__module__.startswith("tinydl.")
    candidates: list[View] = []
    if ours and name in FORMULAS:
        candidates.append(_elementwise)
    elif ours and name in VIEWS:
        candidates.append(VIEWS[name])
    elif ours and name in MOVING:
        candidates.append(_moved)
    candidates += [_sum_of_products, _weighted_sum]
    for view in candidates:
        found = _try(view, applied, index)
        if found is not None:
            return found
    return _first_order(applied, index)


def _try(view: View, applied: Applied, index: Index) -> ElementView | None:
    """The view if it applies, and if its terms make the value."""
    try:
        with quiet():
            found = view(applied, index)
    except NotImplementedError:
        return None
    return found if adds_up(found, applied.y.dtype) else None


def adds_up(view: ElementView, dtype: np.dtype) -> bool:
    """Whether the terms make the value, to the rounding of a computation in this dtype."""
    eps = np.finfo(dtype).eps if dtype.kind == "f" else np.finfo(np.float32).eps
    with quiet():
        combined = view.result.combined()
        scale = 1 + abs(view.value) + sum(abs(term.value) for term in view.terms)
        return bool(
            np.isclose(combined, view.value, rtol=0, atol=256 * eps * scale, equal_nan=True)
            or not np.isfinite(scale)
        )


# What views are made of.


def _view(
    applied: Applied,
    index: Index,
    combine: str,
    terms: Sequence[Expression],
    parts: Sequence[Part] = (),
) -> ElementView:
    value = float(applied.y[index])
    left = letter(applied.symbol, index)
    made = tuple(e.term() for e in terms)
    result = Part(left, combine, zeros_to_the_middle(made) if combine == "sum" else made, value)
    return ElementView(index, value, result, tuple(parts))


def _part(symbol: str, combine: str, terms: Sequence[Expression]) -> Part:
    made = tuple(e.term() for e in terms)
    unknown = Part(symbol, combine, made, np.nan)
    return Part(symbol, combine, made, unknown.combined())


def _elementwise(applied: Applied, index: Index) -> ElementView:
    numbers = [x.at(within(index, x.array.shape)) for x in applied.operands]
    return _view(applied, index, "function", [FORMULAS[applied.op.name](applied.op, *numbers)])


def _reduced_elements(applied: Applied, index: Index) -> list[Expression]:
    """The elements that became one."""
    (x,) = applied.operands
    op: Any = applied.op
    axes = op.axes(x.array)
    kept = [i for axis, i in enumerate(index) if axis not in axes] if op.keepdims else list(index)
    return [x.at(i) for i in _spread(kept, axes, x.array.shape)]


def _row(x: Operand, axes: Sequence[int], index: Index) -> list[Index]:
    """The places along the axes, through this one."""
    kept = [i for axis, i in enumerate(index) if axis not in axes]
    return _spread(kept, axes, x.array.shape)


def _spread(kept: Sequence[int], axes: Sequence[int], shape: Index) -> list[Index]:
    remaining = iter(kept)
    ranges = [range(n) if axis in axes else (next(remaining),) for axis, n in enumerate(shape)]
    return list(product(*ranges))


# Many elements become one.


def _sum(applied: Applied, index: Index) -> ElementView:
    return _view(applied, index, "sum", _reduced_elements(applied, index))


def _product(applied: Applied, index: Index) -> ElementView:
    return _view(applied, index, "product", _reduced_elements(applied, index))


def _running(combine: str) -> View:
    def view(applied: Applied, index: Index) -> ElementView:
        (x,) = applied.operands
        op: Any = applied.op
        if op.axis is None or x.array.ndim == 0:
            places = list(np.ndindex(*x.array.shape))[: index[0] + 1]
        else:
            axis = op.axis % x.array.ndim
            places = [(*index[:axis], j, *index[axis + 1 :]) for j in range(index[axis] + 1)]
        return _view(applied, index, combine, [x.at(place) for place in places])

    return view


def _mean(applied: Applied, index: Index) -> ElementView:
    xs = _reduced_elements(applied, index)
    s = _part("s", "sum", xs)
    return _view(applied, index, "function", [called("s", s) / len(xs)], [s])


def _extremum(combine: str) -> View:
    def view(applied: Applied, index: Index) -> ElementView:
        initial = getattr(applied.op, "initial", None)
        further = [] if initial is None else [number_of(initial)]
        return _view(applied, index, combine, [*_reduced_elements(applied, index), *further])

    return view


def _place(name: str, compute: Callable[[list[float]], Any]) -> View:
    """Which of the elements it is; of none, the comparison could not be made."""

    def view(applied: Applied, index: Index) -> ElementView:
        op: Any = applied.op
        (x,) = applied.operands
        axes = range(x.array.ndim) if op.axis is None else op.axes(x.array)
        kept = [i for axis, i in enumerate(index) if axis not in axes]
        xs = [x.at(i) for i in _spread(kept if op.keepdims else index, tuple(axes), x.array.shape)]
        text = rf"\operatorname{{{name}}}({_list(xs)})"
        refs = [ref for e in xs for ref in e.refs]
        place = compute([e.value for e in xs])
        return _view(applied, index, "function", [Expression(text, place, 4, refs)])

    return view


def _list(xs: Sequence[Expression], most: int = 8) -> str:
    texts = [e.text for e in xs]
    if len(texts) > most:
        texts = [*texts[: most - 2], r"\dots", texts[-1]]
    return ", ".join(texts)


def _truths(combine: str) -> View:
    """Conditions as 0 or 1: all hold if the smallest is 1, any if the largest is."""

    def view(applied: Applied, index: Index) -> ElementView:
        xs = _reduced_elements(applied, index)
        nothing = [] if combine == "sum" else [number_of(combine == "min")]
        conditions = [whether(r"{} \ne 0", lambda v: v != 0, x) for x in xs]
        return _view(applied, index, combine, conditions or nothing)

    return view


def _spread_about_mean(
    xs: Sequence[Expression],
) -> tuple[list[Part], Expression, Expression]:
    """The parts of a variance: sum, mean, squares, their mean; and mean and variance by name."""
    n = len(xs)
    s = _part("s", "sum", xs)
    m = _part("m", "function", [called("s", s) / n])
    mean = called("m", m)
    q = _part("q", "sum", [(x - mean) ** 2 for x in xs])
    v = _part("v", "function", [called("q", q) / n])
    return [s, m, q, v], mean, called("v", v)


def _variance(applied: Applied, index: Index) -> ElementView:
    xs = _reduced_elements(applied, index)
    *parts, _ = _spread_about_mean(xs)[0]
    return _view(applied, index, "function", [called("q", parts[-1]) / len(xs)], parts)


def _deviation(applied: Applied, index: Index) -> ElementView:
    parts, _, v = _spread_about_mean(_reduced_elements(applied, index))
    return _view(applied, index, "function", [root(v)], parts)


def _power_sum(xs: Sequence[Expression], p: float) -> tuple[Part, Expression]:
    """The sum of the powers, and the length it makes."""
    q = _part("q", "sum", [x**2 if p == 2 else size(x) ** p for x in xs])
    total = called("q", q)
    return q, root(total) if p == 2 else total ** (number_of(1) / p)


def _norm(applied: Applied, index: Index) -> ElementView:
    op: Any = applied.op
    q, length = _power_sum(_reduced_elements(applied, index), op.ord)
    return _view(applied, index, "function", [length], [q])


def _exponentials(zs: Sequence[Expression]) -> tuple[list[Part], Callable[[Any], Expression], Any]:
    """The sum of exponentials; a function that moves a score as they were; and the logarithm.

    Very large scores have the largest subtracted first, which changes nothing in what follows.
    """
    m = max([z.value for z in zs], default=0.0)
    if abs(m) <= LARGE_EXPONENT or not np.isfinite(m):
        total = _part("s", "sum", [exp(z) for z in zs])
        return [total], lambda z: z, ln(called("s", total))
    top = _part("m", "max", zs)
    highest = called("m", top)
    total = _part("s", "sum", [exp(z - highest) for z in zs])
    return [top, total], lambda z: z - highest, highest + ln(called("s", total))


def _logsumexp(applied: Applied, index: Index) -> ElementView:
    parts, _, logarithm = _exponentials(_reduced_elements(applied, index))
    return _view(applied, index, "function", [logarithm], parts)


# Rows in which every element depends on all.


def _softmax(applied: Applied, index: Index) -> ElementView:
    (x,) = applied.operands
    op: Any = applied.op
    row = _row(x, op.axes(x.array), index)
    parts, moved, _ = _exponentials([x.at(i) for i in row])
    e = exp(moved(x.at(index))) / called("s", parts[-1])
    return _view(applied, index, "function", [e], parts)


def _log_softmax(applied: Applied, index: Index) -> ElementView:
    (x,) = applied.operands
    op: Any = applied.op
    parts, _, logarithm = _exponentials([x.at(i) for i in _row(x, op.axes(x.array), index)])
    return _view(applied, index, "function", [x.at(index) - logarithm], parts)


def _softmax_cross_entropy(applied: Applied, index: Index) -> ElementView:
    t, z = applied.operands
    op: Any = applied.op
    axis = op.axis % z.array.ndim
    row = _spread(index, (axis,), z.array.shape)
    parts, _, logarithm = _exponentials([z.at(i) for i in row])
    log_s = _part(r"\ell", "function", [logarithm])
    costs = [-t.at(i) * (z.at(i) - called(r"\ell", log_s)) for i in row if t.array[i] != 0]
    for cost in costs[:1]:  # the targets that are 0 are read, too, but not printed
        cost.refs += tuple(Ref(t.name, i) for i in row if t.array[i] == 0)
    return _view(applied, index, "sum", costs, [*parts, log_s])


def _softmax_cross_entropy_gradient(applied: Applied, index: Index) -> ElementView:
    g, t, z = applied.operands
    op: Any = applied.op
    axis = op.axis % z.array.ndim
    row = _row(z, (axis,), index)
    parts, moved, _ = _exponentials([z.at(i) for i in row])
    p = exp(moved(z.at(index))) / called("s", parts[-1])
    total = _part("T", "sum", [t.at(i) for i in row])
    above = g.at((*index[:axis], *index[axis + 1 :]))
    value = above * (p * called("T", total) - t.at(index))
    return _view(applied, index, "function", [value], [*parts, total])


def _standardize(applied: Applied, index: Index) -> ElementView:
    (x,) = applied.operands
    op: Any = applied.op
    parts, m, v = _spread_about_mean([x.at(i) for i in _row(x, op.axes(x.array), index)])
    return _view(applied, index, "function", [(x.at(index) - m) / root(v + op.epsilon)], parts)


def _root_mean_square(applied: Applied, index: Index) -> ElementView:
    (x,) = applied.operands
    op: Any = applied.op
    row = _row(x, op.axes(x.array), index)
    q = _part("q", "sum", [x.at(i) ** 2 for i in row])
    v = _part("v", "function", [called("q", q) / len(row)])
    return _view(
        applied, index, "function", [x.at(index) / root(called("v", v) + op.epsilon)], [q, v]
    )


def _normalize(applied: Applied, index: Index) -> ElementView:
    (x,) = applied.operands
    op: Any = applied.op
    q, length = _power_sum([x.at(i) for i in _row(x, op.axes(x.array), index)], op.order)
    measured = _part(r"\ell", "max", [length, number_of(op.epsilon)])
    return _view(
        applied, index, "function", [x.at(index) / called(r"\ell", measured)], [q, measured]
    )


# Products and windows.


def _matmul(applied: Applied, index: Index) -> ElementView:
    a, b = applied.operands
    if a.array.ndim < 2 or b.array.ndim < 2:
        raise NotImplementedError
    *leading, i, j = index
    rows = within(tuple(leading), a.array.shape[:-2])
    columns = within(tuple(leading), b.array.shape[:-2])
    pairs = [((*rows, i, k), (*columns, k, j)) for k in range(a.array.shape[-1])]
    return _view(applied, index, "sum", [a.at(p) * b.at(q) for p, q in pairs])


def _einsum(applied: Applied, index: Index) -> ElementView:
    """For each place of the letters that are summed over, the product of what stands there."""
    op: Any = applied.op
    terms, result = op.names([x.array.shape for x in applied.operands])
    lengths: dict[str, int] = {}
    for names, x in zip(terms, applied.operands, strict=True):
        for name, n in zip(names, x.array.shape, strict=True):
            lengths[name] = max(n, lengths.get(name, 1)) if n else 0
    fixed = dict(zip(result, index, strict=True))
    summed = [name for name in lengths if name not in fixed]
    products = []
    for places in product(*(range(lengths[name]) for name in summed)):
        at = {**fixed, **dict(zip(summed, places, strict=True))}
        factors = [
            x.at(within(tuple(at[name] for name in names), x.array.shape))
            for names, x in zip(terms, applied.operands, strict=True)
        ]
        products.append(reduce(mul, factors))
    return _view(applied, index, "sum", products)


def _conv(applied: Applied, index: Index) -> ElementView:
    x, w = applied.operands
    op: Any = applied.op
    n, i, j, o = index
    height, width, channels, filters = w.array.shape
    first = o // (filters * channels // x.array.shape[3]) * channels  # of the filter's group
    strides, sides, dilation = op.geometry(x.array, w.array)
    products = []
    for p, q, c in np.ndindex(height, width, channels):
        row = strides[0] * i + dilation[0] * p - sides[0][0]
        column = strides[1] * j + dilation[1] * q - sides[1][0]
        if 0 <= row < x.array.shape[1] and 0 <= column < x.array.shape[2]:
            products.append(x.at((n, row, column, first + c)) * w.at((p, q, c, o)))
    return _view(applied, index, "sum", products)


def _window(applied: Applied, index: Index) -> list[Expression]:
    (x,) = applied.operands
    op: Any = applied.op
    n, i, j, c = index
    size_, strides, sides = op.geometry(x.array)
    places = [
        (n, strides[0] * i + p - sides[0][0], strides[1] * j + q - sides[1][0], c)
        for p, q in np.ndindex(*size_)
    ]
    _, height, width, _ = x.array.shape
    return [x.at(at) for at in places if 0 <= at[1] < height and 0 <= at[2] < width]


def _max_pool(applied: Applied, index: Index) -> ElementView:
    return _view(applied, index, "max", _window(applied, index))


def _average_pool(applied: Applied, index: Index) -> ElementView:
    xs = _window(applied, index)
    s = _part("s", "sum", xs)
    return _view(applied, index, "function", [called("s", s) / len(xs)], [s])


# Elements that only move.


def _moved(applied: Applied, index: Index) -> ElementView:
    """Which element it is, found by moving the elements' numbers instead of the elements."""
    numbered: list[np.ndarray] = []
    count = 0
    movable = [rule is not None for rule in applied.op.rules_for(applied.operands)]
    for x, moves in zip(applied.operands, movable, strict=True):
        numbers = np.arange(1.0, x.array.size + 1).reshape(x.array.shape) + count
        numbered.append(numbers if moves else x.array)
        count += x.array.size if moves else 0
    negated = [-a if moves else a for a, moves in zip(numbered, movable, strict=True)]
    there = float(evaluate(applied.op, numbered)[index])
    if there != -float(evaluate(applied.op, negated)[index]) or there == 0:
        return _view(applied, index, "function", [number_of(applied.y[index])])
    for x, numbers, moves in zip(applied.operands, numbered, movable, strict=True):
        if moves and np.any(found := numbers == there):
            place = tuple(int(i) for i in np.argwhere(found)[0])
            return _view(applied, index, "function", [x.letter_at(place)])
    raise NotImplementedError


def _one_hot(applied: Applied, index: Index) -> ElementView:
    (x,) = applied.operands
    op: Any = applied.op
    axis = op.axis % len(index)
    label = x.at((*index[:axis], *index[axis + 1 :]))
    is_it = whether("{} = {}", lambda a, b: a == b, label, index[axis])
    return _view(applied, index, "function", [is_it])


def _bitwise_not(applied: Applied, index: Index) -> ElementView:
    x = applied.operands[0].at(index)
    value = float(np.invert(applied.operands[0].array[index]))
    return _view(applied, index, "function", [Expression(rf"\neg {x.text}", value, 3, x.refs)])


VIEWS: dict[str, View] = {
    "sum": _sum,
    "prod": _product,
    "cumsum": _running("sum"),
    "cumprod": _running("product"),
    "mean": _mean,
    "max": _extremum("max"),
    "min": _extremum("min"),
    "argmax": _place("argmax", np.argmax),
    "argmin": _place("argmin", np.argmin),
    "all": _truths("min"),
    "any": _truths("max"),
    "count_nonzero": _truths("sum"),
    "var": _variance,
    "std": _deviation,
    "norm": _norm,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "softmax_cross_entropy": _softmax_cross_entropy,
    "softmax_cross_entropy_gradient": _softmax_cross_entropy_gradient,
    "standardize": _standardize,
    "root_mean_square_normalize": _root_mean_square,
    "normalize": _normalize,
    "matmul": _matmul,
    "einsum": _einsum,
    "conv": _conv,
    "max_pool": _max_pool,
    "average_pool": _average_pool,
    "one_hot": _one_hot,
    "bitwise_not": _bitwise_not,
}


# What the gradient rules tell.


def _sum_of_products(applied: Applied, index: Index) -> ElementView:
    """An op that is linear in two inputs: each element of one has a partner in the other.

    The rule of the first input returns the factors. With the elements of the second replaced by
    their numbers, it returns the numbers of these factors.
    """
    names = [name.lstrip("*") for name in applied.op.input_names]
    if len(names) != 2 or not all(name in applied.op.linear_in for name in names):
        raise NotImplementedError
    a, b = applied.operands
    numbers = np.arange(1.0, b.array.size + 1).reshape(b.array.shape)
    numbered = Applied(applied.op, (a, Operand(b.name, b.symbol, numbers)), applied.y)
    partners = numbered.row(0, index)
    if partners is None:
        raise NotImplementedError
    products = []
    for place in np.argwhere(partners):
        i = tuple(place.tolist())
        number = partners[i]
        if number != round(number) or not 1 <= number <= b.array.size:
            raise NotImplementedError
        j = tuple(int(k) for k in np.unravel_index(int(number) - 1, b.array.shape))
        products.append(a.at(i) * b.at(j))
    return _view(applied, index, "sum", products)


def _weighted_sum(applied: Applied, index: Index) -> ElementView:
    """An op that is linear in one input, or in all together: its derivatives are the weights."""
    for position, x in enumerate(applied.operands):
        name = applied.op.input_names[min(position, len(applied.op.input_names) - 1)].lstrip("*")
        if name not in applied.op.linear_in:
            continue
        weights = applied.row(position, index)
        if weights is None:
            continue
        places = [tuple(place.tolist()) for place in np.argwhere(weights)]
        terms = [x.at(i) if weights[i] == 1 else number_of(weights[i]) * x.at(i) for i in places]
        return _view(applied, index, "sum", terms)
    raise NotImplementedError


def _first_order(applied: Applied, index: Index) -> ElementView:
    """The value, the elements it depends on, and how it changes with each."""
    try:
        value = float(evaluate(applied.op, applied.arrays)[index])
    except NotImplementedError:  # an op that cannot be computed again by itself
        return _view(applied, index, "function", [number_of(applied.y[index])])
    derivatives: list[tuple[Ref, float]] = []
    arguments: list[Expression] = []
    for position, x in enumerate(applied.operands):
        row = applied.row(position, index)
        if row is None:
            few = x.array.size <= MANY
            places = [tuple(i) for i in np.ndindex(*x.array.shape)] if few else []
        else:
            places = [tuple(place.tolist()) for place in np.argwhere(row)]
            derivatives += [(Ref(x.name, i), float(row[i])) for i in places]
        arguments += [x.at(i) for i in places]
    text = rf"{name_in_latex(applied.op.name)}\left({_list(arguments)}\right)"
    refs = tuple(ref for e in arguments for ref in e.refs)
    result = Part(letter(applied.symbol, index), "function", (Term(text, value, refs),), value)
    derivatives.sort(key=lambda pair: -abs(pair[1]))
    return ElementView(index, float(applied.y[index]), result, (), tuple(derivatives))
