"""The cases, as a user of PyTorch writes them; images in both of its layouts."""

from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.networks import shapes_after
from benchmarks.work import Work

LAYOUTS = {"NCHW": torch.contiguous_format, "channels last": torch.channels_last}


def start(threads):
    torch.set_num_threads(threads)


def version():
    return torch.__version__


def images(x):
    return torch.from_numpy(x).permute(0, 3, 1, 2)


def filters(w):
    return torch.from_numpy(w).permute(3, 2, 0, 1)


def read_images(y):
    return y.detach().permute(0, 2, 3, 1).numpy()


def read_filters(w):
    return w.detach().permute(2, 3, 1, 0).numpy()


def in_both_layouts(run, read, *arrays):
    """Time `run` on arrays (N, C, H, W) whose elements lie in memory in either order."""
    for name, layout in LAYOUTS.items():
        arranged = [x.clone(memory_format=layout) for x in arrays]
        yield Work(partial(run, *arranged), read, name)


def matmul(a, b, transpose_a, transpose_b):
    a, b = torch.from_numpy(a), torch.from_numpy(b)
    a, b = a.T if transpose_a else a, b.T if transpose_b else b
    yield Work(lambda: a @ b)


def conv(x, w, g, stride, padding, dilation, groups):
    def run(x, w):
        return functional.conv2d(x, w, None, stride, padding, dilation, groups)

    return in_both_layouts(run, read_images, images(x), filters(w))


def conv_gradient(which, read, x, w, g, stride, padding, dilation, groups):
    """PyTorch's gradients of a convolution, of which only the one at `which` is asked for."""
    wanted = [place == which for place in range(3)]
    settings = [stride] * 2, [padding] * 2, [dilation] * 2, False, [0, 0], groups, wanted

    def run(x, w, g):
        return torch.ops.aten.convolution_backward(g, x, w, None, *settings)[which]

    return in_both_layouts(run, read, images(x), filters(w), images(g))


conv_input_gradient = partial(conv_gradient, 0, read_images)
conv_kernel_gradient = partial(conv_gradient, 1, read_filters)


def max_pool(x, g, size, stride):
    def run(x):
        return functional.max_pool2d(x, size, stride)

    return in_both_layouts(run, read_images, images(x))


def average_pool(x, g, size, stride):
    def run(x):
        return functional.avg_pool2d(x, size, stride)

    return in_both_layouts(run, read_images, images(x))


def max_pool_gradient(x, g, size, stride):
    where = [size] * 2, [stride] * 2, [0, 0], [1, 1], False
    _, places = functional.max_pool2d(images(x), size, stride, return_indices=True)

    def run(x, g, places):
        return torch.ops.aten.max_pool2d_with_indices_backward(g, x, *where, places)

    return in_both_layouts(run, read_images, images(x), images(g), places)


def average_pool_gradient(x, g, size, stride):
    where = [size] * 2, [stride] * 2, [0, 0], False, True, None

    def run(x, g):
        return torch.ops.aten.avg_pool2d_backward(g, x, *where)

    return in_both_layouts(run, read_images, images(x), images(g))


def elementwise(function, x):
    x = torch.from_numpy(x)
    yield Work(lambda: function(x))


exp = partial(elementwise, torch.exp)
tanh = partial(elementwise, torch.tanh)
sigmoid = partial(elementwise, torch.sigmoid)


def adam(w, g):
    for variant, settings in (("", {}), ("fused", {"fused": True})):
        weight = torch.tensor(w, requires_grad=True)
        weight.grad = torch.from_numpy(g)
        optimizer = torch.optim.Adam([weight], eps=1e-7, **settings)
        yield Work(partial(adam_step, optimizer, weight), lambda w: w.detach().numpy(), variant)


def adam_step(optimizer, weight):
    optimizer.step()
    return weight


def cross_entropy(logits, targets):
    logits, targets = torch.tensor(logits, requires_grad=True), torch.from_numpy(targets)

    def gradient():
        loss = functional.cross_entropy(logits, targets)
        return torch.autograd.grad(loss, logits)[0]

    yield Work(gradient)


def cross_entropy_of_labels(logits, labels):
    return cross_entropy(logits, labels)


def cross_entropy_of_one_hot(logits, targets):
    return cross_entropy(logits, targets)


def modules(image, layers):
    shapes = shapes_after(image, layers)
    for (kind, *settings), shape in zip(layers, shapes, strict=False):
        if kind == "conv":
            count, size, padding = settings
            yield nn.Conv2d(shape[-1], count, size, padding=padding)
            yield nn.ReLU()
        elif kind == "dense":
            yield nn.Linear(*shape, *settings)
            yield nn.ReLU()
        else:
            yield {"pool": partial(nn.MaxPool2d, 2), "flatten": nn.Flatten}[kind]()


def weights_in_order(image, layers, weights):
    """The weights as PyTorch has them; after Flatten it counts channels first, then places."""
    shapes, weights = shapes_after(image, layers), iter(weights)
    flattened = None
    for (kind, *_), shape in zip(layers, shapes, strict=False):
        if kind == "flatten":
            flattened = shape
        if kind == "conv":
            yield filters(next(weights))
        if kind == "dense":
            w = next(weights)
            if flattened:
                w = w.reshape(*flattened, -1).transpose(2, 0, 1, 3).reshape(w.shape)
                flattened = None
            yield torch.from_numpy(np.ascontiguousarray(w.T))
        if kind in ("conv", "dense"):
            yield torch.from_numpy(next(weights))


def training_step(x, labels, weights, image, layers):
    labels = torch.from_numpy(labels)
    for name, layout in LAYOUTS.items() if len(image) == 3 else [("", None)]:
        model = nn.Sequential(*list(modules(image, layers))[:-1])  # no relu after the last layer
        with torch.no_grad():
            for own, given in zip(
                model.parameters(), weights_in_order(image, layers, weights), strict=True
            ):
                own.copy_(given)
        inputs = torch.from_numpy(x)
        if layout:
            model = model.to(memory_format=layout)
            inputs = images(x).clone(memory_format=layout)
        optimizer = torch.optim.Adam(model.parameters(), eps=1e-7)
        yield Work(partial(model_step, model, optimizer, inputs, labels), variant=name)


def model_step(model, optimizer, x, labels):
    optimizer.zero_grad()
    loss = functional.cross_entropy(model(x), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def chain_of(length):
    a, b = torch.tensor(1.0, requires_grad=True), torch.tensor(2.0)
    y = a
    for _ in range(length):
        y = y + b
    return a, y


def chain(length):
    yield Work(lambda: chain_of(length)[1], read=lambda y: y.detach().numpy())


def chain_and_gradient(length):
    def run():
        a, y = chain_of(length)
        return torch.autograd.grad(y, a)[0]

    yield Work(run)
