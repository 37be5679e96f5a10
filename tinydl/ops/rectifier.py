"""Relu and its relatives: activations with a bend. Each says which slope its rule takes there."""

from __future__ import annotations

import numpy as np

from tinydl import kernels
from tinydl.engine import Op, rule
from tinydl.errors import ArgumentError
from tinydl.ops.comparison import LogicalNot
from tinydl.ops.elementwise import Bent, Floating
from tinydl.ops.exponential import Exp
from tinydl.ops.selection import Where


class Relu(Bent):
    r"""The rectified linear unit: x where it is positive, otherwise 0.

    A nan counts as positive, so its gradient is not lost on the way.

    Source: Nair & Hinton, *Rectified linear units improve restricted Boltzmann machines*,
    ICML 2010.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.relu([-1.0, 0.0, 2.0])
    tensor([0., 0., 2.])
    """

    formula = r"y_i = \max(x_i, 0)"
    kinks = "x_i = 0: the gradient is 0 there"

    literal = staticmethod(kernels.literal.relu)

    def forward(self, x):
        return kernels.relu(x)

    @rule(r"\bar x_i = \bar y_i \, [y_i > 0]")
    def x(self, y_bar, y, x):
        return ReluGradient()(y_bar, y)  # y is positive just where x is, and often x is not stored


class ReluGradient(Op):
    """Take g where x is positive, otherwise 0: what goes down from a relu.

    It is linear in `g`; `x` only says where, so no gradient flows to it.
    """

    input_names = ("g", "where")
    linear_in = ("g",)
    formula = r"z_i = g_i \, [x_i > 0]"
    literal = staticmethod(kernels.literal.relu_gradient)

    def forward(self, g, x):
        return kernels.relu_gradient(g, x)

    @rule(r"\bar g_i = \bar z_i \, [x_i > 0]")
    def g(self, z_bar, z, g, x):
        return ReluGradient()(z_bar, x)

    @classmethod
    def examples(cls, rng):
        """Several shapes."""
        for shape in ((3, 4), (), (0, 2)):
            yield cls(), (rng.normal(size=shape), rng.normal(size=shape))


class Relu6(Bent):
    r"""A relu that ends at 6.

    Source: Krizhevsky, *Convolutional deep belief networks on CIFAR-10*, 2010.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.relu6([-1.0, 2.0, 8.0])
    tensor([0., 2., 6.])
    """

    formula = r"y_i = \min(\max(x_i, 0), 6)"
    kinks = "x_i = 0 and x_i = 6: the gradient is 0 there"
    slopes_at_kinks = ((0.0, 0.0), (6.0, 0.0))

    def forward(self, x):
        return np.clip(x, 0, 6)

    @rule(r"\bar x_i = \bar y_i \, [0 < x_i < 6]")
    def x(self, y_bar, y, x):
        return y_bar * LogicalNot()((x <= 0) | (x >= 6))


class LeakyRelu(Floating, Bent):
    r"""A relu that lets a little of the negative part through, so that its gradient never dies.

    Parameters
    ----------
    x : array_like
    negative_slope : float
        The slope a for negative inputs.

    Source: Maas, Hannun & Ng, *Rectifier nonlinearities improve neural network acoustic models*,
    ICML 2013.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.leaky_relu([-1.0, 2.0])
    tensor([-0.2,  2. ])
    """

    formula = r"y_i = \begin{cases} x_i & x_i > 0 \\ a x_i & \text{otherwise} \end{cases}"
    kinks = "x_i = 0: the gradient is that of the negative side"
    slopes_at_kinks = ((0.0, 0.2),)

    def __init__(self, negative_slope=0.2):
        self.negative_slope = negative_slope

    def forward(self, x):
        return np.where(x > 0, x, self.negative_slope * x)

    @rule(r"\bar x_i = \bar y_i \, ([x_i > 0] + a [x_i \le 0])")
    def x(self, y_bar, y, x):
        return Where()(x > 0, y_bar, self.negative_slope * y_bar)

    @classmethod
    def examples(cls, rng):
        """Several slopes."""
        yield from super().examples(rng)
        yield cls(0.01), (np.array([-1.5, 2.5]),)
        yield cls(negative_slope=-1.0), (np.array([-1.5, 2.5]),)


class Elu(Floating, Bent):
    r"""The exponential linear unit: relu with a smooth way down to -a.

    Parameters
    ----------
    x : array_like
    alpha : float
        The value a, whose negative is approached far to the left.

    Source: Clevert, Unterthiner & Hochreiter, arXiv:1511.07289.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.elu([-1000.0, 2.0])
    tensor([-1.,  2.])
    """

    formula = r"y_i = \begin{cases} x_i & x_i > 0 \\ a (e^{x_i} - 1) & \text{otherwise} \end{cases}"
    kinks = "x_i = 0 unless a = 1: the gradient is that of the negative side"
    slopes_at_kinks = ((0.0, 1.0),)

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def forward(self, x):
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    @rule(r"\bar x_i = \bar y_i \, ([x_i > 0] + a e^{x_i} [x_i \le 0])")
    def x(self, y_bar, y, x):
        return Where()(x <= 0, y_bar * (self.alpha * _exp_below(x)), y_bar)

    @classmethod
    def examples(cls, rng):
        """Several depths."""
        yield from super().examples(rng)
        yield cls(2.0), (np.array([-1.5, 2.5]),)
        yield cls(alpha=0.1), (np.array([-1.5, 2.5]),)

    @classmethod
    def conventions(cls):
        """The slope on the negative side."""
        for alpha in (1.0, 2.0):
            yield cls(alpha), (np.array([0.0]),), (np.array([alpha]),)


class Selu(Floating, Bent):
    r"""A scaled elu under which mean 0 and variance 1 stay as they are.

    Source: Klambauer, Unterthiner, Mayr & Hochreiter, *Self-normalizing neural networks*,
    arXiv:1706.02515.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.selu([-1000.0, 0.0, 1.0])
    tensor([-1.7580993,  0.       ,  1.050701 ])
    """

    alpha = 1.6732632423543772
    scale = 1.0507009873554805

    formula = (
        r"y_i = \lambda \begin{cases} x_i & x_i > 0 \\"
        r" a (e^{x_i} - 1) & \text{otherwise} \end{cases}, \quad a = 1.67326, \ \lambda = 1.05070"
    )
    kinks = "x_i = 0: the gradient is that of the negative side"
    slopes_at_kinks = ((0.0, scale * alpha),)

    def forward(self, x):
        return self.scale * Elu(self.alpha).forward(x)

    @rule(r"\bar x_i = \lambda \bar y_i \, ([x_i > 0] + a e^{x_i} [x_i \le 0])")
    def x(self, y_bar, y, x):
        below = y_bar * (self.scale * self.alpha * _exp_below(x))
        return Where()(x <= 0, below, self.scale * y_bar)


class Celu(Floating, Bent):
    r"""An elu stretched so that its slope at 0 is 1 for every depth.

    Parameters
    ----------
    x : array_like
    alpha : float
        The value a, whose negative is approached far to the left; not 0.

    Raises
    ------
    ArgumentError
        When `alpha` is 0.

    Source: Barron, *Continuously differentiable exponential linear units*, arXiv:1704.07483.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.celu([-1000.0, 2.0], alpha=0.5)
    tensor([-0.5,  2. ])
    """

    formula = (
        r"y_i = \begin{cases} x_i & x_i > 0 \\ a (e^{x_i / a} - 1) & \text{otherwise} \end{cases}"
    )
    slopes_at_kinks = ((0.0, 1.0),)

    def __init__(self, alpha=1.0):
        if alpha == 0:
            raise ArgumentError("celu", "alpha", got=alpha, expected="a number other than 0")
        self.alpha = alpha

    def forward(self, x):
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0) / self.alpha))

    @rule(r"\bar x_i = \bar y_i \, ([x_i > 0] + e^{x_i / a} [x_i \le 0])")
    def x(self, y_bar, y, x):
        return Where()(x <= 0, y_bar * _exp_below(x, self.alpha), y_bar)

    @classmethod
    def examples(cls, rng):
        """Several depths."""
        yield from super().examples(rng)
        yield cls(2.0), (np.array([-1.5, 2.5]),)
        yield cls(alpha=0.5), (np.array([-1.5, 2.5]),)


def _exp_below(x, scale=1.0):
    """The exponential where x is not positive; elsewhere 1, as it might overflow unused."""
    return Exp()(Where()(x <= 0, x, 0) / scale)


class HardSigmoid(Floating, Bent):
    r"""A sigmoid of three straight lines.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.hard_sigmoid([-4.0, 0.0, 1.5, 4.0])
    tensor([0.  , 0.5 , 0.75, 1.  ])
    """

    formula = r"y_i = \min(\max(\tfrac{1}{6} x_i + \tfrac{1}{2}, 0), 1)"
    kinks = "x_i = -3 and x_i = 3: the gradient is 0 there"
    slopes_at_kinks = ((-3.0, 0.0), (3.0, 0.0))

    def forward(self, x):
        return np.clip(x + 3, 0, 6) / 6

    @rule(r"\bar x_i = \tfrac{1}{6} \bar y_i \, [-3 < x_i < 3]")
    def x(self, y_bar, y, x):
        return y_bar / 6 * (abs(x) < 3)


class HardSilu(Floating, Bent):
    r"""The input times its hard sigmoid; also called hard swish.

    Source: Howard et al., *Searching for MobileNetV3*, arXiv:1905.02244.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.hard_silu([-4.0, 0.0, 1.5, 4.0])
    tensor([-0.   ,  0.   ,  1.125,  4.   ])
    """

    formula = r"y_i = x_i \min(\max(\tfrac{1}{6} x_i + \tfrac{1}{2}, 0), 1)"
    kinks = "x_i = -3 and x_i = 3: the gradient is that of the straight line outside, 0 and 1"
    slopes_at_kinks = ((-3.0, 0.0), (3.0, 1.0))

    def forward(self, x):
        return x * (np.clip(x + 3, 0, 6) / 6)

    @rule(
        r"\bar x_i = \bar y_i \, \big( [x_i \ge 3]"
        r" + (\tfrac{1}{3} x_i + \tfrac{1}{2}) [-3 < x_i < 3] \big)"
    )
    def x(self, y_bar, y, x):
        inside = abs(x) < 3
        return Where()(
            inside, y_bar * (Where()(inside, x, 0) / 3 + 0.5), Where()(x <= -3, 0, y_bar)
        )


class HardTanh(Bent):
    r"""A tanh of three straight lines.

    Examples
    --------
    >>> from tinydl import ops
    >>> ops.hard_tanh([-4.0, 0.5, 4.0])
    tensor([-1. ,  0.5,  1. ])
    """

    formula = r"y_i = \min(\max(x_i, -1), 1)"
    kinks = "x_i = -1 and x_i = 1: the gradient is 0 there"
    slopes_at_kinks = ((-1.0, 0.0), (1.0, 0.0))

    def forward(self, x):
        return np.clip(x, -1, 1)

    @rule(r"\bar x_i = \bar y_i \, [-1 < x_i < 1]")
    def x(self, y_bar, y, x):
        return y_bar * LogicalNot()(abs(x) >= 1)
