"""What each kernel is: its name, its arguments, and the shape of its result.

The body of a declaration computes that shape; the work is done by whoever `tinydl.kernels.use`
chose. Images are (N, H, W, C), conv kernels (KH, KW, C, O), results of windows (N, OH, OW, ...).

The settings of a window are whole numbers: ``strides=(sh, sw)``, ``dilation=(dh, dw)``,
``pool_size=(ph, pw)`` and ``padding=((top, bottom), (left, right))``. Any size of an array may
be 0, and an empty sum is 0. Inputs may lie in memory in any way and are never changed; the
result is a fresh C-contiguous array of the inputs' common dtype.
"""

from __future__ import annotations

from math import prod

import numpy as np

from tinydl.kernels.choice import kernel
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


@kernel
def matmul(a: Array, b: Array) -> Shape:
    r"""Multiply matrices: (..., M, K) and (..., K, N) give (..., M, N); leading axes broadcast.

    .. math:: y_{ij} = \sum_k a_{ik} b_{kj}

    Examples
    --------
    >>> import numpy as np
    >>> matmul(np.ones((2, 3)), np.ones((3, 4))).shape
    (2, 4)
    """
    return product_shape(a.shape, b.shape)


@kernel
def dense_layer(a: Array, w: Array, b: Array, relu: bool) -> Shape:
    r"""Multiply a (..., M, K) and w (K, N), add b (N,) to each row, and take the positive part.

    One call does what `matmul`, `add_row` and, if asked for, `relu` do one after the other, and
    y is written once. The NumPy path does call them, whoever serves them.

    .. math:: y_{ij} = \max(\textstyle\sum_k a_{ik} w_{kj} + b_j,\, 0)

    Examples
    --------
    >>> import numpy as np
    >>> dense_layer(np.ones((1, 3)), np.ones((3, 2)), np.array([1.0, -9.0]), relu=True)
    array([[4., 0.]])
    """
    return dense_shape(a.shape, w.shape, b.shape)


@kernel
def conv(x: Array, w: Array, strides: Pair, padding: Padding, dilation: Pair) -> Shape:
    r"""Convolve images with a kernel (which is not flipped, as everywhere in deep learning).

    .. math:: y_{nijo} = \sum_{pqc} x_{n,\, i s + p d - top,\, j s + q d - left,\, c}\; w_{pqco}

    A kernel (KH, KW, C / G, O) with fewer channels than the images works in G groups: the first
    O / G filters see the first C / G channels, and so on. The gradients follow.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> conv(image, np.ones((2, 2, 1, 1)), (1, 1), ((0, 0), (0, 0)), (1, 1))[0, :, :, 0]
    array([[ 8., 12.],
           [20., 24.]])
    """
    return place_window(x.shape, w.shape, strides, padding, dilation).output_shape


@kernel
def conv_layer(
    x: Array, w: Array, b: Array, relu: bool, strides: Pair, padding: Padding, dilation: Pair
) -> Shape:
    r"""Convolve images with a kernel, add b (O,) to each pixel, and take the positive part.

    One call does what `conv`, `add_row` and, if asked for, `relu` do one after the other, and
    y is written once. The NumPy path does call them, whoever serves them.

    .. math:: y_{nijo} = \max(conv(x, w)_{nijo} + b_o,\, 0)

    Examples
    --------
    >>> import numpy as np
    >>> x, w, b = np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 2)), np.array([1.0, -9.0])
    >>> conv_layer(x, w, b, True, (1, 1), ((0, 0), (0, 0)), (1, 1))
    array([[[[5., 0.]]]])
    """
    window = place_window(x.shape, w.shape, strides, padding, dilation)
    return row_shape(window.output_shape, b.shape)


@kernel
def conv_input_gradient(
    g: Array, w: Array, input_shape: Shape, strides: Pair, padding: Padding, dilation: Pair
) -> Shape:
    r"""Derive <g, conv(x, w)> by x, which has `input_shape`: each x gets the w it met, times g.

    .. math:: \bar x_{nrkc} = \sum_{pqo} g_{nijo}\, w_{pqco}
              \quad\text{over the } i, j \text{ where } w_{pq} \text{ meets } x_{nrk}

    Examples
    --------
    >>> import numpy as np
    >>> g, w = np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1))
    >>> conv_input_gradient(g, w, (1, 3, 3, 1), (1, 1), ((0, 0), (0, 0)), (1, 1))[0, :, :, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    place_window(input_shape, w.shape, strides, padding, dilation, g.shape)
    return input_shape


@kernel
def conv_kernel_gradient(
    x: Array, g: Array, kernel_shape: Shape, strides: Pair, padding: Padding, dilation: Pair
) -> Shape:
    r"""Derive <g, conv(x, w)> by w, which has `kernel_shape`: each w gets the x it met, times g.

    .. math:: \bar w_{pqco} =
              \sum_{nij} x_{n,\, i s + p d - top,\, j s + q d - left,\, c}\; g_{nijo}

    Examples
    --------
    >>> import numpy as np
    >>> x, g = np.arange(9.0).reshape(1, 3, 3, 1), np.ones((1, 2, 2, 1))
    >>> no_padding = ((0, 0), (0, 0))
    >>> conv_kernel_gradient(x, g, (2, 2, 1, 1), (1, 1), no_padding, (1, 1))[:, :, 0, 0]
    array([[ 8., 12.],
           [20., 24.]])
    """
    place_window(x.shape, kernel_shape, strides, padding, dilation, g.shape)
    return kernel_shape


@kernel
def max_pool(x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Shape:
    r"""Take the maximum of each window. Padding never wins; NaN does.

    .. math:: y_{nijc} = \max_{p,q} x_{n,\, i s + p - top,\, j s + q - left,\, c}

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> max_pool(image, (2, 2), (2, 2), ((0, 0), (0, 0)))[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    return place_pool(x.shape, pool_size, strides, padding).output_shape


@kernel
def max_pool_gather(u: Array, x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Shape:
    r"""Take the element of u at the place where x's window has its maximum.

    Of equal maxima, the first in row-major order is taken; so is the first NaN.

    .. math:: y_{nijc} = u_{n, r^*, k^*, c}
              \quad\text{where } x_{n, r^*, k^*, c} \text{ is the maximum of its window}

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[3.0, 1.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
    >>> u = np.array([[10.0, 20.0], [30.0, 40.0]]).reshape(1, 2, 2, 1)
    >>> max_pool_gather(u, x, (2, 2), (2, 2), ((0, 0), (0, 0)))[0, :, :, 0]
    array([[10.]])
    """
    window = place_pool(x.shape, pool_size, strides, padding, other_image_shape=u.shape)
    return window.output_shape


@kernel
def max_pool_gradient(
    g: Array, x: Array, pool_size: Pair, strides: Pair, padding: Padding
) -> Shape:
    r"""Add each g to the place where x's window has its maximum (the adjoint of the gathering).

    .. math:: \bar x_{nrkc} = \sum_{ij} g_{nijc}
              \quad\text{over the windows that have their maximum at } (r, k)

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[3.0, 1.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
    >>> max_pool_gradient(np.ones((1, 1, 1, 1)), x, (2, 2), (2, 2), ((0, 0), (0, 0)))[0, :, :, 0]
    array([[1., 0.],
           [0., 0.]])
    """
    place_pool(x.shape, pool_size, strides, padding, output_shape=g.shape)
    return x.shape


@kernel
def max_pool_winners(x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Shape:
    r"""Take the maximum of each window, and the number of its place: y and k, (2, N, OH, OW, C).

    The places of a window are numbered in reading order, those on padding too, in the dtype of
    x. Of equal maxima the first is taken; so is the first NaN.

    .. math::
        y_{nijc} = \max_{p,q} x_{n,\, i s + p - top,\, j s + q - left,\, c}, \quad
        k_{nijc} = p^* w + q^* \text{ where that is, in windows } w \text{ wide}

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[3.0, 1.0, 0.0, 0.0], [3.0, 2.0, 0.0, 5.0]]).reshape(1, 2, 4, 1)
    >>> maxima, winners = max_pool_winners(image, (2, 2), (2, 2), ((0, 0), (0, 0)))
    >>> maxima[0, :, :, 0], winners[0, :, :, 0]
    (array([[3., 5.]]), array([[0., 3.]]))
    """
    window = place_pool(x.shape, pool_size, strides, padding, numbered_in=x.dtype)
    return 2, *window.output_shape


@kernel
def conv_max_pool_layer(
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
) -> Shape:
    r"""Do what `conv_layer` and then `max_pool_winners` do: maxima and winners, (2, N, PH, PW, O).

    What lies in between, the largest array of a network, is not made as a whole. The NumPy path
    does make it: it calls the two, whoever serves them. Where `relu` made the maximum 0, the number
    of its winner is -1.

    .. math::
        y_{nijo} = \max_{p,q} z_{n,\, i s + p - top,\, j s + q - left,\, o}, \quad
        z = conv\_layer(x, w, b)

    Examples
    --------
    >>> import numpy as np
    >>> x, w, b = np.arange(16.0).reshape(1, 4, 4, 1), np.ones((1, 1, 1, 1)), np.ones(1)
    >>> none = (0, 0), (0, 0)
    >>> conv = True, (1, 1), none, (1, 1)
    >>> maxima, winners = conv_max_pool_layer(x, w, b, *conv, (2, 2), (2, 2), none)
    >>> maxima[0, :, :, 0], winners[0, :, :, 0]
    (array([[ 6.,  8.],
           [14., 16.]]), array([[3., 3.],
           [3., 3.]]))
    """
    window = place_window(x.shape, w.shape, strides, padding, dilation)
    shape = row_shape(window.output_shape, b.shape)
    dtype = np.result_type(x, w, b)
    pool = place_pool(shape, pool_size, pool_strides, pool_padding, numbered_in=dtype)
    return 2, *pool.output_shape


@kernel
def conv_max_pool_layer_gradient(
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
) -> Shape:
    r"""Pass g, of the maxima of `conv_max_pool_layer`, back to its w and b: (KH KW C / G + 1, O).

    The last row belongs to b, the others to w. What lies in between is not made as a whole. The
    NumPy path does make it: by `max_unpool`, `conv_kernel_gradient` and `sum_rows`.

    .. math::
        \bar w_{pqco} = \sum_{nij} x_{n,\, i s + p d - top,\, j s + q d - left,\, c}\;
        \bar z_{nijo}, \quad \bar z = max\_unpool(g, winners), \qquad
        \bar b_o = \sum_{nij} g_{nijo} \, [winner_{nijo} \ge 0]

    Examples
    --------
    >>> import numpy as np
    >>> x, none = np.arange(16.0).reshape(1, 4, 4, 1), ((0, 0), (0, 0))
    >>> g, winners = np.ones((1, 2, 2, 1)), np.array([3.0, -1, 0, 0]).reshape(1, 2, 2, 1)
    >>> conv, pool = ((1, 1), none, (1, 1)), ((2, 2), (2, 2), none)
    >>> conv_max_pool_layer_gradient(x, g, winners, (1, 1, 1, 1), *conv, *pool)
    array([[23.],
           [ 3.]])
    """
    window = place_window(x.shape, kernel_shape, strides, padding, dilation)
    image, dtype = window.output_shape, np.result_type(x, g, winners)
    place_pool(
        image, pool_size, pool_strides, pool_padding, output_shape=g.shape, numbered_in=dtype
    )
    same_shape(g.shape, winners.shape)
    return prod(kernel_shape[:3]) + 1, kernel_shape[3]


@kernel
def max_unpool(
    g: Array,
    winners: Array,
    input_shape: Shape,
    pool_size: Pair,
    strides: Pair,
    padding: Padding,
) -> Shape:
    r"""Add each g to the place of its window that the winner's number names.

    With the winners of `max_pool_winners` this is `max_pool_gradient`, without a look at x. A
    number that names no place on the image is passed over.

    .. math:: \bar x_{nrkc} = \sum_{ij} g_{nijc}
              \quad\text{over the windows whose winner is at } (r, k)

    Examples
    --------
    >>> import numpy as np
    >>> g, winners = np.array([[5.0, 7.0]]), np.array([[0.0, 3.0]])
    >>> g, winners = g.reshape(1, 1, 2, 1), winners.reshape(1, 1, 2, 1)
    >>> max_unpool(g, winners, (1, 2, 4, 1), (2, 2), (2, 2), ((0, 0), (0, 0)))[0, :, :, 0]
    array([[5., 0., 0., 0.],
           [0., 0., 0., 7.]])
    """
    place_pool(input_shape, pool_size, strides, padding, output_shape=g.shape)
    same_shape(winners.shape, g.shape, ("winners", "g"))
    return input_shape


@kernel
def average_pool(x: Array, pool_size: Pair, strides: Pair, padding: Padding) -> Shape:
    r"""Take the mean of the elements of each window; padding does not count as elements.

    .. math:: y_{nijc} = \frac{1}{m_{ij}} \sum_{p,q} x_{n,\, i s + p - top,\, j s + q - left,\, c}

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> average_pool(image, (2, 2), (2, 2), ((0, 0), (0, 0)))[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    return place_pool(x.shape, pool_size, strides, padding).output_shape


@kernel
def average_pool_gradient(
    g: Array, input_shape: Shape, pool_size: Pair, strides: Pair, padding: Padding
) -> Shape:
    r"""Share each g equally among the elements that its mean was taken over.

    .. math:: \bar x_{nrkc} = \sum_{ij} g_{nijc} / m_{ij}
              \quad\text{over the windows that hold } (r, k)

    Examples
    --------
    >>> import numpy as np
    >>> g = np.ones((1, 1, 1, 1))
    >>> average_pool_gradient(g, (1, 2, 2, 1), (2, 2), (2, 2), ((0, 0), (0, 0)))[0, :, :, 0]
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    place_pool(input_shape, pool_size, strides, padding, output_shape=g.shape)
    return input_shape


@kernel
def relu(x: Array) -> Shape:
    r"""Take the positive elements of an array of any shape; nan stays nan.

    .. math:: y_i = \max(x_i, 0)

    Examples
    --------
    >>> import numpy as np
    >>> relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    return x.shape


@kernel
def relu_gradient(g: Array, x: Array) -> Shape:
    r"""Take g where x is positive or nan, otherwise 0.

    .. math:: \bar x_i = g_i [x_i > 0]

    Examples
    --------
    >>> import numpy as np
    >>> relu_gradient(np.array([5.0, 7.0]), np.array([-1.0, 2.0]))
    array([0., 7.])
    """
    return same_shape(g.shape, x.shape)


@kernel
def add_row(x: Array, b: Array) -> Shape:
    r"""Add b (C,) to each row of x (..., C).

    .. math:: y_{ij} = x_{ij} + b_j

    Examples
    --------
    >>> import numpy as np
    >>> add_row(np.zeros((2, 2)), np.array([1.0, 2.0]))
    array([[1., 2.],
           [1., 2.]])
    """
    return row_shape(x.shape, b.shape)


@kernel
def sum_rows(x: Array) -> Shape:
    r"""Add up the rows of x (N, C): the gradient of the b of `add_row`.

    .. math:: y_j = \sum_i x_{ij}

    Examples
    --------
    >>> import numpy as np
    >>> sum_rows(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([4., 6.])
    """
    return row_shape(x.shape, x.shape[-1:])[-1:]


@kernel
def exp_each(x: Array) -> Shape:
    r"""The exponential of each element of an array of any shape.

    .. math:: y_i = e^{x_i}

    Examples
    --------
    >>> import numpy as np
    >>> exp_each(np.array([0.0, -np.inf]))
    array([1., 0.])
    """
    return x.shape


@kernel
def tanh_each(x: Array) -> Shape:
    r"""The hyperbolic tangent of each element of an array of any shape.

    .. math:: y_i = \frac{e^{x_i} - e^{-x_i}}{e^{x_i} + e^{-x_i}}

    Examples
    --------
    >>> import numpy as np
    >>> tanh_each(np.array([0.0, np.inf]))
    array([0., 1.])
    """
    return x.shape


@kernel
def sigmoid_each(x: Array) -> Shape:
    r"""The logistic function of each element of an array of any shape.

    .. math:: y_i = \frac{1}{1 + e^{-x_i}}

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid_each(np.array([-1000.0, 0.0]))
    array([0. , 0.5])
    """
    return x.shape


@kernel
def softmax(x: Array) -> Shape:
    r"""Make probabilities of each row of scores x (..., K).

    .. math:: y_k = \frac{e^{x_k}}{\sum_j e^{x_j}}

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([[1000.0, 1000.0], [0.0, -np.inf]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return logits_shape(x.shape, x.shape)


@kernel
def log_softmax(x: Array) -> Shape:
    r"""The logarithm of the `softmax` of each row of scores x (..., K).

    .. math:: y_k = x_k - \ln \sum_j e^{x_j}

    Examples
    --------
    >>> import numpy as np
    >>> log_softmax(np.array([[0.0, -1000.0]]))
    array([[    0., -1000.]])
    """
    return logits_shape(x.shape, x.shape)


@kernel
def softmax_cross_entropy(t: Array, z: Array) -> Shape:
    r"""The cross-entropy of targets t (..., K) and the `softmax` of logits z (..., K), as (...).

    A class of probability 0 costs nothing, even where its logit is -inf.

    .. math:: y = -\sum_k t_k \Big( z_k - \ln \sum_j e^{z_j} \Big)

    Examples
    --------
    >>> import numpy as np
    >>> softmax_cross_entropy(np.array([[0.0, 1.0]]), np.array([[0.0, -1000.0]]))
    array([1000.])
    """
    return logits_shape(t.shape, z.shape)[:-1]


@kernel
def softmax_cross_entropy_gradient(g: Array, t: Array, z: Array) -> Shape:
    r"""Derive <g, softmax_cross_entropy(t, z)> by z; g is (...), t and z are (..., K).

    .. math:: \bar z_k = g \Big( p_k \sum_j t_j - t_k \Big), \quad
              p = \operatorname{softmax}(z)

    Examples
    --------
    >>> import numpy as np
    >>> softmax_cross_entropy_gradient(np.array([4.0]), np.array([[0.0, 1.0]]), np.zeros((1, 2)))
    array([[ 2., -2.]])
    """
    return logits_shape(t.shape, z.shape, g.shape)


@kernel
def sgd_step(w: Array, g: Array, rate: float) -> Shape:
    r"""Move weights w of any shape against their gradient g.

    .. math:: w'_i = w_i - \eta g_i

    Examples
    --------
    >>> import numpy as np
    >>> sgd_step(np.array([1.0, 2.0]), np.array([2.0, 2.0]), 0.5)
    array([0., 1.])
    """
    return step_shape(w.shape, g.shape)


@kernel
def momentum_step(
    w: Array, g: Array, v: Array, rate: float, momentum: float, nesterov: bool
) -> Shape:
    r"""Move weights w with a velocity v: gives the new w and v, stacked, (2, ...).

    .. math:: v'_i = \mu v_i - \eta g_i, \qquad w'_i = w_i + v'_i
              \quad\text{or, by Nesterov,}\quad w_i + \mu v'_i - \eta g_i

    Examples
    --------
    >>> import numpy as np
    >>> w, v = momentum_step(np.array([1.0]), np.array([10.0]), np.array([0.5]), 0.1, 0.5, False)
    >>> w, v
    (array([0.25]), array([-0.75]))
    """
    return 2, *step_shape(w.shape, g.shape, v.shape)


@kernel
def adam_step(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> Shape:
    r"""Do a step of Adam: gives the new w, m and v, stacked, (3, ...).

    .. math::
        m'_i = \beta_1 m_i + (1 - \beta_1) g_i, \qquad
        v'_i = \beta_2 v_i + (1 - \beta_2) g_i^2, \qquad
        w'_i = w_i - \eta \frac{m'_i}{\sqrt{v'_i} + \epsilon}

    Source: Kingma & Ba, *Adam: a method for stochastic optimization*, arXiv:1412.6980.

    Examples
    --------
    >>> import numpy as np
    >>> zeros = np.zeros(2)
    >>> w, m, v = adam_step(np.ones(2), np.array([2.0, -4.0]), zeros, zeros, 0.1, 0.5, 0.75, 0.0)
    >>> w, m, v
    (array([0.9, 1.1]), array([ 1., -2.]), array([1., 4.]))
    """
    return 3, *step_shape(w.shape, g.shape, m.shape, v.shape)
