"""Checks of gradients, for tests of your own ops and of ours."""

from tinydl.testing.gradcheck import GradientMismatch, gradcheck

__all__ = ["GradientMismatch", "gradcheck"]
