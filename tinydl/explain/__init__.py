"""Read the math of a training step page by page.

- `formula` gives the formula of an op, layer, loss, optimizer, ...: LaTeX, text, MathML, source;
- `tinydl.explain.page` says what is on a page.
"""

from tinydl.explain.formulas import Formula, formula

__all__ = ["Formula", "formula"]
