"""What is graded in assignment 3, and how: random programs, run by the student's engine and ours.

A program is a text such as ``b = exp(a); y = a * b``. The student's process runs it on tensors of the
student, this one on tensors of tinydl, and the gradients are compared here.
"""

import numpy as np

import tinydl
from tinydl.course import Assignment, Failure, expect, expect_close, is_close

assignment = Assignment(
    "03-autograd",
    title="Your own autograd engine",
    functions=(
        "Tensor",
        "apply(op, inputs)",
        "unbroadcast(x, shape)",
        "topological_order(y)",
        "grad(y, xs)",
    ),
    allowed=("numpy",),
    tutorial="03_the_chain_rule_and_the_graph",
)

PREPARE = """
space = {name: Tensor(array) for name, array in leaves.items()}
space.update(exp=lambda x: x.exp(), log=lambda x: x.log(), relu=lambda x: x.relu())
space.update(reciprocal=lambda x: x.reciprocal())
exec(program, space)
plain = lambda t: t.data if isinstance(t, Tensor) else t
"""
GRADIENTS = (
    PREPARE
    + """
result = [plain(g) for g in grad(space["y"], [space[name] for name in wanted])]
"""
)
SECOND = (
    PREPARE
    + """
xs = [space[name] for name in wanted]
total = 0.0
for g, name in zip(grad(space["y"], xs), wanted):
    if not isinstance(g, Tensor):
        raise TypeError("grad returns " + type(g).__name__ + ", not a Tensor: it cannot be derived")
    total = total + (g * factors[name]).sum()
result = [plain(g) for g in grad(total, xs)]
"""
)


def run_ours(program, leaves):
    """The variables of a program that tinydl has run."""
    space = {name: tinydl.tensor(x, requires_grad=True) for name, x in leaves.items()}
    space.update(exp=tinydl.ops.exp, log=tinydl.ops.log, relu=tinydl.ops.relu)
    space.update(reciprocal=tinydl.ops.reciprocal)
    exec(program, space)
    return space


def gradients(program, leaves, wanted):
    """The right gradients of the sum of y."""
    space = run_ours(program, leaves)
    xs = [space[name] for name in wanted]
    return as_arrays(tinydl.grad(space["y"].sum(), xs, allow_unused=True), xs)


def as_arrays(found, xs):
    """Gradients as arrays, and zeros for tensors that have none."""
    return [np.zeros(x.shape) if g is None else g.numpy() for x, g in zip(xs, found, strict=True)]


def second_gradients(program, leaves, wanted, factors):
    """The right gradients of the inner product of the gradients and some factors."""
    space = run_ours(program, leaves)
    xs = [space[name] for name in wanted]
    first = tinydl.grad(space["y"].sum(), xs, create_graph=True, allow_unused=True)
    # The first term is constant and zero; it makes the total depend on something in any case.
    total = tinydl.tensor(0.0, requires_grad=True) * 1.0
    for g, name in zip(first, wanted, strict=True):
        if g is not None:
            total = total + (g * factors[name]).sum()
    return as_arrays(tinydl.grad(total, xs, allow_unused=True), xs)


def expect_gradients(student, program, leaves, wanted):
    """Hold the student's gradients against ours."""
    got = student.run(GRADIENTS, program=program, leaves=leaves, wanted=wanted)
    expect_all(got, gradients(program, leaves, wanted), wanted, f"{program}: the gradient of")


def expect_all(got, right, names, what):
    expect(isinstance(got, list) and len(got) == len(names), "grad returns a list, one for each x")
    scale = max(np.abs(x).max(initial=1.0) for x in right)
    for one, other, name in zip(got, right, names, strict=True):
        expect_close(one, other, name=f"{what} {name}", atol=1e-8 * scale)


def kept_from_above(program, leaves, wanted):
    """What comes out if y_bar is not used: as if y were not multiplied by w."""
    return gradients(program.replace(") * w", ")"), leaves, wanted)


def wrong_sign(program, leaves, wanted):
    return [-g for g in gradients(program, leaves, wanted)]


def exchanged(program, leaves, wanted):
    """With y = t w, exchanged factors give t the gradient t, as if y were t^2 / 2."""
    square = gradients(program.replace(") * w", ") ** 2 / 2"), leaves, wanted)
    return [*gradients(program, leaves, wanted)[::-1], *square, *square[::-1]]


def input_for_another(program, leaves, wanted):
    return [leaves["w"] * leaves["a"], -leaves["w"] * leaves["a"] ** 2]


def values_for(operation, draw, shape):
    """Numbers where an operation is defined, and has no kink."""
    if operation in ("log", "/", "reciprocal"):
        return draw.uniform(shape, 0.4, 2.0)
    if operation == "relu":
        return draw.distinct(shape, 0.25)
    return draw.uniform(shape, -1.5, 1.5)


@assignment.property(
    "forward: values and the graph",
    points=10,
    public=True,
    formula=r"y = \mathrm{op}(x_1, \ldots, x_k)",
    hint="apply returns Tensor(result, op, inputs), with every input as a Tensor: those that came "
    "in, and leaves for numbers and arrays.",
)
def forward(student, draw):
    operation = draw.choice(("+", "*", "-", "/"))
    shape = draw.shape(draw.integer(0, 2), most=4)
    a, b = draw.uniform(shape), draw.uniform(shape, 0.5, 2.0)
    source = """
x, y = Tensor(a), Tensor(b)
z = {"+": x + y, "*": x * y, "-": x - y, "/": x / y}[operation]
s = x + 1.5
result = {
    "value": z.data, "number": s.data, "leaf": x.op is None and len(x.inputs) == 0,
    "op": s.op is not None, "inputs": len(s.inputs), "first": s.inputs[0] is x,
    "second": isinstance(s.inputs[1], Tensor),
}
"""
    found = student.run(source, a=a, b=b, operation=operation)
    right = {"+": a + b, "*": a * b, "-": a - b, "/": a / b}[operation]
    expect_close(found["value"], right, name=f"the value of a {operation} b")
    expect_close(found["number"], a + 1.5, name="the value of a + 1.5")
    expect(found["leaf"] is True, "a tensor that was not computed has to be a leaf: op None")
    expect(found["op"] is True, "a + 1.5 does not remember its op")
    expect(found["inputs"] == 2, f"a + 1.5 has {found['inputs']} inputs, expected 2")
    expect(found["first"] is True, "the first input of a + 1.5 is not the tensor a itself")
    expect(found["second"] is True, "the second input of a + 1.5 has to be a Tensor, too")


@assignment.property(
    "elementwise operations: gradients",
    points=16,
    public=True,
    formula=r"\bar x_i = \bar y_i \, f'(x_i)",
    cases=40,
    likely={
        "the gradient that arrives from above is not used": kept_from_above,
        "the sign is wrong": wrong_sign,
        "the gradients of the two factors of a product are exchanged": exchanged,
        "the rule takes the input x where the formula has another value": input_for_another,
    },
)
def elementwise(student, draw):
    operations = ("+", "*", "exp", "log", "relu", "/", "-", "reciprocal")
    operation = operations[draw.case % len(operations)]
    shape = draw.shape(draw.integer(0, 2), most=4)
    leaves = {
        "a": values_for("+" if operation == "/" else operation, draw, shape),
        "w": draw.uniform(shape, 0.5, 2.0),
    }
    program = f"y = ({operation}(a)) * w"
    if operation in "+-*/":
        leaves["b"] = values_for(operation, draw, shape)
        program = f"y = (a {operation} b) * w"
    wanted = [name for name in "ab" if name in leaves]
    expect_gradients(student, program, leaves, wanted)


@assignment.property(
    "sum and matrix product: gradients",
    points=12,
    public=True,
    formula=r"\bar a_{ik} = \sum_j \bar y_{ij} b_{kj}, \quad \bar b_{kj} = \sum_i a_{ik} \bar y_{ij}",
    cases=40,
    likely={"the gradient that arrives from above is not used": kept_from_above},
)
def sum_and_product(student, draw):
    rows, terms, columns = draw.shape(3, most=5)
    leaves = {"a": draw.uniform((rows, terms))}
    if draw.case % 2:
        axis = draw.choice((None, 0, 1, -1, (0, 1)))
        kept = draw.boolean()
        leaves["w"] = draw.uniform(np.sum(leaves["a"], axis=axis, keepdims=kept).shape, 0.5, 2.0)
        program, wanted = f"y = (a.sum(axis={axis}, keepdims={kept})) * w", ["a"]
    else:
        leaves["b"] = draw.uniform((terms, columns))
        leaves["w"] = draw.uniform((rows, columns), 0.5, 2.0)
        program, wanted = "y = (a @ b) * w", ["a", "b"]
    expect_gradients(student, program, leaves, wanted)


def stretched_shapes(draw, ndim):
    """A shape, and one that broadcasts to it."""
    large = draw.shape(ndim, most=4, least=2)
    dropped = draw.integer(0, ndim)
    small = tuple(1 if draw.boolean() else n for n in large[dropped:])
    return large, small


@assignment.reference
def summed_back(x, shape):
    """Each element of the small shape gets the sum of the places that it was copied to."""
    total = np.zeros(shape)
    numbers = np.broadcast_to(np.arange(total.size).reshape(shape), x.shape)
    for number, value in zip(numbers.ravel(), x.ravel(), strict=True):
        total.ravel()[number] += value
    return total


@assignment.property(
    "unbroadcast: sums over stretched axes",
    points=8,
    public=True,
    formula=r"\bar b_j = \sum_i \bar y_{ij}",
    likely={
        "a mean for a sum": lambda x, shape: (
            summed_back(x, shape) * (np.prod(shape) / max(x.size, 1))
        ),
        "the first of the copies instead of their sum": lambda x, shape: x[
            tuple(slice(n) for n in (1,) * (x.ndim - len(shape)) + shape)
        ].reshape(shape),
    },
)
def unbroadcasting(student, draw):
    large, small = stretched_shapes(draw, draw.integer(1, 3))
    x = draw.uniform(large)
    source = "g = unbroadcast(Tensor(x), shape); result = g.data if isinstance(g, Tensor) else g"
    expect_close(student.run(source, x=x, shape=small), summed_back(x, small), name="the sum")


@assignment.property(
    "broadcast operands: gradients",
    points=8,
    formula=r"y_{ij} = x_{ij} + b_j: \quad \bar b_j = \sum_i \bar y_{ij}",
    hint="Add and Multiply pass each gradient through unbroadcast.",
)
def broadcasting(student, draw):
    large, small = stretched_shapes(draw, draw.integer(1, 3))
    operation = draw.choice("+*-/")
    shapes = [large, small] if operation == "/" or not draw.boolean() else [small, large]
    leaves = {
        "a": draw.uniform(shapes[0]),
        "b": values_for(operation, draw, shapes[1]),
        "w": draw.uniform(large, 0.5, 2.0),
    }
    expect_gradients(student, f"y = (a {operation} b) * w", leaves, ["a", "b"])


def random_graph(draw, most):
    """A program of sums and products of what came before, as [(name, first, second), ...]."""
    names, lines = ["a", "b"], []
    for k in range(draw.integer(1, most)):
        count = len(names) - 1
        # The second input is often the last result, so that paths meet.
        first = names[draw.integer(0, count)]
        second = names[count - draw.integer(0, min(1, count))]
        lines.append((f"t{k}", first, second))
        names.append(f"t{k}")
    return lines


def as_program(lines, operations):
    steps = [f"{n} = {a} {op} {b}" for (n, a, b), op in zip(lines, operations, strict=True)]
    return "; ".join([*steps, f"y = {lines[-1][0]}"])


@assignment.property(
    "topological order: inputs before results",
    points=8,
    public=True,
    hint="List a tensor when all its inputs are listed, and only once.",
)
def order(student, draw):
    lines = random_graph(draw, 7)
    program = as_program(lines, "+" * len(lines))
    source = (
        PREPARE
        + """
names = {id(value): name for name, value in space.items() if name != "y"}
result = [names.get(id(t), "a tensor of your own") for t in topological_order(space["y"])]
"""
    )
    leaves = {"a": np.array(1.0), "b": np.array(2.0)}
    listed = student.run(source, program=program, leaves=leaves)
    inputs = {name: pair for name, *pair in lines}
    needed, to_do = set(), [lines[-1][0]]
    while to_do:
        name = to_do.pop()
        needed.add(name)
        to_do += inputs.get(name, [])
    for name in needed:
        count = listed.count(name)
        expect(count > 0, f"{name} is missing: listed are {', '.join(listed)}")
        expect(count == 1, f"{name} is listed {count} times: {', '.join(listed)}")
    for name in listed:
        expect(name in needed, f"{name} is listed, but y = {lines[-1][0]} was not made from it")
    for name in listed:
        for x in inputs.get(name, ()):
            if listed.index(x) > listed.index(name):
                raise Failure(
                    f"{name} comes before its input {x}: {', '.join(listed)}. "
                    "A result has to come after all its inputs"
                )


def one_path_only(program, leaves, wanted):
    """What is left of the gradient of a if contributions replace each other."""
    return [leaves[name] for name in leaves if name.startswith("w")]


def shared_array(program, leaves, wanted):
    """Gradients of b if it shares an array with that of a, to which others are then added."""
    w0, *others = [leaves[name] for name in leaves if name.startswith("w")]
    subsets = ([k for k in range(len(others)) if n >> k & 1] for n in range(1, 2 ** len(others)))
    return [w0 + sum(others[k] for k in subset) for subset in subsets]


@assignment.property(
    "a tensor that is used several times",
    points=8,
    public=True,
    formula=r"\bar x = \sum_{\text{results } y \text{ of } x} \bar y \, \frac{\partial y}{\partial x}",
    likely={
        "the gradients replace each other; they have to be added": one_path_only,
        "two tensors share one array of gradients, which += changes for both": shared_array,
    },
)
def used_several_times(student, draw):
    count = draw.integer(2, 4)
    leaves = {"a": draw.uniform(2), "b": draw.uniform(2)}
    leaves |= {f"w{k}": draw.uniform(2, 0.5, 1.5) for k in range(count)}
    terms = ["s * w0", *(f"a * w{k}" for k in range(1, count))]
    if draw.boolean():
        terms = terms[::-1]
    expect_gradients(student, f"s = a + b; y = {' + '.join(terms)}", leaves, ["a", "b"])


def random_program(draw, most, kinks=True):
    """A program with one operation a line whose values stay within bounds, and its leaves."""
    rows, columns = draw.shape(2, most=3)
    shapes = [(rows, columns), (columns,), (rows, 1), (), (columns, rows)]
    leaves = {name: draw.uniform(s, -1.5, 1.5) for name, s in zip("abcdm", shapes, strict=True)}
    values, lines = dict(leaves), []
    for k in range(draw.integer(2, most)):
        options = list(possible_steps(values, kinks))
        text = options[draw.integer(0, len(options) - 1)]
        names = {"exp": np.exp, "log": np.log, "relu": lambda x: np.maximum(x, 0.0)}
        values[f"t{k}"] = np.asarray(eval(text, names, dict(values)))
        lines.append(f"t{k} = {text}")
    last = [f"t{k}" for k in range(max(0, len(lines) - 3), len(lines))]
    weights = {f"w{name}": draw.uniform(values[name].shape, 0.5, 1.5) for name in last}
    lines.append("y = " + " + ".join(f"({name} * w{name}).sum()" for name in last))
    return "; ".join(lines), leaves | weights


def possible_steps(values, kinks):
    """The operations on what there is that are defined, far from kinks, and not too large."""
    for name, x in values.items():
        yield f"{name} * 0.5"
        yield f"{name}.sum()"
        if x.ndim == 2:
            yield f"{name}.T"
            yield f"{name}.sum(axis=0)"
            yield f"{name}.sum(axis=1, keepdims=True)"
        if np.abs(x).max() < 2:
            yield f"exp({name})"
        if x.min() > 0.3:
            yield f"log({name})"
        if kinks and np.abs(x).min() > 0.01:
            yield f"relu({name})"
        for other, z in values.items():
            if x.ndim == z.ndim == 2 and x.shape[1] == z.shape[0] and bounded(x, z):
                yield f"{name} @ {other}"
            if fits(x, z) and bounded(x, z):
                yield f"{name} * {other}"
                yield f"{name} - {other}"
                if z.min() > 0.3:
                    yield f"{name} / {other}"


def bounded(x, z):
    return np.abs(x).max() * np.abs(z).max() < 6


def fits(x, z):
    try:
        np.broadcast_shapes(x.shape, z.shape)
    except ValueError:
        return False
    return True


@assignment.property(
    "random expressions: gradients",
    points=6,
    cases=40,
    formula=r"\bar x = \sum_{\text{results } y \text{ of } x} \bar y \, \frac{\partial y}{\partial x}",
)
def random_expressions(student, draw):
    if draw.boolean():
        program, leaves = random_program(draw, 9)
        expect_gradients(student, program, leaves, [*"abcdm"])
    else:
        lines = random_graph(draw, 5)
        program = as_program(lines, [draw.choice("+*") for _ in lines])
        leaves = {"a": draw.uniform((), 0.5, 1.5), "b": draw.uniform((), 0.5, 1.5)}
        expect_gradients(student, program, leaves, ["a", "b"])


@assignment.property(
    "intermediate and unrelated tensors",
    points=4,
    hint="grad returns ones for y itself, and zeros for a tensor that y was not made from.",
)
def any_tensor(student, draw):
    shape = draw.shape(draw.integer(0, 2), most=3)
    leaves = {name: draw.uniform(shape, 0.5, 1.5) for name in "abc"}
    program = "t = a * b; s = exp(t); u = s * c; y = s * t"
    expect_gradients(student, program, leaves, ["y", "t", "s", "u", "c", "a"])


@assignment.property(
    "a chain of 10,000 operations",
    points=4,
    cases=2,
    hint="Walk with a stack of your own, a list; recursion ends at a depth of 1000.",
)
def long_chain(student, draw):
    factor = draw.number(0.5, 0.9)
    source = """
x = Tensor(1.0)
y = x
for _ in range(5000):
    y = y * factor + x
g = grad(y, [x])[0]
result = g.data if isinstance(g, Tensor) else g
"""
    right = (1 - factor**5000) / (1 - factor)
    got = student.run(source, factor=factor)
    expect_close(got, right, name="the gradient of y = (...(x f + x) f + x ...)")


@assignment.property(
    "fifty doublings",
    points=4,
    cases=2,
    seconds=2.0,
    hint="Visit every tensor once, not every path to it: a = a + a, fifty times, has 2^50 paths.",
)
def doublings(student, draw):
    source = """
x = Tensor(start)
y = x
for _ in range(50):
    y = y + y
g = grad(y, [x])[0]
result = g.data if isinstance(g, Tensor) else g
"""
    expect_close(student.run(source, start=draw.uniform(2)), np.full(2, 2.0**50))


def cut_at_constants(program, leaves, wanted, factors):
    """Nothing is left where a rule is cut off, or half of a square's second derivative."""
    right = second_gradients(program, leaves, wanted, factors)
    return [g * share for g in right for share in (0.0, 0.5)]


@assignment.property(
    "second derivatives",
    points=8,
    cases=40,
    formula=r"\sum_j \frac{\partial^2 y}{\partial x_i \, \partial x_j} v_j",
    likely={"a rule computes with data: its result is a constant": cut_at_constants},
    hint="Rules have to compute with tensors: what is computed with .data is not recorded.",
)
def second(student, draw):
    program, leaves = random_program(draw, 6) if draw.case % 2 else one_operation(draw)
    wanted = [name for name in "abcdm" if name in leaves]
    factors = {name: draw.uniform(leaves[name].shape, 0.5, 1.5) for name in wanted}
    got = student.run(SECOND, program=program, leaves=leaves, wanted=wanted, factors=factors)
    right = second_gradients(program, leaves, wanted, factors)
    expect_all(got, right, wanted, "the second derivative at")


def one_operation(draw):
    """A program that needs the derivative of a single rule."""
    steps = ("exp(a)", "log(a)", "reciprocal(a)", "a * b", "relu(a) * b", "a @ b", "a.sum()")
    step = steps[draw.case // 2 % len(steps)]
    n = draw.integer(1, 3)
    leaves = {"a": draw.uniform((n, n), 0.5, 1.5), "b": draw.uniform((n, n), 0.5, 1.5)}
    return f"t = {step}; y = (t * t).sum()", leaves


KEPT = "what it notes may not stay in the tensors, or anywhere outside of grad"


@assignment.property(
    "nothing is changed",
    points=4,
    hint="Use x = x + y for gradients, not x += y, and keep the table of gradients inside grad.",
)
def nothing_is_changed(student, draw):
    lines = random_graph(draw, 6)
    program = as_program(lines, [draw.choice("+*") for _ in lines])
    leaves, wanted = {"a": draw.uniform(2, 0.5, 1.5), "b": draw.uniform(2, 0.5, 1.5)}, ["a", "b"]
    source = (
        PREPARE
        + """
before = {n: t.data.copy() for n, t in space.items() if isinstance(t, Tensor)}
xs = [space[name] for name in wanted]
once = [plain(g) for g in grad(space["y"], xs)]
kept = [numpy.array(g) for g in once]
twice = [plain(g) for g in grad(space["y"], xs)]
after = {n: space[n].data for n in before}
result = {"once": kept, "still": once, "twice": twice, "before": before, "after": after}
"""
    )
    source = "import numpy\n" + source
    found = student.run(source, program=program, leaves=leaves, wanted=wanted)
    for name, value in found["before"].items():
        expect_close(found["after"][name], value, name=f"{name}.data, after grad", rtol=1e-14)
    once = found["once"]
    expect_all(once, gradients(program, leaves, wanted), wanted, f"{program}: the gradient of")
    for what, again in (("gives other gradients than", "twice"), ("changes those of", "still")):
        alike = all(map(is_close, found[again], once))
        expect(alike, f"{program}: a second call of grad {what} the first; {KEPT}")
