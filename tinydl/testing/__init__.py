"""Checks of gradients, for tests of your own ops and of ours."""

from tinydl.testing.gradcheck import GradientMismatch, Inconclusive, Verdict, gradcheck

__all__ = ["GradientMismatch", "Inconclusive", "Verdict", "gradcheck"]
