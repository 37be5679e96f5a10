"""Checks of gradients, ops and kernels, for tests of your own and of ours.

- `gradcheck` holds the gradient of a function against finite differences;
- `check_op` attacks an op with all that follows from its declaration;
- `check_kernel` holds a hot loop, in Python or C, against the formula read literally;
- `tinydl.testing.strategies` are Hypothesis strategies for shapes, arrays and settings, and
  `tinydl.testing.fixtures` two pytest fixtures; they need the extra ``tinydl[test]``;
- `tinydl.testing.guard_pages` gives C kernels memory that ends where their arrays end;
- `tinydl.testing.mutants` is the catalogue of wrong gradients that the checks must catch.
"""

from tinydl.testing.gradcheck import GradientMismatch, Inconclusive, Verdict, gradcheck
from tinydl.testing.kernel_check import KernelReport, check_kernel
from tinydl.testing.op_check import OpReport, PropertyResult, check_op

__all__ = [
    "GradientMismatch",
    "Inconclusive",
    "KernelReport",
    "OpReport",
    "PropertyResult",
    "Verdict",
    "check_kernel",
    "check_op",
    "gradcheck",
]
