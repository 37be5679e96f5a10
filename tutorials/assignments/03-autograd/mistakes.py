"""Typical wrong submissions to assignment 3, and what each of them loses."""

from tinydl.course import Mistake

ORDER = """    order, seen, to_do = [], set(), [(y, False)]
    while to_do:
        tensor, inputs_are_listed = to_do.pop()
        if inputs_are_listed:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            to_do.append((tensor, True))
            to_do += [(x, False) for x in tensor.inputs]
    return order
"""
RECURSIVE = """    order, seen = [], set()

    def visit(tensor):
        if id(tensor) not in seen:
            seen.add(id(tensor))
            for x in tensor.inputs:
                visit(x)
            order.append(tensor)

    visit(y)
    return order
"""
QUEUE = """    order, seen, to_do = [], {id(y)}, [y]
    while to_do:
        tensor = to_do.pop(0)
        order.append(tensor)
        for x in tensor.inputs:
            if id(x) not in seen:
                seen.add(id(x))
                to_do.append(x)
    return order[::-1]
"""
ADDED = "            gradient_of[id(x)] = x_bar if so_far is None else so_far + x_bar"
IN_PLACE = """            if so_far is None:
                gradient_of[id(x)] = x_bar
            else:
                so_far.data += x_bar.data"""

MISTAKES = [
    Mistake(
        "gradients replace each other",
        replace=ADDED,
        by="            gradient_of[id(x)] = x_bar",
        loses=(
            "a tensor that is used several times",
            "random expressions: gradients",
            "intermediate and unrelated tensors",
            "a chain of 10,000 operations",
            "fifty doublings",
            "second derivatives",
            "nothing is changed",
        ),
        says="they have to be added",
    ),
    Mistake(
        "gradients added in place, into an array that two tensors share",
        replace=ADDED,
        by=IN_PLACE,
        loses=(
            "a tensor that is used several times",
            "random expressions: gradients",
            "second derivatives",
            "nothing is changed",
        ),
        says="share one array of gradients",
    ),
    Mistake(
        "walking back in the order of a queue",
        replace=ORDER,
        by=QUEUE,
        loses=(
            "topological order: inputs before results",
            "random expressions: gradients",
            "second derivatives",
            "nothing is changed",
        ),
        says="A result has to come after all its inputs",
    ),
    Mistake(
        "a recursive walk",
        replace=ORDER,
        by=RECURSIVE,
        loses=("a chain of 10,000 operations",),
        says="recursion ends at a depth of 1000",
    ),
    Mistake(
        "a walk along every path",
        replace="        elif id(tensor) not in seen:",
        by="        else:",
        loses=(
            "topological order: inputs before results",
            "random expressions: gradients",
            "intermediate and unrelated tensors",
            "fifty doublings",
            "second derivatives",
            "nothing is changed",
        ),
        says="not every path to it",
    ),
    Mistake(
        "exp: the input in place of the result",
        replace="return (y_bar * y,)",
        by="return (y_bar * x,)",
        loses=(
            "elementwise operations: gradients",
            "random expressions: gradients",
            "intermediate and unrelated tensors",
            "second derivatives",
        ),
        says="takes the input x where",
    ),
    Mistake(
        "reciprocal: the sign",
        replace="return (-(y_bar * y * y),)",
        by="return (y_bar * y * y,)",
        loses=(
            "elementwise operations: gradients",
            "broadcast operands: gradients",
            "random expressions: gradients",
            "second derivatives",
        ),
        says="the sign is wrong",
    ),
    Mistake(
        "multiply: the factors exchanged",
        replace="return unbroadcast(y_bar * b, a.shape), unbroadcast(y_bar * a, b.shape)",
        by="return unbroadcast(y_bar * a, a.shape), unbroadcast(y_bar * b, b.shape)",
        loses=(
            "elementwise operations: gradients",
            "sum and matrix product: gradients",
            "broadcast operands: gradients",
            "a tensor that is used several times",
            "random expressions: gradients",
            "intermediate and unrelated tensors",
            "a chain of 10,000 operations",
            "second derivatives",
            "nothing is changed",
        ),
        says="the gradients of the two factors of a product are exchanged",
    ),
    Mistake(
        "matmul: the gradient from above left out",
        replace="return y_bar @ b.T, a.T @ y_bar",
        by="return Tensor(np.ones(y.shape)) @ b.T, a.T @ Tensor(np.ones(y.shape))",
        loses=(
            "sum and matrix product: gradients",
            "random expressions: gradients",
            "second derivatives",
        ),
        says="the gradient that arrives from above is not used",
    ),
    Mistake(
        "log: a rule that computes with data",
        replace="return (y_bar / x,)",
        by="return (Tensor(y_bar.data / x.data),)",
        loses=("second derivatives",),
        says="a rule computes with data",
    ),
    Mistake(
        "unbroadcast: a mean for a sum",
        replace="return x.sum(axis=axes, keepdims=True).reshape(shape) if axes else x",
        by="""count = np.prod([x.shape[i] for i in axes])
    return (x.sum(axis=axes, keepdims=True) / count).reshape(shape) if axes else x""",
        loses=(
            "unbroadcast: sums over stretched axes",
            "broadcast operands: gradients",
            "random expressions: gradients",
            "second derivatives",
        ),
        says="a mean for a sum",
    ),
    Mistake(
        "unbroadcast: only axes added on the left",
        replace="if i < added or n != x.shape[i])",
        by="if i < added)",
        loses=(
            "unbroadcast: sums over stretched axes",
            "broadcast operands: gradients",
            "random expressions: gradients",
            "second derivatives",
        ),
        says="expected (1,",
    ),
    Mistake(
        "a sum spreads its gradient evenly, as a mean does",
        replace="return (y_bar.reshape(kept) * np.ones(x.shape),)",
        by="return (y_bar.reshape(kept) * np.full(x.shape, y.data.size / x.data.size),)",
        loses=(
            "sum and matrix product: gradients",
            "random expressions: gradients",
            "second derivatives",
        ),
        says="a mean for a sum",
    ),
    Mistake(
        "gradients returned as arrays",
        replace="    return [gradient_of.get(id(x), Tensor(np.zeros(x.shape))) for x in xs]",
        by="    return [gradient_of.get(id(x), Tensor(np.zeros(x.shape))).data for x in xs]",
        loses=("second derivatives",),
        says="grad returns ndarray, not a Tensor",
    ),
    Mistake(
        "a rule without the comma of a tuple",
        replace="return (y_bar * y,)",
        by="return y_bar * y",
        loses=(
            "elementwise operations: gradients",
            "random expressions: gradients",
            "intermediate and unrelated tensors",
            "second derivatives",
        ),
        says="is a tuple of one",
    ),
]
