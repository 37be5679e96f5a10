"""Calling the C functions of ``tinydl.h`` on NumPy arrays: ours, and those of a student's file.

A C function gets bare pointers, so all that it relies on is made sure of here: the shapes (by
the geometry), the element type, contiguity, and room for the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from tinydl.kernels.geometry import (
    Array,
    Padding,
    Pair,
    Shape,
    dense_shape,
    logits_shape,
    place_pool,
    place_window,
    product_shape,
    row_shape,
    same_shape,
    step_shape,
)

REAL_TYPES: dict[np.dtype, str] = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}


class CKernels:
    """Functions like those of `tinydl.kernels.reference` that call C.

    Each returns NotImplemented, and so declines, unless all its arrays are float32 or all are
    float64, in the byte order of the machine.

    Parameters
    ----------
    ffi : cffi.FFI
        It knows the structs of ``tinydl.h``.
    functions : mapping
        The C functions by name and element type: ``functions["conv", np.dtype(np.float32)]``.
    threads : callable
        Tells how many threads a call may use.
    empty : callable
        Makes the array for a result, of a shape and an element type.
    """

    def __init__(
        self,
        ffi: Any,
        functions: Mapping[tuple[str, np.dtype], Any],
        threads: Callable[[], int],
        empty: Callable[[Shape, np.dtype], Array] = np.empty,
    ) -> None:
        self.functions = functions
        self._threads, self._empty = threads, empty
        self._pointer = ffi.from_buffer
        self._pointer_types = {dtype: ffi.typeof(f"{name}[]") for dtype, name in REAL_TYPES.items()}
        self._window = lru_cache(maxsize=1024)(lambda window: ffi.new("window *", window))
        self._table = lru_cache(maxsize=1024)(lambda *sizes: ffi.new("table *", sizes))

        @lru_cache(maxsize=1024)
        def product(*layout: Any) -> tuple[Shape, Any]:
            shape, sizes = _sizes_of_product(*layout)
            return shape, sizes and ffi.new("matrices *", sizes)

        self._product = product

    def matmul(self, a: Array, b: Array) -> Array:
        """y[..., i, j] = sum over k of a[..., i, k] * b[..., k, j]."""
        a, b, shape, sizes = self._place_matrices(a, b)
        return self._call("matmul", (a, b), shape, sizes)

    def dense_layer(self, a: Array, w: Array, b: Array, relu: bool) -> Array:
        """y[..., i, j] = sum over k of a[..., i, k] * w[k, j], plus b[j]; at least 0 if `relu`."""
        dense_shape(a.shape, w.shape, b.shape)
        a, w, shape, sizes = self._place_matrices(a, w)
        return self._call("dense_layer", (a, w, b), shape, sizes, relu)

    def _place_matrices(self, a: Array, b: Array) -> tuple[Array, Array, Shape, Any]:
        """Give both factors as they lie in memory, the shape of their product, and C's sizes."""
        a_memory, a_turned = _in_memory(a)
        b_memory, b_turned = _in_memory(b)
        shape, sizes = self._product(a.shape, b.shape, a_turned, b_turned)
        if sizes is not None:
            return a_memory, b_memory, shape, sizes
        leading = shape[:-2]
        a = np.broadcast_to(a, (*leading, *a.shape[-2:])).copy()
        b = np.broadcast_to(b, (*leading, *b.shape[-2:])).copy()
        return self._place_matrices(a, b)

    def conv(self, x: Array, w: Array, strides: Pair, padding: Padding, dilation: Pair) -> Array:
        """y[n, i, j, o] = sum over p, q, c of x[n, row, column, c] * w[p, q, c, o]."""
        window = place_window(x.shape, w.shape, strides, padding, dilation)
        return self._call("conv", (x, w), window.output_shape, self._window(window))

    def conv_layer(
        self,
        x: Array,
        w: Array,
        b: Array,
        relu: bool,
        strides: Pair,
        padding: Padding,
        dilation: Pair,
    ) -> Array:
        """conv(x, w) + b[o], at least 0 if `relu`."""
        window = place_window(x.shape, w.shape, strides, padding, dilation)
        shape = row_shape(window.output_shape, b.shape)
        return self._call("conv_layer", (x, w, b), shape, self._window(window), relu)

    def conv_input_gradient(
        self,
        g: Array,
        w: Array,
        input_shape: Shape,
        strides: Pair,
        padding: Padding,
        dilation: Pair,
    ) -> Array:
        """In conv, x[n, row, column, c] met w[p, q, c, o]: it gets w times g there."""
        window = place_window(input_shape, w.shape, strides, padding, dilation, g.shape)
        return self._call("conv_input_gradient", (g, w), input_shape, self._window(window))

    def conv_kernel_gradient(
        self,
        x: Array,
        g: Array,
        kernel_shape: Shape,
        strides: Pair,
        padding: Padding,
        dilation: Pair,
    ) -> Array:
        """In conv, w[p, q, c, o] met x[n, row, column, c]: it gets x times g there."""
        window = place_window(x.shape, kernel_shape, strides, padding, dilation, g.shape)
        return self._call("conv_kernel_gradient", (x, g), kernel_shape, self._window(window))

    def max_pool(self, x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """y[n, i, j, c] = the greatest element of the window at (i, j); NaN wins."""
        window = place_pool(x.shape, pool_size, strides, padding)
        return self._call("max_pool", (x,), window.output_shape, self._window(window))

    def max_pool_gather(
        self, u: Array, x: Array, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """y[n, i, j, c] = u at the place where the window at (i, j) of x has its maximum."""
        window = place_pool(x.shape, pool_size, strides, padding, other_image_shape=u.shape)
        return self._call("max_pool_gather", (u, x), window.output_shape, self._window(window))

    def max_pool_gradient(
        self, g: Array, x: Array, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """In gather, y came from the winning place of the window; so that place gets g."""
        window = place_pool(x.shape, pool_size, strides, padding, output_shape=g.shape)
        return self._call("max_pool_gradient", (g, x), x.shape, self._window(window))

    def max_pool_winners(self, x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """The greatest element of the window at (i, j), and which one that is, by its number."""
        window = place_pool(x.shape, pool_size, strides, padding, numbered_in=x.dtype)
        shape = 2, *window.output_shape
        return self._call("max_pool_winners", (x,), shape, self._window(window))

    def conv_max_pool_layer(
        self,
        x: Array,
        w: Array,
        b: Array,
        relu: bool,
        strides: Pair,
        padding: Padding,
        dilation: Pair,
        pool_size: Pair,
        pool_strides: Pair,
        pool_padding: Padding,
    ) -> Array:
        """The maxima and winners of conv(x, w) + b[o], at least 0 if `relu`."""
        window = place_window(x.shape, w.shape, strides, padding, dilation)
        image = row_shape(window.output_shape, b.shape)
        pool = place_pool(image, pool_size, pool_strides, pool_padding, numbered_in=b.dtype)
        sizes, shape = self._window(window), (2, *pool.output_shape)
        return self._call("conv_max_pool_layer", (x, w, b), shape, sizes, self._window(pool), relu)

    def conv_max_pool_layer_gradient(
        self,
        x: Array,
        g: Array,
        winners: Array,
        kernel_shape: Shape,
        strides: Pair,
        padding: Padding,
        dilation: Pair,
        pool_size: Pair,
        pool_strides: Pair,
        pool_padding: Padding,
    ) -> Array:
        """In conv_max_pool_layer, w and b were in z, and the winners of z are y: g goes there."""
        window = place_window(x.shape, kernel_shape, strides, padding, dilation)
        image = window.output_shape
        pool = place_pool(
            image,
            pool_size,
            pool_strides,
            pool_padding,
            output_shape=same_shape(g.shape, winners.shape),
            numbered_in=x.dtype,
        )
        shape = prod(kernel_shape[:3]) + 1, kernel_shape[3]
        sizes = self._window(window), self._window(pool)
        return self._call("conv_max_pool_layer_gradient", (x, g, winners), shape, *sizes)

    def max_unpool(
        self,
        g: Array,
        winners: Array,
        input_shape: Shape,
        pool_size: Pair,
        strides: Pair,
        padding: Padding,
    ) -> Array:
        """The place of the window that a winner's number names gets g."""
        window = place_pool(input_shape, pool_size, strides, padding, output_shape=g.shape)
        same_shape(winners.shape, g.shape, ("winners", "g"))
        return self._call("max_unpool", (g, winners), input_shape, self._window(window))

    def average_pool(self, x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Array:
        """y[n, i, j, c] = the mean of the window's real (unpadded) elements."""
        window = place_pool(x.shape, pool_size, strides, padding)
        return self._call("average_pool", (x,), window.output_shape, self._window(window))

    def average_pool_gradient(
        self, g: Array, input_shape: Shape, pool_size: Pair, strides: Pair, padding: Padding
    ) -> Array:
        """The mean shared its window equally; so each real element gets g / their number."""
        window = place_pool(input_shape, pool_size, strides, padding, output_shape=g.shape)
        return self._call("average_pool_gradient", (g,), input_shape, self._window(window))

    def relu(self, x: Array) -> Array:
        """y[i] = x[i] if it is positive, otherwise 0."""
        return self._call("relu", (x,), x.shape, self._table(1, x.size))

    def relu_gradient(self, g: Array, x: Array) -> Array:
        """In relu, y was x where x is positive; so x_bar is g there."""
        shape = same_shape(g.shape, x.shape)
        return self._call("relu_gradient", (g, x), shape, self._table(1, x.size))

    def add_row(self, x: Array, b: Array) -> Array:
        """y[i, j] = x[i, j] + b[j]."""
        shape = row_shape(x.shape, b.shape)
        return self._call("add_row", (x, b), shape, self._table(prod(shape[:-1]), shape[-1]))

    def sum_rows(self, x: Array) -> Array:
        """y[j] = sum over i of x[i, j]."""
        rows, columns = row_shape(x.shape, x.shape[-1:])
        return self._call("sum_rows", (x,), (columns,), self._table(rows, columns))

    def exp_each(self, x: Array) -> Array:
        """y[i] = e^x[i]."""
        return self._call("exp_each", (x,), x.shape, x.size)

    def tanh_each(self, x: Array) -> Array:
        """y[i] = (e^x[i] - e^-x[i]) / (e^x[i] + e^-x[i])."""
        return self._call("tanh_each", (x,), x.shape, x.size)

    def sigmoid_each(self, x: Array) -> Array:
        """y[i] = 1 / (1 + e^-x[i])."""
        return self._call("sigmoid_each", (x,), x.shape, x.size)

    def softmax(self, x: Array) -> Array:
        """y[..., k] = e^x[..., k], divided by the sum of these over k."""
        *rows, columns = logits_shape(x.shape, x.shape)
        return self._call("softmax", (x,), x.shape, self._table(prod(rows), columns))

    def log_softmax(self, x: Array) -> Array:
        """y[..., k] = x[..., k], minus the logarithm of the sum of the exponentials over k."""
        *rows, columns = logits_shape(x.shape, x.shape)
        return self._call("log_softmax", (x,), x.shape, self._table(prod(rows), columns))

    def softmax_cross_entropy(self, t: Array, z: Array) -> Array:
        """y[...] = minus the sum over k of t[..., k] times the logarithm of the softmax of z."""
        *rows, columns = logits_shape(t.shape, z.shape)
        sizes = self._table(prod(rows), columns)
        return self._call("softmax_cross_entropy", (t, z), tuple(rows), sizes)

    def softmax_cross_entropy_gradient(self, g: Array, t: Array, z: Array) -> Array:
        """z_bar[..., k] = g[...] times (the softmax of z times the sum of t - t)."""
        *rows, columns = logits_shape(t.shape, z.shape, g.shape)
        sizes = self._table(prod(rows), columns)
        return self._call("softmax_cross_entropy_gradient", (g, t, z), z.shape, sizes)

    def sgd_step(self, w: Array, g: Array, rate: float) -> Array:
        """w'[i] = w[i] - rate * g[i]."""
        shape = step_shape(w.shape, g.shape)
        return self._call("sgd_step", (w, g), shape, w.size, rate)

    def momentum_step(
        self, w: Array, g: Array, v: Array, rate: float, momentum: float, nesterov: bool
    ) -> Array:
        """v'[i] = momentum * v[i] - rate * g[i], and w'[i] from it; w' first, then v'."""
        shape = 2, *step_shape(w.shape, g.shape, v.shape)
        return self._call("momentum_step", (w, g, v), shape, w.size, rate, momentum, nesterov)

    def adam_step(
        self,
        w: Array,
        g: Array,
        m: Array,
        v: Array,
        rate: float,
        beta_1: float,
        beta_2: float,
        epsilon: float,
    ) -> Array:
        """m'[i] and v'[i], faded means, and w'[i] from them; w' first, then m' and v'."""
        shape = 3, *step_shape(w.shape, g.shape, m.shape, v.shape)
        return self._call("adam_step", (w, g, m, v), shape, w.size, rate, beta_1, beta_2, epsilon)

    def _call(
        self, name: str, inputs: tuple[Array, ...], shape: Shape, sizes: Any, *settings: Any
    ) -> Any:
        dtype = inputs[-1].dtype
        function = self.functions.get((name, dtype))
        if function is None:
            return NotImplemented
        pointer, kind = self._pointer, self._pointer_types[dtype]
        pointers = []
        for x in inputs:  # one loop, for this is done before every kernel
            if x.dtype != dtype:
                return NotImplemented
            flags = x.flags
            if not (flags.c_contiguous and flags.aligned):
                x = np.array(x, order="C")
            pointers.append(pointer(kind, x))
        result = self._empty(shape, dtype)
        if result.size == 0:
            return result
        if function(*pointers, pointer(kind, result), sizes, *settings, self._threads()) != 0:
            raise MemoryError(f"{name}: no memory to work in")
        return result


def _in_memory(x: Array) -> tuple[Array, bool]:
    """Give matrices as they lie in memory, and whether that is transposed."""
    if x.flags.c_contiguous or x.ndim < 2 or not x.mT.flags.c_contiguous:
        return x, False
    return x.mT, True


def _sizes_of_product(
    a_shape: Shape, b_shape: Shape, a_turned: bool, b_turned: bool
) -> tuple[Shape, tuple[int, ...] | None]:
    """Give the shape of a product, and the numbers of C's `matrices`.

    There are none where leading axes broadcast in ways that C does not know: it knows factors
    that are a matrix for each of the product's, or one matrix for all.
    """
    shape = product_shape(a_shape, b_shape)
    batch, rows, columns = prod(shape[:-2]), *shape[-2:]
    terms, a_batch, b_batch = a_shape[-1], prod(a_shape[:-2]), prod(b_shape[:-2])
    if b_batch == 1 and not (a_turned and batch > 1):  # leading axes of a are only more rows
        batch, rows = 1, batch * rows
    elif not {a_batch, b_batch} <= {1, batch}:
        return shape, None
    a_strides = (1, rows) if a_turned else (terms, 1)
    b_strides = (1, terms) if b_turned else (columns, 1)
    a_batch_stride = rows * terms if a_batch > 1 else 0
    b_batch_stride = terms * columns if b_batch > 1 else 0
    a_place, b_place = (a_batch_stride, *a_strides), (b_batch_stride, *b_strides)
    return shape, (batch, rows, terms, columns, *a_place, *b_place)
