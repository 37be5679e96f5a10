"""What is measured: each case is an operation, its arrays and its settings.

Every framework computes a case from the same arrays, in its own module (`with_torch.py` has the
cases as a user of PyTorch would write them); a function there has the name of the operation.
Images are (N, H, W, C) and conv kernels (KH, KW, C, O) here; a framework rearranges them before the
clock starts.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.networks import NETWORKS, random_network


class Case(NamedTuple):
    name: str
    group: str
    operation: str
    draw: Callable[[np.random.Generator], dict[str, Any]]
    settings: dict[str, Any]
    flops: float = 0  # additions and multiplications, each counted as one
    floats: float = 0  # numbers that must be read or written once; 0 where no one counts them
    calls_compared: int = 1  # calls whose results must agree with the other frameworks'
    tolerance: float = 1e-4  # relative to the largest number
    quick: bool = False
    units_per_call: int = 1  # so many additions, say, are timed at once

    def arrays(self):
        """The same arrays in every process."""
        return self.draw(np.random.default_rng(0))


def normal(**shapes):
    """What draws arrays of normally distributed numbers."""
    return lambda rng: {
        name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()
    }


def product(
    name, rows, terms, columns, transpose_a=False, transpose_b=False, group="matmul", **more
):
    a = (terms, rows) if transpose_a else (rows, terms)
    b = (columns, terms) if transpose_b else (terms, columns)
    return Case(
        name,
        group,
        "matmul",
        normal(a=a, b=b),
        {"transpose_a": transpose_a, "transpose_b": transpose_b},
        flops=2 * rows * terms * columns,
        floats=rows * terms + terms * columns + rows * columns,
        **more,
    )


def products():
    for n in (16, 32, 64, 128, 256, 512, 1024, 2048):
        yield product(f"matmul n={n}", n, n, n, quick=n in (32, 256))
    # A dense layer: forward, then the gradients of its weights and of its inputs.
    for batch, inputs, units in (
        (32, 784, 128),
        (128, 784, 128),
        (32, 5408, 10),
        (256, 1024, 1024),
        (32, 1024, 1024),
    ):
        sizes = f"{batch}x{inputs}x{units}"
        first = sizes == "32x784x128"
        yield product(f"dense {sizes}", batch, inputs, units, quick=first)
        yield product(
            f"dense {sizes}, weights", inputs, batch, units, transpose_a=True, quick=first
        )
        yield product(f"dense {sizes}, inputs", batch, units, inputs, transpose_b=True)
    yield product("dense 1x5408x10", 1, 5408, 10)


def inside(image, window, output, stride, padding, dilation):
    """How many pairs (output place, window element) meet the image along one axis, not padding."""
    return sum(
        0 <= i * stride + p * dilation - padding < image
        for i in range(output)
        for p in range(window)
    )


CONV_PARTS = {
    "conv": "forward",
    "conv_kernel_gradient": "kernel gradient",
    "conv_input_gradient": "input gradient",
}


def conv(
    name,
    batch,
    image,
    channels,
    filters,
    window,
    stride=1,
    padding=0,
    dilation=1,
    groups=1,
    operations=tuple(CONV_PARTS),
    group="conv",
    quick=False,
):
    output = (image + 2 * padding - dilation * (window - 1) - 1) // stride + 1
    shapes = {
        "x": (batch, image, image, channels),
        "w": (window, window, channels // groups, filters),
        "g": (batch, output, output, filters),
    }
    places = inside(image, window, output, stride, padding, dilation) ** 2
    for operation in operations:
        yield Case(
            f"{name}, {CONV_PARTS[operation]}",
            group,
            operation,
            normal(**shapes),
            {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups},
            flops=2 * batch * places * (channels // groups) * filters,
            floats=sum(np.prod(shape) for shape in shapes.values()),
            quick=quick,
        )


def convs():
    yield from conv("conv (a) 28x28 1-32 3x3 N=32", 32, 28, 1, 32, 3, quick=True)
    yield from conv("conv (b) 13x13 32-64 3x3 N=32", 32, 13, 32, 64, 3)
    yield from conv("conv (c) 32x32 64-64 3x3 same N=64", 64, 32, 64, 64, 3, padding=1)
    yield from conv("conv (d) 56x56 64-64 3x3 same N=16", 16, 56, 64, 64, 3, padding=1)
    yield from conv("conv (e) 28x28 128-128 1x1 N=32", 32, 28, 128, 128, 1)
    yield from conv("conv 28x28 32-64 5x5 stride 2 N=32", 32, 28, 32, 64, 5, stride=2, padding=2)
    yield from conv("conv 28x28 32-64 3x3 dilation 2 N=32", 32, 28, 32, 64, 3, 1, 2, dilation=2)
    yield from conv("conv 28x28 64-64 3x3 4 groups N=32", 32, 28, 64, 64, 3, padding=1, groups=4)
    yield from conv("conv 56x56 64 3x3 depthwise N=32", 32, 56, 64, 64, 3, padding=1, groups=64)


def pool(name, batch, image, channels, size, stride, quick=False):
    output = (image - size) // stride + 1
    shapes = {
        "x": (batch, image, image, channels),
        "g": (batch, output, output, channels),
    }
    counts = {shape: np.prod(sizes) for shape, sizes in shapes.items()}
    for kind in ("max", "average"):
        for operation, part, floats in (
            (f"{kind}_pool", "forward", counts["x"] + counts["g"]),
            (f"{kind}_pool_gradient", "gradient", counts["x"] + counts["g"]),
        ):
            yield Case(
                f"{kind} pool {name}, {part}",
                "pool",
                operation,
                normal(**shapes),
                {"size": size, "stride": stride},
                floats=floats,
                quick=quick and kind == "max",
            )


def pools():
    yield from pool("2x2 26x26x32 N=32", 32, 26, 32, 2, 2, quick=True)
    yield from pool("3x3 stride 2 27x27x64 N=32", 32, 27, 64, 3, 2)


MILLION = 1_000_000


def elementwise():
    for function in ("exp", "tanh", "sigmoid"):
        yield Case(
            f"{function} of 1M", "elementwise", function, normal(x=MILLION), {}, floats=2 * MILLION
        )
    yield Case(
        "Adam, 1M parameters",
        "elementwise",
        "adam",
        normal(w=MILLION, g=MILLION),
        {},
        floats=7 * MILLION,
        calls_compared=3,
        tolerance=1e-2,  # epsilon stands elsewhere in Keras's formula of Adam
        quick=True,
    )
    for kind, draw in (("labels", class_numbers), ("one-hot", one_hot_rows)):
        yield Case(
            f"softmax cross-entropy 256x1000 {kind}, gradient",
            "elementwise",
            f"cross_entropy_of_{kind.replace('-', '_')}",
            draw,
            {},
            floats=(2 if kind == "labels" else 3) * 256 * 1000,
            quick=kind == "labels",
        )


def class_numbers(rng):
    return {
        "logits": rng.standard_normal((256, 1000), np.float32),
        "labels": rng.integers(1000, size=256),
    }


def one_hot_rows(rng):
    arrays = class_numbers(rng)
    labels = arrays.pop("labels")
    return arrays | {"targets": np.eye(1000, dtype=np.float32)[labels]}


def training_steps():
    for name, (image, layers) in NETWORKS.items():
        for batch in (32, 128):
            yield Case(
                f"{name}, batch {batch}",
                "model",
                "training_step",
                random_network(image, layers, batch),
                {"image": image, "layers": layers},
                calls_compared=3,
                tolerance=1e-2,  # epsilon stands elsewhere in Keras's formula of Adam
                quick=name == "MLP 784-128-10" and batch == 32,
            )


CHAIN = 200  # additions in a row


def overhead():
    for operation, name in (
        ("chain", "scalar add, recorded"),
        ("chain_and_gradient", "scalar add, recorded and derived"),
    ):
        yield Case(
            name,
            "overhead",
            operation,
            lambda rng: {},
            {"length": CHAIN},
            quick=True,
            units_per_call=CHAIN,
        )


BATCHES = (8, 16, 32, 64, 128)
NEIGHBOURS = {  # an odd size: the even one beside it
    "matmul n=127": "matmul n=128",
    "matmul n=129": "matmul n=128",
    "odd conv 3 channels, forward": "odd conv 4 channels, forward",
    "odd conv 17 channels, forward": "odd conv 16 channels, forward",
    "odd conv 13 wide, forward": "odd conv 12 wide, forward",
}


def growth():
    for batch in BATCHES:
        yield from conv(f"conv (b) N={batch}", batch, 13, 32, 64, 3, group="growth")
        yield product(f"dense 1024-1024 N={batch}", batch, 1024, 1024, group="growth")
    for n in (127, 129):
        yield product(f"matmul n={n}", n, n, n, group="growth")
    for channels in (3, 4, 16, 17):
        yield from odd_conv(f"{channels} channels", 28, channels)
    for width in (12, 13):
        yield from odd_conv(f"{width} wide", width, 32)


def odd_conv(name, image, channels):
    return conv(f"odd conv {name}", 32, image, channels, 64, 3, operations=["conv"], group="growth")


CASES = {
    case.name: case
    for make in (products, convs, pools, elementwise, training_steps, overhead, growth)
    for case in make()
}
