"""tinydl: a small deep-learning framework to read."""

from tinydl import kernels, ops
from tinydl.engine import Op, Tensor, grad, no_grad, rule, tensor

__version__ = "0.1.0"
